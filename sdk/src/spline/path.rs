//! A closed contour by arc length: places, smoothed places, directions, corners.

use glam::{DVec2, Vec2};

/// How far to each side a corner's directions are taken, in pixels.
const CORNER_REACH_PX: f64 = 4.0;
/// A contour that turns by this much within twice that is a corner.
const CORNER_DEGREES: f64 = 60.0;

/// A closed contour, ready to be asked for places. Lengths are pixels along it from its first vertex, and wrap.
pub(super) struct Path {
    pub(super) vertices: Vec<DVec2>,
    /// Where each vertex lies, and at the end the whole length.
    lengths: Vec<f64>,
    /// Where it turns sharply, rising.
    pub(super) corners: Vec<f64>,
}

impl Path {
    pub(super) fn new(vertices: &[Vec2]) -> Self {
        let vertices: Vec<DVec2> = vertices.iter().map(|v| v.as_dvec2()).collect();
        let mut lengths = Vec::with_capacity(vertices.len() + 1);
        let mut length = 0.0;
        for (a, b) in vertices.iter().zip(vertices.iter().cycle().skip(1)) {
            lengths.push(length);
            length += a.distance(*b);
        }
        lengths.push(length);
        let mut path = Self { vertices, lengths, corners: Vec::new() };
        path.corners = path.find_corners();
        path
    }

    /// The whole length.
    pub(super) fn length(&self) -> f64 {
        self.lengths[self.vertices.len()]
    }

    /// The vertex at or before a length within the contour.
    fn before(&self, length: f64) -> usize {
        self.lengths.partition_point(|l| *l <= length).clamp(1, self.vertices.len()) - 1
    }

    /// The place at a length.
    pub(super) fn at(&self, length: f64) -> DVec2 {
        let length = length.rem_euclid(self.length());
        let i = self.before(length);
        let (a, b) = (self.vertices[i], self.vertices[(i + 1) % self.vertices.len()]);
        let edge = self.lengths[i + 1] - self.lengths[i];
        if edge > 0.0 { a.lerp(b, (length - self.lengths[i]) / edge) } else { a }
    }

    /// The mean place around a length, near ones counting more: the steps of a hard mask even out.
    pub(super) fn smoothed(&self, length: f64, reach: f64) -> DVec2 {
        let weighted = [(-2.0, 1.0), (-1.0, 2.0), (0.0, 3.0), (1.0, 2.0), (2.0, 1.0)];
        weighted.iter().map(|(k, weight)| self.at(length + k * reach / 2.0) * *weight).sum::<DVec2>() / 9.0
    }

    /// The direction at a length, of length 1, told over `reach` to each side.
    pub(super) fn direction(&self, length: f64, reach: f64) -> DVec2 {
        let [ahead, behind] = [reach, -reach].map(|far| self.smoothed(length + far, reach / 2.0));
        (ahead - behind).normalize_or(DVec2::X)
    }

    /// Vertices strictly between two lengths, `from` below `to`, which may lie beyond the end; each with its index.
    pub(super) fn between(&self, from: f64, to: f64) -> impl Iterator<Item = (usize, f64, DVec2)> + '_ {
        let (whole, count) = (self.length(), self.vertices.len());
        let turns = (from / whole).floor();
        let first = self.before(from - turns * whole);
        (first..)
            .map(move |i| (i % count, self.lengths[i % count] + (turns + (i / count) as f64) * whole))
            .take_while(move |(_, length)| *length < to)
            .filter(move |(_, length)| *length > from)
            .map(|(i, length)| (i, length, self.vertices[i]))
    }

    fn find_corners(&self) -> Vec<f64> {
        let count = self.length().ceil().max(1.0) as usize;
        let step = self.length() / count as f64;
        if self.length() < 6.0 * CORNER_REACH_PX {
            return Vec::new();
        }
        let places: Vec<DVec2> = (0..count).map(|i| self.smoothed(i as f64 * step, 1.0)).collect();
        let reach = (CORNER_REACH_PX / step).round() as usize;
        let turn = |i: usize| {
            let [behind, here, ahead] = [i + count - reach, i, i + reach].map(|i| places[i % count]);
            (here - behind).angle_to(ahead - here).abs()
        };
        let turns: Vec<f64> = (0..count).map(turn).collect();
        let sharpest = |i: &usize| {
            let around =
                (0..=2 * reach).filter(|k| *k != reach).map(|k| (k, turns[(i + count + k - reach) % count]));
            // Of equal ones the first.
            turns[*i] > CORNER_DEGREES.to_radians()
                && around
                    .into_iter()
                    .all(|(k, other)| if k < reach { other < turns[*i] } else { other <= turns[*i] })
        };
        (0..count).filter(sharpest).map(|i| i as f64 * step).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn square() -> Path {
        let side = |n: i32| n as f32;
        let mut all = Vec::new();
        (0..20).for_each(|n| all.push(Vec2::new(side(n), 0.0)));
        (0..20).for_each(|n| all.push(Vec2::new(20.0, side(n))));
        (0..20).for_each(|n| all.push(Vec2::new(side(20 - n), 20.0)));
        (0..20).for_each(|n| all.push(Vec2::new(0.0, side(20 - n))));
        Path::new(&all)
    }

    #[test]
    fn places_go_round_and_corners_are_found() {
        let path = square();
        assert_eq!(path.length(), 80.0);
        assert_eq!(path.at(-5.0), DVec2::new(0.0, 5.0));
        assert_eq!(path.at(85.5), DVec2::new(5.5, 0.0));
        assert_eq!(path.corners.len(), 4);
        assert!(
            path.corners.iter().zip([0.0, 20.0, 40.0, 60.0]).all(|(found, want)| (found - want).abs() <= 1.0)
        );
        assert!((path.direction(30.0, 3.0) - DVec2::Y).length() < 1e-9);
    }

    #[test]
    fn vertices_between_two_lengths_go_on_past_the_end() {
        let path = square();
        let met: Vec<usize> = path.between(78.5, 82.0).map(|(i, ..)| i).collect();
        assert_eq!(met, [79, 0, 1]);
        assert_eq!(path.between(-1.5, 0.5).map(|(i, ..)| i).collect::<Vec<_>>(), [79, 0]);
        assert_eq!(path.between(3.2, 3.9).count(), 0);
    }
}
