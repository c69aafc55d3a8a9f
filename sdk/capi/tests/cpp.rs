//! rotomask.hpp: it compiles alone, reaches all of the C headers, and keeps what it promises beyond them.

#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]
#![allow(dead_code, reason = "the tests share more than each needs")]

mod common;

use std::{fs, path::PathBuf, process::Command};

fn read(name: &str) -> String {
    fs::read_to_string(common::root().join("include").join(name)).unwrap()
}

/// The parts that rotomask.hpp is made of, by name.
fn parts() -> Vec<String> {
    let folder = common::root().join("include/rotomask");
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.collect();
    names.sort();
    names
}

/// The code of parts, without comments.
fn code(of: impl Fn(&str) -> bool) -> String {
    let text: Vec<_> =
        parts().iter().filter(|name| of(name)).map(|name| read(&format!("rotomask/{name}"))).collect();
    let lines = text.iter().flat_map(|text| text.lines());
    lines.map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

const WAYS: [&[&str]; 5] = [
    &[],
    &["-DROTOMASK_HPP_DRAFT=1"],
    &["-DROTOMASK_HPP_EXPECTED=1"],
    &["-DROTOMASK_HPP_EXPECTED=1", "-DROTOMASK_HPP_DRAFT=1"],
    &["-DROTOMASK_HPP_EXPECTED=1", "-fno-exceptions", "-fno-rtti"],
];

#[test]
fn the_header_compiles_alone_in_each_of_its_ways() {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("alone.cpp");
    fs::write(&source, "#include <rotomask.hpp>\n").unwrap();
    for compiler in ["g++", "clang++"] {
        for standard in ["c++17", "c++20"] {
            for way in WAYS {
                common::compile(compiler, standard, &source, &[way, &["-fsyntax-only"]].concat());
            }
        }
    }
}

#[test]
fn each_part_includes_what_it_needs() {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("part.cpp");
    for part in parts() {
        fs::write(&source, format!("#include <rotomask/{part}>\n")).unwrap();
        common::compile("g++", "c++17", &source, &["-fsyntax-only"]);
        let whole = read("rotomask.hpp");
        assert!(whole.contains(&format!("rotomask/{part}")) || part == "callback.hpp", "{part} is left out");
    }
}

#[test]
fn every_function_of_the_c_headers_is_reached() {
    let called = |code: &str, name: &str| {
        ["(", ">"].iter().any(|end| {
            let call = format!("{name}{end}");
            code.match_indices(&call).any(|(at, _)| !code[..at].ends_with(|c: char| c.is_alphanumeric()))
        })
    };
    for (header, of_draft, least) in [("rotomask.h", false, 90), ("rotomask_draft.h", true, 2)] {
        let code = code(|name| (name == "draft.hpp") == of_draft);
        let names = common::declared(&read(header));
        assert!(names.len() >= least, "{header}: {} functions", names.len());
        for name in names {
            assert!(called(&code, &name), "{name} of {header} is called nowhere in rotomask.hpp");
        }
    }
}

#[test]
fn every_constant_and_every_field_that_a_host_sets_is_reached() {
    // What only preprocessors look at, and a count that no C++ needs.
    let left_out = ["ROTOMASK_H", "ROTOMASK_DRAFT_H", "ROTOMASK_STAGE_COUNT"];
    let (all, headers) = (code(|_| true), [read("rotomask.h"), read("rotomask_draft.h")].concat());
    let has = |word: &str| {
        all.match_indices(word).any(|(at, _)| {
            let rest = &all[at + word.len()..];
            !rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
        })
    };
    for line in headers.lines() {
        let Some(name) = line.strip_prefix("#define ").and_then(|rest| rest.split(' ').next()) else {
            continue;
        };
        let looked_at = !left_out.contains(&name) && !name.starts_with("ROTOMASK_VERSION_");
        assert!(!looked_at || has(name), "{name} has no counterpart");
    }
    let given = ["_options", "_request", "_prompts", "_neighbour", "_layer", "_window", "_job"];
    let mut fields = 0;
    for (at, _) in headers.match_indices("typedef struct rotomask_") {
        let head = headers[at..].lines().next().unwrap();
        let Some(name) = head.strip_suffix(" {") else { continue };
        if !given.iter().any(|end| name.ends_with(end)) {
            continue;
        }
        let body = headers[at..].split_once("{\n").unwrap().1.split_once("\n}").unwrap().0;
        for line in body.lines().map(str::trim).filter(|line| line.ends_with(';')) {
            let field = line.trim_end_matches(';').rsplit([' ', '*']).next().unwrap();
            let field = field.split('[').next().unwrap();
            let looked_at = !["struct_size", "reserved"].contains(&field);
            let set = ["c.", "c_.", "window_."].iter().any(|from| has(&format!("{from}{field}")));
            assert!(!looked_at || set, "{field} of {name} can't be set");
            fields += 1;
        }
    }
    assert!(fields > 60, "{fields} fields");
}

/// Builds a program of `tests/cpp` and runs it in a folder of its own.
fn run(compiler: &str, standard: &str, program: &str, more: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let source = common::root().join("sdk/capi/tests/cpp").join(program);
    let built: PathBuf = folder.path().join("program");
    common::build(compiler, standard, &source, &built, more);
    let output = Command::new(&built).arg(folder.path()).output().unwrap();
    let said = common::said(&output);
    assert!(output.status.success() && said.contains("all of it"), "{compiler} {program}: {said}");
}

#[test]
fn errors_moves_views_callbacks_files_options_and_cancelling_are_as_told() {
    run("g++", "c++17", "throwing.cpp", &["-pthread"]);
    run("clang++", "c++20", "throwing.cpp", &["-pthread"]);
}

#[test]
fn nothing_throws_where_errors_are_values() {
    run("g++", "c++17", "expecting.cpp", &["-fno-exceptions"]);
    run("clang++", "c++20", "expecting.cpp", &["-fno-exceptions"]);
}
