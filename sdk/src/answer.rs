//! What the model answered for one object on one frame, as it is remembered and kept.

use serde::{Deserialize, Serialize};

use crate::mask::{Bounds, LogitPlane};
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

/// How a mask lies in its plane.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Shape {
    /// How little the area depends on the threshold, 0 to 1.
    pub(crate) stability: f32,
    /// Cells of the plane that are the object's.
    pub(crate) area_cells: f32,
    /// First and last column and row that have any, `[x0, y0, x1, y1]`, or `None` of an empty mask.
    pub(crate) bbox: Option<[u16; 4]>,
}

impl Shape {
    pub(crate) fn of(logits: &LogitPlane) -> Self {
        let shape = logits.shape(logits.size);
        let bbox = |b: Bounds| [b.x0_px, b.y0_px, b.x1_px - 1, b.y1_px - 1].map(|side| side as u16);
        Self { stability: shape.stability, area_cells: shape.area_px as f32, bbox: shape.bounds.map(bbox) }
    }
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
