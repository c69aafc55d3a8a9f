//! One object's way through the shot: what was said about it, what is remembered of it, and how the model
//! answers for it on one frame.

use std::collections::{BTreeMap, BTreeSet};

use super::watch::{Stage, Watch};
use crate::error::{Error, Result};
use crate::frame::Size;
use crate::mask::{LogitPlane, pick};
use crate::memory_bank::{MemoryBank, Reach};
use crate::model::{Cancel, Conditioned, Features, Ground, Manifest, Memory, Model, Recollection};
use crate::preprocess::{mask_to_square, shrink_square};
use crate::prompt::{Box, Click, EncodedPoints, FramePrompts, MAX_CLICKS, Mask};

/// The answer for one object on one frame, as it is remembered.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) logits: LogitPlane,
    pub(super) predicted_iou: f32,
    pub(super) object_score: f32,
    pointer: Vec<f32>,
    memory: Memory,
}

/// What a frame holds for an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Nothing was ever said about it.
    Nothing,
    /// Prompts wait to be answered.
    Prompt,
    /// Prompts were answered before, and that answer stands.
    Stands,
    /// It is tracked.
    Track,
}

/// What every step works with.
pub(super) struct Bench<'a> {
    pub(super) model: &'a Model,
    pub(super) features: &'a Features,
    pub(super) size: Size,
    pub(super) cancel: &'a Cancel,
    pub(super) watch: &'a mut Watch,
}

#[derive(Debug)]
pub(super) struct Masklet {
    prompts: BTreeMap<u64, FramePrompts>,
    waiting: BTreeSet<u64>,
    bank: MemoryBank<Answer>,
}

impl Masklet {
    pub(super) fn new(manifest: &Manifest) -> Self {
        let reach = Reach { slots: manifest.memory_slots, pointers: manifest.pointers };
        Self { prompts: BTreeMap::new(), waiting: BTreeSet::new(), bank: MemoryBank::new(reach) }
    }

    pub(super) fn click(&mut self, frame: u64, click: Click) -> Result<()> {
        let prompts = self.prompts.entry(frame).or_default();
        if prompts.clicks.len() == MAX_CLICKS {
            return Err(Error::Prompt(format!(
                "frame {frame} has {MAX_CLICKS} clicks, the most that it can have"
            )));
        }
        prompts.clicks.push(click);
        self.waiting.insert(frame);
        Ok(())
    }

    /// A frame has one box: a new one replaces it. Clicks stay.
    pub(super) fn bounds(&mut self, frame: u64, bounds: Box) {
        self.prompts.entry(frame).or_default().bounds = Some(bounds);
        self.waiting.insert(frame);
    }

    /// A mask says all there is to say: box and clicks of its frame are dropped, as in the reference.
    pub(super) fn mask(&mut self, frame: u64, mask: Mask) {
        self.prompts.insert(frame, FramePrompts { mask: Some(mask), ..FramePrompts::default() });
        self.waiting.insert(frame);
    }

    pub(super) fn step(&self, frame: u64) -> Step {
        if self.waiting.contains(&frame) {
            Step::Prompt
        } else if self.bank.prompted(frame).is_some() {
            Step::Stands
        } else if self.bank.is_empty() {
            Step::Nothing
        } else {
            Step::Track
        }
    }

    /// The answer that stands for a prompted frame.
    pub(super) fn standing(&self, frame: u64) -> Option<&Answer> {
        self.bank.prompted(frame)
    }

    /// Answers the prompts that wait on a frame. Nothing is remembered yet.
    pub(super) fn answer_prompts(&self, frame: u64, bench: &mut Bench<'_>) -> Result<Answer> {
        let none = FramePrompts::default();
        let prompts = self.prompts.get(&frame).unwrap_or(&none);
        let mut draft = match &prompts.mask {
            Some(mask) => Some(Self::draft_of_mask(mask, bench)?),
            None => None,
        };
        if prompts.has_points() {
            let earlier = draft.as_ref().map(|d| &d.logits).or(self.bank.at(frame).map(|a| &a.logits.values));
            draft = Some(self.draft_of_points(frame, prompts, earlier, bench)?);
        }
        let draft = draft.ok_or_else(|| Error::State(format!("frame {frame} has no prompts to answer")))?;
        bench.remember(draft, true)
    }

    /// Follows the object into a frame that has no prompts. Nothing is remembered yet.
    pub(super) fn track(&self, frame: u64, bench: &mut Bench<'_>) -> Result<Answer> {
        let conditioned = self.condition(frame, bench)?;
        let draft = bench.decode(Ground::Remembering(&conditioned), &EncodedPoints::none(), None)?;
        bench.remember(draft, false)
    }

    pub(super) fn keep_prompted(&mut self, frame: u64, answer: Answer) {
        self.bank.remember_prompted(frame, answer);
        self.waiting.remove(&frame);
        if let Some(prompts) = self.prompts.get_mut(&frame) {
            // Its answer is what later clicks refine.
            prompts.mask = None;
        }
    }

    pub(super) fn keep_tracked(&mut self, frame: u64, answer: Answer) {
        self.bank.remember_tracked(frame, answer);
    }

    /// A frame whose answer stands was passed on the way.
    pub(super) fn pass(&mut self, frame: u64) {
        self.bank.pass(frame);
    }

    pub(super) fn forget_tracked(&mut self) {
        self.bank.forget_tracked();
    }

    /// What the attention is given on this frame.
    pub(super) fn recollection(&self, frame: u64) -> Recollection {
        let recall = self.bank.recall(frame);
        let mut recalled = Recollection::default();
        recall.memories.iter().for_each(|(answer, slot)| recalled.add_memory(&answer.memory, *slot));
        recall
            .pointers
            .iter()
            .for_each(|(answer, distance)| recalled.add_pointer(&answer.pointer, *distance));
        recalled
    }

    fn condition(&self, frame: u64, bench: &mut Bench<'_>) -> Result<Conditioned> {
        let Bench { model, features, cancel, .. } = *bench;
        let recalled = self.recollection(frame);
        bench.watch.run(Stage::MemoryAttention, || model.attend(features, &recalled, cancel))
    }

    fn draft_of_points(
        &self,
        frame: u64,
        prompts: &FramePrompts,
        earlier: Option<&Vec<f32>>,
        bench: &mut Bench<'_>,
    ) -> Result<Draft> {
        let manifest = bench.model.manifest();
        let points = prompts.encode_points(bench.size, manifest.input.size);
        let limit = manifest.constants.dense_prompt_limit;
        let dense: Option<Vec<f32>> = earlier.map(|e| e.iter().map(|v| v.clamp(-limit, limit)).collect());
        // A correction looks at the frame as tracking saw it; a first prompt has nothing to look back on.
        if self.bank.was_tracked(frame) {
            let conditioned = self.condition(frame, bench)?;
            return bench.decode(Ground::Remembering(&conditioned), &points, dense.as_deref());
        }
        bench.decode(Ground::NoMemory, &points, dense.as_deref())
    }

    /// The mask is taken as it is; the decoder only gives it a pointer (`_use_mask_as_output`).
    fn draft_of_mask(mask: &Mask, bench: &mut Bench<'_>) -> Result<Draft> {
        let manifest = bench.model.manifest();
        let (c, side) = (&manifest.constants, manifest.input.size);
        let square = mask_to_square(mask, side)?;
        let present = square.iter().any(|&v| v > 0.0);
        let scaled: Vec<f32> = square.iter().map(|v| v * c.mask_prompt_scale + c.mask_prompt_bias).collect();
        let dense = downsample(&square, side, &c.mask_downsample_weight, c.mask_downsample_bias);
        let mut draft = bench.decode_single(Ground::Raw, &dense)?;
        if !present {
            draft.pointer.clone_from(&c.no_object_pointer);
        }
        draft.logits = shrink_square(&scaled, side, manifest.mask_side())?;
        draft.object_score = if present { c.mask_prompt_scale } else { 0.0 } + c.mask_prompt_bias;
        draft.predicted_iou = 1.0;
        Ok(draft)
    }
}

/// An answer that is not remembered yet.
struct Draft {
    /// `[m, m]`
    logits: Vec<f32>,
    pointer: Vec<f32>,
    predicted_iou: f32,
    object_score: f32,
}

impl Bench<'_> {
    fn decode(&mut self, ground: Ground<'_>, points: &EncodedPoints, dense: Option<&[f32]>) -> Result<Draft> {
        self.decode_counting(ground, points, dense, points.given)
    }

    /// A mask prompt has no points, and yet nothing about it is ambiguous.
    fn decode_single(&mut self, ground: Ground<'_>, dense: &[f32]) -> Result<Draft> {
        self.decode_counting(ground, &EncodedPoints::none(), Some(dense), usize::MAX)
    }

    fn decode_counting(
        &mut self,
        ground: Ground<'_>,
        points: &EncodedPoints,
        dense: Option<&[f32]>,
        points_given: usize,
    ) -> Result<Draft> {
        let Self { model, features, cancel, .. } = *self;
        let decoded =
            self.watch.run(Stage::MaskDecoder, || model.decode((features, ground), points, dense, cancel))?;
        let manifest = model.manifest();
        let (cells, channels) = (manifest.mask_side().pow(2), manifest.channels);
        let pick = pick(&decoded, points_given, &manifest.constants);
        let logits = if decoded.object_score > 0.0 {
            decoded.masks[pick.mask * cells..][..cells].to_vec()
        } else {
            vec![manifest.constants.no_object_logit; cells]
        };
        Ok(Draft {
            logits,
            pointer: decoded.pointers[pick.pointer * channels..][..channels].to_vec(),
            predicted_iou: decoded.ious[pick.mask],
            object_score: decoded.object_score,
        })
    }

    fn remember(&mut self, draft: Draft, prompted: bool) -> Result<Answer> {
        let Self { model, features, cancel, .. } = *self;
        let Draft { logits, pointer, predicted_iou, object_score } = draft;
        let mask = (logits.as_slice(), object_score);
        let memory =
            self.watch.run(Stage::MemoryEncoder, || model.remember(features, mask, prompted, cancel))?;
        let side = model.manifest().mask_side() as u32;
        let logits = LogitPlane { size: Size { width_px: side, height_px: side }, values: logits };
        Ok(Answer { logits, predicted_iou, object_score, pointer, memory })
    }
}

/// `mask_downsample`: one 4x4 convolution of stride 4 over a square of `side`.
fn downsample(square: &[f32], side: usize, weight: &[f32], bias: f32) -> Vec<f32> {
    let cells = side / 4;
    let cell = |at: usize| {
        let (x, y) = (at % cells * 4, at / cells * 4);
        let taps = (0..16).map(|tap| square[(y + tap / 4) * side + x + tap % 4] * weight[tap]);
        taps.sum::<f32>() + bias
    };
    (0..cells * cells).map(cell).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn downsampling_weighs_each_pixel_of_a_cell_by_its_own_tap() {
        let mut square = vec![0.0; 64];
        square[8 + 6] = 1.0;
        let weight: Vec<f32> = (0..16).map(|v| v as f32).collect();
        assert_eq!(downsample(&square, 8, &weight, 0.5), [0.5, 6.5, 0.5, 0.5]);
    }
}
