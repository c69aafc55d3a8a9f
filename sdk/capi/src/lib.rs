//! The C boundary of rotomask: check, borrow, call, translate. No algorithms.
//!
//! `include/rotomask.h` is generated from these files; `tests/header.rs` fails when it differs.

#![allow(non_camel_case_types, reason = "the types have their C names")]

#[cfg(panic = "abort")]
compile_error!("librotomask promises that no panic crosses its boundary: build it with panic = \"unwind\"");

mod status;
mod guard;
mod sized;
mod types;
mod units;
mod frame;
mod text;
mod log;
mod info;
mod model;
mod session;
mod edit;
mod track;
mod image;
mod automatic;
mod automatic_objects;
mod session_file;
mod matte_settings;
mod matte_job;
mod matte;
mod knobs;
mod options;
mod kernel;
mod spline;
