//! The decision.

use super::Rules;
use super::by_type::OfType;
use super::draft::{Draft, Scratch, Stored};
use super::grant::Occasion;
use super::migrate::Place;
use super::watch::Watched;
use crate::anomaly;
use crate::board::Standing;
use crate::error::Code;
use crate::event::{Event, Payload};
use crate::id::{BoardId, Id};
use crate::limits::SUSPICIONS_PER_PLAYER_MAX;
use crate::progress::Asked;
use crate::record::{
    Action, BoardKey, ChangeSet, Command, Effect, Horizon, Key, Receipt, Settled, StoredOutcome, Suspicion, Triage,
};
use crate::reward::ReceiptState;
use crate::time::Timestamp;
use crate::window::{Period, Window, is_reached};

/// What is stored about one command before it is decided.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// Its first outcome.
    pub outcome: Option<Box<StoredOutcome>>,
    /// The suspicion that a review is about.
    pub suspicion: Option<Box<Suspicion>>,
    /// The receipt that is claimed or revoked.
    pub receipt: Option<Box<Receipt>>,
}

/// The answer to one command, if the change set of its run is committed.
#[derive(Clone, Debug)]
pub enum Decision {
    /// Changes something.
    Apply(Effect),
    /// Was applied by an earlier copy, with this effect.
    Replay(Effect),
    /// Changes nothing.
    Refuse(Code),
}

/// What comes of a run.
#[derive(Clone, Debug)]
pub enum Decided {
    /// No command changes anything.
    Nothing,
    /// To be committed.
    Changes(ChangeSet),
    /// It cannot be told without these records, which the player's record lists: load everything anew and these too, and decide
    /// again. What was told of the commands counts for nothing.
    Lacks(Vec<Key>),
}

/// The same of a change set that lies where the caller had it made.
#[derive(Debug)]
pub(crate) enum Drafted {
    Nothing,
    Changes,
    Lacks(Vec<Key>),
}

/// The event being decided, and under which command.
pub(super) struct Cause<'a> {
    pub(super) kind: &'a Id,
    pub(super) payload: &'a Payload,
    pub(super) of_type: &'a OfType,
    /// The event's own id and time: they name what it earns.
    pub(super) event_id: &'a crate::id::EventId,
    pub(super) ts: Timestamp,
    pub(super) command: &'a Command,
    /// When it counts as decided.
    pub(super) now: Timestamp,
}

impl<'a> Cause<'a> {
    pub(super) const fn occasion(&self) -> Occasion<'a> {
        Occasion { ts: self.ts, command: self.command }
    }
}

impl Rules {
    /// Decides one player's run of commands, in order; later ones see what earlier ones change. `decided` is told of each.
    pub fn decide(
        &self,
        run: &[&Command],
        horizon: Horizon,
        stored: Stored,
        found: impl IntoIterator<Item = Found>,
        scratch: &mut Scratch,
        decided: impl FnMut(Decision),
    ) -> Decided {
        let Some(first) = run.first() else { return Decided::Nothing };
        let Stored { player, listed } = stored;
        let mut changes = ChangeSet::new(first.player.clone(), player.unwrap_or_default(), horizon);
        changes.outcomes.reserve_exact(run.len());
        let mut bytes = Vec::new();
        let prints: Vec<_> = run.iter().map(|command| self.fingerprint(command, &mut bytes)).collect();
        let draft = Draft::new(&mut changes, None, listed, horizon, scratch);
        match self.decide_run(run, &prints, found, draft, decided) {
            Drafted::Nothing => Decided::Nothing,
            Drafted::Changes => Decided::Changes(changes),
            Drafted::Lacks(keys) => Decided::Lacks(keys),
        }
    }

    /// What names the content of a command. `bytes` may be overwritten; what is in it afterwards means nothing.
    pub(crate) fn fingerprint(&self, command: &Command, bytes: &mut Vec<u8>) -> u128 {
        command.fingerprint(&self.fingerprint_key, bytes)
    }

    /// The same of commands with their fingerprints, where the draft makes its change set.
    pub(crate) fn decide_run(
        &self,
        run: &[&Command],
        prints: &[u128],
        found: impl IntoIterator<Item = Found>,
        mut draft: Draft<'_>,
        mut decided: impl FnMut(Decision),
    ) -> Drafted {
        draft.scratch.known.under(self);
        for (at, (print, found)) in prints.iter().zip(found).enumerate() {
            decided(self.decide_one(run, at, *print, found, &mut draft));
            if !draft.lacks.is_empty() {
                return Drafted::Lacks(draft.lacks);
            }
        }
        if draft.applied == 0 {
            return Drafted::Nothing;
        }
        // An event counts in no period that has closed: if the last one counted in all entries that there are, none goes.
        let standings = &draft.changes.record.standings;
        let may_go = draft.entered < standings.len();
        let stays = |(board, period, standing): (&BoardId, Period, Standing)| {
            !is_reached(self.entry_kept_until(board, period, standing.sort), draft.horizon.now)
        };
        debug_assert!(may_go || standings.iter().all(stays), "nobody asks, and an entry is to go");
        if may_go || draft.changes.record.rare.is_some() {
            self.let_go(&mut draft);
            draft.expire_claimable(draft.horizon.now);
        }
        draft.finish();
        Drafted::Changes
    }

    fn decide_one(
        &self,
        run: &[&Command],
        at: usize,
        fingerprint: u128,
        mut found: Found,
        draft: &mut Draft<'_>,
    ) -> Decision {
        let command = run[at];
        if cfg!(test) {
            assert!(command.id.id.as_str() != "panics", "as a test asks");
        }
        // No stored outcome and none of this run: the search is left out.
        let may_have = draft.applied > 0 || found.outcome.is_some();
        if may_have && let Some(first) = draft.outcome(&command.id, run, found.outcome.take()) {
            let same = first.fingerprint == fingerprint;
            return if same { Decision::Replay(first.effect) } else { Decision::Refuse(Code::EventIdReused) };
        }
        if let Some(decision) = self.by_mark(command, found.receipt.as_deref(), draft) {
            return decision;
        }
        let payment = matches!(command.action, Action::Payout(_));
        // A payment's period may have closed long ago, and whoever was interrupted wants to know what was paid.
        let remembered_from = if payment { draft.horizon.now } else { command.ts };
        let mut outcome = StoredOutcome { fingerprint, ts: remembered_from, effect: Effect::default() };
        match self.effect(command, found, draft, &mut outcome.effect) {
            Ok(()) => {
                draft.settle(command, at, &outcome);
                Decision::Apply(outcome.effect)
            }
            Err(code) => Decision::Refuse(code),
        }
    }

    /// What the marks that outlive outcomes say of a command, if anything: that it was done before, or leads elsewhere.
    fn by_mark(&self, command: &Command, receipt: Option<&Receipt>, draft: &Draft<'_>) -> Option<Decision> {
        match &command.action {
            Action::Payout(payment) if draft.changes.record.rare().paid.contains(&payment.board) => {
                Some(Decision::Replay(self.nothing(draft)))
            }
            Action::Claim(name) => {
                let claimed = draft.receipt(*name, receipt).filter(|r| r.state == ReceiptState::Claimed)?;
                Some(Decision::Replay(self.receipt_alone(claimed, draft)))
            }
            Action::Migrate { curve } if *curve != self.progression.levels.hash() => {
                Some(Decision::Refuse(Code::CurveChanged))
            }
            Action::Migrate { .. } => {
                let player = &draft.changes.record;
                let done = player.is_gone() || matches!(self.place(player), Place::Here);
                done.then(|| Decision::Replay(self.nothing(draft)))
            }
            _ => None,
        }
    }

    /// Applies the action to the draft and says so in an effect of nothing, or leaves the draft as it was.
    fn effect(&self, command: &Command, found: Found, draft: &mut Draft<'_>, effect: &mut Effect) -> Result<(), Code> {
        let now = command.received_at.max(draft.horizon.now);
        // A payment has no age: its mark tells whether it was made, when its outcome no longer can.
        if !matches!(command.action, Action::Payout(_)) {
            if command.ts < draft.horizon.forgotten_before {
                return Err(Code::TooOld);
            }
            self.door.limits.check(command.ts, now)?;
        }
        // A mark of before the horizon is let go at some write, and must mean nothing until then either.
        let erased = draft.changes.record.erased_through().filter(|through| *through >= draft.horizon.forgotten_before);
        if erased.is_some_and(|through| command.ts <= through) {
            return Err(Code::PlayerErased);
        }
        *effect = match &command.action {
            Action::Event { kind, payload } => {
                let known = &mut draft.scratch.known;
                known.last_type = self.type_at(kind, known.last_type).ok_or(Code::UnknownType)?;
                let of_type = &self.by_type[known.last_type];
                let ts = command.ts;
                let cause = Cause { kind, payload, of_type, event_id: &command.id.id, ts, command, now };
                return self.event(&cause, draft, effect);
            }
            Action::Adjust { xp, .. } => self.adjust(*xp, command, draft)?,
            Action::Review { suspicion: number, ruling } => {
                self.review(*number, *ruling, found.suspicion, command, now, draft)?
            }
            Action::SetVisibility { hidden } => {
                draft.hide(*hidden);
                self.nothing(draft)
            }
            Action::Erase => {
                draft.erase(command.ts);
                self.nothing(draft)
            }
            Action::Payout(payment) => self.pay(payment, command, draft)?,
            Action::Claim(name) => self.claim(*name, found.receipt.as_deref(), command, now, draft)?,
            Action::Revoke { receipt: name, .. } => self.revoke(*name, found.receipt.as_deref(), command, draft)?,
            Action::Migrate { .. } => self.migrate(command, draft)?,
        };
        Ok(())
    }

    /// Scores, then grants or withholds, then learns.
    fn event(&self, cause: &Cause<'_>, draft: &mut Draft<'_>, effect: &mut Effect) -> Result<(), Code> {
        let asked = self.asked_of(cause.of_type, cause.payload)?;
        if self.detectors.is_empty() && self.families.is_empty() {
            return self.grant(cause, asked, draft, effect);
        }
        self.watched_event(cause, asked, draft, effect)
    }

    fn watched_event(
        &self,
        cause: &Cause<'_>,
        asked: Asked,
        draft: &mut Draft<'_>,
        effect: &mut Effect,
    ) -> Result<(), Code> {
        let Watched { judgements, learned, families, settled } = self.watch(cause, asked.gains, &draft.changes.record);
        let held = judgements.iter().any(|j| j.verdict.action == anomaly::Action::Hold);
        // What is held is not lost, so no more is held than is kept. Then there is no room for flags either.
        let triage = if judgements.is_empty() { Triage::default() } else { draft.triage() };
        let full = triage.holds.len() >= SUSPICIONS_PER_PLAYER_MAX;
        if held && full {
            return Err(Code::HoldsFull);
        }
        if held {
            *effect = self.nothing(draft);
        } else {
            self.grant(cause, asked, draft, effect)?;
        }
        if !judgements.is_empty() && !full {
            let number = draft.changes.record.version + 1;
            let received_at = cause.command.received_at;
            let event = Event {
                id: cause.event_id.clone(),
                player: cause.command.player.clone(),
                ts: cause.ts,
                kind: cause.kind.clone(),
                payload: cause.payload.clone(),
            };
            let verdicts = judgements.clone();
            let suspicion = Suspicion { event, received_at, held, verdicts, settled: Settled::Open };
            // By its own time, as all that needs no horizon: `advance` from another thread must not change what is found.
            draft.suspect(number, suspicion, triage, received_at.minus_millis(self.suspicions_millis_max));
            let more = effect.more_mut();
            *(if held { &mut more.held } else { &mut more.flagged }) = Some(number);
        }
        if !judgements.is_empty() {
            effect.more_mut().verdicts = judgements;
        }
        for profile in learned {
            let player = &mut draft.changes.record;
            match player.profile_position(&profile.detector, &profile.activity) {
                Ok(at) => player.rare_mut().profile[at] = profile,
                Err(at) => player.rare_mut().profile.insert(at, profile),
            }
        }
        let player = &mut draft.changes.record;
        for (family, profile) in families {
            player.set_family(family, profile);
        }
        if let Some((doubts, alerts)) = settled {
            let rare = player.rare_mut();
            (rare.doubts, rare.alerts) = (doubts, alerts);
        }
        Ok(())
    }

    /// Nothing but the level as it is.
    pub(super) fn nothing(&self, draft: &Draft<'_>) -> Effect {
        Effect { level: self.progression.levels.level_at(self.xp_of(&draft.changes.record)), ..Effect::default() }
    }

    /// One receipt, and the level as it is.
    pub(super) fn receipt_alone(&self, receipt: Receipt, draft: &Draft<'_>) -> Effect {
        let mut effect = self.nothing(draft);
        effect.more_mut().receipts.push(receipt);
        effect
    }

    /// Drops what of the record no acceptable command can ask for any more.
    #[inline(never)]
    fn let_go(&self, draft: &mut Draft<'_>) {
        let horizon = draft.horizon;
        if draft.entered < draft.changes.record.standings.len() {
            self.let_entries_go(draft);
        }
        let player = &mut draft.changes.record;
        let Some(rare) = &mut player.rare else { return };
        rare.erased_through = rare.erased_through.filter(|through| *through >= horizon.forgotten_before);
        rare.xp_by_day.retain(|(index, _)| {
            let day = Period { window: Window::Daily, index: *index };
            self.calendar.end(day) > horizon.forgotten_before
        });
        player.shrink();
    }

    fn let_entries_go(&self, draft: &mut Draft<'_>) {
        let now = draft.horizon.now;
        let known = &mut draft.scratch.known;
        known.begin();
        let goes = |board: &BoardId, period, standing: Standing| !known.keeps(self, board, period, standing.sort, now);
        let mut from = 0;
        for (BoardKey { board, period }, standing) in draft.changes.record.standings.extract_if(goes) {
            from = draft.note(from, (&board, period), Some(&standing), None);
        }
    }
}
