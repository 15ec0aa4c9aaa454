//! All records of one player.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher as _, BuildHasherDefault, Hash, Hasher, RandomState};
use std::ops::Bound;

use crate::board::{Handle, Standing};
use crate::error::StoreErrorKind;
use crate::id::{CommandId, PlayerId};
use crate::record::{BoardKey, ChangeSet, Horizon, Key, Kind, Player, Receipt, Record, StoredOutcome, Suspicion};
use crate::replica::Entry;
use crate::store::Size;
use crate::time::Timestamp;

#[derive(Debug, Default)]
pub(super) struct Slot {
    pub(super) player: Option<Box<Player>>,
    /// By which the boards know the player, once there was news for them.
    pub(super) handle: Option<Handle>,
    /// How many times there was. The boards take it for the version: it goes on where an erased player begins anew.
    pub(super) told: u64,
    /// None that was forgotten: `advance` removes them.
    outcomes: HashMap<Hashed, Remembered, BuildHasherDefault<Stored>>,
    receipts: BTreeMap<u64, Receipt>,
    suspicions: BTreeMap<u64, Suspicion>,
}

/// A first outcome in its stable bytes, the version first: most are never asked for again, and so take a fifth of the memory.
#[derive(Debug)]
struct Remembered {
    ts: Timestamp,
    bytes: Box<[u8]>,
}

impl Remembered {
    fn new(outcome: &StoredOutcome, scratch: &mut Vec<u8>) -> Self {
        let version = outcome.version();
        scratch.clear();
        scratch.push(version);
        outcome.put_version(version, scratch);
        Self { ts: outcome.ts, bytes: scratch.as_slice().into() }
    }

    fn read(&self) -> Result<Box<StoredOutcome>, StoreErrorKind> {
        let (version, mut bytes) = self.bytes.split_first().ok_or(StoreErrorKind::Corrupt)?;
        StoredOutcome::take_version(*version, &mut bytes).map(Box::new).ok_or(StoreErrorKind::Corrupt)
    }
}

/// A command's name and its hash under the store's key: a growing map need not go back to the names to hash them again.
#[derive(Debug, PartialEq, Eq)]
struct Hashed {
    hash: u64,
    id: CommandId,
}

impl Hashed {
    fn new(id: CommandId, key: &RandomState) -> Self {
        Self { hash: key.hash_one(&id), id }
    }
}

impl Hash for Hashed {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

/// Answers with the hash it is given.
#[derive(Clone, Copy, Debug, Default)]
struct Stored(u64);

impl Hasher for Stored {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        // Never asked: a `Hashed` writes one number.
        self.0 = bytes.iter().fold(self.0, |hash, byte| hash.rotate_left(8) ^ u64::from(*byte));
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

impl Slot {
    /// The player's record, unless it is [absent](Self::is_absent).
    fn present(&self, horizon: Horizon) -> Option<&Player> {
        self.player.as_deref().filter(|_| !self.is_absent(horizon))
    }

    /// Whether nothing is left but the mark of an erasure that no command can precede any more.
    pub(super) fn is_absent(&self, horizon: Horizon) -> bool {
        self.player.as_ref().is_some_and(|player| player.is_idle_mark(horizon)) && self.outcomes.is_empty()
    }

    pub(super) fn version(&self, horizon: Horizon) -> u64 {
        self.present(horizon).map_or(0, |player| player.version)
    }

    pub(super) fn has_suspicions(&self) -> bool {
        !self.suspicions.is_empty()
    }

    /// What boards show.
    pub(super) fn shown(&self) -> &[(BoardKey, Standing)] {
        self.player.as_ref().filter(|player| !player.hidden).map_or(&[], |player| &player.standings)
    }

    /// What boards are told that are built anew; nothing of one of whom there never was news.
    pub(super) fn entry(&self, id: &PlayerId) -> Option<Entry> {
        let entry = || Entry { player: id.clone(), version: self.told, shown: self.shown().to_vec(), mark: None };
        (self.told > 0).then(entry)
    }

    pub(super) fn get(
        &self,
        key: &Key,
        horizon: Horizon,
        hash_key: &RandomState,
    ) -> Result<Option<Record>, StoreErrorKind> {
        Ok(match key {
            Key::Player(_) => self.player.as_ref().filter(|_| !self.is_absent(horizon)).cloned().map(Record::Player),
            Key::Outcome(_, id) => {
                let known = self.outcomes.get(&Hashed::new(id.clone(), hash_key));
                known.map(Remembered::read).transpose()?.map(Record::Outcome)
            }
            Key::Receipt(_, n) => self.receipts.get(n).map(|receipt| Record::Receipt(receipt.clone().into())),
            Key::Suspicion(_, n) => self.suspicions.get(n).map(|suspicion| Record::Suspicion(suspicion.clone().into())),
            Key::Horizon => None,
        })
    }

    /// Takes one record of a snapshot; `None` for one that is not under its own kind of key.
    pub(super) fn insert(&mut self, key: Key, record: Record, horizon: Horizon, hash_key: &RandomState) -> Option<()> {
        match (key, record) {
            (Key::Player(_), Record::Player(player)) => {
                self.told = u64::from(!player.standings.is_empty());
                self.player = Some(player);
            }
            (Key::Outcome(_, id), Record::Outcome(outcome)) => {
                self.remember(id, &outcome, horizon, &mut Vec::new(), hash_key);
            }
            (Key::Receipt(_, n), Record::Receipt(receipt)) => drop(self.receipts.insert(n, *receipt)),
            (Key::Suspicion(_, n), Record::Suspicion(suspicion)) => drop(self.suspicions.insert(n, *suspicion)),
            _ => return None,
        }
        Some(())
    }

    pub(super) fn write(
        &mut self,
        changes: ChangeSet,
        horizon: Horizon,
        scratch: &mut Vec<u8>,
        hash_key: &RandomState,
    ) {
        if changes.forget {
            *self = Self { handle: self.handle, told: self.told, ..Self::default() };
        }
        self.player = Some(changes.record);
        for (id, outcome) in changes.outcomes {
            self.remember(id, &outcome, horizon, scratch, hash_key);
        }
        self.receipts.extend(changes.receipts.into_iter().map(|r| (r.number, r)));
        self.suspicions.extend(changes.suspicions);
        for key in changes.removed {
            match key {
                Key::Outcome(_, id) => drop(self.outcomes.remove(&Hashed::new(id, hash_key))),
                Key::Receipt(_, n) => drop(self.receipts.remove(&n)),
                Key::Suspicion(_, n) => drop(self.suspicions.remove(&n)),
                Key::Horizon | Key::Player(_) => {}
            }
        }
    }

    fn remember(
        &mut self,
        id: CommandId,
        outcome: &StoredOutcome,
        horizon: Horizon,
        scratch: &mut Vec<u8>,
        hash_key: &RandomState,
    ) {
        if outcome.ts >= horizon.forgotten_before {
            self.outcomes.insert(Hashed::new(id, hash_key), Remembered::new(outcome, scratch));
        }
    }

    /// Adds records behind a key, in the order of keys, at most `limit`.
    pub(super) fn records(
        &self,
        id: &PlayerId,
        kind: Option<Kind>,
        after: Option<&Key>,
        limit: usize,
        horizon: Horizon,
        page: &mut Vec<(Key, Record)>,
    ) -> Result<(), StoreErrorKind> {
        if self.is_absent(horizon) {
            return Ok(());
        }
        let end = page.len().saturating_add(limit);
        let after_kind = after.and_then(Key::kind);
        let wants = |this: Kind| kind.is_none_or(|kind| kind == this) && after_kind.is_none_or(|after| after <= this);
        // Numbers behind that of the key, if it is of this kind.
        let behind = |number: Option<u64>| (number.map_or(Bound::Unbounded, Bound::Excluded), Bound::Unbounded);
        if wants(Kind::Player) && after_kind.is_none() && limit > 0 {
            page.extend(self.player.iter().map(|p| (Key::Player(id.clone()), Record::Player(p.clone()))));
        }
        if wants(Kind::Outcome) && page.len() < end {
            let after = if let Some(Key::Outcome(_, id)) = after { Some(id) } else { None };
            for (command, outcome) in self.outcomes_after(after, end - page.len()) {
                page.push((Key::Outcome(id.clone(), command.clone()), Record::Outcome(outcome.read()?)));
            }
        }
        if wants(Kind::Receipt) && page.len() < end {
            let after = if let Some(Key::Receipt(_, number)) = after { Some(*number) } else { None };
            let receipts = self.receipts.range(behind(after)).take(end - page.len());
            page.extend(receipts.map(|(n, r)| (Key::Receipt(id.clone(), *n), Record::Receipt(r.clone().into()))));
        }
        if wants(Kind::Suspicion) && page.len() < end {
            let after = if let Some(Key::Suspicion(_, number)) = after { Some(*number) } else { None };
            let suspicions = self.suspicions.range(behind(after)).take(end - page.len());
            page.extend(suspicions.map(|(n, s)| (Key::Suspicion(id.clone(), *n), Record::Suspicion(s.clone().into()))));
        }
        Ok(())
    }

    /// The first outcomes behind one, in order: they are kept in none, so each page looks at all of the player, who has those of a day.
    fn outcomes_after(&self, after: Option<&CommandId>, limit: usize) -> Vec<(&CommandId, &Remembered)> {
        let all = self.outcomes.iter().map(|(command, outcome)| (&command.id, outcome));
        let mut found: Vec<_> = all.filter(|(id, _)| after.is_none_or(|after| *id > after)).collect();
        if limit > 0 && limit < found.len() {
            found.select_nth_unstable_by(limit - 1, |a, b| a.0.cmp(b.0));
        }
        found.truncate(limit);
        found.sort_unstable_by(|a, b| a.0.cmp(b.0));
        found
    }

    /// Drops what no acceptable command can ask for; whether anything of the player is left.
    pub(super) fn expire(&mut self, horizon: Horizon) -> bool {
        self.outcomes.retain(|_, outcome| outcome.ts >= horizon.forgotten_before);
        if self.outcomes.len() < self.outcomes.capacity() / 4 {
            self.outcomes.shrink_to_fit();
        }
        !self.is_absent(horizon)
    }

    /// Adds to the counts.
    pub(super) fn count(&self, horizon: Horizon, size: &mut Size) {
        if self.present(horizon).is_none() {
            return;
        }
        size.players += 1;
        size.outcomes += self.outcomes.len() as u64;
        size.receipts += self.receipts.len() as u64;
        size.suspicions += self.suspicions.len() as u64;
    }
}
