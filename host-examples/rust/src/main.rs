//! The `rotomask` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    if std::env::var_os("XDG_RUNTIME_DIR").is_none() {
        // Mesa's device-select layer looks for a desktop to ask, and complains on standard error for each adapter
        // where there is none. Without the layer, adapters are found all the same.
        // SAFETY: no other thread runs yet.
        unsafe { std::env::set_var("NODEVICE_SELECT", "1") };
    }
    rotomask_cli::run(std::env::args_os())
}
