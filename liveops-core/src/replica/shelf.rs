//! The boards there are, and those that were freed.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::{Mutex, MutexGuard};

use crate::board::{Found, Handle, Ranks, Roster, Sort, Standing};
use crate::id::BoardId;
use crate::record::BoardKey;
use crate::store::Keeps;
use crate::window::{Period, Window};

/// Entries of one sort, on one board in one period. Those of another sort were made by an earlier board of that name, and are
/// on another one.
#[derive(Debug)]
pub(super) struct Board {
    pub(super) key: BoardKey,
    pub(super) sort: Sort,
    /// For good: whoever still tells this board something tells nobody.
    freed: AtomicBool,
    ranks: Mutex<Ranks>,
}

impl Board {
    fn new(key: BoardKey, sort: Sort) -> Self {
        Self { key, sort, freed: AtomicBool::new(false), ranks: Mutex::new(Ranks::new(sort, false)) }
    }

    /// Whether entries of that sort under that key stand here.
    #[inline]
    pub(super) fn takes(&self, key: &BoardKey, sort: Sort) -> bool {
        self.sort == sort && self.key == *key && !self.is_freed()
    }

    pub(super) fn is_freed(&self) -> bool {
        self.freed.load(Ordering::Acquire)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.ranks.lock().entries() == 0
    }

    pub(super) fn ranks(&self) -> MutexGuard<'_, Ranks> {
        self.ranks.lock()
    }

    /// Sets or removes one entry; whether it was not there before.
    pub(super) fn put(&self, handle: Handle, standing: Option<Standing>, roster: &Roster) -> bool {
        self.put_into(&mut self.ranks.lock(), handle, standing, roster)
    }

    /// The same under the lock that the caller has.
    #[inline]
    pub(super) fn put_into(
        &self,
        ranks: &mut Ranks,
        handle: Handle,
        standing: Option<Standing>,
        roster: &Roster,
    ) -> bool {
        if self.is_freed() {
            return false;
        }
        let found = ranks.find(handle);
        ranks.put(handle, found, standing, false, roster);
        matches!(found, Found::Nowhere) && standing.is_some()
    }

    /// Gives the memory of a freed board back.
    pub(super) fn clear(&self) {
        let ranks = std::mem::replace(&mut *self.ranks.lock(), Ranks::new(self.sort, false));
        drop(ranks);
    }
}

#[derive(Debug, Default)]
pub(super) struct Shelf {
    /// Mostly of one sort.
    boards: HashMap<BoardKey, Vec<Arc<Board>>>,
    /// Periods from and through which a board's entries were freed, or left out when they were read. Entries of all others are
    /// on their boards.
    freed: BTreeMap<(BoardId, Window), (i64, i64)>,
}

impl Shelf {
    pub(super) fn boards(&self) -> impl Iterator<Item = &Arc<Board>> {
        self.boards.values().flatten()
    }

    pub(super) fn get(&self, key: &BoardKey, sort: Sort) -> Option<&Arc<Board>> {
        self.boards.get(key)?.iter().find(|board| board.sort == sort)
    }

    /// The board, made now if there is none and it was not freed.
    pub(super) fn make(&mut self, key: &BoardKey, sort: Sort) -> Option<Arc<Board>> {
        if let Some(known) = self.get(key, sort) {
            return Some(Arc::clone(known));
        }
        if self.is_freed(key) {
            return None;
        }
        let board = Arc::new(Board::new(key.clone(), sort));
        self.boards.entry(key.clone()).or_default().push(Arc::clone(&board));
        Some(board)
    }

    /// Takes out the boards that are not to be kept.
    pub(super) fn retain(&mut self, keep: Keeps<'_>) -> Vec<Arc<Board>> {
        let mut freed = Vec::new();
        self.boards.retain(|key, boards| {
            let kept = keep(key);
            if !kept {
                freed.append(boards);
            }
            kept
        });
        for board in &freed {
            board.freed.store(true, Ordering::Release);
            self.note_freed(&board.key);
        }
        freed
    }

    /// Notes that not all entries of a board are on it.
    pub(super) fn note_freed(&mut self, key: &BoardKey) {
        let index = key.period.index;
        let (first, last) = self.freed.entry((key.board.clone(), key.period.window)).or_insert((index, index));
        (*first, *last) = (index.min(*first), index.max(*last));
    }

    fn is_freed(&self, key: &BoardKey) -> bool {
        // Nothing was freed in most stores that are small enough for boards to be made often.
        let freed = (!self.freed.is_empty()).then(|| self.freed.get(&(key.board.clone(), key.period.window)));
        freed.flatten().is_some_and(|(first, last)| (*first..=*last).contains(&key.period.index))
    }

    /// Lets boards be made again that were freed and are to be kept now; whether there are any.
    pub(super) fn bring_back(&mut self, keep: Keeps<'_>) -> bool {
        let mut is_any = false;
        self.freed.retain(|(board, window), range| {
            let mut left: Option<(i64, i64)> = None;
            for index in range.0..=range.1 {
                if keep(&BoardKey { board: board.clone(), period: Period { window: *window, index } }) {
                    is_any = true;
                } else {
                    left = Some((left.map_or(index, |(first, _)| first), index));
                }
            }
            *range = left.unwrap_or(*range);
            left.is_some()
        });
        is_any
    }
}
