//! What a graph is given: numbers of the host, or what an earlier graph gave.

use std::fmt::Debug;

use ort::session::SessionInputValue;
use ort::value::{DynValue, PrimitiveTensorElementType, Tensor, TensorRef};

/// One input.
pub(super) enum Input<'v> {
    /// Shape and numbers.
    Floats(Vec<usize>, &'v [f32]),
    /// Shape and labels or positions.
    Integers(Vec<usize>, &'v [i64]),
    /// As it lies, wherever that is.
    Value(&'v DynValue),
}

impl<'v> Input<'v> {
    pub(super) fn floats(shape: &[usize], values: &'v [f32]) -> Self {
        Self::Floats(shape.to_vec(), values)
    }

    pub(super) fn integers(shape: &[usize], values: &'v [i64]) -> Self {
        Self::Integers(shape.to_vec(), values)
    }

    /// Numbers are looked at where they are.
    pub(super) fn lend(&self) -> ort::Result<SessionInputValue<'v>> {
        fn lend<'v, T: PrimitiveTensorElementType + Debug + Clone + 'static>(
            shape: &[usize],
            values: &'v [T],
        ) -> ort::Result<SessionInputValue<'v>> {
            TensorRef::from_array_view((shape.to_vec(), values)).map(SessionInputValue::from)
        }
        match self {
            Self::Floats(shape, values) => lend(shape, values),
            Self::Integers(shape, values) => lend(shape, values),
            Self::Value(value) => Ok(SessionInputValue::from(*value)),
        }
    }

    /// Numbers are copied, as a binding needs them: where a graph wants an input on the host, `ort` would copy a
    /// borrowed one itself, and wait for ever for a lock that it holds.
    pub(super) fn copy(&self) -> ort::Result<SessionInputValue<'v>> {
        fn copy<'v, T: PrimitiveTensorElementType + Debug + Clone + 'static>(
            shape: &[usize],
            values: &[T],
        ) -> ort::Result<SessionInputValue<'v>> {
            Tensor::from_array((shape.to_vec(), values.to_vec())).map(SessionInputValue::from)
        }
        match self {
            Self::Floats(shape, values) => copy(shape, values),
            Self::Integers(shape, values) => copy(shape, values),
            Self::Value(value) => Ok(SessionInputValue::from(*value)),
        }
    }
}
