//! The reference store: in memory, and what other stores are compared with.
//!
//! Locks, in the order they are taken: a gate, one player's entry, the feed, the list of boards, one board. A call that
//! loads or commits shares one of 64 gates while it lasts; digest, snapshot, scan and advance take all gates, in order,
//! and so hold everybody else up. There is no counter that every writer would touch. A reader of a board may see a
//! player's record a moment before the board.

mod ranks;
mod slot;

use std::collections::VecDeque;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;

use dashmap::DashMap;
use dashmap::mapref::entry::Entry;
use parking_lot::{Mutex, RwLock, RwLockReadGuard, RwLockWriteGuard};

use self::ranks::{News, Ranks};
use self::slot::Slot;
use crate::board::{Cursor, Order, Page, Ranking, Row, ScoreRange};
use crate::codec::{Seal, Stable as _};
use crate::error::{StoreError, StoreErrorKind};
use crate::id::PlayerId;
use crate::record::{BoardKey, ChangeSet, CommitOutcome, Horizon, Key, Record, digest};
use crate::rules::Rules;
use crate::store::{Boards, Feed, FeedEntry, Scan, Store};
use crate::time::Timestamp;

const GATES: usize = 64;
const SNAPSHOT: Seal = Seal { head: b"liveops snapshot", version: 1 };

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
    feed: Option<Mutex<Backlog>>,
    ranks: Ranks,
    /// Of the maps of outcomes.
    hash_key: RandomState,
}

/// Alone on its cache line. Every gate holds the same horizon.
#[derive(Debug, Default)]
#[repr(align(64))]
struct Gate(RwLock<Horizon>);

#[derive(Debug)]
struct Backlog {
    entries: VecDeque<FeedEntry>,
    last: u64,
    len_max: usize,
}

/// How much a store holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Size {
    /// Players, erased ones with a mark included.
    pub players: u64,
    /// First outcomes kept for retries.
    pub outcomes: u64,
    /// Receipts.
    pub receipts: u64,
    /// Suspicions.
    pub suspicions: u64,
    /// Boards, each in each period.
    pub boards: u64,
    /// Feed entries that wait to be acknowledged.
    pub feed: u64,
}

impl Default for MemoryStore {
    fn default() -> Self {
        // Keys that players cannot guess; nothing that is stored or answered depends on them.
        let random = RandomState::new();
        let mut hash_key = [0; 16];
        for (half, bytes) in (0_u8..).zip(hash_key.chunks_mut(8)) {
            bytes.copy_from_slice(&random.hash_one(half).to_ne_bytes());
        }
        Self {
            gates: (0..GATES).map(|_| Gate::default()).collect(),
            players: DashMap::new(),
            feed: None,
            ranks: Ranks::new(hash_key),
            hash_key: random,
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
        let backlog = Backlog { entries: VecDeque::new(), last: 0, len_max };
        Self { feed: Some(Mutex::new(backlog)), ..Self::default() }
    }

    /// Names the whole state: `v1:` and 64 hex digits. Holds writers up.
    pub fn digest(&self) -> String {
        digest(self.everything().iter().map(|(key, record)| (key, record)))
    }

    /// The whole state, as bytes that depend on nothing else, with a checksum at the end. Holds writers up.
    pub fn snapshot(&self) -> Vec<u8> {
        SNAPSHOT.close(|out| self.everything().put(out))
    }

    /// A store in the state of a snapshot: `store_corrupt` for bytes that are none, `record_too_new` for a later
    /// version's.
    pub fn restore(bytes: &[u8]) -> Result<Self, StoreError> {
        Self::new().restored(bytes)
    }

    /// This store, which must be empty, in the state of a snapshot.
    pub fn restored(self, bytes: &[u8]) -> Result<Self, StoreError> {
        for (key, record) in checked(bytes)? {
            self.insert(key, record).ok_or(StoreErrorKind::Corrupt)?;
        }
        Ok(self)
    }

    /// The way back from an [`Engine::advance`](crate::Engine::advance) too far: a store in the state of a snapshot, its horizon brought
    /// back to `now`, the present. Take the snapshot of what there is, or better, one of before the mistake with
    /// [`Self::restore`].
    ///
    /// Nothing that was ever taken in is taken in again, though the wrong advance forgot its outcome: commands that are not newer
    /// than the newest of any player are `too_old` from then on. Those that came in meanwhile and were refused can be sent again.
    /// A period that anybody was paid for stays closed, so the horizon is not brought back before its closing; until the clock comes
    /// near it, events are `too_old`. What the wrong advance dropped stays
    /// gone: boards of periods that were over by it are as the players' records still have them, and who was erased and is not
    /// there any more is nobody, whose events of before the erasure only the time of others' commands keeps out.
    ///
    /// ```
    /// use liveops_core::testing::EventBuilder;
    /// use liveops_core::{Engine, MemoryStore, Rules, Timestamp};
    ///
    /// let rules = Rules::from_json(r#"{ "version": 1, "game": "emberfall" }"#)?;
    /// let engine = Engine::new(rules.clone(), MemoryStore::new());
    /// let now = Timestamp::from_rfc3339("2026-11-30T12:00:00Z").unwrap();
    /// let event = |id, at| EventBuilder::progression("ana", 120, at).id(id).body();
    /// engine.submit_ndjson(&event("e1", now), now);
    /// engine.advance_far(Timestamp::from_rfc3339("2062-01-01T00:00:00Z").unwrap())?; // one clock was wrong
    /// let later = now.plus_millis(60_000);
    /// assert_eq!(engine.submit_ndjson(&event("e2", later), later)[0].code(), "too_old");
    ///
    /// let store = MemoryStore::restore_at(&engine.snapshot(), &rules, later)?;
    /// let engine = Engine::new(rules, store);
    /// assert_eq!(engine.submit_ndjson(&event("e1", now), later)[0].code(), "too_old", "not applied twice");
    /// assert_eq!(engine.submit_ndjson(&event("e2", later), later)[0].code(), "applied");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn restore_at(bytes: &[u8], rules: &Rules, now: Timestamp) -> Result<Self, StoreError> {
        Self::new().restored_at(bytes, rules, now)
    }

    /// This store, which must be empty, in the state of a snapshot, brought back to `now`: see [`Self::restore_at`].
    pub fn restored_at(self, bytes: &[u8], rules: &Rules, now: Timestamp) -> Result<Self, StoreError> {
        let store = self.restored(bytes)?;
        let (mut newest, mut paid_until) = (Timestamp::MIN, Timestamp::MIN);
        for slot in &store.players {
            let Some(player) = &slot.player else { continue };
            newest = newest.max(player.newest_ts).max(player.erased_through.unwrap_or(Timestamp::MIN));
            let closings = player.paid.newest().map(|period| rules.calendar().closes_at(period));
            paid_until = closings.fold(paid_until, Timestamp::max);
        }
        let mut closed = store.close();
        let back = closed[0].turned_back(now, newest, paid_until);
        for gate in &mut closed {
            **gate = back;
        }
        drop(closed);
        Ok(store)
    }

    /// How much it holds.
    pub fn size(&self) -> Size {
        let mut size = Size { boards: self.ranks.len() as u64, ..Size::default() };
        size.feed = self.feed.as_ref().map_or(0, |feed| feed.lock().entries.len() as u64);
        for slot in &self.players {
            size.players += 1;
            slot.count(&mut size);
        }
        size
    }

    fn insert(&self, key: Key, record: Record) -> Option<()> {
        if let (Key::Horizon, Record::Horizon(horizon)) = (&key, &record) {
            self.close().iter_mut().for_each(|gate| **gate = *horizon);
            return Some(());
        }
        let id = key.player()?.clone();
        let mut slot = self.players.entry(id.clone()).or_default();
        if let Record::Player(player) = &record {
            let mut news = News::default();
            self.ranks.note(&id, &mut slot, player, &mut news);
            self.ranks.tell(news);
        }
        slot.insert(key, record, &self.hash_key)
    }

    /// Every record in key order, at one moment.
    fn all(&self) -> Result<Vec<(Key, Record)>, StoreErrorKind> {
        let closed = self.close();
        let mut all = vec![(Key::Horizon, Record::Horizon(*closed[0]))];
        for slot in &self.players {
            slot.records(slot.key(), &mut all)?;
        }
        drop(closed);
        all.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        Ok(all)
    }

    /// The same for callers that have no use for an error.
    fn everything(&self) -> Vec<(Key, Record)> {
        // Only `Remembered::read` can fail, and it reads what `Remembered::new` wrote.
        self.all().unwrap_or_else(|kind| unreachable!("a store in memory reads what it wrote: {kind:?}"))
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
        let mut entry = self.players.entry(changes.player.clone());
        let version = match &mut entry {
            Entry::Occupied(slot) => slot.get().version(),
            Entry::Vacant(_) => 0,
        };
        if !changes.fits(version, horizon) {
            return CommitOutcome::Conflict;
        }
        if let Some(mut backlog) = self.feed.as_ref().map(Mutex::lock) {
            if backlog.entries.len() >= backlog.len_max {
                return CommitOutcome::Failed(StoreErrorKind::FeedFull.into());
            }
            backlog.last += 1;
            let entry = FeedEntry { cursor: backlog.last, changes: Arc::new(changes.clone()) };
            backlog.entries.push_back(entry);
        }
        let mut slot = entry.or_default();
        self.ranks.note(&changes.player, &mut slot, &changes.record, news);
        slot.write(changes, scratch, &self.hash_key);
        CommitOutcome::Applied
    }
}

/// The records of a snapshot: the horizon, then each of the others once and in the order of keys.
fn checked(bytes: &[u8]) -> Result<Vec<(Key, Record)>, StoreErrorKind> {
    let mut records = SNAPSHOT.open(bytes)?;
    let all: Vec<(Key, Record)> = Vec::take(&mut records).ok_or(StoreErrorKind::Corrupt)?;
    let whole = matches!(all.first(), Some((Key::Horizon, _))) && all.is_sorted_by(|(a, _), (b, _)| a < b);
    if records.is_empty() && whole { Ok(all) } else { Err(StoreErrorKind::Corrupt) }
}

impl Store for MemoryStore {
    fn load(&self, keys: &[Key]) -> Result<Vec<Option<Record>>, StoreError> {
        let horizon = self.gate(keys.iter().find_map(Key::player));
        let mut answers = Vec::with_capacity(keys.len());
        // Neighbouring keys of one player are read under one lock, at one moment.
        for keys in keys.chunk_by(|a, b| a.player() == b.player()) {
            let Some(player) = keys[0].player() else {
                answers.extend(keys.iter().map(|_| Some(Record::Horizon(*horizon))));
                continue;
            };
            let slot = self.players.get(player);
            for key in keys {
                answers.push(slot.as_ref().map_or(Ok(None), |slot| slot.get(key, &self.hash_key))?);
            }
        }
        Ok(answers)
    }

    fn commit(&self, batch: Vec<ChangeSet>) -> Vec<CommitOutcome> {
        let horizon = self.gate(batch.first().map(|changes| &changes.player));
        let (mut news, mut scratch) = (News::default(), Vec::with_capacity(128));
        let outcomes =
            batch.into_iter().map(|changes| self.apply(changes, *horizon, &mut news, &mut scratch)).collect();
        // While the gate is shared: nobody may forget a player in between.
        self.ranks.tell(news);
        outcomes
    }

    fn advance(&self, to: Horizon) -> Result<Horizon, StoreError> {
        let mut closed = self.close();
        let horizon = closed[0].max(to);
        for gate in &mut closed {
            **gate = horizon;
        }
        let mut gone = Vec::new();
        self.players.retain(|id, slot| {
            let stays = slot.expire(horizon);
            if !stays {
                gone.push(id.clone());
            }
            stays
        });
        self.ranks.forget(&gone);
        Ok(horizon)
    }
}

impl Scan for MemoryStore {
    fn scan(&self, after: Option<&Key>, limit: usize) -> Result<Vec<(Key, Record)>, StoreError> {
        let mut all = self.all()?;
        let first = after.map_or(0, |after| all.partition_point(|(key, _)| key <= after));
        Ok(all.drain(first..).take(limit).collect())
    }

    fn scan_player(&self, player: &PlayerId) -> Result<Vec<(Key, Record)>, StoreError> {
        let mut all = Vec::new();
        let _open = self.gate(Some(player));
        if let Some(slot) = self.players.get(player) {
            slot.records(player, &mut all)?;
        }
        all.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        Ok(all)
    }
}

impl Boards for MemoryStore {
    fn page_after(
        &self,
        key: &BoardKey,
        cursor: Option<&Cursor>,
        limit: usize,
        ranking: Ranking,
    ) -> Result<Page, StoreError> {
        let page = self.ranks.read(key, ranking, |board| Some(board.page_after(cursor, limit)));
        page.unwrap_or_else(|| Ok(Page::default())).map_err(|_| StoreErrorKind::Misconfigured.into())
    }

    fn by_score_range(
        &self,
        key: &BoardKey,
        scores: ScoreRange,
        offset: usize,
        limit: usize,
        ranking: Ranking,
    ) -> Result<Vec<Row>, StoreError> {
        Ok(self.ranks.read(key, ranking, |board| board.by_score_range(scores, offset, limit)))
    }

    fn percentile(&self, key: &BoardKey, player: &PlayerId) -> Result<Option<u32>, StoreError> {
        Ok(self.ranks.read(key, Ranking::Ordinal, |board| board.percentile(player.as_str())))
    }

    fn page(&self, key: &BoardKey, offset: usize, limit: usize, ranking: Ranking) -> Result<Vec<Row>, StoreError> {
        Ok(self.ranks.read(key, ranking, |board| board.page(offset, limit)))
    }

    fn rank(&self, key: &BoardKey, player: &PlayerId, ranking: Ranking) -> Result<Option<u64>, StoreError> {
        Ok(self.ranks.read(key, ranking, |board| board.rank(player.as_str())))
    }

    fn around(&self, key: &BoardKey, player: &PlayerId, n: usize, ranking: Ranking) -> Result<Vec<Row>, StoreError> {
        Ok(self.ranks.read(key, ranking, |board| board.around(player.as_str(), n)))
    }

    fn by_owners(&self, key: &BoardKey, players: &[PlayerId], ranking: Ranking) -> Result<Vec<Row>, StoreError> {
        Ok(self.ranks.read(key, ranking, |board| board.by_owners(players.iter().map(PlayerId::as_str))))
    }

    fn count_above(&self, key: &BoardKey, score: i64, _order: Order) -> Result<u64, StoreError> {
        // A board sorts as its entries say; the order is for stores that have to be told.
        Ok(self.ranks.read(key, Ranking::Ordinal, |board| board.count_above(score)))
    }

    fn len(&self, key: &BoardKey) -> Result<u64, StoreError> {
        Ok(self.ranks.read(key, Ranking::Ordinal, |board| board.len()))
    }

    fn retain(&self, keep: &dyn Fn(&BoardKey) -> bool) -> Result<(), StoreError> {
        self.ranks.retain(keep);
        Ok(())
    }
}

/// Empty, with nothing to acknowledge, unless made by [`MemoryStore::with_feed`].
impl Feed for MemoryStore {
    fn feed(&self, after: u64, limit: usize) -> Result<Vec<FeedEntry>, StoreError> {
        let Some(backlog) = self.feed.as_ref().map(Mutex::lock) else { return Ok(Vec::new()) };
        let first = backlog.entries.partition_point(|entry| entry.cursor <= after);
        Ok(backlog.entries.range(first..).take(limit).cloned().collect())
    }

    fn ack(&self, through: u64) -> Result<(), StoreError> {
        if let Some(mut backlog) = self.feed.as_ref().map(Mutex::lock) {
            let first = backlog.entries.partition_point(|entry| entry.cursor <= through);
            backlog.entries.drain(..first);
        }
        Ok(())
    }
}
