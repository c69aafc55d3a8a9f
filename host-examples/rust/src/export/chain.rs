//! The matte chain as an export asks it: coverage of one object or of all, and the plate cut out by it.

use std::sync::Arc;

use serde_json::Value;

use super::{
    masks::Masks,
    samples::{Grey8, Grey16, Rgba16, RgbaFloats},
};
use crate::{
    Error, Result,
    library::{Image, ImageMut, Library, Matte, MatteJob, MatteSettings},
    look::values,
    picture::Picture,
};

/// How the plate is given to the chain, which cuts out in the plate's own depth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// 8 bits a channel.
    Eight,
    /// 16 bits a channel.
    Sixteen,
    /// Floats.
    Floats,
}

/// The chain with its settings and the frame's plate.
pub struct Chain {
    matte: Matte,
    /// As they were given, with the view "matte".
    coverage: MatteSettings,
    /// As they were given, with the view "cutout".
    cutout: MatteSettings,
    light: Light,
    plate: Picture,
    depth: Depth,
    sixteen: Rgba16,
    floats: RgbaFloats,
}

/// How codes stand to light.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Light {
    Srgb,
    Rec709,
    Linear,
}

impl Chain {
    /// Opens the chain for frames of a size. Both settings are the same; their views are changed.
    ///
    /// # Errors
    /// If the device can't be used, or the settings need what an export doesn't have.
    pub fn open(
        library: &Arc<Library>,
        (gpu, memory_bytes): (&str, Option<u64>),
        mut settings: [MatteSettings; 2],
        size: (u32, u32),
        depth: Depth,
    ) -> Result<Self> {
        let light = Light::of(&settings[0])?;
        let [coverage, cutout] = &mut settings;
        coverage.set("view", "matte")?;
        cutout.set("view", "cutout")?;
        // What is linear is premultiplied by custom, and what is made for playing is not.
        let floats = depth == Depth::Floats;
        cutout.set("alpha", if floats { "premultiplied" } else { "straight" })?;
        let [coverage, cutout] = settings;
        let mut chain = Self {
            matte: Matte::open(library, gpu, memory_bytes)?,
            coverage,
            cutout,
            light,
            plate: Picture::new(size.0, size.1),
            depth,
            sixteen: Rgba16::default(),
            floats: RgbaFloats::default(),
        };
        // Black, for as long as there is no plate.
        chain.see();
        Ok(chain)
    }

    /// The plate, to be filled before [`Chain::see`].
    pub fn plate(&mut self) -> &mut Picture {
        &mut self.plate
    }

    /// Takes the plate as it is now.
    pub fn see(&mut self) {
        let size = (self.plate.width(), self.plate.height());
        let rows = (0..size.1 as usize).flat_map(|y| self.plate.row(y));
        match self.depth {
            Depth::Eight => {}
            Depth::Sixteen => {
                self.sixteen.reshape(size);
                self.sixteen
                    .values_mut()
                    .iter_mut()
                    .zip(rows)
                    .for_each(|(wide, code)| *wide = u16::from(*code) * 257);
            }
            Depth::Floats => {
                self.floats.reshape(size);
                let values = self.floats.values_mut();
                values.iter_mut().zip(rows).for_each(|(float, code)| *float = f32::from(*code) / 255.0);
            }
        }
    }

    /// Coverage of these objects together in 8 bits, rounded once.
    pub fn coverage8(&mut self, frame: u64, masks: &[Masks<'_>], into: &mut Grey8) -> Result<()> {
        into.reshape((self.plate.width(), self.plate.height()));
        self.render(frame, masks, Show::Coverage, &mut into.canvas()?)
    }

    /// Coverage of these objects together in 16 bits, which is how the chain calculates.
    pub fn coverage16(&mut self, frame: u64, masks: &[Masks<'_>], into: &mut Grey16) -> Result<()> {
        into.reshape((self.plate.width(), self.plate.height()));
        self.render(frame, masks, Show::Coverage, &mut into.canvas()?)
    }

    /// The plate cut out, straight. The chain must have been opened for 8 bits.
    pub fn cutout8(&mut self, frame: u64, masks: &[Masks<'_>], into: &mut Picture) -> Result<()> {
        into.reshape(self.plate.width(), self.plate.height());
        self.render(frame, masks, Show::Cutout, &mut ImageMut::from(into))
    }

    /// The plate cut out, straight. The chain must have been opened for 16 bits.
    pub fn cutout16(&mut self, frame: u64, masks: &[Masks<'_>], into: &mut Rgba16) -> Result<()> {
        into.reshape((self.plate.width(), self.plate.height()));
        self.render(frame, masks, Show::Cutout, &mut into.canvas()?)
    }

    /// The plate cut out, in linear light and premultiplied. The chain must have been opened for floats.
    pub fn cutout_light(&mut self, frame: u64, masks: &[Masks<'_>], into: &mut RgbaFloats) -> Result<()> {
        into.reshape((self.plate.width(), self.plate.height()));
        self.render(frame, masks, Show::Cutout, &mut into.canvas()?)?;
        for pixel in into.values_mut().chunks_exact_mut(4) {
            pixel[..3].iter_mut().for_each(|code| *code = self.light.of_code(*code));
        }
        Ok(())
    }

    fn render(
        &mut self,
        frame: u64,
        masks: &[Masks<'_>],
        show: Show,
        result: &mut ImageMut<'_>,
    ) -> Result<()> {
        let plate = match self.depth {
            Depth::Eight => Image::from(&self.plate),
            Depth::Sixteen => self.sixteen.image()?,
            Depth::Floats => self.floats.image()?,
        };
        let layers = masks.iter().filter_map(|masks| masks.layer().transpose()).collect::<Result<_>>()?;
        let job = MatteJob { layers, ..MatteJob::new(frame, plate) };
        let settings = match show {
            Show::Coverage => &self.coverage,
            Show::Cutout => &self.cutout,
        };
        self.matte.render(&job, settings, result)
    }
}

#[derive(Clone, Copy)]
enum Show {
    Coverage,
    Cutout,
}

impl Light {
    /// # Errors
    /// If settings say something that an export can't follow.
    fn of(settings: &MatteSettings) -> Result<Self> {
        let said = values(settings, "transfer")?;
        if said.windows(2).any(|pair| pair[0] != pair[1]) {
            return Err(Error::Usage(
                "transfer: it changes over the shot, expected one for all frames".into(),
            ));
        }
        match said.first().map(String::as_str) {
            None | Some("srgb") => Ok(Self::Srgb),
            Some("rec709") => Ok(Self::Rec709),
            Some("linear") => Ok(Self::Linear),
            Some(other) => {
                Err(Error::Usage(format!("transfer: found {other}, expected srgb, rec709 or linear")))
            }
        }
    }

    /// Linear light of a code. IEC 61966-2-1 and ITU-R BT.709, as `sdk/src/matte/light.rs` has them.
    fn of_code(self, code: f32) -> f32 {
        let size = code.abs();
        let light = match self {
            Self::Srgb if size <= 0.04045 => size / 12.92,
            Self::Srgb => ((size + 0.055) / 1.055).powf(2.4),
            Self::Rec709 if size < 0.081 => size / 4.5,
            Self::Rec709 => ((size + 0.099) / 1.099).powf(1.0 / 0.45),
            Self::Linear => size,
        };
        light.copysign(code)
    }
}

/// The first parameter that is set and looks at the plate's colours to find the matte.
///
/// # Errors
/// If the library tells its settings in no known way.
pub fn looks_at_the_plate(settings: &MatteSettings) -> Result<Option<&'static str>> {
    const ID: &str = "refine_px";
    let preset: Value = serde_json::from_str(&settings.preset()?)
        .map_err(|_| Error::Bug("librotomask wrote a preset in no known way"))?;
    let is_set = |value: &Value| value.as_f64().is_some_and(|value| value > 0.0);
    let set = match &preset[ID] {
        Value::Object(keys) => keys.values().any(is_set),
        value => is_set(value),
    };
    Ok(set.then_some(ID))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_become_light_as_their_standards_say() {
        for (light, code, wanted) in [
            (Light::Srgb, 0.5, 0.214_041),
            (Light::Srgb, 0.02, 0.001_548),
            (Light::Rec709, 0.5, 0.259_590),
            (Light::Linear, 0.5, 0.5),
            (Light::Srgb, -0.5, -0.214_041),
        ] {
            let found = light.of_code(code);
            assert!((found - wanted).abs() < 1e-5, "{light:?} {code}: {found}, wanted {wanted}");
        }
    }
}
