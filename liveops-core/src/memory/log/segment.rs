//! A piece of a log: entries one behind the other, each with a head of 16 bytes.
//!
//! ```text
//! previous of the player  5    modulo 2^40
//! tag                     3
//! slot                    4
//! length of the rest      4    the highest bit is set in the dead
//! name, version, stable bytes of the outcome
//! ```

use super::name::{Name, UUID_NAME};
use crate::codec::Stable as _;
use crate::error::StoreErrorKind;
use crate::id::CommandId;
use crate::memory::table::Tag;
use crate::record::StoredOutcome;
use crate::time::Timestamp;

/// Bytes of a segment; an entry that is longer has one of its own.
pub(super) const SEGMENT_BYTES: usize = 1 << 14;
const HEAD: usize = 16;
/// Bits of the place of the entry before.
const PREVIOUS_BITS: u32 = 40;
const PREVIOUS: u64 = (1 << PREVIOUS_BITS) - 1;
const DEAD: u32 = 1 << 31;

#[derive(Debug)]
pub(super) struct Segment {
    bytes: Vec<u8>,
    /// Bytes that it may have: an allocator may give more.
    room: usize,
    /// Of all that were ever in it.
    pub(super) oldest: Timestamp,
    pub(super) newest: Timestamp,
    pub(super) live: u32,
    pub(super) dead_bytes: usize,
}

/// What is in a log, where it lies.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Entry<'l> {
    /// The low 40 bits of where the player's entry before is.
    pub(super) previous: u64,
    pub(super) tag: Tag,
    pub(super) slot: u32,
    pub(super) dead: bool,
    name: &'l [u8],
    outcome: &'l [u8],
}

/// An entry to be.
#[derive(Clone, Copy, Debug)]
pub(super) struct New<'l> {
    pub(super) previous: u64,
    pub(super) tag: Tag,
    pub(super) slot: u32,
    pub(super) name: &'l [u8],
    pub(super) outcome: &'l [u8],
    pub(super) ts: Timestamp,
}

impl New<'_> {
    pub(super) const fn bytes(&self) -> usize {
        HEAD + self.name.len() + self.outcome.len()
    }
}

impl Segment {
    /// One with room for as many bytes: for one entry, where that is more than others have.
    pub(super) fn new(room: usize) -> Self {
        let bytes = Vec::with_capacity(room);
        Self { bytes, room, oldest: Timestamp::MAX, newest: Timestamp::MIN, live: 0, dead_bytes: 0 }
    }

    pub(super) const fn len(&self) -> usize {
        self.bytes.len()
    }

    pub(super) const fn has_room_for(&self, bytes: usize) -> bool {
        self.bytes.len() + bytes <= self.room
    }

    /// Whether nothing in it counts under that horizon.
    pub(super) fn is_spent(&self, forgotten_before: Timestamp) -> bool {
        self.live == 0 || self.newest < forgotten_before
    }

    /// Adds an entry, for which there is room, and says where.
    #[inline]
    pub(super) fn push(&mut self, new: &New<'_>) -> usize {
        let from = self.bytes.len();
        let len = (new.name.len() + new.outcome.len()) as u64;
        let first = new.previous & PREVIOUS | u64::from(new.tag.bits()) << PREVIOUS_BITS;
        let second = u64::from(new.slot) | len << u32::BITS;
        let head = (u128::from(first) | u128::from(second) << u64::BITS).to_le_bytes();
        if let Ok(name) = <&[u8; UUID_NAME]>::try_from(new.name) {
            // Most names: copied together with the head, as a piece of a known length.
            let mut both = [0; HEAD + UUID_NAME];
            both[..HEAD].copy_from_slice(&head);
            both[HEAD..].copy_from_slice(name);
            self.bytes.extend_from_slice(&both);
        } else {
            self.bytes.extend_from_slice(&head);
            self.bytes.extend_from_slice(new.name);
        }
        self.bytes.extend_from_slice(new.outcome);
        self.oldest = self.oldest.min(new.ts);
        self.newest = self.newest.max(new.ts);
        self.live += 1;
        from
    }

    /// The entry that begins there.
    #[inline]
    pub(super) fn entry(&self, from: usize) -> Option<Entry<'_>> {
        let bytes = self.bytes.get(from..)?;
        let (head, rest) = bytes.split_first_chunk::<HEAD>()?;
        let head = u128::from_le_bytes(*head);
        let (first, second) = (head as u64, (head >> u64::BITS) as u64);
        let len = (second >> u32::BITS) as u32;
        let body = rest.get(..(len & !DEAD) as usize)?;
        let (name, outcome) = body.split_at_checked(Name::len_at(body)?)?;
        Some(Entry {
            previous: first & PREVIOUS,
            tag: Tag::of(first >> PREVIOUS_BITS),
            slot: second as u32,
            dead: len & DEAD != 0,
            name,
            outcome,
        })
    }

    /// All entries, each with where it begins.
    pub(super) fn entries(&self) -> impl Iterator<Item = (usize, Entry<'_>)> {
        let mut from = 0;
        std::iter::from_fn(move || {
            let (at, entry) = (from, self.entry(from)?);
            from += entry.bytes();
            Some((at, entry))
        })
    }

    /// Marks a live entry as dead.
    pub(super) fn kill(&mut self, from: usize, bytes: usize) {
        if let Some(byte) = self.bytes.get_mut(from + HEAD - 1) {
            *byte |= (DEAD >> 24) as u8;
            self.live -= 1;
            self.dead_bytes += bytes;
        }
    }
}

impl<'l> Entry<'l> {
    pub(super) const fn bytes(&self) -> usize {
        HEAD + self.name.len() + self.outcome.len()
    }

    #[inline]
    pub(super) fn is(&self, slot: u32, name: &Name) -> bool {
        self.slot == slot && self.name == name.as_bytes()
    }

    /// [`StoredOutcome::ts`], without reading the rest.
    pub(in super::super) fn ts(&self) -> Timestamp {
        // Behind the version and the fingerprint. What was written can be read.
        self.outcome.get(17..).and_then(|mut bytes| Timestamp::take(&mut bytes)).unwrap_or(Timestamp::MAX)
    }

    /// The command.
    pub(in super::super) fn id(&self) -> Result<CommandId, StoreErrorKind> {
        Name::read(self.name).ok_or(StoreErrorKind::Corrupt)
    }

    /// A byte for the version, then the outcome's stable bytes.
    pub(in super::super) const fn bytes_of_outcome(&self) -> &'l [u8] {
        self.outcome
    }

    pub(in super::super) fn read(&self) -> Result<Box<StoredOutcome>, StoreErrorKind> {
        let (version, mut bytes) = self.outcome.split_first().ok_or(StoreErrorKind::Corrupt)?;
        StoredOutcome::take_version(*version, &mut bytes).map(Box::new).ok_or(StoreErrorKind::Corrupt)
    }

    /// The same entry for another place.
    pub(super) fn again(&self, previous: u64) -> New<'l> {
        let Self { tag, slot, name, outcome, .. } = *self;
        New { previous, tag, slot, name, outcome, ts: self.ts() }
    }
}
