// curve: coverage through a curve.
//
// source  16-bit samples
// into    out: 16-bit samples
// curve   1,025 samples: the curve at every 64th sample, and at the end

struct Curve {
    width_px: u32,
    height_px: u32,
}

@group(0) @binding(0) var<uniform> job: Curve;
@group(0) @binding(1) var<storage, read> source: array<u32>;
@group(0) @binding(2) var<storage, read_write> into: array<u32>;
@group(0) @binding(3) var<storage, read> curve: array<u32>;

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x >= job.width_px || id.y >= job.height_px { return; }
    let i = id.y * job.width_px + id.x;
    // FULL lies on the last point.
    let place = source[i] + select(0u, 1u, source[i] >= HALF);
    let at = place >> 6u;
    let part = place & 63u;
    let next = min(at + 1u, 1024u);
    into[i] = (curve[at] * (64u - part) + curve[next] * part + 32u) >> 6u;
}
