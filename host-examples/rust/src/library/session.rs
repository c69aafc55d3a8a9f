//! One shot being followed.

use std::{
    ffi::c_void,
    ptr::{self, NonNull},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use super::{Image, ImageMut, Library, Model, api};
use crate::{Error, Result};

/// How many stages of the model are timed, in the order of [`Session::timings`]: preprocessing, image encoder,
/// memory attention, mask decoder, memory encoder.
pub const STAGES: usize = api::ROTOMASK_STAGE_COUNT as usize;

/// What is known of an object on the frame pushed last.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tracked {
    /// The mask answers prompts; otherwise it was tracked.
    pub prompted: bool,
    /// The model believes that the object is in the frame.
    pub seen: bool,
    /// Width and height of the logits.
    pub logits: [u32; 2],
    /// From 0 to 1.
    pub predicted_iou: f32,
    /// A logit: above 0 the object is seen.
    pub object_score: f32,
}

/// A session: prompts and frames in, masks out. One thread at a time.
pub struct Session {
    model: Arc<Model>,
    handle: NonNull<api::rotomask_session>,
    stop: Option<Arc<AtomicBool>>,
}

// SAFETY: the header asks for one call at a time, from whichever thread; `&mut self` sees to it.
unsafe impl Send for Session {}

impl Session {
    /// Opens an empty session for frames of one size.
    ///
    /// # Errors
    /// If the library refuses.
    pub fn open(model: &Arc<Model>, width: u32, height: u32) -> Result<Self> {
        let mut handle = ptr::null_mut();
        let library = model.library();
        // SAFETY: the model is open and kept so by this session.
        let status =
            unsafe { library.api().rotomask_session_open(model.as_ptr(), width, height, &mut handle) };
        library.check(status)?;
        let handle =
            NonNull::new(handle).ok_or(Error::Bug("librotomask opened no session and said nothing"))?;
        Ok(Self { model: model.clone(), handle, stop: None })
    }

    fn library(&self) -> &Library {
        self.model.library()
    }

    /// Stops the frame that is being worked on, and every later one, once `stop` is set. The call answers
    /// with an error for which [`Error::is_cancelled`] is true.
    ///
    /// # Errors
    /// If the library refuses.
    pub fn stop_at(&mut self, stop: Arc<AtomicBool>) -> Result<()> {
        let user = Arc::as_ptr(&stop).cast_mut().cast();
        // SAFETY: the flag is kept until the session is closed or another flag takes its place.
        let status = unsafe {
            self.library().api().rotomask_session_set_progress(self.handle.as_ptr(), Some(ask_to_stop), user)
        };
        self.library().check(status)?;
        self.stop = Some(stop);
        Ok(())
    }

    /// A click on a frame that will be pushed; in pixels of that frame.
    ///
    /// # Errors
    /// If the library refuses it.
    pub fn click(&mut self, object: u32, frame: u64, [x, y]: [f32; 2], positive: bool) -> Result<()> {
        let (handle, positive) = (self.handle.as_ptr(), u32::from(positive));
        // SAFETY: the handle is open.
        let status =
            unsafe { self.library().api().rotomask_session_click(handle, object, frame, x, y, positive) };
        self.library().check(status)
    }

    /// A box on a frame that will be pushed: left, top, right, bottom in pixels of that frame.
    ///
    /// # Errors
    /// If the library refuses it.
    pub fn r#box(&mut self, object: u32, frame: u64, [x0, y0, x1, y1]: [f32; 4]) -> Result<()> {
        let handle = self.handle.as_ptr();
        // SAFETY: the handle is open.
        let status =
            unsafe { self.library().api().rotomask_session_box(handle, object, frame, x0, y0, x1, y1) };
        self.library().check(status)
    }

    /// A mask of a frame that will be pushed, of that frame's size.
    ///
    /// # Errors
    /// If the library refuses it.
    pub fn mask(&mut self, object: u32, frame: u64, mask: &Image<'_>) -> Result<()> {
        let handle = self.handle.as_ptr();
        // SAFETY: the handle is open; the image borrows its pixels for the call.
        let status = unsafe { self.library().api().rotomask_session_mask(handle, object, frame, &mask.raw) };
        self.library().check(status)
    }

    /// Takes the next frame and finds the objects in it. Blocks for as long as the model needs.
    ///
    /// # Errors
    /// If a prompt means nothing on this frame, the model fails, or the work was stopped.
    pub fn push(&mut self, frame: u64, pixels: &Image<'_>) -> Result<()> {
        let handle = self.handle.as_ptr();
        // SAFETY: the handle is open; the image borrows its pixels for the call.
        let status = unsafe { self.library().api().rotomask_session_push(handle, frame, &pixels.raw) };
        self.library().check(status)
    }

    /// Answers prompts that were added on the frame pushed last, which is not encoded again.
    ///
    /// # Errors
    /// If no frame was pushed, the model fails, or the work was stopped.
    pub fn refine(&mut self) -> Result<()> {
        let handle = self.handle.as_ptr();
        // SAFETY: the handle is open.
        let status = unsafe { self.library().api().rotomask_session_refine(handle) };
        self.library().check(status)
    }

    /// Drops what was tracked. Prompts and their answers stay.
    ///
    /// # Errors
    /// If the library refuses.
    pub fn forget(&mut self) -> Result<()> {
        let handle = self.handle.as_ptr();
        // SAFETY: the handle is open.
        let status = unsafe { self.library().api().rotomask_session_forget(handle) };
        self.library().check(status)
    }

    /// What is known of an object on the frame pushed last.
    ///
    /// # Errors
    /// If no frame was pushed, or there is no such object.
    pub fn result(&self, object: u32) -> Result<Tracked> {
        let mut raw = api::rotomask_result {
            struct_size: size_of::<api::rotomask_result>() as u32,
            prompted: 0,
            seen: 0,
            logits_width: 0,
            logits_height: 0,
            predicted_iou: 0.0,
            object_score: 0.0,
        };
        // SAFETY: the handle is open; the struct states its size.
        let status =
            unsafe { self.library().api().rotomask_session_result(self.handle.as_ptr(), object, &mut raw) };
        self.library().check(status)?;
        Ok(Tracked {
            prompted: raw.prompted != 0,
            seen: raw.seen != 0,
            logits: [raw.logits_width, raw.logits_height],
            predicted_iou: raw.predicted_iou,
            object_score: raw.object_score,
        })
    }

    /// Milliseconds that the stages of the last push took.
    ///
    /// # Errors
    /// If no frame was pushed.
    pub fn timings(&self) -> Result<[f32; STAGES]> {
        let mut raw = api::rotomask_timings {
            struct_size: size_of::<api::rotomask_timings>() as u32,
            stage_ms: [0.0; STAGES],
        };
        // SAFETY: the handle is open; the struct states its size.
        let status = unsafe { self.library().api().rotomask_session_timings(self.handle.as_ptr(), &mut raw) };
        self.library().check(status)?;
        Ok(raw.stage_ms)
    }

    /// An object's mask logits, at the size that [`Session::result`] states.
    ///
    /// # Errors
    /// If the canvas has another size.
    pub fn logits(&self, object: u32, canvas: &mut ImageMut<'_>) -> Result<()> {
        let handle = self.handle.as_ptr();
        // SAFETY: the handle is open; the canvas borrows its pixels for the call.
        let status = unsafe { self.library().api().rotomask_session_logits(handle, object, &canvas.raw) };
        self.library().check(status)
    }

    /// How likely each pixel is the object's, 0 to 1, at the frame's size.
    ///
    /// # Errors
    /// If the canvas has another size.
    pub fn coverage(&self, object: u32, canvas: &mut ImageMut<'_>) -> Result<()> {
        let handle = self.handle.as_ptr();
        // SAFETY: the handle is open; the canvas borrows its pixels for the call.
        let status = unsafe { self.library().api().rotomask_session_coverage(handle, object, &canvas.raw) };
        self.library().check(status)
    }

    /// An object's mask at the frame's size: zero outside.
    ///
    /// # Errors
    /// If the canvas has another size.
    pub fn binary(&self, object: u32, canvas: &mut ImageMut<'_>) -> Result<()> {
        let handle = self.handle.as_ptr();
        // SAFETY: the handle is open; the canvas borrows its pixels for the call.
        let status = unsafe { self.library().api().rotomask_session_binary(handle, object, &canvas.raw) };
        self.library().check(status)
    }
}

unsafe extern "C" fn ask_to_stop(user: *mut c_void, _stage: api::rotomask_stage, _milliseconds: f32) -> i32 {
    // SAFETY: `user` is the flag that the session keeps.
    let stop = unsafe { &*user.cast::<AtomicBool>() };
    i32::from(stop.load(Ordering::Relaxed))
}

impl Drop for Session {
    fn drop(&mut self) {
        // SAFETY: opened once, closed once.
        unsafe { self.library().api().rotomask_session_close(self.handle.as_ptr()) }
    }
}
