// contour: how far each pixel lies from the contour (coverage of one half) along its column and along its row.
//
// coverage   16-bit samples, row-major
// distances  out: along the column in the low half, along the row in the high half; 1/512 pixel, or FAR
//
// The first of grow's two passes. A pixel outside the frame has no contour.

struct Grow {
    width_px: u32,
    height_px: u32,
    // How far to look, pixels.
    reach_px: u32,
    // How far the edge moves outwards, 1/65536 pixel.
    grow: i32,
}

const FAR: u32 = 46000u;
const PIXEL: u32 = 512u;

@group(0) @binding(0) var<uniform> job: Grow;
@group(0) @binding(1) var<storage, read> coverage: array<u32>;
@group(0) @binding(2) var<storage, read_write> distances: array<u32>;

// From pixel `a` towards its neighbour `b` on the contour's other side, 1/512 pixel. A saturated pixel doesn't say
// how far inside it is; it is taken to lie one pixel from the contour's other neighbour.
fn crossing(a: u32, b: u32) -> u32 {
    var near = max(a, HALF) - min(a, HALF);
    var far = max(b, HALF) - min(b, HALF);
    let a_flat = a == 0u || a == FULL;
    let b_flat = b == 0u || b == FULL;
    if a_flat && !b_flat { near = max(near, 65536u - far); }
    if b_flat && !a_flat { far = max(far, 65536u - near); }
    return near * PIXEL / (near + far);
}

fn along(start: vec2<i32>, step: vec2<i32>) -> u32 {
    let size = vec2<i32>(i32(job.width_px), i32(job.height_px));
    var at = start;
    var here = coverage[at.y * size.x + at.x];
    for (var walked = 0u; walked <= job.reach_px; walked += 1u) {
        at += step;
        if any(at < vec2<i32>(0)) || any(at >= size) { return FAR; }
        let next = coverage[at.y * size.x + at.x];
        if (here >= HALF) != (next >= HALF) {
            let distance = walked * PIXEL + crossing(here, next);
            return select(distance, FAR, distance > job.reach_px * PIXEL);
        }
        here = next;
    }
    return FAR;
}

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x >= job.width_px || id.y >= job.height_px { return; }
    let at = vec2<i32>(id.xy);
    let column = min(along(at, vec2<i32>(0, -1)), along(at, vec2<i32>(0, 1)));
    let row = min(along(at, vec2<i32>(-1, 0)), along(at, vec2<i32>(1, 0)));
    distances[id.y * job.width_px + id.x] = row << 16u | column;
}
