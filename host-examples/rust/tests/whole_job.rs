//! The whole job with the real library and model: what is written, what is reported, and what survives an error.
//!
//! `cargo xtask test` builds librotomask beside the program and names an ONNX Runtime.

// A helper that fails should fail its test.
#![allow(clippy::unwrap_used)]

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::{Clip, Folder, WIDE, assert_refused, names, pattern, read_all, rotomask};
use rotomask_cli::picture::Picture;

const NANO: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/rotomask-nano.rotomodel");

struct Place {
    folder: tempfile::TempDir,
    clip: String,
}

impl Folder for Place {
    fn folder(&self) -> &Path {
        self.folder.path()
    }
}

/// A disc on the first quarter of [`pattern`], where the tests click.
fn disc(index: u64) -> Picture {
    let mut picture = pattern(WIDE, index);
    for y in 0..WIDE.1 {
        for (x, pixel) in picture.row_mut(y as usize).chunks_exact_mut(4).enumerate() {
            if (x as i32 - 80).pow(2) + (y as i32 - 45).pow(2) < 32 * 32 {
                pixel.copy_from_slice(&[235, 205, 80, 255]);
            }
        }
    }
    picture
}

impl Place {
    fn new(frames: i64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clip = Clip::steady(WIDE, frames).write_painted(&folder.path().join("clip.mp4"), disc);
        Self { clip: clip.to_str().unwrap().to_owned(), folder }
    }

    /// Tracks the clip, which must work.
    fn track(&self, arguments: &[&str]) {
        let all: Vec<&str> = ["track", &self.clip].into_iter().chain(arguments.iter().copied()).collect();
        let output = rotomask(&all);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    fn refused(&self, arguments: &[&str], status: i32, parts: &[&str]) {
        let out = self.path("out.mp4");
        fs::write(&out, "old").unwrap();
        let all: Vec<&str> = ["track", &self.clip, "--point", "80,45", "-o", &out]
            .into_iter()
            .chain(arguments.iter().copied())
            .collect();
        assert_refused(&rotomask(&all), status, parts);
        assert_eq!(fs::read(&out).unwrap(), b"old");
        let left: Vec<_> = names(self.folder.path()).into_iter().filter(|n| n.contains("partial")).collect();
        assert!(left.is_empty(), "{left:?}");
    }
}

fn mask(folder: &str, name: &str) -> image::GrayImage {
    image::open(Path::new(folder).join(name)).unwrap().into_luma8()
}

fn json(path: &str) -> serde_json::Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn a_click_gives_a_movie_a_mask_for_each_frame_and_a_report() {
    let place = Place::new(12);
    let (out, masks, report) = (place.path("out.mp4"), place.path("masks"), place.path("report.json"));
    place.track(&[
        "--point",
        "80,45",
        "--background",
        "blur",
        "-o",
        &out,
        "--masks",
        &masks,
        "--json",
        &report,
    ]);

    let (info, frames) = read_all(Path::new(&out)).unwrap();
    assert_eq!(((info.width, info.height), frames.len()), (WIDE, 12));
    assert_eq!(names(Path::new(&masks)), (0..12).map(|n| format!("{n:05}.png")).collect::<Vec<_>>());
    let first = mask(&masks, "00000.png");
    assert_eq!(first.dimensions(), WIDE);
    assert!(first.pixels().all(|p| matches!(p.0[0], 0 | 255)));
    assert_eq!(first.get_pixel(80, 45).0, [255]);

    let report = json(&report);
    let frames = report["frames"].as_array().unwrap();
    assert_eq!((frames.len(), &report["summary"]["frames"]), (12, &12.into()));
    let area = first.pixels().filter(|p| p.0[0] == 255).count();
    assert_eq!((&frames[0]["prompted"], &frames[1]["prompted"]), (&true.into(), &false.into()));
    assert_eq!(frames[0]["area_px"], area);
    for frame in frames {
        assert!((0.0..=1.0).contains(&frame["predicted_iou"].as_f64().unwrap()), "{frame}");
        assert!(
            frame["object_score"].is_f64() && frame["box"].as_array().is_some_and(|b| b.len() == 4),
            "{frame}"
        );
        for stage in
            ["decode", "preprocess", "image_encoder", "mask_decoder", "memory_encoder", "matte", "encode"]
        {
            assert!(frame["ms"][stage].as_f64().unwrap() > 0.0, "{stage} in {frame}");
        }
    }
    assert!(frames[1]["ms"]["memory_attention"].as_f64().unwrap() > 0.0);
}

#[test]
fn a_range_writes_its_own_frames_under_the_numbers_of_the_source() {
    let place = Place::new(12);
    let (out, masks) = (place.path("out.mp4"), place.path("masks"));
    place.track(&["--start", "3", "--end", "7", "--point", "80,45", "-o", &out, "--masks", &masks]);
    assert_eq!(read_all(Path::new(&out)).unwrap().1.len(), 5);
    assert_eq!(names(Path::new(&masks)), ["00003.png", "00004.png", "00005.png", "00006.png", "00007.png"]);
}

#[test]
fn frames_before_the_first_prompt_are_empty_and_the_movie_keeps_its_length() {
    let place = Place::new(8);
    let (out, masks) = (place.path("out.mp4"), place.path("masks"));
    place.track(&["--point", "80,45@5", "-o", &out, "--masks", &masks]);
    assert_eq!(read_all(Path::new(&out)).unwrap().1.len(), 8);
    let area = |n: u32| mask(&masks, &format!("{n:05}.png")).pixels().filter(|p| p.0[0] == 255).count();
    assert_eq!((0..5).map(area).sum::<usize>(), 0);
    assert!((5..8).all(|n| area(n) > 0));
}

#[test]
fn a_mask_prompt_comes_back_as_it_was_given() {
    let place = Place::new(3);
    let given = place.path("given.png");
    image::GrayImage::from_fn(WIDE.0, WIDE.1, |x, y| image::Luma([if x < 161 && y < 91 { 255 } else { 0 }]))
        .save(&given)
        .unwrap();
    let masks = place.path("masks");
    place.track(&["--mask", &given, "--masks", &masks]);
    let (given, found) = (mask(".", &given), mask(&masks, "00000.png"));
    let both = given.pixels().zip(found.pixels());
    let (met, all) = both.fold((0, 0), |(met, all), (a, b)| {
        (met + u32::from(a.0[0].min(b.0[0]) > 0), all + u32::from(a.0[0].max(b.0[0]) > 0))
    });
    assert!(f64::from(met) / f64::from(all) > 0.97, "{met} of {all}");
}

#[test]
fn prompts_on_two_frames_are_both_answered() {
    let place = Place::new(8);
    let report = place.path("report.json");
    place.track(&["--point", "80,45", "--box", "5,5,150,80@4", "--negative", "250,150@4", "--json", &report]);
    let prompted: Vec<bool> =
        json(&report)["frames"].as_array().unwrap().iter().map(|f| f["prompted"] == true).collect();
    assert_eq!(prompted, [true, false, false, false, true, false, false, false]);
}

#[test]
fn numbered_pictures_go_in_and_come_out_with_alpha() {
    let place = Place::new(4);
    let frames = place.folder.path().join("frames");
    fs::create_dir(&frames).unwrap();
    for (index, (_, picture)) in read_all(Path::new(&place.clip)).unwrap().1.iter().enumerate() {
        let rows: Vec<u8> = (0..picture.height() as usize).flat_map(|y| picture.row(y).to_vec()).collect();
        // Not padded with zeros: 9 comes before 10.
        let path = frames.join(format!("shot.{}.png", index + 8));
        image::save_buffer(path, &rows, WIDE.0, WIDE.1, image::ExtendedColorType::Rgba8).unwrap();
    }
    let (out, masks) = (place.folder.path().join("out"), place.path("masks"));
    fs::create_dir(&out).unwrap();
    let pattern = out.join("%05d.png");
    let output = rotomask(&[
        "track",
        frames.to_str().unwrap(),
        "--point",
        "80,45",
        "-o",
        pattern.to_str().unwrap(),
        "--masks",
        &masks,
    ]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(names(&out).len(), 4);
    let (cut, mask) =
        (image::open(out.join(&names(&out)[0])).unwrap().into_rgba8(), mask(&masks, "00000.png"));
    assert_eq!(cut.get_pixel(80, 45).0[3], 255);
    let outside = mask.enumerate_pixels().filter(|(_, _, p)| p.0[0] == 0);
    let clear = outside.clone().filter(|(x, y, _)| cut.get_pixel(*x, *y).0[3] < 128).count();
    assert!(clear * 10 > outside.count() * 9, "most of what is outside the mask is clear");
}

#[test]
fn a_software_gpu_and_the_cpu_write_the_same_pictures() {
    let place = Place::new(3);
    let render = |gpu: &str| {
        let folder = place.folder.path().join(gpu);
        fs::create_dir(&folder).unwrap();
        let pattern = folder.join("%05d.png");
        let look =
            ["--gpu", gpu, "--grow", "2.5", "--feather", "3", "--view", "composite", "--background", "blur"];
        let job = ["--point", "80,45", "-o", pattern.to_str().unwrap()];
        place.track(&[look.as_slice(), job.as_slice()].concat());
        names(&folder)
            .iter()
            .map(|n| image::open(folder.join(n)).unwrap().into_rgba8().into_raw())
            .collect::<Vec<_>>()
    };
    let probe = rotomask(&[
        "track",
        &place.clip,
        "--point",
        "80,45",
        "--gpu",
        "software",
        "-o",
        &place.path("p.mp4"),
    ]);
    if !probe.status.success() && std::env::var_os("ROTOMASK_REQUIRE_GPU").is_none() {
        eprintln!("SKIPPED: no software adapter: {}", String::from_utf8_lossy(&probe.stderr));
        return;
    }
    assert!(render("software") == render("off"));
}

/// A copy of the default package with one byte of a graph turned.
fn broken_package(folder: &Path) -> PathBuf {
    let package = folder.join("broken.rotomodel");
    fs::create_dir(&package).unwrap();
    for name in names(Path::new(NANO)) {
        fs::copy(Path::new(NANO).join(&name), package.join(&name)).unwrap();
    }
    let graph = package.join("mask_decoder.onnx");
    let mut bytes = fs::read(&graph).unwrap();
    bytes[1000] ^= 1;
    fs::write(graph, bytes).unwrap();
    package
}

#[test]
fn a_package_that_is_broken_or_none_is_refused_and_the_output_stays() {
    let place = Place::new(2);
    let package = broken_package(place.folder.path());
    place.refused(&["--model", package.to_str().unwrap()], 1, &["mask_decoder.onnx", "SHA-256", "expected"]);
    place.refused(&["--model", &place.path("nothing.rotomodel")], 1, &["nothing.rotomodel/model.json"]);
    fs::write(package.join("model.json"), "{\"format\": 7}").unwrap();
    place.refused(&["--model", package.to_str().unwrap()], 1, &["model.json: `format` is 7, expected 1"]);
}

#[test]
fn an_onnx_runtime_that_is_missing_or_too_old_is_refused_and_the_output_stays() {
    let place = Place::new(2);
    let missing = place.path("libonnxruntime.so");
    place.refused(&["--onnxruntime", &missing], 1, &["ONNX Runtime: ", &missing, "no such file"]);
    let source = place.path("old.c");
    let text = "static const char *v(void) { return \"1.17.3\"; } static const void *a(unsigned n) { (void)n; return 0; } \
        static const struct { const void *(*a)(unsigned); const char *(*v)(void); } base = { a, v }; \
        const void *OrtGetApiBase(void) { return &base; }";
    fs::write(&source, text).unwrap();
    let old = place.path("old.so");
    assert!(Command::new("cc").args(["-shared", "-fPIC", "-o", &old, &source]).status().unwrap().success());
    place.refused(
        &["--onnxruntime", &old],
        1,
        &["ONNX Runtime: ", "is version 1.17.3, expected 1.31 or newer"],
    );
}

#[test]
#[cfg(unix)]
fn an_interrupt_completes_the_files_with_the_frames_that_are_done() {
    const FRAMES: i64 = 400;
    let place = Place::new(FRAMES);
    let (out, masks, report) = (place.path("out.mp4"), place.path("masks"), place.path("report.json"));
    let mut child = Command::new(env!("CARGO_BIN_EXE_rotomask"))
        .args(["track", &place.clip, "--point", "80,45", "-o", &out, "--masks", &masks, "--json", &report])
        .env_remove("ROTOMASK_LIBRARY")
        .spawn()
        .unwrap();
    let third = Path::new(&masks).join("00002.png");
    while !third.exists() && child.try_wait().unwrap().is_none() {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let interrupted = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(interrupted.success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let frames = read_all(Path::new(&out)).unwrap().1.len();
    assert!((3..FRAMES as usize).contains(&frames), "{frames}");
    let report = json(&report);
    assert_eq!(
        (&report["summary"]["frames"], &report["summary"]["interrupted"]),
        (&frames.into(), &true.into())
    );
    assert_eq!(names(Path::new(&masks)).len(), frames);
}

#[test]
fn evaluation_measures_masks_that_it_also_writes() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let inside = |x: u32, y: u32, n: u32| (x as f32 - 60.0 - 4.0 * n as f32).hypot(y as f32 - 50.0) < 25.0;
    for (kind, extension) in [("JPEGImages", "jpg"), ("Annotations", "png")] {
        let sequence = root.join(kind).join("480p/ball");
        fs::create_dir_all(&sequence).unwrap();
        for n in 0..6 {
            let picture = image::RgbImage::from_fn(161, 99, |x, y| match (inside(x, y, n), kind) {
                (true, "JPEGImages") => image::Rgb([240, 200, 60]),
                (false, "JPEGImages") => image::Rgb([20 + (x / 4) as u8, 40, 70]),
                (true, _) => image::Rgb([255; 3]),
                (false, _) => image::Rgb([0; 3]),
            });
            let path = sequence.join(format!("{n:05}.{extension}"));
            match kind {
                "Annotations" => image::DynamicImage::from(picture).into_luma8().save(path).unwrap(),
                _ => picture.save(path).unwrap(),
            }
        }
    }
    let (masks, report) = (root.join("masks"), root.join("report.json"));
    let [root_text, masks_text, report_text] = [root, &masks, &report].map(|p| p.to_str().unwrap());
    for prompt in ["mask", "click1", "box"] {
        let output =
            rotomask(&["eval", root_text, "--prompt", prompt, "--masks", masks_text, "--json", report_text]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert!(String::from_utf8_lossy(&output.stdout).contains("ball"));
        assert_eq!(names(&masks.join("ball")).len(), 6);
    }
    // The last masks are the box's; what is reported of them can be counted again.
    let report = json(report_text);
    let text = report.to_string();
    let mut sum = 0.0;
    for n in 1..5 {
        let found = image::open(masks.join(format!("ball/{n:05}.png"))).unwrap().into_luma8();
        let (mut met, mut all) = (0.0, 0.0);
        for (x, y, pixel) in found.enumerate_pixels() {
            let (truth, found) = (inside(x, y, n), pixel.0[0] > 127);
            met += f64::from(u8::from(truth && found));
            all += f64::from(u8::from(truth || found));
        }
        sum += met / all;
    }
    let mean = report["objects"][0]["figures"]["j"]["mean"].as_f64();
    assert!(mean.is_some_and(|mean| (mean - sum / 4.0).abs() < 1e-6), "{} in {text}", sum / 4.0);
}

#[test]
fn a_session_goes_on_with_what_is_in_it_and_gives_the_same_masks() {
    let place = Place::new(10);
    let (whole, part) = (place.path("whole"), place.path("part"));
    let session = place.path("shot.rotosession");
    place.track(&["--point", "80,45", "--masks", &whole]);
    place.track(&["--point", "80,45", "--end", "4", "--session", &session]);
    // The same command line again says nothing new, and without prompts it goes on too.
    place.track(&["--point", "80,45", "--end", "6", "--session", &session]);
    place.track(&["--session", &session, "--masks", &part]);
    for frame in 0..10 {
        let name = format!("{frame:05}.png");
        assert_eq!(mask(&whole, &name), mask(&part, &name), "{name}");
    }
}

#[test]
fn both_ways_the_frames_before_the_first_prompt_have_masks_too() {
    let place = Place::new(8);
    let masks = place.path("masks");
    place.track(&["--point", "80,45@5", "--both", "--masks", &masks]);
    for frame in 0..8 {
        let mask = mask(&masks, &format!("{frame:05}.png"));
        assert!(mask.pixels().any(|p| p.0[0] == 255), "frame {frame}");
    }
}

#[test]
fn a_session_of_another_clip_is_refused_and_keeps_what_it_had() {
    let place = Place::new(4);
    let session = place.path("shot.rotosession");
    place.track(&["--point", "80,45", "--session", &session]);
    let before = fs::read(&session).unwrap();
    let other = Clip::steady((64, 48), 4).write(&place.folder.path().join("other.mp4"));
    let arguments = ["track", other.to_str().unwrap(), "--point", "9,9", "--session", &session];
    assert_refused(&rotomask(&arguments), 1, &["shot.rotosession", "its frames' size is", "expected 64x48"]);
    assert_eq!(fs::read(&session).unwrap(), before);
}

#[test]
fn a_session_file_is_listed_checked_exported_and_salvaged() {
    let place = Place::new(6);
    let [session, masks, exported, fresh, damaged] =
        ["shot.rotosession", "masks", "exported", "new.rotosession", "damaged.rotosession"]
            .map(|n| place.path(n));
    place.track(&["--point", "80,45", "--session", &session, "--masks", &masks]);
    let before = fs::read(&session).unwrap();
    let said = |arguments: &[&str]| {
        let all: Vec<&str> = ["session", &session].into_iter().chain(arguments.iter().copied()).collect();
        let output = rotomask(&all);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let listing = said(&[]);
    for line in ["frames   322x182, masks 96x96 of 32 bits", "  said     0             1 on it", "seen on"] {
        assert!(listing.contains(line), "expected {line:?} in {listing}");
    }
    let told: serde_json::Value = serde_json::from_str(&said(&["--json"])).unwrap();
    assert_eq!(told["objects"][0]["ranges"][1]["last"], 5);
    assert!(said(&["--check"]).ends_with("all of it can be read\n"));
    assert!(said(&["--export", &exported]).ends_with("exported: 6 masks\n"));
    for name in names(Path::new(&masks)) {
        let found = fs::read(Path::new(&exported).join("1").join(&name)).unwrap();
        assert_eq!(found, fs::read(Path::new(&masks).join(&name)).unwrap(), "{name}");
    }
    assert!(said(&["--salvage", &fresh]).contains("1 objects, 1 prompted frames and 6 masks are saved"));
    assert_refused(
        &rotomask(&["session", &session, "--salvage", &fresh]),
        1,
        &["there is a file of this name"],
    );
    assert_eq!(fs::read(&session).unwrap(), before);

    let mut torn = before.clone();
    let place_of = |what: &[u8]| torn.windows(what.len()).rposition(|w| w == what);
    let plane = place_of(&[2, 0x28, 0xb5, 0x2f, 0xfd]).unwrap();
    torn[plane] = 99;
    fs::write(&damaged, &torn).unwrap();
    let checked = rotomask(&["session", &damaged, "--check"]);
    assert_refused(&checked, 1, &["one place is damaged; --salvage FILE"]);
    let problems = String::from_utf8(checked.stdout).unwrap();
    assert!(problems.contains("it is packed in the way 99, which is unknown"), "{problems}");
    assert_eq!(fs::read(&damaged).unwrap(), torn);
}

const SEARCH: [&str; 7] =
    ["--automatic", "--points-per-side", "6", "--pred-iou-thresh", "0.5", "--stability-score-thresh", "0.6"];

/// A folder of pictures: a disc over waves of grass, wide and odd, that moves to the right.
fn moving_disc(place: &Place, frames: u32) -> String {
    for frame in 0..frames {
        let picture = image::RgbImage::from_fn(241, 101, |x, y| {
            let (fx, fy) = (x as f32, y as f32);
            let wave = (fx * 0.2).sin() * (fy * 0.25).cos();
            match (fx - 110.0 - 2.0 * frame as f32).hypot(fy - 50.0) < 32.0 {
                true => image::Rgb([240, 60, 40]),
                false => {
                    image::Rgb([(90.0 + 40.0 * wave) as u8, (120.0 + 30.0 * (fx * 0.07).sin()) as u8, 90])
                }
            }
        });
        picture.save(place.made(&format!("frames/{frame:05}.png"))).unwrap();
    }
    place.path("frames")
}

#[test]
fn what_is_found_by_itself_is_followed_and_each_object_has_a_folder_of_masks() {
    let place = Place::new(1);
    let clip = moving_disc(&place, 6);
    let [out, masks, report, session, exported] =
        ["out.mp4", "masks", "report.json", "shot.rotosession", "exported"].map(|n| place.path(n));
    let follow = |more: &[&str]| {
        let job = ["track", &clip, "--every", "3", "--max-objects", "3", "--session", &session];
        let output = rotomask(&[job.as_slice(), &SEARCH, more].concat());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    follow(&["-o", &out, "--masks", &masks, "--json", &report]);
    assert_eq!(read_all(Path::new(&out)).unwrap().1.len(), 6);

    let report = json(&report);
    let objects = names(Path::new(&masks));
    assert!((1..=3).contains(&objects.len()), "{objects:?}");
    let last = &report["frames"][5];
    let mut inside = vec![false; 241 * 101];
    for object in &objects {
        let mask = mask(&masks, &format!("{object}/00005.png"));
        assert_eq!(mask.dimensions(), (241, 101));
        inside.iter_mut().zip(mask.pixels()).for_each(|(inside, pixel)| *inside |= pixel.0[0] == 255);
    }
    assert!(inside[50 * 241 + 120], "the disc's middle");
    assert_eq!(last["area_px"], inside.iter().filter(|inside| **inside).count());
    // What was found lies in the session as any other object does, and is not found again.
    let export = rotomask(&["session", &session, "--export", &exported]);
    assert!(export.status.success(), "{}", String::from_utf8_lossy(&export.stderr));
    for object in &objects {
        let name = format!("{object}/00005.png");
        assert_eq!(mask(&masks, &name), mask(&exported, &name), "{name}");
    }
    follow(&[]);
    let again = rotomask(&["session", &session, "--json"]);
    let again: serde_json::Value = serde_json::from_slice(&again.stdout).unwrap();
    assert_eq!(again["objects"].as_array().unwrap().len(), objects.len());
}

#[test]
fn a_search_that_finds_nothing_says_what_to_try() {
    let place = Place::new(2);
    let out = place.path("out.mp4");
    let strict = [
        "track",
        &place.clip,
        "--automatic",
        "--points-per-side",
        "2",
        "--pred-iou-thresh",
        "1",
        "--gpu",
        "off",
        "-o",
        &out,
    ];
    assert_refused(
        &rotomask(&strict),
        1,
        &["nothing was found on frame 0", "lower values of --pred-iou-thresh"],
    );
    assert!(!Path::new(&out).exists());
}

#[test]
fn the_model_is_described_with_the_form_of_its_graphs() {
    let output = rotomask(&["info"]);
    let said = String::from_utf8(output.stdout).unwrap();
    let row = said.lines().find(|line| line.starts_with("model.variant")).unwrap();
    assert!(row.ends_with("  std"), "{row}");
}
