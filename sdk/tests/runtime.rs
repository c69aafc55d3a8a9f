//! ONNX Runtimes that can't be used. A process loads one at most, so nothing else is tested in this one.

#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use rotomask::model::runtime;

fn refusal(path: &Path) -> String {
    runtime::info(Some(path)).unwrap_err().to_string()
}

/// A library that says it is ONNX Runtime 1.17.
fn old_runtime(folder: &Path) -> PathBuf {
    let source = folder.join("old.c");
    let text = r#"
        static const char *version(void) { return "1.17.3"; }
        static const void *api(unsigned v) { (void)v; return 0; }
        static const struct { const void *(*api)(unsigned); const char *(*version)(void); } base = { api, version };
        const void *OrtGetApiBase(void) { return &base; }
    "#;
    fs::write(&source, text).unwrap();
    build(&source, &folder.join("libonnxruntime.so"))
}

fn build(source: &Path, library: &Path) -> PathBuf {
    let built = Command::new("cc").args(["-shared", "-fPIC", "-o"]).arg(library).arg(source).status();
    assert!(built.unwrap().success());
    library.to_path_buf()
}

#[test]
fn a_runtime_that_can_not_be_used_is_refused_with_what_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("libnowhere.so");
    assert_eq!(
        refusal(&missing),
        format!("ONNX Runtime: {} was asked for, but there is no such file", missing.display())
    );

    let text = folder.path().join("text.so");
    fs::write(&text, "no library").unwrap();
    let said = refusal(&text);
    assert!(said.starts_with(&format!("ONNX Runtime: {} can't be loaded: ", text.display())), "{said}");

    let source = folder.path().join("other.c");
    fs::write(&source, "int other;").unwrap();
    let other = build(&source, &folder.path().join("libother.so"));
    let want = format!("ONNX Runtime: {} is a library but has no `OrtGetApiBase`", other.display());
    assert_eq!(refusal(&other), want);

    let old = old_runtime(folder.path());
    let want = format!("ONNX Runtime: {} is version 1.17.3, expected 1.31 or newer", old.display());
    assert_eq!(refusal(&old), want);

    // None of the refused ones stands in the way of one that works; another is refused from then on.
    let working = std::env::var_os(runtime::VARIABLE).expect("`cargo xtask test` names an ONNX Runtime");
    let info = runtime::info(Some(Path::new(&working))).unwrap();
    assert!(info.providers.contains(&"CPUExecutionProvider"), "{info:?}");
    assert!(refusal(&old).ends_with(&format!("has already loaded {}", info.path.display())));
}
