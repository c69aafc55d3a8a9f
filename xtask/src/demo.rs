//! The main job on a real clip.

use std::{path::Path, process::Command};

use crate::{clip, command, error::Result, setup, workspace::Workspace};

/// In mid-clip, where the rabbit stretches; it is followed from here to the end.
const FRAME: u32 = 60;
/// On the rabbit's belly and hand there, and on a stone beside it.
const POINTS: [&str; 2] = ["470,320", "220,115"];
const BESIDE: &str = "180,460";
/// Of the frames that are written, the one to show.
const SHOWN: u32 = 50;

/// Cuts the rabbit out and lays it over an evening sky.
///
/// # Errors
/// If set-up, the build or the job fails.
pub fn run(workspace: &Workspace) -> Result<()> {
    setup::to_build(workspace)?;
    let clip = clip::install(workspace)?;
    workspace.build_program()?;

    let folder = workspace.target.join("demo");
    let (sky, video, still) = (folder.join("sky.png"), folder.join("rabbit.mp4"), folder.join("rabbit.png"));
    paint_sky(&sky)?;
    let mut track = Command::new(workspace.program());
    track.arg("track").arg(&clip).args(["--start", &FRAME.to_string()]);
    for point in POINTS {
        track.args(["--point", &format!("{point}@{FRAME}")]);
    }
    track.args(["--negative", &format!("{BESIDE}@{FRAME}")]);
    track.args(["--feather", "1.5"]).arg("--background").arg(&sky);
    track.arg("--json").arg(folder.join("rabbit.json")).arg("-o").arg(&video);
    command::run(&mut track)?;
    show(&clip, &video, &still)?;
    println!(
        "\nThe rabbit, cut out and laid over a sky: {}\nOne frame of it beside the clip's own: {}",
        video.display(),
        still.display()
    );
    Ok(())
}

fn ffmpeg() -> Command {
    let mut ffmpeg = Command::new("ffmpeg");
    ffmpeg.args(["-nostdin", "-loglevel", "error", "-y"]);
    ffmpeg
}

fn paint_sky(sky: &Path) -> Result<()> {
    let gradient = "gradients=s=1280x720:n=2:c0=0x24335c:c1=0xf2b27a:x0=0:y0=0:x1=0:y1=1440";
    let mut ffmpeg = ffmpeg();
    ffmpeg.args(["-f", "lavfi", "-i", gradient, "-frames:v", "1"]);
    command::run(ffmpeg.arg(sky))
}

/// The clip's frame and the result's, side by side at half their size.
fn show(clip: &Path, video: &Path, still: &Path) -> Result<()> {
    let filter = format!(
        "[0]select=eq(n\\,{}),scale=640:-2,setpts=0[plate];[1]select=eq(n\\,{SHOWN}),scale=640:-2,setpts=0[cut];\
         [plate][cut]hstack",
        FRAME + SHOWN
    );
    let mut ffmpeg = ffmpeg();
    ffmpeg.arg("-i").arg(clip).arg("-i").arg(video);
    command::run(ffmpeg.args(["-filter_complex", &filter, "-frames:v", "1"]).arg(still))
}
