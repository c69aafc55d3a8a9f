//! `rotomask spline`: masks in, files for other programs out; and MLT's own filter, which draws what was written.

#![allow(clippy::unwrap_used)]

mod common;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use common::{Folder, assert_refused, rotomask};
use image::{GrayImage, Luma};

const SIZE: (u32, u32) = (322, 182);
const FRAMES: u64 = 24;

struct Place {
    folder: tempfile::TempDir,
}

impl Folder for Place {
    fn folder(&self) -> &Path {
        self.folder.path()
    }
}

/// A bar of rounded ends that turns, with a hole, and a disc that comes on frame 8 and goes after 18.
fn mask(frame: u64) -> GrayImage {
    let n = frame as f64;
    let (sin, cos) = (4.0 * n).to_radians().sin_cos();
    let (x0, y0) = (110.0 + 3.0 * n, 90.0 - n);
    GrayImage::from_fn(SIZE.0, SIZE.1, |x, y| {
        let (dx, dy) = (f64::from(x) + 0.5 - x0, f64::from(y) + 0.5 - y0);
        let (u, v) = (dx * cos + dy * sin, dy * cos - dx * sin);
        let bar = 26.0 - (u - u.clamp(-50.0, 50.0)).hypot(v);
        let hole = 11.0 - (u - 20.0).hypot(v);
        let disc = if (8..=18).contains(&frame) {
            17.0 - (f64::from(x) - 40.0).hypot(f64::from(y) - 150.0)
        } else {
            -1.0
        };
        let coverage = (bar.min(-hole).max(disc) + 0.5).clamp(0.0, 1.0);
        Luma([(coverage * 255.0).round() as u8])
    })
}

impl Place {
    fn new() -> Self {
        let place = Self { folder: tempfile::tempdir().unwrap() };
        for frame in 0..FRAMES {
            mask(frame).save(place.made(&format!("masks/{frame:05}.png"))).unwrap();
        }
        place
    }

    /// Writes the masks' splines and gives what the program said.
    fn spline(&self, name: &str, more: &[&str]) -> String {
        let (masks, out) = (self.path("masks"), self.path(name));
        let output = rotomask(&[&["spline", &masks, "-o", &out], more].concat());
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{said}");
        said
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }
}

/// Renders an MLT document by melt, and gives the alpha of each frame.
fn melted(document: &Path, frames: usize) -> Vec<Vec<u8>> {
    let (movie, raw) = (document.with_extension("mkv"), document.with_extension("raw"));
    let run = |program: &mut Command| {
        let output =
            program.output().unwrap_or_else(|e| panic!("{program:?}: {e}; `cargo xtask setup` installs it"));
        assert!(output.status.success(), "{program:?}: {}", String::from_utf8_lossy(&output.stderr));
    };
    let consumer = format!("avformat:{}", movie.display());
    run(Command::new("melt").arg(document).args(["-consumer", &consumer]).args([
        "vcodec=ffv1",
        "pix_fmt=bgra",
        "mlt_image_format=rgba",
        "an=1",
        "real_time=-1",
        "-silent",
    ]));
    let decode = ["-pix_fmt", "rgba", "-f", "rawvideo"];
    run(Command::new("ffmpeg")
        .args(["-nostdin", "-v", "error", "-y", "-i"])
        .arg(&movie)
        .args(decode)
        .arg(&raw));
    let bytes = fs::read(&raw).unwrap();
    let frame = 4 * (SIZE.0 * SIZE.1) as usize;
    assert_eq!(bytes.len(), frames * frame);
    bytes.chunks_exact(frame).map(|frame| frame.chunks_exact(4).map(|pixel| pixel[3]).collect()).collect()
}

fn iou(a: &[u8], b: &[u8]) -> f64 {
    let count = |both: bool| {
        let pairs = a.iter().zip(b).map(|(a, b)| (*a > 127, *b > 127));
        pairs.filter(|(a, b)| if both { *a && *b } else { *a || *b }).count() as f64
    };
    count(true) / count(false).max(1.0)
}

#[test]
fn melts_own_filter_draws_the_matte() {
    let place = Place::new();
    let said = place.spline("shot.mlt", &[]);
    assert!(said.contains("3 shapes"), "{said}");
    let drawn = melted(&PathBuf::from(place.path("shot.mlt")), FRAMES as usize);
    for (frame, alpha) in (0..).zip(&drawn) {
        let iou = iou(alpha, mask(frame).as_raw());
        assert!(iou >= 0.97, "frame {frame}: {iou}");
    }
}

#[test]
fn melt_draws_nothing_where_nothing_is() {
    let place = Place { folder: tempfile::tempdir().unwrap() };
    for frame in 0..3 {
        GrayImage::new(SIZE.0, SIZE.1).save(place.made(&format!("masks/{frame:05}.png"))).unwrap();
    }
    place.spline("shot.mlt", &[]);
    let drawn = melted(&PathBuf::from(place.path("shot.mlt")), 3);
    assert!(drawn.iter().all(|alpha| alpha.iter().all(|a| *a == 0)));
}

#[test]
fn every_format_is_told_by_its_suffix_or_by_name() {
    let place = Place::new();
    for (name, head) in [
        ("shot.nk", "# Splines of rotomask"),
        ("shot.jsx", "// Splines of rotomask"),
        ("shot.mlt.json", "[\n{\"name\":\"Shape1\",\"mlt_service\":\"rotoscoping\""),
        ("shot.mlt", "<?xml"),
        ("shot.svg", "<svg"),
        ("shot.json", "{\""),
    ] {
        let said = place.spline(name, &[]);
        assert!(said.contains("px off (root mean square)"), "{said}");
        assert!(place.text(name).starts_with(head), "{name}: {}", &place.text(name)[..60]);
    }
    place.spline("shot.txt", &["--format", "svg"]);
    assert_eq!(place.text("shot.txt"), place.text("shot.svg"));
}

#[test]
fn looser_tolerances_give_fewer_points_and_fewer_keys() {
    let place = Place::new();
    let sizes = |name: &str, more: &[&str]| {
        place.spline(name, more);
        let told: serde_json::Value = serde_json::from_str(&place.text(name)).unwrap();
        let shapes = told["shapes"].as_array().unwrap().clone();
        let keys: usize = shapes.iter().map(|s| s["keys"].as_array().unwrap().len()).sum();
        let points: usize = shapes.iter().map(|s| s["keys"][0]["points"].as_array().unwrap().len()).sum();
        (points, keys)
    };
    let fine = sizes("fine.json", &["--tolerance", "0.2", "--key-tolerance", "0.2"]);
    let loose = sizes("loose.json", &["--tolerance", "2", "--key-tolerance", "4"]);
    assert!(loose.0 < fine.0 && loose.1 < fine.1, "{fine:?} {loose:?}");
    // The disc is smaller than that.
    let said = place.spline("large.json", &["--min-area", "2000"]);
    assert!(said.contains("1 shapes"), "{said}");
    place.spline("late.json", &["--first-frame", "1001"]);
    let told: serde_json::Value = serde_json::from_str(&place.text("late.json")).unwrap();
    assert_eq!((&told["first"], &told["last"]), (&serde_json::json!(1001), &serde_json::json!(1024)));
}

#[test]
fn an_object_of_a_session_is_written_and_one_that_it_has_not_is_refused() {
    let place = Place { folder: tempfile::tempdir().unwrap() };
    let clip = common::Clip::steady(SIZE, 3).write(&place.made("clip.mp4"));
    let (session, out) = (place.path("shot.rotosession"), place.path("shot.json"));
    let tracked = rotomask(&["track", clip.to_str().unwrap(), "--point", "80,45", "--session", &session]);
    assert!(tracked.status.success(), "{}", String::from_utf8_lossy(&tracked.stderr));
    assert_refused(
        &rotomask(&["spline", &session, "-o", &out, "--object", "9"]),
        1,
        &["it has no object 9, which --object asks for, but 1"],
    );
    assert!(!Path::new(&out).exists());
    let written = rotomask(&["spline", &session, "-o", &out]);
    assert!(written.status.success(), "{}", String::from_utf8_lossy(&written.stderr));
    let told: serde_json::Value = serde_json::from_str(&place.text("shot.json")).unwrap();
    assert_eq!((&told["first"], &told["last"]), (&serde_json::json!(0), &serde_json::json!(2)));
    assert!(!told["shapes"].as_array().unwrap().is_empty());
}

#[test]
fn what_can_not_be_is_refused_and_nothing_is_written() {
    let place = Place::new();
    let (masks, out) = (place.path("masks"), place.path("out.nk"));
    let refused = |arguments: &[&str], status: i32, parts: &[&str]| {
        assert_refused(&rotomask(&[&["spline"], arguments].concat()), status, parts);
        assert!(!Path::new(&out).exists());
    };
    refused(&[&masks, "-o", &place.path("out.png")], 2, &["its suffix is none of .nk, .jsx"]);
    refused(&[&masks, "-o", &out, "--tolerance", "0"], 1, &["tolerance_px: found 0, expected 0.05 to 64 px"]);
    refused(&[&masks, "-o", &out, "--object", "3"], 1, &["3: there is no such folder of masks"]);
    refused(&[&place.path("none.rotosession"), "-o", &out], 1, &["none.rotosession"]);
    GrayImage::new(5, 5).save(place.path("masks/00030.png")).unwrap();
    refused(&[&masks, "-o", &out], 1, &["00030.png: it is 5x5, expected 322x182 as the first one"]);
    fs::write(place.path("masks/00003.png"), "no picture").unwrap();
    refused(&[&masks, "-o", &out], 1, &["00003.png: "]);
    fs::create_dir(place.path("empty")).unwrap();
    refused(&[&place.path("empty"), "-o", &out], 1, &["empty: it has no pictures"]);
}
