//! All masks of a picture, and what becomes of them: objects, also of a session.

use std::{
    ffi::c_void,
    mem::MaybeUninit,
    ptr::{self, NonNull},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use super::{Image, ImageMut, Library, Measured, Model, Session, api};
use crate::{Error, Result};

/// All masks of a picture, or objects chosen among them.
pub struct Automatic {
    model: Arc<Model>,
    handle: NonNull<api::rotomask_automatic>,
}

/// How masks are looked for. What is `None` is left to the library.
#[derive(Clone, Copy, Debug, Default)]
pub struct AutomaticOptions {
    /// Points along each side of the grid.
    pub points_per_side: Option<u32>,
    /// Layers of parts of the picture.
    pub crop_n_layers: Option<u32>,
    /// By how much the grid is thinned out from layer to layer.
    pub crop_n_points_downscale_factor: Option<u32>,
    /// Holes and specks up to this size are cleaned away.
    pub min_mask_region_area: Option<u32>,
    /// The least predicted IoU.
    pub pred_iou_thresh: Option<f32>,
    /// The least stability.
    pub stability_score_thresh: Option<f32>,
    /// The most overlap of two boxes.
    pub box_nms_thresh: Option<f32>,
    /// Every mask is refined once.
    pub use_m2m: bool,
}

impl AutomaticOptions {
    fn raw(&self, library: &Library) -> api::rotomask_automatic_options {
        let mut raw = MaybeUninit::zeroed();
        // SAFETY: the init function fills the whole struct.
        let mut raw: api::rotomask_automatic_options = unsafe {
            library.api().rotomask_automatic_options_init(raw.as_mut_ptr(), size_of_val(&raw));
            raw.assume_init()
        };
        let set = |to: &mut u32, from: Option<u32>| *to = from.unwrap_or(*to);
        set(&mut raw.points_per_side, self.points_per_side);
        set(&mut raw.crop_n_layers, self.crop_n_layers);
        set(&mut raw.crop_n_points_downscale_factor, self.crop_n_points_downscale_factor);
        set(&mut raw.min_mask_region_area, self.min_mask_region_area);
        let set = |to: &mut f32, from: Option<f32>| *to = from.unwrap_or(*to);
        set(&mut raw.pred_iou_thresh, self.pred_iou_thresh);
        set(&mut raw.stability_score_thresh, self.stability_score_thresh);
        set(&mut raw.box_nms_thresh, self.box_nms_thresh);
        raw.use_m2m = u32::from(self.use_m2m);
        // Ctrl-C should be heard within a few points.
        raw.points_per_batch = 4;
        raw
    }
}

impl Session {
    /// Pushes a frame, looks for objects on it, and adds those that the session doesn't know, up to `max_objects` in
    /// all. Gives the numbers of the new ones. Once `stop` is set, the call answers with an error for which
    /// [`Error::is_cancelled`] is true.
    ///
    /// # Errors
    /// If an option is out of range, the model fails, or the work was stopped.
    pub fn add_automatic(
        &mut self,
        index: u64,
        picture: &Image<'_>,
        search: &AutomaticOptions,
        max_objects: u32,
        stop: &AtomicBool,
    ) -> Result<Vec<u32>> {
        let (library, handle) = (self.library(), self.as_ptr());
        let raw = search.raw(library);
        let mut objects = MaybeUninit::zeroed();
        // SAFETY: the init function fills the whole struct.
        let mut objects: api::rotomask_object_options = unsafe {
            library.api().rotomask_object_options_init(objects.as_mut_ptr(), size_of_val(&objects));
            objects.assume_init()
        };
        objects.max_objects = max_objects;
        // As many as a session can have.
        let mut added = vec![0; 256];
        let mut count = added.len();
        let user = ptr::from_ref(stop).cast_mut().cast();
        // SAFETY: the handle is open; structs, pixels, flag and numbers outlive the call.
        let status = unsafe {
            library.api().rotomask_session_add_automatic(
                handle,
                index,
                &picture.raw,
                &raw,
                &objects,
                Some(ask_to_stop),
                user,
                added.as_mut_ptr(),
                &mut count,
            )
        };
        library.check(status)?;
        added.truncate(count);
        Ok(added)
    }
}

impl Automatic {
    /// Finds the masks of a picture. Once `stop` is set, the call answers with an error for which
    /// [`Error::is_cancelled`] is true.
    ///
    /// # Errors
    /// If an option is out of range, the model fails, or the work was stopped.
    pub fn generate(
        model: &Arc<Model>,
        picture: &Image<'_>,
        options: &AutomaticOptions,
        stop: &AtomicBool,
    ) -> Result<Self> {
        let (library, mut handle) = (model.library(), ptr::null_mut());
        let user = ptr::from_ref(stop).cast_mut().cast();
        let raw = options.raw(library);
        // SAFETY: the model is open; the flag and the pixels outlive the call.
        let status = unsafe {
            library.api().rotomask_automatic_generate(
                model.as_ptr(),
                &picture.raw,
                &raw,
                Some(ask_to_stop),
                user,
                &mut handle,
            )
        };
        library.check(status)?;
        Self::hold(model, handle)
    }

    /// Objects among the masks, none of which covers another, the best first.
    ///
    /// # Errors
    /// If the library refuses.
    pub fn objects(&self) -> Result<Self> {
        let (library, mut handle) = (self.model.library(), ptr::null_mut());
        // SAFETY: the handle is open; without options the library has its own.
        let status = unsafe {
            library.api().rotomask_automatic_objects(self.handle.as_ptr(), ptr::null(), &mut handle)
        };
        library.check(status)?;
        Self::hold(&self.model, handle)
    }

    fn hold(model: &Arc<Model>, handle: *mut api::rotomask_automatic) -> Result<Self> {
        let handle = NonNull::new(handle).ok_or(Error::Bug("librotomask gave no masks and said nothing"))?;
        Ok(Self { model: model.clone(), handle })
    }

    fn library(&self) -> &Library {
        self.model.library()
    }

    /// How many masks there are.
    ///
    /// # Errors
    /// If the library refuses.
    pub fn count(&self) -> Result<u32> {
        let mut count = 0;
        // SAFETY: the handle is open.
        let status =
            unsafe { self.library().api().rotomask_automatic_count(self.handle.as_ptr(), &mut count) };
        self.library().check(status)?;
        Ok(count)
    }

    /// What is known of a mask, the point that was asked about, and the part that was looked at.
    ///
    /// # Errors
    /// If there is no such mask.
    pub fn describe(&self, index: u32) -> Result<(Measured, [f32; 2], [u32; 4])> {
        let mut raw = api::rotomask_automatic_mask {
            struct_size: size_of::<api::rotomask_automatic_mask>() as u32,
            // SAFETY: a struct of numbers, for which zeros are valid.
            ..unsafe { MaybeUninit::zeroed().assume_init() }
        };
        let handle = self.handle.as_ptr();
        // SAFETY: the handle is open; the struct states its size.
        let status = unsafe { self.library().api().rotomask_automatic_describe(handle, index, &mut raw) };
        self.library().check(status)?;
        let measured = Measured {
            predicted_iou: raw.predicted_iou,
            stability: raw.stability_score,
            area: raw.area_px,
            bounds: raw.bounds_px,
        };
        Ok((measured, raw.point_coords, raw.crop_box_px))
    }

    /// A mask as COCO's compressed run lengths.
    ///
    /// # Errors
    /// If there is no such mask.
    pub fn rle(&self, index: u32) -> Result<String> {
        let handle = self.handle.as_ptr();
        // SAFETY: the handle is open; `text` vouches for the buffer.
        self.library().text(|buffer, size| unsafe {
            self.library().api().rotomask_automatic_rle(handle, index, buffer, size)
        })
    }

    /// A mask's run lengths.
    ///
    /// # Errors
    /// If there is no such mask.
    pub fn run_lengths(&self, index: u32) -> Result<Vec<u32>> {
        let (handle, mut count) = (self.handle.as_ptr(), 0);
        let ask = |counts: *mut u32, count: &mut usize| {
            // SAFETY: the handle is open; `counts` is null or has room for `count` numbers.
            let status =
                unsafe { self.library().api().rotomask_automatic_run_lengths(handle, index, counts, count) };
            self.library().check(status)
        };
        ask(ptr::null_mut(), &mut count)?;
        let mut counts = vec![0; count];
        ask(counts.as_mut_ptr(), &mut count)?;
        Ok(counts)
    }

    /// A mask at the picture's size.
    ///
    /// # Errors
    /// If the canvas has another size.
    pub fn binary(&self, index: u32, canvas: &mut ImageMut<'_>) -> Result<()> {
        let handle = self.handle.as_ptr();
        // SAFETY: the handle is open; the canvas borrows its pixels for the call.
        let status = unsafe { self.library().api().rotomask_automatic_binary(handle, index, &canvas.raw) };
        self.library().check(status)
    }
}

unsafe extern "C" fn ask_to_stop(user: *mut c_void, _done: u64, _total: u64) -> i32 {
    // SAFETY: `user` is the flag that the caller of `generate` holds.
    let stop = unsafe { &*user.cast::<AtomicBool>() };
    i32::from(stop.load(Ordering::Relaxed))
}

impl Drop for Automatic {
    fn drop(&mut self) {
        // SAFETY: opened once, closed once.
        unsafe { self.library().api().rotomask_automatic_close(self.handle.as_ptr()) }
    }
}
