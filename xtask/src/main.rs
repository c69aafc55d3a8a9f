//! The project's own commands: `cargo xtask setup | demo | test | bench | model | parity | header | bundle |
//! install | dist | pages | hosts`.
//!
//! Everything that these fetch, build or write lies under the target folder.

mod error;
mod command;
mod workspace;
mod packages;
mod wheel;
mod runtime;
mod clip;
mod setup;
mod demo;
mod test;
mod python;
mod model;
mod parity;
mod reference;
mod measure;
mod stream;
mod matte;
mod bench;
mod header;
mod bundle;
mod shared;
mod sdk;
mod dist;
mod pages;
mod install;
mod hosts;

use std::process::ExitCode;

use clap::Parser;

use crate::error::Result;
use crate::workspace::Workspace;

/// The project's own commands
#[derive(Parser)]
#[command(bin_name = "cargo xtask")]
enum Task {
    /// Install and fetch all that building and running need
    Setup,
    /// Cut the rabbit out of a real clip and lay it over another background
    Demo,
    /// Set up, then check the format, lint, build and run every test
    Test,
    /// Measure a long clip from decoding to encoding
    Bench(bench::Arguments),
    /// Packages of SAM 2
    #[command(subcommand)]
    Model(model::Task),
    /// Hold librotomask against SAM 2's own video predictor in PyTorch
    Parity(parity::Arguments),
    /// Write include/rotomask.h anew from the C API's source
    Header,
    /// Put the OpenFX bundle and the frei0r plugin together, with all they need inside
    Bundle,
    /// Put the plugins where hosts look, or the library and its headers below a prefix
    Install(install::Arguments),
    /// Make an archive and a Python wheel that run on a bare system
    Dist,
    /// Write the API's documentation as pages
    Pages,
    /// Run the acceptance matrix: the plugins in a strict OpenFX host, ffmpeg, melt and GStreamer
    Hosts(hosts::Arguments),
}

fn run(task: Task) -> Result<()> {
    let workspace = Workspace::find()?;
    match task {
        Task::Setup => setup::all(&workspace),
        Task::Demo => demo::run(&workspace),
        Task::Test => test::run(&workspace),
        Task::Bench(arguments) => bench::run(&workspace, &arguments),
        Task::Model(task) => model::run(&workspace, &task),
        Task::Parity(arguments) => parity::run(&workspace, &arguments),
        Task::Header => header::write(&workspace),
        Task::Bundle => bundle::run(&workspace).map(drop),
        Task::Install(arguments) => install::run(&workspace, &arguments),
        Task::Dist => dist::run(&workspace),
        Task::Pages => pages::run(&workspace),
        Task::Hosts(arguments) => hosts::run(&workspace, &arguments),
    }
}

fn main() -> ExitCode {
    match run(Task::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cargo xtask: {error}");
            ExitCode::FAILURE
        }
    }
}
