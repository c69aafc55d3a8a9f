//! Ranges of frames, kept in order and few.

use std::ops::RangeInclusive;

use super::Reasons;

/// Ranges that are kept of an object; beyond, the nearest two become one.
const MOST: usize = 1024;

/// Frames that are worth a look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReviewRange {
    /// The first frame.
    pub first: u64,
    /// The last frame.
    pub last: u64,
    /// Why, each on at least one of the frames.
    pub reasons: Reasons,
}

/// In order, never two that touch.
#[derive(Debug, Default)]
pub(super) struct Ranges(Vec<ReviewRange>);

impl Ranges {
    pub(super) fn all(&self) -> &[ReviewRange] {
        &self.0
    }

    /// Flags a frame. Ranges with at most `merge` frames between them become one.
    pub(super) fn add(&mut self, frame: u64, reasons: Reasons, merge: u64) {
        if reasons.is_empty() {
            return;
        }
        let reach = merge.saturating_add(1);
        let from = self.0.partition_point(|range| range.last.saturating_add(reach) < frame);
        let to = self.0.partition_point(|range| range.first <= frame.saturating_add(reach));
        let one = ReviewRange { first: frame, last: frame, reasons };
        let joined = self.0[from..to].iter().fold(one, |all, range| ReviewRange {
            first: all.first.min(range.first),
            last: all.last.max(range.last),
            reasons: all.reasons.and(range.reasons),
        });
        self.0.splice(from..to, [joined]);
        if self.0.len() > MOST {
            self.join_nearest();
        }
    }

    /// Frames that are not flagged any more.
    pub(super) fn remove(&mut self, frames: RangeInclusive<u64>) {
        let (first, last) = (*frames.start(), *frames.end());
        let rest = |range: &ReviewRange| {
            let before =
                (range.first < first).then(|| ReviewRange { last: range.last.min(first - 1), ..*range });
            let after =
                (range.last > last).then(|| ReviewRange { first: range.first.max(last + 1), ..*range });
            match before == after {
                true => [before, None],
                false => [before, after],
            }
        };
        self.0 = self.0.iter().flat_map(rest).flatten().collect();
    }

    fn join_nearest(&mut self) {
        let gap = |at: &usize| self.0[at + 1].first - self.0[*at].last;
        if let Some(at) = (0..self.0.len() - 1).min_by_key(gap) {
            let next = self.0.remove(at + 1);
            self.0[at].last = next.last;
            self.0[at].reasons = self.0[at].reasons.and(next.reasons);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::review::Reason;

    fn flagged(frames: impl IntoIterator<Item = u64>, merge: u64) -> Vec<(u64, u64)> {
        let mut ranges = Ranges::default();
        frames.into_iter().for_each(|frame| ranges.add(frame, Reason::LowIou.into(), merge));
        ranges.all().iter().map(|range| (range.first, range.last)).collect()
    }

    #[test]
    fn near_frames_become_one_range_in_whatever_order_they_come() {
        for frames in [[0, 1, 5, 12, 13], [13, 12, 5, 1, 0], [5, 13, 0, 12, 1]] {
            assert_eq!(flagged(frames, 3), [(0, 5), (12, 13)]);
            assert_eq!(flagged(frames, 0), [(0, 1), (5, 5), (12, 13)]);
        }
        assert_eq!(flagged([0, u64::MAX], u64::MAX), [(0, u64::MAX)]);
    }

    #[test]
    fn what_is_removed_splits_a_range() {
        let mut ranges = Ranges::default();
        (0..20).for_each(|frame| ranges.add(frame, Reason::Lost.into(), 0));
        ranges.remove(5..=9);
        ranges.remove(15..=u64::MAX);
        ranges.remove(30..=40);
        let left: Vec<_> = ranges.all().iter().map(|range| (range.first, range.last)).collect();
        assert_eq!(left, [(0, 4), (10, 14)]);
        ranges.remove(0..=u64::MAX);
        assert!(ranges.all().is_empty());
    }

    #[test]
    fn an_hour_of_trouble_keeps_a_bounded_number_of_ranges_and_every_flagged_frame() {
        let frames: Vec<u64> = (0..90_000).filter(|frame| frame % 17 == 0).collect();
        let found = flagged(frames.iter().copied(), 3);
        assert_eq!(found.len(), MOST);
        assert!(frames.iter().all(|f| found.iter().any(|(first, last)| (first..=last).contains(&f))));
    }
}
