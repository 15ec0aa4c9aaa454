//! The reference store: in memory, and what other stores are compared with.
//!
//! Players are in 64 shards by a hash of theirs, each behind a lock on cache lines of its own, which also holds the horizon. A run is
//! decided and written with its player's shard held, and nobody else's. Whoever moves the store in time, or fixes a `moment`
//! to read it as of, takes all shards in order, and has them no longer than that takes. Boards are told of some hundred players
//! together, after their shards were let go: a reader of a board may see a player's record a moment before the board. There is no
//! counter that every writer would touch.
//!
//! Locks, in the order they are taken: a gate of those who tell the boards, a shard (all of them in order), the header or the feed, those
//! of single players and boards ([`crate::replica`]).
//!
//! | | |
//! |---|---|
//! | `shard` | players by name, their slots, names in order |
//! | `table` | finds a number by a hash; grows by a cache line |
//! | `log` | first outcomes, one behind the other, given back by the segment |
//! | `moment` | the store as it was, for snapshots and digests, while others write |
//! | `drive` | deciding where the records lie |
//! | `advance` | moving in time |

#![expect(
    clippy::cast_possible_truncation,
    reason = "a shard has fewer than 2^32 players; places in memory fit a usize, and parts of a hash are meant to be cut off"
)]

mod advance;
mod backlog;
mod drive;
mod log;
mod moment;
mod names;
mod neighbours;
mod scan;
mod shard;
mod slot;
mod table;
mod whole;

use std::sync::atomic::AtomicU64;

use parking_lot::{Mutex, MutexGuard, RwLock, RwLockWriteGuard};

use self::backlog::Backlog;
use self::drive::Work;
use self::shard::{Keys, SHARD_BITS, Shard};
use crate::board::Row;
use crate::error::{StoreError, StoreErrorKind};
use crate::id::PlayerId;
use crate::limits::ROUND_PLAYERS_MAX;
use crate::plan::Plan;
use crate::record::{BoardKey, ChangeSet, CommitOutcome, Header, Horizon, Key, Record};
use crate::replica::{News, Replica, Telling};
use crate::store::{
    BoardAnswer, BoardRead, Boards, Consumer, ConsumerMark, Feed, FeedEntry, Keeps, Lag, Loaded, Store, hash_key,
};

/// Drivers at once whose memory is kept.
const WORKS: usize = 16;

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
    shards: Box<[Locked]>,
    keys: Keys,
    /// Memory for whoever comes by it.
    works: Box<[Spare]>,
    header: Mutex<Header>,
    feed: Backlog,
    boards: Replica,
    /// That were ever read as of.
    moments: AtomicU64,
}

/// On cache lines of its own: processors fetch two at a time.
#[derive(Debug)]
#[repr(align(128))]
struct Locked(RwLock<Shard>);

/// Alone on its cache lines.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Spare(Mutex<Option<Box<Work>>>);

impl Default for MemoryStore {
    fn default() -> Self {
        let boards = Replica::default();
        boards.begin_empty();
        let keys = Keys(*hash_key());
        let shard = || Locked(RwLock::new(Shard::new(keys)));
        Self {
            shards: (0..1 << SHARD_BITS).map(|_| shard()).collect(),
            keys,
            works: (0..WORKS).map(|_| Spare::default()).collect(),
            header: Mutex::default(),
            feed: Backlog::default(),
            boards,
            moments: AtomicU64::new(0),
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

    /// Any spread will do: who finds a place taken makes memory of its own.
    fn work_of(&self, hash: u64) -> Option<MutexGuard<'_, Option<Box<Work>>>> {
        self.works[hash as usize % WORKS].0.try_lock()
    }

    fn shard_of(&self, player: &PlayerId) -> usize {
        shard_of(self.keys.player(player))
    }

    fn lock_all(&self) -> Vec<RwLockWriteGuard<'_, Shard>> {
        self.shards.iter().map(|shard| shard.0.write()).collect()
    }

    fn apply(
        &self,
        shard: &mut Shard,
        hash: u64,
        changes: &mut ChangeSet,
        news: &mut News,
        scratch: &mut Vec<u8>,
    ) -> CommitOutcome {
        let known = shard.find(hash, &changes.player);
        if !changes.fits(known.map_or(0, |at| shard.version(at)), shard.horizon) {
            return CommitOutcome::Conflict;
        }
        if let Err(full) = self.feed.commit(changes) {
            return CommitOutcome::Failed(full.into());
        }
        let at = known.unwrap_or_else(|| shard.add(hash, &changes.player));
        self.note(shard, at, changes, news);
        shard.write(at, hash, changes, std::iter::empty(), scratch);
        CommitOutcome::Applied
    }

    /// Notes what the boards are to be told of a player.
    fn note(&self, shard: &mut Shard, at: u32, changes: &ChangeSet, news: &mut News) {
        if changes.shown.is_empty() {
            return;
        }
        let slot = shard.slot_mut(at);
        slot.handle = slot.handle.or_else(|| self.boards.handle(&changes.player));
        // Nobody has 2^32 players in memory.
        if let Some(handle) = slot.handle {
            slot.told += 1;
            self.boards.note(news, handle, slot.told - 1, slot.told, &changes.shown);
        }
    }

    /// Tells the boards, as somebody who is telling.
    fn tell(&self, telling: &Telling<'_>, news: &mut News) {
        for player in self.boards.tell_news(telling, news) {
            // Something between is not told yet: all of the player is, who is held meanwhile, so that nobody who was let go comes back.
            let hash = self.keys.player(&player);
            let shard = self.shards[shard_of(hash)].0.read();
            if let Some(slot) = shard.find(hash, &player).map(|at| shard.slot(at)) {
                self.boards.tell_one(&player, slot.told, &slot.shown());
            }
        }
    }
}

const fn shard_of(hash: u64) -> usize {
    (hash >> (u64::BITS - SHARD_BITS)) as usize
}

impl Store for MemoryStore {
    fn load(&self, keys: &[Key]) -> Vec<Loaded> {
        let mut answers = Vec::with_capacity(keys.len());
        // Neighbouring keys of one player are read under one lock, at one moment.
        for keys in keys.chunk_by(|a, b| a.player() == b.player()) {
            let Some(player) = keys[0].player() else {
                let horizon = self.shards[0].0.read().horizon;
                answers.extend(keys.iter().map(|_| Ok(Some(Record::Horizon(horizon)))));
                continue;
            };
            let hash = self.keys.player(player);
            let shard = self.shards[shard_of(hash)].0.read();
            let at = shard.find(hash, player);
            answers.extend(keys.iter().map(|key| match at {
                Some(at) => Ok(shard.get(at, hash, key)?),
                None => Ok(None),
            }));
        }
        answers
    }

    fn commit(&self, batch: Vec<ChangeSet>) -> Vec<CommitOutcome> {
        let telling = self.boards.telling();
        let (mut news, mut scratch) = (News::default(), Vec::with_capacity(128));
        let outcomes = batch.into_iter().map(|mut changes| {
            let hash = self.keys.player(&changes.player);
            let mut shard = self.shards[shard_of(hash)].0.write();
            self.apply(&mut shard, hash, &mut changes, &mut news, &mut scratch)
        });
        let outcomes = outcomes.collect();
        self.tell(&telling, &mut news);
        outcomes
    }

    fn drive(&self, plan: &mut Plan<'_>) {
        self.decide_in_place(plan);
    }

    fn round_players(&self) -> usize {
        ROUND_PLAYERS_MAX
    }

    fn advance(&self, to: Horizon) -> Result<Horizon, StoreError> {
        Ok(self.raise(to))
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
        // Who commits tells the boards before ceasing to be one who tells.
        self.boards.settle();
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
