//! How long each stage of a frame took, told to the host as it happens, and its chance to stop.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use crate::error::{Error, Result};

/// A part of the work on one frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Resize and normalise.
    Preprocess,
    /// The frame to features.
    ImageEncoder,
    /// Features held against memories.
    MemoryAttention,
    /// Features and prompts to masks.
    MaskDecoder,
    /// A mask to a memory.
    MemoryEncoder,
}

impl Stage {
    /// How many stages there are.
    pub const COUNT: usize = 5;
}

/// What a host wants to be told: after each stage, how long it took. `Break` stops the work.
pub type Progress = dyn FnMut(Stage, Duration) -> ControlFlow<()> + Send;

/// What was done, and how long it took.
pub(super) struct Timed<T> {
    pub(super) done: T,
    pub(super) took: Duration,
}

impl<T> Timed<T> {
    pub(super) fn run(work: impl FnOnce() -> Result<T>) -> Result<Self> {
        let start = Instant::now();
        let done = work()?;
        Ok(Self { done, took: start.elapsed() })
    }
}

#[derive(Default)]
pub(super) struct Watch {
    pub(super) progress: Option<std::boxed::Box<Progress>>,
    spent: [Duration; Stage::COUNT],
}

impl Watch {
    pub(super) fn restart(&mut self) {
        self.spent = [Duration::ZERO; Stage::COUNT];
    }

    pub(super) fn spent(&self) -> [Duration; Stage::COUNT] {
        self.spent
    }

    pub(super) fn run<T>(&mut self, stage: Stage, work: impl FnOnce() -> Result<T>) -> Result<T> {
        let timed = Timed::run(work)?;
        self.tell(stage, timed)
    }

    /// Counts and tells what was done elsewhere.
    pub(super) fn tell<T>(&mut self, stage: Stage, Timed { done, took }: Timed<T>) -> Result<T> {
        self.spent[stage as usize] += took;
        match self.progress.as_mut().map(|tell| tell(stage, took)) {
            Some(ControlFlow::Break(())) => Err(Error::Cancelled),
            _ => Ok(done),
        }
    }
}

impl std::fmt::Debug for Watch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Watch").field("spent", &self.spent).finish_non_exhaustive()
    }
}
