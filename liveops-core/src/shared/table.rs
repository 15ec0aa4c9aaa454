//! Where limiters keep the state of each key: a hash table in shards, of bounded size, whose entries lapse by themselves.
//!
//! A shard is one run of buckets with four slots each; an entry lies in the first bucket from its own one on that had
//! room. An entry has a tag in place of its key, and its state says when it will mean nothing any more: from then on any
//! newcomer on its way may take its slot, and no list of what lapses when is needed. All that a call may meet is bounded:
//! a way of few buckets, and when there is no room for a new entry, [`SWEEP`] buckets more.

use parking_lot::{Mutex, MutexGuard};

use super::name::Name;

/// Slots a bucket.
const WIDTH: usize = 4;
/// Seven of eight slots may be taken: ways are still short, and more of the table fits a cache.
const fn room_of(buckets: usize) -> usize {
    buckets * WIDTH * 7 / 8
}

/// The fewest buckets that have such room.
const fn buckets_of(room: usize) -> usize {
    (room * 8).div_ceil(WIDTH * 7)
}

/// Buckets of a shard's first table.
const FIRST_BUCKETS: usize = 2;
/// A shard has room for at least so many entries if there are others: shares of few entries would fill up unevenly.
const SHARE_MIN: usize = 2048;
/// Enough that threads seldom meet, and that a growing shard is a short wait.
const SHARDS_MAX: usize = 1024;
/// Buckets that a call looks through for something lapsed when its shard is full.
pub(super) const SWEEP: usize = 32;

/// A state that lapses.
pub(super) trait Lapse: Default {
    /// The numbers in force, on which its end may depend.
    type Rule: Copy;

    /// When it will mean the same as no state: microseconds since 1970.
    fn end(&self, rule: Self::Rule) -> i64;
}

/// When entries lapse.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lapsed {
    /// The time of the call, in microseconds.
    pub(super) now: i64,
    /// What ended less than so long ago stays while there is room, for clocks that run back a little.
    pub(super) grace: i64,
}

pub(super) struct Table<S: Lapse> {
    /// As many as a power of two.
    shards: Box<[Mutex<Shard<S>>]>,
}

impl<S: Lapse> Table<S> {
    /// With room for so many entries, at least one. Memory is taken as it is needed.
    pub(super) fn new(capacity: usize, rule: S::Rule) -> Self {
        let capacity = capacity.max(1);
        let shards = (capacity / SHARE_MIN).clamp(1, SHARDS_MAX);
        let shards = if shards.is_power_of_two() { shards } else { shards.next_power_of_two() / 2 };
        let share = |index| capacity / shards + usize::from(index < capacity % shards);
        Self { shards: (0..shards).map(|index| Mutex::new(Shard::new(share(index), rule))).collect() }
    }

    pub(super) fn shard_of(&self, name: Name) -> usize {
        // Fewer shards than a `usize` counts: the other bits do not matter.
        #[expect(clippy::cast_possible_truncation, reason = "masked to fewer bits")]
        let low = name.shard as usize;
        low & (self.shards.len() - 1)
    }

    pub(super) fn shard(&self, index: usize) -> MutexGuard<'_, Shard<S>> {
        self.shards[index].lock()
    }

    /// Puts other numbers in force, shard by shard.
    pub(super) fn set_rule(&self, rule: S::Rule) {
        for shard in &self.shards {
            let mut shard = shard.lock();
            // What was found out of ends holds no more.
            (shard.rule, *shard.sweep) = (rule, Sweep::START);
        }
    }

    /// Entries, also lapsed ones.
    pub(super) fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.lock().taken).sum()
    }
}

/// On a cache line of its own for the smallest states.
#[derive(Default)]
#[repr(align(64))]
struct Bucket<S>([Slot<S>; WIDTH]);

#[derive(Default)]
struct Slot<S> {
    /// 0 in a free slot.
    tag: u64,
    state: S,
}

impl<S> Bucket<S> {
    /// Looks at all slots whichever it is: where it is cannot be foretold, so a branch for each would cost more.
    #[inline]
    fn position(&self, tag: u64) -> Option<usize> {
        let found = self.0.iter().rev().fold(0_u32, |bits, slot| bits << 1 | u32::from(slot.tag == tag));
        (found != 0).then(|| found.trailing_zeros() as usize % WIDTH)
    }

    fn is_full(&self) -> bool {
        self.0.iter().all(|slot| slot.tag != 0)
    }
}

pub(super) struct Shard<S: Lapse> {
    /// An entry lies in its own bucket or behind it, and then every bucket from its own one on up to there is full. At
    /// least one slot is free, so every way ends.
    buckets: Box<[Bucket<S>]>,
    /// Slots that are taken.
    taken: usize,
    capacity: usize,
    rule: S::Rule,
    /// Apart: it is seldom needed, and shards are looked up faster when there is little of them.
    sweep: Box<Sweep>,
}

/// What sweeps of a full shard found, so that the next goes on where this one stopped and none looks where nothing is.
#[derive(Clone, Copy, Debug)]
struct Sweep {
    /// The next bucket.
    hand: usize,
    /// Buckets since something lapsed was found.
    since: usize,
    /// No entry of those buckets, and none that came or was changed since, ends before.
    earliest: i64,
    /// After a whole round: from when until when nothing lapses.
    quiet: Option<(i64, i64)>,
}

impl Sweep {
    const START: Self = Self { hand: 0, since: 0, earliest: i64::MAX, quiet: None };

    /// An entry came, or ends sooner than before.
    fn note(&mut self, end: i64) {
        self.earliest = self.earliest.min(end);
        self.quiet = self.quiet.map(|(from, until)| (from, until.min(end)));
    }
}

impl<S: Lapse> Shard<S> {
    fn new(capacity: usize, rule: S::Rule) -> Self {
        Self { buckets: Box::default(), taken: 0, capacity, rule, sweep: Box::new(Sweep::START) }
    }

    /// The numbers in force.
    pub(super) const fn rule(&self) -> S::Rule {
        self.rule
    }

    /// The entry of a tag.
    pub(super) fn get(&mut self, tag: u64) -> Option<&mut S> {
        let (bucket, slot) = self.find(tag)?;
        Some(&mut self.buckets[bucket].0[slot].state)
    }

    /// Another state for a tag that has an entry; whether it has. Through [`Self::get`], whoever makes an entry end sooner says
    /// so by [`Self::note`].
    pub(super) fn put(&mut self, tag: u64, state: S) -> bool {
        let end = state.end(self.rule);
        let Some(known) = self.get(tag) else { return false };
        *known = state;
        self.sweep.note(end);
        true
    }

    /// An entry ends when this state does, which may be sooner than was found.
    pub(super) fn note(&mut self, state: &S) {
        let end = state.end(self.rule);
        self.sweep.note(end);
    }

    fn find(&self, tag: u64) -> Option<(usize, usize)> {
        if self.buckets.is_empty() {
            return None;
        }
        let mut at = self.home(tag);
        loop {
            let bucket = &self.buckets[at];
            if let Some(slot) = bucket.position(tag) {
                return Some((at, slot));
            }
            if !bucket.is_full() {
                return None;
            }
            at = self.after(at);
        }
    }

    /// Takes a slot for a tag that has none. If there is no room, says when the first of the entries that it knows ends:
    /// of all, where the whole shard is at most [`SWEEP`] buckets.
    pub(super) fn insert(&mut self, tag: u64, state: S, lapsed: Lapsed) -> Result<(), i64> {
        let full = self.taken == self.capacity;
        if full {
            self.is_quiet(lapsed)?;
        }
        let keep_after = if full { lapsed.now } else { lapsed.now - lapsed.grace };
        let end = state.end(self.rule);
        if let Some((bucket, slot)) = self.slot_on_way(tag, keep_after) {
            let taken = std::mem::replace(&mut self.buckets[bucket].0[slot], Slot { tag, state });
            self.taken += usize::from(taken.tag == 0);
        } else {
            if full {
                self.sweep(lapsed)?;
            } else {
                self.grow(lapsed);
            }
            self.place(tag, state);
        }
        self.sweep.note(end);
        Ok(())
    }

    /// Where a new tag may go: to whoever lapsed on its way, else to the first free slot if the present table has room.
    fn slot_on_way(&self, tag: u64, keep_after: i64) -> Option<(usize, usize)> {
        if self.buckets.is_empty() {
            return None;
        }
        let mut at = self.home(tag);
        loop {
            let bucket = &self.buckets[at];
            let lapsed = |slot: &Slot<S>| slot.tag != 0 && slot.state.end(self.rule) <= keep_after;
            if let Some(slot) = bucket.0.iter().position(lapsed) {
                return Some((at, slot));
            }
            if let Some(slot) = bucket.position(0) {
                return (self.taken < self.room()).then_some((at, slot));
            }
            at = self.after(at);
        }
    }

    /// Gives the slot of a tag back.
    pub(super) fn remove(&mut self, tag: u64) {
        if let Some((bucket, slot)) = self.find(tag) {
            self.free(bucket, slot);
        }
    }

    /// How many entries it may have.
    pub(super) const fn capacity(&self) -> usize {
        self.capacity
    }

    /// Slots that may be taken of the present table.
    fn room(&self) -> usize {
        room_of(self.buckets.len()).min(self.capacity)
    }

    /// The bucket that a tag belongs to.
    #[expect(clippy::cast_possible_truncation, reason = "less than the number of buckets")]
    fn home(&self, tag: u64) -> usize {
        ((u128::from(tag) * self.buckets.len() as u128) >> 64) as usize
    }

    fn after(&self, bucket: usize) -> usize {
        if bucket + 1 == self.buckets.len() { 0 } else { bucket + 1 }
    }

    /// Into the first free slot on the tag's way. There is room.
    fn place(&mut self, tag: u64, state: S) {
        let mut at = self.home(tag);
        loop {
            if let Some(slot) = self.buckets[at].position(0) {
                self.buckets[at].0[slot] = Slot { tag, state };
                self.taken += 1;
                return;
            }
            at = self.after(at);
        }
    }

    /// Moves to a table a quarter larger, or to one of the same size if that gives a fifth of it back, and leaves behind
    /// what lapsed. Small steps keep tables dense; an entry moves five times, all in all.
    fn grow(&mut self, lapsed: Lapsed) {
        let rule = self.rule;
        let lives = |slot: &Slot<S>| slot.tag != 0 && slot.state.end(rule) > lapsed.now - lapsed.grace;
        let living = self.buckets.iter().flat_map(|bucket| &bucket.0).filter(|slot| lives(slot)).count();
        let len = self.buckets.len();
        let wanted = if living * 5 <= self.room() * 4 { len } else { len + len / 4 + 1 };
        let wanted = wanted.max(FIRST_BUCKETS).min(buckets_of(self.capacity));
        let buckets = std::iter::repeat_with(Bucket::default).take(wanted).collect();
        let before = std::mem::replace(&mut self.buckets, buckets);
        (self.taken, self.sweep) = (0, Box::new(Sweep::START));
        for slot in before.into_iter().flat_map(|bucket| bucket.0) {
            if lives(&slot) {
                self.place(slot.tag, slot.state);
            }
        }
    }

    /// Whether something may have lapsed, as far as is known; else says when something will. A shard that is swept as a
    /// whole each time needs no memory, and can tell exactly.
    fn is_quiet(&self, lapsed: Lapsed) -> Result<(), i64> {
        match self.sweep.quiet {
            Some((from, until))
                if self.buckets.len() > SWEEP && from - lapsed.grace <= lapsed.now && lapsed.now < until =>
            {
                Err(until)
            }
            _ => Ok(()),
        }
    }

    /// Gives the slot of one lapsed entry back, if there is one among the next [`SWEEP`] buckets; else says when the first
    /// of those it knows ends.
    fn sweep(&mut self, lapsed: Lapsed) -> Result<(), i64> {
        if self.buckets.len() <= SWEEP {
            *self.sweep = Sweep { hand: self.sweep.hand, ..Sweep::START };
        }
        for _ in 0..SWEEP.min(self.buckets.len()) {
            let hand = self.sweep.hand;
            for slot in 0..WIDTH {
                let found = &self.buckets[hand].0[slot];
                if found.tag == 0 {
                    continue;
                }
                let end = found.state.end(self.rule);
                if end <= lapsed.now {
                    self.free(hand, slot);
                    *self.sweep = Sweep { hand, ..Sweep::START };
                    return Ok(());
                }
                self.sweep.earliest = self.sweep.earliest.min(end);
            }
            self.sweep.hand = self.after(hand);
            self.sweep.since += 1;
        }
        let earliest = self.sweep.earliest;
        if self.sweep.since >= self.buckets.len() {
            *self.sweep = Sweep { quiet: Some((lapsed.now, earliest)), hand: self.sweep.hand, ..Sweep::START };
        }
        Err(earliest)
    }

    /// Empties a slot. If that opens a full bucket, an entry that lies behind it because it was full moves up.
    fn free(&mut self, mut bucket: usize, mut slot: usize) {
        self.taken -= 1;
        while self.buckets[bucket].is_full()
            && let Some((from, moved)) = self.next_beyond(bucket)
        {
            // They change places, and the one to go goes from there.
            let entry = std::mem::take(&mut self.buckets[from].0[moved]);
            self.buckets[from].0[moved] = std::mem::replace(&mut self.buckets[bucket].0[slot], entry);
            (bucket, slot) = (from, moved);
        }
        self.buckets[bucket].0[slot] = Slot::default();
    }

    /// An entry behind a bucket whose way leads through it.
    fn next_beyond(&self, bucket: usize) -> Option<(usize, usize)> {
        let len = self.buckets.len();
        let distance = |from: usize, to: usize| if to >= from { to - from } else { to + len - from };
        let mut at = self.after(bucket);
        while at != bucket {
            let passes = |slot: &Slot<S>| slot.tag != 0 && distance(self.home(slot.tag), at) >= distance(bucket, at);
            if let Some(slot) = self.buckets[at].0.iter().position(passes) {
                return Some((at, slot));
            }
            if !self.buckets[at].is_full() {
                return None;
            }
            at = self.after(at);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    impl Lapse for i64 {
        type Rule = ();

        fn end(&self, (): ()) -> i64 {
            *self
        }
    }

    impl<S: Lapse> Shard<S> {
        /// Every entry with its bucket; panics if one cannot be found or something is miscounted.
        fn entries(&self) -> BTreeMap<u64, usize> {
            let mut all = BTreeMap::new();
            for (at, bucket) in self.buckets.iter().enumerate() {
                for slot in bucket.0.iter().filter(|slot| slot.tag != 0) {
                    assert!(all.insert(slot.tag, at).is_none(), "an entry twice");
                    let mut way = self.home(slot.tag);
                    while way != at {
                        assert!(self.buckets[way].is_full(), "a gap on the way to an entry");
                        way = self.after(way);
                    }
                }
            }
            assert_eq!(all.len(), self.taken);
            assert!(self.taken <= self.capacity && self.taken <= room_of(self.buckets.len()));
            assert!(self.buckets.len() <= buckets_of(self.capacity));
            all
        }
    }

    /// Against a map that remembers everything. Tags are such that many belong to the same few buckets.
    #[test]
    fn a_shard_keeps_what_has_not_lapsed() {
        let mut refused = 0;
        for seed in 0..60 {
            let mut random = crate::quota::tests::SplitMix64(seed);
            let capacity = 1 + usize::try_from(random.below(60)).unwrap();
            let mut shard: Shard<i64> = Shard::new(capacity, ());
            let (spread, span, mut now) = (1 + random.below(8), 1 + random.below(400), 0_i64);
            let mut model: BTreeMap<u64, i64> = BTreeMap::new();
            for step in 0..2000 {
                now += i64::try_from(random.below(3)).unwrap();
                let tag = (random.below(spread) << 61) + (random.below(200) << 1) + 1;
                let end = now + 1 + i64::try_from(random.below(span)).unwrap();
                let lapsed = Lapsed { now, grace: 5 };
                if let Some(state) = shard.get(tag) {
                    assert_eq!(*state, model[&tag], "seed {seed}, step {step}");
                    if random.below(4) == 0 {
                        shard.remove(tag);
                        model.remove(&tag);
                    } else {
                        *state = end.max(*state);
                        model.insert(tag, *state);
                    }
                } else {
                    assert!(model.get(&tag).is_none_or(|end| *end <= now), "seed {seed}, step {step}: lost");
                    let living = model.values().filter(|end| **end > now).count();
                    match shard.insert(tag, end, lapsed) {
                        Ok(()) => _ = model.insert(tag, end),
                        Err(earliest) => {
                            refused += 1;
                            assert_eq!(living, capacity, "seed {seed}, step {step}: refused with room left");
                            assert_eq!(Some(&earliest), model.values().filter(|end| **end > now).min());
                        }
                    }
                }
                let entries = shard.entries();
                model.retain(|tag, end| {
                    assert!(*end <= now || entries.contains_key(tag), "seed {seed}, step {step}: lost");
                    entries.contains_key(tag)
                });
            }
        }
        assert!(refused > 1000, "{refused}");
    }

    /// In a shard of many buckets a refusal looks at some of them, and once it knows them all, at none; when the first
    /// lapses, whoever comes finds it sooner or later.
    #[test]
    fn sweeps_go_round_and_rest() {
        let mut random = crate::quota::tests::SplitMix64(7);
        let mut tag = || random.below(u64::MAX) | 1;
        let lapsed = |now| Lapsed { now, grace: 0 };
        let mut shard: Shard<i64> = Shard::new(room_of(SWEEP * 4), ());
        let first = tag();
        shard.insert(first, 500, lapsed(0)).unwrap();
        while shard.taken < shard.capacity {
            shard.insert(tag(), 1000, lapsed(0)).unwrap();
        }
        let told: Vec<_> = (0..6).map(|_| shard.insert(tag(), 900, lapsed(1)).unwrap_err()).collect();
        assert!(told.is_sorted_by(|a, b| a >= b) && told[3..] == [500; 3], "{told:?}");
        assert_eq!(shard.insert(tag(), 900, lapsed(499)), Err(500));
        // Somebody had more time: now the first ends at 1000.
        *shard.get(first).unwrap() = 1000;
        assert_eq!(shard.insert(tag(), 900, lapsed(499)), Err(500), "nobody looked again yet");
        let told: Vec<_> = (0..4).map(|_| shard.insert(tag(), 2000, lapsed(500)).unwrap_err()).collect();
        assert_eq!(told[3], 1000);
        // A call by a clock that was set back looks for itself.
        assert_eq!(shard.insert(tag(), 900, lapsed(0)), Err(1000));
        assert!((0..shard.capacity).all(|_| shard.insert(tag(), 2000, lapsed(1000)).is_ok()));
        assert!((0..9).all(|_| shard.insert(tag(), 3000, lapsed(1999)).is_err()));
        assert_eq!(shard.entries().len(), shard.capacity);
    }

    /// While there is room, what lapsed a moment ago stays, for a clock that runs back.
    #[test]
    fn the_lapsed_stay_for_a_moment() {
        let at = |now| Lapsed { now, grace: 100 };
        let mut shard: Shard<i64> = Shard::new(3, ());
        shard.insert(1, 50, at(0)).unwrap();
        shard.insert(3, 1000, at(149)).unwrap();
        assert!(shard.get(1).is_some());
        shard.insert(5, 1000, at(150)).unwrap();
        assert!(shard.get(1).is_none(), "its slot was taken though others are free");
        shard.insert(7, 1000, at(150)).unwrap();
        assert_eq!(shard.insert(9, 2000, at(999)), Err(1000));
        shard.insert(9, 2000, at(1000)).unwrap();
        assert_eq!(shard.taken, 3, "none stays when room is needed");
    }

    #[test]
    fn a_table_grows_and_gives_back() {
        let table: Table<i64> = Table::new(4096, ());
        assert_eq!(table.shards.len(), 2);
        let lapsed = |now| Lapsed { now, grace: 0 };
        let mut shard = table.shard(0);
        let mut sizes = vec![0];
        for n in 0..2048_u64 {
            shard.insert(n.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1, 1000, lapsed(0)).unwrap();
            if sizes.last() != Some(&shard.buckets.len()) {
                sizes.push(shard.buckets.len());
            }
        }
        assert_eq!(sizes[..6], [0, 2, 3, 4, 6, 8]);
        assert!(
            sizes.windows(2).all(|two| two[1] <= two[0] + two[0] / 4 + 2) && sizes.last() == Some(&586),
            "{sizes:?}"
        );
        assert_eq!(shard.entries().len(), 2048);
        assert!(shard.insert(2, 1000, lapsed(999)).is_err());
        // Ever new entries of which few live at once do not make it grow.
        let (mut other, mut random) = (table.shard(1), crate::quota::tests::SplitMix64(7));
        for now in 0..100_000 {
            other.insert(random.below(u64::MAX) | 1, now + 10, lapsed(now)).unwrap();
        }
        assert!(other.buckets.len() <= 6, "{}", other.buckets.len());
        drop((shard, other));
        assert!(table.len() <= 2048 + 21);
    }

    #[test]
    fn shares_add_up() {
        for (capacity, shards) in
            [(0, 1), (1, 1), (4095, 1), (4096, 2), (1_000_000, 256), (2_097_151, 512), (usize::MAX, 1024)]
        {
            let table: Table<i64> = Table::new(capacity, ());
            let shares: usize = table.shards.iter().map(|shard| shard.lock().capacity).sum();
            assert_eq!((table.shards.len(), shares), (shards, capacity.max(1)));
        }
    }
}
