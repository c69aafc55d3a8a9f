//! How mattes are finished: parameters by id, with keyframes, as presets have them.

use std::ffi::c_char;

use engine::matte::{MatteSettings, PARAMS, Preset};

use crate::guard::{Handle, Held, guard, hand_over, take_back, with};
use crate::status::rotomask_status;
use crate::text::{copy_out, text};

/// How mattes are finished and shown, frame by frame. It is used by one thread at a time; others wait.
pub struct rotomask_matte_settings {
    held: Held<Preset>,
}

impl Handle for rotomask_matte_settings {
    type Value = Preset;
    const NAME: &'static str = "settings";
    fn held(&self) -> &Held<Preset> {
        &self.held
    }
}

impl rotomask_matte_settings {
    /// What they come to on a frame.
    pub(crate) fn at(&self, frame: u64) -> Result<MatteSettings, crate::status::Failure> {
        Ok(self.held.get()?.at(frame))
    }
}

/// The table of parameters as JSON, in the order in which an artist meets them: an array of objects with `id`, `label`,
/// `group`, `help`, `kind` (number, switch, colour or choice) and `default`, a number's `unit`, `least` and `most`, a
/// choice's `choices`.
///
/// `buffer` and `size` are as in `rotomask_info`.
/// Returns ROTOMASK_OK, ROTOMASK_ERROR_NULL, ROTOMASK_ERROR_BUFFER or ROTOMASK_ERROR_PANIC. [any thread]
///
/// # Safety
/// `size` is null or valid; `buffer` is null or has `*size` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rotomask_matte_parameters(buffer: *mut c_char, size: *mut usize) -> rotomask_status {
    guard(|| {
        let table: Vec<_> = PARAMS.iter().map(|param| param.describe()).collect();
        // SAFETY: the contract above.
        unsafe { copy_out(&serde_json::Value::Array(table).to_string(), buffer, size) }
    })
}

/// Makes settings, of a preset or with every parameter's default.
///
/// `preset` is null, or a preset's text, JSON: parameters by id, each a value or an object of values by frame, as in
/// `{"rotomask_preset": 1, "view": "matte", "grow_px": {"0": 0, "48": 2.5}}`. It is borrowed for the call.
/// On success `*settings` is the caller's, to be closed with `rotomask_matte_settings_close`; on failure it is
/// untouched.
/// Returns ROTOMASK_OK, ROTOMASK_ERROR_NULL, ROTOMASK_ERROR_ARGUMENT for a preset that is no JSON, has an unknown
/// parameter or a value outside its range, or ROTOMASK_ERROR_PANIC. [any thread]
///
/// # Safety
/// `preset` is null or a NUL-terminated string; `settings` is null or valid for writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rotomask_matte_settings_open(
    preset: *const c_char,
    settings: *mut *mut rotomask_matte_settings,
) -> rotomask_status {
    let open = || {
        let preset = match preset.is_null() {
            true => Preset::default(),
            // SAFETY: the contract above.
            false => Preset::parse(unsafe { text(preset, "preset") }?)?,
        };
        Ok(rotomask_matte_settings { held: Held::new(preset) })
    };
    // SAFETY: the contract above.
    guard(|| unsafe { hand_over(settings, "settings", open) })
}

/// Closes settings. Null does nothing. [any thread]
///
/// # Safety
/// `settings` is null or open, and not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rotomask_matte_settings_close(settings: *mut rotomask_matte_settings) {
    // SAFETY: the contract above.
    unsafe { take_back(settings) };
}

/// Sets a parameter for all frames; its keyframes are dropped.
///
/// `id` is one of the table's. `value` is a number, `on` or `off`, a choice's id, or a colour as `#rrggbb`, `#rrggbbaa`
/// or three or four numbers from 0 to 1 with commas. Both are borrowed for the call. On failure nothing is changed.
/// Returns ROTOMASK_OK, ROTOMASK_ERROR_NULL, ROTOMASK_ERROR_ARGUMENT for an unknown id, or a value that is none of the
/// parameter's, not a number, or outside its range, or ROTOMASK_ERROR_PANIC. [one thread at a time]
///
/// # Safety
/// `settings` is null or open; `id` and `value` are null or NUL-terminated strings.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rotomask_matte_settings_set(
    settings: *mut rotomask_matte_settings,
    id: *const c_char,
    value: *const c_char,
) -> rotomask_status {
    let set = |preset: &mut Preset| {
        // SAFETY: the contract above.
        let (id, value) = unsafe { (text(id, "id")?, text(value, "value")?) };
        Ok(preset.set(id, value)?)
    };
    // SAFETY: the contract above.
    unsafe { with(settings, set) }
}

/// Sets a parameter's keyframe. Between keyframes numbers and colours move evenly, everything else holds; before the
/// first and after the last, those count.
///
/// Returns as `rotomask_matte_settings_set`, which says what it takes. [one thread at a time]
///
/// # Safety
/// `settings` is null or open; `id` and `value` are null or NUL-terminated strings.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rotomask_matte_settings_set_at(
    settings: *mut rotomask_matte_settings,
    frame: u64,
    id: *const c_char,
    value: *const c_char,
) -> rotomask_status {
    let set = |preset: &mut Preset| {
        // SAFETY: the contract above.
        let (id, value) = unsafe { (text(id, "id")?, text(value, "value")?) };
        Ok(preset.set_at(frame, id, value)?)
    };
    // SAFETY: the contract above.
    unsafe { with(settings, set) }
}

/// A parameter's value on a frame, as `rotomask_matte_settings_set` takes it; a colour as four numbers.
///
/// `buffer` and `size` are as in `rotomask_info`.
/// Returns ROTOMASK_OK, ROTOMASK_ERROR_NULL, ROTOMASK_ERROR_ARGUMENT for an unknown id, ROTOMASK_ERROR_BUFFER or
/// ROTOMASK_ERROR_PANIC. [one thread at a time]
///
/// # Safety
/// `settings` is null or open; `id` is null or a NUL-terminated string; `size` is null or valid; `buffer` is null or
/// has `*size` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rotomask_matte_settings_get(
    settings: *const rotomask_matte_settings,
    frame: u64,
    id: *const c_char,
    buffer: *mut c_char,
    size: *mut usize,
) -> rotomask_status {
    let get = |preset: &mut Preset| {
        // SAFETY: the contract above.
        let param = MatteSettings::param(unsafe { text(id, "id") }?)?;
        let value = preset.at(frame).get(param.id).map_or_else(String::new, |value| value.to_string());
        // SAFETY: the contract above.
        unsafe { copy_out(&value, buffer, size) }
    };
    // SAFETY: the contract above.
    unsafe { with(settings, get) }
}

/// The settings as a preset's text, which holds what was set and nothing else.
///
/// `buffer` and `size` are as in `rotomask_info`.
/// Returns ROTOMASK_OK, ROTOMASK_ERROR_NULL, ROTOMASK_ERROR_BUFFER or ROTOMASK_ERROR_PANIC. [one thread at a time]
///
/// # Safety
/// `settings` is null or open; `size` is null or valid; `buffer` is null or has `*size` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rotomask_matte_settings_preset(
    settings: *const rotomask_matte_settings,
    buffer: *mut c_char,
    size: *mut usize,
) -> rotomask_status {
    // SAFETY: the contract above.
    let tell = |preset: &mut Preset| unsafe { copy_out(&preset.to_json(), buffer, size) };
    // SAFETY: the contract above.
    unsafe { with(settings, tell) }
}
