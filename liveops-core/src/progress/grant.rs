//! How much of the experience asked for is granted, and why not all of it; and how much is taken away.

use super::boost::{Boost, Stacking};
use super::{Levels, Remainders};
use crate::codec::fields;
use crate::error::{Code, Error};
use crate::limits::INTEGER_MAX;
use crate::time::Timestamp;

/// The rules by which experience is granted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progression {
    /// The compiled curve.
    pub levels: Levels,
    /// What happens to experience beyond the highest level.
    pub at_max_level: AtMaxLevel,
    /// Most experience granted in one day, if there is such a limit.
    pub daily_xp_cap: Option<u64>,
    /// Every boost, past, present and future: at most [`crate::limits::BOOSTS_MAX`], for each grant looks at all.
    pub boosts: Vec<Boost>,
    /// What boosts make together that hold at the same time.
    pub stacking: Stacking,
    /// How far experience can be taken away; `None` where it never is.
    pub floor: Option<Floor>,
}

/// What experience is asked for at one time: what is given, and apart from it what is taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// To be given, before boosts and caps.
    pub gains: u64,
    /// To be taken afterwards, as far as the floor lets it.
    pub losses: u64,
}

/// How far experience can be taken away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Floor {
    /// To the start of the level that was reached: nobody loses a level.
    Level,
    /// To nothing: the level falls with the total.
    Zero,
}

/// What happens to experience beyond the start of the highest level.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub enum AtMaxLevel {
    /// The total goes on growing.
    #[default]
    Bank,
    /// It is not granted.
    Discard,
    /// It is not granted but gathered apart, and turned into something else: see [`Overflow`](super::Overflow).
    Convert,
}

/// What became of the experience asked for: `requested + boost - over_daily_cap - over_max_level == granted`, and the total
/// changes by `granted - taken`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Grant {
    /// Asked for.
    pub requested: u64,
    /// Added by boosts; negative when their product is below 1.
    pub boost: i64,
    /// Withheld by the daily cap.
    pub over_daily_cap: u64,
    /// Withheld at the highest level; with [`AtMaxLevel::Convert`], gathered there.
    pub over_max_level: u64,
    /// To be added to the total.
    pub granted: u64,
    /// To be taken from it after that: no more than there is above the floor.
    pub taken: u64,
}

fields!(Grant { requested, boost, over_daily_cap, over_max_level, granted } later { taken });

impl Progression {
    /// Levels with nothing else: no limit of a day, no boosts, and totals that go on growing and never shrink.
    pub const fn new(levels: Levels) -> Self {
        Self {
            levels,
            at_max_level: AtMaxLevel::Bank,
            daily_xp_cap: None,
            boosts: Vec::new(),
            stacking: Stacking::Multiply,
            floor: None,
        }
    }

    /// Decides what becomes of gains and losses of a player who has `total_xp` and was granted `granted_today` in the day
    /// of `ts`. Gains come first: with boosts, to which is added what they left over of this player's earlier gains, then
    /// within the daily cap, then up to the highest level. Losses then stop at the floor of what is reached; they free nothing
    /// of the daily cap. Changes nothing but the remainders, and those only where it decides.
    ///
    /// `score_overflow` when the boosted amount or the new total would pass [`INTEGER_MAX`]; `invalid_argument` for losses where
    /// there is no floor; `out_of_range` while boosts hold that are too fine together, see [`Stacking::too_fine`].
    ///
    /// ```
    /// use liveops_core::progress::{Asked, Floor, LevelCurve, Progression, Remainders};
    /// use liveops_core::Timestamp;
    ///
    /// let levels = LevelCurve::table(vec![100, 200]).compile()?;
    /// let progression = Progression { floor: Some(Floor::Level), ..Progression::new(levels) };
    /// let death = Asked { losses: 50, ..Asked::default() };
    /// let grant = progression.settle(130, 0, death, &mut Remainders::default(), Timestamp::from_unix_seconds(0))?;
    /// assert_eq!((grant.granted, grant.taken), (0, 30), "level 2 starts at 100");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn settle(
        &self,
        total_xp: u64,
        granted_today: u64,
        asked: Asked,
        remainders: &mut Remainders,
        ts: Timestamp,
    ) -> Result<Grant, Error> {
        let (mut boosted, mut left) = (asked.gains, None);
        if !self.boosts.is_empty() {
            let factor = self.stacking.factor(&self.boosts, ts).ok_or(Code::OutOfRange)?;
            let (whole, rest) = factor.of(boosted, remainders.of(factor)).ok_or(Code::ScoreOverflow)?;
            (boosted, left) = (whole, Some((factor, rest)));
        } else if boosted > INTEGER_MAX.unsigned_abs() {
            return Err(Code::ScoreOverflow.into());
        }
        let within_cap = self.daily_xp_cap.map_or(boosted, |cap| boosted.min(cap.saturating_sub(granted_today)));
        let granted = match self.at_max_level {
            AtMaxLevel::Bank => within_cap,
            AtMaxLevel::Discard | AtMaxLevel::Convert => {
                within_cap.min(self.levels.total(self.levels.max_level()).saturating_sub(total_xp))
            }
        };
        let reached = total_xp.checked_add(granted).filter(|total| *total <= INTEGER_MAX.unsigned_abs());
        let reached = reached.ok_or(Code::ScoreOverflow)?;
        let floor = match self.floor {
            Some(Floor::Level) => self.levels.total(self.levels.level_at(reached)),
            Some(Floor::Zero) => 0,
            None if asked.losses > 0 => return Err(Code::InvalidArgument.into()),
            None => reached,
        };
        if let Some((factor, rest)) = left.filter(|_| asked.gains > 0) {
            remainders.keep(factor, rest);
        }
        Ok(Grant {
            requested: asked.gains,
            // Neither passes INTEGER_MAX.
            boost: boosted.cast_signed() - asked.gains.cast_signed(),
            over_daily_cap: boosted - within_cap,
            over_max_level: within_cap - granted,
            granted,
            taken: asked.losses.min(reached - floor),
        })
    }

    /// Decides a grant by itself: with no losses, and nothing left over before or after.
    pub fn grant(&self, total_xp: u64, granted_today: u64, requested: u64, ts: Timestamp) -> Result<Grant, Error> {
        let asked = Asked { gains: requested, losses: 0 };
        self.settle(total_xp, granted_today, asked, &mut Remainders::default(), ts)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::codec::Stable as _;
    use crate::id::Id;
    use crate::progress::{LevelCurve, Ratio};

    fn boost(from: i64, until: i64, factor: &str) -> Boost {
        let [from, until] = [from, until].map(Timestamp::from_unix_seconds);
        Boost { id: Id::new("boost").unwrap(), from, until, factor: Ratio::parse(factor).unwrap() }
    }

    fn progression(boosts: Vec<Boost>) -> Progression {
        Progression { boosts, ..Progression::new(LevelCurve::table(vec![100, 200]).compile().unwrap()) }
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_seconds(seconds)
    }

    #[test]
    fn cap_and_highest_level_withhold() {
        let mut rules = progression(vec![boost(0, 1, "2")]);
        rules.daily_xp_cap = Some(150);
        let grant = |rules: &Progression, total, today| rules.grant(total, today, 100, at(0)).unwrap();
        let wanted =
            Grant { requested: 100, boost: 100, over_daily_cap: 60, over_max_level: 0, granted: 140, taken: 0 };
        assert_eq!(grant(&rules, 290, 10), wanted);
        assert_eq!(grant(&rules, 0, 1000).granted, 0, "a cap that was lowered during the day");
        rules.at_max_level = AtMaxLevel::Discard;
        let wanted = Grant { over_max_level: 130, granted: 10, ..wanted };
        assert_eq!(grant(&rules, 290, 10), wanted);
        assert_eq!(grant(&rules, 1000, 10).granted, 0, "a curve that was shortened");
        rules.at_max_level = AtMaxLevel::Convert;
        assert_eq!(grant(&rules, 290, 10), wanted, "what is withheld is gathered");
        let bytes = wanted.to_bytes();
        assert_eq!(Grant::take(&mut &bytes[..]), Some(wanted));
        let json = r#"{"requested":100,"boost":100,"overDailyCap":60,"overMaxLevel":130,"granted":10,"taken":0}"#;
        assert_eq!(serde_json::to_string(&wanted).unwrap(), json);
    }

    #[test]
    fn losses_stop_at_the_floor_of_what_is_reached() {
        let mut rules = progression(vec![boost(0, 9, "2")]);
        rules.daily_xp_cap = Some(150);
        let settle = |rules: &Progression, total, today, gains, losses| {
            let asked = Asked { gains, losses };
            let grant = rules.settle(total, today, asked, &mut Remainders::default(), at(0));
            grant.map(|grant| (grant.granted, grant.taken))
        };
        assert_eq!(settle(&rules, 130, 0, 0, 1), Err(Code::InvalidArgument.into()), "nobody said how far");
        assert_eq!(settle(&rules, 130, 0, 10, 0), Ok((20, 0)));
        rules.floor = Some(Floor::Level);
        assert_eq!(settle(&rules, 130, 0, 0, 20), Ok((0, 20)));
        assert_eq!(settle(&rules, 130, 0, 0, 50), Ok((0, 30)), "level 2 starts at 100");
        assert_eq!(settle(&rules, 90, 0, 10, 50), Ok((20, 10)), "gains first, and losses are not boosted");
        assert_eq!(settle(&rules, 90, 150, 10, 50), Ok((0, 50)), "what is over the cap reaches no level");
        assert_eq!(settle(&rules, 450, 0, 0, 500), Ok((0, 150)), "what is banked can go, the highest level cannot");
        rules.floor = Some(Floor::Zero);
        assert_eq!(settle(&rules, 130, 0, 10, 100), Ok((20, 100)));
        assert_eq!(settle(&rules, 130, 0, 10, u64::MAX), Ok((20, 150)), "there is no less than nothing");
        rules.at_max_level = AtMaxLevel::Discard;
        assert_eq!(settle(&rules, 290, 0, 10, 40), Ok((10, 40)), "what is discarded is not taken first");
    }

    #[test]
    fn totals_stay_within_the_integers() {
        let max = INTEGER_MAX.unsigned_abs();
        let rules = progression(vec![boost(0, 1, "2"), boost(1, 2, "18446744073709551615"), boost(1, 2, "1.5")]);
        let grant = |total, requested, ts| rules.grant(total, 0, requested, at(ts)).map(|g| g.granted);
        assert_eq!(grant(max - 1, 1, 9), Ok(1));
        for (total, requested, ts) in [
            (max, 1, 9),
            (0, max + 1, 9),
            (u64::MAX, 1, 9),
            (u64::MAX, 0, 9),
            (0, u64::MAX, 9),
            (0, max / 2 + 1, 0),
            (0, 1, 1),
            (0, u64::MAX, 1),
        ] {
            assert_eq!(grant(total, requested, ts), Err(Code::ScoreOverflow.into()), "{total} {requested} {ts}");
        }
    }

    proptest! {
        #[test]
        fn the_breakdown_adds_up(
            total in 0_u64..1 << 52, today in 0_u64..10_000, requested in 0_u64..1_000_000, ts in 0_i64..4,
            cap in prop::option::of(0_u64..10_000), discard: bool, stack in 0_usize..3,
            losses in prop_oneof![Just(0), 0_u64..2_000_000, any::<u64>()], zero: bool,
            factors in prop::collection::vec((0_i64..4, "[0-9]\\.[0-9]{0,2}[1-9]"), 0..5),
        ) {
            let mut rules = progression(factors.iter().map(|(from, f)| boost(*from, from + 2, f)).collect());
            rules.daily_xp_cap = cap;
            rules.stacking = [Stacking::Multiply, Stacking::Add, Stacking::Highest][stack];
            rules.at_max_level = if discard { AtMaxLevel::Discard } else { AtMaxLevel::Bank };
            rules.floor = Some(if zero { Floor::Zero } else { Floor::Level });
            let asked = Asked { gains: requested, losses };
            let grant = rules.settle(total, today, asked, &mut Remainders::default(), at(ts)).unwrap();
            let alone = rules.grant(total, today, requested, at(ts)).unwrap();
            prop_assert_eq!(Grant { taken: 0, ..grant }, alone, "losses change nothing of gains");
            let reached = total + grant.granted;
            prop_assert!(grant.taken <= losses);
            prop_assert!(zero || rules.levels.level_at(reached - grant.taken) == rules.levels.level_at(reached));
            let floor = if zero { 0 } else { rules.levels.total(rules.levels.level_at(reached)) };
            prop_assert!(grant.taken == losses || reached - grant.taken == floor);
            let sum = i128::from(grant.requested) + i128::from(grant.boost)
                - i128::from(grant.over_daily_cap) - i128::from(grant.over_max_level);
            prop_assert_eq!(sum, i128::from(grant.granted));
            prop_assert_eq!(grant.requested, requested);
            prop_assert!(cap.is_none_or(|cap| grant.granted <= cap.saturating_sub(today)));
            prop_assert!(!discard || grant.granted == 0 || total + grant.granted <= 300);
        }
    }
}
