//! The shared library as it is installed: its name says the ABI, and each symbol which promise it belongs to.
//!
//! Cargo links one too, which tests and plug-ins load; it can't be told versions of symbols, because the compiler passes a
//! list of its own. So the installed one is linked once more, from the static library.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    command,
    error::{Error, Result},
    workspace::Workspace,
};

/// What loaders look for: the ABI's number is in it.
pub const SONAME: &str = "librotomask.so.1";
/// What the static library needs of the system.
pub const SYSTEM: [&str; 7] = ["gcc_s", "util", "rt", "pthread", "m", "dl", "c"];

/// Which header declares a symbol, and the version it gets.
const PROMISES: [(&str, &str); 2] = [("rotomask.h", "ROTOMASK_1"), ("rotomask_draft.h", "ROTOMASK_DRAFT")];

/// Links the static library of the release build into `folder`, and gives the library's path.
///
/// # Errors
/// If a header can't be read, or the linker fails.
pub fn link(workspace: &Workspace, folder: &Path) -> Result<PathBuf> {
    if !cfg!(target_os = "linux") {
        return Err(Error::plain("the kit for developers is laid out on Linux only so far"));
    }
    let read = |(header, version): (&str, &'static str)| {
        let path = workspace.root.join("include").join(header);
        let text = fs::read_to_string(&path).map_err(|error| Error::file(&path, error))?;
        Ok((version, declared(&text)))
    };
    let promises = PROMISES.into_iter().map(read).collect::<Result<Vec<_>>>()?;
    let (script, library) = (folder.join("rotomask.map"), folder.join(SONAME));
    fs::write(&script, versions(&promises)).map_err(|error| Error::file(&script, error))?;
    let mut cc = Command::new("cc");
    cc.arg("-shared").arg("-o").arg(&library).arg(format!("-Wl,-soname,{SONAME}"));
    cc.arg(format!("-Wl,--version-script={}", script.display()));
    // What nothing refers to is left out, so each declared function is referred to.
    cc.args(promises.iter().flat_map(|(_, names)| names).map(|name| format!("-Wl,-u,{name}")));
    cc.args(["-Wl,--gc-sections", "-Wl,--as-needed", "-Wl,-z,relro,-z,now", "-Wl,--no-undefined", "-Wl,-s"]);
    cc.arg(workspace.release().join("librotomask.a")).args(SYSTEM.map(|name| format!("-l{name}")));
    command::ask(&mut cc)?;
    fs::remove_file(&script).map_err(|error| Error::file(&script, error))?;
    Ok(library)
}

/// The functions of a header: names at which a line begins a declaration.
fn declared(header: &str) -> Vec<String> {
    let code =
        header.lines().filter(|line| !line.starts_with(['/', ' ', '#']) && !line.starts_with("typedef"));
    let names = code.filter_map(|line| line.split_once('(')?.0.rsplit([' ', '*']).next());
    names.filter(|name| name.starts_with("rotomask_")).map(str::to_owned).collect()
}

fn versions(promises: &[(&str, Vec<String>)]) -> String {
    let node = |(at, (version, names)): (usize, &(&str, Vec<String>))| {
        let names: String = names.iter().map(|name| format!("    {name};\n")).collect();
        let rest = if at == 0 { "  local:\n    *;\n" } else { "" };
        format!("{version} {{\n  global:\n{names}{rest}}};\n")
    };
    promises.iter().enumerate().map(node).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "/// As rotomask_no(1).\ntypedef int32_t (*rotomask_callback)(void *user);\n\
        const char *rotomask_version(void);\nvoid rotomask_a_init(struct rotomask_a *a,\n                     size_t size);\n";

    #[test]
    fn functions_are_found_and_nothing_else() {
        assert_eq!(declared(HEADER), ["rotomask_version", "rotomask_a_init"]);
    }

    #[test]
    fn each_promise_has_its_version_and_all_else_is_hidden() {
        let script = versions(&[("ONE", vec!["a".into(), "b".into()]), ("DRAFT", vec!["c".into()])]);
        assert_eq!(
            script,
            "ONE {\n  global:\n    a;\n    b;\n  local:\n    *;\n};\nDRAFT {\n  global:\n    c;\n};\n"
        );
    }
}
