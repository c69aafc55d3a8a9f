//! Tracking from a button: which hosts it refuses, what it asks of a host, what it leaves.

use std::path::Path;

use rotomask::store::SessionFile;

use super::{filter, in_host, numbers, path_in, pixels, same};
use crate::clip::Frames;
use crate::conform::Shot;
use crate::instance::Instance;
use crate::plugin::Plugin;
use crate::quirks::Quirks;
use crate::world::world;
use crate::{Error, Result};

/// The prompt of the reference.
pub fn prompt(shot: &Shot) -> String {
    format!("p{}x{}@0", shot.point[0], shot.point[1])
}

pub fn refuses(plugin: &Plugin, shot: &Shot) -> Result<String> {
    let says_no = Quirks { says_temporal_access: false, ..Quirks::default() };
    let lies = Quirks { always_current_frame: true, ..Quirks::default() };
    for (quirks, part) in
        [(says_no, "gives effects no frame but the current one"), (lies, "gives the same picture for frames")]
    {
        in_host(quirks, || {
            let described = filter(plugin)?;
            let instance = Instance::create(plugin, &described, shot.source(), None)?;
            let session = shot.session.with_file_name("refused.rotosession");
            instance.put_text("session", &session.to_string_lossy())?;
            instance.put_text("prompts", &prompt(shot))?;
            let said = instance.changed("trackForward", 0.0).err().map(|e| e.to_string()).unwrap_or_default();
            same(&format!("a message with {part:?} in {said:?}"), said.contains(part), true)?;
            same("the message tells a way out", said.contains("rotomask track --session FILE"), true)?;
            same("a session file", session.exists(), false)?;
            drop(instance);
            described.forget();
            Ok::<_, Error>(())
        })?;
    }
    Ok(String::new())
}

pub fn fetches_once(plugin: &Plugin, shot: &Shot, folder: &Path) -> Result<String> {
    let described = filter(plugin)?;
    let instance = Instance::create(plugin, &described, shot.source(), None)?;
    instance.put_text("session", &path_in(folder, "once.rotosession"))?;
    instance.put_text("prompts", &prompt(shot))?;
    world().fetched.clear();
    instance.changed("trackForward", 0.0)?;
    let fetched = std::mem::take(&mut world().fetched);
    for n in numbers(&*shot.frames) {
        let times = fetched.get(&("Source".to_owned(), i64::from(n))).copied().unwrap_or(0);
        same(&format!("how often frame {n} was fetched"), times, 1)?;
    }
    let updates = world().progress.clone();
    same("progress rises to 1", updates.last().copied().unwrap_or(0.0) > 0.99 && updates.is_sorted(), true)?;
    same("progress is closed", world().progress_open, false)?;
    let found = pixels::near_the_commands(&pixels::mattes(&instance, shot.frames.count())?, shot)?;
    let status = instance.text("status")?;
    same(
        &format!("the status tells of the frames: {status:?}"),
        status.contains(&format!("{} frames", shot.frames.count())),
        true,
    )?;
    drop(instance);
    described.forget();
    Ok(found)
}

pub fn cancelled(plugin: &Plugin, shot: &Shot, folder: &Path) -> Result<String> {
    let described = filter(plugin)?;
    let instance = Instance::create(plugin, &described, shot.source(), None)?;
    let (session, half) = (folder.join("half.rotosession"), (shot.frames.count() / 2).max(1));
    instance.put_text("session", &session.to_string_lossy())?;
    instance.put_text("prompts", &prompt(shot))?;
    world().cancel_after = Some(half as usize);
    let done = instance.changed("trackForward", 0.0);
    world().cancel_after = None;
    done?;
    let file = SessionFile::open(&session)?;
    same("damage", file.check(), Vec::new())?;
    let ranges = file.summary()?.objects.first().map(|o| o.ranges.clone()).unwrap_or_default();
    let last = ranges.last().map(|range| range.last).unwrap_or(0);
    same("the session ends before the clip", last > 0 && last + 1 < u64::from(shot.frames.count()), true)?;
    drop(file);
    // And it is gone on with.
    instance.changed("trackForward", 0.0)?;
    let found = pixels::near_the_commands(&pixels::mattes(&instance, shot.frames.count())?, shot)?;
    drop(instance);
    described.forget();
    Ok(format!("stopped after frame {last}; gone on with: {found}"))
}

pub fn reloaded(plugin: &Plugin, shot: &Shot) -> Result<String> {
    let described = filter(plugin)?;
    let first = Instance::create(plugin, &described, shot.source(), None)?;
    first.put_text("session", &shot.session_text())?;
    first.changed("session", 0.0)?;
    for (name, value) in [
        ("point3", "12.5,7"),
        ("point3On", "on"),
        ("point3Kind", "Not on the object"),
        ("boxFrom", "1,2"),
        ("grow_px", "2.5"),
        ("background_colour", "0.25,0.5,1,1"),
        ("view", "Overlay"),
        ("frameOffset", "-1"),
    ] {
        first.put_text(name, value)?;
    }
    let saved = first.save();
    let text = serde_json::to_string(&saved).unwrap_or_default();
    let second = Instance::create(plugin, &described, shot.source(), None)?;
    second.restore(&serde_json::from_str(&text).unwrap_or_default())?;
    same("saved again", &second.save(), &saved)?;
    let status = first.text("status")?;
    // What is only told is told anew.
    second.changed("session", 0.0)?;
    same("the status", second.text("status")?, status)?;
    let prompts = second.text("prompts")?;
    let clean = prompts.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    same(
        "prompts came over from the session, in letters that no host reads as its own",
        clean && !prompts.is_empty(),
        true,
    )?;
    drop((first, second));
    described.forget();
    Ok(format!("{} parameters", saved.as_object().map_or(0, serde_json::Map::len)))
}

pub fn moved(plugin: &Plugin, shot: &Shot, folder: &Path) -> Result<String> {
    let elsewhere = folder.join("moved").join("roto");
    super::reference::make_folder(&elsewhere)?;
    let name = shot.session.file_name().unwrap_or_default();
    std::fs::copy(&shot.session, elsewhere.join(name)).map_err(|e| Error::plain(e.to_string()))?;
    let described = filter(plugin)?;
    let instance = Instance::create(plugin, &described, shot.source(), None)?;
    let saved = Path::new("/volumes/old/film/roto").join(name);
    instance.put_text("session", &saved.to_string_lossy())?;
    instance.put_text("projectFolder", &folder.join("moved").to_string_lossy())?;
    let found = pixels::near_the_commands(&pixels::mattes(&instance, shot.frames.count())?, shot)?;
    drop(instance);
    described.forget();
    Ok(found)
}
