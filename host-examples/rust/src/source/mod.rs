//! Where frames come from: any video that FFmpeg opens, or a folder of numbered pictures.

mod natural;
mod orientation;
mod stills;
mod video;

use std::{path::Path, time::Duration};

use ffmpeg_next::Rational;

use crate::{Error, Result, convert::Colour, picture::Picture};
pub use natural::natural_order;
use stills::Stills;
pub(crate) use stills::{numbers as picture_numbers, read as read_picture};
use video::Video;
pub(crate) use video::start_ffmpeg;

/// The longest side that is taken, in pixels: librotomask's own limit.
const MAX_SIDE: u32 = 16384;

/// What is known of a clip before its frames are read.
#[derive(Clone, Copy, Debug)]
pub struct ClipInfo {
    /// Columns of a frame as it is shown, after any rotation that the file asks for.
    pub width: u32,
    /// Rows, likewise.
    pub height: u32,
    /// How many frames the file says it has. Only good for a progress bar: containers guess.
    pub frames: Option<u64>,
    /// The unit of [`Frame::time`], in seconds.
    pub time_base: Rational,
    /// Frames per second on average.
    pub rate: Rational,
    /// Width of a pixel to its height.
    pub pixel_aspect: Rational,
    /// How the file's numbers mean colours.
    pub colour: Colour,
}

/// A frame's place in its clip and what reading it took. Its pixels lie in the picture that was handed in.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Frame {
    /// Counted in the order of decoding from the clip's first frame, 0.
    pub index: u64,
    /// In units of the clip's time base from the clip's start. Strictly increasing.
    pub time: i64,
    /// The same in seconds.
    pub seconds: f64,
    /// Time to read and decode.
    pub decode: Duration,
    /// Time to turn the decoder's pixels into RGBA.
    pub convert: Duration,
}

/// An open clip. Frames come one at a time, in order; none is kept.
pub struct Source(Kind);

enum Kind {
    Video(Box<Video>),
    Stills(Stills),
}

impl Source {
    /// Opens a clip and reads its first frame, so that a file without frames is found out at once.
    ///
    /// `stills_rate` is the frames per second of a folder of pictures, which has none of its own.
    ///
    /// # Errors
    /// If the input is missing, can't be read, or has no frames.
    pub fn open(input: &Path, stills_rate: Rational) -> Result<Self> {
        if input.is_dir() {
            return Ok(Self(Kind::Stills(Stills::open(input, stills_rate)?)));
        }
        // FFmpeg also opens addresses and patterns such as `%05d.png`, which are no files.
        let name = input.to_string_lossy();
        if !input.exists() && !name.contains("://") && !name.contains('%') {
            return Err(Error::file(input, "no such file or folder"));
        }
        Ok(Self(Kind::Video(Box::new(Video::open(input)?))))
    }

    /// What is known of the clip.
    pub fn info(&self) -> &ClipInfo {
        match &self.0 {
            Kind::Video(video) => video.info(),
            Kind::Stills(stills) => stills.info(),
        }
    }

    /// Reads the next frame into `picture`; `None` at the end, where `picture` is untouched.
    ///
    /// # Errors
    /// If the next frame can't be read, differs in size from the first, or if the clip ends long before the
    /// length that it states.
    pub fn next(&mut self, picture: &mut Picture) -> Result<Option<Frame>> {
        match &mut self.0 {
            Kind::Video(video) => video.next(Some(picture)),
            Kind::Stills(stills) => stills.next(picture),
        }
    }

    /// Passes over the next frame, without the cost of its pixels; `None` at the end.
    ///
    /// # Errors
    /// As [`Source::next`].
    pub fn skip(&mut self) -> Result<Option<Frame>> {
        match &mut self.0 {
            Kind::Video(video) => video.next(None),
            Kind::Stills(stills) => Ok(stills.skip()),
        }
    }

    /// Whether no frame is left.
    ///
    /// # Errors
    /// As [`Source::next`].
    pub fn at_end(&mut self) -> Result<bool> {
        match &mut self.0 {
            Kind::Video(video) => video.at_end(),
            Kind::Stills(stills) => Ok(stills.at_end()),
        }
    }

    /// The index of the frame that comes next: at the end, how many there were.
    pub fn position(&self) -> u64 {
        match &self.0 {
            Kind::Video(video) => video.position(),
            Kind::Stills(stills) => stills.position(),
        }
    }

    /// Packets that the decoder could make nothing of so far.
    pub fn damaged(&self) -> u64 {
        match &self.0 {
            Kind::Video(video) => video.damaged(),
            Kind::Stills(_) => 0,
        }
    }
}

fn check_size(input: &Path, width: u32, height: u32) -> Result<()> {
    let sides = 1..=MAX_SIDE;
    if sides.contains(&width) && sides.contains(&height) {
        return Ok(());
    }
    Err(Error::file(
        input,
        format!("its frames are {width}x{height}, expected sides from 1 to {MAX_SIDE} pixels"),
    ))
}
