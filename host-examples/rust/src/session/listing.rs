//! A session file in lines for people.

use serde::Deserialize;

use crate::{Error, Result};

/// What the library tells of a session file.
#[derive(Deserialize)]
pub struct Contents {
    path: String,
    file_bytes: u64,
    model: String,
    model_version: String,
    width_px: u32,
    height_px: u32,
    mask_side: u32,
    precision_bits: u32,
    /// In the order in which they are listed.
    pub objects: Vec<Object>,
    /// Frames that begin a new take, in order.
    pub cuts: Vec<u64>,
    undo_steps: u64,
    redo_steps: u64,
}

/// An object of the shot.
#[derive(Deserialize)]
pub struct Object {
    /// Its number.
    pub id: u32,
    /// What people call it.
    pub name: String,
    prompts: Vec<Prompt>,
    /// Where it was followed to.
    pub ranges: Vec<Range>,
}

#[derive(Deserialize)]
struct Prompt {
    frame: u64,
    positive: Vec<[f32; 2]>,
    negative: Vec<[f32; 2]>,
    bounds: Option<[f32; 4]>,
    mask: bool,
}

/// Frames in a row that were answered in the same way.
#[derive(Deserialize)]
pub struct Range {
    /// The first frame.
    pub first: u64,
    /// The last frame.
    pub last: u64,
    origin: String,
    seen: u64,
    /// JSON has no number that is none: `null` then.
    predicted_iou: Option<f64>,
    worst: (u64, Option<f64>),
    least_seen: (u64, Option<f64>),
}

impl Contents {
    /// Reads what the library told.
    ///
    /// # Errors
    /// If it told something else.
    pub fn read(described: &str) -> Result<Self> {
        serde_json::from_str(described)
            .map_err(|_| Error::Bug("librotomask describes a session in words that are not its own"))
    }

    /// Width and height of the frames.
    pub fn size(&self) -> (u32, u32) {
        (self.width_px, self.height_px)
    }

    /// All of it in lines.
    pub fn listing(&self) -> String {
        let Self { width_px, height_px, mask_side, precision_bits, .. } = self;
        let cuts = match self.cuts.as_slice() {
            [] => "none".to_owned(),
            cuts => cuts.iter().map(u64::to_string).collect::<Vec<_>>().join(", "),
        };
        let mut lines = vec![
            format!("file     {} ({:.1} MB)", self.path, self.file_bytes as f64 / 1e6),
            format!("model    {} {}", self.model, self.model_version),
            format!(
                "frames   {width_px}x{height_px}, masks {mask_side}x{mask_side} of {precision_bits} bits"
            ),
            format!("cuts     {cuts}"),
            format!("history  {} to undo, {} to redo", self.undo_steps, self.redo_steps),
        ];
        for object in &self.objects {
            lines.push(String::new());
            lines.push(format!("object {} {}", object.id, object.name).trim_end().to_owned());
            lines.extend(object.prompts.iter().map(Prompt::line));
            lines.extend(object.ranges.iter().map(Range::line));
        }
        lines.join("\n") + "\n"
    }
}

impl Prompt {
    fn line(&self) -> String {
        let count =
            |clicks: &[[f32; 2]], what| (!clicks.is_empty()).then(|| format!("{} {what}", clicks.len()));
        let parts = [
            count(&self.positive, "on it"),
            count(&self.negative, "beside it"),
            self.bounds.map(|[x0, y0, x1, y1]| format!("box {x0},{y0},{x1},{y1}")),
            self.mask.then(|| "mask".to_owned()),
        ];
        let parts: Vec<_> = parts.into_iter().flatten().collect();
        format!("  said     {:<13} {}", self.frame, parts.join(", "))
    }
}

impl Range {
    fn line(&self) -> String {
        let frames = self.last - self.first + 1;
        let place =
            if frames == 1 { self.first.to_string() } else { format!("{}-{}", self.first, self.last) };
        let number = |value: Option<f64>, places| match value {
            Some(value) => format!("{value:.places$}"),
            None => "no number".to_owned(),
        };
        let mut line = format!("  {:<8} {place:<13} ", self.origin);
        if frames > 1 {
            line += &format!("seen on {} of {frames}, ", self.seen);
        }
        line += &format!("predicted IoU {}", number(self.predicted_iou, 2));
        if frames > 1 {
            line += &format!(" (least {} at {})", number(self.worst.1, 2), self.worst.0);
        }
        line += &format!(", score {}", number(self.least_seen.1, 1));
        if frames > 1 {
            line += &format!(" or more (at {})", self.least_seen.0);
        }
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_listed_by_objects_prompts_and_ranges() {
        let told = serde_json::json!({
            "path": "shot.rotosession", "format": 1, "file_bytes": 12_345_678, "model": "rotomask-nano",
            "model_version": "1", "model_sha256": "00", "width_px": 1921, "height_px": 801, "mask_side": 64,
            "precision_bits": 32, "cuts": [48, 96], "undo_steps": 2, "redo_steps": 0,
            "objects": [{
                "id": 3, "name": "rabbit",
                "prompts": [{
                    "frame": 7, "positive": [[1.0, 2.0], [3.0, 4.0]], "negative": [],
                    "bounds": [1.5, 2.0, 30.0, 40.0], "mask": true
                }],
                "ranges": [
                    {
                        "first": 7, "last": 7, "origin": "prompted", "seen": 1, "predicted_iou": 0.914,
                        "worst": [7, 0.914], "least_seen": [7, 6.25]
                    },
                    {
                        "first": 8, "last": 120, "origin": "forward", "seen": 110, "predicted_iou": null,
                        "worst": [99, 0.3], "least_seen": [99, -4.0]
                    }
                ]
            }]
        });
        let contents: Contents = serde_json::from_value(told).unwrap();
        let want = "\
file     shot.rotosession (12.3 MB)
model    rotomask-nano 1
frames   1921x801, masks 64x64 of 32 bits
cuts     48, 96
history  2 to undo, 0 to redo

object 3 rabbit
  said     7             2 on it, box 1.5,2,30,40, mask
  prompted 7             predicted IoU 0.91, score 6.2
  forward  8-120         seen on 110 of 113, predicted IoU no number (least 0.30 at 99), score -4.0 or more (at 99)
";
        assert_eq!(contents.listing(), want);
    }
}
