//! An inner node: children, how many entries are under each, and where each begins.

use std::cmp::Ordering;

use super::search::{partition, position};
use super::{NONE, Place};
use crate::id::PlayerId;

#[derive(Clone, Debug)]
#[repr(C, align(64))]
pub(super) struct Inner<const FAN: usize> {
    pub(super) len: u32,
    pub(super) parent: u32,
    /// 1 if its children are leaves.
    pub(super) level: u32,
    /// Those behind `len` are `NONE`.
    pub(super) children: [u32; FAN],
    /// Entries under each child; 0 behind `len`.
    pub(super) counts: [u32; FAN],
    /// Scores of the bounds: nearly always they decide.
    pub(super) scores: [i64; FAN],
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
            children: [NONE; FAN],
            counts: [0; FAN],
            scores: [0; FAN],
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
    pub(super) fn cmp(&self, place: Place, owner: &PlayerId) -> Ordering {
        self.place.cmp(&place).then_with(|| self.owner.cmp(owner))
    }
}

impl<const FAN: usize> Inner<FAN> {
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.len as usize
    }

    /// The child that holds such an entry, or would: the last whose bound is not after it.
    #[inline]
    pub(super) fn search(&self, place: Place, owner: &PlayerId) -> usize {
        let scores = self.scores.get(1..self.len()).unwrap_or_default();
        let smaller = scores.partition_point(|score| *score < place[0]);
        if scores.get(smaller) != Some(&place[0]) {
            return smaller;
        }
        let is_at_or_before = |at: usize| self.bounds[at].cmp(place, owner).is_le();
        partition(smaller + 1..self.len(), is_at_or_before) - 1
    }

    /// The same, looked for from a child that is probably near.
    #[inline]
    pub(super) fn search_near(&self, mut at: usize, place: Place, owner: &PlayerId) -> usize {
        let begins_after = |at: usize| {
            let by_score = self.scores[at].cmp(&place[0]);
            if by_score.is_eq() { self.bounds[at].cmp(place, owner).is_gt() } else { by_score.is_gt() }
        };
        for _ in 0..4 {
            if at > 0 && begins_after(at) {
                at -= 1;
            } else if at + 1 < self.len() && !begins_after(at + 1) {
                at += 1;
            } else {
                return at;
            }
        }
        self.search(place, owner)
    }

    /// The last child that may hold entries before a place.
    pub(super) fn search_below(&self, place: Place) -> usize {
        partition(1..self.len(), |at| self.bounds[at].place < place) - 1
    }

    pub(super) fn child(&self, child: u32) -> usize {
        position(&self.children, child)
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
        to.scores[end..end + moving].copy_from_slice(&self.scores[from..from + moving]);
        to.bounds.extend(self.bounds.drain(from..));
        to.len += moving as u32;
        self.children[from..].fill(NONE);
        self.counts[from..].fill(0);
        self.len = from as u32;
    }

    pub(super) fn insert(&mut self, at: usize, child: u32, count: u32, bound: Bound) {
        let len = self.len();
        self.children.copy_within(at..len, at + 1);
        self.children[at] = child;
        self.counts.copy_within(at..len, at + 1);
        self.counts[at] = count;
        self.scores.copy_within(at..len, at + 1);
        self.scores[at] = bound.place[0];
        self.bounds.insert(at, bound);
        self.len += 1;
    }

    pub(super) fn remove(&mut self, at: usize) {
        let len = self.len();
        self.children.copy_within(at + 1..len, at);
        self.children[len - 1] = NONE;
        self.counts.copy_within(at + 1..len, at);
        self.counts[len - 1] = 0;
        self.scores.copy_within(at + 1..len, at);
        self.bounds.remove(at);
        self.len -= 1;
    }
}
