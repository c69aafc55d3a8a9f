//! From masks that nobody asked for to objects of a session, across the boundary.

use std::ffi::c_void;
use std::slice;

use engine::automatic::{AutomaticMask, ObjectOptions, propose_objects};
use engine::session::Session;

use crate::automatic::{
    rotomask_automatic, rotomask_automatic_callback, rotomask_automatic_options, tell, wanted,
};
use crate::frame::view;
use crate::guard::{borrow, guard, hand_over, with};
use crate::session::rotomask_session;
use crate::sized::{Sized32, init, taken_or_fresh};
use crate::status::{Failure, rotomask_status};
use crate::types::*;

/// Which masks become objects.
#[repr(C)]
pub struct rotomask_object_options {
    /// `sizeof(rotomask_object_options)`
    pub struct_size: u32,
    /// At most so many, 1 to 256; for `rotomask_session_add_automatic` those that are there already included.
    pub max_objects: u32,
    /// Smaller ones are dropped, as a share of the picture, 0 to 1.
    pub min_area: f32,
    /// Larger ones are dropped as background, as a share of the picture, 0 to 1.
    pub max_area: f32,
    /// A mask is dropped if less than this share of it is left beside better ones, 0 to 1.
    pub min_uncovered: f32,
    /// How much a whole is preferred to its parts, 0 to 1: 0 looks at the score alone.
    pub size_weight: f32,
    /// A mask that overlaps an object of the session by at least this IoU is that object, and becomes none; 0 to 1. Only
    /// looked at by `rotomask_session_add_automatic`.
    pub iou_threshold: f32,
}

// SAFETY: it is `repr(C)`, begins with its size, and has only numbers and pointers after it.
unsafe impl Sized32 for rotomask_object_options {
    const NAME: &'static str = "rotomask_object_options";
    fn fresh() -> Self {
        let o = ObjectOptions::default();
        Self {
            struct_size: size_of::<Self>() as u32,
            max_objects: o.max_objects,
            min_area: o.min_area,
            max_area: o.max_area,
            min_uncovered: o.min_uncovered,
            size_weight: o.size_weight,
            iou_threshold: o.iou_threshold,
        }
    }
}

/// Fills in defaults.
/// `size` is `sizeof(rotomask_object_options)`; `options` is null or the caller's. [any thread]
///
/// # Safety
/// `options` is null or valid for writes of `size` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rotomask_object_options_init(options: *mut rotomask_object_options, size: usize) {
    // SAFETY: the contract above.
    unsafe { init(options, size) };
}

/// Chooses objects that can be followed among masks of a picture: none covers another, the best first.
///
/// `options` may be null. On success `*objects` is the caller's, to be closed with `rotomask_automatic_close`; on failure
/// it is untouched. Each object is written by `rotomask_automatic_binary`, as a mask that `rotomask_session_mask` takes.
/// Returns ROTOMASK_OK, ROTOMASK_ERROR_NULL, ROTOMASK_ERROR_ARGUMENT or ROTOMASK_ERROR_PANIC. [any thread]
///
/// # Safety
/// `masks` is null or open; `options` is null or valid; `objects` is null or valid for writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rotomask_automatic_objects(
    masks: *const rotomask_automatic,
    options: *const rotomask_object_options,
    objects: *mut *mut rotomask_automatic,
) -> rotomask_status {
    let choose = || {
        // SAFETY: the contract above.
        let masks = &unsafe { borrow(masks, "masks") }?.masks;
        // SAFETY: the contract above.
        let wanted = unsafe { chosen(options) }?;
        let objects = propose_objects(masks, &wanted)?.into_iter().map(|object| AutomaticMask {
            rle: object.rle,
            area_px: object.area_px,
            bounds: object.bounds,
            ..masks[object.mask].clone()
        });
        Ok(rotomask_automatic { masks: objects.collect() })
    };
    // SAFETY: the contract above.
    guard(|| unsafe { hand_over(objects, "objects", choose) })
}

/// # Safety
/// `options` is null or valid.
unsafe fn chosen(options: *const rotomask_object_options) -> Result<ObjectOptions, Failure> {
    // SAFETY: the caller's promise.
    let options = unsafe { taken_or_fresh(options) }?;
    Ok(ObjectOptions {
        max_objects: options.max_objects,
        min_area: options.min_area,
        max_area: options.max_area,
        min_uncovered: options.min_uncovered,
        size_weight: options.size_weight,
        iou_threshold: options.iou_threshold,
    })
}

/// Takes a frame as `rotomask_session_push` does, looks for objects on it, and adds those that the session doesn't know
/// yet: each with the mask that was found as its prompt, answered at once. On a later frame it adds what has come into
/// view since.
///
/// `search` and `objects` may be null, and so may `callback`, which gets `user` back and must not use the session. The
/// new objects get the lowest numbers that are free; they are written into `added`, the best first. `*count` takes how
/// many numbers `added` has room for and gives how many objects were added; 256 is always enough. With too little room,
/// or `added` null, they are added all the same. Undo takes back one object at a time.
/// Returns ROTOMASK_OK, ROTOMASK_ERROR_NULL, ROTOMASK_ERROR_ARGUMENT, ROTOMASK_ERROR_FRAME, ROTOMASK_ERROR_RUNTIME,
/// ROTOMASK_ERROR_SESSION, ROTOMASK_ERROR_CANCELLED or ROTOMASK_ERROR_PANIC; `added` and `*count` are then untouched.
/// `rotomask_session_cancel` stops it. [one thread at a time] [blocks]
///
/// # Safety
/// `session` is null or open; `pixels` is null or valid, with all of its rows; `search` and `objects` are null or valid,
/// with all that they point to; `count` is null or valid; `added` is null or has `*count` numbers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rotomask_session_add_automatic(
    session: *mut rotomask_session,
    frame: u64,
    pixels: *const rotomask_frame,
    search: *const rotomask_automatic_options,
    objects: *const rotomask_object_options,
    callback: rotomask_automatic_callback,
    user: *mut c_void,
    added: *mut u32,
    count: *mut usize,
) -> rotomask_status {
    let add = |session: &mut Session| {
        // SAFETY: the contract above.
        let pixels = unsafe { view(pixels, "pixels") }?;
        // SAFETY: the contract above.
        let (search, objects) = unsafe { (wanted(search)?, chosen(objects)?) };
        // SAFETY: the contract above.
        let room = *unsafe { borrow(count, "count") }?;
        // SAFETY: the host vouches for callback and `user`.
        let mut tell = |done, total| unsafe { tell(callback, user, done, total) };
        let found = session.add_automatic(frame, pixels, &search, &objects, &mut tell)?;
        // SAFETY: it was read before, and the contract above.
        unsafe { count.write(found.len()) };
        if !added.is_null() {
            let told = found.len().min(room);
            // SAFETY: not null, and there is room for as many numbers as are told.
            unsafe { slice::from_raw_parts_mut(added, told) }.copy_from_slice(&found[..told]);
        }
        Ok(())
    };
    // SAFETY: the contract above.
    unsafe { with(session, add) }
}
