//! A feathered edge's curve.

use std::sync::LazyLock;

use super::light::FULL;

/// A feathered edge's curve: moved outwards by some deviations of its Gaussian, then raised to a power.
pub(super) fn falloff(shift: f64, power: f64) -> Vec<u32> {
    static DEVIATIONS: LazyLock<Vec<f64>> =
        LazyLock::new(|| (0..=1024).map(|i| quantile(f64::from(i) / 1024.0)).collect());
    let point = |i: u32| {
        let moved = match i {
            0 | 1024 => f64::from(i) / 1024.0,
            _ => normal(DEVIATIONS[i as usize] + shift),
        };
        (moved.powf(power) * f64::from(FULL)).round() as u32
    };
    (0..=1024).map(point).collect()
}

/// The share of a normal distribution below `x` deviations (Abramowitz and Stegun, 7.1.26 for the error function).
fn normal(x: f64) -> f64 {
    let z = x.abs() / std::f64::consts::SQRT_2;
    let t = 1.0 / (1.0 + 0.3275911 * z);
    let series =
        t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
    let tail = 0.5 * series * (-z * z).exp();
    if x < 0.0 { tail } else { 1.0 - tail }
}

/// Where [`normal`] has a value, by halving.
fn quantile(share: f64) -> f64 {
    let (mut low, mut high) = (-6.0, 6.0);
    for _ in 0..50 {
        let middle = (low + high) / 2.0;
        if normal(middle) < share { low = middle } else { high = middle }
    }
    (low + high) / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_normal_distribution_and_its_quantile_undo_each_other() {
        for i in 1..40 {
            let share = f64::from(i) / 40.0;
            assert!((normal(quantile(share)) - share).abs() < 1e-6);
        }
        assert!((normal(1.0) - 0.8413447).abs() < 1e-6);
    }
}
