//! How well objects were followed, and what is made of that: means, groups, curves.

use std::{collections::BTreeMap, time::Duration};

use serde::Serialize;

use super::measure::{Statistics, boundary_accuracy, region_similarity};
use crate::dataset::Region;

/// How well one object was followed with a certain amount of help.
#[derive(Clone, Debug, Default)]
pub struct Score {
    /// The clip.
    pub sequence: String,
    /// The object.
    pub object: String,
    /// Whether the clip has other objects.
    pub several: bool,
    /// Frames that were clicked on, or clicks on a picture.
    pub interactions: usize,
    /// In the library.
    pub spent: Duration,
    /// How many frames that was for.
    pub frames: usize,
    /// The frames that count.
    pub measured: Vec<FrameScore>,
}

/// How well one frame's mask fits.
#[derive(Clone, Debug, Serialize)]
pub struct FrameScore {
    /// The file's name without its suffix.
    pub name: String,
    /// Frames since the object's first.
    pub after: usize,
    /// Region similarity, 0 to 1.
    pub j: f64,
    /// Boundary accuracy, 0 to 1.
    pub f: f64,
}

/// J and F over frames or objects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Figures {
    /// Region similarity.
    pub j: Statistics,
    /// Boundary accuracy.
    pub f: Statistics,
}

/// Points of a curve.
pub type Curve = Vec<[f64; 2]>;

impl FrameScore {
    /// Measures a mask.
    pub fn of(name: String, after: usize, truth: &Region, found: &Region) -> Self {
        Self { name, after, j: region_similarity(truth, found), f: boundary_accuracy(truth, found) }
    }

    /// J&F.
    pub fn both(&self) -> f64 {
        (self.j + self.f) / 2.0
    }
}

impl Figures {
    /// Over frames; `None` if there are none.
    pub fn of(frames: &[FrameScore]) -> Option<Self> {
        let over =
            |value: fn(&FrameScore) -> f64| Statistics::of(&frames.iter().map(value).collect::<Vec<_>>());
        Some(Self { j: over(|frame| frame.j)?, f: over(|frame| frame.f)? })
    }

    /// J&F.
    pub fn both(&self) -> f64 {
        (self.j.mean + self.f.mean) / 2.0
    }

    /// The mean of several; `None` of none.
    pub fn mean(all: &[Self]) -> Option<Self> {
        let over = |value: &dyn Fn(&Self) -> f64| all.iter().map(value).sum::<f64>() / all.len() as f64;
        let one = |of: fn(&Self) -> &Statistics| Statistics {
            mean: over(&|figures| of(figures).mean),
            recall: over(&|figures| of(figures).recall),
            decay: over(&|figures| of(figures).decay),
        };
        (!all.is_empty()).then(|| Self { j: one(|figures| &figures.j), f: one(|figures| &figures.f) })
    }
}

impl Score {
    /// The clip's name, with the object's where there are several.
    pub fn name(&self) -> String {
        if self.several { format!("{}:{}", self.sequence, self.object) } else { self.sequence.clone() }
    }

    /// J and F over the frames that count; `None` if there are none.
    pub fn figures(&self) -> Option<Figures> {
        Figures::of(&self.measured)
    }

    /// Frames a second.
    pub fn rate(&self) -> f64 {
        self.frames as f64 / self.spent.as_secs_f64()
    }
}

/// The mean over objects, each of them weighing the same, as DAVIS takes it; `None` where none was measured.
pub fn mean<'a>(scores: impl IntoIterator<Item = &'a Score>) -> Option<Figures> {
    Figures::mean(&scores.into_iter().filter_map(Score::figures).collect::<Vec<_>>())
}

/// The mean over all masks of pictures, each of them weighing the same.
pub fn mean_of_masks<'a>(scores: impl IntoIterator<Item = &'a Score>) -> Option<Figures> {
    let frames: Vec<FrameScore> = scores.into_iter().flat_map(|score| score.measured.clone()).collect();
    Figures::of(&frames)
}

/// Frames a second over all.
pub fn mean_rate<'a>(scores: impl IntoIterator<Item = &'a Score>) -> f64 {
    let (mut frames, mut seconds) = (0, 0.0);
    for score in scores {
        frames += score.frames;
        seconds += score.spent.as_secs_f64();
    }
    frames as f64 / seconds
}

/// Mean J&F by the number of frames since the prompt, as far as half of the objects reach.
pub fn by_frame<'a>(scores: impl IntoIterator<Item = &'a Score>) -> Curve {
    let mut sums: BTreeMap<usize, (f64, usize)> = BTreeMap::new();
    for frame in scores.into_iter().flat_map(|score| &score.measured) {
        let (sum, count) = sums.entry(frame.after).or_default();
        *sum += frame.both();
        *count += 1;
    }
    let most = sums.values().map(|(_, count)| *count).max().unwrap_or(0);
    let enough = sums.into_iter().filter(|(_, (_, count))| count * 2 >= most);
    enough.map(|(after, (sum, count))| [after as f64, sum / count as f64]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn score(measured: &[(usize, f64, f64)]) -> Score {
        let frame = |&(after, j, f): &(usize, f64, f64)| FrameScore { name: "1".into(), after, j, f };
        Score { measured: measured.iter().map(frame).collect(), ..Score::default() }
    }

    #[test]
    fn objects_weigh_the_same_however_long_their_clips_are_and_masks_do_not() {
        let scores = [score(&[(1, 1.0, 0.0); 3]), score(&[(1, 0.0, 0.0)]), score(&[])];
        let found = mean(&scores).unwrap();
        assert_eq!((found.j.mean, found.j.recall, found.both()), (0.5, 0.5, 0.25));
        assert_eq!(mean_of_masks(&scores).unwrap().j.mean, 0.75);
        assert_eq!((mean(&scores[2..]), mean_of_masks(&scores[2..])), (None, None));
    }

    #[test]
    fn the_curve_ends_where_most_clips_have_ended() {
        let scores = [score(&[(1, 1.0, 0.0), (2, 0.5, 0.5), (3, 0.0, 0.0)]), score(&[(1, 0.0, 0.0)])];
        assert_eq!(by_frame(&scores), [[1.0, 0.25], [2.0, 0.5], [3.0, 0.0]]);
        let scores = [scores[0].clone(), scores[1].clone(), scores[1].clone()];
        assert_eq!(by_frame(&scores).len(), 1);
    }
}
