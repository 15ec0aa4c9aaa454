//! Numbers by hash: a cache line for nearly every question, and no growth that anybody would wait for.
//!
//! Linear hashing (Litwin 1980): the table grows and shrinks by one bucket at a time. A word holds 24 bits of the hash, by which
//! its bucket is found, and 40 bits of number, so a bucket that is split asks nobody for a name.

use crate::board::Chunks;

/// Bits of the hash that are kept: enough for 2^24 buckets in a shard; a table of more entries grows longer buckets.
const TAG_BITS: u32 = 24;
const NUMBER_BITS: u32 = 64 - TAG_BITS;
const NUMBERS: u64 = (1 << NUMBER_BITS) - 1;
const WORDS: usize = 7;
/// Entries to a bucket, on average, before another bucket is opened.
const LOAD: usize = 5;
/// Buckets that are allocated together: a page.
const CHUNK: usize = 64;

/// Numbers of fewer than 2^40 by a part of a hash. Many may have one tag, and whoever asks looks at each of them.
#[derive(Debug)]
pub(super) struct Table {
    /// By number; past [`Self::open`] empty.
    buckets: Chunks<Bucket, CHUNK>,
    /// Buckets in use, at least 1.
    open: usize,
    /// What did not fit its bucket, from number 1.
    overflow: Chunks<Bucket, CHUNK>,
    /// The next never used.
    overflow_end: u32,
    /// The first that is free again; each names the next.
    overflow_free: u32,
    len: usize,
}

/// Part of a hash: its low 24 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tag(u32);

impl Tag {
    #[inline]
    pub(super) const fn of(hash: u64) -> Self {
        Self(hash as u32 & ((1 << TAG_BITS) - 1))
    }

    /// The bits.
    pub(super) const fn bits(self) -> u32 {
        self.0
    }
}

/// Entries are filled from the front: 0, or the tag above the number plus 1.
#[derive(Clone, Debug, Default)]
#[repr(C, align(64))]
struct Bucket {
    words: [u64; WORDS],
    /// 0 is none.
    next: u32,
    /// Words in use.
    len: u32,
}

impl Default for Table {
    fn default() -> Self {
        let (buckets, overflow) = (Chunks::default(), Chunks::default());
        Self { buckets, open: 1, overflow, overflow_end: 1, overflow_free: 0, len: 0 }
    }
}

#[inline]
const fn word(tag: Tag, number: u64) -> u64 {
    (tag.0 as u64) << NUMBER_BITS | (number + 1)
}

impl Table {
    pub(super) const fn len(&self) -> usize {
        self.len
    }

    /// Memory that it takes.
    #[cfg(test)]
    pub(super) const fn bytes(&self) -> usize {
        (self.open + self.overflow_end as usize) * size_of::<Bucket>()
    }

    #[inline]
    fn bucket_of(&self, tag: Tag) -> usize {
        // The low bits, as many as there are in the number of the last bucket; one less for those that are not opened yet.
        let mask = usize::MAX >> (self.open - 1).leading_zeros().min(usize::BITS - 1);
        let at = tag.0 as usize & mask;
        if at < self.open { at } else { at & (mask >> 1) }
    }

    /// Brings near what answers for a tag.
    #[inline]
    pub(super) fn touch(&self, tag: Tag) -> u64 {
        self.buckets.get(self.bucket_of(tag)).map_or(0, |bucket| bucket.words[0])
    }

    /// The number with that tag for which `is` holds.
    #[inline]
    pub(super) fn find(&self, tag: Tag, is: impl Fn(u64) -> bool) -> Option<u64> {
        let mut bucket = self.buckets.get(self.bucket_of(tag))?;
        // The word of number 0: those of the tag are less than all numbers above it.
        let first = word(tag, 0);
        loop {
            for word in &bucket.words {
                let number = word.wrapping_sub(first);
                if number < NUMBERS && is(number) {
                    return Some(number);
                }
            }
            if bucket.next == 0 {
                return None;
            }
            bucket = &self.overflow[bucket.next as usize];
        }
    }

    /// Adds a number, which is not there under that tag.
    #[inline]
    pub(super) fn insert(&mut self, tag: Tag, number: u64) {
        self.put(self.bucket_of(tag), word(tag, number));
        self.len += 1;
        if self.len > self.open * LOAD && self.open < 1 << TAG_BITS {
            self.split();
        }
    }

    /// Removes a number; whether it was there.
    pub(super) fn remove(&mut self, tag: Tag, number: u64) -> bool {
        let at = self.bucket_of(tag);
        let known = word(tag, number);
        let (mut found, mut before, mut last) = (None, 0, 0);
        loop {
            let bucket = self.bucket(at, last);
            let here = || bucket.words.iter().position(|word| *word == known);
            found = found.or_else(|| here().map(|word| (last, word)));
            if bucket.next == 0 {
                break;
            }
            (before, last) = (last, bucket.next);
        }
        let Some((hole, within)) = found else { return false };
        // The last word of the chain goes where the hole is.
        let bucket = self.bucket(at, last);
        bucket.len -= 1;
        let end = bucket.len as usize;
        let moved = std::mem::take(&mut bucket.words[end]);
        if (hole, within) != (last, end) {
            self.bucket(at, hole).words[within] = moved;
        }
        if end == 0 && last != 0 {
            self.bucket(at, before).next = 0;
            self.set_free(last);
        }
        self.len -= 1;
        if self.open > 1 && self.len < self.open * LOAD / 2 {
            self.join();
        }
        true
    }

    /// Puts another number where one is.
    pub(super) fn replace(&mut self, tag: Tag, number: u64, by: u64) {
        let at = self.bucket_of(tag);
        let (known, mut over) = (word(tag, number), 0);
        loop {
            let bucket = self.bucket(at, over);
            if let Some(word_there) = bucket.words.iter_mut().find(|word| **word == known) {
                *word_there = word(tag, by);
                return;
            }
            if bucket.next == 0 {
                return;
            }
            over = bucket.next;
        }
    }

    /// A bucket, or one of its chain.
    fn bucket(&mut self, at: usize, over: u32) -> &mut Bucket {
        if over == 0 { self.buckets.entry(at) } else { &mut self.overflow[over as usize] }
    }

    #[inline]
    fn put(&mut self, at: usize, word: u64) {
        if !self.buckets.entry(at).push(word) {
            self.put_over(at, word);
        }
    }

    /// The same where the bucket is full.
    #[inline(never)]
    fn put_over(&mut self, at: usize, word: u64) {
        let mut last = 0;
        loop {
            let bucket = self.bucket(at, last);
            if bucket.push(word) {
                return;
            }
            if bucket.next == 0 {
                break;
            }
            last = bucket.next;
        }
        let next = self.overflow_free;
        let next = if next == 0 {
            self.overflow_end += 1;
            self.overflow_end - 1
        } else {
            self.overflow_free = std::mem::take(&mut self.overflow[next as usize].next);
            next
        };
        self.overflow.entry(next as usize).push(word);
        self.bucket(at, last).next = next;
    }

    fn set_free(&mut self, over: u32) {
        self.overflow[over as usize] = Bucket { next: self.overflow_free, ..Bucket::default() };
        self.overflow_free = over;
    }

    /// Opens one bucket more: of the words of the one that had its hashes so far, those with the new bit go there.
    #[inline(never)]
    fn split(&mut self) {
        let new = self.open;
        self.open += 1;
        let bit = 1 << new.ilog2();
        let old = new ^ bit;
        let goes = |word: u64| (word >> NUMBER_BITS) as usize & bit != 0;
        let both = std::mem::take(self.buckets.entry(old));
        let (mut stay, mut go) = (Bucket::default(), Bucket::default());
        for word in both.words.into_iter().take(both.len as usize) {
            if goes(word) {
                go.push(word)
            } else {
                stay.push(word)
            };
        }
        (self.buckets[old], *self.buckets.entry(new)) = (stay, go);
        self.put_all(both.next, |word| if goes(word) { new } else { old });
    }

    /// Closes the last bucket.
    fn join(&mut self) {
        self.open -= 1;
        let to = self.open ^ (1 << self.open.ilog2());
        let gone = std::mem::take(self.buckets.entry(self.open));
        gone.words.into_iter().take(gone.len as usize).for_each(|word| self.put(to, word));
        self.put_all(gone.next, |_| to);
        if self.len == 0 {
            *self = Self::default();
        } else if self.open.is_multiple_of(CHUNK) {
            self.buckets.truncate(self.open);
        }
    }

    /// Sets a chain free and puts its words into buckets.
    fn put_all(&mut self, mut over: u32, to: impl Fn(u64) -> usize) {
        while over != 0 {
            let bucket = std::mem::take(&mut self.overflow[over as usize]);
            self.set_free(over);
            over = bucket.next;
            bucket.words.into_iter().take(bucket.len as usize).for_each(|word| self.put(to(word), word));
        }
    }
}

impl Bucket {
    /// Adds a word; whether there was room.
    #[inline]
    fn push(&mut self, word: u64) -> bool {
        let free = self.words.get_mut(self.len as usize);
        let is_room = free.is_some();
        if let Some(free) = free {
            *free = word;
            self.len += 1;
        }
        is_room
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    struct Random(u64);

    impl Random {
        fn next(&mut self) -> u64 {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            self.0 >> 20
        }
    }

    /// Numbers come, go and are exchanged, whatever their hashes have in common.
    #[test]
    fn it_is_a_set_whatever_the_hashes() {
        for (seed, hashes) in [(1, u64::MAX), (2, 1 << 12), (3, 40), (4, 1)] {
            println!("seed {seed}, {hashes} hashes");
            let (mut table, mut model, mut random) = (Table::default(), BTreeSet::new(), Random(seed));
            let all = if hashes == 1 { 200 } else { 4_000 };
            for round in 0..4 {
                for _ in 0..all {
                    let (hash, number) = (random.next() % hashes, random.next() % (NUMBERS - 1));
                    if model.insert((hash, number)) {
                        table.insert(Tag::of(hash), number);
                    }
                }
                let some: Vec<_> = model.iter().copied().collect();
                for (hash, number) in &some {
                    assert_eq!(table.find(Tag::of(*hash), |known| known == *number), Some(*number));
                }
                for (hash, number) in some {
                    match random.next() % 4 {
                        0 if round < 3 => {}
                        1 => {
                            let by = random.next() % (NUMBERS - 1);
                            if model.insert((hash, by)) {
                                table.replace(Tag::of(hash), number, by);
                                model.remove(&(hash, number));
                            }
                        }
                        _ => {
                            assert!(table.remove(Tag::of(hash), number));
                            assert!(!table.remove(Tag::of(hash), number));
                            model.remove(&(hash, number));
                        }
                    }
                }
                assert_eq!(table.len(), model.len());
                for (hash, number) in &model {
                    assert_eq!(table.find(Tag::of(*hash), |known| known == *number), Some(*number));
                    assert_eq!(table.find(Tag::of(*hash), |known| known == NUMBERS - 1), None);
                }
            }
            for (hash, number) in model {
                assert!(table.remove(Tag::of(hash), number));
            }
            assert_eq!((table.len(), table.open), (0, 1), "it is as small as it was");
        }
    }

    #[test]
    fn an_entry_takes_its_share_of_a_line() {
        let (mut table, mut random) = (Table::default(), Random(7));
        for number in 0..100_000 {
            table.insert(Tag::of(random.next()), number);
        }
        let bytes = table.bytes() / 100_000;
        assert!((12..=16).contains(&bytes), "{bytes} bytes an entry");
    }

    #[test]
    fn a_tag_comes_back_from_its_bits() {
        for hash in [0, 1, 0xff_ffff, 0x1234_5678_9abc] {
            assert_eq!(Tag::of(Tag::of(hash).bits().into()), Tag::of(hash));
        }
    }
}
