//! One shot, one frame at a time: the only loop.
//!
//! Frames are pushed in any order; each is answered by its own prompts, or tracked from what is remembered of
//! other frames. To let every frame recall several prompted ones, as the reference does, push the prompted frames
//! first, then the shot in order; [`Session::track`] does so by itself. What is held does not grow with the shot:
//! one frame's features, and for each object its prompted frames and a window of recent ones.

mod attended;
mod change;
mod edit;
mod file;
mod history;
mod keeping;
mod object;
mod options;
mod review;
mod scenes;
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
pub use object::{MAX_OBJECTS, ObjectId, ObjectInfo, Outdated, Said};
pub use options::{Keep, SessionOptions};
pub use track::{FrameSource, Stopped, TrackReport, TrackRequest, Way};
pub use watch::{Progress, Stage};

use crate::answer::Answer;
use crate::cut::{DEFAULT_SENSITIVITY, is_cut};
use crate::error::{Error, Result};
use crate::frame::{FrameView, FrameViewMut, Size};
use crate::mask::{LogitPlane, Owners, Wanted};
use crate::memory_bank::Reach;
use crate::model::{Cancel, Features, Model, Recollection};
use crate::preprocess::{EncoderInput, to_encoder_input};
use attended::Attended;
use change::{Change, Seen};
use file::File;
use keeping::Keeping;
use object::Object;
use scenes::Scenes;
use trail::Step;
use watch::Watch;
use work::{Before, Bench, recollection};

/// One object's mask on one frame.
#[derive(Clone, Debug, PartialEq)]
pub struct ObjectMask {
    /// How the frame came to it.
    pub origin: Origin,
    /// How well the model believes to have met the object, 0 to 1.
    pub predicted_iou: f32,
    /// A logit: above 0, the model believes that the object is in the frame.
    pub object_score: f32,
    /// The mask; all of it far below 0 if the object is not in the frame.
    pub logits: LogitPlane,
}

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
    /// What the input's hash is.
    hash: u128,
    /// Encoded when first needed.
    features: Option<Features>,
    /// What the attention made of them.
    attended: Attended,
    /// Objects of which something was said, but only on the other side of a cut.
    apart: BTreeSet<ObjectId>,
}

/// Where a frame is looked at from.
#[derive(Clone)]
struct At {
    frame: u64,
    direction: Direction,
    /// The frames that no cut parts from it.
    scene: RangeInclusive<u64>,
}

/// What came of one object on a frame.
enum Outcome {
    Prompted(Answer),
    Tracked(Answer),
    Remembered(Answer),
    Stands,
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
        self.take(frame, direction, pixels, &|_, step| step != Step::Nothing).map(|_| ())
    }

    /// Takes a frame and answers for the objects that are wanted. Gives those that were tracked.
    fn take(
        &mut self,
        frame: u64,
        direction: Direction,
        pixels: FrameView<'_>,
        wanted: &dyn Fn(ObjectId, Step) -> bool,
    ) -> Result<Vec<ObjectId>> {
        if pixels.size() != self.size {
            let (found, want) = (pixels.size(), self.size);
            return Err(Error::Frame(format!("frame {frame} is {found}, expected the session's {want}")));
        }
        self.watch.restart();
        self.cancel.check()?;
        let spec = &self.model.manifest().input;
        let input = self.watch.run(Stage::Preprocess, || to_encoder_input(pixels, spec))?;
        let seen = Seen::of(&input, spec);
        let mut change = Change::default();
        self.look(frame, &seen, &mut change)?;
        let (features, attended) = self.features_of(seen.hash);
        let (hash, apart) = (seen.hash, BTreeSet::new());
        let mut current = Current { frame, input, hash, features, attended, apart };
        let tracked = self.answer(&mut current, direction, wanted, change)?;
        self.current = Some(current);
        Ok(tracked)
    }

    /// What is made already of a picture that is pushed again. Of any other, the last frame's features go: two frames'
    /// are never held.
    fn features_of(&mut self, hash: u128) -> (Option<Features>, Attended) {
        let Some(last) = &mut self.current else { return Default::default() };
        let made = (last.features.take(), std::mem::take(&mut last.attended));
        if last.hash == hash { made } else { Default::default() }
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
        let answered =
            self.answer(&mut current, Direction::Forward, &|_, step| step == Step::Prompt, Change::default());
        self.current = Some(current);
        answered.map(|_| ())
    }

    /// The object's mask on the frame that was pushed last.
    ///
    /// # Errors
    /// [`Error::State`] before the first frame, or if nothing was said of the object so far.
    pub fn mask(&mut self, object: ObjectId) -> Result<ObjectMask> {
        let current = self.current.as_ref().ok_or_else(no_frame_yet)?;
        let (frame, apart) = (current.frame, current.apart.contains(&object));
        if apart {
            return Ok(self.absent());
        }
        self.mask_at(object, frame)?.ok_or_else(|| {
            Error::State(format!(
                "object {object} has no mask on frame {frame}: nothing was said of it so far"
            ))
        })
    }

    /// The object's mask on any frame whose answer is kept, or `None`.
    ///
    /// # Errors
    /// [`Error::Session`] if the session's file can't be read.
    pub fn mask_at(&mut self, object: ObjectId, frame: u64) -> Result<Option<ObjectMask>> {
        let area = self.options.hole_area(self.model.manifest());
        let Some(answer) = self.keeping.get(object, frame)? else { return Ok(None) };
        let mut logits = answer.logits.clone();
        logits.fill_holes(area as u32);
        let Answer { origin, predicted_iou, object_score, .. } = *answer;
        Ok(Some(ObjectMask { origin, predicted_iou, object_score, logits }))
    }

    /// Drops what was tracked. Prompts and their answers stay.
    ///
    /// # Errors
    /// [`Error::Session`] if the session's file can't be written; nothing is changed then.
    pub fn forget(&mut self) -> Result<()> {
        let mut change = Change::default();
        for (&id, object) in &self.objects {
            change
                .objects
                .insert(id, Some(Object { trail: object.trail.without_tracked(), ..object.clone() }));
            change.untracked.insert(id);
        }
        self.apply(change)
    }

    /// Frames that begin a new shot, as far as frames were seen: for a list of cuts.
    pub fn cuts(&self) -> Vec<u64> {
        self.scenes.cuts().collect()
    }

    /// What is said of an object that the frame's scene knows nothing of.
    fn absent(&self) -> ObjectMask {
        let (m, side) = (self.model.manifest(), self.model.manifest().mask_side());
        let no_object = m.constants.no_object_logit;
        let size = Size { width_px: side as u32, height_px: side as u32 };
        ObjectMask {
            origin: Origin::Tracked(Direction::Forward),
            predicted_iou: 0.0,
            object_score: no_object,
            logits: LogitPlane { size, values: vec![no_object; side * side] },
        }
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
        mut change: Change,
    ) -> Result<Vec<ObjectId>> {
        let scene = self.scenes.around_with(current.frame, &change.cuts);
        let at = At { frame: current.frame, direction, scene };
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

    /// Answers prompts, or sees to it that an answer that stands has its memory if it is needed.
    fn outcome(&mut self, id: ObjectId, step: Step, current: &mut Current, at: &At) -> Result<Outcome> {
        let earlier = self.keeping.get(id, at.frame)?;
        let trail = &self.objects[&id].trail;
        let recalled = match step {
            Step::Stands => {
                let gone = earlier.as_ref().is_some_and(|answer| answer.memory.is_none());
                if !gone || !trail.is_near_an_end(at.frame, self.reach) {
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
    fn follow(&mut self, ids: &[ObjectId], current: &mut Current, at: &At) -> Result<Vec<Answer>> {
        let mut recalled = Vec::new();
        for &id in ids {
            recalled.push(self.recalled(id, at)?.unwrap_or_default());
        }
        self.bench(current)?.track(ids, &recalled, at.direction)
    }

    /// How many objects are followed at once: under a ceiling, one recollection at a time.
    fn together(&self) -> usize {
        const MOST: usize = 16;
        if self.options.memory_ceiling.is_some() { 1 } else { MOST }
    }

    /// What work on a frame needs. The frame is encoded if it wasn't yet.
    fn bench<'a>(&'a mut self, current: &'a mut Current) -> Result<Bench<'a>> {
        let (model, cancel, together) = (&*self.model, &*self.cancel, self.together());
        let features = match current.features.take() {
            Some(features) => features,
            None => self.watch.run(Stage::ImageEncoder, || model.encode(&current.input, cancel))?,
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
    fn recalled(&mut self, id: ObjectId, at: &At) -> Result<Option<Recollection>> {
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
    fn settle(&self, id: ObjectId, outcome: Outcome, at: &At, change: &mut Change) {
        let Some(object) = self.objects.get(&id) else { return };
        let mut object = object.clone();
        let trail = &mut object.trail;
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
        change.objects.insert(id, Some(object));
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
        self.scenes.change(&change.cuts);
        Ok(())
    }

    /// A stream keeps what lies around the frame that was pushed last.
    fn keep_window(&mut self, frame: u64) {
        let reach = self.reach.frames();
        let window = frame.saturating_sub(reach)..=frame.saturating_add(reach);
        for (&id, object) in &mut self.objects {
            object.trail.keep_only(&window);
            let trail = &object.trail;
            self.keeping.keep_only(id, &window, |frame| trail.conditioning().contains(&frame));
        }
    }

    /// Writes an object's mask on the frame that was pushed last into the host's image.
    ///
    /// # Errors
    /// As [`Session::mask`]; [`Error::Frame`] if the image can't hold what is wanted.
    pub fn write_mask(&mut self, object: ObjectId, wanted: Wanted, image: FrameViewMut<'_>) -> Result<()> {
        let current = self.current.as_ref().ok_or_else(no_frame_yet)?;
        if current.apart.contains(&object) {
            return self.absent().logits.write(wanted, image);
        }
        let frame = current.frame;
        if self.write_mask_at(object, frame, wanted, image)? {
            return Ok(());
        }
        self.mask(object).map(|_| ())
    }

    /// Writes an object's mask on any frame whose answer is kept; `false` if it isn't. Where masks may not overlap, it
    /// is held against the other objects' masks on that frame.
    ///
    /// # Errors
    /// [`Error::Frame`] if the image can't hold what is wanted; [`Error::Session`] if the session's file can't be read.
    pub fn write_mask_at(
        &mut self,
        object: ObjectId,
        frame: u64,
        wanted: Wanted,
        image: FrameViewMut<'_>,
    ) -> Result<bool> {
        if wanted != Wanted::Logits && image.size() != self.size {
            let (found, want) = (image.size(), self.size);
            return Err(Error::Frame(format!("the mask's image is {found}, expected the session's {want}")));
        }
        let Some(mask) = self.mask_at(object, frame)? else { return Ok(false) };
        if wanted == Wanted::Logits || !self.options.non_overlap_masks {
            mask.logits.write(wanted, image)?;
            return Ok(true);
        }
        let (mut index, mut planes) = (0, Vec::new());
        for id in self.objects.keys().copied().collect::<Vec<_>>() {
            if id == object {
                index = planes.len();
            }
            planes.extend(self.mask_at(id, frame)?.map(|mask| mask.logits));
        }
        let owners = Owners::of(&planes.iter().collect::<Vec<_>>(), self.size)?;
        mask.logits.write_apart(wanted, image, &owners, index)?;
        Ok(true)
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
