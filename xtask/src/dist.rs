//! What is given to people: an archive of the kit for developers with the plugins, and a wheel for Python. Both have all they
//! need inside, and need no environment variable.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::Command,
};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};
use zip::{ZipWriter, write::SimpleFileOptions};

use crate::{
    bundle, command,
    error::{Error, Result},
    install::copy_tree,
    sdk,
    shared::SONAME,
    workspace::{Workspace, make_folder},
};

const VERSION: &str = env!("CARGO_PKG_VERSION");
/// Debian 12's libc, which everything is linked against.
const PLATFORM: &str = "manylinux_2_36_x86_64";

/// Builds both into `target/dist`, and says where they lie.
///
/// # Errors
/// If anything can't be built or written, or this is no Linux on x86-64.
pub fn run(workspace: &Workspace) -> Result<()> {
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        return Err(Error::plain("archives are made on Linux on x86-64 only so far"));
    }
    // It sets up and builds as well.
    let bundles = bundle::run(workspace)?;
    let folder = workspace.target.join("dist");
    let name = format!("rotomask-{VERSION}-linux-x86_64");
    let tree = folder.join(&name);
    if tree.exists() {
        fs::remove_dir_all(&tree).map_err(|error| Error::file(&tree, error))?;
    }
    sdk::lay_out(workspace, &tree)?;
    copy_tree(&bundles, &tree.join("plugins"))?;
    let archive = folder.join(format!("{name}.tar.gz"));
    let mut tar = Command::new("tar");
    // The same bytes for the same build, whoever makes it.
    tar.args(["--sort=name", "--owner=0", "--group=0", "--numeric-owner", "--mtime=@0", "-C"]);
    command::ask(tar.arg(&folder).arg("-czf").arg(&archive).arg(&name))?;
    let wheel = wheel(&tree, &folder)?;
    for path in [archive, wheel] {
        let bytes = fs::metadata(&path).map_err(|error| Error::file(&path, error))?.len();
        println!("{} ({:.1} MB)", path.display(), bytes as f64 / 1e6);
    }
    Ok(())
}

/// Writes the wheel, as PyPA's "Binary distribution format" has it: the module as a package with the libraries beside it.
fn wheel(tree: &Path, folder: &Path) -> Result<PathBuf> {
    let info = format!("rotomask-{VERSION}.dist-info");
    let read = |path: &str| {
        let path = tree.join(path);
        fs::read(&path).map_err(|error| Error::file(&path, error))
    };
    let mut files: Vec<(String, Vec<u8>)> = vec![
        ("rotomask/__init__.py".into(), read("share/rotomask/python/rotomask.py")?),
        (format!("rotomask/{SONAME}"), read(&format!("lib/{SONAME}"))?),
        ("rotomask/rotomask/libonnxruntime.so".into(), read("lib/rotomask/libonnxruntime.so")?),
        (format!("{info}/METADATA"), metadata(&read("share/rotomask/README.md")?)),
        (
            format!("{info}/WHEEL"),
            format!(
                "Wheel-Version: 1.0\nGenerator: rotomask\nRoot-Is-Purelib: false\nTag: py3-none-{PLATFORM}\n"
            )
            .into(),
        ),
    ];
    for name in ["LICENSE-MIT", "LICENSE-APACHE", "LICENSE-onnxruntime", "ThirdPartyNotices-onnxruntime.txt"]
    {
        files.push((format!("{info}/licenses/{name}"), read(&format!("share/rotomask/licences/{name}"))?));
    }
    let record = format!("{info}/RECORD");
    files.push((record.clone(), recorded(&files, &record).into()));
    make_folder(folder)?;
    let path = folder.join(format!("rotomask-{VERSION}-py3-none-{PLATFORM}.whl"));
    let partial = path.with_extension("partial");
    let failed = |error: &dyn std::fmt::Display| Error::file(&path, error);
    let file = fs::File::create(&partial).map_err(|error| failed(&error))?;
    let mut zip = ZipWriter::new(file);
    for (name, bytes) in &files {
        let options = SimpleFileOptions::default().unix_permissions(0o644);
        zip.start_file(name, options).map_err(|error| failed(&error))?;
        zip.write_all(bytes).map_err(|error| failed(&error))?;
    }
    zip.finish().map_err(|error| failed(&error))?;
    fs::rename(&partial, &path).map_err(|error| failed(&error))?;
    Ok(path)
}

fn metadata(readme: &[u8]) -> Vec<u8> {
    let head = format!(
        "Metadata-Version: 2.4\nName: rotomask\nVersion: {VERSION}\nSummary: Rotoscoping masks for video editors\n\
         License-Expression: MIT OR Apache-2.0\nRequires-Python: >=3.9\nRequires-Dist: numpy\n\
         Description-Content-Type: text/markdown\n\n"
    );
    [head.as_bytes(), readme].concat()
}

/// A line a file: its name, its hash, its size. The record itself has neither.
fn recorded(files: &[(String, Vec<u8>)], record: &str) -> String {
    let line = |(name, bytes): &(String, Vec<u8>)| {
        let hash = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(bytes));
        format!("{name},sha256={hash},{}\n", bytes.len())
    };
    files.iter().map(line).collect::<String>() + record + ",,\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_has_hash_and_size_of_every_file_and_none_of_itself() {
        let files = [("a/b.py".to_owned(), b"abc".to_vec())];
        assert_eq!(
            recorded(&files, "x/RECORD"),
            "a/b.py,sha256=ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0,3\nx/RECORD,,\n"
        );
    }

    #[test]
    fn a_wheel_is_one_that_python_can_install() {
        let folder = tempfile::tempdir().unwrap();
        let tree = folder.path().join("tree");
        for name in [
            "share/rotomask/python/rotomask.py".to_owned(),
            format!("lib/{SONAME}"),
            "lib/rotomask/libonnxruntime.so".into(),
            "share/rotomask/README.md".into(),
            "share/rotomask/licences/LICENSE-MIT".into(),
            "share/rotomask/licences/LICENSE-APACHE".into(),
            "share/rotomask/licences/LICENSE-onnxruntime".into(),
            "share/rotomask/licences/ThirdPartyNotices-onnxruntime.txt".into(),
        ] {
            let path = tree.join(name);
            make_folder(path.parent().unwrap()).unwrap();
            fs::write(&path, "here = 1\n").unwrap();
        }
        let wheel = wheel(&tree, folder.path()).unwrap();
        let target = folder.path().join("site");
        let mut pip = Command::new("python3");
        pip.args(["-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target"]);
        command::ask(pip.arg(&target).arg(&wheel)).unwrap();
        let mut python = Command::new("python3");
        python
            .env("PYTHONPATH", &target)
            .args(["-c", "import rotomask; print(rotomask.here, rotomask.__file__)"]);
        assert!(command::ask(&mut python).unwrap().starts_with("1 "));
        assert!(target.join("rotomask/rotomask/libonnxruntime.so").is_file());
    }
}
