//! A frame in parts, so that one of any size fits into bounded memory.

use rayon::prelude::*;

use super::job::Window;
use crate::frame::{FrameViewMut, Size};

/// Where parts begin and end, so that squares of wide blurs lie alike in all of them.
const GRID: u32 = super::gaussian::MAX_FACTOR as u32;

/// A part of the result, and what has to be calculated for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Part {
    /// What is kept.
    pub inner: Window,
    /// With all that the inner part's pixels depend on.
    pub outer: Window,
}

impl Part {
    /// Columns and rows of the outer part.
    pub fn size(&self) -> Size {
        self.outer.size
    }

    /// The inner part's first pixel in the outer one.
    pub fn inset(&self) -> [u32; 2] {
        [self.inner.x_px - self.outer.x_px, self.inner.y_px - self.outer.y_px]
    }
}

/// Where a part lies, and its inner part in the result.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub part: Part,
    pub at: [u32; 2],
}

impl Place {
    /// The inner part's rows, counted from its top, where they lie in the result, whose first pixel is the window's.
    pub fn rows<'r>(
        &self,
        result: &'r mut FrameViewMut<'_>,
    ) -> impl ParallelIterator<Item = (usize, &'r mut [u8])> {
        let (inner, bytes) = (self.part.inner.size, result.format().bytes_per_pixel());
        let (left, top) = (self.at[0] as usize * bytes, self.at[1] as usize);
        let rows = result.par_rows_mut().filter(move |(y, _)| (top..top + inner.height()).contains(y));
        rows.map(move |(y, row)| (y - top, &mut row[left..left + inner.width() * bytes]))
    }

    /// Where a row of the inner part begins in the outer one.
    pub fn outer_row(&self, y: usize) -> usize {
        let [x, top] = self.part.inset();
        (top as usize + y) * self.part.size().width() + x as usize
    }
}

/// Cuts a window of a frame into parts whose pixels depend on others at most `reach_px` away, none of which, with those,
/// is larger than `most_px` where that can be.
pub(super) fn parts(frame: Size, window: Window, reach_px: u32, most_px: usize) -> Vec<Part> {
    let (mut columns, mut rows) = (window.size.width_px, window.size.height_px);
    while area_with_reach(columns, rows, frame, reach_px) > most_px as u64 {
        // Wide parts suit memory, as long as they are not much wider than high.
        if rows > GRID && rows * 2 >= columns {
            rows = rows.div_ceil(2).next_multiple_of(GRID);
        } else if columns > GRID {
            columns = columns.div_ceil(2).next_multiple_of(GRID);
        } else {
            break;
        }
    }
    let mut parts = Vec::new();
    for y in starts(window.y_px, window.size.height_px, rows) {
        for x in starts(window.x_px, window.size.width_px, columns) {
            let inner = Window {
                x_px: x.start,
                y_px: y.start,
                size: Size { width_px: x.end - x.start, height_px: y.end - y.start },
            };
            let [left, width] = around(x.clone(), reach_px, frame.width_px);
            let [top, height] = around(y.clone(), reach_px, frame.height_px);
            let outer = Window { x_px: left, y_px: top, size: Size { width_px: width, height_px: height } };
            parts.push(Part { inner, outer });
        }
    }
    parts
}

/// Pixels of a part and all that it depends on, at most.
fn area_with_reach(columns: u32, rows: u32, frame: Size, reach_px: u32) -> u64 {
    let with_reach =
        |side: u32, all: u32| (u64::from(side) + 2 * u64::from(reach_px + GRID)).min(u64::from(all));
    with_reach(columns, frame.width_px) * with_reach(rows, frame.height_px)
}

/// Pixels of the smallest part, with all that it depends on.
pub(super) fn least_px(frame: Size, reach_px: u32) -> u64 {
    area_with_reach(GRID, GRID, frame, reach_px)
}

fn starts(first: u32, all: u32, step: u32) -> impl Iterator<Item = std::ops::Range<u32>> {
    (first..first + all).step_by(step as usize).map(move |at| at..(at + step).min(first + all))
}

/// First and count of a range with its reach, on the grid, within the frame.
fn around(range: std::ops::Range<u32>, reach_px: u32, all: u32) -> [u32; 2] {
    let first = range.start.saturating_sub(reach_px) / GRID * GRID;
    let end = range.end.saturating_add(reach_px).next_multiple_of(GRID).min(all);
    [first, end - first]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(x_px: u32, y_px: u32, width_px: u32, height_px: u32) -> Window {
        Window { x_px, y_px, size: Size { width_px, height_px } }
    }

    #[test]
    fn a_small_frame_is_one_part() {
        let frame = Size::new(37, 19).unwrap();
        let found = parts(frame, Window::whole(frame), 70, 1_000_000);
        assert_eq!(found, [Part { inner: Window::whole(frame), outer: Window::whole(frame) }]);
    }

    #[test]
    fn parts_cover_a_window_once_and_stay_within_their_bound() {
        let frame = Size::new(1921, 801).unwrap();
        let window = window(100, 33, 1500, 700);
        let found = parts(frame, window, 40, 300 * 300);
        let mut seen = vec![0u8; frame.area_px()];
        for part in &found {
            assert!(part.size().area_px() <= 300 * 300);
            assert!(part.outer.x_px % GRID == 0 && part.outer.y_px % GRID == 0);
            for y in part.inner.y_px..part.inner.y_px + part.inner.size.height_px {
                let row = y as usize * frame.width() + part.inner.x_px as usize;
                seen[row..row + part.inner.size.width()].iter_mut().for_each(|v| *v += 1);
            }
            let [x, y] = part.inset();
            assert!(x >= 40.min(part.inner.x_px) && y >= 40.min(part.inner.y_px));
        }
        assert_eq!(seen.iter().map(|v| usize::from(*v)).sum::<usize>(), window.size.area_px());
        assert!(seen.iter().all(|v| *v <= 1));
    }
}
