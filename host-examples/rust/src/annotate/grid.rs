//! What a picture holds, found by a grid of points: each is clicked on, and the masks that are sure, steady and
//! not yet there are kept.

use std::sync::Arc;

use crate::{
    Result,
    dataset::Region,
    library::{Image, ImageMut, Model, Session},
    picture::Picture,
};

/// Masks that overlap more than this are the same thing.
const SAME: f64 = 0.7;

/// Shares of the frame between which a mask's area lies: less is a speck, more is the backdrop.
const AREA: std::ops::RangeInclusive<f64> = 0.002..=0.6;

/// What to look for.
#[derive(Clone, Copy, Debug)]
pub struct Search {
    /// Points across and down.
    pub side: u32,
    /// The most things.
    pub most: usize,
    /// The least predicted overlap of a mask.
    pub sure: f32,
    /// The least share of a mask that stays when its threshold rises from one logit below 0 to one above.
    pub steady: f32,
}

/// A thing that was found.
#[derive(Clone, Debug)]
pub struct Found {
    /// The click that found it, in pixels.
    pub at: [f32; 2],
    /// Its mask, of the picture's size.
    pub region: Region,
    /// How well the model believes to have met it.
    pub predicted_iou: f32,
}

/// Finds things, the surest first.
pub fn find(model: &Arc<Model>, picture: &Picture, search: Search) -> Result<Vec<Found>> {
    let Search { side, most, .. } = search;
    let (width, height) = (picture.width(), picture.height());
    let mut session = Session::open(model, width, height)?;
    let point = |n: u32, pixels: u32| ((n as f32 + 0.5) * pixels as f32 / side as f32).floor();
    let points: Vec<[f32; 2]> =
        (0..side * side).map(|n| [point(n % side, width), point(n / side, height)]).collect();
    for (id, &at) in points.iter().enumerate() {
        session.click(id as u32, 0, at, true)?;
    }
    session.push(0, &Image::from(picture))?;
    let mut candidates: Vec<Candidate> = Vec::new();
    for (id, at) in points.iter().enumerate() {
        let share = [at[0] / width as f32, at[1] / height as f32];
        candidates.extend(Candidate::read(&session, id as u32, share, search)?);
    }
    candidates.sort_by(|a, b| b.predicted_iou.total_cmp(&a.predicted_iou));
    let mut kept: Vec<Candidate> = Vec::new();
    for candidate in candidates {
        if kept.len() < most && kept.iter().all(|other| overlap(&other.small, &candidate.small) <= SAME) {
            kept.push(candidate);
        }
    }
    // Only those that are kept are enlarged to the picture's size.
    let enlarge = |candidate: Candidate| {
        let mut mask = vec![0; width as usize * height as usize];
        session.binary(candidate.id, &mut ImageMut::gray(width, height, &mut mask)?)?;
        let (at, region) = (points[candidate.id as usize], Region::from_mask(width, &mask));
        Ok(Found { at, region, predicted_iou: candidate.predicted_iou })
    };
    kept.into_iter().map(enlarge).collect()
}

/// A mask as small as the model gave it.
struct Candidate {
    id: u32,
    small: Region,
    predicted_iou: f32,
}

impl Candidate {
    /// `None` if it is not worth keeping: unsure, unsteady, too large or small, or not where the click was, which is
    /// given as shares of the frame.
    fn read(session: &Session, id: u32, [x, y]: [f32; 2], search: Search) -> Result<Option<Self>> {
        let tracked = session.result(id)?;
        if !tracked.seen || tracked.predicted_iou < search.sure {
            return Ok(None);
        }
        let [width, height] = tracked.logits;
        let mut logits = vec![0.0; width as usize * height as usize];
        session.logits(id, &mut ImageMut::floats(width, height, &mut logits)?)?;
        let above = |threshold: f32| logits.iter().filter(|&&logit| logit > threshold).count() as f64;
        let share = above(0.0) / logits.len().max(1) as f64;
        let place = (y * height as f32) as usize * width as usize + (x * width as f32) as usize;
        let hit = logits.get(place).is_some_and(|&logit| logit > 0.0);
        if !hit || !AREA.contains(&share) || above(1.0) < f64::from(search.steady) * above(-1.0) {
            return Ok(None);
        }
        let small = Region::new(width, logits.iter().map(|&logit| logit > 0.0).collect());
        Ok(Some(Self { id, small, predicted_iou: tracked.predicted_iou }))
    }
}

/// The share of the pixels in either region that are in both.
pub fn overlap(a: &Region, b: &Region) -> f64 {
    let either = a.combine(b, |a, b| a || b).area();
    if either == 0 { 0.0 } else { a.combine(b, |a, b| a && b).area() as f64 / either as f64 }
}
