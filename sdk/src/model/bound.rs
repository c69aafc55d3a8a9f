//! A graph whose tensors are bound to the provider's memory, so that what one graph gives to the next never visits
//! the host.

use std::sync::{Mutex, PoisonError};

use ort::memory::MemoryInfo;
use ort::session::Session;
use ort::value::DynValue;

use super::cancel::Cancel;
use super::contract::TensorSpec;
use super::input::Input;

/// A graph that is run by one thread at a time.
pub(super) struct Bound {
    session: Mutex<Session>,
    device: MemoryInfo<'static>,
    host: MemoryInfo<'static>,
}

impl Bound {
    /// Outputs that stay do so in `device`.
    pub(super) fn new(session: Session, device: MemoryInfo<'static>) -> Self {
        Self { session: Mutex::new(session), device, host: MemoryInfo::default() }
    }

    /// Inputs are copied to the device unless they are there already. The binding is made anew for each run: a
    /// binding that is kept would write the next frame's features over this one's.
    pub(super) fn run(
        &self,
        inputs: &[(&'static str, Input<'_>)],
        outputs: &[TensorSpec],
        cancel: &Cancel,
    ) -> ort::Result<Vec<DynValue>> {
        let mut session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        let mut binding = session.create_binding()?;
        for (name, input) in inputs {
            binding.bind_input(*name, &*input.copy()?)?;
        }
        for spec in outputs {
            binding.bind_output_to_device(spec.name, if spec.stays { &self.device } else { &self.host })?;
        }
        binding.synchronize_inputs()?;
        let mut ran = session.run_binding_with_options(&binding, cancel.options())?;
        let missing = |name| ort::Error::new(format!("gave no output `{name}`"));
        outputs.iter().map(|spec| ran.remove(spec.name).ok_or_else(|| missing(spec.name))).collect()
    }
}
