//! The calls of `include/`, as the host example has them.

use std::{env, path::PathBuf};

fn main() {
    let header = concat!(env!("CARGO_MANIFEST_DIR"), "/../../include/rotomask_draft.h");
    println!("cargo:rerun-if-changed={header}");
    println!("cargo:rerun-if-changed={}", header.replace("_draft", ""));
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    bindgen::Builder::default()
        .header(header)
        .allowlist_item("(rotomask|ROTOMASK)_.*")
        .layout_tests(false)
        .generate()
        .expect("the header is C")
        .write_to_file(out.join("api.rs"))
        .expect("cargo's own folder can be written");
}
