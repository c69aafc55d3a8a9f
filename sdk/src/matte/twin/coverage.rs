//! The plain twins of `coverage.wgsl` and `edge.wgsl`.

use rotomask_shaders::layout::{Coverage, Tap};

use super::plane::{Plane, around};
use crate::matte::light::FULL;

const HALF: u32 = 32768;

/// The largest whole number whose square is not above `v`.
pub fn isqrt(v: u32) -> u32 {
    v.isqrt().min(65534)
}

fn weigh(values: [i32; 4], weights: [i32; 4]) -> i32 {
    let sum: i64 = values.iter().zip(weights).map(|(v, w)| i64::from(*v) * i64::from(w)).sum();
    ((sum + 16384) >> 15) as i32
}

fn saturated(value: u32, slopes: u32, raise: u32, lower: u32) -> bool {
    value >> lower > slopes >> (raise + 1)
}

/// Coverage from a field and its slopes, scaled as `edge.wgsl` says.
pub fn from_contour(value: i32, across: i32, down: i32, raise: u32, lower: u32) -> u16 {
    let inside = value > 0;
    let flat = if inside { FULL as u16 } else { 0 };
    let (x, y) = (across.unsigned_abs(), down.unsigned_abs());
    if saturated(value.unsigned_abs(), x + y, raise, lower) {
        return flat;
    }
    let n = (value.unsigned_abs() >> lower) << raise;
    let bits = 32 - n.max(x).max(y).leading_zeros();
    let shift = bits.max(15) - 15;
    let (gx, gy) = (x >> shift, y >> shift);
    let gradient = isqrt(gx * gx + gy * gy);
    if gradient == 0 {
        return flat;
    }
    let distance = ((n >> shift) << 16) / gradient;
    match (distance < HALF, inside) {
        (false, _) => flat,
        (true, true) => (HALF + distance) as u16,
        (true, false) => (HALF - distance) as u16,
    }
}

fn softened(value: i32, across: i32, down: i32, soft: u32) -> u16 {
    let (x, y) = (across.unsigned_abs() >> 1, down.unsigned_abs() >> 1);
    let slope = (isqrt(x * x + y * y) * (256 - soft) + 65536 * soft) >> 8;
    let distance = ((value.unsigned_abs() << 16) / slope.max(1)).min(HALF);
    let covered = if value > 0 { (HALF + distance).min(FULL) } else { HALF - distance };
    covered as u16
}

/// A matte's contour as an edge one pixel wide, or as soft as wanted: `sharpen.wgsl`.
pub fn sharpen(soft: u32, from: &Plane, into: &mut Plane) {
    let (width, height) = (from.size.width(), from.size.height());
    into.each_tile(
        |x, y| from.flat_over(around(x, 1), around(y, 1)),
        |tile| {
            for y in tile.y.clone() {
                let start = tile.x.start;
                let (here, above, below) =
                    (from.row(y), from.row(y.saturating_sub(1)), from.row((y + 1).min(height - 1)));
                for (i, out) in tile.row(y).iter_mut().enumerate() {
                    let x = start + i;
                    let (left, right) = (here[x.saturating_sub(1)], here[(x + 1).min(width - 1)]);
                    let value = i32::from(here[x]) - HALF as i32;
                    let across = i32::from(right) - i32::from(left);
                    let down = i32::from(below[x]) - i32::from(above[x]);
                    *out = match soft {
                        0 => from_contour(value, across, down, 1, 0),
                        _ => softened(value, across, down, soft),
                    };
                }
            }
        },
    );
}

/// Logits themselves, 1/2048 from -16 on.
pub fn field(job: &Coverage, coefficients: &[i32], taps: &[Tap], into: &mut Plane) {
    read(
        job,
        coefficients,
        taps,
        into,
        |_, _| None,
        |values, _, tap| ((weigh(values, tap.weight) + (16 << 16)) >> 5).clamp(0, FULL as i32) as u16,
    );
}

/// Logits to coverage. Stretches that lie between the same four columns of logits are decided at once where the
/// spline's hull, which is that of its coefficients, keeps clear of the contour.
pub fn coverage(job: &Coverage, coefficients: &[i32], taps: &[Tap], into: &mut Plane) {
    let (raise, lower) = (job.raise, job.lower);
    read(
        job,
        coefficients,
        taps,
        into,
        |values, slopes| clear(values, slopes, job),
        |values, slopes, tap| {
            let logit = weigh(values, tap.weight);
            from_contour(logit, weigh(values, tap.slope), weigh(slopes, tap.weight), raise, lower)
        },
    );
}

/// Walks over the plate. `all` may decide a stretch between four columns, from their values and slopes down the rows;
/// otherwise `each` does a pixel.
fn read(
    job: &Coverage,
    coefficients: &[i32],
    taps: &[Tap],
    into: &mut Plane,
    all: impl Fn([i32; 4], [i32; 4]) -> Option<u16> + Sync,
    each: impl Fn([i32; 4], [i32; 4], &Tap) -> u16 + Sync,
) {
    let (columns, rows) = taps.split_at(job.width_px as usize);
    let (across, last_row) = (job.logits_width as usize, job.logits_height as i32 - 1);
    let width = columns.len();
    // The columns of logits that this part of the plate lies among.
    let near = |tap: &Tap, i: i32| (tap.first + i).clamp(0, across as i32 - 1) as usize;
    let wanted = near(&columns[0], 0)..near(&columns[width - 1], 3) + 1;
    into.each_band(|y, band| {
        let mut value = vec![0i32; across];
        let mut slope = vec![0i32; across];
        for (out, down) in band.chunks_exact_mut(width).zip(&rows[y..]) {
            let four: [&[i32]; 4] = std::array::from_fn(|i| {
                let row = (down.first + i as i32).clamp(0, last_row) as usize;
                &coefficients[row * across..][..across]
            });
            for x in wanted.clone() {
                let column = four.map(|row| row[x]);
                value[x] = weigh(column, down.weight);
                slope[x] = weigh(column, down.slope);
            }
            let mut start = 0;
            while start < width {
                let first = columns[start].first;
                let run = columns[start..].iter().take_while(|tap| tap.first == first).count();
                let at: [usize; 4] = std::array::from_fn(|i| near(&columns[start], i as i32));
                let (values, slopes) = (at.map(|x| value[x]), at.map(|x| slope[x]));
                let out = &mut out[start..start + run];
                match all(values, slopes) {
                    Some(flat) => out.fill(flat),
                    None => {
                        let places = out.iter_mut().zip(&columns[start..]);
                        places.for_each(|(out, tap)| *out = each(values, slopes, tap));
                    }
                }
                start += run;
            }
        }
    });
}

/// What every pixel between these columns is, if the bounds of logit and slope already say it.
fn clear(values: [i32; 4], slopes: [i32; 4], job: &Coverage) -> Option<u16> {
    let low = values.into_iter().fold(i32::MAX, i32::min);
    let high = values.into_iter().fold(i32::MIN, i32::max);
    let nearest = if low > 0 { low } else { high.min(0) }.unsigned_abs();
    // Slope weights sum to 0 and their absolutes to at most 1.5; rounding adds less than 2.
    let steepest = high.abs_diff(low) + slopes.map(i32::unsigned_abs).into_iter().fold(0, u32::max) + 2;
    saturated(nearest, steepest, job.raise, job.lower).then_some(if low > 0 { FULL as u16 } else { 0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pixel_on_the_contour_is_half_covered_whatever_the_slope() {
        for slope in [1, 17, 65536, 9_000_000] {
            assert_eq!(from_contour(0, slope, 0, 0, 0), 32768);
            assert_eq!(from_contour(0, slope, -slope, 0, 0), 32768);
        }
    }

    #[test]
    fn a_quarter_pixel_inside_is_three_quarters_covered() {
        assert_eq!(from_contour(25_000, 0, 100_000, 0, 0), 49152);
        assert_eq!(from_contour(-25_000, 60_000, -80_000, 0, 0), 16384);
    }

    #[test]
    fn where_nothing_slopes_the_sign_decides_and_zero_is_outside() {
        assert_eq!(from_contour(1, 0, 0, 0, 0), 65535);
        assert_eq!(from_contour(0, 0, 0, 0, 0), 0);
        assert_eq!(from_contour(-1, 0, 0, 0, 0), 0);
    }
}
