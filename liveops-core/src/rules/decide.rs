//! The decision.

use super::draft::{Draft, NewEntry, Scratch};
use super::{BoardRule, Prize, Rules};
use crate::anomaly::{self, DetectorState};
use crate::board::Score;
use crate::error::Code;
use crate::event::{Event, Payload};
use crate::id::{CommandId, Id};
use crate::limits::INTEGER_MAX;
use crate::progress::Grant;
use crate::record::{
    Action, BoardKey, ChangeSet, Command, Effect, Horizon, Judgement, Payment, Player, Profile, Receipt, Ruling,
    Settled, StoredOutcome, Suspicion,
};
use crate::reward::{Item, Kill, Scope, Trigger, receipt_id};
use crate::time::Timestamp;
use crate::window::{Period, Window};

/// What is stored about one command before it is decided.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// Its first outcome.
    pub outcome: Option<Box<StoredOutcome>>,
    /// The suspicion that a review is about.
    pub suspicion: Option<Box<Suspicion>>,
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

/// The event being decided, and under which command.
struct Cause<'a> {
    kind: &'a Id,
    payload: &'a Payload,
    /// The event's own id and time: they name what it earns.
    event_id: &'a crate::id::EventId,
    ts: Timestamp,
    command: &'a Command,
    /// When it counts as decided.
    now: Timestamp,
}

/// What detectors say about an event, and what they learn from it.
struct Watched {
    judgements: Vec<Judgement>,
    learned: Vec<Profile>,
}

impl Rules {
    /// Decides one player's run of commands, in order; later ones see what earlier ones change. `decided` is told of
    /// each; there is no change set if nothing changes.
    pub fn decide(
        &self,
        run: &[&Command],
        horizon: Horizon,
        stored: Option<Box<Player>>,
        found: impl IntoIterator<Item = Found>,
        scratch: &mut Scratch,
        mut decided: impl FnMut(Decision),
    ) -> Option<ChangeSet> {
        let first = run.first()?;
        let mut draft = Draft::new(first, stored, horizon, run.len(), scratch);
        for (command, found) in run.iter().zip(found) {
            decided(self.decide_one(command, found, &mut draft));
        }
        if draft.changes.outcomes.is_empty() {
            return None;
        }
        self.let_go(&mut draft.changes.record, horizon);
        Some(draft.changes)
    }

    fn decide_one(&self, command: &Command, found: Found, draft: &mut Draft<'_>) -> Decision {
        let fingerprint = command.fingerprint(&self.fingerprint_key, &mut draft.scratch.bytes);
        if let Some(first) = draft.outcome(&command.id, found.outcome) {
            let same = first.fingerprint == fingerprint;
            return if same { Decision::Replay(first.effect) } else { Decision::Refuse(Code::EventIdReused) };
        }
        let mut remembered_from = command.ts;
        if let Action::Payout(payment) = &command.action {
            if draft.changes.record.paid.contains(&payment.board) {
                return Decision::Replay(self.nothing(draft));
            }
            // Its period may have closed long ago, and whoever was interrupted wants to know what was paid.
            remembered_from = draft.horizon.now;
        }
        match self.effect(command, found.suspicion, draft) {
            Ok(effect) => {
                let outcome = StoredOutcome { fingerprint, ts: remembered_from, effect: effect.clone() };
                draft.settle(command, outcome);
                Decision::Apply(effect)
            }
            Err(code) => Decision::Refuse(code),
        }
    }

    /// Applies the action to the draft, or leaves the draft as it was.
    fn effect(
        &self,
        command: &Command,
        suspicion: Option<Box<Suspicion>>,
        draft: &mut Draft<'_>,
    ) -> Result<Effect, Code> {
        let now = command.received_at.max(draft.horizon.now);
        // A payment has no age: its mark tells whether it was made, when its outcome no longer can.
        if !matches!(command.action, Action::Payout(_)) {
            if command.ts < draft.horizon.forgotten_before {
                return Err(Code::TooOld);
            }
            self.door.limits.check(command.ts, now)?;
        }
        // A mark of before the horizon is let go at some write, and must mean nothing until then either.
        let erased = draft.changes.record.erased_through.filter(|through| *through >= draft.horizon.forgotten_before);
        if erased.is_some_and(|through| command.ts <= through) {
            return Err(Code::PlayerErased);
        }
        match &command.action {
            Action::Event { kind, payload } => {
                let ts = command.ts;
                self.event(&Cause { kind, payload, event_id: &command.id.id, ts, command, now }, draft)
            }
            Action::Adjust { xp, .. } => self.adjust(*xp, command, draft),
            Action::Review { suspicion: number, ruling } => {
                self.review(*number, *ruling, suspicion, command, now, draft)
            }
            Action::SetVisibility { hidden } => {
                draft.changes.record.hidden = *hidden;
                Ok(self.nothing(draft))
            }
            Action::Erase => {
                draft.erase(command.ts);
                Ok(self.nothing(draft))
            }
            Action::Payout(payment) => self.pay(payment, command, draft),
        }
    }

    /// Scores, then grants or withholds, then learns.
    fn event(&self, cause: &Cause<'_>, draft: &mut Draft<'_>) -> Result<Effect, Code> {
        let requested = self.requested_xp(cause.kind, cause.payload)?;
        let Watched { judgements, learned } = self.watch(cause, requested, &draft.changes.record);
        let held = judgements.iter().any(|j| j.verdict.action == anomaly::Action::Hold);
        let mut effect = if held { self.nothing(draft) } else { self.grant(cause, requested, draft)? };
        if !judgements.is_empty() {
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
            draft.suspect(number, suspicion, cause.now.minus_millis(self.suspicions_millis_max));
            effect.verdicts = judgements;
            *(if held { &mut effect.held } else { &mut effect.flagged }) = Some(number);
        }
        for profile in learned {
            let player = &mut draft.changes.record;
            match player.profile_position(&profile.detector, &profile.activity) {
                Ok(at) => player.profile[at] = profile,
                Err(at) => player.profile.insert(at, profile),
            }
        }
        Ok(effect)
    }

    /// Asks every detector that the event concerns; changes nothing.
    fn watch(&self, cause: &Cause<'_>, requested: u64, player: &Player) -> Watched {
        let (mut judgements, mut learned) = (Vec::new(), Vec::new());
        for rule in &self.detectors {
            let requested = requested.try_into().unwrap_or(i64::MAX);
            let Some(value) = rule
                .select
                .matches(cause.kind, cause.payload)
                .then(|| rule.value.of(cause.payload, requested, requested))
                .flatten()
            else {
                continue;
            };
            let activity = self.activity(cause.payload);
            let known = player.profile_position(&rule.name, activity).ok().map(|at| &player.profile[at].state);
            let mut state = known.copied().unwrap_or_else(|| rule.kind.fresh());
            if let Some(verdict) = rule.kind.score(&state, value).filter(|_| rule.action != anomaly::Action::Allow) {
                judgements.push(Judgement { detector: rule.name.clone(), verdict: verdict.with_action(rule.action) });
            }
            rule.kind.learn(&mut state, value);
            if state != DetectorState::TimeFloor {
                learned.push(Profile { detector: rule.name.clone(), activity: activity.clone(), state });
            }
        }
        Watched { judgements, learned }
    }

    /// The activity that detectors keep apart, as far as the rules list it.
    fn activity(&self, payload: &Payload) -> &Id {
        let named = payload.id("activity").and_then(|name| self.activities.iter().find(|known| *known == name));
        named.unwrap_or(&self.other_activity)
    }

    fn review(
        &self,
        number: u64,
        ruling: Ruling,
        stored: Option<Box<Suspicion>>,
        command: &Command,
        now: Timestamp,
        draft: &mut Draft<'_>,
    ) -> Result<Effect, Code> {
        let suspicion = draft.suspicion(number, stored).ok_or(Code::SuspicionUnknown)?;
        if suspicion.settled != Settled::Open {
            return Err(Code::SuspicionSettled);
        }
        let (settled, effect) = match ruling {
            Ruling::Release if suspicion.held => {
                let Event { id: event_id, ts, kind, payload, .. } = &suspicion.event;
                let cause = Cause { kind, payload, event_id, ts: *ts, command, now };
                let requested = self.requested_xp(kind, payload)?;
                (Settled::Released, self.grant(&cause, requested, draft)?)
            }
            Ruling::Release => (Settled::Released, self.nothing(draft)),
            Ruling::Confirm => (Settled::Confirmed, self.nothing(draft)),
        };
        draft.put_suspicion(number, Suspicion { settled, ..suspicion });
        Ok(effect)
    }

    fn adjust(&self, xp: i64, command: &Command, draft: &mut Draft<'_>) -> Result<Effect, Code> {
        let total = draft.changes.record.xp.checked_add_signed(xp).ok_or(Code::OutOfRange)?;
        if total > INTEGER_MAX.unsigned_abs() {
            return Err(Code::ScoreOverflow);
        }
        draft.changes.record.xp = total;
        let receipts = self.level_rewards(command.ts, command, draft);
        draft.trim_receipts(self.receipts_max);
        Ok(Effect { adjusted: xp, receipts, ..self.nothing(draft) })
    }

    /// Gives what a place in a finished period is worth, and marks it as given.
    fn pay(&self, payment: &Payment, command: &Command, draft: &mut Draft<'_>) -> Result<Effect, Code> {
        let (key, now) = (&payment.board, draft.horizon.now);
        let rule = self.board(&key.board).ok_or(Code::UnknownBoard)?;
        rule.keep(key.period.window).ok_or(Code::UnknownWindow)?;
        self.closed_at(key.period, draft.horizon)?;
        if command.ts > now {
            return Err(Code::TooFarInFuture);
        }
        // Entries go with their period. Then all that can be told is whether anybody is there.
        let player = &draft.changes.record;
        let stands = if self.keeps(key, now) { player.standing(key).is_some() } else { !player.is_gone() };
        if !stands {
            return Err(Code::StandingUnknown);
        }
        if player.hidden {
            return Err(Code::PlayerHidden);
        }
        draft.changes.record.paid.insert(key);
        let BoardKey { board, period } = key.clone();
        let scope = Scope::Payout { board, period, tier: payment.tier.clone() };
        let receipt = self.receipt(&payment.tier, scope, payment.items.clone(), command.ts, command, draft);
        draft.trim_receipts(self.receipts_max);
        Ok(Effect { receipts: vec![receipt], ..self.nothing(draft) })
    }

    /// Nothing but the level as it is.
    fn nothing(&self, draft: &Draft<'_>) -> Effect {
        Effect { level: self.progression.levels.level_at(draft.changes.record.xp), ..Effect::default() }
    }

    /// The sum of what every matching XP rule gives.
    pub(super) fn requested_xp(&self, kind: &Id, payload: &Payload) -> Result<u64, Code> {
        let amounts = self
            .xp
            .iter()
            .filter(|(select, _)| select.matches(kind, payload))
            .filter_map(|(_, amount)| amount.of(payload, 0, 0));
        let sum = amounts.map(|amount| amount.max(0)).try_fold(0_i64, i64::checked_add);
        Ok(sum.filter(|sum| *sum <= INTEGER_MAX).ok_or(Code::ScoreOverflow)?.unsigned_abs())
    }

    /// Gives what the event is worth under the state of now. Everything that can refuse comes before the first change.
    fn grant(&self, cause: &Cause<'_>, requested: u64, draft: &mut Draft<'_>) -> Result<Effect, Code> {
        // A released event counts towards the day of its review: the tally of its own day may be gone.
        let day = self.progression.daily_xp_cap.and_then(|_| self.calendar.period(Window::Daily, cause.command.ts));
        let player = &draft.changes.record;
        let granted_today = day.map_or(0, |day| player.xp_on(day.index));
        let xp = self.progression.grant(player.xp, granted_today, requested, cause.ts).map_err(|e| e.code())?;
        let late = self.count(cause, xp, draft)?;

        self.enter(draft);
        let player = &mut draft.changes.record;
        player.xp += xp.granted;
        if let Some(day) = day.filter(|_| xp.granted > 0) {
            player.xp_by_day.retain(|(known, _)| *known != day.index);
            player.xp_by_day.push((day.index, granted_today + xp.granted));
            player.xp_by_day.sort_unstable();
        }
        let mut receipts = self.level_rewards(cause.ts, cause.command, draft);
        self.event_rewards(cause, &mut receipts, draft);
        draft.trim_receipts(self.receipts_max);
        Ok(Effect { xp, receipts, late, ..self.nothing(draft) })
    }

    /// Leaves the entries as this event makes them in the draft's scratch, and returns the periods it is too late for.
    /// Boards and standings are sorted alike, so each search goes on where the one before ended.
    fn count(&self, cause: &Cause<'_>, xp: Grant, draft: &mut Draft<'_>) -> Result<Vec<BoardKey>, Code> {
        draft.scratch.entries.clear();
        let mut late = Vec::new();
        let standings = &draft.changes.record.standings;
        let mut at = 0;
        for (place, rule) in self.boards.iter().enumerate() {
            let Some(value) = value(rule, cause, xp) else { continue };
            at += standings[at..].partition_point(|(known, _)| known.board < rule.board);
            for (window, _) in &rule.windows {
                let Some(period) = self.calendar.period(*window, cause.ts) else { continue };
                let closes_at = self.calendar.closes_at(period);
                if closes_at <= cause.now {
                    late.push(BoardKey { board: rule.board.clone(), period });
                    continue;
                }
                let here = |at: usize| standings.get(at).filter(|(known, _)| known.board == rule.board);
                while here(at).is_some_and(|(known, _)| known.period < period) {
                    at += 1;
                }
                let before = here(at).filter(|(known, _)| known.period == period).map(|(_, standing)| *standing);
                let received_at = cause.command.received_at;
                let after = rule.operator.apply(before, rule.sort, value, cause.ts, received_at);
                let standing = after.ok().filter(|s| in_range(s.score)).ok_or(Code::ScoreOverflow)?;
                draft.scratch.entries.push(NewEntry { at, replaces: before.is_some(), period, rule: place, standing });
            }
        }
        Ok(late)
    }

    /// Puts the entries of [`Self::count`] into the record, from the back, so that their places stay right.
    fn enter(&self, draft: &mut Draft<'_>) {
        let changes = &mut draft.changes;
        for NewEntry { at, replaces, period, rule, standing } in draft.scratch.entries.drain(..).rev() {
            changes.closes_at = changes.closes_at.min(self.calendar.closes_at(period));
            if replaces {
                changes.record.standings[at].1 = standing;
            } else {
                let board = self.boards[rule].board.clone();
                changes.record.standings.insert(at, (BoardKey { board, period }, standing));
            }
        }
    }

    fn level_rewards(&self, ts: Timestamp, command: &Command, draft: &mut Draft<'_>) -> Vec<Receipt> {
        let level = self.progression.levels.level_at(draft.changes.record.xp);
        let first = draft.changes.record.granted_through.max(1).saturating_add(1);
        if level < first {
            return Vec::new();
        }
        let mut receipts = Vec::new();
        for level in first..=level {
            for rule in self.rewards.iter().filter(|rule| rule.trigger.on_level(level)) {
                let items = self.open(&rule.prize, draft);
                receipts.push(self.receipt(&rule.name, Scope::Level(level), items, ts, command, draft));
            }
        }
        draft.changes.record.granted_through = level;
        receipts
    }

    fn event_rewards(&self, cause: &Cause<'_>, receipts: &mut Vec<Receipt>, draft: &mut Draft<'_>) {
        for rule in &self.rewards {
            let marks = &mut draft.changes.record.marks;
            let mark = marks.binary_search(&rule.name);
            let killed = cause.payload.id("bossId").filter(|_| cause.kind == "boss_kill");
            if !(rule.trigger.on_event(cause.kind) || killed.is_some_and(|b| rule.trigger.on_boss(b, mark.is_err()))) {
                continue;
            }
            if let (Trigger::Boss { kill: Kill::First, .. }, Err(at)) = (&rule.trigger, mark) {
                marks.insert(at, rule.name.clone());
            }
            let scope = Scope::Event { id: cause.event_id.clone(), ts: cause.ts };
            let items = self.open(&rule.prize, draft);
            receipts.push(self.receipt(&rule.name, scope, items, cause.ts, cause.command, draft));
        }
    }

    /// What is in it: rolls, if that is a matter of luck.
    fn open(&self, prize: &Prize, draft: &mut Draft<'_>) -> Vec<Item> {
        let name = match prize {
            Prize::Items(items) => return items.clone(),
            Prize::Loot(name) => name,
        };
        // Every name was looked up when the rules were read.
        let Some(table) = self.loot.get(name) else { return Vec::new() };
        let mut rolls = draft.changes.record.rolls(name);
        let roll = table.roll(&self.loot_seed, name, &draft.changes.player, rolls.count, rolls.misses);
        rolls.count += 1;
        rolls.misses = roll.misses_after;
        draft.changes.record.set_rolls(name, rolls);
        table.items(&roll.entry).unwrap_or_default()
    }

    fn receipt(
        &self,
        reward: &Id,
        scope: Scope,
        items: Vec<Item>,
        ts: Timestamp,
        command: &Command,
        draft: &mut Draft<'_>,
    ) -> Receipt {
        let player = &mut draft.changes.record;
        let receipt = Receipt {
            number: player.receipts + 1,
            id: receipt_id(&self.game, &command.player, reward, &scope, 0),
            reward: reward.clone(),
            scope,
            items,
            cause: CommandId::clone(&command.id),
            ts,
            rules: self.hash,
            previous: player.chain_head,
        };
        player.receipts = receipt.number;
        player.receipts_from = player.receipts_from.max(1);
        player.chain_head = receipt.hash();
        draft.changes.receipts.push(receipt.clone());
        receipt
    }

    /// Drops what of the record no acceptable command can ask for any more.
    fn let_go(&self, player: &mut Player, horizon: Horizon) {
        player.erased_through = player.erased_through.filter(|through| *through >= horizon.forgotten_before);
        player.standings.retain(|(key, _)| self.keeps(key, horizon.now));
        player.xp_by_day.retain(|(index, _)| {
            let day = Period { window: Window::Daily, index: *index };
            self.calendar.end(day) > horizon.forgotten_before
        });
    }
}

fn value(rule: &BoardRule, cause: &Cause<'_>, xp: Grant) -> Option<Score> {
    if !rule.select.matches(cause.kind, cause.payload) {
        return None;
    }
    let [requested, granted] = [xp.requested, xp.granted].map(|xp| i64::try_from(xp).unwrap_or(i64::MAX));
    let number = |amount: &super::Amount| amount.of(cause.payload, requested, granted);
    let subscore = rule.subvalue.as_ref().and_then(number).unwrap_or(0);
    number(&rule.value).map(|score| Score { score, subscore })
}

fn in_range(score: Score) -> bool {
    let range = -INTEGER_MAX..=INTEGER_MAX;
    range.contains(&score.score) && range.contains(&score.subscore)
}
