//! The boards there are, and those that were freed.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use dashmap::DashMap;
use parking_lot::{Mutex, MutexGuard, RwLock};

use super::names::Names;
use crate::board::{Handle, Ranks, Sort, Standing};
use crate::error::StoreErrorKind;
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

    /// The same, if nobody else has it.
    pub(super) fn try_ranks(&self) -> Option<MutexGuard<'_, Ranks>> {
        self.ranks.try_lock()
    }

    /// Sets or removes one entry.
    pub(super) fn put(&self, handle: Handle, standing: Option<Standing>, names: &Names) {
        let mut ranks = self.ranks.lock();
        if !self.is_freed() {
            let found = ranks.find(handle);
            ranks.put(handle, found, standing, false, names);
        }
    }

    /// Gives the memory of a freed board back.
    pub(super) fn clear(&self) {
        let ranks = std::mem::replace(&mut *self.ranks.lock(), Ranks::new(self.sort, false));
        drop(ranks);
    }
}

/// Whoever tells of a board that a batch does not know looks it up among all of them, at once with many others, and seldom adds one.
#[derive(Debug, Default)]
pub(super) struct Shelf {
    /// Mostly of one sort.
    boards: DashMap<BoardKey, Vec<Arc<Board>>>,
    /// Held before an entry of `boards` where both are.
    status: RwLock<Status>,
}

/// Which boards are not there, or not to be answered from.
#[derive(Debug, Default)]
struct Status {
    /// Periods of which entries were freed, or left out when they were read. Entries of all others are on their boards.
    freed: BTreeMap<(BoardId, Window), Indexes>,
    /// Boards that were freed and are brought back: not everybody is on them yet.
    coming: HashSet<BoardKey>,
    /// Why none is answered from, if none is.
    closed: Option<StoreErrorKind>,
}

impl Shelf {
    /// How many boards there are of which this holds.
    pub(super) fn count(&self, is_it: impl Fn(&Board) -> bool) -> usize {
        let boards: Vec<_> = self.boards.iter().flat_map(|entry| entry.value().clone()).collect();
        boards.iter().filter(|board| is_it(board)).count()
    }

    pub(super) fn get(&self, key: &BoardKey, sort: Sort) -> Option<Arc<Board>> {
        self.boards.get(key)?.iter().find(|board| board.sort == sort).cloned()
    }

    /// The board to answer from, if somebody stands on it.
    pub(super) fn open(&self, key: &BoardKey, sort: Sort) -> Result<Option<Arc<Board>>, StoreErrorKind> {
        let status = self.status.read();
        match status.closed {
            Some(reason) => Err(reason),
            None if !status.coming.is_empty() && status.coming.contains(key) => Err(StoreErrorKind::Unavailable),
            None => Ok(self.get(key, sort)),
        }
    }

    /// Why none is answered from.
    pub(super) fn closed(&self) -> Option<StoreErrorKind> {
        self.status.read().closed
    }

    /// Answers from none for this reason, or from all again.
    pub(super) fn close(&self, reason: Option<StoreErrorKind>) {
        self.status.write().closed = reason;
    }

    /// Everybody is on the boards that were brought back.
    pub(super) fn are_back(&self) {
        self.status.write().coming.clear();
    }

    /// The board, made now if there is none and it was not freed.
    pub(super) fn make(&self, key: &BoardKey, sort: Sort) -> Option<Arc<Board>> {
        // While it is held nothing is freed.
        let status = self.status.read();
        if status.is_freed(key) {
            return self.get(key, sort);
        }
        let mut boards = self.boards.entry(key.clone()).or_default();
        if let Some(known) = boards.iter().find(|board| board.sort == sort) {
            return Some(Arc::clone(known));
        }
        let board = Arc::new(Board::new(key.clone(), sort));
        boards.push(Arc::clone(&board));
        Some(board)
    }

    /// Takes out the boards that are not to be kept.
    pub(super) fn retain(&self, keep: Keeps<'_>) -> Vec<Arc<Board>> {
        let mut status = self.status.write();
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
            status.note_freed(&board.key);
        }
        let left: Vec<_> = status.coming.extract_if(|key| !keep(key)).collect();
        for key in &left {
            status.note_freed(key);
        }
        freed
    }

    /// Notes that not all entries of a board are on it.
    pub(super) fn note_freed(&self, key: &BoardKey) {
        self.status.write().note_freed(key);
    }

    /// Lets boards be made again that were freed and are to be kept now; whether any are not whole.
    pub(super) fn bring_back(&self, keep: Keeps<'_>) -> bool {
        let Status { freed, coming, .. } = &mut *self.status.write();
        freed.retain(|(board, window), indexes| {
            let key = |index| BoardKey { board: board.clone(), period: Period { window: *window, index } };
            let mut left = Indexes::default();
            for index in indexes.iter() {
                if keep(&key(index)) {
                    coming.insert(key(index));
                } else {
                    left.insert(index);
                }
            }
            *indexes = left;
            !indexes.0.is_empty()
        });
        !coming.is_empty()
    }
}

impl Status {
    fn note_freed(&mut self, key: &BoardKey) {
        self.freed.entry((key.board.clone(), key.period.window)).or_default().insert(key.period.index);
    }

    fn is_freed(&self, key: &BoardKey) -> bool {
        // Nothing was freed in most stores that are small enough for boards to be made often.
        let freed = (!self.freed.is_empty()).then(|| self.freed.get(&(key.board.clone(), key.period.window)));
        freed.flatten().is_some_and(|indexes| indexes.contains(key.period.index))
    }
}

/// Numbers of periods, as ranges from and through: those of years in a row take as much memory as one.
#[derive(Debug, Default)]
struct Indexes(Vec<(i64, i64)>);

impl Indexes {
    fn insert(&mut self, index: i64) {
        let at = self.0.partition_point(|(_, last)| *last < index);
        if self.0.get(at).is_some_and(|(first, _)| *first <= index) {
            return;
        }
        let joins_next = self.0.get(at).is_some_and(|(first, _)| index.checked_add(1) == Some(*first));
        let joins_last = at.checked_sub(1).filter(|before| self.0[*before].1.checked_add(1) == Some(index));
        match (joins_last, joins_next) {
            (Some(before), true) => self.0[before].1 = self.0.remove(at).1,
            (Some(before), false) => self.0[before].1 = index,
            (None, true) => self.0[at].0 = index,
            (None, false) => self.0.insert(at, (index, index)),
        }
    }

    fn contains(&self, index: i64) -> bool {
        let at = self.0.partition_point(|(_, last)| *last < index);
        self.0.get(at).is_some_and(|(first, _)| *first <= index)
    }

    fn iter(&self) -> impl Iterator<Item = i64> {
        self.0.iter().flat_map(|(first, last)| *first..=*last)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn indexes_are_a_set_in_few_ranges() {
        let (mut indexes, mut model, mut random) = (Indexes::default(), BTreeSet::new(), 7_u64);
        for step in 0..3_000 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let near = i64::try_from(random >> 57).unwrap();
            let index = [near, i64::MIN + near % 4, i64::MAX - near % 4][usize::from(step % 20 == 0) * (1 + step % 2)];
            indexes.insert(index);
            model.insert(index);
            assert!(indexes.contains(index) && indexes.iter().eq(model.iter().copied()));
            assert!(indexes.0.is_sorted_by(|a, b| a.1 < b.0 - 1), "apart from each other");
            for index in [-1, 0, 40, 127, 128, i64::MIN, i64::MAX] {
                assert_eq!(indexes.contains(index), model.contains(&index));
            }
        }
        assert!(indexes.0.len() <= 3);
    }
}
