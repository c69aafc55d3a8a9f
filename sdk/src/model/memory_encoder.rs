//! Features and a mask to what is remembered of the frame.

use std::borrow::Cow;

use half::bf16;
use half::slice::HalfFloatSliceExt;

use super::cancel::Cancel;
use super::contract::{ANY, Contract, floats};
use super::graph::Graph;
use super::image_encoder::Features;
use super::input::Input;
use super::manifest::Manifest;
use super::memory_attention::Memory;
use super::spread::Spread;
use crate::error::Result;

pub(super) fn contract(m: &Manifest) -> Contract {
    let (d, g, k) = (m.feature_width() as i64, m.grid() as i64, m.mask_side() as i64);
    let (t, c) = (m.tokens() as i64, m.memory_width() as i64);
    (
        vec![
            floats("feat_s2", &[1, d, g, g]),
            floats("low_res_mask", &[ANY, 1, k, k]),
            floats("object_score", &[ANY, 1]),
            floats("binarize", &[1]),
        ],
        vec![floats("memory", &[ANY, t, c])],
    )
}

/// Answers come in the order of the masks, each `[m, m]` logits and an object score. Prompted frames are remembered
/// by their binary mask, tracked ones by its sigmoid.
pub(super) fn remember(
    (graph, m, spread): (&Graph, &Manifest, &Spread),
    features: &Features,
    masks: &[(&[f32], f32)],
    prompted: bool,
    cancel: &Cancel,
) -> Result<Vec<Memory>> {
    let runs = spread.runs(masks.len(), spread.memory);
    let answers = spread.each(runs.len(), |at| {
        run(graph, m.mask_side(), features, &masks[runs[at].clone()], prompted, cancel)
    })?;
    Ok(answers.into_iter().flatten().collect())
}

fn run(
    graph: &Graph,
    side: usize,
    features: &Features,
    masks: &[(&[f32], f32)],
    prompted: bool,
    cancel: &Cancel,
) -> Result<Vec<Memory>> {
    let (objects, binarize) = (masks.len(), [if prompted { 1.0f32 } else { 0.0 }]);
    let scores: Vec<f32> = masks.iter().map(|(_, score)| *score).collect();
    let logits = match masks {
        [(logits, _)] => Cow::Borrowed(*logits),
        several => Cow::Owned(several.iter().map(|(logits, _)| *logits).collect::<Vec<_>>().concat()),
    };
    let inputs = vec![
        ("feat_s2", Input::Value(&features.s2)),
        ("low_res_mask", Input::floats(&[objects, 1, side, side], &logits)),
        ("object_score", Input::floats(&[objects, 1], &scores)),
        ("binarize", Input::floats(&[1], &binarize)),
    ];
    let [memories] = graph.run(inputs, cancel)?;
    let store = |numbers: &[f32]| {
        let mut stored = vec![bf16::ZERO; numbers.len()];
        stored.convert_from_f32_slice(numbers);
        Memory(stored)
    };
    Ok(graph.rows(&memories, objects)?.map(store).collect())
}
