//! Stores around stores: for tests of what happens when storage fails, is slow, or is asked too often.

use std::io::{Read, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;

use crate::board::Row;
use crate::error::{StoreError, StoreErrorKind};
use crate::id::PlayerId;
use crate::plan::Plan;
use crate::record::{BoardKey, ChangeSet, CommitOutcome, Header, Horizon, Key, Kind, Record};
use crate::store::{
    BoardAnswer, BoardRead, Boards, Consumer, ConsumerMark, Feed, FeedEntry, Keeps, Lag, Loaded, Partitioned, Scan,
    Size, Store, Whole, by_load_and_commit,
};

/// What goes wrong with one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// Nothing.
    None,
    /// Fails before anything is done.
    Before,
    /// A load answers its first half, a commit writes it; then it fails.
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
/// assert!(store.load(&[Key::Horizon])[0].is_err());
/// assert!(store.load(&[Key::Horizon])[0].is_ok());
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

    /// One change that has no halves.
    fn change<T>(&self, make: impl FnOnce(&S) -> Result<T, StoreError>) -> Result<T, StoreError> {
        match self.fault() {
            Fault::None => make(&self.inner),
            Fault::LostReply => make(&self.inner).and(Err(StoreErrorKind::OutcomeUnknown.into())),
            Fault::LostCall => Err(StoreErrorKind::OutcomeUnknown.into()),
            Fault::Before | Fault::Middle => Err(StoreErrorKind::Unavailable.into()),
        }
    }
}

impl<S: Store, F: FnMut() -> Fault + Send> Store for FaultyStore<S, F> {
    fn load(&self, keys: &[Key]) -> Vec<Loaded> {
        let answered = match self.fault() {
            Fault::None => keys.len(),
            Fault::Middle => keys.len() / 2,
            _ => 0,
        };
        let mut answers = if answered > 0 { self.inner.load(&keys[..answered]) } else { Vec::new() };
        answers.resize_with(keys.len(), || Err(StoreErrorKind::Unavailable.into()));
        answers
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

    fn drive(&self, plan: &mut Plan<'_>) {
        by_load_and_commit(self, plan);
    }

    fn round_players(&self) -> usize {
        self.inner.round_players()
    }

    fn advance(&self, to: Horizon) -> Result<Horizon, StoreError> {
        self.change(|inner| inner.advance(to))
    }

    fn header(&self) -> Result<Header, StoreError> {
        if self.fault() == Fault::None { self.inner.header() } else { Err(StoreErrorKind::Unavailable.into()) }
    }

    fn replace_header(&self, expected: &Header, new: &Header) -> Result<bool, StoreError> {
        self.change(|inner| inner.replace_header(expected, new))
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
    fn load(&self, keys: &[Key]) -> Vec<Loaded> {
        std::thread::sleep(self.delay);
        self.inner.load(keys)
    }

    fn commit(&self, batch: Vec<ChangeSet>) -> Vec<CommitOutcome> {
        std::thread::sleep(self.delay);
        self.inner.commit(batch)
    }

    fn drive(&self, plan: &mut Plan<'_>) {
        by_load_and_commit(self, plan);
    }

    fn round_players(&self) -> usize {
        self.inner.round_players()
    }

    fn advance(&self, to: Horizon) -> Result<Horizon, StoreError> {
        std::thread::sleep(self.delay);
        self.inner.advance(to)
    }

    fn header(&self) -> Result<Header, StoreError> {
        std::thread::sleep(self.delay);
        self.inner.header()
    }

    fn replace_header(&self, expected: &Header, new: &Header) -> Result<bool, StoreError> {
        std::thread::sleep(self.delay);
        self.inner.replace_header(expected, new)
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
    fn load(&self, keys: &[Key]) -> Vec<Loaded> {
        self.loads.fetch_add(1, Ordering::Relaxed);
        self.keys.fetch_add(keys.len() as u64, Ordering::Relaxed);
        self.inner.load(keys)
    }

    fn commit(&self, batch: Vec<ChangeSet>) -> Vec<CommitOutcome> {
        self.commits.fetch_add(1, Ordering::Relaxed);
        self.change_sets.fetch_add(batch.len() as u64, Ordering::Relaxed);
        self.inner.commit(batch)
    }

    fn drive(&self, plan: &mut Plan<'_>) {
        by_load_and_commit(self, plan);
    }

    fn round_players(&self) -> usize {
        self.inner.round_players()
    }

    fn advance(&self, to: Horizon) -> Result<Horizon, StoreError> {
        self.inner.advance(to)
    }

    fn header(&self) -> Result<Header, StoreError> {
        self.inner.header()
    }

    fn replace_header(&self, expected: &Header, new: &Header) -> Result<bool, StoreError> {
        self.inner.replace_header(expected, new)
    }
}

/// What is only read, freed or taken as a whole goes through as it is, so that an engine over a decorated store can do all it can.
macro_rules! pass_through {
    ($($store:ident [$($generics:tt)*] ($($arguments:tt)*);)+) => {$(
        impl<S: Partitioned, $($generics)*> Partitioned for $store<$($arguments)*> {
            fn partitions(&self) -> u16 {
                self.inner.partitions()
            }
        }

        impl<S: Scan, $($generics)*> Scan for $store<$($arguments)*> {
            fn scan(&self, partition: u16, kind: Option<Kind>, after: Option<&Key>, limit: usize) -> Result<Vec<(Key, Record)>, StoreError> {
                self.inner.scan(partition, kind, after, limit)
            }
            fn scan_player(&self, player: &PlayerId, kind: Option<Kind>, after: Option<&Key>, limit: usize) -> Result<Vec<(Key, Record)>, StoreError> {
                self.inner.scan_player(player, kind, after, limit)
            }
        }

        impl<S: Boards, $($generics)*> Boards for $store<$($arguments)*> {
            fn read(&self, reads: &[BoardRead]) -> Vec<Result<BoardAnswer, StoreError>> {
                self.inner.read(reads)
            }
            fn retain(&self, keep: Keeps<'_>) -> Result<(), StoreError> {
                self.inner.retain(keep)
            }
            fn rebuild(&self, keep: Keeps<'_>) -> Result<(), StoreError> {
                self.inner.rebuild(keep)
            }
            fn catch_up(&self) -> Result<(), StoreError> {
                self.inner.catch_up()
            }
            fn horizon(&self) -> Horizon {
                self.inner.horizon()
            }
            fn lag(&self) -> Result<Lag, StoreError> {
                self.inner.lag()
            }
            fn note_final(&self, key: &BoardKey, rows: &[Row]) -> Result<(), StoreError> {
                self.inner.note_final(key, rows)
            }
        }

        impl<S: Feed, $($generics)*> Feed for $store<$($arguments)*> {
            fn feed(&self, partition: u16, after: u64, limit: usize) -> Result<Vec<FeedEntry>, StoreError> {
                self.inner.feed(partition, after, limit)
            }
            fn last(&self, partition: u16) -> Result<u64, StoreError> {
                self.inner.last(partition)
            }
            fn ack(&self, consumer: &Consumer, partition: u16, through: u64) -> Result<(), StoreError> {
                self.inner.ack(consumer, partition, through)
            }
            fn drop_consumer(&self, consumer: &Consumer) -> Result<(), StoreError> {
                self.inner.drop_consumer(consumer)
            }
            fn consumers(&self) -> Result<Vec<ConsumerMark>, StoreError> {
                self.inner.consumers()
            }
        }

        impl<S: Whole, $($generics)*> Whole for $store<$($arguments)*> {
            fn digest(&self) -> Result<String, StoreError> {
                self.inner.digest()
            }
            fn snapshot(&self, to: &mut (dyn Write + Send)) -> Result<(), StoreError> {
                self.inner.snapshot(to)
            }
            fn restore(&self, from: &mut (dyn Read + Send)) -> Result<(), StoreError> {
                self.inner.restore(from)
            }
            fn size(&self) -> Result<Size, StoreError> {
                self.inner.size()
            }
        }
    )+};
}
pass_through! {
    FaultyStore [F: FnMut() -> Fault + Send] (S, F);
    SlowStore [] (S);
    CountingStore [] (S);
}
