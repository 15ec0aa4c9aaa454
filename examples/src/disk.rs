//! A database as small as can be, for the stores of [`own_store.rs`](../rust/own_store.rs): sorted tables of bytes, and a queue that
//! several read. It outlives whoever opened it, as long as somebody holds it.

use std::collections::{BTreeMap, VecDeque};
use std::io::{Read, Write};
use std::ops::Bound::{Excluded, Included, Unbounded};

use liveops_core::error::{StoreError, StoreErrorKind};
use liveops_core::record::{Header, Horizon, Kind, Told};
use liveops_core::store::{
    Consumer, ConsumerMark, Digester, FeedEntry, FeedMarks, Happened, Size, SnapshotReader, SnapshotWriter,
};
use liveops_core::{Key, PlayerId, Record};

const KINDS: [Kind; 4] = [Kind::Player, Kind::Outcome, Kind::Receipt, Kind::Suspicion];

/// What outlives the process.
#[derive(Debug, Default)]
pub struct Disk {
    /// What the records are of.
    pub header: Header,
    /// How far time went.
    pub horizon: Horizon,
    /// What happened.
    pub queue: Queue,
    /// One for each kind, so that a page of players reads nothing else.
    tables: [BTreeMap<Key, Vec<u8>>; 4],
}

impl Disk {
    /// The bytes under a key.
    pub fn get(&self, key: &Key) -> Option<&[u8]> {
        self.tables[key.kind()? as usize].get(key).map(Vec::as_slice)
    }

    /// Writes bytes under a key; the horizon has a field of its own.
    pub fn put(&mut self, key: Key, bytes: Vec<u8>) {
        if let Some(kind) = key.kind() {
            self.tables[kind as usize].insert(key, bytes);
        }
    }

    /// Loses the last byte under a key, as disks do.
    pub fn lose_a_byte(&mut self, key: &Key) {
        let rest = self.get(key).and_then(|bytes| bytes.split_last()).map(|(_, rest)| rest.to_vec());
        self.put(key.clone(), rest.unwrap_or_default());
    }

    /// Replaces the header that is expected to be there; whether it was.
    pub fn replace_header(&mut self, expected: &Header, new: &Header) -> bool {
        let fits = self.header == *expected;
        if fits {
            self.header.clone_from(new);
        }
        fits
    }

    /// Removes what does not stay, of a kind.
    pub fn retain(&mut self, kind: Kind, mut stays: impl FnMut(&Key, &[u8]) -> bool) {
        self.tables[kind as usize].retain(|key, bytes| stays(key, bytes));
    }

    /// Removes one record.
    pub fn remove(&mut self, key: &Key) {
        self.tables.iter_mut().for_each(|table| drop(table.remove(key)));
    }

    /// Removes every record of a player.
    pub fn remove_player(&mut self, player: &PlayerId) {
        let keys: Vec<Key> = self.page(Some(player), None, None, usize::MAX).map(|(key, _)| key.clone()).collect();
        for key in &keys {
            self.remove(key);
        }
    }

    /// The next records behind a key, or from a player's first on, in key order.
    pub fn page(
        &self,
        of: Option<&PlayerId>,
        kind: Option<Kind>,
        after: Option<&Key>,
        limit: usize,
    ) -> impl Iterator<Item = (&Key, &[u8])> {
        let first = of.map(|player| Key::Player(player.clone()));
        let from = after.map_or(first.as_ref().map_or(Unbounded, Included), Excluded);
        let mut next: Vec<(&Key, &[u8])> = Vec::new();
        for kind in KINDS.into_iter().filter(|known| kind.is_none_or(|kind| kind == *known)) {
            let rest = self.tables[kind as usize].range::<Key, _>((from, Unbounded));
            let own = rest.take_while(|(key, _)| of.is_none_or(|player| key.player() == Some(player)));
            next.extend(own.take(limit).map(|(key, bytes)| (key, bytes.as_slice())));
        }
        next.sort_unstable();
        next.into_iter().take(limit)
    }

    /// All records of a kind or of every kind, in key order.
    pub fn all(&self, kind: Option<Kind>) -> impl Iterator<Item = (&Key, &[u8])> {
        self.page(None, kind, None, usize::MAX)
    }

    /// How much there is, beside so many boards.
    pub fn size(&self, boards: usize) -> Size {
        let [players, outcomes, receipts, suspicions] = self.tables.each_ref().map(|table| table.len() as u64);
        Size { players, outcomes, receipts, suspicions, boards: boards as u64, feed: self.queue.len() as u64 }
    }

    /// Names what is on it.
    pub fn digest(&self) -> String {
        let mut digester = Digester::new(self.horizon);
        self.all(None).for_each(|(key, bytes)| digester.add(key, bytes));
        digester.finish()
    }

    /// Writes all that is on it, in the form that every store takes.
    pub fn snapshot(&self, to: &mut (dyn Write + Send)) -> Result<(), StoreError> {
        let mut writer = SnapshotWriter::new(to, &self.header, &self.queue.marks(), self.horizon)?;
        self.all(None).try_for_each(|(key, bytes)| writer.record(key, bytes))?;
        writer.finish().map(drop)
    }

    /// Takes what another wrote, and answers who is on it. It is read into a disk of its own, which is this one once the seal at the
    /// end was found sound.
    pub fn restore(&mut self, from: &mut (dyn Read + Send)) -> Result<Vec<Told>, StoreError> {
        if self.tables.iter().any(|table| !table.is_empty()) {
            return Err(StoreErrorKind::Misconfigured.into());
        }
        let reader = SnapshotReader::open(from)?;
        let queue = Queue::at(reader.marks().in_new_epoch(1));
        let mut new = Self { header: reader.header().cloned().unwrap_or_default(), queue, ..Self::default() };
        let mut told = Vec::new();
        for read in reader {
            let (key, record) = read?;
            match &record {
                Record::Horizon(horizon) => new.horizon = *horizon,
                Record::Player(player) => told.extend(key.player().map(|id| Told::of(id, player))),
                _ => {}
            }
            new.put(key, record.encode());
        }
        *self = new;
        Ok(told)
    }
}

/// A queue with readers who have names: an entry goes once all who are known have dealt with it.
#[derive(Debug, Default)]
pub struct Queue {
    entries: VecDeque<FeedEntry>,
    last: u64,
    readers: BTreeMap<Consumer, u64>,
}

impl Queue {
    /// One that goes on from where another stood, with nothing in it.
    pub fn at(marks: FeedMarks) -> Self {
        let readers = marks.consumers.into_iter().map(|mark| (mark.consumer, mark.acked[0])).collect();
        Self { entries: VecDeque::new(), last: marks.last[0], readers }
    }

    /// Where it stands.
    pub fn marks(&self) -> FeedMarks {
        let readers = self.readers.iter();
        let consumers =
            readers.map(|(consumer, acked)| ConsumerMark { consumer: consumer.clone(), acked: vec![*acked] });
        FeedMarks { last: vec![self.last], consumers: consumers.collect() }
    }

    /// How many entries wait.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether none do.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The number of the newest entry ever.
    pub const fn last(&self) -> u64 {
        self.last
    }

    /// Adds an entry.
    pub fn push(&mut self, what: Happened) {
        self.last += 1;
        self.entries.push_back(FeedEntry { cursor: self.last, what });
    }

    /// The next entries behind a number, all that follow it; `None` if some of them are gone, or it was never given.
    pub fn read(&self, after: u64, limit: usize) -> Option<Vec<FeedEntry>> {
        let first = self.entries.front().map_or(self.last + 1, |entry| entry.cursor);
        let is_here = after <= self.last && after + 1 >= first;
        is_here.then(|| self.entries.iter().filter(|entry| entry.cursor > after).take(limit).cloned().collect())
    }

    /// A reader has dealt with everything through a number; `None` for one that was never given.
    pub fn ack(&mut self, reader: &Consumer, through: u64) -> Option<()> {
        let mark = (through <= self.last).then(|| self.readers.entry(reader.clone()).or_default())?;
        *mark = through.max(*mark);
        self.trim();
        Some(())
    }

    /// Forgets a reader.
    pub fn forget(&mut self, reader: &Consumer) {
        self.readers.remove(reader);
        self.trim();
    }

    fn trim(&mut self) {
        let through = self.readers.values().copied().min().unwrap_or(0);
        self.entries.retain(|entry| entry.cursor > through);
    }
}
