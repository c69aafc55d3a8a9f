//! A strict headless OpenFX host: it runs image effects on video, plays the ways of real hosts, and holds a plugin to the
//! standard.
//!
//! From handles to pictures: [`world`] has everything that a handle stands for, [`suites`] is what a plugin calls, [`plugin`],
//! [`instance`] and [`overlay`] call the plugin, and [`conform`] are the checks.

#![allow(clippy::too_many_arguments, reason = "the standard's functions have as many as they have")]

pub mod error;
pub mod quirks;
pub mod clip;
pub mod world;
pub mod image;
pub mod suites;
pub mod plugin;
pub mod instance;
pub mod overlay;
pub mod video;
pub mod conform;
pub mod cli;

pub use error::{Error, Result};
