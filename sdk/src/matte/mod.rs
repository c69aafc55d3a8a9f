//! The matte chain: from coarse mask logits to an edge worth keeping, in linear light.
//!
//! Logits become coverage at the plate's size, the edge is grown or shrunk, then feathered, and the subject is laid
//! over its background. Every stage is a WGSL kernel of `rotomask-shaders` with a plain twin here; both calculate in
//! whole numbers and give the same bytes. A stage whose parameter is zero is left out.

mod gaussian;
mod gpu;
mod light;
mod logits;
pub mod params;
mod plan;
mod settings;
mod twin;

pub use gpu::{DeviceInfo, DeviceKind, Gpu, adapters};
pub use logits::Logits;
pub use settings::{Alpha, Background, MatteSettings, View};

use crate::error::{Error, Result};
use crate::frame::{FrameView, FrameViewMut, PixelFormat};
use plan::Plan;
use twin::Twin;

/// One frame to finish.
#[derive(Clone, Copy, Debug)]
pub struct MatteJob<'a> {
    /// The host's picture: [`PixelFormat::Rgba8`], [`PixelFormat::Bgra8`] or [`PixelFormat::Rgb8`].
    pub plate: FrameView<'a>,
    /// The mask, of any size.
    pub logits: Logits<'a>,
    /// For [`Background::Picture`]: the plate's size, in any of the plate's formats.
    pub picture: Option<FrameView<'a>>,
    /// How to finish and show it.
    pub settings: &'a MatteSettings,
}

impl<'a> MatteJob<'a> {
    /// The picture that shows where the subject doesn't, if any does.
    fn back(&self) -> Option<FrameView<'a>> {
        match (self.settings.view, self.settings.background) {
            (View::Composite, Background::Picture) => self.picture,
            (View::Composite, Background::BlurredPlate) => Some(self.plate),
            _ => None,
        }
    }

    /// # Errors
    /// [`Error::Setting`] or [`Error::Frame`], for the first thing that doesn't fit.
    fn check(&self, result: &FrameViewMut<'_>) -> Result<()> {
        self.settings.validate()?;
        self.logits.check()?;
        let size = self.plate.size();
        let colour = |view: &FrameView<'_>| view.format().rgb_offsets().is_some();
        let wrong = |what: &str, found: PixelFormat, want: &str| {
            Err(Error::Frame(format!("the {what} has {found:?} pixels, expected {want}")))
        };
        if !colour(&self.plate) {
            return wrong("plate", self.plate.format(), "Rgba8, Bgra8 or Rgb8");
        }
        let shows_picture =
            self.settings.view == View::Composite && self.settings.background == Background::Picture;
        match &self.picture {
            None if shows_picture => {
                return Err(Error::Frame(format!(
                    "the background is a picture, and none is given: expected one of {size}, the plate's size"
                )));
            }
            Some(picture) if shows_picture && picture.size() != size => {
                return Err(Error::Frame(format!(
                    "the background picture is {}, expected {size}, the plate's size",
                    picture.size()
                )));
            }
            Some(picture) if shows_picture && !colour(picture) => {
                return wrong("background picture", picture.format(), "Rgba8, Bgra8 or Rgb8");
            }
            _ => {}
        }
        if result.size() != size {
            return Err(Error::Frame(format!(
                "the result is {}, expected {size}, the plate's size",
                result.size()
            )));
        }
        match (self.settings.view, result.format()) {
            (_, PixelFormat::Rgba8 | PixelFormat::Bgra8)
            | (View::Matte, PixelFormat::Gray8 | PixelFormat::GrayF32) => Ok(()),
            (View::Matte, found) => {
                wrong("result", found, "Rgba8, Bgra8, Gray8 or GrayF32 for the matte view")
            }
            (_, found) => wrong("result", found, "Rgba8 or Bgra8 for this view"),
        }
    }
}

/// What a frame came to, before it is written into the host's memory.
enum Finished<'a> {
    /// 16-bit coverage, one a pixel.
    Coverage(&'a [u16]),
    /// 16-bit coverage in 32 bits, one a pixel.
    WideCoverage(&'a [u32]),
    /// The result's four bytes a pixel.
    Pixels(&'a [u8]),
}

impl Finished<'_> {
    fn write(&self, result: &mut FrameViewMut<'_>) {
        let (size, format) = (result.size(), result.format());
        for y in 0..size.height() {
            let range = y * size.width()..(y + 1) * size.width();
            let row = result.row_mut(y);
            match self {
                Self::Coverage(all) => write_coverage(all[range].iter().map(|v| u32::from(*v)), format, row),
                Self::WideCoverage(all) => write_coverage(all[range].iter().copied(), format, row),
                Self::Pixels(all) => row.copy_from_slice(&all[range.start * 4..range.end * 4]),
            }
        }
    }
}

fn write_coverage(samples: impl Iterator<Item = u32>, format: PixelFormat, row: &mut [u8]) {
    let code = |v: u32| ((v * 255 + 32767) / light::FULL) as u8;
    match format {
        PixelFormat::Gray8 => row.iter_mut().zip(samples).for_each(|(out, v)| *out = code(v)),
        PixelFormat::GrayF32 => row
            .chunks_exact_mut(4)
            .zip(samples)
            .for_each(|(out, v)| out.copy_from_slice(&(v as f32 / light::FULL as f32).to_ne_bytes())),
        _ => row
            .chunks_exact_mut(4)
            .zip(samples)
            .for_each(|(out, v)| out.copy_from_slice(&[code(v), code(v), code(v), 255])),
    }
}

/// A matte chain with its device and its memory. Frames of one size after another allocate nothing new.
#[derive(Debug)]
pub struct MatteChain {
    gpu: Option<gpu::Chain>,
    device: DeviceInfo,
    plan: Plan,
    twin: Twin,
}

impl MatteChain {
    /// A chain on the device that `gpu` asks for. All chains of a process share one device.
    ///
    /// # Errors
    /// [`Error::Device`] if [`Gpu::Software`] is asked for and there is no software adapter that works.
    pub fn open(gpu: Gpu) -> Result<Self> {
        let gpu = gpu::Chain::open(gpu)?;
        let device = gpu.as_ref().map_or_else(DeviceInfo::twins, |g| g.device().clone());
        Ok(Self { gpu, device, plan: Plan::default(), twin: Twin::default() })
    }

    /// Where frames are finished now. After a GPU was lost, this is the CPU.
    pub fn device(&self) -> &DeviceInfo {
        &self.device
    }

    /// Finishes one frame. `result` has the plate's size; [`PixelFormat::Rgba8`] or [`PixelFormat::Bgra8`], and
    /// for [`View::Matte`] also [`PixelFormat::Gray8`] or [`PixelFormat::GrayF32`] (0 to 1). Strides may have any
    /// sign; padding is never written.
    ///
    /// # Errors
    /// [`Error::Setting`] or [`Error::Frame`] for a job that makes no sense. `result` is then untouched. A GPU that
    /// fails is no error: the CPU takes over, and one warning says so.
    pub fn render(&mut self, job: &MatteJob<'_>, mut result: FrameViewMut<'_>) -> Result<()> {
        job.check(&result)?;
        self.plan.update(job, result.format());
        if let Some(gpu) = &mut self.gpu {
            match gpu.render(&self.plan, job, &mut result) {
                Ok(gpu::Done::Rendered) => return Ok(()),
                Ok(gpu::Done::TooLarge) => {}
                Err(problem) => {
                    gpu::warn_lost(&self.device, &problem);
                    self.gpu = None;
                    self.device = DeviceInfo::twins();
                }
            }
        }
        self.twin.render(&self.plan, job).write(&mut result);
        Ok(())
    }
}
