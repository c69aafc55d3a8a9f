//! What rotomask's plugins share. An adapter translates between its standard and what is said here.
//!
//! Rendering only reads: masks come from a session's file, kept open once a process, and no model is loaded for it.
//! Tracking writes that file, from a button or outside the host.

pub mod error;
pub mod table;
pub mod pixels;
pub mod prompts;
pub mod compact;
pub mod place;
pub mod locate;
pub mod cache;
pub mod render;
pub mod engine;
pub mod track;
pub mod status;

pub use error::{Error, Result};
