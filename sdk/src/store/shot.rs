//! The shot's objects, frames, cuts and notes: what is small, and read as a whole.

use rusqlite::{OptionalExtension, params};

use super::fault::{Asked, Fault};
use super::history::{self, Ends};
use super::prompts::{self, PromptRow};
use super::{Batch, Store, key, number};
use crate::error::Result;

/// The longest name of an object, in bytes.
const MAX_NAME_BYTES: usize = 4096;
/// The longest state of an object, and the longest note, in bytes.
pub(super) const MAX_STATE_BYTES: usize = 1 << 20;
/// The longest signature of a frame, in bytes.
const MAX_SIGNATURE_BYTES: usize = 1 << 16;

/// More objects than this were never followed.
const MAX_OBJECTS: usize = 1 << 16;
/// More cuts than this no shot has.
const MAX_CUTS: usize = 1 << 20;

/// An object of the shot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ObjectRow {
    /// The caller's number.
    pub(crate) object: u32,
    /// Where it stands in lists.
    pub(crate) place: i64,
    /// What people call it.
    pub(crate) name: String,
    /// What the session knows of it besides.
    pub(crate) state: Vec<u8>,
}

/// What a frame was when it was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FrameRow {
    /// Of the encoder's input, so that changed footage is noticed.
    pub(crate) hash: [u8; 16],
    /// A few bytes from which cuts are told.
    pub(crate) signature: Vec<u8>,
}

/// Everything that is small.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Loaded {
    /// In the order of their places.
    pub(crate) objects: Vec<ObjectRow>,
    /// In the order of objects and frames.
    pub(crate) prompts: Vec<PromptRow>,
    /// Frames that begin a new take, in order.
    pub(crate) cuts: Vec<u64>,
    /// What can be undone and redone.
    pub(crate) history: Ends,
}

impl Batch<'_> {
    /// Keeps an object, in place of what was known of it. Its prompts and answers stay.
    pub(crate) fn put_object(&self, row: &ObjectRow) -> Result<()> {
        self.ask(|connection| {
            at_most("an object's name", row.name.len(), MAX_NAME_BYTES)?;
            at_most("an object's state", row.state.len(), MAX_STATE_BYTES)?;
            connection
                .prepare_cached("INSERT OR REPLACE INTO objects VALUES (?, ?, ?, ?)")?
                .execute(params![row.object, row.place, row.name, row.state])?;
            Ok(())
        })
    }

    /// Removes an object with all that was said of it and answered for it.
    pub(crate) fn remove_object(&self, object: u32) -> Result<()> {
        self.forget(object, .., super::Which::All)?;
        self.ask(|connection| {
            connection.prepare_cached("DELETE FROM prompts WHERE object = ?")?.execute([object])?;
            connection.prepare_cached("DELETE FROM objects WHERE object = ?")?.execute([object])?;
            Ok(())
        })
    }

    /// Keeps what a frame was.
    pub(crate) fn put_frame(&self, frame: u64, row: &FrameRow) -> Result<()> {
        self.ask(|connection| {
            at_most("a frame's signature", row.signature.len(), MAX_SIGNATURE_BYTES)?;
            connection.prepare_cached("INSERT OR REPLACE INTO frames VALUES (?, ?, ?)")?.execute(params![
                key(frame)?,
                row.hash,
                row.signature
            ])?;
            Ok(())
        })
    }

    /// Says whether a new take begins with a frame.
    pub(crate) fn put_cut(&self, frame: u64, cut: bool) -> Result<()> {
        let sql =
            if cut { "INSERT OR IGNORE INTO cuts VALUES (?)" } else { "DELETE FROM cuts WHERE frame = ?" };
        self.ask(|connection| {
            connection.prepare_cached(sql)?.execute([key(frame)?])?;
            Ok(())
        })
    }

    /// Keeps something else under a name.
    pub(crate) fn put_note(&self, name: &str, value: &[u8]) -> Result<()> {
        self.ask(|connection| {
            at_most("a note's name", name.len(), MAX_NAME_BYTES)?;
            at_most("a note", value.len(), MAX_STATE_BYTES)?;
            connection
                .prepare_cached("INSERT OR REPLACE INTO notes VALUES (?, ?)")?
                .execute(params![name, value])?;
            Ok(())
        })
    }
}

impl Store {
    /// Reads everything that is small.
    pub(crate) fn load(&self) -> Result<Loaded> {
        self.ask(|connection| {
            let mut statement = connection
                .prepare("SELECT object, place, name, state FROM objects ORDER BY place, object LIMIT ?")?;
            let mut rows = statement.query([MAX_OBJECTS as i64 + 1])?;
            let mut objects = Vec::new();
            while let Some(row) = rows.next()? {
                fits("objects", objects.len(), MAX_OBJECTS)?;
                let object = number(row.get(0)?, "an object")?;
                let state = row.get_ref(3)?.as_blob().map_err(rusqlite::Error::from)?;
                at_most("an object's state", state.len(), MAX_STATE_BYTES)?;
                let state = state.to_vec();
                objects.push(ObjectRow { object, place: row.get(1)?, name: row.get(2)?, state });
            }
            let mut statement = connection.prepare("SELECT frame FROM cuts ORDER BY frame LIMIT ?")?;
            let mut rows = statement.query([MAX_CUTS as i64 + 1])?;
            let mut cuts = Vec::new();
            while let Some(row) = rows.next()? {
                fits("cuts", cuts.len(), MAX_CUTS)?;
                cuts.push(number(row.get(0)?, "a cut's frame")?);
            }
            let prompts = prompts::all(connection, self.identity.size)?;
            Ok(Loaded { objects, prompts, cuts, history: history::ends(connection)? })
        })
    }

    /// What a frame was.
    pub(crate) fn frame(&self, frame: u64) -> Result<Option<FrameRow>> {
        self.ask(|connection| {
            let mut statement =
                connection.prepare_cached("SELECT hash, signature FROM frames WHERE frame = ?")?;
            let row = |row: &rusqlite::Row<'_>| Ok(FrameRow { hash: row.get(0)?, signature: row.get(1)? });
            Ok(statement.query_row([key(frame)?], row).optional()?)
        })
    }

    /// What was kept under a name.
    pub(crate) fn note(&self, name: &str) -> Result<Option<Vec<u8>>> {
        self.ask(|connection| {
            let mut statement = connection.prepare_cached("SELECT value FROM notes WHERE name = ?")?;
            Ok(statement.query_row([name], |row| row.get(0)).optional()?)
        })
    }
}

fn at_most(what: &str, found: usize, most: usize) -> Asked<()> {
    if found <= most {
        return Ok(());
    }
    Err(Fault::Said(format!("{what} has {found} bytes, expected up to {most}")))
}

/// Whether a table that is read as a whole has room for one more row.
fn fits(table: &str, rows: usize, most: usize) -> Asked<()> {
    if rows < most {
        return Ok(());
    }
    Err(Fault::Damaged(format!("table {table}: more than {most} rows")))
}
