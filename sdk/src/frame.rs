//! The host's pixels, seen without copying: size, signed stride, format.

mod alpha;

pub use alpha::{is_opaque_row, premultiply_row, put_channel};
use rayon::prelude::*;

use crate::error::{Error, Result};

/// The longest side of a frame that is taken, in pixels.
pub const MAX_SIDE_PX: u32 = 16384;

/// Width and height, in pixels. Neither is zero nor above [`MAX_SIDE_PX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Size {
    /// Columns.
    pub width_px: u32,
    /// Rows.
    pub height_px: u32,
}

impl Size {
    /// A size that a frame can have.
    ///
    /// # Errors
    /// [`Error::Frame`] if either side is zero or above [`MAX_SIDE_PX`].
    pub fn new(width_px: u32, height_px: u32) -> Result<Self> {
        let side = 1..=MAX_SIDE_PX;
        if !side.contains(&width_px) || !side.contains(&height_px) {
            return Err(Error::Frame(format!(
                "its size is {width_px}x{height_px}, expected sides from 1 to {MAX_SIDE_PX} pixels"
            )));
        }
        Ok(Self { width_px, height_px })
    }

    /// How many pixels there are.
    pub fn area_px(self) -> usize {
        self.width_px as usize * self.height_px as usize
    }

    /// Columns, as an index.
    pub fn width(self) -> usize {
        self.width_px as usize
    }

    /// Rows, as an index.
    pub fn height(self) -> usize {
        self.height_px as usize
    }
}

impl std::fmt::Display for Size {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}x{}", self.width_px, self.height_px)
    }
}

/// How a pixel lies in memory. Colour is encoded by the host's transfer function and straight (not premultiplied).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[allow(missing_docs)]
pub enum PixelFormat {
    /// Red, green, blue, alpha, a byte each; the other names follow suit.
    Rgba8,
    Bgra8,
    Rgb8,
    /// One byte: coverage from 0 to 255, or a mask.
    Gray8,
    /// Two native-endian bytes a channel, 0 to 65535.
    Rgba16,
    Bgra16,
    Rgb16,
    Gray16,
    /// One native-endian IEEE half a channel. Colour may leave the range from 0 to 1.
    RgbaF16,
    BgraF16,
    RgbF16,
    GrayF16,
    /// One native-endian `f32` a channel. Colour may leave the range from 0 to 1.
    RgbaF32,
    BgraF32,
    RgbF32,
    /// One native-endian `f32`: coverage from 0 to 1, or a logit.
    GrayF32,
}

/// What a pixel's channels are, in the order in which they lie in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Channels {
    /// Red, green, blue, alpha.
    Rgba,
    /// Blue, green, red, alpha.
    Bgra,
    /// Red, green, blue.
    Rgb,
    /// Coverage, or a logit.
    Gray,
}

/// What a channel's number is, native-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Depth {
    /// A byte; 255 is 1.
    U8,
    /// A `u16`; 65535 is 1.
    U16,
    /// An IEEE half.
    F16,
    /// An `f32`.
    F32,
}

impl Depth {
    /// Bytes of one channel.
    pub fn bytes(self) -> usize {
        match self {
            Self::U8 => 1,
            Self::U16 | Self::F16 => 2,
            Self::F32 => 4,
        }
    }

    /// The bytes of a channel that is 1.
    pub(crate) fn full(self) -> &'static [u8] {
        const HALF: [u8; 2] = half::f16::ONE.to_ne_bytes();
        const FLOAT: [u8; 4] = 1f32.to_ne_bytes();
        match self {
            Self::U8 => &[255],
            Self::U16 => &[255; 2],
            Self::F16 => &HALF,
            Self::F32 => &FLOAT,
        }
    }
}

impl PixelFormat {
    /// What the channels are, and in which order they lie.
    pub fn channels(self) -> Channels {
        match self {
            Self::Rgba8 | Self::Rgba16 | Self::RgbaF16 | Self::RgbaF32 => Channels::Rgba,
            Self::Bgra8 | Self::Bgra16 | Self::BgraF16 | Self::BgraF32 => Channels::Bgra,
            Self::Rgb8 | Self::Rgb16 | Self::RgbF16 | Self::RgbF32 => Channels::Rgb,
            Self::Gray8 | Self::Gray16 | Self::GrayF16 | Self::GrayF32 => Channels::Gray,
        }
    }

    /// What a channel's number is.
    pub fn depth(self) -> Depth {
        match self {
            Self::Rgba8 | Self::Bgra8 | Self::Rgb8 | Self::Gray8 => Depth::U8,
            Self::Rgba16 | Self::Bgra16 | Self::Rgb16 | Self::Gray16 => Depth::U16,
            Self::RgbaF16 | Self::BgraF16 | Self::RgbF16 | Self::GrayF16 => Depth::F16,
            Self::RgbaF32 | Self::BgraF32 | Self::RgbF32 | Self::GrayF32 => Depth::F32,
        }
    }

    /// How many channels there are.
    pub fn channel_count(self) -> usize {
        match self.channels() {
            Channels::Rgba | Channels::Bgra => 4,
            Channels::Rgb => 3,
            Channels::Gray => 1,
        }
    }

    /// Bytes from one pixel to the next.
    pub fn bytes_per_pixel(self) -> usize {
        self.channel_count() * self.depth().bytes()
    }

    /// Which of the channels are red, green and blue, or `None` where there is no colour.
    pub fn rgb_offsets(self) -> Option<[usize; 3]> {
        match self.channels() {
            Channels::Rgba | Channels::Rgb => Some([0, 1, 2]),
            Channels::Bgra => Some([2, 1, 0]),
            Channels::Gray => None,
        }
    }

    /// Which of the channels is alpha, if any is.
    pub fn alpha_offset(self) -> Option<usize> {
        matches!(self.channels(), Channels::Rgba | Channels::Bgra).then_some(3)
    }
}

/// Channel `i` of packed native-endian numbers, on a scale from 0 to 1 where whole numbers are.
#[inline]
pub fn channel(bytes: &[u8], depth: Depth, i: usize) -> f32 {
    let two = |i: usize| [bytes[2 * i], bytes[2 * i + 1]];
    match depth {
        Depth::U8 => f32::from(bytes[i]) / 255.0,
        Depth::U16 => f32::from(u16::from_ne_bytes(two(i))) / 65535.0,
        Depth::F16 => half::f16::from_ne_bytes(two(i)).to_f32(),
        Depth::F32 => {
            f32::from_ne_bytes([bytes[4 * i], bytes[4 * i + 1], bytes[4 * i + 2], bytes[4 * i + 3]])
        }
    }
}

/// The shape of an image in memory: what is needed to find a pixel, and no pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Columns and rows.
    pub size: Size,
    /// What a pixel is.
    pub format: PixelFormat,
    /// From a row's first byte to the next row's. Negative where the bottom row lies first in memory.
    pub stride_bytes: isize,
}

impl Layout {
    /// A layout whose rows do not overlap.
    ///
    /// # Errors
    /// [`Error::Frame`] if the stride is shorter than a row, or the image does not fit in the address space.
    pub fn new(size: Size, format: PixelFormat, stride_bytes: isize) -> Result<Self> {
        let row = size.width() * format.bytes_per_pixel();
        if stride_bytes.unsigned_abs() < row && size.height_px > 1 {
            return Err(Error::Frame(format!(
                "its stride is {stride_bytes} bytes, expected at least {row} for {} pixels of {format:?}",
                size.width_px
            )));
        }
        let span =
            stride_bytes.unsigned_abs().checked_mul(size.height() - 1).and_then(|s| s.checked_add(row));
        if span.is_none_or(|s| s > isize::MAX as usize) {
            return Err(Error::Frame(format!(
                "its stride is {stride_bytes} bytes: {size} does not fit in memory"
            )));
        }
        let unit = format.depth().bytes();
        if size.height_px > 1 && !stride_bytes.unsigned_abs().is_multiple_of(unit) {
            return Err(Error::Frame(format!(
                "its stride is {stride_bytes} bytes, expected a multiple of {unit} for pixels of {format:?}"
            )));
        }
        Ok(Self { size, format, stride_bytes })
    }

    /// Rows without gaps, the top row first.
    pub fn packed(size: Size, format: PixelFormat) -> Self {
        Self { size, format, stride_bytes: (size.width() * format.bytes_per_pixel()) as isize }
    }

    /// Bytes from the lowest to the highest address that belongs to the image.
    pub fn span_bytes(self) -> usize {
        self.stride_bytes.unsigned_abs() * (self.size.height() - 1) + self.row_bytes()
    }

    /// Where the first pixel of the top row lies, counted from the lowest address.
    pub fn top_bytes(self) -> usize {
        if self.stride_bytes < 0 { self.stride_bytes.unsigned_abs() * (self.size.height() - 1) } else { 0 }
    }

    fn row_bytes(self) -> usize {
        self.size.width() * self.format.bytes_per_pixel()
    }

    fn row_range(self, y: usize) -> std::ops::Range<usize> {
        let start = self.top_bytes().wrapping_add_signed(self.stride_bytes * y as isize);
        start..start + self.row_bytes()
    }

    fn check(self, bytes: &[u8]) -> Result<()> {
        let (found, want) = (bytes.len(), self.span_bytes());
        if found < want {
            return Err(Error::Frame(format!(
                "it has {found} bytes, expected {want} for {} of {:?}",
                self.size, self.format
            )));
        }
        let unit = self.format.depth().bytes();
        if !(bytes.as_ptr() as usize).is_multiple_of(unit) {
            return Err(Error::Frame(format!(
                "its {:?} pixels are not aligned to {unit} bytes",
                self.format
            )));
        }
        Ok(())
    }
}

/// Somebody else's pixels, to read.
#[derive(Clone, Copy, Debug)]
pub struct FrameView<'a> {
    layout: Layout,
    bytes: &'a [u8],
}

impl<'a> FrameView<'a> {
    /// `bytes` begins at the image's lowest address, whichever the stride's sign.
    ///
    /// # Errors
    /// [`Error::Frame`] if `bytes` is shorter than the layout's span, or f32 pixels are misaligned.
    pub fn new(layout: Layout, bytes: &'a [u8]) -> Result<Self> {
        layout.check(bytes)?;
        Ok(Self { layout, bytes })
    }

    /// The image's shape.
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// Columns and rows.
    pub fn size(&self) -> Size {
        self.layout.size
    }

    /// What a pixel is.
    pub fn format(&self) -> PixelFormat {
        self.layout.format
    }

    /// A part of the image, its top left pixel in column `x_px` and row `y_px`.
    ///
    /// # Errors
    /// [`Error::Frame`] if it does not lie within the image.
    pub fn crop(&self, x_px: u32, y_px: u32, size: Size) -> Result<FrameView<'a>> {
        let (whole, fits) = (self.size(), |at: u32, side: u32, all: u32| side <= all && at <= all - side);
        if !fits(x_px, size.width_px, whole.width_px) || !fits(y_px, size.height_px, whole.height_px) {
            return Err(Error::Frame(format!(
                "a part of {size} at {x_px}, {y_px}, expected one within {whole}"
            )));
        }
        let layout = Layout::new(size, self.layout.format, self.layout.stride_bytes)?;
        let edges = [y_px, y_px + size.height_px - 1].map(|y| self.layout.row_range(y as usize).start);
        let lowest = edges[0].min(edges[1]) + x_px as usize * self.layout.format.bytes_per_pixel();
        Self::new(layout, &self.bytes[lowest..lowest + layout.span_bytes()])
    }

    /// The bytes of row `y`, counted from the top, without padding.
    pub fn row(&self, y: usize) -> &'a [u8] {
        &self.bytes[self.layout.row_range(y)]
    }

    /// Hands over the image with 8 bits a channel, rounded and cut to the range from 0 to 1 where it has more.
    pub(crate) fn with_8_bits<T>(&self, read: impl FnOnce(FrameView<'_>) -> T) -> T {
        let eight = match self.format().channels() {
            _ if self.format().depth() == Depth::U8 => return read(*self),
            Channels::Rgba => PixelFormat::Rgba8,
            Channels::Bgra => PixelFormat::Bgra8,
            Channels::Rgb => PixelFormat::Rgb8,
            Channels::Gray => PixelFormat::Gray8,
        };
        let layout = Layout::packed(self.size(), eight);
        let (depth, samples) = (self.format().depth(), self.size().width() * eight.bytes_per_pixel());
        let mut bytes = Vec::with_capacity(layout.span_bytes());
        for row in (0..self.size().height()).map(|y| self.row(y)) {
            // A number that is none becomes 0.
            bytes
                .extend((0..samples).map(|i| (channel(row, depth, i) * 255.0 + 0.5).clamp(0.0, 255.0) as u8));
        }
        read(FrameView { layout, bytes: &bytes })
    }
}

/// Somebody else's pixels, to write.
#[derive(Debug)]
pub struct FrameViewMut<'a> {
    layout: Layout,
    bytes: &'a mut [u8],
}

impl<'a> FrameViewMut<'a> {
    /// `bytes` begins at the image's lowest address, whichever the stride's sign.
    ///
    /// # Errors
    /// [`Error::Frame`] if `bytes` is shorter than the layout's span, or f32 pixels are misaligned.
    pub fn new(layout: Layout, bytes: &'a mut [u8]) -> Result<Self> {
        layout.check(bytes)?;
        Ok(Self { layout, bytes })
    }

    /// The image's shape.
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// Columns and rows.
    pub fn size(&self) -> Size {
        self.layout.size
    }

    /// What a pixel is.
    pub fn format(&self) -> PixelFormat {
        self.layout.format
    }

    /// The bytes of row `y`, counted from the top, without padding. Padding is never touched.
    pub fn row_mut(&mut self, y: usize) -> &mut [u8] {
        let range = self.layout.row_range(y);
        &mut self.bytes[range]
    }

    /// All rows with their places from the top, without padding, for many threads at once.
    pub fn par_rows_mut(&mut self) -> impl ParallelIterator<Item = (usize, &mut [u8])> {
        let Layout { size, stride_bytes, .. } = self.layout;
        let (row, last) = (self.layout.row_bytes(), size.height() - 1);
        // The stride of a single row may be anything.
        let step = stride_bytes.unsigned_abs().max(row);
        let rows = self.bytes[..self.layout.span_bytes()].par_chunks_mut(step).enumerate();
        rows.map(move |(i, bytes)| (if stride_bytes < 0 { last - i } else { i }, &mut bytes[..row]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wide() -> Size {
        Size::new(5, 3).unwrap()
    }

    #[test]
    fn rows_for_many_threads_are_the_rows_from_the_top() {
        for stride in [17isize, -15, 15, -31] {
            let layout = Layout::new(wide(), PixelFormat::Rgb8, stride).unwrap();
            let (mut all, mut one) = (vec![7u8; layout.span_bytes()], vec![7u8; layout.span_bytes()]);
            FrameViewMut::new(layout, &mut all)
                .unwrap()
                .par_rows_mut()
                .for_each(|(y, row)| row.fill(y as u8));
            let mut view = FrameViewMut::new(layout, &mut one).unwrap();
            (0..3).for_each(|y| view.row_mut(y).fill(y as u8));
            assert_eq!(all, one, "{stride}");
        }
    }

    #[test]
    fn a_padded_row_ends_before_its_padding() {
        let bytes: Vec<u8> = (0..3 * 7).collect();
        let view = FrameView::new(Layout::new(wide(), PixelFormat::Gray8, 7).unwrap(), &bytes).unwrap();
        assert_eq!(view.row(0), [0, 1, 2, 3, 4]);
        assert_eq!(view.row(2), [14, 15, 16, 17, 18]);
    }

    #[test]
    fn a_negative_stride_puts_the_top_row_last_in_memory() {
        let bytes: Vec<u8> = (0..3 * 7).collect();
        let view = FrameView::new(Layout::new(wide(), PixelFormat::Gray8, -7).unwrap(), &bytes).unwrap();
        assert_eq!(view.row(0), [14, 15, 16, 17, 18]);
        assert_eq!(view.row(2), [0, 1, 2, 3, 4]);
    }

    #[test]
    fn a_part_of_an_image_has_its_rows_whichever_way_they_lie() {
        let bytes: Vec<u8> = (0..3 * 7).collect();
        for (stride, rows) in [(7, [[8, 9, 10], [15, 16, 17]]), (-7, [[8, 9, 10], [1, 2, 3]])] {
            let view =
                FrameView::new(Layout::new(wide(), PixelFormat::Gray8, stride).unwrap(), &bytes).unwrap();
            let part = view.crop(1, 1, Size::new(3, 2).unwrap()).unwrap();
            assert_eq!([part.row(0), part.row(1)], rows);
            let said = view.crop(3, 1, Size::new(3, 2).unwrap()).unwrap_err().to_string();
            assert_eq!(said, "frame: a part of 3x2 at 3, 1, expected one within 5x3");
            assert!(view.crop(u32::MAX, 0, Size::new(1, 1).unwrap()).is_err());
        }
    }

    #[test]
    fn writing_a_row_leaves_its_padding_alone() {
        let mut bytes = vec![9u8; 3 * 7];
        let mut view =
            FrameViewMut::new(Layout::new(wide(), PixelFormat::Gray8, -7).unwrap(), &mut bytes).unwrap();
        view.row_mut(1).fill(1);
        assert_eq!(bytes[7..14], [1, 1, 1, 1, 1, 9, 9]);
        assert_eq!(bytes.iter().filter(|&&b| b == 9).count(), 16);
    }

    #[test]
    fn a_stride_shorter_than_a_row_is_refused_with_both_numbers() {
        let said = Layout::new(wide(), PixelFormat::Rgb8, 14).unwrap_err().to_string();
        assert_eq!(said, "frame: its stride is 14 bytes, expected at least 15 for 5 pixels of Rgb8");
    }

    #[test]
    fn a_frame_with_too_few_bytes_is_refused_with_both_numbers() {
        let layout = Layout::packed(wide(), PixelFormat::Rgba8);
        let said = FrameView::new(layout, &[0; 59]).unwrap_err().to_string();
        assert_eq!(said, "frame: it has 59 bytes, expected 60 for 5x3 of Rgba8");
    }

    #[test]
    fn a_size_of_zero_or_beyond_the_limit_is_refused() {
        for (w, h) in [(0, 4), (4, 0), (16385, 4), (4, u32::MAX)] {
            assert!(Size::new(w, h).unwrap_err().to_string().contains("expected sides from 1 to 16384"));
        }
    }

    #[test]
    fn a_stride_of_the_most_negative_number_does_not_overflow() {
        assert!(Layout::new(wide(), PixelFormat::Gray8, isize::MIN).is_err());
    }
}
