//! What a caller can ask of the matte chain: the one table of parameters.

use super::params::{Group, Kind, Param, Setting, Value, choices};
use crate::error::{Error, Result};

choices! {
    /// What is written.
    View {
        /// The subject over the background.
        Composite = "composite",
        /// Coverage as grey, not encoded: half of the codes is half covered. Alpha is opaque.
        Matte = "matte",
        /// The plate, the subject tinted.
        Overlay = "overlay",
        /// The subject over nothing, with alpha. Straight colour is the plate's own everywhere, also where alpha is 0.
        Cutout = "cutout",
        /// The plate without the subject: what is left over nothing, with alpha.
        Erase = "erase",
        /// The plate, with a line on the matte's contour.
        Edge = "edge",
        /// Black outside, white inside, grey in between: see [`MatteSettings::trimap_px`].
        Trimap = "trimap",
        /// How sure the model is of each pixel, from blue (outside) by red (no idea) to green (inside).
        Confidence = "confidence",
        /// The overlay with a badge that tells the frame's state.
        Status = "status",
    }
}

choices! {
    /// What the composite view lays the subject over.
    Background {
        /// [`MatteSettings::background_colour`].
        Colour = "colour",
        /// The plate, blurred by [`MatteSettings::background_blur_px`].
        BlurredPlate = "blur",
        /// The plate as it is.
        Plate = "plate",
        /// The job's picture.
        Picture = "picture",
    }
}

choices! {
    /// How the result's colour stands to its alpha.
    Alpha {
        /// Colour as if opaque.
        Straight = "straight",
        /// Linear light times alpha, then encoded.
        Premultiplied = "premultiplied",
    }
}

choices! {
    /// How codes stand to light. Never guessed: what the host doesn't say is sRGB.
    Transfer {
        /// IEC 61966-2-1.
        Srgb = "srgb",
        /// ITU-R BT.709's camera curve.
        Rec709 = "rec709",
        /// Codes are light.
        Linear = "linear",
        /// The job's own curve, such as a camera's logarithmic one.
        Curve = "curve",
    }
}

choices! {
    /// Which codes are black and white. Half and float pixels are always of full range.
    Range {
        /// 0 and 255, 0 and 65535.
        Full = "full",
        /// 16 and 235, or 256 times that in 16 bits, as ITU-R BT.709 has them for video.
        Legal = "legal",
    }
}

choices! {
    /// Which screen's light is taken off the subject.
    Despill {
        /// None.
        Off = "off",
        /// A green screen's.
        Green = "green",
        /// A blue screen's.
        Blue = "blue",
    }
}

const fn number(unit: &'static str, range: std::ops::RangeInclusive<f32>, default: f32) -> Kind {
    Kind::Number { unit, range, default }
}

macro_rules! settings {
    ($($id:ident: $type:ty = $kind:expr, $group:ident, $label:literal, $help:literal;)+) => {
        /// How a matte is finished and shown. Everything may change from frame to frame. Lengths are pixels of the
        /// full-resolution frame.
        #[derive(Clone, Debug, PartialEq)]
        pub struct MatteSettings { $(#[doc = $help] pub $id: $type),+ }

        /// All parameters, in the order in which an artist meets them.
        pub static PARAMS: &[Param] = &[$(Param {
            id: stringify!($id),
            label: $label,
            group: Group::$group,
            kind: $kind,
            help: $help,
        }),+];

        impl Default for MatteSettings {
            fn default() -> Self {
                let start = |id: &str| Self::param(id).expect("the table made the field").default();
                Self { $($id: Setting::from_value(&start(stringify!($id))).expect("the table's kinds fit")),+ }
            }
        }

        impl MatteSettings {
            /// A parameter's value, if there is one of this id.
            pub fn get(&self, id: &str) -> Option<Value> {
                match id {
                    $(stringify!($id) => Some(self.$id.value()),)+
                    _ => None,
                }
            }

            /// Changes one parameter.
            ///
            /// # Errors
            /// [`Error::Setting`] if there is none of this id, or the value doesn't fit it. Nothing is changed then.
            pub fn set(&mut self, id: &str, value: &Value) -> Result<()> {
                let param = Self::param(id)?;
                param.check(value)?;
                match id {
                    $(stringify!($id) => {
                        self.$id = Setting::from_value(value).ok_or_else(|| param.wrong(format!("{value:?}")))?;
                    })+
                    _ => {}
                }
                Ok(())
            }
        }
    };
}

settings! {
    view: View = Kind::Choice { choices: View::IDS }, View, "View",
        "What is written: the subject over the background, its coverage, the tinted plate, the subject alone, the plate \
         without it, or a view to judge the matte by.";
    background: Background = Kind::Choice { choices: Background::IDS }, View, "Background",
        "What the composite view lays the subject over.";
    background_colour: [f32; 4] = Kind::Colour { default: [0.0, 0.0, 0.0, 1.0] }, View, "Background colour",
        "What the subject is laid over, sRGB-encoded.";
    background_blur_px: f32 = number("px", 0.0..=64.0, 16.0), View, "Background blur",
        "Standard deviation of the blurred plate's Gaussian.";
    overlay_colour: [f32; 4] = Kind::Colour { default: [1.0, 0.1, 0.1, 0.5] }, View, "Overlay colour",
        "The tint over the subject and the edge view's line, sRGB-encoded; its alpha is the tint's strength.";
    trimap_px: f32 = number("px", 0.0..=64.0, 0.0), View, "Trimap width",
        "How far the trimap's grey reaches to either side of the contour; at 0 it is where coverage is partial.";
    alpha: Alpha = Kind::Choice { choices: Alpha::IDS }, View, "Alpha",
        "Whether the result's colour is multiplied by its alpha, in linear light.";

    clean_black: f32 = number("%", 0.0..=99.0, 0.0), Matte, "Clean black",
        "Coverage up to this becomes none.";
    clean_white: f32 = number("%", 0.0..=99.0, 0.0), Matte, "Clean white",
        "Coverage that lacks no more than this becomes full.";
    fill_holes_px2: f32 = number("px²", 0.0..=1_000_000.0, 0.0), Matte, "Fill holes",
        "Holes of at most this area are closed.";
    remove_specks_px2: f32 = number("px²", 0.0..=1_000_000.0, 0.0), Matte, "Remove specks",
        "Specks of at most this area are dropped.";
    grow_px: f32 = number("px", -64.0..=64.0, 0.0), Edge, "Grow",
        "How far the edge moves outwards; below 0 it moves inwards.";
    smooth_px: f32 = number("px", 0.0..=64.0, 0.0), Edge, "Smooth",
        "How much of the contour's detail is evened out: standard deviation of a Gaussian, after which the edge is sharp again.";
    refine_px: f32 = number("px", 0.0..=128.0, 0.0), Edge, "Refine",
        "How far from the contour the plate's colours may change the matte; beyond, it stays solid. The edge is found where \
         it lies up to a fifth of this away. About the side of a mask's cell suits: a 64th of the frame.";
    refine_strength: f32 = number("%", 0.0..=100.0, 100.0), Edge, "Refine strength",
        "How much of what was found in the plate counts.";
    refine_softness: f32 = number("%", 0.0..=100.0, 20.0), Edge, "Refine softness",
        "How much of the found edge's softness stays: little for hard edges, much for hair and fur.";
    feather_inner_px: f32 = number("px", 0.0..=64.0, 1.5), Edge, "Feather inner",
        "How far the edge's softness reaches inwards.";
    feather_outer_px: f32 = number("px", 0.0..=64.0, 1.5), Edge, "Feather outer",
        "How far the edge's softness reaches outwards.";
    feather_falloff: f32 = number("", 0.25..=4.0, 1.0), Edge, "Falloff",
        "How fast softness falls off: coverage is raised to this power, so above 1 the edge is thinner.";
    dechatter: f32 = number("%", 0.0..=100.0, 0.0), Motion, "Reduce chatter",
        "How much of the edge's jitter is taken away, by the masks of up to two frames to each side. An even motion is none.";
    dechatter_px: f32 = number("px", 0.25..=16.0, 3.0), Motion, "Chatter limit",
        "How far jitter goes: what moves the edge by more counts as a change of shape, and stays.";
    motion_blur: f32 = number("°", 0.0..=720.0, 0.0), Motion, "Motion blur",
        "The shutter's angle: the edge is blurred along its way while it is open; 360 is a whole frame.";
    invert: bool = Kind::Switch, Matte, "Invert",
        "Whether the matte keeps what is not the subject.";
    garbage_invert: bool = Kind::Switch, Inputs, "Invert garbage matte",
        "Whether the garbage matte tells what to keep and not what to drop.";
    holdout_invert: bool = Kind::Switch, Inputs, "Invert hold-out matte",
        "Whether the hold-out matte is open where something stands before the subject.";

    decontaminate: f32 = number("%", 0.0..=100.0, 0.0), Colour, "Decontaminate",
        "How much of the old background's colour is taken out of the edge.";
    decontaminate_px: f32 = number("px", 1.0..=64.0, 12.0), Colour, "Decontaminate radius",
        "How far from the edge the subject's own colour is looked for.";
    despill: Despill = Kind::Choice { choices: Despill::IDS }, Colour, "Despill",
        "Which screen's light is taken off the subject.";
    despill_strength: f32 = number("%", 0.0..=100.0, 100.0), Colour, "Despill strength",
        "How much of it is taken off.";
    light_wrap: f32 = number("%", 0.0..=100.0, 0.0), Colour, "Light wrap",
        "How strongly the background's light falls round the subject's edge, in the composite view.";
    light_wrap_px: f32 = number("px", 1.0..=64.0, 12.0), Colour, "Light wrap width",
        "How far inwards it falls.";

    transfer: Transfer = Kind::Choice { choices: Transfer::IDS }, Light, "Transfer",
        "How the plate's, the background's and the result's codes stand to light.";
    range: Range = Kind::Choice { choices: Range::IDS }, Light, "Range",
        "Which codes of whole-number pixels are black and white.";
}

impl MatteSettings {
    /// The parameter of this id.
    ///
    /// # Errors
    /// [`Error::Preset`] if there is none.
    pub fn param(id: &str) -> Result<&'static Param> {
        PARAMS.iter().find(|param| param.id == id).ok_or_else(|| {
            let near = PARAMS.iter().min_by_key(|param| distance(param.id, id)).map_or("", |param| param.id);
            Error::Preset(format!("there is no parameter `{id}`; the nearest name is `{near}`"))
        })
    }

    /// # Errors
    /// [`Error::Setting`] names the first number that is NaN or outside its range.
    pub fn validate(&self) -> Result<()> {
        PARAMS.iter().try_for_each(|param| match self.get(param.id) {
            Some(value) => param.check(&value),
            None => Ok(()),
        })
    }
}

/// How many letters differ (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().take(64).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut before = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let change = before + usize::from(x != *y);
            before = row[j + 1];
            row[j + 1] = change.min(row[j] + 1).min(before + 1);
        }
    }
    row[b.len()]
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
        let said = dark.validate().unwrap_err().to_string();
        assert!(said.starts_with("overlay_colour: found [0.0, 0.0, -0.5, 1.0], expected"), "{said}");
    }

    #[test]
    fn a_number_that_is_none_is_refused_everywhere() {
        for param in PARAMS {
            let bad = match param.kind {
                Kind::Number { .. } => [f32::NAN, f32::INFINITY, -1e30, 1e30].map(Value::Number).to_vec(),
                Kind::Colour { .. } => vec![Value::Colour([0.0, f32::NAN, 0.0, 1.0]), Value::Number(0.5)],
                Kind::Switch => vec![Value::Number(1.0)],
                Kind::Choice { .. } => vec![Value::Choice("such"), Value::Switch(true)],
            };
            for value in bad {
                let mut settings = MatteSettings::default();
                let said = settings.set(param.id, &value).unwrap_err().to_string();
                assert!(said.starts_with(&format!("{}: found ", param.id)), "{said}");
                assert_eq!(settings, MatteSettings::default());
            }
        }
    }

    #[test]
    fn every_parameter_has_its_own_id_a_help_and_a_default_that_can_be_set() {
        let mut ids: Vec<_> = PARAMS.iter().map(|p| p.id).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), PARAMS.len());
        let mut settings = MatteSettings::default();
        for param in PARAMS {
            assert!(param.help.ends_with('.') && !param.help.contains("  "), "{}", param.help);
            settings.set(param.id, &param.default()).unwrap();
            assert_eq!(settings.get(param.id), Some(param.default()));
            assert_eq!(param.describe()["id"], param.id);
        }
        assert_eq!(settings, MatteSettings::default());
    }

    #[test]
    fn a_parameter_is_read_from_text() {
        let read = |id: &str, text: &str| MatteSettings::param(id).unwrap().parse(text);
        assert_eq!(read("grow_px", "-2.5").unwrap(), Value::Number(-2.5));
        assert_eq!(read("invert", "on").unwrap(), Value::Switch(true));
        assert_eq!(read("view", "trimap").unwrap(), Value::Choice("trimap"));
        assert_eq!(read("background_colour", "#ff0000").unwrap(), Value::Colour([1.0, 0.0, 0.0, 1.0]));
        assert_eq!(read("background_colour", "0, .5, 1").unwrap(), Value::Colour([0.0, 0.5, 1.0, 1.0]));
        for (id, text, said) in [
            ("view", "mat", "view: found \"mat\", expected one of composite, matte,"),
            ("grow_px", "wide", "grow_px: found \"wide\", expected -64 to 64 px"),
            ("grow_px", "99", "grow_px: found 99, expected -64 to 64 px"),
            ("invert", "maybe", "invert: found \"maybe\", expected on or off"),
            ("background_colour", "#12", "background_colour: found \"#12\", expected red, green"),
        ] {
            let found = read(id, text).unwrap_err().to_string();
            assert!(found.starts_with(said), "{found}");
        }
        let unknown = MatteSettings::param("feather_inner").unwrap_err().to_string();
        assert_eq!(
            unknown,
            "preset: there is no parameter `feather_inner`; the nearest name is `feather_inner_px`"
        );
    }
}
