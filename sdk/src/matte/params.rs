//! The matte chain's parameters: one table, from which defaults and checks come, and which every host's own
//! controls are made of.

use std::ops::RangeInclusive;

use crate::error::{Error, Result};

/// One parameter.
#[derive(Clone, Debug, PartialEq)]
pub struct Param {
    /// Its name in settings, presets and messages. Never changes.
    pub id: &'static str,
    /// Its name for an artist.
    pub label: &'static str,
    /// What its number counts, or nothing.
    pub unit: &'static str,
    /// What it takes, and its default.
    pub kind: Kind,
    /// One sentence.
    pub help: &'static str,
}

/// What a parameter takes.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// A number.
    Float {
        /// Both ends belong to it.
        range: RangeInclusive<f32>,
        /// Where it starts.
        default: f32,
    },
    /// sRGB-encoded red, green, blue, and alpha, each from 0 to 1, straight.
    Colour {
        /// Where it starts.
        default: [f32; 4],
    },
    /// One of a few, the first being the default.
    Choice {
        /// Their ids.
        choices: &'static [&'static str],
    },
}

const fn px(
    id: &'static str,
    label: &'static str,
    range: RangeInclusive<f32>,
    default: f32,
    help: &'static str,
) -> Param {
    Param { id, label, unit: "px", kind: Kind::Float { range, default }, help }
}

/// See [`View`](super::View).
pub const VIEW: Param = Param {
    id: "view",
    label: "View",
    unit: "",
    kind: Kind::Choice { choices: &["composite", "matte", "overlay", "cutout"] },
    help: "What is written: the subject over the background, its coverage, the tinted plate, or the subject alone.",
};
/// See [`Background`](super::Background).
pub const BACKGROUND: Param = Param {
    id: "background",
    label: "Background",
    unit: "",
    kind: Kind::Choice { choices: &["colour", "blur", "picture"] },
    help: "What the composite view lays the subject over.",
};
/// See [`Alpha`](super::Alpha).
pub const ALPHA: Param = Param {
    id: "alpha",
    label: "Alpha",
    unit: "",
    kind: Kind::Choice { choices: &["straight", "premultiplied"] },
    help: "Whether the result's colour is multiplied by its alpha, in linear light.",
};
/// How far the edge moves.
pub const GROW: Param =
    px("grow_px", "Grow", -64.0..=64.0, 0.0, "How far the edge moves outwards; below 0 it moves inwards.");
/// How soft the edge is.
pub const FEATHER: Param = px(
    "feather_px",
    "Feather",
    0.0..=64.0,
    1.5,
    "How far the edge's softness reaches to each side: two standard deviations of a Gaussian.",
);
/// How blurred the blurred plate is.
pub const BACKGROUND_BLUR: Param = px(
    "background_blur_px",
    "Background blur",
    0.0..=64.0,
    16.0,
    "Standard deviation of the blurred plate's Gaussian.",
);
/// The background's colour.
pub const BACKGROUND_COLOUR: Param = Param {
    id: "background_colour",
    label: "Background colour",
    unit: "",
    kind: Kind::Colour { default: [0.0, 0.0, 0.0, 1.0] },
    help: "What the subject is laid over, sRGB-encoded.",
};
/// The overlay's tint.
pub const OVERLAY_COLOUR: Param = Param {
    id: "overlay_colour",
    label: "Overlay colour",
    unit: "",
    kind: Kind::Colour { default: [1.0, 0.1, 0.1, 0.5] },
    help: "The tint over the subject, sRGB-encoded; its alpha is its strength.",
};

/// All of them, in the order in which an artist meets them.
pub const ALL: [Param; 8] =
    [VIEW, GROW, FEATHER, BACKGROUND, BACKGROUND_COLOUR, BACKGROUND_BLUR, OVERLAY_COLOUR, ALPHA];

impl Param {
    /// The default of a number; 0 for the others.
    pub const fn default_float(&self) -> f32 {
        match self.kind {
            Kind::Float { default, .. } => default,
            _ => 0.0,
        }
    }

    /// The default of a colour; nothing for the others.
    pub const fn default_colour(&self) -> [f32; 4] {
        match self.kind {
            Kind::Colour { default } => default,
            _ => [0.0; 4],
        }
    }

    /// # Errors
    /// [`Error::Setting`] if any of `values` is NaN or outside the range.
    pub fn check(&self, values: &[f32]) -> Result<()> {
        let range = match &self.kind {
            Kind::Float { range, .. } => range.clone(),
            Kind::Colour { .. } | Kind::Choice { .. } => 0.0..=1.0,
        };
        match values.iter().find(|v| !range.contains(v)) {
            None => Ok(()),
            Some(found) => {
                let (low, high) = (range.start(), range.end());
                let unit = if self.unit.is_empty() { String::new() } else { format!(" {}", self.unit) };
                Err(Error::Setting {
                    name: self.id,
                    found: found.to_string(),
                    want: format!("{low} to {high}{unit}"),
                })
            }
        }
    }
}
