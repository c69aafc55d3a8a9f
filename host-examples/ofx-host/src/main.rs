//! The `ofx-host` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    ofx_host::cli::run(std::env::args_os())
}
