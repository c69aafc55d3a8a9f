//! The kit for developers of hosts: headers, libraries, what CMake and pkg-config want to know, Python's module, the default
//! model and the documentation, below one prefix. It can be moved as a whole: nothing in it knows where it lies.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::{
    error::{Error, Result},
    install::copy_tree,
    runtime, setup,
    shared::{self, SONAME, SYSTEM},
    workspace::{Workspace, make_folder},
};

const PKG_CONFIG: &str = include_str!("../sdk/rotomask.pc.in");
const CMAKE: &str = include_str!("../sdk/rotomask-config.cmake.in");
const CMAKE_VERSION: &str = include_str!("../sdk/rotomask-config-version.cmake.in");

/// Sets up, builds, and lays the kit out below a prefix. What else lies there stays.
///
/// # Errors
/// If any of that fails.
pub fn run(workspace: &Workspace, prefix: &Path) -> Result<()> {
    setup::to_build(workspace)?;
    workspace.build_program()?;
    let prefix = std::path::absolute(prefix).map_err(|error| Error::file(prefix, error))?;
    lay_out(workspace, &prefix)?;
    println!(
        "installed below {prefix}\n    export PKG_CONFIG_PATH={prefix}/lib/pkgconfig   # cc ... $(pkg-config --cflags --libs rotomask)\n    \
         cmake -DCMAKE_PREFIX_PATH={prefix} ...              # find_package(rotomask), rotomask::rotomask\n    \
         export PYTHONPATH={prefix}/share/rotomask/python    # import rotomask",
        prefix = prefix.display()
    );
    Ok(())
}

/// Lays the kit out from what is built. It is put together in a folder beside its place first, so that a failure leaves what
/// was there before.
///
/// # Errors
/// If a part is missing or can't be copied.
pub fn lay_out(workspace: &Workspace, prefix: &Path) -> Result<()> {
    let fresh = workspace.target.join("sdk.partial");
    if fresh.exists() {
        fs::remove_dir_all(&fresh).map_err(|error| Error::file(&fresh, error))?;
    }
    let (lib, share) = (fresh.join("lib"), fresh.join("share/rotomask"));
    make_folder(&lib)?;
    shared::link(workspace, &lib)?;
    link_to(Path::new(SONAME), &lib.join("librotomask.so"))?;
    copy(&workspace.release().join("librotomask.a"), &lib.join("librotomask.a"))?;
    let onnxruntime = runtime::install(workspace)?;
    let beside = onnxruntime.parent().unwrap_or(Path::new("."));
    copy(&onnxruntime, &lib.join("rotomask/libonnxruntime.so"))?;

    copy_tree(&workspace.root.join("include"), &fresh.join("include"))?;
    for (folder, name, template) in [
        ("pkgconfig", "rotomask.pc", PKG_CONFIG),
        ("cmake/rotomask", "rotomask-config.cmake", CMAKE),
        ("cmake/rotomask", "rotomask-config-version.cmake", CMAKE_VERSION),
    ] {
        write(&lib.join(folder).join(name), &filled_in(template))?;
    }

    let model = "rotomask-nano.rotomodel";
    copy_tree(&workspace.root.join("models").join(model), &share.join("models").join(model))?;
    copy_tree(&workspace.root.join("docs"), &share.join("doc"))?;
    for (from, to) in [
        (workspace.root.join("README.md"), "README.md"),
        (workspace.root.join("CHANGELOG.md"), "CHANGELOG.md"),
        (workspace.root.join("LICENSE-MIT"), "licences/LICENSE-MIT"),
        (workspace.root.join("LICENSE-APACHE"), "licences/LICENSE-APACHE"),
        (beside.join("LICENSE"), "licences/LICENSE-onnxruntime"),
        (beside.join("ThirdPartyNotices.txt"), "licences/ThirdPartyNotices-onnxruntime.txt"),
        (workspace.root.join("host-examples/python/rotomask.py"), "python/rotomask.py"),
    ] {
        copy(&from, &share.join(to))?;
    }
    for language in ["c", "cpp", "python"] {
        copy_tree(
            &workspace.root.join("host-examples").join(language),
            &share.join("examples").join(language),
        )?;
    }
    copy_tree(&fresh, prefix)?;
    fs::remove_dir_all(&fresh).map_err(|error| Error::file(&fresh, error))
}

fn filled_in(template: &str) -> String {
    let flags: Vec<_> = SYSTEM.iter().map(|name| format!("-l{name}")).collect();
    template
        .replace("@VERSION@", env!("CARGO_PKG_VERSION"))
        .replace("@SONAME@", SONAME)
        .replace("@STATIC_LIST@", &SYSTEM.join(";"))
        .replace("@STATIC@", &flags.join(" "))
}

fn copy(from: &Path, to: &PathBuf) -> Result<()> {
    make_folder(to.parent().unwrap_or(Path::new(".")))?;
    fs::copy(from, to).map(drop).map_err(|error| Error::file(from, error))
}

fn write(path: &Path, text: &str) -> Result<()> {
    make_folder(path.parent().unwrap_or(Path::new(".")))?;
    fs::write(path, text).map_err(|error| Error::file(path, error))
}

#[cfg(unix)]
fn link_to(target: &Path, link: &Path) -> Result<()> {
    std::os::unix::fs::symlink(target, link).map_err(|error| Error::file(link, error))
}

#[cfg(not(unix))]
fn link_to(target: &Path, link: &Path) -> Result<()> {
    let target = link.with_file_name(target);
    fs::copy(&target, link).map(drop).map_err(|error| Error::file(&target, error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_place_of_a_template_stays_empty() {
        for template in [PKG_CONFIG, CMAKE, CMAKE_VERSION] {
            let text = filled_in(template);
            assert!(!text.contains('@'), "{text}");
            assert!(text.contains(env!("CARGO_PKG_VERSION")) || text.contains(SONAME));
        }
        assert!(filled_in(PKG_CONFIG).contains("Libs.private: -lgcc_s -lutil"));
        assert!(filled_in(CMAKE).contains("\"gcc_s;util;rt;pthread;m;dl;c\""));
    }
}
