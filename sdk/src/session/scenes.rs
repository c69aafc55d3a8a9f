//! Where the shot is cut: nothing is recalled from the other side.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

/// Frames that begin a new scene.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Scenes {
    cuts: BTreeSet<u64>,
}

impl Scenes {
    pub(super) fn new(cuts: BTreeSet<u64>) -> Self {
        Self { cuts }
    }

    pub(super) fn cuts(&self) -> impl Iterator<Item = u64> {
        self.cuts.iter().copied()
    }

    pub(super) fn is_cut(&self, frame: u64) -> bool {
        self.cuts.contains(&frame)
    }

    /// Adds cuts, or takes them away.
    pub(super) fn change(&mut self, changes: &BTreeMap<u64, bool>) {
        for (&frame, &cut) in changes {
            if cut {
                self.cuts.insert(frame);
            } else {
                self.cuts.remove(&frame);
            }
        }
    }

    /// The frames that no cut would part from a frame, were some cuts added or taken away.
    pub(super) fn around_with(&self, frame: u64, changes: &BTreeMap<u64, bool>) -> RangeInclusive<u64> {
        if changes.is_empty() {
            return self.around(frame);
        }
        let mut changed = self.clone();
        changed.change(changes);
        changed.around(frame)
    }

    /// The frames that no cut parts from a frame, as far as is known.
    pub(super) fn around(&self, frame: u64) -> RangeInclusive<u64> {
        let first = self.cuts.range(..=frame).next_back().copied().unwrap_or(0);
        let next = frame.checked_add(1).and_then(|after| self.cuts.range(after..).next().copied());
        first..=next.map_or(u64::MAX, |next| next - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scene_reaches_from_cut_to_cut() {
        let scenes = Scenes::new([10, 20].into());
        let around = [0, 9, 10, 19, 20, u64::MAX].map(|frame| scenes.around(frame));
        let (first, second, third) = (0..=9, 10..=19, 20..=u64::MAX);
        assert_eq!(around, [first.clone(), first, second.clone(), second, third.clone(), third]);
    }

    #[test]
    fn cuts_come_and_go() {
        let mut scenes = Scenes::new([10].into());
        let changes = [(10, false), (4, true)].into();
        assert_eq!((scenes.around(5), scenes.around_with(5, &changes)), (0..=9, 4..=u64::MAX));
        scenes.change(&changes);
        assert_eq!(scenes.cuts().collect::<Vec<_>>(), [4]);
    }
}
