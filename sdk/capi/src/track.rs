//! Following objects through a shot whose frames the host hands out on request.

use std::ffi::c_void;
use std::ops::ControlFlow;

use engine::frame::FrameView;
use engine::session::{Direction, FrameSource, Session, Stopped, TrackReport, TrackRequest, Way};

use crate::frame::view;
use crate::guard::with;
use crate::session::{rotomask_session, unknown};
use crate::sized::{Sized32, init, taken, tell};
use crate::status::{Failure, rotomask_status};
use crate::types::*;

/// Gives the pixels of a frame: fills in `frame`, whose `struct_size` is set, and returns 0. The pixels stay the host's
/// and valid until the next call, or until tracking returns. 1: the shot has no such frame. Anything else: it can't be had,
/// which stops tracking with ROTOMASK_ERROR_FRAME when that frame's turn comes. It is called on the thread that tracks, and
/// may be asked for a frame before the one before it is told as finished. It must not use the session.
pub type rotomask_read_frame_callback =
    Option<unsafe extern "C" fn(user: *mut c_void, index: u64, frame: *mut rotomask_frame) -> i32>;

/// Is told when a frame is finished; anything but 0 stops tracking there. One on which nothing had to be tracked, such as one
/// whose prompts say all, is not told of and counts as kept. It must not use the session.
pub type rotomask_tracked_callback = Option<unsafe extern "C" fn(user: *mut c_void, frame: u64) -> i32>;

// SAFETY: it is `repr(C)`, begins with its size, and has only numbers and pointers after it.
unsafe impl Sized32 for rotomask_track_request {
    const NAME: &'static str = "rotomask_track_request";
    fn fresh() -> Self {
        Self {
            struct_size: size_of::<Self>() as u32,
            way: ROTOMASK_WAY_FORWARD,
            start: ROTOMASK_NO_FRAME,
            first: 0,
            last: ROTOMASK_NO_FRAME,
            max_frames: ROTOMASK_NO_FRAME,
            overwrite: 0,
            reserved: 0,
        }
    }
}

/// Fills in a request that tracks forward from the first prompted frame.
/// `size` is `sizeof(rotomask_track_request)`; `request` is null or the caller's. [any thread]
///
/// # Safety
/// `request` is null or valid for writes of `size` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rotomask_track_request_init(request: *mut rotomask_track_request, size: usize) {
    // SAFETY: the contract above.
    unsafe { init(request, size) };
}

/// Tracks objects through a shot whose frames are asked for one by one. Waiting prompts are answered first, wherever they
/// are. Each finished frame stays, whatever becomes of the next.
///
/// `tracked` may be null, and so may `report`; the caller sets `report->struct_size`, `stretches` and `capacity`.
/// Returns ROTOMASK_OK, also when it was stopped; ROTOMASK_ERROR_NULL; ROTOMASK_ERROR_ARGUMENT; ROTOMASK_ERROR_STATE if
/// nothing was said of any object, or a prompt lies beyond the shot's end; ROTOMASK_ERROR_FRAME; ROTOMASK_ERROR_RUNTIME;
/// ROTOMASK_ERROR_SESSION; ROTOMASK_ERROR_PANIC. The report is only written with ROTOMASK_OK. [one thread at a time]
/// [blocks]
///
/// # Safety
/// `session` is null or open; `request` and `report` are null or valid; the callbacks keep their contracts.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rotomask_session_track(
    session: *mut rotomask_session,
    request: *const rotomask_track_request,
    read_frame: rotomask_read_frame_callback,
    tracked: rotomask_tracked_callback,
    user: *mut c_void,
    report: *mut rotomask_track_report,
) -> rotomask_status {
    let track = |session: &mut Session| {
        // SAFETY: the contract above.
        let request = wanted(&unsafe { taken(request, "request") }?)?;
        let read = read_frame.ok_or_else(|| Failure::null("read_frame"))?;
        // SAFETY: the contract above.
        let room = match report.is_null() {
            true => None,
            // SAFETY: the contract above.
            false => Some(unsafe { taken(report, "report") }?),
        };
        let each = &mut |_: &mut Session, frame| match tracked {
            // SAFETY: the host vouches for callback and `user`.
            Some(tell) if unsafe { tell(user, frame) } != 0 => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        };
        let done = session.track(&request, &mut Host { read, user }, each)?;
        match room {
            // SAFETY: it was read before, and the contract above.
            Some(room) => unsafe { tell(report, "report", filled(room, &done)) },
            None => Ok(()),
        }
    };
    // SAFETY: the contract above.
    unsafe { with(session, track) }
}

fn wanted(request: &rotomask_track_request) -> Result<TrackRequest, Failure> {
    let way = match request.way {
        ROTOMASK_WAY_FORWARD => Way::Forward,
        ROTOMASK_WAY_REVERSE => Way::Reverse,
        ROTOMASK_WAY_BOTH => Way::Both,
        ROTOMASK_WAY_OUTDATED => Way::Outdated,
        other => return Err(unknown("way", other, "a ROTOMASK_WAY_*")),
    };
    let given = |frame| Some(frame).filter(|&frame| frame != ROTOMASK_NO_FRAME);
    Ok(TrackRequest {
        way,
        start: given(request.start),
        first: request.first,
        last: given(request.last),
        max_frames: given(request.max_frames),
        overwrite: request.overwrite != 0,
    })
}

/// # Safety
/// `stretches` is null or has room for `capacity`.
unsafe fn filled(mut report: rotomask_track_report, done: &TrackReport) -> rotomask_track_report {
    (report.stopped, report.stopped_at) = match done.stopped {
        Stopped::Done => (ROTOMASK_STOPPED_DONE, ROTOMASK_NO_FRAME),
        Stopped::AtCut { frame } => (ROTOMASK_STOPPED_AT_CUT, frame),
        Stopped::ByCaller => (ROTOMASK_STOPPED_BY_CALLER, ROTOMASK_NO_FRAME),
    };
    report.kept = done.kept;
    report.count = done.tracked.len();
    let room = if report.stretches.is_null() { 0 } else { report.capacity };
    for (at, stretch) in done.tracked.iter().take(room).enumerate() {
        let direction = match stretch.direction {
            Direction::Forward => ROTOMASK_FORWARD,
            Direction::Reverse => ROTOMASK_REVERSE,
        };
        let (first, last) = stretch.frames.clone().into_inner();
        // SAFETY: `at` is below the capacity that the caller vouches for.
        unsafe {
            report.stretches.add(at).write(rotomask_stretch {
                object: stretch.object,
                direction,
                first,
                last,
            })
        };
    }
    report
}

/// Frames of a host that is asked for them.
struct Host {
    read: unsafe extern "C" fn(*mut c_void, u64, *mut rotomask_frame) -> i32,
    user: *mut c_void,
}

impl FrameSource for Host {
    fn frame(&mut self, index: u64) -> engine::Result<Option<FrameView<'_>>> {
        let mut frame = rotomask_frame::fresh();
        // SAFETY: the host vouches for callback and `user`.
        match unsafe { (self.read)(self.user, index, &mut frame) } {
            0 => {}
            1 => return Ok(None),
            other => {
                return Err(engine::Error::Frame(format!(
                    "frame {index} can't be had: the host answered {other}"
                )));
            }
        }
        // SAFETY: the host's pixels stay valid until it is asked again, which takes this borrow's end.
        let pixels = unsafe { view(&frame, "frame") };
        pixels
            .map(Some)
            .map_err(|failure| engine::Error::Frame(format!("frame {index}: {}", failure.message)))
    }
}
