//! The plain twin of `pixels.wgsl`: stretches of a host's pixels to straight linear light and back.
//!
//! A stretch is at most [`TILE`] pixels of a row. Its format is looked at once, and its channels lie apart, so that the
//! loops over them are compiled for wide registers. Small functions are inlined by force: otherwise they would be left
//! out of what `multiversion` compiles for those.

use half::f16;

use super::plane::TILE;
use crate::frame::{Channels, Depth, FrameView, PixelFormat};
use crate::matte::light::Light;

/// Linear red, green, blue, and alpha.
pub type Four = [f32; 4];

/// The same of a stretch of pixels, a channel after the other.
pub type Lights = [[f32; TILE]; 4];

/// One number for each pixel of a stretch.
pub type Numbers = [f32; TILE];

/// Lights of no pixel.
pub const DARK: Lights = [[0.0; TILE]; 4];

const BY_255: f32 = 1.0 / 255.0;
const BY_65535: f32 = 1.0 / 65535.0;

/// Channels of a pixel as red, green, blue, alpha, on a scale from 0 to 1; alpha is 1 where there is none.
#[inline(always)]
fn channels<T: Copy>(pixel: &[T], format: PixelFormat, full: T) -> [T; 4] {
    match format.channels() {
        Channels::Bgra => [pixel[2], pixel[1], pixel[0], pixel[3]],
        Channels::Rgba => [pixel[0], pixel[1], pixel[2], pixel[3]],
        Channels::Rgb | Channels::Gray => [pixel[0], pixel[1], pixel[2], full],
    }
}

#[inline(always)]
fn part8(sample: u8) -> f32 {
    if sample == 255 { 1.0 } else { f32::from(sample) * BY_255 }
}

/// 16-bit coverage or alpha as a part of 1.
#[inline(always)]
pub fn part(sample: u16) -> f32 {
    if sample == u16::MAX { 1.0 } else { f32::from(sample) * BY_65535 }
}

/// A host's pixel as straight linear light.
#[inline(always)]
pub fn linear(pixel: &[u8], format: PixelFormat, light: &Light) -> Four {
    match format.depth() {
        Depth::U8 => {
            let [r, g, b, a] = channels(pixel, format, 255);
            let of = |code: u8| light.decode[usize::from(code)];
            [of(r), of(g), of(b), part8(a)]
        }
        Depth::U16 => {
            let [r, g, b, a] = channels(&two_bytes(pixel, format).map(u16::from_ne_bytes), format, u16::MAX);
            let of = |code: u16| light.light_of(light.full_range(f32::from(code) * BY_65535));
            [of(r), of(g), of(b), part(a)]
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

#[inline(always)]
fn two_bytes(pixel: &[u8], format: PixelFormat) -> [[u8; 2]; 4] {
    let count = format.channel_count();
    std::array::from_fn(|i| {
        let at = 2 * i.min(count - 1);
        [pixel[at], pixel[at + 1]]
    })
}

#[inline(always)]
fn float([r, g, b, a]: Four, light: &Light) -> Four {
    [light.light_of(r), light.light_of(g), light.light_of(b), a.clamp(0.0, 1.0)]
}

/// A stretch as straight linear light.
#[inline(always)]
pub fn linear_stretch(raw: &[u8], format: PixelFormat, light: &Light, into: &mut Lights) {
    match format {
        PixelFormat::Rgb8 => linear_bytes::<3>(raw, [0, 1, 2], light, into),
        PixelFormat::Rgba8 => linear_bytes::<4>(raw, [0, 1, 2], light, into),
        PixelFormat::Bgra8 => linear_bytes::<4>(raw, [2, 1, 0], light, into),
        _ => {
            for (i, pixel) in raw.chunks_exact(format.bytes_per_pixel()).enumerate() {
                let found = linear(pixel, format, light);
                for (channel, value) in into.iter_mut().zip(found) {
                    channel[i] = value;
                }
            }
        }
    }
}

#[inline(always)]
fn linear_bytes<const BYTES: usize>(raw: &[u8], rgb: [usize; 3], light: &Light, into: &mut Lights) {
    let pixels = raw.as_chunks::<BYTES>().0;
    let [red, green, blue, alpha] = into;
    for (((out, g), b), pixel) in red.iter_mut().zip(green).zip(blue).zip(pixels) {
        *out = light.decode[usize::from(pixel[rgb[0]])];
        *g = light.decode[usize::from(pixel[rgb[1]])];
        *b = light.decode[usize::from(pixel[rgb[2]])];
    }
    for (out, pixel) in alpha.iter_mut().zip(pixels) {
        *out = if BYTES == 4 { part8(pixel[BYTES - 1]) } else { 1.0 };
    }
}

/// A stretch's alpha, as [`linear_stretch`] reads it.
#[inline(always)]
pub fn alphas(raw: &[u8], format: PixelFormat, into: &mut Numbers) {
    let Some(at) = format.alpha_offset() else { return into.fill(1.0) };
    match format.depth() {
        Depth::U8 => {
            for (out, pixel) in into.iter_mut().zip(raw.as_chunks::<4>().0) {
                *out = part8(pixel[3]);
            }
        }
        depth => {
            for (out, pixel) in into.iter_mut().zip(raw.chunks_exact(format.bytes_per_pixel())) {
                let bytes = &pixel[at * depth.bytes()..];
                *out = match depth {
                    Depth::F32 => {
                        f32::from_ne_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]).clamp(0.0, 1.0)
                    }
                    Depth::F16 => f16::from_ne_bytes([bytes[0], bytes[1]]).to_f32().clamp(0.0, 1.0),
                    _ => part(u16::from_ne_bytes([bytes[0], bytes[1]])),
                };
            }
        }
    }
}

#[inline(always)]
fn sixteen(value: f32) -> u16 {
    (value.clamp(0.0, 1.0) * 65535.0 + 0.5) as u16
}

/// Straight or premultiplied linear light to a stretch of a host's pixels.
#[inline(always)]
pub fn code_stretch(from: &Lights, format: PixelFormat, light: &Light, out: &mut [u8]) {
    match format {
        PixelFormat::Rgb8 => code_bytes::<3>(from, [0, 1, 2], light, out),
        PixelFormat::Rgba8 => code_bytes::<4>(from, [0, 1, 2], light, out),
        PixelFormat::Bgra8 => code_bytes::<4>(from, [2, 1, 0], light, out),
        _ => {
            for (i, out) in out.chunks_exact_mut(format.bytes_per_pixel()).enumerate() {
                coded([from[0][i], from[1][i], from[2][i], from[3][i]], format, light, out);
            }
        }
    }
}

#[inline(always)]
fn code_bytes<const BYTES: usize>(from: &Lights, rgb: [usize; 3], light: &Light, out: &mut [u8]) {
    let pixels = out.as_chunks_mut::<BYTES>().0;
    for (channel, at) in from.iter().zip(rgb) {
        // First all places in the table, which is done many at once.
        let mut places = [0u16; TILE];
        for (place, v) in places.iter_mut().zip(channel) {
            *place = sixteen(*v);
        }
        for (pixel, place) in pixels.iter_mut().zip(places) {
            pixel[at] = light.encode[usize::from(place)];
        }
    }
    if BYTES == 4 {
        for (pixel, alpha) in pixels.iter_mut().zip(&from[3]) {
            pixel[BYTES - 1] = (alpha.clamp(0.0, 1.0) * 255.0 + 0.5) as u8;
        }
    }
}

/// The same for one pixel.
#[inline]
pub fn coded([r, g, b, a]: Four, format: PixelFormat, light: &Light, out: &mut [u8]) {
    let alpha = a.clamp(0.0, 1.0);
    let rgb = if format.channels() == Channels::Bgra { [b, g, r] } else { [r, g, b] };
    match format.depth() {
        Depth::U8 => {
            let [x, y, z] = rgb.map(|v| light.encode[usize::from(sixteen(v))]);
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

/// Pixels' own bits in another order of channels, of the same depth. An alpha that isn't there is full.
#[inline(always)]
pub fn pass(raw: &[u8], from: PixelFormat, to: PixelFormat, out: &mut [u8]) {
    if from == to {
        return out.copy_from_slice(raw);
    }
    match (from, to) {
        (PixelFormat::Rgb8, PixelFormat::Rgba8) => widen_bytes(raw, out),
        (PixelFormat::Rgb8, PixelFormat::Bgra8) => pass_bytes::<3, 4>(raw, true, out),
        (PixelFormat::Rgba8, PixelFormat::Rgb8) => pass_bytes::<4, 3>(raw, false, out),
        (PixelFormat::Bgra8, PixelFormat::Rgb8) => pass_bytes::<4, 3>(raw, true, out),
        (PixelFormat::Rgba8 | PixelFormat::Bgra8, PixelFormat::Rgba8 | PixelFormat::Bgra8) => {
            pass_bytes::<4, 4>(raw, true, out);
        }
        _ => {
            let raw = raw.chunks_exact(from.bytes_per_pixel());
            for (out, raw) in out.chunks_exact_mut(to.bytes_per_pixel()).zip(raw) {
                passed(raw, from, to, out);
            }
        }
    }
}

/// Red, green, blue with a full alpha: four bytes are read at once, the fourth of which is the next pixel's.
#[inline(always)]
fn widen_bytes(raw: &[u8], out: &mut [u8]) {
    let pixels = out.as_chunks_mut::<4>().0;
    let Some((last, pixels)) = pixels.split_last_mut() else { return };
    for (out, four) in pixels.iter_mut().zip(raw.windows(4).step_by(3)) {
        *out = (u32::from_le_bytes([four[0], four[1], four[2], four[3]]) | 0xFF00_0000).to_le_bytes();
    }
    let rest = &raw[raw.len() - 3..];
    *last = [rest[0], rest[1], rest[2], 255];
}

#[inline(always)]
fn pass_bytes<const FROM: usize, const TO: usize>(raw: &[u8], swaps: bool, out: &mut [u8]) {
    for (out, raw) in out.as_chunks_mut::<TO>().0.iter_mut().zip(raw.as_chunks::<FROM>().0) {
        (out[0], out[1], out[2]) = if swaps { (raw[2], raw[1], raw[0]) } else { (raw[0], raw[1], raw[2]) };
        if TO == 4 {
            out[TO - 1] = if FROM == 4 { raw[FROM - 1] } else { 255 };
        }
    }
}

/// The same for one pixel of any depth.
#[inline]
pub fn passed(pixel: &[u8], from: PixelFormat, to: PixelFormat, out: &mut [u8]) {
    if from == to {
        return out.copy_from_slice(pixel);
    }
    let bytes = from.depth().bytes();
    let (Some(source), Some(target)) = (from.rgb_offsets(), to.rgb_offsets()) else { return };
    for (s, t) in source.into_iter().zip(target) {
        out[t * bytes..][..bytes].copy_from_slice(&pixel[s * bytes..][..bytes]);
    }
    let Some(alpha) = to.alpha_offset() else { return };
    let own = from.alpha_offset().map(|at| &pixel[at * bytes..][..bytes]);
    out[alpha * bytes..][..bytes].copy_from_slice(own.unwrap_or(from.depth().full()));
}

/// Changes the alpha of a stretch's pixels, if they have one, wherever it isn't 1.
#[inline(always)]
pub fn set_alphas(alphas: &Numbers, format: PixelFormat, out: &mut [u8]) {
    if format.alpha_offset().is_none() {
        return;
    }
    if format.depth() == Depth::U8 {
        // Coverage of 1 times an alpha of 1 was full in 8 bits before.
        for (pixel, alpha) in out.as_chunks_mut::<4>().0.iter_mut().zip(alphas) {
            pixel[3] = (alpha * 255.0 + 0.5) as u8;
        }
        return;
    }
    for (pixel, alpha) in out.chunks_exact_mut(format.bytes_per_pixel()).zip(alphas) {
        if *alpha != 1.0 {
            set_alpha(*alpha, format, pixel);
        }
    }
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
#[inline(always)]
pub fn linear_row(picture: FrameView<'_>, y: usize, light: &Light, into: &mut [Four]) {
    let (row, format) = (picture.row(y), picture.format());
    match format {
        PixelFormat::Rgb8 => premultiplied::<3>(row, [0, 1, 2], light, into),
        PixelFormat::Rgba8 => premultiplied::<4>(row, [0, 1, 2], light, into),
        PixelFormat::Bgra8 => premultiplied::<4>(row, [2, 1, 0], light, into),
        _ => {
            for (out, pixel) in into.iter_mut().zip(row.chunks_exact(format.bytes_per_pixel())) {
                let [r, g, b, a] = linear(pixel, format, light);
                *out = [r * a, g * a, b * a, a];
            }
        }
    }
}

#[inline(always)]
fn premultiplied<const BYTES: usize>(row: &[u8], rgb: [usize; 3], light: &Light, into: &mut [Four]) {
    for (out, pixel) in into.iter_mut().zip(row.as_chunks::<BYTES>().0) {
        let a = if BYTES == 4 { part8(pixel[BYTES - 1]) } else { 1.0 };
        let of = |at: usize| light.decode[usize::from(pixel[rgb[at]])] * a;
        *out = [of(0), of(1), of(2), a];
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matte::settings::{Range, Transfer};

    const COLOURS: [PixelFormat; 12] = [
        PixelFormat::Rgb8,
        PixelFormat::Rgba8,
        PixelFormat::Bgra8,
        PixelFormat::Rgb16,
        PixelFormat::Rgba16,
        PixelFormat::Bgra16,
        PixelFormat::RgbF16,
        PixelFormat::RgbaF16,
        PixelFormat::BgraF16,
        PixelFormat::RgbF32,
        PixelFormat::RgbaF32,
        PixelFormat::BgraF32,
    ];

    /// Eleven pixels, none of them like another.
    fn raw(format: PixelFormat) -> Vec<u8> {
        let samples = 0..11 * format.channel_count();
        let value = |i: usize| ((i * 37) % 101) as f32 / 100.0;
        let bytes = |i: usize| match format.depth() {
            Depth::U8 => vec![(value(i) * 255.0) as u8],
            Depth::U16 => ((value(i) * 65535.0) as u16).to_ne_bytes().to_vec(),
            Depth::F16 => f16::from_f32(value(i)).to_ne_bytes().to_vec(),
            Depth::F32 => value(i).to_ne_bytes().to_vec(),
        };
        samples.flat_map(bytes).collect()
    }

    #[test]
    fn a_stretch_is_read_and_written_as_its_pixels_are_one_by_one() {
        let light = Light::shared(Transfer::Srgb, Range::Full, None);
        for format in COLOURS {
            let (raw, size) = (raw(format), format.bytes_per_pixel());
            let (mut lights, mut alpha) = (DARK, [0.0; TILE]);
            linear_stretch(&raw, format, &light, &mut lights);
            alphas(&raw, format, &mut alpha);
            let (mut all, mut one) = (vec![0; raw.len()], vec![0; size]);
            code_stretch(&lights, format, &light, &mut all);
            for (i, pixel) in raw.chunks_exact(size).enumerate() {
                let want = linear(pixel, format, &light);
                assert_eq!(std::array::from_fn(|c| lights[c][i]), want, "{format:?}");
                assert_eq!(alpha[i], want[3], "{format:?}");
                coded(want, format, &light, &mut one);
                assert_eq!(all[i * size..][..size], one, "{format:?}");
            }
        }
    }

    #[test]
    fn pixels_pass_into_every_order_of_channels_as_they_do_one_by_one() {
        for from in COLOURS {
            for to in COLOURS.into_iter().filter(|to| to.depth() == from.depth()) {
                let (raw, size) = (raw(from), to.bytes_per_pixel());
                let (mut all, mut one) = (vec![0; 11 * size], vec![0; size]);
                pass(&raw, from, to, &mut all);
                for (i, pixel) in raw.chunks_exact(from.bytes_per_pixel()).enumerate() {
                    passed(pixel, from, to, &mut one);
                    assert_eq!(all[i * size..][..size], one, "{from:?} {to:?}");
                }
            }
        }
    }
}
