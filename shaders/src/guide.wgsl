// guide: a plate's pixel as the edge's refinement sees it: the square roots of linear light, cut to 0 to 1, so that
// a step in the shadows weighs about what it weighs to the eye.
//
// plate   words of a host's pixels, see pixels
// tables  see light

@group(0) @binding(1) var<storage, read> plate: array<u32>;
@group(0) @binding(2) var<storage, read> tables: array<u32>;
@group(0) @binding(3) var<storage, read> coverage: array<u32>;

fn guide(i: u32, kind: u32) -> vec3<f32> {
    let count = words(kind);
    let at = i * count;
    var raw = vec4<u32>(plate[at], 0u, 0u, 0u);
    if count > 1u { raw.y = plate[at + 1u]; }
    if count > 2u {
        raw.z = plate[at + 2u];
        raw.w = plate[at + 3u];
    }
    // What is no number is black.
    let light = linear(raw, kind).rgb;
    return sqrt(select(vec3<f32>(0.0), min(light, vec3<f32>(1.0)), light > vec3<f32>(0.0)));
}
