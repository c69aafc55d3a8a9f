// source_pixels: reduce takes pictures and makes them linear and premultiplied, weighted by coverage if asked.
//
// tables    see light
// coverage  16-bit samples; not looked at if all count alike

@group(0) @binding(1) var<storage, read> source: array<u32>;
@group(0) @binding(3) var<storage, read> tables: array<u32>;
@group(0) @binding(4) var<storage, read> coverage: array<u32>;

fn words_at(i: u32, kind: u32) -> vec4<u32> {
    let count = words(kind);
    let at = i * count;
    var raw = vec4<u32>(source[at], 0u, 0u, 0u);
    if count > 1u { raw.y = source[at + 1u]; }
    if count > 2u {
        raw.z = source[at + 2u];
        raw.w = source[at + 3u];
    }
    return raw;
}

fn source_at(i: u32) -> Sample {
    let light = linear(words_at(i, job.kind), job.kind);
    let whole = vec4<f32>(light.rgb * light.a, light.a);
    switch job.weight {
        case 1u: { return whole * (f32(coverage[i]) * (1.0 / 65535.0)); }
        case 2u: { return whole * (f32(FULL - coverage[i]) * (1.0 / 65535.0)); }
        default: { return whole; }
    }
}
