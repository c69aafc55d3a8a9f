//! A shot being tracked, across the boundary.

use std::ffi::{c_char, c_void};
use std::ops::ControlFlow;
use std::sync::Arc;

use engine::frame::Size;
use engine::mask::Wanted;
use engine::model::{Cancel, Model};
use engine::prompt::{Box, Click};
use engine::session::{Direction, Keep, ObjectMask, Origin, Precision, Session, SessionOptions, Stage};

use crate::frame::{view, view_mut};
use crate::guard::{Handle, Held, borrow, guard, hand_over, last_error_of, take_back, with};
use crate::model::rotomask_model;
use crate::sized::{Sized32, check_place, init, taken_or_fresh, tell};
use crate::status::{Failure, ROTOMASK_ERROR_ARGUMENT, rotomask_status};
use crate::text::path;
use crate::types::*;
use crate::units::Units;

/// A shot. It is used by one thread at a time (others wait), but for `rotomask_session_cancel`.
pub struct rotomask_session {
    held: Held<Session>,
    cancel: Arc<Cancel>,
    units: Units,
}

impl Handle for rotomask_session {
    type Value = Session;
    const NAME: &'static str = "session";
    fn held(&self) -> &Held<Session> {
        &self.held
    }
}

/// Is told after each stage how many milliseconds it took; anything but 0 stops the work. It is called on the thread
/// that pushed, and must not use the session.
pub type rotomask_progress_callback =
    Option<unsafe extern "C" fn(user: *mut c_void, stage: rotomask_stage, milliseconds: f32) -> i32>;

/// Opens a session for a shot whose frames have one size.
///
/// On success `*session` is the caller's, to be closed with `rotomask_session_close`; on failure it is untouched.
/// Returns ROTOMASK_OK, ROTOMASK_ERROR_NULL, ROTOMASK_ERROR_FRAME, ROTOMASK_ERROR_RUNTIME or ROTOMASK_ERROR_PANIC.
/// [any thread]
///
/// # Safety
/// `model` is null or open; `session` is null or valid for writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rotomask_session_open(
    model: *const rotomask_model,
    width_px: u32,
    height_px: u32,
    session: *mut *mut rotomask_session,
) -> rotomask_status {
    // SAFETY: the contract above; no options are the defaults.
    unsafe { rotomask_session_open_with(model, width_px, height_px, std::ptr::null(), session) }
}

// SAFETY: it is `repr(C)`, begins with its size, and has only numbers and pointers after it.
unsafe impl Sized32 for rotomask_session_options {
    const NAME: &'static str = "rotomask_session_options";
    fn fresh() -> Self {
        let d = SessionOptions::default();
        Self {
            struct_size: size_of::<Self>() as u32,
            keep: ROTOMASK_KEEP_WINDOW,
            path: std::ptr::null(),
            half_precision: 0,
            non_overlap_masks: u32::from(d.non_overlap_masks),
            memory_ceiling: 0,
            fill_hole_area: -1,
            add_all_frames_to_correct_as_cond: u32::from(d.add_all_frames_to_correct_as_cond),
            clear_non_cond_mem_around_input: u32::from(d.clear_non_cond_mem_around_input),
            max_cond_frames_in_attn: -1,
            memory_temporal_stride_for_eval: d.memory_temporal_stride_for_eval as u32,
            detect_cuts: u32::from(d.detect_cuts),
            units: ROTOMASK_UNITS_PIXELS,
            reserved: 0,
        }
    }
}

/// Fills in the options that nobody has to think about.
/// `size` is `sizeof(rotomask_session_options)`; `options` is null or the caller's. [any thread]
///
/// # Safety
/// `options` is null or valid for writes of `size` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rotomask_session_options_init(options: *mut rotomask_session_options, size: usize) {
    // SAFETY: the contract above.
    unsafe { init(options, size) };
}

/// Opens a session for a shot whose frames have one size, with options; a file that is there is gone on with.
///
/// `options` is borrowed for the call; null means the defaults. `*session` as by `rotomask_session_open`.
/// Returns as `rotomask_session_open`, ROTOMASK_ERROR_ARGUMENT for an option outside its range, or
/// ROTOMASK_ERROR_SESSION for a file that can't be gone on with, which is then untouched. [any thread] [blocks]
///
/// # Safety
/// `model` is null or open; `options` is null or valid, its path null or NUL-terminated; `session` is null or valid
/// for writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rotomask_session_open_with(
    model: *const rotomask_model,
    width_px: u32,
    height_px: u32,
    options: *const rotomask_session_options,
    session: *mut *mut rotomask_session,
) -> rotomask_status {
    let open = || {
        // SAFETY: the contract above.
        let model = unsafe { rotomask_model::shared(model) }?;
        // SAFETY: the contract above.
        unsafe { opened(model, Size::new(width_px, height_px)?, &taken_or_fresh(options)?, true) }
    };
    // SAFETY: the contract above.
    guard(|| unsafe { hand_over(session, "session", open) })
}

/// # Safety
/// The path is null or NUL-terminated.
pub(crate) unsafe fn opened(
    model: Arc<Model>,
    size: Size,
    options: &rotomask_session_options,
    encode_ahead: bool,
) -> Result<rotomask_session, Failure> {
    let units = Units::of(options.units)?;
    // SAFETY: the caller's promise.
    let options = SessionOptions { encode_ahead, ..unsafe { chosen(options) }? };
    let session = Session::open_with(model, size, options)?;
    Ok(rotomask_session { cancel: session.cancel_switch(), held: Held::new(session), units })
}

/// # Safety
/// The path is null or NUL-terminated.
unsafe fn chosen(options: &rotomask_session_options) -> Result<SessionOptions, Failure> {
    // SAFETY: the caller's promise.
    let path = unsafe { path(options.path, "path") }?;
    let keep = match (options.keep, path) {
        (ROTOMASK_KEEP_WINDOW, _) => Keep::Window,
        (ROTOMASK_KEEP_TEMPORARY, _) => Keep::Temporary,
        (ROTOMASK_KEEP_FILE, Some(path)) => Keep::File(path),
        (ROTOMASK_KEEP_FILE, None) => return Err(Failure::null("path")),
        (other, _) => return Err(unknown("keep", other, "a ROTOMASK_KEEP_*")),
    };
    let at_least = |name, found: i32| match found {
        -1 => Ok(None),
        0.. => Ok(Some(found as usize)),
        _ => {
            Err(Failure::new(ROTOMASK_ERROR_ARGUMENT, format!("{name}: found {found}, expected -1 or more")))
        }
    };
    Ok(SessionOptions {
        keep,
        precision: if options.half_precision != 0 { Precision::Half } else { Precision::Single },
        memory_ceiling: Some(options.memory_ceiling).filter(|&bytes| bytes > 0),
        fill_hole_area: at_least("fill_hole_area", options.fill_hole_area)?,
        non_overlap_masks: options.non_overlap_masks != 0,
        add_all_frames_to_correct_as_cond: options.add_all_frames_to_correct_as_cond != 0,
        clear_non_cond_mem_around_input: options.clear_non_cond_mem_around_input != 0,
        max_cond_frames_in_attn: at_least("max_cond_frames_in_attn", options.max_cond_frames_in_attn)?,
        memory_temporal_stride_for_eval: u64::from(options.memory_temporal_stride_for_eval),
        detect_cuts: options.detect_cuts != 0,
        ..SessionOptions::default()
    })
}

pub(crate) fn unknown(name: &str, found: u32, want: &str) -> Failure {
    Failure::new(ROTOMASK_ERROR_ARGUMENT, format!("{name}: found {found}, expected {want}"))
}

/// Closes a session. Null does nothing. No call may be running on it. [any thread]
///
/// # Safety
/// `session` is null or open, and not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rotomask_session_close(session: *mut rotomask_session) {
    // SAFETY: the contract above.
    unsafe { take_back(session) };
}

/// Sets who is told how the work goes; null for nobody. `user` is given back with each call.
///
/// Returns ROTOMASK_OK, ROTOMASK_ERROR_NULL or ROTOMASK_ERROR_PANIC. [one thread at a time]
///
/// # Safety
/// `session` is null or open; `user` stays valid until the callback is replaced or the session closed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rotomask_session_set_progress(
    session: *mut rotomask_session,
    callback: rotomask_progress_callback,
    user: *mut c_void,
) -> rotomask_status {
    struct Host(unsafe extern "C" fn(*mut c_void, rotomask_stage, f32) -> i32, *mut c_void);
    // SAFETY: the callback is only called by the thread that pushes, which the host chooses.
    unsafe impl Send for Host {}
    impl Host {
        fn tell(&self, stage: rotomask_stage, milliseconds: f32) -> ControlFlow<()> {
            // SAFETY: the host vouched for callback and `user`.
            match unsafe { (self.0)(self.1, stage, milliseconds) } {
                0 => ControlFlow::Continue(()),
                _ => ControlFlow::Break(()),
            }
        }
    }
    let host = callback.map(|callback| Host(callback, user));
    let set = |session: &mut Session| {
        session.set_progress(host.map(|host| -> std::boxed::Box<engine::session::Progress> {
            std::boxed::Box::new(move |stage, took| host.tell(number(stage), took.as_secs_f32() * 1e3))
        }));
        Ok(())
    };
    // SAFETY: the contract above.
    unsafe { with(session, set) }
}

fn number(stage: Stage) -> rotomask_stage {
    match stage {
        Stage::Preprocess => ROTOMASK_STAGE_PREPROCESS,
        Stage::ImageEncoder => ROTOMASK_STAGE_IMAGE_ENCODER,
        Stage::MemoryAttention => ROTOMASK_STAGE_MEMORY_ATTENTION,
        Stage::MaskDecoder => ROTOMASK_STAGE_MASK_DECODER,
        Stage::MemoryEncoder => ROTOMASK_STAGE_MEMORY_ENCODER,
    }
}

/// Stops what runs on the session, or what runs next if nothing does: that call returns ROTOMASK_ERROR_CANCELLED and
/// leaves the session as it was before. Frames that were finished stay.
///
/// Returns ROTOMASK_OK, ROTOMASK_ERROR_NULL or ROTOMASK_ERROR_PANIC. [any thread, also while another uses the session]
///
/// # Safety
/// `session` is null or open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rotomask_session_cancel(session: *const rotomask_session) -> rotomask_status {
    guard(|| {
        // SAFETY: the contract above. Only the switch is touched, which is made for other threads.
        unsafe { borrow(session, "session") }?.cancel.ask();
        Ok(())
    })
}

/// The sentence of the session's last call that failed, whichever thread made it; "" if none has.
///
/// `buffer` and `size` are as in `rotomask_info`.
/// Returns ROTOMASK_OK, ROTOMASK_ERROR_NULL, ROTOMASK_ERROR_BUFFER or ROTOMASK_ERROR_PANIC. [any thread, also while another uses the session]
///
/// # Safety
/// `session` is null or open; `size` is null or valid; `buffer` is null or has `*size` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rotomask_session_last_error(
    session: *const rotomask_session,
    buffer: *mut c_char,
    size: *mut usize,
) -> rotomask_status {
    // SAFETY: the contract above.
    unsafe { last_error_of(session, buffer, size) }
}

/// Adds a click on an object of the frame, to be answered when the frame is pushed, or by `rotomask_session_refine` if
/// it was pushed last. Clicks on a frame add up.
///
/// `object` is any number of the caller's. `frame` counts from 0. `x` and `y` are in the session's units, as by
/// ROTOMASK_UNITS_PIXELS unless its options say otherwise. `positive` is 1 for a place on the object, 0 for one that is
/// not.
/// Returns ROTOMASK_OK, ROTOMASK_ERROR_NULL, ROTOMASK_ERROR_PROMPT outside the frame, ROTOMASK_ERROR_STATE past 256
/// objects, or ROTOMASK_ERROR_PANIC. [one thread at a time]
///
/// # Safety
/// `session` is null or open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rotomask_session_click(
    session: *mut rotomask_session,
    object: u32,
    frame: u64,
    x: f32,
    y: f32,
    positive: u32,
) -> rotomask_status {
    let click = |open: &mut Session| {
        // SAFETY: the contract above.
        let units = unsafe { borrow(session, "session") }?.units;
        let [x_px, y_px] = units.pixels(open.size(), [x, y]);
        Ok(open.click(object, frame, Click { x_px, y_px, positive: positive != 0 })?)
    };
    // SAFETY: the contract above.
    unsafe { with(session, click) }
}

/// Sets the box around an object on a frame, answered as a click is. A frame has one; clicks add to it.
///
/// Corners in the session's units, from edge to edge of the frame; the second right of and below the first.
/// Returns as `rotomask_session_click`. [one thread at a time]
///
/// # Safety
/// `session` is null or open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rotomask_session_box(
    session: *mut rotomask_session,
    object: u32,
    frame: u64,
    x0: f32,
    y0: f32,
    x1: f32,
    y1: f32,
) -> rotomask_status {
    let bounds = |open: &mut Session| {
        // SAFETY: the contract above.
        let units = unsafe { borrow(session, "session") }?.units;
        let [[x0_px, y0_px], [x1_px, y1_px]] = [[x0, y0], [x1, y1]].map(|at| units.pixels(open.size(), at));
        Ok(open.bounds(object, frame, Box { x0_px, y0_px, x1_px, y1_px })?)
    };
    // SAFETY: the contract above.
    unsafe { with(session, bounds) }
}

/// Sets the mask of an object on a frame, answered as a click is. Box and clicks of that frame are dropped; clicks that
/// come later refine it.
///
/// `mask` has the session's size. Grey above half is the object, or alpha above half where there is any.
/// Returns as `rotomask_session_click`, or ROTOMASK_ERROR_FRAME. [one thread at a time]
///
/// # Safety
/// `session` is null or open; `mask` is null or valid, with all of its rows.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rotomask_session_mask(
    session: *mut rotomask_session,
    object: u32,
    frame: u64,
    mask: *const rotomask_frame,
) -> rotomask_status {
    let set = |session: &mut Session| {
        // SAFETY: the contract above.
        let mask = unsafe { view(mask, "mask") }?;
        Ok(session.mask_prompt(object, frame, mask)?)
    };
    // SAFETY: the contract above.
    unsafe { with(session, set) }
}

/// Takes a frame: answers the prompts that wait on it, or tracks every object into it from what is remembered.
///
/// Frames may come in any order; tracking looks back from each. To let every frame recall several prompted ones, push
/// those first, then the shot in order: a prompted frame that is pushed again without new prompts keeps its answer.
/// `pixels` has the session's size and colour (RGBA8, BGRA8 or RGB8); alpha is not looked at.
/// Returns ROTOMASK_OK, ROTOMASK_ERROR_NULL, ROTOMASK_ERROR_FRAME, ROTOMASK_ERROR_RUNTIME, ROTOMASK_ERROR_CANCELLED or
/// ROTOMASK_ERROR_PANIC; the session is then as it was before. [one thread at a time] [blocks]
///
/// # Safety
/// `session` is null or open; `pixels` is null or valid, with all of its rows.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rotomask_session_push(
    session: *mut rotomask_session,
    frame: u64,
    pixels: *const rotomask_frame,
) -> rotomask_status {
    let push = |session: &mut Session| {
        // SAFETY: the contract above.
        let pixels = unsafe { view(pixels, "pixels") }?;
        Ok(session.push(frame, pixels)?)
    };
    // SAFETY: the contract above.
    unsafe { with(session, push) }
}

/// As `rotomask_session_push`, tracking from where a direction comes from: with ROTOMASK_REVERSE from the frames after.
///
/// Returns as `rotomask_session_push`, or ROTOMASK_ERROR_ARGUMENT for an unknown direction. [one thread at a time]
/// [blocks]
///
/// # Safety
/// As `rotomask_session_push`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rotomask_session_push_toward(
    session: *mut rotomask_session,
    frame: u64,
    direction: rotomask_direction,
    pixels: *const rotomask_frame,
) -> rotomask_status {
    let push = |session: &mut Session| {
        let direction = match direction {
            ROTOMASK_FORWARD => Direction::Forward,
            ROTOMASK_REVERSE => Direction::Reverse,
            other => return Err(unknown("direction", other, "ROTOMASK_FORWARD or ROTOMASK_REVERSE")),
        };
        // SAFETY: the contract above.
        let pixels = unsafe { view(pixels, "pixels") }?;
        Ok(session.push_toward(frame, direction, pixels)?)
    };
    // SAFETY: the contract above.
    unsafe { with(session, push) }
}

/// Answers prompts that were added for the frame that was pushed last. The frame is not encoded again.
///
/// Returns ROTOMASK_OK, ROTOMASK_ERROR_NULL, ROTOMASK_ERROR_STATE before the first frame, ROTOMASK_ERROR_RUNTIME,
/// ROTOMASK_ERROR_CANCELLED or ROTOMASK_ERROR_PANIC. [one thread at a time] [blocks]
///
/// # Safety
/// `session` is null or open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rotomask_session_refine(session: *mut rotomask_session) -> rotomask_status {
    // SAFETY: the contract above.
    unsafe { with(session, |session| Ok(session.refine()?)) }
}

/// Drops what was tracked, as after a cut. Prompts and their answers stay.
///
/// Returns ROTOMASK_OK, ROTOMASK_ERROR_NULL or ROTOMASK_ERROR_PANIC. [one thread at a time]
///
/// # Safety
/// `session` is null or open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rotomask_session_forget(session: *mut rotomask_session) -> rotomask_status {
    // SAFETY: the contract above.
    unsafe { with(session, |session| Ok(session.forget()?)) }
}

/// Tells what is known of an object on the frame that was pushed last. The caller sets `result->struct_size` first.
///
/// Returns ROTOMASK_OK, ROTOMASK_ERROR_NULL, ROTOMASK_ERROR_ARGUMENT, ROTOMASK_ERROR_STATE if the object has no mask on
/// it, or ROTOMASK_ERROR_PANIC. [one thread at a time]
///
/// # Safety
/// `session` is null or open; `result` is null or valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rotomask_session_result(
    session: *const rotomask_session,
    object: u32,
    result: *mut rotomask_result,
) -> rotomask_status {
    let answer = |session: &mut Session| {
        // SAFETY: the contract above.
        unsafe { check_place(result, "result") }?;
        // SAFETY: as above.
        unsafe { tell(result, "result", told(&session.mask(object)?)) }
    };
    // SAFETY: the contract above.
    unsafe { with(session, answer) }
}

/// As a `ROTOMASK_MASK_*` says it.
pub(crate) fn wanted(mask: rotomask_mask) -> Result<Wanted, Failure> {
    match mask {
        ROTOMASK_MASK_LOGITS => Ok(Wanted::Logits),
        ROTOMASK_MASK_COVERAGE => Ok(Wanted::Coverage),
        ROTOMASK_MASK_BINARY => Ok(Wanted::Binary),
        other => Err(unknown("mask", other, "a ROTOMASK_MASK_*")),
    }
}

pub(crate) fn told(mask: &ObjectMask) -> rotomask_result {
    rotomask_result {
        prompted: u32::from(mask.origin == Origin::Prompted),
        seen: u32::from(mask.object_score > 0.0),
        logits_width: mask.logits.size.width_px,
        logits_height: mask.logits.size.height_px,
        predicted_iou: mask.predicted_iou,
        object_score: mask.object_score,
        ..rotomask_result::fresh()
    }
}

/// Tells how long each stage took. The caller sets `timings->struct_size` first.
///
/// Returns ROTOMASK_OK, ROTOMASK_ERROR_NULL, ROTOMASK_ERROR_ARGUMENT or ROTOMASK_ERROR_PANIC. [one thread at a time]
///
/// # Safety
/// `session` is null or open; `timings` is null or valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rotomask_session_timings(
    session: *const rotomask_session,
    timings: *mut rotomask_timings,
) -> rotomask_status {
    let answer = |session: &mut Session| {
        let stage_ms = session.spent().map(|took| took.as_secs_f32() * 1e3);
        // SAFETY: the contract above.
        unsafe { tell(timings, "timings", rotomask_timings { stage_ms, ..rotomask_timings::fresh() }) }
    };
    // SAFETY: the contract above.
    unsafe { with(session, answer) }
}

/// # Safety
/// As for the three exports that call it.
unsafe fn write_mask(
    session: *const rotomask_session,
    object: u32,
    wanted: Wanted,
    canvas: *const rotomask_canvas,
) -> rotomask_status {
    let write = |session: &mut Session| {
        // SAFETY: the caller's promise.
        let canvas = unsafe { view_mut(canvas, "canvas") }?;
        Ok(session.write_mask(object, wanted, canvas)?)
    };
    // SAFETY: the caller's promise.
    unsafe { with(session, write) }
}

/// Writes an object's mask logits as the model gave them: GRAY_F32, `logits_width` by `logits_height` of its
/// `rotomask_result`. They cover the whole frame; above 0 is the object.
///
/// `canvas` is the caller's memory, untouched on error.
/// Returns ROTOMASK_OK, ROTOMASK_ERROR_NULL, ROTOMASK_ERROR_ARGUMENT, ROTOMASK_ERROR_FRAME, ROTOMASK_ERROR_STATE or
/// ROTOMASK_ERROR_PANIC. [one thread at a time]
///
/// # Safety
/// `session` is null or open; `canvas` is null or valid, with all of its rows.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rotomask_session_logits(
    session: *const rotomask_session,
    object: u32,
    canvas: *const rotomask_canvas,
) -> rotomask_status {
    // SAFETY: the contract above.
    unsafe { write_mask(session, object, Wanted::Logits, canvas) }
}

/// Writes how likely each pixel is the object's, of the session's size: GRAY8 0 to 255, or GRAY_F32 0 to 1.
///
/// Returns as `rotomask_session_logits`. [one thread at a time]
///
/// # Safety
/// As `rotomask_session_logits`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rotomask_session_coverage(
    session: *const rotomask_session,
    object: u32,
    canvas: *const rotomask_canvas,
) -> rotomask_status {
    // SAFETY: the contract above.
    unsafe { write_mask(session, object, Wanted::Coverage, canvas) }
}

/// Writes which pixels are the object's, of the session's size: GRAY8 0 or 255, or GRAY_F32 0 or 1.
///
/// Returns as `rotomask_session_logits`. [one thread at a time]
///
/// # Safety
/// As `rotomask_session_logits`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rotomask_session_binary(
    session: *const rotomask_session,
    object: u32,
    canvas: *const rotomask_canvas,
) -> rotomask_status {
    // SAFETY: the contract above.
    unsafe { write_mask(session, object, Wanted::Binary, canvas) }
}
