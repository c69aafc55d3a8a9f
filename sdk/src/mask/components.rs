//! Holes and specks: connected components of a mask, on the CPU, at any size.
//!
//! The reference finds them by a CUDA extension of even sides only (`get_connected_components`, 8 neighbours);
//! without one it leaves masks as they are. Here they are found by runs: rows are cut into runs, runs that
//! touch those of the row above are joined. The work grows with the cells, the memory with the runs.

use std::ops::Range;

use super::LogitPlane;
use crate::frame::Size;

/// What `fill_holes_in_mask_scores` of the reference writes into a hole: just inside.
const FILLED: f32 = 0.1;
/// How far from the threshold `postprocess_masks` of the reference puts what it changes.
const CERTAIN: f32 = 10.0;

/// How large a hole is filled in masks of `cells` logits where nothing else is asked for: the 8 that the reference's
/// predictor fills in 256x256, in proportion. None in 64x64.
pub(crate) fn reference_hole_area(cells: usize) -> usize {
    8 * cells / (256 * 256)
}

/// Cells side by side in one row, as indices of the plane.
struct Run {
    first: u32,
    /// One past the last.
    end: u32,
}

/// Groups of cells that touch by a side or a corner.
pub(crate) struct Components {
    runs: Vec<Run>,
    /// A run of the same component that comes no later; itself for the component's first.
    parent: Vec<u32>,
    /// In cells; of a component's first run only.
    area: Vec<u32>,
}

impl Components {
    /// The components of the cells for which `inside` holds.
    pub(crate) fn find<T: Copy>(size: Size, cells: &[T], inside: impl Fn(T) -> bool) -> Self {
        let mut found = Self { runs: Vec::new(), parent: Vec::new(), area: Vec::new() };
        let mut above = 0..0;
        for (y, row) in cells.chunks_exact(size.width()).enumerate() {
            let start = found.runs.len();
            found.cut(row, y * size.width(), &inside);
            let here = start..found.runs.len();
            found.join(above, here.clone(), size.width_px);
            above = here;
        }
        found.count();
        found
    }

    /// Cells, as indices of the plane, of components of at most `most` cells.
    pub(crate) fn up_to(&self, most: u32) -> impl Iterator<Item = Range<usize>> {
        self.runs.iter().zip(&self.parent).filter_map(move |(run, &first)| {
            (self.area[first as usize] <= most).then_some(run.first as usize..run.end as usize)
        })
    }

    fn cut<T: Copy>(&mut self, row: &[T], origin: usize, inside: &impl Fn(T) -> bool) {
        let mut x = 0;
        while let Some(skip) = row[x..].iter().position(|&cell| inside(cell)) {
            let first = x + skip;
            let length = row[first..].iter().position(|&cell| !inside(cell)).unwrap_or(row.len() - first);
            x = first + length;
            self.parent.push(self.runs.len() as u32);
            self.runs.push(Run { first: (origin + first) as u32, end: (origin + x) as u32 });
        }
    }

    /// Joins the runs of a row with those of the row above that they touch.
    fn join(&mut self, above: Range<usize>, here: Range<usize>, width: u32) {
        let (mut up, mut down) = (above.start, here.start);
        while up < above.end && down < here.end {
            // The row above, moved down by one.
            let (over, under) = (&self.runs[up], &self.runs[down]);
            let (over, under) = (over.first + width..over.end + width, under.first..under.end);
            if over.start <= under.end && under.start <= over.end {
                self.unite(up as u32, down as u32);
            }
            if over.end < under.end { up += 1 } else { down += 1 }
        }
    }

    fn unite(&mut self, a: u32, b: u32) {
        let (a, b) = (self.first_of(a), self.first_of(b));
        self.parent[a.max(b) as usize] = a.min(b);
    }

    fn first_of(&mut self, mut run: u32) -> u32 {
        while self.parent[run as usize] != run {
            let next = self.parent[self.parent[run as usize] as usize];
            self.parent[run as usize] = next;
            run = next;
        }
        run
    }

    /// The second pass: every run learns its component's first run, which learns the area.
    fn count(&mut self) {
        self.area = vec![0; self.runs.len()];
        for at in 0..self.runs.len() {
            // A parent comes before its child, so it knows its first run already.
            let first = self.parent[self.parent[at] as usize];
            self.parent[at] = first;
            self.area[first as usize] += self.runs[at].end - self.runs[at].first;
        }
    }
}

/// How small a hole or a speck is cleaned away, in cells of the plane. 0: none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cleaning {
    /// `max_hole_area`
    pub max_hole_cells: u32,
    /// `max_sprinkle_area`
    pub max_speck_cells: u32,
}

impl LogitPlane {
    /// Makes the background's components of at most `max_area_cells` the object's, by 0.1: the reference's
    /// `fill_hole_area`. A small background that touches the border counts as a hole, as there.
    pub fn fill_holes(&mut self, max_area_cells: u32) {
        if max_area_cells > 0 {
            let holes = Components::find(self.size, &self.values, |v| v <= 0.0);
            holes.up_to(max_area_cells).for_each(|cells| self.values[cells].fill(FILLED));
        }
    }

    /// Takes the object's components of at most `max_area_cells` away, by -10.
    pub fn remove_specks(&mut self, max_area_cells: u32) {
        self.clean(Cleaning { max_hole_cells: 0, max_speck_cells: max_area_cells }, 0.0);
    }

    /// Fills holes and takes specks away as the reference's image predictor does: both are looked for in the
    /// mask as it was, and become `mask_threshold` plus or minus 10.
    pub fn clean(&mut self, cleaning: Cleaning, mask_threshold: f32) {
        let Cleaning { max_hole_cells, max_speck_cells } = cleaning;
        let find =
            |wanted: bool| Components::find(self.size, &self.values, |v| (v > mask_threshold) == wanted);
        let holes = (max_hole_cells > 0).then(|| find(false));
        let specks = (max_speck_cells > 0).then(|| find(true));
        for cells in holes.iter().flat_map(|holes| holes.up_to(max_hole_cells)) {
            self.values[cells].fill(mask_threshold + CERTAIN);
        }
        for cells in specks.iter().flat_map(|specks| specks.up_to(max_speck_cells)) {
            self.values[cells].fill(mask_threshold - CERTAIN);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mask::goldens::{Random, masks, numbers};

    fn size(width: u32, height: u32) -> Size {
        Size::new(width, height).unwrap()
    }

    /// Cells of components of at most `most` cells, by walking from cell to cell.
    fn by_walking(size: Size, inside: &[u8], most: usize) -> Vec<usize> {
        let (w, h) = (size.width(), size.height());
        let (mut seen, mut small) = (vec![false; inside.len()], Vec::new());
        for start in 0..inside.len() {
            if inside[start] == 0 || seen[start] {
                continue;
            }
            let (mut component, mut next) = (vec![start], 0);
            seen[start] = true;
            while next < component.len() {
                let (x, y) = (component[next] % w, component[next] / w);
                next += 1;
                for ny in y.saturating_sub(1)..(y + 2).min(h) {
                    for nx in x.saturating_sub(1)..(x + 2).min(w) {
                        let to = ny * w + nx;
                        if inside[to] != 0 && !seen[to] {
                            seen[to] = true;
                            component.push(to);
                        }
                    }
                }
            }
            if component.len() <= most {
                small.extend(component);
            }
        }
        small.sort_unstable();
        small
    }

    #[test]
    fn components_are_those_found_by_walking_from_cell_to_cell() {
        let mut random = Random(7);
        for round in 0..600 {
            let size = size(1 + random.below(29), 1 + random.below(23));
            let share = 20 + random.below(70);
            let inside: Vec<u8> = (0..size.area_px()).map(|_| u8::from(random.below(100) < share)).collect();
            let components = Components::find(size, &inside, |v| v != 0);
            for most in [0, 1, 3, 8, 40, u32::MAX] {
                let found: Vec<usize> = components.up_to(most).flatten().collect();
                assert_eq!(found, by_walking(size, &inside, most as usize), "round {round}, {size}, {most}");
            }
        }
    }

    #[test]
    fn areas_are_those_of_opencv() {
        for mask in masks() {
            let components = Components::find(mask.size, &mask.inside, |v| v != 0);
            let firsts = (0..components.runs.len()).filter(|&at| components.parent[at] as usize == at);
            let mut areas: Vec<u32> = firsts.map(|at| components.area[at]).collect();
            areas.sort_unstable();
            assert_eq!(areas, numbers(&mask.golden["components"]));
        }
    }

    #[test]
    fn a_spiral_is_one_component_and_a_chequerboard_hangs_together_by_its_corners() {
        let spiral = [1, 1, 1, 1, 1, 0, 0, 0, 0, 1, 1, 1, 1, 0, 1, 1, 0, 0, 0, 1, 1, 1, 1, 1, 1];
        assert_eq!(Components::find(size(5, 5), &spiral, |v| v != 0).up_to(16).count(), 0);
        let board: Vec<u8> = (0..35).map(|i| (i % 2) as u8).collect();
        assert_eq!(Components::find(size(7, 5), &board, |v| v != 0).up_to(16).count(), 0);
        assert_eq!(Components::find(size(7, 5), &board, |v| v != 0).up_to(17).flatten().count(), 17);
    }

    fn ring() -> LogitPlane {
        let mut values = vec![5.0; 7 * 5];
        values[7 * 2 + 3] = -5.0;
        (0..5).for_each(|y| values[7 * y + 6] = -4.0);
        values[7 * 2 + 6] = 0.0;
        LogitPlane { size: size(7, 5), values }
    }

    #[test]
    fn a_hole_becomes_barely_inside_and_what_is_larger_stays() {
        let (mut found, mut want) = (ring(), ring());
        found.fill_holes(4);
        want.values[7 * 2 + 3] = 0.1;
        assert_eq!(found, want);
        found.fill_holes(5);
        (0..5).for_each(|y| want.values[7 * y + 6] = 0.1);
        assert_eq!(found, want);
    }

    #[test]
    fn specks_go_and_nothing_is_cleaned_unless_asked_for() {
        let mut plane = ring();
        plane.values.iter_mut().for_each(|v| *v = -*v);
        let before = plane.clone();
        plane.fill_holes(0);
        plane.remove_specks(0);
        assert_eq!(plane, before);
        plane.remove_specks(1);
        assert_eq!(plane.values[7 * 2 + 3], -10.0);
        assert_eq!(plane.values[6], 4.0);
    }

    #[test]
    fn holes_and_specks_are_both_looked_for_in_the_mask_as_it_was() {
        // A speck inside a hole: the hole's ring is filled, the speck in its middle taken away.
        let mut values = vec![5.0; 25];
        for y in 1..4 {
            (1..4).for_each(|x| values[5 * y + x] = -5.0);
        }
        values[12] = 2.0;
        let mut plane = LogitPlane { size: size(5, 5), values };
        plane.clean(Cleaning { max_hole_cells: 8, max_speck_cells: 1 }, 1.0);
        assert_eq!((plane.values[6], plane.values[12], plane.values[0]), (11.0, -9.0, 5.0));
    }
}
