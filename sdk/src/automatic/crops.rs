//! Where the grid's points lie, and which parts of a picture are looked at closer.

use super::AutomaticOptions;
use crate::error::Result;
use crate::frame::Size;
use crate::mask::Bounds;

/// A place in a picture, 0 to 1 from the left and from the top.
pub type GridPoint = [f64; 2];

/// A part of the picture and the layer it belongs to; layer 0 is the whole picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Crop {
    pub(super) bounds: Bounds,
    pub(super) layer: usize,
}

/// A grid of evenly spaced points, row by row: `build_point_grid`.
pub(super) fn point_grid(points_per_side: u32) -> Vec<GridPoint> {
    let n = f64::from(points_per_side);
    let offset = 1.0 / (2.0 * n);
    // As NumPy's `linspace` rounds.
    let step = (1.0 - offset - offset) / (n - 1.0).max(1.0);
    let place = |at: u32| {
        if at > 0 && at == points_per_side - 1 { 1.0 - offset } else { offset + f64::from(at) * step }
    };
    let rows = (0..points_per_side).flat_map(|y| (0..points_per_side).map(move |x| [place(x), place(y)]));
    rows.collect()
}

/// The points of every layer: `build_all_layer_point_grids`, or those that are given.
pub(super) fn point_grids(options: &AutomaticOptions) -> Result<Vec<Vec<GridPoint>>> {
    options.check()?;
    if let Some(given) = &options.point_grids {
        return Ok(given.clone());
    }
    Ok((0..=options.crop_n_layers).map(|layer| point_grid(options.points_per_side_of(layer))).collect())
}

/// The whole picture, then 4, 16, 64 parts of it that overlap: `generate_crop_boxes`. Parts of a tiny picture that
/// would be empty are left out.
pub(super) fn crops(picture: Size, crop_n_layers: u32, crop_overlap_ratio: f64) -> Vec<Crop> {
    let (width, height) = (picture.width_px, picture.height_px);
    let whole = Bounds { x0_px: 0, y0_px: 0, x1_px: width, y1_px: height };
    let mut crops = vec![Crop { bounds: whole, layer: 0 }];
    for layer in 1..=crop_n_layers {
        let per_side = 2u32.pow(layer);
        let overlap =
            (crop_overlap_ratio * f64::from(width.min(height)) * (2.0 / f64::from(per_side))) as u32;
        let length = |side: u32| (overlap * (per_side - 1) + side).div_ceil(per_side);
        let (crop_width, crop_height) = (length(width), length(height));
        let starts = |crop: u32| (0..per_side).map(move |at| crop.saturating_sub(overlap) * at);
        for x0_px in starts(crop_width) {
            for y0_px in starts(crop_height) {
                let (x1_px, y1_px) = ((x0_px + crop_width).min(width), (y0_px + crop_height).min(height));
                if x1_px > x0_px && y1_px > y0_px {
                    let bounds = Bounds { x0_px, y0_px, x1_px, y1_px };
                    crops.push(Crop { bounds, layer: layer as usize });
                }
            }
        }
    }
    crops
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mask::goldens::{numbers, read};

    #[test]
    fn points_are_those_of_the_reference() {
        for golden in read("automatic.json")["point_grids"].as_array().unwrap() {
            let found = point_grid(golden["n_per_side"].as_u64().unwrap() as u32);
            let want = golden["points"].as_array().unwrap();
            assert_eq!(found.len(), want.len());
            for (found, want) in found.iter().zip(want) {
                assert!(
                    (0..2).all(|i| (found[i] - want[i].as_f64().unwrap()).abs() < 1e-15),
                    "{found:?} {want}"
                );
            }
        }
    }

    #[test]
    fn parts_of_wide_and_tall_pictures_are_those_of_the_reference() {
        for golden in read("automatic.json")["crops"].as_array().unwrap() {
            let [width, height] = numbers(&golden["size"])[..] else { panic!("a size has two sides") };
            let (layers, ratio) =
                (golden["n_layers"].as_u64().unwrap(), golden["overlap_ratio"].as_f64().unwrap());
            let found = crops(Size::new(width, height).unwrap(), layers as u32, ratio);
            let found: Vec<Vec<u32>> = found
                .iter()
                .map(|Crop { bounds: b, layer }| vec![b.x0_px, b.y0_px, b.x1_px, b.y1_px, *layer as u32])
                .collect();
            let want: Vec<Vec<u32>> = golden["boxes"].as_array().unwrap().iter().map(numbers).collect();
            assert_eq!(found, want, "{width}x{height}");
        }
    }

    #[test]
    fn parts_of_a_picture_of_three_pixels_are_never_empty() {
        for crop in crops(Size::new(3, 1).unwrap(), 6, 0.34) {
            assert!(crop.bounds.x0_px < crop.bounds.x1_px && crop.bounds.x1_px <= 3);
            assert!(crop.bounds.y0_px < crop.bounds.y1_px && crop.bounds.y1_px <= 1);
        }
    }
}
