//! librotomask held against SAM 2's own video predictor, at full size, at random weights.

use std::path::PathBuf;

use crate::{
    command,
    error::{Error, Result},
    model, python, setup,
    workspace::Workspace,
};

#[derive(clap::Args)]
pub struct Arguments {
    /// Such as sam2.1_hiera_tiny or sam2.1_hiera_base_plus
    #[arg(long, default_value = "sam2.1_hiera_tiny")]
    model: String,
    /// Folder of pictures, one a frame, in the order of their names; otherwise a made-up scene
    #[arg(long, value_name = "DIR", requires = "prompts")]
    frames: Option<PathBuf>,
    /// Array of {frame, object, points, labels, box, mask}, in pixels of the frames
    #[arg(long, value_name = "FILE.json")]
    prompts: Option<PathBuf>,
    /// Compare so many frames at most; PyTorch takes seconds for each
    #[arg(long, value_name = "N")]
    count: Option<u32>,
    /// Which way the shot is tracked: from the first prompted frame, or in reverse from the last
    #[arg(long, default_value = "forward", value_parser = ["forward", "reverse", "both"])]
    way: String,
    /// The random weights' seed
    #[arg(long, default_value_t = 7)]
    seed: u32,
    /// A checkpoint to compare with instead of random weights
    #[arg(long, value_name = "FILE.pt", conflicts_with = "seed")]
    checkpoint: Option<PathBuf>,
    /// Both at a smaller input than the weights' own, 256 to 960 in steps of 64
    #[arg(long, value_name = "PX")]
    size: Option<u32>,
    /// Which attention the graphs have
    #[arg(long, default_value = "mha", value_parser = ["mha", "std"])]
    variant: String,
}

/// Builds, exports the model and compares; the last line has the figures.
///
/// # Errors
/// If set-up, the build or the export fails, or the two sides differ beyond the tolerance.
pub fn run(workspace: &Workspace, arguments: &Arguments) -> Result<()> {
    let python = python::find(workspace)?;
    let onnxruntime = setup::to_build(workspace)?;
    workspace.build_program()?;
    let exported = match &arguments.checkpoint {
        Some(weights) => {
            let package =
                workspace.target.join("parity").join(format!("{}-checkpoint.rotomodel", arguments.model));
            let mut export = python::script(workspace, &python, "export.py");
            export.args(["--config", &arguments.model, "--variant", &arguments.variant, "--storage", "fp32"]);
            if let Some(size) = arguments.size {
                export.args(["--size", &size.to_string()]);
            }
            command::run(export.arg("--checkpoint").arg(weights).arg(&package))?;
            model::Random { package, weights: weights.clone() }
        }
        None => model::random(
            workspace,
            &python,
            &arguments.model,
            arguments.seed,
            &arguments.variant,
            arguments.size,
        )?,
    };
    let mut compare = python::script(workspace, &python, "parity.py");
    compare
        .args(["--config", &arguments.model, "--way", &arguments.way])
        .arg("--weights")
        .arg(&exported.weights);
    compare.arg("--package").arg(&exported.package).arg("--library").arg(workspace.library());
    compare
        .arg("--onnxruntime")
        .arg(&onnxruntime)
        .arg("--scratch")
        .arg(workspace.target.join("parity/scene"));
    for (name, path) in [("--frames", &arguments.frames), ("--prompts", &arguments.prompts)] {
        if let Some(path) = path {
            compare.arg(name).arg(path);
        }
    }
    if let Some(count) = arguments.count {
        compare.args(["--count", &count.to_string()]);
    }
    // Its last line is the answer, so nothing is printed after it.
    let line = command::line(&compare);
    println!("=> {line}");
    let status =
        compare.status().map_err(|error| Error::plain(format!("`{line}` could not be started: {error}")))?;
    if status.success() {
        Ok(())
    } else {
        Err(Error::plain(format!("{}: no parity, or it could not be told", arguments.model)))
    }
}
