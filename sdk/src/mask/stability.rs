//! What a mask measures: its area, the box around it, and how little it would change were the threshold
//! another.

use super::LogitPlane;
use super::enlarge::Enlarge;
use crate::frame::Size;

/// A box of whole pixels. The first corner is inside, the second is one past the last column and row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// The first column.
    pub x0_px: u32,
    /// The first row.
    pub y0_px: u32,
    /// One past the last column.
    pub x1_px: u32,
    /// One past the last row.
    pub y1_px: u32,
}

impl Bounds {
    /// Columns.
    pub fn width_px(&self) -> u32 {
        self.x1_px - self.x0_px
    }

    /// Rows.
    pub fn height_px(&self) -> u32 {
        self.y1_px - self.y0_px
    }
}

/// A mask at the frame's size, measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shape {
    /// Pixels above the threshold.
    pub area_px: u64,
    /// The box around them; `None` if there are none.
    pub bounds: Option<Bounds>,
    /// Pixels above the threshold raised by the offset, divided by those above it lowered by the offset: the
    /// overlap of a strict and a generous mask (`calculate_stability_score` of the reference). 1 is a steep
    /// edge. Where even the generous mask is empty it is 0, in place of the reference's 0/0.
    pub stability: f32,
}

/// The reference's `mask_threshold`.
pub const MASK_THRESHOLD: f32 = 0.0;
/// The reference's `stability_score_offset`.
pub const STABILITY_SCORE_OFFSET: f32 = 1.0;

impl LogitPlane {
    /// Measures the mask that the plane gives on a frame of this size, enlarged as by [`LogitPlane::write`], with
    /// the reference's threshold and offset: [`MASK_THRESHOLD`], [`STABILITY_SCORE_OFFSET`].
    pub fn shape(&self, frame: Size) -> Shape {
        self.shape_at(frame, MASK_THRESHOLD, STABILITY_SCORE_OFFSET)
    }

    /// As [`LogitPlane::shape`], with the threshold and the offset that are given.
    pub fn shape_at(&self, frame: Size, mask_threshold: f32, stability_score_offset: f32) -> Shape {
        let mut tally = Tally::new(mask_threshold, stability_score_offset);
        if frame == self.size {
            self.values.chunks_exact(frame.width()).for_each(|row| tally.row(row));
            return tally.shape();
        }
        let enlarge = Enlarge::new(self, frame);
        let mut line = vec![0.0; frame.width()];
        for y in 0..frame.height() {
            enlarge.row(y, &mut line);
            tally.row(&line);
        }
        tally.shape()
    }
}

/// A mask measured row by row.
pub(super) struct Tally {
    threshold: f32,
    strict: f32,
    generous: f32,
    rows: u32,
    area: u64,
    inner: u64,
    outer: u64,
    bounds: Option<Bounds>,
}

impl Tally {
    pub(super) fn new(threshold: f32, offset: f32) -> Self {
        let (strict, generous) = (threshold + offset, threshold - offset);
        Self { threshold, strict, generous, rows: 0, area: 0, inner: 0, outer: 0, bounds: None }
    }

    /// The next row, from the top.
    pub(super) fn row(&mut self, line: &[f32]) {
        let count = |limit: f32| line.iter().map(|&v| u32::from(v > limit)).sum::<u32>();
        let area = count(self.threshold);
        self.area += u64::from(area);
        self.inner += u64::from(count(self.strict));
        self.outer += u64::from(count(self.generous));
        let (y, inside) = (self.rows, |v: &f32| *v > self.threshold);
        self.rows += 1;
        if area == 0 {
            return;
        }
        let first = line.iter().position(inside).unwrap_or(0) as u32;
        let end = line.iter().rposition(inside).map_or(0, |last| last as u32 + 1);
        let b = self.bounds.get_or_insert(Bounds { x0_px: first, y0_px: y, x1_px: end, y1_px: y + 1 });
        *b = Bounds { x0_px: b.x0_px.min(first), y0_px: b.y0_px, x1_px: b.x1_px.max(end), y1_px: y + 1 };
    }

    pub(super) fn shape(&self) -> Shape {
        let stability = if self.outer > 0 { self.inner as f32 / self.outer as f32 } else { 0.0 };
        Shape { area_px: self.area, bounds: self.bounds, stability }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size(width: u32, height: u32) -> Size {
        Size::new(width, height).unwrap()
    }

    #[test]
    fn a_wide_mask_has_its_area_its_box_and_its_stability() {
        let mut values = vec![-5.0; 7 * 3];
        values[7 + 4] = 3.0;
        values[7 + 5] = 0.5;
        values[14 + 2] = 3.0;
        values[0] = -0.5;
        let shape = LogitPlane { size: size(7, 3), values }.shape(size(7, 3));
        let bounds = Bounds { x0_px: 2, y0_px: 1, x1_px: 6, y1_px: 3 };
        assert_eq!(shape, Shape { area_px: 3, bounds: Some(bounds), stability: 0.5 });
    }

    #[test]
    fn a_mask_is_measured_at_the_size_of_the_frame() {
        let plane = LogitPlane { size: size(2, 2), values: vec![-3.0, 1.0, -3.0, 1.0] };
        let shape = plane.shape(size(8, 3));
        let area = plane.binary(size(8, 3)).iter().map(|&v| u64::from(v)).sum::<u64>();
        assert_eq!((shape.area_px, area), (9, 9));
        assert_eq!(shape.bounds, Some(Bounds { x0_px: 5, y0_px: 0, x1_px: 8, y1_px: 3 }));
    }

    #[test]
    fn an_empty_mask_has_no_box_and_no_stability() {
        let shape = LogitPlane { size: size(1, 1), values: vec![-1024.0] }.shape(size(5, 3));
        assert_eq!(shape, Shape { area_px: 0, bounds: None, stability: 0.0 });
    }

    #[test]
    fn threshold_and_offset_move_what_counts() {
        let plane = LogitPlane { size: size(4, 1), values: vec![0.0, 1.0, 2.0, 3.0] };
        let shape = plane.shape_at(size(4, 1), 1.5, 0.75);
        assert_eq!((shape.area_px, shape.stability), (2, 1.0 / 3.0));
    }
}
