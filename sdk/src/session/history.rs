//! What was said, so that it can be taken back.

use std::collections::VecDeque;
use std::sync::Arc;

use super::ObjectId;
use super::trail::Trail;
use crate::answer::Answer;
use crate::prompt::FramePrompts;

/// Steps that are held in memory; a session's file holds more. What lies further back stays as it is.
const MAX_STEPS: usize = 100;

/// An object as it was before something was said about it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Snapshot {
    pub(super) object: ObjectId,
    /// Its name and trail, or `None` if there was no such object.
    pub(super) known: Option<(String, Trail)>,
    /// Frames on which something was said, as they were.
    pub(super) frames: Vec<FrameSnapshot>,
}

/// One frame of an object, as it was.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct FrameSnapshot {
    pub(super) frame: u64,
    pub(super) prompts: Option<FramePrompts>,
    pub(super) answer: Option<Arc<Answer>>,
}

/// One thing that was said, and what it changed.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Step {
    /// What it was, for a menu: "click", "clear frame".
    pub(super) label: String,
    pub(super) before: Snapshot,
}

/// What a change does to the history.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Note {
    /// Something new was said: what was taken back before can't be said again.
    Said(Step),
    /// The last step was taken back; this brings it again.
    Undone(Step),
    /// The last step that was taken back was said again; this takes it back again.
    Redone(Step),
    /// Nothing can be taken back any more.
    Cleared,
}

/// Steps that can be taken back, and those that were, where no file holds them.
#[derive(Debug, Default)]
pub(super) struct History {
    done: VecDeque<Step>,
    undone: Vec<Step>,
}

impl History {
    pub(super) fn note(&mut self, note: Note) {
        match note {
            Note::Said(step) => {
                self.undone.clear();
                self.keep(step);
            }
            Note::Undone(step) => {
                self.done.pop_back();
                self.undone.push(step);
            }
            Note::Redone(step) => {
                self.undone.pop();
                self.keep(step);
            }
            Note::Cleared => *self = Self::default(),
        }
    }

    pub(super) fn done(&self) -> Option<&Step> {
        self.done.back()
    }

    pub(super) fn undone(&self) -> Option<&Step> {
        self.undone.last()
    }

    fn keep(&mut self, step: Step) {
        if self.done.len() == MAX_STEPS {
            self.done.pop_front();
        }
        self.done.push_back(step);
    }
}
