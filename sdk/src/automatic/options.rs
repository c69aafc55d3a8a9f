//! The options of the reference's `SAM2AutomaticMaskGenerator`, by its names and with its defaults.

use std::ops::RangeInclusive;

use super::crops::GridPoint;
use crate::error::{Error, Result};
use crate::mask::{MASK_THRESHOLD, STABILITY_SCORE_OFFSET};

/// The most points of a grid's side.
const MAX_POINTS_PER_SIDE: u32 = 256;
/// The most layers of parts: the last of them has 1,024.
const MAX_CROP_LAYERS: u32 = 5;

/// How masks are looked for, and which of them are kept.
#[derive(Clone, Debug, PartialEq)]
pub struct AutomaticOptions {
    /// Points along each side of the grid, 1 to 256; unused where [`AutomaticOptions::point_grids`] are given.
    pub points_per_side: u32,
    /// After how many points progress is told. The reference runs them together; on a CPU one by one is faster.
    pub points_per_batch: u32,
    /// Masks of no higher predicted IoU are dropped; 0 keeps all.
    pub pred_iou_thresh: f32,
    /// Masks of a lower stability score are dropped; 0 keeps all.
    pub stability_score_thresh: f32,
    /// By how much the threshold is moved, up and down, to see how stable a mask is.
    pub stability_score_offset: f32,
    /// Above this logit a pixel is the object's.
    pub mask_threshold: f32,
    /// Of two masks whose boxes overlap by more, the one of lower predicted IoU goes: 0 to 1.
    pub box_nms_thresh: f32,
    /// How many times the picture is cut into four times as many parts, each looked at on its own; 0 to 5.
    pub crop_n_layers: u32,
    /// As `box_nms_thresh`, between parts: the mask of the smaller part stays.
    pub crop_nms_thresh: f32,
    /// By how much of the picture's shorter side the first layer's parts overlap: 0 to below 1.
    pub crop_overlap_ratio: f64,
    /// The grid's side in layer n is divided by this to the power of n; from 1.
    pub crop_n_points_downscale_factor: u32,
    /// The points of each layer, 0 to 1 from the left and from the top, in place of grids.
    pub point_grids: Option<Vec<Vec<GridPoint>>>,
    /// Holes and specks up to this size are cleaned away, in cells of the decoder's logits.
    pub min_mask_region_area: u32,
    /// Every mask is refined once: asked for again at its point, with itself as mask input.
    pub use_m2m: bool,
    /// Three masks a point; otherwise one.
    pub multimask_output: bool,
}

impl Default for AutomaticOptions {
    fn default() -> Self {
        Self {
            points_per_side: 32,
            points_per_batch: 64,
            pred_iou_thresh: 0.8,
            stability_score_thresh: 0.95,
            stability_score_offset: STABILITY_SCORE_OFFSET,
            mask_threshold: MASK_THRESHOLD,
            box_nms_thresh: 0.7,
            crop_n_layers: 0,
            crop_nms_thresh: 0.7,
            crop_overlap_ratio: 512.0 / 1500.0,
            crop_n_points_downscale_factor: 1,
            point_grids: None,
            min_mask_region_area: 0,
            use_m2m: false,
            multimask_output: true,
        }
    }
}

impl AutomaticOptions {
    /// Points along the grid's side in a layer.
    pub(super) fn points_per_side_of(&self, layer: u32) -> u32 {
        let divided = u64::from(self.crop_n_points_downscale_factor).saturating_pow(layer);
        (u64::from(self.points_per_side) / divided.max(1)) as u32
    }

    /// # Errors
    /// [`Error::Setting`] for the first option outside its range.
    pub(super) fn check(&self) -> Result<()> {
        within("points_per_batch", self.points_per_batch, 1..=u32::MAX)?;
        within("crop_n_layers", self.crop_n_layers, 0..=MAX_CROP_LAYERS)?;
        within("crop_n_points_downscale_factor", self.crop_n_points_downscale_factor, 1..=u32::MAX)?;
        for (name, share) in [
            ("pred_iou_thresh", self.pred_iou_thresh),
            ("stability_score_thresh", self.stability_score_thresh),
            ("box_nms_thresh", self.box_nms_thresh),
            ("crop_nms_thresh", self.crop_nms_thresh),
        ] {
            within(name, share, 0.0..=1.0)?;
        }
        within("stability_score_offset", self.stability_score_offset, 0.0..=1024.0)?;
        within("mask_threshold", self.mask_threshold, -1024.0..=1024.0)?;
        within("crop_overlap_ratio", self.crop_overlap_ratio, 0.0..=0.99)?;
        match &self.point_grids {
            Some(grids) => self.check_grids(grids),
            None => {
                within("points_per_side", self.points_per_side, 1..=MAX_POINTS_PER_SIDE)?;
                let last = self.points_per_side_of(self.crop_n_layers);
                within("points_per_side of the last layer", last, 1..=MAX_POINTS_PER_SIDE)
            }
        }
    }

    fn check_grids(&self, grids: &[Vec<GridPoint>]) -> Result<()> {
        let (found, want) = (grids.len(), self.crop_n_layers as usize + 1);
        if found != want {
            let found = format!("{found} grids");
            let want = format!("{want}, one for the picture and one for each of `crop_n_layers`");
            return Err(Error::Setting { name: "point_grids", found, want });
        }
        let most = MAX_POINTS_PER_SIDE.pow(2) as usize;
        for grid in grids {
            if grid.len() > most {
                let (found, want) = (format!("{} points", grid.len()), format!("at most {most} a grid"));
                return Err(Error::Setting { name: "point_grids", found, want });
            }
            let outside = |point: &&GridPoint| point.iter().any(|at| !(0.0..=1.0).contains(at));
            if let Some([x, y]) = grid.iter().find(outside) {
                let found = format!("{x}, {y}");
                return Err(Error::Setting { name: "point_grids", found, want: "places from 0 to 1".into() });
            }
        }
        Ok(())
    }
}

pub(super) fn within<T>(name: &'static str, found: T, want: RangeInclusive<T>) -> Result<()>
where
    T: PartialOrd + std::fmt::Display,
{
    if want.contains(&found) {
        return Ok(());
    }
    let want = format!("{} to {}", want.start(), want.end());
    Err(Error::Setting { name, found: found.to_string(), want })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(change: impl Fn(&mut AutomaticOptions)) -> String {
        let mut options = AutomaticOptions::default();
        change(&mut options);
        options.check().unwrap_err().to_string()
    }

    #[test]
    fn the_defaults_are_in_range() {
        AutomaticOptions::default().check().unwrap();
    }

    #[test]
    fn options_outside_their_range_are_refused_by_name() {
        assert_eq!(said(|o| o.points_per_side = 0), "points_per_side: found 0, expected 1 to 256");
        assert_eq!(said(|o| o.pred_iou_thresh = f32::NAN), "pred_iou_thresh: found NaN, expected 0 to 1");
        assert_eq!(said(|o| o.crop_n_layers = 9), "crop_n_layers: found 9, expected 0 to 5");
        assert!(said(|o| o.crop_overlap_ratio = 1.0).ends_with("expected 0 to 0.99"));
        assert!(said(|o| o.mask_threshold = f32::INFINITY).starts_with("mask_threshold: found inf"));
        let starved = said(|o| (o.crop_n_layers, o.crop_n_points_downscale_factor) = (4, 4));
        assert_eq!(starved, "points_per_side of the last layer: found 0, expected 1 to 256");
    }

    #[test]
    fn grids_of_the_callers_own_are_one_a_layer_and_within_the_picture() {
        assert_eq!(
            said(|o| (o.crop_n_layers, o.point_grids) = (1, Some(vec![vec![]]))),
            "point_grids: found 1 grids, expected 2, one for the picture and one for each of `crop_n_layers`"
        );
        assert_eq!(
            said(|o| o.point_grids = Some(vec![vec![[0.5, 1.5]]])),
            "point_grids: found 0.5, 1.5, expected places from 0 to 1"
        );
    }
}
