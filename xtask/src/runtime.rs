//! ONNX Runtime, out of its Python wheel.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use crate::{
    error::{Error, Result},
    wheel::Wheel,
    workspace::{Workspace, make_folder},
};

const VERSION: &str = "1.32.0";
const REQUIREMENT: &str = "onnxruntime==1.32.0";

struct Platform {
    /// As in `std::env::consts`.
    os: &'static str,
    arch: &'static str,
    wheel: Wheel,
    /// The library's name inside the wheel, and the name by which `librotomask` looks for it.
    library: (&'static str, &'static str),
}

const fn wheel(platform: &'static str, file: &'static str, sha256: &'static str) -> Wheel {
    Wheel { requirement: REQUIREMENT, file, sha256, platform: Some(platform) }
}

/// Wheels whose hashes were taken; other platforms have none for this version.
const PLATFORMS: [Platform; 5] = [
    Platform {
        os: "linux",
        arch: "x86_64",
        wheel: wheel(
            "manylinux_2_28_x86_64",
            "onnxruntime-1.32.0-cp312-cp312-manylinux_2_28_x86_64.whl",
            "99e1074c4b2197accd5073052a465361be17b89c093b8ffb6e6bd8f986c52df8",
        ),
        library: ("onnxruntime/capi/libonnxruntime.so.1.32.0", "libonnxruntime.so"),
    },
    Platform {
        os: "linux",
        arch: "aarch64",
        wheel: wheel(
            "manylinux_2_28_aarch64",
            "onnxruntime-1.32.0-cp312-cp312-manylinux_2_28_aarch64.whl",
            "e36c187006e7a7c8b8d6d57f1a209dd63f52430dca6c282b177718ad6b841054",
        ),
        library: ("onnxruntime/capi/libonnxruntime.so.1.32.0", "libonnxruntime.so"),
    },
    Platform {
        os: "macos",
        arch: "aarch64",
        wheel: wheel(
            "macosx_14_0_arm64",
            "onnxruntime-1.32.0-cp312-cp312-macosx_14_0_arm64.whl",
            "d52510bbbcc880c13b826f7d75cdf33ac5cf0bb864d960000fc29ce73f0cb83e",
        ),
        library: ("onnxruntime/capi/libonnxruntime.1.32.0.dylib", "libonnxruntime.dylib"),
    },
    Platform {
        os: "windows",
        arch: "x86_64",
        wheel: wheel(
            "win_amd64",
            "onnxruntime-1.32.0-cp312-cp312-win_amd64.whl",
            "efe7456952c243a05a53d5b8732953625144642c2f3989094277f6217f0c0c40",
        ),
        library: ("onnxruntime/capi/onnxruntime.dll", "onnxruntime.dll"),
    },
    Platform {
        os: "windows",
        arch: "aarch64",
        wheel: wheel(
            "win_arm64",
            "onnxruntime-1.32.0-cp312-cp312-win_arm64.whl",
            "64d394c69d561af3efd4d4f49dcac8f11d0ce135a20701c16d53b74056cd4cf8",
        ),
        library: ("onnxruntime/capi/onnxruntime.dll", "onnxruntime.dll"),
    },
];

impl Platform {
    fn find(os: &str, arch: &str) -> Result<&'static Self> {
        PLATFORMS.iter().find(|platform| platform.os == os && platform.arch == arch).ok_or_else(|| {
            let known: Vec<_> = PLATFORMS.iter().map(|p| format!("{} {}", p.os, p.arch)).collect();
            Error::plain(format!(
                "ONNX Runtime {VERSION} has no wheel for {os} {arch}, only for {}: build it, and name its library in \
                 ROTOMASK_ONNXRUNTIME",
                known.join(", ")
            ))
        })
    }
}

/// Unpacks ONNX Runtime with its licence, and gives the library's path.
///
/// # Errors
/// If this platform has no known wheel, or it can't be fetched.
pub fn install(workspace: &Workspace) -> Result<PathBuf> {
    let platform = Platform::find(env::consts::OS, env::consts::ARCH)?;
    let folder = workspace.target.join("onnxruntime").join(VERSION);
    let (packed, library) = platform.library;
    let licence = ("onnxruntime/LICENSE", "LICENSE");
    let notices = ("onnxruntime/ThirdPartyNotices.txt", "ThirdPartyNotices.txt");
    platform.wheel.unpack(&[(packed, library), licence, notices], &folder)?;
    Ok(folder.join(library))
}

/// Puts the library beside `librotomask`, which looks for it there.
///
/// # Errors
/// If it can't be linked or copied.
pub fn place_beside(library: &Path, folder: &Path) -> Result<()> {
    make_folder(folder)?;
    let name = library.file_name().ok_or_else(|| Error::file(library, "it has no name"))?;
    // Under another name first: a program may be running with the one that is there.
    let scratch = tempfile::tempdir_in(folder).map_err(|error| Error::file(folder, error))?;
    let (new, place) = (scratch.path().join(name), folder.join(name));
    fs::hard_link(library, &new)
        .or_else(|_| fs::copy(library, &new).map(|_| ()))
        .and_then(|()| fs::rename(&new, &place))
        .map_err(|error| Error::file(&place, error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_wheel_is_of_the_pinned_version_and_has_a_whole_hash() {
        assert!(REQUIREMENT.ends_with(VERSION));
        for platform in &PLATFORMS {
            let Wheel { file, sha256, platform: Some(tag), .. } = &platform.wheel else { panic!("no tag") };
            assert!(file.starts_with(&format!("onnxruntime-{VERSION}-")) && file.contains(tag), "{file}");
            assert!(sha256.len() == 64 && sha256.bytes().all(|b| b.is_ascii_hexdigit()), "{sha256}");
        }
    }

    #[test]
    fn an_unknown_platform_is_refused_with_those_that_are_known() {
        let said = Platform::find("linux", "riscv64").err().unwrap().to_string();
        assert!(said.contains("for linux riscv64, only for linux x86_64, linux aarch64"), "{said}");
    }

    #[test]
    fn placing_a_library_twice_replaces_it() {
        let folder = tempfile::tempdir().unwrap();
        let library = folder.path().join("libonnxruntime.so");
        let release = folder.path().join("release");
        for content in ["old", "new"] {
            fs::remove_file(&library).ok();
            fs::write(&library, content).unwrap();
            place_beside(&library, &release).unwrap();
            assert_eq!(fs::read_to_string(release.join("libonnxruntime.so")).unwrap(), content);
        }
        assert_eq!(fs::read_dir(&release).unwrap().count(), 1);
    }
}
