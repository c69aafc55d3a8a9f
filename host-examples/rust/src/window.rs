//! What belongs to a frame and to those around it, read a few frames ahead.

use std::collections::VecDeque;

use crate::Result;

/// Frames to each side that are at hand.
pub const NEAR: u64 = 2;

/// Something of a frame, where it has it, and of [`NEAR`] frames to each side. Nothing grows with the shot's length.
pub struct Window<T> {
    /// The first is that of frame `start`.
    held: VecDeque<Option<T>>,
    start: u64,
    frame: u64,
}

impl<T> Default for Window<T> {
    fn default() -> Self {
        Self { held: VecDeque::new(), start: 0, frame: 0 }
    }
}

impl<T> Window<T> {
    /// Goes on to a frame, not an earlier one, and reads what is not yet at hand.
    ///
    /// # Errors
    /// What `read` answers.
    pub fn go_to(&mut self, frame: u64, mut read: impl FnMut(u64) -> Result<Option<T>>) -> Result<()> {
        self.frame = frame;
        let first = frame.saturating_sub(NEAR);
        while self.start < first && self.held.pop_front().is_some() {
            self.start += 1;
        }
        self.start = self.start.max(first);
        for wanted in self.start + self.held.len() as u64..=frame.saturating_add(NEAR) {
            self.held.push_back(read(wanted)?);
        }
        Ok(())
    }

    /// The frame that it is at.
    pub fn frame(&self) -> u64 {
        self.frame
    }

    /// What a frame has, of those at hand.
    pub fn at(&self, frame: u64) -> Option<&T> {
        let place = usize::try_from(frame.checked_sub(self.start)?).ok()?;
        self.held.get(place)?.as_ref()
    }

    /// What the frame has that it is at.
    pub fn here(&self) -> Option<&T> {
        self.at(self.frame)
    }

    /// What the frames around it have: how many frames later each is, its number, and what it has.
    pub fn around(&self) -> impl Iterator<Item = (i32, u64, &T)> {
        [-2i32, -1, 1, 2].into_iter().filter_map(|offset| {
            let frame = self.frame.checked_add_signed(offset.into())?;
            Some((offset, frame, self.at(frame)?))
        })
    }

    /// How many are held.
    #[cfg(test)]
    pub fn held(&self) -> usize {
        self.held.iter().flatten().count()
    }
}
