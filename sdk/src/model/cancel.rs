//! The switch that stops a session's work.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ort::session::RunOptions;

use crate::error::{Error, Result};

/// Stops the graphs that run, and keeps the next from starting, from any thread.
pub struct Cancel {
    asked: Arc<Asked>,
    /// Work beside other work stops like it, but leaves the answer to it: being asked is answered once.
    beside: bool,
}

struct Asked {
    /// Held while the run options change, so that flag and options always say the same.
    asked: Mutex<bool>,
    options: RunOptions,
}

impl Cancel {
    pub(super) fn new() -> Result<Self> {
        let options = RunOptions::new().map_err(|e| Error::Runtime(e.to_string()))?;
        Ok(Self { asked: Arc::new(Asked { asked: Mutex::new(false), options }), beside: false })
    }

    /// For work that runs beside the work of this switch. Both stop when that is asked for, whichever notices first.
    pub(crate) fn beside(&self) -> Self {
        Self { asked: Arc::clone(&self.asked), beside: true }
    }

    /// Asks the work that runs, or that runs next, to stop.
    pub fn ask(&self) {
        let mut asked = self.asked();
        *asked = true;
        // A failure here only means that the graph runs to its end before the flag is seen.
        let _ = self.asked.options.terminate();
    }

    /// Answers [`Error::Cancelled`] once if stopping was asked for since the last answer.
    pub(crate) fn check(&self) -> Result<()> {
        let mut asked = self.asked();
        if !*asked {
            return Ok(());
        }
        if self.beside {
            return Err(Error::Cancelled);
        }
        *asked = false;
        self.asked.options.unterminate().map_err(|e| Error::Runtime(e.to_string()))?;
        Err(Error::Cancelled)
    }

    /// What graphs are run with.
    pub(super) fn options(&self) -> &RunOptions {
        &self.asked.options
    }

    fn asked(&self) -> MutexGuard<'_, bool> {
        self.asked.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Cancel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cancel").field("asked", &self.asked.asked).finish_non_exhaustive()
    }
}
