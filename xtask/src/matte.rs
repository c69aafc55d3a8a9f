//! The matte chain on the CPU beside the same stages in OpenCV, turn by turn on one machine. Prints figures and judges
//! none.

use std::process::Command;

use serde_json::Value;

use crate::{
    command,
    error::{Error, Result},
    measure::processor,
    python,
    workspace::Workspace,
};

#[derive(clap::Args)]
pub struct Arguments {
    /// Threads that either side may use
    #[arg(long, default_value_t = 2, value_name = "N")]
    threads: u32,
    /// How often each side has its turn; the best time of all counts
    #[arg(long, default_value_t = 3, value_name = "N")]
    turns: u32,
}

/// Builds, runs both in turns and prints a table.
///
/// # Errors
/// If the build or a run fails, or there is no Python with OpenCV and none can be made.
pub fn run(workspace: &Workspace, arguments: &Arguments) -> Result<()> {
    let python = python::with_opencv(workspace)?;
    // The whole workspace's features, so that nothing is built twice.
    let build = ["build", "--release", "--workspace", "--example", "matte_speed"];
    command::run(workspace.cargo().args(build))?;
    let threads = arguments.threads.to_string();
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..arguments.turns.max(1) {
        let mut rotomask = Command::new(workspace.release().join("examples").join("matte_speed"));
        ours.push(told(rotomask.env("RAYON_NUM_THREADS", &threads))?);
        let mut opencv = Command::new(&python);
        opencv.arg(workspace.root.join("sdk/benches/matte_opencv.py")).arg(&threads);
        theirs.push(told(&mut opencv)?);
    }
    println!("\nprocessor: {}; {threads} threads each; 1920x1080, 8 bits; milliseconds", processor());
    println!("OpenCV {}: the same result, and a quicker way with a coarser one", text(&theirs[0]["version"]));
    println!("ratios are OpenCV's time over rotomask's: the wall's, and the processor's on all threads");
    let stages: Vec<Value> = theirs.into_iter().map(|mut all| all["stages"].take()).collect();
    print!("{}", table(&ours, &stages));
    Ok(())
}

fn told(command: &mut Command) -> Result<Value> {
    let said = command::ask(command)?;
    serde_json::from_str(&said).map_err(|e| Error::plain(format!("{}: {e}", command::line(command))))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("?")
}

/// The least that any turn found.
fn best(turns: &[Value], stage: &str, key: &str) -> Option<f64> {
    turns.iter().filter_map(|turn| turn[stage][key].as_f64()).min_by(f64::total_cmp)
}

fn table(ours: &[Value], theirs: &[Value]) -> String {
    let mut text = format!(
        "{:36} {:>8} {:>8} {:>6} {:>9} {:>8} {:>6} {:>10}\n",
        "stage", "rotomask", "OpenCV", "ratio", "processor", "quicker", "ratio", "of a copy"
    );
    let Some(stages) = ours.first().and_then(Value::as_object) else { return text };
    for stage in stages.keys() {
        let ms = |turns: &[Value], key| best(turns, stage, key);
        let Some((own, same)) = ms(ours, "ms").zip(ms(theirs, "ms")) else { continue };
        let quick = ms(theirs, "quick_ms")
            .map_or(format!("{:>8} {:>6}", "", ""), |quick| format!("{quick:8.2} {:6.2}", quick / own));
        let processor =
            ms(theirs, "processor_ms").unwrap_or(0.0) / ms(ours, "processor_ms").unwrap_or(f64::MAX);
        let share = ms(ours, "copy_ms").unwrap_or(0.0) / own * 100.0;
        let ratio = same / own;
        text +=
            &format!("{stage:36} {own:8.2} {same:8.2} {ratio:6.2} {processor:9.2} {quick} {share:8.1} %\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_turn_of_each_side_counts() {
        let ours = [
            serde_json::json!({ "grow": { "ms": 4.0, "copy_ms": 1.5, "processor_ms": 6.0 } }),
            serde_json::json!({ "grow": { "ms": 2.0, "copy_ms": 1.0, "processor_ms": 4.0 } }),
        ];
        let theirs = [serde_json::json!({ "grow": { "ms": 5.0, "quick_ms": 3.0, "processor_ms": 9.0 } })];
        let text = table(&ours, &theirs);
        let row: Vec<&str> = text.lines().nth(1).unwrap().split_whitespace().collect();
        assert_eq!(row, ["grow", "2.00", "5.00", "2.50", "2.25", "3.00", "1.50", "50.0", "%"]);
    }
}
