//! `--json`: what happened to each frame, and a summary.
//!
//! Written line by line as frames are finished, so that it takes no memory however long the clip is.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::Path,
    time::Duration,
};

use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::Value;

use crate::{Error, Result, partial::Partial};

/// What a frame goes through, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum Stage {
    /// Reading and decoding.
    Decode,
    /// From the decoder's pixels to RGBA.
    ToRgba,
    /// From RGBA to the model's input.
    Preprocess,
    /// SAM 2's image encoder.
    ImageEncoder,
    /// SAM 2's memory attention.
    MemoryAttention,
    /// SAM 2's prompt encoder and mask decoder.
    MaskDecoder,
    /// SAM 2's memory encoder.
    MemoryEncoder,
    /// The mask at the frame's size: made, measured, written.
    Mask,
    /// From logits to a finished picture.
    Matte,
    /// From RGBA to the encoder's pixels.
    FromRgba,
    /// Encoding and writing.
    Encode,
}

const STAGES: [&str; 11] = [
    "decode",
    "to_rgba",
    "preprocess",
    "image_encoder",
    "memory_attention",
    "mask_decoder",
    "memory_encoder",
    "mask",
    "matte",
    "from_rgba",
    "encode",
];

/// Milliseconds by [`Stage`].
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Timings([f64; STAGES.len()]);

impl Timings {
    /// Adds to a stage.
    pub fn add(&mut self, stage: Stage, spent: Duration) {
        self.add_ms(stage, spent.as_secs_f64() * 1e3);
    }

    /// Adds to a stage.
    pub fn add_ms(&mut self, stage: Stage, ms: f64) {
        self.0[stage as usize] += ms;
    }

    /// Adds a frame's times to a sum.
    pub fn add_all(&mut self, other: &Self) {
        for (sum, more) in self.0.iter_mut().zip(other.0) {
            *sum += more;
        }
    }

    /// For each stage its milliseconds per frame and its share in the sum of all stages.
    pub fn shares(&self, frames: u64) -> StageShares {
        let whole: f64 = self.0.iter().sum();
        let part = |ms: f64, of: f64| if of > 0.0 { ms / of } else { 0.0 };
        StageShares(self.0.map(|ms| StageShare {
            ms_per_frame: rounded(part(ms, frames as f64)),
            share: rounded(part(ms, whole)),
        }))
    }
}

impl Serialize for Timings {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        by_stage(self.0.map(rounded), serializer)
    }
}

/// A map in the order of the stages.
fn by_stage<T: Serialize, S: Serializer>(
    values: [T; STAGES.len()],
    serializer: S,
) -> std::result::Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(STAGES.len()))?;
    for (name, value) in STAGES.iter().zip(&values) {
        map.serialize_entry(name, value)?;
    }
    map.end()
}

/// Thousandths are enough for people and for plots.
fn rounded(number: f64) -> f64 {
    (number * 1e3).round() / 1e3
}

/// A stage in the summary.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct StageShare {
    /// On average.
    pub ms_per_frame: f64,
    /// Of the sum of all stages. They overlap in time, so the sum is more than the time that passed.
    pub share: f64,
}

/// All stages in the summary.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StageShares([StageShare; STAGES.len()]);

impl Serialize for StageShares {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        by_stage(self.0, serializer)
    }
}

/// What the report says of a frame.
#[derive(Clone, Debug, Serialize)]
pub struct FrameReport<'a> {
    /// Counted from the clip's first frame, 0.
    pub index: u64,
    /// Seconds from the clip's start.
    pub time: f64,
    /// The model's own guess of the mask's quality, 0 to 1; null before the first prompt, and of several objects.
    pub predicted_iou: Option<f32>,
    /// A logit, above 0 if the object is seen; null as `predicted_iou` is.
    pub object_score: Option<f32>,
    /// Whether any object is seen.
    pub seen: bool,
    /// Whether the frame has prompts.
    pub prompted: bool,
    /// Pixels inside any mask.
    pub area_px: u64,
    /// The masks' left and upper edge, and one past their last column and row.
    pub r#box: Option<[u32; 4]>,
    /// Each object, where there are several.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub objects: Vec<ObjectReport>,
    /// Milliseconds by stage.
    pub ms: &'a Timings,
}

/// What the report says of one of several objects on a frame. The names are those of [`FrameReport`].
#[derive(Clone, Copy, Debug, Serialize)]
pub struct ObjectReport {
    /// Its number.
    pub id: u32,
    #[allow(missing_docs)]
    pub predicted_iou: f32,
    #[allow(missing_docs)]
    pub object_score: f32,
    #[allow(missing_docs)]
    pub seen: bool,
    #[allow(missing_docs)]
    pub prompted: bool,
    #[allow(missing_docs)]
    pub area_px: u64,
    #[allow(missing_docs)]
    pub r#box: Option<[u32; 4]>,
}

/// What the report says before the frames.
#[derive(Clone, Debug, Serialize)]
pub struct Head {
    /// As given.
    pub input: String,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// Frames per second on average.
    pub rate: f64,
}

/// What the report says after the frames.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// How many were processed.
    pub frames: u64,
    /// Whether Ctrl-C ended the job early.
    pub interrupted: bool,
    /// From the first frame read to the last one written.
    pub wall_seconds: f64,
    /// Frames per second of that time.
    pub fps: f64,
    /// By stage.
    pub stages: StageShares,
    /// FFmpeg's name of the encoder, if there is an output.
    pub encoder: Option<String>,
    /// `rotomask_model_describe`.
    pub model: Value,
    /// `rotomask_matte_describe`, if there is an output.
    pub device: Value,
    /// Of this program, the library and its ABI.
    pub versions: Versions,
}

/// Versions of what did the work.
#[derive(Clone, Debug, Serialize)]
pub struct Versions {
    /// This program.
    pub rotomask: &'static str,
    /// librotomask.
    pub library: String,
    /// librotomask's binary interface.
    pub abi: u32,
}

/// A report on its way to its file.
pub struct Report {
    partial: Partial,
    out: BufWriter<File>,
    frames: u64,
    path: std::path::PathBuf,
}

impl Report {
    /// Begins a report.
    ///
    /// # Errors
    /// If its place can't be written to.
    pub fn create(path: &Path, head: &Head) -> Result<Self> {
        let partial = Partial::create(path)?;
        let file = File::create(partial.path()).map_err(|e| Error::file(path, e))?;
        let mut report = Self { partial, out: BufWriter::new(file), frames: 0, path: path.to_owned() };
        report.write(|out| write!(out, "{{\"clip\":{},\n\"frames\":[", serde_json::to_string(head)?))?;
        Ok(report)
    }

    /// Adds a frame.
    ///
    /// # Errors
    /// If it can't be written.
    pub fn frame(&mut self, frame: &FrameReport<'_>) -> Result<()> {
        let separator = if self.frames == 0 { "\n" } else { ",\n" };
        self.frames += 1;
        self.write(|out| write!(out, "{separator}{}", serde_json::to_string(frame)?))
    }

    /// Ends the report and gives it its name.
    ///
    /// # Errors
    /// If it can't be written. An older report stays then.
    pub fn finish(mut self, summary: &Summary) -> Result<()> {
        self.write(|out| {
            writeln!(out, "\n],\n\"summary\":{}}}", serde_json::to_string(summary)?)?;
            out.flush()
        })?;
        let Self { partial, out, .. } = self;
        drop(out);
        partial.publish()
    }

    fn write(&mut self, write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>) -> Result<()> {
        write(&mut self.out).map_err(|e| Error::file(&self.path, e))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head() -> Head {
        Head { input: "a \"b\".mp4".into(), width: 322, height: 182, rate: 12.5 }
    }

    fn summary(frames: u64, timings: &Timings) -> Summary {
        Summary {
            frames,
            interrupted: false,
            wall_seconds: 2.0,
            fps: 1.0,
            stages: timings.shares(frames),
            encoder: None,
            model: Value::Null,
            device: Value::Null,
            versions: Versions { rotomask: "0", library: "0".into(), abi: 0 },
        }
    }

    #[test]
    fn a_report_is_valid_json_with_every_frame_and_stage() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("r.json");
        let mut report = Report::create(&path, &head()).unwrap();
        let mut timings = Timings::default();
        timings.add_ms(Stage::Decode, 1.5);
        timings.add_ms(Stage::Encode, 4.5);
        for index in 0..2 {
            let frame = FrameReport {
                index,
                time: index as f64 * 0.08,
                predicted_iou: (index > 0).then_some(0.5),
                object_score: None,
                seen: false,
                prompted: false,
                area_px: 0,
                r#box: None,
                objects: Vec::new(),
                ms: &timings,
            };
            report.frame(&frame).unwrap();
        }
        assert!(!path.exists());
        report.finish(&summary(2, &timings)).unwrap();

        let read: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        assert_eq!(read["clip"]["input"], "a \"b\".mp4");
        assert_eq!(read["frames"][0]["predicted_iou"], Value::Null);
        assert_eq!(read["frames"][1]["ms"]["encode"], 4.5);
        assert_eq!(read["frames"][1]["ms"].as_object().unwrap().len(), STAGES.len());
        assert_eq!(read["summary"]["stages"]["decode"]["ms_per_frame"], 0.75);
        assert_eq!(read["summary"]["stages"]["encode"]["share"], 0.75);
    }

    #[test]
    fn a_report_without_frames_is_still_json() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("r.json");
        Report::create(&path, &head()).unwrap().finish(&summary(0, &Timings::default())).unwrap();
        let read: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        assert_eq!(read["frames"], Value::Array(Vec::new()));
    }

    #[test]
    fn stages_and_their_names_are_in_the_same_order() {
        let mut timings = Timings::default();
        timings.add_ms(Stage::Encode, 1.0);
        assert_eq!(timings.0[STAGES.len() - 1], 1.0);
        assert_eq!(STAGES[Stage::Mask as usize], "mask");
        assert_eq!(STAGES[Stage::MemoryEncoder as usize], "memory_encoder");
    }
}
