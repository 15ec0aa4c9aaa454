//! From one curve to another: what becomes of everybody's experience, told before it is done.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Levels;
use crate::limits::INTEGER_MAX;

/// What a player keeps when the curve changes, and whether levels reached by the change are rewarded.
///
/// ```
/// use liveops_core::progress::{LevelCurve, MigrationPolicy, PlayerXp};
///
/// let old = LevelCurve::table(vec![100, 100]).compile()?;
/// let new = LevelCurve::table(vec![100, 300, 500]).compile()?;
/// let ana = PlayerXp::at(150, &old); // level 2, half way to 3
///
/// let kept = MigrationPolicy::keep_level_and_fraction().apply(&old, &new, ana);
/// assert_eq!((kept.xp, new.level_at(kept.xp)), (250, 2), "still half way");
/// let share = MigrationPolicy::keep_effort().apply(&old, &new, ana);
/// assert_eq!(share.xp, 675, "three quarters of the whole way");
/// # Ok::<(), liveops_core::progress::CurveError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MigrationPolicy {
    /// What stays the same.
    pub keep: Keep,
    /// Nobody has a lower level than before, as far as the new curve has it.
    pub never_lose_a_level: bool,
    /// All levels up to the new one count as rewarded: nothing is minted for those that the change brings, now or later, nor
    /// for those that an earlier change promised to whoever was not met in between.
    pub skip_rewards: bool,
}

/// What stays the same when the curve changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Keep {
    /// The total of experience; the level follows.
    #[serde(rename = "keepTotalXp")]
    TotalXp,
    /// The level, and the share of the way to the next, rounded down. Who was at the highest level starts it again:
    /// what was banked beyond is dropped where the new curve goes on, so that it cannot make many levels at once.
    #[serde(rename = "keepLevelAndFraction")]
    LevelAndFraction,
    /// The share of the whole way to the highest level, rounded down. What was banked beyond stays beyond.
    #[serde(rename = "keepEffort")]
    Effort,
}

/// What a migration changes of a player.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PlayerXp {
    /// Experience, ever.
    pub xp: u64,
    /// Levels up to this one were rewarded.
    pub granted_through: u32,
}

impl PlayerXp {
    /// A total whose levels were all rewarded.
    pub fn at(xp: u64, levels: &Levels) -> Self {
        Self { xp, granted_through: levels.level_at(xp) }
    }
}

impl MigrationPolicy {
    const fn keeping(keep: Keep) -> Self {
        Self { keep, never_lose_a_level: false, skip_rewards: false }
    }

    /// Keeps the total.
    pub const fn keep_total_xp() -> Self {
        Self::keeping(Keep::TotalXp)
    }

    /// Keeps level and fraction.
    pub const fn keep_level_and_fraction() -> Self {
        Self::keeping(Keep::LevelAndFraction)
    }

    /// Keeps the share of the whole way.
    pub const fn keep_effort() -> Self {
        Self::keeping(Keep::Effort)
    }

    /// Lifts whoever would fall to the start of their old level.
    #[must_use]
    pub const fn never_lose_a_level(self) -> Self {
        Self { never_lose_a_level: true, ..self }
    }

    /// Mints nothing for levels that the change brings.
    #[must_use]
    pub const fn skip_rewards(self) -> Self {
        Self { skip_rewards: true, ..self }
    }

    /// A player after the change. Levels beyond `granted_through` are yet to be rewarded; that never goes down, so what
    /// was granted is not granted again, however far the level falls.
    pub fn apply(&self, old: &Levels, new: &Levels, player: PlayerXp) -> PlayerXp {
        let old_level = old.level_at(player.xp);
        let kept = match self.keep {
            Keep::TotalXp => player.xp,
            Keep::LevelAndFraction => level_and_fraction(old, new, player.xp),
            Keep::Effort => effort(old, new, player.xp),
        };
        let floor = if self.never_lose_a_level { new.total(old_level) } else { 0 };
        let xp = kept.max(floor).min(INTEGER_MAX.unsigned_abs());
        let through = if self.skip_rewards { new.level_at(xp) } else { 0 };
        // Level 1 is nobody's reward: a count of 0 or 1 means the same, and the smaller takes less.
        let through = if through > 1 { through } else { 0 };
        PlayerXp { xp, granted_through: player.granted_through.max(through) }
    }
}

fn level_and_fraction(old: &Levels, new: &Levels, xp: u64) -> u64 {
    let level = old.level_at(xp);
    let into = xp - old.total(level);
    let start = new.total(level);
    match (old.cost(level), new.cost(level)) {
        // At the top of both, what was banked stays.
        (0, 0) if level == new.max_level() => start.saturating_add(into),
        // At the top of the old one, or beyond the top of the new one.
        (0, _) | (_, 0) => start,
        (old_cost, new_cost) => start + scaled(into, new_cost, old_cost),
    }
}

fn effort(old: &Levels, new: &Levels, xp: u64) -> u64 {
    let [old_top, new_top] = [old, new].map(|levels| levels.total(levels.max_level()));
    match xp.checked_sub(old_top) {
        Some(beyond) => new_top.saturating_add(beyond),
        None => scaled(xp, new_top, old_top),
    }
}

/// `part * new / old`, rounded down, for a part below `old`.
fn scaled(part: u64, new: u64, old: u64) -> u64 {
    // Less than `new`, because `part` is less than `old`; a curve's costs are at least 1.
    u64::try_from(u128::from(part) * u128::from(new) / u128::from(old.max(1))).unwrap_or(new)
}

/// What a change of curves would do, level by level, before anybody is changed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MigrationPlan {
    /// Players looked at.
    pub players: u64,
    /// Of these, those whose level rises.
    pub rise: u64,
    /// Those whose level falls.
    pub fall: u64,
    /// Those whose level stays.
    pub stay: u64,
    /// How many go from which level to which, sorted.
    pub shifts: Vec<LevelShift>,
    /// How many players would be rewarded for each level, sorted: what is minted.
    pub minted: Vec<LevelCount>,
    /// How many players go without the reward of each level because the policy skips it, sorted.
    pub skipped: Vec<LevelCount>,
}

/// Players who go from one level to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LevelShift {
    /// Before.
    pub from_level: u32,
    /// After.
    pub to_level: u32,
    /// How many.
    pub players: u64,
}

/// Players by level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LevelCount {
    /// Which level.
    pub level: u32,
    /// How many.
    pub players: u64,
}

/// Says what a change of curves would do: how many players rise, fall and stay, and which levels would be rewarded.
///
/// `players` are states and how many players share each: one by one, or a histogram.
///
/// ```
/// use liveops_core::progress::{LevelCurve, MigrationPolicy, PlayerXp, plan_migration};
///
/// let old = LevelCurve::table(vec![100, 100]).compile()?;
/// let cheaper = LevelCurve::table(vec![50, 50, 50]).compile()?;
/// let players = [(0, 10), (120, 5), (200, 1)].map(|(xp, count)| (PlayerXp::at(xp, &old), count));
///
/// let plan = plan_migration(&old, &cheaper, MigrationPolicy::keep_total_xp(), players);
/// assert_eq!((plan.rise, plan.fall, plan.stay), (6, 0, 10));
/// let minted: Vec<_> = plan.minted.iter().map(|minted| (minted.level, minted.players)).collect();
/// assert_eq!(minted, [(3, 5), (4, 1)]);
/// # Ok::<(), liveops_core::progress::CurveError>(())
/// ```
pub fn plan_migration(
    old: &Levels,
    new: &Levels,
    policy: MigrationPolicy,
    players: impl IntoIterator<Item = (PlayerXp, u64)>,
) -> MigrationPlan {
    let mut tally = MigrationTally::default();
    for (before, count) in players {
        tally.add(old.level_at(before.xp), before, new, policy.apply(old, new, before), count);
    }
    tally.finish()
}

/// Adds up what happens to players, whatever led from one state to the other.
#[derive(Clone, Debug, Default)]
pub(crate) struct MigrationTally {
    shifts: BTreeMap<(u32, u32), u64>,
    minted: Spans,
    skipped: Spans,
}

impl MigrationTally {
    pub(crate) fn add(&mut self, level: u32, before: PlayerXp, new: &Levels, after: PlayerXp, count: u64) {
        let to_level = new.level_at(after.xp);
        let shift = self.shifts.entry((level, to_level)).or_default();
        *shift = shift.saturating_add(count);
        // What is due is due whether or not the curve changes; only this change can skip it.
        let beyond = |granted_through: u32| granted_through.max(1).saturating_add(1);
        self.minted.add(beyond(after.granted_through), to_level, count);
        self.skipped.add(beyond(before.granted_through), after.granted_through.min(to_level), count);
    }

    pub(crate) fn finish(self) -> MigrationPlan {
        let mut plan =
            MigrationPlan { minted: self.minted.finish(), skipped: self.skipped.finish(), ..Default::default() };
        for ((from_level, to_level), players) in self.shifts {
            let side = match to_level.cmp(&from_level) {
                std::cmp::Ordering::Greater => &mut plan.rise,
                std::cmp::Ordering::Less => &mut plan.fall,
                std::cmp::Ordering::Equal => &mut plan.stay,
            };
            *side = side.saturating_add(players);
            plan.players = plan.players.saturating_add(players);
            plan.shifts.push(LevelShift { from_level, to_level, players });
        }
        plan
    }
}

/// Counts over spans of levels, as where they begin and end: a jump over thousands of levels costs two entries.
#[derive(Clone, Debug, Default)]
struct Spans(BTreeMap<u32, (u64, u64)>);

impl Spans {
    fn add(&mut self, first: u32, last: u32, count: u64) {
        if first <= last {
            let begins = &mut self.0.entry(first).or_default().0;
            *begins = begins.saturating_add(count);
            let ends = &mut self.0.entry(last.saturating_add(1)).or_default().1;
            *ends = ends.saturating_add(count);
        }
    }

    fn finish(self) -> Vec<LevelCount> {
        let (mut counts, mut players, mut from) = (Vec::new(), 0_u64, 0);
        for (level, (begins, ends)) in self.0 {
            if players > 0 {
                counts.extend((from..level).map(|level| LevelCount { level, players }));
            }
            players = players.saturating_add(begins).saturating_sub(ends);
            from = level;
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::progress::LevelCurve;

    fn table(costs: &[u64]) -> Levels {
        LevelCurve::table(costs.to_vec()).compile().unwrap()
    }

    fn to(policy: MigrationPolicy, old: &Levels, new: &Levels, xp: u64) -> u64 {
        policy.apply(old, new, PlayerXp::at(xp, old)).xp
    }

    #[test]
    fn each_policy_keeps_what_it_says() {
        let (old, new) = (table(&[100, 200]), table(&[50, 1_000, 10]));
        let all = |xp| {
            let policies = [
                MigrationPolicy::keep_total_xp(),
                MigrationPolicy::keep_level_and_fraction(),
                MigrationPolicy::keep_effort(),
            ];
            policies.map(|policy| to(policy, &old, &new, xp))
        };
        assert_eq!(all(0), [0, 0, 0]);
        assert_eq!(all(99), [99, 49, 349], "49.5 of 50; 99 of 300 of 1060");
        assert_eq!(all(200), [200, 550, 706]);
        assert_eq!(all(299), [299, 1_045, 1_056]);
        assert_eq!(all(300), [300, 1_050, 1_060]);
        assert_eq!(all(10_300), [10_300, 1_050, 11_060], "what is banked makes no levels, or stays beyond");
        let shorter = table(&[70]);
        let short = |policy| [99, 150, 5_000].map(|xp| to(policy, &old, &shorter, xp));
        assert_eq!(short(MigrationPolicy::keep_level_and_fraction()), [69, 70, 70]);
        assert_eq!(short(MigrationPolicy::keep_effort()), [23, 35, 4_770]);
        let same_top = to(MigrationPolicy::keep_level_and_fraction(), &old, &table(&[1, 1]), 10_300);
        assert_eq!(same_top, 10_002, "at the top of both, what is banked stays");
    }

    #[test]
    fn nobody_falls_who_must_not() {
        let (old, dearer) = (table(&[10, 10, 10]), table(&[100, 100]));
        let total = MigrationPolicy::keep_total_xp();
        assert_eq!([5, 10, 29, 30].map(|xp| to(total, &old, &dearer, xp)), [5, 10, 29, 30]);
        let lifted = total.never_lose_a_level();
        assert_eq!([5, 10, 29, 30, 500].map(|xp| to(lifted, &old, &dearer, xp)), [5, 100, 200, 200, 500]);
    }

    #[test]
    fn levels_that_no_curve_has_were_rewarded_too() {
        let (old, new) = (table(&[100]), table(&[10, 10, 10]));
        let player = PlayerXp { xp: 500, granted_through: u32::MAX };
        for policy in [MigrationPolicy::keep_total_xp(), MigrationPolicy::keep_total_xp().skip_rewards()] {
            let plan = plan_migration(&old, &new, policy, [(player, 1)]);
            assert_eq!((plan.players, plan.rise, plan.minted, plan.skipped), (1, 1, vec![], vec![]));
        }
    }

    #[test]
    fn totals_stay_within_the_integers() {
        let max = INTEGER_MAX.unsigned_abs();
        let (old, new) = (table(&[1]), LevelCurve::table(vec![max]).compile().unwrap());
        assert_eq!(to(MigrationPolicy::keep_effort(), &old, &new, max), max);
        assert_eq!(to(MigrationPolicy::keep_level_and_fraction(), &old, &table(&[5]), max), max);
    }

    proptest! {
        /// A player at a time, walked level by level, says what the plan says.
        #[test]
        fn the_plan_is_what_each_player_meets(
            old in prop::collection::vec(1_u64..50, 1..9), new in prop::collection::vec(1_u64..50, 1..9),
            players in prop::collection::vec((0_u64..400, 0_u32..9, 1_u64..4), 0..30),
            keep in 0_usize..3, never: bool, skip: bool,
        ) {
            let (old, new) = (table(&old), table(&new));
            let keep = [Keep::TotalXp, Keep::LevelAndFraction, Keep::Effort][keep];
            let policy = MigrationPolicy { keep, never_lose_a_level: never, skip_rewards: skip };
            let players: Vec<_> =
                players.into_iter().map(|(xp, granted_through, n)| (PlayerXp { xp, granted_through }, n)).collect();
            let plan = plan_migration(&old, &new, policy, players.iter().copied());
            let (mut rise, mut fall, mut stay) = (0, 0, 0);
            let (mut minted, mut skipped) = (BTreeMap::new(), BTreeMap::new());
            for (before, count) in &players {
                let after = policy.apply(&old, &new, *before);
                let (from, to) = (old.level_at(before.xp), new.level_at(after.xp));
                prop_assert!(after.granted_through >= before.granted_through);
                prop_assert!(!never || to >= from.min(new.max_level()));
                match to.cmp(&from) {
                    std::cmp::Ordering::Greater => rise += count,
                    std::cmp::Ordering::Less => fall += count,
                    std::cmp::Ordering::Equal => stay += count,
                }
                for level in 2..=to {
                    let due = level > before.granted_through;
                    let list = if skip { &mut skipped } else { &mut minted };
                    if due {
                        *list.entry(level).or_insert(0) += count;
                    }
                }
            }
            prop_assert_eq!((plan.rise, plan.fall, plan.stay), (rise, fall, stay));
            prop_assert_eq!(plan.players, rise + fall + stay);
            prop_assert_eq!(plan.shifts.iter().map(|shift| shift.players).sum::<u64>(), plan.players);
            let listed = |counts: &[LevelCount]| counts.iter().map(|c| (c.level, c.players)).collect::<BTreeMap<_, _>>();
            prop_assert_eq!(listed(&plan.minted), minted);
            prop_assert_eq!(listed(&plan.skipped), skipped);
        }
    }
}
