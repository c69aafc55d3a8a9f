//! Packages of SAM 2: official checkpoints, fetched and exported, and random models for comparisons.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    command,
    error::{Error, Result},
    python,
    wheel::sha256,
    workspace::{Workspace, make_folder},
};

#[derive(clap::Subcommand)]
pub enum Task {
    /// Download an official checkpoint, check its hash and export it as a package under target/models
    Fetch(Fetch),
}

#[derive(clap::Args)]
pub struct Fetch {
    /// Such as sam2.1_hiera_tiny
    name: String,
    /// mha for the CPU and CUDA, std for every other provider
    #[arg(long, default_value = "mha", value_parser = ["mha", "std"])]
    variant: String,
    /// Of large weights; all arithmetic is fp32
    #[arg(long, default_value = "fp16", value_parser = ["fp16", "fp32"])]
    storage: String,
}

/// A checkpoint as Meta publishes it.
struct Checkpoint {
    name: &'static str,
    /// The release's folder on the server.
    release: &'static str,
    bytes: u64,
    /// As the files' Git LFS pointers on Hugging Face have it.
    sha256: &'static str,
}

const fn checkpoint(
    name: &'static str,
    release: &'static str,
    bytes: u64,
    sha256: &'static str,
) -> Checkpoint {
    Checkpoint { name, release, bytes, sha256 }
}

const SERVER: &str = "https://dl.fbaipublicfiles.com/segment_anything_2";

#[rustfmt::skip]
const CHECKPOINTS: [Checkpoint; 8] = [
    checkpoint("sam2.1_hiera_tiny", "092824", 156_008_466, "7402e0d864fa82708a20fbd15bc84245c2f26dff0eb43a4b5b93452deb34be69"),
    checkpoint("sam2.1_hiera_small", "092824", 184_416_285, "6d1aa6f30de5c92224f8172114de081d104bbd23dd9dc5c58996f0cad5dc4d38"),
    checkpoint("sam2.1_hiera_base_plus", "092824", 323_606_802, "a2345aede8715ab1d5d31b4a509fb160c5a4af1970f199d9054ccfb746c004c5"),
    checkpoint("sam2.1_hiera_large", "092824", 898_083_611, "2647878d5dfa5098f2f8649825738a9345572bae2d4350a2468587ece47dd318"),
    checkpoint("sam2_hiera_tiny", "072824", 155_906_050, "65b50056e05bcb13694174f51bb6da89c894b57b75ccdf0ba6352c597c5d1125"),
    checkpoint("sam2_hiera_small", "072824", 184_309_650, "95949964d4e548409021d47b22712d5f1abf2564cc0c3c765ba599a24ac7dce3"),
    checkpoint("sam2_hiera_base_plus", "072824", 323_493_298, "d0bb7f236400a49669ffdd1be617959a8b1d1065081789d7bbff88eded3a8071"),
    checkpoint("sam2_hiera_large", "072824", 897_952_466, "7442e4e9b732a508f80e141e7c2913437a3610ee0c77381a66658c3a445df87b"),
];

impl Checkpoint {
    fn find(name: &str) -> Result<&'static Self> {
        CHECKPOINTS.iter().find(|known| known.name == name).ok_or_else(|| {
            let known: Vec<_> = CHECKPOINTS.iter().map(|known| known.name).collect();
            Error::plain(format!("{name}: no such official checkpoint; wanted one of {}", known.join(", ")))
        })
    }

    fn url(&self) -> String {
        format!("{SERVER}/{}/{}.pt", self.release, self.name)
    }

    /// Checks size and hash of a file that claims to be it.
    fn check(&self, path: &Path) -> Result<()> {
        let found = fs::metadata(path).map_err(|error| Error::file(path, error))?.len();
        if found != self.bytes {
            return Err(Error::file(path, format!("it has {found} bytes, expected {}", self.bytes)));
        }
        let found = sha256(path)?;
        if found != self.sha256 {
            return Err(Error::file(path, format!("its SHA-256 is {found}, expected {}", self.sha256)));
        }
        Ok(())
    }

    /// Fetches it to `path`, unless it is there.
    fn fetch(&self, path: &Path) -> Result<()> {
        if path.is_file() {
            return self.check(path);
        }
        let partial = path.with_extension("pt.partial");
        let mut curl = Command::new("curl");
        curl.args(["--fail", "--location", "--show-error", "--connect-timeout", "20", "--output"]);
        command::run(curl.arg(&partial).arg(self.url())).map_err(|error| {
            Error::plain(format!(
                "{error}\nWhere there is no network, put {}, {} bytes of SHA-256 {}, at {} and try again",
                self.url(),
                self.bytes,
                self.sha256,
                path.display()
            ))
        })?;
        self.check(&partial)?;
        fs::rename(&partial, path).map_err(|error| Error::file(path, error))
    }
}

/// Runs a task.
///
/// # Errors
/// If the name is unknown, the checkpoint can't be had or is another, or the export fails.
pub fn run(workspace: &Workspace, task: &Task) -> Result<()> {
    let Task::Fetch(wanted) = task;
    let checkpoint = Checkpoint::find(&wanted.name)?;
    let folder = workspace.target.join("models");
    make_folder(&folder)?;
    let (weights, package) =
        (folder.join(format!("{}.pt", wanted.name)), folder.join(format!("{}.rotomodel", wanted.name)));
    checkpoint.fetch(&weights)?;
    let python = python::find(workspace)?;
    let mut export = python::script(workspace, &python, "export.py");
    export.args(["--config", &wanted.name, "--variant", &wanted.variant, "--storage", &wanted.storage]);
    command::run(export.arg("--checkpoint").arg(&weights).arg(&package))?;
    println!("{}: `rotomask track --model {0}` takes it", package.display());
    Ok(())
}

/// A package, and the checkpoint that it was exported from.
pub struct Random {
    pub package: PathBuf,
    pub weights: PathBuf,
}

/// The named model at random weights of a seed, stored as fp32. What was exported before is taken again, unless a
/// script has changed since.
///
/// # Errors
/// If the export fails.
pub fn random(
    workspace: &Workspace,
    python: &Path,
    name: &str,
    seed: u32,
    variant: &str,
    size: Option<u32>,
) -> Result<Random> {
    let folder = workspace.target.join("parity");
    make_folder(&folder)?;
    let at = size.map_or_else(String::new, |size| format!("-{size}"));
    let stem = format!("{name}-{seed}-{variant}{at}");
    let random = Random {
        package: folder.join(format!("{stem}.rotomodel")),
        weights: folder.join(format!("{stem}.pt")),
    };
    let made = modified(&random.weights);
    if made.is_some() && random.package.is_dir() && made > newest(&python::export_folder(workspace)) {
        return Ok(random);
    }
    let mut export = python::script(workspace, python, "export.py");
    export.args([
        "--config",
        name,
        "--random-seed",
        &seed.to_string(),
        "--variant",
        variant,
        "--storage",
        "fp32",
    ]);
    if let Some(size) = size {
        export.args(["--size", &size.to_string()]);
    }
    command::run(export.arg("--weights").arg(&random.weights).arg(&random.package))?;
    Ok(random)
}

fn modified(path: &Path) -> Option<std::time::SystemTime> {
    fs::metadata(path).ok()?.modified().ok()
}

/// When the last of the scripts that a package depends on was changed.
fn newest(folder: &Path) -> Option<std::time::SystemTime> {
    const SCRIPTS: [&str; 9] =
        ["attention", "contract", "export", "graphs", "image_encoder", "models", "pack", "proof", "weights"];
    SCRIPTS.iter().filter_map(|script| modified(&folder.join(format!("{script}.py")))).max()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_checkpoint_is_refused_with_those_that_are_known() {
        let said = Checkpoint::find("sam3").err().unwrap().to_string();
        assert!(
            said.starts_with("sam3: no such official checkpoint; wanted one of sam2.1_hiera_tiny, "),
            "{said}"
        );
    }

    #[test]
    fn every_checkpoint_has_a_whole_hash_and_the_servers_address() {
        for known in &CHECKPOINTS {
            assert!(
                known.sha256.len() == 64 && known.sha256.bytes().all(|b| b.is_ascii_hexdigit()),
                "{}",
                known.name
            );
        }
        let tiny = Checkpoint::find("sam2.1_hiera_tiny").unwrap();
        assert_eq!(
            tiny.url(),
            "https://dl.fbaipublicfiles.com/segment_anything_2/092824/sam2.1_hiera_tiny.pt"
        );
    }

    #[test]
    fn a_file_of_another_size_is_refused_before_it_is_hashed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sam2_hiera_tiny.pt");
        fs::write(&path, "not it").unwrap();
        let said = Checkpoint::find("sam2_hiera_tiny").unwrap().fetch(&path).unwrap_err().to_string();
        assert!(said.ends_with("it has 6 bytes, expected 155906050"), "{said}");
    }
}
