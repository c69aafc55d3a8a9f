//! What the frames before say about an object's next one.

use std::collections::VecDeque;

use super::{Observation, Reason, Reasons, Thresholds, centre_and_diagonal};
use crate::mask::Shape;

/// Areas that the running median looks back on.
const AREAS: usize = 9;
/// Areas from which on a median says anything.
const FEWEST_AREAS: usize = 3;

/// One object's recent frames.
#[derive(Debug, Default)]
pub(super) struct Track {
    areas: VecDeque<u64>,
    /// The last two frames, the older first; only where they follow each other.
    last: VecDeque<Observation>,
}

impl Track {
    /// The frames before say nothing of those to come.
    pub(super) fn restart(&mut self) {
        *self = Self::default();
    }

    /// Reasons to look at this frame, and those that it gives to look at the one before.
    pub(super) fn push(
        &mut self,
        seen: &Observation,
        limits: &Thresholds,
    ) -> (Reasons, Option<(u64, Reasons)>) {
        if self.last.back().is_some_and(|last| last.frame.abs_diff(seen.frame) != 1) {
            self.last.clear();
        }
        let flicker = self.flicker(seen, limits);
        let here = if seen.prompted { Reasons::default() } else { self.doubts(seen, limits) };
        if seen.shape.area_px > 0 {
            if self.areas.len() == AREAS {
                self.areas.pop_front();
            }
            self.areas.push_back(seen.shape.area_px);
        }
        self.last.push_back(*seen);
        if self.last.len() > 2 {
            self.last.pop_front();
        }
        (here, flicker)
    }

    fn doubts(&self, seen: &Observation, limits: &Thresholds) -> Reasons {
        let Shape { area_px, stability, .. } = seen.shape;
        let mut reasons = Reasons::default();
        // Not "at most": a number that is none is a doubt as well.
        let below = |value: f32, limit: f32| value.is_nan() || value < limit;
        if area_px == 0 || seen.object_score.is_nan() || seen.object_score <= limits.lost_score {
            // An empty mask has nothing more to be doubted.
            reasons.add(Reason::Lost, true);
            return reasons;
        }
        reasons.add(Reason::LowScore, below(seen.object_score, limits.object_score));
        reasons.add(Reason::LowIou, below(seen.predicted_iou, limits.predicted_iou));
        reasons.add(Reason::Unstable, below(stability, limits.stability));
        reasons.add(Reason::Touching, seen.touched >= limits.touched);
        let jump = self.median().is_some_and(|median| ratio(area_px as f32, median) >= limits.area_ratio);
        reasons.add(Reason::AreaJump, jump);
        reasons
    }

    fn median(&self) -> Option<f32> {
        let mut sorted: Vec<u64> = self.areas.iter().copied().collect();
        sorted.sort_unstable();
        (sorted.len() >= FEWEST_AREAS).then(|| sorted[sorted.len() / 2] as f32)
    }

    /// Whether the frame before differs from both its neighbours, of which this is one.
    fn flicker(&self, next: &Observation, limits: &Thresholds) -> Option<(u64, Reasons)> {
        let [before, middle] = [self.last.front()?, self.last.get(1)?];
        if middle.prompted {
            return None;
        }
        let [a, m, b] = [before, middle, next].map(|seen| seen.shape);
        let [a_box, m_box, b_box] = [a.bounds?, m.bounds?, b.bounds?].map(centre_and_diagonal);
        let mean = (a.area_px as f32 * b.area_px as f32).sqrt();
        let off: [f32; 2] = std::array::from_fn(|axis| m_box.0[axis] - (a_box.0[axis] + b_box.0[axis]) / 2.0);
        let shift = off[0].hypot(off[1]) / m_box.1;
        // A neighbour that is off by as much itself makes its own frame flicker, not this one.
        let level = ratio(a.area_px as f32, b.area_px as f32) < limits.flicker_ratio;
        let flickers =
            level && (ratio(m.area_px as f32, mean) >= limits.flicker_ratio || shift >= limits.flicker_shift);
        flickers.then(|| (middle.frame, Reason::Flicker.into()))
    }
}

/// How many times the larger holds the smaller, both above 0.
fn ratio(a: f32, b: f32) -> f32 {
    a.max(b) / a.min(b).max(1.0)
}
