//! The matte chain across the boundary.

use std::ffi::c_char;

use engine::frame::{FrameView, PixelFormat};
use engine::matte::{
    Alpha, Background, DeviceInfo, Gpu, Layer, Logits, Mask, MatteChain, MatteJob, MatteSettings, View,
};
use serde_json::json;

use crate::frame::{view, view_mut};
use crate::guard::{Held, borrow, guard, guard_void, hand_over, take_back};
use crate::status::{Failure, ROTOMASK_ERROR_ARGUMENT, ROTOMASK_ERROR_FRAME, rotomask_status};
use crate::text::copy_out;
use crate::types::*;

/// A matte chain with its device. It is used by one thread at a time; others wait.
pub struct rotomask_matte {
    held: Held<MatteChain>,
}

pub(crate) fn device_json(device: &DeviceInfo) -> serde_json::Value {
    json!({ "name": device.name, "backend": device.backend, "kind": format!("{:?}", device.kind).to_lowercase() })
}

/// Fills in the defaults. `options` is null or the caller's. [any thread]
///
/// # Safety
/// `options` is null or valid for writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rotomask_matte_options_init(options: *mut rotomask_matte_options) {
    guard_void(|| {
        let defaults = MatteSettings::default();
        let fresh = rotomask_matte_options {
            struct_size: size_of::<rotomask_matte_options>() as u32,
            view: ROTOMASK_VIEW_COMPOSITE,
            background: ROTOMASK_BACKGROUND_COLOUR,
            alpha: ROTOMASK_ALPHA_STRAIGHT,
            grow_px: defaults.grow_px,
            feather_px: defaults.feather_inner_px,
            background_blur_px: defaults.background_blur_px,
            background_colour: defaults.background_colour,
            overlay_colour: defaults.overlay_colour,
        };
        if !options.is_null() {
            // SAFETY: not null, and the contract above.
            unsafe { options.write(fresh) };
        }
    });
}

/// Opens a matte chain.
///
/// `gpu` is a `ROTOMASK_GPU_*`. One device serves the whole process. With ROTOMASK_GPU_AUTO and no hardware adapter the
/// chain runs on the CPU, and one warning says so.
/// On success `*matte` is the caller's, to be closed with `rotomask_matte_close`; on failure it is untouched.
/// Returns ROTOMASK_OK, ROTOMASK_ERROR_NULL, ROTOMASK_ERROR_ARGUMENT, ROTOMASK_ERROR_DEVICE or ROTOMASK_ERROR_PANIC.
/// [any thread] [blocks]
///
/// # Safety
/// `matte` is null or valid for writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rotomask_matte_open(
    gpu: rotomask_gpu,
    matte: *mut *mut rotomask_matte,
) -> rotomask_status {
    let open = || {
        let gpu = match gpu {
            ROTOMASK_GPU_AUTO => Gpu::Auto,
            ROTOMASK_GPU_OFF => Gpu::Off,
            ROTOMASK_GPU_SOFTWARE => Gpu::Software,
            other => return Err(unknown("gpu", other, "ROTOMASK_GPU")),
        };
        Ok(rotomask_matte { held: Held::new(MatteChain::open(gpu)?) })
    };
    // SAFETY: the contract above.
    guard(|| unsafe { hand_over(matte, "matte", open) })
}

/// Closes a matte chain. Null does nothing. [any thread]
///
/// # Safety
/// `matte` is null or open, and not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rotomask_matte_close(matte: *mut rotomask_matte) {
    // SAFETY: the contract above.
    unsafe { take_back(matte) };
}

/// What the chain runs on, as JSON: name, backend, kind.
///
/// `buffer` and `size` are as in `rotomask_info`.
/// Returns ROTOMASK_OK, ROTOMASK_ERROR_NULL, ROTOMASK_ERROR_BUFFER or ROTOMASK_ERROR_PANIC. [one thread at a time]
///
/// # Safety
/// `matte` is null or open; `size` is null or valid; `buffer` is null or has `*size` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rotomask_matte_describe(
    matte: *const rotomask_matte,
    buffer: *mut c_char,
    size: *mut usize,
) -> rotomask_status {
    guard(|| {
        // SAFETY: the contract above.
        let text = device_json(unsafe { borrow(matte, "matte") }?.held.get()?.device()).to_string();
        // SAFETY: the contract above.
        unsafe { copy_out(&text, buffer, size) }
    })
}

/// Finishes a matte and shows it: logits to coverage at the plate's size, grow or shrink, feather, view.
///
/// `plate` is RGBA8, BGRA8 or RGB8. `logits` is GRAY_F32 of any size and covers the plate's whole area, such as
/// `rotomask_session_logits` gives. `background` may be null unless the options ask for a picture; it has the plate's size.
/// `result` has the plate's size: RGBA8 or BGRA8, or for ROTOMASK_VIEW_MATTE also GRAY8 or GRAY_F32. It is the caller's
/// memory, untouched on error. Compositing happens in linear light.
/// Returns ROTOMASK_OK, ROTOMASK_ERROR_NULL, ROTOMASK_ERROR_ARGUMENT, ROTOMASK_ERROR_FRAME, ROTOMASK_ERROR_DEVICE or
/// ROTOMASK_ERROR_PANIC. [one thread at a time] [blocks]
///
/// # Safety
/// `matte` is null or open; the others are null or valid, with all of their rows.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rotomask_matte_render(
    matte: *mut rotomask_matte,
    plate: *const rotomask_frame,
    logits: *const rotomask_frame,
    background: *const rotomask_frame,
    options: *const rotomask_matte_options,
    result: *const rotomask_canvas,
) -> rotomask_status {
    guard(|| {
        // SAFETY: the contract above.
        let matte = unsafe { borrow(matte, "matte") }?;
        // SAFETY: the contract above.
        let settings = settings(unsafe { borrow(options, "options") }?)?;
        // SAFETY: the contract above.
        let plate = unsafe { view(plate, "plate") }?;
        // SAFETY: the contract above.
        let logits = unsafe { view(logits, "logits") }?;
        let picture = match background.is_null() {
            true => None,
            // SAFETY: the contract above.
            false => Some(unsafe { view(background, "background") }?),
        };
        // SAFETY: the contract above.
        let result = unsafe { view_mut(result, "result") }?;
        let values = packed(logits)?;
        let logits = Logits::new(logits.size(), &values)?;
        let layers = [Layer::new(Mask::Logits(logits))];
        let job = MatteJob { picture, ..MatteJob::new(plate, &layers, &settings) };
        Ok(matte.held.get()?.render(&job, result)?)
    })
}

fn settings(options: &rotomask_matte_options) -> Result<MatteSettings, Failure> {
    check_size(options)?;
    let view = match options.view {
        ROTOMASK_VIEW_COMPOSITE => View::Composite,
        ROTOMASK_VIEW_MATTE => View::Matte,
        ROTOMASK_VIEW_OVERLAY => View::Overlay,
        ROTOMASK_VIEW_CUTOUT => View::Cutout,
        other => return Err(unknown("view", other, "ROTOMASK_VIEW")),
    };
    let background = match options.background {
        ROTOMASK_BACKGROUND_COLOUR => Background::Colour,
        ROTOMASK_BACKGROUND_BLUR => Background::BlurredPlate,
        ROTOMASK_BACKGROUND_PICTURE => Background::Picture,
        other => return Err(unknown("background", other, "ROTOMASK_BACKGROUND")),
    };
    let alpha = match options.alpha {
        ROTOMASK_ALPHA_STRAIGHT => Alpha::Straight,
        ROTOMASK_ALPHA_PREMULTIPLIED => Alpha::Premultiplied,
        other => return Err(unknown("alpha", other, "ROTOMASK_ALPHA")),
    };
    Ok(MatteSettings {
        view,
        background,
        alpha,
        grow_px: options.grow_px,
        feather_inner_px: options.feather_px,
        feather_outer_px: options.feather_px,
        background_blur_px: options.background_blur_px,
        background_colour: options.background_colour,
        overlay_colour: options.overlay_colour,
        ..MatteSettings::default()
    })
}

fn unknown(name: &str, found: u32, want: &str) -> Failure {
    Failure::new(ROTOMASK_ERROR_ARGUMENT, format!("`{name}` is {found}, expected a {want}"))
}

/// The plane's rows without gaps.
fn packed(plane: FrameView<'_>) -> Result<Vec<f32>, Failure> {
    if plane.format() != PixelFormat::GrayF32 {
        let message = format!("frame: the logits have the format {:?}, expected GrayF32", plane.format());
        return Err(Failure::new(ROTOMASK_ERROR_FRAME, message));
    }
    let rows = (0..plane.size().height()).flat_map(|y| plane.row(y).chunks_exact(4));
    Ok(rows.map(|b| f32::from_ne_bytes([b[0], b[1], b[2], b[3]])).collect())
}
