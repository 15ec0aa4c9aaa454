//! The boards beside the records: every board in every period that somebody stands on.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::{Mutex, RwLock};

use super::slot::Slot;
use crate::board::{Change, Index, Standing};
use crate::hash::Key;
use crate::id::PlayerId;
use crate::record::{BoardKey, Player};

type Board = Arc<Mutex<Index>>;

/// One entry on one board, found without looking it up.
#[derive(Clone, Debug)]
pub(super) struct Place {
    board: Board,
    slot: usize,
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
    fn add(&mut self, place: &Place, version: u64, standing: Option<Standing>) {
        let is_it = |(board, _): &(Board, Vec<Change>)| Arc::ptr_eq(board, &place.board);
        let at = if self.boards.get(self.next).is_some_and(is_it) {
            self.next
        } else {
            self.boards.iter().position(is_it).unwrap_or_else(|| {
                self.boards.push((Arc::clone(&place.board), Vec::new()));
                self.boards.len() - 1
            })
        };
        self.boards[at].1.push(Change { slot: place.slot, version, standing });
        self.next = if at + 1 < self.boards.len() { at + 1 } else { 0 };
    }

    pub(super) fn tell(self) {
        for (board, changes) in self.boards {
            board.lock().apply_all(&changes);
        }
    }
}

#[derive(Debug)]
pub(super) struct Ranks {
    boards: RwLock<HashMap<BoardKey, Board>>,
    hash_key: Key,
}

impl Ranks {
    pub(super) fn new(hash_key: Key) -> Self {
        Self { boards: RwLock::default(), hash_key }
    }

    pub(super) fn len(&self) -> usize {
        self.boards.read().len()
    }

    pub(super) fn read<T: Default>(&self, key: &BoardKey, read: impl FnOnce(&Index) -> T) -> T {
        let board = self.boards.read().get(key).map(Arc::clone);
        board.map_or_else(T::default, |board| read(&board.lock()))
    }

    pub(super) fn retain(&self, keep: &dyn Fn(&BoardKey) -> bool) {
        self.boards.write().retain(|key, board| {
            let kept = keep(key);
            if !kept {
                board.lock().clear();
            }
            kept
        });
    }

    /// Such players begin again at version 0, which an index must not take for an old one.
    pub(super) fn forget(&self, gone: &[PlayerId]) {
        for board in self.boards.read().values().filter(|_| !gone.is_empty()) {
            let mut board = board.lock();
            for id in gone {
                board.forget(id);
            }
        }
    }

    /// Notes what the boards are to be told of the two records' difference, and finds the new entries' places. Both
    /// lists of standings are sorted, so one walk over both finds what stayed, what came and what went.
    pub(super) fn note(&self, id: &PlayerId, slot: &mut Slot, after: &Player, news: &mut News) {
        let nobody = Player::default();
        let before = slot.player.as_deref().unwrap_or(&nobody);
        let shown = |player: &Player, standing: &Standing| Some(*standing).filter(|_| !player.hidden);
        let same_boards = before.standings.len() == after.standings.len()
            && before.standings.iter().zip(&after.standings).all(|((old, _), (new, _))| old == new);
        if same_boards {
            for (((_, old), (_, new)), place) in before.standings.iter().zip(&after.standings).zip(&slot.places) {
                if shown(before, old) != shown(after, new) {
                    news.add(place, after.version, shown(after, new));
                }
            }
            return;
        }
        let mut places = Vec::with_capacity(after.standings.len());
        let mut old = before.standings.iter().zip(slot.places.drain(..)).peekable();
        for (key, standing) in &after.standings {
            while let Some((_, place)) = old.next_if(|((known, _), _)| known < key) {
                news.add(&place, after.version, None);
            }
            let known = old.next_if(|((known, _), _)| known == key);
            let told = known.as_ref().and_then(|((_, standing), _)| shown(before, standing));
            let place = known.map_or_else(|| self.place(key, id), |(_, place)| place);
            if told != shown(after, standing) {
                news.add(&place, after.version, shown(after, standing));
            }
            places.push(place);
        }
        old.for_each(|(_, place)| news.add(&place, after.version, None));
        slot.places = places;
    }

    fn place(&self, key: &BoardKey, id: &PlayerId) -> Place {
        let known = self.boards.read().get(key).map(Arc::clone);
        let board = known.unwrap_or_else(|| {
            let new = || Arc::new(Mutex::new(Index::new(self.hash_key)));
            Arc::clone(self.boards.write().entry(key.clone()).or_insert_with(new))
        });
        let slot = board.lock().slot(id);
        Place { board, slot }
    }
}
