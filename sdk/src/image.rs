//! One picture, no memory: clicks, a box or an earlier mask to candidate masks.
//!
//! The counterpart of the reference's `SAM2ImagePredictor`, with its names and its order. Two things differ: a mask
//! input without any point is seen with one padding point, because the decoder's graph closes every list of points
//! with one, and a picture is squeezed as the model's manifest says.

use std::sync::Arc;

use crate::error::{Error, Result};
use crate::frame::{FrameView, Size};
use crate::mask::{Cleaning, LogitPlane, MASK_THRESHOLD, STABILITY_SCORE_OFFSET, Shape, pick};
use crate::model::{Cancel, Decoded, Features, Ground, Model};
use crate::preprocess::to_encoder_input;
use crate::prompt::{Box, Click, EncodedPoints, FramePrompts, MAX_CLICKS};

/// `predict` gives this many candidates where several were asked for.
pub const MULTIMASK_CANDIDATES: usize = 3;

/// The reference clamps the logits that it hands back as a mask input to it, either sign.
const MASK_INPUT_LIMIT: f32 = 32.0;

/// How masks are made of logits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ImageOptions {
    /// Above this logit a pixel is the object's.
    pub mask_threshold: f32,
    /// Holes and specks up to these sizes are cleaned away, in cells of the decoder's logits.
    pub cleaning: Cleaning,
}

impl Default for ImageOptions {
    fn default() -> Self {
        Self { mask_threshold: MASK_THRESHOLD, cleaning: Cleaning::default() }
    }
}

/// What is said about the one thing that is looked for.
#[derive(Clone, Copy, Debug)]
pub struct ImagePrompts<'a> {
    /// Places on it and off it, in pixels of the picture.
    pub clicks: &'a [Click],
    /// A box around it.
    pub bounds: Option<Box>,
    /// Logits of an earlier answer ([`Candidate::logits`]), of the decoder's own size.
    pub mask_input: Option<&'a LogitPlane>,
    /// Three candidates, for prompts that can mean a thing, a part of it, or more than it: one click mostly.
    /// Otherwise one, which is better where the prompts are clear.
    pub multimask_output: bool,
}

impl Default for ImagePrompts<'_> {
    fn default() -> Self {
        Self { clicks: &[], bounds: None, mask_input: None, multimask_output: true }
    }
}

/// One of the masks that a prompt can mean.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// The mask, cleaned as the options say. The contour lies at 0, whatever the threshold.
    pub mask: LogitPlane,
    /// The decoder's own logits, clamped to 32 either sign: a mask input for the next question.
    pub logits: LogitPlane,
    /// How well the model believes to have met the object, 0 to 1.
    pub predicted_iou: f32,
    /// Area, box and stability at the picture's size.
    pub shape: Shape,
}

/// The answer to one question.
#[derive(Clone, Debug, PartialEq)]
pub struct Prediction {
    /// In the decoder's order, as the reference gives them: not by quality.
    pub candidates: Vec<Candidate>,
    /// A logit: above 0, the model believes that there is an object. The reference's image mode does not look at it.
    pub object_score: f32,
}

impl Prediction {
    /// The candidate of the highest predicted IoU.
    pub fn best(&self) -> Option<&Candidate> {
        self.candidates
            .iter()
            .reduce(|best, next| if next.predicted_iou > best.predicted_iou { next } else { best })
    }
}

/// A picture that has been seen, ready for any number of questions.
#[derive(Debug)]
pub struct ImagePredictor {
    model: Arc<Model>,
    cancel: Arc<Cancel>,
    options: ImageOptions,
    seen: Option<Seen>,
}

struct Seen {
    size: Size,
    features: Features,
}

impl ImagePredictor {
    /// Sees nothing yet.
    ///
    /// # Errors
    /// [`Error::Setting`] for a threshold that is no number, [`Error::Runtime`] if ONNX Runtime refuses.
    pub fn new(model: Arc<Model>, options: ImageOptions) -> Result<Self> {
        let cancel = Arc::new(model.cancel_switch()?);
        Self::stopped_by(cancel, model, options)
    }

    /// As [`ImagePredictor::new`], stopped by a switch that others share.
    pub(crate) fn stopped_by(cancel: Arc<Cancel>, model: Arc<Model>, options: ImageOptions) -> Result<Self> {
        if !options.mask_threshold.is_finite() {
            let found = options.mask_threshold.to_string();
            return Err(Error::Setting { name: "mask_threshold", found, want: "a number".into() });
        }
        Ok(Self { model, cancel, options, seen: None })
    }

    /// The model.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// How masks are made of logits.
    pub fn options(&self) -> ImageOptions {
        self.options
    }

    /// The switch that stops this predictor's work from another thread.
    pub fn cancel_switch(&self) -> Arc<Cancel> {
        Arc::clone(&self.cancel)
    }

    /// Looks at a picture. The one before is forgotten, even on failure.
    ///
    /// # Errors
    /// [`Error::Frame`] if its format has no colour; [`Error::Inference`]; [`Error::Cancelled`].
    pub fn set_image(&mut self, picture: FrameView<'_>) -> Result<()> {
        self.seen = None;
        self.cancel.check()?;
        let input = to_encoder_input(picture, &self.model.manifest().input)?;
        let features = self.model.encode(&input, &self.cancel)?;
        self.seen = Some(Seen { size: picture.size(), features });
        Ok(())
    }

    /// Forgets the picture, and with it what it takes in memory.
    pub fn reset(&mut self) {
        self.seen = None;
    }

    /// The picture's size.
    ///
    /// # Errors
    /// [`Error::State`] before the first picture.
    pub fn size(&self) -> Result<Size> {
        Ok(self.seen()?.size)
    }

    /// Answers a question about the picture.
    ///
    /// # Errors
    /// [`Error::State`] before the first picture; [`Error::Prompt`] for clicks or a box outside it, a mask input of
    /// another size than the decoder's, or if nothing at all is said; [`Error::Inference`]; [`Error::Cancelled`].
    pub fn predict(&self, prompts: &ImagePrompts<'_>) -> Result<Prediction> {
        let size = self.seen()?.size;
        let decoded = self.decode(prompts)?;
        let candidates = self.chosen(&decoded, prompts.multimask_output).map(|at| {
            let (logits, mask) = self.planes(&decoded, at);
            let shape = mask.shape_at(size, 0.0, STABILITY_SCORE_OFFSET);
            Candidate { mask, logits, predicted_iou: decoded.ious[at], shape }
        });
        Ok(Prediction { candidates: candidates.collect(), object_score: decoded.object_score })
    }

    /// The decoder's answer, of which only the [`ImagePredictor::chosen`] count.
    pub(crate) fn decode(&self, prompts: &ImagePrompts<'_>) -> Result<Decoded> {
        let Seen { size, features } = self.seen()?;
        self.check(prompts, *size)?;
        let given =
            FramePrompts { bounds: prompts.bounds, clicks: prompts.clicks.to_vec(), ..Default::default() };
        let points = if given.has_points() {
            given.encode_points(*size, self.model.manifest().input.size)
        } else {
            EncodedPoints { coordinates: Vec::new(), labels: Vec::new(), given: 0 }
        };
        let dense = prompts.mask_input.map(|plane| plane.values.as_slice());
        self.model.decode((features, Ground::NoMemory), &points, dense, &self.cancel)
    }

    /// Which of the decoder's masks answer: 1 to 3, or mask 0, or what stands in for it where it is unstable.
    pub(crate) fn chosen(&self, decoded: &Decoded, multimask_output: bool) -> std::ops::Range<usize> {
        if multimask_output {
            return 1..decoded.ious.len();
        }
        let one = pick(decoded, usize::MAX, &self.model.manifest().constants).mask;
        one..one + 1
    }

    /// A mask's logits to hand back, and the mask itself, cleaned and moved so that its contour lies at 0.
    pub(crate) fn planes(&self, decoded: &Decoded, at: usize) -> (LogitPlane, LogitPlane) {
        let side = self.model.manifest().mask_side();
        let values = &decoded.masks[at * side * side..][..side * side];
        let size = Size { width_px: side as u32, height_px: side as u32 };
        let clamped = values.iter().map(|v| v.clamp(-MASK_INPUT_LIMIT, MASK_INPUT_LIMIT)).collect();
        let mut mask = LogitPlane { size, values: values.to_vec() };
        let ImageOptions { mask_threshold, cleaning } = self.options;
        mask.clean(cleaning, mask_threshold);
        if mask_threshold != 0.0 {
            mask.values.iter_mut().for_each(|v| *v -= mask_threshold);
        }
        (LogitPlane { size, values: clamped }, mask)
    }

    fn seen(&self) -> Result<&Seen> {
        self.seen.as_ref().ok_or_else(|| Error::State("no picture was set yet".into()))
    }

    fn check(&self, prompts: &ImagePrompts<'_>, size: Size) -> Result<()> {
        let ImagePrompts { clicks, bounds, mask_input, .. } = prompts;
        if clicks.is_empty() && bounds.is_none() && mask_input.is_none() {
            return Err(Error::Prompt("nothing is said, expected a click, a box or a mask input".into()));
        }
        if clicks.len() > MAX_CLICKS {
            let found = clicks.len();
            return Err(Error::Prompt(format!("there are {found} clicks, expected at most {MAX_CLICKS}")));
        }
        clicks.iter().try_for_each(|click| click.check(size))?;
        bounds.iter().try_for_each(|bounds| bounds.check(size))?;
        let side = self.model.manifest().mask_side() as u32;
        let want = Size { width_px: side, height_px: side };
        for plane in mask_input.iter() {
            if plane.size != want || plane.values.len() != want.area_px() {
                let found = plane.size;
                return Err(Error::Prompt(format!("the mask input is {found}, expected {want} logits")));
            }
            if let Some(value) = plane.values.iter().find(|v| !v.is_finite()) {
                return Err(Error::Prompt(format!("the mask input has {value} in it, expected numbers")));
            }
        }
        Ok(())
    }
}

impl std::fmt::Debug for Seen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Seen").field("size", &self.size).finish_non_exhaustive()
    }
}
