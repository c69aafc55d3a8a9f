//! The examples in C and C++ but for the viewer: they compile strictly, follow a disc through a clip, say what is wrong,
//! and keep what is finished when they are stopped.

#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

mod common;

use common::disc::{self, CENTRE, CLIP, HEIGHT, WIDTH};
use std::{
    fs,
    io::Read,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

/// An example by its path under `host-examples`, built in a folder.
fn built(example: &str, folder: &Path) -> PathBuf {
    let source = common::root().join("host-examples").join(example);
    let program = folder.join(source.file_stem().unwrap());
    let (compiler, standard) = if example.ends_with(".c") { ("gcc", "c99") } else { ("g++", "c++17") };
    common::build(compiler, standard, &source, &program, &[]);
    program
}

fn run(program: &Path, folder: &Path, arguments: &[&str]) -> Output {
    Command::new(program).args(arguments).current_dir(folder).output().unwrap()
}

fn assert_worked(output: &Output) {
    assert!(output.status.success(), "{}", common::said(output));
}

#[test]
fn every_example_compiles_strictly_with_either_compiler() {
    for (compiler, standards, examples) in [
        ("gcc", ["c99", "c17"], ["c/segment.c", "c/track.c"].as_slice()),
        ("clang", ["c99", "c17"], &["c/segment.c", "c/track.c"]),
        ("g++", ["c++17", "c++20"], &["cpp/segment.cpp", "cpp/track.cpp", "cpp/viewer.cpp"]),
        ("clang++", ["c++17", "c++20"], &["cpp/segment.cpp", "cpp/track.cpp", "cpp/viewer.cpp"]),
    ] {
        for example in examples {
            let source = common::root().join("host-examples").join(example);
            for standard in standards {
                // SDL's own headers are held to less.
                let more = ["-fsyntax-only", "-isystem", "/usr/include/SDL2"];
                common::compile(compiler, standard, &source, &more);
            }
        }
    }
}

#[test]
fn the_cmake_files_build_with_the_installed_package() {
    let folder = tempfile::tempdir().unwrap();
    // As the installed package names its target.
    let package = format!(
        "add_library(rotomask::rotomask SHARED IMPORTED)\n\
         set_target_properties(rotomask::rotomask PROPERTIES IMPORTED_LOCATION \"{}\" IMPORTED_NO_SONAME ON \
         INTERFACE_INCLUDE_DIRECTORIES \"{}\")\n",
        common::library().display(),
        common::root().join("include").display()
    );
    fs::write(folder.path().join("rotomask-config.cmake"), package).unwrap();
    for (language, examples) in
        [("c", ["segment", "track"].as_slice()), ("cpp", &["segment", "track", "viewer"])]
    {
        let (source, build) =
            (common::root().join("host-examples").join(language), folder.path().join(language));
        let mut configure = Command::new("cmake");
        configure.arg("-S").arg(&source).arg("-B").arg(&build);
        configure.arg(format!("-Drotomask_DIR={}", folder.path().display()));
        assert_worked(&configure.output().unwrap());
        assert_worked(&Command::new("cmake").arg("--build").arg(&build).output().unwrap());
        examples.iter().for_each(|name| assert!(build.join(name).is_file(), "{language}: {name}"));
    }
}

#[test]
fn segment_in_cpp_cuts_out_the_disc_and_says_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let program = built("cpp/segment.cpp", folder.path());
    disc::write_ppm(&folder.path().join("disc.ppm"), "");
    let [x, y] = [CENTRE.0, CENTRE.1].map(|place| place.to_string());
    assert_worked(&run(&program, folder.path(), &["disc.ppm", &x, &y, "mask.pgm"]));
    let mask = disc::read_pgm(&folder.path().join("mask.pgm"), (WIDTH, HEIGHT));
    let overlap = disc::overlap(&mask, WIDTH, CENTRE);
    assert!(overlap > 0.8, "overlap {overlap:.3}");

    fs::write(folder.path().join("short.ppm"), "P6 400 400 255\nabc").unwrap();
    for (arguments, wanted) in [
        (["disc.ppm", "5", "900", "no.pgm"], "rotomask: prompt: "),
        (["none.ppm", "5", "5", "no.pgm"], "none.ppm: it can't be opened"),
        (["short.ppm", "5", "5", "no.pgm"], "short.ppm: it ends before its last pixel"),
        (["disc.ppm", "62", "55", "none/no.pgm"], "none/no.pgm: it can't be written"),
    ] {
        let output = run(&program, folder.path(), &arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        assert!(common::said(&output).contains(wanted), "{}", common::said(&output));
    }
    assert!(!folder.path().join("no.pgm").exists());
}

#[test]
fn track_in_c_writes_a_mask_for_every_frame() {
    let folder = tempfile::tempdir().unwrap();
    let program = built("c/track.c", folder.path());
    disc::write_clip(&folder.path().join("clip.mkv"), 8);
    assert_worked(&run(&program, folder.path(), &["clip.mkv", "52", "55", "%03d.pgm"]));
    assert_worked(&run(&program, folder.path(), &["clip.mkv", "52", "55", "masks.mkv"]));
    let video = disc::read_raw(&folder.path().join("masks.mkv"), "gray");
    let frames: Vec<_> = video.chunks_exact(CLIP.0 * CLIP.1).collect();
    assert_eq!(frames.len(), 8);
    for (number, mask) in frames.into_iter().enumerate() {
        let overlap = disc::overlap(mask, CLIP.0, disc::centre_on(number));
        assert!(overlap > 0.8, "frame {number}: overlap {overlap:.3}");
        // ffmpeg counts pictures from 1.
        let picture = folder.path().join(format!("{:03}.pgm", number + 1));
        assert!(disc::read_pgm(&picture, CLIP) == mask, "frame {number}");
    }
}

#[test]
fn track_in_cpp_cuts_the_disc_out_with_alpha() {
    let folder = tempfile::tempdir().unwrap();
    let program = built("cpp/track.cpp", folder.path());
    disc::write_clip(&folder.path().join("clip.mkv"), 5);
    let options = ["gpu=off", "matte.feather_inner_px=0", "matte.feather_outer_px=0"];
    let arguments = [["clip.mkv", "52", "55", "cut.mkv"].as_slice(), &options].concat();
    assert_worked(&run(&program, folder.path(), &arguments));
    let video = disc::read_raw(&folder.path().join("cut.mkv"), "rgba");
    let frames: Vec<_> = video.chunks_exact(CLIP.0 * CLIP.1 * 4).collect();
    assert_eq!(frames.len(), 5);
    for (number, rgba) in frames.into_iter().enumerate() {
        let mask: Vec<_> = rgba.chunks_exact(4).map(|pixel| if pixel[3] > 127 { 255 } else { 0 }).collect();
        let overlap = disc::overlap(&mask, CLIP.0, disc::centre_on(number));
        assert!(overlap > 0.8, "frame {number}: overlap {overlap:.3}");
    }
    let output = run(&program, folder.path(), &["clip.mkv", "52", "55", "no.mkv", "gpus=off"]);
    assert!(common::said(&output).contains("gpus"), "{}", common::said(&output));
}

#[test]
fn what_cannot_be_tracked_is_told_and_nothing_is_written() {
    let folder = tempfile::tempdir().unwrap();
    disc::write_clip(&folder.path().join("clip.mkv"), 2);
    fs::write(folder.path().join("text.mkv"), "no video").unwrap();
    for example in ["c/track.c", "cpp/track.cpp"] {
        let program = built(example, folder.path());
        for (arguments, wanted) in [
            (["clip.mkv", "52", "5500", "no.mkv"], "rotomask: prompt: "),
            (["none.mkv", "52", "55", "no.mkv"], "none.mkv: expected a video"),
            (["text.mkv", "52", "55", "no.mkv"], "text.mkv: expected a video"),
            (["clip.mkv", "52", "55", "none/no.mkv"], "none/no.mkv: it can't be written"),
        ] {
            let output = run(&program, folder.path(), &arguments);
            assert_eq!(output.status.code(), Some(1), "{example} {arguments:?}: {}", common::said(&output));
            assert!(common::said(&output).contains(wanted), "{example}: {}", common::said(&output));
        }
    }
    assert!(!folder.path().join("no.mkv").exists());
}

#[cfg(unix)]
#[test]
fn ctrl_c_completes_the_output_with_the_frames_that_are_done() {
    use std::os::unix::process::CommandExt;
    let folder = tempfile::tempdir().unwrap();
    const FRAMES: usize = 1500;
    disc::write_clip(&folder.path().join("clip.mkv"), FRAMES);
    for (example, bytes) in [("c/track.c", 1), ("cpp/track.cpp", 4)] {
        let program = built(example, folder.path());
        let mut track = Command::new(&program);
        track.args(["clip.mkv", "52", "55", "out.mkv"]).current_dir(folder.path());
        // A group of its own, as a shell gives: the terminal's Ctrl-C reaches all of it.
        let mut track = track.process_group(0).stderr(Stdio::piped()).spawn().unwrap();
        let mut progress = track.stderr.take().unwrap();
        let (mut said, mut byte) = (Vec::new(), [0]);
        while !String::from_utf8_lossy(&said).contains("frame 4:") {
            assert_eq!(progress.read(&mut byte).unwrap(), 1, "{}", String::from_utf8_lossy(&said));
            said.push(byte[0]);
        }
        let group = format!("-{}", track.id());
        assert!(Command::new("kill").args(["-INT", "--", &group]).status().unwrap().success());
        progress.read_to_end(&mut said).unwrap();
        let said = String::from_utf8_lossy(&said);
        assert_eq!(track.wait().unwrap().code(), Some(130), "{said}");
        let pixels = if bytes == 1 { "gray" } else { "rgba" };
        let frames = disc::read_raw(&folder.path().join("out.mkv"), pixels).len() / (CLIP.0 * CLIP.1 * bytes);
        assert!((5..FRAMES).contains(&frames), "{frames} frames: {said}");
        assert!(said.contains(&format!("{frames} ")) && said.contains("stopped"), "{said}");
    }
}
