//! The plain twins of `reduce.wgsl`, `blur.wgsl` and `enlarge.wgsl` for planes. Every pixel near an edge passes through
//! here, so a tile's work is compiled for wider registers as well.

use multiversion::multiversion;

use super::plane::{Plane, TILE, TileMut, around};
use crate::matte::gaussian::{Gaussian, MAX_RADIUS, Weights};

/// `into` gets the weighted sum of `rows(-i)` and `rows(i)`. All have one length, at most [`TILE`].
#[inline(always)]
fn weighted<'a>(radius: usize, weights: &Weights, row: impl Fn(isize) -> &'a [u16], into: &mut [u16]) {
    let mut sums = [0u32; TILE];
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
#[inline(always)]
fn across(gaussian: &Gaussian, row: &[u16], start: usize, into: &mut [u16]) {
    let margin = gaussian.radius[0];
    let mut padded = [0u16; TILE + 2 * MAX_RADIUS];
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

#[inline(always)]
pub(super) fn clamped(y: usize, by: isize, height: usize) -> usize {
    (y as isize + by).clamp(0, height as isize - 1) as usize
}

/// Planes that a feather passes through.
#[derive(Debug, Default)]
pub struct PlaneBlur {
    small: Plane,
    swept: Plane,
}

impl PlaneBlur {
    /// Bytes that they take.
    pub fn bytes(&self) -> u64 {
        self.small.bytes() + self.swept.bytes()
    }

    /// Blurs `plane` in place. Tiles far from any edge are left alone.
    pub fn run(&mut self, gaussian: &Gaussian, plane: &mut Plane) {
        let Self { small, swept } = self;
        if gaussian.factor == 1 {
            swept.resize(plane.size);
            sweep_across(gaussian, plane, swept);
            return sweep_down(gaussian, swept, plane);
        }
        let factor = gaussian.factor as usize;
        small.resize(gaussian.small);
        small.each_tile(
            |x, y| {
                let full =
                    |r: &std::ops::Range<usize>| (r.start * factor) as isize..(r.end * factor) as isize;
                plane.flat_over(full(x), full(y))
            },
            |tile| reduce_tile(factor, plane, tile),
        );
        swept.resize(gaussian.small);
        sweep_across(gaussian, small, swept);
        sweep_down(gaussian, swept, small);
        let small = &*small;
        plane.each_tile(
            |x, y| {
                let reduced = |r: &std::ops::Range<usize>| {
                    gaussian.nearest(r.start) - 1..gaussian.nearest(r.end - 1) + 3
                };
                small.flat_over(reduced(x), reduced(y))
            },
            |tile| enlarge_tile(gaussian, small, tile),
        );
    }
}

/// The means of squares of pixels.
#[multiversion(targets = "simd")]
fn reduce_tile(factor: usize, plane: &Plane, tile: &mut TileMut<'_>) {
    let (columns, last) = (tile.x.clone(), plane.size.height() - 1);
    let area = (factor * factor) as u32;
    for y in tile.y.clone() {
        let mut sums = [0u32; TILE];
        for row in y * factor..(y + 1) * factor {
            let row = plane.row(row.min(last));
            let inside = &row[columns.start * factor..(columns.end * factor).min(row.len())];
            if factor == 2 {
                for (sum, pair) in sums.iter_mut().zip(inside.as_chunks::<2>().0) {
                    *sum += u32::from(pair[0]) + u32::from(pair[1]);
                }
            } else {
                for (sum, samples) in sums.iter_mut().zip(inside.chunks_exact(factor)) {
                    for v in samples {
                        *sum += u32::from(*v);
                    }
                }
            }
            // Beyond the border the last pixel counts.
            let rest = &inside[inside.len() / factor * factor..];
            if !rest.is_empty() {
                let beyond = (factor - rest.len()) as u32 * u32::from(rest[rest.len() - 1]);
                sums[columns.len() - 1] += rest.iter().map(|v| u32::from(*v)).sum::<u32>() + beyond;
            }
        }
        for (out, sum) in tile.row(y).iter_mut().zip(sums) {
            *out = ((sum + area / 2) / area) as u16;
        }
    }
}

fn sweep_across(gaussian: &Gaussian, from: &Plane, into: &mut Plane) {
    into.each_tile(
        |x, y| from.flat_over(around(x, gaussian.radius[0]), around(y, 0)),
        |tile| across_tile(gaussian, from, tile),
    );
}

#[multiversion(targets = "simd")]
fn across_tile(gaussian: &Gaussian, from: &Plane, tile: &mut TileMut<'_>) {
    for y in tile.y.clone() {
        let start = tile.x.start;
        across(gaussian, from.row(y), start, tile.row(y));
    }
}

fn sweep_down(gaussian: &Gaussian, from: &Plane, into: &mut Plane) {
    into.each_tile(
        |x, y| from.flat_over(around(x, 0), around(y, gaussian.radius[1])),
        |tile| down_tile(gaussian, from, tile),
    );
}

#[multiversion(targets = "simd")]
fn down_tile(gaussian: &Gaussian, from: &Plane, tile: &mut TileMut<'_>) {
    let (x, height) = (tile.x.clone(), from.size.height());
    for y in tile.y.clone() {
        let row = |i| &from.row(clamped(y, i, height))[x.clone()];
        weighted(gaussian.radius[1], &gaussian.weights[1], row, tile.row(y));
    }
}

/// Rows of the small picture that a tile's rows are made of, at most.
const ROWS: usize = TILE / 2 + 4;

/// The small picture at full size: along rows, then down columns.
#[multiversion(targets = "simd")]
fn enlarge_tile(gaussian: &Gaussian, small: &Plane, tile: &mut TileMut<'_>) {
    let (factor, size) = (gaussian.factor as usize, gaussian.small);
    let (start, columns) = (tile.x.start, tile.x.len());
    let last = size.width() as isize - 1;
    let mut taps = [[0usize; 4]; TILE];
    for (i, tap) in taps.iter_mut().enumerate().take(columns) {
        let near = gaussian.nearest(start + i);
        *tap = [near - 1, near, near + 1, near + 2].map(|at| at.clamp(0, last) as usize);
    }
    let top = gaussian.nearest(tile.y.start) - 1;
    let count = (gaussian.nearest(tile.y.end - 1) + 3 - top) as usize;
    let mut wide = [[0u16; TILE]; ROWS];
    for (row, wide) in wide.iter_mut().enumerate().take(count) {
        let row = small.row((top + row as isize).clamp(0, size.height() as isize - 1) as usize);
        for (i, (out, tap)) in wide.iter_mut().zip(&taps).enumerate().take(columns) {
            let weights = gaussian.phases[(start + i) & (factor - 1)];
            let mut sum = 16384;
            for (at, weight) in tap.iter().zip(weights) {
                sum += u32::from(row[*at]) * weight;
            }
            *out = (sum >> 15) as u16;
        }
    }
    for y in tile.y.clone() {
        let near = (gaussian.nearest(y) - 1 - top) as usize;
        let [a, b, c, d] = [&wide[near], &wide[near + 1], &wide[near + 2], &wide[near + 3]];
        let down = gaussian.phases[y & (factor - 1)];
        let rows = a.iter().zip(b).zip(c.iter().zip(d));
        for (out, ((a, b), (c, d))) in tile.row(y).iter_mut().zip(rows) {
            let sum = u32::from(*a) * down[0]
                + u32::from(*b) * down[1]
                + u32::from(*c) * down[2]
                + u32::from(*d) * down[3];
            *out = ((sum + 16384) >> 15) as u16;
        }
    }
}
