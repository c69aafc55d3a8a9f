//! Speed beside SAM 2's own video predictor in PyTorch, in one run on one machine. Prints figures and judges none.

use std::path::PathBuf;

use crate::{command, error::Result, model, python, setup, workspace::Workspace};

#[derive(clap::Args)]
pub struct Arguments {
    /// Such as sam2.1_hiera_tiny
    #[arg(long, default_value = "sam2.1_hiera_tiny")]
    model: String,
    /// Threads that either side may use
    #[arg(long, default_value_t = 2, value_name = "N")]
    threads: u32,
    /// Frames that are timed, turn by turn
    #[arg(long, default_value_t = 10, value_name = "N")]
    repetitions: u32,
    /// A package of the same weights that approximates them, timed as well
    #[arg(long, value_name = "NAME.rotomodel")]
    approximate: Option<PathBuf>,
}

/// Builds, exports the model at random weights and measures.
///
/// # Errors
/// If set-up, the build, the export or a run fails.
pub fn run(workspace: &Workspace, arguments: &Arguments) -> Result<()> {
    const SEED: u32 = 7;
    let python = python::find(workspace)?;
    let onnxruntime = setup::to_build(workspace)?;
    workspace.build_program()?;
    let exported = model::random(workspace, &python, &arguments.model, SEED, "mha", None)?;
    let mut measure = python::script(workspace, &python, "speed.py");
    measure.args(["--config", &arguments.model]).arg("--weights").arg(&exported.weights);
    measure.arg("--package").arg(&exported.package).arg("--library").arg(workspace.library());
    measure.arg("--onnxruntime").arg(&onnxruntime).arg("--scratch").arg(workspace.target.join("bench"));
    measure.args(["--threads", &arguments.threads.to_string()]);
    measure.args(["--repetitions", &arguments.repetitions.to_string()]);
    if let Some(approximate) = &arguments.approximate {
        measure.arg("--approximate").arg(approximate);
    }
    command::run(&mut measure)
}
