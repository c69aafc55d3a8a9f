//! What a host is told, in one sentence: subject, found, wanted.

/// The result of every fallible call in this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// Why something could not be done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The engine's own sentence.
    #[error(transparent)]
    Engine(#[from] rotomask::Error),
    /// Something that the host or the artist has to change.
    #[error("{0}")]
    Host(String),
    /// The work was stopped. What was finished before is kept.
    #[error("stopped; what was finished is kept")]
    Stopped,
}

impl Error {
    /// An [`Error::Host`].
    pub fn host(text: impl Into<String>) -> Self {
        Self::Host(text.into())
    }
}
