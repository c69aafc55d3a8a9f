//! Frames wait for those after them, so that a matte can be finished with its neighbours at hand.

use std::collections::VecDeque;

use super::observe::{Observation, Parcel};
use crate::{Result, library::Image};

/// Frames to each side that a matte may look at.
const REACH: usize = 2;

/// Frames on their way to be finished, and what was seen on those before. Nothing grows with the clip.
#[derive(Default)]
pub struct Waiting {
    /// What was seen on the last frames, the newest last.
    past: VecDeque<(u64, Observation)>,
    parcels: VecDeque<Parcel>,
}

/// What was seen on the frames around one.
pub struct Near<'a> {
    frame: u64,
    around: Vec<(u64, &'a Observation)>,
}

impl Near<'_> {
    /// The masks, each with how many frames later it is. Before the first prompt there is none.
    pub fn masks(&self) -> Result<Vec<(i32, Image<'_>)>> {
        let masks =
            self.around.iter().filter(|(_, seen)| !seen.objects.is_empty()).filter_map(|(frame, seen)| {
                let offset = i32::try_from(frame.cast_signed() - self.frame.cast_signed()).ok()?;
                (offset.unsigned_abs() as usize <= REACH).then(|| Ok((offset, seen.image()?)))
            });
        masks.collect()
    }
}

impl Waiting {
    /// Takes the next frame. Gives one back if all that it waits for is here.
    pub fn push(&mut self, parcel: Parcel) -> Option<Parcel> {
        self.parcels.push_back(parcel);
        if self.parcels.len() > REACH { self.parcels.pop_front() } else { None }
    }

    /// After the last frame: those that still wait, one at a time.
    pub fn pop(&mut self) -> Option<Parcel> {
        self.parcels.pop_front()
    }

    /// What was seen around a frame that was just given back.
    pub fn near(&self, frame: u64) -> Near<'_> {
        let past = self.past.iter().map(|(frame, seen)| (*frame, seen));
        let next = self.parcels.iter().map(|parcel| (parcel.frame.index, &parcel.seen));
        Near { frame, around: past.chain(next).collect() }
    }

    /// Keeps what was seen on a frame that is finished. The parcel gets older buffers for it.
    pub fn keep(&mut self, parcel: &mut Parcel) {
        let mut old = if self.past.len() < REACH { None } else { self.past.pop_front() }.unwrap_or_default();
        old.0 = parcel.frame.index;
        std::mem::swap(&mut old.1, &mut parcel.seen);
        self.past.push_back(old);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{source::Frame, track::observe::Seen};

    fn parcel(index: u64, tracked: bool) -> Parcel {
        let objects = if tracked { vec![Seen::default()] } else { vec![] };
        let seen =
            Observation { objects, logits: vec![index as f32], logits_size: [1, 1], ..Default::default() };
        Parcel { frame: Frame { index, ..Frame::default() }, seen, ..Parcel::default() }
    }

    #[test]
    fn every_frame_comes_once_in_order_with_the_tracked_ones_around_it() {
        let mut waiting = Waiting::default();
        let mut found = Vec::new();
        let mut finish = |waiting: &mut Waiting, mut parcel: Parcel| {
            let frame = parcel.frame.index;
            let offsets: Vec<i32> =
                waiting.near(frame).masks().unwrap().into_iter().map(|(offset, _)| offset).collect();
            found.push((frame, offsets));
            waiting.keep(&mut parcel);
        };
        // Nothing is tracked before frame 4.
        for index in 3..9 {
            if let Some(parcel) = waiting.push(parcel(index, index >= 4)) {
                finish(&mut waiting, parcel);
            }
        }
        while let Some(parcel) = waiting.pop() {
            finish(&mut waiting, parcel);
        }
        let wanted = [
            (3, vec![1, 2]),
            (4, vec![1, 2]),
            (5, vec![-1, 1, 2]),
            (6, vec![-2, -1, 1, 2]),
            (7, vec![-2, -1, 1]),
            (8, vec![-2, -1]),
        ];
        assert_eq!(found, wanted);
        assert_eq!(waiting.past.len(), REACH);
    }
}
