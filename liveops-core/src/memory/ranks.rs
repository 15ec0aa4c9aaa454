//! The boards beside the records: every board in every period that somebody stands on, over one table of players.
//!
//! Locks: the table of players, then one board.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::{Mutex, RwLock};

use super::slot::Slot;
use crate::board::{Handle, Name, Ranking, Roster, Standing, Versioned, View};
use crate::hash::Key;
use crate::id::PlayerId;
use crate::record::{BoardKey, Player};

pub(super) type Board = Arc<Mutex<Versioned>>;

/// What one entry becomes.
#[derive(Clone, Copy, Debug)]
struct Change {
    player: Handle,
    version: u64,
    standing: Option<Standing>,
}

/// What a batch has to tell the boards, by board. It is told after the players' locks are let go, and all that concerns
/// one board at once: a short loop over one board waits for memory several times at once, where a long way through all of
/// a player's boards would wait for each in turn. Versions keep what two threads tell of one player in order.
#[derive(Debug, Default)]
pub(super) struct News {
    boards: Vec<(Board, Vec<Change>)>,
    /// Players stand on the same boards in the same order, so the next board is mostly the one after the last.
    next: usize,
}

impl News {
    fn add(&mut self, board: &Board, change: Change) {
        let is_it = |(known, _): &(Board, Vec<Change>)| Arc::ptr_eq(known, board);
        let at = if self.boards.get(self.next).is_some_and(is_it) {
            self.next
        } else {
            self.boards.iter().position(is_it).unwrap_or_else(|| {
                self.boards.push((Arc::clone(board), Vec::new()));
                self.boards.len() - 1
            })
        };
        self.boards[at].1.push(change);
        self.next = if at + 1 < self.boards.len() { at + 1 } else { 0 };
    }
}

#[derive(Debug)]
pub(super) struct Ranks {
    boards: RwLock<HashMap<BoardKey, Board>>,
    players: RwLock<Roster>,
}

impl Ranks {
    pub(super) fn new(hash_key: Key) -> Self {
        Self { boards: RwLock::default(), players: RwLock::new(Roster::new(hash_key, 0)) }
    }

    pub(super) fn len(&self) -> usize {
        self.boards.read().len()
    }

    pub(super) fn read<T: Default>(&self, key: &BoardKey, ranking: Ranking, read: impl FnOnce(View<'_>) -> T) -> T {
        let Some(board) = self.boards.read().get(key).map(Arc::clone) else { return T::default() };
        let name = Name { board: Some(&key.board), period: Some(key.period), sort: None };
        let players = self.players.read();
        read(board.lock().view(ranking, &players, name))
    }

    pub(super) fn tell(&self, news: News) {
        if news.boards.is_empty() {
            return;
        }
        let players = self.players.read();
        for (board, changes) in news.boards {
            let mut board = board.lock();
            for Change { player, version, standing } in changes {
                board.apply(player, version, standing, &players);
            }
        }
    }

    pub(super) fn retain(&self, keep: &dyn Fn(&BoardKey) -> bool) {
        self.boards.write().retain(|key, board| {
            let kept = keep(key);
            if !kept {
                // Players' slots still point to it.
                board.lock().retire();
            }
            kept
        });
    }

    /// Such players begin again at version 0, which an index must not take for an old one.
    pub(super) fn forget(&self, gone: &[PlayerId]) {
        if gone.is_empty() {
            return;
        }
        let mut players = self.players.write();
        for handle in gone.iter().filter_map(|id| players.find(id.as_bytes())).collect::<Vec<_>>() {
            for board in self.boards.read().values() {
                board.lock().forget(handle, &players);
            }
            players.forget_unused(handle);
        }
    }

    /// Notes what the boards are to be told of the two records' difference, and finds the new entries' boards. Both
    /// lists of standings are sorted, so one walk over both finds what stayed, what came and what went.
    pub(super) fn note(&self, id: &PlayerId, slot: &mut Slot, after: &Player, news: &mut News) {
        let nobody = Player::default();
        let before = slot.player.as_deref().unwrap_or(&nobody);
        let shown = |player: &Player, standing: &Standing| Some(*standing).filter(|_| !player.hidden);
        let same_boards = before.standings.len() == after.standings.len()
            && before.standings.iter().zip(&after.standings).all(|((old, _), (new, _))| old == new);
        if slot.handle.is_none() && !after.standings.is_empty() {
            slot.handle = self.players.write().intern(id);
        }
        // Nobody has 2^32 players in memory.
        let Some(player) = slot.handle else { return };
        let version = after.version;
        let mut tell = |board: &Board, standing| news.add(board, Change { player, version, standing });
        if same_boards {
            for (((_, old), (_, new)), board) in before.standings.iter().zip(&after.standings).zip(&slot.boards) {
                if shown(before, old) != shown(after, new) {
                    tell(board, shown(after, new));
                }
            }
            return;
        }
        let mut boards = Vec::with_capacity(after.standings.len());
        let mut old = before.standings.iter().zip(slot.boards.drain(..)).peekable();
        for (key, standing) in &after.standings {
            while let Some((_, board)) = old.next_if(|((known, _), _)| known < key) {
                tell(&board, None);
            }
            let known = old.next_if(|((known, _), _)| known == key);
            let told = known.as_ref().and_then(|((_, standing), _)| shown(before, standing));
            let board = known.map_or_else(|| self.board(key), |(_, board)| board);
            if told != shown(after, standing) {
                tell(&board, shown(after, standing));
            }
            boards.push(board);
        }
        old.for_each(|(_, board)| tell(&board, None));
        slot.boards = boards;
    }

    fn board(&self, key: &BoardKey) -> Board {
        let known = self.boards.read().get(key).map(Arc::clone);
        known.unwrap_or_else(|| Arc::clone(self.boards.write().entry(key.clone()).or_default()))
    }
}
