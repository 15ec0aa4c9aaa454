//! Who is behind a handle, read by everybody without a lock.
//!
//! A name is a few words that are written before its handle is on any board, and again only when no board has it and nobody who
//! may know it is still telling ([`Gates`](super::gates::Gates)). Whoever reads a name found the handle on a board, under its lock, or was given it:
//! so what is read was written before, and is whole.

use std::cmp::Ordering;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::arena::Arena;
use crate::board::{Handle, Owners};
use crate::id::{Id, LEAD_BYTES, Lead, PlayerId};
use crate::limits::ID_BYTES_MAX;

/// Names up to this length are in the words of their handles.
const SHORT_BYTES: usize = LEAD_BYTES;
/// A first word below this is the number of a long name: the first byte of a name is visible.
const LONG_END: u64 = 1 << 32;
const LONG_WORDS: usize = ID_BYTES_MAX / 8;

/// By handle.
#[derive(Debug, Default)]
pub(super) struct Names {
    words: Arena<[AtomicU64; 3]>,
    long: Arena<[AtomicU64; LONG_WORDS]>,
}

/// Which long names are free; with whoever may change names.
#[derive(Debug, Default)]
pub(super) struct Longs {
    given: u32,
    free: Vec<u32>,
}

impl Names {
    /// Names a handle; false if there is no room.
    pub(super) fn set(&self, handle: Handle, name: &PlayerId, longs: &mut Longs) -> bool {
        let Some(words) = self.words.make(handle) else { return false };
        let name = name.as_bytes();
        if name.len() <= SHORT_BYTES {
            write(words, name);
            return true;
        }
        let number = longs.free.pop().unwrap_or_else(|| {
            longs.given += 1;
            longs.given - 1
        });
        let Some(long) = self.long.make(number) else { return false };
        write(long, name);
        words[0].store(number.into(), Relaxed);
        true
    }

    /// The handle is nobody's: another may be given its long name.
    pub(super) fn clear(&self, handle: Handle, longs: &mut Longs) {
        let [first, ..] = self.words(handle);
        if first < LONG_END {
            // Numbers of long names are that small.
            longs.free.push(first as u32);
        }
        if let Some(words) = self.words.get(handle) {
            write(words, b"-");
        }
    }

    #[inline]
    fn words(&self, handle: Handle) -> Lead {
        let words = self.words.get(handle);
        words.map_or([0; 3], |words| [words[0].load(Relaxed), words[1].load(Relaxed), words[2].load(Relaxed)])
    }

    #[cold]
    fn lead_of_long(&self, number: u64) -> Lead {
        // Numbers of long names are that small.
        let words = self.long.get(number as u32);
        words.map_or([0; 3], |words| [words[0].load(Relaxed), words[1].load(Relaxed), words[2].load(Relaxed)])
    }

    /// Calls with the text.
    pub(super) fn with<R>(&self, handle: Handle, read: impl FnOnce(&[u8]) -> R) -> R {
        let words = self.words(handle);
        if words[0] < LONG_END {
            return self.with_long(words[0], read);
        }
        let mut bytes = [0; SHORT_BYTES];
        for (bytes, word) in bytes.chunks_exact_mut(8).zip(words) {
            bytes.copy_from_slice(&word.to_be_bytes());
        }
        read(&bytes[..len(&words)])
    }

    #[cold]
    fn with_long<R>(&self, number: u64, read: impl FnOnce(&[u8]) -> R) -> R {
        let mut words = [0; LONG_WORDS];
        // Numbers of long names are that small.
        if let Some(long) = self.long.get(number as u32) {
            words.iter_mut().zip(long).for_each(|(word, kept)| *word = kept.load(Relaxed));
        }
        let mut bytes = [0; 8 * LONG_WORDS];
        for (bytes, word) in bytes.chunks_exact_mut(8).zip(words) {
            bytes.copy_from_slice(&word.to_be_bytes());
        }
        read(&bytes[..len(&words)])
    }
}

/// Bytes of a text.
fn len(words: &[u64]) -> usize {
    let used = words.iter().rposition(|word| *word != 0).map_or(0, |last| last + 1);
    used * 8 - used.checked_sub(1).map_or(0, |last| words[last].trailing_zeros() as usize / 8)
}

fn write(words: &[AtomicU64], name: &[u8]) {
    let mut bytes = name.chunks(8);
    for word in words {
        let mut padded = [0; 8];
        let bytes = bytes.next().unwrap_or_default();
        padded[..bytes.len()].copy_from_slice(bytes);
        word.store(u64::from_be_bytes(padded), Relaxed);
    }
}

/// Of a name that is short.
fn packed(name: &[u8]) -> Option<Lead> {
    let mut bytes = [0; SHORT_BYTES];
    bytes.get_mut(..name.len())?.copy_from_slice(name);
    let (words, _) = bytes.as_chunks::<8>();
    Some([u64::from_be_bytes(words[0]), u64::from_be_bytes(words[1]), u64::from_be_bytes(words[2])])
}

impl Owners for Names {
    #[inline]
    fn owner(&self, handle: Handle) -> PlayerId {
        self.with(handle, |bytes| {
            // It was a name when it was written.
            Id::of_visible(bytes, bytes.len()).into()
        })
    }

    #[inline]
    fn is(&self, handle: Handle, id: &[u8]) -> bool {
        packed(id).map_or_else(|| self.with(handle, |known| known == id), |words| self.words(handle) == words)
    }

    #[inline]
    fn lead(&self, handle: Handle) -> Lead {
        let words = self.words(handle);
        if words[0] < LONG_END { self.lead_of_long(words[0]) } else { words }
    }

    fn cmp_id(&self, handle: Handle, id: &PlayerId) -> Ordering {
        self.with(handle, |known| known.cmp(id.as_bytes()))
    }

    fn cmp(&self, a: Handle, b: Handle) -> Ordering {
        let leads = self.lead(a).cmp(&self.lead(b));
        if leads.is_ne() {
            return leads;
        }
        self.with(a, |a| self.with(b, |b| a.cmp(b)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_every_length_come_back_in_their_order() {
        let (names, mut longs) = (Names::default(), Longs::default());
        let mut ids: Vec<String> = (1..=ID_BYTES_MAX).map(|len| "~".repeat(len)).collect();
        ids.extend((1..=ID_BYTES_MAX).map(|len| "!".repeat(len - 1) + "a"));
        ids.extend((20..30).map(|len| "x".repeat(len) + "!"));
        for (handle, id) in (0..).zip(&ids) {
            assert!(names.set(handle, &PlayerId::new(id).unwrap(), &mut longs));
        }
        for (a, id) in (0..).zip(&ids) {
            assert_eq!(names.owner(a).as_str(), id);
            for (b, other) in (0..).zip(&ids) {
                assert_eq!(Owners::cmp(&names, a, b), id.cmp(other), "{id} {other}");
                assert_eq!(names.cmp_id(a, &PlayerId::new(other).unwrap()), id.cmp(other));
                let lead = Owners::lead(&names, a).cmp(&PlayerId::new(other).unwrap().lead());
                assert!(lead.is_eq() || lead == id.cmp(other));
                assert!(lead.is_ne() || id.len().min(other.len()) >= LEAD_BYTES || id == other);
                assert_eq!(names.is(a, other.as_bytes()), id == other);
            }
        }
        let given = longs.given;
        for (handle, id) in (0..).zip(&ids) {
            names.clear(handle, &mut longs);
            assert!(names.set(handle, &PlayerId::new(&id.replace('~', "y")).unwrap(), &mut longs));
        }
        assert_eq!(longs.given, given, "long names are given again");
        assert_eq!(names.owner(63).as_str(), "y".repeat(64));
    }
}
