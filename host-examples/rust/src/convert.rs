//! Between FFmpeg's pixel formats and [`Picture`], by swscale, with the matrix and range that the video states.

use std::ptr::{self, NonNull};

use ffmpeg_next::{color, ffi, format::Pixel, frame};

use crate::picture::Picture;

/// From this height on, a video that doesn't state its matrix is taken for Rec.709, below for Rec.601: what
/// players do.
const HD_HEIGHT: u32 = 720;

/// How a video's numbers mean colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Colour {
    /// The matrix between YCbCr and RGB. [`color::Space::RGB`] where there is none.
    pub matrix: color::Space,
    /// True: 0..255, false: 16..235.
    pub full_range: bool,
    /// Carried from the input to the output untouched.
    pub primaries: color::Primaries,
    /// Carried from the input to the output untouched.
    pub transfer: color::TransferCharacteristic,
}

impl Colour {
    /// What still pictures are: sRGB.
    pub fn srgb() -> Self {
        Self {
            matrix: color::Space::RGB,
            full_range: true,
            primaries: color::Primaries::BT709,
            transfer: color::TransferCharacteristic::IEC61966_2_1,
        }
    }

    /// What a decoded frame states, and the usual guess where it states nothing.
    pub fn of(frame: &frame::Video) -> Self {
        let rgb = frame.format().descriptor().is_some_and(|d| is_rgb(d.as_ptr()));
        let jpeg = matches!(
            frame.format(),
            Pixel::YUVJ420P | Pixel::YUVJ422P | Pixel::YUVJ444P | Pixel::YUVJ440P | Pixel::YUVJ411P
        );
        let matrix = match frame.color_space() {
            _ if rgb => color::Space::RGB,
            color::Space::Unspecified | color::Space::Reserved | color::Space::RGB => {
                if frame.height() >= HD_HEIGHT { color::Space::BT709 } else { color::Space::SMPTE170M }
            }
            stated => stated,
        };
        Self {
            matrix,
            full_range: rgb || jpeg || frame.color_range() == color::Range::JPEG,
            primaries: frame.color_primaries(),
            transfer: frame.color_transfer_characteristic(),
        }
    }

    /// The same colours in a YCbCr output, which needs a matrix: Rec.709 limited for what was RGB.
    pub fn for_ycbcr(self) -> Self {
        match self.matrix {
            color::Space::RGB => Self { matrix: color::Space::BT709, full_range: false, ..self },
            _ => self,
        }
    }

    /// swscale's number for the matrix. It knows the constant-luminance kinds only by their plain relatives.
    fn coefficients(self) -> i32 {
        match self.matrix {
            color::Space::BT709 => ffi::SWS_CS_ITU709,
            color::Space::FCC => ffi::SWS_CS_FCC,
            color::Space::SMPTE240M => ffi::SWS_CS_SMPTE240M,
            color::Space::BT2020NCL | color::Space::BT2020CL => ffi::SWS_CS_BT2020,
            _ => ffi::SWS_CS_ITU601,
        }
    }
}

/// Whether a format holds red, green and blue, or grey alone: what has no matrix.
pub(crate) fn has_no_matrix(format: Pixel) -> bool {
    let grey = matches!(format, Pixel::GRAY8 | Pixel::GRAY16LE);
    grey || format.descriptor().is_some_and(|descriptor| is_rgb(descriptor.as_ptr()))
}

fn is_rgb(descriptor: *const ffi::AVPixFmtDescriptor) -> bool {
    // SAFETY: FFmpeg's descriptors are static and never change.
    unsafe { (*descriptor).flags & ffi::AV_PIX_FMT_FLAG_RGB as u64 != 0 }
}

/// Rows of packed pixels that an encoder can be given, the top row first.
pub trait Pixels {
    /// Columns and rows.
    fn size(&self) -> (u32, u32);
    /// What swscale calls them.
    fn format(&self) -> Pixel;
    /// Bytes from a row to the next.
    fn stride(&self) -> usize;
    /// All rows, and behind the last one as much as vector loops read too far: 64 bytes.
    fn bytes(&self) -> &[u8];
}

impl Pixels for Picture {
    fn size(&self) -> (u32, u32) {
        (self.width(), self.height())
    }

    fn format(&self) -> Pixel {
        Pixel::RGBA
    }

    fn stride(&self) -> usize {
        Picture::stride(self)
    }

    fn bytes(&self) -> &[u8] {
        Picture::bytes(self)
    }
}

/// Changes pixels of one format and size to another format of the same size.
pub struct Converter {
    context: NonNull<ffi::SwsContext>,
    from: Shape,
    to: Shape,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Shape {
    format: Pixel,
    width: u32,
    height: u32,
    colour: Colour,
}

// SAFETY: a SwsContext has no ties to the thread that made it, and `&mut self` keeps it to one at a time.
unsafe impl Send for Converter {}

impl Converter {
    /// From decoded frames to pictures. `None` if swscale can't read the format.
    pub fn to_picture(frame: &frame::Video, colour: Colour) -> Option<Self> {
        let from = Shape { format: frame.format(), width: frame.width(), height: frame.height(), colour };
        Self::new(from, Shape { format: Pixel::RGBA, colour: Colour::srgb(), ..from })
    }

    /// From pictures to frames for an encoder. `None` if swscale can't write the format.
    pub fn from_picture(width: u32, height: u32, format: Pixel, colour: Colour) -> Option<Self> {
        Self::from_pixels(Pixel::RGBA, width, height, format, colour)
    }

    /// From [`Pixels`] of the format `given`, RGB or grey, to frames for an encoder. `None` if swscale can't.
    pub fn from_pixels(given: Pixel, width: u32, height: u32, format: Pixel, colour: Colour) -> Option<Self> {
        let to = Shape { format, width, height, colour };
        Self::new(Shape { format: given, colour: Colour::srgb(), ..to }, to)
    }

    fn new(from: Shape, to: Shape) -> Option<Self> {
        // Sizes are equal, so that the only filter is chroma's: bilinear, over two samples.
        let flags = ffi::SWS_BILINEAR;
        // One side is RGB or grey, and has no matrix.
        let ycbcr = if from.colour.matrix == color::Space::RGB { to.colour } else { from.colour };
        // SAFETY: plain numbers go in; the context that comes out is ours, and checked for null. The
        // coefficient tables are static.
        unsafe {
            let context = NonNull::new(ffi::sws_getContext(
                i32::try_from(from.width).ok()?,
                i32::try_from(from.height).ok()?,
                from.format.into(),
                i32::try_from(to.width).ok()?,
                i32::try_from(to.height).ok()?,
                to.format.into(),
                flags as _,
                ptr::null_mut(),
                ptr::null_mut(),
                ptr::null(),
            ))?;
            let table = ffi::sws_getCoefficients(ycbcr.coefficients());
            // It answers -1 where no matrix is involved, as from RGB to RGB; nothing is wrong then.
            ffi::sws_setColorspaceDetails(
                context.as_ptr(),
                table,
                i32::from(from.colour.full_range),
                table,
                i32::from(to.colour.full_range),
                0,
                1 << 16,
                1 << 16,
            );
            Some(Self { context, from, to })
        }
    }

    /// Whether this converter was made for such frames.
    pub fn reads(&self, frame: &frame::Video, colour: Colour) -> bool {
        self.from == Shape { format: frame.format(), width: frame.width(), height: frame.height(), colour }
    }

    /// Fills `picture`, which takes the frame's size. False if swscale refuses.
    pub fn read(&mut self, frame: &frame::Video, picture: &mut Picture) -> bool {
        if (frame.format(), frame.width(), frame.height())
            != (self.from.format, self.from.width, self.from.height)
        {
            return false;
        }
        picture.reshape(self.to.width, self.to.height);
        let Ok(stride) = i32::try_from(picture.stride()) else { return false };
        // SAFETY: the frame has this context's format and size, checked above; the picture was just given its
        // size, and its padding takes what vector loops write past a row's end.
        unsafe {
            let source = &*frame.as_ptr();
            ffi::sws_scale(
                self.context.as_ptr(),
                source.data.as_ptr().cast(),
                source.linesize.as_ptr(),
                0,
                self.from.height as i32,
                [picture.bytes_mut().as_mut_ptr(), ptr::null_mut(), ptr::null_mut(), ptr::null_mut()]
                    .as_ptr(),
                [stride, 0, 0, 0].as_ptr(),
            ) == self.to.height as i32
        }
    }

    /// Fills `frame`, which must be writable. False if format or size differ, or swscale refuses.
    pub fn write(&mut self, pixels: &impl Pixels, frame: &mut frame::Video) -> bool {
        let wanted = (self.to.format, self.to.width, self.to.height);
        let given = (pixels.format(), pixels.size());
        let enough = pixels.stride().saturating_mul(self.from.height as usize) <= pixels.bytes().len();
        if (frame.format(), frame.width(), frame.height()) != wanted
            || given != (self.from.format, (self.from.width, self.from.height))
            || !enough
        {
            return false;
        }
        let Ok(stride) = i32::try_from(pixels.stride()) else { return false };
        // SAFETY: both formats and sizes were checked above; FFmpeg allocated the frame with the padding that its own
        // loops need, and `Pixels` promises theirs.
        unsafe {
            let target = &mut *frame.as_mut_ptr();
            ffi::sws_scale(
                self.context.as_ptr(),
                [pixels.bytes().as_ptr(), ptr::null(), ptr::null(), ptr::null()].as_ptr(),
                [stride, 0, 0, 0].as_ptr(),
                0,
                self.from.height as i32,
                target.data.as_ptr(),
                target.linesize.as_ptr(),
            ) == self.to.height as i32
        }
    }
}

impl Drop for Converter {
    fn drop(&mut self) {
        // SAFETY: it came from sws_getContext and is freed once.
        unsafe { ffi::sws_freeContext(self.context.as_ptr()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pure red by the formulas of Rec.709 and Rec.601, in 8 bits; limited range has 219 and 224 steps.
    #[test]
    fn red_has_the_numbers_that_each_standard_gives_it() {
        for (matrix, full_range, ycbcr) in [
            (color::Space::BT709, false, [63, 102, 240]),
            (color::Space::SMPTE170M, false, [81, 90, 240]),
            (color::Space::BT709, true, [54, 99, 255]),
            (color::Space::SMPTE170M, true, [76, 85, 255]),
        ] {
            let colour = Colour { matrix, full_range, ..Colour::srgb() };
            let red = Picture::from_packed(34, 6, &[255, 0, 0, 255].repeat(34 * 6));
            let mut frame = frame::Video::new(Pixel::YUV420P, 34, 6);
            let mut converter = Converter::from_picture(34, 6, Pixel::YUV420P, colour).unwrap();
            assert!(converter.write(&red, &mut frame));
            for (plane, wanted) in ycbcr.into_iter().enumerate() {
                let found: u8 = frame.data(plane)[frame.stride(plane) + 3];
                assert!(
                    found.abs_diff(wanted) <= 1,
                    "{matrix:?} {full_range} plane {plane}: {found}, {wanted}"
                );
            }

            let mut back = Picture::default();
            assert!(Converter::to_picture(&frame, colour).unwrap().read(&frame, &mut back));
            for (channel, wanted) in [255u8, 0, 0, 255].into_iter().enumerate() {
                let found = back.row(3)[17 * 4 + channel];
                assert!(found.abs_diff(wanted) <= 3, "{matrix:?} {full_range} channel {channel}: {found}");
            }
        }
    }

    #[test]
    fn a_frame_of_another_shape_is_refused() {
        let colour = Colour::srgb().for_ycbcr();
        let mut converter = Converter::from_picture(34, 6, Pixel::YUV420P, colour).unwrap();
        let mut frame = frame::Video::new(Pixel::YUV420P, 32, 6);
        assert!(!converter.write(&Picture::new(34, 6), &mut frame));
        assert!(!converter.write(&Picture::new(32, 6), &mut frame));
        assert!(!converter.read(&frame, &mut Picture::default()));
    }

    #[test]
    fn what_is_not_stated_is_guessed_by_height() {
        let guess = |height| Colour::of(&frame::Video::new(Pixel::YUV420P, 64, height)).matrix;
        assert_eq!((guess(718), guess(720)), (color::Space::SMPTE170M, color::Space::BT709));
        let rgb = Colour::of(&frame::Video::new(Pixel::RGB24, 64, 64));
        assert_eq!((rgb.matrix, rgb.full_range), (color::Space::RGB, true));
        assert!(Colour::of(&frame::Video::new(Pixel::YUVJ420P, 64, 64)).full_range);
    }
}
