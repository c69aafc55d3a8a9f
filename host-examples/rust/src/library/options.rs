//! Options by name, as the library takes them.

use std::{
    ffi::{CStr, CString},
    ptr::{self, NonNull},
    sync::Arc,
};

use super::{Library, api};
use crate::{Error, Result};

/// A set of options, for what is opened next.
pub(super) struct Options {
    library: Arc<Library>,
    handle: NonNull<api::rotomask_options>,
}

impl Options {
    /// With every default.
    pub(super) fn open(library: &Arc<Library>) -> Result<Self> {
        let mut handle = ptr::null_mut();
        // SAFETY: the handle that comes out is ours, and checked for null.
        library.check(unsafe { library.api().rotomask_options_open(&mut handle) })?;
        let handle =
            NonNull::new(handle).ok_or(Error::Bug("librotomask made no options and said nothing"))?;
        Ok(Self { library: library.clone(), handle })
    }

    /// Sets one.
    ///
    /// # Errors
    /// If there is none of that name, or it doesn't take the value.
    pub(super) fn set(&self, name: &CStr, value: &str) -> Result<()> {
        let value = CString::new(value).map_err(|_| {
            Error::Usage(format!("the option {} is given a NUL, expected text", name.to_string_lossy()))
        })?;
        let (api, handle) = (self.library.api(), self.handle.as_ptr());
        // SAFETY: the handle is open, and both strings outlive the call.
        self.library.check(unsafe { api.rotomask_option_set(handle, name.as_ptr(), value.as_ptr()) })
    }

    pub(super) fn as_ptr(&self) -> *const api::rotomask_options {
        self.handle.as_ptr()
    }
}

impl Drop for Options {
    fn drop(&mut self) {
        // SAFETY: opened once, closed once.
        unsafe { self.library.api().rotomask_options_close(self.handle.as_ptr()) }
    }
}
