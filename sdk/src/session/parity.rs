//! The engine against what an independent implementation recorded: `sdk/tests/data/parity/README.md`.
//!
//! It lies here and not in `sdk/tests`, because masks alone can't show every mistake: what memory attention is
//! given, and what it gives, is compared too.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use safetensors::SafeTensors;
use serde::Deserialize;

use super::{At, Direction, Session, SessionOptions};
use crate::frame::{FrameView, Layout, PixelFormat, Size};
use crate::model::{Model, ModelOptions, Recollection};
use crate::prompt::{Box, Click};

/// The model's own, so that nothing is resized.
const SIDE: u32 = 384;
const OBJECT: u32 = 3;
/// A memory may have rounded to the other neighbour in bfloat16.
const LOGIT_TOLERANCE: f32 = 2e-3;

#[derive(Deserialize)]
struct Case {
    name: String,
    pictures: Vec<i64>,
    steps: Vec<Step>,
    results: Vec<Expected>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Step {
    Click { frame: u64, x: f32, y: f32, positive: bool },
    Box { frame: u64, x0: f32, y0: f32, x1: f32, y1: f32 },
    Mask { frame: u64, empty: Option<bool> },
    Push(u64),
    Refine,
}

#[derive(Deserialize)]
struct Expected {
    step: usize,
    frame: u64,
    predicted_iou: f32,
    object_score: f32,
    mem_tpos: Option<Vec<i64>>,
    ptr_tpos: Option<Vec<f32>>,
}

fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/parity")
}

fn size() -> Size {
    Size::new(SIDE, SIDE).unwrap()
}

/// The picture of a frame, packed RGB; -1 is black.
fn picture(number: i64) -> Vec<u8> {
    if number < 0 {
        return vec![0; size().area_px() * 3];
    }
    image::open(data().join(format!("pictures/{number}.png"))).unwrap().into_rgb8().into_raw()
}

/// Recorded tensors by name.
struct Recorded(Vec<u8>);

impl Recorded {
    fn floats(&self, name: &str) -> Option<Vec<f32>> {
        let tensors = SafeTensors::deserialize(&self.0).unwrap();
        let bytes = tensors.tensor(name).ok()?.data().to_vec();
        Some(bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect())
    }

    fn halves(&self, name: &str) -> Option<Vec<f32>> {
        let tensors = SafeTensors::deserialize(&self.0).unwrap();
        let bytes = tensors.tensor(name).ok()?.data().to_vec();
        Some(
            bytes
                .chunks_exact(2)
                .map(|b| f32::from_bits(u32::from(u16::from_le_bytes([b[0], b[1]])) << 16))
                .collect(),
        )
    }
}

fn furthest(found: &[f32], want: &[f32]) -> f32 {
    assert_eq!(found.len(), want.len());
    found.iter().zip(want).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

/// `memory[:, ::16, ::4]`, as much of the memories as every case records.
fn part_of_memory(recalled: &Recollection, channels: usize) -> Vec<f32> {
    let cells = recalled.memory.chunks_exact(channels).step_by(16);
    cells.flat_map(|cell| cell.iter().step_by(4).copied()).collect()
}

struct Run<'a> {
    case: &'a Case,
    recorded: &'a Recorded,
    session: Session,
}

impl Run<'_> {
    fn play(&mut self) {
        let case = self.case;
        for (at, step) in case.steps.iter().enumerate() {
            match *step {
                Step::Click { frame, x, y, positive } => {
                    self.session.click(OBJECT, frame, Click { x_px: x, y_px: y, positive }).unwrap();
                }
                Step::Box { frame, x0, y0, x1, y1 } => {
                    let bounds = Box { x0_px: x0, y0_px: y0, x1_px: x1, y1_px: y1 };
                    self.session.bounds(OBJECT, frame, bounds).unwrap();
                }
                Step::Mask { frame, empty } => self.give_mask(frame, empty == Some(true)),
                Step::Push(frame) => {
                    let recalled = self.recalled(frame);
                    let pixels = picture(case.pictures[frame as usize]);
                    let layout = Layout::packed(size(), PixelFormat::Rgb8);
                    self.session.push(frame, FrameView::new(layout, &pixels).unwrap()).unwrap();
                    self.compare(at, &recalled);
                }
                Step::Refine => {
                    let frame = self.session.current.as_ref().unwrap().frame;
                    let recalled = self.recalled(frame);
                    self.session.refine().unwrap();
                    self.compare(at, &recalled);
                }
            }
        }
    }

    fn give_mask(&mut self, frame: u64, empty: bool) {
        let mut mask = image::open(data().join("mask.png")).unwrap().into_luma8().into_raw();
        if empty {
            mask.fill(0);
        }
        let layout = Layout::packed(size(), PixelFormat::Gray8);
        self.session.mask_prompt(OBJECT, frame, FrameView::new(layout, &mask).unwrap()).unwrap();
    }

    fn recalled(&mut self, frame: u64) -> Recollection {
        let at =
            At { frame, direction: Direction::Forward, scene: self.session.scene(frame), recalled: false };
        self.session.recalled(OBJECT, &at).unwrap().unwrap_or_default()
    }

    fn compare(&mut self, at: usize, recalled: &Recollection) {
        let case = self.case;
        let expected = case.results.iter().find(|r| r.step == at).unwrap();
        let place = format!("{}, frame {}", case.name, expected.frame);
        let name = |what: &str| format!("{}.{at}.{what}", case.name);

        if let Some(mem_tpos) = &expected.mem_tpos {
            assert_eq!(
                (&recalled.mem_tpos, Some(&recalled.ptr_tpos)),
                (mem_tpos, expected.ptr_tpos.as_ref()),
                "{place}"
            );
        }
        if let Some(want) = self.recorded.floats(&name("ptrs")) {
            assert!(furthest(&recalled.ptrs, &want) < 2e-3, "{place}: pointers");
        }
        let part = self.recorded.halves(&name("memory_part"));
        let whole = self.recorded.halves(&name("memory"));
        let found = part_of_memory(recalled, self.session.model.manifest().memory_width());
        for (found, want) in [(found, part), (recalled.memory.clone(), whole)] {
            // A value may have rounded to the other neighbour in bfloat16, which has 8 bits of precision.
            let far = |(a, b): (&f32, &f32)| (a - b).abs() > b.abs() / 64.0 + 2e-3;
            if let Some(want) = want {
                assert_eq!(found.len(), want.len(), "{place}");
                assert!(!found.iter().zip(&want).any(far), "{place}: memories");
            }
        }
        if let Some(want) = self.recorded.floats(&name("pix_feat_part")) {
            let found = self.part_of_conditioned(recalled);
            assert!(furthest(&found, &want) < LOGIT_TOLERANCE, "{place}: conditioned features");
        }

        let mask = self.session.mask(OBJECT).unwrap();
        assert!((mask.predicted_iou - expected.predicted_iou).abs() < 1e-3, "{place}: predicted IoU");
        assert!((mask.object_score - expected.object_score).abs() < 1e-3, "{place}: object score");
        if let Some(want) = self.recorded.floats(&name("logits")) {
            let off = furthest(&mask.logits.values, &want);
            assert!(off < LOGIT_TOLERANCE, "{place}: a logit is off by {off}");
        }
    }

    /// `pix_feat[0, ::8]`
    fn part_of_conditioned(&self, recalled: &Recollection) -> Vec<f32> {
        let Session { model, cancel, current, .. } = &self.session;
        let features = current.as_ref().unwrap().features.as_ref().unwrap();
        let conditioned = model.attend(features, recalled, cancel).unwrap();
        let cells = model.manifest().tokens();
        conditioned.numbers().chunks_exact(cells).step_by(8).flatten().copied().collect()
    }
}

#[test]
fn the_default_model_gives_what_the_reference_recorded() {
    let cases: Vec<Case> =
        serde_json::from_str(&fs::read_to_string(data().join("cases.json")).unwrap()).unwrap();
    let recorded = Recorded(fs::read(data().join("results.safetensors")).unwrap());
    let model = Arc::new(Model::open(&ModelOptions::default()).unwrap());
    assert_eq!(cases.len(), 11);
    for case in &cases {
        // The reference knows no cuts, and some of the pictures are black. It fills no holes.
        let options =
            SessionOptions { detect_cuts: false, fill_hole_area: Some(0), ..SessionOptions::default() };
        let session = Session::open_with(Arc::clone(&model), size(), options).unwrap();
        Run { case, recorded: &recorded, session }.play();
    }
}
