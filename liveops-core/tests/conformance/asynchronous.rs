//! A store that is far away: each call waits before it begins and before it answers. And one whose commits take two steps.

use std::io::{Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Poll;

use liveops_core::board::Row;
use liveops_core::conformance;
use liveops_core::error::StoreError;
use liveops_core::record::{BoardKey, ChangeSet, CommitOutcome, Header, Horizon, Kind};
use liveops_core::store::{
    AsyncBoards, AsyncFeed, AsyncScan, AsyncWhole, BoardAnswer, BoardRead, Consumer, ConsumerMark, FeedEntry, Keeps,
    Lag, Loaded, Partitioned, Size,
};
use liveops_core::testing::Parked;
use liveops_core::{AsyncStore, Boards, Feed, Key, MemoryStore, PlayerId, Record, Scan, Store, Whole};

pub(crate) struct Remote<S>(pub(crate) S);

/// Lets others go first once.
fn wait() -> impl Future<Output = ()> + Send {
    let mut waited = false;
    std::future::poll_fn(move |context| {
        if std::mem::replace(&mut waited, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
}

pub(crate) async fn far<T>(answer: impl FnOnce() -> T + Send) -> T
where
    T: Send,
{
    wait().await;
    let answer = answer();
    wait().await;
    answer
}

impl<S: Store> AsyncStore for Remote<S> {
    async fn load(&self, keys: &[Key]) -> Vec<Loaded> {
        far(|| self.0.load(keys)).await
    }

    async fn commit(&self, batch: Vec<ChangeSet>) -> Vec<CommitOutcome> {
        far(|| self.0.commit(batch)).await
    }

    fn round_players(&self) -> usize {
        self.0.round_players()
    }

    async fn advance(&self, to: Horizon) -> Result<Horizon, StoreError> {
        far(|| self.0.advance(to)).await
    }

    async fn header(&self) -> Result<Header, StoreError> {
        far(|| self.0.header()).await
    }

    async fn replace_header(&self, expected: &Header, new: &Header) -> Result<bool, StoreError> {
        far(|| self.0.replace_header(expected, new)).await
    }
}

impl<S: Partitioned> Partitioned for Remote<S> {
    fn partitions(&self) -> u16 {
        self.0.partitions()
    }
}

impl<S: Scan> AsyncScan for Remote<S> {
    async fn scan(
        &self,
        partition: u16,
        kind: Option<Kind>,
        after: Option<&Key>,
        limit: usize,
    ) -> Result<Vec<(Key, Record)>, StoreError> {
        far(|| self.0.scan(partition, kind, after, limit)).await
    }

    async fn scan_player(
        &self,
        player: &PlayerId,
        kind: Option<Kind>,
        after: Option<&Key>,
        limit: usize,
    ) -> Result<Vec<(Key, Record)>, StoreError> {
        far(|| self.0.scan_player(player, kind, after, limit)).await
    }
}

impl<S: Boards> AsyncBoards for Remote<S> {
    async fn read(&self, reads: &[BoardRead]) -> Vec<Result<BoardAnswer, StoreError>> {
        far(|| self.0.read(reads)).await
    }

    async fn retain(&self, keep: Keeps<'_>) -> Result<(), StoreError> {
        far(|| self.0.retain(keep)).await
    }

    async fn rebuild(&self, keep: Keeps<'_>) -> Result<(), StoreError> {
        far(|| self.0.rebuild(keep)).await
    }

    async fn catch_up(&self) -> Result<(), StoreError> {
        far(|| self.0.catch_up()).await
    }

    fn horizon(&self) -> Horizon {
        self.0.horizon()
    }

    async fn lag(&self) -> Result<Lag, StoreError> {
        far(|| self.0.lag()).await
    }

    async fn note_final(&self, key: &BoardKey, rows: &[Row]) -> Result<(), StoreError> {
        far(|| self.0.note_final(key, rows)).await
    }
}

impl<S: Feed> AsyncFeed for Remote<S> {
    async fn feed(&self, partition: u16, after: u64, limit: usize) -> Result<Vec<FeedEntry>, StoreError> {
        far(|| self.0.feed(partition, after, limit)).await
    }

    async fn last(&self, partition: u16) -> Result<u64, StoreError> {
        far(|| self.0.last(partition)).await
    }

    async fn ack(&self, consumer: &Consumer, partition: u16, through: u64) -> Result<(), StoreError> {
        far(|| self.0.ack(consumer, partition, through)).await
    }

    async fn drop_consumer(&self, consumer: &Consumer) -> Result<(), StoreError> {
        far(|| self.0.drop_consumer(consumer)).await
    }

    async fn consumers(&self) -> Result<Vec<ConsumerMark>, StoreError> {
        far(|| self.0.consumers()).await
    }
}

impl<S: Whole> AsyncWhole for Remote<S> {
    async fn digest(&self) -> Result<String, StoreError> {
        far(|| self.0.digest()).await
    }

    async fn snapshot(&self, to: &mut (dyn Write + Send)) -> Result<(), StoreError> {
        far(|| self.0.snapshot(to)).await
    }

    async fn restore(&self, from: &mut (dyn Read + Send)) -> Result<(), StoreError> {
        far(|| self.0.restore(from)).await
    }

    async fn size(&self) -> Result<Size, StoreError> {
        far(|| self.0.size()).await
    }
}

/// Writes the player, and after a while what belongs to the player.
struct InTwoSteps(MemoryStore);

impl AsyncStore for InTwoSteps {
    async fn load(&self, keys: &[Key]) -> Vec<Loaded> {
        self.0.load(keys)
    }

    async fn commit(&self, batch: Vec<ChangeSet>) -> Vec<CommitOutcome> {
        let mut first = batch.clone();
        for set in &mut first {
            set.outcomes.clear();
        }
        let mut results = self.0.commit(first);
        wait().await;
        for (set, result) in batch.into_iter().zip(&mut results) {
            if matches!(result, CommitOutcome::Applied) {
                *result = self.0.commit(vec![ChangeSet { expected: set.record.version, ..set }]).remove(0);
            }
        }
        results
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

#[test]
fn half_a_commit_is_noticed() {
    let check = || conformance::check_async(|| InTwoSteps(MemoryStore::new()), || Parked);
    let message = catch_unwind(AssertUnwindSafe(check)).unwrap_err();
    let message = message.downcast_ref::<String>().unwrap();
    assert!(message.contains("half of a set is written"), "{message}");
}
