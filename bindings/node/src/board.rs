//! Boards used alone. In JavaScript a score stays within ±(2^53 - 1), which a number holds exactly.

use std::hash::{BuildHasher as _, RandomState};

use liveops_core::board::{Entry, Operator, Order, Ranking, Score, Ties};
use liveops_core::limits::INTEGER_MAX;
use liveops_core::{Code, Period, Timestamp};
use napi_derive::napi;
use serde_json::json;

use crate::engine::Stretch;
use crate::failure::{OrThrow as _, Result, text};
use crate::rules::integer;
use crate::window::{Calendar, window_of};

/// How a board sorts and counts.
#[napi(object)]
#[derive(Debug)]
pub struct BoardOptions {
    /// `desc` or `asc`.
    pub order: String,
    /// `incr`, `best`, `set` or `decr`.
    pub operator: String,
    /// `firstToReach`, `lastToReach` or `ownerId`.
    pub ties: String,
    /// `ordinal`, `competition` or `dense`.
    pub ranking: String,
}

/// The same, read.
#[derive(Clone, Copy, Debug)]
struct Ways {
    order: Order,
    operator: Operator,
    ties: Ties,
    ranking: Ranking,
}

impl BoardOptions {
    fn read(&self) -> Result<Ways> {
        let ways = || {
            Some(Ways {
                order: match self.order.as_str() {
                    "desc" => Order::Desc,
                    "asc" => Order::Asc,
                    _ => return None,
                },
                operator: match self.operator.as_str() {
                    "incr" => Operator::Incr,
                    "best" => Operator::Best,
                    "set" => Operator::Set,
                    "decr" => Operator::Decr,
                    _ => return None,
                },
                ties: match self.ties.as_str() {
                    "firstToReach" => Ties::FirstToReach,
                    "lastToReach" => Ties::LastToReach,
                    "ownerId" => Ties::OwnerId,
                    _ => return None,
                },
                ranking: match self.ranking.as_str() {
                    "ordinal" => Ranking::Ordinal,
                    "competition" => Ranking::Competition,
                    "dense" => Ranking::Dense,
                    _ => return None,
                },
            })
        };
        ways().ok_or(Code::InvalidArgument).or_throw()
    }
}

impl Ways {
    /// Refuses a value that would take a score beyond what JavaScript can say.
    fn check(self, before: Option<Score>, value: Score) -> Result<()> {
        let before = before.unwrap_or_default();
        let after = |before: i64, value: i64| match self.operator {
            Operator::Incr => before.checked_add(value),
            Operator::Decr => before.checked_sub(value),
            _ => Some(value),
        };
        let fits = |before, value| after(before, value).is_some_and(|sum| sum.unsigned_abs() <= INTEGER_MAX as u64);
        let fit = fits(before.score, value.score) && fits(before.subscore, value.subscore);
        if fit { Ok(()) } else { Err(Code::ScoreOverflow).or_throw() }
    }
}

/// One ranked set.
#[napi]
#[derive(Debug)]
pub struct Leaderboard {
    ways: Ways,
    board: liveops_core::board::Leaderboard,
}

#[napi]
impl Leaderboard {
    /// An empty board.
    #[napi(constructor)]
    pub fn new(options: BoardOptions) -> Result<Self> {
        let ways = options.read()?;
        let board = liveops_core::board::Leaderboard::new(ways.order, ways.operator);
        Ok(Self { ways, board: board.ties(ways.ties).ranking(ways.ranking).hash_key(hash_key()) })
    }

    /// Takes one value; the standing as JSON.
    #[napi]
    pub fn submit(&mut self, owner: String, score: i64, subscore: i64, at: Option<i64>) -> Result<String> {
        let value = Score { score, subscore };
        self.ways.check(self.board.score(&owner), value)?;
        let Entry { score, subscore, reached_at } = match at {
            Some(at) => self.board.submit_at(&owner, value, Timestamp::from_unix_millis(at)),
            None => self.board.submit(&owner, value),
        }
        .or_throw()?;
        Ok(json!({ "score": score, "subscore": subscore, "reachedAt": reached_at }).to_string())
    }

    /// Removes an owner.
    #[napi]
    pub fn remove(&mut self, owner: String) -> bool {
        self.board.remove(&owner)
    }

    /// Takes an owner off the board without forgetting the entry.
    #[napi]
    pub fn hide(&mut self, owner: String) -> bool {
        self.board.hide(&owner)
    }

    /// Shows an owner again.
    #[napi]
    pub fn unhide(&mut self, owner: String) -> bool {
        self.board.unhide(&owner)
    }

    /// Score and subscore as JSON.
    #[napi]
    pub fn score(&self, owner: String) -> Option<String> {
        let told = |Score { score, subscore }| json!({ "score": score, "subscore": subscore }).to_string();
        self.board.score(&owner).map(told)
    }

    /// Rank from 1.
    #[napi]
    pub fn rank(&self, owner: String) -> Option<i64> {
        self.board.rank(&owner).map(integer)
    }

    /// Rows as JSON.
    #[napi]
    pub fn page(&self, stretch: Stretch) -> Result<String> {
        text(&self.board.page(stretch.offset as usize, stretch.limit as usize))
    }

    /// Rows around an owner as JSON.
    #[napi]
    pub fn around(&self, owner: String, each_side: u32) -> Result<String> {
        text(&self.board.around_owner(&owner, each_side as usize))
    }

    /// Rows of some owners as JSON.
    #[napi]
    pub fn by_owners(&self, owners: Vec<String>) -> Result<String> {
        text(&self.board.by_owners(owners.iter().map(String::as_str)))
    }

    /// How many are strictly better than a score.
    #[napi]
    pub fn count_above(&self, score: i64) -> i64 {
        integer(self.board.count_above(score))
    }

    /// How many are shown.
    #[napi(getter)]
    pub fn length(&self) -> i64 {
        integer(self.board.len())
    }
}

/// One ranked set for each period of each window.
#[napi]
#[derive(Debug)]
pub struct WindowedLeaderboard {
    ways: Ways,
    windows: Vec<liveops_core::Window>,
    board: liveops_core::board::WindowedLeaderboard,
}

#[napi]
impl WindowedLeaderboard {
    /// An empty board by a calendar.
    #[napi(constructor)]
    pub fn new(options: BoardOptions, calendar: &Calendar, windows: Vec<String>, keep: Vec<u32>) -> Result<Self> {
        let ways = options.read()?;
        let calendar = calendar.calendar.clone();
        let board = liveops_core::board::WindowedLeaderboard::new(ways.order, ways.operator, calendar);
        let mut board = board.ties(ways.ties).ranking(ways.ranking);
        let windows = windows.iter().map(|name| window_of(name)).collect::<Result<Vec<_>>>()?;
        for (window, keep) in windows.iter().zip(keep) {
            board = board.window(*window, keep);
        }
        Ok(Self { ways, windows, board })
    }

    /// Takes one value into every window or into none; the periods it was too late for, as JSON.
    #[napi]
    pub fn submit(&mut self, owner: String, score: i64, subscore: i64, ts: i64, now: i64) -> Result<String> {
        let value = Score { score, subscore };
        let [ts, now] = [ts, now].map(Timestamp::from_unix_millis);
        for window in &self.windows {
            if let Ok(period) = self.board.current(*window, ts) {
                self.ways.check(self.board.score(period, &owner), value)?;
            }
        }
        text(&self.board.submit(&owner, value, ts, now).or_throw()?)
    }

    /// Rows of the current period as JSON.
    #[napi]
    pub fn top(&self, window: String, limit: u32, now: i64) -> Result<String> {
        let now = Timestamp::from_unix_millis(now);
        text(&self.board.top(window_of(&window)?, limit as usize, now).or_throw()?)
    }

    /// Rows of a period as JSON.
    #[napi]
    pub fn page(&self, window: String, index: i64, stretch: Stretch, now: i64) -> Result<String> {
        let period = Period { window: window_of(&window)?, index };
        let (offset, limit) = (stretch.offset as usize, stretch.limit as usize);
        text(&self.board.page(period, offset, limit, Timestamp::from_unix_millis(now)).or_throw()?)
    }

    /// Rank in the current period.
    #[napi]
    pub fn rank(&self, window: String, owner: String, now: i64) -> Result<Option<i64>> {
        let rank = self.board.rank(window_of(&window)?, &owner, Timestamp::from_unix_millis(now)).or_throw()?;
        Ok(rank.map(integer))
    }

    /// The current period as JSON.
    #[napi]
    pub fn current(&self, window: String, now: i64) -> Result<String> {
        text(&self.board.current(window_of(&window)?, Timestamp::from_unix_millis(now)).or_throw()?)
    }

    /// Forgets periods that are dropped.
    #[napi]
    pub fn advance(&mut self, now: i64) {
        self.board.advance(Timestamp::from_unix_millis(now));
    }
}

/// A key that owners cannot guess; nothing that is answered depends on it.
fn hash_key() -> [u8; 16] {
    let random = RandomState::new();
    let mut key = [0; 16];
    for (half, bytes) in (0_u8..).zip(key.chunks_mut(8)) {
        bytes.copy_from_slice(&random.hash_one(half).to_ne_bytes());
    }
    key
}
