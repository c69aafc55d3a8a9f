//! Objects, undo, and what a session knows of its frames, across the boundary.

use std::ffi::c_char;

use engine::review::{Reason, ReviewRange, Thresholds};
use engine::session::{Outdated, Said, Session};
use serde_json::{Value, json};

use crate::frame::view_mut;
use crate::guard::with;
use crate::session::{rotomask_session, told, wanted};
use crate::sized::{check_place, tell};
use crate::status::{Failure, ROTOMASK_ERROR_STATE, rotomask_status};
use crate::text::{copy_out, text};
use crate::types::*;

/// Adds an object by name. The first prompt about an unknown number does so as well, and names it "Object N".
///
/// `name` is UTF-8 of at most 255 bytes, borrowed for the call.
/// Returns ROTOMASK_OK, ROTOMASK_ERROR_NULL, ROTOMASK_ERROR_ARGUMENT, ROTOMASK_ERROR_PROMPT for a name that is too long,
/// ROTOMASK_ERROR_STATE if the number is taken or past 256 objects, ROTOMASK_ERROR_SESSION or ROTOMASK_ERROR_PANIC.
/// [one thread at a time]
///
/// # Safety
/// `session` is null or open; `name` is null or ends with NUL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rotomask_session_add_object(
    session: *mut rotomask_session,
    object: u32,
    name: *const c_char,
) -> rotomask_status {
    let add = |session: &mut Session| {
        // SAFETY: the contract above.
        let name = unsafe { text(name, "name") }?;
        Ok(session.add_object(object, name)?)
    };
    // SAFETY: the contract above.
    unsafe { with(session, add) }
}

/// Renames an object.
///
/// Returns as `rotomask_session_add_object`; ROTOMASK_ERROR_STATE if there is no such object. [one thread at a time]
///
/// # Safety
/// As `rotomask_session_add_object`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rotomask_session_rename_object(
    session: *mut rotomask_session,
    object: u32,
    name: *const c_char,
) -> rotomask_status {
    let rename = |session: &mut Session| {
        // SAFETY: the contract above.
        let name = unsafe { text(name, "name") }?;
        Ok(session.rename_object(object, name)?)
    };
    // SAFETY: the contract above.
    unsafe { with(session, rename) }
}

/// Removes an object, its prompts and its masks. Undo brings back its prompts and their answers; what was tracked has
/// to be tracked again.
///
/// Returns ROTOMASK_OK, ROTOMASK_ERROR_NULL, ROTOMASK_ERROR_STATE if there is no such object, ROTOMASK_ERROR_SESSION or
/// ROTOMASK_ERROR_PANIC. [one thread at a time]
///
/// # Safety
/// `session` is null or open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rotomask_session_remove_object(
    session: *mut rotomask_session,
    object: u32,
) -> rotomask_status {
    // SAFETY: the contract above.
    unsafe { with(session, |session| Ok(session.remove_object(object)?)) }
}

/// Takes back all that was said of an object on a frame. If other prompts are left, the frame is tracked from them.
///
/// Returns as `rotomask_session_remove_object`. [one thread at a time]
///
/// # Safety
/// `session` is null or open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rotomask_session_clear_frame(
    session: *mut rotomask_session,
    object: u32,
    frame: u64,
) -> rotomask_status {
    // SAFETY: the contract above.
    unsafe { with(session, |session| Ok(session.clear_frame(object, frame)?)) }
}

/// Takes back all that was ever said of an object, and with it its masks. The object stays, with its name.
///
/// Returns as `rotomask_session_remove_object`. [one thread at a time]
///
/// # Safety
/// `session` is null or open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rotomask_session_clear_object(
    session: *mut rotomask_session,
    object: u32,
) -> rotomask_status {
    // SAFETY: the contract above.
    unsafe { with(session, |session| Ok(session.clear_object(object)?)) }
}

/// Removes every object. It can't be taken back.
///
/// Returns ROTOMASK_OK, ROTOMASK_ERROR_NULL, ROTOMASK_ERROR_SESSION or ROTOMASK_ERROR_PANIC. [one thread at a time]
///
/// # Safety
/// `session` is null or open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rotomask_session_reset(session: *mut rotomask_session) -> rotomask_status {
    // SAFETY: the contract above.
    unsafe { with(session, |session| Ok(session.reset()?)) }
}

/// Takes back what was said last; what was tracked since then and depends on it is outdated. Tracking itself is not
/// taken back.
///
/// Returns ROTOMASK_OK, ROTOMASK_ERROR_NULL, ROTOMASK_ERROR_STATE if there is nothing to take back,
/// ROTOMASK_ERROR_SESSION or ROTOMASK_ERROR_PANIC. [one thread at a time]
///
/// # Safety
/// `session` is null or open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rotomask_session_undo(session: *mut rotomask_session) -> rotomask_status {
    // SAFETY: the contract above.
    unsafe { with(session, |session| moved(session.undo()?, "there is nothing to take back")) }
}

/// Says again what was taken back last, unless anything else was said since.
///
/// Returns as `rotomask_session_undo`. [one thread at a time]
///
/// # Safety
/// `session` is null or open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rotomask_session_redo(session: *mut rotomask_session) -> rotomask_status {
    // SAFETY: the contract above.
    unsafe { with(session, |session| moved(session.redo()?, "there is nothing to say again")) }
}

fn moved(done: bool, nothing: &str) -> Result<(), Failure> {
    if done { Ok(()) } else { Err(Failure::new(ROTOMASK_ERROR_STATE, nothing)) }
}

/// What a session knows, as JSON: `objects` with `id`, `name`, `prompts` (`frame`, `clicks` as x, y and
/// whether they are on the object, `box`, `masked`) and `tracked` ranges; `waiting`
/// frames; `outdated` stretches, which ROTOMASK_WAY_OUTDATED redoes; `cuts`; `undo` and `redo`, as a menu would name them.
///
/// `buffer` and `size` are as in `rotomask_info`.
/// Returns ROTOMASK_OK, ROTOMASK_ERROR_NULL, ROTOMASK_ERROR_BUFFER, ROTOMASK_ERROR_SESSION or ROTOMASK_ERROR_PANIC.
/// [one thread at a time]
///
/// # Safety
/// `session` is null or open; `size` is null or valid; `buffer` is null or has `*size` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rotomask_session_describe(
    session: *const rotomask_session,
    buffer: *mut c_char,
    size: *mut usize,
) -> rotomask_status {
    let describe = |session: &mut Session| {
        let told = description(session)?.to_string();
        // SAFETY: the contract above.
        unsafe { copy_out(&told, buffer, size) }
    };
    // SAFETY: the contract above.
    unsafe { with(session, describe) }
}

fn said(said: &Said) -> Value {
    let clicks: Vec<_> = said.clicks.iter().map(|c| json!([c.x_px, c.y_px, c.positive])).collect();
    let bounds = said.bounds.map(|b| [b.x0_px, b.y0_px, b.x1_px, b.y1_px]);
    json!({ "frame": said.frame, "clicks": clicks, "box": bounds, "masked": said.masked })
}

fn description(session: &Session) -> Result<Value, Failure> {
    let object = |o: &engine::session::ObjectInfo| {
        let tracked: Vec<_> = o.tracked.iter().map(|range| [*range.start(), *range.end()]).collect();
        let said: Vec<_> = session.said(o.id).iter().map(said).collect();
        json!({ "id": o.id, "name": o.name, "prompts": said, "tracked": tracked })
    };
    let stretch = |o: &Outdated| {
        let frames = [*o.frames.start(), *o.frames.end()];
        json!({ "object": o.object, "frames": frames, "direction": o.direction })
    };
    let undoable = session.undoable()?;
    Ok(json!({
        "objects": session.objects().iter().map(object).collect::<Vec<_>>(),
        "waiting": session.waiting(),
        "outdated": session.outdated().iter().map(stretch).collect::<Vec<_>>(),
        "cuts": session.cuts(),
        "undo": undoable.undo,
        "redo": undoable.redo,
    }))
}

/// The ranges of an object's frames that a person should look at, as JSON: `first`, `last` and `reasons`, which are of
/// Lost, LowScore, LowIou, Unstable, AreaJump, Flicker, Touching and Cut.
///
/// `buffer` and `size` are as in `rotomask_info`.
/// Returns ROTOMASK_OK, ROTOMASK_ERROR_NULL, ROTOMASK_ERROR_BUFFER, ROTOMASK_ERROR_STATE for a session that keeps only a
/// window, ROTOMASK_ERROR_SESSION or ROTOMASK_ERROR_PANIC. [one thread at a time]
///
/// # Safety
/// `session` is null or open; `size` is null or valid; `buffer` is null or has `*size` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rotomask_session_review(
    session: *mut rotomask_session,
    object: u32,
    buffer: *mut c_char,
    size: *mut usize,
) -> rotomask_status {
    let review = |session: &mut Session| {
        let ranges = session.review(object, Thresholds::default())?;
        let told = |r: &ReviewRange| {
            let reasons = Reason::ALL.into_iter().filter(|&reason| r.reasons.has(reason));
            let reasons: Vec<_> = reasons.map(|reason| format!("{reason:?}")).collect();
            json!({ "first": r.first, "last": r.last, "reasons": reasons })
        };
        let told = Value::Array(ranges.iter().map(told).collect()).to_string();
        // SAFETY: the contract above.
        unsafe { copy_out(&told, buffer, size) }
    };
    // SAFETY: the contract above.
    unsafe { with(session, review) }
}

/// Tells what is known of an object on any frame that is kept. The caller sets `result->struct_size` first.
///
/// Returns as `rotomask_session_result`, or ROTOMASK_ERROR_SESSION. [one thread at a time]
///
/// # Safety
/// `session` is null or open; `result` is null or valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rotomask_session_result_at(
    session: *const rotomask_session,
    object: u32,
    frame: u64,
    result: *mut rotomask_result,
) -> rotomask_status {
    let answer = |session: &mut Session| {
        // SAFETY: the contract above.
        unsafe { check_place(result, "result") }?;
        let mask = session.mask_at(object, frame)?.ok_or_else(|| not_kept(object, frame))?;
        // SAFETY: as above.
        unsafe { tell(result, "result", told(&mask)) }
    };
    // SAFETY: the contract above.
    unsafe { with(session, answer) }
}

/// Writes an object's mask on any frame that is kept; `mask` is a `ROTOMASK_MASK_*`.
///
/// `canvas` is the caller's memory, untouched on error.
/// Returns as `rotomask_session_logits`, or ROTOMASK_ERROR_SESSION. [one thread at a time]
///
/// # Safety
/// `session` is null or open; `canvas` is null or valid, with all of its rows.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rotomask_session_mask_at(
    session: *const rotomask_session,
    object: u32,
    frame: u64,
    mask: rotomask_mask,
    canvas: *const rotomask_canvas,
) -> rotomask_status {
    let write = |session: &mut Session| {
        let wanted = wanted(mask)?;
        // SAFETY: the contract above.
        let canvas = unsafe { view_mut(canvas, "canvas") }?;
        if session.write_mask_at(object, frame, wanted, canvas)? {
            return Ok(());
        }
        Err(not_kept(object, frame))
    };
    // SAFETY: the contract above.
    unsafe { with(session, write) }
}

/// An object's mask on any frame that is kept, as COCO's run lengths: `{"size": [rows, columns], "counts": "..."}`.
///
/// `buffer` and `size` are as in `rotomask_info`.
/// Returns as `rotomask_session_logits`, ROTOMASK_ERROR_BUFFER or ROTOMASK_ERROR_SESSION. [one thread at a time]
///
/// # Safety
/// `session` is null or open; `size` is null or valid; `buffer` is null or has `*size` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rotomask_session_rle_at(
    session: *const rotomask_session,
    object: u32,
    frame: u64,
    buffer: *mut c_char,
    size: *mut usize,
) -> rotomask_status {
    let encode = |session: &mut Session| {
        let rle = session.rle_at(object, frame)?.ok_or_else(|| not_kept(object, frame))?;
        let text = json!({ "size": [rle.size().height_px, rle.size().width_px], "counts": rle.compressed() });
        // SAFETY: the contract above.
        unsafe { copy_out(&text.to_string(), buffer, size) }
    };
    // SAFETY: the contract above.
    unsafe { with(session, encode) }
}

fn not_kept(object: u32, frame: u64) -> Failure {
    let message =
        format!("object {object} has no mask on frame {frame}: it was not answered, or is not kept");
    Failure::new(ROTOMASK_ERROR_STATE, message)
}
