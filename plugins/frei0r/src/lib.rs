//! The frei0r effect "rotomask": mattes of a session, finished into the picture that passes.
//!
//! frei0r 1.2 has neither buttons nor errors, so that this effect mostly reads what was tracked elsewhere. Hosts disagree on
//! what time is: see [`clock`]. Everything is set by strings, because frei0r's numbers go from 0 to 1.

#[cfg(panic = "abort")]
compile_error!("no panic may cross into a host: build the plugin with panic = \"unwind\"");

mod abi;
mod clock;
mod params;
mod instance;
mod causal;
mod log;

use std::ffi::{CStr, c_char, c_int, c_uint, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::sync::{Mutex, PoisonError};

use abi::*;
use instance::Instance;
use params::PARAMS;

/// What a host's handle points to.
type Held = Mutex<Instance>;

/// Runs an export's work; a panic gives what is given instead.
fn guard<T>(instead: T, work: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or(instead)
}

/// # Safety
/// `instance` is null or from [`f0r_construct`] and not destructed.
unsafe fn with<T>(instance: *mut c_void, instead: T, work: impl FnOnce(&mut Instance) -> T) -> T {
    // SAFETY: the contract above.
    let Some(held) = (unsafe { instance.cast::<Held>().as_ref() }) else { return instead };
    work(&mut held.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Called once before anything else.
#[unsafe(no_mangle)]
pub extern "C" fn f0r_init() -> c_int {
    1
}

/// Called once after everything else.
#[unsafe(no_mangle)]
pub extern "C" fn f0r_deinit() {}

/// Says what the effect is.
///
/// # Safety
/// `info` is null or valid for writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn f0r_get_plugin_info(info: *mut f0r_plugin_info_t) {
    if info.is_null() {
        return;
    }
    // SAFETY: not null, and the contract above.
    unsafe {
        info.write(f0r_plugin_info_t {
            name: c"rotomask".as_ptr(),
            author: c"rotomask".as_ptr(),
            plugin_type: F0R_PLUGIN_TYPE_FILTER,
            color_model: F0R_COLOR_MODEL_RGBA8888,
            frei0r_version: FREI0R_MAJOR_VERSION,
            major_version: 0,
            minor_version: 1,
            num_params: PARAMS.len() as c_int,
            explanation: c"Rotoscoping: mattes of a session, finished into the picture".as_ptr(),
        });
    }
}

/// Says what a parameter is.
///
/// # Safety
/// `info` is null or valid for writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn f0r_get_param_info(info: *mut f0r_param_info_t, index: c_int) {
    let param = usize::try_from(index).ok().and_then(|at| PARAMS.get(at));
    if let (false, Some(param)) = (info.is_null(), param) {
        let (name, explanation) = (param.name.as_ptr(), param.explanation.as_ptr());
        // SAFETY: not null, and the contract above.
        unsafe { info.write(f0r_param_info_t { name, r#type: F0R_PARAM_STRING, explanation }) };
    }
}

/// Makes an instance for frames of a size. Costs nothing: hosts make more than they use.
#[unsafe(no_mangle)]
pub extern "C" fn f0r_construct(width: c_uint, height: c_uint) -> *mut c_void {
    guard(ptr::null_mut(), || match Instance::new(width, height) {
        Ok(instance) => Box::into_raw(Box::new(Mutex::new(instance))).cast(),
        Err(problem) => {
            log::say(&problem.to_string());
            ptr::null_mut()
        }
    })
}

/// Takes an instance back.
///
/// # Safety
/// `instance` is null or from [`f0r_construct`], and not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn f0r_destruct(instance: *mut c_void) {
    if !instance.is_null() {
        // SAFETY: the contract above.
        guard((), || drop(unsafe { Box::from_raw(instance.cast::<Held>()) }));
    }
}

/// Sets a parameter from a string.
///
/// # Safety
/// `instance` is null or an instance; `value` is null or points to a pointer to a NUL-terminated string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn f0r_set_param_value(instance: *mut c_void, value: *const c_void, index: c_int) {
    guard((), || {
        // SAFETY: the contract above.
        let Some(&text) = (unsafe { value.cast::<*const c_char>().as_ref() }) else { return };
        let (Ok(index), false) = (usize::try_from(index), text.is_null()) else { return };
        // SAFETY: not null, and the contract above.
        let text = unsafe { CStr::from_ptr(text) };
        // SAFETY: the contract above.
        unsafe { with(instance, (), |instance| instance.set(index, text)) };
    });
}

/// Gives a parameter's string, which stays valid until it is set again.
///
/// # Safety
/// `instance` is null or an instance; `value` is null or points to where a pointer to a string can be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn f0r_get_param_value(instance: *mut c_void, value: *mut c_void, index: c_int) {
    guard((), || {
        let (Ok(index), false) = (usize::try_from(index), value.is_null()) else { return };
        // SAFETY: the contract above.
        let text = unsafe { with(instance, None, |instance| instance.get(index).map(CStr::as_ptr)) };
        if let Some(text) = text {
            // SAFETY: not null, and the contract above.
            unsafe { value.cast::<*const c_char>().write(text) };
        }
    });
}

/// Finishes a frame.
///
/// # Safety
/// `instance` is null or an instance; both frames are null or have its width times its height pixels of four bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn f0r_update(instance: *mut c_void, time: f64, input: *const u32, output: *mut u32) {
    guard((), || {
        if input.is_null() || output.is_null() {
            return;
        }
        // SAFETY: the contract above.
        unsafe {
            with(instance, (), |instance| {
                let bytes = instance.frame_bytes();
                if ptr::eq(input, output.cast_const()) {
                    // No host should, and one that does must not be given two views of the same bytes.
                    let copy = std::slice::from_raw_parts(input.cast::<u8>(), bytes).to_vec();
                    instance.update(time, &copy, std::slice::from_raw_parts_mut(output.cast(), bytes));
                } else {
                    let input = std::slice::from_raw_parts(input.cast(), bytes);
                    instance.update(time, input, std::slice::from_raw_parts_mut(output.cast(), bytes));
                }
            });
        }
    });
}
