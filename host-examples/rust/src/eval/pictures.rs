//! Pictures by themselves: the objects of each annotated frame by clicks on that frame alone.

use super::{
    Run,
    score::{FrameScore, Score},
    tracker::Tracker,
};
use crate::{
    Error, Result,
    dataset::{FrameReader, Object, Region, Sequence, Truth},
    picture::Picture,
};

/// How many objects share a picture's features.
const TOGETHER: usize = 64;

/// Gives a score for each object and each number of clicks that was asked for.
pub fn segment(run: &mut Run<'_>, sequence: &Sequence, truth: &mut Truth<'_>) -> Result<Vec<Score>> {
    let several = truth.objects.len() > 1;
    let objects = truth.objects.clone();
    let mut scores: Vec<Vec<Score>> = objects
        .iter()
        .map(|object| {
            let score = |&clicks: &u32| Score {
                sequence: sequence.name.clone(),
                object: object.name.clone(),
                several,
                interactions: clicks as usize,
                ..Score::default()
            };
            run.clicks.iter().map(score).collect()
        })
        .collect();
    let mut reader = FrameReader::new(sequence, Some(truth.size));
    let mut picture = Picture::default();
    for frame in truth.annotated.clone() {
        if !reader.read(frame, &mut picture)? {
            return Err(Error::Bug("an annotation lies past the clip's end"));
        }
        let mut shown: Vec<(usize, Region)> = Vec::new();
        for (place, object) in objects.iter().enumerate() {
            if let Some(region) = truth.region(frame, object)?.filter(|region| !region.is_empty()) {
                shown.push((place, region));
            }
        }
        for shown in shown.chunks(TOGETHER) {
            let name = sequence.frame_name(frame);
            segment_together(run, (frame, name), &picture, &objects, shown, &mut scores)?;
        }
    }
    Ok(scores.into_iter().flatten().filter(|score| !score.measured.is_empty()).collect())
}

fn segment_together(
    run: &mut Run<'_>,
    (frame, name): (usize, String),
    picture: &Picture,
    objects: &[Object],
    shown: &[(usize, Region)],
    scores: &mut [Vec<Score>],
) -> Result<()> {
    let most = run.clicks.iter().copied().max().unwrap_or(1);
    let mut tracker = Tracker::open(run.model, (picture.width(), picture.height()))?;
    for (place, truth) in shown {
        let nothing = Region::new(truth.width() as u32, vec![false; truth.pixels().len()]);
        tracker.click(*place as u32, 0, truth, &nothing)?;
    }
    tracker.push(0, picture)?;
    for clicks in 1..=most {
        for (place, truth) in shown {
            let found = tracker.mask(*place as u32)?;
            let wanted = run.clicks.iter().position(|&wanted| wanted == clicks);
            if let Some(score) = wanted.map(|wanted| &mut scores[*place][wanted]) {
                let after = frame - objects[*place].first.min(frame);
                let measured = FrameScore::of(name.clone(), after, truth, &found);
                if clicks == most {
                    run.look(score, &measured, picture, truth, &found);
                }
                score.measured.push(measured);
                score.frames += 1;
                // The picture's features are shared by its objects.
                score.spent += tracker.spent / shown.len() as u32;
            }
            if clicks < most {
                tracker.click(*place as u32, 0, truth, &found)?;
            }
        }
        if clicks < most {
            tracker.refine()?;
        }
    }
    Ok(())
}
