//! `rotomask spline`: an object's masks, from a session or a folder, as animated splines for other programs. No model
//! is needed.

mod masks;

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::Args;
use serde::Deserialize;

use crate::{
    Error, Result,
    library::{Image, ImageMut, Library, SessionFile, SplineFormat, SplineOptions, Splines},
    partial::Partial,
    progress,
    session::Contents,
};

/// The arguments of `rotomask spline`.
#[derive(Debug, Args)]
pub struct SplineArgs {
    /// A NAME.rotosession file, or a folder of masks named by their frames' numbers
    pub input: PathBuf,
    /// Which object of a session, or of a folder that has a folder for each; by default its only one
    #[arg(long, value_name = "N")]
    pub object: Option<u32>,
    /// How far a curve may be from the matte's contour, in pixels, as a root mean square [default: 0.75]
    #[arg(long, value_name = "PX")]
    pub tolerance: Option<f64>,
    /// How far it may be between keyframes, in pixels [default: 0.5]
    #[arg(long, value_name = "PX")]
    pub key_tolerance: Option<f64>,
    /// Leave out contours that enclose less, frame by frame, in square pixels [default: 64]
    #[arg(long, value_name = "PX2")]
    pub min_area: Option<f64>,
    /// Frames per second of the shot, for .mlt, .jsx and .svg [default: 25]
    #[arg(long, value_name = "N")]
    pub fps: Option<f64>,
    /// The number that the first frame gets in the file; by default the one that it has
    #[arg(long, value_name = "F")]
    pub first_frame: Option<u64>,
    /// What to write: .nk (Nuke), .jsx (After Effects), .mlt.json or .mlt (MLT, Kdenlive, Shotcut), .svg, .json
    #[arg(short, long, value_name = "OUTPUT")]
    pub output: PathBuf,
    /// What to write, whatever the output's suffix
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub format: Option<SplineFormat>,
    /// librotomask; otherwise ROTOMASK_LIBRARY, otherwise the one beside this program
    #[arg(long, value_name = "PATH")]
    pub library: Option<PathBuf>,
}

/// What the library tells of splines.
#[derive(Deserialize)]
struct Told {
    shapes: u64,
    keys: u64,
    frames: u64,
    points: u64,
    vertices: u64,
    rms_px: f64,
    worst_px: f64,
}

/// Runs the job. The output appears whole or not at all.
///
/// # Errors
/// If the masks can't be read, or the output can't be written.
pub fn run(args: &SplineArgs) -> Result<()> {
    let format = match args.format {
        Some(format) => format,
        None => by_suffix(&args.output)?,
    };
    let partial = Partial::create(&args.output)?;
    let library = Library::open(args.library.as_deref())?;
    let options = SplineOptions {
        tolerance_px: args.tolerance,
        key_tolerance_px: args.key_tolerance,
        min_area_px2: args.min_area,
        frames_per_second: args.fps,
    };
    let mut splines = match args.input.is_dir() {
        true => masks::read(&library, args, &options)?,
        false => session(&library, args, &options)?,
    };
    let text = splines.write(format)?;
    fs::write(partial.path(), text).map_err(|e| Error::file(&args.output, e))?;
    let told: Told = serde_json::from_str(&splines.describe()?)
        .map_err(|_| Error::Bug("librotomask describes splines in words that are not its own"))?;
    partial.publish()?;
    progress::say(&told.line(&args.output));
    Ok(())
}

impl Told {
    fn line(&self, output: &Path) -> String {
        let Self { shapes, keys, frames, points, vertices, rms_px, worst_px } = self;
        let each = *points as f64 / (*frames).max(1) as f64;
        let share = 100.0 * *points as f64 / (*vertices).max(1) as f64;
        format!(
            "{}: {shapes} shapes, {keys} keyframes on {frames} frames, {each:.0} points a shape ({share:.1} % of the contours'), \
             {rms_px:.2} px off (root mean square), at worst {worst_px:.1}",
            output.display()
        )
    }
}

fn by_suffix(output: &Path) -> Result<SplineFormat> {
    let name = output.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    let known = [
        (".nk", SplineFormat::Nuke),
        (".jsx", SplineFormat::AfterEffects),
        (".mlt.json", SplineFormat::MltJson),
        (".mlt", SplineFormat::Mlt),
        (".svg", SplineFormat::Svg),
        (".json", SplineFormat::Json),
    ];
    let found = known.into_iter().find(|(suffix, _)| name.ends_with(suffix));
    found.map(|(_, format)| format).ok_or_else(|| {
        let names = known.map(|(suffix, _)| suffix).join(", ");
        Error::Usage(format!(
            "-o {}: its suffix is none of {names}; --format says what to write",
            output.display()
        ))
    })
}

/// The frame's number in the file.
fn number(args: &SplineArgs, first: u64, frame: u64) -> u64 {
    args.first_frame.map_or(frame, |start| start + (frame - first))
}

fn session(library: &Arc<Library>, args: &SplineArgs, options: &SplineOptions) -> Result<Splines> {
    let file = SessionFile::open(library, &args.input)?;
    let contents: Contents = serde_json::from_str(&file.describe()?)
        .map_err(|_| Error::Bug("librotomask describes a session in words that are not its own"))?;
    let ids = || contents.objects.iter().map(|object| object.id.to_string()).collect::<Vec<_>>().join(", ");
    let object = match (args.object, contents.objects.as_slice()) {
        (Some(id), objects) => objects.iter().find(|object| object.id == id).ok_or_else(|| {
            Error::file(&args.input, format!("it has no object {id}, which --object asks for, but {}", ids()))
        })?,
        (None, [only]) => only,
        (None, _) => {
            return Err(Error::file(
                &args.input,
                format!("its objects are {}, expected one, or --object", ids()),
            ));
        }
    };
    let (width, height) = contents.size();
    let mut frames: Vec<u64> = object.ranges.iter().flat_map(|range| range.first..=range.last).collect();
    frames.sort_unstable();
    frames.dedup();
    let Some(&first) = frames.first() else {
        return Err(Error::file(&args.input, format!("object {} has no mask yet", object.id)));
    };
    let mut splines = Splines::open(library, [width, height], options)?;
    let mut coverage = vec![0f32; width as usize * height as usize];
    let mut last = None;
    for frame in frames {
        // Where nothing is known there is nothing to see, and nothing to move through.
        if let Some(gone) = last.map(|last: u64| last + 1).filter(|next| *next < frame) {
            coverage.fill(0.0);
            splines.add(number(args, first, gone), &Image::floats(width, height, &coverage)?)?;
        }
        file.coverage(object.id, frame, &mut ImageMut::floats(width, height, &mut coverage)?)?;
        splines.add(number(args, first, frame), &Image::floats(width, height, &coverage)?)?;
        last = Some(frame);
    }
    Ok(splines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_told_by_the_longest_suffix() {
        let of = |name: &str| by_suffix(Path::new(name)).ok();
        assert_eq!(of("a/shot.MLT.json"), Some(SplineFormat::MltJson));
        assert_eq!(of("shot.json"), Some(SplineFormat::Json));
        assert_eq!(of("shot.nk"), Some(SplineFormat::Nuke));
        let said = by_suffix(Path::new("shot.png")).unwrap_err().to_string();
        assert!(said.starts_with("-o shot.png: its suffix is none of .nk, .jsx, .mlt.json"), "{said}");
    }
}
