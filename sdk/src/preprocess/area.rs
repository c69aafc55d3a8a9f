//! Area averaging with exact fractional borders.
//!
//! `fast_image_resize`'s box filter takes a source pixel wholly or not at all, by its centre; the default model
//! was trained on squares in which a pixel counts by the part of it that is covered (`INTER_AREA` in OpenCV).

use multiversion::multiversion;

use crate::frame::FrameView;

/// The source pixels that one target pixel covers, and how much of each. The weights sum to 1.
struct Span {
    start: usize,
    weights: Vec<f32>,
}

/// `[S, S, 3]`, red, green, blue, rounded to 8 bits.
///
/// On one thread: it takes a millisecond, and shared threads may be busy with an earlier frame's matte.
pub(super) fn to_square(frame: FrameView<'_>, rgb: [usize; 3], side: usize) -> Vec<u8> {
    let (size, step) = (frame.size(), frame.format().bytes_per_pixel());
    let columns = spans(size.width(), side);
    let mut square = vec![0; side * side * 3];
    let mut band = vec![0.0f32; size.width() * step];
    for (target, span) in square.chunks_exact_mut(side * 3).zip(spans(size.height(), side)) {
        band.fill(0.0);
        for (offset, &weight) in span.weights.iter().enumerate() {
            add_row(&mut band, frame.row(span.start + offset), weight);
        }
        match step {
            3 => squeeze_row(target, band.as_chunks::<3>().0, &columns, rgb),
            _ => squeeze_row(target, band.as_chunks::<4>().0, &columns, rgb),
        }
    }
    square
}

/// Every byte of the frame passes through here, so it is compiled for wider registers as well.
#[multiversion(targets = "simd")]
fn add_row(band: &mut [f32], row: &[u8], weight: f32) {
    for (sum, &v) in band.iter_mut().zip(row) {
        *sum += weight * f32::from(v);
    }
}

/// Compiled for newer processors as well, on which a pixel is one register and rounding one instruction.
#[multiversion(targets = "simd")]
fn squeeze_row<const STEP: usize>(
    target: &mut [u8],
    band: &[[f32; STEP]],
    columns: &[Span],
    rgb: [usize; 3],
) {
    for (pixel, column) in target.chunks_exact_mut(3).zip(columns) {
        let mut sum = [0.0f32; STEP];
        for (source, &weight) in band[column.start..].iter().zip(&column.weights) {
            for (sum, value) in sum.iter_mut().zip(source) {
                *sum += weight * value;
            }
        }
        for (value, at) in pixel.iter_mut().zip(rgb) {
            *value = sum[at].round_ties_even().clamp(0.0, 255.0) as u8;
        }
    }
}

fn spans(from: usize, to: usize) -> Vec<Span> {
    let scale = from as f64 / to as f64;
    (0..to).map(|at| if from >= to { covered(at, scale, from) } else { between(at, scale, from) }).collect()
}

/// Shrinking: all that lies under the target pixel.
fn covered(at: usize, scale: f64, from: usize) -> Span {
    // What floating point leaves over of a border that falls between two pixels is no part of a pixel.
    const SLIVER: f64 = 1e-6;
    let (low, high) = (at as f64 * scale, (at as f64 + 1.0) * scale);
    let start = (low + SLIVER).floor() as usize;
    let end = ((high - SLIVER).ceil() as usize).clamp(start + 1, from);
    let part = |p: usize| (high.min(p as f64 + 1.0) - low.max(p as f64)) / (high - low);
    Span { start, weights: (start..end).map(|p| part(p) as f32).collect() }
}

/// Growing: the two nearest, by distance between centres.
fn between(at: usize, scale: f64, from: usize) -> Span {
    let centre = ((at as f64 + 0.5) * scale - 0.5).clamp(0.0, from as f64 - 1.0);
    let start = (centre as usize).min(from.saturating_sub(2));
    let far = (centre - start as f64) as f32;
    Span { start, weights: if from == 1 { vec![1.0] } else { vec![1.0 - far, far] } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_the_parts_of_pixels_that_are_covered() {
        let spans = spans(5, 2);
        assert_eq!((spans[0].start, spans[1].start), (0, 2));
        for (span, want) in spans.iter().zip([[0.4, 0.4, 0.2], [0.2, 0.4, 0.4]]) {
            assert!(span.weights.iter().zip(want).all(|(a, b)| (a - b).abs() < 1e-6), "{:?}", span.weights);
        }
    }

    #[test]
    fn weights_sum_to_one_and_stay_inside_for_every_size() {
        for from in 1..300 {
            for span in spans(from, 64) {
                assert!((span.weights.iter().sum::<f32>() - 1.0).abs() < 1e-5);
                assert!(span.start + span.weights.len() <= from);
            }
        }
    }
}
