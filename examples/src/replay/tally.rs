//! What came out of a run, counted.

use std::collections::{BTreeMap, BTreeSet};

use liveops_core::reward::Scope;
use liveops_core::{BoardId, Code, Effect, Outcome, Period, PlayerId, Timestamp};

/// Counts of one run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Lines read, broken ones too.
    pub lines: u64,
    /// Lines that are no request.
    pub broken: u64,
    /// Lines before the place where an earlier run was interrupted.
    pub resumed: u64,
    /// Requests by the code of their outcome.
    pub outcomes: BTreeMap<&'static str, u64>,
    /// Rewards granted in this run, by name.
    pub rewards: BTreeMap<String, Prize>,
    /// XP granted.
    pub xp_granted: u64,
    /// XP that boosts added to what was asked for.
    pub xp_boosted: i64,
    /// XP that the daily cap withheld.
    pub xp_over_cap: u64,
    /// Applied events that raised a player by more than one rewarded level.
    pub jumps: u64,
    /// Applied events that came too late for a period.
    pub late: u64,
    /// Periods that closed, in order.
    pub closings: Vec<Closing>,
    /// Receive time of the first request.
    pub first: Option<Timestamp>,
    /// The latest receive time.
    pub last: Option<Timestamp>,
}

/// A period that closed, seen at the next advance, while it is kept for certain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closing {
    /// When, grace included.
    pub at: Timestamp,
    /// Which.
    pub period: Period,
    /// Who was first on each board: board, player, score.
    pub winners: Vec<(BoardId, PlayerId, i64)>,
}

/// How often a reward was granted, and what came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Prize {
    /// How often.
    pub times: u64,
    /// Amounts by `kind id`.
    pub items: BTreeMap<(String, String), i64>,
}

impl Tally {
    pub(super) fn saw(&mut self, now: Timestamp) {
        self.first.get_or_insert(now);
        self.last = self.last.max(Some(now));
    }

    pub(super) fn refused(&mut self, code: Code) {
        *self.outcomes.entry(code.as_str()).or_default() += 1;
    }

    pub(super) fn count(&mut self, outcome: &Outcome) {
        *self.outcomes.entry(outcome.code()).or_default() += 1;
        if let Outcome::Applied(effect) = outcome {
            self.apply(effect);
        }
    }

    fn apply(&mut self, effect: &Effect) {
        self.xp_granted += effect.xp.granted;
        self.xp_boosted += effect.xp.boost;
        self.xp_over_cap += effect.xp.over_daily_cap;
        self.late += u64::from(!effect.late().is_empty());
        let levels = effect.receipts().iter().filter_map(|receipt| match receipt.scope {
            Scope::Level(level) => Some(level),
            _ => None,
        });
        self.jumps += u64::from(levels.collect::<BTreeSet<_>>().len() > 1);
        for receipt in effect.receipts() {
            let prize = self.rewards.entry(receipt.reward.to_string()).or_default();
            prize.times += 1;
            for item in &receipt.items {
                *prize.items.entry((item.kind().to_string(), item.id().to_string())).or_default() += item.amount();
            }
        }
    }
}
