//! Speed and memory over a long clip, from decoding to encoding. Prints figures and judges none.

use std::{fs, path::PathBuf, process::Command, time::Duration};

use serde_json::Value;

use crate::{
    clip, command,
    error::{Error, Result},
    matte,
    measure::{first_and_last_tenth, print_resident, processor, watch},
    reference, setup, stream,
    workspace::Workspace,
};

/// The first frame's rabbit.
const POINT: &str = "359,424@0";

#[derive(clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Arguments {
    #[command(subcommand)]
    other: Option<Other>,
    /// How long the clip is, made of the demo's by repeating it
    #[arg(long, value_name = "N", default_value_t = 1000)]
    frames: u32,
    /// More arguments for `rotomask track`
    #[arg(last = true)]
    more: Vec<String>,
}

#[derive(clap::Subcommand)]
enum Other {
    /// Time a frame beside SAM 2's own video predictor in PyTorch
    Reference(reference::Arguments),
    /// Follow objects through a stream of any length into a session file
    Stream(stream::Arguments),
    /// Time the matte chain's stages beside the same in OpenCV
    Matte(matte::Arguments),
}

/// Builds, makes the clip, follows the rabbit through it and prints the figures.
///
/// # Errors
/// If set-up, the build or the job fails, or its report can't be read.
pub fn run(workspace: &Workspace, arguments: &Arguments) -> Result<()> {
    match &arguments.other {
        Some(Other::Reference(arguments)) => return reference::run(workspace, arguments),
        Some(Other::Stream(arguments)) => return stream::run(workspace, arguments),
        Some(Other::Matte(arguments)) => return matte::run(workspace, arguments),
        None => {}
    }
    setup::to_build(workspace)?;
    workspace.build_program()?;
    let clip = repeat(workspace, arguments.frames)?;
    let folder = workspace.target.join("bench");
    let report = folder.join("report.json");
    let mut track = Command::new(workspace.program());
    track.arg("track").arg(&clip).args(["--point", POINT]);
    track.arg("--json").arg(&report).arg("-o").arg(folder.join("output.mp4")).args(&arguments.more);
    let (wall, resident) = watch(&mut track)?;

    let text = fs::read_to_string(&report).map_err(|error| Error::file(&report, error))?;
    let report: Value = serde_json::from_str(&text).map_err(|error| Error::file(&report, error))?;
    println!("\nprocessor: {}", processor());
    print_report(&report, wall);
    print_resident(&resident);
    Ok(())
}

/// The demo's clip over and over, as 1280x720 H.264.
fn repeat(workspace: &Workspace, frames: u32) -> Result<PathBuf> {
    let short = clip::install(workspace)?;
    let folder = workspace.target.join("bench");
    crate::workspace::make_folder(&folder)?;
    let long = folder.join(format!("{frames}.mp4"));
    if !long.is_file() {
        let partial = folder.join(format!("partial-{frames}.mp4"));
        let mut ffmpeg = Command::new("ffmpeg");
        ffmpeg.args(["-nostdin", "-loglevel", "error", "-y", "-stream_loop", "-1", "-i"]).arg(short);
        ffmpeg.args(["-frames:v", &frames.to_string(), "-an", "-c:v", "libx264", "-preset", "veryfast"]);
        command::run(ffmpeg.args(["-crf", "18"]).arg(&partial))?;
        fs::rename(&partial, &long).map_err(|error| Error::file(&long, error))?;
    }
    Ok(long)
}

fn print_report(report: &Value, wall: Duration) {
    let totals = frame_totals(report);
    let fps = |frames: usize, seconds: f64| frames as f64 / seconds;
    println!("frames: {}", totals.len());
    println!("with start and end: {:.1} frames a second", fps(totals.len(), wall.as_secs_f64()));
    if let Some(seconds) = report["summary"]["wall_seconds"].as_f64() {
        println!("decode to encode: {:.1} frames a second", fps(totals.len(), seconds));
    }
    println!("stages, which overlap in time:");
    for (stage, ms) in stage_means(report) {
        let whole = totals.iter().sum::<f64>() / totals.len() as f64;
        println!("  {stage:18} {ms:7.2} ms a frame, {:4.1} %", 100.0 * ms / whole);
    }
    // The first frame is prompted and takes no memory, so it is unlike all others; a median doesn't mind.
    let Some((first, last)) = first_and_last_tenth(&totals) else { return };
    println!(
        "all stages of a frame, median: first tenth {first:.2} ms, last tenth {last:.2} ms, ratio {:.3}",
        last / first
    );
    // The encoder does the same work on every frame: what it takes longer, the machine takes longer.
    let encoder: Vec<f64> = frames(report).filter_map(|stages| stages["image_encoder"].as_f64()).collect();
    if let Some((before, after)) = first_and_last_tenth(&encoder) {
        println!(
            "the image encoder alone: {before:.2} ms, {after:.2} ms, ratio {:.3}; the rest of the ratio: {:.3}",
            after / before,
            (last / first) / (after / before)
        );
    }
}

fn frames(report: &Value) -> impl Iterator<Item = &serde_json::Map<String, Value>> {
    report["frames"].as_array().into_iter().flatten().filter_map(|frame| frame["ms"].as_object())
}

/// Milliseconds of each frame, all stages together.
fn frame_totals(report: &Value) -> Vec<f64> {
    frames(report).map(|stages| stages.values().filter_map(Value::as_f64).sum()).collect()
}

/// Milliseconds a frame by stage, the most expensive first.
fn stage_means(report: &Value) -> Vec<(&str, f64)> {
    let mut sums: Vec<(&str, f64)> = Vec::new();
    let mut count = 0;
    for stages in frames(report) {
        count += 1;
        for (stage, ms) in stages {
            let ms = ms.as_f64().unwrap_or(0.0);
            match sums.iter_mut().find(|(known, _)| known == stage) {
                Some((_, sum)) => *sum += ms,
                None => sums.push((stage, ms)),
            }
        }
    }
    for (_, sum) in &mut sums {
        *sum /= f64::from(count);
    }
    sums.sort_by(|a, b| b.1.total_cmp(&a.1));
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Value {
        serde_json::json!({"frames": [
            {"index": 0, "ms": {"decode": 1.0, "encode": 3.0}},
            {"index": 1, "ms": {"decode": 2.0, "encode": 5.0, "matte": 2.0}},
            {"index": 2},
        ]})
    }

    #[test]
    fn frames_without_times_are_passed_over() {
        assert_eq!(frame_totals(&report()), [4.0, 9.0]);
    }

    #[test]
    fn a_stage_is_averaged_over_all_frames_and_the_dearest_comes_first() {
        assert_eq!(stage_means(&report()), [("encode", 4.0), ("decode", 1.5), ("matte", 1.0)]);
    }

    #[test]
    fn a_report_without_frames_is_told_as_such() {
        print_report(&Value::Null, Duration::from_secs(1));
    }
}
