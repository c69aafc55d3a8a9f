//! A picture with its masks painted over it, each in a colour of its own with a line around it.

use crate::picture::Picture;

/// How much of a mask's colour is laid over the picture, of 256.
const TINT: u16 = 130;

/// Packed RGB.
pub(super) struct Overlay {
    width: usize,
    rgb: Vec<u8>,
}

impl Overlay {
    /// The picture in grey, so that colours are the masks'.
    pub(super) fn new(picture: &Picture) -> Self {
        let grey =
            |p: &[u8]| ((u32::from(p[0]) * 77 + u32::from(p[1]) * 150 + u32::from(p[2]) * 29) >> 8) as u8;
        let rows = (0..picture.height() as usize).flat_map(|y| picture.row(y).chunks_exact(4));
        Self { width: picture.width() as usize, rgb: rows.flat_map(|p| [grey(p); 3]).collect() }
    }

    /// Lays a colour over the pixels that are not 0.
    pub(super) fn paint(&mut self, inside: &[u8], colour: [u8; 3]) {
        let width = self.width;
        for (at, pixel) in self.rgb.chunks_exact_mut(3).enumerate().filter(|(at, _)| inside[*at] != 0) {
            let left = !at.is_multiple_of(width) && inside[at - 1] == 0;
            let right = !(at + 1).is_multiple_of(width) && inside[at + 1] == 0;
            let up = at >= width && inside[at - width] == 0;
            let down = at + width < inside.len() && inside[at + width] == 0;
            let tint = if left || right || up || down { 256 } else { TINT };
            for (value, colour) in pixel.iter_mut().zip(colour) {
                *value = ((u16::from(*value) * (256 - tint) + u16::from(colour) * tint) >> 8) as u8;
            }
        }
    }

    pub(super) fn rgb(&self) -> &[u8] {
        &self.rgb
    }
}

/// Colours far from those before them: around the colour circle by the golden angle, bright and less bright in turn.
pub(super) fn colour(place: usize) -> [u8; 3] {
    let hue = (place as f32 * 0.618_034).fract() * 6.0;
    let value = if place.is_multiple_of(2) { 255.0 } else { 190.0 };
    [5.0, 3.0, 1.0].map(|shift: f32| {
        let k = (shift + hue) % 6.0;
        (value * (1.0 - 0.85 * k.min(4.0 - k).clamp(0.0, 1.0))) as u8
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mask_is_tinted_inside_and_lined_at_its_edge_but_not_at_the_pictures() {
        let picture = Picture::from_packed(5, 1, &[100; 20]);
        let mut overlay = Overlay::new(&picture);
        overlay.paint(&[0, 255, 255, 255, 255], [200, 0, 100]);
        let red: Vec<u8> = overlay.rgb().chunks_exact(3).map(|p| p[0]).collect();
        assert_eq!(red, [100, 200, 150, 150, 150]);
    }

    #[test]
    fn neighbouring_colours_are_far_apart() {
        for place in 0..20 {
            let (a, b) = (colour(place), colour(place + 1));
            assert!(a.iter().zip(b).map(|(a, b)| u32::from(a.abs_diff(b))).sum::<u32>() > 100, "{a:?} {b:?}");
        }
    }
}
