//! One part of a frame on the GPU: upload, kernels, readback.

use std::sync::Arc;
use std::time::Duration;

use rotomask_shaders::WORKGROUP_SIDE;

use super::buffers::{Buffers, Slot};
use super::device::{Device, Scopes};
use super::flight::{Flight, Lanes};
use super::record::{Record, STEP, words};
use super::{DeviceInfo, Gpu, warn_none};
use crate::error::Result;
use crate::frame::{Channels, FrameView, FrameViewMut, Size};
use crate::matte::Finished;
use crate::matte::plan::Plan;

/// A frame takes milliseconds. A device that hasn't answered after this will not.
const PATIENCE: Duration = Duration::from_secs(20);

/// How a part ended that nothing went wrong with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Done {
    Rendered,
    /// The device has no buffers of this size, or the ceiling doesn't allow them.
    TooLarge,
}

/// A chain's side on the GPU.
#[derive(Debug)]
pub struct Chain {
    device: Arc<Device>,
    buffers: Buffers,
    lanes: Lanes,
    /// Bytes that all buffers together may have.
    ceiling: u64,
}

impl Chain {
    /// `None` means the CPU's twins.
    ///
    /// # Errors
    /// [`crate::Error::Device`] if a software adapter, or one by its place, is asked for and can't be had.
    pub fn open(gpu: Gpu, ceiling: u64) -> Result<Option<Self>> {
        if gpu == Gpu::Off {
            return Ok(None);
        }
        match Device::shared(gpu) {
            Ok(device) => {
                Ok(Some(Self { device, buffers: Buffers::default(), lanes: Lanes::default(), ceiling }))
            }
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

    /// Carries out a plan and writes its part of the result, which stays untouched unless all went well.
    ///
    /// # Errors
    /// Why the device can't be used any more, in words.
    pub fn render(
        &mut self,
        plan: &Plan<'_>,
        frame: Size,
        result: &mut FrameViewMut<'_>,
    ) -> std::result::Result<Done, String> {
        match self.begin(plan, frame, false)? {
            Some(flight) => self.finish(flight, result).map(|()| Done::Rendered),
            None => Ok(Done::TooLarge),
        }
    }

    /// Hands a plan to the device, for a ticket or to be waited for at once. `None` if the device or the ceiling has no
    /// room for it.
    ///
    /// # Errors
    /// As [`Chain::render`].
    pub fn begin(
        &mut self,
        plan: &Plan<'_>,
        frame: Size,
        ticket: bool,
    ) -> std::result::Result<Option<Flight>, String> {
        self.tried(|chain, device| {
            let scopes = Scopes::open(&device.device);
            let begun = chain.hand_over(device, plan, frame, ticket);
            match scopes.close() {
                Some(problem) => Err(problem),
                None => begun,
            }
        })
    }

    /// Waits for a part and writes it.
    ///
    /// # Errors
    /// As [`Chain::render`]; the result is then untouched.
    pub fn finish(
        &mut self,
        flight: Flight,
        result: &mut FrameViewMut<'_>,
    ) -> std::result::Result<(), String> {
        self.tried(|chain, device| {
            if !chain.lanes.know(&flight) {
                return Err("a part of another chain's".into());
            }
            wait(device, Some(&flight.submitted))?;
            let readback = chain.buffers.get(flight.readback())?;
            {
                let view = readback.get_mapped_range(..flight.bytes).map_err(|e| e.to_string())?;
                let finished = if flight.matte {
                    Finished::Coverage(bytemuck::try_cast_slice(&view).map_err(|e| e.to_string())?)
                } else {
                    Finished::Pixels(&view)
                };
                finished.write(&flight, result);
            }
            readback.unmap();
            chain.lanes.end(&flight);
            Ok(())
        })
    }

    /// Whether a part is on its way through this chain.
    pub fn knows(&self, flight: &Flight) -> bool {
        self.lanes.know(flight)
    }

    /// Does something with a device that hasn't failed.
    fn tried<T>(
        &mut self,
        attempt: impl FnOnce(&mut Self, &Device) -> std::result::Result<T, String>,
    ) -> std::result::Result<T, String> {
        if let Some(problem) = self.device.failure() {
            return Err(problem.to_owned());
        }
        let device = self.device.clone();
        let done = attempt(self, &device);
        if done.is_err() {
            // A device that is lost says so when it is polled; one that was only out of memory serves other chains on.
            let _ = device.device.poll(wgpu::PollType::Poll);
        }
        match device.failure() {
            Some(problem) if done.is_err() => Err(problem.to_owned()),
            _ => done,
        }
    }

    fn hand_over(
        &mut self,
        device: &Device,
        plan: &Plan<'_>,
        frame: Size,
        ticket: bool,
    ) -> std::result::Result<Option<Flight>, String> {
        let Some((lane, left)) = self.lanes.free(ticket) else { return Ok(None) };
        if let Some(left) = left {
            // Nobody waited for it.
            wait(device, Some(&left))?;
            self.buffers.get(Slot::Readback(lane))?.unmap();
        }
        let record = Record::new(plan, frame);
        let needs = needs(&record, lane);
        let limits = device.device.limits();
        let most = limits.max_buffer_size.min(limits.max_storage_buffer_binding_size);
        let total: u64 = needs.iter().map(|(_, bytes)| Buffers::room(*bytes)).sum();
        if total > self.ceiling || needs.iter().any(|(_, bytes)| *bytes > most) {
            return Ok(None);
        }
        let beyond = self.buffers.bytes_with(&needs) > self.ceiling;
        if self.lanes.busy() && (beyond || self.buffers.would_replace(&needs)) {
            if ticket || beyond {
                // Frames that are on their way keep what they need.
                return Ok(None);
            }
            // A buffer that is replaced is held until the device has done with it.
            wait(device, None)?;
        }
        if beyond {
            // What other jobs left behind.
            self.buffers = Buffers::default();
        }
        self.submit(device, &record, plan, needs, lane).map(Some)
    }

    fn submit(
        &mut self,
        device: &Device,
        record: &Record<'_>,
        plan: &Plan<'_>,
        needs: Vec<(Slot, u64)>,
        lane: u8,
    ) -> std::result::Result<Flight, String> {
        for (slot, bytes) in needs {
            self.buffers.reserve(device, slot, bytes);
        }
        let mut encoder = device.device.create_command_encoder(&Default::default());
        self.upload(&mut encoder, record, lane)?;
        {
            let mut on_gpu = encoder.begin_compute_pass(&Default::default());
            for pass in &record.passes {
                on_gpu.set_pipeline(&device.pipeline(pass.id)?);
                on_gpu.set_bind_group(0, self.buffers.group(device, pass.id, pass.views.clone())?, &[]);
                let groups = |side: u32| side.div_ceil(WORKGROUP_SIDE);
                on_gpu.dispatch_workgroups(groups(pass.size.width_px), groups(pass.size.height_px), 1);
            }
        }
        let (last, bytes) = record.result;
        let (upload, readback) =
            (self.buffers.get(Slot::Upload(lane))?, self.buffers.get(Slot::Readback(lane))?);
        encoder.copy_buffer_to_buffer(self.buffers.get(last)?, 0, readback, 0, bytes);
        let submitted = device.queue.submit([encoder.finish()]);
        // The mapped ranges say later whether mapping went well.
        upload.map_async(wgpu::MapMode::Write, .., |_| ());
        readback.map_async(wgpu::MapMode::Read, ..bytes, |_| ());
        Ok(self.lanes.start(lane, submitted, bytes, plan))
    }

    /// Writes everything that comes from the CPU into one mapped buffer, and copies it from there.
    fn upload(
        &self,
        encoder: &mut wgpu::CommandEncoder,
        record: &Record<'_>,
        lane: u8,
    ) -> std::result::Result<(), String> {
        let upload = self.buffers.get(Slot::Upload(lane))?;
        let mut view = upload.get_mapped_range_mut(..).map_err(|e| e.to_string())?;
        let mut at = 0usize;
        let mut copies = Vec::with_capacity(4);
        for (slot, bytes) in [(Slot::Uniforms, &record.uniforms), (Slot::Inputs, &record.inputs)] {
            let length = bytes.len().next_multiple_of(4);
            view.slice(at..at + bytes.len()).copy_from_slice(bytes);
            copies.push((slot, at, length));
            at += length.next_multiple_of(STEP);
        }
        let mut wide = Vec::new();
        for (slot, frame) in &record.pictures {
            let row_bytes = frame.size().width() * 4 * words(*frame) as usize;
            copies.push((*slot, at, row_bytes * frame.size().height()));
            for y in 0..frame.size().height() {
                view.slice(at..at + row_bytes).copy_from_slice(four_channels(*frame, y, &mut wide));
                at += row_bytes;
            }
            at = at.next_multiple_of(STEP);
        }
        drop(view);
        upload.unmap();
        for (slot, from, bytes) in copies {
            encoder.copy_buffer_to_buffer(upload, from as u64, self.buffers.get(slot)?, 0, bytes as u64);
        }
        Ok(())
    }
}

/// Until the device has done what was handed to it, or all that ever was.
fn wait(device: &Device, submitted: Option<&wgpu::SubmissionIndex>) -> std::result::Result<(), String> {
    let scopes = Scopes::open(&device.device);
    let patient = wgpu::PollType::Wait { submission_index: submitted.cloned(), timeout: Some(PATIENCE) };
    let waited = device.device.poll(patient);
    if let Some(problem) = scopes.close() {
        return Err(problem);
    }
    waited.map_err(|e| e.to_string())?;
    device.failure().map_or(Ok(()), |problem| Err(problem.to_owned()))
}

/// A row with four channels a pixel; an alpha that isn't there is full.
fn four_channels<'a>(frame: FrameView<'a>, y: usize, wide: &'a mut Vec<u8>) -> &'a [u8] {
    let row = frame.row(y);
    let format = frame.format();
    if format.channels() != Channels::Rgb {
        return row;
    }
    wide.clear();
    for pixel in row.chunks_exact(format.bytes_per_pixel()) {
        wide.extend_from_slice(pixel);
        wide.extend_from_slice(format.depth().full());
    }
    wide
}

/// Bytes of all slots. What comes from the CPU is rounded up piece by piece.
fn needs(record: &Record<'_>, lane: u8) -> Vec<(Slot, u64)> {
    let step = |bytes: usize| bytes.next_multiple_of(STEP) as u64 + STEP as u64;
    let (uniforms, inputs) = (step(record.uniforms.len()), step(record.inputs.len()));
    let picture = |view: &FrameView<'_>| view.size().area_px() as u64 * 4 * words(*view) + STEP as u64;
    let pictures: u64 = record.pictures.iter().map(|(_, view)| picture(view)).sum();
    let mut needs = record.needs.clone();
    needs.extend([
        (Slot::Uniforms, uniforms),
        (Slot::Inputs, inputs),
        (Slot::Upload(lane), uniforms + inputs + pictures),
        (Slot::Readback(lane), record.result.1),
    ]);
    needs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::{Layout, PixelFormat};
    use crate::matte::{DeviceKind, Layer, Logits, Mask, MatteChain, MatteJob, MatteSettings};

    /// Hands over a job for a frame of 37x19 pixels, and what its result is made of.
    fn with_job<T>(work: impl FnOnce(&MatteJob<'_>, Layout) -> T) -> T {
        let size = Size::new(37, 19).unwrap();
        let (layout, over) =
            (Layout::packed(size, PixelFormat::Rgb8), Layout::packed(size, PixelFormat::Rgba8));
        let plate: Vec<u8> = (0..layout.span_bytes()).map(|i| (i * 31) as u8).collect();
        let logits = Logits::new(Size::new(2, 2).unwrap(), &[4.0, -3.0, 1.0, -2.0]).unwrap();
        let (layers, settings) = ([Layer::new(Mask::Logits(logits))], MatteSettings::default());
        work(&MatteJob::new(FrameView::new(layout, &plate).unwrap(), &layers, &settings), over)
    }

    fn frame(chain: &mut MatteChain) -> Vec<u8> {
        with_job(|job, over| {
            let mut result = vec![7; over.span_bytes()];
            chain.render(job, FrameViewMut::new(over, &mut result).unwrap()).unwrap();
            result
        })
    }

    /// A chain on a software adapter, or `None` after saying that something isn't checked.
    fn software(what: &str) -> Option<MatteChain> {
        match MatteChain::open(Gpu::Software) {
            Ok(chain) => Some(chain),
            Err(problem) if std::env::var_os("ROTOMASK_REQUIRE_GPU").is_some_and(|v| v == "1") => {
                panic!("ROTOMASK_REQUIRE_GPU=1, and there is no software adapter: {problem}")
            }
            Err(problem) => {
                eprintln!("SKIPPED, NOT CHECKED: {what} ({problem})");
                None
            }
        }
    }

    #[test]
    fn two_frames_are_on_their_way_at_once_and_a_dropped_one_makes_room() {
        let Some(mut chain) = software("frames on their way") else { return };
        with_job(|job, over| {
            let mut submit = || chain.submit(job, over.format).unwrap();
            let (first, second, third) = (submit(), submit(), submit());
            assert!(first.flight.is_some() && second.flight.is_some() && third.flight.is_none());
            drop(first);
            assert!(submit().flight.is_some());
        });
    }

    #[test]
    fn a_device_lost_in_mid_sequence_is_replaced_by_the_twins() {
        let Some(mut chain) = software("a lost device") else { return };
        let before = frame(&mut chain);
        let groups = |chain: &MatteChain| {
            let buffers = &chain.gpu.as_ref().unwrap().buffers;
            buffers.counts()
        };
        let held = groups(&chain);
        assert_eq!(frame(&mut chain), before);
        assert_eq!(groups(&chain), held, "a second frame of the same size allocated something");

        // The frame that is on its way is finished too.
        with_job(|job, over| {
            let ticket = chain.submit(job, over.format).unwrap();
            assert!(ticket.flight.is_some());
            chain.gpu.as_ref().unwrap().device.device.destroy();
            let mut result = vec![7; over.span_bytes()];
            chain.wait(ticket, FrameViewMut::new(over, &mut result).unwrap()).unwrap();
            assert_eq!(result, before);
        });
        assert_eq!(frame(&mut chain), before);
        assert_eq!(chain.device().kind, DeviceKind::Twins);
        assert_eq!(frame(&mut chain), before);

        // The next chain gets a device that works.
        let mut next = MatteChain::open(Gpu::Software).unwrap();
        assert_eq!(frame(&mut next), before);
        assert_eq!(next.device().kind, DeviceKind::Software);
    }
}
