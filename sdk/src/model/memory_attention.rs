//! Features of this frame and what is recalled of others, to features that know the object.

use std::borrow::Cow;
use std::sync::Arc;

use half::bf16;
use half::slice::HalfFloatSliceExt;
use ort::memory::AllocationDevice;
use ort::value::{DynTensorValueType, DynValue};

use super::cancel::Cancel;
use super::contract::{ANY, Contract, floats, integers, passed_on};
use super::graph::Graph;
use super::image_encoder::Features;
use super::input::Input;
use super::manifest::Manifest;
use super::spread::Spread;
use crate::error::Result;

/// What is remembered of one object on one frame: `[memory tokens, memory channels]`.
///
/// Stored as bfloat16, as the reference does even when all else is f32.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Memory(pub(crate) Vec<bf16>);

/// The attention's inputs besides the features, for one object.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Recollection {
    /// `[M, memory tokens, memory channels]`
    pub(crate) memory: Vec<f32>,
    /// `[M]`, the frames that they are of. A run's objects have the same: a graph may take one's keys for everyone's.
    pub(crate) frames: Vec<u64>,
    /// `[M]`, rows of the temporal encoding
    pub(crate) mem_tpos: Vec<i64>,
    /// `[P, D]`
    pub(crate) ptrs: Vec<f32>,
    /// `[P]`, distances over the window's last index
    pub(crate) ptr_tpos: Vec<f32>,
}

impl Recollection {
    pub(crate) fn add_memory(&mut self, memory: &Memory, frame: u64, slot: i64) {
        let start = self.memory.len();
        self.memory.resize(start + memory.0.len(), 0.0);
        memory.0.convert_to_f32_slice(&mut self.memory[start..]);
        self.frames.push(frame);
        self.mem_tpos.push(slot);
    }

    pub(crate) fn add_pointer(&mut self, pointer: &[f32], distance: f32) {
        self.ptrs.extend_from_slice(pointer);
        self.ptr_tpos.push(distance);
    }
}

/// Features that know the object: one of those that were made in one run.
#[derive(Clone)]
pub(crate) struct Conditioned {
    /// `[of, D, g, g]`
    batch: Arc<DynValue>,
    at: usize,
    of: usize,
}

impl Conditioned {
    /// The run's whole output, if `all` are all of it and in its order.
    pub(super) fn whole<'a>(all: &[&'a Self]) -> Option<&'a DynValue> {
        let first = all.first()?;
        let in_order = |(at, one): (usize, &&Self)| Arc::ptr_eq(&one.batch, &first.batch) && one.at == at;
        (all.len() == first.of && all.iter().enumerate().all(in_order)).then_some(&*first.batch)
    }

    /// Its numbers, `[D, g, g]`, copied to the host if they are not there.
    pub(super) fn on_host(&self) -> ort::Result<Cow<'_, [f32]>> {
        let batch = self.batch.view().downcast::<DynTensorValueType>()?;
        let row = |numbers: &[f32]| {
            let len = numbers.len() / self.of;
            self.at * len..(self.at + 1) * len
        };
        if batch.memory_info().is_cpu_accessible() {
            let numbers = self.batch.try_extract_tensor::<f32>()?.1;
            return Ok(Cow::Borrowed(&numbers[row(numbers)]));
        }
        let copy = batch.to(AllocationDevice::CPU, 0)?;
        let numbers = copy.try_extract_tensor::<f32>()?.1;
        Ok(Cow::Owned(numbers[row(numbers)].to_vec()))
    }

    #[cfg(test)]
    pub(crate) fn numbers(&self) -> Vec<f32> {
        self.on_host().unwrap().into_owned()
    }
}

pub(super) fn contract(m: &Manifest) -> Contract {
    let (d, g, t) = (m.channels as i64, m.grid() as i64, m.tokens() as i64);
    let (coarse, c) = (m.feature_width() as i64, m.memory_width() as i64);
    (
        vec![
            floats("feat_s2", &[1, coarse, g, g]),
            floats("memory", &[ANY, ANY, t, c]),
            integers("mem_tpos", &[ANY]),
            floats("ptrs", &[ANY, ANY, d]),
            floats("ptr_tpos", &[ANY]),
        ],
        vec![passed_on("pix_feat", &[ANY, coarse, g, g])],
    )
}

/// One run for objects that recall the same frames, from the same places in time.
fn run(
    graph: &Graph,
    m: &Manifest,
    features: &Features,
    recalled: &[&Recollection],
    cancel: &Cancel,
) -> Result<Vec<Conditioned>> {
    let [first, others @ ..] = recalled else { return Ok(Vec::new()) };
    let (objects, memories, pointers) = (recalled.len(), first.mem_tpos.len(), first.ptr_tpos.len());
    // One object's memories go in as they are.
    let together = |part: fn(&Recollection) -> &[f32]| match others {
        [] => Cow::Borrowed(part(first)),
        _ => Cow::Owned(recalled.iter().map(|r| part(r)).collect::<Vec<_>>().concat()),
    };
    let (memory, ptrs) = (together(|r| &r.memory), together(|r| &r.ptrs));
    let inputs = vec![
        ("feat_s2", Input::Value(&features.s2)),
        ("memory", Input::floats(&[objects, memories, m.tokens(), m.memory_width()], &memory)),
        ("mem_tpos", Input::integers(&[memories], &first.mem_tpos)),
        ("ptrs", Input::floats(&[objects, pointers, m.channels], &ptrs)),
        ("ptr_tpos", Input::floats(&[pointers], &first.ptr_tpos)),
    ];
    let [conditioned] = graph.run(inputs, cancel)?;
    let batch = Arc::new(conditioned);
    Ok((0..objects).map(|at| Conditioned { batch: Arc::clone(&batch), at, of: objects }).collect())
}

/// Answers come in the order of `recalled`.
pub(super) fn attend(
    (graph, m, spread): (&Graph, &Manifest, &Spread),
    features: &Features,
    recalled: &[&Recollection],
    cancel: &Cancel,
) -> Result<Vec<Conditioned>> {
    let alike = groups(recalled);
    let runs: Vec<&[usize]> = alike
        .iter()
        .flat_map(|group| spread.runs(group.len(), spread.attention).into_iter().map(|run| &group[run]))
        .collect();
    let answers = spread.each(runs.len(), |at| {
        let objects: Vec<_> = runs[at].iter().map(|&object| recalled[object]).collect();
        run(graph, m, features, &objects, cancel)
    })?;
    let mut placed: Vec<_> = runs.into_iter().flatten().zip(answers.into_iter().flatten()).collect();
    placed.sort_by_key(|(object, _)| **object);
    Ok(placed.into_iter().map(|(_, answer)| answer).collect())
}

/// A run has one set of frames and places in time: objects with the same are together, whatever stands between them.
fn groups(recalled: &[&Recollection]) -> Vec<Vec<usize>> {
    let mut alike: Vec<Vec<usize>> = Vec::new();
    for (at, one) in recalled.iter().enumerate() {
        let same = |group: &&mut Vec<usize>| {
            let other = recalled[group[0]];
            (&other.frames, &other.mem_tpos, &other.ptr_tpos) == (&one.frames, &one.mem_tpos, &one.ptr_tpos)
        };
        match alike.iter_mut().find(same) {
            Some(group) => group.push(at),
            None => alike.push(vec![at]),
        }
    }
    alike
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_share_a_run_only_where_they_recall_the_same_frames_from_the_same_places_in_time() {
        let recalled = |frames: &[u64], slots: &[i64], pointers: &[f32]| Recollection {
            frames: frames.to_vec(),
            mem_tpos: slots.to_vec(),
            ptr_tpos: pointers.to_vec(),
            ..Recollection::default()
        };
        let plain = recalled(&[0, 50, 9], &[3, 3, 0], &[0.5]);
        let prompted_elsewhere = recalled(&[0, 60, 9], &[3, 3, 0], &[0.5]);
        let seen_later = recalled(&[0, 50, 9], &[3, 3, 1], &[0.5]);
        let pointed_at = recalled(&[0, 50, 9], &[3, 3, 0], &[0.5, 0.25]);
        let all = [&plain, &prompted_elsewhere, &plain, &seen_later, &pointed_at, &plain];
        assert_eq!(groups(&all), [vec![0, 2, 5], vec![1], vec![3], vec![4]]);
    }
}
