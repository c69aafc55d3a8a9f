//! One shot, one frame at a time: the only loop.
//!
//! Frames are pushed in any order; each is answered by its own prompts, or tracked from what is remembered of
//! other frames. To let every frame recall several prompted ones, as the reference does, push the prompted frames
//! first, then the shot in order; [`Session::track`] does so by itself. What is held does not grow with the shot:
//! one frame's features, and for each object its prompted frames and a window of recent ones.

mod answering;
mod attended;
mod automatic;
mod change;
mod edit;
mod file;
mod history;
mod keeping;
mod masks;
mod object;
mod options;
mod review;
mod scenes;
mod sight;
mod track;
mod trail;
mod watch;
mod work;
#[cfg(test)]
mod parity;
#[cfg(test)]
mod parity_official;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

pub use crate::answer::Origin;
pub use crate::memory_bank::Direction;
pub use crate::store::Precision;
pub use edit::Undoable;
pub use masks::ObjectMask;
pub use object::{MAX_OBJECTS, ObjectId, ObjectInfo, Outdated, Said};
pub use options::{Keep, SessionOptions};
pub use track::{FrameSource, Stopped, TrackReport, TrackRequest, Way};
pub use watch::{Progress, Stage};

use crate::cut::{DEFAULT_SENSITIVITY, is_cut};
use crate::error::{Error, Result};
use crate::frame::{FrameView, Size};
use crate::memory_bank::Reach;
use crate::model::{Cancel, Features, Model};
use crate::preprocess::EncoderInput;
use answering::{At, Outcome};
use attended::Attended;
use change::{Change, Seen};
use file::File;
use keeping::Keeping;
use object::Object;
use scenes::Scenes;
use sight::Sight;
use trail::Step;
use watch::{Timed, Watch};

/// A shot being tracked.
#[derive(Debug)]
pub struct Session {
    model: Arc<Model>,
    size: Size,
    options: SessionOptions,
    reach: Reach,
    cancel: Arc<Cancel>,
    objects: BTreeMap<ObjectId, Object>,
    scenes: Scenes,
    keeping: Keeping,
    current: Option<Current>,
    watch: Watch,
}

/// The frame that was pushed last.
struct Current {
    frame: u64,
    input: EncoderInput,
    /// What it looked like.
    seen: Seen,
    /// Encoded when first needed.
    features: Option<Features>,
    /// Encoded ahead, and neither needed nor told yet.
    ahead: Option<Timed<Features>>,
    /// What the attention made of them.
    attended: Attended,
    /// Objects of which something was said, but only on the other side of a cut.
    apart: BTreeSet<ObjectId>,
}

impl Session {
    /// Opens a session for frames of one size that keeps a window of answers.
    ///
    /// # Errors
    /// [`Error::Runtime`] if ONNX Runtime refuses.
    pub fn open(model: Arc<Model>, size: Size) -> Result<Self> {
        Self::open_with(model, size, SessionOptions::default())
    }

    /// Opens a session for frames of one size. A [`Keep::File`] that is there is gone on with.
    ///
    /// # Errors
    /// [`Error::Setting`] for an option outside its range; [`Error::Session`] for a file that can't be gone on with:
    /// another model, another size, damaged, in use; [`Error::Runtime`] if ONNX Runtime refuses.
    pub fn open_with(model: Arc<Model>, size: Size, options: SessionOptions) -> Result<Self> {
        options.check(model.manifest())?;
        let room = options.room(model.manifest())?;
        let identity = options.identity(model.manifest(), size);
        let file = File::open(&options.keep, &identity)?;
        let loaded = file.as_ref().map(File::load).transpose()?.unwrap_or_default();
        let cancel = Arc::new(model.cancel_switch()?);
        let reach = options.reach(model.manifest());
        Ok(Self {
            model,
            size,
            options,
            reach,
            cancel,
            objects: loaded.objects,
            scenes: Scenes::new(loaded.cuts),
            keeping: Keeping::new(file, room),
            current: None,
            watch: Watch::default(),
        })
    }

    /// The frames' size.
    pub fn size(&self) -> Size {
        self.size
    }

    /// The model.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// How the session behaves.
    pub fn options(&self) -> &SessionOptions {
        &self.options
    }

    /// The switch that stops this session's work from another thread. The work that is stopped answers
    /// [`Error::Cancelled`] and leaves everything as it was before; if nothing runs, the next call is stopped.
    pub fn cancel_switch(&self) -> Arc<Cancel> {
        Arc::clone(&self.cancel)
    }

    /// Tells the host after each stage how long it took; it can stop the work by its answer.
    pub fn set_progress(&mut self, progress: Option<std::boxed::Box<Progress>>) {
        self.watch.progress = progress;
    }

    /// How long each [`Stage`] of the last [`Session::push`] or [`Session::refine`] took.
    pub fn spent(&self) -> [Duration; Stage::COUNT] {
        self.watch.spent()
    }

    /// Takes a frame: answers its prompts, or tracks every object into it from earlier frames. Answers that hold
    /// stand.
    ///
    /// # Errors
    /// [`Error::Frame`] for another size or no colour; [`Error::Inference`]; [`Error::Cancelled`]. The session is
    /// then as it was before.
    pub fn push(&mut self, frame: u64, pixels: FrameView<'_>) -> Result<()> {
        self.push_toward(frame, Direction::Forward, pixels)
    }

    /// Takes a frame, and tracks into it from where `direction` comes from.
    ///
    /// # Errors
    /// As [`Session::push`].
    pub fn push_toward(&mut self, frame: u64, direction: Direction, pixels: FrameView<'_>) -> Result<()> {
        let sight = Sight::of(frame, pixels, self.size, &self.model)?;
        let (mut current, change) = self.arrive(frame, sight)?;
        self.answer(&mut current, direction, &|_, step| step != Step::Nothing, false, change)?;
        self.current = Some(current);
        Ok(())
    }

    /// Takes a frame in: what it changes, and what is made of it already. It is the current one when it is answered.
    fn arrive(&mut self, frame: u64, sight: Sight) -> Result<(Current, Change)> {
        let Sight { input, seen, features: ahead } = sight;
        self.watch.restart();
        self.cancel.check()?;
        let input = self.watch.tell(Stage::Preprocess, input)?;
        let mut change = Change::default();
        self.look(frame, &seen, &mut change)?;
        let (features, attended) = self.features_of(seen.hash);
        let ahead = ahead.filter(|_| features.is_none());
        Ok((Current { frame, input, seen, features, ahead, attended, apart: BTreeSet::new() }, change))
    }

    /// What is made already of a picture that is pushed again. Of any other, the last frame's features go: two frames'
    /// are never held.
    fn features_of(&mut self, hash: u128) -> (Option<Features>, Attended) {
        let Some(last) = &mut self.current else { return Default::default() };
        let made = (last.features.take(), std::mem::take(&mut last.attended));
        if last.seen.hash == hash { made } else { Default::default() }
    }

    /// Answers prompts that were added for the frame that was pushed last, from features it already has.
    ///
    /// # Errors
    /// [`Error::State`] before the first frame, [`Error::Inference`], [`Error::Cancelled`]. The session is then as
    /// it was before.
    pub fn refine(&mut self) -> Result<()> {
        self.watch.restart();
        self.cancel.check()?;
        let mut current = self.current.take().ok_or_else(no_frame_yet)?;
        let wanted = |_, step| step == Step::Prompt;
        let answered = self.answer(&mut current, Direction::Forward, &wanted, false, Change::default());
        self.current = Some(current);
        answered.map(|_| ())
    }

    /// Drops what was tracked. Prompts and their answers stay.
    ///
    /// # Errors
    /// [`Error::Session`] if the session's file can't be written; nothing is changed then.
    pub fn forget(&mut self) -> Result<()> {
        let mut change = Change::default();
        for (&id, object) in &self.objects {
            change.trails.insert(id, object.trail.without_tracked());
            change.untracked.insert(id);
        }
        self.apply(change)
    }

    /// Frames that begin a new shot, as far as frames were seen: for a list of cuts.
    pub fn cuts(&self) -> Vec<u64> {
        self.scenes.cuts().collect()
    }

    /// Frames that no cut parts from a frame.
    fn scene(&self, frame: u64) -> RangeInclusive<u64> {
        self.scenes.around(frame)
    }

    /// Notices cuts and changed footage.
    fn look(&mut self, frame: u64, seen: &Seen, change: &mut Change) -> Result<()> {
        let before = self.keeping.seen(frame)?;
        if before.as_ref().is_some_and(|before| before.hash != seen.hash) && self.answered(frame) {
            return Err(Error::Frame(format!(
                "frame {frame} is not the one that was answered before, expected the same pixels: clear what was \
                 said and tracked of it, or open another session"
            )));
        }
        if before.as_ref() == Some(seen) {
            return Ok(());
        }
        change.seen = Some((frame, seen.clone()));
        if self.options.detect_cuts {
            // The first of two frames, and where they part.
            for (other, cut) in
                [(frame.checked_sub(1), Some(frame)), (frame.checked_add(1), frame.checked_add(1))]
            {
                let (Some(other), Some(cut)) = (other, cut) else { continue };
                let Some(other) = self.keeping.seen(other)? else { continue };
                let found = is_cut(&other.signature, &seen.signature, DEFAULT_SENSITIVITY);
                if found != self.scenes.is_cut(cut) {
                    change.cuts.insert(cut, found);
                }
            }
        }
        Ok(())
    }

    /// Whether anything is known of any object on a frame.
    fn answered(&self, frame: u64) -> bool {
        self.objects.values().any(|object| object.trail.has(frame))
    }

    /// Answers for the objects whose step is wanted, and remembers only when all of them are answered. Gives those
    /// that were tracked.
    fn answer(
        &mut self,
        current: &mut Current,
        direction: Direction,
        wanted: &dyn Fn(ObjectId, Step) -> bool,
        recalled: bool,
        mut change: Change,
    ) -> Result<Vec<ObjectId>> {
        let scene = self.scenes.around_with(current.frame, &change.cuts);
        let at = At { frame: current.frame, direction, scene, recalled };
        let (mut tracked, mut apart, mut following) = (Vec::new(), BTreeSet::new(), Vec::new());
        for id in self.objects.keys().copied().collect::<Vec<_>>() {
            let step = self.objects[&id].trail.step(at.frame, &at.scene);
            match step {
                Step::Apart => {
                    apart.insert(id);
                }
                _ if !wanted(id, step) => {}
                Step::Nothing => {}
                Step::Track => following.push(id),
                Step::Prompt | Step::Stands => {
                    let outcome = self.outcome(id, step, current, &at)?;
                    self.settle(id, outcome, &at, &mut change);
                }
            }
        }
        for ids in following.chunks(self.together()) {
            for (&id, answer) in ids.iter().zip(self.follow(ids, current, &at)?) {
                tracked.push(id);
                self.settle(id, Outcome::Tracked(answer), &at, &mut change);
            }
        }
        self.apply(change)?;
        current.apart = apart;
        if self.options.keep == Keep::Window {
            self.keep_window(at.frame);
        }
        // Not even a pointer of it is recalled from here on.
        if let Some(left) = direction.behind(at.frame, self.reach.frames() + 1) {
            for &id in tracked.iter().filter(|id| !self.objects[id].trail.conditioning().contains(&left)) {
                self.keeping.leave(id, left);
            }
        }
        Ok(tracked)
    }

    /// Keeps a change, and lives by it from now on.
    ///
    /// # Errors
    /// [`Error::Session`] if the file can't be written; nothing is changed then.
    fn apply(&mut self, mut change: Change) -> Result<()> {
        self.keeping.keep(&mut change, &self.objects)?;
        for (id, object) in change.objects {
            match object {
                Some(object) => self.objects.insert(id, object),
                None => self.objects.remove(&id),
            };
        }
        for (id, trail) in change.trails {
            self.objects.entry(id).and_modify(|object| object.trail = trail);
        }
        self.scenes.change(&change.cuts);
        Ok(())
    }
}

fn no_frame_yet() -> Error {
    Error::State("no frame was pushed yet".into())
}

impl std::fmt::Debug for Current {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Current").field("frame", &self.frame).finish_non_exhaustive()
    }
}
