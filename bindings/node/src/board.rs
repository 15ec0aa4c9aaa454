//! A board used alone.

use std::hash::{BuildHasher as _, RandomState};

use liveops_core::board::{Entry, Operator, Order, Ranking, Score, Settings, Sort, Ties};
use liveops_core::{BoardId, Code, Timestamp};
use napi::Env;
use napi::bindgen_prelude::{Float64Array, Uint8Array};
use napi_derive::napi;
use serde_json::json;

use crate::failure::{OrThrow as _, Result};
use crate::memory::tell;
use crate::payout::{TierOptions, awarded, tiers};
use crate::rows::{Rows, cursor, exact, page, rows, whole};
use crate::rules::integer;

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
    /// By which cursors and snapshots know the board.
    pub name: Option<String>,
    /// Owners to have memory for at once.
    pub capacity: u32,
}

impl BoardOptions {
    pub(crate) fn read(&self) -> Result<Settings> {
        let settings = || {
            Some(Settings {
                operator: match self.operator.as_str() {
                    "incr" => Operator::Incr,
                    "best" => Operator::Best,
                    "set" => Operator::Set,
                    "decr" => Operator::Decr,
                    _ => return None,
                },
                sort: Sort {
                    order: match self.order.as_str() {
                        "desc" => Order::Desc,
                        "asc" => Order::Asc,
                        _ => return None,
                    },
                    ties: match self.ties.as_str() {
                        "firstToReach" => Ties::FirstToReach,
                        "lastToReach" => Ties::LastToReach,
                        "ownerId" => Ties::OwnerId,
                        _ => return None,
                    },
                },
                ranking: match self.ranking.as_str() {
                    "ordinal" => Ranking::Ordinal,
                    "competition" => Ranking::Competition,
                    "dense" => Ranking::Dense,
                    _ => return None,
                },
                name: None,
            })
        };
        let settings = settings().ok_or(Code::InvalidArgument).or_throw()?;
        let name = self.name.as_deref().map(BoardId::new).transpose().or_throw()?;
        Ok(Settings { name, ..settings })
    }
}

/// Many values for one board: owners one a line, and numbers that `lib/arguments.js` found to be whole.
#[derive(Debug)]
pub(crate) struct Batch<'b>(Vec<(&'b str, Score)>);

impl<'b> Batch<'b> {
    pub(crate) fn new(owners: &'b str, scores: &[f64], subscores: Option<&[f64]>) -> Self {
        let score = |at: usize, score: &f64| Score {
            score: whole(*score),
            subscore: subscores.and_then(|subscores| subscores.get(at)).map_or(0, |subscore| whole(*subscore)),
        };
        let pair = |(at, (owner, value)): (usize, (&'b str, &f64))| (owner, score(at, value));
        Self(owners.split('\n').zip(scores).enumerate().map(pair).collect())
    }

    pub(crate) fn values(&self) -> &[(&'b str, Score)] {
        &self.0
    }
}

/// One ranked set.
#[napi]
#[derive(Debug)]
pub struct Leaderboard(pub(crate) liveops_core::board::Leaderboard);

/// An empty board of these settings, with a hash key that nobody knows.
fn empty(settings: &Settings, capacity: u32) -> liveops_core::board::Leaderboard {
    let board = liveops_core::board::Leaderboard::new(settings.sort.order, settings.operator);
    let board = board.ties(settings.sort.ties).ranking(settings.ranking);
    let board = settings.name.iter().fold(board, |board, name| board.named(name.clone()));
    // Last, since all else starts an empty board without room.
    board.hash_key(hash_key()).with_capacity(capacity as usize)
}

#[napi]
impl Leaderboard {
    /// An empty board.
    #[napi(constructor)]
    pub fn new(options: BoardOptions) -> Result<Self> {
        Ok(Self(empty(&options.read()?, options.capacity)))
    }

    /// Lets go of what it holds.
    #[napi]
    pub fn close(&mut self) {
        self.0 = liveops_core::board::Leaderboard::new(Order::Desc, Operator::Incr);
    }

    /// The board of a snapshot.
    #[napi(factory)]
    pub fn restore(bytes: &[u8]) -> Result<Self> {
        liveops_core::board::Leaderboard::restore_keyed(bytes, hash_key()).map(Self).or_throw()
    }

    /// The whole board as bytes.
    #[napi]
    pub fn snapshot(&self) -> Uint8Array {
        Uint8Array::from(self.0.snapshot())
    }

    /// The name, if it has one.
    #[napi(getter)]
    pub fn name(&self) -> Option<String> {
        self.0.settings().name.as_ref().map(ToString::to_string)
    }

    /// Takes one value; the standing as JSON.
    #[napi]
    pub fn submit(&mut self, env: &Env, owner: String, score: i64, subscore: i64, at: Option<i64>) -> Result<String> {
        let value = Score { score, subscore };
        let Entry { score, subscore, reached_at } = match at {
            Some(at) => self.0.submit_at(&owner, value, Timestamp::from_unix_millis(at)),
            None => self.0.submit(&owner, value),
        }
        .or_throw()?;
        tell(env)?;
        Ok(json!({ "score": score, "subscore": subscore, "reachedAt": reached_at }).to_string())
    }

    /// Takes many values, or none.
    #[napi]
    pub fn submit_batch(
        &mut self,
        env: &Env,
        owners: String,
        scores: Float64Array,
        subscores: Option<Float64Array>,
    ) -> Result<()> {
        let batch = Batch::new(&owners, &scores, subscores.as_deref());
        self.0.submit_batch(batch.values()).or_throw()?;
        tell(env)
    }

    /// Removes an owner.
    #[napi]
    pub fn remove(&mut self, owner: String) -> bool {
        self.0.remove(&owner)
    }

    /// Takes an owner off the board without forgetting the entry.
    #[napi]
    pub fn hide(&mut self, owner: String) -> bool {
        self.0.hide(&owner)
    }

    /// Shows an owner again.
    #[napi]
    pub fn unhide(&mut self, owner: String) -> bool {
        self.0.unhide(&owner)
    }

    /// Score and subscore.
    #[napi]
    pub fn score(&self, owner: String) -> Result<Option<Vec<f64>>> {
        pair(self.0.score(&owner))
    }

    /// Rank from 1.
    #[napi]
    pub fn rank(&self, owner: String) -> Option<i64> {
        self.0.rank(&owner).map(integer)
    }

    /// Some rows.
    #[napi]
    pub fn page(&self, offset: u32, limit: u32) -> Result<Rows> {
        rows(&self.0.page(offset as usize, limit as usize))
    }

    /// Rows behind a cursor.
    #[napi]
    pub fn page_after(&self, after: Option<String>, limit: u32) -> Result<Rows> {
        page(&self.0.page_after(cursor(after)?.as_ref(), limit as usize).or_throw()?)
    }

    /// Rows around an owner.
    #[napi]
    pub fn around(&self, owner: String, each_side: u32) -> Result<Rows> {
        rows(&self.0.around_owner(&owner, each_side as usize))
    }

    /// Rows of some owners.
    #[napi]
    pub fn by_owners(&self, owners: Vec<String>) -> Result<Rows> {
        rows(&self.0.by_owners(owners.iter().map(String::as_str)))
    }

    /// Rows with a score from one through another.
    #[napi]
    pub fn by_score_range(&self, least: i64, most: i64, offset: u32, limit: u32) -> Result<Rows> {
        rows(&self.0.by_score_range(least..=most, offset as usize, limit as usize))
    }

    /// How many are strictly better than a score.
    #[napi]
    pub fn count_above(&self, score: i64) -> i64 {
        integer(self.0.count_above(score))
    }

    /// How many of the others an owner is ahead of, in hundredths of a percent.
    #[napi]
    pub fn percentile(&self, owner: String) -> Option<u32> {
        self.0.percentile(&owner)
    }

    /// Who gets what, as JSON.
    #[napi]
    pub fn awards(&self, given: Vec<TierOptions>) -> Result<String> {
        let tiers = tiers(given)?;
        awarded(&liveops_core::board::awards(&self.0.page(0, usize::MAX), &tiers))
    }

    /// How many are shown.
    #[napi(getter)]
    pub fn length(&self) -> i64 {
        integer(self.0.len())
    }
}

/// Score and subscore as two numbers.
pub(crate) fn pair(score: Option<Score>) -> Result<Option<Vec<f64>>> {
    score.map(|Score { score, subscore }| [score, subscore].into_iter().map(exact).collect()).transpose()
}

/// A key that owners cannot guess; nothing that is answered depends on it.
pub(crate) fn hash_key() -> [u8; 16] {
    let random = RandomState::new();
    let mut key = [0; 16];
    for (half, bytes) in (0_u8..).zip(key.chunks_mut(8)) {
        bytes.copy_from_slice(&random.hash_one(half).to_ne_bytes());
    }
    key
}
