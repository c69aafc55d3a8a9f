//! The masks of an object in a session file, read a few frames ahead.

use crate::{
    Result,
    library::{Combine, Image, ImageMut, MaskKind, MatteLayer, SessionFile},
    window::Window,
};

/// The masks of one object. Those of a frame and of a few to each side are held, whatever the shot's length.
pub struct Masks<'a> {
    file: &'a SessionFile,
    object: u32,
    /// First and last frames, in order, of what was answered.
    answered: Vec<(u64, u64)>,
    /// Frames that begin a new take, in order.
    cuts: &'a [u64],
    /// Of the logits.
    size: [u32; 2],
    window: Window<Vec<f32>>,
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
        Ok(Self { file, object, answered, cuts, size, window: Window::default() })
    }

    /// Goes on to a frame, not an earlier one, and reads what is not yet at hand.
    ///
    /// # Errors
    /// If a mask can't be read.
    pub fn go_to(&mut self, frame: u64) -> Result<()> {
        let Self { file, object, answered, size: [width, height], window, .. } = self;
        window.go_to(frame, |wanted| {
            if !has(answered, wanted) {
                return Ok(None);
            }
            let mut logits = vec![0.0; *width as usize * *height as usize];
            file.logits(*object, wanted, &mut ImageMut::floats(*width, *height, &mut logits)?)?;
            Ok(Some(logits))
        })
    }

    /// The frame's mask with those around it in the same take; none if the object has no mask there.
    ///
    /// # Errors
    /// Never for masks that were read.
    pub fn layer(&self) -> Result<Option<MatteLayer<'_>>> {
        let Some(mask) = self.window.here().map(|logits| self.image(logits)).transpose()? else {
            return Ok(None);
        };
        let take = self.take(self.window.frame());
        let around = self.window.around().filter(|(_, frame, _)| self.take(*frame) == take);
        let neighbours = around.map(|(offset, _, logits)| Ok((offset, self.image(logits)?)));
        let neighbours = neighbours.collect::<Result<Vec<_>>>()?;
        Ok(Some(MatteLayer { kind: MaskKind::Logits, mask, neighbours, combine: Combine::Add }))
    }

    fn take(&self, frame: u64) -> usize {
        self.cuts.partition_point(|cut| *cut <= frame)
    }

    fn image<'l>(&self, logits: &'l [f32]) -> Result<Image<'l>> {
        Image::floats(self.size[0], self.size[1], logits)
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
