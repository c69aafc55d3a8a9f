//! What can go wrong, grouped by what the caller can do about it.
//!
//! Every message says subject, found, wanted.

use std::path::PathBuf;

/// The result of every fallible call in this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// An answer other than the one that was asked for.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    // ---- fix the input -------------------------------------------------------------------------------------
    /// The host's pixels can't be read as it describes them.
    #[error("frame: {0}")]
    Frame(String),
    /// A click, box or mask that means nothing on its frame.
    #[error("prompt: {0}")]
    Prompt(String),
    /// A setting outside its range.
    #[error("{name}: found {found}, expected {want}")]
    Setting {
        /// The parameter's id.
        name: &'static str,
        /// What the caller gave.
        found: String,
        /// The range or the choices.
        want: String,
    },
    /// A preset that can't be read, or a parameter that there is not.
    #[error("preset: {0}")]
    Preset(String),
    /// A session file that can't be used, or not in this way.
    #[error("{}: {problem}", path.display())]
    Session {
        /// The file.
        path: PathBuf,
        /// Subject, found, wanted.
        problem: String,
    },
    /// A call that makes no sense yet, such as a matte before the first frame.
    #[error("{0}")]
    State(String),

    // ---- fix the model -------------------------------------------------------------------------------------
    /// A file of the model package that can't be read.
    #[error("{}: {source}", path.display())]
    ModelFile {
        /// The file.
        path: PathBuf,
        /// The system's answer.
        source: std::io::Error,
    },
    /// A model package whose manifest or files are not what they claim to be.
    #[error("{package}: {problem}")]
    ModelPackage {
        /// The package's folder or name.
        package: String,
        /// Subject, found, wanted.
        problem: String,
    },
    /// A graph whose inputs or outputs differ from what the manifest's numbers imply.
    #[error("{graph}: {side} `{name}` has {found}, expected {want}")]
    GraphContract {
        /// The graph's file.
        graph: String,
        /// "input" or "output".
        side: &'static str,
        /// The tensor's name.
        name: String,
        /// Its type and shape.
        found: String,
        /// The type and shape that the manifest implies.
        want: String,
    },

    // ---- change the device or the installation -------------------------------------------------------------
    /// ONNX Runtime is missing, or is not a version that can be used.
    #[error("ONNX Runtime: {0}")]
    Runtime(String),
    /// A graph that the provider could not run.
    #[error("{graph}: {problem}")]
    Inference {
        /// The graph's name.
        graph: &'static str,
        /// The provider's answer.
        problem: String,
    },
    /// The GPU could not do what was asked of it.
    #[error("GPU: {0}")]
    Device(String),

    // ---- nothing to fix ------------------------------------------------------------------------------------
    /// The caller stopped the work. What was finished before is kept.
    #[error("cancelled by the caller")]
    Cancelled,
}
