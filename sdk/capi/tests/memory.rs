//! What the examples and the C++ programs do to memory, by AddressSanitizer and by valgrind, with errors, callbacks that stop
//! or throw, and cancelling among it.
//!
//! AddressSanitizer sees every allocation of the process, the library's as well, and at full speed; of reads and writes it
//! sees those of the programs. Valgrind sees all of them, and takes a minute for a mask.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

mod common;

use common::disc;
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

const SANITIZED: [&str; 4] =
    ["-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer"];
/// What AddressSanitizer leaves with, so that no example's own failure is taken for it, nor it for that.
const FOUND: i32 = 77;

fn built(source: &str, folder: &Path, more: &[&str]) -> PathBuf {
    let source = common::root().join(source);
    let program = folder.join("program");
    let (compiler, standard) =
        if source.extension().unwrap() == "c" { ("gcc", "c99") } else { ("g++", "c++17") };
    common::build(compiler, standard, &source, &program, more);
    program
}

fn run(program: &Path, folder: &Path, arguments: &[&str]) -> Output {
    let options = format!("exitcode={FOUND}:detect_leaks=1");
    let mut program = Command::new(program);
    program.args(arguments).current_dir(folder).env("ASAN_OPTIONS", options).output().unwrap()
}

fn assert_left_with(output: &Output, code: i32, what: &str) {
    assert_eq!(output.status.code(), Some(code), "{what}: {}", common::said(output));
}

fn shot() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    disc::write_ppm(&folder.path().join("disc.ppm"), "");
    disc::write_clip(&folder.path().join("clip.mkv"), 2);
    folder
}

#[test]
fn the_examples_leak_nothing_and_touch_nothing_foreign() {
    let folder = shot();
    let folder = folder.path();
    let [good, bad]: [&[&str]; 2] =
        [&["disc.ppm", "62", "55", "mask.pgm"], &["disc.ppm", "62", "900", "mask.pgm"]];
    let [clip, wrong]: [&[&str]; 2] =
        [&["clip.mkv", "52", "55", "out.mkv"], &["clip.mkv", "52", "55", "none/out.mkv"]];
    for (source, runs) in [
        ("host-examples/c/segment.c", [(good, 0), (bad, 1)]),
        ("host-examples/c/track.c", [(clip, 0), (wrong, 1)]),
        ("host-examples/cpp/segment.cpp", [(good, 0), (bad, 1)]),
        ("host-examples/cpp/track.cpp", [(clip, 0), (wrong, 1)]),
    ] {
        let program = built(source, folder, &SANITIZED);
        for (arguments, code) in runs {
            assert_left_with(&run(&program, folder, arguments), code, source);
        }
    }
}

#[test]
fn cancelling_errors_and_callbacks_that_throw_leak_nothing() {
    for source in ["sdk/capi/tests/cpp/throwing.cpp", "sdk/capi/tests/cpp/expecting.cpp"] {
        let folder = tempfile::tempdir().unwrap();
        let program = built(source, folder.path(), &[SANITIZED.as_slice(), &["-pthread"]].concat());
        assert_left_with(&run(&program, folder.path(), &[folder.path().to_str().unwrap()]), 0, source);
    }
}

#[test]
fn a_handle_that_is_never_closed_would_be_found() {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("leak.c");
    // In a loop, so that no register or forgotten place of the stack still points at all of them.
    let code = "#include <rotomask.h>\n\
        int main(void) {\n\
          int left;\n\
          for (left = 100; left; left--) {\n\
            rotomask_matte_settings *settings = 0;\n\
            if (rotomask_matte_settings_open(0, &settings)) return 1;\n\
          }\n\
          return 0;\n\
        }\n";
    fs::write(&source, code).unwrap();
    let program = folder.path().join("program");
    common::build("gcc", "c99", &source, &program, &SANITIZED);
    let output = run(&program, folder.path(), &[]);
    assert_left_with(&output, FOUND, "a leak");
    let said = common::said(&output);
    assert!(said.contains("LeakSanitizer") && said.contains("librotomask"), "{said}");
}

/// The mutexes of the Rust library can't be seen by ThreadSanitizer: what it watches is the C++ around it.
#[test]
fn one_of_two_sessions_in_two_threads_is_cancelled_and_the_other_is_untouched() {
    let folder = tempfile::tempdir().unwrap();
    let suppressions = folder.path().join("tsan.supp");
    // It isn't made for it either, so that its own threads seem to race; so do threads that end and the loader, which gives
    // what was theirs to the next ones under a lock that isn't seen.
    fs::write(&suppressions, "race:libonnxruntime.so\nrace:_dl_deallocate_tls\n").unwrap();
    for (more, options) in
        [(vec!["-pthread"], ""), (vec!["-pthread", "-g", "-fsanitize=thread"], "exitcode=77")]
    {
        let program = built("sdk/capi/tests/cpp/threads.cpp", folder.path(), &more);
        let options = format!("{options}:suppressions={}", suppressions.display());
        let output = Command::new(&program).env("TSAN_OPTIONS", options).output().unwrap();
        assert_left_with(&output, 0, "threads.cpp");
    }
}

/// Runs under valgrind, which leaves with [`FOUND`] where it has found anything.
fn valgrind(program: &Path, folder: &Path, arguments: &[&str]) -> Output {
    let suppressions = common::root().join("sdk/capi/tests/valgrind.supp");
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["-q", "--leak-check=full", "--show-leak-kinds=definite,possible", "--num-callers=30"]);
    valgrind.args(["--errors-for-leak-kinds=definite,possible", &format!("--error-exitcode={FOUND}")]);
    valgrind.arg(format!("--suppressions={}", suppressions.display()));
    valgrind
        .arg(program)
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap_or_else(|error| panic!("valgrind: {error}; `cargo xtask setup` installs what is needed"))
}

#[test]
fn valgrind_finds_nothing_where_c_makes_a_mask() {
    let folder = shot();
    let program = built("host-examples/c/segment.c", folder.path(), &["-g"]);
    let arguments = ["disc.ppm", "62", "55", "mask.pgm"];
    assert_left_with(&valgrind(&program, folder.path(), &arguments), 0, "segment.c");
    let mask = disc::read_pgm(&folder.path().join("mask.pgm"), (disc::WIDTH, disc::HEIGHT));
    assert!(disc::overlap(&mask, disc::WIDTH, disc::CENTRE) > 0.8);
}

#[test]
fn valgrind_finds_nothing_where_cpp_cancels_fails_and_throws() {
    let folder = tempfile::tempdir().unwrap();
    let program = built("sdk/capi/tests/cpp/stopping.cpp", folder.path(), &["-g", "-pthread"]);
    assert_left_with(&valgrind(&program, folder.path(), &[]), 0, "stopping.cpp");
}
