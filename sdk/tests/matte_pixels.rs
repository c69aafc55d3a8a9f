//! The same picture in every depth, order of channels and window.

#![allow(clippy::unwrap_used)]

mod matte_common;

use matte_common::{Host, noise, round_logits, size};
use rotomask::frame::{Depth, PixelFormat, channel, premultiply_row};
use rotomask::matte::{
    Background, Gpu, Layer, Logits, Mask, MatteChain, MatteJob, MatteSettings, Transfer, View, Window,
};

const COLOURS: [[PixelFormat; 3]; 4] = [
    [PixelFormat::Rgba8, PixelFormat::Bgra8, PixelFormat::Rgb8],
    [PixelFormat::Rgba16, PixelFormat::Bgra16, PixelFormat::Rgb16],
    [PixelFormat::RgbaF16, PixelFormat::BgraF16, PixelFormat::RgbF16],
    [PixelFormat::RgbaF32, PixelFormat::BgraF32, PixelFormat::RgbF32],
];

fn chains() -> Vec<MatteChain> {
    let mut chains = vec![MatteChain::open(Gpu::Off).unwrap()];
    match MatteChain::open(Gpu::Software) {
        Ok(chain) => chains.push(chain),
        Err(problem) if std::env::var_os("ROTOMASK_REQUIRE_GPU").is_some_and(|v| v == "1") => {
            panic!("ROTOMASK_REQUIRE_GPU=1, and there is no software adapter: {problem}")
        }
        Err(problem) => eprintln!("SKIPPED, NOT CHECKED: depths on a GPU ({problem})"),
    }
    chains
}

fn settings(view: View, background: Background) -> MatteSettings {
    MatteSettings {
        view,
        background,
        background_blur_px: 7.0,
        background_colour: [0.3, 0.9, 0.1, 1.0],
        smooth_px: 3.5,
        feather_inner_px: 1.0,
        feather_outer_px: 9.0,
        grow_px: 2.0,
        decontaminate: 60.0,
        trimap_px: 6.0,
        ..MatteSettings::default()
    }
}

/// A picture of 8 bits in another format, channel by channel.
fn converted(from: &Host, to: PixelFormat) -> Host {
    let format = from.layout.format;
    let mut host = Host::new(from.layout.size, to, 8);
    for y in 0..from.layout.size.height() {
        for x in 0..from.layout.size.width() {
            let pixel = from.pixel(x, y).to_vec();
            let rgb = format.rgb_offsets().unwrap().map(|i| pixel[i]);
            let alpha = format.alpha_offset().map_or(255, |i| pixel[i]);
            let bytes = to.depth().bytes();
            let row = host.view_mut().layout().format.bytes_per_pixel() * x;
            let mut put = |i: usize, v: u8| {
                let part = f32::from(v) / 255.0;
                let code: Vec<u8> = match to.depth() {
                    Depth::U8 => vec![v],
                    Depth::U16 => (u16::from(v) * 257).to_ne_bytes().to_vec(),
                    Depth::F16 => half::f16::from_f32(part).to_ne_bytes().to_vec(),
                    Depth::F32 => part.to_ne_bytes().to_vec(),
                };
                host.view_mut().row_mut(y)[row + i * bytes..][..bytes].copy_from_slice(&code);
            };
            to.rgb_offsets().unwrap().into_iter().zip(rgb).for_each(|(i, v)| put(i, v));
            to.alpha_offset().into_iter().for_each(|i| put(i, alpha));
        }
    }
    host
}

#[test]
fn every_depth_and_order_of_channels_shows_the_same_picture_on_either_side() {
    let (at, mask) = (size(61, 43), size(24, 24));
    let (plate, values) = (noise(Host::new(at, PixelFormat::Rgb8, 0), 3), round_logits(mask));
    let layers = [Layer::new(Mask::Logits(Logits::new(mask, &values).unwrap()))];
    for (view, background) in [
        (View::Composite, Background::Colour),
        (View::Composite, Background::BlurredPlate),
        (View::Cutout, Background::Colour),
        (View::Overlay, Background::Colour),
        (View::Confidence, Background::Colour),
    ] {
        let settings = settings(view, background);
        let mut first: Option<Vec<f32>> = None;
        for format in COLOURS.into_iter().flatten() {
            let plate = converted(&plate, format);
            for chain in &mut chains() {
                let mut result = Host::new(at, format, -16);
                chain.render(&MatteJob::new(plate.view(), &layers, &settings), result.view_mut()).unwrap();
                let mut found = Vec::new();
                for y in 0..at.height() {
                    for x in 0..at.width() {
                        let pixel = result.pixel(x, y);
                        found
                            .extend(format.rgb_offsets().unwrap().map(|i| channel(pixel, format.depth(), i)));
                    }
                }
                let want = first.get_or_insert_with(|| found.clone());
                // A code of 8 bits, or a half's last bit.
                let worst = want.iter().zip(&found).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
                assert!(worst < 0.0045, "{format:?} {view:?} {background:?} {:?}: {worst}", chain.device());
            }
        }
    }
}

#[test]
fn floats_agree_to_a_ten_thousandth_on_either_side_beyond_black_and_white_too() {
    let chains = &mut chains();
    let [cpu, gpu] = &mut chains[..] else { return };
    let (at, mask) = (size(97, 33), size(24, 24));
    let values = round_logits(mask);
    let layers = [Layer::new(Mask::Logits(Logits::new(mask, &values).unwrap()))];
    let mut plate = Host::new(at, PixelFormat::RgbaF32, 0);
    for (i, four) in plate.bytes.chunks_exact_mut(4).enumerate() {
        let value = if i % 4 == 3 { 1.0 } else { ((i * 7919) % 257) as f32 / 64.0 - 1.0 };
        four.copy_from_slice(&value.to_ne_bytes());
    }
    for transfer in [Transfer::Srgb, Transfer::Rec709, Transfer::Linear] {
        for background in [Background::Colour, Background::BlurredPlate] {
            let settings = MatteSettings { transfer, ..settings(View::Composite, background) };
            let job = MatteJob::new(plate.view(), &layers, &settings);
            let (mut a, mut b) = (plate.clone(), plate.clone());
            cpu.render(&job, a.view_mut()).unwrap();
            gpu.render(&job, b.view_mut()).unwrap();
            for i in 0..at.area_px() * 4 {
                let [a, b] = [&a, &b].map(|host| channel(&host.bytes, Depth::F32, i));
                assert!((a - b).abs() <= 1e-4 * a.abs().max(1.0), "{transfer:?} {background:?} {i}: {a} {b}");
            }
        }
    }
}

#[test]
fn codes_multiplied_on_the_way_are_those_of_the_straight_result_times_its_alpha() {
    let (at, mask) = (size(65, 33), size(24, 24));
    let values = round_logits(mask);
    let layers = [Layer::new(Mask::Logits(Logits::new(mask, &values).unwrap()))];
    for format in [PixelFormat::Rgba8, PixelFormat::Bgra16, PixelFormat::RgbaF16, PixelFormat::RgbaF32] {
        let plate = noise(Host::new(at, format, 4), 3);
        for view in [View::Cutout, View::Erase, View::Matte] {
            let settings = settings(view, Background::Plate);
            let job = MatteJob::new(plate.view(), &layers, &settings);
            for chain in &mut chains() {
                let (mut straight, mut multiplied) = (Host::new(at, format, 0), Host::new(at, format, -7));
                chain.render(&job, straight.view_mut()).unwrap();
                let job = MatteJob { multiplies_codes: true, ..job };
                chain.render(&job, multiplied.view_mut()).unwrap();
                for y in 0..at.height() {
                    let mut want = straight.view().row(y).to_vec();
                    premultiply_row(&mut want, format);
                    assert_eq!(multiplied.view().row(y), want, "{format:?} {view:?}, row {y}");
                }
            }
        }
    }
}

#[test]
fn a_window_shows_what_the_whole_frame_shows_there() {
    let (at, mask) = (size(401, 299), size(24, 24));
    let (plate, values) = (noise(Host::new(at, PixelFormat::Rgba8, 4), 3), round_logits(mask));
    let layers = [Layer::new(Mask::Logits(Logits::new(mask, &values).unwrap()))];
    for view in [View::Composite, View::Matte, View::Edge, View::Trimap, View::Confidence, View::Status] {
        let settings = settings(view, Background::BlurredPlate);
        let whole = MatteJob::new(plate.view(), &layers, &settings);
        for chain in &mut chains() {
            let mut all = Host::new(at, PixelFormat::Rgba8, 0);
            chain.render(&whole, all.view_mut()).unwrap();
            for (x_px, y_px, part) in [
                (0, 0, size(401, 299)),
                (150, 97, size(33, 41)),
                (400, 298, size(1, 1)),
                (5, 200, size(390, 99)),
            ] {
                let window = Some(Window { x_px, y_px, size: part });
                let mut result = Host::new(part, PixelFormat::Rgba8, -7);
                chain.render(&MatteJob { window, ..whole }, result.view_mut()).unwrap();
                for y in 0..part.height() {
                    let want = &all.view().row(y_px as usize + y)[x_px as usize * 4..][..part.width() * 4];
                    assert_eq!(result.view().row(y), want, "{view:?} at {x_px}, {y_px}, row {y}");
                }
            }
        }
    }
}
