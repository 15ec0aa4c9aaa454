//! The traits. What speaks to the server is behind one pointer, and the boards that follow it hold another.

use std::io::{Read, Write};

use liveops_core::board::Row;
use liveops_core::error::{StoreError, StoreErrorKind};
use liveops_core::limits::ROUND_PLAYERS_MAX;
use liveops_core::record::{BoardKey, ChangeSet, CommitOutcome, Header, Horizon, Kind, Record};
use liveops_core::store::{
    AsyncBoards, AsyncFeed, AsyncScan, AsyncStore, AsyncTail, AsyncWhole, BoardAnswer, BoardRead, Consumer,
    ConsumerMark, FeedEntry, Keeps, Lag, Loaded, Partitioned, Size, TailPage,
};
use liveops_core::{Key, PlayerId};

use crate::error::Fault;
use crate::scan::Walk;
use crate::{Inner, PostgresStore};

impl AsyncStore for PostgresStore {
    async fn load(&self, keys: &[Key]) -> Vec<Loaded> {
        let answers = self.inner.load_keys(keys).await;
        for answer in &answers {
            if let Ok(Some(Record::Horizon(horizon))) = answer {
                self.boards.advanced(*horizon);
            }
        }
        answers
    }

    async fn commit(&self, batch: Vec<ChangeSet>) -> Vec<CommitOutcome> {
        let outcomes = self.inner.commit_sets(&batch).await;
        let is_applied = |(_, outcome): &(&ChangeSet, &CommitOutcome)| matches!(outcome, CommitOutcome::Applied);
        let applied: Vec<&ChangeSet> = batch.iter().zip(&outcomes).filter(is_applied).map(|(set, _)| set).collect();
        self.boards.committed(&applied).await;
        outcomes
    }

    fn round_players(&self) -> usize {
        ROUND_PLAYERS_MAX
    }

    async fn advance(&self, to: Horizon) -> Result<Horizon, StoreError> {
        let horizon = self.inner.raise(to).await?;
        self.boards.advanced(horizon);
        Ok(horizon)
    }

    async fn header(&self) -> Result<Header, StoreError> {
        self.inner.read_header().await
    }

    async fn replace_header(&self, expected: &Header, new: &Header) -> Result<bool, StoreError> {
        self.inner.set_header(expected, new).await
    }
}

impl Partitioned for Inner {
    fn partitions(&self) -> u16 {
        1
    }
}

impl AsyncScan for Inner {
    async fn scan(
        &self,
        partition: u16,
        kind: Option<Kind>,
        after: Option<&Key>,
        limit: usize,
    ) -> Result<Vec<(Key, Record)>, StoreError> {
        only(partition)?;
        self.scan_page(Walk { kind, after, only: None }, limit).await
    }

    async fn scan_player(
        &self,
        player: &PlayerId,
        kind: Option<Kind>,
        after: Option<&Key>,
        limit: usize,
    ) -> Result<Vec<(Key, Record)>, StoreError> {
        self.scan_page(Walk { kind, after, only: Some(player) }, limit).await
    }
}

impl AsyncTail for Inner {
    fn partition_of(&self, _: &PlayerId) -> u16 {
        0
    }

    async fn tail(&self, after: &[u64], limit: usize) -> Vec<Result<TailPage, StoreError>> {
        let mut pages = Vec::with_capacity(after.len());
        for (partition, after) in (0..).zip(after) {
            pages.push(match only(partition) {
                Ok(()) => self.tail_page(*after, limit).await,
                Err(error) => Err(error),
            });
        }
        pages
    }

    async fn begins(&self) -> Result<Vec<u64>, StoreError> {
        Ok(vec![self.begin().await?])
    }

    async fn ends(&self) -> Result<Vec<u64>, StoreError> {
        Ok(vec![self.end().await?])
    }

    async fn advanced_to(&self) -> Result<Horizon, StoreError> {
        self.horizon().await
    }
}

impl Partitioned for PostgresStore {
    fn partitions(&self) -> u16 {
        self.inner.partitions()
    }
}

impl AsyncScan for PostgresStore {
    async fn scan(
        &self,
        partition: u16,
        kind: Option<Kind>,
        after: Option<&Key>,
        limit: usize,
    ) -> Result<Vec<(Key, Record)>, StoreError> {
        self.inner.scan(partition, kind, after, limit).await
    }

    async fn scan_player(
        &self,
        player: &PlayerId,
        kind: Option<Kind>,
        after: Option<&Key>,
        limit: usize,
    ) -> Result<Vec<(Key, Record)>, StoreError> {
        self.inner.scan_player(player, kind, after, limit).await
    }
}

impl AsyncTail for PostgresStore {
    fn partition_of(&self, player: &PlayerId) -> u16 {
        self.inner.partition_of(player)
    }

    async fn tail(&self, after: &[u64], limit: usize) -> Vec<Result<TailPage, StoreError>> {
        self.inner.tail(after, limit).await
    }

    async fn begins(&self) -> Result<Vec<u64>, StoreError> {
        self.inner.begins().await
    }

    async fn ends(&self) -> Result<Vec<u64>, StoreError> {
        self.inner.ends().await
    }

    async fn advanced_to(&self) -> Result<Horizon, StoreError> {
        self.inner.advanced_to().await
    }
}

impl AsyncBoards for PostgresStore {
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
        let cursor = self.boards.replica().cursors().first().copied().unwrap_or_default();
        let (behind, oldest_transaction_millis) = self.inner.behind(cursor).await.map_err(Fault::reading)?;
        Ok(Lag { behind, oldest_transaction_millis, ..self.boards.lag() })
    }

    async fn note_final(&self, key: &BoardKey, rows: &[Row]) -> Result<(), StoreError> {
        self.inner.note_final_rows(key, rows).await
    }
}

impl AsyncFeed for PostgresStore {
    async fn feed(&self, partition: u16, after: u64, limit: usize) -> Result<Vec<FeedEntry>, StoreError> {
        only(partition)?;
        self.inner.feed_page(after, limit).await
    }

    async fn last(&self, partition: u16) -> Result<u64, StoreError> {
        only(partition)?;
        let last = self.inner.last_of_feed().await?;
        Ok(u64::try_from(last).map_err(|_| StoreErrorKind::Corrupt)?)
    }

    async fn ack(&self, consumer: &Consumer, partition: u16, through: u64) -> Result<(), StoreError> {
        only(partition)?;
        self.inner.note_ack(consumer, through).await
    }

    async fn drop_consumer(&self, consumer: &Consumer) -> Result<(), StoreError> {
        self.inner.forget_consumer(consumer).await
    }

    async fn consumers(&self) -> Result<Vec<ConsumerMark>, StoreError> {
        self.inner.known_consumers().await
    }
}

impl AsyncWhole for PostgresStore {
    async fn digest(&self) -> Result<String, StoreError> {
        self.inner.digest_of_all().await
    }

    async fn snapshot(&self, to: &mut (dyn Write + Send)) -> Result<(), StoreError> {
        self.inner.write_snapshot(to).await
    }

    async fn restore(&self, from: &mut (dyn Read + Send)) -> Result<(), StoreError> {
        let horizon = self.inner.fill(from).await?;
        self.boards.advanced(horizon);
        // The cursors are of a new epoch: the boards are built anew.
        self.boards.catch_up().await
    }

    async fn size(&self) -> Result<Size, StoreError> {
        let size = self.inner.count().await?;
        Ok(Size { boards: self.boards.replica().len() as u64, ..size })
    }
}

/// There is one partition.
fn only(partition: u16) -> Result<(), StoreError> {
    if partition == 0 { Ok(()) } else { Err(StoreErrorKind::Misconfigured.into()) }
}
