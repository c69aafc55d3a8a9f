//! The finishing chain: from mask logits to a picture.

use std::{
    mem::MaybeUninit,
    ptr::{self, NonNull},
    sync::Arc,
};

use super::{Image, ImageMut, Library, api};
use crate::{
    Error, Result,
    args::{Background, Gpu, View},
};

/// How a matte is finished. What is not set here stays as the library has it.
pub struct MatteOptions {
    raw: api::rotomask_matte_options,
}

impl MatteOptions {
    /// The library's own choices, with straight alpha.
    pub fn new(library: &Library) -> Self {
        // SAFETY: the init function fills the whole struct.
        let mut raw: api::rotomask_matte_options = unsafe {
            let mut raw = MaybeUninit::zeroed();
            library.api().rotomask_matte_options_init(raw.as_mut_ptr());
            raw.assume_init()
        };
        // PNG can't say premultiplied, and no editor expects it in ProRes or VP9.
        raw.alpha = api::ROTOMASK_ALPHA_STRAIGHT;
        Self { raw }
    }

    /// What to show.
    pub fn view(&mut self, view: View) {
        self.raw.view = match view {
            View::Composite => api::ROTOMASK_VIEW_COMPOSITE,
            View::Matte => api::ROTOMASK_VIEW_MATTE,
            View::Overlay => api::ROTOMASK_VIEW_OVERLAY,
            View::Cutout => api::ROTOMASK_VIEW_CUTOUT,
        };
    }

    /// What lies behind the object.
    pub fn background(&mut self, background: &Background) {
        self.raw.background = match background {
            Background::Colour(colour) => {
                self.raw.background_colour = *colour;
                api::ROTOMASK_BACKGROUND_COLOUR
            }
            Background::Blur => api::ROTOMASK_BACKGROUND_BLUR,
            Background::Picture(_) => api::ROTOMASK_BACKGROUND_PICTURE,
        };
    }

    /// Standard deviation of the blurred background, in pixels.
    pub fn background_blur(&mut self, px: f32) {
        self.raw.background_blur_px = px;
    }

    /// Softness of the edge, in pixels.
    pub fn feather(&mut self, px: f32) {
        self.raw.feather_px = px;
    }

    /// By how many pixels the matte grows; below 0 it shrinks.
    pub fn grow(&mut self, px: f32) {
        self.raw.grow_px = px;
    }
}

/// The finishing chain on one device. One thread at a time.
pub struct Matte {
    library: Arc<Library>,
    handle: NonNull<api::rotomask_matte>,
}

// SAFETY: the header asks for one call at a time, from whichever thread; `&mut self` sees to it.
unsafe impl Send for Matte {}

impl Matte {
    /// Opens the chain on the GPU or the CPU.
    ///
    /// # Errors
    /// If the device can't be used.
    pub fn open(library: &Arc<Library>, gpu: Gpu) -> Result<Self> {
        let gpu = match gpu {
            Gpu::Auto => api::ROTOMASK_GPU_AUTO,
            Gpu::Off => api::ROTOMASK_GPU_OFF,
            Gpu::Software => api::ROTOMASK_GPU_SOFTWARE,
        };
        let mut handle = ptr::null_mut();
        // SAFETY: the handle that comes out is ours, and checked for null.
        library.check(unsafe { library.api().rotomask_matte_open(gpu, &mut handle) })?;
        let handle =
            NonNull::new(handle).ok_or(Error::Bug("librotomask opened no matte and said nothing"))?;
        Ok(Self { library: library.clone(), handle })
    }

    /// The device, as JSON.
    ///
    /// # Errors
    /// If the library can't tell.
    pub fn describe(&self) -> Result<String> {
        // SAFETY: the handle is open; `text` vouches for the buffer.
        self.library.text(|buffer, size| unsafe {
            self.library.api().rotomask_matte_describe(self.handle.as_ptr(), buffer, size)
        })
    }

    /// Finishes a frame. `logits` may have any size and covers all of `plate`; `background` is needed for
    /// [`Background::Picture`] only; it and `result` have the plate's size.
    ///
    /// # Errors
    /// If the sizes differ or the device fails. `result` is untouched then.
    pub fn render(
        &mut self,
        plate: &Image<'_>,
        logits: &Image<'_>,
        background: Option<&Image<'_>>,
        options: &MatteOptions,
        result: &mut ImageMut<'_>,
    ) -> Result<()> {
        // SAFETY: the handle is open; all images borrow their pixels for the call.
        let status = unsafe {
            self.library.api().rotomask_matte_render(
                self.handle.as_ptr(),
                &plate.raw,
                &logits.raw,
                background.map_or(ptr::null(), |image| &image.raw),
                &options.raw,
                &result.raw,
            )
        };
        self.library.check(status)
    }
}

impl Drop for Matte {
    fn drop(&mut self) {
        // SAFETY: opened once, closed once.
        unsafe { self.library.api().rotomask_matte_close(self.handle.as_ptr()) }
    }
}
