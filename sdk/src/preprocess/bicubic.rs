//! Pillow's antialiased bicubic on 8 bits, to the last bit: what SAM 2's own transforms are made of.
//!
//! Weights are whole numbers of 22 fractional bits, rows are squeezed first and rounded to 8 bits, then columns.
//! `fast_image_resize` computes the same with shorter weights. That moves one value in some hundred by one step,
//! and a step moves mask logits by a tenth.

use multiversion::multiversion;

use crate::frame::FrameView;

/// Fractional bits of a weight: 32 bits less those of a sum of 8-bit values that overshoots.
const FRACTION: u32 = 22;

/// The source pixels that one target pixel is made of. The weights sum to about `1 << FRACTION`.
struct Span {
    start: usize,
    weights: Vec<i32>,
}

/// `[S, S, 3]`, red, green, blue.
pub(super) fn to_square(frame: FrameView<'_>, rgb: [usize; 3], side: usize) -> Vec<u8> {
    let (size, step) = (frame.size(), frame.format().bytes_per_pixel());
    let columns = spans(size.width(), side);
    let mut narrow = vec![0; size.height() * side * 3];
    for (y, target) in narrow.chunks_exact_mut(side * 3).enumerate() {
        match step {
            3 => squeeze_row(target, frame.row(y).as_chunks::<3>().0, &columns, rgb),
            _ => squeeze_row(target, frame.row(y).as_chunks::<4>().0, &columns, rgb),
        }
    }
    let mut square = vec![0; side * side * 3];
    let mut sums = vec![0; side * 3];
    for (target, span) in square.chunks_exact_mut(side * 3).zip(spans(size.height(), side)) {
        sums.fill(1 << (FRACTION - 1));
        for (row, &weight) in narrow[span.start * side * 3..].chunks_exact(side * 3).zip(&span.weights) {
            add_row(&mut sums, row, weight);
        }
        target.iter_mut().zip(&sums).for_each(|(value, &sum)| *value = to_byte(sum));
    }
    square
}

fn to_byte(sum: i32) -> u8 {
    (sum >> FRACTION).clamp(0, 255) as u8
}

#[multiversion(targets = "simd")]
fn add_row(sums: &mut [i32], row: &[u8], weight: i32) {
    for (sum, &v) in sums.iter_mut().zip(row) {
        *sum += weight * i32::from(v);
    }
}

#[multiversion(targets = "simd")]
fn squeeze_row<const STEP: usize>(target: &mut [u8], row: &[[u8; STEP]], columns: &[Span], rgb: [usize; 3]) {
    for (pixel, column) in target.chunks_exact_mut(3).zip(columns) {
        let mut sum = [1 << (FRACTION - 1); STEP];
        for (source, &weight) in row[column.start..].iter().zip(&column.weights) {
            for (sum, &value) in sum.iter_mut().zip(source) {
                *sum += weight * i32::from(value);
            }
        }
        for (value, at) in pixel.iter_mut().zip(rgb) {
            *value = to_byte(sum[at]);
        }
    }
}

fn spans(from: usize, to: usize) -> Vec<Span> {
    if from == to {
        return (0..to).map(|start| Span { start, weights: vec![1 << FRACTION] }).collect();
    }
    let scale = from as f64 / to as f64;
    // Where the frame is shrunk, the filter is stretched over as many pixels as become one.
    let stretch = scale.max(1.0);
    let reach = 2.0 * stretch;
    (0..to)
        .map(|at| {
            let centre = (at as f64 + 0.5) * scale;
            let start = (centre - reach + 0.5).max(0.0) as usize;
            let end = ((centre + reach + 0.5) as usize).min(from);
            let weight = |p: usize| cubic((p as f64 - centre + 0.5) / stretch);
            let whole: f64 = (start..end).map(weight).sum();
            let fixed = |p| (weight(p) / whole * f64::from(1 << FRACTION)).round() as i32;
            Span { start, weights: (start..end).map(fixed).collect() }
        })
        .collect()
}

/// Keys' cubic with a = -0.5.
fn cubic(x: f64) -> f64 {
    const A: f64 = -0.5;
    match x.abs() {
        x if x < 1.0 => ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0,
        x if x < 2.0 => (((x - 5.0) * x + 8.0) * x - 4.0) * A,
        _ => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_sum_to_one_and_stay_inside_for_every_size() {
        for from in 1..300 {
            for span in spans(from, 64) {
                let off = span.weights.iter().sum::<i32>() - (1 << FRACTION);
                assert!(off.unsigned_abs() as usize <= span.weights.len());
                assert!(span.start + span.weights.len() <= from);
            }
        }
    }
}
