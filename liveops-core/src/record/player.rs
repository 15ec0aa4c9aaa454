//! Everything about one player that a decision needs.

use serde::Serialize;

use super::{BoardKey, Horizon, Paid};
use crate::anomaly::DetectorState;
use crate::board::Standing;
use crate::codec::fields;
use crate::hash::Digest;
use crate::id::Id;
use crate::time::Timestamp;

/// One player's state. Lists are sorted by what names their elements.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Player {
    /// Commands applied so far. It grows with every change set, so it serves as the version, and it does not depend on
    /// how commands were cut into batches. Never restarts, not by `Erase`.
    pub version: u64,
    /// Newest command time taken in.
    pub newest_ts: Timestamp,
    /// Commands no newer than this were erased.
    pub erased_through: Option<Timestamp>,
    /// On no board.
    pub hidden: bool,
    /// Experience, ever.
    pub xp: u64,
    /// Levels up to this one were rewarded.
    pub granted_through: u32,
    /// XP granted by day, for a daily cap; days that no command can reach any more are dropped.
    pub xp_by_day: Vec<(i64, u64)>,
    /// Number of receipts ever.
    pub receipts: u64,
    /// The oldest receipt still kept.
    pub receipts_from: u64,
    /// Hash of the last receipt.
    pub chain_head: Digest,
    /// Rewards that are granted once and were.
    pub marks: Vec<Id>,
    /// Rolls on each loot table.
    pub rolls: Vec<(Id, Rolls)>,
    /// What the detectors have learned.
    pub profile: Vec<Profile>,
    /// Suspicions kept, and when each came in.
    pub suspicions: Vec<(u64, Timestamp)>,
    /// Entries, by board and period.
    #[serde(serialize_with = "standings_as_json")]
    pub standings: Vec<(BoardKey, Standing)>,
    /// Periods the player was paid for.
    #[serde(skip_serializing_if = "Paid::is_empty")]
    pub paid: Paid,
}

/// Where a player stands with one loot table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Rolls {
    /// Rolls ever: the next one's nonce.
    pub count: u64,
    /// Rolls since the pity entry last came.
    pub misses: u32,
}

/// What one detector has learned about one activity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Profile {
    /// Which detector.
    pub detector: Id,
    /// Which activity.
    pub activity: Id,
    /// What it knows.
    #[serde(skip)]
    pub state: DetectorState,
}

impl Player {
    /// The entry in one period of one board.
    pub fn standing(&self, key: &BoardKey) -> Option<Standing> {
        self.standings.binary_search_by(|(known, _)| known.cmp(key)).ok().map(|at| self.standings[at].1)
    }

    /// What a board shows of this player.
    pub fn shown(&self, key: &BoardKey) -> Option<Standing> {
        if self.hidden { None } else { self.standing(key) }
    }

    /// Where the player stands with a loot table.
    pub fn rolls(&self, table: &Id) -> Rolls {
        self.rolls
            .binary_search_by(|(known, _)| known.cmp(table))
            .map_or_else(|_| Rolls::default(), |at| self.rolls[at].1)
    }

    /// Replaces or adds it.
    pub fn set_rolls(&mut self, table: &Id, rolls: Rolls) {
        match self.rolls.binary_search_by(|(known, _)| known.cmp(table)) {
            Ok(at) => self.rolls[at].1 = rolls,
            Err(at) => self.rolls.insert(at, (table.clone(), rolls)),
        }
    }

    /// Where a detector's state for an activity is, or belongs.
    pub fn profile_position(&self, detector: &Id, activity: &Id) -> Result<usize, usize> {
        self.profile.binary_search_by(|known| (&known.detector, &known.activity).cmp(&(detector, activity)))
    }

    /// Whether nothing is left but the mark of an erasure that no acceptable command can precede any more.
    pub fn is_idle_mark(&self, horizon: Horizon) -> bool {
        let Some(through) = self.erased_through.filter(|through| *through < horizon.forgotten_before) else {
            return false;
        };
        *self
            == Self {
                version: self.version,
                erased_through: Some(through),
                newest_ts: self.newest_ts,
                ..Self::default()
            }
    }

    /// Whether nobody is there: never was, or was erased and did not come back.
    pub fn is_gone(&self) -> bool {
        self.version == 0 || self.erased_through.is_some_and(|through| self.newest_ts <= through)
    }

    /// XP granted on one day, as far as it is kept.
    pub fn xp_on(&self, day: i64) -> u64 {
        self.xp_by_day.iter().find(|(known, _)| *known == day).map_or(0, |(_, xp)| *xp)
    }
}

fn standings_as_json<S: serde::Serializer>(standings: &[(BoardKey, Standing)], to: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Entry<'a> {
        #[serde(flatten)]
        key: &'a BoardKey,
        score: i64,
        subscore: i64,
        reached_at: Timestamp,
    }
    to.collect_seq(standings.iter().map(|(key, standing)| Entry {
        key,
        score: standing.score.score,
        subscore: standing.score.subscore,
        reached_at: standing.reached_at,
    }))
}

fields!(Rolls { count, misses });
fields!(Profile { detector, activity, state });
fields!(Player {
    version,
    newest_ts,
    erased_through,
    hidden,
    xp,
    granted_through,
    xp_by_day,
    receipts,
    receipts_from,
    chain_head,
    marks,
    rolls,
    profile,
    suspicions,
    standings,
} later { paid });
