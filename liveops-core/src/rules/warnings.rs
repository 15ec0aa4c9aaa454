//! What a rules document says that may be meant, or not.
//!
//! What can never act by the type or range of a field is refused when the rules are read. Here stands what is sound but
//! changes nothing, is never reached or fed, or can be foretold. Nothing else depends on it.

use std::collections::BTreeSet;

use serde::Serialize;

use super::document::name as name_of;
use super::names::Names;
use super::select::Selector;
use super::watch::FamilyRule;
use super::{Amount, BoardRule, DetectorRule, PayoutRule, Prize, RewardRule, Rules};
use crate::anomaly::{Action, DetectorKind};
use crate::board::{Cut, Operator};
use crate::event::{EventSchema, FieldKind, UnknownFields};
use crate::id::Id;
use crate::json::push_segment;
use crate::limits::INTEGER_MAX;
use crate::progress::Ratio;
use crate::reward::Trigger;
use crate::window::Window;

/// Something in a rules document that may be meant, or not. The rules are in force all the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RulesWarning {
    /// Where: a JSON Pointer (RFC 6901).
    pub path: String,
    /// What kind of thing.
    pub code: WarningCode,
    /// What follows from it, for people.
    pub message: String,
}

/// `<path>: <message>`.
impl std::fmt::Display for RulesWarning {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.path, self.message)
    }
}

/// What kind of thing a warning is about; its text is stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum WarningCode {
    /// It changes nothing: an amount of 0, a factor of 1, a grant of no items.
    NoEffect,
    /// It waits for what does not come: levels beyond the last, more findings than there are.
    NeverReached,
    /// Some of the ranks of a payout tier go to a tier before it.
    Covered,
    /// Rolls of loot follow from the game's name, because the rules were given no seed.
    Foreseeable,
    /// No event says what it counts or looks at.
    Unfed,
    /// Nothing in the document names it.
    Unused,
}

impl WarningCode {
    /// The stable text.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoEffect => "no_effect",
            Self::NeverReached => "never_reached",
            Self::Covered => "covered",
            Self::Foreseeable => "foreseeable",
            Self::Unfed => "unfed",
            Self::Unused => "unused",
        }
    }
}

impl Rules {
    /// What in the document may be meant, or not, in the order of the reference `docs/rules.md`. To be read once, when the
    /// rules are put in force, by whoever wrote them.
    ///
    /// ```
    /// use liveops_core::Rules;
    ///
    /// let rules = Rules::from_json(r#"{ "version": 1, "game": "emberfall", "progress": {
    ///     "curve": { "kind": "linear", "base": 100, "step": 0, "maxLevel": 9 },
    ///     "xp": [ { "on": "boss_kill", "amount": 0 } ] } }"#)?;
    /// let [warning] = &rules.warnings()[..] else { panic!("one") };
    /// assert_eq!((warning.path.as_str(), warning.code.as_str()), ("/progress/xp/0/amount", "no_effect"));
    /// # Ok::<(), liveops_core::rules::RulesError>(())
    /// ```
    pub fn warnings(&self) -> Vec<RulesWarning> {
        let names = Names::new(&self.door.schemas);
        let mut found = Found { all: Vec::new(), names: &names, xp_rules: self.xp_rules(&names) };
        self.progress_warnings(&mut found);
        self.rewards.iter().for_each(|rule| self.reward_warnings(rule, &mut found));
        self.loot_warnings(&mut found);
        self.bundle_warnings(&mut found);
        self.boards.iter().for_each(|rule| self.board_warnings(rule, &mut found));
        self.detectors.iter().for_each(|rule| self.detector_warnings(rule, &mut found));
        self.families.iter().for_each(|rule| family_warnings(rule, &mut found));
        self.alert_warnings(&mut found);
        found.all
    }

    fn progress_warnings(&self, found: &mut Found<'_>) {
        for (at, (select, amount)) in self.xp.iter().enumerate().filter(|_| self.says("/progress/xp")) {
            let message = match range(select, amount, found) {
                Some((0, 0)) => "it gives no XP",
                // Of a field that is described, it was refused: nobody knows what a kept one holds.
                Some((..0, _)) if self.progression.floor.is_none() => {
                    "where it is negative, nothing is taken without a \"floor\""
                }
                _ => continue,
            };
            found.push(WarningCode::NoEffect, &["progress", "xp", &at.to_string(), "amount"], message);
        }
        if self.progression.daily_xp_cap == Some(0) {
            let message = "nobody is ever granted XP: leave the cap out if there is to be none";
            found.push(WarningCode::NoEffect, &["progress", "dailyXpCap"], message);
        }
        for (at, boost) in self.progression.boosts.iter().enumerate() {
            if boost.factor == Ratio::ONE {
                let at = at.to_string();
                found.push(
                    WarningCode::NoEffect,
                    &["progress", "boosts", &at, "factor"],
                    "a factor of 1 changes nothing",
                );
            }
        }
        if self.overflow.as_ref().is_some_and(|rule| rule.items.is_empty()) {
            found.push(WarningCode::NoEffect, &["progress", "atMaxLevel", "convert", "grant"], NO_ITEMS);
        }
    }

    fn reward_warnings(&self, rule: &RewardRule, found: &mut Found<'_>) {
        let name = rule.name.as_str();
        let last = self.progression.levels.max_level();
        let reached = (2..=last).any(|level| rule.trigger.on_level(level));
        let member = match rule.trigger {
            Trigger::Level(_) => Some("level"),
            // A range that would be reached but for its step.
            Trigger::Levels { from, every, .. } if from <= last && !reached && every.get() > 1 => Some("everyLevels"),
            Trigger::Levels { .. } => Some("levels"),
            Trigger::EveryLevels(_) => Some("everyLevels"),
            _ => None,
        };
        if let Some(member) = member {
            let path = ["rewards", name, "on", member];
            let beyond = matches!(rule.trigger, Trigger::Levels { through, .. } if through > last);
            if self.mark.is_none() {
                found.push(WarningCode::NeverReached, &path, "without \"progress\" there are no levels to rise to");
            } else if !reached {
                found.push(WarningCode::NeverReached, &path, format!("the last level is {last}: no level is rewarded"));
            } else if beyond {
                found.push(
                    WarningCode::NeverReached,
                    &path,
                    format!("the last level is {last}: no later one is reached"),
                );
            }
        }
        if matches!(&rule.prize, Prize::Items(items) if items.is_empty()) {
            found.push(WarningCode::NoEffect, &["rewards", name, "grant"], NO_ITEMS);
        }
    }

    fn loot_warnings(&self, found: &mut Found<'_>) {
        let opens = |rule: &RewardRule, table: &Id| matches!(&rule.prize, Prize::Loot(name) if name == table);
        let is_opened = |table: &Id| self.rewards.iter().any(|rule| opens(rule, table));
        if self.loot_seed.is_none() && self.loot.keys().any(is_opened) {
            let message =
                "rolls follow from the game's name, so anyone can foretell them: give the rules a secret loot seed";
            found.push(WarningCode::Foreseeable, &["loot"], message);
        }
        for (table, loot) in &self.loot {
            if loot.entries().len() > 1 && loot.pity().is_some_and(|pity| pity.guaranteed_at == 1) {
                let message = "every roll gives the entry of the pity: the others never come";
                found.push(WarningCode::NeverReached, &["loot", table.as_str(), "pity", "guaranteedAt"], message);
            }
        }
        for table in self.loot.keys().filter(|table| !is_opened(table)) {
            found.push(WarningCode::Unused, &["loot", table.as_str()], "no reward opens it");
        }
    }

    /// The rules keep the items of bundles, not the bundles: both stand in the document.
    fn bundle_warnings(&self, found: &mut Found<'_>) {
        let named = |(path, leaf): (&String, &String)| {
            let name: String = path.ends_with("/bundle").then(|| serde_json::from_str(leaf).ok()).flatten()?;
            Some(path_of(&["bundles", &name]))
        };
        let named: BTreeSet<String> = self.leaves.iter().filter_map(named).collect();
        let bundle = |path: &String| {
            let name = path.strip_prefix("/bundles/")?.split('/').next()?;
            Some(format!("/bundles/{name}"))
        };
        let bundles: BTreeSet<String> = self.leaves.keys().filter_map(bundle).collect();
        for path in bundles.difference(&named) {
            let message = "no grant names it".to_owned();
            found.all.push(RulesWarning { path: path.clone(), code: WarningCode::Unused, message });
        }
    }

    fn board_warnings(&self, rule: &BoardRule, found: &mut Found<'_>) {
        let board = rule.board.as_str();
        // What is taken counts only where scores add up.
        let nets = rule.operator == Operator::Incr && self.takes_xp(&rule.select, found);
        let is_fed = |value: &Amount| (nets && *value == Amount::GrantedXp) || self.is_fed(&rule.select, value, found);
        let (value_is_fed, subvalue_is_fed) = (is_fed(&rule.value), rule.subvalue.as_ref().is_none_or(is_fed));
        if !value_is_fed {
            let message = "no event counts: none that it is about has the value";
            found.push(WarningCode::Unfed, &["boards", board, "value"], message);
        } else if matches!(rule.operator, Operator::Incr | Operator::Decr)
            && range(&rule.select, &rule.value, found) == Some((0, 0))
        {
            found.push(WarningCode::NoEffect, &["boards", board, "value"], "every score stays 0");
        }
        if !subvalue_is_fed {
            let message = "it is always 0: no event that counts has the value";
            found.push(WarningCode::Unfed, &["boards", board, "subvalue"], message);
        }
        // A table of seasons that has none: nothing is ever in season.
        let no_seasons = self.leaves.get("/calendar/seasons/table").is_some_and(|table| table == "[]");
        if no_seasons && rule.keep(Window::Seasonal).is_some() {
            found.push(
                WarningCode::Unfed,
                &["boards", board, "keepPeriods", "seasonal"],
                "the calendar has no seasons",
            );
        }
        rule.payouts.iter().for_each(|payout| tier_warnings(board, payout, found));
    }

    fn detector_warnings(&self, rule: &DetectorRule, found: &mut Found<'_>) {
        let name = rule.name.as_str();
        if range(&rule.select, &rule.value, found).is_some_and(|(min, max)| min == max) {
            found.push(
                WarningCode::NoEffect,
                &["detectors", name, "value"],
                "what is always the same is never unusual",
            );
        } else if !self.is_fed(&rule.select, &rule.value, found) {
            found.push(WarningCode::Unfed, &["detectors", name], "no event that it is about has the value");
        }
    }

    fn alert_warnings(&self, found: &mut Found<'_>) {
        let asks = self.agreement.budget.is_some() || self.agreement.findings > 1;
        if asks && self.detectors.is_empty() && self.families.is_empty() {
            found.push(WarningCode::Unfed, &["alerts"], "there are no detectors");
            return;
        }
        let acts = |action: &&Action| **action != Action::Allow;
        // Different findings are those of different detectors, or for different reasons.
        let reasons = |rule: &DetectorRule| if matches!(rule.kind, DetectorKind::TimeFloor { .. }) { 1 } else { 2 };
        let single: usize = self.detectors.iter().filter(|rule| acts(&&rule.action)).map(reasons).sum();
        let families: usize = self.families.iter().map(|rule| rule.actions.iter().filter(acts).count()).sum();
        if self.agreement.findings as usize > single + families {
            let message = format!("there are at most {} different findings: nothing is acted upon", single + families);
            found.push(WarningCode::NeverReached, &["alerts", "corroborate", "findings"], message);
        }
    }

    /// Worked out once: every board and detector may ask.
    fn xp_rules<'r>(&'r self, names: &'r Names<'r>) -> Vec<XpRule<'r>> {
        self.xp
            .iter()
            .map(|(select, amount)| {
                let met = names.met_by(select);
                let types = |asked: fn((i64, i64)) -> bool| {
                    let asks = |schema: &EventSchema| match amount {
                        Amount::Fixed(amount) => asked((*amount, *amount)),
                        Amount::Field(field) => numbers(schema, field).is_some_and(asked),
                        Amount::RequestedXp | Amount::GrantedXp => false,
                    };
                    met.types().filter(|(_, schema)| asks(schema)).map(|(kind, _)| kind).collect()
                };
                XpRule { select, gain: types(|(_, max)| max > 0), lose: types(|(min, _)| min < 0) }
            })
            .collect()
    }

    /// Whether some event of the selection has the number.
    fn is_fed(&self, select: &Selector, amount: &Amount, found: &Found<'_>) -> bool {
        match amount {
            Amount::Fixed(_) | Amount::Field(_) => range(select, amount, found).is_some(),
            Amount::RequestedXp => found.gives_xp(select),
            Amount::GrantedXp => found.gives_xp(select) && self.progression.daily_xp_cap != Some(0),
        }
    }

    /// Whether some event of the selection takes XP.
    fn takes_xp(&self, select: &Selector, found: &Found<'_>) -> bool {
        self.progression.floor.is_some() && found.moves_xp(select, |rule| &rule.lose)
    }

    /// Whether the document has something at a path.
    fn says(&self, path: &str) -> bool {
        let below = format!("{path}/");
        self.leaves.contains_key(path)
            || self.leaves.range(below.clone()..).next().is_some_and(|(p, _)| p.starts_with(&below))
    }
}

const NO_ITEMS: &str = "its receipts hold nothing";

/// Tiers of ranks that one before has taken some of. A percentage behind others is no fault: it cannot say where it begins.
fn tier_warnings(board: &str, payout: &PayoutRule, found: &mut Found<'_>) {
    for (at, tier) in payout.tiers.iter().enumerate() {
        let place = at.to_string();
        let path = |member| ["boards", board, "payouts", payout.window.as_str(), &place, member];
        if payout.grant(tier.name.as_str()).is_some_and(<[_]>::is_empty) {
            found.push(WarningCode::NoEffect, &path("grant"), NO_ITEMS);
        }
        let Cut::Ranks { from, through } = tier.cut else { continue };
        let taken = payout.tiers.iter().take(at).find_map(|before| match before.cut {
            Cut::Ranks { from: first, through: last } => {
                let (first, last) = (first.max(from), last.min(through));
                (first <= last).then(|| format!("ranks {first} to {last} go to tier {} before it", before.name))
            }
            Cut::Percent(percent) => Some(format!(
                "the first {percent} % go to tier {} before it, of a large board all of these ranks",
                before.name
            )),
        });
        if let Some(message) = taken {
            found.push(WarningCode::Covered, &path("ranks"), message);
        }
    }
}

fn family_warnings(rule: &FamilyRule, found: &mut Found<'_>) {
    let name = rule.name.as_str();
    let types: Vec<_> = found.names.met_by(&rule.select).types().collect();
    let names = |kind: &str, field: &str| {
        types.iter().any(|(known, schema)| **known == *kind && schema.field(field).is_some_and(|f| is_name(&f.kind)))
    };
    let kills = names("boss_kill", "bossId")
        && types.iter().any(|(_, schema)| numbers(schema, &name_of("durationMs")).is_some_and(|(_, max)| max > 0));
    let claims = names("drop_claimed", "dropId");
    let killed = |boss: &Id| kills && rule.select.can_name("bossId", boss);
    let is_fed = found.gives_xp(&rule.select) || kills || (claims && !rule.odds.is_empty());
    if !is_fed {
        found.push(WarningCode::Unfed, &["detectors", name], "no event that it is about has XP, a kill or a drop");
        return;
    }
    for (boss, _) in rule.floors.iter().filter(|(boss, _)| !killed(boss)) {
        let message = "the family is about no kill of this boss";
        found.push(WarningCode::Unfed, &["detectors", name, "floors", boss.as_str()], message);
    }
    for drop in &rule.odds {
        let claimed = claims && rule.select.can_name("dropId", &drop.drop);
        if !killed(&drop.boss) || !claimed {
            let message = "the family is not about both the kills of its boss and the claims of it";
            found.push(WarningCode::Unfed, &["detectors", name, "drops", drop.drop.as_str()], message);
        }
    }
}

/// The least and the greatest that a number can be, on any event type that the selection can meet; `None` if it is XP, or of no
/// such event.
fn range(select: &Selector, amount: &Amount, found: &Found<'_>) -> Option<(i64, i64)> {
    match amount {
        Amount::Fixed(amount) => Some((*amount, *amount)),
        Amount::Field(field) => {
            let met = found.names.met_by(select);
            let ranges = met.types().filter_map(|(_, schema)| numbers(schema, field));
            ranges.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
        }
        Amount::RequestedXp | Amount::GrantedXp => None,
    }
}

fn is_name(kind: &FieldKind) -> bool {
    matches!(kind, FieldKind::Id | FieldKind::Enum(_))
}

/// The whole numbers that an event of a type can have in a field. What is kept can be any.
fn numbers(schema: &EventSchema, field: &Id) -> Option<(i64, i64)> {
    match schema.field(field.as_str()).map(|field| &field.kind) {
        Some(FieldKind::Int { min, max } | FieldKind::Uint { min, max }) => Some((*min, *max)),
        Some(_) => None,
        None => (schema.unknown_fields == UnknownFields::Keep).then_some((-INTEGER_MAX, INTEGER_MAX)),
    }
}

/// Warnings on their way, and what many of them ask for.
struct Found<'r> {
    all: Vec<RulesWarning>,
    names: &'r Names<'r>,
    xp_rules: Vec<XpRule<'r>>,
}

/// Which events a rule for XP is about, and the types of those that can gain something by it, or lose.
struct XpRule<'r> {
    select: &'r Selector,
    gain: BTreeSet<&'r Id>,
    lose: BTreeSet<&'r Id>,
}

impl<'r> Found<'r> {
    /// Whether some event of the selection asks for XP.
    fn gives_xp(&self, select: &Selector) -> bool {
        self.moves_xp(select, |rule| &rule.gain)
    }

    fn moves_xp(&self, select: &Selector, types: for<'x> fn(&'x XpRule<'r>) -> &'x BTreeSet<&'r Id>) -> bool {
        let met: Vec<_> = self.names.met_by(select).types().map(|(kind, _)| kind).collect();
        let moves = |rule| met.iter().any(|kind| types(rule).contains(kind));
        self.xp_rules.iter().any(|rule| !rule.select.rules_out(select) && moves(rule))
    }

    fn push(&mut self, code: WarningCode, path: &[&str], message: impl Into<String>) {
        self.all.push(RulesWarning { path: path_of(path), code, message: message.into() });
    }
}

fn path_of(segments: &[&str]) -> String {
    let mut path = String::new();
    for segment in segments {
        push_segment(&mut path, segment);
    }
    path
}
