//! Cubic Béziers through two points with given directions, fitted to what lies between.
//!
//! Schneider, "An Algorithm for Automatically Fitting Digitized Curves", Graphics Gems (1990): handles' lengths by
//! least squares, then each sample's place on the curve by Newton's method, by turns.

use glam::DVec2;

/// How often handles and places are improved by turns.
const ROUNDS: usize = 4;

/// One piece of a curve.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cubic([DVec2; 4]);

impl Cubic {
    /// From a point with its handle to a point with its handle, both handles relative to their point.
    pub(super) fn new(from: DVec2, outgoing: DVec2, to: DVec2, incoming: DVec2) -> Self {
        Self([from, from + outgoing, to + incoming, to])
    }

    pub(super) fn at(&self, t: f64) -> DVec2 {
        let [a, b, c, d] = self.0;
        let s = 1.0 - t;
        a * (s * s * s) + b * (3.0 * s * s * t) + c * (3.0 * s * t * t) + d * (t * t * t)
    }

    fn first(&self, t: f64) -> DVec2 {
        let [a, b, c, d] = self.0;
        let s = 1.0 - t;
        3.0 * ((b - a) * (s * s) + (c - b) * (2.0 * s * t) + (d - c) * (t * t))
    }

    fn second(&self, t: f64) -> DVec2 {
        let [a, b, c, d] = self.0;
        6.0 * ((c - 2.0 * b + a) * (1.0 - t) + (d - 2.0 * c + b) * t)
    }
}

/// A fitted piece.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fit {
    /// From the first point to its handle.
    pub(super) outgoing: DVec2,
    /// From the last point to its handle.
    pub(super) incoming: DVec2,
    /// The sum of squared distances, in square pixels.
    pub(super) squares: f64,
    /// The largest distance, in pixels, and whose.
    pub(super) worst: (f64, usize),
}

/// Fits a piece to `samples` between two points. `ahead` is the direction at the first point, `back` that at the last
/// one, against the curve's way; both of length 1.
pub(super) fn fit(samples: &[DVec2], from: DVec2, ahead: DVec2, to: DVec2, back: DVec2) -> Fit {
    let chord = from.distance(to);
    let mut places = Vec::with_capacity(samples.len());
    let (mut length, mut last) = (0.0, from);
    for sample in samples {
        length += last.distance(*sample);
        places.push(length);
        last = *sample;
    }
    length += last.distance(to);
    places.iter_mut().for_each(|place| *place /= length.max(1e-9));
    // Longer handles than that make loops.
    let longest = 1.2 * length.max(chord);
    let mut handles = [chord / 3.0; 2];
    for round in 0..ROUNDS {
        if samples.len() >= 2 {
            handles =
                lengths(samples, &places, from, ahead, to, back, [chord / 3.0; 2]).map(|h| h.min(longest));
        }
        let curve = Cubic::new(from, ahead * handles[0], to, back * handles[1]);
        // The last places belong to the curve that is given.
        let steps = if round + 1 == ROUNDS { 2 } else { 1 };
        for (place, sample) in places.iter_mut().zip(samples) {
            for _ in 0..steps {
                *place = nearer(&curve, *place, *sample);
            }
        }
    }
    let (outgoing, incoming) = (ahead * handles[0], back * handles[1]);
    let curve = Cubic::new(from, outgoing, to, incoming);
    let (mut squares, mut worst) = (0.0, (0.0, 0));
    for (i, (sample, place)) in samples.iter().zip(&places).enumerate() {
        let off = sample.distance(curve.at(*place));
        squares += off * off;
        if off > worst.0 {
            worst = (off, i);
        }
    }
    Fit { outgoing, incoming, squares, worst }
}

/// The handles' lengths by least squares; `otherwise` where they can't be told or would point back.
fn lengths(
    samples: &[DVec2],
    places: &[f64],
    from: DVec2,
    ahead: DVec2,
    to: DVec2,
    back: DVec2,
    otherwise: [f64; 2],
) -> [f64; 2] {
    let (mut c00, mut c01, mut c11, mut x0, mut x1) = (0.0, 0.0, 0.0, 0.0, 0.0);
    for (sample, &t) in samples.iter().zip(places) {
        let s = 1.0 - t;
        let (b0, b1, b2, b3) = (s * s * s, 3.0 * s * s * t, 3.0 * s * t * t, t * t * t);
        let (a0, a1) = (ahead * b1, back * b2);
        let rest = *sample - from * (b0 + b1) - to * (b2 + b3);
        c00 += a0.dot(a0);
        c01 += a0.dot(a1);
        c11 += a1.dot(a1);
        x0 += a0.dot(rest);
        x1 += a1.dot(rest);
    }
    let determinant = c00 * c11 - c01 * c01;
    if determinant < 1e-9 * (c00 * c11).max(1e-12) {
        return otherwise;
    }
    let found = [(x0 * c11 - x1 * c01) / determinant, (x1 * c00 - x0 * c01) / determinant];
    let least = 0.02 * otherwise[0];
    if found.iter().all(|h| h.is_finite() && *h > least) { found } else { otherwise }
}

/// A place on the curve that is nearer to a sample, by one of Newton's steps.
fn nearer(curve: &Cubic, t: f64, sample: DVec2) -> f64 {
    let (off, first) = (curve.at(t) - sample, curve.first(t));
    let slope = first.length_squared() + off.dot(curve.second(t));
    if slope <= 1e-12 {
        return t;
    }
    let next = (t - off.dot(first) / slope).clamp(0.0, 1.0);
    if curve.at(next).distance_squared(sample) <= off.length_squared() { next } else { t }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quarter_of_a_circle_is_met_as_well_as_a_cubic_can() {
        let place = |degrees: f64| DVec2::from_angle(degrees.to_radians()) * 100.0;
        let samples: Vec<DVec2> = (1..90).map(|n| place(f64::from(n))).collect();
        let found = fit(&samples, place(0.0), DVec2::Y, place(90.0), DVec2::X);
        // The well-known handle of 0.5523 of the radius; a circle is off by 0.03 % then.
        assert!((found.outgoing.length() - 55.23).abs() < 0.5, "{found:?}");
        assert!(found.worst.0 < 0.04, "{found:?}");
    }

    #[test]
    fn a_straight_piece_and_one_without_samples_have_a_third_for_handles() {
        let (from, to) = (DVec2::new(2.0, 3.0), DVec2::new(14.0, 3.0));
        for samples in [vec![], (3..14).map(|x| DVec2::new(f64::from(x), 3.0)).collect::<Vec<_>>()] {
            let found = fit(&samples, from, DVec2::X, to, -DVec2::X);
            assert!(found.worst.0 < 1e-6);
            assert!(found.outgoing.length() > 0.0 && found.outgoing.length() <= 14.5, "{found:?}");
        }
    }
}
