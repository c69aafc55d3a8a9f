//! A session's file: its rows to the engine's terms and back.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::ObjectId;
use super::change::{Change, Seen};
use super::history::{FrameSnapshot, Note, Snapshot, Step};
use super::object::Object;
use super::options::Keep;
use super::trail::Trail;
use crate::answer::Answer;
use crate::cut::Signature;
use crate::error::{Error, Result};
use crate::prompt::{Box, Click, FramePrompts};
use crate::store::{Batch, Confidence, FrameRow, Identity, ObjectRow, Past, Store, Which};

#[derive(Debug)]
pub(super) struct File {
    store: Store,
}

/// What a file knew when it was opened.
#[derive(Debug, Default)]
pub(super) struct Loaded {
    pub(super) objects: BTreeMap<ObjectId, Object>,
    pub(super) cuts: BTreeSet<u64>,
}

/// A part of a step: a step is as many rows as it has frames, and at least one.
#[derive(Serialize, Deserialize)]
struct Part {
    label: String,
    object: ObjectId,
    /// Which part of how many.
    part: u64,
    parts: u64,
    /// Only in the first part.
    known: Option<(String, Trail)>,
    frame: Option<u64>,
    /// Without the mask, which lies beside.
    prompts: Option<Said>,
}

#[derive(Serialize, Deserialize)]
struct Said {
    clicks: Vec<Click>,
    bounds: Option<Box>,
}

impl File {
    /// Opens the file that is asked for, or makes it; `None` if none is.
    pub(super) fn open(keep: &Keep, identity: &Identity) -> Result<Option<Self>> {
        let store = match keep {
            Keep::Window => return Ok(None),
            Keep::Temporary => Store::temporary(identity)?,
            Keep::File(path) => Store::open_or_create(path, identity)?,
        };
        let file = Self { store };
        file.store.identity().matches(identity).map_err(|problem| file.problem(problem))?;
        Ok(Some(file))
    }

    pub(super) fn load(&self) -> Result<Loaded> {
        let rows = self.store.load()?;
        let salvaged = self.store.is_salvaged()?;
        let mut objects = BTreeMap::new();
        for ObjectRow { object, name, state, .. } in rows.objects {
            let damaged = |e| self.problem(format!("object {object}: its state is damaged: {e}"));
            let trail: Trail = match serde_json::from_slice(&state) {
                Err(_) if salvaged => Trail::default(),
                trail => trail.map_err(damaged)?,
            };
            objects.insert(object, Object { name, prompts: BTreeMap::new(), trail });
        }
        for row in rows.prompts {
            let mask = if row.masked { self.store.prompt_mask(row.object, row.frame)? } else { None };
            let prompts = FramePrompts { mask: mask.map(Arc::new), bounds: row.bounds, clicks: row.clicks };
            let Some(object) = objects.get_mut(&row.object) else {
                return Err(
                    self.problem(format!("there are prompts of object {}, which is not there", row.object))
                );
            };
            object.prompts.insert(row.frame, prompts);
        }
        for (&id, object) in objects.iter_mut().filter(|_| salvaged) {
            let answers = self.store.confidences(id, ..).map(|known| known.map(|k| (k.frame, k.origin)));
            let Object { prompts, trail, .. }: &mut Object = object;
            trail.mend(answers, prompts.iter().map(|(&frame, said)| (frame, said.mask.is_some())))?;
        }
        Ok(Loaded { objects, cuts: rows.cuts.into_iter().collect() })
    }

    pub(super) fn answer(&self, object: ObjectId, frame: u64) -> Result<Option<Answer>> {
        self.store.answer(object, frame)
    }

    /// The numbers of an object's next answers from a frame on; none at the end.
    pub(super) fn confidences_from(&self, object: ObjectId, frame: u64) -> Result<Vec<Confidence>> {
        const PAGE: usize = 1024;
        self.store.confidences(object, frame..).take(PAGE).collect()
    }

    pub(super) fn seen(&self, frame: u64) -> Result<Option<Seen>> {
        let Some(row) = self.store.frame(frame)? else { return Ok(None) };
        let signature = Signature::from_bytes(&row.signature)
            .map_err(|e| self.problem(format!("table frames, frame {frame}: {e}")))?;
        Ok(Some(Seen { hash: u128::from_le_bytes(row.hash), signature }))
    }

    pub(super) fn done(&self) -> Result<Option<Step>> {
        self.step(self.store.history_ends()?.at)
    }

    pub(super) fn undone(&self) -> Result<Option<Step>> {
        let ends = self.store.history_ends()?;
        if ends.at == ends.newest {
            return Ok(None);
        }
        let parts = self.part(ends.at + 1)?.map_or(1, |(part, _)| part.parts);
        self.step(ends.at.saturating_add(parts))
    }

    /// The step whose last row this is, or `None` if some of it was given up already.
    fn step(&self, last: u64) -> Result<Option<Step>> {
        let Some((part, _)) = self.part(last)? else { return Ok(None) };
        let Some(first) = (last + 1).checked_sub(part.parts) else { return Ok(None) };
        let mut step: Option<Step> = None;
        for seq in first..=last {
            let Some((part, past)) = self.part(seq)? else { return Ok(None) };
            let before = Snapshot { object: part.object, known: part.known, frames: Vec::new() };
            let step = step.get_or_insert(Step { label: part.label, before });
            if let Some(frame) = part.frame {
                let prompts = part.prompts.map(|said| FramePrompts {
                    mask: past.mask.map(Arc::new),
                    bounds: said.bounds,
                    clicks: said.clicks,
                });
                step.before.frames.push(FrameSnapshot { frame, prompts, answer: past.answer.map(Arc::new) });
            }
        }
        Ok(step)
    }

    fn part(&self, seq: u64) -> Result<Option<(Part, Past)>> {
        let Some(past) = self.store.history(seq)? else { return Ok(None) };
        let damaged = |e: String| self.problem(format!("table history, step {seq}: {e}"));
        let part: Part = serde_json::from_slice(&past.step).map_err(|e| damaged(e.to_string()))?;
        if part.part >= part.parts {
            return Err(damaged(format!("it is part {} of {}", part.part, part.parts)));
        }
        Ok(Some((part, past)))
    }

    /// Writes a change as a whole.
    pub(super) fn write(&mut self, change: &Change, before: &BTreeMap<ObjectId, Object>) -> Result<()> {
        let write = |batch: &Batch<'_>| {
            for (&id, object) in &change.objects {
                match object {
                    Some(object) => put_object(batch, id, (&object.name, &object.trail), before.get(&id))?,
                    None => batch.remove_object(id)?,
                }
            }
            for (id, trail) in &change.trails {
                let Some(object) = before.get(id) else { continue };
                put_object(batch, *id, (&object.name, trail), Some(object))?;
            }
            for &(id, frame) in &change.said {
                let Some(Some(object)) = change.objects.get(&id) else { continue };
                match object.prompts.get(&frame) {
                    Some(prompts) => batch.put_prompts(id, frame, prompts)?,
                    None => batch.remove_prompts(id, frame)?,
                }
            }
            for &id in &change.forgotten {
                batch.forget(id, .., Which::All)?;
            }
            for &id in &change.untracked {
                batch.forget(id, .., Which::Tracked)?;
            }
            for (&(id, frame), answer) in &change.answers {
                match answer {
                    Some(answer) => batch.put_answer(id, frame, answer)?,
                    None => batch.forget(id, frame..=frame, Which::All)?,
                }
            }
            for (id, frames) in &change.let_go {
                batch.drop_memories(*id, frames.clone(), Which::Tracked)?;
            }
            if let Some((frame, seen)) = &change.seen {
                let row =
                    FrameRow { hash: seen.hash.to_le_bytes(), signature: seen.signature.as_bytes().to_vec() };
                batch.put_frame(*frame, &row)?;
            }
            for (&frame, &cut) in &change.cuts {
                batch.put_cut(frame, cut)?;
            }
            match &change.note {
                Some(Note::Said(step)) => {
                    for past in parts(step) {
                        batch.push_history(&past)?;
                    }
                }
                Some(Note::Undone(step)) => {
                    let (at, pasts) = (batch.history_at()?, parts(step));
                    let first = (at + 1).saturating_sub(pasts.len() as u64);
                    replace(batch, first, &pasts)?;
                    batch.set_history_at(first.saturating_sub(1))?;
                }
                Some(Note::Redone(step)) => {
                    let (at, pasts) = (batch.history_at()?, parts(step));
                    replace(batch, at + 1, &pasts)?;
                    batch.set_history_at(at + pasts.len() as u64)?;
                }
                Some(Note::Cleared) => batch.clear_history()?,
                None => {}
            }
            Ok(())
        };
        // What an artist's hand has done, no machine can do again after a power cut.
        if change.note.is_some() { self.store.write_through(write) } else { self.store.write(write) }
    }

    fn problem(&self, problem: String) -> Error {
        Error::Session { path: self.store.path().to_path_buf(), problem }
    }
}

/// Writes an object's row, unless it is as it was.
fn put_object(
    batch: &Batch<'_>,
    id: ObjectId,
    (name, trail): (&String, &Trail),
    before: Option<&Object>,
) -> Result<()> {
    if before.is_some_and(|before| before.name == *name && before.trail == *trail) {
        return Ok(());
    }
    let state = serde_json::to_vec(trail).expect("a trail is numbers and lists, which JSON can hold");
    batch.put_object(&ObjectRow { object: id, place: i64::from(id), name: name.clone(), state })
}

fn replace(batch: &Batch<'_>, first: u64, pasts: &[Past]) -> Result<()> {
    (first..).zip(pasts).try_for_each(|(seq, past)| batch.replace_history(seq, past))
}

fn parts(step: &Step) -> Vec<Past> {
    let Snapshot { object, known, frames } = &step.before;
    let count = frames.len().max(1);
    let part = |at: usize| {
        let frame = frames.get(at);
        let prompts = frame.and_then(|f| f.prompts.as_ref());
        let part = Part {
            label: step.label.clone(),
            object: *object,
            part: at as u64,
            parts: count as u64,
            known: known.clone().filter(|_| at == 0),
            frame: frame.map(|f| f.frame),
            prompts: prompts.map(|p| Said { clicks: p.clicks.clone(), bounds: p.bounds }),
        };
        Past {
            step: serde_json::to_vec(&part).expect("a step is numbers and lists, which JSON can hold"),
            answer: frame.and_then(|f| f.answer.as_deref().cloned()),
            mask: prompts.and_then(|p| p.mask.as_deref().cloned()),
        }
    };
    (0..count).map(part).collect()
}
