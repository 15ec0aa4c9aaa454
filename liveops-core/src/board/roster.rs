//! The table of owners: every owner has a small number, which all boards and windows share.

use std::cmp::Ordering;

use super::chunks::Chunks;
use super::owners::{Directory, Owners};
use super::table::Table;
use crate::hash::Key;
use crate::id::{Id, Lead, PlayerId};
use crate::limits::OWNERS_MAX;

/// The number of an owner.
pub(crate) type Handle = u32;

/// Owners by handle and handles by owner. A handle stays the same while it is used, and is given to somebody else after.
#[derive(Clone, Debug)]
pub(crate) struct Roster {
    table: Table,
    owners: Names,
    /// How many boards use a handle. One that reached the end is never freed.
    uses: Chunks<u16, 4096>,
}

/// By handle.
#[derive(Clone, Debug, Default)]
struct Names(Chunks<Owner, 4096>);

#[derive(Clone, Debug)]
struct Owner(PlayerId);

impl Default for Owner {
    fn default() -> Self {
        // A literal that is a valid id.
        Self(Id::new("-").map_or_else(|_| unreachable!("a hyphen is an id"), PlayerId::from))
    }
}

impl Names {
    #[inline]
    fn of(&self, handle: Handle) -> &PlayerId {
        &self.0[handle as usize].0
    }
}

impl Owners for Names {
    #[inline]
    fn owner(&self, handle: Handle) -> PlayerId {
        self.of(handle).clone()
    }

    #[inline]
    fn is(&self, handle: Handle, id: &[u8]) -> bool {
        self.of(handle).as_bytes() == id
    }

    #[inline]
    fn lead(&self, handle: Handle) -> Lead {
        self.of(handle).lead()
    }

    fn cmp_id(&self, handle: Handle, id: &PlayerId) -> Ordering {
        self.of(handle).cmp(id)
    }

    fn cmp(&self, a: Handle, b: Handle) -> Ordering {
        self.of(a).cmp(self.of(b))
    }
}

impl Owners for Roster {
    #[inline]
    fn owner(&self, handle: Handle) -> PlayerId {
        self.owners.owner(handle)
    }

    #[inline]
    fn is(&self, handle: Handle, id: &[u8]) -> bool {
        self.owners.is(handle, id)
    }

    #[inline]
    fn lead(&self, handle: Handle) -> Lead {
        self.owners.lead(handle)
    }

    fn cmp_id(&self, handle: Handle, id: &PlayerId) -> Ordering {
        self.owners.cmp_id(handle, id)
    }

    fn cmp(&self, a: Handle, b: Handle) -> Ordering {
        Owners::cmp(&self.owners, a, b)
    }
}

impl Directory for Roster {
    #[inline]
    fn find(&self, id: &[u8]) -> Option<Handle> {
        self.table.find(id, self.table.hash(id), &self.owners)
    }
}

impl Roster {
    /// A table with room for so many owners. See [`crate::hash::Map::new`] about the key.
    pub(crate) fn new(key: Key, capacity: usize) -> Self {
        let table = Table::new(key, capacity, OWNERS_MAX);
        let mut roster = Self { table, owners: Names::default(), uses: Chunks::default() };
        roster.owners.0.reserve(capacity);
        roster.uses.reserve(capacity);
        roster
    }

    /// How many owners there are.
    pub(crate) const fn len(&self) -> usize {
        self.table.len()
    }

    /// The handle of an owner, given now if there is none; it is freed by [`Self::release`] once nobody uses it.
    /// `None` when [`OWNERS_MAX`] handles are in use.
    pub(crate) fn intern(&mut self, owner: &PlayerId) -> Option<Handle> {
        let hash = self.table.hash(owner.as_bytes());
        if let Some(handle) = self.table.find(owner.as_bytes(), hash, &self.owners) {
            return Some(handle);
        }
        let handle = self.table.give()?;
        self.owners.0.entry(handle as usize).0 = owner.clone();
        *self.uses.entry(handle as usize) = 0;
        self.table.enter(handle, hash, &self.owners);
        Some(handle)
    }

    /// One more board uses the handle.
    pub(crate) fn retain(&mut self, handle: Handle) {
        let uses = &mut self.uses[handle as usize];
        *uses = uses.saturating_add(1);
    }

    /// One board less uses the handle; if it was the last, the owner is forgotten.
    pub(crate) fn release(&mut self, handle: Handle) {
        let uses = &mut self.uses[handle as usize];
        if *uses < u16::MAX {
            *uses = uses.saturating_sub(1);
        }
        self.forget_unused(handle);
    }

    /// Forgets an owner whom no board uses.
    pub(crate) fn forget_unused(&mut self, handle: Handle) {
        if self.uses[handle as usize] > 0 {
            return;
        }
        let hash = self.table.hash(self.owners.of(handle).as_bytes());
        self.table.remove(handle, hash);
        // Long ids live behind a pointer.
        self.owners.0[handle as usize] = Owner::default();
        self.table.give_back(handle);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn player(n: u32) -> PlayerId {
        PlayerId::new(&format!("player-{n}")).unwrap()
    }

    /// Against a map, through growth and mass departure.
    #[test]
    fn the_roster_is_a_map() {
        let mut roster = Roster::new([7; 16], 0);
        let mut model = std::collections::BTreeMap::new();
        for n in 0..20_000 {
            let handle = roster.intern(&player(n)).unwrap();
            roster.retain(handle);
            assert_eq!(model.insert(n, handle), None);
        }
        assert_eq!((roster.len(), roster.intern(&player(77))), (20_000, model.get(&77).copied()));
        for n in (0..20_000).filter(|n| n % 10 != 0) {
            roster.release(model.remove(&n).unwrap());
        }
        for n in 0..20_000 {
            assert_eq!(roster.find(player(n).as_bytes()), model.get(&n).copied());
        }
        for n in 20_000..30_000 {
            let handle = roster.intern(&player(n)).unwrap();
            assert!(handle < 20_000, "handles are given again");
            model.insert(n, handle);
        }
        assert!(model.iter().all(|(n, handle)| roster.find(player(*n).as_bytes()) == Some(*handle)));
        assert!(model.iter().all(|(n, handle)| roster.owner(*handle) == player(*n)));
        assert_eq!(roster.len(), model.len());
    }

    #[test]
    fn a_handle_is_kept_while_a_board_uses_it() {
        let mut roster = Roster::new([0; 16], 100);
        let ann = roster.intern(&player(1)).unwrap();
        roster.retain(ann);
        roster.retain(ann);
        roster.release(ann);
        assert_eq!(roster.find(player(1).as_bytes()), Some(ann));
        roster.release(ann);
        assert_eq!((roster.find(player(1).as_bytes()), roster.len()), (None, 0));
    }
}
