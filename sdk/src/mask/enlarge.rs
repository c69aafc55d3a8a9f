//! Logits at the frame's size, row by row: bilinear, `align_corners` false, as the reference does.

use multiversion::multiversion;

use super::LogitPlane;
use crate::frame::Size;

/// Where a target pixel's centre falls between two source pixels.
struct Tap {
    near: usize,
    far: usize,
    weight: f32,
}

pub(super) struct Enlarge<'a> {
    plane: &'a LogitPlane,
    columns: Vec<Tap>,
    rows: Vec<Tap>,
}

impl<'a> Enlarge<'a> {
    pub(super) fn new(plane: &'a LogitPlane, to: Size) -> Self {
        let taps = |from: usize, to: usize| {
            let scale = from as f32 / to as f32;
            (0..to)
                .map(|at| {
                    let centre = ((at as f32 + 0.5) * scale - 0.5).max(0.0);
                    let near = (centre as usize).min(from - 1);
                    Tap { near, far: (near + 1).min(from - 1), weight: centre - near as f32 }
                })
                .collect()
        };
        Self {
            plane,
            columns: taps(plane.size.width(), to.width()),
            rows: taps(plane.size.height(), to.height()),
        }
    }

    pub(super) fn row(&self, y: usize, line: &mut [f32]) {
        let width = self.plane.size.width();
        let source = |row: usize| &self.plane.values[row * width..][..width];
        let Tap { near, far, weight } = self.rows[y];
        let between = source(near).iter().zip(source(far)).map(|(a, b)| a * (1.0 - weight) + b * weight);
        let between: Vec<f32> = between.collect();
        widen(&between, &self.columns, line);
    }
}

/// Every pixel of the frame passes through here, so it is compiled for wider registers as well.
#[multiversion(targets = "simd")]
fn widen(row: &[f32], columns: &[Tap], line: &mut [f32]) {
    for (value, tap) in line.iter_mut().zip(columns) {
        *value = row[tap.near] * (1.0 - tap.weight) + row[tap.far] * tap.weight;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logits_are_enlarged_as_by_opencv_and_pytorch() {
        let bytes = include_bytes!("../../tests/data/preprocess/goldens.safetensors");
        let tensors = safetensors::SafeTensors::deserialize(bytes).unwrap();
        let floats = |name| {
            let data = tensors.tensor(name).unwrap().data().to_vec();
            data.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect::<Vec<_>>()
        };
        let plane = LogitPlane { size: Size::new(16, 16).unwrap(), values: floats("logits") };
        let size = Size::new(37, 23).unwrap();
        let enlarge = Enlarge::new(&plane, size);
        let mut line = vec![0.0; 37];
        for (y, want) in floats("logits.at_37x23").chunks_exact(37).enumerate() {
            enlarge.row(y, &mut line);
            assert!(line.iter().zip(want).all(|(a, b)| (a - b).abs() < 1e-4), "row {y}");
        }
    }
}
