//! Filling boards from the records, while others read and tell.
//!
//! Whoever is told of by others meanwhile is left to them: what they tell is at least as new as what was read. Entries of boards
//! that are empty are gathered, sorted and built into a tree at once.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::Replica;
use super::follow::Mark;
use super::player::{GONE, List, State};
use super::shelf::Board;
use crate::board::{Handle, Owners as _, Ranks, Staged, Standing};
use crate::error::{StoreError, StoreErrorKind};
use crate::id::PlayerId;
use crate::record::{BoardKey, Key, Kind, Record};
use crate::store::{Keeps, Scan};
use crate::time::Timestamp;

/// Players read at once.
pub(super) const PAGE_PLAYERS: usize = 1024;
/// A board with no more entries than this is built anew rather than told one by one.
const BUILT_ENTRIES_MAX: u64 = if cfg!(test) { 8 } else { 4096 };

/// One player as the records have the player.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) player: PlayerId,
    pub(crate) version: u64,
    pub(crate) shown: Vec<(BoardKey, Standing)>,
    /// Through when the player was erased, if nothing else is left.
    pub(crate) mark: Option<Timestamp>,
}

impl Entry {
    /// Of a player's record; of another there is none.
    pub(super) fn of((key, record): (Key, Record)) -> Option<Self> {
        let Record::Player(record) = record else { return None };
        let mark = record.idle_mark();
        let shown = record.shown_anywhere();
        Some(Self { player: key.player()?.clone(), version: record.version, shown, mark })
    }
}

/// What others did while boards are filled.
#[derive(Debug, Default)]
pub(super) struct Filling {
    /// Which time it is.
    number: u32,
    pub(super) told: HashSet<Handle>,
    pub(super) released: Vec<Handle>,
}

impl Filling {
    /// Forgets it all.
    pub(super) fn end(&mut self) {
        *self = Self { number: self.number, ..Self::default() };
    }

    /// Notes of a player who is held that others told of that player.
    pub(super) fn note(&mut self, state: &mut State, handle: Handle) {
        state.met = self.number;
        self.told.insert(handle);
    }
}

impl Replica {
    /// Brings every board that is kept to what the records say. Costs nothing if nothing was freed that is kept again, unless
    /// the records were never read through, or news of them were missed. The store may be written to meanwhile, by whoever tells
    /// this replica of it once it is written. A board that is brought back answers `store_unavailable` until it is whole.
    pub fn rebuild<S: Scan + ?Sized>(&self, store: &S, keep: Keeps<'_>) -> Result<(), StoreError> {
        self.rebuild_by(keep, pages(store))
    }

    /// The same by the page, of players in any order; `next` says whether there are more.
    pub(crate) fn rebuild_by(
        &self,
        keep: Keeps<'_>,
        next: impl FnMut(&mut Vec<Entry>) -> Result<bool, StoreError>,
    ) -> Result<(), StoreError> {
        let marks = self.rebuild_from(keep, false, next)?;
        self.followed.lock().note_marks(marks);
        Ok(())
    }

    /// The same; returns the marks of erasures that were read. What was read counts `anew` where news were missed, also that somebody
    /// is gone: whatever version was told before.
    pub(super) fn rebuild_from(
        &self,
        keep: Keeps<'_>,
        anew: bool,
        mut next: impl FnMut(&mut Vec<Entry>) -> Result<bool, StoreError>,
    ) -> Result<Vec<(PlayerId, Mark)>, StoreError> {
        let _alone = self.fills.block();
        let is_back = self.shelf.bring_back(keep);
        if self.is_whole.load(Ordering::SeqCst) && !is_back {
            return Ok(Vec::new());
        }
        let mut fill = Fill::begin(self, keep, anew);
        let mut entries = Vec::with_capacity(PAGE_PLAYERS);
        while next(&mut entries)? {
            fill.take(&mut entries);
        }
        Ok(fill.finish())
    }

    /// The same of all that is kept and of everything else, whether or not it was read before.
    pub(crate) fn rebuild_all(
        &self,
        next: impl FnMut(&mut Vec<Entry>) -> Result<bool, StoreError>,
    ) -> Result<(), StoreError> {
        self.miss();
        self.shelf.close(Some(StoreErrorKind::Unavailable));
        self.rebuild_by(&|_| true, next)?;
        self.shelf.close(None);
        Ok(())
    }

    /// There are no records yet: all there will be are told.
    pub(crate) fn begin_empty(&self) {
        self.is_whole.store(true, Ordering::SeqCst);
    }

    /// The boards are not what the records say: the next [`Self::rebuild`] reads them all.
    pub(super) fn miss(&self) {
        self.is_whole.store(false, Ordering::SeqCst);
    }
}

/// Boards on their way to what the records say. Whoever has it has the [turn](Replica::fills). Dropped before all was read, it
/// leaves what was read where it belongs, and boards that are brought back as they are: not answered from.
pub(super) struct Fill<'r, 'k> {
    replica: &'r Replica,
    gathered: Gathered<'k>,
    number: u32,
    is_whole: bool,
}

impl<'r, 'k> Fill<'r, 'k> {
    pub(super) fn begin(replica: &'r Replica, keep: Keeps<'k>, anew: bool) -> Self {
        let number = {
            let mut filling = replica.filling.lock();
            filling.number += 1;
            filling.number
        };
        replica.is_filling.store(true, Ordering::SeqCst);
        Self { replica, gathered: Gathered::new(keep, anew), number, is_whole: false }
    }

    /// Tells of a page of players.
    pub(super) fn take(&mut self, entries: &mut Vec<Entry>) {
        self.replica.gather(entries, &mut self.gathered);
    }

    /// All records were read. Returns the marks of erasures.
    pub(super) fn finish(mut self) -> Vec<(PlayerId, Mark)> {
        self.build();
        self.replica.drop_unmet(self.number, |_| true);
        self.is_whole = true;
        std::mem::take(&mut self.gathered.marks)
    }

    /// Those of some players were read, and no others.
    pub(super) fn finish_some(mut self, is_of: impl Fn(&PlayerId) -> bool) {
        self.build();
        self.replica.drop_unmet(self.number, is_of);
    }

    fn build(&mut self) {
        for (_, (board, staged)) in std::mem::take(&mut self.gathered.boards.list) {
            self.replica.build(&board, staged.unwrap_or_default());
        }
        for (key, _) in std::mem::take(&mut self.gathered.kept.list).iter().filter(|(_, kept)| !kept) {
            self.replica.shelf.note_freed(key);
        }
    }
}

impl Drop for Fill<'_, '_> {
    fn drop(&mut self) {
        self.build();
        let replica = self.replica;
        while !replica.end_filling() {
            replica.let_go_filled();
        }
        replica.give_back();
        if self.is_whole {
            replica.shelf.are_back();
            replica.is_whole.store(true, Ordering::SeqCst);
        } else {
            replica.miss();
        }
    }
}

impl Replica {
    /// Tells of a page of players.
    fn gather(&self, entries: &mut Vec<Entry>, gathered: &mut Gathered<'_>) {
        let _telling = self.gates.enter_again();
        for entry in entries.drain(..) {
            let Entry { player, version, mut shown, mark } = entry;
            // Nobody has so many players in memory.
            let Some((mut state, handle)) = self.hold(&player) else { continue };
            let is_told = {
                let filling = self.filling.lock();
                state.met = filling.number;
                filling.told.contains(&handle)
            };
            // Where news were missed, what is followed next begins before what was read, and ends with the newest: so those whom others
            // told of are left to them only if that was newer, since late news may be older.
            let is_left =
                if gathered.anew { is_told && version <= state.version } else { is_told || version < state.version };
            if is_left {
                continue;
            }
            state.version = version;
            shown.retain(|(key, _)| gathered.is_kept(key));
            let last = gathered.last.take();
            self.place(&mut state, &shown, last.as_ref(), |board, standing, is_there| match standing {
                Some(standing) if !is_there && !is_told => {
                    if !gathered.stage(board, handle, &standing) {
                        board.put(handle, Some(standing), self.players.names());
                    }
                }
                standing => board.put(handle, standing, self.players.names()),
            });
            gathered.last = state.list().cloned();
            gathered.marks.extend(mark.map(|through| (player, Mark { through, version })));
        }
    }

    /// Builds a board from what was gathered.
    fn build(&self, board: &Board, mut staged: Vec<Staged>) {
        if staged.is_empty() {
            return;
        }
        // Most of the order needs no names.
        Ranks::sort_places(board.sort, &mut staged);
        Ranks::sort_equals(board.sort, &mut staged, self.players.names());
        let mut ranks = board.ranks();
        {
            // Whoever tells of a player notes it first, so who is not noted yet comes to the board after this.
            let filling = self.filling.lock();
            if !filling.told.is_empty() {
                staged.retain(|(_, handle)| !filling.told.contains(handle));
            }
        }
        if !board.is_freed() {
            ranks.fill(staged, self.players.names());
        }
    }

    /// Takes those off the boards whom the records do not have any more.
    fn drop_unmet(&self, number: u32, is_of: impl Fn(&PlayerId) -> bool) {
        // Who is entered meanwhile was met.
        for handle in 0..self.players.given() {
            let Some(state) = self.players.state(handle) else { continue };
            let mut state = state.lock();
            let is_known = state.version > 0 && state.version != GONE;
            if is_known && state.met != number && is_of(&self.players.owner(handle)) {
                self.let_go(&mut state, handle);
            }
        }
    }
}

/// The players of a store, by the page.
pub(super) fn pages<S: Scan + ?Sized>(store: &S) -> impl FnMut(&mut Vec<Entry>) -> Result<bool, StoreError> {
    let (mut partition, mut after) = (0, None);
    move |entries| {
        while partition < store.partitions() {
            let page = store.scan(partition, Some(Kind::Player), after.as_ref(), PAGE_PLAYERS)?;
            let Some((last, _)) = page.last() else {
                (partition, after) = (partition + 1, None);
                continue;
            };
            after = Some(last.clone());
            entries.extend(page.into_iter().filter_map(Entry::of));
            return Ok(true);
        }
        Ok(false)
    }
}

/// Entries on their way to their boards.
struct Gathered<'k> {
    keep: Keeps<'k>,
    /// Whether what is read counts whatever was told before.
    anew: bool,
    marks: Vec<(PlayerId, Mark)>,
    /// What it said.
    kept: Near<BoardKey, bool>,
    /// By address; without a list of a board to which entries are told one by one.
    boards: Near<usize, (Arc<Board>, Option<Vec<Staged>>)>,
    /// The boards of the player before.
    last: Option<List>,
}

impl<'k> Gathered<'k> {
    fn new(keep: Keeps<'k>, anew: bool) -> Self {
        let (kept, boards) = (Near::default(), Near::default());
        Self { keep, anew, marks: Vec::new(), kept, boards, last: None }
    }

    fn is_kept(&mut self, key: &BoardKey) -> bool {
        let keep = self.keep;
        *self.kept.get(key, || keep(key))
    }

    /// Gathers an entry that is not on the board; whether this board is built from such.
    fn stage(&mut self, board: &Arc<Board>, handle: Handle, standing: &Standing) -> bool {
        let (_, staged) = self.boards.get(&Arc::as_ptr(board).addr(), || {
            let is_built = board.ranks().entries() <= BUILT_ENTRIES_MAX;
            (Arc::clone(board), is_built.then(Vec::new))
        });
        staged.as_mut().map(|staged| staged.push(Ranks::staged(board.sort, handle, standing))).is_some()
    }
}

/// A map for questions that come in the same order again and again: players stand on the same boards, so what is looked for next
/// is mostly behind what was found last.
struct Near<K, V> {
    list: Vec<(K, V)>,
    places: HashMap<K, usize>,
    next: usize,
}

impl<K, V> Default for Near<K, V> {
    fn default() -> Self {
        Self { list: Vec::new(), places: HashMap::new(), next: 0 }
    }
}

impl<K: Clone + Eq + Hash, V> Near<K, V> {
    fn get(&mut self, key: &K, make: impl FnOnce() -> V) -> &mut V {
        let next = if self.next < self.list.len() { self.next } else { 0 };
        let at = if self.list.get(next).is_some_and(|(known, _)| known == key) {
            next
        } else if let Some(at) = self.places.get(key) {
            *at
        } else {
            self.list.push((key.clone(), make()));
            self.places.insert(key.clone(), self.list.len() - 1);
            self.list.len() - 1
        };
        self.next = at + 1;
        &mut self.list[at].1
    }
}
