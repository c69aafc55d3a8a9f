//! `rotomask segment`: masks of one picture, and every way to ask wrongly.

// A helper that fails should fail its test.
#![allow(clippy::unwrap_used)]

mod common;

use std::{fs, path::PathBuf};

use common::{assert_refused, names, rotomask};
use image::{Rgb, RgbImage};
use serde_json::Value;

/// Wide and odd.
const SIZE: (u32, u32) = (241, 101);

struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        let pixel = |x: u32, y: u32| {
            let (fx, fy) = (x as f32, y as f32);
            let wave = (fx * 0.2).sin() * (fy * 0.25).cos();
            match in_disc(x, y) {
                true => Rgb([240, 60, 40]),
                false => Rgb([(90.0 + 40.0 * wave) as u8, (120.0 + 30.0 * (fx * 0.07).sin()) as u8, 90]),
            }
        };
        RgbImage::from_fn(SIZE.0, SIZE.1, pixel).save(place.path("disc.png")).unwrap();
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn run(&self, arguments: &[&str]) -> std::process::Output {
        let here = |a: &&str| match a.strip_prefix('@') {
            Some(name) => self.path("").to_str().unwrap().to_owned() + name,
            None => (*a).to_owned(),
        };
        let all: Vec<String> = ["segment", "@disc.png"].iter().chain(arguments).map(here).collect();
        rotomask(&all.iter().map(String::as_str).collect::<Vec<_>>())
    }

    fn done(&self, arguments: &[&str]) {
        let output = self.run(arguments);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    fn json(&self, name: &str) -> Value {
        serde_json::from_str(&fs::read_to_string(self.path(name)).unwrap()).unwrap()
    }

    fn overlap(&self, name: &str) -> f64 {
        let mask = image::open(self.path(name)).unwrap().into_luma8();
        assert_eq!(mask.dimensions(), SIZE);
        let (mut both, mut either) = (0, 0);
        for (x, y, pixel) in mask.enumerate_pixels() {
            assert!(matches!(pixel.0[0], 0 | 255));
            both += u32::from(in_disc(x, y) && pixel.0[0] == 255);
            either += u32::from(in_disc(x, y) || pixel.0[0] == 255);
        }
        f64::from(both) / f64::from(either)
    }
}

fn in_disc(x: u32, y: u32) -> bool {
    (x as f32 - 120.0).hypot(y as f32 - 50.0) < 32.0
}

#[test]
fn a_click_gives_a_mask_and_its_scores() {
    let place = Place::new();
    place.done(&["--point", "122,48", "-o", "@mask.png", "--json", "@scores.json"]);
    assert!(place.overlap("mask.png") > 0.7);
    let scores = place.json("scores.json");
    assert_eq!((&scores["width"], &scores["height"]), (&241.into(), &101.into()));
    assert_eq!(scores["candidates"].as_array().unwrap().len(), 3);
    place.done(&["--point", "122,48", "--negative", "20,20", "--box", "85,15,155,85", "--json", "@one.json"]);
    assert_eq!(place.json("one.json")["candidates"].as_array().unwrap().len(), 1);
}

#[test]
fn every_candidate_gets_its_own_file() {
    let place = Place::new();
    place.done(&["--point", "122,48", "--candidates", "-o", "@mask.png"]);
    assert_eq!(names(&place.path("")), ["disc.png", "mask-0.png", "mask-1.png", "mask-2.png"]);
}

#[test]
fn all_masks_are_written_shown_and_described() {
    let place = Place::new();
    let search = [
        "--automatic",
        "--points-per-side",
        "6",
        "--pred-iou-thresh",
        "0.5",
        "--stability-score-thresh",
        "0.6",
    ];
    let with =
        |more: &[&str]| place.done(&search.iter().copied().chain(more.iter().copied()).collect::<Vec<_>>());
    with(&["-o", "@masks/", "--json", "@masks.json"]);
    let json = place.json("masks.json");
    let masks = json["masks"].as_array().unwrap();
    assert_eq!(names(&place.path("masks")).len(), masks.len());
    assert!(place.overlap("masks/00000.png") > 0.7);
    for mask in masks {
        assert_eq!(mask["segmentation"]["size"], serde_json::json!([101, 241]));
        assert!(mask["segmentation"]["counts"].is_string());
    }
    with(&[
        "-o",
        "@overlay.png",
        "--objects",
        "--output-mode",
        "uncompressed_rle",
        "--json",
        "@objects.json",
    ]);
    assert_eq!(image::open(place.path("overlay.png")).unwrap().into_rgb8().dimensions(), SIZE);
    let counts = &place.json("objects.json")["masks"][0]["segmentation"]["counts"];
    let sum: u64 = counts.as_array().unwrap().iter().map(|n| n.as_u64().unwrap()).sum();
    assert_eq!(sum, 241 * 101);
}

#[test]
fn whatever_is_wrong_is_said_in_one_line_and_nothing_is_written() {
    let place = Place::new();
    let refused =
        |arguments: &[&str], status, part: &str| assert_refused(&place.run(arguments), status, &[part]);
    refused(&["--point", "5,5"], 2, "nothing to write, expected -o or --json");
    refused(&["-o", "@m.png"], 2, "nothing to look for, expected --point, --box or --automatic");
    refused(&["--point", "5,5@3", "-o", "@m.png"], 2, "a picture has no frames");
    refused(&["--point", "5,5", "-o", "@m.jpg"], 2, "expected a name with .png");
    refused(&["--point", "500,5", "-o", "@m.png"], 1, "expected 0 to below 241 across");
    refused(&["--point", "5,5", "-o", "@none/m.png"], 1, "there is no folder");
    refused(&["--automatic", "-o", "@m.mp4"], 2, "no place for masks");
    refused(&["--automatic", "--points-per-side", "0", "-o", "@m.png"], 1, "points_per_side: found 0");
    refused(&["--automatic", "--pred-iou-thresh", "NaN", "-o", "@m.png"], 1, "pred_iou_thresh: found NaN");
    refused(&["--automatic", "--point", "5,5", "-o", "@m.png"], 2, "cannot be used with");
    fs::write(place.path("disc.png"), "no picture").unwrap();
    refused(&["--point", "5,5", "-o", "@m.png"], 1, "can't be read as a picture");
    assert_eq!(names(&place.path("")), ["disc.png"]);
}
