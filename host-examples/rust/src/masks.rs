//! Masks as pictures: one to start from, and a folder of them as a result.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    fs,
    path::{Path, PathBuf},
};

use image::ExtendedColorType;

use crate::{
    Error, Result,
    sink::{Pattern, write_png},
    source::read_picture,
};

/// Where the object is: 0 or 255 for each pixel, rows without gaps.
#[derive(Clone, Debug, PartialEq)]
pub struct Mask {
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// `width * height` bytes.
    pub pixels: Vec<u8>,
}

/// From which brightness on a pixel belongs to the object. The brightest channel counts, so that a mask in
/// colour, such as a dark red one of an annotation tool's palette, is read as it is meant.
const INSIDE: u8 = 128;

/// Reads a picture as a mask. Transparent pixels lie outside.
///
/// # Errors
/// If it can't be read, or no pixel is inside.
pub fn read(path: &Path) -> Result<Mask> {
    let picture = read_picture(path)?.into_rgba8();
    let (width, height) = picture.dimensions();
    let brightness = |p: &image::Rgba<u8>| {
        let [r, g, b, a] = p.0;
        if a < INSIDE { 0 } else { r.max(g).max(b) }
    };
    let brightest = picture.pixels().map(brightness).max().unwrap_or(0);
    if brightest < INSIDE {
        return Err(Error::file(
            path,
            format!(
                "the mask's brightest pixel is {brightest}, expected {INSIDE} to 255 where the object is"
            ),
        ));
    }
    let pixels = picture.pixels().map(|p| if brightness(p) >= INSIDE { 255 } else { 0 }).collect();
    Ok(Mask { width, height, pixels })
}

/// A folder that takes a mask for each frame, named by the frame's number in its clip: `00000.png`.
#[derive(Debug)]
pub struct MaskFolder {
    pattern: Pattern,
}

impl MaskFolder {
    /// Uses a folder, or makes it inside one that exists.
    ///
    /// # Errors
    /// If it is a file, or can't be made.
    pub fn create(folder: &Path) -> Result<Self> {
        if !folder.is_dir() {
            fs::create_dir(folder).map_err(|e| Error::file(folder, format!("no folder for masks: {e}")))?;
        }
        Ok(Self { pattern: Pattern::new(&folder.join("%05d.png"))? })
    }

    /// Writes a frame's mask, 0 or 255 for each pixel, and gives its name.
    ///
    /// # Errors
    /// If it can't be written. An older file of that name stays then.
    pub fn write(&self, index: u64, pixels: &[u8], size: (u32, u32)) -> Result<PathBuf> {
        let path = self.pattern.path(index);
        write_png(&path, pixels, size, ExtendedColorType::L8)?;
        Ok(path)
    }
}

/// Where the masks of a job go: into one folder, or into a folder for each of several objects, named by its number.
#[derive(Debug)]
pub enum MaskFolders {
    /// All objects in one mask.
    Together(MaskFolder),
    /// Each object's masks in a folder that is made when it is first seen.
    Apart {
        /// The folder around them.
        around: PathBuf,
        /// By object.
        folders: BTreeMap<u32, MaskFolder>,
    },
}

impl MaskFolders {
    /// Uses a folder, or makes it inside one that exists.
    ///
    /// # Errors
    /// As [`MaskFolder::create`].
    pub fn create(folder: &Path, apart: bool) -> Result<Self> {
        let together = MaskFolder::create(folder)?;
        if !apart {
            return Ok(Self::Together(together));
        }
        Ok(Self::Apart { around: folder.to_owned(), folders: BTreeMap::new() })
    }

    /// Writes a frame's masks: that of all objects, or those of `each`.
    ///
    /// # Errors
    /// As [`MaskFolder::write`].
    pub fn write<'a>(
        &mut self,
        index: u64,
        all: &[u8],
        each: impl Iterator<Item = (u32, &'a [u8])>,
        size: (u32, u32),
    ) -> Result<()> {
        let (around, folders) = match self {
            Self::Together(folder) => return folder.write(index, all, size).map(drop),
            Self::Apart { around, folders } => (around, folders),
        };
        for (object, pixels) in each {
            let folder = match folders.entry(object) {
                Entry::Occupied(made) => made.into_mut(),
                Entry::Vacant(new) => new.insert(MaskFolder::create(&around.join(object.to_string()))?),
            };
            folder.write(index, pixels, size)?;
        }
        Ok(())
    }
}

/// How many pixels lie inside, and their bounds: left, top, and one past the last column and row.
pub fn measure(pixels: &[u8], width: u32) -> (u64, Option<[u32; 4]>) {
    let mut area = 0;
    let mut bounds: Option<[u32; 4]> = None;
    for (y, row) in pixels.chunks_exact((width as usize).max(1)).enumerate() {
        let inside = row.iter().filter(|&&p| p != 0).count();
        if inside == 0 {
            continue;
        }
        area += inside as u64;
        let first = row.iter().position(|&p| p != 0).unwrap_or(0) as u32;
        let last = row.iter().rposition(|&p| p != 0).unwrap_or(0) as u32;
        let y = y as u32;
        let [x0, y0, x1, _] = bounds.unwrap_or([first, y, last + 1, y]);
        bounds = Some([x0.min(first), y0, x1.max(last + 1), y + 1]);
    }
    (area, bounds)
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{GrayImage, Luma, Rgba, RgbaImage};

    #[test]
    fn a_mask_in_grey_is_split_at_half() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("m.png");
        GrayImage::from_fn(5, 3, |x, y| Luma([if y == 1 { 120 + 4 * x as u8 } else { 0 }]))
            .save(&path)
            .unwrap();
        let mask = read(&path).unwrap();
        assert_eq!((mask.width, mask.height), (5, 3));
        assert_eq!(mask.pixels[5..10], [0, 0, 255, 255, 255]);
        assert_eq!(mask.pixels[..5], [0; 5]);
    }

    #[test]
    fn a_mask_in_dark_red_is_read_and_what_is_transparent_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("m.png");
        let pixels = [Rgba([128, 0, 0, 255]), Rgba([255, 255, 255, 0]), Rgba([0, 0, 0, 255])];
        RgbaImage::from_fn(3, 1, |x, _| pixels[x as usize]).save(&path).unwrap();
        assert_eq!(read(&path).unwrap().pixels, [255, 0, 0]);
    }

    #[test]
    fn a_mask_of_class_numbers_is_refused_instead_of_being_empty() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("m.png");
        GrayImage::from_pixel(4, 2, Luma([1])).save(&path).unwrap();
        let said = read(&path).unwrap_err().to_string();
        assert!(said.ends_with("brightest pixel is 1, expected 128 to 255 where the object is"), "{said}");
    }

    #[test]
    fn a_file_that_is_no_picture_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("m.png");
        fs::write(&path, "no picture").unwrap();
        assert!(read(&path).unwrap_err().to_string().contains("can't be read as a picture"));
    }

    #[test]
    fn masks_are_named_by_their_frame_and_come_back_as_written() {
        let folder = tempfile::tempdir().unwrap();
        let masks = MaskFolder::create(&folder.path().join("new")).unwrap();
        let pixels: Vec<u8> = (0..5 * 3).map(|n| if n % 3 == 0 { 255 } else { 0 }).collect();
        let path = masks.write(37, &pixels, (5, 3)).unwrap();
        assert!(path.ends_with("new/00037.png"));
        let back = image::open(&path).unwrap();
        assert_eq!(back.color(), image::ColorType::L8);
        assert_eq!(back.into_luma8().into_raw(), pixels);
        assert_eq!(fs::read_dir(folder.path().join("new")).unwrap().count(), 1);
    }

    #[test]
    fn area_and_bounds_of_a_wide_mask() {
        let mut pixels = vec![0u8; 7 * 3];
        for at in [7 + 2, 7 + 5, 14 + 1] {
            pixels[at] = 255;
        }
        assert_eq!(measure(&pixels, 7), (3, Some([1, 1, 6, 3])));
        assert_eq!(measure(&[0; 21], 7), (0, None));
    }
}
