//! The plain twin of `composite.wgsl`.

use rayon::prelude::*;
use rotomask_shaders::{layout::Composite, mode};

use super::pixels::{Four, alpha, coded, linear, passed, set_alpha};
use super::plane::{Plane, TILE};
use super::spread::Blurred;
use crate::frame::{FrameView, PixelFormat};
use crate::matte::light::{FULL, Light, scale16};
use crate::matte::plan::{Pixels, Plan};

/// Nothing is divided by less coverage than this.
const LEAST: f32 = 1e-4;

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

fn part(sample: u16) -> f32 {
    if sample == u16::MAX { 1.0 } else { f32::from(sample) * (1.0 / 65535.0) }
}

fn mixed(under: f32, over: f32, by: f32) -> f32 {
    over * by + under * (1.0 - by)
}

struct Work<'a> {
    pixels: &'a Pixels<'a>,
    plate: FrameView<'a>,
    job: &'a Composite,
    light: &'a Light,
    coverage: &'a Plane,
    beside: Beside<'a>,
}

/// The blurred pictures' pixels under a stretch of a row.
#[derive(Clone, Copy)]
struct Under {
    backdrop: [Four; TILE],
    sides: [[Four; TILE]; 2],
    wrap: [Four; TILE],
}

/// One pixel: where it lies in the part, its bits, and its coverage.
#[derive(Clone, Copy)]
struct At<'a> {
    x: usize,
    y: usize,
    i: usize,
    /// Its place in the stretch.
    k: usize,
    under: &'a Under,
    raw: &'a [u8],
    coverage: u16,
}

impl Work<'_> {
    fn format(&self) -> PixelFormat {
        self.plate.format()
    }

    fn linear(&self, at: At<'_>) -> Four {
        linear(at.raw, self.format(), self.light)
    }

    fn pass(&self, at: At<'_>, out: &mut [u8]) {
        passed(at.raw, self.format(), self.pixels.result, out);
    }

    fn code(&self, light: Four, out: &mut [u8]) {
        coded(light, self.pixels.result, self.light, out);
    }

    /// Premultiplied light to the result.
    fn finished(&self, [r, g, b, a]: Four, out: &mut [u8]) {
        let rgb = [r, g, b];
        let straight = self.job.premultiplied == 0 && a < 1.0;
        let [r, g, b] = if straight { rgb.map(|v| v / a.max(LEAST)) } else { rgb };
        self.code([r, g, b, a], out);
    }

    fn despilled(&self, [r, g, b]: [f32; 3]) -> [f32; 3] {
        let strength = self.job.despill_strength;
        match self.job.despill {
            1 => [r, mixed(g, g.min((r + b) * 0.5), strength), b],
            2 => [r, g, mixed(b, b.min((r + g) * 0.5), strength)],
            _ => [r, g, b],
        }
    }

    fn own_colour(&self, at: At<'_>, light: [f32; 3], covered: f32) -> [f32; 3] {
        let [near, far] = at.under.sides.map(|side| side[at.k]);
        if near[3] < LEAST || far[3] < LEAST {
            return light;
        }
        std::array::from_fn(|c| {
            let own = near[c] / near[3];
            let other = far[c] / far[3];
            let unexplained = light[c] - own * covered - other * (1.0 - covered);
            mixed(light[c], (own + unexplained * covered).max(0.0), self.job.decontaminate)
        })
    }

    fn subject_light(&self, at: At<'_>, light: [f32; 3], covered: f32) -> [f32; 3] {
        let own = if self.job.decontaminate > 0.0 && covered < 1.0 {
            self.own_colour(at, light, covered)
        } else {
            light
        };
        if self.job.despill != 0 { self.despilled(own) } else { own }
    }

    fn back_raw(&self, at: At<'_>) -> Option<(&[u8], PixelFormat)> {
        let back = self.pixels.back?;
        let (format, bytes) = (back.format(), back.format().bytes_per_pixel());
        Some((&back.row(at.y)[at.x * bytes..][..bytes], format))
    }

    fn behind(&self, at: At<'_>) -> Four {
        let Composite { red, green, blue, alpha, .. } = *self.job;
        match (self.pixels.mode, self.back_raw(at)) {
            (mode::OVER_LIGHT, _) => at.under.backdrop[at.k],
            (mode::OVER_PICTURE, Some((raw, format))) => {
                let [r, g, b, a] = linear(raw, format, self.light);
                [r * a, g * a, b * a, a]
            }
            _ => [red, green, blue, alpha],
        }
    }

    fn wrapping(&self, at: At<'_>) -> Four {
        let Composite { red, green, blue, alpha, .. } = *self.job;
        let wrap = at.under.wrap[at.k];
        match self.pixels.mode {
            mode::OVER_COLOUR => [red, green, blue, alpha].map(|v| v * wrap[3]),
            _ => wrap,
        }
    }

    fn over(&self, at: At<'_>, out: &mut [u8]) {
        let [r, g, b, a] = self.linear(at);
        let matte = part(at.coverage);
        let covered = matte * a;
        if covered == 1.0 && self.job.despill == 0 && self.job.wrap == 0.0 {
            return self.pass(at, out);
        }
        let under = self.behind(at);
        if let Some((raw, format)) = self.back_raw(at).filter(|_| covered == 0.0 && under[3] == 1.0) {
            return passed(raw, format, self.pixels.result, out);
        }
        let mut light = self.subject_light(at, [r, g, b], matte);
        if self.job.wrap > 0.0 {
            let wrap = self.wrapping(at).map(|v| v * self.job.wrap);
            light = std::array::from_fn(|c| light[c] * (1.0 - wrap[3]) + wrap[c]);
        }
        let rgb: [f32; 3] = std::array::from_fn(|c| mixed(under[c], light[c], covered));
        self.finished([rgb[0], rgb[1], rgb[2], covered + under[3] * (1.0 - covered)], out);
    }

    fn tinted(&self, at: At<'_>, strength: f32, out: &mut [u8]) {
        let light = self.linear(at);
        let opaque = self.job.premultiplied == 0 || light[3] == 1.0;
        if strength == 0.0 && opaque {
            return self.pass(at, out);
        }
        let tint = [self.job.red, self.job.green, self.job.blue];
        let rgb: [f32; 3] = std::array::from_fn(|c| mixed(light[c], tint[c], strength));
        let [r, g, b] = if opaque { rgb } else { rgb.map(|v| v * light[3]) };
        self.code([r, g, b, light[3]], out);
    }

    fn cut(&self, at: At<'_>, out: &mut [u8]) {
        let a = alpha(at.raw, self.format());
        let erases = self.pixels.mode == mode::ERASE;
        let matte = part(if erases { u16::MAX - at.coverage } else { at.coverage });
        let covered = matte * a;
        let changes = !erases && (self.job.despill != 0 || self.job.decontaminate > 0.0 && matte < 1.0);
        if covered == 1.0 && !changes {
            return self.pass(at, out);
        }
        if self.job.premultiplied == 0 && !changes {
            self.pass(at, out);
            return set_alpha(covered, self.pixels.result, out);
        }
        let [r, g, b, _] = self.linear(at);
        let own = if changes { self.subject_light(at, [r, g, b], matte) } else { [r, g, b] };
        let [r, g, b] = if self.job.premultiplied == 0 { own } else { own.map(|v| v * covered) };
        self.code([r, g, b, covered], out);
    }

    /// How near the contour is, from 0 to 1, within two pixels.
    fn line_at(&self, at: At<'_>) -> f32 {
        let size = self.coverage.size;
        let near = |at: usize, count: usize| at.saturating_sub(2)..=(at + 2).min(count - 1);
        let mut most = 0;
        for y in near(at.y, size.height()) {
            for sample in &self.coverage.row(y)[near(at.x, size.width())] {
                most = most.max(scale16(u32::from(*sample), FULL - u32::from(*sample)));
            }
        }
        (4 * most).min(FULL) as f32 * (1.0 / 65535.0)
    }

    fn grey(&self, value: f32, out: &mut [u8]) {
        let v = self.light.light_of(value);
        self.code([v, v, v, 1.0], out);
    }

    fn trimap(&self, at: At<'_>, out: &mut [u8]) {
        let value = match (self.job.band > 0, at.coverage) {
            (true, _) => {
                let distance = self.beside.distance[at.i];
                if distance.abs() < self.job.band { 0.5 } else { f32::from(u8::from(distance > 0)) }
            }
            (false, 0) => 0.0,
            (false, u16::MAX) => 1.0,
            (false, _) => 0.5,
        };
        self.grey(value, out);
    }

    fn confidence(&self, at: At<'_>, out: &mut [u8]) {
        let light = self.linear(at);
        let sure = part(self.beside.confidence[at.i]);
        let doubt = 1.0 - (2.0 * sure - 1.0).abs();
        let colour = [doubt, sure * (1.0 - doubt), (1.0 - sure) * (1.0 - doubt)];
        let brightness = (light[0] + light[1] + light[2]) * (1.0 / 9.0);
        let [r, g, b] = colour.map(|v| brightness + v * 0.5);
        self.code([r, g, b, 1.0], out);
    }

    fn pixel(&self, at: At<'_>, out: &mut [u8]) {
        let job = self.job;
        match self.pixels.mode {
            mode::OVERLAY => self.tinted(at, part(at.coverage) * job.alpha, out),
            mode::CUTOUT | mode::ERASE => self.cut(at, out),
            mode::EDGE => self.tinted(at, self.line_at(at), out),
            mode::TRIMAP => self.trimap(at, out),
            mode::CONFIDENCE => self.confidence(at, out),
            mode::STATUS => {
                let x = at.x as u32 - job.inner_x + job.frame_x;
                let y = at.y as u32 - job.inner_y + job.frame_y;
                if x < job.badge_px && y < job.badge_px {
                    self.code([job.badge_red, job.badge_green, job.badge_blue, 1.0], out);
                } else {
                    self.tinted(at, part(at.coverage) * job.alpha, out);
                }
            }
            _ => self.over(at, out),
        }
    }

    /// The background's colour in the result's format, if no pixel of it needs a look at another.
    fn plain(&self) -> Option<Vec<u8>> {
        (self.pixels.mode == mode::OVER_COLOUR && self.job.wrap == 0.0).then(|| {
            let mut out = vec![0; self.pixels.result.bytes_per_pixel()];
            let Composite { red, green, blue, alpha, .. } = *self.job;
            self.finished([red, green, blue, alpha], &mut out);
            out
        })
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

    /// Makes what is looked at of the blurred pictures under a stretch.
    fn look_under(&self, x: &std::ops::Range<usize>, y: usize, flat: Option<u16>, under: &mut Under) {
        let Beside { backdrop, sides, wrap, .. } = self.beside;
        if let Some(backdrop) = backdrop {
            backdrop.stretch(x.start, y, &mut under.backdrop[..x.len()]);
        }
        // Full coverage knows its own colour.
        if let Some(sides) = sides.filter(|_| flat != Some(u16::MAX)) {
            let pairs = sides.iter().zip(&mut under.sides);
            pairs.for_each(|(side, under)| side.stretch(x.start, y, &mut under[..x.len()]));
        }
        if let Some(wrap) = wrap {
            wrap.stretch(x.start, y, &mut under.wrap[..x.len()]);
        }
    }

    /// `plain` is the background's colour, where it is the same all over.
    fn row(&self, y: usize, plain: Option<&[u8]>, out: &mut [u8]) {
        let from = self.format().bytes_per_pixel();
        let to = self.pixels.result.bytes_per_pixel();
        let (plate, samples) = (self.plate.row(y), self.coverage.row(y));
        let (width, left) = (self.coverage.size.width(), self.job.inner_x as usize);
        let mut under =
            Under { backdrop: [[0.0; 4]; TILE], sides: [[[0.0; 4]; TILE]; 2], wrap: [[0.0; 4]; TILE] };
        for (k, out) in out.chunks_mut(TILE * to).enumerate() {
            let x = left + k * TILE..left + k * TILE + out.len() / to;
            let flat = self.coverage.flat_over(x.start as isize..x.end as isize, y as isize..y as isize + 1);
            if let Some(value) = plain.filter(|_| flat == Some(0)) {
                out.chunks_exact_mut(to).for_each(|out| out.copy_from_slice(value));
                continue;
            }
            if self.plate_shows(flat) {
                let raw = plate[x.start * from..x.end * from].chunks_exact(from);
                out.chunks_exact_mut(to)
                    .zip(raw)
                    .for_each(|(out, raw)| passed(raw, self.format(), self.pixels.result, out));
                continue;
            }
            self.look_under(&x, y, flat, &mut under);
            for (k, (x, out)) in x.zip(out.chunks_exact_mut(to)).enumerate() {
                let raw = &plate[x * from..][..from];
                let under = &under;
                self.pixel(At { x, y, i: y * width + x, k, under, raw, coverage: samples[x] }, out);
            }
        }
    }
}

/// The finished inner part, in the result's format, rows without gaps.
pub fn composite(
    plan: &Plan<'_>,
    pixels: &Pixels<'_>,
    coverage: &Plane,
    beside: Beside<'_>,
    into: &mut [u8],
) {
    let job = &pixels.job;
    let work = Work { pixels, plate: plan.plate, job, light: &plan.light, coverage, beside };
    let plain = work.plain();
    let row_bytes = job.inner_width as usize * pixels.result.bytes_per_pixel();
    into.par_chunks_mut(row_bytes)
        .enumerate()
        .for_each(|(y, out)| work.row(y + job.inner_y as usize, plain.as_deref(), out));
}
