//! Handles by owner. Who the owner of a handle is, is kept elsewhere ([`Owners`]): there others may read it meanwhile.
//!
//! Linear hashing (Litwin 1980): the table grows by one bucket at a time, so no insertion waits for a large table to be
//! rebuilt. A bucket is one cache line. The hash is keyed (SipHash-1-3), so that owners who choose their ids cannot
//! make them collide.

use std::hash::Hasher as _;

use siphasher::sip::SipHasher13;

use super::chunks::Chunks;
use super::owners::Owners;
use super::roster::Handle;
use crate::hash::Key;

/// No handle, no bucket.
const NONE: u32 = u32::MAX;
const SLOTS: usize = 12;
/// Owners to a bucket, on average, before another bucket is opened.
const LOAD: usize = 9;

/// A handle stays the same while it is used, and is given to somebody else after.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    hasher: SipHasher13,
    /// By number; past [`Self::open`] unused.
    buckets: Chunks<Bucket, 1024>,
    /// Buckets in use, at least 1.
    open: usize,
    /// What did not fit its bucket.
    overflow: Vec<Bucket>,
    overflow_free: Vec<u32>,
    /// Handles in it.
    len: usize,
    /// Handles ever given.
    given: u32,
    given_max: u32,
    free: Vec<Handle>,
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

impl Table {
    /// A table with room for so many owners, and for `owners_max` at most. See [`crate::hash::Map::new`] about the key.
    pub(crate) fn new(key: Key, capacity: usize, owners_max: u32) -> Self {
        let mut table = Self {
            hasher: SipHasher13::new_with_key(&key),
            buckets: Chunks::default(),
            open: capacity.div_ceil(LOAD).max(1),
            overflow: Vec::new(),
            overflow_free: Vec::new(),
            len: 0,
            given: 0,
            given_max: owners_max,
            free: Vec::new(),
        };
        table.buckets.reserve(table.open);
        table
    }

    /// How many owners there are.
    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    /// Every handle is below this.
    pub(crate) const fn given(&self) -> Handle {
        self.given
    }

    #[inline]
    pub(crate) fn hash(&self, owner: &[u8]) -> u64 {
        let mut hasher = self.hasher;
        hasher.write(owner);
        hasher.finish()
    }

    /// The handle of an owner whose hash it is.
    #[inline]
    pub(crate) fn find(&self, owner: &[u8], hash: u64, owners: &impl Owners) -> Option<Handle> {
        let tag = tag(hash);
        let mut bucket = &self.buckets[self.bucket_of(hash)];
        loop {
            let mut slots = bucket.slots_with(tag);
            while slots != 0 {
                let handle = bucket.handles[slots.trailing_zeros() as usize / 8];
                if handle != NONE && owners.is(handle, owner) {
                    return Some(handle);
                }
                slots &= slots - 1;
            }
            bucket = self.overflow.get(bucket.next as usize)?;
        }
    }

    /// A handle for somebody new, to be [entered](Self::enter) next; `None` when all that there may be are in use.
    pub(crate) fn give(&mut self) -> Option<Handle> {
        if let Some(handle) = self.free.pop() {
            return Some(handle);
        }
        if self.given == self.given_max {
            return None;
        }
        self.given += 1;
        Some(self.given - 1)
    }

    /// Enters a handle under its owner's hash.
    pub(crate) fn enter(&mut self, handle: Handle, hash: u64, owners: &impl Owners) {
        self.put(self.bucket_of(hash), tag(hash), handle);
        self.len += 1;
        if self.len > self.open * LOAD {
            self.split(owners);
        }
    }

    /// Takes an owner out, whose hash it is; the handle stays the owner's until it is [given back](Self::give_back).
    pub(crate) fn remove(&mut self, handle: Handle, hash: u64) {
        if self.take(self.bucket_of(hash), handle) {
            self.len -= 1;
        }
    }

    /// Lets a handle be given to somebody else.
    pub(crate) fn give_back(&mut self, handle: Handle) {
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
    fn split(&mut self, owners: &impl Owners) {
        let to = self.open;
        let from = to & ((to + 1).next_power_of_two() - 1) >> 1;
        self.open += 1;
        *self.buckets.entry(to) = Bucket::default();
        let mut moving = std::mem::take(&mut self.buckets[from]);
        loop {
            for (handle, tag) in moving.handles.into_iter().zip(moving.tags).filter(|(handle, _)| *handle != NONE) {
                let bucket = self.bucket_of(self.hash(owners.owner(handle).as_bytes()));
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

    /// Takes a handle out of its chain and puts the last of its bucket in its place; whether it was there.
    fn take(&mut self, bucket: usize, handle: Handle) -> bool {
        let mut overflow = NONE;
        loop {
            let found = self.bucket(bucket, overflow);
            if let Some(slot) = found.handles.iter().position(|known| *known == handle) {
                let last = found.handles.iter().rposition(|known| *known != NONE).unwrap_or(slot);
                (found.handles[slot], found.tags[slot]) = (found.handles[last], found.tags[last]);
                found.handles[last] = NONE;
                return true;
            }
            overflow = found.next;
            if overflow == NONE {
                return false;
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
