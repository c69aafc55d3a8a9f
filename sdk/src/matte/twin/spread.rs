//! The plain twins of `reduce.wgsl`, `blur.wgsl` and `enlarge.wgsl` for linear pictures.

use std::ops::Range;

use rayon::prelude::*;
use rotomask_shaders::weight;

use super::blur::clamped;
use super::pixels::{Four, linear_row};
use super::plane::{Plane, fit};
use crate::matte::gaussian::{Gaussian, Weights};
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

fn times(value: Four, by: f32) -> Four {
    value.map(|v| v * by)
}

fn plus(a: Four, b: Four) -> Four {
    [a[0] + b[0], a[1] + b[1], a[2] + b[2], a[3] + b[3]]
}

/// The weighted sum of a line's value and of its neighbours to both sides.
fn weighted(radius: usize, weights: &Weights, at: impl Fn(isize) -> Four) -> Four {
    let mut sum = times(at(0), weights[0] as f32);
    for (i, weight) in weights.iter().enumerate().take(radius + 1).skip(1) {
        sum = plus(sum, times(plus(at(-(i as isize)), at(i as isize)), *weight as f32));
    }
    times(sum, 1.0 / 65536.0)
}

/// Blurs a reduced picture in place. Of each row only the columns that `runs` says count; what lies beside them is read
/// as it is.
pub fn sweep<R: Iterator<Item = Range<usize>>>(
    gaussian: &Gaussian,
    small: &mut [Four],
    swept: &mut Vec<Four>,
    runs: impl Fn(usize) -> R + Sync,
) {
    let (width, height) = (gaussian.small.width(), gaussian.small.height());
    fit(swept, small.len(), [0.0; 4]);
    let from = &*small;
    swept.par_chunks_mut(width).enumerate().for_each(|(y, out)| {
        let row = &from[y * width..][..width];
        let last = width as isize - 1;
        for x in runs(y).flatten() {
            let at = |by: isize| row[(x as isize + by).clamp(0, last) as usize];
            out[x] = weighted(gaussian.radius[0], &gaussian.weights[0], at);
        }
    });
    let from = &*swept;
    small.par_chunks_mut(width).enumerate().for_each(|(y, out)| {
        for x in runs(y).flatten() {
            let at = |by: isize| from[clamped(y, by, height) * width + x];
            out[x] = weighted(gaussian.radius[1], &gaussian.weights[1], at);
        }
    });
}

/// The four samples that make a full-size one, of `count`.
pub fn four(gaussian: &Gaussian, at: usize, count: usize) -> [usize; 4] {
    let near = gaussian.nearest(at);
    std::array::from_fn(|j| (near - 1 + j as isize).clamp(0, count as isize - 1) as usize)
}

/// Four samples by their weights of 1/32768.
pub fn enlarged(values: [Four; 4], weights: [u32; 4]) -> Four {
    let [a, b, c, d] = std::array::from_fn(|i| times(values[i], weights[i] as f32));
    times(plus(plus(plus(a, b), c), d), 1.0 / 32768.0)
}

impl Blurred {
    /// Blurs the picture's light, weighted by coverage as asked. `coverage` has the picture's size.
    pub fn run(&mut self, spread: &Spread<'_>, light: &Light, coverage: &Plane) {
        let (gaussian, size) = (&spread.gaussian, spread.picture.size());
        let (factor, small) = (gaussian.factor as usize, gaussian.small);
        let width = small.width();
        fit(&mut self.small, small.area_px(), [0.0; 4]);
        self.small.par_chunks_mut(width).enumerate().for_each_init(
            || vec![[0.0; 4]; size.width()],
            |row, (y, out)| {
                out.fill([0.0; 4]);
                for full_y in y * factor..(y + 1) * factor {
                    let full_y = full_y.min(size.height() - 1);
                    linear_row(spread.picture, full_y, light, row);
                    weigh(row, spread.weight, coverage, full_y);
                    add_squares(row, factor, out);
                }
                out.iter_mut().for_each(|out| *out = times(*out, 1.0 / (factor * factor) as f32));
            },
        );
        sweep(gaussian, &mut self.small, &mut self.swept, |_| std::iter::once(0..width));
        (self.gaussian, self.width) = (Some(*gaussian), size.width());
        if factor > 1 {
            self.widen(gaussian);
        }
    }

    fn widen(&mut self, gaussian: &Gaussian) {
        let (factor, small, width) = (gaussian.factor as usize, gaussian.small, self.width);
        fit(&mut self.wide, small.height() * width, [0.0; 4]);
        let rows = self.small.par_chunks(small.width());
        self.wide.par_chunks_mut(width).zip(rows).for_each(|(out, row)| {
            for (x, out) in out.iter_mut().enumerate() {
                let at = four(gaussian, x, small.width());
                *out = enlarged(at.map(|at| row[at]), gaussian.phases[x % factor]);
            }
        });
    }

    /// Blurred pixels of row `y`, from column `x` on.
    pub fn stretch(&self, x: usize, y: usize, into: &mut [Four]) {
        let Some(gaussian) = &self.gaussian else { return };
        if gaussian.factor == 1 {
            return into.copy_from_slice(&self.small[y * self.width + x..][..into.len()]);
        }
        let phase = gaussian.phases[y % gaussian.factor as usize];
        let rows = four(gaussian, y, gaussian.small.height());
        let [a, b, c, d] = rows.map(|row| &self.wide[row * self.width + x..][..into.len()]);
        for (i, out) in into.iter_mut().enumerate() {
            *out = enlarged([a[i], b[i], c[i], d[i]], phase);
        }
    }
}

fn weigh(row: &mut [Four], by: u32, coverage: &Plane, y: usize) {
    let share = |v: u16| match by {
        weight::INSIDE => f32::from(v) * (1.0 / 65535.0),
        _ => (FULL - u32::from(v)) as f32 * (1.0 / 65535.0),
    };
    if by != weight::NONE {
        row.iter_mut().zip(coverage.row(y)).for_each(|(pixel, v)| *pixel = times(*pixel, share(*v)));
    }
}

/// Adds each stretch of `factor` pixels to its sum; beyond the border the last pixel counts.
fn add_squares(row: &[Four], factor: usize, sums: &mut [Four]) {
    let last = row[row.len() - 1];
    for (sum, pixels) in sums.iter_mut().zip(row.chunks(factor)) {
        pixels.iter().for_each(|pixel| *sum = plus(*sum, *pixel));
        (pixels.len()..factor).for_each(|_| *sum = plus(*sum, last));
    }
}
