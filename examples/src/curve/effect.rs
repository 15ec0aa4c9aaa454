//! What a change of curves does to players.

use liveops_core::progress::{Keep, MigrationPlan, MigrationPolicy, PlayerXp, plan_migration};
use liveops_core::rules::{ItemTotal, MigrationForecast, RewardForecast};

use super::document::{Document, player};
use super::{Crowd, Step};

/// What one way of changing the curve does to a crowd.
#[derive(Clone, Debug)]
pub struct Effect {
    /// The way, or one policy after the other where the new rules lead over curves in between.
    pub policies: Vec<MigrationPolicy>,
    /// Whether the new rules say so themselves.
    pub is_declared: bool,
    /// Who rises, falls and stays, and which levels would be rewarded.
    pub plan: MigrationPlan,
    /// What is minted for these.
    pub rewards: Vec<RewardForecast>,
}

/// The effect that new rules declare for the old curve; where they do not, that of every policy. None if the curve stays.
pub fn effects(old: &Document, new: &Document, crowd: &Crowd) -> Vec<Effect> {
    if old.levels().hash() == new.levels().hash() {
        return Vec::new();
    }
    match new.steps_from(old.levels()) {
        [] => [
            MigrationPolicy::keep_total_xp(),
            MigrationPolicy::keep_level_and_fraction(),
            MigrationPolicy::keep_effort(),
        ]
        .map(|policy| tried(old, new, policy, crowd))
        .into(),
        steps => vec![declared(old, new, steps, crowd)],
    }
}

/// What the engine would do with these rules.
fn declared(old: &Document, new: &Document, steps: &[Step], crowd: &Crowd) -> Effect {
    let levels = old.levels();
    let players: Vec<_> = crowd.totals().map(|(xp, count)| (player(xp, levels.level_at(xp), levels), count)).collect();
    let each = players.iter().flat_map(|(player, count)| (0..*count).map(move |_| player));
    let MigrationForecast { levels: plan, rewards, .. } = new.rules.plan_migration(&old.rules, each);
    Effect { policies: steps.iter().map(|step| step.policy).collect(), is_declared: true, plan, rewards }
}

/// What it would do if the rules declared this policy.
fn tried(old: &Document, new: &Document, policy: MigrationPolicy, crowd: &Crowd) -> Effect {
    let players = crowd.totals().map(|(xp, count)| (PlayerXp::at(xp, old.levels()), count));
    let plan = plan_migration(old.levels(), new.levels(), policy, players);
    let mut rewards = Vec::new();
    for reward in &new.rewards {
        let due = plan.minted.iter().filter(|minted| reward.levels.binary_search(&minted.level).is_ok());
        let receipts: u64 = due.map(|minted| minted.players).sum();
        if receipts > 0 {
            let total = |item: &ItemTotal| ItemTotal { amount: item.amount.saturating_mul(receipts), ..item.clone() };
            rewards.push(RewardForecast {
                reward: reward.name.clone(),
                receipts,
                items: reward.each.items.iter().map(total).collect(),
                rolls: reward.each.rolls.saturating_mul(receipts),
            });
        }
    }
    Effect { policies: vec![policy], is_declared: false, plan, rewards }
}

impl Effect {
    /// What is kept, in the words of a rules document.
    pub fn title(&self) -> String {
        let names = self.policies.iter().map(|policy| match policy.keep {
            Keep::TotalXp => "keepTotalXp",
            Keep::LevelAndFraction => "keepLevelAndFraction",
            Keep::Effort => "keepEffort",
        });
        names.collect::<Vec<_>>().join(", then ")
    }

    /// What that means, and what is said beside, as sentences.
    pub fn detail(&self) -> String {
        let [policy] = &self.policies[..] else {
            return "Over the curves in between, one policy after the other.".to_owned();
        };
        let kept = match policy.keep {
            Keep::TotalXp => "The total stays; the level follows.",
            Keep::LevelAndFraction => "The level stays, and the share of the way to the next.",
            Keep::Effort => "The share of the whole way to the highest level stays.",
        };
        let floor = if policy.never_lose_a_level { " Nobody loses a level." } else { "" };
        let rewards = if policy.skip_rewards {
            "Levels that the change brings are not rewarded."
        } else {
            "Levels that the change brings are rewarded."
        };
        format!("{kept}{floor} {rewards}")
    }

    /// Levels that would be rewarded, each counted for each player who reaches it.
    pub fn levels_minted(&self) -> u64 {
        self.plan.minted.iter().map(|minted| minted.players).sum()
    }

    /// Levels that go without a reward because the policy says so.
    pub fn levels_skipped(&self) -> u64 {
        self.plan.skipped.iter().map(|skipped| skipped.players).sum()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::document::tests::document;
    use super::*;

    #[test]
    fn what_is_declared_is_what_the_policy_alone_would_do() {
        let rewards = json!({ "each": { "on": { "everyLevels": 1 },
            "grant": { "kind": "currency", "id": "gold", "amount": 5 } } });
        let old = document(100, &json!({}), &rewards);
        let crowd = Crowd::assumed(old.levels());
        let all = effects(&old, &document(50, &json!({}), &rewards), &crowd);
        assert_eq!(
            all.iter().map(Effect::title).collect::<Vec<_>>(),
            ["keepTotalXp", "keepLevelAndFraction", "keepEffort"]
        );
        for (policy, wanted) in ["keepTotalXp", "keepLevelAndFraction", "keepEffort"].iter().zip(&all) {
            let curve = json!({ "kind": "linear", "base": 100, "step": 0, "maxLevel": 4 });
            let migrations = json!([{ "from": curve, "policy": policy, "levelRewards": "grant" }]);
            let new = document(50, &json!({ "migrations": migrations }), &rewards);
            let told = effects(&old, &new, &crowd);
            let [told] = &told[..] else { panic!("one way is declared") };
            assert!(told.is_declared && !wanted.is_declared);
            assert_eq!((&told.plan, &told.rewards, &told.policies), (&wanted.plan, &wanted.rewards, &wanted.policies));
        }
        assert!(all[0].levels_minted() > 0 && all[1].levels_minted() == 0);
        assert_eq!(all[0].rewards[0].items[0].amount, 5 * all[0].levels_minted());
        // As they are, rules that declare nothing leave totals as they are.
        let undeclared = declared(&old, &document(50, &json!({}), &rewards), &[], &crowd);
        assert_eq!((&undeclared.plan, &undeclared.rewards), (&all[0].plan, &all[0].rewards));
        assert!(effects(&old, &old, &crowd).is_empty(), "the same curve");
    }
}
