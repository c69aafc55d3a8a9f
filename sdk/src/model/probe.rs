//! Each graph alone, on made-up objects: for benchmarks, and for tests of what objects share.

#[cfg(test)]
use ort::value::DynValue;

use super::{Cancel, Conditioned, Decoded, Features, Ground, Memory, Model, Question, Recollection};
use crate::error::Result;
use crate::frame::{FrameView, Layout, PixelFormat, Size};
use crate::preprocess::{EncoderInput, to_encoder_input};
use crate::prompt::EncodedPoints;

/// A frame and objects with full memories of it.
#[doc(hidden)]
pub struct Probe<'a> {
    model: &'a Model,
    input: EncoderInput,
    features: Features,
    recalled: Vec<Recollection>,
    cancel: Cancel,
}

impl<'a> Probe<'a> {
    /// Encodes a made-up frame for up to `objects` objects.
    pub fn new(model: &'a Model, objects: usize) -> Result<Self> {
        let cancel = model.cancel_switch()?;
        let input = to_encoder_input(picture(&mut Vec::new())?, &model.manifest().input)?;
        let features = model.encode(&input, &cancel)?;
        let recalled = recollections(model, &features, objects, &cancel)?;
        Ok(Self { model, input, features, recalled, cancel })
    }

    /// The switch that stops what this probe runs.
    pub fn cancel_switch(&self) -> &Cancel {
        &self.cancel
    }

    /// The frame to features.
    pub fn encode(&self) -> Result<()> {
        self.model.encode(&self.input, &self.cancel).map(drop)
    }

    /// The same beside other work: see [`Model::encodes_beside`].
    pub fn encode_beside(&self) -> Result<()> {
        self.model.encode_beside(&self.input, &self.cancel).map(drop)
    }

    /// Every number of the features.
    #[cfg(test)]
    pub(super) fn encoded(&self, beside: bool) -> Vec<u32> {
        let encode = if beside { Model::encode_beside } else { Model::encode };
        let Features { s0, s1, s2, s2_nomem } = encode(self.model, &self.input, &self.cancel).unwrap();
        let numbers = |value: &DynValue| value.try_extract_tensor::<f32>().unwrap().1.to_vec();
        [s0, s1, s2, s2_nomem].iter().flat_map(numbers).map(f32::to_bits).collect()
    }

    /// Memories held against the features, for the first `objects`.
    pub fn attend(&self, objects: usize) -> Result<()> {
        self.conditioned(objects).map(drop)
    }

    /// Attention, masks and memories of the first `objects`: a tracked frame without its encoder. Gives every
    /// number that came of it, in f32.
    pub fn track(&self, objects: usize) -> Result<Vec<f32>> {
        let (decoded, memories) = self.answers(objects)?;
        let mut all = Vec::new();
        for (decoded, memory) in decoded.iter().zip(&memories) {
            all.extend(decoded.masks.iter().chain(&decoded.ious).chain(&decoded.pointers));
            all.push(decoded.object_score);
            all.extend(memory.0.iter().map(|v| v.to_f32()));
        }
        Ok(all)
    }

    /// A click on the frame: a mask and what is remembered of it.
    pub fn click(&self) -> Result<()> {
        let points = EncodedPoints { coordinates: vec![100.0, 100.0], labels: vec![1], given: 1 };
        let ground = (&self.features, Ground::NoMemory);
        let decoded = self.model.decode(ground, &points, None, &self.cancel)?;
        self.memories(&[decoded], true).map(drop)
    }

    pub(super) fn conditioned(&self, objects: usize) -> Result<Vec<Conditioned>> {
        let recalled: Vec<_> = self.recalled.iter().take(objects).collect();
        self.model.attend_many(&self.features, &recalled, &self.cancel)
    }

    /// Masks from features that were conditioned before.
    pub(super) fn decoded(&self, conditioned: &[Conditioned]) -> Result<Vec<Decoded>> {
        let points = EncodedPoints::none();
        let question = |one| Question { ground: Ground::Remembering(one), points: &points, dense: None };
        let questions: Vec<_> = conditioned.iter().map(question).collect();
        self.model.decode_many(&self.features, &questions, &self.cancel)
    }

    /// Memories of masks that were decoded before.
    pub(super) fn memories(&self, decoded: &[Decoded], prompted: bool) -> Result<Vec<Memory>> {
        let cells = self.model.manifest().mask_side().pow(2);
        let masks: Vec<_> = decoded.iter().map(|d| (&d.masks[..cells], d.object_score)).collect();
        self.model.remember_many(&self.features, &masks, prompted, &self.cancel)
    }

    fn answers(&self, objects: usize) -> Result<(Vec<Decoded>, Vec<Memory>)> {
        let decoded = self.decoded(&self.conditioned(objects)?)?;
        let memories = self.memories(&decoded, false)?;
        Ok((decoded, memories))
    }
}

fn picture(bytes: &mut Vec<u8>) -> Result<FrameView<'_>> {
    let size = Size::new(320, 180)?;
    let ramp = |at: usize| [(at % 320) as u8, (at / 320) as u8, (at % 97) as u8];
    bytes.extend((0..size.area_px()).flat_map(ramp));
    FrameView::new(Layout::packed(size, PixelFormat::Rgb8), bytes)
}

/// All slots and pointers of every object, from a small generator of pseudo-random numbers; every memory is of this frame.
fn recollections(
    model: &Model,
    features: &Features,
    objects: usize,
    cancel: &Cancel,
) -> Result<Vec<Recollection>> {
    let m = model.manifest();
    let mut state = 0x9E37_79B9u32;
    let mut numbers = |count: usize| -> Vec<f32> {
        let next = |_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 23) as f32 - 1.0
        };
        (0..count).map(next).collect()
    };
    let mut recalled = vec![Recollection::default(); objects];
    for slot in (0..m.memory_slots).rev() {
        let logits: Vec<_> = (0..objects).map(|_| numbers(m.mask_side().pow(2))).collect();
        let masks: Vec<_> = logits.iter().map(|logits| (&logits[..], 1.0)).collect();
        let memories = model.remember_many(features, &masks, slot + 1 == m.memory_slots, cancel)?;
        for (recalled, memory) in recalled.iter_mut().zip(&memories) {
            recalled.add_memory(memory, 0, slot as i64);
        }
    }
    for distance in 1..=m.pointers {
        for recalled in &mut recalled {
            recalled.add_pointer(&numbers(m.channels), distance as f32 / (m.pointers - 1) as f32);
        }
    }
    Ok(recalled)
}
