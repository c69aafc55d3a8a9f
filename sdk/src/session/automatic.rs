//! Objects that nobody pointed at: what a grid of points finds on a frame, and the session doesn't know yet.

use std::sync::Arc;

use super::{MAX_OBJECTS, ObjectId, Session};
use crate::automatic::{
    AutomaticMaskGenerator, AutomaticOptions, ObjectOptions, Progress, ProposedObject, propose_new_objects,
};
use crate::error::Result;
use crate::frame::FrameView;
use crate::mask::Rle;
use crate::prompt::Mask;

impl Session {
    /// Takes a frame as [`Session::push`] does, looks for objects on it, and adds those that are new: each with the mask
    /// that was found as its prompt, which is answered at once. Called again on a later frame, it adds what has come
    /// into view since. Gives the new objects' numbers, the lowest that are free, the best object first.
    ///
    /// New is what no object of the session covers on that frame: `objects` says how much of a mask has to be left
    /// beside them (`min_uncovered`), and from which overlap on it is one of them (`iou_threshold`). `max_objects`
    /// counts all objects of the session. Undo takes one object back at a time.
    ///
    /// # Errors
    /// [`Error::Setting`](crate::Error::Setting) for an option outside its range; what [`Session::push`] answers;
    /// [`Error::Cancelled`](crate::Error::Cancelled), also if `progress` breaks. Nothing is added then, unless the
    /// work was stopped after the search: what was added by then stays, and waits to be answered.
    pub fn add_automatic(
        &mut self,
        frame: u64,
        pixels: FrameView<'_>,
        search: &AutomaticOptions,
        objects: &ObjectOptions,
        progress: &mut Progress<'_>,
    ) -> Result<Vec<ObjectId>> {
        objects.check()?;
        let (cancel, model) = (Arc::clone(&self.cancel), Arc::clone(&self.model));
        let mut generator = AutomaticMaskGenerator::stopped_by(cancel, model, search.clone())?;
        self.push(frame, pixels)?;
        let most = MAX_OBJECTS.min(objects.max_objects as usize);
        let room = most.saturating_sub(self.objects.len());
        if room == 0 {
            return Ok(Vec::new());
        }
        let masks = generator.generate(pixels, progress)?;
        let known = self.covered(frame)?;
        let options = ObjectOptions { max_objects: room as u32, ..*objects };
        let mut added = Vec::new();
        for found in propose_new_objects(&masks, &known, &options)? {
            added.push(self.add_found(frame, &found)?);
        }
        if !added.is_empty() {
            self.refine()?;
        }
        Ok(added)
    }

    /// What the objects cover on a frame.
    fn covered(&mut self, frame: u64) -> Result<Vec<Rle>> {
        let mut covered = Vec::new();
        for id in self.objects.keys().copied().collect::<Vec<_>>() {
            if let Some(mask) = self.mask_at(id, frame)? {
                covered.push(Rle::encode(self.size, &mask.logits.binary(self.size))?);
            }
        }
        Ok(covered)
    }

    fn add_found(&mut self, frame: u64, found: &ProposedObject) -> Result<ObjectId> {
        let free = |id: &ObjectId| !self.objects.contains_key(id);
        let id = (1..=ObjectId::MAX).find(free).expect("there are far fewer objects than numbers");
        let mask = Mask { size: self.size, inside: found.rle.decode() };
        self.edit("automatic object", id, Some(frame), |object| {
            object.mask(frame, mask);
            Ok(())
        })?;
        Ok(id)
    }
}
