//! Files that appear whole or not at all.
//!
//! A file is written beside its target under another name and takes the target's name at the end; on any
//! failure before that, what was there stays.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use tempfile::{Builder, TempPath};

use crate::{Error, Result};

/// What is being written at the moment, for [`remove_all`].
static UNFINISHED: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// A file on its way to its name. Dropped before [`Partial::publish`], it is removed.
#[derive(Debug)]
pub struct Partial {
    target: PathBuf,
    path: TempPath,
    _listed: Listed,
}

/// An entry in [`UNFINISHED`].
#[derive(Debug)]
struct Listed(PathBuf);

impl Partial {
    /// Creates an empty file beside `target`, with its suffix.
    ///
    /// # Errors
    /// If `target` is a folder, or its own folder is missing or can't be written to.
    pub fn create(target: &Path) -> Result<Self> {
        let folder = check_place(target)?;
        let name = target.file_stem().unwrap_or_default().to_string_lossy();
        let suffix = target.extension().map(|s| format!(".{}", s.to_string_lossy())).unwrap_or_default();
        let prefix = format!(".{name}.partial-");
        let mut builder = Builder::new();
        builder.prefix(&prefix).suffix(&suffix);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            // Temporary files are private by default, and the result is not one. The umask still applies.
            builder.permissions(fs::Permissions::from_mode(0o666));
        }
        let path = builder
            .tempfile_in(folder)
            .map_err(|e| Error::file(target, format!("its folder can't be written to: {e}")))?
            .into_temp_path();
        let listed = Listed::new(&path);
        Ok(Self { target: target.to_owned(), path, _listed: listed })
    }

    /// Where to write.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Gives the file its name, in place of any file that had it.
    ///
    /// # Errors
    /// If the system refuses. What was there stays.
    pub fn publish(self) -> Result<()> {
        let Self { target, path, _listed } = self;
        path.persist(&target).map_err(|e| Error::file(&target, e.error))
    }
}

impl Listed {
    fn new(path: &Path) -> Self {
        unfinished().push(path.to_owned());
        Self(path.to_owned())
    }
}

impl Drop for Listed {
    fn drop(&mut self) {
        unfinished().retain(|path| path != &self.0);
    }
}

/// Checks that a file could be written under this name, and gives its folder.
///
/// # Errors
/// If the name is a folder's, or the folder around it is missing.
pub fn check_place(target: &Path) -> Result<&Path> {
    if target.is_dir() {
        return Err(Error::file(target, "it is a folder, expected the name of a file to write"));
    }
    let folder = match target.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    if !folder.is_dir() {
        return Err(Error::file(target, format!("there is no folder {}", folder.display())));
    }
    Ok(folder)
}

/// Removes every unfinished file, just before the program is ended by force.
pub fn remove_all() {
    for path in unfinished().drain(..) {
        // There is nobody left to tell.
        let _ = fs::remove_file(path);
    }
}

fn unfinished() -> MutexGuard<'static, Vec<PathBuf>> {
    UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn a_published_file_replaces_the_old_one_and_leaves_nothing_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("out.json");
        fs::write(&target, "old").unwrap();
        let partial = Partial::create(&target).unwrap();
        fs::write(partial.path(), "new").unwrap();
        assert_eq!(fs::read_to_string(&target).unwrap(), "old");
        partial.publish().unwrap();
        assert_eq!(fs::read_to_string(&target).unwrap(), "new");
        assert_eq!(names(folder.path()), ["out.json"]);
    }

    #[test]
    fn an_abandoned_file_leaves_the_old_one_alone() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("out.json");
        fs::write(&target, "old").unwrap();
        let partial = Partial::create(&target).unwrap();
        fs::write(partial.path(), "half").unwrap();
        drop(partial);
        assert_eq!(fs::read_to_string(&target).unwrap(), "old");
        assert_eq!(names(folder.path()), ["out.json"]);
    }

    #[test]
    fn a_folder_in_the_way_and_a_missing_folder_are_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let said = Partial::create(folder.path()).unwrap_err().to_string();
        assert!(said.ends_with("it is a folder, expected the name of a file to write"), "{said}");
        let said = Partial::create(&folder.path().join("no/out.mp4")).unwrap_err().to_string();
        assert!(said.contains("there is no folder"), "{said}");
    }

    #[cfg(unix)]
    #[test]
    fn a_published_file_can_be_read_as_any_other() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let (ours, usual) = (folder.path().join("ours"), folder.path().join("usual"));
        Partial::create(&ours).unwrap().publish().unwrap();
        fs::write(&usual, "").unwrap();
        let mode = |p: &Path| fs::metadata(p).unwrap().permissions().mode();
        assert_eq!(mode(&ours), mode(&usual));
    }
}
