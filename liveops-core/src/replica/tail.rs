//! Following a far store by the end of its outbox.
//!
//! Who follows has a turn and asks the store without any lock. What it answers is told in one go. A partition of which entries were
//! missed is read anew, alone, by a cursor from before the reading: what was told meanwhile, of one's own or by the outbox, is older
//! or newer than what was read, and the outbox ends with the newest either way.

use super::Replica;
use super::fill::{Entry, Fill, PAGE_PLAYERS};
use crate::error::{StoreError, StoreErrorKind};
use crate::record::{ChangeSet, Kind, Notice};
use crate::store::{AsyncTail, Keeps};

/// Entries of a partition that are asked for at once to catch up.
const PAGE_ENTRIES: usize = 1024;
/// How often news may be missed again while they are read anew, before the caller is told.
const MISSES_MAX: usize = 8;

/// Where a replica is in a store's outbox.
#[derive(Debug, Default)]
pub(super) struct Tailed {
    /// By partition; empty before anything was read.
    cursors: Vec<u64>,
    /// By partition: why it is not followed.
    faults: Vec<Option<StoreErrorKind>>,
    /// Whether all records were read, and everything that was written meanwhile was followed.
    is_joined: bool,
}

/// What following by a page found.
struct Step {
    taken: usize,
    /// Partitions that were read anew.
    missed: Vec<u16>,
}

impl Replica {
    /// Begins to follow a store: reads all its records, and everything that was written meanwhile. Reads are answered from then on, but
    /// boards that are not to be kept stay freed.
    ///
    /// Errors: the store's. A record or an entry that cannot be read is what reads answer from then on.
    pub async fn join_tail<T: AsyncTail + ?Sized>(&self, store: &T, keep: Keeps<'_>) -> Result<(), StoreError> {
        let _turn = self.follows.wait().await;
        self.join_in_turn(store, Some(keep)).await
    }

    /// Takes up to `limit` more entries of each partition; how many there were. Joins first, if need be.
    ///
    /// Errors: the store's. Partitions that could be asked are followed all the same.
    pub async fn follow_tail<T: AsyncTail + ?Sized>(&self, store: &T, limit: usize) -> Result<usize, StoreError> {
        let _turn = self.follows.wait().await;
        if !self.is_joined() {
            self.join_in_turn(store, None).await?;
        }
        Ok(self.follow_in_turn(store, limit).await?.taken)
    }

    /// Takes everything that was committed before the call. Joins first, if need be.
    ///
    /// Errors: the store's.
    pub async fn catch_up_tail<T: AsyncTail + ?Sized>(&self, store: &T) -> Result<(), StoreError> {
        let _turn = self.follows.wait().await;
        if !self.is_joined() {
            self.join_in_turn(store, None).await?;
        }
        let ends = store.ends().await?;
        self.reach(store, ends).await
    }

    /// Brings back what was freed and is kept again, as [`Self::rebuild`]. Others follow meanwhile. Joins first, if need be.
    ///
    /// Errors: the store's.
    pub async fn rebuild_tail<T: AsyncTail + ?Sized>(&self, store: &T, keep: Keeps<'_>) -> Result<(), StoreError> {
        if !self.is_joined() {
            let _turn = self.follows.wait().await;
            if !self.is_joined() {
                self.join_in_turn(store, Some(keep)).await?;
            }
        }
        let _alone = self.fills.wait().await;
        if !self.shelf.bring_back(keep) {
            return Ok(());
        }
        let mut fill = Fill::begin(self, keep, false);
        for partition in 0..store.partitions() {
            read_players(store, partition, &mut fill).await?;
        }
        fill.finish();
        Ok(())
    }

    /// Tells of what this process committed itself, which need not wait for the outbox; whether all of it is on the boards. What may
    /// be of another life of its player than what is known is left to the outbox, which has the order: whoever needs to see it
    /// [catches up](Self::catch_up_tail).
    pub fn committed_here(&self, sets: &[&ChangeSet]) -> bool {
        let mut are_shown = true;
        for set in sets {
            // In full: what was followed so far may be of somebody who had the name before.
            let shown = set.record.shown_anywhere();
            // Who was forgotten since may be somebody else by now.
            let is_late = set.forgotten_before < self.horizon().forgotten_before;
            are_shown &= !is_late && self.tell_one(&set.player, set.record.version, &shown);
        }
        are_shown
    }

    /// By partition, through where was followed.
    pub fn cursors(&self) -> Vec<u64> {
        self.tailed.lock().cursors.clone()
    }

    /// Whether it [joined](Self::join_tail) a store.
    pub fn is_joined(&self) -> bool {
        self.tailed.lock().is_joined
    }

    async fn join_in_turn<T: AsyncTail + ?Sized>(&self, store: &T, keep: Option<Keeps<'_>>) -> Result<(), StoreError> {
        let partitions: Vec<u16> = (0..store.partitions()).collect();
        {
            let mut tailed = self.tailed.lock();
            tailed.cursors = vec![0; partitions.len()];
            tailed.faults = vec![None; partitions.len()];
            tailed.is_joined = false;
        }
        let mut joined = self.read_anew(store, &partitions, keep).await;
        if joined.is_ok() {
            // What was written while it read. It waits for nobody's transaction: that of an hour ago may go on for another.
            joined = match store.begins().await {
                Ok(begins) => self.reach(store, begins).await,
                Err(error) => Err(error),
            };
        }
        self.tailed.lock().is_joined = joined.is_ok();
        self.open_or_close();
        joined
    }

    /// Reads all that is in some partitions, by whoever has the turn to follow. What was freed stays freed, unless `keep` says which
    /// boards are kept.
    async fn read_anew<T: AsyncTail + ?Sized>(
        &self,
        store: &T,
        partitions: &[u16],
        keep: Option<Keeps<'_>>,
    ) -> Result<(), StoreError> {
        let begins = whole(store.begins().await?, store)?;
        // What told of it may be among what is missed.
        self.advanced(store.advanced_to().await?);
        let read = async {
            let _alone = self.fills.wait().await;
            if let Some(keep) = keep {
                self.shelf.bring_back(keep);
            }
            // Of what was freed no board is made.
            let mut fill = Fill::begin(self, keep.unwrap_or(&|_| true), true);
            for partition in partitions {
                read_players(store, *partition, &mut fill).await?;
            }
            if partitions.len() == usize::from(store.partitions()) {
                fill.finish();
            } else {
                fill.finish_some(|player| partitions.contains(&store.partition_of(player)));
            }
            Ok(())
        };
        let read: Result<(), StoreError> = read.await;
        let fault = read.as_ref().err().and_then(lasting);
        let mut tailed = self.tailed.lock();
        for partition in partitions.iter().map(|partition| usize::from(*partition)) {
            if read.is_ok() {
                tailed.cursors[partition] = begins[partition];
            }
            tailed.faults[partition] = fault;
        }
        drop(tailed);
        self.open_or_close();
        read
    }

    /// Follows through these cursors, or those of a reading that took the place of what was missed.
    async fn reach<T: AsyncTail + ?Sized>(&self, store: &T, ends: Vec<u64>) -> Result<(), StoreError> {
        let mut ends = whole(ends, store)?;
        let mut misses = 0;
        loop {
            let before = self.cursors();
            // Also where nothing seems to follow: a store that lost its last moments gives their cursors out again, and says so when it
            // is asked what follows one.
            for missed in self.follow_in_turn(store, PAGE_ENTRIES).await?.missed {
                // All that was committed before was read. What was to be reached may be lost.
                ends[usize::from(missed)] = 0;
            }
            let after = self.cursors();
            if after.iter().zip(&ends).all(|(cursor, end)| cursor >= end) {
                return Ok(());
            }
            misses += usize::from(after == before);
            if misses == MISSES_MAX {
                // An outbox that has not what it says is its end.
                return Err(StoreErrorKind::Unavailable.into());
            }
        }
    }

    async fn follow_in_turn<T: AsyncTail + ?Sized>(&self, store: &T, limit: usize) -> Result<Step, StoreError> {
        let cursors = self.cursors();
        let pages = whole(store.tail(&cursors, limit).await, store)?;
        let (mut taken, mut missed, mut failed) = (0, Vec::new(), None);
        for (partition, page) in (0_u16..).zip(pages) {
            let at = usize::from(partition);
            match page {
                Ok(page) => {
                    taken += page.entries.len();
                    self.take(&page.entries);
                    let last = page.entries.last().map_or(0, |(cursor, _)| *cursor);
                    let mut tailed = self.tailed.lock();
                    tailed.cursors[at] = page.through.max(last).max(cursors[at]);
                    tailed.faults[at] = None;
                }
                Err(error) if error.kind == StoreErrorKind::FeedGap => missed.push(partition),
                Err(error) => {
                    if let Some(fault) = lasting(&error) {
                        self.tailed.lock().faults[at] = Some(fault);
                    }
                    failed = failed.or(Some(error));
                }
            }
        }
        self.open_or_close();
        if !missed.is_empty() {
            self.read_anew(store, &missed, None).await?;
            taken += missed.len();
        }
        failed.map_or(Ok(Step { taken, missed }), Err)
    }

    /// Tells of entries of one partition, in order.
    fn take(&self, entries: &[(u64, Notice)]) {
        let mut left = entries;
        while let Some((_, first)) = left.first() {
            let is_like = |(_, notice): &(u64, Notice)| std::mem::discriminant(notice) == std::mem::discriminant(first);
            let (some, rest) = left.split_at(left.iter().take_while(|entry| is_like(entry)).count());
            self.tell(
                some.iter().filter_map(|(_, notice)| if let Notice::Told(told) = notice { Some(told) } else { None }),
            );
            let sets = some
                .iter()
                .filter_map(|(_, notice)| if let Notice::Committed(set) = notice { Some(&**set) } else { None });
            self.committed(&sets.collect::<Vec<_>>());
            for (_, notice) in some {
                if let Notice::Advanced(horizon) = notice {
                    self.advanced(*horizon);
                }
            }
            left = rest;
        }
    }

    /// Answers reads, or says why not.
    fn open_or_close(&self) {
        let reason = {
            let tailed = self.tailed.lock();
            let fault = tailed.faults.iter().find_map(|fault| *fault);
            fault.or((!tailed.is_joined).then_some(StoreErrorKind::Unavailable))
        };
        if self.shelf.closed() != reason {
            self.shelf.close(reason);
        }
    }
}

/// Gathers the players of a partition.
async fn read_players<T: AsyncTail + ?Sized>(
    store: &T,
    partition: u16,
    fill: &mut Fill<'_, '_>,
) -> Result<(), StoreError> {
    let (mut after, mut entries) = (None, Vec::with_capacity(PAGE_PLAYERS));
    loop {
        let page = store.scan(partition, Some(Kind::Player), after.as_ref(), PAGE_PLAYERS).await?;
        let Some((last, _)) = page.last() else { return Ok(()) };
        after = Some(last.clone());
        entries.extend(page.into_iter().filter_map(Entry::of));
        fill.take(&mut entries);
    }
}

/// One answer for each partition.
fn whole<V, T: AsyncTail + ?Sized>(answers: Vec<V>, store: &T) -> Result<Vec<V>, StoreError> {
    let is_whole = answers.len() == usize::from(store.partitions());
    if is_whole { Ok(answers) } else { Err(StoreErrorKind::Misconfigured.into()) }
}

/// What stays wrong however often it is tried.
const fn lasting(error: &StoreError) -> Option<StoreErrorKind> {
    match error.kind {
        kind @ (StoreErrorKind::TooNew | StoreErrorKind::Corrupt) => Some(kind),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
