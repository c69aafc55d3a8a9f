//! The plain twin of `composite.wgsl`.

use rayon::prelude::*;
use rotomask_shaders::{layout::Composite, mode};

use super::plane::{Plane, TILE};
use crate::frame::{FrameView, PixelFormat};
use crate::matte::light::{FULL, TABLES, scale16};

/// Red, green, blue, alpha: bytes or samples.
type Four = [u32; 4];

/// A host's pixel as straight 8-bit red, green, blue, alpha.
fn read(pixel: &[u8], format: PixelFormat) -> [u8; 4] {
    match format {
        PixelFormat::Bgra8 => [pixel[2], pixel[1], pixel[0], pixel[3]],
        PixelFormat::Rgba8 => [pixel[0], pixel[1], pixel[2], pixel[3]],
        _ => [pixel[0], pixel[1], pixel[2], 255],
    }
}

fn linear(bytes: [u8; 4]) -> Four {
    let light = |code: u8| u32::from(TABLES.decode[usize::from(code)]);
    [light(bytes[0]), light(bytes[1]), light(bytes[2]), u32::from(bytes[3]) * 257]
}

fn code(sample: u32) -> u8 {
    TABLES.encode[sample as usize]
}

fn alpha_code(sample: u32) -> u8 {
    ((sample * 255 + 32767) / FULL) as u8
}

fn mixed(under: u32, over: u32, by: u32) -> u32 {
    (over * by + under * (FULL - by) + 32767) / FULL
}

/// A row of pixels in premultiplied linear light.
pub fn linear_row(row: &[u8], format: PixelFormat, into: &mut [u16]) {
    for (out, pixel) in into.chunks_exact_mut(4).zip(row.chunks_exact(format.bytes_per_pixel())) {
        let [r, g, b, a] = linear(read(pixel, format));
        let light = if a == FULL { [r, g, b] } else { [r, g, b].map(|v| scale16(v, a)) };
        out.copy_from_slice(&[light[0] as u16, light[1] as u16, light[2] as u16, a as u16]);
    }
}

fn finished(job: &Composite, [r, g, b, a]: Four) -> [u8; 4] {
    let mut rgb = [r, g, b];
    if job.premultiplied == 0 && a < FULL {
        let by = a.max(1);
        rgb = rgb.map(|v| (v.min(a) * FULL + by / 2) / by);
    }
    [code(rgb[0]), code(rgb[1]), code(rgb[2]), alpha_code(a)]
}

fn over(job: &Composite, subject: [u8; 4], coverage: u32, under: Four) -> [u8; 4] {
    let light = linear(subject);
    let covered = scale16(coverage, light[3]);
    if covered == FULL {
        return subject;
    }
    let rgb = |i: usize| mixed(under[i], light[i], covered);
    finished(job, [rgb(0), rgb(1), rgb(2), (covered + scale16(under[3], FULL - covered)).min(FULL)])
}

fn tinted(job: &Composite, subject: [u8; 4], coverage: u32) -> [u8; 4] {
    let strength = scale16(coverage, job.alpha);
    let opaque = job.premultiplied == 0 || subject[3] == 255;
    if strength == 0 && opaque {
        return subject;
    }
    let light = linear(subject);
    let [r, g, b] =
        [(0, job.red), (1, job.green), (2, job.blue)].map(|(i, tint)| mixed(light[i], tint, strength));
    if opaque {
        return [code(r), code(g), code(b), subject[3]];
    }
    let a = light[3];
    finished(job, [scale16(r, a), scale16(g, a), scale16(b, a), a])
}

fn cut(job: &Composite, subject: [u8; 4], coverage: u32) -> [u8; 4] {
    let light = linear(subject);
    let covered = scale16(coverage, light[3]);
    if job.premultiplied == 0 {
        return [subject[0], subject[1], subject[2], alpha_code(covered)];
    }
    let rgb = |i: usize| scale16(light[i], covered);
    finished(job, [rgb(0), rgb(1), rgb(2), covered])
}

/// What the subject is laid over.
#[derive(Clone, Copy)]
pub enum Behind<'a> {
    /// The job's own colour, or nothing that is needed.
    Colour,
    /// A linear, premultiplied picture, four samples a pixel.
    Linear(&'a [u16]),
    /// A host's picture.
    Picture(FrameView<'a>),
}

/// The finished picture, one pixel in four bytes.
pub fn composite(
    mode: u32,
    job: &Composite,
    plate: FrameView<'_>,
    coverage: &Plane,
    behind: Behind<'_>,
    into: &mut [u8],
) {
    let width = plate.size().width();
    into.par_chunks_mut(width * 4).enumerate().for_each(|(y, out)| {
        let (subject, samples) = (plate.row(y), coverage.row(y));
        for (i, out) in out.chunks_mut(TILE * 4).enumerate() {
            let x = i * TILE..(i * TILE + out.len() / 4);
            let bytes = plate.format().bytes_per_pixel();
            let subject = &subject[x.start * bytes..x.end * bytes];
            let flat = coverage.flat_over(x.start as isize..x.end as isize, y as isize..y as isize + 1);
            let place = Stretch { job, mode, format: plate.format(), subject, behind, x: x.start, y, width };
            match flat {
                Some(u16::MAX) => place.uniform(out, FULL),
                Some(_) => place.uniform(out, 0),
                None => place.varied(out, &samples[x]),
            }
        }
    });
}

/// A few pixels of one row.
struct Stretch<'a> {
    job: &'a Composite,
    mode: u32,
    format: PixelFormat,
    subject: &'a [u8],
    behind: Behind<'a>,
    x: usize,
    y: usize,
    width: usize,
}

impl Stretch<'_> {
    fn write(&self, out: &mut [u8], [r, g, b, a]: [u8; 4]) {
        out.copy_from_slice(&if self.job.result_bgra == 0 { [r, g, b, a] } else { [b, g, r, a] });
    }

    fn is_over(&self) -> bool {
        matches!(self.mode, mode::OVER_COLOUR | mode::OVER_BLUR | mode::OVER_PICTURE)
    }

    /// All of one coverage, 0 or full. The whole of most frames goes this way.
    fn uniform(&self, out: &mut [u8], coverage: u32) {
        let opaque = self.format == PixelFormat::Rgb8;
        let plate_passes = match self.mode {
            mode::OVERLAY => coverage == 0 && (opaque || self.job.premultiplied == 0),
            mode::CUTOUT => coverage == FULL && (opaque || self.job.premultiplied == 0),
            _ => coverage == FULL && opaque,
        };
        if plate_passes {
            return self.pass(out);
        }
        if coverage == 0 && self.mode == mode::OVER_COLOUR {
            let Composite { red, green, blue, alpha, .. } = *self.job;
            let colour = finished(self.job, [red, green, blue, alpha]);
            return out.chunks_exact_mut(4).for_each(|out| self.write(out, colour));
        }
        self.each(out, |_| coverage);
    }

    fn varied(&self, out: &mut [u8], samples: &[u16]) {
        self.each(out, |i| u32::from(samples[i]));
    }

    fn pass(&self, out: &mut [u8]) {
        let bytes = self.format.bytes_per_pixel();
        for (out, pixel) in out.chunks_exact_mut(4).zip(self.subject.chunks_exact(bytes)) {
            self.write(out, read(pixel, self.format));
        }
    }

    fn each(&self, out: &mut [u8], coverage: impl Fn(usize) -> u32) {
        let bytes = self.format.bytes_per_pixel();
        for (i, (out, pixel)) in out.chunks_exact_mut(4).zip(self.subject.chunks_exact(bytes)).enumerate() {
            let (subject, coverage) = (read(pixel, self.format), coverage(i));
            let done = match self.mode {
                mode::OVERLAY => tinted(self.job, subject, coverage),
                mode::CUTOUT => cut(self.job, subject, coverage),
                _ => self.over_behind(subject, coverage, i),
            };
            self.write(out, done);
        }
    }

    fn over_behind(&self, subject: [u8; 4], coverage: u32, i: usize) -> [u8; 4] {
        debug_assert!(self.is_over());
        match self.behind {
            Behind::Colour => {
                let Composite { red, green, blue, alpha, .. } = *self.job;
                over(self.job, subject, coverage, [red, green, blue, alpha])
            }
            Behind::Linear(samples) => {
                let at = (self.y * self.width + self.x + i) * 4;
                let under = std::array::from_fn(|c| u32::from(samples[at + c]));
                over(self.job, subject, coverage, under)
            }
            Behind::Picture(picture) => {
                let bytes = picture.format().bytes_per_pixel();
                let pixel = read(&picture.row(self.y)[(self.x + i) * bytes..][..bytes], picture.format());
                let covered = scale16(coverage, u32::from(subject[3]) * 257);
                if covered == 0 && pixel[3] == 255 {
                    return pixel;
                }
                let [r, g, b, a] = linear(pixel);
                over(self.job, subject, coverage, [scale16(r, a), scale16(g, a), scale16(b, a), a])
            }
        }
    }
}
