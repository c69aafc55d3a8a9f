//! Features and a mask to what is remembered of the frame.

use half::bf16;
use half::slice::HalfFloatSliceExt;
use ort::session::SessionInputValue;

use super::graph::{ANY, Cancel, Graph, TensorSpec, floats};
use super::image_encoder::Features;
use super::manifest::Manifest;
use super::memory_attention::Memory;
use crate::error::Result;

pub(super) fn contract(m: &Manifest) -> (Vec<TensorSpec>, Vec<TensorSpec>) {
    let (d, g, k, c) = (m.channels as i64, m.grid() as i64, m.mask_side() as i64, m.memory_channels as i64);
    (
        vec![
            floats("feat_s2", &[1, d, g, g]),
            floats("low_res_mask", &[ANY, 1, k, k]),
            floats("object_score", &[ANY, 1]),
            floats("binarize", &[1]),
        ],
        vec![floats("memory", &[ANY, g * g, c])],
    )
}

/// `logits` is `[m, m]`. A prompted frame is remembered by its binary mask, a tracked one by its sigmoid.
pub(super) fn remember(
    graph: &Graph,
    m: &Manifest,
    features: &Features,
    (logits, object_score): (&[f32], f32),
    prompted: bool,
    cancel: &Cancel,
) -> Result<Memory> {
    let (side, score, binarize) = (m.mask_side(), [object_score], [if prompted { 1.0f32 } else { 0.0 }]);
    let inputs = vec![
        ("feat_s2", SessionInputValue::from(&features.s2)),
        ("low_res_mask", graph.floats(&[1, 1, side, side], logits)?),
        ("object_score", graph.floats(&[1, 1], &score)?),
        ("binarize", graph.floats(&[1], &binarize)?),
    ];
    let [memory] = graph.run(inputs, cancel)?;
    let numbers = graph.numbers(&memory)?;
    let mut stored = vec![bf16::ZERO; numbers.len()];
    stored.convert_from_f32_slice(numbers);
    Ok(Memory(stored))
}
