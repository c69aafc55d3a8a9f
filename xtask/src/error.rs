//! What stops a command, in one sentence.

use std::path::{Path, PathBuf};

pub type Result<T> = std::result::Result<T, Error>;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Something that a person has to do or know.
    #[error("{0}")]
    Plain(String),
    #[error("{}: {problem}", path.display())]
    File { path: PathBuf, problem: String },
    #[error("`{line}` {outcome}")]
    Command { line: String, outcome: String },
}

impl Error {
    pub fn plain(text: impl Into<String>) -> Self {
        Self::Plain(text.into())
    }

    pub fn file(path: &Path, problem: impl ToString) -> Self {
        Self::File { path: path.to_owned(), problem: problem.to_string() }
    }
}
