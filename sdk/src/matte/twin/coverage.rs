//! The plain twin of `coverage.wgsl`.

use rotomask_shaders::layout::{Coverage, Tap};

use super::plane::Plane;
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

fn saturated(logit: u32, slopes: u32, job: &Coverage) -> bool {
    logit >> job.lower > slopes >> (job.raise + 1)
}

fn from_contour(logit: i32, across: i32, down: i32, job: &Coverage) -> u16 {
    let inside = logit > 0;
    let flat = if inside { FULL as u16 } else { 0 };
    let (x, y) = (across.unsigned_abs(), down.unsigned_abs());
    if saturated(logit.unsigned_abs(), x + y, job) {
        return flat;
    }
    let n = (logit.unsigned_abs() >> job.lower) << job.raise;
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

/// Logits to coverage. Stretches that lie between the same four columns of logits are decided at once where the
/// spline's hull, which is that of its coefficients, keeps clear of the contour.
pub fn coverage(job: &Coverage, coefficients: &[i32], taps: &[Tap], into: &mut Plane) {
    let (columns, rows) = taps.split_at(job.width_px as usize);
    let (across, last_row) = (job.logits_width as usize, job.logits_height as i32 - 1);
    let width = columns.len();
    into.each_band(|y, band| {
        let mut value = vec![0i32; across];
        let mut slope = vec![0i32; across];
        for (out, down) in band.chunks_exact_mut(width).zip(&rows[y..]) {
            let four: [&[i32]; 4] = std::array::from_fn(|i| {
                let row = (down.first + i as i32).clamp(0, last_row) as usize;
                &coefficients[row * across..][..across]
            });
            for x in 0..across {
                let column = four.map(|row| row[x]);
                value[x] = weigh(column, down.weight);
                slope[x] = weigh(column, down.slope);
            }
            let mut start = 0;
            while start < width {
                let first = columns[start].first;
                let run = columns[start..].iter().take_while(|tap| tap.first == first).count();
                let at = |i: i32| (first + i).clamp(0, across as i32 - 1) as usize;
                let values = [value[at(0)], value[at(1)], value[at(2)], value[at(3)]];
                let slopes = [slope[at(0)], slope[at(1)], slope[at(2)], slope[at(3)]];
                let out = &mut out[start..start + run];
                match clear(values, slopes, job) {
                    Some(flat) => out.fill(flat),
                    None => {
                        for (out, tap) in out.iter_mut().zip(&columns[start..]) {
                            let logit = weigh(values, tap.weight);
                            *out =
                                from_contour(logit, weigh(values, tap.slope), weigh(slopes, tap.weight), job);
                        }
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
    saturated(nearest, steepest, job).then_some(if low > 0 { FULL as u16 } else { 0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job() -> Coverage {
        Coverage { width_px: 9, height_px: 9, logits_width: 9, logits_height: 9, raise: 0, lower: 0 }
    }

    #[test]
    fn a_pixel_on_the_contour_is_half_covered_whatever_the_slope() {
        for slope in [1, 17, 65536, 9_000_000] {
            assert_eq!(from_contour(0, slope, 0, &job()), 32768);
            assert_eq!(from_contour(0, slope, -slope, &job()), 32768);
        }
    }

    #[test]
    fn a_quarter_pixel_inside_is_three_quarters_covered() {
        assert_eq!(from_contour(25_000, 0, 100_000, &job()), 49152);
        assert_eq!(from_contour(-25_000, 60_000, -80_000, &job()), 16384);
    }

    #[test]
    fn where_nothing_slopes_the_sign_decides_and_zero_is_outside() {
        assert_eq!(from_contour(1, 0, 0, &job()), 65535);
        assert_eq!(from_contour(0, 0, 0, &job()), 0);
        assert_eq!(from_contour(-1, 0, 0, &job()), 0);
    }
}
