//! One shot being followed.

use std::{
    ffi::{CString, c_void},
    mem::MaybeUninit,
    path::Path,
    ptr::{self, NonNull},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use serde::Deserialize;

use super::{Image, ImageMut, Library, Model, api, c_path};
use crate::{Error, Result, picture::Picture};

/// How many stages of the model are timed, in the order of [`Session::timings`]: preprocessing, image encoder,
/// memory attention, mask decoder, memory encoder.
pub const STAGES: usize = api::ROTOMASK_STAGE_COUNT as usize;

/// What is known of an object on the frame pushed last.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
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

/// What a session keeps of frames that were answered.
#[derive(Clone, Copy, Debug)]
pub enum Keep<'a> {
    /// What following on needs.
    Window,
    /// Everything, for as long as the session is open.
    Temporary,
    /// Everything, in a file.
    File(&'a Path),
}

/// Where the library gets frames that it asks for by number.
pub trait Frames {
    /// A frame, or `None` beyond the last. It is asked for in the order of tracking.
    ///
    /// # Errors
    /// If it can't be read.
    fn frame(&mut self, index: u64) -> Result<Option<&Picture>>;
}

/// What a session knows, as far as this program asks.
#[derive(Debug, Deserialize)]
pub struct Knowledge {
    /// The objects, in the order of their numbers.
    pub objects: Vec<KnownObject>,
    /// Frames whose prompts wait to be answered.
    pub waiting: Vec<u64>,
}

impl Knowledge {
    /// What was said of an object on a frame.
    pub fn said(&self, object: u32, frame: u64) -> Option<&KnownPrompts> {
        let object = self.objects.iter().find(|known| known.id == object)?;
        object.prompts.iter().find(|known| known.frame == frame)
    }

    /// Objects of which something was said.
    pub fn prompted(&self) -> impl Iterator<Item = u32> {
        self.objects.iter().filter(|object| !object.prompts.is_empty()).map(|object| object.id)
    }

    /// The earliest frame on which something was said.
    pub fn first(&self) -> Option<u64> {
        self.objects.iter().flat_map(|object| &object.prompts).map(|said| said.frame).min()
    }
}

/// What is known of an object.
#[derive(Debug, Deserialize)]
pub struct KnownObject {
    /// Its number.
    pub id: u32,
    /// What was said of it, in the order of frames.
    pub prompts: Vec<KnownPrompts>,
}

/// What was said of an object on a frame.
#[derive(Debug, Deserialize)]
pub struct KnownPrompts {
    /// The frame.
    pub frame: u64,
    /// x, y, and whether it is on the object.
    pub clicks: Vec<(f32, f32, bool)>,
    /// Left, top, right, bottom.
    pub r#box: Option<[f32; 4]>,
    /// Whether a mask was given.
    pub masked: bool,
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
        Self::open_keeping(model, [width, height], Keep::Window, true)
    }

    /// Opens a session for frames of one size. A file that is there is gone on with. `cuts`: nothing is recalled
    /// across a cut.
    ///
    /// # Errors
    /// If the library refuses, such as a file of another clip's size or another model.
    pub fn open_keeping(
        model: &Arc<Model>,
        [width, height]: [u32; 2],
        keep: Keep<'_>,
        cuts: bool,
    ) -> Result<Self> {
        let library = model.library();
        let (keep, path) = match keep {
            Keep::Window => (api::ROTOMASK_KEEP_WINDOW, None),
            Keep::Temporary => (api::ROTOMASK_KEEP_TEMPORARY, None),
            Keep::File(path) => (api::ROTOMASK_KEEP_FILE, Some(c_path(path)?)),
        };
        let mut options = MaybeUninit::uninit();
        // SAFETY: `_init` writes every field.
        let mut options = unsafe {
            library.api().rotomask_session_options_init(options.as_mut_ptr(), size_of_val(&options));
            options.assume_init()
        };
        options.keep = keep;
        options.path = path.as_ref().map_or(ptr::null(), |path| path.as_ptr());
        options.detect_cuts = u32::from(cuts);
        let mut handle = ptr::null_mut();
        // SAFETY: the model is open and kept so by this session; the path lives until after the call.
        let status = unsafe {
            library.api().rotomask_session_open_with(model.as_ptr(), width, height, &options, &mut handle)
        };
        library.check(status)?;
        let handle =
            NonNull::new(handle).ok_or(Error::Bug("librotomask opened no session and said nothing"))?;
        Ok(Self { model: model.clone(), handle, stop: None })
    }

    /// What the session knows.
    ///
    /// # Errors
    /// If its file can't be read.
    pub fn describe(&self) -> Result<Knowledge> {
        let (library, handle) = (self.library(), self.handle.as_ptr());
        // SAFETY: the handle is open; `text` keeps to the buffer's size.
        let said = library
            .text(|buffer, size| unsafe { library.api().rotomask_session_describe(handle, buffer, size) })?;
        serde_json::from_str(&said).map_err(|_| Error::Bug("librotomask described a session in no known way"))
    }

    /// Follows the objects from a frame to earlier ones, down to `first`.
    ///
    /// # Errors
    /// If a frame can't be read, the model fails, or the work was stopped. What was finished stays.
    pub fn track_back(&mut self, start: u64, first: u64, frames: &mut dyn Frames) -> Result<()> {
        let library = self.library();
        let mut request = MaybeUninit::uninit();
        // SAFETY: `_init` writes every field.
        let mut request = unsafe {
            library.api().rotomask_track_request_init(request.as_mut_ptr(), size_of_val(&request));
            request.assume_init()
        };
        (request.way, request.start, request.first) = (api::ROTOMASK_WAY_REVERSE, start, first);
        let mut host = Host { frames, failed: None };
        // SAFETY: the handle is open, and the host outlives the call, which alone uses it.
        let status = unsafe {
            library.api().rotomask_session_track(
                self.handle.as_ptr(),
                &request,
                Some(read_frame),
                None,
                (&raw mut host).cast(),
                ptr::null_mut(),
            )
        };
        host.failed.map_or_else(|| library.check(status), Err)
    }

    pub(super) fn library(&self) -> &Library {
        self.model.library()
    }

    pub(super) fn as_ptr(&self) -> *mut api::rotomask_session {
        self.handle.as_ptr()
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

    /// Adds an object by name. A prompt about an unknown number does so too, and names it "Object N".
    ///
    /// # Errors
    /// If there is one of this number, or the name is too long.
    pub fn add_object(&mut self, object: u32, name: &str) -> Result<()> {
        let name = CString::new(name).map_err(|_| Error::Usage(format!("{name:?} has a zero byte")))?;
        let handle = self.handle.as_ptr();
        // SAFETY: the handle is open; the name lives until after the call.
        let status =
            unsafe { self.library().api().rotomask_session_add_object(handle, object, name.as_ptr()) };
        self.library().check(status)
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
        told(self.library(), |raw| {
            // SAFETY: the handle is open; the struct states its size.
            unsafe { self.library().api().rotomask_session_result(self.handle.as_ptr(), object, raw) }
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

/// Runs a call that tells what is known of an object.
pub(super) fn told(
    library: &Library,
    call: impl FnOnce(*mut api::rotomask_result) -> i32,
) -> Result<Tracked> {
    let mut raw = api::rotomask_result {
        struct_size: size_of::<api::rotomask_result>() as u32,
        prompted: 0,
        seen: 0,
        logits_width: 0,
        logits_height: 0,
        predicted_iou: 0.0,
        object_score: 0.0,
    };
    library.check(call(&mut raw))?;
    Ok(Tracked {
        prompted: raw.prompted != 0,
        seen: raw.seen != 0,
        logits: [raw.logits_width, raw.logits_height],
        predicted_iou: raw.predicted_iou,
        object_score: raw.object_score,
    })
}

struct Host<'a> {
    frames: &'a mut dyn Frames,
    failed: Option<Error>,
}

unsafe extern "C" fn read_frame(user: *mut c_void, index: u64, frame: *mut api::rotomask_frame) -> i32 {
    // SAFETY: `user` is the host of the call that asks, and `frame` is the library's to be filled.
    let (host, frame) = unsafe { (&mut *user.cast::<Host<'_>>(), &mut *frame) };
    match host.frames.frame(index) {
        Ok(Some(picture)) => {
            *frame = Image::from(picture).raw;
            0
        }
        Ok(None) => 1,
        Err(error) => {
            host.failed = Some(error);
            2
        }
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
