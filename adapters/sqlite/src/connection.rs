//! Connections to the file and transactions over them.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use liveops_core::error::{StoreError, StoreErrorKind};
use parking_lot::Mutex;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::error::{Fault, misconfigured};
use crate::options::{Options, Sync};

/// How long a connection waits for a lock that another program holds, such as a shell in a transaction.
const BUSY: Duration = Duration::from_secs(2);
const STATEMENTS: usize = 64;
/// Page caches, in KiB.
const WRITER_CACHE: u32 = 64 * 1024;
const READER_CACHE: u32 = 8 * 1024;
/// Nothing goes into the log before it is committed: what is rolled back there looks like another's write.
pub(crate) const NO_SPILL: &str = "PRAGMA cache_spill=OFF;";
/// Readers that are kept open for the next ones.
const READERS: usize = 8;

/// A connection to a file that is there. SQLite's own text of a failure would name its path.
pub(crate) fn connect(path: &Path, more: OpenFlags) -> Result<Connection, Fault> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | more;
    let conn = Connection::open_with_flags(path, flags).map_err(|error| match error.sqlite_error_code() {
        Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied | ErrorCode::ReadOnly) => {
            Fault::Store(misconfigured("the file and its folder have to be writable"))
        }
        _ => Fault::Sqlite(error),
    })?;
    conn.busy_timeout(BUSY)?;
    conn.set_prepared_statement_cache_capacity(STATEMENTS);
    conn.execute_batch("PRAGMA temp_store=MEMORY; PRAGMA cell_size_check=ON; PRAGMA trusted_schema=OFF;")?;
    Ok(conn)
}

/// The connection that writes. The number counts the pages in the log.
pub(crate) fn writer(path: &Path, options: &Options) -> Result<(Connection, Arc<AtomicU32>), Fault> {
    let mut conn = connect(path, OpenFlags::empty())?;
    let sync = match options.sync {
        Sync::Full => "FULL",
        Sync::Normal => "NORMAL",
    };
    // The log is written back by us, so that it can be counted; it is cut to 64 MiB when it begins anew.
    conn.execute_batch(&format!(
        "PRAGMA synchronous={sync}; PRAGMA cache_size=-{WRITER_CACHE}; PRAGMA wal_autocheckpoint=0; {NO_SPILL} \
         PRAGMA journal_size_limit=67108864; PRAGMA secure_delete=FAST;"
    ))?;
    let pages = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&pages);
    conn.wal_hook(Some(move |_: &mut rusqlite::hooks::Wal, now| {
        counted.store(u32::try_from(now).unwrap_or(0), Ordering::Relaxed);
        Ok(())
    }))?;
    Ok((conn, pages))
}

/// SQLite's number of what other connections have written to the file.
pub(crate) fn data_version(conn: &Connection) -> Result<i64, rusqlite::Error> {
    conn.prepare_cached("PRAGMA data_version")?.query_row([], |row| row.get(0))
}

/// Connections that only read, beside the one that writes.
#[derive(Debug, Default)]
pub(crate) struct Readers(Mutex<Vec<Connection>>);

impl Readers {
    /// Reads at one moment.
    pub(crate) fn read<T>(&self, path: &Path, read: impl FnOnce(&Connection) -> Result<T, Fault>) -> Result<T, Fault> {
        let known = self.0.lock().pop();
        let conn = known.map_or_else(|| reader(path), Ok)?;
        let transaction = Transaction::read(&conn)?;
        let answer = read(&conn)?;
        transaction.end()?;
        let mut idle = self.0.lock();
        if idle.len() < READERS {
            idle.push(conn);
        }
        Ok(answer)
    }
}

/// Of a file that is open already: what is wrong now passes, such as too many open files.
pub(crate) fn at_runtime(fault: Fault) -> Fault {
    match fault {
        Fault::Store(error) if error.kind == StoreErrorKind::Misconfigured => {
            Fault::Store(StoreError { kind: StoreErrorKind::Unavailable, ..error })
        }
        fault => fault,
    }
}

fn reader(path: &Path) -> Result<Connection, Fault> {
    let conn = connect(path, OpenFlags::empty()).map_err(at_runtime)?;
    conn.execute_batch(&format!("PRAGMA cache_size=-{READER_CACHE}; PRAGMA query_only=ON;"))?;
    Ok(conn)
}

/// Whether the store may go on after what it saw.
#[derive(Debug, Default)]
pub(crate) struct Poison(AtomicBool);

impl Poison {
    /// Errors: `store_unavailable` once anything was seen.
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        if self.is_set() {
            let wanted = "the file has to be opened anew: a commit failed half-way, or somebody else wrote";
            return Err(StoreError::with_source(StoreErrorKind::Unavailable, wanted));
        }
        Ok(())
    }

    pub(crate) fn is_set(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    pub(crate) fn set(&self) {
        self.0.store(true, Ordering::Release);
    }
}

/// While it lives, a panic leaves poison: nobody knows what was told of what was written.
pub(crate) struct Armed<'p>(&'p Poison);

impl<'p> Armed<'p> {
    pub(crate) const fn new(poison: &'p Poison) -> Self {
        Self(poison)
    }

    pub(crate) fn disarm(self) {
        std::mem::forget(self);
    }
}

impl Drop for Armed<'_> {
    fn drop(&mut self) {
        self.0.set();
    }
}

/// A transaction that is rolled back unless it is ended.
#[derive(Debug)]
pub(crate) struct Transaction<'c>(&'c Connection);

impl<'c> Transaction<'c> {
    /// One that writes: it waits for whoever else does.
    pub(crate) fn write(conn: &'c Connection) -> Result<Self, rusqlite::Error> {
        Self::begin(conn, "BEGIN IMMEDIATE")
    }

    /// One that reads: everything at the moment of its first read.
    pub(crate) fn read(conn: &'c Connection) -> Result<Self, rusqlite::Error> {
        Self::begin(conn, "BEGIN")
    }

    fn begin(conn: &'c Connection, sql: &str) -> Result<Self, rusqlite::Error> {
        conn.prepare_cached(sql)?.execute([])?;
        Ok(Self(conn))
    }

    /// Ends one that read.
    pub(crate) fn end(self) -> Result<(), rusqlite::Error> {
        self.0.prepare_cached("COMMIT")?.execute([])?;
        Ok(())
    }

    /// Commits. Where SQLite cannot say whether the disk has it, nobody may go on: what was synced before and what was not can
    /// no longer be told apart by syncing again.
    pub(crate) fn commit(self, poison: &Poison) -> Result<(), StoreError> {
        self.end().map_err(|error| {
            let error = StoreError::from(Fault::from(error));
            let nothing_written = matches!(error.kind, StoreErrorKind::Full);
            if nothing_written {
                return error;
            }
            poison.set();
            StoreError { kind: StoreErrorKind::OutcomeUnknown, ..error }
        })
    }
}

impl Drop for Transaction<'_> {
    fn drop(&mut self) {
        if !self.0.is_autocommit() {
            // An error leaves a transaction open, which the next BEGIN reports.
            _ = self.0.prepare_cached("ROLLBACK").and_then(|mut rollback| rollback.execute([]));
        }
    }
}
