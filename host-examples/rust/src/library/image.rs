//! Pixels that are lent to the library for a call.

use std::marker::PhantomData;

use super::api;
use crate::{Error, Result, picture::Picture};

/// Pixels to read.
pub struct Image<'a> {
    pub(super) raw: api::rotomask_frame,
    lent: PhantomData<&'a [u8]>,
}

/// Pixels to write.
pub struct ImageMut<'a> {
    pub(super) raw: api::rotomask_canvas,
    lent: PhantomData<&'a mut [u8]>,
}

impl<'a> Image<'a> {
    /// One byte a pixel, rows without gaps.
    ///
    /// # Errors
    /// If there are fewer than `width * height`.
    pub fn gray(width: u32, height: u32, pixels: &'a [u8]) -> Result<Self> {
        check(width, height, pixels.len())?;
        Ok(Self::new(api::ROTOMASK_FORMAT_GRAY8, [width, height], width as usize, pixels.as_ptr()))
    }

    /// One float a pixel, rows without gaps.
    ///
    /// # Errors
    /// If there are fewer than `width * height`.
    pub fn floats(width: u32, height: u32, pixels: &'a [f32]) -> Result<Self> {
        check(width, height, pixels.len())?;
        Ok(Self::new(
            api::ROTOMASK_FORMAT_GRAY_F32,
            [width, height],
            width as usize * 4,
            pixels.as_ptr().cast(),
        ))
    }

    /// A number from 0 to 65535 a pixel, rows without gaps.
    ///
    /// # Errors
    /// If there are fewer than `width * height`.
    pub fn gray16(width: u32, height: u32, pixels: &'a [u16]) -> Result<Self> {
        check(width, height, pixels.len())?;
        let stride = width as usize * 2;
        Ok(Self::new(api::ROTOMASK_FORMAT_GRAY16, [width, height], stride, pixels.as_ptr().cast()))
    }

    /// Red, green, blue and alpha from 0 to 65535, straight, rows without gaps.
    ///
    /// # Errors
    /// If there are fewer than `width * height * 4` numbers.
    pub fn rgba16(width: u32, height: u32, samples: &'a [u16]) -> Result<Self> {
        check(width, height, samples.len() / 4)?;
        let stride = width as usize * 8;
        Ok(Self::new(api::ROTOMASK_FORMAT_RGBA16, [width, height], stride, samples.as_ptr().cast()))
    }

    /// Red, green, blue and alpha as floats, straight, rows without gaps.
    ///
    /// # Errors
    /// If there are fewer than `width * height * 4` numbers.
    pub fn rgba_floats(width: u32, height: u32, samples: &'a [f32]) -> Result<Self> {
        check(width, height, samples.len() / 4)?;
        let stride = width as usize * 16;
        Ok(Self::new(api::ROTOMASK_FORMAT_RGBA_F32, [width, height], stride, samples.as_ptr().cast()))
    }

    fn new(format: u32, [width, height]: [u32; 2], stride: usize, pixels: *const u8) -> Self {
        let raw = api::rotomask_frame {
            struct_size: size_of::<api::rotomask_frame>() as u32,
            format,
            width_px: width,
            height_px: height,
            stride_bytes: stride as i64,
            pixels: pixels.cast(),
        };
        Self { raw, lent: PhantomData }
    }
}

impl<'a> From<&'a Picture> for Image<'a> {
    fn from(picture: &'a Picture) -> Self {
        let size = [picture.width(), picture.height()];
        Self::new(api::ROTOMASK_FORMAT_RGBA8, size, picture.stride(), picture.bytes().as_ptr())
    }
}

impl<'a> ImageMut<'a> {
    /// One byte a pixel, rows without gaps.
    ///
    /// # Errors
    /// If there is room for fewer than `width * height`.
    pub fn gray(width: u32, height: u32, pixels: &'a mut [u8]) -> Result<Self> {
        check(width, height, pixels.len())?;
        Ok(Self::new(api::ROTOMASK_FORMAT_GRAY8, [width, height], width as usize, pixels.as_mut_ptr()))
    }

    /// One float a pixel, rows without gaps.
    ///
    /// # Errors
    /// If there is room for fewer than `width * height`.
    pub fn floats(width: u32, height: u32, pixels: &'a mut [f32]) -> Result<Self> {
        check(width, height, pixels.len())?;
        let stride = width as usize * 4;
        Ok(Self::new(api::ROTOMASK_FORMAT_GRAY_F32, [width, height], stride, pixels.as_mut_ptr().cast()))
    }

    /// A number from 0 to 65535 a pixel, rows without gaps.
    ///
    /// # Errors
    /// If there is room for fewer than `width * height`.
    pub fn gray16(width: u32, height: u32, pixels: &'a mut [u16]) -> Result<Self> {
        check(width, height, pixels.len())?;
        let stride = width as usize * 2;
        Ok(Self::new(api::ROTOMASK_FORMAT_GRAY16, [width, height], stride, pixels.as_mut_ptr().cast()))
    }

    /// Red, green, blue and alpha from 0 to 65535, rows without gaps.
    ///
    /// # Errors
    /// If there is room for fewer than `width * height * 4` numbers.
    pub fn rgba16(width: u32, height: u32, samples: &'a mut [u16]) -> Result<Self> {
        check(width, height, samples.len() / 4)?;
        let stride = width as usize * 8;
        Ok(Self::new(api::ROTOMASK_FORMAT_RGBA16, [width, height], stride, samples.as_mut_ptr().cast()))
    }

    /// Red, green, blue and alpha as floats, rows without gaps.
    ///
    /// # Errors
    /// If there is room for fewer than `width * height * 4` numbers.
    pub fn rgba_floats(width: u32, height: u32, samples: &'a mut [f32]) -> Result<Self> {
        check(width, height, samples.len() / 4)?;
        let stride = width as usize * 16;
        Ok(Self::new(api::ROTOMASK_FORMAT_RGBA_F32, [width, height], stride, samples.as_mut_ptr().cast()))
    }

    fn new(format: u32, [width, height]: [u32; 2], stride: usize, pixels: *mut u8) -> Self {
        let raw = api::rotomask_canvas {
            struct_size: size_of::<api::rotomask_canvas>() as u32,
            format,
            width_px: width,
            height_px: height,
            stride_bytes: stride as i64,
            pixels: pixels.cast(),
        };
        Self { raw, lent: PhantomData }
    }
}

impl<'a> From<&'a mut Picture> for ImageMut<'a> {
    fn from(picture: &'a mut Picture) -> Self {
        let (size, stride) = ([picture.width(), picture.height()], picture.stride());
        Self::new(api::ROTOMASK_FORMAT_RGBA8, size, stride, picture.bytes_mut().as_mut_ptr())
    }
}

fn check(width: u32, height: u32, found: usize) -> Result<()> {
    match (width as usize).checked_mul(height as usize) {
        Some(wanted) if wanted <= found => Ok(()),
        _ => Err(Error::Bug("an image has fewer pixels than its size says")),
    }
}
