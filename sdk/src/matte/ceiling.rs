//! The caller's ceiling on memory: how large the parts may be that a frame is finished in.

use super::gaussian::Gaussian;
use super::job::{Mask, MatteJob};
use super::part::least_px;
use super::plan::{Extra, Finish, Plan, Step};
use super::prepare::{is_cleaned, masks_of};
use crate::error::{Error, Result};
use crate::frame::Size;

/// The most bytes that a chain may hold while it finishes a frame, the host's own pixels left out. Larger frames go in
/// parts; the result is the same to the bit. A mask whose holes or specks are cleaned is counted with a border crossing
/// every fourth pixel; one of finer noise takes more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ceiling {
    /// Of the computer's memory.
    pub host_bytes: u64,
    /// Of a GPU's. What can't go within it, the CPU does.
    pub device_bytes: u64,
}

impl Default for Ceiling {
    /// 2 GiB of each: 4K in one part, whatever its stages.
    fn default() -> Self {
        Self { host_bytes: 2 << 30, device_bytes: 2 << 30 }
    }
}

/// What a job takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cost {
    /// For each pixel of a part.
    per_px: u64,
    /// Whatever its parts are.
    fixed: u64,
}

/// Tables of light, and the odd vector.
const SMALL: u64 = 1 << 20;

impl Cost {
    /// Of a job on the CPU, and on the CPU's side of a GPU, from a plan of any part of it.
    pub fn of(job: &MatteJob<'_>, plan: &Plan<'_>) -> Self {
        let frame = job.plate.size();
        Self { per_px: per_px(plan), fixed: prepared(job) + lines(plan, frame) + SMALL }
    }

    /// What must be there before anything is planned.
    pub fn check_prepared(job: &MatteJob<'_>, ceiling: Ceiling) -> Result<()> {
        check(ceiling.host_bytes, prepared(job) + SMALL)
    }

    /// Bytes for parts of at most so many pixels.
    pub fn bytes(self, part_px: usize) -> u64 {
        self.fixed + self.per_px * part_px as u64
    }

    /// The most pixels of a part.
    ///
    /// # Errors
    /// [`Error::Setting`] if not even the smallest part fits.
    pub fn most_px(self, ceiling: Ceiling, frame: Size, reach_px: u32) -> Result<usize> {
        check(ceiling.host_bytes, self.fixed + self.per_px * least_px(frame, reach_px))?;
        Ok(((ceiling.host_bytes - self.fixed) / self.per_px).try_into().unwrap_or(usize::MAX))
    }
}

fn check(found: u64, least: u64) -> Result<()> {
    if found >= least {
        return Ok(());
    }
    let want = format!("at least {least} for this frame");
    Err(Error::Setting { name: "host_bytes", found: found.to_string(), want })
}

/// Bytes that the twins hold for each pixel of a part. A test counts what is allocated against it.
fn per_px(plan: &Plan<'_>) -> u64 {
    // Samples of 16 bits: an object, what becomes of it, all objects; and the GPU's side widens a host's matte.
    let mut bytes = 6 + 8;
    let steps = || plan.layers.iter().flat_map(|layer| &layer.shape.steps);
    let mut confidence = false;
    let mut distance = false;
    if let Finish::Pixels(pixels) = &plan.finish {
        confidence = matches!(pixels.extra, Extra::Confidence(..));
        distance = matches!(pixels.extra, Extra::Distance(_));
        let mut spreads = pixels.backdrop.iter().chain(pixels.sides.iter().flatten()).count();
        spreads += usize::from(matches!(pixels.extra, Extra::Wrap(_)));
        // Four floats, swept, and enlarged.
        bytes += 32 * spreads as u64;
    }
    if confidence || plan.layers.iter().any(|layer| layer.keep) {
        bytes += 2;
    }
    let around = plan.layers.iter().filter_map(|layer| layer.shape.around.as_ref());
    let times = around.map(|around| 1 + around.origins.len() as u64).max().unwrap_or(0);
    bytes += 4 * times;
    bytes += steps().map(refining).max().unwrap_or(0);
    if distance || times > 0 || steps().any(|step| matches!(step, Step::Grow(_))) {
        bytes += 8;
    }
    if distance {
        bytes += 4;
    }
    if steps().any(|step| matches!(step, Step::Smooth(_) | Step::Feather(_))) {
        bytes += 4;
    }
    bytes
}

/// Bytes of a guided filter for each pixel of a part: six reduced planes of four floats, and one at full width.
fn refining(step: &Step) -> u64 {
    let Step::Refine(refine) = step else { return 0 };
    let factor = u64::from(refine.gaussian.factor);
    // Squares at the border are counted whole.
    let reduced = (6 * 16 * 2 / (factor * factor)).max(6);
    reduced + if factor > 1 { 2 * 16 / factor } else { 0 }
}

/// Bytes of lines: where columns and rows lie among logits, and each thread's own.
fn lines(plan: &Plan<'_>, frame: Size) -> u64 {
    let sides = u64::from(frame.width_px) + u64::from(frame.height_px);
    let origins = match &plan.finish {
        Finish::Pixels(pixels) if matches!(pixels.extra, Extra::Confidence(..)) => 2,
        _ => 1,
    };
    let taps = size_of::<rotomask_shaders::layout::Tap>() as u64 * sides;
    // Several of a part's plans are alive at once, and the kernel's own copy.
    let around = plan.layers.iter().filter_map(|layer| layer.shape.around.as_ref());
    let masks = plan.layers.len() + around.map(|around| around.origins.len()).sum::<usize>();
    let taps = 4 * taps * masks as u64 * origins;
    let threads = rayon::current_num_threads() as u64;
    let curves = 8 * 1024 * plan.layers.len() as u64 + size_of::<Gaussian>() as u64 * 8;
    taps + threads * 64 * u64::from(frame.width_px) + curves
}

/// Bytes of the masks, made ready once a frame.
fn prepared(job: &MatteJob<'_>) -> u64 {
    let frame = job.plate.size();
    let mut kept = 0;
    let mut most = 0;
    for (mask, settings) in job.layers.iter().flat_map(|layer| masks_of(layer, job.settings_of(layer))) {
        let size = mask.size();
        let cells = size.area_px() as u64;
        let cleaned = is_cleaned(mask, settings, job);
        let own = matches!(mask, Mask::Coverage(view) if view.size() == frame);
        let (stays, passes) = match (own, cleaned) {
            (true, false) => (0, 0),
            (true, true) => (2, 10),
            (false, false) => (4, 8),
            (false, true) => (4, 8 + 4 + 8),
        };
        kept += stays * cells;
        most = most.max(passes * cells + 8 * u64::from(size.height_px));
    }
    kept + most
}
