//! The plain twins of `contour.wgsl` and `grow.wgsl`.

use rayon::prelude::*;
use rotomask_shaders::layout::Grow;

use super::coverage::isqrt;
use super::plane::{Plane, TILE, around};
use crate::matte::light::FULL;

const HALF: u32 = 32768;
const FAR: u32 = 46000;
const PIXEL: u32 = 512;

fn inside(sample: u16) -> bool {
    u32::from(sample) >= HALF
}

fn crossing(a: u16, b: u16) -> u32 {
    let mut near = u32::from(a).abs_diff(HALF);
    let mut far = u32::from(b).abs_diff(HALF);
    let flat = |v: u16| v == 0 || u32::from(v) == FULL;
    match (flat(a), flat(b)) {
        (true, false) => near = near.max(65536 - far),
        (false, true) => far = far.max(65536 - near),
        _ => {}
    }
    near * PIXEL / (near + far)
}

/// The distance at a pixel, from its neighbour's distance in the same direction.
fn step(here: u16, next: u16, beyond: u32, farthest: u32) -> u32 {
    let distance = if inside(here) != inside(next) { crossing(here, next) } else { beyond + PIXEL };
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
        let (reach, farthest) = (job.reach_px as usize, job.reach_px * PIXEL);
        self.distances.resize(width * height, [FAR as u16; 4]);
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
                along_columns(coverage, above, &y, half, farthest, &mut scratch, out);
                let below = (y.start..(y.end + reach + 1).min(height)).rev();
                along_columns(coverage, below, &y, half, farthest, &mut scratch, out);
                for (out, here) in out.chunks_exact_mut(width).zip(y.clone()) {
                    let next = here + usize::from(half);
                    if next < height {
                        let pairs = coverage.row(here).iter().zip(coverage.row(next));
                        scratch.line.iter_mut().zip(pairs).for_each(|(m, (a, b))| *m = mean(*a, *b));
                        along_row(&scratch.line, half, farthest, out);
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
    farthest: u32,
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
            distance.iter_mut().zip(pairs).for_each(|(d, (a, b))| *d = step(*a, *b, *d, farthest));
        }
        if kept.contains(&here) {
            // The last column has no half column to its right.
            let out = &mut out[(here - kept.start) * width..][..width - shift];
            let at = 2 * shift;
            out.iter_mut().zip(&*distance).for_each(|(out, d)| out[at] = out[at].min(*d as u16));
        }
    }
}

fn along_row(line: &[u16], half: bool, farthest: u32, out: &mut [Distances]) {
    let at = 2 * usize::from(half) + 1;
    let mut distance = FAR;
    for x in 1..line.len() {
        distance = step(line[x], line[x - 1], distance, farthest);
        out[x][at] = distance as u16;
    }
    distance = FAR;
    for x in (0..line.len() - 1).rev() {
        distance = step(line[x], line[x + 1], distance, farthest);
        out[x][at] = out[x][at].min(distance as u16);
    }
}

fn moved(here: u16, distance: u32, grow: i32) -> u16 {
    let on_contour = here > 0 && u32::from(here) < FULL && distance <= PIXEL + PIXEL / 2;
    let size = (distance * 128).max(HALF) as i32;
    let signed = match (on_contour, inside(here)) {
        (true, _) => i32::from(here) - HALF as i32,
        (false, true) => size,
        (false, false) => -size,
    };
    (signed + grow + HALF as i32).clamp(0, FULL as i32) as u16
}

/// Moves the edge. Only tiles that the contour can reach are worked on.
pub fn grow(coverage: &Plane, job: &Grow, contour: &mut Contour, into: &mut Plane) {
    contour.find(coverage, job);
    let width = coverage.size.width();
    let height = coverage.size.height();
    let reach = job.reach_px as usize;
    let distances = contour.distances.as_slice();
    // Squares that can still be nearer lie within the best distance so far, so the search widens and stops.
    let nearest = |x: usize, y: usize| {
        let (at, mut nearest) = (y * width + x, FAR * FAR);
        for step in 0..=reach {
            // Lines half a pixel nearer belong to the pixels before.
            if (step as u32 * PIXEL).saturating_sub(PIXEL / 2).pow(2) >= nearest {
                break;
            }
            let mut look = |inside: bool, at: usize, halves: u32, line: usize| {
                if inside {
                    let (away, along) = (halves * (PIXEL / 2), u32::from(distances[at][line]));
                    nearest = nearest.min(away * away + along * along);
                }
            };
            let halves = 2 * step as u32;
            for (inside, at, line, back) in [
                (x >= step, at.wrapping_sub(step), 0, true),
                (x + step < width, at + step, 0, false),
                (y >= step, at.wrapping_sub(step * width), 1, true),
                (y + step < height, at + step * width, 1, false),
            ] {
                look(inside, at, halves, line);
                let between = if back { halves.abs_diff(1) } else { halves + 1 };
                look(inside, at, between, line + 2);
            }
        }
        nearest
    };
    into.each_tile(
        |x, y| coverage.flat_over(around(x, reach + 1), around(y, reach + 1)),
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
                        _ => moved(here, isqrt(nearest(x, y)), job.grow),
                    };
                }
            }
        },
    );
}
