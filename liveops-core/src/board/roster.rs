//! The table of owners: every owner has a small number, which all boards and windows share.
//!
//! Linear hashing (Litwin 1980): the table grows by one bucket at a time, so no insertion waits for a large table to be
//! rebuilt. A bucket is one cache line. The hash is keyed (SipHash-1-3), so that owners who choose their ids cannot
//! make them collide.

use std::hash::Hasher as _;

use siphasher::sip::SipHasher13;

use super::chunks::Chunks;
use crate::hash::Key;
use crate::id::{Id, PlayerId};

/// The number of an owner.
pub(crate) type Handle = u32;

/// No handle, no bucket.
const NONE: u32 = u32::MAX;
const SLOTS: usize = 12;
/// Owners to a bucket, on average, before another bucket is opened.
const LOAD: usize = 9;

/// Owners by handle and handles by owner. A handle stays the same while it is used, and is given to somebody else after.
#[derive(Clone, Debug)]
pub(crate) struct Roster {
    hasher: SipHasher13,
    /// By number; past [`Self::open`] unused.
    buckets: Chunks<Bucket, 1024>,
    /// Buckets in use, at least 1.
    open: usize,
    /// What did not fit its bucket.
    overflow: Vec<Bucket>,
    overflow_free: Vec<u32>,
    owners: Chunks<Owner, 4096>,
    /// How many boards use a handle. One that reached the end is never freed.
    uses: Chunks<u16, 4096>,
    /// Handles ever given.
    given: u32,
    free: Vec<Handle>,
}

#[derive(Clone, Debug)]
struct Owner(PlayerId);

impl Default for Owner {
    fn default() -> Self {
        // A literal that is a valid id.
        Self(Id::new("-").map_or_else(|_| unreachable!("a hyphen is an id"), PlayerId::from))
    }
}

/// Handles, filled from the front, each with a byte of its owner's hash.
#[derive(Clone, Debug)]
#[repr(C, align(64))]
struct Bucket {
    handles: [Handle; SLOTS],
    tags: [u8; SLOTS],
    next: u32,
}

impl Default for Bucket {
    fn default() -> Self {
        Self { handles: [NONE; SLOTS], tags: [0; SLOTS], next: NONE }
    }
}

impl Bucket {
    /// The top bit of every byte whose slot has that tag, and seldom of one that has not: all slots at once, instead of
    /// a branch for each that nobody can predict.
    #[inline]
    fn slots_with(&self, tag: u8) -> u128 {
        const LOW: u128 = u128::from_ne_bytes([1; 16]);
        let mut tags = [0; 16];
        tags[..SLOTS].copy_from_slice(&self.tags);
        let differing = u128::from_le_bytes(tags) ^ (LOW * u128::from(tag));
        let zeros = differing.wrapping_sub(LOW) & !differing & (LOW << 7);
        zeros & ((1 << (8 * SLOTS)) - 1)
    }
}

impl Roster {
    /// A table with room for so many owners. See [`crate::hash::Map::new`] about the key.
    pub(crate) fn new(key: Key, capacity: usize) -> Self {
        let mut roster = Self {
            hasher: SipHasher13::new_with_key(&key),
            buckets: Chunks::default(),
            open: capacity.div_ceil(LOAD).max(1),
            overflow: Vec::new(),
            overflow_free: Vec::new(),
            owners: Chunks::default(),
            uses: Chunks::default(),
            given: 0,
            free: Vec::new(),
        };
        roster.buckets.reserve(roster.open);
        roster.owners.reserve(capacity);
        roster.uses.reserve(capacity);
        roster
    }

    /// How many owners there are.
    pub(crate) const fn len(&self) -> usize {
        self.given as usize - self.free.len()
    }

    /// Every handle is below this.
    pub(crate) const fn given(&self) -> Handle {
        self.given
    }

    /// Whether somebody has the handle.
    pub(crate) fn is_used(&self, handle: Handle) -> bool {
        self.find(self.owner(handle).as_bytes()) == Some(handle)
    }

    /// The owner of a handle in use.
    #[inline]
    pub(crate) fn owner(&self, handle: Handle) -> &PlayerId {
        &self.owners[handle as usize].0
    }

    /// The handle of an owner.
    #[inline]
    pub(crate) fn find(&self, owner: &[u8]) -> Option<Handle> {
        self.find_hashed(owner, self.hash(owner))
    }

    #[inline]
    pub(crate) fn hash(&self, owner: &[u8]) -> u64 {
        let mut hasher = self.hasher;
        hasher.write(owner);
        hasher.finish()
    }

    #[inline]
    fn find_hashed(&self, owner: &[u8], hash: u64) -> Option<Handle> {
        let tag = tag(hash);
        let mut bucket = &self.buckets[self.bucket_of(hash)];
        loop {
            let mut slots = bucket.slots_with(tag);
            while slots != 0 {
                let handle = bucket.handles[slots.trailing_zeros() as usize / 8];
                if handle != NONE && self.owner(handle).as_bytes() == owner {
                    return Some(handle);
                }
                slots &= slots - 1;
            }
            bucket = self.overflow.get(bucket.next as usize)?;
        }
    }

    /// The handle of an owner, given now if there is none; it is freed by [`Self::release`] once nobody uses it.
    /// `None` when 2^32 - 1 handles are in use.
    pub(crate) fn intern(&mut self, owner: &PlayerId) -> Option<Handle> {
        let hash = self.hash(owner.as_bytes());
        if let Some(handle) = self.find_hashed(owner.as_bytes(), hash) {
            return Some(handle);
        }
        let handle = match self.free.pop() {
            Some(handle) => handle,
            None if self.given == NONE => return None,
            None => {
                self.given += 1;
                self.given - 1
            }
        };
        self.owners.entry(handle as usize).0 = owner.clone();
        *self.uses.entry(handle as usize) = 0;
        self.put(self.bucket_of(hash), tag(hash), handle);
        if self.len() > self.open * LOAD {
            self.split();
        }
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
        let hash = self.hash(self.owner(handle).as_bytes());
        self.take(self.bucket_of(hash), handle);
        // Long ids live behind a pointer.
        self.owners[handle as usize] = Owner::default();
        self.free.push(handle);
    }

    /// The buckets of the last doubling are reached with one bit more.
    #[inline]
    fn bucket_of(&self, hash: u64) -> usize {
        let mask = self.open.next_power_of_two() - 1;
        let bucket = hash as usize & mask;
        if bucket < self.open { bucket } else { bucket & (mask >> 1) }
    }

    /// Opens one more bucket and moves there what belongs there.
    fn split(&mut self) {
        let to = self.open;
        let from = to & ((to + 1).next_power_of_two() - 1) >> 1;
        self.open += 1;
        *self.buckets.entry(to) = Bucket::default();
        let mut moving = std::mem::take(&mut self.buckets[from]);
        loop {
            for (handle, tag) in moving.handles.into_iter().zip(moving.tags).filter(|(handle, _)| *handle != NONE) {
                let bucket = self.bucket_of(self.hash(self.owner(handle).as_bytes()));
                self.put(bucket, tag, handle);
            }
            let next = moving.next;
            let Some(bucket) = self.overflow.get_mut(next as usize) else { break };
            moving = std::mem::take(bucket);
            self.overflow_free.push(next);
        }
    }

    fn put(&mut self, bucket: usize, tag: u8, handle: Handle) {
        let mut overflow = NONE;
        loop {
            let found = self.bucket(bucket, overflow);
            if let Some(slot) = found.handles.iter().position(|handle| *handle == NONE) {
                (found.handles[slot], found.tags[slot]) = (handle, tag);
                return;
            }
            overflow = match found.next {
                NONE => self.chain(bucket, overflow),
                next => next,
            };
        }
    }

    /// Hangs an empty bucket behind the last of a chain.
    fn chain(&mut self, bucket: usize, overflow: u32) -> u32 {
        let new = self.overflow_free.pop().unwrap_or_else(|| {
            self.overflow.push(Bucket::default());
            // There are fewer buckets than handles.
            (self.overflow.len() - 1) as u32
        });
        self.bucket(bucket, overflow).next = new;
        new
    }

    /// Takes a handle out of its chain and puts the last of its bucket in its place.
    fn take(&mut self, bucket: usize, handle: Handle) {
        let mut overflow = NONE;
        loop {
            let found = self.bucket(bucket, overflow);
            if let Some(slot) = found.handles.iter().position(|known| *known == handle) {
                let last = found.handles.iter().rposition(|known| *known != NONE).unwrap_or(slot);
                (found.handles[slot], found.tags[slot]) = (found.handles[last], found.tags[last]);
                found.handles[last] = NONE;
                return;
            }
            overflow = found.next;
            if overflow == NONE {
                return;
            }
        }
    }

    /// An overflow bucket, or the bucket of that number if it is none.
    fn bucket(&mut self, bucket: usize, overflow: u32) -> &mut Bucket {
        match overflow {
            NONE => &mut self.buckets[bucket],
            overflow => &mut self.overflow[overflow as usize],
        }
    }
}

/// From the bits that buckets are not chosen by.
const fn tag(hash: u64) -> u8 {
    (hash >> 56) as u8
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
        assert!(model.iter().all(|(n, handle)| *roster.owner(*handle) == player(*n)));
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
