//! The acceptance matrix of hosts, with the plugins as they were built: `cargo xtask test` builds them first.

// A helper that fails should fail its test.
#![allow(clippy::unwrap_used)]

use std::path::PathBuf;

use ofx_host::conform::{self, Subject};

/// Where `cargo build` puts libraries and programs of this profile.
fn built(name: &str) -> PathBuf {
    let program = PathBuf::from(env!("CARGO_BIN_EXE_ofx-host"));
    let path = program.with_file_name(name);
    assert!(path.is_file(), "{} is not built: run `cargo build --release --workspace` first", path.display());
    path
}

fn library(name: &str) -> PathBuf {
    built(&format!("{}{name}{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX))
}

/// The bundles that `cargo xtask test` makes, or the libraries as cargo builds them.
fn plugins() -> (PathBuf, PathBuf) {
    let Some(bundles) = std::env::var_os("ROTOMASK_BUNDLES").map(PathBuf::from) else {
        return (library("rotomask_openfx"), library("rotomask_frei0r"));
    };
    // A bundle has all it needs.
    // SAFETY: this program has one test, which has started no thread yet.
    unsafe { std::env::remove_var("ROTOMASK_ONNXRUNTIME") };
    let frei0r = format!("frei0r-1/lib/rotomask.{}", std::env::consts::DLL_EXTENSION);
    (bundles.join("rotomask.ofx.bundle"), bundles.join(frei0r))
}

#[test]
fn the_plugins_pass_every_check_of_the_matrix() {
    let (plugin, frei0r) = plugins();
    let subject = Subject {
        plugin,
        frei0r: Some(frei0r),
        command: built(&format!("rotomask{}", std::env::consts::EXE_SUFFIX)),
        clip: None,
        frames: 8,
    };
    let report = conform::run(&subject).unwrap();
    let failed: Vec<_> = report.failed.iter().map(|(name, why)| format!("{name}: {why}")).collect();
    assert!(failed.is_empty(), "{} passed, failed:\n{}", report.passed, failed.join("\n"));
    assert!(report.passed > 25);
}
