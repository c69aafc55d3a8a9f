//! What is shown of an object: its mask, its box, or clicks as a person would make them.
//!
//! Clicks follow SAM 2's evaluation: the first one in the middle of the object, each further one in the middle of
//! what is wrong, which is the pixel furthest from the border of what was missed or of what is too much.

use clap::ValueEnum;

use crate::dataset::Region;

/// What the model is shown of an object on the first frame, taken from its true mask.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PromptKind {
    /// The mask itself
    Mask,
    /// The tight box
    Box,
    /// One click where the object is widest
    #[value(alias = "click")]
    Click1,
    /// Three clicks, two of them on what is wrong
    Click3,
    /// Five clicks, four of them on what is wrong
    Click5,
}

impl PromptKind {
    /// How many clicks it makes.
    pub fn clicks(self) -> usize {
        match self {
            Self::Mask | Self::Box => 0,
            Self::Click1 => 1,
            Self::Click3 => 3,
            Self::Click5 => 5,
        }
    }

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Mask => "mask",
            Self::Box => "box",
            Self::Click1 => "click1",
            Self::Click3 => "click3",
            Self::Click5 => "click5",
        }
    }
}

/// A click in pixels of its frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Click {
    /// Column and row.
    pub at: [f32; 2],
    /// On the object, or on what is not.
    pub positive: bool,
}

/// The click that a person would make to correct `found`: in the middle of the larger error. `None` if nothing is
/// wrong. With an empty `found` it is the first click, in the middle of the object. Both are of the same size.
pub fn next_click(truth: &Region, found: &Region) -> Option<Click> {
    let missed = widest(&truth.combine(found, |truth, found| truth && !found));
    let excess = widest(&truth.combine(found, |truth, found| found && !truth));
    let positive = missed.0 > excess.0;
    let (distance, place) = if positive { missed } else { excess };
    let at = [(place % truth.width().max(1)) as f32, (place / truth.width().max(1)) as f32];
    (distance > 0).then_some(Click { at, positive })
}

/// The tight box: left, top, and one past the last column and row. `None` of an empty region.
pub fn tight_box(region: &Region) -> Option<[f32; 4]> {
    region.bounds().map(|edges| edges.map(|edge| edge as f32))
}

/// The squared distance and the place of the pixel that is furthest from everything outside the region and from
/// the picture's edge; among several the topmost, then the leftmost.
fn widest(region: &Region) -> (u64, usize) {
    let mut best = (0, 0);
    for (place, &distance) in squared_distances(region).iter().enumerate() {
        if distance > best.0 {
            best = (distance, place);
        }
    }
    best
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

    fn first_click(shape: &Region) -> Option<[f32; 2]> {
        let click = next_click(shape, &Region::new(shape.width() as u32, vec![false; shape.pixels().len()]));
        assert!(click.is_none_or(|click| click.positive));
        click.map(|click| click.at)
    }

    #[test]
    fn the_first_click_lands_where_the_object_is_widest() {
        let shape = region(&[
            "...............",
            ".##...#####....",
            ".########### ..",
            ".##...#####....",
            ".......###.....",
        ]);
        assert_eq!(first_click(&shape), Some([7.0, 2.0]));
    }

    #[test]
    fn the_pictures_edge_is_outside() {
        assert_eq!(first_click(&region(&["#####", "#####", "#####"])), Some([1.0, 1.0]));
        assert_eq!(first_click(&region(&["...", "..."])), None);
    }

    #[test]
    fn a_correction_lands_in_the_larger_error_and_says_which_it_is() {
        let truth = region(&["###......", "###......", "###......", "........."]);
        let found = region(&["......###", "......###", "......###", "........."]);
        // Both errors are as wide; what is too much comes first then, as in the reference.
        assert_eq!(next_click(&truth, &found), Some(Click { at: [7.0, 1.0], positive: false }));
        let found = region(&[".........", "......##.", "......##.", "........."]);
        assert_eq!(next_click(&truth, &found), Some(Click { at: [1.0, 1.0], positive: true }));
        assert_eq!(next_click(&truth, &truth), None);
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
}
