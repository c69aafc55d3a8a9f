//! All that building and running need. What is there already is left alone, so that this also works offline.

use std::path::PathBuf;

use crate::{clip, error::Result, packages, runtime, workspace::Workspace};

/// The system's packages and ONNX Runtime; gives the latter's path.
///
/// # Errors
/// If something is missing and can't be had.
pub fn to_build(workspace: &Workspace) -> Result<PathBuf> {
    packages::install()?;
    let library = runtime::install(workspace)?;
    runtime::place_beside(&library, &workspace.release())?;
    Ok(library)
}

/// The same and the demo's clip.
///
/// # Errors
/// As [`to_build`].
pub fn all(workspace: &Workspace) -> Result<()> {
    let library = to_build(workspace)?;
    let clip = clip::install(workspace)?;
    println!("ONNX Runtime: {}\nclip: {}", library.display(), clip.display());
    Ok(())
}
