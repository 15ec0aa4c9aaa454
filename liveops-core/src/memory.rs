//! The reference store: in memory, and what other stores are compared with.
//!
//! Locks, in the order they are taken: one gate, one player's entry, the feed, the list of boards, one board. A commit
//! or a read of one player shares one of 64 gates; digest, snapshot, scan and advance take all gates, in order, and so
//! hold writers up while they last. There is no counter that every writer would touch. A reader of a board may see a
//! player's record a moment before the board.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;

use dashmap::DashMap;
use dashmap::mapref::entry::Entry;
use parking_lot::{Mutex, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::board::{Index, Order, Ranking, Row, Standing};
use crate::codec::Stable as _;
use crate::error::{StoreError, StoreErrorKind};
use crate::hash::{self, Digest};
use crate::id::{CommandId, PlayerId};
use crate::record::{
    BoardKey, ChangeSet, CommitOutcome, Horizon, Key, Player, Receipt, Record, StoredOutcome, Suspicion, digest,
};
use crate::store::{Boards, Feed, FeedEntry, Scan, Store};
use crate::time::Timestamp;

const GATES: usize = 64;
/// First bytes of a snapshot; the last one is the version of the form.
const SNAPSHOT_HEAD: &[u8; 16] = b"liveops snapshot";
const SNAPSHOT_VERSION: u8 = 1;

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
    boards: RwLock<HashMap<BoardKey, Arc<Mutex<Index>>>>,
    hash_key: hash::Key,
}

/// Alone on its cache line. Every gate holds the same horizon.
#[derive(Debug, Default)]
#[repr(align(64))]
struct Gate(RwLock<Horizon>);

/// All records of one player.
#[derive(Debug, Default)]
struct Slot {
    player: Option<Box<Player>>,
    /// Where the entries of `player.standings` are ranked, one for each, in the same order.
    places: Vec<Place>,
    outcomes: BTreeMap<CommandId, Remembered>,
    receipts: BTreeMap<u64, Receipt>,
    suspicions: BTreeMap<u64, Suspicion>,
}

/// One entry on one board, found without looking it up.
#[derive(Clone, Debug)]
struct Place {
    board: Arc<Mutex<Index>>,
    slot: usize,
}

/// A first outcome in its stable bytes: most are never asked for again, and so take a fifth of the memory.
#[derive(Debug)]
struct Remembered {
    ts: Timestamp,
    bytes: Box<[u8]>,
}

impl Remembered {
    fn new(outcome: &StoredOutcome, scratch: &mut Vec<u8>) -> Self {
        scratch.clear();
        outcome.put(scratch);
        Self { ts: outcome.ts, bytes: scratch.as_slice().into() }
    }

    fn read(&self) -> Result<StoredOutcome, StoreErrorKind> {
        StoredOutcome::take(&mut &*self.bytes).ok_or(StoreErrorKind::Corrupt)
    }
}

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
            boards: RwLock::default(),
            hash_key,
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
        let mut bytes = SNAPSHOT_HEAD.to_vec();
        bytes.push(SNAPSHOT_VERSION);
        self.everything().put(&mut bytes);
        let checksum = Digest::of(&[&bytes]);
        checksum.put(&mut bytes);
        bytes
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

    /// How much it holds.
    pub fn size(&self) -> Size {
        let mut size = Size { boards: self.boards.read().len() as u64, ..Size::default() };
        size.feed = self.feed.as_ref().map_or(0, |feed| feed.lock().entries.len() as u64);
        for slot in &self.players {
            size.players += 1;
            size.outcomes += slot.outcomes.len() as u64;
            size.receipts += slot.receipts.len() as u64;
            size.suspicions += slot.suspicions.len() as u64;
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
        match (key, record) {
            (Key::Player(_), Record::Player(player)) => {
                self.index(&id, &mut slot, &player);
                slot.player = Some(player);
            }
            (Key::Outcome(_, id), Record::Outcome(outcome)) => {
                slot.outcomes.insert(id, Remembered::new(&outcome, &mut Vec::new()));
            }
            (Key::Receipt(_, n), Record::Receipt(receipt)) => drop(slot.receipts.insert(n, *receipt)),
            (Key::Suspicion(_, n), Record::Suspicion(suspicion)) => drop(slot.suspicions.insert(n, *suspicion)),
            _ => return None,
        }
        Some(())
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

    fn gate(&self, player: &PlayerId) -> RwLockReadGuard<'_, Horizon> {
        // Any spread will do: players who share a gate wait for each other only while it is closed.
        let spread = player.as_bytes().iter().fold(0_usize, |sum, byte| sum.wrapping_mul(31).wrapping_add((*byte).into()));
        self.gates[spread % GATES].0.read()
    }

    /// Holds up everybody who writes, or reads records.
    fn close(&self) -> Vec<RwLockWriteGuard<'_, Horizon>> {
        self.gates.iter().map(|gate| gate.0.write()).collect()
    }

    fn apply(&self, changes: ChangeSet, scratch: &mut Vec<u8>) -> CommitOutcome {
        let horizon = self.gate(&changes.player);
        let mut entry = self.players.entry(changes.player.clone());
        let version = match &mut entry {
            Entry::Occupied(slot) => slot.get().player.as_ref().map_or(0, |player| player.version),
            Entry::Vacant(_) => 0,
        };
        if !changes.fits(version, *horizon) {
            return CommitOutcome::Conflict;
        }
        let mut backlog = self.feed.as_ref().map(Mutex::lock);
        if let Some(backlog) = &mut backlog {
            if backlog.entries.len() >= backlog.len_max {
                return CommitOutcome::Failed(StoreErrorKind::FeedFull.into());
            }
            backlog.last += 1;
            let entry = FeedEntry { cursor: backlog.last, changes: Arc::new(changes.clone()) };
            backlog.entries.push_back(entry);
        }
        let mut slot = entry.or_default();
        // Under the player's lock: what one board sees of one player comes in order.
        self.index(&changes.player, &mut slot, &changes.record);
        slot.write(changes, scratch);
        CommitOutcome::Applied
    }

    /// Tells the boards that the two records differ on. Both lists of standings are sorted, so one walk over both finds
    /// what stayed, what came and what went.
    fn index(&self, id: &PlayerId, slot: &mut Slot, after: &Player) {
        let nobody = Player::default();
        let before = slot.player.as_deref().unwrap_or(&nobody);
        let shown = |player: &Player, standing: &Standing| Some(*standing).filter(|_| !player.hidden);
        let same_boards = before.standings.len() == after.standings.len()
            && before.standings.iter().zip(&after.standings).all(|((old, _), (new, _))| old == new);
        if same_boards {
            for (((_, old), (_, new)), place) in before.standings.iter().zip(&after.standings).zip(&slot.places) {
                if shown(before, old) != shown(after, new) {
                    place.tell(after.version, shown(after, new));
                }
            }
            return;
        }
        let mut places = Vec::with_capacity(after.standings.len());
        let mut old = before.standings.iter().zip(slot.places.drain(..)).peekable();
        for (key, standing) in &after.standings {
            while let Some((_, place)) = old.next_if(|((known, _), _)| known < key) {
                place.tell(after.version, None);
            }
            let known = old.next_if(|((known, _), _)| known == key);
            let told = known.as_ref().and_then(|((_, standing), _)| shown(before, standing));
            let place = known.map_or_else(|| self.place(key, id), |(_, place)| place);
            if told != shown(after, standing) {
                place.tell(after.version, shown(after, standing));
            }
            places.push(place);
        }
        old.for_each(|(_, place)| place.tell(after.version, None));
        slot.places = places;
    }

    fn place(&self, key: &BoardKey, id: &PlayerId) -> Place {
        let board = self.board_or_new(key);
        let slot = board.lock().slot(id);
        Place { board, slot }
    }

    fn board(&self, key: &BoardKey) -> Option<Arc<Mutex<Index>>> {
        self.boards.read().get(key).map(Arc::clone)
    }

    fn board_or_new(&self, key: &BoardKey) -> Arc<Mutex<Index>> {
        if let Some(board) = self.board(key) {
            return board;
        }
        let new = || Arc::new(Mutex::new(Index::new(self.hash_key)));
        Arc::clone(self.boards.write().entry(key.clone()).or_insert_with(new))
    }

    fn read<T: Default>(&self, key: &BoardKey, read: impl FnOnce(&Index) -> T) -> T {
        self.board(key).map_or_else(T::default, |board| read(&board.lock()))
    }
}

/// The records of a snapshot.
fn checked(bytes: &[u8]) -> Result<Vec<(Key, Record)>, StoreErrorKind> {
    let body = bytes.strip_prefix(SNAPSHOT_HEAD).ok_or(StoreErrorKind::Corrupt)?;
    if body.first().is_some_and(|version| *version > SNAPSHOT_VERSION) {
        return Err(StoreErrorKind::TooNew);
    }
    let (content, checksum) = bytes.split_last_chunk().ok_or(StoreErrorKind::Corrupt)?;
    if Digest::of(&[content]) != Digest(*checksum) {
        return Err(StoreErrorKind::Corrupt);
    }
    let mut records = content.get(SNAPSHOT_HEAD.len() + 1..).ok_or(StoreErrorKind::Corrupt)?;
    let all = Vec::take(&mut records).ok_or(StoreErrorKind::Corrupt)?;
    if records.is_empty() { Ok(all) } else { Err(StoreErrorKind::Corrupt) }
}

impl Place {
    fn tell(&self, version: u64, shown: Option<Standing>) {
        self.board.lock().apply_at(self.slot, version, shown);
    }
}

impl Slot {
    fn get(&self, key: &Key) -> Result<Option<Record>, StoreErrorKind> {
        Ok(match key {
            Key::Player(_) => self.player.clone().map(Record::Player),
            Key::Outcome(_, id) => self.outcomes.get(id).map(Remembered::read).transpose()?.map(|outcome| Record::Outcome(outcome.into())),
            Key::Receipt(_, n) => self.receipts.get(n).map(|receipt| Record::Receipt(receipt.clone().into())),
            Key::Suspicion(_, n) => self.suspicions.get(n).map(|suspicion| Record::Suspicion(suspicion.clone().into())),
            Key::Horizon => None,
        })
    }

    fn write(&mut self, changes: ChangeSet, scratch: &mut Vec<u8>) {
        if changes.forget {
            *self = Self { places: std::mem::take(&mut self.places), ..Self::default() };
        }
        self.player = Some(changes.record);
        let outcomes = changes.outcomes.iter();
        self.outcomes.extend(outcomes.map(|(id, outcome)| (id.clone(), Remembered::new(outcome, scratch))));
        self.receipts.extend(changes.receipts.into_iter().map(|r| (r.number, r)));
        self.suspicions.extend(changes.suspicions);
        for key in changes.removed {
            match key {
                Key::Outcome(_, id) => drop(self.outcomes.remove(&id)),
                Key::Receipt(_, n) => drop(self.receipts.remove(&n)),
                Key::Suspicion(_, n) => drop(self.suspicions.remove(&n)),
                Key::Horizon | Key::Player(_) => {}
            }
        }
    }

    fn records(&self, id: &PlayerId, all: &mut Vec<(Key, Record)>) -> Result<(), StoreErrorKind> {
        all.extend(self.player.iter().map(|p| (Key::Player(id.clone()), Record::Player(p.clone()))));
        for (command, outcome) in &self.outcomes {
            all.push((Key::Outcome(id.clone(), command.clone()), Record::Outcome(outcome.read()?.into())));
        }
        all.extend(self.receipts.iter().map(|(n, r)| (Key::Receipt(id.clone(), *n), Record::Receipt(r.clone().into()))));
        let suspicions = self.suspicions.iter();
        all.extend(suspicions.map(|(n, s)| (Key::Suspicion(id.clone(), *n), Record::Suspicion(s.clone().into()))));
        Ok(())
    }

    /// Drops what no acceptable command can ask for; whether anything of the player is left.
    fn expire(&mut self, horizon: Horizon) -> bool {
        self.outcomes.retain(|_, outcome| outcome.ts >= horizon.forgotten_before);
        !(self.outcomes.is_empty() && self.player.as_ref().is_some_and(|p| p.is_idle_mark(horizon)))
    }
}

impl Store for MemoryStore {
    fn load(&self, keys: &[Key]) -> Result<Vec<Option<Record>>, StoreError> {
        let mut answers = Vec::with_capacity(keys.len());
        // Neighbouring keys of one player are read under one lock, at one moment.
        for keys in keys.chunk_by(|a, b| a.player() == b.player()) {
            let Some(player) = keys[0].player() else {
                let horizon = *self.gates[0].0.read();
                answers.extend(keys.iter().map(|_| Some(Record::Horizon(horizon))));
                continue;
            };
            let _open = self.gate(player);
            let slot = self.players.get(player);
            for key in keys {
                answers.push(slot.as_ref().map_or(Ok(None), |slot| slot.get(key))?);
            }
        }
        Ok(answers)
    }

    fn commit(&self, batch: Vec<ChangeSet>) -> Vec<CommitOutcome> {
        let mut scratch = Vec::with_capacity(128);
        batch.into_iter().map(|changes| self.apply(changes, &mut scratch)).collect()
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
        // Such a player begins again at version 0, which an index must not take for an old one.
        if !gone.is_empty() {
            for board in self.boards.read().values() {
                let mut board = board.lock();
                for id in &gone {
                    board.forget(id);
                }
            }
        }
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
        let _open = self.gate(player);
        if let Some(slot) = self.players.get(player) {
            slot.records(player, &mut all)?;
        }
        Ok(all)
    }
}

impl Boards for MemoryStore {
    fn page(&self, key: &BoardKey, offset: usize, limit: usize, ranking: Ranking) -> Result<Vec<Row>, StoreError> {
        Ok(self.read(key, |board| board.page(offset, limit, ranking)))
    }

    fn rank(&self, key: &BoardKey, player: &PlayerId, ranking: Ranking) -> Result<Option<u64>, StoreError> {
        Ok(self.read(key, |board| board.rank(player.as_bytes(), ranking)))
    }

    fn around(&self, key: &BoardKey, player: &PlayerId, n: usize, ranking: Ranking) -> Result<Vec<Row>, StoreError> {
        Ok(self.read(key, |board| board.around(player.as_bytes(), n, ranking)))
    }

    fn by_owners(&self, key: &BoardKey, players: &[PlayerId], ranking: Ranking) -> Result<Vec<Row>, StoreError> {
        Ok(self.read(key, |board| board.by_owners(players.iter().map(PlayerId::as_bytes), ranking)))
    }

    fn count_above(&self, key: &BoardKey, score: i64, order: Order) -> Result<u64, StoreError> {
        Ok(self.read(key, |board| board.count_above(score, order)))
    }

    fn len(&self, key: &BoardKey) -> Result<u64, StoreError> {
        Ok(self.read(key, Index::len))
    }

    fn retain(&self, keep: &dyn Fn(&BoardKey) -> bool) -> Result<(), StoreError> {
        self.boards.write().retain(|key, board| {
            let kept = keep(key);
            if !kept {
                board.lock().clear();
            }
            kept
        });
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
