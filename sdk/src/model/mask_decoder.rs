//! Features and prompts to four candidate masks, their predicted IoU, object pointers and one object score.

use std::borrow::Cow;

use super::cancel::Cancel;
use super::contract::{ANY, Contract, floats, integers};
use super::graph::Graph;
use super::image_encoder::Features;
use super::input::Input;
use super::manifest::Manifest;
use super::memory_attention::Conditioned;
use super::spread::Spread;
use crate::error::Result;
use crate::prompt::EncodedPoints;

/// Masks that the decoder offers: one for unambiguous prompts, three to choose from otherwise.
pub(crate) const CANDIDATES: usize = 4;

/// The features that the prompts are held against.
#[derive(Clone, Copy)]
pub(crate) enum Ground<'a> {
    /// As the encoder gave them: a mask prompt only needs a pointer from them.
    Raw,
    /// A frame that is prompted before anything was tracked on it.
    NoMemory,
    /// A frame that memories were held against.
    Remembering(&'a Conditioned),
}

/// What is asked about one object.
#[derive(Clone, Copy)]
pub(crate) struct Question<'a> {
    pub(crate) ground: Ground<'a>,
    pub(crate) points: &'a EncodedPoints,
    /// An earlier mask's logits, or a mask prompt on its way, `[m, m]`.
    pub(crate) dense: Option<&'a [f32]>,
}

/// What the decoder offers.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Decoded {
    /// `[4, m, m]` logits
    pub(crate) masks: Vec<f32>,
    /// `[4]`, 0 to 1
    pub(crate) ious: Vec<f32>,
    /// `[4, D]`
    pub(crate) pointers: Vec<f32>,
    /// A logit: above 0, the object is there.
    pub(crate) object_score: f32,
}

pub(super) fn contract(m: &Manifest) -> Contract {
    let (d, g, k, c) = (m.channels as i64, m.grid() as i64, m.mask_side() as i64, CANDIDATES as i64);
    (
        vec![
            floats("pix_feat", &[ANY, m.feature_width() as i64, g, g]),
            floats("feat_s0", &[1, d / 8, k, k]),
            floats("feat_s1", &[1, d / 4, k / 2, k / 2]),
            floats("point_coords", &[ANY, ANY, 2]),
            integers("point_labels", &[ANY, ANY]),
            floats("mask_input", &[ANY, 1, k, k]),
            floats("has_mask", &[1]),
        ],
        vec![
            floats("masks", &[ANY, c, k, k]),
            floats("ious", &[ANY, c]),
            floats("obj_ptrs", &[ANY, c, d]),
            floats("object_score", &[ANY, 1]),
        ],
    )
}

/// Answers come in the order of the questions.
pub(super) fn decode(
    (graph, m, spread): (&Graph, &Manifest, &Spread),
    features: &Features,
    questions: &[Question<'_>],
    cancel: &Cancel,
) -> Result<Vec<Decoded>> {
    let runs: Vec<_> = questions
        .chunk_by(Question::fit_together)
        .flat_map(|group| spread.runs(group.len(), spread.decoder).into_iter().map(|run| &group[run]))
        .collect();
    let answers = spread.each(runs.len(), |at| run(graph, m, features, runs[at], cancel))?;
    Ok(answers.into_iter().flatten().collect())
}

impl Question<'_> {
    /// Tracked objects may share a run: a dense prompt is there for all of a run or for none, and so is the ground
    /// that the encoder gave.
    fn fit_together(&self, next: &Self) -> bool {
        let tracked = |q: &Question<'_>| matches!(q.ground, Ground::Remembering(_)) && q.dense.is_none();
        tracked(self) && tracked(next) && self.points.labels.len() == next.points.labels.len()
    }
}

fn run(
    graph: &Graph,
    m: &Manifest,
    features: &Features,
    questions: &[Question<'_>],
    cancel: &Cancel,
) -> Result<Vec<Decoded>> {
    let [first, ..] = questions else { return Ok(Vec::new()) };
    let (objects, side, count) = (questions.len(), m.mask_side(), first.points.labels.len());
    let (mask_input, has_mask) = match first.dense {
        Some(mask) => (Cow::Borrowed(mask), [1.0]),
        None => (Cow::Owned(vec![0.0; objects * side * side]), [0.0]),
    };
    let coordinates: Vec<f32> = questions.iter().flat_map(|q| q.points.coordinates.iter().copied()).collect();
    let labels: Vec<i64> = questions.iter().flat_map(|q| q.points.labels.iter().copied()).collect();
    let gathered;
    let pixels = match first.ground {
        Ground::Raw => Input::Value(&features.s2),
        Ground::NoMemory => Input::Value(&features.s2_nomem),
        Ground::Remembering(_) => {
            let conditioned: Vec<_> = questions.iter().filter_map(|q| q.ground.conditioned()).collect();
            match Conditioned::whole(&conditioned) {
                Some(whole) => Input::Value(whole),
                None => {
                    gathered = gather(graph, &conditioned)?;
                    Input::floats(&[objects, m.feature_width(), m.grid(), m.grid()], &gathered)
                }
            }
        }
    };
    let inputs = vec![
        ("pix_feat", pixels),
        ("feat_s0", Input::Value(&features.s0)),
        ("feat_s1", Input::Value(&features.s1)),
        ("point_coords", Input::floats(&[objects, count, 2], &coordinates)),
        ("point_labels", Input::integers(&[objects, count], &labels)),
        ("mask_input", Input::floats(&[objects, 1, side, side], &mask_input)),
        ("has_mask", Input::floats(&[1], &has_mask)),
    ];
    let [masks, ious, pointers, scores] = graph.run(inputs, cancel)?;
    let mut masks = graph.rows(&masks, objects)?;
    let mut ious = graph.rows(&ious, objects)?;
    let mut pointers = graph.rows(&pointers, objects)?;
    let mut scores = graph.rows(&scores, objects)?.map(|score| score[0]);
    let next = |rows: &mut dyn Iterator<Item = &[f32]>| rows.next().map(<[f32]>::to_vec);
    let mut answer = || {
        Some(Decoded {
            masks: next(&mut masks)?,
            ious: next(&mut ious)?,
            pointers: next(&mut pointers)?,
            object_score: scores.next()?,
        })
    };
    Ok((0..objects).map_while(|_| answer()).collect())
}

/// Features that were not made by one run, side by side on the host.
fn gather<'a>(graph: &Graph, conditioned: &[&'a Conditioned]) -> Result<Cow<'a, [f32]>> {
    let numbers = |one: &&'a Conditioned| one.on_host().map_err(|e| graph.failed(e.to_string()));
    match conditioned {
        [one] => numbers(one),
        several => {
            let parts: Vec<_> = several.iter().map(numbers).collect::<Result<_>>()?;
            Ok(Cow::Owned(parts.concat()))
        }
    }
}

impl<'a> Ground<'a> {
    fn conditioned(self) -> Option<&'a Conditioned> {
        match self {
            Self::Remembering(conditioned) => Some(conditioned),
            Self::Raw | Self::NoMemory => None,
        }
    }
}
