//! An inner node: children, how many entries are under each, and where each begins.

use std::cmp::Ordering;

use super::frame::Frame;
use super::search::{count_less, partition};
use super::{NONE, Place};
use crate::board::owners::{Owners, Who};
use crate::id::{Lead, PlayerId, cmp_leads};

#[derive(Clone, Debug)]
#[repr(C, align(64))]
pub(super) struct Inner<const FAN: usize> {
    pub(super) len: u32,
    pub(super) parent: u32,
    /// 1 if its children are leaves.
    pub(super) level: u32,
    /// Which child of its parent it is.
    pub(super) child: u32,
    /// Those behind `len` are `NONE`.
    pub(super) children: [u32; FAN],
    /// Entries under each child; 0 behind `len`.
    pub(super) counts: [u32; FAN],
    /// How the bounds are packed.
    pub(super) frame: Frame,
    /// The bounds, or the nearest there is to each in that frame: nearly always they decide. The first is 0, those behind `len`
    /// are the largest there are.
    pub(super) keys: [u64; FAN],
    /// What each child's entries are not before. The first is never looked at: whatever is before the second is under
    /// the first child.
    pub(super) bounds: Vec<Bound>,
}

impl<const FAN: usize> Default for Inner<FAN> {
    fn default() -> Self {
        Self {
            len: 0,
            parent: NONE,
            level: 1,
            child: 0,
            children: [NONE; FAN],
            counts: [0; FAN],
            frame: Frame::default(),
            keys: [u64::MAX; FAN],
            bounds: Vec::new(),
        }
    }
}

/// A place in the full order. The owner is a copy: who gave a bound may be gone.
#[derive(Clone, Debug)]
pub(super) struct Bound {
    pub(super) place: Place,
    pub(super) owner: PlayerId,
}

impl Bound {
    /// Its order against an entry of somebody of whom it is known how the id begins.
    #[inline]
    pub(super) fn cmp(&self, place: Place, who: Who<'_>, lead: &Lead, owners: &(impl Owners + ?Sized)) -> Ordering {
        let by_place = self.place.cmp(&place);
        by_place.then_with(|| cmp_leads(&self.owner.lead(), lead)).then_with(|| self.cmp_beyond(who, owners))
    }

    #[cold]
    fn cmp_beyond(&self, who: Who<'_>, owners: &(impl Owners + ?Sized)) -> Ordering {
        match who {
            Who::Is(id) => self.owner.cmp(id),
            Who::Has(handle) => owners.cmp_id(handle, &self.owner).reverse(),
        }
    }
}

impl<const FAN: usize> Inner<FAN> {
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.len as usize
    }

    /// The child that holds such an entry, or would: the last whose bound is not after it.
    #[inline]
    pub(super) fn search(&self, place: Place, who: Who<'_>, owners: &(impl Owners + ?Sized)) -> usize {
        self.search_packed(self.frame.key(place).packed, place, who, owners)
    }

    /// The same of a place as it is packed here.
    #[expect(clippy::inline_always, reason = "a part of a move, which is told of three times an event")]
    #[inline(always)]
    pub(super) fn search_packed(&self, key: u64, place: Place, who: Who<'_>, owners: &(impl Owners + ?Sized)) -> usize {
        // The first is before everything.
        let less = count_less(&self.keys, key).max(1);
        if less >= self.len() || self.keys[less] != key {
            return less - 1;
        }
        self.search_alike(less, place, who, owners)
    }

    /// The same among children whose bounds are packed alike, which begin there.
    #[inline(never)]
    fn search_alike(&self, from: usize, place: Place, who: Who<'_>, owners: &(impl Owners + ?Sized)) -> usize {
        let lead = owners.lead_of(who);
        partition(from..self.len(), |at| self.bounds[at].cmp(place, who, &lead, owners).is_le()) - 1
    }

    /// The last child that may hold entries before a place.
    pub(super) fn search_below(&self, place: Place) -> usize {
        partition(1..self.len(), |at| self.bounds[at].place < place) - 1
    }

    #[inline]
    pub(super) fn before(&self, at: usize) -> u64 {
        self.counts[..at].iter().sum::<u32>().into()
    }

    /// Entries under it.
    pub(super) fn count(&self) -> u32 {
        self.counts.iter().sum()
    }

    /// The left one of two neighbouring children, one of them `at`, that have no more than `len_max` together.
    pub(super) fn partner(&self, at: usize, len_max: usize, len: impl Fn(u32) -> usize) -> Option<usize> {
        let fits =
            |left: usize| left + 1 < self.len() && len(self.children[left]) + len(self.children[left + 1]) <= len_max;
        [Some(at), at.checked_sub(1)].into_iter().flatten().find(|left| fits(*left))
    }

    /// Moves the children from a position on behind those of another node.
    pub(super) fn give(&mut self, from: usize, to: &mut Self) {
        let (moving, end) = (self.len() - from, to.len());
        to.children[end..end + moving].copy_from_slice(&self.children[from..from + moving]);
        to.counts[end..end + moving].copy_from_slice(&self.counts[from..from + moving]);
        to.bounds.extend(self.bounds.drain(from..));
        to.len += moving as u32;
        to.pack();
        self.children[from..].fill(NONE);
        self.counts[from..].fill(0);
        self.keys[from..].fill(u64::MAX);
        self.len = from as u32;
    }

    pub(super) fn insert(&mut self, at: usize, child: u32, count: u32, bound: Bound) {
        let len = self.len();
        let key = self.frame.key(bound.place);
        self.children.copy_within(at..len, at + 1);
        self.children[at] = child;
        self.counts.copy_within(at..len, at + 1);
        self.counts[at] = count;
        self.keys.copy_within(at..len, at + 1);
        self.keys[at] = key.packed;
        self.bounds.insert(at, bound);
        self.len += 1;
        if at == 0 || !key.is_exact {
            self.pack();
        }
    }

    pub(super) fn remove(&mut self, at: usize) {
        let len = self.len();
        self.children.copy_within(at + 1..len, at);
        self.children[len - 1] = NONE;
        self.counts.copy_within(at + 1..len, at);
        self.counts[len - 1] = 0;
        self.keys.copy_within(at + 1..len, at);
        self.keys[len - 1] = u64::MAX;
        self.bounds.remove(at);
        self.len -= 1;
        if let Some(first) = self.keys[..self.len as usize].first_mut() {
            *first = 0;
        }
    }

    /// Packs all bounds anew.
    fn pack(&mut self) {
        let (mut least, mut most) = ([i64::MAX; 3], [i64::MIN; 3]);
        for Bound { place, .. } in self.bounds.iter().skip(1) {
            for part in 0..3 {
                least[part] = least[part].min(place[part]);
                most[part] = most[part].max(place[part]);
            }
        }
        if self.len > 1 {
            self.frame = Frame::around(least, most).unwrap_or_default();
        }
        for (key, bound) in self.keys.iter_mut().zip(&self.bounds) {
            *key = self.frame.key(bound.place).packed;
        }
        if let Some(first) = self.keys[..self.len as usize].first_mut() {
            *first = 0;
        }
    }

    /// Whether what is packed is what the bounds say.
    #[cfg(test)]
    pub(super) fn verify(&self) {
        assert_eq!(self.bounds.len(), self.len());
        assert!(self.keys[self.len()..].iter().all(|key| *key == u64::MAX));
        let packed = self.bounds.iter().map(|bound| self.frame.key(bound.place).packed);
        assert!(self.keys.iter().zip(packed).skip(1).all(|(key, packed)| *key == packed));
        assert!(self.keys.is_sorted() && (self.len == 0 || self.keys[0] == 0));
    }
}
