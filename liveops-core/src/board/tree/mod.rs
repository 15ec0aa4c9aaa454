//! A counted B+tree: entries in order, and how many stand before each.
//!
//! Leaves hold up to `LEAF` neighbours with their places packed into 64 bits ([`frame::Frame`]), each in a slot of its own; inner nodes
//! hold, for each child, how many entries are under it. An entry is found by its handle, which knows its leaf and slot, so a submit begins
//! where the entry is and climbs only as far as it has to. Leaves are chained. Nodes live in chunks; nothing is copied when
//! the tree grows.
//!
//! Counted B+trees are folklore; the climb from a known leaf is a finger search (Guibas, `McCreight`, Plass and Roberts
//! 1977).

mod frame;
mod inner;
mod leaf;
mod order;
mod search;

use self::inner::{Bound, Inner};
use self::leaf::{Leaf, Run};
use super::Place;
use super::chunks::Chunks;
use super::owners::{Owners, Who};
use super::roster::Handle;

/// No leaf, no node, no handle.
const NONE: u32 = u32::MAX;

/// Entries in order of place and, among equal places, of owner.
#[derive(Clone, Debug)]
pub(super) struct Tree<const LEAF: usize = 64, const FAN: usize = 64> {
    seats: Chunks<Seat, 1024>,
    leaves: Chunks<Leaf<LEAF>, 64>,
    leaves_made: u32,
    leaves_free: Vec<u32>,
    inners: Chunks<Inner<FAN>, 8>,
    inners_made: u32,
    inners_free: Vec<u32>,
    /// An inner node; its children are leaves if it is the only one.
    root: u32,
    /// The leaf with the first entries.
    first: u32,
    len: u64,
}

/// The leaf of a handle times how many slots there are in one, and the slot in it. It fits with at most 2^28 owners
/// ([`OWNERS_MAX`](crate::limits::OWNERS_MAX)) and leaves a sixteenth full on average.
#[derive(Clone, Copy, Debug)]
struct Seat(u32);

impl Seat {
    #[inline]
    const fn of<const LEAF: usize>(leaf: u32, slot: usize) -> Self {
        Self(leaf * LEAF as u32 + slot as u32)
    }
}

impl Default for Seat {
    fn default() -> Self {
        Self(NONE)
    }
}

/// Where an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Spot {
    leaf: u32,
    slot: usize,
}

/// The leaf that an entry is to go to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Way {
    leaf: u32,
    beside: Option<Beside>,
}

/// Where an entry is to go.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Aim {
    leaf: u32,
    at: usize,
    /// The place as it is packed there, if it fits.
    packed: Option<u64>,
    beside: Option<Beside>,
}

/// Which children of one node the leaf where an entry is and the one that it goes to are, if both have the same.
#[derive(Clone, Copy, Debug)]
struct Beside {
    from: usize,
    to: usize,
}

impl<const LEAF: usize, const FAN: usize> Default for Tree<LEAF, FAN> {
    fn default() -> Self {
        let mut tree = Self {
            seats: Chunks::default(),
            leaves: Chunks::default(),
            leaves_made: 0,
            leaves_free: Vec::new(),
            inners: Chunks::default(),
            inners_made: 0,
            inners_free: Vec::new(),
            root: 0,
            first: NONE,
            len: 0,
        };
        tree.root = tree.new_inner();
        tree
    }
}

/// Reading.
impl<const LEAF: usize, const FAN: usize> Tree<LEAF, FAN> {
    /// Makes room for so many entries of that many handles.
    pub(super) fn reserve(&mut self, entries: usize) {
        self.seats.reserve(entries);
        // Leaves are about two thirds full after random submits.
        self.leaves.reserve(entries * 3 / (LEAF * 2) + 1);
    }

    pub(super) const fn len(&self) -> u64 {
        self.len
    }

    /// Where the entry of a handle is.
    #[inline]
    pub(super) fn spot(&self, handle: Handle) -> Option<Spot> {
        let Seat(seat) = *self.seats.get(handle as usize)?;
        (seat != NONE).then_some(Spot { leaf: seat / LEAF as u32, slot: seat as usize % LEAF })
    }

    /// A word of each cache line that the entry of a handle is in, mixed.
    #[inline]
    pub(super) fn touch(&self, handle: Handle) -> u64 {
        self.spot(handle).map_or(0, |Spot { leaf, slot }| self.leaves[leaf as usize].touch(slot))
    }

    #[inline]
    pub(super) fn place(&self, spot: Spot) -> Place {
        self.leaves[spot.leaf as usize].place(spot.slot)
    }

    #[inline]
    pub(super) fn handle(&self, spot: Spot) -> Handle {
        self.leaves[spot.leaf as usize].handle(spot.slot)
    }

    /// How many entries are before it.
    #[inline]
    pub(super) fn rank(&self, spot: Spot) -> u64 {
        let leaf = &self.leaves[spot.leaf as usize];
        self.before(leaf) + leaf.at(spot.slot) as u64
    }

    /// How many entries are before those of a leaf.
    #[inline]
    fn before(&self, leaf: &Leaf<LEAF>) -> u64 {
        let (mut child, mut parent, mut before) = (leaf.child, leaf.parent, 0);
        while parent != NONE {
            let inner = &self.inners[parent as usize];
            before += inner.before(child as usize);
            (child, parent) = (inner.child, inner.parent);
        }
        before
    }

    /// How many entries are before every entry of that place.
    pub(super) fn count_below(&self, place: Place) -> u64 {
        if self.len == 0 {
            return 0;
        }
        let (mut before, mut node) = (0, self.root);
        for _ in 0..self.height() {
            let inner = &self.inners[node as usize];
            let at = inner.search_below(place);
            before += inner.before(at);
            node = inner.children[at];
        }
        before + self.leaves[node as usize].count_below(place) as u64
    }

    /// How many entries are before such an entry, which need not be there.
    pub(super) fn count_before(&self, place: Place, who: Who<'_>, owners: &(impl Owners + ?Sized)) -> u64 {
        if self.len == 0 {
            return 0;
        }
        let leaf = self.descend(self.root, place, who, owners);
        let leaf = &self.leaves[leaf as usize];
        let (at, _) = leaf.search(place, who, owners);
        self.before(leaf) + at as u64
    }

    /// The entry of a position.
    pub(super) fn select(&self, position: u64) -> Option<Spot> {
        let (leaf, at) = self.seek(position)?;
        Some(Spot { leaf, slot: self.leaves[leaf as usize].slot(at) })
    }

    /// The leaf of the entry of a position, and how many of its entries are before it.
    fn seek(&self, position: u64) -> Option<(u32, usize)> {
        if position >= self.len {
            return None;
        }
        // Below the length, which fits.
        let mut left = position as u32;
        let mut node = self.root;
        for _ in 0..self.height() {
            let inner = &self.inners[node as usize];
            let mut at = 0;
            while left >= inner.counts[at] {
                left -= inner.counts[at];
                at += 1;
            }
            node = inner.children[at];
        }
        Some((node, left as usize))
    }

    /// The entries from a position on, in order.
    #[inline]
    pub(super) fn spots(&self, from: u64) -> impl Iterator<Item = Spot> {
        self.from(from).flat_map(|(number, from)| {
            let leaf = &self.leaves[number as usize];
            (from..leaf.len()).map(move |at| Spot { leaf: number, slot: leaf.slot(at) })
        })
    }

    /// The same leaf by leaf.
    #[inline]
    pub(super) fn runs(&self, from: u64) -> impl Iterator<Item = Run<'_, LEAF>> {
        self.from(from).map(|(leaf, from)| self.leaves[leaf as usize].run(from))
    }

    /// The leaf of the entry of a position and how many of its entries are before it, and the leaves behind it.
    #[inline]
    fn from(&self, position: u64) -> impl Iterator<Item = (u32, usize)> {
        std::iter::successors(self.seek(position), |(leaf, _)| {
            let next = self.leaves[*leaf as usize].next;
            (next != NONE).then_some((next, 0))
        })
    }

    /// Levels of inner nodes.
    fn height(&self) -> u32 {
        self.inners[self.root as usize].level
    }

    /// The leaf for such an entry, under an inner node.
    #[inline]
    fn descend(&self, mut inner: u32, place: Place, who: Who<'_>, owners: &(impl Owners + ?Sized)) -> u32 {
        loop {
            let node = &self.inners[inner as usize];
            let child = node.children[node.search(place, who, owners)];
            if node.level == 1 {
                return child;
            }
            inner = child;
        }
    }

    /// The leaf that an entry belongs to with another place; of one that is nowhere yet, if there is any leaf.
    #[inline]
    pub(super) fn way(
        &self,
        spot: Option<Spot>,
        place: Place,
        who: Who<'_>,
        owners: &(impl Owners + ?Sized),
    ) -> Option<Way> {
        match spot {
            Some(spot) => Some(self.way_from(spot.leaf, place, who, owners)),
            None if self.len > 0 => Some(Way { leaf: self.descend(self.root, place, who, owners), beside: None }),
            None => None,
        }
    }

    /// The same of an entry that is in a leaf.
    #[expect(clippy::inline_always, reason = "a part of a move, which is told of three times an event")]
    #[inline(always)]
    fn way_from(&self, number: u32, place: Place, who: Who<'_>, owners: &(impl Owners + ?Sized)) -> Way {
        let leaf = &self.leaves[number as usize];
        let (parent, node) = (leaf.parent, &self.inners[leaf.parent as usize]);
        // A child is below the number of those that there can be.
        let from = leaf.child as usize % FAN;
        let key = node.frame.key(place).packed;
        // Behind the last there is a key in any case.
        let is_here = node.keys[from] < key && node.keys.get(from + 1).is_some_and(|next| key < *next);
        let to = if is_here { from } else { node.search_packed(key, place, who, owners) };
        // Between two bounds of this node, so under it; under its first or last child it may be outside.
        if parent == self.root || (to > 0 && to + 1 < node.len()) {
            return Way { leaf: node.children[to], beside: Some(Beside { from, to }) };
        }
        Way { leaf: self.climb(node.parent, place, who, owners), beside: None }
    }

    /// The leaf for such an entry, which is under this node or somewhere above it.
    #[inline(never)]
    fn climb(&self, mut inner: u32, place: Place, who: Who<'_>, owners: &(impl Owners + ?Sized)) -> u32 {
        loop {
            let node = &self.inners[inner as usize];
            let at = node.search(place, who, owners);
            if inner == self.root || (at > 0 && at + 1 < node.len()) {
                return self.descend(node.children[at], place, who, owners);
            }
            inner = node.parent;
        }
    }

    /// How many entries of its leaf are before such an entry.
    #[expect(clippy::inline_always, reason = "a part of a move, which is told of three times an event")]
    #[inline(always)]
    pub(super) fn aim(&self, way: Way, place: Place, who: Who<'_>, owners: &(impl Owners + ?Sized)) -> Aim {
        let Way { leaf, beside } = way;
        let (at, packed) = self.leaves[leaf as usize].search(place, who, owners);
        Aim { leaf, at, packed, beside }
    }
}

/// Writing.
impl<const LEAF: usize, const FAN: usize> Tree<LEAF, FAN> {
    /// A tree of entries that come in its order, each handle once. Leaves and nodes are three quarters full: room for what
    /// comes in between.
    pub(super) fn from_sorted(entries: &[(Place, Handle)], owners: &(impl Owners + ?Sized)) -> Self {
        let mut tree = Self { len: entries.len() as u64, ..Self::default() };
        let mut children = Vec::with_capacity(entries.len() / (LEAF * 3 / 4) + 1);
        let mut previous = NONE;
        for entries in entries.chunks(LEAF * 3 / 4) {
            let leaf = tree.new_leaf();
            match previous {
                NONE => tree.first = leaf,
                previous => tree.leaves[previous as usize].next = leaf,
            }
            for (slot, (_, handle)) in entries.iter().enumerate() {
                *tree.seats.entry(*handle as usize) = Seat::of::<LEAF>(leaf, slot);
            }
            tree.leaves[leaf as usize] = Leaf::of(entries);
            tree.leaves[leaf as usize].previous = previous;
            let (place, handle) = entries[0];
            children.push((leaf, entries.len() as u32, Bound { place, owner: owners.owner(handle) }));
            previous = leaf;
        }
        let mut level = 1;
        while children.len() >= FAN {
            let mut above = Vec::with_capacity(children.len() / (FAN * 3 / 4) + 1);
            let mut below = children.into_iter().peekable();
            while let Some((_, _, bound)) = below.peek() {
                let (inner, bound) = (tree.new_inner(), bound.clone());
                tree.adopt(inner, level, below.by_ref().take(FAN * 3 / 4));
                above.push((inner, tree.inners[inner as usize].count(), bound));
            }
            children = above;
            level += 1;
        }
        tree.adopt(tree.root, level, children);
        tree
    }

    /// Fills an empty inner node.
    fn adopt(&mut self, inner: u32, level: u32, children: impl IntoIterator<Item = (u32, u32, Bound)>) {
        self.inners[inner as usize].level = level;
        for (at, (child, count, bound)) in children.into_iter().enumerate() {
            self.inners[inner as usize].insert(at, child, count, bound);
        }
        self.number(inner, 0);
    }

    /// Adds an entry for a handle that has none, where [`Self::aim`] says.
    pub(super) fn insert(&mut self, handle: Handle, place: Place, aim: Option<Aim>, owners: &(impl Owners + ?Sized)) {
        self.len += 1;
        let aim = aim.unwrap_or_else(|| {
            let leaf = self.new_leaf();
            self.leaves[leaf as usize].parent = self.root;
            self.first = leaf;
            let bound = Bound { place, owner: owners.owner(handle) };
            self.inners[self.root as usize].insert(0, leaf, 0, bound);
            Aim { leaf, at: 0, packed: None, beside: None }
        });
        let leaf = self.insert_at(aim, handle, place, owners);
        self.count(leaf, 1);
    }

    /// Puts the entry of a handle where it belongs, wherever it is; whether it was nowhere.
    #[inline]
    pub(super) fn set(&mut self, handle: Handle, place: Place, owners: &(impl Owners + ?Sized)) -> bool {
        let who = Who::Has(handle);
        let Some(spot) = self.spot(handle) else {
            let way = self.way(None, place, who, owners);
            let aim = way.map(|way| self.aim(way, place, who, owners));
            self.insert(handle, place, aim, owners);
            return true;
        };
        let aim = self.aim(self.way_from(spot.leaf, place, who, owners), place, who, owners);
        self.update(spot, place, aim, owners);
        false
    }

    /// Removes an entry.
    pub(super) fn remove(&mut self, spot: Spot) {
        self.len -= 1;
        let handle = self.handle(spot);
        self.seats[handle as usize] = Seat(NONE);
        self.leaves[spot.leaf as usize].remove(spot.slot);
        self.count(spot.leaf, -1);
        self.shrink(spot.leaf);
    }

    /// Moves an entry to where it belongs with another place, as [`Self::aim`] says.
    #[expect(clippy::inline_always, reason = "a part of a move, which is told of three times an event")]
    #[inline(always)]
    pub(super) fn update(&mut self, spot: Spot, place: Place, aim: Aim, owners: &(impl Owners + ?Sized)) {
        let leaf = &mut self.leaves[spot.leaf as usize];
        if aim.leaf == spot.leaf {
            return leaf.rotate(spot.slot, aim.at, place, aim.packed);
        }
        let handle = leaf.handle(spot.slot);
        // A leaf that is split gets neighbours, and perhaps another node above it.
        let stays = self.leaves[aim.leaf as usize].len() < LEAF;
        let target = self.insert_at(aim, handle, place, owners);
        let leaf = &mut self.leaves[spot.leaf as usize];
        leaf.remove(spot.slot);
        let (parent, is_small) = (leaf.parent, leaf.len() < LEAF / 4);
        match aim.beside {
            Some(Beside { from, to }) if stays => {
                let counts = &mut self.inners[parent as usize].counts;
                counts[from] = counts[from].wrapping_sub(1);
                counts[to] = counts[to].wrapping_add(1);
            }
            _ => self.count_move(spot.leaf, target),
        }
        if is_small {
            self.shrink(spot.leaf);
        }
    }

    /// Puts an entry into a leaf, or into a new one beside it if it is full, and returns which. Counts are the caller's.
    #[expect(clippy::inline_always, reason = "a part of a move, which is told of three times an event")]
    #[inline(always)]
    fn insert_at(&mut self, aim: Aim, handle: Handle, place: Place, owners: &(impl Owners + ?Sized)) -> u32 {
        let Aim { leaf: target, at, packed, .. } = aim;
        let leaf = &mut self.leaves[target as usize];
        if leaf.len() < LEAF {
            let slot = leaf.insert(at, place, packed, handle);
            *self.seats.entry(handle as usize) = Seat::of::<LEAF>(target, slot);
            return target;
        }
        self.insert_split(aim, handle, place, owners)
    }

    /// The same if it is full.
    #[cold]
    fn insert_split(
        &mut self,
        Aim { leaf: full, at, .. }: Aim,
        handle: Handle,
        place: Place,
        owners: &(impl Owners + ?Sized),
    ) -> u32 {
        // Who always comes last leaves full leaves behind: on the whole board, or among those of one score. Not where a leaf with
        // little in it is next: whoever comes between would open one leaf after the other.
        let next = self.leaves[full as usize].next;
        let is_last = at == LEAF && (next == NONE || self.leaves[next as usize].len() >= LEAF / 2);
        let from = if is_last { LEAF } else { LEAF / 2 };
        let new = self.split(full, from, handle, place, owners);
        let (target, at) = if at > from || from == LEAF { (new, at - from) } else { (full, at) };
        // It may be in another frame now.
        let leaf = &mut self.leaves[target as usize];
        let slot = leaf.insert(at, place, leaf.pack(place), handle);
        *self.seats.entry(handle as usize) = Seat::of::<LEAF>(target, slot);
        target
    }

    /// Adds to the counts above a leaf.
    fn count(&mut self, leaf: u32, by: i32) {
        let mut inner = self.count_leaf(leaf, by);
        while inner != NONE {
            inner = self.count_inner(inner, by);
        }
    }

    /// Counts an entry that went from one leaf to another; above their common node nothing changes.
    fn count_move(&mut self, from: u32, to: u32) {
        let (mut from, mut to) = (self.count_leaf(from, -1), self.count_leaf(to, 1));
        while from != to {
            (from, to) = (self.count_inner(from, -1), self.count_inner(to, 1));
        }
    }

    /// Adds to the count of a leaf in its parent, which it returns.
    fn count_leaf(&mut self, number: u32, by: i32) -> u32 {
        let Leaf { parent, child, .. } = self.leaves[number as usize];
        self.count_child(parent, child, by);
        parent
    }

    /// Adds to the count of an inner node in its parent, if it has one, which it returns.
    fn count_inner(&mut self, number: u32, by: i32) -> u32 {
        let Inner { parent, child, .. } = self.inners[number as usize];
        if parent != NONE {
            self.count_child(parent, child, by);
        }
        parent
    }

    fn count_child(&mut self, inner: u32, child: u32, by: i32) {
        let count = &mut self.inners[inner as usize].counts[child as usize];
        *count = count.wrapping_add_signed(by);
    }

    /// Moves the entries of a leaf from a position on into a new leaf behind it. An entry that is to be the first of an
    /// empty new leaf gives its bound.
    fn split(&mut self, full: u32, from: usize, handle: Handle, place: Place, owners: &(impl Owners + ?Sized)) -> u32 {
        let new = self.new_leaf();
        let leaf = &mut self.leaves[full as usize];
        let moving = leaf.len() - from;
        let bound = if moving == 0 {
            Bound { place, owner: owners.owner(handle) }
        } else {
            let first = leaf.slot(from);
            Bound { place: leaf.place(first), owner: owners.owner(leaf.handle(first)) }
        };
        let mut right = Leaf::default();
        (right.parent, right.child, right.previous, right.next) = (leaf.parent, leaf.child, full, leaf.next);
        leaf.give(from, &mut right, |handle, slot| self.seats[handle as usize] = Seat::of::<LEAF>(new, slot));
        leaf.next = new;
        let (parent, child, next) = (right.parent, right.child, right.next);
        self.leaves[new as usize] = right;
        if next != NONE {
            self.leaves[next as usize].previous = new;
        }
        self.add_child(parent, child, new, moving as u32, bound);
        new
    }

    /// Puts a new child behind another, whose count loses what the new one has.
    fn add_child(&mut self, parent: u32, behind: u32, new: u32, count: u32, bound: Bound) {
        let inner = &mut self.inners[parent as usize];
        let at = behind as usize;
        inner.counts[at] -= count;
        inner.insert(at + 1, new, count, bound);
        let is_full = inner.len() == FAN;
        self.number(parent, at + 1);
        if !is_full {
            return;
        }
        let inner = &mut self.inners[parent as usize];
        let mut right = Inner { level: inner.level, ..Inner::default() };
        inner.give(FAN / 2, &mut right);
        let (left_count, right_count) = (inner.count(), right.count());
        let bound = right.bounds[0].clone();
        let new = self.new_inner();
        self.inners[new as usize] = right;
        self.number(new, 0);
        if self.inners[parent as usize].parent == NONE {
            self.grow(parent, left_count + right_count);
        }
        let Inner { parent: above, child, .. } = self.inners[parent as usize];
        self.add_child(above, child, new, right_count, bound);
    }

    /// Tells the children of an inner node from a position on where they are.
    fn number(&mut self, inner: u32, from: usize) {
        let node = &self.inners[inner as usize];
        let (children, len, level) = (node.children, node.len(), node.level);
        for (at, child) in (0..).zip(children).take(len).skip(from) {
            let (parent, known) = if level == 1 {
                let leaf = &mut self.leaves[child as usize];
                (&mut leaf.parent, &mut leaf.child)
            } else {
                let inner = &mut self.inners[child as usize];
                (&mut inner.parent, &mut inner.child)
            };
            (*parent, *known) = (inner, at);
        }
    }

    /// Puts a new root above the old one, which has so many entries under it.
    fn grow(&mut self, old: u32, count: u32) {
        let root = self.new_inner();
        let bound = self.inners[old as usize].bounds[0].clone();
        let level = self.height() + 1;
        let inner = &mut self.inners[root as usize];
        inner.level = level;
        inner.insert(0, old, count, bound);
        self.root = root;
        self.number(root, 0);
    }

    /// Joins a leaf that lost an entry with a neighbour, if both together leave room, so that mass deletion leaves no
    /// trail of small leaves.
    fn shrink(&mut self, small: u32) {
        let leaf = &self.leaves[small as usize];
        if leaf.len() >= LEAF / 4 {
            return;
        }
        let (parent, at) = (leaf.parent, leaf.child as usize);
        let inner = &self.inners[parent as usize];
        if leaf.len() == 0 {
            self.unlink(small);
            return self.remove_child(parent, at);
        }
        let Some(left) = inner.partner(at, LEAF * 3 / 4, |child| self.leaves[child as usize].len()) else { return };
        let (into, from) = (inner.children[left], inner.children[left + 1]);
        let mut moving = std::mem::take(&mut self.leaves[from as usize]);
        // `unlink` reads these.
        (self.leaves[from as usize].previous, self.leaves[from as usize].next) = (moving.previous, moving.next);
        let seat = |handle: Handle, slot| self.seats[handle as usize] = Seat::of::<LEAF>(into, slot);
        moving.give(0, &mut self.leaves[into as usize], seat);
        let inner = &mut self.inners[parent as usize];
        inner.counts[left] += inner.counts[left + 1];
        self.unlink(from);
        self.remove_child(parent, left + 1);
    }

    /// Takes a child out of an inner node, and joins the node with a neighbour if it became small.
    fn remove_child(&mut self, inner: u32, at: usize) {
        let node = &mut self.inners[inner as usize];
        node.remove(at);
        let Inner { level, parent, child, .. } = *node;
        let len = node.len();
        self.number(inner, at);
        if inner == self.root {
            if level > 1 && len == 1 {
                self.root = self.inners[inner as usize].children[0];
                self.inners[self.root as usize].parent = NONE;
                self.free_inner(inner);
            }
            return;
        }
        if len >= FAN / 4 {
            return;
        }
        let at = child as usize;
        if len == 0 {
            self.free_inner(inner);
            return self.remove_child(parent, at);
        }
        let above = &self.inners[parent as usize];
        let Some(left) = above.partner(at, FAN * 3 / 4, |child| self.inners[child as usize].len()) else { return };
        let (into, from) = (above.children[left], above.children[left + 1]);
        // A node's own first bound may be too high; the one above it is right.
        let bound = above.bounds[left + 1].clone();
        let mut moving = std::mem::take(&mut self.inners[from as usize]);
        moving.bounds[0] = bound;
        let known = self.inners[into as usize].len();
        moving.give(0, &mut self.inners[into as usize]);
        self.number(into, known);
        self.free_inner(from);
        let above = &mut self.inners[parent as usize];
        above.counts[left] += above.counts[left + 1];
        self.remove_child(parent, left + 1);
    }

    /// Takes a leaf out of the chain and frees it.
    fn unlink(&mut self, leaf: u32) {
        let Leaf { previous, next, .. } = self.leaves[leaf as usize];
        if previous == NONE {
            self.first = next;
        } else {
            self.leaves[previous as usize].next = next;
        }
        if next != NONE {
            self.leaves[next as usize].previous = previous;
        }
        self.leaves[leaf as usize] = Leaf::default();
        self.leaves_free.push(leaf);
    }

    fn new_leaf(&mut self) -> u32 {
        self.leaves_free.pop().unwrap_or_else(|| {
            self.leaves.entry(self.leaves_made as usize);
            self.leaves_made += 1;
            self.leaves_made - 1
        })
    }

    fn new_inner(&mut self) -> u32 {
        self.inners_free.pop().unwrap_or_else(|| {
            self.inners.entry(self.inners_made as usize);
            self.inners_made += 1;
            self.inners_made - 1
        })
    }

    fn free_inner(&mut self, inner: u32) {
        self.inners[inner as usize] = Inner::default();
        self.inners_free.push(inner);
    }
}

#[cfg(test)]
mod tests;
