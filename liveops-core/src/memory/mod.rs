//! The reference store: in memory, and what other stores are compared with.
//!
//! Locks, in the order they are taken: a gate, the names in order, one player's entry, the feed, and those of the boards
//! ([`crate::replica`]). A call that loads, scans or commits shares one of 64 gates while it lasts; digest, snapshot and advance
//! take all gates, in order, and so hold everybody else up. There is no counter that every writer would touch. A reader of a board
//! may see a player's record a moment before the board.

mod backlog;
mod names;
mod scan;
mod slot;
mod whole;

use std::hash::RandomState;

use dashmap::DashMap;
use dashmap::mapref::entry::Entry;
use parking_lot::{Mutex, RwLock, RwLockReadGuard, RwLockWriteGuard};

use self::backlog::Backlog;
use self::names::Names;
use self::slot::Slot;
use crate::board::Row;
use crate::error::{StoreError, StoreErrorKind};
use crate::id::PlayerId;
use crate::limits::ROUND_PLAYERS_MAX;
use crate::plan::Plan;
use crate::record::{BoardKey, ChangeSet, CommitOutcome, Header, Horizon, Key, Record};
use crate::replica::{News, Replica, Told};
use crate::store::{
    BoardAnswer, BoardRead, Boards, Consumer, ConsumerMark, Feed, FeedEntry, Keeps, Lag, Loaded, Store,
    by_load_and_commit,
};

const GATES: usize = 64;

/// Keeps everything in memory.
///
/// ```
/// use liveops_core::MemoryStore;
///
/// let store = MemoryStore::new();
/// let copy = MemoryStore::restore(&store.snapshot())?;
/// assert_eq!(copy.digest(), store.digest());
/// # Ok::<(), liveops_core::error::StoreError>(())
/// ```
#[derive(Debug)]
pub struct MemoryStore {
    gates: Box<[Gate]>,
    players: DashMap<PlayerId, Slot>,
    /// Everybody in `players`.
    names: Names,
    /// Everybody who ever had a suspicion, as long as the player is there.
    suspects: Names,
    header: Mutex<Header>,
    feed: Backlog,
    boards: Replica,
    /// Of the maps of outcomes.
    hash_key: RandomState,
}

/// Alone on its cache line. Every gate holds the same horizon.
#[derive(Debug, Default)]
#[repr(align(64))]
struct Gate(RwLock<Horizon>);

impl Default for MemoryStore {
    fn default() -> Self {
        let boards = Replica::default();
        boards.begin_empty();
        Self {
            gates: (0..GATES).map(|_| Gate::default()).collect(),
            players: DashMap::new(),
            names: Names::default(),
            suspects: Names::default(),
            header: Mutex::default(),
            feed: Backlog::default(),
            boards,
            hash_key: RandomState::new(),
        }
    }
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty store that keeps up to `len_max` committed change sets for [`Feed::feed`]. When that many wait to be
    /// acknowledged, commits are refused with `feed_full`.
    pub fn with_feed(len_max: usize) -> Self {
        Self { feed: Backlog::new(len_max), ..Self::default() }
    }

    /// Any spread will do: calls that share a gate wait for each other only while it is closed.
    fn gate(&self, first: Option<&PlayerId>) -> RwLockReadGuard<'_, Horizon> {
        let bytes = first.map_or(&[][..], PlayerId::as_bytes);
        let spread = bytes.iter().fold(0_usize, |sum, byte| sum.wrapping_mul(31).wrapping_add((*byte).into()));
        self.gates[spread % GATES].0.read()
    }

    /// Waits for everybody who reads or writes records, and holds them up.
    fn close(&self) -> Vec<RwLockWriteGuard<'_, Horizon>> {
        self.gates.iter().map(|gate| gate.0.write()).collect()
    }

    fn apply(&self, changes: ChangeSet, horizon: Horizon, news: &mut News, scratch: &mut Vec<u8>) -> CommitOutcome {
        let entry = self.players.entry(changes.player.clone());
        let (version, is_new) = match &entry {
            Entry::Occupied(slot) => (slot.get().version(horizon), false),
            Entry::Vacant(_) => (0, true),
        };
        if !changes.fits(version, horizon) {
            return CommitOutcome::Conflict;
        }
        if let Err(full) = self.feed.commit(&changes) {
            return CommitOutcome::Failed(full.into());
        }
        let mut slot = entry.or_default();
        if is_new {
            self.names.add(&changes.player);
        }
        if !changes.suspicions.is_empty() && !slot.has_suspicions() {
            self.suspects.add(&changes.player);
        }
        if !changes.shown.is_empty() {
            slot.handle = slot.handle.or_else(|| self.boards.handle(&changes.player));
            // Nobody has 2^32 players in memory.
            if let Some(handle) = slot.handle {
                slot.told += 1;
                self.boards.note(news, handle, slot.told - 1, slot.told, &changes.shown);
            }
        }
        slot.write(changes, horizon, scratch, &self.hash_key);
        CommitOutcome::Applied
    }

    /// Tells the boards all of a player.
    fn tell(&self, player: &PlayerId) {
        let known = self.players.get(player).map(|slot| (slot.told, slot.shown().to_vec()));
        if let Some((told, shown)) = known {
            self.boards.tell_one(player, told, &shown);
        }
    }
}

impl Store for MemoryStore {
    fn load(&self, keys: &[Key]) -> Vec<Loaded> {
        let horizon = self.gate(keys.iter().find_map(Key::player));
        let mut answers = Vec::with_capacity(keys.len());
        // Neighbouring keys of one player are read under one lock, at one moment.
        for keys in keys.chunk_by(|a, b| a.player() == b.player()) {
            let Some(player) = keys[0].player() else {
                answers.extend(keys.iter().map(|_| Ok(Some(Record::Horizon(*horizon)))));
                continue;
            };
            let slot = self.players.get(player);
            answers.extend(keys.iter().map(|key| match &slot {
                Some(slot) => Ok(slot.get(key, *horizon, &self.hash_key)?),
                None => Ok(None),
            }));
        }
        answers
    }

    fn commit(&self, batch: Vec<ChangeSet>) -> Vec<CommitOutcome> {
        let horizon = self.gate(batch.first().map(|changes| &changes.player));
        let (mut news, mut scratch) = (News::default(), Vec::with_capacity(128));
        let outcomes =
            batch.into_iter().map(|changes| self.apply(changes, *horizon, &mut news, &mut scratch)).collect();
        // While the gate is shared: nobody may forget a player in between.
        for behind in self.boards.tell_news(news) {
            self.tell(&behind);
        }
        outcomes
    }

    fn drive(&self, plan: &mut Plan<'_>) {
        by_load_and_commit(self, plan);
    }

    fn round_players(&self) -> usize {
        ROUND_PLAYERS_MAX
    }

    fn advance(&self, to: Horizon) -> Result<Horizon, StoreError> {
        let mut closed = self.close();
        let before = *closed[0];
        let horizon = before.max(to);
        for gate in &mut closed {
            **gate = horizon;
        }
        let (mut gone, mut told) = (Vec::new(), Vec::new());
        self.players.retain(|player, slot| {
            let stays = slot.expire(horizon);
            if !stays {
                gone.push(player.clone());
                if slot.told > 0 {
                    told.push(Told::Gone { player: player.clone() });
                }
            }
            stays
        });
        self.names.remove(&gone);
        self.suspects.remove(&gone);
        self.boards.tell(told);
        self.boards.advanced(horizon);
        if horizon != before {
            // With all gates closed, so its place among commits is exact.
            self.feed.advance(horizon);
        }
        Ok(horizon)
    }

    fn header(&self) -> Result<Header, StoreError> {
        Ok(self.header.lock().clone())
    }

    fn replace_header(&self, expected: &Header, new: &Header) -> Result<bool, StoreError> {
        let mut header = self.header.lock();
        let fits = *header == *expected;
        if fits {
            header.clone_from(new);
        }
        Ok(fits)
    }
}

impl Boards for MemoryStore {
    fn read(&self, reads: &[BoardRead]) -> Vec<Result<BoardAnswer, StoreError>> {
        self.boards.read(reads)
    }

    fn retain(&self, keep: Keeps<'_>) -> Result<(), StoreError> {
        self.boards.retain(keep);
        Ok(())
    }

    fn rebuild(&self, keep: Keeps<'_>) -> Result<(), StoreError> {
        self.boards.rebuild_by(keep, self.entries())
    }

    fn catch_up(&self) -> Result<(), StoreError> {
        // Who commits tells the boards before letting go of a gate.
        self.gates.iter().for_each(|gate| drop(gate.0.write()));
        Ok(())
    }

    fn horizon(&self) -> Horizon {
        self.boards.horizon()
    }

    fn lag(&self) -> Result<Lag, StoreError> {
        Ok(Lag::default())
    }

    fn note_final(&self, _: &BoardKey, _: &[Row]) -> Result<(), StoreError> {
        Ok(())
    }
}

/// Empty unless made by [`MemoryStore::with_feed`].
impl Feed for MemoryStore {
    fn feed(&self, partition: u16, after: u64, limit: usize) -> Result<Vec<FeedEntry>, StoreError> {
        only(partition)?;
        self.feed.read(after, limit)
    }

    fn last(&self, partition: u16) -> Result<u64, StoreError> {
        only(partition)?;
        Ok(self.feed.last())
    }

    fn ack(&self, consumer: &Consumer, partition: u16, through: u64) -> Result<(), StoreError> {
        only(partition)?;
        self.feed.ack(consumer, through)
    }

    fn drop_consumer(&self, consumer: &Consumer) -> Result<(), StoreError> {
        self.feed.drop_consumer(consumer);
        Ok(())
    }

    fn consumers(&self) -> Result<Vec<ConsumerMark>, StoreError> {
        Ok(self.feed.consumers())
    }
}

/// There is one partition.
fn only(partition: u16) -> Result<(), StoreError> {
    if partition == 0 { Ok(()) } else { Err(StoreErrorKind::Misconfigured.into()) }
}

#[cfg(test)]
mod tests;
