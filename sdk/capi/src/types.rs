//! Structs and constants that cross the boundary. Each struct begins with its size as the caller knows it.

use std::ffi::{c_char, c_void};

use crate::status::{Failure, ROTOMASK_ERROR_ARGUMENT};

/// How a pixel lies in memory. Colour is sRGB-encoded and straight.
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

/// What `rotomask_matte_render` writes.
pub type rotomask_view = u32;
/// The subject over the background.
pub const ROTOMASK_VIEW_COMPOSITE: u32 = 0;
/// Coverage as grey.
pub const ROTOMASK_VIEW_MATTE: u32 = 1;
/// The plate, the subject tinted.
pub const ROTOMASK_VIEW_OVERLAY: u32 = 2;
/// The subject over nothing, with alpha.
pub const ROTOMASK_VIEW_CUTOUT: u32 = 3;

/// What a composite has behind the subject.
pub type rotomask_background = u32;
/// `background_colour` of the options.
pub const ROTOMASK_BACKGROUND_COLOUR: u32 = 0;
/// The plate, blurred.
pub const ROTOMASK_BACKGROUND_BLUR: u32 = 1;
/// The picture that is given to `rotomask_matte_render`.
pub const ROTOMASK_BACKGROUND_PICTURE: u32 = 2;

/// What the colour of a result with alpha is.
pub type rotomask_alpha = u32;
/// The subject's own.
pub const ROTOMASK_ALPHA_STRAIGHT: u32 = 0;
/// Multiplied by alpha, in linear light.
pub const ROTOMASK_ALPHA_PREMULTIPLIED: u32 = 1;

/// Where mattes are finished.
pub type rotomask_gpu = u32;
/// On a hardware adapter if there is one, otherwise on the CPU.
pub const ROTOMASK_GPU_AUTO: u32 = 0;
/// On the CPU.
pub const ROTOMASK_GPU_OFF: u32 = 1;
/// On a software adapter such as lavapipe, for tests.
pub const ROTOMASK_GPU_SOFTWARE: u32 = 2;

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
pub struct rotomask_model_options {
    /// `sizeof(rotomask_model_options)`
    pub struct_size: u32,
    /// Threads that a graph may use; 0 for as many as there are cores.
    pub threads: u32,
    /// Path of ONNX Runtime's library, UTF-8. Null: what the environment variable ROTOMASK_ONNXRUNTIME names,
    /// otherwise a library of that name in librotomask's own folder. It is never searched for by name alone.
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

/// How a matte is finished and shown.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct rotomask_matte_options {
    /// `sizeof(rotomask_matte_options)`
    pub struct_size: u32,
    /// A `ROTOMASK_VIEW_*`.
    pub view: rotomask_view,
    /// A `ROTOMASK_BACKGROUND_*`.
    pub background: rotomask_background,
    /// A `ROTOMASK_ALPHA_*`.
    pub alpha: rotomask_alpha,
    /// Pixels that the matte grows by, -64 to 64; below 0 it shrinks.
    pub grow_px: f32,
    /// Softness of the matte's edge in pixels, 0 to 64.
    pub feather_px: f32,
    /// Standard deviation of the blurred plate in pixels, 0 to 64.
    pub background_blur_px: f32,
    /// sRGB-encoded red, green and blue, and alpha, each 0 to 1, straight.
    pub background_colour: [f32; 4],
    /// sRGB-encoded; its alpha is the tint's strength.
    pub overlay_colour: [f32; 4],
}

/// A struct that the caller sized.
pub(crate) trait Sized32 {
    const NAME: &'static str;
    fn struct_size(&self) -> u32;
}

macro_rules! sized {
    ($($name:ident),*) => {$(
        impl $crate::types::Sized32 for $name {
            const NAME: &'static str = stringify!($name);
            fn struct_size(&self) -> u32 {
                self.struct_size
            }
        }
    )*};
}
pub(crate) use sized;

sized!(
    rotomask_frame,
    rotomask_canvas,
    rotomask_model_options,
    rotomask_result,
    rotomask_salvaged,
    rotomask_session_options,
    rotomask_timings,
    rotomask_track_report,
    rotomask_track_request,
    rotomask_matte_options
);

/// Refuses a struct that the caller has not sized, or that was compiled against another ABI.
pub(crate) fn check_size<T: Sized32>(value: &T) -> Result<(), Failure> {
    let (found, want) = (value.struct_size(), size_of::<T>());
    if found as usize == want {
        return Ok(());
    }
    let message = format!("{}: `struct_size` is {found}, expected {want}", T::NAME);
    Err(Failure::new(ROTOMASK_ERROR_ARGUMENT, message))
}
