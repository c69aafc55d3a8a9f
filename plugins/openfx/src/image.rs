//! A host's image, given back when it is dropped, and its pixels as views.

use std::ffi::CStr;
use std::marker::PhantomData;

use openfx_abi::*;
use plugin_common::pixels::{AlphaIs, Placed, Rect};
use plugin_common::{Error, Result};
use rotomask::frame::{FrameView, FrameViewMut, Layout, PixelFormat};

use crate::host::Suites;
use crate::props::Props;

/// An image that was fetched in this action.
pub struct Image<'a> {
    handle: OfxPropertySetHandle,
    suites: Suites,
    shape: Shape,
    _action: PhantomData<&'a ()>,
}

/// Where its pixels lie.
#[derive(Clone, Copy)]
struct Shape {
    format: PixelFormat,
    bounds: Rect,
    /// From a row to the one above it.
    row_bytes: isize,
    data: *mut u8,
}

impl Image<'_> {
    /// Takes over an image of the host's.
    ///
    /// # Errors
    /// If it lacks what is needed to read it. It is given back then.
    pub fn new(handle: OfxPropertySetHandle, suites: Suites) -> Result<Self> {
        // So that it is given back whatever comes.
        let blank = Shape {
            format: PixelFormat::Gray8,
            bounds: Rect::default(),
            row_bytes: 0,
            data: std::ptr::null_mut(),
        };
        let mut image = Self { handle, suites, shape: blank, _action: PhantomData };
        image.shape = image.read_shape()?;
        Ok(image)
    }

    fn props(&self) -> Props {
        Props::new(self.handle, self.suites.property)
    }

    fn read_shape(&self) -> Result<Shape> {
        let props = self.props();
        let lacks = |what: &CStr| Error::host(format!("image: the host gives no {}", what.to_string_lossy()));
        let text = |name: &CStr| props.text(name).ok_or_else(|| lacks(name));
        let [x1, y1, x2, y2] = props.ints(kOfxImagePropBounds).ok_or_else(|| lacks(kOfxImagePropBounds))?;
        let (depth, components) =
            (text(kOfxImageEffectPropPixelDepth)?, text(kOfxImageEffectPropComponents)?);
        let format = format(&depth, &components).ok_or_else(|| {
            Error::host(format!(
                "image: found {components} of {depth}, expected RGBA, RGB or Alpha of bytes, shorts, halves or floats"
            ))
        })?;
        let row_bytes = props.int(kOfxImagePropRowBytes, 0).ok_or_else(|| lacks(kOfxImagePropRowBytes))?;
        let data = props.pointer(kOfxImagePropData).ok_or_else(|| lacks(kOfxImagePropData))?;
        Ok(Shape {
            format,
            bounds: Rect { x1, y1, x2, y2 },
            row_bytes: row_bytes as isize,
            data: data.cast(),
        })
    }

    pub fn format(&self) -> PixelFormat {
        self.shape.format
    }

    pub fn bounds(&self) -> Rect {
        self.shape.bounds
    }

    /// The frame that the image is of, or a part of, in its own pixels. A host that doesn't say, or says what can't be,
    /// means the image.
    pub fn frame(&self) -> Rect {
        let stated = self.props().ints(kOfxImagePropRegionOfDefinition);
        let stated = stated.map(|[x1, y1, x2, y2]| Rect { x1, y1, x2, y2 });
        let can_be = |rect: &Rect| rect.size().is_ok() && !rect.meet(self.shape.bounds).is_empty();
        stated.filter(can_be).unwrap_or(self.shape.bounds)
    }

    /// How the colour stands to alpha, as the host says; `None` if it doesn't.
    pub fn alpha(&self) -> Option<AlphaIs> {
        let said = self.props().text(kOfxImageEffectPropPreMultiplication)?;
        let is = |name: &CStr| said.as_bytes() == name.to_bytes();
        match () {
            _ if is(kOfxImagePreMultiplied) => Some(AlphaIs::Premultiplied),
            _ if is(kOfxImageUnPreMultiplied) || is(kOfxImageOpaque) => Some(AlphaIs::Straight),
            _ => None,
        }
    }

    /// The image's pixels, to read.
    ///
    /// # Errors
    /// If they can't lie as the host says.
    pub fn placed(&self) -> Result<Placed<'_>> {
        let (layout, lowest) = self.span(self.shape.bounds)?;
        // SAFETY: the host vouches for all rows of the bounds until the image is given back, which `self` outlives; the
        // span is their exact hull.
        let bytes = unsafe { std::slice::from_raw_parts(lowest, layout.span_bytes()) };
        let view = FrameView::new(layout, bytes)?;
        Ok(Placed { view, bounds: self.shape.bounds, alpha: self.alpha().unwrap_or(AlphaIs::Straight) })
    }

    /// A part of the image, to write. What lies between its rows is never touched.
    ///
    /// # Errors
    /// If it is no part of the image, or pixels can't lie as the host says.
    pub fn part_mut(&mut self, part: Rect) -> Result<FrameViewMut<'_>> {
        if !self.shape.bounds.holds(part) || part.is_empty() {
            return Err(Error::host(format!(
                "the render window is {part:?}, expected a part of the output's {:?}",
                self.shape.bounds
            )));
        }
        let (layout, lowest) = self.span(part)?;
        // SAFETY: as in `placed`; the output is this action's alone.
        let bytes = unsafe { std::slice::from_raw_parts_mut(lowest, layout.span_bytes()) };
        Ok(FrameViewMut::new(layout, bytes)?)
    }

    /// The layout of a part of the image, the top row first, and its lowest address.
    fn span(&self, part: Rect) -> Result<(Layout, *mut u8)> {
        let Shape { format, bounds, row_bytes, data } = self.shape;
        // The host counts rows upwards.
        let layout = Layout::new(part.size()?, format, -row_bytes)?;
        let row = if row_bytes < 0 { part.y2 - 1 } else { part.y1 };
        let down = (row - bounds.y1) as isize * row_bytes;
        let across = (part.x1 - bounds.x1) as isize * format.bytes_per_pixel() as isize;
        // SAFETY: within the image whose rows the host vouches for.
        Ok((layout, unsafe { data.offset(down + across) }))
    }
}

impl Drop for Image<'_> {
    fn drop(&mut self) {
        if let Some(release) = self.suites.effect.clipReleaseImage {
            // SAFETY: it was fetched in this action, and is given back once.
            unsafe { release(self.handle) };
        }
    }
}

fn format(depth: &str, components: &str) -> Option<PixelFormat> {
    use PixelFormat::*;
    let all = [
        (kOfxImageComponentRGBA, [Rgba8, Rgba16, RgbaF16, RgbaF32]),
        (kOfxImageComponentRGB, [Rgb8, Rgb16, RgbF16, RgbF32]),
        (kOfxImageComponentAlpha, [Gray8, Gray16, GrayF16, GrayF32]),
    ];
    let depths = [kOfxBitDepthByte, kOfxBitDepthShort, kOfxBitDepthHalf, kOfxBitDepthFloat];
    let (_, formats) = all.iter().find(|(name, _)| name.to_bytes() == components.as_bytes())?;
    let at = depths.iter().position(|name| name.to_bytes() == depth.as_bytes())?;
    Some(formats[at])
}
