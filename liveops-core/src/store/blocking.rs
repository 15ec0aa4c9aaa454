//! An asynchronous store behind the blocking boundary.

use std::io::{Read, Write};

use super::{
    AsyncBoards, AsyncFeed, AsyncScan, AsyncStore, AsyncWhole, BoardAnswer, BoardRead, Boards, Consumer, ConsumerMark,
    Feed, FeedEntry, Keeps, Lag, Loaded, Partitioned, Scan, Size, Store, Whole, by_load_and_commit,
};
use crate::board::Row;
use crate::error::{StoreError, StoreErrorKind};
use crate::id::PlayerId;
use crate::plan::Plan;
use crate::record::{BoardKey, ChangeSet, CommitOutcome, Header, Horizon, Key, Kind, Record};

/// Waits for a future, as the runtime that it needs does.
pub trait BlockOn: Send + Sync {
    /// The future's output.
    ///
    /// Errors, before the future is polled: [`StoreErrorKind::WouldBlock`] on a thread that may not be blocked, one of the
    /// runtime's own say, where waiting would panic or lock up.
    fn block_on<F: Future>(&self, future: F) -> Result<F::Output, StoreErrorKind>;
}

/// An asynchronous store for callers who block.
///
/// In a process that was forked since, every call is `forked`, and the runtime, whose threads are not there, is left alone.
///
/// ```
/// use liveops_core::store::{Blocking, Ready};
/// use liveops_core::testing::Parked;
/// use liveops_core::{Engine, MemoryStore, Rules};
///
/// // In earnest: a store over a network, and its runtime.
/// let store = Blocking::new(Ready(MemoryStore::new()), Parked);
/// let engine = Engine::open(Rules::from_json(r#"{ "version": 1, "game": "emberfall" }"#)?, store)?;
/// assert_eq!(engine.size()?.players, 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Blocking<S, X> {
    store: S,
    runtime: X,
    process: u32,
}

impl<S, X: BlockOn> Blocking<S, X> {
    /// Joins the two, for this process.
    pub fn new(store: S, runtime: X) -> Self {
        Self { store, runtime, process: std::process::id() }
    }

    /// What is wrapped.
    pub const fn inner(&self) -> &S {
        &self.store
    }

    /// What waits.
    pub const fn runtime(&self) -> &X {
        &self.runtime
    }

    /// Asks the store only in the process it was made in: also what makes a future may need what is not there after a fork.
    fn wait<F: Future>(&self, ask: impl FnOnce() -> F) -> Result<F::Output, StoreError> {
        if std::process::id() != self.process {
            return Err(StoreErrorKind::Forked.into());
        }
        Ok(self.runtime.block_on(ask())?)
    }
}

impl<S: AsyncStore, X: BlockOn> Store for Blocking<S, X> {
    fn load(&self, keys: &[Key]) -> Vec<Loaded> {
        self.wait(|| self.store.load(keys)).unwrap_or_else(|error| keys.iter().map(|_| Err(error.clone())).collect())
    }

    fn commit(&self, batch: Vec<ChangeSet>) -> Vec<CommitOutcome> {
        let len = batch.len();
        let failed = |error: StoreError| (0..len).map(|_| CommitOutcome::Failed(error.clone())).collect();
        self.wait(|| self.store.commit(batch)).unwrap_or_else(failed)
    }

    fn drive(&self, plan: &mut Plan<'_>) {
        by_load_and_commit(self, plan);
    }

    fn round_players(&self) -> usize {
        self.store.round_players()
    }

    fn advance(&self, to: Horizon) -> Result<Horizon, StoreError> {
        self.wait(|| self.store.advance(to))?
    }

    fn header(&self) -> Result<Header, StoreError> {
        self.wait(|| self.store.header())?
    }

    fn replace_header(&self, expected: &Header, new: &Header) -> Result<bool, StoreError> {
        self.wait(|| self.store.replace_header(expected, new))?
    }
}

impl<S: Partitioned, X: BlockOn> Partitioned for Blocking<S, X> {
    fn partitions(&self) -> u16 {
        self.store.partitions()
    }
}

impl<S: AsyncScan, X: BlockOn> Scan for Blocking<S, X> {
    fn scan(
        &self,
        partition: u16,
        kind: Option<Kind>,
        after: Option<&Key>,
        limit: usize,
    ) -> Result<Vec<(Key, Record)>, StoreError> {
        self.wait(|| self.store.scan(partition, kind, after, limit))?
    }

    fn scan_player(
        &self,
        player: &PlayerId,
        kind: Option<Kind>,
        after: Option<&Key>,
        limit: usize,
    ) -> Result<Vec<(Key, Record)>, StoreError> {
        self.wait(|| self.store.scan_player(player, kind, after, limit))?
    }
}

impl<S: AsyncBoards, X: BlockOn> Boards for Blocking<S, X> {
    fn read(&self, reads: &[BoardRead]) -> Vec<Result<BoardAnswer, StoreError>> {
        self.wait(|| self.store.read(reads)).unwrap_or_else(|error| reads.iter().map(|_| Err(error.clone())).collect())
    }

    fn retain(&self, keep: Keeps<'_>) -> Result<(), StoreError> {
        self.wait(|| self.store.retain(keep))?
    }

    fn rebuild(&self, keep: Keeps<'_>) -> Result<(), StoreError> {
        self.wait(|| self.store.rebuild(keep))?
    }

    fn catch_up(&self) -> Result<(), StoreError> {
        self.wait(|| self.store.catch_up())?
    }

    fn horizon(&self) -> Horizon {
        self.store.horizon()
    }

    fn lag(&self) -> Result<Lag, StoreError> {
        self.wait(|| self.store.lag())?
    }

    fn note_final(&self, key: &BoardKey, rows: &[Row]) -> Result<(), StoreError> {
        self.wait(|| self.store.note_final(key, rows))?
    }
}

impl<S: AsyncFeed, X: BlockOn> Feed for Blocking<S, X> {
    fn feed(&self, partition: u16, after: u64, limit: usize) -> Result<Vec<FeedEntry>, StoreError> {
        self.wait(|| self.store.feed(partition, after, limit))?
    }

    fn last(&self, partition: u16) -> Result<u64, StoreError> {
        self.wait(|| self.store.last(partition))?
    }

    fn ack(&self, consumer: &Consumer, partition: u16, through: u64) -> Result<(), StoreError> {
        self.wait(|| self.store.ack(consumer, partition, through))?
    }

    fn drop_consumer(&self, consumer: &Consumer) -> Result<(), StoreError> {
        self.wait(|| self.store.drop_consumer(consumer))?
    }

    fn consumers(&self) -> Result<Vec<ConsumerMark>, StoreError> {
        self.wait(|| self.store.consumers())?
    }
}

impl<S: AsyncWhole, X: BlockOn> Whole for Blocking<S, X> {
    fn digest(&self) -> Result<String, StoreError> {
        self.wait(|| self.store.digest())?
    }

    fn snapshot(&self, to: &mut (dyn Write + Send)) -> Result<(), StoreError> {
        self.wait(|| self.store.snapshot(to))?
    }

    fn restore(&self, from: &mut (dyn Read + Send)) -> Result<(), StoreError> {
        self.wait(|| self.store.restore(from))?
    }

    fn size(&self) -> Result<Size, StoreError> {
        self.wait(|| self.store.size())?
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::MemoryStore;
    use crate::store::Ready;

    /// A runtime on one of whose threads the caller stands.
    struct Inside;

    impl BlockOn for Inside {
        fn block_on<F: Future>(&self, _: F) -> Result<F::Output, StoreErrorKind> {
            Err(StoreErrorKind::WouldBlock)
        }
    }

    fn kinds(store: &impl Store) -> (Vec<StoreErrorKind>, StoreErrorKind) {
        let loaded = store.load(&[Key::Horizon, Key::Horizon]).into_iter().map(|answer| answer.unwrap_err().kind);
        (loaded.collect(), store.advance(Horizon::default()).unwrap_err().kind)
    }

    #[test]
    fn it_answers_where_it_may_not_wait() {
        use StoreErrorKind::WouldBlock;
        let store = Blocking::new(Ready(MemoryStore::new()), Inside);
        assert_eq!(kinds(&store), (vec![WouldBlock; 2], WouldBlock));
    }

    /// Does not make the futures that it is asked for, even.
    struct Untouchable;

    impl AsyncStore for Untouchable {
        fn load(&self, _: &[Key]) -> impl Future<Output = Vec<Loaded>> + Send {
            unreached::<std::future::Ready<_>>()
        }
        fn commit(&self, _: Vec<ChangeSet>) -> impl Future<Output = Vec<CommitOutcome>> + Send {
            unreached::<std::future::Ready<_>>()
        }
        fn round_players(&self) -> usize {
            1
        }
        fn advance(&self, _: Horizon) -> impl Future<Output = Result<Horizon, StoreError>> + Send {
            unreached::<std::future::Ready<_>>()
        }
        fn header(&self) -> impl Future<Output = Result<Header, StoreError>> + Send {
            unreached::<std::future::Ready<_>>()
        }
        fn replace_header(&self, _: &Header, _: &Header) -> impl Future<Output = Result<bool, StoreError>> + Send {
            unreached::<std::future::Ready<_>>()
        }
    }

    fn unreached<F>() -> F {
        unreachable!("asked after a fork")
    }

    #[test]
    fn after_a_fork_the_store_is_not_asked() {
        use StoreErrorKind::Forked;
        let mut store = Blocking::new(Untouchable, crate::testing::Parked);
        store.process ^= 1;
        assert_eq!(kinds(&store), (vec![Forked; 2], Forked));
        assert_eq!(store.header().unwrap_err().kind, Forked);
        let header = Header::default();
        assert_eq!(store.replace_header(&header, &header).unwrap_err().kind, Forked);
    }
}
