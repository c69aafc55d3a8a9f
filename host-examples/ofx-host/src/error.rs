//! What can go wrong, in one sentence.

/// The result of every fallible call in this host.
pub type Result<T> = std::result::Result<T, Error>;

/// Why something could not be done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// What the host has to say itself.
    #[error("{0}")]
    Plain(String),
    /// An action that the plugin did not carry out.
    #[error("{action}: the plugin answered {status}{}", said.as_ref().map_or(String::new(), |said| format!(": {said}")))]
    Action {
        /// The action's name.
        action: String,
        /// Its status.
        status: i32,
        /// The plugin's last message.
        said: Option<String>,
    },
    /// Video that can't be read or written.
    #[error(transparent)]
    Video(#[from] rotomask_cli::Error),
    /// The engine's sentence, in checks against it.
    #[error(transparent)]
    Engine(#[from] rotomask::Error),
    /// What plugins share, in checks against it.
    #[error(transparent)]
    Common(#[from] plugin_common::Error),
}

impl Error {
    /// An [`Error::Plain`].
    pub fn plain(text: impl Into<String>) -> Self {
        Self::Plain(text.into())
    }
}
