//! Every composed kernel is valid WGSL, and its structs lie as Rust's do. No GPU is needed.

use naga::{Module, TypeInner, valid};
use rotomask_shaders::{KERNELS, Kernel, WORKGROUP_SIDE, layout};

fn parsed(kernel: Kernel) -> Module {
    naga::front::wgsl::parse_str(kernel.source)
        .unwrap_or_else(|e| panic!("{}: {}", kernel.name, e.emit_to_string(kernel.source)))
}

#[test]
fn every_kernel_is_valid_for_any_adapter() {
    for &kernel in KERNELS {
        let module = parsed(kernel);
        // Halves in words: every adapter of Vulkan, Metal and Direct3D 12 reads them.
        valid::Validator::new(valid::ValidationFlags::all(), valid::Capabilities::SHADER_FLOAT16_IN_FLOAT32)
            .validate(&module)
            .unwrap_or_else(|e| panic!("{}: {}", kernel.name, e.emit_to_string(kernel.source)));
    }
}

#[test]
fn every_kernel_has_one_entry_point_of_the_promised_shape() {
    for &kernel in KERNELS {
        let module = parsed(kernel);
        let [entry] = module.entry_points.as_slice() else { panic!("{}: entry points", kernel.name) };
        assert_eq!(entry.name, "main", "{}", kernel.name);
        assert_eq!(entry.workgroup_size, [WORKGROUP_SIDE, WORKGROUP_SIDE, 1], "{}", kernel.name);
    }
}

#[test]
fn bindings_are_numbered_from_zero_and_the_uniform_is_first() {
    for &kernel in KERNELS {
        let module = parsed(kernel);
        let mut bindings: Vec<_> = module
            .global_variables
            .iter()
            .filter_map(|(_, v)| {
                v.binding.map(|b| (b.group, b.binding, v.space == naga::AddressSpace::Uniform))
            })
            .collect();
        bindings.sort_unstable();
        for (want, (group, found, uniform)) in bindings.into_iter().enumerate() {
            assert_eq!((group, found as usize, uniform), (0, want, want == 0), "{}", kernel.name);
        }
    }
}

#[test]
fn structs_lie_in_wgsl_as_they_lie_in_rust() {
    let mut seen = Vec::new();
    for &kernel in KERNELS {
        let module = parsed(kernel);
        for (_, kind) in module.types.iter() {
            let (Some(name), TypeInner::Struct { members, span }) = (&kind.name, &kind.inner) else {
                continue;
            };
            let (offsets, size) = match name.as_str() {
                "Coverage" => (layout::Coverage::offsets(), size_of::<layout::Coverage>()),
                "Tap" => (layout::Tap::offsets(), size_of::<layout::Tap>()),
                "Combine" => (layout::Combine::offsets(), size_of::<layout::Combine>()),
                "Sharpen" => (layout::Sharpen::offsets(), size_of::<layout::Sharpen>()),
                "Moments" => (layout::Moments::offsets(), size_of::<layout::Moments>()),
                "Solve" => (layout::Solve::offsets(), size_of::<layout::Solve>()),
                "Solid" => (layout::Solid::offsets(), size_of::<layout::Solid>()),
                "Refine" => (layout::Refine::offsets(), size_of::<layout::Refine>()),
                "Drift" => (layout::Drift::offsets(), size_of::<layout::Drift>()),
                "Curve" => (layout::Curve::offsets(), size_of::<layout::Curve>()),
                "Grow" => (layout::Grow::offsets(), size_of::<layout::Grow>()),
                "Reduce" => (layout::Reduce::offsets(), size_of::<layout::Reduce>()),
                "Blur" => (layout::Blur::offsets(), size_of::<layout::Blur>()),
                "Enlarge" => (layout::Enlarge::offsets(), size_of::<layout::Enlarge>()),
                "Composite" => (layout::Composite::offsets(), size_of::<layout::Composite>()),
                other => panic!("{}: struct {other} has no Rust counterpart", kernel.name),
            };
            let found: Vec<_> =
                members.iter().map(|m| (m.name.as_deref().unwrap_or("?"), m.offset as usize)).collect();
            let want: Vec<_> = offsets.into_iter().filter(|(n, _)| *n != "padding").collect();
            assert_eq!(found, want, "{}: {name}", kernel.name);
            assert_eq!(*span as usize, size, "{}: {name}", kernel.name);
            seen.push(name.clone());
        }
    }
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(
        seen,
        [
            "Blur",
            "Combine",
            "Composite",
            "Coverage",
            "Curve",
            "Drift",
            "Enlarge",
            "Grow",
            "Moments",
            "Reduce",
            "Refine",
            "Sharpen",
            "Solid",
            "Solve",
            "Tap"
        ]
    );
}
