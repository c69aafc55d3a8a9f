// combine: one or two mattes to one, pixel by pixel.
//
// first   16-bit samples
// second  16-bit samples; LEVELS and INVERT don't look at it
// into    out: 16-bit samples

struct Combine {
    width_px: u32,
    height_px: u32,
    op: u32,
    // LEVELS: coverage that becomes none, and coverage that becomes full.
    low: u32,
    high: u32,
}

const ADD: u32 = 0u;
const SUBTRACT: u32 = 1u;
const INTERSECT: u32 = 2u;
const MIN: u32 = 3u;
const MAX: u32 = 4u;
const MULTIPLY: u32 = 5u;
// The first where the second is not.
const HOLD: u32 = 6u;
const INVERT: u32 = 7u;
const LEVELS: u32 = 8u;

@group(0) @binding(0) var<uniform> job: Combine;
@group(0) @binding(1) var<storage, read> first: array<u32>;
@group(0) @binding(2) var<storage, read> second: array<u32>;
@group(0) @binding(3) var<storage, read_write> into: array<u32>;

fn levels(a: u32) -> u32 {
    let above = max(a, job.low) - job.low;
    let span = job.high - job.low;
    if above >= span { return FULL; }
    return (above * FULL + span / 2u) / span;
}

fn combined(a: u32, b: u32) -> u32 {
    switch job.op {
        case ADD: { return min(a + b, FULL); }
        case SUBTRACT: { return max(a, b) - b; }
        case INTERSECT: { return max(a + b, FULL) - FULL; }
        case MIN: { return min(a, b); }
        case MAX: { return max(a, b); }
        case MULTIPLY: { return scale16(a, b); }
        case HOLD: { return scale16(a, FULL - b); }
        case INVERT: { return FULL - a; }
        default: { return levels(a); }
    }
}

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x >= job.width_px || id.y >= job.height_px { return; }
    let i = id.y * job.width_px + id.x;
    into[i] = combined(first[i], second[i]);
}
