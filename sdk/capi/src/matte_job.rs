//! A job for the matte chain, as it comes across the boundary.

use std::slice;

use engine::frame::{FrameView, PixelFormat, Size};
use engine::matte::{
    Combine, Curve, Layer, Logits, Mask, MatteJob, MatteSettings, Neighbour, Status, Window,
};

use crate::frame::view;
use crate::matte_settings::rotomask_matte_settings;
use crate::sized::{Sized32, init, taken, taken_each};
use crate::status::{Failure, ROTOMASK_ERROR_ARGUMENT, ROTOMASK_ERROR_FRAME};
use crate::types::*;

/// More objects than any shot has; beyond it a count is a mistake.
const MOST_LAYERS: usize = 255;
/// Neighbours on each side, times two.
const MOST_NEIGHBOURS: usize = 4;

// SAFETY: it is `repr(C)`, begins with its size, and has only numbers and pointers after it.
unsafe impl Sized32 for rotomask_matte_job {
    const NAME: &'static str = "rotomask_matte_job";
    fn fresh() -> Self {
        Self {
            struct_size: size_of::<Self>() as u32,
            badge: ROTOMASK_BADGE_UNTRACKED,
            settings: std::ptr::null(),
            frame: 0,
            plate: std::ptr::null(),
            layers: std::ptr::null(),
            layer_count: 0,
            garbage: std::ptr::null(),
            holdout: std::ptr::null(),
            background: std::ptr::null(),
            curve: std::ptr::null(),
            curve_count: 0,
            window: std::ptr::null(),
            scale_x: 1.0,
            scale_y: 1.0,
        }
    }
}

/// Fills in the defaults: no object, the whole plate at full resolution.
/// `size` is `sizeof(rotomask_matte_job)`; `job` is null or the caller's. [any thread]
///
/// # Safety
/// `job` is null or valid for writes of `size` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rotomask_matte_job_init(job: *mut rotomask_matte_job, size: usize) {
    // SAFETY: the contract above.
    unsafe { init(job, size) };
}

// SAFETY: it is `repr(C)`, begins with its size, and has only numbers and pointers after it.
unsafe impl Sized32 for rotomask_layer {
    const NAME: &'static str = "rotomask_layer";
    fn fresh() -> Self {
        Self {
            struct_size: size_of::<Self>() as u32,
            kind: ROTOMASK_MASK_LOGITS,
            mask: std::ptr::null(),
            neighbours: std::ptr::null(),
            neighbour_count: 0,
            settings: std::ptr::null(),
            combine: ROTOMASK_COMBINE_ADD,
            keep: 0,
        }
    }
}

/// Fills in the defaults: logits that are added, no neighbours.
/// `size` is `sizeof(rotomask_layer)`; `layer` is null or the caller's. [any thread]
///
/// # Safety
/// `layer` is null or valid for writes of `size` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rotomask_layer_init(layer: *mut rotomask_layer, size: usize) {
    // SAFETY: the contract above.
    unsafe { init(layer, size) };
}

// SAFETY: it is `repr(C)`, begins with its size, and has only numbers and pointers after it.
unsafe impl Sized32 for rotomask_neighbour {
    const NAME: &'static str = "rotomask_neighbour";
    fn fresh() -> Self {
        Self { struct_size: size_of::<Self>() as u32, offset: -1, mask: std::ptr::null() }
    }
}

/// Fills in the defaults: the frame before, no mask.
/// `size` is `sizeof(rotomask_neighbour)`; `neighbour` is null or the caller's. [any thread]
///
/// # Safety
/// `neighbour` is null or valid for writes of `size` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rotomask_neighbour_init(neighbour: *mut rotomask_neighbour, size: usize) {
    // SAFETY: the contract above.
    unsafe { init(neighbour, size) };
}

// SAFETY: it is `repr(C)`, begins with its size, and has only numbers and pointers after it.
unsafe impl Sized32 for rotomask_window {
    const NAME: &'static str = "rotomask_window";
    fn fresh() -> Self {
        Self { struct_size: size_of::<Self>() as u32, x_px: 0, y_px: 0, width_px: 1, height_px: 1 }
    }
}

/// Fills in the defaults: the top left pixel.
/// `size` is `sizeof(rotomask_window)`; `window` is null or the caller's. [any thread]
///
/// # Safety
/// `window` is null or valid for writes of `size` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rotomask_window_init(window: *mut rotomask_window, size: usize) {
    // SAFETY: the contract above.
    unsafe { init(window, size) };
}

/// A mask with the numbers that were copied for it.
enum Given<'a> {
    Logits(Size, Vec<f32>),
    Coverage(FrameView<'a>),
}

impl Given<'_> {
    fn mask(&self) -> Result<Mask<'_>, Failure> {
        Ok(match self {
            Self::Logits(size, values) => Mask::Logits(Logits::new(*size, values)?),
            Self::Coverage(view) => Mask::Coverage(*view),
        })
    }
}

struct GivenLayer<'a> {
    mask: Given<'a>,
    combine: Combine,
    keep: bool,
    settings: Option<MatteSettings>,
    neighbours: Vec<(i32, Given<'a>)>,
}

/// Reads a job and works on it.
///
/// # Safety
/// `job` is null or valid, and so is all that it points to, for as long as this runs.
pub(crate) unsafe fn with_job<T>(
    job: *const rotomask_matte_job,
    work: impl FnOnce(&MatteJob<'_>) -> Result<T, Failure>,
) -> Result<T, Failure> {
    // SAFETY: the caller's promise, here and for all that follows.
    let job = unsafe { taken(job, "job") }?;
    // SAFETY: as above.
    let settings = unsafe { settings_at(job.settings, job.frame) }?.unwrap_or_default();
    // SAFETY: as above.
    let plate = unsafe { view(job.plate, "plate") }?;
    // SAFETY: as above.
    let layers = unsafe { taken_each(job.layers, job.layer_count, MOST_LAYERS, "layers") }?;
    // SAFETY: as above.
    let given = layers.iter().map(|layer| unsafe { layer_of(layer, job.frame) });
    let given = given.collect::<Result<Vec<_>, _>>()?;
    // SAFETY: as above.
    let curve = match unsafe { list(job.curve, job.curve_count, 65_536, "curve") }? {
        [] => None,
        points => Some(Curve::new(points.to_vec())?),
    };
    // SAFETY: as above.
    let [garbage, holdout, picture] = unsafe {
        [
            optional(job.garbage, "garbage")?,
            optional(job.holdout, "holdout")?,
            optional(job.background, "background")?,
        ]
    };
    let badge = match job.badge {
        ROTOMASK_BADGE_UNTRACKED => Status::Untracked,
        ROTOMASK_BADGE_PROMPTED => Status::Prompted,
        ROTOMASK_BADGE_TRACKED => Status::Tracked,
        ROTOMASK_BADGE_REVIEW => Status::Review,
        ROTOMASK_BADGE_MISSING => Status::Missing,
        other => return Err(unknown("badge", other, "ROTOMASK_BADGE")),
    };
    // SAFETY: as above.
    let window = match job.window.is_null() {
        true => None,
        // SAFETY: as above.
        false => Some(part(&unsafe { taken(job.window, "window") }?)?),
    };
    let around = given.iter().map(|layer| {
        let neighbours = layer.neighbours.iter();
        neighbours.map(|(frame, given)| Ok(Neighbour { frame: *frame, mask: given.mask()? })).collect()
    });
    let around = around.collect::<Result<Vec<Vec<_>>, Failure>>()?;
    let layers = given.iter().zip(&around).map(|(layer, neighbours)| {
        Ok(Layer {
            neighbours,
            combine: layer.combine,
            keep: layer.keep,
            settings: layer.settings.as_ref(),
            ..Layer::new(layer.mask.mask()?)
        })
    });
    let layers = layers.collect::<Result<Vec<_>, Failure>>()?;
    work(&MatteJob {
        garbage,
        holdout,
        picture,
        curve: curve.as_ref(),
        status: badge,
        window,
        scale: [job.scale_x, job.scale_y].into(),
        ..MatteJob::new(plate, &layers, &settings)
    })
}

/// # Safety
/// `settings` is null or open.
unsafe fn settings_at(
    settings: *const rotomask_matte_settings,
    frame: u64,
) -> Result<Option<MatteSettings>, Failure> {
    // SAFETY: the caller's promise.
    unsafe { settings.as_ref() }.map(|settings| settings.at(frame)).transpose()
}

/// # Safety
/// `frame` is null or valid, with all of its rows, for as long as the result lives.
unsafe fn optional<'a>(frame: *const rotomask_frame, name: &str) -> Result<Option<FrameView<'a>>, Failure> {
    match frame.is_null() {
        true => Ok(None),
        // SAFETY: the caller's promise.
        false => unsafe { view(frame, name) }.map(Some),
    }
}

/// # Safety
/// `first` is null or the first of `count`, valid for as long as the result lives.
unsafe fn list<'a, T>(first: *const T, count: usize, most: usize, name: &str) -> Result<&'a [T], Failure> {
    if count > most {
        let message = format!("`{name}` are {count}, expected at most {most}");
        return Err(Failure::new(ROTOMASK_ERROR_ARGUMENT, message));
    }
    match (count, first.is_null()) {
        (0, _) => Ok(&[]),
        (_, true) => Err(Failure::null(name)),
        // SAFETY: not null, and the caller's promise.
        _ => Ok(unsafe { slice::from_raw_parts(first, count) }),
    }
}

/// # Safety
/// What the layer points to is valid for as long as the result lives.
unsafe fn layer_of<'a>(layer: &rotomask_layer, frame: u64) -> Result<GivenLayer<'a>, Failure> {
    let combine = match layer.combine {
        ROTOMASK_COMBINE_ADD => Combine::Add,
        ROTOMASK_COMBINE_SUBTRACT => Combine::Subtract,
        ROTOMASK_COMBINE_INTERSECT => Combine::Intersect,
        ROTOMASK_COMBINE_MIN => Combine::Min,
        ROTOMASK_COMBINE_MAX => Combine::Max,
        ROTOMASK_COMBINE_MULTIPLY => Combine::Multiply,
        other => return Err(unknown("combine", other, "ROTOMASK_COMBINE")),
    };
    // SAFETY: the caller's promise.
    let near = unsafe { taken_each(layer.neighbours, layer.neighbour_count, MOST_NEIGHBOURS, "neighbours") }?;
    let neighbours = near.iter().map(|neighbour| {
        // SAFETY: the caller's promise.
        Ok((neighbour.offset, unsafe { given(layer.kind, neighbour.mask, "neighbour.mask") }?))
    });
    let neighbours = neighbours.collect::<Result<Vec<_>, Failure>>()?;
    Ok(GivenLayer {
        // SAFETY: the caller's promise.
        mask: unsafe { given(layer.kind, layer.mask, "mask") }?,
        combine,
        keep: layer.keep != 0,
        // SAFETY: the caller's promise.
        settings: unsafe { settings_at(layer.settings, frame) }?,
        neighbours,
    })
}

/// # Safety
/// `mask` is null or valid, with all of its rows, for as long as the result lives.
unsafe fn given<'a>(
    kind: rotomask_mask,
    mask: *const rotomask_frame,
    name: &str,
) -> Result<Given<'a>, Failure> {
    // SAFETY: the caller's promise.
    let mask = unsafe { view(mask, name) }?;
    match kind {
        ROTOMASK_MASK_LOGITS => Ok(Given::Logits(mask.size(), packed(mask)?)),
        ROTOMASK_MASK_COVERAGE | ROTOMASK_MASK_BINARY => Ok(Given::Coverage(mask)),
        other => Err(unknown("kind", other, "ROTOMASK_MASK")),
    }
}

fn part(window: &rotomask_window) -> Result<Window, Failure> {
    let rotomask_window { x_px, y_px, width_px, height_px, .. } = *window;
    if width_px == 0 || height_px == 0 {
        let message = format!("frame: its window is {width_px}x{height_px}, expected at least 1x1");
        return Err(Failure::new(ROTOMASK_ERROR_FRAME, message));
    }
    Ok(Window { x_px, y_px, size: Size { width_px, height_px } })
}

/// The plane's rows without gaps.
fn packed(plane: FrameView<'_>) -> Result<Vec<f32>, Failure> {
    if plane.format() != PixelFormat::GrayF32 {
        let message = format!("frame: the logits have the format {:?}, expected GrayF32", plane.format());
        return Err(Failure::new(ROTOMASK_ERROR_FRAME, message));
    }
    let rows = (0..plane.size().height()).flat_map(|y| plane.row(y).chunks_exact(4));
    Ok(rows.map(|b| f32::from_ne_bytes([b[0], b[1], b[2], b[3]])).collect())
}
