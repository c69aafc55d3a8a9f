// solve: in every window, coverage as a line of colour: the guided filter's second pass. The lines are blurred next.
//
// first, second, third, fourth  blurred, see moments
// lines                         out: what red, green and blue count for, and what is added
//
// The covariance of colour, with `least` added to its diagonal, is decomposed (LDL') and solved for the covariance of
// colour and coverage. `least` is the variance below which a window's colours say nothing.

struct Solve {
    width_px: u32,
    height_px: u32,
    least: f32,
}

@group(0) @binding(0) var<uniform> job: Solve;
@group(0) @binding(1) var<storage, read> first: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> second: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> third: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> fourth: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> lines: array<vec4<f32>>;

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x >= job.width_px || id.y >= job.height_px { return; }
    let i = id.y * job.width_px + id.x;
    let a = first[i];
    let b = second[i];
    let c = third[i];
    let rr = max(b.x - a.x * a.x, 0.0) + job.least;
    let rg = b.y - a.x * a.y;
    let rb = b.z - a.x * a.z;
    let gg = max(b.w - a.y * a.y, 0.0) + job.least;
    let gb = c.x - a.y * a.z;
    let bb = max(c.y - a.z * a.z, 0.0) + job.least;
    let rp = c.z - a.x * a.w;
    let gp = c.w - a.y * a.w;
    let bp = fourth[i].x - a.z * a.w;
    // Reciprocals, which drivers round alike; quotients they don't.
    let by_rr = 1.0 / rr;
    let l = rg * by_rr;
    let m = rb * by_rr;
    let by_d = 1.0 / max(gg - l * rg, job.least);
    let n = (gb - l * rb) * by_d;
    let e = max((bb - m * rb) - n * (gb - l * rb), job.least);
    let v = gp - l * rp;
    let w = (bp - m * rp) - n * v;
    let z = w * (1.0 / e);
    let y = v * by_d - n * z;
    let x = (rp * by_rr - l * y) - m * z;
    lines[i] = vec4<f32>(x, y, z, a.w - ((x * a.x + y * a.y) + z * a.z));
}
