//! What the frames around say of an edge: where a steady motion would have it, and how fast it moves.

use rotomask_shaders::layout;

use super::plan::grow;
use super::settings::MatteSettings;
use crate::frame::Size;

/// A line through an object's distances over time, by least squares: its value at the frame, and its slope. Each is a
/// sum of the frame's own distance and of its neighbours', in their order.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Fit {
    value: Vec<f64>,
    slope: Vec<f64>,
}

impl Fit {
    /// Through the frame and its neighbours, which are some frames away. Without neighbours there is no line.
    pub fn new(neighbours: impl Iterator<Item = i32>) -> Self {
        let times: Vec<f64> = std::iter::once(0.0).chain(neighbours.map(f64::from)).collect();
        if times.len() == 1 {
            return Self::default();
        }
        let value = line(&times, |_| true).into_iter().map(|(value, _)| value).collect();
        // The nearest frames tell the motion best, if there are any.
        let near = |t: f64| t.abs() <= 1.0;
        let known = times[1..].iter().any(|t| near(*t));
        let slope = line(&times, |t| !known || near(t)).into_iter().map(|(_, slope)| slope).collect();
        Self { value, slope }
    }
}

/// What each time counts for in the line's value at 0 and in its slope.
fn line(times: &[f64], counts: impl Fn(f64) -> bool) -> Vec<(f64, f64)> {
    let used = || times.iter().copied().filter(|t| counts(*t));
    let count = used().count() as f64;
    let mean = used().sum::<f64>() / count;
    let spread = used().map(|t| (t - mean).powi(2)).sum::<f64>();
    let weights = |t: &f64| match counts(*t) {
        true => (1.0 / count - mean * (t - mean) / spread, (t - mean) / spread),
        false => (0.0, 0.0),
    };
    times.iter().map(weights).collect()
}

/// What an object's settings and its neighbours come to.
pub(super) struct Drifts {
    /// Before its edge is shaped.
    pub steady: Option<layout::Drift>,
    /// After it.
    pub blurred: Option<layout::Drift>,
    /// How distances are measured, if either is done: on the frame itself, which matters near its edge only, and around.
    pub measure: Option<[layout::Grow; 2]>,
}

/// How far an edge moves between two frames at most, in pixels of the full frame, to be told from one that isn't there.
const STEADY_REACH_PX: f64 = 24.0;
/// The same for its blur.
const BLURRED_REACH_PX: f64 = 64.0;

pub(super) fn drift(settings: &MatteSettings, fit: &Fit, scale: glam::DVec2, size: Size) -> Drifts {
    let known = !fit.value.is_empty();
    let steadies = known && settings.dechatter > 0.0;
    let blurs = known && settings.motion_blur > 0.0;
    let reach_px = if blurs { BLURRED_REACH_PX } else { STEADY_REACH_PX };
    let mean = (scale.x * scale.y).sqrt();
    let whole = |weights: &[f64], sum: i32| {
        let mut whole = [0; 5];
        whole.iter_mut().zip(weights).for_each(|(whole, weight)| *whole = (weight * 4096.0).round() as i32);
        // The frame's own bears what rounding leaves.
        whole[0] += sum - whole.iter().sum::<i32>();
        whole
    };
    let job = |value: [i32; 5], slope: [i32; 5]| layout::Drift {
        width_px: size.width_px,
        height_px: size.height_px,
        value_now: value[0],
        value_a: value[1],
        value_b: value[2],
        value_c: value[3],
        value_d: value[4],
        slope_now: slope[0],
        slope_a: slope[1],
        slope_b: slope[2],
        slope_c: slope[3],
        slope_d: slope[4],
        far: (reach_px * mean * 1024.0) as i32,
        limit: 0,
        steadied: 0,
        shutter: 0,
        near: 0,
        reach_px: 0,
    };
    let limit_px = f64::from(settings.dechatter_px) * mean;
    // Where distances hardly change, along ridges, a pixel is looked for twice as far away.
    let steady_px = (2.0 * limit_px).ceil() as i32;
    let measured = |reach_px| grow(0.0, reach_px, scale, size);
    let own = measured(if blurs { reach_px } else { f64::from(steady_px + 3) / scale.x.min(scale.y) });
    // What lies farther away has no distance of its own.
    let seen = ((own.farthest * own.per_distance) >> 10) as i32;
    let steady = layout::Drift {
        limit: (limit_px * 1024.0).round() as i32,
        steadied: (settings.dechatter * 2.56).round() as i32,
        near: ((steady_px + 1) * 1024).min(seen),
        reach_px: steady_px,
        ..job(whole(&fit.value, 4096), [0; 5])
    };
    let open = f64::from(settings.motion_blur) / 360.0;
    let blurred_px = (reach_px * scale.x.max(scale.y) * open.max(1.0)).ceil() as i32;
    let blurred = layout::Drift {
        shutter: (open * 256.0).round() as i32,
        near: ((reach_px * mean * 1024.0) as i32).min(seen),
        reach_px: blurred_px,
        ..job([0; 5], whole(&fit.slope, 0))
    };
    Drifts {
        steady: steadies.then_some(steady),
        blurred: blurs.then_some(blurred),
        measure: (steadies || blurs).then_some([own, measured(reach_px)]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(weights: &[f64], values: &[f64]) -> f64 {
        weights.iter().zip(values).map(|(w, v)| w * v).sum()
    }

    #[test]
    fn an_even_motion_is_its_own_line_whichever_frames_are_known() {
        for times in [vec![-1, 1], vec![-2, -1, 1, 2], vec![-1], vec![1, 2], vec![-2, -1], vec![2, -1]] {
            let fit = Fit::new(times.iter().copied());
            let moving: Vec<f64> =
                std::iter::once(5.0).chain(times.iter().map(|t| 5.0 + 7.5 * f64::from(*t))).collect();
            assert!((sum(&fit.value, &moving) - 5.0).abs() < 1e-9, "{times:?}");
            assert!((sum(&fit.slope, &moving) - 7.5).abs() < 1e-9, "{times:?}");
        }
    }

    #[test]
    fn jitter_between_frames_is_evened_out() {
        let fit = Fit::new([-2, -1, 1, 2].into_iter());
        let jitter = sum(&fit.value, &[1.0, 1.0, -1.0, -1.0, 1.0]);
        assert!((jitter - 0.2).abs() < 1e-9, "{jitter}");
    }

    #[test]
    fn without_neighbours_nothing_moves() {
        let settings = MatteSettings { dechatter: 100.0, motion_blur: 180.0, ..Default::default() };
        let found =
            drift(&settings, &Fit::new(std::iter::empty()), glam::DVec2::ONE, Size::new(9, 9).unwrap());
        assert!(found.steady.is_none() && found.blurred.is_none() && found.measure.is_none());
    }
}
