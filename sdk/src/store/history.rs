//! What was done, so that it can be undone and done again.
//!
//! Steps are numbered as they are done. Those up to the cursor are done; those after it were undone, and are
//! gone when something else is done instead.

use rusqlite::{Connection, OptionalExtension, params};

use super::answers;
use super::codec::Read;
use super::fault::{Asked, Fault};
use super::identity::Identity;
use super::prompts;
use super::{Batch, Store, codec};
use crate::answer::{Answer, Origin};
use crate::error::Result;
use crate::frame::Size;
use crate::mask::{LogitPlane, Shape};
use crate::model::Memory;
use crate::prompt::Mask;

/// The most steps that are kept. The oldest give way.
pub(crate) const MAX_STEPS: u64 = 1000;

/// The longest description of a step, in bytes.
const MAX_STEP_BYTES: usize = 1 << 20;

/// A step, and what it replaced.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Past {
    /// The session's own description.
    pub(crate) step: Vec<u8>,
    /// The answer that it replaced or made.
    pub(crate) answer: Option<Answer>,
    /// The mask that it replaced or gave.
    pub(crate) mask: Option<Mask>,
}

/// Which steps there are: `oldest..=newest`, of which those up to `at` are done. Nothing can be undone when
/// `at < oldest`, nothing redone when `at == newest`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ends {
    /// The oldest that is kept; 1 at first.
    pub(crate) oldest: u64,
    /// The last that is done; 0 at first.
    pub(crate) at: u64,
    /// The last that was ever done since something else was undone.
    pub(crate) newest: u64,
}

impl Default for Ends {
    fn default() -> Self {
        Self { oldest: 1, at: 0, newest: 0 }
    }
}

impl Batch<'_> {
    /// Appends a step that was just done. Steps that were undone are forgotten, and the oldest if there are more
    /// than [`MAX_STEPS`]. Answers its number.
    pub(crate) fn push_history(&self, past: &Past) -> Result<u64> {
        self.ask(|connection| {
            let seq = ends(connection)?.at + 1;
            let keep_from = seq.saturating_sub(MAX_STEPS) as i64;
            connection
                .prepare_cached("DELETE FROM history WHERE seq >= ? OR seq <= ?")?
                .execute(params![seq as i64, keep_from])?;
            put(connection, &self.store.identity, seq, past)?;
            set_cursor(connection, seq)?;
            Ok(seq)
        })
    }

    /// Replaces a step in its place, as when undoing it leaves something else to bring back.
    pub(crate) fn replace_history(&self, seq: u64, past: &Past) -> Result<()> {
        self.ask(|connection| {
            let Ends { oldest, newest, .. } = ends(connection)?;
            within(seq, oldest, newest)?;
            put(connection, &self.store.identity, seq, past)
        })
    }

    /// Up to which step everything is done.
    pub(crate) fn history_at(&self) -> Result<u64> {
        Ok(self.ask(ends)?.at)
    }

    /// Says up to which step everything is done.
    pub(crate) fn set_history_at(&self, at: u64) -> Result<()> {
        self.ask(|connection| {
            let Ends { oldest, newest, .. } = ends(connection)?;
            within(at, oldest - 1, newest)?;
            set_cursor(connection, at)
        })
    }

    /// Forgets all steps.
    pub(crate) fn clear_history(&self) -> Result<()> {
        self.ask(|connection| {
            connection.execute("DELETE FROM history", [])?;
            set_cursor(connection, 0)
        })
    }
}

impl Store {
    /// Which steps there are.
    pub(crate) fn history_ends(&self) -> Result<Ends> {
        self.ask(ends)
    }

    /// A step.
    pub(crate) fn history(&self, seq: u64) -> Result<Option<Past>> {
        self.ask(|connection| get(connection, &self.identity, seq))
    }
}

/// All steps in order, and how many of them are done.
pub(super) fn all(connection: &Connection, identity: &Identity) -> Asked<(Vec<Past>, u64)> {
    let Ends { oldest, at, newest } = ends(connection)?;
    let missing = |seq| Fault::Damaged(format!("table history, step {seq}: there is no such row"));
    let step = |seq| get(connection, identity, seq)?.ok_or_else(|| missing(seq));
    Ok(((oldest..=newest).map(step).collect::<Asked<_>>()?, at + 1 - oldest))
}

fn get(connection: &Connection, identity: &Identity, seq: u64) -> Asked<Option<Past>> {
    let Ok(key) = i64::try_from(seq) else { return Ok(None) };
    let mut statement = connection.prepare_cached("SELECT step, answer, mask FROM history WHERE seq = ?")?;
    let row = statement.query_row([key], |row| {
        Ok((row.get(0)?, row.get::<_, Option<Vec<u8>>>(1)?, row.get::<_, Option<Vec<u8>>>(2)?))
    });
    let Some((step, answer, mask)) = row.optional()? else { return Ok(None) };
    let damaged = |e: String| Fault::Damaged(format!("table history, step {seq}: {e}"));
    let answer = answer.map(|b| read(&b, identity)).transpose().map_err(damaged)?;
    let mask = mask.map(|b| prompts::unpacked(&b, identity.size)).transpose().map_err(damaged)?;
    Ok(Some(Past { step, answer, mask }))
}

/// The most bytes that an answer takes as one blob.
pub(super) fn longest_answer(identity: &Identity) -> usize {
    HEAD_BYTES
        + codec::longest_floats(identity.cells())
        + codec::longest_floats(identity.pointer_len as usize)
        + identity.memory_len as usize * 2
}

pub(super) fn ends(connection: &Connection) -> Asked<Ends> {
    let mut statement = connection.prepare_cached(
        "SELECT history_at, (SELECT min(seq) FROM history), (SELECT max(seq) FROM history) FROM identity",
    )?;
    let row = |row: &rusqlite::Row<'_>| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, Option<i64>>(1)?, row.get::<_, Option<i64>>(2)?))
    };
    let (at, oldest, newest) = statement.query_row([], row)?;
    let (oldest, newest) = (oldest.unwrap_or(at.saturating_add(1)), newest.unwrap_or(at));
    let in_order = oldest >= 1 && oldest - 1 <= at && at <= newest && newest < i64::MAX;
    if !in_order || newest - oldest >= MAX_STEPS as i64 {
        let damage = format!("table history: steps {oldest} to {newest}, of which {at} is the last done");
        return Err(Fault::Damaged(damage));
    }
    Ok(Ends { oldest: oldest as u64, at: at as u64, newest: newest as u64 })
}

fn put(connection: &Connection, identity: &Identity, seq: u64, past: &Past) -> Asked<()> {
    if past.step.len() > MAX_STEP_BYTES {
        let found = past.step.len();
        return Err(Fault::Said(format!("a step has {found} bytes, expected up to {MAX_STEP_BYTES}")));
    }
    let answer = past.answer.as_ref().map(|answer| tell(answer, identity)).transpose()?;
    let mask = past.mask.as_ref().map(|mask| prompts::packed(mask, identity)).transpose()?;
    connection
        .prepare_cached("INSERT OR REPLACE INTO history VALUES (?, ?, ?, ?)")?
        .execute(params![seq as i64, past.step, answer, mask])?;
    Ok(())
}

fn set_cursor(connection: &Connection, at: u64) -> Asked<()> {
    connection.prepare_cached("UPDATE identity SET history_at = ?")?.execute([at as i64])?;
    Ok(())
}

fn within(seq: u64, first: u64, last: u64) -> Asked<()> {
    if (first..=last).contains(&seq) {
        return Ok(());
    }
    Err(Fault::Said(format!("step {seq} is not kept, expected {first} to {last}")))
}

/// Origin, whether there is a box and a memory, four numbers, the box, the lengths of plane and pointer.
const HEAD_BYTES: usize = 3 + 4 * 4 + 4 * 2 + 2 * 4;

/// An answer as one blob.
pub(super) fn tell(answer: &Answer, identity: &Identity) -> Asked<Vec<u8>> {
    answers::check(answer, identity)?;
    let plane = codec::plane(&answer.logits.values, answer.logits.size.width());
    let pointer = codec::floats(&answer.pointer);
    let Shape { stability, area_px, bounds } = answer.shape;
    let bbox = codec::corners(bounds);
    let mut bytes =
        vec![answer.origin.code() as u8, u8::from(bbox.is_some()), u8::from(answer.memory.is_some())];
    for v in [answer.predicted_iou, answer.object_score, stability, area_px as f32] {
        bytes.extend(v.to_le_bytes());
    }
    bbox.unwrap_or_default().iter().for_each(|v| bytes.extend(v.to_le_bytes()));
    bytes.extend((plane.len() as u32).to_le_bytes());
    bytes.extend((pointer.len() as u32).to_le_bytes());
    bytes.extend(plane);
    bytes.extend(pointer);
    if let Some(memory) = &answer.memory {
        bytes.extend(codec::memory(&memory.0));
    }
    Ok(bytes)
}

fn read(bytes: &[u8], identity: &Identity) -> Read<Answer> {
    let mut rest = bytes;
    let mut take = |count: usize| -> Read<&[u8]> {
        let (taken, left) = rest.split_at_checked(count).ok_or("the answer is cut short")?;
        rest = left;
        Ok(taken)
    };
    let flags = take(3)?;
    let (origin, boxed, remembered) = (flags[0], flags[1] == 1, flags[2] == 1);
    let mut floats = [0.0; 4];
    for v in &mut floats {
        let b = take(4)?;
        *v = f32::from_le_bytes([b[0], b[1], b[2], b[3]]);
    }
    let mut sides = [0; 4];
    for v in &mut sides {
        let b = take(2)?;
        *v = u16::from_le_bytes([b[0], b[1]]);
    }
    let mut lengths = [0; 2];
    for v in &mut lengths {
        let b = take(4)?;
        *v = u32::from_le_bytes([b[0], b[1], b[2], b[3]]) as usize;
    }
    let (side, pointers) = (identity.logit_side, identity.pointer_len as usize);
    let values = codec::read_floats(take(lengths[0])?, identity.cells(), side as usize)?;
    let pointer = codec::read_floats(take(lengths[1])?, pointers, pointers)?;
    let memory = if remembered {
        Some(Memory(codec::read_memory(rest, identity.memory_len as usize)?))
    } else if rest.is_empty() {
        None
    } else {
        return Err(format!("{} bytes follow the answer, expected none", rest.len()));
    };
    let [predicted_iou, object_score, stability, area_cells] = floats;
    Ok(Answer {
        origin: Origin::of(i64::from(origin)).map_err(Fault::sentence)?,
        logits: LogitPlane { size: Size { width_px: side, height_px: side }, values },
        predicted_iou,
        object_score,
        shape: Shape {
            stability,
            area_px: area_cells as u64,
            bounds: codec::bounds(boxed.then_some(sides))?,
        },
        pointer,
        memory,
    })
}

#[cfg(any(test, feature = "fuzzing"))]
pub(super) fn fuzz(bytes: &[u8], identity: &Identity) {
    if let Ok(answer) = read(bytes, identity) {
        let told = tell(&answer, identity).expect("it is of this identity");
        // A number that is none is not equal to itself; what is written of it is.
        let again = read(&told, identity).expect("it was just written");
        assert_eq!(tell(&again, identity).expect("it is of this identity"), told);
    }
}
