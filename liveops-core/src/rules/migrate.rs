//! Players on earlier curves: brought to the one in force with the first command that meets them, and told before.

use std::collections::BTreeMap;

use serde::Serialize;

use super::draft::Draft;
use super::{Prize, Rules};
use crate::error::Code;
use crate::id::Id;
use crate::limits::INTEGER_MAX;
use crate::progress::{MigrationPlan, MigrationTally, PlayerXp};
use crate::record::{Effect, Migrated, OnCurve, Player};

/// What new rules make of players, before they are in force.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MigrationForecast {
    /// Level by level.
    #[serde(flatten)]
    pub levels: MigrationPlan,
    /// What is minted for levels that are not rewarded yet, by reward.
    pub rewards: Vec<RewardForecast>,
    /// Players on curves that the new rules do not lead on from, and who are not counted above: their events would be refused
    /// as `curve_unknown` until the rules list these curves.
    pub unknown: u64,
}

/// What one reward mints.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RewardForecast {
    /// The reward's name.
    pub reward: Id,
    /// Receipts.
    pub receipts: u64,
    /// Items in all, as far as they are not a matter of luck.
    pub items: Vec<ItemTotal>,
    /// Of a loot table, rolls; its odds say what they give.
    pub rolls: u64,
}

/// How much of something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ItemTotal {
    /// What sort of thing.
    pub kind: Id,
    /// Which.
    pub id: Id,
    /// How much, at most [`INTEGER_MAX`].
    pub amount: u64,
}

/// Where a player stands.
pub(super) enum Place {
    /// On the curve in force, or with nothing that a curve could change.
    Here,
    /// On another one; these rules lead on from none, so that totals stay as they are.
    Stays,
    /// On one that these rules lead on from.
    Leaves(Arrival),
    /// On one that these rules do not know.
    Unknown,
}

/// Where a migration leads.
pub(super) struct Arrival {
    after: PlayerXp,
    /// The level under the curve that the player left.
    from_level: u32,
}

impl Rules {
    /// Where a player stands.
    ///
    /// Rules without a list of migrations leave totals as they are, whichever curve they are on; unless a total was brought there
    /// by other rules, and so means something on that curve alone. Rules with a list know the curves in it and no others.
    pub(super) fn place(&self, player: &Player) -> Place {
        let fresh = player.xp == 0 && player.granted_through <= 1;
        if self.mark.is_none() || player.curve.is_none() && fresh {
            return Place::Here;
        }
        let Some(first) = self.migrations.first() else {
            return match player.curve {
                Some(known) if Some(known.mark) == self.mark => Place::Here,
                Some(OnCurve { brought: true, .. }) => Place::Unknown,
                _ => Place::Stays,
            };
        };
        // Who has no mark has played before there were marks, or before there were levels.
        let mark = player.curve.map_or(first.mark, |known| known.mark);
        if Some(mark) == self.mark {
            return Place::Here;
        }
        // A curve may have been in force twice: what counts is how it was left last.
        let Some(at) = self.migrations.iter().rposition(|rule| rule.mark == mark) else { return Place::Unknown };
        let start = PlayerXp { xp: player.xp, granted_through: player.granted_through };
        let from_level = self.migrations[at].from.level_at(start.xp);
        let nexts = self.migrations[at + 1..].iter().map(|rule| &rule.from).chain([&self.progression.levels]);
        let steps = self.migrations[at..].iter().zip(nexts);
        let after = steps.fold(start, |player, (rule, next)| rule.policy.apply(&rule.from, next, player));
        Place::Leaves(Arrival { after, from_level })
    }

    /// The XP total on the curve in force.
    pub(super) fn xp_of(&self, player: &Player) -> u64 {
        match self.place(player) {
            Place::Leaves(arrival) => arrival.after.xp,
            _ => player.xp,
        }
    }

    /// The same, for whoever wants to change it: `curve_unknown` where nobody can tell what it means.
    pub(super) fn known_xp_of(&self, player: &Player) -> Result<u64, Code> {
        match self.place(player) {
            Place::Leaves(arrival) => Ok(arrival.after.xp),
            Place::Here | Place::Stays => Ok(player.xp),
            Place::Unknown => Err(Code::CurveUnknown),
        }
    }

    /// Brings the player to the curve in force, and says so if that changes anything.
    pub(super) fn bring_to_curve(&self, draft: &mut Draft<'_>, effect: &mut Effect) {
        let player = &mut draft.changes.record;
        let place = self.place(player);
        let brought = matches!(place, Place::Leaves(_)) || player.curve.is_some_and(|known| known.brought);
        player.curve = self.mark.map(|mark| OnCurve { mark, brought }).or(player.curve);
        let Place::Leaves(Arrival { after, from_level }) = place else { return };
        let migrated = Migrated {
            from_xp: player.xp,
            to_xp: after.xp,
            from_level,
            to_level: self.progression.levels.level_at(after.xp),
        };
        player.xp = after.xp;
        player.granted_through = after.granted_through;
        if migrated.from_xp != migrated.to_xp || migrated.from_level != migrated.to_level {
            effect.more_mut().migrated = Some(migrated);
        }
    }

    /// Whether a player is still to be brought to the curve in force: what [`crate::Engine::migrations`] makes commands for.
    pub fn is_to_migrate(&self, player: &Player) -> bool {
        !player.is_gone() && matches!(self.place(player), Place::Stays | Place::Leaves(_))
    }

    /// What these rules, once in force instead of `old` ones, make of players: how many rise, fall and stay, and what is
    /// minted. [`crate::Engine::plan_migration`] asks for all players of a store.
    pub fn plan_migration<'p>(&self, old: &Self, players: impl IntoIterator<Item = &'p Player>) -> MigrationForecast {
        let mut planner = MigrationPlanner::new(old, self);
        players.into_iter().for_each(|player| planner.add(player));
        planner.finish()
    }

    /// What level rewards come to, for so many players at each level.
    fn minted(&self, levels: &MigrationPlan) -> Vec<RewardForecast> {
        let mut rewards = Vec::new();
        for rule in &self.rewards {
            let due = levels.minted.iter().filter(|minted| rule.trigger.on_level(minted.level));
            let receipts = due.fold(0_u64, |sum, minted| sum.saturating_add(minted.players));
            if receipts == 0 {
                continue;
            }
            let (mut totals, mut rolls) = (BTreeMap::new(), 0);
            match &rule.prize {
                Prize::Loot(_) => rolls = receipts,
                Prize::Items(items) => {
                    for item in items {
                        let total: &mut u64 = totals.entry((item.kind().clone(), item.id().clone())).or_default();
                        let more = item.amount().unsigned_abs().saturating_mul(receipts);
                        *total = total.saturating_add(more).min(INTEGER_MAX.unsigned_abs());
                    }
                }
            }
            let items = totals.into_iter().map(|((kind, id), amount)| ItemTotal { kind, id, amount }).collect();
            rewards.push(RewardForecast { reward: rule.name.clone(), receipts, items, rolls });
        }
        rewards
    }
}

/// Adds up, player by player, what new rules would make of them: for whoever reads players in pages.
#[derive(Debug)]
pub struct MigrationPlanner<'a> {
    old: &'a Rules,
    new: &'a Rules,
    tally: MigrationTally,
    unknown: u64,
}

impl<'a> MigrationPlanner<'a> {
    /// From the rules in force to others.
    pub fn new(old: &'a Rules, new: &'a Rules) -> Self {
        Self { old, new, tally: MigrationTally::default(), unknown: 0 }
    }

    /// Takes one player in.
    pub fn add(&mut self, player: &Player) {
        if player.is_gone() {
            return;
        }
        let before = PlayerXp { xp: player.xp, granted_through: player.granted_through };
        let after = match self.new.place(player) {
            Place::Leaves(arrival) => arrival.after,
            Place::Here | Place::Stays => before,
            Place::Unknown => return self.unknown += 1,
        };
        let level = self.old.level_progress(self.old.xp_of(player)).level;
        self.tally.add(level, before, &self.new.progression.levels, after, 1);
    }

    /// What it comes to.
    pub fn finish(self) -> MigrationForecast {
        let levels = self.tally.finish();
        MigrationForecast { rewards: self.new.minted(&levels), levels, unknown: self.unknown }
    }
}
