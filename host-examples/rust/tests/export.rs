//! `rotomask export`: a session of two objects, written in every form and read back.
//!
//! `cargo xtask test` builds librotomask beside the program and names an ONNX Runtime.

// A helper that fails should fail its test.
#![allow(clippy::unwrap_used)]

mod common;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::{Arc, OnceLock},
};

use common::{Folder, assert_refused, names, read_all, rotomask};
use exr::prelude::{FlatSamples, ReadChannels, ReadLayers};
use ffmpeg_next::{codec, format::Pixel, frame::Video, media};
use rotomask_cli::{
    library::{
        Combine, Image, ImageMut, Keep, Library, MaskKind, Matte, MatteJob, MatteLayer, MatteSettings, Model,
        ModelOptions, Session, SessionFile,
    },
    picture::Picture,
};

/// Wide and odd.
const SIZE: (u32, u32) = (161, 99);
const PIXELS: usize = (SIZE.0 * SIZE.1) as usize;
const FRAMES: u64 = 6;
/// The second object appears here.
const LATER: u64 = 2;

/// A session of two discs, and the frames that were tracked. Made once, only read.
struct Shot {
    folder: tempfile::TempDir,
    library: Arc<Library>,
}

impl Folder for Shot {
    fn folder(&self) -> &Path {
        self.folder.path()
    }
}

fn library() -> Arc<Library> {
    let name = format!("{}rotomask{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
    Library::open(Some(&Path::new(env!("CARGO_BIN_EXE_rotomask")).with_file_name(name))).unwrap()
}

fn plate(frame: u64) -> image::RgbImage {
    image::RgbImage::from_fn(SIZE.0, SIZE.1, |x, y| {
        let (fx, fy, n) = (x as f32, y as f32, frame as f32);
        match ((fx - 45.0 - n).hypot(fy - 50.0) < 22.0, (fx - 115.0 + n).hypot(fy - 45.0) < 18.0) {
            (true, _) => image::Rgb([240, 60, 40]),
            (_, true) => image::Rgb([60, 90, 230]),
            _ => image::Rgb([(70 + x / 8) as u8, 110, (80 + y / 4) as u8]),
        }
    })
}

fn shot() -> &'static Shot {
    static SHOT: OnceLock<Shot> = OnceLock::new();
    SHOT.get_or_init(|| {
        let shot = Shot { folder: tempfile::tempdir().unwrap(), library: library() };
        let options =
            ModelOptions { threads: 0, onnxruntime: None, providers: "cpu", device: 0, deterministic: false };
        let model = Model::open(&shot.library, None, options).unwrap();
        let file = PathBuf::from(shot.path("shot.rotosession"));
        let mut session = Session::open_keeping(&model, [SIZE.0, SIZE.1], Keep::File(&file), true).unwrap();
        session.add_object(1, "ball.left").unwrap();
        session.add_object(2, "größe").unwrap();
        session.click(1, 0, [45.0, 50.0], true).unwrap();
        session.click(2, LATER, [115.0 - LATER as f32, 45.0], true).unwrap();
        for frame in 0..FRAMES {
            let plate = plate(frame);
            plate.save(shot.made(&format!("plate/{frame:05}.png"))).unwrap();
            let rgba = image::DynamicImage::from(plate).into_rgba8();
            let picture = Picture::from_packed(SIZE.0, SIZE.1, rgba.as_raw());
            session.push(frame, &Image::from(&picture)).unwrap();
        }
        shot
    })
}

/// A folder for what a test writes.
struct Place(tempfile::TempDir);

impl Folder for Place {
    fn folder(&self) -> &Path {
        self.0.path()
    }
}

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// Exports without a GPU, which must work, and gives what was said.
    fn export(&self, output: &str, arguments: &[&str]) -> String {
        let (session, output) = (shot().path("shot.rotosession"), self.path(output));
        let all = [["export", &session, "-o", &output, "--gpu", "off"].as_slice(), arguments].concat();
        let output = rotomask(&all);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{said}");
        said
    }

    fn deep(&self, name: &str) -> Vec<u16> {
        match image::open(self.path(name)).unwrap() {
            image::DynamicImage::ImageLuma16(grey) => grey.into_raw(),
            other => panic!("{name}: {:?}", other.color()),
        }
    }
}

/// Coverage in 16 bits as the chain itself gives it, from the masks in the session's file and those around.
fn wanted(objects: &[u32], frame: u64, set: &[(&str, &str)]) -> Vec<u16> {
    let shot = shot();
    let file = SessionFile::open(&shot.library, Path::new(&shot.path("shot.rotosession"))).unwrap();
    let read = |object: u32, frame: u64| {
        let [width, height] = file.result(object, frame).ok()?.logits;
        let mut logits = vec![0.0; (width * height) as usize];
        file.logits(object, frame, &mut ImageMut::floats(width, height, &mut logits).unwrap()).unwrap();
        Some((width, height, logits))
    };
    let masks: Vec<BTreeMap<i32, _>> = objects
        .iter()
        .map(|object| {
            let at = |offset: i32| Some((offset, read(*object, frame.checked_add_signed(offset.into())?)?));
            (-2..=2).filter_map(at).collect()
        })
        .collect();
    let image = |(width, height, logits): &'_ (u32, u32, Vec<f32>)| {
        let logits: &'static [f32] = Vec::leak(logits.clone());
        Image::floats(*width, *height, logits).unwrap()
    };
    let layers = masks.iter().filter_map(|own| {
        let around = own.iter().filter(|(offset, _)| **offset != 0);
        Some(MatteLayer {
            kind: MaskKind::Logits,
            mask: image(own.get(&0)?),
            neighbours: around.map(|(offset, mask)| (*offset, image(mask))).collect(),
            combine: Combine::Add,
        })
    });
    let black = Picture::new(SIZE.0, SIZE.1);
    let job = MatteJob { layers: layers.collect(), ..MatteJob::new(frame, Image::from(&black)) };
    let mut settings = MatteSettings::open(&shot.library, None).unwrap();
    settings.set("view", "matte").unwrap();
    set.iter().for_each(|(id, value)| settings.set(id, value).unwrap());
    let mut found = vec![0; PIXELS];
    let mut matte = Matte::open(&shot.library, "off", None).unwrap();
    matte.render(&job, &settings, &mut ImageMut::gray16(SIZE.0, SIZE.1, &mut found).unwrap()).unwrap();
    found
}

fn covered(coverage: &[u16]) -> usize {
    coverage.iter().filter(|c| **c > 32767).count()
}

/// A movie's frames as its decoder gives them, plane by plane without gaps.
fn decoded(path: &str, pixel: Pixel, bytes: usize) -> Vec<Vec<Vec<u8>>> {
    ffmpeg_next::init().unwrap();
    let mut input = ffmpeg_next::format::input(Path::new(path)).unwrap();
    let stream = input.streams().best(media::Type::Video).unwrap();
    let context = codec::Context::from_parameters(stream.parameters()).unwrap();
    let mut decoder = context.decoder().video().unwrap();
    let (mut frames, mut frame) = (Vec::new(), Video::empty());
    let packets: Vec<_> = input.packets().map(|(_, packet)| packet).collect();
    let mut drain = |decoder: &mut ffmpeg_next::decoder::Video| {
        while decoder.receive_frame(&mut frame).is_ok() {
            assert_eq!(frame.format(), pixel);
            let plane = |plane: usize| {
                let rows = frame.data(plane).chunks(frame.stride(plane)).take(SIZE.1 as usize);
                rows.flat_map(|row| row[..SIZE.0 as usize * bytes].to_vec()).collect()
            };
            frames.push((0..frame.planes()).map(plane).collect());
        }
    };
    for packet in packets {
        decoder.send_packet(&packet).unwrap();
        drain(&mut decoder);
    }
    decoder.send_eof().unwrap();
    drain(&mut decoder);
    frames
}

fn words(bytes: &[u8]) -> Vec<u16> {
    bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect()
}

#[test]
fn a_session_file_tells_each_answer_and_what_it_has_not() {
    let shot = shot();
    let file = SessionFile::open(&shot.library, Path::new(&shot.path("shot.rotosession"))).unwrap();
    let known = file.result(1, 0).unwrap();
    assert!(known.prompted && known.seen && known.logits == [96, 96], "{known:?}");
    assert!(!file.result(1, 1).unwrap().prompted);
    let said = file.result(2, 0).unwrap_err().to_string();
    assert!(said.ends_with("object 2 has no mask on frame 0"), "{said}");
    let mut logits = vec![0.0; 63];
    let mut narrow = ImageMut::floats(9, 7, &mut logits).unwrap();
    let said = file.logits(1, 0, &mut narrow).unwrap_err().to_string();
    assert!(said.contains("the logits' image is 9x7, expected 96x96"), "{said}");
}

#[test]
fn sixteen_bits_of_png_are_the_chains_own_and_each_object_has_its_folder() {
    let place = Place::new();
    let said = place.export("m/%05d.png", &["--apart", "--depth", "16"]);
    assert!(said.contains(r#"ball_left is "ball.left", gr_e is "größe""#), "{said}");
    assert_eq!(names(Path::new(&place.path("m"))), ["ball_left", "gr_e"]);
    for frame in 0..FRAMES {
        let (left, right) = (wanted(&[1], frame, &[]), wanted(&[2], frame, &[]));
        assert!(place.deep(&format!("m/ball_left/{frame:05}.png")) == left, "frame {frame}");
        assert!(place.deep(&format!("m/gr_e/{frame:05}.png")) == right, "frame {frame}");
        // The discs have 1520 and 1018 pixels; before its prompt an object's matte is empty.
        assert!((700..4000).contains(&covered(&left)), "{}", covered(&left));
        assert_eq!(covered(&right) > 300, frame >= LATER, "frame {frame}: {}", covered(&right));
    }
    place.export("t/%05d.png", &[]);
    let (all, both) = (wanted(&[1, 2], 4, &[]), image::open(place.path("t/00004.png")).unwrap());
    assert_eq!(both.color(), image::ColorType::L8);
    let off =
        both.as_luma8().unwrap().iter().zip(&all).map(|(c, w)| (u16::from(*c) * 257).abs_diff(*w)).max();
    assert!(off.unwrap() <= 129, "{off:?}");
}

#[test]
fn settings_and_the_frames_around_are_followed() {
    let place = Place::new();
    fs::write(place.path("look.json"), r#"{"view": "status", "grow_px": 3, "dechatter": 100}"#).unwrap();
    let look = place.path("look.json");
    let arguments = ["--depth", "16", "--preset", &look, "--set", "grow_px=-1", "--set", "motion_blur=180"];
    place.export("m/%d.png", &[arguments.as_slice(), &["--object", "ball.left"]].concat());
    let set = [("grow_px", "-1"), ("motion_blur", "180"), ("dechatter", "100")];
    for frame in 0..FRAMES {
        assert!(place.deep(&format!("m/{frame}.png")) == wanted(&[1], frame, &set), "frame {frame}");
    }
    assert!(place.deep("m/3.png") != wanted(&[1], 3, &set[..2]), "the frames around change something");
}

#[test]
fn objects_and_frames_are_those_that_were_asked_for() {
    let place = Place::new();
    place.export("m/%03d.png", &["--object", "2", "--depth", "16"]);
    assert_eq!(names(Path::new(&place.path("m"))), ["002.png", "003.png", "004.png", "005.png"]);
    place.export("n/%03d.png", &["--object", "größe", "--first", "1", "--last", "7", "--depth", "16"]);
    assert_eq!(names(Path::new(&place.path("n"))).len(), 7);
    assert!(place.deep("n/004.png") == place.deep("m/004.png"));
    assert!([1, 6, 7].iter().all(|n| place.deep(&format!("n/00{n}.png")).iter().all(|c| *c == 0)));
}

struct Exr {
    channels: BTreeMap<String, Vec<f32>>,
    deep: Vec<String>,
    text: BTreeMap<String, String>,
}

fn read_exr(path: &str) -> Exr {
    let image = exr::prelude::read()
        .no_deep_data()
        .largest_resolution_level()
        .all_channels()
        .first_valid_layer()
        .all_attributes()
        .from_file(path)
        .unwrap();
    let list = &image.layer_data.channel_data.list;
    let deep = list.iter().filter(|c| matches!(c.sample_data, FlatSamples::F32(_)));
    let all = image.attributes.other.iter().chain(&image.layer_data.attributes.other);
    let text = all.filter_map(|(name, value)| Some((name.to_string(), value.to_text().ok()?.to_string())));
    Exr {
        deep: deep.map(|c| c.name.to_string()).collect(),
        channels: list
            .iter()
            .map(|c| (c.name.to_string(), c.sample_data.values_as_f32().collect()))
            .collect(),
        text: text.collect(),
    }
}

/// Half floats have 11 bits; where coverage is below their normal range the step is 2^-24.
fn assert_half(found: &[f32], wanted: &[u16], what: &str) {
    for (found, wanted) in found.iter().zip(wanted) {
        let wanted = f32::from(*wanted) / 65535.0;
        assert!((found - wanted).abs() <= wanted / 2048.0 + 1e-7, "{what}: {found}, wanted {wanted}");
    }
}

/// What a Cryptomatte reader does: the coverage of all ranks with this number.
fn picked(exr: &Exr, id: f32) -> Vec<f32> {
    let channel = |name: String| exr.channels.get(&name);
    let mut sum = vec![0.0; PIXELS];
    for layer in 0.. {
        let Some(ids) = channel(format!("CryptoObject{layer:02}.R")) else { break };
        for (ids, coverage) in [(Some(ids), "G"), (channel(format!("CryptoObject{layer:02}.B")), "A")] {
            let coverage = channel(format!("CryptoObject{layer:02}.{coverage}")).unwrap();
            let pixels = sum.iter_mut().zip(ids.unwrap()).zip(coverage);
            pixels.filter(|((_, here), _)| **here == id).for_each(|((sum, _), coverage)| *sum += coverage);
        }
    }
    sum
}

#[test]
fn an_exr_has_layers_a_combined_matte_and_cryptomatte() {
    let place = Place::new();
    place.export("m/shot.%04d.exr", &["--fps", "24"]);
    assert_eq!(names(Path::new(&place.path("m"))).len(), FRAMES as usize);
    for frame in [0, 4] {
        let exr = read_exr(&place.path(&format!("m/shot.{frame:04}.exr")));
        let crypto = ["A", "B", "G", "R"].map(|c| format!("CryptoObject00.{c}"));
        assert_eq!(exr.deep, crypto);
        let all = wanted(&[1, 2], frame, &[]);
        ["R", "G", "B", "A"].iter().for_each(|name| assert_half(&exr.channels[*name], &all, name));
        let manifest: BTreeMap<String, String> =
            serde_json::from_str(&exr.text["cryptomatte/3ae39a5/manifest"]).unwrap();
        assert_eq!(manifest.keys().collect::<Vec<_>>(), ["ball.left", "größe"]);
        for (object, layer, name) in [(1, "ball_left.A", "ball.left"), (2, "gr_e.A", "größe")] {
            let own = wanted(&[object], frame, &[]);
            assert_half(&exr.channels[layer], &own, layer);
            // Picked by its name, the object has its own matte, with nothing lost.
            let id = f32::from_bits(u32::from_str_radix(&manifest[name], 16).unwrap());
            let exact: Vec<f32> = own.iter().map(|c| f32::from(*c) / 65535.0).collect();
            assert!(picked(&exr, id) == exact, "{name} on frame {frame}");
        }
    }
}

#[test]
fn ffmpeg_reads_the_exr_too() {
    let place = Place::new();
    place.export("m/%05d.exr", &[]);
    let (info, frames) = read_all(&place.folder().join("m/%05d.exr")).unwrap();
    assert_eq!(((info.width, info.height), frames.len()), (SIZE, FRAMES as usize));
    for (frame, (_, picture)) in (0..).zip(&frames) {
        let packed = picture.to_packed();
        let alpha = packed.chunks_exact(4).map(|pixel| pixel[3]);
        let off = alpha.zip(wanted(&[1, 2], frame, &[])).map(|(a, w)| (u16::from(a) * 257).abs_diff(w)).max();
        assert!(off.unwrap() <= 2 * 257, "frame {frame}: {off:?}");
    }
}

#[test]
fn with_a_plate_the_exr_holds_premultiplied_light() {
    let (place, plates) = (Place::new(), shot().path("plate"));
    place.export("m/%05d.exr", &["--plate", &plates]);
    let (exr, all, plate) = (read_exr(&place.path("m/00003.exr")), wanted(&[1, 2], 3, &[]), plate(3));
    let light = |code: u8| {
        let code = f32::from(code) / 255.0;
        if code <= 0.04045 { code / 12.92 } else { ((code + 0.055) / 1.055).powf(2.4) }
    };
    assert_half(&exr.channels["A"], &all, "A");
    for (pixel, (alpha, colour)) in all.iter().zip(plate.pixels()).enumerate() {
        let alpha = f32::from(*alpha) / 65535.0;
        for (name, code) in ["R", "G", "B"].iter().zip(colour.0) {
            let (found, wanted) = (exr.channels[*name][pixel], light(code) * alpha);
            assert!((found - wanted).abs() <= wanted / 1024.0 + 2e-5, "{name}: {found}, wanted {wanted}");
        }
    }
}

#[test]
fn ffv1_loses_nothing() {
    let (place, plates) = (Place::new(), shot().path("plate"));
    place.export("grey.mkv", &[]);
    place.export("grey8.mkv", &["--depth", "8"]);
    place.export("colour.mkv", &["--plate", &plates]);
    place.export("colour8.mkv", &["--plate", &plates, "--depth", "8"]);
    let grey = decoded(&place.path("grey.mkv"), Pixel::GRAY16LE, 2);
    let grey8 = decoded(&place.path("grey8.mkv"), Pixel::GRAY8, 1);
    // Green, blue, red and alpha, as FFmpeg orders them.
    let colour = decoded(&place.path("colour.mkv"), Pixel::GBRAP16LE, 2);
    let colour8 = read_all(Path::new(&place.path("colour8.mkv"))).unwrap().1;
    assert_eq!([grey.len(), grey8.len(), colour.len(), colour8.len()], [FRAMES as usize; 4]);
    for frame in 0..FRAMES {
        let (all, at, plate) = (wanted(&[1, 2], frame, &[]), frame as usize, plate(frame));
        assert!(words(&grey[at][0]) == all, "frame {frame}");
        assert!(words(&colour[at][3]) == all, "frame {frame}");
        let codes = grey8[at][0].iter().zip(&all);
        assert!(codes.clone().all(|(c, w)| (u16::from(*c) * 257).abs_diff(*w) <= 129), "frame {frame}");
        let packed = colour8[at].1.to_packed();
        assert!(packed.chunks_exact(4).map(|pixel| pixel[3]).eq(grey8[at][0].iter().copied()));
        // Straight: where all of a pixel is the object's, it is the plate's own.
        let planes: Vec<Vec<u16>> = [2, 0, 1].map(|plane| words(&colour[at][plane])).into();
        for (pixel, alpha) in all.iter().enumerate().filter(|(_, alpha)| **alpha == 65535) {
            let rgb = plate.as_raw()[pixel * 3..pixel * 3 + 3].to_vec();
            assert_eq!(packed[pixel * 4..pixel * 4 + 3], rgb, "{alpha}");
            let wide: Vec<u16> = planes.iter().map(|plane| plane[pixel]).collect();
            assert_eq!(wide, rgb.iter().map(|code| u16::from(*code) * 257).collect::<Vec<_>>());
        }
    }
}

#[test]
fn prores_and_vp9_carry_the_matte_as_alpha() {
    let (place, plates) = (Place::new(), shot().path("plate"));
    for (suffix, most, mean) in [("mov", 1, 0.5), ("webm", 90, 1.0)] {
        for (name, more) in [("white", vec![]), ("plate", vec!["--plate", plates.as_str()])] {
            let file = format!("{name}.{suffix}");
            place.export(&file, &more);
            let (info, frames) = read_all(Path::new(&place.path(&file))).unwrap();
            assert_eq!(((info.width, info.height), frames.len()), (SIZE, FRAMES as usize));
            for (frame, (_, picture)) in (0..).zip(&frames) {
                let (all, packed) = (wanted(&[1, 2], frame, &[]), picture.to_packed());
                let off: Vec<u16> = packed
                    .chunks_exact(4)
                    .zip(&all)
                    .map(|(pixel, wanted)| (u16::from(pixel[3]) * 257).abs_diff(*wanted) / 257)
                    .collect();
                let sum = off.iter().map(|off| f64::from(*off)).sum::<f64>() / PIXELS as f64;
                let worst = off.iter().max().unwrap();
                assert!(*worst <= most && sum <= mean, "{file}, frame {frame}: {worst} at worst, {sum:.3}");
                let middle = (50 * SIZE.0 as usize + 45 + frame as usize) * 4;
                let wanted = if name == "white" { [255; 3] } else { [240, 60, 40] };
                let near = packed[middle..middle + 3].iter().zip(wanted).all(|(a, b)| a.abs_diff(b) <= 6);
                assert!(near, "{file}: {:?}, wanted {wanted:?}", &packed[middle..middle + 3]);
            }
        }
    }
}

#[test]
fn edges_are_refined_by_the_plate() {
    let (place, plates) = (Place::new(), shot().path("plate"));
    let refined = ["--plate", plates.as_str(), "--set", "refine_px=12", "--depth", "16", "--object", "1"];
    place.export("m/%d.png", &refined);
    // The clicked frame: a mask that has run over by the time it is tracked is no edge's to mend.
    let disc = |x: usize, y: usize| (x as f32 - 45.0).hypot(y as f32 - 50.0) < 22.0;
    let truth: Vec<u16> = (0..PIXELS).map(|at| if disc(at % 161, at / 161) { 65535 } else { 0 }).collect();
    let off = |found: &[u16]| -> f64 {
        found.iter().zip(&truth).map(|(a, b)| f64::from(a.abs_diff(*b)) / 65535.0).sum()
    };
    let (refined, plain) = (off(&place.deep("m/0.png")), off(&wanted(&[1], 0, &[])));
    assert!(refined < plain, "{refined:.0} pixels off, {plain:.0} without the plate");
}

#[test]
fn what_can_not_be_is_refused_and_the_output_keeps_what_it_had() {
    let place = Place::new();
    let (session, out) = (shot().path("shot.rotosession"), place.path("old.mkv"));
    fs::write(&out, "old").unwrap();
    let refused = |arguments: &[&str], status: i32, parts: &[&str]| {
        let all = [["export", &session, "-o", &out, "--gpu", "off"].as_slice(), arguments].concat();
        assert_refused(&rotomask(&all), status, parts);
        assert_eq!(fs::read(&out).unwrap(), b"old");
        assert_eq!(names(place.folder()).iter().filter(|name| name.contains("partial")).count(), 0);
    };
    let small = place.made("small/0.png");
    image::RgbImage::new(64, 48).save(&small).unwrap();
    let (small, plates) = (place.path("small"), shot().path("plate"));
    refused(&["--object", "arm"], 2, &["--object arm: there is no such object", "1 (ball.left), 2 (größe)"]);
    refused(&["--first", "4", "--last", "3"], 2, &["nothing lies from frame 4 to 3"]);
    refused(&["--set", "refine_px=8"], 2, &["refine_px looks for the edge in the plate, expected --plate"]);
    refused(&["--set", "grow=1"], 2, &["--set grow=1: preset: there is no parameter"]);
    refused(&["--plate", &small], 1, &["small: its frames are 64x48, expected 161x99 as in the session"]);
    refused(
        &["--plate", &plates, "--last", "9"],
        1,
        &["plate: it has no frame 6, its last is 5; --last says where to stop"],
    );
    refused(&["--depth", "12"], 2, &["found 12, expected 8 or 16"]);
    refused(&["--apart"], 2, &["--apart is for .png"]);
    let none = place.path("none.rotosession");
    assert_refused(&rotomask(&["export", &none, "-o", &out, "--gpu", "off"]), 1, &["none.rotosession"]);
    let deep = place.path("no/such/%d.exr");
    assert_refused(
        &rotomask(&["export", &session, "-o", &deep, "--gpu", "off"]),
        1,
        &["no folder for mattes"],
    );
}

#[test]
#[cfg(unix)]
fn an_interrupt_keeps_what_is_finished() {
    let place = Place::new();
    let session = shot().path("shot.rotosession");
    for name in ["m/%06d.png", "long.mkv"] {
        let output = place.path(name);
        let mut child = Command::new(env!("CARGO_BIN_EXE_rotomask"))
            .args(["export", &session, "--gpu", "off", "--last", "200000", "--depth", "8", "-o", &output])
            .env_remove("ROTOMASK_LIBRARY")
            .spawn()
            .unwrap();
        let begun = || match name {
            "long.mkv" => {
                let large = |entry: fs::DirEntry| entry.metadata().is_ok_and(|file| file.len() > 30_000);
                let mut files = fs::read_dir(place.folder()).unwrap().map(Result::unwrap);
                files.any(|entry| entry.file_name().to_string_lossy().contains("partial") && large(entry))
            }
            _ => Path::new(&place.path("m/000002.png")).exists(),
        };
        while !begun() && child.try_wait().unwrap().is_none() {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
        assert_eq!(child.wait().unwrap().code(), Some(130), "{name}");
        let frames = match name {
            "long.mkv" => read_all(Path::new(&output)).unwrap().1.len(),
            _ => {
                let written = names(Path::new(&place.path("m")));
                let last = written.last().unwrap();
                assert!(image::open(Path::new(&place.path("m")).join(last)).is_ok());
                written.len()
            }
        };
        assert!((3..200_000).contains(&frames), "{name}: {frames}");
        assert!(!names(place.folder()).iter().any(|name| name.contains("partial")));
    }
}
