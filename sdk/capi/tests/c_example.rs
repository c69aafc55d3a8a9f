//! The C example is built as its head says, strictly, against the library that was built, and finds a disc.

#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]
#![allow(dead_code, reason = "the tests share more than each needs")]

mod common;

use common::disc::{CENTRE, HEIGHT, WIDTH, overlap, read_pgm, write_ppm};
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

fn build(folder: &Path) -> PathBuf {
    let program = folder.join("segment");
    common::build("cc", "c99", &common::root().join("host-examples/c/segment.c"), &program, &[]);
    program
}

fn run(program: &Path, picture: &Path, x: f64, y: f64, mask: &Path) -> Output {
    let mut segment = Command::new(program);
    segment.arg(picture).arg(x.to_string()).arg(y.to_string()).arg(mask).output().unwrap()
}

#[test]
fn the_c_example_cuts_out_the_disc_that_is_clicked_on() {
    let folder = tempfile::tempdir().unwrap();
    let program = build(folder.path());
    let (picture, mask) = (folder.path().join("disc.ppm"), folder.path().join("mask.pgm"));
    write_ppm(&picture, "# a disc\n");

    let output = run(&program, &picture, CENTRE.0, CENTRE.1, &mask);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mask = read_pgm(&mask, (WIDTH, HEIGHT));
    let overlap = overlap(&mask, WIDTH, CENTRE);
    assert!(overlap > 0.8, "overlap {overlap:.3}");
}

#[test]
fn the_c_example_says_what_is_wrong_and_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let program = build(folder.path());
    let (picture, mask) = (folder.path().join("disc.ppm"), folder.path().join("mask.pgm"));
    write_ppm(&picture, "# a disc\n");
    for (x, y) in [(CENTRE.0, HEIGHT as f64 + 40.0), (-1.0, 5.0)] {
        let output = run(&program, &picture, x, y, &mask);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{x},{y}");
        assert!(said.starts_with("rotomask: ") && said.lines().count() == 1, "{said}");
    }
    let output = run(&program, &folder.path().join("none.ppm"), 1.0, 1.0, &mask);
    assert!(String::from_utf8_lossy(&output.stderr).ends_with("none.ppm: it can't be opened\n"));
    fs::write(&picture, b"P6 9999999 9999999 255 ").unwrap();
    let output = run(&program, &picture, 1.0, 1.0, &mask);
    assert!(String::from_utf8_lossy(&output.stderr).contains("expected sides from 1 to 16384"));
    assert!(!mask.exists());
}
