//! A folder of clips and masklets, in DAVIS's or SA-V's layout, clip after clip.
//!
//! A clip's masks appear last and all at once: a clip that has them is done, whatever happened since.

use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions},
    io::{BufWriter, Write},
    path::{Path, PathBuf},
};

use image::{ExtendedColorType, codecs::jpeg::JpegEncoder};
use png::{BitDepth, ColorType, Encoder};

use super::{
    AnnotateArgs, Layout,
    masklet::{HEADINGS, Mark, Masklet},
};
use crate::{
    Error, Result,
    dataset::{Pictures, SavFile, Sequence},
    partial::Partial,
    picture::Picture,
    progress,
};

/// Of frames that were no JPEG before.
const QUALITY: u8 = 95;

/// SA-V's rate, of which its files state the duration.
const RATE: f64 = 24.0;

/// SA-V's sizes of masks: below the squares of these numbers of pixels.
const BUCKETS: [(f64, &str); 2] = [(32.0, "small"), (96.0, "medium")];

/// Writes one clip.
pub struct Writer<'a> {
    args: &'a AnnotateArgs,
    clip: &'a Sequence,
    frames: usize,
}

impl<'a> Writer<'a> {
    /// Writes nothing yet.
    pub fn new(args: &'a AnnotateArgs, clip: &'a Sequence) -> Self {
        Self { args, clip, frames: 0 }
    }

    /// Whether the clip was written before.
    pub fn is_done(&self) -> bool {
        match self.args.layout {
            Layout::Davis => self.annotations().is_dir(),
            Layout::Sav => ["auto", "manual"].iter().any(|kind| self.json(kind).is_file()),
        }
    }

    /// Takes a frame. They come in order.
    pub fn frame(&mut self, frame: usize, picture: &Picture) -> Result<()> {
        self.frames = frame + 1;
        let (folder, name) = (self.frames_folder(), format!("{frame:05}.jpg"));
        if let (Layout::Sav, Some(movie)) = (self.args.layout, self.movie()) {
            if frame == 0 {
                copy(movie, &self.args.output.join(format!("{}.mp4", self.clip.name)))?;
            }
            return Ok(());
        }
        if frame == 0 {
            fs::create_dir_all(&folder).map_err(|error| Error::file(&folder, error))?;
        }
        match &self.clip.pictures {
            // A JPEG stays as it is: writing it anew would only lose something.
            Pictures::Files(files) if files.get(frame).is_some_and(|(_, path)| is_jpeg(path)) => {
                copy(&files[frame].1, &folder.join(name))
            }
            _ => write_jpeg(&folder.join(name), picture),
        }
    }

    /// Writes the masks and the table's rows.
    pub fn finish(self, masklets: &[Masklet], size: (u32, u32)) -> Result<()> {
        if masklets.iter().all(|masklet| masklet.shown() == 0) {
            progress::warn(&format!("{}: nothing was found", self.clip.name));
            return Ok(());
        }
        match self.args.layout {
            Layout::Davis => self.write_numbers(masklets, size)?,
            Layout::Sav => self.write_masklets(masklets, size)?,
        }
        self.append_rows(masklets)
    }

    fn annotations(&self) -> PathBuf {
        self.args.output.join("Annotations").join(&self.clip.name)
    }

    fn json(&self, kind: &str) -> PathBuf {
        self.args.output.join(format!("{}_{kind}.json", self.clip.name))
    }

    fn frames_folder(&self) -> PathBuf {
        match self.args.layout {
            Layout::Davis => self.args.output.join("JPEGImages").join(&self.clip.name),
            Layout::Sav => self.args.output.join(&self.clip.name),
        }
    }

    /// The clip's movie, if it is of the kind that SA-V has.
    fn movie(&self) -> Option<&Path> {
        match &self.clip.pictures {
            Pictures::Movie(path) if path.extension().is_some_and(|suffix| suffix == "mp4") => Some(path),
            _ => None,
        }
    }

    /// A picture of numbers for each annotated frame. Where masklets overlap, the smaller one is in front.
    fn write_numbers(&self, masklets: &[Masklet], size: (u32, u32)) -> Result<()> {
        let target = self.annotations();
        let parent = self.args.output.join("Annotations");
        fs::create_dir_all(&parent).map_err(|error| Error::file(&parent, error))?;
        let folder = tempfile::Builder::new()
            .prefix(&format!(".{}.partial-", self.clip.name))
            .tempdir_in(&parent)
            .map_err(|error| Error::file(&parent, error))?;
        let mut by_frame: BTreeMap<usize, Vec<(u8, &Mark)>> = BTreeMap::new();
        for (place, masklet) in masklets.iter().enumerate() {
            for mark in &masklet.marks {
                by_frame.entry(mark.frame).or_default().push((place as u8 + 1, mark));
            }
        }
        for (frame, marks) in by_frame {
            let mut regions = Vec::new();
            for (number, mark) in marks {
                let region =
                    mark.rle.region().map_err(|_| Error::Bug("run lengths of our own are broken"))?;
                regions.push((region.area(), number, region));
            }
            regions.sort_by_key(|(area, ..)| std::cmp::Reverse(*area));
            let mut numbers = vec![0u8; size.0 as usize * size.1 as usize];
            for (_, number, region) in &regions {
                let inside = region.pixels().iter();
                numbers.iter_mut().zip(inside).filter(|(_, inside)| **inside).for_each(|(n, _)| *n = *number);
            }
            write_palette(&folder.path().join(format!("{frame:05}.png")), &numbers, size)?;
        }
        open_to_all(folder.path())?;
        fs::rename(folder.keep(), &target).map_err(|error| Error::file(&target, error))
    }

    fn write_masklets(&self, masklets: &[Masklet], (width, height): (u32, u32)) -> Result<()> {
        let every = self.args.every as usize;
        let rows = self.frames.div_ceil(every);
        let mut rles = vec![vec![None; masklets.len()]; rows];
        for (place, masklet) in masklets.iter().enumerate() {
            for mark in &masklet.marks {
                if !mark.frame.is_multiple_of(every) {
                    let (name, frame) = (&self.clip.name, mark.frame);
                    return Err(Error::Prompt(format!(
                        "{name}: frame {frame} has a prompt, expected multiples of --every {every} in SA-V's layout"
                    )));
                }
                rles[mark.frame / every][place] = Some(mark.rle.clone());
            }
        }
        let automatic = masklets.iter().all(|masklet| masklet.automatic);
        let kind = if automatic { "auto" } else { "manual" };
        let pixels = f64::from(width) * f64::from(height);
        let bucket = |area: f64| {
            BUCKETS.iter().find(|(side, _)| area < side * side).map_or("large", |(_, name)| name).to_owned()
        };
        let changes = |masklet: &Masklet| {
            masklet.marks.windows(2).filter(|pair| pair[0].shown != pair[1].shown).count() as u64
        };
        let first = |masklet: &Masklet| {
            masklet.marks.iter().find(|mark| mark.shown).map_or(0.0, |mark| mark.frame as f64)
        };
        let of = |value: &dyn Fn(&Masklet) -> f64| masklets.iter().map(value).collect::<Vec<_>>();
        let file = SavFile {
            video_id: self.clip.name.clone(),
            video_duration: self.frames as f64 / RATE,
            video_frame_count: self.frames as f64,
            video_height: f64::from(height),
            video_width: f64::from(width),
            video_resolution: pixels,
            masklet: rles,
            masklet_id: (0..masklets.len() as u64).collect(),
            masklet_size_rel: of(&|masklet| masklet.area() / pixels),
            masklet_size_abs: of(&Masklet::area),
            masklet_size_bucket: masklets.iter().map(|masklet| bucket(masklet.area())).collect(),
            masklet_visibility_changes: masklets.iter().map(changes).collect(),
            masklet_first_appeared_frame: of(&first),
            masklet_frame_count: masklets.iter().map(|masklet| masklet.marks.len() as u64).collect(),
            masklet_edited_frame_count: vec![0; masklets.len()],
            masklet_type: vec![kind.to_owned(); masklets.len()],
            masklet_stability_score: None,
            masklet_num: masklets.len() as u64,
            masklet_status: masklets
                .iter()
                .map(|masklet| masklet.status(self.args.accept).name().to_owned())
                .collect(),
        };
        let path = self.json(kind);
        let partial = Partial::create(&path)?;
        let mut out =
            BufWriter::new(File::create(partial.path()).map_err(|error| Error::file(&path, error))?);
        serde_json::to_writer(&mut out, &file).map_err(|error| Error::file(&path, error))?;
        out.flush().map_err(|error| Error::file(&path, error))?;
        partial.publish()
    }

    fn append_rows(&self, masklets: &[Masklet]) -> Result<()> {
        let path = self.args.output.join("masklets.csv");
        let unwritable = |error: &dyn std::fmt::Display| Error::file(&path, error);
        let new = !path.is_file();
        let file = OpenOptions::new().create(true).append(true).open(&path).map_err(|e| unwritable(&e))?;
        let mut table = csv::Writer::from_writer(file);
        if new {
            table.write_record(HEADINGS).map_err(|e| unwritable(&e))?;
        }
        for (place, masklet) in masklets.iter().enumerate() {
            // SA-V counts its masklets from 0, pictures their objects from 1.
            let number = place + usize::from(self.args.layout == Layout::Davis);
            let record = masklet.record(&self.clip.name, number, self.args.accept);
            table.write_record(record).map_err(|e| unwritable(&e))?;
        }
        table.flush().map_err(|e| unwritable(&e))
    }
}

fn is_jpeg(path: &Path) -> bool {
    let suffix = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
    ["jpg", "jpeg"].contains(&suffix.as_str())
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    let partial = Partial::create(to)?;
    fs::copy(from, partial.path())
        .map_err(|error| Error::file(from, format!("it can't be copied: {error}")))?;
    partial.publish()
}

fn write_jpeg(path: &Path, picture: &Picture) -> Result<()> {
    let partial = Partial::create(path)?;
    let rgb: Vec<u8> =
        picture.to_packed().chunks_exact(4).flat_map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect();
    let mut out = BufWriter::new(File::create(partial.path()).map_err(|error| Error::file(path, error))?);
    JpegEncoder::new_with_quality(&mut out, QUALITY)
        .encode(&rgb, picture.width(), picture.height(), ExtendedColorType::Rgb8)
        .map_err(|error| Error::file(path, error))?;
    out.flush().map_err(|error| Error::file(path, error))?;
    partial.publish()
}

fn write_palette(path: &Path, numbers: &[u8], (width, height): (u32, u32)) -> Result<()> {
    let file = BufWriter::new(File::create(path).map_err(|error| Error::file(path, error))?);
    let mut encoder = Encoder::new(file, width, height);
    encoder.set_color(ColorType::Indexed);
    encoder.set_depth(BitDepth::Eight);
    encoder.set_palette((0..=255).flat_map(colour).collect::<Vec<u8>>());
    let unwritable = |error: png::EncodingError| Error::file(path, error);
    let mut writer = encoder.write_header().map_err(unwritable)?;
    writer.write_image_data(numbers).map_err(unwritable)?;
    writer.finish().map_err(unwritable)
}

/// A number's colour, as DAVIS and Pascal VOC have it: each three bits give the next lower bit of every channel.
fn colour(number: u8) -> [u8; 3] {
    let mut colour = [0; 3];
    for (place, bits) in [number & 7, number >> 3 & 7, number >> 6].into_iter().enumerate() {
        for (channel, value) in colour.iter_mut().enumerate() {
            *value |= (bits >> channel & 1) << (7 - place);
        }
    }
    colour
}

/// Temporary folders are private by default, and the result is not one.
fn open_to_all(folder: &Path) -> Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(folder, fs::Permissions::from_mode(0o755))
            .map_err(|error| Error::file(folder, error))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_the_colours_that_davis_gives_them() {
        let known = [[0, 0, 0], [128, 0, 0], [0, 128, 0], [128, 128, 0], [0, 0, 128]];
        for (number, wanted) in known.into_iter().enumerate() {
            assert_eq!(colour(number as u8), wanted);
        }
        assert_eq!((colour(8), colour(255)), ([64, 0, 0], [224, 224, 192]));
    }
}
