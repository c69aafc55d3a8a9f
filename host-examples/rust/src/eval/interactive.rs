//! Interactive tasks: a person sees where it goes wrong, and clicks there (SAM 2, appendix on its evaluation).
//!
//! Each object is followed by itself. A frame that is clicked on gets three clicks, each in view of what the last
//! one gave. Scores are given for each number of frames that were clicked on.

use std::collections::BTreeSet;

use super::{
    Run,
    measure::region_similarity,
    score::{FrameScore, Score},
    tracker::Tracker,
};
use crate::{
    Error, Result,
    dataset::{FrameReader, Object, Region, Sequence, Truth},
    picture::Picture,
};

/// Clicks on a frame.
const CLICKS: usize = 3;

/// The overlap below which a person stops the clip to correct it.
const GOOD_ENOUGH: f64 = 0.75;

/// The one object of a session.
const OBJECT: u32 = 0;

/// A clip's object, and what following it takes.
struct Shot<'r, 'm, 'a, 't> {
    run: &'r mut Run<'m>,
    sequence: &'a Sequence,
    truth: &'t mut Truth<'a>,
    object: &'t Object,
    reader: FrameReader<'a>,
    picture: Picture,
    last: usize,
}

/// Visits the whole clip again and again, each time after clicks on the frame that was worst.
pub fn offline<'a>(run: &mut Run<'_>, sequence: &'a Sequence, truth: &mut Truth<'a>) -> Result<Vec<Score>> {
    each(run, truth, sequence, |shot, rounds| {
        let mut tracker = Tracker::open(shot.run.model, shot.truth.size)?;
        let (mut scores, mut clicked) = (Vec::new(), BTreeSet::new());
        let mut target = Some(shot.object.first);
        for round in 1..=rounds {
            // Nothing is left to click on, or nothing wrong with it: more rounds would change nothing.
            let Some(frame) = target else { break };
            shot.correct(&mut tracker, frame)?;
            clicked.insert(frame);
            tracker.forget()?;
            let (score, overlaps) = shot.pass(&mut tracker, round, |_, _, _| Ok(None))?;
            scores.push(score);
            let left = overlaps.iter().filter(|(frame, j)| !clicked.contains(frame) && *j < 1.0);
            target = left.min_by(|a, b| a.1.total_cmp(&b.1)).map(|&(frame, _)| frame);
        }
        Ok(scores)
    })
}

/// Visits the clip once and pauses to click where it has gone wrong; done once for each number of pauses allowed.
pub fn online<'a>(run: &mut Run<'_>, sequence: &'a Sequence, truth: &mut Truth<'a>) -> Result<Vec<Score>> {
    each(run, truth, sequence, |shot, rounds| {
        let mut scores = Vec::new();
        for allowed in 1..=rounds {
            let mut tracker = Tracker::open(shot.run.model, shot.truth.size)?;
            let mut paused = 0;
            let first = shot.object.first;
            let (score, _) = shot.pass(&mut tracker, allowed, |tracker, frame, (truth, found)| {
                let clicks = if frame == first { CLICKS - 1 } else { CLICKS };
                let wrong = frame == first || region_similarity(truth, found) < GOOD_ENOUGH;
                if !wrong || paused == allowed {
                    return Ok(None);
                }
                paused += 1;
                tracker.correct(OBJECT, frame, truth, clicks).map(Some)
            })?;
            scores.push(score);
            if paused < allowed {
                break;
            }
        }
        Ok(scores)
    })
}

/// Runs a task for each object, and fills up what further rounds would not have changed.
fn each<'a>(
    run: &mut Run<'_>,
    truth: &mut Truth<'a>,
    sequence: &'a Sequence,
    task: impl Fn(&mut Shot<'_, '_, 'a, '_>, usize) -> Result<Vec<Score>>,
) -> Result<Vec<Score>> {
    let (rounds, last) = (run.args.rounds as usize, truth.annotated.last().copied().unwrap_or(0));
    let mut all = Vec::new();
    for object in truth.objects.clone() {
        let reader = FrameReader::new(sequence, Some(truth.size));
        let picture = Picture::default();
        let mut shot =
            Shot { run: &mut *run, sequence, truth: &mut *truth, object: &object, reader, picture, last };
        let mut scores = task(&mut shot, rounds)?;
        while let Some(score) = scores.last().filter(|score| score.interactions < rounds) {
            let interactions = score.interactions + 1;
            scores.push(Score { interactions, ..score.clone() });
        }
        all.extend(scores);
    }
    Ok(all)
}

impl Shot<'_, '_, '_, '_> {
    /// Follows the object as far as `frame`, and clicks there.
    fn correct(&mut self, tracker: &mut Tracker, frame: usize) -> Result<()> {
        tracker.forget()?;
        for at in self.object.first..=frame {
            self.push(tracker, at)?;
        }
        let truth = self.region(frame)?.ok_or(Error::Bug("a frame without a mask was chosen"))?;
        let clicks = if frame == self.object.first { CLICKS - 1 } else { CLICKS };
        tracker.correct(OBJECT, frame, &truth, clicks)?;
        Ok(())
    }

    /// Follows the object to the last annotation. `answer` may correct the mask of a frame whose truth is known.
    /// Also gives the overlap on each of them.
    fn pass(
        &mut self,
        tracker: &mut Tracker,
        interactions: usize,
        mut answer: impl FnMut(&mut Tracker, usize, (&Region, &Region)) -> Result<Option<Region>>,
    ) -> Result<(Score, Vec<(usize, f64)>)> {
        let (spent, frames) = (tracker.spent, tracker.frames);
        let mut score = Score {
            sequence: self.sequence.name.clone(),
            object: self.object.name.clone(),
            several: self.truth.objects.len() > 1,
            interactions,
            ..Score::default()
        };
        let mut overlaps = Vec::new();
        for frame in self.object.first..=self.last {
            if !self.push(tracker, frame)? {
                break;
            }
            let Some(truth) = self.region(frame)? else { continue };
            let mut found = tracker.mask(OBJECT)?;
            if let Some(corrected) = answer(tracker, frame, (&truth, &found))? {
                found = corrected;
            }
            let name = self.sequence.frame_name(frame);
            let measured = FrameScore::of(name, frame - self.object.first, &truth, &found);
            overlaps.push((frame, measured.j));
            if frame != self.object.first && frame != self.last {
                if interactions == self.run.args.rounds as usize {
                    self.run.look(&score, &measured, &self.picture, &truth, &found);
                }
                score.measured.push(measured);
            }
        }
        (score.spent, score.frames) = (tracker.spent - spent, tracker.frames - frames);
        Ok((score, overlaps))
    }

    /// Takes a frame, with the first click where the object begins and nothing is known of it yet.
    fn push(&mut self, tracker: &mut Tracker, frame: usize) -> Result<bool> {
        if !self.reader.read(frame, &mut self.picture)? {
            return Ok(false);
        }
        if frame == self.object.first && tracker.frames == 0 {
            let truth = self.region(frame)?.ok_or(Error::Bug("an object begins on an unknown frame"))?;
            let nothing = Region::new(truth.width() as u32, vec![false; truth.pixels().len()]);
            tracker.click(OBJECT, frame, &truth, &nothing)?;
        }
        tracker.push(frame, &self.picture)?;
        Ok(true)
    }

    fn region(&mut self, frame: usize) -> Result<Option<Region>> {
        self.truth.region(frame, self.object)
    }
}
