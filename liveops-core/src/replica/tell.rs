//! Telling the boards: players in full, or what a change set changes.

use std::borrow::{Borrow, Cow};
use std::sync::Arc;

use parking_lot::MutexGuard;

use super::player::{List, Players, State};
use super::shelf::Board;
use super::{Replica, Told};
use crate::board::{Handle, Roster, Standing};
use crate::id::PlayerId;
use crate::record::{BoardKey, ChangeSet};

/// Most players told of together: as many are held meanwhile.
const TOGETHER_MAX: usize = 1024;

/// What a batch has to tell, by board. All that concerns one board is told at once: a short loop over one board waits for
/// memory several times at once, where a long way through all of a player's boards would wait for each in turn.
#[derive(Debug, Default)]
pub(crate) struct News {
    players: Vec<Changed>,
    boards: Vec<(Arc<Board>, Vec<Change>)>,
    /// Players stand on the same boards in the same order, so the next board is mostly the one after the last.
    next: usize,
    /// Entries that are gone or hidden, each of the player of that number.
    absent: Vec<(u32, BoardKey)>,
}

/// A player of whom something changed since an earlier version.
#[derive(Clone, Copy, Debug)]
struct Changed {
    handle: Handle,
    since: u64,
    version: u64,
}

/// What one entry becomes, of the player of that number.
#[derive(Clone, Copy, Debug)]
struct Change {
    player: u32,
    standing: Standing,
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

    fn add(&mut self, at: usize, change: Change) {
        self.boards[at].1.push(change);
        self.next = if at + 1 < self.boards.len() { at + 1 } else { 0 };
    }
}

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
        let told = told.iter().map(Borrow::borrow);
        let (players, handles) = self.handles(told.clone().map(Told::player));
        let mut gone = Vec::new();
        for (told, handle) in told.zip(handles) {
            // Nobody has 2^32 players in memory.
            let Some(handle) = handle else { continue };
            let mut state = players.state(handle).lock();
            match told {
                Told::Stands { version, shown, .. } => {
                    self.stand(&mut state, handle, *version, &sorted(shown), &players.roster);
                }
                Told::Gone { .. } => {
                    self.note_told(&mut state, handle);
                    Self::clear(&mut state, handle, &players.roster);
                    gone.push(handle);
                }
            }
        }
        drop(players);
        self.release(gone);
    }

    /// Tells that those are gone of whom that version was told last; who has another one began again.
    pub(super) fn forget(&self, players: impl IntoIterator<Item = (PlayerId, u64)>) {
        let is_last = |(player, version): &(PlayerId, u64)| {
            let players = self.players.read();
            let handle = players.roster.find(player.as_bytes());
            handle.is_some_and(|handle| players.state(handle).lock().version == *version)
        };
        let gone = players.into_iter().filter(is_last);
        self.tell(gone.map(|(player, _)| Told::Gone { player }));
    }

    /// Takes a player who is held off all boards; nothing was ever told of the player then.
    pub(super) fn clear(state: &mut State, handle: Handle, roster: &Roster) {
        for board in state.take_boards().iter().flat_map(|list| list.iter()) {
            board.put(handle, None, roster);
        }
        state.version = 0;
    }

    /// Tells of one player; false if a later version was told before.
    pub(crate) fn tell_one(&self, player: &PlayerId, version: u64, shown: &[(BoardKey, Standing)]) -> bool {
        let (players, handles) = self.handles(std::iter::once(player));
        // Nobody has 2^32 players in memory.
        let Some(handle) = handles.into_iter().flatten().next() else { return false };
        self.stand(&mut players.state(handle).lock(), handle, version, shown, &players.roster)
    }

    /// Tells of one player who is held; false if a later version was told before.
    fn stand(
        &self,
        state: &mut State,
        handle: Handle,
        version: u64,
        shown: &[(BoardKey, Standing)],
        roster: &Roster,
    ) -> bool {
        if version < state.version {
            return false;
        }
        state.version = version;
        self.note_told(state, handle);
        self.place(state, shown, None, |board, standing, _| _ = board.put(handle, standing, roster));
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
            self.filling.lock().note(state, handle);
        }
    }
}

/// Telling of what changed.
impl Replica {
    /// Tells of what was committed, in the order of each player: what the sets change, where that is all that is new, and
    /// players in full else.
    pub fn committed<C: Borrow<ChangeSet>>(&self, sets: &[C]) {
        for sets in sets.chunks(TOGETHER_MAX) {
            let sets = sets.iter().map(Borrow::borrow);
            let (players, handles) = self.handles(sets.clone().map(|set| &set.player));
            let told: Vec<_> = sets.zip(handles).filter_map(|(set, handle)| Some((set, handle?))).collect();
            let mut news = News::default();
            for (set, handle) in &told {
                self.note(&mut news, *handle, set.expected, set.record.version, &set.shown);
            }
            for behind in self.apply(news, &players) {
                let (set, handle) = &told[behind];
                let record = &set.record;
                let shown = if record.hidden { &[][..] } else { &record.standings };
                let mut state = players.state(*handle).lock();
                self.stand(&mut state, *handle, record.version, shown, &players.roster);
            }
        }
    }

    /// Adds to a batch what of a player changed after one version until another.
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
            let Some(standing) = *standing else {
                news.absent.push((player, key.clone()));
                continue;
            };
            let at = news.known(|board| board.takes(key, standing.sort)).or_else(|| {
                let board = self.board(key, standing.sort)?;
                news.boards.push((board, Vec::new()));
                Some(news.boards.len() - 1)
            });
            if let Some(at) = at {
                news.add(at, Change { player, standing });
            }
        }
    }

    /// Tells of a batch; returns those who have to be told of in full, since something between is not told yet.
    pub(crate) fn tell_news(&self, news: News) -> Vec<PlayerId> {
        if news.players.is_empty() {
            return Vec::new();
        }
        let players = self.players.read();
        let handles: Vec<_> = news.players.iter().map(|changed| changed.handle).collect();
        let behind = self.apply(news, &players);
        behind.into_iter().map(|n| players.roster.owner(handles[n]).clone()).collect()
    }

    /// The same; returns their numbers in the batch.
    fn apply(&self, news: News, players: &Players) -> Vec<usize> {
        let mut behind = Vec::new();
        let roster = &players.roster;
        let News { players: changed, boards, absent, .. } = news;
        let claims = changed.iter().enumerate().map(|(n, Changed { handle, since, version })| {
            let claim = players.state(*handle).try_lock();
            if claim.as_ref().is_some_and(|state| *version <= state.version) {
                return None;
            }
            // While boards are filled, the entries that are on their way to them are told of in full.
            let mut claim = claim.filter(|state| *since <= state.version && !self.is_filling());
            match &mut claim {
                Some(state) => state.version = *version,
                None => behind.push(n),
            }
            claim
        });
        let mut held: Vec<Option<MutexGuard<'_, State>>> = claims.collect();
        let mut gained = Vec::new();
        for (board, changes) in boards {
            let mut ranks = board.ranks();
            for Change { player, standing } in changes {
                let at = player as usize;
                if held[at].is_some() && board.put_into(&mut ranks, changed[at].handle, Some(standing), roster) {
                    gained.push((player, Arc::clone(&board)));
                }
            }
        }
        gained.sort_by_key(|(player, _)| *player);
        let mut moved: Vec<_> = gained.iter().map(|of| of.0).chain(absent.iter().map(|of| of.0)).collect();
        moved.sort_unstable();
        moved.dedup();
        for player in moved {
            let at = player as usize;
            if let Some(state) = &mut held[at] {
                self.regroup(state, changed[at].handle, of(&gained, player), of(&absent, player), roster);
            }
        }
        behind
    }

    /// Changes the list of boards that a player who is held stands on.
    #[cold]
    fn regroup(
        &self,
        state: &mut State,
        handle: Handle,
        gained: &[(u32, Arc<Board>)],
        absent: &[(u32, BoardKey)],
        roster: &Roster,
    ) {
        let mut boards = state.boards().to_vec();
        boards.retain(|board| {
            let is_absent = absent.iter().any(|(_, key)| *key == board.key);
            // An earlier entry of another sort.
            let goes = is_absent || gained.iter().any(|(_, gained)| gained.key == board.key);
            if goes && !gained.iter().any(|(_, gained)| Arc::ptr_eq(gained, board)) {
                board.put(handle, None, roster);
            }
            !goes
        });
        for (_, board) in gained {
            let at = boards.partition_point(|known| known.key < board.key);
            boards.insert(at, Arc::clone(board));
        }
        state.set_boards(self.lists.intern(boards));
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
