//! What peers write: change sets that an engine in memory decided, while nobody's processor was measured. So both sides write the same records.

use std::sync::Arc;
use std::time::SystemTime;

use liveops_bench::Traffic;
use liveops_bench::traffic::RULES;
use liveops_core::event::Parser;
use liveops_core::hash::Digest;
use liveops_core::record::{ChangeSet, RecordRef};
use liveops_core::store::{Consumer, Feed as _, Happened, Partitioned as _};
use liveops_core::{Command, Engine, MemoryStore, Outcome, PlayerId, Rules, Timestamp};

/// More than are ever waiting.
const FEED_LEN: usize = 10_000_000;

/// An engine whose feed is read after each batch.
pub(super) struct Decided {
    engine: Engine<MemoryStore>,
    consumer: Consumer,
    events: Events,
}

impl Decided {
    pub(super) fn new(players: u64) -> Result<Self, String> {
        let engine = Engine::new(rules()?, MemoryStore::with_feed(FEED_LEN));
        let consumer = Consumer::new("peer").map_err(text)?;
        engine.store().ack(&consumer, 0, 0).map_err(text)?;
        Ok(Self { engine, consumer, events: Events::new(players)? })
    }

    /// Of one event of each player.
    pub(super) fn warm_up(&mut self) -> Result<Vec<Arc<ChangeSet>>, String> {
        let commands = self.events.warm_up();
        self.decide(&commands)
    }

    /// Of the next events, decided as one batch.
    pub(super) fn next(&mut self, len: usize) -> Result<Vec<Arc<ChangeSet>>, String> {
        let commands = self.events.next(len);
        self.decide(&commands)
    }

    fn decide(&self, commands: &[Command]) -> Result<Vec<Arc<ChangeSet>>, String> {
        applied(&self.engine.submit_batch(commands))?;
        let store = self.engine.store();
        let mut decided = Vec::new();
        for partition in 0..store.partitions() {
            let mark = store.consumers().map_err(text)?.into_iter().find(|mark| mark.consumer == self.consumer);
            let acked = mark.and_then(|mark| mark.acked.get(usize::from(partition)).copied()).unwrap_or_default();
            let entries = store.feed(partition, acked, usize::MAX).map_err(text)?;
            store.ack(&self.consumer, partition, entries.last().map_or(acked, |last| last.cursor)).map_err(text)?;
            decided.extend(entries.into_iter().filter_map(|entry| match entry.what {
                Happened::Committed(set) => Some(set),
                _ => None,
            }));
        }
        Ok(decided)
    }
}

/// The same events for both sides.
pub(super) struct Events {
    parser: Parser,
    traffic: Traffic,
}

impl Events {
    pub(super) fn new(players: u64) -> Result<Self, String> {
        // Of today: where a store keeps an outcome depends on its day.
        let now = Timestamp::try_from(SystemTime::now()).map_err(text)?;
        let traffic = Traffic::new(players, 7).on_day_of(now.as_unix_millis());
        Ok(Self { parser: rules()?.door().parser(), traffic })
    }

    pub(super) fn warm_up(&mut self) -> Vec<Command> {
        self.traffic.warm_up_commands(&self.parser)
    }

    pub(super) fn next(&mut self, len: usize) -> Vec<Command> {
        self.traffic.commands(&self.parser, len)
    }
}

/// Cut into lanes, one a caller, so that no two callers are at one player: each lane in the order of all.
pub(super) fn by_lane<T>(items: &[T], lanes: usize, player: impl Fn(&T) -> &PlayerId) -> Vec<Vec<&T>> {
    let mut cut: Vec<Vec<&T>> = vec![Vec::new(); lanes];
    for item in items {
        let lane = usize::from(Digest::of(&[player(item).as_bytes()]).0[0]) % lanes;
        cut[lane].push(item);
    }
    cut
}

pub(super) fn rules() -> Result<Rules, String> {
    Rules::from_json(RULES).map_err(text)
}

/// A record as it is stored.
pub(super) fn stored(record: RecordRef<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    record.encode_into(&mut bytes);
    bytes
}

/// Every event must have been applied, or a row would be about something else.
pub(super) fn applied(outcomes: &[Outcome]) -> Result<(), String> {
    match outcomes.iter().find(|outcome| !matches!(outcome, Outcome::Applied(_))) {
        None => Ok(()),
        Some(other) => Err(format!("an event was not applied: {}", other.code())),
    }
}

pub(super) fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
