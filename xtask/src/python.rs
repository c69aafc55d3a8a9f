//! The Python with PyTorch and SAM 2, or with OpenCV alone, for what is compared with them. Nothing of it is needed to build or to run.

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
    if let Some(python) = named(IMPORTS)? {
        return Ok(python);
    }
    let wanted = requirements(workspace)?;
    let installed = Environment::new(workspace, "python", wanted + SAM2, "some gigabytes");
    installed.make(IMPORTS, |environment| {
        command::run(
            environment.pip(&["--requirement"]).arg(export_folder(workspace).join("requirements.txt")),
        )?;
        // It would ask for more than it needs, and build in an environment without PyTorch.
        command::run(&mut environment.pip(&["--no-deps", "--no-build-isolation", SAM2]))
    })
}

/// The same for what needs OpenCV and NumPy alone.
///
/// # Errors
/// As [`find`].
pub fn with_opencv(workspace: &Workspace) -> Result<PathBuf> {
    const IMPORTS: &str = "import cv2, numpy";
    if let Some(python) = named(IMPORTS)? {
        return Ok(python);
    }
    let listed = requirements(workspace)?;
    let wanted: Vec<&str> =
        listed.lines().filter(|line| line.starts_with("numpy==") || line.starts_with("opencv-")).collect();
    let installed = Environment::new(workspace, "python-opencv", wanted.join("\n"), "a hundred megabytes");
    installed.make(IMPORTS, |environment| command::run(&mut environment.pip(&wanted)))
}

/// The interpreter that the environment variable names.
fn named(imports: &str) -> Result<Option<PathBuf>> {
    let Some(named) = env::var_os(VARIABLE).filter(|named| !named.is_empty()) else { return Ok(None) };
    let python = PathBuf::from(named);
    command::ask(Command::new(&python).args(["-c", imports]))
        .map_err(|error| Error::plain(format!("{VARIABLE}: {error}; wanted one that can `{imports}`")))?;
    Ok(Some(python))
}

fn requirements(workspace: &Workspace) -> Result<String> {
    let wanted = export_folder(workspace).join("requirements.txt");
    fs::read_to_string(&wanted).map_err(|error| Error::file(&wanted, error))
}

/// A virtual environment under the target folder.
struct Environment {
    folder: PathBuf,
    /// What it is made of, as it is written into it once it is whole.
    listed: String,
    size: &'static str,
}

impl Environment {
    fn new(workspace: &Workspace, name: &str, listed: String, size: &'static str) -> Self {
        Self { folder: workspace.target.join(name), listed, size }
    }

    fn python(&self) -> PathBuf {
        if cfg!(windows) { self.folder.join("Scripts/python.exe") } else { self.folder.join("bin/python") }
    }

    /// Makes it, unless it is there.
    fn make(&self, imports: &str, install: impl FnOnce(&Self) -> Result<()>) -> Result<PathBuf> {
        let (python, complete) = (self.python(), self.folder.join("complete"));
        if fs::read_to_string(&complete).is_ok_and(|installed| installed == self.listed) {
            return Ok(python);
        }
        let folder = self.folder.display();
        println!("{VARIABLE} is not set: making a virtual environment, {}, in {folder}", self.size);
        if let Some(around) = self.folder.parent() {
            make_folder(around)?;
        }
        let system = if cfg!(windows) { "python" } else { "python3" };
        command::run(Command::new(system).args(["-m", "venv"]).arg(&self.folder))?;
        install(self)?;
        command::ask(Command::new(&python).args(["-c", imports]))?;
        fs::write(&complete, &self.listed).map_err(|error| Error::file(&complete, error))?;
        Ok(python)
    }

    fn pip(&self, arguments: &[&str]) -> Command {
        let mut pip = Command::new(self.python());
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]).args(arguments);
        pip.env("SAM2_BUILD_CUDA", "0");
        pip
    }
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
