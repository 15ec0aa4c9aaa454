//! One ranked set over a roster that others share: entries in order, and the entries of owners who are hidden.

use std::collections::BTreeMap;

use super::chunks::Chunks;
use super::owners::{Owners, Who};
use super::roster::Handle;
use super::tree::{Aim, Spot, Tree, Way};
use super::{Order, Place, Score, Sort, Standing, Ties};
use crate::time::Timestamp;

/// Everything about one board in one period but the owners' names. Who is hidden is for the caller to know.
#[derive(Clone, Debug)]
pub(crate) struct Ranks {
    sort: Sort,
    tree: Tree,
    /// Entries of hidden owners, who stand nowhere.
    aside: BTreeMap<Handle, Place>,
    /// When a score was reached, where ties do not tell.
    reached: Chunks<i64, 1024>,
    /// Times of the newest events, where the operator asks for them.
    newest: Option<Chunks<i64, 1024>>,
}

/// An entry on its way: its place, in which the moment when the score was reached stands in any case.
pub(crate) type Staged = (Place, Handle);

/// Where the entry of an owner is found.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Found {
    Shown(Spot),
    Aside,
    Nowhere,
}

impl Ranks {
    /// An empty set; `keeps_newest` if [`Standing::newest_ts`] is to be kept.
    pub(crate) fn new(sort: Sort, keeps_newest: bool) -> Self {
        Self {
            sort,
            tree: Tree::default(),
            aside: BTreeMap::new(),
            reached: Chunks::default(),
            newest: keeps_newest.then(Chunks::default),
        }
    }

    /// An entry as [`Self::fill`] takes it.
    pub(crate) fn staged(sort: Sort, handle: Handle, standing: &Standing) -> Staged {
        let [score, subscore, tie] = Standing { sort, ..*standing }.place();
        // The place of such a board does not say it.
        let tie = if sort.ties == Ties::OwnerId { standing.reached_at.as_unix_millis() } else { tie };
        ([score, subscore, tie], handle)
    }

    /// Puts such entries in the order of their places, those of equals in any.
    pub(crate) fn sort_places(sort: Sort, staged: &mut [Staged]) {
        let parts = parts(sort);
        staged.sort_unstable_by(|a, b| a.0[..parts].cmp(&b.0[..parts]));
    }

    /// Puts equals in the order of their owners, who are somewhere else in memory.
    pub(crate) fn sort_equals(sort: Sort, staged: &mut [Staged], owners: &(impl Owners + ?Sized)) {
        let parts = parts(sort);
        for equals in staged.chunk_by_mut(|a, b| a.0[..parts] == b.0[..parts]).filter(|equals| equals.len() > 1) {
            equals.sort_unstable_by(|a, b| owners.cmp(a.1, b.1));
        }
    }

    /// Adds many shown entries at once, each handle once and in order; an owner who has an entry keeps that one. Building anew
    /// takes a fraction of what as many submits do.
    pub(crate) fn fill(&mut self, mut staged: Vec<Staged>, owners: &(impl Owners + ?Sized)) {
        staged.retain(|(_, handle)| matches!(self.find(*handle), Found::Nowhere));
        if self.sort.ties == Ties::OwnerId {
            for ([_, _, tie], handle) in &mut staged {
                *self.reached.entry(*handle as usize) = std::mem::take(tie);
            }
        }
        if self.tree.len() > 0 {
            staged.extend(self.spots(0).map(|spot| (self.tree.place(spot), self.tree.handle(spot))));
            // Two lists in order, one behind the other, are merged.
            staged.sort_by(|a, b| a.0.cmp(&b.0).then_with(|| owners.cmp(a.1, b.1)));
        }
        self.tree = Tree::from_sorted(&staged, owners);
    }

    pub(super) fn reserve(&mut self, entries: usize) {
        self.tree.reserve(entries);
    }

    pub(crate) const fn sort(&self) -> Sort {
        self.sort
    }

    pub(super) const fn tree(&self) -> &Tree {
        &self.tree
    }

    /// Entries, hidden ones included.
    pub(crate) fn entries(&self) -> u64 {
        self.tree.len() + self.aside.len() as u64
    }

    #[inline]
    pub(crate) fn find(&self, handle: Handle) -> Found {
        match self.tree.spot(handle) {
            Some(spot) => Found::Shown(spot),
            None if self.aside.contains_key(&handle) => Found::Aside,
            None => Found::Nowhere,
        }
    }

    /// The entry of an owner, hidden or not.
    #[inline]
    pub(crate) fn standing(&self, handle: Handle) -> Option<Standing> {
        self.standing_at(handle, self.find(handle))
    }

    #[inline]
    pub(super) fn standing_at(&self, handle: Handle, found: Found) -> Option<Standing> {
        let place = match found {
            Found::Shown(spot) => self.tree.place(spot),
            Found::Aside => *self.aside.get(&handle)?,
            Found::Nowhere => return None,
        };
        Some(self.read(handle, place))
    }

    /// What a place says, and what is kept beside it.
    pub(super) fn read(&self, handle: Handle, [score, subscore, tie]: Place) -> Standing {
        let score = self.sort.order.score([score, subscore]);
        let reached = match self.sort.ties {
            Ties::FirstToReach => tie,
            Ties::LastToReach => !tie,
            Ties::OwnerId => self.reached.get(handle as usize).copied().unwrap_or_default(),
        };
        let newest = self.newest.as_ref().map_or(Some(&reached), |newest| newest.get(handle as usize));
        Standing {
            score,
            reached_at: Timestamp::from_unix_millis(reached),
            newest_ts: Timestamp::from_unix_millis(newest.copied().unwrap_or(reached)),
            sort: self.sort,
        }
    }

    /// Replaces, adds or removes an entry that was found there, shown or not. An empty set takes the entry's sort; a set
    /// with entries keeps its own.
    #[inline]
    pub(crate) fn put(
        &mut self,
        handle: Handle,
        found: Found,
        standing: Option<Standing>,
        hidden: bool,
        owners: &(impl Owners + ?Sized),
    ) {
        let Some(standing) = standing else {
            match found {
                Found::Shown(spot) => self.tree.remove(spot),
                Found::Aside => _ = self.aside.remove(&handle),
                Found::Nowhere => {}
            }
            return;
        };
        if self.sort != standing.sort && self.entries() == 0 {
            self.sort = standing.sort;
        }
        let way = if hidden { None } else { self.way(handle, found, &standing, owners) };
        let aim = way.map(|way| self.aim(way, handle, &standing, owners));
        self.put_at(handle, found, &standing, hidden, aim, owners);
    }

    /// Sets an entry that is shown, as [`Self::staged`] has it, on a set of that sort of which nobody is hidden and no newest times are
    /// kept; whether there was none.
    #[inline]
    pub(crate) fn stand(&mut self, (mut place, handle): Staged, owners: &(impl Owners + ?Sized)) -> bool {
        if self.sort.ties == Ties::OwnerId {
            *self.reached.entry(handle as usize) = std::mem::take(&mut place[2]);
        }
        self.tree.set(handle, place, owners)
    }

    /// Looks at the memory of an owner's entry; what it returns means nothing.
    #[inline]
    pub(crate) fn touch(&self, handle: Handle) -> u64 {
        self.tree.touch(handle)
    }

    /// The way to where an entry will be, if there is any leaf.
    #[inline]
    pub(super) fn way(
        &self,
        handle: Handle,
        found: Found,
        standing: &Standing,
        owners: &(impl Owners + ?Sized),
    ) -> Option<Way> {
        let spot = if let Found::Shown(spot) = found { Some(spot) } else { None };
        self.tree.way(spot, self.place(standing), Who::Has(handle), owners)
    }

    /// Where it leads.
    #[inline]
    pub(super) fn aim(&self, way: Way, handle: Handle, standing: &Standing, owners: &(impl Owners + ?Sized)) -> Aim {
        self.tree.aim(way, self.place(standing), Who::Has(handle), owners)
    }

    /// Replaces or adds an entry where [`Self::aim`] says; it says nothing of a hidden one.
    #[inline]
    pub(super) fn put_at(
        &mut self,
        handle: Handle,
        found: Found,
        standing: &Standing,
        hidden: bool,
        aim: Option<Aim>,
        owners: &(impl Owners + ?Sized),
    ) {
        let place = self.place(standing);
        if self.sort.ties == Ties::OwnerId {
            *self.reached.entry(handle as usize) = standing.reached_at.as_unix_millis();
        }
        if let Some(newest) = &mut self.newest {
            *newest.entry(handle as usize) = standing.newest_ts.as_unix_millis();
        }
        if hidden {
            if let Found::Shown(spot) = found {
                self.tree.remove(spot);
            }
            self.aside.insert(handle, place);
            return;
        }
        match (found, aim) {
            (Found::Shown(spot), Some(aim)) => self.tree.update(spot, place, aim, owners),
            (Found::Aside, _) => {
                self.aside.remove(&handle);
                self.tree.insert(handle, place, aim, owners);
            }
            (_, aim) => self.tree.insert(handle, place, aim, owners),
        }
    }

    fn place(&self, standing: &Standing) -> Place {
        Standing { sort: self.sort, ..*standing }.place()
    }

    /// Shows an owner or not; the entry stays as it is.
    pub(super) fn set_hidden(&mut self, handle: Handle, hidden: bool, owners: &(impl Owners + ?Sized)) {
        let found = self.find(handle);
        let standing = self.standing_at(handle, found);
        self.put(handle, found, standing, hidden, owners);
    }

    /// Owners with an entry: the shown ones in order, then the hidden ones.
    pub(super) fn handles(&self) -> impl Iterator<Item = Handle> {
        self.spots(0).map(|spot| self.tree.handle(spot)).chain(self.aside.keys().copied())
    }

    /// From a position on, in order.
    pub(super) fn spots(&self, from: u64) -> impl Iterator<Item = Spot> {
        self.tree.spots(from)
    }

    /// How many are shown whose score comes before this one, whatever their subscores.
    pub(super) fn count_above(&self, score: i64) -> u64 {
        let [score, _] = self.sort.order.key(score.into());
        self.tree.count_below([score, i64::MIN, i64::MIN])
    }

    /// How many are shown whose pair of score and subscore is better.
    pub(super) fn count_better(&self, [score, subscore, _]: Place) -> u64 {
        self.tree.count_below([score, subscore, i64::MIN])
    }

    /// How many are shown whose pair of score and subscore is as good or better.
    pub(super) fn count_through(&self, [score, subscore, _]: Place) -> u64 {
        let next = match (subscore.checked_add(1), score.checked_add(1)) {
            (Some(subscore), _) => [score, subscore, i64::MIN],
            (None, Some(score)) => [score, i64::MIN, i64::MIN],
            (None, None) => return self.tree.len(),
        };
        self.tree.count_below(next)
    }
}

/// Of a staged place, those that order it.
const fn parts(sort: Sort) -> usize {
    if matches!(sort.ties, Ties::OwnerId) { 2 } else { 3 }
}

impl Order {
    /// The score behind a key.
    const fn score(self, [score, subscore]: [i64; 2]) -> Score {
        match self {
            Self::Desc => Score { score: !score, subscore: !subscore },
            Self::Asc => Score { score, subscore },
        }
    }
}
