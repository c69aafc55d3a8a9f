//! `rotomask track`: from a clip and a few clicks to a cut-out.
//!
//! Three threads work on three frames at a time: one decodes, one runs the model, one finishes and encodes.
//! Between them lie short queues, so that nothing grows with the clip's length.

mod backward;
mod finish;
pub(crate) mod interrupt;
mod near;
mod observe;
mod pipeline;

use std::{
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
};

use ffmpeg_next::Rational;

use crate::{
    Error, Outcome, Result,
    args::TrackArgs,
    library::{Image, Keep, Library, Model, Session},
    masks::MaskFolders,
    partial,
    picture::Picture,
    prompt::Prompts,
    render::Render,
    report::{Head, Report},
    sink::Target,
    source::{ClipInfo, Source},
};
use backward::Backward;
use finish::Finisher;

/// Runs the job. Whatever can be wrong without the model is found before the model is opened.
///
/// # Errors
/// If anything is; the outputs' names then have what they had before.
pub fn run(args: TrackArgs) -> Result<Outcome> {
    let target = check_arguments(&args)?;
    let prompts = Prompts::gather(&args)?;
    let mut source = open(&args)?;
    let clip = *source.info();
    prompts.check(clip.width, clip.height)?;
    let background = args.look.background(&clip)?;
    let stop = interrupt::flag()?;
    if !skip_to(&mut source, args.start, &stop)? {
        return Err(beyond_the_end(&args.input, &format!("--start is {}", args.start), &source));
    }

    let library = Library::open(args.engine.library.as_deref())?;
    let settings =
        target.as_ref().map(|target| args.look.settings(&library, target.has_alpha())).transpose()?;
    let model = Model::open(&library, args.engine.model.as_deref(), args.engine.options())?;
    let keep = match &args.session {
        Some(file) => Keep::File(file),
        None if args.both => Keep::Temporary,
        None => Keep::Window,
    };
    let mut session = Session::open_keeping(&model, [clip.width, clip.height], keep, !args.no_cuts)?;
    session.stop_at(stop.clone())?;
    let known = session.describe()?;
    prompts.give(&mut session, &known)?;
    let known = session.describe()?;
    // A search finds something to follow on the first frame that is processed.
    let searched = args.automatic.then_some(args.start);
    let Some(mut first) = known.first().into_iter().chain(searched).min() else {
        return Err(Error::Usage(
            "nothing to follow: the session has no prompts, expected --point, --box or --mask".into(),
        ));
    };
    // One new prompt on the first frame is answered on the way.
    if args.both || known.waiting.iter().any(|&frame| frame != first) {
        match visit_prompted_frames(&args, &known.waiting, &mut session, &stop) {
            Err(error) if error.is_cancelled() => return Ok(nothing_done()),
            visited => visited?,
        }
    }
    if args.both && first > args.start {
        let mut frames = Backward::new(args.input.clone(), Rational(args.fps as i32, 1));
        session.track_back(first, args.start, &mut frames)?;
        first = args.start;
    }

    let render = target
        .as_ref()
        .zip(settings)
        .map(|(target, settings)| Render::open(&library, &args.look, settings, background, (target, &clip)))
        .transpose()?;
    let objects: Vec<u32> = known.prompted().collect();
    let apart = args.automatic || objects.len() > 1;
    let masks = args.masks.as_deref().map(|folder| MaskFolders::create(folder, apart)).transpose()?;
    let head = Head {
        input: args.input.display().to_string(),
        width: clip.width,
        height: clip.height,
        rate: f64::from(clip.rate),
    };
    let report = args.json.as_deref().map(|path| Report::create(path, &head)).transpose()?;
    let finisher = Finisher::new(render, masks, report, frames_to_do(&args, &clip));
    let job = pipeline::Job { args: &args, prompts: &prompts, first, objects, session, stop: &stop };
    let done = job.run(source, finisher)?;
    if done.frames() == 0 {
        return Ok(nothing_done());
    }
    done.publish(&library, &model)
}

fn nothing_done() -> Outcome {
    crate::progress::say("stopped before the first frame, nothing was written");
    Outcome::Interrupted
}

/// What is wrong with the arguments, whatever the files hold; and where output cannot go.
fn check_arguments(args: &TrackArgs) -> Result<Option<Target>> {
    if args.output.is_none() && args.masks.is_none() && args.json.is_none() && args.session.is_none() {
        return Err(Error::Usage("nothing to write, expected -o, --masks, --json or --session".into()));
    }
    if let Some(end) = args.end.filter(|&end| end < args.start) {
        return Err(Error::Usage(format!("--end {end} comes before --start {}", args.start)));
    }
    // clap lets a requirement go where it conflicts with what is given.
    if let Some(every) = args.every.filter(|_| !args.automatic) {
        return Err(Error::Usage(format!(
            "--every {every}: nothing is looked for, expected --automatic with it"
        )));
    }
    let target = args.output.as_deref().map(Target::new).transpose()?;
    if let Some(target) = &target {
        target.check_place()?;
    }
    for file in [&args.json, &args.session].into_iter().flatten() {
        partial::check_place(file)?;
    }
    Ok(target)
}

fn open(args: &TrackArgs) -> Result<Source> {
    // Within i32: --fps has a range.
    Source::open(&args.input, Rational(args.fps as i32, 1))
}

/// Passes over frames until `index` comes next. False if the clip has no such frame.
fn skip_to(source: &mut Source, index: u64, stop: &AtomicBool) -> Result<bool> {
    while source.position() < index && !stop.load(Ordering::Relaxed) {
        if source.skip()?.is_none() {
            return Ok(false);
        }
    }
    Ok(!source.at_end()?)
}

fn beyond_the_end(input: &Path, what: &str, source: &Source) -> Error {
    Error::file(input, format!("it has {} frames, counted from 0, and {what}", source.position()))
}

/// Shows the session every prompted frame before the clip is followed, so that each frame can recall all of
/// them, as SAM 2 does. The clip is read once more for that, from its beginning: seeking would have to trust
/// timestamps.
fn visit_prompted_frames(
    args: &TrackArgs,
    waiting: &[u64],
    session: &mut Session,
    stop: &AtomicBool,
) -> Result<()> {
    let mut source = open(args)?;
    let mut picture = Picture::default();
    for &frame in waiting {
        let found = skip_to(&mut source, frame, stop)? && source.next(&mut picture)?.is_some();
        if stop.load(Ordering::Relaxed) {
            break;
        }
        if !found {
            return Err(beyond_the_end(&args.input, &format!("a prompt is on frame {frame}"), &source));
        }
        session.push(frame, &Image::from(&picture))?;
    }
    Ok(())
}

fn frames_to_do(args: &TrackArgs, clip: &ClipInfo) -> Option<u64> {
    let end = match (args.end, clip.frames) {
        (Some(end), Some(frames)) => Some((end + 1).min(frames)),
        (end, frames) => end.map(|end| end + 1).or(frames),
    };
    end.map(|end| end.saturating_sub(args.start))
}

/// What was written, for the line at the end.
fn written(args: &TrackArgs) -> Vec<&PathBuf> {
    [&args.output, &args.masks, &args.json, &args.session].into_iter().flatten().collect()
}
