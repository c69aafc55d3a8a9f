//! The tables of format 1, and how a file shows that it has exactly these.

use rusqlite::Connection;

use super::fault::{Asked, Fault};

/// "roto" in ASCII: tells a session from any other SQLite file.
const APPLICATION: i32 = 0x726F_746F;

/// The format that is written, and the newest that is read.
pub(super) const FORMAT: i32 = 1;

/// Planes and memories lie apart from the numbers about them: those are scanned for whole shots, and a memory
/// comes and goes without its neighbours being rewritten. Both have their answer's id.
const TABLES: [&str; 10] = [
    "CREATE TABLE identity (only INTEGER PRIMARY KEY CHECK (only = 1), model_name TEXT NOT NULL, \
     model_version TEXT NOT NULL, model_sha256 TEXT NOT NULL, width_px INTEGER NOT NULL, height_px INTEGER NOT \
     NULL, logit_side INTEGER NOT NULL, memory_len INTEGER NOT NULL, pointer_len INTEGER NOT NULL, precision \
     INTEGER NOT NULL, history_at INTEGER NOT NULL) STRICT",
    "CREATE TABLE notes (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT",
    "CREATE TABLE objects (object INTEGER PRIMARY KEY, place INTEGER NOT NULL, name TEXT NOT NULL, state BLOB \
     NOT NULL) STRICT",
    "CREATE TABLE prompts (object INTEGER NOT NULL, frame INTEGER NOT NULL, clicks BLOB NOT NULL, bounds BLOB, \
     mask BLOB, UNIQUE (object, frame)) STRICT",
    "CREATE TABLE answers (id INTEGER PRIMARY KEY, object INTEGER NOT NULL, frame INTEGER NOT NULL, origin \
     INTEGER NOT NULL, predicted_iou REAL, object_score REAL, stability REAL, area_cells REAL, x0 INTEGER, y0 \
     INTEGER, x1 INTEGER, y1 INTEGER, UNIQUE (object, frame)) STRICT",
    "CREATE TABLE planes (id INTEGER PRIMARY KEY, logits BLOB NOT NULL, pointer BLOB NOT NULL) STRICT",
    "CREATE TABLE memories (id INTEGER PRIMARY KEY, memory BLOB NOT NULL) STRICT",
    "CREATE TABLE frames (frame INTEGER PRIMARY KEY, hash BLOB NOT NULL, signature BLOB NOT NULL) STRICT",
    "CREATE TABLE cuts (frame INTEGER PRIMARY KEY) STRICT",
    "CREATE TABLE history (seq INTEGER PRIMARY KEY, step BLOB NOT NULL, answer BLOB, mask BLOB) STRICT",
];

/// Makes the tables in an empty file.
pub(super) fn make(connection: &Connection) -> Asked<()> {
    for table in TABLES {
        connection.execute(table, [])?;
    }
    connection.pragma_update(None, "application_id", APPLICATION)?;
    connection.pragma_update(None, "user_version", FORMAT)?;
    Ok(())
}

/// Whether the file is a session of a format that is known.
pub(super) fn check_format(connection: &Connection) -> Asked<()> {
    let number = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i32>(0));
    let application = number("application_id")?;
    if application != APPLICATION {
        return Err(Fault::Said(format!(
            "it is no session file: found an SQLite database of application {application:#010x}, expected \
             {APPLICATION:#010x}"
        )));
    }
    let format = number("user_version")?;
    if format > FORMAT {
        return Err(Fault::Said(format!(
            "it was written by a newer rotomask: found format {format}, expected at most {FORMAT}"
        )));
    }
    if format < 1 {
        return Err(Fault::Damaged(format!("found format {format}, expected 1 to {FORMAT}")));
    }
    Ok(())
}

/// Whether the tables are exactly those that were made: nothing a file brings along is ever run. SQLite's own statistics,
/// which a tool's ANALYZE leaves, are no one's.
pub(super) fn check_tables(connection: &Connection) -> Asked<()> {
    let query = "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT IN ('sqlite_stat1', \
                 'sqlite_stat4') LIMIT ?";
    let mut statement = connection.prepare(query)?;
    let found = statement
        .query_map([TABLES.len() as i64 + 1], |row| row.get::<_, String>(0))?
        .collect::<Result<Vec<_>, _>>()?;
    if found.len() != TABLES.len() {
        let (found, want) = (found.len(), TABLES.len());
        return Err(Fault::Damaged(format!("found {found} tables or more, expected {want}")));
    }
    // SQLite's own VACUUM puts them in another order.
    if let Some(strange) = found.iter().find(|found| !TABLES.contains(&found.as_str())) {
        let short: String = strange.chars().take(60).collect();
        return Err(Fault::Damaged(format!("found the table `{short}`, expected none like it")));
    }
    Ok(())
}
