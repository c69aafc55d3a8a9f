//! What the effect costs beside the matte chain that it runs.

use std::path::Path;
use std::time::{Duration, Instant};

use rotomask::frame::{FrameView, FrameViewMut, Layout, PixelFormat, Size};
use rotomask::matte::{Gpu, Layer, Logits, Mask, MatteChain, MatteJob, MatteSettings, View};

use crate::clip::{Depth, Form};
use crate::instance::Instance;
use crate::world::world;
use crate::{Error, Result};

/// The median time of a render by the effect, without what the host spends to make images, and by the chain alone. Both
/// take turns, so that the machine is the same for both.
///
/// # Errors
/// If either fails.
pub fn cost(
    instance: &Instance<'_>,
    session: &Path,
    form: &Form,
    count: u32,
) -> Result<(Duration, Duration)> {
    let reader = plugin_common::cache::open(session)?;
    let frame =
        reader.summary().objects.iter().flat_map(|o| &o.ranges).map(|range| range.first).min().unwrap_or(0);
    let masks = reader.frame(frame)?.ok_or_else(|| Error::plain("the session has no mask"))?;
    let layers =
        masks.masks.iter().map(|plane| Ok(Layer::new(Mask::Logits(Logits::new(plane.size, &plane.values)?))));
    let layers = layers.collect::<Result<Vec<_>>>()?;
    let [w, h] = instance.source().size();
    let size = Size::new(w, h)?;
    let format = if form.depth == Depth::Float { PixelFormat::RgbaF32 } else { PixelFormat::Rgba8 };
    let layout = Layout::packed(size, format);
    let mut plate: Vec<f32> = vec![0.25; layout.span_bytes().div_ceil(4)];
    if form.depth == Depth::Float {
        plate.chunks_exact_mut(4).for_each(|pixel| pixel[3] = 1.0);
    }
    let mut out = vec![0f32; plate.len()];
    let settings = MatteSettings { view: View::Cutout, ..MatteSettings::default() };
    // As the effect does: the scale is the session's.
    let scale = plugin_common::render::scale(size, Some(reader.size()));
    let mut chain = MatteChain::open(Gpu::Auto)?;
    let (mut with, mut alone) = (Vec::new(), Vec::new());
    for _ in 0..count.max(3) {
        with.push(instance.timed(frame as f64, form)?);
        let start = Instant::now();
        // SAFETY: any bytes are bytes of floats, and the lengths are the same memory's.
        let (plate, out) = unsafe {
            let length = plate.len() * 4;
            (
                std::slice::from_raw_parts(plate.as_ptr().cast::<u8>(), length),
                std::slice::from_raw_parts_mut(out.as_mut_ptr().cast::<u8>(), length),
            )
        };
        let job = MatteJob { scale, ..MatteJob::new(FrameView::new(layout, plate)?, &layers, &settings) };
        chain.render(&job, FrameViewMut::new(layout, out)?)?;
        alone.push(start.elapsed());
    }
    world().violations.clear();
    Ok((median(with), median(alone)))
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}
