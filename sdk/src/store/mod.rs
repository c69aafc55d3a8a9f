//! One crash-safe file a shot: what was said of each object, what was answered, and what can be undone.
//!
//! A frame's answers are kept together or not at all. A process may be killed at any instant: what was written
//! before is there when the file is opened again, and the lock that kept other writers out is gone with the
//! process. Any number of readers look on while one writes. Alone knows SQLite.

mod answers;
mod check;
mod codec;
mod fault;
mod file;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzz;
mod history;
mod identity;
mod lock;
mod open;
mod prompts;
mod salvage;
mod schema;
mod shot;
#[cfg(test)]
mod kill;
#[cfg(test)]
mod tests;

use std::ops::{Bound, RangeBounds};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, Transaction, TransactionBehavior};

pub(crate) use answers::{Confidence, Which};
pub use file::{FileMask, ObjectSummary, PromptSummary, RangeSummary, SessionFile, Summary};
pub(crate) use history::{Ends, Past};
pub(crate) use identity::Identity;
pub use identity::Precision;
pub(crate) use prompts::PromptRow;
pub use salvage::Salvaged;
pub(crate) use shot::{FrameRow, Loaded, ObjectRow};

use crate::error::Result;
use fault::{Asked, Fault};
use lock::WriterLock;
use schema::FORMAT;

/// What a session file's name ends in.
pub const SUFFIX: &str = "rotosession";

/// What a file is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// To look on, also while another process writes.
    Read,
    /// To go on with it. One at a time.
    Write,
}

/// A session file that is open, or a temporary one that has no name and is gone when it is closed.
#[derive(Debug)]
pub(crate) struct Store {
    /// Closed before the lock is given back: fields are dropped in this order.
    connection: Connection,
    identity: Identity,
    path: PathBuf,
    access: Access,
    _lock: Option<WriterLock>,
}

/// What is written together or not at all.
#[derive(Debug)]
pub(crate) struct Batch<'a> {
    store: &'a Store,
}

impl Store {
    /// Which model and which frames it belongs to.
    pub(crate) fn identity(&self) -> &Identity {
        &self.identity
    }

    /// The file, or `(temporary)`.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes all that `work` puts, or nothing if it fails. A killed process loses nothing that this has
    /// finished; a power cut may lose the last moments, never the file.
    ///
    /// # Errors
    /// [`Error::Session`](crate::Error::Session) if the disk is full or the file can't be written; whatever
    /// `work` answers.
    pub(crate) fn write<T>(&mut self, work: impl FnOnce(&Batch<'_>) -> Result<T>) -> Result<T> {
        if self.access == Access::Read {
            return Err(Fault::Said("it is open for reading, expected for writing".into()).at(&self.path));
        }
        let begun = Transaction::new_unchecked(&self.connection, TransactionBehavior::Immediate);
        let transaction = begun.map_err(|e| Fault::from(e).at(&self.path))?;
        // Dropped on the way out of a failure or a panic, the transaction takes everything back.
        let done = work(&Batch { store: self })?;
        transaction.commit().map_err(|e| Fault::from(e).at(&self.path))?;
        Ok(done)
    }

    /// As [`Store::write`], and waits until the disk has it: for what an artist's hand has done, which no
    /// machine can redo after a power cut.
    ///
    /// # Errors
    /// As [`Store::write`].
    pub(crate) fn write_through<T>(&mut self, work: impl FnOnce(&Batch<'_>) -> Result<T>) -> Result<T> {
        let level = |level| self.connection.pragma_update(None, "synchronous", level);
        level(open::SYNC_EVERY).map_err(|e| Fault::from(e).at(&self.path))?;
        let done = self.write(work);
        let level = self.connection.pragma_update(None, "synchronous", open::SYNC_AT_CHECKPOINTS);
        level.map_err(|e| Fault::from(e).at(&self.path))?;
        done
    }

    /// Runs queries, and names the file in whatever goes wrong.
    fn ask<T>(&self, work: impl FnOnce(&Connection) -> Asked<T>) -> Result<T> {
        work(&self.connection).map_err(|fault| fault.at(&self.path))
    }
}

impl Batch<'_> {
    fn ask<T>(&self, work: impl FnOnce(&Connection) -> Asked<T>) -> Result<T> {
        self.store.ask(work)
    }
}

/// A frame's number as SQLite holds it.
fn key(frame: u64) -> Asked<i64> {
    i64::try_from(frame).map_err(|_| {
        Fault::Said(format!("frame {frame} can't be kept, expected a number up to {}", i64::MAX))
    })
}

/// A frame's or an object's number as it was before it was kept.
fn number<T: TryFrom<i64>>(found: i64, what: &str) -> Asked<T> {
    T::try_from(found).map_err(|_| Fault::Damaged(format!("{what} has the number {found}")))
}

/// First and last frame of a range, or `None` if it holds none that can be kept.
fn ends(frames: impl RangeBounds<u64>) -> Option<(i64, i64)> {
    let first = match frames.start_bound() {
        Bound::Included(&first) => first,
        Bound::Excluded(&before) => before.checked_add(1)?,
        Bound::Unbounded => 0,
    };
    let last = match frames.end_bound() {
        Bound::Included(&last) => last,
        Bound::Excluded(&after) => after.checked_sub(1)?,
        Bound::Unbounded => u64::MAX,
    };
    let last = i64::try_from(last).unwrap_or(i64::MAX);
    i64::try_from(first).ok().filter(|first| *first <= last).map(|first| (first, last))
}
