//! Every protocol with the real library and model, on clips small enough to count again by hand.
//!
//! `cargo xtask test` builds librotomask beside the program and names an ONNX Runtime.

// A helper that fails should fail its test.
#![allow(clippy::unwrap_used)]

mod common;

use std::{fs, path::Path};

use common::{Folder, assert_refused, names, rotomask};
use image::{GrayImage, Luma, Rgb, RgbImage};
use serde_json::Value;

const SIZE: (u32, u32) = (161, 99);

/// Two bright disks on a dark slope; the second one comes on the third frame.
fn number(x: u32, y: u32, frame: u32) -> u8 {
    let disk = |cx: i64, cy: i64, r: i64| (i64::from(x) - cx).pow(2) + (i64::from(y) - cy).pow(2) < r * r;
    let at = i64::from(frame);
    match () {
        () if disk(40 + 3 * at, 45, 20) => 1,
        () if frame >= 2 && disk(120, 40 + 2 * at, 16) => 2,
        () => 0,
    }
}

struct Place(tempfile::TempDir);

impl Folder for Place {
    fn folder(&self) -> &Path {
        self.0.path()
    }
}

impl Place {
    /// A clip of frames as YouTube-VOS has it.
    fn new(frames: u32) -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        for frame in 0..frames {
            let picture = RgbImage::from_fn(SIZE.0, SIZE.1, |x, y| match number(x, y, frame) {
                1 => Rgb([240, 200, 60]),
                2 => Rgb([90, 230, 240]),
                _ => Rgb([20 + (x / 4) as u8, 40, 70]),
            });
            picture.save(place.made(&format!("JPEGImages/balls/{frame:05}.jpg"))).unwrap();
            let numbers = GrayImage::from_fn(SIZE.0, SIZE.1, |x, y| Luma([number(x, y, frame)]));
            numbers.save(place.made(&format!("Annotations/balls/{frame:05}.png"))).unwrap();
        }
        place
    }

    /// Evaluates, which must work, and gives the report.
    fn eval(&self, arguments: &[&str]) -> Value {
        let report = self.path("report.json");
        let all = ["eval", &self.path(""), "--json", &report];
        let output = rotomask(&all.into_iter().chain(arguments.iter().copied()).collect::<Vec<_>>());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert!(String::from_utf8_lossy(&output.stdout).contains("mean"));
        serde_json::from_str(&fs::read_to_string(report).unwrap()).unwrap()
    }

    fn refused(&self, arguments: &[&str], status: i32, parts: &[&str]) {
        let root = self.path("");
        let all: Vec<&str> = ["eval", &root].into_iter().chain(arguments.iter().copied()).collect();
        assert_refused(&rotomask(&all), status, parts);
    }
}

fn objects(report: &Value) -> Vec<(String, u64, usize)> {
    let objects = report["objects"].as_array().unwrap().iter();
    let object = |object: &Value| {
        let name = object["name"].as_str().unwrap().to_owned();
        (name, object["interactions"].as_u64().unwrap(), object["frames"].as_array().unwrap().len())
    };
    objects.map(object).collect()
}

#[test]
fn objects_are_followed_together_from_where_each_begins_and_never_overlap() {
    let place = Place::new(6);
    let masks = place.path("masks");
    for prompt in ["mask", "click3", "box"] {
        let report = place.eval(&["--prompt", prompt, "--masks", &masks]);
        // The first object is measured on frames 1 to 4, the second, which begins on frame 2, on 3 and 4.
        assert_eq!(objects(&report), [("balls:1".into(), 1, 4), ("balls:2".into(), 1, 2)], "{prompt}");
    }
    assert_eq!(names(Path::new(&place.path("masks/balls/1"))).len(), 6);
    assert_eq!(names(Path::new(&place.path("masks/balls/2"))).len(), 4);
    let mask = |object: u32, frame: u32| {
        image::open(place.path(&format!("masks/balls/{object}/{frame:05}.png"))).unwrap().into_luma8()
    };
    for frame in 2..6 {
        let (one, two) = (mask(1, frame), mask(2, frame));
        assert!(one.pixels().zip(two.pixels()).all(|(a, b)| a.0[0] == 0 || b.0[0] == 0), "{frame}");
    }
}

#[test]
fn interactive_rounds_give_a_score_for_each_number_of_frames_clicked_on() {
    let place = Place::new(4);
    let (plot, sheet, csv) = (place.path("plot.svg"), place.path("sheet.png"), place.path("table.csv"));
    for protocol in ["interactive-offline", "interactive-online"] {
        let report = place.eval(&[
            "--protocol",
            protocol,
            "--rounds",
            "2",
            "--targets",
            "whole",
            "--plot",
            &plot,
            "--contact-sheet",
            &sheet,
            "--csv",
            &csv,
        ]);
        assert_eq!(objects(&report), [("balls".into(), 1, 2), ("balls".into(), 2, 2)], "{protocol}");
        assert_eq!(report["curves"]["interactions"].as_array().unwrap().len(), 2);
        assert_eq!(report["means"][1]["interactions"], 2);
    }
    let svg = fs::read_to_string(plot).unwrap();
    assert!(svg.contains("frames clicked on") && svg.contains("interactive-online"));
    assert!(image::open(sheet).unwrap().width() > 3 * 240);
    let csv = fs::read_to_string(csv).unwrap();
    assert!(csv.starts_with("protocol,sequence,object,interactions,frames,j_mean"), "{csv}");
    assert_eq!(csv.lines().count(), 3);
}

#[test]
fn pictures_are_measured_by_clicks_and_grouped_by_what_a_table_says_of_their_objects() {
    let place = Place::new(3);
    let (earlier, plot) = (place.path("earlier.json"), place.path("plot.png"));
    let metadata = place.made("meta.csv");
    fs::write(&metadata, "sequence,object,size\nballs,1,large\nballs,2,small\n").unwrap();
    let grouped = ["--metadata", metadata.to_str().unwrap(), "--by", "size"];
    let report = place.eval(&[&["--protocol", "image", "--clicks", "1,3"][..], &grouped].concat());
    let found = objects(&report);
    assert_eq!(found.len(), 4);
    assert_eq!((&found[0], &found[3]), (&("balls:1".into(), 1, 3), &("balls:2".into(), 3, 1)));
    let groups = report["groups"]["values"].as_array().unwrap();
    assert_eq!(
        groups.iter().map(|group| group["value"].as_str().unwrap()).collect::<Vec<_>>(),
        ["large", "small"]
    );

    fs::rename(place.path("report.json"), &earlier).unwrap();
    place.eval(&["--protocol", "image", "--plot", &plot, "--against", &earlier]);
    assert!(image::open(plot).is_ok());
}

#[test]
fn what_can_not_be_measured_is_said_before_the_work_begins() {
    let place = Place::new(2);
    place.refused(
        &["--protocol", "image", "--prompt", "box"],
        2,
        &["--prompt belongs to --protocol semi-supervised"],
    );
    place.refused(&["--plot", "a.jpg"], 2, &["a.jpg: a plot is written as .svg or .png"]);
    place.refused(&["--by", "size"], 2, &["--metadata"]);
    place.refused(&["--json", &place.path("none/a.json")], 1, &["there is no folder"]);
    place.refused(&["--sequences", "cow"], 2, &["--sequences cow: expected some of balls"]);
    image::GrayImage::new(99, 161).save(place.path("Annotations/balls/00001.png")).unwrap();
    place.refused(&[], 1, &["00001.png: its size is 99x161, expected 161x99 as the first annotation"]);
}
