//! The same boundary for asynchronous clients.

use std::io::{Read, Write};

use super::{
    BoardAnswer, BoardRead, Boards, Consumer, ConsumerMark, Feed, FeedEntry, Keeps, Lag, Loaded, Partitioned, Scan,
    Size, Store, Whole,
};
use crate::board::Row;
use crate::error::StoreError;
use crate::id::PlayerId;
use crate::plan::Plan;
use crate::record::{BoardKey, ChangeSet, CommitOutcome, Header, Horizon, Key, Kind, Record};

/// [`Store`] for asynchronous clients: the same promises.
///
/// Not dyn-compatible by design: an application names its store type. The futures are `Send`.
pub trait AsyncStore: Send + Sync {
    /// Reads many records.
    fn load(&self, keys: &[Key]) -> impl Future<Output = Vec<Loaded>> + Send;

    /// Writes many change sets.
    fn commit(&self, batch: Vec<ChangeSet>) -> impl Future<Output = Vec<CommitOutcome>> + Send;

    /// How many players' commands are loaded and committed together, at most; at least 1.
    fn round_players(&self) -> usize;

    /// Raises the horizon.
    fn advance(&self, to: Horizon) -> impl Future<Output = Result<Horizon, StoreError>> + Send;

    /// What the records are of.
    fn header(&self) -> impl Future<Output = Result<Header, StoreError>> + Send;

    /// Replaces the header that is expected to be there; whether it was.
    fn replace_header(&self, expected: &Header, new: &Header) -> impl Future<Output = Result<bool, StoreError>> + Send;
}

/// Load, decide, commit, until every command has its outcome.
pub async fn drive<S: AsyncStore + ?Sized>(store: &S, plan: &mut Plan<'_>) {
    let round_players = store.round_players();
    loop {
        let keys = plan.keys(round_players);
        if keys.is_empty() {
            return;
        }
        let batch = plan.decide(store.load(&keys).await);
        if !batch.is_empty() {
            plan.resolve(store.commit(batch).await);
        }
    }
}

/// [`Scan`] for asynchronous clients.
pub trait AsyncScan: Partitioned {
    /// The next records of a partition after a key.
    fn scan(
        &self,
        partition: u16,
        kind: Option<Kind>,
        after: Option<&Key>,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<(Key, Record)>, StoreError>> + Send;

    /// The same of one player.
    fn scan_player(
        &self,
        player: &PlayerId,
        kind: Option<Kind>,
        after: Option<&Key>,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<(Key, Record)>, StoreError>> + Send;
}

/// [`Boards`] for asynchronous clients.
pub trait AsyncBoards: Send + Sync {
    /// Answers many questions, in order, in one round trip.
    fn read(&self, reads: &[BoardRead]) -> impl Future<Output = Vec<Result<BoardAnswer, StoreError>>> + Send;

    /// Frees the boards that are not to be kept.
    fn retain(&self, keep: Keeps<'_>) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Brings back what was freed and is kept again.
    fn rebuild(&self, keep: Keeps<'_>) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Everything that was committed before the call is on the boards when it returns.
    fn catch_up(&self) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// The newest horizon that the boards were told of.
    fn horizon(&self) -> Horizon;

    /// How far behind the boards are.
    fn lag(&self) -> impl Future<Output = Result<Lag, StoreError>> + Send;

    /// Keeps the rows that a closed period ended in.
    fn note_final(&self, key: &BoardKey, rows: &[Row]) -> impl Future<Output = Result<(), StoreError>> + Send;
}

/// [`Feed`] for asynchronous clients.
pub trait AsyncFeed: Partitioned {
    /// The next entries of a partition after a cursor.
    fn feed(
        &self,
        partition: u16,
        after: u64,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<FeedEntry>, StoreError>> + Send;

    /// The cursor of the newest entry ever.
    fn last(&self, partition: u16) -> impl Future<Output = Result<u64, StoreError>> + Send;

    /// A consumer has dealt with everything through the cursor.
    fn ack(
        &self,
        consumer: &Consumer,
        partition: u16,
        through: u64,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Forgets a consumer.
    fn drop_consumer(&self, consumer: &Consumer) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Everybody known, by name.
    fn consumers(&self) -> impl Future<Output = Result<Vec<ConsumerMark>, StoreError>> + Send;
}

/// [`Whole`] for asynchronous clients.
pub trait AsyncWhole: Send + Sync {
    /// Names the state of all records.
    fn digest(&self) -> impl Future<Output = Result<String, StoreError>> + Send;

    /// Writes the whole state.
    fn snapshot(&self, to: &mut (dyn Write + Send)) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Takes the state of a snapshot.
    fn restore(&self, from: &mut (dyn Read + Send)) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// How much there is.
    fn size(&self) -> impl Future<Output = Result<Size, StoreError>> + Send;
}

/// A blocking store behind the asynchronous boundary, answering at once: for stores in memory, and for whoever may block.
#[derive(Debug, Default)]
pub struct Ready<S>(pub S);

impl<S: Store> AsyncStore for Ready<S> {
    async fn load(&self, keys: &[Key]) -> Vec<Loaded> {
        self.0.load(keys)
    }

    async fn commit(&self, batch: Vec<ChangeSet>) -> Vec<CommitOutcome> {
        self.0.commit(batch)
    }

    fn round_players(&self) -> usize {
        self.0.round_players()
    }

    async fn advance(&self, to: Horizon) -> Result<Horizon, StoreError> {
        self.0.advance(to)
    }

    async fn header(&self) -> Result<Header, StoreError> {
        self.0.header()
    }

    async fn replace_header(&self, expected: &Header, new: &Header) -> Result<bool, StoreError> {
        self.0.replace_header(expected, new)
    }
}

impl<S: Partitioned> Partitioned for Ready<S> {
    fn partitions(&self) -> u16 {
        self.0.partitions()
    }
}

impl<S: Scan> AsyncScan for Ready<S> {
    async fn scan(
        &self,
        partition: u16,
        kind: Option<Kind>,
        after: Option<&Key>,
        limit: usize,
    ) -> Result<Vec<(Key, Record)>, StoreError> {
        self.0.scan(partition, kind, after, limit)
    }

    async fn scan_player(
        &self,
        player: &PlayerId,
        kind: Option<Kind>,
        after: Option<&Key>,
        limit: usize,
    ) -> Result<Vec<(Key, Record)>, StoreError> {
        self.0.scan_player(player, kind, after, limit)
    }
}

impl<S: Boards> AsyncBoards for Ready<S> {
    async fn read(&self, reads: &[BoardRead]) -> Vec<Result<BoardAnswer, StoreError>> {
        self.0.read(reads)
    }

    async fn retain(&self, keep: Keeps<'_>) -> Result<(), StoreError> {
        self.0.retain(keep)
    }

    async fn rebuild(&self, keep: Keeps<'_>) -> Result<(), StoreError> {
        self.0.rebuild(keep)
    }

    async fn catch_up(&self) -> Result<(), StoreError> {
        self.0.catch_up()
    }

    fn horizon(&self) -> Horizon {
        self.0.horizon()
    }

    async fn lag(&self) -> Result<Lag, StoreError> {
        self.0.lag()
    }

    async fn note_final(&self, key: &BoardKey, rows: &[Row]) -> Result<(), StoreError> {
        self.0.note_final(key, rows)
    }
}

impl<S: Feed> AsyncFeed for Ready<S> {
    async fn feed(&self, partition: u16, after: u64, limit: usize) -> Result<Vec<FeedEntry>, StoreError> {
        self.0.feed(partition, after, limit)
    }

    async fn last(&self, partition: u16) -> Result<u64, StoreError> {
        self.0.last(partition)
    }

    async fn ack(&self, consumer: &Consumer, partition: u16, through: u64) -> Result<(), StoreError> {
        self.0.ack(consumer, partition, through)
    }

    async fn drop_consumer(&self, consumer: &Consumer) -> Result<(), StoreError> {
        self.0.drop_consumer(consumer)
    }

    async fn consumers(&self) -> Result<Vec<ConsumerMark>, StoreError> {
        self.0.consumers()
    }
}

impl<S: Whole> AsyncWhole for Ready<S> {
    async fn digest(&self) -> Result<String, StoreError> {
        self.0.digest()
    }

    async fn snapshot(&self, to: &mut (dyn Write + Send)) -> Result<(), StoreError> {
        self.0.snapshot(to)
    }

    async fn restore(&self, from: &mut (dyn Read + Send)) -> Result<(), StoreError> {
        self.0.restore(from)
    }

    async fn size(&self) -> Result<Size, StoreError> {
        self.0.size()
    }
}
