//! The matte chain's kernels as WGSL, in the order in which a frame passes through them.
//!
//! Every kernel is one file; what several share is put before it. [`layout`] has the same structs for Rust.

#![forbid(unsafe_code)]

pub mod layout;
pub mod translate;

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

/// Mask logits to coverage at the plate's size; `FIELD` keeps logits.
pub const COVERAGE: Kernel = kernel!("coverage": "common", "edge", "coverage");
/// One or two mattes to one, pixel by pixel.
pub const COMBINE: Kernel = kernel!("combine": "common", "combine");
/// Distances to the contour along columns and rows, grow's first pass.
pub const CONTOUR: Kernel = kernel!("contour": "common", "growing", "contour");
/// Moves the matte's edge, grow's second pass; `SIGNED` gives the distance.
pub const GROW: Kernel = kernel!("grow": "common", "growing", "grow");
/// A blurred matte's contour as an edge one pixel wide, or softer.
pub const SHARPEN: Kernel = kernel!("sharpen": "common", "edge", "sharpen");
/// Means that the edge's refinement needs, the guided filter's first pass.
pub const MOMENTS: Kernel = kernel!("moments": "common", "light", "pixels", "guide", "moments");
/// Coverage as a line of colour, its second pass.
pub const SOLVE: Kernel = kernel!("solve": "solve");
/// A solid core and a solid outside, its third pass.
pub const SOLID: Kernel = kernel!("solid": "solid");
/// Coverage from the plate's colours, its last pass.
pub const REFINE: Kernel = kernel!("refine": "common", "light", "pixels", "guide", "refine");
/// An edge moved by what the frames around say.
pub const DRIFT: Kernel = kernel!("drift": "drift");
/// Coverage through a curve.
pub const CURVE: Kernel = kernel!("curve": "common", "curve");
/// Coverage to a smaller plane.
pub const REDUCE_PLANE: Kernel = kernel!("reduce plane": "common", "samples_plane", "source_plane", "reduce");
/// One direction of a Gaussian on a plane. `VERTICAL` chooses it.
pub const BLUR_PLANE: Kernel = kernel!("blur plane": "samples_plane", "blur");
/// A reduced plane to full size.
pub const ENLARGE_PLANE: Kernel = kernel!("enlarge plane": "samples_plane", "enlarge");
/// A picture to a smaller, linear one, weighted by coverage or not.
pub const REDUCE_COLOUR: Kernel =
    kernel!("reduce colour": "common", "light", "pixels", "samples_colour", "source_pixels", "reduce");
/// One direction of a Gaussian on a linear picture. `VERTICAL` chooses it.
pub const BLUR_COLOUR: Kernel = kernel!("blur colour": "samples_colour", "blur");
/// A reduced linear picture to full size.
pub const ENLARGE_COLOUR: Kernel = kernel!("enlarge colour": "samples_colour", "enlarge");
/// The finished picture. `MODE` chooses how the subject is shown.
pub const COMPOSITE: Kernel = kernel!("composite": "common", "light", "pixels", "composite");

/// All of them.
pub const KERNELS: &[Kernel] = &[
    COVERAGE,
    COMBINE,
    CONTOUR,
    GROW,
    DRIFT,
    SHARPEN,
    MOMENTS,
    SOLVE,
    SOLID,
    REFINE,
    CURVE,
    REDUCE_PLANE,
    BLUR_PLANE,
    ENLARGE_PLANE,
    REDUCE_COLOUR,
    BLUR_COLOUR,
    ENLARGE_COLOUR,
    COMPOSITE,
];

/// [`COMBINE`]'s operations.
#[allow(missing_docs)]
pub mod op {
    pub const ADD: u32 = 0;
    pub const SUBTRACT: u32 = 1;
    pub const INTERSECT: u32 = 2;
    pub const MIN: u32 = 3;
    pub const MAX: u32 = 4;
    pub const MULTIPLY: u32 = 5;
    /// The first where the second is not.
    pub const HOLD: u32 = 6;
    pub const INVERT: u32 = 7;
    pub const LEVELS: u32 = 8;
}

/// What [`REDUCE_COLOUR`] weights a pixel by.
pub mod weight {
    /// Nothing.
    pub const NONE: u32 = 0;
    /// Its coverage.
    pub const INSIDE: u32 = 1;
    /// What its coverage leaves.
    pub const OUTSIDE: u32 = 2;
}

/// A pixel's `kind`.
pub mod kind {
    /// Added where blue comes first.
    pub const BGRA: u32 = 4;
}

/// Where the words of `tables` lie.
pub mod tables {
    /// Words before the first table.
    pub const HEADER: usize = 4;
    /// Where the curve begins.
    pub const CURVE: usize = HEADER + 256 + 16384;
}

/// [`COMPOSITE`]'s `MODE`.
pub mod mode {
    /// Over one colour.
    pub const OVER_COLOUR: u32 = 0;
    /// Over linear light: a blurred plate.
    pub const OVER_LIGHT: u32 = 1;
    /// Over a picture.
    pub const OVER_PICTURE: u32 = 2;
    /// The plate, tinted.
    pub const OVERLAY: u32 = 3;
    /// The subject over nothing.
    pub const CUTOUT: u32 = 4;
    /// The rest over nothing.
    pub const ERASE: u32 = 5;
    /// The contour.
    pub const EDGE: u32 = 6;
    /// Outside, unsure, inside.
    pub const TRIMAP: u32 = 7;
    /// How sure the model is.
    pub const CONFIDENCE: u32 = 8;
    /// The plate, tinted, with a badge.
    pub const STATUS: u32 = 9;
    /// How many there are.
    pub const COUNT: u32 = 10;
}
