//! Pictures: what is asked of the host, and what it gets back. Only read, in any order, from any thread.

use openfx_abi::*;
use plugin_common::pixels::{AlphaIs, Owned, Placed, Rect, convert_row, framed, is_opaque};
use plugin_common::render::{self, Request, Scale, in_colour, look_up, passes_through};
use plugin_common::{Error, Result};
use rotomask::frame::{Channels, FrameView, PixelFormat, Size};
use rotomask::matte::{Alpha, Background, MatteSettings, Status, View, Window};

use crate::Answer;
use crate::controls::{SECOND, SECOND_CLIP, Second};
use crate::describe::settings;
use crate::effect::{Clip, Effect};
use crate::geometry;
use crate::image::Image;
use crate::props::Props;
use crate::session::{self, Found};
use crate::shot::as_matte;

pub fn frames_needed(given: &Props, answer: &Props) -> Answer {
    let Some(time) = given.double(kOfxPropTime, 0) else { return Ok(kOfxStatReplyDefault) };
    for name in [c"OfxImageClipPropFrameRange_Source", c"OfxImageClipPropFrameRange_Second"] {
        answer.set_double(name, 0, time);
        answer.set_double(name, 1, time);
    }
    Ok(kOfxStatOK)
}

pub fn clip_preferences(effect: &Effect, answer: &Props) -> Answer {
    // Masks differ from frame to frame, also where the source stands still.
    answer.set_int(kOfxImageEffectFrameVarying, 0, 1);
    let premultiplied = settings(&effect.params(), 0.0)?.alpha == Alpha::Premultiplied;
    let alpha = if premultiplied { kOfxImagePreMultiplied } else { kOfxImageUnPreMultiplied };
    answer.set_name(kOfxImageEffectPropPreMultiplication, 0, alpha);
    Ok(kOfxStatOK)
}

pub fn is_identity(effect: &Effect, given: &Props, answer: &Props) -> Answer {
    let Some(time) = given.double(kOfxPropTime, 0) else { return Ok(kOfxStatReplyDefault) };
    let text = |clip: &str, name| {
        let name_of_clip = std::ffi::CString::new(clip).ok()?;
        effect.clip(&name_of_clip)?.props().text(name)
    };
    let same = |name| text("Source", name).is_some_and(|found| Some(found) == text("Output", name));
    // What the plugin gives is what the source is: pixels of the same kind, and no mask on this frame.
    let kinds =
        [kOfxImageEffectPropComponents, kOfxImageEffectPropPixelDepth, kOfxImageEffectPropPreMultiplication];
    if !kinds.into_iter().all(same) {
        return Ok(kOfxStatReplyDefault);
    }
    let found = session::find(effect);
    let has = geometry::frame(time, geometry::offset(effect))
        .is_ok_and(|frame| found.reader().is_some_and(|session| session.has(frame)));
    if has || settings(&effect.params(), time)?.view == View::Status {
        return Ok(kOfxStatReplyDefault);
    }
    answer.set_name(kOfxPropName, 0, c"Source");
    answer.set_double(kOfxPropTime, 0, time);
    Ok(kOfxStatOK)
}

/// The second clip's picture, made ready for its use.
#[derive(Default)]
struct Beside {
    garbage: Option<Owned>,
    holdout: Option<Owned>,
    picture: Option<Owned>,
}

impl Beside {
    fn read(effect: &Effect, time: f64, frame: Rect, work: PixelFormat) -> Result<Self> {
        let mut beside = Self::default();
        let used = Second::of(effect.params().int(SECOND, None));
        if matches!(used, Second::Nothing | Second::Prompt) {
            return Ok(beside);
        }
        let clip = effect.clip(SECOND_CLIP).filter(Clip::is_connected);
        let image = match &clip {
            Some(clip) => clip.image(time)?,
            None => None,
        };
        let Some(image) = image else { return Ok(beside) };
        let picture = image.placed()?;
        let grey = PixelFormat::Gray16;
        match used {
            Second::Garbage => beside.garbage = Some(as_matte(picture, frame, grey)?),
            Second::Holdout => beside.holdout = Some(as_matte(picture, frame, grey)?),
            Second::Background => beside.picture = Some(framed(picture, frame, work)?),
            Second::Nothing | Second::Prompt => {}
        }
        Ok(beside)
    }
}

fn view(owned: &Option<Owned>) -> Result<Option<FrameView<'_>>> {
    owned.as_ref().map(Owned::view).transpose()
}

pub fn render(effect: &Effect, given: &Props) -> Answer {
    let wants = |what: &str| Error::host(format!("render: the host gives no {what}"));
    let time = given.double(kOfxPropTime, 0).ok_or_else(|| wants("time"))?;
    let output = effect.clip(c"Output").ok_or_else(|| wants("output clip"))?;
    let mut output = output.image(time)?.ok_or_else(|| wants("output image"))?;
    let window = given.ints(kOfxImageEffectPropRenderWindow);
    let window = window.map_or(output.bounds(), |[x1, y1, x2, y2]| Rect { x1, y1, x2, y2 });
    // A window that is larger than the image is the host's mistake, and not worth a broken picture.
    let window = window.meet(output.bounds());
    if window.is_empty() || effect.is_aborted() {
        return Ok(kOfxStatOK);
    }
    let scale = given.doubles(kOfxImageEffectPropRenderScale).unwrap_or([1.0, 1.0]);
    let source = effect.clip(c"Source").filter(Clip::is_connected);
    let source = match &source {
        Some(clip) => clip.image(time)?,
        None => None,
    };
    let Some(source) = source else {
        clear(&mut output, window)?;
        return Ok(kOfxStatOK);
    };
    let mut settings = settings(&effect.params(), time)?;
    let alpha = output.alpha().unwrap_or(match settings.alpha {
        Alpha::Premultiplied => AlphaIs::Premultiplied,
        Alpha::Straight => AlphaIs::Straight,
    });
    // OpenFX multiplies codes, the chain multiplies light: so the chain leaves it to what comes after.
    settings.alpha = Alpha::Straight;
    if output.format().channels() == Channels::Gray {
        settings.view = View::Matte;
    }
    let frame = source.frame();
    if !frame.holds(window) {
        clear(&mut output, window)?;
    }
    let part = window.meet(frame);
    if part.is_empty() {
        return Ok(kOfxStatOK);
    }
    Work { effect, time, scale, settings, alpha, frame, part }.finish(&source, &mut output)?;
    Ok(kOfxStatOK)
}

struct Work<'a> {
    effect: &'a Effect,
    time: f64,
    scale: [f64; 2],
    settings: MatteSettings,
    /// What the output is to be.
    alpha: AlphaIs,
    /// The whole frame, in the image's pixels.
    frame: Rect,
    /// What is to be written.
    part: Rect,
}

impl Work<'_> {
    fn finish(mut self, source: &Image<'_>, output: &mut Image<'_>) -> Result<()> {
        let found = session::find(self.effect);
        let number = geometry::frame(self.time, geometry::offset(self.effect)).ok();
        let (masks, mut status) = look_up(found.reader(), number)?;
        if matches!(found, Found::Missing(_)) {
            status = Status::Missing;
        }
        let (picture, grey) = (source.placed()?, output.format().channels() == Channels::Gray);
        if grey && passes_through(masks.as_deref(), &self.settings) {
            return self.pass(picture, output);
        }
        let work = in_colour(output.format());
        let as_it_is = picture.view.format() == work
            && picture.bounds == self.frame
            && (picture.alpha == AlphaIs::Straight || is_opaque(picture.view));
        let plate = if as_it_is { None } else { Some(framed(picture, self.frame, work)?) };
        let beside = Beside::read(self.effect, self.time, self.frame, work)?;
        if self.settings.background == Background::Picture && beside.picture.is_none() {
            self.settings.background = Background::Colour;
        }
        let size = self.frame.size()?;
        let [x_px, y_px] = self.frame.inset(self.part);
        let request = Request {
            plate: view(&plate)?.unwrap_or(picture.view),
            masks: masks.as_deref(),
            status,
            alpha: self.alpha,
            settings: &self.settings,
            window: Window { x_px, y_px, size: self.part.size()? },
            scale: self.proxy(found.reader().map(|session| session.size()), size),
            garbage: view(&beside.garbage)?,
            holdout: view(&beside.holdout)?,
            picture: view(&beside.picture)?,
        };
        if self.effect.is_aborted() {
            return Ok(());
        }
        render::render(&request, output.part_mut(self.part)?)
    }

    /// The frame's pixels in one of the full-resolution frame's. The session knows that best; without one, the host says.
    fn proxy(&self, session: Option<Size>, frame: Size) -> Scale {
        let of_host = Scale::from_array(self.scale);
        let Some(full) = session else { return render::within(of_host) };
        let found = render::scale(frame, Some(full));
        // A frame of the scale that the host says is at most a pixel off it.
        let pixel = Scale::new(1.0 / f64::from(full.width_px), 1.0 / f64::from(full.height_px));
        let near = (found - of_host).abs().cmple(pixel * 1.01).all();
        render::within(if near { of_host } else { found })
    }

    /// The source's own alpha or grey.
    fn pass(&self, picture: Placed<'_>, output: &mut Image<'_>) -> Result<()> {
        let format = output.format();
        let whole = framed(picture, self.part, format)?;
        let (whole, mut out) = (whole.view()?, output.part_mut(self.part)?);
        for y in 0..whole.size().height() {
            convert_row(whole.row(y), format, AlphaIs::Straight, out.row_mut(y), format, AlphaIs::Straight);
        }
        Ok(())
    }
}

/// Black and transparent.
fn clear(output: &mut Image<'_>, window: Rect) -> Result<()> {
    let mut part = output.part_mut(window)?;
    for y in 0..part.size().height() {
        part.row_mut(y).fill(0);
    }
    Ok(())
}
