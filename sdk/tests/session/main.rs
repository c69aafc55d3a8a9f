//! How a session behaves, on the embedded model.
//!
//! Needs ONNX Runtime, named by `ROTOMASK_ONNXRUNTIME`: `cargo xtask test` sets it.

#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

mod shot;
mod stream;
mod track;
mod ahead;
mod edit;
mod automatic;
mod file;
mod kill;
