//! What the model answered for one object on one frame, as it is remembered and kept.

use serde::{Deserialize, Serialize};

use crate::mask::{LogitPlane, Shape};
use crate::memory_bank::Direction;
use crate::model::Memory;

/// How a frame came to its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Origin {
    /// Prompts on this very frame were answered.
    Prompted,
    /// The object was followed into it.
    Tracked(Direction),
}

/// One object's answer on one frame.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Answer {
    pub(crate) origin: Origin,
    /// `[m, m]`
    pub(crate) logits: LogitPlane,
    /// 0 to 1.
    pub(crate) predicted_iou: f32,
    /// A logit: above 0, the object is there.
    pub(crate) object_score: f32,
    /// Of the plane itself: pixels are its cells.
    pub(crate) shape: Shape,
    /// `[D]`
    pub(crate) pointer: Vec<f32>,
    /// What later frames attend to. It is let go when none is near, and can be made anew from the frame and the
    /// logits.
    pub(crate) memory: Option<Memory>,
}

impl Answer {
    /// The memory that it takes.
    pub(crate) fn bytes(&self) -> u64 {
        let numbers = self.logits.values.len() + self.pointer.len();
        let memory = self.memory.as_ref().map_or(0, |memory| memory.0.len());
        (size_of::<Self>() + numbers * size_of::<f32>() + memory * size_of::<half::bf16>()) as u64
    }
}
