//! What is learnt of a frame, and the parcel in which it travels.

use std::time::Instant;

use crate::{
    Result,
    library::{Image, ImageMut, Session, Tracked},
    masks,
    picture::Picture,
    prompt::OBJECT,
    report::{Stage, Timings},
    source::Frame,
};

/// The logit of a pixel that surely is not the object's; its coverage is 0 in every number format.
const NOT_THERE: f32 = -32.0;

/// A frame on its way from the decoder to the encoder, with all that was learnt of it. Parcels go round: their
/// buffers are used again.
#[derive(Default)]
pub struct Parcel {
    pub frame: Frame,
    pub picture: Picture,
    pub seen: Observation,
    pub timings: Timings,
}

/// Where the object is on a frame.
#[derive(Default)]
pub struct Observation {
    /// `None` before the first prompt.
    pub tracked: Option<Tracked>,
    pub logits: Vec<f32>,
    pub logits_size: [u32; 2],
    /// At the frame's size: zero outside. Area and bounds are its own; all three only where they were asked for.
    pub mask: Vec<u8>,
    pub area: u64,
    pub bounds: Option<[u32; 4]>,
}

impl Observation {
    /// The logits.
    pub fn image(&self) -> Result<Image<'_>> {
        let [width, height] = self.logits_size;
        Image::floats(width, height, &self.logits)
    }
}

impl Parcel {
    /// Before the first prompt there is nothing to look for.
    pub fn observe_nothing(&mut self) {
        let seen = &mut self.seen;
        seen.tracked = None;
        seen.logits.clear();
        seen.logits.push(NOT_THERE);
        seen.logits_size = [1, 1];
        seen.mask.clear();
        seen.mask.resize(self.picture.width() as usize * self.picture.height() as usize, 0);
        (seen.area, seen.bounds) = (0, None);
    }

    /// Has the session look at the frame. `measured` asks for the mask at the frame's size, which nothing but the
    /// mask files and the report want.
    pub fn observe(&mut self, session: &mut Session, measured: bool) -> Result<()> {
        session.push(self.frame.index, &Image::from(&self.picture))?;
        let model = [
            Stage::Preprocess,
            Stage::ImageEncoder,
            Stage::MemoryAttention,
            Stage::MaskDecoder,
            Stage::MemoryEncoder,
        ];
        for (stage, ms) in model.into_iter().zip(session.timings()?) {
            self.timings.add_ms(stage, f64::from(ms));
        }

        let start = Instant::now();
        let tracked = session.result(OBJECT)?;
        let seen = &mut self.seen;
        seen.tracked = Some(tracked);
        let [logits_width, logits_height] = tracked.logits;
        seen.logits_size = tracked.logits;
        seen.logits.resize(logits_width as usize * logits_height as usize, 0.0);
        session.logits(OBJECT, &mut ImageMut::floats(logits_width, logits_height, &mut seen.logits)?)?;
        if !measured {
            return Ok(());
        }
        let (width, height) = (self.picture.width(), self.picture.height());
        seen.mask.resize(width as usize * height as usize, 0);
        session.binary(OBJECT, &mut ImageMut::gray(width, height, &mut seen.mask)?)?;
        (seen.area, seen.bounds) = masks::measure(&seen.mask, width);
        self.timings.add(Stage::Mask, start.elapsed());
        Ok(())
    }
}
