//! Views to judge a matte by: the composite's twin where the plate is only shown.

use super::composite::{At, Desk, Work, mixed};
use super::pixels::{Numbers, part};
use super::plane::around;
use crate::matte::light::{FULL, scale16};

/// Pixels to each side of the contour that the edge view's line covers.
const LINE_PX: usize = 2;

impl Work<'_> {
    #[inline(always)]
    pub fn overlay(&self, at: At<'_>, desk: &mut Desk, out: &mut [u8]) {
        self.read(at, desk);
        self.tint(desk.matte, self.job.alpha, desk);
        self.write(at, desk, out);
    }

    /// The plate, tinted by some share of each number.
    #[inline(always)]
    fn tint(&self, numbers: Numbers, share: f32, desk: &mut Desk) {
        let straight = self.job.premultiplied == 0;
        let alpha = &desk.plate[3];
        for (c, colour) in self.colour().into_iter().enumerate().take(3) {
            let places = desk.out[c].iter_mut().zip(&desk.plate[c]).zip(&numbers).zip(alpha);
            for (((out, light), by), alpha) in places {
                let tinted = mixed(*light, colour, by * share);
                *out = if straight || *alpha == 1.0 { tinted } else { tinted * alpha };
            }
        }
        desk.out[3] = *alpha;
        for ((passes, by), alpha) in desk.passes.iter_mut().zip(&numbers).zip(alpha) {
            *passes = by * share == 0.0 && (straight || *alpha == 1.0);
        }
    }

    #[inline(always)]
    pub fn edge(&self, at: At<'_>, desk: &mut Desk, out: &mut [u8]) {
        self.read(at, desk);
        let mut line = [0.0; _];
        let near = self
            .coverage
            .flat_over(around(&(at.x..at.x + at.count), LINE_PX), around(&(at.y..at.y + 1), LINE_PX));
        if near.is_none() {
            for (k, line) in line.iter_mut().enumerate().take(at.count) {
                *line = self.line_at(at.x + k, at.y);
            }
        }
        self.tint(line, 1.0, desk);
        self.write(at, desk, out);
    }

    /// How near the contour is, from 0 to 1, within two pixels.
    fn line_at(&self, x: usize, y: usize) -> f32 {
        let size = self.coverage.size;
        let near = |at: usize, count: usize| at.saturating_sub(LINE_PX)..=(at + LINE_PX).min(count - 1);
        let mut most = 0;
        for y in near(y, size.height()) {
            for sample in &self.coverage.row(y)[near(x, size.width())] {
                most = most.max(scale16(u32::from(*sample), FULL - u32::from(*sample)));
            }
        }
        (4 * most).min(FULL) as f32 * (1.0 / 65535.0)
    }

    #[inline(always)]
    pub fn status(&self, at: At<'_>, desk: &mut Desk, out: &mut [u8]) {
        self.read(at, desk);
        self.tint(desk.matte, self.job.alpha, desk);
        let job = self.job;
        let place = |at: usize, inner: u32, frame: u32| at as u32 - inner + frame;
        if place(at.y, job.inner_y, job.frame_y) < job.badge_px {
            let left = place(at.x, job.inner_x, job.frame_x);
            let badge = [job.badge_red, job.badge_green, job.badge_blue, 1.0];
            for k in (0..at.count).take_while(|k| left + (*k as u32) < job.badge_px) {
                desk.out.iter_mut().zip(badge).for_each(|(channel, v)| channel[k] = v);
                desk.passes[k] = false;
            }
        }
        self.write(at, desk, out);
    }

    /// The same light in all three channels, of a code each.
    fn grey(&self, at: At<'_>, desk: &mut Desk, code: impl Fn(usize) -> f32, out: &mut [u8]) {
        for k in 0..at.count {
            desk.out[0][k] = self.light.light_of(code(k));
        }
        (desk.out[1], desk.out[2], desk.out[3]) = (desk.out[0], desk.out[0], [1.0; _]);
        desk.passes.fill(false);
        self.write(at, desk, out);
    }

    pub fn trimap(&self, at: At<'_>, desk: &mut Desk, out: &mut [u8]) {
        let first = at.y * self.coverage.size.width() + at.x;
        let (distance, band) = (self.beside.distance, self.job.band);
        let code = |k: usize| match (band > 0, at.coverage[k]) {
            (true, _) if distance[first + k].abs() < band => 0.5,
            (true, _) => f32::from(u8::from(distance[first + k] > 0)),
            (false, 0) => 0.0,
            (false, u16::MAX) => 1.0,
            (false, _) => 0.5,
        };
        self.grey(at, desk, code, out);
    }

    #[inline(always)]
    pub fn confidence(&self, at: At<'_>, desk: &mut Desk, out: &mut [u8]) {
        self.read(at, desk);
        let first = at.y * self.coverage.size.width() + at.x;
        let [red, green, blue, _] = &desk.plate;
        for (k, sample) in self.beside.confidence[first..first + at.count].iter().enumerate() {
            let sure = part(*sample);
            let doubt = 1.0 - (2.0 * sure - 1.0).abs();
            let colour = [doubt, sure * (1.0 - doubt), (1.0 - sure) * (1.0 - doubt)];
            let brightness = (red[k] + green[k] + blue[k]) * (1.0 / 9.0);
            for (out, v) in desk.out.iter_mut().zip(colour) {
                out[k] = brightness + v * 0.5;
            }
        }
        desk.out[3] = [1.0; _];
        desk.passes.fill(false);
        self.write(at, desk, out);
    }
}
