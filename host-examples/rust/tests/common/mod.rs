//! What the integration tests share: clips made by the program's own sinks, and the program itself.
// Each test program uses a part; a helper that fails should fail its test.
#![allow(dead_code, clippy::unwrap_used)]

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
};

use ffmpeg_next::Rational;
use rotomask_cli::{
    convert::Colour,
    picture::Picture,
    sink::{Sink, Target},
    source::{ClipInfo, Frame, Source},
};

/// A wide, odd-looking size that swapped axes and packed rows can't survive; even, as 4:2:0 wants it.
pub const WIDE: (u32, u32) = (322, 182);

/// A test's own folder, and the files in it by name.
pub trait Folder {
    fn folder(&self) -> &Path;

    fn path(&self, name: &str) -> String {
        self.folder().join(name).to_str().unwrap().to_owned()
    }

    /// A place for a file, with the folders around it.
    fn made(&self, name: &str) -> PathBuf {
        let path = self.folder().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        path
    }
}

/// What a test clip is made of.
pub struct Clip {
    pub size: (u32, u32),
    pub time_base: Rational,
    /// In units of the time base, one for each frame.
    pub times: Vec<i64>,
    pub colour: Colour,
}

impl Clip {
    /// Frames at a constant 25 per second.
    pub fn steady(size: (u32, u32), frames: i64) -> Self {
        let times = (0..frames).map(|n| n * 40).collect();
        Self { size, time_base: Rational(1, 1000), times, colour: Colour::srgb() }
    }

    pub fn info(&self) -> ClipInfo {
        ClipInfo {
            width: self.size.0,
            height: self.size.1,
            frames: Some(self.times.len() as u64),
            time_base: self.time_base,
            rate: Rational(25, 1),
            pixel_aspect: Rational(1, 1),
            colour: self.colour,
        }
    }

    /// Writes the clip, each frame as [`pattern`] paints it.
    pub fn write(&self, path: &Path) -> PathBuf {
        self.write_painted(path, |index| pattern(self.size, index))
    }

    /// Writes the clip, each frame as `paint` paints it.
    pub fn write_painted(&self, path: &Path, paint: impl Fn(u64) -> Picture) -> PathBuf {
        let info = self.info();
        let mut sink = Sink::create(&Target::new(path).unwrap(), &info).unwrap();
        for (index, &time) in self.times.iter().enumerate() {
            let index = index as u64;
            let seconds = time as f64 * f64::from(self.time_base);
            let frame = Frame { index, time, seconds, ..Frame::default() };
            sink.write(&frame, &paint(index)).unwrap();
        }
        sink.finish().unwrap();
        path.to_owned()
    }
}

/// Colours by quarter of the frame, clockwise from the top left, so that no axis or channel can be mistaken.
/// The last quarter also tells the frame's number.
pub fn quarters(index: u64) -> [[u8; 4]; 4] {
    [[200, 40, 40, 255], [40, 180, 60, 128], [50, 60, 190, 0], [(40 + 12 * (index % 15)) as u8; 4]]
}

/// See [`quarters`].
pub fn pattern((width, height): (u32, u32), index: u64) -> Picture {
    let colours = quarters(index);
    let mut picture = Picture::new(width, height);
    for y in 0..height {
        for (x, pixel) in picture.row_mut(y as usize).chunks_exact_mut(4).enumerate() {
            let (right, below) = (x as u32 >= width / 2, y >= height / 2);
            let quarter = [[0, 1], [3, 2]][usize::from(below)][usize::from(right)];
            pixel.copy_from_slice(&colours[quarter]);
        }
    }
    picture
}

/// The pixels in the middle of each quarter, in [`quarters`]'s order.
pub fn middles(picture: &Picture) -> [[u8; 4]; 4] {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    [(1, 1), (3, 1), (3, 3), (1, 3)].map(|(x, y)| {
        let at = width * x / 4 * 4;
        picture.row(height * y / 4)[at..at + 4].try_into().unwrap()
    })
}

/// Reads a clip to its end.
pub fn read_all(path: &Path) -> rotomask_cli::Result<(ClipInfo, Vec<(Frame, Picture)>)> {
    let mut source = Source::open(path, Rational(25, 1))?;
    let mut frames = Vec::new();
    let mut picture = Picture::default();
    while let Some(frame) = source.next(&mut picture)? {
        frames.push((frame, picture.clone()));
    }
    Ok((*source.info(), frames))
}

/// Copies an MP4 of 25 frames a second so that its index comes before its frames, as for streaming.
pub fn put_index_in_front(from: &Path, to: &Path) {
    let mut input = ffmpeg_next::format::input(from).unwrap();
    let mut output = ffmpeg_next::format::output(to).unwrap();
    let parameters = input.stream(0).unwrap().parameters();
    output.add_stream(ffmpeg_next::codec::Id::None).unwrap().set_parameters(parameters);
    let mut options = ffmpeg_next::Dictionary::new();
    options.set("movflags", "faststart");
    output.write_header_with(options).unwrap();
    for (stream, mut packet) in input.packets() {
        // The demuxer leaves it open; without it the last frame would last no time and be left out.
        packet.set_duration(i64::from(stream.time_base().denominator()) / 25);
        packet.rescale_ts(stream.time_base(), output.stream(0).unwrap().time_base());
        packet.write_interleaved(&mut output).unwrap();
    }
    output.write_trailer().unwrap();
}

/// Writes a display matrix into an MP4: `(a b) (c d)` of its track's header, see ISO/IEC 14496-12, 8.3.2.
pub fn ask_to_be_turned(path: &Path, [a, b, c, d]: [i32; 4]) {
    const MATRIX: usize = 44; // From the box's type, in its version 0.
    let mut bytes = std::fs::read(path).unwrap();
    let header = bytes.windows(4).position(|w| w == b"tkhd").unwrap();
    assert_eq!(bytes[header + 4], 0, "the version");
    for (place, value) in [(0, a), (1, b), (3, c), (4, d)] {
        let at = header + MATRIX + place * 4;
        bytes[at..at + 4].copy_from_slice(&(value << 16).to_be_bytes());
    }
    std::fs::write(path, bytes).unwrap();
}

/// Asserts that `found` is `wanted` to within `tolerance` in every channel from `channels`.
pub fn assert_near(
    found: [u8; 4],
    wanted: [u8; 4],
    channels: std::ops::Range<usize>,
    tolerance: u8,
    what: &str,
) {
    for channel in channels {
        let off = found[channel].abs_diff(wanted[channel]);
        assert!(off <= tolerance, "{what}: found {found:?}, wanted {wanted:?} within {tolerance}");
    }
}

/// Runs the program without any library to load, unless `arguments` name one.
pub fn rotomask(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_rotomask"))
        .args(arguments)
        .env_remove("ROTOMASK_LIBRARY")
        .output()
        .unwrap()
}

/// Asserts that the program failed with `status` and one line on standard error that holds all of `parts`.
pub fn assert_refused(output: &Output, status: i32, parts: &[&str]) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(status), "{said}");
    assert_eq!(said.trim_end().lines().count(), 1, "{said}");
    assert!(said.starts_with("rotomask: "), "{said}");
    for part in parts {
        assert!(said.contains(part), "expected {part:?} in: {said}");
    }
}

/// The names in a folder, sorted.
pub fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}
