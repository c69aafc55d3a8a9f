// coverage: mask logits of any size to coverage at the plate's size, with an edge one plate pixel wide; or to the
// logits themselves, for what is no contour.
//
// coefficients  cubic B-spline coefficients that interpolate the logits, 1/65536 of a logit, row-major
// taps          for each column of the plate, then for each of its rows: where it lies among the logits
// coverage      out: 16-bit samples, one a plate pixel, row-major. FIELD: logits from -16 to 16 instead
//
// A pixel's coverage is half, plus its distance from the zero contour in plate pixels: logit over gradient. So the
// edge follows the contour between pixels and is as sharp for a hesitant model as for a sure one.

struct Coverage {
    width_px: u32,
    height_px: u32,
    logits_width: u32,
    logits_height: u32,
    // The slopes in `taps` are per plate pixel, times 2^raise, over 2^lower; one of the two is 0.
    raise: u32,
    lower: u32,
}

struct Tap {
    weight: vec4<i32>, // of four neighbouring coefficients, 1/32768; they sum to 1
    slope: vec4<i32>,  // the weights' change over one plate pixel; they sum to 0
    first: i32,        // the first of the four; beyond the border the last one counts
}

override FIELD: bool = false;

@group(0) @binding(0) var<uniform> job: Coverage;
@group(0) @binding(1) var<storage, read> coefficients: array<i32>;
@group(0) @binding(2) var<storage, read> taps: array<Tap>;
@group(0) @binding(3) var<storage, read_write> coverage: array<u32>;

// The weighted sum over 32768, rounded. Values have up to 25 bits, so that they are multiplied in two halves.
fn weigh(values: vec4<i32>, weights: vec4<i32>) -> i32 {
    let high = dot(values >> vec4<u32>(11u), weights);
    let low = dot(values & vec4<i32>(2047), weights);
    return (high + ((low + 16384) >> 11u)) >> 4u;
}

fn column(x: i32, row: vec4<u32>) -> vec4<i32> {
    let at = row * job.logits_width + u32(clamp(x, 0, i32(job.logits_width) - 1));
    return vec4<i32>(coefficients[at.x], coefficients[at.y], coefficients[at.z], coefficients[at.w]);
}

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x >= job.width_px || id.y >= job.height_px { return; }
    let across = taps[id.x];
    let down = taps[job.width_px + id.y];
    let rows = vec4<u32>(clamp(
        vec4<i32>(0, 1, 2, 3) + down.first,
        vec4<i32>(0),
        vec4<i32>(i32(job.logits_height) - 1),
    ));
    var value = vec4<i32>();
    var slope = vec4<i32>();
    for (var i = 0; i < 4; i += 1) {
        let four = column(across.first + i, rows);
        value[i] = weigh(four, down.weight);
        slope[i] = weigh(four, down.slope);
    }
    let logit = weigh(value, across.weight);
    let i = id.y * job.width_px + id.x;
    if FIELD {
        // 1/65536 of a logit to 1/2048, from -16 on.
        coverage[i] = u32(clamp((logit + (16 << 16u)) >> 5u, 0, 65535));
        return;
    }
    coverage[i] = from_contour(
        logit, weigh(value, across.slope), weigh(slope, across.weight), job.raise, job.lower
    );
}
