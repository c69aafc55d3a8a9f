//! From the decoder's logits to masks at the host's size.

mod pick;
mod enlarge;
mod components;
mod overlap;
mod stability;
pub mod rle;
#[cfg(test)]
pub(crate) mod goldens;

pub use components::Cleaning;
pub use overlap::{Owners, constrain_overlap};
pub use rle::Rle;
pub use stability::{Bounds, MASK_THRESHOLD, STABILITY_SCORE_OFFSET, Shape};

pub(crate) use components::{Components, reference_hole_area};
pub(crate) use pick::pick;

use crate::error::{Error, Result};
use crate::frame::{FrameViewMut, Layout, PixelFormat, Size};
use enlarge::Enlarge;

/// A plane of mask logits, row by row. Above 0: the object. It covers the whole frame, whatever its own size.
#[derive(Clone, Debug, PartialEq)]
pub struct LogitPlane {
    /// Columns and rows of the plane, not of the frame.
    pub size: Size,
    /// `[height, width]`
    pub values: Vec<f32>,
}

/// What is written into the host's image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// The plane as it is, `GrayF32`, of the plane's own size.
    Logits,
    /// How likely a pixel is the object's: the sigmoid of the logits, `Gray8` or `GrayF32`.
    Coverage,
    /// The object or not: `Gray8` 0 or 255, or `GrayF32` 0 or 1.
    Binary,
}

impl LogitPlane {
    /// Writes the mask into the host's image, bilinearly enlarged to its size (`align_corners` false, as the
    /// reference does).
    ///
    /// # Errors
    /// [`Error::Frame`] if the image's format can't hold what is wanted, or for logits its size is not the
    /// plane's; nothing is written then.
    pub fn write(&self, wanted: Wanted, image: FrameViewMut<'_>) -> Result<()> {
        self.write_changed(wanted, image, |_, _| {})
    }

    /// As [`LogitPlane::write`], for the object of this index among several that may not overlap.
    ///
    /// # Errors
    /// As [`LogitPlane::write`], and [`Error::Frame`] if the owners are those of another size.
    pub fn write_apart(
        &self,
        wanted: Wanted,
        image: FrameViewMut<'_>,
        owners: &Owners,
        index: usize,
    ) -> Result<()> {
        if owners.size() != image.size() {
            let (found, want) = (image.size(), owners.size());
            return Err(Error::Frame(format!("the mask's image is {found}, expected the owners' {want}")));
        }
        self.write_changed(wanted, image, |y, line| owners.suppress_others(index, y, line))
    }

    fn write_changed(
        &self,
        wanted: Wanted,
        mut image: FrameViewMut<'_>,
        change: impl Fn(usize, &mut [f32]),
    ) -> Result<()> {
        let (size, format) = (image.size(), image.format());
        let fits = match wanted {
            Wanted::Logits => format == PixelFormat::GrayF32,
            Wanted::Coverage | Wanted::Binary => matches!(format, PixelFormat::Gray8 | PixelFormat::GrayF32),
        };
        if !fits {
            return Err(Error::Frame(format!(
                "the mask's image has the format {format:?}, expected a grey one"
            )));
        }
        if wanted == Wanted::Logits && size != self.size {
            return Err(Error::Frame(format!("the logits' image is {size}, expected {}", self.size)));
        }
        let enlarge = Enlarge::new(self, size);
        let mut line = vec![0.0; size.width()];
        for y in 0..size.height() {
            enlarge.row(y, &mut line);
            change(y, &mut line);
            let row = image.row_mut(y);
            match (wanted, format) {
                (Wanted::Binary, PixelFormat::Gray8) => {
                    row.iter_mut().zip(&line).for_each(|(out, v)| *out = if *v > 0.0 { 255 } else { 0 });
                    continue;
                }
                (Wanted::Binary, _) => line.iter_mut().for_each(|v| *v = if *v > 0.0 { 1.0 } else { 0.0 }),
                (Wanted::Coverage, _) => line.iter_mut().for_each(|v| *v = 1.0 / (1.0 + (-*v).exp())),
                (Wanted::Logits, _) => {}
            }
            if format == PixelFormat::Gray8 {
                row.iter_mut().zip(&line).for_each(|(out, v)| *out = (v * 255.0 + 0.5) as u8);
            } else {
                row.copy_from_slice(bytemuck::cast_slice(&line));
            }
        }
        Ok(())
    }

    /// Whether each pixel of a frame is the object's, 1 or 0, row by row.
    pub fn binary(&self, frame: Size) -> Vec<u8> {
        let mut inside = vec![0; frame.area_px()];
        FrameViewMut::new(Layout::packed(frame, PixelFormat::Gray8), &mut inside)
            .and_then(|image| self.write(Wanted::Binary, image))
            .expect("a packed grey image of the frame's own size takes any mask");
        inside.iter_mut().for_each(|pixel| *pixel = u8::from(*pixel > 0));
        inside
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plane() -> LogitPlane {
        LogitPlane { size: Size::new(2, 2).unwrap(), values: vec![-3.0, 1.0, -3.0, 1.0] }
    }

    #[test]
    fn the_contour_falls_where_the_logits_cross_zero_between_pixels() {
        assert_eq!(plane().binary(Size::new(8, 3).unwrap()), [0, 0, 0, 0, 0, 1, 1, 1].repeat(3));
    }

    #[test]
    fn logits_come_back_as_they_are() {
        let mut out = [0f32; 4];
        let layout = Layout::packed(plane().size, PixelFormat::GrayF32);
        let image = FrameViewMut::new(layout, bytemuck::cast_slice_mut(&mut out)).unwrap();
        plane().write(Wanted::Logits, image).unwrap();
        assert_eq!(out.as_slice(), plane().values);
    }

    #[test]
    fn a_padded_bottom_up_image_gets_its_rows_and_keeps_its_padding() {
        let size = Size::new(3, 2).unwrap();
        let mut bytes = vec![7u8; 8];
        let layout = Layout::new(size, PixelFormat::Gray8, -4).unwrap();
        plane().write(Wanted::Binary, FrameViewMut::new(layout, &mut bytes).unwrap()).unwrap();
        assert_eq!(bytes, [0, 0, 255, 7, 0, 0, 255, 7]);
    }

    #[test]
    fn coverage_is_a_half_on_the_contour() {
        let plane = LogitPlane { size: Size::new(1, 1).unwrap(), values: vec![0.0] };
        let mut out = [0f32; 2];
        let layout = Layout::packed(Size::new(2, 1).unwrap(), PixelFormat::GrayF32);
        plane
            .write(Wanted::Coverage, FrameViewMut::new(layout, bytemuck::cast_slice_mut(&mut out)).unwrap())
            .unwrap();
        assert_eq!(out, [0.5, 0.5]);
    }

    #[test]
    fn an_image_that_cannot_hold_the_mask_is_refused_and_untouched() {
        let mut bytes = vec![7u8; 16];
        let layout = Layout::packed(plane().size, PixelFormat::Rgba8);
        let said = plane().write(Wanted::Binary, FrameViewMut::new(layout, &mut bytes).unwrap()).unwrap_err();
        assert_eq!(said.to_string(), "frame: the mask's image has the format Rgba8, expected a grey one");
        let layout = Layout::packed(Size::new(2, 1).unwrap(), PixelFormat::GrayF32);
        assert!(plane().write(Wanted::Logits, FrameViewMut::new(layout, &mut bytes).unwrap()).is_err());
        assert_eq!(bytes, [7; 16]);
    }
}
