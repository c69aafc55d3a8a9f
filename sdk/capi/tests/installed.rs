//! The kit for developers as it is installed: found by pkg-config and CMake, linked either way, run with an empty environment.

#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]
#![allow(dead_code, reason = "the tests share more than each needs")]
#![cfg(target_os = "linux")]

mod common;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

/// Where `cargo xtask test` laid the kit out.
fn prefix() -> Option<PathBuf> {
    let prefix = std::env::var_os("ROTOMASK_SDK").map(PathBuf::from);
    if prefix.is_none() {
        eprintln!("skipped: no kit is laid out, `cargo xtask test` does it and sets ROTOMASK_SDK");
    }
    prefix
}

/// Finds a disc in a picture of its own with the model that is built in.
const PROGRAM: &str = r#"
#include <rotomask.h>
#include <stdio.h>
static uint8_t pixels[64][96][3], mask[64][96];
int main(void) {
  rotomask_model *model = NULL;
  rotomask_session *session = NULL;
  rotomask_frame frame = {sizeof frame, ROTOMASK_FORMAT_RGB8, 96, 64, 96 * 3, pixels};
  rotomask_canvas canvas = {sizeof canvas, ROTOMASK_FORMAT_GRAY8, 96, 64, 96, mask};
  int x, y;
  for (y = 0; y < 64; y++) {
    for (x = 0; x < 96; x++) pixels[y][x][0] = (x - 40) * (x - 40) + (y - 30) * (y - 30) < 400 ? 240 : 30;
  }
  if (rotomask_model_open(NULL, NULL, &model) || rotomask_session_open(model, 96, 64, &session) ||
      rotomask_session_click(session, 1, 0, 40, 30, 1) || rotomask_session_push(session, 0, &frame) ||
      rotomask_session_binary(session, 1, &canvas)) {
    printf("%s\n", rotomask_last_error());
    return 1;
  }
  rotomask_session_close(session);
  rotomask_model_close(model);
  printf("%d %d\n", mask[30][40], mask[3][90]);
  return 0;
}
"#;

fn run(command: &mut Command) -> Output {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", common::said(&output));
    output
}

/// With nothing in the environment: whatever a program needs, it has to find by itself.
fn finds_the_disc(program: &Path) {
    let output = run(Command::new(program).env_clear());
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "255 0");
}

#[test]
fn pkg_config_tells_all_that_a_program_needs_wherever_the_kit_was_moved() {
    let Some(prefix) = prefix() else { return };
    let folder = tempfile::tempdir().unwrap();
    // Moved: nothing may know where it was laid out.
    let moved = folder.path().join("moved to here");
    run(Command::new("cp").arg("-a").arg(&prefix).arg(&moved));
    let (source, program) = (folder.path().join("disc.c"), folder.path().join("disc"));
    fs::write(&source, PROGRAM).unwrap();
    let asked = run(Command::new("pkg-config")
        .env("PKG_CONFIG_PATH", moved.join("lib/pkgconfig"))
        .args(["--cflags", "--libs", "rotomask"]));
    let flags = String::from_utf8(asked.stdout).unwrap().trim().to_owned();
    let line = format!("cc -std=c99 -o '{}' '{}' {flags}", program.display(), source.display());
    run(Command::new("sh").args(["-c", &line]).env_remove("LD_LIBRARY_PATH"));
    let lib = moved.join("lib");
    let output = run(Command::new(&program).env_clear().env("LD_LIBRARY_PATH", &lib));
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "255 0");
}

#[test]
fn cmake_finds_both_libraries_and_what_they_link() {
    let Some(prefix) = prefix() else { return };
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("disc.c"), PROGRAM).unwrap();
    fs::write(
        folder.path().join("CMakeLists.txt"),
        "cmake_minimum_required(VERSION 3.16)\nproject(host C)\nfind_package(rotomask 0.1 REQUIRED)\n\
         add_executable(shared disc.c)\ntarget_link_libraries(shared rotomask::rotomask)\n\
         add_executable(static disc.c)\ntarget_link_libraries(static rotomask::static)\n",
    )
    .unwrap();
    let build = folder.path().join("build");
    run(Command::new("cmake")
        .arg("-S")
        .arg(folder.path())
        .arg("-B")
        .arg(&build)
        .arg(format!("-DCMAKE_PREFIX_PATH={}", prefix.display())));
    run(Command::new("cmake").arg("--build").arg(&build));
    // CMake tells the program where the library lies.
    finds_the_disc(&build.join("shared"));
    // The static one is in the program, and looks for the runtime beside that.
    fs::create_dir(build.join("rotomask")).unwrap();
    fs::copy(prefix.join("lib/rotomask/libonnxruntime.so"), build.join("rotomask/libonnxruntime.so"))
        .unwrap();
    finds_the_disc(&build.join("static"));
    // A version that was never promised is not found.
    let wanting =
        fs::read_to_string(folder.path().join("CMakeLists.txt")).unwrap().replace("0.1 REQ", "9.0 REQ");
    fs::write(folder.path().join("CMakeLists.txt"), wanting).unwrap();
    let refused = Command::new("cmake")
        .arg("-S")
        .arg(folder.path())
        .arg("-B")
        .arg(folder.path().join("other"))
        .arg(format!("-DCMAKE_PREFIX_PATH={}", prefix.display()))
        .output()
        .unwrap();
    assert!(
        !refused.status.success() && common::said(&refused).contains("0.1.0"),
        "{}",
        common::said(&refused)
    );
}

#[test]
fn every_symbol_of_the_installed_library_belongs_to_a_promise_or_to_the_drafts() {
    let Some(prefix) = prefix() else { return };
    let library = prefix.join("lib/librotomask.so.1");
    let output =
        run(Command::new("nm").args(["-D", "--defined-only", "--with-symbol-versions"]).arg(&library));
    let symbols = String::from_utf8(output.stdout).unwrap();
    let names = symbols.lines().filter_map(|line| line.split(' ').nth(2)).filter(|name| name.contains("@@"));
    let names: Vec<_> = names.collect();
    assert!(names.len() > 90, "{symbols}");
    for name in &names {
        let promise = if name.contains("kernel") || name.contains("spline") {
            "@@ROTOMASK_DRAFT"
        } else {
            "@@ROTOMASK_1"
        };
        assert!(name.starts_with("rotomask_") && name.ends_with(promise), "{name}");
    }
    let dynamic = run(Command::new("readelf").arg("-d").arg(&library));
    assert!(common::said(&dynamic).contains("soname: [librotomask.so.1]"));
    assert_eq!(fs::read_link(prefix.join("lib/librotomask.so")).unwrap(), Path::new("librotomask.so.1"));
}

#[test]
fn python_imports_the_module_from_the_kit() {
    let Some(prefix) = prefix() else { return };
    let script = "import rotomask; print(rotomask.version())";
    let output = run(Command::new("python3")
        .env_clear()
        .env("PYTHONPATH", prefix.join("share/rotomask/python"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("PATH", "/usr/bin:/bin")
        .args(["-c", script]));
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), env!("CARGO_PKG_VERSION"));
}
