//! Whatever is wrong is said in one line, with a status that tells wrong arguments (2) from the rest (1), and
//! an output file that was there stays as it was.

// A helper that fails should fail its test.
#![allow(clippy::unwrap_used)]

mod common;

use std::{fs, path::Path};

use common::{Clip, Folder, WIDE, assert_refused, read_all, rotomask};

struct Place {
    folder: tempfile::TempDir,
    clip: String,
    out: String,
}

impl Folder for Place {
    fn folder(&self) -> &Path {
        self.folder.path()
    }
}

impl Place {
    /// A folder with a clip of ten frames and an old output.
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clip = Clip::steady(WIDE, 10).write(&folder.path().join("clip.mp4"));
        let out = folder.path().join("out.mp4");
        fs::write(&out, "old").unwrap();
        let text = |path: &Path| path.to_str().unwrap().to_owned();
        Self { clip: text(&clip), out: text(&out), folder }
    }

    /// Tracks the clip with further arguments, which must be refused.
    fn refused(&self, arguments: &[&str], status: i32, parts: &[&str]) {
        let all: Vec<&str> =
            ["track", &self.clip, "-o", &self.out].into_iter().chain(arguments.iter().copied()).collect();
        assert_refused(&rotomask(&all), status, parts);
        self.assert_untouched();
    }

    fn refused_input(&self, input: &str, parts: &[&str]) {
        assert_refused(&rotomask(&["track", input, "--point", "5,5", "-o", &self.out]), 1, parts);
        self.assert_untouched();
    }

    fn assert_untouched(&self) {
        assert_eq!(fs::read(&self.out).unwrap(), b"old");
        let left: Vec<String> =
            common::names(self.folder.path()).into_iter().filter(|n| n.contains("partial")).collect();
        assert!(left.is_empty(), "{left:?}");
    }
}

#[test]
fn a_missing_input_is_named() {
    let place = Place::new();
    place.refused_input(&place.path("none.mp4"), &["none.mp4: no such file or folder"]);
}

#[test]
fn files_that_are_no_video_are_refused() {
    let place = Place::new();
    for (name, content) in [("a.mp4", &b"not a video"[..]), ("b.txt", b"some text\n"), ("c.mkv", b"")] {
        fs::write(place.path(name), content).unwrap();
        place.refused_input(&place.path(name), &[name]);
    }
}

#[test]
fn an_empty_folder_is_refused() {
    let place = Place::new();
    fs::create_dir(place.path("empty")).unwrap();
    place.refused_input(&place.path("empty"), &["empty: it has no pictures, expected some of png"]);
}

#[test]
fn a_movie_without_frames_is_refused() {
    let place = Place::new();
    let empty = Clip::steady(WIDE, 0).write(&place.folder.path().join("empty.mov"));
    place.refused_input(empty.to_str().unwrap(), &["empty.mov: "]);
}

#[test]
fn an_mp4_without_its_index_is_refused() {
    let place = Place::new();
    let bytes = fs::read(&place.clip).unwrap();
    fs::write(place.path("half.mp4"), &bytes[..bytes.len() / 2]).unwrap();
    place.refused_input(&place.path("half.mp4"), &["half.mp4: FFmpeg can't read it as a video"]);
}

#[test]
fn an_mp4_with_its_index_in_front_cut_in_half_says_how_much_of_it_could_be_read() {
    let place = Place::new();
    let plain = Clip::steady(WIDE, 100).write(&place.folder.path().join("plain.mp4"));
    let whole = place.folder.path().join("whole.mp4");
    common::put_index_in_front(&plain, &whole);
    assert_eq!(read_all(&whole).unwrap().1.len(), 100);
    let bytes = fs::read(whole).unwrap();
    let half = place.path("half.mp4");
    fs::write(&half, &bytes[..bytes.len() / 2]).unwrap();
    let said = read_all(Path::new(&half)).unwrap_err().to_string();
    assert!(said.contains("half.mp4: it is cut short: "), "{said}");
    let parts: Vec<&str> = said.split_whitespace().collect();
    let read: u64 = parts[parts.iter().position(|p| *p == "frames").unwrap() - 1].parse().unwrap();
    assert!(said.ends_with(&format!("expected 100 (--end {} takes what there is)", read - 1)), "{said}");

    // The way out that the message offers.
    let mut source =
        rotomask_cli::source::Source::open(Path::new(&half), ffmpeg_next::Rational(25, 1)).unwrap();
    for _ in 0..read {
        source.skip().unwrap().unwrap();
    }
    assert!(source.at_end().is_err());
}

#[test]
fn a_webm_cut_in_half_says_how_much_of_it_could_be_read() {
    let place = Place::new();
    let path = Clip::steady(WIDE, 100).write(&place.folder.path().join("whole.webm"));
    let bytes = fs::read(path).unwrap();
    let half = place.path("half.webm");
    fs::write(&half, &bytes[..bytes.len() / 2]).unwrap();
    let said = read_all(Path::new(&half)).unwrap_err().to_string();
    assert!(said.contains("half.webm: it is cut short: "), "{said}");
    assert!(said.contains("frames could be read, expected 4.0"), "{said}");
    assert!(said.contains("(--end "), "{said}");
}

#[test]
fn wrong_arguments_are_told_from_wrong_files() {
    let place = Place::new();
    place.refused(
        &[],
        2,
        &["nothing to follow, expected at least one --point, --box or --mask, or --automatic"],
    );
    place.refused(&["--automatic", "--point", "5,5"], 2, &["--automatic", "cannot be used with"]);
    place.refused(
        &["--point", "5,5", "--every", "3"],
        2,
        &["--every 3: nothing is looked for, expected --automatic with it"],
    );
    place.refused(&["--box", "5,5,5,9"], 2, &["it has no area"]);
    place.refused(&["--point", "5"], 2, &["1 numbers, expected X,Y[@FRAME]"]);
    place.refused(&["--point", "5,5", "--feather", "-2"], 2, &["--feather -2: ", "expected 0 to 64 px"]);
    place.refused(
        &["--point", "5,5", "--set", "grow_px=65"],
        2,
        &["--set grow_px=65: ", "expected -64 to 64 px"],
    );
    place.refused(&["--point", "5,5", "--start", "5", "--end", "4"], 2, &["--end 4 comes before --start 5"]);
    place.refused(
        &["--point", "5,5@3", "--start", "5"],
        2,
        &["point 5,5 on frame 3: expected a frame from 5"],
    );
    place.refused(&["--point", "5,5@7", "--end", "6"], 2, &["expected a frame from 0 to 6"]);
    place.refused(&["--point", "5,5", "--view", "cutout"], 2, &["it has no alpha for the view cutout"]);
    place.refused(
        &["--point", "5,5", "--background", "gren"],
        2,
        &["neither a file, nor blur, nor plate, nor a colour"],
    );
    place.refused(&["--point", "5,5", "--background", "#12"], 2, &["expected #rgb, #rrggbb or #rrggbbaa"]);
}

#[test]
fn nothing_to_write_is_refused() {
    let place = Place::new();
    let output = rotomask(&["track", &place.clip, "--point", "5,5"]);
    assert_refused(&output, 2, &["nothing to write, expected -o, --masks, --json or --session"]);
}

#[test]
fn prompts_outside_the_frame_are_refused_with_its_size() {
    let place = Place::new();
    let outside = "it lies outside the frame, which is 322x182";
    place.refused(&["--point", "322,5"], 1, &["point 322,5 on frame 0: ", outside]);
    place.refused(&["--negative", "-1,5@2"], 1, &["negative -1,5 on frame 2: ", outside]);
    place.refused(&["--box", "0,0,322,183"], 1, &["it reaches out of the frame, which is 322x182"]);
}

#[test]
fn a_mask_of_another_size_and_one_that_is_none_are_refused() {
    let place = Place::new();
    let (small, broken) = (place.path("small.png"), place.path("broken.png"));
    image::GrayImage::from_pixel(182, 322, image::Luma([255])).save(&small).unwrap();
    fs::write(&broken, "no picture").unwrap();
    place.refused(&["--mask", &small], 1, &["small.png on frame 0: its size is 182x322, expected 322x182"]);
    place.refused(&["--mask", &broken], 1, &["broken.png: it can't be read as a picture"]);
    place.refused(&["--mask", &place.path("none.png")], 1, &["none.png: "]);
}

#[test]
fn a_start_beyond_the_end_is_refused_with_the_number_of_frames() {
    let place = Place::new();
    place.refused(
        &["--start", "10", "--point", "5,5"],
        1,
        &["clip.mp4: it has 10 frames, counted from 0, and --start is 10"],
    );
}

#[test]
fn outputs_that_cannot_be_are_refused() {
    let place = Place::new();
    let track = |out: &str| rotomask(&["track", &place.clip, "--point", "5,5", "-o", out]);
    fs::create_dir(place.path("folder.mp4")).unwrap();
    assert_refused(&track(&place.path("folder.mp4")), 1, &["it is a folder"]);
    assert_refused(&track(&place.path("none/out.mp4")), 1, &["there is no folder"]);
    assert_refused(&track(&place.path("out.avi")), 2, &[".mp4", ".mov", ".webm", "%05d.png"]);
    assert_refused(&track(&place.path("out.png")), 2, &["expected one number in the file's name"]);
}

#[test]
fn a_missing_or_foreign_library_is_named() {
    let place = Place::new();
    let none = place.path("librotomask.so");
    place.refused(
        &["--point", "5,5", "--library", &none],
        1,
        &["librotomask: --library names", "no such file"],
    );
    fs::write(&none, "no library").unwrap();
    place.refused(&["--point", "5,5", "--library", &none], 1, &["librotomask: "]);
}

#[test]
fn without_arguments_the_commands_are_listed() {
    let output = rotomask(&[]);
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        ["track", "matte", "parameters", "kernels", "info", "eval", "annotate"]
            .iter()
            .all(|command| said.contains(command)),
        "{said}"
    );
}

#[test]
fn a_session_can_not_be_listed_and_exported_as_json_at_once() {
    let output = rotomask(&["session", "shot.rotosession", "--json", "--export", "masks"]);
    assert_refused(&output, 2, &["--json", "--export"]);
}
