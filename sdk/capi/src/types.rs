//! Structs and constants that cross the boundary. Each struct begins with its size as the caller knows it.

use std::ffi::{c_char, c_void};

use crate::matte_settings::rotomask_matte_settings;
use crate::sized::sized;
use crate::status::{Failure, ROTOMASK_ERROR_ARGUMENT};

/// How a pixel lies in memory. Alpha is straight. Colour is sRGB-encoded, unless a matte's settings say otherwise.
pub type rotomask_format = u32;
/// Red, green, blue, alpha, a byte each.
pub const ROTOMASK_FORMAT_RGBA8: u32 = 1;
/// Blue, green, red, alpha, a byte each.
pub const ROTOMASK_FORMAT_BGRA8: u32 = 2;
/// Red, green, blue, a byte each.
pub const ROTOMASK_FORMAT_RGB8: u32 = 3;
/// One byte: coverage from 0 to 255, or a mask.
pub const ROTOMASK_FORMAT_GRAY8: u32 = 4;
/// One float: coverage from 0 to 1, or a logit. Pixels and stride are multiples of 4 bytes.
pub const ROTOMASK_FORMAT_GRAY_F32: u32 = 5;
/// Red, green, blue, alpha, a native-endian number from 0 to 65535 each. Pixels and stride are multiples of 2 bytes,
/// here and for all below up to GRAY_F16.
pub const ROTOMASK_FORMAT_RGBA16: u32 = 6;
/// Blue, green, red, alpha, 16 bits each.
pub const ROTOMASK_FORMAT_BGRA16: u32 = 7;
/// Red, green, blue, 16 bits each.
pub const ROTOMASK_FORMAT_RGB16: u32 = 8;
/// 16 bits of coverage, or a mask.
pub const ROTOMASK_FORMAT_GRAY16: u32 = 9;
/// Red, green, blue, alpha, an IEEE half each. Colour may leave the range from 0 to 1, also in floats.
pub const ROTOMASK_FORMAT_RGBA_F16: u32 = 10;
/// Blue, green, red, alpha, a half each.
pub const ROTOMASK_FORMAT_BGRA_F16: u32 = 11;
/// Red, green, blue, a half each.
pub const ROTOMASK_FORMAT_RGB_F16: u32 = 12;
/// One half of coverage.
pub const ROTOMASK_FORMAT_GRAY_F16: u32 = 13;
/// Red, green, blue, alpha, a float each. Pixels and stride are multiples of 4 bytes, here and below.
pub const ROTOMASK_FORMAT_RGBA_F32: u32 = 14;
/// Blue, green, red, alpha, a float each.
pub const ROTOMASK_FORMAT_BGRA_F32: u32 = 15;
/// Red, green, blue, a float each.
pub const ROTOMASK_FORMAT_RGB_F32: u32 = 16;

/// Where mattes are finished.
pub type rotomask_gpu = u32;
/// On a hardware adapter if there is one, otherwise on the CPU.
pub const ROTOMASK_GPU_AUTO: u32 = 0;
/// On the CPU.
pub const ROTOMASK_GPU_OFF: u32 = 1;
/// On a software adapter such as lavapipe, for tests.
pub const ROTOMASK_GPU_SOFTWARE: u32 = 2;
/// On the adapter that is named.
pub const ROTOMASK_GPU_ADAPTER: u32 = 3;

/// Pixels to read. Borrowed for one call; nothing of it is kept.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct rotomask_frame {
    /// `sizeof(rotomask_frame)`
    pub struct_size: u32,
    /// A `ROTOMASK_FORMAT_*`.
    pub format: rotomask_format,
    /// 1 to 16384.
    pub width_px: u32,
    /// 1 to 16384.
    pub height_px: u32,
    /// From a row's first byte to that of the row below it. Negative where the bottom row lies first in memory.
    pub stride_bytes: i64,
    /// The first pixel of the top row.
    pub pixels: *const c_void,
}

/// Pixels to write. Borrowed for one call; untouched on error, and never between rows.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct rotomask_canvas {
    /// `sizeof(rotomask_canvas)`
    pub struct_size: u32,
    /// A `ROTOMASK_FORMAT_*`.
    pub format: rotomask_format,
    /// 1 to 16384.
    pub width_px: u32,
    /// 1 to 16384.
    pub height_px: u32,
    /// From a row's first byte to that of the row below it. Negative where the bottom row lies first in memory.
    pub stride_bytes: i64,
    /// The first pixel of the top row.
    pub pixels: *mut c_void,
}

/// How a model is opened.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct rotomask_model_options {
    /// `sizeof(rotomask_model_options)`
    pub struct_size: u32,
    /// Threads that a graph may use; 0 for as many as there are cores.
    pub threads: u32,
    /// Path of ONNX Runtime's library, UTF-8. Null: what the environment variable ROTOMASK_ONNXRUNTIME names,
    /// otherwise a library of that name in the folder `rotomask` beside librotomask, or beside it. It is never searched for
    /// by name alone.
    pub onnxruntime: *const c_char,
    /// Who may compute, in the order in which they are asked, such as "cuda,cpu": cpu, cuda, tensorrt, directml,
    /// coreml, migraphx, rocm, openvino. Null or "": the CPU alone.
    pub providers: *const c_char,
    /// The number of the GPU, for providers that use one, 0 to 255.
    pub device: u32,
    /// 1: the same bits in every run and with any number of threads, at some cost of speed on a GPU.
    pub deterministic: u32,
    /// The most bytes that a provider may take on its device for each of the four graphs; 0 for no limit.
    pub device_memory_bytes: u64,
}

/// What is known of one object on the frame that was pushed last.
#[repr(C)]
pub struct rotomask_result {
    /// `sizeof(rotomask_result)`
    pub struct_size: u32,
    /// 1: the mask answers prompts on this very frame; 0: it was tracked.
    pub prompted: u32,
    /// 1: the model believes that the object is in the frame.
    pub seen: u32,
    /// Columns of the mask's logits.
    pub logits_width: u32,
    /// Rows of the mask's logits.
    pub logits_height: u32,
    /// How well the model believes to have met the object, 0 to 1.
    pub predicted_iou: f32,
    /// A logit: above 0, the object is in the frame.
    pub object_score: f32,
}

/// What places are counted in.
pub type rotomask_units = u32;
/// Pixels from the frame's top left. (0, 0) is the middle of the first pixel, as SAM 2 counts, so that a click on the
/// pixel in column 7 and row 3 is at (7, 3); clicks go from 0 to below width and height. A box goes from edge to edge:
/// (0, 0) to (width, height) is the whole frame.
pub const ROTOMASK_UNITS_PIXELS: u32 = 0;
/// Shares of the frame's width and height, 0 at the left and the top, 1 at the right and the bottom, whatever its size in
/// pixels; clicks go from 0 to below 1. They are multiplied by width and height, and then are pixels.
pub const ROTOMASK_UNITS_NORMALISED: u32 = 1;

/// What a session keeps of frames that were answered.
pub type rotomask_keep = u32;
/// What tracking on needs: prompted frames, and a window around the frame that was pushed last.
pub const ROTOMASK_KEEP_WINDOW: u32 = 0;
/// Every answer, in a temporary file that vanishes with the session.
pub const ROTOMASK_KEEP_TEMPORARY: u32 = 1;
/// Every answer, in the file of `path`. One that is there is gone on with.
pub const ROTOMASK_KEEP_FILE: u32 = 2;

/// How a session behaves. Options that SAM 2's predictor has carry its names.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct rotomask_session_options {
    /// `sizeof(rotomask_session_options)`
    pub struct_size: u32,
    /// A `ROTOMASK_KEEP_*`.
    pub keep: rotomask_keep,
    /// With ROTOMASK_KEEP_FILE the file, UTF-8, borrowed for the call; otherwise null.
    pub path: *const c_char,
    /// 1: logits are kept, and used, in half precision, which halves the file.
    pub half_precision: u32,
    /// 1: where masks overlap, only the likeliest object keeps the pixel.
    pub non_overlap_masks: u32,
    /// The most bytes of host memory for answers, features and recollections; 0: answers that a file has take up to
    /// 256 MiB, all else what it takes.
    pub memory_ceiling: u64,
    /// Holes of at most so many logits are filled; -1 for the reference's share of the mask.
    pub fill_hole_area: i32,
    /// 1: a correction on a tracked frame conditions every frame that is tracked from then on.
    pub add_all_frames_to_correct_as_cond: u32,
    /// 1: what was tracked around a correction is forgotten.
    pub clear_non_cond_mem_around_input: u32,
    /// The most prompted frames that a frame recalls as such, at least 2; -1 for all.
    pub max_cond_frames_in_attn: i32,
    /// Recent memories beyond the last frame come from every so-many-th frame, 1 to 64.
    pub memory_temporal_stride_for_eval: u32,
    /// 1: nothing is recalled across a cut.
    pub detect_cuts: u32,
    /// What clicks and boxes are counted in: a `ROTOMASK_UNITS_*`.
    pub units: rotomask_units,
    /// 0.
    pub reserved: u32,
}

/// Which way an object is followed.
pub type rotomask_direction = u32;
/// From earlier frames to later ones.
pub const ROTOMASK_FORWARD: u32 = 0;
/// From later frames to earlier ones.
pub const ROTOMASK_REVERSE: u32 = 1;

/// What of a mask is written.
pub type rotomask_mask = u32;
/// As the model gave it: GRAY_F32, of the logits' own size.
pub const ROTOMASK_MASK_LOGITS: u32 = 0;
/// How likely each pixel is the object's: GRAY8 0 to 255, or GRAY_F32 0 to 1, of the session's size.
pub const ROTOMASK_MASK_COVERAGE: u32 = 1;
/// Which pixels are the object's: GRAY8 0 or 255, or GRAY_F32 0 or 1, of the session's size.
pub const ROTOMASK_MASK_BINARY: u32 = 2;

/// Which frames `rotomask_session_track` goes over.
pub type rotomask_way = u32;
/// From the start to later frames.
pub const ROTOMASK_WAY_FORWARD: u32 = 0;
/// From the start to earlier frames.
pub const ROTOMASK_WAY_REVERSE: u32 = 1;
/// To later frames, then to earlier ones.
pub const ROTOMASK_WAY_BOTH: u32 = 2;
/// What prompts have made wrong since it was tracked, each frame the way it was tracked before.
pub const ROTOMASK_WAY_OUTDATED: u32 = 3;

/// No frame: for limits that are not set.
pub const ROTOMASK_NO_FRAME: u64 = u64::MAX;

/// What is to be tracked.
#[repr(C)]
pub struct rotomask_track_request {
    /// `sizeof(rotomask_track_request)`
    pub struct_size: u32,
    /// A `ROTOMASK_WAY_*`.
    pub way: rotomask_way,
    /// Where tracking starts; ROTOMASK_NO_FRAME for the first prompted frame.
    pub start: u64,
    /// No frame before it is tracked: the in point.
    pub first: u64,
    /// No frame after it is tracked: the out point; ROTOMASK_NO_FRAME for the shot's end.
    pub last: u64,
    /// How many frames beyond the start are tracked at most, to each side; ROTOMASK_NO_FRAME for all.
    pub max_frames: u64,
    /// 1: track anew what was tracked and still holds; 0: pass over it.
    pub overwrite: u32,
    /// 0.
    pub reserved: u32,
}

/// A stretch of an object's frames.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct rotomask_stretch {
    /// The object.
    pub object: u32,
    /// A direction: ROTOMASK_FORWARD or ROTOMASK_REVERSE.
    pub direction: rotomask_direction,
    /// The first frame.
    pub first: u64,
    /// The last frame.
    pub last: u64,
}

/// Why tracking ended.
pub type rotomask_stopped = u32;
/// All that was asked for is done.
pub const ROTOMASK_STOPPED_DONE: u32 = 0;
/// What comes next lies behind a cut, and nothing was said of anything there.
pub const ROTOMASK_STOPPED_AT_CUT: u32 = 1;
/// A callback wanted no more, or `rotomask_session_cancel` was called.
pub const ROTOMASK_STOPPED_BY_CALLER: u32 = 2;

/// What tracking did.
#[repr(C)]
pub struct rotomask_track_report {
    /// `sizeof(rotomask_track_report)`
    pub struct_size: u32,
    /// A `ROTOMASK_STOPPED_*`.
    pub stopped: rotomask_stopped,
    /// With ROTOMASK_STOPPED_AT_CUT the first frame after the cut that was not tracked.
    pub stopped_at: u64,
    /// Frames that were passed over because what was known of them holds.
    pub kept: u64,
    /// The caller's memory for what was tracked, or null.
    pub stretches: *mut rotomask_stretch,
    /// How many `stretches` has room for.
    pub capacity: usize,
    /// How many there were; those beyond `capacity` are not written.
    pub count: usize,
}

/// A part of the work on a frame.
pub type rotomask_stage = u32;
/// Resize and normalise.
pub const ROTOMASK_STAGE_PREPROCESS: u32 = 0;
/// The frame to features.
pub const ROTOMASK_STAGE_IMAGE_ENCODER: u32 = 1;
/// Features held against memories.
pub const ROTOMASK_STAGE_MEMORY_ATTENTION: u32 = 2;
/// Features and prompts to masks.
pub const ROTOMASK_STAGE_MASK_DECODER: u32 = 3;
/// A mask to a memory.
pub const ROTOMASK_STAGE_MEMORY_ENCODER: u32 = 4;
/// How many stages there are.
pub const ROTOMASK_STAGE_COUNT: usize = 5;

/// How long the last `rotomask_session_push` or `rotomask_session_refine` took.
#[repr(C)]
pub struct rotomask_timings {
    /// `sizeof(rotomask_timings)`
    pub struct_size: u32,
    /// Milliseconds by `ROTOMASK_STAGE_*`, summed over objects.
    pub stage_ms: [f32; ROTOMASK_STAGE_COUNT],
}

/// What came out of a damaged session file.
#[repr(C)]
pub struct rotomask_salvaged {
    /// `sizeof(rotomask_salvaged)`
    pub struct_size: u32,
    /// 0
    pub reserved: u32,
    /// Objects, those that have lost their names as well.
    pub objects: u64,
    /// Frames with prompts, summed over objects.
    pub prompts: u64,
    /// Masks, summed over objects.
    pub answers: u64,
    /// Rows that could not be read. Rows of places that are gone altogether can't be counted.
    pub lost: u64,
    /// Places that could not be read.
    pub gaps: u64,
}

/// How a matte chain is opened.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct rotomask_matte_options {
    /// `sizeof(rotomask_matte_options)`
    pub struct_size: u32,
    /// A `ROTOMASK_GPU_*`.
    pub gpu: rotomask_gpu,
    /// The most bytes of the computer's memory that a frame may take while it is finished, the caller's own pixels left
    /// out; 0 for the library's own choice. Larger frames go in parts.
    pub host_memory_bytes: u64,
    /// The same of a GPU's memory.
    pub device_memory_bytes: u64,
    /// With ROTOMASK_GPU_ADAPTER: its place among the `adapters` of `rotomask_info`, from 0, or a part of its name, UTF-8,
    /// borrowed for the call; otherwise null.
    pub adapter: *const c_char,
}

/// What an object does to those before it.
pub type rotomask_combine = u32;
/// The sum, at most full: objects that touch leave no seam.
pub const ROTOMASK_COMBINE_ADD: u32 = 0;
/// Takes the object away.
pub const ROTOMASK_COMBINE_SUBTRACT: u32 = 1;
/// Keeps what both cover.
pub const ROTOMASK_COMBINE_INTERSECT: u32 = 2;
/// The lower of the two.
pub const ROTOMASK_COMBINE_MIN: u32 = 3;
/// The higher of the two.
pub const ROTOMASK_COMBINE_MAX: u32 = 4;
/// The product.
pub const ROTOMASK_COMBINE_MULTIPLY: u32 = 5;

/// What the status view's badge tells of a frame.
pub type rotomask_badge = u32;
/// Nothing was tracked here: grey.
pub const ROTOMASK_BADGE_UNTRACKED: u32 = 0;
/// Somebody said here what the object is: green.
pub const ROTOMASK_BADGE_PROMPTED: u32 = 1;
/// Tracked: blue.
pub const ROTOMASK_BADGE_TRACKED: u32 = 2;
/// Tracked, and worth a look: amber.
pub const ROTOMASK_BADGE_REVIEW: u32 = 3;
/// What should be here can't be read: red.
pub const ROTOMASK_BADGE_MISSING: u32 = 4;

/// An object's mask on a frame near the one that is finished.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct rotomask_neighbour {
    /// `sizeof(rotomask_neighbour)`
    pub struct_size: u32,
    /// How many frames later it is: -2 to 2, and not 0.
    pub offset: i32,
    /// Of the same kind as the layer's own.
    pub mask: *const rotomask_frame,
}

/// One object of a frame that is finished.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct rotomask_layer {
    /// `sizeof(rotomask_layer)`
    pub struct_size: u32,
    /// What `mask` holds: ROTOMASK_MASK_LOGITS, GRAY_F32 of any size, whose zero contour is the edge; otherwise
    /// ROTOMASK_MASK_COVERAGE, grey of any depth, or a picture's alpha. Coverage smaller than the plate is read as a
    /// contour, at a half; of the plate's size it is taken as it is. Either covers the plate's whole area.
    pub kind: rotomask_mask,
    /// The object's mask on this frame.
    pub mask: *const rotomask_frame,
    /// Its masks on frames around this one, for what looks at several; null for none.
    pub neighbours: *const rotomask_neighbour,
    /// How many: at most 4.
    pub neighbour_count: usize,
    /// How this object's edge is finished; null: as the job's settings say.
    pub settings: *const rotomask_matte_settings,
    /// A `ROTOMASK_COMBINE_*`. The first object begins with nothing.
    pub combine: rotomask_combine,
    /// 1: no later object takes anything of this one away.
    pub keep: u32,
}

/// A part of a frame.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct rotomask_window {
    /// `sizeof(rotomask_window)`
    pub struct_size: u32,
    /// Its left column.
    pub x_px: u32,
    /// Its top row.
    pub y_px: u32,
    /// Columns, at least 1.
    pub width_px: u32,
    /// Rows, at least 1.
    pub height_px: u32,
}

/// One frame to finish. All that it points to is borrowed for the call.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct rotomask_matte_job {
    /// `sizeof(rotomask_matte_job)`
    pub struct_size: u32,
    /// For the status view: a `ROTOMASK_BADGE_*`.
    pub badge: rotomask_badge,
    /// How to finish and show it; null: the defaults.
    pub settings: *const rotomask_matte_settings,
    /// The frame's number, at which keyframes are read.
    pub frame: u64,
    /// The picture, in colour, of any depth.
    pub plate: *const rotomask_frame,
    /// The objects, combined in this order; null for none: the matte is empty.
    pub layers: *const rotomask_layer,
    /// How many: at most 255.
    pub layer_count: usize,
    /// What is dropped: coverage or alpha, of the plate's size. Or null.
    pub garbage: *const rotomask_frame,
    /// What stands before the subject: coverage or alpha, of the plate's size. Or null.
    pub holdout: *const rotomask_frame,
    /// What the background "picture" shows, of the plate's size and depth. Or null.
    pub background: *const rotomask_frame,
    /// For the transfer "curve": linear light at even steps of the code from 0 to 1, rising. Or null.
    pub curve: *const f32,
    /// How many points: 2 to 65536.
    pub curve_count: usize,
    /// The part of the plate that the result is; null: all of it.
    pub window: *const rotomask_window,
    /// The plate's columns in one of the full-resolution frame: 1, or below for a proxy, 1/64 to 8. Settings' lengths
    /// are the full frame's.
    pub scale_x: f64,
    /// The same of rows.
    pub scale_y: f64,
}

pub(crate) fn unknown(name: &str, found: u32, want: &str) -> Failure {
    Failure::new(ROTOMASK_ERROR_ARGUMENT, format!("`{name}` is {found}, expected a {want}"))
}

sized!(
    rotomask_frame,
    rotomask_canvas,
    rotomask_result,
    rotomask_salvaged,
    rotomask_timings,
    rotomask_track_report
);
