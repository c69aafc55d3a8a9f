//! ABI 1 as it was promised, against the library of today. `abi1/` has the first header, a host that was written for it, and
//! what its structs and symbols were.

#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]
#![allow(dead_code, reason = "the tests share more than each needs")]

mod common;

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// Adds what is new to the snapshots; it never changes what stands in them.
const BLESS: &str = "ROTOMASK_BLESS";

fn promised(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/abi1").join(name)
}

fn header() -> String {
    fs::read_to_string(common::root().join("include/rotomask.h")).unwrap()
}

/// The structs of a header, each with its fields.
fn structs(header: &str) -> Vec<(String, Vec<String>)> {
    let mut found: Vec<(String, Vec<String>)> = Vec::new();
    let mut inside = false;
    for line in header.lines() {
        if let Some(name) = line.strip_prefix("typedef struct ").and_then(|rest| rest.strip_suffix(" {")) {
            found.push((name.to_owned(), Vec::new()));
            inside = true;
        } else if line.starts_with('}') {
            inside = false;
        } else if inside && !line.trim_start().starts_with("///") {
            let field = line.trim().trim_end_matches(';').split('[').next().unwrap();
            let name = field.rsplit([' ', '*']).next().unwrap().to_owned();
            found.last_mut().unwrap().1.push(name);
        }
    }
    found
}

/// A line a field: where it lies and how long it is, as a C compiler sees them.
fn layout() -> Vec<String> {
    let structs = structs(&header());
    assert!(structs.len() > 20, "{} structs", structs.len());
    let mut program = String::from("#include <rotomask.h>\n#include <stdio.h>\nint main(void) {\n");
    for (name, fields) in &structs {
        for field in fields {
            writeln!(
                program,
                "  printf(\"{name}.{field} %u %u\\n\", (unsigned)offsetof({name}, {field}), \
                 (unsigned)sizeof((({name} *)0)->{field}));"
            )
            .unwrap();
        }
    }
    program += "  return 0;\n}\n";
    let folder = tempfile::tempdir().unwrap();
    let (source, built) = (folder.path().join("layout.c"), folder.path().join("layout"));
    fs::write(&source, program).unwrap();
    common::compile("cc", "c99", &source, &["-o", built.to_str().unwrap()]);
    let output = Command::new(built).output().unwrap();
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

/// Compares with a snapshot that may grow: every line of it still has to be true.
fn still_holds(snapshot: &str, found: &[String]) {
    let path = promised(snapshot);
    let before = fs::read_to_string(&path).unwrap_or_default();
    for line in before.lines() {
        assert!(
            found.iter().any(|found| found == line),
            "{snapshot}: `{line}` was promised, and is no longer so"
        );
    }
    if std::env::var_os(BLESS).is_some() {
        fs::write(&path, found.join("\n") + "\n").unwrap();
        return;
    }
    let new = found.iter().filter(|line| !before.lines().any(|known| known == line.as_str()));
    let new: Vec<_> = new.collect();
    assert!(new.is_empty(), "{snapshot} lacks {new:?}: run `cargo xtask header`");
}

#[test]
#[cfg(target_pointer_width = "64")]
fn every_field_lies_where_it_was_promised_to() {
    still_holds("layout.txt", &layout());
}

/// The functions of a header as prototypes, without comments, each on one line.
fn prototypes(header: &str) -> Vec<String> {
    let code: Vec<_> = header.lines().filter(|line| !line.trim_start().starts_with("///")).collect();
    let code = code.join(" ");
    let after = code.split("extern \"C\" {").last().unwrap();
    let parts = after.split(';').map(|part| part.split_whitespace().collect::<Vec<_>>().join(" "));
    parts
        .filter(|part| part.contains("rotomask_") && part.ends_with(')') && !part.contains("typedef"))
        .map(|part| part.split_once("__cplusplus ").map_or(part.clone(), |(_, rest)| rest.to_owned()))
        .collect()
}

#[test]
fn every_function_is_declared_as_it_was_promised() {
    let found = prototypes(&header());
    assert!(found.len() > 90, "{} functions", found.len());
    still_holds("functions.txt", &found);
}

/// Every constant with its number.
#[test]
fn every_number_means_what_it_meant() {
    let header = header();
    let found: Vec<_> = header
        .lines()
        .filter(|line| {
            line.starts_with("#define ROTOMASK_")
                && !line.contains("_VERSION_")
                && line.split(' ').count() == 3
        })
        .map(str::to_owned)
        .collect();
    assert!(found.len() > 60, "{} constants", found.len());
    still_holds("numbers.txt", &found);
}

#[test]
fn a_host_that_was_built_with_the_first_header_runs_with_this_library() {
    let folder = tempfile::tempdir().unwrap();
    let (program, library) = (folder.path().join("host"), common::library());
    let output = Command::new("cc")
        // Not the project's include folder: the header is the one beside the host.
        .args(["-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-o"])
        .args([&program, &promised("host.c"), &library])
        .arg(format!("-Wl,-rpath,{}", library.parent().unwrap().display()))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", common::said(&output));
    let ran = Command::new(&program).output().unwrap();
    assert!(ran.status.success(), "{}", common::said(&ran));
    assert!(common::said(&ran).starts_with("score "), "{}", common::said(&ran));
}

/// A library of empty functions with a header's types, for tools that compare interfaces by debug information.
fn skeleton(folder: &Path, name: &str, header: &Path) -> PathBuf {
    let text = fs::read_to_string(header).unwrap();
    let mut source = format!("#include \"{}\"\n#include <stdlib.h>\n", header.display());
    for prototype in prototypes(&text) {
        writeln!(source, "{prototype} {{ abort(); }}").unwrap();
    }
    let (file, library) = (folder.join(format!("{name}.c")), folder.join(format!("lib{name}.so")));
    fs::write(&file, source).unwrap();
    let output = Command::new("cc")
        .args(["-g", "-shared", "-fPIC", "-w", "-Wl,-soname,librotomask.so.1", "-o"])
        .args([&library, &file])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", common::said(&output));
    library
}

#[test]
#[cfg(target_os = "linux")]
fn abidiff_finds_today_compatible_with_the_first_day() {
    let folder = tempfile::tempdir().unwrap();
    let first = skeleton(folder.path(), "first", &promised("rotomask.h"));
    let today = skeleton(folder.path(), "today", &common::root().join("include/rotomask.h"));
    let compared = Command::new("abidiff").args([&first, &today]).output();
    let Ok(output) = compared else {
        eprintln!("skipped: there is no abidiff (Debian's abigail-tools)");
        return;
    };
    // Bit 3 of its status says that programs would break.
    let status = output.status.code().unwrap();
    assert_eq!(status & 8, 0, "{}", common::said(&output));
    assert_eq!(status & 3, 0, "abidiff did not work: {}", common::said(&output));
    // It can find something: a header with a parameter less is one that breaks programs.
    let text = fs::read_to_string(promised("rotomask.h")).unwrap();
    let broken = folder.path().join("rotomask.h");
    fs::write(&broken, text.replacen("float x,", "double x,", 1)).unwrap();
    let broken = skeleton(folder.path(), "broken", &broken);
    let output = Command::new("abidiff").args([&first, &broken]).output().unwrap();
    assert_ne!(output.status.code().unwrap() & 12, 0, "{}", common::said(&output));
}
