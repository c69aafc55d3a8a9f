//! The table of options: what each is called, what it takes, and which field of which struct it sets.

use std::ffi::{CString, c_char};
use std::ptr;
use std::str::FromStr;

use serde_json::{Value, json};

use crate::image::rotomask_image_options;
use crate::sized::Sized32;
use crate::status::{Failure, ROTOMASK_ERROR_ARGUMENT};
use crate::types::*;

/// The structs as they will be taken; their strings lie beside them, and their pointers are set when they are taken.
pub(crate) struct Chosen {
    model: rotomask_model_options,
    session: rotomask_session_options,
    /// No struct has it.
    encode_ahead: u32,
    pub(crate) image: rotomask_image_options,
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

const KNOBS: [Knob; 26] = [
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
        "encode_ahead",
        "session",
        SWITCH,
        "Tracking encodes the next frame while the one before it is answered, where that pays",
        encode_ahead,
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
    pub(crate) fn new() -> Self {
        Self {
            model: Sized32::fresh(),
            session: Sized32::fresh(),
            encode_ahead: 1,
            image: Sized32::fresh(),
            matte: Sized32::fresh(),
            onnxruntime: None,
            provider: None,
            adapter: None,
            session_file: None,
        }
    }

    pub(crate) fn set(&mut self, name: &str, value: &str) -> Result<(), Failure> {
        let knob = knob(name)?;
        (knob.set)(self, value).ok_or_else(|| {
            let message = format!("option `{name}`: found `{value}`, expected {}", knob.takes);
            Failure::new(ROTOMASK_ERROR_ARGUMENT, message)
        })
    }

    pub(crate) fn get(&self, name: &str) -> Result<String, Failure> {
        Ok((knob(name)?.get)(self))
    }

    /// As they are taken; the strings live as long as this, and as long as nothing is set.
    pub(crate) fn model(&self) -> rotomask_model_options {
        rotomask_model_options {
            onnxruntime: pointer(&self.onnxruntime),
            providers: pointer(&self.provider),
            ..self.model
        }
    }

    pub(crate) fn session(&self) -> rotomask_session_options {
        rotomask_session_options { path: pointer(&self.session_file), ..self.session }
    }

    pub(crate) fn encode_ahead(&self) -> bool {
        self.encode_ahead != 0
    }

    pub(crate) fn matte(&self) -> rotomask_matte_options {
        rotomask_matte_options { adapter: pointer(&self.adapter), ..self.matte }
    }
}

/// All of it, for who shows it or reads it from a file.
pub(crate) fn table() -> Value {
    let fresh = Chosen::new();
    let told = |knob: &Knob| {
        json!({
            "name": knob.name, "of": knob.of, "takes": knob.takes, "default": (knob.get)(&fresh), "help": knob.help,
        })
    };
    KNOBS.iter().map(told).collect()
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
