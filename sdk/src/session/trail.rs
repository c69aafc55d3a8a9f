//! One object's way through the shot: which frames were answered, how, and which answers no longer hold. Frame
//! numbers only; what was answered lies with the answers.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use rangemap::{RangeInclusiveMap, RangeInclusiveSet};
use serde::{Deserialize, Serialize};

use crate::answer::Origin;
use crate::error::Result;
use crate::memory_bank::{Direction, Known, Reach, Recall, recall};

/// What a frame holds for an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Nothing was ever said about it.
    Nothing,
    /// Something was said about it, but only on the other side of a cut.
    Apart,
    /// Prompts wait to be answered.
    Prompt,
    /// It was answered before, and that answer holds.
    Stands,
    /// It is tracked.
    Track,
}

/// A range of frames that prompts have made wrong since they were tracked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Outdated {
    pub(super) frames: RangeInclusive<u64>,
    /// Which way they were tracked.
    pub(super) direction: Direction,
}

/// The frames of one object. Ranges, so that a long shot takes no more than a short one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Trail {
    /// Frames whose prompts were answered: the attention always looks back on them.
    conditioning: BTreeSet<u64>,
    /// Those of them that came to it since anything was tracked. As in the reference, what is said of a frame before
    /// tracking goes on doesn't recall what was said of it just before.
    #[serde(default)]
    fresh: BTreeSet<u64>,
    /// Frames whose prompts wait to be answered.
    waiting: BTreeSet<u64>,
    /// Those of them whose mask waits; clicks that are added to an answered mask refine its answer instead.
    masks: BTreeSet<u64>,
    /// Frames that were tracked, and which way.
    tracked: RangeInclusiveMap<u64, Direction>,
    /// Those of them that prompts have made wrong since.
    stale: RangeInclusiveSet<u64>,
    /// Frames that tracking has passed, prompted ones among them: a prompt on one is a correction.
    passed: RangeInclusiveMap<u64, Direction>,
    /// How often anything was tracked: what was undone since then can't be restored as it was.
    epoch: u64,
}

impl Trail {
    pub(super) fn conditioning(&self) -> &BTreeSet<u64> {
        &self.conditioning
    }

    pub(super) fn waiting(&self) -> &BTreeSet<u64> {
        &self.waiting
    }

    /// Frames that were tracked and hold, as ranges in order.
    pub(super) fn following(&self) -> Vec<RangeInclusive<u64>> {
        let mut frames: RangeInclusiveSet<u64> =
            self.tracked.iter().map(|(range, _)| range.clone()).collect();
        self.stale.iter().for_each(|range| frames.remove(range.clone()));
        frames.into_iter().collect()
    }

    /// Whether there is an answer on the frame, be it outdated.
    pub(super) fn has(&self, frame: u64) -> bool {
        self.conditioning.contains(&frame) || self.tracked.contains_key(&frame)
    }

    /// Whether the answer on a frame is there and holds.
    pub(super) fn holds(&self, frame: u64) -> bool {
        self.conditioning.contains(&frame) || self.follows(frame)
    }

    /// Whether the frame was tracked, and that still holds.
    pub(super) fn follows(&self, frame: u64) -> bool {
        self.tracked.contains_key(&frame)
            && !self.stale.contains(&frame)
            && !self.conditioning.contains(&frame)
    }

    /// Which way tracking passed the frame, if it did.
    pub(super) fn passed(&self, frame: u64) -> Option<Direction> {
        self.passed.get(&frame).copied()
    }

    pub(super) fn step(&self, frame: u64, scene: &RangeInclusive<u64>) -> Step {
        if self.waiting.contains(&frame) {
            Step::Prompt
        } else if self.holds(frame) {
            Step::Stands
        } else if self.conditioning.range(scene.clone()).next().is_some() {
            Step::Track
        } else if self.conditioning.is_empty() {
            Step::Nothing
        } else {
            Step::Apart
        }
    }

    pub(super) fn recall(
        &self,
        reach: Reach,
        at: u64,
        direction: Direction,
        scene: &RangeInclusive<u64>,
    ) -> Recall {
        let mut conditioning = Cow::Borrowed(&self.conditioning);
        if self.fresh.contains(&at) {
            conditioning.to_mut().remove(&at);
        }
        let known =
            Known { conditioning: &conditioning, tracked: |frame| self.follows(frame), scene: scene.clone() };
        recall(reach, at, direction, &known)
    }

    /// Clicks or a box wait on a frame.
    pub(super) fn wait(&mut self, frame: u64) {
        self.waiting.insert(frame);
    }

    /// A mask waits on a frame.
    pub(super) fn wait_for_mask(&mut self, frame: u64) {
        self.waiting.insert(frame);
        self.masks.insert(frame);
    }

    pub(super) fn mask_waits(&self, frame: u64) -> bool {
        self.masks.contains(&frame)
    }

    fn answered(&mut self, frame: u64) {
        self.waiting.remove(&frame);
        self.masks.remove(&frame);
    }

    /// A frame's prompts were answered. It conditions every frame from now on, so what was tracked away from it
    /// no longer holds.
    pub(super) fn prompted(&mut self, frame: u64, scene: &RangeInclusive<u64>) {
        self.answered(frame);
        if self.conditioning.insert(frame) {
            self.fresh.insert(frame);
        }
        // As in the reference with `add_all_frames_to_correct_as_cond`, without which corrections are lost.
        self.tracked.remove(frame..=frame);
        self.stale.remove(frame..=frame);
        self.outdate(frame, scene);
    }

    /// A frame's prompts were answered, but as the reference does by default: it stays a tracked frame.
    pub(super) fn corrected(&mut self, frame: u64, scene: &RangeInclusive<u64>) {
        let direction = self.passed(frame).unwrap_or_default();
        self.answered(frame);
        self.tracked.insert(frame..=frame, direction);
        self.stale.remove(frame..=frame);
        self.outdate(frame, scene);
    }

    /// The object was followed into a frame.
    pub(super) fn follow(&mut self, frame: u64, direction: Direction) {
        self.tracked.insert(frame..=frame, direction);
        self.stale.remove(frame..=frame);
        self.passed.insert(frame..=frame, direction);
        let behind = match direction {
            Direction::Forward => self.conditioning.range(..frame).next_back(),
            Direction::Reverse => self.conditioning.range(frame..).next(),
        };
        if let Some(&start) = behind {
            self.pass(start, direction);
        }
        self.fresh.clear();
        self.epoch += 1;
    }

    /// A frame whose answer holds was passed on the way.
    pub(super) fn pass(&mut self, frame: u64, direction: Direction) {
        if !self.passed.contains_key(&frame) {
            self.passed.insert(frame..=frame, direction);
        }
    }

    /// Takes back what was said on a frame. If it was answered, that answer stays as a tracked one, which the other
    /// prompts have to redo (`clear_all_prompts_in_frame`).
    pub(super) fn clear(&mut self, frame: u64, scene: &RangeInclusive<u64>) {
        self.answered(frame);
        if !self.conditioning.remove(&frame) {
            return;
        }
        self.fresh.remove(&frame);
        if self.conditioning.is_empty() {
            // There is nothing left to follow.
            self.forget_tracked();
            return;
        }
        // A frame that tracking never passed has no place among the tracked ones.
        if let Some(direction) = self.passed(frame) {
            self.tracked.insert(frame..=frame, direction);
            self.stale.insert(frame..=frame);
        }
        self.outdate(frame, scene);
    }

    /// What was tracked away from a frame no longer holds. What was tracked toward it came before it, and does.
    fn outdate(&mut self, frame: u64, scene: &RangeInclusive<u64>) {
        for direction in [Direction::Forward, Direction::Reverse] {
            let Some(beyond) = direction.beyond(frame).and_then(|b| common(&b, scene)) else { continue };
            let mut path: Vec<_> = self
                .tracked
                .overlapping(&beyond)
                .filter_map(|(range, &way)| Some((common(range, &beyond)?, way)))
                .collect();
            if direction == Direction::Reverse {
                path.reverse();
            }
            let away = path.into_iter().take_while(|&(_, way)| way == direction);
            away.for_each(|(range, _)| self.stale.insert(range));
        }
    }

    /// What was tracked in a range no longer holds, whichever way it was tracked.
    pub(super) fn outdate_range(&mut self, frames: &RangeInclusive<u64>) {
        let there: Vec<_> =
            self.tracked.overlapping(frames).filter_map(|(range, _)| common(range, frames)).collect();
        there.into_iter().for_each(|range| self.stale.insert(range));
    }

    /// What waits to be redone, in the order of frames.
    pub(super) fn outdated(&self) -> Vec<Outdated> {
        let parts = self.stale.iter().flat_map(|stale| {
            let there = self.tracked.overlapping(stale);
            there
                .filter_map(|(range, &direction)| Some(Outdated { frames: common(range, stale)?, direction }))
        });
        parts.collect()
    }

    /// Drops what was tracked, as if it had never been. Prompts and their answers stay.
    pub(super) fn forget_tracked(&mut self) {
        self.tracked.clear();
        self.stale.clear();
        self.passed.clear();
        self.epoch += 1;
    }

    /// The same without what was tracked.
    pub(super) fn without_tracked(&self) -> Self {
        let mut trail = self.clone();
        trail.forget_tracked();
        trail
    }

    /// What can still be true after a damaged file was salvaged: only what there are answers for. `said` tells of each
    /// prompted frame whether there is a mask.
    pub(super) fn mend(
        &mut self,
        answers: impl Iterator<Item = Result<(u64, Origin)>>,
        said: impl Iterator<Item = (u64, bool)>,
    ) -> Result<()> {
        let before = std::mem::take(self);
        for answer in answers {
            match answer? {
                (frame, Origin::Prompted) => {
                    self.conditioning.insert(frame);
                }
                (frame, Origin::Tracked(direction)) => self.tracked.insert(frame..=frame, direction),
            }
        }
        for (frame, mask) in said {
            let answered = self.conditioning.contains(&frame);
            if !answered || before.waiting.contains(&frame) {
                self.waiting.insert(frame);
            }
            if mask && (!answered || before.masks.contains(&frame)) {
                self.masks.insert(frame);
            }
        }
        for stale in before.stale.iter() {
            let there = self.tracked.overlapping(stale).filter_map(|(range, _)| common(range, stale));
            there.for_each(|range| self.stale.insert(range));
        }
        self.fresh = before.fresh.intersection(&self.conditioning).copied().collect();
        self.passed = before.passed;
        let tracked = self.tracked.iter().map(|(range, &direction)| (range.clone(), direction));
        self.passed.extend(tracked);
        self.epoch = before.epoch + 1;
        Ok(())
    }

    /// Drops what was tracked outside of `kept`: a stream keeps a window. It still counts as passed.
    pub(super) fn keep_only(&mut self, kept: &RangeInclusive<u64>) {
        for direction in [Direction::Forward, Direction::Reverse] {
            let edge = match direction {
                Direction::Forward => *kept.end(),
                Direction::Reverse => *kept.start(),
            };
            if let Some(beyond) = direction.beyond(edge) {
                self.tracked.remove(beyond.clone());
                self.stale.remove(beyond);
            }
        }
    }

    /// Whether a later frame may still recall the frame's memory without it being made anew: it lies within reach
    /// of a place where tracking stopped, where it has to be redone, or where a correction waits.
    pub(super) fn is_near_an_end(&self, frame: u64, reach: Reach) -> bool {
        if self.conditioning.contains(&frame) {
            return true;
        }
        let near = reach.memory_frames();
        let ends = |direction: Direction| {
            let around = direction.beyond(frame).and_then(|beyond| {
                let furthest = match direction {
                    Direction::Forward => frame.saturating_add(near),
                    Direction::Reverse => frame.saturating_sub(near),
                };
                common(&beyond, &(furthest.min(frame)..=furthest.max(frame)))
            });
            // At the end of the numbers nothing comes after.
            around
                .is_some_and(|around| around.into_iter().any(|f| !self.holds(f) || self.waiting.contains(&f)))
        };
        match self.tracked.get(&frame) {
            Some(&direction) => ends(direction),
            None => false,
        }
    }

    /// Goes back to what was known before something was said on a frame: exactly, if nothing was tracked since.
    /// Otherwise what was tracked no longer holds where the difference matters.
    pub(super) fn restore(&mut self, before: &Self, frame: u64, scene: &RangeInclusive<u64>) {
        if before.epoch == self.epoch {
            self.clone_from(before);
            return;
        }
        let conditioned = before.conditioning.contains(&frame);
        match (conditioned, self.conditioning.contains(&frame)) {
            (true, _) => self.prompted(frame, scene),
            (false, true) => {
                self.clear(frame, scene);
                if !before.tracked.contains_key(&frame) {
                    self.tracked.remove(frame..=frame);
                    self.stale.remove(frame..=frame);
                }
            }
            (false, false) => {}
        }
        self.answered(frame);
        if before.waiting.contains(&frame) {
            self.waiting.insert(frame);
        }
        if before.masks.contains(&frame) {
            self.masks.insert(frame);
        }
    }
}

fn common(a: &RangeInclusive<u64>, b: &RangeInclusive<u64>) -> Option<RangeInclusive<u64>> {
    let (start, end) = (*a.start().max(b.start()), *a.end().min(b.end()));
    (start <= end).then_some(start..=end)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHOT: RangeInclusive<u64> = 0..=u64::MAX;
    const REACH: Reach = Reach { slots: 7, pointers: 16, stride: 1, conditioning: None };

    /// Prompted on one frame, tracked both ways from it.
    fn trail(prompted: u64, last: u64) -> Trail {
        let mut trail = Trail::default();
        trail.prompted(prompted, &SHOT);
        (prompted + 1..=last).for_each(|t| trail.follow(t, Direction::Forward));
        (0..prompted).rev().for_each(|t| trail.follow(t, Direction::Reverse));
        trail
    }

    fn outdated(trail: &Trail) -> Vec<(RangeInclusive<u64>, Direction)> {
        trail.outdated().into_iter().map(|o| (o.frames, o.direction)).collect()
    }

    #[test]
    fn a_correction_outdates_what_was_tracked_away_from_it_and_nothing_else() {
        let mut trail = trail(10, 100);
        trail.prompted(50, &SHOT);
        assert_eq!(outdated(&trail), [(51..=100, Direction::Forward)]);
        assert!(trail.holds(49) && trail.holds(50) && !trail.holds(51));
        trail.prompted(4, &SHOT);
        assert_eq!(outdated(&trail), [(0..=3, Direction::Reverse), (51..=100, Direction::Forward)]);
    }

    #[test]
    fn a_new_click_on_the_frame_where_tracking_began_outdates_both_ways() {
        let mut trail = trail(10, 20);
        trail.prompted(10, &SHOT);
        assert_eq!(outdated(&trail), [(0..=9, Direction::Reverse), (11..=20, Direction::Forward)]);
    }

    #[test]
    fn a_correction_does_not_reach_beyond_a_cut() {
        let mut trail = trail(0, 100);
        trail.prompted(50, &(30..=79));
        assert_eq!(outdated(&trail), [(51..=79, Direction::Forward)]);
    }

    #[test]
    fn what_is_followed_anew_holds_again() {
        let mut trail = trail(0, 20);
        trail.prompted(5, &SHOT);
        (6..=12).for_each(|t| trail.follow(t, Direction::Forward));
        assert_eq!(outdated(&trail), [(13..=20, Direction::Forward)]);
        assert_eq!(trail.step(12, &SHOT), Step::Stands);
        assert_eq!(trail.step(13, &SHOT), Step::Track);
    }

    #[test]
    fn outdated_frames_are_not_recalled() {
        let mut trail = trail(0, 20);
        trail.prompted(5, &SHOT);
        let recalled = trail.recall(REACH, 8, Direction::Reverse, &SHOT).memories;
        assert_eq!(recalled, [(0, 6), (5, 6)]);
    }

    #[test]
    fn a_prompt_on_a_frame_that_was_passed_is_a_correction_and_elsewhere_it_is_not() {
        let trail = trail(10, 20);
        let passed = [0, 10, 15, 20, 21].map(|frame| trail.passed(frame));
        let (forward, reverse) = (Some(Direction::Forward), Some(Direction::Reverse));
        assert_eq!(passed, [reverse, forward, forward, forward, None]);
    }

    #[test]
    fn further_clicks_on_a_corrected_frame_recall_what_the_first_one_did_until_tracking_goes_on() {
        let recall = |trail: &Trail| trail.recall(REACH, 5, Direction::Forward, &SHOT);
        let mut trail = trail(0, 9);
        let tracked = recall(&trail);
        trail.prompted(5, &SHOT);
        assert_eq!(recall(&trail), tracked);
        trail.prompted(5, &SHOT);
        assert_eq!(recall(&trail), tracked);
        // Other frames recall it at once.
        assert_eq!(trail.recall(REACH, 6, Direction::Forward, &SHOT).memories[1], (5, 6));
        trail.follow(6, Direction::Forward);
        trail.prompted(5, &SHOT);
        assert_eq!(recall(&trail).memories[..2], [(0, 6), (5, 6)]);
    }

    #[test]
    fn clearing_one_of_two_prompted_frames_redoes_it_and_what_followed() {
        let mut trail = trail(0, 20);
        trail.prompted(5, &SHOT);
        (6..=20).for_each(|t| trail.follow(t, Direction::Forward));
        trail.clear(5, &SHOT);
        assert_eq!(outdated(&trail), [(5..=20, Direction::Forward)]);
        assert_eq!(trail.step(5, &SHOT), Step::Track);
    }

    #[test]
    fn clearing_the_last_prompted_frame_leaves_nothing_to_follow() {
        let mut trail = trail(0, 20);
        trail.clear(0, &SHOT);
        assert_eq!((trail.step(3, &SHOT), outdated(&trail)), (Step::Nothing, vec![]));
    }

    #[test]
    fn a_scene_without_prompts_is_apart() {
        let trail = trail(0, 20);
        assert_eq!(trail.step(30, &(25..=u64::MAX)), Step::Apart);
        assert_eq!(trail.step(30, &SHOT), Step::Track);
    }

    #[test]
    fn memories_are_wanted_only_near_where_tracking_goes_on() {
        let mut trail = trail(0, 100);
        let wanted =
            |trail: &Trail| (1..=100).filter(|&f| trail.is_near_an_end(f, REACH)).collect::<Vec<_>>();
        assert_eq!(wanted(&trail), (94..=100).collect::<Vec<_>>());
        trail.prompted(50, &SHOT);
        // Outdated frames themselves are not recalled, but the last of them is where tracking would go on.
        assert!((44..=50).all(|f| trail.is_near_an_end(f, REACH)) && !trail.is_near_an_end(43, REACH));
    }

    #[test]
    fn undoing_restores_exactly_what_was_known_if_nothing_was_tracked_since() {
        let mut trail = trail(0, 20);
        let before = trail.clone();
        trail.prompted(5, &SHOT);
        let corrected = trail.clone();
        trail.restore(&before, 5, &SHOT);
        assert_eq!(trail, before);
        trail.restore(&corrected, 5, &SHOT);
        assert_eq!(trail, corrected);
    }

    #[test]
    fn undoing_after_tracking_redoes_what_the_prompt_had_changed() {
        let mut trail = trail(0, 20);
        let before = trail.clone();
        trail.prompted(5, &SHOT);
        (6..=20).for_each(|t| trail.follow(t, Direction::Forward));
        trail.restore(&before, 5, &SHOT);
        assert_eq!(outdated(&trail), [(5..=20, Direction::Forward)]);
    }

    #[test]
    fn a_window_forgets_what_lies_outside_but_not_that_it_was_passed() {
        let mut trail = trail(0, 100_000);
        trail.keep_only(&(99_985..=100_000));
        assert!(!trail.holds(99_984) && trail.holds(99_985) && trail.holds(0));
        assert_eq!(trail.passed(5), Some(Direction::Forward));
        assert_eq!(trail.following().len(), 1);
    }

    #[test]
    fn a_trail_survives_being_written_down() {
        let mut trail = trail(10, 100);
        trail.prompted(50, &SHOT);
        trail.wait(7);
        let written = serde_json::to_vec(&trail).unwrap();
        assert_eq!(serde_json::from_slice::<Trail>(&written).unwrap(), trail);
        assert!(written.len() < 400, "{} bytes", written.len());
    }
}
