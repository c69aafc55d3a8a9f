//! The matte chain: from coarse mask logits to an edge worth keeping, in linear light.
//!
//! Logits become coverage at the plate's size, the edge is grown or shrunk, then feathered, and the subject is laid
//! over its background. Every stage is a WGSL kernel of `rotomask-shaders` with a plain twin here; both calculate in
//! whole numbers and give the same bytes. A stage whose parameter is zero is left out.

pub mod params;
mod settings;
mod preset;
mod job;
mod logits;
mod light;
mod gaussian;
mod part;
mod prepare;
mod drift;
mod falloff;
mod plan;
mod reach;
mod ceiling;
mod gpu;
mod twin;
pub mod kernels;

pub use ceiling::Ceiling;
pub use gpu::{DeviceInfo, DeviceKind, Gpu, adapters};
pub use job::{Combine, Layer, Mask, MatteJob, Neighbour, Status, Window};
pub use light::Curve;
pub use logits::Logits;
pub use preset::Preset;
pub use settings::{Alpha, Background, Despill, MatteSettings, PARAMS, Range, Transfer, View};

use rayon::prelude::*;

use crate::error::{Error, Result};
use crate::frame::{Depth, FrameViewMut, PixelFormat, premultiply_row};
use ceiling::Cost;
use part::{Part, least_px, parts};
use plan::{Plan, plan};
use prepare::prepare;
use twin::Twin;

/// What a part came to on a GPU.
enum Finished<'a> {
    /// Coverage of the outer part, 16 bits in a word of 32.
    Coverage(&'a [u32]),
    /// The inner part's pixels with four channels, whatever the result has.
    Pixels(&'a [u8]),
}

impl Finished<'_> {
    /// Writes the inner part where it belongs in the result, whose first pixel is the window's.
    fn write(&self, flight: &gpu::Flight, result: &mut FrameViewMut<'_>) {
        let gpu::Flight { place, multiplies_codes, .. } = flight;
        let (format, width) = (result.format(), place.part.inner.size.width());
        let (bytes, four) = (format.bytes_per_pixel(), 4 * format.depth().bytes());
        place.rows(result).for_each(|(y, row)| {
            match self {
                Self::Coverage(all) => {
                    write_coverage(all[place.outer_row(y)..][..width].iter().copied(), format, row);
                }
                Self::Pixels(all) if bytes == four => {
                    row.copy_from_slice(&all[y * width * four..][..row.len()]);
                }
                Self::Pixels(all) => {
                    let pixels = all[y * width * four..][..width * four].chunks_exact(four);
                    row.chunks_exact_mut(bytes)
                        .zip(pixels)
                        .for_each(|(out, p)| out.copy_from_slice(&p[..bytes]));
                }
            }
            if *multiplies_codes {
                premultiply_row(row, format);
            }
        });
    }
}

/// Coverage as grey, alpha opaque.
fn write_coverage(samples: impl Iterator<Item = u32>, format: PixelFormat, row: &mut [u8]) {
    fn put<const BYTES: usize>(out: &mut [u8], format: PixelFormat, grey: [u8; BYTES], full: [u8; BYTES]) {
        let alpha = format.alpha_offset();
        for (i, out) in out.chunks_exact_mut(BYTES).enumerate() {
            out.copy_from_slice(if alpha == Some(i) { &full } else { &grey });
        }
    }
    let part = |v: u32| v as f32 / light::FULL as f32;
    let byte = |v: u32| ((v * 255 + 32767) / light::FULL) as u8;
    if format == PixelFormat::Gray8 {
        return row.iter_mut().zip(samples).for_each(|(out, v)| *out = byte(v));
    }
    for (out, v) in row.chunks_exact_mut(format.bytes_per_pixel()).zip(samples) {
        match format.depth() {
            Depth::U8 => put(out, format, [byte(v)], [255]),
            Depth::U16 => put(out, format, (v as u16).to_ne_bytes(), [255; 2]),
            Depth::F16 => {
                put(out, format, half::f16::from_f32(part(v)).to_ne_bytes(), half::f16::ONE.to_ne_bytes());
            }
            Depth::F32 => put(out, format, part(v).to_ne_bytes(), 1f32.to_ne_bytes()),
        }
    }
}

/// A matte chain with its device and its memory. Frames of one size after another allocate nothing new.
#[derive(Debug)]
pub struct MatteChain {
    gpu: Option<gpu::Chain>,
    device: DeviceInfo,
    twin: Twin,
    ceiling: Ceiling,
    /// Pixels of a part on the GPU at most, as the last frames found out.
    gpu_px: usize,
    /// What the last frame's memory was for, and the pixels of its largest part.
    held_for: Option<(Cost, usize)>,
}

impl MatteChain {
    /// A chain on the device that `gpu` asks for. All chains of a process share one device.
    ///
    /// # Errors
    /// [`Error::Device`] if [`Gpu::Software`] or [`Gpu::Adapter`] is asked for and there is no such adapter that works.
    pub fn open(gpu: Gpu) -> Result<Self> {
        Self::open_within(gpu, Ceiling::default())
    }

    /// The same, within the caller's ceiling on memory.
    ///
    /// # Errors
    /// As [`MatteChain::open`].
    pub fn open_within(gpu: Gpu, ceiling: Ceiling) -> Result<Self> {
        let gpu = gpu::Chain::open(gpu, ceiling.device_bytes)?;
        let device = gpu.as_ref().map_or_else(DeviceInfo::twins, |g| g.device().clone());
        Ok(Self { gpu, device, twin: Twin::default(), ceiling, gpu_px: usize::MAX, held_for: None })
    }

    /// Where frames are finished now. After a GPU was lost, this is the CPU.
    pub fn device(&self) -> &DeviceInfo {
        &self.device
    }

    /// Finishes one frame, or the job's window of it. `result` has the window's size and the plate's depth, in colour;
    /// for [`View::Matte`] any format. Strides may have any sign; padding is never written.
    ///
    /// # Errors
    /// [`Error::Setting`] or [`Error::Frame`] for a job that makes no sense,
    /// and [`Error::Setting`] if the ceiling is below what it takes. `result` is then untouched.
    /// A GPU that fails is no error: the CPU takes over, and one warning says so.
    pub fn render(&mut self, job: &MatteJob<'_>, result: FrameViewMut<'_>) -> Result<()> {
        job.check(result.size(), result.format())?;
        let ticket = self.submit(job, result.format())?;
        self.wait(ticket, result)
    }

    /// Hands a frame over and doesn't wait for it: a GPU works on it meanwhile. Its result, of the window's size, will
    /// have pixels of `format`. Two frames may be on their way; a further one, and any on the CPU, is worked on when it is
    /// waited for. Tickets may be waited for in any order, or be dropped.
    ///
    /// # Errors
    /// As [`MatteChain::render`].
    pub fn submit<'a>(&mut self, job: &MatteJob<'a>, format: PixelFormat) -> Result<Ticket<'a>> {
        job.check(job.window().size, format)?;
        let flight = if self.gpu.is_some() { self.hand_over(job, format)? } else { None };
        Ok(Ticket { job: *job, format, flight })
    }

    /// Waits for a frame and writes it into `result`, which has the window's size and the format that was promised.
    ///
    /// # Errors
    /// As [`MatteChain::render`], and [`Error::Frame`] for a result of another format. `result` is then
    /// untouched.
    pub fn wait(&mut self, ticket: Ticket<'_>, mut result: FrameViewMut<'_>) -> Result<()> {
        let Ticket { job, format, flight } = ticket;
        job.check(result.size(), result.format())?;
        if result.format() != format {
            let found = result.format();
            return Err(Error::Frame(format!(
                "the result has {found:?} pixels, expected {format:?}, as submitted"
            )));
        }
        let flight = flight.filter(|flight| self.knows(flight));
        if let (Some(gpu), Some(flight)) = (&mut self.gpu, flight) {
            match gpu.finish(flight, &mut result) {
                Ok(()) => return Ok(()),
                Err(problem) => self.lose_gpu(&problem),
            }
        }
        self.in_parts(&job, &mut result)
    }

    /// Hands a frame that is one part to the GPU. `None` if it isn't, or there is no room.
    fn hand_over(&mut self, job: &MatteJob<'_>, format: PixelFormat) -> Result<Option<gpu::Flight>> {
        Cost::check_prepared(job, self.ceiling)?;
        let (frame, sources) = (job.plate.size(), prepare(job));
        let whole = Part { inner: job.window(), outer: Window::whole(frame) };
        let all = plan(job, &sources, whole, format);
        let parts = self.parts(job, &all)?;
        let [part] = parts[..] else { return Ok(None) };
        let plan = if part == whole { all } else { plan(job, &sources, part, format) };
        let Some(gpu) = &mut self.gpu else { return Ok(None) };
        gpu.begin(&plan, frame, true).or_else(|problem| {
            self.lose_gpu(&problem);
            Ok(None)
        })
    }

    /// The parts that a frame is finished in, from a plan of all of it. Memory is made free for them.
    fn parts(&mut self, job: &MatteJob<'_>, all: &Plan<'_>) -> Result<Vec<Part>> {
        let (frame, cost, reach_px) = (job.plate.size(), Cost::of(job, all), all.reach_px());
        if self.held_for.is_none_or(|(held, _)| held != cost) {
            self.gpu_px = usize::MAX;
        }
        let most_px = cost.most_px(self.ceiling, frame, reach_px)?;
        let parts = parts(frame, job.window(), reach_px, most_px.min(self.gpu_px));
        self.make_room(cost, &parts);
        Ok(parts)
    }

    fn in_parts(&mut self, job: &MatteJob<'_>, result: &mut FrameViewMut<'_>) -> Result<()> {
        Cost::check_prepared(job, self.ceiling)?;
        let (frame, sources) = (job.plate.size(), prepare(job));
        let whole = Part { inner: job.window(), outer: Window::whole(frame) };
        let all = plan(job, &sources, whole, result.format());
        let (mut waiting, reach_px) = (self.parts(job, &all)?, all.reach_px());
        let mut planned = Some(all);
        waiting.reverse();
        while let Some(part) = waiting.pop() {
            // A frame in one part is planned once.
            let plan = match planned.take().filter(|_| part == whole) {
                Some(plan) => plan,
                None => plan(job, &sources, part, result.format()),
            };
            match self.on_gpu(&plan, job, result) {
                gpu::Done::Rendered => {}
                gpu::Done::TooLarge
                    if self.gpu.is_some() && part.size().area_px() as u64 > least_px(frame, reach_px) =>
                {
                    self.gpu_px = part.size().area_px() / 2;
                    waiting.extend(parts(frame, part.inner, reach_px, self.gpu_px).into_iter().rev());
                }
                gpu::Done::TooLarge => self.twin.render(&plan, frame, result),
            }
        }
        Ok(())
    }

    /// Drops what other jobs left behind, unless there is room for it beside this one's: a stage that keyframes switch
    /// on and off finds its memory again.
    fn make_room(&mut self, cost: Cost, parts: &[Part]) {
        let part_px = parts.iter().map(|part| part.size().area_px()).max().unwrap_or(0);
        if self.held_for == Some((cost, part_px)) {
            return;
        }
        if self.twin.bytes() + cost.bytes(part_px) > self.ceiling.host_bytes {
            self.twin = Twin::default();
        }
        self.held_for = Some((cost, part_px));
    }

    /// Whether a GPU did the part.
    fn on_gpu(&mut self, plan: &Plan<'_>, job: &MatteJob<'_>, result: &mut FrameViewMut<'_>) -> gpu::Done {
        let Some(gpu) = &mut self.gpu else { return gpu::Done::TooLarge };
        gpu.render(plan, job.plate.size(), result).unwrap_or_else(|problem| {
            self.lose_gpu(&problem);
            gpu::Done::TooLarge
        })
    }

    fn knows(&self, flight: &gpu::Flight) -> bool {
        self.gpu.as_ref().is_some_and(|gpu| gpu.knows(flight))
    }

    /// From here on the CPU does it.
    fn lose_gpu(&mut self, problem: &str) {
        gpu::warn_lost(&self.device, problem);
        self.gpu = None;
        self.device = DeviceInfo::twins();
    }
}

/// A frame that was handed to a chain by [`MatteChain::submit`]. Whoever doesn't wait for it loses that frame and nothing
/// else.
#[derive(Debug)]
#[must_use = "a frame is written when it is waited for"]
pub struct Ticket<'a> {
    job: MatteJob<'a>,
    format: PixelFormat,
    /// Where it is on its way, if it is.
    flight: Option<gpu::Flight>,
}
