//! The Python with PyTorch and SAM 2, for what is compared with them. Nothing of it is needed to build or to run.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    command,
    error::{Error, Result},
    workspace::{Workspace, make_folder},
};

/// Names an interpreter that is taken instead.
pub const VARIABLE: &str = "ROTOMASK_PYTHON";

/// Built from source by pip; needs PyTorch for it, and no CUDA.
const SAM2: &str = "sam2==1.1.0";

const IMPORTS: &str = "import cv2, hydra, numpy, onnx, onnxruntime, PIL, safetensors, sam2, torch";

/// The interpreter that the environment variable names; otherwise one in a virtual environment under the target
/// folder, which is made if it isn't there.
///
/// # Errors
/// If something can't be installed, or the named interpreter lacks a package.
pub fn find(workspace: &Workspace) -> Result<PathBuf> {
    if let Some(named) = env::var_os(VARIABLE).filter(|named| !named.is_empty()) {
        let python = PathBuf::from(named);
        command::ask(Command::new(&python).args(["-c", IMPORTS]))
            .map_err(|error| Error::plain(format!("{VARIABLE}: {error}; wanted one that can `{IMPORTS}`")))?;
        return Ok(python);
    }
    let folder = workspace.target.join("python");
    let (python, complete) = (interpreter(&folder), folder.join("complete"));
    let wanted = export_folder(workspace).join("requirements.txt");
    let listed = fs::read_to_string(&wanted).map_err(|error| Error::file(&wanted, error))? + SAM2;
    if fs::read_to_string(&complete).is_ok_and(|installed| installed == listed) {
        return Ok(python);
    }
    println!("{VARIABLE} is not set: making a virtual environment, some gigabytes, in {}", folder.display());
    make_folder(&workspace.target)?;
    command::run(
        Command::new(if cfg!(windows) { "python" } else { "python3" }).args(["-m", "venv"]).arg(&folder),
    )?;
    let pip = |arguments: &[&str]| {
        let mut pip = Command::new(&python);
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]).args(arguments);
        pip.env("SAM2_BUILD_CUDA", "0");
        pip
    };
    command::run(pip(&["--requirement"]).arg(&wanted))?;
    // It would ask for more than it needs, and build in an environment without PyTorch.
    command::run(&mut pip(&["--no-deps", "--no-build-isolation", SAM2]))?;
    command::ask(Command::new(&python).args(["-c", IMPORTS]))?;
    fs::write(&complete, listed).map_err(|error| Error::file(&complete, error))?;
    Ok(python)
}

fn interpreter(folder: &Path) -> PathBuf {
    if cfg!(windows) { folder.join("Scripts/python.exe") } else { folder.join("bin/python") }
}

/// Where the scripts are that make and prove packages.
pub fn export_folder(workspace: &Workspace) -> PathBuf {
    workspace.root.join("models").join("export")
}

/// One of the scripts, to be run.
pub fn script(workspace: &Workspace, python: &Path, name: &str) -> Command {
    let mut script = Command::new(python);
    script.arg(export_folder(workspace).join(name));
    script
}
