//! The matte chain's kernels, for hosts with GPU code of their own.

use std::{ffi::CString, ptr};

use clap::ValueEnum;

use super::{Library, api};
use crate::{Error, Result};

/// A language that kernels can be had in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Language {
    /// WebGPU's
    Wgsl,
    /// For Vulkan
    Spirv,
    /// For OpenGL
    Glsl,
    /// For Direct3D
    Hlsl,
    /// For Metal
    Msl,
}

impl Language {
    fn raw(self) -> u32 {
        match self {
            Self::Wgsl => api::ROTOMASK_LANGUAGE_WGSL,
            Self::Spirv => api::ROTOMASK_LANGUAGE_SPIRV,
            Self::Glsl => api::ROTOMASK_LANGUAGE_GLSL,
            Self::Hlsl => api::ROTOMASK_LANGUAGE_HLSL,
            Self::Msl => api::ROTOMASK_LANGUAGE_MSL,
        }
    }

    /// What its files' names end with.
    pub fn suffix(self) -> &'static str {
        match self {
            Self::Wgsl => "wgsl",
            Self::Spirv => "spv",
            Self::Glsl => "comp",
            Self::Hlsl => "hlsl",
            Self::Msl => "metal",
        }
    }
}

impl Library {
    /// The table of kernels and what they bind, as JSON.
    ///
    /// # Errors
    /// If the library can't tell.
    pub fn kernels(&self) -> Result<String> {
        // SAFETY: `text` vouches for the buffer.
        self.text(|buffer, size| unsafe { self.api().rotomask_kernels(buffer, size) })
    }

    /// One kernel's variant in a language.
    ///
    /// # Errors
    /// If there is no such kernel or variant.
    pub fn kernel_code(&self, name: &str, variant: u32, language: Language) -> Result<Vec<u8>> {
        let name = CString::new(name).map_err(|_| Error::Bug("a kernel's name has a zero byte"))?;
        let ask = |buffer: *mut u8, size: &mut usize| {
            // SAFETY: the name lives until after the call; the buffer is null or has `*size` bytes.
            self.check(unsafe {
                self.api().rotomask_kernel_code(name.as_ptr(), variant, language.raw(), buffer, size)
            })
        };
        let mut size = 0;
        ask(ptr::null_mut(), &mut size)?;
        let mut code = vec![0; size];
        ask(code.as_mut_ptr(), &mut size)?;
        Ok(code)
    }
}
