//! Following a store's feed.

use std::collections::BTreeMap;

use super::Replica;
use super::fill::pages;
use crate::error::{StoreError, StoreErrorKind};
use crate::id::PlayerId;
use crate::record::{ChangeSet, Horizon};
use crate::store::{Feed, FeedEntry, Happened, Keeps, Lag, Scan};
use crate::time::Timestamp;

/// Entries read at once to catch up.
const PAGE_ENTRIES: usize = 1024;

/// Where a replica is in a feed.
#[derive(Debug, Default)]
pub(super) struct Followed {
    /// By partition.
    pub(super) cursors: Vec<u64>,
    /// Players of whom nothing but the mark of an erasure is left: they are gone once the horizon is past it.
    marks: BTreeMap<PlayerId, Mark>,
}

/// Of a player who was erased.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark {
    pub(super) through: Timestamp,
    /// Of the player's record. Whoever has another one by now began again.
    pub(super) version: u64,
}

impl Followed {
    pub(super) fn note_marks(&mut self, marks: impl IntoIterator<Item = (PlayerId, Mark)>) {
        self.marks.extend(marks);
    }

    fn cursor(&mut self, partition: u16) -> &mut u64 {
        let at = usize::from(partition);
        if at >= self.cursors.len() {
            self.cursors.resize(at + 1, 0);
        }
        &mut self.cursors[at]
    }

    /// Takes out those who are gone under a horizon.
    fn due(&mut self, horizon: Horizon) -> Vec<(PlayerId, u64)> {
        let mut due = Vec::new();
        self.marks.retain(|player, mark| {
            let is_due = mark.through < horizon.forgotten_before;
            if is_due {
                due.push((player.clone(), mark.version));
            }
            !is_due
        });
        due
    }
}

impl Replica {
    /// Begins to follow a store: reads all its records, and goes on from where its feed ends now.
    ///
    /// Errors: the store's.
    pub fn join<S: Scan + Feed + ?Sized>(&self, store: &S, keep: Keeps<'_>) -> Result<(), StoreError> {
        // Nobody follows from an old cursor meanwhile.
        let mut followed = self.followed.lock();
        let last: Result<Vec<_>, _> = (0..store.partitions()).map(|partition| store.last(partition)).collect();
        let last = last?;
        self.miss();
        // Who was erased, forgotten and is back since then has a lower version than is known here.
        let marks = self.rebuild_from(keep, true, pages(store))?;
        *followed = Followed { cursors: last, marks: marks.into_iter().collect() };
        self.shelf.close(None);
        Ok(())
    }

    /// Takes up to `limit` more entries of each partition.
    ///
    /// Errors: the feed's; after `feed_gap` news were missed, and [`Self::join`] begins anew.
    pub fn follow<F: Feed + ?Sized>(&self, feed: &F, limit: usize) -> Result<Lag, StoreError> {
        let mut followed = self.followed.lock();
        let mut behind = 0;
        for partition in 0..feed.partitions() {
            let last = feed.last(partition)?;
            self.follow_one(&mut followed, feed, partition, limit)?;
            behind += last.saturating_sub(*followed.cursor(partition));
        }
        Ok(Lag { behind, ..Lag::default() })
    }

    /// Takes everything that was in the feed when it is called.
    ///
    /// Errors: as [`Self::follow`].
    pub fn catch_up<F: Feed + ?Sized>(&self, feed: &F) -> Result<(), StoreError> {
        let mut followed = self.followed.lock();
        for partition in 0..feed.partitions() {
            let last = feed.last(partition)?;
            while *followed.cursor(partition) < last {
                if self.follow_one(&mut followed, feed, partition, PAGE_ENTRIES)? == 0 {
                    // A feed that has not what it says is its last.
                    return Err(StoreErrorKind::Misconfigured.into());
                }
            }
        }
        Ok(())
    }

    /// Through which entry of a partition was followed: what may be acknowledged.
    pub fn cursor(&self, partition: u16) -> u64 {
        self.followed.lock().cursors.get(usize::from(partition)).copied().unwrap_or_default()
    }

    fn follow_one<F: Feed + ?Sized>(
        &self,
        followed: &mut Followed,
        feed: &F,
        partition: u16,
        limit: usize,
    ) -> Result<usize, StoreError> {
        let entries = feed.feed(partition, *followed.cursor(partition), limit).inspect_err(|error| {
            if error.kind == StoreErrorKind::FeedGap {
                self.miss();
            }
        })?;
        let mut sets: Vec<&ChangeSet> = Vec::new();
        for FeedEntry { what, .. } in &entries {
            match what {
                Happened::Committed(set) => {
                    let known = followed.marks.remove(&set.player);
                    if let Some(mark) = known.filter(|_| set.expected == 0) {
                        // Gone since the mark was set: this is somebody who begins again.
                        self.committed(&std::mem::take(&mut sets));
                        self.forget([(set.player.clone(), mark.version)]);
                    }
                    let version = set.record.version;
                    followed.note_marks(set.idle_mark().map(|through| (set.player.clone(), Mark { through, version })));
                    sets.push(set);
                }
                Happened::Advanced(horizon) => {
                    self.advanced(*horizon);
                    self.committed(&std::mem::take(&mut sets));
                    self.forget(followed.due(*horizon));
                }
            }
        }
        self.committed(&sets);
        if let Some(last) = entries.last() {
            *followed.cursor(partition) = last.cursor;
        }
        Ok(entries.len())
    }
}
