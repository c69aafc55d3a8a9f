//! How a model is opened.

use std::path::PathBuf;

use ort::environment::Environment;

use super::graph::Setup;
use super::provider::Provider;
use crate::error::{Error, Result};

const MOST_THREADS: usize = 1024;
const MOST_DEVICES: u32 = 255;

/// How a model is opened.
#[derive(Clone, Debug, Default)]
pub struct ModelOptions {
    /// A `NAME.rotomodel` folder, or `None` for the model that is compiled into the library.
    pub folder: Option<PathBuf>,
    /// Threads that a graph may use; 0 for as many as there are cores.
    pub threads: usize,
    /// ONNX Runtime's library, or `None` to look where [`runtime::info`](super::runtime::info) says.
    pub onnxruntime: Option<PathBuf>,
    /// Who may compute, in the order in which they are asked. Empty for the CPU alone.
    pub providers: Vec<Provider>,
    /// The number of the GPU, for providers that use one.
    pub device: u32,
    /// The same bits in every run and with any number of threads. On the CPU this is so anyway, and tested; other
    /// providers are told to leave out what they do otherwise each time, which costs speed.
    pub deterministic: bool,
    /// The most memory that a provider may take on its device for each graph, in bytes; 0 for as much as it likes.
    /// DirectML, CoreML and OpenVINO have no such limit.
    pub device_memory_bytes: usize,
}

impl ModelOptions {
    pub(super) fn check(&self) -> Result<()> {
        let refuse = |name, found: String, want| Err(Error::Setting { name, found, want });
        if self.threads > MOST_THREADS {
            return refuse("threads", self.threads.to_string(), format!("0 to {MOST_THREADS}"));
        }
        if self.device > MOST_DEVICES {
            return refuse("device", self.device.to_string(), format!("0 to {MOST_DEVICES}"));
        }
        Ok(())
    }

    /// The providers to ask.
    pub(super) fn asked(&self) -> &[Provider] {
        if self.providers.is_empty() { &[Provider::Cpu] } else { &self.providers }
    }

    pub(super) fn setup(&self, environment: Environment, provider: Provider, bind: bool) -> Setup {
        let cores = || std::thread::available_parallelism().map_or(1, |n| n.get());
        Setup {
            environment,
            provider,
            device: self.device,
            threads: if self.threads == 0 { cores() } else { self.threads },
            deterministic: self.deterministic,
            device_memory_bytes: self.device_memory_bytes,
            bind,
        }
    }
}
