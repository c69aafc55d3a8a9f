//! The semi-supervised task: an object is shown on its first frame, and followed from there.

use std::{fs, path::PathBuf};

use image::ExtendedColorType;

use super::{
    Run,
    prompt::{PromptKind, tight_box},
    score::{FrameScore, Score},
    tracker::Tracker,
};
use crate::{
    Error, Result,
    dataset::{FrameReader, Marks, Object, Region, Sequence, Truth},
    picture::Picture,
    sink::write_png,
};

/// The most objects that a session follows.
const MOST_TOGETHER: usize = 256;

/// Follows a clip's objects, all at once unless that was asked otherwise.
pub fn follow(run: &mut Run<'_>, sequence: &Sequence, truth: &mut Truth<'_>) -> Result<Vec<Score>> {
    let objects = truth.objects.clone();
    let together = if run.args.separately { 1 } else { MOST_TOGETHER };
    let mut scores = Vec::new();
    for objects in objects.chunks(together) {
        scores.extend(follow_together(run, sequence, truth, objects)?);
    }
    Ok(scores)
}

fn follow_together(
    run: &mut Run<'_>,
    sequence: &Sequence,
    truth: &mut Truth<'_>,
    objects: &[Object],
) -> Result<Vec<Score>> {
    let prompt = run.prompt;
    let several = truth.objects.len() > 1;
    let mut tracker = Tracker::open(run.model, truth.size)?;
    let mut reader = FrameReader::new(sequence, Some(truth.size));
    let mut picture = Picture::default();
    let mut scores: Vec<Score> = objects
        .iter()
        .map(|object| Score {
            sequence: sequence.name.clone(),
            object: object.name.clone(),
            several,
            interactions: 1,
            ..Score::default()
        })
        .collect();
    // One picture of numbers can give a pixel to one object only, so what is found must not overlap either.
    let apart = matches!(sequence.marks, Marks::Numbers { .. });
    let last = truth.annotated.last().copied().unwrap_or(0);
    let first = objects.iter().map(|object| object.first).min().unwrap_or(0);
    // Files are wanted for every frame; otherwise what isn't measured need not be followed.
    let end = if run.args.masks.is_some() { usize::MAX } else { last };
    for frame in first..=end {
        if !reader.read(frame, &mut picture)? {
            break;
        }
        let shown: Vec<usize> = (0..objects.len()).filter(|&place| objects[place].first <= frame).collect();
        let new: Vec<(usize, Region)> = shown
            .iter()
            .filter(|&&place| objects[place].first == frame)
            .map(|&place| Ok((place, shape(truth, frame, &objects[place])?)))
            .collect::<Result<_>>()?;
        for (place, region) in &new {
            show(&mut tracker, prompt, *place as u32, frame, region)?;
        }
        tracker.push(frame, &picture)?;
        for (place, region) in &new {
            tracker.correct(*place as u32, frame, region, prompt.clicks().saturating_sub(1))?;
        }
        let ids: Vec<u32> = shown.iter().map(|&place| place as u32).collect();
        let found = tracker.masks(&ids, apart)?;
        for (&place, found) in shown.iter().zip(&found) {
            let object = &objects[place];
            write(run, sequence, several, object, frame, truth.size, found)?;
            if frame == object.first || frame == last {
                continue;
            }
            if let Some(region) = truth.region(frame, object)? {
                let name = sequence.frame_name(frame);
                let score = FrameScore::of(name, frame - object.first, &region, found);
                run.look(&scores[place], &score, &picture, &region, found);
                scores[place].measured.push(score);
            }
        }
    }
    for score in &mut scores {
        // All of them waited for the same pushes.
        (score.spent, score.frames) = (tracker.spent, tracker.frames);
    }
    Ok(scores)
}

fn shape(truth: &mut Truth<'_>, frame: usize, object: &Object) -> Result<Region> {
    // The frame was chosen because it shows the object.
    truth.region(frame, object)?.ok_or(Error::Bug("an object begins on a frame that doesn't show it"))
}

/// Shows an object on a frame that is still to come; further clicks wait for its answer.
fn show(tracker: &mut Tracker, prompt: PromptKind, id: u32, frame: usize, region: &Region) -> Result<()> {
    match prompt {
        PromptKind::Mask => tracker.show_mask(id, frame, region),
        PromptKind::Box => {
            let edges = tight_box(region).ok_or(Error::Bug("an object without pixels"))?;
            tracker.show_box(id, frame, edges)
        }
        PromptKind::Click1 | PromptKind::Click3 | PromptKind::Click5 => {
            let nothing = Region::new(region.width() as u32, vec![false; region.pixels().len()]);
            tracker.click(id, frame, region, &nothing).map(|_| ())
        }
    }
}

fn write(
    run: &Run<'_>,
    sequence: &Sequence,
    several: bool,
    object: &Object,
    frame: usize,
    size: (u32, u32),
    found: &Region,
) -> Result<()> {
    let Some(masks) = &run.args.masks else { return Ok(()) };
    let folder: PathBuf = masks.join(&sequence.name);
    let folder = if several { folder.join(&object.name) } else { folder };
    fs::create_dir_all(&folder).map_err(|error| Error::file(&folder, error))?;
    let path = folder.join(format!("{}.png", sequence.frame_name(frame)));
    write_png(&path, &found.to_mask(), size, ExtendedColorType::L8)
}
