//! A leaf: some neighbours with their places.
//!
//! An entry stays in the slot that it was given as long as it is in the leaf, so who comes, goes or moves changes a word or two of
//! it and the [`Order`] of the slots, which is one cache line. Handles and places of the others stay where they are.

use std::hint::select_unpredictable;
use std::ops::Range;

use super::frame::{Frame, Key};
use super::order::Order;
use super::search::partition;
use super::{NONE, Place};
use crate::board::owners::{Owners, Who};
use crate::board::roster::Handle;

#[derive(Clone, Debug)]
#[repr(C, align(64))]
pub(super) struct Leaf<const LEAF: usize> {
    pub(super) len: u32,
    pub(super) parent: u32,
    pub(super) previous: u32,
    pub(super) next: u32,
    /// Which child of its parent it is.
    pub(super) child: u32,
    frame: Frame,
    /// The places by slot, where they lie too far apart to be packed; then `packed` means nothing.
    wide: Option<Box<[Place; LEAF]>>,
    /// The slots in the order of their entries, and behind them those that are free.
    order: Order<LEAF>,
    handles: [Handle; LEAF],
    /// The largest there is in those that are free.
    packed: [u64; LEAF],
}

impl<const LEAF: usize> Default for Leaf<LEAF> {
    fn default() -> Self {
        Self {
            len: 0,
            parent: NONE,
            previous: NONE,
            next: NONE,
            child: 0,
            frame: Frame::default(),
            wide: None,
            order: Order::default(),
            handles: [NONE; LEAF],
            packed: [u64::MAX; LEAF],
        }
    }
}

/// Entries of one leaf, in order.
#[derive(Clone, Copy, Debug)]
pub(in crate::board) struct Run<'t, const LEAF: usize> {
    leaf: &'t Leaf<LEAF>,
    from: usize,
}

impl<'t, const LEAF: usize> Run<'t, LEAF> {
    pub(in crate::board) fn len(&self) -> usize {
        self.leaf.len() - self.from
    }

    #[inline]
    pub(in crate::board) fn entries(&self) -> impl Iterator<Item = (Handle, Place)> + use<'t, LEAF> {
        let leaf = self.leaf;
        (self.from..leaf.len()).map(|at| leaf.slot(at)).map(|slot| (leaf.handle(slot), leaf.place(slot)))
    }
}

impl<const LEAF: usize> Leaf<LEAF> {
    /// A leaf of entries that come in order, not more than it holds. Each is in the slot of its position.
    pub(super) fn of(entries: &[(Place, Handle)]) -> Self {
        let mut leaf = Self { len: entries.len() as u32, ..Self::default() };
        leaf.handles.iter_mut().zip(entries).for_each(|(known, (_, handle))| *known = *handle);
        let mut places = Box::new([[0; 3]; LEAF]);
        places.iter_mut().zip(entries).for_each(|(known, (place, _))| *known = *place);
        leaf.wide = Some(places);
        leaf.narrow();
        leaf
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        self.len as usize
    }

    /// The slot of the entry of that position.
    #[inline]
    pub(super) fn slot(&self, at: usize) -> usize {
        self.order.slot(at)
    }

    /// The position of the entry in a slot.
    #[inline]
    pub(super) fn at(&self, slot: usize) -> usize {
        self.order.at(slot)
    }

    #[inline]
    pub(super) fn handle(&self, slot: usize) -> Handle {
        self.handles[slot]
    }

    #[inline]
    pub(super) fn place(&self, slot: usize) -> Place {
        match &self.wide {
            None => self.frame.unpack(self.packed[slot]),
            Some(wide) => wide[slot],
        }
    }

    /// A word of each cache line that the entry in a slot is in, mixed.
    #[inline]
    pub(super) fn touch(&self, slot: usize) -> u64 {
        u64::from(self.len ^ self.order.slot(0) as u32 ^ self.handles[slot % LEAF]) ^ self.packed[slot % LEAF]
    }

    /// From a position on.
    pub(super) fn run(&self, from: usize) -> Run<'_, LEAF> {
        Run { leaf: self, from }
    }

    /// How many entries are before this one, and its place as it is packed here, if it fits.
    #[expect(clippy::inline_always, reason = "a part of a move, which is told of three times an event")]
    #[inline(always)]
    pub(super) fn search(&self, place: Place, who: Who<'_>, owners: &(impl Owners + ?Sized)) -> (usize, Option<u64>) {
        if self.wide.is_some() {
            return (self.search_places(0..self.len(), place, who, owners), None);
        }
        let key = self.frame.key(place);
        let less = self.count_less(key.packed);
        let is_alike = less < self.len() && self.packed[self.slot(less)] == key.packed;
        let at = if is_alike { self.search_alike(less, key, place, who, owners) } else { less };
        (at, key.is_exact.then_some(key.packed))
    }

    /// How many are packed as less.
    #[inline]
    fn count_less(&self, packed: u64) -> usize {
        // As in a node: some are asked all at once, and then halving goes on between two of them.
        let apart = if LEAF < 8 { 1 } else { 8 };
        let is_less = |at: usize| self.packed[self.slot(at)] < packed;
        let mut at = 0;
        for last in (apart - 1..LEAF).step_by(apart) {
            at = select_unpredictable(is_less(last), last + 1, at);
        }
        if at == LEAF {
            return LEAF;
        }
        let mut half = apart / 2;
        while half > 0 {
            at = select_unpredictable(is_less(at + half - 1), at + half, at);
            half /= 2;
        }
        at
    }

    /// How many are before this one, if those that are packed alike begin there.
    #[inline(never)]
    fn search_alike(
        &self,
        from: usize,
        key: Key,
        place: Place,
        who: Who<'_>,
        owners: &(impl Owners + ?Sized),
    ) -> usize {
        // Mostly it is one; at times nobody here differs.
        let is_one = from + 1 == self.len() || self.packed[self.slot(from + 1)] > key.packed;
        let end = || key.packed.checked_add(1).map_or(self.len(), |next| self.count_less(next));
        let range = from..if is_one { from + 1 } else { end() };
        if key.is_exact {
            let lead = owners.lead_of(who);
            return partition(range, |at| owners.cmp_who(self.handles[self.slot(at)], who, &lead).is_lt());
        }
        self.search_places(range, place, who, owners)
    }

    /// The same by the places themselves.
    #[inline(never)]
    fn search_places(&self, range: Range<usize>, place: Place, who: Who<'_>, owners: &(impl Owners + ?Sized)) -> usize {
        let lead = owners.lead_of(who);
        let order = |slot| self.place(slot).cmp(&place).then_with(|| owners.cmp_who(self.handles[slot], who, &lead));
        partition(range, |at| order(self.slot(at)).is_lt())
    }

    /// How many entries are before every entry of that place.
    pub(super) fn count_below(&self, place: Place) -> usize {
        partition(0..self.len(), |at| self.place(self.slot(at)) < place)
    }

    /// The place as it is packed here, if it fits.
    pub(super) fn pack(&self, place: Place) -> Option<u64> {
        if self.len == 0 || self.wide.is_some() { None } else { self.frame.pack(place) }
    }

    /// Packs places that are not, if they lie near enough to each other now.
    fn narrow(&mut self) {
        let Some(wide) = &self.wide else { return };
        let slots = || (0..self.len as usize).map(|at| self.order.slot(at));
        let (mut least, mut most) = ([i64::MAX; 3], [i64::MIN; 3]);
        for place in slots().map(|slot| wide[slot]) {
            for part in 0..3 {
                least[part] = least[part].min(place[part]);
                most[part] = most[part].max(place[part]);
            }
        }
        if let Some(frame) = Frame::around(least, most) {
            self.frame = frame;
            for slot in slots() {
                self.packed[slot] = frame.pack(wide[slot]).unwrap_or_default();
            }
            self.wide = None;
        }
    }

    /// Makes room in the frame for one more place, which does not fit it, in its slot, unless this leaf is wide then.
    #[cold]
    fn fit(&mut self, slot: usize, place: Place) {
        let mut places = Box::new([place; LEAF]);
        for slot in (0..self.len()).map(|at| self.slot(at)) {
            places[slot] = self.place(slot);
        }
        places[slot] = place;
        self.wide = Some(places);
        self.narrow();
    }

    /// Sets what is in a slot that is in the order, with its place as [`Self::search`] packed it.
    #[inline]
    fn set(&mut self, slot: usize, place: Place, packed: Option<u64>) {
        match (packed, &mut self.wide) {
            (Some(packed), None) => self.packed[slot] = packed,
            (_, Some(wide)) => wide[slot] = place,
            (None, None) => self.fit(slot, place),
        }
    }

    /// Puts an entry where [`Self::search`] says, which also packed its place; returns the slot.
    #[inline]
    pub(super) fn insert(&mut self, at: usize, place: Place, packed: Option<u64>, handle: Handle) -> usize {
        let len = self.len();
        let slot = self.slot(len);
        self.order.back(len, at);
        self.len += 1;
        self.handles[slot] = handle;
        self.set(slot, place, packed);
        slot
    }

    #[inline]
    pub(super) fn remove(&mut self, slot: usize) {
        self.order.forth(self.at(slot), self.len() - 1);
        self.packed[slot % LEAF] = u64::MAX;
        self.len -= 1;
    }

    /// Moves an entry to where [`Self::search`] says, which counted the entry itself.
    #[inline]
    pub(super) fn rotate(&mut self, slot: usize, to: usize, place: Place, packed: Option<u64>) {
        let from = self.at(slot);
        let to = if to > from { to - 1 } else { to };
        if from < to {
            self.order.forth(from, to);
        } else {
            self.order.back(from, to);
        }
        self.set(slot, place, packed);
    }

    /// Moves the entries from a position on behind those of another leaf; `seat` is called with each and its slot there.
    pub(super) fn give(&mut self, from: usize, to: &mut Self, mut seat: impl FnMut(Handle, usize)) {
        if to.len == 0 && self.wide.is_none() {
            to.frame = self.frame;
        }
        let is_same_frame = self.wide.is_none() && to.wide.is_none() && to.frame == self.frame;
        for at in from..self.len() {
            let slot = self.slot(at);
            let (handle, into) = (self.handles[slot], to.slot(to.len()));
            to.handles[into] = handle;
            to.len += 1;
            if is_same_frame {
                // What is packed stays packed.
                to.packed[into] = self.packed[slot];
            } else {
                let place = self.place(slot);
                to.set(into, place, to.pack(place));
            }
            self.packed[slot] = u64::MAX;
            seat(handle, into);
        }
        self.len = from as u32;
        // Fewer may lie close enough to be packed.
        self.narrow();
    }
}
