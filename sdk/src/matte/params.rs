//! What a parameter is, and what a host can ask of any of them: the table itself is [`MatteSettings`]'s.
//!
//! [`MatteSettings`]: super::MatteSettings

use std::ops::RangeInclusive;

use serde::Serialize;

use crate::error::{Error, Result};

/// One parameter of the matte chain.
#[derive(Clone, Debug, PartialEq)]
pub struct Param {
    /// Its name in settings, presets and messages. Never changes.
    pub id: &'static str,
    /// Its name for an artist.
    pub label: &'static str,
    /// Which of a host's groups it belongs to.
    pub group: Group,
    /// What it takes, and its default.
    pub kind: Kind,
    /// What it does, in a sentence or two.
    pub help: &'static str,
}

/// Parameters that a host shows together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Group {
    /// What is shown, and over what.
    View,
    /// Coverage before its edge is shaped.
    Matte,
    /// The edge.
    Edge,
    /// What the frames around say of the edge.
    Motion,
    /// The host's own mattes.
    Inputs,
    /// The subject's colour.
    Colour,
    /// How the host's numbers stand to light.
    Light,
}

/// What a parameter takes.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// A number.
    Number {
        /// What it counts: `px` of the full-resolution frame, `%`, `px²`, `°`, or nothing.
        unit: &'static str,
        /// Both ends belong to it.
        range: RangeInclusive<f32>,
        /// Where it starts.
        default: f32,
    },
    /// On or off; off is the default.
    Switch,
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

/// A parameter's value.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Value {
    /// Of a [`Kind::Number`].
    Number(f32),
    /// Of a [`Kind::Switch`].
    Switch(bool),
    /// Of a [`Kind::Colour`].
    Colour([f32; 4]),
    /// Of a [`Kind::Choice`], its id.
    Choice(&'static str),
}

/// As [`Param::parse`] reads it.
impl std::fmt::Display for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Number(v) => write!(f, "{v}"),
            Self::Switch(v) => f.write_str(if *v { "on" } else { "off" }),
            Self::Colour([r, g, b, a]) => write!(f, "{r},{g},{b},{a}"),
            Self::Choice(id) => f.write_str(id),
        }
    }
}

impl Param {
    /// What the parameter starts from.
    pub fn default(&self) -> Value {
        match &self.kind {
            Kind::Number { default, .. } => Value::Number(*default),
            Kind::Switch => Value::Switch(false),
            Kind::Colour { default } => Value::Colour(*default),
            Kind::Choice { choices } => Value::Choice(choices[0]),
        }
    }

    /// The value that a text stands for: a number, `on` or `off`, a choice's id, or a colour as `#rrggbb`, `#rrggbbaa`
    /// or four numbers with commas.
    ///
    /// # Errors
    /// [`Error::Setting`] if it is none, or not in the range.
    pub fn parse(&self, text: &str) -> Result<Value> {
        let text = text.trim();
        let value = match &self.kind {
            Kind::Number { .. } => text.parse().ok().map(Value::Number),
            Kind::Switch => match text {
                "on" | "true" | "1" => Some(Value::Switch(true)),
                "off" | "false" | "0" => Some(Value::Switch(false)),
                _ => None,
            },
            Kind::Colour { .. } => colour(text).map(Value::Colour),
            Kind::Choice { choices } => choices.iter().find(|id| **id == text).map(|id| Value::Choice(id)),
        };
        let value = value.ok_or_else(|| self.wrong(format!("{text:?}")))?;
        self.check(&value)?;
        Ok(value)
    }

    /// # Errors
    /// [`Error::Setting`] if the value is of another kind, NaN, or outside the range.
    pub fn check(&self, value: &Value) -> Result<()> {
        let good = match (&self.kind, value) {
            (Kind::Number { range, .. }, Value::Number(v)) => range.contains(v),
            (Kind::Colour { .. }, Value::Colour(v)) => v.iter().all(|v| (0.0..=1.0).contains(v)),
            (Kind::Switch, Value::Switch(_)) => true,
            (Kind::Choice { choices }, Value::Choice(id)) => choices.contains(id),
            _ => false,
        };
        if good {
            return Ok(());
        }
        Err(self.wrong(match value {
            Value::Number(v) => v.to_string(),
            Value::Switch(v) => v.to_string(),
            Value::Colour(v) => format!("{v:?}"),
            Value::Choice(id) => format!("{id:?}"),
        }))
    }

    pub(super) fn wrong(&self, found: String) -> Error {
        let want = match &self.kind {
            Kind::Number { unit, range, .. } => {
                let unit = if unit.is_empty() { String::new() } else { format!(" {unit}") };
                format!("{} to {}{unit}", range.start(), range.end())
            }
            Kind::Switch => "on or off".to_owned(),
            Kind::Colour { .. } => "red, green, blue and alpha from 0 to 1, or #rrggbb".to_owned(),
            Kind::Choice { choices } => format!("one of {}", choices.join(", ")),
        };
        Error::Setting { name: self.id, found, want }
    }

    /// The parameter as JSON, for hosts that make their controls of it.
    pub fn describe(&self) -> serde_json::Value {
        let mut all = serde_json::json!({
            "id": self.id, "label": self.label, "group": self.group, "help": self.help, "default": self.default(),
        });
        let (kind, more) = match &self.kind {
            Kind::Number { unit, range, .. } => {
                let ends = serde_json::json!({ "unit": unit, "least": range.start(), "most": range.end() });
                ("number", ends)
            }
            Kind::Switch => ("switch", serde_json::json!({})),
            Kind::Colour { .. } => ("colour", serde_json::json!({})),
            Kind::Choice { choices } => ("choice", serde_json::json!({ "choices": choices })),
        };
        all["kind"] = kind.into();
        if let serde_json::Value::Object(more) = more {
            more.into_iter().for_each(|(key, value)| all[key.as_str()] = value);
        }
        all
    }
}

fn colour(text: &str) -> Option<[f32; 4]> {
    if let Some(digits) = text.strip_prefix('#') {
        let code = u32::from_str_radix(digits, 16).ok()?;
        let code = match digits.len() {
            6 => code << 8 | 255,
            8 => code,
            _ => return None,
        };
        return Some(code.to_be_bytes().map(|v| f32::from(v) / 255.0));
    }
    let numbers: Vec<f32> = text.split(',').map(|v| v.trim().parse().ok()).collect::<Option<_>>()?;
    match numbers[..] {
        [r, g, b] => Some([r, g, b, 1.0]),
        [r, g, b, a] => Some([r, g, b, a]),
        _ => None,
    }
}

/// A field's type: how it is read from a value and given back.
pub(super) trait Setting: Sized {
    fn from_value(value: &Value) -> Option<Self>;
    fn value(&self) -> Value;
}

impl Setting for f32 {
    fn from_value(value: &Value) -> Option<Self> {
        if let Value::Number(v) = value { Some(*v) } else { None }
    }

    fn value(&self) -> Value {
        Value::Number(*self)
    }
}

impl Setting for bool {
    fn from_value(value: &Value) -> Option<Self> {
        if let Value::Switch(v) = value { Some(*v) } else { None }
    }

    fn value(&self) -> Value {
        Value::Switch(*self)
    }
}

impl Setting for [f32; 4] {
    fn from_value(value: &Value) -> Option<Self> {
        if let Value::Colour(v) = value { Some(*v) } else { None }
    }

    fn value(&self) -> Value {
        Value::Colour(*self)
    }
}

/// An enumeration whose variants have ids.
macro_rules! choices {
    ($(#[$doc:meta])* $name:ident { $($(#[$note:meta])* $variant:ident = $id:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$note])* $variant),+ }

        impl $name {
            /// The ids, in the order of the variants; the first is the default.
            pub const IDS: &'static [&'static str] = &[$($id),+];
            const ALL: &'static [Self] = &[$(Self::$variant),+];
        }

        impl Default for $name {
            fn default() -> Self {
                Self::ALL[0]
            }
        }

        impl crate::matte::params::Setting for $name {
            fn from_value(value: &crate::matte::params::Value) -> Option<Self> {
                let crate::matte::params::Value::Choice(id) = value else { return None };
                Self::ALL.iter().zip(Self::IDS).find(|(_, known)| *known == id).map(|(v, _)| *v)
            }

            fn value(&self) -> crate::matte::params::Value {
                crate::matte::params::Value::Choice(Self::IDS[*self as usize])
            }
        }
    };
}
pub(super) use choices;
