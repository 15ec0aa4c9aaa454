//! A counted B+tree: entries in order, and how many stand before each.
//!
//! Leaves hold up to `LEAF` neighbours with their places packed into 64 bits ([`Frame`]); inner nodes hold, for each
//! child, how many entries are under it. An entry is found by its handle, which knows its leaf, so a submit begins where
//! the entry is and climbs only as far as it has to. Leaves are chained. Nodes live in chunks; nothing is copied when
//! the tree grows.
//!
//! Counted B+trees are folklore; the climb from a known leaf is a finger search (Guibas, `McCreight`, Plass and Roberts
//! 1977).

use std::cmp::Ordering;
use std::ops::Range;

use super::Place;
use super::chunks::Chunks;
use super::frame::Frame;
use super::roster::{Handle, Roster};
use crate::id::PlayerId;

/// No leaf, no node, no handle.
const NONE: u32 = u32::MAX;

/// Entries in order of place and, among equal places, of owner.
#[derive(Clone, Debug)]
pub(super) struct Tree<const LEAF: usize = 64, const FAN: usize = 128> {
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

/// The leaf of a handle.
#[derive(Clone, Copy, Debug)]
struct Seat(u32);

impl Default for Seat {
    fn default() -> Self {
        Self(NONE)
    }
}

#[derive(Clone, Debug)]
#[repr(C, align(64))]
struct Leaf<const LEAF: usize> {
    len: u32,
    parent: u32,
    previous: u32,
    next: u32,
    frame: Frame,
    /// The places themselves, where they lie too far apart to be packed; then `packed` means nothing.
    wide: Option<Box<[Place; LEAF]>>,
    /// Those behind `len` are `NONE`.
    handles: [Handle; LEAF],
    packed: [u64; LEAF],
}

impl<const LEAF: usize> Default for Leaf<LEAF> {
    fn default() -> Self {
        Self {
            len: 0,
            parent: NONE,
            previous: NONE,
            next: NONE,
            frame: Frame::default(),
            wide: None,
            handles: [NONE; LEAF],
            packed: [0; LEAF],
        }
    }
}

#[derive(Clone, Debug)]
#[repr(C, align(64))]
struct Inner<const FAN: usize> {
    len: u32,
    parent: u32,
    /// 1 if its children are leaves.
    level: u32,
    /// Those behind `len` are `NONE`.
    children: [u32; FAN],
    /// Entries under each child; 0 behind `len`.
    counts: [u32; FAN],
    /// Scores of the bounds: nearly always they decide.
    scores: [i64; FAN],
    /// What each child's entries are not before. The first is never looked at: whatever is before the second is under
    /// the first child.
    bounds: Vec<Bound>,
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
struct Bound {
    place: Place,
    owner: PlayerId,
}

impl Bound {
    fn cmp(&self, place: Place, owner: &PlayerId) -> Ordering {
        self.place.cmp(&place).then_with(|| self.owner.cmp(owner))
    }
}

/// Where an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Spot {
    leaf: u32,
    at: usize,
}

impl<const LEAF: usize> Leaf<LEAF> {
    #[inline]
    fn len(&self) -> usize {
        self.len as usize
    }

    #[inline]
    fn place(&self, at: usize) -> Place {
        match &self.wide {
            None => self.frame.unpack(self.packed[at]),
            Some(wide) => wide[at],
        }
    }

    /// How many entries are before this one.
    #[inline]
    fn search(&self, place: Place, owner: &PlayerId, roster: &Roster) -> usize {
        let packed = self.packed_as(place);
        partition(0..self.len(), |at| self.cmp(at, place, packed, owner, roster).is_lt())
    }

    /// An entry's order against another, whose packed place is given if it fits.
    #[inline]
    fn cmp(&self, at: usize, place: Place, packed: Option<u64>, owner: &PlayerId, roster: &Roster) -> Ordering {
        let by_place = packed.map_or_else(|| self.place(at).cmp(&place), |packed| self.packed[at].cmp(&packed));
        by_place.then_with(|| roster.owner(self.handles[at]).cmp(owner))
    }

    /// How many entries are before every entry of that place.
    fn count_below(&self, place: Place) -> usize {
        partition(0..self.len(), |at| self.place(at) < place)
    }

    #[inline]
    fn packed_as(&self, place: Place) -> Option<u64> {
        if self.wide.is_some() { None } else { self.frame.pack(place) }
    }

    /// Makes room in the frame for one more place, and returns it packed, unless this leaf is wide then.
    fn fit(&mut self, place: Place) -> Option<u64> {
        if self.wide.is_none() && self.len > 0 {
            if let Some(packed) = self.frame.pack(place) {
                return Some(packed);
            }
        } else if self.wide.is_some() {
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

    /// Replaces the place of an entry that stays where it is in the order.
    #[inline]
    fn set(&mut self, at: usize, place: Place) {
        match self.fit(place) {
            Some(packed) => self.packed[at] = packed,
            None => _ = self.wide.as_mut().map(|wide| wide[at] = place),
        }
    }

    fn insert(&mut self, at: usize, place: Place, handle: Handle) {
        let packed = self.fit(place);
        let len = self.len();
        if let Some(wide) = &mut self.wide {
            wide.copy_within(at..len, at + 1);
            wide[at] = place;
        }
        self.packed.copy_within(at..len, at + 1);
        self.packed[at] = packed.unwrap_or_default();
        self.handles.copy_within(at..len, at + 1);
        self.handles[at] = handle;
        self.len += 1;
    }

    fn remove(&mut self, at: usize) {
        let len = self.len();
        if let Some(wide) = &mut self.wide {
            wide.copy_within(at + 1..len, at);
        }
        self.packed.copy_within(at + 1..len, at);
        self.handles.copy_within(at + 1..len, at);
        self.handles[len - 1] = NONE;
        self.len -= 1;
    }

    /// Moves an entry to another position, with the place it has there.
    fn rotate(&mut self, from: usize, to: usize, place: Place) {
        fn shift<T>(list: &mut [T], from: usize, to: usize) {
            if from < to { list[from..=to].rotate_left(1) } else { list[to..=from].rotate_right(1) }
        }
        let packed = self.fit(place);
        if let Some(wide) = &mut self.wide {
            shift(&mut wide[..], from, to);
            wide[to] = place;
        }
        shift(&mut self.packed, from, to);
        self.packed[to] = packed.unwrap_or_default();
        shift(&mut self.handles, from, to);
    }
}

impl<const FAN: usize> Inner<FAN> {
    #[inline]
    fn len(&self) -> usize {
        self.len as usize
    }

    /// The child that holds such an entry, or would: the last whose bound is not after it.
    #[inline]
    fn search(&self, place: Place, owner: &PlayerId) -> usize {
        let is_at_or_before = |at: usize| {
            let by_score = self.scores[at].cmp(&place[0]);
            if by_score.is_eq() { self.bounds[at].cmp(place, owner).is_le() } else { by_score.is_lt() }
        };
        partition(1..self.len(), is_at_or_before) - 1
    }

    /// The last child that may hold entries before a place.
    fn search_below(&self, place: Place) -> usize {
        partition(1..self.len(), |at| self.bounds[at].place < place) - 1
    }

    fn child(&self, child: u32) -> usize {
        position(&self.children, child)
    }

    #[inline]
    fn before(&self, at: usize) -> u64 {
        self.counts[..at].iter().sum::<u32>().into()
    }

    /// Entries under it.
    fn count(&self) -> u32 {
        self.counts.iter().sum()
    }

    /// The left one of two neighbouring children, one of them `at`, that have no more than `len_max` together.
    fn partner(&self, at: usize, len_max: usize, len: impl Fn(u32) -> usize) -> Option<usize> {
        let fits =
            |left: usize| left + 1 < self.len() && len(self.children[left]) + len(self.children[left + 1]) <= len_max;
        [Some(at), at.checked_sub(1)].into_iter().flatten().find(|left| fits(*left))
    }

    /// Moves the children from a position on behind those of another node.
    fn give(&mut self, from: usize, to: &mut Self) {
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

    fn insert(&mut self, at: usize, child: u32, count: u32, bound: Bound) {
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

    fn remove(&mut self, at: usize) {
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
        let Seat(leaf) = *self.seats.get(handle as usize)?;
        if leaf == NONE {
            return None;
        }
        Some(Spot { leaf, at: position(&self.leaves[leaf as usize].handles, handle) })
    }

    #[inline]
    pub(super) fn place(&self, spot: Spot) -> Place {
        self.leaves[spot.leaf as usize].place(spot.at)
    }

    pub(super) fn handle(&self, spot: Spot) -> Handle {
        self.leaves[spot.leaf as usize].handles[spot.at]
    }

    /// How many entries are before it.
    #[inline]
    pub(super) fn rank(&self, spot: Spot) -> u64 {
        let mut before = spot.at as u64;
        let (mut child, mut parent) = (spot.leaf, self.leaves[spot.leaf as usize].parent);
        while parent != NONE {
            let inner = &self.inners[parent as usize];
            before += inner.before(inner.child(child));
            (child, parent) = (parent, inner.parent);
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
    pub(super) fn count_before(&self, place: Place, owner: &PlayerId, roster: &Roster) -> u64 {
        if self.len == 0 {
            return 0;
        }
        let leaf = self.descend(self.root, place, owner);
        self.rank(Spot { leaf, at: self.leaves[leaf as usize].search(place, owner, roster) })
    }

    /// The entry of a position.
    pub(super) fn select(&self, position: u64) -> Option<Spot> {
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
        Some(Spot { leaf: node, at: left as usize })
    }

    /// The entry after this one.
    pub(super) fn next(&self, spot: Spot) -> Option<Spot> {
        let leaf = &self.leaves[spot.leaf as usize];
        if spot.at + 1 < leaf.len() {
            return Some(Spot { at: spot.at + 1, ..spot });
        }
        (leaf.next != NONE).then_some(Spot { leaf: leaf.next, at: 0 })
    }

    /// Levels of inner nodes.
    fn height(&self) -> u32 {
        self.inners[self.root as usize].level
    }

    /// The leaf for such an entry, under an inner node.
    #[inline]
    fn descend(&self, mut inner: u32, place: Place, owner: &PlayerId) -> u32 {
        loop {
            let node = &self.inners[inner as usize];
            let child = node.children[node.search(place, owner)];
            if node.level == 1 {
                return child;
            }
            inner = child;
        }
    }

    /// The leaf for such an entry, looked for from a leaf that is probably near.
    #[inline]
    fn leaf_near(&self, leaf: u32, place: Place, owner: &PlayerId) -> u32 {
        let mut inner = self.leaves[leaf as usize].parent;
        while inner != self.root {
            let node = &self.inners[inner as usize];
            let at = node.search(place, owner);
            // Between two bounds of this node, so under it; under its first or last child it may be outside.
            if at > 0 && at + 1 < node.len() {
                let child = node.children[at];
                return if node.level == 1 { child } else { self.descend(child, place, owner) };
            }
            inner = node.parent;
        }
        self.descend(inner, place, owner)
    }
}

/// Writing.
impl<const LEAF: usize, const FAN: usize> Tree<LEAF, FAN> {
    /// Adds an entry for a handle that has none.
    pub(super) fn insert(&mut self, handle: Handle, place: Place, roster: &Roster) {
        self.len += 1;
        if self.first == NONE {
            let leaf = self.new_leaf();
            self.leaves[leaf as usize].parent = self.root;
            self.first = leaf;
            let bound = Bound { place, owner: roster.owner(handle).clone() };
            self.inners[self.root as usize].insert(0, leaf, 0, bound);
        }
        let leaf = self.descend(self.root, place, roster.owner(handle));
        let leaf = self.insert_into(leaf, handle, place, roster);
        self.count(leaf, 1);
    }

    /// Removes an entry.
    pub(super) fn remove(&mut self, spot: Spot) {
        self.len -= 1;
        let handle = self.handle(spot);
        self.seats[handle as usize] = Seat(NONE);
        self.leaves[spot.leaf as usize].remove(spot.at);
        self.count(spot.leaf, -1);
        self.shrink(spot.leaf);
    }

    /// Moves an entry to where it belongs with another place.
    #[inline]
    pub(super) fn update(&mut self, spot: Spot, place: Place, roster: &Roster) {
        let leaf = &self.leaves[spot.leaf as usize];
        let handle = leaf.handles[spot.at];
        let owner = roster.owner(handle);
        let last = leaf.len() - 1;
        let packed = leaf.packed_as(place);
        let is_before = |at: usize| leaf.cmp(at, place, packed, owner, roster).is_lt();
        // An entry on each side says that the leaf is the right one.
        let within = spot.at > 0 && spot.at < last && is_before(0) && !is_before(last);
        if within && is_before(spot.at - 1) && !is_before(spot.at + 1) {
            return self.leaves[spot.leaf as usize].set(spot.at, place);
        }
        let target = if within { spot.leaf } else { self.leaf_near(spot.leaf, place, owner) };
        if target == spot.leaf {
            let to = leaf.search(place, owner, roster);
            // The entry itself was counted if it is before its new place.
            let to = if to > spot.at { to - 1 } else { to };
            return self.leaves[spot.leaf as usize].rotate(spot.at, to, place);
        }
        let target = self.insert_into(target, handle, place, roster);
        self.leaves[spot.leaf as usize].remove(spot.at);
        self.count_move(spot.leaf, target);
        self.shrink(spot.leaf);
    }

    /// Puts an entry into a leaf, or into a new one beside it if it is full, and returns which. Counts are the caller's.
    fn insert_into(&mut self, target: u32, handle: Handle, place: Place, roster: &Roster) -> u32 {
        let leaf = &mut self.leaves[target as usize];
        let at = leaf.search(place, roster.owner(handle), roster);
        if leaf.len() < LEAF {
            leaf.insert(at, place, handle);
            *self.seats.entry(handle as usize) = Seat(target);
            return target;
        }
        // Who always comes last leaves full leaves behind.
        let from = if at == LEAF && leaf.next == NONE { LEAF } else { LEAF / 2 };
        let new = self.split(target, from, handle, place, roster);
        let (target, at) = if at > from || from == LEAF { (new, at - from) } else { (target, at) };
        self.leaves[target as usize].insert(at, place, handle);
        *self.seats.entry(handle as usize) = Seat(target);
        target
    }

    /// Adds to the counts above a leaf.
    fn count(&mut self, leaf: u32, by: i32) {
        let (mut child, mut parent) = (leaf, self.leaves[leaf as usize].parent);
        while parent != NONE {
            let inner = &mut self.inners[parent as usize];
            let at = inner.child(child);
            inner.counts[at] = inner.counts[at].wrapping_add_signed(by);
            (child, parent) = (parent, inner.parent);
        }
    }

    /// Counts an entry that went from one leaf to another; above their common node nothing changes.
    fn count_move(&mut self, from: u32, to: u32) {
        let mut children = [from, to];
        let mut parents = children.map(|leaf| self.leaves[leaf as usize].parent);
        loop {
            for (side, by) in [(0, -1), (1, 1)] {
                let inner = &mut self.inners[parents[side] as usize];
                let at = inner.child(children[side]);
                inner.counts[at] = inner.counts[at].wrapping_add_signed(by);
            }
            if parents[0] == parents[1] {
                return;
            }
            children = parents;
            parents = children.map(|inner| self.inners[inner as usize].parent);
        }
    }

    /// Moves the entries of a leaf from a position on into a new leaf behind it. An entry that is to be the first of an
    /// empty new leaf gives its bound.
    fn split(&mut self, full: u32, from: usize, handle: Handle, place: Place, roster: &Roster) -> u32 {
        let new = self.new_leaf();
        let leaf = &mut self.leaves[full as usize];
        let moving = leaf.len() - from;
        let bound = if moving == 0 {
            Bound { place, owner: roster.owner(handle).clone() }
        } else {
            Bound { place: leaf.place(from), owner: roster.owner(leaf.handles[from]).clone() }
        };
        let mut right = Leaf { parent: leaf.parent, previous: full, next: leaf.next, ..Leaf::default() };
        append(&mut right, leaf, from..leaf.len());
        leaf.handles[from..].fill(NONE);
        leaf.len = from as u32;
        if leaf.wide.is_some() {
            // Half as many may lie close enough to be packed.
            let mut left = Leaf { parent: leaf.parent, previous: leaf.previous, ..Leaf::default() };
            append(&mut left, leaf, 0..from);
            *leaf = left;
        }
        leaf.next = new;
        for handle in &right.handles[..moving] {
            self.seats[*handle as usize] = Seat(new);
        }
        let (parent, next) = (right.parent, right.next);
        self.leaves[new as usize] = right;
        if next != NONE {
            self.leaves[next as usize].previous = new;
        }
        self.add_child(parent, full, new, moving as u32, bound);
        new
    }

    /// Puts a new child behind another, whose count loses what the new one has.
    fn add_child(&mut self, parent: u32, behind: u32, new: u32, count: u32, bound: Bound) {
        let inner = &mut self.inners[parent as usize];
        let at = inner.child(behind);
        inner.counts[at] -= count;
        inner.insert(at + 1, new, count, bound);
        if inner.len() < FAN {
            return;
        }
        let half = FAN / 2;
        let mut right = Inner { parent: inner.parent, level: inner.level, ..Inner::default() };
        inner.give(half, &mut right);
        let (left_count, right_count) = (inner.count(), right.count());
        let bound = right.bounds[0].clone();
        let new = self.new_inner();
        for child in &right.children[..right.len()] {
            *self.parent_mut(right.level, *child) = new;
        }
        let above = if right.parent == NONE { self.grow(parent, left_count + right_count) } else { right.parent };
        right.parent = above;
        self.inners[new as usize] = right;
        self.add_child(above, parent, new, right_count, bound);
    }

    /// Puts a new root above the old one, which has so many entries under it.
    fn grow(&mut self, old: u32, count: u32) -> u32 {
        let root = self.new_inner();
        let bound = self.inners[old as usize].bounds[0].clone();
        let level = self.height() + 1;
        let inner = &mut self.inners[root as usize];
        inner.level = level;
        inner.insert(0, old, count, bound);
        self.inners[old as usize].parent = root;
        self.root = root;
        root
    }

    /// Joins a leaf that lost an entry with a neighbour, if both together leave room, so that mass deletion leaves no
    /// trail of small leaves.
    fn shrink(&mut self, small: u32) {
        let leaf = &self.leaves[small as usize];
        if leaf.len() >= LEAF / 4 {
            return;
        }
        let parent = leaf.parent;
        let inner = &self.inners[parent as usize];
        let at = inner.child(small);
        if leaf.len() == 0 {
            self.unlink(small);
            return self.remove_child(parent, at);
        }
        let Some(left) = inner.partner(at, LEAF * 3 / 4, |child| self.leaves[child as usize].len()) else { return };
        let (into, from) = (inner.children[left], inner.children[left + 1]);
        let moving = std::mem::take(&mut self.leaves[from as usize]);
        // `unlink` reads these.
        (self.leaves[from as usize].previous, self.leaves[from as usize].next) = (moving.previous, moving.next);
        append(&mut self.leaves[into as usize], &moving, 0..moving.len());
        for handle in &moving.handles[..moving.len()] {
            self.seats[*handle as usize] = Seat(into);
        }
        let inner = &mut self.inners[parent as usize];
        inner.counts[left] += inner.counts[left + 1];
        self.unlink(from);
        self.remove_child(parent, left + 1);
    }

    /// Takes a child out of an inner node, and joins the node with a neighbour if it became small.
    fn remove_child(&mut self, inner: u32, at: usize) {
        let node = &mut self.inners[inner as usize];
        node.remove(at);
        let (len, level, parent) = (node.len(), node.level, node.parent);
        if inner == self.root {
            if level > 1 && len == 1 {
                self.root = node.children[0];
                self.inners[self.root as usize].parent = NONE;
                self.free_inner(inner);
            }
            return;
        }
        if len >= FAN / 4 {
            return;
        }
        let above = &self.inners[parent as usize];
        let at = above.child(inner);
        if len == 0 {
            self.free_inner(inner);
            return self.remove_child(parent, at);
        }
        let Some(left) = above.partner(at, FAN * 3 / 4, |child| self.inners[child as usize].len()) else { return };
        let (into, from) = (above.children[left], above.children[left + 1]);
        // A node's own first bound may be too high; the one above it is right.
        let bound = above.bounds[left + 1].clone();
        let mut moving = std::mem::take(&mut self.inners[from as usize]);
        for child in &moving.children[..moving.len()] {
            *self.parent_mut(level, *child) = into;
        }
        moving.scores[0] = bound.place[0];
        moving.bounds[0] = bound;
        moving.give(0, &mut self.inners[into as usize]);
        self.free_inner(from);
        let above = &mut self.inners[parent as usize];
        above.counts[left] += above.counts[left + 1];
        self.remove_child(parent, left + 1);
    }

    fn parent_mut(&mut self, level: u32, child: u32) -> &mut u32 {
        if level == 1 { &mut self.leaves[child as usize].parent } else { &mut self.inners[child as usize].parent }
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

/// Copies entries of a leaf behind those of another.
fn append<const LEAF: usize>(into: &mut Leaf<LEAF>, from: &Leaf<LEAF>, range: Range<usize>) {
    for at in range {
        into.insert(into.len(), from.place(at), from.handles[at]);
    }
}

/// Where a number stands in a list that has it.
#[inline]
fn position(list: &[u32], number: u32) -> usize {
    let (chunks, rest) = list.as_chunks::<16>();
    for (n, chunk) in chunks.iter().enumerate() {
        // Without an early exit the whole chunk is compared at once.
        if chunk.iter().fold(0, |hits, known| hits | u32::from(*known == number)) != 0 {
            return n * 16 + chunk.iter().position(|known| *known == number).unwrap_or(0);
        }
    }
    chunks.len() * 16 + rest.iter().position(|known| *known == number).unwrap_or(0)
}

/// The first number of a range for which something that holds for all smaller ones does not hold.
#[inline]
fn partition(range: Range<usize>, holds: impl Fn(usize) -> bool) -> usize {
    let (mut low, mut high) = (range.start, range.end);
    while low < high {
        let middle = low.midpoint(high);
        if holds(middle) { low = middle + 1 } else { high = middle }
    }
    low
}

#[cfg(test)]
mod tests {
    use super::*;

    impl<const LEAF: usize, const FAN: usize> Tree<LEAF, FAN> {
        /// Walks through everything: counts summed again, bounds, order, seats, the chain.
        pub(super) fn verify(&self, roster: &Roster) {
            let mut chain = Vec::new();
            let total = self.verify_inner(self.root, None, None, roster, &mut chain);
            assert_eq!(total, self.len);
            let mut leaf = self.first;
            let mut previous = NONE;
            for expected in chain {
                assert_eq!((leaf, self.leaves[leaf as usize].previous), (expected, previous));
                (previous, leaf) = (leaf, self.leaves[leaf as usize].next);
            }
            assert_eq!(leaf, NONE);
            let used = self.leaves_made as usize - self.leaves_free.len();
            assert!(self.len as usize >= used / 2, "{used} leaves for {}", self.len);
        }

        fn verify_inner(
            &self,
            inner: u32,
            from: Option<&Bound>,
            to: Option<&Bound>,
            roster: &Roster,
            chain: &mut Vec<u32>,
        ) -> u64 {
            let node = &self.inners[inner as usize];
            assert!(node.len() < FAN && (node.len() > 0 || inner == self.root));
            let mut total = 0;
            for at in 0..node.len() {
                let from = if at == 0 { from } else { Some(&node.bounds[at]) };
                let to = if at + 1 < node.len() { Some(&node.bounds[at + 1]) } else { to };
                assert_eq!(node.scores[at], node.bounds[at].place[0]);
                let child = node.children[at];
                let count = if node.level == 1 {
                    self.verify_leaf(child, inner, from, to, roster);
                    chain.push(child);
                    self.leaves[child as usize].len().try_into().unwrap()
                } else {
                    assert_eq!(self.inners[child as usize].parent, inner);
                    assert_eq!(self.inners[child as usize].level, node.level - 1);
                    self.verify_inner(child, from, to, roster, chain)
                };
                assert_eq!(count, u64::from(node.counts[at]));
                total += count;
            }
            assert!(node.children[node.len()..].iter().all(|child| *child == NONE));
            assert!(node.counts[node.len()..].iter().all(|count| *count == 0));
            total
        }

        fn verify_leaf(&self, leaf: u32, parent: u32, from: Option<&Bound>, to: Option<&Bound>, roster: &Roster) {
            let node = &self.leaves[leaf as usize];
            assert!(node.parent == parent && node.len() > 0);
            let entries: Vec<_> =
                (0..node.len()).map(|at| (node.place(at), roster.owner(node.handles[at]).clone())).collect();
            assert!(entries.is_sorted_by(|a, b| a < b));
            let (first, last) = (&entries[0], &entries[entries.len() - 1]);
            assert!(from.is_none_or(|from| from.cmp(first.0, &first.1).is_le()));
            assert!(to.is_none_or(|to| to.cmp(last.0, &last.1).is_gt()));
            for (at, handle) in node.handles.iter().enumerate() {
                if at < node.len() {
                    assert_eq!(self.spot(*handle), Some(Spot { leaf, at }));
                } else {
                    assert_eq!(*handle, NONE);
                }
            }
        }
    }

    struct Random(u64);

    impl Random {
        fn below(&mut self, n: u64) -> u64 {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (self.0 >> 33) % n
        }
    }

    fn roster(len: u32) -> Roster {
        let mut roster = Roster::new([3; 16], 0);
        for n in 0..len {
            // Not in the order of their handles.
            let id = PlayerId::new(&format!("{:x}", n.wrapping_mul(0x9e37_79b9))).unwrap();
            roster.intern(&id).unwrap();
        }
        roster
    }

    fn check<const LEAF: usize, const FAN: usize>(seed: u64, people: u32, steps: u32, height_min: u32, spread: u64) {
        println!("seed {seed}, leaves of {LEAF}, nodes of {FAN}");
        let roster = roster(people);
        let mut random = Random(seed);
        let mut tree = Tree::<LEAF, FAN>::default();
        let mut model = std::collections::BTreeMap::new();
        let mut places: Vec<Option<Place>> = vec![None; people as usize];
        let mut height = 0;
        for step in 0..steps {
            // Growth, a steady board, mass deletion, and once more.
            let phase = u64::from(step) * 6 / u64::from(steps) % 3;
            let handle = random.below(people.into()) as u32;
            let owner = roster.owner(handle);
            let wild = [i64::MIN, -1, 0, 1, i64::MAX][random.below(5) as usize];
            let small = |random: &mut Random, n| random.below(n).cast_signed() - (n / 2).cast_signed();
            let place = [
                if random.below(400) == 0 { wild } else { small(&mut random, spread) },
                if random.below(50) == 0 { small(&mut random, 3) } else { 0 },
                if random.below(400) == 0 { wild } else { small(&mut random, 4) },
            ];
            let remove = random.below(10) < [1, 2, 9][phase as usize];
            let known = tree.spot(handle);
            assert_eq!(known.map(|spot| tree.place(spot)), places[handle as usize]);
            if let Some(old) = places[handle as usize].take() {
                model.remove(&(old, owner.clone()));
            }
            match (known, remove) {
                (Some(spot), true) => tree.remove(spot),
                (None, true) => continue,
                (known, false) => {
                    // Most moves are short.
                    let near = known.filter(|_| random.below(4) > 0).map(|spot| {
                        let [score, subscore, tie] = tree.place(spot);
                        [score.saturating_add(small(&mut random, 5)), subscore, tie]
                    });
                    let place = near.unwrap_or(place);
                    match known {
                        Some(spot) => tree.update(spot, place, &roster),
                        None => tree.insert(handle, place, &roster),
                    }
                    places[handle as usize] = Some(place);
                    model.insert((place, owner.clone()), handle);
                }
            }
            height = height.max(tree.height());
            if step % (steps / 60) != 0 {
                continue;
            }
            tree.verify(&roster);
            let mut spot = tree.select(0);
            for (position, ((place, owner), handle)) in (0..).zip(&model) {
                let here = spot.unwrap();
                assert_eq!((tree.handle(here), tree.rank(here), tree.select(position)), (*handle, position, spot));
                assert_eq!(tree.count_before(*place, owner, &roster), position);
                spot = tree.next(here);
            }
            assert_eq!((spot, tree.select(tree.len())), (None, None));
            for score in [i64::MIN, -7, 0, 3, i64::MAX] {
                let below = model.keys().take_while(|(place, _)| *place < [score, 0, i64::MIN]).count();
                assert_eq!(tree.count_below([score, 0, i64::MIN]), below as u64);
            }
        }
        assert!(height >= height_min, "{height}");
    }

    /// Against a sorted map, in trees of small nodes, so that a few thousand entries make a tall one.
    #[test]
    fn the_tree_is_a_sorted_list() {
        for seed in 1..=4 {
            check::<4, 4>(seed, 900, 24_000, 4, 40);
            check::<4, 5>(seed + 10, 900, 24_000, 3, 1 << 40);
            check::<64, 128>(seed + 20, 3_000, 24_000, 1, 1 << 30);
        }
    }

    #[test]
    fn who_always_comes_last_leaves_full_leaves_behind() {
        let roster = roster(640);
        let mut tree = Tree::<64, 128>::default();
        for handle in 0..640 {
            tree.insert(handle, [handle.into(), 0, 0], &roster);
        }
        assert_eq!(tree.leaves_made, 10);
        tree.verify(&roster);
    }
}
