// grow: moves the matte's edge by its Euclidean distance; or gives that distance itself.
//
// coverage   16-bit samples, row-major
// distances  of pass one, `contour`
// grown      out: 16-bit samples. SIGNED: the distance as an i32 instead, above 0 inside, at most `farthest`
//
// The second of two passes. The contour's points are where it crosses lines half a pixel apart, through the pixels'
// centres and between them. A pixel's distance to the nearest is the lower of two minima: over its row of the columns'
// distances, and over its column of the rows'. Inside is positive.

override SIGNED: bool = false;

@group(0) @binding(2) var<storage, read> distances: array<vec2<u32>>;
@group(0) @binding(3) var<storage, read_write> grown: array<u32>;

fn signed_distance(here: u32, distance: u32) -> i32 {
    // A partly covered pixel on the contour knows its own distance best.
    let on_contour = here > 0u && here < FULL && distance <= (3u * max(job.unit_x, job.unit_y)) / 2u;
    if on_contour { return i32(here) - i32(HALF); }
    let size = i32(max((distance * job.per_distance) >> 4u, HALF));
    return select(-size, size, here >= HALF);
}

// The lower square of two distances: along a line `halves` half pixels away, and along the next.
fn nearer(halves: i32, along: vec2<u32>, unit: u32) -> u32 {
    let away = min(vec2<u32>(abs(vec2<i32>(halves, halves + 1))) * unit / 2u, vec2<u32>(FAR));
    let squares = away * away + along * along;
    return min(squares.x, squares.y);
}

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x >= job.width_px || id.y >= job.height_px { return; }
    let reach = vec2<i32>(i32(job.reach_x), i32(job.reach_y));
    let size = vec2<i32>(i32(job.width_px), i32(job.height_px));
    let at = vec2<i32>(id.xy);
    var nearest = FAR * FAR;
    for (var x = max(at.x - reach.x, 0); x <= min(at.x + reach.x, size.x - 1); x += 1) {
        let columns = distances[at.y * size.x + x] & vec2<u32>(0xffffu);
        nearest = min(nearest, nearer(2 * (x - at.x), columns, job.unit_x));
    }
    for (var y = max(at.y - reach.y, 0); y <= min(at.y + reach.y, size.y - 1); y += 1) {
        let rows = distances[y * size.x + at.x] >> vec2<u32>(16u);
        nearest = min(nearest, nearer(2 * (y - at.y), rows, job.unit_y));
    }
    let i = id.y * job.width_px + id.x;
    let distance = signed_distance(coverage[i], min(isqrt(nearest), job.farthest));
    grown[i] = select(u32(clamp(distance + job.grow + i32(HALF), 0, i32(FULL))), bitcast<u32>(distance), SIGNED);
}
