//! One ONNX graph, checked against its contract when it is loaded, and run.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use ort::session::builder::GraphOptimizationLevel;
use ort::session::{RunOptions, Session, SessionInputValue};
use ort::value::{DynValue, PrimitiveTensorElementType, TensorElementType, TensorRef, ValueType};

use super::manifest::GraphFile;
use super::package::Package;
use crate::error::{Error, Result};

/// A dimension that the caller chooses: objects, memories, points.
pub(super) const ANY: i64 = -1;

/// What the manifest's numbers imply for one input or output.
pub(super) struct TensorSpec {
    pub(super) name: &'static str,
    pub(super) element: TensorElementType,
    pub(super) shape: Vec<i64>,
}

pub(super) fn floats(name: &'static str, shape: &[i64]) -> TensorSpec {
    TensorSpec { name, element: TensorElementType::Float32, shape: shape.to_vec() }
}

pub(super) fn integers(name: &'static str, shape: &[i64]) -> TensorSpec {
    TensorSpec { name, element: TensorElementType::Int64, shape: shape.to_vec() }
}

/// Stops the graph that runs, and keeps the next from starting, from any thread.
pub struct Cancel {
    /// Held while the run options change, so that flag and options always say the same.
    asked: Mutex<bool>,
    options: RunOptions,
}

impl Cancel {
    pub(super) fn new() -> Result<Self> {
        let options = RunOptions::new().map_err(|e| Error::Runtime(e.to_string()))?;
        Ok(Self { asked: Mutex::new(false), options })
    }

    /// Asks the work that runs, or that runs next, to stop.
    pub fn ask(&self) {
        let mut asked = self.asked();
        *asked = true;
        // A failure here only means that the graph runs to its end before the flag is seen.
        let _ = self.options.terminate();
    }

    /// Answers [`Error::Cancelled`] once if stopping was asked for since the last answer.
    pub(crate) fn check(&self) -> Result<()> {
        let mut asked = self.asked();
        if !std::mem::take(&mut *asked) {
            return Ok(());
        }
        self.options.unterminate().map_err(|e| Error::Runtime(e.to_string()))?;
        Err(Error::Cancelled)
    }

    fn asked(&self) -> std::sync::MutexGuard<'_, bool> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Cancel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cancel").field("asked", &self.asked).finish_non_exhaustive()
    }
}

/// A loaded graph. Sessions share it; one runs it at a time.
pub(super) struct Graph {
    name: &'static str,
    outputs: Vec<TensorSpec>,
    session: Mutex<Session>,
}

impl Graph {
    pub(super) fn open(
        name: &'static str,
        package: &Package,
        file: &GraphFile,
        threads: usize,
        environment: &ort::environment::Environment,
        (inputs, outputs): (Vec<TensorSpec>, Vec<TensorSpec>),
    ) -> Result<Self> {
        let label = package.label(file);
        let bytes = package.graph(file)?;
        let session = load(&bytes, threads, environment)
            .map_err(|problem| Error::ModelPackage { package: label.clone(), problem })?;
        check(&label, "input", session.inputs(), &inputs)?;
        check(&label, "output", session.outputs(), &outputs)?;
        Ok(Self { name, outputs, session: Mutex::new(session) })
    }

    /// Runs the graph. The outputs come in the contract's order, each with the element count it promises.
    pub(super) fn run<const N: usize>(
        &self,
        inputs: Vec<(&'static str, SessionInputValue<'_>)>,
        cancel: &Cancel,
    ) -> Result<[DynValue; N]> {
        cancel.check()?;
        let mut session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        let ran = session.run_with_options(inputs, &cancel.options);
        // A run that was stopped fails with a message of its own: the reason is what counts.
        cancel.check()?;
        let mut ran = ran.map_err(|e| self.failed(e.to_string()))?;
        let mut values = Vec::with_capacity(N);
        for spec in &self.outputs {
            let missing = || self.failed(format!("gave no output `{}`", spec.name));
            let value = ran.remove(spec.name).ok_or_else(missing)?;
            self.check_shape(spec, &value)?;
            values.push(value);
        }
        values.try_into().map_err(|v: Vec<_>| self.failed(format!("has {} outputs, expected {N}", v.len())))
    }

    fn check_shape(&self, spec: &TensorSpec, value: &DynValue) -> Result<()> {
        let found: &[i64] = value.shape();
        if spec.shape.len() == found.len()
            && spec.shape.iter().zip(found).all(|(&want, &f)| want == ANY || want == f)
        {
            return Ok(());
        }
        Err(self.failed(format!("output `{}` has shape {found:?}, expected {:?}", spec.name, spec.shape)))
    }

    pub(super) fn failed(&self, problem: String) -> Error {
        Error::Inference { graph: self.name, problem }
    }

    /// Borrows numbers as a tensor.
    pub(super) fn floats<'v>(&self, shape: &[usize], values: &'v [f32]) -> Result<SessionInputValue<'v>> {
        self.tensor(shape, values)
    }

    /// Borrows labels or positions as a tensor.
    pub(super) fn integers<'v>(&self, shape: &[usize], values: &'v [i64]) -> Result<SessionInputValue<'v>> {
        self.tensor(shape, values)
    }

    fn tensor<'v, T: PrimitiveTensorElementType + fmt::Debug + Clone + 'static>(
        &self,
        shape: &[usize],
        values: &'v [T],
    ) -> Result<SessionInputValue<'v>> {
        TensorRef::from_array_view((shape.to_vec(), values))
            .map(SessionInputValue::from)
            .map_err(|e| self.failed(e.to_string()))
    }

    /// The numbers of an output.
    pub(super) fn numbers<'v>(&self, value: &'v DynValue) -> Result<&'v [f32]> {
        value.try_extract_tensor::<f32>().map(|(_, numbers)| numbers).map_err(|e| self.failed(e.to_string()))
    }
}

fn load(
    bytes: &[u8],
    threads: usize,
    environment: &ort::environment::Environment,
) -> std::result::Result<Session, String> {
    let said = |e: ort::Error| e.to_string();
    let builder = Session::builder(environment).map_err(said)?;
    let builder = builder.with_optimization_level(GraphOptimizationLevel::All).map_err(|e| said(e.into()))?;
    let builder = builder.with_intra_threads(threads).map_err(|e| said(e.into()))?;
    // Waiting threads sleep: the host decodes, draws and encodes on the same cores meanwhile.
    let mut builder = builder.with_intra_op_spinning(false).map_err(|e| said(e.into()))?;
    builder.commit_from_memory(bytes).map_err(|e| format!("not a graph that ONNX Runtime takes: {e}"))
}

fn check(label: &str, side: &'static str, found: &[ort::value::Outlet], want: &[TensorSpec]) -> Result<()> {
    for spec in want {
        let refuse = |found: String| Error::GraphContract {
            graph: label.to_owned(),
            side,
            name: spec.name.to_owned(),
            found,
            want: describe(spec.element, &spec.shape),
        };
        let Some(outlet) = found.iter().find(|outlet| outlet.name() == spec.name) else {
            return Err(refuse("no counterpart".into()));
        };
        let ValueType::Tensor { ty, shape, .. } = outlet.dtype() else {
            return Err(refuse("a value that is no tensor".into()));
        };
        let fits = |(&want, &found): (&i64, &i64)| found == ANY || found == want;
        if *ty != spec.element
            || shape.len() != spec.shape.len()
            || !spec.shape.iter().zip(shape.iter()).all(fits)
        {
            return Err(refuse(describe(*ty, shape)));
        }
    }
    if let Some(extra) = found.iter().find(|outlet| want.iter().all(|spec| spec.name != outlet.name())) {
        let names: Vec<_> = want.iter().map(|spec| spec.name).collect();
        return Err(Error::GraphContract {
            graph: label.to_owned(),
            side,
            name: extra.name().to_owned(),
            found: "no place in the contract".into(),
            want: names.join(", "),
        });
    }
    Ok(())
}

fn describe(element: TensorElementType, shape: &[i64]) -> String {
    let sides: Vec<_> =
        shape.iter().map(|&d| if d == ANY { "any".to_owned() } else { d.to_string() }).collect();
    format!("{element} [{}]", sides.join(", "))
}
