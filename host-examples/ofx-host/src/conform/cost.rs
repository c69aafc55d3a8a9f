//! What the effect costs beside the matte chain that it runs.

use std::path::Path;
use std::time::{Duration, Instant};

use rotomask::frame::{FrameView, FrameViewMut, Layout, PixelFormat, Size};
use rotomask::matte::{Gpu, Layer, Logits, Mask, MatteChain, MatteJob, MatteSettings, View};

use crate::clip::{Depth, Form};
use crate::image;
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
    // The frame that the effect is given, in the effect's depth: what a pixel takes depends on its colour.
    let shown = instance.source().pixels(frame as i64);
    let plate: Vec<u8> = match form.depth {
        Depth::Float => shown.iter().flat_map(|&v| (f32::from(v) / 255.0).to_ne_bytes()).collect(),
        _ => shown.to_vec(),
    };
    let settings = MatteSettings { view: View::Cutout, ..MatteSettings::default() };
    // As the effect does: the scale is the session's.
    let scale = plugin_common::render::scale(size, Some(reader.size()));
    let mut chain = MatteChain::open(Gpu::Auto)?;
    let (mut with, mut alone) = (Vec::new(), Vec::new());
    for _ in 0..count.max(3) {
        with.push(instance.timed(frame as f64, form)?);
        // As the host's images are: new for each frame, the output's before the source's, and threads sleep and caches
        // cool while the host makes that.
        let mut out = vec![1_u8; plate.len()];
        image::drop_image(image::of_frame(&**instance.source(), frame as i64, form));
        let plate = plate.clone();
        let start = Instant::now();
        let job = MatteJob { scale, ..MatteJob::new(FrameView::new(layout, &plate)?, &layers, &settings) };
        chain.render(&job, FrameViewMut::new(layout, &mut out)?)?;
        alone.push(start.elapsed());
    }
    world().violations.clear();
    Ok((median(with), median(alone)))
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}
