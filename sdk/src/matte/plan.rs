//! One part of a frame as a list of steps: what the GPU and the CPU's twin both carry out.

use std::sync::{Arc, LazyLock};

use rotomask_shaders::{layout, mode, op};

use super::drift::{Fit, drift};
use super::falloff::falloff;
use super::gaussian::Gaussian;
use super::job::{Combine, MatteJob, Status};
use super::light::{FULL, Light, srgb_to_linear};
use super::logits::taps;
use super::part::{Part, Place};
use super::prepare::{Prepared, Source};
use super::settings::{Alpha, Background, Despill, MatteSettings, View};
use crate::frame::{Channels, Depth, FrameView, PixelFormat, Size};

/// A step of an object's matte.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Step {
    Levels(layout::Combine),
    Grow(layout::Grow),
    /// Blurred, then sharp again.
    Smooth(Gaussian),
    Refine(Refine),
    Feather(Gaussian),
    /// By the frames around.
    Drift(layout::Drift),
    /// The curve's points.
    Curve(Vec<u32>),
}

/// A window's colours that vary by less (squares of 0 to 1) say nothing about its edge: a grain of 1.4 %.
pub(super) const LEAST_VARIANCE: f32 = 2e-4;

/// A colour guided filter, and how soft it leaves the edge.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Refine {
    pub gaussian: Gaussian,
    /// 1/65536.
    pub strength: u32,
    /// 1/256.
    pub soft: u32,
}

/// Where coverage comes from.
#[derive(Clone, Debug)]
pub(super) enum Origin<'a> {
    Contour {
        job: layout::Coverage,
        coefficients: &'a [i32],
        taps: Vec<layout::Tap>,
    },
    /// The frame's own coverage, still of the whole frame.
    View(FrameView<'a>),
    Samples(&'a [u16]),
}

/// An object's coverage and what becomes of it.
#[derive(Clone, Debug)]
pub(super) struct Shape<'a> {
    pub from: Origin<'a>,
    pub around: Option<Around<'a>>,
    pub steps: Vec<Step>,
}

/// The object on the frames around, for [`Step::Drift`].
#[derive(Clone, Debug)]
pub(super) struct Around<'a> {
    /// How the frame's own distances and those around are measured.
    pub measure: [layout::Grow; 2],
    /// At most four.
    pub origins: Vec<Origin<'a>>,
}

/// One object.
#[derive(Clone, Debug)]
pub(super) struct LayerPlan<'a> {
    pub shape: Shape<'a>,
    pub invert: bool,
    pub op: u32,
    pub keep: bool,
}

/// A host's matte that limits the sum of the objects.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limit<'a> {
    pub view: FrameView<'a>,
    pub op: u32,
}

/// A picture's light, blurred.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spread<'a> {
    pub picture: FrameView<'a>,
    pub gaussian: Gaussian,
    pub weight: u32,
}

/// What a view needs beside coverage.
#[derive(Clone, Debug)]
pub(super) enum Extra<'a> {
    None,
    Distance(layout::Grow),
    /// How sure the model is: each object's own logits, and the curve from logit to probability.
    Confidence(Vec<Origin<'a>>, &'static [u32]),
    Wrap(Box<Spread<'a>>),
}

/// What the last stage writes.
#[derive(Clone, Debug)]
pub(super) enum Finish<'a> {
    /// Coverage itself.
    Matte,
    /// Pixels, by [`mode`] and the kernel's own numbers.
    Pixels(Box<Pixels<'a>>),
}

#[derive(Clone, Debug)]
pub(super) struct Pixels<'a> {
    pub mode: u32,
    pub job: layout::Composite,
    /// [`mode::OVER_PICTURE`]'s.
    pub back: Option<FrameView<'a>>,
    /// [`mode::OVER_LIGHT`]'s.
    pub backdrop: Option<Spread<'a>>,
    /// The plate's light inside and outside the matte.
    pub sides: Option<[Spread<'a>; 2]>,
    pub extra: Extra<'a>,
    pub result: PixelFormat,
    /// Whether the result's codes are then multiplied by its alpha.
    pub multiplies_codes: bool,
}

/// One part's work.
#[derive(Clone, Debug)]
pub(super) struct Plan<'a> {
    pub part: Part,
    /// Where the inner part lies in the window.
    pub at: [u32; 2],
    pub plate: FrameView<'a>,
    pub layers: Vec<LayerPlan<'a>>,
    pub limits: Vec<Limit<'a>>,
    pub light: Arc<Light>,
    pub finish: Finish<'a>,
}

impl Plan<'_> {
    pub fn place(&self) -> Place {
        Place { part: self.part, at: self.at }
    }
}

/// Plans one part of a job that has been checked.
pub(super) fn plan<'a>(
    job: &MatteJob<'a>,
    sources: &'a [Prepared<'a>],
    part: Part,
    result: PixelFormat,
) -> Plan<'a> {
    let layers = job.layers.iter().zip(sources).map(|(layer, source)| {
        let settings = job.settings_of(layer);
        let (steps, measure) = steps(settings, &fit(source), job.scale, part.size());
        let origins = source.around.iter().map(|(_, mask)| origin(mask, job.plate.size(), part));
        LayerPlan {
            shape: Shape {
                from: origin(&source.own, job.plate.size(), part),
                around: measure.map(|measure| Around { measure, origins: origins.collect() }),
                steps,
            },
            invert: settings.invert,
            op: combine(layer.combine),
            keep: layer.keep,
        }
    });
    let settings = job.settings;
    let limit = |view: Option<FrameView<'a>>, keeps: bool| {
        let op = if keeps { op::MULTIPLY } else { op::HOLD };
        view.map(|view| Limit { view: crop(view, part), op })
    };
    let limits = [limit(job.garbage, settings.garbage_invert), limit(job.holdout, settings.holdout_invert)];
    let window = job.window();
    Plan {
        part,
        at: [part.inner.x_px - window.x_px, part.inner.y_px - window.y_px],
        plate: crop(job.plate, part),
        layers: layers.collect(),
        limits: limits.into_iter().flatten().collect(),
        light: Light::shared(settings.transfer, settings.range, job.curve),
        finish: finish(job, sources, part, result),
    }
}

fn crop(view: FrameView<'_>, part: Part) -> FrameView<'_> {
    let outer = part.outer;
    view.crop(outer.x_px, outer.y_px, outer.size)
        .expect("parts lie within the frame, whose size this view has")
}

fn origin<'a>(source: &'a Source<'a>, frame: Size, part: Part) -> Origin<'a> {
    match source {
        Source::View(view) => Origin::View(crop(*view, part)),
        Source::Samples(samples) => Origin::Samples(samples),
        Source::Contour { size, coefficients } => {
            let mut found = Vec::new();
            let scale = taps(frame, part.outer, *size, &mut found);
            let job = layout::Coverage {
                width_px: part.outer.size.width_px,
                height_px: part.outer.size.height_px,
                logits_width: size.width_px,
                logits_height: size.height_px,
                raise: scale.raise,
                lower: scale.lower,
            };
            Origin::Contour { job, coefficients, taps: found }
        }
    }
}

fn combine(combine: Combine) -> u32 {
    match combine {
        Combine::Add => op::ADD,
        Combine::Subtract => op::SUBTRACT,
        Combine::Intersect => op::INTERSECT,
        Combine::Min => op::MIN,
        Combine::Max => op::MAX,
        Combine::Multiply => op::MULTIPLY,
    }
}

fn fit(source: &Prepared<'_>) -> Fit {
    Fit::new(source.around.iter().map(|(frame, _)| *frame))
}

/// An object's steps, those left out that change nothing, and how far it is measured on the frames around, if it is.
fn steps(
    settings: &MatteSettings,
    fit: &Fit,
    scale: glam::DVec2,
    size: Size,
) -> (Vec<Step>, Option<[layout::Grow; 2]>) {
    let mut steps = Vec::new();
    let drift = drift(settings, fit, scale, size);
    steps.extend(drift.steady.map(Step::Drift));
    let share = |percent: f32| (f64::from(percent) * 655.35).round() as u32;
    let (low, high) = (share(settings.clean_black), FULL - share(settings.clean_white));
    if low > 0 || high < FULL {
        // Where the two meet, all between is one step.
        steps.push(Step::Levels(combining(size, op::LEVELS, low.min(high - 1), high)));
    }
    if settings.grow_px != 0.0 {
        let reach_px = f64::from(settings.grow_px.abs());
        steps.push(Step::Grow(grow(settings.grow_px.into(), reach_px, scale, size)));
    }
    let sigma = |px: f64| [px * scale.x, px * scale.y];
    steps.extend(Gaussian::new(sigma(settings.smooth_px.into()), size).map(Step::Smooth));
    let strength = (f64::from(settings.refine_strength) * 655.36).round() as u32;
    let refining = Gaussian::new(sigma(f64::from(settings.refine_px) / 3.0), size);
    steps.extend(refining.filter(|_| strength > 0).map(|gaussian| {
        let soft = (settings.refine_softness * 2.56).round() as u32;
        Step::Refine(Refine { gaussian, strength, soft })
    }));
    let [inner, outer] = [settings.feather_inner_px, settings.feather_outer_px].map(f64::from);
    // Softness reaches two deviations to each side.
    if let Some(gaussian) = Gaussian::new(sigma((inner + outer) / 4.0), size) {
        steps.push(Step::Feather(gaussian));
        if inner != outer || settings.feather_falloff != 1.0 {
            let shift = 2.0 * (outer - inner) / (inner + outer);
            steps.push(Step::Curve(falloff(shift, settings.feather_falloff.into())));
        }
    }
    steps.extend(drift.blurred.map(Step::Drift));
    (steps, drift.measure)
}

pub(super) fn combining(size: Size, op: u32, low: u32, high: u32) -> layout::Combine {
    layout::Combine { width_px: size.width_px, height_px: size.height_px, op, low, high }
}

/// Growing by some of the full frame's pixels, or measuring as far as `reach_px` of them.
pub(super) fn grow(grow_px: f64, reach_px: f64, scale: glam::DVec2, size: Size) -> layout::Grow {
    let mean = (scale.x * scale.y).sqrt();
    let reach = |scale: f64| (reach_px * scale).ceil() as u32 + 2;
    let unit = |scale: f64| (512.0 / scale).round().max(1.0) as u32;
    let (reach_x, reach_y) = (reach(scale.x), reach(scale.y));
    layout::Grow {
        width_px: size.width_px,
        height_px: size.height_px,
        reach_x,
        reach_y,
        unit_x: unit(scale.x),
        unit_y: unit(scale.y),
        // A pixel changes if the contour is within the distance and half a pixel; more for the crossing's.
        farthest: (reach_x * unit(scale.x)).min(reach_y * unit(scale.y)).min(45_000),
        grow: (grow_px * mean * 65536.0).round() as i32,
        per_distance: (2048.0 * mean).round().max(1.0) as u32,
    }
}

/// From logits as the `FIELD` variant of coverage gives them to their probability.
static SIGMOID: LazyLock<Vec<u32>> = LazyLock::new(|| {
    let point = |i: u32| {
        let logit = f64::from(i) / 32.0 - 16.0;
        (f64::from(FULL) / (1.0 + (-logit).exp())).round() as u32
    };
    (0..=1024).map(point).collect()
});

/// A pixel's layout, as `pixels.wgsl` has it.
pub(super) fn kind(format: PixelFormat) -> u32 {
    let depth = match format.depth() {
        Depth::U8 => 0,
        Depth::U16 => 1,
        Depth::F16 => 2,
        Depth::F32 => 3,
    };
    depth + if format.channels() == Channels::Bgra { rotomask_shaders::kind::BGRA } else { 0 }
}

fn finish<'a>(
    job: &MatteJob<'a>,
    sources: &'a [Prepared<'a>],
    part: Part,
    result: PixelFormat,
) -> Finish<'a> {
    let (settings, size) = (job.settings, part.size());
    if settings.view == View::Matte {
        return Finish::Matte;
    }
    let plate = crop(job.plate, part);
    let back = job.back().map(|view| crop(view, part));
    let gaussian = |px: f32| {
        let px = f64::from(px);
        Gaussian::new([px * job.scale.x, px * job.scale.y], size)
    };
    let share = |percent: f32| percent / 100.0;
    let mut colour = [0.0; 4];
    let mut backdrop = None;
    let mode = match (settings.view, settings.background) {
        (View::Overlay, _) => {
            colour = linear(settings.overlay_colour);
            mode::OVERLAY
        }
        (View::Edge, _) => {
            colour = linear(settings.overlay_colour);
            mode::EDGE
        }
        (View::Status, _) => {
            colour = linear(settings.overlay_colour);
            mode::STATUS
        }
        (View::Cutout, _) => mode::CUTOUT,
        (View::Erase, _) => mode::ERASE,
        (View::Trimap, _) => mode::TRIMAP,
        (View::Confidence, _) => mode::CONFIDENCE,
        (View::Matte | View::Composite, Background::Colour) => {
            let [r, g, b, a] = linear(settings.background_colour);
            colour = [r * a, g * a, b * a, a];
            mode::OVER_COLOUR
        }
        (View::Matte | View::Composite, Background::BlurredPlate) => {
            let weight = rotomask_shaders::weight::NONE;
            backdrop = gaussian(settings.background_blur_px).map(|gaussian| Spread {
                picture: plate,
                gaussian,
                weight,
            });
            // Unblurred, the plate is its own background.
            if backdrop.is_some() { mode::OVER_LIGHT } else { mode::OVER_PICTURE }
        }
        (View::Matte | View::Composite, Background::Plate | Background::Picture) => mode::OVER_PICTURE,
    };
    let shows_subject = matches!(settings.view, View::Composite | View::Cutout);
    let decontaminate = if shows_subject { share(settings.decontaminate) } else { 0.0 };
    let sides = gaussian(settings.decontaminate_px / 2.0).filter(|_| decontaminate > 0.0).map(|gaussian| {
        [rotomask_shaders::weight::INSIDE, rotomask_shaders::weight::OUTSIDE].map(|weight| Spread {
            picture: plate,
            gaussian,
            weight,
        })
    });
    let wrap = if settings.view == View::Composite { share(settings.light_wrap) } else { 0.0 };
    let extra = match settings.view {
        View::Trimap if settings.trimap_px > 0.0 => {
            Extra::Distance(grow(0.0, settings.trimap_px.into(), job.scale, size))
        }
        View::Confidence => {
            let froms = sources.iter().map(|source| origin(&source.own, job.plate.size(), part));
            Extra::Confidence(froms.collect(), &SIGMOID)
        }
        _ => match gaussian(settings.light_wrap_px / 2.0).filter(|_| wrap > 0.0) {
            Some(gaussian) => {
                let weight = rotomask_shaders::weight::OUTSIDE;
                Extra::Wrap(Box::new(Spread { picture: back.unwrap_or(plate), gaussian, weight }))
            }
            None => Extra::None,
        },
    };
    let [x, y] = part.inset();
    let badge = badge(job.status);
    let [red, green, blue, alpha] = colour;
    let numbers = layout::Composite {
        width_px: size.width_px,
        height_px: size.height_px,
        inner_x: x,
        inner_y: y,
        inner_width: part.inner.size.width_px,
        inner_height: part.inner.size.height_px,
        frame_x: part.inner.x_px,
        frame_y: part.inner.y_px,
        plate_kind: kind(plate.format()),
        back_kind: back.map_or(0, |back| kind(back.format())),
        result_kind: kind(result),
        premultiplied: u32::from(settings.alpha == Alpha::Premultiplied),
        despill: match settings.despill {
            Despill::Off => 0,
            _ if !shows_subject || settings.despill_strength == 0.0 => 0,
            Despill::Green => 1,
            Despill::Blue => 2,
        },
        band: match &extra {
            Extra::Distance(_) => {
                let mean = (job.scale.x * job.scale.y).sqrt();
                (f64::from(settings.trimap_px) * mean * 65536.0).round() as i32
            }
            _ => 0,
        },
        badge_px: (job.plate.size().height_px / 24).max(8),
        despill_strength: share(settings.despill_strength),
        decontaminate,
        wrap: if matches!(extra, Extra::Wrap(_)) { wrap } else { 0.0 },
        red,
        green,
        blue,
        alpha,
        badge_red: badge[0],
        badge_green: badge[1],
        badge_blue: badge[2],
    };
    let back = back.filter(|_| mode == mode::OVER_PICTURE);
    Finish::Pixels(Box::new(Pixels {
        mode,
        job: numbers,
        back,
        backdrop,
        sides,
        extra,
        result,
        multiplies_codes: job.multiplies_codes,
    }))
}

/// sRGB-encoded to linear, straight.
fn linear([r, g, b, a]: [f32; 4]) -> [f32; 4] {
    let light = |v: f32| srgb_to_linear(v.into()) as f32;
    [light(r), light(g), light(b), a]
}

/// The badge's linear colour.
fn badge(status: Status) -> [f32; 3] {
    match status {
        Status::Untracked => [0.2, 0.2, 0.2],
        Status::Prompted => [0.02, 0.5, 0.08],
        Status::Tracked => [0.03, 0.2, 0.8],
        Status::Review => [0.9, 0.4, 0.01],
        Status::Missing => [0.7, 0.02, 0.02],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_even_feather_needs_no_curve_and_an_uneven_one_moves_the_half() {
        let size = Size::new(64, 64).unwrap();
        let even = MatteSettings { feather_inner_px: 4.0, feather_outer_px: 4.0, ..Default::default() };
        assert_eq!(steps(&even, &Fit::default(), glam::DVec2::ONE, size).0.len(), 1);
        let curve = falloff(1.0, 1.0);
        assert!((f64::from(curve[512]) / 65535.0 - 0.8413).abs() < 1e-3);
        assert_eq!((curve[0], curve[1024]), (0, FULL));
        assert!(curve.windows(2).all(|pair| pair[0] <= pair[1]));
    }

    #[test]
    fn a_proxy_measures_in_the_full_frames_pixels() {
        let size = Size::new(480, 540).unwrap();
        // Half the height, a quarter of the width.
        let job = grow(8.0, 8.0, glam::DVec2::new(0.25, 0.5), size);
        assert_eq!((job.reach_x, job.reach_y, job.unit_x, job.unit_y), (4, 6, 2048, 1024));
    }
}
