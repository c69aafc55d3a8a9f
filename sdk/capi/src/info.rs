//! What this library is and what it finds around it.

use std::ffi::{CStr, c_char};

use serde_json::json;

use crate::guard::guard;
use crate::status::{
    ROTOMASK_ABI_VERSION, ROTOMASK_VERSION_MAJOR, ROTOMASK_VERSION_MINOR, ROTOMASK_VERSION_PATCH,
    rotomask_status,
};
use crate::text::{copy_out, path};

const VERSION: &CStr = match CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
    Ok(version) => version,
    Err(_) => panic!("a version has no NUL"),
};

/// The ABI of the library that is loaded; compare it with `ROTOMASK_ABI_VERSION`. [any thread]
#[unsafe(no_mangle)]
pub extern "C" fn rotomask_abi_version() -> u32 {
    ROTOMASK_ABI_VERSION
}

/// The library's version, such as "0.1.0"; static. [any thread]
#[unsafe(no_mangle)]
pub extern "C" fn rotomask_version() -> *const c_char {
    VERSION.as_ptr()
}

/// Versions, ONNX Runtime with its execution providers, and GPU adapters, as JSON. What is missing is named in it
/// with the reason; that is no error.
///
/// `onnxruntime` is as in `rotomask_model_options`. `size` takes the bytes that `buffer` has and gives those that the
/// text takes, its NUL included; a null `buffer` asks for the size alone.
/// Returns ROTOMASK_OK, ROTOMASK_ERROR_NULL, ROTOMASK_ERROR_ARGUMENT, ROTOMASK_ERROR_BUFFER or ROTOMASK_ERROR_PANIC.
/// [any thread] [blocks]
///
/// # Safety
/// `onnxruntime` is null or a NUL-terminated string; `size` is null or valid; `buffer` is null or has `*size` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rotomask_info(
    onnxruntime: *const c_char,
    buffer: *mut c_char,
    size: *mut usize,
) -> rotomask_status {
    guard(|| {
        // SAFETY: the contract above.
        let onnxruntime = unsafe { path(onnxruntime, "onnxruntime") }?;
        let runtime = match engine::model::runtime::info(onnxruntime.as_deref()) {
            Ok(runtime) => json!(runtime),
            Err(error) => json!({ "error": error.to_string() }),
        };
        let adapters: Vec<_> = engine::matte::adapters().iter().map(crate::matte::device_json).collect();
        let info = json!({
            "version": format!("{ROTOMASK_VERSION_MAJOR}.{ROTOMASK_VERSION_MINOR}.{ROTOMASK_VERSION_PATCH}"),
            "abi_version": ROTOMASK_ABI_VERSION,
            "onnxruntime": runtime,
            "adapters": adapters,
        });
        // SAFETY: the contract above.
        unsafe { copy_out(&info.to_string(), buffer, size) }
    })
}
