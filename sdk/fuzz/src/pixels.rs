//! Images that keep their side of the contract: every row that they describe is there. Whether what they describe
//! makes sense is for the library to say.

use arbitrary::Arbitrary;

use crate::api;

/// None, the known ones, and some that nobody knows; those have to be refused before a row is looked at.
const FORMATS: u8 = 20;
/// Bytes of the longest pixel: four channels of four bytes.
const LONGEST: i64 = 16;

/// An image of a host.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub struct Pixels {
    /// A format, or none.
    format: u8,
    /// Mostly the session's own size.
    odd_size: Option<(u8, u8)>,
    /// Mostly rows without gaps.
    odd_stride: Option<i16>,
    /// What it shows.
    pub seed: u8,
}

/// An image and the memory behind it.
pub struct Lent {
    /// As the host describes it.
    pub frame: api::rotomask_frame,
    bytes: Vec<u64>,
}

impl Pixels {
    /// What the image shows so many frames later.
    pub fn later(self, frames: u64) -> Self {
        Self { seed: self.seed.wrapping_add((frames as u8).wrapping_mul(4)), ..self }
    }

    /// An image that shows a bright square at a place that its seed says, or anything at all with an odd seed.
    pub fn lend(self, (width, height): (u32, u32)) -> Lent {
        let format = u32::from(self.format % FORMATS);
        let (width, height) =
            self.odd_size.map_or((width, height), |(w, h)| (u32::from(w % 70), u32::from(h % 70)));
        let each = match format {
            api::ROTOMASK_FORMAT_RGB8 => 3,
            api::ROTOMASK_FORMAT_GRAY8 => 1,
            api::ROTOMASK_FORMAT_RGBA8 | api::ROTOMASK_FORMAT_BGRA8 | api::ROTOMASK_FORMAT_GRAY_F32 => 4,
            _ => LONGEST,
        };
        let stride = self.odd_stride.map_or(i64::from(width) * each, i64::from);
        let row = stride.unsigned_abs().max(u64::from(width) * LONGEST as u64).max(1);
        let mut bytes = vec![0u64; (row * u64::from(height.max(1))).div_ceil(8) as usize + 1];
        let length = bytes.len() * 8;
        // SAFETY: the memory of numbers is memory of bytes.
        let raw = unsafe { std::slice::from_raw_parts_mut(bytes.as_mut_ptr().cast::<u8>(), length) };
        for (at, byte) in raw.iter_mut().enumerate() {
            let (x, y) = (at as u64 % row / each as u64, at as u64 / row);
            let near = x.abs_diff(u64::from(self.seed)) < 8 && y.abs_diff(u64::from(self.seed) / 2) < 8;
            *byte = if self.seed % 2 == 1 { at as u8 ^ self.seed } else if near { 230 } else { 20 };
        }
        // With a negative stride, the top row lies last.
        let top = if stride < 0 { stride.unsigned_abs() * u64::from(height.saturating_sub(1)) } else { 0 };
        // SAFETY: `row` is no shorter than a stride, and there are `height` of them.
        let pixels = unsafe { raw.as_ptr().add(top as usize) };
        let frame = api::rotomask_frame {
            struct_size: size_of::<api::rotomask_frame>() as u32,
            format,
            width_px: width,
            height_px: height,
            stride_bytes: stride,
            pixels: pixels.cast(),
        };
        Lent { frame, bytes }
    }
}

impl Lent {
    /// To be written to.
    pub fn canvas(&mut self) -> api::rotomask_canvas {
        let api::rotomask_frame { format, width_px, height_px, stride_bytes, pixels, .. } = self.frame;
        let struct_size = size_of::<api::rotomask_canvas>() as u32;
        // Asked for as mutable, so that what is written through it is.
        let base = self.bytes.as_mut_ptr().cast::<u8>();
        // SAFETY: both lie in the same memory.
        let pixels = unsafe { base.offset(pixels.cast::<u8>().offset_from(base.cast_const())) };
        api::rotomask_canvas { struct_size, format, width_px, height_px, stride_bytes, pixels: pixels.cast() }
    }
}
