//! Statuses: written-out numbers that are only ever added to.

use engine::Error;

/// The ABI that this header describes. Within it declarations are only added, and structs only grow at their ends: a program
/// that was built with any of its headers runs with any later library.
pub const ROTOMASK_ABI_VERSION: u32 = 1;
/// The release that this header is of; `rotomask_version` tells that of the library that is loaded.
pub const ROTOMASK_VERSION_MAJOR: u32 = 0;
/// As ROTOMASK_VERSION_MAJOR.
pub const ROTOMASK_VERSION_MINOR: u32 = 1;
/// As ROTOMASK_VERSION_MAJOR.
pub const ROTOMASK_VERSION_PATCH: u32 = 0;

/// How a call ended: `ROTOMASK_OK`, or why it didn't work. `rotomask_last_error` has the sentence.
pub type rotomask_status = i32;

/// It worked.
pub const ROTOMASK_OK: i32 = 0;
/// A pointer is null that must not be.
pub const ROTOMASK_ERROR_NULL: i32 = 1;
/// A number, a size, a string or an option is outside what is taken.
pub const ROTOMASK_ERROR_ARGUMENT: i32 = 2;
/// Pixels can't be read or written as they are described.
pub const ROTOMASK_ERROR_FRAME: i32 = 3;
/// A prompt means nothing on its frame.
pub const ROTOMASK_ERROR_PROMPT: i32 = 4;
/// A call came out of order, such as for a mask before the first frame.
pub const ROTOMASK_ERROR_STATE: i32 = 5;
/// A model package can't be used.
pub const ROTOMASK_ERROR_MODEL: i32 = 6;
/// ONNX Runtime is missing, of a wrong version, or failed.
pub const ROTOMASK_ERROR_RUNTIME: i32 = 7;
/// The GPU failed.
pub const ROTOMASK_ERROR_DEVICE: i32 = 8;
/// The caller stopped the work. What was finished before is kept.
pub const ROTOMASK_ERROR_CANCELLED: i32 = 9;
/// A buffer is too small. The size wanted is reported.
pub const ROTOMASK_ERROR_BUFFER: i32 = 10;
/// A session file can't be used: damaged, in use, of another model or size, or the disk is full.
pub const ROTOMASK_ERROR_SESSION: i32 = 12;
/// A bug in rotomask. The handle answers nothing but its `_close` from now on.
pub const ROTOMASK_ERROR_PANIC: i32 = 11;

/// A status and its sentence, on the way to the caller.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) status: rotomask_status,
    pub(crate) message: String,
}

impl Failure {
    pub(crate) fn new(status: rotomask_status, message: impl Into<String>) -> Self {
        Self { status, message: message.into() }
    }

    pub(crate) fn null(name: &str) -> Self {
        Self::new(ROTOMASK_ERROR_NULL, format!("`{name}` is null"))
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let status = match &error {
            Error::Frame(_) => ROTOMASK_ERROR_FRAME,
            Error::Prompt(_) => ROTOMASK_ERROR_PROMPT,
            Error::Setting { .. } | Error::Preset(_) => ROTOMASK_ERROR_ARGUMENT,
            Error::State(_) => ROTOMASK_ERROR_STATE,
            Error::ModelFile { .. } | Error::ModelPackage { .. } | Error::GraphContract { .. } => {
                ROTOMASK_ERROR_MODEL
            }
            Error::Session { .. } => ROTOMASK_ERROR_SESSION,
            Error::Device(_) => ROTOMASK_ERROR_DEVICE,
            Error::Cancelled => ROTOMASK_ERROR_CANCELLED,
            // Runtime, Inference, and whatever is added before this line is.
            _ => ROTOMASK_ERROR_RUNTIME,
        };
        Self::new(status, error.to_string())
    }
}
