//! A drawing of pixels, with letters of its own, so that no font of the system is needed.

use font8x8::{BASIC_FONTS, UnicodeFonts};
use image::{ImageEncoder, Rgb, RgbImage, codecs::png::PngEncoder};

use super::chart::{Anchor, Colour, Pen};
use crate::{Error, Result};

/// Pixels to a unit of the drawing.
const SCALE: f64 = 2.0;

/// A letter's width and height in its own pixels.
pub const LETTER: u32 = 8;

/// An RGB picture that is drawn on.
pub struct Raster {
    picture: RgbImage,
}

impl Raster {
    /// An empty drawing.
    pub fn new([width, height]: [f64; 2]) -> Self {
        let side = |units: f64| (units * SCALE).ceil() as u32;
        Self { picture: RgbImage::from_pixel(side(width), side(height), Rgb([255; 3])) }
    }

    /// The whole file.
    ///
    /// # Errors
    /// If it can't be encoded.
    pub fn png(&self) -> Result<Vec<u8>> {
        encode(&self.picture)
    }

    /// Paints where `distance` from the shape is below nothing, and in part half a pixel further.
    fn paint(&mut self, [x0, y0, x1, y1]: [f64; 4], colour: Colour, distance: impl Fn(f64, f64) -> f64) {
        let clamp = |value: f64, most: u32| value.clamp(0.0, f64::from(most)) as u32;
        let (width, height) = self.picture.dimensions();
        for y in clamp(y0.floor() - 1.0, height)..clamp(y1.ceil() + 2.0, height) {
            for x in clamp(x0.floor() - 1.0, width)..clamp(x1.ceil() + 2.0, width) {
                let share = (0.5 - distance(f64::from(x) + 0.5, f64::from(y) + 0.5)).clamp(0.0, 1.0);
                let pixel = self.picture.get_pixel_mut(x, y);
                for (channel, ink) in pixel.0.iter_mut().zip(colour) {
                    *channel = (f64::from(*channel) * (1.0 - share) + f64::from(ink) * share).round() as u8;
                }
            }
        }
    }
}

impl Pen for Raster {
    fn line(&mut self, points: &[[f64; 2]], colour: Colour, width: f64) {
        let half = width * SCALE / 2.0;
        for pair in points.windows(2) {
            let [[ax, ay], [bx, by]] = [pair[0], pair[1]].map(|[x, y]| [x * SCALE, y * SCALE]);
            let (dx, dy) = (bx - ax, by - ay);
            let length = (dx * dx + dy * dy).max(1e-9);
            let edges = [ax.min(bx) - half, ay.min(by) - half, ax.max(bx) + half, ay.max(by) + half];
            self.paint(edges, colour, |x, y| {
                let along = (((x - ax) * dx + (y - ay) * dy) / length).clamp(0.0, 1.0);
                (x - ax - along * dx).hypot(y - ay - along * dy) - half
            });
        }
    }

    fn dot(&mut self, [x, y]: [f64; 2], radius: f64, colour: Colour) {
        let (cx, cy, r) = (x * SCALE, y * SCALE, radius * SCALE);
        self.paint([cx - r, cy - r, cx + r, cy + r], colour, |x, y| (x - cx).hypot(y - cy) - r);
    }

    fn text(&mut self, [x, y]: [f64; 2], anchor: Anchor, text: &str) {
        let scale = SCALE as u32;
        let width = f64::from(text_width(text) * scale);
        let left = x * SCALE
            - match anchor {
                Anchor::Start => 0.0,
                Anchor::Middle => width / 2.0,
                Anchor::End => width,
            };
        let top = y * SCALE - f64::from((LETTER - 1) * scale);
        write(&mut self.picture, [left.max(0.0) as u32, top.max(0.0) as u32], scale, [60; 3], text);
    }
}

/// How wide a text is, in letters' own pixels.
pub fn text_width(text: &str) -> u32 {
    text.chars().count() as u32 * LETTER
}

/// Writes a text with its upper left corner at a pixel; what lies outside the picture is left out.
pub fn write(picture: &mut RgbImage, [left, top]: [u32; 2], scale: u32, colour: Colour, text: &str) {
    for (place, letter) in text.chars().enumerate() {
        let rows = BASIC_FONTS.get(letter).or_else(|| BASIC_FONTS.get('?')).unwrap_or_default();
        for y in 0..LETTER * scale {
            for x in 0..LETTER * scale {
                if rows[(y / scale) as usize] >> (x / scale) & 1 == 0 {
                    continue;
                }
                let at = (left + place as u32 * LETTER * scale + x, top + y);
                if at.0 < picture.width() && at.1 < picture.height() {
                    picture.put_pixel(at.0, at.1, Rgb(colour));
                }
            }
        }
    }
}

/// A picture as PNG.
///
/// # Errors
/// If it can't be encoded.
pub fn encode(picture: &RgbImage) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    PngEncoder::new(&mut bytes)
        .write_image(picture, picture.width(), picture.height(), image::ExtendedColorType::Rgb8)
        .map_err(|_| Error::Bug("a picture could not be encoded in memory"))?;
    Ok(bytes)
}
