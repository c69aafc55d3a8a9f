//! Keyframes that can be read off their neighbours are dropped.

use glam::DVec2;

use super::fit::WORST;
use super::measure::{flat, to_edge};
use super::shape::Key;

/// Samples that each cubic is judged by.
const PARTS: usize = 4;
/// How far along the curve the nearest piece is looked for.
const NEAR: usize = 4;
/// Frames between two keys, so that an editor is not left without any, and the search has an end.
const FURTHEST: usize = 250;

/// Keeps the first, the last and as few keys as hold every frame between: each as far from the one before as can be.
///
/// Between keys every number moves evenly, and so does every sample of the curve. On each frame, samples lie within
/// `tolerance_px` of the curve that was fitted there, as a root mean square, and none lies three times as far; and so
/// do that curve's samples from the one between keys. Feather widths are held to twice the tolerance.
pub(super) fn thin(keys: &[Key], tolerance_px: f64) -> Vec<Key> {
    let curves: Vec<Vec<DVec2>> = keys.iter().map(|key| flat(&key.points, PARTS)).collect();
    let mut kept = Vec::new();
    let mut last = 0;
    while last < keys.len() {
        kept.push(keys[last].clone());
        let mut next = last + 1;
        while next + 1 < keys.len()
            && next + 1 - last <= FURTHEST
            && (last + 1..=next).all(|i| holds(keys, &curves, (last, next + 1), i, tolerance_px))
        {
            next += 1;
        }
        last = next;
    }
    kept
}

/// Whether the samples of one curve lie on the other, near the samples that they belong to.
fn follows(samples: &[DVec2], curve: &[DVec2], tolerance_px: f64) -> bool {
    let count = samples.len();
    let most = tolerance_px * tolerance_px * count as f64;
    let mut squares = 0.0;
    for (k, place) in samples.iter().enumerate() {
        let edges = (k + count * NEAR - NEAR..k + count * NEAR + NEAR).map(|e| e % count);
        let off = edges.map(|e| to_edge(curve[e], curve[(e + 1) % count], *place)).fold(f64::MAX, f64::min);
        squares += off * off;
        if off > WORST * tolerance_px || squares > most {
            return false;
        }
    }
    true
}

/// Whether the frame `i` may be read off two others.
fn holds(keys: &[Key], curves: &[Vec<DVec2>], (a, b): (usize, usize), i: usize, tolerance_px: f64) -> bool {
    let [first, here, last] = [a, i, b].map(|i| keys[i].frame);
    let t = (here - first) as f64 / (last - first) as f64;
    let (from, curve, to) = (&curves[a], &curves[i], &curves[b]);
    let count = curve.len();
    let between: Vec<DVec2> = (0..count).map(|k| from[k].lerp(to[k], t)).collect();
    // Both ways: a finger that is missing between keys is far from the curve that lacks it, and not the other way
    // round.
    if !(follows(&between, curve, tolerance_px) && follows(curve, &between, tolerance_px)) {
        return false;
    }
    let soft = |k: usize| {
        let [from, here, to] = [a, i, b].map(|i| keys[i].points[k]);
        let between = from.between(&to, t);
        let off = (between.inner_px - here.inner_px).abs().max((between.outer_px - here.outer_px).abs());
        off <= 2.0 * tolerance_px
    };
    (0..keys[i].points.len()).all(soft)
}

#[cfg(test)]
mod tests {
    use super::super::shape::Point;
    use super::*;

    /// A square at a place, as wide as asked for.
    fn key(frame: u64, x: f64, side: f64) -> Key {
        let corners = [(0.0, 0.0), (side, 0.0), (side, side), (0.0, side)];
        let point = |(u, v): (f64, f64)| Point {
            at: DVec2::new(x + u, v),
            incoming: DVec2::ZERO,
            outgoing: DVec2::ZERO,
            inner_px: 0.0,
            outer_px: 0.0,
        };
        Key { frame, points: corners.map(point).to_vec() }
    }

    fn frames(keys: &[Key]) -> Vec<u64> {
        keys.iter().map(|key| key.frame).collect()
    }

    #[test]
    fn even_motion_needs_two_keys_even_with_frames_left_out() {
        let keys: Vec<Key> = [0, 1, 2, 5, 9, 20].map(|n| key(n, 3.0 * n as f64, 20.0)).to_vec();
        assert_eq!(frames(&thin(&keys, 0.01)), [0, 20]);
    }

    #[test]
    fn a_turn_keeps_its_key_and_a_tolerance_of_its_size_drops_it() {
        let x = |n: u64| if n <= 10 { 2.0 * n as f64 } else { 20.0 - 2.0 * (n - 10) as f64 };
        let keys: Vec<Key> = (0..=20).map(|n| key(n, x(n), 60.0)).collect();
        assert_eq!(frames(&thin(&keys, 0.5)), [0, 10, 20]);
        assert_eq!(frames(&thin(&keys, 25.0)), [0, 20]);
    }

    #[test]
    fn one_frame_is_one_key_and_none_is_none() {
        assert_eq!(frames(&thin(&[key(7, 0.0, 3.0)], 1.0)), [7]);
        assert!(thin(&[], 1.0).is_empty());
    }

    #[test]
    fn a_width_that_jumps_keeps_its_key() {
        let mut keys: Vec<Key> = (0..=4).map(|n| key(n, 0.0, 20.0)).collect();
        keys[2].points[1].outer_px = 5.0;
        assert_eq!(frames(&thin(&keys, 1.0)), [0, 1, 2, 3, 4]);
        assert_eq!(frames(&thin(&keys, 3.0)), [0, 4]);
    }
}
