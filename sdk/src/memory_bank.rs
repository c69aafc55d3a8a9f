//! Which memories a frame may recall. Pure policy over frame numbers: it holds and computes no tensor.
//!
//! Source: SAM 2, section 4 (memory bank), `_prepare_memory_conditioned_features` and
//! `select_closest_cond_frames` of the reference.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

/// Which way an object is followed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Direction {
    /// From earlier frames to later ones.
    #[default]
    Forward,
    /// From later frames to earlier ones.
    Reverse,
}

impl Direction {
    /// The frame that lies `distance` behind `at` as this direction goes: one that was tracked before it.
    pub(crate) fn behind(self, at: u64, distance: u64) -> Option<u64> {
        match self {
            Self::Forward => at.checked_sub(distance),
            Self::Reverse => at.checked_add(distance),
        }
    }

    /// How far `from` lies behind `at`; negative if it is still ahead.
    fn distance(self, at: u64, from: u64) -> i64 {
        let distance = at as i64 - from as i64;
        match self {
            Self::Forward => distance,
            Self::Reverse => -distance,
        }
    }

    /// The frames that come after `at`, as far as numbers go.
    pub(crate) fn beyond(self, at: u64) -> Option<RangeInclusive<u64>> {
        match self {
            Self::Forward => Some(at.checked_add(1)?..=u64::MAX),
            Self::Reverse => Some(0..=at.checked_sub(1)?),
        }
    }
}

/// How far back the attention looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reach {
    /// Spatial memories an attention takes besides further prompted frames (`num_maskmem`): one slot is the
    /// prompted frames', the others are recent frames'.
    pub(crate) slots: u64,
    /// The pointer window (`max_obj_ptrs_in_encoder`). The reference shrinks it to the length of a shorter
    /// clip; a stream doesn't know its length, so here it is always the whole window.
    pub(crate) pointers: u64,
    /// Recent memories beyond the last frame are taken from every `stride`-th frame
    /// (`memory_temporal_stride_for_eval`).
    pub(crate) stride: u64,
    /// The most prompted frames that are recalled as such (`max_cond_frames_in_attn`); at least 2.
    pub(crate) conditioning: Option<usize>,
}

impl Reach {
    /// How many frames back a memory may lie and still be recalled as a recent one.
    pub(crate) fn memory_frames(self) -> u64 {
        // The last frame; then, from the nearest multiple of the stride at least two back, slots - 2 more.
        2 + (self.slots.max(3) - 2) * self.stride
    }

    /// How many frames back anything of a frame may be recalled.
    pub(crate) fn frames(self) -> u64 {
        self.memory_frames().max(self.pointers)
    }

    /// The frames whose recent memories `at` may recall: nearest first, with their distance in slots.
    fn recent(self, at: u64, direction: Direction) -> impl Iterator<Item = (u64, u64)> {
        let stride = self.stride.max(1);
        let frame = move |slot: u64| {
            if slot == 1 {
                return direction.behind(at, 1);
            }
            // The reference counts from the nearest multiple of the stride that lies two frames back or more.
            let nearest = match direction {
                Direction::Forward => at.checked_sub(2)? / stride * stride,
                Direction::Reverse => at.checked_add(2)?.div_ceil(stride).checked_mul(stride)?,
            };
            direction.behind(nearest, (slot - 2) * stride)
        };
        (1..self.slots).filter_map(move |slot| Some((frame(slot)?, slot)))
    }
}

/// What is known of an object's frames when one of them is about to be tracked.
pub(crate) struct Known<'a, F> {
    /// Frames answered by prompts.
    pub(crate) conditioning: &'a BTreeSet<u64>,
    /// Whether a frame was tracked, and how it was answered still holds.
    pub(crate) tracked: F,
    /// Frames on the same side of every cut: nothing is recalled from elsewhere.
    pub(crate) scene: RangeInclusive<u64>,
}

/// What one frame recalls, in the order in which the reference lays it before the attention.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Recall {
    /// A frame whose memory is recalled, and its row of the temporal encoding (`maskmem_tpos_enc`): the last for
    /// prompted frames, distance less one for recent ones. Prompted frames first, then recent ones, the furthest
    /// first.
    pub(crate) memories: Vec<(u64, i64)>,
    /// A frame whose object pointer is recalled, and its distance divided by the window's last index.
    pub(crate) pointers: Vec<(u64, f32)>,
}

/// Decides what the frame `at` recalls when the object is followed into it.
pub(crate) fn recall<F: Fn(u64) -> bool>(
    reach: Reach,
    at: u64,
    direction: Direction,
    known: &Known<'_, F>,
) -> Recall {
    let prompted: Vec<u64> = known.conditioning.range(known.scene.clone()).copied().collect();
    let selected = closest(&prompted, at, reach.conditioning);
    // A prompted frame that was not selected counts as a recent one.
    let recent = |frame: u64| {
        known.scene.contains(&frame)
            && !selected.contains(&frame)
            && (known.conditioning.contains(&frame) || (known.tracked)(frame))
    };

    let mut memories: Vec<_> = selected.iter().map(|&frame| (frame, reach.slots as i64 - 1)).collect();
    let mut near: Vec<_> = reach.recent(at, direction).filter(|&(frame, _)| recent(frame)).collect();
    near.reverse();
    memories.extend(near.into_iter().map(|(frame, slot)| (frame, slot as i64 - 1)));

    // Pointers of prompted frames that are still to come would tell the future's appearance as the past's.
    let last = reach.pointers.saturating_sub(1).max(1) as f32;
    let mut pointers: Vec<_> = selected
        .iter()
        .map(|&frame| (frame, direction.distance(at, frame)))
        .filter(|&(_, distance)| distance >= 0)
        .map(|(frame, distance)| (frame, distance as f32 / last))
        .collect();
    let seen = (1..reach.pointers).filter_map(|distance| Some((direction.behind(at, distance)?, distance)));
    pointers.extend(seen.filter(|&(frame, _)| recent(frame)).map(|(frame, d)| (frame, d as f32 / last)));
    Recall { memories, pointers }
}

/// `select_closest_cond_frames`: the nearest before, the nearest at or after, then the closest of the others.
/// In the order of frames.
fn closest(prompted: &[u64], at: u64, most: Option<usize>) -> BTreeSet<u64> {
    let Some(most) = most.filter(|&most| prompted.len() > most) else {
        return prompted.iter().copied().collect();
    };
    let before = prompted.iter().rev().find(|&&frame| frame < at);
    let after = prompted.iter().find(|&&frame| frame >= at);
    let mut selected: BTreeSet<u64> = before.into_iter().chain(after).copied().collect();
    let mut others: Vec<_> = prompted.iter().copied().filter(|frame| !selected.contains(frame)).collect();
    others.sort_by_key(|&frame| frame.abs_diff(at));
    others.truncate(most.saturating_sub(selected.len()));
    selected.extend(others);
    selected
}

#[cfg(test)]
mod tests {
    use super::*;

    const REACH: Reach = Reach { slots: 7, pointers: 16, stride: 1, conditioning: None };

    /// Memories by frame and slot, pointers by frame and distance in frames.
    type Recalled = (Vec<(u64, i64)>, Vec<(u64, f32)>);

    struct Shot {
        reach: Reach,
        prompted: BTreeSet<u64>,
        tracked: BTreeSet<u64>,
        scene: RangeInclusive<u64>,
    }

    fn shot(prompted: impl IntoIterator<Item = u64>, tracked: impl IntoIterator<Item = u64>) -> Shot {
        Shot {
            reach: REACH,
            prompted: prompted.into_iter().collect(),
            tracked: tracked.into_iter().collect(),
            scene: 0..=u64::MAX,
        }
    }

    impl Shot {
        fn recall(&self, at: u64, direction: Direction) -> Recalled {
            let tracked = |frame| self.tracked.contains(&frame);
            let known = Known { conditioning: &self.prompted, tracked, scene: self.scene.clone() };
            let recall = recall(self.reach, at, direction, &known);
            (recall.memories, recall.pointers.into_iter().map(|(frame, d)| (frame, d * 15.0)).collect())
        }

        fn forward(&self, at: u64) -> Recalled {
            self.recall(at, Direction::Forward)
        }
    }

    #[test]
    fn the_frame_after_a_prompt_recalls_the_prompted_frame_alone() {
        assert_eq!(shot([3], []).forward(4), (vec![(3, 6)], vec![(3, 1.0)]));
    }

    #[test]
    fn recent_memories_come_furthest_first_with_distance_less_one_as_slot() {
        let (memories, pointers) = shot([0], 1..=20).forward(21);
        assert_eq!(memories, [(0, 6), (15, 5), (16, 4), (17, 3), (18, 2), (19, 1), (20, 0)]);
        assert_eq!(pointers.len(), 16);
        assert_eq!((pointers[0], pointers[1], pointers[15]), ((0, 21.0), (20, 1.0), (6, 15.0)));
    }

    #[test]
    fn in_reverse_the_frames_after_are_recalled_and_pointers_of_earlier_prompts_are_not() {
        let (memories, pointers) = shot([2, 30], 10..=29).recall(9, Direction::Reverse);
        assert_eq!(memories, [(2, 6), (30, 6), (15, 5), (14, 4), (13, 3), (12, 2), (11, 1), (10, 0)]);
        assert_eq!((pointers[0], pointers[1], pointers.len()), ((30, 21.0), (10, 1.0), 16));
    }

    #[test]
    fn a_gap_leaves_its_slots_empty_and_moves_no_other() {
        assert_eq!(shot([0], [4, 6]).forward(8).0, [(0, 6), (4, 3), (6, 1)]);
    }

    #[test]
    fn a_prompted_frame_ahead_lends_its_memory_but_not_its_pointer() {
        assert_eq!(shot([0, 9], []).forward(2), (vec![(0, 6), (9, 6)], vec![(0, 2.0)]));
    }

    #[test]
    fn with_a_stride_the_last_frame_is_followed_by_multiples_of_it() {
        let mut shot = shot([0], 1..=20);
        shot.reach.stride = 3;
        assert_eq!(shot.forward(21).0, [(0, 6), (6, 5), (9, 4), (12, 3), (15, 2), (18, 1), (20, 0)]);
        let (memories, _) = self::shot([40], 20..=39).with_stride(3).recall(19, Direction::Reverse);
        assert_eq!(memories, [(40, 6), (33, 5), (30, 4), (27, 3), (24, 2), (21, 1), (20, 0)]);
    }

    impl Shot {
        fn with_stride(mut self, stride: u64) -> Self {
            self.reach.stride = stride;
            self
        }
    }

    #[test]
    fn beyond_the_limit_the_nearest_on_either_side_come_first_and_the_rest_count_as_recent() {
        let mut shot = shot([0, 5, 9, 40, 90], [10]);
        shot.reach.conditioning = Some(3);
        let (memories, pointers) = shot.forward(11);
        assert_eq!(memories, [(5, 6), (9, 6), (40, 6), (10, 0)]);
        assert_eq!(pointers, [(5, 6.0), (9, 2.0), (10, 1.0), (0, 11.0)]);
        shot.reach.conditioning = Some(2);
        assert_eq!(shot.forward(11).0, [(9, 6), (40, 6), (5, 5), (10, 0)]);
    }

    #[test]
    fn nothing_is_recalled_from_beyond_a_cut() {
        let mut shot = shot([0, 12, 30], 1..=11);
        shot.scene = 8..=20;
        assert_eq!(shot.forward(11).0, [(12, 6), (8, 2), (9, 1), (10, 0)]);
        assert_eq!(shot.forward(11).1, [(10, 1.0), (9, 2.0), (8, 3.0)]);
    }

    #[test]
    fn no_frame_beyond_the_stated_reach_is_recalled() {
        for stride in 1..5 {
            let mut shot = shot([], 0..=400);
            shot.reach.stride = stride;
            for at in 150..170 {
                for direction in [Direction::Forward, Direction::Reverse] {
                    let (memories, _) = shot.recall(at, direction);
                    assert_eq!(memories.len(), 6);
                    let furthest = memories.iter().map(|(frame, _)| frame.abs_diff(at)).max().unwrap();
                    assert!(furthest <= shot.reach.memory_frames(), "{furthest} back with stride {stride}");
                }
            }
        }
    }
}
