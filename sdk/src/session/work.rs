//! How the model answers for one object on one frame: prompts, tracking, and memories made anew.

use std::sync::Arc;

use super::ObjectId;
use super::attended::Attended;
use super::watch::{Stage, Watch};
use crate::answer::{Answer, Origin};
use crate::error::{Error, Result};
use crate::frame::Size;
use crate::mask::{LogitPlane, pick};
use crate::memory_bank::Direction;
use crate::model::{Cancel, Conditioned, Decoded, Features, Ground, Memory, Model, Question, Recollection};
use crate::preprocess::{mask_to_square, shrink_square};
use crate::prompt::{EncodedPoints, FramePrompts, Mask};
use crate::store::Precision;

/// What every step works with.
pub(super) struct Bench<'a> {
    pub(super) model: &'a Model,
    pub(super) features: &'a Features,
    /// What the attention made of them so far, and for how many objects that may be held.
    pub(super) attended: (&'a mut Attended, usize),
    pub(super) size: Size,
    pub(super) cancel: &'a Cancel,
    pub(super) watch: &'a mut Watch,
    /// Holes of at most so many logits are filled.
    pub(super) fill_hole_area: usize,
    /// Logits are rounded to it before anything is made of them, so that what is read back is what was used.
    pub(super) precision: Precision,
}

/// What prompts are answered against.
pub(super) struct Before<'a> {
    /// Whether the frame's mask prompt is not answered yet. Its answer is what later clicks refine.
    pub(super) mask_waits: bool,
    /// The frame's earlier answer: clicks refine it.
    pub(super) earlier: Option<&'a Answer>,
    /// What the frame recalls, if tracking has passed it: a prompt is a correction then.
    pub(super) recalled: Option<&'a Recollection>,
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
    /// Answers the prompts of a frame.
    pub(super) fn answer_prompts(
        &mut self,
        object: ObjectId,
        prompts: &FramePrompts,
        before: &Before<'_>,
    ) -> Result<Answer> {
        let mut draft = match &prompts.mask {
            Some(mask) if before.mask_waits => Some(self.draft_of_mask(mask)?),
            _ => None,
        };
        if prompts.has_points() {
            let earlier = match (&draft, before.earlier) {
                (Some(draft), _) => Some(draft.logits.clone()),
                (None, Some(answer)) => Some(self.filled(answer.logits.values.clone())),
                (None, None) => None,
            };
            draft = Some(self.draft_of_points(
                prompts,
                earlier,
                before.recalled.map(|recalled| (object, recalled)),
            )?);
        }
        let mut draft = draft.ok_or_else(|| Error::State("the frame has no prompts to answer".into()))?;
        // As in the reference, filled masks enter the memory of prompted frames, and of no other.
        draft.logits = self.filled(draft.logits);
        self.precision.round(&mut draft.logits);
        let memory = self.remember(&draft.logits, draft.object_score, true)?;
        Ok(self.finish(draft, Origin::Prompted, memory))
    }

    /// Follows objects into a frame on which nothing was said of them.
    pub(super) fn track(
        &mut self,
        objects: &[ObjectId],
        recalled: &[Recollection],
        direction: Direction,
    ) -> Result<Vec<Answer>> {
        let Self { model, features, cancel, .. } = *self;
        let none = EncodedPoints::none();
        let conditioned = self.condition(objects, recalled)?;
        let question = |c| Question { ground: Ground::Remembering(c), points: &none, dense: None };
        let questions: Vec<_> = conditioned.iter().map(question).collect();
        let decode = || model.decode_many(features, &questions, cancel);
        let decoded = self.watch.run(Stage::MaskDecoder, decode)?;
        let mut drafts: Vec<_> = decoded.into_iter().map(|d| self.draft(&d, none.given)).collect();
        drafts.iter_mut().for_each(|draft| self.precision.round(&mut draft.logits));
        let masks: Vec<_> = drafts.iter().map(|d| (d.logits.as_slice(), d.object_score)).collect();
        let remember = || model.remember_many(features, &masks, false, cancel);
        let memories = self.watch.run(Stage::MemoryEncoder, remember)?;
        let finish = |(draft, memory)| self.finish(draft, Origin::Tracked(direction), memory);
        Ok(drafts.into_iter().zip(memories).map(finish).collect())
    }

    /// Makes the memory of an answer anew that was let go: the same features and logits give the same bits.
    pub(super) fn restore(&mut self, answer: &Answer) -> Result<Memory> {
        let prompted = answer.origin == Origin::Prompted;
        self.remember(&answer.logits.values, answer.object_score, prompted)
    }

    /// Holds what objects recall against the features.
    fn condition(&mut self, objects: &[ObjectId], recalled: &[Recollection]) -> Result<Vec<Conditioned>> {
        let Self { model, features, cancel, .. } = *self;
        let (attended, most) = &mut self.attended;
        let pairs = || objects.iter().zip(recalled);
        let known: Option<Vec<_>> =
            pairs().map(|(&object, recalled)| attended.find(object, recalled)).collect();
        if let Some(known) = known {
            return Ok(known);
        }
        attended.make_room(objects.len(), *most);
        let all: Vec<_> = recalled.iter().collect();
        let attend = || model.attend_many(features, &all, cancel);
        let conditioned = self.watch.run(Stage::MemoryAttention, attend)?;
        let made = pairs().zip(&conditioned);
        made.for_each(|((&object, recalled), conditioned)| attended.keep(object, recalled, conditioned));
        Ok(conditioned)
    }

    fn draft_of_points(
        &mut self,
        prompts: &FramePrompts,
        earlier: Option<Vec<f32>>,
        recalled: Option<(ObjectId, &Recollection)>,
    ) -> Result<Draft> {
        let manifest = self.model.manifest();
        let points = prompts.encode_points(self.size, manifest.input.size);
        let limit = manifest.constants.dense_prompt_limit;
        let dense: Option<Vec<f32>> =
            earlier.map(|e| e.into_iter().map(|v| v.clamp(-limit, limit)).collect());
        // A correction looks at the frame as tracking saw it; a first prompt has nothing to look back on.
        match recalled {
            Some((object, recalled)) => {
                let conditioned = self.condition(&[object], std::slice::from_ref(recalled))?.pop();
                let conditioned =
                    conditioned.ok_or_else(|| Error::State("memory attention gave no answer".into()))?;
                self.decode(Ground::Remembering(&conditioned), &points, dense.as_deref())
            }
            None => self.decode(Ground::NoMemory, &points, dense.as_deref()),
        }
    }

    /// The mask is taken as it is; the decoder only gives it a pointer (`_use_mask_as_output`).
    fn draft_of_mask(&mut self, mask: &Mask) -> Result<Draft> {
        let manifest = self.model.manifest();
        let (c, side) = (&manifest.constants, manifest.input.size);
        let square = mask_to_square(mask, side)?;
        let present = square.iter().any(|&v| v > 0.0);
        let scaled: Vec<f32> = square.iter().map(|v| v * c.mask_prompt_scale + c.mask_prompt_bias).collect();
        let dense = downsample(&square, side, &c.mask_downsample_weight, c.mask_downsample_bias);
        // A mask prompt has no points, and yet nothing about it is ambiguous.
        let mut draft =
            self.decode_counting(Ground::Raw, &EncodedPoints::none(), Some(&dense), usize::MAX)?;
        if !present {
            draft.pointer.clone_from(&c.no_object_pointer);
        }
        draft.logits = shrink_square(&scaled, side, manifest.mask_side())?;
        draft.object_score = if present { c.mask_prompt_scale } else { 0.0 } + c.mask_prompt_bias;
        draft.predicted_iou = 1.0;
        Ok(draft)
    }

    fn decode(&mut self, ground: Ground<'_>, points: &EncodedPoints, dense: Option<&[f32]>) -> Result<Draft> {
        self.decode_counting(ground, points, dense, points.given)
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
        Ok(self.draft(&decoded, points_given))
    }

    /// Chooses among the decoder's candidates.
    fn draft(&self, decoded: &Decoded, points_given: usize) -> Draft {
        let manifest = self.model.manifest();
        let (cells, channels) = (manifest.mask_side().pow(2), manifest.channels);
        let pick = pick(decoded, points_given, &manifest.constants);
        let logits = if decoded.object_score > 0.0 {
            decoded.masks[pick.mask * cells..][..cells].to_vec()
        } else {
            vec![manifest.constants.no_object_logit; cells]
        };
        Draft {
            logits,
            pointer: decoded.pointers[pick.pointer * channels..][..channels].to_vec(),
            predicted_iou: decoded.ious[pick.mask],
            object_score: decoded.object_score,
        }
    }

    fn remember(&mut self, logits: &[f32], object_score: f32, prompted: bool) -> Result<Memory> {
        let Self { model, features, cancel, .. } = *self;
        let mask = (logits, object_score);
        self.watch.run(Stage::MemoryEncoder, || model.remember(features, mask, prompted, cancel))
    }

    fn filled(&self, logits: Vec<f32>) -> Vec<f32> {
        let mut plane = self.plane(logits);
        plane.fill_holes(self.fill_hole_area as u32);
        plane.values
    }

    fn plane(&self, values: Vec<f32>) -> LogitPlane {
        let side = self.model.manifest().mask_side() as u32;
        LogitPlane { size: Size { width_px: side, height_px: side }, values }
    }

    fn finish(&self, draft: Draft, origin: Origin, memory: Memory) -> Answer {
        let logits = self.plane(draft.logits);
        Answer {
            origin,
            shape: logits.shape(logits.size),
            logits,
            predicted_iou: draft.predicted_iou,
            object_score: draft.object_score,
            pointer: draft.pointer,
            memory: Some(memory),
        }
    }
}

/// What an object recalls, laid out for the attention.
pub(super) fn recollection(
    recall: &crate::memory_bank::Recall,
    mut answer: impl FnMut(u64) -> Result<Arc<Answer>>,
) -> Result<Recollection> {
    let mut recalled = Recollection::default();
    for &(frame, slot) in &recall.memories {
        let answer = answer(frame)?;
        let memory = answer.memory.as_ref().ok_or_else(|| {
            Error::State(format!("the memory of frame {frame} was let go: push that frame again first"))
        })?;
        recalled.add_memory(memory, frame, slot);
    }
    for &(frame, distance) in &recall.pointers {
        recalled.add_pointer(&answer(frame)?.pointer, distance);
    }
    Ok(recalled)
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
