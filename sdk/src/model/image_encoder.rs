//! A frame to features at strides 4, 8 and 16. Runs once a frame, whatever the number of objects.

use ort::value::DynValue;

use super::cancel::Cancel;
use super::contract::{Contract, floats, passed_on};
use super::graph::Graph;
use super::input::Input;
use super::manifest::Manifest;
use crate::error::Result;
use crate::preprocess::EncoderInput;

/// What the encoder saw in a frame. It lies where the provider computes.
pub(crate) struct Features {
    /// `[1, D/8, m, m]`
    pub(super) s0: DynValue,
    /// `[1, D/4, m/2, m/2]`
    pub(super) s1: DynValue,
    /// `[1, D + carried, g, g]`
    pub(super) s2: DynValue,
    /// `s2` with the embedding that says "no memory yet" added.
    pub(super) s2_nomem: DynValue,
}

pub(super) fn contract(m: &Manifest) -> Contract {
    let (s, d, g, k) = (m.input.size as i64, m.channels as i64, m.grid() as i64, m.mask_side() as i64);
    let coarse = m.feature_width() as i64;
    (
        vec![floats("image", &[1, 3, s, s])],
        vec![
            passed_on("feat_s0", &[1, d / 8, k, k]),
            passed_on("feat_s1", &[1, d / 4, k / 2, k / 2]),
            passed_on("feat_s2", &[1, coarse, g, g]),
            passed_on("feat_s2_nomem", &[1, coarse, g, g]),
        ],
    )
}

pub(super) fn encode(graph: &Graph, input: &EncoderInput, cancel: &Cancel) -> Result<Features> {
    let image = Input::floats(&[1, 3, input.side, input.side], &input.values);
    let [s0, s1, s2, s2_nomem] = graph.run(vec![("image", image)], cancel)?;
    Ok(Features { s0, s1, s2, s2_nomem })
}
