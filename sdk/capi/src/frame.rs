//! Raw pixels become views at the door.

use std::slice;

use engine::frame::{FrameView, FrameViewMut, Layout, PixelFormat, Size};

use crate::sized::taken;
use crate::status::{Failure, ROTOMASK_ERROR_FRAME};
use crate::types::*;

fn layout(
    format: rotomask_format,
    width_px: u32,
    height_px: u32,
    stride_bytes: i64,
) -> Result<Layout, Failure> {
    let format = match format {
        ROTOMASK_FORMAT_RGBA8 => PixelFormat::Rgba8,
        ROTOMASK_FORMAT_BGRA8 => PixelFormat::Bgra8,
        ROTOMASK_FORMAT_RGB8 => PixelFormat::Rgb8,
        ROTOMASK_FORMAT_GRAY8 => PixelFormat::Gray8,
        ROTOMASK_FORMAT_RGBA16 => PixelFormat::Rgba16,
        ROTOMASK_FORMAT_BGRA16 => PixelFormat::Bgra16,
        ROTOMASK_FORMAT_RGB16 => PixelFormat::Rgb16,
        ROTOMASK_FORMAT_GRAY16 => PixelFormat::Gray16,
        ROTOMASK_FORMAT_RGBA_F16 => PixelFormat::RgbaF16,
        ROTOMASK_FORMAT_BGRA_F16 => PixelFormat::BgraF16,
        ROTOMASK_FORMAT_RGB_F16 => PixelFormat::RgbF16,
        ROTOMASK_FORMAT_GRAY_F16 => PixelFormat::GrayF16,
        ROTOMASK_FORMAT_RGBA_F32 => PixelFormat::RgbaF32,
        ROTOMASK_FORMAT_BGRA_F32 => PixelFormat::BgraF32,
        ROTOMASK_FORMAT_RGB_F32 => PixelFormat::RgbF32,
        ROTOMASK_FORMAT_GRAY_F32 => PixelFormat::GrayF32,
        other => {
            let message = format!("frame: its format is {other}, expected a ROTOMASK_FORMAT");
            return Err(Failure::new(ROTOMASK_ERROR_FRAME, message));
        }
    };
    let stride = isize::try_from(stride_bytes).map_err(|_| {
        Failure::new(
            ROTOMASK_ERROR_FRAME,
            format!("frame: its stride is {stride_bytes} bytes, beyond memory"),
        )
    })?;
    Ok(Layout::new(Size::new(width_px, height_px)?, format, stride)?)
}

/// Borrows the host's pixels to read.
///
/// # Safety
/// `frame` is null or valid for reads, and so is every row that it describes, for as long as the result lives.
pub(crate) unsafe fn view<'a>(frame: *const rotomask_frame, name: &str) -> Result<FrameView<'a>, Failure> {
    // SAFETY: the caller's promise.
    let frame = unsafe { taken(frame, name) }?;
    let layout = layout(frame.format, frame.width_px, frame.height_px, frame.stride_bytes)?;
    if frame.pixels.is_null() {
        return Err(Failure::null(&format!("{name}.pixels")));
    }
    // SAFETY: the caller vouches for the rows; `span_bytes` is their exact hull, and a negative stride has its
    // lowest row last, `top_bytes` below the pointer.
    let bytes = unsafe {
        let lowest = frame.pixels.cast::<u8>().sub(layout.top_bytes());
        slice::from_raw_parts(lowest, layout.span_bytes())
    };
    Ok(FrameView::new(layout, bytes)?)
}

/// Borrows the host's pixels to write.
///
/// # Safety
/// `canvas` is null or valid for reads, and every row that it describes is valid for reads and writes and used by
/// nobody else for as long as the result lives.
pub(crate) unsafe fn view_mut<'a>(
    canvas: *const rotomask_canvas,
    name: &str,
) -> Result<FrameViewMut<'a>, Failure> {
    // SAFETY: the caller's promise.
    let canvas = unsafe { taken(canvas, name) }?;
    let layout = layout(canvas.format, canvas.width_px, canvas.height_px, canvas.stride_bytes)?;
    if canvas.pixels.is_null() {
        return Err(Failure::null(&format!("{name}.pixels")));
    }
    // SAFETY: as in `view`.
    let bytes = unsafe {
        let lowest = canvas.pixels.cast::<u8>().sub(layout.top_bytes());
        slice::from_raw_parts_mut(lowest, layout.span_bytes())
    };
    Ok(FrameViewMut::new(layout, bytes)?)
}
