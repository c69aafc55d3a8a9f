//! The GPU's kernels and their CPU twins give the same bytes.
//!
//! These need a software adapter (Mesa's lavapipe). Without one they say so and check nothing; with
//! `ROTOMASK_REQUIRE_GPU=1` in the environment its absence is a failure.

#![allow(clippy::unwrap_used)]

mod matte_common;

use matte_common::{Host, noise, round_logits, size};
use rotomask::frame::PixelFormat::{self, Bgra8, Gray8, GrayF32, Rgb8, Rgba8};
use rotomask::frame::Size;
use rotomask::matte::{
    Alpha, Background, Combine, DeviceKind, Gpu, Layer, Logits, Mask, MatteChain, MatteJob, MatteSettings,
    Neighbour, Transfer, View,
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

    /// The same for coverage that was found in a plate of more than 8 bits, whose light the two calculate with their own
    /// powers: 32-bit results differ by less than 1e-4, and the few 8-bit ones that such a difference rounds otherwise by
    /// one code.
    fn agree_nearly(&mut self, job: &MatteJob<'_>, at: Size, what: &str) {
        let [mut on_gpu, mut on_cpu] = [(); 2].map(|()| Host::new(at, GrayF32, 0));
        self.gpu.render(job, on_gpu.view_mut()).unwrap();
        self.cpu.render(job, on_cpu.view_mut()).unwrap();
        for y in 0..at.height() {
            for x in 0..at.width() {
                let (gpu, cpu) = (on_gpu.float(x, y), on_cpu.float(x, y));
                assert!((gpu - cpu).abs() < 1e-4, "{what}: {x},{y}: {gpu} on the GPU and {cpu} on the CPU");
            }
        }
        let [mut on_gpu, mut on_cpu] = [(); 2].map(|()| Host::new(at, Gray8, 3));
        self.gpu.render(job, on_gpu.view_mut()).unwrap();
        self.cpu.render(job, on_cpu.view_mut()).unwrap();
        let pairs = on_gpu.bytes.iter().zip(&on_cpu.bytes);
        let different: Vec<_> = pairs.filter(|(a, b)| a != b).collect();
        assert!(different.iter().all(|(a, b)| a.abs_diff(**b) == 1), "{what}: {different:?}");
        assert!(different.len() * 2000 <= on_cpu.bytes.len().max(2000), "{what}: {} differ", different.len());
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

fn plain() -> MatteSettings {
    MatteSettings {
        feather_inner_px: 0.0,
        feather_outer_px: 0.0,
        background_blur_px: 0.0,
        trimap_px: 7.5,
        background_colour: [0.2, 0.7, 0.4, 0.6],
        overlay_colour: [0.9, 0.1, 0.2, 0.5],
        ..MatteSettings::default()
    }
}

fn feathered(px: f32) -> MatteSettings {
    MatteSettings { feather_inner_px: px, feather_outer_px: px, ..plain() }
}

fn added(logits: Logits<'_>) -> [Layer<'_>; 1] {
    [Layer::new(Mask::Logits(logits))]
}

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
                let settings = MatteSettings { view: View::Matte, grow_px, ..feathered(feather_px) };
                let layers = added(Logits::new(mask, &values).unwrap());
                let job = MatteJob::new(plate.view(), &layers, &settings);
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
    for view in [
        View::Overlay,
        View::Cutout,
        View::Matte,
        View::Erase,
        View::Edge,
        View::Trimap,
        View::Confidence,
        View::Status,
    ] {
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
                    let settings =
                        MatteSettings { view, background, alpha, background_blur_px, ..feathered(3.0) };
                    let layers = added(Logits::new(mask, &values).unwrap());
                    let job = MatteJob {
                        picture: Some(picture.view()),
                        ..MatteJob::new(plate.view(), &layers, &settings)
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
            background: if round % 2 == 0 { Background::BlurredPlate } else { Background::Colour },
            background_blur_px: round as f32,
            ..feathered(round as f32 * 0.7)
        };
        let layers = added(Logits::new(mask, &values).unwrap());
        let job = MatteJob::new(plate.view(), &layers, &settings);
        pair.agree(&job, &Host::new(at, Rgba8, 0), &format!("round {round}"));
    }
}

#[test]
fn a_grey_matte_agrees_in_eight_bits() {
    let Some(mut pair) = Pair::open() else { return };
    let (at, mask) = (size(333, 187), size(64, 64));
    let (plate, values) = (noise(Host::new(at, Bgra8, 12), 5), round_logits(mask));
    for feather_px in [0.0, 1.0, 13.0] {
        let settings = MatteSettings { view: View::Matte, ..feathered(feather_px) };
        let layers = added(Logits::new(mask, &values).unwrap());
        let job = MatteJob::new(plate.view(), &layers, &settings);
        pair.agree(&job, &Host::new(at, Gray8, -3), &format!("feather {feather_px}"));
    }
}

#[test]
fn every_shaping_parameter_agrees_alone_and_with_the_others() {
    let Some(mut pair) = Pair::open() else { return };
    let base = MatteSettings { view: View::Matte, ..plain() };
    let all = [
        MatteSettings { clean_black: 20.0, clean_white: 35.0, ..base.clone() },
        MatteSettings { smooth_px: 0.8, ..base.clone() },
        MatteSettings { smooth_px: 7.5, ..base.clone() },
        MatteSettings { fill_holes_px2: 900.0, remove_specks_px2: 300.0, ..base.clone() },
        MatteSettings { feather_inner_px: 6.0, feather_falloff: 2.0, ..base.clone() },
        MatteSettings { feather_outer_px: 9.0, invert: true, ..base.clone() },
        MatteSettings { refine_px: 5.0, ..base.clone() },
        MatteSettings { refine_px: 25.0, refine_softness: 0.0, ..base.clone() },
        MatteSettings { refine_px: 80.0, refine_strength: 60.0, refine_softness: 100.0, ..base.clone() },
        MatteSettings { dechatter: 100.0, ..base.clone() },
        MatteSettings { dechatter: 60.0, dechatter_px: 16.0, ..base.clone() },
        MatteSettings { motion_blur: 180.0, ..base.clone() },
        MatteSettings { motion_blur: 720.0, feather_outer_px: 3.0, ..base.clone() },
        MatteSettings {
            dechatter: 80.0,
            refine_px: 9.0,
            motion_blur: 360.0,
            clean_black: 5.0,
            grow_px: -2.5,
            smooth_px: 2.0,
            feather_inner_px: 1.0,
            feather_outer_px: 4.0,
            invert: true,
            ..base
        },
    ];
    for (w, h, padding) in FRAMES {
        let at = size(w, h);
        let (plate, mask) = (noise(Host::new(at, Rgb8, padding), 1), size(48, 48));
        let values = round_logits(mask);
        let moved: Vec<Vec<f32>> = (1..5)
            .map(|by| (0..values.len()).map(|i| values[(i + 2 * by) % values.len()]).collect())
            .collect();
        let around = |i: usize| Mask::Logits(Logits::new(mask, &moved[i]).unwrap());
        let neighbours = [-2, 1, 2, -1].into_iter().enumerate();
        let neighbours: Vec<_> = neighbours.map(|(i, frame)| Neighbour { frame, mask: around(i) }).collect();
        for settings in &all {
            let [layer] = added(Logits::new(mask, &values).unwrap());
            let layers = [Layer { neighbours: &neighbours, ..layer }];
            for scale in [glam::DVec2::ONE, glam::DVec2::new(0.5, 0.25), glam::DVec2::new(2.0, 1.0)] {
                let job = MatteJob { scale, ..MatteJob::new(plate.view(), &layers, settings) };
                let what = format!("{w}x{h}, {scale}, {settings:?}");
                pair.agree(&job, &Host::new(at, GrayF32, padding), &what);
            }
        }
    }
}

#[test]
fn objects_combined_and_limited_by_the_hosts_mattes_agree() {
    let Some(mut pair) = Pair::open() else { return };
    let at = size(97, 61);
    let plate = noise(Host::new(at, Rgba8, 5), 1);
    let (first, second) = (round_logits(size(16, 16)), round_logits(size(31, 9)));
    let (soft, garbage) = (noise(Host::new(at, Gray8, 3), 5), noise(Host::new(at, GrayF32, 0), 6));
    let settings = MatteSettings { view: View::Matte, holdout_invert: true, ..feathered(2.0) };
    let ops =
        [Combine::Add, Combine::Subtract, Combine::Intersect, Combine::Min, Combine::Max, Combine::Multiply];
    for combine in ops {
        for keep in [false, true] {
            let layers = [
                Layer { keep, ..Layer::new(Mask::Logits(Logits::new(size(16, 16), &first).unwrap())) },
                Layer { combine, ..Layer::new(Mask::Coverage(soft.view())) },
                Layer { combine, ..Layer::new(Mask::Logits(Logits::new(size(31, 9), &second).unwrap())) },
            ];
            let job = MatteJob {
                garbage: Some(garbage.view()),
                holdout: Some(plate.view()),
                ..MatteJob::new(plate.view(), &layers, &settings)
            };
            pair.agree(&job, &Host::new(at, Gray8, -3), &format!("{combine:?} {keep}"));
        }
    }
}

#[test]
fn the_subjects_colour_agrees_in_eight_bits() {
    let Some(mut pair) = Pair::open() else { return };
    let (at, mask) = (size(131, 67), size(24, 24));
    let (plate, picture) = (noise(Host::new(at, Rgba8, 4), 2), noise(Host::new(at, Rgb8, 0), 3));
    let values = round_logits(mask);
    for background in [Background::Colour, Background::Picture, Background::BlurredPlate, Background::Plate] {
        for view in [View::Composite, View::Cutout] {
            let settings = MatteSettings {
                view,
                background,
                background_blur_px: 5.0,
                decontaminate: 80.0,
                decontaminate_px: 9.0,
                despill: rotomask::matte::Despill::Green,
                despill_strength: 70.0,
                light_wrap: 60.0,
                light_wrap_px: 20.0,
                transfer: Transfer::Rec709,
                ..feathered(4.0)
            };
            let layers = added(Logits::new(mask, &values).unwrap());
            let job =
                MatteJob { picture: Some(picture.view()), ..MatteJob::new(plate.view(), &layers, &settings) };
            pair.agree(&job, &Host::new(at, Rgba8, 0), &format!("{settings:?}"));
        }
    }
}

#[test]
fn an_edge_found_in_plates_of_every_depth_agrees() {
    let Some(mut pair) = Pair::open() else { return };
    let (at, mask) = (size(131, 67), size(12, 12));
    let values = round_logits(mask);
    for format in [Bgra8, Rgb8, PixelFormat::Rgba16, PixelFormat::BgraF16, PixelFormat::RgbaF32] {
        for transfer in [Transfer::Srgb, Transfer::Rec709, Transfer::Linear] {
            let plate = noise(Host::new(at, format, 4), 2);
            let settings = MatteSettings { view: View::Matte, refine_px: 14.0, transfer, ..plain() };
            let layers = added(Logits::new(mask, &values).unwrap());
            let job = MatteJob::new(plate.view(), &layers, &settings);
            let what = format!("{format:?} {transfer:?}");
            if matches!(format, Bgra8 | Rgb8) {
                pair.agree(&job, &Host::new(at, GrayF32, 4), &what);
            } else {
                pair.agree_nearly(&job, at, &what);
            }
        }
    }
}
