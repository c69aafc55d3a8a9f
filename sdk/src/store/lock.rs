//! One writer at a time, by a lock of the operating system on a file beside the session.
//!
//! The lock vanishes with the process, however that ends. It can't be on the session file itself: closing any
//! handle of a file drops all of the process's POSIX locks on it, SQLite's among them.

use std::ffi::OsString;
use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

use super::fault::{Asked, Fault};

/// How often the lock is tried while other writers keep coming and going.
const TRIES: usize = 64;

/// Held by the one that writes.
#[derive(Debug)]
pub(super) struct WriterLock {
    /// The system gives the lock back when it is closed.
    _file: File,
    path: PathBuf,
}

impl WriterLock {
    /// Takes the lock of a session file, which need not exist yet.
    pub(super) fn take(session: &Path) -> Asked<Self> {
        let path = beside(session, "-lock");
        for _ in 0..TRIES {
            let opened = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
            let file = opened.map_err(|e| unable(&path, &e))?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => {
                    return Err(Fault::Said(
                        "it is being written by another session, expected one writer at a time; it can be \
                         opened for reading"
                            .into(),
                    ));
                }
                Err(TryLockError::Error(e)) => return Err(unable(&path, &e)),
            }
            // The one before may have removed the file between our opening it and locking it.
            if is_at(&file, &path) {
                return Ok(Self { _file: file, path });
            }
        }
        Err(Fault::Said(format!("its lock {} changes all the time, expected it to stay", path.display())))
    }
}

impl Drop for WriterLock {
    fn drop(&mut self) {
        // While it is still held, so that nobody's lock but ours is removed. Elsewhere than on Unix an open file
        // can't be told from its successor by `is_at`, so it stays.
        if cfg!(unix) {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// The session's path with something after its name.
pub(super) fn beside(session: &Path, end: &str) -> PathBuf {
    let mut path = OsString::from(session);
    path.push(end);
    PathBuf::from(path)
}

fn unable(path: &Path, error: &std::io::Error) -> Fault {
    Fault::Said(format!("it can't be locked for writing: {}: {error}", path.display()))
}

#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let place = |m: std::fs::Metadata| (m.dev(), m.ino());
    match (file.metadata(), std::fs::metadata(path)) {
        (Ok(ours), Ok(theirs)) => place(ours) == place(theirs),
        _ => false,
    }
}

#[cfg(not(unix))]
fn is_at(_: &File, _: &Path) -> bool {
    true
}
