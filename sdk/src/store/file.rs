//! A session file as others see it: to list, to check, to take masks from, to salvage. Never written to.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::fault::Fault;
use super::{Access, Confidence, FORMAT, Identity, PromptRow, Salvaged, Store};
use crate::answer::{Answer, Origin};
use crate::error::Result;
use crate::frame::Size;
use crate::mask::{LogitPlane, reference_hole_area};
use crate::memory_bank::Direction;
use crate::review::{ReviewRange, Reviewer, Thresholds};

/// A session file that is open for reading, perhaps while another process writes it.
#[derive(Debug)]
pub struct SessionFile {
    store: Store,
}

/// What is in a session file.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Summary {
    /// The file.
    pub path: PathBuf,
    /// Its format.
    pub format: i32,
    /// Its size on the disk, without what waits in the write-ahead log.
    pub file_bytes: u64,
    /// The model's name.
    pub model: String,
    /// The model's version.
    pub model_version: String,
    /// SHA-256 of the model's manifest.
    pub model_sha256: String,
    /// Width of the frames.
    pub width_px: u32,
    /// Height of the frames.
    pub height_px: u32,
    /// Columns and rows of a mask's logits.
    pub mask_side: u32,
    /// Bits that a logit is kept with.
    pub precision_bits: u32,
    /// In the order in which they are listed.
    pub objects: Vec<ObjectSummary>,
    /// Frames that begin a new take.
    pub cuts: Vec<u64>,
    /// Steps that can be undone.
    pub undo_steps: u64,
    /// Steps that were undone and can be done again.
    pub redo_steps: u64,
}

/// What is known of an object.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ObjectSummary {
    /// The caller's number.
    pub id: u32,
    /// What people call it.
    pub name: String,
    /// What was said of it, in the order of frames.
    pub prompts: Vec<PromptSummary>,
    /// Where it was followed to, in the order of frames.
    pub ranges: Vec<RangeSummary>,
}

/// What was said of an object on a frame.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PromptSummary {
    /// The frame.
    pub frame: u64,
    /// Places on the object, x and y in pixels.
    pub positive: Vec<[f32; 2]>,
    /// Places that are not on it.
    pub negative: Vec<[f32; 2]>,
    /// Left, top, right and bottom edge in pixels.
    pub bounds: Option<[f32; 4]>,
    /// Whether a mask was given.
    pub mask: bool,
}

/// Frames in a row that are answered in the same way.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RangeSummary {
    /// The first frame.
    pub first: u64,
    /// The last frame.
    pub last: u64,
    /// `prompted`, `forward` or `reverse`.
    pub origin: &'static str,
    /// Frames of the range on which the model believes that the object is there.
    pub seen: u64,
    /// Predicted IoU, its mean.
    pub predicted_iou: f64,
    /// The lowest predicted IoU, and its frame.
    pub worst: (u64, f32),
    /// The lowest object score, and its frame.
    pub least_seen: (u64, f32),
}

/// One object's mask on one frame, as it lies in the file.
#[derive(Clone, Debug, PartialEq)]
pub struct FileMask {
    /// How the frame came to it.
    pub origin: Origin,
    /// How well the model believes to have met the object, 0 to 1.
    pub predicted_iou: f32,
    /// A logit: above 0, the model believes that the object is in the frame.
    pub object_score: f32,
    /// The mask. Holes are filled as a session does that is not told otherwise.
    pub logits: LogitPlane,
}

impl SessionFile {
    /// Opens a session file.
    ///
    /// # Errors
    /// [`Error::Session`](crate::Error::Session) if there is none, it is something else, was written by a newer
    /// version, or is damaged. The file is untouched.
    pub fn open(path: &Path) -> Result<Self> {
        Ok(Self { store: Store::open(path, Access::Read)? })
    }

    /// The frames' size.
    pub fn size(&self) -> Size {
        self.store.identity().size
    }

    /// Lists what is in it.
    ///
    /// # Errors
    /// [`Error::Session`](crate::Error::Session) if part of it is damaged.
    pub fn summary(&self) -> Result<Summary> {
        let loaded = self.store.load()?;
        let about = |row: &super::ObjectRow| {
            let said = loaded.prompts.iter().filter(|prompt| prompt.object == row.object);
            Ok(ObjectSummary {
                id: row.object,
                name: row.name.clone(),
                prompts: said.map(prompt_summary).collect(),
                ranges: ranges(&self.store, row.object)?,
            })
        };
        let Identity { model_name, model_version, model_sha256, size, .. } = self.store.identity().clone();
        let path = self.store.path().to_path_buf();
        Ok(Summary {
            format: FORMAT,
            file_bytes: std::fs::metadata(&path).map_or(0, |file| file.len()),
            path,
            model: model_name,
            model_version,
            model_sha256,
            width_px: size.width_px,
            height_px: size.height_px,
            mask_side: self.store.identity().logit_side,
            precision_bits: self.store.identity().precision.bits(),
            objects: loaded.objects.iter().map(about).collect::<Result<_>>()?,
            cuts: loaded.cuts,
            undo_steps: loaded.history.at + 1 - loaded.history.oldest,
            redo_steps: loaded.history.newest - loaded.history.at,
        })
    }

    /// Reads everything, and answers what is not as it was written; nothing if all is well.
    pub fn check(&self) -> Vec<String> {
        self.store.check()
    }

    /// An object's mask on a frame; holes are filled as a session does that is not told otherwise.
    ///
    /// # Errors
    /// [`Error::Session`](crate::Error::Session) if there is none, or it is damaged.
    pub fn mask(&self, object: u32, frame: u64) -> Result<LogitPlane> {
        Ok(self.answer(object, frame)?.logits)
    }

    /// An object's mask on a frame, with what is known of it.
    ///
    /// # Errors
    /// As [`Self::mask`].
    pub fn answer(&self, object: u32, frame: u64) -> Result<FileMask> {
        let none = || Fault::Said(format!("object {object} has no mask on frame {frame}"));
        let answer = self.store.shown(object, frame)?;
        let Answer { origin, predicted_iou, object_score, mut logits, .. } =
            answer.ok_or_else(|| none().at(self.store.path()))?;
        logits.fill_holes(reference_hole_area(logits.values.len()) as u32);
        Ok(FileMask { origin, predicted_iou, object_score, logits })
    }

    /// The ranges of an object's frames that a person should look at, in order. Whether objects touch each other isn't
    /// looked at: that would take every mask.
    ///
    /// # Errors
    /// [`Error::Session`](crate::Error::Session) if part of the file is damaged.
    pub fn review(&self, object: u32, thresholds: Thresholds) -> Result<Vec<ReviewRange>> {
        let cuts = self.store.load()?.cuts;
        let scene = |frame: u64| cuts.partition_point(|cut| *cut <= frame);
        let (mut reviewer, mut last) = (Reviewer::new(thresholds), None);
        for known in self.store.confidences(object, ..) {
            let known = known?;
            let here = scene(known.frame);
            if last.replace(here).is_some_and(|before| before != here) {
                reviewer.cut(known.frame);
            }
            reviewer.push(&known.observation(object, 0.0));
        }
        Ok(reviewer.ranges(object).to_vec())
    }

    /// Copies what can be read of a damaged session into a new file. The damaged one stays as it is.
    ///
    /// # Errors
    /// [`Error::Session`](crate::Error::Session) if not even its beginning can be read, or the new file exists or
    /// can't be written.
    pub fn salvage(damaged: &Path, new: &Path) -> Result<Salvaged> {
        Store::salvage(damaged, new)
    }
}

/// Where an object was followed to, in the order of frames.
pub(super) fn ranges(store: &Store, object: u32) -> Result<Vec<RangeSummary>> {
    let mut ranges: Vec<RangeSummary> = Vec::new();
    let mut previous: Option<Confidence> = None;
    for known in store.confidences(object, ..) {
        let known = known?;
        let goes_on = previous.is_some_and(|p| p.frame + 1 == known.frame && p.origin == known.origin);
        match ranges.last_mut().filter(|_| goes_on) {
            Some(range) => range.add(&known),
            None => ranges.push(RangeSummary::of(&known)),
        }
        previous = Some(known);
    }
    Ok(ranges)
}

impl RangeSummary {
    fn of(known: &Confidence) -> Self {
        let Confidence { frame, origin, predicted_iou, object_score, .. } = *known;
        Self {
            first: frame,
            last: frame,
            origin: match origin {
                Origin::Prompted => "prompted",
                Origin::Tracked(Direction::Forward) => "forward",
                Origin::Tracked(Direction::Reverse) => "reverse",
            },
            seen: u64::from(object_score > 0.0),
            predicted_iou: f64::from(predicted_iou),
            worst: (frame, predicted_iou),
            least_seen: (frame, object_score),
        }
    }

    fn add(&mut self, known: &Confidence) {
        let Confidence { frame, predicted_iou, object_score, .. } = *known;
        let count = (frame - self.first + 1) as f64;
        self.predicted_iou += (f64::from(predicted_iou) - self.predicted_iou) / count;
        self.last = frame;
        self.seen += u64::from(object_score > 0.0);
        if predicted_iou < self.worst.1 {
            self.worst = (frame, predicted_iou);
        }
        if object_score < self.least_seen.1 {
            self.least_seen = (frame, object_score);
        }
    }
}

fn prompt_summary(row: &PromptRow) -> PromptSummary {
    let of = |positive| {
        let clicks = row.clicks.iter().filter(move |click| click.positive == positive);
        clicks.map(|click| [click.x_px, click.y_px]).collect()
    };
    PromptSummary {
        frame: row.frame,
        positive: of(true),
        negative: of(false),
        bounds: row.bounds.map(|b| [b.x0_px, b.y0_px, b.x1_px, b.y1_px]),
        mask: row.masked,
    }
}
