//! Opening: the place, the lock, the file, what it is of, and its boards.

use std::fs::{self, File};
use std::hash::{BuildHasher as _, RandomState};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;
use std::sync::Arc;

use liveops_core::Replica;
use liveops_core::error::{StoreError, StoreErrorKind};
use liveops_core::record::Horizon;
use parking_lot::{Mutex, RwLock};
use rusqlite::Connection;
use rusqlite::types::Value;

use crate::connection::{self, Poison, Readers, Transaction};
use crate::create::{APPLICATION, VERSION, create, io_error};
use crate::error::{Fault, misconfigured};
use crate::expiry::Sweep;
use crate::feed::Entries;
use crate::group::Group;
use crate::options::Options;
use crate::status::Counts;
use crate::write::Writer;
use crate::{Inner, SqliteStore, lock, meta, place};

const REWRITTEN_AT_ONCE: usize = 1 << 20;

pub(crate) fn open(path: &Path, game: &str, options: &Options) -> Result<SqliteStore, StoreError> {
    let path = lock::canonical(path)?;
    place::check_file_system(&path, options.on_network)?;
    place::check_file(&path)?;
    let lock = lock::lock(&path, options.wait)?;
    // Before anything opens it: what is not ours is left as it is.
    if fs::metadata(&path).map_or(0, |file| file.len()) == 0 {
        create(&path, game)?;
    }
    let poison = Poison::default();
    let (writer, horizon) = writer(&path, game, options, &poison)?;
    let is_empty = writer.next_p == 1;
    let store = SqliteStore {
        inner: Arc::new(Inner {
            path,
            options: options.clone(),
            process: std::process::id(),
            poison,
            counts: Counts::default(),
            group: Group::default(),
            horizon: RwLock::new(horizon),
            boards: Replica::default(),
            readers: Readers::default(),
            writer: Mutex::new(writer),
            _lock: lock,
        }),
    };
    if !is_empty {
        store.inner.boards.rebuild(&store, &|_| true)?;
    }
    Ok(store)
}

/// The connection that writes, to a file that was found to be of this game.
fn writer(path: &Path, game: &str, options: &Options, poison: &Poison) -> Result<(Writer, Horizon), Fault> {
    let (conn, log_pages) = connection::writer(path, options)?;
    if conn.is_readonly("main")? {
        return Err(misconfigured("the file has to be writable").into());
    }
    check_schema(&conn)?;
    let mode: String = conn.query_row("PRAGMA journal_mode=WAL", [], |row| row.get(0))?;
    if mode != "wal" {
        return Err(misconfigured("the file's place has to allow a write-ahead log").into());
    }
    match meta::get(&conn, meta::GAME)? {
        Some(Value::Text(known)) if known == game => {}
        Some(Value::Text(_)) => return Err(misconfigured("the file has to be of the game that the rules name").into()),
        _ => return Err(StoreErrorKind::Corrupt.into()),
    }
    take_over_log(path, &conn)?;
    let horizon = meta::horizon(&conn)?;
    meta::header(&conn)?;
    let last_p: Option<i64> = conn.query_row("SELECT max(p) FROM player", [], |row| row.get(0))?;
    let next_p = last_p.unwrap_or(0) + 1;
    let mut feed = Entries::read(&conn)?;
    let transaction = Transaction::write(&conn)?;
    let is_fresh = next_p == 1 && horizon == Horizon::default() && feed.last == 0;
    feed.begin_copy(&conn)?;
    feed.set(&conn, options.feed, is_fresh)?;
    transaction.commit(poison)?;
    let somewhere = RandomState::new().hash_one(next_p).checked_rem(next_p.cast_unsigned()).unwrap_or(0);
    let sweep = Sweep::starting_at(somewhere.cast_signed());
    let data_version = connection::data_version(&conn)?;
    Ok((Writer { conn, next_p, feed, sweep, data_version, log_pages, log_tried: 0, seen: Vec::new() }, horizon))
}

/// Writes what a process before us left in the log back into the file.
///
/// It may be in the system's memory alone: a sync that failed is not made up for by one that works, because the system counts what
/// it could not write as written. So the log's bytes are written over themselves first, while nobody else can write, and are as any
/// others then: nothing that we shall write stands behind something that is not on the disk.
fn take_over_log(path: &Path, conn: &Connection) -> Result<(), Fault> {
    let alone = Transaction::write(conn)?;
    rewrite(&lock::beside(path, "-wal")).map_err(io_error)?;
    alone.end()?;
    // As far as others who read let it; what stays in the log is on the disk by now.
    conn.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))?;
    Ok(())
}

/// Writes a file's bytes over themselves, and syncs it.
fn rewrite(path: &Path) -> io::Result<()> {
    let mut file = match File::options().read(true).write(true).open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        file => file?,
    };
    let mut bytes = vec![0; REWRITTEN_AT_ONCE];
    let mut at = 0;
    loop {
        file.seek(SeekFrom::Start(at))?;
        let len = file.read(&mut bytes)?;
        if len == 0 {
            return if at > 0 { file.sync_all() } else { Ok(()) };
        }
        file.seek(SeekFrom::Start(at))?;
        file.write_all(&bytes[..len])?;
        at += len as u64;
    }
}

/// Whether the file is one of ours, and not of a later version. Before anything is written to it.
fn check_schema(conn: &Connection) -> Result<(), Fault> {
    let pragma = |sql: &str| conn.query_row(sql, [], |row| row.get::<_, i32>(0));
    let (application, version) = (pragma("PRAGMA application_id")?, pragma("PRAGMA user_version")?);
    if application != APPLICATION {
        return Err(misconfigured("the file has to be one that this store made").into());
    }
    match version {
        VERSION => Ok(()),
        _ if version > VERSION => Err(StoreErrorKind::TooNew.into()),
        _ => Err(StoreErrorKind::Corrupt.into()),
    }
}
