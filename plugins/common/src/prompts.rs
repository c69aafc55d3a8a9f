//! What an artist said, as a plugin keeps it: in one string that every host saves and none rewrites.
//!
//! Nuke evaluates strings as TCL and MLT reads `5=abc;20=def` as keyframes, so the text is base64url: letters, digits,
//! `-` and `_`.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use rotomask::frame::Size;
use rotomask::prompt::{Box, Click, MAX_CLICKS};
use rotomask::session::{MAX_OBJECTS, ObjectId};

use crate::{Error, Result, compact};

/// What the text of a version 1 begins with.
const MARK: &str = "rm1-";
/// Longer text was never written: 256 objects with prompts on a thousand frames each.
const MOST_TEXT_BYTES: usize = 32 << 20;

/// What was said about one object on one frame.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Said {
    /// In pixels of the frame, y downwards.
    pub clicks: Vec<Click>,
    /// The same.
    pub bounds: Option<Box>,
    /// Whether the host's second clip was taken as a mask.
    pub mask: bool,
}

/// An object that an artist speaks of.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Object {
    /// Empty: "Object N".
    pub name: String,
    /// By frame.
    pub frames: BTreeMap<u64, Said>,
}

/// Everything that was said.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Prompts {
    /// By number. One that is here without frames was spoken of once.
    pub objects: BTreeMap<ObjectId, Object>,
}

impl Said {
    /// Whether nothing is said.
    pub fn is_empty(&self) -> bool {
        self.clicks.is_empty() && self.bounds.is_none() && !self.mask
    }
}

impl Prompts {
    /// Whether nothing is said of any object.
    pub fn is_empty(&self) -> bool {
        self.objects.values().all(|object| object.frames.values().all(Said::is_empty))
    }

    /// What is said of an object on a frame, to be added to.
    pub fn at(&mut self, object: ObjectId, frame: u64) -> &mut Said {
        self.objects.entry(object).or_default().frames.entry(frame).or_default()
    }

    /// Adds all that another one says. Clicks that are there already are not said twice.
    pub fn add(&mut self, other: &Self) {
        for (&id, object) in &other.objects {
            let known = self.objects.entry(id).or_default();
            if known.name.is_empty() {
                known.name.clone_from(&object.name);
            }
            for (&frame, said) in &object.frames {
                let into = known.frames.entry(frame).or_default();
                for click in &said.clicks {
                    if !into.clicks.contains(click) {
                        into.clicks.push(*click);
                    }
                }
                into.bounds = said.bounds.or(into.bounds);
                into.mask |= said.mask;
            }
        }
    }

    /// Takes back what was said of an object on a frame.
    pub fn clear(&mut self, object: ObjectId, frame: u64) {
        if let Some(object) = self.objects.get_mut(&object) {
            object.frames.remove(&frame);
        }
    }

    /// What a session's file says, so that a plugin can go on with what was said elsewhere.
    pub fn of_session(summary: &rotomask::store::Summary) -> Self {
        let mut prompts = Self::default();
        for object in &summary.objects {
            let known = prompts.objects.entry(object.id).or_default();
            known.name.clone_from(&object.name);
            for said in &object.prompts {
                let click = |positive: bool| move |&[x_px, y_px]: &[f32; 2]| Click { x_px, y_px, positive };
                let clicks =
                    said.positive.iter().map(click(true)).chain(said.negative.iter().map(click(false)));
                let bounds =
                    said.bounds.map(|[x0_px, y0_px, x1_px, y1_px]| Box { x0_px, y0_px, x1_px, y1_px });
                let here = Said { clicks: clicks.collect(), bounds, mask: said.mask };
                known.frames.insert(said.frame, here);
            }
        }
        prompts
    }

    /// Brings what lies beyond the frame to its edge: a host may have another idea of the frame than the artist had.
    pub fn clamp_to(&mut self, size: Size) {
        let (w, h) = (size.width_px as f32, size.height_px as f32);
        let inside = |v: f32, side: f32| if v.is_nan() { 0.0 } else { v.clamp(0.0, side.next_down()) };
        for said in self.objects.values_mut().flat_map(|object| object.frames.values_mut()) {
            for click in &mut said.clicks {
                (click.x_px, click.y_px) = (inside(click.x_px, w), inside(click.y_px, h));
            }
            if let Some(b) = &mut said.bounds {
                *b = Box {
                    x0_px: b.x0_px.clamp(0.0, w),
                    y0_px: b.y0_px.clamp(0.0, h),
                    x1_px: b.x1_px.clamp(0.0, w),
                    y1_px: b.y1_px.clamp(0.0, h),
                };
            }
            said.bounds = said.bounds.filter(|b| b.x1_px > b.x0_px && b.y1_px > b.y0_px);
        }
    }

    /// As a text of letters, digits, `-` and `_`; empty if there is nothing to say.
    pub fn to_text(&self) -> String {
        if self.objects.is_empty() {
            return String::new();
        }
        let mut bytes = Vec::new();
        number(&mut bytes, self.objects.len() as u64);
        for (&id, object) in &self.objects {
            number(&mut bytes, u64::from(id));
            number(&mut bytes, object.name.len() as u64);
            bytes.extend_from_slice(object.name.as_bytes());
            number(&mut bytes, object.frames.len() as u64);
            for (&frame, said) in &object.frames {
                number(&mut bytes, frame);
                bytes.push(u8::from(said.bounds.is_some()) | u8::from(said.mask) << 1);
                if let Some(Box { x0_px, y0_px, x1_px, y1_px }) = said.bounds {
                    [x0_px, y0_px, x1_px, y1_px].iter().for_each(|v| bytes.extend(v.to_le_bytes()));
                }
                number(&mut bytes, said.clicks.len() as u64);
                for click in &said.clicks {
                    bytes.extend(click.x_px.to_le_bytes());
                    bytes.extend(click.y_px.to_le_bytes());
                    bytes.push(u8::from(click.positive));
                }
            }
        }
        format!("{MARK}{}", URL_SAFE_NO_PAD.encode(bytes))
    }

    /// Reads what [`Prompts::to_text`] wrote, or the form that people write: see [`compact`].
    ///
    /// # Errors
    /// If it is neither.
    pub fn parse(text: &str) -> Result<Self> {
        let text = text.trim();
        let Some(packed) = text.strip_prefix(MARK) else { return compact::parse(text) };
        if packed.len() > MOST_TEXT_BYTES {
            return Err(damaged(&format!(
                "it has {} letters, expected at most {MOST_TEXT_BYTES}",
                packed.len()
            )));
        }
        let bytes = URL_SAFE_NO_PAD.decode(packed).map_err(|e| damaged(&e.to_string()))?;
        let mut from = Reader(&bytes);
        let mut prompts = Self::default();
        for _ in 0..from.count(MAX_OBJECTS, "objects")? {
            let id =
                ObjectId::try_from(from.number()?).map_err(|_| damaged("an object's number is too large"))?;
            let length = from.count(255, "letters of a name")?;
            let name = String::from_utf8_lossy(from.take(length)?).into_owned();
            let mut object = Object { name, frames: BTreeMap::new() };
            for _ in 0..from.count(1 << 20, "frames")? {
                let (frame, flags) = (from.number()?, from.take(1)?[0]);
                let bounds = if flags & 1 == 0 {
                    None
                } else {
                    let [x0_px, y0_px, x1_px, y1_px] =
                        [from.float()?, from.float()?, from.float()?, from.float()?];
                    Some(Box { x0_px, y0_px, x1_px, y1_px })
                };
                let mut said = Said { clicks: Vec::new(), bounds, mask: flags & 2 != 0 };
                for _ in 0..from.count(MAX_CLICKS, "clicks")? {
                    let (x_px, y_px) = (from.float()?, from.float()?);
                    said.clicks.push(Click { x_px, y_px, positive: from.take(1)?[0] != 0 });
                }
                object.frames.insert(frame, said);
            }
            prompts.objects.insert(id, object);
        }
        Ok(prompts)
    }
}

fn damaged(problem: &str) -> Error {
    Error::host(format!("prompts: the saved text is damaged: {problem}"))
}

/// Seven bits a byte, the lowest first.
fn number(into: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        into.push(value as u8 | 0x80);
        value >>= 7;
    }
    into.push(value as u8);
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or_else(|| damaged("it ends too soon"))?;
        self.0 = rest;
        Ok(taken)
    }

    fn number(&mut self) -> Result<u64> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.take(1)?[0];
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(damaged("a number has no end"))
    }

    fn count(&mut self, most: usize, what: &str) -> Result<usize> {
        let found = self.number()?;
        usize::try_from(found)
            .ok()
            .filter(|found| *found <= most)
            .ok_or_else(|| damaged(&format!("it has {found} {what}, expected at most {most}")))
    }

    fn float(&mut self) -> Result<f32> {
        let b = self.take(4)?;
        Ok(f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some() -> Prompts {
        let mut prompts = Prompts::default();
        let said = prompts.at(1, 48);
        said.clicks.push(Click { x_px: 640.25, y_px: 360.5, positive: true });
        said.clicks.push(Click { x_px: 3.0, y_px: 0.0, positive: false });
        prompts.at(1, 300).mask = true;
        prompts.at(70_000, 0).bounds = Some(Box { x0_px: 1.0, y0_px: 2.0, x1_px: 30.5, y1_px: 4.0 });
        prompts.objects.get_mut(&1).unwrap().name = "Läufer".into();
        prompts
    }

    #[test]
    fn what_was_said_survives_as_letters_that_no_host_touches() {
        let text = some().to_text();
        assert!(text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'), "{text}");
        assert_eq!(Prompts::parse(&text).unwrap(), some());
        assert_eq!(Prompts::default().to_text(), "");
        assert_eq!(Prompts::parse("").unwrap(), Prompts::default());
    }

    #[test]
    fn damaged_text_is_refused_wherever_it_breaks_off() {
        let text = some().to_text();
        for end in MARK.len()..text.len() {
            let said = Prompts::parse(&text[..end]).unwrap_err().to_string();
            assert!(said.starts_with("prompts: the saved text is damaged: "), "{said}");
        }
        let many = format!("{MARK}{}", URL_SAFE_NO_PAD.encode([0xff; 9]));
        assert!(Prompts::parse(&many).is_err());
        let objects = format!("{MARK}{}", URL_SAFE_NO_PAD.encode([0xff, 0xff, 0x7f]));
        assert!(Prompts::parse(&objects).unwrap_err().to_string().contains("objects, expected at most 256"));
    }

    #[test]
    fn what_is_said_twice_is_said_once() {
        let mut all = some();
        all.add(&some());
        assert_eq!(all, some());
        all.clear(1, 48);
        assert_eq!(all.objects[&1].frames.keys().collect::<Vec<_>>(), [&300]);
    }

    #[test]
    fn prompts_beyond_the_frame_come_to_its_edge() {
        let mut all = some();
        all.clamp_to(Size::new(320, 180).unwrap());
        let click = all.objects[&1].frames[&48].clicks[0];
        assert!(click.x_px < 320.0 && click.x_px > 319.9 && click.y_px < 180.0);
        all.clamp_to(Size::new(1, 1).unwrap());
        assert_eq!(all.objects[&70_000].frames[&0].bounds, None);
    }
}
