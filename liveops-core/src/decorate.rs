//! Stores around stores: for tests of what happens when storage fails, is slow, or is asked too often.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;

use crate::board::{Cursor, Order, Page, Ranking, Row, ScoreRange};
use crate::error::{StoreError, StoreErrorKind};
use crate::id::PlayerId;
use crate::record::{BoardKey, ChangeSet, CommitOutcome, Horizon, Key, Record};
use crate::store::{Boards, Feed, FeedEntry, Scan, Store};

/// What goes wrong with one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// Nothing.
    None,
    /// Fails before anything is done.
    Before,
    /// A commit writes its first half, then fails.
    Middle,
    /// Nothing is done, and nobody knows.
    LostCall,
    /// All is done, and nobody knows.
    LostReply,
}

/// Misbehaves as told, one [`Fault`] per call.
///
/// ```
/// use liveops_core::decorate::{Fault, FaultyStore};
/// use liveops_core::{Key, MemoryStore, Store};
///
/// let mut faults = [Fault::Before].into_iter();
/// let store = FaultyStore::new(MemoryStore::new(), move || faults.next().unwrap_or(Fault::None));
/// assert!(store.load(&[Key::Horizon]).is_err());
/// assert!(store.load(&[Key::Horizon]).is_ok());
/// ```
#[derive(Debug)]
pub struct FaultyStore<S, F> {
    inner: S,
    next: Mutex<F>,
}

impl<S, F: FnMut() -> Fault + Send> FaultyStore<S, F> {
    /// Wraps `inner`; `next` is asked before each call.
    pub const fn new(inner: S, next: F) -> Self {
        Self { inner, next: Mutex::new(next) }
    }

    /// What is wrapped.
    pub const fn inner(&self) -> &S {
        &self.inner
    }

    fn fault(&self) -> Fault {
        (self.next.lock())()
    }
}

impl<S: Store, F: FnMut() -> Fault + Send> Store for FaultyStore<S, F> {
    fn load(&self, keys: &[Key]) -> Result<Vec<Option<Record>>, StoreError> {
        if self.fault() == Fault::None { self.inner.load(keys) } else { Err(StoreErrorKind::Unavailable.into()) }
    }

    fn commit(&self, mut batch: Vec<ChangeSet>) -> Vec<CommitOutcome> {
        let all = batch.len();
        let fail = |n: usize, kind: StoreErrorKind| (0..n).map(move |_| CommitOutcome::Failed(kind.into()));
        match self.fault() {
            Fault::None => self.inner.commit(batch),
            Fault::Before => fail(all, StoreErrorKind::Unavailable).collect(),
            Fault::Middle => {
                batch.truncate(all / 2);
                let mut results = self.inner.commit(batch);
                results.extend(fail(all - results.len(), StoreErrorKind::Unavailable));
                results
            }
            Fault::LostCall => fail(all, StoreErrorKind::OutcomeUnknown).collect(),
            Fault::LostReply => {
                drop(self.inner.commit(batch));
                fail(all, StoreErrorKind::OutcomeUnknown).collect()
            }
        }
    }

    fn advance(&self, to: Horizon) -> Result<Horizon, StoreError> {
        match self.fault() {
            Fault::None => self.inner.advance(to),
            Fault::LostReply => self.inner.advance(to).and(Err(StoreErrorKind::OutcomeUnknown.into())),
            _ => Err(StoreErrorKind::Unavailable.into()),
        }
    }
}

/// Waits before each call, as a network would.
#[derive(Debug)]
pub struct SlowStore<S> {
    inner: S,
    delay: Duration,
}

impl<S> SlowStore<S> {
    /// Wraps `inner`; each call takes `delay` longer.
    pub const fn new(inner: S, delay: Duration) -> Self {
        Self { inner, delay }
    }

    /// What is wrapped.
    pub const fn inner(&self) -> &S {
        &self.inner
    }
}

impl<S: Store> Store for SlowStore<S> {
    fn load(&self, keys: &[Key]) -> Result<Vec<Option<Record>>, StoreError> {
        std::thread::sleep(self.delay);
        self.inner.load(keys)
    }

    fn commit(&self, batch: Vec<ChangeSet>) -> Vec<CommitOutcome> {
        std::thread::sleep(self.delay);
        self.inner.commit(batch)
    }

    fn advance(&self, to: Horizon) -> Result<Horizon, StoreError> {
        std::thread::sleep(self.delay);
        self.inner.advance(to)
    }
}

/// Counts calls and what they carry.
#[derive(Debug, Default)]
pub struct CountingStore<S> {
    inner: S,
    loads: AtomicU64,
    keys: AtomicU64,
    commits: AtomicU64,
    change_sets: AtomicU64,
}

/// What a [`CountingStore`] counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Calls {
    /// Calls of `load`.
    pub loads: u64,
    /// Keys in them.
    pub keys: u64,
    /// Calls of `commit`.
    pub commits: u64,
    /// Change sets in them.
    pub change_sets: u64,
}

impl<S> CountingStore<S> {
    /// Wraps `inner`.
    pub const fn new(inner: S) -> Self {
        Self {
            inner,
            loads: AtomicU64::new(0),
            keys: AtomicU64::new(0),
            commits: AtomicU64::new(0),
            change_sets: AtomicU64::new(0),
        }
    }

    /// What is wrapped.
    pub const fn inner(&self) -> &S {
        &self.inner
    }

    /// The counts so far.
    pub fn calls(&self) -> Calls {
        let [loads, keys, commits, change_sets] =
            [&self.loads, &self.keys, &self.commits, &self.change_sets].map(|n| n.load(Ordering::Relaxed));
        Calls { loads, keys, commits, change_sets }
    }
}

impl<S: Store> Store for CountingStore<S> {
    fn load(&self, keys: &[Key]) -> Result<Vec<Option<Record>>, StoreError> {
        self.loads.fetch_add(1, Ordering::Relaxed);
        self.keys.fetch_add(keys.len() as u64, Ordering::Relaxed);
        self.inner.load(keys)
    }

    fn commit(&self, batch: Vec<ChangeSet>) -> Vec<CommitOutcome> {
        self.commits.fetch_add(1, Ordering::Relaxed);
        self.change_sets.fetch_add(batch.len() as u64, Ordering::Relaxed);
        self.inner.commit(batch)
    }

    fn advance(&self, to: Horizon) -> Result<Horizon, StoreError> {
        self.inner.advance(to)
    }
}

/// What is only read or freed goes through as it is, so that an engine over a decorated store can do all it can.
macro_rules! pass_through {
    ($($store:ident [$($generics:tt)*] ($($arguments:tt)*);)+) => {$(
        impl<S: Scan, $($generics)*> Scan for $store<$($arguments)*> {
            fn scan(&self, after: Option<&Key>, limit: usize) -> Result<Vec<(Key, Record)>, StoreError> {
                self.inner.scan(after, limit)
            }
            fn scan_player(&self, player: &PlayerId) -> Result<Vec<(Key, Record)>, StoreError> {
                self.inner.scan_player(player)
            }
        }

        impl<S: Boards, $($generics)*> Boards for $store<$($arguments)*> {
            fn page_after(&self, key: &BoardKey, cursor: Option<&Cursor>, limit: usize, how: Ranking) -> Result<Page, StoreError> {
                self.inner.page_after(key, cursor, limit, how)
            }
            fn by_score_range(&self, key: &BoardKey, scores: ScoreRange, offset: usize, limit: usize, how: Ranking) -> Result<Vec<Row>, StoreError> {
                self.inner.by_score_range(key, scores, offset, limit, how)
            }
            fn percentile(&self, key: &BoardKey, player: &PlayerId) -> Result<Option<u32>, StoreError> {
                self.inner.percentile(key, player)
            }
            fn page(&self, key: &BoardKey, offset: usize, limit: usize, how: Ranking) -> Result<Vec<Row>, StoreError> {
                self.inner.page(key, offset, limit, how)
            }
            fn rank(&self, key: &BoardKey, player: &PlayerId, how: Ranking) -> Result<Option<u64>, StoreError> {
                self.inner.rank(key, player, how)
            }
            fn around(&self, key: &BoardKey, player: &PlayerId, n: usize, how: Ranking) -> Result<Vec<Row>, StoreError> {
                self.inner.around(key, player, n, how)
            }
            fn by_owners(&self, key: &BoardKey, players: &[PlayerId], how: Ranking) -> Result<Vec<Row>, StoreError> {
                self.inner.by_owners(key, players, how)
            }
            fn count_above(&self, key: &BoardKey, score: i64, order: Order) -> Result<u64, StoreError> {
                self.inner.count_above(key, score, order)
            }
            fn len(&self, key: &BoardKey) -> Result<u64, StoreError> {
                self.inner.len(key)
            }
            fn retain(&self, keep: &dyn Fn(&BoardKey) -> bool) -> Result<(), StoreError> {
                self.inner.retain(keep)
            }
        }

        impl<S: Feed, $($generics)*> Feed for $store<$($arguments)*> {
            fn feed(&self, after: u64, limit: usize) -> Result<Vec<FeedEntry>, StoreError> {
                self.inner.feed(after, limit)
            }
            fn ack(&self, through: u64) -> Result<(), StoreError> {
                self.inner.ack(through)
            }
        }
    )+};
}
pass_through! {
    FaultyStore [F: FnMut() -> Fault + Send] (S, F);
    SlowStore [] (S);
    CountingStore [] (S);
}
