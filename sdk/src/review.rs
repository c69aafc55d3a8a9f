//! Which frames of a shot a person should look at, and why.
//!
//! [`Reviewer`] takes what is known of each object on each frame, in the order in which it was tracked (either way),
//! and keeps ranges. It holds a few numbers per object and a bounded number of ranges, however long the shot.

mod ranges;
mod track;

use std::collections::BTreeMap;

pub use ranges::ReviewRange;

use crate::mask::{Bounds, Shape};
use ranges::Ranges;
use track::Track;

/// What is known of one object on one frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Observation {
    /// The frame.
    pub frame: u64,
    /// The object.
    pub object: u32,
    /// The mask answers prompts on this very frame: nothing is amiss with what a person said, save its neighbours.
    pub prompted: bool,
    /// A logit: above 0, the model believes that the object is in the frame.
    pub object_score: f32,
    /// How well the model believes to have met the object, 0 to 1.
    pub predicted_iou: f32,
    /// Area, box and stability of the mask at the frame's size.
    pub shape: Shape,
    /// The share of the mask that other objects' masks cover or touch, 0 to 1; 0 where there are no others.
    pub touched: f32,
}

/// From where on a frame is worth a look. The defaults flag what the default model itself is unsure of; what they
/// find and miss is in `docs/decisions/0079`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Thresholds {
    /// The object counts as lost at or below this object score.
    pub lost_score: f32,
    /// An object score below this is low.
    pub object_score: f32,
    /// A predicted IoU below this is low.
    pub predicted_iou: f32,
    /// A stability below this is low: the edge is anywhere.
    pub stability: f32,
    /// The area has jumped if it is this many times the median of the frames before, or that median this many times
    /// the area.
    pub area_ratio: f32,
    /// The mask flickers if its area is this many times larger or smaller than the mean of both neighbours'.
    pub flicker_ratio: f32,
    /// It flickers too if its box is off the middle of both neighbours' boxes by this share of its diagonal. Even
    /// motion, however fast, is not.
    pub flicker_shift: f32,
    /// An object touches another from this share of its mask on.
    pub touched: f32,
    /// Flagged frames with at most this many others between them become one range.
    pub merge_frames: u64,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self {
            lost_score: 0.0,
            object_score: 2.0,
            predicted_iou: 0.5,
            stability: 0.15,
            area_ratio: 2.0,
            flicker_ratio: 1.5,
            flicker_shift: 0.3,
            touched: 0.02,
            merge_frames: 3,
        }
    }
}

/// Why a frame is worth a look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// The object is not seen any more, though no cut explains it.
    Lost,
    /// The object score is low.
    LowScore,
    /// The predicted IoU is low.
    LowIou,
    /// The edge is unsure.
    Unstable,
    /// The area is another than before.
    AreaJump,
    /// The mask is another than on both neighbouring frames.
    Flicker,
    /// Another object is touched or covered.
    Touching,
    /// A new shot begins.
    Cut,
}

impl Reason {
    /// All of them, in order.
    pub const ALL: [Self; 8] = [
        Self::Lost,
        Self::LowScore,
        Self::LowIou,
        Self::Unstable,
        Self::AreaJump,
        Self::Flicker,
        Self::Touching,
        Self::Cut,
    ];
}

/// A set of [`Reason`]s.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reasons(u8);

impl Reasons {
    /// Whether the reason is among them.
    pub fn has(self, reason: Reason) -> bool {
        self.0 & (1 << reason as u8) != 0
    }

    /// One bit a reason, by its place in [`Reason::ALL`].
    pub fn bits(self) -> u8 {
        self.0
    }

    /// Whether there are none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    fn add(&mut self, reason: Reason, applies: bool) {
        self.0 |= u8::from(applies) << reason as u8;
    }

    fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl From<Reason> for Reasons {
    fn from(reason: Reason) -> Self {
        Self(1 << reason as u8)
    }
}

/// Collects what is worth a look.
#[derive(Debug, Default)]
pub struct Reviewer {
    thresholds: Thresholds,
    objects: BTreeMap<u32, (Track, Ranges)>,
}

impl Reviewer {
    /// Has seen nothing yet.
    pub fn new(thresholds: Thresholds) -> Self {
        Self { thresholds, objects: BTreeMap::new() }
    }

    /// Takes an object's next frame and gives the reasons to look at it. Flicker is known one frame later, so it is
    /// only in the ranges.
    pub fn push(&mut self, seen: &Observation) -> Reasons {
        let (track, ranges) = self.objects.entry(seen.object).or_default();
        let (here, before) = track.push(seen, &self.thresholds);
        let merge = self.thresholds.merge_frames;
        if let Some((frame, reasons)) = before {
            ranges.add(frame, reasons, merge);
        }
        ranges.add(seen.frame, here, merge);
        here
    }

    /// A new shot begins with this frame: every object that is followed is worth a look, and what was before is no
    /// measure of what comes.
    pub fn cut(&mut self, frame: u64) {
        for (track, ranges) in self.objects.values_mut() {
            track.restart();
            ranges.add(frame, Reason::Cut.into(), self.thresholds.merge_frames);
        }
    }

    /// Drops what was said of some frames of an object, which will be tracked anew.
    pub fn forget(&mut self, object: u32, frames: std::ops::RangeInclusive<u64>) {
        if let Some((track, ranges)) = self.objects.get_mut(&object) {
            track.restart();
            ranges.remove(frames);
        }
    }

    /// An object's ranges, in order; never two that touch.
    pub fn ranges(&self, object: u32) -> &[ReviewRange] {
        self.objects.get(&object).map_or(&[], |(_, ranges)| ranges.all())
    }
}

/// The share of an object's pixels that others cover, or that lie beside one of theirs: [`Observation::touched`].
/// Masks are one byte a pixel, not 0 inside, all of one size.
pub fn touched(inside: &[u8], others: &[&[u8]], width: usize) -> f32 {
    let (mut own, mut near) = (0u64, 0u64);
    for (at, _) in inside.iter().enumerate().filter(|(_, v)| **v != 0) {
        own += 1;
        let left = (!at.is_multiple_of(width)).then(|| at - 1);
        let right = (!(at + 1).is_multiple_of(width)).then_some(at + 1);
        let beside = [Some(at), left, right, at.checked_sub(width), Some(at + width)];
        let is_others = |at: usize| others.iter().any(|other| other.get(at).is_some_and(|v| *v != 0));
        near += u64::from(beside.into_iter().flatten().any(is_others));
    }
    if own > 0 { near as f32 / own as f32 } else { 0.0 }
}

fn centre_and_diagonal(bounds: Bounds) -> ([f32; 2], f32) {
    let [x0, y0, x1, y1] = [bounds.x0_px, bounds.y0_px, bounds.x1_px, bounds.y1_px].map(|v| v as f32);
    ([(x0 + x1) / 2.0, (y0 + y1) / 2.0], (x1 - x0).hypot(y1 - y0))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A steady object that moves right.
    fn steady(frame: u64) -> Observation {
        let x0_px = 10 + 7 * frame as u32;
        let bounds = Bounds { x0_px, y0_px: 20, x1_px: x0_px + 40, y1_px: 50 };
        let shape = Shape { area_px: 1000, bounds: Some(bounds), stability: 0.8 };
        Observation {
            frame,
            object: 1,
            prompted: false,
            object_score: 6.0,
            predicted_iou: 0.9,
            shape,
            touched: 0.0,
        }
    }

    fn review(frames: impl IntoIterator<Item = Observation>) -> Vec<(u64, u64, Vec<Reason>)> {
        let mut reviewer = Reviewer::new(Thresholds::default());
        frames.into_iter().for_each(|seen| {
            reviewer.push(&seen);
        });
        let all = |reasons: Reasons| Reason::ALL.into_iter().filter(|r| reasons.has(*r)).collect();
        reviewer.ranges(1).iter().map(|r| (r.first, r.last, all(r.reasons))).collect()
    }

    fn with(at: u64, change: impl Fn(&mut Observation)) -> Vec<Observation> {
        let mut frames: Vec<_> = (0..30).map(steady).collect();
        change(&mut frames[at as usize]);
        frames
    }

    fn area(times: f64) -> impl Fn(&mut Observation) {
        move |seen| seen.shape.area_px = (seen.shape.area_px as f64 * times) as u64
    }

    #[test]
    fn a_steady_object_is_not_worth_a_look_whichever_way_it_is_followed() {
        assert_eq!(review((0..30).map(steady)), []);
        assert_eq!(review((0..30).rev().map(steady)), []);
        let growing = (0..30).map(|at| {
            let mut seen = steady(at);
            seen.shape.area_px = (1000.0 * 1.06f64.powi(at as i32)) as u64;
            seen
        });
        assert_eq!(review(growing), []);
    }

    #[test]
    fn each_doubt_has_its_reason() {
        use Reason::*;
        let said = |change: fn(&mut Observation)| review(with(12, change));
        assert_eq!(said(|s| s.object_score = 1.0), [(12, 12, vec![LowScore])]);
        assert_eq!(said(|s| s.predicted_iou = 0.3), [(12, 12, vec![LowIou])]);
        assert_eq!(said(|s| s.shape.stability = 0.1), [(12, 12, vec![Unstable])]);
        assert_eq!(said(|s| s.touched = 0.1), [(12, 12, vec![Touching])]);
        assert_eq!(said(|s| s.object_score = -1.0), [(12, 12, vec![Lost])]);
        assert_eq!(said(|s| s.predicted_iou = f32::NAN), [(12, 12, vec![LowIou])]);
    }

    #[test]
    fn a_mask_that_differs_from_both_neighbours_flickers_and_a_step_is_a_jump() {
        use Reason::*;
        assert_eq!(review(with(12, area(1.7))), [(12, 12, vec![Flicker])]);
        assert_eq!(review(with(12, area(0.3))), [(12, 12, vec![AreaJump, Flicker])]);
        let shifted = with(12, |seen| {
            let bounds = seen.shape.bounds.as_mut().unwrap();
            (bounds.x0_px, bounds.x1_px) = (bounds.x0_px + 25, bounds.x1_px + 25);
        });
        assert_eq!(review(shifted), [(12, 12, vec![Flicker])]);
        let step = (0..30).map(|at| {
            let mut seen = steady(at);
            if at >= 12 {
                seen.shape.area_px = 2500;
            }
            seen
        });
        let [(12, last, reasons)] = &review(step)[..] else { panic!("one range from frame 12") };
        assert!(*last < 20 && reasons.contains(&AreaJump), "{last} {reasons:?}");
    }

    #[test]
    fn what_a_person_said_is_not_doubted() {
        let mut frames =
            with(12, |seen| (seen.prompted, seen.predicted_iou, seen.object_score) = (true, 0.1, -3.0));
        assert_eq!(review(frames.clone()), []);
        frames[12].shape = Shape { area_px: 0, bounds: None, stability: 0.0 };
        assert_eq!(review(frames), []);
    }

    #[test]
    fn a_lost_object_is_one_range_until_it_is_back() {
        let frames = (0..40).map(|at| {
            let mut seen = steady(at);
            if (10..25).contains(&at) {
                seen.object_score = -4.0;
                seen.shape = Shape { area_px: 0, bounds: None, stability: 0.0 };
            }
            seen
        });
        assert_eq!(review(frames), [(10, 24, vec![Reason::Lost])]);
    }

    #[test]
    fn a_cut_is_a_reason_and_what_was_before_it_no_measure() {
        let mut reviewer = Reviewer::new(Thresholds::default());
        (0..10).for_each(|at| {
            reviewer.push(&steady(at));
        });
        reviewer.cut(10);
        (10..20).for_each(|at| {
            let mut seen = steady(at);
            area(9.0)(&mut seen);
            assert!(reviewer.push(&seen).is_empty());
        });
        let [range] = reviewer.ranges(1) else { panic!("one range") };
        assert_eq!((range.first, range.last, range.reasons), (10, 10, Reason::Cut.into()));
    }

    #[test]
    fn frames_that_are_tracked_anew_are_forgotten() {
        let mut reviewer = Reviewer::new(Thresholds::default());
        (0..30).for_each(|at| {
            let mut seen = steady(at);
            seen.predicted_iou = 0.1;
            reviewer.push(&seen);
        });
        reviewer.forget(1, 10..=19);
        let found: Vec<_> = reviewer.ranges(1).iter().map(|r| (r.first, r.last)).collect();
        assert_eq!(found, [(0, 9), (20, 29)]);
        reviewer.forget(2, 0..=u64::MAX);
        assert!(reviewer.ranges(2).is_empty());
    }

    #[test]
    fn pixels_beside_another_object_are_touched_and_rows_do_not_wrap_around() {
        let own = [1, 0, 0, 0, 1, 0];
        assert_eq!(touched(&own, &[&[0, 0, 0, 1, 0, 0]], 3), 1.0);
        assert_eq!(touched(&[0, 0, 1, 0, 0, 0], &[&[0, 0, 0, 1, 0, 0]], 3), 0.0);
        assert_eq!(touched(&own, &[], 3), 0.0);
        assert_eq!(touched(&[0; 6], &[&own], 3), 0.0);
    }
}
