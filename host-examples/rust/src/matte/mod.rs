//! `rotomask matte`: frames and masks from disk to finished frames. No model is needed.

mod mattes;

use std::{
    path::PathBuf,
    sync::{
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
};

use clap::Args;
use ffmpeg_next::Rational;

use crate::{
    Error, Outcome, Result,
    library::{Badge, Library},
    look::LookArgs,
    picture::Picture,
    progress::{self, Progress},
    render::{Render, Shown},
    sink::Target,
    source::{Frame, Source, picture_numbers},
    track::interrupt,
};
pub use mattes::MatteFolder;
use mattes::Mattes;

/// The arguments of `rotomask matte`.
#[derive(Debug, Args)]
#[command(allow_negative_numbers = true)]
pub struct MatteArgs {
    /// A video, or a folder of numbered pictures
    pub frames: PathBuf,
    /// A folder of numbered masks: coverage in 8 or 16 bits, of any size. Given again for each further object, with
    /// what it does to those before: add, subtract, intersect, min, max or multiply
    #[arg(long, value_name = "[COMBINE=]DIR", required = true)]
    pub mattes: Vec<MatteFolder>,
    /// A folder of numbered masks of the frame's size: what is dropped
    #[arg(long, value_name = "DIR")]
    pub garbage: Option<PathBuf>,
    /// A folder of numbered masks of the frame's size: what stands before the subject
    #[arg(long, value_name = "DIR")]
    pub holdout: Option<PathBuf>,
    /// The number of the first frame's mask; by default 0, as `rotomask track --masks` writes them, or the first
    /// picture's own number where masks bear those
    #[arg(long, value_name = "N")]
    pub first_matte: Option<u64>,
    /// The first frame to process, counted from 0
    #[arg(long, value_name = "F", default_value_t = 0)]
    pub start: u64,
    /// The last frame to process; by default the clip's last
    #[arg(long, value_name = "F")]
    pub end: Option<u64>,
    /// Frames per second of a folder of pictures
    #[arg(long, value_name = "N", default_value = "25", value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub fps: u32,
    /// What to write; .mp4, .mov (ProRes with alpha), .webm (VP9 with alpha), .mkv (FFV1 with alpha, lossless),
    /// or %05d.png (numbered by frame)
    #[arg(short, long, value_name = "OUTPUT", help_heading = "Output")]
    pub output: PathBuf,
    /// How it looks.
    #[command(flatten)]
    pub look: LookArgs,
    /// librotomask; otherwise ROTOMASK_LIBRARY, otherwise the one beside this program
    #[arg(long, value_name = "PATH", help_heading = "Engine")]
    pub library: Option<PathBuf>,
}

/// All masks that a frame has.
struct Masks {
    objects: Vec<Mattes>,
    garbage: Option<Mattes>,
    holdout: Option<Mattes>,
}

/// Runs the job. Whatever is wrong is found before anything is written, as far as it can be.
///
/// # Errors
/// If anything is; the output's name then has what it had before.
pub fn run(args: MatteArgs) -> Result<Outcome> {
    if let Some(end) = args.end.filter(|&end| end < args.start) {
        return Err(Error::Usage(format!("--end {end} comes before --start {}", args.start)));
    }
    let target = Target::new(&args.output)?;
    target.check_place()?;
    let source = Source::open(&args.frames, Rational(args.fps as i32, 1))?;
    let clip = *source.info();
    let background = args.look.background(&clip)?;
    let masks = Masks::open(&args)?;
    let stop = interrupt::flag()?;
    let library = Library::open(args.library.as_deref())?;
    let settings = args.look.settings(&library, target.has_alpha())?;
    let render = Render::open(&library, &args.look, settings, background, (&target, &clip))?;
    let total = match (args.end, clip.frames) {
        (Some(end), Some(frames)) => Some((end + 1).min(frames)),
        (end, frames) => end.map(|end| end + 1).or(frames),
    };
    let progress = Progress::start(total.map(|end| end.saturating_sub(args.start)));
    go_through(&args, source, masks, render, progress, &stop)
}

/// Two threads: one decodes, one finishes and encodes.
fn go_through(
    args: &MatteArgs,
    source: Source,
    mut masks: Masks,
    mut render: Render,
    mut progress: Progress,
    stop: &AtomicBool,
) -> Result<Outcome> {
    // As many wait as even out what differs from frame to frame.
    let (decoded_to, decoded) = sync_channel::<(Frame, Picture)>(2);
    let (spare_to, spare) = sync_channel(4);
    thread::scope(|scope| {
        let reading = scope.spawn(move || decode(source, args, stop, &spare, &decoded_to));
        // In a call of its own: the receiver must be gone before the other thread is waited for.
        let mut finish = |decoded: Receiver<(Frame, Picture)>| -> Result<()> {
            for (frame, picture) in decoded {
                masks.go_to(frame.index)?;
                render.write(&frame, &picture, masks.shown()?)?;
                progress.advance();
                // At the end nobody reads any more.
                let _ = spare_to.try_send(picture);
            }
            Ok(())
        };
        let finished = finish(decoded);
        let read = reading.join().map_err(|_| Error::Bug("the decoding thread panicked"))?;
        finished.and(read)
    })?;
    let (frames, wall) = progress.so_far();
    let interrupted = stop.load(Ordering::Relaxed);
    if frames == 0 {
        if interrupted {
            progress::say("stopped before the first frame, nothing was written");
            return Ok(Outcome::Interrupted);
        }
        let problem = format!("it has no frame {}, which --start asks for", args.start);
        return Err(Error::file(&args.frames, problem));
    }
    render.finish()?;
    drop(progress);
    masks.warn(args);
    let seconds = wall.as_secs_f64();
    progress::say(&format!(
        "{}{frames} frames in {seconds:.1} s ({:.1} frames/s): {}",
        if interrupted { "stopped early: " } else { "" },
        frames as f64 / seconds.max(f64::MIN_POSITIVE),
        args.output.display()
    ));
    Ok(if interrupted { Outcome::Interrupted } else { Outcome::Complete })
}

fn decode(
    mut source: Source,
    args: &MatteArgs,
    stop: &AtomicBool,
    spare: &Receiver<Picture>,
    decoded: &SyncSender<(Frame, Picture)>,
) -> Result<()> {
    while source.position() < args.start && !stop.load(Ordering::Relaxed) {
        if source.skip()?.is_none() {
            return Ok(());
        }
    }
    while args.end.is_none_or(|end| source.position() <= end) && !stop.load(Ordering::Relaxed) {
        let mut picture = spare.try_recv().unwrap_or_default();
        let Some(frame) = source.next(&mut picture)? else { break };
        if decoded.send((frame, picture)).is_err() {
            break;
        }
    }
    Ok(())
}

impl Masks {
    fn open(args: &MatteArgs) -> Result<Self> {
        // A folder's pictures have numbers of their own, which masks may bear as well.
        let numbers: Option<Vec<u64>> = match args.frames.is_dir() {
            true => picture_numbers(&args.frames)?.into_iter().map(|(number, _)| number).collect(),
            false => None,
        };
        let open = |given: &MatteFolder| Mattes::open(given, numbers.as_deref(), args.first_matte);
        let one = |folder: &Option<PathBuf>| {
            let given =
                |folder: &PathBuf| MatteFolder { combine: Default::default(), folder: folder.clone() };
            folder.as_ref().map(given).as_ref().map(open).transpose()
        };
        Ok(Self {
            objects: args.mattes.iter().map(open).collect::<Result<_>>()?,
            garbage: one(&args.garbage)?,
            holdout: one(&args.holdout)?,
        })
    }

    fn go_to(&mut self, frame: u64) -> Result<()> {
        let mut all = self.objects.iter_mut().chain(&mut self.garbage).chain(&mut self.holdout);
        all.try_for_each(|mattes| mattes.go_to(frame))
    }

    fn shown(&self) -> Result<Shown<'_>> {
        let layers: Vec<_> =
            self.objects.iter().filter_map(|mattes| mattes.layer().transpose()).collect::<Result<_>>()?;
        let badge = if layers.is_empty() { Badge::Missing } else { Badge::Tracked };
        Ok(Shown {
            layers,
            garbage: self.garbage.as_ref().map(Mattes::image).transpose()?.flatten(),
            holdout: self.holdout.as_ref().map(Mattes::image).transpose()?.flatten(),
            badge,
        })
    }

    /// Frames without a mask are finished all the same, without that object.
    fn warn(&self, args: &MatteArgs) {
        for (mattes, given) in self.objects.iter().zip(&args.mattes) {
            if mattes.missing() > 0 {
                let folder = given.folder.display();
                progress::warn(&format!("{folder}: {} frames have no matte here", mattes.missing()));
            }
        }
    }
}
