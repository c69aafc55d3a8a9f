//! Every kernel and variant in every language, and the tables of what they bind.

#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

use std::io::Write;
use std::process::{Command, Stdio};

use rotomask_shaders::translate::{Access, Language, Parsed};
use rotomask_shaders::{KERNELS, Kernel, layout};

fn all() -> impl Iterator<Item = (Kernel, Parsed, u32)> {
    KERNELS.iter().flat_map(|&kernel| {
        let count = Parsed::new(kernel).unwrap().variants().count;
        (0..count).map(move |variant| (kernel, Parsed::new(kernel).unwrap(), variant))
    })
}

fn text(parsed: &Parsed, variant: u32, language: Language) -> (String, String) {
    let made = parsed.translate(variant, language).unwrap();
    (String::from_utf8(made.code).unwrap(), made.entry)
}

/// Runs a program over bytes, if the machine has it.
fn agrees(program: &str, arguments: &[&str], bytes: &[u8], what: &str) -> bool {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let Ok(mut child) = command.spawn() else { return false };
    child.stdin.take().unwrap().write_all(bytes).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{what}: {program} says {}", String::from_utf8_lossy(&said));
    true
}

#[test]
fn spirv_of_every_kernel_and_variant_is_valid_and_read_back() {
    let mut checked = true;
    for (kernel, parsed, variant) in all() {
        let what = format!("{} {variant}", kernel.name);
        let code = parsed.translate(variant, Language::SpirV).unwrap().code;
        assert_eq!(code[..4], 0x0723_0203u32.to_le_bytes(), "{what}");
        let options = naga::front::spv::Options::default();
        let back =
            naga::front::spv::parse_u8_slice(&code, &options).unwrap_or_else(|e| panic!("{what}: {e}"));
        naga::valid::Validator::new(
            naga::valid::ValidationFlags::all(),
            naga::valid::Capabilities::SHADER_FLOAT16_IN_FLOAT32,
        )
        .validate(&back)
        .unwrap_or_else(|e| panic!("{what}: {e:?}"));
        assert_eq!(back.entry_points[0].workgroup_size, [8, 8, 1], "{what}");
        checked = checked && agrees("spirv-val", &["--target-env", "vulkan1.0", "-"], &code, &what);
    }
    if !checked {
        eprintln!("SKIPPED, NOT CHECKED: SPIR-V by spirv-val, which is not installed");
    }
}

#[test]
fn glsl_and_hlsl_of_every_kernel_and_variant_compile() {
    let mut checked = true;
    for (kernel, parsed, variant) in all() {
        let what = format!("{} {variant}", kernel.name);
        let (glsl, entry) = text(&parsed, variant, Language::Glsl);
        assert!(glsl.starts_with("#version 450"), "{what}");
        assert_eq!(entry, "main", "{what}");
        checked = checked && agrees("glslangValidator", &["--stdin", "-S", "comp"], glsl.as_bytes(), &what);
        let (hlsl, entry) = text(&parsed, variant, Language::Hlsl);
        assert!(hlsl.contains("[numthreads(8, 8, 1)]") && hlsl.contains(&format!("void {entry}(")), "{what}");
        let arguments = ["--stdin", "-D", "-V", "-S", "comp", "-e", &entry, "-o", "/dev/null"];
        checked = checked && agrees("glslangValidator", &arguments, hlsl.as_bytes(), &what);
    }
    if !checked {
        eprintln!("SKIPPED, NOT CHECKED: GLSL and HLSL by glslangValidator, which is not installed");
    }
}

#[test]
fn every_binding_has_its_place_in_every_language() {
    for (kernel, parsed, variant) in all() {
        let what = format!("{} {variant}", kernel.name);
        let (glsl, _) = text(&parsed, variant, Language::Glsl);
        let (hlsl, _) = text(&parsed, variant, Language::Hlsl);
        let (msl, entry) = text(&parsed, variant, Language::Msl);
        assert!(msl.contains(&format!("kernel void {entry}(")), "{what}");
        let sizes = format!("_buffer_sizes [[buffer({})]]", parsed.sizes_index());
        assert!(msl.contains(&sizes), "{what}: {sizes} in {msl}");
        for binding in parsed.bindings().unwrap() {
            // What a variant never looks at may be left out of its text.
            let number = binding.binding;
            let register = format!("register({}{number}", binding.access.register());
            assert!(hlsl.contains(&register), "{what}: {register} in {hlsl}");
            assert!(msl.contains(&format!("[[buffer({number})]]")) || !msl.contains(&binding.name), "{what}");
            let place = format!("binding = {number})");
            assert!(glsl.contains(&place) || !glsl.contains(&binding.name), "{what}: {place}");
        }
    }
}

#[test]
fn variants_differ_and_one_too_many_is_refused() {
    for &kernel in KERNELS {
        let parsed = Parsed::new(kernel).unwrap();
        let count = parsed.variants().count;
        assert_eq!(parsed.variants().constant.is_some(), count > 1, "{}", kernel.name);
        for language in Language::ALL {
            let said = parsed.translate(count, language).unwrap_err();
            assert_eq!(said, format!("{}: its variant is {count}, expected 0 to {}", kernel.name, count - 1));
        }
        if count > 1 {
            let made = [0, 1].map(|variant| parsed.translate(variant, Language::SpirV).unwrap());
            assert_ne!(made[0], made[1], "{}", kernel.name);
        }
    }
}

#[test]
fn the_tables_sizes_are_those_of_the_structs_in_rust() {
    let size =
        |kernel: Kernel, at: usize| Parsed::new(kernel).unwrap().bindings().unwrap()[at].bytes as usize;
    use rotomask_shaders as shaders;
    for (kernel, at, want) in [
        (shaders::COVERAGE, 0, size_of::<layout::Coverage>()),
        (shaders::COVERAGE, 2, size_of::<layout::Tap>()),
        (shaders::COMBINE, 0, size_of::<layout::Combine>()),
        (shaders::CONTOUR, 0, size_of::<layout::Grow>()),
        (shaders::GROW, 0, size_of::<layout::Grow>()),
        (shaders::SHARPEN, 0, size_of::<layout::Sharpen>()),
        (shaders::CURVE, 0, size_of::<layout::Curve>()),
        (shaders::REDUCE_PLANE, 0, size_of::<layout::Reduce>()),
        (shaders::REDUCE_COLOUR, 0, size_of::<layout::Reduce>()),
        (shaders::BLUR_PLANE, 0, size_of::<layout::Blur>()),
        (shaders::ENLARGE_COLOUR, 0, size_of::<layout::Enlarge>()),
        (shaders::COMPOSITE, 0, size_of::<layout::Composite>()),
    ] {
        assert_eq!(size(kernel, at), want, "{} {at}", kernel.name);
    }
    for &kernel in KERNELS {
        let bindings = Parsed::new(kernel).unwrap().bindings().unwrap();
        assert_eq!(bindings[0].access, Access::Uniform, "{}", kernel.name);
        assert!(bindings.iter().any(|b| b.access == Access::Write), "{}", kernel.name);
        assert!(bindings.iter().zip(0..).all(|(b, at)| b.binding == at), "{}", kernel.name);
        // Buffers of four-byte words throughout, so that a host can size them from the table.
        assert!(bindings.iter().all(|b| b.bytes % 4 == 0 && !b.fields.is_empty()), "{}", kernel.name);
    }
}
