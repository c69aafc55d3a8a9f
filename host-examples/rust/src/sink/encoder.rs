//! FFmpeg's encoders, the best first, and their settings.

use ffmpeg::{Dictionary, Rational, codec, color, encoder, ffi, format::Pixel};
use ffmpeg_next as ffmpeg;

use crate::{
    convert::{Colour, has_no_matrix},
    source::ClipInfo,
};

/// One encoder and how to run it.
pub struct Recipe {
    /// FFmpeg's name.
    pub name: &'static str,
    /// The pixels that it is given.
    pub format: Pixel,
    options: &'static [(&'static str, &'static str)],
    /// A constant quantiser, for encoders without a quality setting of their own.
    quantiser: Option<usize>,
    /// 4:2:0 in MP4 wants whole chroma samples: an odd side gains a pixel.
    pub even_sides: bool,
    /// The largest denominator of a time base that the format can say.
    max_ticks: i32,
    /// Whether 0..255 can be said in the file. Where it can't, 16..235 is written.
    full_range: bool,
}

impl Recipe {
    const fn new(
        name: &'static str,
        format: Pixel,
        options: &'static [(&'static str, &'static str)],
    ) -> Self {
        Self {
            name,
            format,
            options,
            quantiser: None,
            even_sides: false,
            max_ticks: i32::MAX,
            full_range: true,
        }
    }
}

/// Tried in this order; which there are depends on how FFmpeg was built.
///
/// x264 at crf 18 is what is commonly called visually lossless. At that quality `superfast` took 0.6 of
/// `veryfast`'s processor time on the demo clip at 1280x720; its price was a file 1.6 times as large, not a
/// worse picture (SSIM 0.991 against 0.990).
pub const H264: &[Recipe] = &[
    Recipe {
        even_sides: true,
        ..Recipe::new("libx264", Pixel::YUV420P, &[("preset", "superfast"), ("crf", "18")])
    },
    Recipe {
        even_sides: true,
        ..Recipe::new("libopenh264", Pixel::YUV420P, &[("rc_mode", "quality"), ("b", "12M")])
    },
    Recipe { even_sides: true, ..Recipe::new("h264_videotoolbox", Pixel::YUV420P, &[("b", "12M")]) },
    Recipe { even_sides: true, ..Recipe::new("h264_mf", Pixel::YUV420P, &[("b", "12M")]) },
    Recipe {
        even_sides: true,
        quantiser: Some(3),
        max_ticks: 65_535,
        full_range: false,
        ..Recipe::new("mpeg4", Pixel::YUV420P, &[])
    },
];

/// ProRes 4444 carries alpha beside 10-bit 4:4:4.
pub const PRORES: &[Recipe] = &[Recipe {
    full_range: false,
    ..Recipe::new(
        "prores_ks",
        Pixel::YUVA444P10LE,
        &[("profile", "4444"), ("vendor", "apl0"), ("alpha_bits", "16")],
    )
}];

/// Alpha is a second VP9 stream, which only libvpx's encoder writes.
pub const VP9: &[Recipe] = &[Recipe::new(
    "libvpx-vp9",
    Pixel::YUVA420P,
    &[("deadline", "realtime"), ("cpu-used", "7"), ("row-mt", "1"), ("crf", "20"), ("b", "0")],
)];

/// FFV1, which loses nothing: RGB with alpha as it is, without a detour through YCbCr. Version 3 of the format (RFC 9043) has
/// checksums and slices; a key frame every time, so that editors can go to any.
const FFV1_OPTIONS: &[(&str, &str)] = &[("level", "3"), ("g", "1"), ("slicecrc", "1")];

/// 8 bits a channel.
pub const FFV1: &[Recipe] = &[Recipe::new("ffv1", Pixel::BGRA, FFV1_OPTIONS)];
/// 16 bits a channel.
pub const FFV1_DEEP: &[Recipe] = &[Recipe::new("ffv1", Pixel::GBRAP16LE, FFV1_OPTIONS)];
/// Grey of 8 bits.
pub const FFV1_GREY: &[Recipe] = &[Recipe::new("ffv1", Pixel::GRAY8, FFV1_OPTIONS)];
/// Grey of 16 bits.
pub const FFV1_GREY_DEEP: &[Recipe] = &[Recipe::new("ffv1", Pixel::GRAY16LE, FFV1_OPTIONS)];

/// An encoder that is ready for frames.
pub struct Opened {
    pub encoder: encoder::video::Video,
    pub recipe: &'static Recipe,
    pub colour: Colour,
    pub time_base: Rational,
    pub width: u32,
    pub height: u32,
}

/// Opens the first of these that FFmpeg has and that agrees to run, or says why each did not.
pub fn open_first(recipes: &'static [Recipe], clip: &ClipInfo) -> Result<Opened, String> {
    let mut refusals = Vec::new();
    for recipe in recipes {
        match open(recipe, clip) {
            Ok(opened) => return Ok(opened),
            Err(e) => refusals.push(format!("{}: {e}", recipe.name)),
        }
    }
    Err(refusals.join("; "))
}

fn open(recipe: &'static Recipe, clip: &ClipInfo) -> Result<Opened, ffmpeg::Error> {
    let codec = encoder::find_by_name(recipe.name).ok_or(ffmpeg::Error::EncoderNotFound)?;
    let mut video = codec::Context::new_with_codec(codec).encoder().video()?;
    let mut colour = match has_no_matrix(recipe.format) {
        true => Colour { matrix: color::Space::RGB, full_range: true, ..clip.colour },
        false => clip.colour.for_ycbcr(),
    };
    colour.full_range &= recipe.full_range;
    let even = |side: u32| if recipe.even_sides { side.next_multiple_of(2) } else { side };
    let (width, height) = (even(clip.width), even(clip.height));
    let time_base = time_base(clip, recipe.max_ticks);

    video.set_width(width);
    video.set_height(height);
    video.set_format(recipe.format);
    video.set_aspect_ratio(clip.pixel_aspect);
    video.set_time_base(time_base);
    video.set_frame_rate(Some(clip.rate));
    video.set_colorspace(colour.matrix);
    video.set_color_range(if colour.full_range {
        ffmpeg::color::Range::JPEG
    } else {
        ffmpeg::color::Range::MPEG
    });
    video.set_color_primaries(colour.primaries);
    video.set_color_transfer_characteristic(colour.transfer);
    // 0: as many as the encoder thinks fit for the machine.
    video.set_threading(codec::threading::Config::count(0));
    let mut flags = codec::Flags::GLOBAL_HEADER;
    if let Some(quantiser) = recipe.quantiser {
        flags |= codec::Flags::QSCALE;
        video.set_quality(quantiser * ffi::FF_QP2LAMBDA as usize);
    }
    video.set_flags(flags);
    let mut options = Dictionary::new();
    for (key, value) in recipe.options {
        options.set(key, value);
    }
    let encoder = video.open_as_with(codec, options)?.0;
    Ok(Opened { encoder, recipe, colour, time_base, width, height })
}

/// The clip's own unit of time, where the format can say it. Otherwise the frame rate's, if every frame falls
/// on it anyway to a good approximation, or the finest there is.
fn time_base(clip: &ClipInfo, max_ticks: i32) -> Rational {
    if clip.time_base.denominator() <= max_ticks {
        clip.time_base
    } else {
        Rational(1, max_ticks.min(60_000))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::convert::Colour;

    fn clip(time_base: Rational) -> ClipInfo {
        ClipInfo {
            width: 321,
            height: 181,
            frames: None,
            time_base,
            rate: Rational(10, 1),
            pixel_aspect: Rational(1, 1),
            colour: Colour::srgb(),
        }
    }

    #[test]
    fn a_time_base_too_fine_for_the_format_is_replaced() {
        assert_eq!(time_base(&clip(Rational(1, 200_000)), 65_535), Rational(1, 60_000));
        assert_eq!(time_base(&clip(Rational(1, 200_000)), i32::MAX), Rational(1, 200_000));
    }

    #[test]
    fn an_encoder_that_ffmpeg_does_not_have_is_passed_over() {
        crate::source::start_ffmpeg().unwrap();
        const LIST: &[Recipe] = &[
            Recipe::new("no_such_encoder", Pixel::YUV420P, &[]),
            Recipe { even_sides: true, quantiser: Some(3), ..Recipe::new("mpeg4", Pixel::YUV420P, &[]) },
        ];
        let opened = open_first(LIST, &clip(Rational(1, 1000))).unwrap();
        assert_eq!((opened.recipe.name, opened.width, opened.height), ("mpeg4", 322, 182));
        let said = open_first(&LIST[..1], &clip(Rational(1, 1000))).err().unwrap();
        assert!(said.starts_with("no_such_encoder: "), "{said}");
    }
}
