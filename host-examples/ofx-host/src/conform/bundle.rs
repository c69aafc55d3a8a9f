//! What a plugin shows to the outside: its exports, its bundle.

use std::path::Path;
use std::process::Command;

use super::{reference::run, same};
use crate::Result;
use crate::plugin::library_of;

pub fn exports(plugin: &Path) -> Result<String> {
    if !cfg!(target_os = "linux") {
        return Ok("not looked at on this system".into());
    }
    let library = library_of(plugin)?;
    let listed = run(Command::new("nm").args(["-D", "--defined-only", "--format=posix"]).arg(&library))?;
    let mut names: Vec<_> = listed.lines().filter_map(|line| line.split(' ').next()).collect();
    names.sort_unstable();
    same("exports", names, vec!["OfxGetNumberOfPlugins", "OfxGetPlugin", "OfxSetHost"])?;
    Ok(String::new())
}

pub fn layout(bundle: &Path) -> Result<String> {
    let name = bundle.file_name().unwrap_or_default().to_string_lossy().into_owned();
    same("the bundle's name", name, "rotomask.ofx.bundle".to_owned())?;
    let library = library_of(bundle)?;
    let beside = library.with_file_name(plugin_common::place::runtime_name());
    let resources = bundle.join("Contents").join("Resources");
    for file in [library, beside, resources.join("org.rotomask.Rotomask.png")] {
        same(&file.to_string_lossy(), file.is_file(), true)?;
    }
    Ok(String::new())
}
