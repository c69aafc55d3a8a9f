//! Python's own tests of `rotomask.py`, of its examples and of the tutorial, against the library that was built. They need
//! NumPy; those that need more say so and are skipped.

#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]
#![allow(dead_code, reason = "the tests share more than each needs")]

mod common;

use std::path::PathBuf;
use std::process::Command;

/// A folder of tests, and the modules in it, each of which has a test below.
const PYTHON: (&str, &[&str]) = (
    "host-examples/python/tests",
    &[
        "examples",
        "foreign_runtime",
        "headers",
        "lifetimes",
        "nuke",
        "pictures",
        "pixels",
        "sessions",
        "tutorial",
    ],
);
const RAY: (&str, &[&str]) = ("host-examples/ray/tests", &["cluster", "shots"]);

/// A Python 3 that has NumPy: Debian's package is for Debian's own.
fn interpreter() -> &'static str {
    let has_numpy = |python: &&str| {
        let mut asked = Command::new(python);
        asked.args(["-c", "import numpy"]).output().is_ok_and(|answer| answer.status.success())
    };
    let found = ["python3", "/usr/bin/python3"].into_iter().find(has_numpy);
    found.expect("no Python 3 here has NumPy: `cargo xtask setup` installs python3-numpy")
}

fn run(folder: &str, module: &str) {
    let library = common::library();
    let output = Command::new(interpreter())
        .args(["-B", "-m", "unittest", "-v", &format!("test_{module}")])
        .current_dir(common::root().join(folder))
        .env("ROTOMASK_COMMAND", library.with_file_name("rotomask"))
        .env("ROTOMASK_LIBRARY", library)
        .output()
        .unwrap();
    let said = common::said(&output);
    // Python 3.12 and later answer 5 where all was skipped.
    let skipped = output.status.code() == Some(5) && said.contains("skipped=");
    assert!(output.status.success() || skipped, "{said}");
    println!("{said}");
}

#[test]
fn every_module_of_tests_is_run() {
    for (folder, modules) in [PYTHON, RAY] {
        let files = std::fs::read_dir(common::root().join(folder)).unwrap();
        let names = files.map(|file| PathBuf::from(file.unwrap().file_name()));
        let mut found: Vec<_> = names
            .filter_map(|name| Some(name.to_str()?.strip_prefix("test_")?.strip_suffix(".py")?.to_owned()))
            .collect();
        found.sort();
        assert_eq!(found, modules);
    }
}

macro_rules! modules {
    ($($test:ident: $of:ident $module:literal;)+) => { $(
        #[test]
        fn $test() {
            let (folder, modules) = $of;
            assert!(modules.contains(&$module));
            run(folder, $module);
        }
    )+ };
}

modules! {
    the_signatures_are_the_headers: PYTHON "headers";
    pixels_are_read_and_written_wherever_they_lie: PYTHON "pixels";
    a_shot_is_tracked_corrected_and_kept: PYTHON "sessions";
    whatever_is_closed_dropped_or_shared_between_threads_does_no_harm: PYTHON "lifetimes";
    pictures_are_asked_about_and_mattes_finished: PYTHON "pictures";
    another_onnx_runtime_in_the_process_does_no_harm: PYTHON "foreign_runtime";
    the_examples_do_what_they_say: PYTHON "examples";
    nukes_menu_tracks_and_reads_what_was_tracked: PYTHON "nuke";
    every_snippet_of_the_tutorial_runs: PYTHON "tutorial";
    a_list_of_shots_is_read_and_run_the_same_by_one_machine_and_by_slurm: RAY "shots";
    a_killed_node_loses_nothing: RAY "cluster";
}
