//! A session file to look at, across the boundary: listed, checked, exported, salvaged. Never written to.

use std::ffi::c_char;
use std::path::PathBuf;

use engine::mask::Wanted;
use engine::session::ObjectMask;
use engine::store::{FileMask, SessionFile};

use crate::frame::view_mut;
use crate::guard::{Handle, Held, guard, hand_over, take_back, with};
use crate::session::{told, wanted as kind};
use crate::sized::{self, Sized32, check_place};
use crate::status::{Failure, rotomask_status};
use crate::text::{copy_out, path};
use crate::types::{rotomask_canvas, rotomask_mask, rotomask_result, rotomask_salvaged};

/// A session file that is open for reading, perhaps while another process writes it.
pub struct rotomask_session_file {
    held: Held<Looked>,
}

impl Handle for rotomask_session_file {
    type Value = Looked;
    const NAME: &'static str = "file";
    fn held(&self) -> &Held<Looked> {
        &self.held
    }
}

pub(crate) struct Looked {
    file: SessionFile,
    /// What was measured by a call for the size alone, for the call that follows.
    summary: Option<String>,
    problems: Option<String>,
}

/// A path that must be there.
///
/// # Safety
/// `text` is null or a NUL-terminated string.
unsafe fn wanted(text: *const c_char, name: &str) -> Result<PathBuf, Failure> {
    // SAFETY: the caller's promise.
    unsafe { path(text, name) }?.ok_or_else(|| Failure::null(name))
}

/// Text that is made anew when its size is asked for, and handed out by the call that follows.
///
/// # Safety
/// As [`copy_out`].
unsafe fn tell(
    kept: &mut Option<String>,
    make: impl FnOnce() -> Result<String, Failure>,
    buffer: *mut c_char,
    size: *mut usize,
) -> Result<(), Failure> {
    let text = match kept.take().filter(|_| !buffer.is_null()) {
        Some(text) => text,
        None => make()?,
    };
    // SAFETY: the caller's promise.
    let done = unsafe { copy_out(&text, buffer, size) };
    if buffer.is_null() || done.is_err() {
        *kept = Some(text);
    }
    done
}

/// Opens a NAME.rotosession file to look at it. It may be written by another process meanwhile; it is not changed.
///
/// `path` is UTF-8. On success `*file` is the caller's, to be closed with `rotomask_session_file_close`; on failure it
/// is untouched.
/// Returns ROTOMASK_OK, ROTOMASK_ERROR_NULL, ROTOMASK_ERROR_ARGUMENT, ROTOMASK_ERROR_SESSION or ROTOMASK_ERROR_PANIC.
/// [any thread] [blocks]
///
/// # Safety
/// `path` is null or a NUL-terminated string; `file` is null or valid for writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rotomask_session_file_open(
    path: *const c_char,
    file: *mut *mut rotomask_session_file,
) -> rotomask_status {
    let open = || {
        // SAFETY: the contract above.
        let file = SessionFile::open(&unsafe { wanted(path, "path") }?)?;
        let looked = Looked { file, summary: None, problems: None };
        Ok(rotomask_session_file { held: Held::new(looked) })
    };
    // SAFETY: the contract above.
    guard(|| unsafe { hand_over(file, "file", open) })
}

/// Closes a session file. Null does nothing. [any thread]
///
/// # Safety
/// `file` is null or open, and not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rotomask_session_file_close(file: *mut rotomask_session_file) {
    // SAFETY: the contract above.
    unsafe { take_back(file) };
}

/// Model, frames, objects with their prompts and the ranges that are answered, cuts and steps, as JSON.
///
/// `buffer` and `size` are as in `rotomask_info`; a call for the size counts anew, the next one hands out what it found.
/// Returns ROTOMASK_OK, ROTOMASK_ERROR_NULL, ROTOMASK_ERROR_BUFFER, ROTOMASK_ERROR_SESSION or ROTOMASK_ERROR_PANIC.
/// [one thread at a time] [blocks]
///
/// # Safety
/// `file` is null or open; `size` is null or valid; `buffer` is null or has `*size` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rotomask_session_file_describe(
    file: *const rotomask_session_file,
    buffer: *mut c_char,
    size: *mut usize,
) -> rotomask_status {
    let describe = |looked: &mut Looked| {
        let make = || Ok(serde_json::json!(looked.file.summary()?).to_string());
        // SAFETY: the contract above.
        unsafe { tell(&mut looked.summary, make, buffer, size) }
    };
    // SAFETY: the contract above.
    unsafe { with(file, describe) }
}

/// Reads all of the file, and tells what is not as it was written: a JSON array of sentences, `[]` if all is well.
///
/// `buffer` and `size` are as in `rotomask_session_file_describe`.
/// Returns ROTOMASK_OK, ROTOMASK_ERROR_NULL, ROTOMASK_ERROR_BUFFER or ROTOMASK_ERROR_PANIC.
/// [one thread at a time] [blocks]
///
/// # Safety
/// As `rotomask_session_file_describe`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rotomask_session_file_check(
    file: *const rotomask_session_file,
    buffer: *mut c_char,
    size: *mut usize,
) -> rotomask_status {
    let check = |looked: &mut Looked| {
        let make = || Ok(serde_json::json!(looked.file.check()).to_string());
        // SAFETY: the contract above.
        unsafe { tell(&mut looked.problems, make, buffer, size) }
    };
    // SAFETY: the contract above.
    unsafe { with(file, check) }
}

/// Writes which pixels are an object's on a frame, of the frames' size: GRAY8 0 or 255, or GRAY_F32 0 or 1. Holes are
/// filled as a session does that is not told otherwise.
///
/// `canvas` is the caller's memory, untouched on error.
/// Returns ROTOMASK_OK, ROTOMASK_ERROR_NULL, ROTOMASK_ERROR_ARGUMENT, ROTOMASK_ERROR_FRAME, ROTOMASK_ERROR_SESSION (also
/// where the object has no mask) or ROTOMASK_ERROR_PANIC. [one thread at a time]
///
/// # Safety
/// `file` is null or open; `canvas` is null or valid, with all of its rows.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rotomask_session_file_binary(
    file: *const rotomask_session_file,
    object: u32,
    frame: u64,
    canvas: *const rotomask_canvas,
) -> rotomask_status {
    // SAFETY: the contract above.
    unsafe { with(file, |looked| write(looked, object, frame, Wanted::Binary, canvas)) }
}

/// # Safety
/// `canvas` is null or valid, with all of its rows.
unsafe fn write(
    looked: &Looked,
    object: u32,
    frame: u64,
    wanted: Wanted,
    canvas: *const rotomask_canvas,
) -> Result<(), Failure> {
    let logits = looked.file.mask(object, frame)?;
    // SAFETY: the caller's promise.
    let canvas = unsafe { view_mut(canvas, "canvas") }?;
    let (found, want) = (canvas.size(), looked.file.size());
    if wanted != Wanted::Logits && found != want {
        let message = format!("the mask's image is {found}, expected the frames' {want}");
        return Err(engine::Error::Frame(message).into());
    }
    Ok(logits.write(wanted, canvas)?)
}

/// Tells what is known of an object on a frame. The caller sets `result->struct_size` first.
///
/// Returns ROTOMASK_OK, ROTOMASK_ERROR_NULL, ROTOMASK_ERROR_ARGUMENT, ROTOMASK_ERROR_SESSION (also where the object has no
/// mask) or ROTOMASK_ERROR_PANIC. [one thread at a time]
///
/// # Safety
/// `file` is null or open; `result` is null or valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rotomask_session_file_result(
    file: *const rotomask_session_file,
    object: u32,
    frame: u64,
    result: *mut rotomask_result,
) -> rotomask_status {
    let answer = |looked: &mut Looked| {
        // SAFETY: the contract above.
        unsafe { check_place(result, "result") }?;
        let FileMask { origin, predicted_iou, object_score, logits } = looked.file.answer(object, frame)?;
        let mask = ObjectMask { origin, predicted_iou, object_score, logits };
        // SAFETY: as above.
        unsafe { sized::tell(result, "result", told(&mask)) }
    };
    // SAFETY: the contract above.
    unsafe { with(file, answer) }
}

/// Writes an object's mask on a frame as `rotomask_session_mask_at` does; `mask` is a `ROTOMASK_MASK_*`. Logits have the size
/// that `rotomask_session_file_result` tells, the others the frames'. Holes are filled as a session does that is not told
/// otherwise; where objects overlap, each keeps its own.
///
/// `canvas` is the caller's memory, untouched on error.
/// Returns ROTOMASK_OK, ROTOMASK_ERROR_NULL, ROTOMASK_ERROR_ARGUMENT, ROTOMASK_ERROR_FRAME, ROTOMASK_ERROR_SESSION (also
/// where the object has no mask) or ROTOMASK_ERROR_PANIC. [one thread at a time]
///
/// # Safety
/// `file` is null or open; `canvas` is null or valid, with all of its rows.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rotomask_session_file_mask(
    file: *const rotomask_session_file,
    object: u32,
    frame: u64,
    mask: rotomask_mask,
    canvas: *const rotomask_canvas,
) -> rotomask_status {
    // SAFETY: the contract above.
    unsafe { with(file, |looked| write(looked, object, frame, kind(mask)?, canvas)) }
}

/// Copies what can be read of a damaged session into a new file. The damaged one stays as it is.
///
/// `damaged` and `fresh` are paths, UTF-8; there must be no file at `fresh`. `salvaged` is null or the caller's, and
/// untouched on error.
/// Returns ROTOMASK_OK, ROTOMASK_ERROR_NULL, ROTOMASK_ERROR_ARGUMENT, ROTOMASK_ERROR_SESSION (not even the beginning can
/// be read, or `fresh` can't be written) or ROTOMASK_ERROR_PANIC. [any thread] [blocks]
///
/// # Safety
/// Each pointer is null or valid; strings end with NUL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rotomask_session_file_salvage(
    damaged: *const c_char,
    fresh: *const c_char,
    salvaged: *mut rotomask_salvaged,
) -> rotomask_status {
    guard(|| {
        // SAFETY: the contract above.
        let (damaged, fresh) = unsafe { (wanted(damaged, "damaged")?, wanted(fresh, "fresh")?) };
        if !salvaged.is_null() {
            // SAFETY: the contract above.
            unsafe { check_place(salvaged, "salvaged") }?;
        }
        let done = SessionFile::salvage(&damaged, &fresh)?;
        if !salvaged.is_null() {
            let told = rotomask_salvaged {
                objects: done.objects,
                prompts: done.prompts,
                answers: done.answers,
                lost: done.lost,
                gaps: done.gaps,
                ..rotomask_salvaged::fresh()
            };
            // SAFETY: the contract above.
            unsafe { sized::tell(salvaged, "salvaged", told) }?;
        }
        Ok(())
    })
}
