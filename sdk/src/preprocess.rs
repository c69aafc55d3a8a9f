//! From the host's pixels to the encoder's square.
//!
//! SAM 2 drops the aspect ratio: every frame becomes a square of the model's side, of 8-bit sRGB values that are
//! then normalised. How it is resized is part of a model's training, so the manifest says it.

mod area;
mod bicubic;

use fast_image_resize as fir;
use fir::images::{TypedImage, TypedImageRef};
use fir::pixels::F32;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::frame::FrameView;
use crate::prompt;

/// How frames are brought to the encoder's size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Resize {
    /// The mean over the area that a pixel of the square covers; bilinear where the frame is smaller than it.
    Area,
    /// Pillow's antialiased bicubic, as SAM 2's own transforms do.
    Bicubic,
}

/// What the image encoder wants to see.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InputSpec {
    /// The square's side, in pixels.
    pub size: usize,
    /// Taken off each of red, green and blue, on a scale from 0 to 1.
    pub mean: [f32; 3],
    /// Each of red, green and blue is divided by it afterwards.
    pub deviation: [f32; 3],
    /// How the frame is resized.
    pub resize: Resize,
}

/// The encoder's input, `[1, 3, S, S]`, NCHW, normalised.
pub(crate) struct EncoderInput {
    pub(crate) side: usize,
    pub(crate) values: Vec<f32>,
}

/// Squeezes a frame into the encoder's square. Alpha, where there is any, is not looked at; more than 8 bits a channel
/// are rounded to 8, as the model was trained.
///
/// # Errors
/// [`Error::Frame`] if the format has no colour.
pub(crate) fn to_encoder_input(frame: FrameView<'_>, spec: &InputSpec) -> Result<EncoderInput> {
    let Some(rgb) = frame.format().rgb_offsets() else {
        return Err(Error::Frame(format!("its format is {:?}, expected one with colour", frame.format())));
    };
    let side = spec.size;
    let square = frame.with_8_bits(|frame| match spec.resize {
        Resize::Area => area::to_square(frame, rgb, side),
        Resize::Bicubic => bicubic::to_square(frame, rgb, side),
    });
    // One step of 8 bits in, one normalised value out: the table is the whole arithmetic.
    let table = std::array::from_fn::<_, 3, _>(|c| {
        std::array::from_fn::<f32, 256, _>(|v| (v as f32 / 255.0 - spec.mean[c]) / spec.deviation[c])
    });
    let mut values = vec![0.0; 3 * side * side];
    for (c, (plane, table)) in values.chunks_exact_mut(side * side).zip(&table).enumerate() {
        for (value, pixel) in plane.iter_mut().zip(square.chunks_exact(3)) {
            *value = table[pixel[c] as usize];
        }
    }
    Ok(EncoderInput { side, values })
}

/// A mask prompt at the encoder's size, `[S, S]`, 0 or 1: bilinear with antialiasing, inside from a half on
/// (`add_new_mask` of the reference).
pub(crate) fn mask_to_square(mask: &prompt::Mask, side: usize) -> Result<Vec<f32>> {
    let inside: Vec<F32> = mask.inside.iter().map(|&v| F32::new(f32::from(v))).collect();
    let resized = bilinear(&inside, [mask.size.width(), mask.size.height()], side)?;
    Ok(resized.into_iter().map(|v| if v >= 0.5 { 1.0 } else { 0.0 }).collect())
}

/// A square plane of `from` squared values at `to` squared, bilinear with antialiasing.
pub(crate) fn shrink_square(values: &[f32], from: usize, to: usize) -> Result<Vec<f32>> {
    let pixels: Vec<F32> = values.iter().map(|&v| F32::new(v)).collect();
    bilinear(&pixels, [from, from], to)
}

fn bilinear(pixels: &[F32], [width, height]: [usize; 2], side: usize) -> Result<Vec<f32>> {
    let source = TypedImageRef::<F32>::new(width as u32, height as u32, pixels)
        .map_err(|e| Error::Prompt(format!("the mask can't be resized: {e}")))?;
    let mut square = TypedImage::<F32>::new(side as u32, side as u32);
    resize(&source, &mut square, fir::FilterType::Bilinear)?;
    Ok(square.pixels().iter().map(|p| p.0).collect())
}

fn resize<P: fir::PixelTrait>(
    source: &impl fir::ImageView<Pixel = P>,
    target: &mut impl fir::ImageViewMut<Pixel = P>,
    filter: fir::FilterType,
) -> Result<()> {
    let options = fir::ResizeOptions::new().resize_alg(fir::ResizeAlg::Convolution(filter)).use_alpha(false);
    fir::Resizer::new()
        .resize_typed(source, target, &options)
        .map_err(|e| Error::Frame(format!("it can't be resized: {e}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::{Layout, PixelFormat, Size};

    fn spec(size: usize, resize: Resize) -> InputSpec {
        InputSpec { size, mean: [0.5, 0.25, 0.0], deviation: [0.5, 0.25, 1.0], resize }
    }

    #[test]
    fn channels_leave_their_pixels_in_the_order_of_the_format_and_are_normalised_apart() {
        let size = Size::new(3, 2).unwrap();
        let bytes = [255, 0, 128, 7].repeat(6);
        for (format, want) in
            [(PixelFormat::Rgba8, [1.0, -1.0, 0.50196]), (PixelFormat::Bgra8, [0.00392, -1.0, 1.0])]
        {
            for resize in [Resize::Area, Resize::Bicubic] {
                let view = FrameView::new(Layout::packed(size, format), &bytes).unwrap();
                let input = to_encoder_input(view, &spec(4, resize)).unwrap();
                assert_eq!(input.values.len(), 48);
                for (plane, want) in input.values.chunks_exact(16).zip(want) {
                    assert!(plane.iter().all(|v| (v - want).abs() < 1e-4), "{format:?} {plane:?} {want}");
                }
            }
        }
    }

    fn goldens(name: &str) -> (Vec<usize>, Vec<u8>) {
        let bytes = std::fs::read(GOLDENS.to_owned() + "goldens.safetensors").unwrap();
        let tensors = safetensors::SafeTensors::deserialize(&bytes).unwrap();
        let tensor = tensors.tensor(name).unwrap();
        (tensor.shape().to_vec(), tensor.data().to_vec())
    }

    fn golden_floats(name: &str) -> Vec<f32> {
        let bytes = goldens(name).1;
        bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect()
    }

    const GOLDENS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/preprocess/");

    #[test]
    fn area_averaging_of_wide_odd_frames_is_within_a_step_of_opencv() {
        for name in ["wide", "large"] {
            let picture = image::open(format!("{GOLDENS}{name}.png")).unwrap().into_rgb8();
            let size = Size::new(picture.width(), picture.height()).unwrap();
            let view = FrameView::new(Layout::packed(size, PixelFormat::Rgb8), picture.as_raw()).unwrap();
            let found = area::to_square(view, [0, 1, 2], 64);
            let (exact, rounded) =
                (golden_floats(&format!("{name}.area_f32")), goldens(&format!("{name}.area_u8")).1);
            assert_eq!(found.len(), exact.len());
            for ((&found, exact), rounded) in found.iter().zip(exact).zip(rounded) {
                // Half a step of rounding, and what f32 sums leave open about a half.
                assert!((f32::from(found) - exact).abs() <= 0.5 + 1e-3, "{name}: {found}, expected {exact}");
                assert!(found.abs_diff(rounded) <= 1);
            }
        }
    }

    #[test]
    fn bicubic_squares_are_pillows_to_the_last_bit() {
        for name in ["wide", "large"] {
            let picture = image::open(format!("{GOLDENS}{name}.png")).unwrap().into_rgb8();
            let size = Size::new(picture.width(), picture.height()).unwrap();
            let view = FrameView::new(Layout::packed(size, PixelFormat::Rgb8), picture.as_raw()).unwrap();
            let want = goldens(&format!("{name}.bicubic_u8")).1;
            assert!(bicubic::to_square(view, [0, 1, 2], 128) == want, "{name}");
        }
    }

    #[test]
    fn mask_prompts_are_resized_as_by_pillow() {
        let mask: Vec<f32> = goldens("mask").1.iter().map(|&v| f32::from(v) * 20.0 - 10.0).collect();
        let quartered = shrink_square(&mask, 32, 8).unwrap();
        for (found, want) in quartered.iter().zip(golden_floats("mask.quartered_logits")) {
            assert!((found - want).abs() < 1e-4, "{found}, expected {want}");
        }
        let (shape, inside) = goldens("frame_mask");
        let size = Size::new(shape[1] as u32, shape[0] as u32).unwrap();
        let square = mask_to_square(&prompt::Mask { size, inside }, 32).unwrap();
        for (found, want) in square.iter().zip(golden_floats("frame_mask.at_32x32")) {
            assert!(*found == f32::from(u8::from(want >= 0.5)) || (want - 0.5).abs() < 1e-5);
        }
    }

    #[test]
    fn grey_frames_are_refused() {
        let view =
            FrameView::new(Layout::packed(Size::new(1, 1).unwrap(), PixelFormat::Gray8), &[0]).unwrap();
        assert!(to_encoder_input(view, &spec(4, Resize::Area)).is_err());
    }

    #[test]
    fn a_mask_keeps_its_place_when_it_becomes_square() {
        let size = Size::new(8, 2).unwrap();
        let mut inside = vec![0; 16];
        inside[4..8].fill(1);
        let square = mask_to_square(&prompt::Mask { size, inside }, 4).unwrap();
        assert_eq!(square[..4], [0.0, 0.0, 1.0, 1.0]);
        assert_eq!(square[12..], [0.0; 4]);
    }
}
