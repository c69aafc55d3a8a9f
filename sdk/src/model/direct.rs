//! A graph that several threads run at once, with tensors in host memory.

use std::ffi::CString;
use std::ptr::{self, NonNull};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use ort::AsPointer;
use ort::session::Session;
use ort::value::DynValue;

use super::cancel::Cancel;
use super::contract::TensorSpec;
use super::input::Input;
use crate::error::Result;

/// How often a run that waits for its turn looks whether it is still wanted.
const LOOK_UP: Duration = Duration::from_millis(20);

/// One copy of a graph's weights, and how many may run it at a time.
pub(super) struct Direct {
    session: Session,
    /// Turns that are free.
    turns: Mutex<usize>,
    freed: Condvar,
}

struct Turn<'a>(&'a Direct);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        *self.0.turns.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.0.freed.notify_one();
    }
}

impl Direct {
    /// `turns` must be 1 for every provider but the CPU's: see [`Direct::run`]. Each turn that is taken holds the
    /// graph's activations, so there should be no more than there are cores.
    pub(super) fn new(session: Session, turns: usize) -> Self {
        Self { session, turns: Mutex::new(turns), freed: Condvar::new() }
    }

    /// Runs the graph when a turn is free. The outer error is [`crate::Error::Cancelled`], the inner one ONNX
    /// Runtime's sentence.
    pub(super) fn run(
        &self,
        inputs: &[(&'static str, Input<'_>)],
        outputs: &[TensorSpec],
        cancel: &Cancel,
    ) -> Result<ort::Result<Vec<DynValue>>> {
        let _turn = self.turn(cancel)?;
        Ok(self.call(inputs, outputs, cancel))
    }

    fn turn(&self, cancel: &Cancel) -> Result<Turn<'_>> {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        while *turns == 0 {
            cancel.check()?;
            (turns, _) = self.freed.wait_timeout(turns, LOOK_UP).unwrap_or_else(PoisonError::into_inner);
        }
        *turns -= 1;
        Ok(Turn(self))
    }

    /// `ort` runs a session through `&mut` only, because providers other than the CPU's are not safe to share
    /// (DirectML says so itself; CUDA was seen to crash). ONNX Runtime documents `Run` as safe to call from several
    /// threads, and the CPU provider keeps no state in a session between runs.
    fn call(
        &self,
        inputs: &[(&'static str, Input<'_>)],
        outputs: &[TensorSpec],
        cancel: &Cancel,
    ) -> ort::Result<Vec<DynValue>> {
        let c_string = |name: &str| CString::new(name).map_err(|e| ort::Error::new(e.to_string()));
        let input_names: Vec<_> =
            inputs.iter().map(|(name, _)| c_string(name)).collect::<ort::Result<_>>()?;
        let output_names: Vec<_> =
            outputs.iter().map(|spec| c_string(spec.name)).collect::<ort::Result<_>>()?;
        let input_name_pointers: Vec<_> = input_names.iter().map(|name| name.as_ptr()).collect();
        let output_name_pointers: Vec<_> = output_names.iter().map(|name| name.as_ptr()).collect();
        let lent: Vec<_> = inputs.iter().map(|(_, input)| input.lend()).collect::<ort::Result<_>>()?;
        let values: Vec<_> = lent.iter().map(|value| value.ptr()).collect();
        let mut made = vec![ptr::null_mut(); outputs.len()];
        // SAFETY: every pointer belongs to something borrowed or owned above, each array has the length that is
        // passed with it, and null outputs ask ONNX Runtime to make them. Another thread may be in the same call
        // with the same session: either it is the CPU provider's, or a turn has kept that thread out.
        let status = unsafe {
            (ort::api().Run)(
                self.session.ptr().cast_mut(),
                cancel.options().ptr(),
                input_name_pointers.as_ptr(),
                values.as_ptr(),
                values.len(),
                output_name_pointers.as_ptr(),
                output_name_pointers.len(),
                made.as_mut_ptr(),
            )
        };
        // SAFETY: the status is this call's, and is given away here.
        unsafe { ort::Error::result_from_status(status) }?;
        let own = |value| {
            let value = NonNull::new(value).ok_or_else(|| ort::Error::new("an output is null"))?;
            // SAFETY: a run that succeeded hands each output over to the caller; it keeps its allocator alive.
            Ok(unsafe { DynValue::from_ptr(value, Some(self.session.allocator())) })
        };
        made.into_iter().map(own).collect()
    }
}
