//! The C example is built as its head says, strictly, against the library that was built, and finds a disc.

#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]
#![allow(dead_code, reason = "the tests share more than each needs")]

mod common;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

const WIDTH: usize = 161;
const HEIGHT: usize = 119;
const CENTRE: (f64, f64) = (62.0, 55.0);
const RADIUS: f64 = 27.0;

fn build(folder: &Path) -> PathBuf {
    let (program, library) = (folder.join("segment"), common::library());
    let search = format!("-Wl,-rpath,{}", library.parent().unwrap().display());
    let source = common::root().join("host-examples/c/segment.c");
    let [out, library] = [&program, &library].map(|path| path.to_str().unwrap());
    common::compile("cc", "c99", &source, &[library, &search, "-o", out]);
    program
}

fn in_disc(place: usize) -> bool {
    let (x, y) = ((place % WIDTH) as f64, (place / WIDTH) as f64);
    (x - CENTRE.0).hypot(y - CENTRE.1) < RADIUS
}

/// A bright disc on a dark ground, both a little uneven: a picture that is wide and odd.
fn write_ppm(path: &Path) {
    let mut bytes = format!("P6\n# a disc\n{WIDTH} {HEIGHT}\n255\n").into_bytes();
    for place in 0..WIDTH * HEIGHT {
        let uneven = (place * 7919 % 13) as u8;
        let [r, g, b] = if in_disc(place) { [235, 205, 80] } else { [25, 40, 60] };
        bytes.extend([r + uneven, g + uneven, b + uneven]);
    }
    fs::write(path, bytes).unwrap();
}

fn run(program: &Path, picture: &Path, x: f64, y: f64, mask: &Path) -> Output {
    let mut segment = Command::new(program);
    segment.arg(picture).arg(x.to_string()).arg(y.to_string()).arg(mask).output().unwrap()
}

fn read_pgm(path: &Path) -> Vec<u8> {
    let bytes = fs::read(path).unwrap();
    let head = format!("P5\n{WIDTH} {HEIGHT}\n255\n");
    bytes.strip_prefix(head.as_bytes()).expect("a PGM of the picture's size").to_vec()
}

#[test]
fn the_c_example_cuts_out_the_disc_that_is_clicked_on() {
    let folder = tempfile::tempdir().unwrap();
    let program = build(folder.path());
    let (picture, mask) = (folder.path().join("disc.ppm"), folder.path().join("mask.pgm"));
    write_ppm(&picture);

    let output = run(&program, &picture, CENTRE.0, CENTRE.1, &mask);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mask = read_pgm(&mask);
    assert!(mask.iter().all(|&pixel| pixel == 0 || pixel == 255));
    let (mut both, mut either) = (0, 0);
    for (place, &pixel) in mask.iter().enumerate() {
        both += u32::from(in_disc(place) && pixel == 255);
        either += u32::from(in_disc(place) || pixel == 255);
    }
    let overlap = f64::from(both) / f64::from(either);
    // Swapped axes or a missed click give under a half.
    assert!(overlap > 0.8, "overlap {overlap:.3}");
}

#[test]
fn the_c_example_says_what_is_wrong_and_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let program = build(folder.path());
    let (picture, mask) = (folder.path().join("disc.ppm"), folder.path().join("mask.pgm"));
    write_ppm(&picture);
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
