//! The `rotomask` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    rotomask_cli::run(std::env::args_os())
}
