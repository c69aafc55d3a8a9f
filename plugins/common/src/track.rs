//! Tracking into a session's file, from a button: what the artist said is brought into the session, then frames are asked
//! of the host one by one. What was finished stays, whatever becomes of the rest.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use rotomask::frame::{FrameView, Size};
use rotomask::model::Model;
use rotomask::session::{
    FrameSource, Keep, ObjectId, Session, SessionOptions, Stopped, TrackReport, TrackRequest, Way,
};

use crate::prompts::{Prompts, Said};
use crate::{Error, Result, cache};

/// A host's shot.
pub trait Shot {
    /// A frame's pixels in colour, or `None` beyond the shot.
    ///
    /// # Errors
    /// If the host can't give it.
    fn frame(&mut self, frame: u64) -> Result<Option<FrameView<'_>>>;

    /// The second clip's frame as a mask of the frame's size, or `None` if there is none.
    ///
    /// # Errors
    /// If the host can't give it.
    fn mask(&mut self, frame: u64) -> Result<Option<FrameView<'_>>>;
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wish {
    /// Answer for one frame.
    Segment {
        /// The frame.
        frame: u64,
    },
    /// Follow the objects.
    Track(TrackRequest),
}

/// Told after each frame: how much is done, 0 to 1. `Break` stops the work.
pub type Progress<'a> = dyn FnMut(f64) -> ControlFlow<()> + 'a;

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Frames that were answered now.
    pub frames: u64,
    /// Whether it was stopped before the end.
    pub stopped: bool,
    /// Where a cut ended it.
    pub cut: Option<u64>,
}

/// Does what is wished for, and keeps it in the session's file at `path`, which is made if there is none.
///
/// # Errors
/// If nothing was said of any object, a frame can't be had, the file is another shot's, or the model fails.
pub fn run(
    path: &Path,
    size: Size,
    model: Arc<Model>,
    prompts: &Prompts,
    wish: &Wish,
    shot: &mut dyn Shot,
    progress: &mut Progress<'_>,
) -> Result<Outcome> {
    cache::forget(path);
    let keep = Keep::File(path.to_path_buf());
    let mut session = Session::open_with(model, size, SessionOptions { keep, ..SessionOptions::default() })?;
    say(&mut session, prompts, shot)?;
    if session.objects().is_empty() {
        return Err(Error::host("nothing was said of any object yet: add a point or a box first"));
    }
    let done = match wish {
        Wish::Segment { frame } => segment(&mut session, *frame, shot),
        Wish::Track(request) => follow(&mut session, request, shot, progress),
    };
    drop(session);
    cache::forget(path);
    done
}

fn segment(session: &mut Session, frame: u64, shot: &mut dyn Shot) -> Result<Outcome> {
    let pixels = shot.frame(frame)?;
    let pixels = pixels.ok_or_else(|| Error::host(format!("the host has no frame {frame}")))?;
    session.push(frame, pixels)?;
    Ok(Outcome { frames: 1, stopped: false, cut: None })
}

struct Source<'a> {
    shot: &'a mut dyn Shot,
    problem: Option<Error>,
}

impl FrameSource for Source<'_> {
    fn frame(&mut self, index: u64) -> rotomask::Result<Option<FrameView<'_>>> {
        self.shot.frame(index).map_err(|problem| {
            let said = rotomask::Error::Frame(problem.to_string());
            self.problem = Some(problem);
            said
        })
    }
}

fn follow(
    session: &mut Session,
    request: &TrackRequest,
    shot: &mut dyn Shot,
    progress: &mut Progress<'_>,
) -> Result<Outcome> {
    let expected = expected(request).max(1);
    let mut frames = 0u64;
    let mut source = Source { shot, problem: None };
    let each = &mut |_: &mut Session, _| {
        frames += 1;
        progress((frames as f64 / expected as f64).min(1.0))
    };
    let done = session.track(request, &mut source, each);
    // A frame may have been asked for whose turn never came: who stopped before it isn't told of its problem.
    let TrackReport { stopped, .. } = match (done, source.problem) {
        (Err(_), Some(problem)) => return Err(problem),
        (done, _) => done?,
    };
    Ok(Outcome {
        frames,
        stopped: stopped == Stopped::ByCaller,
        cut: match stopped {
            Stopped::AtCut { frame } => Some(frame),
            _ => None,
        },
    })
}

/// How many frames a request asks for beside its start, which is mostly answered before.
fn expected(request: &TrackRequest) -> u64 {
    let start = request.start.unwrap_or(request.first);
    let most = request.max_frames.unwrap_or(u64::MAX);
    let ahead = request.last.unwrap_or(start).saturating_sub(start).min(most);
    let back = start.saturating_sub(request.first).min(most);
    match request.way {
        Way::Forward => ahead,
        Way::Reverse => back,
        Way::Both | Way::Outdated => ahead + back,
    }
}

/// Brings the session's prompts to what the artist says. Objects of which the plugin never spoke are left alone.
///
/// # Errors
/// If the session refuses a prompt, or a mask can't be had.
pub fn say(session: &mut Session, prompts: &Prompts, shot: &mut dyn Shot) -> Result<()> {
    let mut prompts = prompts.clone();
    prompts.clamp_to(session.size());
    for (&id, object) in &prompts.objects {
        let known: Vec<_> = session.said(id);
        for said in &known {
            let wanted = object.frames.get(&said.frame).filter(|wanted| !wanted.is_empty());
            let same = wanted.is_some_and(|wanted| {
                (&wanted.clicks, wanted.bounds, wanted.mask) == (&said.clicks, said.bounds, said.masked)
            });
            if !same {
                session.clear_frame(id, said.frame)?;
            }
        }
        let left: Vec<u64> = session.said(id).iter().map(|said| said.frame).collect();
        for (&frame, wanted) in
            object.frames.iter().filter(|(frame, said)| !left.contains(frame) && !said.is_empty())
        {
            say_here(session, id, frame, wanted, shot)?;
        }
        let name = session.objects().into_iter().find(|known| known.id == id).map(|known| known.name);
        if name.is_some_and(|name| !object.name.is_empty() && name != object.name) {
            session.rename_object(id, &object.name)?;
        }
    }
    Ok(())
}

fn say_here(session: &mut Session, id: ObjectId, frame: u64, said: &Said, shot: &mut dyn Shot) -> Result<()> {
    // A mask is the coarsest answer and clicks the finest.
    if said.mask {
        let mask = shot.mask(frame)?;
        let mask = mask.ok_or_else(|| {
            Error::host(format!(
                "frame {frame} was given a mask by the second clip, which is not connected now"
            ))
        })?;
        session.mask_prompt(id, frame, mask)?;
    }
    if let Some(bounds) = said.bounds {
        session.bounds(id, frame, bounds)?;
    }
    for click in &said.clicks {
        session.click(id, frame, *click)?;
    }
    Ok(())
}

/// Takes an object out of a session's file with all that was tracked of it, or every object.
///
/// # Errors
/// If the file can't be opened for writing, or is another model's.
pub fn remove(path: &Path, size: Size, model: Arc<Model>, object: Option<ObjectId>) -> Result<()> {
    cache::forget(path);
    let keep = Keep::File(path.to_path_buf());
    let mut session = Session::open_with(model, size, SessionOptions { keep, ..SessionOptions::default() })?;
    match object {
        None => session.reset()?,
        Some(id) if session.objects().iter().any(|known| known.id == id) => session.remove_object(id)?,
        Some(_) => {}
    }
    drop(session);
    cache::forget(path);
    Ok(())
}

/// Takes back what the session's file says of an object, or of every object, on one frame.
///
/// # Errors
/// As [`remove`].
pub fn clear(path: &Path, size: Size, model: Arc<Model>, object: Option<ObjectId>, frame: u64) -> Result<()> {
    cache::forget(path);
    let keep = Keep::File(path.to_path_buf());
    let mut session = Session::open_with(model, size, SessionOptions { keep, ..SessionOptions::default() })?;
    let meant = session.objects().into_iter().filter(|known| object.is_none_or(|object| known.id == object));
    for known in meant.collect::<Vec<_>>() {
        session.clear_frame(known.id, frame)?;
    }
    drop(session);
    cache::forget(path);
    Ok(())
}
