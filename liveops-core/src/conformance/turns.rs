//! One store as two processes have it.

use std::io::{Read, Write};
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::board::Row;
use crate::error::StoreError;
use crate::hash;
use crate::id::PlayerId;
use crate::plan::Plan;
use crate::record::{BoardKey, ChangeSet, CommitOutcome, Header, Horizon, Key, Kind, Record};
use crate::store::{
    BoardAnswer, BoardRead, Boards, Consumer, ConsumerMark, Feed, FeedEntry, Keeps, Lag, Loaded, Partitioned, Scan,
    Size, Store, Whole, by_load_and_commit,
};

/// Two handles of one store, as two processes have them: each call is made by one of them, in an order that is always the same. Every check that a store
/// passes alone it passes like this, or one handle goes by what it remembers and the other has changed since.
///
/// ```
/// use std::sync::Arc;
///
/// use liveops_core::conformance::{self, Turns};
/// use liveops_core::MemoryStore;
///
/// conformance::check(|| {
///     // In earnest: two connections to one game, which is empty.
///     let store = Arc::new(MemoryStore::new());
///     Box::new(Turns::new(Arc::clone(&store), store))
/// });
/// ```
#[derive(Debug)]
pub struct Turns<S> {
    both: [S; 2],
    calls: AtomicUsize,
}

impl<S> Turns<S> {
    /// Joins two handles of one store.
    pub const fn new(one: S, other: S) -> Self {
        Self { both: [one, other], calls: AtomicUsize::new(0) }
    }

    fn next(&self) -> &S {
        // Not one after the other: whoever loads would never be the one who committed.
        let calls = self.calls.fetch_add(1, Ordering::Relaxed);
        &self.both[usize::from(hash::short(&calls.to_be_bytes()) % 2 == 1)]
    }
}

impl<S: Store> Store for Turns<S> {
    fn load(&self, keys: &[Key]) -> Vec<Loaded> {
        self.next().load(keys)
    }

    fn commit(&self, batch: Vec<ChangeSet>) -> Vec<CommitOutcome> {
        self.next().commit(batch)
    }

    fn drive(&self, plan: &mut Plan<'_>) {
        by_load_and_commit(self, plan);
    }

    fn round_players(&self) -> usize {
        self.both[0].round_players()
    }

    fn advance(&self, to: Horizon) -> Result<Horizon, StoreError> {
        self.next().advance(to)
    }

    fn header(&self) -> Result<Header, StoreError> {
        self.next().header()
    }

    fn replace_header(&self, expected: &Header, new: &Header) -> Result<bool, StoreError> {
        self.next().replace_header(expected, new)
    }
}

impl<S: Partitioned> Partitioned for Turns<S> {
    fn partitions(&self) -> u16 {
        self.both[0].partitions()
    }
}

type Page = Result<Vec<(Key, Record)>, StoreError>;

impl<S: Scan> Scan for Turns<S> {
    fn scan(&self, partition: u16, kind: Option<Kind>, after: Option<&Key>, limit: usize) -> Page {
        self.next().scan(partition, kind, after, limit)
    }

    fn scan_player(&self, player: &PlayerId, kind: Option<Kind>, after: Option<&Key>, limit: usize) -> Page {
        self.next().scan_player(player, kind, after, limit)
    }
}

/// Each process has boards of its own: it is asked about these, and what an engine does to its boards both do.
impl<S: Boards> Boards for Turns<S> {
    fn read(&self, reads: &[BoardRead]) -> Vec<Result<BoardAnswer, StoreError>> {
        self.next().read(reads)
    }

    fn retain(&self, keep: Keeps<'_>) -> Result<(), StoreError> {
        self.both.iter().try_for_each(|store| store.retain(keep))
    }

    fn rebuild(&self, keep: Keeps<'_>) -> Result<(), StoreError> {
        self.both.iter().try_for_each(|store| store.rebuild(keep))
    }

    fn catch_up(&self) -> Result<(), StoreError> {
        self.both.iter().try_for_each(Boards::catch_up)
    }

    fn horizon(&self) -> Horizon {
        self.next().horizon()
    }

    fn lag(&self) -> Result<Lag, StoreError> {
        self.next().lag()
    }

    fn note_final(&self, key: &BoardKey, rows: &[Row]) -> Result<(), StoreError> {
        self.next().note_final(key, rows)
    }
}

impl<S: Feed> Feed for Turns<S> {
    fn feed(&self, partition: u16, after: u64, limit: usize) -> Result<Vec<FeedEntry>, StoreError> {
        self.next().feed(partition, after, limit)
    }

    fn last(&self, partition: u16) -> Result<u64, StoreError> {
        self.next().last(partition)
    }

    fn ack(&self, consumer: &Consumer, partition: u16, through: u64) -> Result<(), StoreError> {
        self.next().ack(consumer, partition, through)
    }

    fn drop_consumer(&self, consumer: &Consumer) -> Result<(), StoreError> {
        self.next().drop_consumer(consumer)
    }

    fn consumers(&self) -> Result<Vec<ConsumerMark>, StoreError> {
        self.next().consumers()
    }
}

impl<S: Whole> Whole for Turns<S> {
    fn digest(&self) -> Result<String, StoreError> {
        self.next().digest()
    }

    fn snapshot(&self, to: &mut (dyn Write + Send)) -> Result<(), StoreError> {
        self.next().snapshot(to)
    }

    fn restore(&self, from: &mut (dyn Read + Send)) -> Result<(), StoreError> {
        self.next().restore(from)
    }

    fn size(&self) -> Result<Size, StoreError> {
        self.next().size()
    }
}
