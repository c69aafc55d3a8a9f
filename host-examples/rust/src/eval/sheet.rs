//! The worst frames on one sheet: the plate, the truth, and what was found, side by side.

use image::{Rgb, RgbImage, imageops};

use super::{
    chart::Colour,
    raster::{LETTER, encode, write},
    score::FrameScore,
};
use crate::{Result, dataset::Region, picture::Picture};

/// A picture's width on the sheet, in pixels.
const WIDTH: u32 = 240;

/// Of one object, so that the sheet isn't one bad clip.
const MOST_OF_ONE: usize = 2;

const COLUMNS: usize = 2;
const GAP: u32 = 8;
const TRUTH: Colour = [40, 230, 90];
const FOUND: Colour = [255, 90, 20];

/// The worst frames so far. Of each only its small pictures are kept.
pub struct Sheet {
    most: usize,
    tiles: Vec<Tile>,
}

struct Tile {
    of: String,
    score: f64,
    picture: RgbImage,
}

impl Sheet {
    /// An empty sheet for up to `most` frames.
    pub fn new(most: usize) -> Self {
        Self { most, tiles: Vec::new() }
    }

    /// Takes a frame if it is worse than what is there.
    pub fn look(&mut self, of: &str, frame: &FrameScore, plate: &Picture, truth: &Region, found: &Region) {
        let score = frame.both();
        let of_one = self.tiles.iter().filter(|tile| tile.of == of).count();
        // Tiles are sorted, the worst first: the best to give its place is the last that may.
        let loser = if of_one >= MOST_OF_ONE {
            self.tiles.iter().rposition(|tile| tile.of == of)
        } else if self.tiles.len() >= self.most {
            self.tiles.len().checked_sub(1)
        } else {
            None
        };
        if let Some(loser) = loser {
            if self.tiles[loser].score <= score {
                return;
            }
            self.tiles.remove(loser);
        }
        let label = format!("{of} {}  J {:.2} F {:.2}", frame.name, frame.j, frame.f);
        let tile = Tile { of: of.to_owned(), score, picture: picture(&label, plate, truth, found) };
        let place = self.tiles.partition_point(|other| other.score <= score);
        self.tiles.insert(place, tile);
    }

    /// The sheet as PNG.
    ///
    /// # Errors
    /// If it can't be encoded.
    pub fn png(&self) -> Result<Vec<u8>> {
        let columns = self.tiles.len().clamp(1, COLUMNS);
        let width = self.tiles.iter().map(|tile| tile.picture.width()).max().unwrap_or(WIDTH);
        let rows: Vec<u32> = self
            .tiles
            .chunks(columns)
            .map(|row| row.iter().map(|tile| tile.picture.height()).max().unwrap_or(0))
            .collect();
        let height = rows.iter().map(|row| row + GAP).sum::<u32>() + GAP;
        let mut sheet = RgbImage::from_pixel(columns as u32 * (width + GAP) + GAP, height, Rgb([255; 3]));
        let mut top = GAP;
        for (row, height) in self.tiles.chunks(columns).zip(rows) {
            for (column, tile) in row.iter().enumerate() {
                let left = GAP + column as u32 * (width + GAP);
                imageops::replace(&mut sheet, &tile.picture, i64::from(left), i64::from(top));
            }
            top += height + GAP;
        }
        encode(&sheet)
    }
}

/// The plate three times: as it is, with the true outline, with the outline found.
fn picture(label: &str, plate: &Picture, truth: &Region, found: &Region) -> RgbImage {
    let (width, height) = (plate.width().max(1), plate.height().max(1));
    let scaled = [WIDTH, ((WIDTH * height).div_ceil(width)).max(1)];
    let full = RgbImage::from_fn(width, height, |x, y| {
        let at = x as usize * 4;
        let row = plate.row(y as usize);
        Rgb([row[at], row[at + 1], row[at + 2]])
    });
    let small = imageops::thumbnail(&full, scaled[0], scaled[1]);
    let caption = LETTER + 4;
    let mut tile = RgbImage::from_pixel(3 * scaled[0] + 4, scaled[1] + caption, Rgb([255; 3]));
    write(&mut tile, [0, 1], 1, [0; 3], label);
    let views = [None, Some((truth, TRUTH)), Some((found, FOUND))];
    for (place, outline) in views.into_iter().enumerate() {
        let mut view = small.clone();
        if let Some((region, colour)) = outline {
            draw_outline(&mut view, region, colour);
        }
        let left = place as u32 * (scaled[0] + 2);
        imageops::replace(&mut tile, &view, i64::from(left), i64::from(caption));
    }
    tile
}

/// Paints the pixels on both sides of a region's border.
fn draw_outline(view: &mut RgbImage, region: &Region, colour: Colour) {
    let (width, height) = view.dimensions();
    let inside = |x: u32, y: u32| {
        let at = |place: u32, side: u32, full: usize| place as usize * full / side.max(1) as usize;
        region.pixels()[at(y, height, region.height()) * region.width() + at(x, width, region.width())]
    };
    for y in 0..height {
        for x in 0..width {
            let here = inside(x, y);
            let right = x + 1 < width && inside(x + 1, y) != here;
            let below = y + 1 < height && inside(x, y + 1) != here;
            if right || below {
                view.put_pixel(x, y, Rgb(colour));
                view.put_pixel((x + u32::from(right)).min(width - 1), y, Rgb(colour));
                view.put_pixel(x, (y + u32::from(below)).min(height - 1), Rgb(colour));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(sheet: &mut Sheet, of: &str, j: f64) {
        let plate = Picture::new(60, 30);
        let region = |from: usize| {
            Region::new(60, (0..1800).map(|at| (from..from + 20).contains(&(at % 60))).collect())
        };
        let frame = FrameScore { name: "00007".into(), after: 7, j, f: 0.0 };
        sheet.look(of, &frame, &plate, &region(10), &region(30));
    }

    #[test]
    fn the_worst_stay_and_one_object_cannot_fill_the_sheet() {
        let mut sheet = Sheet::new(3);
        for (of, j) in [("a", 0.9), ("a", 0.1), ("a", 0.3), ("b", 0.8), ("c", 0.5), ("a", 0.2), ("d", 0.95)] {
            look(&mut sheet, of, j);
        }
        let kept: Vec<_> = sheet.tiles.iter().map(|tile| (tile.of.as_str(), tile.score * 2.0)).collect();
        assert_eq!(kept, [("a", 0.1), ("a", 0.2), ("c", 0.5)]);
    }

    #[test]
    fn outlines_are_drawn_where_the_regions_end() {
        let mut sheet = Sheet::new(3);
        look(&mut sheet, "a", 0.5);
        let picture = image::load_from_memory(&sheet.png().unwrap()).unwrap().into_rgb8();
        // Column 10 of 60 in the second view, 30 in the third.
        let at = |view: u32, column: u32| {
            let x = GAP + view * (WIDTH + 2) + column * WIDTH / 60;
            picture.get_pixel(x, GAP + LETTER + 4 + 60).0
        };
        assert_eq!([at(1, 10), at(2, 30), at(0, 10), at(1, 20)], [TRUTH, FOUND, [0; 3], [0; 3]]);
        assert!(Sheet::new(3).png().is_ok());
    }
}
