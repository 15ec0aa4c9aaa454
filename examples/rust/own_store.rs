//! A store of one's own, complete: the model for authors of stores, beside `docs/stores.md`. Beneath it is a database of sorted
//! tables and a queue (`examples/src/disk.rs`); one lock makes of every call one moment. `own_async_store.rs` is the same for async.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::sync::Arc;

use liveops_core::board::Row;
use liveops_core::error::{StoreError, StoreErrorKind};
use liveops_core::record::{BoardKey, ChangeSet, CommitOutcome, Header, Horizon, Kind, Told};
use liveops_core::store::{
    BoardAnswer, BoardRead, Boards, Consumer, ConsumerMark, Feed, FeedEntry, Happened, Keeps, Lag, Loaded, Partitioned,
    Scan, Size, Store, Whole, by_load_and_commit,
};
use liveops_core::{Key, Plan, PlayerId, Record, Replica, conformance};
use liveops_examples::disk::Disk;
use parking_lot::RwLock;

pub(crate) type Answer<T> = Result<T, StoreError>;
type Page = Answer<Vec<(Key, Record)>>;

/// Records, horizon and feed are on the disk; boards are in memory, and told of what is committed.
pub(crate) struct OwnStore {
    disk: Arc<RwLock<Disk>>,
    boards: Replica,
    feed_len: usize,
}

impl OwnStore {
    /// The boards are read from the records once, at the start.
    pub(crate) fn open(disk: Arc<RwLock<Disk>>, feed_len: usize) -> Answer<Self> {
        let store = Self { disk, boards: Replica::default(), feed_len };
        store.rebuild(&|_| true)?;
        store.boards.advanced(store.disk.read().horizon);
        Ok(store)
    }
}

/// A record that cannot be read fails its own key.
pub(crate) fn load(disk: &Disk, key: &Key) -> Loaded {
    match key {
        Key::Horizon => Ok(Some(Record::Horizon(disk.horizon))),
        key => Ok(disk.get(key).map(Record::decode).transpose()?),
    }
}

/// Whole or not at all: every reason to refuse comes before the first write.
pub(crate) fn commit(disk: &mut Disk, set: &ChangeSet, feed_len: usize) -> CommitOutcome {
    let version = match load(disk, &Key::Player(set.player.clone())) {
        Ok(Some(Record::Player(player))) => player.version,
        Ok(_) => 0,
        Err(error) => return CommitOutcome::Failed(error),
    };
    if !set.fits(version, disk.horizon) {
        return CommitOutcome::Conflict;
    }
    if disk.queue.len() >= feed_len {
        return CommitOutcome::Failed(StoreErrorKind::FeedFull.into());
    }
    if set.forget {
        disk.remove_player(&set.player);
    }
    set.written().for_each(|(key, record)| disk.put(key, record.encode()));
    set.removed.iter().for_each(|key| disk.remove(key));
    disk.queue.push(Happened::Committed(Arc::new(set.clone())));
    CommitOutcome::Applied
}

/// Removes at once what is forgotten; a store may as well hide it and sweep later. Answers who is nobody any more.
pub(crate) fn advance(disk: &mut Disk, to: Horizon) -> Vec<Told> {
    let horizon = disk.horizon.max(to);
    if horizon == disk.horizon {
        return Vec::new();
    }
    disk.horizon = horizon;
    disk.queue.push(Happened::Advanced(horizon));
    let is_old = |outcome| matches!(outcome, Record::Outcome(o) if o.ts < horizon.forgotten_before);
    disk.retain(Kind::Outcome, |_, bytes| !Record::decode(bytes).is_ok_and(is_old));
    let is_mark = |record| matches!(record, Record::Player(p) if p.is_idle_mark(horizon));
    let marks = disk.all(Some(Kind::Player)).filter(|(_, bytes)| Record::decode(bytes).is_ok_and(is_mark));
    let mut gone: BTreeSet<PlayerId> = marks.filter_map(|(key, _)| key.player().cloned()).collect();
    gone.retain(|player| disk.page(Some(player), Some(Kind::Outcome), None, 1).next().is_none());
    disk.retain(Kind::Player, |key, _| !key.player().is_some_and(|player| gone.contains(player)));
    gone.into_iter().map(|player| Told::Gone { player }).collect()
}

pub(crate) fn page(disk: &Disk, of: Option<&PlayerId>, kind: Option<Kind>, after: Option<&Key>, limit: usize) -> Page {
    disk.page(of, kind, after, limit).map(|(key, bytes)| Ok((key.clone(), Record::decode(bytes)?))).collect()
}

impl Store for OwnStore {
    fn load(&self, keys: &[Key]) -> Vec<Loaded> {
        let disk = self.disk.read();
        keys.iter().map(|key| load(&disk, key)).collect()
    }
    /// Boards are told before the lock is let go: who begins again is never told of before who is gone.
    fn commit(&self, batch: Vec<ChangeSet>) -> Vec<CommitOutcome> {
        let mut disk = self.disk.write();
        let outcomes: Vec<_> = batch.iter().map(|set| commit(&mut disk, set, self.feed_len)).collect();
        let applied = batch.iter().zip(&outcomes).filter(|(_, outcome)| matches!(outcome, CommitOutcome::Applied));
        self.boards.committed(&applied.map(|(set, _)| set).collect::<Vec<_>>());
        outcomes
    }
    fn drive(&self, plan: &mut Plan<'_>) {
        by_load_and_commit(self, plan);
    }
    fn round_players(&self) -> usize {
        256
    }
    fn advance(&self, to: Horizon) -> Answer<Horizon> {
        let mut disk = self.disk.write();
        self.boards.tell(advance(&mut disk, to));
        self.boards.advanced(disk.horizon);
        Ok(disk.horizon)
    }
    fn header(&self) -> Answer<Header> {
        Ok(self.disk.read().header.clone())
    }
    fn replace_header(&self, expected: &Header, new: &Header) -> Answer<bool> {
        Ok(self.disk.write().replace_header(expected, new))
    }
}

impl Partitioned for OwnStore {
    fn partitions(&self) -> u16 {
        1
    }
}

impl Scan for OwnStore {
    fn scan(&self, _: u16, kind: Option<Kind>, after: Option<&Key>, limit: usize) -> Page {
        page(&self.disk.read(), None, kind, after, limit)
    }
    fn scan_player(&self, player: &PlayerId, kind: Option<Kind>, after: Option<&Key>, limit: usize) -> Page {
        page(&self.disk.read(), Some(player), kind, after, limit)
    }
}

impl Boards for OwnStore {
    fn read(&self, reads: &[BoardRead]) -> Vec<Answer<BoardAnswer>> {
        self.boards.read(reads)
    }
    fn retain(&self, keep: Keeps<'_>) -> Answer<()> {
        self.boards.retain(keep);
        Ok(())
    }
    fn rebuild(&self, keep: Keeps<'_>) -> Answer<()> {
        self.boards.rebuild(self, keep)
    }
    fn catch_up(&self) -> Answer<()> {
        Ok(())
    }
    fn horizon(&self) -> Horizon {
        self.boards.horizon()
    }
    fn lag(&self) -> Answer<Lag> {
        Ok(Lag::default())
    }
    fn note_final(&self, _: &BoardKey, _: &[Row]) -> Answer<()> {
        Ok(()) // no place where people would read it
    }
}

impl Feed for OwnStore {
    fn feed(&self, _: u16, after: u64, limit: usize) -> Answer<Vec<FeedEntry>> {
        Ok(self.disk.read().queue.read(after, limit).ok_or(StoreErrorKind::FeedGap)?)
    }
    fn last(&self, _: u16) -> Answer<u64> {
        Ok(self.disk.read().queue.last())
    }
    fn ack(&self, consumer: &Consumer, _: u16, through: u64) -> Answer<()> {
        Ok(self.disk.write().queue.ack(consumer, through).ok_or(StoreErrorKind::FeedGap)?)
    }
    fn drop_consumer(&self, consumer: &Consumer) -> Answer<()> {
        self.disk.write().queue.forget(consumer);
        Ok(())
    }
    fn consumers(&self) -> Answer<Vec<ConsumerMark>> {
        Ok(self.disk.read().queue.marks().consumers)
    }
}

impl Whole for OwnStore {
    fn digest(&self) -> Answer<String> {
        Ok(self.disk.read().digest())
    }
    fn snapshot(&self, to: &mut (dyn Write + Send)) -> Answer<()> {
        self.disk.read().snapshot(to)
    }
    fn restore(&self, from: &mut (dyn Read + Send)) -> Answer<()> {
        let mut disk = self.disk.write();
        self.boards.tell(disk.restore(from)?);
        self.boards.advanced(disk.horizon);
        Ok(())
    }
    fn size(&self) -> Answer<Size> {
        Ok(self.disk.read().size(self.boards.len()))
    }
}

/// Runs the kit over it, as every store's tests do: also over one that is opened again, and over one that loses bytes.
pub(crate) fn main() {
    let open = |disk: &Arc<_>, len| OwnStore::open(Arc::clone(disk), len).expect("a sound disk");
    let (store, disk) = (|len| open(&Arc::default(), len), Arc::default());
    conformance::check(|| Box::new(store(1_000_000)));
    conformance::check_scan(|| store(1_000_000));
    conformance::check_boards(|| store(1_000_000));
    conformance::check_feed(store);
    conformance::check_whole(store);
    conformance::check_reopen(|| open(&disk, conformance::WHOLE_FEED_LEN));
    conformance::check_damage(&store(1_000), |store, key| store.disk.write().lose_a_byte(key));
}
