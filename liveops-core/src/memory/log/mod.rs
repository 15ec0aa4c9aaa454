//! First outcomes of a shard's players, in the order in which they were made, and a table that finds them.
//!
//! Entries are only ever added at the end. Those that were overwritten, removed or erased die where they are; what is older than the
//! horizon counts as absent whoever asks. Memory comes in segments and goes with them, the oldest first: when nothing in one counts any
//! more, or, where much is dead, after what still counts was added again at the end.
//!
//! A place is the number of a segment, which never comes again, and where an entry begins in it. Tables and entries hold the low 40
//! bits of it: that tells all places apart that are in use together, which are those of 2^26 segments.

mod name;
mod segment;

use std::collections::VecDeque;

pub(super) use self::name::Name;
use self::segment::{Entry, New, SEGMENT_BYTES, Segment};
use super::table::{Table, Tag};
use crate::time::Timestamp;

const OFFSET_BITS: u32 = SEGMENT_BYTES.trailing_zeros();
const PLACE_BITS: u32 = 40;
const PLACES: u64 = 1 << PLACE_BITS;
/// Bytes of the first segment; each is twice as long as the one before, until they are whole.
const FIRST_BYTES: usize = 1 << 9;
/// Bytes that may be dead before what is left of the oldest segments is added again at the end.
const DEAD_BYTES_MIN: usize = 4 * SEGMENT_BYTES;

/// In place of the low bits of a place: no entry begins there.
const NONE: u64 = PLACES - 1;

/// Where an entry is. 0 is none.
pub(super) type Place = u64;

#[derive(Debug)]
pub(super) struct Log {
    table: Table,
    segments: VecDeque<Box<Segment>>,
    /// Number of the first segment; that of the very first is 1.
    first: u64,
    bytes: usize,
    dead_bytes: usize,
}

impl Default for Log {
    fn default() -> Self {
        Self { table: Table::default(), segments: VecDeque::new(), first: 1, bytes: 0, dead_bytes: 0 }
    }
}

impl Log {
    /// Brings near what finds outcomes of a tag.
    #[inline]
    pub(super) fn touch(&self, tag: Tag) -> u64 {
        self.table.touch(tag)
    }

    /// The outcome of a command, of before the horizon too.
    #[inline]
    pub(super) fn find(&self, tag: Tag, slot: u32, name: &Name) -> Option<Entry<'_>> {
        self.entry(self.whole(self.place(tag, slot, name)?))
    }

    #[inline]
    fn place(&self, tag: Tag, slot: u32, name: &Name) -> Option<u64> {
        self.table.find(tag, |place| self.entry(self.whole(place)).is_some_and(|entry| entry.is(slot, name)))
    }

    /// The place in use with those low bits.
    #[inline]
    const fn whole(&self, low: u64) -> Place {
        let first = self.first << OFFSET_BITS;
        first + (low.wrapping_sub(first) & (PLACES - 1))
    }

    #[inline]
    fn segment(&self, place: Place) -> Option<usize> {
        let at = usize::try_from((place >> OFFSET_BITS).checked_sub(self.first)?).ok()?;
        (at < self.segments.len()).then_some(at)
    }

    #[inline]
    fn entry(&self, place: Place) -> Option<Entry<'_>> {
        self.segments[self.segment(place)?].entry((place & (SEGMENT_BYTES as u64 - 1)) as usize)
    }

    /// Adds the outcome of a command of which there is none. `newest` is the player's newest, which it becomes.
    pub(super) fn push(
        &mut self,
        (tag, slot): (Tag, u32),
        name: &Name,
        ts: Timestamp,
        outcome: &[u8],
        newest: &mut Place,
    ) {
        let previous = self.previous(*newest);
        let place = self.append(&New { previous, tag, slot, name: name.as_bytes(), outcome, ts });
        self.table.insert(tag, place & (PLACES - 1));
        *newest = place;
    }

    /// What an entry says of the one before: nothing if that is gone.
    fn previous(&self, newest: Place) -> u64 {
        self.segment(newest).map_or(NONE, |_| newest & (PLACES - 1))
    }

    fn append(&mut self, new: &New<'_>) -> Place {
        let bytes = new.bytes();
        if !self.segments.back().is_some_and(|segment| segment.has_room_for(bytes)) {
            let whole = FIRST_BYTES.checked_shl(self.segments.len().min(16) as u32).unwrap_or(SEGMENT_BYTES);
            self.segments.push_back(Segment::new(whole.min(SEGMENT_BYTES).max(bytes)).into());
        }
        let number = self.first + self.segments.len() as u64 - 1;
        self.bytes += bytes;
        let at = self.segments.back_mut().map_or(0, |segment| segment.push(new));
        number << OFFSET_BITS | at as u64
    }

    /// Removes the outcome of a command; whether there was one.
    pub(super) fn remove(&mut self, tag: Tag, slot: u32, name: &Name) -> bool {
        let known = self.place(tag, slot, name);
        if let Some(low) = known {
            self.kill(self.whole(low));
        }
        known.is_some()
    }

    fn kill(&mut self, place: Place) {
        let Some(entry) = self.entry(place) else { return };
        let (tag, bytes) = (entry.tag, entry.bytes());
        self.table.remove(tag, place & (PLACES - 1));
        if let Some(at) = self.segment(place) {
            self.segments[at].kill((place & (SEGMENT_BYTES as u64 - 1)) as usize, bytes);
            self.dead_bytes += bytes;
        }
    }

    /// Removes all of one player.
    pub(super) fn forget(&mut self, newest: &mut Place) {
        let mut next = std::mem::take(newest);
        while let Some(entry) = self.entry(next) {
            let (dead, earlier) = (entry.dead, before(next, entry.previous));
            if !dead {
                self.kill(next);
            }
            next = earlier;
        }
    }

    /// All of one player, the newest first, of before the horizon too.
    pub(super) fn of(&self, newest: Place) -> impl Iterator<Item = Entry<'_>> {
        let mut next = newest;
        let entries = std::iter::from_fn(move || {
            let entry = self.entry(next)?;
            next = before(next, entry.previous);
            Some(entry)
        });
        entries.filter(|entry| !entry.dead)
    }

    /// How many count under that horizon.
    pub(super) fn count(&self, forgotten_before: Timestamp) -> usize {
        let count = |segment: &Segment| {
            if segment.is_spent(forgotten_before) {
                return 0;
            }
            if segment.oldest >= forgotten_before {
                return segment.live as usize;
            }
            segment.entries().filter(|(_, entry)| !entry.dead && entry.ts() >= forgotten_before).count()
        };
        self.segments.iter().map(|segment| count(segment)).sum()
    }

    /// Whether there is memory to give back: a segment of which nothing counts, in front, or behind others of which hardly more does.
    pub(super) fn is_untidy(&self, forgotten_before: Timestamp) -> bool {
        let Some(front) = self.segments.front() else { return false };
        front.is_spent(forgotten_before) || self.waste(forgotten_before) > DEAD_BYTES_MIN.max(self.bytes / 2)
    }

    fn waste(&self, forgotten_before: Timestamp) -> usize {
        let waste = |segment: &Segment| {
            if segment.is_spent(forgotten_before) { segment.len() } else { segment.dead_bytes }
        };
        self.segments.iter().map(|segment| waste(segment)).sum()
    }

    /// Whether so much is dead that who adds should [tidy](Self::tidy).
    pub(super) const fn is_mostly_dead(&self) -> bool {
        self.dead_bytes > DEAD_BYTES_MIN && self.dead_bytes > self.bytes / 2
    }

    /// Gives the oldest segment back. What still counts in it is added again; `exchange` exchanges what a slot says of where its newest
    /// is.
    pub(super) fn tidy(&mut self, forgotten_before: Timestamp, mut exchange: impl FnMut(u32, &mut Place)) {
        let Some(front) = self.segments.pop_front() else { return };
        let number = self.first;
        self.first += 1;
        self.bytes -= front.len();
        self.dead_bytes -= front.dead_bytes;
        for (from, entry) in front.entries().filter(|(_, entry)| !entry.dead) {
            let low = (number << OFFSET_BITS | from as u64) & (PLACES - 1);
            if entry.ts() < forgotten_before {
                self.table.remove(entry.tag, low);
                continue;
            }
            let mut newest = 0;
            exchange(entry.slot, &mut newest);
            newest = self.append(&entry.again(self.previous(newest)));
            self.table.replace(entry.tag, low, newest & (PLACES - 1));
            exchange(entry.slot, &mut newest);
        }
    }
}

/// The place with those low bits that is before another.
const fn before(place: Place, low: u64) -> Place {
    if low == NONE {
        return 0;
    }
    place.saturating_sub(place.wrapping_sub(low) & (PLACES - 1))
}

#[cfg(test)]
mod tests;
