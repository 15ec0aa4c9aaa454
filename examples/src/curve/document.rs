//! A rules document, as far as levels go.

use liveops_core::progress::{Keep, Levels, MigrationPolicy};
use liveops_core::record::{CurveMark, OnCurve, Player};
use liveops_core::rules::RewardForecast;
use liveops_core::{Id, Rules};
use serde_json::{Value, json};

/// Rules with what they say of levels.
#[derive(Clone, Debug)]
pub struct Document {
    /// The file's name.
    pub name: String,
    /// The rules.
    pub rules: Rules,
    /// What is given for levels, in order of names.
    pub rewards: Vec<LevelReward>,
    /// How earlier curves are left, oldest first.
    steps: Vec<Step>,
}

/// How one earlier curve is left for the next.
#[derive(Clone, Debug)]
pub struct Step {
    /// The curve that is left.
    pub from: Levels,
    /// What is kept.
    pub policy: MigrationPolicy,
}

/// A reward for levels.
#[derive(Clone, Debug)]
pub struct LevelReward {
    /// Its name.
    pub name: Id,
    /// The levels that set it off, in order.
    pub levels: Vec<u32>,
    /// What one level gives.
    pub each: RewardForecast,
}

impl Document {
    /// Reads rules; the error names the path of what is wrong in them.
    pub fn read(name: &str, bytes: &[u8]) -> Result<Self, String> {
        let rules = Rules::from_slice(bytes).map_err(|error| error.to_string())?;
        let steps = steps(bytes)?;
        Ok(Self { name: name.to_owned(), rewards: level_rewards(&rules), rules, steps })
    }

    /// The compiled curve.
    pub const fn levels(&self) -> &Levels {
        &self.rules.progression().levels
    }

    /// How these rules lead on from a curve, step by step; empty if they do not say.
    pub fn steps_from(&self, old: &Levels) -> &[Step] {
        // A curve may have been in force twice: what counts is how it was left last.
        let at = self.steps.iter().rposition(|step| step.from.hash() == old.hash());
        at.and_then(|at| self.steps.get(at..)).unwrap_or_default()
    }

    /// Whether they lead on from any curve. Rules that do refuse totals on a curve that is not among them.
    pub const fn has_steps(&self) -> bool {
        !self.steps.is_empty()
    }

    /// The names of what a level is rewarded with.
    pub fn rewards_of(&self, level: u32) -> impl Iterator<Item = &Id> {
        self.rewards.iter().filter(move |reward| reward.levels.binary_search(&level).is_ok()).map(|reward| &reward.name)
    }
}

/// A player as the planner takes them, on a given curve.
pub(super) fn player(xp: u64, granted_through: u32, levels: &Levels) -> Player {
    // Whoever never did anything is nobody to the planner.
    Player {
        version: 1,
        xp,
        granted_through,
        curve: Some(OnCurve { mark: CurveMark::of(levels), brought: false }),
        ..Player::default()
    }
}

/// Rules keep their rewards to themselves, but they forecast: for somebody who has just reached a level and was
/// rewarded for all before it, what is minted is what this level gives.
fn level_rewards(rules: &Rules) -> Vec<LevelReward> {
    let levels = &rules.progression().levels;
    let mut rewards: Vec<LevelReward> = Vec::new();
    for level in 2..=levels.max_level() {
        let arrived = player(levels.total(level), level - 1, levels);
        for each in rules.plan_migration(rules, [&arrived]).rewards {
            match rewards.iter_mut().find(|reward| reward.name == each.reward) {
                Some(reward) => reward.levels.push(level),
                None => rewards.push(LevelReward { name: each.reward.clone(), levels: vec![level], each }),
            }
        }
    }
    rewards.sort_by(|a, b| a.name.as_str().cmp(b.name.as_str()));
    rewards
}

/// `progress.migrations`, once more: rules apply them, and do not show them.
fn steps(bytes: &[u8]) -> Result<Vec<Step>, String> {
    let document: Value = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    let migrations = document.pointer("/progress/migrations").and_then(Value::as_array);
    migrations.into_iter().flatten().map(step).collect()
}

/// The rules were read before, so all of this is there.
fn step(migration: &Value) -> Result<Step, String> {
    let alone = json!({ "version": 1, "game": "curve", "progress": { "curve": migration["from"] } });
    let alone = Rules::from_json(&alone.to_string()).map_err(|error| error.to_string())?;
    let keep = match migration["policy"].as_str() {
        Some("keepLevelAndFraction") => Keep::LevelAndFraction,
        Some("keepEffort") => Keep::Effort,
        _ => Keep::TotalXp,
    };
    let policy = MigrationPolicy {
        keep,
        never_lose_a_level: migration["neverLoseALevel"] == true,
        skip_rewards: migration["levelRewards"] == "skip",
    };
    Ok(Step { from: alone.progression().levels.clone(), policy })
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A game with a linear curve of four levels, and more in `progress` and beside it.
    pub(in crate::curve) fn document(base: u64, progress: &Value, rewards: &Value) -> Document {
        let mut rules = json!({ "version": 1, "game": "emberfall", "rewards": rewards, "progress": {
            "curve": { "kind": "linear", "base": base, "step": 0, "maxLevel": 4 } } });
        for (key, value) in progress.as_object().unwrap() {
            rules["progress"][key] = value.clone();
        }
        Document::read("rules.json", rules.to_string().as_bytes()).unwrap()
    }

    #[test]
    fn levels_are_asked_for_their_rewards() {
        let gold = json!([{ "kind": "currency", "id": "gold", "amount": 5 }]);
        let rewards = json!({
            "each": { "on": { "everyLevels": 1 }, "grant": gold },
            "even": { "on": { "everyLevels": 2 }, "grant": gold },
            "third": { "on": { "level": 3 }, "grant": gold },
            "win": { "on": { "event": "progression" }, "grant": gold },
        });
        let document = document(100, &json!({}), &rewards);
        let told: Vec<_> = document.rewards.iter().map(|r| (r.name.as_str(), r.levels.clone())).collect();
        assert_eq!(told, [("each", vec![2, 3, 4]), ("even", vec![2, 4]), ("third", vec![3])]);
        assert_eq!(document.rewards_of(3).map(Id::as_str).collect::<Vec<_>>(), ["each", "third"]);
        assert_eq!(document.rewards[0].each.items[0].amount, 5);
    }

    #[test]
    fn the_last_way_out_of_a_curve_counts() {
        let curve = |base: u64| json!({ "kind": "linear", "base": base, "step": 0, "maxLevel": 4 });
        let step = |base, policy: &str| json!({ "from": curve(base), "policy": policy, "levelRewards": "skip" });
        let migrations =
            json!({ "migrations": [step(1, "keepEffort"), step(2, "keepTotalXp"), step(1, "keepTotalXp")] });
        let new = document(9, &migrations, &json!({}));
        let steps = |base| new.steps_from(document(base, &json!({}), &json!({})).levels()).len();
        assert_eq!([steps(1), steps(2), steps(3)], [1, 2, 0]);
        assert!(new.steps.iter().all(|step| step.policy.skip_rewards && !step.policy.never_lose_a_level));
    }
}
