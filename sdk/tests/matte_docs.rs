//! `docs/matte.md` lists the parameters and views that there are, and its pictures are what the chain makes.

#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

use std::fmt::Write;
use std::fs;
use std::path::Path;

use image::codecs::jpeg::JpegEncoder;
use image::{Rgb, RgbImage, RgbaImage};
use rotomask::frame::{FrameView, FrameViewMut, Layout, PixelFormat, Size};
use rotomask::matte::params::{Kind, Param, Value};
use rotomask::matte::{
    Background, Gpu, Layer, Mask, MatteChain, MatteJob, MatteSettings, PARAMS, Status, View,
};

/// Writes table and pictures anew instead of comparing them: `ROTOMASK_BLESS=1 cargo test --release --test matte_docs`.
const BLESS: &str = "ROTOMASK_BLESS";
const BEGIN: &str = "<!-- parameters: written by sdk/tests/matte_docs.rs -->\n";
const END: &str = "<!-- end of parameters -->\n";

fn range(param: &Param) -> String {
    match &param.kind {
        Kind::Number { unit, range, .. } => {
            format!("{} to {} {unit}", range.start(), range.end()).trim_end().to_owned()
        }
        Kind::Switch => "on, off".into(),
        Kind::Colour { .. } => "a colour".into(),
        Kind::Choice { choices } => choices.iter().map(|id| format!("`{id}`")).collect::<Vec<_>>().join(", "),
    }
}

fn default(param: &Param) -> String {
    match param.default() {
        Value::Colour(colour) => colour.map(|v| v.to_string()).join(", "),
        Value::Choice(id) => format!("`{id}`"),
        other => other.to_string(),
    }
}

fn table() -> String {
    let mut text = String::new();
    let mut group = None;
    for param in PARAMS {
        if group != Some(param.group) {
            group = Some(param.group);
            write!(
                text,
                "\n### {:?}\n\n| | id | takes | starts at | |\n|---|---|---|---|---|\n",
                param.group
            )
            .unwrap();
        }
        let (label, id, help) = (param.label, param.id, param.help);
        writeln!(text, "| {label} | `{id}` | {} | {} | {help} |", range(param), default(param)).unwrap();
    }
    text + "\n"
}

fn page() -> (std::path::PathBuf, String) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/matte.md");
    let text = fs::read_to_string(&path).unwrap();
    (path, text)
}

#[test]
fn the_page_has_the_table_of_parameters_that_the_code_has() {
    let (path, page) = page();
    let (before, rest) = page.split_once(BEGIN).unwrap();
    let (found, after) = rest.split_once(END).unwrap();
    let fresh = table();
    if std::env::var_os(BLESS).is_some() {
        fs::write(&path, [before, BEGIN, &fresh, END, after].concat()).unwrap();
        return;
    }
    assert!(found == fresh, "docs/matte.md is not what the code says: {BLESS}=1 writes it anew");
}

#[test]
fn the_page_shows_every_view_with_its_picture() {
    let (path, page) = page();
    for view in View::IDS {
        let picture = format!("pictures/matte-{view}.jpg");
        assert!(
            page.contains(&format!("`{view}`")) && page.contains(&picture),
            "{view} is not in docs/matte.md"
        );
        assert!(path.parent().unwrap().join(&picture).is_file(), "{picture}");
    }
}

/// A view of the page's frame: 640x360, from its mask of 160x90.
fn shown(plate: &RgbImage, mask: &image::GrayImage, view: &'static str) -> RgbImage {
    let size = |width_px, height_px| Size { width_px, height_px };
    let of = |(width, height)| size(width, height);
    let plate_view = Layout::packed(of(plate.dimensions()), PixelFormat::Rgb8);
    let mask_view = Layout::packed(of(mask.dimensions()), PixelFormat::Gray8);
    let mut settings = MatteSettings {
        background: Background::BlurredPlate,
        background_blur_px: 6.0,
        trimap_px: 4.0,
        ..MatteSettings::default()
    };
    settings.set("view", &Value::Choice(view)).unwrap();
    let layers = [Layer::new(Mask::Coverage(FrameView::new(mask_view, mask).unwrap()))];
    let plate_bytes = FrameView::new(plate_view, plate).unwrap();
    let job = MatteJob { status: Status::Tracked, ..MatteJob::new(plate_bytes, &layers, &settings) };
    let mut result = RgbaImage::new(plate.width(), plate.height());
    let layout = Layout::packed(of(plate.dimensions()), PixelFormat::Rgba8);
    let into = FrameViewMut::new(layout, &mut result).unwrap();
    MatteChain::open(Gpu::Off).unwrap().render(&job, into).unwrap();
    // What has alpha is shown over a chequerboard.
    RgbImage::from_fn(result.width(), result.height(), |x, y| {
        let [r, g, b, a] = result.get_pixel(x, y).0;
        let under = if (x / 20 + y / 20) % 2 == 0 { 150u32 } else { 205 };
        Rgb([r, g, b]
            .map(|v| ((u32::from(v) * u32::from(a) + under * (255 - u32::from(a)) + 127) / 255) as u8))
    })
}

#[test]
fn every_view_of_the_pages_frame_is_the_picture_on_the_page() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/pictures");
    let plate = image::open(folder.join("matte-plate.jpg")).unwrap().into_rgb8();
    let mask = image::open(folder.join("matte-mask.png")).unwrap().into_luma8();
    for view in View::IDS {
        let (fresh, path) = (shown(&plate, &mask, view), folder.join(format!("matte-{view}.jpg")));
        if std::env::var_os(BLESS).is_some() {
            JpegEncoder::new_with_quality(fs::File::create(&path).unwrap(), 88).encode_image(&fresh).unwrap();
        }
        let found = image::open(&path).unwrap().into_rgb8();
        assert_eq!(found.dimensions(), fresh.dimensions(), "{view}");
        let off: u64 = found.iter().zip(fresh.iter()).map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
        let mean = off as f64 / found.len() as f64;
        // What JPEG costs at this quality; a view that changed is tens of codes off.
        assert!(mean < 4.0, "{view}: off by {mean:.1} codes on average; {BLESS}=1 writes it anew");
    }
}
