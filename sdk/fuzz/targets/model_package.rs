//! A model package, as far as it is read before ONNX Runtime sees it.
#![no_main]

use std::path::PathBuf;
use std::sync::LazyLock;

/// One folder a process, emptied by the next input.
static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = std::env::temp_dir().join(format!("rotomask-fuzz-package-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("the temporary folder can be written");
    folder
});

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| engine::model::fuzz_package(bytes, &FOLDER));
