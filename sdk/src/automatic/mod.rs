//! Every mask of a picture, without being told what to look for: a grid of points is asked about, and what is sure,
//! stable and no duplicate is kept.
//!
//! The counterpart of the reference's `SAM2AutomaticMaskGenerator`. Masks are kept as run lengths, so that what is
//! held grows with their contours and not with the picture.

mod options;
mod crops;
mod nms;
mod objects;

use std::ops::ControlFlow;
use std::sync::Arc;

pub use crops::GridPoint;
pub use objects::{ObjectOptions, ProposedObject, propose_new_objects, propose_objects};
pub use options::AutomaticOptions;

use crate::error::{Error, Result};
use crate::frame::{FrameView, FrameViewMut, Layout, PixelFormat, Size};
use crate::image::{ImageOptions, ImagePredictor, ImagePrompts};
use crate::mask::{Bounds, Cleaning, LogitPlane, Rle, Wanted};
use crate::model::{Cancel, Model};
use crate::prompt::Click;
use crops::{Crop, crops, point_grids};
use nms::{corners, is_near_crop_edge, non_maximum_suppression};

/// One mask of a picture.
#[derive(Clone, Debug, PartialEq)]
pub struct AutomaticMask {
    /// The mask, of the picture's size.
    pub rle: Rle,
    /// Its pixels.
    pub area_px: u64,
    /// The box around it. The reference's is a pixel narrower and lower: it ends at the last pixel's own corner.
    pub bounds: Bounds,
    /// How well the model believes to have met a thing, 0 to 1.
    pub predicted_iou: f32,
    /// How little the mask changes with its threshold, 0 to 1.
    pub stability_score: f32,
    /// The point that was asked about: pixels from the left, and from the top.
    pub point_coords: [f32; 2],
    /// The part of the picture that was looked at.
    pub crop_box: Bounds,
}

/// The reference's `output_mode`: how a mask is handed on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OutputMode {
    /// A byte a pixel, 0 or 1, row by row.
    #[default]
    BinaryMask,
    /// Run lengths.
    UncompressedRle,
    /// COCO's string.
    CocoRle,
}

/// A mask as [`OutputMode`] says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Segmentation {
    /// See [`OutputMode::BinaryMask`].
    BinaryMask(Vec<u8>),
    /// See [`OutputMode::UncompressedRle`].
    UncompressedRle(Vec<u32>),
    /// See [`OutputMode::CocoRle`].
    CocoRle(String),
}

impl AutomaticMask {
    /// The mask in the form that is asked for.
    pub fn segmentation(&self, mode: OutputMode) -> Segmentation {
        match mode {
            OutputMode::BinaryMask => Segmentation::BinaryMask(self.rle.decode()),
            OutputMode::UncompressedRle => Segmentation::UncompressedRle(self.rle.counts().to_vec()),
            OutputMode::CocoRle => Segmentation::CocoRle(self.rle.compressed()),
        }
    }
}

/// Points asked about so far, and of how many. `Break` stops the work.
pub type Progress<'a> = dyn FnMut(usize, usize) -> ControlFlow<()> + 'a;

/// Finds the masks of pictures.
#[derive(Debug)]
pub struct AutomaticMaskGenerator {
    predictor: ImagePredictor,
    options: AutomaticOptions,
    grids: Vec<Vec<GridPoint>>,
}

impl AutomaticMaskGenerator {
    /// Takes options.
    ///
    /// # Errors
    /// [`Error::Setting`] for an option outside its range, [`Error::Runtime`] if ONNX Runtime refuses.
    pub fn new(model: Arc<Model>, options: AutomaticOptions) -> Result<Self> {
        let cancel = Arc::new(model.cancel_switch()?);
        Self::stopped_by(cancel, model, options)
    }

    /// As [`AutomaticMaskGenerator::new`], stopped by a switch that others share.
    pub(crate) fn stopped_by(
        cancel: Arc<Cancel>,
        model: Arc<Model>,
        options: AutomaticOptions,
    ) -> Result<Self> {
        let grids = point_grids(&options)?;
        let most = options.min_mask_region_area;
        let cleaning = Cleaning { max_hole_cells: most, max_speck_cells: most };
        let image = ImageOptions { mask_threshold: options.mask_threshold, cleaning };
        Ok(Self { predictor: ImagePredictor::stopped_by(cancel, model, image)?, options, grids })
    }

    /// The switch that stops this generator's work from another thread.
    pub fn cancel_switch(&self) -> Arc<Cancel> {
        self.predictor.cancel_switch()
    }

    /// Finds the masks of a picture: those of smaller parts first, then by predicted IoU, the best first.
    ///
    /// # Errors
    /// [`Error::Frame`] if the format has no colour; [`Error::Inference`]; [`Error::Cancelled`], also if `progress`
    /// breaks.
    pub fn generate(
        &mut self,
        picture: FrameView<'_>,
        progress: &mut Progress<'_>,
    ) -> Result<Vec<AutomaticMask>> {
        let size = picture.size();
        let crops = crops(size, self.options.crop_n_layers, self.options.crop_overlap_ratio);
        let total = crops.iter().map(|crop| self.grids[crop.layer].len()).sum();
        let mut tally = Tally { done: 0, total, batch: self.options.points_per_batch as usize, progress };
        let mut masks = Vec::new();
        for crop in &crops {
            masks.extend(self.masks_of(picture, crop, &mut tally)?);
        }
        self.predictor.reset();
        if crops.len() > 1 {
            let area = |b: Bounds| b.width_px() as f32 * b.height_px() as f32;
            let scores: Vec<f32> = masks.iter().map(|mask| 1.0 / area(mask.crop_box)).collect();
            masks = without_duplicates(masks, &scores, self.options.crop_nms_thresh);
        }
        Ok(masks)
    }

    fn masks_of(
        &mut self,
        picture: FrameView<'_>,
        crop: &Crop,
        tally: &mut Tally<'_, '_>,
    ) -> Result<Vec<AutomaticMask>> {
        let bounds = crop.bounds;
        let part = Size::new(bounds.width_px(), bounds.height_px())?;
        self.predictor.set_image(picture.crop(bounds.x0_px, bounds.y0_px, part)?)?;
        let mut sheet = Sheet::new(picture.size(), bounds);
        let mut masks = Vec::new();
        for place in &self.grids[crop.layer] {
            let click = click_at(*place, part);
            for (plane, predicted_iou) in self.answers(click)? {
                masks.extend(self.mask_of(&plane, predicted_iou, click, &mut sheet)?);
            }
            tally.count()?;
        }
        let scores: Vec<f32> = masks.iter().map(|mask| mask.predicted_iou).collect();
        Ok(without_duplicates(masks, &scores, self.options.box_nms_thresh))
    }

    /// The masks that one point gives, as logits, with their predicted IoU; those that are not sure are left out.
    fn answers(&self, click: Click) -> Result<Vec<(LogitPlane, f32)>> {
        let AutomaticOptions { multimask_output, use_m2m, pred_iou_thresh, .. } = self.options;
        let clicks = [click];
        let prompts = ImagePrompts { clicks: &clicks, multimask_output, ..ImagePrompts::default() };
        let decoded = self.predictor.decode(&prompts)?;
        let mut answers = Vec::new();
        for at in self.predictor.chosen(&decoded, multimask_output) {
            let sure = |iou: f32| pred_iou_thresh == 0.0 || iou > pred_iou_thresh;
            if !use_m2m {
                if sure(decoded.ious[at]) {
                    answers.push((self.predictor.planes(&decoded, at).1, decoded.ious[at]));
                }
                continue;
            }
            let (logits, _) = self.predictor.planes(&decoded, at);
            let again = ImagePrompts { mask_input: Some(&logits), multimask_output: false, ..prompts };
            let refined = self.predictor.decode(&again)?;
            for at in self.predictor.chosen(&refined, false).filter(|&at| sure(refined.ious[at])) {
                answers.push((self.predictor.planes(&refined, at).1, refined.ious[at]));
            }
        }
        Ok(answers)
    }

    /// `None` if the mask is not stable, is empty, or is cut off at the edge of the part.
    fn mask_of(
        &self,
        plane: &LogitPlane,
        predicted_iou: f32,
        click: Click,
        sheet: &mut Sheet,
    ) -> Result<Option<AutomaticMask>> {
        let Sheet { picture, crop, part, .. } = *sheet;
        let shape = plane.shape_at(part, 0.0, self.options.stability_score_offset);
        let thresh = self.options.stability_score_thresh;
        let Some(within) = shape.bounds.filter(|_| thresh == 0.0 || shape.stability >= thresh) else {
            return Ok(None);
        };
        let bounds = Bounds {
            x0_px: within.x0_px + crop.x0_px,
            y0_px: within.y0_px + crop.y0_px,
            x1_px: within.x1_px + crop.x0_px,
            y1_px: within.y1_px + crop.y0_px,
        };
        if is_near_crop_edge(corners(bounds), crop, picture) {
            return Ok(None);
        }
        Ok(Some(AutomaticMask {
            rle: sheet.encode(plane)?,
            area_px: shape.area_px,
            bounds,
            predicted_iou,
            stability_score: shape.stability,
            point_coords: [click.x_px + crop.x0_px as f32, click.y_px + crop.y0_px as f32],
            crop_box: crop,
        }))
    }
}

/// A place in a part of this size; the far edges count as the last pixels'.
fn click_at([x, y]: GridPoint, part: Size) -> Click {
    let at = |place: f64, side: u32| ((place * f64::from(side)) as f32).min((side as f32).next_down());
    Click { x_px: at(x, part.width_px), y_px: at(y, part.height_px), positive: true }
}

fn without_duplicates(masks: Vec<AutomaticMask>, scores: &[f32], iou_threshold: f32) -> Vec<AutomaticMask> {
    let boxes: Vec<[u32; 4]> = masks.iter().map(|mask| corners(mask.bounds)).collect();
    let kept = non_maximum_suppression(&boxes, scores, f64::from(iou_threshold));
    let mut masks: Vec<Option<AutomaticMask>> = masks.into_iter().map(Some).collect();
    kept.into_iter().filter_map(|at| masks[at].take()).collect()
}

/// A byte a pixel of the whole picture, on which one part's masks are laid out to be encoded.
struct Sheet {
    picture: Size,
    crop: Bounds,
    part: Size,
    inside: Vec<u8>,
}

impl Sheet {
    fn new(picture: Size, crop: Bounds) -> Self {
        let part = Size { width_px: crop.width_px(), height_px: crop.height_px() };
        Self { picture, crop, part, inside: vec![0; picture.area_px()] }
    }

    fn encode(&mut self, plane: &LogitPlane) -> Result<Rle> {
        let first = self.crop.y0_px as usize * self.picture.width() + self.crop.x0_px as usize;
        let layout = Layout::new(self.part, PixelFormat::Gray8, self.picture.width() as isize)?;
        plane.write(Wanted::Binary, FrameViewMut::new(layout, &mut self.inside[first..])?)?;
        Rle::encode(self.picture, &self.inside)
    }
}

/// Counts points, and tells.
struct Tally<'a, 'b> {
    done: usize,
    total: usize,
    batch: usize,
    progress: &'a mut Progress<'b>,
}

impl Tally<'_, '_> {
    fn count(&mut self) -> Result<()> {
        self.done += 1;
        if !self.done.is_multiple_of(self.batch) && self.done != self.total {
            return Ok(());
        }
        match (self.progress)(self.done, self.total) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(Error::Cancelled),
        }
    }
}
