//! Boxes held against each other: duplicates, and those cut off at the edge of a part.
//!
//! As in the reference, a box reaches from a mask's first to its last pixel, so that it is one pixel short.

use crate::frame::Size;
use crate::mask::Bounds;

/// How near to a part's edge a box is taken to be cut off: the reference's `atol`, in pixels.
const NEAR_PX: i64 = 20;

/// x0, y0, x1, y1 with the last pixel in place of the end.
pub(super) fn corners(bounds: Bounds) -> [u32; 4] {
    [bounds.x0_px, bounds.y0_px, bounds.x1_px - 1, bounds.y1_px - 1]
}

/// Indices of the boxes that are kept, best score first: torchvision's `nms`. A box goes if it overlaps a better one
/// by more than `iou_threshold`; boxes without area overlap none.
pub(super) fn non_maximum_suppression(boxes: &[[u32; 4]], scores: &[f32], iou_threshold: f64) -> Vec<usize> {
    let mut order: Vec<usize> = (0..boxes.len()).collect();
    order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]));
    let mut kept: Vec<usize> = Vec::new();
    for at in order {
        if kept.iter().all(|&better| f64::from(iou(boxes[better], boxes[at])) <= iou_threshold) {
            kept.push(at);
        }
    }
    kept
}

/// 0 where both boxes have no area.
fn iou(a: [u32; 4], b: [u32; 4]) -> f32 {
    let side = |low: u32, high: u32| high.saturating_sub(low) as f32;
    let area = |b: [u32; 4]| side(b[0], b[2]) * side(b[1], b[3]);
    let common = side(a[0].max(b[0]), a[2].min(b[2])) * side(a[1].max(b[1]), a[3].min(b[3]));
    let all = area(a) + area(b) - common;
    if all > 0.0 { common / all } else { 0.0 }
}

/// Whether a box (in pixels of the picture) ends near an edge of its part that is no edge of the picture:
/// `is_box_near_crop_edge`.
pub(super) fn is_near_crop_edge(corners: [u32; 4], crop: Bounds, picture: Size) -> bool {
    let near = |a: u32, b: u32| (i64::from(a) - i64::from(b)).abs() <= NEAR_PX;
    let crop = [crop.x0_px, crop.y0_px, crop.x1_px, crop.y1_px];
    let picture = [0, 0, picture.width_px, picture.height_px];
    (0..4).any(|side| near(corners[side], crop[side]) && !near(corners[side], picture[side]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mask::goldens::{numbers, read};

    fn four(value: &serde_json::Value) -> [u32; 4] {
        numbers(value).try_into().unwrap()
    }

    #[test]
    fn the_boxes_kept_are_those_that_torchvision_keeps() {
        for golden in read("automatic.json")["nms"].as_array().unwrap() {
            let boxes: Vec<[u32; 4]> = golden["boxes"].as_array().unwrap().iter().map(four).collect();
            let scores: Vec<f32> =
                golden["scores"].as_array().unwrap().iter().map(|v| v.as_f64().unwrap() as f32).collect();
            let kept = non_maximum_suppression(&boxes, &scores, golden["iou_threshold"].as_f64().unwrap());
            let want: Vec<usize> = numbers(&golden["keep"]).into_iter().map(|v| v as usize).collect();
            assert_eq!(kept, want);
        }
    }

    #[test]
    fn boxes_cut_off_by_a_part_are_those_that_the_reference_drops() {
        for golden in read("automatic.json")["edges"].as_array().unwrap() {
            let crop = four(&golden["crop"]);
            let bounds = Bounds { x0_px: crop[0], y0_px: crop[1], x1_px: crop[2], y1_px: crop[3] };
            let [width, height] = numbers(&golden["size"])[..] else { panic!("a size has two sides") };
            for row in golden["boxes"].as_array().unwrap() {
                let found = is_near_crop_edge(four(&row["box"]), bounds, Size::new(width, height).unwrap());
                assert_eq!(found, row["near"].as_bool().unwrap(), "{row}");
            }
        }
    }

    #[test]
    fn boxes_without_area_are_kept() {
        assert_eq!(non_maximum_suppression(&[[3, 3, 3, 9], [3, 3, 3, 9]], &[0.1, 0.2], 0.0), [1, 0]);
    }
}
