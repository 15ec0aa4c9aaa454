//! What detectors say about an event, what they learn from it, and when it is acted upon.

use super::decide::Cause;
use super::select::Selector;
use super::{DetectorRule, Rules};
use crate::anomaly::{
    Action, AlertBudget, AlertTally, BossIndex, DetectorState, DropIndex, Family, Observation, PlayerProfile,
    Population, PopulationBuilder, Threshold, Thresholds,
};
use crate::error::{Code, Error};
use crate::event::{Event, Payload};
use crate::hash::Digest;
use crate::id::Id;
use crate::limits::DOUBTS_MAX;
use crate::record::{Doubt, Judgement, Player, Profile};
use crate::time::Timestamp;

/// What detectors say about an event, and what is known of the player after it.
pub(super) struct Watched<'r> {
    /// What is acted upon.
    pub(super) judgements: Vec<Judgement>,
    pub(super) learned: Vec<Profile>,
    pub(super) families: Vec<(&'r Id, PlayerProfile)>,
    /// What waits for others to agree with it, and the alerts of the day, where anything was found.
    pub(super) settled: Option<(Vec<Doubt>, AlertTally)>,
}

/// A family of detectors as rules configure it, built for one population.
#[derive(Clone, Debug)]
pub(super) struct FamilyRule {
    pub(super) name: Id,
    pub(super) select: Selector,
    /// In the order of [`crate::anomaly::FamilyDetector::ALL`].
    pub(super) actions: [Action; 5],
    pub(super) floors: Vec<(Id, u32)>,
    pub(super) odds: Vec<FamilyDrop>,
    /// Activities and types of events whose amounts are kept apart, also where no population has tables of them.
    apart: Vec<Id>,
    pub(super) family: Family,
    /// Sorted by name.
    bosses: Vec<(Id, BossIndex)>,
    /// In the order of `odds`.
    drops: Vec<DropIndex>,
}

/// A drop that players claim, the boss whose kill is a chance for it, and its published odds.
#[derive(Clone, Debug)]
pub(super) struct FamilyDrop {
    pub(super) drop: Id,
    pub(super) boss: Id,
    pub(super) odds: Threshold,
}

impl FamilyRule {
    pub(super) fn new(
        name: Id,
        select: Selector,
        actions: [Action; 5],
        floors: Vec<(Id, u32)>,
        odds: Vec<FamilyDrop>,
        apart: Vec<Id>,
        thresholds: Thresholds,
    ) -> Result<Self, Code> {
        let family = Family::new(Population::default()).with_thresholds(thresholds);
        let rule = Self { name, select, actions, floors, odds, apart, family, bosses: Vec::new(), drops: Vec::new() };
        rule.built(Population::default())
    }

    /// The same for the tables of a population.
    fn built(&self, population: Population) -> Result<Self, Code> {
        let names: Vec<Id> = population.bosses().filter_map(|boss| Id::new(boss).ok()).collect();
        let mut family = Family::new(population).with_thresholds(*self.family.thresholds());
        for name in &self.apart {
            // Those beyond the places that a profile tells apart share one.
            _ = family.keep_apart(name.as_str());
        }
        let mut bosses = Vec::new();
        for (boss, floor_ms) in &self.floors {
            bosses.push((boss.clone(), family.boss(boss.as_str(), Some(*floor_ms))?));
        }
        for boss in names {
            let place = family.boss(boss.as_str(), None)?;
            bosses.push((boss, place));
        }
        bosses.sort_by(|a, b| a.0.cmp(&b.0));
        bosses.dedup_by(|a, b| a.0 == b.0);
        let drops = self.odds.iter().map(|drop| family.drop_odds(drop.drop.as_str(), drop.odds.get()));
        let drops = drops.collect::<Result<_, _>>()?;
        Ok(Self { family, bosses, drops, ..self.clone() })
    }

    /// What the family is told of an event.
    pub(super) fn observation(&self, kind: &Id, payload: &Payload, ts: Timestamp, requested: u64) -> Observation {
        let mut seen = Observation::at(ts);
        if requested > 0 {
            let named = activity(kind, payload);
            // Without a population only what the rules list has a scale of its own.
            let known = self.family.knows_amounts() || self.apart.contains(named);
            let named = if known { named } else { kind };
            seen = seen.gain_whole(self.family.activity(named.as_str()), requested);
        }
        if let Some((boss, duration_ms)) = kill(kind, payload) {
            if let Ok(at) = self.bosses.binary_search_by(|(known, _)| known.cmp(boss)) {
                seen = seen.kill(self.bosses[at].1, duration_ms);
            }
            let chance = self.odds.iter().zip(&self.drops).find(|(drop, _)| drop.boss == *boss);
            if let Some((_, place)) = chance {
                seen = seen.drops(*place, 1, 0);
            }
        }
        let claimed = payload.id("dropId").filter(|_| *kind == *"drop_claimed");
        let claimed = claimed.and_then(|drop| self.odds.iter().zip(&self.drops).find(|(known, _)| known.drop == *drop));
        if let Some((_, place)) = claimed {
            seen = seen.drops(*place, 0, 1);
        }
        seen
    }
}

/// What an event's XP is of: the activity it names, or else its type.
fn activity<'e>(kind: &'e Id, payload: &'e Payload) -> &'e Id {
    payload.id("activity").unwrap_or(kind)
}

fn kill<'e>(kind: &Id, payload: &'e Payload) -> Option<(&'e Id, u32)> {
    let boss = payload.id("bossId").filter(|_| *kind == *"boss_kill")?;
    let duration_ms = payload.int("durationMs").and_then(|ms| u32::try_from(ms).ok()).filter(|ms| *ms > 0)?;
    Some((boss, duration_ms))
}

/// When findings are acted upon.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Agreement {
    /// How many flags of one player are raised in a day.
    pub(super) budget: Option<AlertBudget>,
    /// How many different findings within `within_millis` it takes; one is enough if it is 0.
    pub(super) findings: u32,
    pub(super) within_millis: i64,
}

impl Agreement {
    /// Leaves the judgements that are acted upon. Different findings are those of different detectors, or for different reasons.
    fn settle(
        self,
        judgements: &mut Vec<Judgement>,
        doubts: &mut Vec<Doubt>,
        alerts: &mut AlertTally,
        ts: Timestamp,
        now: Timestamp,
    ) {
        if self.findings > 1 {
            doubts.retain(|doubt| doubt.ts.plus_millis(self.within_millis) > ts);
            for judgement in judgements.iter() {
                let reason = judgement.verdict.reason;
                doubts.retain(|doubt| doubt.detector != judgement.detector || doubt.reason != reason);
                doubts.push(Doubt { detector: judgement.detector.clone(), reason, ts });
            }
            let surplus = doubts.len().saturating_sub(DOUBTS_MAX);
            doubts.drain(..surplus);
            if doubts.len() < usize::try_from(self.findings).unwrap_or(usize::MAX) {
                return judgements.clear();
            }
        }
        // What is held is held however many there are: letting it through would be no help to whoever reviews.
        let held = judgements.iter().any(|judgement| judgement.verdict.action == Action::Hold);
        if !held && self.budget.is_some_and(|budget| !budget.allows(alerts, now)) {
            judgements.clear();
        }
    }
}

impl Rules {
    /// Asks every detector that the event concerns, none of which sees what is taken; changes nothing.
    pub(super) fn watch(&self, cause: &Cause<'_>, requested: u64, player: &Player) -> Watched<'_> {
        let (mut judgements, mut learned, mut families) = (Vec::new(), Vec::new(), Vec::new());
        for rule in &self.detectors {
            let requested = i64::try_from(requested).unwrap_or(i64::MAX);
            let Some(value) = rule
                .select
                .matches(cause.kind, cause.payload)
                .then(|| rule.value.of(cause.payload, requested, requested))
                .flatten()
            else {
                continue;
            };
            let activity = self.activity(rule, cause.kind, cause.payload);
            let known = player.profile_position(&rule.name, activity).ok().map(|at| &player.rare().profile[at].state);
            let mut state = known.copied().unwrap_or_else(|| rule.kind.fresh());
            if let Some(verdict) = rule.kind.score(&state, value).filter(|_| rule.action != Action::Allow) {
                judgements.push(Judgement { detector: rule.name.clone(), verdict: verdict.with_action(rule.action) });
            }
            rule.kind.learn(&mut state, value);
            if state != DetectorState::TimeFloor {
                learned.push(Profile { detector: rule.name.clone(), activity: activity.clone(), state });
            }
        }
        for rule in self.families.iter().filter(|rule| rule.select.matches(cause.kind, cause.payload)) {
            let seen = rule.observation(cause.kind, cause.payload, cause.ts, requested);
            let mut profile = player.family(&rule.name);
            // What rules take from an event is always sound.
            let findings = rule.family.observe(&mut profile, &seen).unwrap_or_default();
            judgements.extend(findings.into_iter().filter_map(|finding| {
                let action = rule.actions.get(finding.detector.place()).copied().unwrap_or(Action::Flag);
                let verdict = finding.verdict.with_action(action);
                (action != Action::Allow).then(|| Judgement { detector: rule.name.clone(), verdict })
            }));
            families.push((&rule.name, profile));
        }
        let settled = (!judgements.is_empty()).then(|| {
            let (mut doubts, mut alerts) = (player.rare().doubts.clone(), player.rare().alerts);
            self.agreement.settle(&mut judgements, &mut doubts, &mut alerts, cause.ts, cause.command.received_at);
            (doubts, alerts)
        });
        Watched { judgements, learned, families, settled }
    }

    /// What a detector keeps apart: the activity, as far as the rules list it. Of all others, where a player's own values are
    /// all that amounts are compared with, the type of event, as types pay in different sizes.
    fn activity<'a>(&'a self, rule: &DetectorRule, kind: &'a Id, payload: &Payload) -> &'a Id {
        let named = payload.id("activity").and_then(|name| self.activities.iter().find(|known| *known == name));
        let other = if rule.kind.knows_no_unit() { kind } else { &self.other_activity };
        named.unwrap_or(other)
    }

    /// The same rules, with their families of detectors anchored on the tables of a population: a second input beside the
    /// document, which stays when an engine's rules are replaced by others without one.
    ///
    /// Errors: `invalid_argument` when the bosses of rules and population together are more than a family can keep apart.
    pub fn with_population(self, population: Population) -> Result<Self, Error> {
        let families = self.families.iter().map(|rule| rule.built(population.clone()));
        let families = families.collect::<Result<_, _>>()?;
        Ok(Self { families, population: Some(population), ..self })
    }

    /// What names the population that detectors are anchored on; `None` without one.
    pub fn population_hash(&self) -> Option<Digest> {
        self.population.as_ref().map(Population::hash)
    }

    /// The same rules with the population of earlier ones, unless they have one of their own. Where the two do not go together,
    /// without one.
    pub(crate) fn with_population_of(self, old: &Self) -> Self {
        match (&self.population, &old.population) {
            (None, Some(population)) => self.clone().with_population(population.clone()).unwrap_or(self),
            _ => self,
        }
    }

    /// The same rules with other thresholds for a family of detectors, such as a calibration gives.
    ///
    /// Errors: `invalid_argument` if there is no family of this name.
    pub fn with_thresholds(mut self, family: &str, thresholds: Thresholds) -> Result<Self, Error> {
        let rule = self.families.iter_mut().find(|rule| rule.name == *family).ok_or(Code::InvalidArgument)?;
        rule.family = rule.family.clone().with_thresholds(thresholds);
        Ok(self)
    }

    /// A family of detectors, by the name of its rule: to calibrate it on history, say.
    pub fn family(&self, name: &str) -> Option<&Family> {
        self.families.iter().find(|rule| rule.name == *name).map(|rule| &rule.family)
    }

    /// What a family of detectors is told of an event; `None` if there is no such family, or the event is none of its.
    ///
    /// Errors: `score_overflow` and `unknown_type` for an event that no engine would take.
    pub fn observation(&self, family: &str, event: &Event) -> Result<Option<Observation>, Error> {
        let requested = self.asked_xp(&event.kind, &event.payload)?.gains;
        let rule = self.families.iter().find(|rule| rule.name == *family);
        let rule = rule.filter(|rule| rule.select.matches(&event.kind, &event.payload));
        Ok(rule.map(|rule| rule.observation(&event.kind, &event.payload, event.ts, requested)))
    }

    /// Teaches a population an event of history, as families are told of events.
    ///
    /// Errors: `score_overflow` and `unknown_type` for an event that no engine would take.
    pub fn teach(&self, population: &mut PopulationBuilder, event: &Event) -> Result<(), Error> {
        let requested = self.asked_xp(&event.kind, &event.payload)?.gains;
        let player = event.player.as_str();
        if requested > 0 {
            let activity = activity(&event.kind, &event.payload).as_str();
            population.gain_whole(player, event.ts, activity, requested)?;
        }
        if let Some((boss, duration_ms)) = kill(&event.kind, &event.payload) {
            population.kill(player, event.ts, boss.as_str(), duration_ms)?;
        }
        Ok(())
    }
}
