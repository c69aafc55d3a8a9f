//! rotomask on the command line: a host that loads `librotomask` as any video editor would, reads and writes
//! video by FFmpeg, and puts the two together.
//!
//! The modules stand in the order in which a frame passes through them. [`library`] is all that a host of its
//! own needs to copy: the C API behind safe handles. The rest is this host's way with files.

pub mod error;
pub mod args;
pub mod prompt;
pub mod picture;
pub mod convert;
pub mod source;
pub mod library;
pub mod masks;
pub mod window;
pub mod partial;
pub mod sink;
pub mod look;
pub mod render;
pub mod report;
pub mod progress;
pub mod track;
pub mod matte;
pub mod parameters;
pub mod kernels;
pub mod session;
pub mod export;
pub mod spline;
pub mod segment;
pub mod info;
pub mod dataset;
pub mod eval;
pub mod annotate;

use std::{ffi::OsString, process::ExitCode};

use clap::{Parser, error::ErrorKind};

use args::{Cli, Command};
pub use error::{Error, Result};

/// What a shell expects of a program that was stopped by Ctrl-C: 128 and the signal's number.
const INTERRUPTED: u8 = 130;

/// Whether a job came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All that was asked for is done.
    Complete,
    /// Ctrl-C: what was finished before is kept.
    Interrupted,
}

/// Runs one command line and gives the status to exit with: 0, 1 for a failure, 2 for arguments that make no
/// sense, 130 after Ctrl-C. Failures are said on standard error, in one line.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let command = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli.command,
        // Help and version. A reader who has seen enough and closed the pipe is no failure.
        Err(said) if !said.use_stderr() => {
            let _ = said.print();
            return ExitCode::SUCCESS;
        }
        Err(said) if said.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            let _ = said.print();
            return ExitCode::from(Error::Usage(String::new()).exit_status());
        }
        Err(said) => return failed(&Error::Usage(args::one_line(&said))),
    };
    let outcome = match command {
        Command::Track(args) => track::run(*args),
        Command::Matte(args) => matte::run(*args),
        Command::Parameters(args) => parameters::run(&args).map(|()| Outcome::Complete),
        Command::Kernels(args) => kernels::run(&args).map(|()| Outcome::Complete),
        Command::Session(args) => session::run(args).map(|()| Outcome::Complete),
        Command::Export(args) => export::run(&args),
        Command::Spline(args) => spline::run(&args).map(|()| Outcome::Complete),
        Command::Segment(args) => segment::run(&args),
        Command::Info(args) => info::run(args).map(|()| Outcome::Complete),
        Command::Eval(args) => eval::run(*args).map(|()| Outcome::Complete),
        Command::Annotate(args) => annotate::run(*args),
    };
    match outcome {
        Ok(Outcome::Complete) => ExitCode::SUCCESS,
        Ok(Outcome::Interrupted) => ExitCode::from(INTERRUPTED),
        Err(error) => failed(&error),
    }
}

fn failed(error: &Error) -> ExitCode {
    progress::say(&error.to_string());
    ExitCode::from(error.exit_status())
}
