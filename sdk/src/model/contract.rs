//! What a graph must take and give. The manifest's numbers imply it; a graph that differs is refused when it is
//! loaded.

use ort::value::{Outlet, TensorElementType, ValueType};

use crate::error::{Error, Result};

/// A dimension that the caller chooses: objects, memories, points.
pub(super) const ANY: i64 = -1;

/// What the manifest's numbers imply for one input or output.
pub(super) struct TensorSpec {
    pub(super) name: &'static str,
    pub(super) element: TensorElementType,
    pub(super) shape: Vec<i64>,
    /// An output that only the next graph looks at: it stays where the provider computes.
    pub(super) stays: bool,
}

/// Inputs and outputs.
pub(super) type Contract = (Vec<TensorSpec>, Vec<TensorSpec>);

pub(super) fn floats(name: &'static str, shape: &[i64]) -> TensorSpec {
    TensorSpec { name, element: TensorElementType::Float32, shape: shape.to_vec(), stays: false }
}

pub(super) fn integers(name: &'static str, shape: &[i64]) -> TensorSpec {
    TensorSpec { element: TensorElementType::Int64, ..floats(name, shape) }
}

/// Floats that no code outside the provider reads.
pub(super) fn passed_on(name: &'static str, shape: &[i64]) -> TensorSpec {
    TensorSpec { stays: true, ..floats(name, shape) }
}

impl TensorSpec {
    /// Whether a value's shape is one that the contract allows.
    pub(super) fn allows(&self, found: &[i64]) -> bool {
        self.shape.len() == found.len()
            && self.shape.iter().zip(found).all(|(&want, &found)| want == ANY || want == found)
    }
}

/// Compares one side of a loaded graph with its contract.
pub(super) fn check(label: &str, side: &'static str, found: &[Outlet], want: &[TensorSpec]) -> Result<()> {
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
