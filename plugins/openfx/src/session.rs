//! The instance's session: found, read, and told of.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use plugin_common::cache::{self, Reader};
use plugin_common::engine::Choice;
use plugin_common::{Result, locate, status};

use crate::controls::*;
use crate::effect::Effect;

/// What the session parameter comes to.
pub enum Found {
    /// None is chosen yet.
    None,
    /// It can be read.
    Read(Arc<Reader>),
    /// One is chosen that can't be read.
    Missing(plugin_common::Error),
}

impl Found {
    pub fn reader(&self) -> Option<&Reader> {
        match self {
            Self::Read(reader) => Some(reader),
            _ => None,
        }
    }
}

/// Where the session lies; `None` if none is chosen.
///
/// # Errors
/// If it is nowhere.
pub fn path(effect: &Effect) -> Result<Option<PathBuf>> {
    let params = effect.params();
    let saved = params.text(SESSION).unwrap_or_default();
    if saved.is_empty() {
        return Ok(None);
    }
    let near = params.text(NEAR).unwrap_or_default();
    locate::find(Path::new(&saved), Path::new(&near)).map(Some)
}

/// The session to read from.
pub fn find(effect: &Effect) -> Found {
    match path(effect).and_then(|path| path.map(|path| cache::open(&path)).transpose()) {
        Ok(None) => Found::None,
        Ok(Some(reader)) => Found::Read(reader),
        Err(problem) => Found::Missing(problem),
    }
}

/// Where to write: the session that is chosen, whether it is there already or not, or a new one.
///
/// # Errors
/// If none is chosen and there is no folder for a new one.
pub fn path_to_write(effect: &Effect) -> Result<PathBuf> {
    let saved = effect.params().text(SESSION).unwrap_or_default();
    if saved.is_empty() {
        return locate::fresh();
    }
    // One that has moved is gone on with where it is now.
    Ok(path(effect).ok().flatten().unwrap_or_else(|| saved.into()))
}

/// Which model is to be used.
pub fn choice(effect: &Effect) -> Choice {
    let params = effect.params();
    Choice {
        folder: params.text(MODEL).unwrap_or_default().into(),
        providers: params.text(PROVIDERS).unwrap_or_default(),
    }
}

/// Brings the status line and the list of objects up to date.
pub fn tell(effect: &Effect) {
    let (params, found) = (effect.params(), find(effect));
    let line = match &found {
        Found::Missing(problem) => problem.to_string(),
        _ => status::line(found.reader()),
    };
    params.set_text(STATUS, &line);
    params.set_text(OBJECTS, &status::objects(found.reader()));
}
