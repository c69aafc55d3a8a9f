//! The model, loaded when something is tracked for the first time, and kept: one copy a process.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use rotomask::model::{Model, ModelOptions, Provider};

use crate::{Result, place};

/// Which model computes where.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choice {
    /// A `NAME.rotomodel` folder; empty for the one with the plugin, or the one that is built in.
    pub folder: PathBuf,
    /// Providers by name, asked in this order, with commas between; empty for the CPU.
    pub providers: String,
}

static LOADED: Mutex<Option<(Choice, Arc<Model>)>> = Mutex::new(None);

/// The model, loaded if it isn't. Another choice takes the place of the one before.
///
/// # Errors
/// If ONNX Runtime is not found beside the plugin nor named by `ROTOMASK_ONNXRUNTIME`, the package is none, or a provider's
/// name is none.
pub fn model(choice: &Choice) -> Result<Arc<Model>> {
    let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, model)) = loaded.as_ref().filter(|(known, _)| known == choice) {
        return Ok(model.clone());
    }
    let given = Some(choice.folder.clone()).filter(|folder| !folder.as_os_str().is_empty());
    let names = choice.providers.split(',').map(str::trim).filter(|name| !name.is_empty());
    let options = ModelOptions {
        folder: given.or_else(place::model),
        onnxruntime: place::runtime(),
        providers: names.map(str::parse::<Provider>).collect::<rotomask::Result<_>>()?,
        ..ModelOptions::default()
    };
    let model = Arc::new(Model::open(&options)?);
    *loaded = Some((choice.clone(), model.clone()));
    Ok(model)
}

/// The model that is loaded, if one is: rendering never loads any.
pub fn loaded() -> Option<Arc<Model>> {
    LOADED.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(|(_, model)| model.clone())
}
