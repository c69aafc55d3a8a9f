//! Options as strings, by name: what is added later needs no new struct, and a host can take them from its own settings.

use std::ffi::{CString, c_char};
use std::ptr;
use std::str::FromStr;

use engine::frame::Size;
use serde_json::json;

use crate::guard::{Handle, Held, guard, hand_over, take_back, with};
use crate::image::{self, rotomask_image, rotomask_image_options};
use crate::matte::{self, rotomask_matte};
use crate::model::{self, rotomask_model};
use crate::session::{self, rotomask_session};
use crate::sized::Sized32;
use crate::status::{Failure, ROTOMASK_ERROR_ARGUMENT, rotomask_status};
use crate::text::{copy_out, path, text};
use crate::types::*;

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

/// The structs as they will be taken; their strings lie beside them, and their pointers are set when they are taken.
pub(crate) struct Chosen {
    model: rotomask_model_options,
    session: rotomask_session_options,
    image: rotomask_image_options,
    matte: rotomask_matte_options,
    onnxruntime: Option<CString>,
    provider: Option<CString>,
    adapter: Option<CString>,
    session_file: Option<CString>,
}

struct Knob {
    name: &'static str,
    /// What is opened with it.
    of: &'static str,
    takes: &'static str,
    help: &'static str,
    set: fn(&mut Chosen, &str) -> Option<()>,
    get: fn(&Chosen) -> String,
}

const SWITCH: &str = "on or off";

/// `knob!(name, of what, takes, help, field, how it is read, how it is shown)`
macro_rules! knob {
    ($name:literal, $of:literal, $takes:expr, $help:literal, $($field:ident).+, $read:expr, $show:expr) => {
        Knob {
            name: $name,
            of: $of,
            takes: $takes,
            help: $help,
            set: |chosen, value| {
                chosen.$($field).+ = $read(value)?;
                Some(())
            },
            get: |chosen| $show(&chosen.$($field).+),
        }
    };
}

const UNITS: [(&str, u32); 2] =
    [("pixels", ROTOMASK_UNITS_PIXELS), ("normalised", ROTOMASK_UNITS_NORMALISED)];
const GPUS: [(&str, u32); 3] =
    [("auto", ROTOMASK_GPU_AUTO), ("off", ROTOMASK_GPU_OFF), ("software", ROTOMASK_GPU_SOFTWARE)];
const KEEPS: [(&str, u32); 2] = [("window", ROTOMASK_KEEP_WINDOW), ("temporary", ROTOMASK_KEEP_TEMPORARY)];

const KNOBS: [Knob; 25] = [
    knob!(
        "provider",
        "model",
        "names with commas: cpu, cuda, tensorrt, directml, coreml, migraphx, rocm, openvino",
        "Who may compute, in the order in which they are asked",
        provider,
        string,
        shown
    ),
    knob!("onnxruntime", "model", "a path", "ONNX Runtime's library", onnxruntime, string, shown),
    knob!(
        "threads",
        "model",
        "a number",
        "Threads that a graph may use; 0 for as many as there are cores",
        model.threads,
        number,
        u32::to_string
    ),
    knob!(
        "device",
        "model",
        "a number",
        "The number of the GPU, for providers that use one",
        model.device,
        number,
        u32::to_string
    ),
    knob!(
        "deterministic",
        "model",
        SWITCH,
        "The same bits in every run and with any number of threads",
        model.deterministic,
        switch,
        on_off
    ),
    knob!(
        "device_memory_bytes",
        "model",
        "a number",
        "The most bytes that a provider may take on its device for each graph; 0 for no limit",
        model.device_memory_bytes,
        number,
        u64::to_string
    ),
    Knob {
        name: "session_file",
        of: "session",
        takes: "a path, or nothing for none",
        help: "The file that every answer is kept in; one that is there is gone on with",
        set: |chosen, value| {
            chosen.session_file = string(value)?;
            chosen.session.keep = match chosen.session_file {
                Some(_) => ROTOMASK_KEEP_FILE,
                None => ROTOMASK_KEEP_WINDOW,
            };
            Some(())
        },
        get: |chosen| shown(&chosen.session_file),
    },
    Knob {
        name: "keep",
        of: "session",
        takes: "window or temporary",
        help: "What is kept of answers where there is no session_file: what tracking on needs, or all, in a temporary file",
        set: |chosen, value| {
            chosen.session.keep = one_of(&KEEPS, value)?;
            chosen.session_file = None;
            Some(())
        },
        get: |chosen| name_of(&KEEPS, chosen.session.keep).unwrap_or("file").to_owned(),
    },
    knob!(
        "half_precision",
        "session",
        SWITCH,
        "Logits are kept, and used, in half precision",
        session.half_precision,
        switch,
        on_off
    ),
    knob!(
        "non_overlap_masks",
        "session",
        SWITCH,
        "Where masks overlap, only the likeliest object keeps the pixel",
        session.non_overlap_masks,
        switch,
        on_off
    ),
    knob!(
        "memory_ceiling",
        "session",
        "a number",
        "The most bytes of host memory for answers, features and recollections; 0 for the default",
        session.memory_ceiling,
        number,
        u64::to_string
    ),
    knob!(
        "fill_hole_area",
        "session",
        "a number, -1 for the reference's share of the mask",
        "Holes of at most so many logits are filled",
        session.fill_hole_area,
        number,
        i32::to_string
    ),
    knob!(
        "add_all_frames_to_correct_as_cond",
        "session",
        SWITCH,
        "A correction on a tracked frame conditions every frame that is tracked from then on",
        session.add_all_frames_to_correct_as_cond,
        switch,
        on_off
    ),
    knob!(
        "clear_non_cond_mem_around_input",
        "session",
        SWITCH,
        "What was tracked around a correction is forgotten",
        session.clear_non_cond_mem_around_input,
        switch,
        on_off
    ),
    knob!(
        "max_cond_frames_in_attn",
        "session",
        "a number from 2, -1 for all",
        "The most prompted frames that a frame recalls as such",
        session.max_cond_frames_in_attn,
        number,
        i32::to_string
    ),
    knob!(
        "memory_temporal_stride_for_eval",
        "session",
        "a number from 1 to 64",
        "Recent memories beyond the last frame come from every so-many-th frame",
        session.memory_temporal_stride_for_eval,
        number,
        u32::to_string
    ),
    knob!(
        "detect_cuts",
        "session",
        SWITCH,
        "Nothing is recalled across a cut",
        session.detect_cuts,
        switch,
        on_off
    ),
    knob!(
        "session_units",
        "session",
        "pixels or normalised",
        "What clicks and boxes of a shot are counted in",
        session.units,
        units,
        units_name
    ),
    knob!(
        "max_hole_area",
        "image",
        "a number",
        "Holes of up to so many cells of a picture's logits are filled",
        image.max_hole_area,
        number,
        u32::to_string
    ),
    knob!(
        "max_sprinkle_area",
        "image",
        "a number",
        "Specks of up to so many cells are taken away",
        image.max_sprinkle_area,
        number,
        u32::to_string
    ),
    knob!(
        "mask_threshold",
        "image",
        "a number",
        "Above this logit a pixel is the object's",
        image.mask_threshold,
        number,
        f32::to_string
    ),
    knob!(
        "image_units",
        "image",
        "pixels or normalised",
        "What clicks and boxes on a picture are counted in",
        image.units,
        units,
        units_name
    ),
    Knob {
        name: "gpu",
        of: "matte",
        takes: "auto, off, software, an adapter's place or a part of its name",
        help: "Where mattes are finished",
        set: |chosen, value| {
            let named = one_of(&GPUS, value);
            chosen.adapter = if named.is_none() { Some(string(value)??) } else { None };
            chosen.matte.gpu = named.unwrap_or(ROTOMASK_GPU_ADAPTER);
            Some(())
        },
        get: |chosen| name_of(&GPUS, chosen.matte.gpu).map_or_else(|| shown(&chosen.adapter), str::to_owned),
    },
    knob!(
        "matte_host_memory_bytes",
        "matte",
        "a number",
        "The most bytes of host memory for a frame; 0 for the default",
        matte.host_memory_bytes,
        number,
        u64::to_string
    ),
    knob!(
        "matte_device_memory_bytes",
        "matte",
        "a number",
        "The most bytes on the GPU; 0 for the default",
        matte.device_memory_bytes,
        number,
        u64::to_string
    ),
];

fn number<T: FromStr>(value: &str) -> Option<T> {
    value.trim().parse().ok()
}

fn switch(value: &str) -> Option<u32> {
    one_of(&[("off", 0), ("on", 1), ("0", 0), ("1", 1), ("false", 0), ("true", 1)], value)
}

fn on_off(value: &u32) -> String {
    if *value == 0 { "off" } else { "on" }.to_owned()
}

fn units(value: &str) -> Option<u32> {
    one_of(&UNITS, value)
}

fn units_name(units: &u32) -> String {
    name_of(&UNITS, *units).unwrap_or_default().to_owned()
}

fn one_of(names: &[(&str, u32)], value: &str) -> Option<u32> {
    names.iter().find(|(name, _)| *name == value).map(|(_, number)| *number)
}

fn name_of(names: &[(&'static str, u32)], number: u32) -> Option<&'static str> {
    names.iter().find(|(_, found)| *found == number).map(|(name, _)| *name)
}

/// A string to keep; none for an empty one.
fn string(value: &str) -> Option<Option<CString>> {
    if value.is_empty() { Some(None) } else { CString::new(value).ok().map(Some) }
}

fn shown(value: &Option<CString>) -> String {
    value.as_ref().map_or_else(String::new, |value| value.to_string_lossy().into_owned())
}

fn pointer(value: &Option<CString>) -> *const c_char {
    value.as_ref().map_or(ptr::null(), |value| value.as_ptr())
}

fn knob(name: &str) -> Result<&'static Knob, Failure> {
    KNOBS.iter().find(|knob| knob.name == name).ok_or_else(|| {
        let names: Vec<_> = KNOBS.iter().map(|knob| knob.name).collect();
        let message = format!("there is no option `{name}`, expected one of {}", names.join(", "));
        Failure::new(ROTOMASK_ERROR_ARGUMENT, message)
    })
}

impl Chosen {
    fn new() -> Self {
        Self {
            model: Sized32::fresh(),
            session: Sized32::fresh(),
            image: Sized32::fresh(),
            matte: Sized32::fresh(),
            onnxruntime: None,
            provider: None,
            adapter: None,
            session_file: None,
        }
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), Failure> {
        let knob = knob(name)?;
        (knob.set)(self, value).ok_or_else(|| {
            let message = format!("option `{name}`: found `{value}`, expected {}", knob.takes);
            Failure::new(ROTOMASK_ERROR_ARGUMENT, message)
        })
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
    guard(|| {
        let fresh = Chosen::new();
        let table: Vec<_> = KNOBS
            .iter()
            .map(|knob| {
                let default = (knob.get)(&fresh);
                json!({ "name": knob.name, "of": knob.of, "takes": knob.takes, "default": default, "help": knob.help })
            })
            .collect();
        // SAFETY: the contract above.
        unsafe { copy_out(&serde_json::Value::Array(table).to_string(), buffer, size) }
    })
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
    let get =
        |chosen: &mut Chosen| unsafe { copy_out(&(knob(text(name, "name")?)?.get)(chosen), buffer, size) };
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
        let wanted = rotomask_model_options {
            onnxruntime: pointer(&chosen.onnxruntime),
            providers: pointer(&chosen.provider),
            ..chosen.model
        };
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
        let wanted = rotomask_session_options { path: pointer(&chosen.session_file), ..chosen.session };
        // SAFETY: the contract above; the path lives as long as `chosen`.
        unsafe {
            hand_over(session, "session", || {
                session::opened(rotomask_model::shared(model)?, Size::new(width_px, height_px)?, &wanted)
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
        let wanted = rotomask_matte_options { adapter: pointer(&chosen.adapter), ..chosen.matte };
        // SAFETY: the contract above; the name lives as long as `chosen`.
        unsafe { hand_over(matte, "matte", || matte::opened(&wanted)) }
    };
    // SAFETY: the contract above.
    unsafe { with(options, open) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_option_takes_its_own_default_and_gives_it_back() {
        let fresh = Chosen::new();
        for knob in &KNOBS {
            let (mut chosen, default) = (Chosen::new(), (knob.get)(&fresh));
            chosen.set(knob.name, &default).unwrap();
            for other in &KNOBS {
                assert_eq!((other.get)(&chosen), (other.get)(&fresh), "{} after {}", other.name, knob.name);
            }
        }
    }

    #[test]
    fn an_option_changes_its_own_field_and_no_other() {
        for (name, value) in [
            ("threads", "3"),
            ("deterministic", "on"),
            ("fill_hole_area", "12"),
            ("session_units", "normalised"),
            ("mask_threshold", "0.5"),
            ("gpu", "software"),
            ("gpu", "llvmpipe"),
            ("matte_device_memory_bytes", "1000000"),
            ("provider", "cuda,cpu"),
        ] {
            let (mut chosen, fresh) = (Chosen::new(), Chosen::new());
            chosen.set(name, value).unwrap();
            for knob in &KNOBS {
                let want = if knob.name == name { value.to_owned() } else { (knob.get)(&fresh) };
                assert_eq!((knob.get)(&chosen), want, "{} after {name}", knob.name);
            }
        }
        let mut chosen = Chosen::new();
        chosen.set("session_file", "a.rotosession").unwrap();
        assert_eq!(chosen.session.keep, ROTOMASK_KEEP_FILE);
        chosen.set("keep", "temporary").unwrap();
        assert_eq!((chosen.session.keep, &chosen.session_file), (ROTOMASK_KEEP_TEMPORARY, &None));
    }

    #[test]
    fn what_an_option_does_not_take_is_named_with_what_it_does() {
        let mut chosen = Chosen::new();
        let mut said = |name, value| chosen.set(name, value).unwrap_err().message;
        assert_eq!(said("threads", "many"), "option `threads`: found `many`, expected a number");
        assert_eq!(said("keep", "all"), "option `keep`: found `all`, expected window or temporary");
        assert!(
            said("provder", "cuda").starts_with("there is no option `provder`, expected one of provider, ")
        );
    }
}
