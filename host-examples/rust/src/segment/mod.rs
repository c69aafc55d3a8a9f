//! `rotomask segment`: one picture, without a clip around it.

mod automatic;
mod overlay;

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::{Args, ValueEnum};
use image::ExtendedColorType;
use serde_json::{Value, json};

use crate::{
    Error, Outcome, Result,
    args::EngineArgs,
    library::{AutomaticOptions, Image, ImageMut, Library, Measured, Model, Still, StillPrompts},
    partial::{self, Partial},
    picture::Picture,
    progress,
    prompt::{At, Point, Rect},
    sink::write_png,
    source::read_picture,
};

/// The arguments of `rotomask segment`.
#[derive(Debug, Args)]
#[command(allow_negative_numbers = true)]
pub struct SegmentArgs {
    /// A picture
    pub picture: PathBuf,
    /// A click on the object, in pixels
    #[arg(long, value_name = "X,Y", allow_hyphen_values = true)]
    pub point: Vec<At<Point>>,
    /// A click on what is not the object
    #[arg(long, value_name = "X,Y", allow_hyphen_values = true)]
    pub negative: Vec<At<Point>>,
    /// A box around the object
    #[arg(long, value_name = "X0,Y0,X1,Y1", allow_hyphen_values = true)]
    pub r#box: Option<At<Rect>>,
    /// Write all three masks that the prompts can mean: OUTPUT-0.png to OUTPUT-2.png
    #[arg(long)]
    pub candidates: bool,
    /// Fill holes up to so many cells of the model's masks (64 to 256 across the picture)
    #[arg(long, value_name = "CELLS", default_value_t = 0)]
    pub hole_area: u32,
    /// Take away specks up to so many cells
    #[arg(long, value_name = "CELLS", default_value_t = 0)]
    pub speck_area: u32,

    /// What to write: a mask as .png; with --automatic a folder (an existing one, or a name with / at its end) for
    /// one mask each, or a .png that shows them all
    #[arg(short, long, value_name = "OUTPUT", help_heading = "Output")]
    pub output: Option<PathBuf>,
    /// File for scores, areas and boxes; with --automatic also the masks, as COCO's run lengths
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub json: Option<PathBuf>,

    /// Find every mask of the picture without being told what to look for
    #[arg(long, conflicts_with_all = ["point", "negative", "box", "candidates", "hole_area", "speck_area"])]
    pub automatic: bool,
    /// Only objects that don't cover each other, the best first
    #[arg(long, help_heading = "With --automatic", requires = "automatic")]
    pub objects: bool,
    /// How --json has the masks
    #[arg(
        long,
        value_name = "MODE",
        default_value = "coco_rle",
        help_heading = "With --automatic",
        requires = "automatic"
    )]
    pub output_mode: OutputMode,
    /// How --automatic looks.
    #[command(flatten)]
    pub search: SearchArgs,

    /// The engine.
    #[command(flatten)]
    pub engine: EngineArgs,
}

/// How `--automatic` looks: SAM 2's own options.
#[derive(Clone, Copy, Debug, Default, Args)]
#[command(next_help_heading = "With --automatic")]
pub struct SearchArgs {
    /// Points along each side of the grid; by default 32
    #[arg(long, value_name = "N", requires = "automatic")]
    pub points_per_side: Option<u32>,
    /// Least predicted IoU; by default 0.8
    #[arg(long, value_name = "SHARE", requires = "automatic")]
    pub pred_iou_thresh: Option<f32>,
    /// Least stability; by default 0.95
    #[arg(long, value_name = "SHARE", requires = "automatic")]
    pub stability_score_thresh: Option<f32>,
    /// Most overlap of two boxes; by default 0.7
    #[arg(long, value_name = "SHARE", requires = "automatic")]
    pub box_nms_thresh: Option<f32>,
    /// Layers of parts that are looked at closer; by default 0
    #[arg(long, value_name = "N", requires = "automatic")]
    pub crop_n_layers: Option<u32>,
    /// By how much the grid is thinned out from layer to layer; by default 1
    #[arg(long, value_name = "N", requires = "automatic")]
    pub crop_n_points_downscale_factor: Option<u32>,
    /// Clean holes and specks up to so many cells; by default 0
    #[arg(long, value_name = "CELLS", requires = "automatic")]
    pub min_mask_region_area: Option<u32>,
    /// Refine every mask once
    #[arg(long, requires = "automatic")]
    pub use_m2m: bool,
}

impl SearchArgs {
    /// As the library takes them.
    #[must_use]
    pub fn options(&self) -> AutomaticOptions {
        AutomaticOptions {
            points_per_side: self.points_per_side,
            crop_n_layers: self.crop_n_layers,
            crop_n_points_downscale_factor: self.crop_n_points_downscale_factor,
            min_mask_region_area: self.min_mask_region_area,
            pred_iou_thresh: self.pred_iou_thresh,
            stability_score_thresh: self.stability_score_thresh,
            box_nms_thresh: self.box_nms_thresh,
            use_m2m: self.use_m2m,
        }
    }
}

/// How `--json` has masks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum OutputMode {
    /// COCO's compressed string
    #[default]
    CocoRle,
    /// Run lengths as numbers
    UncompressedRle,
}

/// Runs `rotomask segment`.
///
/// # Errors
/// Whatever is wrong with arguments, picture, library or output.
pub fn run(args: &SegmentArgs) -> Result<Outcome> {
    if args.output.is_none() && args.json.is_none() {
        return Err(Error::Usage("nothing to write, expected -o or --json".into()));
    }
    if let Some(json) = &args.json {
        partial::check_place(json)?;
    }
    if args.automatic {
        return automatic::run(args);
    }
    let prompts = prompts(args)?;
    let output = args.output.as_deref().map(|path| png(path, args)).transpose()?.unwrap_or_default();
    let (model, picture) = open(args)?;
    let size = (picture.width(), picture.height());
    let mut still = Still::open(&model, &Image::from(&picture), [args.hole_area, args.speck_area])?;
    let found = still.predict(&prompts)?;
    let best = (1..found.len())
        .fold(0, |best, at| if found[at].predicted_iou > found[best].predicted_iou { at } else { best });
    let mut pixels = vec![0; size.0 as usize * size.1 as usize];
    for (index, path) in output.iter().enumerate() {
        let index = if args.candidates { index } else { best };
        still.binary(index as u32, &mut ImageMut::gray(size.0, size.1, &mut pixels)?)?;
        write_png(path, &pixels, size, ExtendedColorType::L8)?;
        progress::say(&format!("{}: {}", path.display(), told(&found[index])));
    }
    if let Some(path) = &args.json {
        let candidates: Vec<Value> = found.iter().map(measured).collect();
        write_json(
            path,
            &json!({ "width": size.0, "height": size.1, "best": best, "candidates": candidates }),
        )?;
    }
    Ok(Outcome::Complete)
}

/// The model and the picture.
fn open(args: &SegmentArgs) -> Result<(Arc<Model>, Picture)> {
    let picture = read_picture(&args.picture)?.into_rgba8();
    let picture = Picture::from_packed(picture.width(), picture.height(), picture.as_raw());
    let engine = &args.engine;
    let library = Library::open(engine.library.as_deref())?;
    Ok((Model::open(&library, engine.model.as_deref(), engine.options())?, picture))
}

fn prompts(args: &SegmentArgs) -> Result<StillPrompts> {
    let places = args.point.iter().map(|at| (at, true)).chain(args.negative.iter().map(|at| (at, false)));
    let frames =
        args.r#box.iter().filter_map(|at| at.frame).chain(places.clone().filter_map(|(at, _)| at.frame));
    if let Some(frame) = frames.into_iter().next() {
        return Err(Error::Usage(format!(
            "a prompt on frame {frame}, expected none: a picture has no frames"
        )));
    }
    let clicks: Vec<_> = places.map(|(At { what: Point { x, y }, .. }, on)| ([*x, *y], on)).collect();
    let edges = args.r#box.as_ref().map(|at| at.what.edges);
    if clicks.is_empty() && edges.is_none() {
        return Err(Error::Usage("nothing to look for, expected --point, --box or --automatic".into()));
    }
    // One click can mean a thing or a part of it; more prompts are clear.
    let multimask = args.candidates || clicks.len() + 2 * usize::from(edges.is_some()) == 1;
    Ok(StillPrompts { clicks, edges, multimask })
}

/// The files to write: one, or one for each candidate.
fn png(path: &Path, args: &SegmentArgs) -> Result<Vec<PathBuf>> {
    if path.extension().is_none_or(|suffix| !suffix.eq_ignore_ascii_case("png")) {
        return Err(Error::Usage(format!(
            "{}: no file for a mask, expected a name with .png",
            path.display()
        )));
    }
    partial::check_place(path)?;
    if !args.candidates {
        return Ok(vec![path.to_owned()]);
    }
    let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    Ok((0..3).map(|index| path.with_file_name(format!("{stem}-{index}.png"))).collect())
}

fn told(mask: &Measured) -> String {
    let Measured { predicted_iou, stability, area, .. } = mask;
    format!("{area} pixels, predicted IoU {predicted_iou:.2}, stability {stability:.2}")
}

fn measured(mask: &Measured) -> Value {
    let [x0, y0, x1, y1] = mask.bounds;
    json!({
        "area": mask.area,
        "bbox": [x0, y0, x1 - x0, y1 - y0],
        "predicted_iou": mask.predicted_iou,
        "stability_score": mask.stability,
    })
}

fn write_json(path: &Path, value: &Value) -> Result<()> {
    let partial = Partial::create(path)?;
    fs::write(partial.path(), format!("{value:#}\n")).map_err(|e| Error::file(path, e))?;
    partial.publish()
}
