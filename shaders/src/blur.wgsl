// blur: one direction of a Gaussian.
//
// source   samples, row-major; beyond the border the last one counts
// into     out: samples of the same size
// weights  the middle's, then each neighbour's outwards, 1/65536; with both sides they sum to 1

struct Blur {
    width_px: u32,
    height_px: u32,
    radius_px: u32,
}

override VERTICAL: bool = false;

@group(0) @binding(0) var<uniform> job: Blur;
@group(0) @binding(1) var<storage, read> source: array<Stored>;
@group(0) @binding(2) var<storage, read_write> into: array<Stored>;
@group(0) @binding(3) var<storage, read> weights: array<u32>;

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x >= job.width_px || id.y >= job.height_px { return; }
    let here = id.y * job.width_px + id.x;
    let stride = select(1u, job.width_px, VERTICAL);
    let before = select(id.x, id.y, VERTICAL);
    let after = select(job.width_px - 1u - id.x, job.height_px - 1u - id.y, VERTICAL);
    var sum = weighted(unpacked(source[here]), weights[0]);
    for (var i = 1u; i <= job.radius_px; i += 1u) {
        let a = unpacked(source[here - min(i, before) * stride]);
        let b = unpacked(source[here + min(i, after) * stride]);
        sum += weighted(a + b, weights[i]);
    }
    into[here] = packed(sum, 65536u);
}
