//! What an event earns: experience, entries on boards, rewards.

use super::by_type::OfType;
use super::decide::Cause;
use super::draft::{Draft, NewEntry, Scratch};
use super::known::{Known, KnownPeriod};
use super::{BoardRule, OverflowRule, Prize, RewardRule, Rules};
use crate::board::{Operator, Score};
use crate::error::Code;
use crate::event::Payload;
use crate::id::Id;
use crate::limits::INTEGER_MAX;
use crate::progress::{Asked, AtMaxLevel, Grant, Overflow, Remainders, StreakStep};
use crate::record::{BoardKey, ChangeSet, Command, Effect, Entry, MoreScore, OnBoard, Player, Receipt, Rolls};
use crate::reward::{Item, Kill, ReceiptState, RollProof, Scope, Trigger, receipt_id_in};
use crate::time::Timestamp;
use crate::window::{Period, Window};

/// A reward on its way into a receipt.
pub(super) struct Gift<'a> {
    reward: &'a Id,
    scope: Scope,
    items: Vec<Item>,
    roll: Option<Box<RollProof>>,
    claim_until: Option<Timestamp>,
}

impl<'a> Gift<'a> {
    /// Given at once, and no matter of luck.
    pub(super) const fn of(reward: &'a Id, scope: Scope, items: Vec<Item>) -> Self {
        Self { reward, scope, items, roll: None, claim_until: None }
    }
}

/// What a reward is given on: the time that its receipt bears, and the command.
#[derive(Clone, Copy)]
pub(super) struct Occasion<'a> {
    pub(super) ts: Timestamp,
    pub(super) command: &'a Command,
}

/// An event on its way onto boards.
struct Counting<'a> {
    cause: &'a Cause<'a>,
    known: &'a mut Known,
    /// As it makes them.
    entries: &'a mut Vec<NewEntry>,
    /// Hears of periods it is too late for.
    effect: &'a mut Effect,
    /// When the first of all periods counted in closes.
    closes_at: Timestamp,
}

/// Experience beyond the highest level: what is gathered with it, and what that gives.
struct Converted<'a> {
    overflow: Overflow,
    reward: &'a Id,
    items: Vec<Item>,
}

impl Rules {
    /// The sum of what matching XP rules give, and of what others take. Also here, as at the door, there are no events of a type
    /// that the rules do not know: the door that admitted one may have had others.
    pub(super) fn asked_xp(&self, kind: &Id, payload: &Payload) -> Result<Asked, Code> {
        let at = self.type_at(kind, 0).ok_or(Code::UnknownType)?;
        self.asked_of(&self.by_type[at], payload)
    }

    /// The same of an event of a type.
    pub(super) fn asked_of(&self, of_type: &OfType, payload: &Payload) -> Result<Asked, Code> {
        let mut asked = Asked::default();
        for (select, amount) in of_type.xp.iter().map(|at| &self.xp[*at]) {
            let Some(amount) = amount.of(payload, 0, 0).filter(|_| select.finds(payload)) else { continue };
            let sum = if amount < 0 { &mut asked.losses } else { &mut asked.gains };
            *sum = sum.saturating_add(amount.unsigned_abs());
        }
        if self.progression.floor.is_none() {
            asked.losses = 0;
        }
        if asked.gains > INTEGER_MAX.unsigned_abs() { Err(Code::ScoreOverflow) } else { Ok(asked) }
    }

    /// Gives what the event is worth under the state of now. Everything that can refuse comes before the first change.
    pub(super) fn grant(
        &self,
        cause: &Cause<'_>,
        asked: Asked,
        draft: &mut Draft<'_>,
        effect: &mut Effect,
    ) -> Result<(), Code> {
        // A released event counts towards the day of its review: the tally of its own day may be gone.
        let day = self.progression.daily_xp_cap.and_then(|_| self.calendar.period(Window::Daily, cause.command.ts));
        let player = &draft.changes.record;
        let granted_today = day.map_or(0, |day| player.xp_on(day.index));
        // Mostly the curve is the one in force.
        let is_on_curve = self.mark.is_some() && player.curve.map(|known| known.mark) == self.mark;
        let total = if is_on_curve { player.xp } else { self.known_xp_of(player)? };
        // Only boosts leave any.
        let mut remainders = Remainders::default();
        let has_boosts = !self.progression.boosts.is_empty();
        if has_boosts && let Some(rare) = &player.rare {
            remainders.clone_from(&rare.remainders);
        }
        let xp = self.progression.settle(total, granted_today, asked, &mut remainders, cause.ts);
        let xp = xp.map_err(|e| e.code())?;
        let converted = if self.overflow.is_some() { self.convert(player.rare().overflow, xp)? } else { None };
        self.count(cause, xp, draft, effect)?;

        draft.enter(&self.boards);
        effect.xp = xp;
        if !is_on_curve {
            self.bring_to_curve(draft, effect);
        }
        let player = &mut draft.changes.record;
        player.xp = total + xp.granted;
        if has_boosts && (player.rare.is_some() || !remainders.is_empty()) {
            player.rare_mut().remainders = remainders;
        }
        // What was turned into something else was given too.
        let counted = xp.granted + if converted.is_some() { xp.over_max_level } else { 0 };
        if let Some(day) = day.filter(|_| counted > 0) {
            let by_day = &mut player.rare_mut().xp_by_day;
            by_day.retain(|(known, _)| *known != day.index);
            by_day.push((day.index, granted_today + counted));
            by_day.sort_unstable();
        }
        // Levels that the gains reach are rewarded, whatever is taken after them.
        effect.level = self.level_rewards(cause.occasion(), draft, effect);
        if xp.taken > 0 {
            draft.changes.record.xp -= xp.taken;
            effect.level = self.level_of(&draft.changes.record);
        }
        if let Some(converted) = converted {
            self.overflow_reward(converted, cause, draft, effect);
        }
        if !cause.of_type.rewards.is_empty() {
            self.event_rewards(cause, draft, effect);
        }
        if !cause.of_type.streaks.is_empty() {
            self.streak_rewards(cause, draft, effect);
        }
        draft.trim_receipts(self.receipts_max);
        Ok(())
    }

    /// The level of the record's total, which mostly is the one that was rewarded last, or the first.
    fn level_of(&self, player: &Player) -> u32 {
        self.progression.levels.level_near(player.xp, player.granted_through.max(1))
    }

    /// What becomes of experience that is withheld at the highest level, if the rules turn it into something.
    fn convert(&self, before: Overflow, xp: Grant) -> Result<Option<Converted<'_>>, Code> {
        let Some(OverflowRule { reward, every, items }) = &self.overflow else { return Ok(None) };
        if self.progression.at_max_level != AtMaxLevel::Convert || xp.over_max_level == 0 {
            return Ok(None);
        }
        // So many at once that no amount leaves the integers: the others come with the next event.
        let largest = items.iter().map(|item| item.amount().unsigned_abs()).max().unwrap_or(1);
        let units_max = INTEGER_MAX.unsigned_abs() / largest;
        let overflow = before.gather_up_to(xp.over_max_level, *every, units_max).ok_or(Code::ScoreOverflow)?;
        let items = match overflow.units - before.units {
            0 => Vec::new(),
            units => items.iter().filter_map(|item| item.times(units)).collect(),
        };
        Ok(Some(Converted { overflow, reward, items }))
    }

    /// Leaves the entries as this event makes them in the draft's scratch, and in the effect the periods it is too late for.
    /// Boards and standings are sorted alike, so each search goes on where the one before ended.
    #[inline(never)]
    fn count(&self, cause: &Cause<'_>, xp: Grant, draft: &mut Draft<'_>, effect: &mut Effect) -> Result<(), Code> {
        draft.clear_entries();
        let Scratch { entries, known, .. } = &mut *draft.scratch;
        let ChangeSet { record, closes_at: first_closes_at, .. } = &mut *draft.changes;
        let mut counting = Counting { cause, known, entries, effect, closes_at: *first_closes_at };
        let mut from = 0;
        for place in &cause.of_type.boards {
            let Some(value) = value(&self.boards[*place], cause, xp) else { continue };
            let mut on_board = record.standings.on_board(from, &self.boards[*place].board);
            self.count_on(*place, value, &mut on_board, &mut counting)?;
            from = on_board.at();
        }
        *first_closes_at = counting.closes_at;
        Ok(())
    }

    /// The same on one board.
    #[inline(never)]
    fn count_on(
        &self,
        place: usize,
        value: Score,
        on_board: &mut OnBoard<'_>,
        counting: &mut Counting<'_>,
    ) -> Result<(), Code> {
        let Counting { cause, known, entries, effect, closes_at: first_closes_at } = counting;
        let rule = &self.boards[place];
        let received_at = cause.command.received_at;
        let more = MoreScore::new((rule.operator, rule.sort), value, cause.ts, received_at);
        for (window, _) in &rule.windows {
            let Some(KnownPeriod { period, closes_at, .. }) = known.period(self, *window, cause.ts) else { continue };
            if *closes_at <= cause.now {
                effect.more_mut().late.push(BoardKey { board: rule.board.clone(), period: *period });
                continue;
            }
            *first_closes_at = (*first_closes_at).min(*closes_at);
            let (at, before) = on_board.find(*period);
            if let (Some(before), Some(more)) = (before, &more)
                && let Some(entry) = before.plus(more)
            {
                entries.push(NewEntry { at, rule: place, is_new: false, moves: true, entry });
                continue;
            }
            entries.push(NewEntry { at, rule: place, ..rule.applied(*period, before, value, cause)? });
        }
        Ok(())
    }

    /// Rewards levels that are reached for the first time. The level as it is.
    #[inline]
    pub(super) fn level_rewards(&self, on: Occasion<'_>, draft: &mut Draft<'_>, effect: &mut Effect) -> u32 {
        let level = self.level_of(&draft.changes.record);
        let first = draft.changes.record.granted_through.max(1).saturating_add(1);
        if level >= first {
            self.reward_levels(first, level, on, draft, effect);
        }
        level
    }

    #[inline(never)]
    fn reward_levels(&self, first: u32, level: u32, on: Occasion<'_>, draft: &mut Draft<'_>, effect: &mut Effect) {
        for level in first..=level {
            for rule in self.rewards.iter().filter(|rule| rule.trigger.on_level(level)) {
                self.reward(rule, Scope::Level(level), on, draft, effect);
            }
        }
        draft.changes.record.granted_through = level;
    }

    fn overflow_reward(&self, converted: Converted<'_>, cause: &Cause<'_>, draft: &mut Draft<'_>, effect: &mut Effect) {
        let Converted { overflow, reward, items } = converted;
        let before = std::mem::replace(&mut draft.changes.record.rare_mut().overflow, overflow);
        if overflow.units > before.units {
            let scope = Scope::Overflow { units: overflow.units };
            self.give(Gift::of(reward, scope, items), cause.ts, cause.command, draft, effect);
        }
    }

    fn event_rewards(&self, cause: &Cause<'_>, draft: &mut Draft<'_>, effect: &mut Effect) {
        let of_kind = |kind: &str, field: &str| if cause.kind == kind { cause.payload.id(field) } else { None };
        let killed = of_kind("boss_kill", "bossId");
        let claimed = of_kind("drop_claimed", "dropId");
        for rule in cause.of_type.rewards.iter().map(|at| &self.rewards[*at]) {
            let fires = match &rule.trigger {
                Trigger::Event { .. } => rule.trigger.on_event(cause.kind),
                Trigger::Drop { .. } => claimed.is_some_and(|drop| rule.trigger.on_drop(drop)),
                Trigger::Boss { boss, kill } => {
                    if killed != Some(boss) || !rule.select.matches(cause.kind, cause.payload) {
                        continue;
                    }
                    let mark = draft.changes.record.rare().marks.binary_search(&rule.name);
                    if let (Kill::First | Kill::Repeat, Err(at)) = (kill, mark) {
                        draft.changes.record.rare_mut().marks.insert(at, rule.name.clone());
                    }
                    rule.trigger.on_boss(boss, mark.is_err())
                }
                _ => false,
            };
            if fires && rule.select.finds(cause.payload) {
                let scope = Scope::Event { id: cause.event_id.clone(), ts: cause.ts };
                self.reward(rule, scope, cause.occasion(), draft, effect);
            }
        }
    }

    /// Counts the day of the event, by its index in the calendar, and rewards what day of a streak it makes.
    fn streak_rewards(&self, cause: &Cause<'_>, draft: &mut Draft<'_>, effect: &mut Effect) {
        let streaks = cause.of_type.streaks.iter().map(|at| &self.streaks[*at]);
        for streak in streaks.filter(|streak| streak.select.finds(cause.payload)) {
            let Some(day) = self.calendar.period(Window::Daily, cause.ts) else { continue };
            let mut state = draft.changes.record.streak(&streak.name);
            let StreakStep::Day(length) = state.step(day.index, streak.missed_days_max) else { continue };
            draft.changes.record.set_streak(&streak.name, state);
            for rule in self.rewards.iter().filter(|rule| rule.trigger.on_streak(&streak.name, length)) {
                let scope = Scope::Streak { streak: streak.name.clone(), day: day.index };
                self.reward(rule, scope, cause.occasion(), draft, effect);
            }
        }
    }

    /// Opens what a rule gives, and gives it.
    fn reward(&self, rule: &RewardRule, scope: Scope, on: Occasion<'_>, draft: &mut Draft<'_>, effect: &mut Effect) {
        let (items, roll) = self.open(&rule.prize, on.command.received_at, draft);
        // From when the player can know of it: the event may have been hours on its way.
        let claim_until = rule.claim_within_millis.map(|millis| on.command.received_at.plus_millis(millis));
        let gift = Gift { reward: &rule.name, scope, items, roll, claim_until };
        self.give(gift, on.ts, on.command, draft, effect);
    }

    /// What is in it: rolls, if that is a matter of luck. The first roll of a table has the time it came in at as its number, in
    /// milliseconds, and each further one the next: whoever is erased and comes back does not know what will come.
    fn open(
        &self,
        prize: &Prize,
        received_at: Timestamp,
        draft: &mut Draft<'_>,
    ) -> (Vec<Item>, Option<Box<RollProof>>) {
        let name = match prize {
            Prize::Items(items) => return (items.clone(), None),
            Prize::Loot(name) => name,
        };
        // Every name was looked up when the rules were read.
        let Some(table) = self.loot.get(name) else { return (Vec::new(), None) };
        let record = &mut draft.changes.record;
        let Rolls { count, misses: unnamed } = record.rolls(name);
        let nonce = if count == 0 { received_at.as_unix_millis().unsigned_abs() } else { count };
        let pity = table.pity().map(|pity| &pity.entry);
        let misses = pity.map_or(0, |entry| record.misses(name, entry));
        let roll = table.roll(&self.rolls_by(), name, &draft.changes.player, nonce, misses);
        let unnamed = if pity.is_some() { 0 } else { unnamed };
        record.set_rolls(name, Rolls { count: nonce.saturating_add(1), misses: unnamed });
        // Pity may have been for it under other rules.
        record.set_misses(name, &roll.entry, 0);
        if let Some(entry) = pity {
            record.set_misses(name, entry, roll.misses_after);
        }
        let items = table.items(&roll.entry).unwrap_or_default();
        (items, Some(Box::new(RollProof { table: name.clone(), entry: roll.entry, nonce, misses })))
    }

    /// Adds a receipt to the chain: given at once, or waiting to be claimed.
    pub(super) fn give(
        &self,
        gift: Gift<'_>,
        ts: Timestamp,
        command: &Command,
        draft: &mut Draft<'_>,
        effect: &mut Effect,
    ) {
        let Gift { reward, scope, items, roll, claim_until } = gift;
        let Draft { changes, scratch, .. } = &mut *draft;
        let player = &mut changes.record;
        let receipt = Receipt {
            number: player.receipts + 1,
            id: receipt_id_in(&mut scratch.bytes, &self.game, &command.player, reward, &scope, 0),
            reward: reward.clone(),
            scope,
            items,
            cause: command.id.clone(),
            ts,
            rules: self.hash,
            previous: player.chain_head,
            claim_until,
            roll,
            state: if claim_until.is_some() { ReceiptState::Claimable } else { ReceiptState::Issued },
            settled_at: None,
        };
        let number = receipt.number;
        player.receipts = number;
        player.receipts_from = player.receipts_from.max(1);
        player.chain_head = receipt.hash_in(&mut scratch.bytes);
        changes.receipts.push(receipt.clone());
        let more = effect.more_mut();
        let told = if claim_until.is_some() { &mut more.claimable } else { &mut more.receipts };
        // Mostly it is the only one.
        if told.is_empty() {
            told.reserve_exact(1);
        }
        told.push(receipt);
        if let Some(until) = claim_until {
            draft.keep_claimable(number, until, command, effect);
        }
    }
}

impl BoardRule {
    /// The entry of a period after one more value; where it is to be is not yet said.
    #[inline(never)]
    fn applied(
        &self,
        period: Period,
        before: Option<&Entry>,
        value: Score,
        cause: &Cause<'_>,
    ) -> Result<NewEntry, Code> {
        let standing = before.map(Entry::standing);
        // What sorts otherwise was made by a retired board of that name.
        let counted = standing.filter(|standing| standing.sort == self.sort);
        let after = self.operator.apply(counted, self.sort, value, cause.ts, cause.command.received_at);
        let after = after.map_err(|_| Code::ScoreOverflow)?;
        let entry = before.map_or_else(|| Entry::of(period, after), |before| before.with(after));
        Ok(NewEntry { at: 0, rule: 0, is_new: before.is_none(), moves: standing != Some(after), entry })
    }
}

fn value(rule: &BoardRule, cause: &Cause<'_>, xp: Grant) -> Option<Score> {
    if !rule.select.finds(cause.payload) {
        return None;
    }
    // None of them passes INTEGER_MAX.
    let [requested, granted, taken] = [xp.requested, xp.granted, xp.taken].map(u64::cast_signed);
    // Only where values are added up is something taken away again.
    let granted = if rule.operator == Operator::Incr { granted - taken } else { granted };
    let number = |amount: &super::Amount| amount.of(cause.payload, requested, granted);
    let subscore = rule.subvalue.as_ref().and_then(number).unwrap_or(0);
    number(&rule.value).map(|score| Score { score, subscore })
}
