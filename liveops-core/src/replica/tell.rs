//! Telling the boards: players in full, or what a change set changes.

use std::borrow::{Borrow, Cow};
use std::sync::Arc;

use parking_lot::MutexGuard;

use super::gates::Telling;
use super::player::{List, State};
use super::shelf::Board;
use super::{Replica, Told};
use crate::board::{Directory as _, Handle, Owners as _, Place, Ranks, Standing};
use crate::id::PlayerId;
use crate::record::{BoardKey, ChangeSet};

/// Most players told of together: as many are held meanwhile.
const TOGETHER_MAX: usize = 1024;
/// So few are held without asking for memory.
const FEW: usize = 8;
/// Changes of which memory is asked for the leaves before any of them is made, so that it answers all together.
const AT_ONCE: usize = 8;
/// A board of no more is mostly in a processor's cache anyway.
const CACHED_ENTRIES: u64 = 1 << 14;
/// Boards that are remembered from batch to batch.
const REMEMBERED_MAX: usize = 64;

/// What a batch has to tell, by board. All that concerns one board is told at once: a short loop over one board waits for
/// memory several times at once, where a long way through all of a player's boards would wait for each in turn.
///
/// To be used again: it keeps its memory, and the boards it knows, so that nobody has to be asked for them.
#[derive(Debug, Default)]
pub(crate) struct News {
    players: Vec<Changed>,
    boards: Vec<(Arc<Board>, Vec<Change>)>,
    /// Players stand on the same boards in the same order, so the next board is mostly the one after the last.
    next: usize,
    /// Entries that are gone or hidden, each of the player of that number.
    absent: Vec<(u32, BoardKey)>,
    /// Players and boards of this batch, by number, where one was not on the other before.
    gained: Vec<(u32, u32)>,
}

/// A player of whom something changed since an earlier version.
#[derive(Clone, Copy, Debug)]
struct Changed {
    handle: Handle,
    since: u64,
    version: u64,
}

/// What one entry becomes, of the player of that number: the place as [`Ranks::staged`] has it.
#[derive(Clone, Copy, Debug)]
struct Change {
    player: u32,
    place: Place,
}

impl News {
    /// A board known to the batch.
    #[inline]
    fn known(&self, is_it: impl Fn(&Board) -> bool) -> Option<usize> {
        let is_it = |(board, _): &(Arc<Board>, Vec<Change>)| is_it(board);
        if self.boards.get(self.next).is_some_and(is_it) {
            return Some(self.next);
        }
        self.boards.iter().position(is_it)
    }

    #[inline]
    fn add(&mut self, at: usize, change: Change) {
        self.boards[at].1.push(change);
        self.next = if at + 1 < self.boards.len() { at + 1 } else { 0 };
    }

    /// Forgets the batch.
    fn clear(&mut self) {
        self.players.clear();
        self.absent.clear();
        self.gained.clear();
        self.next = 0;
        if self.boards.len() > REMEMBERED_MAX {
            self.boards.clear();
        }
        self.boards.retain_mut(|(board, changes)| {
            changes.clear();
            !board.is_freed()
        });
    }
}

/// Who is telling.
impl Replica {
    /// Until it is dropped, whoever [waits](Self::settle) for those who tell waits for the caller too: to be taken before anything is noted,
    /// and let go when it is told. Once a thread.
    pub(crate) fn telling(&self) -> Telling<'_> {
        self.gates.enter()
    }

    /// Waits for everybody who is telling, not for those who begin after. Not for those who are telling themselves.
    pub(crate) fn settle(&self) {
        self.gates.settle();
    }
}

/// What a player stood on, what came to it, by number in the batch, and what the player stands on now.
type Regrouped<'n> = (Option<List>, &'n [(u32, u32)], Option<List>);

/// Telling of players in full.
impl Replica {
    /// Tells of players, in order. An older version than the last one told changes nothing.
    pub fn tell<T: Borrow<Told>>(&self, told: impl IntoIterator<Item = T>) {
        let mut told = told.into_iter();
        loop {
            let some: Vec<T> = told.by_ref().take(TOGETHER_MAX).collect();
            if some.is_empty() {
                return;
            }
            self.tell_some(&some);
        }
    }

    fn tell_some<T: Borrow<Told>>(&self, told: &[T]) {
        let telling = self.gates.enter_again();
        for told in told.iter().map(Borrow::borrow) {
            match told {
                Told::Stands { player, version, shown } => _ = self.tell_one(player, *version, &sorted(shown)),
                // Whom nobody knows may be on the way to the boards that are being filled.
                Told::Gone { player } if self.is_filling() => {
                    if let Some((mut state, handle)) = self.hold(player) {
                        self.let_go(&mut state, handle);
                    }
                }
                Told::Gone { player } => _ = self.players.find(player.as_bytes()).map(|handle| self.gone(handle)),
            }
        }
        drop(telling);
        self.give_back();
    }

    /// Tells that those are gone of whom that version was told last; who has another one began again.
    pub(super) fn forget(&self, players: impl IntoIterator<Item = (PlayerId, u64)>) {
        let is_last = |(player, version): &(PlayerId, u64)| {
            let state = self.players.find(player.as_bytes()).and_then(|handle| self.players.state(handle));
            state.is_some_and(|state| state.lock().version == *version)
        };
        let gone = players.into_iter().filter(is_last);
        self.tell(gone.map(|(player, _)| Told::Gone { player }));
    }

    /// Tells of one player; false if a later version was told before.
    pub(crate) fn tell_one(&self, player: &PlayerId, version: u64, shown: &[(BoardKey, Standing)]) -> bool {
        let _telling = self.gates.enter_again();
        // Nobody has so many players in memory.
        let Some((mut state, handle)) = self.hold(player) else { return false };
        if version < state.version {
            return false;
        }
        state.version = version;
        self.note_told(&mut state, handle);
        self.place(&mut state, shown, None, |board, standing, _| board.put(handle, standing, self.players.names()));
        true
    }

    /// Finds the boards of what is shown, calls `put` with each, with whether the player stood there before, and with `None` for
    /// those that the player stands on no more. Who stands nowhere yet stands perhaps where somebody `like` does.
    pub(super) fn place(
        &self,
        state: &mut State,
        shown: &[(BoardKey, Standing)],
        like: Option<&List>,
        mut put: impl FnMut(&Arc<Board>, Option<Standing>, bool),
    ) {
        let is_of = |boards: &[Arc<Board>]| {
            let mut pairs = boards.iter().zip(shown);
            boards.len() == shown.len() && pairs.all(|(board, (key, standing))| board.takes(key, standing.sort))
        };
        let before = state.boards();
        if is_of(before) {
            return before.iter().zip(shown).for_each(|(board, (_, standing))| put(board, Some(*standing), true));
        }
        if let Some(like) = like.filter(|like| before.is_empty() && is_of(like)) {
            like.iter().zip(shown).for_each(|(board, (_, standing))| put(board, Some(*standing), false));
            return state.set_boards(Some(Arc::clone(like)));
        }
        let mut after = Vec::with_capacity(shown.len());
        let mut at = 0;
        for (key, standing) in shown {
            // Both lists are sorted alike.
            at += before[at..].iter().take_while(|board| board.key < *key).count();
            let known = before.get(at).filter(|board| board.takes(key, standing.sort));
            let Some(board) = known.cloned().or_else(|| self.board(key, standing.sort)) else { continue };
            put(&board, Some(*standing), known.is_some());
            after.push(board);
        }
        let mut left = after.iter().peekable();
        for board in before {
            while left.next_if(|known| known.key < board.key).is_some() {}
            if !left.peek().is_some_and(|known| Arc::ptr_eq(known, board)) {
                put(board, None, true);
            }
        }
        state.set_boards(self.lists.intern(after));
    }

    /// Notes of a player who is held that others than the records told of that player.
    #[inline]
    fn note_told(&self, state: &mut State, handle: Handle) {
        if self.is_filling() {
            let mut filling = self.filling.lock();
            // Asked again: it ends under that lock.
            if self.is_filling() {
                filling.note(state, handle);
            }
        }
    }
}

/// Telling of what changed.
impl Replica {
    /// Tells of what was committed, in the order of each player: what the sets change, where that is all that is new, and
    /// players in full else.
    pub fn committed<C: Borrow<ChangeSet>>(&self, sets: &[C]) {
        let mut news = News::default();
        for sets in sets.chunks(TOGETHER_MAX) {
            let _telling = self.gates.enter_again();
            let told = sets.iter().map(Borrow::borrow).filter_map(|set| {
                let (_, handle) = self.hold(&set.player)?;
                Some((set, handle))
            });
            let told: Vec<_> = told.collect();
            for (set, handle) in &told {
                self.note(&mut news, *handle, set.expected, set.record.version, &set.shown);
            }
            let behind = self.apply(&mut news);
            news.clear();
            for behind in behind {
                let (set, _) = told[behind];
                let record = &set.record;
                self.tell_one(&set.player, record.version, &record.shown_anywhere());
            }
        }
    }

    /// Adds to a batch what of a player changed after one version until another.
    #[inline]
    pub(crate) fn note(
        &self,
        news: &mut News,
        handle: Handle,
        since: u64,
        version: u64,
        shown: &[(BoardKey, Option<Standing>)],
    ) {
        // A batch has fewer than 2^32 players.
        let player = news.players.len() as u32;
        news.players.push(Changed { handle, since, version });
        for (key, standing) in shown {
            let Some(standing) = standing else {
                news.absent.push((player, key.clone()));
                continue;
            };
            let sort = standing.sort;
            let at = news.known(|board| board.takes(key, sort)).or_else(|| {
                news.boards.push((self.board(key, sort)?, Vec::new()));
                Some(news.boards.len() - 1)
            });
            if let Some(at) = at {
                let (place, _) = Ranks::staged(sort, handle, standing);
                news.add(at, Change { player, place });
            }
        }
    }

    /// Tells of a batch, which is empty then; returns those who have to be told of in full, since something between is not told yet.
    pub(crate) fn tell_news(&self, _: &Telling<'_>, news: &mut News) -> Vec<PlayerId> {
        let mut behind = Vec::new();
        if !news.players.is_empty() {
            let handles = self.apply(news).into_iter().map(|n| news.players[n].handle);
            behind.extend(handles.map(|handle| self.players.owner(handle)));
            news.clear();
        }
        behind
    }

    /// The same; returns their numbers in the batch.
    fn apply(&self, news: &mut News) -> Vec<usize> {
        let (mut few, mut many) = ([const { None }; FEW], Vec::new());
        let held: &mut [Option<MutexGuard<'_, State>>] = if news.players.len() <= FEW {
            &mut few[..news.players.len()]
        } else {
            many.resize_with(news.players.len(), || None);
            &mut many
        };
        let mut behind = Vec::new();
        for (n, (Changed { handle, since, version }, held)) in news.players.iter().zip(&mut *held).enumerate() {
            let Some(claim) = self.players.state(*handle).map(|state| state.try_lock()) else { continue };
            if claim.as_ref().is_some_and(|state| *version <= state.version) {
                continue;
            }
            // While boards are filled, the entries that are on their way to them are told of in full.
            match claim.filter(|state| *since <= state.version && !self.is_filling()) {
                Some(mut state) => {
                    state.version = *version;
                    *held = Some(state);
                }
                None => behind.push(n),
            }
        }
        self.change(&news.players, held, &news.boards, &mut news.gained);
        if !news.gained.is_empty() || !news.absent.is_empty() {
            self.regroup_all(news, held);
        }
        behind
    }

    /// Tells the boards of those who are held, and notes who was not on one.
    fn change(
        &self,
        players: &[Changed],
        held: &[Option<MutexGuard<'_, State>>],
        boards: &[(Arc<Board>, Vec<Change>)],
        gained: &mut Vec<(u32, u32)>,
    ) {
        let names = self.players.names();
        let mut tell = |at: usize, ranks: &mut Ranks| {
            let (board, changes) = &boards[at];
            if board.is_freed() {
                return;
            }
            for changes in changes.chunks(AT_ONCE) {
                if ranks.entries() > CACHED_ENTRIES {
                    let of = |change: &Change| ranks.touch(players[change.player as usize].handle);
                    std::hint::black_box(changes.iter().fold(0, |sum, change| sum ^ of(change)));
                }
                for Change { player, place } in changes {
                    let known = *player as usize;
                    if held[known].is_some() && ranks.stand((*place, players[known].handle), names) {
                        // A batch has fewer than 2^32 boards.
                        gained.push((*player, at as u32));
                    }
                }
            }
        };
        // Those that are busy come last, so that several who tell of the same boards do not wait for each other in one row.
        let mut busy = Vec::new();
        for (at, (board, changes)) in boards.iter().enumerate() {
            if changes.is_empty() {
                continue;
            }
            match board.try_ranks() {
                Some(mut ranks) => tell(at, &mut ranks),
                None => busy.push(at),
            }
        }
        for at in busy {
            tell(at, &mut boards[at].0.ranks());
        }
    }

    /// Changes the lists of boards of those who are held.
    #[cold]
    fn regroup_all(&self, news: &mut News, held: &mut [Option<MutexGuard<'_, State>>]) {
        let News { players, boards, absent, gained, .. } = news;
        gained.sort_unstable();
        absent.sort_by_key(|of| of.0);
        let mut moved: Vec<_> = gained.iter().map(|of| of.0).chain(absent.iter().map(|of| of.0)).collect();
        moved.sort_unstable();
        moved.dedup();
        // What the last player had and got: most get the same.
        let mut last: Option<Regrouped<'_>> = None;
        for player in moved {
            let Some(state) = &mut held[player as usize] else { continue };
            let (gained, absent) = (of(gained, player), of(absent, player));
            if absent.is_empty() {
                let like = last.as_ref().filter(|(before, like, _)| {
                    let same = gained.iter().map(|of| of.1).eq(like.iter().map(|of| of.1));
                    same && before.as_ref().map(Arc::as_ptr) == state.list().map(Arc::as_ptr)
                });
                if let Some((_, _, after)) = like {
                    state.set_boards(after.clone());
                    continue;
                }
            }
            let before = state.list().cloned();
            let gained_boards: Vec<_> = gained.iter().map(|(_, at)| &boards[*at as usize].0).collect();
            let has_left = self.regroup(state, players[player as usize].handle, &gained_boards, absent);
            last = (!has_left && absent.is_empty()).then(|| (before, gained, state.list().cloned()));
        }
    }

    /// Changes the list of boards that a player who is held stands on; whether there is any that the player left.
    fn regroup(&self, state: &mut State, handle: Handle, gained: &[&Arc<Board>], absent: &[(u32, BoardKey)]) -> bool {
        let mut boards = state.boards().to_vec();
        let mut has_left = false;
        boards.retain(|board| {
            let is_absent = absent.iter().any(|(_, key)| *key == board.key);
            // An earlier entry of another sort.
            let goes = is_absent || gained.iter().any(|gained| gained.key == board.key);
            if goes && !gained.iter().any(|gained| Arc::ptr_eq(gained, board)) {
                has_left = true;
                board.put(handle, None, self.players.names());
            }
            !goes
        });
        for board in gained {
            let at = boards.partition_point(|known| known.key < board.key);
            boards.insert(at, Arc::clone(board));
        }
        state.set_boards(self.lists.intern(boards));
        has_left
    }
}

/// What is of that number in a list that is sorted by it.
fn of<T>(list: &[(u32, T)], number: u32) -> &[(u32, T)] {
    let from = list.partition_point(|(of, _)| *of < number);
    let len = list[from..].partition_point(|(of, _)| *of == number);
    &list[from..from + len]
}

/// As records have them.
fn sorted(shown: &[(BoardKey, Standing)]) -> Cow<'_, [(BoardKey, Standing)]> {
    if shown.is_sorted_by(|a, b| a.0 < b.0) {
        return shown.into();
    }
    let mut shown = shown.to_vec();
    shown.sort_by(|a, b| a.0.cmp(&b.0));
    shown.dedup_by(|a, b| a.0 == b.0);
    shown.into()
}
