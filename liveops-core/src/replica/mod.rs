//! Boards in memory, told what the records say: every board in every period that somebody stands on, over one table of players.
//!
//! A store that keeps its boards itself has a [`Replica`] and [tells](Replica::tell) it what it committed; a process beside a
//! far store has one that [follows](Replica::follow) the store's feed. Either may be told the same twice, or old news late: of
//! each player it knows the version last told.
//!
//! Locks, in the order they are taken: one fill at a time, where a feed is followed, the table of players, one player, the
//! list of boards, one board, what is noted while boards are filled. Whoever tells of several players waits for no second one: a
//! player who is busy is told of after the others are let go.

#![expect(clippy::cast_possible_truncation, reason = "a batch and memory have fewer than 2^32 players")]

mod arena;
mod fill;
mod follow;
mod gates;
mod names;
mod player;
mod read;
mod shelf;
mod tail;
mod tell;
mod turn;

use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::{Mutex, RwLock};

pub(crate) use self::fill::Entry;
use self::fill::Filling;
use self::follow::Followed;
use self::gates::Gates;
pub(crate) use self::gates::Telling;
use self::player::{Lists, Players};
use self::shelf::{Board, Shelf};
use self::tail::Tailed;
pub(crate) use self::tell::News;
use self::turn::Turns;
use crate::board::Sort;
use crate::error::StoreErrorKind;
use crate::hash;
use crate::record::BoardKey;
use crate::record::Horizon;
pub use crate::record::Told;
use crate::store::Keeps;
pub use crate::store::Lag;

/// The boards of a game in memory. Ranks are exact.
///
/// ```
/// use liveops_core::board::{Ranking, Sort, Standing};
/// use liveops_core::record::{BoardKey, Told};
/// use liveops_core::store::{BoardAnswer, BoardRead, Reading};
/// use liveops_core::window::{Period, Window};
/// use liveops_core::{BoardId, PlayerId, Replica};
///
/// let replica = Replica::default();
/// let key = BoardKey { board: BoardId::new("xp")?, period: Period { window: Window::AllTime, index: 0 } };
/// let ana = PlayerId::new("ana")?;
/// let stands = |version, score: i64| Told::Stands {
///     player: ana.clone(),
///     version,
///     shown: vec![(key.clone(), Standing { score: score.into(), ..Standing::default() })],
/// };
/// replica.tell([stands(2, 120), stands(1, 90)]); // the second is older than what is there
///
/// let len = BoardRead { key: key.clone(), sort: Sort::default(), ranking: Ranking::Ordinal, what: Reading::CountAbove { score: 100 } };
/// assert_eq!(replica.read(&[len])[0].as_ref().unwrap(), &BoardAnswer::Count(1));
/// # Ok::<(), liveops_core::Error>(())
/// ```
#[derive(Debug)]
pub struct Replica {
    shelf: Shelf,
    players: Players,
    gates: Gates,
    lists: Lists,
    followed: Mutex<Followed>,
    tailed: Mutex<Tailed>,
    horizon: RwLock<Horizon>,
    /// Whether the records were read through, and no news of them were missed since.
    is_whole: AtomicBool,
    /// One at a time.
    fills: Turns,
    /// One at a time, of those who follow a far store.
    follows: Turns,
    filling: Mutex<Filling>,
    /// Whether one is under way; [`Self::filling`] is for then.
    is_filling: AtomicBool,
}

/// With a key that nobody can guess; nothing that is answered depends on it.
impl Default for Replica {
    fn default() -> Self {
        let random = RandomState::new();
        let mut hash_key = [0; 16];
        for (half, bytes) in (0_u8..).zip(hash_key.chunks_mut(8)) {
            bytes.copy_from_slice(&random.hash_one(half).to_ne_bytes());
        }
        Self::new(hash_key)
    }
}

impl Replica {
    /// Empty boards. A key that players cannot guess keeps them from crafting ids that collide.
    pub fn new(hash_key: hash::Key) -> Self {
        Self {
            shelf: Shelf::default(),
            players: Players::new(hash_key),
            gates: Gates::default(),
            lists: Lists::default(),
            followed: Mutex::default(),
            tailed: Mutex::default(),
            horizon: RwLock::default(),
            is_whole: AtomicBool::new(false),
            fills: Turns::default(),
            follows: Turns::default(),
            filling: Mutex::default(),
            is_filling: AtomicBool::new(false),
        }
    }

    /// The same beside a store that is [followed from afar](Self::follow_tail): every read is `store_unavailable` until it has
    /// [joined](Self::join_tail).
    pub fn unjoined(hash_key: hash::Key) -> Self {
        let replica = Self::new(hash_key);
        replica.shelf.close(Some(StoreErrorKind::Unavailable));
        replica
    }

    /// How many boards somebody stands on, each in each period.
    pub fn len(&self) -> usize {
        self.shelf.count(|board| !board.is_empty())
    }

    /// Whether nobody stands on any.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The newest horizon that was told of: by a store that [advanced](Self::advanced), or by what is followed.
    pub fn horizon(&self) -> Horizon {
        *self.horizon.read()
    }

    /// The store is at least this far.
    pub fn advanced(&self, horizon: Horizon) {
        let mut newest = self.horizon.write();
        *newest = newest.max(horizon);
    }

    /// The store was taken back to this.
    pub(crate) fn turned_back(&self, horizon: Horizon) {
        *self.horizon.write() = horizon;
    }

    /// Frees the boards that are not to be kept. What is told of them from now on changes nothing, until [`Self::rebuild`]
    /// finds that they are kept again.
    pub fn retain(&self, keep: Keeps<'_>) {
        // Memory is given back once others may go on.
        let freed = self.shelf.retain(keep);
        for board in freed {
            board.clear();
        }
        self.lists.purge();
    }

    /// The board, made now if there is none; `None` if it was freed.
    fn board(&self, key: &BoardKey, sort: Sort) -> Option<Arc<Board>> {
        self.shelf.get(key, sort).or_else(|| self.shelf.make(key, sort))
    }

    fn is_filling(&self) -> bool {
        self.is_filling.load(Ordering::SeqCst)
    }
}

#[cfg(test)]
mod tests;
