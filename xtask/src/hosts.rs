//! The acceptance matrix of hosts on any clip: the plugins in a strict OpenFX host, and in ffmpeg, melt and GStreamer.

use std::{path::PathBuf, process::Command};

use crate::{
    bundle::{self, BUNDLE},
    command,
    error::{Error, Result},
    workspace::Workspace,
};

#[derive(clap::Args)]
pub struct Arguments {
    /// A clip of your own; otherwise clips are made
    #[arg(long, value_name = "FILE", requires = "point")]
    clip: Option<PathBuf>,
    /// A click on a thing in its first frame
    #[arg(long, value_name = "X,Y", requires = "clip")]
    point: Option<String>,
    /// Frames that are looked at
    #[arg(long, value_name = "N", default_value_t = 10)]
    frames: u64,
}

/// Builds, puts the bundles together, and runs every check; the last line is `N passed, N failed`.
///
/// # Errors
/// If the build fails, or a check does.
pub fn run(workspace: &Workspace, arguments: &Arguments) -> Result<()> {
    let folder = bundle::run(workspace)?;
    let library = format!("rotomask.{}", std::env::consts::DLL_EXTENSION);
    let mut host =
        Command::new(workspace.release().join(format!("ofx-host{}", std::env::consts::EXE_SUFFIX)));
    // The bundle has all it needs.
    host.env_remove("ROTOMASK_ONNXRUNTIME").arg("conform").arg(folder.join(BUNDLE));
    host.arg("--frei0r").arg(folder.join("frei0r-1").join("lib").join(library));
    host.arg("--command").arg(workspace.program()).args(["--frames", &arguments.frames.to_string()]);
    if let Some((clip, point)) = arguments.clip.as_ref().zip(arguments.point.as_ref()) {
        host.arg("--clip").arg(clip).args(["--point", point]);
    }
    let line = command::line(&host);
    let status =
        host.status().map_err(|error| Error::plain(format!("`{line}` could not be started: {error}")))?;
    if status.success() { Ok(()) } else { Err(Error::plain("not every check of the matrix passed")) }
}
