// source_pixels: reduce takes a plate, 8-bit sRGB and straight, and makes it linear and premultiplied.
//
// decode  linear 16-bit sample of each of the 256 codes

@group(0) @binding(1) var<storage, read> source: array<u32>;
@group(0) @binding(3) var<storage, read> decode: array<u32>;

fn source_at(i: u32) -> Sample {
    let b = bytes(source[i], job.bgra);
    let alpha = b.a * 257u;
    return vec4<u32>(
        scale16(decode[b.r], alpha),
        scale16(decode[b.g], alpha),
        scale16(decode[b.b], alpha),
        alpha,
    );
}
