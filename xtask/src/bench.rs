//! Speed and memory over a long clip, from decoding to encoding. Prints figures and judges none.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::{
    clip, command,
    error::{Error, Result},
    reference, setup,
    workspace::Workspace,
};

/// The first frame's rabbit.
const POINT: &str = "359,424@0";
const BETWEEN_SAMPLES: Duration = Duration::from_millis(100);

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
}

/// Builds, makes the clip, follows the rabbit through it and prints the figures.
///
/// # Errors
/// If set-up, the build or the job fails, or its report can't be read.
pub fn run(workspace: &Workspace, arguments: &Arguments) -> Result<()> {
    if let Some(Other::Reference(arguments)) = &arguments.other {
        return reference::run(workspace, arguments);
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

/// Runs a command, and gives the time it took and its resident memory meanwhile, in bytes.
fn watch(track: &mut Command) -> Result<(Duration, Vec<u64>)> {
    let line = command::line(track);
    println!("=> {line}");
    let failed = |outcome: String| Error::Command { line: line.clone(), outcome };
    let start = Instant::now();
    let mut child: Child = track.spawn().map_err(|error| failed(format!("could not be started: {error}")))?;
    let mut resident = Vec::new();
    let status = loop {
        if let Some(status) = child.try_wait().map_err(|error| failed(error.to_string()))? {
            break status;
        }
        resident.extend(resident_bytes(child.id()));
        thread::sleep(BETWEEN_SAMPLES);
    };
    if !status.success() {
        return Err(failed(format!("failed: {status}")));
    }
    Ok((start.elapsed(), resident))
}

/// What Linux says of a process; elsewhere nothing is known.
fn resident_bytes(process: u32) -> Option<u64> {
    let status = fs::read_to_string(Path::new("/proc").join(process.to_string()).join("status")).ok()?;
    let kilobytes = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(kilobytes.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? * 1024)
}

fn processor() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let cores = thread::available_parallelism().map_or(0, usize::from);
    format!("{}, {cores} threads", name.map_or("unknown", |(_, name)| name))
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

fn first_and_last_tenth(all: &[f64]) -> Option<(f64, f64)> {
    let tenth = all.len().div_ceil(10);
    Some((median(&all[..tenth])?, median(&all[all.len() - tenth..])?))
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

fn median(numbers: &[f64]) -> Option<f64> {
    let mut sorted = numbers.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied()
}

fn print_resident(samples: &[u64]) {
    let at = |share: f64| samples.get(((samples.len().max(1) - 1) as f64 * share) as usize);
    let megabytes = |bytes: &u64| format!("{:.0} MB", *bytes as f64 / 1e6);
    if let (Some(early), Some(middle), Some(late)) = (at(0.1), at(0.5), at(1.0)) {
        println!(
            "resident memory after 10 %, 50 % and 100 % of the time: {}, {}, {}; at most {}",
            megabytes(early),
            megabytes(middle),
            megabytes(late),
            megabytes(samples.iter().max().unwrap_or(late))
        );
    }
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
    fn a_report_without_frames_has_no_median() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        print_report(&Value::Null, Duration::from_secs(1));
    }
}
