//! The model: a package of four ONNX graphs, and the only place that knows ONNX Runtime.
//!
//! Graphs, tensors and names are SAM 2's own.

mod manifest;
mod package;
pub mod runtime;
mod provider;
mod options;
mod contract;
mod cancel;
mod input;
mod direct;
mod bound;
mod graph;
mod spread;
mod image_encoder;
mod beside;
mod memory_attention;
mod mask_decoder;
mod memory_encoder;
mod probe;
#[cfg(test)]
mod tests;

pub use cancel::Cancel;
pub use manifest::{Approximation, Constants, FORMAT, Files, GraphFile, Manifest, Variant};
pub use options::ModelOptions;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub use package::fuzz as fuzz_package;
#[doc(hidden)]
pub use probe::Probe;
pub use provider::{Provider, ProviderReport, Refusal};

pub(crate) use image_encoder::Features;
pub(crate) use mask_decoder::{Decoded, Ground, Question};
pub(crate) use memory_attention::{Conditioned, Memory, Recollection};

use crate::error::{Error, Result};
use crate::preprocess::EncoderInput;
use crate::prompt::EncodedPoints;
use beside::EncoderBeside;
use graph::{Graph, NotLoaded, Setup};
use package::Package;
use spread::Spread;

/// Four graphs and their manifest, ready to run. Sessions on any number of threads share it: there is one copy of
/// the weights, and on the CPU several of them run a graph at once.
pub struct Model {
    manifest: Manifest,
    providers: ProviderReport,
    spread: Spread,
    graphs: Graphs,
    beside: Option<EncoderBeside>,
}

struct Graphs {
    image_encoder: Graph,
    memory_attention: Graph,
    mask_decoder: Graph,
    memory_encoder: Graph,
}

impl std::fmt::Debug for Model {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Model")
            .field("name", &self.manifest.name)
            .field("providers", &self.providers)
            .finish_non_exhaustive()
    }
}

impl Model {
    /// Opens a package, checks every file against its hash and every graph against the manifest's numbers, and
    /// loads them with the first provider that can.
    ///
    /// # Errors
    /// [`Error::ModelFile`], [`Error::ModelPackage`] or [`Error::GraphContract`] for a package that is not what
    /// it says; [`Error::Runtime`] if ONNX Runtime can't be loaded, or no provider can compute the model, with the
    /// reason of each; [`Error::Setting`] for an option outside its range.
    pub fn open(options: &ModelOptions) -> Result<Self> {
        Self::open_bound(options, false)
    }

    /// `bind`: tensors are bound as they are on a device, whatever the provider.
    fn open_bound(options: &ModelOptions, bind: bool) -> Result<Self> {
        options.check()?;
        let package = Package::open(options.folder.as_deref())?;
        let environment = runtime::environment(options.onnxruntime.as_deref())?;
        let mut refused = Vec::new();
        for &provider in options.asked() {
            let setup = options.setup(environment.clone(), provider, bind);
            match Graphs::open(&package, &setup) {
                Ok(graphs) => {
                    let providers = ProviderReport { used: provider, device: options.device, refused };
                    tracing::info!("model: {} on {provider}", package.manifest.name);
                    let spread = Spread::new(&package.manifest, provider, setup.threads);
                    let manifest = package.manifest.clone();
                    let beside = EncoderBeside::new(package, setup);
                    return Ok(Self { manifest, providers, spread, graphs, beside });
                }
                Err(NotLoaded::ByAnyone(error)) => return Err(error),
                Err(NotLoaded::ByProvider(reason)) => {
                    let refusal = Refusal { provider, reason };
                    tracing::warn!("model: not on {refusal}");
                    refused.push(refusal);
                }
            }
        }
        let reasons: Vec<_> = refused.iter().map(Refusal::to_string).collect();
        Err(Error::Runtime(format!("no provider can compute the model ({})", reasons.join("; "))))
    }

    /// What the package says of itself.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Which provider computes, and why none of those before it does.
    pub fn provider_report(&self) -> &ProviderReport {
        &self.providers
    }

    /// A switch that stops graphs which run with it.
    pub(crate) fn cancel_switch(&self) -> Result<Cancel> {
        Cancel::new()
    }

    /// Whether a frame can be encoded beside other work. The first call loads what that takes.
    pub(crate) fn encodes_beside(&self) -> bool {
        self.beside.as_ref().is_some_and(|beside| beside.graph().is_some())
    }

    /// As [`Model::encode`], beside other work of this model. The features are the same, bit for bit.
    pub(crate) fn encode_beside(&self, input: &EncoderInput, cancel: &Cancel) -> Result<Features> {
        let beside = self.beside.as_ref().and_then(EncoderBeside::graph);
        image_encoder::encode(beside.unwrap_or(&self.graphs.image_encoder), input, cancel)
    }

    pub(crate) fn encode(&self, input: &EncoderInput, cancel: &Cancel) -> Result<Features> {
        image_encoder::encode(&self.graphs.image_encoder, input, cancel)
    }

    /// One object: see [`Model::attend_many`].
    #[cfg(test)]
    pub(crate) fn attend(
        &self,
        features: &Features,
        recalled: &Recollection,
        cancel: &Cancel,
    ) -> Result<Conditioned> {
        only(self.attend_many(features, &[recalled], cancel)?)
    }

    /// Holds what each object recalls against the features. The answers are those of single calls, bit for bit.
    pub(crate) fn attend_many(
        &self,
        features: &Features,
        recalled: &[&Recollection],
        cancel: &Cancel,
    ) -> Result<Vec<Conditioned>> {
        let with = (&self.graphs.memory_attention, &self.manifest, &self.spread);
        memory_attention::attend(with, features, recalled, cancel)
    }

    /// One object: see [`Model::decode_many`].
    pub(crate) fn decode(
        &self,
        (features, ground): (&Features, Ground<'_>),
        points: &EncodedPoints,
        dense: Option<&[f32]>,
        cancel: &Cancel,
    ) -> Result<Decoded> {
        only(self.decode_many(features, &[Question { ground, points, dense }], cancel)?)
    }

    /// Answers a question for each object. The answers are those of single calls, bit for bit.
    pub(crate) fn decode_many(
        &self,
        features: &Features,
        questions: &[Question<'_>],
        cancel: &Cancel,
    ) -> Result<Vec<Decoded>> {
        let with = (&self.graphs.mask_decoder, &self.manifest, &self.spread);
        mask_decoder::decode(with, features, questions, cancel)
    }

    /// One object: see [`Model::remember_many`].
    pub(crate) fn remember(
        &self,
        features: &Features,
        mask: (&[f32], f32),
        prompted: bool,
        cancel: &Cancel,
    ) -> Result<Memory> {
        only(self.remember_many(features, &[mask], prompted, cancel)?)
    }

    /// Makes a memory of each object's logits and object score. The answers are those of single calls, bit for
    /// bit.
    pub(crate) fn remember_many(
        &self,
        features: &Features,
        masks: &[(&[f32], f32)],
        prompted: bool,
        cancel: &Cancel,
    ) -> Result<Vec<Memory>> {
        let with = (&self.graphs.memory_encoder, &self.manifest, &self.spread);
        memory_encoder::remember(with, features, masks, prompted, cancel)
    }
}

/// The answer for the one object that was asked about.
fn only<T>(answers: Vec<T>) -> Result<T> {
    let none = || Error::State("the model gave no answer".into());
    answers.into_iter().next().ok_or_else(none)
}

impl Graphs {
    fn open(package: &Package, setup: &Setup) -> std::result::Result<Self, NotLoaded> {
        let (m, provider) = (&package.manifest, setup.provider);
        if !provider.is_built_in() {
            let known = runtime::providers().join(", ");
            return Err(NotLoaded::ByProvider(format!(
                "this ONNX Runtime was built without {}; it has {known}",
                provider.onnxruntime_name()
            )));
        }
        if m.variant == Some(Variant::Mha) && !provider.has_fused_attention() {
            return Err(NotLoaded::ByProvider(format!(
                "{} is of variant `mha`, whose attention it doesn't have, expected variant `std`",
                m.name
            )));
        }
        let open = |name, file, contract| Graph::open(name, package, file, setup, contract);
        let f = &m.files;
        Ok(Self {
            image_encoder: open("image_encoder", &f.image_encoder, image_encoder::contract(m))?,
            memory_attention: open("memory_attention", &f.memory_attention, memory_attention::contract(m))?,
            mask_decoder: open("mask_decoder", &f.mask_decoder, mask_decoder::contract(m))?,
            memory_encoder: open("memory_encoder", &f.memory_encoder, memory_encoder::contract(m))?,
        })
    }
}
