//! What the artist is told: messages and progress, by whichever suite the host has.

use std::ffi::{CStr, CString};
use std::ops::ControlFlow;

use openfx_abi::*;
use plugin_common::Error;

use crate::effect::Effect;

/// Tells that something did not work. Being stopped is no failure.
pub fn problem(effect: &Effect, error: &Error) {
    say(effect, kOfxMessageError, &error.to_string());
}

/// Tells something.
pub fn note(effect: &Effect, text: &str) {
    say(effect, kOfxMessageMessage, text);
}

fn say(effect: &Effect, kind: &CStr, text: &str) {
    let Ok(text) = CString::new(text.replace('\0', " ")) else { return };
    let message = effect.suites.persistent.and_then(|suite| suite.message);
    let Some(message) = message.or(effect.suites.message.and_then(|suite| suite.message)) else { return };
    // SAFETY: the suite's function, with the host's handle, and a format that takes one string.
    unsafe {
        message(effect.handle(), kind.as_ptr(), c"rotomask".as_ptr(), c"%s".as_ptr(), text.as_ptr());
    }
}

/// A progress bar, closed when it is dropped.
pub struct Progress<'a> {
    effect: &'a Effect,
    v2: bool,
}

impl<'a> Progress<'a> {
    /// Opens a progress bar; `None` in a host without.
    pub fn start(effect: &'a Effect, label: &str) -> Option<Self> {
        let label = CString::new(label).ok()?;
        if let Some(start) = effect.suites.progress_v2.and_then(|suite| suite.progressStart) {
            // SAFETY: the suite's function, with the host's handle and two strings.
            let status = unsafe { start(effect.handle(), label.as_ptr(), c"rotomask.track".as_ptr()) };
            if status == kOfxStatOK {
                return Some(Self { effect, v2: true });
            }
        }
        let start = effect.suites.progress?.progressStart?;
        // SAFETY: as above, with one string.
        let status = unsafe { start(effect.handle(), label.as_ptr()) };
        (status == kOfxStatOK).then_some(Self { effect, v2: false })
    }

    /// How far it is, 0 to 1. Break: the artist wants no more.
    pub fn update(&self, done: f64) -> ControlFlow<()> {
        let suites = &self.effect.suites;
        let update = if self.v2 {
            suites.progress_v2.and_then(|suite| suite.progressUpdate)
        } else {
            suites.progress.and_then(|suite| suite.progressUpdate)
        };
        // SAFETY: the suite's function, with the host's handle.
        let status = update.map(|update| unsafe { update(self.effect.handle(), done) });
        if status == Some(kOfxStatReplyNo) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

impl Drop for Progress<'_> {
    fn drop(&mut self) {
        let suites = &self.effect.suites;
        let end = if self.v2 {
            suites.progress_v2.and_then(|suite| suite.progressEnd)
        } else {
            suites.progress.and_then(|suite| suite.progressEnd)
        };
        if let Some(end) = end {
            // SAFETY: the suite's function, with the host's handle.
            unsafe { end(self.effect.handle()) };
        }
    }
}
