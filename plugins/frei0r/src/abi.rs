//! frei0r 1.2, as far as this effect speaks it.

#![allow(non_camel_case_types, reason = "the standard's names")]

use std::ffi::{c_char, c_int};

pub const FREI0R_MAJOR_VERSION: c_int = 1;
pub const F0R_PLUGIN_TYPE_FILTER: c_int = 0;
/// Red, green, blue, alpha in the order of bytes.
pub const F0R_COLOR_MODEL_RGBA8888: c_int = 1;
pub const F0R_PARAM_STRING: c_int = 4;

/// What an effect says of itself.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct f0r_plugin_info_t {
    pub name: *const c_char,
    pub author: *const c_char,
    pub plugin_type: c_int,
    pub color_model: c_int,
    pub frei0r_version: c_int,
    pub major_version: c_int,
    pub minor_version: c_int,
    pub num_params: c_int,
    pub explanation: *const c_char,
}

/// What an effect says of a parameter.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct f0r_param_info_t {
    pub name: *const c_char,
    pub r#type: c_int,
    pub explanation: *const c_char,
}
