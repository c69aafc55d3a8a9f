//! The caller's ceiling on memory: kept to, and without a trace in the result.

#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

mod matte_common;

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use matte_common::{Host, noise, round_logits, size};
use rotomask::frame::PixelFormat::{Gray16, Rgb8, Rgba8, RgbaF32};
use rotomask::matte::params::{Kind, Value};
use rotomask::matte::{
    Background, Ceiling, DeviceKind, Gpu, Layer, Logits, Mask, MatteChain, MatteJob, MatteSettings,
    Neighbour, PARAMS, View,
};

/// Counts what is allocated, and the most at once.
struct Counting;

static HELD: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

// SAFETY: the system's allocator does the work; numbers are only counted.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let held = HELD.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        PEAK.fetch_max(held, Ordering::Relaxed);
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Tests count all of the process's memory, so one runs at a time.
static ALONE: Mutex<()> = Mutex::new(());

fn within(gpu: Gpu, host_bytes: u64) -> MatteChain {
    MatteChain::open_within(gpu, Ceiling { host_bytes, ..Ceiling::default() }).unwrap()
}

/// The least ceiling that a job can do with, as the refusal tells it.
fn least(job: &MatteJob<'_>, result: &Host) -> u64 {
    let mut untouched = result.clone();
    let said = within(Gpu::Off, 1).render(job, untouched.view_mut()).unwrap_err().to_string();
    assert_eq!(untouched.bytes, result.bytes);
    let masks = number(&said);
    // The masks' own memory is asked for first.
    let said = within(Gpu::Off, masks).render(job, untouched.view_mut()).unwrap_err().to_string();
    assert_eq!(untouched.bytes, result.bytes);
    number(&said)
}

fn number(said: &str) -> u64 {
    let wanted =
        said.strip_prefix("host_bytes: found ").and_then(|rest| rest.split("expected at least ").nth(1));
    wanted.unwrap_or_else(|| panic!("{said}")).split(' ').next().unwrap().parse().unwrap()
}

/// Every stage at once.
fn everything() -> MatteSettings {
    let mut settings = MatteSettings::default();
    for param in PARAMS {
        let value = match &param.kind {
            // Low in the range, so that stages work and reach no further than a part.
            Kind::Number { range, .. } => Value::Number(range.end().min(3.0)),
            Kind::Switch => Value::Switch(true),
            Kind::Colour { default } => Value::Colour(*default),
            Kind::Choice { choices } => Value::Choice(choices[choices.len().min(2) - 1]),
        };
        settings.set(param.id, &value).unwrap();
    }
    MatteSettings {
        view: View::Composite,
        background: Background::BlurredPlate,
        clean_white: 0.0,
        ..settings
    }
}

#[test]
fn the_result_is_the_same_to_the_bit_under_the_smallest_ceiling() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let at = size(75, 67);
    let (plate, logits) = (noise(Host::new(at, Rgba8, 5), 1), round_logits(size(32, 32)));
    let soft = noise(Host::new(at, Gray16, 4), 9);
    let views = [View::Composite, View::Cutout, View::Trimap, View::Confidence, View::Edge, View::Matte];
    for view in views {
        let settings = MatteSettings { view, trimap_px: 4.0, ..everything() };
        let layers = [
            Layer::new(Mask::Logits(Logits::new(size(32, 32), &logits).unwrap())),
            Layer { keep: true, ..Layer::new(Mask::Coverage(soft.view())) },
        ];
        let job = MatteJob { garbage: Some(soft.view()), ..MatteJob::new(plate.view(), &layers, &settings) };
        let result = noise(Host::new(at, Rgba8, -3), 4);
        let (mut whole, mut parts) = (result.clone(), result.clone());
        MatteChain::open(Gpu::Off).unwrap().render(&job, whole.view_mut()).unwrap();
        let least = least(&job, &result);
        within(Gpu::Off, least).render(&job, parts.view_mut()).unwrap();
        assert!(whole.bytes == parts.bytes, "{view:?}");
        let said = within(Gpu::Off, least - 1).render(&job, parts.view_mut()).unwrap_err().to_string();
        let found = least - 1;
        assert_eq!(said, format!("host_bytes: found {found}, expected at least {least} for this frame"));
    }
}

#[test]
fn a_frame_takes_no_more_than_its_ceiling() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    // Threads and shared tables are not a frame's.
    rayon::join(|| (), || ());
    let at = size(321, 203);
    let logits = round_logits(size(200, 150));
    let plain = MatteSettings::default();
    let views = [View::Composite, View::Cutout, View::Trimap, View::Confidence, View::Status, View::Matte];
    let mut all: Vec<MatteSettings> =
        views.map(|view| MatteSettings { view, trimap_px: 4.0, ..everything() }).to_vec();
    all.push(MatteSettings {
        background: Background::BlurredPlate,
        background_blur_px: 2.0,
        ..plain.clone()
    });
    all.push(MatteSettings { grow_px: 8.0, ..plain.clone() });
    all.push(MatteSettings { decontaminate: 50.0, view: View::Cutout, ..plain });
    for format in [Rgb8, RgbaF32] {
        let plate = noise(Host::new(at, format, 4), 1);
        for settings in &all {
            let mask = Mask::Logits(Logits::new(size(200, 150), &logits).unwrap());
            let near = [-2, -1, 1, 2].map(|frame| Neighbour { frame, mask });
            let layers = [Layer { neighbours: &near, ..Layer::new(mask) }; 2];
            let job = MatteJob::new(plate.view(), &layers, settings);
            let mut result = Host::new(at, format, 4);
            let smallest = least(&job, &result);
            for ceiling in [smallest * 3, 2 << 30] {
                let ceiling = smallest.max(ceiling);
                let mut chain = within(Gpu::Off, ceiling);
                let before = HELD.load(Ordering::Relaxed);
                PEAK.store(before, Ordering::Relaxed);
                chain.render(&job, result.view_mut()).unwrap();
                let most = PEAK.load(Ordering::Relaxed) - before;
                assert!(most as u64 <= ceiling, "{most} bytes of {ceiling}: {format:?}, {settings:?}");
            }
        }
    }
}

#[test]
fn a_stage_that_comes_and_goes_finds_its_memory_again() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let at = size(400, 300);
    let (plate, logits) = (noise(Host::new(at, Rgba8, 0), 1), round_logits(size(32, 32)));
    let layers = [Layer::new(Mask::Logits(Logits::new(size(32, 32), &logits).unwrap()))];
    let on = MatteSettings { grow_px: 5.0, refine_px: 12.0, ..MatteSettings::default() };
    let off = MatteSettings { background: Background::BlurredPlate, ..MatteSettings::default() };
    let mut result = Host::new(at, Rgba8, 0);
    let mut chain = MatteChain::open(Gpu::Off).unwrap();
    let mut allocated = |settings: &MatteSettings| {
        let job = MatteJob::new(plate.view(), &layers, settings);
        let before = HELD.load(Ordering::Relaxed);
        PEAK.store(before, Ordering::Relaxed);
        chain.render(&job, result.view_mut()).unwrap();
        PEAK.load(Ordering::Relaxed) - before
    };
    let first = allocated(&on);
    assert!(first > 20 * at.area_px(), "{first}");
    allocated(&off);
    // Lines and tables, but no plane.
    for settings in [&on, &off, &on] {
        let again = allocated(settings);
        assert!(again < at.area_px(), "{again}");
    }
}

#[test]
fn a_gpu_keeps_to_its_ceiling_and_the_cpu_does_what_does_not_fit() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let at = size(161, 129);
    let (plate, logits) = (noise(Host::new(at, Rgba8, 5), 1), round_logits(size(32, 32)));
    let settings = everything();
    let layers = [Layer::new(Mask::Logits(Logits::new(size(32, 32), &logits).unwrap()))];
    let job = MatteJob::new(plate.view(), &layers, &settings);
    let mut whole = Host::new(at, Rgba8, 0);
    MatteChain::open(Gpu::Off).unwrap().render(&job, whole.view_mut()).unwrap();
    for device_bytes in [1, 2 << 20, 4 << 20, 1 << 30] {
        let ceiling = Ceiling { device_bytes, ..Ceiling::default() };
        let mut chain = match MatteChain::open_within(Gpu::Software, ceiling) {
            Ok(chain) => chain,
            Err(problem) if std::env::var_os("ROTOMASK_REQUIRE_GPU").is_some_and(|v| v == "1") => {
                panic!("ROTOMASK_REQUIRE_GPU=1, and there is no software adapter: {problem}")
            }
            Err(problem) => return eprintln!("SKIPPED, NOT CHECKED: a GPU's ceiling ({problem})"),
        };
        for _ in 0..2 {
            let mut result = Host::new(at, Rgba8, 0);
            chain.render(&job, result.view_mut()).unwrap();
            assert!(result.bytes == whole.bytes, "{device_bytes}");
        }
        assert_eq!(chain.device().kind, DeviceKind::Software);
    }
}
