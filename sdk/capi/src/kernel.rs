//! The matte chain's kernels for hosts with GPU code of their own.

use std::ffi::c_char;

use engine::matte::kernels::{Language, kernel, kernels};

use crate::guard::guard;
use crate::status::{Failure, ROTOMASK_ERROR_BUFFER, rotomask_status};
use crate::text::{copy_out, text};
use crate::types::*;

/// A language for a GPU's programs.
pub type rotomask_language = u32;
/// WGSL for WebGPU, as the kernels are written. The variant's constant is left to be set.
pub const ROTOMASK_LANGUAGE_WGSL: u32 = 0;
/// SPIR-V 1.0 for Vulkan, little-endian words.
pub const ROTOMASK_LANGUAGE_SPIRV: u32 = 1;
/// GLSL 4.50 for OpenGL.
pub const ROTOMASK_LANGUAGE_GLSL: u32 = 2;
/// HLSL, shader model 5.0, for Direct3D.
pub const ROTOMASK_LANGUAGE_HLSL: u32 = 3;
/// Metal Shading Language 2.0.
pub const ROTOMASK_LANGUAGE_MSL: u32 = 4;

/// The kernels as JSON, in the order in which a frame passes through them: an array of objects with `name`, `workgroup`,
/// `constant` and `variants` (how many values it has), `entry` (the entry point's name by language), `metal_sizes` (the
/// index of Metal's buffer with the bytes of each storage buffer, 32 bits each), and `bindings` of group 0: `binding`,
/// `name`, `access` (uniform, read or write), `register` in HLSL, `bytes` of a uniform's struct or from one element to the
/// next, and its `fields` with `name`, `offset` and `type`.
///
/// One invocation makes one pixel of a kernel's output. The WGSL text says at its head what each binding holds.
/// `buffer` and `size` are as in `rotomask_info`.
/// Returns ROTOMASK_OK, ROTOMASK_ERROR_NULL, ROTOMASK_ERROR_BUFFER or ROTOMASK_ERROR_PANIC. [any thread]
///
/// # Safety
/// `size` is null or valid; `buffer` is null or has `*size` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rotomask_kernels(buffer: *mut c_char, size: *mut usize) -> rotomask_status {
    // SAFETY: the contract above.
    guard(|| unsafe { copy_out(&kernels()?, buffer, size) })
}

/// A kernel in a language.
///
/// `name` is as in `rotomask_kernels`, `variant` from 0 to one less than its `variants`, `language` a
/// `ROTOMASK_LANGUAGE_*`. `size` takes the bytes that `buffer` has and gives those of the text, which has no NUL, or of
/// SPIR-V's words; a null `buffer` asks for the size alone.
/// Returns ROTOMASK_OK, ROTOMASK_ERROR_NULL, ROTOMASK_ERROR_ARGUMENT, ROTOMASK_ERROR_BUFFER or ROTOMASK_ERROR_PANIC.
/// [any thread]
///
/// # Safety
/// `name` is null or a NUL-terminated string; `size` is null or valid; `buffer` is null or has `*size` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rotomask_kernel_code(
    name: *const c_char,
    variant: u32,
    language: rotomask_language,
    buffer: *mut u8,
    size: *mut usize,
) -> rotomask_status {
    guard(|| {
        // SAFETY: the contract above.
        let name = unsafe { text(name, "name") }?;
        if size.is_null() {
            return Err(Failure::null("size"));
        }
        let language = match language {
            ROTOMASK_LANGUAGE_WGSL => Language::Wgsl,
            ROTOMASK_LANGUAGE_SPIRV => Language::SpirV,
            ROTOMASK_LANGUAGE_GLSL => Language::Glsl,
            ROTOMASK_LANGUAGE_HLSL => Language::Hlsl,
            ROTOMASK_LANGUAGE_MSL => Language::Msl,
            other => return Err(unknown("language", other, "ROTOMASK_LANGUAGE")),
        };
        let code = kernel(name, variant, language)?.code;
        // SAFETY: not null, and the contract above.
        let room = unsafe { size.replace(code.len()) };
        if buffer.is_null() {
            return Ok(());
        }
        if room < code.len() {
            let message = format!("the buffer has {room} bytes, expected {}", code.len());
            return Err(Failure::new(ROTOMASK_ERROR_BUFFER, message));
        }
        // SAFETY: the buffer has room for all of it.
        unsafe { buffer.copy_from_nonoverlapping(code.as_ptr(), code.len()) };
        Ok(())
    })
}
