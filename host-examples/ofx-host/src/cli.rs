//! The command line.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, Parser, Subcommand};
use openfx_abi::{
    kOfxImageEffectContextFilter, kOfxImageEffectContextGeneral, kOfxParamPropHint, kOfxPropLabel,
};

use crate::clip::{Components, Depth, Form, Frames};
use crate::conform::{self, Subject};
use crate::instance::{Instance, usual_form};
use crate::overlay::Overlay;
use crate::plugin::Plugin;
use crate::quirks::Quirks;
use crate::world::{Value, world};
use crate::{Error, Result, video};

/// A strict headless OpenFX host
#[derive(Debug, Parser)]
#[command(name = "ofx-host", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List an effect's parameters
    Describe(Which),
    /// Render a video through an effect
    Render(Box<Render>),
    /// Hold rotomask's plugins to the standard and to the command's mattes; ends with `N passed, N failed`
    Conform(Conform),
    /// Time a render at 1920x1080 beside the matte chain alone
    Cost(Cost),
}

#[derive(Debug, Args)]
struct Which {
    /// A bundle (NAME.ofx.bundle), or the library in it
    plugin: PathBuf,
    /// The plugin's identifier, where there are several
    #[arg(long)]
    id: Option<String>,
    /// Whose ways to play: strict, mlt, natron, nuke, resolve
    #[arg(long, default_value = "strict")]
    mode: String,
}

impl Which {
    fn open(&self) -> Result<Plugin> {
        let quirks = Quirks::mode(&self.mode).ok_or_else(|| {
            Error::plain(format!(
                "--mode: found {:?}, expected one of {}",
                self.mode,
                Quirks::MODES.join(", ")
            ))
        })?;
        world().quirks = quirks;
        Plugin::open(&self.plugin, self.id.as_deref())
    }
}

#[derive(Debug, Args)]
struct Render {
    #[command(flatten)]
    which: Which,
    /// The clip
    input: PathBuf,
    /// A second clip
    #[arg(long, value_name = "FILE")]
    second: Option<PathBuf>,
    /// What to write, as the `rotomask` command takes it
    #[arg(short, long)]
    output: Option<PathBuf>,
    /// Set a parameter
    #[arg(long, value_name = "NAME=VALUE")]
    set: Vec<String>,
    /// Click in the viewer, in pixels from the top left
    #[arg(long, value_name = "X,Y[@FRAME]")]
    click: Vec<String>,
    /// Press a button, after what was set and clicked
    #[arg(long, value_name = "BUTTON[@FRAME]")]
    press: Vec<String>,
    /// Stop a button's work after so many updates of its progress
    #[arg(long, value_name = "N")]
    cancel_after: Option<usize>,
    /// Read parameters from a file that --save has written
    #[arg(long, value_name = "FILE")]
    load: Option<PathBuf>,
    /// Write all parameters to a file
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
    /// byte, short, half or float
    #[arg(long)]
    depth: Option<String>,
    /// Threads that render, each its share of the frames
    #[arg(long, default_value_t = 1)]
    threads: u32,
    /// The first so many frames only
    #[arg(long, value_name = "N")]
    frames: Option<u64>,
    /// The general context and not the filter's
    #[arg(long)]
    general: bool,
}

#[derive(Debug, Args)]
struct Conform {
    /// The OpenFX plugin: a bundle, or the library in it
    plugin: PathBuf,
    /// The frei0r plugin
    #[arg(long)]
    frei0r: Option<PathBuf>,
    /// The `rotomask` command; otherwise the one beside this program
    #[arg(long)]
    command: Option<PathBuf>,
    /// A clip of your own
    #[arg(long, requires = "point")]
    clip: Option<PathBuf>,
    /// A click on a thing in its first frame
    #[arg(long, value_name = "X,Y")]
    point: Option<String>,
    /// Frames that are looked at
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(6..=1000))]
    frames: u64,
}

#[derive(Debug, Args)]
struct Cost {
    #[command(flatten)]
    which: Which,
    /// A session
    #[arg(long)]
    session: PathBuf,
    /// Renders that are timed
    #[arg(long, default_value_t = 20)]
    count: u32,
}

/// Runs one command line: 0, 1 for a failure, 2 for arguments that make no sense.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let done = match Cli::parse_from(arguments).command {
        Command::Describe(which) => describe(&which),
        Command::Render(render) => run_render(&render),
        Command::Conform(conform) => return run_conform(&conform),
        Command::Cost(cost) => run_cost(&cost),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("ofx-host: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn describe(which: &Which) -> Result<()> {
    let plugin = which.open()?;
    let described = plugin.describe(kOfxImageEffectContextGeneral)?;
    println!("{} {}.{}", plugin.id, plugin.version[0], plugin.version[1]);
    let world = world();
    let params = world.effects.get(&described.id).map(|effect| effect.params.clone()).unwrap_or_default();
    for param in params.iter().map(|id| &world.params[id]) {
        let text = |name| world.text_of(param.props, name).unwrap_or_default();
        let kind = param.kind.strip_prefix("OfxParamType").unwrap_or(&param.kind);
        println!("  {:22} {kind:11} {}  {}", param.name, text(kOfxPropLabel), text(kOfxParamPropHint));
    }
    Ok(())
}

/// `WHAT@FRAME`, or frame 0.
fn at_frame(text: &str) -> Result<(&str, f64)> {
    let Some((what, frame)) = text.rsplit_once('@') else { return Ok((text, 0.0)) };
    let frame = frame.parse().map_err(|_| Error::plain(format!("{text}: `{frame}` is no frame's number")))?;
    Ok((what, frame))
}

fn place(text: &str) -> Result<[f32; 2]> {
    let numbers: Option<Vec<f32>> = text.split(',').map(|v| v.trim().parse().ok()).collect();
    numbers
        .and_then(|numbers| numbers.try_into().ok())
        .ok_or_else(|| Error::plain(format!("found {text:?}, expected X,Y")))
}

fn run_render(args: &Render) -> Result<()> {
    let plugin = args.which.open()?;
    let clip = video::read(&args.input, args.frames)?;
    let second = args.second.as_deref().map(|file| video::read(file, args.frames)).transpose()?;
    let second = second.map(|second| Arc::new(second.stored) as Arc<dyn Frames>);
    let source: Arc<dyn Frames> = Arc::new(clip.stored);
    let context = if args.general { kOfxImageEffectContextGeneral } else { kOfxImageEffectContextFilter };
    let described = plugin.describe(context)?;
    let instance = Instance::create(&plugin, &described, source.clone(), second)?;
    if let Some(file) = &args.load {
        instance.restore(&read_json(file)?)?;
    }
    for pair in &args.set {
        let (name, value) = pair
            .split_once('=')
            .ok_or_else(|| Error::plain(format!("--set: found {pair:?}, expected NAME=VALUE")))?;
        instance.put_text(name, value)?;
    }
    let mut form = usual_form();
    if let Some(depth) = &args.depth {
        form.depth = depth_of(depth)?;
    }
    for click in &args.click {
        let (at, frame) = at_frame(click)?;
        let [x, y] = place(at)?;
        let mut overlay = Overlay::open(&plugin, &described, &instance, &form)?;
        overlay.time = frame;
        let height = f64::from(source.size()[1]);
        if !overlay.click([f64::from(x) + 0.5, height - f64::from(y) - 0.5]) {
            return Err(Error::plain(format!("--click {click}: the overlay did not take it")));
        }
    }
    world().cancel_after = args.cancel_after;
    for press in &args.press {
        let (button, frame) = at_frame(press)?;
        instance.changed(button, frame)?;
        for (kind, text) in std::mem::take(&mut world().messages) {
            println!("{kind}: {text}");
        }
    }
    for told in ["status", "objects"] {
        if let Ok(Value::Text(text)) = instance.value(told) {
            println!("{told}: {}", text.to_string_lossy());
        }
    }
    if let Some(file) = &args.save {
        std::fs::write(file, format!("{:#}\n", instance.save()))
            .map_err(|e| Error::plain(format!("{}: {e}", file.display())))?;
    }
    if let Some(output) = &args.output {
        write(&instance, &form, output, &clip.info, &clip.frames, args.threads)?;
    }
    let broken = world().violations.clone();
    if broken.is_empty() {
        Ok(())
    } else {
        Err(Error::plain(format!("against the standard: {}", broken.join("; "))))
    }
}

/// Renders in groups of as many frames as there are threads, so that few are held.
fn write(
    instance: &Instance<'_>,
    form: &Form,
    output: &Path,
    info: &rotomask_cli::source::ClipInfo,
    frames: &[rotomask_cli::source::Frame],
    threads: u32,
) -> Result<()> {
    let threads = threads.clamp(1, 64) as usize;
    let mut ready = std::collections::VecDeque::new();
    video::write(output, info, frames, |at| {
        if ready.is_empty() {
            let group = at..(at + threads).min(frames.len());
            let rendered: Vec<Result<Vec<u8>>> = std::thread::scope(|scope| {
                let start =
                    |n: usize| scope.spawn(move || Ok(instance.render(n as f64, form, None)?.to_rgba8()));
                let running: Vec<_> = group.map(start).collect();
                let join = |thread: std::thread::ScopedJoinHandle<'_, _>| {
                    thread.join().unwrap_or_else(|_| Err(Error::plain("a render ended without an answer")))
                };
                running.into_iter().map(join).collect()
            });
            ready.extend(rendered);
        }
        ready.pop_front().unwrap_or_else(|| Err(Error::plain("a frame was not rendered")))
    })
}

fn depth_of(text: &str) -> Result<Depth> {
    let names = ["byte", "short", "half", "float"];
    let at = names.iter().position(|name| *name == text);
    at.map(|at| Depth::ALL[at])
        .ok_or_else(|| Error::plain(format!("--depth: found {text:?}, expected {}", names.join(", "))))
}

fn read_json(file: &Path) -> Result<serde_json::Value> {
    let failed = |problem: String| Error::plain(format!("{}: {problem}", file.display()));
    let text = std::fs::read_to_string(file).map_err(|e| failed(e.to_string()))?;
    serde_json::from_str(&text).map_err(|e| failed(e.to_string()))
}

fn run_conform(args: &Conform) -> ExitCode {
    let own = std::env::current_exe().unwrap_or_default();
    let beside = own.with_file_name(format!("rotomask{}", std::env::consts::EXE_SUFFIX));
    let point = args.point.as_deref().map(place).transpose();
    let done = point.and_then(|point| {
        conform::run(&Subject {
            plugin: args.plugin.clone(),
            frei0r: args.frei0r.clone(),
            command: args.command.clone().unwrap_or(beside),
            clip: args.clip.clone().zip(point),
            frames: args.frames,
        })
    });
    match done {
        Ok(report) => {
            println!("{} passed, {} failed", report.passed, report.failed.len());
            if report.failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(problem) => {
            eprintln!("ofx-host: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn run_cost(args: &Cost) -> Result<()> {
    let plugin = args.which.open()?;
    let described = plugin.describe(kOfxImageEffectContextFilter)?;
    let pixels: Vec<u8> =
        (0..1920u32 * 1080).flat_map(|i| [(i % 251) as u8, (i / 1920 % 253) as u8, 90, 255]).collect();
    let source: Arc<dyn Frames> =
        Arc::new(crate::clip::Stored { size: [1920, 1080], frames: vec![pixels; 2] });
    let instance = Instance::create(&plugin, &described, source, None)?;
    instance.put_text("session", &args.session.to_string_lossy())?;
    for (depth, premultiplied) in
        [(Depth::Byte, false), (Depth::Byte, true), (Depth::Float, false), (Depth::Float, true)]
    {
        let form = Form { depth, premultiplied, components: Components::Rgba, ..Form::default() };
        instance.put_text("alpha", if premultiplied { "Premultiplied" } else { "Straight" })?;
        let (with, alone) = conform::cost(&instance, &args.session, &form, args.count)?;
        println!(
            "{depth:?}, {}: {:.2} ms a frame by the effect, {:.2} ms by the chain alone, {:+.1} %",
            if premultiplied { "premultiplied" } else { "straight" },
            with.as_secs_f64() * 1e3,
            alone.as_secs_f64() * 1e3,
            100.0 * (with.as_secs_f64() / alone.as_secs_f64() - 1.0)
        );
    }
    Ok(())
}
