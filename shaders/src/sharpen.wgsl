// sharpen: a blurred matte to one whose edge is one pixel wide again, or as soft as wanted, on the same contour.
//
// source  16-bit samples, row-major; beyond the border the last one counts
// into    out: 16-bit samples

struct Sharpen {
    width_px: u32,
    height_px: u32,
    // How much of the blurred edge's softness stays, 1/256.
    soft: u32,
}

@group(0) @binding(0) var<uniform> job: Sharpen;
@group(0) @binding(1) var<storage, read> source: array<u32>;
@group(0) @binding(2) var<storage, read_write> into: array<u32>;

// Half, plus the distance from the contour in pixels, or, where all softness stays, in coverage.
fn softened(value: i32, across: i32, down: i32) -> u32 {
    let x = u32(abs(across)) >> 1u;
    let y = u32(abs(down)) >> 1u;
    let slope = (isqrt(x * x + y * y) * (256u - job.soft) + 65536u * job.soft) >> 8u;
    let distance = min((u32(abs(value)) << 16u) / max(slope, 1u), HALF);
    return select(HALF - distance, min(HALF + distance, FULL), value > 0);
}

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x >= job.width_px || id.y >= job.height_px { return; }
    let i = id.y * job.width_px + id.x;
    let left = i - select(0u, 1u, id.x > 0u);
    let right = i + select(0u, 1u, id.x + 1u < job.width_px);
    let above = i - select(0u, job.width_px, id.y > 0u);
    let below = i + select(0u, job.width_px, id.y + 1u < job.height_px);
    let value = i32(source[i]) - i32(HALF);
    // Differences over two pixels: slopes times two.
    let across = i32(source[right]) - i32(source[left]);
    let down = i32(source[below]) - i32(source[above]);
    if job.soft > 0u {
        into[i] = softened(value, across, down);
        return;
    }
    into[i] = from_contour(value, across, down, 1u, 0u);
}
