//! One picture, no memory, across the boundary.

use std::ffi::c_char;
use std::slice;
use std::sync::Arc;

use engine::frame::PixelFormat;
use engine::image::{Candidate, ImageOptions, ImagePredictor, ImagePrompts, Prediction};
use engine::mask::{Cleaning, LogitPlane, Wanted};
use engine::model::{Cancel, Model};
use engine::prompt::{Box, Click, MAX_CLICKS};

use crate::frame::{view, view_mut};
use crate::guard::{Handle, Held, borrow, guard, hand_over, last_error_of, take_back, with};
use crate::model::rotomask_model;
use crate::sized::{Sized32, check_place, init, sized, taken, taken_or_fresh, tell};
use crate::status::{Failure, ROTOMASK_ERROR_ARGUMENT, ROTOMASK_ERROR_PROMPT, rotomask_status};
use crate::types::*;
use crate::units::Units;

/// A picture that was looked at, and the last answer about it. It is used by one thread at a time (others wait), but
/// for `rotomask_image_cancel`.
pub struct rotomask_image {
    held: Held<Pictured>,
    cancel: Arc<Cancel>,
}

pub(crate) struct Pictured {
    predictor: ImagePredictor,
    units: Units,
    answer: Option<Prediction>,
}

/// How masks of a picture are made of logits.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct rotomask_image_options {
    /// `sizeof(rotomask_image_options)`
    pub struct_size: u32,
    /// Holes of up to so many cells of the decoder's logits are filled; 0 for none.
    pub max_hole_area: u32,
    /// Specks of up to so many cells are taken away; 0 for none.
    pub max_sprinkle_area: u32,
    /// Above this logit a pixel is the object's.
    pub mask_threshold: f32,
    /// What clicks and boxes are counted in: a `ROTOMASK_UNITS_*`.
    pub units: rotomask_units,
}

/// A click on a picture, in the units of its `rotomask_image_options`. It never grows.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct rotomask_point {
    /// From the left.
    pub x: f32,
    /// From the top.
    pub y: f32,
    /// 1 for a place on the object, 0 for one that is not.
    pub positive: u32,
}

/// What is said about the one thing that is looked for. Borrowed for one call.
#[repr(C)]
pub struct rotomask_image_prompts {
    /// `sizeof(rotomask_image_prompts)`
    pub struct_size: u32,
    /// How many points there are, at most 256.
    pub point_count: u32,
    /// The points; null for none.
    pub points: *const rotomask_point,
    /// Logits of an earlier answer, as `rotomask_image_logits` gave them: GRAY_F32; null for none.
    pub mask_input: *const rotomask_frame,
    /// 1: `bounds` counts.
    pub has_box: u32,
    /// The box: its left, top, right and bottom edge, in the units of the `rotomask_image_options`.
    pub bounds: [f32; 4],
    /// 1 for three candidates, 0 for one.
    pub multimask_output: u32,
}

/// One of the masks that the prompts can mean.
#[repr(C)]
pub struct rotomask_candidate {
    /// `sizeof(rotomask_candidate)`
    pub struct_size: u32,
    /// Columns of the logits.
    pub logits_width: u32,
    /// Rows of the logits.
    pub logits_height: u32,
    /// How well the model believes to have met the object, 0 to 1.
    pub predicted_iou: f32,
    /// How little the mask changes with its threshold, 0 to 1.
    pub stability_score: f32,
    /// A logit, the same for all candidates: above 0, the model believes that there is an object.
    pub object_score: f32,
    /// The mask's pixels.
    pub area_px: u64,
    /// Left, top, and one past the last column and row; all 0 for an empty mask.
    pub bounds_px: [u32; 4],
}

sized!(rotomask_candidate);

impl Handle for rotomask_image {
    type Value = Pictured;
    const NAME: &'static str = "image";
    fn held(&self) -> &Held<Pictured> {
        &self.held
    }
}

// SAFETY: it is `repr(C)`, begins with its size, and has only numbers and pointers after it.
unsafe impl Sized32 for rotomask_image_options {
    const NAME: &'static str = "rotomask_image_options";
    fn fresh() -> Self {
        let ImageOptions { mask_threshold, cleaning, .. } = ImageOptions::default();
        Self {
            struct_size: size_of::<Self>() as u32,
            max_hole_area: cleaning.max_hole_cells,
            max_sprinkle_area: cleaning.max_speck_cells,
            mask_threshold,
            units: ROTOMASK_UNITS_PIXELS,
        }
    }
}

/// Fills in the reference's defaults.
/// `size` is `sizeof(rotomask_image_options)`; `options` is null or the caller's. [any thread]
///
/// # Safety
/// `options` is null or valid for writes of `size` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rotomask_image_options_init(options: *mut rotomask_image_options, size: usize) {
    // SAFETY: the contract above.
    unsafe { init(options, size) };
}

// SAFETY: it is `repr(C)`, begins with its size, and has only numbers and pointers after it.
unsafe impl Sized32 for rotomask_image_prompts {
    const NAME: &'static str = "rotomask_image_prompts";
    fn fresh() -> Self {
        Self {
            struct_size: size_of::<Self>() as u32,
            point_count: 0,
            points: std::ptr::null(),
            mask_input: std::ptr::null(),
            has_box: 0,
            bounds: [0.0; 4],
            multimask_output: 1,
        }
    }
}

/// Nothing said, three candidates.
/// `size` is `sizeof(rotomask_image_prompts)`; `prompts` is null or the caller's. [any thread]
///
/// # Safety
/// `prompts` is null or valid for writes of `size` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rotomask_image_prompts_init(prompts: *mut rotomask_image_prompts, size: usize) {
    // SAFETY: the contract above.
    unsafe { init(prompts, size) };
}

/// Opens a place for pictures, of any size and one after the other.
///
/// `options` may be null. On success `*image` is the caller's, to be closed with `rotomask_image_close`; on failure it
/// is untouched. Returns ROTOMASK_OK, ROTOMASK_ERROR_NULL, ROTOMASK_ERROR_ARGUMENT, ROTOMASK_ERROR_RUNTIME or
/// ROTOMASK_ERROR_PANIC. [any thread]
///
/// # Safety
/// `model` is null or open; `options` is null or valid; `image` is null or valid for writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rotomask_image_open(
    model: *const rotomask_model,
    options: *const rotomask_image_options,
    image: *mut *mut rotomask_image,
) -> rotomask_status {
    let open = || {
        // SAFETY: the contract above.
        let model = unsafe { rotomask_model::shared(model) }?;
        // SAFETY: the contract above.
        opened(model, &unsafe { taken_or_fresh(options) }?)
    };
    // SAFETY: the contract above.
    guard(|| unsafe { hand_over(image, "image", open) })
}

pub(crate) fn opened(model: Arc<Model>, options: &rotomask_image_options) -> Result<rotomask_image, Failure> {
    let units = Units::of(options.units)?;
    let wanted = ImageOptions {
        mask_threshold: options.mask_threshold,
        cleaning: Cleaning {
            max_hole_cells: options.max_hole_area,
            max_speck_cells: options.max_sprinkle_area,
        },
    };
    let predictor = ImagePredictor::new(model, wanted)?;
    let cancel = predictor.cancel_switch();
    Ok(rotomask_image { held: Held::new(Pictured { predictor, units, answer: None }), cancel })
}

/// Closes it. Null does nothing. No call may be running on it. [any thread]
///
/// # Safety
/// `image` is null or open, and not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rotomask_image_close(image: *mut rotomask_image) {
    // SAFETY: the contract above.
    unsafe { take_back(image) };
}

/// Stops what runs on it, or what runs next if nothing does: that call returns ROTOMASK_ERROR_CANCELLED.
///
/// Returns ROTOMASK_OK, ROTOMASK_ERROR_NULL or ROTOMASK_ERROR_PANIC. [any thread, also while another uses it]
///
/// # Safety
/// `image` is null or open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rotomask_image_cancel(image: *const rotomask_image) -> rotomask_status {
    guard(|| {
        // SAFETY: the contract above. Only the switch is touched, which is made for other threads.
        unsafe { borrow(image, "image") }?.cancel.ask();
        Ok(())
    })
}

/// The sentence of the last call on it that failed, whichever thread made it; "" if none has.
///
/// `buffer` and `size` are as in `rotomask_info`.
/// Returns ROTOMASK_OK, ROTOMASK_ERROR_NULL, ROTOMASK_ERROR_BUFFER or ROTOMASK_ERROR_PANIC. [any thread, also while
/// another uses it]
///
/// # Safety
/// `image` is null or open; `size` is null or valid; `buffer` is null or has `*size` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rotomask_image_last_error(
    image: *const rotomask_image,
    buffer: *mut c_char,
    size: *mut usize,
) -> rotomask_status {
    // SAFETY: the contract above.
    unsafe { last_error_of(image, buffer, size) }
}

/// Looks at a picture, once for all questions about it. The picture before and its answer are forgotten.
///
/// `picture` is borrowed for this call.
/// Returns ROTOMASK_OK, ROTOMASK_ERROR_NULL, ROTOMASK_ERROR_ARGUMENT, ROTOMASK_ERROR_FRAME, ROTOMASK_ERROR_RUNTIME,
/// ROTOMASK_ERROR_CANCELLED or ROTOMASK_ERROR_PANIC. [one thread at a time] [blocks]
///
/// # Safety
/// `image` is null or open; `picture` is null or valid, with all of its rows.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rotomask_image_set(
    image: *mut rotomask_image,
    picture: *const rotomask_frame,
) -> rotomask_status {
    let set = |pictured: &mut Pictured| {
        // SAFETY: the contract above.
        let picture = unsafe { view(picture, "picture") }?;
        pictured.answer = None;
        Ok(pictured.predictor.set_image(picture)?)
    };
    // SAFETY: the contract above.
    unsafe { with(image, set) }
}

/// Answers a question about the picture. The answer before is gone.
///
/// `prompts` is borrowed for this call; `*count` gets the number of candidates, 3 or 1, and is untouched on failure.
/// Candidates come in the decoder's order, not by quality.
/// Returns ROTOMASK_OK, ROTOMASK_ERROR_NULL, ROTOMASK_ERROR_ARGUMENT, ROTOMASK_ERROR_FRAME, ROTOMASK_ERROR_PROMPT,
/// ROTOMASK_ERROR_STATE, ROTOMASK_ERROR_RUNTIME, ROTOMASK_ERROR_CANCELLED or ROTOMASK_ERROR_PANIC.
/// [one thread at a time] [blocks]
///
/// # Safety
/// `image` is null or open; `prompts` and `count` are null or valid, with all that they point to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rotomask_image_predict(
    image: *mut rotomask_image,
    prompts: *const rotomask_image_prompts,
    count: *mut u32,
) -> rotomask_status {
    let answer = |pictured: &mut Pictured| {
        // SAFETY: the contract above.
        let prompts = &unsafe { taken(prompts, "prompts") }?;
        if count.is_null() {
            return Err(Failure::null("count"));
        }
        // SAFETY: the contract above.
        let (mut clicks, mask_input) = unsafe { (clicks(prompts)?, mask_input(prompts)?) };
        let size = pictured.predictor.size()?;
        for click in &mut clicks {
            [click.x_px, click.y_px] = pictured.units.pixels(size, [click.x_px, click.y_px]);
        }
        let [x0, y0, x1, y1] = prompts.bounds;
        let [[x0_px, y0_px], [x1_px, y1_px]] = [[x0, y0], [x1, y1]].map(|at| pictured.units.pixels(size, at));
        let asked = ImagePrompts {
            clicks: &clicks,
            bounds: (prompts.has_box != 0).then_some(Box { x0_px, y0_px, x1_px, y1_px }),
            mask_input: mask_input.as_ref(),
            multimask_output: prompts.multimask_output != 0,
        };
        let answer = pictured.predictor.predict(&asked)?;
        // SAFETY: not null, and the contract above.
        unsafe { count.write(answer.candidates.len() as u32) };
        pictured.answer = Some(answer);
        Ok(())
    };
    // SAFETY: the contract above.
    unsafe { with(image, answer) }
}

/// # Safety
/// `prompts.points` is null or has `point_count` points.
unsafe fn clicks(prompts: &rotomask_image_prompts) -> Result<Vec<Click>, Failure> {
    let count = prompts.point_count as usize;
    if count > MAX_CLICKS {
        let message = format!("prompt: there are {count} points, expected at most {MAX_CLICKS}");
        return Err(Failure::new(ROTOMASK_ERROR_PROMPT, message));
    }
    if count == 0 {
        return Ok(Vec::new());
    }
    // SAFETY: the caller's promise.
    let first = unsafe { borrow(prompts.points, "prompts.points") }?;
    // SAFETY: not null, and the caller's promise.
    let points = unsafe { slice::from_raw_parts(first, count) };
    Ok(points.iter().map(|p| Click { x_px: p.x, y_px: p.y, positive: p.positive != 0 }).collect())
}

/// # Safety
/// `prompts.mask_input` is null or valid, with all of its rows.
unsafe fn mask_input(prompts: &rotomask_image_prompts) -> Result<Option<LogitPlane>, Failure> {
    if prompts.mask_input.is_null() {
        return Ok(None);
    }
    // SAFETY: the caller's promise.
    let logits = unsafe { view(prompts.mask_input, "prompts.mask_input") }?;
    if logits.format() != PixelFormat::GrayF32 {
        let message = format!("prompt: the mask input is {:?}, expected GRAY_F32", logits.format());
        return Err(Failure::new(ROTOMASK_ERROR_PROMPT, message));
    }
    let rows = (0..logits.size().height()).flat_map(|y| logits.row(y).chunks_exact(4));
    let values = rows.map(|b| f32::from_ne_bytes([b[0], b[1], b[2], b[3]])).collect();
    Ok(Some(LogitPlane { size: logits.size(), values }))
}

fn candidate(pictured: &Pictured, index: u32) -> Result<&Candidate, Failure> {
    let answer = pictured.answer.as_ref();
    let answer = answer.ok_or_else(|| engine::Error::State("nothing was predicted yet".into()))?;
    let count = answer.candidates.len();
    answer.candidates.get(index as usize).ok_or_else(|| {
        let message = format!("candidate {index} of {count}, expected 0 to below {count}");
        Failure::new(ROTOMASK_ERROR_ARGUMENT, message)
    })
}

/// Tells what is known of a candidate of the last answer.
///
/// `candidate` is the caller's, its `struct_size` filled in; untouched on failure.
/// Returns ROTOMASK_OK, ROTOMASK_ERROR_NULL, ROTOMASK_ERROR_ARGUMENT, ROTOMASK_ERROR_STATE or ROTOMASK_ERROR_PANIC.
/// [one thread at a time]
///
/// # Safety
/// `image` is null or open; `candidate` is null or valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rotomask_image_candidate(
    image: *const rotomask_image,
    index: u32,
    candidate: *mut rotomask_candidate,
) -> rotomask_status {
    let answer = |pictured: &mut Pictured| {
        // SAFETY: the contract above.
        unsafe { check_place(candidate, "candidate") }?;
        let found = self::candidate(pictured, index)?;
        let told = rotomask_candidate {
            logits_width: found.logits.size.width_px,
            logits_height: found.logits.size.height_px,
            predicted_iou: found.predicted_iou,
            stability_score: found.shape.stability,
            object_score: pictured.answer.as_ref().map_or(0.0, |answer| answer.object_score),
            area_px: found.shape.area_px,
            bounds_px: found.shape.bounds.map_or([0; 4], |b| [b.x0_px, b.y0_px, b.x1_px, b.y1_px]),
            ..rotomask_candidate::fresh()
        };
        // SAFETY: the contract above.
        unsafe { tell(candidate, "candidate", told) }
    };
    // SAFETY: the contract above.
    unsafe { with(image, answer) }
}

/// # Safety
/// As for the three exports that call it.
unsafe fn write_mask(
    image: *const rotomask_image,
    index: u32,
    wanted: Wanted,
    canvas: *const rotomask_canvas,
) -> rotomask_status {
    let write = |pictured: &mut Pictured| {
        let found = candidate(pictured, index)?;
        // SAFETY: the caller's promise.
        let canvas = unsafe { view_mut(canvas, "canvas") }?;
        if wanted == Wanted::Logits {
            return Ok(found.logits.write(wanted, canvas)?);
        }
        let (found_size, want) = (canvas.size(), pictured.predictor.size()?);
        if found_size != want {
            let message = format!("the mask's image is {found_size}, expected the picture's {want}");
            return Err(engine::Error::Frame(message).into());
        }
        Ok(found.mask.write(wanted, canvas)?)
    };
    // SAFETY: the caller's promise.
    unsafe { with(image, write) }
}

/// Writes a candidate's logits, clamped to 32 either sign and never cleaned: a `mask_input` for the next question.
/// GRAY_F32, `logits_width` by `logits_height` of its `rotomask_candidate`.
///
/// `canvas` is the caller's memory, untouched on error.
/// Returns ROTOMASK_OK, ROTOMASK_ERROR_NULL, ROTOMASK_ERROR_ARGUMENT, ROTOMASK_ERROR_FRAME, ROTOMASK_ERROR_STATE or
/// ROTOMASK_ERROR_PANIC. [one thread at a time]
///
/// # Safety
/// `image` is null or open; `canvas` is null or valid, with all of its rows.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rotomask_image_logits(
    image: *const rotomask_image,
    index: u32,
    canvas: *const rotomask_canvas,
) -> rotomask_status {
    // SAFETY: the contract above.
    unsafe { write_mask(image, index, Wanted::Logits, canvas) }
}

/// Writes how likely each pixel is the object's, of the picture's size: GRAY8 0 to 255, or GRAY_F32 0 to 1.
///
/// Returns as `rotomask_image_logits`. [one thread at a time]
///
/// # Safety
/// As `rotomask_image_logits`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rotomask_image_coverage(
    image: *const rotomask_image,
    index: u32,
    canvas: *const rotomask_canvas,
) -> rotomask_status {
    // SAFETY: the contract above.
    unsafe { write_mask(image, index, Wanted::Coverage, canvas) }
}

/// Writes which pixels are the object's, of the picture's size: GRAY8 0 or 255, or GRAY_F32 0 or 1.
///
/// Returns as `rotomask_image_logits`. [one thread at a time]
///
/// # Safety
/// As `rotomask_image_logits`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rotomask_image_binary(
    image: *const rotomask_image,
    index: u32,
    canvas: *const rotomask_canvas,
) -> rotomask_status {
    // SAFETY: the contract above.
    unsafe { write_mask(image, index, Wanted::Binary, canvas) }
}
