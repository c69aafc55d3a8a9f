//! Animated splines of an object's coverage.

use std::{
    mem::MaybeUninit,
    ptr::{self, NonNull},
    sync::Arc,
};

use super::{Image, Library, api};
use crate::{Error, Result};

/// What a file of splines is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum SplineFormat {
    /// A Nuke script with a Roto node
    Nuke,
    /// A script for After Effects that makes masks
    AfterEffects,
    /// MLT's rotoscoping filters as JSON, for Kdenlive and Shotcut
    MltJson,
    /// The same filters on a white clip, for melt
    Mlt,
    /// A matte that moves
    Svg,
    /// rotomask's own JSON
    Json,
}

impl SplineFormat {
    fn raw(self) -> u32 {
        match self {
            Self::Nuke => api::ROTOMASK_SPLINE_NUKE,
            Self::AfterEffects => api::ROTOMASK_SPLINE_AFTER_EFFECTS,
            Self::MltJson => api::ROTOMASK_SPLINE_MLT_JSON,
            Self::Mlt => api::ROTOMASK_SPLINE_MLT,
            Self::Svg => api::ROTOMASK_SPLINE_SVG,
            Self::Json => api::ROTOMASK_SPLINE_JSON,
        }
    }
}

/// How closely splines follow the matte; `None` is the library's default.
#[derive(Clone, Copy, Debug, Default)]
pub struct SplineOptions {
    /// How far a curve may be from its contour, in pixels.
    pub tolerance_px: Option<f64>,
    /// How far it may be between keyframes, in pixels.
    pub key_tolerance_px: Option<f64>,
    /// Smaller shapes are left out, in square pixels.
    pub min_area_px2: Option<f64>,
    /// For formats that count in seconds.
    pub frames_per_second: Option<f64>,
}

/// A shot whose coverage becomes splines. One thread at a time.
pub struct Splines {
    library: Arc<Library>,
    handle: NonNull<api::rotomask_spline>,
}

// SAFETY: the header asks for one call at a time, from whichever thread; `&mut self` sees to it.
unsafe impl Send for Splines {}

impl Splines {
    /// Begins a shot.
    ///
    /// # Errors
    /// If an option is outside its range, or no frame has the size.
    pub fn open(library: &Arc<Library>, [width, height]: [u32; 2], given: &SplineOptions) -> Result<Self> {
        let mut options = MaybeUninit::uninit();
        // SAFETY: `_init` writes every field.
        let mut options = unsafe {
            library.api().rotomask_spline_options_init(options.as_mut_ptr(), size_of_val(&options));
            options.assume_init()
        };
        let set = |value: &mut f64, given: Option<f64>| *value = given.unwrap_or(*value);
        set(&mut options.tolerance_px, given.tolerance_px);
        set(&mut options.key_tolerance_px, given.key_tolerance_px);
        set(&mut options.min_area_px2, given.min_area_px2);
        set(&mut options.frames_per_second, given.frames_per_second);
        let mut handle = ptr::null_mut();
        // SAFETY: the handle that comes out is ours, and checked for null.
        library.check(unsafe { library.api().rotomask_spline_open(width, height, &options, &mut handle) })?;
        let handle =
            NonNull::new(handle).ok_or(Error::Bug("librotomask opened no splines and said nothing"))?;
        Ok(Self { library: library.clone(), handle })
    }

    /// Adds a frame's coverage.
    ///
    /// # Errors
    /// If it has another size, or does not come after the last one.
    pub fn add(&mut self, frame: u64, coverage: &Image<'_>) -> Result<()> {
        let handle = self.handle.as_ptr();
        // SAFETY: the handle is open; the image describes pixels that are lent to it.
        self.library.check(unsafe { self.library.api().rotomask_spline_add(handle, frame, &coverage.raw) })
    }

    /// How well the splines follow the contours, as JSON. Ends the shot.
    ///
    /// # Errors
    /// If the library can't tell.
    pub fn describe(&mut self) -> Result<String> {
        let handle = self.handle.as_ptr();
        // SAFETY: the handle is open; `text` vouches for the buffer.
        self.library
            .text(|buffer, size| unsafe { self.library.api().rotomask_spline_describe(handle, buffer, size) })
    }

    /// A file's text. Ends the shot.
    ///
    /// # Errors
    /// If no frame was added, or the format can't hold a shape.
    pub fn write(&mut self, format: SplineFormat) -> Result<String> {
        let handle = self.handle.as_ptr();
        // SAFETY: the handle is open; `text` vouches for the buffer.
        self.library.text(|buffer, size| unsafe {
            self.library.api().rotomask_spline_write(handle, format.raw(), buffer, size)
        })
    }
}

impl Drop for Splines {
    fn drop(&mut self) {
        // SAFETY: opened once, closed once.
        unsafe { self.library.api().rotomask_spline_close(self.handle.as_ptr()) }
    }
}
