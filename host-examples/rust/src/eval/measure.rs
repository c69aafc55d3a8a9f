//! DAVIS's measures: J, how much two regions overlap, and F, how much of their boundaries meet.
//!
//! They follow Perazzi et al., "A Benchmark Dataset and Evaluation Methodology for Video Object Segmentation"
//! (2016), in the details of the official evaluation, so that figures can be compared.

use crate::dataset::Region;

/// Boundaries meet within this share of the picture's diagonal.
const REACH: f64 = 0.008;

/// Further than any picture is wide.
const FAR: usize = usize::MAX / 2;

/// A value above this counts as a success in the recall.
const SUCCESS: f64 = 0.5;

/// The decay compares the first with the last of so many parts of a sequence.
const PARTS: usize = 4;

/// J: the share of the pixels in either region that are in both, 0 to 1; two empty regions agree.
///
/// Both regions are of the same size.
pub fn region_similarity(truth: &Region, found: &Region) -> f64 {
    let (mut both, mut either) = (0u64, 0u64);
    for (&t, &f) in truth.pixels().iter().zip(found.pixels()) {
        both += u64::from(t && f);
        either += u64::from(t || f);
    }
    if either == 0 { 1.0 } else { both as f64 / either as f64 }
}

/// F: the harmonic mean of the share of found boundary that lies near the true one, and the reverse; 0 to 1.
///
/// Both regions are of the same size.
pub fn boundary_accuracy(truth: &Region, found: &Region) -> f64 {
    let diagonal = (truth.width() as f64).hypot(truth.height() as f64);
    let reach = (REACH * diagonal).ceil() as usize;
    let (truth, found) = (boundary(truth), boundary(found));
    let (truth_pixels, found_pixels) = (truth.area(), found.area());
    let (precision, recall) = match (found_pixels, truth_pixels) {
        (0, 0) => (1.0, 1.0),
        (0, _) => (1.0, 0.0),
        (_, 0) => (0.0, 1.0),
        _ => (
            near(&found, &truth, reach) as f64 / found_pixels as f64,
            near(&truth, &found, reach) as f64 / truth_pixels as f64,
        ),
    };
    if precision + recall == 0.0 { 0.0 } else { 2.0 * precision * recall / (precision + recall) }
}

/// Pixels that differ from their right, lower or lower right neighbour, as if the last row and column were there
/// twice.
fn boundary(region: &Region) -> Region {
    let (width, height) = (region.width(), region.height());
    let row = |y: usize| &region.pixels()[y * width..][..width];
    let mut inside = Vec::with_capacity(region.pixels().len());
    for y in 0..height {
        let (here, below) = (row(y), row((y + 1).min(height - 1)));
        inside.extend((0..width).map(|x| {
            let right = (x + 1).min(width - 1);
            here[x] != here[right] || here[x] != below[x] || here[x] != below[right]
        }));
    }
    Region::new(width as u32, inside)
}

/// How many pixels of one boundary have one of the other within a disk of radius `reach`.
fn near(pixels: &Region, others: &Region, reach: usize) -> usize {
    let (width, height) = (pixels.width(), pixels.height());
    let along_rows = row_distances(others);
    let mut near = 0;
    for y in 0..height {
        for x in (0..width).filter(|x| pixels.pixels()[y * width + x]) {
            let rows = y.saturating_sub(reach)..(y + reach + 1).min(height);
            near += usize::from(rows.into_iter().any(|row| {
                let (across, down) = (along_rows[row * width + x], row.abs_diff(y));
                across <= reach && across * across + down * down <= reach * reach
            }));
        }
    }
    near
}

/// From each pixel to the nearest of its row that is set, in pixels; `FAR` or more where none is.
fn row_distances(region: &Region) -> Vec<usize> {
    let mut distances = vec![FAR; region.pixels().len()];
    let width = region.width().max(1);
    for (row, distances) in region.pixels().chunks(width).zip(distances.chunks_mut(width)) {
        if !row.contains(&true) {
            continue;
        }
        let (mut before, mut after) = (FAR, FAR);
        for (x, &inside) in row.iter().enumerate() {
            before = if inside { 0 } else { before + 1 };
            distances[x] = before;
        }
        for (x, &inside) in row.iter().enumerate().rev() {
            after = if inside { 0 } else { after + 1 };
            distances[x] = distances[x].min(after);
        }
    }
    distances
}

/// A measure over a sequence's frames.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize)]
pub struct Statistics {
    /// On average.
    pub mean: f64,
    /// The share of frames above one half.
    pub recall: f64,
    /// The mean of the first quarter less that of the last; below 0 it became better.
    pub decay: f64,
}

impl Statistics {
    /// Over at least one frame. Neighbouring quarters share a frame, as in the official evaluation.
    pub fn of(values: &[f64]) -> Option<Self> {
        let last = values.len().checked_sub(1)?;
        let edge = |part: usize| {
            let place = (1.0 + (last * part) as f64 / PARTS as f64 + 1e-10).round_ties_even();
            (place as usize - 1).min(last)
        };
        let successes = values.iter().filter(|&&value| value > SUCCESS).count();
        Some(Self {
            mean: mean(values),
            recall: successes as f64 / values.len() as f64,
            decay: mean(&values[edge(0)..=edge(1)]) - mean(&values[edge(PARTS - 1)..=edge(PARTS)]),
        })
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn region(width: i64, height: i64, inside: impl Fn(i64, i64) -> bool) -> Region {
        let pixels = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
        Region::new(width as u32, pixels.map(|(x, y)| inside(x, y)).collect())
    }

    fn disc(cx: i64, cy: i64, r: i64) -> impl Fn(i64, i64) -> bool {
        move |x, y| (x - cx).pow(2) + (y - cy).pow(2) < r * r
    }

    fn rect(x0: i64, y0: i64, x1: i64, y1: i64) -> impl Fn(i64, i64) -> bool {
        move |x, y| (x0..x1).contains(&x) && (y0..y1).contains(&y)
    }

    /// J and F were taken from a NumPy and OpenCV evaluation that equals the official one.
    fn check(
        width: i64,
        height: i64,
        truth: &dyn Fn(i64, i64) -> bool,
        found: &dyn Fn(i64, i64) -> bool,
        jf: [f64; 2],
    ) {
        let (truth, found) = (region(width, height, truth), region(width, height, found));
        assert!((region_similarity(&truth, &found) - jf[0]).abs() < 1e-12, "J of {width}x{height}");
        assert!((boundary_accuracy(&truth, &found) - jf[1]).abs() < 1e-12, "F of {width}x{height}");
    }

    #[test]
    fn wide_odd_and_tall_masks_score_as_in_the_official_evaluation() {
        let (j, f) = (0.6993166287015945, 0.2441319751992914);
        check(161, 77, &disc(60, 40, 25), &disc(66, 37, 24), [j, f]);
        let truth = |x, y| disc(200, 150, 90)(x, y) || rect(300, 0, 403, 40)(x, y);
        let found = |x, y| disc(206, 155, 86)(x, y) || rect(310, 0, 403, 52)(x, y);
        check(403, 301, &truth, &found, [0.8509640102827764, 0.48928290715486433]);
        let salted = |x, y| disc(48, 30, 20)(x, y) != ((x * 7919 + y * 104_729) % 11 == 0);
        check(97, 61, &disc(48, 30, 20), &salted, [0.6778443113772455, 0.19281045751633988]);
        check(1, 40, &rect(0, 3, 1, 20), &rect(0, 5, 1, 22), [0.7894736842105263, 0.0]);
    }

    #[test]
    fn masks_at_the_pictures_edge_score_as_in_the_official_evaluation() {
        check(53, 29, &rect(40, 20, 53, 29), &rect(41, 19, 53, 29), [0.8372093023255814, 1.0]);
        check(53, 29, &|_, _| true, &rect(0, 0, 52, 29), [0.9811320754716981, 0.0]);
    }

    #[test]
    fn nothing_there_and_nothing_found_is_a_full_score() {
        check(53, 29, &|_, _| false, &|_, _| false, [1.0, 1.0]);
        check(53, 29, &|_, _| true, &|_, _| true, [1.0, 1.0]);
        check(1, 1, &|_, _| true, &|_, _| false, [0.0, 1.0]);
    }

    #[test]
    fn what_is_missed_or_invented_scores_nothing() {
        check(53, 29, &disc(20, 12, 8), &|_, _| false, [0.0, 0.0]);
        check(53, 29, &|_, _| false, &disc(20, 12, 8), [0.0, 0.0]);
    }

    #[test]
    fn quarters_of_short_and_odd_sequences_are_the_official_ones() {
        for (frames, mean, recall, decay) in [
            (1, 0.0, 0.0, 0.0),
            (2, 0.185, 0.0, -0.37),
            (3, 0.37, 1.0 / 3.0, -0.555),
            (7, 0.39571428571428574, 2.0 / 7.0, -0.165),
            (10, 0.465, 0.4, -0.25666666666666665),
            (22, 0.47590909090909084, 10.0 / 22.0, -0.08666666666666673),
        ] {
            let values: Vec<f64> = (0..frames).map(|i| f64::from(i * 37 % 100) / 100.0).collect();
            let found = Statistics::of(&values).unwrap();
            let apart = [found.mean - mean, found.recall - recall, found.decay - decay];
            assert!(apart.iter().all(|d| d.abs() < 1e-12), "{frames}: {found:?}");
        }
        assert_eq!(Statistics::of(&[]), None);
    }
}
