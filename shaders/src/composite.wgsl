// composite: cuts the subject out with its matte and shows it, in linear light.
//
// plate       words of a host's pixels, see pixels
// coverage    16-bit samples, finished
// back        OVER_PICTURE: words of a host's pixels; OVER_LIGHT: premultiplied linear light, four f32 a pixel
// tables      see light
// subject     blurred premultiplied light of the plate times coverage, four f32 a pixel; if decontaminate
// remainder   the same of the plate times what coverage leaves; if decontaminate
// extra       TRIMAP: signed distance to the contour, i32, 1/65536 pixel; CONFIDENCE: 16-bit samples of probability;
//             if wrap: what is behind (over a colour: anything opaque) times what coverage leaves, blurred
// result      out: words of pixels, straight or premultiplied in linear light
//
// Where the plate alone, or the background picture alone, shows, its bits pass unchanged. Outside `inner`, the part of
// the planes that is wanted, nothing is written.

struct Composite {
    // Columns and rows of the planes.
    width_px: u32,
    height_px: u32,
    // The wanted part of the planes.
    inner_x: u32,
    inner_y: u32,
    inner_width: u32,
    inner_height: u32,
    // Its first pixel's place in the frame.
    frame_x: u32,
    frame_y: u32,
    plate_kind: u32,
    back_kind: u32,
    result_kind: u32,
    premultiplied: u32,
    // 0 none, 1 green, 2 blue.
    despill: u32,
    // TRIMAP: half the width of the band that may change, 1/65536 pixel; 0 if coverage alone decides.
    band: i32,
    // STATUS: side of the badge, pixels.
    badge_px: u32,
    // Each from 0 to 1.
    despill_strength: f32,
    decontaminate: f32,
    wrap: f32,
    // OVER_COLOUR: linear, premultiplied. OVERLAY, EDGE, STATUS: linear, straight, and the tint's strength.
    red: f32,
    green: f32,
    blue: f32,
    alpha: f32,
    // STATUS: linear.
    badge_red: f32,
    badge_green: f32,
    badge_blue: f32,
}

const OVER_COLOUR: u32 = 0u;
const OVER_LIGHT: u32 = 1u;
const OVER_PICTURE: u32 = 2u;
const OVERLAY: u32 = 3u;
const CUTOUT: u32 = 4u;
const ERASE: u32 = 5u;
const EDGE: u32 = 6u;
const TRIMAP: u32 = 7u;
const CONFIDENCE: u32 = 8u;
const STATUS: u32 = 9u;
override MODE: u32 = 0u;

// Nothing is divided by less coverage than this.
const LEAST: f32 = 1e-4;

@group(0) @binding(0) var<uniform> job: Composite;
@group(0) @binding(1) var<storage, read> plate: array<u32>;
@group(0) @binding(2) var<storage, read> coverage: array<u32>;
@group(0) @binding(3) var<storage, read> back: array<u32>;
@group(0) @binding(4) var<storage, read> tables: array<u32>;
@group(0) @binding(5) var<storage, read> subject: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read> remainder: array<vec4<f32>>;
@group(0) @binding(7) var<storage, read> extra: array<u32>;
@group(0) @binding(8) var<storage, read_write> result: array<u32>;

fn plate_words(i: u32) -> vec4<u32> {
    let count = words(job.plate_kind);
    let at = i * count;
    var raw = vec4<u32>(plate[at], 0u, 0u, 0u);
    if count > 1u { raw.y = plate[at + 1u]; }
    if count > 2u {
        raw.z = plate[at + 2u];
        raw.w = plate[at + 3u];
    }
    return raw;
}

fn back_words(i: u32) -> vec4<u32> {
    let count = words(job.back_kind);
    let at = i * count;
    var raw = vec4<u32>(back[at], 0u, 0u, 0u);
    if count > 1u { raw.y = back[at + 1u]; }
    if count > 2u {
        raw.z = back[at + 2u];
        raw.w = back[at + 3u];
    }
    return raw;
}

fn light_at(at: u32) -> vec4<f32> {
    return bitcast<vec4<f32>>(vec4<u32>(back[at], back[at + 1u], back[at + 2u], back[at + 3u]));
}

// A host's pixel in the result's order of channels.
fn passed(raw: vec4<u32>, kind: u32) -> vec4<u32> {
    if (kind ^ job.result_kind) >= BGRA { return exchanged(raw, kind); }
    return raw;
}

// Premultiplied light to the result.
fn finished(light: vec4<f32>) -> vec4<u32> {
    var rgb = light.rgb;
    if job.premultiplied == 0u && light.a < 1.0 {
        rgb = rgb / max(light.a, LEAST);
    }
    return coded(vec4<f32>(rgb, light.a), job.result_kind);
}

fn part(sample: u32) -> f32 {
    return select(f32(sample) * (1.0 / 65535.0), 1.0, sample == FULL);
}

fn mixed(under: vec3<f32>, over: vec3<f32>, by: f32) -> vec3<f32> {
    return over * by + under * (1.0 - by);
}

fn despilled(light: vec3<f32>) -> vec3<f32> {
    var limited = light;
    if job.despill == 1u { limited.g = min(light.g, (light.r + light.b) * 0.5); }
    if job.despill == 2u { limited.b = min(light.b, (light.r + light.g) * 0.5); }
    return mixed(light, limited, job.despill_strength);
}

// The subject's own colour where it is mixed with what was behind it: each side's colour is its neighbourhood's mean,
// moved by what the two leave unexplained.
fn own_colour(i: u32, light: vec3<f32>, covered: f32) -> vec3<f32> {
    let near = subject[i];
    let far = remainder[i];
    if near.a < LEAST || far.a < LEAST { return light; }
    let own = near.rgb / near.a;
    let other = far.rgb / far.a;
    let unexplained = light - own * covered - other * (1.0 - covered);
    return mixed(light, max(own + unexplained * covered, vec3<f32>(0.0)), job.decontaminate);
}

// What is behind, and how much of it falls round the edge: premultiplied.
fn behind(i: u32) -> vec4<f32> {
    if MODE == OVER_COLOUR { return vec4<f32>(job.red, job.green, job.blue, job.alpha); }
    if MODE == OVER_LIGHT { return light_at(4u * i); }
    let picture = linear(back_words(i), job.back_kind);
    return vec4<f32>(picture.rgb * picture.a, picture.a);
}

fn wrapping(i: u32) -> vec4<f32> {
    if MODE == OVER_COLOUR {
        return vec4<f32>(job.red, job.green, job.blue, job.alpha) * bitcast<f32>(extra[4u * i + 3u]);
    }
    return bitcast<vec4<f32>>(vec4<u32>(extra[4u * i], extra[4u * i + 1u], extra[4u * i + 2u], extra[4u * i + 3u]));
}

// The subject's light, straight: its own colour, without spill.
fn subject_light(i: u32, light: vec3<f32>, covered: f32) -> vec3<f32> {
    var own = light;
    if job.decontaminate > 0.0 && covered < 1.0 { own = own_colour(i, own, covered); }
    if job.despill != 0u { own = despilled(own); }
    return own;
}

fn over(i: u32, raw: vec4<u32>) -> vec4<u32> {
    let plate_light = linear(raw, job.plate_kind);
    let matte = part(coverage[i]);
    let covered = matte * plate_light.a;
    if covered == 1.0 && job.despill == 0u && job.wrap == 0.0 { return passed(raw, job.plate_kind); }
    let under = behind(i);
    if covered == 0.0 && MODE == OVER_PICTURE && under.a == 1.0 { return passed(back_words(i), job.back_kind); }
    var light = subject_light(i, plate_light.rgb, matte);
    if job.wrap > 0.0 {
        let wrap = wrapping(i) * job.wrap;
        light = light * (1.0 - wrap.a) + wrap.rgb;
    }
    return finished(vec4<f32>(mixed(under.rgb, light, covered), covered + under.a * (1.0 - covered)));
}

// The plate, with a tint of some strength.
fn tinted(raw: vec4<u32>, tint: vec3<f32>, strength: f32) -> vec4<u32> {
    let light = linear(raw, job.plate_kind);
    let opaque = job.premultiplied == 0u || light.a == 1.0;
    if strength == 0.0 && opaque { return passed(raw, job.plate_kind); }
    let rgb = mixed(light.rgb, tint, strength);
    return coded(vec4<f32>(select(rgb * light.a, rgb, opaque), light.a), job.result_kind);
}

// The subject, or the rest, over nothing.
fn cut(i: u32, raw: vec4<u32>) -> vec4<u32> {
    let light = linear(raw, job.plate_kind);
    let matte = part(select(coverage[i], FULL - coverage[i], MODE == ERASE));
    let covered = matte * light.a;
    let changes = MODE == CUTOUT && (job.despill != 0u || job.decontaminate > 0.0 && matte < 1.0);
    if covered == 1.0 && !changes { return passed(raw, job.plate_kind); }
    if job.premultiplied == 0u && !changes {
        // Straight colour stays where alpha is 0, so that a host that filters it draws no fringe.
        return with_alpha(passed(raw, job.plate_kind), covered, job.result_kind);
    }
    var own = light.rgb;
    if changes { own = subject_light(i, own, matte); }
    return coded(vec4<f32>(select(own, own * covered, job.premultiplied != 0u), covered), job.result_kind);
}

// How near the contour is, from 0 to 1, within two pixels.
fn line_at(x: u32, y: u32) -> f32 {
    var most = 0u;
    for (var j = 0u; j < 5u; j += 1u) {
        let row = min(max(y + j, 2u) - 2u, job.height_px - 1u);
        for (var k = 0u; k < 5u; k += 1u) {
            let column = min(max(x + k, 2u) - 2u, job.width_px - 1u);
            let sample = coverage[row * job.width_px + column];
            most = max(most, scale16(sample, FULL - sample));
        }
    }
    return f32(min(4u * most, FULL)) * (1.0 / 65535.0);
}

fn grey(value: f32) -> vec4<u32> {
    return coded(vec4<f32>(vec3<f32>(light_of(value)), 1.0), job.result_kind);
}

fn trimap(i: u32) -> vec4<u32> {
    let sample = coverage[i];
    if job.band > 0 {
        let distance = bitcast<i32>(extra[i]);
        if abs(distance) < job.band { return grey(0.5); }
        return grey(select(0.0, 1.0, distance > 0));
    }
    if sample == 0u { return grey(0.0); }
    return grey(select(0.5, 1.0, sample == FULL));
}

// Blue, red, green over a third of the plate's brightness.
fn confidence(i: u32, raw: vec4<u32>) -> vec4<u32> {
    let light = linear(raw, job.plate_kind);
    let sure = part(extra[i]);
    let doubt = 1.0 - abs(2.0 * sure - 1.0);
    let colour = vec3<f32>(doubt, sure * (1.0 - doubt), (1.0 - sure) * (1.0 - doubt));
    let brightness = (light.r + light.g + light.b) * (1.0 / 9.0);
    return coded(vec4<f32>(vec3<f32>(brightness) + colour * 0.5, 1.0), job.result_kind);
}

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x >= job.inner_width || id.y >= job.inner_height { return; }
    let at = vec2<u32>(id.x + job.inner_x, id.y + job.inner_y);
    let i = at.y * job.width_px + at.x;
    let raw = plate_words(i);
    let tint = vec3<f32>(job.red, job.green, job.blue);
    var done: vec4<u32>;
    switch MODE {
        case OVERLAY: { done = tinted(raw, tint, part(coverage[i]) * job.alpha); }
        case CUTOUT, ERASE: { done = cut(i, raw); }
        case EDGE: { done = tinted(raw, tint, line_at(at.x, at.y)); }
        case TRIMAP: { done = trimap(i); }
        case CONFIDENCE: { done = confidence(i, raw); }
        case STATUS: {
            if job.frame_x + id.x < job.badge_px && job.frame_y + id.y < job.badge_px {
                let badge = vec3<f32>(job.badge_red, job.badge_green, job.badge_blue);
                done = coded(vec4<f32>(badge, 1.0), job.result_kind);
            } else {
                done = tinted(raw, tint, part(coverage[i]) * job.alpha);
            }
        }
        default: { done = over(i, raw); }
    }
    let count = words(job.result_kind);
    let out = (id.y * job.inner_width + id.x) * count;
    result[out] = done.x;
    if count > 1u { result[out + 1u] = done.y; }
    if count > 2u {
        result[out + 2u] = done.z;
        result[out + 3u] = done.w;
    }
}
