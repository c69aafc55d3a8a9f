// enlarge: a reduced picture back to full size, by cubic B-splines, whose own softness the blur allows for.
//
// source  samples of the small size, row-major; beyond the border the last one counts
// into    out: samples of the full size
// phases  four weights for each place in a square of pixels, 1/32768; they sum to 1

struct Enlarge {
    width_px: u32,
    height_px: u32,
    small_width: u32,
    small_height: u32,
    factor: u32,
}

@group(0) @binding(0) var<uniform> job: Enlarge;
@group(0) @binding(1) var<storage, read> source: array<Stored>;
@group(0) @binding(2) var<storage, read_write> into: array<Stored>;
@group(0) @binding(3) var<storage, read> phases: array<vec4<u32>>;

fn four(at: u32, count: u32) -> vec4<u32> {
    // The left half of a square leans on the sample before it.
    let nearest = i32((at + job.factor / 2u) / job.factor) - 1;
    return vec4<u32>(clamp(vec4<i32>(-1, 0, 1, 2) + nearest, vec4<i32>(0), vec4<i32>(i32(count) - 1)));
}

fn across(y: u32, xs: vec4<u32>, weight: vec4<u32>) -> Sample {
    let row = y * job.small_width;
    let sum = weighted(unpacked(source[row + xs.x]), weight.x) + weighted(unpacked(source[row + xs.y]), weight.y)
        + weighted(unpacked(source[row + xs.z]), weight.z) + weighted(unpacked(source[row + xs.w]), weight.w);
    return packed(sum, 32768u);
}

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x >= job.width_px || id.y >= job.height_px { return; }
    let xs = four(id.x, job.small_width);
    let ys = four(id.y, job.small_height);
    let weight = phases[id.x % job.factor];
    let down = phases[id.y % job.factor];
    let sum = weighted(across(ys.x, xs, weight), down.x) + weighted(across(ys.y, xs, weight), down.y)
        + weighted(across(ys.z, xs, weight), down.z) + weighted(across(ys.w, xs, weight), down.w);
    into[id.y * job.width_px + id.x] = packed(sum, 32768u);
}
