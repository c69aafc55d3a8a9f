//! One picture: questions about it.

use std::{
    mem::MaybeUninit,
    ptr::{self, NonNull},
    sync::Arc,
};

use super::{Image, ImageMut, Library, Model, api};
use crate::{Error, Result};

/// A picture that was looked at, and the last answer about it.
pub struct Still {
    model: Arc<Model>,
    handle: NonNull<api::rotomask_image>,
}

/// What is said about the one thing that is looked for.
#[derive(Clone, Debug, Default)]
pub struct StillPrompts {
    /// x, y and whether it lies on the object.
    pub clicks: Vec<([f32; 2], bool)>,
    /// Left, top, right, bottom.
    pub edges: Option<[f32; 4]>,
    /// Three candidates instead of one.
    pub multimask: bool,
}

/// What is known of a mask of a picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measured {
    /// From 0 to 1.
    pub predicted_iou: f32,
    /// From 0 to 1.
    pub stability: f32,
    /// Pixels.
    pub area: u64,
    /// Left, top, and one past the last column and row.
    pub bounds: [u32; 4],
}

impl Still {
    /// Looks at a picture. Holes and specks of up to so many cells of the model's masks are cleaned away.
    ///
    /// # Errors
    /// If the library refuses.
    pub fn open(model: &Arc<Model>, picture: &Image<'_>, [hole, speck]: [u32; 2]) -> Result<Self> {
        let (library, mut handle) = (model.library(), ptr::null_mut());
        // SAFETY: the init function fills the whole struct; the model is open and kept so by this still.
        let status = unsafe {
            let mut raw = MaybeUninit::zeroed();
            library.api().rotomask_image_options_init(raw.as_mut_ptr(), size_of_val(&raw));
            let mut raw: api::rotomask_image_options = raw.assume_init();
            (raw.max_hole_area, raw.max_sprinkle_area) = (hole, speck);
            library.api().rotomask_image_open(model.as_ptr(), &raw, &mut handle)
        };
        library.check(status)?;
        let handle = NonNull::new(handle).ok_or(Error::Bug("librotomask opened no picture"))?;
        let still = Self { model: model.clone(), handle };
        // SAFETY: the handle is open; the image borrows its pixels for the call.
        library.check(unsafe { library.api().rotomask_image_set(still.handle.as_ptr(), &picture.raw) })?;
        Ok(still)
    }

    fn library(&self) -> &Library {
        self.model.library()
    }

    /// Asks, and gives what is known of each candidate.
    ///
    /// # Errors
    /// If the library refuses a prompt, or the model fails.
    pub fn predict(&mut self, prompts: &StillPrompts) -> Result<Vec<Measured>> {
        let point = |&([x, y], on): &([f32; 2], bool)| api::rotomask_point { x, y, positive: u32::from(on) };
        let points: Vec<_> = prompts.clicks.iter().map(point).collect();
        let mut count = 0;
        // SAFETY: the init function fills the whole struct; the points outlive the call.
        let status = unsafe {
            let mut raw = MaybeUninit::zeroed();
            self.library().api().rotomask_image_prompts_init(raw.as_mut_ptr(), size_of_val(&raw));
            let mut raw: api::rotomask_image_prompts = raw.assume_init();
            (raw.point_count, raw.points) = (points.len() as u32, points.as_ptr());
            (raw.has_box, raw.bounds) =
                (u32::from(prompts.edges.is_some()), prompts.edges.unwrap_or_default());
            raw.multimask_output = u32::from(prompts.multimask);
            self.library().api().rotomask_image_predict(self.handle.as_ptr(), &raw, &mut count)
        };
        self.library().check(status)?;
        (0..count).map(|index| self.candidate(index)).collect()
    }

    fn candidate(&self, index: u32) -> Result<Measured> {
        let mut raw = api::rotomask_candidate {
            struct_size: size_of::<api::rotomask_candidate>() as u32,
            // SAFETY: a struct of numbers, for which zeros are valid.
            ..unsafe { MaybeUninit::zeroed().assume_init() }
        };
        let handle = self.handle.as_ptr();
        // SAFETY: the handle is open; the struct states its size.
        let status = unsafe { self.library().api().rotomask_image_candidate(handle, index, &mut raw) };
        self.library().check(status)?;
        Ok(Measured {
            predicted_iou: raw.predicted_iou,
            stability: raw.stability_score,
            area: raw.area_px,
            bounds: raw.bounds_px,
        })
    }

    /// A candidate's mask at the picture's size.
    ///
    /// # Errors
    /// If the canvas has another size.
    pub fn binary(&self, index: u32, canvas: &mut ImageMut<'_>) -> Result<()> {
        let handle = self.handle.as_ptr();
        // SAFETY: the handle is open; the canvas borrows its pixels for the call.
        let status = unsafe { self.library().api().rotomask_image_binary(handle, index, &canvas.raw) };
        self.library().check(status)
    }
}

impl Drop for Still {
    fn drop(&mut self) {
        // SAFETY: opened once, closed once.
        unsafe { self.library().api().rotomask_image_close(self.handle.as_ptr()) }
    }
}
