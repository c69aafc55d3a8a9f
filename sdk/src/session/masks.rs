//! What was answered, as the host asks for it.

use super::{ObjectId, Origin, Session, no_frame_yet};
use crate::answer::Answer;
use crate::error::{Error, Result};
use crate::frame::{FrameViewMut, Layout, PixelFormat, Size};
use crate::mask::{LogitPlane, Owners, Rle, Wanted};
use crate::memory_bank::Direction;

/// One object's mask on one frame.
#[derive(Clone, Debug, PartialEq)]
pub struct ObjectMask {
    /// How the frame came to it.
    pub origin: Origin,
    /// How well the model believes to have met the object, 0 to 1.
    pub predicted_iou: f32,
    /// A logit: above 0, the model believes that the object is in the frame.
    pub object_score: f32,
    /// The mask; all of it far below 0 if the object is not in the frame.
    pub logits: LogitPlane,
}

impl Session {
    /// The object's mask on the frame that was pushed last.
    ///
    /// # Errors
    /// [`Error::State`] before the first frame, or if nothing was said of the object so far.
    pub fn mask(&mut self, object: ObjectId) -> Result<ObjectMask> {
        let current = self.current.as_ref().ok_or_else(no_frame_yet)?;
        let (frame, apart) = (current.frame, current.apart.contains(&object));
        if apart {
            return Ok(self.absent());
        }
        self.mask_at(object, frame)?.ok_or_else(|| {
            Error::State(format!(
                "object {object} has no mask on frame {frame}: nothing was said of it so far"
            ))
        })
    }

    /// The object's mask on any frame whose answer is kept, or `None`.
    ///
    /// # Errors
    /// [`Error::Session`] if the session's file can't be read.
    pub fn mask_at(&mut self, object: ObjectId, frame: u64) -> Result<Option<ObjectMask>> {
        let area = self.options.hole_area(self.model.manifest());
        let Some(answer) = self.keeping.get(object, frame)? else { return Ok(None) };
        let mut logits = answer.logits.clone();
        logits.fill_holes(area as u32);
        let Answer { origin, predicted_iou, object_score, .. } = *answer;
        Ok(Some(ObjectMask { origin, predicted_iou, object_score, logits }))
    }

    /// Writes an object's mask on the frame that was pushed last into the host's image.
    ///
    /// # Errors
    /// As [`Session::mask`]; [`Error::Frame`] if the image can't hold what is wanted.
    pub fn write_mask(&mut self, object: ObjectId, wanted: Wanted, image: FrameViewMut<'_>) -> Result<()> {
        let current = self.current.as_ref().ok_or_else(no_frame_yet)?;
        if current.apart.contains(&object) {
            return self.absent().logits.write(wanted, image);
        }
        let frame = current.frame;
        if self.write_mask_at(object, frame, wanted, image)? {
            return Ok(());
        }
        self.mask(object).map(|_| ())
    }

    /// Writes an object's mask on any frame whose answer is kept; `false` if it isn't. Where masks may not overlap, it
    /// is held against the other objects' masks on that frame.
    ///
    /// # Errors
    /// [`Error::Frame`] if the image can't hold what is wanted; [`Error::Session`] if the session's file can't be read.
    pub fn write_mask_at(
        &mut self,
        object: ObjectId,
        frame: u64,
        wanted: Wanted,
        image: FrameViewMut<'_>,
    ) -> Result<bool> {
        if wanted != Wanted::Logits && image.size() != self.size {
            let (found, want) = (image.size(), self.size);
            return Err(Error::Frame(format!("the mask's image is {found}, expected the session's {want}")));
        }
        let Some(mask) = self.mask_at(object, frame)? else { return Ok(false) };
        if wanted == Wanted::Logits || !self.options.non_overlap_masks {
            mask.logits.write(wanted, image)?;
            return Ok(true);
        }
        let (mut index, mut planes) = (0, Vec::new());
        for id in self.objects.keys().copied().collect::<Vec<_>>() {
            if id == object {
                index = planes.len();
            }
            planes.extend(self.mask_at(id, frame)?.map(|mask| mask.logits));
        }
        let owners = Owners::of(&planes.iter().collect::<Vec<_>>(), self.size)?;
        mask.logits.write_apart(wanted, image, &owners, index)?;
        Ok(true)
    }

    /// Which pixels are an object's on any frame that is kept, as run lengths; `None` where it has no mask.
    ///
    /// # Errors
    /// As [`Self::mask_at`].
    pub fn rle_at(&mut self, object: ObjectId, frame: u64) -> Result<Option<Rle>> {
        let size = self.size;
        let mut inside = vec![0; size.width() * size.height()];
        let layout = Layout::new(size, PixelFormat::Gray8, size.width() as isize)?;
        if !self.write_mask_at(object, frame, Wanted::Binary, FrameViewMut::new(layout, &mut inside)?)? {
            return Ok(None);
        }
        Rle::encode(size, &inside).map(Some)
    }

    /// What is said of an object that the frame's scene knows nothing of.
    fn absent(&self) -> ObjectMask {
        let (m, side) = (self.model.manifest(), self.model.manifest().mask_side());
        let no_object = m.constants.no_object_logit;
        let size = Size { width_px: side as u32, height_px: side as u32 };
        ObjectMask {
            origin: Origin::Tracked(Direction::Forward),
            predicted_iou: 0.0,
            object_score: no_object,
            logits: LogitPlane { size, values: vec![no_object; side * side] },
        }
    }
}
