//! All records of one player.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher as _, BuildHasherDefault, Hash, Hasher, RandomState};

use super::ranks::Board;
use crate::board::Handle;
use crate::error::StoreErrorKind;
use crate::id::{CommandId, PlayerId};
use crate::record::{ChangeSet, Horizon, Key, Player, Receipt, Record, StoredOutcome, Suspicion};
use crate::time::Timestamp;

#[derive(Debug, Default)]
pub(super) struct Slot {
    pub(super) player: Option<Box<Player>>,
    /// By which the boards know the player, once there is an entry.
    pub(super) handle: Option<Handle>,
    /// The boards of `player.standings`, one for each, in the same order.
    pub(super) boards: Vec<Board>,
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
    pub(super) fn version(&self) -> u64 {
        self.player.as_ref().map_or(0, |player| player.version)
    }

    pub(super) fn get(&self, key: &Key, hash_key: &RandomState) -> Result<Option<Record>, StoreErrorKind> {
        Ok(match key {
            Key::Player(_) => self.player.clone().map(Record::Player),
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
    pub(super) fn insert(&mut self, key: Key, record: Record, hash_key: &RandomState) -> Option<()> {
        match (key, record) {
            (Key::Player(_), Record::Player(player)) => self.player = Some(player),
            (Key::Outcome(_, id), Record::Outcome(outcome)) => {
                self.outcomes.insert(Hashed::new(id, hash_key), Remembered::new(&outcome, &mut Vec::new()));
            }
            (Key::Receipt(_, n), Record::Receipt(receipt)) => drop(self.receipts.insert(n, *receipt)),
            (Key::Suspicion(_, n), Record::Suspicion(suspicion)) => drop(self.suspicions.insert(n, *suspicion)),
            _ => return None,
        }
        Some(())
    }

    pub(super) fn write(&mut self, changes: ChangeSet, scratch: &mut Vec<u8>, hash_key: &RandomState) {
        if changes.forget {
            *self = Self { handle: self.handle, boards: std::mem::take(&mut self.boards), ..Self::default() };
        }
        self.player = Some(changes.record);
        for (id, outcome) in changes.outcomes {
            self.outcomes.insert(Hashed::new(id, hash_key), Remembered::new(&outcome, scratch));
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

    /// Adds every record, in no particular order.
    pub(super) fn records(&self, id: &PlayerId, all: &mut Vec<(Key, Record)>) -> Result<(), StoreErrorKind> {
        all.extend(self.player.iter().map(|p| (Key::Player(id.clone()), Record::Player(p.clone()))));
        for (command, outcome) in &self.outcomes {
            all.push((Key::Outcome(id.clone(), command.id.clone()), Record::Outcome(outcome.read()?)));
        }
        let receipts = self.receipts.iter();
        all.extend(receipts.map(|(n, r)| (Key::Receipt(id.clone(), *n), Record::Receipt(r.clone().into()))));
        let suspicions = self.suspicions.iter();
        all.extend(suspicions.map(|(n, s)| (Key::Suspicion(id.clone(), *n), Record::Suspicion(s.clone().into()))));
        Ok(())
    }

    /// Drops what no acceptable command can ask for; whether anything of the player is left.
    pub(super) fn expire(&mut self, horizon: Horizon) -> bool {
        self.outcomes.retain(|_, outcome| outcome.ts >= horizon.forgotten_before);
        if self.outcomes.len() < self.outcomes.capacity() / 4 {
            self.outcomes.shrink_to_fit();
        }
        !(self.outcomes.is_empty() && self.player.as_ref().is_some_and(|p| p.is_idle_mark(horizon)))
    }

    /// Adds to the counts of outcomes, receipts and suspicions.
    pub(super) fn count(&self, size: &mut super::Size) {
        size.outcomes += self.outcomes.len() as u64;
        size.receipts += self.receipts.len() as u64;
        size.suspicions += self.suspicions.len() as u64;
    }
}
