//! As few points as hold a thing's contours on all of its frames.
//!
//! A point has the same place on the thing on each frame: a share of the way along the first contour, followed
//! through [`align`]'s maps. Where a piece between two points leaves its contour on any frame, a point is added at
//! the worst place; then points that no frame misses are taken out again. Directions are told from the contour around
//! a point, over a share of the way to its neighbours; a point near a corner moves onto it, and has a direction to
//! each side.

use glam::DVec2;

use super::align::{Map, align};
use super::bezier::{self, Fit};
use super::contour::Outline;
use super::feather::HARD_PX;
use super::path::Path;
use super::shape::{Key, Point};
use super::track::Track;

/// No vertex may be further from its curve than this many times the tolerance.
pub(super) const WORST: f64 = 3.0;
/// A life that needs more points than this share of its vertices is cut, if it is long enough.
const SHARE: f64 = 0.1;
/// The least frames of a life that was cut.
const SHORTEST: usize = 6;
/// The most points, as a share of the vertices.
const MOST_SHARE: f64 = 1.0 / 3.0;
/// Points that a shape has at least.
const FEWEST: usize = 4;
/// How much the places of points are drawn to even ones from frame to frame, so that a part that grows gets some.
const EVENING: f64 = 0.03;
/// Places by which a contour's correspondence is kept.
const PLACES: usize = 512;
/// Directions are told over this share of the way to the nearer neighbour, within these limits in pixels.
const REACH: (f64, f64, f64) = (0.3, 1.0, 6.0);
/// A point moves onto a corner within this share of the way to its nearer neighbour, and this many pixels.
const SNAP: (f64, f64) = (0.4, 5.0);
/// Two points come no nearer to each other than that, in pixels.
const LEAST_GAP_PX: f64 = 1.5;

/// A shape's life: its keyframes, one for each frame, and what they were fitted to.
pub(super) struct Life<'a> {
    pub(super) keys: Vec<Key>,
    pub(super) outlines: &'a [(u64, Outline)],
}

/// Fits a track: one life, or several where one set of points would be too many for all of its frames.
pub(super) fn lives(track: &Track, tolerance_px: f64) -> Vec<Life<'_>> {
    let paths: Vec<Path> = track.outlines.iter().map(|(_, outline)| Path::new(&outline.vertices)).collect();
    let maps: Vec<Map> = paths.windows(2).map(|pair| align(&pair[0], &pair[1])).collect();
    let mut lives = Vec::new();
    // Pieces that wait, the earliest last.
    let mut pieces = vec![(0, paths.len())];
    while let Some((first, end)) = pieces.pop() {
        let piece = Piece { paths: &paths[first..end], shares: follow(&maps[first..end - 1]), tolerance_px };
        let knots = piece.knots();
        let too_many = knots.len() > piece.most(SHARE).max(2 * FEWEST) || !piece.holds(&knots);
        if too_many && end - first >= 2 * SHORTEST {
            let cut = (first + SHORTEST..=end - SHORTEST)
                .max_by(|a, b| maps[a - 1].cost.total_cmp(&maps[b - 1].cost))
                .unwrap_or((first + end) / 2);
            pieces.push((cut, end));
            pieces.push((first, cut));
            continue;
        }
        let outlines = &track.outlines[first..end];
        lives.push(Life { keys: piece.keys(&knots, outlines), outlines });
    }
    lives
}

/// Where evenly spaced places of the first contour are on each, as shares of its length; rising, with 1 more at the
/// end.
fn follow(maps: &[Map]) -> Vec<Vec<f64>> {
    let even = |i: usize| i as f64 / PLACES as f64;
    let mut all = vec![(0..=PLACES).map(even).collect::<Vec<f64>>()];
    for map in maps {
        let mut next: Vec<f64> = all[all.len() - 1].iter().map(|share| map.apply(*share)).collect();
        let ahead = (0..PLACES).map(|i| next[i] - even(i)).sum::<f64>() / PLACES as f64;
        for (i, share) in next.iter_mut().enumerate() {
            *share += EVENING * (even(i) + ahead - *share);
        }
        let turns = next[0].floor();
        next.iter_mut().for_each(|share| *share -= turns);
        all.push(next);
    }
    all
}

/// Frames in a row that get the same points.
struct Piece<'a> {
    paths: &'a [Path],
    /// For each frame, see [`follow`].
    shares: Vec<Vec<f64>>,
    tolerance_px: f64,
}

/// A point on a frame.
#[derive(Clone, Copy)]
struct Placed {
    /// Along the contour.
    length: f64,
    at: DVec2,
    /// Directions of length 1, to the next point and to the last one.
    ahead: DVec2,
    back: DVec2,
}

/// How badly a piece between two points does: beyond 1 too badly; and a better place for a point.
#[derive(Clone, Copy)]
struct Judged {
    badness: f64,
    knot: f64,
    /// How long the piece is on the frame that is worst.
    span_px: f64,
}

impl Piece<'_> {
    /// How many points a share of the contours' vertices is, on average.
    fn most(&self, share: f64) -> usize {
        let vertices: usize = self.paths.iter().map(|path| path.vertices.len()).sum();
        ((vertices as f64 / self.paths.len().max(1) as f64 * share) as usize).max(FEWEST)
    }

    /// The places of the points on the first contour, as shares of its length, rising.
    fn knots(&self) -> Vec<f64> {
        let mut knots: Vec<f64> = (0..FEWEST).map(|i| i as f64 / FEWEST as f64).collect();
        self.add(&mut knots);
        while self.take(&mut knots) {}
        // What was taken may have moved a direction next to it.
        self.add(&mut knots);
        knots
    }

    /// Adds points until all pieces hold, or no more can be had.
    fn add(&self, knots: &mut Vec<f64>) {
        let most = self.most(MOST_SHARE);
        while knots.len() < most {
            let judged = (0..knots.len()).map(|i| self.judge(knots, i, f64::MAX));
            let bad = judged.filter(|j| j.badness > 1.0 && j.span_px >= 2.0 * LEAST_GAP_PX);
            let bad: Vec<f64> = bad.map(|j| j.knot).collect();
            let before = knots.len();
            for knot in bad {
                let place = knots.partition_point(|k| *k < knot);
                if knots.get(place) != Some(&knot) {
                    knots.insert(place, knot);
                }
            }
            if knots.len() == before {
                return;
            }
        }
    }

    /// Whether all pieces are within the tolerance on all frames.
    fn holds(&self, knots: &[f64]) -> bool {
        (0..knots.len()).all(|i| self.judge(knots, i, 1.0).badness <= 1.0)
    }

    /// Takes out points that are not missed, none beside another. False if there is none.
    fn take(&self, knots: &mut Vec<f64>) -> bool {
        if knots.len() <= FEWEST {
            return false;
        }
        let without = |i: usize| {
            let mut fewer = knots.clone();
            fewer.remove(i);
            let count = fewer.len();
            // The piece that is left, and those on either side, whose directions it may change.
            let pieces = [i + count - 1, i, i + count - 2].map(|i| i % count);
            let mut worst = 0.0f64;
            for piece in pieces {
                worst = worst.max(self.judge(&fewer, piece, 1.0).badness);
                if worst > 1.0 {
                    return f64::MAX;
                }
            }
            worst
        };
        let mut order: Vec<(f64, usize)> = (0..knots.len()).map(|i| (without(i), i)).collect();
        order.retain(|(badness, _)| *badness <= 1.0);
        order.sort_by(|a, b| a.0.total_cmp(&b.0));
        let (count, mut gone) = (knots.len(), vec![false; knots.len()]);
        let mut left = count;
        for (_, i) in order {
            let near = |far: usize| gone[(i + far) % count] || gone[(i + count - far) % count];
            if left > FEWEST && !near(1) && !near(2) {
                gone[i] = true;
                left -= 1;
            }
        }
        let mut gone = gone.into_iter();
        knots.retain(|_| !gone.next().unwrap_or(false));
        left < count
    }

    /// Judges the piece after a point on all frames; stops where it is worse than `enough`.
    fn judge(&self, knots: &[f64], i: usize, enough: f64) -> Judged {
        let mut worst = Judged { badness: 0.0, knot: 0.0, span_px: 0.0 };
        let mut samples = Vec::new();
        for (path, shares) in self.paths.iter().zip(&self.shares) {
            let (from, to) = (place(path, shares, knots, i), next(path, shares, knots, i));
            let fit = fit(path, &from, &to, &mut samples);
            let rms = (fit.squares / samples.len().max(1) as f64).sqrt();
            let badness = (rms / self.tolerance_px).max(fit.worst.0 / (WORST * self.tolerance_px));
            if badness > worst.badness {
                let met = path.between(from.length, to.length).nth(fit.worst.1).map(|(_, length, _)| length);
                // Not at the piece's ends: a point there would change nothing.
                let span = to.length - from.length;
                let (least, most) = (from.length + 0.15 * span, from.length + 0.85 * span.max(0.2));
                let length = met.unwrap_or(from.length + 0.5 * span).clamp(least, most);
                let knot = share_of(shares, length / path.length());
                worst = Judged { badness, knot, span_px: span };
                if badness > enough {
                    break;
                }
            }
        }
        worst
    }

    /// The keyframes of all frames.
    fn keys(&self, knots: &[f64], outlines: &[(u64, Outline)]) -> Vec<Key> {
        let mut samples = Vec::new();
        let frames = self.paths.iter().zip(&self.shares).zip(outlines);
        frames
            .map(|((path, shares), (frame, outline))| {
                let count = knots.len();
                let placed: Vec<Placed> = (0..count).map(|i| place(path, shares, knots, i)).collect();
                let fits: Vec<Fit> = (0..count)
                    .map(|i| fit(path, &placed[i], &next(path, shares, knots, i), &mut samples))
                    .collect();
                let points = (0..count).map(|i| {
                    let [inner_px, outer_px] = widths(path, outline, &placed[i]);
                    let incoming = fits[(i + count - 1) % count].incoming;
                    Point { at: placed[i].at, incoming, outgoing: fits[i].outgoing, inner_px, outer_px }
                });
                Key { frame: *frame, points: points.collect() }
            })
            .collect()
    }
}

/// Where a place of the first contour is on a frame, along its contour.
fn length_of(path: &Path, shares: &[f64], knot: f64) -> f64 {
    let turns = knot.floor();
    let place = (knot - turns) * PLACES as f64;
    let i = (place as usize).min(PLACES - 1);
    (turns + shares[i] + (shares[i + 1] - shares[i]) * (place - i as f64)) * path.length()
}

/// The other way: the place on the first contour, 0 to 1.
fn share_of(shares: &[f64], share: f64) -> f64 {
    let share = share - (share - shares[0]).floor();
    let i = shares.partition_point(|s| *s <= share).clamp(1, PLACES) - 1;
    let rate = shares[i + 1] - shares[i];
    let part = if rate > 0.0 { (share - shares[i]) / rate } else { 0.0 };
    ((i as f64 + part) / PLACES as f64).rem_euclid(1.0)
}

/// A point on a frame; `i` counts knots and goes on past the last one.
fn place(path: &Path, shares: &[f64], knots: &[f64], i: usize) -> Placed {
    let count = knots.len();
    // Once round further, so that the point before the first one has its place.
    let length = |i: usize| length_of(path, shares, knots[i % count] + (i / count) as f64);
    let (before, mut here, after) = (length(i + count - 1) - path.length(), length(i), length(i + 1));
    let gap = (here - before).min(after - here).max(0.0);
    let whole = path.length();
    let off = |corner: f64| (corner - here + 0.5 * whole).rem_euclid(whole) - 0.5 * whole;
    let nearest = path.corners.iter().map(|corner| off(*corner)).min_by(|a, b| a.abs().total_cmp(&b.abs()));
    let (share, least, most) = REACH;
    let mut reach = (share * gap).clamp(least, most);
    match nearest {
        Some(off) if off.abs() <= (SNAP.0 * gap).min(SNAP.1) => {
            here += off;
            let at = path.at(here);
            let toward = |far: f64| (path.smoothed(here + far, reach / 2.0) - at).normalize_or(DVec2::X);
            let reach = reach.max(2.0);
            return Placed { length: here, at, ahead: toward(reach), back: toward(-reach) };
        }
        // A direction is not told across a corner.
        Some(off) => reach = reach.min((off.abs() / 1.5).max(least)),
        None => {}
    }
    let ahead = path.direction(here, reach);
    Placed { length: here, at: path.smoothed(here, reach.min(2.0)), ahead, back: -ahead }
}

/// The point after a point.
fn next(path: &Path, shares: &[f64], knots: &[f64], i: usize) -> Placed {
    place(path, shares, knots, i + 1)
}

fn fit(path: &Path, from: &Placed, to: &Placed, samples: &mut Vec<DVec2>) -> Fit {
    samples.clear();
    samples.extend(path.between(from.length, to.length).map(|(.., vertex)| vertex));
    bezier::fit(samples, from.at, from.ahead, to.at, to.back)
}

/// The median softness of the edge around a point, inside and outside; 0 where it is hard.
fn widths(path: &Path, outline: &Outline, placed: &Placed) -> [f64; 2] {
    const AROUND_PX: f64 = 3.0;
    let near: Vec<usize> =
        path.between(placed.length - AROUND_PX, placed.length + AROUND_PX).map(|(i, ..)| i).collect();
    [0, 1].map(|side| {
        let mut all: Vec<f64> = near.iter().map(|i| outline.widths[*i][side].to_f64()).collect();
        all.sort_by(f64::total_cmp);
        all.get(all.len() / 2).copied().filter(|width| *width > HARD_PX).unwrap_or(0.0)
    })
}
