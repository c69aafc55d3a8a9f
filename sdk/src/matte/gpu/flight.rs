//! Frames on their way through the device: handed over, and not yet read back.

use std::sync::{Arc, Weak};

use super::buffers::Slot;
use crate::matte::part::Place;
use crate::matte::plan::{Finish, Plan};

/// Frames that a chain's caller may have on their way at once. One is read back while the device works on the other.
pub const TICKETS: u8 = 2;
/// The lane of a part that is waited for at once.
const OWN: u8 = TICKETS;

/// A part that was handed to the device. Dropping it gives its lane back.
#[derive(Debug)]
pub struct Flight {
    pub lane: u8,
    pub submitted: wgpu::SubmissionIndex,
    /// Bytes to read back.
    pub bytes: u64,
    pub place: Place,
    /// Whether coverage comes back, not pixels.
    pub matte: bool,
    /// Whether the result's codes are then multiplied by its alpha.
    pub multiplies_codes: bool,
    /// Held by the lane too, weakly.
    token: Arc<()>,
}

/// A pair of staging buffers.
#[derive(Debug, Default)]
struct Lane {
    token: Weak<()>,
    /// What was handed over last, until it was read back.
    submitted: Option<wgpu::SubmissionIndex>,
}

/// A chain's staging buffers.
#[derive(Debug, Default)]
pub struct Lanes([Lane; OWN as usize + 1]);

impl Lanes {
    /// One that nobody waits for: of those for tickets, or the one for parts that are waited for at once. With it comes
    /// what was left in it by somebody who didn't wait.
    pub fn free(&mut self, ticket: bool) -> Option<(u8, Option<wgpu::SubmissionIndex>)> {
        let mut range = if ticket { 0..OWN } else { OWN..OWN + 1 };
        let lane = range.find(|lane| self.0[usize::from(*lane)].token.strong_count() == 0)?;
        Some((lane, self.0[usize::from(lane)].submitted.take()))
    }

    /// Whether the device may still be at work for anyone.
    pub fn busy(&self) -> bool {
        self.0.iter().any(|lane| lane.submitted.is_some())
    }

    /// A part goes off.
    pub fn start(
        &mut self,
        lane: u8,
        submitted: wgpu::SubmissionIndex,
        bytes: u64,
        plan: &Plan<'_>,
    ) -> Flight {
        let token = Arc::new(());
        self.0[usize::from(lane)] =
            Lane { token: Arc::downgrade(&token), submitted: Some(submitted.clone()) };
        let (matte, multiplies_codes) = match &plan.finish {
            Finish::Matte => (true, false),
            Finish::Pixels(pixels) => (false, pixels.multiplies_codes),
        };
        Flight { lane, submitted, bytes, place: plan.place(), matte, multiplies_codes, token }
    }

    /// A part was read back.
    pub fn end(&mut self, flight: &Flight) {
        self.0[usize::from(flight.lane)].submitted = None;
    }

    /// Whether a flight is one of these.
    pub fn know(&self, flight: &Flight) -> bool {
        std::ptr::eq(self.0[usize::from(flight.lane)].token.as_ptr(), Arc::as_ptr(&flight.token))
    }
}

impl Flight {
    pub fn readback(&self) -> Slot {
        Slot::Readback(self.lane)
    }
}
