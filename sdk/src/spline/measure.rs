//! How well shapes follow their contours, after keyframes were dropped.

use glam::DVec2;

use super::bezier::Cubic;
use super::fit::Life;
use super::shape::{self, Key, Point};

/// Pieces that a cubic is taken apart into.
const PARTS: usize = 8;
/// How far along the curve the nearest piece is looked for, from where the last one was.
const NEAR: usize = 40;

/// Sums over all shapes and all frames on which they are seen.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Measured {
    /// Shapes times frames.
    pub frames: u64,
    /// Keyframes that were kept.
    pub keys: u64,
    /// Points of the curves, summed over `frames`.
    pub points: u64,
    /// Vertices of the contours, summed over `frames`.
    pub vertices: u64,
    /// Of the vertices' distances to the curves, in square pixels.
    pub squares_px2: f64,
    /// The largest of them, in pixels.
    pub worst_px: f64,
}

impl Measured {
    /// The root mean square of the distances, in pixels; 0 without any.
    pub fn rms_px(&self) -> f64 {
        (self.squares_px2 / self.vertices.max(1) as f64).sqrt()
    }

    /// How many points there are for each vertex of the contours, 0 to 1.
    pub fn share(&self) -> f64 {
        self.points as f64 / self.vertices.max(1) as f64
    }

    /// Adds a life that is drawn with these keys.
    pub(super) fn count(&mut self, life: &Life<'_>, keys: &[Key]) {
        self.keys += keys.len() as u64;
        for (frame, outline) in life.outlines {
            let points = shape::at(keys, *frame);
            let curve = flat(&points, PARTS);
            self.frames += 1;
            self.points += points.len() as u64;
            self.vertices += outline.vertices.len() as u64;
            let mut near = None;
            for vertex in &outline.vertices {
                let (off, at) = distance(&curve, vertex.as_dvec2(), near);
                near = Some(at);
                self.squares_px2 += off * off;
                self.worst_px = self.worst_px.max(off);
            }
        }
    }
}

/// A closed curve as a polygon, each cubic in so many parts.
pub(super) fn flat(points: &[Point], parts: usize) -> Vec<DVec2> {
    let next = points.iter().cycle().skip(1);
    let cubics = points.iter().zip(next).map(|(a, b)| Cubic::new(a.at, a.outgoing, b.at, b.incoming));
    cubics.flat_map(|cubic| (0..parts).map(move |k| cubic.at(k as f64 / parts as f64))).collect()
}

/// How far a place is from a closed polygon, and which edge is nearest, looked for around `near` first.
fn distance(polygon: &[DVec2], place: DVec2, near: Option<usize>) -> (f64, usize) {
    let count = polygon.len();
    let edge = |i: usize| {
        let i = i % count;
        (to_edge(polygon[i], polygon[(i + 1) % count], place), i)
    };
    let nearest = |edges: &mut dyn Iterator<Item = usize>| {
        edges.map(edge).min_by(|a, b| a.0.total_cmp(&b.0)).unwrap_or((f64::MAX, 0))
    };
    if let Some(near) = near.filter(|_| count > 2 * NEAR) {
        let found = nearest(&mut (near + count - NEAR..near + count + NEAR));
        if found.0 < 1.0 {
            return found;
        }
    }
    nearest(&mut (0..count))
}

/// How far a place is from a straight edge.
pub(super) fn to_edge(a: DVec2, b: DVec2, place: DVec2) -> f64 {
    let along = b - a;
    let t = ((place - a).dot(along) / along.length_squared().max(1e-18)).clamp(0.0, 1.0);
    place.distance(a + along * t)
}
