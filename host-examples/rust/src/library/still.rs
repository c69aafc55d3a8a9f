//! One picture: questions about it, and all of its masks.

use std::{
    ffi::c_void,
    mem::MaybeUninit,
    ptr::{self, NonNull},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
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
            library.api().rotomask_image_options_init(raw.as_mut_ptr());
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
        let point = |&([x_px, y_px], on): &([f32; 2], bool)| api::rotomask_point {
            x_px,
            y_px,
            positive: u32::from(on),
        };
        let points: Vec<_> = prompts.clicks.iter().map(point).collect();
        let mut count = 0;
        // SAFETY: the init function fills the whole struct; the points outlive the call.
        let status = unsafe {
            let mut raw = MaybeUninit::zeroed();
            self.library().api().rotomask_image_prompts_init(raw.as_mut_ptr());
            let mut raw: api::rotomask_image_prompts = raw.assume_init();
            (raw.point_count, raw.points) = (points.len() as u32, points.as_ptr());
            (raw.has_box, raw.box_px) =
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
        // SAFETY: the init function fills the whole struct; the flag and the pixels outlive the call.
        let status = unsafe {
            let mut raw = MaybeUninit::zeroed();
            library.api().rotomask_automatic_options_init(raw.as_mut_ptr());
            let mut raw: api::rotomask_automatic_options = raw.assume_init();
            let set = |to: &mut u32, from: Option<u32>| *to = from.unwrap_or(*to);
            set(&mut raw.points_per_side, options.points_per_side);
            set(&mut raw.crop_n_layers, options.crop_n_layers);
            set(&mut raw.crop_n_points_downscale_factor, options.crop_n_points_downscale_factor);
            set(&mut raw.min_mask_region_area, options.min_mask_region_area);
            let set = |to: &mut f32, from: Option<f32>| *to = from.unwrap_or(*to);
            set(&mut raw.pred_iou_thresh, options.pred_iou_thresh);
            set(&mut raw.stability_score_thresh, options.stability_score_thresh);
            set(&mut raw.box_nms_thresh, options.box_nms_thresh);
            raw.use_m2m = u32::from(options.use_m2m);
            // Ctrl-C should be heard within a few points.
            raw.points_per_batch = 4;
            let call = Some(ask_to_stop as unsafe extern "C" fn(*mut c_void, u64, u64) -> i32);
            library.api().rotomask_automatic_generate(
                model.as_ptr(),
                &picture.raw,
                &raw,
                call,
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
