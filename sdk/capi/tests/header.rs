//! The header is what the code says, and compiles on its own.

#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]
#![allow(dead_code, reason = "the tests share more than each needs")]

mod common;

use std::fs;

/// Writes the header anew instead of comparing it: `cargo xtask header`.
const BLESS: &str = "ROTOMASK_BLESS";

fn generated() -> String {
    let folder = env!("CARGO_MANIFEST_DIR");
    let config = cbindgen::Config::from_file(format!("{folder}/cbindgen.toml")).unwrap();
    let mut text = Vec::new();
    // In the order of `lib.rs`, so that the header reads as the library does.
    let order = [
        "status",
        "types",
        "guard",
        "log",
        "info",
        "model",
        "session",
        "edit",
        "track",
        "image",
        "automatic",
        "automatic_objects",
        "session_file",
        "matte_settings",
        "matte_job",
        "matte",
        "kernel",
        "spline",
    ];
    let builder = order.iter().fold(cbindgen::Builder::new().with_config(config), |builder, file| {
        builder.with_src(format!("{folder}/src/{file}.rs"))
    });
    builder.generate().unwrap().write(&mut text);
    String::from_utf8(text).unwrap()
}

#[test]
fn the_committed_header_is_the_one_that_the_code_gives() {
    let path = common::root().join("include/rotomask.h");
    let fresh = generated();
    if std::env::var_os(BLESS).is_some() {
        fs::write(&path, &fresh).unwrap();
    }
    let found = fs::read_to_string(&path).unwrap();
    assert!(found == fresh, "{} is not what the code says: run `cargo xtask header`", path.display());
}

#[test]
fn every_export_of_the_code_is_in_the_header() {
    let header = generated();
    for entry in fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/src")).unwrap() {
        let source = fs::read_to_string(entry.unwrap().path()).unwrap();
        for name in source.split("extern \"C\" fn ").skip(1).map(|rest| rest.split('(').next().unwrap()) {
            if name.starts_with("rotomask_") {
                assert!(header.contains(&format!("{name}(")), "{name} is not in the header");
            }
        }
    }
}

#[test]
fn the_header_compiles_alone_as_c_and_as_cpp() {
    let folder = tempfile::tempdir().unwrap();
    for (compiler, file, standards) in [
        ("cc", "alone.c", ["c99", "c11"].as_slice()),
        ("c++", "alone.cpp", ["c++17", "c++20"].as_slice()),
        ("clang", "alone.c", ["c99", "c17"].as_slice()),
    ] {
        let source = folder.path().join(file);
        fs::write(&source, "#include <rotomask.h>\n").unwrap();
        standards
            .iter()
            .for_each(|standard| common::compile(compiler, standard, &source, &["-fsyntax-only"]));
    }
}
