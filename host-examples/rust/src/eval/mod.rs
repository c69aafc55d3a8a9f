//! Measuring masks against a ground truth.

use std::path::PathBuf;

use crate::{Error, Result, args::EngineArgs};

/// The arguments of `rotomask eval`.
#[derive(Debug, clap::Args)]
pub struct EvalArgs {
    /// A folder laid out as DAVIS is
    pub root: PathBuf,
    /// The engine.
    #[command(flatten)]
    pub engine: EngineArgs,
}

/// Measures.
///
/// # Errors
/// If the folder is not laid out as expected.
pub fn run(args: EvalArgs) -> Result<()> {
    Err(Error::file(&args.root, "this build measures nothing"))
}
