//! Where coverage passes one half: marching squares with linear interpolation.
//!
//! A sample stands at its pixel's centre, and beyond the frame coverage is 0, so that every contour is closed and a
//! subject that fills the frame has the frame's edge for its contour. Contours run with the inside on their right:
//! outer ones clockwise on the screen, holes counter-clockwise. In a saddle, two inside corners across from each
//! other, the mean of the four samples decides whether they are joined.
//!
//! Lorensen and Cline, "Marching Cubes" (1987), in two dimensions; the rule for saddles is Nielson and Hamann's
//! asymptotic decider (1991) with the mean in place of the saddle's own value.

use glam::{DVec2, Vec2};
use half::f16;

use super::{feather, polygon};
use crate::error::{Error, Result};
use crate::frame::{Channels, FrameView, channel};

/// Coverage on the contour.
pub(super) const LEVEL: f32 = 0.5;
/// Vertices of the longest contour that is taken: beyond it there is noise, not an object.
const MOST_VERTICES: usize = 1 << 20;
/// Contours that are kept of a frame, the largest ones.
const MOST_CONTOURS: usize = 256;

/// A frame's coverage with a row or column of nothing on each side.
pub(super) struct Plane {
    /// Columns and rows, with those around the frame.
    columns: usize,
    rows: usize,
    values: Vec<f32>,
}

/// A contour with the edge's softness.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Outline {
    /// Closed: the last vertex is joined to the first.
    pub(super) vertices: Vec<Vec2>,
    /// How far from each vertex coverage reaches 0.9 inside and 0.1 outside, in pixels.
    pub(super) widths: Vec<[f16; 2]>,
    /// In square pixels; negative for a hole.
    pub(super) area_px2: f64,
    /// How many other contours lie around it.
    pub(super) depth: u32,
}

impl Plane {
    /// Copies a frame's coverage.
    ///
    /// # Errors
    /// [`Error::Frame`] for colour, or for a value that is not finite.
    pub(super) fn read(coverage: FrameView<'_>) -> Result<Self> {
        let (format, size) = (coverage.format(), coverage.size());
        if format.channels() != Channels::Gray {
            return Err(Error::Frame(format!("the coverage is {format:?}, expected one channel")));
        }
        let (columns, rows) = (size.width() + 2, size.height() + 2);
        let mut values = vec![0.0; columns * rows];
        for y in 0..size.height() {
            let row = coverage.row(y);
            let target = &mut values[(y + 1) * columns + 1..][..size.width()];
            for (x, value) in target.iter_mut().enumerate() {
                let read = channel(row, format.depth(), x);
                if !read.is_finite() {
                    return Err(Error::Frame(format!(
                        "the coverage of pixel {x}, {y} is {read}, expected 0 to 1"
                    )));
                }
                *value = read.clamp(0.0, 1.0);
            }
        }
        Ok(Self { columns, rows, values })
    }

    /// Between pixels, bilinear; 0 beyond the frame.
    pub(super) fn at(&self, place: DVec2) -> f32 {
        let last = DVec2::new((self.columns - 1) as f64, (self.rows - 1) as f64);
        let grid = place + 0.5;
        if !(grid.cmpge(DVec2::ZERO).all() && grid.cmplt(last).all()) {
            return 0.0;
        }
        let (x, y) = (grid.x as usize, grid.y as usize);
        let (u, v) = ((grid.x - x as f64) as f32, (grid.y - y as f64) as f32);
        let row = |y: usize| self.value(x, y) * (1.0 - u) + self.value(x + 1, y) * u;
        row(y) * (1.0 - v) + row(y + 1) * v
    }

    fn value(&self, x: usize, y: usize) -> f32 {
        self.values[y * self.columns + x]
    }

    fn inside(&self, (x, y): (usize, usize)) -> bool {
        self.value(x, y) >= LEVEL
    }

    /// Where coverage passes one half between two neighbours, of which `to` is inside and `from` is not.
    fn crossing(&self, from: (usize, usize), to: (usize, usize)) -> Vec2 {
        let (a, b) = (self.value(from.0, from.1), self.value(to.0, to.1));
        let t = (LEVEL - a) / (b - a);
        let [from, to] = [from, to].map(|(x, y)| Vec2::new(x as f32 - 0.5, y as f32 - 0.5));
        from.lerp(to, t)
    }
}

/// A way across a cell's edge: north, east, south, west.
type Way = usize;
const NORTH: Way = 0;

/// The cell's corners as seen by who enters it: left and right of the edge that was crossed, then left and right far
/// ahead.
fn corners((x, y): (usize, usize), way: Way) -> [(usize, usize); 4] {
    let [top_left, top_right, bottom_right, bottom_left] = [(x, y), (x + 1, y), (x + 1, y + 1), (x, y + 1)];
    match way {
        NORTH => [bottom_left, bottom_right, top_left, top_right],
        1 => [top_left, bottom_left, top_right, bottom_right],
        2 => [top_right, top_left, bottom_right, bottom_left],
        _ => [bottom_right, top_right, bottom_left, top_left],
    }
}

/// A frame's contours that enclose at least `least_area_px2`, the largest first.
///
/// # Errors
/// [`Error::Frame`] for a contour of more than a million vertices.
pub(super) fn outlines(plane: &Plane, least_area_px2: f64) -> Result<Vec<Outline>> {
    let mut seen = vec![false; plane.columns * plane.rows];
    let mut found: Vec<(f64, Vec<Vec2>)> = Vec::new();
    // Every closed contour passes some edge northwards, between an outside pixel and an inside one to its right.
    for y in 1..plane.rows - 1 {
        for x in 0..plane.columns - 1 {
            if plane.inside((x, y)) || !plane.inside((x + 1, y)) || seen[y * plane.columns + x] {
                continue;
            }
            let vertices = follow(plane, (x, y), &mut seen)?;
            let area = polygon::area(&vertices);
            if vertices.len() >= 3 && area.abs() >= least_area_px2.max(f64::MIN_POSITIVE) {
                found.push((area, vertices));
            }
        }
        if found.len() > 4 * MOST_CONTOURS {
            largest(&mut found);
        }
    }
    largest(&mut found);
    let depth = |index: usize| {
        let place = found[index].1[0];
        // A contour lies only within larger ones, and those come before it.
        found[..index].iter().filter(|(_, around)| polygon::contains(around, place)).count() as u32
    };
    let depths: Vec<u32> = (0..found.len()).map(depth).collect();
    Ok(found
        .into_iter()
        .zip(depths)
        .map(|((area_px2, vertices), depth)| {
            let widths = feather::widths(plane, &vertices);
            Outline { vertices, widths, area_px2, depth }
        })
        .collect())
}

fn largest(found: &mut Vec<(f64, Vec<Vec2>)>) {
    found.sort_by(|a, b| b.0.abs().total_cmp(&a.0.abs()));
    found.truncate(MOST_CONTOURS);
}

/// Follows the contour that passes northwards between the sample `start` and the one to its right.
fn follow(plane: &Plane, start: (usize, usize), seen: &mut [bool]) -> Result<Vec<Vec2>> {
    let (first, mut way) = (start, NORTH);
    let mut cell = (start.0, start.1 - 1);
    seen[start.1 * plane.columns + start.0] = true;
    let mut vertices = vec![plane.crossing(start, (start.0 + 1, start.1))];
    loop {
        let [left, right, far_left, far_right] = corners(cell, way);
        let turn = match (plane.inside(far_left), plane.inside(far_right)) {
            (false, true) => 0,
            (false, false) => 1,
            (true, true) => 3,
            // A saddle: joined inside corners are passed on the left.
            (true, false) => {
                let sum: f32 =
                    [left, right, far_left, far_right].map(|(x, y)| plane.value(x, y)).iter().sum();
                if sum >= 4.0 * LEVEL { 3 } else { 1 }
            }
        };
        let (outside, inside) = match turn {
            0 => (far_left, far_right),
            1 => (far_right, right),
            _ => (left, far_left),
        };
        way = (way + turn) % 4;
        if way == NORTH {
            if outside == first {
                break;
            }
            seen[outside.1 * plane.columns + outside.0] = true;
        }
        let vertex = plane.crossing(outside, inside);
        if vertices.last() != Some(&vertex) {
            vertices.push(vertex);
        }
        if vertices.len() > MOST_VERTICES {
            return Err(Error::Frame(format!(
                "a contour of the coverage has more than {MOST_VERTICES} vertices, expected that of an object"
            )));
        }
        cell = match way {
            NORTH => (cell.0, cell.1 - 1),
            1 => (cell.0 + 1, cell.1),
            2 => (cell.0, cell.1 + 1),
            _ => (cell.0 - 1, cell.1),
        };
    }
    while vertices.len() > 1 && vertices.first() == vertices.last() {
        vertices.pop();
    }
    Ok(vertices)
}

#[cfg(test)]
mod tests {
    use super::super::pictures::{coverage, view};
    use super::*;

    fn found(size: (u32, u32), inside: impl Fn(f64, f64) -> f64, least: f64) -> Vec<Outline> {
        let pixels = coverage(size, inside);
        outlines(&Plane::read(view(size, &pixels)).unwrap(), least).unwrap()
    }

    #[test]
    fn a_circle_is_met_to_a_fraction_of_a_pixel() {
        let all = found((61, 47), |x, y| 10.5 - (x - 30.25).hypot(y - 21.5), 0.0);
        assert_eq!(all.len(), 1);
        let off = |v: &Vec2| (f64::from(v.x) - 30.25).hypot(f64::from(v.y) - 21.5) - 10.0;
        assert!(all[0].vertices.iter().all(|v| off(v).abs() < 0.15));
        assert!((all[0].area_px2 - 314.16).abs() < 2.0, "{}", all[0].area_px2);
    }

    #[test]
    fn a_subject_that_fills_the_frame_has_the_frames_edge_for_its_contour() {
        let all = found((7, 5), |_, _| 1.0, 0.0);
        assert_eq!(all.len(), 1);
        let xs: Vec<f32> = all[0].vertices.iter().map(|v| v.x).collect();
        assert_eq!(
            (xs.iter().copied().fold(9.0, f32::min), xs.iter().copied().fold(0.0, f32::max)),
            (0.0, 7.0)
        );
        assert!((all[0].area_px2 - 35.0).abs() < 0.6, "{}", all[0].area_px2);
    }

    #[test]
    fn a_ring_with_a_speck_in_it_has_three_contours_one_within_another() {
        let ring = |x: f64, y: f64| {
            let r = (x - 20.0).hypot(y - 15.0);
            if r < 3.0 || (7.0..12.0).contains(&r) { 1.0 } else { 0.0 }
        };
        let all = found((41, 31), ring, 0.0);
        let told: Vec<(u32, bool)> = all.iter().map(|o| (o.depth, o.area_px2 > 0.0)).collect();
        assert_eq!(told, [(0, true), (1, false), (2, true)]);
        // The speck is smaller than the area that is asked for.
        assert_eq!(found((41, 31), ring, 40.0).len(), 2);
    }

    #[test]
    fn two_pixels_that_touch_at_a_corner_are_joined_if_the_mean_says_so() {
        let pair = |around: f64| {
            move |x: f64, y: f64| match (x as u32, y as u32) {
                (2, 2) | (3, 3) => 1.0,
                (2, 3) | (3, 2) => around,
                _ => 0.0,
            }
        };
        assert_eq!(found((7, 7), pair(0.2), 0.0).len(), 1);
        let apart = found((7, 7), |x, y| pair(-0.2)(x, y) * 0.8, 0.0);
        assert_eq!(apart.len(), 2);
    }

    #[test]
    fn nothing_and_numbers_that_are_none() {
        assert!(found((5, 4), |_, _| 0.4, 0.0).is_empty());
        let mut pixels = coverage((5, 4), |_, _| 0.0);
        pixels[7] = f32::NAN;
        let said = Plane::read(view((5, 4), &pixels)).err().unwrap().to_string();
        assert_eq!(said, "frame: the coverage of pixel 2, 1 is NaN, expected 0 to 1");
    }
}
