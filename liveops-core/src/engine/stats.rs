//! Counts of what an engine was asked, and what it answered.

use std::collections::BTreeMap;

use parking_lot::Mutex;
use serde::Serialize;

use crate::error::Code;
use crate::plan::{Batch, Outcome};
use crate::record::{Action, Command};
use crate::time::Timestamp;

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
    /// Refusals are the exception; they can afford a lock.
    refused: Mutex<BTreeMap<Code, u64>>,
    unnoted: Mutex<BTreeMap<Code, u64>>,
}

/// What one batch comes to.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) applied: u64,
    pub(super) held: u64,
    pub(super) replayed: u64,
    pub(super) unknown: u64,
    /// The newest time of the events that were applied.
    pub(super) newest_event: Option<Timestamp>,
}

impl Tally {
    fn count(&mut self, outcome: &Outcome, counters: &Counters) {
        match outcome {
            Outcome::Applied(effect) if effect.held().is_some() => self.held += 1,
            Outcome::Applied(_) => self.applied += 1,
            Outcome::Replayed(_) => self.replayed += 1,
            Outcome::Unknown(_) => self.unknown += 1,
            Outcome::Refused(error) => counters.refused(error.code()),
        }
    }
}

impl Counters {
    /// Counts a batch, and its refusals at once.
    pub(super) fn tally<'c>(&self, commands: impl Iterator<Item = &'c Command>, outcomes: &[Outcome]) -> Tally {
        let mut tally = Tally::default();
        for (command, outcome) in commands.zip(outcomes) {
            tally.count(outcome, self);
            if matches!((outcome, &command.action), (Outcome::Applied(_), Action::Event { .. })) {
                tally.newest_event = tally.newest_event.max(Some(command.ts));
            }
        }
        tally
    }

    /// The same of outcomes that are kept small, without making them: those of a batch from the `first`, before which it had `kept`.
    pub(super) fn tally_batch<'c>(
        &self,
        commands: impl Iterator<Item = &'c Command>,
        batch: &Batch,
        first: usize,
        kept: [u64; 3],
    ) -> Tally {
        let mut tally = Tally::default();
        let now = batch.kept();
        [tally.applied, tally.held, tally.replayed] = [now[0] - kept[0], now[1] - kept[1], now[2] - kept[2]];
        batch.others(first).for_each(|outcome| tally.count(outcome, self));
        let events = commands.enumerate().filter(|(_, command)| matches!(command.action, Action::Event { .. }));
        tally.newest_event =
            events.filter(|(at, _)| batch.is_applied(first + *at)).map(|(_, command)| command.ts).max();
        tally
    }

    pub(super) fn refused(&self, code: Code) {
        *self.refused.lock().entry(code).or_default() += 1;
    }

    pub(super) fn unnoted(&self, code: Code) {
        *self.unnoted.lock().entry(code).or_default() += 1;
    }

    /// With what the batches came to.
    pub(super) fn read(&self, tally: &Tally) -> Stats {
        let refused = self.refused.lock().clone();
        let unnoted = self.unnoted.lock().clone();
        let mut stats = BTreeMap::new();
        let named = [
            ("applied", tally.applied),
            ("held", tally.held),
            ("replayed", tally.replayed),
            ("unknown", tally.unknown),
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
