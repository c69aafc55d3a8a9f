//! Which frame a host means by a time.
//!
//! ffmpeg counts milliseconds, and at some widths gives garbage; melt and GStreamer count seconds, melt from several threads
//! out of order. So units are told by the host's name, or by the steps between times; what can't be a time is counted.

use std::sync::{Mutex, PoisonError};

/// What a host's time counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unit {
    /// Found out.
    #[default]
    Auto,
    Seconds,
    Milliseconds,
    Frames,
}

impl Unit {
    /// # Errors
    /// Names what was found.
    pub fn parse(text: &str) -> Result<Self, String> {
        match text.trim() {
            "" | "auto" => Ok(Self::Auto),
            "s" => Ok(Self::Seconds),
            "ms" => Ok(Self::Milliseconds),
            "frames" => Ok(Self::Frames),
            other => Err(format!("time_unit: found {other:?}, expected auto, s, ms or frames")),
        }
    }
}

/// Frames per second, such as `25` or `30000/1001`; `None` for `auto`.
///
/// # Errors
/// Names what was found.
pub fn parse_rate(text: &str) -> Result<Option<f64>, String> {
    let text = text.trim();
    if matches!(text, "" | "auto" | "0") {
        return Ok(None);
    }
    let (over, under) = text.split_once('/').unwrap_or((text, "1"));
    let rate = over
        .trim()
        .parse::<f64>()
        .ok()
        .zip(under.trim().parse::<f64>().ok())
        .map(|(over, under)| over / under);
    match rate.filter(|rate| (0.01..=10_000.0).contains(rate)) {
        Some(rate) => Ok(Some(rate)),
        None => Err(format!("fps: found {text:?}, expected auto, a number such as 25, or 30000/1001")),
    }
}

/// What a process's times have shown so far. All instances look at it: melt has one a thread.
#[derive(Debug, Default)]
pub struct Evidence {
    last: Vec<f64>,
    /// The smallest step between two times.
    step: Option<f64>,
}

/// Times that are compared with the next one.
const REMEMBERED: usize = 64;
/// Steps from this on are milliseconds: no clip has less than a frame a second.
const LONGEST_SECONDS: f64 = 1.0;
/// What an unknown host plays by, until steps are seen.
const FIRST_GUESS: f64 = 25.0;
/// No clip is longer: a thousand days.
const LATEST_MS: f64 = 86_400_000.0 * 1000.0;

static EVIDENCE: Mutex<Evidence> = Mutex::new(Evidence { last: Vec::new(), step: None });

impl Evidence {
    fn see(&mut self, time: f64) {
        for last in &self.last {
            let step = (last - time).abs();
            if step > 1e-6 && self.step.is_none_or(|known| step < known) {
                self.step = Some(step);
            }
        }
        if !self.last.contains(&time) {
            if self.last.len() == REMEMBERED {
                self.last.remove(0);
            }
            self.last.push(time);
        }
    }

    fn unit(&self, host: Unit) -> Unit {
        match self.step {
            _ if host != Unit::Auto => host,
            Some(step) if step >= LONGEST_SECONDS => Unit::Milliseconds,
            _ => Unit::Seconds,
        }
    }
}

/// An instance's clock.
#[derive(Debug, Default)]
pub struct Clock {
    pub unit: Unit,
    pub rate: Option<f64>,
    pub offset: i64,
    updates: i64,
}

impl Clock {
    /// The session's frame of this update, and whether it had to be counted. `None` before the session's first.
    pub fn frame(&mut self, time: f64) -> (Option<u64>, bool) {
        let mut evidence = EVIDENCE.lock().unwrap_or_else(PoisonError::into_inner);
        self.frame_by(time, host(), &mut evidence)
    }

    fn frame_by(&mut self, time: f64, host: Unit, evidence: &mut Evidence) -> (Option<u64>, bool) {
        let counted = self.updates;
        self.updates += 1;
        let at = |frame: i64, counted| (u64::try_from(frame.saturating_add(self.offset)).ok(), counted);
        if !(0.0..=LATEST_MS).contains(&time) {
            return at(counted, true);
        }
        if self.unit == Unit::Frames {
            return at(time.round() as i64, false);
        }
        evidence.see(time);
        let unit = if self.unit == Unit::Auto { evidence.unit(host) } else { self.unit };
        let scale = if unit == Unit::Milliseconds { 1000.0 } else { 1.0 };
        let seen = || evidence.step.map_or(FIRST_GUESS, |step| scale / step);
        at((time / scale * self.rate.unwrap_or_else(seen)).round() as i64, false)
    }
}

/// Whether the host runs effects through libavfilter, as ffmpeg does.
pub fn is_libavfilter() -> bool {
    host() == Unit::Milliseconds
}

/// What the host's time counts, by its program's name, where that is known.
fn host() -> Unit {
    let program = std::env::current_exe().ok();
    let name = program
        .as_deref()
        .and_then(|path| path.file_stem())
        .map(|name| name.to_string_lossy().to_lowercase());
    by_name(name.as_deref().unwrap_or(""))
}

fn by_name(program: &str) -> Unit {
    const MILLISECONDS: [&str; 4] = ["ffmpeg", "ffplay", "ffprobe", "mpv"];
    const SECONDS: [&str; 5] = ["melt", "kdenlive", "shotcut", "gst", "flowblade"];
    if MILLISECONDS.iter().any(|name| program.starts_with(name)) {
        Unit::Milliseconds
    } else if SECONDS.iter().any(|name| program.starts_with(name)) {
        Unit::Seconds
    } else {
        Unit::Auto
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(clock: &mut Clock, host: Unit, times: &[f64]) -> Vec<Option<u64>> {
        let mut evidence = Evidence::default();
        times.iter().map(|time| clock.frame_by(*time, host, &mut evidence).0).collect()
    }

    fn some(frames: &[u64]) -> Vec<Option<u64>> {
        frames.iter().copied().map(Some).collect()
    }

    #[test]
    fn milliseconds_and_seconds_come_to_the_same_frames() {
        let rate = || Clock { rate: Some(25.0), ..Clock::default() };
        let found = |host, times: &[f64]| frames(&mut rate(), host, times);
        assert_eq!(found(Unit::Milliseconds, &[0.0, 40.0, 80.0, 1240.0]), some(&[0, 1, 2, 31]));
        assert_eq!(found(Unit::Seconds, &[0.0, 0.16, 0.04, 0.12]), some(&[0, 4, 1, 3]));
        assert_eq!(found(Unit::Auto, &[0.0, 40.0, 80.0]), some(&[0, 1, 2]));
    }

    #[test]
    fn a_rate_is_seen_from_the_steps() {
        let found = frames(&mut Clock::default(), Unit::Milliseconds, &[0.0, 1000.0 / 24.0, 2000.0 / 24.0]);
        assert_eq!(found, some(&[0, 1, 2]));
    }

    #[test]
    fn what_can_not_be_a_time_is_counted() {
        let mut clock = Clock { rate: Some(25.0), offset: 3, ..Clock::default() };
        let garbage = [-7.2e17, f64::NAN, f64::INFINITY, -1.0, 1e17];
        assert_eq!(frames(&mut clock, Unit::Milliseconds, &garbage), some(&[3, 4, 5, 6, 7]));
    }

    #[test]
    fn an_offset_before_the_first_frame_is_no_frame() {
        let mut clock = Clock { rate: Some(25.0), offset: -1, unit: Unit::Frames, ..Clock::default() };
        assert_eq!(frames(&mut clock, Unit::Auto, &[0.0, 1.0]), [None, Some(0)]);
    }

    #[test]
    fn rates_and_units_are_read_and_what_is_none_is_named() {
        assert_eq!(parse_rate("30000/1001").unwrap().map(f64::round), Some(30.0));
        assert_eq!((parse_rate("auto"), parse_rate("")), (Ok(None), Ok(None)));
        for text in ["fast", "-3", "1/0", "25/", "NaN"] {
            assert!(parse_rate(text).unwrap_err().starts_with("fps: found"), "{text}");
        }
        assert_eq!(Unit::parse("ms"), Ok(Unit::Milliseconds));
        assert!(Unit::parse("hours").unwrap_err().contains("expected auto, s, ms or frames"));
        assert_eq!(
            (by_name("ffmpeg"), by_name("melt-7"), by_name("x")),
            (Unit::Milliseconds, Unit::Seconds, Unit::Auto)
        );
    }
}
