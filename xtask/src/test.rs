//! Every check that a change must pass.

use std::time::Instant;

use crate::{bundle, command, error::Result, sdk, setup, workspace::Workspace};

/// Sets up, then checks the format, lints, builds and runs every test. One profile throughout, so that a clean
/// machine compiles each crate for it once.
///
/// # Errors
/// At the first step that fails.
pub fn run(workspace: &Workspace) -> Result<()> {
    let start = Instant::now();
    let onnxruntime = setup::to_build(workspace)?;
    let cargo = |line: &str| {
        let mut cargo = workspace.cargo();
        cargo.args(line.split(' ')).env("ROTOMASK_ONNXRUNTIME", &onnxruntime);
        // On a machine without the software driver a GPU test must fail here, not pass unseen.
        cargo.env("ROTOMASK_REQUIRE_GPU", "1");
        command::run(&mut cargo)
    };
    cargo("fmt --all --check")?;
    cargo("clippy --release --workspace --all-targets -- -D warnings")?;
    // Tests load librotomask and the plugins, which `cargo test` would not build.
    cargo("build --release --workspace")?;
    let bundles = bundle::make(workspace)?;
    let kit = workspace.target.join("sdk");
    if cfg!(target_os = "linux") {
        sdk::lay_out(workspace, &kit)?;
    }
    let mut test = workspace.cargo();
    test.args(["test", "--release", "--workspace"]).env("ROTOMASK_ONNXRUNTIME", &onnxruntime);
    test.env("ROTOMASK_REQUIRE_GPU", "1").env("ROTOMASK_BUNDLES", bundles);
    if kit.is_dir() {
        test.env("ROTOMASK_SDK", kit);
    }
    command::run(&mut test)?;
    println!("all tests passed; {:.0} s in all", start.elapsed().as_secs_f64());
    Ok(())
}
