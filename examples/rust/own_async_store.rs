//! An asynchronous store of one's own, complete: what changes beside `own_store.rs` where every call waits. Here it waits for the lock of
//! the disk; a client of a database waits for the database.

use std::io::{Read, Write};
use std::sync::Arc;

use liveops_core::board::Row;
use liveops_core::error::{StoreError, StoreErrorKind};
use liveops_core::record::{BoardKey, ChangeSet, CommitOutcome, Header, Horizon, Kind};
use liveops_core::store::{
    AsyncBoards, AsyncFeed, AsyncScan, AsyncStore, AsyncWhole, BlockOn, Blocking, BoardAnswer, BoardRead, Consumer,
    ConsumerMark, FeedEntry, Keeps, Lag, Loaded, Partitioned, Scan, Size,
};
use liveops_core::{Key, PlayerId, Record, Replica, conformance};
use liveops_examples::disk::Disk;
use own_store::{advance, commit, load, page};
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::RwLock;

#[allow(dead_code, reason = "the blocking store beside this one: what it does with a disk is done here as well")]
pub(crate) mod own_store;

type Answer<T> = Result<T, StoreError>;
type Page = Answer<Vec<(Key, Record)>>;

/// Records, horizon and feed are on the disk; boards are in memory, and told of what is committed.
pub(crate) struct OwnAsyncStore {
    disk: Arc<RwLock<Disk>>,
    boards: Replica,
    feed_len: usize,
}

impl OwnAsyncStore {
    pub(crate) async fn open(disk: Arc<RwLock<Disk>>, feed_len: usize) -> Answer<Self> {
        let store = Self { disk, boards: Replica::default(), feed_len };
        store.rebuild(&|_| true).await?;
        store.boards.advanced(store.disk.read().await.horizon);
        Ok(store)
    }
}

/// A call may be dropped at every `.await`, as when a client hangs up. So nothing waits between the first write and the last, nor
/// between them and the boards.
impl AsyncStore for OwnAsyncStore {
    async fn load(&self, keys: &[Key]) -> Vec<Loaded> {
        let disk = self.disk.read().await;
        keys.iter().map(|key| load(&disk, key)).collect()
    }
    async fn commit(&self, batch: Vec<ChangeSet>) -> Vec<CommitOutcome> {
        let mut disk = self.disk.write().await;
        let outcomes: Vec<_> = batch.iter().map(|set| commit(&mut disk, set, self.feed_len)).collect();
        let applied = batch.iter().zip(&outcomes).filter(|(_, outcome)| matches!(outcome, CommitOutcome::Applied));
        self.boards.committed(&applied.map(|(set, _)| set).collect::<Vec<_>>());
        outcomes
    }
    fn round_players(&self) -> usize {
        256
    }
    async fn advance(&self, to: Horizon) -> Answer<Horizon> {
        let mut disk = self.disk.write().await;
        self.boards.tell(advance(&mut disk, to));
        self.boards.advanced(disk.horizon);
        Ok(disk.horizon)
    }
    async fn header(&self) -> Answer<Header> {
        Ok(self.disk.read().await.header.clone())
    }
    async fn replace_header(&self, expected: &Header, new: &Header) -> Answer<bool> {
        Ok(self.disk.write().await.replace_header(expected, new))
    }
}

impl Partitioned for OwnAsyncStore {
    fn partitions(&self) -> u16 {
        1
    }
}

impl AsyncScan for OwnAsyncStore {
    async fn scan(&self, _: u16, kind: Option<Kind>, after: Option<&Key>, limit: usize) -> Page {
        page(&*self.disk.read().await, None, kind, after, limit)
    }
    async fn scan_player(&self, player: &PlayerId, kind: Option<Kind>, after: Option<&Key>, limit: usize) -> Page {
        page(&*self.disk.read().await, Some(player), kind, after, limit)
    }
}

/// The records as they are while the lock is held: boards are built from them.
struct Held<'d>(&'d Disk);

impl Partitioned for Held<'_> {
    fn partitions(&self) -> u16 {
        1
    }
}

impl Scan for Held<'_> {
    fn scan(&self, _: u16, kind: Option<Kind>, after: Option<&Key>, limit: usize) -> Page {
        page(self.0, None, kind, after, limit)
    }
    fn scan_player(&self, player: &PlayerId, kind: Option<Kind>, after: Option<&Key>, limit: usize) -> Page {
        page(self.0, Some(player), kind, after, limit)
    }
}

impl AsyncBoards for OwnAsyncStore {
    async fn read(&self, reads: &[BoardRead]) -> Vec<Answer<BoardAnswer>> {
        self.boards.read(reads)
    }
    async fn retain(&self, keep: Keeps<'_>) -> Answer<()> {
        self.boards.retain(keep);
        Ok(())
    }
    async fn rebuild(&self, keep: Keeps<'_>) -> Answer<()> {
        self.boards.rebuild(&Held(&*self.disk.read().await), keep)
    }
    async fn catch_up(&self) -> Answer<()> {
        Ok(())
    }
    fn horizon(&self) -> Horizon {
        self.boards.horizon()
    }
    async fn lag(&self) -> Answer<Lag> {
        Ok(Lag::default())
    }
    async fn note_final(&self, _: &BoardKey, _: &[Row]) -> Answer<()> {
        Ok(()) // no place where people would read it
    }
}

impl AsyncFeed for OwnAsyncStore {
    async fn feed(&self, _: u16, after: u64, limit: usize) -> Answer<Vec<FeedEntry>> {
        Ok(self.disk.read().await.queue.read(after, limit).ok_or(StoreErrorKind::FeedGap)?)
    }
    async fn last(&self, _: u16) -> Answer<u64> {
        Ok(self.disk.read().await.queue.last())
    }
    async fn ack(&self, consumer: &Consumer, _: u16, through: u64) -> Answer<()> {
        Ok(self.disk.write().await.queue.ack(consumer, through).ok_or(StoreErrorKind::FeedGap)?)
    }
    async fn drop_consumer(&self, consumer: &Consumer) -> Answer<()> {
        self.disk.write().await.queue.forget(consumer);
        Ok(())
    }
    async fn consumers(&self) -> Answer<Vec<ConsumerMark>> {
        Ok(self.disk.read().await.queue.marks().consumers)
    }
}

impl AsyncWhole for OwnAsyncStore {
    async fn digest(&self) -> Answer<String> {
        Ok(self.disk.read().await.digest())
    }
    async fn snapshot(&self, to: &mut (dyn Write + Send)) -> Answer<()> {
        self.disk.read().await.snapshot(to)
    }
    async fn restore(&self, from: &mut (dyn Read + Send)) -> Answer<()> {
        let mut disk = self.disk.write().await;
        self.boards.tell(disk.restore(from)?);
        self.boards.advanced(disk.horizon);
        Ok(())
    }
    async fn size(&self) -> Answer<Size> {
        Ok(self.disk.read().await.size(self.boards.len()))
    }
}

/// A runtime that waits for futures, but never on a thread of another.
struct Tokio(Runtime);

impl BlockOn for Tokio {
    fn block_on<F: Future>(&self, future: F) -> Result<F::Output, StoreErrorKind> {
        if Handle::try_current().is_ok() {
            return Err(StoreErrorKind::WouldBlock);
        }
        Ok(self.0.block_on(future))
    }
}

/// Runs the kit over it, alone and for callers who block.
pub(crate) fn main() {
    let runtime = || Tokio(Builder::new_current_thread().build().expect("a runtime"));
    let store = |len| {
        let opened = runtime().block_on(OwnAsyncStore::open(Arc::default(), len));
        opened.expect("not within a runtime").expect("an empty disk")
    };
    let blocking = |len| Blocking::new(store(len), runtime());
    conformance::check_async(|| store(1_000_000), runtime);
    conformance::check_scan(|| blocking(1_000_000));
    conformance::check_boards(|| blocking(1_000_000));
    conformance::check_feed(blocking);
    conformance::check_whole(blocking);
}
