//! Strings across the boundary.

use std::ffi::{CStr, c_char};
use std::path::PathBuf;

use crate::status::{Failure, ROTOMASK_ERROR_ARGUMENT, ROTOMASK_ERROR_BUFFER};

/// A UTF-8 path, or none for null.
///
/// # Safety
/// As [`text`].
pub(crate) unsafe fn path(path: *const c_char, name: &str) -> Result<Option<PathBuf>, Failure> {
    if path.is_null() {
        return Ok(None);
    }
    // SAFETY: the caller's promise.
    Ok(Some(PathBuf::from(unsafe { text(path, name) }?)))
}

/// A UTF-8 text.
///
/// # Safety
/// `text` is null or a NUL-terminated string that outlives the result.
pub(crate) unsafe fn text<'a>(text: *const c_char, name: &str) -> Result<&'a str, Failure> {
    if text.is_null() {
        return Err(Failure::null(name));
    }
    // SAFETY: not null, and the caller's promise.
    let text = unsafe { CStr::from_ptr(text) };
    text.to_str().map_err(|e| Failure::new(ROTOMASK_ERROR_ARGUMENT, format!("`{name}` is not UTF-8: {e}")))
}

/// Copies text and its NUL into the caller's buffer. `size` takes the bytes there are and gives those wanted.
///
/// # Safety
/// `size` is null or valid for reads and writes; `buffer` is null or has `*size` bytes.
pub(crate) unsafe fn copy_out(text: &str, buffer: *mut c_char, size: *mut usize) -> Result<(), Failure> {
    if size.is_null() {
        return Err(Failure::null("size"));
    }
    // SAFETY: not null, and the caller's promise.
    let room = unsafe { size.replace(text.len() + 1) };
    if buffer.is_null() {
        return Ok(());
    }
    if room < text.len() + 1 {
        let message = format!("the buffer has {room} bytes, expected {}", text.len() + 1);
        return Err(Failure::new(ROTOMASK_ERROR_BUFFER, message));
    }
    // SAFETY: the buffer has room for the text and its NUL.
    unsafe {
        buffer.copy_from_nonoverlapping(text.as_ptr().cast(), text.len());
        buffer.add(text.len()).write(0);
    }
    Ok(())
}
