//! What the target `calls` is made of: the C API as a host sees it, and pixels that a host could own.

pub mod pixels;

/// What bindgen makes of `include/rotomask.h`; the calls themselves are linked from the library's own source.
#[allow(dead_code, non_camel_case_types, non_upper_case_globals, clippy::all)]
pub mod api {
    include!(concat!(env!("OUT_DIR"), "/api.rs"));
}

// Its functions have C names, and nothing else of it is used.
extern crate rotomask_capi;
