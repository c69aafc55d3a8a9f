//! Masks as COCO's run lengths: column by column from the top left, background first.
//!
//! Two notations: the lengths themselves ("uncompressed"), and COCO's compressed string of printable
//! characters, as `pycocotools` reads and writes it.

use super::stability::Bounds;
use crate::error::{Error, Result};
use crate::frame::{FrameViewMut, PixelFormat, Size};

/// Columns that are read together, so that rows are walked through in larger steps.
const STRIP: usize = 32;

/// A binary mask as run lengths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rle {
    size: Size,
    /// Background, object, background and so on; only the first can be 0. They sum up to the size's area.
    counts: Vec<u32>,
}

impl Rle {
    /// Encodes a mask: any byte but 0 is the object, row by row.
    ///
    /// # Errors
    /// [`Error::Frame`] if there are not as many bytes as the size has pixels.
    pub fn encode(size: Size, inside: &[u8]) -> Result<Self> {
        let (w, h) = (size.width(), size.height());
        if inside.len() != size.area_px() {
            let (found, want) = (inside.len(), size.area_px());
            return Err(Error::Frame(format!("the mask has {found} pixels, expected {want} for {size}")));
        }
        let mut runs = Runs::default();
        let mut strip = vec![0; STRIP * h];
        for x0 in (0..w).step_by(STRIP) {
            let columns = STRIP.min(w - x0);
            for (y, row) in inside.chunks_exact(w).enumerate() {
                row[x0..x0 + columns].iter().enumerate().for_each(|(x, &v)| strip[x * h + y] = v);
            }
            runs.add(&strip[..columns * h]);
        }
        Ok(Self { size, counts: runs.end() })
    }

    /// Takes run lengths as they come from a file.
    ///
    /// # Errors
    /// [`Error::Frame`] if they don't sum up to the size's area.
    pub fn from_counts(size: Size, counts: &[u32]) -> Result<Self> {
        let mut joined = Joined::new(size);
        counts.iter().try_for_each(|&count| joined.push(i64::from(count)))?;
        joined.end()
    }

    /// Reads COCO's compressed string.
    ///
    /// # Errors
    /// [`Error::Frame`] for a character or a number that has no place there, or if the lengths don't sum up to the
    /// size's area. Nothing is allocated beyond the string's own length.
    pub fn from_compressed(size: Size, text: &str) -> Result<Self> {
        let mut joined = Joined::new(size);
        let (mut value, mut shift) = (0i64, 0);
        // The last length, and the one before it.
        let mut earlier = [0i64; 2];
        let mut index = 0;
        for (at, byte) in text.bytes().enumerate() {
            let refuse = |what: &str| Err(refusal(format!("at character {at} {what}")));
            if !(48..112).contains(&byte) {
                return refuse("it has none of COCO's");
            }
            let bits = i64::from(byte - 48);
            if shift > 30 {
                return refuse("a length goes on beyond 35 bits");
            }
            value |= (bits & 0x1f) << shift;
            shift += 5;
            if bits & 0x20 != 0 {
                continue;
            }
            if bits & 0x10 != 0 {
                value |= -1 << shift;
            }
            // From the fourth on, a length is told by its difference from the last of its kind.
            let count = if index > 2 { value + earlier[1] } else { value };
            earlier = [count, earlier[0]];
            joined.push(count)?;
            (value, shift, index) = (0, 0, index + 1);
        }
        if shift != 0 {
            return Err(refusal("its last length has no end".into()));
        }
        joined.end()
    }

    /// The frame's size.
    pub fn size(&self) -> Size {
        self.size
    }

    /// Lengths in pixels: background, object, background and so on.
    pub fn counts(&self) -> &[u32] {
        &self.counts
    }

    /// COCO's compressed string.
    pub fn compressed(&self) -> String {
        let mut text = String::new();
        for (at, &count) in self.counts.iter().enumerate() {
            let before = if at > 2 { i64::from(self.counts[at - 2]) } else { 0 };
            let mut value = i64::from(count) - before;
            loop {
                let bits = (value & 0x1f) as u8;
                value >>= 5;
                let more = value != if bits & 0x10 != 0 { -1 } else { 0 };
                text.push(char::from(48 + bits + if more { 0x20 } else { 0 }));
                if !more {
                    break;
                }
            }
        }
        text
    }

    /// Whether each pixel is the object's, 1 or 0, row by row.
    pub fn decode(&self) -> Vec<u8> {
        let (w, h) = (self.size.width(), self.size.height());
        let mut inside = vec![0; self.size.area_px()];
        for (start, end) in self.runs() {
            for x in start / h..end.div_ceil(h) {
                let rows = start.max(x * h) - x * h..end.min((x + 1) * h) - x * h;
                rows.for_each(|y| inside[y * w + x] = 1);
            }
        }
        inside
    }

    /// Writes the mask into the host's image: `Gray8` 0 or 255, `GrayF32` 0 or 1.
    ///
    /// # Errors
    /// [`Error::Frame`] for another size or format; nothing is written then.
    pub fn write(&self, mut image: FrameViewMut<'_>) -> Result<()> {
        let (size, format) = (image.size(), image.format());
        if size != self.size {
            return Err(Error::Frame(format!("the mask's image is {size}, expected {}", self.size)));
        }
        if !matches!(format, PixelFormat::Gray8 | PixelFormat::GrayF32) {
            let problem = format!("the mask's image has the format {format:?}, expected a grey one");
            return Err(Error::Frame(problem));
        }
        for (y, inside) in self.decode().chunks_exact(size.width()).enumerate() {
            let row = image.row_mut(y);
            if format == PixelFormat::Gray8 {
                row.iter_mut().zip(inside).for_each(|(out, v)| *out = v * 255);
            } else {
                let values: Vec<f32> = inside.iter().map(|&v| f32::from(v)).collect();
                row.copy_from_slice(bytemuck::cast_slice(&values));
            }
        }
        Ok(())
    }

    /// The object's pixels.
    pub fn area_px(&self) -> u64 {
        self.counts.iter().skip(1).step_by(2).map(|&count| u64::from(count)).sum()
    }

    /// The box around the object; `None` if there is none of it.
    pub fn bounds(&self) -> Option<Bounds> {
        let h = self.size.height();
        let boxes = self.runs().map(|(start, end)| {
            let (first, last) = (start / h, (end - 1) / h);
            // A run that reaches into another column touches the bottom of one and the top of the next.
            let (top, bottom) = if first == last { (start % h, (end - 1) % h + 1) } else { (0, h) };
            let [x0_px, y0_px, x1_px, y1_px] = [first, top, last + 1, bottom].map(|v| v as u32);
            Bounds { x0_px, y0_px, x1_px, y1_px }
        });
        boxes.reduce(|a, b| Bounds {
            x0_px: a.x0_px.min(b.x0_px),
            y0_px: a.y0_px.min(b.y0_px),
            x1_px: a.x1_px.max(b.x1_px),
            y1_px: a.y1_px.max(b.y1_px),
        })
    }

    /// Pixels that are in both masks.
    ///
    /// # Errors
    /// [`Error::Frame`] if the sizes differ.
    pub fn common_px(&self, other: &Self) -> Result<u64> {
        if self.size != other.size {
            let (found, want) = (other.size, self.size);
            return Err(Error::Frame(format!("the other mask is {found}, expected {want}")));
        }
        let (mut a, mut b) = (self.runs().peekable(), other.runs().peekable());
        let mut common = 0;
        while let (Some(&(a0, a1)), Some(&(b0, b1))) = (a.peek(), b.peek()) {
            common += a1.min(b1).saturating_sub(a0.max(b0)) as u64;
            if a1 < b1 {
                a.next()
            } else {
                b.next()
            };
        }
        Ok(common)
    }

    /// The object's runs, `start..end`, counted down the columns.
    fn runs(&self) -> impl Iterator<Item = (usize, usize)> {
        let mut at = 0;
        let spans = self.counts.iter().map(move |&count| {
            let start = at;
            at += count as usize;
            (start, at)
        });
        spans.skip(1).step_by(2)
    }
}

fn refusal(problem: String) -> Error {
    Error::Frame(format!("the run lengths: {problem}"))
}

/// Run lengths as pixels are added.
#[derive(Default)]
struct Runs {
    counts: Vec<u32>,
    inside: bool,
    length: u32,
}

impl Runs {
    fn add(&mut self, mut pixels: &[u8]) {
        while !pixels.is_empty() {
            let same = pixels.iter().position(|&v| (v != 0) != self.inside).unwrap_or(pixels.len());
            self.length += same as u32;
            pixels = &pixels[same..];
            if !pixels.is_empty() {
                self.counts.push(self.length);
                (self.inside, self.length) = (!self.inside, 0);
            }
        }
    }

    fn end(mut self) -> Vec<u32> {
        self.counts.push(self.length);
        self.counts
    }
}

/// Run lengths from elsewhere: summed, and joined where one between them is 0.
struct Joined {
    size: Size,
    counts: Vec<u32>,
    given: usize,
    sum: i64,
}

impl Joined {
    fn new(size: Size) -> Self {
        Self { size, counts: Vec::new(), given: 0, sum: 0 }
    }

    fn push(&mut self, count: i64) -> Result<()> {
        let left = self.size.area_px() as i64 - self.sum;
        if !(0..=left).contains(&count) {
            let (at, size) = (self.given, self.size);
            return Err(refusal(format!(
                "number {at} is {count}, expected 0 to the {left} pixels left of {size}"
            )));
        }
        self.given += 1;
        self.sum += count;
        let object = self.given.is_multiple_of(2);
        match self.counts.len() {
            // The first is the background's, even if it is empty.
            0 => self.counts.push(count as u32),
            _ if count == 0 => {}
            len if len.is_multiple_of(2) == object => self.counts[len - 1] += count as u32,
            _ => self.counts.push(count as u32),
        }
        Ok(())
    }

    fn end(self) -> Result<Rle> {
        let (found, want) = (self.sum, self.size.area_px());
        if found != want as i64 {
            let size = self.size;
            return Err(refusal(format!("they sum up to {found}, expected {want} for {size}")));
        }
        Ok(Rle { size: self.size, counts: self.counts })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::Layout;
    use crate::mask::goldens::{masks, numbers};

    fn size(width: u32, height: u32) -> Size {
        Size::new(width, height).unwrap()
    }

    fn said(result: Result<Rle>) -> String {
        result.unwrap_err().to_string()
    }

    #[test]
    fn a_wide_mask_is_read_down_its_columns() {
        let rle = Rle::encode(size(4, 2), &[0, 1, 1, 0, 0, 0, 1, 1]).unwrap();
        assert_eq!(rle.counts(), [2, 1, 1, 2, 1, 1]);
        assert_eq!(Rle::encode(size(2, 1), &[1, 1]).unwrap().counts(), [0, 2]);
        assert_eq!(Rle::encode(size(2, 1), &[0, 0]).unwrap().counts(), [2]);
    }

    #[test]
    fn lengths_text_area_and_box_are_those_of_pycocotools() {
        for mask in masks() {
            let (inside, rle) = (&mask.inside, Rle::encode(mask.size, &mask.inside).unwrap());
            assert_eq!(rle.counts(), numbers(&mask.golden["counts"]));
            assert_eq!(rle.compressed(), mask.golden["compressed"].as_str().unwrap());
            assert_eq!(rle.area_px(), mask.golden["area"].as_u64().unwrap());
            let xywh = rle.bounds().map_or([0; 4], |b| [b.x0_px, b.y0_px, b.width_px(), b.height_px()]);
            assert_eq!(xywh.as_slice(), numbers(&mask.golden["bbox"]));
            assert_eq!(&rle.decode(), inside);
        }
    }

    #[test]
    fn every_notation_of_random_masks_leads_back_to_the_mask() {
        let mut random = crate::mask::goldens::Random(3);
        for round in 0..200 {
            let size = size(1 + random.below(70), 1 + random.below(9));
            let share = random.below(100);
            let inside: Vec<u8> = (0..size.area_px()).map(|_| u8::from(random.below(100) < share)).collect();
            let rle = Rle::encode(size, &inside).unwrap();
            assert_eq!(rle.decode(), inside, "round {round}, {size}");
            assert_eq!(rle.counts().iter().sum::<u32>() as usize, size.area_px());
            assert_eq!(Rle::from_counts(size, rle.counts()).unwrap(), rle);
            assert_eq!(Rle::from_compressed(size, &rle.compressed()).unwrap(), rle);
            let area = inside.iter().map(|&v| u64::from(v)).sum::<u64>();
            assert_eq!((rle.area_px(), rle.common_px(&rle).unwrap()), (area, area));
        }
    }

    #[test]
    fn a_mask_is_written_into_a_grey_image_of_its_own_size() {
        let rle = Rle::encode(size(3, 2), &[0, 1, 1, 0, 0, 1]).unwrap();
        let mut bytes = [7u8; 8];
        let layout = Layout::new(size(3, 2), PixelFormat::Gray8, -4).unwrap();
        rle.write(FrameViewMut::new(layout, &mut bytes).unwrap()).unwrap();
        assert_eq!(bytes, [0, 0, 255, 7, 0, 255, 255, 7]);
        for (other, format) in [(size(2, 3), PixelFormat::Gray8), (size(3, 2), PixelFormat::Rgb8)] {
            let mut bytes = [7u8; 18];
            let image = FrameViewMut::new(Layout::packed(other, format), &mut bytes).unwrap();
            assert!(rle.write(image).is_err());
            assert_eq!(bytes, [7; 18]);
        }
    }

    #[test]
    fn what_two_masks_share_is_counted_without_decoding() {
        let a = Rle::encode(size(4, 2), &[0, 1, 1, 0, 0, 0, 1, 1]).unwrap();
        let b = Rle::encode(size(4, 2), &[1, 1, 0, 0, 0, 0, 1, 0]).unwrap();
        assert_eq!((a.common_px(&b).unwrap(), b.common_px(&a).unwrap()), (2, 2));
        assert!(a.common_px(&Rle::encode(size(2, 4), &[0; 8]).unwrap()).is_err());
    }

    #[test]
    fn lengths_of_nothing_between_others_are_joined() {
        let rle = Rle::from_counts(size(4, 2), &[0, 0, 3, 2, 0, 1, 2]).unwrap();
        assert_eq!(rle.counts(), [3, 3, 2]);
        assert_eq!(rle, Rle::encode(size(4, 2), &rle.decode()).unwrap());
    }

    #[test]
    fn lengths_that_do_not_sum_up_to_the_area_are_refused_before_anything_is_allocated() {
        let (vast, wide) = (size(16384, 16384), size(4, 2));
        let short = "frame: the run lengths: they sum up to 3, expected 8 for 4x2";
        assert_eq!(said(Rle::from_counts(wide, &[1, 2])), short);
        assert_eq!(
            said(Rle::from_counts(wide, &[1, u32::MAX])),
            "frame: the run lengths: number 1 is 4294967295, expected 0 to the 7 pixels left of 4x2"
        );
        assert!(said(Rle::from_counts(vast, &[])).ends_with("expected 268435456 for 16384x16384"));
        assert!(said(Rle::from_compressed(vast, "")).ends_with("expected 268435456 for 16384x16384"));
    }

    #[test]
    fn text_that_is_not_cocos_is_refused_with_the_place() {
        let read = |text: &str| said(Rle::from_compressed(size(4, 2), text));
        assert_eq!(read("1 1"), "frame: the run lengths: at character 1 it has none of COCO's");
        assert_eq!(read("1\u{e9}"), "frame: the run lengths: at character 1 it has none of COCO's");
        assert_eq!(
            read("oooooooo0"),
            "frame: the run lengths: at character 7 a length goes on beyond 35 bits"
        );
        assert_eq!(read("1o"), "frame: the run lengths: its last length has no end");
        assert!(read("O").contains("number 0 is -1"));
    }

    #[test]
    fn any_text_is_answered() {
        let mut random = crate::mask::goldens::Random(11);
        for _ in 0..2000 {
            let text: String =
                (0..random.below(12)).map(|_| char::from(40 + random.below(80) as u8)).collect();
            if let Ok(rle) = Rle::from_compressed(size(5, 3), &text) {
                assert_eq!(rle.decode().len(), 15);
            }
        }
    }
}
