//! The plate, frame by frame, by number.

use std::path::{Path, PathBuf};

use ffmpeg_next::Rational;

use crate::{
    Error, Result,
    picture::Picture,
    source::{ClipInfo, Frame, Source},
};

/// A clip whose frames are asked for in order.
pub struct Plate {
    path: PathBuf,
    source: Source,
}

impl Plate {
    /// Opens a clip whose frames must have the session's size.
    ///
    /// # Errors
    /// If it can't be read, or its frames have another size.
    pub fn open(path: &Path, stills_rate: Rational, size: (u32, u32)) -> Result<Self> {
        let source = Source::open(path, stills_rate)?;
        let found = (source.info().width, source.info().height);
        if found != size {
            return Err(Error::file(
                path,
                format!(
                    "its frames are {}x{}, expected {}x{} as in the session",
                    found.0, found.1, size.0, size.1
                ),
            ));
        }
        Ok(Self { path: path.to_owned(), source })
    }

    /// What is known of it.
    pub fn info(&self) -> &ClipInfo {
        self.source.info()
    }

    /// Reads a frame, which lies after those read before.
    ///
    /// # Errors
    /// If it can't be read, or the clip ends before.
    pub fn read(&mut self, frame: u64, picture: &mut Picture) -> Result<Frame> {
        while self.source.position() < frame {
            if self.source.skip()?.is_none() {
                return Err(self.too_short(frame));
            }
        }
        self.source.next(picture)?.ok_or_else(|| self.too_short(frame))
    }

    fn too_short(&self, frame: u64) -> Error {
        let there = self.source.position();
        let problem = match there {
            0 => format!("it has no frame {frame}"),
            there => {
                format!("it has no frame {frame}, its last is {}; --last says where to stop", there - 1)
            }
        };
        Error::file(&self.path, problem)
    }
}
