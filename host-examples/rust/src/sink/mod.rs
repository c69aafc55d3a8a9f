//! Where finished frames go: a movie or numbered pictures, as the name's suffix says.

pub(crate) mod encoder;
mod movie;
mod pictures;

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use crate::{
    Error, Result, partial,
    picture::Picture,
    source::{ClipInfo, Frame},
};
pub(crate) use movie::Movie;
pub use pictures::Pattern;
use pictures::Pictures;
pub(crate) use pictures::write_png;

/// Where to write and what.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    path: PathBuf,
    kind: TargetKind,
}

/// What a suffix asks for.
#[derive(Clone, Debug, PartialEq)]
pub enum TargetKind {
    /// H.264, or MPEG-4 part 2 where there is no H.264 encoder. No alpha.
    Mp4,
    /// ProRes 4444 with alpha.
    Mov,
    /// VP9 with alpha.
    WebM,
    /// FFV1 with alpha, lossless.
    Mkv,
    /// PNG with alpha, a file for each frame.
    Pictures(Pattern),
}

impl Target {
    /// Reads a name's suffix.
    ///
    /// # Errors
    /// If the suffix is none of those that can be written.
    pub fn new(path: &Path) -> Result<Self> {
        let suffix = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
        let kind = match suffix.as_str() {
            "mp4" => TargetKind::Mp4,
            "mov" => TargetKind::Mov,
            "webm" => TargetKind::WebM,
            "mkv" => TargetKind::Mkv,
            "png" => TargetKind::Pictures(Pattern::new(path)?),
            _ => {
                return Err(Error::Usage(format!(
                    "{}: its suffix says nothing that can be written, expected .mp4, .mov (ProRes with \
                     alpha), .webm (VP9 with alpha), .mkv (FFV1 with alpha, lossless) or %05d.png (numbered \
                     pictures)",
                    path.display()
                )));
            }
        };
        Ok(Self { path: path.to_owned(), kind })
    }

    /// Whether alpha survives in it.
    pub fn has_alpha(&self) -> bool {
        self.kind != TargetKind::Mp4
    }

    /// The name.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Checks what can be checked before any work is done.
    ///
    /// # Errors
    /// If the name is a folder's, or its folder is missing.
    pub fn check_place(&self) -> Result<()> {
        partial::check_place(&self.path).map(drop)
    }
}

/// An open output. Until [`Sink::finish`], nothing of a movie is seen under its name.
pub struct Sink(Kind);

enum Kind {
    Movie(Box<Movie>),
    Pictures(Pictures),
}

/// What writing a frame took.
#[derive(Clone, Copy, Debug, Default)]
pub struct Spent {
    /// Time to turn RGBA into the encoder's pixels.
    pub convert: Duration,
    /// Time to encode and write.
    pub encode: Duration,
}

impl Sink {
    /// Opens an output for frames of `clip`'s size, rate and colours.
    ///
    /// # Errors
    /// If the place can't be written to, or FFmpeg has no encoder for it.
    pub fn create(target: &Target, clip: &ClipInfo) -> Result<Self> {
        partial::check_place(&target.path)?;
        Ok(Self(match &target.kind {
            TargetKind::Pictures(pattern) => Kind::Pictures(Pictures::new(pattern.clone())),
            TargetKind::Mp4 => Kind::Movie(Box::new(Movie::create(&target.path, clip, encoder::H264)?)),
            TargetKind::Mov => Kind::Movie(Box::new(Movie::create(&target.path, clip, encoder::PRORES)?)),
            TargetKind::WebM => Kind::Movie(Box::new(Movie::create(&target.path, clip, encoder::VP9)?)),
            TargetKind::Mkv => Kind::Movie(Box::new(Movie::create(&target.path, clip, encoder::FFV1)?)),
        }))
    }

    /// Writes the next frame. A movie keeps `frame.time`, pictures are numbered by `frame.index`.
    ///
    /// # Errors
    /// If it can't be encoded or written.
    pub fn write(&mut self, frame: &Frame, picture: &Picture) -> Result<Spent> {
        match &mut self.0 {
            Kind::Movie(movie) => movie.write(frame, picture),
            Kind::Pictures(pictures) => pictures.write(frame, picture),
        }
    }

    /// Completes the output and gives it its name.
    ///
    /// # Errors
    /// If the rest can't be written. What was there before stays.
    pub fn finish(self) -> Result<()> {
        match self.0 {
            Kind::Movie(movie) => movie.finish(),
            Kind::Pictures(_) => Ok(()),
        }
    }

    /// The encoder at work, as FFmpeg names it.
    pub fn encoder(&self) -> &str {
        match &self.0 {
            Kind::Movie(movie) => movie.encoder(),
            Kind::Pictures(_) => "png",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suffixes_decide_what_is_written() {
        let alpha = |name: &str| Target::new(Path::new(name)).unwrap().has_alpha();
        assert_eq!(
            ["a.mp4", "a.MOV", "a.webm", "a.mkv", "a/%05d.png"].map(alpha),
            [false, true, true, true, true]
        );
    }

    #[test]
    fn an_unknown_suffix_is_answered_with_the_choices() {
        for name in ["out.avi", "out", "png"] {
            let error = Target::new(Path::new(name)).unwrap_err();
            assert_eq!(error.exit_status(), 2);
            let said = error.to_string();
            assert!([".mp4", ".mov", ".webm", ".mkv", "%05d.png"].iter().all(|s| said.contains(s)), "{said}");
        }
    }
}
