//! What the tests of the boundary share: where the library lies, and a C compiler.

// Each test program uses a part; a helper that fails should fail its test.
#![allow(dead_code, clippy::unwrap_used)]

pub mod disc;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// The shared library that was built beside these tests.
pub fn library() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let profile = test.parent().unwrap().parent().unwrap();
    let library =
        profile.join(format!("{}rotomask{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX));
    assert!(library.is_file(), "{} is not built: build the workspace before its tests", library.display());
    library
}

/// Compiles one file with the project's warnings as errors; what it says on failure is the test's.
pub fn compile(compiler: &str, standard: &str, source: &Path, more: &[&str]) {
    let output = Command::new(compiler)
        .args([&format!("-std={standard}"), "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-I"])
        .arg(root().join("include"))
        .arg(source)
        .args(more)
        .output()
        .unwrap();
    assert!(output.status.success(), "{compiler} {standard}: {}", said(&output));
}

pub fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// Builds a program of one file with the library that was built, strictly.
pub fn build(compiler: &str, standard: &str, source: &Path, program: &Path, more: &[&str]) {
    let library = library();
    let search = format!("-Wl,-rpath,{}", library.parent().unwrap().display());
    let [program, library] = [program, &library].map(|path| path.to_str().unwrap());
    compile(compiler, standard, source, &[&[library, &search, "-o", program], more].concat());
}

/// The functions that a C header declares.
pub fn declared(header: &str) -> Vec<String> {
    let lines = header.lines().filter(|line| !line.starts_with(['/', ' ', '#', '}']) && line.contains('('));
    let names = lines.filter_map(|line| line.split('(').next()?.rsplit([' ', '*']).next());
    names.filter(|name| name.starts_with("rotomask_")).map(str::to_owned).collect()
}
