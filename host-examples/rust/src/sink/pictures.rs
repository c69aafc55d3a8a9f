//! Numbered PNG pictures, each written whole or not at all.

use std::{
    fs::File,
    io::BufWriter,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use image::{
    ExtendedColorType, ImageEncoder,
    codecs::png::{CompressionType, FilterType, PngEncoder},
};

use super::Spent;
use crate::{Error, Result, partial::Partial, picture::Picture, source::Frame};

/// Digits that a number may be padded to: enough for any frame, and no trap for a typing error.
const MAX_DIGITS: usize = 18;

/// A file name with one `%d`, or `%05d` for at least five digits.
#[derive(Clone, Debug, PartialEq)]
pub struct Pattern {
    before: String,
    digits: usize,
    after: String,
    folder: PathBuf,
}

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// If there isn't exactly one number in the file's name.
    pub fn new(path: &Path) -> Result<Self> {
        let unclear = || {
            let suffix = path.extension().and_then(|suffix| suffix.to_str()).unwrap_or("png");
            Error::Usage(format!(
                "{}: expected one number in the file's name, such as %05d.{suffix}",
                path.display()
            ))
        };
        let name = path.file_name().and_then(|n| n.to_str()).ok_or_else(unclear)?;
        let (before, rest) = name.split_once('%').ok_or_else(unclear)?;
        let (digits, after) = rest.split_once('d').ok_or_else(unclear)?;
        let digits = match digits {
            "" => 1,
            text if text.bytes().all(|b| b.is_ascii_digit()) => text.parse().map_err(|_| unclear())?,
            _ => return Err(unclear()),
        };
        if after.contains('%') || digits > MAX_DIGITS {
            return Err(unclear());
        }
        let folder = path.parent().unwrap_or(Path::new("")).to_owned();
        Ok(Self { before: before.to_owned(), digits, after: after.to_owned(), folder })
    }

    /// The name of a frame's file.
    pub fn path(&self, index: u64) -> PathBuf {
        let Self { before, digits, after, folder } = self;
        folder.join(format!("{before}{index:0digits$}{after}"))
    }
}

pub struct Pictures {
    pattern: Pattern,
}

impl Pictures {
    pub fn new(pattern: Pattern) -> Self {
        Self { pattern }
    }

    pub fn write(&mut self, frame: &Frame, picture: &Picture) -> Result<Spent> {
        let start = Instant::now();
        let (width, height) = (picture.width(), picture.height());
        write_png(
            &self.pattern.path(frame.index),
            &picture.to_packed(),
            (width, height),
            ExtendedColorType::Rgba8,
        )?;
        Ok(Spent { convert: Duration::ZERO, encode: start.elapsed() })
    }
}

/// Writes packed pixels as a PNG that replaces any older one only when it is whole.
pub(crate) fn write_png(
    path: &Path,
    pixels: &[u8],
    size: (u32, u32),
    colour: ExtendedColorType,
) -> Result<()> {
    let partial = Partial::create(path)?;
    let file = File::create(partial.path()).map_err(|e| Error::file(path, e))?;
    let mut file = BufWriter::new(file);
    // Fast deflate with one cheap filter: the model, not the disk, is what a job waits for.
    PngEncoder::new_with_quality(&mut file, CompressionType::Fast, FilterType::Up)
        .write_image(pixels, size.0, size.1, colour)
        .map_err(|e| Error::file(path, e))?;
    file.into_inner().map_err(|e| Error::file(path, e.into_error()))?;
    partial.publish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_puts_the_number_in_its_place() {
        let path = |p: &str, n| Pattern::new(Path::new(p)).unwrap().path(n);
        assert_eq!(path("%05d.png", 7), Path::new("00007.png"));
        assert_eq!(path("a/shot_%d_x.png", 12), Path::new("a/shot_12_x.png"));
        assert_eq!(path("%03d.png", 123_456), Path::new("123456.png"));
    }

    #[test]
    fn patterns_without_exactly_one_number_are_refused() {
        for name in [
            "out.png",
            "%5.png",
            "%xd.png",
            "%d_%d.png",
            "%99d.png",
            "%-3d.png",
            "%99999999999999999999d.png",
        ] {
            let said = Pattern::new(Path::new(name)).unwrap_err().to_string();
            assert!(said.ends_with("expected one number in the file's name, such as %05d.png"), "{said}");
        }
    }
}
