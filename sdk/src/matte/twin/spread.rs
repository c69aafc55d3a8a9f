//! The plain twins of `reduce.wgsl`, `blur.wgsl` and `enlarge.wgsl` for linear pictures.

use std::ops::Range;

use multiversion::multiversion;
use rayon::prelude::*;
use rotomask_shaders::weight;

use super::blur::clamped;
use super::pixels::{Four, Lights, linear_row};
use super::plane::{Plane, TILE, bytes, fit};
use crate::matte::gaussian::{Gaussian, MAX_FACTOR, MAX_RADIUS, Weights};
use crate::matte::light::{FULL, Light};
use crate::matte::plan::Spread;

/// A blurred linear picture: premultiplied red, green, blue, and alpha. Its rows are made when they are asked for.
#[derive(Debug, Default)]
pub struct Blurred {
    small: Vec<Four>,
    swept: Vec<Four>,
    /// The small picture at full width, where it is smaller.
    wide: Vec<Four>,
    gaussian: Option<Gaussian>,
    width: usize,
}

#[inline(always)]
fn times(value: Four, by: f32) -> Four {
    [value[0] * by, value[1] * by, value[2] * by, value[3] * by]
}

#[inline(always)]
fn plus(a: Four, b: Four) -> Four {
    [a[0] + b[0], a[1] + b[1], a[2] + b[2], a[3] + b[3]]
}

/// Pixels that are swept at once.
const CHUNK: usize = 64;

/// The weighted sums of pixels and of their neighbours to both sides, all of them a row of floats.
#[inline(always)]
fn weighted<'a>(radius: usize, weights: &Weights, row: impl Fn(isize) -> &'a [Four], into: &mut [Four]) {
    let mut sums = [0.0f32; 4 * CHUNK];
    let sums = &mut sums[..4 * into.len()];
    let first = weights[0] as f32;
    for (sum, v) in sums.iter_mut().zip(row(0).as_flattened()) {
        *sum = v * first;
    }
    for (i, weight) in weights.iter().enumerate().take(radius + 1).skip(1) {
        let weight = *weight as f32;
        let (before, after) = (row(-(i as isize)).as_flattened(), row(i as isize).as_flattened());
        for ((sum, a), b) in sums.iter_mut().zip(before).zip(after) {
            *sum += (a + b) * weight;
        }
    }
    for (out, sum) in into.as_flattened_mut().iter_mut().zip(sums) {
        *out = *sum * (1.0 / 65536.0);
    }
}

/// Some columns of a row, blurred along it.
#[multiversion(targets = "simd")]
fn across(gaussian: &Gaussian, row: &[Four], run: Range<usize>, out: &mut [Four]) {
    let margin = gaussian.radius[0];
    let mut padded = [[0.0; 4]; CHUNK + 2 * MAX_RADIUS];
    for start in run.clone().step_by(CHUNK) {
        let length = CHUNK.min(run.end - start);
        let padded = &mut padded[..length + 2 * margin];
        // Beyond the border the last pixel counts.
        let before = margin.saturating_sub(start);
        let after = (start + length + margin).saturating_sub(row.len());
        let (inside, all) = (start + before - margin, padded.len());
        padded[before..all - after].copy_from_slice(&row[inside..inside + all - before - after]);
        padded[..before].fill(row[0]);
        padded[all - after..].fill(row[row.len() - 1]);
        let at = |i: isize| &padded[margin.wrapping_add_signed(i)..][..length];
        weighted(margin, &gaussian.weights[0], at, &mut out[start..start + length]);
    }
}

/// Some columns of row `y` of a picture, blurred down its columns.
#[multiversion(targets = "simd")]
fn down(gaussian: &Gaussian, from: &[Four], y: usize, run: Range<usize>, out: &mut [Four]) {
    let (width, height) = (gaussian.small.width(), gaussian.small.height());
    for start in run.clone().step_by(CHUNK) {
        let length = CHUNK.min(run.end - start);
        let at = |by: isize| &from[clamped(y, by, height) * width + start..][..length];
        weighted(gaussian.radius[1], &gaussian.weights[1], at, &mut out[start..start + length]);
    }
}

/// Blurs a reduced picture in place. Of each row only the columns that `runs` says count; what lies beside them is read
/// as it is.
pub fn sweep<R: Iterator<Item = Range<usize>>>(
    gaussian: &Gaussian,
    small: &mut [Four],
    swept: &mut Vec<Four>,
    runs: impl Fn(usize) -> R + Sync,
) {
    let width = gaussian.small.width();
    fit(swept, small.len(), [0.0; 4]);
    let from = &*small;
    swept.par_chunks_mut(width).enumerate().for_each(|(y, out)| {
        for run in runs(y) {
            across(gaussian, &from[y * width..][..width], run, out);
        }
    });
    let from = &*swept;
    small.par_chunks_mut(width).enumerate().for_each(|(y, out)| {
        for run in runs(y) {
            down(gaussian, from, y, run, out);
        }
    });
}

/// The four samples that make a full-size one, of `count`.
#[inline(always)]
pub fn four(gaussian: &Gaussian, at: usize, count: usize) -> [usize; 4] {
    let near = gaussian.nearest(at);
    let last = count as isize - 1;
    [near - 1, near, near + 1, near + 2].map(|at| at.clamp(0, last) as usize)
}

/// Four samples by their weights of 1/32768.
#[inline(always)]
fn enlarged([a, b, c, d]: [Four; 4], by: [f32; 4]) -> Four {
    let sum = plus(plus(plus(times(a, by[0]), times(b, by[1])), times(c, by[2])), times(d, by[3]));
    times(sum, 1.0 / 32768.0)
}

/// Weights for each place in a square, as floats: they have no more than 16 bits.
pub fn phases(gaussian: &Gaussian) -> [[f32; 4]; MAX_FACTOR] {
    std::array::from_fn(|at| gaussian.phases[at].map(|weight| weight as f32))
}

/// Some columns of a row of the small picture, at full width.
#[multiversion(targets = "simd")]
pub fn widen(
    gaussian: &Gaussian,
    phases: &[[f32; 4]; MAX_FACTOR],
    row: &[Four],
    columns: Range<usize>,
    out: &mut [Four],
) {
    let factor = gaussian.factor as usize;
    for x in columns {
        let [a, b, c, d] = four(gaussian, x, row.len());
        out[x] = enlarged([row[a], row[b], row[c], row[d]], phases[x & (factor - 1)]);
    }
}

/// The means of squares of pixels, a row of them.
#[multiversion(targets = "simd")]
fn reduce(
    spread: &Spread<'_>,
    light: &Light,
    coverage: &Plane,
    y: usize,
    row: &mut [Four],
    out: &mut [Four],
) {
    let factor = spread.gaussian.factor as usize;
    let last = spread.picture.size().height() - 1;
    out.fill([0.0; 4]);
    for full_y in y * factor..(y + 1) * factor {
        let full_y = full_y.min(last);
        linear_row(spread.picture, full_y, light, row);
        weigh(row, spread.weight, coverage.row(full_y));
        match factor {
            1 => out.copy_from_slice(row),
            2 => add_squares::<2>(row, factor, out),
            4 => add_squares::<4>(row, factor, out),
            _ => add_squares::<8>(row, factor, out),
        }
    }
    let share = 1.0 / (factor * factor) as f32;
    for out in out {
        *out = times(*out, share);
    }
}

#[inline(always)]
fn weigh(row: &mut [Four], by: u32, coverage: &[u16]) {
    match by {
        weight::NONE => {}
        weight::INSIDE => {
            for (pixel, v) in row.iter_mut().zip(coverage) {
                *pixel = times(*pixel, f32::from(*v) * (1.0 / 65535.0));
            }
        }
        _ => {
            for (pixel, v) in row.iter_mut().zip(coverage) {
                *pixel = times(*pixel, (FULL - u32::from(*v)) as f32 * (1.0 / 65535.0));
            }
        }
    }
}

/// Adds each stretch of `factor` pixels, a multiple of `STEP`, to its sum; beyond the border the last pixel counts.
#[inline(always)]
fn add_squares<const STEP: usize>(row: &[Four], factor: usize, sums: &mut [Four]) {
    let last = row[row.len() - 1];
    for (sum, pixels) in sums.iter_mut().zip(row.chunks(factor)) {
        let (whole, rest) = pixels.as_chunks::<STEP>();
        for pixels in whole {
            for pixel in pixels {
                *sum = plus(*sum, *pixel);
            }
        }
        for pixel in rest {
            *sum = plus(*sum, *pixel);
        }
        for _ in pixels.len()..factor {
            *sum = plus(*sum, last);
        }
    }
}

impl Blurred {
    /// Bytes that it takes.
    pub fn bytes(&self) -> u64 {
        bytes(&self.small) + bytes(&self.swept) + bytes(&self.wide)
    }

    /// Blurs the picture's light, weighted by coverage as asked. `coverage` has the picture's size.
    pub fn run(&mut self, spread: &Spread<'_>, light: &Light, coverage: &Plane) {
        let (gaussian, size) = (&spread.gaussian, spread.picture.size());
        let small = gaussian.small;
        let width = small.width();
        fit(&mut self.small, small.area_px(), [0.0; 4]);
        self.small.par_chunks_mut(width).enumerate().for_each_init(
            || vec![[0.0; 4]; size.width()],
            |row, (y, out)| reduce(spread, light, coverage, y, row, out),
        );
        sweep(gaussian, &mut self.small, &mut self.swept, |_| std::iter::once(0..width));
        (self.gaussian, self.width) = (Some(*gaussian), size.width());
        if gaussian.factor > 1 {
            let (full, phases) = (size.width(), phases(gaussian));
            fit(&mut self.wide, small.height() * full, [0.0; 4]);
            let rows = self.wide.par_chunks_mut(full).zip(self.small.par_chunks(width));
            rows.for_each(|(out, row)| widen(gaussian, &phases, row, 0..full, out));
        }
    }

    /// `count` blurred pixels of row `y`, from column `x` on.
    #[inline(always)]
    pub fn stretch(&self, x: usize, y: usize, count: usize, into: &mut Lights) {
        let Some(gaussian) = &self.gaussian else { return };
        let mut pixels = [[0.0; 4]; TILE];
        let pixels = &mut pixels[..count];
        if gaussian.factor == 1 {
            pixels.copy_from_slice(&self.small[y * self.width + x..][..count]);
        } else {
            let by = gaussian.phases[y % gaussian.factor as usize].map(|weight| weight as f32);
            let rows = four(gaussian, y, gaussian.small.height());
            between(rows.map(|row| &self.wide[row * self.width + x..][..count]), by, pixels);
        }
        transposed(pixels, into);
    }
}

/// Pixels between four rows, by their weights of 1/32768.
#[inline(always)]
pub fn between(rows: [&[Four]; 4], by: [f32; 4], into: &mut [Four]) {
    let [a, b, c, d] = rows.map(|row| row.as_flattened());
    let rows = a.iter().zip(b).zip(c.iter().zip(d));
    for (out, ((a, b), (c, d))) in into.as_flattened_mut().iter_mut().zip(rows) {
        *out = (a * by[0] + b * by[1] + c * by[2] + d * by[3]) * (1.0 / 32768.0);
    }
}

/// Pixels with their channels apart.
#[inline(always)]
pub fn transposed(pixels: &[Four], into: &mut Lights) {
    for (i, pixel) in pixels.iter().enumerate() {
        for (channel, v) in into.iter_mut().zip(pixel) {
            channel[i] = *v;
        }
    }
}
