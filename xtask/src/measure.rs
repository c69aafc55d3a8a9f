//! What is measured of a command that runs, and how numbers are summed up.

use std::{
    fs,
    path::Path,
    process::{Child, Command},
    thread,
    time::{Duration, Instant},
};

use crate::{
    command,
    error::{Error, Result},
};

const BETWEEN_SAMPLES: Duration = Duration::from_millis(100);

/// Runs a command, and gives the time it took and its resident memory meanwhile, in bytes.
pub fn watch(track: &mut Command) -> Result<(Duration, Vec<u64>)> {
    let line = command::line(track);
    println!("=> {line}");
    let failed = |outcome: String| Error::Command { line: line.clone(), outcome };
    let start = Instant::now();
    let mut child: Child = track.spawn().map_err(|error| failed(format!("could not be started: {error}")))?;
    let mut resident = Vec::new();
    let status = loop {
        if let Some(status) = child.try_wait().map_err(|error| failed(error.to_string()))? {
            break status;
        }
        resident.extend(resident_bytes(child.id()));
        thread::sleep(BETWEEN_SAMPLES);
    };
    if !status.success() {
        return Err(failed(format!("failed: {status}")));
    }
    Ok((start.elapsed(), resident))
}

/// What Linux says of a process; elsewhere nothing is known.
fn resident_bytes(process: u32) -> Option<u64> {
    let status = fs::read_to_string(Path::new("/proc").join(process.to_string()).join("status")).ok()?;
    let kilobytes = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(kilobytes.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? * 1024)
}

/// The processor, and how many threads it has.
pub fn processor() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let cores = thread::available_parallelism().map_or(0, usize::from);
    format!("{}, {cores} threads", name.map_or("unknown", |(_, name)| name))
}

/// Medians of the first and of the last tenth.
pub fn first_and_last_tenth(all: &[f64]) -> Option<(f64, f64)> {
    let tenth = all.len().div_ceil(10);
    Some((median(&all[..tenth])?, median(&all[all.len() - tenth..])?))
}

fn median(numbers: &[f64]) -> Option<f64> {
    let mut sorted = numbers.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied()
}

/// What a command's memory was like on its way.
pub fn print_resident(samples: &[u64]) {
    let at = |share: f64| samples.get(((samples.len().max(1) - 1) as f64 * share) as usize);
    let megabytes = |bytes: &u64| format!("{:.0} MB", *bytes as f64 / 1e6);
    if let (Some(early), Some(middle), Some(late)) = (at(0.1), at(0.5), at(1.0)) {
        println!(
            "resident memory after 10 %, 50 % and 100 % of the time: {}, {}, {}; at most {}",
            megabytes(early),
            megabytes(middle),
            megabytes(late),
            megabytes(samples.iter().max().unwrap_or(late))
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_numbers_have_no_median() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(first_and_last_tenth(&[]), None);
        assert_eq!(first_and_last_tenth(&[1.0, 2.0, 3.0]), Some((1.0, 3.0)));
    }
}
