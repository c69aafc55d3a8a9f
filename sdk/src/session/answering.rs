//! One object on one frame: what is recalled, who answers, and what the answer changes.

use std::ops::RangeInclusive;
use std::sync::Arc;

use super::change::Change;
use super::trail::Step;
use super::work::{Before, Bench, recollection};
use super::{Current, ObjectId, Session, Stage};
use crate::answer::Answer;
use crate::error::{Error, Result};
use crate::memory_bank::Direction;
use crate::model::Recollection;

/// Where a frame is looked at from.
#[derive(Clone)]
pub(super) struct At {
    pub(super) frame: u64,
    pub(super) direction: Direction,
    /// The frames that no cut parts from it.
    pub(super) scene: RangeInclusive<u64>,
    /// Whether an answer that stands gets its memory back wherever it lies, and not only where tracking goes on: a frame
    /// that is tracked the other way recalls it.
    pub(super) recalled: bool,
}

/// What came of one object on a frame.
pub(super) enum Outcome {
    Prompted(Answer),
    Tracked(Answer),
    Remembered(Answer),
    Stands,
}

impl Session {
    /// Answers prompts, or sees to it that an answer that stands has its memory if it is needed.
    pub(super) fn outcome(
        &mut self,
        id: ObjectId,
        step: Step,
        current: &mut Current,
        at: &At,
    ) -> Result<Outcome> {
        let earlier = self.keeping.get(id, at.frame)?;
        let trail = &self.objects[&id].trail;
        let recalled = match step {
            Step::Stands => {
                let gone = earlier.as_ref().is_some_and(|answer| answer.memory.is_none());
                if !gone || !(at.recalled || trail.is_near_an_end(at.frame, self.reach)) {
                    return Ok(Outcome::Stands);
                }
                None
            }
            _ => match trail.passed(at.frame) {
                Some(direction) => self.recalled(id, &At { direction, ..at.clone() })?,
                None => None,
            },
        };
        let trail = &self.objects[&id].trail;
        let before = Before {
            mask_waits: trail.mask_waits(at.frame),
            earlier: earlier.as_deref(),
            recalled: recalled.as_ref(),
        };
        let prompts = self.objects[&id].prompts_at(at.frame);
        let mut bench = self.bench(current)?;
        match (step, &earlier) {
            (Step::Stands, Some(answer)) => {
                let memory = Some(bench.restore(answer)?);
                Ok(Outcome::Remembered(Answer { memory, ..(**answer).clone() }))
            }
            _ => Ok(Outcome::Prompted(bench.answer_prompts(id, &prompts, &before)?)),
        }
    }

    /// Follows objects into a frame. Together they cost less than one by one, and answer the same bits.
    pub(super) fn follow(&mut self, ids: &[ObjectId], current: &mut Current, at: &At) -> Result<Vec<Answer>> {
        let mut recalled = Vec::new();
        for &id in ids {
            recalled.push(self.recalled(id, at)?.unwrap_or_default());
        }
        self.bench(current)?.track(ids, &recalled, at.direction)
    }

    /// How many objects are followed at once: under a ceiling, one recollection at a time.
    pub(super) fn together(&self) -> usize {
        const MOST: usize = 16;
        if self.options.memory_ceiling.is_some() { 1 } else { MOST }
    }

    /// What work on a frame needs. The frame is encoded if it wasn't yet.
    fn bench<'a>(&'a mut self, current: &'a mut Current) -> Result<Bench<'a>> {
        let (model, cancel, together) = (&*self.model, &*self.cancel, self.together());
        let features = match (current.features.take(), current.ahead.take()) {
            (Some(features), _) => features,
            (None, Some(ahead)) => self.watch.tell(Stage::ImageEncoder, ahead)?,
            (None, None) => self.watch.run(Stage::ImageEncoder, || model.encode(&current.input, cancel))?,
        };
        Ok(Bench {
            model,
            features: current.features.insert(features),
            attended: (&mut current.attended, together),
            size: self.size,
            cancel,
            watch: &mut self.watch,
            fill_hole_area: self.options.hole_area(model.manifest()),
            precision: self.options.precision,
        })
    }

    /// What the attention is given for an object on a frame; `None` if there is nothing to look back on.
    pub(super) fn recalled(&mut self, id: ObjectId, at: &At) -> Result<Option<Recollection>> {
        let recall = self.objects[&id].trail.recall(self.reach, at.frame, at.direction, &at.scene);
        if recall.memories.is_empty() {
            return Ok(None);
        }
        self.options.check_room(self.model.manifest(), recall.memories.len())?;
        let keeping = &mut self.keeping;
        let lost =
            |frame| Error::State(format!("object {id} has no answer on frame {frame}, which it recalls"));
        recollection(&recall, |frame| keeping.get(id, frame)?.ok_or_else(|| lost(frame))).map(Some)
    }

    /// Notes what came of one object.
    pub(super) fn settle(&self, id: ObjectId, outcome: Outcome, at: &At, change: &mut Change) {
        let Some(object) = self.objects.get(&id) else { return };
        let mut trail = object.trail.clone();
        let answer = match outcome {
            Outcome::Stands => {
                trail.pass(at.frame, at.direction);
                None
            }
            Outcome::Remembered(answer) => {
                trail.pass(at.frame, at.direction);
                Some(answer)
            }
            Outcome::Prompted(answer) => {
                if self.options.add_all_frames_to_correct_as_cond || trail.passed(at.frame).is_none() {
                    trail.prompted(at.frame, &at.scene);
                } else {
                    trail.corrected(at.frame, &at.scene);
                }
                if self.options.clear_non_cond_mem_around_input {
                    let around = self.reach.slots * self.reach.stride;
                    trail.outdate_range(&(at.frame.saturating_sub(around)..=at.frame.saturating_add(around)));
                }
                Some(answer)
            }
            Outcome::Tracked(answer) => {
                trail.follow(at.frame, at.direction);
                let left = at.direction.behind(at.frame, self.reach.memory_frames() + 1);
                let unneeded =
                    |&frame: &u64| trail.follows(frame) && !trail.is_near_an_end(frame, self.reach);
                change.let_go.extend(left.filter(unneeded).map(|frame| (id, frame..=frame)));
                Some(answer)
            }
        };
        if let Some(answer) = answer {
            change.answers.insert((id, at.frame), Some(Arc::new(answer)));
        }
        change.trails.insert(id, trail);
    }

    /// A stream keeps what lies around the frame that was pushed last.
    pub(super) fn keep_window(&mut self, frame: u64) {
        let reach = self.reach.frames();
        let window = frame.saturating_sub(reach)..=frame.saturating_add(reach);
        for (&id, object) in &mut self.objects {
            object.trail.keep_only(&window);
            let trail = &object.trail;
            self.keeping.keep_only(id, &window, |frame| trail.conditioning().contains(&frame));
        }
    }
}
