//! What the plate and the frames around do to the edge, on the CPU's twins; `matte_twins.rs` holds the GPU to the same
//! bytes.

#![allow(clippy::unwrap_used)]

mod matte_common;

use matte_common::{Host, size};
use rotomask::frame::PixelFormat::{GrayF32, Rgb8};
use rotomask::frame::Size;
use rotomask::matte::{Gpu, Layer, Logits, Mask, MatteChain, MatteJob, MatteSettings, Neighbour, View};

fn hard() -> MatteSettings {
    MatteSettings {
        view: View::Matte,
        feather_inner_px: 0.0,
        feather_outer_px: 0.0,
        refine_softness: 0.0,
        ..Default::default()
    }
}

/// Inside to the left of column `edge_px`.
fn left_of(at: Size, edge_px: f32) -> Vec<f32> {
    (0..at.area_px()).map(|i| (edge_px - (i % at.width()) as f32 - 0.5).clamp(-4.0, 4.0)).collect()
}

fn shown(plate: &Host, own: &[f32], around: &[(i32, Vec<f32>)], settings: &MatteSettings) -> Host {
    let at = plate.layout.size;
    let mask = |values| Mask::Logits(Logits::new(at, values).unwrap());
    let neighbours: Vec<_> =
        around.iter().map(|(frame, values)| Neighbour { frame: *frame, mask: mask(values) }).collect();
    let layers = [Layer { neighbours: &neighbours, ..Layer::new(mask(own)) }];
    let mut result = Host::new(at, GrayF32, 0);
    let job = MatteJob::new(plate.view(), &layers, settings);
    MatteChain::open(Gpu::Off).unwrap().render(&job, result.view_mut()).unwrap();
    result
}

/// Where an edge lies in the middle row, by the area to its left.
fn edge_px(result: &Host) -> f32 {
    let at = result.layout.size;
    (0..at.width()).map(|x| result.float(x, at.height() / 2)).sum()
}

/// An edge at 100 pixels on the frame, and others around it.
fn moving(edges: &[(i32, f32)], settings: &MatteSettings) -> Host {
    let at = size(221, 35);
    let around: Vec<_> = edges.iter().map(|(frame, px)| (*frame, left_of(at, *px))).collect();
    shown(&Host::new(at, Rgb8, 0), &left_of(at, 100.0), &around, settings)
}

#[test]
fn a_fast_edge_does_not_lag() {
    let settings = MatteSettings { dechatter: 100.0, ..hard() };
    for speed in [1.0, 7.5, 18.0, 40.0] {
        let edges = [-2, -1, 1, 2].map(|frame| (frame, 100.0 + speed * frame as f32));
        let found = edge_px(&moving(&edges, &settings));
        assert!((found - 100.0).abs() < 0.02, "{speed}: {found}");
        // At the shot's ends frames are known on one side only.
        let found = edge_px(&moving(&edges[2..], &settings));
        assert!((found - 100.0).abs() < 0.02, "{speed}, after: {found}");
    }
}

#[test]
fn jitter_is_taken_away_as_far_as_asked() {
    let jitter = [(-2, 100.0), (-1, 98.0), (1, 98.0), (2, 100.0)];
    for (dechatter, want) in [(0.0, 100.0), (50.0, 99.6), (100.0, 99.2)] {
        let found = edge_px(&moving(&jitter, &MatteSettings { dechatter, ..hard() }));
        assert!((found - want).abs() < 0.03, "{dechatter}: {found}, {want}");
    }
}

#[test]
fn a_change_of_shape_is_no_chatter() {
    let settings = MatteSettings { dechatter: 100.0, dechatter_px: 2.0, ..hard() };
    let found = edge_px(&moving(&[(-1, 90.0), (1, 90.0)], &settings));
    assert!((found - 100.0).abs() < 0.02, "{found}");
}

#[test]
fn a_moving_edge_blurs_along_its_way_while_the_shutter_is_open() {
    let settings = MatteSettings { motion_blur: 180.0, ..hard() };
    let blurred = moving(&[(-1, 80.0), (1, 120.0)], &settings);
    assert!((edge_px(&blurred) - 100.0).abs() < 0.3, "{}", edge_px(&blurred));
    // 20 pixels a frame, half of it open: a ramp from 95 to 105.
    for x in 90..110 {
        let want = ((105.0 - (x as f32 + 0.5)) / 10.0).clamp(0.0, 1.0);
        let found = blurred.float(x, 17);
        assert!((found - want).abs() < 0.06, "{x}: {found}, {want}");
    }
    let still = moving(&[(-1, 100.0), (1, 100.0)], &settings);
    assert_eq!((still.float(98, 17), still.float(101, 17)), (1.0, 0.0));
}

/// A plate that changes colour at a column, with a little grain.
fn two_colours(at: Size, edge_px: usize) -> Host {
    let mut plate = Host::new(at, Rgb8, 0);
    for y in 0..at.height() {
        for x in 0..at.width() {
            let grain = ((x * 7919 + y * 104_729) % 13) as u8;
            let colour = if x < edge_px { [60, 90, 150] } else { [170, 120, 70] };
            plate.view_mut().row_mut(y)[3 * x..][..3].copy_from_slice(&colour.map(|v| v + grain));
        }
    }
    plate
}

#[test]
fn the_edge_is_found_in_the_plate_near_the_mask() {
    let at = size(221, 65);
    for off in [-4i32, -2, 0, 3, 4] {
        let plate = two_colours(at, (110 + off) as usize);
        let settings = MatteSettings { refine_px: 20.0, ..hard() };
        let found = edge_px(&shown(&plate, &left_of(at, 110.0), &[], &settings));
        let want = (110 + off) as f32;
        assert!((found - want).abs() < 0.7, "{off}: {found}, {want}");
        let half = MatteSettings { refine_strength: 0.0, ..settings };
        let found = edge_px(&shown(&plate, &left_of(at, 110.0), &[], &half));
        assert!((found - 110.0).abs() < 0.02, "{off}: {found}");
    }
}

#[test]
fn what_lies_beyond_the_radius_stays_solid_whatever_the_plate_shows() {
    let at = size(221, 65);
    // The plate's step lies 40 pixels inside the mask, and its grain is everywhere.
    let plate = two_colours(at, 70);
    let settings = MatteSettings { refine_px: 24.0, ..hard() };
    let found = shown(&plate, &left_of(at, 110.0), &[], &settings);
    for y in 0..at.height() {
        for x in (0..80).chain(140..at.width()) {
            assert_eq!(found.float(x, y), if x < 100 { 1.0 } else { 0.0 }, "{x},{y}");
        }
    }
}
