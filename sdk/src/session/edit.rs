//! What the artist says and takes back: objects, prompts, undo. Nothing here runs the model: prompts wait until
//! their frame is pushed or refined.

use super::change::Change;
use super::history::{FrameSnapshot, Note, Snapshot, Step};
use super::object::{MAX_NAME_BYTES, Object};
use super::{MAX_OBJECTS, ObjectId, ObjectInfo, Outdated, Said, Session};
use crate::error::{Error, Result};
use crate::frame::FrameView;
use crate::prompt::{Box, Click, Mask};

/// What undo would take back and redo would say again, each as a menu would name it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Undoable {
    /// "click", "box", "mask", "clear frame", "clear object", "add object", "rename object", "remove object",
    /// "automatic object".
    pub undo: Option<String>,
    /// The same for what was taken back last.
    pub redo: Option<String>,
}

impl Session {
    /// The objects, in the order of their numbers.
    pub fn objects(&self) -> Vec<ObjectInfo> {
        self.objects.iter().map(|(&id, object)| object.info(id)).collect()
    }

    /// What was said of an object, in the order of frames; nothing of one that is not there.
    pub fn said(&self, object: ObjectId) -> Vec<Said> {
        self.objects.get(&object).map(Object::said).unwrap_or_default()
    }

    /// Adds an object by name. The first prompt about an unknown number does so as well, and names it "Object N".
    ///
    /// # Errors
    /// [`Error::State`] if the number is taken, or past [`MAX_OBJECTS`]; [`Error::Prompt`] for a name that is too long.
    pub fn add_object(&mut self, object: ObjectId, name: &str) -> Result<()> {
        check_name(name)?;
        if self.objects.contains_key(&object) {
            return Err(Error::State(format!("object {object} is there already")));
        }
        self.edit("add object", object, None, |added| {
            name.clone_into(&mut added.name);
            Ok(())
        })
    }

    /// Renames an object.
    ///
    /// # Errors
    /// [`Error::State`] if there is no such object; [`Error::Prompt`] for a name that is too long.
    pub fn rename_object(&mut self, object: ObjectId, name: &str) -> Result<()> {
        check_name(name)?;
        self.known(object)?;
        self.edit("rename object", object, None, |renamed| {
            name.clone_into(&mut renamed.name);
            Ok(())
        })
    }

    /// Removes an object, its prompts and its masks. Taken back, its prompts and their answers return; what was
    /// tracked has to be tracked again.
    ///
    /// # Errors
    /// [`Error::State`] if there is no such object.
    pub fn remove_object(&mut self, object: ObjectId) -> Result<()> {
        let frames: Vec<_> = self.known(object)?.prompts.keys().copied().collect();
        let before = self.snapshot(object, &frames)?;
        let mut change = said("remove object", before);
        change.objects.insert(object, None);
        self.apply(change)
    }

    /// Adds a click. Clicks on one frame add up, and refine what the frame has already answered.
    ///
    /// # Errors
    /// [`Error::Prompt`] outside the frame or past [`MAX_CLICKS`](crate::prompt::MAX_CLICKS);
    /// [`Error::State`] past [`MAX_OBJECTS`].
    pub fn click(&mut self, object: ObjectId, frame: u64, click: Click) -> Result<()> {
        click.check(self.size)?;
        self.edit("click", object, Some(frame), |object| object.click(frame, click))
    }

    /// Sets the box of a frame.
    ///
    /// # Errors
    /// [`Error::Prompt`] without area or outside the frame; [`Error::State`] past [`MAX_OBJECTS`].
    pub fn bounds(&mut self, object: ObjectId, frame: u64, bounds: Box) -> Result<()> {
        bounds.check(self.size)?;
        self.edit("box", object, Some(frame), |object| {
            object.bounds(frame, bounds);
            Ok(())
        })
    }

    /// Sets the mask of a frame, of the frame's size: grey above half is the object, or alpha where there is any.
    ///
    /// # Errors
    /// [`Error::Prompt`] for another size or a format that can't be a mask; [`Error::State`] past
    /// [`MAX_OBJECTS`].
    pub fn mask_prompt(&mut self, object: ObjectId, frame: u64, mask: FrameView<'_>) -> Result<()> {
        let mask = Mask::read(mask, self.size)?;
        self.edit("mask", object, Some(frame), |object| {
            object.mask(frame, mask);
            Ok(())
        })
    }

    /// Takes back all that was said of an object on a frame (`clear_all_prompts_in_frame`). If other prompts are
    /// left, the frame is tracked from them.
    ///
    /// # Errors
    /// [`Error::State`] if there is no such object.
    pub fn clear_frame(&mut self, object: ObjectId, frame: u64) -> Result<()> {
        self.known(object)?;
        self.clear("clear frame", object, &[frame])
    }

    /// Takes back all that was ever said of an object, and with it its masks. The object stays, with its name.
    ///
    /// # Errors
    /// [`Error::State`] if there is no such object.
    pub fn clear_object(&mut self, object: ObjectId) -> Result<()> {
        let frames: Vec<_> = self.known(object)?.prompts.keys().copied().collect();
        self.clear("clear object", object, &frames)
    }

    /// Removes every object (`reset_state`). It can't be taken back.
    ///
    /// # Errors
    /// [`Error::Session`] if the session's file can't be written; nothing is changed then.
    pub fn reset(&mut self) -> Result<()> {
        let objects = self.objects.keys().map(|&id| (id, None)).collect();
        self.apply(Change { objects, note: Some(Note::Cleared), ..Change::default() })
    }

    /// What can be taken back, and said again.
    ///
    /// # Errors
    /// [`Error::Session`] if the session's file can't be read.
    pub fn undoable(&self) -> Result<Undoable> {
        let label = |step: Option<Step>| step.map(|step| step.label);
        Ok(Undoable { undo: label(self.keeping.done()?), redo: label(self.keeping.undone()?) })
    }

    /// Takes back what was said last. What was tracked since then and depends on it is outdated. Tracking itself is
    /// not taken back. `false` if there is nothing to take back.
    ///
    /// # Errors
    /// [`Error::Session`] if the session's file can't be read or written; nothing is changed then.
    pub fn undo(&mut self) -> Result<bool> {
        let Some(step) = self.keeping.done()? else { return Ok(false) };
        self.swap(step, Note::Undone)?;
        Ok(true)
    }

    /// Says again what was taken back last, unless anything else was said since.
    ///
    /// # Errors
    /// As [`Session::undo`].
    pub fn redo(&mut self) -> Result<bool> {
        let Some(step) = self.keeping.undone()? else { return Ok(false) };
        self.swap(step, Note::Redone)?;
        Ok(true)
    }

    /// What was tracked, and prompts have made wrong since: by object, in the order of frames.
    /// [`Session::track`] with [`Way::Outdated`](super::Way::Outdated) redoes it, and nothing else.
    pub fn outdated(&self) -> Vec<Outdated> {
        let of = |(&object, known): (&ObjectId, &Object)| {
            let parts = known.trail.outdated().into_iter();
            parts.map(move |part| Outdated { object, frames: part.frames, direction: part.direction })
        };
        self.objects.iter().flat_map(of).collect()
    }

    /// Frames whose prompts wait to be answered, in order.
    pub fn waiting(&self) -> Vec<u64> {
        let mut frames: Vec<_> =
            self.objects.values().flat_map(|o| o.trail.waiting().iter().copied()).collect();
        frames.sort_unstable();
        frames.dedup();
        frames
    }

    fn known(&self, object: ObjectId) -> Result<&Object> {
        self.objects.get(&object).ok_or_else(|| Error::State(format!("there is no object {object}")))
    }

    /// Changes an object, which is added if it isn't there, and notes how it was before.
    pub(super) fn edit(
        &mut self,
        label: &str,
        id: ObjectId,
        frame: Option<u64>,
        change: impl FnOnce(&mut Object) -> Result<()>,
    ) -> Result<()> {
        if !self.objects.contains_key(&id) && self.objects.len() == MAX_OBJECTS {
            return Err(Error::State(format!(
                "the session has {MAX_OBJECTS} objects, the most that it can have"
            )));
        }
        let before = self.snapshot(id, frame.as_slice())?;
        let mut object = self.objects.get(&id).cloned().unwrap_or_else(|| Object::new(id));
        change(&mut object)?;
        let mut change = said(label, before);
        change.said.extend(frame.map(|frame| (id, frame)));
        change.objects.insert(id, Some(object));
        self.apply(change)
    }

    fn clear(&mut self, label: &str, id: ObjectId, frames: &[u64]) -> Result<()> {
        let before = self.snapshot(id, frames)?;
        let mut object = self.known(id)?.clone();
        let mut change = said(label, before);
        for &frame in frames {
            object.prompts.remove(&frame);
            object.trail.clear(frame, &self.scene(frame));
            change.said.insert((id, frame));
            if !object.trail.has(frame) {
                change.answers.insert((id, frame), None);
            }
        }
        if object.trail.conditioning().is_empty() {
            change.forgotten.insert(id);
        }
        change.objects.insert(id, Some(object));
        self.apply(change)
    }

    fn snapshot(&mut self, id: ObjectId, frames: &[u64]) -> Result<Snapshot> {
        let object = self.objects.get(&id);
        let known = object.map(|o| (o.name.clone(), o.trail.clone()));
        let mut snapshots = Vec::new();
        for &frame in frames {
            let prompts = object.and_then(|o| o.prompts.get(&frame).cloned());
            snapshots.push(FrameSnapshot { frame, prompts, answer: self.keeping.get(id, frame)? });
        }
        Ok(Snapshot { object: id, known, frames: snapshots })
    }

    /// Brings an object back to how it was, and notes how it is now.
    fn swap(&mut self, step: Step, note: impl FnOnce(Step) -> Note) -> Result<()> {
        let (id, before) = (step.before.object, step.before);
        let frames: Vec<_> = before.frames.iter().map(|f| f.frame).collect();
        let now = Step { label: step.label, before: self.snapshot(id, &frames)? };
        let mut change = Change { note: Some(note(now)), ..Change::default() };
        let Some((name, trail)) = before.known else {
            change.objects.insert(id, None);
            return self.apply(change);
        };
        let mut object = match self.objects.get(&id) {
            Some(object) => object.clone(),
            // It was removed, and with it what was tracked.
            None => Object { trail: trail.without_tracked(), ..Object::new(id) },
        };
        object.name = name;
        for FrameSnapshot { frame, prompts, answer } in before.frames {
            object.trail.restore(&trail, frame, &self.scene(frame));
            match prompts {
                Some(prompts) => object.prompts.insert(frame, prompts),
                None => object.prompts.remove(&frame),
            };
            change.said.insert((id, frame));
            change.answers.insert((id, frame), answer.filter(|_| object.trail.has(frame)));
        }
        change.objects.insert(id, Some(object));
        self.apply(change)
    }
}

/// Something new was said.
fn said(label: &str, before: Snapshot) -> Change {
    let step = Step { label: label.into(), before };
    Change { note: Some(Note::Said(step)), ..Change::default() }
}

fn check_name(name: &str) -> Result<()> {
    if name.len() > MAX_NAME_BYTES {
        let found = name.len();
        return Err(Error::Prompt(format!(
            "the object's name has {found} bytes, expected at most {MAX_NAME_BYTES}"
        )));
    }
    Ok(())
}
