// pixels: a host's pixels as they lie in memory, four channels each, straight; three channels get an alpha on their way
// here. 8 bits take a word a pixel, 16 bits and halves two, floats four.

// A `kind` is the depth, plus BGRA where blue comes first.
const DEPTH_8: u32 = 0u;
const DEPTH_16: u32 = 1u;
const DEPTH_HALF: u32 = 2u;
const DEPTH_FLOAT: u32 = 3u;
const BGRA: u32 = 4u;

fn words(kind: u32) -> u32 {
    return array<u32, 4>(1u, 2u, 2u, 4u)[kind & 3u];
}

// Bytes of an 8-bit pixel as red, green, blue, alpha.
fn bytes(pixel: u32, kind: u32) -> vec4<u32> {
    let b = (vec4<u32>(pixel) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(255u);
    return select(b, b.zyxw, kind >= BGRA);
}

// Words of a pixel with red and blue exchanged.
fn exchanged(raw: vec4<u32>, kind: u32) -> vec4<u32> {
    switch kind & 3u {
        case DEPTH_8: {
            return vec4<u32>(raw.x & 0xff00ff00u | (raw.x & 0xffu) << 16u | (raw.x >> 16u) & 0xffu, 0u, 0u, 0u);
        }
        case DEPTH_FLOAT: { return raw.zyxw; }
        default: {
            return vec4<u32>(raw.x & 0xffff0000u | raw.y & 0xffffu, raw.y & 0xffff0000u | raw.x & 0xffffu, 0u, 0u);
        }
    }
}

fn full_range(code: f32) -> f32 {
    return code * bitcast<f32>(tables[2]) + bitcast<f32>(tables[3]);
}

fn legal_range(code: f32) -> f32 {
    return clamp((code - bitcast<f32>(tables[3])) / bitcast<f32>(tables[2]), 0.0, 1.0);
}

// Words of a pixel to straight linear light, and alpha.
fn linear(raw: vec4<u32>, kind: u32) -> vec4<f32> {
    switch kind & 3u {
        case DEPTH_8: {
            let b = bytes(raw.x, kind);
            return vec4<f32>(
                bitcast<f32>(tables[DECODE + b.r]),
                bitcast<f32>(tables[DECODE + b.g]),
                bitcast<f32>(tables[DECODE + b.b]),
                select(f32(b.a) * (1.0 / 255.0), 1.0, b.a == 255u),
            );
        }
        case DEPTH_16: {
            let codes = vec4<f32>(vec4<u32>(raw.x & 0xffffu, raw.x >> 16u, raw.y & 0xffffu, raw.y >> 16u))
                * (1.0 / 65535.0);
            let c = select(codes, codes.zyxw, kind >= BGRA);
            let alpha = select(c.a, 1.0, raw.y >> 16u == 65535u);
            return vec4<f32>(
                light_of(full_range(c.r)), light_of(full_range(c.g)), light_of(full_range(c.b)), alpha
            );
        }
        case DEPTH_HALF: {
            let codes = vec4<f32>(unpack2x16float(raw.x), unpack2x16float(raw.y));
            let c = select(codes, codes.zyxw, kind >= BGRA);
            return vec4<f32>(light_of(c.r), light_of(c.g), light_of(c.b), clamp(c.a, 0.0, 1.0));
        }
        default: {
            let codes = bitcast<vec4<f32>>(raw);
            let c = select(codes, codes.zyxw, kind >= BGRA);
            return vec4<f32>(light_of(c.r), light_of(c.g), light_of(c.b), clamp(c.a, 0.0, 1.0));
        }
    }
}

fn byte_of(light: f32) -> u32 {
    let sample = u32(clamp(light, 0.0, 1.0) * 65535.0 + 0.5);
    return (tables[ENCODE + (sample >> 2u)] >> ((sample & 3u) * 8u)) & 255u;
}

fn sixteen(value: f32) -> u32 {
    return u32(clamp(value, 0.0, 1.0) * 65535.0 + 0.5);
}

// Words of a pixel with another alpha.
fn with_alpha(raw: vec4<u32>, alpha: f32, kind: u32) -> vec4<u32> {
    switch kind & 3u {
        case DEPTH_8: {
            return vec4<u32>(raw.x & 0xffffffu | u32(alpha * 255.0 + 0.5) << 24u, 0u, 0u, 0u);
        }
        case DEPTH_16: { return vec4<u32>(raw.x, raw.y & 0xffffu | sixteen(alpha) << 16u, 0u, 0u); }
        case DEPTH_HALF: {
            return vec4<u32>(raw.x, raw.y & 0xffffu | pack2x16float(vec2<f32>(0.0, alpha)) & 0xffff0000u, 0u, 0u);
        }
        default: { return vec4<u32>(raw.xyz, bitcast<u32>(alpha)); }
    }
}

// Straight or premultiplied linear light, and alpha, to the words of a pixel.
fn coded(light: vec4<f32>, kind: u32) -> vec4<u32> {
    let alpha = clamp(light.a, 0.0, 1.0);
    let c = select(light.rgb, light.bgr, kind >= BGRA);
    switch kind & 3u {
        case DEPTH_8: {
            let word = byte_of(c.r) | byte_of(c.g) << 8u | byte_of(c.b) << 16u | u32(alpha * 255.0 + 0.5) << 24u;
            return vec4<u32>(word, 0u, 0u, 0u);
        }
        case DEPTH_16: {
            let codes = vec3<u32>(
                sixteen(legal_range(code_of(c.r))), sixteen(legal_range(code_of(c.g))), sixteen(legal_range(code_of(c.b)))
            );
            return vec4<u32>(codes.r | codes.g << 16u, codes.b | sixteen(alpha) << 16u, 0u, 0u);
        }
        case DEPTH_HALF: {
            let low = pack2x16float(vec2<f32>(code_of(c.r), code_of(c.g)));
            return vec4<u32>(low, pack2x16float(vec2<f32>(code_of(c.b), alpha)), 0u, 0u);
        }
        default: {
            return bitcast<vec4<u32>>(vec4<f32>(code_of(c.r), code_of(c.g), code_of(c.b), alpha));
        }
    }
}
