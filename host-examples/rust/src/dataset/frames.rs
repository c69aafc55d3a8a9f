//! A clip's frames, one at a time.

use std::path::Path;

use ffmpeg_next::Rational;

use super::{Pictures, Sequence};
use crate::{
    Error, Result,
    picture::Picture,
    source::{Source, read_picture},
};

/// The rate that a folder of pictures is read at; nothing here depends on it.
const RATE: Rational = Rational(24, 1);

/// Reads a clip's frames by number. Going forward is cheap; going back in a movie decodes it from its start.
pub struct FrameReader<'a> {
    sequence: &'a Sequence,
    movie: Option<Source>,
    size: Option<(u32, u32)>,
}

impl<'a> FrameReader<'a> {
    /// Opens nothing yet. `size` is the one that all frames must have; otherwise the first one read decides.
    pub fn new(sequence: &'a Sequence, size: Option<(u32, u32)>) -> Self {
        Self { sequence, movie: None, size }
    }

    /// Reads a frame into `picture`; false past the clip's end.
    ///
    /// # Errors
    /// If it can't be read, or has another size than the rest.
    pub fn read(&mut self, frame: usize, picture: &mut Picture) -> Result<bool> {
        let path = match &self.sequence.pictures {
            Pictures::Files(files) => {
                let Some((_, path)) = files.get(frame) else { return Ok(false) };
                let still = read_picture(path)?.into_rgba8();
                *picture = Picture::from_packed(still.width(), still.height(), still.as_raw());
                path
            }
            Pictures::Movie(path) => {
                if !self.read_movie(path, frame as u64, picture)? {
                    return Ok(false);
                }
                path
            }
        };
        self.check_size(path, picture)?;
        Ok(true)
    }

    fn read_movie(&mut self, path: &Path, frame: u64, picture: &mut Picture) -> Result<bool> {
        let mut movie = match self.movie.take().filter(|movie| movie.position() <= frame) {
            Some(movie) => movie,
            None => Source::open(path, RATE)?,
        };
        while movie.position() < frame {
            if movie.skip()?.is_none() {
                return Ok(false);
            }
        }
        let found = movie.next(picture)?.is_some();
        self.movie = Some(movie);
        Ok(found)
    }

    fn check_size(&mut self, path: &Path, picture: &Picture) -> Result<()> {
        let found = (picture.width(), picture.height());
        let wanted = *self.size.get_or_insert(found);
        if found == wanted {
            return Ok(());
        }
        let problem = format!("its size is {}x{}, expected {}x{}", found.0, found.1, wanted.0, wanted.1);
        Err(Error::file(path, format!("{problem} as the rest of {}", self.sequence.name)))
    }
}
