// grow: moves the matte's edge by its Euclidean distance.
//
// coverage   16-bit samples, row-major
// distances  of pass one, `contour`
// grown      out: 16-bit samples
//
// The second of two passes. The contour's points are where it crosses the lines between pixel centres, so they lie at
// most 0.71 pixel apart on a straight edge, and a pixel's distance to the nearest is the lower of two minima: over its row of
// the columns' distances, and over its column of the rows'. Inside is positive.

struct Grow {
    width_px: u32,
    height_px: u32,
    reach_px: u32,
    grow: i32,
}

const FAR: u32 = 46000u;
const PIXEL: u32 = 512u;

@group(0) @binding(0) var<uniform> job: Grow;
@group(0) @binding(1) var<storage, read> coverage: array<u32>;
@group(0) @binding(2) var<storage, read> distances: array<u32>;
@group(0) @binding(3) var<storage, read_write> grown: array<u32>;

fn moved(here: u32, distance: u32) -> u32 {
    var signed = i32(here) - i32(HALF);
    // A partly covered pixel on the contour knows its own distance best.
    let on_contour = here > 0u && here < FULL && distance <= PIXEL + PIXEL / 2u;
    if !on_contour {
        let size = i32(max(distance * 128u, HALF));
        signed = select(-size, size, here >= HALF);
    }
    return u32(clamp(signed + job.grow + i32(HALF), 0, i32(FULL)));
}

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x >= job.width_px || id.y >= job.height_px { return; }
    let reach = i32(job.reach_px);
    let size = vec2<i32>(i32(job.width_px), i32(job.height_px));
    let at = vec2<i32>(id.xy);
    var nearest = FAR * FAR;
    for (var x = max(at.x - reach, 0); x <= min(at.x + reach, size.x - 1); x += 1) {
        let away = u32(abs(x - at.x)) * PIXEL;
        let column = distances[at.y * size.x + x] & 0xffffu;
        nearest = min(nearest, away * away + column * column);
    }
    for (var y = max(at.y - reach, 0); y <= min(at.y + reach, size.y - 1); y += 1) {
        let away = u32(abs(y - at.y)) * PIXEL;
        let row = distances[y * size.x + at.x] >> 16u;
        nearest = min(nearest, away * away + row * row);
    }
    let i = id.y * job.width_px + id.x;
    grown[i] = moved(coverage[i], isqrt(nearest));
}
