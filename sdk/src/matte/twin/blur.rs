//! The plain twins of `reduce.wgsl`, `blur.wgsl` and `enlarge.wgsl`, for planes and for linear pictures.

use rayon::prelude::*;

use super::plane::{Plane, TILE, around};
use crate::frame::Size;
use crate::matte::gaussian::{Gaussian, MAX_RADIUS};

/// Samples that are worked on at once: enough for a tile of four channels.
const CHUNK: usize = 4 * TILE;
const MARGIN: usize = 4 * MAX_RADIUS;

/// `into` gets the weighted sum of `rows(-i)` and `rows(i)`. All have one length, at most [`CHUNK`].
fn weighted<'a>(gaussian: &Gaussian, row: impl Fn(isize) -> &'a [u16], into: &mut [u16]) {
    let mut sums = [0u32; CHUNK];
    let sums = &mut sums[..into.len()];
    for (sum, v) in sums.iter_mut().zip(row(0)) {
        *sum = u32::from(*v) * gaussian.weights[0];
    }
    for i in 1..=gaussian.radius {
        let weight = gaussian.weights[i];
        let pairs = row(-(i as isize)).iter().zip(row(i as isize));
        for (sum, (a, b)) in sums.iter_mut().zip(pairs) {
            *sum += (u32::from(*a) + u32::from(*b)) * weight;
        }
    }
    for (out, sum) in into.iter_mut().zip(sums) {
        *out = ((*sum + 32768) >> 16) as u16;
    }
}

/// Samples `start..start + into.len()` of a row, blurred along it. `channels` samples make a pixel.
fn across(gaussian: &Gaussian, row: &[u16], channels: usize, start: usize, into: &mut [u16]) {
    let margin = gaussian.radius * channels;
    let mut padded = [0u16; CHUNK + 2 * MARGIN];
    let padded = &mut padded[..into.len() + 2 * margin];
    let want = start as isize - margin as isize..(start + into.len() + margin) as isize;
    let have = want.start.max(0) as usize..want.end.min(row.len() as isize) as usize;
    let skipped = (have.start as isize - want.start) as usize;
    padded[skipped..skipped + have.len()].copy_from_slice(&row[have.clone()]);
    // Beyond the border the last pixel counts.
    for i in 0..skipped {
        padded[i] = row[i % channels];
    }
    for i in skipped + have.len()..padded.len() {
        padded[i] = row[row.len() - channels + (i - skipped - have.len()) % channels];
    }
    let length = into.len();
    let at = |i: isize| (margin as isize + i * channels as isize) as usize;
    weighted(gaussian, |i| &padded[at(i)..][..length], into);
}

fn clamped(y: usize, by: isize, height: usize) -> usize {
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
        widen::<1>(gaussian, &small.values, size.width(), wide);
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
        |x, y| from.flat_over(around(x, gaussian.radius), around(y, 0)),
        |tile| {
            for y in tile.y.clone() {
                let start = tile.x.start;
                across(gaussian, from.row(y), 1, start, tile.row(y));
            }
        },
    );
}

fn sweep_down(gaussian: &Gaussian, from: &Plane, into: &mut Plane) {
    let height = from.size.height();
    into.each_tile(
        |x, y| from.flat_over(around(x, 0), around(y, gaussian.radius)),
        |tile| {
            let x = tile.x.clone();
            for y in tile.y.clone() {
                weighted(gaussian, |i| &from.row(clamped(y, i, height))[x.clone()], tile.row(y));
            }
        },
    );
}

/// Every row of the small picture at full width, the first half of enlarging.
fn widen<const CHANNELS: usize>(gaussian: &Gaussian, small: &[u16], width: usize, wide: &mut Vec<u16>) {
    let (factor, size) = (gaussian.factor as usize, gaussian.small);
    wide.resize(size.height() * width * CHANNELS, 0);
    let rows = small.par_chunks(size.width() * CHANNELS);
    wide.par_chunks_mut(width * CHANNELS).zip(rows).for_each(|(out, row)| {
        for (x, pixel) in out.as_chunks_mut::<CHANNELS>().0.iter_mut().enumerate() {
            let near = gaussian.nearest(x);
            let weight = &gaussian.phases[x % factor];
            let mut sums = [16384u32; CHANNELS];
            for (j, weight) in weight.iter().enumerate() {
                let at = (near - 1 + j as isize).clamp(0, size.width() as isize - 1) as usize;
                let from = &row[at * CHANNELS..][..CHANNELS];
                sums.iter_mut().zip(from).for_each(|(sum, v)| *sum += u32::from(*v) * weight);
            }
            *pixel = sums.map(|sum| (sum >> 15) as u16);
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

/// A linear picture, four samples a pixel: premultiplied red, green, blue, and alpha.
#[derive(Debug, Default)]
pub struct ColourBlur {
    small: Vec<u16>,
    swept: Vec<u16>,
    wide: Vec<u16>,
    full: Vec<u16>,
}

const CHANNELS: usize = 4;

impl ColourBlur {
    /// The blurred plate. `linear(y, row)` gives the plate's row `y` in linear light.
    pub fn run(
        &mut self,
        gaussian: &Gaussian,
        size: Size,
        linear: impl Fn(usize, &mut [u16]) + Sync,
    ) -> &[u16] {
        let (factor, small) = (gaussian.factor as usize, gaussian.small);
        let stride = small.width() * CHANNELS;
        let samples = small.area_px() * CHANNELS;
        self.small.resize(samples, 0);
        self.swept.resize(samples, 0);
        self.small.par_chunks_mut(stride).enumerate().for_each_init(
            || (vec![0u16; size.width() * CHANNELS], vec![0u32; stride]),
            |(row, sums), (y, out)| {
                sums.fill(0);
                for full_y in y * factor..(y + 1) * factor {
                    linear(full_y.min(size.height() - 1), row);
                    add_squares(row, factor, sums);
                }
                let area = (factor * factor) as u32;
                out.iter_mut().zip(&*sums).for_each(|(out, sum)| *out = ((sum + area / 2) / area) as u16);
            },
        );
        let from = &self.small;
        self.swept.par_chunks_mut(stride).enumerate().for_each(|(y, out)| {
            let row = &from[y * stride..][..stride];
            for (i, out) in out.chunks_mut(CHUNK).enumerate() {
                across(gaussian, row, CHANNELS, i * CHUNK, out);
            }
        });
        let from = &self.swept;
        self.small.par_chunks_mut(stride).enumerate().for_each(|(y, out)| {
            for (i, out) in out.chunks_mut(CHUNK).enumerate() {
                let row = |by| &from[clamped(y, by, small.height()) * stride + i * CHUNK..];
                let length = out.len();
                weighted(gaussian, |by| &row(by)[..length], out);
            }
        });
        if factor == 1 {
            return &self.small;
        }
        self.full.resize(size.area_px() * CHANNELS, 0);
        widen::<CHANNELS>(gaussian, &self.small, size.width(), &mut self.wide);
        let (wide, stride) = (&self.wide, size.width() * CHANNELS);
        self.full.par_chunks_mut(stride).enumerate().for_each(|(y, out)| {
            heighten(gaussian, wide, stride, y, 0, out);
        });
        &self.full
    }
}

/// Adds each stretch of `factor` pixels to its sum; beyond the border the last pixel counts.
fn add_squares(row: &[u16], factor: usize, sums: &mut [u32]) {
    let last = &row[row.len() - CHANNELS..];
    for (sum, pixels) in sums.chunks_exact_mut(CHANNELS).zip(row.chunks(factor * CHANNELS)) {
        for pixel in pixels.chunks_exact(CHANNELS) {
            sum.iter_mut().zip(pixel).for_each(|(s, v)| *s += u32::from(*v));
        }
        let missing = (factor - pixels.len() / CHANNELS) as u32;
        sum.iter_mut().zip(last).for_each(|(s, v)| *s += missing * u32::from(*v));
    }
}
