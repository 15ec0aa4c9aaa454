//! A leaf: some neighbours with their places.

use std::ops::Range;

use super::frame::{Frame, Key};
use super::search::{count_less, partition};
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
    /// Which child of its parent it was when that was last looked up: mostly it still is.
    pub(super) child: u32,
    pub(super) frame: Frame,
    /// The places themselves, where they lie too far apart to be packed; then `packed` means nothing.
    pub(super) wide: Option<Box<[Place; LEAF]>>,
    /// Those behind `len` are `NONE`.
    pub(super) handles: [Handle; LEAF],
    /// Those behind `len` are the largest there are.
    pub(super) packed: [u64; LEAF],
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
    pub(in crate::board) handles: &'t [Handle],
}

impl<const LEAF: usize> Run<'_, LEAF> {
    /// The place of one of them.
    #[inline]
    pub(in crate::board) fn place(&self, at: usize) -> Place {
        self.leaf.place(self.from + at)
    }
}

impl<const LEAF: usize> Leaf<LEAF> {
    /// A leaf of entries that come in order, not more than it holds.
    pub(super) fn of(entries: &[(Place, Handle)]) -> Self {
        let mut leaf = Self { len: entries.len() as u32, ..Self::default() };
        let (mut least, mut most) = ([i64::MAX; 3], [i64::MIN; 3]);
        for (place, _) in entries {
            for part in 0..3 {
                least[part] = least[part].min(place[part]);
                most[part] = most[part].max(place[part]);
            }
        }
        if let Some(frame) = Frame::around(least, most) {
            leaf.frame = frame;
            for (packed, (place, _)) in leaf.packed.iter_mut().zip(entries) {
                *packed = frame.pack(*place).unwrap_or_default();
            }
        } else {
            let mut wide = Box::new([[0; 3]; LEAF]);
            wide.iter_mut().zip(entries).for_each(|(wide, (place, _))| *wide = *place);
            leaf.wide = Some(wide);
            leaf.packed[..entries.len()].fill(0);
        }
        leaf.handles.iter_mut().zip(entries).for_each(|(known, (_, handle))| *known = *handle);
        leaf
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        self.len as usize
    }

    #[inline]
    pub(super) fn place(&self, at: usize) -> Place {
        match &self.wide {
            None => self.frame.unpack(self.packed[at]),
            Some(wide) => wide[at],
        }
    }

    /// A word of each cache line, mixed.
    #[inline]
    pub(super) fn touch(&self) -> u64 {
        let handles = self.handles.iter().step_by(16).fold(self.len, |sum, handle| sum ^ handle);
        self.packed.iter().step_by(8).fold(handles.into(), |sum, packed| sum ^ packed)
    }

    /// From a position on.
    pub(super) fn run(&self, from: usize) -> Run<'_, LEAF> {
        Run { leaf: self, from, handles: &self.handles[from..self.len()] }
    }

    /// How many entries are before this one, and its place as it is packed here, if it fits.
    #[expect(clippy::inline_always, reason = "a part of a move, which is told of three times an event")]
    #[inline(always)]
    pub(super) fn search(&self, place: Place, who: Who<'_>, owners: &(impl Owners + ?Sized)) -> (usize, Option<u64>) {
        if self.wide.is_some() {
            return (self.search_places(0..self.len(), place, who, owners), None);
        }
        let key = self.frame.key(place);
        let packed = key.is_exact.then_some(key.packed);
        let less = count_less(&self.packed, key.packed);
        if less < self.len() && self.packed[less] == key.packed {
            return (self.search_alike(less, key, place, who, owners), packed);
        }
        (less, packed)
    }

    /// The same among those that are packed alike, which begin there.
    #[inline(never)]
    fn search_alike(
        &self,
        from: usize,
        key: Key,
        place: Place,
        who: Who<'_>,
        owners: &(impl Owners + ?Sized),
    ) -> usize {
        // Mostly it is one; at times nobody here differs. Behind the last there is a larger number, or nothing.
        let is_one = self.packed.get(from + 1).is_none_or(|next| *next > key.packed);
        let end = || key.packed.checked_add(1).map_or(self.len(), |next| count_less(&self.packed, next));
        let range = from..if is_one { from + 1 } else { end() };
        if key.is_exact {
            let lead = owners.lead_of(who);
            return partition(range, |at| owners.cmp_who(self.handles[at], who, &lead).is_lt());
        }
        self.search_places(range, place, who, owners)
    }

    /// The same by the places themselves.
    #[inline(never)]
    fn search_places(&self, range: Range<usize>, place: Place, who: Who<'_>, owners: &(impl Owners + ?Sized)) -> usize {
        let lead = owners.lead_of(who);
        let order = |at| self.place(at).cmp(&place).then_with(|| owners.cmp_who(self.handles[at], who, &lead));
        partition(range, |at| order(at).is_lt())
    }

    /// How many entries are before every entry of that place.
    pub(super) fn count_below(&self, place: Place) -> usize {
        partition(0..self.len(), |at| self.place(at) < place)
    }

    /// Makes room in the frame for one more place, which does not fit it, and returns it packed, unless this leaf is wide then.
    #[cold]
    fn fit(&mut self, place: Place) -> Option<u64> {
        if self.wide.is_some() {
            return None;
        }
        let mut places = [place; LEAF];
        for (at, known) in places[..self.len()].iter_mut().enumerate() {
            *known = self.place(at);
        }
        let (mut least, mut most) = (place, place);
        for known in &places[..self.len()] {
            for part in 0..3 {
                least[part] = least[part].min(known[part]);
                most[part] = most[part].max(known[part]);
            }
        }
        if let Some(frame) = Frame::around(least, most) {
            self.frame = frame;
            for (packed, known) in self.packed.iter_mut().zip(&places[..self.len as usize]) {
                *packed = frame.pack(*known).unwrap_or_default();
            }
            frame.pack(place)
        } else {
            self.wide = Some(Box::new(places));
            None
        }
    }

    /// Puts an entry where [`Self::search`] says, which also packed its place.
    #[inline]
    pub(super) fn insert(&mut self, at: usize, place: Place, packed: Option<u64>, handle: Handle) {
        let packed = packed.or_else(|| self.fit(place));
        let len = self.len();
        if self.wide.is_some() {
            self.insert_wide(at, place);
        }
        self.packed.copy_within(at..len, at + 1);
        self.packed[at] = packed.unwrap_or_default();
        self.handles.copy_within(at..len, at + 1);
        self.handles[at] = handle;
        self.len += 1;
    }

    #[cold]
    fn insert_wide(&mut self, at: usize, place: Place) {
        if let Some(wide) = &mut self.wide {
            wide.copy_within(at..self.len as usize, at + 1);
            wide[at] = place;
        }
    }

    #[inline]
    pub(super) fn remove(&mut self, at: usize) {
        let len = self.len();
        if self.wide.is_some() {
            self.remove_wide(at);
        }
        self.packed.copy_within(at + 1..len, at);
        self.handles.copy_within(at + 1..len, at);
        self.packed[len - 1] = u64::MAX;
        self.handles[len - 1] = NONE;
        self.len -= 1;
    }

    #[cold]
    fn remove_wide(&mut self, at: usize) {
        if let Some(wide) = &mut self.wide {
            wide.copy_within(at + 1..self.len as usize, at);
        }
    }

    /// Moves an entry to another position, with the place it has there, as it is packed if it fits.
    #[inline]
    pub(super) fn rotate(&mut self, from: usize, to: usize, place: Place, packed: Option<u64>) {
        fn shift<T: Copy>(list: &mut [T], from: usize, to: usize, value: T) {
            if from < to {
                list.copy_within(from + 1..=to, from);
            } else {
                list.copy_within(to..from, to + 1);
            }
            list[to] = value;
        }
        let packed = packed.or_else(|| self.fit(place));
        if let Some(wide) = &mut self.wide {
            shift(&mut wide[..], from, to, place);
        }
        shift(&mut self.packed, from, to, packed.unwrap_or_default());
        if from != to {
            let handle = self.handles[from];
            shift(&mut self.handles, from, to, handle);
        }
    }
}

/// Copies entries of a leaf behind those of another.
pub(super) fn append<const LEAF: usize>(into: &mut Leaf<LEAF>, from: &Leaf<LEAF>, range: Range<usize>) {
    let are_packed = into.wide.is_none() && from.wide.is_none();
    if are_packed && (into.len == 0 || into.frame == from.frame) {
        // What is packed stays packed.
        let (len, end) = (into.len(), into.len() + range.len());
        into.frame = from.frame;
        into.packed[len..end].copy_from_slice(&from.packed[range.clone()]);
        into.handles[len..end].copy_from_slice(&from.handles[range]);
        into.len = end as u32;
        return;
    }
    for at in range {
        let place = from.place(at);
        let packed = if into.len == 0 || into.wide.is_some() { None } else { into.frame.pack(place) };
        into.insert(into.len(), place, packed, from.handles[at]);
    }
}
