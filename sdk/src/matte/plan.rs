//! One frame's work in whole numbers: what the GPU and the CPU's twin both carry out.

use rotomask_shaders::{layout, mode};

use super::gaussian::Gaussian;
use super::light::{FULL, sample, to_linear};
use super::logits::{Spline, taps};
use super::settings::{Alpha, Background, MatteSettings, View};
use super::{MatteJob, light};
use crate::frame::{PixelFormat, Size};

/// What the last stage writes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Finish {
    /// Coverage itself.
    Matte,
    /// Pixels, by [`mode`] and the kernel's own numbers.
    Pixels { mode: u32, job: layout::Composite },
}

/// One frame's work. Its buffers are kept from frame to frame.
#[derive(Debug)]
pub(super) struct Plan {
    pub size: Size,
    pub coverage: layout::Coverage,
    pub coefficients: Vec<i32>,
    pub taps: Vec<layout::Tap>,
    pub grow: Option<layout::Grow>,
    pub feather: Option<Gaussian>,
    /// The background's, where the plate shows blurred.
    pub blur: Option<Gaussian>,
    pub finish: Finish,
    spline: Spline,
    /// The sizes that `taps` was made for.
    fitted: Option<(Size, Size)>,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            size: Size { width_px: 1, height_px: 1 },
            coverage: layout::Coverage::default(),
            coefficients: Vec::new(),
            taps: Vec::new(),
            grow: None,
            feather: None,
            blur: None,
            finish: Finish::Matte,
            spline: Spline::default(),
            fitted: None,
        }
    }
}

impl Plan {
    /// Plans a job that has been checked.
    pub fn update(&mut self, job: &MatteJob<'_>, result: PixelFormat) {
        let (size, settings) = (job.plate.size(), job.settings);
        self.size = size;
        self.spline.coefficients(&job.logits, &mut self.coefficients);
        if self.fitted != Some((size, job.logits.size)) {
            let scale = taps(size, job.logits.size, &mut self.taps);
            self.fitted = Some((size, job.logits.size));
            self.coverage = layout::Coverage {
                width_px: size.width_px,
                height_px: size.height_px,
                logits_width: job.logits.size.width_px,
                logits_height: job.logits.size.height_px,
                raise: scale.raise,
                lower: scale.lower,
            };
        }
        self.grow = grow(settings.grow_px, size);
        self.feather = Gaussian::new(f64::from(settings.feather_px) / 2.0, size);
        let blurs = settings.view == View::Composite && settings.background == Background::BlurredPlate;
        let sigma_px = if blurs { f64::from(settings.background_blur_px) } else { 0.0 };
        self.blur = Gaussian::new(sigma_px, size);
        self.finish = finish(job, settings, self.blur.is_some(), result);
    }
}

fn grow(grow_px: f32, size: Size) -> Option<layout::Grow> {
    let grow = (f64::from(grow_px) * 65536.0).round() as i32;
    (grow != 0).then(|| layout::Grow {
        width_px: size.width_px,
        height_px: size.height_px,
        // A pixel changes if the contour is within the distance and half a pixel; one more for the crossing's.
        reach_px: grow.unsigned_abs().div_ceil(65536) + 2,
        grow,
    })
}

fn finish(job: &MatteJob<'_>, settings: &MatteSettings, blurred: bool, result: PixelFormat) -> Finish {
    let size = job.plate.size();
    let mut colour = [0; 4];
    let mode = match (settings.view, settings.background) {
        (View::Matte, _) => return Finish::Matte,
        (View::Overlay, _) => {
            colour = linear(settings.overlay_colour);
            mode::OVERLAY
        }
        (View::Cutout, _) => mode::CUTOUT,
        (View::Composite, Background::Colour) => {
            colour = premultiplied(linear(settings.background_colour));
            mode::OVER_COLOUR
        }
        (View::Composite, Background::BlurredPlate) if blurred => mode::OVER_BLUR,
        // Unblurred, the plate is its own background.
        (View::Composite, Background::BlurredPlate) => mode::OVER_PICTURE,
        (View::Composite, Background::Picture) => mode::OVER_PICTURE,
    };
    let bgra = |format: PixelFormat| u32::from(format == PixelFormat::Bgra8);
    let [red, green, blue, alpha] = colour;
    let job = layout::Composite {
        width_px: size.width_px,
        height_px: size.height_px,
        plate_bgra: bgra(job.plate.format()),
        back_bgra: bgra(job.back().map_or(PixelFormat::Rgba8, |b| b.format())),
        result_bgra: bgra(result),
        premultiplied: u32::from(settings.alpha == Alpha::Premultiplied),
        red,
        green,
        blue,
        alpha,
    };
    Finish::Pixels { mode, job }
}

/// sRGB-encoded to linear samples, straight.
fn linear(colour: [f32; 4]) -> [u32; 4] {
    let [r, g, b, a] = colour.map(f64::from);
    [sample(to_linear(r)), sample(to_linear(g)), sample(to_linear(b)), sample(a)]
}

fn premultiplied([r, g, b, a]: [u32; 4]) -> [u32; 4] {
    [light::scale16(r, a), light::scale16(g, a), light::scale16(b, a), a.min(FULL)]
}
