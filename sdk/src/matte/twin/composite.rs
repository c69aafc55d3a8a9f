//! The plain twin of `composite.wgsl`: a row at a time, in stretches whose coverage is all alike, or of a tile's width.

use multiversion::multiversion;
use rayon::prelude::*;
use rotomask_shaders::{layout::Composite, mode};

use super::pixels::{DARK, Lights, Numbers, code_stretch, coded, linear_stretch, part, pass};
use super::plane::{Plane, TILE};
use super::spread::Blurred;
use crate::frame::{Depth, FrameView, FrameViewMut, PixelFormat, premultiply_row};
use crate::matte::light::Light;
use crate::matte::plan::{Pixels, Plan};

/// Nothing is divided by less coverage than this.
pub(super) const LEAST: f32 = 1e-4;

/// What the composite reads beside the plate and its coverage, each of the part's size, or none.
#[derive(Clone, Copy, Default)]
pub struct Beside<'a> {
    /// The blurred plate.
    pub backdrop: Option<&'a Blurred>,
    /// The plate's light inside and outside the matte, blurred.
    pub sides: Option<&'a [Blurred; 2]>,
    /// What is behind, where coverage leaves it, blurred.
    pub wrap: Option<&'a Blurred>,
    /// Signed distances to the contour.
    pub distance: &'a [i32],
    /// How sure the model is.
    pub confidence: &'a [u16],
}

#[inline(always)]
pub(super) fn mixed(under: f32, over: f32, by: f32) -> f32 {
    over * by + under * (1.0 - by)
}

pub(super) struct Work<'a> {
    pub pixels: &'a Pixels<'a>,
    pub plate: FrameView<'a>,
    pub job: &'a Composite,
    pub light: &'a Light,
    pub coverage: &'a Plane,
    pub beside: Beside<'a>,
}

/// A stretch of a row: where it lies in the part, and its pixels.
#[derive(Clone, Copy)]
pub(super) struct At<'a> {
    pub x: usize,
    pub y: usize,
    /// Pixels, at most [`TILE`].
    pub count: usize,
    pub raw: &'a [u8],
    pub coverage: &'a [u16],
    /// Coverage, if it is 0 or full all over.
    pub flat: Option<u16>,
}

/// What a stretch is made with. Pixels beyond its end are calculated too, and not looked at.
pub(super) struct Desk {
    pub plate: Lights,
    /// What is behind the subject.
    pub under: Lights,
    /// The blurred light inside and outside the matte.
    pub sides: [Lights; 2],
    pub wrap: Lights,
    pub out: Lights,
    /// Coverage, and coverage times the plate's alpha.
    pub matte: Numbers,
    pub covered: Numbers,
    /// Pixels whose own bits pass through.
    pub passes: [bool; TILE],
}

impl Desk {
    fn new() -> Self {
        Self {
            plate: DARK,
            under: DARK,
            sides: [DARK; 2],
            wrap: DARK,
            out: DARK,
            matte: [0.0; TILE],
            covered: [0.0; TILE],
            passes: [false; TILE],
        }
    }
}

impl Work<'_> {
    #[inline(always)]
    pub fn format(&self) -> PixelFormat {
        self.plate.format()
    }

    #[inline(always)]
    pub fn colour(&self) -> [f32; 4] {
        let Composite { red, green, blue, alpha, .. } = *self.job;
        [red, green, blue, alpha]
    }

    /// Reads the plate and its coverage.
    #[inline(always)]
    pub fn read(&self, at: At<'_>, desk: &mut Desk) {
        linear_stretch(at.raw, self.format(), self.light, &mut desk.plate);
        for (matte, sample) in desk.matte.iter_mut().zip(at.coverage) {
            *matte = part(*sample);
        }
        for ((covered, matte), alpha) in desk.covered.iter_mut().zip(&desk.matte).zip(&desk.plate[3]) {
            *covered = matte * alpha;
        }
    }

    /// Premultiplied light becomes straight, if that is wanted.
    #[inline(always)]
    pub fn straighten(&self, out: &mut Lights) {
        if self.job.premultiplied != 0 {
            return;
        }
        let [red, green, blue, alpha] = out;
        for channel in [red, green, blue] {
            for (v, a) in channel.iter_mut().zip(&*alpha) {
                *v = if *a < 1.0 { *v / a.max(LEAST) } else { *v };
            }
        }
    }

    /// Writes what was calculated, and the plate's own bits where they pass.
    #[inline(always)]
    pub fn write(&self, at: At<'_>, desk: &Desk, out: &mut [u8]) {
        code_stretch(&desk.out, self.pixels.result, self.light, out);
        self.write_passing(at.raw, self.format(), &desk.passes, out);
    }

    #[inline(always)]
    pub fn write_passing(&self, raw: &[u8], format: PixelFormat, passes: &[bool; TILE], out: &mut [u8]) {
        if !passes.iter().fold(false, |any, passes| any | passes) {
            return;
        }
        let (from, to) = (format.bytes_per_pixel(), self.pixels.result.bytes_per_pixel());
        let pixels = out.chunks_exact_mut(to).zip(raw.chunks_exact(from)).zip(passes);
        for ((out, raw), _) in pixels.filter(|(_, passes)| **passes) {
            pass(raw, format, self.pixels.result, out);
        }
    }

    #[inline(always)]
    fn stretch(&self, at: At<'_>, desk: &mut Desk, out: &mut [u8]) {
        match self.pixels.mode {
            mode::OVERLAY => self.overlay(at, desk, out),
            mode::STATUS => self.status(at, desk, out),
            mode::CUTOUT | mode::ERASE => self.cut(at, desk, out),
            mode::EDGE => self.edge(at, desk, out),
            mode::TRIMAP => self.trimap(at, desk, out),
            mode::CONFIDENCE => self.confidence(at, desk, out),
            _ => self.over(at, desk, out),
        }
    }

    /// Whether the plate's light is always a number that nothing times it is nothing.
    #[inline(always)]
    pub fn is_finite(&self) -> bool {
        matches!(self.format().depth(), Depth::U8 | Depth::U16)
    }

    /// Where coverage is this all over, no pixel needs a look at another: a tile's width of what they all are, in the
    /// result's format.
    fn plain(&self) -> Option<(u16, Vec<u8>)> {
        let cut = self.job.premultiplied != 0 && self.is_finite();
        let (coverage, colour) = match self.pixels.mode {
            mode::OVER_COLOUR if self.job.wrap == 0.0 => (0, self.colour()),
            mode::CUTOUT if cut => (0, [0.0; 4]),
            mode::ERASE if cut => (u16::MAX, [0.0; 4]),
            _ => return None,
        };
        let mut light = DARK;
        light.iter_mut().zip(colour).for_each(|(channel, v)| channel[0] = v);
        if self.pixels.mode == mode::OVER_COLOUR {
            self.straighten(&mut light);
        }
        let mut out = vec![0; self.pixels.result.bytes_per_pixel()];
        coded(light.map(|channel| channel[0]), self.pixels.result, self.light, &mut out);
        Some((coverage, out.repeat(TILE)))
    }

    /// Whether only the plate's alpha changes, to that of coverage.
    #[inline(always)]
    pub fn keeps_colour(&self) -> bool {
        let job = self.job;
        let straight = job.premultiplied == 0;
        match self.pixels.mode {
            mode::CUTOUT => straight && job.despill == 0 && job.decontaminate == 0.0,
            mode::ERASE => straight,
            _ => false,
        }
    }

    /// The background picture alone shows where coverage is 0 and the picture has no alpha.
    #[inline(always)]
    fn back_shows(&self, flat: Option<u16>) -> Option<FrameView<'_>> {
        let opaque = |back: &FrameView<'_>| back.format().alpha_offset().is_none();
        self.pixels.back.filter(|back| flat == Some(0) && opaque(back) && self.is_finite())
    }

    /// Whether the plate alone shows where coverage is 0, or full, whatever its pixels are.
    fn plate_shows(&self, coverage: Option<u16>) -> bool {
        let job = self.job;
        let opaque = self.format().alpha_offset().is_none();
        match (self.pixels.mode, coverage) {
            (mode::OVERLAY, Some(0)) => opaque || job.premultiplied == 0,
            (mode::CUTOUT, Some(u16::MAX)) => opaque && job.despill == 0,
            (mode::ERASE, Some(0)) => opaque,
            (mode::OVER_COLOUR | mode::OVER_LIGHT | mode::OVER_PICTURE, Some(u16::MAX)) => {
                opaque && job.despill == 0 && job.wrap == 0.0
            }
            _ => false,
        }
    }
}

/// Every pixel of the frame passes through here, so it is compiled for wider registers as well. `plain` are all
/// pixels of some coverage, where they are the same.
#[multiversion(targets = "simd")]
fn row(work: &Work<'_>, y: usize, plain: Option<(u16, &[u8])>, out: &mut [u8]) {
    let from = work.format().bytes_per_pixel();
    let to = work.pixels.result.bytes_per_pixel();
    let (plate, samples) = (work.plate.row(y), work.coverage.row(y));
    let left = work.job.inner_x as usize;
    let mut desk = Desk::new();
    for (x, flat) in work.coverage.runs(left..left + work.job.inner_width as usize, y) {
        let out = &mut out[(x.start - left) * to..(x.end - left) * to];
        let raw = &plate[x.start * from..x.end * from];
        if let Some((_, value)) = plain.filter(|(coverage, _)| flat == Some(*coverage)) {
            for out in out.chunks_mut(value.len()) {
                out.copy_from_slice(&value[..out.len()]);
            }
            continue;
        }
        if work.plate_shows(flat) {
            pass(raw, work.format(), work.pixels.result, out);
            continue;
        }
        if let Some(back) = work.back_shows(flat) {
            let bytes = back.format().bytes_per_pixel();
            pass(&back.row(y)[x.start * bytes..x.end * bytes], back.format(), work.pixels.result, out);
            continue;
        }
        if let Some(coverage) = flat.filter(|_| work.keeps_colour() && from == 3) {
            // Three bytes: the plate is opaque, so its alpha is coverage.
            pass(raw, work.format(), work.pixels.result, out);
            let covered = (coverage == u16::MAX) == (work.pixels.mode == mode::CUTOUT);
            for pixel in out.as_chunks_mut::<4>().0.iter_mut().filter(|_| to == 4) {
                pixel[3] = if covered { 255 } else { 0 };
            }
            continue;
        }
        let pieces = out.chunks_mut(TILE * to).zip(raw.chunks(TILE * from));
        for ((out, raw), x) in pieces.zip(x.step_by(TILE)) {
            let count = raw.len() / from;
            let at = At { x, y, count, raw, coverage: &samples[x..x + count], flat };
            work.stretch(at, &mut desk, out);
        }
    }
}

/// The finished inner part, written where it belongs in the result.
pub fn composite(
    plan: &Plan<'_>,
    pixels: &Pixels<'_>,
    coverage: &Plane,
    beside: Beside<'_>,
    result: &mut FrameViewMut<'_>,
) {
    let job = &pixels.job;
    let work = Work { pixels, plate: plan.plate, job, light: &plan.light, coverage, beside };
    let plain = work.plain();
    let plain = plain.as_ref().map(|(coverage, pixel)| (*coverage, pixel.as_slice()));
    plan.place().rows(result).for_each(|(y, out)| {
        row(&work, y + job.inner_y as usize, plain, out);
        if pixels.multiplies_codes {
            premultiply_row(out, pixels.result);
        }
    });
}
