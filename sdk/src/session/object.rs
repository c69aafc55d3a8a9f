//! An object of the shot: its name, what was said of it, and its way through the frames.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::Arc;

use super::trail::Trail;
use crate::error::{Error, Result};
use crate::memory_bank::Direction;
use crate::prompt::{Box, Click, FramePrompts, MAX_CLICKS, Mask};

/// The caller's number for an object of the shot.
pub type ObjectId = u32;

/// The most objects that a session follows.
pub const MAX_OBJECTS: usize = 256;

/// The longest name, in bytes of UTF-8.
pub(super) const MAX_NAME_BYTES: usize = 255;

/// What is known of an object, for a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectInfo {
    /// The caller's number.
    pub id: ObjectId,
    /// The caller's name, or "Object N".
    pub name: String,
    /// Frames on which something was said, in order.
    pub prompted: Vec<u64>,
    /// Frames that were tracked and hold, as ranges in order.
    pub tracked: Vec<RangeInclusive<u64>>,
}

/// What was said of an object on a frame.
#[derive(Clone, Debug, PartialEq)]
pub struct Said {
    /// The frame.
    pub frame: u64,
    /// In the order in which they were given.
    pub clicks: Vec<Click>,
    /// The box.
    pub bounds: Option<Box>,
    /// Whether a mask was given.
    pub masked: bool,
}

/// Frames of an object that prompts have made wrong since they were tracked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outdated {
    /// The object.
    pub object: ObjectId,
    /// First and last frame.
    pub frames: RangeInclusive<u64>,
    /// Which way they were tracked.
    pub direction: Direction,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Object {
    pub(super) name: String,
    pub(super) prompts: BTreeMap<u64, FramePrompts>,
    pub(super) trail: Trail,
}

impl Object {
    pub(super) fn new(id: ObjectId) -> Self {
        Self { name: format!("Object {id}"), ..Self::default() }
    }

    pub(super) fn info(&self, id: ObjectId) -> ObjectInfo {
        ObjectInfo {
            id,
            name: self.name.clone(),
            prompted: self.prompts.keys().copied().collect(),
            tracked: self.trail.following(),
        }
    }

    pub(super) fn said(&self) -> Vec<Said> {
        let said = |(&frame, p): (&u64, &FramePrompts)| Said {
            frame,
            clicks: p.clicks.clone(),
            bounds: p.bounds,
            masked: p.mask.is_some(),
        };
        self.prompts.iter().map(said).collect()
    }

    pub(super) fn prompts_at(&self, frame: u64) -> FramePrompts {
        self.prompts.get(&frame).cloned().unwrap_or_default()
    }

    pub(super) fn click(&mut self, frame: u64, click: Click) -> Result<()> {
        let prompts = self.prompts.entry(frame).or_default();
        if prompts.clicks.len() == MAX_CLICKS {
            return Err(Error::Prompt(format!(
                "frame {frame} has {MAX_CLICKS} clicks, the most that it can have"
            )));
        }
        prompts.clicks.push(click);
        self.trail.wait(frame);
        Ok(())
    }

    /// A frame has one box: a new one replaces it. Clicks stay.
    pub(super) fn bounds(&mut self, frame: u64, bounds: Box) {
        self.prompts.entry(frame).or_default().bounds = Some(bounds);
        self.trail.wait(frame);
    }

    /// A mask says all there is to say: box and clicks of its frame are dropped, as in the reference.
    pub(super) fn mask(&mut self, frame: u64, mask: Mask) {
        self.prompts.insert(frame, FramePrompts { mask: Some(Arc::new(mask)), ..FramePrompts::default() });
        self.trail.wait_for_mask(frame);
    }
}
