//! `rotomask info`: what there is on this machine. A part that is missing is said to be, in its place.

use std::io::Write;

use serde_json::{Map, Value, json};

use crate::{
    Result,
    args::InfoArgs,
    library::{Library, Model},
};

/// Prints what the library finds, and the model.
///
/// # Errors
/// If there is no library: without it there is nothing to tell.
pub fn run(args: InfoArgs) -> Result<()> {
    let engine = &args.engine;
    let library = Library::open(engine.library.as_deref())?;
    let machine = part(library.info(engine.onnxruntime.as_deref()));
    let model =
        Model::open(&library, engine.model.as_deref(), engine.options()).and_then(|model| model.describe());
    let all = json!({
        "rotomask": env!("CARGO_PKG_VERSION"),
        "library": { "path": library.path().display().to_string(), "version": library.version() },
        "abi": library.abi_version(),
        "machine": machine,
        "model": part(model),
    });
    let text = if args.json { format!("{all:#}\n") } else { rows(&all) };
    // A reader who has seen enough and closed the pipe is no failure.
    let _ = std::io::stdout().write_all(text.as_bytes());
    Ok(())
}

/// The library's JSON, or why there is none.
fn part(answer: Result<String>) -> Value {
    match answer {
        Ok(text) => serde_json::from_str(&text).unwrap_or(Value::String(text)),
        Err(error) => json!({ "error": error.to_string() }),
    }
}

/// A row for each value, named by where it lies.
fn rows(all: &Value) -> String {
    let mut rows = Vec::new();
    collect(all, String::new(), &mut rows);
    let width = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    rows.iter().map(|(name, value)| format!("{name:width$}  {value}\n")).collect()
}

fn collect(value: &Value, name: String, rows: &mut Vec<(String, String)>) {
    let under = |part: &str| if name.is_empty() { part.to_owned() } else { format!("{name}.{part}") };
    match value {
        Value::Object(map) => object(map, &under, rows),
        Value::Array(items) if items.iter().any(Value::is_object) => {
            for (index, item) in items.iter().enumerate() {
                collect(item, under(&index.to_string()), rows);
            }
        }
        Value::Array(items) if items.is_empty() => rows.push((name, "none".into())),
        Value::Array(items) => {
            rows.push((name, items.iter().map(plain).collect::<Vec<_>>().join(", ")));
        }
        value => rows.push((name, plain(value))),
    }
}

fn object(map: &Map<String, Value>, under: &dyn Fn(&str) -> String, rows: &mut Vec<(String, String)>) {
    for (part, value) in map {
        collect(value, under(part), rows);
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "none".into(),
        value => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_gets_a_row_under_its_name() {
        let all = json!({
            "abi": 0,
            "machine": { "providers": ["CPU", "CUDA"], "adapters": [{ "name": "llvmpipe" }], "none": [] },
            "model": { "error": "ONNX Runtime: not found" },
        });
        let said = rows(&all);
        let lines: Vec<Vec<&str>> =
            said.lines().map(|line| line.splitn(2, "  ").map(str::trim).collect()).collect();
        assert!(lines.contains(&vec!["machine.providers", "CPU, CUDA"]), "{said}");
        assert!(lines.contains(&vec!["machine.adapters.0.name", "llvmpipe"]), "{said}");
        assert!(lines.contains(&vec!["machine.none", "none"]), "{said}");
        assert!(lines.contains(&vec!["model.error", "ONNX Runtime: not found"]), "{said}");
    }
}
