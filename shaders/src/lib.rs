//! The matte chain's kernels as WGSL, in the order in which a frame passes through them.
//!
//! Every kernel is one file; what several share is put before it. [`layout`] has the same structs for Rust.

#![forbid(unsafe_code)]

pub mod layout;

/// A kernel, complete: entry point `main`, workgroups of 8x8 invocations, one for each pixel of its output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kernel {
    /// What it is called in messages.
    pub name: &'static str,
    /// WGSL. Its header says what each binding of group 0 holds.
    pub source: &'static str,
}

/// Side of a workgroup, in invocations.
pub const WORKGROUP_SIDE: u32 = 8;

macro_rules! kernel {
    ($name:literal: $($file:literal),+) => {
        Kernel { name: $name, source: concat!($(include_str!(concat!($file, ".wgsl")), "\n"),+) }
    };
}

/// Mask logits to coverage at the plate's size.
pub const COVERAGE: Kernel = kernel!("coverage": "common", "coverage");
/// Distances to the contour along columns and rows, grow's first pass.
pub const CONTOUR: Kernel = kernel!("contour": "common", "growing", "contour");
/// Moves the matte's edge, grow's second pass.
pub const GROW: Kernel = kernel!("grow": "common", "growing", "grow");
/// Coverage to a smaller plane.
pub const REDUCE_PLANE: Kernel = kernel!("reduce plane": "common", "samples_plane", "source_plane", "reduce");
/// One direction of a Gaussian on a plane. `VERTICAL` chooses it.
pub const BLUR_PLANE: Kernel = kernel!("blur plane": "samples_plane", "blur");
/// A reduced plane to full size.
pub const ENLARGE_PLANE: Kernel = kernel!("enlarge plane": "samples_plane", "enlarge");
/// A plate's pixels to a smaller, linear picture.
pub const REDUCE_COLOUR: Kernel =
    kernel!("reduce colour": "common", "pixels", "samples_colour", "source_pixels", "reduce");
/// One direction of a Gaussian on a linear picture. `VERTICAL` chooses it.
pub const BLUR_COLOUR: Kernel = kernel!("blur colour": "samples_colour", "blur");
/// A reduced linear picture to full size.
pub const ENLARGE_COLOUR: Kernel = kernel!("enlarge colour": "samples_colour", "enlarge");
/// The finished picture. `MODE` chooses what the subject is laid over.
pub const COMPOSITE: Kernel = kernel!("composite": "common", "pixels", "composite");

/// All of them.
pub const KERNELS: [Kernel; 10] = [
    COVERAGE,
    CONTOUR,
    GROW,
    REDUCE_PLANE,
    BLUR_PLANE,
    ENLARGE_PLANE,
    REDUCE_COLOUR,
    BLUR_COLOUR,
    ENLARGE_COLOUR,
    COMPOSITE,
];

/// [`COMPOSITE`]'s `MODE`.
pub mod mode {
    /// Over one colour.
    pub const OVER_COLOUR: u32 = 0;
    /// Over the blurred plate.
    pub const OVER_BLUR: u32 = 1;
    /// Over a picture.
    pub const OVER_PICTURE: u32 = 2;
    /// The plate, tinted.
    pub const OVERLAY: u32 = 3;
    /// Over nothing.
    pub const CUTOUT: u32 = 4;
}
