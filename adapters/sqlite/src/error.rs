//! What SQLite and the system say, as a store says it.

use liveops_core::error::{StoreError, StoreErrorKind};
use rusqlite::ErrorCode;

/// Anything that can go wrong inside, so that `?` serves for all of it.
#[derive(Debug)]
pub(crate) enum Fault {
    Sqlite(rusqlite::Error),
    Store(StoreError),
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<StoreErrorKind> for Fault {
    fn from(kind: StoreErrorKind) -> Self {
        Self::Store(kind.into())
    }
}

impl From<Fault> for StoreError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Sqlite(error) => Self::with_source(kind(&error), error),
            Fault::Store(error) => error,
        }
    }
}

/// The set-up is wrong, and what would be right.
pub(crate) fn misconfigured(wanted: &'static str) -> StoreError {
    StoreError::with_source(StoreErrorKind::Misconfigured, wanted)
}

/// What is stored makes no sense, and where.
pub(crate) fn corrupt(what: impl Into<String>) -> StoreError {
    StoreError::with_source(StoreErrorKind::Corrupt, what.into())
}

fn kind(error: &rusqlite::Error) -> StoreErrorKind {
    use rusqlite::Error as E;
    match error {
        E::SqliteFailure(failure, _) => match failure.code {
            ErrorCode::DiskFull => StoreErrorKind::Full,
            ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => StoreErrorKind::Corrupt,
            ErrorCode::DatabaseBusy
            | ErrorCode::DatabaseLocked
            | ErrorCode::FileLockingProtocolFailed
            | ErrorCode::OperationInterrupted
            | ErrorCode::OutOfMemory
            | ErrorCode::SystemIoFailure => StoreErrorKind::Unavailable,
            _ => StoreErrorKind::Misconfigured,
        },
        E::FromSqlConversionFailure(..)
        | E::IntegralValueOutOfRange(..)
        | E::InvalidColumnType(..)
        | E::QueryReturnedNoRows
        | E::Utf8Error(..) => StoreErrorKind::Corrupt,
        _ => StoreErrorKind::Misconfigured,
    }
}
