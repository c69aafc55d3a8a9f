//! The model: a package of four ONNX graphs, and the only place that knows ONNX Runtime.
//!
//! Graphs, tensors and names are SAM 2's own.

mod manifest;
mod package;
pub mod runtime;
mod graph;
mod image_encoder;
mod memory_attention;
mod mask_decoder;
mod memory_encoder;

use std::path::PathBuf;

pub use graph::Cancel;
pub use manifest::{Constants, FORMAT, Files, GraphFile, Manifest};

pub(crate) use image_encoder::Features;
pub(crate) use mask_decoder::{Decoded, Ground};
pub(crate) use memory_attention::{Conditioned, Memory, Recollection};

use crate::error::{Error, Result};
use crate::preprocess::EncoderInput;
use crate::prompt::EncodedPoints;
use graph::Graph;
use package::Package;

/// How a model is opened.
#[derive(Clone, Debug, Default)]
pub struct ModelOptions {
    /// A `NAME.rotomodel` folder, or `None` for the model that is compiled into the library.
    pub folder: Option<PathBuf>,
    /// Threads that a graph may use; 0 for as many as there are cores.
    pub threads: usize,
    /// ONNX Runtime's library, or `None` to look where [`runtime::info`] says.
    pub onnxruntime: Option<PathBuf>,
}

/// Four graphs and their manifest, ready to run. Sessions on any number of threads share it; a graph runs for
/// one of them at a time.
pub struct Model {
    manifest: Manifest,
    image_encoder: Graph,
    memory_attention: Graph,
    mask_decoder: Graph,
    memory_encoder: Graph,
}

impl std::fmt::Debug for Model {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Model").field("name", &self.manifest.name).finish_non_exhaustive()
    }
}

impl Model {
    /// Opens a package, checks every file against its hash and every graph against the manifest's numbers.
    ///
    /// # Errors
    /// [`Error::ModelFile`], [`Error::ModelPackage`] or [`Error::GraphContract`] for a package that is not what
    /// it says; [`Error::Runtime`] if ONNX Runtime can't be loaded; [`Error::Setting`] for too many threads.
    pub fn open(options: &ModelOptions) -> Result<Self> {
        const MOST_THREADS: usize = 1024;
        if options.threads > MOST_THREADS {
            let (found, want) = (options.threads.to_string(), format!("0 to {MOST_THREADS}"));
            return Err(Error::Setting { name: "threads", found, want });
        }
        let package = Package::open(options.folder.as_deref())?;
        let environment = runtime::environment(options.onnxruntime.as_deref())?;
        let cores = || std::thread::available_parallelism().map_or(1, |n| n.get());
        let threads = if options.threads == 0 { cores() } else { options.threads };
        let (m, files) = (&package.manifest, &package.manifest.files);
        let open = |name, file, contract| Graph::open(name, &package, file, threads, &environment, contract);
        Ok(Self {
            image_encoder: open("image_encoder", &files.image_encoder, image_encoder::contract(m))?,
            memory_attention: open(
                "memory_attention",
                &files.memory_attention,
                memory_attention::contract(m),
            )?,
            mask_decoder: open("mask_decoder", &files.mask_decoder, mask_decoder::contract(m))?,
            memory_encoder: open("memory_encoder", &files.memory_encoder, memory_encoder::contract(m))?,
            manifest: package.manifest,
        })
    }

    /// What the package says of itself.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// A switch that stops graphs which run with it.
    pub(crate) fn cancel_switch(&self) -> Result<Cancel> {
        Cancel::new()
    }

    pub(crate) fn encode(&self, input: &EncoderInput, cancel: &Cancel) -> Result<Features> {
        image_encoder::encode(&self.image_encoder, input, cancel)
    }

    pub(crate) fn attend(
        &self,
        features: &Features,
        recalled: &Recollection,
        cancel: &Cancel,
    ) -> Result<Conditioned> {
        memory_attention::attend(&self.memory_attention, &self.manifest, features, recalled, cancel)
    }

    pub(crate) fn decode(
        &self,
        ground: (&Features, Ground<'_>),
        points: &EncodedPoints,
        dense: Option<&[f32]>,
        cancel: &Cancel,
    ) -> Result<Decoded> {
        mask_decoder::decode(&self.mask_decoder, &self.manifest, ground, points, dense, cancel)
    }

    pub(crate) fn remember(
        &self,
        features: &Features,
        mask: (&[f32], f32),
        prompted: bool,
        cancel: &Cancel,
    ) -> Result<Memory> {
        memory_encoder::remember(&self.memory_encoder, &self.manifest, features, mask, prompted, cancel)
    }
}
