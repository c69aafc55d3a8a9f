//! The subject over what is behind it, and by itself: the composite's twin where the plate's colours are worked on.

use rotomask_shaders::mode;

use super::composite::{At, Desk, LEAST, Work, mixed};
use super::pixels::{Lights, Numbers, alphas, linear_stretch, part, pass, set_alpha, set_alphas};
use crate::frame::PixelFormat;

#[inline(always)]
fn despilled(despill: u32, strength: f32, [red, green, blue, _]: &mut Lights) {
    let others = if despill == 1 { &*blue } else { &*green };
    let others = *others;
    let screen = if despill == 1 { green } else { blue };
    for ((screen, red), other) in screen.iter_mut().zip(&*red).zip(&others) {
        *screen = mixed(*screen, screen.min((red + other) * 0.5), strength);
    }
}

impl Work<'_> {
    /// The plate's light, without what the background adds at the edge.
    #[inline(always)]
    fn decontaminated(&self, light: &mut Lights, matte: &Numbers, [near, far]: &[Lights; 2]) {
        for (c, light) in light.iter_mut().enumerate().take(3) {
            let places = light.iter_mut().zip(matte).zip(near[c].iter().zip(&near[3]));
            for (((light, covered), (near, inside)), (far, outside)) in places.zip(far[c].iter().zip(&far[3]))
            {
                let (own, other) = (near / inside, far / outside);
                let unexplained = *light - own * covered - other * (1.0 - covered);
                let found = mixed(*light, (own + unexplained * covered).max(0.0), self.job.decontaminate);
                let known = *inside >= LEAST && *outside >= LEAST && *covered < 1.0;
                *light = if known { found } else { *light };
            }
        }
    }

    /// The subject's own light, from the plate's.
    #[inline(always)]
    fn subject_light(&self, at: At<'_>, desk: &mut Desk) {
        // Full coverage knows its own colour.
        if let Some(sides) =
            self.beside.sides.filter(|_| self.job.decontaminate > 0.0 && at.flat != Some(u16::MAX))
        {
            for (side, lights) in sides.iter().zip(&mut desk.sides) {
                side.stretch(at.x, at.y, at.count, lights);
            }
            self.decontaminated(&mut desk.plate, &desk.matte, &desk.sides);
        }
        if self.job.despill != 0 {
            despilled(self.job.despill, self.job.despill_strength, &mut desk.plate);
        }
    }

    /// The background picture's pixels.
    #[inline(always)]
    fn back_raw(&self, at: At<'_>) -> Option<(&[u8], PixelFormat)> {
        let back = self.pixels.back?;
        let (format, bytes) = (back.format(), back.format().bytes_per_pixel());
        Some((&back.row(at.y)[at.x * bytes..][..at.count * bytes], format))
    }

    /// What is behind the subject, premultiplied.
    #[inline(always)]
    fn behind(&self, at: At<'_>, under: &mut Lights) {
        match (self.pixels.mode, self.beside.backdrop, self.back_raw(at)) {
            (mode::OVER_LIGHT, Some(backdrop), _) => backdrop.stretch(at.x, at.y, at.count, under),
            (mode::OVER_PICTURE, _, Some((raw, format))) => {
                linear_stretch(raw, format, self.light, under);
                let [red, green, blue, alpha] = under;
                for channel in [red, green, blue] {
                    for (v, a) in channel.iter_mut().zip(&*alpha) {
                        *v *= a;
                    }
                }
            }
            _ => under.iter_mut().zip(self.colour()).for_each(|(channel, v)| channel.fill(v)),
        }
    }

    /// The background's light falls round the subject.
    #[inline(always)]
    fn wrapped(&self, at: At<'_>, light: &mut Lights, wrap: &mut Lights) {
        let Some(blurred) = self.beside.wrap else { return };
        blurred.stretch(at.x, at.y, at.count, wrap);
        if self.pixels.mode == mode::OVER_COLOUR {
            let around = wrap[3];
            for (channel, colour) in wrap.iter_mut().zip(self.colour()) {
                for (v, a) in channel.iter_mut().zip(&around) {
                    *v = colour * a;
                }
            }
        }
        let by = self.job.wrap;
        let [red, green, blue, alpha] = wrap;
        for (light, channel) in light.iter_mut().zip([red, green, blue]) {
            for ((light, v), a) in light.iter_mut().zip(channel).zip(&*alpha) {
                *light = *light * (1.0 - a * by) + *v * by;
            }
        }
    }

    #[inline(always)]
    pub fn over(&self, at: At<'_>, desk: &mut Desk, out: &mut [u8]) {
        if at.flat == Some(0) && self.is_finite() && self.pixels.mode == mode::OVER_LIGHT {
            // Nothing of the plate shows.
            self.behind(at, &mut desk.out);
            self.straighten(&mut desk.out);
            desk.passes.fill(false);
            return self.write(at, desk, out);
        }
        self.read(at, desk);
        self.behind(at, &mut desk.under);
        self.subject_light(at, desk);
        if self.job.wrap > 0.0 {
            self.wrapped(at, &mut desk.plate, &mut desk.wrap);
        }
        for c in 0..3 {
            let lights = desk.under[c].iter().zip(&desk.plate[c]).zip(&desk.covered);
            for (out, ((under, light), covered)) in desk.out[c].iter_mut().zip(lights) {
                *out = mixed(*under, *light, *covered);
            }
        }
        for ((out, covered), under) in desk.out[3].iter_mut().zip(&desk.covered).zip(&desk.under[3]) {
            *out = covered + under * (1.0 - covered);
        }
        self.straighten(&mut desk.out);
        let own = self.job.despill == 0 && self.job.wrap == 0.0;
        for (passes, covered) in desk.passes.iter_mut().zip(&desk.covered) {
            *passes = own && *covered == 1.0;
        }
        self.write(at, desk, out);
        if let Some((raw, format)) = self.back_raw(at) {
            for ((passes, covered), under) in desk.passes.iter_mut().zip(&desk.covered).zip(&desk.under[3]) {
                *passes = *covered == 0.0 && *under == 1.0;
            }
            self.write_passing(raw, format, &desk.passes, out);
        }
    }

    #[inline(always)]
    pub fn cut(&self, at: At<'_>, desk: &mut Desk, out: &mut [u8]) {
        let erases = self.pixels.mode == mode::ERASE;
        let straight = self.job.premultiplied == 0;
        let despills = !erases && self.job.despill != 0;
        let decontaminates = !erases && self.job.decontaminate > 0.0;
        let plain = self.keeps_colour();
        if plain {
            alphas(at.raw, self.format(), &mut desk.plate[3]);
        } else {
            linear_stretch(at.raw, self.format(), self.light, &mut desk.plate);
        }
        for (matte, sample) in desk.matte.iter_mut().zip(at.coverage) {
            *matte = part(if erases { u16::MAX - sample } else { *sample });
        }
        for ((covered, matte), alpha) in desk.covered.iter_mut().zip(&desk.matte).zip(&desk.plate[3]) {
            *covered = matte * alpha;
        }
        if plain {
            pass(at.raw, self.format(), self.pixels.result, out);
            return set_alphas(&desk.covered, self.pixels.result, out);
        }
        if !erases {
            self.subject_light(at, desk);
        }
        for c in 0..3 {
            for ((out, light), covered) in desk.out[c].iter_mut().zip(&desk.plate[c]).zip(&desk.covered) {
                *out = if straight { *light } else { light * covered };
            }
        }
        desk.out[3] = desk.covered;
        for ((passes, covered), matte) in desk.passes.iter_mut().zip(&desk.covered).zip(&desk.matte) {
            let changes = despills || decontaminates && *matte < 1.0;
            *passes = !changes && (straight || *covered == 1.0);
        }
        self.write(at, desk, out);
        let bytes = self.pixels.result.bytes_per_pixel();
        for ((out, passes), covered) in out.chunks_exact_mut(bytes).zip(&desk.passes).zip(&desk.covered) {
            if *passes && *covered != 1.0 {
                set_alpha(*covered, self.pixels.result, out);
            }
        }
    }
}
