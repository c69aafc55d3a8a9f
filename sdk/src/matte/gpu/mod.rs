//! Where the kernels run. wgpu is known here and nowhere else.

mod buffers;
mod chain;
mod device;
mod flight;
mod record;

pub(super) use chain::{Chain, Done};
pub use device::adapters;
pub(super) use flight::Flight;

use std::str::FromStr;
use std::sync::Once;

use crate::error::{Error, Result};

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
    /// One of [`adapters`], by its place there.
    Adapter(usize),
}

impl FromStr for Gpu {
    type Err = Error;

    /// `auto`, `off`, `software`, an adapter's place among [`adapters`], or a part of its name, large or small letters
    /// alike; of several that have it, the first.
    ///
    /// # Errors
    /// [`Error::Device`] if there is no such adapter; it tells what there is.
    fn from_str(asked: &str) -> Result<Self> {
        match asked {
            "auto" => Ok(Self::Auto),
            "off" => Ok(Self::Off),
            "software" => Ok(Self::Software),
            _ => among(asked, &adapters()).map(Self::Adapter),
        }
    }
}

/// Which of the adapters is asked for, by its place or a part of its name.
fn among(asked: &str, adapters: &[DeviceInfo]) -> Result<usize> {
    let wanted = asked.trim().to_lowercase();
    let by_name = || adapters.iter().position(|info| info.name.to_lowercase().contains(&wanted));
    let found = match wanted.parse::<usize>() {
        Ok(place) if place < adapters.len() => Some(place),
        _ if wanted.is_empty() => None,
        _ => by_name(),
    };
    found.ok_or_else(|| {
        let have = listed(adapters);
        Error::Device(format!(
            "no adapter is \"{asked}\"; found {have}, expected one's number or a part of its name"
        ))
    })
}

/// Adapters by their places and names.
fn listed(adapters: &[DeviceInfo]) -> String {
    if adapters.is_empty() {
        return "none".into();
    }
    let one = |(place, info): (usize, &DeviceInfo)| format!("{place}: {} ({})", info.name, info.backend);
    adapters.iter().enumerate().map(one).collect::<Vec<_>>().join(", ")
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

#[cfg(test)]
mod tests {
    use super::*;

    fn two() -> Vec<DeviceInfo> {
        let info = |name: &str, backend, kind| DeviceInfo { name: name.into(), backend, kind };
        vec![
            info("NVIDIA GeForce RTX 4090", "vulkan", DeviceKind::Discrete),
            info("llvmpipe (LLVM 15.0.6, 256 bits)", "vulkan", DeviceKind::Software),
        ]
    }

    #[test]
    fn an_adapter_is_found_by_its_place_or_a_part_of_its_name() {
        assert_eq!(among("1", &two()).unwrap(), 1);
        assert_eq!(among("geforce", &two()).unwrap(), 0);
        assert_eq!(among("LLVMpipe", &two()).unwrap(), 1);
        // No place, but a part of a name.
        assert_eq!(among("4090", &two()).unwrap(), 0);
        assert_eq!("off".parse::<Gpu>().unwrap(), Gpu::Off);
    }

    #[test]
    fn an_adapter_that_is_not_there_is_refused_with_those_that_are() {
        let said = among("radeon", &two()).unwrap_err().to_string();
        assert!(
            said.contains("no adapter is \"radeon\"; found 0: NVIDIA GeForce RTX 4090 (vulkan), 1: llvmpipe"),
            "{said}"
        );
        assert!(among("7", &two()).is_err());
        assert!(among(" ", &two()).is_err());
        let said = among("0", &[]).unwrap_err().to_string();
        assert!(said.contains("found none"), "{said}");
    }
}
