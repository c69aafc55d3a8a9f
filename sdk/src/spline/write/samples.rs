//! Small animations for the writers' tests.

use glam::DVec2;

use super::super::measure::Measured;
use super::super::shape::{Animation, Key, Kind, Point, Shape};
use crate::frame::Size;

/// A rectangle as wide as it is high, clockwise or not, its corners' widths as given.
fn points(x: f64, y: f64, side: f64, clockwise: bool, widths: [f64; 2]) -> Vec<Point> {
    let mut corners = [[0.0, 0.0], [side, 0.0], [side, side], [0.0, side]];
    if !clockwise {
        corners.reverse();
    }
    let toward = |from: [f64; 2], to: [f64; 2]| (DVec2::from(to) - DVec2::from(from)) / 4.0;
    (0..4)
        .map(|i| Point {
            at: DVec2::from(corners[i]) + DVec2::new(x, y),
            incoming: toward(corners[i], corners[(i + 3) % 4]),
            outgoing: toward(corners[i], corners[(i + 1) % 4]),
            inner_px: widths[0],
            outer_px: widths[1],
        })
        .collect()
}

/// No shape on frames 0 to 9 of a wide shot.
pub(super) fn empty() -> Animation {
    Animation {
        size: Size::new(200, 100).unwrap(),
        frames: Some((0, 9)),
        frames_per_second: 25.0,
        shapes: Vec::new(),
        measured: Measured::default(),
    }
}

/// A square that moves right from frame 2 to 8, with a hole from 4 to 6, softened by `widths`.
pub(super) fn ring(widths: [f64; 2]) -> Animation {
    let key = |frame, x, side, clockwise| Key { frame, points: points(x, 20.0, side, clockwise, widths) };
    let outer = Shape {
        name: "Shape1".to_owned(),
        kind: Kind::Outer,
        depth: 0,
        first: 2,
        last: 8,
        keys: vec![key(2, 40.0, 40.0, true), key(8, 100.0, 40.0, true)],
    };
    let hole = Shape {
        name: "Hole2".to_owned(),
        kind: Kind::Hole,
        depth: 1,
        first: 4,
        last: 6,
        keys: vec![key(4, 64.0, 8.0, false), key(6, 84.0, 8.0, false)],
    };
    Animation { shapes: vec![outer, hole], ..empty() }
}
