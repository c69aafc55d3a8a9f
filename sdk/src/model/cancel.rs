//! The switch that stops a session's work.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use ort::session::RunOptions;

use crate::error::{Error, Result};

/// Stops the graphs that run, and keeps the next from starting, from any thread.
pub struct Cancel {
    /// Held while the run options change, so that flag and options always say the same.
    asked: Mutex<bool>,
    options: RunOptions,
}

impl Cancel {
    pub(super) fn new() -> Result<Self> {
        let options = RunOptions::new().map_err(|e| Error::Runtime(e.to_string()))?;
        Ok(Self { asked: Mutex::new(false), options })
    }

    /// Asks the work that runs, or that runs next, to stop.
    pub fn ask(&self) {
        let mut asked = self.asked();
        *asked = true;
        // A failure here only means that the graph runs to its end before the flag is seen.
        let _ = self.options.terminate();
    }

    /// Answers [`Error::Cancelled`] once if stopping was asked for since the last answer.
    pub(crate) fn check(&self) -> Result<()> {
        let mut asked = self.asked();
        if !std::mem::take(&mut *asked) {
            return Ok(());
        }
        self.options.unterminate().map_err(|e| Error::Runtime(e.to_string()))?;
        Err(Error::Cancelled)
    }

    /// What graphs are run with.
    pub(super) fn options(&self) -> &RunOptions {
        &self.options
    }

    fn asked(&self) -> MutexGuard<'_, bool> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Cancel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cancel").field("asked", &self.asked).finish_non_exhaustive()
    }
}
