//! Players on earlier curves: brought to the one in force with the first command that meets them, and told before.

use std::collections::BTreeMap;

use serde::Serialize;

use super::draft::Draft;
use super::{Prize, Rules};
use crate::id::Id;
use crate::limits::INTEGER_MAX;
use crate::progress::{Levels, MigrationPlan, MigrationTally, PlayerXp};
use crate::record::{CurveMark, Effect, Migrated, Player};

/// What new rules make of players, before they are in force.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MigrationForecast {
    /// Level by level.
    #[serde(flatten)]
    pub levels: MigrationPlan,
    /// What is minted for levels that are not rewarded yet, by reward.
    pub rewards: Vec<RewardForecast>,
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

/// Where a migration leads.
pub(super) struct Arrival {
    after: PlayerXp,
    /// The level under the curve that the player left.
    from_level: u32,
}

impl Rules {
    /// What bringing a player to the curve in force makes of them; `None` for whoever is on it, or on one that these rules do
    /// not lead on from: a total then stays what it is.
    pub(super) fn migration(&self, player: &Player) -> Option<Arrival> {
        let first = self.migrations.first()?;
        let mark = player.curve.unwrap_or(first.mark);
        if mark == CurveMark::of(&self.progression.levels) {
            return None;
        }
        // A curve may have been in force twice: what counts is how it was left last.
        let at = self.migrations.iter().rposition(|rule| rule.mark == mark)?;
        let start = PlayerXp { xp: player.xp, granted_through: player.granted_through };
        let from_level = self.migrations[at].from.level_at(start.xp);
        let nexts = self.migrations[at + 1..].iter().map(|rule| &rule.from).chain([&self.progression.levels]);
        let steps = self.migrations[at..].iter().zip(nexts);
        let after = steps.fold(start, |player, (rule, next)| rule.policy.apply(&rule.from, next, player));
        Some(Arrival { after, from_level })
    }

    /// The XP total on the curve in force.
    pub(super) fn xp_of(&self, player: &Player) -> u64 {
        self.migration(player).map_or(player.xp, |arrival| arrival.after.xp)
    }

    /// Brings the player to the curve in force, and says so if that changes anything.
    pub(super) fn bring_to_curve(&self, draft: &mut Draft<'_>, effect: &mut Effect) {
        let player = &mut draft.changes.record;
        let Some(Arrival { after, from_level }) = self.migration(player) else { return };
        let migrated = Migrated {
            from_xp: player.xp,
            to_xp: after.xp,
            from_level,
            to_level: self.progression.levels.level_at(after.xp),
        };
        player.xp = after.xp;
        player.granted_through = after.granted_through;
        player.curve = Some(CurveMark::of(&self.progression.levels));
        if migrated.from_xp != migrated.to_xp || migrated.from_level != migrated.to_level {
            effect.migrated = Some(Box::new(migrated));
        }
    }

    /// Whether a player is still to be brought to the curve in force.
    pub(crate) fn is_to_migrate(&self, player: &Player) -> bool {
        !player.is_gone() && self.migration(player).is_some()
    }

    /// What these rules, once in force instead of `old` ones, make of players: how many rise, fall and stay, and what is
    /// minted. [`crate::Engine::plan_migration`] asks for all players of a store.
    pub fn plan_migration<'p>(&self, old: &Self, players: impl IntoIterator<Item = &'p Player>) -> MigrationForecast {
        let levels: &Levels = &self.progression.levels;
        let mut tally = MigrationTally::default();
        for player in players.into_iter().filter(|player| !player.is_gone()) {
            let before = PlayerXp { xp: player.xp, granted_through: player.granted_through };
            let after = self.migration(player).map_or(before, |arrival| arrival.after);
            tally.add(old.level_progress(old.xp_of(player)).level, before, levels, after, 1);
        }
        let levels = tally.finish();
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
        MigrationForecast { levels, rewards }
    }
}
