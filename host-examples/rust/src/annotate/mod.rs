//! `rotomask annotate`: makes masklets of clips, so that what is tracked today can train the next model.
//!
//! The three phases of SAM 2's data engine: each frame by itself; masks made on single frames and propagated; and
//! prompts that are followed directly. Where nobody says what to follow, a grid of points does.
//!
//! A folder is written in DAVIS's or in SA-V's layout, which `rotomask eval` reads and models train on, with a
//! table of the masklets that says which to trust and which to look at.

mod grid;
mod masklet;
mod phases;
mod prompts;
mod write;

use std::{fs, path::PathBuf, sync::Arc};

use clap::ValueEnum;

use crate::{
    Error, Outcome, Result,
    args::EngineArgs,
    dataset::{self, FrameReader, Sequence},
    library::{Library, Model},
    picture::Picture,
    progress,
    track::interrupt,
};
use prompts::Prompts;
use write::Writer;

/// How masklets are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Phase {
    /// Each frame by itself; without prompts, what overlaps from frame to frame becomes a masklet
    Image,
    /// Masks, given or made on single frames, are propagated
    Mask,
    /// Clicks, boxes and masks are followed directly
    Full,
}

/// How a folder is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Layout {
    /// JPEGImages and Annotations, a PNG of numbers for each frame; masklets don't overlap
    Davis,
    /// NAME.mp4, or a folder NAME of frames, and NAME_manual.json or NAME_auto.json with run lengths
    Sav,
}

/// The arguments of `rotomask annotate`.
#[derive(Debug, clap::Args)]
pub struct AnnotateArgs {
    /// A folder of clips (movies, folders of pictures) or a data set; masks that it has are propagated
    pub folder: PathBuf,
    /// Folder to write; clips that it already has are passed over
    #[arg(short, long, value_name = "DIR")]
    pub output: PathBuf,
    /// How masklets are made
    #[arg(long, value_name = "PHASE", default_value = "full")]
    pub phase: Phase,
    /// How the folder is laid out
    #[arg(long, value_name = "LAYOUT", default_value = "davis")]
    pub layout: Layout,
    /// A table of prompts: clip, object, frame, kind (point, negative, box), x0, y0, x1, y1
    #[arg(long, value_name = "FILE.csv")]
    pub prompts: Option<PathBuf>,
    /// Annotate every Nth frame; SA-V has 4
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub every: u32,
    /// Without prompts: points across and down
    #[arg(long, value_name = "N", default_value_t = 12, value_parser = clap::value_parser!(u32).range(1..=16))]
    pub grid: u32,
    /// Without prompts: the most masklets to make of a clip
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=254))]
    pub most: u32,
    /// Without prompts: the least predicted overlap of a mask to start from
    #[arg(long, value_name = "IOU", default_value_t = 0.5, value_parser = share)]
    pub sure: f32,
    /// Without prompts: the least share of such a mask that stays from logit -1 to logit 1
    #[arg(long, value_name = "SHARE", default_value_t = 0.6, value_parser = share)]
    pub steady: f32,
    /// Masklets whose predicted overlap is lower on average are to be reviewed
    #[arg(long, value_name = "IOU", default_value_t = 0.8, value_parser = share)]
    pub accept: f32,
    /// Only these clips
    #[arg(long, value_name = "NAME,...", value_delimiter = ',')]
    pub sequences: Vec<String>,
    /// The engine.
    #[command(flatten)]
    pub engine: EngineArgs,
}

/// Annotates every clip of a folder and prints a line for each masklet. Ctrl-C ends it after the last whole clip.
///
/// # Errors
/// If the folder has no clips, a file can't be read or written, prompts make no sense, or the model fails.
pub fn run(args: AnnotateArgs) -> Result<Outcome> {
    let clips = dataset::clips(&args.folder)?;
    let prompts = args.prompts.as_deref().map(Prompts::read).transpose()?.unwrap_or_default();
    if let Some(unknown) = prompts.clips().find(|name| !clips.iter().any(|clip| clip.name == *name)) {
        return Err(Error::Usage(format!("--prompts names the clip {unknown}, which is not in the folder")));
    }
    let clips = chosen(clips, &args.sequences)?;
    fs::create_dir_all(&args.output).map_err(|error| Error::file(&args.output, error))?;
    let same = |path: &PathBuf| path.canonicalize().ok();
    if same(&args.output) == same(&args.folder) {
        return Err(Error::Usage("-o is the folder that is read, expected another one".into()));
    }
    let stop = interrupt::flag()?;
    let library = Library::open(args.engine.library.as_deref())?;
    let model = Model::open(&library, args.engine.model.as_deref(), args.engine.options())?;

    print!("{}", masklet::head());
    for clip in &clips {
        let writer = Writer::new(&args, clip);
        if writer.is_done() {
            progress::say(&format!("{}: it is annotated already", clip.name));
            continue;
        }
        match annotate(&args, clip, &prompts, &model, &stop, writer) {
            Err(error) if error.is_cancelled() => return Ok(Outcome::Interrupted),
            other => other?,
        }
    }
    Ok(Outcome::Complete)
}

fn annotate(
    args: &AnnotateArgs,
    clip: &Sequence,
    prompts: &Prompts,
    model: &Arc<Model>,
    stop: &Arc<std::sync::atomic::AtomicBool>,
    mut writer: Writer<'_>,
) -> Result<()> {
    let mut picture = Picture::default();
    if !FrameReader::new(clip, None).read(0, &mut picture)? {
        progress::warn(&format!("{}: it has no frames", clip.name));
        return Ok(());
    }
    let size = (picture.width(), picture.height());
    let job = phases::Job { args, clip, model, stop, size };
    let given = prompts.of(clip, size)?;
    let masklets = job.masklets(given, &picture, &mut writer)?;
    for masklet in &masklets {
        print!("{}", masklet.row(&clip.name, args.accept));
    }
    writer.finish(&masklets, size)
}

fn chosen(mut clips: Vec<Sequence>, wanted: &[String]) -> Result<Vec<Sequence>> {
    if let Some(unknown) = wanted.iter().find(|name| !clips.iter().any(|clip| clip.name == **name)) {
        return Err(Error::Usage(format!("--sequences {unknown}: there is no clip of that name")));
    }
    clips.retain(|clip| wanted.is_empty() || wanted.contains(&clip.name));
    Ok(clips)
}

fn share(text: &str) -> std::result::Result<f32, String> {
    let number = text.parse().ok().filter(|n: &f32| (0.0..=1.0).contains(n));
    number.ok_or_else(|| format!("found {text}, expected 0 to 1"))
}
