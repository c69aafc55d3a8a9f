//! The matte chain on the CPU: a plain twin of every kernel.

mod blur;
mod composite;
mod coverage;
mod drift;
mod grow;
mod pixels;
mod plane;
mod point;
mod refine;
mod spread;

use blur::PlaneBlur;
use composite::{Beside, composite};
use grow::Contour;
use plane::{Plane, fit};
use refine::Refining;
use rotomask_shaders::{
    layout::{Coverage, Tap},
    op,
};
use spread::Blurred;

use super::Finished;
use super::plan::{Around, Extra, Finish, LayerPlan, Origin, Pixels, Plan, Shape, Step, combining};
use crate::frame::Size;

/// The twins' memory, kept from frame to frame.
#[derive(Debug, Default)]
pub(super) struct Twin {
    /// The object that is worked on, and a place for what becomes of it.
    matte: Plane,
    spare: Plane,
    /// All objects so far, and what of them nothing takes away.
    total: Plane,
    kept: Plane,
    contour: Contour,
    blur: PlaneBlur,
    backdrop: Blurred,
    sides: [Blurred; 2],
    wrap: Blurred,
    distance: Vec<i32>,
    /// Distances of the frame itself, and of up to four around it.
    times: [Vec<i32>; 5],
    refining: Refining,
    pixels: Vec<u8>,
}

impl Twin {
    /// Carries out a plan. It can't fail.
    pub fn render(&mut self, plan: &Plan<'_>, frame: Size) -> Finished<'_> {
        self.combine(plan, frame);
        let Finish::Pixels(pixels) = &plan.finish else {
            return Finished::Coverage(&self.total.values);
        };
        self.show(plan, pixels, frame);
        Finished::Pixels(&self.pixels)
    }

    /// All objects' mattes become one, in `total`.
    fn combine(&mut self, plan: &Plan<'_>, frame: Size) {
        let size = plan.part.size();
        self.total.clear(size);
        let keeps = plan.layers.iter().any(|layer| layer.keep);
        if keeps {
            self.kept.clear(size);
        }
        for layer in &plan.layers {
            self.layer(plan, layer, frame);
            if layer.keep {
                point::combine(&combining(size, op::MAX, 0, 0), &mut self.kept, &self.matte);
            }
            point::combine(&combining(size, layer.op, 0, 0), &mut self.total, &self.matte);
        }
        if keeps {
            point::combine(&combining(size, op::MAX, 0, 0), &mut self.total, &self.kept);
        }
        for limit in &plan.limits {
            self.spare.resize(size);
            point::from_view(limit.view, &mut self.spare);
            point::combine(&combining(size, limit.op, 0, 0), &mut self.total, &self.spare);
        }
    }

    /// One object's matte, in `matte`.
    fn layer(&mut self, plan: &Plan<'_>, layer: &LayerPlan<'_>, frame: Size) {
        self.shape(plan, &layer.shape, frame);
        if layer.invert {
            point::change(&combining(plan.part.size(), op::INVERT, 0, 0), &mut self.matte);
        }
    }

    /// A mask as it comes, in `matte`; `read` is what logits become.
    fn origin(
        &mut self,
        plan: &Plan<'_>,
        origin: &Origin<'_>,
        read: impl Fn(&Coverage, &[i32], &[Tap], &mut Plane),
        frame: Size,
    ) {
        self.matte.resize(plan.part.size());
        match origin {
            Origin::Contour { job, coefficients, taps } => read(job, coefficients, taps, &mut self.matte),
            Origin::View(view) => point::from_view(*view, &mut self.matte),
            Origin::Samples(samples) => {
                point::from_samples(samples, frame.width(), &plan.part, &mut self.matte);
            }
        }
    }

    fn shape(&mut self, plan: &Plan<'_>, shape: &Shape<'_>, frame: Size) {
        let size = plan.part.size();
        self.origin(plan, &shape.from, coverage::coverage, frame);
        if let Some(around) = &shape.around {
            self.times(plan, around, frame);
        }
        for step in &shape.steps {
            match step {
                Step::Levels(job) => point::change(job, &mut self.matte),
                Step::Grow(job) => {
                    self.spare.resize(size);
                    grow::grow(&self.matte, job, &mut self.contour, &mut self.spare);
                    std::mem::swap(&mut self.matte, &mut self.spare);
                }
                Step::Smooth(gaussian) => {
                    self.blur.run(gaussian, &mut self.matte);
                    self.spare.resize(size);
                    coverage::sharpen(0, &self.matte, &mut self.spare);
                    std::mem::swap(&mut self.matte, &mut self.spare);
                }
                Step::Refine(refine) => {
                    self.spare.resize(size);
                    self.refining.run(refine, plan.plate, &plan.light, &self.matte, &mut self.spare);
                    coverage::sharpen(refine.soft, &self.spare, &mut self.matte);
                }
                Step::Drift(job) => {
                    let known = shape.around.as_ref().map_or(0, |around| around.origins.len());
                    let time = |i: usize| self.times[if i <= known { i } else { 0 }].as_slice();
                    self.spare.resize(size);
                    drift::drift(job, &self.matte, [0, 1, 2, 3, 4].map(time), &mut self.spare);
                    std::mem::swap(&mut self.matte, &mut self.spare);
                }
                Step::Feather(gaussian) => self.blur.run(gaussian, &mut self.matte),
                Step::Curve(points) => point::curve(points, &mut self.matte),
            }
        }
    }

    /// Distances of the frame's matte and, near its edge, of those around.
    fn times(&mut self, plan: &Plan<'_>, around: &Around<'_>, frame: Size) {
        let [own, others] = &around.measure;
        let own_far = grow::farthest(own);
        grow::distance(&self.matte, own, &mut self.contour, |_| true, &mut self.times[0]);
        std::mem::swap(&mut self.matte, &mut self.spare);
        for (origin, i) in around.origins.iter().zip(1..) {
            self.origin(plan, origin, coverage::coverage, frame);
            let (now, time) = self.times.split_at_mut(i);
            let near = |at: usize| now[0][at].abs() < own_far;
            grow::distance(&self.matte, others, &mut self.contour, near, &mut time[0]);
        }
        std::mem::swap(&mut self.matte, &mut self.spare);
    }

    /// The finished pixels of the inner part.
    fn show(&mut self, plan: &Plan<'_>, pixels: &Pixels<'_>, frame: Size) {
        let light = &*plan.light;
        match &pixels.extra {
            Extra::Confidence(origins, curve) => self.confidence(plan, origins, curve, frame),
            Extra::Distance(job) => {
                grow::distance(&self.total, job, &mut self.contour, |_| true, &mut self.distance);
            }
            Extra::None | Extra::Wrap(_) => {}
        }
        let mut beside = Beside::default();
        if let Some(spread) = &pixels.backdrop {
            self.backdrop.run(spread, light, &self.total);
            beside.backdrop = Some(&self.backdrop);
        }
        if let Some(spreads) = &pixels.sides {
            self.sides
                .iter_mut()
                .zip(spreads)
                .for_each(|(side, spread)| side.run(spread, light, &self.total));
            beside.sides = Some(&self.sides);
        }
        match &pixels.extra {
            Extra::Wrap(spread) => {
                self.wrap.run(spread, light, &self.total);
                beside.wrap = Some(&self.wrap);
            }
            Extra::Distance(_) => beside.distance = &self.distance,
            Extra::Confidence(..) => beside.confidence = &self.kept.values,
            Extra::None => {}
        }
        let inner = plan.part.inner.size;
        fit(&mut self.pixels, inner.area_px() * pixels.result.bytes_per_pixel(), 0);
        composite(plan, pixels, &self.total, beside, &mut self.pixels);
    }

    /// How sure the model is of the surest object, in `kept`.
    fn confidence(&mut self, plan: &Plan<'_>, origins: &[Origin<'_>], curve: &[u32], frame: Size) {
        let size = plan.part.size();
        self.kept.clear(size);
        for origin in origins {
            self.origin(plan, origin, coverage::field, frame);
            if matches!(origin, Origin::Contour { .. }) {
                point::curve(curve, &mut self.matte);
            }
            point::combine(&combining(size, op::MAX, 0, 0), &mut self.kept, &self.matte);
        }
    }
}
