//! What one call changes, as a whole: it is written to the session's file first, and remembered only then. A call
//! that fails, or a process that is killed, leaves all of it undone.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::sync::Arc;

use xxhash_rust::xxh3::xxh3_128;

use super::ObjectId;
use super::history::Note;
use super::object::Object;
use super::trail::Trail;
use crate::answer::Answer;
use crate::cut::Signature;
use crate::preprocess::{EncoderInput, InputSpec};

/// What a frame looked like when it was pushed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    /// Of the encoder's input, so that changed footage is noticed.
    pub(super) hash: u128,
    pub(super) signature: Signature,
}

impl Seen {
    pub(super) fn of(input: &EncoderInput, spec: &InputSpec) -> Self {
        let hash = xxh3_128(bytemuck::cast_slice(&input.values));
        Self { hash, signature: Signature::of_input(input, spec) }
    }
}

#[derive(Debug, Default)]
pub(super) struct Change {
    /// Objects as they are from now on; `None` for one that is gone, with its prompts and answers.
    pub(super) objects: BTreeMap<ObjectId, Option<Object>>,
    /// Trails as they are from now on, of objects of which nothing else changes.
    pub(super) trails: BTreeMap<ObjectId, Trail>,
    /// Where something was said or taken back.
    pub(super) said: BTreeSet<(ObjectId, u64)>,
    /// Objects whose answers are all dropped, before new ones are put.
    pub(super) forgotten: BTreeSet<ObjectId>,
    /// Objects whose tracked answers are all dropped.
    pub(super) untracked: BTreeSet<ObjectId>,
    /// Answers as they are from now on; `None` for one that is gone.
    pub(super) answers: BTreeMap<(ObjectId, u64), Option<Arc<Answer>>>,
    /// Frames whose memories no later frame needs, by object.
    pub(super) let_go: Vec<(ObjectId, RangeInclusive<u64>)>,
    /// The frame that was looked at.
    pub(super) seen: Option<(u64, Seen)>,
    /// Frames that begin a new shot, or turned out not to.
    pub(super) cuts: BTreeMap<u64, bool>,
    /// What undo has to know.
    pub(super) note: Option<Note>,
}
