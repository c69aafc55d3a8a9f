//! Features and prompts to four candidate masks, their predicted IoU, object pointers and one object score.

use ort::session::SessionInputValue;

use super::graph::{ANY, Cancel, Graph, TensorSpec, floats, integers};
use super::image_encoder::Features;
use super::manifest::Manifest;
use super::memory_attention::Conditioned;
use crate::error::Result;
use crate::prompt::EncodedPoints;

/// Masks that the decoder offers: one for unambiguous prompts, three to choose from otherwise.
pub(crate) const CANDIDATES: usize = 4;

/// The features that the prompts are held against.
pub(crate) enum Ground<'a> {
    /// As the encoder gave them: a mask prompt only needs a pointer from them.
    Raw,
    /// A frame that is prompted before anything was tracked on it.
    NoMemory,
    /// A frame that memories were held against.
    Remembering(&'a Conditioned),
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

pub(super) fn contract(m: &Manifest) -> (Vec<TensorSpec>, Vec<TensorSpec>) {
    let (d, g, k, c) = (m.channels as i64, m.grid() as i64, m.mask_side() as i64, CANDIDATES as i64);
    (
        vec![
            floats("pix_feat", &[ANY, d, g, g]),
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

/// `dense` is an earlier mask's logits, or a mask prompt on its way, `[m, m]`.
pub(super) fn decode(
    graph: &Graph,
    m: &Manifest,
    (features, ground): (&Features, Ground<'_>),
    points: &EncodedPoints,
    dense: Option<&[f32]>,
    cancel: &Cancel,
) -> Result<Decoded> {
    let side = m.mask_side();
    let count = points.labels.len();
    let no_dense;
    let (mask_input, has_mask) = match dense {
        Some(mask) => (mask, [1.0]),
        None => {
            no_dense = vec![0.0; side * side];
            (no_dense.as_slice(), [0.0])
        }
    };
    let pixels = match ground {
        Ground::Raw => &features.s2,
        Ground::NoMemory => &features.s2_nomem,
        Ground::Remembering(conditioned) => &conditioned.0,
    };
    let inputs = vec![
        ("pix_feat", SessionInputValue::from(pixels)),
        ("feat_s0", SessionInputValue::from(&features.s0)),
        ("feat_s1", SessionInputValue::from(&features.s1)),
        ("point_coords", graph.floats(&[1, count, 2], &points.coordinates)?),
        ("point_labels", graph.integers(&[1, count], &points.labels)?),
        ("mask_input", graph.floats(&[1, 1, side, side], mask_input)?),
        ("has_mask", graph.floats(&[1], &has_mask)?),
    ];
    let [masks, ious, pointers, score] = graph.run(inputs, cancel)?;
    let object_score = graph.numbers(&score)?.first().copied();
    Ok(Decoded {
        masks: graph.numbers(&masks)?.to_vec(),
        ious: graph.numbers(&ious)?.to_vec(),
        pointers: graph.numbers(&pointers)?.to_vec(),
        object_score: object_score.ok_or_else(|| graph.failed("gave an empty object score".into()))?,
    })
}
