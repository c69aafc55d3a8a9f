//! The frei0r plugin in the programs that use it: ffmpeg, melt, GStreamer, each run as any user would.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::reference::{make_folder, run};
use super::{Report, Shot, Subject, path_in, pixels, same};
use crate::clip::Frames;
use crate::{Error, Result};

/// Checks the plugin in every program, at two sizes: at one of them ffmpeg's time is garbage.
pub fn all(report: &mut Report, subject: &Subject, plugin: &Path, first: &Shot, folder: &Path) {
    let home = match install(plugin, folder) {
        Ok(home) => home,
        Err(problem) => return report.check("9: the frei0r plugin can be laid in a folder", Err(problem)),
    };
    let made: Vec<Result<Shot>> = match subject.clip {
        Some(_) => Vec::new(),
        None => [[854, 480], [1280, 720]].into_iter().map(|size| Shot::make(subject, folder, size)).collect(),
    };
    let own = subject.clip.is_some().then_some(first);
    for shot in made.iter().filter_map(|shot| shot.as_ref().ok()).chain(own) {
        let [w, h] = shot.size();
        type Check = fn(&Path, &Shot, &Path) -> Result<String>;
        for (name, check) in [
            ("ffmpeg", ffmpeg as Check),
            ("melt on 4 threads", melt as Check),
            ("GStreamer", gstreamer as Check),
            ("ffmpeg by a prompt alone", ffmpeg_prompt as Check),
        ] {
            report.check(
                &format!("9: frei0r in {name} at {w}x{h}: the command's mattes"),
                check(&home, shot, folder),
            );
        }
    }
}

/// The plugin under its own name in a folder of its own: hosts take every library in it for a plugin.
fn install(plugin: &Path, folder: &Path) -> Result<PathBuf> {
    let home = folder.join("frei0r-1").join("lib");
    make_folder(&home)?;
    let place = home.join("rotomask.so");
    std::fs::copy(plugin, &place).map_err(|e| Error::plain(format!("{}: {e}", place.display())))?;
    let source = plugin.parent().unwrap_or(Path::new("."));
    let runtime = plugin_common::place::runtime_name();
    for found in [source.join(&runtime), source.join("../rotomask").join(&runtime)] {
        let beside = folder.join("frei0r-1").join("rotomask");
        if found.is_file() {
            make_folder(&beside)?;
            std::fs::copy(&found, beside.join(&runtime)).map_err(|e| Error::plain(e.to_string()))?;
            break;
        }
    }
    Ok(home)
}

/// Compares raw RGBA frames with the command's mattes.
fn compare(raw: &Path, shot: &Shot) -> Result<String> {
    let bytes = std::fs::read(raw).map_err(|e| Error::plain(format!("{}: {e}", raw.display())))?;
    let [w, h] = shot.size();
    let frame = (w * h * 4) as usize;
    let found: Vec<Vec<u8>> = bytes
        .chunks_exact(frame)
        .map(|frame| frame.chunks_exact(4).map(|pixel| pixel[0]).collect())
        .collect();
    pixels::near_the_commands(&found, shot)
}

fn count(shot: &Shot) -> String {
    shot.frames.count().to_string()
}

fn ffmpeg(home: &Path, shot: &Shot, folder: &Path) -> Result<String> {
    let [over, under] = shot.rate;
    let parameters = format!("{}||matte|auto|{over}/{under}", shot.session_text());
    ffmpeg_with(home, shot, folder, &parameters)
}

fn ffmpeg_prompt(home: &Path, shot: &Shot, folder: &Path) -> Result<String> {
    let parameters = format!("|{}|matte", super::tracking::prompt(shot));
    ffmpeg_with(home, shot, folder, &parameters)
}

fn ffmpeg_with(home: &Path, shot: &Shot, folder: &Path, parameters: &str) -> Result<String> {
    let raw = path_in(folder, "ffmpeg.raw");
    // swscale's own rounding, which the command uses too: what the model sees is then the same.
    let filter =
        format!("scale=flags=bilinear,format=rgba,frei0r=filter_name=rotomask:filter_params={parameters}");
    let mut ffmpeg = Command::new("ffmpeg");
    ffmpeg.env("FREI0R_PATH", home).args(["-nostdin", "-loglevel", "error", "-y", "-i"]).arg(&shot.file);
    ffmpeg.args(["-vf", &filter, "-frames:v", &count(shot), "-fps_mode", "passthrough"]);
    let said = run(ffmpeg.args(["-pix_fmt", "rgba", "-f", "rawvideo", &raw]))?;
    // Other libraries have their say there too.
    let ours: Vec<_> = said.lines().filter(|line| line.starts_with("rotomask: ")).collect();
    same("what it said", ours, Vec::new())?;
    compare(Path::new(&raw), shot)
}

fn melt(home: &Path, shot: &Shot, folder: &Path) -> Result<String> {
    let ([w, h], [over, under]) = (shot.size(), shot.rate);
    let (profile, movie, raw) =
        (folder.join("melt.profile"), folder.join("melt.mkv"), path_in(folder, "melt.raw"));
    let text = format!(
        "description=clip\nframe_rate_num={over}\nframe_rate_den={under}\nwidth={w}\nheight={h}\nprogressive=1\nsample_aspect_num=1\n\
         sample_aspect_den=1\ndisplay_aspect_num={w}\ndisplay_aspect_den={h}\ncolorspace=709\n"
    );
    std::fs::write(&profile, text).map_err(|e| Error::plain(e.to_string()))?;
    let last = (shot.frames.count() - 1).to_string();
    let mut melt = Command::new("melt");
    melt.env("MLT_FREI0R_PLUGIN_PATH", home).env("FREI0R_PATH", home).arg("-profile").arg(&profile);
    melt.arg(&shot.file).args(["in=0", &format!("out={last}")]);
    melt.args([
        "-filter",
        "frei0r.rotomask",
        &format!("session={}", shot.session_text()),
        "view=matte",
        &format!("fps={over}/{under}"),
    ]);
    melt.arg("-consumer").arg(format!("avformat:{}", movie.display()));
    run(melt.args([
        "vcodec=ffv1",
        "pix_fmt=bgr0",
        "mlt_image_format=rgba",
        "an=1",
        "real_time=-4",
        "-silent",
    ]))?;
    let mut ffmpeg = Command::new("ffmpeg");
    ffmpeg.args(["-nostdin", "-loglevel", "error", "-y", "-i"]).arg(&movie);
    run(ffmpeg.args(["-pix_fmt", "rgba", "-f", "rawvideo", &raw]))?;
    compare(Path::new(&raw), shot)
}

fn gstreamer(home: &Path, shot: &Shot, folder: &Path) -> Result<String> {
    let ([w, h], [over, under]) = (shot.size(), shot.rate);
    let (source, raw) = (folder.join("gstreamer.rgba"), path_in(folder, "gstreamer.raw"));
    std::fs::write(&source, shot.frames.frames.concat()).map_err(|e| Error::plain(e.to_string()))?;
    let mut gst = Command::new("gst-launch-1.0");
    gst.env("FREI0R_PATH", home).env("GST_REGISTRY", folder.join("gstreamer.registry"));
    gst.args([
        "-q",
        "filesrc",
        &format!("location={}", source.display()),
        "!",
        "rawvideoparse",
        "format=rgba",
    ]);
    gst.args([
        &format!("width={w}"),
        &format!("height={h}"),
        &format!("framerate={over}/{under}"),
        "!",
        "frei0r-filter-rotomask",
    ]);
    gst.args([
        &format!("session={}", shot.session_text()),
        "view=matte",
        &format!("fps={over}/{under}"),
        "!",
        "filesink",
        &format!("location={raw}"),
    ]);
    run(&mut gst)?;
    compare(Path::new(&raw), shot)
}
