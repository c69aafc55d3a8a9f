// composite: cuts the subject out with its matte and lays it over a background, in linear light.
//
// plate     8-bit sRGB, straight
// coverage  16-bit samples, already grown and feathered
// back      for OVER_PICTURE 8-bit sRGB, straight; for OVER_BLUR premultiplied linear 16-bit samples, two u32 a pixel
// tables    u32 each: linear 16-bit sample of the 256 codes, then the code of every linear sample, four in a u32
// result    out: 8-bit sRGB, straight or premultiplied in linear light
//
// Where the plate alone, or the background picture alone, shows, its bytes pass unchanged.

struct Composite {
    width_px: u32,
    height_px: u32,
    plate_bgra: u32,
    back_bgra: u32,
    result_bgra: u32,
    premultiplied: u32,
    // OVER_COLOUR: linear, premultiplied. OVERLAY: linear, straight, and the tint's strength. 16-bit samples.
    red: u32,
    green: u32,
    blue: u32,
    alpha: u32,
}

const OVER_COLOUR: u32 = 0u;
const OVER_BLUR: u32 = 1u;
const OVER_PICTURE: u32 = 2u;
const OVERLAY: u32 = 3u;
const CUTOUT: u32 = 4u;
override MODE: u32 = 0u;

@group(0) @binding(0) var<uniform> job: Composite;
@group(0) @binding(1) var<storage, read> plate: array<u32>;
@group(0) @binding(2) var<storage, read> coverage: array<u32>;
@group(0) @binding(3) var<storage, read> back: array<u32>;
@group(0) @binding(4) var<storage, read> tables: array<u32>;
@group(0) @binding(5) var<storage, read_write> result: array<u32>;

// Straight, linear, with the 8-bit alpha widened.
fn linear(bytes: vec4<u32>) -> vec4<u32> {
    return vec4<u32>(tables[bytes.r], tables[bytes.g], tables[bytes.b], bytes.a * 257u);
}

fn code(sample: u32) -> u32 {
    return (tables[256u + (sample >> 2u)] >> ((sample & 3u) * 8u)) & 255u;
}

fn times(colour: vec3<u32>, by: u32) -> vec3<u32> {
    return (colour * by + 32767u) / FULL;
}

fn mixed(under: vec3<u32>, over: vec3<u32>, by: u32) -> vec3<u32> {
    return (over * by + under * (FULL - by) + 32767u) / FULL;
}

// Premultiplied, linear samples to the host's bytes.
fn finished(colour: vec4<u32>) -> vec4<u32> {
    var rgb = colour.rgb;
    if job.premultiplied == 0u && colour.a < FULL {
        let a = max(colour.a, 1u);
        rgb = (min(rgb, vec3<u32>(colour.a)) * FULL + a / 2u) / a;
    }
    return vec4<u32>(code(rgb.r), code(rgb.g), code(rgb.b), (colour.a * 255u + 32767u) / FULL);
}

fn behind(i: u32) -> vec4<u32> {
    if MODE == OVER_COLOUR { return vec4<u32>(job.red, job.green, job.blue, job.alpha); }
    if MODE == OVER_BLUR {
        let low = back[2u * i];
        let high = back[2u * i + 1u];
        return vec4<u32>(low & 0xffffu, low >> 16u, high & 0xffffu, high >> 16u);
    }
    let picture = linear(bytes(back[i], job.back_bgra));
    return vec4<u32>(times(picture.rgb, picture.a), picture.a);
}

fn over(i: u32, subject: vec4<u32>) -> vec4<u32> {
    let light = linear(subject);
    let covered = scale16(coverage[i], light.a);
    if covered == FULL { return subject; }
    if covered == 0u && MODE == OVER_PICTURE {
        let picture = bytes(back[i], job.back_bgra);
        if picture.a == 255u { return picture; }
    }
    let under = behind(i);
    return finished(vec4<u32>(
        mixed(under.rgb, light.rgb, covered),
        min(covered + scale16(under.a, FULL - covered), FULL),
    ));
}

fn tinted(i: u32, subject: vec4<u32>) -> vec4<u32> {
    let strength = scale16(coverage[i], job.alpha);
    let opaque = job.premultiplied == 0u || subject.a == 255u;
    if strength == 0u && opaque { return subject; }
    let light = linear(subject);
    let rgb = mixed(light.rgb, vec3<u32>(job.red, job.green, job.blue), strength);
    if opaque { return vec4<u32>(code(rgb.r), code(rgb.g), code(rgb.b), subject.a); }
    return finished(vec4<u32>(times(rgb, light.a), light.a));
}

fn cut(i: u32, subject: vec4<u32>) -> vec4<u32> {
    let light = linear(subject);
    let covered = scale16(coverage[i], light.a);
    // Straight colour stays where alpha is 0, so that a host that filters it draws no fringe.
    if job.premultiplied == 0u { return vec4<u32>(subject.rgb, (covered * 255u + 32767u) / FULL); }
    return finished(vec4<u32>(times(light.rgb, covered), covered));
}

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x >= job.width_px || id.y >= job.height_px { return; }
    let i = id.y * job.width_px + id.x;
    let subject = bytes(plate[i], job.plate_bgra);
    var done: vec4<u32>;
    if MODE == OVERLAY { done = tinted(i, subject); }
    else if MODE == CUTOUT { done = cut(i, subject); }
    else { done = over(i, subject); }
    result[i] = pixel(done, job.result_bgra);
}
