//! `rotomask export`: the finished mattes of a session file, in the forms that an artist keeps. No model is needed.

mod chain;
mod chosen;
mod cryptomatte;
mod kind;
mod masks;
mod names;
mod openexr;
mod output;
mod plate;
mod samples;

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use clap::Args;
use ffmpeg_next::Rational;

use crate::{
    Error, Outcome, Result,
    convert::Colour,
    library::{Library, MatteSettings, SessionFile},
    look::{Assignment, assign, preset},
    partial,
    progress::{self, Progress},
    session::listing::Contents,
    source::{ClipInfo, Frame},
    track::interrupt,
};
use chain::Chain;
use kind::{Asked, Kind};
use masks::Masks;
use names::{Named, named};
use output::Output;
use plate::Plate;

/// The arguments of `rotomask export`.
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// A NAME.rotosession file
    pub file: PathBuf,
    /// What to write. %05d.png: coverage as grey. %05d.exr: half floats, ZIP, a layer NAME.A for each object, all of them in
    /// A, and Cryptomatte. .mov: ProRes 4444, 10 bits. .mkv: FFV1, lossless, grey without --plate. .webm: VP9, 8 bits. Movies
    /// have the mattes as straight alpha, over white or the plate; the colour of .exr is premultiplied and linear. Numbers
    /// are those of the frames
    #[arg(short, long, value_name = "OUTPUT")]
    pub output: PathBuf,
    /// An object, by number or name; given again for each further one. By default all that were followed
    #[arg(long, value_name = "N|NAME")]
    pub object: Vec<String>,
    /// The first frame; by default the first with a mask
    #[arg(long, value_name = "F", alias = "start")]
    pub first: Option<u64>,
    /// The last frame; by default the last with a mask. Frames between without masks are empty mattes
    #[arg(long, value_name = "F", alias = "end")]
    pub last: Option<u64>,
    /// The video, or the folder of numbered pictures, that was tracked: needed to refine edges, and the colour under the
    /// alpha of movies and .exr
    #[arg(long, value_name = "VIDEO|FOLDER")]
    pub plate: Option<PathBuf>,
    /// With .png: a folder for each object, named by its name
    #[arg(long)]
    pub apart: bool,
    /// Bits of .png (otherwise 8) and .mkv (otherwise 16)
    #[arg(long, value_name = "8|16", value_parser = depth)]
    pub depth: Option<u8>,
    /// Frames per second without a --plate that has its own
    #[arg(long, value_name = "N", default_value = "25", value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub fps: u32,
    /// Parameters of the matte chain and their keyframes, as JSON; the views are left aside
    #[arg(long, value_name = "FILE", help_heading = "Look")]
    pub preset: Option<PathBuf>,
    /// A parameter for all frames, whatever the preset says; `rotomask parameters` lists them
    #[arg(long, value_name = "ID=VALUE", help_heading = "Look")]
    pub set: Vec<Assignment>,
    /// Where the matte is finished: auto, off (on the CPU), software, an adapter's place or a part of its name
    #[arg(long, value_name = "DEVICE", default_value = "auto", help_heading = "Engine")]
    pub gpu: String,
    /// The most memory that finishing a frame may take, in MiB, of the computer's and of the GPU's
    #[arg(long, value_name = "MIB", value_parser = clap::value_parser!(u32).range(1..), help_heading = "Engine")]
    pub matte_memory: Option<u32>,
    /// librotomask; otherwise ROTOMASK_LIBRARY, otherwise the one beside this program
    #[arg(long, value_name = "PATH", help_heading = "Engine")]
    pub library: Option<PathBuf>,
}

fn depth(text: &str) -> std::result::Result<u8, String> {
    match text {
        "8" => Ok(8),
        "16" => Ok(16),
        other => Err(format!("found {other}, expected 8 or 16")),
    }
}

/// Runs the job. Whatever is wrong is found before anything is written, as far as it can be.
///
/// # Errors
/// If anything is; a movie's name then has what it had before, and numbered files are those that were finished.
pub fn run(args: &ExportArgs) -> Result<Outcome> {
    let asked = Asked { output: &args.output, bits: args.depth, apart: args.apart };
    let kind = Kind::new(&asked)?;
    if !matches!(kind, Kind::Png { .. } | Kind::Exr(_)) {
        partial::check_place(&args.output)?;
    }
    let stop = interrupt::flag()?;
    let library = Library::open(args.library.as_deref())?;
    let file = SessionFile::open(&library, &args.file)?;
    let contents = Contents::read(&file.describe()?)?;
    let objects = chosen::objects(&contents, &args.object)?;
    let (first, last) = chosen::frames(&objects, args.first, args.last)?;
    // Names are those that the objects have among all of the session's.
    let mut names = named(contents.objects.iter().map(|object| (object.id, object.name.as_str())));
    names.retain(|named| objects.iter().any(|object| object.id == named.id));
    let settings = [settings(args, &library)?, settings(args, &library)?];
    let plate = match &args.plate {
        Some(path) => Some(Plate::open(path, Rational(args.fps as i32, 1), contents.size())?),
        None => None,
    };
    if plate.is_none()
        && let Some(id) = chain::looks_at_the_plate(&settings[0])?
    {
        return Err(Error::Usage(format!("{id} looks for the edge in the plate, expected --plate")));
    }
    let memory = args.matte_memory.map(|mib| u64::from(mib) << 20);
    let chain = Chain::open(&library, (&args.gpu, memory), settings, contents.size(), kind.depth())?;
    let open = |object: &&_| {
        let object: &crate::session::listing::Object = object;
        let answered = object.ranges.iter().map(|range| (range.first, range.last)).collect();
        Masks::open(&file, object.id, answered, &contents.cuts)
    };
    let masks = objects.iter().map(open).collect::<Result<Vec<_>>>()?;
    let clip = plate.as_ref().map_or_else(|| without_plate(&contents, args.fps), |plate| *plate.info());
    let output = Output::create(&args.output, &kind, &names, &clip, plate.is_some())?;
    if args.apart || matches!(kind, Kind::Exr(_)) {
        tell_names(&names);
    }
    Job { args, chain, masks, plate, clip, output }.run(first, last, &stop)
}

fn settings(args: &ExportArgs, library: &Arc<Library>) -> Result<MatteSettings> {
    let mut settings = preset(library, args.preset.as_deref())?;
    assign(&mut settings, &args.set)?;
    Ok(settings)
}

fn without_plate(contents: &Contents, fps: u32) -> ClipInfo {
    let (width, height) = contents.size();
    let rate = Rational(fps as i32, 1);
    ClipInfo {
        width,
        height,
        frames: None,
        time_base: rate.invert(),
        rate,
        pixel_aspect: Rational(1, 1),
        colour: Colour::srgb(),
    }
}

/// Names that had to change are told.
fn tell_names(names: &[Named]) {
    let changed = names.iter().filter(|named| named.layer != named.name);
    let changed: Vec<String> = changed.map(|named| format!("{} is {:?}", named.layer, named.name)).collect();
    if !changed.is_empty() {
        progress::say(&changed.join(", "));
    }
}

struct Job<'a> {
    args: &'a ExportArgs,
    chain: Chain,
    masks: Vec<Masks<'a>>,
    plate: Option<Plate>,
    clip: ClipInfo,
    output: Output,
}

impl Job<'_> {
    fn run(mut self, first: u64, last: u64, stop: &AtomicBool) -> Result<Outcome> {
        let mut progress = Progress::start(Some((last - first).saturating_add(1)));
        for frame in first..=last {
            if stop.load(Ordering::Relaxed) {
                break;
            }
            self.masks.iter_mut().try_for_each(|masks| masks.go_to(frame))?;
            let place = match &mut self.plate {
                Some(plate) => plate.read(frame, self.chain.plate())?,
                None => counted(frame, frame - first, &self.clip),
            };
            if self.plate.is_some() {
                self.chain.see();
            }
            self.output.write(&place, &mut self.chain, &self.masks)?;
            progress.advance();
        }
        let (frames, wall) = progress.so_far();
        let interrupted = stop.load(Ordering::Relaxed);
        if frames == 0 {
            progress::say("stopped before the first frame, nothing was written");
            return Ok(Outcome::Interrupted);
        }
        self.output.finish()?;
        drop(progress);
        let seconds = wall.as_secs_f64();
        progress::say(&format!(
            "{}{frames} frames in {seconds:.1} s ({:.1} frames/s): {}",
            if interrupted { "stopped early: " } else { "" },
            frames as f64 / seconds.max(f64::MIN_POSITIVE),
            self.args.output.display()
        ));
        Ok(if interrupted { Outcome::Interrupted } else { Outcome::Complete })
    }
}

/// The place of a frame without a plate that tells it: the export's first begins at zero.
fn counted(index: u64, place: u64, clip: &ClipInfo) -> Frame {
    let time = place.cast_signed();
    let seconds = place as f64 * f64::from(clip.time_base);
    Frame { index, time, seconds, decode: Duration::ZERO, convert: Duration::ZERO }
}
