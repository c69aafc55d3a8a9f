//! From the decoder's logits to masks at the host's size.

use multiversion::multiversion;

use crate::error::{Error, Result};
use crate::frame::{FrameViewMut, Layout, PixelFormat, Size};
use crate::model::{Constants, Decoded};

/// A plane of mask logits, row by row. Above 0: the object. It covers the whole frame, whatever its own size.
#[derive(Clone, Debug, PartialEq)]
pub struct LogitPlane {
    /// Columns and rows of the plane, not of the frame.
    pub size: Size,
    /// `[height, width]`
    pub values: Vec<f32>,
}

/// What is written into the host's image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// The plane as it is, `GrayF32`, of the plane's own size.
    Logits,
    /// How likely a pixel is the object's: the sigmoid of the logits, `Gray8` or `GrayF32`.
    Coverage,
    /// The object or not: `Gray8` 0 or 255, or `GrayF32` 0 or 1.
    Binary,
}

impl LogitPlane {
    /// Writes the mask into the host's image, bilinearly enlarged to its size (`align_corners` false, as the
    /// reference does).
    ///
    /// # Errors
    /// [`Error::Frame`] if the image's format can't hold what is wanted, or for logits its size is not the
    /// plane's; nothing is written then.
    pub fn write(&self, wanted: Wanted, mut image: FrameViewMut<'_>) -> Result<()> {
        let (size, format) = (image.size(), image.format());
        let fits = match wanted {
            Wanted::Logits => format == PixelFormat::GrayF32,
            Wanted::Coverage | Wanted::Binary => matches!(format, PixelFormat::Gray8 | PixelFormat::GrayF32),
        };
        if !fits {
            return Err(Error::Frame(format!(
                "the mask's image has the format {format:?}, expected a grey one"
            )));
        }
        if wanted == Wanted::Logits && size != self.size {
            return Err(Error::Frame(format!("the logits' image is {size}, expected {}", self.size)));
        }
        let enlarge = Enlarge::new(self, size);
        let mut line = vec![0.0; size.width()];
        for y in 0..size.height() {
            enlarge.row(y, &mut line);
            let row = image.row_mut(y);
            match (wanted, format) {
                (Wanted::Binary, PixelFormat::Gray8) => {
                    row.iter_mut().zip(&line).for_each(|(out, v)| *out = if *v > 0.0 { 255 } else { 0 });
                    continue;
                }
                (Wanted::Binary, _) => line.iter_mut().for_each(|v| *v = if *v > 0.0 { 1.0 } else { 0.0 }),
                (Wanted::Coverage, _) => line.iter_mut().for_each(|v| *v = 1.0 / (1.0 + (-*v).exp())),
                (Wanted::Logits, _) => {}
            }
            if format == PixelFormat::Gray8 {
                row.iter_mut().zip(&line).for_each(|(out, v)| *out = (v * 255.0 + 0.5) as u8);
            } else {
                row.copy_from_slice(bytemuck::cast_slice(&line));
            }
        }
        Ok(())
    }

    /// Whether each pixel of a frame is the object's, 1 or 0, row by row.
    pub fn binary(&self, frame: Size) -> Vec<u8> {
        let mut inside = vec![0; frame.area_px()];
        FrameViewMut::new(Layout::packed(frame, PixelFormat::Gray8), &mut inside)
            .and_then(|image| self.write(Wanted::Binary, image))
            .expect("a packed grey image of the frame's own size takes any mask");
        inside.iter_mut().for_each(|pixel| *pixel = u8::from(*pixel > 0));
        inside
    }
}

/// Which of the decoder's candidates count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pick {
    pub(crate) mask: usize,
    /// Not always the mask's own: see [`pick`].
    pub(crate) pointer: usize,
}

/// Chooses among the candidates as the reference does (`_use_multimask`, `dynamic_multimask_via_stability`).
///
/// With one point or none the meaning is ambiguous, so of masks 1 to 3 the one of highest predicted IoU is
/// taken, and its pointer. Otherwise it is mask 0, unless that is unstable: then the best of 1 to 3 again, while
/// the pointer stays mask 0's.
pub(crate) fn pick(decoded: &Decoded, points_given: usize, constants: &Constants) -> Pick {
    let best = (2..decoded.ious.len())
        .fold(1, |best, i| if decoded.ious[i] > decoded.ious[best] { i } else { best });
    if points_given <= 1 {
        return Pick { mask: best, pointer: best };
    }
    let first = &decoded.masks[..decoded.masks.len() / decoded.ious.len()];
    let above = |limit: f32| first.iter().filter(|&&v| v > limit).count() as f32;
    let (inner, outer) = (above(constants.stability_delta), above(-constants.stability_delta));
    let stability = if outer > 0.0 { inner / outer } else { 1.0 };
    Pick { mask: if stability >= constants.stability_threshold { 0 } else { best }, pointer: 0 }
}

/// Where a target pixel's centre falls between two source pixels.
struct Tap {
    near: usize,
    far: usize,
    weight: f32,
}

struct Enlarge<'a> {
    plane: &'a LogitPlane,
    columns: Vec<Tap>,
    rows: Vec<Tap>,
}

impl<'a> Enlarge<'a> {
    fn new(plane: &'a LogitPlane, to: Size) -> Self {
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

    fn row(&self, y: usize, line: &mut [f32]) {
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

    fn plane() -> LogitPlane {
        LogitPlane { size: Size::new(2, 2).unwrap(), values: vec![-3.0, 1.0, -3.0, 1.0] }
    }

    fn decoded(first: [f32; 4], ious: [f32; 4]) -> Decoded {
        let masks = first.into_iter().chain([0.0; 12]).collect();
        Decoded { masks, ious: ious.to_vec(), pointers: vec![0.0; 4], object_score: 1.0 }
    }

    fn constants() -> Constants {
        Constants {
            no_object_pointer: vec![],
            mask_downsample_weight: vec![],
            mask_downsample_bias: 0.0,
            mask_prompt_scale: 20.0,
            mask_prompt_bias: -10.0,
            dense_prompt_limit: 32.0,
            no_object_logit: -1024.0,
            stability_delta: 0.05,
            stability_threshold: 0.98,
        }
    }

    #[test]
    fn one_point_or_none_takes_the_best_of_the_three_and_its_pointer() {
        let decoded = decoded([9.0; 4], [0.99, 0.2, 0.7, 0.6]);
        for points in [0, 1] {
            assert_eq!(pick(&decoded, points, &constants()), Pick { mask: 2, pointer: 2 });
        }
    }

    #[test]
    fn several_points_take_the_first_mask_while_it_is_stable() {
        let stable = decoded([9.0, -9.0, 9.0, -9.0], [0.1, 0.2, 0.7, 0.6]);
        assert_eq!(pick(&stable, 2, &constants()), Pick { mask: 0, pointer: 0 });
        let empty = decoded([-9.0; 4], [0.1, 0.2, 0.7, 0.6]);
        assert_eq!(pick(&empty, 2, &constants()), Pick { mask: 0, pointer: 0 });
    }

    #[test]
    fn an_unstable_first_mask_gives_way_but_keeps_its_pointer() {
        let unstable = decoded([9.0, 0.01, 9.0, -9.0], [0.9, 0.2, 0.3, 0.6]);
        assert_eq!(pick(&unstable, 3, &constants()), Pick { mask: 3, pointer: 0 });
    }

    #[test]
    fn the_contour_falls_where_the_logits_cross_zero_between_pixels() {
        assert_eq!(plane().binary(Size::new(8, 3).unwrap()), [0, 0, 0, 0, 0, 1, 1, 1].repeat(3));
    }

    #[test]
    fn logits_come_back_as_they_are() {
        let mut out = [0f32; 4];
        let layout = Layout::packed(plane().size, PixelFormat::GrayF32);
        let image = FrameViewMut::new(layout, bytemuck::cast_slice_mut(&mut out)).unwrap();
        plane().write(Wanted::Logits, image).unwrap();
        assert_eq!(out.as_slice(), plane().values);
    }

    #[test]
    fn logits_are_enlarged_as_by_opencv_and_pytorch() {
        let bytes = include_bytes!("../tests/data/preprocess/goldens.safetensors");
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

    #[test]
    fn a_padded_bottom_up_image_gets_its_rows_and_keeps_its_padding() {
        let size = Size::new(3, 2).unwrap();
        let mut bytes = vec![7u8; 8];
        let layout = Layout::new(size, PixelFormat::Gray8, -4).unwrap();
        plane().write(Wanted::Binary, FrameViewMut::new(layout, &mut bytes).unwrap()).unwrap();
        assert_eq!(bytes, [0, 0, 255, 7, 0, 0, 255, 7]);
    }

    #[test]
    fn coverage_is_a_half_on_the_contour() {
        let plane = LogitPlane { size: Size::new(1, 1).unwrap(), values: vec![0.0] };
        let mut out = [0f32; 2];
        let layout = Layout::packed(Size::new(2, 1).unwrap(), PixelFormat::GrayF32);
        plane
            .write(Wanted::Coverage, FrameViewMut::new(layout, bytemuck::cast_slice_mut(&mut out)).unwrap())
            .unwrap();
        assert_eq!(out, [0.5, 0.5]);
    }

    #[test]
    fn an_image_that_cannot_hold_the_mask_is_refused_and_untouched() {
        let mut bytes = vec![7u8; 16];
        let layout = Layout::packed(plane().size, PixelFormat::Rgba8);
        let said = plane().write(Wanted::Binary, FrameViewMut::new(layout, &mut bytes).unwrap()).unwrap_err();
        assert_eq!(said.to_string(), "frame: the mask's image has the format Rgba8, expected a grey one");
        let layout = Layout::packed(Size::new(2, 1).unwrap(), PixelFormat::GrayF32);
        assert!(plane().write(Wanted::Logits, FrameViewMut::new(layout, &mut bytes).unwrap()).is_err());
        assert_eq!(bytes, [7; 16]);
    }
}
