//! New files: made under another name, and whole before they have their own.
//!
//! So no crash leaves a file that is there and says nothing of its game, and no log of a file that was never synced.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use liveops_core::error::{StoreError, StoreErrorKind};
use rusqlite::OpenFlags;

use crate::connection::{Transaction, connect};
use crate::error::{Fault, misconfigured};
use crate::lock::beside;
use crate::meta;

/// "lops".
pub(crate) const APPLICATION: i32 = 0x6c6f_7073;
/// Of the schema.
pub(crate) const VERSION: i32 = 1;
const SCHEMA: &str = include_str!("schema.sql");

/// Makes the file of a game, which is not there, or empty. The lock is held.
pub(crate) fn create(path: &Path, game: &str) -> Result<(), StoreError> {
    let is_left = |suffix| fs::metadata(beside(path, suffix)).is_ok_and(|left| left.len() > 0);
    if is_left("-wal") || is_left("-journal") {
        return Err(misconfigured(
            "the log beside the place of the file has to be moved away, or its file brought back",
        ));
    }
    let new = beside(path, "-new");
    clear(&new)?;
    let made = write(&new, game).map_err(StoreError::from).and_then(|()| {
        // Nobody has the new file open: a sync of ours takes no lock of SQLite's away.
        File::options().write(true).open(&new).and_then(|file| file.sync_all()).map_err(io_error)?;
        fs::rename(&new, path).map_err(io_error)
    });
    if let Err(error) = made {
        _ = clear(&new);
        return Err(error);
    }
    sync_folder(path)
}

fn write(new: &Path, game: &str) -> Result<(), Fault> {
    let conn = connect(new, OpenFlags::SQLITE_OPEN_CREATE)?;
    conn.execute_batch("PRAGMA page_size=4096; PRAGMA journal_mode=MEMORY; PRAGMA synchronous=OFF;")?;
    let transaction = Transaction::write(&conn)?;
    conn.execute_batch(&format!("PRAGMA application_id={APPLICATION}; PRAGMA user_version={VERSION}; {SCHEMA}"))?;
    meta::set(&conn, meta::GAME, game.to_owned())?;
    transaction.end()?;
    let mode: String = conn.query_row("PRAGMA journal_mode=WAL", [], |row| row.get(0))?;
    if mode != "wal" {
        return Err(misconfigured("the file's place has to allow a write-ahead log").into());
    }
    conn.close().map_err(|(_, error)| Fault::from(error))
}

/// Removes what an attempt left that did not come to its end.
fn clear(new: &Path) -> Result<(), StoreError> {
    for suffix in ["", "-journal", "-wal", "-shm"] {
        match fs::remove_file(beside(new, suffix)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(io_error(error)),
            _ => {}
        }
    }
    Ok(())
}

/// Makes a file's name last. Windows has no such thing, and keeps names in its own log.
pub(crate) fn sync_folder(path: &Path) -> Result<(), StoreError> {
    #[cfg(unix)]
    if let Some(folder) = path.parent() {
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(io_error)?;
    }
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}

pub(crate) fn io_error(error: io::Error) -> StoreError {
    let kind = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => StoreErrorKind::Full,
        io::ErrorKind::NotFound
        | io::ErrorKind::PermissionDenied
        | io::ErrorKind::ReadOnlyFilesystem
        | io::ErrorKind::IsADirectory
        | io::ErrorKind::NotADirectory
        | io::ErrorKind::AlreadyExists => StoreErrorKind::Misconfigured,
        _ => StoreErrorKind::Unavailable,
    };
    StoreError::with_source(kind, error)
}
