// reduce: the mean of every square of pixels, so that wide blurs run on fewer of them.
//
// source  see source_plane and source_pixels; beyond the border the last pixel counts
// into    out: samples of the small size, row-major

struct Reduce {
    width_px: u32,
    height_px: u32,
    small_width: u32,
    small_height: u32,
    // Side of the square, pixels: a power of two.
    factor: u32,
    // What a pixel is, see `pixels`.
    kind: u32,
    // What a pixel counts for: 0 all alike, 1 its coverage, 2 what its coverage leaves.
    weight: u32,
}

@group(0) @binding(0) var<uniform> job: Reduce;
@group(0) @binding(2) var<storage, read_write> into: array<Stored>;

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x >= job.small_width || id.y >= job.small_height { return; }
    var sum = Sample();
    for (var j = 0u; j < job.factor; j += 1u) {
        let y = min(id.y * job.factor + j, job.height_px - 1u);
        for (var i = 0u; i < job.factor; i += 1u) {
            let x = min(id.x * job.factor + i, job.width_px - 1u);
            sum += source_at(y * job.width_px + x);
        }
    }
    let area = job.factor * job.factor;
    into[id.y * job.small_width + id.x] = packed(sum, area);
}
