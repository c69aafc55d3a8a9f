//! The plain twin of `grow.wgsl`.

use multiversion::multiversion;
use rayon::prelude::*;
use rotomask_shaders::layout::Grow;

use super::contour::{Contour, FAR};
use super::coverage::isqrt;
use super::plane::{Plane, TILE, TileMut, fit};
use crate::matte::light::FULL;

const HALF: u32 = 32768;

/// A number for each pixel of a tile's row.
type Row = [u32; TILE];

#[inline(always)]
fn signed_distance(here: u16, distance: u32, job: &Grow) -> i32 {
    let on_contour = here > 0 && u32::from(here) < FULL && distance <= 3 * job.unit_x.max(job.unit_y) / 2;
    let size = ((distance * job.per_distance) >> 4).max(HALF) as i32;
    let inside = u32::from(here) >= HALF;
    let far = if inside { size } else { -size };
    if on_contour { i32::from(here) - HALF as i32 } else { far }
}

/// Lowers squares to those by way of lines some pixels away: `along` are distances on the lines.
#[inline(always)]
fn lower(nearest: &mut [u32], along: &[u16], away: u32) {
    let away = away.min(FAR) * away.min(FAR);
    for (nearest, along) in nearest.iter_mut().zip(along) {
        *nearest = (*nearest).min(away + u32::from(*along) * u32::from(*along));
    }
}

/// The squares of the distances to the contour of `count` pixels of a row, from `x` on; of a pixel whose square is 0 to
/// begin with nothing is asked.
#[inline(always)]
fn squares(contour: &Contour, job: &Grow, [x, y]: [usize; 2], count: usize, nearest: &mut Row) {
    let (width, height) = (job.width_px as usize, job.height_px as usize);
    let [columns, rows, half_columns, half_rows] = contour.lines();
    let nearest = &mut nearest[..count];
    let reach = [job.reach_x as usize, job.reach_y as usize];
    let least = job.unit_x.min(job.unit_y);
    // Squares that can still be nearer lie within the best distance so far, so the search widens and stops.
    for step in 0..=reach[0].max(reach[1]) {
        // Lines half a pixel nearer belong to the pixels before.
        let bound = (step as u32 * least).saturating_sub(least.div_ceil(2)).min(FAR).pow(2);
        if nearest.iter().fold(0, |most, v| most.max(*v)) <= bound {
            break;
        }
        let halves = 2 * step as u32;
        let (before, beyond) = (halves.abs_diff(1), halves + 1);
        if step <= reach[0] {
            let away = |halves: u32| halves * job.unit_x / 2;
            let skipped = step.saturating_sub(x).min(count);
            let at = y * width + x + skipped - step.min(x + skipped);
            let left = at..at + count - skipped;
            lower(&mut nearest[skipped..], &columns[left.clone()], away(halves));
            lower(&mut nearest[skipped..], &half_columns[left], away(before));
            let right = y * width + (x + step).min(width)..y * width + (x + step + count).min(width);
            lower(nearest, &columns[right.clone()], away(halves));
            lower(nearest, &half_columns[right], away(beyond));
        }
        if step <= reach[1] {
            let away = |halves: u32| halves * job.unit_y / 2;
            if y >= step {
                let above = (y - step) * width + x..(y - step) * width + x + count;
                lower(nearest, &rows[above.clone()], away(halves));
                lower(nearest, &half_rows[above], away(before));
            }
            if y + step < height {
                let below = (y + step) * width + x..(y + step) * width + x + count;
                lower(nearest, &rows[below.clone()], away(halves));
                lower(nearest, &half_rows[below], away(beyond));
            }
        }
    }
}

/// Moves the edge. Only tiles that the contour can reach are worked on.
pub fn grow(coverage: &Plane, job: &Grow, contour: &mut Contour, into: &mut Plane) {
    contour.find(coverage, job);
    let contour = &*contour;
    into.each_tile(
        |x, y| Contour::clear(coverage, job, x, y),
        |tile| grow_tile(coverage, job, contour, tile),
    );
}

#[multiversion(targets = "simd")]
fn grow_tile(coverage: &Plane, job: &Grow, contour: &Contour, tile: &mut TileMut<'_>) {
    // Growing leaves the inside as it is, and shrinking the outside.
    let stays = if job.grow < 0 { 0 } else { u16::MAX };
    let columns = tile.x.clone();
    for y in tile.y.clone() {
        let row = &coverage.row(y)[columns.clone()];
        let mut distance = [FAR * FAR; TILE];
        for (distance, here) in distance.iter_mut().zip(row) {
            *distance = if *here == stays { 0 } else { FAR * FAR };
        }
        squares(contour, job, [columns.start, y], columns.len(), &mut distance);
        for ((out, here), square) in tile.row(y).iter_mut().zip(row).zip(distance) {
            let moved = signed_distance(*here, isqrt(square).min(job.farthest), job) + job.grow + HALF as i32;
            let moved = moved.clamp(0, FULL as i32) as u16;
            *out = if *here == stays { stays } else { moved };
        }
    }
}

/// The most that [`distance`] gives.
pub fn farthest(job: &Grow) -> i32 {
    ((job.farthest * job.per_distance) >> 4) as i32
}

/// The signed distance to the contour, 1/65536 pixel, above 0 inside, of each pixel that is wanted: those where `of` has
/// less than some size, or all.
pub fn distance(
    coverage: &Plane,
    job: &Grow,
    contour: &mut Contour,
    wanted: Option<(&[i32], i32)>,
    into: &mut Vec<i32>,
) {
    contour.find(coverage, job);
    let (width, height) = (coverage.size.width(), coverage.size.height());
    let contour = &*contour;
    fit(into, width * height, 0);
    into.par_chunks_mut(width * TILE).enumerate().for_each(|(band, out)| {
        let rows = band * TILE..band * TILE + out.len() / width;
        for x in (0..width).step_by(TILE).map(|x| x..(x + TILE).min(width)) {
            let clear = Contour::clear(coverage, job, &x, &rows).is_some();
            for (y, out) in rows.clone().zip(out.chunks_exact_mut(width)) {
                let wanted = wanted.map(|(of, size)| (&of[y * width..][x.clone()], size));
                let here = &coverage.row(y)[x.clone()];
                let at = [x.start, y];
                distance_row(here, job, (!clear).then_some(contour), at, wanted, &mut out[x.clone()]);
            }
        }
    });
}

/// A tile's row; without a contour near it, it is as far away as can be.
#[multiversion(targets = "simd")]
fn distance_row(
    here: &[u16],
    job: &Grow,
    contour: Option<&Contour>,
    at: [usize; 2],
    wanted: Option<(&[i32], i32)>,
    out: &mut [i32],
) {
    let mut distance = [FAR * FAR; TILE];
    if let Some((of, size)) = wanted {
        let mut any = false;
        for (distance, of) in distance.iter_mut().zip(of) {
            let wanted = of.abs() < size;
            any |= wanted;
            *distance = if wanted { FAR * FAR } else { 0 };
        }
        if !any {
            return;
        }
    }
    if let Some(contour) = contour {
        squares(contour, job, at, here.len(), &mut distance);
    }
    for ((out, here), square) in out.iter_mut().zip(here).zip(distance) {
        *out = signed_distance(*here, isqrt(square).min(job.farthest), job);
    }
}
