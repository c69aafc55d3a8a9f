//! The plain twins of `coverage.wgsl` and `edge.wgsl`.

use std::ops::Range;

use multiversion::multiversion;
use rotomask_shaders::layout::{Coverage, Tap};

use super::plane::{Plane, TileMut, around};
use crate::matte::light::FULL;

const HALF: u32 = 32768;

/// The largest whole number whose square is not above `v`.
#[inline(always)]
pub fn isqrt(v: u32) -> u32 {
    // Doubles hold every u32, and are rounded too finely to reach the next whole number.
    (f64::from(v).sqrt() as u32).min(65534)
}

#[inline(always)]
fn weigh(values: [i32; 4], weights: [i32; 4]) -> i32 {
    let product = |i: usize| i64::from(values[i]) * i64::from(weights[i]);
    ((product(0) + product(1) + product(2) + product(3) + 16384) >> 15) as i32
}

#[inline(always)]
fn saturated(value: u32, slopes: u32, raise: u32, lower: u32) -> bool {
    value >> lower > slopes >> (raise + 1)
}

/// Coverage from a field and its slopes, scaled as `edge.wgsl` says.
#[inline(always)]
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

#[inline(always)]
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
    let spline = Spline::new(job, coefficients, taps);
    into.each_tile(
        |_, _| None,
        |tile| {
            spline.read(
                tile,
                |_, _| None,
                |values, _, tap| ((weigh(values, tap.weight) + (16 << 16)) >> 5).clamp(0, FULL as i32) as u16,
            );
        },
    );
}

/// Logits to coverage. Tiles, and stretches that lie between the same four columns of logits, are decided at once where
/// the spline's hull, which is that of its coefficients, keeps clear of the contour.
pub fn coverage(job: &Coverage, coefficients: &[i32], taps: &[Tap], into: &mut Plane) {
    let spline = Spline::new(job, coefficients, taps);
    into.each_tile(|x, y| spline.decided(x, y), |tile| coverage_tile(&spline, tile));
}

#[multiversion(targets = "simd")]
fn coverage_tile(spline: &Spline<'_>, tile: &mut TileMut<'_>) {
    let (raise, lower) = (spline.job.raise, spline.job.lower);
    spline.read(
        tile,
        |values, slopes| clear(values, slopes, spline.job),
        |values, slopes, tap| {
            let logit = weigh(values, tap.weight);
            from_contour(logit, weigh(values, tap.slope), weigh(slopes, tap.weight), raise, lower)
        },
    );
}

/// Logits as a surface over a part of the plate.
struct Spline<'a> {
    job: &'a Coverage,
    coefficients: &'a [i32],
    /// Where the part's columns and rows lie among the logits.
    columns: &'a [Tap],
    rows: &'a [Tap],
}

impl<'a> Spline<'a> {
    fn new(job: &'a Coverage, coefficients: &'a [i32], taps: &'a [Tap]) -> Self {
        let (columns, rows) = taps.split_at(job.width_px as usize);
        Self { job, coefficients, columns, rows }
    }

    /// The columns, or rows, of logits that a range of the plate lies among.
    fn among(taps: &[Tap], range: &Range<usize>, count: u32) -> Range<usize> {
        let clamp = |at: i32| at.clamp(0, count as i32 - 1) as usize;
        clamp(taps[range.start].first)..clamp(taps[range.end - 1].first + 3) + 1
    }

    fn row(&self, y: usize) -> &[i32] {
        let width = self.job.logits_width as usize;
        &self.coefficients[y * width..][..width]
    }

    /// What all pixels of a tile are, if the hull of the logits around says it.
    fn decided(&self, x: &Range<usize>, y: &Range<usize>) -> Option<u16> {
        let columns = Self::among(self.columns, x, self.job.logits_width);
        let (mut low, mut high) = (i32::MAX, i32::MIN);
        for y in Self::among(self.rows, y, self.job.logits_height) {
            for v in &self.row(y)[columns.clone()] {
                (low, high) = (low.min(*v), high.max(*v));
            }
            if low <= 0 && high > 0 {
                return None;
            }
        }
        flat(low, high, 2 * high.abs_diff(low) + 4, self.job)
    }

    /// Walks over a tile. `all` may decide a stretch between four columns, from their values and slopes down the rows;
    /// otherwise `each` does a pixel.
    #[inline(always)]
    fn read(
        &self,
        tile: &mut TileMut<'_>,
        all: impl Fn([i32; 4], [i32; 4]) -> Option<u16>,
        each: impl Fn([i32; 4], [i32; 4], &Tap) -> u16,
    ) {
        let last = [self.job.logits_width as i32 - 1, self.job.logits_height as i32 - 1];
        let wanted = Self::among(self.columns, &tile.x, self.job.logits_width);
        let taps = &self.columns[tile.x.clone()];
        let (mut value, mut slope) = (vec![0; wanted.len()], vec![0; wanted.len()]);
        for y in tile.y.clone() {
            let down = &self.rows[y];
            let [a, b, c, d] =
                [0, 1, 2, 3].map(|i| &self.row((down.first + i).clamp(0, last[1]) as usize)[wanted.clone()]);
            let four = a.iter().zip(b).zip(c.iter().zip(d));
            for ((value, slope), ((a, b), (c, d))) in value.iter_mut().zip(&mut slope).zip(four) {
                *value = weigh([*a, *b, *c, *d], down.weight);
                *slope = weigh([*a, *b, *c, *d], down.slope);
            }
            let out = tile.row(y);
            let mut start = 0;
            while start < taps.len() {
                let first = taps[start].first;
                let mut end = start + 1;
                while end < taps.len() && taps[end].first == first {
                    end += 1;
                }
                let at = [0, 1, 2, 3].map(|i| (first + i).clamp(0, last[0]) as usize - wanted.start);
                let (values, slopes) = (at.map(|x| value[x]), at.map(|x| slope[x]));
                let out = &mut out[start..end];
                match all(values, slopes) {
                    Some(flat) => out.fill(flat),
                    None => {
                        for (out, tap) in out.iter_mut().zip(&taps[start..]) {
                            *out = each(values, slopes, tap);
                        }
                    }
                }
                start = end;
            }
        }
    }
}

/// What every pixel between these columns is, if the bounds of logit and slope already say it.
#[inline(always)]
fn clear(values: [i32; 4], slopes: [i32; 4], job: &Coverage) -> Option<u16> {
    let [a, b, c, d] = values;
    let (low, high) = (a.min(b).min(c.min(d)), a.max(b).max(c.max(d)));
    let [a, b, c, d] = slopes.map(i32::unsigned_abs);
    flat(low, high, high.abs_diff(low) + a.max(b).max(c.max(d)) + 2, job)
}

/// The same for logits between two bounds. Slope weights sum to 0 and their absolutes to at most 1.5, so that a slope is
/// at most what the bounds differ by; rounding adds less than 2.
#[inline(always)]
fn flat(low: i32, high: i32, steepest: u32, job: &Coverage) -> Option<u16> {
    let nearest = if low > 0 { low } else { high.min(0) }.unsigned_abs();
    saturated(nearest, steepest, job.raise, job.lower).then_some(if low > 0 { FULL as u16 } else { 0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roots_are_whole_to_the_last_square() {
        for root in (0..=65535u32).step_by(7).chain([1, 2, 65534, 65535]) {
            let square = root * root;
            for v in [square.saturating_sub(1), square, square.saturating_add(1)] {
                assert_eq!(isqrt(v), v.isqrt().min(65534), "{v}");
            }
        }
        assert_eq!(isqrt(u32::MAX), 65534);
    }

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
