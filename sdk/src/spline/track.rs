//! Which contours of two frames are one thing.

use glam::DVec2;

use super::contour::Outline;
use super::polygon::{Spans, centroid};
use super::shape::Kind;

/// Two contours are one thing from this intersection over union on.
const LEAST_IOU: f64 = 0.5;
/// What the same counts after one was moved onto the other: a thing that is fast, not one that lies there.
const MOVED: f64 = 0.9;
/// Frames of the longest life; a longer one goes on as another shape, so that what is held has an end.
const LONGEST: usize = 1000;

/// A thing's contours from the frame on which it appears to the one on which it is last seen.
#[derive(Debug)]
pub(super) struct Track {
    pub(super) kind: Kind,
    /// The most contours around it that were seen.
    pub(super) depth: u32,
    /// Frames that follow each other among those that were added.
    pub(super) outlines: Vec<(u64, Outline)>,
    /// Of the last outline.
    spans: Spans,
    centre: DVec2,
}

/// The things of a shot that are still seen.
#[derive(Debug)]
pub(super) struct Tracks {
    least_area_px2: f64,
    live: Vec<Track>,
}

impl Tracks {
    pub(super) fn new(least_area_px2: f64) -> Self {
        Self { least_area_px2, live: Vec::new() }
    }

    pub(super) fn least_area_px2(&self) -> f64 {
        self.least_area_px2
    }

    /// Adds a frame's contours, and gives the things that are not among them any more.
    pub(super) fn add(&mut self, frame: u64, outlines: Vec<Outline>) -> Vec<Track> {
        let mut fresh: Vec<Option<Track>> =
            outlines.into_iter().map(|outline| Some(Track::new(frame, outline))).collect();
        let mut pairs: Vec<(f64, usize, usize)> = Vec::new();
        for (i, track) in self.live.iter().enumerate() {
            for (j, new) in fresh.iter().enumerate() {
                let likeness = new.as_ref().map_or(0.0, |new| track.likeness(new));
                if likeness >= LEAST_IOU {
                    pairs.push((likeness, i, j));
                }
            }
        }
        // The surest pairs first; a tie goes to the older and the larger.
        pairs.sort_by(|a, b| b.0.total_cmp(&a.0));
        let mut goes_on = vec![false; self.live.len()];
        for (_, i, j) in pairs {
            let track = &mut self.live[i];
            if goes_on[i] || track.outlines.len() >= LONGEST {
                continue;
            }
            if let Some(new) = fresh[j].take() {
                goes_on[i] = true;
                track.depth = track.depth.max(new.depth);
                track.outlines.extend(new.outlines);
                (track.spans, track.centre) = (new.spans, new.centre);
            }
        }
        let (mut live, mut ended) = (Vec::new(), Vec::new());
        for (track, goes_on) in self.live.drain(..).zip(goes_on) {
            if goes_on { live.push(track) } else { ended.push(track) }
        }
        live.extend(fresh.into_iter().flatten());
        self.live = live;
        ended
    }

    /// All that are left.
    pub(super) fn end(&mut self) -> Vec<Track> {
        std::mem::take(&mut self.live)
    }
}

impl Track {
    fn new(frame: u64, outline: Outline) -> Self {
        let kind = if outline.area_px2 < 0.0 { Kind::Hole } else { Kind::Outer };
        let (spans, centre) = (Spans::new(&outline.vertices), centroid(&outline.vertices));
        Self { kind, depth: outline.depth, outlines: vec![(frame, outline)], spans, centre }
    }

    /// How alike the last contour and a new one are, 0 to 1.
    fn likeness(&self, new: &Self) -> f64 {
        if self.kind != new.kind {
            return 0.0;
        }
        let area = |track: &Self| track.outlines.last().map_or(0.0, |(_, outline)| outline.area_px2.abs());
        let (here, there) = (area(self), area(new));
        if here.min(there) < LEAST_IOU * here.max(there) {
            return 0.0;
        }
        let still = self.spans.iou(&new.spans, DVec2::ZERO);
        let by = new.centre - self.centre;
        // No further than it is large.
        if by.length() > 1.2 * here.sqrt() {
            return still;
        }
        still.max(MOVED * self.spans.iou(&new.spans, by))
    }
}

#[cfg(test)]
mod tests {
    use super::super::contour::{Plane, outlines};
    use super::super::pictures::{coverage, view};
    use super::*;

    fn boxes(places: &[(f64, f64, f64)]) -> Vec<Outline> {
        let inside = |x: f64, y: f64| {
            let hit = |(left, top, side): &(f64, f64, f64)| {
                (*left..left + side).contains(&x) && (*top..top + side).contains(&y)
            };
            f64::from(u8::from(places.iter().any(hit)))
        };
        let pixels = coverage((90, 40), inside);
        outlines(&Plane::read(view((90, 40), &pixels)).unwrap(), 4.0).unwrap()
    }

    #[test]
    fn two_things_keep_apart_and_one_that_is_gone_ends() {
        let mut tracks = Tracks::new(4.0);
        assert!(tracks.add(3, boxes(&[(5.0, 5.0, 12.0), (50.0, 9.0, 10.0)])).is_empty());
        assert!(tracks.add(4, boxes(&[(50.0, 12.0, 10.0), (9.0, 5.0, 12.0)])).is_empty());
        let ended = tracks.add(6, boxes(&[(53.0, 14.0, 10.0)]));
        assert_eq!(ended.len(), 1);
        assert_eq!(ended[0].outlines.iter().map(|(frame, _)| *frame).collect::<Vec<_>>(), [3, 4]);
        assert_eq!(tracks.end()[0].outlines.len(), 3);
    }

    #[test]
    fn a_fast_thing_is_known_by_its_form_and_another_elsewhere_is_not() {
        let mut tracks = Tracks::new(4.0);
        tracks.add(0, boxes(&[(5.0, 5.0, 12.0)]));
        assert!(tracks.add(1, boxes(&[(18.0, 5.0, 12.0)])).is_empty());
        assert_eq!(tracks.add(2, boxes(&[(60.0, 5.0, 12.0)])).len(), 1);
    }

    #[test]
    fn a_hole_is_not_the_shape_that_was_there() {
        let mut tracks = Tracks::new(4.0);
        tracks.add(0, boxes(&[(20.0, 10.0, 12.0)]));
        let pixels = coverage((90, 40), |x, y| {
            let hole = (20.0..32.0).contains(&x) && (10.0..22.0).contains(&y);
            f64::from(u8::from(!hole))
        });
        let ended = tracks.add(1, outlines(&Plane::read(view((90, 40), &pixels)).unwrap(), 4.0).unwrap());
        assert_eq!(ended.len(), 1);
        let kinds: Vec<Kind> = tracks.end().iter().map(|track| track.kind).collect();
        assert_eq!(kinds, [Kind::Outer, Kind::Hole]);
    }
}
