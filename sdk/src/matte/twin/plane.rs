//! Coverage on the CPU, with a note of the tiles that hold nothing but 0 or nothing but full.

use rayon::prelude::*;

use crate::frame::Size;
use crate::matte::light::FULL;

/// Side of a tile, in pixels.
pub const TILE: usize = 32;

/// Gives memory another length, and no more room than that. What it held may be lost.
pub fn fit<T: Copy>(memory: &mut Vec<T>, length: usize, value: T) {
    if memory.capacity() < length {
        // The old goes first: the two are never held at once.
        *memory = Vec::new();
        memory.reserve_exact(length);
    }
    memory.resize(length, value);
}

/// Bytes that memory takes, used or not.
pub fn bytes<T>(memory: &Vec<T>) -> u64 {
    (memory.capacity() * size_of::<T>()) as u64
}

/// One 16-bit sample a pixel, row-major.
#[derive(Debug)]
pub struct Plane {
    pub size: Size,
    pub values: Vec<u16>,
    /// The value that fills a tile, if it is 0 or full and nothing else.
    pub flat: Vec<Option<u16>>,
}

impl Default for Plane {
    fn default() -> Self {
        Self { size: Size { width_px: 0, height_px: 0 }, values: Vec::new(), flat: Vec::new() }
    }
}

/// A place for one tile's samples in a band of rows.
pub struct TileMut<'a> {
    /// The band's rows, whole.
    pub rows: &'a mut [u16],
    pub width: usize,
    /// Columns of the tile.
    pub x: std::ops::Range<usize>,
    /// Rows of the tile in the picture.
    pub y: std::ops::Range<usize>,
}

impl TileMut<'_> {
    /// The tile's part of row `y` of the picture.
    pub fn row(&mut self, y: usize) -> &mut [u16] {
        let start = (y - self.y.start) * self.width;
        &mut self.rows[start + self.x.start..start + self.x.end]
    }

    fn fill(&mut self, value: u16) {
        for y in self.y.clone() {
            self.row(y).fill(value);
        }
    }

    /// The value of the whole tile, if it is 0 or full.
    fn flat(&self) -> Option<u16> {
        let first = self.rows[self.x.start];
        if first != 0 && first != u16::MAX {
            return None;
        }
        for row in self.rows.chunks(self.width) {
            let mut odd = 0;
            for v in &row[self.x.clone()] {
                odd |= v ^ first;
            }
            if odd != 0 {
                return None;
            }
        }
        Some(first)
    }
}

impl Plane {
    /// Bytes that it takes.
    pub fn bytes(&self) -> u64 {
        bytes(&self.values) + bytes(&self.flat)
    }

    fn tiles_across(&self) -> usize {
        self.size.width().div_ceil(TILE)
    }

    /// Takes another size, keeping the memory.
    pub fn resize(&mut self, size: Size) {
        self.size = size;
        fit(&mut self.values, size.area_px(), 0);
        fit(&mut self.flat, size.width().div_ceil(TILE) * size.height().div_ceil(TILE), None);
    }

    /// Takes a size, and holds nothing.
    pub fn clear(&mut self, size: Size) {
        self.resize(size);
        self.values.fill(0);
        self.flat.fill(Some(0));
    }

    /// One row.
    pub fn row(&self, y: usize) -> &[u16] {
        &self.values[y * self.size.width()..][..self.size.width()]
    }

    /// Stretches of a row, from left to right: as long as they can be where tiles are filled alike, and of one tile
    /// elsewhere; and what fills them.
    pub fn runs(
        &self,
        columns: std::ops::Range<usize>,
        y: usize,
    ) -> impl Iterator<Item = (std::ops::Range<usize>, Option<u16>)> + '_ {
        let across = self.tiles_across();
        let tiles = &self.flat[y / TILE * across..][..across];
        let mut x = columns.start;
        std::iter::from_fn(move || {
            let start = x;
            let flat = *tiles.get(start / TILE).filter(|_| start < columns.end)?;
            x = (start / TILE + 1) * TILE;
            while flat.is_some() && x < columns.end && tiles[x / TILE] == flat {
                x += TILE;
            }
            x = x.min(columns.end);
            Some((start..x, flat))
        })
    }

    /// The value of all tiles that have a pixel in the given columns and rows, if they share one.
    pub fn flat_over(&self, x: std::ops::Range<isize>, y: std::ops::Range<isize>) -> Option<u16> {
        let tiles = |range: std::ops::Range<isize>, count: usize| {
            let clamp = |v: isize| v.clamp(0, count as isize - 1) as usize / TILE;
            clamp(range.start)..=clamp(range.end - 1)
        };
        let columns = tiles(x, self.size.width());
        let mut rows = tiles(y, self.size.height());
        let first = self.flat[rows.start() * self.tiles_across() + columns.start()]?;
        rows.all(|y| columns.clone().all(|x| self.flat[y * self.tiles_across() + x] == Some(first)))
            .then_some(first)
    }

    /// Works on every band of tiles in parallel: `band(y, rows)` fills whole rows from row `y` on.
    pub fn each_band(&mut self, band: impl Fn(usize, &mut [u16]) + Sync) {
        let (width, across) = (self.size.width(), self.tiles_across());
        let bands = self.values.par_chunks_mut(width * TILE).zip(self.flat.par_chunks_mut(across));
        bands.enumerate().for_each(|(i, (rows, flat))| {
            band(i * TILE, rows);
            for (tile, flat) in tiles(i, rows.len() / width, width).zip(flat) {
                *flat = TileMut { rows, width, x: tile.0, y: tile.1 }.flat();
            }
        });
    }

    /// Changes every sample by itself.
    pub fn map(&mut self, sample: impl Fn(u16) -> u16 + Sync) {
        self.visit(|_, tile, flat| {
            let Some(value) = flat else {
                for y in tile.y.clone() {
                    for v in tile.row(y) {
                        *v = sample(*v);
                    }
                }
                return None;
            };
            let changed = sample(value);
            if changed != value {
                tile.fill(changed);
            }
            Some(changed)
        });
    }

    /// Changes every sample by another plane's. `both` says what two flat tiles make, where it is known.
    pub fn merge(
        &mut self,
        other: &Plane,
        both: impl Fn(Option<u16>, Option<u16>) -> Option<u16> + Sync,
        sample: impl Fn(u16, u16) -> u16 + Sync,
    ) {
        self.visit(|at, tile, flat| {
            let known = both(flat, other.flat[at]);
            match known {
                Some(value) if flat != known => tile.fill(value),
                Some(_) => {}
                None => {
                    for y in tile.y.clone() {
                        let second = &other.row(y)[tile.x.clone()];
                        for (a, b) in tile.row(y).iter_mut().zip(second) {
                            *a = sample(*a, *b);
                        }
                    }
                }
            }
            known
        });
    }

    /// Works on every tile in parallel. `known` says where a tile's value is known without work.
    pub fn each_tile(
        &mut self,
        known: impl Fn(&std::ops::Range<usize>, &std::ops::Range<usize>) -> Option<u16> + Sync,
        tile: impl Fn(&mut TileMut<'_>) + Sync,
    ) {
        self.visit(|_, place, _| {
            let known = known(&place.x, &place.y);
            match known {
                Some(value) => place.fill(value),
                None => tile(place),
            }
            known
        });
    }

    /// Hands every tile, in parallel, to `work`, with its place in `flat` and what it was filled with. `work` answers
    /// what fills the tile now, if it knows; otherwise its samples are looked at.
    fn visit(&mut self, work: impl Fn(usize, &mut TileMut<'_>, Option<u16>) -> Option<u16> + Sync) {
        let (width, across) = (self.size.width(), self.tiles_across());
        let bands = self.values.par_chunks_mut(width * TILE).zip(self.flat.par_chunks_mut(across));
        bands.enumerate().for_each(|(i, (rows, flat))| {
            for (column, ((x, y), flat)) in tiles(i, rows.len() / width, width).zip(flat).enumerate() {
                let mut place = TileMut { rows, width, x, y };
                *flat = match work(i * across + column, &mut place, *flat) {
                    Some(value) => (u32::from(value) % FULL == 0).then_some(value),
                    None => place.flat(),
                };
            }
        });
    }
}

fn tiles(
    band: usize,
    rows: usize,
    width: usize,
) -> impl Iterator<Item = (std::ops::Range<usize>, std::ops::Range<usize>)> {
    let y = band * TILE;
    (0..width).step_by(TILE).map(move |x| (x..(x + TILE).min(width), y..y + rows))
}

/// A range with a margin on both sides, which may reach beyond the picture.
pub fn around(range: &std::ops::Range<usize>, margin: usize) -> std::ops::Range<isize> {
    range.start as isize - margin as isize..range.end as isize + margin as isize
}
