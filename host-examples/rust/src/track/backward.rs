//! Frames by number, for following backwards: decoders only go forward, so a stretch of frames is decoded at a time.

use std::path::PathBuf;

use ffmpeg_next::Rational;

use crate::{Result, library::Frames, picture::Picture, source::Source};

/// Bytes of decoded frames that are held. A clip is decoded from its beginning once for each such stretch: seeking
/// would have to trust timestamps.
const HELD_BYTES: usize = 256 << 20;

/// A clip whose frames are asked for in falling order.
pub struct Backward {
    input: PathBuf,
    rate: Rational,
    /// Pictures of `first..`, in order.
    held: Vec<Picture>,
    first: u64,
}

impl Backward {
    /// Nothing is opened before a frame is asked for.
    pub fn new(input: PathBuf, rate: Rational) -> Self {
        Self { input, rate, held: Vec::new(), first: 0 }
    }

    /// Decodes the stretch that ends with a frame.
    fn fetch(&mut self, last: u64) -> Result<()> {
        self.held.clear();
        let mut source = Source::open(&self.input, self.rate)?;
        let info = source.info();
        let bytes = info.width as usize * info.height as usize * 4;
        let count = (HELD_BYTES / bytes.max(1)).clamp(2, 512) as u64;
        self.first = (last + 1).saturating_sub(count);
        while source.position() < self.first {
            if source.skip()?.is_none() {
                return Ok(());
            }
        }
        while source.position() <= last {
            let mut picture = Picture::default();
            if source.next(&mut picture)?.is_none() {
                return Ok(());
            }
            self.held.push(picture);
        }
        Ok(())
    }

    fn place(&self, index: u64) -> Option<usize> {
        let place = usize::try_from(index.checked_sub(self.first)?).ok()?;
        (place < self.held.len()).then_some(place)
    }
}

impl Frames for Backward {
    fn frame(&mut self, index: u64) -> Result<Option<&Picture>> {
        if self.place(index).is_none() {
            self.fetch(index)?;
        }
        Ok(self.place(index).map(|place| &self.held[place]))
    }
}
