//! What a shard has of one player.

use std::collections::BTreeMap;
use std::ops::Bound;

use super::log::Place;
use crate::board::{Handle, Standing};
use crate::error::StoreErrorKind;
use crate::id::PlayerId;
use crate::record::{BoardKey, Player, Record, RecordRef};
use crate::replica::Entry;

/// A cache line.
#[derive(Debug, Default)]
pub(super) struct Slot {
    /// `None` of a slot that is free.
    pub(super) id: Option<PlayerId>,
    pub(super) player: Option<Box<Player>>,
    /// By which the boards know the player, once there was news for them.
    pub(super) handle: Option<Handle>,
    /// How many times there was, from some number on. The boards take it for the version: it goes on where an erased player begins anew.
    pub(super) told: u64,
    /// Where the newest outcome is.
    pub(super) newest: Place,
    rare: Option<Box<Rare>>,
}

/// What most players do not have.
#[derive(Debug, Default)]
struct Rare {
    receipts: Numbered,
    suspicions: Numbered,
}

/// Records in their stable bytes, by number.
pub(super) type Numbered = BTreeMap<u64, Box<[u8]>>;

static NOTHING: Numbered = Numbered::new();

impl Slot {
    pub(super) fn receipts(&self) -> &Numbered {
        self.rare.as_ref().map_or(&NOTHING, |rare| &rare.receipts)
    }

    pub(super) fn suspicions(&self) -> &Numbered {
        self.rare.as_ref().map_or(&NOTHING, |rare| &rare.suspicions)
    }

    pub(super) fn receipts_mut(&mut self) -> &mut Numbered {
        &mut self.rare.get_or_insert_default().receipts
    }

    pub(super) fn suspicions_mut(&mut self) -> &mut Numbered {
        &mut self.rare.get_or_insert_default().suspicions
    }

    /// Lets go of receipts and suspicions.
    pub(super) fn forget_rare(&mut self) {
        self.rare = None;
    }

    /// Lets go of memory for what is not there.
    pub(super) fn shrink(&mut self) {
        if self.receipts().is_empty() && self.suspicions().is_empty() {
            self.rare = None;
        }
    }

    /// What boards show.
    pub(super) fn shown(&self) -> Vec<(BoardKey, Standing)> {
        self.player.as_ref().map_or(Vec::new(), |player| player.shown_anywhere())
    }

    /// What boards are told that are built anew; nothing of one whom they need not know.
    pub(super) fn entry(&self) -> Option<Entry> {
        let (id, shown) = (self.id.as_ref()?, self.shown());
        let is_known = self.handle.is_some() || !shown.is_empty();
        is_known.then(|| Entry { player: id.clone(), version: self.told, shown, mark: None })
    }
}

/// Puts a record under a number; whether there was none.
pub(super) fn put(records: &mut Numbered, number: u64, record: RecordRef<'_>, scratch: &mut Vec<u8>) -> bool {
    scratch.clear();
    record.encode_into(scratch);
    records.insert(number, scratch.as_slice().into()).is_none()
}

/// The record of a number.
pub(super) fn read(records: &Numbered, number: u64) -> Result<Option<Record>, StoreErrorKind> {
    records.get(&number).map(|bytes| Record::decode(bytes)).transpose()
}

/// Those behind a number.
pub(super) fn behind(records: &Numbered, number: Option<u64>) -> impl Iterator<Item = (u64, &[u8])> {
    let from = number.map_or(Bound::Unbounded, Bound::Excluded);
    records.range((from, Bound::Unbounded)).map(|(number, bytes)| (*number, &**bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_is_a_cache_line() {
        assert_eq!(size_of::<Slot>(), 64);
    }
}
