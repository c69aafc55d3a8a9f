//! The checks that a plugin of rotomask's must pass, one by one. Each is a sentence, passed or failed.

mod bundle;
mod cost;
mod frei0r;
mod hostile;
mod pixels;
mod reference;
mod tracking;
mod viewer;

use std::path::{Path, PathBuf};

use openfx_abi::{kOfxImageEffectContextFilter, kOfxImageEffectContextGeneral};

use crate::clip::Frames;
use crate::plugin::{Descriptor, Plugin};
use crate::quirks::Quirks;
use crate::world::world;
use crate::{Error, Result};
pub use cost::cost;
pub use reference::{Shot, made_clip};

/// What is checked, and with what.
#[derive(Clone, Debug)]
pub struct Subject {
    /// The OpenFX plugin: a bundle, or the library itself.
    pub plugin: PathBuf,
    /// The frei0r plugin, if it is to be checked too.
    pub frei0r: Option<PathBuf>,
    /// The `rotomask` command, whose masks are the reference.
    pub command: PathBuf,
    /// A clip and a click in its first frame; otherwise clips are made.
    pub clip: Option<(PathBuf, [f32; 2])>,
    /// Frames of the clip that are looked at.
    pub frames: u64,
}

/// What came of all checks.
#[derive(Debug, Default)]
pub struct Report {
    /// How many passed.
    pub passed: u32,
    /// What failed: the check and why.
    pub failed: Vec<(String, String)>,
}

impl Report {
    /// Notes one check, and says it.
    pub fn check(&mut self, name: &str, found: Result<String>) {
        let broken = std::mem::take(&mut world().violations);
        match found {
            Ok(detail) if broken.is_empty() => {
                self.passed += 1;
                println!("passed: {name}{}{detail}", if detail.is_empty() { "" } else { ": " });
            }
            Ok(_) => self.fail(name, &format!("against the standard: {}", broken.join("; "))),
            Err(problem) => self.fail(name, &problem.to_string()),
        }
    }

    fn fail(&mut self, name: &str, why: &str) {
        println!("FAILED: {name}: {why}");
        self.failed.push((name.to_owned(), why.to_owned()));
    }
}

/// Runs every check.
///
/// # Errors
/// If nothing can be checked at all: the plugin can't be loaded, or the reference can't be made.
pub fn run(subject: &Subject) -> Result<Report> {
    let mut report = Report::default();
    let folder = tempfile::tempdir().map_err(|e| Error::plain(format!("no temporary folder: {e}")))?;
    // Wide and small: every form of pixels is gone through.
    let shot = Shot::make(subject, folder.path(), [322, 182])?;
    report.check(
        "8: the library exports the standard's three functions and nothing else",
        bundle::exports(&subject.plugin),
    );
    if subject.plugin.is_dir() {
        report.check("8: the bundle is laid out as hosts look for it", bundle::layout(&subject.plugin));
    }
    let plugin = Plugin::open(&subject.plugin, None)?;
    report.check(
        "2: 1000 loads load no model, and 1000 instances leak nothing",
        hostile::over_and_over(&plugin, &shot),
    );
    report.check("1: every form of pixels gives the reference's matte", pixels::forms(&plugin, &shot));
    report.check(
        "1: alpha, straight and premultiplied, is the matte times the source's",
        pixels::cutouts(&plugin, &shot),
    );
    report.check("3: frames in any order on 4 threads are those in order", pixels::shuffled(&plugin, &shot));
    report.check("3: the source passes where there is no mask", pixels::passing(&plugin, &shot));
    report.check(
        "4: a host without other frames is told what to do instead",
        tracking::refuses(&plugin, &shot),
    );
    report
        .check("5: tracking fetches every frame once", tracking::fetches_once(&plugin, &shot, folder.path()));
    report.check(
        "5: cancelled at half, what is finished is kept",
        tracking::cancelled(&plugin, &shot, folder.path()),
    );
    report.check("5: values last over save and reload", tracking::reloaded(&plugin, &shot));
    report.check(
        "5: a session that was moved is found beside its media",
        tracking::moved(&plugin, &shot, folder.path()),
    );
    report
        .check("6: a host that refuses everything meets no panic", hostile::refusing(&subject.plugin, &shot));
    report.check(
        "6: without optional suites the effect works",
        hostile::bare(&subject.plugin, &shot, folder.path()),
    );
    report
        .check("7: a click lands on its pixel at any zoom, aspect and scale", viewer::clicks(&plugin, &shot));
    report.check("7: modifiers, drags and keys say what they mean", viewer::gestures(&plugin, &shot));
    report.check(
        "7: a mask, a garbage matte and a background come in by the second clip",
        viewer::second(&plugin, &shot, folder.path()),
    );
    report.check(
        "a click, tracking both ways, save, reload, 4 threads: the command's mattes",
        viewer::whole_job(&plugin, &shot, folder.path()),
    );
    for mode in Quirks::MODES {
        report.check(
            &format!("the effect renders in a host with the ways of {mode}"),
            hostile::as_in(&subject.plugin, &shot, mode),
        );
    }
    world().quirks = Quirks::default();
    if let Some(frei0r) = &subject.frei0r {
        frei0r::all(&mut report, subject, frei0r, &shot, folder.path());
    }
    Ok(report)
}

/// Runs work in a host of other ways, and comes back to the strict ones.
fn in_host<T>(quirks: Quirks, work: impl FnOnce() -> T) -> T {
    world().quirks = quirks;
    crate::suites::host();
    let done = work();
    world().quirks = Quirks::default();
    crate::suites::host();
    done
}

/// The effect in the filter context.
fn filter(plugin: &Plugin) -> Result<Descriptor> {
    plugin.describe(kOfxImageEffectContextFilter)
}

/// The effect in the general context.
fn general(plugin: &Plugin) -> Result<Descriptor> {
    plugin.describe(kOfxImageEffectContextGeneral)
}

/// Says what differs, if anything does.
fn same<T: PartialEq + std::fmt::Debug>(what: &str, found: T, want: T) -> Result<()> {
    if found == want {
        return Ok(());
    }
    Err(Error::plain(format!("{what}: found {found:?}, expected {want:?}")))
}

/// The largest difference of two lists of code values.
fn largest_difference(a: &[u8], b: &[u8]) -> u8 {
    if a.len() != b.len() {
        return u8::MAX;
    }
    a.iter().zip(b).map(|(a, b)| a.abs_diff(*b)).max().unwrap_or(0)
}

/// A file inside a folder, as text.
fn path_in(folder: &Path, name: &str) -> String {
    folder.join(name).to_string_lossy().into_owned()
}

/// All frames' numbers of a clip.
fn numbers(frames: &dyn Frames) -> std::ops::Range<u32> {
    0..frames.count()
}
