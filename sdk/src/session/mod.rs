//! One shot, one frame at a time: the only loop.
//!
//! Frames are pushed in any order; each is answered by its own prompts, or tracked from what is remembered of
//! earlier frames. To let every frame recall several prompted ones, as the reference does, push the prompted
//! frames first, then the shot in order. What is held does not grow with the shot: one frame's features, and
//! for each object its prompted frames and a window of recent ones.

mod masklet;
mod watch;
#[cfg(test)]
mod parity;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

pub use watch::{Progress, Stage};

use crate::error::{Error, Result};
use crate::frame::{FrameView, Size};
use crate::mask::LogitPlane;
use crate::model::{Cancel, Features, Model};
use crate::preprocess::{EncoderInput, to_encoder_input};
use crate::prompt::{Box, Click, Mask};
use masklet::{Answer, Bench, Masklet, Step};
use watch::Watch;

/// The caller's name for an object of the shot.
pub type ObjectId = u32;

/// The most objects that a session follows.
pub const MAX_OBJECTS: usize = 256;

/// One object's mask on the frame that was pushed last.
#[derive(Clone, Debug, PartialEq)]
pub struct ObjectMask {
    /// Whether the mask answers prompts on this very frame, or was tracked.
    pub prompted: bool,
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
    cancel: Arc<Cancel>,
    objects: BTreeMap<ObjectId, Masklet>,
    current: Option<Current>,
    watch: Watch,
}

/// The frame that was pushed last.
struct Current {
    frame: u64,
    input: EncoderInput,
    /// Encoded when first needed.
    features: Option<Features>,
    masks: BTreeMap<ObjectId, ObjectMask>,
}

impl Session {
    /// Opens a session for frames of one size.
    ///
    /// # Errors
    /// [`Error::Runtime`] if ONNX Runtime refuses.
    pub fn open(model: Arc<Model>, size: Size) -> Result<Self> {
        let cancel = Arc::new(model.cancel_switch()?);
        Ok(Self { model, size, cancel, objects: BTreeMap::new(), current: None, watch: Watch::default() })
    }

    /// The frames' size.
    pub fn size(&self) -> Size {
        self.size
    }

    /// The model.
    pub fn model(&self) -> &Model {
        &self.model
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

    /// Adds a click. Clicks on one frame add up, and refine what the frame has already answered.
    ///
    /// # Errors
    /// [`Error::Prompt`] outside the frame or past [`MAX_CLICKS`](crate::prompt::MAX_CLICKS);
    /// [`Error::State`] past [`MAX_OBJECTS`].
    pub fn click(&mut self, object: ObjectId, frame: u64, click: Click) -> Result<()> {
        click.check(self.size)?;
        self.object(object)?.click(frame, click)
    }

    /// Sets the box of a frame.
    ///
    /// # Errors
    /// [`Error::Prompt`] without area or outside the frame; [`Error::State`] past [`MAX_OBJECTS`].
    pub fn bounds(&mut self, object: ObjectId, frame: u64, bounds: Box) -> Result<()> {
        bounds.check(self.size)?;
        self.object(object)?.bounds(frame, bounds);
        Ok(())
    }

    /// Sets the mask of a frame, of the frame's size: grey above half is the object, or alpha where there is any.
    ///
    /// # Errors
    /// [`Error::Prompt`] for another size or a format that can't be a mask; [`Error::State`] past
    /// [`MAX_OBJECTS`].
    pub fn mask_prompt(&mut self, object: ObjectId, frame: u64, mask: FrameView<'_>) -> Result<()> {
        let mask = Mask::read(mask, self.size)?;
        self.object(object)?.mask(frame, mask);
        Ok(())
    }

    /// Takes a frame: answers its prompts, or tracks every object into it.
    ///
    /// # Errors
    /// [`Error::Frame`] for another size or no colour; [`Error::Inference`]; [`Error::Cancelled`]. The session is
    /// then as it was before.
    pub fn push(&mut self, frame: u64, pixels: FrameView<'_>) -> Result<()> {
        if pixels.size() != self.size {
            let (found, want) = (pixels.size(), self.size);
            return Err(Error::Frame(format!("frame {frame} is {found}, expected the session's {want}")));
        }
        self.watch.restart();
        self.cancel.check()?;
        let spec = &self.model.manifest().input;
        let input = self.watch.run(Stage::Preprocess, || to_encoder_input(pixels, spec))?;
        let mut current = Current { frame, input, features: None, masks: BTreeMap::new() };
        self.answer(&mut current, |step| step != Step::Nothing)?;
        self.current = Some(current);
        Ok(())
    }

    /// Answers prompts that were added for the frame that was pushed last, from features it already has.
    ///
    /// # Errors
    /// [`Error::State`] before the first frame, [`Error::Inference`], [`Error::Cancelled`]. The session is then as
    /// it was before.
    pub fn refine(&mut self) -> Result<()> {
        self.watch.restart();
        self.cancel.check()?;
        let mut current =
            self.current.take().ok_or_else(|| Error::State("no frame was pushed yet".into()))?;
        let answered = self.answer(&mut current, |step| step == Step::Prompt);
        self.current = Some(current);
        answered
    }

    /// The object's mask on the frame that was pushed last.
    ///
    /// # Errors
    /// [`Error::State`] before the first frame, or if nothing was said of the object so far.
    pub fn mask(&self, object: ObjectId) -> Result<&ObjectMask> {
        let current = self.current.as_ref().ok_or_else(|| Error::State("no frame was pushed yet".into()))?;
        current.masks.get(&object).ok_or_else(|| {
            let frame = current.frame;
            Error::State(format!(
                "object {object} has no mask on frame {frame}: nothing was said of it so far"
            ))
        })
    }

    /// Drops what was tracked, as after a cut. Prompts and their answers stay.
    pub fn forget(&mut self) {
        self.objects.values_mut().for_each(Masklet::forget_tracked);
    }

    fn object(&mut self, id: ObjectId) -> Result<&mut Masklet> {
        if !self.objects.contains_key(&id) && self.objects.len() == MAX_OBJECTS {
            return Err(Error::State(format!(
                "the session has {MAX_OBJECTS} objects, the most that it can have"
            )));
        }
        Ok(self.objects.entry(id).or_insert_with(|| Masklet::new(self.model.manifest())))
    }

    /// Answers for the objects whose step is wanted, and remembers only when all of them are answered.
    fn answer(&mut self, current: &mut Current, wanted: impl Fn(Step) -> bool) -> Result<()> {
        let answers = self.answers(current, wanted)?;
        for (id, step, answer) in answers {
            let mask = ObjectMask {
                prompted: step != Step::Track,
                predicted_iou: answer.predicted_iou,
                object_score: answer.object_score,
                logits: answer.logits.clone(),
            };
            current.masks.insert(id, mask);
            let Some(masklet) = self.objects.get_mut(&id) else { continue };
            match step {
                Step::Prompt => masklet.keep_prompted(current.frame, answer),
                Step::Track => masklet.keep_tracked(current.frame, answer),
                Step::Stands => masklet.pass(current.frame),
                Step::Nothing => {}
            }
        }
        Ok(())
    }

    fn answers(
        &mut self,
        current: &mut Current,
        wanted: impl Fn(Step) -> bool,
    ) -> Result<Vec<(ObjectId, Step, Answer)>> {
        let mut answers = Vec::new();
        for (&id, masklet) in &self.objects {
            let step = masklet.step(current.frame);
            if !wanted(step) {
                continue;
            }
            if let (Step::Stands, Some(answer)) = (step, masklet.standing(current.frame)) {
                answers.push((id, step, answer.clone()));
                continue;
            }
            let (model, cancel) = (&*self.model, &*self.cancel);
            let features = match current.features.take() {
                Some(features) => features,
                None => self.watch.run(Stage::ImageEncoder, || model.encode(&current.input, cancel))?,
            };
            let features = current.features.insert(features);
            let mut bench = Bench { model, features, size: self.size, cancel, watch: &mut self.watch };
            let answer = match step {
                Step::Prompt => masklet.answer_prompts(current.frame, &mut bench)?,
                _ => masklet.track(current.frame, &mut bench)?,
            };
            answers.push((id, step, answer));
        }
        Ok(answers)
    }
}

impl std::fmt::Debug for Current {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Current").field("frame", &self.frame).finish_non_exhaustive()
    }
}
