//! Following: the boards of a far store, in memory.

use std::hash::{BuildHasher as _, RandomState};
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Weak};
use std::time::Duration;

use futures_util::FutureExt as _;
use liveops_core::Replica;
use liveops_core::error::StoreError;
use liveops_core::record::{ChangeSet, Horizon};
use liveops_core::store::{AsyncTail, BoardAnswer, BoardRead, Keeps, Lag};
use parking_lot::Mutex;
use tokio::task::AbortHandle;
use tokio::time::Instant;

/// Between two looks at news.
const BUSY: Duration = Duration::from_millis(100);
/// Between two looks where nothing happens.
const IDLE_MAX: Duration = Duration::from_secs(1);
/// Between two looks at a store that does not answer.
const FAILING_MAX: Duration = Duration::from_secs(5);
/// Entries of a partition at one look. Who gets as many looks again at once.
const PAGE_ENTRIES: usize = 512;

/// Boards in memory that follow a far store: looks for news every 100 ms, stretched to a second while nothing happens, until it is
/// dropped. Its store tells it of its own commits at once.
#[derive(Debug)]
pub struct Follower<T> {
    inner: Arc<Inner<T>>,
    task: AbortHandle,
}

#[derive(Debug)]
struct Inner<T> {
    source: Arc<T>,
    replica: Replica,
    /// When everything was followed last.
    looked: Mutex<Option<Instant>>,
}

impl<T: AsyncTail + 'static> Follower<T> {
    /// Begins to follow, on the runtime of the caller. Until all records were read once, reads are `store_unavailable`: whoever
    /// waits for that [joins](Self::join). The store says first how far it is: [`Self::advanced`].
    pub fn new(source: Arc<T>) -> Self {
        let random = RandomState::new();
        let mut hash_key = [0; 16];
        for (half, bytes) in (0_u8..).zip(hash_key.chunks_mut(8)) {
            bytes.copy_from_slice(&random.hash_one(half).to_ne_bytes());
        }
        let inner = Arc::new(Inner { source, replica: Replica::unjoined(hash_key), looked: Mutex::default() });
        let task = tokio::spawn(look_on(Arc::downgrade(&inner), Pace::new(random.hash_one("pace")))).abort_handle();
        Self { inner, task }
    }

    /// The boards.
    pub fn replica(&self) -> &Replica {
        &self.inner.replica
    }

    /// See [`liveops_core::store::AsyncBoards::read`]: answered from memory.
    #[expect(clippy::unused_async, reason = "in the shape of the trait, for stores to pass on")]
    pub async fn read(&self, reads: &[BoardRead]) -> Vec<Result<BoardAnswer, StoreError>> {
        self.inner.replica.read(reads)
    }

    /// See [`liveops_core::store::AsyncBoards::retain`].
    #[expect(clippy::unused_async, reason = "in the shape of the trait, for stores to pass on")]
    pub async fn retain(&self, keep: Keeps<'_>) -> Result<(), StoreError> {
        self.inner.replica.retain(keep);
        Ok(())
    }

    /// See [`liveops_core::store::AsyncBoards::rebuild`].
    pub async fn rebuild(&self, keep: Keeps<'_>) -> Result<(), StoreError> {
        self.inner.replica.rebuild_tail(&*self.inner.source, keep).await
    }

    /// Waits until boards are answered from. Who was committed to before is on them; who waits for everything that others commit
    /// meanwhile [catches up](Self::catch_up).
    pub async fn join(&self) -> Result<(), StoreError> {
        self.inner.look().await.map(drop)
    }

    /// See [`liveops_core::store::AsyncBoards::catch_up`].
    pub async fn catch_up(&self) -> Result<(), StoreError> {
        let asked = Instant::now();
        self.inner.replica.catch_up_tail(&*self.inner.source).await?;
        self.inner.looked_at(asked);
        Ok(())
    }

    /// How long ago the last look was that succeeded. How many entries are behind, and what holds them up, the store knows.
    pub fn lag(&self) -> Lag {
        let age = self.inner.looked.lock().map(|looked| looked.elapsed());
        Lag { age_millis: age.map(|age| u64::try_from(age.as_millis()).unwrap_or(u64::MAX)), ..Lag::default() }
    }

    /// Tells the boards what this process committed, before the caller is answered. Waits only where a player began again under a
    /// name that the boards know still: then for the outbox, which has the order.
    pub async fn committed(&self, sets: &[&ChangeSet]) {
        if !self.inner.replica.committed_here(sets) {
            // What was committed is committed, and shown at the next look.
            _ = self.catch_up().await;
        }
    }

    /// The store is at least this far.
    pub fn advanced(&self, horizon: Horizon) {
        self.inner.replica.advanced(horizon);
    }
}

impl<T> Drop for Follower<T> {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl<T: AsyncTail> Inner<T> {
    /// Follows by a page of each partition; how many entries there were.
    async fn look(&self) -> Result<usize, StoreError> {
        let asked = Instant::now();
        let taken = self.replica.follow_tail(&*self.source, PAGE_ENTRIES).await?;
        if taken < PAGE_ENTRIES {
            self.looked_at(asked);
        }
        Ok(taken)
    }
}

impl<T> Inner<T> {
    fn looked_at(&self, asked: Instant) {
        let mut looked = self.looked.lock();
        *looked = (*looked).max(Some(asked));
    }
}

/// Looks until there is nobody who has the boards.
async fn look_on<T: AsyncTail>(inner: Weak<Inner<T>>, mut pace: Pace) {
    loop {
        let Some(inner) = inner.upgrade() else { return };
        // A store that panics is one that does not answer.
        let looked = AssertUnwindSafe(inner.look()).catch_unwind().await;
        drop(inner);
        match looked {
            Ok(Ok(taken)) if taken >= PAGE_ENTRIES => {}
            Ok(Ok(taken)) => tokio::time::sleep(pace.after(taken > 0)).await,
            _ => tokio::time::sleep(pace.failed()).await,
        }
    }
}

/// How long to wait, with some jitter, so that many processes do not ask at once.
#[derive(Debug)]
struct Pace {
    wait: Duration,
    random: u64,
}

impl Pace {
    const fn new(seed: u64) -> Self {
        Self { wait: BUSY, random: seed }
    }

    fn after(&mut self, has_news: bool) -> Duration {
        self.wait = if has_news { BUSY } else { (self.wait * 3 / 2).clamp(BUSY, IDLE_MAX) };
        self.jittered()
    }

    fn failed(&mut self) -> Duration {
        self.wait = (self.wait * 2).min(FAILING_MAX);
        self.jittered()
    }

    /// From nine tenths of it to eleven.
    fn jittered(&mut self) -> Duration {
        self.random = self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let parts = u32::try_from(900 + (self.random >> 33) % 201).unwrap_or(1000);
        self.wait * parts / 1000
    }
}

#[cfg(test)]
mod tests;
