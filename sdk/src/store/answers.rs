//! What was answered: for each object and frame a plane of logits, an object pointer, perhaps a memory, and the
//! numbers that say how far to trust it.

use std::collections::VecDeque;
use std::ops::RangeBounds;

use rusqlite::{Connection, Row, params};

use super::fault::{Asked, Fault};
use super::identity::Identity;
use super::{Batch, Store, codec, ends, key, number};
use crate::answer::{Answer, Origin};
use crate::error::Result;
use crate::frame::Size;
use crate::mask::{LogitPlane, Shape};
use crate::memory_bank::Direction;
use crate::model::Memory;
use crate::review::Observation;

/// Which answers of a range are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Which {
    /// Those that were tracked.
    Tracked,
    /// All, those of prompts as well.
    All,
}

/// What is known of an answer without reading its plane.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Confidence {
    /// The frame.
    pub(crate) frame: u64,
    /// Where the answer comes from.
    pub(crate) origin: Origin,
    /// See [`Answer::predicted_iou`].
    pub(crate) predicted_iou: f32,
    /// See [`Answer::object_score`].
    pub(crate) object_score: f32,
    /// See [`Answer::shape`].
    pub(crate) shape: Shape,
}

impl Confidence {
    /// What a review looks at. `touched` is the share of the mask that other objects cover or touch.
    pub(crate) fn observation(&self, object: u32, touched: f32) -> Observation {
        Observation {
            frame: self.frame,
            object,
            prompted: self.origin == Origin::Prompted,
            object_score: self.object_score,
            predicted_iou: self.predicted_iou,
            shape: self.shape,
            touched,
        }
    }
}

/// Rows that a scan reads at once. It holds no lock and pins no log in between.
const PAGE: i64 = 1024;

impl Origin {
    pub(super) fn code(self) -> i64 {
        match self {
            Self::Prompted => 0,
            Self::Tracked(Direction::Forward) => 1,
            Self::Tracked(Direction::Reverse) => 2,
        }
    }

    pub(super) fn of(code: i64) -> Asked<Self> {
        match code {
            0 => Ok(Self::Prompted),
            1 => Ok(Self::Tracked(Direction::Forward)),
            2 => Ok(Self::Tracked(Direction::Reverse)),
            _ => Err(Fault::Damaged(format!("an answer's origin is {code}, expected 0 to 2"))),
        }
    }
}

impl Which {
    /// The lowest and the highest code of an origin that is meant.
    fn codes(self) -> (i64, i64) {
        match self {
            Self::Tracked => (1, 2),
            Self::All => (0, 2),
        }
    }
}

impl Batch<'_> {
    /// Keeps an answer in place of whatever stood there.
    pub(crate) fn put_answer(&self, object: u32, frame: u64, answer: &Answer) -> Result<()> {
        self.ask(|connection| {
            check(answer, &self.store.identity)?;
            let shape = answer.shape;
            let bbox = codec::corners(shape.bounds).map_or([None; 4], |b| b.map(Some));
            let mut statement = connection.prepare_cached(
                "INSERT INTO answers (object, frame, origin, predicted_iou, object_score, stability, \
                 area_cells, x0, y0, x1, y1) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (object, \
                 frame) DO UPDATE SET origin = excluded.origin, predicted_iou = excluded.predicted_iou, \
                 object_score = excluded.object_score, stability = excluded.stability, area_cells = \
                 excluded.area_cells, x0 = excluded.x0, y0 = excluded.y0, x1 = excluded.x1, y1 = excluded.y1 \
                 RETURNING id",
            )?;
            let row = params![
                object,
                key(frame)?,
                answer.origin.code(),
                answer.predicted_iou,
                answer.object_score,
                shape.stability,
                shape.area_px as f32,
                bbox[0],
                bbox[1],
                bbox[2],
                bbox[3]
            ];
            let id: i64 = statement.query_row(row, |row| row.get(0))?;
            let logits = codec::plane(&answer.logits.values, answer.logits.size.width());
            connection.prepare_cached("INSERT OR REPLACE INTO planes VALUES (?, ?, ?)")?.execute(params![
                id,
                logits,
                codec::floats(&answer.pointer)
            ])?;
            match &answer.memory {
                Some(memory) => connection
                    .prepare_cached("INSERT OR REPLACE INTO memories VALUES (?, ?)")?
                    .execute(params![id, codec::memory(&memory.0)])?,
                None => connection.prepare_cached("DELETE FROM memories WHERE id = ?")?.execute([id])?,
            };
            Ok(())
        })
    }

    /// Lets the memories of answers go; the answers stay.
    pub(crate) fn drop_memories(
        &self,
        object: u32,
        frames: impl RangeBounds<u64>,
        which: Which,
    ) -> Result<()> {
        self.ask(|connection| delete("memories", connection, object, ends(frames), which))
    }

    /// Forgets answers.
    pub(crate) fn forget(&self, object: u32, frames: impl RangeBounds<u64>, which: Which) -> Result<()> {
        let ends = ends(frames);
        self.ask(|connection| {
            delete("memories", connection, object, ends, which)?;
            delete("planes", connection, object, ends, which)?;
            let Some((first, last)) = ends else { return Ok(()) };
            let (low, high) = which.codes();
            connection
                .prepare_cached(
                    "DELETE FROM answers WHERE object = ? AND frame BETWEEN ? AND ? AND origin BETWEEN ? AND ?",
                )?
                .execute(params![object, first, last, low, high])?;
            Ok(())
        })
    }
}

fn delete(
    table: &str,
    connection: &Connection,
    object: u32,
    ends: Option<(i64, i64)>,
    which: Which,
) -> Asked<()> {
    let Some((first, last)) = ends else { return Ok(()) };
    let (low, high) = which.codes();
    connection
        .prepare_cached(&format!(
            "DELETE FROM {table} WHERE id IN (SELECT id FROM answers WHERE object = ? AND frame BETWEEN ? AND ? \
             AND origin BETWEEN ? AND ?)"
        ))?
        .execute(params![object, first, last, low, high])?;
    Ok(())
}

impl Store {
    /// An answer with all that is kept of it.
    pub(crate) fn answer(&self, object: u32, frame: u64) -> Result<Option<Answer>> {
        self.read(object, frame, body)
    }

    /// An answer without its memory: all that a host may see of it.
    pub(crate) fn shown(&self, object: u32, frame: u64) -> Result<Option<Answer>> {
        self.read(object, frame, without_memory)
    }

    fn read(
        &self,
        object: u32,
        frame: u64,
        body: impl FnOnce(&Connection, &Identity, Place, Confidence) -> Asked<Answer>,
    ) -> Result<Option<Answer>> {
        self.ask(|connection| {
            let query = "SELECT id, frame, origin, predicted_iou, object_score, stability, area_cells, x0, y0, \
                         x1, y1 FROM answers WHERE object = ? AND frame = ?";
            let mut statement = connection.prepare_cached(query)?;
            let mut rows = statement.query(params![object, key(frame)?])?;
            let Some(row) = rows.next()? else { return Ok(None) };
            let known = confidence(row)?;
            let place = Place { id: row.get(0)?, object, frame };
            body(connection, &self.identity, place, known).map(Some)
        })
    }

    /// The numbers of an object's answers in a range, in the order of frames.
    pub(crate) fn confidences(&self, object: u32, frames: impl RangeBounds<u64>) -> Confidences<'_> {
        Confidences { store: self, object, left: ends(frames), page: VecDeque::new() }
    }

    fn page(&self, object: u32, ends: Option<(i64, i64)>) -> Result<VecDeque<Confidence>> {
        let Some((first, last)) = ends else { return Ok(VecDeque::new()) };
        self.ask(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT id, frame, origin, predicted_iou, object_score, stability, area_cells, x0, y0, x1, y1 \
                 FROM answers WHERE object = ? AND frame BETWEEN ? AND ? ORDER BY frame LIMIT ?",
            )?;
            let mut rows = statement.query(params![object, first, last, PAGE])?;
            let mut page = VecDeque::new();
            while let Some(row) = rows.next()? {
                page.push_back(confidence(row)?);
            }
            Ok(page)
        })
    }
}

/// A scan over an object's answers. See [`Store::confidences`].
pub(crate) struct Confidences<'a> {
    store: &'a Store,
    object: u32,
    left: Option<(i64, i64)>,
    page: VecDeque<Confidence>,
}

impl Iterator for Confidences<'_> {
    type Item = Result<Confidence>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.page.is_empty() {
            let (_, last) = self.left?;
            match self.store.page(self.object, self.left.take()) {
                Ok(page) => self.page = page,
                Err(error) => return Some(Err(error)),
            }
            // A page that is not full was the last.
            let newest = self.page.back().filter(|_| self.page.len() as i64 == PAGE);
            let next = newest.and_then(|known| (known.frame as i64).checked_add(1));
            self.left = next.filter(|next| *next <= last).map(|next| (next, last));
        }
        self.page.pop_front().map(Ok)
    }
}

/// Where an answer's parts lie, and what to call it when they are damaged.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub(super) id: i64,
    pub(super) object: u32,
    pub(super) frame: u64,
}

impl Place {
    fn damaged(self, table: &str, problem: impl std::fmt::Display) -> Fault {
        let Self { object, frame, .. } = self;
        Fault::Damaged(format!("table {table}, object {object}, frame {frame}: {problem}"))
    }
}

/// Columns 1 to 10 of a row of answers, after its id.
pub(super) fn confidence(row: &Row<'_>) -> Asked<Confidence> {
    // A number that is none is kept as NULL.
    let float = |at| row.get::<_, Option<f64>>(at).map(|v| v.map_or(f32::NAN, |v| v as f32));
    let side = |at| row.get::<_, Option<u16>>(at);
    let bbox = match (side(7)?, side(8)?, side(9)?, side(10)?) {
        (Some(x0), Some(y0), Some(x1), Some(y1)) => Some([x0, y0, x1, y1]),
        _ => None,
    };
    let frame = number(row.get(1)?, "a frame")?;
    let damaged = |problem| Fault::Damaged(format!("table answers, frame {frame}: {problem}"));
    let bounds = codec::bounds(bbox).map_err(damaged)?;
    Ok(Confidence {
        frame,
        origin: Origin::of(row.get(2)?)?,
        predicted_iou: float(3)?,
        object_score: float(4)?,
        shape: Shape { stability: float(5)?, area_px: float(6)? as u64, bounds },
    })
}

/// Reads what belongs to an answer's numbers.
pub(super) fn body(
    connection: &Connection,
    identity: &Identity,
    place: Place,
    known: Confidence,
) -> Asked<Answer> {
    let memory = memory(connection, identity, place)?;
    Ok(Answer { memory, ..without_memory(connection, identity, place, known)? })
}

/// As [`body`], but reads no memory.
pub(super) fn without_memory(
    connection: &Connection,
    identity: &Identity,
    place: Place,
    known: Confidence,
) -> Asked<Answer> {
    let mut statement = connection.prepare_cached("SELECT logits, pointer FROM planes WHERE id = ?")?;
    let mut rows = statement.query([place.id])?;
    let row = rows.next()?.ok_or_else(|| place.damaged("planes", "there is no such row"))?;
    let (side, pointers) = (identity.logit_side, identity.pointer_len as usize);
    let values = codec::read_floats(blob(row, 0)?, identity.cells(), side as usize)
        .map_err(|problem| place.damaged("planes", format!("logits: {problem}")))?;
    let pointer = codec::read_floats(blob(row, 1)?, pointers, pointers)
        .map_err(|problem| place.damaged("planes", format!("pointer: {problem}")))?;
    let Confidence { origin, predicted_iou, object_score, shape, .. } = known;
    let logits = LogitPlane { size: Size { width_px: side, height_px: side }, values };
    Ok(Answer { origin, logits, predicted_iou, object_score, shape, pointer, memory: None })
}

fn memory(connection: &Connection, identity: &Identity, place: Place) -> Asked<Option<Memory>> {
    let mut statement = connection.prepare_cached("SELECT memory FROM memories WHERE id = ?")?;
    let mut rows = statement.query([place.id])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let values = codec::read_memory(blob(row, 0)?, identity.memory_len as usize);
    values.map(|values| Some(Memory(values))).map_err(|problem| place.damaged("memories", problem))
}

fn blob<'a>(row: &'a Row<'_>, at: usize) -> Asked<&'a [u8]> {
    Ok(row.get_ref(at)?.as_blob().map_err(rusqlite::Error::from)?)
}

/// Whether an answer is one of this session's model.
pub(super) fn check(answer: &Answer, identity: &Identity) -> Asked<()> {
    let side = identity.logit_side;
    if answer.logits.size != (Size { width_px: side, height_px: side }) {
        return Err(Fault::Said(format!("an answer is {}, expected {side}x{side}", answer.logits.size)));
    }
    let memory = answer.memory.as_ref().map_or(identity.memory_len as usize, |m| m.0.len());
    for (what, found, want) in [
        ("plane", answer.logits.values.len(), identity.cells()),
        ("pointer", answer.pointer.len(), identity.pointer_len as usize),
        ("memory", memory, identity.memory_len as usize),
    ] {
        if found != want {
            return Err(Fault::Said(format!("an answer's {what} has {found} numbers, expected {want}")));
        }
    }
    Ok(())
}
