//! The grammar of `detectors` and `alerts`.

use std::collections::BTreeMap;

use super::document::name as literal;
use super::names::{Met, Names};
use super::reader::{Fields, Node, RulesError};
use super::select::{Wanted, amount, select};
use super::watch::{Agreement, FamilyDrop, FamilyRule};
use super::{Amount, DetectorRule, Selector};
use crate::anomaly::{
    Action, AlertBudget, DetectorKind, Family, FamilyDetector, Population, Prior, Threshold, Thresholds,
};
use crate::error::Code;
use crate::exact::Rate;
use crate::id::Id;
use crate::limits::{DETECTORS_MAX, DOUBTS_MAX, PITY_ROLLS_OF_ODDS_MAX};
use crate::reward::Loot;

/// What `detectors` says.
#[derive(Default)]
pub(super) struct Read {
    pub(super) detectors: Vec<DetectorRule>,
    pub(super) families: Vec<FamilyRule>,
}

pub(super) fn read(
    node: &Node<'_>,
    names: &Names<'_>,
    activities: &[Id],
    loot: &BTreeMap<Id, Loot>,
) -> Result<Read, RulesError> {
    let mut read = Read::default();
    let mut loot = LootOdds { tables: loot, known: BTreeMap::new(), rolls: 0 };
    for (name, node) in node.named(DETECTORS_MAX)? {
        let mut fields = node.fields()?;
        let kind = fields.need("kind")?.word(&[
            ("family", "family"),
            ("zScore", "zScore"),
            ("ewma", "ewma"),
            ("robust", "robust"),
            ("timeFloor", "timeFloor"),
        ])?;
        if kind == "family" {
            read.families.push(family(name, &node, fields, names, activities, &mut loot)?);
            continue;
        }
        let action = fields.get("action").map_or(Ok(Action::Flag), |node| action(&node))?;
        let (select, value, kind) = if kind == "timeFloor" {
            let mut kills = names.met(Some(&literal("boss_kill")));
            let boss_node = fields.need("boss")?;
            let boss = boss_node.id()?;
            kills.ask(&literal("bossId"), &Wanted::Text(boss.to_string()), &boss_node)?;
            let minimum_ms = floor(&fields.need("minimumMs")?, &kills)?;
            let wanted = vec![(literal("bossId"), Wanted::Text(boss.to_string()))];
            let select = Selector { on: Some(literal("boss_kill")), wanted };
            (select, Amount::Field(literal("durationMs")), DetectorKind::TimeFloor { minimum_ms })
        } else {
            let (select, met) = select(&mut fields, names)?;
            let value = fields.get("value").map_or(Ok(Amount::RequestedXp), |node| amount(&node, &met, true))?;
            let threshold = fields.get("threshold").map_or(Ok(Threshold::DEFAULT), |node| {
                let wrong = || node.error(Code::InvalidFormat, "a positive decimal such as \"6\" expected");
                Threshold::parse(node.decimal()?).ok_or_else(wrong)
            })?;
            let kind = match kind {
                "zScore" => DetectorKind::ZScore { threshold },
                "ewma" => {
                    DetectorKind::Ewma { threshold, span: fields.get("span").map_or(Ok(50), |n| n.u32(10, 10_000))? }
                }
                _ => {
                    DetectorKind::Robust { threshold, prior: fields.get("prior").map(|node| prior(&node)).transpose()? }
                }
            };
            (select, value, kind)
        };
        fields.end()?;
        read.detectors.push(DetectorRule { name, select, value, kind, action });
    }
    Ok(read)
}

fn prior(node: &Node<'_>) -> Result<Prior, RulesError> {
    let mut fields = node.fields()?;
    let [mean, sd, weight] = [fields.need("mean")?, fields.need("sd")?, fields.need("weight")?];
    fields.end()?;
    Prior::parse(mean.decimal()?, sd.decimal()?, weight.decimal()?)
        .ok_or_else(|| node.error(Code::InvalidFormat, "decimals such as \"4.6\"; sd and weight are positive"))
}

/// The shortest possible duration of a kill: no kill could be shorter if events may not have it shorter anyway.
fn floor(node: &Node<'_>, kills: &Met<'_>) -> Result<u32, RulesError> {
    let (shortest, _) = kills.whole_numbers(&literal("durationMs"), node)?;
    let floor = node.u32(1, u32::MAX)?;
    if i64::from(floor) <= shortest {
        let message = format!("more than {shortest} expected: no event has a shorter `durationMs`");
        return Err(node.error(Code::OutOfRange, message));
    }
    Ok(floor)
}

fn action(node: &Node<'_>) -> Result<Action, RulesError> {
    node.word(&[("allow", Action::Allow), ("flag", Action::Flag), ("hold", Action::Hold)])
}

/// A family of detectors: what each does, floors and odds that the rules know, thresholds.
fn family(
    name: Id,
    node: &Node<'_>,
    mut fields: Fields<'_>,
    names: &Names<'_>,
    activities: &[Id],
    loot: &mut LootOdds<'_>,
) -> Result<FamilyRule, RulesError> {
    let (select, _) = select(&mut fields, names)?;
    let (kills, claims) = (names.met(Some(&literal("boss_kill"))), names.met(Some(&literal("drop_claimed"))));
    let mut actions = [Action::Flag; FamilyDetector::ALL.len()];
    if let Some(node) = fields.get("action") {
        if node.value().as_str().is_some() {
            actions.fill(action(&node)?);
        } else {
            for (detector, node) in by_detector(&node)? {
                actions[detector.place()] = action(&node)?;
            }
        }
    }
    let mut thresholds = Thresholds::DEFAULT;
    if let Some(node) = fields.get("thresholds") {
        for (detector, node) in by_detector(&node)? {
            let wrong = || node.error(Code::InvalidFormat, "a positive decimal such as \"18\" expected");
            let threshold = Threshold::parse(node.decimal()?).ok_or_else(wrong)?;
            thresholds = thresholds.with(detector, threshold.get()).map_err(|_| wrong())?;
        }
    }
    let mut floors = Vec::new();
    if let Some(node) = fields.get("floors") {
        for (boss, node) in node.named(Family::NAMES_MAX)? {
            kills.clone().ask_key(&literal("bossId"), &boss, &node)?;
            floors.push((boss, floor(&node, &kills)?));
        }
    }
    let mut drops: Vec<FamilyDrop> = Vec::new();
    if let Some(node) = fields.get("drops") {
        for (drop, node) in node.named(Family::NAMES_MAX)? {
            let mut fields = node.fields()?;
            claims.clone().ask_key(&literal("dropId"), &drop, &node)?;
            let boss = fields.need("boss")?;
            let id = kills.clone().ask_name(&literal("bossId"), &boss)?;
            if drops.iter().any(|known| known.boss == id) {
                return Err(boss.error(Code::InvalidFormat, "one drop of a boss is watched"));
            }
            let node = fields.need("odds")?;
            fields.end()?;
            let odds = loot.read(&node)?;
            let mut trial = Family::new(Population::default());
            let wrong = |_| node.error(Code::OutOfRange, "odds above 0 and below 1, such as \"0.05\", expected");
            trial.drop_odds(drop.as_str(), odds.get()).map_err(wrong)?;
            drops.push(FamilyDrop { drop, boss: id, odds });
        }
    }
    fields.end()?;
    // Types first, so that no activity that is listed later moves one.
    let types = names.met(None);
    let apart = types.types().map(|(kind, _)| kind).chain(activities).cloned().collect();
    let rule = FamilyRule::new(name, select, actions, floors, drops, apart, thresholds);
    rule.map_err(|code| node.error(code, format_args!("at most {} bosses and drops", Family::NAMES_MAX)))
}

/// The odds of loot tables that detectors name, each worked out once.
struct LootOdds<'a> {
    tables: &'a BTreeMap<Id, Loot>,
    known: BTreeMap<(Id, Id), Option<Rate>>,
    /// Until pity, of all that are known.
    rolls: u32,
}

impl LootOdds<'_> {
    /// A decimal, or an entry of a loot table, whose odds are then those of the long run: pity makes it likelier, and nobody who
    /// rolls there is to stand out for it.
    fn read(&mut self, node: &Node<'_>) -> Result<Threshold, RulesError> {
        let wrong = || node.error(Code::OutOfRange, "odds above 0 and below 1, such as \"0.05\", expected");
        if node.value().as_object().is_none() {
            return Threshold::parse(node.decimal()?).ok_or_else(wrong);
        }
        let mut fields = node.fields()?;
        let (table, entry) = (fields.need("loot")?, fields.need("entry")?);
        fields.end()?;
        let name = (table.id()?, entry.id()?);
        let loot = self.tables.get(&name.0).ok_or_else(|| table.error(Code::Missing, "no loot table of this name"))?;
        let rate = if let Some(rate) = self.known.get(&name) {
            *rate
        } else {
            self.rolls += loot.pity().map_or(0, |pity| pity.guaranteed_at);
            if self.rolls > PITY_ROLLS_OF_ODDS_MAX {
                let message = format!("odds of tables with at most {PITY_ROLLS_OF_ODDS_MAX} rolls to pity together");
                return Err(node.error(Code::OutOfRange, message));
            }
            *self.known.entry(name.clone()).or_insert(loot.long_run(&name.1))
        };
        let rate = rate.ok_or_else(|| entry.error(Code::Missing, "the table has no such entry"))?;
        Threshold::new(rate.into()).ok_or_else(wrong)
    }
}

/// An object by the names of a family's detectors.
fn by_detector<'v>(node: &Node<'v>) -> Result<Vec<(FamilyDetector, Node<'v>)>, RulesError> {
    let named = node.named(FamilyDetector::ALL.len())?.into_iter();
    let known = |(name, node): (Id, Node<'v>)| {
        let detector = FamilyDetector::ALL.into_iter().find(|detector| name == *detector.as_str());
        let words = FamilyDetector::ALL.map(FamilyDetector::as_str).join(", ");
        detector
            .map(|detector| (detector, node.clone()))
            .ok_or_else(|| node.error(Code::UnknownField, format_args!("one of {words}")))
    };
    named.map(known).collect()
}

/// `alerts`: when findings are acted upon.
pub(super) fn agreement(node: &Node<'_>) -> Result<Agreement, RulesError> {
    let mut fields = node.fields()?;
    let mut agreement = Agreement::default();
    if let Some(node) = fields.get("perPlayerDay") {
        agreement.budget = AlertBudget::new(node.u32(1, u32::MAX)?).ok();
    }
    if let Some(node) = fields.get("corroborate") {
        let mut fields = node.fields()?;
        agreement.findings = fields.need("findings")?.u32(2, u32::try_from(DOUBTS_MAX).unwrap_or(u32::MAX))?;
        agreement.within_millis = fields.need("withinSeconds")?.int(1, 366 * 86_400)? * 1000;
        fields.end()?;
    }
    fields.end()?;
    Ok(agreement)
}
