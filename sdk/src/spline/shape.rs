//! What comes out: shapes with keyframes.

use glam::DVec2;

use super::Measured;
use crate::frame::Size;

/// All shapes of an object over a shot.
#[derive(Clone, Debug, PartialEq)]
pub struct Animation {
    /// Of the frames, in pixels.
    pub size: Size,
    /// The first and the last frame that was looked at; `None` if there was none.
    pub frames: Option<(u64, u64)>,
    /// For formats that count in seconds.
    pub frames_per_second: f64,
    /// In the order in which they are drawn: a hole after what it is cut out of, an island after its hole.
    pub shapes: Vec<Shape>,
    /// How well the shapes follow the contours.
    pub measured: Measured,
}

/// What a shape does to those that are drawn before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Adds what it encloses. It runs clockwise as seen on the screen.
    Outer,
    /// Takes away what it encloses. It runs counter-clockwise.
    Hole,
}

/// A closed curve from its first frame to its last, with the same points on each.
#[derive(Clone, Debug, PartialEq)]
pub struct Shape {
    /// Such as `Shape1`; unique in its animation, of ASCII letters and digits.
    pub name: String,
    /// Adds or takes away.
    pub kind: Kind,
    /// How many contours lie around it: 0 for an outer contour, 1 for a hole, 2 for an island in a hole.
    pub depth: u32,
    /// The first frame on which it is seen.
    pub first: u64,
    /// The last one.
    pub last: u64,
    /// In the order of frames, at least one; all have the same number of points. Between two keys every number moves
    /// evenly.
    pub keys: Vec<Key>,
}

/// A shape on one frame.
#[derive(Clone, Debug, PartialEq)]
pub struct Key {
    /// The frame.
    pub frame: u64,
    /// In the order of the curve, closed: the last one is joined to the first.
    pub points: Vec<Point>,
}

/// A point of a closed cubic Bézier curve.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// Where the curve passes, in pixels.
    pub at: DVec2,
    /// From the point to the control point before it, in pixels.
    pub incoming: DVec2,
    /// From the point to the control point after it, in pixels.
    pub outgoing: DVec2,
    /// How far inside coverage reaches 0.9, in pixels; 0 for a hard edge.
    pub inner_px: f64,
    /// How far outside it falls to 0.1, in pixels; 0 for a hard edge.
    pub outer_px: f64,
}

impl Point {
    /// The point between two, every number on its own: as editors move between keyframes.
    pub fn between(&self, other: &Self, t: f64) -> Self {
        let width = |a: f64, b: f64| a + (b - a) * t;
        Self {
            at: self.at.lerp(other.at, t),
            incoming: self.incoming.lerp(other.incoming, t),
            outgoing: self.outgoing.lerp(other.outgoing, t),
            inner_px: width(self.inner_px, other.inner_px),
            outer_px: width(self.outer_px, other.outer_px),
        }
    }

    /// Away from what is covered, of length 1. Coverage lies on the right of a curve's way, inside an outer contour
    /// and outside a hole.
    pub fn outward(&self) -> DVec2 {
        let along =
            (self.outgoing.normalize_or_zero() - self.incoming.normalize_or_zero()).normalize_or_zero();
        DVec2::new(along.y, -along.x)
    }
}

impl Shape {
    /// The points on a frame; `None` where the shape is not seen.
    pub fn at(&self, frame: u64) -> Option<Vec<Point>> {
        (self.first..=self.last).contains(&frame).then(|| at(&self.keys, frame))
    }
}

/// The points on a frame, which lies among the keys.
pub(super) fn at(keys: &[Key], frame: u64) -> Vec<Point> {
    let after = keys.partition_point(|key| key.frame < frame);
    let (Some(next), before) = (keys.get(after), after.saturating_sub(1)) else {
        return keys.last().map(|key| key.points.clone()).unwrap_or_default();
    };
    let last = &keys[before];
    if next.frame == frame || last.frame >= next.frame {
        return next.points.clone();
    }
    let t = (frame - last.frame) as f64 / (next.frame - last.frame) as f64;
    last.points.iter().zip(&next.points).map(|(a, b)| a.between(b, t)).collect()
}
