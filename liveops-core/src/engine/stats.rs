//! Counts of what an engine was asked, and what it answered.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use serde::Serialize;

use crate::error::Code;
use crate::plan::Outcome;

/// Counts by stable names, sorted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Stats(BTreeMap<String, u64>);

impl Stats {
    /// One count; 0 for a name that never came up.
    pub fn get(&self, name: &str) -> u64 {
        self.0.get(name).copied().unwrap_or(0)
    }

    /// All counts above 0, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, u64)> {
        self.0.iter().map(|(name, count)| (name.as_str(), *count))
    }
}

#[derive(Debug, Default)]
pub(super) struct Counters {
    applied: AtomicU64,
    held: AtomicU64,
    replayed: AtomicU64,
    unknown: AtomicU64,
    /// Refusals are the exception; they can afford a lock.
    refused: Mutex<BTreeMap<Code, u64>>,
    unnoted: Mutex<BTreeMap<Code, u64>>,
}

impl Counters {
    /// Counts a batch with one addition for each kind.
    pub(super) fn count(&self, outcomes: &[Outcome]) {
        let (mut applied, mut held, mut replayed, mut unknown) = (0, 0, 0, 0);
        for outcome in outcomes {
            match outcome {
                Outcome::Applied(effect) if effect.held().is_some() => held += 1,
                Outcome::Applied(_) => applied += 1,
                Outcome::Replayed(_) => replayed += 1,
                Outcome::Unknown(_) => unknown += 1,
                Outcome::Refused(error) => self.refused(error.code()),
            }
        }
        let counts =
            [(&self.applied, applied), (&self.held, held), (&self.replayed, replayed), (&self.unknown, unknown)];
        for (counter, count) in counts.into_iter().filter(|(_, count)| *count > 0) {
            counter.fetch_add(count, Ordering::Relaxed);
        }
    }

    pub(super) fn refused(&self, code: Code) {
        *self.refused.lock().entry(code).or_default() += 1;
    }

    pub(super) fn unnoted(&self, code: Code) {
        *self.unnoted.lock().entry(code).or_default() += 1;
    }

    pub(super) fn read(&self) -> Stats {
        let refused = self.refused.lock().clone();
        let unnoted = self.unnoted.lock().clone();
        let mut stats = BTreeMap::new();
        let named = [
            ("applied", self.applied.load(Ordering::Relaxed)),
            ("held", self.held.load(Ordering::Relaxed)),
            ("replayed", self.replayed.load(Ordering::Relaxed)),
            ("unknown", self.unknown.load(Ordering::Relaxed)),
            ("refused", refused.values().sum()),
        ];
        stats.insert("commands".to_owned(), named.iter().map(|(_, count)| count).sum());
        stats.extend(named.map(|(name, count)| (name.to_owned(), count)));
        stats.insert("unnoted".to_owned(), unnoted.values().sum());
        for (name, by_code) in [("refused", refused), ("unnoted", unnoted)] {
            stats.extend(by_code.iter().map(|(code, count)| (format!("{name}.{code}"), *count)));
        }
        stats.retain(|_, count| *count > 0);
        Stats(stats)
    }
}
