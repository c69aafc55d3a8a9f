//! What can go wrong, in one sentence each: subject, found, wanted.

use std::path::{Path, PathBuf};

/// The result of every fallible call in this program.
pub type Result<T> = std::result::Result<T, Error>;

/// An answer other than the one that was asked for.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Arguments that make no sense, whatever the files hold.
    #[error("{0}")]
    Usage(String),
    /// A file or folder that can't be used.
    #[error("{}: {problem}", path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// Found, wanted.
        problem: String,
    },
    /// A click, box or mask that means nothing on its frame.
    #[error("{0}")]
    Prompt(String),
    /// `librotomask` is missing, or is not one that this program can use.
    #[error("librotomask: {0}")]
    Library(String),
    /// `librotomask`'s own answer.
    #[error("{message}")]
    Call {
        /// The call's `rotomask_status`.
        status: i32,
        /// `rotomask_last_error`.
        message: String,
    },
    /// A thread of this program ended without an answer.
    #[error("a bug in rotomask: {0}")]
    Bug(&'static str),
}

impl Error {
    /// A [`Error::File`].
    pub fn file(path: &Path, problem: impl std::fmt::Display) -> Self {
        Self::File { path: path.to_owned(), problem: problem.to_string() }
    }

    /// The status to exit with: 2 for arguments that make no sense, 1 for the rest.
    pub fn exit_status(&self) -> u8 {
        if matches!(self, Self::Usage(_)) { 2 } else { 1 }
    }
}
