//! Which memories a frame may recall. Pure policy: it computes no tensor.
//!
//! Source: SAM 2, section 4 (memory bank), and `_prepare_memory_conditioned_features` of the reference.

use std::collections::BTreeMap;

/// How far back the attention looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reach {
    /// Spatial memories an attention takes besides further prompted frames (`num_maskmem`): one slot is the
    /// prompted frames', the others are recent frames'.
    pub(crate) slots: usize,
    /// The pointer window (`max_obj_ptrs_in_encoder`). The reference shrinks it to the length of a shorter
    /// clip; a stream doesn't know its length, so here it is always the whole window.
    pub(crate) pointers: usize,
}

/// One object's remembered frames. What is remembered of a frame is the caller's `T`.
#[derive(Debug)]
pub(crate) struct MemoryBank<T> {
    reach: Reach,
    prompted: BTreeMap<u64, T>,
    recent: BTreeMap<u64, T>,
    /// First and last frame that tracking has passed since the object was last forgotten.
    passed: Option<(u64, u64)>,
}

/// What one frame recalls, in the order in which the reference lays it before the attention.
#[derive(Debug)]
pub(crate) struct Recall<'a, T> {
    /// A memory and its row of the temporal encoding (`maskmem_tpos_enc`): the last for prompted frames,
    /// distance less one for recent ones. Prompted frames first, then recent ones, the furthest first.
    pub(crate) memories: Vec<(&'a T, i64)>,
    /// A frame whose object pointer is recalled, and its distance divided by the window's last index.
    pub(crate) pointers: Vec<(&'a T, f32)>,
}

impl<T> MemoryBank<T> {
    pub(crate) fn new(reach: Reach) -> Self {
        Self { reach, prompted: BTreeMap::new(), recent: BTreeMap::new(), passed: None }
    }

    /// Nothing was prompted yet, so nothing can be tracked.
    pub(crate) fn is_empty(&self) -> bool {
        self.prompted.is_empty()
    }

    /// What is remembered of a frame that was answered by prompts.
    pub(crate) fn prompted(&self, frame: u64) -> Option<&T> {
        self.prompted.get(&frame)
    }

    /// What is remembered of a frame, however it was answered.
    pub(crate) fn at(&self, frame: u64) -> Option<&T> {
        self.prompted.get(&frame).or_else(|| self.recent.get(&frame))
    }

    /// Whether tracking has passed the frame, which makes a prompt on it a correction.
    pub(crate) fn was_tracked(&self, frame: u64) -> bool {
        self.passed.is_some_and(|(first, last)| (first..=last).contains(&frame))
    }

    /// Tracking has passed a frame. The reference passes prompted frames as well, from the first one on.
    pub(crate) fn pass(&mut self, frame: u64) {
        let start = self.prompted.range(..=frame).next().map_or(frame, |(&first, _)| first);
        let (first, last) = self.passed.unwrap_or((start, frame));
        self.passed = Some((first.min(start), last.max(frame)));
    }

    /// Keeps a frame answered by prompts for good. It leaves the recent frames, as in the reference with
    /// `add_all_frames_to_correct_as_cond`, without which corrections are lost.
    pub(crate) fn remember_prompted(&mut self, frame: u64, memory: T) {
        self.recent.remove(&frame);
        self.prompted.insert(frame, memory);
    }

    /// Keeps a tracked frame until no frame after it can look back that far.
    pub(crate) fn remember_tracked(&mut self, frame: u64, memory: T) {
        self.recent.insert(frame, memory);
        self.pass(frame);
        let window = self.reach.slots.max(self.reach.pointers) as u64;
        self.recent.retain(|&kept, _| kept.abs_diff(frame) < window);
    }

    /// Drops what was tracked, as after a cut. What was prompted stays.
    pub(crate) fn forget_tracked(&mut self) {
        self.recent.clear();
        self.passed = None;
    }

    /// What frame `at` may look back on when tracking forward.
    pub(crate) fn recall(&self, at: u64) -> Recall<'_, T> {
        let Reach { slots, pointers } = self.reach;
        let back = |distance: usize| self.recent.get(&at.checked_sub(distance as u64)?);

        let mut memories: Vec<_> = self.prompted.values().map(|m| (m, slots as i64 - 1)).collect();
        let recent = (1..slots).rev().filter_map(|d| Some((back(d)?, d as i64 - 1)));
        memories.extend(recent);

        // Pointers of prompted frames that are still to come would tell the future's appearance as the past's.
        let last = (pointers - 1).max(1) as f32;
        let mut seen: Vec<_> =
            self.prompted.range(..=at).map(|(&t, m)| (m, (at - t) as f32 / last)).collect();
        seen.extend((1..pointers).filter_map(|d| Some((back(d)?, d as f32 / last))));
        Recall { memories, pointers: seen }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bank() -> MemoryBank<u64> {
        MemoryBank::new(Reach { slots: 7, pointers: 16 })
    }

    type Recalled = (Vec<(u64, i64)>, Vec<(u64, f32)>);

    fn recalled(bank: &MemoryBank<u64>, at: u64) -> Recalled {
        let recall = bank.recall(at);
        (
            recall.memories.iter().map(|&(m, slot)| (*m, slot)).collect(),
            recall.pointers.iter().map(|&(m, d)| (*m, d * 15.0)).collect(),
        )
    }

    #[test]
    fn the_frame_after_a_prompt_recalls_the_prompted_frame_alone() {
        let mut bank = bank();
        bank.remember_prompted(3, 3);
        assert_eq!(recalled(&bank, 4), (vec![(3, 6)], vec![(3, 1.0)]));
    }

    #[test]
    fn recent_memories_come_furthest_first_with_distance_less_one_as_slot() {
        let mut bank = bank();
        bank.remember_prompted(0, 0);
        (1..=20).for_each(|t| bank.remember_tracked(t, t));
        let (memories, pointers) = recalled(&bank, 21);
        assert_eq!(memories, [(0, 6), (15, 5), (16, 4), (17, 3), (18, 2), (19, 1), (20, 0)]);
        assert_eq!(pointers.len(), 16);
        assert_eq!((pointers[0], pointers[1], pointers[15]), ((0, 21.0), (20, 1.0), (6, 15.0)));
    }

    #[test]
    fn a_gap_leaves_its_slots_empty_and_moves_no_other() {
        let mut bank = bank();
        bank.remember_prompted(0, 0);
        bank.remember_tracked(4, 4);
        bank.remember_tracked(6, 6);
        assert_eq!(recalled(&bank, 8).0, [(0, 6), (4, 3), (6, 1)]);
    }

    #[test]
    fn a_prompted_frame_ahead_lends_its_memory_but_not_its_pointer() {
        let mut bank = bank();
        bank.remember_prompted(0, 0);
        bank.remember_prompted(9, 9);
        let (memories, pointers) = recalled(&bank, 2);
        assert_eq!(memories, [(0, 6), (9, 6)]);
        assert_eq!(pointers, [(0, 2.0)]);
    }

    #[test]
    fn a_corrected_frame_is_recalled_once_as_prompted() {
        let mut bank = bank();
        bank.remember_prompted(0, 0);
        (1..=3).for_each(|t| bank.remember_tracked(t, t));
        assert!(bank.was_tracked(0) && bank.was_tracked(3) && !bank.was_tracked(4));
        bank.remember_prompted(3, 30);
        assert_eq!(recalled(&bank, 4).0, [(0, 6), (30, 6), (1, 2), (2, 1)]);
    }

    #[test]
    fn a_hundred_thousand_frames_leave_no_more_than_one_window() {
        let mut bank = bank();
        bank.remember_prompted(0, 0);
        (1..=100_000).for_each(|t| bank.remember_tracked(t, t));
        assert_eq!(bank.recent.len(), 16);
        assert_eq!(bank.recall(100_001).pointers.len(), 16);
    }

    #[test]
    fn going_back_and_tracking_again_keeps_no_frame_beyond_the_window() {
        let mut bank = bank();
        bank.remember_prompted(0, 0);
        (1..=100).for_each(|t| bank.remember_tracked(t, t));
        bank.remember_tracked(5, 5);
        assert_eq!(bank.recent.keys().copied().collect::<Vec<_>>(), [5]);
    }

    #[test]
    fn forgetting_keeps_what_was_prompted() {
        let mut bank = bank();
        bank.remember_prompted(0, 0);
        bank.remember_tracked(1, 1);
        bank.forget_tracked();
        assert_eq!(recalled(&bank, 2).0, [(0, 6)]);
    }
}
