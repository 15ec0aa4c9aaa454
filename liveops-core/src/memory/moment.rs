//! The store as it was at one moment, read while others write.
//!
//! The moment is fixed with all shards held, which takes no longer than that. From then on whoever is the first to change a player whom
//! the reader has not come to yet copies the player's records, in their stable bytes. Players come in the order of their names, a page
//! at a time: those who were copied from the copies, all others as they are. Nobody's memory is given back meanwhile, and slots are not
//! used again, so a slot of a number that was given later is somebody new.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::atomic::Ordering;

use super::MemoryStore;
use super::shard::{Shard, Stored};
use crate::codec::Stable as _;
use crate::error::{StoreError, StoreErrorKind};
use crate::id::PlayerId;
use crate::record::{Header, Horizon, Key, RecordRef};
use crate::store::FeedMarks;

/// Players of one shard who are read before others may have it.
const SHARD_PLAYERS: usize = 32;
/// The kind's byte of outcomes in records.
const KIND_OUTCOME: u8 = 2;

/// What a shard keeps for one who reads it as it was.
#[derive(Debug)]
pub(super) struct View {
    number: u64,
    horizon: Horizon,
    /// Slots given by then.
    given: u32,
    /// Who was read last.
    passed: Option<PlayerId>,
    /// A bit for each slot that was written since.
    written: Vec<u64>,
    /// Who was there, is not read yet, and was written since.
    copies: BTreeMap<PlayerId, Vec<u8>>,
    failed: Option<StoreErrorKind>,
}

impl View {
    fn is_written(&self, at: u32) -> bool {
        self.written.get(at as usize / 64).is_some_and(|bits| bits >> (at % 64) & 1 == 1)
    }

    fn note_written(&mut self, at: u32) {
        if self.written.is_empty() {
            self.written.resize(self.given.div_ceil(64) as usize, 0);
        }
        self.written[at as usize / 64] |= 1 << (at % 64);
    }
}

impl Shard {
    /// Copies a player who is about to change for everybody who reads the shard as it was.
    #[inline]
    pub(super) fn copy_first(&mut self, at: u32) {
        if !self.views.is_empty() {
            self.copy_for_views(at);
        }
    }

    #[cold]
    fn copy_for_views(&mut self, at: u32) {
        let mut views = std::mem::take(&mut self.views);
        for view in views.iter_mut().filter(|view| at < view.given && !view.is_written(at)) {
            view.note_written(at);
            let Some(id) = self.slot(at).id.clone() else { continue };
            if view.passed.as_ref().is_some_and(|passed| id <= *passed) {
                continue;
            }
            let mut bytes = Vec::new();
            match self.encode(at, view.horizon, &mut bytes) {
                Ok(()) if bytes.is_empty() => {}
                Ok(()) => drop(view.copies.insert(id, bytes)),
                Err(kind) => view.failed = Some(kind),
            }
        }
        self.views = views;
    }

    /// Appends all records of a player: each key, the length of the record in four bytes, the record.
    fn encode(&self, at: u32, horizon: Horizon, out: &mut Vec<u8>) -> Result<(), StoreErrorKind> {
        self.each(at, None, None, usize::MAX, horizon, |key, record| {
            key.put(out);
            let head = out.len();
            out.extend([0; 4]);
            match record {
                Stored::Player(player) => RecordRef::Player(player).encode_into(out),
                Stored::Record(bytes) => out.extend_from_slice(bytes),
                Stored::Outcome(bytes) => {
                    out.push(KIND_OUTCOME);
                    out.extend_from_slice(bytes);
                }
            }
            let len = u32::try_from(out.len() - head - 4).map_err(|_| StoreErrorKind::Corrupt)?;
            out[head..head + 4].copy_from_slice(&len.to_le_bytes());
            Ok(())
        })
    }

    fn view(&self, number: u64) -> Option<&View> {
        self.views.iter().find(|view| view.number == number)
    }

    /// The names behind one, at most so many, and whether these are all.
    fn names_at(&self, number: u64, after: Option<&PlayerId>, limit: usize) -> (Vec<(PlayerId, u32)>, bool) {
        let Some(view) = self.view(number) else { return (Vec::new(), true) };
        let is_there = |(at, _): &(u32, &PlayerId)| *at < view.given && !view.is_written(*at);
        let there = self.after(None, after).filter(is_there).map(|(at, id)| (id.clone(), at));
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let copied = view.copies.range::<PlayerId, _>((from, Bound::Unbounded));
        let mut names: Vec<_> = there.take(limit).collect();
        names.extend(copied.map(|(id, _)| (id.clone(), u32::MAX)).take(limit));
        let are_all = names.len() < limit;
        names.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        names.truncate(limit);
        (names, are_all)
    }

    /// Appends the records of players whom [`Self::names_at`] named, and says where each one's end. All up to `passed` are read then.
    fn read_at(
        &mut self,
        number: u64,
        names: &[&(PlayerId, u32)],
        passed: &PlayerId,
        out: &mut Vec<u8>,
        ends: &mut Vec<usize>,
    ) -> Result<(), StoreErrorKind> {
        let Some(view) = self.view(number) else { return Err(StoreErrorKind::Unavailable) };
        if let Some(kind) = view.failed {
            return Err(kind);
        }
        for (id, at) in names {
            if let Some(bytes) = view.copies.get(id) {
                out.extend_from_slice(bytes);
            } else if *at < view.given && !view.is_written(*at) {
                self.encode(*at, view.horizon, out)?;
            }
            ends.push(out.len());
        }
        if let Some(view) = self.views.iter_mut().find(|view| view.number == number) {
            view.passed = Some(passed.clone());
            while view.copies.first_key_value().is_some_and(|(id, _)| id <= passed) {
                view.copies.pop_first();
            }
        }
        Ok(())
    }
}

/// A store at one moment. What is kept for it is let go with it.
#[derive(Debug)]
pub(super) struct Moment<'s> {
    store: &'s MemoryStore,
    number: u64,
    pub(super) horizon: Horizon,
    pub(super) header: Header,
    pub(super) marks: FeedMarks,
}

impl<'s> Moment<'s> {
    /// Now.
    pub(super) fn new(store: &'s MemoryStore) -> Self {
        let number = store.moments.fetch_add(1, Ordering::Relaxed);
        let mut shards = store.lock_all();
        let horizon = shards[0].horizon;
        for shard in &mut shards {
            let given = shard.given();
            let (written, copies) = (Vec::new(), BTreeMap::new());
            shard.views.push(View { number, horizon, given, passed: None, written, copies, failed: None });
        }
        let (header, marks) = (store.header.lock().clone(), store.feed.marks());
        drop(shards);
        Self { store, number, horizon, header, marks }
    }

    /// Every record in the order of keys, in its stable bytes.
    pub(super) fn each_record(
        &self,
        mut each: impl FnMut(&Key, &[u8]) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let (mut after, mut page) = (None, Page::default());
        loop {
            let names = self.names(after.as_ref());
            let Some((last, _)) = names.last() else { return Ok(()) };
            page.read(self, &names, last)?;
            page.each(&mut each)?;
            after = names.into_iter().last().map(|(name, _)| name);
        }
    }

    /// Some names behind one, all there are between it and the last of them.
    fn names(&self, after: Option<&PlayerId>) -> Vec<(PlayerId, u32)> {
        let (mut names, mut end) = (Vec::new(), None);
        for at in 0..self.store.shards.len() {
            self.store.settle(at, None);
            let (some, are_all) = self.store.shards[at].0.read().names_at(self.number, after, SHARD_PLAYERS);
            if !are_all {
                let last = some.last().map(|(name, _)| name.clone());
                end = end.take().map_or_else(|| last.clone(), |end: PlayerId| last.clone().map(|last| end.min(last)));
            }
            names.extend(some);
        }
        names.retain(|(name, _)| end.as_ref().is_none_or(|end| name <= end));
        names.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        names
    }
}

impl Drop for Moment<'_> {
    fn drop(&mut self) {
        for at in 0..self.store.shards.len() {
            let mut shard = self.store.shards[at].0.write();
            let view = shard.views.iter().position(|view| view.number == self.number);
            let view = view.map(|view| shard.views.swap_remove(view));
            drop(shard);
            drop(view);
        }
        self.store.give_back();
    }
}

/// The records of some players, by shard.
#[derive(Debug, Default)]
struct Page {
    bytes: Vec<u8>,
    /// Of each player in order, where the records are.
    places: Vec<(usize, usize)>,
}

impl Page {
    fn read(&mut self, moment: &Moment<'_>, names: &[(PlayerId, u32)], last: &PlayerId) -> Result<(), StoreError> {
        let store = moment.store;
        self.bytes.clear();
        self.places.clear();
        self.places.resize(names.len(), (0, 0));
        let mut by_shard: Vec<_> = names.iter().enumerate().map(|(n, of)| (store.shard_of(&of.0), n)).collect();
        by_shard.sort_unstable();
        let mut ends = Vec::new();
        for some in by_shard.chunk_by(|a, b| a.0 == b.0) {
            let names: Vec<_> = some.iter().map(|(_, n)| &names[*n]).collect();
            let mut from = self.bytes.len();
            ends.clear();
            let mut shard = store.shards[some[0].0].0.write();
            shard.read_at(moment.number, &names, last, &mut self.bytes, &mut ends)?;
            drop(shard);
            for ((_, n), end) in some.iter().zip(&ends) {
                self.places[*n] = (from, *end);
                from = *end;
            }
        }
        Ok(())
    }

    fn each(&self, mut each: impl FnMut(&Key, &[u8]) -> Result<(), StoreError>) -> Result<(), StoreError> {
        for (from, end) in &self.places {
            let mut bytes = &self.bytes[*from..*end];
            while !bytes.is_empty() {
                let key = Key::take(&mut bytes).ok_or(StoreErrorKind::Corrupt)?;
                let (len, rest) = bytes.split_first_chunk().ok_or(StoreErrorKind::Corrupt)?;
                let (record, rest) = rest.split_at(u32::from_le_bytes(*len) as usize);
                bytes = rest;
                each(&key, record)?;
            }
        }
        Ok(())
    }
}
