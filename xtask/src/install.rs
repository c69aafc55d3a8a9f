//! Puts the plugins where hosts look, or the kit for developers below a prefix.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use crate::{
    bundle::{self, BUNDLE, Platform},
    error::{Error, Result},
    sdk,
    workspace::{Workspace, make_folder},
};

#[derive(clap::Args)]
pub struct Arguments {
    /// For this user only; otherwise for all, which needs the right to write there
    #[arg(long)]
    user: bool,
    /// Install the library, its headers and what belongs to them below this folder instead of the plugins
    #[arg(long, value_name = "DIR", conflicts_with = "user")]
    prefix: Option<PathBuf>,
}

/// Builds the plugins and installs them, or the kit for developers.
///
/// # Errors
/// If they can't be built, or a folder can't be written.
pub fn run(workspace: &Workspace, arguments: &Arguments) -> Result<()> {
    if let Some(prefix) = &arguments.prefix {
        return sdk::run(workspace, prefix);
    }
    let folder = bundle::run(workspace)?;
    let home = || {
        let home = env::var_os(if cfg!(windows) { "USERPROFILE" } else { "HOME" }).map(PathBuf::from);
        home.filter(|home| home.is_absolute()).ok_or_else(|| Error::plain("there is no home folder"))
    };
    let places = if arguments.user {
        Places::of_user(Platform::here()?, &home()?)
    } else {
        Places::of_all(Platform::here()?)
    };
    places.put(&folder)
}

/// Where plugins go.
struct Places {
    openfx: PathBuf,
    /// The folder that has frei0r's `lib`.
    frei0r: Option<PathBuf>,
    /// A file that tells sessions of this user where OpenFX plugins are: there is no folder of a user's own in the standard.
    environment: Option<PathBuf>,
}

impl Places {
    fn of_user(platform: Platform, home: &Path) -> Self {
        match platform {
            Platform::Linux => Self {
                openfx: home.join(".local/share/OFX/Plugins"),
                frei0r: Some(home.join(".frei0r-1")),
                environment: Some(home.join(".config/environment.d/60-rotomask.conf")),
            },
            Platform::MacOs => Self {
                openfx: home.join("Library/OFX/Plugins"),
                frei0r: Some(home.join(".frei0r-1")),
                environment: None,
            },
            Platform::Windows => Self { openfx: home.join("OFX/Plugins"), frei0r: None, environment: None },
        }
    }

    fn of_all(platform: Platform) -> Self {
        let (openfx, frei0r) = match platform {
            Platform::Linux => ("/usr/OFX/Plugins", Some("/usr/local/lib/frei0r-1")),
            Platform::MacOs => ("/Library/OFX/Plugins", None),
            Platform::Windows => (r"C:\Program Files\Common Files\OFX\Plugins", None),
        };
        Self { openfx: openfx.into(), frei0r: frei0r.map(PathBuf::from), environment: None }
    }

    fn put(&self, from: &Path) -> Result<()> {
        copy_tree(&from.join(BUNDLE), &self.openfx.join(BUNDLE))?;
        println!("installed {}", self.openfx.join(BUNDLE).display());
        if let Some(frei0r) = &self.frei0r {
            // A system's folder of frei0r has no `lib` in it.
            let (lib, beside) = match frei0r.file_name() {
                Some(name) if name == ".frei0r-1" => (frei0r.join("lib"), frei0r.join("rotomask")),
                _ => (frei0r.clone(), frei0r.with_file_name("rotomask")),
            };
            copy_tree(&from.join("frei0r-1/lib"), &lib)?;
            copy_tree(&from.join("frei0r-1/rotomask"), &beside)?;
            println!("installed rotomask in {}", lib.display());
        }
        if let Some(file) = &self.environment {
            make_folder(file.parent().unwrap_or(Path::new(".")))?;
            let path = self.openfx.display();
            let text = format!("OFX_PLUGIN_PATH={path}${{OFX_PLUGIN_PATH:+:$OFX_PLUGIN_PATH}}\n");
            fs::write(file, text).map_err(|error| Error::file(file, error))?;
            println!(
                "OpenFX hosts find it after the next login ({}); until then start them with\n    export OFX_PLUGIN_PATH={path}",
                file.display()
            );
        }
        Ok(())
    }
}

/// Copies a folder; files of the same names are replaced, others stay. A link stays one.
///
/// # Errors
/// If a file can't be read or written.
pub fn copy_tree(from: &Path, to: &Path) -> Result<()> {
    make_folder(to)?;
    for entry in fs::read_dir(from).map_err(|error| Error::file(from, error))? {
        let path = entry.map_err(|error| Error::file(from, error))?.path();
        let target = to.join(path.file_name().unwrap_or_default());
        if path.file_name().is_some_and(|name| name == "__pycache__") {
            continue;
        }
        #[cfg(unix)]
        if let Ok(pointed) = fs::read_link(&path) {
            let _ = fs::remove_file(&target);
            std::os::unix::fs::symlink(pointed, &target).map_err(|error| Error::file(&target, error))?;
            continue;
        }
        if path.is_dir() {
            copy_tree(&path, &target)?;
            continue;
        }
        // Under another name first: a host may have the one that is there in use.
        let partial = to.join(format!(".{}.partial", path.file_name().unwrap_or_default().to_string_lossy()));
        fs::copy(&path, &partial).map_err(|error| Error::file(&partial, error))?;
        fs::rename(&partial, &target).map_err(|error| Error::file(&target, error))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_users_plugins_go_where_hosts_look() {
        let folder = tempfile::tempdir().unwrap();
        let (from, home) = (folder.path().join("from"), folder.path().join("home"));
        for file in [
            "rotomask.ofx.bundle/Contents/Linux-x86-64/rotomask.ofx",
            "frei0r-1/lib/rotomask.so",
            "frei0r-1/rotomask/libonnxruntime.so",
        ] {
            make_folder(from.join(file).parent().unwrap()).unwrap();
            fs::write(from.join(file), file).unwrap();
        }
        let places = Places::of_user(Platform::Linux, &home);
        places.put(&from).unwrap();
        places.put(&from).unwrap();
        for file in [
            ".local/share/OFX/Plugins/rotomask.ofx.bundle/Contents/Linux-x86-64/rotomask.ofx",
            ".frei0r-1/lib/rotomask.so",
            ".frei0r-1/rotomask/libonnxruntime.so",
            ".config/environment.d/60-rotomask.conf",
        ] {
            assert!(home.join(file).is_file(), "{file}");
        }
        assert_eq!(fs::read_dir(home.join(".frei0r-1/lib")).unwrap().count(), 1);
    }
}
