//! Settings that change over a shot, as JSON that the command line, the plugins and the C interface share.
//!
//! An object of parameters by id. A value is what the parameter takes, or an object of values by frame:
//!
//! ```json
//! { "rotomask_preset": 1, "view": "matte", "grow_px": { "0": 0, "48": 2.5 } }
//! ```

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::params::{Kind, Param, Value};
use super::settings::{MatteSettings, PARAMS};
use crate::error::{Error, Result};

/// The key that says which version of presets a file is of.
const VERSION_KEY: &str = "rotomask_preset";
const VERSION: u64 = 1;

/// Settings with keyframes. What isn't said has its default.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Preset {
    tracks: BTreeMap<&'static str, BTreeMap<u64, Value>>,
}

impl Preset {
    /// Reads a preset.
    ///
    /// # Errors
    /// [`Error::Preset`] if it is no JSON object or of a later version, or names a parameter that there is not;
    /// [`Error::Setting`] if a value doesn't fit its parameter.
    pub fn parse(text: &str) -> Result<Self> {
        let json: Json =
            serde_json::from_str(text).map_err(|e| Error::Preset(format!("it is no JSON: {e}")))?;
        let Json::Object(entries) = json else {
            return Err(Error::Preset("found JSON that is no object, expected parameters by id".into()));
        };
        let mut preset = Self::default();
        for (id, json) in &entries {
            if id == VERSION_KEY {
                if json.as_u64() != Some(VERSION) {
                    return Err(Error::Preset(format!("its version is {json}, expected {VERSION}")));
                }
                continue;
            }
            let param = MatteSettings::param(id)?;
            match json {
                Json::Object(keys) if keys.is_empty() => {
                    return Err(Error::Preset(format!("`{id}` has no keyframe, expected at least one")));
                }
                Json::Object(keys) => {
                    for (frame, json) in keys {
                        let frame = frame.parse().map_err(|_| {
                            Error::Preset(format!(
                                "`{id}` has the keyframe {frame:?}, expected a frame's number"
                            ))
                        })?;
                        preset.key(param, frame, value(param, json)?);
                    }
                }
                json => preset.key(param, 0, value(param, json)?),
            }
        }
        Ok(preset)
    }

    /// Sets a parameter for the whole shot, from its text.
    ///
    /// # Errors
    /// As [`MatteSettings::param`] and [`Param::parse`].
    pub fn set(&mut self, id: &str, text: &str) -> Result<()> {
        let param = MatteSettings::param(id)?;
        let value = param.parse(text)?;
        self.tracks.insert(param.id, BTreeMap::from([(0, value)]));
        Ok(())
    }

    /// Sets a parameter's keyframe on one frame, from its text.
    ///
    /// # Errors
    /// As [`MatteSettings::param`] and [`Param::parse`].
    pub fn set_at(&mut self, frame: u64, id: &str, text: &str) -> Result<()> {
        let param = MatteSettings::param(id)?;
        self.key(param, frame, param.parse(text)?);
        Ok(())
    }

    fn key(&mut self, param: &'static Param, frame: u64, value: Value) {
        self.tracks.entry(param.id).or_default().insert(frame, value);
    }

    /// The settings of one frame. Numbers and colours move evenly between keyframes, everything else holds; before the
    /// first keyframe and after the last, those count.
    pub fn at(&self, frame: u64) -> MatteSettings {
        let mut settings = MatteSettings::default();
        for (id, keys) in &self.tracks {
            let before = keys.range(..=frame).next_back();
            let after = keys.range(frame..).next();
            let value = match (before, after) {
                (Some((from, a)), Some((to, b))) if from < to => {
                    between(a, b, (frame - from) as f64 / (to - from) as f64)
                }
                (Some((_, value)), _) | (None, Some((_, value))) => value.clone(),
                (None, None) => continue,
            };
            settings.set(id, &value).expect("keys were checked, and what lies between them is in the range");
        }
        settings
    }

    /// Whether some frame's settings fulfil a condition: those of the keyframes are looked at.
    pub fn any(&self, of: impl Fn(&MatteSettings) -> bool) -> bool {
        let frames = self.tracks.values().flat_map(|keys| keys.keys());
        of(&self.at(0)) || frames.into_iter().any(|frame| of(&self.at(*frame)))
    }

    /// The preset as JSON, parameters in the table's order.
    pub fn to_json(&self) -> String {
        let mut all = serde_json::Map::from_iter([(VERSION_KEY.to_owned(), VERSION.into())]);
        for param in PARAMS {
            let Some(keys) = self.tracks.get(param.id) else { continue };
            let json = |value: &Value| serde_json::to_value(value).unwrap_or_default();
            let track = match keys.first_key_value() {
                Some((_, value)) if keys.len() == 1 => json(value),
                _ => keys.iter().map(|(frame, value)| (frame.to_string(), json(value))).collect(),
            };
            all.insert(param.id.to_owned(), track);
        }
        format!("{:#}\n", Json::Object(all))
    }
}

fn between(a: &Value, b: &Value, t: f64) -> Value {
    let mix = |a: f32, b: f32| (f64::from(a) + (f64::from(b) - f64::from(a)) * t) as f32;
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => Value::Number(mix(*a, *b)),
        (Value::Colour(a), Value::Colour(b)) => Value::Colour(std::array::from_fn(|i| mix(a[i], b[i]))),
        _ => a.clone(),
    }
}

fn value(param: &'static Param, json: &Json) -> Result<Value> {
    let numbers =
        |list: &[Json]| list.iter().map(|v| v.as_f64().map(|v| v as f32)).collect::<Option<Vec<_>>>();
    let value = match (&param.kind, json) {
        (Kind::Number { .. }, Json::Number(v)) => v.as_f64().map(|v| Value::Number(v as f32)),
        (Kind::Switch, Json::Bool(v)) => Some(Value::Switch(*v)),
        (Kind::Colour { .. }, Json::Array(list)) => match numbers(list).as_deref() {
            Some([r, g, b]) => Some(Value::Colour([*r, *g, *b, 1.0])),
            Some([r, g, b, a]) => Some(Value::Colour([*r, *g, *b, *a])),
            _ => None,
        },
        (Kind::Colour { .. } | Kind::Choice { .. }, Json::String(text)) => return param.parse(text),
        _ => None,
    };
    let value = value.ok_or_else(|| param.wrong(json.to_string()))?;
    param.check(&value)?;
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matte::View;

    #[test]
    fn a_number_moves_evenly_between_keyframes_and_a_choice_holds() {
        let preset = Preset::parse(
            r#"{"rotomask_preset": 1, "grow_px": {"10": -1, "20": 3}, "view": {"0": "matte", "15": "edge"},
                "overlay_colour": [1, 0, 0]}"#,
        )
        .unwrap();
        let grow = |frame| preset.at(frame).grow_px;
        assert_eq!([grow(0), grow(10), grow(15), grow(20), grow(900)], [-1.0, -1.0, 1.0, 3.0, 3.0]);
        assert_eq!([preset.at(14).view, preset.at(15).view], [View::Matte, View::Edge]);
        assert_eq!(preset.at(3).overlay_colour, [1.0, 0.0, 0.0, 1.0]);
        assert_eq!(preset.at(3).feather_inner_px, MatteSettings::default().feather_inner_px);
    }

    #[test]
    fn a_preset_is_written_as_it_is_read() {
        let text =
            r#"{"rotomask_preset": 1, "invert": true, "grow_px": {"1": 2.5, "7": 0.25}, "view": "matte"}"#;
        let preset = Preset::parse(text).unwrap();
        assert_eq!(Preset::parse(&preset.to_json()).unwrap(), preset);
        assert!(preset.any(|settings| settings.invert) && !preset.any(|settings| settings.grow_px > 3.0));
    }

    #[test]
    fn a_keyframe_is_set_from_text_and_every_value_is_read_from_its_own() {
        let mut preset = Preset::default();
        preset.set_at(10, "grow_px", "1").unwrap();
        preset.set_at(20, "grow_px", "3").unwrap();
        preset.set("overlay_colour", "#10203040").unwrap();
        assert_eq!((preset.at(15).grow_px, preset.at(25).grow_px), (2.0, 3.0));
        assert!(preset.set_at(30, "grow_px", "65").is_err() && preset.at(30).grow_px == 3.0);
        let settings = preset.at(13);
        for param in PARAMS {
            let value = settings.get(param.id).unwrap();
            assert_eq!(param.parse(&value.to_string()).unwrap(), value, "{}", param.id);
        }
    }

    #[test]
    fn what_a_preset_can_not_say_is_named() {
        for (text, said) in [
            ("{", "preset: it is no JSON: EOF"),
            ("[]", "preset: found JSON that is no object, expected parameters by id"),
            (r#"{"rotomask_preset": 2}"#, "preset: its version is 2, expected 1"),
            (
                r#"{"growth_px": 1}"#,
                "preset: there is no parameter `growth_px`; the nearest name is `grow_px`",
            ),
            (r#"{"grow_px": 1e9}"#, "grow_px: found 1000000000, expected -64 to 64 px"),
            (r#"{"grow_px": "1"}"#, "grow_px: found \"1\", expected -64 to 64 px"),
            (r#"{"grow_px": {}}"#, "preset: `grow_px` has no keyframe, expected at least one"),
            (
                r#"{"grow_px": {"x": 1}}"#,
                "preset: `grow_px` has the keyframe \"x\", expected a frame's number",
            ),
            (r#"{"grow_px": {"1": 70}}"#, "grow_px: found 70, expected -64 to 64 px"),
            (r#"{"view": "mate"}"#, "view: found \"mate\", expected one of composite,"),
            (r#"{"overlay_colour": [1, 0]}"#, "overlay_colour: found [1,0], expected red, green"),
        ] {
            let found = Preset::parse(text).unwrap_err().to_string();
            assert!(found.starts_with(said), "{found}");
        }
    }
}
