//! A sequence in order of rank, cut into buckets of neighbours. Within a bucket nothing is in order, so a move touches
//! one item where it leaves and one where it arrives; what reads in order sorts the few buckets that it reads.

use std::cmp::Ordering;
use std::ops::Range;

use super::Place;
use crate::id::PlayerId;

/// Most items of one bucket: 2 KiB.
const BUCKET_LEN_MAX: usize = 64;

/// One ranked entry: 32 bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Item {
    pub(super) place: Place,
    slot: u32,
}

impl Item {
    pub(super) fn new(place: Place, slot: usize) -> Self {
        // More than 2^32 entries of 64 bytes do not fit any machine this runs on.
        Self { place, slot: u32::try_from(slot).unwrap_or(u32::MAX) }
    }

    pub(super) const fn slot(&self) -> usize {
        self.slot as usize
    }
}

/// Where an item is: which bucket, and where in it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Seat {
    bucket: u32,
    at: u32,
}

/// Told when an item is seated somewhere else.
pub(super) trait Seats {
    fn seat(&mut self, slot: usize, seat: Seat);
    fn owner(&self, slot: usize) -> &PlayerId;
}

/// The least item that may be in a bucket. Holds its owner, so that a search does not have to fetch it.
#[derive(Clone, Debug)]
struct Bound {
    place: Place,
    owner: PlayerId,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Ranked {
    /// By number; free ones are empty.
    buckets: Vec<Vec<Item>>,
    free: Vec<u32>,
    /// In order of rank: the bucket's number, how many are in it, and the bound between it and the one before.
    order: Vec<u32>,
    lens: Vec<u32>,
    bounds: Vec<Bound>,
    /// Of each bucket, by number: where in the order it is.
    ordinals: Vec<u32>,
    len: usize,
}

impl Ranked {
    pub(super) const fn len(&self) -> usize {
        self.len
    }

    pub(super) fn insert(&mut self, item: Item, seats: &mut impl Seats) {
        if self.order.is_empty() {
            self.open(0);
        }
        let ordinal = self.ordinal(item.place, seats.owner(item.slot()));
        let number = self.order[ordinal];
        let bucket = &mut self.buckets[number as usize];
        seats.seat(item.slot(), Seat { bucket: number, at: length(bucket) });
        bucket.push(item);
        self.lens[ordinal] += 1;
        self.len += 1;
        if bucket.len() == BUCKET_LEN_MAX {
            self.split(ordinal, seats);
        }
    }

    /// Removes what sits there.
    pub(super) fn remove(&mut self, seat: Seat, seats: &mut impl Seats) {
        let bucket = &mut self.buckets[seat.bucket as usize];
        bucket.swap_remove(seat.at as usize);
        if let Some(moved) = bucket.get(seat.at as usize) {
            seats.seat(moved.slot(), seat);
        }
        let ordinal = self.ordinals[seat.bucket as usize] as usize;
        self.lens[ordinal] -= 1;
        self.len -= 1;
        // Two that would fill half of one become one, so that mass deletion leaves no trail of small buckets.
        let next =
            self.lens.get(ordinal + 1).filter(|next| (**next + self.lens[ordinal]) as usize <= BUCKET_LEN_MAX / 2);
        if next.is_some() && (self.lens[ordinal] as usize) < BUCKET_LEN_MAX / 4 {
            self.join(ordinal, seats);
        }
    }

    /// How many stand before the item of that place and owner.
    pub(super) fn position(&self, place: Place, owner: &PlayerId, seats: &impl Seats) -> usize {
        if self.order.is_empty() {
            return 0;
        }
        let ordinal = self.ordinal(place, owner);
        let is_before = |item: &&Item| compare(item.place, seats.owner(item.slot()), place, owner).is_lt();
        self.before(ordinal) + self.bucket(ordinal).iter().filter(is_before).count()
    }

    /// How many stand before a place, whoever holds it.
    pub(super) fn count_below(&self, place: Place) -> usize {
        // Whatever has a bound at this place or after it holds nothing before the place.
        let ordinal = self.bounds.partition_point(|bound| bound.place < place);
        let Some(bucket) = self.order.get(ordinal).map(|_| self.bucket(ordinal)) else { return 0 };
        self.before(ordinal) + bucket.iter().filter(|item| item.place < place).count()
    }

    /// The items of some positions, in order.
    pub(super) fn range(&self, positions: Range<usize>, seats: &impl Seats) -> Vec<Item> {
        let mut skip = positions.start;
        let mut ordinal = 0;
        while let Some(len) = self.lens.get(ordinal).map(|len| *len as usize).filter(|len| *len <= skip) {
            skip -= len;
            ordinal += 1;
        }
        let wanted = positions.end.saturating_sub(positions.start);
        let mut items = Vec::with_capacity(wanted.min(self.len) + BUCKET_LEN_MAX);
        while ordinal < self.order.len() && items.len() < skip + wanted {
            let first = items.len();
            items.extend_from_slice(self.bucket(ordinal));
            items[first..].sort_unstable_by(|a, b| sort(a, b, seats));
            ordinal += 1;
        }
        items.drain(..skip.min(items.len()));
        items.truncate(wanted);
        items
    }

    /// The bucket that such an item is in, or would be: the last whose bound is not after it.
    fn ordinal(&self, place: Place, owner: &PlayerId) -> usize {
        self.bounds.partition_point(|bound| compare(bound.place, &bound.owner, place, owner).is_le())
    }

    fn bucket(&self, ordinal: usize) -> &[Item] {
        &self.buckets[self.order[ordinal] as usize]
    }

    fn before(&self, ordinal: usize) -> usize {
        self.lens[..ordinal].iter().map(|len| *len as usize).sum()
    }

    /// Puts a new bucket into the order; its bound is the caller's to set.
    fn open(&mut self, ordinal: usize) -> u32 {
        let number = self.free.pop().unwrap_or_else(|| {
            self.buckets.push(Vec::with_capacity(BUCKET_LEN_MAX));
            self.ordinals.push(0);
            length(&self.buckets) - 1
        });
        self.order.insert(ordinal, number);
        self.lens.insert(ordinal, 0);
        self.number_from(ordinal);
        number
    }

    fn number_from(&mut self, ordinal: usize) {
        for (at, number) in self.order.iter().enumerate().skip(ordinal) {
            self.ordinals[*number as usize] = u32::try_from(at).unwrap_or(u32::MAX);
        }
    }

    /// Moves the upper half of a full bucket into a new one behind it.
    fn split(&mut self, ordinal: usize, seats: &mut impl Seats) {
        let full = self.order[ordinal] as usize;
        let mut items = std::mem::take(&mut self.buckets[full]);
        items.sort_unstable_by(|a, b| sort(a, b, seats));
        let new = self.open(ordinal + 1) as usize;
        self.buckets[new].extend(items.drain(BUCKET_LEN_MAX / 2..));
        let least = self.buckets[new][0];
        self.bounds.insert(ordinal, Bound { place: least.place, owner: seats.owner(least.slot()).clone() });
        self.buckets[full] = items;
        self.reseat(ordinal, seats);
        self.reseat(ordinal + 1, seats);
    }

    /// Moves a bucket's next into it.
    fn join(&mut self, ordinal: usize, seats: &mut impl Seats) {
        let gone = self.order.remove(ordinal + 1);
        self.lens.remove(ordinal + 1);
        self.bounds.remove(ordinal);
        let items = std::mem::take(&mut self.buckets[gone as usize]);
        self.buckets[self.order[ordinal] as usize].extend_from_slice(&items);
        self.buckets[gone as usize] = items;
        self.buckets[gone as usize].clear();
        self.free.push(gone);
        self.number_from(ordinal + 1);
        self.reseat(ordinal, seats);
    }

    fn reseat(&mut self, ordinal: usize, seats: &mut impl Seats) {
        let number = self.order[ordinal];
        let items = &self.buckets[number as usize];
        self.lens[ordinal] = length(items);
        for (at, item) in (0..).zip(items) {
            seats.seat(item.slot(), Seat { bucket: number, at });
        }
    }
}

fn length<T>(items: &[T]) -> u32 {
    u32::try_from(items.len()).unwrap_or(u32::MAX)
}

fn compare(place: Place, owner: &PlayerId, other: Place, other_owner: &PlayerId) -> Ordering {
    let ([score, subscore, tie], [other_score, other_subscore, other_tie]) = (place, other);
    // Nearly always the scores decide.
    if score != other_score {
        return score.cmp(&other_score);
    }
    (subscore, tie).cmp(&(other_subscore, other_tie)).then_with(|| owner.cmp(other_owner))
}

fn sort(a: &Item, b: &Item, seats: &impl Seats) -> Ordering {
    compare(a.place, seats.owner(a.slot()), b.place, seats.owner(b.slot()))
}
