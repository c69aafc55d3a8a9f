//! A folder of numbered masks, read a few frames ahead.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    str::FromStr,
};

use image::DynamicImage;

use crate::{
    Error, Result,
    library::{Combine, Image, MaskKind, MatteLayer},
    source::{picture_numbers, read_picture},
    window::Window,
};

/// `[COMBINE=]DIR`.
#[derive(Clone, Debug, PartialEq)]
pub struct MatteFolder {
    /// What the object does to those before it.
    pub combine: Combine,
    /// Where its masks are.
    pub folder: PathBuf,
}

impl FromStr for MatteFolder {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let named = text.split_once('=').and_then(|(name, folder)| {
            let (_, combine) = Combine::NAMES.iter().find(|(known, _)| *known == name)?;
            Some(Self { combine: *combine, folder: folder.into() })
        });
        Ok(named.unwrap_or_else(|| Self { combine: Combine::Add, folder: text.into() }))
    }
}

/// A mask as it was read.
enum Coverage {
    Eight([u32; 2], Vec<u8>),
    Sixteen([u32; 2], Vec<u16>),
}

impl Coverage {
    /// The alpha of a picture that has some, otherwise how bright it is.
    fn read(path: &Path) -> Result<Self> {
        let picture = read_picture(path)?;
        let size = [picture.width(), picture.height()];
        let through = |alpha: &[u16]| alpha.iter().any(|a| *a != u16::MAX);
        if picture.color().has_alpha() {
            let rgba = picture.to_rgba16();
            let alpha: Vec<u16> = rgba.pixels().map(|p| p.0[3]).collect();
            if through(&alpha) {
                return Ok(Self::Sixteen(size, alpha));
            }
        }
        Ok(match picture {
            DynamicImage::ImageLuma8(grey) => Self::Eight(size, grey.into_raw()),
            other => Self::Sixteen(size, other.into_luma16().into_raw()),
        })
    }

    fn image(&self) -> Result<Image<'_>> {
        match self {
            Self::Eight([width, height], pixels) => Image::gray(*width, *height, pixels),
            Self::Sixteen([width, height], pixels) => Image::gray16(*width, *height, pixels),
        }
    }
}

/// The masks of one object. Those of a frame and of a few to each side are held, whatever the shot's length.
pub struct Mattes {
    combine: Combine,
    files: BTreeMap<u64, PathBuf>,
    window: Window<Coverage>,
    missing: u64,
}

impl Mattes {
    /// Lists a folder. `pictures` are the numbers of the frames' own files, if they have any; `first` is the number of
    /// the first frame's mask, if it was said.
    ///
    /// # Errors
    /// If the folder can't be read, or has no numbered pictures.
    pub fn open(given: &MatteFolder, pictures: Option<&[u64]>, first: Option<u64>) -> Result<Self> {
        let folder = &given.folder;
        if !folder.is_dir() {
            return Err(Error::file(folder, "there is no such folder of mattes"));
        }
        let found = picture_numbers(folder)?;
        let mut files: BTreeMap<u64, PathBuf> = BTreeMap::new();
        for (number, path) in found {
            let Some(number) = number else {
                return Err(Error::file(&path, "its name has no number, expected its frame's"));
            };
            if let Some(other) = files.insert(number, path.clone()) {
                let text = format!("it has the number {number}, which {} has too", other.display());
                return Err(Error::file(&path, text));
            }
        }
        let Some((&least, &most)) = files.keys().next().zip(files.keys().next_back()) else {
            return Err(Error::file(folder, "it has no pictures, expected numbered ones such as 00000.png"));
        };
        let first = first.unwrap_or_else(|| numbering(least, most, pictures));
        let files: BTreeMap<u64, PathBuf> =
            files.into_iter().filter_map(|(number, path)| Some((number.checked_sub(first)?, path))).collect();
        let none = |problem: String| Error::file(folder, problem);
        let last = pictures.map(|numbers| numbers.len() as u64);
        if files.is_empty() || last.is_some_and(|frames| files.keys().all(|frame| *frame >= frames)) {
            return Err(none(format!(
                "its mattes have the numbers {least} to {most}, expected those of frames, from {first} on, or the first \
                 frame's as --first-matte"
            )));
        }
        Ok(Self { combine: given.combine, files, window: Window::default(), missing: 0 })
    }

    /// Goes on to a frame, not an earlier one, and reads what is not yet at hand.
    ///
    /// # Errors
    /// If a mask can't be read.
    pub fn go_to(&mut self, frame: u64) -> Result<()> {
        self.window
            .go_to(frame, |wanted| self.files.get(&wanted).map(|path| Coverage::read(path)).transpose())?;
        self.missing += u64::from(self.window.here().is_none());
        Ok(())
    }

    /// The frame's mask alone.
    ///
    /// # Errors
    /// Never for masks that were read.
    pub fn image(&self) -> Result<Option<Image<'_>>> {
        self.window.here().map(Coverage::image).transpose()
    }

    /// The frame's mask with those around it.
    ///
    /// # Errors
    /// Never for masks that were read.
    pub fn layer(&self) -> Result<Option<MatteLayer<'_>>> {
        let Some(mask) = self.image()? else { return Ok(None) };
        let neighbours = self.window.around().map(|(offset, _, near)| Ok((offset, near.image()?)));
        let neighbours = neighbours.collect::<Result<Vec<_>>>()?;
        Ok(Some(MatteLayer { kind: MaskKind::Coverage, mask, neighbours, combine: self.combine }))
    }

    /// How many of the frames so far had no mask.
    pub fn missing(&self) -> u64 {
        self.missing
    }
}

/// The number that the first frame's mask has. Masks are numbered as the frames are, from 0, unless that can't be and
/// they bear the pictures' own numbers.
fn numbering(least: u64, most: u64, pictures: Option<&[u64]>) -> u64 {
    match pictures {
        Some(numbers) if most >= numbers.len() as u64 => match (numbers.first(), numbers.last()) {
            (Some(&first), Some(&last)) if first <= least && most <= last => first,
            _ => 0,
        },
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(numbers: &[u32]) -> (tempfile::TempDir, MatteFolder) {
        let folder = tempfile::tempdir().unwrap();
        for number in numbers {
            let grey = image::GrayImage::from_pixel(5, 3, image::Luma([*number as u8]));
            grey.save(folder.path().join(format!("m.{number:04}.png"))).unwrap();
        }
        let given = folder.path().to_str().unwrap().parse().unwrap();
        (folder, given)
    }

    fn shade(mattes: &Mattes, frame: u64) -> Option<u8> {
        match mattes.window.at(frame)? {
            Coverage::Eight(_, pixels) => pixels.first().copied(),
            Coverage::Sixteen(..) => None,
        }
    }

    #[test]
    fn a_frame_has_two_masks_to_each_side_and_no_more_are_held() {
        let (_kept, given) = folder(&(0..30).collect::<Vec<_>>());
        let mut mattes = Mattes::open(&given, None, None).unwrap();
        for frame in 0..30 {
            mattes.go_to(frame).unwrap();
            assert_eq!(shade(&mattes, frame), Some(frame as u8));
            let offsets: Vec<i32> = mattes.layer().unwrap().unwrap().neighbours.iter().map(|n| n.0).collect();
            let wanted = |offset: &i32| (0..30).contains(&(frame as i32 + offset));
            assert_eq!(offsets, [-2, -1, 1, 2].into_iter().filter(wanted).collect::<Vec<_>>());
            assert!(mattes.window.held() <= 5);
        }
    }

    #[test]
    fn a_frame_without_a_mask_is_counted_and_frames_may_be_left_out() {
        let (_kept, given) = folder(&[0, 1, 9]);
        let mut mattes = Mattes::open(&given, None, None).unwrap();
        for (frame, wanted) in [(1, Some(1)), (5, None), (9, Some(9))] {
            mattes.go_to(frame).unwrap();
            assert_eq!(shade(&mattes, frame), wanted);
        }
        assert_eq!(mattes.missing(), 1);
        assert!(mattes.layer().unwrap().unwrap().neighbours.is_empty());
    }

    #[test]
    fn masks_are_numbered_from_zero_unless_they_bear_the_pictures_numbers() {
        let plates: Vec<u64> = (101..111).collect();
        for (mattes, pictures, first) in [
            ((0, 9), None, 0),
            ((101, 110), Some(&plates), 101),
            ((0, 9), Some(&plates), 0),
            ((3, 7), Some(&plates), 0),
        ] {
            assert_eq!(numbering(mattes.0, mattes.1, pictures.map(Vec::as_slice)), first, "{mattes:?}");
        }
        let ones: Vec<u64> = (1..11).collect();
        assert_eq!(numbering(1, 10, Some(&ones)), 1);
    }

    #[test]
    fn numbers_that_belong_to_no_frame_are_told() {
        let (_kept, given) = folder(&[50, 51]);
        let plates: Vec<u64> = (0..10).collect();
        let said = Mattes::open(&given, Some(&plates), None).err().unwrap().to_string();
        assert!(said.ends_with(
            "its mattes have the numbers 50 to 51, expected those of frames, from 0 on, or the first frame's as \
             --first-matte"
        ), "{said}");
        assert!(Mattes::open(&given, Some(&plates), Some(50)).is_ok());
    }

    #[test]
    fn a_folder_is_read_with_what_it_does_to_the_objects_before() {
        let read = |text: &str| text.parse::<MatteFolder>().unwrap();
        assert_eq!(read("subtract=a/b"), MatteFolder { combine: Combine::Subtract, folder: "a/b".into() });
        assert_eq!(read("a=b"), MatteFolder { combine: Combine::Add, folder: "a=b".into() });
    }

    #[test]
    fn sixteen_bits_and_alpha_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("0.png");
        let wide: image::ImageBuffer<image::Luma<u16>, Vec<u16>> =
            image::ImageBuffer::from_fn(3, 1, |x, _| image::Luma([x as u16 * 257 + 1]));
        wide.save(&path).unwrap();
        let Coverage::Sixteen(size, samples) = Coverage::read(&path).unwrap() else { panic!() };
        assert_eq!((size, samples), ([3, 1], vec![1, 258, 515]));
        image::RgbaImage::from_fn(2, 1, |x, _| image::Rgba([200, 0, 0, 128 * x as u8])).save(&path).unwrap();
        let Coverage::Sixteen(_, samples) = Coverage::read(&path).unwrap() else { panic!() };
        assert_eq!(samples, [0, 128 * 257]);
    }
}
