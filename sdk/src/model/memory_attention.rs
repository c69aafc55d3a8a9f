//! Features of this frame and what is recalled of others, to features that know the object.

use half::bf16;
use half::slice::HalfFloatSliceExt;
use ort::session::SessionInputValue;
use ort::value::DynValue;

use super::graph::{ANY, Cancel, Graph, TensorSpec, floats, integers};
use super::image_encoder::Features;
use super::manifest::Manifest;
use crate::error::Result;

/// What is remembered of one object on one frame: `[g * g, memory channels]`.
///
/// Stored as bfloat16, as the reference does even when all else is f32.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Memory(pub(crate) Vec<bf16>);

/// The attention's inputs besides the features, for one object.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Recollection {
    /// `[M, g * g, memory channels]`
    pub(crate) memory: Vec<f32>,
    /// `[M]`, rows of the temporal encoding
    pub(crate) mem_tpos: Vec<i64>,
    /// `[P, D]`
    pub(crate) ptrs: Vec<f32>,
    /// `[P]`, distances over the window's last index
    pub(crate) ptr_tpos: Vec<f32>,
}

impl Recollection {
    pub(crate) fn add_memory(&mut self, memory: &Memory, slot: i64) {
        let start = self.memory.len();
        self.memory.resize(start + memory.0.len(), 0.0);
        memory.0.convert_to_f32_slice(&mut self.memory[start..]);
        self.mem_tpos.push(slot);
    }

    pub(crate) fn add_pointer(&mut self, pointer: &[f32], distance: f32) {
        self.ptrs.extend_from_slice(pointer);
        self.ptr_tpos.push(distance);
    }
}

/// Features that know the object, `[1, D, g, g]`.
pub(crate) struct Conditioned(pub(super) DynValue);

#[cfg(test)]
impl Conditioned {
    pub(crate) fn numbers(&self) -> &[f32] {
        self.0.try_extract_tensor::<f32>().unwrap().1
    }
}

pub(super) fn contract(m: &Manifest) -> (Vec<TensorSpec>, Vec<TensorSpec>) {
    let (d, g, c) = (m.channels as i64, m.grid() as i64, m.memory_channels as i64);
    (
        vec![
            floats("feat_s2", &[1, d, g, g]),
            floats("memory", &[ANY, ANY, g * g, c]),
            integers("mem_tpos", &[ANY]),
            floats("ptrs", &[ANY, ANY, d]),
            floats("ptr_tpos", &[ANY]),
        ],
        vec![floats("pix_feat", &[ANY, d, g, g])],
    )
}

pub(super) fn attend(
    graph: &Graph,
    m: &Manifest,
    features: &Features,
    recalled: &Recollection,
    cancel: &Cancel,
) -> Result<Conditioned> {
    let (memories, pointers) = (recalled.mem_tpos.len(), recalled.ptr_tpos.len());
    let inputs = vec![
        ("feat_s2", SessionInputValue::from(&features.s2)),
        ("memory", graph.floats(&[1, memories, m.grid() * m.grid(), m.memory_channels], &recalled.memory)?),
        ("mem_tpos", graph.integers(&[memories], &recalled.mem_tpos)?),
        ("ptrs", graph.floats(&[1, pointers, m.channels], &recalled.ptrs)?),
        ("ptr_tpos", graph.floats(&[pointers], &recalled.ptr_tpos)?),
    ];
    let [conditioned] = graph.run(inputs, cancel)?;
    Ok(Conditioned(conditioned))
}
