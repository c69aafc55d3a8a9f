//! Which place of a contour is which place of the next frame's.
//!
//! Both are sampled evenly by arc length. The best turn is looked for among all, then dynamic time warping pairs the
//! samples, neither running back: Sakoe and Chiba (1978), closed. A pair costs its distance, the difference of its
//! normals and that of its curvatures, and steps that stretch one contour cost a little. What was paired says how the
//! thing moved and turned; it is moved so, and paired again, from a place that the first pass left in its middle.

use glam::{DMat3, DVec2, DVec3};

use super::path::Path;

/// What the square of a distance counts that is a tenth of the contour's radius.
const DISTANCE: f64 = 1.0;
/// What normals that point away from each other count.
const NORMAL: f64 = 2.0;
/// What the difference of two right angles a sample counts.
const CURVATURE: f64 = 1.0;
/// What a step counts that stretches one of the two.
const STRETCH: f64 = 0.05;
/// Pairs are looked for this far from the even ones, as a share of the contour.
const BAND: f64 = 1.0 / 6.0;
/// How often a contour is laid onto the next one.
const ROUNDS: usize = 10;
/// A sample that is off by this much counts half, in pixels.
const LOOSE_PX: f64 = 2.0;
/// Where a turn is measured as a length, in pixels from the centre, so that it weighs as a move does.
const TURN_PX: f64 = 30.0;
/// How far a pair may be moved between samples, in samples.
const SLIDE: f64 = 1.0;
/// The least that a contour's part may shrink to within a frame.
const LEAST_RATE: f64 = 0.1;

/// A contour by evenly spaced samples.
struct Samples {
    at: Vec<DVec2>,
    normal: Vec<DVec2>,
    /// By how much it turns there, in right angles.
    turn: Vec<f64>,
}

/// Where each place of a contour went, as shares of the lengths.
pub(super) struct Map {
    /// For `i / (len - 1)` of the way along one contour, the way along the next; rising, and 1 more at the end.
    to: Vec<f64>,
    /// The mean cost of a pair: how unlike the two are.
    pub(super) cost: f64,
}

impl Map {
    /// The place on the next contour.
    pub(super) fn apply(&self, share: f64) -> f64 {
        let turns = share.floor();
        let place = (share - turns) * (self.to.len() - 1) as f64;
        let i = (place as usize).min(self.to.len() - 2);
        turns + self.to[i] + (self.to[i + 1] - self.to[i]) * (place - i as f64)
    }
}

impl Samples {
    fn new(path: &Path, count: usize) -> Self {
        let step = path.length() / count as f64;
        let reach = step.clamp(1.5, 4.0);
        let at: Vec<DVec2> = (0..count).map(|i| path.smoothed(i as f64 * step, reach)).collect();
        let normal: Vec<DVec2> = (0..count).map(|i| path.direction(i as f64 * step, reach).perp()).collect();
        let turn = (0..count).map(|i| {
            let (before, after) = (normal[(i + count - 1) % count], normal[(i + 1) % count]);
            before.angle_to(after) / std::f64::consts::FRAC_PI_2
        });
        let turn = turn.collect();
        Self { at, normal, turn }
    }

    fn count(&self) -> usize {
        self.at.len()
    }

    fn centre(&self) -> DVec2 {
        self.at.iter().sum::<DVec2>() / self.count() as f64
    }

    /// Turned and scaled by a complex number about `from`, then moved to `to`.
    fn moved(&self, from: DVec2, by: DVec2, to: DVec2) -> Self {
        let unit = by.normalize_or(DVec2::X);
        Self {
            at: self.at.iter().map(|at| by.rotate(*at - from) + to).collect(),
            normal: self.normal.iter().map(|normal| unit.rotate(*normal)).collect(),
            turn: self.turn.clone(),
        }
    }
}

/// Pairs two contours.
pub(super) fn align(a: &Path, b: &Path) -> Map {
    let count = (a.length().max(b.length()) / 3.0).clamp(64.0, 512.0) as usize;
    let (a, b) = (Samples::new(a, count), Samples::new(b, count));
    let radius = b.at.iter().map(|at| at.distance(b.centre())).sum::<f64>() / count as f64;
    let scale = DISTANCE / (0.1 * radius.max(1.0)).powi(2);
    // A thing that moved as a whole, and one that did not but lost a part, are both looked at.
    let (here, there) = (a.centre(), b.centre());
    let still = a.moved(DVec2::ZERO, DVec2::X, DVec2::ZERO);
    let moved = a.moved(here, DVec2::X, there);
    let ([cost_still, shift_still], [cost_moved, shift_moved]) =
        (best_shift(&still, &b, scale), best_shift(&moved, &b, scale));
    let (first, shift) = if cost_still <= cost_moved { (still, shift_still) } else { (moved, shift_moved) };
    let pairs = warp(&first, &b, scale, (0, shift as usize)).0;
    let (from, by, to) = motion(&a, &b, &pairs);
    let turned = settled(a.moved(from, by, to), &b, pairs.clone());
    let middle = count / 2;
    let start = (middle, (pairs[middle].round() as i64).rem_euclid(count as i64) as usize);
    let (pairs, cost) = warp(&turned, &b, scale, start);
    // Between samples: along the second contour to where the moved sample is.
    let finer = slid(&turned, &b, &pairs);
    Map { to: even(finer, count), cost }
}

fn cost(a: &Samples, i: usize, b: &Samples, j: usize, scale: f64) -> f64 {
    scale * a.at[i].distance_squared(b.at[j])
        + NORMAL * (1.0 - a.normal[i].dot(b.normal[j])) / 2.0
        + CURVATURE * (a.turn[i] - b.turn[j]).powi(2)
}

/// The cost of the cheapest turn, and the turn: how many samples the second one is ahead.
fn best_shift(a: &Samples, b: &Samples, scale: f64) -> [f64; 2] {
    let count = a.count();
    let total = |shift: usize| {
        let pairs = (0..count).step_by(3);
        pairs.map(|i| cost(a, i, b, (i + shift) % count, scale)).sum::<f64>()
    };
    let best = (0..count).map(|shift| (total(shift), shift)).min_by(|x, y| x.0.total_cmp(&y.0));
    best.map_or([f64::MAX, 0.0], |(cost, shift)| [cost, shift as f64])
}

/// The sample of `b`, not wrapped, for each of `a`, and the mean cost; `start` is one of the pairs.
fn warp(a: &Samples, b: &Samples, scale: f64, start: (usize, usize)) -> (Vec<f64>, f64) {
    let count = a.count();
    let half = ((count as f64 * BAND) as usize).max(2);
    let width = 2 * half + 1;
    // Row i has the columns from i - half to i + half.
    let mut sums = vec![f64::MAX; (count + 1) * width];
    let mut steps = vec![0u8; (count + 1) * width];
    sums[half] = 0.0;
    for i in 0..=count {
        for k in 0..width {
            let Some(j) = (i + k).checked_sub(half).filter(|j| *j <= count) else { continue };
            if (i, j) == (0, 0) {
                continue;
            }
            let here = cost(a, (start.0 + i) % count, b, (start.1 + j) % count, scale);
            let before = |row: usize, k: usize| sums[row * width + k];
            let mut best = (f64::MAX, 0);
            if i > 0 && j > 0 {
                best = (before(i - 1, k) + here, 0);
            }
            if i > 0 && k + 1 < width && before(i - 1, k + 1) + here + STRETCH < best.0 {
                best = (before(i - 1, k + 1) + here + STRETCH, 1);
            }
            if j > 0 && k > 0 && before(i, k - 1) + here + STRETCH < best.0 {
                best = (before(i, k - 1) + here + STRETCH, 2);
            }
            (sums[i * width + k], steps[i * width + k]) = best;
        }
    }
    // Back along the cheapest way; a sample that was paired with many gets their mean.
    let mut met = vec![(0.0, 0u32); count + 1];
    let (mut i, mut k) = (count, half);
    loop {
        let j = i + k - half;
        met[i].0 += j as f64;
        met[i].1 += 1;
        if (i, j) == (0, 0) {
            break;
        }
        match steps[i * width + k] {
            0 => i -= 1,
            1 => (i, k) = (i - 1, k + 1),
            _ => k -= 1,
        }
    }
    // Both ends are the starting pair: what the last row met lies before the first.
    let (sum, more) = met[count];
    let first = (met[0].0 + sum - f64::from(more) * count as f64, met[0].1 + more);
    met[0] = first;
    let mean = sums[count * width + half] / count as f64;
    let mut pairs = vec![0.0; count];
    for (i, (sum, times)) in met.into_iter().take(count).enumerate() {
        let wrapped = if start.0 + i >= count { count as f64 } else { 0.0 };
        pairs[(start.0 + i) % count] = start.1 as f64 + sum / f64::from(times.max(1)) - wrapped;
    }
    (pairs, mean)
}

/// Each pair moved along `b`, by at most [`SLIDE`] samples, to where `a`'s sample lies beside it.
fn slid(a: &Samples, b: &Samples, pairs: &[f64]) -> Vec<f64> {
    let count = a.count();
    let slide = |(i, place): (usize, &f64)| {
        let j = (place.round() as i64).rem_euclid(count as i64) as usize;
        let along = b.at[(j + 1) % count] - b.at[(j + count - 1) % count];
        let part = place - place.round();
        let off = 2.0 * (a.at[i] - b.at[j]).dot(along) / along.length_squared().max(1e-9) - part;
        place + off.clamp(-SLIDE, SLIDE)
    };
    pairs.iter().enumerate().map(slide).collect()
}

/// `a` turned and moved on until it lies on `b`, whichever way its samples slide along it: point-to-line
/// registration, Chen and Medioni (1992). Parts that went their own way count less.
fn settled(mut a: Samples, b: &Samples, mut pairs: Vec<f64>) -> Samples {
    let count = a.count();
    for _ in 0..ROUNDS {
        pairs = slid(&a, b, &pairs);
        let centre = a.centre();
        // A circle says nothing of how it turned: the diagonal keeps that at 0.
        let mut left = DMat3::from_diagonal(DVec3::splat(1e-3 * count as f64));
        let mut right = DVec3::ZERO;
        for (i, place) in pairs.iter().enumerate() {
            let place = place.rem_euclid(count as f64);
            let j = (place as usize).min(count - 1);
            let there = b.at[j].lerp(b.at[(j + 1) % count], place - j as f64);
            let normal = b.normal[place.round() as usize % count];
            let off = (there - a.at[i]).dot(normal);
            let weight = 1.0 / (1.0 + (off / LOOSE_PX).powi(2));
            let turn = (a.at[i] - centre).perp().dot(normal) / TURN_PX;
            let row = DVec3::new(turn, normal.x, normal.y);
            left += DMat3::from_cols(row * row.x, row * row.y, row * row.z) * weight;
            right += row * (off * weight);
        }
        let step = left.inverse() * right;
        if !step.is_finite() {
            break;
        }
        a = a.moved(centre, DVec2::from_angle(step.x / TURN_PX), centre + DVec2::new(step.y, step.z));
    }
    a
}

/// How `a` is turned, scaled and moved so that its samples meet their pairs best: from, by, to.
fn motion(a: &Samples, b: &Samples, pairs: &[f64]) -> (DVec2, DVec2, DVec2) {
    let count = a.count();
    let there = |i: usize| {
        let place = pairs[i].rem_euclid(count as f64);
        let j = (place as usize).min(count - 1);
        b.at[j].lerp(b.at[(j + 1) % count], place - j as f64)
    };
    let from = a.centre();
    let to = (0..count).map(there).sum::<DVec2>() / count as f64;
    let (mut sum, mut size) = (DVec2::ZERO, 0.0);
    for i in 0..count {
        let (p, q) = (a.at[i] - from, there(i) - to);
        sum += DVec2::new(p.dot(q), p.perp_dot(q));
        size += p.length_squared();
    }
    let by = sum / size.max(1e-9);
    let by = if (0.5..2.0).contains(&by.length()) { by } else { DVec2::X };
    (from, by, to)
}

/// Pairs as shares, smoothed, with no part shrunk to nothing.
fn even(pairs: Vec<f64>, count: usize) -> Vec<f64> {
    let ahead = |i: usize| pairs[i % count] + (i / count * count) as f64;
    let smooth = |i: usize| (0..5).map(|k| ahead(i + count + k - 2)).sum::<f64>() / 5.0 - count as f64;
    let places: Vec<f64> = (0..=count).map(smooth).collect();
    let rates: Vec<f64> = places.windows(2).map(|w| (w[1] - w[0]).max(LEAST_RATE)).collect();
    let whole: f64 = rates.iter().sum();
    let mut to = vec![places[0] / count as f64];
    for rate in rates {
        to.push(to[to.len() - 1] + rate / whole);
    }
    to
}

#[cfg(test)]
mod tests {
    use super::super::contour::{Plane, outlines};
    use super::super::pictures::{moved, polygon, view};
    use super::*;

    const SIZE: (u32, u32) = (160, 120);
    /// An L, about its middle.
    const CORNERS: [[f64; 2]; 6] =
        [[-30.0, -25.0], [-8.0, -25.0], [-8.0, 10.0], [30.0, 10.0], [30.0, 25.0], [-30.0, 25.0]];

    fn path(degrees: f64, by: [f64; 2]) -> Path {
        let pixels = polygon(SIZE, &moved(&CORNERS, degrees, by));
        let plane = Plane::read(view(SIZE, &pixels)).unwrap();
        Path::new(&outlines(&plane, 16.0).unwrap()[0].vertices)
    }

    /// A place of the frame as it lies on the thing.
    fn on_thing(place: DVec2, degrees: f64, by: [f64; 2]) -> DVec2 {
        DVec2::from_angle(-degrees.to_radians()).rotate(place - DVec2::from(by))
    }

    #[test]
    fn a_place_of_a_thing_that_turns_and_moves_stays_that_place() {
        let at = |n: i32| (f64::from(n) * 4.0, [60.0 + f64::from(n), 55.0 + 0.3 * f64::from(n)]);
        let (degrees, by) = at(0);
        let mut last = path(degrees, by);
        let starts: Vec<f64> = (0..24).map(|i| f64::from(i) / 24.0).collect();
        let first: Vec<DVec2> =
            starts.iter().map(|s| on_thing(last.at(s * last.length()), degrees, by)).collect();
        let mut shares = starts;
        for n in 1..=30 {
            let (degrees, by) = at(n);
            let next = path(degrees, by);
            let map = align(&last, &next);
            shares.iter_mut().for_each(|share| *share = map.apply(*share));
            last = next;
        }
        let (degrees, by) = at(30);
        for (share, first) in shares.iter().zip(first) {
            let slipped = on_thing(last.at(share * last.length()), degrees, by).distance(first);
            assert!(slipped < 4.0, "by {slipped} px after 120 degrees, from {first}");
        }
    }

    #[test]
    fn a_map_rises_and_goes_round_once() {
        let map = align(&path(0.0, [60.0, 55.0]), &path(35.0, [80.0, 60.0]));
        assert!(map.to.windows(2).all(|w| w[1] > w[0]));
        assert!((map.to[map.to.len() - 1] - map.to[0] - 1.0).abs() < 1e-9);
        assert!((map.apply(1.3) - map.apply(0.3) - 1.0).abs() < 1e-9);
    }

    #[test]
    fn the_same_contour_is_cheaper_than_another() {
        let (a, b) = (path(0.0, [60.0, 55.0]), path(90.0, [60.0, 55.0]));
        assert!(align(&a, &a).cost < 0.01);
        assert!(align(&a, &a).cost < align(&a, &b).cost);
    }
}
