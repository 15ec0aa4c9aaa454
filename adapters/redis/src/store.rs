//! The store that engines are given: the game, and boards in memory that follow it.

use std::io::{Read, Write};
use std::sync::Arc;

use liveops_adapters::{Follower, Runtime};
use liveops_core::board::Row;
use liveops_core::error::StoreError;
use liveops_core::id::PlayerId;
use liveops_core::limits::ROUND_PLAYERS_MAX;
use liveops_core::record::{BoardKey, ChangeSet, CommitOutcome, Header, Horizon, Key, Kind, Record};
use liveops_core::store::{
    AsyncBoards, AsyncFeed, AsyncScan, AsyncStore, AsyncTail, AsyncWhole, Blocking, BoardAnswer, BoardRead, Consumer,
    ConsumerMark, FeedEntry, Keeps, Lag, Loaded, Partitioned, Size, TailPage,
};
use liveops_core::time::Timestamp;

use crate::inner::Inner;
use crate::open;
use crate::options::Options;

/// A game in Redis. A clone is the same store; boards follow for as long as one is there.
///
/// It answers boards from memory, as every process does that has the game open: see [`Follower`].
#[derive(Clone, Debug)]
pub struct RedisStore {
    inner: Arc<Inner>,
    boards: Arc<Follower<Inner>>,
}

/// Threads that wait for Redis on behalf of callers who block.
const WORKERS: usize = 2;

impl RedisStore {
    /// Opens a game in one server, `redis://host:6379/0`, `rediss://host:6379/0` or `redis+unix:///path`, and reads who stands on its
    /// boards. The game is begun where it is not there yet.
    ///
    /// Errors: `store_unavailable` where nobody answers, `store_misconfigured` for a server that cannot be relied upon or refuses this
    /// client, or for a game of another number of partitions, `record_too_new` for one of a later version.
    pub async fn connect(url: &str, options: Options) -> Result<Self, StoreError> {
        Self::follow(open::single(url, options).await?).await
    }

    /// The same in a cluster, of which some addresses are known.
    pub async fn connect_cluster<U: Into<String>>(
        urls: impl IntoIterator<Item = U>,
        options: Options,
    ) -> Result<Self, StoreError> {
        let urls: Vec<String> = urls.into_iter().map(Into::into).collect();
        Self::follow(open::cluster(&urls, options).await?).await
    }

    /// [`Self::connect`] for callers who block, with threads of its own.
    pub fn connect_blocking(url: &str, options: Options) -> Result<Blocking<Self, Runtime>, StoreError> {
        block(Self::connect(url, options))
    }

    /// [`Self::connect_cluster`] for callers who block, with threads of its own.
    pub fn connect_cluster_blocking<U: Into<String>>(
        urls: impl IntoIterator<Item = U>,
        options: Options,
    ) -> Result<Blocking<Self, Runtime>, StoreError> {
        block(Self::connect_cluster(urls, options))
    }

    /// What the clock of the server says: of one of them, in a cluster.
    pub async fn now(&self) -> Result<Timestamp, StoreError> {
        self.inner.now().await
    }

    async fn follow(inner: Inner) -> Result<Self, StoreError> {
        let inner = Arc::new(inner);
        let boards = Arc::new(Follower::new(Arc::clone(&inner)));
        boards.advanced(inner.game_horizon().await?);
        boards.join().await?;
        Ok(Self { inner, boards })
    }
}

fn block(
    connect: impl Future<Output = Result<RedisStore, StoreError>>,
) -> Result<Blocking<RedisStore, Runtime>, StoreError> {
    use liveops_core::store::BlockOn as _;
    let runtime = Runtime::new(WORKERS)?;
    let store = runtime.block_on(connect)??;
    Ok(Blocking::new(store, runtime))
}

impl AsyncStore for RedisStore {
    async fn load(&self, keys: &[Key]) -> Vec<Loaded> {
        let loaded = self.inner.load(keys).await;
        for answer in &loaded {
            if let Ok(Some(Record::Horizon(horizon))) = answer {
                self.boards.advanced(*horizon);
                break;
            }
        }
        loaded
    }

    async fn commit(&self, batch: Vec<ChangeSet>) -> Vec<CommitOutcome> {
        let (outcomes, told) = self.inner.commit(&batch).await;
        let applied = batch.iter().zip(&outcomes).filter(|(_, outcome)| matches!(outcome, CommitOutcome::Applied));
        let applied: Vec<&ChangeSet> = applied.map(|(set, _)| set).collect();
        // What is left to the outbox, which has the order of two lives under one name, is read there, also by this process.
        if self.boards.replica().committed_here(&applied) {
            self.inner.note_own(told);
        } else {
            // What was committed is committed, and shown at the next look.
            _ = self.boards.catch_up().await;
        }
        outcomes
    }

    fn round_players(&self) -> usize {
        ROUND_PLAYERS_MAX
    }

    async fn advance(&self, to: Horizon) -> Result<Horizon, StoreError> {
        let horizon = self.inner.advance(to).await?;
        self.boards.advanced(horizon);
        Ok(horizon)
    }

    async fn header(&self) -> Result<Header, StoreError> {
        self.inner.header().await
    }

    async fn replace_header(&self, expected: &Header, new: &Header) -> Result<bool, StoreError> {
        self.inner.replace_header(expected, new).await
    }
}

impl AsyncBoards for RedisStore {
    async fn read(&self, reads: &[BoardRead]) -> Vec<Result<BoardAnswer, StoreError>> {
        self.boards.read(reads).await
    }

    async fn retain(&self, keep: Keeps<'_>) -> Result<(), StoreError> {
        self.boards.retain(keep).await
    }

    async fn rebuild(&self, keep: Keeps<'_>) -> Result<(), StoreError> {
        self.boards.rebuild(keep).await
    }

    async fn catch_up(&self) -> Result<(), StoreError> {
        self.boards.catch_up().await
    }

    fn horizon(&self) -> Horizon {
        self.boards.replica().horizon()
    }

    async fn lag(&self) -> Result<Lag, StoreError> {
        let followed = self.boards.replica().cursors();
        let ends = self.inner.ends().await?;
        let behind = ends.iter().zip(followed).map(|(end, followed)| end.saturating_sub(followed)).sum();
        Ok(Lag { behind, ..self.boards.lag() })
    }

    /// There is no place for that in Redis.
    async fn note_final(&self, _: &BoardKey, _: &[Row]) -> Result<(), StoreError> {
        Ok(())
    }
}

impl AsyncFeed for RedisStore {
    async fn feed(&self, partition: u16, after: u64, limit: usize) -> Result<Vec<FeedEntry>, StoreError> {
        self.inner.feed(partition, after, limit).await
    }

    async fn last(&self, partition: u16) -> Result<u64, StoreError> {
        self.inner.last(partition).await
    }

    async fn ack(&self, consumer: &Consumer, partition: u16, through: u64) -> Result<(), StoreError> {
        self.inner.ack(consumer, partition, through).await
    }

    async fn drop_consumer(&self, consumer: &Consumer) -> Result<(), StoreError> {
        self.inner.drop_consumer(consumer).await
    }

    async fn consumers(&self) -> Result<Vec<ConsumerMark>, StoreError> {
        self.inner.consumers().await
    }
}

/// A digest and a snapshot are of one moment, for which the store has to stand still: if somebody writes meanwhile, they are
/// `store_unavailable`. A game that runs is backed up by Redis itself.
impl AsyncWhole for RedisStore {
    async fn digest(&self) -> Result<String, StoreError> {
        self.inner.digest().await
    }

    async fn snapshot(&self, to: &mut (dyn Write + Send)) -> Result<(), StoreError> {
        self.inner.snapshot(to).await
    }

    async fn restore(&self, from: &mut (dyn Read + Send)) -> Result<(), StoreError> {
        self.inner.restore(from).await?;
        self.boards.catch_up().await
    }

    async fn size(&self) -> Result<Size, StoreError> {
        let size = self.inner.size().await?;
        Ok(Size { boards: self.boards.replica().len() as u64, ..size })
    }
}

/// Implements what is the same for the game and for the store around it.
macro_rules! passed_on {
    ($type:ty, $own:ident => $inner:expr, $tail:ident) => {
        impl Partitioned for $type {
            fn partitions(&self) -> u16 {
                let $own = self;
                $inner.layout.partitions()
            }
        }

        impl AsyncScan for $type {
            async fn scan(
                &self,
                partition: u16,
                kind: Option<Kind>,
                after: Option<&Key>,
                limit: usize,
            ) -> Result<Vec<(Key, Record)>, StoreError> {
                let $own = self;
                Inner::scan($inner, partition, kind, after, limit).await
            }

            async fn scan_player(
                &self,
                player: &PlayerId,
                kind: Option<Kind>,
                after: Option<&Key>,
                limit: usize,
            ) -> Result<Vec<(Key, Record)>, StoreError> {
                let $own = self;
                Inner::scan_player($inner, player, kind, after, limit).await
            }
        }

        impl AsyncTail for $type {
            fn partition_of(&self, player: &PlayerId) -> u16 {
                let $own = self;
                $inner.layout.partition_of(player)
            }

            async fn tail(&self, after: &[u64], limit: usize) -> Vec<Result<TailPage, StoreError>> {
                let $own = self;
                Inner::$tail($inner, after, limit).await
            }

            async fn begins(&self) -> Result<Vec<u64>, StoreError> {
                let $own = self;
                Inner::ends($inner).await
            }

            async fn ends(&self) -> Result<Vec<u64>, StoreError> {
                let $own = self;
                Inner::ends($inner).await
            }

            async fn advanced_to(&self) -> Result<Horizon, StoreError> {
                let $own = self;
                $inner.game_horizon().await
            }
        }
    };
}

passed_on!(Inner, own => own, tail);
passed_on!(RedisStore, own => &own.inner, tail_of_all);
