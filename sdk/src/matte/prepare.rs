//! What is done once a frame, on the CPU, for all of its parts: holes, specks, and splines through the logits.

use super::job::{Layer, Mask, MatteJob, Neighbour};
use super::light::FULL;
use super::logits::Spline;
use super::settings::MatteSettings;
use crate::frame::{Depth, FrameView, Size, channel};
use crate::mask::{Cleaning, Components, LogitPlane};

/// A mask, ready to be read at any place of the frame.
#[derive(Debug)]
pub(super) enum Source<'a> {
    /// Its contour is the edge: spline coefficients, 1/65536 of a logit.
    Contour { size: Size, coefficients: Vec<i32> },
    /// Coverage of the frame's size.
    View(FrameView<'a>),
    /// The same, cleaned: 16-bit samples.
    Samples(Vec<u16>),
}

/// An object's masks.
#[derive(Debug)]
pub(super) struct Prepared<'a> {
    /// On the job's frame.
    pub own: Source<'a>,
    /// On frames around, if the object's settings look at them: how far away each is, and its mask.
    pub around: Vec<(i32, Source<'a>)>,
}

/// Prepares all layers of a job that has been checked.
pub(super) fn prepare<'a>(job: &MatteJob<'a>) -> Vec<Prepared<'a>> {
    // In pixels of this frame.
    let (frame, scale) = (job.plate.size(), job.scale.x * job.scale.y);
    let of = |layer: &Layer<'a>| {
        let settings = job.settings_of(layer);
        Prepared {
            own: source(layer.mask, frame, scale, settings),
            around: looked_at(layer, settings)
                .map(|n| (n.frame, source(n.mask, frame, scale, settings)))
                .collect(),
        }
    };
    job.layers.iter().map(of).collect()
}

/// The neighbours that an object's settings look at.
fn looked_at<'a>(layer: &Layer<'a>, settings: &MatteSettings) -> impl Iterator<Item = &'a Neighbour<'a>> {
    let (steadies, blurs) = (settings.dechatter > 0.0, settings.motion_blur > 0.0);
    layer.neighbours.iter().filter(move |n| steadies || blurs && n.frame.abs() == 1)
}

/// All masks of an object that are made ready, each with its settings.
pub(super) fn masks_of<'a>(
    layer: &Layer<'a>,
    settings: &'a MatteSettings,
) -> impl Iterator<Item = (Mask<'a>, &'a MatteSettings)> {
    let around = looked_at(layer, settings).map(|neighbour| neighbour.mask);
    std::iter::once(layer.mask).chain(around).map(move |mask| (mask, settings))
}

/// What is cleaned of a mask of some size, in its own cells.
fn cleaning(size: Size, frame: Size, scale: f64, settings: &MatteSettings) -> Cleaning {
    let cells =
        |area_px2: f32| (f64::from(area_px2) * scale * size.area_px() as f64 / frame.area_px() as f64) as u32;
    Cleaning {
        max_hole_cells: cells(settings.fill_holes_px2),
        max_speck_cells: cells(settings.remove_specks_px2),
    }
}

/// Whether holes or specks of a mask are looked for.
pub(super) fn is_cleaned(mask: Mask<'_>, settings: &MatteSettings, job: &MatteJob<'_>) -> bool {
    let (frame, scale) = (job.plate.size(), job.scale.x * job.scale.y);
    cleaning(mask.size(), frame, scale, settings) != Cleaning::default()
}

fn source<'a>(mask: Mask<'a>, frame: Size, scale: f64, settings: &MatteSettings) -> Source<'a> {
    let cleaning = |size| cleaning(size, frame, scale, settings);
    match mask {
        Mask::Coverage(view) if view.size() == frame => {
            let cleaning = cleaning(frame);
            if cleaning == Cleaning::default() { Source::View(view) } else { cleaned(view, cleaning) }
        }
        Mask::Coverage(view) => {
            let values =
                (0..view.size().height()).flat_map(|y| coverage_row(view, y)).map(|v| (v - 0.5) * 16.0);
            contour(view.size(), values, cleaning(view.size()))
        }
        Mask::Logits(logits) => contour(logits.size, logits.values.iter().copied(), cleaning(logits.size)),
    }
}

fn contour<'a>(size: Size, values: impl Iterator<Item = f32>, cleaning: Cleaning) -> Source<'a> {
    let mut coefficients = Vec::new();
    if cleaning == Cleaning::default() {
        Spline::default().coefficients(size, values, &mut coefficients);
    } else {
        let mut plane = LogitPlane { size, values: values.collect() };
        plane.clean(cleaning, 0.0);
        Spline::default().coefficients(size, plane.values.into_iter(), &mut coefficients);
    }
    Source::Contour { size, coefficients }
}

fn cleaned<'a>(view: FrameView<'_>, cleaning: Cleaning) -> Source<'a> {
    let size = view.size();
    let mut samples: Vec<u16> = (0..size.height()).flat_map(|y| samples_row(view, y)).collect();
    let half = (FULL / 2) as u16;
    // Both are looked for in the matte as it was.
    let specks = Components::find(size, &samples, |v| v > half);
    let holes = Components::find(size, &samples, |v| v <= half);
    specks.up_to(cleaning.max_speck_cells).for_each(|cells| samples[cells].fill(0));
    holes.up_to(cleaning.max_hole_cells).for_each(|cells| samples[cells].fill(FULL as u16));
    Source::Samples(samples)
}

/// A row of coverage from 0 to 1: the grey, or the alpha. What is no number is none.
pub(super) fn coverage_row<'a>(view: FrameView<'a>, y: usize) -> impl Iterator<Item = f32> + 'a {
    let (row, format) = (view.row(y), view.format());
    let (count, depth) = (format.channel_count(), format.depth());
    let at = format.alpha_offset().unwrap_or(0);
    (0..view.size().width()).map(move |x| channel(row, depth, x * count + at))
}

/// The same as 16-bit samples.
pub(super) fn samples_row<'a>(view: FrameView<'a>, y: usize) -> impl Iterator<Item = u16> + 'a {
    coverage_row(view, y).map(|v| (v * 65535.0 + 0.5).clamp(0.0, 65535.0) as u16)
}

/// The same into a row's memory, quicker where whole numbers need no rounding.
pub(super) fn samples_into(view: FrameView<'_>, y: usize, into: &mut [u16]) {
    let format = view.format();
    let (row, count) = (view.row(y), format.channel_count());
    let at = format.alpha_offset().unwrap_or(0);
    match format.depth() {
        Depth::U8 if count == 1 => {
            for (out, sample) in into.iter_mut().zip(row) {
                *out = u16::from(*sample) * 257;
            }
        }
        Depth::U8 => {
            let pixels = row.chunks_exact(count);
            into.iter_mut().zip(pixels).for_each(|(out, pixel)| *out = u16::from(pixel[at]) * 257);
        }
        Depth::U16 => {
            let pixels = row.chunks_exact(2 * count);
            into.iter_mut().zip(pixels).for_each(|(out, pixel)| {
                *out = u16::from_ne_bytes([pixel[2 * at], pixel[2 * at + 1]]);
            });
        }
        Depth::F16 | Depth::F32 => into.iter_mut().zip(samples_row(view, y)).for_each(|(out, v)| *out = v),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::{Layout, PixelFormat};

    #[test]
    fn whole_numbers_are_read_quickly_as_they_are_read_slowly() {
        let size = Size::new(256, 257).unwrap();
        for format in [PixelFormat::Gray8, PixelFormat::Gray16, PixelFormat::Rgba8, PixelFormat::Bgra16] {
            let layout = Layout::packed(size, format);
            let bytes: Vec<u8> =
                (0..layout.span_bytes() as u32).map(|i| (i.wrapping_mul(40_503) >> 7) as u8).collect();
            let view = FrameView::new(layout, &bytes).unwrap();
            let mut quick = vec![0; size.width()];
            for y in 0..size.height() {
                samples_into(view, y, &mut quick);
                assert!(samples_row(view, y).eq(quick.iter().copied()), "{format:?}");
            }
        }
    }
}
