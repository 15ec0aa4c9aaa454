//! A store in one file. What it says it has written is there after `kill -9` and after a loss of power; opened again, it goes
//! on in the same state to the last bit.
//!
//! ```
//! use liveops_core::testing::{Clock, EventBuilder};
//! use liveops_core::{Engine, Rules};
//! use liveops_sqlite::SqliteStore;
//!
//! # let folder = std::env::temp_dir().join(format!("liveops-sqlite-doc-{}", std::process::id()));
//! # std::fs::create_dir_all(&folder)?;
//! # let path = folder.join("game.db");
//! let rules = Rules::from_json(r#"{ "version": 1, "game": "emberfall" }"#)?;
//! let now = Clock::at("2026-11-30T12:00:00Z").now();
//! let event = EventBuilder::progression("ana", 120, now).id("evt_1").body();
//!
//! let engine = Engine::open(rules.clone(), SqliteStore::open(&path, rules.game())?)?;
//! assert_eq!(engine.submit_ndjson(&event, now)[0].code(), "applied");
//! let digest = engine.digest()?;
//! drop(engine);
//!
//! let engine = Engine::open(rules.clone(), SqliteStore::open(&path, rules.game())?)?;
//! assert_eq!(engine.digest()?, digest);
//! assert_eq!(engine.submit_ndjson(&event, now)[0].code(), "replayed");
//! # drop(engine);
//! # std::fs::remove_dir_all(&folder)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What is promised
//!
//! * A commit that was answered is on the disk ([`Sync::Full`]): whole, or not at all. [`Options::normal`] leaves the syncing to
//!   the system; a loss of power may then take the last commits, never a part of one.
//! * One process has the file, once: whoever comes second is told `store_in_use`, or [waits](Options::wait).
//! * Every stored record has check bytes over itself and over what names it. A bit that the disk changed is `store_corrupt`, and
//!   fails its own player alone; [`SqliteStore::verify`] looks at all of them. A player's own record that is damaged refuses the next
//!   opening, because boards without that player would be wrong: the error's source names the row; a backup, or a snapshot, leads back.
//! * After a sync that failed nothing is written any more: what did not get through is `store_outcome_unknown`, everything later
//!   `store_unavailable`, until the file is opened anew.
//! * A process that was forked is told `forked`, and leaves the file to the one before it. As long as such a child lives it keeps the
//!   file's lock, whether it knows or not.
//! * What expired is absent at once; its rows are freed as commits go on, and by [`SqliteStore::sweep`]. What was removed is
//!   overwritten in pages that are still used (`secure_delete=FAST`); entries of the feed that nobody acknowledged, the log until it is
//!   written back, and backups still have it.
//!
//! # With other programs
//!
//! The views `progress`, `receipts`, `suspicions` and `standings` are for the `sqlite3` tool, while the store is open too. Reading does no
//! harm; after a foreign write the store takes nothing more until it is opened anew. **Never open the file in the same process by
//! another SQLite library** (Python's `sqlite3`, `node:sqlite`): closing it drops the locks of all. [`SqliteStore::backup`] makes a copy; copying the
//! file beside its log does not.
#![forbid(unsafe_code)]

mod backup;
mod boards;
mod columns;
mod connection;
mod create;
mod error;
mod expiry;
mod feed;
mod group;
mod lock;
mod meta;
mod open;
mod options;
mod place;
mod proof;
mod read;
mod rows;
mod status;
mod store;
#[cfg(test)]
mod tests;
mod verify;
mod whole;
mod write;

use std::fmt;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use liveops_core::Replica;
use liveops_core::error::{StoreError, StoreErrorKind};
use liveops_core::record::{ChangeSet, CommitOutcome, Horizon};
use parking_lot::{Mutex, RwLock};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode};

use crate::connection::{Poison, Readers, Transaction};
use crate::error::Fault;
pub use crate::expiry::Swept;
use crate::group::Group;
pub use crate::options::{Options, Sync};
use crate::status::Counts;
pub use crate::status::Status;
use crate::write::Writer;

/// A durable store in one file.
///
/// Blocking: a commit waits for the disk. Threads that commit at the same time share a sync, so use many.
pub struct SqliteStore {
    inner: Arc<Inner>,
}

/// Locks, in the order they are taken: the queue of those who commit, the writer, the horizon, and those of the boards.
struct Inner {
    path: PathBuf,
    options: Options,
    /// The process that opened it.
    process: u32,
    poison: Poison,
    counts: Counts,
    group: Group<ChangeSet, CommitOutcome>,
    horizon: RwLock<Horizon>,
    boards: Replica,
    /// Closed before the writer's connection, which then writes the log back.
    readers: Readers,
    writer: Mutex<Writer>,
    /// Let go last.
    _lock: File,
}

impl SqliteStore {
    /// Opens the file of a game, or makes it: [`Options::open`] with nothing set.
    pub fn open(path: impl AsRef<Path>, game: &str) -> Result<Self, StoreError> {
        Self::options().open(path, game)
    }

    /// How else to open it.
    pub fn options() -> Options {
        Options::default()
    }

    /// Whether the store may be used: by the process that opened it, and after nothing that it cannot make out.
    fn guard(&self) -> Result<(), StoreError> {
        if self.is_forked() {
            return Err(StoreErrorKind::Forked.into());
        }
        self.inner.poison.check()
    }

    fn is_forked(&self) -> bool {
        self.inner.process != std::process::id()
    }

    /// Reads at one moment, beside whoever writes.
    fn reading<T>(&self, read: impl FnOnce(&Connection) -> Result<T, Fault>) -> Result<T, StoreError> {
        self.guard()?;
        Ok(self.inner.readers.read(&self.inner.path, read)?)
    }

    /// A transaction that writes, after a look at whether anybody else did.
    fn begin<'w>(&self, writer: &'w Writer) -> Result<Transaction<'w>, Fault> {
        self.guard()?;
        let transaction = Transaction::write(&writer.conn)?;
        if connection::data_version(&writer.conn)? != writer.data_version {
            self.inner.poison.set();
        }
        self.inner.poison.check()?;
        Ok(transaction)
    }

    /// Writes the log back into the file once it is long. A failure loses nothing: the log stays, and grows until it is tried again.
    ///
    /// Those who read may keep some of it in the log; then it is tried again once as much has been added. After a sync that failed
    /// nobody knows what the disk has, here as in a commit.
    fn write_log_back(&self, writer: &mut Writer) {
        let pages = writer.log_pages.load(Ordering::Relaxed);
        if pages < writer.log_tried {
            writer.log_tried = 0;
        }
        if pages < writer.log_tried.saturating_add(self.inner.options.checkpoint_pages) {
            return;
        }
        writer.log_tried = pages;
        let done = writer.conn.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| row.get::<_, i64>(0));
        self.inner.counts.checkpointed(done.is_ok());
        let is_doubtful = |error: rusqlite::Error| {
            matches!(error.sqlite_error_code(), Some(ErrorCode::SystemIoFailure | ErrorCode::DatabaseCorrupt))
        };
        if done.is_err_and(is_doubtful) {
            self.inner.poison.set();
        }
    }
}

/// In a forked child the connections are not closed: closing them would write to the parent's file. After a sync that failed they are
/// closed without writing the log back: whoever opens the file next writes it anew before.
impl Drop for SqliteStore {
    fn drop(&mut self) {
        if self.is_forked() {
            std::mem::forget(Arc::clone(&self.inner));
        } else if self.inner.poison.is_set() {
            // It fails for unknown settings alone.
            _ = self.inner.writer.lock().conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true);
        }
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore").field("options", &self.inner.options).finish_non_exhaustive()
    }
}
