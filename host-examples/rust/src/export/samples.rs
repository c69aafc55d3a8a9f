//! Pixels of other depths than the program's 8 bits, as they go from the chain into files.

use bytemuck::Pod;
use ffmpeg_next::format::Pixel;

use crate::{
    Result,
    convert::Pixels,
    library::{Image, ImageMut},
};

/// Vector loops of swscale read this many bytes past the last row.
const TAIL: usize = 64;

/// Rows without gaps, the top one first; `CHANNELS` numbers a pixel. The buffer is kept when the size changes.
#[derive(Clone, Debug, Default)]
pub struct Samples<T, const CHANNELS: usize> {
    size: (u32, u32),
    values: Vec<T>,
}

/// Coverage, 0 to 255.
pub type Grey8 = Samples<u8, 1>;
/// Coverage, 0 to 65535.
pub type Grey16 = Samples<u16, 1>;
/// Red, green, blue and alpha, 0 to 65535.
pub type Rgba16 = Samples<u16, 4>;
/// Red, green, blue and alpha.
pub type RgbaFloats = Samples<f32, 4>;

impl<T: Pod, const CHANNELS: usize> Samples<T, CHANNELS> {
    /// Takes a size. The pixels are whatever they were.
    pub fn reshape(&mut self, (width, height): (u32, u32)) {
        self.size = (width, height);
        self.values.resize(self.count() + TAIL / size_of::<T>(), T::zeroed());
    }

    fn count(&self) -> usize {
        self.size.0 as usize * self.size.1 as usize * CHANNELS
    }

    /// All pixels.
    pub fn values(&self) -> &[T] {
        &self.values[..self.count()]
    }

    /// All pixels, to write.
    pub fn values_mut(&mut self) -> &mut [T] {
        let count = self.count();
        &mut self.values[..count]
    }
}

impl Grey8 {
    /// For the chain to write.
    pub fn canvas(&mut self) -> Result<ImageMut<'_>> {
        let (width, height) = self.size;
        ImageMut::gray(width, height, self.values_mut())
    }
}

impl Grey16 {
    /// For the chain to write.
    pub fn canvas(&mut self) -> Result<ImageMut<'_>> {
        let (width, height) = self.size;
        ImageMut::gray16(width, height, self.values_mut())
    }
}

impl Rgba16 {
    /// For the chain to read.
    pub fn image(&self) -> Result<Image<'_>> {
        Image::rgba16(self.size.0, self.size.1, self.values())
    }

    /// For the chain to write.
    pub fn canvas(&mut self) -> Result<ImageMut<'_>> {
        let (width, height) = self.size;
        ImageMut::rgba16(width, height, self.values_mut())
    }
}

impl RgbaFloats {
    /// For the chain to read.
    pub fn image(&self) -> Result<Image<'_>> {
        Image::rgba_floats(self.size.0, self.size.1, self.values())
    }

    /// For the chain to write.
    pub fn canvas(&mut self) -> Result<ImageMut<'_>> {
        let (width, height) = self.size;
        ImageMut::rgba_floats(width, height, self.values_mut())
    }
}

/// What swscale calls pixels that an encoder is given.
pub trait Format {
    /// In this machine's order of bytes.
    const FORMAT: Pixel;
}

impl Format for Grey8 {
    const FORMAT: Pixel = Pixel::GRAY8;
}

impl Format for Grey16 {
    const FORMAT: Pixel = if cfg!(target_endian = "big") { Pixel::GRAY16BE } else { Pixel::GRAY16LE };
}

impl Format for Rgba16 {
    const FORMAT: Pixel = if cfg!(target_endian = "big") { Pixel::RGBA64BE } else { Pixel::RGBA64LE };
}

impl<T: Pod, const CHANNELS: usize> Pixels for Samples<T, CHANNELS>
where
    Self: Format,
{
    fn size(&self) -> (u32, u32) {
        self.size
    }

    fn format(&self) -> Pixel {
        Self::FORMAT
    }

    fn stride(&self) -> usize {
        self.size.0 as usize * CHANNELS * size_of::<T>()
    }

    fn bytes(&self) -> &[u8] {
        bytemuck::cast_slice(&self.values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_have_no_gaps_and_something_follows_the_last_one() {
        let mut samples = Rgba16::default();
        samples.reshape((5, 3));
        assert_eq!((samples.values().len(), samples.stride()), (60, 40));
        assert_eq!(samples.bytes().len(), 120 + 64);
        samples.reshape((2, 1));
        assert_eq!((samples.values().len(), Pixels::size(&samples)), (8, (2, 1)));
    }
}
