//! A Gaussian in whole numbers, wide ones on fewer pixels. Shared by the GPU and the CPU's twin.

use super::logits::{bspline, whole};
use crate::frame::Size;

/// Neighbours on each side at most, on the reduced picture.
pub(super) const MAX_RADIUS: usize = 36;
/// Side of the largest square that is reduced to one sample.
pub(super) const MAX_FACTOR: usize = 32;

/// The middle's, then each neighbour's outwards, 1/65536.
pub(super) type Weights = [u32; MAX_RADIUS + 1];

/// How one blur is done: reduce by `factor`, blur both ways, enlarge.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Gaussian {
    /// A power of two; 1 reduces nothing.
    pub factor: u32,
    /// The reduced picture.
    pub small: Size,
    /// Neighbours on each side, across and down.
    pub radius: [usize; 2],
    /// Across and down.
    pub weights: [Weights; 2],
    /// Weights for enlarging, 1/32768, for each place in a square.
    pub phases: [[u32; 4]; MAX_FACTOR],
}

impl Gaussian {
    /// `None` if there is nothing to blur. The deviations across and down are at most 512 pixels, and the larger is at
    /// most four times the smaller; beyond that it is cut.
    pub fn new(sigma_px: [f64; 2], size: Size) -> Option<Self> {
        let least = sigma_px[0].min(sigma_px[1]);
        if least <= 0.0 {
            return None;
        }
        let mut factor = 1u32;
        // From three pixels on, half the pixels carry what is left of the picture.
        while least / f64::from(factor) >= 3.0 && (factor as usize) < MAX_FACTOR {
            factor *= 2;
        }
        let k = f64::from(factor);
        let direction = |sigma_px: f64| {
            let mut sigma = sigma_px / k;
            if factor > 1 {
                // Squares and splines are soft themselves; variances add up.
                sigma = (sigma * sigma - (1.0 - 1.0 / (k * k)) / 12.0 - 1.0 / 3.0).sqrt();
            }
            let radius = ((3.0 * sigma).ceil() as usize).clamp(1, MAX_RADIUS);
            let bell = |i: usize| (-0.5 * (i as f64 / sigma).powi(2)).exp();
            let total = bell(0) + 2.0 * (1..=radius).map(bell).sum::<f64>();
            let mut weights = [0; MAX_RADIUS + 1];
            for (i, weight) in weights.iter_mut().enumerate().take(radius + 1).skip(1) {
                *weight = (bell(i) / total * 65536.0).round() as u32;
            }
            weights[0] = 65536 - 2 * weights.iter().sum::<u32>();
            (radius, weights)
        };
        let [(across, weights_across), (down, weights_down)] = sigma_px.map(direction);
        let mut phases = [[0; 4]; MAX_FACTOR];
        for (at, phase) in phases.iter_mut().enumerate().take(factor as usize) {
            let place = (at as f64 + 0.5) / k + 0.5;
            *phase = whole(bspline(place - place.floor()), 32768).map(|w| w as u32);
        }
        let small =
            Size { width_px: size.width_px.div_ceil(factor), height_px: size.height_px.div_ceil(factor) };
        Some(Self { factor, small, radius: [across, down], weights: [weights_across, weights_down], phases })
    }

    /// How far a pixel's value reaches, at most, in pixels.
    pub fn reach_px(&self) -> u32 {
        // Enlarging looks at two samples to each side of a place that may lie at a square's rim.
        let squares = self.radius[0].max(self.radius[1]) as u32 + 3;
        if self.factor == 1 { squares - 3 } else { squares * self.factor }
    }

    /// Of the four samples that make the full-size sample `at`, the second.
    pub fn nearest(&self, at: usize) -> isize {
        ((at + self.factor as usize / 2) / self.factor as usize) as isize - 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_sum_to_one_for_every_width() {
        let size = Size::new(1921, 801).unwrap();
        for step in 1..=6400 {
            let sigma = f64::from(step) / 100.0;
            let g = Gaussian::new([sigma, sigma * 2.5], size).unwrap();
            for weights in g.weights {
                assert_eq!(weights[0] + 2 * weights[1..].iter().sum::<u32>(), 65536, "{step}");
            }
            for phase in &g.phases[..g.factor as usize] {
                assert_eq!(phase.iter().sum::<u32>(), 32768);
            }
        }
    }

    #[test]
    fn the_variance_is_the_one_asked_for_in_both_directions() {
        let size = Size::new(640, 480).unwrap();
        for sigma in [0.7f64, 1.5, 2.9, 3.0, 5.9, 6.0, 17.0, 47.0, 64.0] {
            let wanted = [sigma, sigma * 2.0];
            let g = Gaussian::new(wanted, size).unwrap();
            for (want, (radius, weights)) in wanted.iter().zip(g.radius.iter().zip(g.weights)) {
                let blurred: f64 =
                    (1..=*radius).map(|i| 2.0 * f64::from(weights[i]) / 65536.0 * (i * i) as f64).sum();
                let k = f64::from(g.factor);
                let around = if g.factor > 1 { (1.0 - 1.0 / (k * k)) / 12.0 + 1.0 / 3.0 } else { 0.0 };
                let found = (blurred + around).sqrt() * k;
                // Cutting the tails at three deviations takes a little of the width.
                assert!((found / want - 1.0).abs() < 0.03, "{want}: {found}");
            }
        }
    }
}
