//! `docs/matte.md` lists the parameters and views that there are.

#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

use std::fmt::Write;
use std::fs;
use std::path::Path;

use rotomask::matte::params::{Kind, Param, Value};
use rotomask::matte::{PARAMS, View};

/// Writes the table anew instead of comparing it: `ROTOMASK_BLESS=1 cargo test --release --test matte_docs`.
const BLESS: &str = "ROTOMASK_BLESS";
const BEGIN: &str = "<!-- parameters: written by sdk/tests/matte_docs.rs -->\n";
const END: &str = "<!-- end of parameters -->\n";

fn range(param: &Param) -> String {
    match &param.kind {
        Kind::Number { unit, range, .. } => {
            format!("{} to {} {unit}", range.start(), range.end()).trim_end().to_owned()
        }
        Kind::Switch => "on, off".into(),
        Kind::Colour { .. } => "a colour".into(),
        Kind::Choice { choices } => choices.iter().map(|id| format!("`{id}`")).collect::<Vec<_>>().join(", "),
    }
}

fn default(param: &Param) -> String {
    match param.default() {
        Value::Colour(colour) => colour.map(|v| v.to_string()).join(", "),
        Value::Choice(id) => format!("`{id}`"),
        other => other.to_string(),
    }
}

fn table() -> String {
    let mut text = String::new();
    let mut group = None;
    for param in PARAMS {
        if group != Some(param.group) {
            group = Some(param.group);
            write!(
                text,
                "\n### {:?}\n\n| | id | takes | starts at | |\n|---|---|---|---|---|\n",
                param.group
            )
            .unwrap();
        }
        let (label, id, help) = (param.label, param.id, param.help);
        writeln!(text, "| {label} | `{id}` | {} | {} | {help} |", range(param), default(param)).unwrap();
    }
    text + "\n"
}

fn page() -> (std::path::PathBuf, String) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/matte.md");
    let text = fs::read_to_string(&path).unwrap();
    (path, text)
}

#[test]
fn the_page_has_the_table_of_parameters_that_the_code_has() {
    let (path, page) = page();
    let (before, rest) = page.split_once(BEGIN).unwrap();
    let (found, after) = rest.split_once(END).unwrap();
    let fresh = table();
    if std::env::var_os(BLESS).is_some() {
        fs::write(&path, [before, BEGIN, &fresh, END, after].concat()).unwrap();
        return;
    }
    assert!(found == fresh, "docs/matte.md is not what the code says: {BLESS}=1 writes it anew");
}

#[test]
fn the_page_shows_every_view_with_its_picture() {
    let (path, page) = page();
    for view in View::IDS {
        let picture = format!("pictures/matte-{view}.jpg");
        assert!(
            page.contains(&format!("`{view}`")) && page.contains(&picture),
            "{view} is not in docs/matte.md"
        );
        assert!(path.parent().unwrap().join(&picture).is_file(), "{picture}");
    }
}
