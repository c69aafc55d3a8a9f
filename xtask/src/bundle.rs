//! What an artist installs: the OpenFX bundle and the frei0r plugin, each with ONNX Runtime beside it. The model is inside
//! the plugins. Nothing needs an environment variable: a plugin knows where it lies.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::{
    error::{Error, Result},
    runtime, setup,
    workspace::{Workspace, make_folder},
};

/// A system that hosts run on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Platform {
    Linux,
    MacOs,
    Windows,
}

/// Never changes: projects are saved with it.
const IDENTIFIER: &str = "org.rotomask.Rotomask";
pub const BUNDLE: &str = "rotomask.ofx.bundle";

impl Platform {
    /// This system.
    ///
    /// # Errors
    /// If there are no hosts for it.
    pub fn here() -> Result<Self> {
        match std::env::consts::OS {
            "linux" => Ok(Self::Linux),
            "macos" => Ok(Self::MacOs),
            "windows" => Ok(Self::Windows),
            other => Err(Error::plain(format!("there are no hosts of OpenFX for {other}"))),
        }
    }

    /// The folder of a bundle that has the library, as OpenFX names it.
    fn folder(self) -> &'static str {
        match (self, std::env::consts::ARCH) {
            (Self::Linux, "aarch64") => "Linux-aarch64",
            (Self::Linux, _) => "Linux-x86-64",
            (Self::MacOs, _) => "MacOS",
            (Self::Windows, _) => "Win64",
        }
    }

    fn library(self, name: &str) -> String {
        match self {
            Self::Linux => format!("lib{name}.so"),
            Self::MacOs => format!("lib{name}.dylib"),
            Self::Windows => format!("{name}.dll"),
        }
    }

    fn suffix(self) -> &'static str {
        match self {
            Self::Linux => "so",
            Self::MacOs => "dylib",
            Self::Windows => "dll",
        }
    }
}

/// What lies where a plugin is put together from.
pub struct Parts<'a> {
    /// The folder of the built libraries.
    pub built: &'a Path,
    /// ONNX Runtime's library.
    pub runtime: &'a Path,
    /// The workspace's root.
    pub root: &'a Path,
}

enum Content {
    Copy(PathBuf),
    Text(String),
}

/// Every file of the bundles of a system: its place below the bundles' folder, and what is in it.
fn files(platform: Platform, parts: &Parts<'_>) -> Vec<(PathBuf, Content)> {
    let contents = Path::new(BUNDLE).join("Contents");
    let (native, resources) = (contents.join(platform.folder()), contents.join("Resources"));
    let frei0r = Path::new("frei0r-1");
    let runtime_name = platform.library("onnxruntime");
    // Windows' libraries have no `lib` before their names.
    let copy = |from: PathBuf| Content::Copy(from);
    let licences = |folder: &Path| {
        let own =
            ["LICENSE-MIT", "LICENSE-APACHE"].map(|name| (folder.join(name), copy(parts.root.join(name))));
        let theirs = parts.runtime.parent().unwrap_or(Path::new("."));
        let theirs = [
            ("LICENSE", "LICENSE-onnxruntime"),
            ("ThirdPartyNotices.txt", "ThirdPartyNotices-onnxruntime.txt"),
        ]
        .map(|(from, to)| (folder.join(to), copy(theirs.join(from))));
        own.into_iter().chain(theirs)
    };
    let mut files = vec![
        (native.join("rotomask.ofx"), copy(parts.built.join(platform.library("rotomask_openfx")))),
        (native.join(&runtime_name), copy(parts.runtime.to_path_buf())),
        (resources.join(format!("{IDENTIFIER}.png")), copy(parts.root.join("plugins/openfx/icon.png"))),
        // Hosts take every library in a folder of frei0r for a plugin: the runtime lies in one of its own.
        (
            frei0r.join("lib").join(format!("rotomask.{}", platform.suffix())),
            copy(parts.built.join(platform.library("rotomask_frei0r"))),
        ),
        (frei0r.join("rotomask").join(&runtime_name), copy(parts.runtime.to_path_buf())),
    ];
    files.extend(licences(&resources));
    files.extend(licences(&frei0r.join("rotomask")));
    if platform == Platform::MacOs {
        files.push((contents.join("Info.plist"), Content::Text(info_plist())));
    }
    files
}

/// What macOS wants to know of a bundle.
fn info_plist() -> String {
    let entries = [
        ("CFBundleDevelopmentRegion", "English"),
        ("CFBundleExecutable", "rotomask.ofx"),
        ("CFBundleIdentifier", IDENTIFIER),
        ("CFBundleInfoDictionaryVersion", "6.0"),
        ("CFBundleName", "Rotomask"),
        ("CFBundlePackageType", "BNDL"),
        ("CFBundleSignature", "????"),
        ("CFBundleShortVersionString", env!("CARGO_PKG_VERSION")),
        ("CFBundleVersion", env!("CARGO_PKG_VERSION")),
    ];
    let lines: String = entries
        .iter()
        .map(|(key, value)| format!("  <key>{key}</key>\n  <string>{value}</string>\n"))
        .collect();
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \
         \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n<plist version=\"1.0\">\n<dict>\n{lines}</dict>\n</plist>\n"
    )
}

/// Puts the bundles of a system together in `folder`, which is emptied first.
///
/// # Errors
/// If a part is missing or can't be copied.
pub fn assemble(platform: Platform, parts: &Parts<'_>, folder: &Path) -> Result<()> {
    for old in [BUNDLE, "frei0r-1"].map(|name| folder.join(name)) {
        if old.exists() {
            fs::remove_dir_all(&old).map_err(|error| Error::file(&old, error))?;
        }
    }
    for (place, content) in files(platform, parts) {
        let place = folder.join(place);
        make_folder(place.parent().unwrap_or(folder))?;
        match content {
            Content::Copy(from) => {
                let failed = |error| Error::file(&from, error);
                // A link costs neither time nor room where it can be made; the bundle is copied when it is installed.
                fs::hard_link(&from, &place)
                    .or_else(|_| fs::copy(&from, &place).map(|_| ()))
                    .map_err(failed)?;
            }
            Content::Text(text) => fs::write(&place, text).map_err(|error| Error::file(&place, error))?,
        }
    }
    Ok(())
}

/// Puts this system's bundles together from what is built, and gives their folder.
///
/// # Errors
/// If a part is missing.
pub fn make(workspace: &Workspace) -> Result<PathBuf> {
    let runtime = runtime::install(workspace)?;
    let folder = workspace.target.join("bundle");
    let parts = Parts { built: &workspace.release(), runtime: &runtime, root: &workspace.root };
    assemble(Platform::here()?, &parts, &folder)?;
    Ok(folder)
}

/// Sets up, builds, and puts the bundles together.
///
/// # Errors
/// If any of that fails.
pub fn run(workspace: &Workspace) -> Result<PathBuf> {
    setup::to_build(workspace)?;
    workspace.build_program()?;
    let folder = make(workspace)?;
    println!("OpenFX: {}\nfrei0r: {}", folder.join(BUNDLE).display(), folder.join("frei0r-1").display());
    Ok(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All files below a folder, as paths with slashes, sorted.
    fn listed(folder: &Path) -> Vec<String> {
        fn walk(folder: &Path, root: &Path, into: &mut Vec<String>) {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    walk(&path, root, into);
                } else {
                    into.push(path.strip_prefix(root).unwrap().to_string_lossy().replace('\\', "/"));
                }
            }
        }
        let mut all = Vec::new();
        walk(folder, folder, &mut all);
        all.sort();
        all
    }

    fn made(platform: Platform) -> (tempfile::TempDir, Vec<String>) {
        let folder = tempfile::tempdir().unwrap();
        let (built, root) = (folder.path().join("built"), folder.path().join("root"));
        for path in [
            built.join(platform.library("rotomask_openfx")),
            built.join(platform.library("rotomask_frei0r")),
            built.join(platform.library("onnxruntime")),
            built.join("LICENSE"),
            built.join("ThirdPartyNotices.txt"),
            root.join("LICENSE-MIT"),
            root.join("LICENSE-APACHE"),
            root.join("plugins/openfx/icon.png"),
        ] {
            make_folder(path.parent().unwrap()).unwrap();
            fs::write(&path, path.file_name().unwrap().to_str().unwrap()).unwrap();
        }
        let parts =
            Parts { built: &built, runtime: &built.join(platform.library("onnxruntime")), root: &root };
        let out = folder.path().join("out");
        // Twice: what was there is replaced.
        assemble(platform, &parts, &out).unwrap();
        assemble(platform, &parts, &out).unwrap();
        let listed = listed(&out);
        (folder, listed)
    }

    #[test]
    fn every_system_has_its_layout() {
        let native = |platform: Platform| format!("{BUNDLE}/Contents/{}", platform.folder());
        for (platform, plugin, runtime) in [
            (Platform::Linux, "rotomask.so", "libonnxruntime.so"),
            (Platform::MacOs, "rotomask.dylib", "libonnxruntime.dylib"),
            (Platform::Windows, "rotomask.dll", "onnxruntime.dll"),
        ] {
            let (_folder, listed) = made(platform);
            for wanted in [
                format!("{}/rotomask.ofx", native(platform)),
                format!("{}/{runtime}", native(platform)),
                format!("{BUNDLE}/Contents/Resources/{IDENTIFIER}.png"),
                format!("{BUNDLE}/Contents/Resources/LICENSE-onnxruntime"),
                format!("frei0r-1/lib/{plugin}"),
                format!("frei0r-1/rotomask/{runtime}"),
            ] {
                assert!(listed.contains(&wanted), "{wanted} in {listed:?}");
            }
            let in_lib: Vec<_> = listed.iter().filter(|path| path.starts_with("frei0r-1/lib/")).collect();
            assert_eq!(in_lib.len(), 1, "hosts load every library there: {in_lib:?}");
            let plist = listed.contains(&format!("{BUNDLE}/Contents/Info.plist"));
            assert_eq!(plist, platform == Platform::MacOs);
        }
        assert_eq!([Platform::MacOs.folder(), Platform::Windows.folder()], ["MacOS", "Win64"]);
    }

    #[test]
    fn the_information_for_macos_names_the_library_and_closes_what_it_opens() {
        let plist = info_plist();
        assert!(plist.contains("<key>CFBundleExecutable</key>\n  <string>rotomask.ofx</string>"));
        assert!(plist.contains(&format!("<string>{IDENTIFIER}</string>")));
        for tag in ["plist", "dict", "key", "string"] {
            let opened = plist.matches(&format!("<{tag}")).count();
            assert_eq!(opened, plist.matches(&format!("</{tag}>")).count(), "{tag}");
        }
    }
}
