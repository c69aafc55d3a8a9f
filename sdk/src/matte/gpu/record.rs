//! A plan as uploads and dispatches: the same steps as the twin's, in the same order.

use bytemuck::Pod;
use rotomask_shaders::{self as shaders, Kernel, layout, op, weight};

use super::buffers::{Slot, View};
use super::device::PipelineId;
use crate::frame::{Depth, FrameView, Size};
use crate::matte::gaussian::Gaussian;
use crate::matte::part::Part;
use crate::matte::plan::{
    Around, Extra, Finish, LEAST_VARIANCE, LayerPlan, Origin, Pixels, Plan, Refine, Shape, Spread, Step,
    combining, kind,
};
use crate::matte::prepare::samples_row;

/// Offsets of uniforms and of storage are multiples of this on every device.
pub const STEP: usize = 256;

/// One dispatch.
pub struct Pass {
    pub id: PipelineId,
    pub views: Vec<View>,
    pub size: Size,
}

/// What a plan comes to on a device.
pub struct Record<'a> {
    pub passes: Vec<Pass>,
    /// All uniforms, each at a multiple of [`STEP`].
    pub uniforms: Vec<u8>,
    /// Tables and coefficients, each at a multiple of [`STEP`].
    pub inputs: Vec<u8>,
    /// Pictures as they are, and the slots that they go to.
    pub pictures: Vec<(Slot, FrameView<'a>)>,
    /// Bytes that each slot needs, the two above left out.
    pub needs: Vec<(Slot, u64)>,
    /// Where the result is, and its bytes.
    pub result: (Slot, u64),
    /// Where all objects so far are, and the plane that takes turns with it.
    total: [Slot; 2],
    size: Size,
    frame: Size,
}

fn align(bytes: &mut Vec<u8>) -> u64 {
    bytes.resize(bytes.len().next_multiple_of(STEP), 0);
    bytes.len() as u64
}

/// Words of a picture's pixel on the device.
pub fn words(view: FrameView<'_>) -> u64 {
    match view.format().depth() {
        Depth::U8 => 1,
        Depth::U16 | Depth::F16 => 2,
        Depth::F32 => 4,
    }
}

impl<'a> Record<'a> {
    pub fn new(plan: &Plan<'a>, frame: Size) -> Self {
        let mut record = Self {
            passes: Vec::with_capacity(32),
            uniforms: Vec::new(),
            inputs: Vec::new(),
            pictures: Vec::new(),
            needs: Vec::new(),
            result: (Slot::Total, 0),
            total: [Slot::Total, Slot::Sum],
            size: plan.part.size(),
            frame,
        };
        record.combine(plan);
        record.result = match &plan.finish {
            Finish::Matte => (record.total[0], record.plane_bytes()),
            Finish::Pixels(pixels) => record.show(plan, pixels),
        };
        record
    }

    fn plane_bytes(&self) -> u64 {
        self.size.area_px() as u64 * 4
    }

    fn need(&mut self, slot: Slot, bytes: u64) -> View {
        match self.needs.iter_mut().find(|(known, _)| *known == slot) {
            Some((_, known)) => *known = bytes.max(*known),
            None => self.needs.push((slot, bytes)),
        }
        slot.into()
    }

    /// A plane of one number a pixel.
    fn plane(&mut self, slot: Slot) -> View {
        self.need(slot, self.plane_bytes())
    }

    fn input(&mut self, numbers: &[impl Pod]) -> View {
        let offset = align(&mut self.inputs);
        self.inputs.extend_from_slice(bytemuck::cast_slice(numbers));
        View { slot: Slot::Inputs, offset, size: size_of_val(numbers) as u64 }
    }

    fn pass(&mut self, kernel: Kernel, variant: u32, size: Size, job: impl Pod, views: &[View]) {
        let offset = align(&mut self.uniforms);
        self.uniforms.extend_from_slice(bytemuck::bytes_of(&job));
        let uniform = View { slot: Slot::Uniforms, offset, size: STEP as u64 };
        let views = std::iter::once(uniform).chain(views.iter().copied()).collect();
        self.passes.push(Pass { id: PipelineId { kernel: kernel.name, variant }, views, size });
    }

    /// `into` becomes what the two make; none of them is `into`.
    fn merge(&mut self, job: layout::Combine, first: Slot, second: Slot, into: Slot) {
        let views = [self.plane(first), self.plane(second), self.plane(into)];
        self.pass(shaders::COMBINE, 0, self.size, job, &views);
    }

    fn combining(&self, op: u32) -> layout::Combine {
        combining(self.size, op, 0, 0)
    }

    /// All objects' mattes become one, in `total`.
    fn combine(&mut self, plan: &Plan<'a>) {
        let keeps = plan.layers.iter().any(|layer| layer.keep);
        self.nothing(self.total[0]);
        if keeps {
            self.nothing(Slot::Kept);
        }
        for layer in &plan.layers {
            let matte = self.layer(plan, layer);
            if layer.keep {
                self.onto_kept(matte);
            }
            self.onto_total(layer.op, matte);
        }
        if keeps {
            self.onto_total(op::MAX, Slot::Kept);
        }
        for limit in &plan.limits {
            self.origin(plan.part, &Origin::View(limit.view), 0, Slot::MatteA);
            self.onto_total(limit.op, Slot::MatteA);
        }
    }

    /// A plane of nothing: any less itself.
    fn nothing(&mut self, slot: Slot) {
        self.merge(self.combining(op::SUBTRACT), Slot::Spare, Slot::Spare, slot);
    }

    /// All so far becomes what it and another plane make.
    fn onto_total(&mut self, op: u32, other: Slot) {
        let [total, spare] = self.total;
        self.merge(self.combining(op), total, other, spare);
        self.total = [spare, total];
    }

    /// The higher of the two, in [`Slot::Kept`].
    fn onto_kept(&mut self, other: Slot) {
        let [_, spare] = self.total;
        self.merge(self.combining(op::MAX), Slot::Kept, other, spare);
        self.merge(self.combining(op::MAX), spare, spare, Slot::Kept);
    }

    fn layer(&mut self, plan: &Plan<'a>, layer: &LayerPlan<'a>) -> Slot {
        let (mut matte, mut spare) = (Slot::MatteA, Slot::MatteB);
        self.shape(plan, &layer.shape, &mut matte, &mut spare);
        if layer.invert {
            self.merge(self.combining(op::INVERT), matte, matte, spare);
            std::mem::swap(&mut matte, &mut spare);
        }
        matte
    }

    /// An object's coverage after its steps, in `matte`; `spare` is the other plane.
    fn shape(&mut self, plan: &Plan<'a>, shape: &Shape<'a>, matte: &mut Slot, spare: &mut Slot) {
        self.origin(plan.part, &shape.from, 0, *matte);
        if let Some(around) = &shape.around {
            self.times(plan.part, around, *matte, *spare);
        }
        for step in &shape.steps {
            let views = [self.plane(*matte), self.plane(*spare)];
            match step {
                Step::Levels(job) => self.merge(*job, *matte, *matte, *spare),
                Step::Grow(job) => self.grow(*job, 0, *matte, *spare),
                Step::Smooth(gaussian) => {
                    self.blur(gaussian, *matte, *spare);
                    self.sharpen(0, views);
                }
                Step::Refine(refine) => {
                    self.refine(plan, refine, *matte, *spare);
                    self.sharpen(refine.soft, [views[1], views[0]]);
                    continue;
                }
                Step::Drift(job) => self.drift(*job, shape.around.as_ref(), views),
                Step::Feather(gaussian) => {
                    // Blurred in place.
                    self.blur(gaussian, *matte, *spare);
                    continue;
                }
                Step::Curve(points) => self.curve(points, views),
            }
            std::mem::swap(matte, spare);
        }
    }

    fn sharpen(&mut self, soft: u32, views: [View; 2]) {
        let Size { width_px, height_px } = self.size;
        self.pass(shaders::SHARPEN, 0, self.size, layout::Sharpen { width_px, height_px, soft }, &views);
    }

    /// Distances of the frame's matte and of those around. `spare` is used on the way.
    fn times(&mut self, part: Part, around: &Around<'a>, matte: Slot, spare: Slot) {
        let [own, others] = around.measure;
        self.grow(own, 1, matte, Slot::Times(0));
        for (origin, i) in around.origins.iter().zip(1..) {
            self.origin(part, origin, 0, spare);
            self.grow(others, 1, spare, Slot::Times(i));
        }
    }

    fn drift(&mut self, job: layout::Drift, around: Option<&Around<'a>>, [from, into]: [View; 2]) {
        let known = around.map_or(0, |around| around.origins.len()) as u8;
        let time = |i: u8| Slot::Times(if i <= known { i } else { 0 });
        let [now, a, b, c, d] = [0, 1, 2, 3, 4].map(|i| self.plane(time(i)));
        self.pass(shaders::DRIFT, 0, self.size, job, &[from, now, a, b, c, d, into]);
    }

    /// Coverage from the plate's colours, from one plane into another.
    fn refine(&mut self, plan: &Plan<'a>, refine: &Refine, from: Slot, into: Slot) {
        let (g, full) = (&refine.gaussian, self.size);
        let tables = self.input(&plan.light.words());
        let plate = self.picture(Slot::Plate, plan.plate);
        let bytes = g.small.area_px() as u64 * 16;
        let moments = [0, 1, 2, 3].map(|i| self.need(Slot::Moments(i), bytes));
        let (lines, over) = (self.need(Slot::Lines, bytes), self.need(Slot::ColourB, bytes));
        let [from, into] = [self.plane(from), self.plane(into)];
        let Size { width_px, height_px } = full;
        let Size { width_px: small_width, height_px: small_height } = g.small;
        let (factor, kind) = (g.factor, kind(plan.plate.format()));
        let job = layout::Moments { width_px, height_px, small_width, small_height, factor, kind };
        let [a, b, c, d] = moments;
        self.pass(shaders::MOMENTS, 0, g.small, job, &[plate, tables, from, a, b, c, d]);
        moments.into_iter().for_each(|view| self.blur_colour(g, view, over));
        let job = layout::Solve { width_px: small_width, height_px: small_height, least: LEAST_VARIANCE };
        self.pass(shaders::SOLVE, 0, g.small, job, &[a, b, c, d, lines]);
        self.blur_colour(g, lines, over);
        let job = layout::Solid { width_px: small_width, height_px: small_height };
        self.pass(shaders::SOLID, 0, g.small, job, &[a, lines]);
        let phases = self.input(&g.phases);
        let strength = refine.strength;
        let job = layout::Refine { width_px, height_px, small_width, small_height, factor, kind, strength };
        self.pass(shaders::REFINE, 0, full, job, &[plate, tables, from, lines, phases, into]);
    }

    /// Both directions, in place; `over` is as large.
    fn blur_colour(&mut self, g: &Gaussian, view: View, over: View) {
        for (variant, views) in [[view, over], [over, view]].into_iter().enumerate() {
            let weights = self.input(&g.weights[variant]);
            let job = direction(g, variant);
            self.pass(shaders::BLUR_COLOUR, variant as u32, g.small, job, &[views[0], views[1], weights]);
        }
    }

    fn curve(&mut self, points: &[u32], [from, into]: [View; 2]) {
        let job = layout::Curve { width_px: self.size.width_px, height_px: self.size.height_px };
        let points = self.input(points);
        self.pass(shaders::CURVE, 0, self.size, job, &[from, into, points]);
    }

    /// Coverage as it comes, or its field, into a plane.
    fn origin(&mut self, part: Part, origin: &Origin<'a>, variant: u32, into: Slot) {
        match origin {
            Origin::Contour { job, coefficients, taps } => {
                let views = [self.input(coefficients), self.input(taps), self.plane(into)];
                self.pass(shaders::COVERAGE, variant, self.size, *job, &views);
            }
            Origin::View(view) => {
                let samples: Vec<u32> =
                    rows(*view).flat_map(|y| samples_row(*view, y)).map(u32::from).collect();
                self.samples(&samples, into);
            }
            Origin::Samples(all) => {
                let (left, top) = (part.outer.x_px as usize, part.outer.y_px as usize);
                let row = |y| &all[(top + y) * self.frame.width() + left..][..self.size.width()];
                let samples: Vec<u32> =
                    (0..self.size.height()).flat_map(row).map(|v| u32::from(*v)).collect();
                self.samples(&samples, into);
            }
        }
    }

    fn samples(&mut self, samples: &[u32], into: Slot) {
        let given = self.input(samples);
        let into = self.plane(into);
        self.pass(shaders::COMBINE, 0, self.size, self.combining(op::MAX), &[given, given, into]);
    }

    /// Variant 0 moves the edge, 1 measures.
    fn grow(&mut self, job: layout::Grow, variant: u32, from: Slot, into: Slot) {
        let distances = self.need(Slot::Distances, self.plane_bytes() * 2);
        let (from, into) = (self.plane(from), self.plane(into));
        self.pass(shaders::CONTOUR, 0, self.size, job, &[from, distances]);
        self.pass(shaders::GROW, variant, self.size, job, &[from, distances, into]);
    }

    /// Blurs a plane in place, over another of its size.
    fn blur(&mut self, g: &Gaussian, plane: Slot, spare: Slot) {
        let (full, small) = (self.size, g.small);
        let (full_plane, mut from, mut over) = (self.plane(plane), self.plane(plane), self.plane(spare));
        if g.factor > 1 {
            let bytes = small.area_px() as u64 * 4;
            (from, over) = (self.need(Slot::SmallA, bytes), self.need(Slot::SmallB, bytes));
            let job = reduce(full, g, 0, weight::NONE);
            self.pass(shaders::REDUCE_PLANE, 0, small, job, &[full_plane, from]);
        }
        for (variant, views) in [[from, over], [over, from]].into_iter().enumerate() {
            let weights = self.input(&g.weights[variant]);
            let job = direction(g, variant);
            self.pass(shaders::BLUR_PLANE, variant as u32, small, job, &[views[0], views[1], weights]);
        }
        if g.factor > 1 {
            let phases = self.input(&g.phases);
            self.pass(shaders::ENLARGE_PLANE, 0, full, enlarge(full, g), &[from, full_plane, phases]);
        }
    }

    /// A picture's light, weighted and blurred, into a slot of four floats a pixel.
    fn spread(&mut self, spread: &Spread<'a>, picture: View, kind: u32, tables: View, into: Slot) -> View {
        let (g, full) = (&spread.gaussian, self.size);
        let small_bytes = g.small.area_px() as u64 * 16;
        let over = self.need(Slot::ColourB, small_bytes);
        let into = self.need(into, if g.factor > 1 { self.plane_bytes() * 4 } else { small_bytes });
        let from = if g.factor > 1 { self.need(Slot::ColourA, small_bytes) } else { into };
        let coverage = self.plane(self.total[0]);
        let job = reduce(full, g, kind, spread.weight);
        self.pass(shaders::REDUCE_COLOUR, 0, g.small, job, &[picture, from, tables, coverage]);
        self.blur_colour(g, from, over);
        if g.factor > 1 {
            let phases = self.input(&g.phases);
            self.pass(shaders::ENLARGE_COLOUR, 0, full, enlarge(full, g), &[from, into, phases]);
        }
        into
    }

    /// The finished pixels of the inner part.
    fn show(&mut self, plan: &Plan<'a>, pixels: &Pixels<'a>) -> (Slot, u64) {
        let tables = self.input(&plan.light.words());
        let plate = self.picture(Slot::Plate, plan.plate);
        let shows_itself =
            |view: FrameView<'_>| std::ptr::eq(view.row(0).as_ptr(), plan.plate.row(0).as_ptr());
        let back = match pixels.back.filter(|view| !shows_itself(*view)) {
            Some(view) => self.picture(Slot::Picture, view),
            None => plate,
        };
        let kinds = (pixels.job.plate_kind, pixels.job.back_kind);
        let empty = self.need(Slot::Empty, 64);
        let backdrop = pixels
            .backdrop
            .as_ref()
            .map(|spread| self.spread(spread, plate, kinds.0, tables, Slot::Backdrop));
        let mut sides = [empty; 2];
        if let Some([inside, outside]) = &pixels.sides {
            sides = [
                self.spread(inside, plate, kinds.0, tables, Slot::Inside),
                self.spread(outside, plate, kinds.0, tables, Slot::Outside),
            ];
        }
        let extra = match &pixels.extra {
            Extra::None => empty,
            Extra::Distance(job) => {
                self.grow(*job, 1, self.total[0], Slot::MatteA);
                self.plane(Slot::MatteA)
            }
            Extra::Confidence(origins, curve) => self.confidence(plan.part, origins, curve),
            Extra::Wrap(spread) => {
                let behind = if pixels.back.is_some() { (back, kinds.1) } else { (plate, kinds.0) };
                self.spread(spread, behind.0, behind.1, tables, Slot::Wrap)
            }
        };
        let bytes = plan.part.inner.size.area_px() as u64 * 4 * words(plan.plate);
        let result = self.need(Slot::Result, bytes);
        let coverage = self.plane(self.total[0]);
        let behind = backdrop.unwrap_or(back);
        let views = [plate, coverage, behind, tables, sides[0], sides[1], extra, result];
        self.pass(shaders::COMPOSITE, pixels.mode, plan.part.inner.size, pixels.job, &views);
        (Slot::Result, bytes)
    }

    fn picture(&mut self, slot: Slot, view: FrameView<'a>) -> View {
        if self.pictures.iter().all(|(known, _)| *known != slot) {
            self.pictures.push((slot, view));
        }
        self.need(slot, self.plane_bytes() * words(view))
    }

    fn confidence(&mut self, part: Part, origins: &[Origin<'a>], curve: &[u32]) -> View {
        self.nothing(Slot::Kept);
        for origin in origins {
            let (mut matte, spare) = (Slot::MatteA, Slot::MatteB);
            self.origin(part, origin, 1, matte);
            if matches!(origin, Origin::Contour { .. }) {
                let views = [self.plane(matte), self.plane(spare)];
                self.curve(curve, views);
                matte = spare;
            }
            self.onto_kept(matte);
        }
        self.plane(Slot::Kept)
    }
}

fn rows(view: FrameView<'_>) -> std::ops::Range<usize> {
    0..view.size().height()
}

fn reduce(full: Size, g: &Gaussian, kind: u32, weight: u32) -> layout::Reduce {
    layout::Reduce {
        width_px: full.width_px,
        height_px: full.height_px,
        small_width: g.small.width_px,
        small_height: g.small.height_px,
        factor: g.factor,
        kind,
        weight,
    }
}

fn direction(g: &Gaussian, variant: usize) -> layout::Blur {
    layout::Blur {
        width_px: g.small.width_px,
        height_px: g.small.height_px,
        radius_px: g.radius[variant] as u32,
    }
}

fn enlarge(full: Size, g: &Gaussian) -> layout::Enlarge {
    layout::Enlarge {
        width_px: full.width_px,
        height_px: full.height_px,
        small_width: g.small.width_px,
        small_height: g.small.height_px,
        factor: g.factor,
    }
}
