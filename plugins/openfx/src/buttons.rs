//! What an artist presses and changes.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use openfx_abi::*;
use plugin_common::engine;
use plugin_common::prompts::Prompts;
use plugin_common::track::{self, Outcome, Wish};
use plugin_common::{Error, Result};
use rotomask::matte::Transfer;
use rotomask::session::{TrackRequest, Way};

use crate::Answer;
use crate::controls::*;
use crate::describe::settings;
use crate::effect::{Clip, Effect};
use crate::geometry::Geometry;
use crate::props::Props;
use crate::report::{self, Progress};
use crate::session;
use crate::shot::HostShot;
use crate::state;

/// Whether an instance that is tracking was asked to stop, by handle.
static STOPS: Mutex<Option<HashMap<usize, Arc<AtomicBool>>>> = Mutex::new(None);

fn stop_of(effect: &Effect) -> Arc<AtomicBool> {
    let mut stops = STOPS.lock().unwrap_or_else(PoisonError::into_inner);
    stops.get_or_insert_default().entry(effect.handle() as usize).or_default().clone()
}

pub fn created(effect: &Effect) -> Answer {
    // A host may create an instance before it gives the saved values: whatever is told now is told again.
    if !effect.params().text(SESSION).unwrap_or_default().is_empty() {
        session::tell(effect);
    }
    Ok(kOfxStatOK)
}

pub fn destroyed(effect: &Effect) {
    let mut stops = STOPS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(stops) = stops.as_mut() {
        stops.remove(&(effect.handle() as usize));
    }
}

pub fn changed(effect: &Effect, given: &Props) -> Answer {
    let reason = given.text(kOfxPropChangeReason).unwrap_or_default();
    let is_param =
        given.text(kOfxPropType).is_none_or(|kind| kind.as_bytes() == kOfxTypeParameter.to_bytes());
    if reason.as_bytes() != kOfxChangeUserEdited.to_bytes() || !is_param {
        return Ok(kOfxStatReplyDefault);
    }
    let time = given.double(kOfxPropTime, 0).unwrap_or(0.0);
    let name = given.text(kOfxPropName).unwrap_or_default();
    match name.as_str() {
        SEGMENT | TRACK_FORWARD | TRACK_BACKWARD | TRACK_BOTH | TRACK_ONE => work(effect, &name, time)?,
        STOP => stop_of(effect).store(true, Ordering::Relaxed),
        CLEAR_HERE => clear(effect, Some(state::object(effect)), Some(time))?,
        CLEAR_ALL => clear(effect, None, None)?,
        REMOVE_OBJECT => clear(effect, Some(state::object(effect)), None)?,
        ADD_OBJECT => add_object(effect, time)?,
        OBJECT => name_to_parameter(effect)?,
        OBJECT_NAME => name_from_parameter(effect)?,
        SESSION | NEAR => chosen(effect, time)?,
        _ => return Ok(kOfxStatReplyDefault),
    }
    Ok(kOfxStatOK)
}

fn work(effect: &Effect, button: &str, time: f64) -> Result<()> {
    let geometry = Geometry::of(effect, time)?;
    let here = geometry.frame(time)?;
    let linear = settings(&effect.params(), time)?.transfer == Transfer::Linear;
    let mut shot = HostShot::open(effect, geometry, linear, time)?;
    let second = effect.clip(SECOND_CLIP).filter(Clip::is_connected);
    if button == SEGMENT
        && Second::of(effect.params().int(SECOND, None)) == Second::Prompt
        && second.is_some()
    {
        state::set_mask(effect, here, true)?;
    }
    let mut wanted = state::prompts(effect, &geometry)?;
    let path = session::path_to_write(effect)?;
    if wanted.is_empty() && !path.exists() {
        return Err(Error::host("nothing was said of any object yet: add a point or a box first"));
    }
    let wish = if button == SEGMENT {
        Wish::Segment { frame: here }
    } else {
        shot.check_access(time)?;
        let [first, last] = shot.frames()?;
        let (way, max_frames) = match button {
            TRACK_BACKWARD => (Way::Reverse, None),
            TRACK_BOTH => (Way::Both, None),
            TRACK_ONE => (Way::Forward, Some(1)),
            _ => (Way::Forward, None),
        };
        let start = Some(here.clamp(first, last));
        Wish::Track(TrackRequest { way, start, first, last: Some(last), max_frames, overwrite: false })
    };
    wanted.clamp_to(geometry.size);
    let progress = Progress::start(effect, "Rotomask is tracking");
    let stop = stop_of(effect);
    stop.store(false, Ordering::Relaxed);
    let tell = &mut |done: f64| match progress.as_ref().map_or(ControlFlow::Continue(()), |p| p.update(done))
    {
        ControlFlow::Continue(()) if !stop.load(Ordering::Relaxed) => ControlFlow::Continue(()),
        _ => ControlFlow::Break(()),
    };
    let model = engine::model(&session::choice(effect))?;
    let done = track::run(&path, geometry.size, model, &wanted, &wish, &mut shot, tell);
    drop(progress);
    // Whatever came of it, what was finished is kept and shown.
    if path.exists() {
        keep(effect, &path);
    }
    if let Outcome { cut: Some(frame), .. } = done? {
        report::note(effect, &format!("tracking stopped at frame {frame}, where another shot begins"));
    }
    Ok(())
}

/// Notes the session's path, and that pictures have changed.
fn keep(effect: &Effect, path: &std::path::Path) {
    let params = effect.params();
    params.edit(c"Track", || {
        params.set_text(SESSION, &path.to_string_lossy());
        params.set_int(REVISION, params.int(REVISION, None).unwrap_or(0).wrapping_add(1) & i32::MAX);
    });
    session::tell(effect);
}

fn clear(effect: &Effect, object: Option<u32>, time: Option<f64>) -> Result<()> {
    state::clear(effect, object, time)?;
    let Some(path) = session::path(effect).ok().flatten() else { return Ok(()) };
    let (size, model) = (plugin_common::cache::open(&path)?.size(), engine::model(&session::choice(effect))?);
    match time {
        Some(time) => {
            let geometry = Geometry::of(effect, time)?;
            let frame = geometry.frame(time)?;
            track::clear(&path, size, model, object, frame)?;
        }
        None => track::remove(&path, size, model, object)?,
    }
    keep(effect, &path);
    Ok(())
}

fn add_object(effect: &Effect, time: f64) -> Result<()> {
    let geometry = Geometry::of(effect, time)?;
    let said = state::prompts(effect, &geometry)?;
    let found = session::find(effect);
    let known = found.reader().and_then(|s| s.summary().objects.iter().map(|object| object.id).max());
    let last = said.objects.keys().next_back().copied().max(known).unwrap_or(0);
    effect.params().set_int(OBJECT, (last + 1).min(256) as i32);
    name_to_parameter(effect)
}

fn name_to_parameter(effect: &Effect) -> Result<()> {
    let (params, object) = (effect.params(), state::object(effect));
    let said = Prompts::parse(&params.text(PROMPTS).unwrap_or_default())?;
    let name = said.objects.get(&object).map_or("", |object| object.name.as_str());
    params.set_text(OBJECT_NAME, name);
    Ok(())
}

fn name_from_parameter(effect: &Effect) -> Result<()> {
    let (params, object) = (effect.params(), state::object(effect));
    let mut said = Prompts::parse(&params.text(PROMPTS).unwrap_or_default())?;
    let name = params.text(OBJECT_NAME).unwrap_or_default();
    said.objects.entry(object).or_default().name = name.chars().take(60).collect();
    params.set_text(PROMPTS, &said.to_text());
    Ok(())
}

/// Another session was chosen: if nothing is said here yet, what is said there is taken over.
fn chosen(effect: &Effect, time: f64) -> Result<()> {
    let found = session::find(effect);
    let said = Geometry::of(effect, time).and_then(|geometry| state::prompts(effect, &geometry));
    if let Some(reader) = found.reader()
        && said.is_ok_and(|said| said.is_empty())
    {
        effect.params().set_text(PROMPTS, &Prompts::of_session(reader.summary()).to_text());
    }
    session::tell(effect);
    match found {
        session::Found::Missing(problem) => Err(problem),
        _ => Ok(()),
    }
}
