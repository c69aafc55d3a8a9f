//! Execution providers: what computes the graphs. They are asked in the caller's order, and each that can't is
//! told with its reason.
//!
//! Source for their options: ONNX Runtime's documentation, "Execution Providers".

use std::fmt;
use std::str::FromStr;

use ort::ep::{self, ExecutionProvider, ExecutionProviderDispatch};
use ort::memory::{AllocationDevice, AllocatorType, MemoryInfo, MemoryType};
use ort::session::builder::SessionBuilder;
use serde::Serialize;

use super::graph::Setup;
use crate::error::Error;

/// What may compute the graphs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Provider {
    /// ONNX Runtime's own kernels; every build has them.
    Cpu,
    /// NVIDIA, by CUDA and cuDNN.
    Cuda,
    /// NVIDIA, by TensorRT; what it doesn't take falls to the CPU.
    TensorRt,
    /// Any GPU on Windows.
    DirectMl,
    /// Apple.
    CoreMl,
    /// AMD, by MIGraphX.
    MiGraphX,
    /// AMD, by ROCm; only in ONNX Runtimes before 1.23.
    Rocm,
    /// Intel.
    OpenVino,
}

/// A provider that was asked and can't.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Refusal {
    /// The provider.
    pub provider: Provider,
    /// Why, as a sentence without a full stop.
    pub reason: String,
}

/// Which provider computes a model, and why none of those that were asked before it does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ProviderReport {
    /// The one that computes.
    pub used: Provider,
    /// The device it was told to take; the CPU provider has none to choose.
    pub device: u32,
    /// Those that were asked before it.
    pub refused: Vec<Refusal>,
}

impl Provider {
    /// Every provider that can be asked.
    pub const ALL: [Self; 8] = [
        Self::Cpu,
        Self::Cuda,
        Self::TensorRt,
        Self::DirectMl,
        Self::CoreMl,
        Self::MiGraphX,
        Self::Rocm,
        Self::OpenVino,
    ];

    /// Its name in options and reports.
    pub fn id(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Cuda => "cuda",
            Self::TensorRt => "tensorrt",
            Self::DirectMl => "directml",
            Self::CoreMl => "coreml",
            Self::MiGraphX => "migraphx",
            Self::Rocm => "rocm",
            Self::OpenVino => "openvino",
        }
    }

    /// ONNX Runtime's name for it.
    pub fn onnxruntime_name(self) -> &'static str {
        match self {
            Self::Cpu => ep::CPU::NAME,
            Self::Cuda => ep::CUDA::NAME,
            Self::TensorRt => ep::TensorRT::NAME,
            Self::DirectMl => ep::DirectML::NAME,
            Self::CoreMl => ep::CoreML::NAME,
            Self::MiGraphX => ep::MIGraphX::NAME,
            Self::Rocm => ep::ROCm::NAME,
            Self::OpenVino => ep::OpenVINO::NAME,
        }
    }

    /// Reads a list such as `cuda,cpu`. An empty one asks for the CPU alone.
    ///
    /// # Errors
    /// [`Error::Setting`] for a name that is none, or one that stands there twice.
    pub fn list(text: &str) -> crate::Result<Vec<Self>> {
        let mut list = Vec::new();
        for name in text.split(',').map(str::trim).filter(|name| !name.is_empty()) {
            let provider = name.parse()?;
            if list.contains(&provider) {
                let want = "each provider once".into();
                return Err(Error::Setting { name: "providers", found: text.to_owned(), want });
            }
            list.push(provider);
        }
        Ok(list)
    }

    /// Whether the loaded ONNX Runtime was built with it. Its own libraries may still be missing.
    pub(super) fn is_built_in(self) -> bool {
        let known = match self {
            Self::Cpu => ep::CPU::is_available(),
            Self::Cuda => ep::CUDA::is_available(),
            Self::TensorRt => ep::TensorRT::is_available(),
            Self::DirectMl => ep::DirectML::is_available(),
            Self::CoreMl => ep::CoreML::is_available(),
            Self::MiGraphX => ep::MIGraphX::is_available(),
            Self::Rocm => ep::ROCm::is_available(),
            Self::OpenVino => ep::OpenVINO::is_available(),
        };
        known.unwrap_or(false)
    }

    /// What ONNX Runtime's attention operator, the graphs' variant `mha`, runs on. Elsewhere it would fall back to
    /// the CPU in the middle of the graph, with copies both ways.
    pub(super) fn has_fused_attention(self) -> bool {
        matches!(self, Self::Cpu | Self::Cuda | Self::DirectMl | Self::Rocm)
    }

    /// Adds the provider to a session's options. The problem comes as a sentence.
    pub(super) fn register(self, builder: SessionBuilder, setup: &Setup) -> Result<SessionBuilder, String> {
        let device = i32::try_from(setup.device).unwrap_or(i32::MAX);
        // DirectML can't work with planned memory.
        let builder = builder
            .with_memory_pattern(self != Self::DirectMl)
            .map_err(|e| ort::Error::<()>::from(e).to_string())?;
        let dispatch = self.dispatch(device, setup).error_on_failure();
        builder.with_execution_providers([dispatch]).map_err(|e| {
            let said = ort::Error::<()>::from(e).to_string();
            format!("ONNX Runtime can't set it up: {}", said.trim())
        })
    }

    fn dispatch(self, device: i32, setup: &Setup) -> ExecutionProviderDispatch {
        let limit = setup.device_memory_bytes;
        match self {
            Self::Cpu => ep::CPU::default().build(),
            Self::Cuda => {
                // TF32 rounds products to 10 bits, and a search for the fastest convolution may end differently
                // each time. Growing in steps of what is needed keeps the memory near what is used.
                let cuda = ep::CUDA::default()
                    .with_device_id(device)
                    .with_tf32(false)
                    .with_arena_extend_strategy(ep::ArenaExtendStrategy::SameAsRequested)
                    .with_conv_algorithm_search(if setup.deterministic {
                        ep::cuda::ConvAlgorithmSearch::Default
                    } else {
                        ep::cuda::ConvAlgorithmSearch::Heuristic
                    });
                if limit > 0 { cuda.with_memory_limit(limit) } else { cuda }.build()
            }
            Self::TensorRt => {
                let tensorrt = ep::TensorRT::default().with_device_id(device).with_fp16(false);
                if limit > 0 { tensorrt.with_max_workspace_size(limit) } else { tensorrt }.build()
            }
            Self::DirectMl => ep::DirectML::default().with_device_id(device).build(),
            Self::CoreMl => {
                let format = ep::coreml::ModelFormat::MLProgram;
                ep::CoreML::default().with_model_format(format).build()
            }
            Self::MiGraphX => {
                let migraphx = ep::MIGraphX::default().with_device_id(device);
                if limit > 0 { migraphx.with_mem_limit(limit) } else { migraphx }.build()
            }
            Self::Rocm => {
                let rocm = ep::ROCm::default().with_device_id(device);
                if limit > 0 { rocm.with_mem_limit(limit) } else { rocm }.build()
            }
            Self::OpenVino => ep::OpenVINO::default().with_device_type(format!("GPU.{device}")).build(),
        }
    }

    /// The memory that it computes in, or `None` for the host's.
    pub(super) fn place(self, device: u32) -> ort::Result<Option<MemoryInfo<'static>>> {
        let memory = match self {
            Self::Cuda | Self::TensorRt => AllocationDevice::CUDA,
            Self::DirectMl => AllocationDevice::DIRECTML,
            Self::MiGraphX | Self::Rocm => AllocationDevice::HIP,
            Self::Cpu | Self::CoreMl | Self::OpenVino => return Ok(None),
        };
        let device = i32::try_from(device).unwrap_or(i32::MAX);
        MemoryInfo::new(memory, device, AllocatorType::Device, MemoryType::Default).map(Some)
    }
}

impl FromStr for Provider {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        Self::ALL.into_iter().find(|p| p.id() == name).ok_or_else(|| {
            let want = Self::ALL.map(Self::id).join(", ");
            Error::Setting { name: "providers", found: format!("\"{name}\""), want }
        })
    }
}

impl fmt::Display for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.provider, self.reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_keeps_its_order_and_every_name_leads_back() {
        assert_eq!(
            Provider::list("tensorrt, cuda,cpu,").unwrap(),
            [Provider::TensorRt, Provider::Cuda, Provider::Cpu]
        );
        assert_eq!(Provider::list("").unwrap(), []);
        for provider in Provider::ALL {
            assert_eq!(provider.id().parse::<Provider>().unwrap(), provider);
        }
    }

    #[test]
    fn a_name_that_is_none_is_answered_with_those_that_are() {
        let said = Provider::list("cuda,gpu").unwrap_err().to_string();
        let names = "cpu, cuda, tensorrt, directml, coreml, migraphx, rocm, openvino";
        assert_eq!(said, format!("providers: found \"gpu\", expected {names}"));
        let said = Provider::list("cpu,cpu").unwrap_err().to_string();
        assert_eq!(said, "providers: found cpu,cpu, expected each provider once");
    }
}
