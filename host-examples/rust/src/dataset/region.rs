//! The pixels of one object on one frame.

/// Pixels that are an object's, and all others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Region {
    width: usize,
    inside: Vec<bool>,
}

impl Region {
    /// From rows without gaps; what follows the last whole row is left out.
    pub fn new(width: u32, mut inside: Vec<bool>) -> Self {
        let width = width as usize;
        inside.truncate(inside.len() - inside.len() % width.max(1));
        Self { width, inside }
    }

    /// From a byte for each pixel, zero outside.
    pub fn from_mask(width: u32, mask: &[u8]) -> Self {
        Self::new(width, mask.iter().map(|&pixel| pixel != 0).collect())
    }

    /// A byte for each pixel, 0 or 255, rows without gaps.
    pub fn to_mask(&self) -> Vec<u8> {
        self.inside.iter().map(|&inside| u8::from(inside) * 255).collect()
    }

    /// Columns.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Rows.
    pub fn height(&self) -> usize {
        self.inside.len() / self.width.max(1)
    }

    /// All pixels, top row first.
    pub fn pixels(&self) -> &[bool] {
        &self.inside
    }

    /// Whether no pixel is inside.
    pub fn is_empty(&self) -> bool {
        !self.inside.contains(&true)
    }

    /// How many pixels are inside.
    pub fn area(&self) -> usize {
        self.inside.iter().filter(|&&inside| inside).count()
    }

    /// The pixels for which `keep` holds of this region's and the other's. Both are of the same size.
    pub fn combine(&self, other: &Self, keep: impl Fn(bool, bool) -> bool) -> Self {
        let inside = self.inside.iter().zip(&other.inside).map(|(&a, &b)| keep(a, b)).collect();
        Self { width: self.width, inside }
    }

    /// Left, top, and one past the last column and row. `None` of an empty region.
    pub fn bounds(&self) -> Option<[usize; 4]> {
        let mut edges: Option<[usize; 4]> = None;
        for (y, row) in self.inside.chunks(self.width.max(1)).enumerate() {
            let Some(first) = row.iter().position(|&inside| inside) else { continue };
            let last = row.iter().rposition(|&inside| inside).unwrap_or(first);
            let [x0, y0, x1, _] = edges.unwrap_or([first, y, last + 1, y]);
            edges = Some([x0.min(first), y0, x1.max(last + 1), y + 1]);
        }
        edges
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bounds_hold_all_pixels_and_an_empty_region_has_none() {
        let region = Region::from_mask(5, &[0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 9, 0, 0, 0]);
        assert_eq!((region.bounds(), region.area()), (Some([1, 1, 3, 3]), 2));
        let empty = Region::from_mask(3, &[0; 6]);
        assert_eq!((empty.bounds(), empty.area()), (None, 0));
    }

    #[test]
    fn a_mask_comes_back_and_a_broken_row_is_left_out() {
        let region = Region::from_mask(3, &[1, 0, 2, 0, 5, 0, 7]);
        assert_eq!(region.to_mask(), [255, 0, 255, 0, 255, 0]);
        assert_eq!((region.width(), region.height()), (3, 2));
    }
}
