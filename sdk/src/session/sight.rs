//! A frame as the model sees it: in its turn, or while the frame before it is answered.

use std::thread;

use super::change::Seen;
use super::watch::Timed;
use crate::error::{Error, Result};
use crate::frame::{FrameView, Size};
use crate::model::{Cancel, Features, Model};
use crate::preprocess::{EncoderInput, to_encoder_input};

/// A frame at the encoder's size. Who takes it is told how long that took, and no earlier.
pub(super) struct Sight {
    pub(super) input: Timed<EncoderInput>,
    pub(super) seen: Seen,
    /// Of a frame that was encoded ahead.
    pub(super) features: Option<Timed<Features>>,
}

impl Sight {
    /// # Errors
    /// [`Error::Frame`] for another size than the session's, or no colour.
    pub(super) fn of(frame: u64, pixels: FrameView<'_>, size: Size, model: &Model) -> Result<Self> {
        if pixels.size() != size {
            let found = pixels.size();
            return Err(Error::Frame(format!("frame {frame} is {found}, expected the session's {size}")));
        }
        let spec = &model.manifest().input;
        let input = Timed::run(|| to_encoder_input(pixels, spec))?;
        let seen = Seen::of(&input.done, spec);
        Ok(Self { input, seen, features: None })
    }

    /// Encodes the frame. What fails or is stopped here is done again in the frame's turn, and told then.
    fn encode(&mut self, model: &Model, cancel: &Cancel) {
        self.features = Timed::run(|| model.encode_beside(&self.input.done, cancel)).ok();
    }
}

/// The frame that comes next, as it was met while the one before it was answered.
pub(super) struct Ahead {
    pub(super) frame: u64,
    /// `None` beyond the shot's end. An error is the frame's own, and is told in its turn.
    pub(super) sight: Result<Option<Sight>>,
}

/// What it takes to look at a frame ahead.
pub(super) struct LookAhead<'a> {
    pub(super) model: &'a Model,
    pub(super) cancel: Cancel,
    pub(super) size: Size,
    /// Whether a frame that looks so is tracked into from the frame at hand, and not encoded yet.
    pub(super) wanted: &'a (dyn Fn(&Seen) -> bool + Sync),
}

impl LookAhead<'_> {
    /// Looks at a frame on another thread while `work` is done on this one.
    pub(super) fn beside<T>(
        &self,
        frame: u64,
        pixels: FrameView<'_>,
        work: impl FnOnce() -> T,
    ) -> (T, Result<Sight>) {
        let look = || {
            let mut sight = Sight::of(frame, pixels, self.size, self.model)?;
            if (self.wanted)(&sight.seen) {
                sight.encode(self.model, &self.cancel);
            }
            Ok(sight)
        };
        thread::scope(|scope| {
            let ahead = scope.spawn(look);
            let done = work();
            (done, ahead.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
        })
    }
}
