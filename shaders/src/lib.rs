//! The matte chain’s kernels as WGSL.
