//! The matte chain on the CPU: a plain twin of every kernel.

mod blur;
mod composite;
mod contour;
mod coverage;
mod drift;
mod grow;
mod pixels;
mod plane;
mod point;
mod refine;
mod spread;
mod subject;
mod views;

use blur::PlaneBlur;
use composite::{Beside, composite};
use contour::Contour;
use multiversion::multiversion;
use plane::Plane;
use refine::Refining;
use rotomask_shaders::{
    layout::{Coverage, Tap},
    op,
};
use spread::Blurred;

use rayon::prelude::*;

use super::plan::{Around, Extra, Finish, LayerPlan, Origin, Pixels, Plan, Shape, Step, combining};
use crate::frame::{FrameViewMut, PixelFormat, Size};

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
}

impl Twin {
    /// Bytes of all that is kept.
    pub fn bytes(&self) -> u64 {
        let planes = [&self.matte, &self.spare, &self.total, &self.kept].map(Plane::bytes);
        let pictures = self.sides.iter().chain([&self.backdrop, &self.wrap]).map(Blurred::bytes);
        let distances = self.times.iter().chain([&self.distance]).map(plane::bytes);
        planes.into_iter().chain(pictures).chain(distances).sum::<u64>()
            + self.contour.bytes()
            + self.blur.bytes()
            + self.refining.bytes()
    }

    /// Carries out a plan and writes its part of the result. It can't fail.
    pub fn render(&mut self, plan: &Plan<'_>, frame: Size, result: &mut FrameViewMut<'_>) {
        self.combine(plan, frame);
        match &plan.finish {
            Finish::Pixels(pixels) => self.show(plan, pixels, frame, result),
            Finish::Matte => {
                let (place, format) = (plan.place(), result.format());
                place.rows(result).for_each(|(y, row)| {
                    write_coverage(&self.total.values[place.outer_row(y)..], format, row);
                });
            }
        }
    }

    /// All objects' mattes become one, in `total`.
    fn combine(&mut self, plan: &Plan<'_>, frame: Size) {
        let size = plan.part.size();
        if plan.layers.is_empty() {
            self.total.clear(size);
        }
        let keeps = plan.layers.iter().any(|layer| layer.keep);
        if keeps {
            self.kept.clear(size);
        }
        for (i, layer) in plan.layers.iter().enumerate() {
            self.layer(plan, layer, frame);
            if layer.keep {
                point::combine(&combining(size, op::MAX, 0, 0), &mut self.kept, &self.matte);
            }
            match (i, layer.op) {
                // Added to nothing, it is what there is.
                (0, op::ADD | op::MAX) => std::mem::swap(&mut self.total, &mut self.matte),
                // Nothing, less anything or times anything, is nothing.
                (0, _) => self.total.clear(size),
                _ => point::combine(&combining(size, layer.op, 0, 0), &mut self.total, &self.matte),
            }
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
        grow::distance(&self.matte, own, &mut self.contour, None, &mut self.times[0]);
        std::mem::swap(&mut self.matte, &mut self.spare);
        for (origin, i) in around.origins.iter().zip(1..) {
            self.origin(plan, origin, coverage::coverage, frame);
            let (now, time) = self.times.split_at_mut(i);
            let near = Some((now[0].as_slice(), own_far));
            grow::distance(&self.matte, others, &mut self.contour, near, &mut time[0]);
        }
        std::mem::swap(&mut self.matte, &mut self.spare);
    }

    /// The finished pixels of the inner part.
    fn show(&mut self, plan: &Plan<'_>, pixels: &Pixels<'_>, frame: Size, result: &mut FrameViewMut<'_>) {
        let light = &*plan.light;
        match &pixels.extra {
            Extra::Confidence(origins, curve) => self.confidence(plan, origins, curve, frame),
            Extra::Distance(job) => {
                grow::distance(&self.total, job, &mut self.contour, None, &mut self.distance);
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
        composite(plan, pixels, &self.total, beside, result);
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

/// 16-bit coverage as grey, alpha opaque.
#[multiversion(targets = "simd")]
fn write_coverage(samples: &[u16], format: PixelFormat, row: &mut [u8]) {
    if format != PixelFormat::Gray8 {
        return super::write_coverage(samples.iter().map(|v| u32::from(*v)), format, row);
    }
    for (out, v) in row.iter_mut().zip(samples) {
        // A quotient by 65535, by its first two terms.
        let scaled = u32::from(*v) * 255 + 32767;
        *out = ((scaled + (scaled >> 16) + 1) >> 16) as u8;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matte::light::FULL;

    #[test]
    fn every_sample_is_rounded_to_the_nearest_byte() {
        let samples: Vec<u16> = (0..=u16::MAX).collect();
        let mut row = vec![0; samples.len()];
        write_coverage(&samples, PixelFormat::Gray8, &mut row);
        for (v, found) in samples.iter().zip(row) {
            assert_eq!(u32::from(found), (u32::from(*v) * 255 + 32767) / FULL, "{v}");
        }
    }
}
