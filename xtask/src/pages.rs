//! The documentation as pages: rustdoc's of the crates, Doxygen's of the C and C++ headers.

use std::{
    io::Write,
    process::{Command, Stdio},
};

use crate::{
    command,
    error::{Error, Result},
    setup,
    workspace::{Workspace, make_folder},
};

/// Writes both below `target/doc`, and says where they begin. What rustdoc or Doxygen finds wrong stops it.
///
/// # Errors
/// If one of the two is missing or complains.
pub fn run(workspace: &Workspace) -> Result<()> {
    setup::to_build(workspace)?;
    let mut cargo = workspace.cargo();
    cargo.args(["doc", "--release", "--workspace", "--no-deps"]).env("RUSTDOCFLAGS", "-D warnings");
    command::run(&mut cargo)?;
    let folder = workspace.target.join("doc/c");
    make_folder(&folder)?;
    let settings = format!(
        "PROJECT_NAME = rotomask\nPROJECT_NUMBER = {version}\nPROJECT_BRIEF = \"Rotoscoping masks for video editors\"\n\
         INPUT = {root}/include {root}/docs/tutorials/c.md {root}/docs/tutorials/cpp.md\nFILE_PATTERNS = *.h *.hpp *.md\n\
         USE_MDFILE_AS_MAINPAGE = {root}/docs/tutorials/c.md\nOUTPUT_DIRECTORY = {folder}\nGENERATE_LATEX = NO\n\
         OPTIMIZE_OUTPUT_FOR_C = YES\nEXTRACT_ALL = YES\nMACRO_EXPANSION = YES\nPREDEFINED = __cplusplus=201703L\n\
         MARKDOWN_SUPPORT = YES\nQUIET = YES\nWARN_IF_UNDOCUMENTED = YES\nWARN_AS_ERROR = NO\nHAVE_DOT = NO\n",
        version = env!("CARGO_PKG_VERSION"),
        root = workspace.root.display(),
        folder = folder.display(),
    );
    let missing = |error| {
        Error::plain(format!(
            "doxygen could not be started ({error}): install it, on Debian by `apt-get install doxygen`"
        ))
    };
    let mut doxygen = Command::new("doxygen").arg("-").stdin(Stdio::piped()).spawn().map_err(missing)?;
    if let Some(mut stdin) = doxygen.stdin.take() {
        stdin.write_all(settings.as_bytes()).map_err(|error| Error::plain(format!("doxygen: {error}")))?;
    }
    let status = doxygen.wait().map_err(|error| Error::plain(format!("doxygen: {error}")))?;
    if !status.success() {
        return Err(Error::plain(format!("doxygen failed: {status}")));
    }
    println!(
        "Rust: {}\nC and C++: {}",
        workspace.target.join("doc/rotomask/index.html").display(),
        folder.join("html/index.html").display()
    );
    Ok(())
}
