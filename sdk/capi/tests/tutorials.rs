//! The tutorials in C and C++: every block of code compiles, the programs run, and they are as short as they say.
//!
//! A block is marked by what follows its language: `program` stands alone, `function` stands outside of any function,
//! `expected` is C++ without exceptions, and nothing means lines in the middle of a function that has a model, a session,
//! a frame, a canvas and its sides.

#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

mod common;

use common::disc::{self, HEIGHT, WIDTH};
use std::{fs, path::Path, process::Command};

struct Block {
    /// `c program`, say.
    kind: String,
    code: String,
}

fn blocks(page: &str) -> Vec<Block> {
    let text = fs::read_to_string(common::root().join("docs/tutorials").join(page)).unwrap();
    let mut found = Vec::new();
    let mut open: Option<Block> = None;
    for line in text.lines() {
        match (line.strip_prefix("```"), &mut open) {
            (Some(kind), None) => open = Some(Block { kind: kind.to_owned(), code: String::new() }),
            (Some(_), Some(_)) => found.extend(open.take()),
            (None, Some(block)) => block.code += &format!("{line}\n"),
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "{page}: a block of code isn't closed");
    found
}

fn of<'a>(blocks: &'a [Block], kind: &str) -> Vec<&'a str> {
    blocks.iter().filter(|block| block.kind == kind).map(|block| &*block.code).collect()
}

/// Builds a page's program, runs it beside a picture of a disc in the middle, and looks at its mask.
fn assert_makes_a_mask(compiler: &str, standard: &str, suffix: &str, code: &str, folder: &Path) {
    let (source, program) = (folder.join(format!("mask.{suffix}")), folder.join("mask"));
    fs::write(&source, code).unwrap();
    common::build(compiler, standard, &source, &program, &[]);
    disc::write_ppm(&folder.join("picture.ppm"), "");
    let output = Command::new(&program).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{}", common::said(&output));
    let bytes = fs::read(folder.join("mask.pgm")).unwrap();
    let mask = bytes.strip_prefix(format!("P5 {WIDTH} {HEIGHT} 255\n").as_bytes()).expect("a PGM");
    assert_eq!(mask.len(), WIDTH * HEIGHT);
    let overlap = disc::overlap(mask, WIDTH, disc::CENTRE);
    assert!(overlap > 0.8, "overlap {overlap:.3}");
}

fn assert_all_known(blocks: &[Block], kinds: &[&str]) {
    for block in blocks {
        assert!(kinds.contains(&&*block.kind), "a block of kind {:?} is tested by nobody", block.kind);
    }
}

#[test]
fn the_tutorial_in_c_compiles_and_its_program_has_at_most_thirty_lines() {
    let blocks = blocks("c.md");
    assert_all_known(&blocks, &["c program", "c function", "c", "sh"]);
    let folder = tempfile::tempdir().unwrap();
    let programs = of(&blocks, "c program");
    assert_eq!(programs.len(), 1);
    let lines = programs[0].lines().count();
    assert!(lines <= 30, "{lines} lines");
    for compiler in ["gcc", "clang"] {
        assert_makes_a_mask(compiler, "c99", "c", programs[0], folder.path());
    }

    let fragments = of(&blocks, "c");
    assert!(fragments.len() > 6);
    let mut code = "#include <rotomask.h>\n#include <stdio.h>\n#include <stdlib.h>\n".to_owned();
    code += &of(&blocks, "c function").concat();
    for (number, fragment) in fragments.iter().enumerate() {
        code += &format!(
            "void fragment_{number}(rotomask_model *model, rotomask_session *session, rotomask_frame frame, \
             rotomask_canvas canvas, uint32_t width, uint32_t height, uint8_t *rgba);\n\
             void fragment_{number}(rotomask_model *model, rotomask_session *session, rotomask_frame frame, \
             rotomask_canvas canvas, uint32_t width, uint32_t height, uint8_t *rgba) {{\n{fragment}}}\n"
        );
    }
    let source = folder.path().join("fragments.c");
    fs::write(&source, code).unwrap();
    for compiler in ["gcc", "clang"] {
        // What a fragment doesn't use of all that it is given.
        let more = ["-fsyntax-only", "-Wno-unused-parameter", "-Wno-unused-but-set-parameter"];
        common::compile(compiler, "c99", &source, &more);
    }
}

#[test]
fn the_tutorial_in_cpp_compiles_and_its_program_has_at_most_fifteen_lines() {
    let blocks = blocks("cpp.md");
    assert_all_known(&blocks, &["cpp program", "cpp expected", "cpp", "sh"]);
    let folder = tempfile::tempdir().unwrap();
    let programs = of(&blocks, "cpp program");
    assert_eq!(programs.len(), 1);
    let lines = programs[0].lines().count();
    assert!(lines <= 15, "{lines} lines");
    for compiler in ["g++", "clang++"] {
        assert_makes_a_mask(compiler, "c++17", "cpp", programs[0], folder.path());
    }

    for (kind, macros, session, more) in [
        ("cpp", "", "rotomask::Session& session, ", ""),
        ("cpp expected", "#define ROTOMASK_HPP_EXPECTED 1\n", "", "-fno-exceptions"),
    ] {
        let fragments = of(&blocks, kind);
        assert!(!fragments.is_empty());
        let mut code = format!("{macros}#include <rotomask.hpp>\n#include <thread>\n");
        for (number, fragment) in fragments.iter().enumerate() {
            code += &format!(
                "void fragment_{number}([[maybe_unused]] const rotomask::Model& model, {session}\
                 [[maybe_unused]] std::uint32_t width, [[maybe_unused]] std::uint32_t height, \
                 [[maybe_unused]] const std::uint8_t* rgba) {{\n{fragment}}}\n"
            );
        }
        let source = folder.path().join("fragments.cpp");
        fs::write(&source, code).unwrap();
        for compiler in ["g++", "clang++"] {
            // A fragment may make something only to show how it is made.
            let mut arguments = vec!["-fsyntax-only", "-Wno-unused-parameter", "-Wno-unused-variable"];
            arguments.extend(Some(more).filter(|more| !more.is_empty()));
            common::compile(compiler, "c++17", &source, &arguments);
        }
    }
}
