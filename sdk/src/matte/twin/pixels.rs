//! The plain twin of `pixels.wgsl`: a host's pixels to straight linear light and back.

use half::f16;

use crate::frame::{Channels, Depth, FrameView, PixelFormat};
use crate::matte::light::Light;

/// Linear red, green, blue, and alpha.
pub type Four = [f32; 4];

/// Channels of a pixel as red, green, blue, alpha, on a scale from 0 to 1; alpha is 1 where there is none.
fn channels<T: Copy>(pixel: &[T], format: PixelFormat, full: T) -> [T; 4] {
    match format.channels() {
        Channels::Bgra => [pixel[2], pixel[1], pixel[0], pixel[3]],
        Channels::Rgba => [pixel[0], pixel[1], pixel[2], pixel[3]],
        Channels::Rgb | Channels::Gray => [pixel[0], pixel[1], pixel[2], full],
    }
}

/// A host's pixel as straight linear light.
#[inline]
pub fn linear(pixel: &[u8], format: PixelFormat, light: &Light) -> Four {
    match format.depth() {
        Depth::U8 => {
            let [r, g, b, a] = channels(pixel, format, 255);
            let rgb = [r, g, b].map(|v| light.decode[usize::from(v)]);
            [rgb[0], rgb[1], rgb[2], if a == 255 { 1.0 } else { f32::from(a) * (1.0 / 255.0) }]
        }
        Depth::U16 => {
            let codes: [u16; 4] = two_bytes(pixel, format).map(u16::from_ne_bytes);
            let [r, g, b, a] = channels(&codes, format, u16::MAX);
            let rgb = [r, g, b].map(|v| light.light_of(light.full_range(f32::from(v) * (1.0 / 65535.0))));
            [rgb[0], rgb[1], rgb[2], if a == u16::MAX { 1.0 } else { f32::from(a) * (1.0 / 65535.0) }]
        }
        Depth::F16 => {
            let codes = two_bytes(pixel, format).map(|bytes| f16::from_ne_bytes(bytes).to_f32());
            float(channels(&codes, format, 1.0), light)
        }
        Depth::F32 => {
            let count = format.channel_count();
            let codes: [f32; 4] = std::array::from_fn(|i| {
                let bytes = &pixel[4 * i.min(count - 1)..][..4];
                f32::from_ne_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
            });
            float(channels(&codes, format, 1.0), light)
        }
    }
}

/// A host's pixel's alpha, as [`linear`] reads it.
#[inline]
pub fn alpha(pixel: &[u8], format: PixelFormat) -> f32 {
    match (format.alpha_offset(), format.depth()) {
        (None, _) => 1.0,
        (Some(at), Depth::U8) if pixel[at] == 255 => 1.0,
        (Some(at), Depth::U8) => f32::from(pixel[at]) * (1.0 / 255.0),
        (Some(at), Depth::U16) => match u16::from_ne_bytes([pixel[2 * at], pixel[2 * at + 1]]) {
            u16::MAX => 1.0,
            a => f32::from(a) * (1.0 / 65535.0),
        },
        (Some(at), Depth::F16) => {
            f16::from_ne_bytes([pixel[2 * at], pixel[2 * at + 1]]).to_f32().clamp(0.0, 1.0)
        }
        (Some(at), Depth::F32) => {
            let bytes = &pixel[4 * at..][..4];
            f32::from_ne_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]).clamp(0.0, 1.0)
        }
    }
}

fn two_bytes(pixel: &[u8], format: PixelFormat) -> [[u8; 2]; 4] {
    let count = format.channel_count();
    std::array::from_fn(|i| {
        let at = 2 * i.min(count - 1);
        [pixel[at], pixel[at + 1]]
    })
}

fn float([r, g, b, a]: Four, light: &Light) -> Four {
    [light.light_of(r), light.light_of(g), light.light_of(b), a.clamp(0.0, 1.0)]
}

fn sixteen(value: f32) -> u16 {
    (value.clamp(0.0, 1.0) * 65535.0 + 0.5) as u16
}

/// Straight or premultiplied linear light to a host's pixel.
#[inline]
pub fn coded([r, g, b, a]: Four, format: PixelFormat, light: &Light, out: &mut [u8]) {
    let alpha = a.clamp(0.0, 1.0);
    let rgb = if format.channels() == Channels::Bgra { [b, g, r] } else { [r, g, b] };
    match format.depth() {
        Depth::U8 => {
            let [x, y, z] = rgb.map(|v| light.byte_of(v));
            put(out, [[x], [y], [z], [(alpha * 255.0 + 0.5) as u8]]);
        }
        Depth::U16 => {
            let [x, y, z] = rgb.map(|v| sixteen(light.legal_range(light.code_of(v))));
            put(out, [x, y, z, sixteen(alpha)].map(u16::to_ne_bytes));
        }
        Depth::F16 => {
            let [x, y, z] = rgb.map(|v| light.code_of(v));
            put(out, [x, y, z, alpha].map(|v| f16::from_f32(v).to_ne_bytes()));
        }
        Depth::F32 => {
            let [x, y, z] = rgb.map(|v| light.code_of(v));
            put(out, [x, y, z, alpha].map(f32::to_ne_bytes));
        }
    }
}

/// As many channels as the pixel has.
fn put<const BYTES: usize>(out: &mut [u8], channels: [[u8; BYTES]; 4]) {
    out.chunks_exact_mut(BYTES).zip(channels).for_each(|(out, channel)| out.copy_from_slice(&channel));
}

/// A pixel's own bits in another order of channels, of the same depth. An alpha that isn't there is full.
#[inline]
pub fn passed(pixel: &[u8], from: PixelFormat, to: PixelFormat, out: &mut [u8]) {
    let bytes = from.depth().bytes();
    // Lengths that are known are no calls to copy memory.
    match (from == to, from.bytes_per_pixel()) {
        (true, 3) => return out[..3].copy_from_slice(&pixel[..3]),
        (true, 4) => return out[..4].copy_from_slice(&pixel[..4]),
        (true, _) => return out.copy_from_slice(pixel),
        _ => {}
    }
    if bytes == 1 {
        let (Some(source), Some(target)) = (from.rgb_offsets(), to.rgb_offsets()) else { return };
        source.into_iter().zip(target).for_each(|(s, t)| out[t] = pixel[s]);
        if let Some(alpha) = to.alpha_offset() {
            out[alpha] = from.alpha_offset().map_or(255, |at| pixel[at]);
        }
        return;
    }
    let (Some(source), Some(target)) = (from.rgb_offsets(), to.rgb_offsets()) else { return };
    for (s, t) in source.into_iter().zip(target) {
        out[t * bytes..][..bytes].copy_from_slice(&pixel[s * bytes..][..bytes]);
    }
    let Some(alpha) = to.alpha_offset() else { return };
    let own = from.alpha_offset().map(|at| &pixel[at * bytes..][..bytes]);
    out[alpha * bytes..][..bytes].copy_from_slice(own.unwrap_or(from.depth().full()));
}

/// Changes a pixel's alpha, if it has one.
#[inline]
pub fn set_alpha(alpha: f32, format: PixelFormat, out: &mut [u8]) {
    let Some(at) = format.alpha_offset() else { return };
    let bytes = format.depth().bytes();
    let out = &mut out[at * bytes..][..bytes];
    match format.depth() {
        Depth::U8 => out[0] = (alpha * 255.0 + 0.5) as u8,
        Depth::U16 => out.copy_from_slice(&sixteen(alpha).to_ne_bytes()),
        Depth::F16 => out.copy_from_slice(&f16::from_f32(alpha).to_ne_bytes()),
        Depth::F32 => out.copy_from_slice(&alpha.to_ne_bytes()),
    }
}

/// A row of a picture in premultiplied linear light.
pub fn linear_row(picture: FrameView<'_>, y: usize, light: &Light, into: &mut [Four]) {
    let format = picture.format();
    let pixels = picture.row(y).chunks_exact(format.bytes_per_pixel());
    for (out, pixel) in into.iter_mut().zip(pixels) {
        let [r, g, b, a] = linear(pixel, format, light);
        *out = [r * a, g * a, b * a, a];
    }
}
