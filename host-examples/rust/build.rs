//! Turns the headers of `include/` into Rust, so that no declaration of the C API is written twice.

use std::{env, error::Error, path::PathBuf};

fn main() -> Result<(), Box<dyn Error>> {
    let header = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("../../include/rotomask_draft.h");
    // The drafts' header includes the promised one.
    println!("cargo::rerun-if-changed={}", header.display());
    println!("cargo::rerun-if-changed={}", header.with_file_name("rotomask.h").display());

    // The functions become fields of a struct that looks each of them up in a library opened at run time:
    // this program links nothing of rotomask, just as a video editor would not.
    bindgen::Builder::default()
        .header(header.to_str().ok_or("the path of the headers is not UTF-8")?)
        .allowlist_function("rotomask_.*")
        .allowlist_type("rotomask_.*")
        .allowlist_var("ROTOMASK_.*")
        .rust_edition(bindgen::RustEdition::Edition2024)
        .wrap_unsafe_ops(true)
        .dynamic_library_name("Api")
        .dynamic_link_require_all(true)
        .generate()?
        .write_to_file(PathBuf::from(env::var("OUT_DIR")?).join("api.rs"))?;
    Ok(())
}
