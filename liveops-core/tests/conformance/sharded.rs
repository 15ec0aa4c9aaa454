//! A store in partitions: the kit asks nothing of it that it cannot promise. Each partition is a store of its own; boards are one
//! replica beside them.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::sync::RwLock;

use liveops_core::board::Row;
use liveops_core::conformance;
use liveops_core::error::{StoreError, StoreErrorKind};
use liveops_core::record::{BoardKey, ChangeSet, CommitOutcome, Header, Horizon, Kind, Told};
use liveops_core::store::{
    BoardAnswer, BoardRead, Consumer, ConsumerMark, FeedEntry, FeedMarks, Keeps, Lag, Loaded, Partitioned, Size,
    SnapshotReader, SnapshotWriter, by_load_and_commit, digest_of, records,
};
use liveops_core::{Boards, Feed, Key, MemoryStore, Plan, PlayerId, Record, Replica, Scan, Store, Whole};

struct Sharded {
    /// Whoever reads or commits shares it; whoever moves time, restores or saves has it alone.
    shards: RwLock<Vec<MemoryStore>>,
    header: RwLock<Header>,
    boards: Replica,
}

impl Sharded {
    fn new(shards: usize, feed_len: usize) -> Self {
        let shards = (0..shards).map(|_| MemoryStore::with_feed(feed_len)).collect();
        Self { shards: RwLock::new(shards), header: RwLock::default(), boards: Replica::default() }
    }

    fn with<T>(&self, partition: u16, call: impl FnOnce(&MemoryStore) -> T) -> T {
        call(&self.shards.read().unwrap()[usize::from(partition)])
    }
}

/// Of so many.
fn place_of(player: &PlayerId, shards: usize) -> usize {
    player.as_bytes().iter().map(|byte| usize::from(*byte)).sum::<usize>() % shards
}

fn shard_of<'s>(shards: &'s [MemoryStore], player: &PlayerId) -> &'s MemoryStore {
    &shards[place_of(player, shards.len())]
}

/// Everybody of whom nothing may be left but the mark of an erasure.
fn erased(shards: &[MemoryStore]) -> Vec<PlayerId> {
    let all = shards.iter().flat_map(|shard| records(shard, Some(Kind::Player), 100)).map(Result::unwrap);
    let erased =
        all.filter(|(_, record)| matches!(record, Record::Player(player) if player.erased_through().is_some()));
    erased.filter_map(|(key, _)| key.player().cloned()).collect()
}

impl Store for Sharded {
    fn load(&self, keys: &[Key]) -> Vec<Loaded> {
        let shards = self.shards.read().unwrap();
        let shard = |key: &Key| key.player().map_or(&shards[0], |player| shard_of(&shards, player));
        // A player first, what belongs to the player after that: as asked.
        keys.iter().map(|key| shard(key).load(std::slice::from_ref(key)).remove(0)).collect()
    }

    fn commit(&self, batch: Vec<ChangeSet>) -> Vec<CommitOutcome> {
        let shards = self.shards.read().unwrap();
        let commit = |set: ChangeSet| {
            let outcome = shard_of(&shards, &set.player).commit(vec![set.clone()]).remove(0);
            if matches!(outcome, CommitOutcome::Applied) {
                self.boards.committed(&[set]);
            }
            outcome
        };
        batch.into_iter().map(commit).collect()
    }

    fn drive(&self, plan: &mut Plan<'_>) {
        by_load_and_commit(self, plan);
    }

    fn round_players(&self) -> usize {
        7
    }

    #[allow(clippy::readonly_write_lock, reason = "nobody may commit meanwhile")]
    fn advance(&self, to: Horizon) -> Result<Horizon, StoreError> {
        let shards = self.shards.write().unwrap();
        let marks = erased(&shards);
        let mut horizon = Horizon::default();
        for shard in &*shards {
            horizon = shard.advance(to)?;
        }
        for player in marks {
            let shard = shard_of(&shards, &player);
            if shard.load(&[Key::Player(player.clone())]).remove(0)?.is_none() {
                self.boards.tell([Told::Gone { player }]);
            }
        }
        Ok(horizon)
    }

    fn header(&self) -> Result<Header, StoreError> {
        Ok(self.header.read().unwrap().clone())
    }

    fn replace_header(&self, expected: &Header, new: &Header) -> Result<bool, StoreError> {
        let mut header = self.header.write().unwrap();
        let fits = *header == *expected;
        if fits {
            header.clone_from(new);
        }
        Ok(fits)
    }
}

impl Partitioned for Sharded {
    fn partitions(&self) -> u16 {
        u16::try_from(self.shards.read().unwrap().len()).unwrap()
    }
}

impl Scan for Sharded {
    fn scan(
        &self,
        partition: u16,
        kind: Option<Kind>,
        after: Option<&Key>,
        limit: usize,
    ) -> Result<Vec<(Key, Record)>, StoreError> {
        // A page may be shorter than it may be.
        self.with(partition, |shard| shard.scan(0, kind, after, limit.min(5)))
    }

    fn scan_player(
        &self,
        player: &PlayerId,
        kind: Option<Kind>,
        after: Option<&Key>,
        limit: usize,
    ) -> Result<Vec<(Key, Record)>, StoreError> {
        let shards = self.shards.read().unwrap();
        shard_of(&shards, player).scan_player(player, kind, after, limit)
    }
}

impl Boards for Sharded {
    fn read(&self, reads: &[BoardRead]) -> Vec<Result<BoardAnswer, StoreError>> {
        self.boards.read(reads)
    }

    fn retain(&self, keep: Keeps<'_>) -> Result<(), StoreError> {
        self.boards.retain(keep);
        Ok(())
    }

    fn rebuild(&self, keep: Keeps<'_>) -> Result<(), StoreError> {
        self.boards.rebuild(self, keep)
    }

    fn catch_up(&self) -> Result<(), StoreError> {
        Ok(())
    }

    fn horizon(&self) -> Horizon {
        self.shards.read().unwrap()[0].horizon()
    }

    fn lag(&self) -> Result<Lag, StoreError> {
        Ok(Lag::default())
    }

    fn note_final(&self, _: &BoardKey, _: &[Row]) -> Result<(), StoreError> {
        Ok(())
    }
}

impl Feed for Sharded {
    fn feed(&self, partition: u16, after: u64, limit: usize) -> Result<Vec<FeedEntry>, StoreError> {
        self.with(partition, |shard| shard.feed(0, after, limit))
    }

    fn last(&self, partition: u16) -> Result<u64, StoreError> {
        self.with(partition, |shard| shard.last(0))
    }

    fn ack(&self, consumer: &Consumer, partition: u16, through: u64) -> Result<(), StoreError> {
        let shards = self.shards.read().unwrap();
        shards[usize::from(partition)].ack(consumer, 0, through)?;
        // Whoever is known in one partition is waited for in all.
        shards.iter().try_for_each(|shard| shard.ack(consumer, 0, 0))
    }

    fn drop_consumer(&self, consumer: &Consumer) -> Result<(), StoreError> {
        self.shards.read().unwrap().iter().try_for_each(|shard| shard.drop_consumer(consumer))
    }

    fn consumers(&self) -> Result<Vec<ConsumerMark>, StoreError> {
        let mut all: BTreeMap<Consumer, Vec<u64>> = BTreeMap::new();
        for shard in &*self.shards.read().unwrap() {
            for mark in shard.consumers()? {
                all.entry(mark.consumer).or_default().extend(mark.acked);
            }
        }
        Ok(all.into_iter().map(|(consumer, acked)| ConsumerMark { consumer, acked }).collect())
    }
}

impl Whole for Sharded {
    fn digest(&self) -> Result<String, StoreError> {
        digest_of(self)
    }

    fn snapshot(&self, to: &mut (dyn Write + Send)) -> Result<(), StoreError> {
        let last: Result<_, _> = (0..self.partitions()).map(|at| self.last(at)).collect();
        let marks = FeedMarks { last: last?, consumers: self.consumers()? };
        let Some(Record::Horizon(horizon)) = self.load(&[Key::Horizon]).remove(0)? else {
            return Err(StoreErrorKind::Misconfigured.into());
        };
        let mut writer = SnapshotWriter::new(to, &self.header()?, &marks, horizon)?;
        let mut all = records(self, None, 100).collect::<Result<Vec<_>, _>>()?;
        all.sort_by(|a, b| a.0.cmp(&b.0));
        all.iter().try_for_each(|(key, record)| writer.record(key, &record.encode()))?;
        writer.finish().map(drop)
    }

    fn restore(&self, from: &mut (dyn Read + Send)) -> Result<(), StoreError> {
        if self.size()?.players > 0 {
            return Err(StoreErrorKind::Misconfigured.into());
        }
        let mut shards = self.shards.write().unwrap();
        let reader = SnapshotReader::open(from)?;
        let header = reader.header().cloned().unwrap_or_default();
        let len = shards.len();
        let marks = reader.marks().in_new_epoch(u16::try_from(len).unwrap());
        let all = reader.collect::<Result<Vec<_>, _>>()?;
        let Some((_, Record::Horizon(horizon))) = all.first() else { return Err(StoreErrorKind::Corrupt.into()) };
        for (at, shard) in shards.iter_mut().enumerate() {
            let consumers = marks.consumers.iter();
            let consumers = consumers
                .map(|mark| ConsumerMark { consumer: mark.consumer.clone(), acked: vec![mark.acked[at]] })
                .collect();
            let marks = FeedMarks { last: vec![marks.last[at]], consumers };
            let mut writer = SnapshotWriter::new(Vec::new(), &header, &marks, *horizon)?;
            let mut own = all.iter().filter(|(key, _)| key.player().is_some_and(|player| place_of(player, len) == at));
            own.try_for_each(|(key, record)| writer.record(key, &record.encode()))?;
            Whole::restore(shard, &mut &*writer.finish()?)?;
        }
        *self.header.write().unwrap() = header;
        for (key, record) in &all {
            if let (Some(id), Record::Player(player)) = (key.player(), record) {
                self.boards.tell([Told::of(id, player)]);
            }
        }
        Ok(())
    }

    fn size(&self) -> Result<Size, StoreError> {
        let mut all = Size { boards: self.boards.len() as u64, ..Size::default() };
        for shard in &*self.shards.read().unwrap() {
            let size = Whole::size(shard)?;
            all.players += size.players;
            all.outcomes += size.outcomes;
            all.receipts += size.receipts;
            all.suspicions += size.suspicions;
            all.feed += size.feed;
        }
        Ok(all)
    }
}

#[test]
fn stores_in_partitions_keep_the_contract() {
    for shards in [3, 64] {
        let store = |len| Sharded::new(shards, len);
        conformance::check(|| Box::new(store(1_000_000)));
        conformance::check_scan(|| store(1_000_000));
        conformance::check_boards(|| store(1_000_000));
        conformance::check_feed(store);
        conformance::check_whole(store);
    }
}
