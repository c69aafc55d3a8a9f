//! Other programs: run, or asked.

use std::{
    ffi::OsStr,
    process::{Command, Stdio},
    time::Instant,
};

use crate::error::{Error, Result};

/// A command as a person would type it, near enough to be tried by hand.
pub fn line(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ")
}

/// Runs a command with its output on the screen, and says how long it took.
///
/// # Errors
/// If it can't be started or fails.
pub fn run(command: &mut Command) -> Result<()> {
    let line = line(command);
    println!("=> {line}");
    let start = Instant::now();
    let status = command.status().map_err(|error| not_started(&line, &error))?;
    if !status.success() {
        return Err(Error::Command { line, outcome: format!("failed: {status}") });
    }
    println!("   done in {:.1} s", start.elapsed().as_secs_f64());
    Ok(())
}

/// What a command prints.
///
/// # Errors
/// If it can't be started or fails; with the last line of its complaint.
pub fn ask(command: &mut Command) -> Result<String> {
    let line = line(command);
    let output = command.stdin(Stdio::null()).output().map_err(|error| not_started(&line, &error))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let complaint = String::from_utf8_lossy(&output.stderr);
    let reason = complaint.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("and said nothing");
    Err(Error::Command { line, outcome: format!("failed: {}: {reason}", output.status) })
}

/// Whether a command can be started and succeeds.
pub fn succeeds(command: &mut Command) -> bool {
    command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

fn not_started(line: &str, error: &std::io::Error) -> Error {
    Error::Command { line: line.to_owned(), outcome: format!("could not be started: {error}") }
}
