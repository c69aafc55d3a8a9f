//! How a session file comes to be, and how it is opened.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::{Connection, OpenFlags};

use super::codec;
use super::fault::{Asked, Fault};
use super::identity::Identity;
use super::lock::{WriterLock, beside};
use super::{Access, Store, history, schema, shot};
use crate::error::Result;

/// A frame's answers reach the disk at checkpoints: a killed process loses nothing, the system has them.
pub(super) const SYNC_AT_CHECKPOINTS: &str = "NORMAL";
/// Every commit waits for the disk.
pub(super) const SYNC_EVERY: &str = "FULL";

/// Pages held in memory for each open session, in KiB.
const CACHE_KIB: i64 = 8192;
/// What a write-ahead log is cut back to after a checkpoint.
const LOG_LIMIT_BYTES: i64 = 16 << 20;
/// A checkpoint or a recovery by another process holds a file for moments.
const PATIENCE: Duration = Duration::from_secs(5);
/// SQL text, and rows of small fields, need no more.
const SMALL_FIELDS_BYTES: usize = 2 << 20;

impl Store {
    /// Makes a session file. It appears whole or not at all, and replaces nothing.
    ///
    /// # Errors
    /// [`Error::Session`](crate::Error::Session) if there is a file of this name, or none can be made.
    pub(crate) fn create(path: &Path, identity: &Identity) -> Result<Self> {
        create(path, identity).map_err(|fault| fault.at(path))
    }

    /// Opens a session file.
    ///
    /// # Errors
    /// [`Error::Session`](crate::Error::Session) if there is none, it is something else, was written by a newer
    /// version, is damaged, or another session writes it. The file is untouched then.
    pub(crate) fn open(path: &Path, access: Access) -> Result<Self> {
        open(path, access).map_err(|fault| fault.at(path))
    }

    /// Opens a session file, or makes it if there is none.
    ///
    /// # Errors
    /// As [`Store::open`] and [`Store::create`]. Whether the identity is the same, the caller asks.
    pub(crate) fn open_or_create(path: &Path, identity: &Identity) -> Result<Self> {
        if path.exists() { Self::open(path, Access::Write) } else { Self::create(path, identity) }
    }

    /// A session without a file name. What exceeds a few MiB goes to the system's temporary folder, in a file
    /// that is gone when the session is closed or the process ends.
    ///
    /// # Errors
    /// [`Error::Session`](crate::Error::Session) if the temporary folder can't be written.
    pub(crate) fn temporary(identity: &Identity) -> Result<Self> {
        let path = PathBuf::from("(temporary)");
        temporary(identity, path.clone()).map_err(|fault| fault.at(&path))
    }
}

fn create(path: &Path, identity: &Identity) -> Asked<Store> {
    identity.check().map_err(Fault::Said)?;
    let path = &whole(path)?;
    let lock = WriterLock::take(path)?;
    let taken = || Fault::Said("there is a file of this name, expected none; it is left as it is".into());
    // A dangling link counts as well.
    if path.symlink_metadata().is_ok() {
        return Err(taken());
    }
    let draft = beside(path, "-draft");
    let unable = |e: std::io::Error| Fault::Said(format!("it can't be made: {e}"));
    // What a process that was killed here has left behind. The lock is ours, so nobody is at it.
    match fs::remove_file(&draft) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(unable(e)),
        _ => {}
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
    let made = connect(&draft, flags).and_then(|connection| {
        connection.execute_batch("BEGIN IMMEDIATE")?;
        schema::make(&connection)?;
        identity.put(&connection)?;
        connection.execute_batch("COMMIT")?;
        connection.close().map_err(|(_, e)| Fault::Sql(e))
    });
    let placed = made.and_then(|()| match fs::hard_link(&draft, path) {
        Ok(()) => fs::remove_file(&draft).map_err(unable),
        Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => Err(taken()),
        // A file system without links.
        Err(_) => fs::rename(&draft, path).map_err(unable),
    });
    if let Err(fault) = placed {
        let _ = fs::remove_file(&draft);
        return Err(fault);
    }
    if let (true, Some(folder)) = (cfg!(unix), path.parent()) {
        // So that a power cut doesn't take the name away again. A folder that can't be read is no reason to stop.
        let _ = fs::File::open(folder).and_then(|folder| folder.sync_all());
    }
    go_on(path, lock)
}

fn open(path: &Path, access: Access) -> Asked<Store> {
    let missing = |e: std::io::Error| Fault::Said(format!("it can't be opened: {e}"));
    // `metadata` opens nothing: a handle that is closed would drop the locks of this process's other sessions.
    if !fs::metadata(path).map_err(missing)?.is_file() {
        return Err(Fault::Said("it is no file, expected a session file".into()));
    }
    let path = &fs::canonicalize(path).map_err(missing)?;
    if access == Access::Write {
        let lock = WriterLock::take(path)?;
        // Looked at first without the right to write, so that a file of another kind is not even tidied up.
        look(path)?;
        return go_on(path, lock);
    }
    let (connection, identity) = look(path)?;
    Ok(Store { connection, identity, path: path.clone(), access, _lock: None })
}

/// Opens for reading and checks everything that is small.
fn look(path: &Path) -> Asked<(Connection, Identity)> {
    let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    schema::check_format(&connection)?;
    schema::check_tables(&connection)?;
    let identity = Identity::get(&connection)?;
    limit(&connection, &identity)?;
    Ok((connection, identity))
}

/// Opens for writing what was looked at before.
fn go_on(path: &Path, lock: WriterLock) -> Asked<Store> {
    let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    let mode: String = connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
    if mode != "wal" {
        return Err(Fault::Said(format!("its folder allows the journal `{mode}`, expected `wal`")));
    }
    connection.pragma_update(None, "synchronous", SYNC_AT_CHECKPOINTS)?;
    connection.pragma_update(None, "journal_size_limit", LOG_LIMIT_BYTES)?;
    connection.pragma_update(None, "fullfsync", true)?;
    schema::check_format(&connection)?;
    schema::check_tables(&connection)?;
    let identity = Identity::get(&connection)?;
    limit(&connection, &identity)?;
    Ok(Store { connection, identity, path: path.to_path_buf(), access: Access::Write, _lock: Some(lock) })
}

fn temporary(identity: &Identity, path: PathBuf) -> Asked<Store> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
    let connection = connect(Path::new(""), flags)?;
    // Nobody else ever sees it, so that nothing but a batch that fails needs a way back.
    let _: String = connection.pragma_update_and_check(None, "journal_mode", "MEMORY", |row| row.get(0))?;
    connection.pragma_update(None, "synchronous", "OFF")?;
    schema::make(&connection)?;
    identity.put(&connection)?;
    limit(&connection, identity)?;
    Ok(Store { connection, identity: identity.clone(), path, access: Access::Write, _lock: None })
}

/// Opens SQLite with everything off that a session doesn't need and a hostile file could use.
pub(super) fn connect(path: &Path, flags: OpenFlags) -> Asked<Connection> {
    let connection = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(PATIENCE)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
    connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, SMALL_FIELDS_BYTES as i32)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

/// Lets SQLite hold no field that is longer than the longest that is ever written.
pub(super) fn limit(connection: &Connection, identity: &Identity) -> Asked<()> {
    let longest = [
        codec::longest_floats(identity.cells()),
        codec::longest_mask(identity.size),
        identity.memory_len as usize * 2,
        history::longest_answer(identity),
        shot::MAX_STATE_BYTES,
    ];
    let bytes = longest.into_iter().max().unwrap_or(0) + SMALL_FIELDS_BYTES;
    connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, i32::try_from(bytes).unwrap_or(i32::MAX))?;
    Ok(())
}

/// The path of a file that need not exist, in a folder that must.
fn whole(path: &Path) -> Asked<PathBuf> {
    let name = path.file_name().ok_or_else(|| Fault::Said("it has no file name".into()))?;
    let folder = path.parent().filter(|f| !f.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let folder = fs::canonicalize(folder).map_err(|e| Fault::Said(format!("it can't be made: {e}")))?;
    Ok(folder.join(name))
}
