//! What a run of commands changes, and how it is written: whole or not at all.

use serde::Serialize;

use super::{BoardKey, Horizon, Judgement, Key, Player, Receipt, Record, RecordRef, Run, StoredOutcome};
use crate::board::Standing;
use crate::codec::{Form, Stable, fields, tags};
use crate::error::{StoreError, StoreErrorKind};
use crate::event::Event;
use crate::id::{CommandId, PlayerId};
use crate::time::Timestamp;

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
    /// What was forgotten when it was decided: written only while no more is. So no commit that was held up on its way finds
    /// a player who was forgotten since and began again.
    pub forgotten_before: Timestamp,
    /// Written only while the horizon is before this: the first closing of a period counted in.
    pub closes_at: Timestamp,
    /// First remove every other record of the player.
    pub forget: bool,
    /// The player after the run.
    pub record: Box<Player>,
    /// One for each command applied.
    pub outcomes: Vec<(CommandId, StoredOutcome)>,
    /// New links, in order, and earlier ones that were claimed or revoked: each replaces what is under its number.
    pub receipts: Vec<Receipt>,
    /// New or settled suspicions.
    pub suspicions: Vec<(u64, Suspicion)>,
    /// Records of the player that are no longer kept: last of all, remove them.
    pub removed: Vec<Key>,
    /// Entries of boards that are not what they were, by board and period: what the board shows of the player now, `None` where
    /// the entry is gone or hidden.
    pub shown: Vec<(BoardKey, Option<Standing>)>,
    /// What led here, for a recorder; only if the engine [records](crate::Engine::recording).
    pub run: Option<Box<Run>>,
}

const FORM: Form = Form(1);

impl ChangeSet {
    /// One that changes nothing yet of what is stored of a player.
    pub(crate) fn new(player: PlayerId, record: Box<Player>, horizon: Horizon) -> Self {
        Self {
            player,
            expected: record.version,
            forgotten_before: horizon.forgotten_before,
            closes_at: Timestamp::MAX,
            forget: false,
            record,
            outcomes: Vec::new(),
            receipts: Vec::new(),
            suspicions: Vec::new(),
            removed: Vec::new(),
            shown: Vec::new(),
            run: None,
        }
    }

    /// Makes it such a one in the memory that it has, whatever it was.
    pub(crate) fn renew(&mut self, player: &PlayerId, stored: Option<&Player>, horizon: Horizon) {
        self.player.clone_from(player);
        match stored {
            Some(stored) => (*self.record).clone_from(stored),
            None => *self.record = Player::default(),
        }
        self.expected = self.record.version;
        self.forgotten_before = horizon.forgotten_before;
        self.closes_at = Timestamp::MAX;
        self.forget = false;
        self.outcomes.clear();
        self.receipts.clear();
        self.suspicions.clear();
        self.removed.clear();
        self.shown.clear();
        self.run = None;
    }

    /// Whether it may be written over a player of `version` under `horizon`.
    pub fn fits(&self, version: u64, horizon: Horizon) -> bool {
        self.expected == version && self.forgotten_before == horizon.forgotten_before && self.closes_at > horizon.now
    }

    /// Everything that it writes; of what is under one key twice, the last counts.
    pub fn written(&self) -> impl Iterator<Item = (Key, RecordRef<'_>)> {
        let Self { player, record, outcomes, receipts, suspicions, .. } = self;
        let record = (Key::Player(player.clone()), RecordRef::Player(record));
        let outcomes = outcomes
            .iter()
            .map(|(id, outcome)| (Key::Outcome(player.clone(), id.clone()), RecordRef::Outcome(outcome)));
        let receipts =
            receipts.iter().map(|receipt| (Key::Receipt(player.clone(), receipt.number), RecordRef::Receipt(receipt)));
        let suspicions = suspicions
            .iter()
            .map(|(number, suspicion)| (Key::Suspicion(player.clone(), *number), RecordRef::Suspicion(suspicion)));
        std::iter::once(record).chain(outcomes).chain(receipts).chain(suspicions)
    }

    /// Through when the player was erased, if the set leaves nothing but that mark: a store lists these, to know whom `advance`
    /// makes absent. Not before the last outcome beside it went, which may be newer: that of a player who was shown again after the
    /// erasure, say.
    pub fn idle_mark(&self) -> Option<Timestamp> {
        let nothing_else = self.receipts.is_empty() && self.suspicions.is_empty();
        self.record.idle_mark().filter(|_| nothing_else)
    }

    /// The stable bytes: a byte for the version of their form, then the content. Records in it are in their own forms.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.encode_into(&mut out);
        out
    }

    /// Appends them.
    pub fn encode_into(&self, out: &mut Vec<u8>) {
        let Self {
            player,
            expected,
            forgotten_before,
            closes_at,
            forget,
            record,
            outcomes,
            receipts,
            suspicions,
            removed,
            shown,
            run,
        } = self;
        FORM.begin(out);
        player.put(out);
        expected.put(out);
        forgotten_before.put(out);
        closes_at.put(out);
        forget.put(out);
        RecordRef::Player(record).encode_into(out);
        (outcomes.len() as u64).put(out);
        for (id, outcome) in outcomes {
            id.put(out);
            RecordRef::Outcome(outcome).encode_into(out);
        }
        (receipts.len() as u64).put(out);
        for receipt in receipts {
            RecordRef::Receipt(receipt).encode_into(out);
        }
        (suspicions.len() as u64).put(out);
        for (number, suspicion) in suspicions {
            number.put(out);
            RecordRef::Suspicion(suspicion).encode_into(out);
        }
        removed.put(out);
        shown.put(out);
        run.is_some().put(out);
        if let Some(run) = run {
            run.put(out);
        }
    }

    /// The change set behind stable bytes; [`StoreErrorKind::TooNew`] for a later version's, or if a record in it is, else
    /// [`StoreErrorKind::Corrupt`] for bytes that [`Self::encode`] never makes.
    pub fn decode(bytes: &[u8]) -> Result<Self, StoreErrorKind> {
        FORM.decode(bytes, Self::take)
    }

    fn take(from: &mut &[u8]) -> Result<Self, StoreErrorKind> {
        fn value<T: Stable>(from: &mut &[u8]) -> Result<T, StoreErrorKind> {
            T::take(from).ok_or(StoreErrorKind::Corrupt)
        }
        fn many<T>(
            from: &mut &[u8],
            one: impl Fn(&mut &[u8]) -> Result<T, StoreErrorKind>,
        ) -> Result<Vec<T>, StoreErrorKind> {
            let mut all = Vec::new();
            // Nothing is reserved on the word of a number: each takes bytes, which end.
            for _ in 0..value::<u64>(from)? {
                all.push(one(from)?);
            }
            Ok(all)
        }
        let player: PlayerId = value(from)?;
        let (expected, forgotten_before) = (value(from)?, value(from)?);
        let (closes_at, forget) = (value(from)?, value(from)?);
        let Record::Player(record) = Record::take_known(from)? else { return Err(StoreErrorKind::Corrupt) };
        let outcomes = many(from, |from| match (value(from)?, Record::take_known(from)?) {
            (id, Record::Outcome(outcome)) => Ok((id, *outcome)),
            _ => Err(StoreErrorKind::Corrupt),
        })?;
        let receipts = many(from, |from| match Record::take_known(from)? {
            Record::Receipt(receipt) => Ok(*receipt),
            _ => Err(StoreErrorKind::Corrupt),
        })?;
        let suspicions = many(from, |from| match (value(from)?, Record::take_known(from)?) {
            (number, Record::Suspicion(suspicion)) => Ok((number, *suspicion)),
            _ => Err(StoreErrorKind::Corrupt),
        })?;
        let removed: Vec<Key> = value(from)?;
        let shown: Vec<(BoardKey, Option<Standing>)> = value(from)?;
        let run =
            if value(from)? { Some(Box::new(Run::take(&player, from).ok_or(StoreErrorKind::Corrupt)?)) } else { None };
        let is_own = removed.iter().all(|key| key.player() == Some(&player));
        if !is_own || !shown.is_sorted_by(|(a, _), (b, _)| a < b) {
            return Err(StoreErrorKind::Corrupt);
        }
        Ok(Self {
            player,
            expected,
            forgotten_before,
            closes_at,
            forget,
            record,
            outcomes,
            receipts,
            suspicions,
            removed,
            shown,
            run,
        })
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
fields!(Suspicion { event, received_at, held, verdicts, settled });
