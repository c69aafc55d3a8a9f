//! An hour and more through the engine, into a session file: whether memory and time a frame stay flat, and what the
//! file takes. Prints figures and judges none.

use std::{fs, path::Path, path::PathBuf, process::Command};

use serde::Deserialize;

use crate::{
    clip, command,
    error::{Error, Result},
    measure::{first_and_last_tenth, print_resident, processor, watch},
    setup,
    workspace::{Workspace, make_folder},
};

#[derive(clap::Args)]
pub struct Arguments {
    /// How long the stream is; the default is an hour at 25 a second
    #[arg(long, value_name = "N", default_value_t = 90_000, value_parser = clap::value_parser!(u32).range(1..))]
    frames: u32,
    /// How many objects are followed
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=256))]
    objects: u32,
    /// More arguments for the example `stream`, such as --model DIR
    #[arg(last = true)]
    more: Vec<String>,
}

/// What the example tells.
#[derive(Deserialize)]
struct Told {
    width: u32,
    height: u32,
    /// On how many frames objects were believed to be there, all objects together.
    seen: u64,
    /// Milliseconds of each frame.
    ms: Vec<f64>,
}

/// Builds, makes the clip, runs the stream and prints the figures. The session is deleted afterwards.
///
/// # Errors
/// If set-up, the build or the stream fails, or what it tells can't be read.
pub fn run(workspace: &Workspace, arguments: &Arguments) -> Result<()> {
    let onnxruntime = setup::to_build(workspace)?;
    command::run(workspace.cargo().args(["build", "--release", "--workspace", "--example", "stream"]))?;
    workspace.build_program()?;
    let clip = small(workspace)?;
    let folder = workspace.target.join("bench");
    let (session, told) = (folder.join("stream.rotosession"), folder.join("stream.json"));
    remove(&session)?;
    let mut stream = Command::new(workspace.release().join("examples").join("stream"));
    stream.arg(clip).arg("--session").arg(&session).arg("--json").arg(&told);
    stream.args(["--frames", &arguments.frames.to_string(), "--objects", &arguments.objects.to_string()]);
    stream.arg("--library").arg(workspace.library()).arg("--onnxruntime").arg(onnxruntime);
    let watched = watch(stream.args(&arguments.more));
    let bytes = fs::metadata(&session).map(|file| file.len());
    remove(&session)?;
    let (wall, resident) = watched?;
    let text = fs::read_to_string(&told).map_err(|error| Error::file(&told, error))?;
    let Told { width, height, seen, ms } =
        serde_json::from_str(&text).map_err(|error| Error::file(&told, error))?;

    let frames = ms.len() as f64;
    println!("\nprocessor: {}", processor());
    println!("{frames} frames of {width}x{height}, {} objects, seen {seen} times", arguments.objects);
    println!("{:.0} s, {:.1} frames a second", wall.as_secs_f64(), frames / wall.as_secs_f64());
    if let Some((first, last)) = first_and_last_tenth(&ms) {
        let ratio = last / first;
        println!("a frame, median: first tenth {first:.2} ms, last tenth {last:.2} ms, ratio {ratio:.3}");
    }
    print_resident(&resident);
    if let Ok(bytes) = bytes {
        let each = bytes as f64 / frames / f64::from(arguments.objects);
        println!("session: {:.1} MB, {:.0} bytes a frame and object", bytes as f64 / 1e6, each);
    }
    Ok(())
}

/// The demo's clip, a quarter as wide.
fn small(workspace: &Workspace) -> Result<PathBuf> {
    let whole = clip::install(workspace)?;
    let folder = workspace.target.join("bench");
    make_folder(&folder)?;
    let small = folder.join("320.mp4");
    if !small.is_file() {
        let partial = folder.join("partial-320.mp4");
        let mut ffmpeg = Command::new("ffmpeg");
        ffmpeg.args(["-nostdin", "-loglevel", "error", "-y", "-i"]).arg(whole);
        ffmpeg.args(["-vf", "scale=320:-2", "-an", "-c:v", "libx264", "-crf", "18"]);
        command::run(ffmpeg.arg(&partial))?;
        fs::rename(&partial, &small).map_err(|error| Error::file(&small, error))?;
    }
    Ok(small)
}

/// A session is a file and what SQLite lays beside it.
fn remove(session: &Path) -> Result<()> {
    for end in ["", "-wal", "-shm"] {
        let mut path = session.as_os_str().to_owned();
        path.push(end);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(Error::file(Path::new(&path), error));
            }
            _ => {}
        }
    }
    Ok(())
}
