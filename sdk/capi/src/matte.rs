//! The matte chain across the boundary.

use std::ffi::c_char;

use engine::matte::{Ceiling, DeviceInfo, Gpu, MatteChain};
use serde_json::json;

use crate::frame::view_mut;
use crate::guard::{Handle, Held, guard, hand_over, last_error_of, take_back, with};
use crate::matte_job::with_job;
use crate::sized::{Sized32, init, taken_or_fresh};
use crate::status::{Failure, rotomask_status};
use crate::text::{copy_out, text};
use crate::types::*;

/// A matte chain with its device. It is used by one thread at a time; others wait.
pub struct rotomask_matte {
    held: Held<MatteChain>,
}

impl Handle for rotomask_matte {
    type Value = MatteChain;
    const NAME: &'static str = "matte";
    fn held(&self) -> &Held<MatteChain> {
        &self.held
    }
}

pub(crate) fn device_json(device: &DeviceInfo) -> serde_json::Value {
    json!({ "name": device.name, "backend": device.backend, "kind": format!("{:?}", device.kind).to_lowercase() })
}

// SAFETY: it is `repr(C)`, begins with its size, and has only numbers and pointers after it.
unsafe impl Sized32 for rotomask_matte_options {
    const NAME: &'static str = "rotomask_matte_options";
    fn fresh() -> Self {
        Self {
            struct_size: size_of::<Self>() as u32,
            gpu: ROTOMASK_GPU_AUTO,
            host_memory_bytes: 0,
            device_memory_bytes: 0,
            adapter: std::ptr::null(),
        }
    }
}

/// Fills in the defaults.
/// `size` is `sizeof(rotomask_matte_options)`; `options` is null or the caller's. [any thread]
///
/// # Safety
/// `options` is null or valid for writes of `size` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rotomask_matte_options_init(options: *mut rotomask_matte_options, size: usize) {
    // SAFETY: the contract above.
    unsafe { init(options, size) };
}

/// Opens a matte chain.
///
/// `options` may be null, for the defaults. One device serves the whole process. An adapter that there is none of is an error
/// that names those that there are. With ROTOMASK_GPU_AUTO and no hardware
/// adapter the chain runs on the CPU, and one warning says so.
/// On success `*matte` is the caller's, to be closed with `rotomask_matte_close`; on failure it is untouched.
/// Returns ROTOMASK_OK, ROTOMASK_ERROR_NULL, ROTOMASK_ERROR_ARGUMENT, ROTOMASK_ERROR_DEVICE or ROTOMASK_ERROR_PANIC.
/// [any thread] [blocks]
///
/// # Safety
/// `options` is null or valid; `matte` is null or valid for writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rotomask_matte_open(
    options: *const rotomask_matte_options,
    matte: *mut *mut rotomask_matte,
) -> rotomask_status {
    let open = || {
        // SAFETY: the contract above.
        unsafe { opened(&taken_or_fresh(options)?) }
    };
    // SAFETY: the contract above.
    guard(|| unsafe { hand_over(matte, "matte", open) })
}

/// # Safety
/// The adapter's name is null or NUL-terminated.
pub(crate) unsafe fn opened(options: &rotomask_matte_options) -> Result<rotomask_matte, Failure> {
    let gpu = match options.gpu {
        ROTOMASK_GPU_AUTO => Gpu::Auto,
        ROTOMASK_GPU_OFF => Gpu::Off,
        ROTOMASK_GPU_SOFTWARE => Gpu::Software,
        // SAFETY: the caller's promise.
        ROTOMASK_GPU_ADAPTER => unsafe { text(options.adapter, "adapter") }?.parse()?,
        other => return Err(unknown("gpu", other, "ROTOMASK_GPU")),
    };
    let default = Ceiling::default();
    let given = |bytes: u64, or: u64| if bytes == 0 { or } else { bytes };
    let ceiling = Ceiling {
        host_bytes: given(options.host_memory_bytes, default.host_bytes),
        device_bytes: given(options.device_memory_bytes, default.device_bytes),
    };
    Ok(rotomask_matte { held: Held::new(MatteChain::open_within(gpu, ceiling)?) })
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

/// The sentence of the last call on the chain that failed, whichever thread made it; "" if none has.
///
/// `buffer` and `size` are as in `rotomask_info`.
/// Returns ROTOMASK_OK, ROTOMASK_ERROR_NULL, ROTOMASK_ERROR_BUFFER or ROTOMASK_ERROR_PANIC. [any thread, also while
/// another uses it]
///
/// # Safety
/// `matte` is null or open; `size` is null or valid; `buffer` is null or has `*size` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rotomask_matte_last_error(
    matte: *const rotomask_matte,
    buffer: *mut c_char,
    size: *mut usize,
) -> rotomask_status {
    // SAFETY: the contract above.
    unsafe { last_error_of(matte, buffer, size) }
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
    let describe = |chain: &mut MatteChain| {
        // SAFETY: the contract above.
        unsafe { copy_out(&device_json(chain.device()).to_string(), buffer, size) }
    };
    // SAFETY: the contract above.
    unsafe { with(matte, describe) }
}

/// Finishes one frame, or the job's window of it.
///
/// `job` is as `rotomask_matte_job_init` begins it; its `plate` must be given. `result` has the window's size, or the
/// plate's: colour of the plate's depth, or for the view "matte" any format. It is the caller's memory, untouched on
/// error. Compositing happens in linear light; pixels that nothing changes keep their bits.
/// Returns ROTOMASK_OK, ROTOMASK_ERROR_NULL, ROTOMASK_ERROR_ARGUMENT also for a ceiling on memory below what the frame
/// takes, ROTOMASK_ERROR_FRAME for pixels that don't fit together or a window outside the plate, or ROTOMASK_ERROR_PANIC.
/// A GPU that fails is no error: the CPU takes over, and one warning says so. [one thread at a time] [blocks]
///
/// # Safety
/// `matte` is null or open; the others are null or valid, with all that they point to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rotomask_matte_render(
    matte: *mut rotomask_matte,
    job: *const rotomask_matte_job,
    result: *const rotomask_canvas,
) -> rotomask_status {
    let render = |chain: &mut MatteChain| {
        // SAFETY: the contract above.
        unsafe { with_job(job, |job| Ok(chain.render(job, view_mut(result, "result")?)?)) }
    };
    // SAFETY: the contract above.
    unsafe { with(matte, render) }
}
