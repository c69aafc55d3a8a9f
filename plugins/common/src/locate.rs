//! Finding a session again whose project or media has moved.
//!
//! A host doesn't tell a plugin where its project lies. What it was started with often does: `melt shot.mlt`,
//! `kdenlive film.kdenlive`, `ffmpeg -i plates/shot.mp4`. Those files' folders are looked in, after the one that the artist
//! names, and before the current one.

use std::path::{Path, PathBuf};

use rotomask::store::SUFFIX;

use crate::{Error, Result};

/// Arguments of the host beyond this many are not looked at.
const MOST_ARGUMENTS: usize = 256;

/// The session's file: where the saved path says, or else in the project's or the media's folder.
///
/// `near` is a file or folder that the artist names, or an empty path.
///
/// # Errors
/// If it is nowhere, with the places that were looked at.
pub fn find(saved: &Path, near: &Path) -> Result<PathBuf> {
    if saved.is_absolute() && saved.is_file() {
        return Ok(saved.to_path_buf());
    }
    let folders = folders(near);
    if let Some(found) = look_in(saved, &folders) {
        return Ok(found);
    }
    let places: Vec<_> = folders.iter().map(|folder| folder.display().to_string()).collect();
    Err(Error::host(format!(
        "{}: no such session, nor one of its name in {}",
        saved.display(),
        if places.is_empty() { "the current folder".into() } else { places.join(", ") }
    )))
}

fn folders(near: &Path) -> Vec<PathBuf> {
    let mut folders = Vec::new();
    let mut add = |folder: Option<PathBuf>| {
        if let Some(folder) = folder.filter(|folder| folder.is_dir() && !folders.contains(folder)) {
            folders.push(folder);
        }
    };
    add(folder_of(near));
    for argument in std::env::args_os().skip(1).take(MOST_ARGUMENTS) {
        // Media is also written as `file:/a/b.mp4` and the like.
        let text = argument.to_string_lossy();
        let path = text.strip_prefix("file://").or(text.strip_prefix("file:")).unwrap_or(&text);
        if !path.starts_with('-') && Path::new(path).exists() {
            add(folder_of(Path::new(path)));
        }
    }
    add(std::env::current_dir().ok());
    folders
}

/// A folder itself, or the folder of a file.
fn folder_of(path: &Path) -> Option<PathBuf> {
    if path.as_os_str().is_empty() {
        return None;
    }
    let path = std::path::absolute(path).ok()?;
    if path.is_dir() { Some(path) } else { path.parent().map(Path::to_path_buf) }
}

/// The file under as much of its old path as is found in one of the folders: `/old/film/roto/a.rotosession` is looked for
/// as `film/roto/a.rotosession`, `roto/a.rotosession` and `a.rotosession`.
fn look_in(saved: &Path, folders: &[PathBuf]) -> Option<PathBuf> {
    let names: Vec<_> = saved
        .components()
        .filter_map(|part| match part {
            std::path::Component::Normal(name) => Some(name),
            _ => None,
        })
        .collect();
    let ends = (0..names.len()).map(|skip| names[skip..].iter().collect::<PathBuf>());
    let ends: Vec<PathBuf> = ends.collect();
    let found = |end: &PathBuf| folders.iter().map(|folder| folder.join(end)).find(|path| path.is_file());
    ends.iter().find_map(found)
}

/// A new session's path in the artist's own folder for data, when none was chosen.
///
/// # Errors
/// If there is no such folder, or it can't be made.
pub fn fresh() -> Result<PathBuf> {
    let folder = data_folder().ok_or_else(|| {
        Error::host("session: this system names no folder for data: choose a file for the session")
    })?;
    let folder = folder.join("rotomask").join("sessions");
    std::fs::create_dir_all(&folder)
        .map_err(|e| Error::host(format!("{}: it can't be made: {e}", folder.display())))?;
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let name = format!("shot-{}-{}.{SUFFIX}", now.as_millis(), std::process::id());
    Ok(folder.join(name))
}

fn data_folder() -> Option<PathBuf> {
    let named = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    if cfg!(windows) {
        return named("LOCALAPPDATA");
    }
    if cfg!(target_os = "macos") {
        return Some(named("HOME")?.join("Library").join("Application Support"));
    }
    named("XDG_DATA_HOME").or_else(|| Some(named("HOME")?.join(".local").join("share")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_found_where_it_was_saved_or_by_the_longest_end_of_its_path() {
        let folder = tempfile::tempdir().unwrap();
        let place = |name: &str| folder.path().join(name);
        std::fs::create_dir_all(place("film/roto")).unwrap();
        std::fs::write(place("a.rotosession"), "").unwrap();
        std::fs::write(place("film/roto/a.rotosession"), "").unwrap();
        let media = place("plate.mp4");
        std::fs::write(&media, "").unwrap();
        let found = |saved: &str| find(Path::new(saved), &media).unwrap();
        assert_eq!(found("/old/film/roto/a.rotosession"), place("film/roto/a.rotosession"));
        assert_eq!(found("/old/other/a.rotosession"), place("a.rotosession"));
        assert_eq!(found("film/roto/a.rotosession"), place("film/roto/a.rotosession"));
        let said = find(Path::new("/old/b.rotosession"), &media).unwrap_err().to_string();
        assert!(said.starts_with("/old/b.rotosession: no such session, nor one of its name in "), "{said}");
        assert!(said.contains(folder.path().to_str().unwrap()), "{said}");
    }
}
