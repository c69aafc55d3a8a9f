//! Rotoscoping masks for video editors.
//!
//! The modules stand in the order in which a frame passes through them: the host's pixels become a
//! [`frame::FrameView`], prompts say what is meant, the model answers with logits, the memory bank decides
//! what later frames may look back on, and the matte chain makes an edge worth keeping. [`session::Session`]
//! runs all of it, once a frame.

pub mod error;
pub mod frame;
pub mod prompt;
pub mod preprocess;
pub mod cut;
pub mod model;
mod memory_bank;
pub mod mask;
pub mod image;
pub mod automatic;
pub mod review;
pub mod spline;
mod answer;
pub mod store;
pub mod matte;
pub mod session;

pub use error::{Error, Result};

/// The tutorial's snippets, which are run as tests.
#[cfg(doctest)]
#[doc = include_str!("../../docs/tutorials/rust.md")]
pub struct Tutorial;
