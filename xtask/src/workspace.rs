//! Where things lie.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde::Deserialize;

use crate::{
    command,
    error::{Error, Result},
};

/// The folders of this checkout.
pub struct Workspace {
    pub root: PathBuf,
    /// Cargo's target folder, wherever it was asked to be.
    pub target: PathBuf,
}

#[derive(Deserialize)]
struct Metadata {
    workspace_root: PathBuf,
    target_directory: PathBuf,
}

impl Workspace {
    /// Asks cargo.
    ///
    /// # Errors
    /// If cargo can't tell.
    pub fn find() -> Result<Self> {
        let mut ask = cargo();
        ask.args(["metadata", "--no-deps", "--format-version", "1"]);
        let metadata: Metadata = serde_json::from_str(&command::ask(&mut ask)?)
            .map_err(|error| Error::plain(format!("cargo metadata: {error}")))?;
        Ok(Self { root: metadata.workspace_root, target: metadata.target_directory })
    }

    /// cargo, to be run in the workspace's root.
    pub fn cargo(&self) -> Command {
        let mut cargo = cargo();
        cargo.current_dir(&self.root);
        cargo
    }

    /// Where the release build puts libraries and programs.
    pub fn release(&self) -> PathBuf {
        self.target.join("release")
    }

    /// The command line program of the release build.
    pub fn program(&self) -> PathBuf {
        self.release().join(format!("rotomask{}", env::consts::EXE_SUFFIX))
    }

    /// The C library of the release build.
    pub fn library(&self) -> PathBuf {
        self.release().join(format!("{}rotomask{}", env::consts::DLL_PREFIX, env::consts::DLL_SUFFIX))
    }

    /// Builds what a user would install. The whole workspace, so that what a test run has built is not built again
    /// with other features.
    ///
    /// # Errors
    /// If the build fails.
    pub fn build_program(&self) -> Result<()> {
        command::run(self.cargo().args(["build", "--release", "--workspace"]))
    }
}

fn cargo() -> Command {
    Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// Makes a folder and those it lies in.
///
/// # Errors
/// If it can't be made.
pub fn make_folder(path: &Path) -> Result<()> {
    fs::create_dir_all(path).map_err(|error| Error::file(path, error))
}
