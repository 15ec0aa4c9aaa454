//! The grammar of `bundles`, `loot` and `rewards`: what is given, when, and how.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use super::document::{Read, bounded, name};
use super::names::{Met, Names};
use super::reader::{Fields, Node};
use super::select::{Wanted, wanted};
use super::{Prize, RewardRule, Selector, StreakRule};
use crate::error::Code;
use crate::id::Id;
use crate::limits::{
    CLAIM_SECONDS_MAX, INTEGER_MAX, ITEMS_MAX, LEVEL_RECEIPTS_MAX, LEVELS_MAX, LOOT_ENTRIES_MAX, REWARDS_MAX,
};
use crate::progress::Levels;
use crate::reward::{Entry, Item, Kill, Loot, Pity, StreakDay, Trigger};

/// Items that go together, by name.
pub(super) type Bundles = BTreeMap<Id, Vec<Item>>;

/// What rewards may refer to.
pub(super) struct Given<'a> {
    pub(super) loot: &'a BTreeMap<Id, Loot>,
    pub(super) bundles: &'a Bundles,
    pub(super) streaks: &'a [StreakRule],
    pub(super) levels: &'a Levels,
}

pub(super) fn bundles(node: &Node<'_>) -> Read<Bundles> {
    let no_others = Bundles::new();
    node.named(REWARDS_MAX)?.into_iter().map(|(name, node)| Ok((name, items(&node, &no_others)?))).collect()
}

/// One item or bundle, or a list of them.
pub(super) fn items(node: &Node<'_>, bundles: &Bundles) -> Read<Vec<Item>> {
    let nodes = if node.value().as_object().is_some() { vec![node.clone()] } else { bounded(node, ITEMS_MAX)? };
    let mut items = Vec::new();
    for node in nodes {
        let mut fields = node.fields()?;
        match fields.get("bundle") {
            Some(name) => {
                let bundle = bundles.get(&name.id()?);
                let bundle = bundle.ok_or_else(|| name.error(Code::Missing, "no bundle of this name"))?;
                let times = fields.get("times").map_or(Ok(1), |node| node.uint(1))?;
                fields.end()?;
                let many: Option<Vec<_>> = bundle.iter().map(|item| item.times(times)).collect();
                let too_many = || node.error(Code::OutOfRange, format_args!("an amount would pass {INTEGER_MAX}"));
                items.extend(many.ok_or_else(too_many)?);
            }
            None => items.push(item(fields, &node)?),
        }
    }
    if items.len() > ITEMS_MAX {
        return Err(node.error(Code::TooLong, format_args!("at most {ITEMS_MAX} items")));
    }
    Ok(items)
}

fn item(mut fields: Fields<'_>, node: &Node<'_>) -> Read<Item> {
    let (kind, id) = (fields.need("kind")?.id()?, fields.need("id")?.id()?);
    let amount = fields.need("amount")?.uint(1)?;
    fields.end()?;
    Item::new(kind, id, amount).map_err(|e| node.error(e.code(), "an amount of 1 or more expected"))
}

pub(super) fn loot(node: &Node<'_>, bundles: &Bundles) -> Read<BTreeMap<Id, Loot>> {
    let mut tables = BTreeMap::new();
    for (name, node) in node.named(REWARDS_MAX)? {
        let mut fields = node.fields()?;
        let mut entries = Vec::new();
        for (name, node) in fields.need("entries")?.named(LOOT_ENTRIES_MAX)? {
            let mut fields = node.fields()?;
            let weight = fields.need("weight")?.uint(1)?;
            let items = fields.get("grant").map_or_else(|| Ok(Vec::new()), |node| items(&node, bundles))?;
            fields.end()?;
            entries.push(Entry { name, weight, items });
        }
        let guaranteed = fields.get("guaranteed").map_or_else(|| Ok(Vec::new()), |node| items(&node, bundles))?;
        let mut pity = None;
        if let Some(node) = fields.get("pity") {
            let mut fields = node.fields()?;
            let entry = fields.need("entry")?.id()?;
            let guaranteed_at = fields.need("guaranteedAt")?.u32(1, u32::MAX)?;
            fields.end()?;
            pity = Some(Pity { entry, guaranteed_at });
        }
        fields.end()?;
        tables.insert(name, Loot::new(entries, guaranteed, pity).map_err(|e| node.error(e.code(), e))?);
    }
    Ok(tables)
}

pub(super) fn read(node: &Node<'_>, given: &Given<'_>, names: &Names<'_>) -> Read<Vec<RewardRule>> {
    let mut rewards = Vec::new();
    for (name, node) in node.named(REWARDS_MAX)? {
        let mut fields = node.fields()?;
        let (trigger, select) = trigger(&fields.need("on")?, given.streaks, names)?;
        let prize = match (fields.get("grant"), fields.get("loot")) {
            (Some(grant), None) => Prize::Items(items(&grant, given.bundles)?),
            (None, Some(table)) => {
                let name = table.id()?;
                if !given.loot.contains_key(&name) {
                    return Err(table.error(Code::Missing, "no loot table of this name"));
                }
                Prize::Loot(name)
            }
            _ => return Err(node.error(Code::Missing, "either \"grant\" or \"loot\"")),
        };
        let within = fields.get("claimWithinSeconds").map(|node| node.int(1, CLAIM_SECONDS_MAX)).transpose()?;
        fields.end()?;
        rewards.push(RewardRule { name, trigger, select, prize, claim_within_millis: within.map(|s| s * 1000) });
    }
    // Whoever goes all the way at once is rewarded for every level of it, in one change of one record.
    let fires =
        |rule: &RewardRule| (2..=given.levels.max_level()).filter(|level| rule.trigger.on_level(*level)).count();
    let receipts: u64 = rewards.iter().map(|rule| fires(rule) as u64).sum();
    if receipts > LEVEL_RECEIPTS_MAX {
        let message = format!("{receipts} rewards for all levels together, of at most {LEVEL_RECEIPTS_MAX}");
        return Err(node.error(Code::TooLong, message));
    }
    Ok(rewards)
}

/// What sets it off, and what the event must say beside.
fn trigger(node: &Node<'_>, streaks: &[StreakRule], names: &Names<'_>) -> Read<(Trigger, Selector)> {
    let mut fields = node.fields()?;
    let mut select = Selector::default();
    let step = |step: u32| NonZeroU32::new(step).unwrap_or(NonZeroU32::MIN);
    let trigger = if let Some(level) = fields.get("level") {
        Trigger::Level(level.u32(2, LEVELS_MAX)?)
    } else if let Some(levels) = fields.get("levels") {
        let [first, last] = &levels.elements()?[..] else {
            return Err(levels.error(Code::WrongType, "two levels, such as [10, 20], expected"));
        };
        let from = first.u32(2, LEVELS_MAX)?;
        let through = last.u32(from, LEVELS_MAX)?;
        let every = fields.get("everyLevels").map_or(Ok(1), |every| every.u32(1, LEVELS_MAX))?;
        Trigger::Levels { from, through, every: step(every) }
    } else if let Some(every) = fields.get("everyLevels") {
        Trigger::EveryLevels(step(every.u32(1, LEVELS_MAX)?))
    } else if let Some(boss) = fields.get("boss") {
        let kills = [("first", Kill::First), ("repeat", Kill::Repeat), ("any", Kill::Any)];
        let kill = fields.get("kill").map_or(Ok(Kill::Any), |node| node.word(&kills))?;
        let mut met = names.met(Some(&name("boss_kill")));
        select.wanted = wanted(&mut fields, &mut met)?;
        if let Some(difficulty) = fields.get("difficulty") {
            let (field, wanted) = (name("difficulty"), Wanted::Text(difficulty.id()?.to_string()));
            met.ask(&field, &wanted, &difficulty)?;
            select.agrees(&field, &wanted, &difficulty)?;
            select.wanted.push((field, wanted));
            select.wanted.sort_by(|a, b| a.0.cmp(&b.0));
        }
        Trigger::Boss { boss: named(&boss, "bossId", &mut met, &select)?, kill }
    } else if let Some(drop) = fields.get("drop") {
        let mut met = names.met(Some(&name("drop_claimed")));
        select.wanted = wanted(&mut fields, &mut met)?;
        Trigger::Drop { drop: named(&drop, "dropId", &mut met, &select)? }
    } else if let Some(streak) = fields.get("streak") {
        let name = streak.id()?;
        if !streaks.iter().any(|rule| rule.name == name) {
            return Err(streak.error(Code::Missing, "no streak of this name in \"progress\""));
        }
        let day = match (fields.get("day"), fields.get("everyDays")) {
            (Some(day), None) => StreakDay::Day(day.u32(1, u32::MAX)?),
            (None, Some(every)) => StreakDay::Every(step(every.u32(1, u32::MAX)?)),
            _ => return Err(node.error(Code::Missing, "either \"day\" or \"everyDays\"")),
        };
        Trigger::Streak { streak: name, day }
    } else if let Some(event) = fields.get("event") {
        let kind = names.event_type(&event)?;
        select.wanted = wanted(&mut fields, &mut names.met(Some(&kind)))?;
        Trigger::Event { kind }
    } else {
        return Err(node.error(Code::Missing, "one of level, levels, everyLevels, boss, drop, streak, event"));
    };
    fields.end()?;
    Ok((trigger, select))
}

/// The boss or drop that a reward is for, which its events can name and `where` does not rule out.
fn named(node: &Node<'_>, field: &'static str, met: &mut Met<'_>, select: &Selector) -> Read<Id> {
    let field = name(field);
    let id = met.ask_name(&field, node)?;
    select.agrees(&field, &Wanted::Text(id.to_string()), node)?;
    Ok(id)
}
