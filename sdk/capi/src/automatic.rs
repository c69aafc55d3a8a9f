//! Every mask of a picture, across the boundary.

use std::ffi::{c_char, c_void};
use std::ops::ControlFlow;
use std::slice;

use engine::automatic::{AutomaticMask, AutomaticMaskGenerator, AutomaticOptions, GridPoint};
use engine::mask::Bounds;

use crate::frame::{view, view_mut};
use crate::guard::{borrow, guard, hand_over, take_back};
use crate::model::rotomask_model;
use crate::sized::{self, Sized32, check_place, init, sized, taken_or_fresh};
use crate::status::{Failure, ROTOMASK_ERROR_ARGUMENT, ROTOMASK_ERROR_BUFFER, rotomask_status};
use crate::text::copy_out;
use crate::types::*;

/// Masks of one picture. They never change, so that any number of threads may read them.
pub struct rotomask_automatic {
    pub(crate) masks: Vec<AutomaticMask>,
}

/// How masks are looked for, and which are kept: the names and defaults are those of SAM 2's own generator.
#[repr(C)]
pub struct rotomask_automatic_options {
    /// `sizeof(rotomask_automatic_options)`
    pub struct_size: u32,
    /// Points along each side of the grid, 1 to 256.
    pub points_per_side: u32,
    /// After how many points progress is told.
    pub points_per_batch: u32,
    /// How many times the picture is cut into four times as many parts, each looked at on its own; 0 to 5.
    pub crop_n_layers: u32,
    /// The grid's side in layer n is divided by this to the power of n; from 1.
    pub crop_n_points_downscale_factor: u32,
    /// Holes and specks up to this size are cleaned away, in cells of the decoder's logits.
    pub min_mask_region_area: u32,
    /// 1: every mask is asked for again, with itself as mask input.
    pub use_m2m: u32,
    /// 1 for three masks a point, 0 for one.
    pub multimask_output: u32,
    /// Masks of no higher predicted IoU are dropped; 0 keeps all.
    pub pred_iou_thresh: f32,
    /// Masks of a lower stability score are dropped; 0 keeps all.
    pub stability_score_thresh: f32,
    /// By how much the threshold is moved to see how stable a mask is.
    pub stability_score_offset: f32,
    /// Above this logit a pixel is the object's.
    pub mask_threshold: f32,
    /// Of two masks whose boxes overlap by more, the less sure one goes; 0 to 1.
    pub box_nms_thresh: f32,
    /// As `box_nms_thresh`, between parts: the mask of the smaller part stays.
    pub crop_nms_thresh: f32,
    /// By how much of the picture's shorter side the first layer's parts overlap; 0 to 0.99.
    pub crop_overlap_ratio: f64,
    /// Points in place of grids, x and y each 0 to 1, one layer after the other; null for grids.
    pub point_grids: *const f64,
    /// How many points each of the `crop_n_layers` + 1 layers has; only read where there are `point_grids`.
    pub point_counts: *const u32,
}

/// One mask of a picture.
#[repr(C)]
pub struct rotomask_automatic_mask {
    /// `sizeof(rotomask_automatic_mask)`
    pub struct_size: u32,
    /// How well the model believes to have met a thing, 0 to 1.
    pub predicted_iou: f32,
    /// How little the mask changes with its threshold, 0 to 1.
    pub stability_score: f32,
    /// The point that was asked about, in pixels from the left and from the top.
    pub point_coords: [f32; 2],
    /// Left, top, and one past the last column and row.
    pub bounds_px: [u32; 4],
    /// The part of the picture that was looked at, in the same way.
    pub crop_box_px: [u32; 4],
    /// The mask's columns: the picture's.
    pub width_px: u32,
    /// The mask's rows.
    pub height_px: u32,
    /// The mask's pixels.
    pub area_px: u64,
}

sized!(rotomask_automatic_mask);

/// Is told how many points were asked about and of how many; anything but 0 stops the work. It is called on the
/// thread that generates.
pub type rotomask_automatic_callback =
    Option<unsafe extern "C" fn(user: *mut c_void, done: u64, total: u64) -> i32>;

// SAFETY: it is `repr(C)`, begins with its size, and has only numbers and pointers after it.
unsafe impl Sized32 for rotomask_automatic_options {
    const NAME: &'static str = "rotomask_automatic_options";
    fn fresh() -> Self {
        let o = AutomaticOptions::default();
        Self {
            struct_size: size_of::<Self>() as u32,
            points_per_side: o.points_per_side,
            points_per_batch: o.points_per_batch,
            crop_n_layers: o.crop_n_layers,
            crop_n_points_downscale_factor: o.crop_n_points_downscale_factor,
            min_mask_region_area: o.min_mask_region_area,
            use_m2m: u32::from(o.use_m2m),
            multimask_output: u32::from(o.multimask_output),
            pred_iou_thresh: o.pred_iou_thresh,
            stability_score_thresh: o.stability_score_thresh,
            stability_score_offset: o.stability_score_offset,
            mask_threshold: o.mask_threshold,
            box_nms_thresh: o.box_nms_thresh,
            crop_nms_thresh: o.crop_nms_thresh,
            crop_overlap_ratio: o.crop_overlap_ratio,
            point_grids: std::ptr::null(),
            point_counts: std::ptr::null(),
        }
    }
}

/// Fills in the reference's defaults.
/// `size` is `sizeof(rotomask_automatic_options)`; `options` is null or the caller's. [any thread]
///
/// # Safety
/// `options` is null or valid for writes of `size` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rotomask_automatic_options_init(
    options: *mut rotomask_automatic_options,
    size: usize,
) {
    // SAFETY: the contract above.
    unsafe { init(options, size) };
}

/// Finds the masks of a picture by asking about points all over it.
///
/// `picture` is borrowed for this call; `options` may be null, and so may `callback`, which gets `user` back.
/// On success `*masks` is the caller's, to be closed with `rotomask_automatic_close`; on failure it is untouched.
/// Returns ROTOMASK_OK, ROTOMASK_ERROR_NULL, ROTOMASK_ERROR_ARGUMENT, ROTOMASK_ERROR_FRAME, ROTOMASK_ERROR_RUNTIME,
/// ROTOMASK_ERROR_CANCELLED or ROTOMASK_ERROR_PANIC. [any thread] [blocks]
///
/// # Safety
/// `model` is null or open; each pointer is null or valid, with all that it points to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rotomask_automatic_generate(
    model: *const rotomask_model,
    picture: *const rotomask_frame,
    options: *const rotomask_automatic_options,
    callback: rotomask_automatic_callback,
    user: *mut c_void,
    masks: *mut *mut rotomask_automatic,
) -> rotomask_status {
    let generate = || {
        // SAFETY: the contract above.
        let model = unsafe { rotomask_model::shared(model) }?;
        // SAFETY: the contract above.
        let picture = unsafe { view(picture, "picture") }?;
        // SAFETY: the contract above.
        let options = unsafe { wanted(options) }?;
        // SAFETY: the host vouches for callback and `user`.
        let mut tell = |done, total| unsafe { tell(callback, user, done, total) };
        let masks = AutomaticMaskGenerator::new(model, options)?.generate(picture, &mut tell)?;
        Ok(rotomask_automatic { masks })
    };
    // SAFETY: the contract above.
    guard(|| unsafe { hand_over(masks, "masks", generate) })
}

/// Tells the host how far the search is.
///
/// # Safety
/// The host vouches for `callback` and `user`.
pub(crate) unsafe fn tell(
    callback: rotomask_automatic_callback,
    user: *mut c_void,
    done: usize,
    total: usize,
) -> ControlFlow<()> {
    // SAFETY: the caller's promise.
    match callback.is_some_and(|tell| unsafe { tell(user, done as u64, total as u64) } != 0) {
        true => ControlFlow::Break(()),
        false => ControlFlow::Continue(()),
    }
}

/// The options of a search; the defaults for null.
///
/// # Safety
/// `options` is null or valid. Its `point_grids` is null, or `point_counts` has a number for each layer and
/// `point_grids` as many pairs as they say.
pub(crate) unsafe fn wanted(options: *const rotomask_automatic_options) -> Result<AutomaticOptions, Failure> {
    // SAFETY: the caller's promise.
    let options = unsafe { taken_or_fresh(options) }?;
    // SAFETY: the caller's promise.
    let point_grids = unsafe { point_grids(&options) }?;
    Ok(AutomaticOptions {
        points_per_side: options.points_per_side,
        points_per_batch: options.points_per_batch,
        pred_iou_thresh: options.pred_iou_thresh,
        stability_score_thresh: options.stability_score_thresh,
        stability_score_offset: options.stability_score_offset,
        mask_threshold: options.mask_threshold,
        box_nms_thresh: options.box_nms_thresh,
        crop_n_layers: options.crop_n_layers,
        crop_nms_thresh: options.crop_nms_thresh,
        crop_overlap_ratio: options.crop_overlap_ratio,
        crop_n_points_downscale_factor: options.crop_n_points_downscale_factor,
        point_grids,
        min_mask_region_area: options.min_mask_region_area,
        use_m2m: options.use_m2m != 0,
        multimask_output: options.multimask_output != 0,
    })
}

/// # Safety
/// As [`wanted`].
unsafe fn point_grids(options: &rotomask_automatic_options) -> Result<Option<Vec<Vec<GridPoint>>>, Failure> {
    /// Far above what the engine takes: only against numbers that can't be meant.
    const MOST: u32 = 1 << 20;
    if options.point_grids.is_null() {
        return Ok(None);
    }
    // SAFETY: the caller's promise.
    let first = unsafe { borrow(options.point_counts, "options.point_counts") }?;
    let layers = options.crop_n_layers.min(64) as usize + 1;
    // SAFETY: not null, and the caller's promise.
    let counts = unsafe { slice::from_raw_parts(first, layers) };
    if let Some(count) = counts.iter().find(|count| **count > MOST) {
        let message = format!("point_counts: found {count}, expected 0 to {MOST}");
        return Err(Failure::new(ROTOMASK_ERROR_ARGUMENT, message));
    }
    let mut next = options.point_grids;
    let grids = counts.iter().map(|&count| {
        // SAFETY: the caller's promise: pairs for every layer, one layer after the other.
        let pairs = unsafe { slice::from_raw_parts(next, 2 * count as usize) };
        next = next.wrapping_add(pairs.len());
        pairs.chunks_exact(2).map(|pair| [pair[0], pair[1]]).collect()
    });
    Ok(Some(grids.collect()))
}

/// Closes masks or objects. Null does nothing. [any thread]
///
/// # Safety
/// `masks` is null or open, and not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rotomask_automatic_close(masks: *mut rotomask_automatic) {
    // SAFETY: the contract above.
    unsafe { take_back(masks) };
}

/// How many there are.
///
/// Returns ROTOMASK_OK, ROTOMASK_ERROR_NULL or ROTOMASK_ERROR_PANIC. [any thread]
///
/// # Safety
/// `masks` is null or open; `count` is null or valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rotomask_automatic_count(
    masks: *const rotomask_automatic,
    count: *mut u32,
) -> rotomask_status {
    guard(|| {
        // SAFETY: the contract above.
        let masks = unsafe { borrow(masks, "masks") }?;
        if count.is_null() {
            return Err(Failure::null("count"));
        }
        // SAFETY: not null, and the contract above.
        unsafe { count.write(masks.masks.len() as u32) };
        Ok(())
    })
}

/// # Safety
/// `masks` is null or open for as long as the result lives.
unsafe fn mask<'a>(masks: *const rotomask_automatic, index: u32) -> Result<&'a AutomaticMask, Failure> {
    // SAFETY: the caller's promise.
    let masks = &unsafe { borrow(masks, "masks") }?.masks;
    let count = masks.len();
    masks.get(index as usize).ok_or_else(|| {
        let message = format!("mask {index} of {count}, expected 0 to below {count}");
        Failure::new(ROTOMASK_ERROR_ARGUMENT, message)
    })
}

/// Tells what is known of a mask.
///
/// `mask` is the caller's, its `struct_size` filled in; untouched on failure.
/// Returns ROTOMASK_OK, ROTOMASK_ERROR_NULL, ROTOMASK_ERROR_ARGUMENT or ROTOMASK_ERROR_PANIC. [any thread]
///
/// # Safety
/// `masks` is null or open; `mask` is null or valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rotomask_automatic_describe(
    masks: *const rotomask_automatic,
    index: u32,
    mask: *mut rotomask_automatic_mask,
) -> rotomask_status {
    guard(|| {
        // SAFETY: the contract above.
        let found = unsafe { self::mask(masks, index) }?;
        // SAFETY: the contract above.
        unsafe { check_place(mask, "mask") }?;
        let corners = |b: Bounds| [b.x0_px, b.y0_px, b.x1_px, b.y1_px];
        let told = rotomask_automatic_mask {
            predicted_iou: found.predicted_iou,
            stability_score: found.stability_score,
            point_coords: found.point_coords,
            bounds_px: corners(found.bounds),
            crop_box_px: corners(found.crop_box),
            width_px: found.rle.size().width_px,
            height_px: found.rle.size().height_px,
            area_px: found.area_px,
            ..rotomask_automatic_mask::fresh()
        };
        // SAFETY: the contract above.
        unsafe { sized::tell(mask, "mask", told) }
    })
}

/// A mask as COCO's compressed run lengths.
///
/// `buffer` and `size` are as in `rotomask_info`.
/// Returns ROTOMASK_OK, ROTOMASK_ERROR_NULL, ROTOMASK_ERROR_ARGUMENT, ROTOMASK_ERROR_BUFFER or ROTOMASK_ERROR_PANIC.
/// [any thread]
///
/// # Safety
/// `masks` is null or open; `size` is null or valid; `buffer` is null or has `*size` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rotomask_automatic_rle(
    masks: *const rotomask_automatic,
    index: u32,
    buffer: *mut c_char,
    size: *mut usize,
) -> rotomask_status {
    guard(|| {
        // SAFETY: the contract above.
        let text = unsafe { mask(masks, index) }?.rle.compressed();
        // SAFETY: the contract above.
        unsafe { copy_out(&text, buffer, size) }
    })
}

/// A mask's run lengths: background, object, background and so on, column by column from the top left.
///
/// `*count` takes how many numbers `counts` has room for and gives how many there are; with `counts` null, only that.
/// Returns ROTOMASK_OK, ROTOMASK_ERROR_NULL, ROTOMASK_ERROR_ARGUMENT, ROTOMASK_ERROR_BUFFER or ROTOMASK_ERROR_PANIC.
/// [any thread]
///
/// # Safety
/// `masks` is null or open; `count` is null or valid; `counts` is null or has `*count` numbers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rotomask_automatic_run_lengths(
    masks: *const rotomask_automatic,
    index: u32,
    counts: *mut u32,
    count: *mut usize,
) -> rotomask_status {
    guard(|| {
        // SAFETY: the contract above.
        let found = unsafe { mask(masks, index) }?.rle.counts();
        if count.is_null() {
            return Err(Failure::null("count"));
        }
        // SAFETY: not null, and the contract above.
        let room = unsafe { count.replace(found.len()) };
        if counts.is_null() {
            return Ok(());
        }
        if room < found.len() {
            let message = format!("the buffer has {room} numbers, expected {}", found.len());
            return Err(Failure::new(ROTOMASK_ERROR_BUFFER, message));
        }
        // SAFETY: there is room for all of them.
        unsafe { counts.copy_from_nonoverlapping(found.as_ptr(), found.len()) };
        Ok(())
    })
}

/// Writes which pixels are the mask's, of the picture's size: GRAY8 0 or 255, or GRAY_F32 0 or 1.
///
/// `canvas` is the caller's memory, untouched on error.
/// Returns ROTOMASK_OK, ROTOMASK_ERROR_NULL, ROTOMASK_ERROR_ARGUMENT, ROTOMASK_ERROR_FRAME or ROTOMASK_ERROR_PANIC.
/// [any thread]
///
/// # Safety
/// `masks` is null or open; `canvas` is null or valid, with all of its rows.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rotomask_automatic_binary(
    masks: *const rotomask_automatic,
    index: u32,
    canvas: *const rotomask_canvas,
) -> rotomask_status {
    guard(|| {
        // SAFETY: the contract above.
        let found = unsafe { mask(masks, index) }?;
        // SAFETY: the contract above.
        Ok(found.rle.write(unsafe { view_mut(canvas, "canvas") }?)?)
    })
}
