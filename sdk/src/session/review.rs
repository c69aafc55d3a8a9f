//! Which frames of the shot are worth a look: read from what is kept, without a plane where one object is alone.

use super::{ObjectId, Session};
use crate::error::{Error, Result};
use crate::review::{ReviewRange, Reviewer, Thresholds, touched};
use crate::store::Confidence;

impl Session {
    /// The ranges of an object's frames that a person should look at, in order, and why.
    ///
    /// # Errors
    /// [`Error::State`] for a session that keeps only a window; [`Error::Session`] if its file can't be read.
    pub fn review(&mut self, object: ObjectId, thresholds: Thresholds) -> Result<Vec<ReviewRange>> {
        let mut reviewer = Reviewer::new(thresholds);
        let (mut next, mut scene) = (Some(0), None);
        while let Some(from) = next.take() {
            for seen in self.confidences_from(object, from)? {
                let first = *self.scene(seen.frame).start();
                if scene.replace(first).is_some_and(|before| before != first) {
                    reviewer.cut(seen.frame);
                }
                let touched = self.touched(object, seen.frame)?;
                reviewer.push(&seen.observation(object, touched));
                next = seen.frame.checked_add(1);
            }
        }
        Ok(reviewer.ranges(object).to_vec())
    }

    fn confidences_from(&self, object: ObjectId, frame: u64) -> Result<Vec<Confidence>> {
        let file = self.keeping.file().ok_or_else(|| {
            Error::State("a review needs every answer: the session keeps only a window of them".into())
        })?;
        file.confidences_from(object, frame)
    }

    /// The share of an object's mask that others cover or touch, on the logits' grid.
    fn touched(&mut self, object: ObjectId, frame: u64) -> Result<f32> {
        if self.objects.len() < 2 {
            return Ok(0.0);
        }
        let (mut own, mut others, mut width) = (Vec::new(), Vec::new(), 1);
        for id in self.objects.keys().copied().collect::<Vec<_>>() {
            let Some(answer) = self.keeping.get(id, frame)? else { continue };
            width = answer.logits.size.width();
            let inside = answer.logits.values.iter().map(|&v| u8::from(v > 0.0)).collect::<Vec<_>>();
            if id == object { own = inside } else { others.push(inside) }
        }
        let others: Vec<_> = others.iter().map(Vec::as_slice).collect();
        Ok(touched(&own, &others, width))
    }
}
