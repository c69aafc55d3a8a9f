//! Every mask of a picture.

use std::{fs, path::Path};

use image::ExtendedColorType;
use serde_json::{Value, json};

use super::{OutputMode, SegmentArgs, measured, open, overlay, write_json};
use crate::{
    Error, Outcome, Result,
    library::{Automatic, Image, ImageMut},
    partial,
    picture::Picture,
    progress,
    sink::write_png,
    track::interrupt,
};

/// Where the masks go.
enum Target<'a> {
    Folder(&'a Path),
    Overlay(&'a Path),
}

pub(super) fn run(args: &SegmentArgs) -> Result<Outcome> {
    let target = args.output.as_deref().map(target).transpose()?;
    let (model, picture) = open(args)?;
    let stop = interrupt::flag()?;
    let found = Automatic::generate(&model, &Image::from(&picture), &args.search.options(), &stop);
    let mut masks = match found {
        Err(error) if error.is_cancelled() => return Ok(Outcome::Interrupted),
        found => found?,
    };
    let all = masks.count()?;
    if args.objects {
        masks = masks.objects()?;
    }
    let count = masks.count()?;
    match target {
        Some(Target::Folder(folder)) => write_all(&masks, count, folder, &picture)?,
        Some(Target::Overlay(path)) => write_overlay(&masks, count, path, &picture)?,
        None => {}
    }
    if let Some(path) = &args.json {
        let rows: Vec<Value> =
            (0..count).map(|index| row(&masks, index, args.output_mode, &picture)).collect::<Result<_>>()?;
        write_json(path, &json!({ "width": picture.width(), "height": picture.height(), "masks": rows }))?;
    }
    let objects = if args.objects { format!(", {count} objects among them") } else { String::new() };
    progress::say(&format!("{}: {all} masks{objects}", args.picture.display()));
    Ok(Outcome::Complete)
}

/// A folder by its slash or because it is there, a picture by its suffix.
fn target(path: &Path) -> Result<Target<'_>> {
    if path.is_dir() || path.to_string_lossy().ends_with(['/', std::path::MAIN_SEPARATOR]) {
        return Ok(Target::Folder(path));
    }
    if path.extension().is_none_or(|suffix| !suffix.eq_ignore_ascii_case("png")) {
        let want = "expected a .png, a folder, or a name with / at its end";
        return Err(Error::Usage(format!("{}: no place for masks, {want}", path.display())));
    }
    partial::check_place(path)?;
    Ok(Target::Overlay(path))
}

fn write_all(masks: &Automatic, count: u32, folder: &Path, picture: &Picture) -> Result<()> {
    if !folder.is_dir() {
        fs::create_dir(folder).map_err(|e| Error::file(folder, format!("no folder for masks: {e}")))?;
    }
    let size = (picture.width(), picture.height());
    each(masks, count, picture, |index, pixels| {
        write_png(&folder.join(format!("{index:05}.png")), pixels, size, ExtendedColorType::L8)
    })
}

/// Large masks first, so that what lies on them is seen.
fn write_overlay(masks: &Automatic, count: u32, path: &Path, picture: &Picture) -> Result<()> {
    let mut order: Vec<(u64, u32)> =
        (0..count).map(|index| Ok((masks.describe(index)?.0.area, index))).collect::<Result<_>>()?;
    order.sort_unstable_by(|a, b| b.cmp(a));
    let size = (picture.width(), picture.height());
    let mut painted = overlay::Overlay::new(picture);
    let mut pixels = vec![0; size.0 as usize * size.1 as usize];
    for (place, (_, index)) in order.into_iter().enumerate() {
        masks.binary(index, &mut ImageMut::gray(size.0, size.1, &mut pixels)?)?;
        painted.paint(&pixels, overlay::colour(place));
    }
    write_png(path, painted.rgb(), size, ExtendedColorType::Rgb8)
}

fn each(
    masks: &Automatic,
    count: u32,
    picture: &Picture,
    mut take: impl FnMut(u32, &[u8]) -> Result<()>,
) -> Result<()> {
    let (width, height) = (picture.width(), picture.height());
    let mut pixels = vec![0; width as usize * height as usize];
    (0..count).try_for_each(|index| {
        masks.binary(index, &mut ImageMut::gray(width, height, &mut pixels)?)?;
        take(index, &pixels)
    })
}

/// A mask as SAM 2's own generator describes it.
fn row(masks: &Automatic, index: u32, mode: OutputMode, picture: &Picture) -> Result<Value> {
    let (mask, point, [x0, y0, x1, y1]) = masks.describe(index)?;
    let counts = match mode {
        OutputMode::CocoRle => json!(masks.rle(index)?),
        OutputMode::UncompressedRle => json!(masks.run_lengths(index)?),
    };
    let mut row = measured(&mask);
    row["point_coords"] = json!([point]);
    row["crop_box"] = json!([x0, y0, x1 - x0, y1 - y0]);
    row["segmentation"] = json!({ "size": [picture.height(), picture.width()], "counts": counts });
    Ok(row)
}
