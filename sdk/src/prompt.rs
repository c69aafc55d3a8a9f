//! What the artist says about an object on a frame: clicks, a box, a mask, all in the frame's pixels.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::frame::{FrameView, Size, channel};

/// The longest list of clicks that one frame takes. SAM 2 was trained with up to eight; the decoder's cost
/// grows with each.
pub const MAX_CLICKS: usize = 256;

/// A place in the frame. (0, 0) is the top left pixel, as SAM 2 counts: the model adds half a pixel itself.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Click {
    /// Pixels from the left, from 0 to below the width.
    pub x_px: f32,
    /// Pixels from the top, from 0 to below the height.
    pub y_px: f32,
    /// `true` for a place on the object, `false` for one that is not.
    pub positive: bool,
}

/// A rectangle around the object, its corners in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Box {
    /// Left edge.
    pub x0_px: f32,
    /// Top edge.
    pub y0_px: f32,
    /// Right edge, right of the left one.
    pub x1_px: f32,
    /// Bottom edge, below the top one.
    pub y1_px: f32,
}

/// A mask drawn or computed elsewhere, one byte a pixel, 1 where the object is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mask {
    pub(crate) size: Size,
    pub(crate) inside: Vec<u8>,
}

impl Click {
    pub(crate) fn check(&self, frame: Size) -> Result<()> {
        let (w, h) = (frame.width_px as f32, frame.height_px as f32);
        if (0.0..w).contains(&self.x_px) && (0.0..h).contains(&self.y_px) {
            return Ok(());
        }
        Err(Error::Prompt(format!(
            "the click is at {}, {}, expected 0 to below {} across and 0 to below {} down",
            self.x_px, self.y_px, frame.width_px, frame.height_px
        )))
    }
}

impl Box {
    pub(crate) fn check(&self, frame: Size) -> Result<()> {
        let Self { x0_px, y0_px, x1_px, y1_px } = *self;
        let said = format!("the box is {x0_px}, {y0_px} to {x1_px}, {y1_px}");
        if !(x1_px > x0_px && y1_px > y0_px) {
            return Err(Error::Prompt(format!(
                "{said}, expected its second corner right of and below its first"
            )));
        }
        let (w, h) = (frame.width_px as f32, frame.height_px as f32);
        if x0_px < 0.0 || y0_px < 0.0 || x1_px > w || y1_px > h {
            return Err(Error::Prompt(format!("{said}, expected corners within 0, 0 to {w}, {h}")));
        }
        Ok(())
    }
}

impl Mask {
    /// Reads a mask: grey above half, or the alpha of a format that has one, is inside.
    ///
    /// # Errors
    /// [`Error::Prompt`] if its size is not the frame's.
    pub(crate) fn read(view: FrameView<'_>, frame: Size) -> Result<Self> {
        if view.size() != frame {
            return Err(Error::Prompt(format!("the mask is {}, expected the frame's {frame}", view.size())));
        }
        let format = view.format();
        let (count, depth) = (format.channel_count(), format.depth());
        let at = match format.alpha_offset() {
            Some(alpha) => alpha,
            None if count == 1 => 0,
            None => {
                return Err(Error::Prompt(format!(
                    "the mask has the format {format:?}, expected grey, or a format with alpha"
                )));
            }
        };
        let mut inside = Vec::with_capacity(frame.area_px());
        for row in (0..frame.height()).map(|y| view.row(y)) {
            inside.extend((0..frame.width()).map(|x| u8::from(channel(row, depth, x * count + at) > 0.5)));
        }
        Ok(Self { size: frame, inside })
    }
}

/// All that was said about one object on one frame.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct FramePrompts {
    /// Answered before the points, which refine its answer, as in the reference.
    pub(crate) mask: Option<Arc<Mask>>,
    pub(crate) bounds: Option<Box>,
    pub(crate) clicks: Vec<Click>,
}

/// SAM 2's point labels: what a coordinate pair stands for.
mod label {
    pub(super) const NEGATIVE: i64 = 0;
    pub(super) const POSITIVE: i64 = 1;
    pub(super) const BOX_FIRST: i64 = 2;
    pub(super) const BOX_SECOND: i64 = 3;
    pub(super) const PADDING: i64 = -1;
}

/// Points as the mask decoder takes them: in pixels of its square, the box's corners first.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct EncodedPoints {
    /// `[P, 2]`, x before y.
    pub(crate) coordinates: Vec<f32>,
    /// `[P]`
    pub(crate) labels: Vec<i64>,
    /// Points that were given; the padding does not count.
    pub(crate) given: usize,
}

impl EncodedPoints {
    /// No points at all: one padding point stands in, as in `_forward_sam_heads`.
    pub(crate) fn none() -> Self {
        Self { coordinates: vec![0.0, 0.0], labels: vec![label::PADDING], given: 0 }
    }
}

impl FramePrompts {
    pub(crate) fn has_points(&self) -> bool {
        self.bounds.is_some() || !self.clicks.is_empty()
    }

    /// `square` is the encoder's side in pixels.
    pub(crate) fn encode_points(&self, frame: Size, square: usize) -> EncodedPoints {
        let mut points = EncodedPoints { coordinates: Vec::new(), labels: Vec::new(), given: 0 };
        let mut push = |x_px: f32, y_px: f32, label: i64| {
            points.coordinates.push(x_px / frame.width_px as f32 * square as f32);
            points.coordinates.push(y_px / frame.height_px as f32 * square as f32);
            points.labels.push(label);
            points.given += 1;
        };
        if let Some(b) = self.bounds {
            push(b.x0_px, b.y0_px, label::BOX_FIRST);
            push(b.x1_px, b.y1_px, label::BOX_SECOND);
        }
        for click in &self.clicks {
            push(click.x_px, click.y_px, if click.positive { label::POSITIVE } else { label::NEGATIVE });
        }
        if points.given == 0 { EncodedPoints::none() } else { points }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::{Layout, PixelFormat};

    fn wide() -> Size {
        Size::new(1921, 801).unwrap()
    }

    #[test]
    fn a_click_keeps_its_place_in_a_wide_odd_frame() {
        let prompts = FramePrompts {
            clicks: vec![Click { x_px: 480.25, y_px: 600.75, positive: false }],
            ..FramePrompts::default()
        };
        let points = prompts.encode_points(wide(), 1024);
        assert_eq!(points.coordinates, [256.0, 768.0]);
        assert_eq!(points.labels, [0]);
    }

    #[test]
    fn the_corners_of_a_box_come_before_the_clicks() {
        let prompts = FramePrompts {
            clicks: vec![Click { x_px: 1.0, y_px: 1.0, positive: true }],
            bounds: Some(Box { x0_px: 0.0, y0_px: 0.0, x1_px: 4.0, y1_px: 2.0 }),
            ..FramePrompts::default()
        };
        let points = prompts.encode_points(Size::new(4, 2).unwrap(), 256);
        assert_eq!(points.labels, [2, 3, 1]);
        assert_eq!(points.coordinates, [0.0, 0.0, 256.0, 256.0, 64.0, 128.0]);
    }

    #[test]
    fn without_points_one_padding_point_stands_in() {
        let points = FramePrompts::default().encode_points(wide(), 256);
        assert_eq!((points.labels, points.given), (vec![-1], 0));
    }

    #[test]
    fn a_click_outside_the_frame_is_refused_with_the_range() {
        for (x_px, y_px) in [(-0.5, 3.0), (1921.0, 3.0), (3.0, 801.0), (f32::NAN, 3.0), (3.0, f32::INFINITY)]
        {
            let said = Click { x_px, y_px, positive: true }.check(wide()).unwrap_err().to_string();
            assert!(said.ends_with("expected 0 to below 1921 across and 0 to below 801 down"), "{said}");
        }
    }

    #[test]
    fn a_box_without_area_or_outside_the_frame_is_refused() {
        let bounds = |x0_px, y0_px, x1_px, y1_px| Box { x0_px, y0_px, x1_px, y1_px }.check(wide());
        assert!(bounds(0.0, 0.0, 1921.0, 801.0).is_ok());
        assert_eq!(
            bounds(5.0, 5.0, 5.0, 9.0).unwrap_err().to_string(),
            "prompt: the box is 5, 5 to 5, 9, expected its second corner right of and below its first"
        );
        assert!(bounds(5.0, 5.0, f32::NAN, 9.0).is_err());
        assert!(bounds(5.0, 5.0, 9.0, 802.0).unwrap_err().to_string().ends_with("within 0, 0 to 1921, 801"));
    }

    #[test]
    fn a_mask_of_another_size_is_refused_with_both_sizes() {
        let size = Size::new(3, 2).unwrap();
        let view = FrameView::new(Layout::packed(size, PixelFormat::Gray8), &[0; 6]).unwrap();
        let said = Mask::read(view, wide()).unwrap_err().to_string();
        assert_eq!(said, "prompt: the mask is 3x2, expected the frame's 1921x801");
    }

    #[test]
    fn a_mask_is_read_from_grey_above_half_or_from_alpha() {
        let size = Size::new(2, 1).unwrap();
        let read = |format, bytes: &[u8]| {
            Mask::read(FrameView::new(Layout::packed(size, format), bytes).unwrap(), size).map(|m| m.inside)
        };
        assert_eq!(read(PixelFormat::Gray8, &[127, 128]).unwrap(), [0, 1]);
        assert_eq!(read(PixelFormat::Bgra8, &[255, 255, 255, 0, 0, 0, 0, 255]).unwrap(), [0, 1]);
        assert!(read(PixelFormat::Rgb8, &[0; 6]).is_err());
    }
}
