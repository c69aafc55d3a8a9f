//! Animated splines of an object's coverage, across the boundary: frames in, a file's text out.
//!
//! Draft: these functions may still change in any release.

use std::ffi::c_char;

use engine::frame::{FrameView, Size};
use engine::spline::{Animation, Format, Settings, Splines};

use crate::frame::view;
use crate::guard::{Handle, Held, guard, hand_over, take_back, with};
use crate::sized::{Sized32, init, taken_or_fresh};
use crate::status::{Failure, ROTOMASK_ERROR_ARGUMENT, ROTOMASK_ERROR_STATE, rotomask_status};
use crate::text::copy_out;
use crate::types::rotomask_frame;

/// What a file of splines is for.
pub type rotomask_spline_format = u32;
/// A Nuke script with a Roto node, `.nk`. Written after its documentation, never loaded in Nuke.
pub const ROTOMASK_SPLINE_NUKE: u32 = 1;
/// A script for After Effects that makes masks, `.jsx`. Written after its documentation, never run in After Effects.
pub const ROTOMASK_SPLINE_AFTER_EFFECTS: u32 = 2;
/// A JSON array of MLT's `rotoscoping` filters, one a shape, `.mlt.json`.
pub const ROTOMASK_SPLINE_MLT_JSON: u32 = 3;
/// The same filters on a white clip, as an MLT document, `.mlt`.
pub const ROTOMASK_SPLINE_MLT: u32 = 4;
/// A matte that moves, white on black, `.svg`.
pub const ROTOMASK_SPLINE_SVG: u32 = 5;
/// All there is, as rotomask's own JSON, `.json`.
pub const ROTOMASK_SPLINE_JSON: u32 = 6;

/// How closely splines follow the matte.
#[repr(C)]
pub struct rotomask_spline_options {
    /// `sizeof(rotomask_spline_options)`
    pub struct_size: u32,
    /// 0.
    pub reserved: u32,
    /// How far a curve may be from its contour: root mean square along each piece, in pixels, 0.05 to 64; 0.75
    /// by default.
    pub tolerance_px: f64,
    /// How far a curve between two keyframes may be from the one that was fitted there, in pixels, 0 to 64; 0.5 by
    /// default.
    pub key_tolerance_px: f64,
    /// Contours that enclose less are left out, frame by frame, in square pixels, 0 to 1e9; 64 by default.
    pub min_area_px2: f64,
    /// For formats that count in seconds, 1 to 1000; 25 by default.
    pub frames_per_second: f64,
}

/// A shot whose coverage becomes splines. It is used by one thread at a time; others wait.
pub struct rotomask_spline {
    held: Held<Work>,
}

impl Handle for rotomask_spline {
    type Value = Work;
    const NAME: &'static str = "spline";
    fn held(&self) -> &Held<Work> {
        &self.held
    }
}

pub(crate) struct Work {
    stage: Stage,
    /// What was written by a call for the size alone, for the call that follows.
    text: Option<(rotomask_spline_format, String)>,
}

enum Stage {
    Adding(Box<Splines>),
    Done(Animation),
    /// Only within a call.
    Between,
}

impl Work {
    fn add(&mut self, frame: u64, coverage: FrameView<'_>) -> Result<(), Failure> {
        match &mut self.stage {
            Stage::Adding(splines) => Ok(splines.add(frame, coverage)?),
            _ => Err(Failure::new(ROTOMASK_ERROR_STATE, "spline: a frame was added after it was written")),
        }
    }

    /// Ends the shot, once.
    fn done(&mut self) -> Result<&Animation, Failure> {
        if let Stage::Adding(_) = self.stage
            && let Stage::Adding(splines) = std::mem::replace(&mut self.stage, Stage::Between)
        {
            self.stage = Stage::Done(splines.finish());
        }
        match &self.stage {
            Stage::Done(animation) => Ok(animation),
            _ => Err(Failure::new(ROTOMASK_ERROR_STATE, "spline: it was not made")),
        }
    }
}

// SAFETY: it is `repr(C)`, begins with its size, and has only numbers after it.
unsafe impl Sized32 for rotomask_spline_options {
    const NAME: &'static str = "rotomask_spline_options";
    fn fresh() -> Self {
        let Settings { tolerance_px, key_tolerance_px, min_area_px2, frames_per_second } =
            Settings::default();
        Self {
            struct_size: size_of::<Self>() as u32,
            reserved: 0,
            tolerance_px,
            key_tolerance_px,
            min_area_px2,
            frames_per_second,
        }
    }
}

/// Fills in the defaults.
/// `size` is `sizeof(rotomask_spline_options)`; `options` is null or the caller's. [any thread]
///
/// # Safety
/// `options` is null or valid for writes of `size` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rotomask_spline_options_init(options: *mut rotomask_spline_options, size: usize) {
    // SAFETY: the contract above.
    unsafe { init(options, size) };
}

/// Begins the splines of one object on a shot of frames of one size.
///
/// `options` may be null, for the defaults. On success `*spline` is the caller's, to be closed with
/// `rotomask_spline_close`; on failure it is untouched.
/// Returns ROTOMASK_OK, ROTOMASK_ERROR_NULL, ROTOMASK_ERROR_ARGUMENT for a setting outside its range,
/// ROTOMASK_ERROR_FRAME for a size that no frame has, or ROTOMASK_ERROR_PANIC. [any thread]
///
/// # Safety
/// `options` is null or valid; `spline` is null or valid for writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rotomask_spline_open(
    width_px: u32,
    height_px: u32,
    options: *const rotomask_spline_options,
    spline: *mut *mut rotomask_spline,
) -> rotomask_status {
    let open = || {
        let size = Size::new(width_px, height_px)?;
        // SAFETY: the contract above.
        let options = unsafe { taken_or_fresh(options) }?;
        let settings = Settings {
            tolerance_px: options.tolerance_px,
            key_tolerance_px: options.key_tolerance_px,
            min_area_px2: options.min_area_px2,
            frames_per_second: options.frames_per_second,
        };
        let stage = Stage::Adding(Box::new(Splines::new(size, settings)?));
        Ok(rotomask_spline { held: Held::new(Work { stage, text: None }) })
    };
    // SAFETY: the contract above.
    guard(|| unsafe { hand_over(spline, "spline", open) })
}

/// Closes splines. Null does nothing. [any thread]
///
/// # Safety
/// `spline` is null or open, and not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rotomask_spline_close(spline: *mut rotomask_spline) {
    // SAFETY: the contract above.
    unsafe { take_back(spline) };
}

/// Adds a frame's coverage. Frames come in rising order; one that is left out lies between its neighbours. A frame
/// without the object is added as well, as black.
///
/// `coverage` is borrowed for the call: one channel of any depth, of the shot's size; floats from 0 to 1. On failure
/// the frame was not added.
/// Returns ROTOMASK_OK, ROTOMASK_ERROR_NULL, ROTOMASK_ERROR_ARGUMENT, ROTOMASK_ERROR_FRAME (another size, colour, a
/// number that is none, noise without an object), ROTOMASK_ERROR_STATE for a frame that does not come after the last
/// one or after something was written, or ROTOMASK_ERROR_PANIC. [one thread at a time] [blocks]
///
/// # Safety
/// `spline` is null or open; `coverage` is null or valid, with all of its rows.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rotomask_spline_add(
    spline: *mut rotomask_spline,
    frame: u64,
    coverage: *const rotomask_frame,
) -> rotomask_status {
    // SAFETY: the contract above.
    let add = |work: &mut Work| work.add(frame, unsafe { view(coverage, "coverage") }?);
    // SAFETY: the contract above.
    unsafe { with(spline, add) }
}

/// How well the splines follow the contours, as JSON: `shapes`, `keys` (keyframes that were kept), `frames` (of all
/// shapes, summed), `points` and `vertices` (of curves and contours, summed over those), `rms_px` and `worst_px`
/// (distances of vertices from curves). Ends the shot: nothing is added from then on.
///
/// `buffer` and `size` are as in `rotomask_info`.
/// Returns ROTOMASK_OK, ROTOMASK_ERROR_NULL, ROTOMASK_ERROR_BUFFER or ROTOMASK_ERROR_PANIC. [one thread at a time]
/// [blocks]
///
/// # Safety
/// `spline` is null or open; `size` is null or valid; `buffer` is null or has `*size` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rotomask_spline_describe(
    spline: *mut rotomask_spline,
    buffer: *mut c_char,
    size: *mut usize,
) -> rotomask_status {
    let describe = |work: &mut Work| {
        let animation = work.done()?;
        let measured = &animation.measured;
        let told = serde_json::json!({
            "shapes": animation.shapes.len(),
            "keys": measured.keys,
            "frames": measured.frames,
            "points": measured.points,
            "vertices": measured.vertices,
            "rms_px": measured.rms_px(),
            "worst_px": measured.worst_px,
        });
        // SAFETY: the contract above.
        unsafe { copy_out(&told.to_string(), buffer, size) }
    };
    // SAFETY: the contract above.
    unsafe { with(spline, describe) }
}

/// The splines as a file's text, UTF-8. Ends the shot: nothing is added from then on. It may be called for several
/// formats.
///
/// `format` is a ROTOMASK_SPLINE_*. `buffer` and `size` are as in `rotomask_info`; the text that a call for the size
/// made is handed out by the next one.
/// Returns ROTOMASK_OK, ROTOMASK_ERROR_NULL, ROTOMASK_ERROR_ARGUMENT for an unknown format, ROTOMASK_ERROR_STATE (no
/// frame was added, a frame's number is above 2147483647, or a shape is more than the format can hold),
/// ROTOMASK_ERROR_BUFFER or ROTOMASK_ERROR_PANIC. [one thread at a time] [blocks]
///
/// # Safety
/// `spline` is null or open; `size` is null or valid; `buffer` is null or has `*size` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rotomask_spline_write(
    spline: *mut rotomask_spline,
    format: rotomask_spline_format,
    buffer: *mut c_char,
    size: *mut usize,
) -> rotomask_status {
    let write = |work: &mut Work| {
        let wanted = match format {
            ROTOMASK_SPLINE_NUKE => Format::Nuke,
            ROTOMASK_SPLINE_AFTER_EFFECTS => Format::AfterEffects,
            ROTOMASK_SPLINE_MLT_JSON => Format::MltJson,
            ROTOMASK_SPLINE_MLT => Format::Mlt,
            ROTOMASK_SPLINE_SVG => Format::Svg,
            ROTOMASK_SPLINE_JSON => Format::Json,
            other => {
                let message = format!("`format` is {other}, expected a ROTOMASK_SPLINE");
                return Err(Failure::new(ROTOMASK_ERROR_ARGUMENT, message));
            }
        };
        let text = match work.text.take() {
            Some((of, text)) if of == format => text,
            _ => work.done()?.write(wanted)?,
        };
        // SAFETY: the contract above.
        let done = unsafe { copy_out(&text, buffer, size) };
        if buffer.is_null() || done.is_err() {
            work.text = Some((format, text));
        }
        done
    };
    // SAFETY: the contract above.
    unsafe { with(spline, write) }
}
