//! `rotomask matte`, `parameters` and `kernels`: masks from disk to finished frames, no model asked.
//!
//! `cargo xtask test` builds librotomask beside the program.

// A helper that fails should fail its test.
#![allow(clippy::unwrap_used)]

mod common;

use std::{fs, path::Path};

use common::{Clip, WIDE, assert_refused, names, read_all, rotomask};
use image::{GrayImage, ImageBuffer, Luma};

const FRAMES: u32 = 7;

struct Place {
    folder: tempfile::TempDir,
    clip: String,
}

impl Place {
    /// A clip, and masks an eighth of its size whose edge moves right by four pixels a frame.
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clip = Clip::steady(WIDE, i64::from(FRAMES)).write(&folder.path().join("clip.mp4"));
        let place = Self { clip: clip.to_str().unwrap().to_owned(), folder };
        place.mattes("mattes", 0, (WIDE.0 / 8, WIDE.1 / 8), edge);
        place
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    fn mattes(&self, name: &str, first: u32, size: (u32, u32), inside: impl Fn(u32) -> f32) {
        fs::create_dir(self.path(name)).unwrap();
        for n in 0..FRAMES {
            let edge = inside(n) * size.0 as f32 / WIDE.0 as f32;
            let shade = |x: u32, _| Luma([((edge - x as f32).clamp(0.0, 1.0) * 255.0) as u8]);
            let path = self.path(&format!("{name}/m.{:04}.png", first + n));
            GrayImage::from_fn(size.0, size.1, shade).save(path).unwrap();
        }
    }

    /// Finishes frames into pictures, which must work.
    fn finish(&self, out: &str, frames: &str, arguments: &[&str]) -> Vec<image::RgbaImage> {
        fs::create_dir(self.path(out)).unwrap();
        let pattern = self.path(&format!("{out}/%03d.png"));
        let all: Vec<&str> =
            ["matte", frames, "-o", &pattern].into_iter().chain(arguments.iter().copied()).collect();
        let output = rotomask(&all);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let open = |name: &String| image::open(Path::new(&self.path(out)).join(name)).unwrap().into_rgba8();
        names(Path::new(&self.path(out))).iter().map(open).collect()
    }

    fn refused(&self, arguments: &[&str], status: i32, parts: &[&str]) {
        let out = self.path("old.mp4");
        fs::write(&out, "old").unwrap();
        let mattes = self.path("mattes");
        let mut all = vec!["matte", &self.clip, "--gpu", "off", "-o", &out];
        if !arguments.contains(&"--mattes") {
            all.extend(["--mattes", &mattes]);
        }
        all.extend(arguments);
        assert_refused(&rotomask(&all), status, parts);
        assert_eq!(fs::read(&out).unwrap(), b"old");
        assert!(!names(self.folder.path()).iter().any(|name| name.contains("partial")));
    }
}

fn edge(n: u32) -> f32 {
    120.0 + 4.0 * n as f32
}

/// Where the matte goes from full to none along the middle row, in pixels.
fn edge_of(matte: &image::RgbaImage) -> f32 {
    (0..matte.width()).map(|x| f32::from(matte.get_pixel(x, 91).0[0]) / 255.0).sum()
}

#[test]
fn masks_an_eighth_of_the_frame_become_mattes_of_its_size_frame_by_frame() {
    let place = Place::new();
    let mattes = place.finish("out", &place.clip, &["--mattes", &place.path("mattes"), "--view", "matte"]);
    assert_eq!(mattes.len(), FRAMES as usize);
    for (n, matte) in (0..).zip(&mattes) {
        assert_eq!(matte.dimensions(), WIDE);
        let found = edge_of(matte);
        assert!((found - edge(n)).abs() < 6.0, "frame {n}: {found}, wanted {}", edge(n));
    }
    // Each frame has its own mask, not a neighbour's.
    assert!(mattes.windows(2).all(|pair| edge_of(&pair[1]) > edge_of(&pair[0]) + 2.0));
}

#[test]
fn a_video_comes_out_and_a_range_keeps_the_sources_numbers() {
    let place = Place::new();
    let (out, mattes) = (place.path("out.mp4"), place.path("mattes"));
    let output = rotomask(&["matte", &place.clip, "--mattes", &mattes, "--background", "green", "-o", &out]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(read_all(Path::new(&out)).unwrap().1.len(), FRAMES as usize);
    let part = place.finish(
        "part",
        &place.clip,
        &["--mattes", &mattes, "--view", "matte", "--start", "2", "--end", "4"],
    );
    assert_eq!(names(Path::new(&place.path("part"))), ["002.png", "003.png", "004.png"]);
    assert!((edge_of(&part[0]) - edge(2)).abs() < 6.0);
}

#[test]
fn keyframes_of_a_preset_move_over_the_shot_and_set_takes_their_place() {
    let place = Place::new();
    let (preset, mattes) = (place.path("look.json"), place.path("mattes"));
    fs::write(&preset, r#"{"rotomask_preset": 1, "view": "matte", "grow_px": {"0": 0, "6": 24}}"#).unwrap();
    let grown = place.finish("grown", &place.clip, &["--mattes", &mattes, "--preset", &preset]);
    let plain =
        place.finish("plain", &place.clip, &["--mattes", &mattes, "--preset", &preset, "--set", "grow_px=0"]);
    for (n, (grown, plain)) in grown.iter().zip(&plain).enumerate() {
        let moved = edge_of(grown) - edge_of(plain);
        assert!((moved - 4.0 * n as f32).abs() < 0.3, "frame {n}: {moved}");
    }
}

#[test]
fn sixteen_bits_and_a_soft_matte_of_the_frames_size_are_taken_as_they_are() {
    let place = Place::new();
    fs::create_dir(place.path("soft")).unwrap();
    for n in 0..FRAMES {
        let soft: ImageBuffer<Luma<u16>, Vec<u16>> =
            ImageBuffer::from_fn(WIDE.0, WIDE.1, |x, _| Luma([(x * 200) as u16]));
        soft.save(place.path(&format!("soft/{n}.png"))).unwrap();
    }
    let mattes = place.finish(
        "out",
        &place.clip,
        &["--mattes", &place.path("soft"), "--view", "matte", "--feather", "0"],
    );
    for x in [0u32, 1, 77, 200, 321] {
        let wanted = ((f64::from(x * 200) * 255.0 / 65535.0) + 0.5) as u8;
        assert_eq!(mattes[3].get_pixel(x, 50).0[0], wanted, "{x}");
    }
}

#[test]
fn objects_are_combined_and_garbage_is_dropped() {
    let place = Place::new();
    place.mattes("left", 0, WIDE, |_| 60.0);
    place.mattes("half", 0, WIDE, |_| 161.0);
    let look = ["--view", "matte", "--feather", "0"];
    let (all, left, half) =
        (place.path("mattes"), format!("subtract={}", place.path("left")), place.path("half"));
    let mut arguments = vec!["--mattes", &half, "--mattes", &left, "--garbage", &all];
    arguments.extend(look);
    // The garbage matte must have the frame's size.
    let out = place.path("refused.mp4");
    let refused: Vec<&str> = ["matte", &place.clip, "-o", &out].into_iter().chain(arguments).collect();
    assert_refused(
        &rotomask(&refused),
        1,
        &["the garbage matte is 40x22, expected 322x182, the plate's size"],
    );
    let mut arguments = vec!["--mattes", &half, "--mattes", &left];
    arguments.extend(look);
    let mattes = place.finish("out", &place.clip, &arguments);
    let row: Vec<u8> = [30, 100, 200].map(|x| mattes[0].get_pixel(x, 91).0[0]).to_vec();
    assert_eq!(row, [0, 255, 0]);
}

#[test]
fn masks_with_their_pictures_own_numbers_find_their_frames() {
    let place = Place::new();
    let plates = place.folder.path().join("plates");
    fs::create_dir(&plates).unwrap();
    for (n, (_, picture)) in read_all(Path::new(&place.clip)).unwrap().1.iter().enumerate() {
        let path = plates.join(format!("shot.{}.png", 1001 + n));
        image::save_buffer(path, &picture.to_packed(), WIDE.0, WIDE.1, image::ExtendedColorType::Rgba8)
            .unwrap();
    }
    place.mattes("numbered", 1001, (64, 64), edge);
    let plates = plates.to_str().unwrap();
    let numbered = place.finish("out", plates, &["--mattes", &place.path("numbered"), "--view", "matte"]);
    assert_eq!(numbered.len(), FRAMES as usize);
    assert!((0..).zip(&numbered).all(|(n, matte)| (edge_of(matte) - edge(n)).abs() < 6.0));
    // Numbers from 0 are the frames'.
    let counted = place.finish("counted", plates, &["--mattes", &place.path("mattes"), "--view", "matte"]);
    assert!((0..).zip(&counted).all(|(n, matte)| (edge_of(matte) - edge(n)).abs() < 6.0));
}

#[test]
fn frames_without_a_matte_are_finished_empty_and_counted() {
    let place = Place::new();
    for n in [2, 5] {
        fs::remove_file(place.path(&format!("mattes/m.{n:04}.png"))).unwrap();
    }
    fs::create_dir(place.path("out")).unwrap();
    let pattern = place.path("out/%d.png");
    let output = rotomask(&[
        "matte",
        &place.clip,
        "--mattes",
        &place.path("mattes"),
        "-o",
        &pattern,
        "--view",
        "matte",
    ]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("mattes: 2 frames have no matte here"), "{said}");
    let empty = image::open(place.path("out/5.png")).unwrap().into_rgba8();
    assert!(empty.pixels().all(|p| p.0[0] == 0));
}

#[test]
fn a_ceiling_on_memory_changes_nothing_and_one_too_low_is_told() {
    let place = Place::new();
    let mattes = place.path("mattes");
    let look = ["--mattes", mattes.as_str(), "--background", "blur", "--feather", "3", "--view", "composite"];
    let whole = place.finish("whole", &place.clip, &look);
    let parts = place.finish("parts", &place.clip, &[look.as_slice(), &["--matte-memory", "3"]].concat());
    assert!(whole == parts);
    place.refused(&["--matte-memory", "1"], 1, &["host_bytes: found 1048576, expected at least"]);
}

#[test]
fn what_can_not_be_is_refused_with_what_was_wanted() {
    let place = Place::new();
    place.refused(
        &["--set", "growth_px=1"],
        2,
        &["--set growth_px=1: preset: there is no parameter", "`grow_px`"],
    );
    place.refused(&["--set", "grow_px=NaN"], 2, &["grow_px: found \"NaN\"", "expected -64 to 64 px"]);
    place.refused(&["--set", "grow_px"], 2, &["found grow_px, expected ID=VALUE"]);
    place.refused(
        &["--view", "mate"],
        2,
        &["--view mate: view: found \"mate\", expected one of composite, matte"],
    );
    place.refused(&["--view", "erase"], 2, &["it has no alpha for the view erase"]);
    place.refused(&["--feather", "-2"], 2, &["feather_inner_px: found -2, expected 0 to 64 px"]);
    place.refused(&["--set", "background=picture"], 2, &["expected --background FILE"]);
    place.refused(&["--background", "gren"], 2, &["neither a file, nor blur, nor plate, nor a colour"]);
    place.refused(&["--start", "3", "--end", "2"], 2, &["--end 2 comes before --start 3"]);
    place.refused(&["--start", "50"], 1, &["clip.mp4: it has no frame 50, which --start asks for"]);
    place.refused(&["--mattes", &place.path("none")], 1, &["none: there is no such folder of mattes"]);
    fs::create_dir(place.path("empty")).unwrap();
    place.refused(
        &["--mattes", &place.path("empty")],
        1,
        &["empty: it has no pictures, expected numbered ones"],
    );
    GrayImage::new(3, 3).save(place.path("empty/matte.png")).unwrap();
    place.refused(
        &["--mattes", &place.path("empty")],
        1,
        &["matte.png: its name has no number, expected its frame's"],
    );
    fs::write(place.path("mattes/m.0003.png"), "no picture").unwrap();
    place.refused(&[], 1, &["m.0003.png: it can't be read as a picture"]);
}

#[test]
fn presets_that_can_not_be_read_are_refused_by_name() {
    let place = Place::new();
    let preset = place.path("look.json");
    for (text, part) in [
        ("{", "look.json: preset: it is no JSON"),
        (
            r#"{"growth_px": 1}"#,
            "look.json: preset: there is no parameter `growth_px`; the nearest name is `grow_px`",
        ),
        (r#"{"grow_px": 1e9}"#, "look.json: grow_px: found 1000000000, expected -64 to 64 px"),
        (r#"{"rotomask_preset": 9}"#, "look.json: preset: its version is 9, expected 1"),
    ] {
        fs::write(&preset, text).unwrap();
        place.refused(&["--preset", &preset], 1, &[part]);
    }
    place.refused(&["--preset", &place.path("none.json")], 1, &["none.json: "]);
    fs::write(&preset, r#"{"view": {"0": "matte", "5": "cutout"}}"#).unwrap();
    place.refused(&["--preset", &preset], 2, &["it has no alpha for the view cutout"]);
}

#[test]
fn the_table_of_parameters_is_printed_for_people_and_for_programs() {
    let output = rotomask(&["parameters"]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && text.contains("-64 to 64 px [0]"), "{text}");
    let output = rotomask(&["parameters", "--json"]);
    let table: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    for parameter in table.as_array().unwrap() {
        assert!(text.contains(parameter["id"].as_str().unwrap()), "{parameter}");
    }
}

#[test]
fn kernels_are_written_in_every_language_with_their_table() {
    let folder = tempfile::tempdir().unwrap();
    for (language, file) in [
        ("wgsl", "blur_plane.wgsl"),
        ("spirv", "blur_plane.1.spv"),
        ("glsl", "composite.9.comp"),
        ("hlsl", "coverage.0.hlsl"),
        ("msl", "sharpen.metal"),
    ] {
        let out = folder.path().join(language);
        let output = rotomask(&["kernels", "--language", language, "-o", out.to_str().unwrap()]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert!(fs::metadata(out.join(file)).unwrap().len() > 200, "{file}");
        let table: serde_json::Value =
            serde_json::from_str(&fs::read_to_string(out.join("kernels.json")).unwrap()).unwrap();
        assert!(table.as_array().unwrap().iter().all(|kernel| kernel["bindings"].is_array()));
    }
    let none = folder.path().join("none/deep");
    let refused = rotomask(&["kernels", "--language", "msl", "-o", none.to_str().unwrap()]);
    assert_refused(&refused, 1, &["deep: no folder for kernels"]);
}
