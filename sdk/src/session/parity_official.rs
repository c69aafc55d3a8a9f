//! The engine against what SAM 2's own video predictor gave: `sdk/tests/data/parity_official/README.md`.
//!
//! Beside the session and not in `sdk/tests`, because masks alone can't show every mistake: what memory attention
//! is given, and what it gives, is compared too.

use std::collections::BTreeMap;
use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use safetensors::SafeTensors;
use serde::Deserialize;

use super::{At, Direction, FrameSource, Keep, Session, SessionOptions, TrackRequest, Way};
use crate::error::Result;
use crate::frame::{FrameView, FrameViewMut, Layout, PixelFormat, Size};
use crate::mask::Wanted;
use crate::model::{Model, ModelOptions, Recollection};
use crate::prompt::{Box, Click};

/// Both compute in f32 and differ in the order of sums. A mistake gives a hundred times as much.
const PIX_FEAT: f32 = 1e-4;
const LOGITS: f32 = 5e-4;
const SCORES: f32 = 5e-4;
const POINTERS: f32 = 1e-4;
/// Of all masks' pixels together. One pixel whose logit is next to 0 is more than that of a single small mask.
const OVERLAP: f64 = 0.9999;
/// How many pixels of one mask may have fallen the other way.
const PIXELS: usize = 2;
/// Of a hundred thousand values of a memory, how many may be bfloat16's next one: an f32 that lies between two of
/// them to its last bits rounds either way.
const OTHER_NEIGHBOUR: usize = 200;

#[derive(Deserialize)]
struct Case {
    name: String,
    options: Options,
    pictures: Vec<i64>,
    steps: Vec<Step>,
    results: Vec<Expected>,
}

impl Case {
    /// Whether the result's object was prompted on its frame, so that tracking found an answer there.
    fn prompts(&self, result: &Expected) -> bool {
        self.steps[..result.step].iter().any(
            |step| matches!(step, Step::Prompt(p) if (p.object, p.frame) == (result.object, result.frame)),
        )
    }
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Options {
    fill_hole_area: usize,
    non_overlap_masks: bool,
    max_cond_frames_in_attn: Option<usize>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Step {
    Prompt(Prompt),
    Track { start: u64, end: u64 },
}

#[derive(Deserialize)]
struct Prompt {
    object: u32,
    frame: u64,
    #[serde(default)]
    points: Vec<[f32; 2]>,
    #[serde(default)]
    labels: Vec<u8>,
    r#box: Option<[f32; 4]>,
    #[serde(default)]
    mask: bool,
}

#[derive(Deserialize)]
struct Expected {
    step: usize,
    frame: u64,
    object: u32,
    object_score: f32,
    predicted_iou: Option<f32>,
    mem_tpos: Option<Vec<i64>>,
    ptr_tpos: Option<Vec<f32>>,
}

fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/parity_official")
}

struct Recorded(Vec<u8>);

impl Recorded {
    fn bytes(&self, name: &str) -> Option<Vec<u8>> {
        let tensors = SafeTensors::deserialize(&self.0).unwrap();
        Some(tensors.tensor(name).ok()?.data().to_vec())
    }

    fn floats(&self, name: &str) -> Option<Vec<f32>> {
        let four = |b: &[u8]| f32::from_le_bytes([b[0], b[1], b[2], b[3]]);
        Some(self.bytes(name)?.chunks_exact(4).map(four).collect())
    }

    fn brain_floats(&self, name: &str) -> Option<Vec<f32>> {
        let two = |b: &[u8]| f32::from_bits(u32::from(u16::from_le_bytes([b[0], b[1]])) << 16);
        Some(self.bytes(name)?.chunks_exact(2).map(two).collect())
    }
}

/// The case's clip: decoded pictures, and which is at each frame.
struct Clip<'a> {
    pictures: &'a BTreeMap<i64, Vec<u8>>,
    order: &'a [i64],
    size: Size,
}

impl FrameSource for Clip<'_> {
    fn frame(&mut self, index: u64) -> Result<Option<FrameView<'_>>> {
        let Some(number) = self.order.get(index as usize) else { return Ok(None) };
        FrameView::new(Layout::packed(self.size, PixelFormat::Rgb8), &self.pictures[number]).map(Some)
    }
}

fn furthest(found: &[f32], want: &[f32]) -> f32 {
    assert_eq!(found.len(), want.len());
    found.iter().zip(want).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

/// What was seen over all cases: so that the tolerances can be held against it.
#[derive(Debug, Default)]
struct Seen {
    answers: usize,
    logits: f32,
    scores: f32,
    pix_feat: f32,
    pointers: f32,
    memory_values: usize,
    other_neighbours: usize,
    pixels: usize,
    flipped: usize,
    wrong: Vec<String>,
}

impl Seen {
    /// Notes what is wrong and goes on: which cases fail, and which don't, says more than the first.
    fn expect(&mut self, right: bool, problem: impl FnOnce() -> String) {
        if !right {
            self.wrong.push(problem());
        }
    }
}

struct Run<'a> {
    case: &'a Case,
    recorded: &'a Recorded,
    size: Size,
    seen: &'a mut Seen,
}

impl Run<'_> {
    fn play(&mut self, session: &mut Session, pictures: &BTreeMap<i64, Vec<u8>>, mask: &[u8]) {
        let case = self.case;
        let mut clip = Clip { pictures, order: &case.pictures, size: self.size };
        let mut waiting = Vec::new();
        for (at, step) in case.steps.iter().enumerate() {
            match step {
                Step::Prompt(prompt) => {
                    self.give(session, prompt, mask);
                    waiting.push(at);
                }
                &Step::Track { start, end } => {
                    let mut answered = Vec::new();
                    let back = end < start;
                    let request = TrackRequest {
                        way: if back { Way::Reverse } else { Way::Forward },
                        start: Some(start),
                        first: if back { end } else { 0 },
                        last: if back { None } else { Some(end) },
                        overwrite: true,
                        ..TrackRequest::default()
                    };
                    let direction = if back { Direction::Reverse } else { Direction::Forward };
                    session
                        .track(&request, &mut clip, &mut |session, frame| {
                            // Prompts are answered before anything is tracked.
                            for prompted in waiting.drain(..) {
                                self.compare(session, (prompted, None), direction);
                            }
                            answered.push(frame);
                            self.compare(session, (at, Some(frame)), direction);
                            ControlFlow::Continue(())
                        })
                        .unwrap();
                    // Frames on which every answer stood are passed over.
                    for frame in (start.min(end)..=start.max(end)).filter(|frame| !answered.contains(frame)) {
                        let of_frame = case.results.iter().filter(|r| r.step == at && r.frame == frame);
                        for expected in of_frame {
                            let stood = case.prompts(expected);
                            self.seen.expect(stood, || format!("{}.{at}.{frame}: passed over", case.name));
                            self.compare_answer(session, expected);
                        }
                    }
                }
            }
        }
    }

    fn give(&self, session: &mut Session, prompt: &Prompt, mask: &[u8]) {
        let (object, frame) = (prompt.object, prompt.frame);
        if prompt.mask {
            let layout = Layout::packed(self.size, PixelFormat::Gray8);
            session.mask_prompt(object, frame, FrameView::new(layout, mask).unwrap()).unwrap();
        }
        if let Some([x0_px, y0_px, x1_px, y1_px]) = prompt.r#box {
            session.bounds(object, frame, Box { x0_px, y0_px, x1_px, y1_px }).unwrap();
        }
        for (&[x_px, y_px], &label) in prompt.points.iter().zip(&prompt.labels) {
            session.click(object, frame, Click { x_px, y_px, positive: label == 1 }).unwrap();
        }
    }

    /// Compares what a step gave on a frame, or on every frame.
    fn compare(&mut self, session: &mut Session, (step, frame): (usize, Option<u64>), direction: Direction) {
        let case = self.case;
        let of_step = case.results.iter().filter(|r| r.step == step);
        for expected in of_step.filter(|r| frame.is_none_or(|frame| r.frame == frame)) {
            if frame.is_some() && expected.mem_tpos.is_some() && !case.prompts(expected) {
                self.compare_attention(session, expected, direction);
            }
            self.compare_answer(session, expected);
        }
    }

    fn place(&self, expected: &Expected) -> String {
        let Expected { step, frame, object, .. } = expected;
        format!("{}.{step}.{frame}.{object}", self.case.name)
    }

    fn compare_attention(&mut self, session: &mut Session, expected: &Expected, direction: Direction) {
        let place = self.place(expected);
        let at =
            At { frame: expected.frame, direction, scene: session.scene(expected.frame), recalled: false };
        let recalled = session.recalled(expected.object, &at).unwrap().unwrap();
        let found = (Some(&recalled.mem_tpos), Some(&recalled.ptr_tpos));
        let want = (expected.mem_tpos.as_ref(), expected.ptr_tpos.as_ref());
        self.seen.expect(found == want, || format!("{place}: recalls {found:?}, expected {want:?}"));
        if found != want {
            return;
        }
        let Some(want) = self.recorded.brain_floats(&format!("{place}.memory")) else { return };
        assert_eq!(recalled.memory.len(), want.len(), "{place}");
        self.seen.memory_values += want.len();
        for (found, want) in recalled.memory.iter().zip(&want) {
            if found == want {
                continue;
            }
            let apart = (found.to_bits() >> 16).abs_diff(want.to_bits() >> 16);
            let near = apart == 1 || (found - want).abs() < 1e-5;
            self.seen.expect(near, || format!("{place}: a memory has {found}, expected {want}"));
            self.seen.other_neighbours += 1;
        }
        let pointers = self.recorded.floats(&format!("{place}.ptrs")).unwrap();
        let off = furthest(&recalled.ptrs, &pointers);
        self.seen.expect(off <= POINTERS, || format!("{place}: a pointer is off by {off}"));
        self.seen.pointers = self.seen.pointers.max(off);
        let off = furthest(
            &attended(session, &recalled),
            &self.recorded.floats(&format!("{place}.pix_feat")).unwrap(),
        );
        self.seen.expect(off <= PIX_FEAT, || format!("{place}: pix_feat is off by {off}"));
        self.seen.pix_feat = self.seen.pix_feat.max(off);
    }

    fn compare_answer(&mut self, session: &mut Session, expected: &Expected) {
        let place = self.place(expected);
        let Some(mask) = session.mask_at(expected.object, expected.frame).unwrap() else {
            return self.seen.expect(false, || format!("{place}: no answer"));
        };
        let off = (mask.object_score - expected.object_score).abs();
        self.seen.expect(off <= SCORES, || format!("{place}: the object score is off by {off}"));
        self.seen.scores = self.seen.scores.max(off);
        if let Some(iou) = expected.predicted_iou {
            let found = mask.predicted_iou;
            let near = (found - iou).abs() <= SCORES;
            self.seen.expect(near, || format!("{place}: predicts an IoU of {found}, expected {iou}"));
        }
        if let Some(want) = self.recorded.floats(&format!("{place}.logits")) {
            let off = furthest(&mask.logits.values, &want);
            self.seen.expect(off <= LOGITS, || format!("{place}: a logit is off by {off}"));
            self.seen.logits = self.seen.logits.max(off);
        }
        if let Some(packed) = self.recorded.bytes(&format!("{place}.mask")) {
            // As a host gets it.
            let mut found = vec![0; self.size.area_px()];
            let image = FrameViewMut::new(Layout::packed(self.size, PixelFormat::Gray8), &mut found).unwrap();
            assert!(session.write_mask_at(expected.object, expected.frame, Wanted::Binary, image).unwrap());
            found.iter_mut().for_each(|pixel| *pixel = u8::from(*pixel > 0));
            let bit = |at: usize| packed[at / 8] >> (7 - at % 8) & 1;
            let want: Vec<u8> = (0..found.len()).map(bit).collect();
            let both = found.iter().zip(&want).filter(|&(a, b)| a & b == 1).count();
            let either = found.iter().zip(&want).filter(|&(a, b)| a | b == 1).count();
            let near = either - both <= PIXELS;
            self.seen.expect(near, || format!("{place}: {both} of {either} pixels agree"));
            self.seen.pixels += either;
            self.seen.flipped += either - both;
        }
        self.seen.answers += 1;
    }
}

fn attended(session: &Session, recalled: &Recollection) -> Vec<f32> {
    let Session { model, cancel, current, .. } = session;
    let features = current.as_ref().unwrap().features.as_ref().unwrap();
    model.attend(features, recalled, cancel).unwrap().numbers().to_vec()
}

#[test]
fn every_interaction_gives_what_sam_2s_own_predictor_gave() {
    let cases: Vec<Case> =
        serde_json::from_str(&fs::read_to_string(data().join("cases.json")).unwrap()).unwrap();
    let recorded = Recorded(fs::read(data().join("results.safetensors")).unwrap());
    let folder = Some(data().join("model.rotomodel"));
    let model = Arc::new(Model::open(&ModelOptions { folder, ..ModelOptions::default() }).unwrap());
    let read = |name: String| image::open(data().join("pictures").join(name)).unwrap().into_rgb8();
    let first = read("0.png".into());
    let size = Size::new(first.width(), first.height()).unwrap();
    let mut pictures: BTreeMap<i64, Vec<u8>> =
        (0..9).map(|n| (n, read(format!("{n}.png")).into_raw())).collect();
    pictures.insert(-1, read("white.png".into()).into_raw());
    let mask = image::open(data().join("mask.png")).unwrap().into_luma8().into_raw();
    let mut seen = Seen::default();
    for case in &cases {
        let options = SessionOptions {
            keep: Keep::Temporary,
            fill_hole_area: Some(case.options.fill_hole_area),
            non_overlap_masks: case.options.non_overlap_masks,
            max_cond_frames_in_attn: case.options.max_cond_frames_in_attn,
            detect_cuts: false,
            ..SessionOptions::default()
        };
        let mut session = Session::open_with(Arc::clone(&model), size, options).unwrap();
        Run { case, recorded: &recorded, size, seen: &mut seen }.play(&mut session, &pictures, &mask);
    }
    println!("{seen:?}");
    assert!(seen.flipped as f64 <= (1.0 - OVERLAP) * seen.pixels as f64, "{seen:?}");
    assert!(seen.wrong.is_empty(), "{:#?}", seen.wrong);
    assert!(seen.other_neighbours * 100_000 <= OTHER_NEIGHBOUR * seen.memory_values, "{seen:?}");
    assert_eq!((cases.len(), seen.answers), (14, 212), "{seen:?}");
}
