// refine: coverage from the plate's colours by the lines around each pixel: the guided filter's last pass.
//
// plate, tables  see guide
// coverage       16-bit samples, row-major
// lines          of the small size, see solid; beyond the border the last one counts
// phases         see enlarge; not looked at if `factor` is 1
// refined        out: 16-bit samples

struct Refine {
    width_px: u32,
    height_px: u32,
    small_width: u32,
    small_height: u32,
    factor: u32,
    // What a pixel is, see `pixels`.
    kind: u32,
    // From 0, coverage as it was, to 65536.
    strength: u32,
}

@group(0) @binding(0) var<uniform> job: Refine;
@group(0) @binding(4) var<storage, read> lines: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read> phases: array<vec4<u32>>;
@group(0) @binding(6) var<storage, read_write> refined: array<u32>;

fn four(at: u32, count: u32) -> vec4<u32> {
    // The left half of a square leans on the sample before it.
    let nearest = i32((at + job.factor / 2u) / job.factor) - 1;
    return vec4<u32>(clamp(vec4<i32>(-1, 0, 1, 2) + nearest, vec4<i32>(0), vec4<i32>(i32(count) - 1)));
}

fn across(y: u32, xs: vec4<u32>, weight: vec4<u32>) -> vec4<f32> {
    let row = y * job.small_width;
    let w = vec4<f32>(weight);
    return (((lines[row + xs.x] * w.x + lines[row + xs.y] * w.y) + lines[row + xs.z] * w.z)
        + lines[row + xs.w] * w.w) * (1.0 / 32768.0);
}

fn line_at(id: vec2<u32>) -> vec4<f32> {
    if job.factor == 1u { return lines[id.y * job.width_px + id.x]; }
    let xs = four(id.x, job.small_width);
    let ys = four(id.y, job.small_height);
    let weight = phases[id.x % job.factor];
    let down = vec4<f32>(phases[id.y % job.factor]);
    return (((across(ys.x, xs, weight) * down.x + across(ys.y, xs, weight) * down.y)
        + across(ys.z, xs, weight) * down.z) + across(ys.w, xs, weight) * down.w) * (1.0 / 32768.0);
}

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x >= job.width_px || id.y >= job.height_px { return; }
    let i = id.y * job.width_px + id.x;
    let line = line_at(id.xy);
    let g = guide(i, job.kind);
    let found = u32(clamp(((line.x * g.r + line.y * g.g) + line.z * g.b) + line.w, 0.0, 1.0) * 65535.0 + 0.5);
    // In whole numbers: drivers rewrite a mixture of floats as they see fit. The two products and a half fit into 32 bits.
    refined[i] = (found * job.strength + coverage[i] * (65536u - job.strength) + 32768u) >> 16u;
}
