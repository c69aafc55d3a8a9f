//! One frame on the GPU: upload, kernels, readback.

use std::sync::Arc;
use std::time::Duration;

use bytemuck::Pod;
use rotomask_shaders::{self as shaders, Kernel, WORKGROUP_SIDE, layout, mode};

use super::buffers::{Buffers, Slot, View};
use super::device::{Device, PipelineId, Scopes};
use super::{DeviceInfo, Gpu, warn_none};
use crate::error::Result;
use crate::frame::{FrameView, FrameViewMut, PixelFormat, Size};
use crate::matte::gaussian::Gaussian;
use crate::matte::plan::{Finish, Plan};
use crate::matte::{Finished, MatteJob};

/// A frame takes milliseconds. A device that hasn't answered after this will not.
const PATIENCE: Duration = Duration::from_secs(20);
/// Offsets of uniforms and weights are multiples of this on every device.
const STEP: u64 = 256;
/// Bytes of one Gaussian: its weights, then from `STEP` on its phases.
const GAUSSIAN_BYTES: u64 = 4 * STEP;

/// How a frame ended that nothing went wrong with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Done {
    Rendered,
    /// The device has no buffers of this size.
    TooLarge,
}

/// A chain's side on the GPU.
#[derive(Debug)]
pub struct Chain {
    device: Arc<Device>,
    buffers: Buffers,
}

/// Places of the uniforms.
#[derive(Clone, Copy)]
enum Uniform {
    Coverage,
    Grow,
    FeatherReduce,
    FeatherBlur,
    FeatherEnlarge,
    BackReduce,
    BackBlur,
    BackEnlarge,
    Composite,
}

const UNIFORMS: u64 = Uniform::Composite as u64 + 1;

/// One dispatch.
struct Pass {
    id: PipelineId,
    views: Vec<View>,
    size: Size,
}

impl Chain {
    /// `None` means the CPU's twins.
    ///
    /// # Errors
    /// [`crate::Error::Device`] if a software adapter is asked for and can't be had.
    pub fn open(gpu: Gpu) -> Result<Option<Self>> {
        if gpu == Gpu::Off {
            return Ok(None);
        }
        match Device::shared(gpu) {
            Ok(device) => Ok(Some(Self { device, buffers: Buffers::default() })),
            Err(problem) if gpu == Gpu::Auto => {
                warn_none(&problem.to_string());
                Ok(None)
            }
            Err(problem) => Err(problem),
        }
    }

    pub fn device(&self) -> &DeviceInfo {
        &self.device.info
    }

    /// Carries out a plan and writes the result, which stays untouched unless all went well.
    ///
    /// # Errors
    /// Why the device can't be used any more, in words.
    pub fn render(
        &mut self,
        plan: &Plan,
        job: &MatteJob<'_>,
        result: &mut FrameViewMut<'_>,
    ) -> std::result::Result<Done, String> {
        if let Some(problem) = self.device.failure() {
            return Err(problem.to_owned());
        }
        let device = self.device.clone();
        let scopes = Scopes::open(&device.device);
        let done = self.attempt(&device, plan, job, result, scopes);
        if done.is_err() {
            // A device that is lost says so when it is polled; one that was only out of memory serves other chains on.
            let _ = device.device.poll(wgpu::PollType::Poll);
        }
        match device.failure() {
            Some(problem) if done.is_err() => Err(problem.to_owned()),
            _ => done,
        }
    }

    fn attempt(
        &mut self,
        device: &Device,
        plan: &Plan,
        job: &MatteJob<'_>,
        result: &mut FrameViewMut<'_>,
        scopes: Scopes,
    ) -> std::result::Result<Done, String> {
        let needs = needs(plan, job);
        let limits = device.device.limits();
        let most = limits.max_buffer_size.min(limits.max_storage_buffer_binding_size);
        if needs.iter().any(|(_, bytes)| *bytes > most) {
            return Ok(Done::TooLarge);
        }
        for (slot, bytes) in needs {
            self.buffers.reserve(device, slot, bytes);
        }
        let mut encoder = device.device.create_command_encoder(&Default::default());
        self.upload(&mut encoder, plan, job)?;
        let (passes, last) = passes(plan, job);
        {
            let mut on_gpu = encoder.begin_compute_pass(&Default::default());
            for pass in passes {
                on_gpu.set_pipeline(device.pipeline(pass.id)?);
                on_gpu.set_bind_group(0, self.buffers.group(device, pass.id, pass.views)?, &[]);
                let groups = |side: u32| side.div_ceil(WORKGROUP_SIDE);
                on_gpu.dispatch_workgroups(groups(pass.size.width_px), groups(pass.size.height_px), 1);
            }
        }
        let bytes = plan.size.area_px() as u64 * 4;
        let (upload, readback) = (self.buffers.get(Slot::Upload)?, self.buffers.get(Slot::Readback)?);
        encoder.copy_buffer_to_buffer(self.buffers.get(last)?, 0, readback, 0, bytes);
        let submitted = device.queue.submit([encoder.finish()]);
        // The mapped ranges say below whether mapping went well.
        upload.map_async(wgpu::MapMode::Write, .., |_| ());
        readback.map_async(wgpu::MapMode::Read, ..bytes, |_| ());
        let waited = device
            .device
            .poll(wgpu::PollType::Wait { submission_index: Some(submitted), timeout: Some(PATIENCE) });
        if let Some(problem) = scopes.close() {
            return Err(problem);
        }
        waited.map_err(|e| e.to_string())?;
        if let Some(problem) = device.failure() {
            return Err(problem.to_owned());
        }
        {
            let view = readback.get_mapped_range(..bytes).map_err(|e| e.to_string())?;
            let finished = match plan.finish {
                Finish::Matte => {
                    Finished::WideCoverage(bytemuck::try_cast_slice(&view).map_err(|e| e.to_string())?)
                }
                Finish::Pixels { .. } => Finished::Pixels(&view),
            };
            finished.write(result);
        }
        readback.unmap();
        Ok(Done::Rendered)
    }

    /// Writes everything that comes from the CPU into one mapped buffer, and copies it from there.
    fn upload(
        &self,
        encoder: &mut wgpu::CommandEncoder,
        plan: &Plan,
        job: &MatteJob<'_>,
    ) -> std::result::Result<(), String> {
        let upload = self.buffers.get(Slot::Upload)?;
        let mut view = upload.get_mapped_range_mut(..).map_err(|e| e.to_string())?;
        let mut at = 0u64;
        let mut copies = Vec::with_capacity(8);
        let mut put = |slot: Slot, offset: u64, bytes: &[u8]| {
            view.slice(at as usize..at as usize + bytes.len()).copy_from_slice(bytes);
            copies.push((slot, at, offset, bytes.len() as u64));
            at += (bytes.len() as u64).next_multiple_of(STEP);
        };
        for (place, bytes) in uniforms(plan) {
            put(Slot::Uniforms, place as u64 * STEP, &bytes);
        }
        for (i, gaussian) in gaussians(plan).into_iter().enumerate() {
            if let Some(g) = gaussian {
                put(Slot::Weights, i as u64 * GAUSSIAN_BYTES, bytemuck::bytes_of(&g.weights));
                put(Slot::Weights, i as u64 * GAUSSIAN_BYTES + STEP, bytemuck::bytes_of(&g.phases));
            }
        }
        put(Slot::Coefficients, 0, bytemuck::cast_slice(&plan.coefficients));
        put(Slot::Taps, 0, bytemuck::cast_slice(&plan.taps));
        let mut frames = Vec::with_capacity(2);
        if matches!(plan.finish, Finish::Pixels { .. }) {
            frames.push((Slot::Plate, job.plate));
        }
        if let Some(picture) = other_picture(plan, job) {
            frames.push((Slot::Picture, picture));
        }
        for (slot, frame) in frames {
            let row_bytes = frame.size().width() * 4;
            copies.push((slot, at, 0, (row_bytes * frame.size().height()) as u64));
            let mut wide = Vec::new();
            for y in 0..frame.size().height() {
                let row = four_bytes(frame, y, &mut wide);
                view.slice(at as usize..at as usize + row_bytes).copy_from_slice(row);
                at += row_bytes as u64;
            }
            at = at.next_multiple_of(STEP);
        }
        drop(view);
        upload.unmap();
        for (slot, from, to, bytes) in copies {
            encoder.copy_buffer_to_buffer(upload, from, self.buffers.get(slot)?, to, bytes);
        }
        Ok(())
    }
}

/// A row with four bytes a pixel.
fn four_bytes<'a>(frame: FrameView<'a>, y: usize, wide: &'a mut Vec<u8>) -> &'a [u8] {
    let row = frame.row(y);
    if frame.format() != PixelFormat::Rgb8 {
        return row;
    }
    wide.clear();
    wide.extend(row.chunks_exact(3).flat_map(|p| [p[0], p[1], p[2], 255]));
    wide
}

/// The picture to upload, unless it is the plate itself.
fn other_picture<'a>(plan: &Plan, job: &MatteJob<'a>) -> Option<FrameView<'a>> {
    let over = matches!(plan.finish, Finish::Pixels { mode: mode::OVER_PICTURE, .. });
    job.picture.filter(|_| over && job.settings.background == crate::matte::Background::Picture)
}

/// The feather's, then the background's.
fn gaussians(plan: &Plan) -> [Option<&Gaussian>; 2] {
    [plan.feather.as_ref(), plan.blur.as_ref()]
}

fn needs(plan: &Plan, job: &MatteJob<'_>) -> Vec<(Slot, u64)> {
    let plane = plan.size.area_px() as u64 * 4;
    let mut needs = vec![
        (Slot::Uniforms, UNIFORMS * STEP),
        (Slot::Weights, 2 * GAUSSIAN_BYTES),
        (Slot::Coefficients, plan.coefficients.len() as u64 * 4),
        (Slot::Taps, size_of_val(plan.taps.as_slice()) as u64),
        (Slot::CoverageA, plane),
        (Slot::CoverageB, plane),
    ];
    if plan.grow.is_some() {
        needs.push((Slot::Distances, plane * 2));
    }
    let [feather, back] = gaussians(plan);
    if let Some(g) = feather.filter(|g| g.factor > 1) {
        let small = g.small.area_px() as u64 * 4;
        needs.extend([(Slot::SmallA, small), (Slot::SmallB, small)]);
    }
    if let Some(g) = back {
        let small = g.small.area_px() as u64 * 8;
        needs.extend([(Slot::ColourA, small), (Slot::ColourB, small)]);
        if g.factor > 1 {
            needs.push((Slot::Backdrop, plane * 2));
        }
    }
    if let Finish::Pixels { .. } = plan.finish {
        needs.extend([(Slot::Plate, plane), (Slot::Result, plane)]);
    }
    if other_picture(plan, job).is_some() {
        needs.push((Slot::Picture, plane));
    }
    // What comes from the CPU, each piece rounded up.
    let inputs = [Slot::Uniforms, Slot::Weights, Slot::Coefficients, Slot::Taps, Slot::Plate, Slot::Picture];
    let upload = needs
        .iter()
        .filter(|(slot, _)| inputs.contains(slot))
        .map(|(_, bytes)| bytes.next_multiple_of(STEP))
        .sum();
    needs.extend([(Slot::Upload, upload), (Slot::Readback, plane)]);
    needs
}

fn uniforms(plan: &Plan) -> Vec<(Uniform, Vec<u8>)> {
    fn of(place: Uniform, numbers: impl Pod) -> (Uniform, Vec<u8>) {
        (place, bytemuck::bytes_of(&numbers).to_vec())
    }
    let mut all = vec![of(Uniform::Coverage, plan.coverage)];
    all.extend(plan.grow.map(|grow| of(Uniform::Grow, grow)));
    let mut blur = |g: &Gaussian, bgra: u32, places: [Uniform; 3]| {
        let (full, small) = (plan.size, g.small);
        let [reduce, blur, enlarge] = places;
        let (width_px, height_px) = (full.width_px, full.height_px);
        let (small_width, small_height, factor) = (small.width_px, small.height_px, g.factor);
        all.extend([
            of(reduce, layout::Reduce { width_px, height_px, small_width, small_height, factor, bgra }),
            of(
                blur,
                layout::Blur { width_px: small_width, height_px: small_height, radius_px: g.radius as u32 },
            ),
            of(enlarge, layout::Enlarge { width_px, height_px, small_width, small_height, factor }),
        ]);
    };
    if let Some(g) = &plan.feather {
        blur(g, 0, [Uniform::FeatherReduce, Uniform::FeatherBlur, Uniform::FeatherEnlarge]);
    }
    if let Finish::Pixels { job, .. } = &plan.finish {
        if let Some(g) = &plan.blur {
            blur(g, job.plate_bgra, [Uniform::BackReduce, Uniform::BackBlur, Uniform::BackEnlarge]);
        }
        all.push(of(Uniform::Composite, *job));
    }
    all
}

/// The dispatches in order, and where the last one leaves its picture.
fn passes(plan: &Plan, job: &MatteJob<'_>) -> (Vec<Pass>, Slot) {
    let mut passes = Vec::with_capacity(12);
    let mut pass = |kernel: Kernel, variant: u32, uniform: Uniform, size: Size, views: &[View]| {
        let uniform = View { slot: Slot::Uniforms, offset: uniform as u64 * STEP, size: STEP };
        let views = std::iter::once(uniform).chain(views.iter().copied()).collect();
        passes.push(Pass { id: PipelineId { kernel: kernel.name, variant }, views, size });
    };
    let weights = |i: u64| View { slot: Slot::Weights, offset: i * GAUSSIAN_BYTES, size: STEP };
    let phases = |i: u64| View { slot: Slot::Weights, offset: i * GAUSSIAN_BYTES + STEP, size: 2 * STEP };
    let size = plan.size;
    let (mut coverage, mut spare) = (Slot::CoverageA, Slot::CoverageB);
    let views = [Slot::Coefficients.into(), Slot::Taps.into(), coverage.into()];
    pass(shaders::COVERAGE, 0, Uniform::Coverage, size, &views);
    if plan.grow.is_some() {
        let distances = Slot::Distances.into();
        pass(shaders::CONTOUR, 0, Uniform::Grow, size, &[coverage.into(), distances]);
        pass(shaders::GROW, 0, Uniform::Grow, size, &[coverage.into(), distances, spare.into()]);
        std::mem::swap(&mut coverage, &mut spare);
    }
    let [feather, back] = gaussians(plan);
    if let Some(g) = feather {
        let (mut from, mut over) = (coverage, spare);
        if g.factor > 1 {
            (from, over) = (Slot::SmallA, Slot::SmallB);
            let views = [coverage.into(), from.into()];
            pass(shaders::REDUCE_PLANE, 0, Uniform::FeatherReduce, g.small, &views);
        }
        let kernel = shaders::BLUR_PLANE;
        pass(kernel, 0, Uniform::FeatherBlur, g.small, &[from.into(), over.into(), weights(0)]);
        pass(kernel, 1, Uniform::FeatherBlur, g.small, &[over.into(), from.into(), weights(0)]);
        if g.factor > 1 {
            let views = [from.into(), coverage.into(), phases(0)];
            pass(shaders::ENLARGE_PLANE, 0, Uniform::FeatherEnlarge, size, &views);
        }
    }
    let Finish::Pixels { mode, .. } = plan.finish else { return (passes, coverage) };
    let mut behind = if other_picture(plan, job).is_some() { Slot::Picture } else { Slot::Plate };
    if let Some(g) = back {
        let (from, over) = (Slot::ColourA, Slot::ColourB);
        let views = [Slot::Plate.into(), from.into(), Slot::Tables.into()];
        pass(shaders::REDUCE_COLOUR, 0, Uniform::BackReduce, g.small, &views);
        let kernel = shaders::BLUR_COLOUR;
        pass(kernel, 0, Uniform::BackBlur, g.small, &[from.into(), over.into(), weights(1)]);
        pass(kernel, 1, Uniform::BackBlur, g.small, &[over.into(), from.into(), weights(1)]);
        behind = from;
        if g.factor > 1 {
            behind = Slot::Backdrop;
            let views = [from.into(), behind.into(), phases(1)];
            pass(shaders::ENLARGE_COLOUR, 0, Uniform::BackEnlarge, size, &views);
        }
    }
    let views =
        [Slot::Plate.into(), coverage.into(), behind.into(), Slot::Tables.into(), Slot::Result.into()];
    pass(shaders::COMPOSITE, mode, Uniform::Composite, size, &views);
    (passes, Slot::Result)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::Layout;
    use crate::matte::{DeviceKind, Logits, MatteChain, MatteSettings};

    fn frame(chain: &mut MatteChain) -> Vec<u8> {
        let size = Size::new(37, 19).unwrap();
        let (layout, over) =
            (Layout::packed(size, PixelFormat::Rgb8), Layout::packed(size, PixelFormat::Rgba8));
        let plate: Vec<u8> = (0..layout.span_bytes()).map(|i| (i * 31) as u8).collect();
        let mut result = vec![7; over.span_bytes()];
        let job = MatteJob {
            plate: FrameView::new(layout, &plate).unwrap(),
            logits: Logits::new(Size::new(2, 2).unwrap(), &[4.0, -3.0, 1.0, -2.0]).unwrap(),
            picture: None,
            settings: &MatteSettings::default(),
        };
        chain.render(&job, FrameViewMut::new(over, &mut result).unwrap()).unwrap();
        result
    }

    #[test]
    fn a_device_lost_in_mid_sequence_is_replaced_by_the_twins() {
        let mut chain = match MatteChain::open(Gpu::Software) {
            Ok(chain) => chain,
            Err(problem) if std::env::var_os("ROTOMASK_REQUIRE_GPU").is_some_and(|v| v == "1") => {
                panic!("ROTOMASK_REQUIRE_GPU=1, and there is no software adapter: {problem}")
            }
            Err(problem) => return eprintln!("SKIPPED, NOT CHECKED: a lost device ({problem})"),
        };
        let before = frame(&mut chain);
        let groups = |chain: &MatteChain| {
            let buffers = &chain.gpu.as_ref().unwrap().buffers;
            buffers.counts()
        };
        let held = groups(&chain);
        assert_eq!(frame(&mut chain), before);
        assert_eq!(groups(&chain), held, "a second frame of the same size allocated something");

        chain.gpu.as_ref().unwrap().device.device.destroy();
        assert_eq!(frame(&mut chain), before);
        assert_eq!(chain.device().kind, DeviceKind::Twins);
        assert_eq!(frame(&mut chain), before);

        // The next chain gets a device that works.
        let mut next = MatteChain::open(Gpu::Software).unwrap();
        assert_eq!(frame(&mut next), before);
        assert_eq!(next.device().kind, DeviceKind::Software);
    }
}
