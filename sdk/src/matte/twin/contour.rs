//! The plain twin of `contour.wgsl`: where the contour crosses columns, rows, and the lines half a pixel beside them.

use std::ops::Range;

use multiversion::multiversion;
use rayon::prelude::*;
use rotomask_shaders::layout::Grow;

use super::plane::{Plane, TILE, around, bytes, fit};
use crate::matte::light::FULL;

const HALF: u32 = 32768;
/// No crossing is as near.
pub const FAR: u32 = 46000;
const FAR16: u16 = FAR as u16;

/// The bit by which a sample is inside.
const INSIDE: u16 = 1 << 15;

fn crossing(a: u16, b: u16, unit: u32) -> u32 {
    let mut near = u32::from(a).abs_diff(HALF);
    let mut far = u32::from(b).abs_diff(HALF);
    let flat = |v: u16| v == 0 || u32::from(v) == FULL;
    match (flat(a), flat(b)) {
        (true, false) => near = near.max(65536 - far),
        (false, true) => far = far.max(65536 - near),
        _ => {}
    }
    near * unit / (near + far)
}

#[inline(always)]
fn limited(distance: u32, farthest: u32) -> u32 {
    if distance > farthest { FAR } else { distance }
}

/// The distance at a pixel, from its neighbour's distance in the same direction.
#[inline(always)]
fn step(here: u16, next: u16, beyond: u32, unit: u32, farthest: u32) -> u32 {
    let crosses = (here ^ next) & INSIDE != 0;
    limited(if crosses { crossing(here, next, unit) } else { beyond + unit }, farthest)
}

#[inline(always)]
fn mean(a: u16, b: u16) -> u16 {
    (u32::from(a) + u32::from(b)).div_ceil(2) as u16
}

/// Distances to the contour: along each pixel's own column and row, then along those half a pixel to its right and below.
/// They are known where [`Contour::clear`] doesn't say that nobody asks.
#[derive(Debug, Default)]
pub struct Contour {
    lines: [Vec<u16>; 4],
}

/// A band's memory: lines of coverage, and distances along them.
struct Scratch {
    line: Vec<u16>,
    before: Vec<u16>,
    distance: Vec<u32>,
}

impl Contour {
    pub fn lines(&self) -> [&[u16]; 4] {
        self.lines.each_ref().map(Vec::as_slice)
    }

    /// Bytes that it takes.
    pub fn bytes(&self) -> u64 {
        self.lines.iter().map(bytes).sum()
    }

    /// Tiles that the contour can't reach hold one value.
    pub fn clear(coverage: &Plane, job: &Grow, x: &Range<usize>, y: &Range<usize>) -> Option<u16> {
        coverage.flat_over(around(x, job.reach_x as usize + 1), around(y, job.reach_y as usize + 1))
    }

    pub fn find(&mut self, coverage: &Plane, job: &Grow) {
        let (width, height) = (coverage.size.width(), coverage.size.height());
        let asked = Asked::new(coverage, job);
        for line in &mut self.lines {
            fit(line, width * height, FAR16);
        }
        let [a, b, c, d] = &mut self.lines;
        let band = width * TILE;
        let bands = a.par_chunks_mut(band).zip(b.par_chunks_mut(band));
        let bands = bands.zip(c.par_chunks_mut(band)).zip(d.par_chunks_mut(band)).enumerate();
        bands.for_each_init(
            || Scratch { line: vec![0; width], before: vec![0; width], distance: vec![FAR; width] },
            |scratch, (band, (((columns, rows), half_columns), half_rows))| {
                let y = band * TILE..(band * TILE + TILE).min(height);
                for run in asked.runs(band) {
                    along_columns(coverage, job, &y, &run, false, scratch, columns);
                    along_columns(coverage, job, &y, &run, true, scratch, half_columns);
                    along_rows(coverage, job, &y, &run, false, scratch, rows);
                    along_rows(coverage, job, &y, &run, true, scratch, half_rows);
                }
            },
        );
    }
}

/// Which tiles are asked about, and so which columns of a band must be known.
struct Asked {
    /// For each tile, whether its pixels look for the contour.
    tiles: Vec<bool>,
    across: usize,
    width: usize,
    /// How far they look, in columns and in bands.
    reach: usize,
    bands: usize,
}

impl Asked {
    fn new(coverage: &Plane, job: &Grow) -> Self {
        let (width, height) = (coverage.size.width(), coverage.size.height());
        let range = |first: usize, all: usize| first..(first + TILE).min(all);
        let asks =
            |y: usize, x: usize| Contour::clear(coverage, job, &range(x, width), &range(y, height)).is_none();
        let rows = (0..height).step_by(TILE);
        Self {
            tiles: rows
                .flat_map(|y| (0..width).step_by(TILE).map(move |x| (y, x)))
                .map(|(y, x)| asks(y, x))
                .collect(),
            across: width.div_ceil(TILE),
            width,
            reach: job.reach_x as usize + 1,
            bands: (job.reach_y as usize + 1).div_ceil(TILE),
        }
    }

    /// Columns of a band, in runs that don't meet.
    fn runs(&self, band: usize) -> Vec<Range<usize>> {
        let count = self.tiles.len() / self.across;
        let bands = band.saturating_sub(self.bands)..(band + self.bands + 1).min(count);
        let mut runs: Vec<Range<usize>> = Vec::new();
        for tile in 0..self.across {
            if !bands.clone().any(|band| self.tiles[band * self.across + tile]) {
                continue;
            }
            let start = (tile * TILE).saturating_sub(self.reach);
            let end = ((tile + 1) * TILE + self.reach).min(self.width);
            match runs.last_mut() {
                Some(last) if start <= last.end => last.end = end,
                _ => runs.push(start..end),
            }
        }
        runs
    }
}

/// Walks over rows: down to the band's own, which `y` says, from as far above as counts, then up to them from below.
#[multiversion(targets = "simd")]
fn along_columns(
    coverage: &Plane,
    job: &Grow,
    y: &Range<usize>,
    run: &Range<usize>,
    half: bool,
    scratch: &mut Scratch,
    out: &mut [u16],
) {
    let (width, height, reach) = (coverage.size.width(), coverage.size.height(), job.reach_y as usize);
    let count = run.len();
    let above = y.start.saturating_sub(reach + 1)..y.end;
    let below = y.start..(y.end + reach + 1).min(height);
    for up in [false, true] {
        let rows = if up { below.clone() } else { above.clone() };
        let (first, walked) = (rows.start, rows.len());
        scratch.distance[..count].fill(FAR);
        for i in 0..walked {
            let here = if up { first + walked - 1 - i } else { first + i };
            std::mem::swap(&mut scratch.line, &mut scratch.before);
            let row = coverage.row(here);
            let line = &mut scratch.line[..count];
            let own = &row[run.clone()];
            if half {
                // The last column has no half column to its right; what stands there is not kept.
                let next = &row[run.start + 1..(run.end + 1).min(width)];
                for ((m, a), b) in line.iter_mut().zip(own).zip(next) {
                    *m = mean(*a, *b);
                }
            } else {
                line.copy_from_slice(own);
            }
            let distance = &mut scratch.distance[..count];
            if i > 0 {
                step_lines(&scratch.line[..count], &scratch.before[..count], distance, job);
            }
            if !y.contains(&here) {
                continue;
            }
            let out = &mut out[(here - y.start) * width..][run.clone()];
            for (out, d) in out.iter_mut().zip(&*distance) {
                *out = if up { (*out).min(*d as u16) } else { *d as u16 };
            }
            if half && run.end == width {
                out[count - 1] = FAR16;
            }
        }
    }
}

/// A step from one row to the next, all columns at once; the few that cross the contour one by one.
#[inline(always)]
fn step_lines(line: &[u16], before: &[u16], distance: &mut [u32], job: &Grow) {
    let chunks = distance.chunks_mut(TILE).zip(line.chunks(TILE)).zip(before.chunks(TILE));
    for ((distance, line), before) in chunks {
        let mut crosses = 0;
        for ((d, a), b) in distance.iter_mut().zip(line).zip(before) {
            crosses |= a ^ b;
            *d = limited(*d + job.unit_y, job.farthest);
        }
        if crosses & INSIDE == 0 {
            continue;
        }
        for ((d, a), b) in distance.iter_mut().zip(line).zip(before) {
            if (a ^ b) & INSIDE != 0 {
                *d = limited(crossing(*a, *b, job.unit_y), job.farthest);
            }
        }
    }
}

/// Walks along each of the band's rows, both ways.
#[multiversion(targets = "simd")]
fn along_rows(
    coverage: &Plane,
    job: &Grow,
    y: &Range<usize>,
    run: &Range<usize>,
    half: bool,
    scratch: &mut Scratch,
    out: &mut [u16],
) {
    let (width, height) = (coverage.size.width(), coverage.size.height());
    // What lies farther beside the run is too far away.
    let margin = job.reach_x as usize + 2;
    let walk = run.start.saturating_sub(margin)..(run.end + margin).min(width);
    let kept = run.start - walk.start..run.end - walk.start;
    for (here, out) in y.clone().zip(out.chunks_exact_mut(width)) {
        let out = &mut out[run.clone()];
        let next = here + usize::from(half);
        if next >= height {
            // The last row has no half row below it.
            out.fill(FAR16);
            continue;
        }
        let line = &mut scratch.line[..walk.len()];
        let (own, next) = (&coverage.row(here)[walk.clone()], &coverage.row(next)[walk.clone()]);
        for ((m, a), b) in line.iter_mut().zip(own).zip(next) {
            *m = mean(*a, *b);
        }
        let mut crosses = 0;
        for (a, b) in line.iter().zip(&line[1..]) {
            crosses |= a ^ b;
        }
        if crosses & INSIDE == 0 {
            out.fill(FAR16);
            continue;
        }
        let distances = &mut scratch.distance[..walk.len()];
        let mut distance = FAR;
        distances[0] = FAR;
        for ((d, pair), _) in distances[1..].iter_mut().zip(line.windows(2)).zip(0..kept.end) {
            distance = step(pair[1], pair[0], distance, job.unit_x, job.farthest);
            *d = distance;
        }
        distance = FAR;
        let last = walk.len() - 1;
        if kept.end == walk.len() {
            out[kept.len() - 1] = distances[last] as u16;
        }
        for x in (kept.start..last).rev() {
            distance = step(line[x], line[x + 1], distance, job.unit_x, job.farthest);
            if x < kept.end {
                out[x - kept.start] = distances[x].min(distance) as u16;
            }
        }
    }
}
