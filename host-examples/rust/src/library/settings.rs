//! How mattes are finished: parameters by id, of which the library alone knows the table.

use std::{
    ffi::CString,
    ptr::{self, NonNull},
    sync::Arc,
};

use super::{Library, api};
use crate::{Error, Result};

/// A preset: parameters with their keyframes. One thread at a time.
pub struct MatteSettings {
    library: Arc<Library>,
    handle: NonNull<api::rotomask_matte_settings>,
}

// SAFETY: the header asks for one call at a time, from whichever thread; nothing here is shared.
unsafe impl Send for MatteSettings {}

impl Library {
    /// The table of parameters, as JSON.
    ///
    /// # Errors
    /// If the library can't tell.
    pub fn matte_parameters(&self) -> Result<String> {
        // SAFETY: `text` vouches for the buffer.
        self.text(|buffer, size| unsafe { self.api().rotomask_matte_parameters(buffer, size) })
    }
}

impl MatteSettings {
    /// Reads a preset's text; without one, every parameter has its default.
    ///
    /// # Errors
    /// If the text is no preset.
    pub fn open(library: &Arc<Library>, preset: Option<&str>) -> Result<Self> {
        let preset = preset.map(|text| c_text("the preset", text)).transpose()?;
        let preset = preset.as_ref().map_or(ptr::null(), |text| text.as_ptr());
        let mut handle = ptr::null_mut();
        // SAFETY: the text lives until after the call; the handle that comes out is ours, and checked for null.
        library.check(unsafe { library.api().rotomask_matte_settings_open(preset, &mut handle) })?;
        let handle =
            NonNull::new(handle).ok_or(Error::Bug("librotomask opened no settings and said nothing"))?;
        Ok(Self { library: library.clone(), handle })
    }

    /// Sets a parameter for all frames, from its text.
    ///
    /// # Errors
    /// If there is no such parameter, or the text is no value of it.
    pub fn set(&mut self, id: &str, value: &str) -> Result<()> {
        let (id, value) = (c_text(id, id)?, c_text(value, value)?);
        let handle = self.handle.as_ptr();
        // SAFETY: the handle is open; both texts live until after the call.
        self.library.check(unsafe {
            self.library.api().rotomask_matte_settings_set(handle, id.as_ptr(), value.as_ptr())
        })
    }

    /// What was set, as JSON.
    ///
    /// # Errors
    /// If the library can't tell.
    pub fn preset(&self) -> Result<String> {
        let handle = self.handle.as_ptr();
        // SAFETY: the handle is open; `text` vouches for the buffer.
        self.library.text(|buffer, size| unsafe {
            self.library.api().rotomask_matte_settings_preset(handle, buffer, size)
        })
    }

    pub(super) fn as_ptr(&self) -> *const api::rotomask_matte_settings {
        self.handle.as_ptr()
    }
}

fn c_text(what: &str, text: &str) -> Result<CString> {
    CString::new(text).map_err(|_| Error::Usage(format!("{what:?} has a zero byte")))
}

impl Drop for MatteSettings {
    fn drop(&mut self) {
        // SAFETY: opened once, closed once.
        unsafe { self.library.api().rotomask_matte_settings_close(self.handle.as_ptr()) }
    }
}
