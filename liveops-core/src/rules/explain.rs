//! Why a player has this XP, this level and these rewards: line by line, from what is stored.

use std::fmt::Write as _;

use serde::Serialize;

use super::Rules;
use crate::hash::Digest;
use crate::id::{CommandId, Origin, PlayerId};
use crate::progress::LevelProgress;
use crate::record::{Effect, Player, Receipt, StoredOutcome};
use crate::reward::{Item, ReceiptState, Scope};
use crate::time::Timestamp;
use crate::window::Window;

/// Why a player has what the player has, in lines that people can read and programs can add up: the
/// [`xp`](ExplanationLine::xp) of all lines is the player's total.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Explanation {
    /// Who.
    pub player_id: PlayerId,
    /// Experience, ever.
    pub xp: u64,
    /// The level.
    pub level: u32,
    /// Level first, then where the XP came from, oldest first, then the rest.
    pub lines: Vec<ExplanationLine>,
}

/// One line of an [`Explanation`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ExplanationLine {
    /// What it is about.
    pub topic: Topic,
    /// In words.
    pub text: String,
    /// Experience that it added to the total, or took away; 0 where it is about something else.
    pub xp: i64,
    /// When what it is about happened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ts: Option<Timestamp>,
    /// The command that did it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<CommandId>,
    /// The receipt's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub receipt: Option<Digest>,
}

/// What a line of an [`Explanation`] is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Topic {
    /// Where the total stands on the curve.
    Level,
    /// Experience granted, adjusted, or changed with the curve.
    Xp,
    /// An event that is held back.
    Held,
    /// The daily cap.
    DailyCap,
    /// Days in a row.
    Streak,
    /// Experience gathered beyond the highest level.
    Overflow,
    /// A receipt.
    Reward,
}

impl ExplanationLine {
    const fn new(topic: Topic, text: String) -> Self {
        Self { topic, text, xp: 0, ts: None, cause: None, receipt: None }
    }
}

impl Rules {
    /// Explains a player at a time, from the record, the outcomes and the receipts that are kept. What came from commands
    /// whose outcomes are no longer kept is one line. [`crate::Engine::explain`] reads them itself.
    pub fn explain<'a>(
        &self,
        id: &PlayerId,
        player: &Player,
        outcomes: impl IntoIterator<Item = (&'a CommandId, &'a StoredOutcome)>,
        receipts: impl IntoIterator<Item = &'a Receipt>,
        now: Timestamp,
    ) -> Explanation {
        let view = self.view(id, player);
        let mut lines = vec![self.level_line(view.xp)];
        let mut outcomes: Vec<_> = outcomes.into_iter().collect();
        outcomes.sort_by(|a, b| (a.1.ts, a.0).cmp(&(b.1.ts, b.0)));
        let told: Vec<_> = outcomes.into_iter().filter_map(|(id, outcome)| outcome_line(id, outcome)).collect();
        let integer = |xp: u64| i64::try_from(xp).unwrap_or(i64::MAX);
        let known: i64 = told.iter().fold(0, |sum, line| sum.saturating_add(line.xp));
        let earlier = integer(player.xp).saturating_sub(known);
        if earlier != 0 {
            let text = format!("{earlier:+} XP from commands whose outcomes are no longer kept");
            lines.push(ExplanationLine { xp: earlier, ..ExplanationLine::new(Topic::Xp, text) });
        }
        lines.extend(told);
        if view.xp != player.xp {
            let change = integer(view.xp).saturating_sub(integer(player.xp));
            let text = format!("{change:+} XP because the level curve has changed; stored with the next command");
            lines.push(ExplanationLine { xp: change, ..ExplanationLine::new(Topic::Xp, text) });
        }
        lines.extend(self.cap_line(player, now));
        lines.extend(self.streak_lines(player, now));
        if !player.rare().overflow.is_empty() {
            let (units, rest) = (player.rare().overflow.units, player.rare().overflow.rest);
            let text =
                format!("beyond the highest level: {units} times turned into a reward, {rest} XP towards the next");
            lines.push(ExplanationLine::new(Topic::Overflow, text));
        }
        lines.extend(receipts.into_iter().map(|receipt| receipt_line(receipt, now)));
        Explanation { player_id: id.clone(), xp: view.xp, level: view.level, lines }
    }

    fn level_line(&self, xp: u64) -> ExplanationLine {
        let levels = &self.progression.levels;
        let LevelProgress { level, to_next, .. } = levels.progress(xp);
        let start = levels.total(level);
        let text = match to_next {
            Some(to_next) => format!(
                "level {level}: {xp} XP; it starts at {start}, level {} at {}, {to_next} XP from here",
                level + 1,
                levels.total(level + 1)
            ),
            None => format!("level {level}, the highest: {xp} XP; it starts at {start}"),
        };
        ExplanationLine::new(Topic::Level, text)
    }

    fn cap_line(&self, player: &Player, now: Timestamp) -> Option<ExplanationLine> {
        let cap = self.progression.daily_xp_cap?;
        let today = self.calendar.period(Window::Daily, now)?;
        let text = format!("{} XP of at most {cap} today", player.xp_on(today.index));
        Some(ExplanationLine::new(Topic::DailyCap, text))
    }

    fn streak_lines(&self, player: &Player, now: Timestamp) -> Vec<ExplanationLine> {
        let today = self.calendar.period(Window::Daily, now);
        let line = |rule: &super::StreakRule| {
            let streak = player.streak(&rule.name);
            let length = streak.length_on(today?.index, rule.missed_days_max);
            let days = |count: u32| if count == 1 { "1 day".to_owned() } else { format!("{count} days") };
            let text = format!("streak {}: {} in a row, {} at the most", rule.name, days(length), days(streak.longest));
            (streak.length > 0).then(|| ExplanationLine::new(Topic::Streak, text))
        };
        self.streaks.iter().filter_map(line).collect()
    }
}

/// `None` for a command that has nothing to do with experience.
fn outcome_line(id: &CommandId, outcome: &StoredOutcome) -> Option<ExplanationLine> {
    let Effect { xp, adjusted, .. } = &outcome.effect;
    let (held, migrated) = (outcome.effect.held(), outcome.effect.migrated());
    let whose = match id.origin {
        Origin::Event => format!("event {}", id.id),
        Origin::Operator => format!("operator's {}", id.id),
    };
    let mut text = format!("{whose}:");
    let mut change = 0_i64;
    // Writing to a string cannot fail.
    if let Some(migrated) = migrated {
        let moved = migrated.to_xp.cast_signed().saturating_sub(migrated.from_xp.cast_signed());
        change = change.saturating_add(moved);
        let (from, to) = (migrated.from_level, migrated.to_level);
        _ = write!(text, " the level curve changed, {moved:+} XP, ");
        _ = if from == to { write!(text, "level {to} as before;") } else { write!(text, "level {from} became {to};") };
    }
    if *adjusted != 0 {
        change = change.saturating_add(*adjusted);
        _ = write!(text, " {adjusted:+} XP by support;");
    }
    if xp.requested > 0 || xp.granted > 0 {
        change = change.saturating_add(xp.granted.cast_signed());
        _ = write!(text, " {} asked for", xp.requested);
        if xp.boost != 0 {
            _ = write!(text, ", {:+} by boosts", xp.boost);
        }
        for (withheld, why) in
            [(xp.over_daily_cap, "over the daily cap"), (xp.over_max_level, "beyond the highest level")]
        {
            if withheld > 0 {
                _ = write!(text, ", -{withheld} {why}");
            }
        }
        _ = write!(text, ": {:+} XP;", xp.granted);
    }
    if xp.taken > 0 {
        change = change.saturating_sub_unsigned(xp.taken);
        _ = write!(text, " -{} XP taken away;", xp.taken);
    }
    let mut topic = Topic::Xp;
    if let Some(number) = held {
        topic = Topic::Held;
        _ = write!(text, " held back under suspicion {number};");
    }
    if text.ends_with(':') {
        return None;
    }
    text.pop();
    Some(ExplanationLine {
        xp: change,
        ts: Some(outcome.ts),
        cause: Some(id.clone()),
        ..ExplanationLine::new(topic, text)
    })
}

fn receipt_line(receipt: &Receipt, now: Timestamp) -> ExplanationLine {
    let Receipt { number, reward, scope, items, cause, .. } = receipt;
    let what_for = match scope {
        Scope::Level(level) => format!("for level {level}"),
        Scope::Event { id, .. } => format!("for event {id}"),
        Scope::Payout { board, period, tier } => {
            format!("for tier {tier} of board {board}, {} {}", period.window.as_str(), period.index)
        }
        Scope::Streak { streak, day } => format!("for a day of streak {streak} (day {day})"),
        Scope::Overflow { units } => format!("for XP beyond the highest level (unit {units})"),
        Scope::Revoke { number, .. } => format!("takes back receipt {number}"),
    };
    let state = match receipt.state_at(now) {
        ReceiptState::Issued => "given",
        ReceiptState::Claimable => "waits to be claimed",
        ReceiptState::Claimed => "claimed",
        ReceiptState::Expired => "not claimed in time",
        ReceiptState::Revoked => "revoked",
    };
    let item = |item: &Item| format!("{} {} ({})", item.amount(), item.id(), item.kind());
    let items: Vec<_> = items.iter().map(item).collect();
    let items = if items.is_empty() { "nothing".to_owned() } else { items.join(", ") };
    let text = format!("receipt {number}: {reward} {what_for}: {items}; {state}");
    ExplanationLine {
        ts: Some(receipt.ts),
        cause: Some(cause.clone()),
        receipt: Some(receipt.id),
        ..ExplanationLine::new(Topic::Reward, text)
    }
}
