//! The plain twins of `reduce.wgsl`, `blur.wgsl` and `enlarge.wgsl` for planes.

use rayon::prelude::*;

use super::plane::{Plane, TILE, around, fit};
use crate::matte::gaussian::{Gaussian, MAX_RADIUS, Weights};

/// Samples that are worked on at once.
const CHUNK: usize = TILE;

/// `into` gets the weighted sum of `rows(-i)` and `rows(i)`. All have one length, at most [`CHUNK`].
fn weighted<'a>(radius: usize, weights: &Weights, row: impl Fn(isize) -> &'a [u16], into: &mut [u16]) {
    let mut sums = [0u32; CHUNK];
    let sums = &mut sums[..into.len()];
    for (sum, v) in sums.iter_mut().zip(row(0)) {
        *sum = u32::from(*v) * weights[0];
    }
    for (i, weight) in weights.iter().enumerate().take(radius + 1).skip(1) {
        let pairs = row(-(i as isize)).iter().zip(row(i as isize));
        for (sum, (a, b)) in sums.iter_mut().zip(pairs) {
            *sum += (u32::from(*a) + u32::from(*b)) * weight;
        }
    }
    for (out, sum) in into.iter_mut().zip(sums) {
        *out = ((*sum + 32768) >> 16) as u16;
    }
}

/// Samples `start..start + into.len()` of a row, blurred along it.
fn across(gaussian: &Gaussian, row: &[u16], start: usize, into: &mut [u16]) {
    let margin = gaussian.radius[0];
    let mut padded = [0u16; CHUNK + 2 * MAX_RADIUS];
    let padded = &mut padded[..into.len() + 2 * margin];
    let want = start as isize - margin as isize..(start + into.len() + margin) as isize;
    let have = want.start.max(0) as usize..want.end.min(row.len() as isize) as usize;
    let skipped = (have.start as isize - want.start) as usize;
    padded[skipped..skipped + have.len()].copy_from_slice(&row[have.clone()]);
    // Beyond the border the last pixel counts.
    padded[..skipped].fill(row[0]);
    padded[skipped + have.len()..].fill(row[row.len() - 1]);
    let length = into.len();
    let at = |i: isize| (margin as isize + i) as usize;
    weighted(margin, &gaussian.weights[0], |i| &padded[at(i)..][..length], into);
}

pub(super) fn clamped(y: usize, by: isize, height: usize) -> usize {
    (y as isize + by).clamp(0, height as isize - 1) as usize
}

/// Planes that a feather passes through.
#[derive(Debug, Default)]
pub struct PlaneBlur {
    small: Plane,
    swept: Plane,
    wide: Vec<u16>,
}

impl PlaneBlur {
    /// Blurs `plane` in place. Tiles far from any edge are left alone.
    pub fn run(&mut self, gaussian: &Gaussian, plane: &mut Plane) {
        let Self { small, swept, wide } = self;
        if gaussian.factor == 1 {
            swept.resize(plane.size);
            sweep_across(gaussian, plane, swept);
            return sweep_down(gaussian, swept, plane);
        }
        let (size, factor) = (plane.size, gaussian.factor as usize);
        small.resize(gaussian.small);
        small.each_tile(
            |x, y| {
                let full =
                    |r: &std::ops::Range<usize>| (r.start * factor) as isize..(r.end * factor) as isize;
                plane.flat_over(full(x), full(y))
            },
            |tile| {
                let first = tile.x.start;
                for y in tile.y.clone() {
                    for (i, out) in tile.row(y).iter_mut().enumerate() {
                        let mut sum = 0;
                        for row in y * factor..(y + 1) * factor {
                            let row = plane.row(row.min(size.height() - 1));
                            let from = (first + i) * factor;
                            let to = (from + factor).min(row.len());
                            sum += row[from..to].iter().map(|v| u32::from(*v)).sum::<u32>()
                                + (from + factor - to) as u32 * u32::from(row[row.len() - 1]);
                        }
                        let area = (factor * factor) as u32;
                        *out = ((sum + area / 2) / area) as u16;
                    }
                }
            },
        );
        swept.resize(gaussian.small);
        sweep_across(gaussian, small, swept);
        sweep_down(gaussian, swept, small);
        widen(gaussian, &small.values, size.width(), wide);
        let (small, wide) = (&*small, &*wide);
        let flat = |x: &std::ops::Range<usize>, y: &std::ops::Range<usize>| {
            let reduced =
                |r: &std::ops::Range<usize>| gaussian.nearest(r.start) - 1..gaussian.nearest(r.end - 1) + 3;
            small.flat_over(reduced(x), reduced(y))
        };
        plane.each_tile(flat, |tile| {
            let from = tile.x.start;
            for y in tile.y.clone() {
                heighten(gaussian, wide, size.width(), y, from, tile.row(y));
            }
        });
    }
}

fn sweep_across(gaussian: &Gaussian, from: &Plane, into: &mut Plane) {
    into.each_tile(
        |x, y| from.flat_over(around(x, gaussian.radius[0]), around(y, 0)),
        |tile| {
            for y in tile.y.clone() {
                let start = tile.x.start;
                across(gaussian, from.row(y), start, tile.row(y));
            }
        },
    );
}

fn sweep_down(gaussian: &Gaussian, from: &Plane, into: &mut Plane) {
    let height = from.size.height();
    into.each_tile(
        |x, y| from.flat_over(around(x, 0), around(y, gaussian.radius[1])),
        |tile| {
            let x = tile.x.clone();
            for y in tile.y.clone() {
                let row = |i| &from.row(clamped(y, i, height))[x.clone()];
                weighted(gaussian.radius[1], &gaussian.weights[1], row, tile.row(y));
            }
        },
    );
}

/// Every row of the small picture at full width, the first half of enlarging.
fn widen(gaussian: &Gaussian, small: &[u16], width: usize, wide: &mut Vec<u16>) {
    let (factor, size) = (gaussian.factor as usize, gaussian.small);
    fit(wide, size.height() * width, 0);
    wide.par_chunks_mut(width).zip(small.par_chunks(size.width())).for_each(|(out, row)| {
        for (x, out) in out.iter_mut().enumerate() {
            let near = gaussian.nearest(x);
            let mut sum = 16384u32;
            for (j, weight) in gaussian.phases[x % factor].iter().enumerate() {
                let at = (near - 1 + j as isize).clamp(0, size.width() as isize - 1) as usize;
                sum += u32::from(row[at]) * weight;
            }
            *out = (sum >> 15) as u16;
        }
    });
}

/// Samples `from..` of full-size row `y`, of the `stride` in a widened row: the second half of enlarging.
fn heighten(gaussian: &Gaussian, wide: &[u16], stride: usize, y: usize, from: usize, into: &mut [u16]) {
    let near = gaussian.nearest(y);
    let [a, b, c, d]: [&[u16]; 4] = std::array::from_fn(|j| {
        let row = (near - 1 + j as isize).clamp(0, gaussian.small.height() as isize - 1) as usize;
        &wide[row * stride + from..][..into.len()]
    });
    let down = gaussian.phases[y % gaussian.factor as usize];
    for (i, out) in into.iter_mut().enumerate() {
        let sum = u32::from(a[i]) * down[0]
            + u32::from(b[i]) * down[1]
            + u32::from(c[i]) * down[2]
            + u32::from(d[i]) * down[3];
        *out = ((sum + 16384) >> 15) as u16;
    }
}
