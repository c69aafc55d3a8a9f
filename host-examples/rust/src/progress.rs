//! What a person sees meanwhile, all on standard error.

use std::{
    collections::HashSet,
    io::{IsTerminal, stderr},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressStyle};

/// The bar on the screen, around which lines have to be printed.
static SHOWN: Mutex<Option<ProgressBar>> = Mutex::new(None);

/// Warnings that were given. A library that finds a new one for every frame is cut off at this many.
static SAID: Mutex<Option<HashSet<String>>> = Mutex::new(None);
const MOST_WARNINGS: usize = 50;

/// Prints a line.
pub fn say(text: &str) {
    let print = || eprintln!("rotomask: {text}");
    let shown = lock(&SHOWN).clone();
    match shown {
        Some(bar) => bar.suspend(print),
        None => print(),
    }
}

/// Prints a warning, unless the same was printed before.
pub fn warn(text: &str) {
    let mut said = lock(&SAID);
    let said = said.get_or_insert_default();
    if said.len() < MOST_WARNINGS && said.insert(text.to_owned()) {
        say(&format!("warning: {text}"));
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A bar with frames per second and the time left. It is hidden where nobody looks, and says one line at the
/// end in any case.
pub struct Progress {
    bar: ProgressBar,
    began: Instant,
    frames: u64,
}

impl Progress {
    /// Shows the bar. `total` is a guess.
    pub fn start(total: Option<u64>) -> Self {
        let bar = match total {
            _ if !stderr().is_terminal() => ProgressBar::hidden(),
            Some(total) => ProgressBar::new(total)
                .with_style(style("{wide_bar} {pos}/{len} frames  {per_sec}  {eta} left")),
            None => {
                ProgressBar::new_spinner().with_style(style("{spinner} {pos} frames  {per_sec}  {elapsed}"))
            }
        };
        bar.enable_steady_tick(Duration::from_millis(200));
        *lock(&SHOWN) = Some(bar.clone());
        Self { bar, began: Instant::now(), frames: 0 }
    }

    /// One more frame is done.
    pub fn advance(&mut self) {
        self.frames += 1;
        self.bar.inc(1);
    }

    /// How many are done, and since when.
    pub fn so_far(&self) -> (u64, Duration) {
        (self.frames, self.began.elapsed())
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
        *lock(&SHOWN) = None;
    }
}

fn style(template: &str) -> ProgressStyle {
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    style.with_key("per_sec", |state: &indicatif::ProgressState, out: &mut dyn std::fmt::Write| {
        // Writing to indicatif's own buffer can't fail.
        let _ = write!(out, "{:.1} frames/s", state.per_sec());
    })
}
