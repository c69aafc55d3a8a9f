//! Colour and its alpha, a row at a time.

use std::ops::{BitAnd, BitOr, BitXor};

use half::f16;
use multiversion::multiversion;

use super::{Depth, PixelFormat};

/// Multiplies a row's codes by their alpha, whatever light they stand for: what OpenFX means by premultiplied. Whole
/// numbers are rounded. Where there is no alpha, nothing changes.
pub fn premultiply_row(row: &mut [u8], format: PixelFormat) {
    if format.alpha_offset().is_none() {
        return;
    }
    match format.depth() {
        Depth::U8 => premultiply_bytes(row),
        Depth::U16 => premultiply_words(row),
        Depth::F16 => premultiply_halves(row),
        Depth::F32 => premultiply_floats(row),
    }
}

/// Times full alpha is no change, so all pixels are done alike, and several at once. Red and blue are two halves of one
/// word. A quotient by 255 is the sum of its first two terms.
#[multiversion(targets = "simd")]
fn premultiply_bytes(row: &mut [u8]) {
    const PAIR: u32 = 0x00ff_00ff;
    for pixel in row.as_chunks_mut::<4>().0 {
        let codes = u32::from_le_bytes(*pixel);
        let alpha = codes >> 24;
        let products = (codes & PAIR) * alpha + 0x0080_0080;
        let pair = ((products + ((products >> 8) & PAIR)) >> 8) & PAIR;
        let product = ((codes >> 8) & 0xff) * alpha + 0x80;
        let green = (product + (product >> 8)) & 0xff00;
        *pixel = (alpha << 24 | green | pair).to_le_bytes();
    }
}

#[multiversion(targets = "simd")]
fn premultiply_words(row: &mut [u8]) {
    for pixel in row.as_chunks_mut::<8>().0 {
        let codes: [u16; 4] = bytemuck::cast(*pixel);
        let by = [codes[3], codes[3], codes[3], u16::MAX];
        let product = |i: usize| u32::from(codes[i]) * u32::from(by[i]) + 0x8000;
        let quotient = |product: u32| ((product + (product >> 16)) >> 16) as u16;
        *pixel = bytemuck::cast([0, 1, 2, 3].map(|i| quotient(product(i))));
    }
}

/// Nearly every pixel of a matte is full, and is done without a product.
fn premultiply_halves(row: &mut [u8]) {
    for pixel in row.as_chunks_mut::<8>().0 {
        let codes: [f16; 4] = bytemuck::cast(*pixel);
        if codes[3] != f16::ONE {
            let alpha = codes[3].to_f32();
            let [red, green, blue, _] = codes.map(|code| f16::from_f32(code.to_f32() * alpha));
            *pixel = bytemuck::cast([red, green, blue, codes[3]]);
        }
    }
}

#[multiversion(targets = "simd")]
fn premultiply_floats(row: &mut [u8]) {
    for pixel in row.as_chunks_mut::<16>().0 {
        let [red, green, blue, alpha]: [f32; 4] = bytemuck::cast(*pixel);
        *pixel = bytemuck::cast([red * alpha, green * alpha, blue * alpha, alpha]);
    }
}

/// Whether every pixel of a row is opaque: straight and premultiplied are then the same.
pub fn is_opaque_row(row: &[u8], format: PixelFormat) -> bool {
    let depth = format.depth();
    match (format.alpha_offset(), depth) {
        (None, _) => true,
        (_, Depth::U8) => differs::<4, u32>(row, depth) == 0,
        (_, Depth::U16 | Depth::F16) => differs::<8, u64>(row, depth) == 0,
        (_, Depth::F32) => differs::<16, u128>(row, depth) == 0,
    }
}

/// The bits in which any pixel's alpha differs from full. All pixels are looked at, so that several are at once.
fn differs<const BYTES: usize, Word>(row: &[u8], depth: Depth) -> Word
where
    Word: bytemuck::Pod + BitAnd<Output = Word> + BitOr<Output = Word> + BitXor<Output = Word>,
    [u8; BYTES]: bytemuck::Pod,
{
    let (mut full, mut alpha, at) = ([0; BYTES], [0; BYTES], BYTES / 4 * 3);
    full[at..].copy_from_slice(depth.full());
    alpha[at..].fill(u8::MAX);
    let word = bytemuck::cast::<[u8; BYTES], Word>;
    let pixels = row.as_chunks::<BYTES>().0.iter().map(|pixel| word(*pixel));
    pixels.fold(Word::zeroed(), |differs, pixel| differs | (pixel ^ word(full))) & word(alpha)
}

/// Writes channel `i`, as [`channel`] reads it. What a whole number can't hold is cut off, and what is no number becomes
/// 0 there.
#[inline]
pub fn put_channel(bytes: &mut [u8], depth: Depth, i: usize, value: f32) {
    let whole = |most: f32| (value * most + 0.5).clamp(0.0, most);
    match depth {
        Depth::U8 => bytes[i] = whole(255.0) as u8,
        Depth::U16 => bytes[2 * i..][..2].copy_from_slice(&(whole(65535.0) as u16).to_ne_bytes()),
        Depth::F16 => bytes[2 * i..][..2].copy_from_slice(&f16::from_f32(value).to_ne_bytes()),
        Depth::F32 => bytes[4 * i..][..4].copy_from_slice(&value.to_ne_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::channel;

    #[test]
    fn full_and_empty_pixels_are_multiplied_as_all_others_are() {
        for format in [PixelFormat::Rgba8, PixelFormat::Bgra16, PixelFormat::RgbaF16, PixelFormat::RgbaF32] {
            let (depth, bytes) = (format.depth(), format.bytes_per_pixel());
            let mut row = vec![0; 3 * bytes];
            for (pixel, alpha) in row.chunks_exact_mut(bytes).zip([1.0, 0.0, 0.5]) {
                (0..3).for_each(|i| put_channel(pixel, depth, i, 0.8));
                put_channel(pixel, depth, 3, alpha);
            }
            assert!(!is_opaque_row(&row, format) && is_opaque_row(&row[..bytes], format));
            premultiply_row(&mut row, format);
            for (pixel, want) in row.chunks_exact(bytes).zip([0.8, 0.0, 0.4]) {
                for i in 0..3 {
                    let found = channel(pixel, depth, i);
                    assert!((found - want).abs() < 0.003, "{format:?}: found {found}, expected {want}");
                }
            }
        }
        for code in 0..=255u8 {
            for alpha in 0..=255u8 {
                let mut row = [code, 0, 255, alpha];
                premultiply_row(&mut row, PixelFormat::Rgba8);
                let want = (f64::from(code) * f64::from(alpha) / 255.0).round() as u8;
                assert_eq!(row, [want, 0, alpha, alpha]);
            }
        }
        let mut plain = [1, 2, 3];
        premultiply_row(&mut plain, PixelFormat::Rgb8);
        assert!(plain == [1, 2, 3] && is_opaque_row(&plain, PixelFormat::Rgb8));
    }
}
