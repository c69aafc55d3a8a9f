//! Follows objects through a stream of any length, made of a short clip played forth and back, into a session file:
//! `stream CLIP --frames N --objects N --session FILE --json FILE`.
//!
//! Nothing is encoded and no matte is made: what is measured is the engine. `cargo xtask bench stream` calls it.

use std::{fs, path::PathBuf, time::Instant};

use clap::Parser;
use ffmpeg_next::Rational;
use rotomask_cli::{
    Error, Result,
    args::EngineArgs,
    library::{Image, Keep, Library, Model, Session},
    picture::Picture,
    source::Source,
};
use serde_json::json;

/// How often the engine's progress is told.
const TOLD: u64 = 1000;

#[derive(Parser)]
struct Arguments {
    /// A short clip, which is held in memory as a whole
    clip: PathBuf,
    /// How long the stream is
    #[arg(long, default_value_t = 90_000, value_parser = clap::value_parser!(u64).range(1..))]
    frames: u64,
    /// How many objects are followed, each from a click on the first frame
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=256))]
    objects: u32,
    /// The session's file; it must not be there yet
    #[arg(long)]
    session: PathBuf,
    /// Where the milliseconds of each frame are written
    #[arg(long)]
    json: PathBuf,
    #[command(flatten)]
    engine: EngineArgs,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    if arguments.session.exists() {
        return Err(Error::file(&arguments.session, "it is there already, expected a new session"));
    }
    let pictures = read(&arguments)?;
    let (width, height) = (pictures[0].width(), pictures[0].height());
    let library = Library::open(arguments.engine.library.as_deref())?;
    let model = Model::open(&library, arguments.engine.model.as_deref(), arguments.engine.options())?;
    // The stream's seams are no cuts.
    let mut session = Session::open_keeping(&model, [width, height], Keep::File(&arguments.session), false)?;
    for object in 0..arguments.objects {
        session.click(object, 0, place(object, arguments.objects, [width, height]), true)?;
    }
    let mut ms = Vec::with_capacity(arguments.frames as usize);
    let (mut seen, start) = (0u64, Instant::now());
    for frame in 0..arguments.frames {
        let before = Instant::now();
        session.push(frame, &Image::from(&pictures[forth_and_back(frame, pictures.len())]))?;
        for object in 0..arguments.objects {
            seen += u64::from(session.result(object)?.seen);
        }
        ms.push(before.elapsed().as_secs_f32() * 1e3);
        if (frame + 1) % TOLD == 0 {
            let rate = (frame + 1) as f64 / start.elapsed().as_secs_f64();
            eprintln!("frame {}: {rate:.1} frames a second so far", frame + 1);
        }
    }
    drop(session);
    let told =
        json!({"width": width, "height": height, "objects": arguments.objects, "seen": seen, "ms": ms});
    fs::write(&arguments.json, told.to_string()).map_err(|error| Error::file(&arguments.json, error))
}

fn read(arguments: &Arguments) -> Result<Vec<Picture>> {
    let mut source = Source::open(&arguments.clip, Rational(25, 1))?;
    let (mut pictures, mut picture) = (Vec::new(), Picture::default());
    while source.next(&mut picture)?.is_some() {
        pictures.push(picture.clone());
    }
    Ok(pictures)
}

/// Which picture a frame shows: the clip's first to its last and back, so that no frame jumps.
fn forth_and_back(frame: u64, pictures: usize) -> usize {
    let last = pictures.saturating_sub(1).max(1) as u64;
    let at = frame % (2 * last);
    (if at > last { 2 * last - at } else { at }).min(pictures as u64 - 1) as usize
}

/// Where an object is clicked: the first in the clip's middle third, the others beside each other.
fn place(object: u32, objects: u32, [width, height]: [u32; 2]) -> [f32; 2] {
    let (w, h) = (width as f32, height as f32);
    match object {
        // The rabbit of the clip that the measurement uses.
        0 => [0.28 * w, 0.59 * h],
        _ => [(object as f32 + 0.5) / objects as f32 * w, 0.5 * h],
    }
}
