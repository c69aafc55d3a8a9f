//! The masks of an object in a session file, read a few frames ahead.

use std::collections::VecDeque;

use crate::{
    Result,
    library::{Combine, Image, ImageMut, MaskKind, MatteLayer, SessionFile},
};

/// Frames to each side whose masks are at hand.
const NEAR: u64 = 2;

/// The masks of one object. Those of a frame and of [`NEAR`] to each side are held, whatever the shot's length.
pub struct Masks<'a> {
    file: &'a SessionFile,
    object: u32,
    /// First and last frames, in order, of what was answered.
    answered: Vec<(u64, u64)>,
    /// Frames that begin a new take, in order.
    cuts: &'a [u64],
    /// Of the logits.
    size: [u32; 2],
    /// The first is that of frame `start`.
    held: VecDeque<Option<Vec<f32>>>,
    start: u64,
    frame: u64,
}

impl<'a> Masks<'a> {
    /// The masks of an object, which has some.
    ///
    /// # Errors
    /// If the file can't be read.
    pub fn open(
        file: &'a SessionFile,
        object: u32,
        answered: Vec<(u64, u64)>,
        cuts: &'a [u64],
    ) -> Result<Self> {
        let size = match answered.first() {
            Some((first, _)) => file.result(object, *first)?.logits,
            None => [1, 1],
        };
        Ok(Self { file, object, answered, cuts, size, held: VecDeque::new(), start: 0, frame: 0 })
    }

    /// Goes on to a frame, not an earlier one, and reads what is not yet at hand.
    ///
    /// # Errors
    /// If a mask can't be read.
    pub fn go_to(&mut self, frame: u64) -> Result<()> {
        self.frame = frame;
        let first = frame.saturating_sub(NEAR);
        while self.start < first && self.held.pop_front().is_some() {
            self.start += 1;
        }
        self.start = self.start.max(first);
        for wanted in self.start + self.held.len() as u64..=frame.saturating_add(NEAR) {
            let read = if self.has(wanted) { Some(self.read(wanted)?) } else { None };
            self.held.push_back(read);
        }
        Ok(())
    }

    /// The frame's mask with those around it in the same take; none if the object has no mask there.
    ///
    /// # Errors
    /// Never for masks that were read.
    pub fn layer(&self) -> Result<Option<MatteLayer<'_>>> {
        let Some(mask) = self.at(self.frame)? else { return Ok(None) };
        let mut neighbours = Vec::new();
        for offset in [-2i32, -1, 1, 2] {
            let Some(near) = self.frame.checked_add_signed(offset.into()) else { continue };
            if self.take(near) == self.take(self.frame)
                && let Some(mask) = self.at(near)?
            {
                neighbours.push((offset, mask));
            }
        }
        Ok(Some(MatteLayer { kind: MaskKind::Logits, mask, neighbours, combine: Combine::Add }))
    }

    fn has(&self, frame: u64) -> bool {
        has(&self.answered, frame)
    }

    fn take(&self, frame: u64) -> usize {
        self.cuts.partition_point(|cut| *cut <= frame)
    }

    fn read(&self, frame: u64) -> Result<Vec<f32>> {
        let [width, height] = self.size;
        let mut logits = vec![0.0; width as usize * height as usize];
        self.file.logits(self.object, frame, &mut ImageMut::floats(width, height, &mut logits)?)?;
        Ok(logits)
    }

    fn at(&self, frame: u64) -> Result<Option<Image<'_>>> {
        let place = frame.checked_sub(self.start).and_then(|place| usize::try_from(place).ok());
        let logits = place.and_then(|place| self.held.get(place)).and_then(Option::as_deref);
        logits.map(|logits| Image::floats(self.size[0], self.size[1], logits)).transpose()
    }
}

fn has(answered: &[(u64, u64)], frame: u64) -> bool {
    let after = answered.partition_point(|(first, _)| *first <= frame);
    after.checked_sub(1).is_some_and(|at| frame <= answered[at].1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_between_two_ranges_has_no_mask() {
        let answered = [(3, 3), (4, 7), (10, 12)];
        let found: Vec<u64> = (0..15).filter(|frame| has(&answered, *frame)).collect();
        assert_eq!(found, [3, 4, 5, 6, 7, 10, 11, 12]);
        assert!(!has(&[], 0));
    }
}
