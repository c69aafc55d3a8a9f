// solid: lines far from the matte's edge become constants: the guided filter's third pass.
//
// first  blurred, see moments: its coverage tells how far away the edge is
// lines  blurred, see solve; changed in place
//
// A straight edge three deviations of the blur away leaves .00135 of coverage, or lacks it.

struct Solid {
    width_px: u32,
    height_px: u32,
}

const NONE: f32 = 0.002;
const SLOPE: f32 = 125.0;

@group(0) @binding(0) var<uniform> job: Solid;
@group(0) @binding(1) var<storage, read> first: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> lines: array<vec4<f32>>;

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x >= job.width_px || id.y >= job.height_px { return; }
    let i = id.y * job.width_px + id.x;
    let p = first[i].w;
    let near = clamp((min(p, 1.0 - p) - NONE) * SLOPE, 0.0, 1.0);
    let flat = select(0.0, 1.0 - near, p > 0.5);
    lines[i] = lines[i] * near + vec4<f32>(0.0, 0.0, 0.0, flat);
}
