//! The matte chain's parameters as a host shows them: all of the engine's table, whatever is in it.

use rotomask::matte::params::{Group, Kind, Param, Value};
use rotomask::matte::{MatteSettings, PARAMS};

use crate::Result;

/// A group with its parameters, in the table's order.
#[derive(Clone, Debug)]
pub struct HostGroup {
    /// Never changes: `matte_edge` and the like.
    pub id: String,
    /// For an artist.
    pub label: String,
    /// What is in it.
    pub params: Vec<&'static Param>,
}

/// All parameters by group, groups in the order of their first parameter.
pub fn groups() -> Vec<HostGroup> {
    let mut groups: Vec<(Group, HostGroup)> = Vec::new();
    for param in PARAMS {
        match groups.iter_mut().find(|(group, _)| *group == param.group) {
            Some((_, known)) => known.params.push(param),
            None => {
                let name = name_of(param.group);
                let group =
                    HostGroup { id: format!("group_{name}"), label: words(&name), params: vec![param] };
                groups.push((param.group, group));
            }
        }
    }
    groups.into_iter().map(|(_, group)| group).collect()
}

/// The choices of a parameter that a host can carry out, by id: a camera's own curve can't be given through a plugin,
/// and a picture only where the host has a clip for it. New choices come at the end, so that saved numbers stay.
pub fn choices(param: &Param, has_picture: bool) -> Vec<&'static str> {
    let Kind::Choice { choices } = &param.kind else { return Vec::new() };
    let offered = |id: &&'static str| *id != "curve" && (has_picture || *id != "picture");
    choices.iter().copied().filter(offered).collect()
}

/// An id as words: `background_blur` is "Background blur".
pub fn words(id: &str) -> String {
    let mut letters = id.replace('_', " ");
    if let Some(first) = letters.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    letters
}

/// The help of a parameter with its unit and range, for a host's hint.
pub fn hint(param: &Param) -> String {
    match &param.kind {
        Kind::Number { unit, range, .. } => {
            let unit = if unit.is_empty() { String::new() } else { format!(" {unit}") };
            format!("{} {} to {}{unit}.", param.help, range.start(), range.end())
        }
        _ => param.help.to_owned(),
    }
}

/// Settings from values that a host keeps. A number outside its range, as an expression may give it, is brought to the
/// nearest end; one that is none is left at its default.
pub fn settings(values: impl IntoIterator<Item = (&'static str, Value)>) -> Result<MatteSettings> {
    let mut settings = MatteSettings::default();
    for (id, value) in values {
        let param = MatteSettings::param(id)?;
        let value = match (&param.kind, value) {
            (_, Value::Number(v)) if v.is_nan() => continue,
            (Kind::Number { range, .. }, Value::Number(v)) => {
                Value::Number(v.clamp(*range.start(), *range.end()))
            }
            (Kind::Colour { .. }, Value::Colour(v)) => {
                Value::Colour(v.map(|v| if v.is_nan() { 0.0 } else { v.clamp(0.0, 1.0) }))
            }
            (_, value) => value,
        };
        settings.set(id, &value)?;
    }
    Ok(settings)
}

/// Settings from a text of `id/value` separated by spaces, such as `grow_px/-2 invert/on`; or from a preset's file, if the
/// text is a path that ends in `.json`. `frame` is the one that keyframes of a preset are asked for.
///
/// # Errors
/// If the file can't be read, or something in it or in the text is not a parameter and its value.
pub fn parse(text: &str, frame: u64) -> Result<MatteSettings> {
    let text = text.trim();
    if text.ends_with(".json") {
        return Ok(preset(text)?.at(frame));
    }
    let mut settings = MatteSettings::default();
    for pair in text.split_whitespace() {
        let (id, value) = pair.split_once('/').ok_or_else(|| {
            crate::Error::host(format!("settings: found {pair:?}, expected id/value, such as grow_px/-2"))
        })?;
        settings.set(id, &MatteSettings::param(id)?.parse(value)?)?;
    }
    Ok(settings)
}

fn preset(path: &str) -> Result<rotomask::matte::Preset> {
    /// More than any preset with a keyframe on every frame of an hour.
    const MOST_BYTES: u64 = 64 << 20;
    let failed = |problem: String| crate::Error::host(format!("settings: {path}: {problem}"));
    let length = std::fs::metadata(path).map_err(|e| failed(e.to_string()))?.len();
    if length > MOST_BYTES {
        return Err(failed(format!("it has {length} bytes, expected at most {MOST_BYTES}")));
    }
    let text = std::fs::read_to_string(path).map_err(|e| failed(e.to_string()))?;
    Ok(rotomask::matte::Preset::parse(&text)?)
}

/// The group's own name, as the engine writes it.
fn name_of(group: Group) -> String {
    match serde_json::to_value(group) {
        Ok(serde_json::Value::String(name)) => name,
        _ => format!("{group:?}").to_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_parameter_of_the_engine_is_in_one_group() {
        let listed: Vec<_> = groups().into_iter().flat_map(|g| g.params).map(|p| p.id).collect();
        assert_eq!(listed.len(), PARAMS.len());
        assert!(PARAMS.iter().all(|param| listed.contains(&param.id)));
        assert_eq!(groups()[0].label, "View");
    }

    #[test]
    fn what_a_host_can_not_give_is_not_offered() {
        let of = |id, picture| choices(MatteSettings::param(id).unwrap(), picture);
        assert!(!of("transfer", true).contains(&"curve"));
        assert!(!of("background", false).contains(&"picture") && of("background", true).contains(&"picture"));
        assert_eq!(of("view", false)[0], "composite");
    }

    #[test]
    fn a_number_beyond_its_range_is_brought_to_its_end() {
        let settings = settings([
            ("grow_px", Value::Number(900.0)),
            ("smooth_px", Value::Number(f32::NAN)),
            ("overlay_colour", Value::Colour([2.0, f32::NAN, 0.5, -1.0])),
        ])
        .unwrap();
        assert_eq!((settings.grow_px, settings.smooth_px), (64.0, 0.0));
        assert_eq!(settings.overlay_colour, [1.0, 0.0, 0.5, 0.0]);
    }

    #[test]
    fn settings_are_read_from_a_text_without_signs_that_hosts_eat() {
        let settings = parse(" grow_px/-2.5 invert/on background_colour/#00ff00 ", 0).unwrap();
        assert_eq!((settings.grow_px, settings.invert), (-2.5, true));
        assert_eq!(settings.background_colour, [0.0, 1.0, 0.0, 1.0]);
        let said = |text| parse(text, 0).unwrap_err().to_string();
        assert_eq!(said("grow_px"), "settings: found \"grow_px\", expected id/value, such as grow_px/-2");
        assert!(said("grow/1").contains("there is no parameter `grow`"));
        assert!(said("/none.json").starts_with("settings: /none.json: "));
    }

    #[test]
    fn a_preset_file_has_keyframes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("look.json");
        std::fs::write(&path, r#"{"grow_px": {"0": 0, "10": 5}}"#).unwrap();
        assert_eq!(parse(path.to_str().unwrap(), 4).unwrap().grow_px, 2.0);
    }
}
