//! The store as one value: digest, snapshot, the way back.

use std::io::{Read, Write};

use super::MemoryStore;
use crate::error::{StoreError, StoreErrorKind};
use crate::record::{Horizon, Key, Record};
use crate::rules::Rules;
use crate::store::{Digester, Partitioned as _, Size, SnapshotReader, SnapshotWriter, Whole};
use crate::time::Timestamp;

/// Digest and snapshot hold writers up while they last.
impl Whole for MemoryStore {
    fn digest(&self) -> Result<String, StoreError> {
        let closed = self.close();
        let mut digester = Digester::new(*closed[0]);
        self.each_record(*closed[0], |key, record| {
            digester.add(key, &record.encode());
            Ok(())
        })?;
        Ok(digester.finish())
    }

    fn snapshot(&self, to: &mut (dyn Write + Send)) -> Result<(), StoreError> {
        let closed = self.close();
        let header = self.header.lock().clone();
        let mut snapshot = SnapshotWriter::new(to, &header, &self.feed.marks(), *closed[0])?;
        self.each_record(*closed[0], |key, record| snapshot.record(key, &record.encode()))?;
        snapshot.finish()?;
        Ok(())
    }

    fn restore(&self, from: &mut (dyn Read + Send)) -> Result<(), StoreError> {
        let mut closed = self.close();
        let mut header = self.header.lock();
        let is_empty = self.players.is_empty() && *closed[0] == Horizon::default() && self.feed.last() == 0;
        if !is_empty {
            return Err(StoreErrorKind::Misconfigured.into());
        }
        let (horizon, read) = self.fill(SnapshotReader::open(from)?).inspect_err(|_| self.clear())?;
        if let Some(read) = read.header() {
            if header.game.is_some() && read.game.is_some() && header.game != read.game {
                self.clear();
                return Err(StoreErrorKind::Misconfigured.into());
            }
            header.clone_from(read);
        }
        for gate in &mut closed {
            **gate = horizon;
        }
        self.boards.turned_back(horizon);
        self.feed.resume(read.marks().in_new_epoch(self.partitions()));
        self.boards.rebuild_all(self.entries())
    }

    fn size(&self) -> Result<Size, StoreError> {
        let closed = self.close();
        let mut size = Size { boards: self.boards.len() as u64, feed: self.feed.len() as u64, ..Size::default() };
        for slot in &self.players {
            slot.count(*closed[0], &mut size);
        }
        Ok(size)
    }
}

/// The same for callers that know the store.
impl MemoryStore {
    /// Names the whole state: `v1:` and 64 hex digits. Holds writers up.
    pub fn digest(&self) -> String {
        certain(Whole::digest(self))
    }

    /// The whole state, as bytes that depend on nothing else, with a checksum at the end. Holds writers up.
    pub fn snapshot(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        certain(Whole::snapshot(self, &mut bytes));
        bytes
    }

    /// A store in the state of a snapshot: `store_corrupt` for bytes that are none, `record_too_new` for a later
    /// version's.
    pub fn restore(bytes: &[u8]) -> Result<Self, StoreError> {
        Self::new().restored(bytes)
    }

    /// This store, which must be empty, in the state of a snapshot.
    pub fn restored(self, mut bytes: &[u8]) -> Result<Self, StoreError> {
        Whole::restore(&self, &mut bytes)?;
        Ok(self)
    }

    /// The way back from an [`Engine::advance`](crate::Engine::advance) too far: a store in the state of a snapshot, its horizon brought
    /// back to `now`, the present. Take the snapshot of what there is, or better, one of before the mistake with
    /// [`Self::restore`].
    ///
    /// Nothing that was ever taken in is taken in again, though the wrong advance forgot its outcome: commands that are not newer
    /// than the newest of any player are `too_old` from then on. Those that came in meanwhile and were refused can be sent again.
    /// A period that anybody was paid for stays closed, so the horizon is not brought back before its closing; until the clock comes
    /// near it, events are `too_old`. What the wrong advance dropped stays
    /// gone: boards of periods that were over by it are as the players' records still have them, and who was erased and is not
    /// there any more is nobody, whose events of before the erasure only the time of others' commands keeps out.
    ///
    /// ```
    /// use liveops_core::testing::EventBuilder;
    /// use liveops_core::{Engine, MemoryStore, Rules, Timestamp};
    ///
    /// let rules = Rules::from_json(r#"{ "version": 1, "game": "emberfall" }"#)?;
    /// let engine = Engine::new(rules.clone(), MemoryStore::new());
    /// let now = Timestamp::from_rfc3339("2026-11-30T12:00:00Z").unwrap();
    /// let event = |id, at| EventBuilder::progression("ana", 120, at).id(id).body();
    /// engine.submit_ndjson(&event("e1", now), now);
    /// engine.advance_far(Timestamp::from_rfc3339("2062-01-01T00:00:00Z").unwrap())?; // one clock was wrong
    /// let later = now.plus_millis(60_000);
    /// assert_eq!(engine.submit_ndjson(&event("e2", later), later)[0].code(), "too_old");
    ///
    /// let store = MemoryStore::restore_at(&engine.store().snapshot(), &rules, later)?;
    /// let engine = Engine::open(rules, store)?;
    /// assert_eq!(engine.submit_ndjson(&event("e1", now), later)[0].code(), "too_old", "not applied twice");
    /// assert_eq!(engine.submit_ndjson(&event("e2", later), later)[0].code(), "applied");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn restore_at(bytes: &[u8], rules: &Rules, now: Timestamp) -> Result<Self, StoreError> {
        Self::new().restored_at(bytes, rules, now)
    }

    /// This store, which must be empty, in the state of a snapshot, brought back to `now`: see [`Self::restore_at`].
    pub fn restored_at(self, bytes: &[u8], rules: &Rules, now: Timestamp) -> Result<Self, StoreError> {
        let store = self.restored(bytes)?;
        let (mut newest, mut paid_until) = (Timestamp::MIN, Timestamp::MIN);
        for slot in &store.players {
            let Some(player) = &slot.player else { continue };
            newest = newest.max(player.newest_ts).max(player.erased_through.unwrap_or(Timestamp::MIN));
            let closings = player.paid.newest().map(|period| rules.calendar().closes_at(period));
            paid_until = closings.fold(paid_until, Timestamp::max);
        }
        let mut closed = store.close();
        let back = closed[0].turned_back(now, newest, paid_until);
        for gate in &mut closed {
            **gate = back;
        }
        store.boards.turned_back(back);
        drop(closed);
        Ok(store)
    }

    /// How much it holds.
    pub fn size(&self) -> Size {
        certain(Whole::size(self))
    }

    /// Takes the records of a snapshot, which are sound only if this succeeds.
    fn fill<R: Read>(&self, mut snapshot: SnapshotReader<R>) -> Result<(Horizon, SnapshotReader<R>), StoreError> {
        let mut horizon = Horizon::default();
        for next in &mut snapshot {
            let (key, record) = next?;
            match (&key, &record) {
                (Key::Horizon, Record::Horizon(found)) => horizon = *found,
                _ => self.insert(key, record, horizon).ok_or(StoreErrorKind::Corrupt)?,
            }
        }
        Ok((horizon, snapshot))
    }

    fn insert(&self, key: Key, record: Record, horizon: Horizon) -> Option<()> {
        let player = key.player()?.clone();
        match key {
            Key::Player(_) => self.names.add(&player),
            Key::Suspicion(..) => self.suspects.add(&player),
            _ => {}
        }
        self.players.entry(player).or_default().insert(key, record, horizon, &self.hash_key)
    }

    fn clear(&self) {
        self.players.clear();
        self.names.clear();
        self.suspects.clear();
    }
}

/// For callers that have no use for an error.
fn certain<T>(result: Result<T, StoreError>) -> T {
    // Only an outcome that was read from other bytes than it was written to, and a writer that is not a list of bytes, can fail.
    result.unwrap_or_else(|error| unreachable!("a store in memory reads what it wrote: {error}"))
}
