//! Turning frames upright: phones store them as the sensor lies and add a note on how to show them.

use ffmpeg_next::{Stream, codec::packet::side_data};
use image::{ImageBuffer, Rgba, imageops, metadata::Orientation};

use crate::picture::Picture;

/// What a stream's display matrix asks for. `None` if it is neither a quarter turn nor a mirror image.
pub fn of_stream(stream: &Stream<'_>) -> Option<Orientation> {
    let note = stream.side_data().find(|data| data.kind() == side_data::Type::DisplayMatrix);
    let Some(note) = note else { return Some(Orientation::NoTransforms) };
    let mut entries = [0i32; 9];
    for (entry, bytes) in entries.iter_mut().zip(note.data().chunks_exact(4)) {
        *entry = i32::from_ne_bytes(bytes.try_into().ok()?);
    }
    of_matrix(&entries)
}

/// Rows `(a b u) (c d v) (x y w)`, 16.16 fixed point: a point (p, q) of the stored picture is shown at
/// (a p + c q + x, b p + d q + y), y downwards.
fn of_matrix(entries: &[i32; 9]) -> Option<Orientation> {
    let [a, b, _, c, d, ..] = entries.map(i32::signum);
    Some(match (a, b, c, d) {
        (1, 0, 0, 1) => Orientation::NoTransforms,
        (0, 1, -1, 0) => Orientation::Rotate90,
        (-1, 0, 0, -1) => Orientation::Rotate180,
        (0, -1, 1, 0) => Orientation::Rotate270,
        (-1, 0, 0, 1) => Orientation::FlipHorizontal,
        (1, 0, 0, -1) => Orientation::FlipVertical,
        (0, 1, 1, 0) => Orientation::Rotate90FlipH,
        (0, -1, -1, 0) => Orientation::Rotate270FlipH,
        _ => return None,
    })
}

/// Whether width and height change places.
pub fn swaps_sides(orientation: Orientation) -> bool {
    use Orientation::{Rotate90, Rotate90FlipH, Rotate270, Rotate270FlipH};
    matches!(orientation, Rotate90 | Rotate270 | Rotate90FlipH | Rotate270FlipH)
}

/// Turns a picture upright.
pub fn apply(orientation: Orientation, picture: &mut Picture) {
    if orientation == Orientation::NoTransforms {
        return;
    }
    let packed = picture.to_packed();
    let Some(stored) = ImageBuffer::<Rgba<u8>, _>::from_raw(picture.width(), picture.height(), packed) else {
        return;
    };
    let shown = match orientation {
        Orientation::NoTransforms => stored,
        Orientation::Rotate90 => imageops::rotate90(&stored),
        Orientation::Rotate180 => imageops::rotate180(&stored),
        Orientation::Rotate270 => imageops::rotate270(&stored),
        Orientation::FlipHorizontal => imageops::flip_horizontal(&stored),
        Orientation::FlipVertical => imageops::flip_vertical(&stored),
        Orientation::Rotate90FlipH => imageops::flip_horizontal(&imageops::rotate90(&stored)),
        Orientation::Rotate270FlipH => imageops::flip_horizontal(&imageops::rotate270(&stored)),
    };
    *picture = Picture::from_packed(shown.width(), shown.height(), shown.as_raw());
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: i32 = 1 << 16;

    /// Where the matrix itself sends the stored picture's corners, shifted to begin at zero.
    fn shown_by_matrix(m: &[i32; 9], width: i32, height: i32, (p, q): (i32, i32)) -> (i32, i32) {
        let at = |p: i32, q: i32| ((m[0] / ONE) * p + (m[3] / ONE) * q, (m[1] / ONE) * p + (m[4] / ONE) * q);
        let corners = [at(0, 0), at(width - 1, 0), at(0, height - 1), at(width - 1, height - 1)];
        let left = corners.map(|c| c.0).into_iter().min().unwrap_or(0);
        let top = corners.map(|c| c.1).into_iter().min().unwrap_or(0);
        let (x, y) = at(p, q);
        (x - left, y - top)
    }

    #[test]
    fn all_eight_orientations_put_pixels_where_the_matrix_says() {
        for (a, b, c, d) in [
            (1, 0, 0, 1),
            (0, 1, -1, 0),
            (-1, 0, 0, -1),
            (0, -1, 1, 0),
            (-1, 0, 0, 1),
            (1, 0, 0, -1),
            (0, 1, 1, 0),
            (0, -1, -1, 0),
        ] {
            let matrix = [a * ONE, b * ONE, 0, c * ONE, d * ONE, 0, 0, 0, 1 << 30];
            let (width, height) = (5u32, 3u32);
            let packed: Vec<u8> = (0..width * height).flat_map(|n| [n as u8, 0, 0, 255]).collect();
            let mut picture = Picture::from_packed(width, height, &packed);
            let orientation = of_matrix(&matrix).unwrap();
            apply(orientation, &mut picture);
            assert_eq!(picture.width() == height, swaps_sides(orientation), "{orientation:?}");
            for q in 0..height {
                for p in 0..width {
                    let (x, y) = shown_by_matrix(&matrix, width as i32, height as i32, (p as i32, q as i32));
                    let found = picture.row(y as usize)[x as usize * 4];
                    assert_eq!(u32::from(found), q * width + p, "{orientation:?} at {p},{q}");
                }
            }
        }
    }

    #[test]
    fn an_oblique_matrix_is_not_guessed_at() {
        let (cos, sin) = (ONE * 4 / 5, ONE * 3 / 5);
        assert_eq!(of_matrix(&[cos, sin, 0, -sin, cos, 0, 0, 0, 1 << 30]), None);
    }
}
