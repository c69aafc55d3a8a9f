//! The GPU's kernels and their CPU twins give the same bytes.
//!
//! These need a software adapter (Mesa's lavapipe). Without one they say so and check nothing; with
//! `ROTOMASK_REQUIRE_GPU=1` in the environment its absence is a failure.

#![allow(clippy::unwrap_used)]

mod matte_common;

use matte_common::{Host, noise, round_logits, size};
use rotomask::frame::PixelFormat::{self, Bgra8, Gray8, GrayF32, Rgb8, Rgba8};
use rotomask::matte::{
    Alpha, Background, DeviceKind, Gpu, Logits, MatteChain, MatteJob, MatteSettings, View,
};

/// A chain on the software adapter, or `None` after saying so.
fn software() -> Option<MatteChain> {
    match MatteChain::open(Gpu::Software) {
        Ok(chain) => Some(chain),
        Err(problem) if std::env::var_os("ROTOMASK_REQUIRE_GPU").is_some_and(|v| v == "1") => {
            panic!("ROTOMASK_REQUIRE_GPU=1, and there is no software adapter: {problem}")
        }
        Err(problem) => {
            eprintln!("SKIPPED, NOT CHECKED: GPU against CPU twins ({problem})");
            None
        }
    }
}

struct Pair {
    gpu: MatteChain,
    cpu: MatteChain,
}

impl Pair {
    fn open() -> Option<Self> {
        let gpu = software()?;
        assert_eq!(gpu.device().kind, DeviceKind::Software);
        let cpu = MatteChain::open(Gpu::Off).unwrap();
        assert_eq!(cpu.device().kind, DeviceKind::Twins);
        Some(Self { gpu, cpu })
    }

    /// Renders over the same bytes on both; padding counts too.
    fn agree(&mut self, job: &MatteJob<'_>, result: &Host, what: &str) {
        let (mut on_gpu, mut on_cpu) = (result.clone(), result.clone());
        self.gpu.render(job, on_gpu.view_mut()).unwrap();
        self.cpu.render(job, on_cpu.view_mut()).unwrap();
        assert_eq!(self.gpu.device().kind, DeviceKind::Software, "{what}: the GPU gave up");
        if let Some(at) = (0..on_cpu.bytes.len()).find(|i| on_gpu.bytes[*i] != on_cpu.bytes[*i]) {
            let different = on_gpu.bytes.iter().zip(&on_cpu.bytes).filter(|(a, b)| a != b).count();
            panic!(
                "{what}: byte {at} is {} on the GPU and {} on the CPU; {different} bytes of {} differ",
                on_gpu.bytes[at],
                on_cpu.bytes[at],
                on_cpu.bytes.len()
            );
        }
    }
}

const PLAIN: MatteSettings = MatteSettings {
    view: View::Composite,
    background: Background::Colour,
    alpha: Alpha::Straight,
    grow_px: 0.0,
    feather_px: 0.0,
    background_blur_px: 0.0,
    background_colour: [0.2, 0.7, 0.4, 0.6],
    overlay_colour: [0.9, 0.1, 0.2, 0.5],
};

/// Width, height, padding; below 0 the bottom row lies first in memory.
const FRAMES: [(u32, u32, isize); 8] =
    [(1, 1, 0), (1, 37, 5), (41, 1, 3), (3, 2, 0), (65, 33, 7), (97, 129, -13), (301, 67, -1), (130, 131, 0)];

#[test]
fn every_stage_agrees_on_every_shape_of_frame() {
    let Some(mut pair) = Pair::open() else { return };
    let edges =
        [(0.0, 0.0), (2.3, 0.0), (-1.7, 0.0), (0.0, 2.0), (40.0, 0.0), (-64.0, 3.5), (0.4, 5.9), (0.0, 64.0)];
    for (w, h, padding) in FRAMES {
        let at = size(w, h);
        let plate = noise(Host::new(at, Rgba8, padding), 1);
        for mask in [size(1, 1), size(16, 16), size(7, 23), size(200, 150)] {
            let values = round_logits(mask);
            for (grow_px, feather_px) in edges {
                let settings = MatteSettings { view: View::Matte, grow_px, feather_px, ..PLAIN };
                let logits = Logits::new(mask, &values).unwrap();
                let job = MatteJob { plate: plate.view(), logits, picture: None, settings: &settings };
                let what = format!("{w}x{h}, logits {mask}, grow {grow_px}, feather {feather_px}");
                // The same bytes of f32 are the same numbers, which is more than 1e-4 asks.
                pair.agree(&job, &Host::new(at, GrayF32, padding), &what);
            }
        }
    }
}

#[test]
fn every_view_and_background_agrees_in_every_format() {
    let Some(mut pair) = Pair::open() else { return };
    let formats: [(PixelFormat, PixelFormat, PixelFormat); 4] =
        [(Rgba8, Rgb8, Bgra8), (Bgra8, Rgba8, Rgba8), (Rgb8, Bgra8, Bgra8), (Rgb8, Rgb8, Rgba8)];
    let mut shows = vec![];
    for view in [View::Overlay, View::Cutout, View::Matte] {
        shows.push((view, Background::Colour, 0.0));
    }
    for background in [Background::Colour, Background::Picture] {
        shows.push((View::Composite, background, 0.0));
    }
    for blur in [0.0, 1.3, 2.99, 20.0, 64.0] {
        shows.push((View::Composite, Background::BlurredPlate, blur));
    }
    let mask = size(24, 24);
    let values = round_logits(mask);
    for (w, h, padding) in FRAMES {
        for (plate, picture, result) in formats {
            let at = size(w, h);
            let plate = noise(Host::new(at, plate, padding), 2);
            let picture = noise(Host::new(at, picture, -padding), 3);
            let result = noise(Host::new(at, result, padding), 4);
            for &(view, background, background_blur_px) in &shows {
                for alpha in [Alpha::Straight, Alpha::Premultiplied] {
                    let settings = MatteSettings {
                        view,
                        background,
                        alpha,
                        background_blur_px,
                        feather_px: 3.0,
                        ..PLAIN
                    };
                    let job = MatteJob {
                        plate: plate.view(),
                        logits: Logits::new(mask, &values).unwrap(),
                        picture: Some(picture.view()),
                        settings: &settings,
                    };
                    pair.agree(&job, &result, &format!("{w}x{h}, {settings:?}"));
                }
            }
        }
    }
}

#[test]
fn one_pair_of_chains_agrees_through_changing_sizes_and_noisy_logits() {
    let Some(mut pair) = Pair::open() else { return };
    for round in 0..12u32 {
        let at = size(20 + 37 * (round % 5), 11 + 29 * (round % 7));
        let mask = size(8 + 13 * (round % 4), 64 - 5 * (round % 9));
        let values: Vec<f32> = (0..mask.area_px() as u32)
            .map(|i| {
                let bits =
                    (i ^ (round << 20)).wrapping_mul(0x9E37_79B9).rotate_left(13).wrapping_mul(0x85EB_CA6B);
                (bits >> 8) as f32 / (1 << 24) as f32 * 44.0 - 22.0
            })
            .collect();
        let plate = noise(Host::new(at, Rgb8, 3), round + 9);
        let settings = MatteSettings {
            grow_px: round as f32 * 0.9 - 5.0,
            feather_px: round as f32 * 0.7,
            background: if round % 2 == 0 { Background::BlurredPlate } else { Background::Colour },
            background_blur_px: round as f32,
            ..PLAIN
        };
        let logits = Logits::new(mask, &values).unwrap();
        let job = MatteJob { plate: plate.view(), logits, picture: None, settings: &settings };
        pair.agree(&job, &Host::new(at, Rgba8, 0), &format!("round {round}"));
    }
}

#[test]
fn a_grey_matte_agrees_in_eight_bits() {
    let Some(mut pair) = Pair::open() else { return };
    let (at, mask) = (size(333, 187), size(64, 64));
    let (plate, values) = (noise(Host::new(at, Bgra8, 12), 5), round_logits(mask));
    for feather_px in [0.0, 1.0, 13.0] {
        let settings = MatteSettings { view: View::Matte, feather_px, ..PLAIN };
        let logits = Logits::new(mask, &values).unwrap();
        let job = MatteJob { plate: plate.view(), logits, picture: None, settings: &settings };
        pair.agree(&job, &Host::new(at, Gray8, -3), &format!("feather {feather_px}"));
    }
}
