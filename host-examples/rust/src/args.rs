//! The command line.

use std::{path::PathBuf, str::FromStr};

use clap::{Args, Parser, Subcommand};

use crate::{
    annotate::AnnotateArgs,
    eval::EvalArgs,
    export::ExportArgs,
    kernels::KernelsArgs,
    library::ModelOptions,
    look::LookArgs,
    matte::MatteArgs,
    parameters::ParametersArgs,
    prompt::{At, Point, Rect},
    segment::{SearchArgs, SegmentArgs},
    session::SessionArgs,
    spline::SplineArgs,
};

/// Rotoscoping masks: point at a thing in one frame of a video and get it cut out of every frame.
#[derive(Debug, Parser)]
#[command(name = "rotomask", version, about)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Follow something through a video and write it cut out, over another background, or as masks
    Track(Box<TrackArgs>),
    /// Finish masks from disk: frames and masks in, finished frames out
    Matte(Box<MatteArgs>),
    /// Print the matte chain's parameters: what --set and presets take
    Parameters(ParametersArgs),
    /// Write the matte chain's kernels for a program with GPU code of its own
    Kernels(KernelsArgs),
    /// List, check, export or salvage a session file
    Session(SessionArgs),
    /// Write a session file's finished mattes: PNG, OpenEXR with Cryptomatte, ProRes, FFV1, VP9
    Export(Box<ExportArgs>),
    /// Write an object's masks as animated splines for Nuke, After Effects, Kdenlive, Shotcut
    Spline(SplineArgs),
    /// Find one thing in a picture, or everything in it
    Segment(Box<SegmentArgs>),
    /// Print versions, execution providers, GPU adapters and the model
    Info(InfoArgs),
    /// Measure masks against a ground truth
    Eval(Box<EvalArgs>),
    /// Make masklets of a folder of clips, to train on or to evaluate with
    Annotate(Box<AnnotateArgs>),
}

/// Which library, runtime and model do the work.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Engine")]
pub struct EngineArgs {
    /// Model package (NAME.rotomodel); the library has one built in
    #[arg(long, value_name = "DIR")]
    pub model: Option<PathBuf>,
    /// Threads for the model; 0: one per core
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub threads: u32,
    /// Who computes, asked in this order: cpu, cuda, tensorrt, directml, coreml, migraphx, rocm, openvino
    #[arg(long, value_name = "LIST", default_value = "cpu")]
    pub provider: String,
    /// The GPU's number, for providers that use one
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub device: u32,
    /// The same bits in every run and with any number of threads, also on a GPU
    #[arg(long)]
    pub deterministic: bool,
    /// ONNX Runtime's library
    #[arg(long, value_name = "PATH")]
    pub onnxruntime: Option<PathBuf>,
    /// librotomask; otherwise ROTOMASK_LIBRARY, otherwise the one beside this program
    #[arg(long, value_name = "PATH")]
    pub library: Option<PathBuf>,
}

impl EngineArgs {
    /// How the model is to be opened.
    #[must_use]
    pub fn options(&self) -> ModelOptions<'_> {
        ModelOptions {
            threads: self.threads,
            onnxruntime: self.onnxruntime.as_deref(),
            providers: &self.provider,
            device: self.device,
            deterministic: self.deterministic,
        }
    }
}

/// The arguments of `rotomask info`.
#[derive(Debug, Args)]
pub struct InfoArgs {
    /// The engine.
    #[command(flatten)]
    pub engine: EngineArgs,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// The arguments of `rotomask track`.
#[derive(Debug, Args)]
#[command(allow_negative_numbers = true)]
pub struct TrackArgs {
    /// A video, or a folder of numbered pictures
    pub input: PathBuf,
    /// A click on the object, in pixels of the frame; @F: on which frame, by default the first one processed
    #[arg(long, value_name = "X,Y[@F]", allow_hyphen_values = true)]
    pub point: Vec<At<Point>>,
    /// A click on what is not the object
    #[arg(long, value_name = "X,Y[@F]", allow_hyphen_values = true)]
    pub negative: Vec<At<Point>>,
    /// A box around the object
    #[arg(long, value_name = "X0,Y0,X1,Y1[@F]", allow_hyphen_values = true)]
    pub r#box: Option<At<Rect>>,
    /// A picture of the frame's size, bright where the object is
    #[arg(long, value_name = "FILE[@F]")]
    pub mask: Option<At<PathBuf>>,
    /// Find what is on the first frame by itself, and follow all of it
    #[arg(long, conflicts_with_all = ["point", "negative", "box", "mask", "both"])]
    pub automatic: bool,
    /// Look for what is new after every so many frames, too
    #[arg(long, value_name = "N", requires = "automatic", value_parser = clap::value_parser!(u64).range(1..), help_heading = "With --automatic")]
    pub every: Option<u64>,
    /// The most objects
    #[arg(
        long,
        value_name = "N",
        requires = "automatic",
        default_value_t = 16,
        help_heading = "With --automatic"
    )]
    pub max_objects: u32,
    /// How --automatic looks.
    #[command(flatten)]
    pub search: SearchArgs,
    /// The first frame to process, counted from 0
    #[arg(long, value_name = "F", default_value_t = 0)]
    pub start: u64,
    /// The last frame to process; by default the clip's last
    #[arg(long, value_name = "F")]
    pub end: Option<u64>,
    /// Follow it to the frames before its first prompt as well
    #[arg(long)]
    pub both: bool,
    /// Keep prompts and masks in a file, and go on with what is in it: a stopped job, or one to be corrected
    #[arg(long, value_name = "FILE")]
    pub session: Option<PathBuf>,
    /// Go on across cuts: otherwise nothing is followed from one shot into another
    #[arg(long)]
    pub no_cuts: bool,
    /// Frames per second of a folder of pictures
    #[arg(long, value_name = "N", default_value = "25", value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub fps: u32,

    /// What to write; .mp4, .mov (ProRes with alpha), .webm (VP9 with alpha), .mkv (FFV1 with alpha, lossless),
    /// or %05d.png (numbered by frame)
    #[arg(short, long, value_name = "OUTPUT", help_heading = "Output")]
    pub output: Option<PathBuf>,
    /// Folder for one 8-bit mask per frame, 0 or 255, named by the frame's number; of several objects, a folder in it
    /// for each, named by the object's number
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    pub masks: Option<PathBuf>,
    /// File for scores, area, box and times of each frame
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub json: Option<PathBuf>,

    /// How it looks.
    #[command(flatten)]
    pub look: LookArgs,
    /// The engine.
    #[command(flatten)]
    pub engine: EngineArgs,
}

/// What lies behind the object.
#[derive(Clone, Debug, PartialEq)]
pub enum Background {
    /// sRGB-encoded red, green, blue, and alpha, 0 to 1, straight.
    Colour([f32; 4]),
    /// The plate, blurred.
    Blur,
    /// The plate as it is.
    Plate,
    /// A picture, scaled to cover the frame.
    Picture(PathBuf),
}

const COLOURS: [(&str, u32); 10] = [
    ("black", 0x0000_00ff),
    ("white", 0xffff_ffff),
    ("grey", 0x8080_80ff),
    ("gray", 0x8080_80ff),
    ("red", 0xff00_00ff),
    ("green", 0x00ff_00ff),
    ("blue", 0x0000_ffff),
    ("yellow", 0xffff_00ff),
    ("magenta", 0xff00_ffff),
    ("transparent", 0),
];

impl FromStr for Background {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "blur" => return Ok(Self::Blur),
            "plate" => return Ok(Self::Plate),
            _ => {}
        }
        if let Some((_, rgba)) = COLOURS.iter().find(|(name, _)| *name == text) {
            return Ok(Self::Colour(channels(*rgba)));
        }
        match text.strip_prefix('#') {
            Some(digits) => hexadecimal(digits)
                .map(|rgba| Self::Colour(channels(rgba)))
                .ok_or_else(|| format!("{text}: no colour, expected #rgb, #rrggbb or #rrggbbaa")),
            None => Ok(Self::Picture(text.into())),
        }
    }
}

impl Background {
    /// The names that are colours, for messages.
    pub fn colour_names() -> String {
        COLOURS.map(|(name, _)| name).join(", ")
    }
}

fn hexadecimal(digits: &str) -> Option<u32> {
    if !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    let number = u32::from_str_radix(digits, 16).ok()?;
    match digits.len() {
        // Each digit stands for two of the same: 0x11 times it.
        3 => {
            let [r, g, b] = [number >> 8, number >> 4, number].map(|n| (n & 0xf) * 0x11);
            Some((r << 24) | (g << 16) | (b << 8) | 0xff)
        }
        6 => Some((number << 8) | 0xff),
        8 => Some(number),
        _ => None,
    }
}

fn channels(rgba: u32) -> [f32; 4] {
    rgba.to_be_bytes().map(|c| f32::from(c) / 255.0)
}

/// clap's answer to a wrong command line in one line: its first paragraph, without its own prefix.
pub fn one_line(said: &clap::Error) -> String {
    let said = said.render().to_string();
    let first = said.split("\n\n").next().unwrap_or_default();
    let line = first.split_whitespace().collect::<Vec<_>>().join(" ");
    line.strip_prefix("error: ").unwrap_or(&line).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn track(arguments: &[&str]) -> Result<TrackArgs, clap::Error> {
        let all = ["rotomask", "track", "in.mp4"].iter().chain(arguments);
        match Cli::try_parse_from(all)?.command {
            Command::Track(args) => Ok(*args),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_command_line_is_free_of_contradictions() {
        use clap::CommandFactory;
        Cli::command().debug_assert();
    }

    #[test]
    fn prompts_may_be_given_many_times_and_begin_with_a_minus() {
        let args =
            track(&["--point", "1,2", "--point", "-3,4@5", "--negative", "6,7", "--grow", "-2.5"]).unwrap();
        assert_eq!(args.point.len(), 2);
        assert_eq!(args.point[1].what.x, -3.0);
        assert_eq!(args.look.grow.as_deref(), Some("-2.5"));
    }

    #[test]
    fn colours_are_read_in_every_notation() {
        let colour = |text: &str| match text.parse() {
            Ok(Background::Colour(c)) => c.map(|c| (c * 255.0).round() as u8),
            other => panic!("{text}: {other:?}"),
        };
        assert_eq!(colour("#1af"), [0x11, 0xaa, 0xff, 255]);
        assert_eq!(colour("#102030"), [0x10, 0x20, 0x30, 255]);
        assert_eq!(colour("#10203040"), [0x10, 0x20, 0x30, 0x40]);
        assert_eq!(colour("green"), [0, 255, 0, 255]);
        assert_eq!("blur".parse(), Ok(Background::Blur));
        assert_eq!("plate".parse(), Ok(Background::Plate));
        assert_eq!("plate.jpg".parse(), Ok(Background::Picture("plate.jpg".into())));
        for wrong in ["#", "#12", "#12345", "#+12345", "#ggg"] {
            assert!(wrong.parse::<Background>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_option_outside_its_range_is_refused() {
        for wrong in [["--fps", "0"], ["--set", "grow_px"], ["--matte-memory", "0"]] {
            assert!(track(&wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_wrong_command_line_is_answered_in_one_line() {
        let said = one_line(&track(&["--box", "5,5,5,9"]).unwrap_err());
        assert!(said.ends_with("box 5,5,5,9: it has no area, expected X0 < X1 and Y0 < Y1"), "{said}");
        assert!(!said.contains('\n') && !said.starts_with("error"), "{said}");
    }
}
