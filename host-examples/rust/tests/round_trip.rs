//! What is written can be read again: number of frames, colours, alpha, times.

// A helper that fails should fail its test.
#![allow(clippy::unwrap_used)]

mod common;

use std::path::Path;

use common::{Clip, WIDE, assert_near, middles, pattern, quarters, read_all};
use ffmpeg_next::{Rational, color};
use rotomask_cli::{
    convert::Colour,
    sink::{Sink, Target},
    source::Frame,
};

/// 8-bit YCbCr and a lossy encoder: plain areas come back within a few code values.
const LOSSY: u8 = 6;

fn written(clip: &Clip, name: &str) -> Vec<(Frame, rotomask_cli::picture::Picture)> {
    let folder = tempfile::tempdir().unwrap();
    let (info, frames) = read_all(&clip.write(&folder.path().join(name))).unwrap();
    assert_eq!((info.width, info.height), clip.size, "{name}");
    assert_eq!(frames.len(), clip.times.len(), "{name}");
    frames
}

fn assert_colours(
    frames: &[(Frame, rotomask_cli::picture::Picture)],
    channels: std::ops::Range<usize>,
    name: &str,
) {
    for (frame, picture) in frames {
        for (quarter, (found, wanted)) in middles(picture).into_iter().zip(quarters(frame.index)).enumerate()
        {
            let what = format!("{name}, frame {}, quarter {quarter}", frame.index);
            assert_near(found, wanted, channels.clone(), LOSSY, &what);
        }
    }
}

#[test]
fn mp4_keeps_every_frame_and_its_colours() {
    let frames = written(&Clip::steady(WIDE, 40), "a.mp4");
    assert_colours(&frames, 0..3, "mp4");
    assert!(frames.iter().all(|(_, picture)| middles(picture)[2][3] == 255), "mp4 has no alpha");
}

#[test]
fn alpha_survives_in_mov() {
    assert_colours(&written(&Clip::steady(WIDE, 5), "a.mov"), 0..4, "mov");
}

#[test]
fn alpha_survives_in_webm() {
    assert_colours(&written(&Clip::steady(WIDE, 12), "a.webm"), 0..4, "webm");
}

#[test]
fn mkv_gives_back_every_bit_of_colour_and_alpha() {
    let clip = Clip::steady((323, 97), 5);
    for (frame, picture) in written(&clip, "a.mkv") {
        assert!(picture.to_packed() == pattern(clip.size, frame.index).to_packed(), "frame {}", frame.index);
        assert_eq!(frame.time, 40 * frame.index as i64);
    }
}

#[test]
fn odd_sizes_survive_where_the_format_allows_them() {
    for name in ["a.mov", "a.webm"] {
        assert_colours(&written(&Clip::steady((323, 97), 3), name), 0..4, name);
    }
}

#[test]
fn an_odd_mp4_gains_a_row_and_a_column_and_keeps_its_colours() {
    let folder = tempfile::tempdir().unwrap();
    let clip = Clip::steady((323, 97), 3);
    let (info, frames) = read_all(&clip.write(&folder.path().join("a.mp4"))).unwrap();
    assert_eq!((info.width, info.height), (324, 98));
    assert_colours(&frames, 0..3, "mp4");
}

#[test]
fn full_range_and_each_matrix_come_back_as_the_same_colours() {
    for matrix in [color::Space::BT709, color::Space::SMPTE170M, color::Space::BT2020NCL] {
        for full_range in [false, true] {
            let colour = Colour { matrix, full_range, ..Colour::srgb() };
            let clip = Clip { colour, ..Clip::steady(WIDE, 3) };
            let folder = tempfile::tempdir().unwrap();
            let (info, frames) = read_all(&clip.write(&folder.path().join("a.mp4"))).unwrap();
            assert_eq!((info.colour.matrix, info.colour.full_range), (matrix, full_range));
            assert_colours(&frames, 0..3, &format!("{matrix:?}, full range {full_range}"));
        }
    }
}

#[test]
fn numbered_pictures_come_back_exactly() {
    let folder = tempfile::tempdir().unwrap();
    let clip = Clip::steady((323, 97), 3);
    let info = clip.info();
    let mut sink = Sink::create(&Target::new(&folder.path().join("%05d.png")).unwrap(), &info).unwrap();
    for index in [8, 9, 10] {
        sink.write(&Frame { index, ..Frame::default() }, &pattern(clip.size, index)).unwrap();
    }
    sink.finish().unwrap();
    assert_eq!(common::names(folder.path()), ["00008.png", "00009.png", "00010.png"]);
    let (_, frames) = read_all(folder.path()).unwrap();
    for (index, (_, picture)) in (8..).zip(&frames) {
        assert_eq!(picture.to_packed(), pattern(clip.size, index).to_packed());
    }
}

#[test]
fn uneven_times_survive_in_every_movie_format() {
    let times = vec![0, 40, 80, 200, 210, 330, 1000, 1033, 1500];
    for name in ["a.mp4", "a.mov", "a.webm"] {
        let clip = Clip { times: times.clone(), ..Clip::steady(WIDE, 0) };
        for ((frame, _), wanted) in written(&clip, name).iter().zip(&times) {
            let off = (frame.seconds - *wanted as f64 / 1e3).abs();
            assert!(off < 1.1e-3, "{name}, frame {}: {} s, wanted {wanted} ms", frame.index, frame.seconds);
        }
    }
}

#[test]
fn a_fine_time_base_keeps_uneven_times_apart() {
    let clip = Clip {
        time_base: Rational(1, 200_000),
        times: vec![0, 20_000, 20_003, 60_001],
        ..Clip::steady(WIDE, 0)
    };
    for ((frame, _), wanted) in written(&clip, "a.mp4").iter().zip(&clip.times) {
        let off = (frame.seconds - *wanted as f64 / 2e5).abs();
        assert!(off < 1e-5, "frame {}: {} s", frame.index, frame.seconds);
    }
}

#[test]
fn a_part_of_a_clip_begins_at_zero_and_a_whole_one_keeps_its_offset() {
    let folder = tempfile::tempdir().unwrap();
    let clip = Clip { times: vec![80, 120, 160], ..Clip::steady(WIDE, 0) };
    for (first_index, wanted) in [(0, 0.08), (50, 0.0)] {
        let path = folder.path().join("a.webm");
        let mut sink = Sink::create(&Target::new(&path).unwrap(), &clip.info()).unwrap();
        for (index, &time) in (first_index..).zip(&clip.times) {
            sink.write(&Frame { index, time, ..Frame::default() }, &pattern(WIDE, index)).unwrap();
        }
        sink.finish().unwrap();
        let mut file = ffmpeg_next::format::input(&path).unwrap();
        let first = file.packets().next().unwrap().1.pts().unwrap() as f64 / 1e3;
        assert!((first - wanted).abs() < 1e-3, "from frame {first_index} on: begins at {first} s");
    }
}

#[test]
fn a_movie_that_is_not_finished_leaves_the_old_file_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.mp4");
    std::fs::write(&path, "old").unwrap();
    let clip = Clip::steady(WIDE, 1);
    let mut sink = Sink::create(&Target::new(&path).unwrap(), &clip.info()).unwrap();
    sink.write(&Frame::default(), &pattern(WIDE, 0)).unwrap();
    drop(sink);
    assert_eq!(std::fs::read(&path).unwrap(), b"old");
    assert_eq!(common::names(folder.path()), ["a.mp4"]);
}

#[test]
fn a_frame_of_another_size_is_refused_with_both_sizes() {
    let folder = tempfile::tempdir().unwrap();
    let clip = Clip::steady(WIDE, 1);
    let target = Target::new(&folder.path().join("a.mp4")).unwrap();
    let mut sink = Sink::create(&target, &clip.info()).unwrap();
    let said = sink.write(&Frame::default(), &pattern((320, 182), 0)).unwrap_err().to_string();
    assert!(said.ends_with("a frame of 320x182 can't be written, expected 322x182"), "{said}");
}

#[test]
fn skipping_frames_counts_them_as_reading_does() {
    let folder = tempfile::tempdir().unwrap();
    let path = Clip::steady(WIDE, 10).write(&folder.path().join("a.mp4"));
    let mut source = rotomask_cli::source::Source::open(&path, Rational(25, 1)).unwrap();
    for _ in 0..7 {
        source.skip().unwrap();
    }
    let mut picture = rotomask_cli::picture::Picture::default();
    let frame = source.next(&mut picture).unwrap().unwrap();
    assert_eq!((frame.index, source.position()), (7, 8));
    assert_near(middles(&picture)[3], quarters(7)[3], 0..3, LOSSY, "frame 7");
    assert!((frame.seconds - 0.28).abs() < 1e-3);
}

#[test]
fn a_clip_that_asks_to_be_turned_is_read_upright() {
    let folder = tempfile::tempdir().unwrap();
    let path = Clip::steady(WIDE, 2).write(&folder.path().join("a.mp4"));
    let [top_left, top_right, bottom_right, bottom_left] = quarters(0);
    for (matrix, size, wanted) in [
        // A quarter turn clockwise, as from a phone held upright.
        ([0, 1, -1, 0], (182, 322), [bottom_left, top_left, top_right, bottom_right]),
        ([-1, 0, 0, -1], (322, 182), [bottom_right, bottom_left, top_left, top_right]),
        ([0, -1, 1, 0], (182, 322), [top_right, bottom_right, bottom_left, top_left]),
    ] {
        common::ask_to_be_turned(&path, matrix);
        let (info, frames) = read_all(&path).unwrap();
        assert_eq!((info.width, info.height), size, "{matrix:?}");
        for (found, wanted) in middles(&frames[0].1).into_iter().zip(wanted) {
            assert_near(found, wanted, 0..3, LOSSY, &format!("{matrix:?}"));
        }
    }
}

#[test]
fn an_oblique_angle_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = Clip::steady(WIDE, 2).write(&folder.path().join("a.mp4"));
    common::ask_to_be_turned(&path, [1, 1, -1, 1]);
    let said = read_all(&path).unwrap_err().to_string();
    assert!(
        said.ends_with("it asks to be shown at an odd angle, expected quarter turns or mirror images"),
        "{said}"
    );
}

#[test]
fn a_missing_folder_for_pictures_is_told_before_any_work() {
    let target = Target::new(Path::new("no/such/folder/%05d.png")).unwrap();
    assert!(target.check_place().unwrap_err().to_string().contains("there is no folder no/such/folder"));
}
