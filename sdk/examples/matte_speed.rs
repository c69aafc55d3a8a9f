//! Times single stages of the matte chain on the CPU at 1920x1080, for `cargo xtask bench matte`, which times the same
//! in OpenCV. Prints JSON: by stage the least of milliseconds (others work on the machine too), the mean of the
//! processor's milliseconds on all threads, and the milliseconds of a copy of the same bytes. An argument picks the stages
//! that have it in their names, for a profiler.

use std::hint::black_box;
use std::time::Instant;

use rayon::prelude::*;
use rotomask::frame::PixelFormat::{Gray8, Rgb8, Rgba8};
use rotomask::frame::{FrameView, FrameViewMut, Layout, PixelFormat, Size};
use rotomask::matte::{
    Alpha, Background, Gpu, Layer, Logits, Mask, MatteChain, MatteJob, MatteSettings, View,
};

const REPETITIONS: usize = 21;

/// An image's memory.
struct Image {
    layout: Layout,
    bytes: Vec<u8>,
}

impl Image {
    fn new(size: Size, format: PixelFormat) -> Self {
        let layout = Layout::packed(size, format);
        Self { layout, bytes: vec![0; layout.span_bytes()] }
    }

    fn view(&self) -> FrameView<'_> {
        FrameView::new(self.layout, &self.bytes).expect("the layout's own bytes")
    }

    fn view_mut(&mut self) -> FrameViewMut<'_> {
        FrameViewMut::new(self.layout, &mut self.bytes).expect("the layout's own bytes")
    }
}

/// The subject that the script beside this one makes too: three discs, above 0 inside.
fn logits(size: Size) -> Vec<f32> {
    let disc = |x: f32, y: f32, [cx, cy, r]: [f32; 3]| r - ((x - cx).powi(2) + (y - cy).powi(2)).sqrt();
    let at = |i: usize| {
        let x = ((i % size.width()) as f32 + 0.5) / size.width() as f32;
        let y = ((i / size.width()) as f32 + 0.5) / size.height() as f32;
        let discs = [[0.5, 0.3, 0.12], [0.5, 0.7, 0.25], [0.3, 0.6, 0.1]];
        discs.into_iter().map(|at| disc(x, y, at)).fold(f32::MIN, f32::max) * 40.0
    };
    (0..size.area_px()).map(at).collect()
}

/// Milliseconds that all threads of this process have run, where the system says it.
fn processor_ms() -> f64 {
    let tasks = std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let run = tasks.filter_map(|task| {
        let told = std::fs::read_to_string(task.path().join("schedstat")).ok()?;
        told.split_whitespace().next()?.parse::<f64>().ok()
    });
    run.sum::<f64>() / 1e6
}

/// The least of milliseconds, and the processor's mean.
fn timed(mut work: impl FnMut()) -> [f64; 2] {
    work();
    let before = processor_ms();
    let times = (0..REPETITIONS).map(|_| {
        let start = Instant::now();
        work();
        start.elapsed().as_secs_f64() * 1e3
    });
    let least = times.fold(f64::MAX, f64::min);
    [least, (processor_ms() - before) / REPETITIONS as f64]
}

/// Milliseconds to copy so many bytes' worth of reading and writing, on all threads.
fn copied(bytes: usize) -> f64 {
    let (from, mut into) = (vec![1u8; bytes / 2], vec![0u8; bytes / 2]);
    let piece = (bytes / 2).div_ceil(rayon::current_num_threads()).max(1);
    let [ms, _] = timed(|| {
        let pieces = into.par_chunks_mut(piece).zip(from.par_chunks(piece));
        pieces.for_each(|(into, from)| black_box(into).copy_from_slice(black_box(from)));
    });
    ms
}

fn main() {
    let size = Size { width_px: 1920, height_px: 1080 };
    let small = Size { width_px: 256, height_px: 256 };
    let values = logits(small);
    let mut plate = Image::new(size, Rgb8);
    for (i, byte) in plate.bytes.iter_mut().enumerate() {
        *byte = ((i as u32).wrapping_mul(0x9E37_79B9) >> 24) as u8;
    }
    let mut chain = MatteChain::open(Gpu::Off).expect("the CPU is always there");
    let hard = MatteSettings {
        feather_inner_px: 0.0,
        feather_outer_px: 0.0,
        view: View::Matte,
        ..Default::default()
    };
    let feather = |px| MatteSettings { feather_inner_px: px, feather_outer_px: px, ..hard.clone() };
    let blurred = |px| MatteSettings {
        view: View::Composite,
        background: Background::BlurredPlate,
        background_blur_px: px,
        ..hard.clone()
    };
    let logit_mask = Mask::Logits(Logits::new(small, &values).expect("the mask's own values"));

    let mut mask = Image::new(size, Gray8);
    let layers = [Layer::new(logit_mask)];
    chain.render(&MatteJob::new(plate.view(), &layers, &hard), mask.view_mut()).expect("a sound job");
    let soft = {
        let mut soft = Image::new(size, Gray8);
        let settings = feather(8.0);
        let layers = [Layer::new(Mask::Coverage(mask.view()))];
        chain.render(&MatteJob::new(plate.view(), &layers, &settings), soft.view_mut()).expect("a sound job");
        soft
    };

    let full = Mask::Coverage(mask.view());
    let edge = Mask::Coverage(soft.view());
    let all = MatteSettings { grow_px: 4.0, view: View::Overlay, ..feather(6.0) };
    let cutout = MatteSettings { view: View::Cutout, ..hard.clone() };
    let premultiplied = MatteSettings { alpha: Alpha::Premultiplied, ..cutout.clone() };
    let cases: [(&str, Mask<'_>, MatteSettings, PixelFormat); 10] = [
        ("logits to coverage", logit_mask, hard.clone(), Gray8),
        ("feather, deviation 4", full, feather(8.0), Gray8),
        ("feather, deviation 16", full, feather(32.0), Gray8),
        ("grow by 8", full, MatteSettings { grow_px: 8.0, ..hard.clone() }, Gray8),
        ("overlay", edge, MatteSettings { view: View::Overlay, ..hard.clone() }, Rgb8),
        ("cutout, straight", edge, cutout, Rgba8),
        ("cutout, premultiplied", edge, premultiplied, Rgba8),
        ("blurred plate, deviation 4", edge, blurred(4.0), Rgb8),
        ("blurred plate, deviation 16", edge, blurred(16.0), Rgb8),
        ("logits, grow 4, feather 6, overlay", logit_mask, all, Rgb8),
    ];
    let mut told = serde_json::Map::new();
    let only = std::env::args().nth(1).unwrap_or_default();
    for (name, mask, settings, format) in cases.into_iter().filter(|case| case.0.contains(&only)) {
        let mut result = Image::new(size, format);
        let layers = [Layer::new(mask)];
        let job = MatteJob::new(plate.view(), &layers, &settings);
        let [ms, processor_ms] = timed(|| chain.render(&job, result.view_mut()).expect("a sound job"));
        let masks = match mask {
            Mask::Logits(logits) => logits.values.len() * 4,
            Mask::Coverage(view) => view.size().area_px(),
        };
        let pictures = if settings.view == View::Matte { 0 } else { plate.bytes.len() };
        let copy = copied(masks + pictures + result.bytes.len());
        told.insert(
            name.into(),
            serde_json::json!({ "ms": ms, "processor_ms": processor_ms, "copy_ms": copy }),
        );
    }
    println!("{}", serde_json::Value::Object(told));
}
