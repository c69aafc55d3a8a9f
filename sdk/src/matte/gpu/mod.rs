//! Where the kernels run. wgpu is known here and nowhere else.

mod buffers;
mod chain;
mod device;
mod record;

pub(super) use chain::{Chain, Done};
pub use device::adapters;

use std::sync::Once;

/// Which device finishes the frames.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Gpu {
    /// A hardware adapter if there is one, otherwise the CPU: the twins are faster than any software adapter.
    #[default]
    Auto,
    /// The CPU.
    Off,
    /// A software adapter such as Mesa's lavapipe, for tests.
    Software,
}

/// What a device is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DeviceKind {
    /// A GPU with its own memory.
    Discrete,
    /// A GPU that shares the CPU's memory.
    Integrated,
    /// A GPU lent to a virtual machine.
    Virtual,
    /// A GPU driver that calculates on the CPU.
    Software,
    /// No GPU at all: the kernels' plain twins.
    Twins,
    /// The driver doesn't say.
    Unknown,
}

impl DeviceKind {
    fn is_hardware(self) -> bool {
        matches!(self, Self::Discrete | Self::Integrated | Self::Virtual)
    }
}

/// One device that frames can be finished on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceInfo {
    /// As the driver gives it.
    pub name: String,
    /// The graphics interface, such as "vulkan", or "cpu".
    pub backend: &'static str,
    /// What it is.
    pub kind: DeviceKind,
}

impl DeviceInfo {
    pub(super) fn twins() -> Self {
        Self { name: "CPU twins".into(), backend: "cpu", kind: DeviceKind::Twins }
    }
}

/// Says once a process that there is no GPU to use.
fn warn_none(why: &str) {
    static SAID: Once = Once::new();
    SAID.call_once(|| tracing::warn!("matte: {why}; mattes are finished on the CPU"));
}

/// Says once a process that a GPU gave up.
pub(super) fn warn_lost(device: &DeviceInfo, problem: &str) {
    static SAID: Once = Once::new();
    SAID.call_once(|| {
        tracing::warn!(
            "matte: {} failed ({problem}); mattes are finished on the CPU from here on",
            device.name
        );
    });
}
