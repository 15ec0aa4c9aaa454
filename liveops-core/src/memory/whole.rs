//! The store as one value: digest, snapshot, the way back.

use std::io::{Read, Write};

use parking_lot::RwLockWriteGuard;

use super::moment::Moment;
use super::shard::Shard;
use super::{MemoryStore, shard_of};
use crate::error::{StoreError, StoreErrorKind};
use crate::record::{Horizon, Key, Record};
use crate::rules::Rules;
use crate::store::{Digester, Partitioned as _, Size, SnapshotReader, SnapshotWriter, Whole};
use crate::time::Timestamp;

/// Digest and snapshot are of one moment, and others write meanwhile.
impl Whole for MemoryStore {
    fn digest(&self) -> Result<String, StoreError> {
        let moment = Moment::new(self);
        let mut digester = Digester::new(moment.horizon);
        moment.each_record(|key, record| {
            digester.add(key, record);
            Ok(())
        })?;
        Ok(digester.finish())
    }

    fn snapshot(&self, to: &mut (dyn Write + Send)) -> Result<(), StoreError> {
        let moment = Moment::new(self);
        let mut snapshot = SnapshotWriter::new(to, &moment.header, &moment.marks, moment.horizon)?;
        moment.each_record(|key, record| snapshot.record(key, record))?;
        snapshot.finish()?;
        Ok(())
    }

    fn restore(&self, from: &mut (dyn Read + Send)) -> Result<(), StoreError> {
        let mut shards = self.lock_all();
        let mut header = self.header.lock();
        let is_empty = shards.iter().all(|shard| shard.is_empty())
            && shards[0].horizon == Horizon::default()
            && self.feed.last() == 0;
        if !is_empty {
            return Err(StoreErrorKind::Misconfigured.into());
        }
        let (horizon, read) =
            self.fill(&mut shards, SnapshotReader::open(from)?).inspect_err(|_| clear(&mut shards))?;
        if let Some(read) = read.header() {
            if header.game.is_some() && read.game.is_some() && header.game != read.game {
                clear(&mut shards);
                return Err(StoreErrorKind::Misconfigured.into());
            }
            header.clone_from(read);
        }
        for shard in &mut shards {
            shard.horizon = horizon;
        }
        self.boards.turned_back(horizon);
        self.feed.resume(read.marks().in_new_epoch(self.partitions()));
        drop((header, shards));
        // Who writes from here on tells of it; until all was read the boards answer nothing.
        self.boards.rebuild_all(self.entries())
    }

    fn size(&self) -> Result<Size, StoreError> {
        let mut size = Size { boards: self.boards.len() as u64, feed: self.feed.len() as u64, ..Size::default() };
        for shard in self.lock_all() {
            shard.count(&mut size);
        }
        Ok(size)
    }
}

/// The same for callers that know the store.
impl MemoryStore {
    /// Names the whole state at one moment: `v1:` and 64 hex digits. Others may write meanwhile.
    pub fn digest(&self) -> String {
        certain(Whole::digest(self))
    }

    /// The whole state at one moment, as bytes that depend on nothing else, with a checksum at the end. Others may write meanwhile.
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
        let mut shards = store.lock_all();
        let players =
            shards.iter().flat_map(|shard| (0..shard.given()).filter_map(|at| shard.slot(at).player.as_ref()));
        for player in players {
            newest = newest.max(player.newest_ts).max(player.erased_through().unwrap_or(Timestamp::MIN));
            let closings = player.rare().paid.newest().map(|period| rules.calendar().closes_at(period));
            paid_until = closings.fold(paid_until, Timestamp::max);
        }
        let back = shards[0].horizon.turned_back(now, newest, paid_until);
        for shard in &mut shards {
            shard.horizon = back;
        }
        store.boards.turned_back(back);
        drop(shards);
        Ok(store)
    }

    /// How much it holds.
    pub fn size(&self) -> Size {
        certain(Whole::size(self))
    }

    /// Takes the records of a snapshot, which are sound only if this succeeds.
    fn fill<R: Read>(
        &self,
        shards: &mut [RwLockWriteGuard<'_, Shard>],
        mut snapshot: SnapshotReader<R>,
    ) -> Result<(Horizon, SnapshotReader<R>), StoreError> {
        let mut horizon = Horizon::default();
        for next in &mut snapshot {
            let (key, record) = next?;
            if let (Key::Horizon, Record::Horizon(found)) = (&key, &record) {
                horizon = *found;
                // Outcomes of before are not taken.
                for shard in shards.iter_mut() {
                    shard.horizon = horizon;
                }
                continue;
            }
            let player = key.player().ok_or(StoreErrorKind::Corrupt)?;
            let hash = self.keys.player(player);
            let shard = &mut shards[shard_of(hash)];
            let at = shard.find(hash, player).unwrap_or_else(|| shard.add(hash, player));
            shard.insert(at, hash, &key, record).ok_or(StoreErrorKind::Corrupt)?;
        }
        Ok((horizon, snapshot))
    }
}

fn clear(shards: &mut [RwLockWriteGuard<'_, Shard>]) {
    for shard in shards {
        shard.clear();
    }
}

/// For callers that have no use for an error.
fn certain<T>(result: Result<T, StoreError>) -> T {
    // Only an outcome that was read from other bytes than it was written to, and a writer that is not a list of bytes, can fail.
    result.unwrap_or_else(|error| unreachable!("a store in memory reads what it wrote: {error}"))
}
