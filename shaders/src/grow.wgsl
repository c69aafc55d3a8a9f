// grow: moves the matte's edge by its Euclidean distance.
//
// coverage   16-bit samples, row-major
// distances  of pass one, `contour`
// grown      out: 16-bit samples
//
// The second of two passes. The contour's points are where it crosses lines half a pixel apart, through the pixels'
// centres and between them. A pixel's distance to the nearest is the lower of two minima: over its row of the columns'
// distances, and over its column of the rows'. Inside is positive.

@group(0) @binding(2) var<storage, read> distances: array<vec2<u32>>;
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

// The lower square of two distances: along a line `halves` half pixels away, and along the next.
fn nearer(halves: i32, along: vec2<u32>) -> u32 {
    let away = vec2<u32>(abs(vec2<i32>(halves, halves + 1))) * (PIXEL / 2u);
    let squares = away * away + along * along;
    return min(squares.x, squares.y);
}

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x >= job.width_px || id.y >= job.height_px { return; }
    let reach = i32(job.reach_px);
    let size = vec2<i32>(i32(job.width_px), i32(job.height_px));
    let at = vec2<i32>(id.xy);
    var nearest = FAR * FAR;
    for (var x = max(at.x - reach, 0); x <= min(at.x + reach, size.x - 1); x += 1) {
        let columns = distances[at.y * size.x + x] & vec2<u32>(0xffffu);
        nearest = min(nearest, nearer(2 * (x - at.x), columns));
    }
    for (var y = max(at.y - reach, 0); y <= min(at.y + reach, size.y - 1); y += 1) {
        let rows = distances[y * size.x + at.x] >> vec2<u32>(16u);
        nearest = min(nearest, nearer(2 * (y - at.y), rows));
    }
    let i = id.y * job.width_px + id.x;
    grown[i] = moved(coverage[i], isqrt(nearest));
}
