//! The C API of `librotomask` behind safe handles: all that a Rust host needs between itself and the library.
//!
//! The library is loaded at run time. Its declarations come from `include/rotomask.h` by bindgen; here are the
//! promises that the header makes in words and a compiler can't see.

mod automatic;
mod image;
mod load;
mod kernels;
mod matte;
mod model;
mod options;
mod session;
mod session_file;
mod settings;
mod spline;
mod still;

/// What bindgen makes of `include/rotomask.h`.
#[allow(dead_code, missing_docs, non_camel_case_types, clippy::all, clippy::undocumented_unsafe_blocks)]
mod api {
    include!(concat!(env!("OUT_DIR"), "/api.rs"));
}

pub use automatic::{Automatic, AutomaticOptions};
pub use image::{Image, ImageMut};
pub use kernels::Language;
pub use load::Library;
pub use matte::{Badge, Combine, MaskKind, Matte, MatteJob, MatteLayer};
pub use model::{Model, ModelOptions};
pub use session::{Frames, Keep, Knowledge, KnownPrompts, STAGES, Session, Tracked};
pub use session_file::{Salvaged, SessionFile};
pub use settings::MatteSettings;
pub use spline::{SplineFormat, SplineOptions, Splines};
pub use still::{Measured, Still, StillPrompts};

use std::ffi::{CStr, CString, c_char};

use crate::{Error, Result};

const OK: i32 = api::ROTOMASK_OK as i32;
const CANCELLED: i32 = api::ROTOMASK_ERROR_CANCELLED as i32;

impl Error {
    /// Whether the work was stopped from outside, as by Ctrl-C.
    pub fn is_cancelled(&self) -> bool {
        matches!(self, Self::Call { status: CANCELLED, .. })
    }
}

impl Library {
    /// Turns a status into a result, with the library's own words for what went wrong.
    fn check(&self, status: i32) -> Result<()> {
        if status == OK {
            return Ok(());
        }
        // SAFETY: the message is null or a string that lives until this thread's next call.
        let message = unsafe {
            let message = self.api().rotomask_last_error();
            (!message.is_null()).then(|| CStr::from_ptr(message).to_string_lossy().into_owned())
        };
        let message = message.filter(|m| !m.is_empty());
        Err(Error::Call {
            status,
            message: message
                .unwrap_or_else(|| format!("librotomask failed with status {status} and no message")),
        })
    }

    /// Runs a call that writes text: once for its size, once for the text.
    fn text(&self, call: impl Fn(*mut c_char, *mut usize) -> i32) -> Result<String> {
        let mut size = 0;
        match call(std::ptr::null_mut(), &mut size) {
            // Answered either way: the size is what was asked for.
            OK => {}
            status if status == api::ROTOMASK_ERROR_BUFFER as i32 => {}
            status => self.check(status)?,
        }
        let mut bytes = vec![0u8; size];
        self.check(call(bytes.as_mut_ptr().cast(), &mut size))?;
        let end = bytes.iter().position(|&b| b == 0).unwrap_or(bytes.len());
        bytes.truncate(end);
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}

/// A path as the library takes it.
fn c_path(path: &std::path::Path) -> Result<CString> {
    let text = path.to_str().ok_or_else(|| Error::file(path, "librotomask takes only names in UTF-8"))?;
    CString::new(text).map_err(|_| Error::file(path, "a name can't have a zero byte"))
}
