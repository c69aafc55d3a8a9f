//! The frame that comes next, met while the one before it is answered. Nothing of it changes what becomes of that one.

use std::sync::Arc;
use std::thread;

use super::Session;
use super::change::{Change, Seen};
use super::object::Object;
use super::sight::Sight;
use super::trail::Step;
use crate::cut::{DEFAULT_SENSITIVITY, is_cut};
use crate::error::Result;
use crate::frame::FrameView;
use crate::memory_bank::Direction;

/// The most objects beside which the next frame is encoded: more keep every thread busy by themselves.
const MOST_OBJECTS: usize = 2;

/// The frame that comes next, as it was met.
pub(super) struct Ahead {
    pub(super) frame: u64,
    /// `None` beyond the shot's end. An error is the frame's own, and is told in its turn.
    pub(super) sight: Result<Option<Sight>>,
}

/// Which frame comes next, and for which objects.
pub(super) struct Next<'a> {
    pub(super) frame: u64,
    pub(super) wanted: &'a dyn Fn(&Object, u64) -> bool,
}

impl Session {
    /// As [`Session::push_toward`], with the frame that is pushed next, which is encoded meanwhile where that pays: on a CPU
    /// with two threads or more, for one or two objects, with room for it under the ceiling. The same answers, sooner.
    /// Any other frame may be pushed next all the same.
    ///
    /// # Errors
    /// As [`Session::push`]. What is wrong with the next frame is told when it is pushed.
    pub fn push_ahead(
        &mut self,
        frame: u64,
        direction: Direction,
        pixels: FrameView<'_>,
        next: (u64, FrameView<'_>),
    ) -> Result<()> {
        let sight = self.pushed(frame, pixels)?;
        let (current, change) = self.arrive(frame, sight)?;
        let (number, _) = next;
        if !self.is_encoded_ahead(&Next { frame: number, wanted: &|_, _| true }, &change) {
            return self.answer_pushed(current, direction, change);
        }
        let here = current.seen.clone();
        let (done, sight) =
            self.beside(next, &here, |session| session.answer_pushed(current, direction, change));
        self.ahead = sight.ok().map(|sight| (number, sight));
        done
    }

    /// A frame that is pushed, with what was made of it ahead.
    pub(super) fn pushed(&mut self, frame: u64, pixels: FrameView<'_>) -> Result<Sight> {
        let mut sight = Sight::of(frame, pixels, self.size, &self.model)?;
        // It may be another picture than was announced.
        let met = self.ahead.take().filter(|(number, met)| *number == frame && met.seen == sight.seen);
        sight.features = met.and_then(|(_, met)| met.features);
        Ok(sight)
    }

    /// Whether the frame that comes next is encoded beside the work on this one, which changes what `change` says.
    pub(super) fn is_encoded_ahead(&self, next: &Next<'_>, change: &Change) -> bool {
        let scene = self.scenes.around_with(next.frame, &change.cuts);
        let tracked = |object: &&Object| {
            object.trail.step(next.frame, &scene) == Step::Track && (next.wanted)(object, next.frame)
        };
        let objects: Vec<_> = self.objects.values().filter(tracked).collect();
        let prompted = objects.iter().map(|object| object.trail.conditioning().len()).max().unwrap_or(0);
        (1..=MOST_OBJECTS).contains(&objects.len())
            && self.options.has_room_ahead(self.model.manifest(), prompted + self.reach.slots as usize - 1)
            && self.model.encodes_beside()
    }

    /// Works on a frame that looks like `here`, and looks at the next one on another thread meanwhile. It is encoded if it
    /// is tracked into from this one: behind a cut nothing is, and of the same picture the features are there.
    pub(super) fn beside<T>(
        &mut self,
        (frame, pixels): (u64, FrameView<'_>),
        here: &Seen,
        work: impl FnOnce(&mut Self) -> T,
    ) -> (T, Result<Sight>) {
        let (model, size, detect_cuts) = (Arc::clone(&self.model), self.size, self.options.detect_cuts);
        let cancel = self.cancel.beside();
        let look = || {
            let mut sight = Sight::of(frame, pixels, size, &model)?;
            let there = &sight.seen;
            let cut = detect_cuts && is_cut(&here.signature, &there.signature, DEFAULT_SENSITIVITY);
            if !cut && there.hash != here.hash {
                sight.encode(&model, &cancel);
            }
            Ok(sight)
        };
        thread::scope(|scope| {
            let ahead = scope.spawn(look);
            let done = work(self);
            (done, ahead.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
        })
    }
}
