//! A folder of numbered masks.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use image::DynamicImage;

use super::{SplineArgs, number};
use crate::{
    Error, Result,
    library::{Image, Library, SplineOptions, Splines},
    source::{picture_numbers, read_picture},
};

/// From which brightness on a pixel of a coloured annotation belongs to the object; see `crate::masks`.
const INSIDE: u8 = 128;

/// Adds all masks of the folder, or of its folder for the object.
pub(super) fn read(library: &Arc<Library>, args: &SplineArgs, options: &SplineOptions) -> Result<Splines> {
    let folder = match args.object {
        Some(object) => args.input.join(object.to_string()),
        None => args.input.clone(),
    };
    if !folder.is_dir() {
        return Err(Error::file(&folder, "there is no such folder of masks, which --object asks for"));
    }
    let mut files: BTreeMap<u64, PathBuf> = BTreeMap::new();
    for (frame, path) in picture_numbers(&folder)? {
        let Some(frame) = frame else {
            return Err(Error::file(&path, "its name has no number, expected its frame's"));
        };
        if let Some(other) = files.insert(frame, path.clone()) {
            let problem = format!("it has the number {frame}, which {} has too", other.display());
            return Err(Error::file(&path, problem));
        }
    }
    let Some(&first) = files.keys().next() else {
        return Err(Error::file(&folder, "it has no pictures, expected masks numbered such as 00000.png"));
    };
    let mut splines: Option<([u32; 2], Splines)> = None;
    for (frame, path) in files {
        let ([width, height], pixels) = coverage(read_picture(&path)?);
        let (size, open) = match &mut splines {
            Some(open) => (open.0, &mut open.1),
            None => {
                let fresh = Splines::open(library, [width, height], options)?;
                let opened = splines.insert(([width, height], fresh));
                (opened.0, &mut opened.1)
            }
        };
        if size != [width, height] {
            let [w, h] = size;
            return Err(Error::file(
                &path,
                format!("it is {width}x{height}, expected {w}x{h} as the first one"),
            ));
        }
        open.add(number(args, first, frame), &Image::gray16(width, height, &pixels)?)?;
    }
    splines.map(|(_, splines)| splines).ok_or(Error::Bug("a folder of masks had none"))
}

/// The alpha of a picture that has some, otherwise its grey; of a coloured one, such as an annotation tool's palette,
/// what is bright in any channel.
fn coverage(picture: DynamicImage) -> ([u32; 2], Vec<u16>) {
    let size = [picture.width(), picture.height()];
    if picture.color().has_alpha() {
        let alpha: Vec<u16> = picture.to_rgba16().pixels().map(|p| p.0[3]).collect();
        if alpha.iter().any(|a| *a != u16::MAX) {
            return (size, alpha);
        }
    }
    if picture.color().has_color() {
        let rgb = picture.to_rgb8();
        if rgb.pixels().any(|p| p.0.iter().any(|c| *c != p.0[0])) {
            let inside = |p: &image::Rgb<u8>| p.0.iter().any(|c| *c >= INSIDE);
            return (size, rgb.pixels().map(|p| if inside(p) { u16::MAX } else { 0 }).collect());
        }
    }
    (size, picture.into_luma16().into_raw())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grey_stays_soft_alpha_counts_and_a_palettes_red_is_inside() {
        let grey = image::GrayImage::from_fn(3, 1, |x, _| image::Luma([x as u8 * 100]));
        assert_eq!(coverage(grey.into()), ([3, 1], vec![0, 25700, 51400]));
        let alpha = image::RgbaImage::from_fn(2, 1, |x, _| image::Rgba([255, 255, 255, x as u8 * 51]));
        assert_eq!(coverage(alpha.into()).1, [0, 51 * 257]);
        let red = image::RgbImage::from_fn(2, 1, |x, _| image::Rgb([x as u8 * 128, 0, 0]));
        assert_eq!(coverage(red.into()).1, [0, u16::MAX]);
    }
}
