//! SQLite's answers as sentences that can be acted on.

use std::path::Path;

use rusqlite::ErrorCode;

use crate::error::Error;

/// What was asked of the file, before the file is named.
pub(super) type Asked<T> = std::result::Result<T, Fault>;

/// What went wrong, before the file is named.
#[derive(Debug)]
pub(super) enum Fault {
    /// A whole sentence about the file.
    Said(String),
    /// What of the file is not as it was written.
    Damaged(String),
    Sql(rusqlite::Error),
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

impl Fault {
    /// Says it about the file.
    pub(super) fn at(self, path: &Path) -> Error {
        Error::Session { path: path.to_path_buf(), problem: self.sentence() }
    }

    /// The sentence without the file.
    pub(super) fn sentence(self) -> String {
        match self {
            Self::Said(sentence) => sentence,
            Self::Damaged(what) => format!("it is damaged: {what}"),
            Self::Sql(error) => of_sql(&error),
        }
    }
}

fn of_sql(error: &rusqlite::Error) -> String {
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => "it is no session file: found other contents, expected those that \
            rotomask writes"
            .into(),
        Some(ErrorCode::DatabaseCorrupt) => format!("it is damaged: {error}"),
        Some(ErrorCode::TooBig) => "it is damaged: a field is longer than any that was ever written".into(),
        Some(ErrorCode::DiskFull) => "the disk is full; what was kept before is whole".into(),
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => format!("it can't be written: {error}"),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            "another process holds it, expected it to be free within seconds".into()
        }
        Some(ErrorCode::SystemIoFailure | ErrorCode::CannotOpen) => {
            format!("it can't be read or written: {error}")
        }
        Some(_) => format!("the session can't be kept: {error}"),
        // Without a code, the values in a row are not of the types that were written.
        None => format!("it is damaged: {error}"),
    }
}
