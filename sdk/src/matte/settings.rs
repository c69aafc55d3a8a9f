//! What a caller can ask of the matte chain.

use super::params;
use crate::error::Result;

/// What is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum View {
    /// The subject over the background.
    #[default]
    Composite,
    /// Coverage as grey, not sRGB-encoded: code 128 is half covered. Alpha is opaque.
    Matte,
    /// The plate, the subject tinted.
    Overlay,
    /// The subject over nothing, with alpha. Straight colour is the plate's own everywhere, also where alpha is 0.
    Cutout,
}

/// What the composite view lays the subject over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Background {
    /// [`MatteSettings::background_colour`].
    #[default]
    Colour,
    /// The plate, blurred by [`MatteSettings::background_blur_px`].
    BlurredPlate,
    /// The job's picture.
    Picture,
}

/// How the result's colour stands to its alpha.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Alpha {
    /// Colour as if opaque.
    #[default]
    Straight,
    /// Linear light times alpha, then sRGB-encoded.
    Premultiplied,
}

/// How a matte is finished and shown. Ranges are in [`params`]; everything may change from frame to frame.
#[derive(Clone, Debug, PartialEq)]
pub struct MatteSettings {
    /// What is written.
    pub view: View,
    /// What the composite view lays the subject over.
    pub background: Background,
    /// How the result's colour stands to its alpha.
    pub alpha: Alpha,
    /// How far the edge moves outwards, -64 to 64 pixels.
    pub grow_px: f32,
    /// How far softness reaches to each side of the edge, 0 to 64 pixels: two standard deviations.
    pub feather_px: f32,
    /// Standard deviation of the blurred plate, 0 to 64 pixels.
    pub background_blur_px: f32,
    /// sRGB-encoded, straight, 0 to 1.
    pub background_colour: [f32; 4],
    /// sRGB-encoded, 0 to 1. Alpha is the tint's strength.
    pub overlay_colour: [f32; 4],
}

impl Default for MatteSettings {
    fn default() -> Self {
        Self {
            view: View::default(),
            background: Background::default(),
            alpha: Alpha::default(),
            grow_px: params::GROW.default_float(),
            feather_px: params::FEATHER.default_float(),
            background_blur_px: params::BACKGROUND_BLUR.default_float(),
            background_colour: params::BACKGROUND_COLOUR.default_colour(),
            overlay_colour: params::OVERLAY_COLOUR.default_colour(),
        }
    }
}

impl MatteSettings {
    /// # Errors
    /// [`Error::Setting`](crate::Error::Setting) names the first number that is NaN or outside its range.
    pub fn validate(&self) -> Result<()> {
        params::GROW.check(&[self.grow_px])?;
        params::FEATHER.check(&[self.feather_px])?;
        params::BACKGROUND_BLUR.check(&[self.background_blur_px])?;
        params::BACKGROUND_COLOUR.check(&self.background_colour)?;
        params::OVERLAY_COLOUR.check(&self.overlay_colour)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_lie_in_their_ranges() {
        MatteSettings::default().validate().unwrap();
    }

    #[test]
    fn a_number_outside_its_range_is_named_with_what_was_wanted() {
        let far = MatteSettings { grow_px: -65.0, ..Default::default() };
        assert_eq!(far.validate().unwrap_err().to_string(), "grow_px: found -65, expected -64 to 64 px");
        let dark = MatteSettings { overlay_colour: [0.0, 0.0, -0.5, 1.0], ..Default::default() };
        assert_eq!(dark.validate().unwrap_err().to_string(), "overlay_colour: found -0.5, expected 0 to 1");
    }

    #[test]
    fn a_number_that_is_none_is_refused_everywhere() {
        let good = MatteSettings::default();
        for bad in [
            MatteSettings { grow_px: f32::NAN, ..good.clone() },
            MatteSettings { feather_px: f32::NAN, ..good.clone() },
            MatteSettings { background_blur_px: f32::INFINITY, ..good.clone() },
            MatteSettings { background_colour: [0.0, f32::NAN, 0.0, 1.0], ..good.clone() },
            MatteSettings { overlay_colour: [0.0, 0.0, 0.0, f32::NAN], ..good.clone() },
        ] {
            assert!(bad.validate().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn every_parameter_has_its_own_id_and_a_help() {
        let mut ids: Vec<_> = params::ALL.iter().map(|p| p.id).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), params::ALL.len());
        assert!(params::ALL.iter().all(|p| p.help.ends_with('.')));
    }
}
