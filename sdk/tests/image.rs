//! One picture at a time, on the embedded model: candidates, automatic masks, objects, and what is refused.
//!
//! Needs ONNX Runtime, named by `ROTOMASK_ONNXRUNTIME`: `cargo xtask test` sets it.

#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

use std::ops::ControlFlow;
use std::sync::{Arc, OnceLock};

use rotomask::Error;
use rotomask::automatic::{
    AutomaticMask, AutomaticMaskGenerator, AutomaticOptions, ObjectOptions, OutputMode, Segmentation,
    propose_objects,
};
use rotomask::frame::{FrameView, Layout, PixelFormat, Size};
use rotomask::image::{ImageOptions, ImagePredictor, ImagePrompts, Prediction};
use rotomask::mask::{Cleaning, LogitPlane, Rle};
use rotomask::model::{Model, ModelOptions};
use rotomask::prompt::{Box as Bounds, Click};

/// A wide odd picture and the discs in it: centre and radius.
struct Scene {
    size: (u32, u32),
    discs: &'static [(f32, f32, f32)],
}

const ONE: Scene = Scene { size: (241, 101), discs: &[(120.0, 50.0, 32.0)] };
/// Each lies in one part of the picture only, away from the part's edges.
const TWO: Scene = Scene { size: (401, 161), discs: &[(80.0, 45.0, 24.0), (310.0, 112.0, 24.0)] };

impl Scene {
    fn size(&self) -> Size {
        Size::new(self.size.0, self.size.1).unwrap()
    }

    fn disc_at(&self, pixel: usize) -> Option<usize> {
        let (x, y) = ((pixel % self.size().width()) as f32, (pixel / self.size().width()) as f32);
        self.discs.iter().position(|(cx, cy, r)| (x - cx).powi(2) + (y - cy).powi(2) < r * r)
    }

    /// Bright discs over waves of green, RGB.
    fn pixels(&self) -> Vec<u8> {
        let ground = |at: usize| {
            let (x, y) = ((at % self.size().width()) as f32, (at / self.size().width()) as f32);
            let wave = (x * 0.2).sin() * (y * 0.25).cos();
            [90.0 + 40.0 * wave, 120.0 + 30.0 * (x * 0.07 + y * 0.3).sin(), 80.0 + x * 0.1].map(|v| v as u8)
        };
        let colours = [[240, 60, 40], [30, 40, 220]];
        let pixel = |at| self.disc_at(at).map_or_else(|| ground(at), |disc| colours[disc]);
        (0..self.size().area_px()).flat_map(pixel).collect()
    }

    fn overlap(&self, inside: &[u8], disc: usize) -> f64 {
        let (mut both, mut either) = (0, 0);
        for (at, &inside) in inside.iter().enumerate() {
            let on_disc = self.disc_at(at) == Some(disc);
            both += u32::from(on_disc && inside != 0);
            either += u32::from(on_disc || inside != 0);
        }
        f64::from(both) / f64::from(either)
    }

    fn best_overlap<'a>(&self, masks: impl IntoIterator<Item = &'a Rle>, disc: usize) -> f64 {
        masks.into_iter().map(|mask| self.overlap(&mask.decode(), disc)).fold(0.0, f64::max)
    }

    fn view<'a>(&self, pixels: &'a [u8]) -> FrameView<'a> {
        FrameView::new(Layout::packed(self.size(), PixelFormat::Rgb8), pixels).unwrap()
    }
}

fn model() -> Arc<Model> {
    static MODEL: OnceLock<Arc<Model>> = OnceLock::new();
    let open = || Arc::new(Model::open(&ModelOptions { threads: 2, ..ModelOptions::default() }).unwrap());
    Arc::clone(MODEL.get_or_init(open))
}

fn predictor() -> ImagePredictor {
    let mut predictor = ImagePredictor::new(model(), ImageOptions::default()).unwrap();
    predictor.set_image(ONE.view(&ONE.pixels())).unwrap();
    predictor
}

fn on_disc() -> Click {
    Click { x_px: 122.0, y_px: 48.0, positive: true }
}

fn ask(predictor: &ImagePredictor, clicks: &[Click]) -> Prediction {
    predictor.predict(&ImagePrompts { clicks, ..ImagePrompts::default() }).unwrap()
}

#[test]
fn a_click_gives_three_candidates_of_which_the_best_is_the_disc() {
    let prediction = ask(&predictor(), &[on_disc()]);
    assert_eq!(prediction.candidates.len(), 3);
    let best = prediction.best().unwrap();
    assert!(prediction.candidates.iter().all(|c| c.predicted_iou <= best.predicted_iou));
    let inside = best.mask.binary(ONE.size());
    let found = ONE.overlap(&inside, 0);
    assert!(found > 0.7, "{found}");
    assert_eq!(best.shape.area_px, inside.iter().map(|&v| u64::from(v)).sum::<u64>());
    assert!((0.0..=1.0).contains(&best.shape.stability));
}

#[test]
fn one_candidate_is_given_where_one_is_asked_for_and_it_can_be_fed_back() {
    let (predictor, clicks) = (predictor(), [on_disc()]);
    let one = ImagePrompts { clicks: &clicks, multimask_output: false, ..ImagePrompts::default() };
    let first = predictor.predict(&one).unwrap();
    assert_eq!(first.candidates.len(), 1);
    let logits = &first.candidates[0].logits;
    assert!(logits.values.iter().all(|v| v.abs() <= 32.0));
    let again = predictor.predict(&ImagePrompts { mask_input: Some(logits), ..one }).unwrap();
    assert_ne!(again, first);
    assert!(ONE.overlap(&again.candidates[0].mask.binary(ONE.size()), 0) > 0.7);
    let alone = ImagePrompts { mask_input: Some(logits), multimask_output: false, ..ImagePrompts::default() };
    assert_eq!(predictor.predict(&alone).unwrap().candidates.len(), 1);
}

#[test]
fn a_negative_click_and_a_box_change_the_answer() {
    let predictor = predictor();
    let plain = ask(&predictor, &[on_disc()]);
    let negative = Click { x_px: 20.0, y_px: 20.0, positive: false };
    assert_ne!(ask(&predictor, &[on_disc(), negative]), plain);
    let bounds = Some(Bounds { x0_px: 80.0, y0_px: 15.0, x1_px: 140.0, y1_px: 90.0 });
    let clicks = [on_disc()];
    let boxed = ImagePrompts { clicks: &clicks, bounds, ..ImagePrompts::default() };
    assert_ne!(predictor.predict(&boxed).unwrap(), plain);
}

#[test]
fn cleaning_changes_the_mask_and_never_what_is_fed_back() {
    let cleaning = Cleaning { max_hole_cells: 96 * 96, max_speck_cells: 0 };
    let mut filled = ImagePredictor::new(model(), ImageOptions { cleaning, ..Default::default() }).unwrap();
    filled.set_image(ONE.view(&ONE.pixels())).unwrap();
    let (plain, filled) = (ask(&predictor(), &[on_disc()]), ask(&filled, &[on_disc()]));
    assert_eq!(plain.candidates[0].logits, filled.candidates[0].logits);
    assert_eq!(filled.candidates[0].shape.area_px, ONE.size().area_px() as u64);
}

#[test]
fn a_threshold_moves_the_contour_to_its_logit() {
    let options = ImageOptions { mask_threshold: 2.0, ..ImageOptions::default() };
    let mut strict = ImagePredictor::new(model(), options).unwrap();
    strict.set_image(ONE.view(&ONE.pixels())).unwrap();
    let (plain, strict) = (ask(&predictor(), &[on_disc()]), ask(&strict, &[on_disc()]));
    for (plain, strict) in plain.candidates.iter().zip(&strict.candidates) {
        assert!(plain.mask.values.iter().zip(&strict.mask.values).all(|(a, b)| a - 2.0 == *b));
        assert!(strict.shape.area_px <= plain.shape.area_px);
    }
}

#[test]
fn what_cannot_be_answered_is_refused_in_a_sentence() {
    let fresh = ImagePredictor::new(model(), ImageOptions::default()).unwrap();
    let clicks = [on_disc()];
    let prompts = ImagePrompts { clicks: &clicks, ..ImagePrompts::default() };
    assert_eq!(fresh.predict(&prompts).unwrap_err().to_string(), "no picture was set yet");
    let predictor = predictor();
    let said = |prompts: ImagePrompts<'_>| predictor.predict(&prompts).unwrap_err().to_string();
    assert_eq!(
        said(ImagePrompts::default()),
        "prompt: nothing is said, expected a click, a box or a mask input"
    );
    let outside = [Click { x_px: 300.0, y_px: 3.0, positive: true }];
    assert!(said(ImagePrompts { clicks: &outside, ..prompts }).contains("expected 0 to below 241 across"));
    assert!(said(ImagePrompts { clicks: &[on_disc(); 257], ..prompts }).ends_with("expected at most 256"));
    let small = LogitPlane { size: Size::new(3, 2).unwrap(), values: vec![0.0; 6] };
    assert_eq!(
        said(ImagePrompts { mask_input: Some(&small), ..prompts }),
        "prompt: the mask input is 3x2, expected 96x96 logits"
    );
    let nan = LogitPlane { size: Size::new(96, 96).unwrap(), values: vec![f32::NAN; 96 * 96] };
    assert!(said(ImagePrompts { mask_input: Some(&nan), ..prompts }).contains("NaN"));
    let wrong = ImageOptions { mask_threshold: f32::NAN, ..ImageOptions::default() };
    assert!(ImagePredictor::new(model(), wrong).is_err());
}

fn loose() -> AutomaticOptions {
    AutomaticOptions {
        points_per_side: 8,
        pred_iou_thresh: 0.5,
        stability_score_thresh: 0.6,
        ..AutomaticOptions::default()
    }
}

fn generate(scene: &Scene, options: AutomaticOptions) -> Vec<AutomaticMask> {
    let mut generator = AutomaticMaskGenerator::new(model(), options).unwrap();
    generator.generate(scene.view(&scene.pixels()), &mut |_, _| ControlFlow::Continue(())).unwrap()
}

#[test]
fn a_disc_is_found_without_being_pointed_at() {
    let masks = generate(&ONE, loose());
    let best = ONE.best_overlap(masks.iter().map(|mask| &mask.rle), 0);
    assert!(best > 0.7, "{best}, of {} masks", masks.len());
    for mask in &masks {
        assert_eq!((mask.area_px, Some(mask.bounds)), (mask.rle.area_px(), mask.rle.bounds()));
        assert!(mask.predicted_iou > 0.5 && mask.stability_score >= 0.6);
    }
    assert!(masks.is_sorted_by(|a, b| a.predicted_iou >= b.predicted_iou));
}

#[test]
fn parts_of_a_picture_give_masks_in_the_pictures_own_pixels_and_objects_that_do_not_overlap() {
    let masks = generate(&TWO, AutomaticOptions { crop_n_layers: 1, points_per_side: 6, ..loose() });
    let in_a_part: Vec<_> = masks.iter().filter(|mask| mask.crop_box.width_px() < TWO.size.0).collect();
    for disc in 0..2 {
        let best = TWO.best_overlap(in_a_part.iter().map(|mask| &mask.rle), disc);
        assert!(best > 0.7, "disc {disc}: {best}, of {} masks", masks.len());
    }
    for mask in &masks {
        assert_eq!(mask.rle.size(), TWO.size());
        let ([x, y], crop) = (mask.point_coords, mask.crop_box);
        assert!((crop.x0_px as f32..crop.x1_px as f32).contains(&x), "{x} in {crop:?}");
        assert!((crop.y0_px as f32..crop.y1_px as f32).contains(&y), "{y} in {crop:?}");
        assert!(mask.bounds.x0_px >= crop.x0_px && mask.bounds.x1_px <= crop.x1_px);
        assert!(mask.bounds.y0_px >= crop.y0_px && mask.bounds.y1_px <= crop.y1_px);
    }
    let objects = propose_objects(&masks, &ObjectOptions { max_area: 0.05, ..Default::default() }).unwrap();
    let mut taken = vec![0u8; TWO.size().area_px()];
    objects.iter().for_each(|o| taken.iter_mut().zip(o.rle.decode()).for_each(|(t, v)| *t += v));
    assert!(taken.iter().all(|&t| t <= 1), "objects overlap");
    for disc in 0..2 {
        let best = TWO.best_overlap(objects.iter().map(|object| &object.rle), disc);
        assert!(best > 0.6, "disc {disc}: {best}, of {} objects", objects.len());
    }
}

#[test]
fn points_of_the_callers_own_refining_and_single_masks_are_done_as_asked() {
    let [x, y] = [122.0 / 241.0, 48.0 / 101.0];
    let options = AutomaticOptions {
        point_grids: Some(vec![vec![[x, y]]]),
        multimask_output: false,
        pred_iou_thresh: 0.0,
        stability_score_thresh: 0.0,
        ..AutomaticOptions::default()
    };
    let plain = generate(&ONE, options.clone());
    assert_eq!(plain.len(), 1);
    assert!(ONE.overlap(&plain[0].rle.decode(), 0) > 0.7);
    let refined = generate(&ONE, AutomaticOptions { use_m2m: true, ..options.clone() });
    assert_eq!(refined.len(), 1);
    assert_ne!(refined[0].predicted_iou, plain[0].predicted_iou);
    let corner = AutomaticOptions { point_grids: Some(vec![vec![[1.0, 1.0]]]), ..options };
    assert!(generate(&ONE, corner).len() <= 1);
}

#[test]
fn a_mask_is_handed_on_in_the_form_that_is_asked_for() {
    let mask = generate(&ONE, loose()).remove(0);
    let Segmentation::BinaryMask(inside) = mask.segmentation(OutputMode::BinaryMask) else { panic!() };
    assert_eq!(inside, mask.rle.decode());
    assert_eq!(
        mask.segmentation(OutputMode::UncompressedRle),
        Segmentation::UncompressedRle(mask.rle.counts().to_vec())
    );
    assert_eq!(mask.segmentation(OutputMode::CocoRle), Segmentation::CocoRle(mask.rle.compressed()));
}

#[test]
fn progress_counts_points_in_batches_and_can_stop_the_work() {
    let options = AutomaticOptions { points_per_side: 3, points_per_batch: 4, ..loose() };
    let mut generator = AutomaticMaskGenerator::new(model(), options).unwrap();
    let mut told = Vec::new();
    let pixels = ONE.pixels();
    generator
        .generate(ONE.view(&pixels), &mut |done, total| {
            told.push((done, total));
            ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!(told, [(4, 9), (8, 9), (9, 9)]);
    let stopped = generator.generate(ONE.view(&pixels), &mut |_, _| ControlFlow::Break(()));
    assert!(matches!(stopped, Err(Error::Cancelled)));
    generator.cancel_switch().ask();
    let stopped = generator.generate(ONE.view(&pixels), &mut |_, _| ControlFlow::Continue(()));
    assert!(matches!(stopped, Err(Error::Cancelled)));
    assert!(generator.generate(ONE.view(&pixels), &mut |_, _| ControlFlow::Continue(())).is_ok());
}
