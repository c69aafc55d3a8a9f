//! The plain twins of `contour.wgsl` and `grow.wgsl`.

use std::ops::Range;

use rayon::prelude::*;
use rotomask_shaders::layout::Grow;

use super::coverage::isqrt;
use super::plane::{Plane, TILE, around, fit};
use crate::matte::light::FULL;

const HALF: u32 = 32768;
const FAR: u32 = 46000;

fn inside(sample: u16) -> bool {
    u32::from(sample) >= HALF
}

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

/// The distance at a pixel, from its neighbour's distance in the same direction.
fn step(here: u16, next: u16, beyond: u32, unit: u32, farthest: u32) -> u32 {
    let distance = if inside(here) != inside(next) { crossing(here, next, unit) } else { beyond + unit };
    if distance > farthest { FAR } else { distance }
}

/// Distances along a pixel's own column and row, then along those half a pixel to its right and below.
type Distances = [u16; 4];

/// Distances to the contour, packed as the kernel packs them.
#[derive(Debug, Default)]
pub struct Contour {
    distances: Vec<Distances>,
}

fn mean(a: u16, b: u16) -> u16 {
    (u32::from(a) + u32::from(b)).div_ceil(2) as u16
}

/// A band's memory: lines of coverage, and distances along them.
struct Scratch {
    line: Vec<u16>,
    before: Vec<u16>,
    distance: Vec<u32>,
}

impl Contour {
    fn find(&mut self, coverage: &Plane, job: &Grow) {
        let (width, height) = (coverage.size.width(), coverage.size.height());
        let reach = job.reach_y as usize;
        fit(&mut self.distances, width * height, [FAR as u16; 4]);
        self.distances.par_chunks_mut(width * TILE).enumerate().for_each(|(band, out)| {
            let y = band * TILE..band * TILE + out.len() / width;
            out.fill([FAR as u16; 4]);
            if coverage.flat_over(0..width as isize, around(&y, reach + 1)).is_some() {
                return;
            }
            let mut scratch =
                Scratch { line: vec![0; width], before: vec![0; width], distance: vec![FAR; width] };
            for half in [false, true] {
                // Down to the band from as far above as counts, then up to it from below.
                let above = y.start.saturating_sub(reach + 1)..y.end;
                along_columns(coverage, above, &y, half, job, &mut scratch, out);
                let below = (y.start..(y.end + reach + 1).min(height)).rev();
                along_columns(coverage, below, &y, half, job, &mut scratch, out);
                for (out, here) in out.chunks_exact_mut(width).zip(y.clone()) {
                    let next = here + usize::from(half);
                    if next < height {
                        let pairs = coverage.row(here).iter().zip(coverage.row(next));
                        scratch.line.iter_mut().zip(pairs).for_each(|(m, (a, b))| *m = mean(*a, *b));
                        along_row(&scratch.line, half, job, out);
                    }
                }
            }
        });
    }
}

/// Walks over whole rows in the order given; `kept` are the band's own.
fn along_columns(
    coverage: &Plane,
    rows: impl Iterator<Item = usize>,
    kept: &std::ops::Range<usize>,
    half: bool,
    job: &Grow,
    scratch: &mut Scratch,
    out: &mut [Distances],
) {
    let width = coverage.size.width();
    let shift = usize::from(half);
    let Scratch { line, before, distance } = scratch;
    distance.fill(FAR);
    for (walked, here) in rows.enumerate() {
        let row = coverage.row(here);
        std::mem::swap(line, before);
        line.iter_mut().zip(row).zip(&row[shift..]).for_each(|((m, a), b)| *m = mean(*a, *b));
        if walked > 0 {
            let pairs = line.iter().zip(&*before);
            distance
                .iter_mut()
                .zip(pairs)
                .for_each(|(d, (a, b))| *d = step(*a, *b, *d, job.unit_y, job.farthest));
        }
        if kept.contains(&here) {
            // The last column has no half column to its right.
            let out = &mut out[(here - kept.start) * width..][..width - shift];
            let at = 2 * shift;
            out.iter_mut().zip(&*distance).for_each(|(out, d)| out[at] = out[at].min(*d as u16));
        }
    }
}

fn along_row(line: &[u16], half: bool, job: &Grow, out: &mut [Distances]) {
    let at = 2 * usize::from(half) + 1;
    let mut distance = FAR;
    for x in 1..line.len() {
        distance = step(line[x], line[x - 1], distance, job.unit_x, job.farthest);
        out[x][at] = distance as u16;
    }
    distance = FAR;
    for x in (0..line.len() - 1).rev() {
        distance = step(line[x], line[x + 1], distance, job.unit_x, job.farthest);
        out[x][at] = out[x][at].min(distance as u16);
    }
}

fn signed_distance(here: u16, distance: u32, job: &Grow) -> i32 {
    let on_contour = here > 0 && u32::from(here) < FULL && distance <= 3 * job.unit_x.max(job.unit_y) / 2;
    let size = ((distance * job.per_distance) >> 4).max(HALF) as i32;
    match (on_contour, inside(here)) {
        (true, _) => i32::from(here) - HALF as i32,
        (false, true) => size,
        (false, false) => -size,
    }
}

impl Contour {
    /// The square of a pixel's distance to the contour.
    fn nearest(&self, coverage: &Plane, job: &Grow, x: usize, y: usize) -> u32 {
        let (width, height) = (coverage.size.width(), coverage.size.height());
        let distances = self.distances.as_slice();
        let reach = [job.reach_x as usize, job.reach_y as usize];
        let least = job.unit_x.min(job.unit_y);
        let (at, mut nearest) = (y * width + x, FAR * FAR);
        // Squares that can still be nearer lie within the best distance so far, so the search widens and stops.
        for step in 0..=reach[0].max(reach[1]) {
            // Lines half a pixel nearer belong to the pixels before.
            if (step as u32 * least).saturating_sub(least.div_ceil(2)).min(FAR).pow(2) >= nearest {
                break;
            }
            let mut look = |inside: bool, at: usize, halves: u32, line: usize, unit: u32| {
                if inside {
                    let away = (halves * unit / 2).min(FAR);
                    let along = u32::from(distances[at][line]);
                    nearest = nearest.min(away * away + along * along);
                }
            };
            let halves = 2 * step as u32;
            let (wide, high) = (step <= reach[0], step <= reach[1]);
            for (inside, at, line, back, unit) in [
                (wide && x >= step, at.wrapping_sub(step), 0, true, job.unit_x),
                (wide && x + step < width, at + step, 0, false, job.unit_x),
                (high && y >= step, at.wrapping_sub(step * width), 1, true, job.unit_y),
                (high && y + step < height, at + step * width, 1, false, job.unit_y),
            ] {
                look(inside, at, halves, line, unit);
                let between = if back { halves.abs_diff(1) } else { halves + 1 };
                look(inside, at, between, line + 2, unit);
            }
        }
        nearest
    }

    /// Tiles that the contour can't reach hold one value.
    fn clear(coverage: &Plane, job: &Grow, x: &Range<usize>, y: &Range<usize>) -> Option<u16> {
        coverage.flat_over(around(x, job.reach_x as usize + 1), around(y, job.reach_y as usize + 1))
    }
}

/// Moves the edge. Only tiles that the contour can reach are worked on.
pub fn grow(coverage: &Plane, job: &Grow, contour: &mut Contour, into: &mut Plane) {
    contour.find(coverage, job);
    let width = coverage.size.width();
    let contour = &*contour;
    into.each_tile(
        |x, y| Contour::clear(coverage, job, x, y),
        |tile| {
            for y in tile.y.clone() {
                let from = tile.x.start;
                for (i, out) in tile.row(y).iter_mut().enumerate() {
                    let x = from + i;
                    let here = coverage.values[y * width + x];
                    *out = match here {
                        // Growing leaves the inside as it is, and shrinking the outside.
                        0 if job.grow < 0 => 0,
                        u16::MAX if job.grow > 0 => u16::MAX,
                        _ => {
                            let distance = isqrt(contour.nearest(coverage, job, x, y)).min(job.farthest);
                            let moved = signed_distance(here, distance, job) + job.grow + HALF as i32;
                            moved.clamp(0, FULL as i32) as u16
                        }
                    };
                }
            }
        },
    );
}

/// The most that [`distance`] gives.
pub fn farthest(job: &Grow) -> i32 {
    ((job.farthest * job.per_distance) >> 4) as i32
}

/// The signed distance to the contour, 1/65536 pixel, above 0 inside, of each pixel that is wanted.
pub fn distance(
    coverage: &Plane,
    job: &Grow,
    contour: &mut Contour,
    wanted: impl Fn(usize) -> bool + Sync,
    into: &mut Vec<i32>,
) {
    contour.find(coverage, job);
    let (width, height) = (coverage.size.width(), coverage.size.height());
    let contour = &*contour;
    fit(into, width * height, 0);
    into.par_chunks_mut(width * TILE).enumerate().for_each(|(band, out)| {
        let rows = band * TILE..band * TILE + out.len() / width;
        for x in (0..width).step_by(TILE).map(|x| x..(x + TILE).min(width)) {
            let clear = Contour::clear(coverage, job, &x, &rows);
            for y in rows.clone() {
                let row = (y - rows.start) * width;
                for x in x.clone().filter(|x| wanted(y * width + x)) {
                    let here = coverage.values[y * width + x];
                    let distance = match clear {
                        Some(_) => job.farthest,
                        None => isqrt(contour.nearest(coverage, job, x, y)).min(job.farthest),
                    };
                    out[row + x] = signed_distance(here, distance, job);
                }
            }
        }
    });
}
