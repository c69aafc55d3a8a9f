//! The plain twins of `moments.wgsl`, `solve.wgsl`, `solid.wgsl` and `refine.wgsl`.

use std::ops::Range;

use multiversion::multiversion;
use rayon::prelude::*;

use super::pixels::{DARK, Four, Lights, Numbers, linear_stretch};
use super::plane::{Plane, TILE, TileMut, around, bytes, fit};
use super::spread::{between, four, phases, sweep, transposed, widen};
use crate::frame::{FrameView, Size};
use crate::matte::gaussian::Gaussian;
use crate::matte::light::Light;
use crate::matte::plan::{LEAST_VARIANCE, Refine};

/// A guided filter's memory.
#[derive(Debug, Default)]
pub struct Refining {
    moments: [Vec<Four>; 4],
    lines: Vec<Four>,
    swept: Vec<Four>,
    wide: Vec<Four>,
}

/// The tiles that matter: those from which the edge is not too far.
struct Near {
    across: usize,
    tiles: Vec<bool>,
}

impl Near {
    fn new(coverage: &Plane, margin: usize) -> Self {
        let (width, height) = (coverage.size.width(), coverage.size.height());
        let range = |first: usize, all: usize| first..(first + TILE).min(all);
        let of = |y: usize, x: usize| {
            let (x, y) = (range(x, width), range(y, height));
            coverage.flat_over(around(&x, margin), around(&y, margin)).is_none()
        };
        let rows = (0..height).step_by(TILE);
        let tiles = rows.flat_map(|y| (0..width).step_by(TILE).map(move |x| of(y, x))).collect();
        Self { across: width.div_ceil(TILE), tiles }
    }

    /// The columns of a row of samples, each `factor` pixels wide and high, that lie in tiles that matter.
    fn runs(&self, y: usize, factor: usize, width: usize) -> impl Iterator<Item = Range<usize>> + '_ {
        let side = TILE / factor;
        let row = &self.tiles[y / side * self.across..][..self.across];
        let near = row.iter().enumerate().filter(|(_, near)| **near);
        near.map(move |(x, _)| x * side..((x + 1) * side).min(width))
    }
}

/// A stretch as the filter sees it: `guide.wgsl`. `rgb` holds its linear light.
#[inline(always)]
fn guide(rgb: &mut Lights) {
    for channel in &mut rgb[..3] {
        for v in channel {
            // What is no number is black.
            *v = if *v > 0.0 { v.min(1.0).sqrt() } else { 0.0 };
        }
    }
}

/// How many numbers a guided filter needs of a pixel.
const SUMS: usize = 13;

/// A run of squares' sums from one row: colour and coverage, and the products that a guided filter needs.
#[multiversion(targets = "simd")]
fn add_row(
    plate: FrameView<'_>,
    light: &Light,
    covered: &[u16],
    y: usize,
    run: &Range<usize>,
    factor: usize,
    sums: &mut [[f32; SUMS]],
) {
    let (format, row) = (plate.format(), plate.row(y));
    let (width, bytes) = (covered.len(), format.bytes_per_pixel());
    // A stretch is whole squares, the last of which may reach beyond the border.
    let squares = TILE / factor;
    for first in run.clone().step_by(squares) {
        let count = squares.min(run.end - first);
        let x = first * factor..((first + count) * factor).min(width);
        let mut rgb = DARK;
        linear_stretch(&row[x.start * bytes..x.end * bytes], format, light, &mut rgb);
        guide(&mut rgb);
        let [mut r, mut g, mut b, mut p] = rgb;
        for channel in [&mut r, &mut g, &mut b] {
            for v in channel {
                *v = (*v * 4096.0 + 0.5) as u32 as f32 * (1.0 / 4096.0);
            }
        }
        for (p, sample) in p.iter_mut().zip(&covered[x.clone()]) {
            *p = ((u32::from(*sample) * 4096 + 32767) / 65535) as f32 * (1.0 / 4096.0);
        }
        for channel in [&mut r, &mut g, &mut b, &mut p] {
            // Beyond the border the last pixel counts.
            let last = channel[x.len() - 1];
            channel[x.len()..].fill(last);
        }
        let product = |a: &Numbers, b: &Numbers| -> Numbers {
            let mut product = [0.0; TILE];
            for ((out, a), b) in product.iter_mut().zip(a).zip(b) {
                *out = a * b;
            }
            product
        };
        let [rr, rg, rb, gg] = [product(&r, &r), product(&r, &g), product(&r, &b), product(&g, &g)];
        let [gb, bb, rp, gp] = [product(&g, &b), product(&b, &b), product(&r, &p), product(&g, &p)];
        let bp = product(&b, &p);
        let all = [&r, &g, &b, &p, &rr, &rg, &rb, &gg, &gb, &bb, &rp, &gp, &bp];
        let places = sums[first - run.start..][..count].iter_mut().enumerate();
        for (i, sums) in places {
            for (sum, numbers) in sums.iter_mut().zip(all) {
                for v in &numbers[i * factor..(i + 1) * factor] {
                    *sum += v;
                }
            }
        }
    }
}

impl Refining {
    /// Bytes that it takes.
    pub fn bytes(&self) -> u64 {
        self.moments.iter().chain([&self.lines, &self.swept, &self.wide]).map(bytes).sum()
    }

    /// Coverage from the plate's colours. All have one size.
    pub fn run(
        &mut self,
        refine: &Refine,
        plate: FrameView<'_>,
        light: &Light,
        coverage: &Plane,
        into: &mut Plane,
    ) {
        let g = &refine.gaussian;
        let (small, factor) = (g.small, g.factor as usize);
        // What a pixel depends on reaches this far, and a tile is finished where the edge is within it. So what a tile needs
        // may lie this far on its one side, and the edge as far on its other.
        let reach = 2 * g.reach_px() as usize + 1;
        let near = Near::new(coverage, 2 * reach + TILE);
        let runs = |y: usize| near.runs(y, factor, small.width());
        self.moments.iter_mut().for_each(|plane| fit(plane, small.area_px(), [0.0; 4]));
        self.moments(g, plate, light, coverage, &near);
        for plane in &mut self.moments {
            sweep(g, plane, &mut self.swept, runs);
        }
        fit(&mut self.lines, small.area_px(), [0.0; 4]);
        let [first, second, third, fourth] = &self.moments;
        self.lines.par_chunks_mut(small.width()).enumerate().for_each(|(y, lines)| {
            let row = y * small.width();
            for x in runs(y).flatten() {
                let i = row + x;
                lines[x] = solve(first[i], second[i], third[i], fourth[i]);
            }
        });
        sweep(g, &mut self.lines, &mut self.swept, runs);
        let first = &self.moments[0];
        self.lines.par_chunks_mut(small.width()).enumerate().for_each(|(y, lines)| {
            let row = y * small.width();
            runs(y).flatten().for_each(|x| lines[x] = solid(first[row + x][3], lines[x]));
        });
        if factor > 1 {
            self.widen(g, coverage.size, &near);
        }
        self.apply(refine, plate, light, coverage, into, reach);
    }

    fn moments(&mut self, g: &Gaussian, plate: FrameView<'_>, light: &Light, coverage: &Plane, near: &Near) {
        let (small, size, factor) = (g.small, coverage.size, g.factor as usize);
        let width = small.width();
        let share = 1.0 / (factor * factor) as f32;
        let [first, second, third, fourth] = &mut self.moments;
        let rows = first.par_chunks_mut(width).zip(second.par_chunks_mut(width));
        let rows = rows.zip(third.par_chunks_mut(width)).zip(fourth.par_chunks_mut(width));
        rows.enumerate().for_each(|(y, (((first, second), third), fourth))| {
            for run in near.runs(y, factor, width) {
                // A tile's width of squares at most.
                let mut sums = [[0.0; SUMS]; TILE];
                for row in y * factor..(y + 1) * factor {
                    let row = row.min(size.height() - 1);
                    add_row(plate, light, coverage.row(row), row, &run, factor, &mut sums);
                }
                for (at, sums) in run.zip(sums) {
                    let [r, g, b, p, rr, rg, rb, gg, gb, bb, rp, gp, bp] = sums.map(|sum| sum * share);
                    first[at] = [r, g, b, p];
                    second[at] = [rr, rg, rb, gg];
                    third[at] = [gb, bb, rp, gp];
                    fourth[at] = [bp, 0.0, 0.0, 0.0];
                }
            }
        });
    }

    /// Every row of lines at full width, the first half of enlarging.
    fn widen(&mut self, g: &Gaussian, full: Size, near: &Near) {
        let (factor, small, width, phases) = (g.factor as usize, g.small, full.width(), phases(g));
        fit(&mut self.wide, small.height() * width, [0.0; 4]);
        let rows = self.lines.par_chunks(small.width());
        self.wide.par_chunks_mut(width).zip(rows).enumerate().for_each(|(y, (out, row))| {
            for run in near.runs(y, factor, small.width()) {
                widen(g, &phases, row, run.start * factor..(run.end * factor).min(width), out);
            }
        });
    }

    fn apply(
        &self,
        refine: &Refine,
        plate: FrameView<'_>,
        light: &Light,
        coverage: &Plane,
        into: &mut Plane,
        reach: usize,
    ) {
        let work = Applying { refine, plate, light, coverage, lines: &self.lines, wide: &self.wide };
        into.each_tile(
            |x, y| coverage.flat_over(around(x, reach), around(y, reach)),
            |tile| apply_tile(&work, tile),
        );
    }
}

/// What the last pass reads.
struct Applying<'a> {
    refine: &'a Refine,
    plate: FrameView<'a>,
    light: &'a Light,
    coverage: &'a Plane,
    /// Of the small size, and at full width if that is smaller.
    lines: &'a [Four],
    wide: &'a [Four],
}

#[multiversion(targets = "simd")]
fn apply_tile(work: &Applying<'_>, tile: &mut TileMut<'_>) {
    let (g, strength) = (&work.refine.gaussian, work.refine.strength);
    let (width, format, columns) = (work.coverage.size.width(), work.plate.format(), tile.x.clone());
    let (factor, bytes) = (g.factor as usize, format.bytes_per_pixel());
    for y in tile.y.clone() {
        let mut pixels = [[0.0; 4]; TILE];
        let pixels = &mut pixels[..columns.len()];
        if factor == 1 {
            pixels.copy_from_slice(&work.lines[y * width..][columns.clone()]);
        } else {
            let rows = four(g, y, g.small.height()).map(|row| &work.wide[row * width..][columns.clone()]);
            between(rows, g.phases[y % factor].map(|weight| weight as f32), pixels);
        }
        let mut lines = DARK;
        transposed(pixels, &mut lines);
        let mut rgb = DARK;
        linear_stretch(
            &work.plate.row(y)[columns.start * bytes..columns.end * bytes],
            format,
            work.light,
            &mut rgb,
        );
        guide(&mut rgb);
        let [a, b, c, d] = &lines;
        let mut found = [0u32; TILE];
        for (i, found) in found.iter_mut().enumerate() {
            let line = ((a[i] * rgb[0][i] + b[i] * rgb[1][i]) + c[i] * rgb[2][i]) + d[i];
            *found = (line.clamp(0.0, 1.0) * 65535.0 + 0.5) as u32;
        }
        let before = &work.coverage.row(y)[columns.clone()];
        for ((out, before), found) in tile.row(y).iter_mut().zip(before).zip(found) {
            let mixed = found * strength + u32::from(*before) * (65536 - strength) + 32768;
            *out = (mixed >> 16) as u16;
        }
    }
}

/// Coverage as a line of colour: what red, green and blue count for, and what is added.
fn solve(first: Four, second: Four, third: Four, fourth: Four) -> Four {
    let [r, g, b, p] = first;
    let rr = (second[0] - r * r).max(0.0) + LEAST_VARIANCE;
    let rg = second[1] - r * g;
    let rb = second[2] - r * b;
    let gg = (second[3] - g * g).max(0.0) + LEAST_VARIANCE;
    let gb = third[0] - g * b;
    let bb = (third[1] - b * b).max(0.0) + LEAST_VARIANCE;
    let (rp, gp, bp) = (third[2] - r * p, third[3] - g * p, fourth[0] - b * p);
    let by_rr = 1.0 / rr;
    let (l, m) = (rg * by_rr, rb * by_rr);
    let by_d = 1.0 / (gg - l * rg).max(LEAST_VARIANCE);
    let n = (gb - l * rb) * by_d;
    let e = ((bb - m * rb) - n * (gb - l * rb)).max(LEAST_VARIANCE);
    let v = gp - l * rp;
    let w = (bp - m * rp) - n * v;
    let z = w * (1.0 / e);
    let y = v * by_d - n * z;
    let x = (rp * by_rr - l * y) - m * z;
    [x, y, z, p - ((x * r + y * g) + z * b)]
}

/// A line, or a constant where the blurred coverage `p` says that the edge is far.
fn solid(p: f32, line: Four) -> Four {
    let near = ((p.min(1.0 - p) - 0.002) * 125.0).clamp(0.0, 1.0);
    let [x, y, z, w] = line.map(|v| v * near);
    [x, y, z, w + if p > 0.5 { 1.0 - near } else { 0.0 }]
}
