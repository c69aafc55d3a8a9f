//! What was answered and said, in memory and on disk: the file first, then memory. With a file, memory is a cache
//! under a ceiling; without one it holds a window.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::Arc;

use super::ObjectId;
use super::change::{Change, Seen};
use super::file::File;
use super::history::{History, Step};
use super::object::Object;
use crate::answer::Answer;
use crate::error::Result;

/// Frames whose looks are held where no file does: cuts are told from neighbours.
const LOOKS: usize = 64;

/// What answers take in memory where the caller set no ceiling and a file has the rest. Following many objects from
/// frame to frame takes less.
const ROOM_BYTES: u64 = 256 << 20;

/// Answers by object and frame, and what else outlives a call.
#[derive(Debug)]
pub(super) struct Keeping {
    file: Option<File>,
    kept: BTreeMap<(ObjectId, u64), Kept>,
    /// What `kept` takes, and may take.
    bytes: u64,
    room: u64,
    clock: u64,
    /// Only where no file holds them.
    history: History,
    looks: BTreeMap<u64, Seen>,
}

#[derive(Debug)]
struct Kept {
    answer: Arc<Answer>,
    used: u64,
}

impl Keeping {
    /// Without a file everything stays until it is dropped, whatever the room.
    pub(super) fn new(file: Option<File>, room: Option<u64>) -> Self {
        Self {
            file,
            kept: BTreeMap::new(),
            bytes: 0,
            room: room.unwrap_or(ROOM_BYTES),
            clock: 0,
            history: History::default(),
            looks: BTreeMap::new(),
        }
    }

    pub(super) fn file(&self) -> Option<&File> {
        self.file.as_ref()
    }

    /// An object's answer on a frame, if it is kept.
    pub(super) fn get(&mut self, object: ObjectId, frame: u64) -> Result<Option<Arc<Answer>>> {
        self.clock += 1;
        if let Some(kept) = self.kept.get_mut(&(object, frame)) {
            kept.used = self.clock;
            return Ok(Some(Arc::clone(&kept.answer)));
        }
        let Some(file) = &self.file else { return Ok(None) };
        let answer = file.answer(object, frame)?.map(Arc::new);
        if let Some(answer) = &answer {
            self.hold((object, frame), Arc::clone(answer));
        }
        Ok(answer)
    }

    /// What a frame looked like, if that is known.
    pub(super) fn seen(&self, frame: u64) -> Result<Option<Seen>> {
        match &self.file {
            Some(file) => file.seen(frame),
            None => Ok(self.looks.get(&frame).cloned()),
        }
    }

    /// The step that undo takes back.
    pub(super) fn done(&self) -> Result<Option<Step>> {
        match &self.file {
            Some(file) => file.done(),
            None => Ok(self.history.done().cloned()),
        }
    }

    /// The step that redo says again.
    pub(super) fn undone(&self) -> Result<Option<Step>> {
        match &self.file {
            Some(file) => file.undone(),
            None => Ok(self.history.undone().cloned()),
        }
    }

    /// Keeps a change. `before` is how objects were.
    ///
    /// # Errors
    /// [`Error::Session`](crate::Error::Session) if the file can't be written; nothing is changed then.
    pub(super) fn keep(&mut self, change: &mut Change, before: &BTreeMap<ObjectId, Object>) -> Result<()> {
        if let Some(file) = &mut self.file {
            file.write(change, before)?;
        } else if let Some(note) = change.note.take() {
            self.history.note(note);
        }
        let gone = change.objects.iter().filter(|(_, object)| object.is_none()).map(|(&id, _)| id);
        let forgotten: Vec<_> = gone.chain(change.forgotten.iter().copied()).collect();
        forgotten.into_iter().for_each(|id| self.drop_where(id, |_, _| true));
        for &id in &change.untracked {
            self.drop_where(id, |_, answer| answer.origin != crate::answer::Origin::Prompted);
        }
        // As in the file. Without one, the window bounds what is held, and coming back is not to cost a memory.
        let filed = self.file.is_some();
        for (id, frames) in change.let_go.iter().filter(|_| filed) {
            self.drop_memories(*id, frames);
        }
        for (place, answer) in std::mem::take(&mut change.answers) {
            self.let_go(place);
            if let Some(answer) = answer {
                self.hold(place, answer);
            }
        }
        if let Some((frame, seen)) = change.seen.take().filter(|_| self.file.is_none()) {
            self.looks.insert(frame, seen);
            if self.looks.len() > LOOKS {
                let furthest = self.looks.keys().copied().max_by_key(|f| f.abs_diff(frame));
                furthest.map(|furthest| self.looks.remove(&furthest));
            }
        }
        Ok(())
    }

    /// Where no file is: drops an object's answers outside of a window, but for some frames.
    pub(super) fn keep_only(
        &mut self,
        id: ObjectId,
        window: &RangeInclusive<u64>,
        always: impl Fn(u64) -> bool,
    ) {
        self.drop_where(id, |frame, _| !window.contains(&frame) && !always(frame));
    }

    /// An answer that tracking has left behind. If anybody asks for it, the file has it.
    pub(super) fn leave(&mut self, object: ObjectId, frame: u64) {
        if self.file.is_some() {
            self.let_go((object, frame));
        }
    }

    /// How many answers are held in memory.
    #[cfg(test)]
    pub(super) fn held(&self) -> usize {
        self.kept.len()
    }

    /// Holds answers without their memories from now on.
    fn drop_memories(&mut self, id: ObjectId, frames: &RangeInclusive<u64>) {
        for (_, kept) in self.kept.range_mut((id, *frames.start())..=(id, *frames.end())) {
            if kept.answer.memory.is_some() {
                let before = kept.answer.bytes();
                Arc::make_mut(&mut kept.answer).memory = None;
                self.bytes -= before - kept.answer.bytes();
            }
        }
    }

    fn drop_where(&mut self, id: ObjectId, gone: impl Fn(u64, &Answer) -> bool) {
        let of = self.kept.range((id, 0)..=(id, u64::MAX));
        let places: Vec<_> = of.filter(|((_, f), kept)| gone(*f, &kept.answer)).map(|(&p, _)| p).collect();
        places.into_iter().for_each(|place| self.let_go(place));
    }

    fn let_go(&mut self, place: (ObjectId, u64)) {
        if let Some(kept) = self.kept.remove(&place) {
            self.bytes -= kept.answer.bytes();
        }
    }

    /// Holds an answer, and lets those go that were not used for longest if there is no room. The file has them.
    fn hold(&mut self, place: (ObjectId, u64), answer: Arc<Answer>) {
        self.clock += 1;
        self.bytes += answer.bytes();
        self.kept.insert(place, Kept { answer, used: self.clock });
        while self.bytes > self.room && self.file.is_some() {
            let oldest = self.kept.iter().min_by_key(|(_, kept)| kept.used).map(|(&place, _)| place);
            let Some(oldest) = oldest else { return };
            self.let_go(oldest);
        }
    }
}
