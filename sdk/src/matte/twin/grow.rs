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

/// Distances along columns and rows, packed as the kernel packs them.
#[derive(Debug, Default)]
pub struct Contour {
    distances: Vec<u32>,
}

impl Contour {
    fn find(&mut self, coverage: &Plane, job: &Grow) {
        let (width, height) = (coverage.size.width(), coverage.size.height());
        let (reach, farthest) = (job.reach_px as usize, job.reach_px * PIXEL);
        self.distances.resize(width * height, 0);
        self.distances.par_chunks_mut(width * TILE).enumerate().for_each(|(band, out)| {
            let y = band * TILE..band * TILE + out.len() / width;
            if coverage.flat_over(0..width as isize, around(&y, reach + 1)).is_some() {
                return out.fill(FAR << 16 | FAR);
            }
            let mut column = vec![FAR; width];
            // Down to the band from as far above as counts, then up to it from below.
            for here in y.start.saturating_sub(reach + 1)..y.end {
                if here > 0 {
                    let rows = coverage.row(here).iter().zip(coverage.row(here - 1));
                    column.iter_mut().zip(rows).for_each(|(d, (a, b))| *d = step(*a, *b, *d, farthest));
                }
                if here >= y.start {
                    out[(here - y.start) * width..][..width].copy_from_slice(&column);
                }
            }
            column.fill(FAR);
            for here in (y.start..(y.end + reach + 1).min(height)).rev() {
                if here + 1 < height {
                    let rows = coverage.row(here).iter().zip(coverage.row(here + 1));
                    column.iter_mut().zip(rows).for_each(|(d, (a, b))| *d = step(*a, *b, *d, farthest));
                }
                if here < y.end {
                    let out = &mut out[(here - y.start) * width..][..width];
                    out.iter_mut().zip(&column).for_each(|(out, d)| *out = (*out).min(*d));
                }
            }
            for (out, here) in out.chunks_exact_mut(width).zip(y) {
                along_row(coverage.row(here), farthest, &mut column, out);
            }
        });
    }
}

fn along_row(row: &[u16], farthest: u32, scratch: &mut [u32], out: &mut [u32]) {
    let mut distance = FAR;
    for x in 0..row.len() {
        distance = if x > 0 { step(row[x], row[x - 1], distance, farthest) } else { FAR };
        scratch[x] = distance;
    }
    distance = FAR;
    for x in (0..row.len()).rev() {
        distance = if x + 1 < row.len() { step(row[x], row[x + 1], distance, farthest) } else { FAR };
        out[x] |= scratch[x].min(distance) << 16;
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
        let mut nearest = FAR * FAR;
        for step in 0..=reach {
            let away = (step as u32 * PIXEL).pow(2);
            if away >= nearest {
                break;
            }
            let mut look = |inside: bool, at: usize, shift: u32| {
                if inside {
                    let d = distances[at] >> shift & 0xffff;
                    nearest = nearest.min(away + d * d);
                }
            };
            let at = y * width + x;
            look(x >= step, at.wrapping_sub(step), 0);
            look(x + step < width, at + step, 0);
            look(y >= step, at.wrapping_sub(step * width), 16);
            look(y + step < height, at + step * width, 16);
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
