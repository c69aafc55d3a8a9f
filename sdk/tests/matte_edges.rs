//! What the matte's edge looks like, on the CPU's twins; `matte_twins.rs` holds the GPU to the same bytes.

#![allow(clippy::unwrap_used)]

mod matte_common;

use matte_common::{Host, PADDING, noise, size};
use rotomask::frame::PixelFormat::{Bgra8, Gray8, GrayF32, Rgb8, Rgba8, RgbaF32};
use rotomask::frame::Size;
use rotomask::matte::{
    Alpha, Background, Gpu, Layer, Logits, Mask, MatteChain, MatteJob, MatteSettings, View,
};

fn hard(view: View) -> MatteSettings {
    feathered(view, 0.0)
}

fn feathered(view: View, px: f32) -> MatteSettings {
    MatteSettings { view, feather_inner_px: px, feather_outer_px: px, ..Default::default() }
}

fn added(logits: Logits<'_>) -> [Layer<'_>; 1] {
    [Layer::new(Mask::Logits(logits))]
}

/// Distance of every sample to a disk's rim in plate pixels, read as logits.
fn disk(plate: Size, mask: Size, centre: [f64; 2], radius_px: f64) -> Vec<f32> {
    let step = [plate.width() as f64 / mask.width() as f64, plate.height() as f64 / mask.height() as f64];
    (0..mask.area_px())
        .map(|i| {
            let x = ((i % mask.width()) as f64 + 0.5) * step[0] - centre[0];
            let y = ((i / mask.width()) as f64 + 0.5) * step[1] - centre[1];
            ((radius_px - x.hypot(y)) * 0.1) as f32
        })
        .collect()
}

fn coverage(plate: Size, mask: Size, values: &[f32], settings: &MatteSettings) -> Host {
    let host = Host::new(plate, Rgb8, 0);
    let mut result = Host::new(plate, GrayF32, 0);
    let layers = added(Logits::new(mask, values).unwrap());
    let job = MatteJob::new(host.view(), &layers, settings);
    MatteChain::open(Gpu::Off).unwrap().render(&job, result.view_mut()).unwrap();
    result
}

fn worst_distance(result: &Host, centre: [f64; 2], radius_px: f64) -> f64 {
    let at = result.layout.size;
    let mut worst = 0.0f64;
    for y in 0..at.height() {
        for x in 0..at.width() {
            let away = (x as f64 + 0.5 - centre[0]).hypot(y as f64 + 0.5 - centre[1]);
            let want = (0.5 + radius_px - away).clamp(0.0, 1.0);
            worst = worst.max((f64::from(result.float(x, y)) - want).abs());
        }
    }
    worst
}

#[test]
fn a_coarse_disk_becomes_a_round_one_with_an_edge_one_pixel_wide() {
    // Five by three plate pixels a logit, wide and odd; any stair would be off by pixels.
    let (plate, mask, centre) = (size(321, 193), size(64, 64), [163.3, 92.6]);
    let values = disk(plate, mask, centre, 61.7);
    let worst = worst_distance(&coverage(plate, mask, &values, &hard(View::Matte)), centre, 61.7);
    assert!(worst < 0.03, "{worst}");
}

#[test]
fn the_edge_is_as_sharp_for_hesitant_logits() {
    let (plate, mask, centre) = (size(201, 201), size(40, 40), [100.0, 100.5]);
    let values: Vec<f32> = disk(plate, mask, centre, 50.0).iter().map(|v| v * 0.05).collect();
    let worst = worst_distance(&coverage(plate, mask, &values, &hard(View::Matte)), centre, 50.0);
    assert!(worst < 0.05, "{worst}");
}

#[test]
fn grown_and_shrunk_disks_stay_round_to_a_tenth_of_a_pixel() {
    let (plate, mask, centre) = (size(223, 181), size(96, 96), [111.2, 90.7]);
    let values = disk(plate, mask, centre, 45.0);
    for grow_px in [0.3f32, 1.0, 2.5, 17.25, 40.0, -0.4, -3.0, -21.5] {
        let settings = MatteSettings { grow_px, ..hard(View::Matte) };
        let radius = 45.0 + f64::from(grow_px);
        let worst = worst_distance(&coverage(plate, mask, &values, &settings), centre, radius);
        assert!(worst < 0.1, "{grow_px}: {worst}");
    }
}

#[test]
fn growing_a_straight_edge_by_a_fraction_moves_it_by_that_fraction() {
    let plate = size(40, 9);
    let values: Vec<f32> = (0..plate.area_px()).map(|i| 20.25 - ((i % 40) as f32 + 0.5)).collect();
    for grow_px in [0.0f32, 0.25, 1.5, -2.75, 7.0] {
        let settings = MatteSettings { grow_px, ..hard(View::Matte) };
        let result = coverage(plate, plate, &values, &settings);
        let area: f32 = (0..40).map(|x| result.float(x, 4)).sum();
        assert!((area - (20.25 + grow_px)).abs() < 0.01, "{grow_px}: {area}");
    }
}

#[test]
fn a_grown_corner_is_round() {
    let plate = size(120, 120);
    // A square whose corner lies at 60, 60, on the grid.
    let values: Vec<f32> = (0..plate.area_px()).map(|i| 60.0 - (i % 120).max(i / 120) as f32 - 0.5).collect();
    let result = coverage(plate, plate, &values, &MatteSettings { grow_px: 30.0, ..hard(View::Matte) });
    for (x, y) in [(60 + 21, 60 + 21), (60 + 26, 60 + 14), (60 + 14, 60 + 26)] {
        let away = (x as f32 + 0.5 - 60.0).hypot(y as f32 + 0.5 - 60.0);
        let want = (30.5 - away).clamp(0.0, 1.0);
        // The spline rounds the corner itself by a fraction of a pixel.
        assert!((result.float(x, y) - want).abs() < 0.35, "{x},{y}: {} {want}", result.float(x, y));
    }
    assert_eq!(result.float(60 + 24, 60 + 24), 0.0);
    assert_eq!(result.float(60 + 19, 60 + 19), 1.0);
}

#[test]
fn a_feather_is_symmetric_and_as_wide_as_it_says() {
    let plate = size(400, 5);
    let values: Vec<f32> = (0..plate.area_px()).map(|i| 200.0 - (i % 400) as f32 - 0.5).collect();
    for feather_px in [1.0f32, 2.0, 5.5, 6.5, 12.0, 30.0, 64.0] {
        let settings = feathered(View::Matte, feather_px);
        let result = coverage(plate, plate, &values, &settings);
        for away in 0..180 {
            let (left, right) = (result.float(199 - away, 2), result.float(200 + away, 2));
            assert!((left + right - 1.0).abs() < 2e-4, "{feather_px} at {away}: {left} {right}");
        }
        // Two deviations inside, 97.7 % are left. Below a few pixels there are too few samples to read it from.
        if feather_px < 4.0 {
            continue;
        }
        let at = 199.5 - feather_px;
        let (x, t) = (at.floor() as usize, at.fract());
        let inside = result.float(x, 2) * (1.0 - t) + result.float(x + 1, 2) * t;
        assert!((inside - 0.977).abs() < 0.012, "{feather_px}: {inside}");
    }
}

#[test]
fn an_object_that_is_gone_leaves_nothing() {
    let (plate, mask) = (size(97, 33), size(64, 64));
    let values = vec![-1024.0; mask.area_px()];
    for settings in [hard(View::Matte), MatteSettings { grow_px: 64.0, ..feathered(View::Matte, 64.0) }] {
        let result = coverage(plate, mask, &values, &settings);
        assert!(result.bytes.iter().all(|b| *b == 0));
    }
}

#[test]
fn a_mask_that_fills_the_frame_is_not_shrunk_from_its_border() {
    let (plate, mask) = (size(33, 21), size(8, 8));
    let settings = MatteSettings { grow_px: -5.0, ..feathered(View::Matte, 9.0) };
    let result = coverage(plate, mask, &[9.0; 64], &settings);
    for y in 0..21 {
        assert!((0..33).all(|x| result.float(x, y) == 1.0));
    }
}

#[test]
fn logits_that_are_no_numbers_count_as_outside() {
    let (plate, mask) = (size(64, 64), size(16, 16));
    let result = coverage(plate, mask, &[f32::NAN; 256], &hard(View::Matte));
    assert!(result.bytes.iter().all(|b| *b == 0));
    let result = coverage(plate, mask, &[f32::INFINITY; 256], &hard(View::Matte));
    assert!((0..64).all(|x| result.float(x, 40) == 1.0));
}

/// A frame in two halves: the subject's and the other.
fn halves(format: rotomask::frame::PixelFormat, settings: &MatteSettings, result: &mut Host) -> Host {
    let at = result.layout.size;
    let plate = noise(Host::new(at, format, 6), 7);
    let values: Vec<f32> =
        (0..at.area_px()).map(|i| if i % at.width() < at.width() / 2 { 9.0 } else { -9.0 }).collect();
    let layers = added(Logits::new(at, &values).unwrap());
    let job = MatteJob { picture: Some(plate.view()), ..MatteJob::new(plate.view(), &layers, settings) };
    MatteChain::open(Gpu::Off).unwrap().render(&job, result.view_mut()).unwrap();
    plate
}

#[test]
fn pixels_inside_and_outside_the_matte_pass_bit_exact() {
    let at = size(64, 5);
    for alpha in [Alpha::Straight, Alpha::Premultiplied] {
        let composite =
            MatteSettings { alpha, background_colour: [1.0, 0.0, 0.5, 1.0], ..hard(View::Composite) };
        let overlay = MatteSettings { alpha, ..hard(View::Overlay) };
        let picture = MatteSettings { background: Background::Picture, ..composite.clone() };
        for (settings, passes) in [(&composite, 0..31), (&overlay, 33..64), (&picture, 0..64)] {
            let mut result = Host::new(at, Rgba8, 0);
            let plate = halves(Rgb8, settings, &mut result);
            for x in passes {
                assert_eq!(result.pixel(x, 3)[..3], *plate.pixel(x, 3), "{settings:?} at {x}");
                assert_eq!(result.pixel(x, 3)[3], 255);
            }
        }
    }
    let mut result = Host::new(at, Bgra8, 0);
    let plate = halves(Bgra8, &hard(View::Cutout), &mut result);
    for x in 0..64 {
        assert_eq!(result.pixel(x, 2)[..3], plate.pixel(x, 2)[..3]);
        if x != 31 && x != 32 {
            assert_eq!(result.pixel(x, 2)[3], if x < 32 { plate.pixel(x, 2)[3] } else { 0 });
        }
    }
}

#[test]
fn half_white_over_black_is_half_the_light_and_not_half_the_code() {
    let at = size(2, 2);
    let mut plate = Host::new(at, Rgb8, 0);
    plate.bytes.fill(255);
    // The contour goes through the left pixels' centres and covers them by half.
    let ramp = [0.0, 4.0, 0.0, 4.0];
    let settings = MatteSettings { background_colour: [0.0, 0.0, 0.0, 1.0], ..hard(View::Composite) };
    let mut result = Host::new(at, Rgba8, 0);
    let layers = added(Logits::new(at, &ramp).unwrap());
    let job = MatteJob::new(plate.view(), &layers, &settings);
    MatteChain::open(Gpu::Off).unwrap().render(&job, result.view_mut()).unwrap();
    assert_eq!(result.pixel(0, 0), [188, 188, 188, 255]);
    assert_eq!(result.pixel(1, 0), [255, 255, 255, 255]);
}

#[test]
fn padding_is_never_written_whatever_the_strides_sign() {
    for padding in [13isize, -13] {
        let mut result = Host::new(size(31, 4), Rgba8, padding);
        halves(Rgba8, &hard(View::Composite), &mut result);
        let untouched = result.bytes.chunks(31 * 4 + 13).filter_map(|row| row.get(31 * 4..));
        assert!(untouched.flatten().all(|b| *b == PADDING));
    }
}

#[test]
fn a_job_that_makes_no_sense_is_refused_and_the_result_untouched() {
    let (at, mask) = (size(9, 7), size(4, 4));
    let (plate, grey, small) =
        (Host::new(at, Rgb8, 0), Host::new(at, Gray8, 0), Host::new(size(9, 6), Rgb8, 0));
    let values = [1.0; 16];
    let logits = Logits::new(mask, &values).unwrap();
    let good = hard(View::Composite);
    let wild = MatteSettings { feather_inner_px: 65.0, ..good.clone() };
    let pictured = MatteSettings { background: Background::Picture, ..good.clone() };
    let multiplied = MatteSettings { alpha: Alpha::Premultiplied, ..good.clone() };
    let layers = added(logits);
    let job = MatteJob::new(plate.view(), &layers, &good);
    let torn = added(Logits { size: mask, values: &values[..15] });
    let cases = [
        (MatteJob { settings: &wild, ..job }, Rgba8, at, "feather_inner_px: found 65, expected 0 to 64 px"),
        (MatteJob { plate: grey.view(), ..job }, Rgba8, at, "the plate has Gray8 pixels, expected colour"),
        (
            MatteJob { layers: &torn, ..job },
            Rgba8,
            at,
            "layer 1: the logits have 15 values, expected 16 for 4x4",
        ),
        (job, Gray8, at, "the result has Gray8 pixels, expected colour for this view"),
        (job, RgbaF32, at, "the result has RgbaF32 pixels, expected the plate's depth, as in Rgb8"),
        (job, Rgba8, size(8, 7), "the result is 8x7, expected 9x7"),
        (
            MatteJob { settings: &pictured, ..job },
            Rgba8,
            at,
            "the background is a picture, and none is given",
        ),
        (
            MatteJob { settings: &pictured, picture: Some(small.view()), ..job },
            Rgba8,
            at,
            "the background picture is 9x6, expected 9x7",
        ),
        (
            MatteJob { settings: &multiplied, multiplies_codes: true, ..job },
            Rgba8,
            at,
            "its light and its codes are both to be multiplied by alpha, expected one of them",
        ),
    ];
    for (job, format, of, want) in cases {
        let mut result = Host::new(of, format, 0);
        let found =
            MatteChain::open(Gpu::Off).unwrap().render(&job, result.view_mut()).unwrap_err().to_string();
        assert!(found.contains(want), "{found}");
        assert!(result.bytes.iter().all(|b| *b == PADDING), "{found}");
    }
}

#[test]
fn a_refined_frame_has_nothing_of_the_one_before() {
    let (plate, mask) = (size(320, 70), size(80, 18));
    let host = noise(Host::new(plate, Rgb8, 0), 7);
    // Edges everywhere, so that something is left behind everywhere.
    let busy: Vec<f32> = (0..mask.area_px()).map(|i| if i / 3 % 2 == 0 { 4.0 } else { -4.0 }).collect();
    for refine_px in [2.0, 3.5, 5.0, 9.0, 20.0] {
        let settings = MatteSettings { view: View::Matte, refine_px, ..Default::default() };
        let render = |chain: &mut MatteChain, values: &[f32]| {
            let mut result = Host::new(plate, GrayF32, 0);
            let layers = added(Logits::new(mask, values).unwrap());
            let job = MatteJob::new(host.view(), &layers, &settings);
            chain.render(&job, result.view_mut()).unwrap();
            result.bytes
        };
        // Wherever its edge lies in the tiles that the work is divided into.
        for x in (180..310).step_by(9) {
            let right = disk(plate, mask, [f64::from(x), 30.0], 14.0);
            let mut used = MatteChain::open(Gpu::Off).unwrap();
            render(&mut used, &busy);
            let alone = render(&mut MatteChain::open(Gpu::Off).unwrap(), &right);
            assert!(render(&mut used, &right) == alone, "refined by {refine_px} px, the disk at {x}");
        }
    }
}
