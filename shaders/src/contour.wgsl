// contour: how far each pixel lies from the contour (coverage of one half) along its column and along its row.
//
// coverage   16-bit samples, row-major
// distances  out: x for the pixel's own lines; y for the lines half a pixel to its right and below, where coverage
//            is the mean of both sides. Along the column in the low half, along the row in the high half; in
//            distance units, or FAR
//
// The first of grow's two passes. A pixel outside the frame has no contour. Without the lines between, a diagonal
// edge could lie 0.7 pixel from its nearest known point.

@group(0) @binding(2) var<storage, read_write> distances: array<vec2<u32>>;

// From pixel `a` towards its neighbour `b` on the contour's other side, which is `unit` away. A saturated pixel doesn't say
// how far inside it is; it is taken to lie one pixel from the contour's other neighbour.
fn crossing(a: u32, b: u32, unit: u32) -> u32 {
    var near = max(a, HALF) - min(a, HALF);
    var far = max(b, HALF) - min(b, HALF);
    let a_flat = a == 0u || a == FULL;
    let b_flat = b == 0u || b == FULL;
    if a_flat && !b_flat { near = max(near, 65536u - far); }
    if b_flat && !a_flat { far = max(far, 65536u - near); }
    return near * unit / (near + far);
}

// Coverage on a line: a pixel's own, or halfway to its neighbour across the line.
fn on_line(at: vec2<i32>, beside: vec2<i32>) -> u32 {
    let width = i32(job.width_px);
    let other = at + beside;
    return (coverage[at.y * width + at.x] + coverage[other.y * width + other.x] + 1u) / 2u;
}

fn along(start: vec2<i32>, step: vec2<i32>, beside: vec2<i32>, reach: u32, unit: u32) -> u32 {
    let size = vec2<i32>(i32(job.width_px), i32(job.height_px));
    if any(start + beside >= size) { return FAR; }
    var at = start;
    var here = on_line(at, beside);
    for (var walked = 0u; walked <= reach; walked += 1u) {
        at += step;
        if any(at < vec2<i32>(0)) || any(at >= size) { return FAR; }
        let next = on_line(at, beside);
        if (here >= HALF) != (next >= HALF) {
            let distance = walked * unit + crossing(here, next, unit);
            return select(distance, FAR, distance > job.farthest);
        }
        here = next;
    }
    return FAR;
}

fn both_ways(at: vec2<i32>, half: i32) -> u32 {
    let across = vec2<i32>(half, 0);
    let below = vec2<i32>(0, half);
    let column = min(
        along(at, vec2<i32>(0, -1), across, job.reach_y, job.unit_y),
        along(at, vec2<i32>(0, 1), across, job.reach_y, job.unit_y),
    );
    let row = min(
        along(at, vec2<i32>(-1, 0), below, job.reach_x, job.unit_x),
        along(at, vec2<i32>(1, 0), below, job.reach_x, job.unit_x),
    );
    return row << 16u | column;
}

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x >= job.width_px || id.y >= job.height_px { return; }
    let at = vec2<i32>(id.xy);
    distances[id.y * job.width_px + id.x] = vec2<u32>(both_ways(at, 0), both_ways(at, 1));
}
