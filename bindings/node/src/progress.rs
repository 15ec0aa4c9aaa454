//! Experience by curve, cap and boosts; streaks, overflow and migrations, each alone. `lib` has checked every number.

use std::num::NonZeroU64;

use liveops_core::limits::BOOSTS_MAX;
use liveops_core::progress::{
    self, Asked, AtMaxLevel, Floor, Keep, PlayerXp, Ratio, Remainder, Remainders, Stacking, StreakStep,
};
use liveops_core::{Code, Id, Timestamp};
use napi::bindgen_prelude::Float64Array;
use napi_derive::napi;
use serde_json::json;

use crate::curve::Curve;
use crate::failure::{Argument, OrThrow as _, Result, text};
use crate::rows::whole;

/// The rules by which experience is granted.
#[napi]
#[derive(Debug)]
pub struct Progression(pub(crate) progress::Progression);

/// All but the curve.
#[napi(object)]
#[derive(Debug)]
pub struct ProgressionOptions {
    /// `bank`, `discard` or `convert`.
    pub at_max_level: String,
    /// `multiply`, `add` or `highest`.
    pub boost_stacking: String,
    /// Most experience of one day.
    pub daily_xp_cap: Option<i64>,
    /// In any order.
    pub boosts: Vec<BoostOptions>,
    /// `level` or `zero`.
    pub floor: Option<String>,
}

/// A time in which experience is multiplied.
#[napi(object)]
#[derive(Debug)]
pub struct BoostOptions {
    /// Its name.
    pub id: String,
    /// The first instant.
    pub from: i64,
    /// The first instant after it.
    pub until: i64,
    /// A decimal or fraction as text.
    pub factor: String,
}

/// What boosts of one factor have left over.
#[napi(object)]
#[derive(Debug)]
pub struct RemainderState {
    /// A reduced fraction as text.
    pub factor: String,
    /// Parts of what stands below its slash.
    pub rest: i64,
}

impl BoostOptions {
    fn read(&self) -> Result<progress::Boost> {
        let [from, until] = [self.from, self.until].map(Timestamp::from_unix_millis);
        let (id, factor) = (Id::new(&self.id).or_throw()?, Ratio::parse(&self.factor));
        let factor = factor
            .map_err(|error| Argument(error.code(), "a factor is a text above 0, such as '1.2' or '4/3'"))
            .or_throw()?;
        if until <= from {
            return Err(Argument(Code::OutOfRange, "a boost ends after it begins")).or_throw();
        }
        Ok(progress::Boost { id, from, until, factor })
    }
}

#[napi]
impl Progression {
    /// Of a curve.
    #[napi(constructor)]
    pub fn new(curve: &Curve, options: ProgressionOptions) -> Result<Self> {
        let at_max_level = match options.at_max_level.as_str() {
            "bank" => AtMaxLevel::Bank,
            "discard" => AtMaxLevel::Discard,
            "convert" => AtMaxLevel::Convert,
            _ => return Err(Code::InvalidArgument).or_throw(),
        };
        let stacking = match options.boost_stacking.as_str() {
            "multiply" => Stacking::Multiply,
            "add" => Stacking::Add,
            "highest" => Stacking::Highest,
            _ => return Err(Code::InvalidArgument).or_throw(),
        };
        let floor = match options.floor.as_deref() {
            None => None,
            Some("level") => Some(Floor::Level),
            Some("zero") => Some(Floor::Zero),
            Some(_) => return Err(Code::InvalidArgument).or_throw(),
        };
        if options.boosts.len() > BOOSTS_MAX {
            return Err(Argument(Code::TooLong, "there are too many boosts: each grant looks at all")).or_throw();
        }
        let boosts = options.boosts.iter().map(BoostOptions::read).collect::<Result<Vec<_>>>()?;
        if stacking.too_fine(&boosts).is_some() {
            return Err(Code::OutOfRange).or_throw();
        }
        let daily_xp_cap = options.daily_xp_cap.map(i64::unsigned_abs);
        Ok(Self(progress::Progression { levels: curve.0.clone(), at_max_level, daily_xp_cap, boosts, stacking, floor }))
    }

    /// The curve.
    #[napi]
    pub fn curve(&self) -> Curve {
        Curve(self.0.levels.clone())
    }

    /// What becomes of experience, and what boosts leave over, as JSON.
    #[napi]
    pub fn settle(
        &self,
        total_xp: i64,
        granted_today: i64,
        requested: i64,
        losses: i64,
        remainders: Vec<RemainderState>,
        ts: i64,
    ) -> Result<String> {
        let [total, today, gains, losses] = [total_xp, granted_today, requested, losses].map(i64::unsigned_abs);
        let remainders = remainders.iter().map(|one| Remainder::new(&one.factor, one.rest.unsigned_abs()).or_throw());
        let mut remainders = Remainders::new(remainders.collect::<Result<Vec<_>>>()?).or_throw()?;
        let asked = Asked { gains, losses };
        let grant = self.0.settle(total, today, asked, &mut remainders, Timestamp::from_unix_millis(ts)).or_throw()?;
        Ok(json!({ "grant": grant, "remainders": remainders }).to_string())
    }
}

/// Days in a row.
#[napi(object)]
#[derive(Clone, Copy, Debug)]
pub struct StreakState {
    /// Index of the newest day.
    pub last_day: i64,
    /// Days in a row up to it.
    pub length: u32,
    /// The most there ever were.
    pub longest: u32,
}

impl StreakState {
    const fn read(self) -> progress::Streak {
        progress::Streak { last_day: self.last_day, length: self.length, longest: self.longest }
    }
}

/// What a day makes of a streak, as JSON: the streak, and which day of it this is.
#[napi]
pub fn streak_step(state: StreakState, day: i64, missed_days_max: u32) -> String {
    let mut streak = state.read();
    let day = match streak.step(day, missed_days_max) {
        StreakStep::Day(day) => Some(day),
        StreakStep::Same => None,
    };
    json!({ "streak": streak, "day": day }).to_string()
}

/// Days in a row as they stand on a day.
#[napi]
pub fn streak_length_on(state: StreakState, day: i64, missed_days_max: u32) -> u32 {
    state.read().length_on(day, missed_days_max)
}

/// Units and rest after more experience, as JSON.
#[napi]
pub fn overflow_gather(units: i64, rest: i64, surplus: i64, every: i64) -> Result<String> {
    let every = NonZeroU64::new(every.unsigned_abs()).ok_or(Code::InvalidArgument).or_throw()?;
    let overflow = progress::Overflow { units: units.unsigned_abs(), rest: rest.unsigned_abs() };
    text(&overflow.gather(surplus.unsigned_abs(), every).ok_or(Code::ScoreOverflow).or_throw()?)
}

/// What players keep when the curve changes.
#[napi(object)]
#[derive(Debug)]
pub struct MigrationPolicy {
    /// `keepTotalXp`, `keepLevelAndFraction` or `keepEffort`.
    pub policy: String,
    /// Nobody has a lower level than before.
    pub never_lose_a_level: bool,
    /// Levels that the change brings are not rewarded.
    pub skip_rewards: bool,
}

impl MigrationPolicy {
    fn read(&self) -> Result<progress::MigrationPolicy> {
        let keep = match self.policy.as_str() {
            "keepTotalXp" => Keep::TotalXp,
            "keepLevelAndFraction" => Keep::LevelAndFraction,
            "keepEffort" => Keep::Effort,
            _ => return Err(Code::InvalidArgument).or_throw(),
        };
        let (never_lose_a_level, skip_rewards) = (self.never_lose_a_level, self.skip_rewards);
        Ok(progress::MigrationPolicy { keep, never_lose_a_level, skip_rewards })
    }
}

/// A player's XP total and the level up to which levels were rewarded; all of those reached if none is given.
fn player(xp: u64, granted_through: Option<u32>, old: &Curve) -> PlayerXp {
    let all = PlayerXp::at(xp, &old.0);
    PlayerXp { granted_through: granted_through.unwrap_or(all.granted_through), ..all }
}

/// A player after the change of curves, as JSON.
#[napi]
pub fn migrate_xp(
    old: &Curve,
    new: &Curve,
    policy: MigrationPolicy,
    xp: i64,
    granted_through: Option<u32>,
) -> Result<String> {
    let after = policy.read()?.apply(&old.0, &new.0, player(xp.unsigned_abs(), granted_through, old));
    Ok(json!({ "xp": after.xp, "grantedThrough": after.granted_through }).to_string())
}

/// What a change of curves would do, as JSON. Three numbers of each state: the XP total, the level up to which levels were
/// rewarded or -1, and how many players share it.
#[napi]
pub fn plan_migration(old: &Curve, new: &Curve, policy: MigrationPolicy, players: Float64Array) -> Result<String> {
    let (states, _) = players.as_chunks::<3>();
    let players = states.iter().map(|[xp, granted_through, players]| {
        let granted_through = u32::try_from(whole(*granted_through)).ok();
        (player(whole(*xp).unsigned_abs(), granted_through, old), whole(*players).unsigned_abs())
    });
    text(&progress::plan_migration(&old.0, &new.0, policy.read()?, players))
}
