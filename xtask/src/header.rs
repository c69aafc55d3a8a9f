//! The C headers, which a test of `rotomask-capi` compares with the source, or writes when it is told to.

use crate::{command, error::Result, workspace::Workspace};

/// Writes the headers of `include/` anew.
///
/// # Errors
/// If the test that does it fails.
pub fn write(workspace: &Workspace) -> Result<()> {
    let mut cargo = workspace.cargo();
    cargo.args(["test", "--release", "--workspace", "--test", "header", "--test", "promise"]);
    command::run(cargo.env("ROTOMASK_BLESS", "1"))
}
