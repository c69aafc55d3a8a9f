//! Options as strings, by name: what is added later needs no new struct, and a host can take them from its own settings.

use std::ffi::c_char;

use engine::frame::Size;

use crate::guard::{Handle, Held, guard, hand_over, take_back, with};
use crate::image::{self, rotomask_image};
use crate::knobs::{Chosen, table};
use crate::matte::{self, rotomask_matte};
use crate::model::{self, rotomask_model};
use crate::session::{self, rotomask_session};
use crate::status::rotomask_status;
use crate::text::{copy_out, path, text};

/// Options by name, for everything that is opened. It is used by one thread at a time; others wait.
pub struct rotomask_options {
    held: Held<Chosen>,
}

impl Handle for rotomask_options {
    type Value = Chosen;
    const NAME: &'static str = "options";
    fn held(&self) -> &Held<Chosen> {
        &self.held
    }
}

/// The table of options as JSON: an array of objects with `name`, `of` (what is opened with it: model, session, image or
/// matte), `takes`, `default` and `help`.
///
/// `buffer` and `size` are as in `rotomask_info`.
/// Returns ROTOMASK_OK, ROTOMASK_ERROR_NULL, ROTOMASK_ERROR_BUFFER or ROTOMASK_ERROR_PANIC. [any thread]
///
/// # Safety
/// `size` is null or valid; `buffer` is null or has `*size` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rotomask_options_table(buffer: *mut c_char, size: *mut usize) -> rotomask_status {
    // SAFETY: the contract above.
    guard(|| unsafe { copy_out(&table().to_string(), buffer, size) })
}

/// Makes options, each with its default.
///
/// On success `*options` is the caller's, to be closed with `rotomask_options_close`; on failure it is untouched.
/// Returns ROTOMASK_OK, ROTOMASK_ERROR_NULL or ROTOMASK_ERROR_PANIC. [any thread]
///
/// # Safety
/// `options` is null or valid for writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rotomask_options_open(options: *mut *mut rotomask_options) -> rotomask_status {
    let open = || Ok(rotomask_options { held: Held::new(Chosen::new()) });
    // SAFETY: the contract above.
    guard(|| unsafe { hand_over(options, "options", open) })
}

/// Closes options. What was opened with them stays open. Null does nothing. [any thread]
///
/// # Safety
/// `options` is null or open, and not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rotomask_options_close(options: *mut rotomask_options) {
    // SAFETY: the contract above.
    unsafe { take_back(options) };
}

/// Sets an option, such as "provider" to "cuda,cpu". It counts for what is opened afterwards.
///
/// `name` is one of the table's, `value` what it takes; both are borrowed for the call. On failure nothing is changed.
/// Returns ROTOMASK_OK, ROTOMASK_ERROR_NULL, ROTOMASK_ERROR_ARGUMENT for an unknown name, with those that there are, or a
/// value that the option doesn't take, or ROTOMASK_ERROR_PANIC. [one thread at a time]
///
/// # Safety
/// `options` is null or open; `name` and `value` are null or NUL-terminated strings.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rotomask_option_set(
    options: *mut rotomask_options,
    name: *const c_char,
    value: *const c_char,
) -> rotomask_status {
    // SAFETY: the contract above.
    let set = |chosen: &mut Chosen| unsafe { chosen.set(text(name, "name")?, text(value, "value")?) };
    // SAFETY: the contract above.
    unsafe { with(options, set) }
}

/// An option's value, as `rotomask_option_set` takes it.
///
/// `buffer` and `size` are as in `rotomask_info`.
/// Returns ROTOMASK_OK, ROTOMASK_ERROR_NULL, ROTOMASK_ERROR_ARGUMENT for an unknown name, ROTOMASK_ERROR_BUFFER or
/// ROTOMASK_ERROR_PANIC. [one thread at a time]
///
/// # Safety
/// `options` is null or open; `name` is null or a NUL-terminated string; `size` is null or valid; `buffer` is null or
/// has `*size` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rotomask_option_get(
    options: *const rotomask_options,
    name: *const c_char,
    buffer: *mut c_char,
    size: *mut usize,
) -> rotomask_status {
    // SAFETY: the contract above.
    let get = |chosen: &mut Chosen| unsafe { copy_out(&chosen.get(text(name, "name")?)?, buffer, size) };
    // SAFETY: the contract above.
    unsafe { with(options, get) }
}

/// As `rotomask_model_open`, with options by name. They are borrowed for the call.
///
/// On success `*model` is the caller's, to be closed with `rotomask_model_close`; on failure it is untouched.
/// Returns as `rotomask_model_open`. [any thread] [blocks]
///
/// # Safety
/// `folder` is null or a NUL-terminated string; `options` is null or open; `model` is null or valid for writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rotomask_model_open_options(
    folder: *const c_char,
    options: *const rotomask_options,
    model: *mut *mut rotomask_model,
) -> rotomask_status {
    let open = |chosen: &mut Chosen| {
        let wanted = chosen.model();
        // SAFETY: the contract above; the strings live as long as `chosen`.
        unsafe { hand_over(model, "model", || model::opened(path(folder, "folder")?, &wanted)) }
    };
    // SAFETY: the contract above.
    unsafe { with(options, open) }
}

/// As `rotomask_session_open_with`, with options by name. They are borrowed for the call.
///
/// On success `*session` is the caller's, to be closed with `rotomask_session_close`; on failure it is untouched.
/// Returns as `rotomask_session_open_with`. [any thread] [blocks]
///
/// # Safety
/// `model` is null or open, and so is `options`; `session` is null or valid for writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rotomask_session_open_options(
    model: *const rotomask_model,
    width_px: u32,
    height_px: u32,
    options: *const rotomask_options,
    session: *mut *mut rotomask_session,
) -> rotomask_status {
    let open = |chosen: &mut Chosen| {
        let wanted = chosen.session();
        // SAFETY: the contract above; the path lives as long as `chosen`.
        unsafe {
            hand_over(session, "session", || {
                let (model, size) = (rotomask_model::shared(model)?, Size::new(width_px, height_px)?);
                session::opened(model, size, &wanted, chosen.encode_ahead())
            })
        }
    };
    // SAFETY: the contract above.
    unsafe { with(options, open) }
}

/// As `rotomask_image_open`, with options by name. They are borrowed for the call.
///
/// On success `*image` is the caller's, to be closed with `rotomask_image_close`; on failure it is untouched.
/// Returns as `rotomask_image_open`. [any thread]
///
/// # Safety
/// `model` is null or open, and so is `options`; `image` is null or valid for writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rotomask_image_open_options(
    model: *const rotomask_model,
    options: *const rotomask_options,
    image: *mut *mut rotomask_image,
) -> rotomask_status {
    // SAFETY: the contract above.
    let open = |chosen: &mut Chosen| unsafe {
        hand_over(image, "image", || image::opened(rotomask_model::shared(model)?, &chosen.image))
    };
    // SAFETY: the contract above.
    unsafe { with(options, open) }
}

/// As `rotomask_matte_open`, with options by name. They are borrowed for the call.
///
/// On success `*matte` is the caller's, to be closed with `rotomask_matte_close`; on failure it is untouched.
/// Returns as `rotomask_matte_open`. [any thread] [blocks]
///
/// # Safety
/// `options` is null or open; `matte` is null or valid for writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rotomask_matte_open_options(
    options: *const rotomask_options,
    matte: *mut *mut rotomask_matte,
) -> rotomask_status {
    let open = |chosen: &mut Chosen| {
        let wanted = chosen.matte();
        // SAFETY: the contract above; the name lives as long as `chosen`.
        unsafe { hand_over(matte, "matte", || matte::opened(&wanted)) }
    };
    // SAFETY: the contract above.
    unsafe { with(options, open) }
}
