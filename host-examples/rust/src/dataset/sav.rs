//! SA-V's files: a clip's masklets as run lengths, a row for each annotated frame.

use std::{fs::File, io::BufReader, path::Path};

use serde::{Deserialize, Serialize};

use super::{MAX_SIDE, Region, Rle};
use crate::{Error, Result};

/// SA-V annotates every fourth of 24 frames a second.
const USUAL_STEP: usize = 4;

/// What such a file says. Numbers of frames and pixels are floats in SA-V's own files.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SavFile {
    /// The clip's name.
    pub video_id: String,
    /// In seconds.
    #[serde(default)]
    pub video_duration: f64,
    /// All of them, annotated or not.
    pub video_frame_count: f64,
    /// Rows.
    pub video_height: f64,
    /// Columns.
    pub video_width: f64,
    /// Their product.
    #[serde(default)]
    pub video_resolution: f64,
    /// For each annotated frame the masks of all masklets; ours has none for a masklet that was not annotated there.
    pub masklet: Vec<Vec<Option<Rle>>>,
    /// The masklets' numbers.
    pub masklet_id: Vec<u64>,
    /// Mean share of the frame, over the frames that show it.
    #[serde(default)]
    pub masklet_size_rel: Vec<f64>,
    /// Mean area in pixels, likewise.
    #[serde(default)]
    pub masklet_size_abs: Vec<f64>,
    /// `small` below 32 pixels squared, `medium` below 96, or `large`.
    #[serde(default)]
    pub masklet_size_bucket: Vec<String>,
    /// How often it came or went after its first appearance.
    #[serde(default)]
    pub masklet_visibility_changes: Vec<u64>,
    /// A frame of the clip.
    #[serde(default)]
    pub masklet_first_appeared_frame: Vec<f64>,
    /// Annotated frames.
    #[serde(default)]
    pub masklet_frame_count: Vec<u64>,
    /// How many of them a person has edited.
    #[serde(default)]
    pub masklet_edited_frame_count: Vec<u64>,
    /// `auto` or `manual`.
    #[serde(default)]
    pub masklet_type: Vec<String>,
    /// How stable each mask is, 0 to 1, where that was measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub masklet_stability_score: Option<Vec<Vec<f64>>>,
    /// How many masklets.
    #[serde(default)]
    pub masklet_num: u64,
    /// Ours: `accepted` or `review`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub masklet_status: Vec<String>,
}

/// A file's masklets, checked as far as that costs nothing.
#[derive(Clone, Debug, PartialEq)]
pub struct Masklets {
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// From an annotated frame to the next.
    pub step: usize,
    /// Names of the masklets.
    pub names: Vec<String>,
    rows: Vec<Vec<Option<Rle>>>,
}

impl Masklets {
    /// Reads a file.
    ///
    /// # Errors
    /// If it is no such file, or contradicts itself.
    pub fn read(path: &Path) -> Result<Self> {
        let file = File::open(path).map_err(|error| Error::file(path, error))?;
        let file: SavFile = serde_json::from_reader(BufReader::new(file))
            .map_err(|error| Error::file(path, format!("it is no masklet file as SA-V has: {error}")))?;
        Self::check(file).map_err(|problem| Error::file(path, problem))
    }

    fn check(file: SavFile) -> std::result::Result<Self, String> {
        let side = |name: &str, value: f64| {
            let fits = (1.0..=f64::from(MAX_SIDE)).contains(&value) && value.fract() == 0.0;
            if fits { Ok(value as u32) } else { Err(format!("its {name} is {value}, expected whole pixels")) }
        };
        let (width, height) =
            (side("video_width", file.video_width)?, side("video_height", file.video_height)?);
        if let Some(row) = file.masklet.iter().position(|row| row.len() != file.masklet_id.len()) {
            let (found, wanted) = (file.masklet[row].len(), file.masklet_id.len());
            return Err(format!("row {row} has {found} masks, expected {wanted} as there are masklets"));
        }
        for (row, masks) in file.masklet.iter().enumerate() {
            if let Some(rle) = masks.iter().flatten().find(|rle| rle.size != [height, width]) {
                let [h, w] = rle.size;
                return Err(format!("a mask of row {row} is {w}x{h}, expected {width}x{height}"));
            }
        }
        Ok(Self {
            width,
            height,
            step: step(file.video_frame_count, file.masklet.len()),
            names: file.masklet_id.iter().map(|id| format!("{id:03}")).collect(),
            rows: file.masklet,
        })
    }

    /// The frames that are annotated.
    pub fn frames(&self) -> impl Iterator<Item = usize> {
        (0..self.rows.len()).map(|row| row * self.step)
    }

    /// A masklet's mask on a frame; `None` where there is no annotation.
    ///
    /// # Errors
    /// If its run lengths are broken.
    pub fn region(&self, frame: usize, masklet: usize) -> std::result::Result<Option<Region>, String> {
        if !frame.is_multiple_of(self.step) {
            return Ok(None);
        }
        let rle = self.rows.get(frame / self.step).and_then(|row| row.get(masklet)?.as_ref());
        rle.map(Rle::region).transpose().map_err(|problem| {
            let name = self.names.get(masklet).map_or("", String::as_str);
            format!("masklet {name} on frame {frame}: {problem}")
        })
    }
}

/// Frames from one row to the next: SA-V's four, if that fits the number of frames.
fn step(frames: f64, rows: usize) -> usize {
    let frames = if frames.is_finite() && frames >= 0.0 { frames as usize } else { 0 };
    let rows = rows.max(1);
    if frames.div_ceil(USUAL_STEP) == rows { USUAL_STEP } else { frames.div_ceil(rows).max(1) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(rows: usize) -> SavFile {
        let region = Region::from_mask(3, &[0, 1, 1, 0, 0, 1]);
        SavFile {
            video_frame_count: 9.0,
            video_height: 2.0,
            video_width: 3.0,
            masklet: vec![vec![Some(Rle::of(&region)), None]; rows],
            masklet_id: vec![0, 7],
            ..SavFile::default()
        }
    }

    #[test]
    fn rows_lie_four_frames_apart_unless_their_number_says_otherwise() {
        let frames = |rows| Masklets::check(file(rows)).unwrap().frames().collect::<Vec<_>>();
        assert_eq!(frames(3), [0, 4, 8]);
        assert_eq!(frames(9), (0..9).collect::<Vec<_>>());
        assert_eq!(frames(5), [0, 2, 4, 6, 8]);
        assert_eq!(step(f64::NAN, 0), 1);
    }

    #[test]
    fn masks_are_known_on_annotated_frames_alone() {
        let masklets = Masklets::check(file(3)).unwrap();
        assert_eq!(masklets.names, ["000", "007"]);
        assert_eq!(masklets.region(4, 0).unwrap().unwrap().area(), 3);
        for (frame, masklet) in [(4, 1), (5, 0), (12, 0), (4, 2)] {
            assert_eq!(masklets.region(frame, masklet), Ok(None));
        }
    }

    #[test]
    fn files_that_contradict_themselves_are_refused() {
        let said = |change: fn(&mut SavFile)| {
            let mut file = file(3);
            change(&mut file);
            Masklets::check(file).unwrap_err()
        };
        assert_eq!(
            said(|f| f.video_width = 1e300),
            format!("its video_width is {}, expected whole pixels", 1e300)
        );
        assert_eq!(said(|f| f.video_height = 1e4), "a mask of row 0 is 3x2, expected 3x10000");
        assert_eq!(said(|f| f.masklet_id.push(9)), "row 0 has 2 masks, expected 3 as there are masklets");
    }
}
