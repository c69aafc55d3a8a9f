//! The system's packages: FFmpeg's headers, clang, a software Vulkan driver, programs that plugins are tested in.

use std::process::Command;

use crate::{
    command,
    error::{Error, Result},
};

const DEBIAN: &[&str] = &[
    "libavcodec-dev",
    "libavformat-dev",
    "libavutil-dev",
    "libavfilter-dev",
    "libavdevice-dev",
    "libswscale-dev",
    "libswresample-dev",
    "clang",
    "libclang-dev",
    "pkg-config",
    // The header is also tested as C++.
    "g++",
    // Compares the interface with the one that was promised.
    "abigail-tools",
    // What is installed is found by it.
    "cmake",
    "mesa-vulkan-drivers",
    "libvulkan1",
    "ffmpeg",
    // Programs that the frei0r plugin is tested in, beside ffmpeg.
    "melt",
    "gstreamer1.0-tools",
    "gstreamer1.0-plugins-base",
    "gstreamer1.0-plugins-bad",
    // The viewer in C++, a display without a screen and a hand for its mouse, and what looks for leaks.
    "libsdl2-dev",
    "xvfb",
    "xdotool",
    "valgrind",
    // Some installations of Python 3 have no pip, and it can't be installed without one.
    "python3-pip",
    // The Python module is tested with arrays.
    "python3-numpy",
];

/// Installs what is missing, where it is known how.
///
/// # Errors
/// If something is missing and this is not root, or the installation fails; with the line to run.
pub fn install() -> Result<()> {
    if command::succeeds(Command::new("dpkg-query").arg("--version")) {
        return install_debian();
    }
    // Elsewhere the build itself tells what it misses; this tells it sooner.
    if command::succeeds(Command::new("pkg-config").args(["--exists", "libavformat", "libswscale"])) {
        return Ok(());
    }
    Err(Error::plain(
        "FFmpeg's headers were not found by pkg-config: install FFmpeg 4 to 8 with its headers, clang (libclang), \
         pkg-config and Python 3 with pip, on macOS by `brew install ffmpeg pkg-config llvm python`",
    ))
}

fn install_debian() -> Result<()> {
    let missing = missing_on_debian();
    if missing.is_empty() {
        return Ok(());
    }
    let root = command::ask(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0");
    if !root {
        return Err(Error::plain(format!(
            "Debian packages are missing; run this, then try again:\n    \
             sudo apt-get update && sudo apt-get install --no-install-recommends {}",
            missing.join(" ")
        )));
    }
    let apt = |arguments: &[&str]| {
        let mut apt = Command::new("apt-get");
        apt.env("DEBIAN_FRONTEND", "noninteractive").args(arguments);
        apt
    };
    command::run(&mut apt(&["-q", "update"]))?;
    command::run(apt(&["-q", "install", "--yes", "--no-install-recommends"]).args(missing))
}

fn missing_on_debian() -> Vec<&'static str> {
    // It fails where one package is unknown, and still prints the others.
    let listed = Command::new("dpkg-query")
        .args(["--show", "--showformat=${Package} ${db:Status-Status}\\n"])
        .args(DEBIAN)
        .output()
        .map(|output| String::from_utf8_lossy(&output.stdout).into_owned())
        .unwrap_or_default();
    let pip = || command::succeeds(Command::new("python3").args(["-m", "pip", "--version"]));
    missing_from(&listed).into_iter().filter(|&package| package != "python3-pip" || !pip()).collect()
}

fn missing_from(listed: &str) -> Vec<&'static str> {
    let installed = |package: &str| listed.lines().any(|line| line == format!("{package} installed"));
    DEBIAN.iter().copied().filter(|package| !installed(package)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_removed_package_and_an_unknown_one_are_missing() {
        let mut listed: String =
            DEBIAN.iter().skip(2).map(|package| format!("{package} installed\n")).collect();
        listed += "libavcodec-dev config-files\n";
        assert_eq!(missing_from(&listed), ["libavcodec-dev", "libavformat-dev"]);
    }
}
