//! What is annotated can be read again: by `rotomask eval`, and by whoever knows DAVIS's or SA-V's layout.
//!
//! `cargo xtask test` builds librotomask beside the program and names an ONNX Runtime.

// A helper that fails should fail its test.
#![allow(clippy::unwrap_used)]

mod common;

use std::{fs, path::Path};

use common::{Clip, Folder, assert_refused, names, rotomask};
use image::{Rgb, RgbImage};
use rotomask_cli::dataset::{self, Targets, Truth};

const SIZE: (u32, u32) = (160, 98);

fn inside(x: u32, y: u32, frame: u32) -> bool {
    (i64::from(x) - 50 - 4 * i64::from(frame)).pow(2) + (i64::from(y) - 45).pow(2) < 22 * 22
}

struct Place(tempfile::TempDir);

impl Folder for Place {
    fn folder(&self) -> &Path {
        self.0.path()
    }
}

impl Place {
    /// A folder `in` with one folder of pictures: a bright disk on a dark slope.
    fn new(frames: u32) -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        for frame in 0..frames {
            let picture = RgbImage::from_fn(SIZE.0, SIZE.1, |x, y| match inside(x, y, frame) {
                true => Rgb([240, 200, 60]),
                false => Rgb([20 + (x / 4) as u8, 40, 70]),
            });
            picture.save(place.made(&format!("in/ball/{frame}.jpg"))).unwrap();
        }
        place
    }

    fn run(&self, arguments: &[&str]) -> std::process::Output {
        let (input, output) = (self.path("in"), self.path("out"));
        let all = ["annotate", &input, "-o", &output, "--grid", "4"];
        rotomask(&all.into_iter().chain(arguments.iter().copied()).collect::<Vec<_>>())
    }

    /// Annotates, which must work, and gives what was printed.
    fn annotate(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    fn prompts(&self, rows: &str) -> String {
        let path = self.made("prompts.csv");
        fs::write(&path, format!("clip,object,frame,kind,x0,y0,x1,y1\n{rows}\n")).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// The names of the objects annotated in `out`, and their areas on a frame.
    fn objects(&self, frame: usize) -> Vec<(String, Option<usize>)> {
        let sequences = dataset::sequences(&self.folder().join("out")).unwrap();
        let mut truth = Truth::open(&sequences[0], Targets::Parts).unwrap();
        let objects = truth.objects.clone();
        let area = |truth: &mut Truth<'_>, object| truth.region(frame, object).unwrap().map(|r| r.area());
        objects.iter().map(|object| (object.name.clone(), area(&mut truth, object))).collect()
    }
}

#[test]
fn clicks_become_a_davis_folder_that_can_be_evaluated() {
    let place = Place::new(5);
    let prompts = place.prompts("ball,disk,1,point,54,45\nball,disk,1,negative,5,5");
    let said = place.annotate(&["--prompts", &prompts]);
    assert!(said.contains("disk"), "{said}");
    assert_eq!(names(Path::new(&place.path("out"))), ["Annotations", "JPEGImages", "masklets.csv"]);
    // Nothing is known of the frame before the first prompt.
    let wanted: Vec<String> = (1..5).map(|n| format!("{n:05}.png")).collect();
    assert_eq!(names(Path::new(&place.path("out/Annotations/ball"))), wanted);
    assert_eq!(names(Path::new(&place.path("out/JPEGImages/ball"))).len(), 5);
    let same =
        |from: &str, to: &str| fs::read(place.path(from)).unwrap() == fs::read(place.path(to)).unwrap();
    assert!(same("in/ball/3.jpg", "out/JPEGImages/ball/00003.jpg"));
    assert!(place.objects(1)[0].1.is_some_and(|area| area > 100));
    let table = fs::read_to_string(place.path("out/masklets.csv")).unwrap();
    assert!(table.lines().nth(1).unwrap().starts_with("ball,1,disk,manual,"), "{table}");

    // What is done is passed over, and what is written can be evaluated.
    assert!(!place.annotate(&["--prompts", &prompts]).contains("disk"));
    assert_eq!(fs::read_to_string(place.path("out/masklets.csv")).unwrap(), table);
    let output = rotomask(&["eval", &place.path("out")]);
    assert!(String::from_utf8_lossy(&output.stdout).contains("ball"), "{output:?}");
}

#[test]
fn masks_that_a_clip_has_are_propagated_and_come_out_as_sa_v_has_them() {
    let place = Place::new(5);
    fs::rename(place.path("in/ball"), place.made("in/JPEGImages/ball")).unwrap();
    let mask =
        image::GrayImage::from_fn(SIZE.0, SIZE.1, |x, y| image::Luma([u8::from(inside(x, y, 0)) * 255]));
    mask.save(place.made("in/Annotations/ball/0.png")).unwrap();
    place.annotate(&["--phase", "mask", "--layout", "sav", "--every", "4"]);
    assert_eq!(names(Path::new(&place.path("out"))), ["ball", "ball_manual.json", "masklets.csv"]);
    let [(name, area)] = &place.objects(0)[..] else { panic!("{:?}", place.objects(0)) };
    let truth = mask.pixels().filter(|pixel| pixel.0[0] > 0).count();
    assert_eq!(name, "000");
    assert!(area.is_some_and(|area| area.abs_diff(truth) < truth / 5), "{area:?} of {truth}");
    assert!(place.objects(1)[0].1.is_none() && place.objects(4)[0].1.is_some());
}

#[test]
fn without_prompts_a_grid_finds_what_there_is_in_every_phase() {
    let place = Place::new(3);
    // A movie beside the folder of pictures.
    Clip::steady(SIZE, 3).write(&place.made("in/film.mp4"));
    for phase in ["full", "mask", "image"] {
        let _ = fs::remove_dir_all(place.path("out"));
        place.annotate(&["--phase", phase, "--layout", "sav", "--most", "3"]);
        let made = names(Path::new(&place.path("out")));
        assert!(made.iter().all(|name| !name.contains("manual")), "{phase}: {made:?}");
        assert!(
            made.contains(&"film.mp4".to_owned()) && made.contains(&"ball".to_owned()),
            "{phase}: {made:?}"
        );
    }
}

#[test]
fn annotations_that_cannot_be_are_refused() {
    let place = Place::new(2);
    let refused =
        |arguments: &[&str], status, part: &str| assert_refused(&place.run(arguments), status, &[part]);
    let unknown = place.prompts("cow,1,0,point,1,1");
    refused(&["--prompts", &unknown], 2, "--prompts names the clip cow, which is not in the folder");
    let late = place.prompts("ball,1,7,point,1,1");
    refused(&["--prompts", &late], 1, "ball: a prompt is on frame 7, expected up to 1");
    refused(&["--phase", "mask", "--prompts", &late], 1, "ball: it ends before frame 7, which has a prompt");
    let outside = place.prompts("ball,1,0,point,500,1");
    refused(&["--prompts", &outside], 1, "the click is at 500, 1, expected 0 to below 160 across");
    refused(&["--accept", "2"], 2, "expected 0 to 1");
    let input = place.path("in");
    assert_refused(&rotomask(&["annotate", &input, "-o", &input]), 2, &["-o is the folder that is read"]);
}
