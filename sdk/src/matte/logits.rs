//! Mask logits, made ready for a smooth contour.
//!
//! Both the GPU and the CPU's twin take the whole numbers that are made here.

use rotomask_shaders::layout::Tap;

use crate::error::{Error, Result};
use crate::frame::Size;

use super::job::Window;

/// A mask as the model gives it, or any mask whose zero contour is the edge. It covers the plate's whole area, and
/// samples lie in the middle of their cells (`align_corners=False`). Above 0 is inside.
#[derive(Clone, Copy, Debug)]
pub struct Logits<'a> {
    /// Columns and rows, of any size.
    pub size: Size,
    /// Row-major, the top row first.
    pub values: &'a [f32],
}

impl<'a> Logits<'a> {
    /// NaN counts as certainly outside, infinities as certain: they are read as the nearest end of
    /// [-16, 16], as is every value beyond, because only the contour's place matters.
    ///
    /// # Errors
    /// [`Error::Frame`] if `values` has another length than `size` has samples.
    pub fn new(size: Size, values: &'a [f32]) -> Result<Self> {
        let logits = Self { size, values };
        logits.check()?;
        Ok(logits)
    }

    pub(super) fn check(&self) -> Result<()> {
        if self.values.len() == self.size.area_px() {
            return Ok(());
        }
        Err(Error::Frame(format!(
            "the logits have {} values, expected {} for {}",
            self.values.len(),
            self.size.area_px(),
            self.size
        )))
    }
}

/// Beyond this a logit says no more: one in ten million.
const CERTAIN: f64 = 16.0;
/// Units of a coefficient in one logit.
const UNIT: f64 = 65536.0;
/// Units of a weight in 1.
const WEIGHT: f64 = 32768.0;

/// Reads the logits as B-spline coefficients whose curve goes through them.
#[derive(Debug, Default)]
pub(super) struct Spline {
    values: Vec<f64>,
    ratios: Vec<f64>,
}

impl Spline {
    /// Gives a coefficient for each value, row-major, in 1/65536 of a logit. They are below 9 * 16 logits.
    pub fn coefficients(&mut self, size: Size, values: impl Iterator<Item = f32>, into: &mut Vec<i32>) {
        let (w, h) = (size.width(), size.height());
        self.values.clear();
        self.values.extend(
            values.map(|v| if v.is_nan() { -CERTAIN } else { f64::from(v).clamp(-CERTAIN, CERTAIN) }),
        );
        for row in self.values.chunks_exact_mut(w) {
            solve(row, 1, &mut self.ratios, w);
        }
        solve(&mut self.values, w, &mut self.ratios, h);
        into.clear();
        into.extend(self.values.iter().map(|v| (v * UNIT).round() as i32));
    }
}

/// Solves (c[i-1] + 4 c[i] + c[i+1]) / 6 = v[i] in place, each `c` being `lanes` values wide. Beyond the ends the
/// last coefficient repeats, as it does where the curve is read.
fn solve(values: &mut [f64], lanes: usize, ratios: &mut Vec<f64>, count: usize) {
    if count == 1 {
        return;
    }
    let middle = |i: usize| if i == 0 || i == count - 1 { 5.0 } else { 4.0 };
    ratios.clear();
    for i in 0..count {
        let before = if i == 0 { 0.0 } else { ratios[i - 1] };
        ratios.push(1.0 / (middle(i) - before));
        let (done, rest) = values.split_at_mut(i * lanes);
        for x in 0..lanes {
            let above = if i == 0 { 0.0 } else { done[(i - 1) * lanes + x] };
            rest[x] = (6.0 * rest[x] - above) * ratios[i];
        }
    }
    for i in (0..count - 1).rev() {
        for x in 0..lanes {
            values[i * lanes + x] -= ratios[i] * values[(i + 1) * lanes + x];
        }
    }
}

/// Powers of two that keep slopes per plate pixel within their whole numbers: times 2^raise, over 2^lower.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SlopeScale {
    pub raise: u32,
    pub lower: u32,
}

/// Where columns and then rows of a part of the plate lie among the logits, which cover the whole plate.
pub(super) fn taps(plate: Size, part: Window, logits: Size, into: &mut Vec<Tap>) -> SlopeScale {
    let steps = [
        f64::from(logits.width_px) / f64::from(plate.width_px),
        f64::from(logits.height_px) / f64::from(plate.height_px),
    ];
    // The larger step, scaled, lies in (1/2, 1].
    let exponent = (-steps[0].max(steps[1]).log2()).floor() as i32;
    into.clear();
    let sides = [(part.x_px, part.size.width_px), (part.y_px, part.size.height_px)];
    for ((first, count), step) in sides.into_iter().zip(steps) {
        into.extend((first..first + count).map(|at| tap(at, step, step * 2f64.powi(exponent))));
    }
    SlopeScale { raise: exponent.max(0) as u32, lower: (-exponent).max(0) as u32 }
}

fn tap(at: u32, step: f64, slope_step: f64) -> Tap {
    let place = (f64::from(at) + 0.5) * step - 0.5;
    let before = place.floor();
    let t = place - before;
    let r = 1.0 - t;
    let weight = bspline(t);
    let slope =
        [-r * r / 2.0, (3.0 * t * t - 4.0 * t) / 2.0, (1.0 + 2.0 * t - 3.0 * t * t) / 2.0, t * t / 2.0];
    Tap {
        weight: whole(weight, 32768),
        slope: whole(slope.map(|s| s * slope_step), 0),
        first: before as i32 - 1,
        padding: [0; 3],
    }
}

/// Weights of four neighbours, `t` of the way from the second to the third. They sum to 1.
pub(super) fn bspline(t: f64) -> [f64; 4] {
    let r = 1.0 - t;
    [
        r * r * r / 6.0,
        (3.0 * t * t * t - 6.0 * t * t + 4.0) / 6.0,
        (3.0 * r * r * r - 6.0 * r * r + 4.0) / 6.0,
        t * t * t / 6.0,
    ]
}

/// Rounds to 1/32768 and makes the sum exact, at the cost of the weight that can best bear it.
pub(super) fn whole(weights: [f64; 4], sum: i32) -> [i32; 4] {
    let mut whole = weights.map(|w| (w * WEIGHT).round() as i32);
    let spare = sum - whole.iter().sum::<i32>();
    let largest = (0..4).fold(0, |best, i| if whole[i].abs() > whole[best].abs() { i } else { best });
    whole[largest] += spare;
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size(w: u32, h: u32) -> Size {
        Size::new(w, h).unwrap()
    }

    fn value_at(coefficients: &[i32], logits: Size, plate: Size, x: usize, y: usize) -> f64 {
        let mut taps_ = Vec::new();
        taps(plate, Window::whole(plate), logits, &mut taps_);
        let (across, down) = (taps_[x], taps_[plate.width() + y]);
        let mut sum = 0.0;
        for j in 0..4 {
            for i in 0..4 {
                let column = (across.first + i).clamp(0, logits.width_px as i32 - 1) as usize;
                let row = (down.first + j).clamp(0, logits.height_px as i32 - 1) as usize;
                sum += f64::from(coefficients[row * logits.width() + column])
                    * f64::from(across.weight[i as usize])
                    * f64::from(down.weight[j as usize]);
            }
        }
        sum / WEIGHT / WEIGHT / UNIT
    }

    #[test]
    fn the_curve_goes_through_the_logits() {
        for at in [size(7, 3), size(1, 5), size(4, 1), size(1, 1), size(2, 2)] {
            let values: Vec<f32> = (0..at.area_px()).map(|i| ((i * 7919) % 23) as f32 - 11.0).collect();
            let mut coefficients = Vec::new();
            Spline::default().coefficients(at, values.iter().copied(), &mut coefficients);
            for y in 0..at.height() {
                for x in 0..at.width() {
                    let found = value_at(&coefficients, at, at, x, y);
                    let want = f64::from(values[y * at.width() + x]);
                    assert!((found - want).abs() < 2e-3, "{at} at {x},{y}: {found}, {want}");
                }
            }
        }
    }

    #[test]
    fn weights_sum_to_one_and_slopes_to_nothing_at_every_scale() {
        for (plate, logits) in [
            (size(1280, 720), size(64, 64)),
            (size(1, 16384), size(64, 64)),
            (size(5, 3), size(1024, 7)),
            (size(16384, 1), size(1, 1)),
        ] {
            let mut found = Vec::new();
            let scale = taps(plate, Window::whole(plate), logits, &mut found);
            assert!(scale.raise == 0 || scale.lower == 0);
            assert!(scale.raise <= 14 && scale.lower <= 14);
            for tap in found {
                assert_eq!(tap.weight.iter().sum::<i32>(), 32768);
                assert_eq!(tap.slope.iter().sum::<i32>(), 0);
                assert!(tap.weight.iter().all(|w| *w >= 0));
            }
        }
    }

    #[test]
    fn numbers_that_are_none_count_as_outside_and_infinite_ones_as_certain() {
        let at = size(4, 1);
        let mut coefficients = Vec::new();
        let values = [f32::NAN, f32::NEG_INFINITY, f32::INFINITY, 1e30];
        Spline::default().coefficients(at, values.iter().copied(), &mut coefficients);
        for (x, want) in [-16.0, -16.0, 16.0, 16.0].into_iter().enumerate() {
            assert!((value_at(&coefficients, at, at, x, 0) - want).abs() < 1e-3);
        }
    }

    #[test]
    fn logits_of_another_length_are_refused() {
        let message = Logits::new(size(4, 2), &[0.0; 7]).unwrap_err().to_string();
        assert_eq!(message, "frame: the logits have 7 values, expected 8 for 4x2");
    }
}
