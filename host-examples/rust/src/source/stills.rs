//! A folder of numbered pictures, read as a clip.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use ffmpeg_next::Rational;
use image::{DynamicImage, ImageDecoder, ImageReader};

use super::{ClipInfo, Frame, check_size, natural_order};
use crate::{Error, Result, convert::Colour, picture::Picture};

const SUFFIXES: [&str; 11] = ["png", "jpg", "jpeg", "bmp", "tif", "tiff", "webp", "ppm", "pgm", "pnm", "pam"];

pub struct Stills {
    info: ClipInfo,
    pictures: Vec<PathBuf>,
    next: usize,
}

impl Stills {
    pub fn open(folder: &Path, rate: Rational) -> Result<Self> {
        let pictures = pictures_in(folder)?;
        let first = pictures.first().ok_or_else(|| {
            Error::file(folder, format!("it has no pictures, expected some of {}", SUFFIXES.join(", ")))
        })?;
        let first = read(first)?;
        let info = ClipInfo {
            width: first.width(),
            height: first.height(),
            frames: Some(pictures.len() as u64),
            time_base: rate.invert(),
            rate,
            pixel_aspect: Rational(1, 1),
            colour: Colour::srgb(),
        };
        Ok(Self { info, pictures, next: 0 })
    }

    pub fn info(&self) -> &ClipInfo {
        &self.info
    }

    pub fn position(&self) -> u64 {
        self.next as u64
    }

    pub fn at_end(&self) -> bool {
        self.next == self.pictures.len()
    }

    pub fn next(&mut self, picture: &mut Picture) -> Result<Option<Frame>> {
        let Some(path) = self.pictures.get(self.next) else { return Ok(None) };
        let start = Instant::now();
        let still = read(path)?;
        let decode = start.elapsed();
        let (found, wanted) = ((still.width(), still.height()), (self.info.width, self.info.height));
        if found != wanted {
            return Err(Error::file(
                path,
                format!(
                    "its size is {}x{}, expected {}x{} as in the folder's first",
                    found.0, found.1, wanted.0, wanted.1
                ),
            ));
        }
        let start = Instant::now();
        *picture = Picture::from_packed(found.0, found.1, still.into_rgba8().as_raw());
        let convert = start.elapsed();
        Ok(self.skip().map(|frame| Frame { decode, convert, ..frame }))
    }

    pub fn skip(&mut self) -> Option<Frame> {
        if self.at_end() {
            return None;
        }
        let index = self.next as u64;
        self.next += 1;
        let seconds = index as f64 * f64::from(self.info.time_base);
        Some(Frame { index, time: index as i64, seconds, decode: Duration::ZERO, convert: Duration::ZERO })
    }
}

fn pictures_in(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).map_err(|e| Error::file(folder, e))?;
    let mut pictures = Vec::new();
    for entry in entries {
        let path = entry.map_err(|e| Error::file(folder, e))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let suffix = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
        if SUFFIXES.contains(&suffix.as_str()) && !name.starts_with('.') && path.is_file() {
            pictures.push(path);
        }
    }
    pictures.sort_by(|a, b| {
        let name = |p: &PathBuf| p.file_name().unwrap_or_default().to_string_lossy().into_owned();
        natural_order(&name(a), &name(b))
    });
    Ok(pictures)
}

/// A folder's pictures in order, each with the last number in its name.
pub(crate) fn numbers(folder: &Path) -> Result<Vec<(Option<u64>, PathBuf)>> {
    Ok(pictures_in(folder)?.into_iter().map(|path| (number(&path), path)).collect())
}

fn number(path: &Path) -> Option<u64> {
    let name = path.file_stem()?.to_string_lossy();
    let end = name.rfind(|c: char| c.is_ascii_digit())? + 1;
    let start = name[..end]
        .rfind(|c: char| !c.is_ascii_digit())
        .map_or(0, |at| at + name[at..].chars().next().map_or(1, char::len_utf8));
    name[start..end].parse().ok()
}

/// Reads a picture and turns it upright.
pub(crate) fn read(path: &Path) -> Result<DynamicImage> {
    let unreadable =
        |e: &dyn std::fmt::Display| Error::file(path, format!("it can't be read as a picture: {e}"));
    // The content decides what it is: a suffix may lie.
    let mut decoder = ImageReader::open(path)
        .and_then(ImageReader::with_guessed_format)
        .map_err(|e| Error::file(path, e))?
        .into_decoder()
        .map_err(|e| unreadable(&e))?;
    let (width, height) = decoder.dimensions();
    check_size(path, width, height)?;
    let orientation = decoder.orientation().map_err(|e| unreadable(&e))?;
    let mut picture = DynamicImage::from_decoder(decoder).map_err(|e| unreadable(&e))?;
    picture.apply_orientation(orientation);
    Ok(picture)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbered(folder: &Path, names: &[(&str, u8)]) {
        for (name, grey) in names {
            image::GrayImage::from_pixel(7, 3, image::Luma([*grey])).save(folder.join(name)).unwrap();
        }
    }

    #[test]
    fn pictures_come_in_the_order_of_their_numbers() {
        let folder = tempfile::tempdir().unwrap();
        numbered(folder.path(), &[("f10.png", 30), ("f9.png", 20), ("f1.png", 10), (".hidden.png", 99)]);
        fs::write(folder.path().join("notes.txt"), "not a picture").unwrap();
        let mut stills = Stills::open(folder.path(), Rational(24, 1)).unwrap();
        let mut picture = Picture::default();
        let mut seen = Vec::new();
        while let Some(frame) = stills.next(&mut picture).unwrap() {
            seen.push((frame.index, picture.row(2)[24]));
        }
        assert_eq!(seen, [(0, 10), (1, 20), (2, 30)]);
    }

    #[test]
    fn the_last_number_of_a_name_counts() {
        let read = |name: &str| number(Path::new(name));
        assert_eq!(read("shot12.0043.png"), Some(43));
        assert_eq!(read("0007_matte.tif"), Some(7));
        assert_eq!(read("größe2ü.png"), Some(2));
        assert_eq!(read("matte.png"), None);
        assert_eq!(read("99999999999999999999999.png"), None);
    }

    #[test]
    fn a_picture_of_another_size_is_refused_with_both_sizes() {
        let folder = tempfile::tempdir().unwrap();
        numbered(folder.path(), &[("1.png", 0)]);
        image::GrayImage::new(8, 3).save(folder.path().join("2.png")).unwrap();
        let mut stills = Stills::open(folder.path(), Rational(24, 1)).unwrap();
        let mut picture = Picture::default();
        stills.next(&mut picture).unwrap();
        let said = stills.next(&mut picture).unwrap_err().to_string();
        assert!(said.ends_with("2.png: its size is 8x3, expected 7x3 as in the folder's first"), "{said}");
    }

    #[test]
    fn a_folder_without_pictures_says_which_kinds_would_do() {
        let folder = tempfile::tempdir().unwrap();
        let said = Stills::open(folder.path(), Rational(24, 1)).err().unwrap().to_string();
        assert!(said.contains("it has no pictures, expected some of png, jpg"), "{said}");
    }
}
