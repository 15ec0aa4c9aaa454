//! All players of one shard, and their records.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};

use super::log::{Log, Name, Place};
use super::moment::View;
use super::names::Names;
use super::slot::{self, Slot};
use super::table::{Table, Tag};
use crate::board::Chunks;
use crate::error::StoreErrorKind;
use crate::hash;
use crate::id::{CommandId, PlayerId};
use crate::record::{ChangeSet, Horizon, Key, Kind, Player, Receipt, Record, RecordRef, StoredOutcome, Suspicion};
use crate::store::Size;
use crate::time::Timestamp;

/// Bits of a hash by which a player's shard is found: the highest.
pub(super) const SHARD_BITS: u32 = 6;

/// Some of the players. Every shard has the same horizon.
#[derive(Debug, Default)]
pub(super) struct Shard {
    pub(super) horizon: Horizon,
    pub(super) keys: Keys,
    table: Table,
    slots: Chunks<Slot, 128>,
    /// Slots that were ever used.
    given: u32,
    free: Vec<u32>,
    pub(super) log: Log,
    /// Everybody who is there.
    names: Names,
    /// Everybody who ever had a suspicion.
    suspects: Names,
    /// Players of whom only the mark of an erasure was left when they were written last, by the time when they may be absent; among
    /// them some who have more by now.
    marks: BinaryHeap<Reverse<(Timestamp, u32)>>,
    /// The highest that is known of how many times there was news of somebody who was let go: it goes on from there for whoever is new, so
    /// that no news of before are ever taken for later ones.
    told_base: u64,
    receipts: u64,
    suspicions: u64,
    /// Moments that somebody reads the shard as of.
    pub(super) views: Vec<View>,
}

/// By which players and commands are hashed.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Keys(pub(super) hash::Key);

impl Keys {
    #[inline]
    pub(super) fn player(&self, player: &PlayerId) -> u64 {
        hash::keyed(&self.0, player.as_bytes())
    }

    /// Of a command of a player of that hash.
    #[inline]
    pub(super) fn command(&self, player: u64, name: &Name) -> Tag {
        Tag::of(player ^ name.hash(&self.0))
    }
}

/// What a run adds to the outcomes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Added<'w> {
    pub(super) name: &'w Name,
    pub(super) tag: Tag,
    /// Whether there may be one under that name.
    pub(super) is_there: bool,
    pub(super) ts: Timestamp,
    /// The version, then the stable bytes.
    pub(super) outcome: &'w [u8],
}

impl Shard {
    /// An empty one.
    pub(super) fn new(keys: Keys) -> Self {
        Self { keys, ..Self::default() }
    }

    /// Forgets everything, but for who reads it as it was.
    pub(super) fn clear(&mut self) {
        let views = std::mem::take(&mut self.views);
        *self = Self { views, told_base: self.told_base, ..Self::new(self.keys) };
    }

    /// The slot of a player of that hash.
    #[inline]
    pub(super) fn find(&self, hash: u64, player: &PlayerId) -> Option<u32> {
        let is = |slot: u64| self.slots[slot as usize].id.as_ref() == Some(player);
        self.table.find(Tag::of(hash), is).map(|slot| slot as u32)
    }

    /// Brings near what finds a player of that hash.
    #[inline]
    pub(super) fn touch(&self, hash: u64) -> u64 {
        self.table.touch(Tag::of(hash))
    }

    /// Brings a player's record near.
    #[inline]
    pub(super) fn touch_player(&self, at: u32) -> u64 {
        let Some(player) = &self.slot(at).player else { return 0 };
        // A field in each of its cache lines.
        player.version ^ player.receipts ^ u64::from(player.chain_head.0[0]) ^ player.standings.len() as u64
    }

    #[inline]
    pub(super) fn slot(&self, at: u32) -> &Slot {
        &self.slots[at as usize]
    }

    #[inline]
    pub(super) fn slot_mut(&mut self, at: u32) -> &mut Slot {
        &mut self.slots[at as usize]
    }

    /// The slot of somebody new.
    #[inline(never)]
    pub(super) fn add(&mut self, hash: u64, player: &PlayerId) -> u32 {
        // Whoever reads the shard as it was tells by the number who came later.
        let free = if self.views.is_empty() { self.free.pop() } else { None };
        let at = free.unwrap_or_else(|| {
            self.given += 1;
            self.given - 1
        });
        let slot = self.slots.entry(at as usize);
        (slot.id, slot.told) = (Some(player.clone()), self.told_base);
        self.table.insert(Tag::of(hash), at.into());
        self.names.add(at);
        at
    }

    /// Whether nobody is there.
    pub(super) const fn is_empty(&self) -> bool {
        self.table.len() == 0
    }

    /// Slots ever used: each is below this.
    pub(super) const fn given(&self) -> u32 {
        self.given
    }

    /// The player's record, unless it is [absent](Self::is_absent).
    #[inline]
    pub(super) fn player(&self, at: u32, horizon: Horizon) -> Option<&Player> {
        self.slot(at).player.as_deref().filter(|_| !self.is_absent(at, horizon))
    }

    /// Whether nothing is left but the mark of an erasure that no command can precede any more.
    #[inline]
    pub(super) fn is_absent(&self, at: u32, horizon: Horizon) -> bool {
        let slot = self.slot(at);
        slot.player.as_ref().is_some_and(|player| player.is_idle_mark(horizon))
            && self.newest_ts(at).is_none_or(|newest| newest < horizon.forgotten_before)
    }

    /// The newest time of a player's outcomes.
    fn newest_ts(&self, at: u32) -> Option<Timestamp> {
        self.log.of(self.slot(at).newest).map(|entry| entry.ts()).max()
    }

    #[inline]
    pub(super) fn version(&self, at: u32) -> u64 {
        self.player(at, self.horizon).map_or(0, |player| player.version)
    }
}

/// Single records.
impl Shard {
    /// The first outcome of a command of a player of that hash.
    #[inline]
    pub(super) fn outcome(
        &self,
        at: u32,
        hash: u64,
        id: &CommandId,
    ) -> Result<Option<Box<StoredOutcome>>, StoreErrorKind> {
        let name = Name::of(id);
        self.outcome_named(at, self.keys.command(hash, &name), &name).map(|(outcome, _)| outcome)
    }

    /// The same by a name and its tag, and whether there is one, be it of before the horizon.
    #[inline]
    pub(super) fn outcome_named(
        &self,
        at: u32,
        tag: Tag,
        name: &Name,
    ) -> Result<(Option<Box<StoredOutcome>>, bool), StoreErrorKind> {
        let Some(entry) = self.log.find(tag, at, name) else { return Ok((None, false)) };
        if entry.ts() < self.horizon.forgotten_before { Ok((None, true)) } else { Ok((Some(entry.read()?), true)) }
    }

    pub(super) fn receipt(&self, at: u32, number: u64) -> Result<Option<Box<Receipt>>, StoreErrorKind> {
        match slot::read(self.slot(at).receipts(), number)? {
            Some(Record::Receipt(receipt)) => Ok(Some(receipt)),
            None => Ok(None),
            Some(_) => Err(StoreErrorKind::Corrupt),
        }
    }

    pub(super) fn suspicion(&self, at: u32, number: u64) -> Result<Option<Box<Suspicion>>, StoreErrorKind> {
        match slot::read(self.slot(at).suspicions(), number)? {
            Some(Record::Suspicion(suspicion)) => Ok(Some(suspicion)),
            None => Ok(None),
            Some(_) => Err(StoreErrorKind::Corrupt),
        }
    }

    pub(super) fn get(&self, at: u32, hash: u64, key: &Key) -> Result<Option<Record>, StoreErrorKind> {
        Ok(match key {
            Key::Player(_) => self.player(at, self.horizon).map(|player| Record::Player(player.clone().into())),
            Key::Outcome(_, id) => self.outcome(at, hash, id)?.map(Record::Outcome),
            Key::Receipt(_, number) => self.receipt(at, *number)?.map(Record::Receipt),
            Key::Suspicion(_, number) => self.suspicion(at, *number)?.map(Record::Suspicion),
            Key::Horizon => None,
        })
    }
}

/// Writing.
impl Shard {
    /// Writes what a change set says, and outcomes beside it; the set's record becomes the one that it replaces, or any other.
    pub(super) fn write<'w>(
        &mut self,
        at: u32,
        hash: u64,
        changes: &mut ChangeSet,
        added: impl Iterator<Item = Added<'w>>,
        scratch: &mut Vec<u8>,
    ) {
        self.copy_first(at);
        if changes.forget {
            self.forget(at);
        }
        for (id, outcome) in changes.outcomes.drain(..) {
            self.remember_outcome(at, hash, &id, &outcome, scratch);
        }
        for added in added {
            self.remember(at, &added);
        }
        let may_be_mark = changes.record.erased_through();
        std::mem::swap(self.slot_mut(at).player.get_or_insert_default(), &mut changes.record);
        for receipt in &changes.receipts {
            self.put_receipt(at, receipt.number, receipt, scratch);
        }
        for (number, suspicion) in &changes.suspicions {
            self.put_suspicion(at, *number, suspicion, scratch);
        }
        for key in &changes.removed {
            self.remove(at, hash, key);
        }
        if let Some(through) = may_be_mark {
            self.note_mark(at, through);
        }
        // Where much was erased or overwritten, whoever adds gives memory back, a piece at a time.
        if self.log.is_mostly_dead() && self.views.is_empty() {
            self.tidy();
        }
    }

    /// Takes one record of a snapshot; `None` for one that is not under its own kind of key.
    pub(super) fn insert(&mut self, at: u32, hash: u64, key: &Key, record: Record) -> Option<()> {
        match (key, record) {
            (Key::Player(_), Record::Player(player)) => {
                let through = player.erased_through();
                let slot = self.slot_mut(at);
                slot.told += u64::from(!player.standings.is_empty());
                slot.player = Some(player);
                if let Some(through) = through {
                    self.note_mark(at, through);
                }
            }
            (Key::Outcome(_, id), Record::Outcome(outcome)) => {
                self.remember_outcome(at, hash, id, &outcome, &mut Vec::new());
            }
            (Key::Receipt(_, number), Record::Receipt(receipt)) => {
                self.put_receipt(at, *number, &receipt, &mut Vec::new());
            }
            (Key::Suspicion(_, number), Record::Suspicion(suspicion)) => {
                self.put_suspicion(at, *number, &suspicion, &mut Vec::new());
            }
            _ => return None,
        }
        Some(())
    }

    fn remember_outcome(&mut self, at: u32, hash: u64, id: &CommandId, outcome: &StoredOutcome, scratch: &mut Vec<u8>) {
        let version = outcome.version();
        scratch.clear();
        scratch.push(version);
        outcome.put_version(version, scratch);
        let name = Name::of(id);
        let tag = self.keys.command(hash, &name);
        self.remember(at, &Added { name: &name, tag, is_there: true, ts: outcome.ts, outcome: scratch });
    }

    #[inline]
    fn remember(&mut self, at: u32, added: &Added<'_>) {
        let Added { name, tag, is_there, ts, outcome } = *added;
        if is_there {
            self.log.remove(tag, at, name);
        }
        if ts >= self.horizon.forgotten_before {
            self.log.push((tag, at), name, ts, outcome, &mut self.slots[at as usize].newest);
        }
    }

    fn put_receipt(&mut self, at: u32, number: u64, receipt: &Receipt, scratch: &mut Vec<u8>) {
        let records = self.slots[at as usize].receipts_mut();
        self.receipts += u64::from(slot::put(records, number, RecordRef::Receipt(receipt), scratch));
    }

    #[cold]
    fn put_suspicion(&mut self, at: u32, number: u64, suspicion: &Suspicion, scratch: &mut Vec<u8>) {
        if self.slot(at).suspicions().is_empty() {
            self.suspects.add(at);
        }
        let records = self.slots[at as usize].suspicions_mut();
        self.suspicions += u64::from(slot::put(records, number, RecordRef::Suspicion(suspicion), scratch));
    }

    #[inline(never)]
    fn remove(&mut self, at: u32, hash: u64, key: &Key) {
        match key {
            Key::Outcome(_, id) => {
                let name = Name::of(id);
                self.log.remove(self.keys.command(hash, &name), at, &name);
            }
            Key::Receipt(_, number) => {
                let gone = self.slot_mut(at).receipts_mut().remove(number);
                self.receipts -= u64::from(gone.is_some());
                self.slot_mut(at).shrink();
            }
            Key::Suspicion(_, number) => {
                let gone = self.slot_mut(at).suspicions_mut().remove(number);
                self.suspicions -= u64::from(gone.is_some());
                self.slot_mut(at).shrink();
            }
            Key::Horizon | Key::Player(_) => {}
        }
    }

    /// Removes everything of a player but the record.
    #[cold]
    fn forget(&mut self, at: u32) {
        let slot = &mut self.slots[at as usize];
        self.log.forget(&mut slot.newest);
        self.receipts -= slot.receipts().len() as u64;
        self.suspicions -= slot.suspicions().len() as u64;
        slot.forget_rare();
    }

    #[cold]
    fn note_mark(&mut self, at: u32, through: Timestamp) {
        if self.slot(at).player.as_ref().is_some_and(|player| player.idle_mark().is_some()) {
            self.marks.push(Reverse((through, at)));
        }
    }
}

/// Giving memory back.
impl Shard {
    /// Whether [`Self::next_absent`] may find somebody.
    pub(super) fn has_due_marks(&self) -> bool {
        self.marks.peek().is_some_and(|Reverse((time, _))| *time < self.horizon.forgotten_before)
    }

    /// Somebody of whom nothing is left, if there is one.
    pub(super) fn next_absent(&mut self) -> Option<u32> {
        let due = self.horizon.forgotten_before;
        while let Some(Reverse((time, at))) = self.marks.peek().copied().filter(|Reverse((time, _))| *time < due) {
            self.marks.pop();
            if self.is_absent(at, self.horizon) {
                return Some(at);
            }
            let mark = self.slot(at).player.as_ref().and_then(|player| player.idle_mark());
            if mark.is_some_and(|through| through < due) {
                // An outcome is left, which is newer.
                self.marks.push(Reverse((self.newest_ts(at).unwrap_or(time), at)));
            }
        }
        None
    }

    /// Lets go of a player of whom nothing is left.
    pub(super) fn release(&mut self, at: u32, hash: u64) {
        self.forget(at);
        self.told_base = self.told_base.max(self.slot(at).told);
        let slots = &self.slots;
        self.names.remove(at, |at| name_of(slots, at));
        self.suspects.remove(at, |at| name_of(slots, at));
        self.table.remove(Tag::of(hash), at.into());
        self.slots[at as usize] = Slot::default();
        self.free.push(at);
        if self.is_empty() {
            (self.slots, self.given, self.free) = (Chunks::default(), 0, Vec::new());
            self.marks = BinaryHeap::new();
        }
    }

    /// Whether [`Self::tidy`] has something to give back.
    pub(super) fn is_untidy(&self) -> bool {
        self.log.is_untidy(self.horizon.forgotten_before)
    }

    /// Gives the oldest segment of outcomes back.
    #[cold]
    pub(super) fn tidy(&mut self) {
        let slots = &mut self.slots;
        let exchange = |at: u32, newest: &mut Place| std::mem::swap(&mut slots[at as usize].newest, newest);
        self.log.tidy(self.horizon.forgotten_before, exchange);
    }

    /// Adds to the counts.
    pub(super) fn count(&self, size: &mut Size) {
        let due = self.horizon.forgotten_before;
        let marks = self.marks.iter().filter(|Reverse((time, _))| *time < due).map(|Reverse((_, at))| *at);
        let absent: BTreeSet<u32> = marks.filter(|at| self.is_absent(*at, self.horizon)).collect();
        size.players += (self.table.len() - absent.len()) as u64;
        size.outcomes += self.log.count(due) as u64;
        size.receipts += self.receipts;
        size.suspicions += self.suspicions;
    }
}

/// The name in a slot that is used.
fn name_of(slots: &Chunks<Slot, 128>, at: u32) -> &PlayerId {
    slots[at as usize].id.as_ref().unwrap_or_else(|| unreachable!("names are of slots in use"))
}

/// Names in order, and all records of a player.
impl Shard {
    /// Whether everybody of a list can be met in it.
    pub(super) const fn is_settled(&self, kind: Option<Kind>) -> bool {
        self.names_of(kind).is_settled()
    }

    /// Sorts some names in.
    pub(super) fn settle(&mut self, kind: Option<Kind>) {
        let slots = &self.slots;
        let names = if matches!(kind, Some(Kind::Suspicion)) { &mut self.suspects } else { &mut self.names };
        names.settle(|at| name_of(slots, at));
    }

    const fn names_of(&self, kind: Option<Kind>) -> &Names {
        if matches!(kind, Some(Kind::Suspicion)) { &self.suspects } else { &self.names }
    }

    /// Players behind a name who have records of a kind, and maybe others, in order.
    pub(super) fn after<'s>(
        &'s self,
        kind: Option<Kind>,
        after: Option<&PlayerId>,
    ) -> impl Iterator<Item = (u32, &'s PlayerId)> {
        let name = |at| name_of(&self.slots, at);
        self.names_of(kind).after(after, name).map(move |at| (at, name(at)))
    }

    /// Adds records of a player behind a key, in the order of keys, at most `limit`.
    pub(super) fn records(
        &self,
        at: u32,
        kind: Option<Kind>,
        after: Option<&Key>,
        limit: usize,
        page: &mut Vec<(Key, Record)>,
    ) -> Result<(), StoreErrorKind> {
        let end = page.len().saturating_add(limit);
        self.each(at, kind, after, limit, self.horizon, |key, record| {
            let record = match record {
                Stored::Record(record) => Record::decode(record)?,
                Stored::Outcome([version, bytes @ ..]) => {
                    let outcome = StoredOutcome::take_version(*version, &mut &bytes[..]);
                    Record::Outcome(outcome.ok_or(StoreErrorKind::Corrupt)?.into())
                }
                Stored::Outcome([]) => return Err(StoreErrorKind::Corrupt),
                Stored::Player(player) => Record::Player(player.clone().into()),
            };
            page.push((key, record));
            Ok(())
        })?;
        debug_assert!(page.len() <= end);
        Ok(())
    }

    /// Goes through them.
    pub(super) fn each(
        &self,
        at: u32,
        kind: Option<Kind>,
        after: Option<&Key>,
        limit: usize,
        horizon: Horizon,
        mut each: impl FnMut(Key, Stored<'_>) -> Result<(), StoreErrorKind>,
    ) -> Result<(), StoreErrorKind> {
        let slot = self.slot(at);
        let Some(id) = &slot.id else { return Ok(()) };
        if self.is_absent(at, horizon) {
            return Ok(());
        }
        let after_kind = after.and_then(Key::kind);
        let wants = |this: Kind| kind.is_none_or(|kind| kind == this) && after_kind.is_none_or(|after| after <= this);
        let mut left = limit;
        if wants(Kind::Player)
            && after_kind.is_none()
            && left > 0
            && let Some(player) = &slot.player
        {
            left -= 1;
            each(Key::Player(id.clone()), Stored::Player(player))?;
        }
        if wants(Kind::Outcome) && left > 0 {
            let after = if let Some(Key::Outcome(_, id)) = after { Some(id) } else { None };
            for (command, bytes) in self.outcomes(at, after, left, horizon)? {
                left -= 1;
                each(Key::Outcome(id.clone(), command), Stored::Outcome(bytes))?;
            }
        }
        if wants(Kind::Receipt) {
            let after = if let Some(Key::Receipt(_, number)) = after { Some(*number) } else { None };
            for (number, bytes) in slot::behind(slot.receipts(), after).take(left) {
                left -= 1;
                each(Key::Receipt(id.clone(), number), Stored::Record(bytes))?;
            }
        }
        if wants(Kind::Suspicion) {
            let after = if let Some(Key::Suspicion(_, number)) = after { Some(*number) } else { None };
            for (number, bytes) in slot::behind(slot.suspicions(), after).take(left) {
                each(Key::Suspicion(id.clone(), number), Stored::Record(bytes))?;
            }
        }
        Ok(())
    }

    /// The first outcomes behind one, in order: they are kept in none, so each page looks at all of the player, who has those of a day.
    fn outcomes(
        &self,
        at: u32,
        after: Option<&CommandId>,
        limit: usize,
        horizon: Horizon,
    ) -> Result<Vec<(CommandId, &[u8])>, StoreErrorKind> {
        let mut found = Vec::new();
        for entry in self.log.of(self.slot(at).newest).filter(|entry| entry.ts() >= horizon.forgotten_before) {
            let id = entry.id()?;
            if after.is_none_or(|after| id > *after) {
                found.push((id, entry.bytes_of_outcome()));
            }
        }
        if limit < found.len() {
            found.select_nth_unstable_by(limit - 1, |a, b| a.0.cmp(&b.0));
            found.truncate(limit);
        }
        found.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        Ok(found)
    }
}

/// A record as the shard has it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Stored<'s> {
    Player(&'s Player),
    /// A version, then the stable bytes of an outcome.
    Outcome(&'s [u8]),
    /// The stable bytes of a record.
    Record(&'s [u8]),
}
