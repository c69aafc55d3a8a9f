//! Host pixels: depths, components, premultiplied alpha, and the place of an image in its frame.

use rayon::prelude::*;
use rotomask::frame::{
    Channels, FrameView, FrameViewMut, Layout, PixelFormat, Size, channel, is_opaque_row, put_channel,
};

use crate::Result;

/// Whole pixels, y upwards as OpenFX has it; `x2` and `y2` lie beyond the last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "names say it")]
pub struct Rect {
    pub x1: i32,
    pub y1: i32,
    pub x2: i32,
    pub y2: i32,
}

impl Rect {
    /// Columns and rows, if there are any.
    ///
    /// # Errors
    /// If a side is empty or beyond what the engine takes.
    pub fn size(self) -> Result<Size> {
        let side = |a: i32, b: i32| u32::try_from(i64::from(b) - i64::from(a)).unwrap_or(0);
        Ok(Size::new(side(self.x1, self.x2), side(self.y1, self.y2))?)
    }

    /// What both cover; empty if nothing.
    pub fn meet(self, other: Self) -> Self {
        let (x1, y1) = (self.x1.max(other.x1), self.y1.max(other.y1));
        Self { x1, y1, x2: self.x2.min(other.x2).max(x1), y2: self.y2.min(other.y2).max(y1) }
    }

    /// Whether it has no pixel.
    pub fn is_empty(self) -> bool {
        self.x2 <= self.x1 || self.y2 <= self.y1
    }

    /// Whether all of `other` lies in it.
    pub fn holds(self, other: Self) -> bool {
        self.meet(other) == other
    }

    /// The column and the row from the top at which `inner` begins.
    pub fn inset(self, inner: Self) -> [u32; 2] {
        let part = |v: i64| u32::try_from(v).unwrap_or(0);
        [part(i64::from(inner.x1) - i64::from(self.x1)), part(i64::from(self.y2) - i64::from(inner.y2))]
    }
}

/// How an image's colour stands to its alpha.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AlphaIs {
    /// Colour as if opaque.
    Straight,
    /// Codes times alpha, as OpenFX means it.
    Premultiplied,
}

/// A host's picture and where it lies.
#[derive(Clone, Copy, Debug)]
pub struct Placed<'a> {
    /// The pixels.
    pub view: FrameView<'a>,
    /// Where they lie, in pixels of the scale that they have.
    pub bounds: Rect,
    /// Of RGBA.
    pub alpha: AlphaIs,
}

/// A picture of our own, rows packed, the top row first.
#[derive(Clone, Debug)]
pub struct Owned {
    layout: Layout,
    bytes: Vec<u64>,
}

impl Owned {
    /// Black, and transparent where there is alpha.
    pub fn new(size: Size, format: PixelFormat) -> Self {
        let layout = Layout::packed(size, format);
        Self { layout, bytes: vec![0; layout.span_bytes().div_ceil(8)] }
    }

    /// To read.
    ///
    /// # Errors
    /// Never: the bytes fit the layout.
    pub fn view(&self) -> Result<FrameView<'_>> {
        Ok(FrameView::new(self.layout, &bytes_of(&self.bytes)[..self.layout.span_bytes()])?)
    }

    /// To write.
    ///
    /// # Errors
    /// Never: the bytes fit the layout.
    pub fn view_mut(&mut self) -> Result<FrameViewMut<'_>> {
        let span = self.layout.span_bytes();
        Ok(FrameViewMut::new(self.layout, &mut bytes_of_mut(&mut self.bytes)[..span])?)
    }
}

fn bytes_of(words: &[u64]) -> &[u8] {
    // SAFETY: any byte of an integer is a byte, and the length is the same memory's.
    unsafe { std::slice::from_raw_parts(words.as_ptr().cast(), size_of_val(words)) }
}

fn bytes_of_mut(words: &mut [u64]) -> &mut [u8] {
    // SAFETY: as above, and any bytes make an integer.
    unsafe { std::slice::from_raw_parts_mut(words.as_mut_ptr().cast(), size_of_val(words)) }
}

/// The part of a picture that lies in `frame`, in a picture of the frame's size: straight alpha, of another format if
/// asked. Beyond the picture it is black and transparent.
///
/// # Errors
/// If the frame has no size.
pub fn framed(picture: Placed<'_>, frame: Rect, format: PixelFormat) -> Result<Owned> {
    let mut owned = Owned::new(frame.size()?, format);
    let shared = picture.bounds.meet(frame);
    if shared.is_empty() {
        return Ok(owned);
    }
    let (from, to) = (picture.bounds.inset(shared), frame.inset(shared));
    let size = shared.size()?;
    let source = picture.view.crop(from[0], from[1], size)?;
    let bytes = format.bytes_per_pixel();
    let (left, top) = (to[0] as usize * bytes, to[1] as usize);
    let (rows, row_bytes) = (top..top + size.height(), size.width() * bytes);
    owned.view_mut()?.par_rows_mut().filter(|(y, _)| rows.contains(y)).for_each(|(y, row)| {
        let row = &mut row[left..left + row_bytes];
        convert_row(source.row(y - top), source.format(), picture.alpha, row, format, AlphaIs::Straight);
    });
    Ok(owned)
}

/// Copies pixels of one format into those of another. A grey is red, green and blue of an opaque pixel; a picture
/// without alpha is opaque; of colour into grey, alpha is taken.
pub fn convert_row(
    from: &[u8],
    from_format: PixelFormat,
    from_alpha: AlphaIs,
    to: &mut [u8],
    to_format: PixelFormat,
    to_alpha: AlphaIs,
) {
    let has_alpha = from_format.alpha_offset().is_some();
    let same_alpha = from_alpha == to_alpha || !has_alpha;
    if from_format == to_format && same_alpha {
        let count = from.len().min(to.len());
        to[..count].copy_from_slice(&from[..count]);
        return;
    }
    let (from_depth, to_depth) = (from_format.depth(), to_format.depth());
    let from_step = from_format.bytes_per_pixel();
    for (pixel, out) in from.chunks_exact(from_step).zip(to.chunks_exact_mut(to_format.bytes_per_pixel())) {
        let alpha = from_format.alpha_offset().map_or(1.0, |at| channel(pixel, from_depth, at));
        let mut rgb = match from_format.rgb_offsets() {
            Some(at) => at.map(|at| channel(pixel, from_depth, at)),
            None => [channel(pixel, from_depth, 0); 3],
        };
        let grey = if from_format.channels() == Channels::Gray { rgb[0] } else { alpha };
        if has_alpha && from_alpha != to_alpha {
            rgb = match to_alpha {
                AlphaIs::Premultiplied => rgb.map(|v| v * alpha),
                AlphaIs::Straight if alpha > 0.0 => rgb.map(|v| v / alpha),
                AlphaIs::Straight => rgb,
            };
        }
        match to_format.rgb_offsets() {
            Some(at) => at.iter().zip(rgb).for_each(|(at, v)| put_channel(out, to_depth, *at, v)),
            None => put_channel(out, to_depth, 0, grey),
        }
        if let Some(at) = to_format.alpha_offset() {
            put_channel(out, to_depth, at, alpha);
        }
    }
}

/// Whether every pixel is opaque: straight and premultiplied are then the same.
pub fn is_opaque(picture: FrameView<'_>) -> bool {
    let format = picture.format();
    format.alpha_offset().is_none()
        || (0..picture.size().height()).into_par_iter().all(|y| is_opaque_row(picture.row(y), format))
}

/// What the model is shown: 8-bit red, green and blue. Light of a linear picture is encoded as sRGB first, because the
/// model knows pictures as screens show them.
///
/// # Errors
/// If the picture has no size.
pub fn for_model(picture: Placed<'_>, linear: bool) -> Result<Owned> {
    let size = picture.view.size();
    let mut owned = Owned::new(size, PixelFormat::Rgb8);
    let mut target = owned.view_mut()?;
    let format = picture.view.format();
    for y in 0..size.height() {
        let (row, out) = (picture.view.row(y), target.row_mut(y));
        if !linear {
            // As it is seen over black: straight or not, opaque plates are the rule.
            convert_row(row, format, AlphaIs::Straight, out, PixelFormat::Rgb8, AlphaIs::Straight);
            continue;
        }
        let pixels = row.chunks_exact(format.bytes_per_pixel());
        for (pixel, out) in pixels.zip(out.chunks_exact_mut(3)) {
            let rgb = match format.rgb_offsets() {
                Some(at) => at.map(|at| channel(pixel, format.depth(), at)),
                None => [channel(pixel, format.depth(), 0); 3],
            };
            out.iter_mut()
                .zip(rgb)
                .for_each(|(out, v)| *out = (encoded(v) * 255.0 + 0.5).clamp(0.0, 255.0) as u8);
        }
    }
    Ok(owned)
}

/// Linear light to sRGB's code.
fn encoded(light: f32) -> f32 {
    if light <= 0.003_130_8 { light * 12.92 } else { 1.055 * light.powf(1.0 / 2.4) - 0.055 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rect(x1: i32, y1: i32, x2: i32, y2: i32) -> Rect {
        Rect { x1, y1, x2, y2 }
    }

    #[test]
    fn a_picture_that_lies_apart_comes_to_its_place_with_y_upwards() {
        // One pixel at the top left of a frame of 3x2 that begins at 10, 20.
        let size = Size::new(1, 1).unwrap();
        let view = FrameView::new(Layout::packed(size, PixelFormat::Gray8), &[7]).unwrap();
        let picture = Placed { view, bounds: rect(10, 21, 11, 22), alpha: AlphaIs::Straight };
        let framed = framed(picture, rect(10, 20, 13, 22), PixelFormat::Gray8).unwrap();
        let view = framed.view().unwrap();
        assert_eq!([view.row(0), view.row(1)], [[7, 0, 0], [0, 0, 0]]);
    }

    #[test]
    fn rectangles_meet_and_an_empty_one_has_no_size() {
        let (a, b) = (rect(0, 0, 5, 3), rect(2, 1, 9, 9));
        assert_eq!(a.meet(b), rect(2, 1, 5, 3));
        assert_eq!(a.inset(a.meet(b)), [2, 0]);
        assert!(a.holds(rect(1, 1, 2, 2)) && !a.holds(b));
        assert!(a.meet(rect(7, 7, 9, 9)).is_empty());
        assert!(rect(3, 0, 3, 9).size().is_err() && rect(i32::MIN, 0, i32::MAX, 9).size().is_err());
    }

    #[test]
    fn alpha_is_taken_off_and_put_on_again() {
        let (from, mut straight, mut back) = ([50u8, 25, 0, 128], [0; 4], [0; 4]);
        let rgba = PixelFormat::Rgba8;
        convert_row(&from, rgba, AlphaIs::Premultiplied, &mut straight, rgba, AlphaIs::Straight);
        assert_eq!(straight, [100, 50, 0, 128]);
        convert_row(&straight, rgba, AlphaIs::Straight, &mut back, rgba, AlphaIs::Premultiplied);
        assert_eq!(back, from);
    }

    #[test]
    fn depths_and_components_are_changed_by_value() {
        let from: Vec<u8> = [0.5f32, 1.5, -1.0, 0.25].iter().flat_map(|v| v.to_ne_bytes()).collect();
        let (mut rgb, mut grey) = ([0; 3], [0; 2]);
        let straight = AlphaIs::Straight;
        convert_row(&from, PixelFormat::RgbaF32, straight, &mut rgb, PixelFormat::Rgb8, straight);
        assert_eq!(rgb, [128, 255, 0]);
        convert_row(&from, PixelFormat::RgbaF32, straight, &mut grey, PixelFormat::Gray16, straight);
        assert_eq!(u16::from_ne_bytes(grey), 16384);
    }

    #[test]
    fn light_is_shown_to_the_model_as_screens_show_it() {
        let bytes: Vec<u8> = [0.2158605f32, 0.0, 1.0].iter().flat_map(|v| v.to_ne_bytes()).collect();
        let size = Size::new(1, 1).unwrap();
        let mut owned = Owned::new(size, PixelFormat::RgbF32);
        owned.view_mut().unwrap().row_mut(0).copy_from_slice(&bytes);
        let view = owned.view().unwrap();
        let picture = Placed { view, bounds: rect(0, 0, 1, 1), alpha: AlphaIs::Straight };
        assert_eq!(for_model(picture, true).unwrap().view().unwrap().row(0), [128, 0, 255]);
        assert_eq!(for_model(picture, false).unwrap().view().unwrap().row(0), [55, 0, 255]);
    }
}
