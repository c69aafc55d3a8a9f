//! What is learnt of a frame, and the parcel in which it travels.

use std::time::Instant;

use crate::{
    Result,
    library::{Image, ImageMut, Session, Tracked},
    masks,
    picture::Picture,
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

/// Where the objects are on a frame.
#[derive(Default)]
pub struct Observation {
    /// None before the first prompt.
    pub objects: Vec<Seen>,
    /// Of the likeliest object, cell by cell.
    pub logits: Vec<f32>,
    pub logits_size: [u32; 2],
    /// Of all objects, at the frame's size: zero outside. Area and bounds are its own; all three only where they were
    /// asked for.
    pub mask: Vec<u8>,
    pub area: u64,
    pub bounds: Option<[u32; 4]>,
    /// One object's logits, for a moment.
    pub one: Vec<f32>,
}

/// One object on a frame.
#[derive(Default)]
pub struct Seen {
    pub object: u32,
    pub tracked: Tracked,
    /// As of the [`Observation`].
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
        seen.objects.clear();
        seen.logits.clear();
        seen.logits.push(NOT_THERE);
        seen.logits_size = [1, 1];
        seen.mask.clear();
        seen.mask.resize(self.picture.width() as usize * self.picture.height() as usize, 0);
        (seen.area, seen.bounds) = (0, None);
    }

    /// Has the session look at the frame. `measured` asks for the masks at the frame's size, which nothing but the
    /// mask files and the report want.
    pub fn observe(&mut self, session: &mut Session, objects: &[u32], measured: bool) -> Result<()> {
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
        let mut before = std::mem::take(&mut self.seen.objects).into_iter();
        self.observe_nothing();
        for &object in objects {
            let mut seen = before.next().unwrap_or_default();
            (seen.object, seen.tracked) = (object, session.result(object)?);
            self.seen.add_logits(session, &seen)?;
            if measured {
                seen.measure(session, (self.picture.width(), self.picture.height()))?;
                self.seen.mask.iter_mut().zip(&seen.mask).for_each(|(all, one)| *all |= one);
            }
            self.seen.objects.push(seen);
        }
        if measured {
            (self.seen.area, self.seen.bounds) = match self.seen.objects.as_slice() {
                [one] => (one.area, one.bounds),
                _ => masks::measure(&self.seen.mask, self.picture.width()),
            };
            self.timings.add(Stage::Mask, start.elapsed());
        }
        Ok(())
    }
}

impl Observation {
    /// The only object, if there is one.
    pub fn only(&self) -> Option<&Tracked> {
        match self.objects.as_slice() {
            [one] => Some(&one.tracked),
            _ => None,
        }
    }

    fn add_logits(&mut self, session: &Session, seen: &Seen) -> Result<()> {
        let [width, height] = seen.tracked.logits;
        self.one.resize(width as usize * height as usize, 0.0);
        session.logits(seen.object, &mut ImageMut::floats(width, height, &mut self.one)?)?;
        if self.objects.is_empty() {
            self.logits_size = [width, height];
            self.logits.clone_from(&self.one);
        } else {
            self.logits.iter_mut().zip(&self.one).for_each(|(all, one)| *all = all.max(*one));
        }
        Ok(())
    }
}

impl Seen {
    fn measure(&mut self, session: &Session, (width, height): (u32, u32)) -> Result<()> {
        self.mask.resize(width as usize * height as usize, 0);
        session.binary(self.object, &mut ImageMut::gray(width, height, &mut self.mask)?)?;
        (self.area, self.bounds) = masks::measure(&self.mask, width);
        Ok(())
    }
}
