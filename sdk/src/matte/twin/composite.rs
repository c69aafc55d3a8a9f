//! The plain twin of `composite.wgsl`.

use rayon::prelude::*;
use rotomask_shaders::{layout::Composite, mode};

use super::plane::{Plane, TILE};
use crate::frame::{FrameView, PixelFormat};
use crate::matte::light::{FULL, TABLES, Tables, scale16};

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

fn linear(tables: &Tables, bytes: [u8; 4]) -> Four {
    let light = |code: u8| u32::from(tables.decode[usize::from(code)]);
    [light(bytes[0]), light(bytes[1]), light(bytes[2]), u32::from(bytes[3]) * 257]
}

fn code(tables: &Tables, sample: u32) -> u8 {
    tables.encode[sample as usize]
}

fn alpha_code(sample: u32) -> u8 {
    ((sample * 255 + 32767) / FULL) as u8
}

fn mixed(under: u32, over: u32, by: u32) -> u32 {
    (over * by + under * (FULL - by) + 32767) / FULL
}

/// A row of pixels in premultiplied linear light.
pub fn linear_row(row: &[u8], format: PixelFormat, into: &mut [u16]) {
    let tables = &*TABLES;
    for (out, pixel) in into.chunks_exact_mut(4).zip(row.chunks_exact(format.bytes_per_pixel())) {
        let [r, g, b, a] = linear(tables, read(pixel, format));
        let light = if a == FULL { [r, g, b] } else { [r, g, b].map(|v| scale16(v, a)) };
        out.copy_from_slice(&[light[0] as u16, light[1] as u16, light[2] as u16, a as u16]);
    }
}

fn finished(tables: &Tables, job: &Composite, [r, g, b, a]: Four) -> [u8; 4] {
    let mut rgb = [r, g, b];
    if job.premultiplied == 0 && a < FULL {
        let by = a.max(1);
        rgb = rgb.map(|v| (v.min(a) * FULL + by / 2) / by);
    }
    [code(tables, rgb[0]), code(tables, rgb[1]), code(tables, rgb[2]), alpha_code(a)]
}

fn over(tables: &Tables, job: &Composite, subject: [u8; 4], coverage: u32, under: Four) -> [u8; 4] {
    let covered = scale16(coverage, u32::from(subject[3]) * 257);
    if covered == FULL {
        return subject;
    }
    let light = linear(tables, subject);
    let rgb = |i: usize| mixed(under[i], light[i], covered);
    finished(tables, job, [rgb(0), rgb(1), rgb(2), (covered + scale16(under[3], FULL - covered)).min(FULL)])
}

fn over_picture(
    tables: &Tables,
    job: &Composite,
    subject: [u8; 4],
    coverage: u32,
    picture: [u8; 4],
) -> [u8; 4] {
    if picture[3] == 255 && scale16(coverage, u32::from(subject[3]) * 257) == 0 {
        return picture;
    }
    let [r, g, b, a] = linear(tables, picture);
    over(tables, job, subject, coverage, [scale16(r, a), scale16(g, a), scale16(b, a), a])
}

fn tinted(tables: &Tables, job: &Composite, subject: [u8; 4], coverage: u32) -> [u8; 4] {
    let strength = scale16(coverage, job.alpha);
    let opaque = job.premultiplied == 0 || subject[3] == 255;
    if strength == 0 && opaque {
        return subject;
    }
    let light = linear(tables, subject);
    let [r, g, b] =
        [(0, job.red), (1, job.green), (2, job.blue)].map(|(i, tint)| mixed(light[i], tint, strength));
    if opaque {
        return [code(tables, r), code(tables, g), code(tables, b), subject[3]];
    }
    let a = light[3];
    finished(tables, job, [scale16(r, a), scale16(g, a), scale16(b, a), a])
}

fn cut(tables: &Tables, job: &Composite, subject: [u8; 4], coverage: u32) -> [u8; 4] {
    let light = linear(tables, subject);
    let covered = scale16(coverage, light[3]);
    if job.premultiplied == 0 {
        return [subject[0], subject[1], subject[2], alpha_code(covered)];
    }
    let rgb = |i: usize| scale16(light[i], covered);
    finished(tables, job, [rgb(0), rgb(1), rgb(2), covered])
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
    let (width, tables) = (plate.size().width(), &*TABLES);
    into.par_chunks_mut(width * 4).enumerate().for_each(|(y, out)| {
        let (subject, samples) = (plate.row(y), coverage.row(y));
        for (i, out) in out.chunks_mut(TILE * 4).enumerate() {
            let x = i * TILE..(i * TILE + out.len() / 4);
            let bytes = plate.format().bytes_per_pixel();
            let subject = &subject[x.start * bytes..x.end * bytes];
            let flat = coverage.flat_over(x.start as isize..x.end as isize, y as isize..y as isize + 1);
            let place =
                Stretch { tables, job, mode, format: plate.format(), subject, behind, x: x.start, y, width };
            match flat {
                Some(u16::MAX) => place.uniform(out, FULL),
                Some(_) => place.uniform(out, 0),
                None => {
                    let samples = &samples[x];
                    place.varied(out, |i| u32::from(samples[i]));
                }
            }
        }
    });
}

/// A few pixels of one row.
struct Stretch<'a> {
    tables: &'a Tables,
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
        if coverage == 0 && self.mode == mode::CUTOUT && self.job.premultiplied == 0 {
            return self.each(out, |_, [r, g, b, _]| [r, g, b, 0]);
        }
        if coverage == 0 && self.mode == mode::OVER_COLOUR {
            let Composite { red, green, blue, alpha, .. } = *self.job;
            let colour = finished(self.tables, self.job, [red, green, blue, alpha]);
            return out.chunks_exact_mut(4).for_each(|out| self.write(out, colour));
        }
        self.varied(out, |_| coverage);
    }

    fn pass(&self, out: &mut [u8]) {
        self.each(out, |_, subject| subject);
    }

    fn varied(&self, out: &mut [u8], coverage: impl Fn(usize) -> u32) {
        let (tables, job) = (self.tables, self.job);
        match (self.mode, self.behind) {
            (mode::OVERLAY, _) => self.each(out, |i, subject| tinted(tables, job, subject, coverage(i))),
            (mode::CUTOUT, _) => self.each(out, |i, subject| cut(tables, job, subject, coverage(i))),
            (_, Behind::Colour) => {
                let Composite { red, green, blue, alpha, .. } = *job;
                let under = [red, green, blue, alpha];
                self.each(out, |i, subject| over(tables, job, subject, coverage(i), under));
            }
            (_, Behind::Linear(samples)) => {
                let samples = &samples[(self.y * self.width + self.x) * 4..];
                self.each(out, |i, subject| {
                    let under = std::array::from_fn(|c| u32::from(samples[4 * i + c]));
                    over(tables, job, subject, coverage(i), under)
                });
            }
            (_, Behind::Picture(picture)) => {
                let bytes = picture.format().bytes_per_pixel();
                let row = &picture.row(self.y)[self.x * bytes..];
                self.each(out, |i, subject| {
                    let pixel = read(&row[i * bytes..][..bytes], picture.format());
                    over_picture(tables, job, subject, coverage(i), pixel)
                });
            }
        }
    }

    fn each(&self, out: &mut [u8], done: impl Fn(usize, [u8; 4]) -> [u8; 4]) {
        let bytes = self.format.bytes_per_pixel();
        for (i, (out, pixel)) in out.chunks_exact_mut(4).zip(self.subject.chunks_exact(bytes)).enumerate() {
            self.write(out, done(i, read(pixel, self.format)));
        }
    }
}
