//! `rotomask parameters`: the matte chain's table of parameters, as the library tells it.

use std::{fmt::Write, path::PathBuf};

use clap::Args;
use serde::Deserialize;
use serde_json::Value;

use crate::{Error, Result, library::Library};

/// The arguments of `rotomask parameters`.
#[derive(Debug, Args)]
pub struct ParametersArgs {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// librotomask; otherwise ROTOMASK_LIBRARY, otherwise the one beside this program
    #[arg(long, value_name = "PATH")]
    pub library: Option<PathBuf>,
}

/// A row of the table.
#[derive(Deserialize)]
struct Parameter {
    id: String,
    label: String,
    group: String,
    help: String,
    default: Value,
    unit: Option<String>,
    least: Option<f64>,
    most: Option<f64>,
    choices: Option<Vec<String>>,
}

/// Prints the table.
///
/// # Errors
/// If the library can't be opened.
pub fn run(args: &ParametersArgs) -> Result<()> {
    let json = Library::open(args.library.as_deref())?.matte_parameters()?;
    if args.json {
        println!("{json}");
        return Ok(());
    }
    let table: Vec<Parameter> = serde_json::from_str(&json)
        .map_err(|_| Error::Bug("librotomask told its parameters in no known way"))?;
    print!("{}", printed(&table));
    Ok(())
}

/// For people: by group, each parameter with what it takes and what it does.
fn printed(table: &[Parameter]) -> String {
    let mut text = String::new();
    let mut group = "";
    for parameter in table {
        if group != parameter.group {
            group = &parameter.group;
            // Writing to a string can't fail.
            let _ = writeln!(text, "{}{group}", if text.is_empty() { "" } else { "\n" });
        }
        let Parameter { id, label, help, .. } = parameter;
        let _ = writeln!(text, "  {id:22} {:34} {label}: {help}", parameter.takes());
    }
    text
}

impl Parameter {
    /// Its range or choices, and its default.
    fn takes(&self) -> String {
        let default = match &self.default {
            Value::Bool(on) => if *on { "on" } else { "off" }.to_owned(),
            Value::String(id) => id.clone(),
            Value::Array(numbers) => {
                let numbers = numbers.iter().filter_map(Value::as_f64).map(short);
                numbers.collect::<Vec<_>>().join(",")
            }
            other => other.as_f64().map(short).unwrap_or_default(),
        };
        let takes = match (self.least.zip(self.most), &self.choices) {
            (Some((least, most)), _) => {
                let unit = self.unit.as_deref().unwrap_or_default();
                format!("{} to {} {unit}", short(least), short(most)).trim_end().to_owned()
            }
            (None, Some(choices)) => choices.join("|"),
            (None, None) if self.default.is_boolean() => "on|off".into(),
            (None, None) => "colour".into(),
        };
        format!("{takes} [{default}]")
    }
}

/// A number as people write it: floats of the library carry digits that say nothing.
fn short(number: f64) -> String {
    ((number * 1e4).round() / 1e4).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_is_told_with_what_it_takes_and_its_default() {
        let table: Vec<Parameter> = serde_json::from_str(
            r#"[{"id": "a", "label": "A", "group": "edge", "help": "Does.", "default": 0.10000000149, "kind": "number",
                 "unit": "px", "least": -64.0, "most": 64.0},
                {"id": "b", "label": "B", "group": "edge", "help": "Is.", "default": false, "kind": "switch"},
                {"id": "c", "label": "C", "group": "view", "help": "Has.", "default": "x", "kind": "choice",
                 "choices": ["x", "y"]},
                {"id": "d", "label": "D", "group": "view", "help": "Shows.", "default": [1.0, 0.5, 0, 1], "kind": "colour"}]"#,
        )
        .unwrap();
        let takes: Vec<String> = table.iter().map(Parameter::takes).collect();
        assert_eq!(takes, ["-64 to 64 px [0.1]", "on|off [off]", "x|y [x]", "colour [1,0.5,0,1]"]);
        let text = printed(&table);
        assert!(text.starts_with("edge\n  a  ") && text.contains("\n\nview\n  c  "), "{text}");
    }
}
