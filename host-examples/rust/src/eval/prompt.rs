//! What is shown of an object on the first frame: its mask, a click, or a box.

use clap::ValueEnum;

use super::measure::Region;

/// What the model is shown of an object, taken from its true mask.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PromptKind {
    /// The mask itself
    Mask,
    /// One click where the object is widest
    Click1,
    /// The tight box
    Box,
}

/// The pixel that is furthest from everything outside the object and from the picture's edge; among several the
/// topmost, then the leftmost. `None` of an empty region.
pub fn widest_place(region: &Region) -> Option<[f32; 2]> {
    let (width, distances) = (region.width(), squared_distances(region));
    let mut best = (0, 0);
    for (place, &distance) in distances.iter().enumerate() {
        if distance > best.0 {
            best = (distance, place);
        }
    }
    (best.0 > 0).then(|| [(best.1 % width) as f32, (best.1 / width) as f32])
}

/// Left, top, and one past the last column and row. `None` of an empty region.
pub fn tight_box(region: &Region) -> Option<[f32; 4]> {
    let mut edges: Option<[usize; 4]> = None;
    for (place, _) in region.pixels().iter().enumerate().filter(|(_, inside)| **inside) {
        let (x, y) = (place % region.width(), place / region.width());
        let [x0, y0, x1, y1] = edges.unwrap_or([x, y, x, y]);
        edges = Some([x0.min(x), y0.min(y), x1.max(x + 1), y1.max(y + 1)]);
    }
    edges.map(|edges| edges.map(|edge| edge as f32))
}

/// The squared distance from each pixel to the nearest that is outside, in pixels; all around the picture is
/// outside.
fn squared_distances(region: &Region) -> Vec<u64> {
    let (width, height) = (region.width(), region.height());
    // Down and up each column, then along each row the least of what its columns offer.
    let mut columns = vec![0u64; width * height];
    for x in 0..width {
        let mut above = 0;
        for y in 0..height {
            above = if region.pixels()[y * width + x] { above + 1 } else { 0 };
            columns[y * width + x] = above;
        }
        let mut below = 0;
        for y in (0..height).rev() {
            below = if region.pixels()[y * width + x] { below + 1 } else { 0 };
            columns[y * width + x] = columns[y * width + x].min(below);
        }
    }
    let mut distances = vec![0; width * height];
    for (row, result) in columns.chunks(width.max(1)).zip(distances.chunks_mut(width.max(1))) {
        for (x, least) in result.iter_mut().enumerate() {
            let edge = (x + 1).min(width - x) as u64;
            *least = (edge * edge).min(row[x] * row[x]);
            // A column further away than the least so far can't be nearer.
            let mut away = 1;
            while away * away < *least {
                for column in [x.checked_sub(away as usize), Some(x + away as usize)].into_iter().flatten() {
                    if let Some(&down) = row.get(column) {
                        *least = (*least).min(away * away + down * down);
                    }
                }
                away += 1;
            }
        }
    }
    distances
}

#[cfg(test)]
mod tests {
    use super::*;

    fn region(rows: &[&str]) -> Region {
        let width = rows[0].len() as u32;
        Region::new(width, rows.iter().flat_map(|row| row.bytes()).map(|pixel| pixel == b'#').collect())
    }

    #[test]
    fn the_click_lands_where_the_object_is_widest() {
        let shape = region(&[
            "...............",
            ".##...#####....",
            ".########### ..",
            ".##...#####....",
            ".......###.....",
        ]);
        assert_eq!(widest_place(&shape), Some([7.0, 2.0]));
    }

    #[test]
    fn the_pictures_edge_is_outside() {
        assert_eq!(widest_place(&region(&["#####", "#####", "#####"])), Some([1.0, 1.0]));
    }

    #[test]
    fn distances_equal_those_of_a_plain_search() {
        let (width, height) = (23i64, 17i64);
        let inside = |x: i64, y: i64| {
            (0..width).contains(&x) && (0..height).contains(&y) && (x * 7 + y * 5) % 19 != 0 && x + y > 6
        };
        let pixels = (0..height).flat_map(|y| (0..width).map(move |x| inside(x, y))).collect();
        let found = squared_distances(&Region::new(width as u32, pixels));
        for y in 0..height {
            for x in 0..width {
                let others = (-1..=height).flat_map(|v| (-1..=width).map(move |u| (u, v)));
                let outside = others.filter(|&(u, v)| !inside(u, v));
                let least = outside.map(|(u, v)| (u - x).pow(2) + (v - y).pow(2)).min().unwrap();
                assert_eq!(found[(y * width + x) as usize], least as u64, "at {x},{y}");
            }
        }
    }

    #[test]
    fn the_box_holds_all_pixels_and_an_empty_object_has_none() {
        let shape = region(&[".....", "..#..", ".#..."]);
        assert_eq!(tight_box(&shape), Some([1.0, 1.0, 3.0, 3.0]));
        let empty = region(&["...", "..."]);
        assert_eq!((tight_box(&empty), widest_place(&empty)), (None, None));
    }
}
