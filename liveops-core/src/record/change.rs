//! What commands do, and how it is written: whole or not at all.

use serde::Serialize;

use super::{BoardKey, Horizon, Key, Player, Receipt};
use crate::anomaly::Verdict;
use crate::codec::{fields, tags};
use crate::error::StoreError;
use crate::event::Event;
use crate::id::{CommandId, Id, PlayerId};
use crate::progress::Grant;
use crate::time::Timestamp;

/// What a command did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Effect {
    /// Withheld, under this number of [`Key::Suspicion`].
    pub held: Option<u64>,
    /// Applied, but suspicious under this number.
    pub flagged: Option<u64>,
    /// Experience asked for, and what became of it.
    pub xp: Grant,
    /// Experience that support added or took away.
    pub adjusted: i64,
    /// The level after it.
    pub level: u32,
    /// Rewards, whole, so that a retry can be answered after old receipts are trimmed.
    pub receipts: Vec<Receipt>,
    /// Periods it came too late for.
    pub late: Vec<BoardKey>,
    /// What detectors minded.
    pub verdicts: Vec<Judgement>,
}

/// What one detector said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Judgement {
    /// Which one.
    pub detector: Id,
    /// What.
    #[serde(flatten)]
    pub verdict: Verdict,
}

/// The first outcome of a command, for its retries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredOutcome {
    /// Of the command's content.
    #[serde(skip)]
    pub fingerprint: u128,
    /// Says when this may be dropped: the command's own time, or of a payment, whose period may have closed long ago, the
    /// horizon under which it was made.
    pub ts: Timestamp,
    /// What was done.
    pub effect: Effect,
}

/// Whether a suspicion waits for a review.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Settled {
    /// It waits.
    Open,
    /// Found honest; a held event was decided after all.
    Released,
    /// Found dishonest; a held event stays unapplied.
    Confirmed,
}

/// A suspicious event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Suspicion {
    /// The event.
    pub event: Event,
    /// When it came in.
    pub received_at: Timestamp,
    /// Withheld until it is released; else applied and only flagged.
    pub held: bool,
    /// What detectors minded.
    pub verdicts: Vec<Judgement>,
    /// Where it stands.
    pub settled: Settled,
}

/// What one player's run of commands changes: all of it or none of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeSet {
    /// Whose.
    pub player: PlayerId,
    /// Written only if the stored player still has this version; 0 is absent.
    pub expected: u64,
    /// Written only while nothing from here on was forgotten: the oldest outcome of the run.
    pub oldest_ts: Timestamp,
    /// Written only while the horizon is before this: the first closing of a period counted in.
    pub closes_at: Timestamp,
    /// First remove every other record of the player.
    pub forget: bool,
    /// The player after the run.
    pub record: Box<Player>,
    /// One for each command applied.
    pub outcomes: Vec<(CommandId, StoredOutcome)>,
    /// New links, in order.
    pub receipts: Vec<Receipt>,
    /// New or settled suspicions.
    pub suspicions: Vec<(u64, Suspicion)>,
    /// Records of the player that are no longer kept: last of all, remove them.
    pub removed: Vec<Key>,
}

impl ChangeSet {
    /// Whether it may be written over a player of `version` under `horizon`.
    pub fn fits(&self, version: u64, horizon: Horizon) -> bool {
        self.expected == version && self.oldest_ts >= horizon.forgotten_before && self.closes_at > horizon.now
    }
}

/// What a store did with one change set.
#[derive(Debug)]
pub enum CommitOutcome {
    /// Everything was written.
    Applied,
    /// It did not fit; nothing was written.
    Conflict,
    /// Nothing was written, except that [`crate::error::StoreErrorKind::OutcomeUnknown`] does not say.
    Failed(StoreError),
}

tags!(Settled { Open = 0, Released = 1, Confirmed = 2 });
fields!(Effect { held, flagged, xp, adjusted, level, receipts, late, verdicts });
fields!(Judgement { detector, verdict });
fields!(StoredOutcome { fingerprint, ts, effect });
fields!(Suspicion { event, received_at, held, verdicts, settled });
