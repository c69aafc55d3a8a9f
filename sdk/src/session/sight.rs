//! A frame as the model sees it: in its turn, or while the frame before it is answered.

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

impl std::fmt::Debug for Sight {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sight").field("encoded", &self.features.is_some()).finish_non_exhaustive()
    }
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
    pub(super) fn encode(&mut self, model: &Model, cancel: &Cancel) {
        self.features = Timed::run(|| model.encode_beside(&self.input.done, cancel)).ok();
    }
}
