// drift: moves a matte's edge along its normal, by what the frames around say: to where a steady motion would have it,
// or along its way while the shutter is open.
//
// coverage    16-bit samples, row-major
// now         signed distances to the frame's own contour, i32, 1/65536 pixel of the full frame, above 0 inside
// a, b, c, d  the same of up to four frames around; one that isn't there has no weight
// drifted     out: 16-bit samples
//
// A pixel's distances over time are fitted by a line (least squares). What the line has at this frame, less the frame's
// own distance, is chatter: an even motion has none, so a fast edge stays where it is. The line's slope is the motion.

struct Drift {
    width_px: u32,
    height_px: u32,
    // Weights of now, a, b, c, d: the line's value at this frame, 1/4096.
    value_now: i32,
    value_a: i32,
    value_b: i32,
    value_c: i32,
    value_d: i32,
    // The same for the line's slope a frame.
    slope_now: i32,
    slope_a: i32,
    slope_b: i32,
    slope_c: i32,
    slope_d: i32,
    // From this distance on, 1/1024 pixel, an edge isn't seen: no chatter is looked for then.
    far: i32,
    // From this distance on, 1/1024 pixel, coverage stays as it is.
    near: i32,
    // How far chatter goes, 1/1024 pixel: what is more fades to nothing at twice of it. 0: none is looked for.
    limit: i32,
    // How much of it is taken away, 1/256.
    steadied: i32,
    // How long the shutter is open, 1/256 frame; 0 if it takes no time.
    shutter: i32,
    // How many pixels the edge moves at most.
    reach_px: i32,
}

const OPEN: i32 = 16;
// Half of what distances change by over two pixels of a straight edge, squared, over 256: where they change by less, along
// ridges, no more is read into it.
const FLAT: i32 = 4096;

@group(0) @binding(0) var<uniform> job: Drift;
@group(0) @binding(1) var<storage, read> coverage: array<u32>;
@group(0) @binding(2) var<storage, read> now: array<i32>;
@group(0) @binding(3) var<storage, read> a: array<i32>;
@group(0) @binding(4) var<storage, read> b: array<i32>;
@group(0) @binding(5) var<storage, read> c: array<i32>;
@group(0) @binding(6) var<storage, read> d: array<i32>;
@group(0) @binding(7) var<storage, read_write> drifted: array<u32>;

// Chatter as it is to be taken away.
fn steady(chatter: i32) -> i32 {
    let size = abs(chatter);
    if size >= 2 * job.limit { return 0; }
    var kept = chatter;
    if size > job.limit { kept = (chatter * ((2 * job.limit - size) >> 2u)) / max(job.limit >> 2u, 1); }
    return (kept * job.steadied) >> 8u;
}

// Coverage between pixels; `at` is in 1/256 pixel.
fn sample(at: vec2<i32>) -> u32 {
    let last = vec2<i32>(i32(job.width_px) - 1, i32(job.height_px) - 1);
    let low = clamp(at >> vec2<u32>(8u), vec2<i32>(0), last);
    let high = clamp((at >> vec2<u32>(8u)) + 1, vec2<i32>(0), last);
    let part = vec2<u32>(at & vec2<i32>(255));
    let rows = vec2<u32>(vec2<i32>(low.y, high.y)) * job.width_px;
    let top = coverage[rows.x + u32(low.x)] * (256u - part.x) + coverage[rows.x + u32(high.x)] * part.x;
    let bottom = coverage[rows.y + u32(low.x)] * (256u - part.x) + coverage[rows.y + u32(high.x)] * part.x;
    return ((top >> 8u) * (256u - part.y) + (bottom >> 8u) * part.y + 128u) >> 8u;
}

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x >= job.width_px || id.y >= job.height_px { return; }
    let i = id.y * job.width_px + id.x;
    // 1/1024 pixel.
    let here = now[i] >> 6u;
    if abs(here) >= job.near {
        drifted[i] = coverage[i];
        return;
    }
    let others = vec4<i32>(a[i], b[i], c[i], d[i]) >> vec4<u32>(6u);
    let value = (here * job.value_now + others.x * job.value_a + others.y * job.value_b
        + others.z * job.value_c + others.w * job.value_d) >> 12u;
    let slope = (here * job.slope_now + others.x * job.slope_a + others.y * job.slope_b
        + others.z * job.slope_c + others.w * job.slope_d) >> 12u;
    let left = i - select(0u, 1u, id.x > 0u);
    let right = i + select(0u, 1u, id.x + 1u < job.width_px);
    let above = i - select(0u, job.width_px, id.y > 0u);
    let below = i + select(0u, job.width_px, id.y + 1u < job.height_px);
    // Over two pixels.
    let slopes = vec2<i32>(now[right] - now[left], now[below] - now[above]) >> vec2<u32>(6u);
    let normal = clamp(slopes, vec2<i32>(-8191), vec2<i32>(8191));
    let square = max((normal.x * normal.x + normal.y * normal.y) >> 8u, FLAT);
    // Each by itself: readers of SPIR-V stumble over quotients of vectors.
    let along = vec2<i32>((normal.x * 65536) / square, (normal.y * 65536) / square);
    let most = vec2<i32>(job.reach_px * 256);
    let middle = vec2<i32>(id.xy) * 256;
    if job.shutter == 0 {
        let unseen = any(abs(others) >= vec4<i32>(job.far));
        let by = select(steady(value - here), 0, unseen) >> 1u;
        drifted[i] = sample(middle + clamp((by * along) >> vec2<u32>(14u), -most, most));
        return;
    }
    let by = (slope * job.shutter) >> 9u;
    let way = clamp((by * along) >> vec2<u32>(14u), -most, most);
    var sum = 0u;
    for (var k = 0; k < OPEN; k += 1) {
        sum += sample(middle + ((way * (2 * k + 1 - OPEN)) >> vec2<u32>(5u)));
    }
    drifted[i] = (sum + 8u) >> 4u;
}
