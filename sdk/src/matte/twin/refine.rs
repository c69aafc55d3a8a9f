//! The plain twins of `moments.wgsl`, `solve.wgsl`, `solid.wgsl` and `refine.wgsl`.

use std::ops::Range;

use rayon::prelude::*;

use super::pixels::{Four, linear};
use super::plane::{Plane, TILE, around, bytes, fit};
use super::spread::{enlarged, four, phases, sweep, widen};
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

/// A pixel as the filter sees it: `guide.wgsl`.
fn guide(pixel: &[u8], plate: FrameView<'_>, light: &Light) -> [f32; 3] {
    let [r, g, b, _] = linear(pixel, plate.format(), light);
    // What is no number is black.
    [r, g, b].map(|v| if v > 0.0 { v.min(1.0).sqrt() } else { 0.0 })
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
        // What a pixel's line depends on reaches this far; and what that depends on, as far again.
        let reach = 2 * g.reach_px() as usize + 1;
        let near = Near::new(coverage, 2 * reach);
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
        let (width, bytes) = (small.width(), plate.format().bytes_per_pixel());
        let share = 1.0 / (factor * factor) as f32;
        let [first, second, third, fourth] = &mut self.moments;
        let rows = first.par_chunks_mut(width).zip(second.par_chunks_mut(width));
        let rows = rows.zip(third.par_chunks_mut(width)).zip(fourth.par_chunks_mut(width));
        rows.enumerate().for_each(|(y, (((first, second), third), fourth))| {
            for at in near.runs(y, factor, width).flatten() {
                let [mut a, mut b, mut c] = [[0.0; 4]; 3];
                let mut d = 0.0;
                for row in y * factor..(y + 1) * factor {
                    let row = row.min(size.height() - 1);
                    let (pixels, covered) = (plate.row(row), coverage.row(row));
                    for x in at * factor..(at + 1) * factor {
                        let x = x.min(size.width() - 1);
                        let [red, green, blue] = guide(&pixels[x * bytes..][..bytes], plate, light);
                        let p = f32::from(covered[x]) * (1.0 / 65535.0);
                        add(&mut a, [red, green, blue, p]);
                        add(&mut b, [red * red, red * green, red * blue, green * green]);
                        add(&mut c, [green * blue, blue * blue, red * p, green * p]);
                        d += blue * p;
                    }
                }
                first[at] = a.map(|v| v * share);
                second[at] = b.map(|v| v * share);
                third[at] = c.map(|v| v * share);
                fourth[at] = [d * share, 0.0, 0.0, 0.0];
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
        let g = &refine.gaussian;
        let (width, factor, bytes) =
            (coverage.size.width(), g.factor as usize, plate.format().bytes_per_pixel());
        let (lines, wide) = (&self.lines, &self.wide);
        into.each_tile(
            |x, y| coverage.flat_over(around(x, reach), around(y, reach)),
            |tile| {
                let start = tile.x.start;
                for y in tile.y.clone() {
                    let rows = four(g, y, g.small.height());
                    let down = g.phases[y % factor].map(|weight| weight as f32);
                    let (pixels, covered) = (plate.row(y), coverage.row(y));
                    for (i, out) in tile.row(y).iter_mut().enumerate() {
                        let x = start + i;
                        let [a, b, c, d] = match factor {
                            1 => lines[y * width + x],
                            _ => enlarged(rows.map(|row| wide[row * width + x]), down),
                        };
                        let [red, green, blue] = guide(&pixels[x * bytes..][..bytes], plate, light);
                        let found = (((a * red + b * green) + c * blue) + d).clamp(0.0, 1.0);
                        let before = f32::from(covered[x]) * (1.0 / 65535.0);
                        let mixed = before + (found - before) * refine.strength;
                        *out = (mixed.clamp(0.0, 1.0) * 65535.0 + 0.5) as u16;
                    }
                }
            },
        );
    }
}

fn add(sum: &mut Four, value: Four) {
    sum.iter_mut().zip(value).for_each(|(sum, v)| *sum += v);
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
