//! Stores of which single records cannot be read.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;

use liveops_core::conformance;
use liveops_core::error::{StoreError, StoreErrorKind};
use liveops_core::record::{ChangeSet, CommitOutcome, Header, Horizon, Kind};
use liveops_core::store::{Loaded, Partitioned, by_load_and_commit};
use liveops_core::{Key, MemoryStore, Plan, PlayerId, Record, Scan, Store};

/// How it deals with what it cannot read.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Manner {
    FailsTheKey,
    FailsAll,
    SaysAbsent,
    SkipsInScans,
    FailsEveryScan,
    WritesOver,
}

use Manner::*;

struct Damaged {
    inner: MemoryStore,
    bad: Mutex<BTreeSet<Key>>,
    manner: Manner,
    why: StoreErrorKind,
}

impl Damaged {
    fn new(manner: Manner, why: StoreErrorKind) -> Self {
        Self { inner: MemoryStore::new(), bad: Mutex::default(), manner, why }
    }

    fn is_bad(&self, key: &Key) -> bool {
        self.bad.lock().unwrap().contains(key)
    }

    fn page(&self, mut page: Vec<(Key, Record)>) -> Result<Vec<(Key, Record)>, StoreError> {
        let all = self.manner == FailsEveryScan && !self.bad.lock().unwrap().is_empty();
        if self.manner == SkipsInScans {
            page.retain(|(key, _)| !self.is_bad(key));
        } else if all || page.iter().any(|(key, _)| self.is_bad(key)) {
            return Err(self.why.into());
        }
        Ok(page)
    }
}

impl Store for Damaged {
    fn load(&self, keys: &[Key]) -> Vec<Loaded> {
        let all = self.manner == FailsAll && keys.iter().any(|key| self.is_bad(key));
        let answers = self.inner.load(keys).into_iter().zip(keys);
        answers
            .map(|(answer, key)| match self.manner {
                SaysAbsent if self.is_bad(key) => Ok(None),
                _ if all || self.is_bad(key) => Err(self.why.into()),
                _ => answer,
            })
            .collect()
    }

    fn commit(&self, batch: Vec<ChangeSet>) -> Vec<CommitOutcome> {
        if self.manner == WritesOver {
            self.bad.lock().unwrap().clear();
        }
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

impl Partitioned for Damaged {
    fn partitions(&self) -> u16 {
        self.inner.partitions()
    }
}

impl Scan for Damaged {
    fn scan(
        &self,
        partition: u16,
        kind: Option<Kind>,
        after: Option<&Key>,
        limit: usize,
    ) -> Result<Vec<(Key, Record)>, StoreError> {
        self.page(self.inner.scan(partition, kind, after, limit)?)
    }

    fn scan_player(
        &self,
        player: &PlayerId,
        kind: Option<Kind>,
        after: Option<&Key>,
        limit: usize,
    ) -> Result<Vec<(Key, Record)>, StoreError> {
        self.page(self.inner.scan_player(player, kind, after, limit)?)
    }
}

#[test]
fn one_bad_record_fails_one_player() {
    let put = |store: &Damaged, key: &Key| _ = store.bad.lock().unwrap().insert(key.clone());
    let check = |manner| {
        conformance::check_damage(&Damaged::new(manner, StoreErrorKind::Corrupt), put);
        conformance::check_newer(&Damaged::new(manner, StoreErrorKind::TooNew), put);
    };
    check(FailsTheKey);
    for manner in [FailsAll, SaysAbsent, SkipsInScans, FailsEveryScan, WritesOver] {
        assert!(catch_unwind(AssertUnwindSafe(|| check(manner))).is_err(), "nobody notices that it {manner:?}");
    }
    let taken_for_damaged = || conformance::check_newer(&Damaged::new(FailsTheKey, StoreErrorKind::Corrupt), put);
    assert!(catch_unwind(AssertUnwindSafe(taken_for_damaged)).is_err(), "nobody notices that it is taken for damaged");
}
