//! A model across the boundary.

use std::ffi::c_char;
use std::path::PathBuf;
use std::sync::Arc;

use engine::model::{Model, ModelOptions, Provider};
use serde_json::json;

use crate::guard::{borrow, guard, hand_over, take_back};
use crate::sized::{Sized32, init, taken_or_fresh};
use crate::status::{Failure, rotomask_status};
use crate::text::{copy_out, path, text};
use crate::types::rotomask_model_options;

/// A loaded model. Sessions keep what they need of it: it may be closed before them.
pub struct rotomask_model {
    pub(crate) model: Arc<Model>,
}

// SAFETY: it is `repr(C)`, begins with its size, and has only numbers and pointers after it.
unsafe impl Sized32 for rotomask_model_options {
    const NAME: &'static str = "rotomask_model_options";
    fn fresh() -> Self {
        Self {
            struct_size: size_of::<Self>() as u32,
            threads: 0,
            onnxruntime: std::ptr::null(),
            providers: std::ptr::null(),
            device: 0,
            deterministic: 0,
            device_memory_bytes: 0,
        }
    }
}

/// Fills in the options that nobody has to think about.
/// `size` is `sizeof(rotomask_model_options)`; `options` is null or the caller's. [any thread]
///
/// # Safety
/// `options` is null or valid for writes of `size` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rotomask_model_options_init(options: *mut rotomask_model_options, size: usize) {
    // SAFETY: the contract above.
    unsafe { init(options, size) };
}

/// Opens a model package, checks it and loads its graphs with the first of the providers that can compute them.
/// `rotomask_model_describe` tells which one it is, and why none of those before it.
///
/// `folder` is a NAME.rotomodel folder, UTF-8; null for the model that is part of the library. `options` may be null.
/// On success `*model` is the caller's, to be closed with `rotomask_model_close`; on failure it is untouched.
/// Returns ROTOMASK_OK, ROTOMASK_ERROR_NULL, ROTOMASK_ERROR_ARGUMENT, ROTOMASK_ERROR_MODEL, ROTOMASK_ERROR_RUNTIME or
/// ROTOMASK_ERROR_PANIC. [any thread] [blocks]
///
/// # Safety
/// Each pointer is null or valid; strings end with NUL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rotomask_model_open(
    folder: *const c_char,
    options: *const rotomask_model_options,
    model: *mut *mut rotomask_model,
) -> rotomask_status {
    let open = || {
        // SAFETY: the contract above.
        let folder = unsafe { path(folder, "folder") }?;
        // SAFETY: the contract above.
        unsafe { opened(folder, &taken_or_fresh(options)?) }
    };
    // SAFETY: the contract above.
    guard(|| unsafe { hand_over(model, "model", open) })
}

/// # Safety
/// The strings of `options` are null or NUL-terminated.
pub(crate) unsafe fn opened(
    folder: Option<PathBuf>,
    options: &rotomask_model_options,
) -> Result<rotomask_model, Failure> {
    let providers = match options.providers.is_null() {
        true => "",
        // SAFETY: the caller's promise.
        false => unsafe { text(options.providers, "providers") }?,
    };
    let wanted = ModelOptions {
        folder,
        threads: options.threads as usize,
        // SAFETY: the caller's promise.
        onnxruntime: unsafe { path(options.onnxruntime, "onnxruntime") }?,
        providers: Provider::list(providers)?,
        device: options.device,
        deterministic: options.deterministic != 0,
        device_memory_bytes: usize::try_from(options.device_memory_bytes).unwrap_or(usize::MAX),
    };
    Ok(rotomask_model { model: Arc::new(Model::open(&wanted)?) })
}

/// Name, version, licence, provenance and sizes of a model, what was given up for speed, and who computes it, as
/// JSON.
///
/// `buffer` and `size` are as in `rotomask_info`.
/// Returns ROTOMASK_OK, ROTOMASK_ERROR_NULL, ROTOMASK_ERROR_BUFFER or ROTOMASK_ERROR_PANIC. [any thread]
///
/// # Safety
/// `model` is null or open; `size` is null or valid; `buffer` is null or has `*size` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rotomask_model_describe(
    model: *const rotomask_model,
    buffer: *mut c_char,
    size: *mut usize,
) -> rotomask_status {
    guard(|| {
        // SAFETY: the contract above.
        let model = &unsafe { borrow(model, "model") }?.model;
        let m = model.manifest();
        let text = json!({
            "name": m.name, "family": m.family, "version": m.version, "licence": m.licence,
            "provenance": m.provenance, "input_size": m.input.size, "mask_stride": m.mask_stride,
            "channels": m.channels, "memory_channels": m.memory_channels, "carried_channels": m.carried_channels,
            "memory_slots": m.memory_slots,
            "pointers": m.pointers, "memory_tokens": m.memory_tokens, "variant": m.variant,
            "approximations": m.approximations, "provider": model.provider_report(),
        });
        // SAFETY: the contract above.
        unsafe { copy_out(&text.to_string(), buffer, size) }
    })
}

/// Closes a model. Null does nothing. [any thread]
///
/// # Safety
/// `model` is null or open, and not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rotomask_model_close(model: *mut rotomask_model) {
    // SAFETY: the contract above.
    unsafe { take_back(model) };
}

impl rotomask_model {
    /// # Safety
    /// `model` is null or open.
    pub(crate) unsafe fn shared(model: *const Self) -> Result<Arc<Model>, Failure> {
        // SAFETY: the caller's promise.
        Ok(Arc::clone(&unsafe { borrow(model, "model") }?.model))
    }
}
