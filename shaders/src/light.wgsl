// light: between the host's codes, on a scale from 0 to 1, and linear light. Light below 0 and above 1 is kept.
//
// `tables` holds, in words:
//   0      the transfer function, as TRANSFER_* below
//   1      how many points CURVE has
//   2      f32 factor from a normalised code to the curve's own scale, and
//   3      f32 offset added to it: they undo the legal range
//   4      linear light of the 256 codes of 8 bits, f32
//   260    the 8-bit code of every 16-bit linear sample, four in a word
//   16644  CURVE: linear light at even steps of the code from 0 to 1, f32, rising

const TRANSFER_SRGB: u32 = 0u;
const TRANSFER_REC709: u32 = 1u;
const TRANSFER_LINEAR: u32 = 2u;
const TRANSFER_CURVE: u32 = 3u;

const DECODE: u32 = 4u;
const ENCODE: u32 = 260u;
const CURVE: u32 = 16644u;

fn curve_at(i: u32) -> f32 {
    return bitcast<f32>(tables[CURVE + i]);
}

fn light_of(code: f32) -> f32 {
    let size = abs(code);
    var light = size;
    switch tables[0] {
        case TRANSFER_SRGB: {
            light = select(pow((size + 0.055) / 1.055, 2.4), size / 12.92, size <= 0.04045);
        }
        case TRANSFER_REC709: {
            light = select(pow((size + 0.099) / 1.099, 1.0 / 0.45), size / 4.5, size < 0.081);
        }
        case TRANSFER_CURVE: {
            let last = tables[1] - 1u;
            let place = clamp(code, 0.0, 1.0) * f32(last);
            let at = min(u32(place), last - 1u);
            return mix(curve_at(at), curve_at(at + 1u), place - f32(at));
        }
        default: {}
    }
    return select(light, -light, code < 0.0);
}

fn code_of(light: f32) -> f32 {
    let size = abs(light);
    var code = size;
    switch tables[0] {
        case TRANSFER_SRGB: {
            code = select(1.055 * pow(size, 1.0 / 2.4) - 0.055, size * 12.92, size <= 0.0031308);
        }
        case TRANSFER_REC709: {
            code = select(1.099 * pow(size, 0.45) - 0.099, size * 4.5, size < 0.018);
        }
        case TRANSFER_CURVE: {
            // The last point that is not above the light.
            var low = 0u;
            var high = tables[1] - 1u;
            while high - low > 1u {
                let middle = (low + high) / 2u;
                if curve_at(middle) <= light { low = middle; } else { high = middle; }
            }
            let below = curve_at(low);
            let part = clamp((light - below) / max(curve_at(high) - below, 1e-20), 0.0, 1.0);
            return (f32(low) + part) / f32(tables[1] - 1u);
        }
        default: {}
    }
    return select(code, -code, light < 0.0);
}
