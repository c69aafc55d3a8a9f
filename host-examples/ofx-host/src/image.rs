//! Images as a plugin meets them, with a guard around what it may write.

use openfx_abi::*;

use crate::clip::{Components, Depth, Form, Frames};
use crate::world::{Id, Image, world};

/// What memory holds that nobody has written.
pub const GUARD: u8 = 0xA5;

/// The lower left corner and the size of a frame in a form, in pixels.
pub fn bounds(size: [u32; 2], form: &Form) -> OfxRectI {
    let [w, h] = form.scaled(size);
    let [x1, y1] = form.offset;
    OfxRectI { x1, y1, x2: x1 + w as i32, y2: y1 + h as i32 }
}

/// The region of a clip's frames, in canonical coordinates.
pub fn region(frames: &dyn Frames, form: &Form) -> OfxRectD {
    let [w, h] = frames.size();
    let (x, y) =
        (f64::from(form.offset[0]) / form.scale * form.aspect, f64::from(form.offset[1]) / form.scale);
    OfxRectD { x1: x, y1: y, x2: x + f64::from(w) * form.aspect, y2: y + f64::from(h) }
}

/// An image of a frame; gives its handle.
pub fn of_frame(frames: &dyn Frames, frame: i64, form: &Form) -> Id {
    let (size, pixels) = (frames.size(), frames.pixels(frame));
    let scaled = form.scaled(size);
    let layout = Layout::of(scaled, form);
    let mut bytes = layout.memory();
    let all = bytes_of_mut(&mut bytes);
    for y in 0..scaled[1] {
        let row = layout.row(y);
        for x in 0..scaled[0] {
            let at = row + x as usize * form.pixel_bytes();
            form.put(form.pixel(pixels, size, x, y), &mut all[at..at + form.pixel_bytes()]);
        }
    }
    insert(bytes, &layout, bounds(size, form), form, form.has_soft_alpha, frame)
}

/// An image to be written; gives its handle.
pub fn blank(size: [u32; 2], form: &Form) -> Id {
    let layout = Layout::of(form.scaled(size), form);
    insert(layout.memory(), &layout, bounds(size, form), form, true, -1)
}

/// Where rows lie in an image's memory.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    rows: u32,
    stride: usize,
    row_bytes: usize,
    downwards: bool,
}

/// Bytes before the first and after the last row.
const MARGIN: usize = 64;

impl Layout {
    /// The layout of a picture of some size in a form.
    pub fn of([w, h]: [u32; 2], form: &Form) -> Self {
        let row_bytes = w as usize * form.pixel_bytes();
        let unit = form.depth.bytes();
        let stride = row_bytes + form.padding.next_multiple_of(unit);
        Self { rows: h, stride, row_bytes, downwards: form.downwards }
    }

    /// Where row `y`, counted from the top, begins.
    pub fn row(&self, y: u32) -> usize {
        let at = if self.downwards { y } else { self.rows - 1 - y };
        MARGIN + at as usize * self.stride
    }

    fn memory(&self) -> Box<[u64]> {
        let bytes = 2 * MARGIN + self.stride * self.rows as usize;
        vec![u64::from_ne_bytes([GUARD; 8]); bytes.div_ceil(8)].into()
    }

    /// Whether a byte of the memory is one of a window's pixels; rows are counted from the top.
    pub fn is_in(&self, at: usize, columns: std::ops::Range<usize>, rows: std::ops::Range<u32>) -> bool {
        rows.into_iter().any(|y| {
            let row = self.row(y);
            (row + columns.start..row + columns.end).contains(&at)
        })
    }

    /// Bytes of a row without padding.
    pub fn row_bytes(&self) -> usize {
        self.row_bytes
    }
}

fn bytes_of_mut(words: &mut [u64]) -> &mut [u8] {
    // SAFETY: any bytes make integers, and the length is the same memory's.
    unsafe { std::slice::from_raw_parts_mut(words.as_mut_ptr().cast(), size_of_val(words)) }
}

/// All bytes of an image's memory.
pub fn bytes_of(image: Id) -> Vec<u8> {
    let world = world();
    let Some(image) = world.images.get(&image) else { return Vec::new() };
    image.bytes.iter().flat_map(|word| word.to_ne_bytes()).collect()
}

fn insert(
    bytes: Box<[u64]>,
    layout: &Layout,
    bounds: OfxRectI,
    form: &Form,
    has_alpha: bool,
    frame: i64,
) -> Id {
    let mut world = world();
    let props = world.new_set();
    let lower_left = bytes.as_ptr() as usize + layout.row(layout.rows - 1);
    let stride = if layout.downwards { -(layout.stride as i64) } else { layout.stride as i64 };
    world.name(props, kOfxPropType, kOfxTypeImage);
    world.pointer(props, kOfxImagePropData, lower_left);
    world.ints(props, kOfxImagePropRowBytes, &[stride as i32]);
    let rect = [bounds.x1, bounds.y1, bounds.x2, bounds.y2];
    world.ints(props, kOfxImagePropBounds, &rect);
    world.ints(props, kOfxImagePropRegionOfDefinition, &rect);
    world.name(props, kOfxImageEffectPropPixelDepth, depth_name(form.depth));
    world.name(props, kOfxImageEffectPropComponents, components_name(form.components));
    world.name(props, kOfxImageEffectPropPreMultiplication, alpha_name(form, has_alpha));
    world.doubles(props, kOfxImageEffectPropRenderScale, &[form.scale, form.scale]);
    world.doubles(props, kOfxImagePropPixelAspectRatio, &[form.aspect]);
    world.name(props, kOfxImagePropField, kOfxImageFieldNone);
    world.texts(props, kOfxImagePropUniqueIdentifier, &[&format!("frame {frame}")]);
    world.images.insert(props, Image { bytes, props });
    props
}

/// The standard's name of a depth.
pub fn depth_name(depth: Depth) -> &'static std::ffi::CStr {
    match depth {
        Depth::Byte => kOfxBitDepthByte,
        Depth::Short => kOfxBitDepthShort,
        Depth::Half => kOfxBitDepthHalf,
        Depth::Float => kOfxBitDepthFloat,
    }
}

/// The standard's name of components.
pub fn components_name(components: Components) -> &'static std::ffi::CStr {
    match components {
        Components::Rgba => kOfxImageComponentRGBA,
        Components::Rgb => kOfxImageComponentRGB,
        Components::Alpha => kOfxImageComponentAlpha,
    }
}

/// The standard's name of how colour stands to alpha.
pub fn alpha_name(form: &Form, has_alpha: bool) -> &'static std::ffi::CStr {
    match (form.components, has_alpha, form.premultiplied) {
        (Components::Rgba, true, true) => kOfxImagePreMultiplied,
        (Components::Rgba, true, false) => kOfxImageUnPreMultiplied,
        _ => kOfxImageOpaque,
    }
}

/// Lets go of an image and its memory.
pub fn drop_image(image: Id) {
    let mut world = world();
    world.images.remove(&image);
    world.sets.remove(&image);
}
