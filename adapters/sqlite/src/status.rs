//! How the file and the store are.

use std::fs;
use std::sync::atomic::{AtomicU64, Ordering};

use liveops_core::error::{StoreError, StoreErrorKind};

use crate::SqliteStore;
use crate::lock::beside;
use crate::options::Sync;

/// How the file and the store are. Counts are of this opening.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Status {
    /// "full" or "normal".
    pub sync: &'static str,
    /// The file, without its log.
    pub file_bytes: u64,
    /// The log beside it; it is cut to 64 MiB once it was written back.
    pub log_bytes: u64,
    /// Pages that the log had after the last commit; it begins anew once all were written back.
    pub log_pages: u64,
    /// Transactions that wrote change sets.
    pub rounds: u64,
    /// Change sets written: more than rounds where callers shared syncs.
    pub change_sets: u64,
    /// How often the log was written back.
    pub checkpoints: u64,
    /// How often that failed.
    pub checkpoints_failed: u64,
    /// Entries of the feed that are kept.
    pub feed: u64,
    /// How many change sets it may hold; `None` without a feed.
    pub feed_len_max: Option<u64>,
    /// Whether there may be expired rows to free.
    pub sweep_pending: bool,
    /// Whether the sweep met something that cannot be read: see [`SqliteStore::verify`].
    pub sweep_stopped: bool,
    /// Whether the store takes nothing more until the file is opened anew.
    pub unavailable: bool,
}

/// What is counted.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    rounds: AtomicU64,
    change_sets: AtomicU64,
    checkpoints: AtomicU64,
    checkpoints_failed: AtomicU64,
}

impl Counts {
    pub(crate) fn committed(&self, change_sets: usize) {
        self.rounds.fetch_add(1, Ordering::Relaxed);
        self.change_sets.fetch_add(change_sets as u64, Ordering::Relaxed);
    }

    pub(crate) fn checkpointed(&self, done: bool) {
        let count = if done { &self.checkpoints } else { &self.checkpoints_failed };
        count.fetch_add(1, Ordering::Relaxed);
    }
}

impl SqliteStore {
    /// How the file and the store are, also where the store takes nothing more; waits for a commit that is under way.
    ///
    /// Errors: `forked`.
    pub fn status(&self) -> Result<Status, StoreError> {
        if self.is_forked() {
            return Err(StoreErrorKind::Forked.into());
        }
        let writer = self.inner.writer.lock();
        let counts = &self.inner.counts;
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let bytes = |suffix| fs::metadata(beside(&self.inner.path, suffix)).map_or(0, |file| file.len());
        Ok(Status {
            sync: match self.inner.options.sync {
                Sync::Full => "full",
                Sync::Normal => "normal",
            },
            file_bytes: bytes(""),
            log_bytes: bytes("-wal"),
            log_pages: writer.log_pages.load(Ordering::Relaxed).into(),
            rounds: read(&counts.rounds),
            change_sets: read(&counts.change_sets),
            checkpoints: read(&counts.checkpoints),
            checkpoints_failed: read(&counts.checkpoints_failed),
            feed: writer.feed.len(),
            feed_len_max: writer.feed.len_max,
            sweep_stopped: writer.sweep.is_stopped,
            unavailable: self.inner.poison.is_set(),
            sweep_pending: writer.sweep.is_pending(*self.inner.horizon.read()),
        })
    }
}
