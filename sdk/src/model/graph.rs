//! One ONNX graph, checked against its contract when it is loaded, and run.

use ort::session::Session;
use ort::session::builder::{GraphOptimizationLevel, SessionBuilder};
use ort::value::DynValue;

use super::bound::Bound;
use super::cancel::Cancel;
use super::contract::{Contract, TensorSpec, check};
use super::direct::Direct;
use super::input::Input;
use super::manifest::GraphFile;
use super::package::Package;
use super::provider::Provider;
use crate::error::{Error, Result};

/// What all graphs of a model are loaded with.
pub(super) struct Setup {
    pub(super) environment: ort::environment::Environment,
    pub(super) provider: Provider,
    pub(super) device: u32,
    pub(super) threads: usize,
    pub(super) deterministic: bool,
    /// 0: as much as the provider likes.
    pub(super) device_memory_bytes: usize,
    /// Binds tensors even where they are in host memory anyway.
    pub(super) bind: bool,
}

/// Why a graph was not loaded.
pub(super) enum NotLoaded {
    /// The provider can't, as a sentence: another one may.
    ByProvider(String),
    /// Nobody could.
    ByAnyone(Error),
}

impl std::fmt::Display for NotLoaded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::ByProvider(said) => f.write_str(said),
            Self::ByAnyone(error) => error.fmt(f),
        }
    }
}

impl From<Error> for NotLoaded {
    fn from(error: Error) -> Self {
        Self::ByAnyone(error)
    }
}

/// A loaded graph, shared by sessions.
pub(super) struct Graph {
    name: &'static str,
    outputs: Vec<TensorSpec>,
    runner: Runner,
}

enum Runner {
    Direct(Direct),
    Bound(Bound),
}

impl Graph {
    pub(super) fn open(
        name: &'static str,
        package: &Package,
        file: &GraphFile,
        setup: &Setup,
        (inputs, outputs): Contract,
    ) -> std::result::Result<Self, NotLoaded> {
        let label = package.label(file);
        let bytes = package.graph(file)?;
        let builder = setup.builder().map_err(NotLoaded::ByProvider)?;
        let session = setup.load(builder, &bytes).map_err(|said| {
            // Every ONNX Runtime has the CPU provider: what it doesn't take is no graph.
            if setup.provider != Provider::Cpu {
                return NotLoaded::ByProvider(format!("{name}: {said}"));
            }
            let problem = format!("not a graph that ONNX Runtime takes: {said}");
            NotLoaded::ByAnyone(Error::ModelPackage { package: label.clone(), problem })
        })?;
        check(&label, "input", session.inputs(), &inputs)?;
        check(&label, "output", session.outputs(), &outputs)?;
        Ok(Self { name, outputs, runner: setup.runner(session)? })
    }

    /// Runs the graph. The outputs come in the contract's order, each in a shape that it allows.
    pub(super) fn run<const N: usize>(
        &self,
        inputs: Vec<(&'static str, Input<'_>)>,
        cancel: &Cancel,
    ) -> Result<[DynValue; N]> {
        cancel.check()?;
        let ran = match &self.runner {
            Runner::Direct(direct) => direct.run(&inputs, &self.outputs, cancel)?,
            Runner::Bound(bound) => bound.run(&inputs, &self.outputs, cancel),
        };
        // A run that was stopped fails with a message of its own: the reason is what counts.
        cancel.check()?;
        let values = ran.map_err(|e| self.failed(e.to_string()))?;
        for (spec, value) in self.outputs.iter().zip(&values) {
            let found: &[i64] = value.shape();
            if !spec.allows(found) {
                let (name, want) = (spec.name, &spec.shape);
                return Err(self.failed(format!("output `{name}` has shape {found:?}, expected {want:?}")));
            }
        }
        values.try_into().map_err(|v: Vec<_>| self.failed(format!("has {} outputs, expected {N}", v.len())))
    }

    pub(super) fn failed(&self, problem: String) -> Error {
        Error::Inference { graph: self.name, problem }
    }

    /// The numbers of an output, each of `objects` as one slice.
    pub(super) fn rows<'v>(
        &self,
        value: &'v DynValue,
        objects: usize,
    ) -> Result<impl Iterator<Item = &'v [f32]>> {
        let numbers = value.try_extract_tensor::<f32>().map_err(|e| self.failed(e.to_string()))?.1;
        let (row, rest) = (numbers.len() / objects.max(1), numbers.len() % objects.max(1));
        if row == 0 || rest != 0 {
            return Err(self.failed(format!("gave {} numbers for {objects} objects", numbers.len())));
        }
        Ok(numbers.chunks_exact(row))
    }
}

/// How long a thread waits awake for its next piece of work, in microseconds.
const SPIN_US: &str = "50";

impl Setup {
    /// Session options. The problem comes as a sentence.
    fn builder(&self) -> std::result::Result<SessionBuilder, String> {
        let said = |e: ort::Error<SessionBuilder>| ort::Error::<()>::from(e).to_string();
        let builder = Session::builder(&self.environment).map_err(|e| e.to_string())?;
        let builder = builder.with_optimization_level(GraphOptimizationLevel::All).map_err(said)?;
        let builder = builder.with_intra_threads(self.threads).map_err(said)?;
        // Threads spin from one operator to the next and sleep when they must wait longer, and between runs: the host
        // decodes, draws and encodes on the same cores meanwhile.
        let builder = builder.with_intra_op_spinning(true).map_err(said)?;
        let builder =
            builder.with_config_entry("session.intra_op.spin_duration_us", SPIN_US).map_err(said)?;
        let builder = builder.with_config_entry("session.force_spinning_stop", "1").map_err(said)?;
        let builder = builder.with_deterministic_compute(self.deterministic).map_err(said)?;
        self.provider.register(builder, self)
    }

    fn load(&self, mut builder: SessionBuilder, bytes: &[u8]) -> std::result::Result<Session, String> {
        builder.commit_from_memory(bytes).map_err(|e| e.to_string())
    }

    fn runner(&self, session: Session) -> Result<Runner> {
        let place = self.provider.place(self.device).map_err(|e| Error::Runtime(e.to_string()))?;
        Ok(match place {
            Some(place) => Runner::Bound(Bound::new(session, place)),
            None if self.bind => Runner::Bound(Bound::new(session, ort::memory::MemoryInfo::default())),
            None if self.provider == Provider::Cpu => Runner::Direct(Direct::new(session, self.threads)),
            None => Runner::Direct(Direct::new(session, 1)),
        })
    }
}
