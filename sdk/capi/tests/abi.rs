//! The built library: what it exports, and how it answers to nothing.

#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

mod common;

use std::fs;
use std::process::Command;

/// Both headers.
fn header() -> String {
    let read = |name| fs::read_to_string(common::root().join("include").join(name)).unwrap();
    ["rotomask.h", "rotomask_draft.h"].map(read).concat()
}

/// The functions that the headers declare.
fn declared() -> Vec<String> {
    let mut names = common::declared(&header());
    names.sort();
    names
}

#[test]
#[cfg(target_os = "linux")]
fn the_library_exports_what_the_header_declares_and_nothing_else() {
    let output = Command::new("nm").args(["-D", "--defined-only"]).arg(common::library()).output().unwrap();
    let text = common::said(&output);
    let mut exported: Vec<_> = text.lines().map(|line| line.rsplit(' ').next().unwrap().to_owned()).collect();
    exported.sort();
    assert_eq!(exported, declared());
}

#[test]
fn every_function_answers_to_nulls_and_wrong_sizes_with_a_status() {
    let source = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/null_sweep.c");
    let text = fs::read_to_string(&source).unwrap();
    for name in declared() {
        assert!(text.contains(&format!("{name}(")), "{name} is not in the sweep");
    }
    let folder = tempfile::tempdir().unwrap();
    let (program, library) = (folder.path().join("sweep"), common::library());
    let [program_text, library_text] = [&program, &library].map(|path| path.to_str().unwrap());
    common::compile("cc", "c99", &source, &["-o", program_text, library_text]);
    let search = library.parent().unwrap();
    let ran = Command::new(&program).env("LD_LIBRARY_PATH", search).output().unwrap();
    assert!(ran.status.success(), "{}", common::said(&ran));
}

#[test]
fn python_loads_the_library_and_asks_its_version() {
    let script = "import ctypes, sys; lib = ctypes.CDLL(sys.argv[1]); \
        lib.rotomask_version.restype = ctypes.c_char_p; print(lib.rotomask_version().decode())";
    let output = Command::new("python3").args(["-c", script]).arg(common::library()).output().unwrap();
    assert_eq!(common::said(&output).trim(), env!("CARGO_PKG_VERSION"));
}
