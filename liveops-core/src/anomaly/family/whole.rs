//! Five detectors on one player, side by side.

use super::detectors::{FamilyDetector, Finding, SCORE_MAX, Thresholds};
use super::observation::{ActivityIndex, BossIndex, DropIndex, Gain, Observation};
use super::population::{ActivityTable, BossTable, Population, boss_place};
use super::profile::PlayerProfile;
use super::regularity;
use super::{Float, Score, narrow};
use crate::anomaly::amounts::{OWN_FROM, anchored};
use crate::anomaly::finite::Finite;
use crate::anomaly::verdict::{Baseline, Direction, Reason, Source, Verdict};
use crate::error::Code;
use crate::hash;
use crate::id::Id;

/// One value in seven counts against a player: `-ln` of that.
const ROBUST_ALLOWANCE: f64 = 2.0;
/// What a single value can count at most.
const ROBUST_STEP_MAX: f64 = 40.0;
/// How many values of the player's own are remembered: the mean follows slower than cheaters rise.
pub(super) const MEMORY: f64 = 1000.0;
/// The parts of the way that one value moves what the last ones are.
pub(super) const RECENT: f64 = 1.0 / 20.0;
const LATELY: f64 = 1.0 / 40.0;
/// Values of the player in an activity before a rise is judged.
const DRIFT_FROM: u8 = 6;
/// A value is learned as if it lay at most so many spreads from the mean.
pub(super) const LEARN_SPREADS: f64 = 2.0;
/// Or so far, if that is more: a logarithm. Players whose values hardly vary get better too.
pub(super) const LEARN_REACH: f64 = 1.0;
/// What is left of a suspicion by floors after another kill.
const FLOOR_FADES: f64 = 0.9;
/// Odds ratios that drops are tested for.
const DROP_RATIOS: [f64; 2] = [2.0, 6.0];

/// Places of activities that are told apart by name alone; the last two of a byte are no activity's.
const ACTIVITY_PLACES: u8 = 254;

/// How far a value lies from what was expected, and how well that is known.
struct Apart {
    off: f64,
    /// The spread of such values, wider while the mean is uncertain.
    wide: f64,
    uncertain: f64,
    known: u8,
}

/// What is needed of an activity's table for every event, close together.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Anchor {
    mean: f64,
    /// How many values of the player's own weigh as much as the population.
    weight: f64,
}

#[derive(Clone, Debug, PartialEq)]
struct Boss {
    floor_ms: Option<u32>,
    table: Option<BossTable>,
    /// A duration that is nothing special by the table, in milliseconds.
    slow_ms: u32,
}

impl Boss {
    fn new(table: Option<BossTable>) -> Self {
        Self { floor_ms: None, table, slow_ms: table.map_or(0, BossTable::slow_ms) }
    }
}

#[derive(Clone, Debug, PartialEq)]
struct Drop {
    name: Id,
    odds: f64,
    /// For each ratio: what a hit adds, and what a chance takes.
    hit: [f64; 2],
    chance: [f64; 2],
}

/// The detectors, configured once for all players: the population, floors and odds from the rules, thresholds.
///
/// A [`PlayerProfile`] of 64 bytes holds all that is learned of a player. Each event is scored before it is learned;
/// learning is clamped; an excursion above a threshold alerts once, until the score has fallen below half. Only what
/// helps a player is suspicious: slow kills, small amounts and bad luck are not.
///
/// What it cannot see, since one player's data does not show it: accounts that share one script recorded from a
/// person, players who start again under a new name, collusion, and whatever stays within what honest players do.
///
/// ```
/// use liveops_core::Timestamp;
/// use liveops_core::anomaly::{Family, FamilyDetector, Observation, PlayerProfile, Population};
///
/// let mut family = Family::new(Population::default());
/// let hydra = family.boss("hydra", Some(45_000))?;
/// let mut player = PlayerProfile::default();
/// let at = Timestamp::from_unix_seconds(1_794_000_000);
/// let findings = family.observe(&mut player, &Observation::at(at).kill(hydra, 12_000))?;
/// assert_eq!(findings[0].detector, FamilyDetector::TimeFloor);
/// assert!(family.observe(&mut player, &Observation::at(at).kill(hydra, 12_000))?.is_empty(), "said once");
/// # Ok::<(), liveops_core::error::Code>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Family {
    population: Population,
    /// Of each activity, and at the end of all others.
    anchors: Vec<Anchor>,
    /// Whether the population knows what amounts are usual. If not, each player's own first values say it.
    knows_amounts: bool,
    /// Activities that are kept apart without a population's tables, and their places.
    activities: Vec<(Id, u8)>,
    thresholds: Thresholds,
    boss_names: Vec<Id>,
    bosses: Vec<Boss>,
    drops: Vec<Drop>,
}

impl Family {
    /// Most bosses, and most drops.
    pub const NAMES_MAX: usize = 255;

    /// With the tables of a population; bosses in them are judged by how fast their fastest are.
    pub fn new(population: Population) -> Self {
        let boss_names: Vec<Id> = population.bosses.iter().map(|(name, _)| name.clone()).collect();
        let bosses = population.bosses.iter().map(|(_, table)| Boss::new(Some(*table))).collect();
        let tables = population.activities.iter().map(|(_, table)| table).chain([&population.other]);
        let anchors = tables.map(|table| Anchor { mean: table.mean.get(), weight: shrinkage(table) }).collect();
        let (knows_amounts, thresholds) = (population.knows_amounts(), Thresholds::DEFAULT);
        let (activities, drops) = (Vec::new(), Vec::new());
        Self { population, anchors, knows_amounts, activities, thresholds, boss_names, bosses, drops }
    }

    /// The same with thresholds, such as a [`super::Calibrator`] gives.
    #[must_use]
    pub fn with_thresholds(self, thresholds: Thresholds) -> Self {
        Self { thresholds, ..self }
    }

    /// The tables it was made with.
    pub const fn population(&self) -> &Population {
        &self.population
    }

    /// The thresholds in force.
    pub const fn thresholds(&self) -> &Thresholds {
        &self.thresholds
    }

    /// The place of an activity: that of the population's tables; where these know no amounts, one by its name, so that it means
    /// the same whatever other names there are. Of 254 places two names may share one, unless [`Self::keep_apart`] was told of
    /// them.
    pub fn activity(&self, name: &str) -> ActivityIndex {
        if self.knows_amounts {
            return self.population.activity(name);
        }
        let known = self.activities.iter().find(|(known, _)| known.as_str() == name);
        ActivityIndex(known.map_or_else(|| activity_place(name), |(_, place)| *place))
    }

    pub(crate) const fn knows_amounts(&self) -> bool {
        self.knows_amounts
    }

    /// Keeps an activity apart from all others that were named like this before; needless where the population knows amounts.
    /// `id_invalid` for a name that is no id, `too_long` for the 255th activity.
    pub fn keep_apart(&mut self, activity: &str) -> Result<(), Code> {
        if self.activities.iter().any(|(known, _)| known.as_str() == activity) {
            return Ok(());
        }
        let name = Id::new(activity).map_err(|error| error.code())?;
        // The next that is free, so that names added later move none.
        let from = activity_place(activity);
        let places = (from..ACTIVITY_PLACES).chain(0..from);
        let mut free = places.filter(|place| self.activities.iter().all(|(_, taken)| taken != place));
        self.activities.push((name, free.next().ok_or(Code::TooLong)?));
        Ok(())
    }

    /// The place of a boss, and the shortest possible duration in milliseconds if the rules know one: below it any kill
    /// alerts. `id_invalid` for a name that is no id, `too_long` for the 256th boss.
    pub fn boss(&mut self, name: &str, floor_ms: Option<u32>) -> Result<BossIndex, Code> {
        let place = boss_place(&self.boss_names, name).filter(|place| usize::from(place.0) < self.bosses.len());
        let place = if let Some(place) = place {
            place
        } else {
            let new = Id::new(name).map_err(|error| error.code())?;
            let place = free_place(self.bosses.len())?;
            self.boss_names.push(new);
            self.bosses.push(Boss::new(self.population.boss_table(name).copied()));
            BossIndex(place)
        };
        if let Some(boss) = self.bosses.get_mut(usize::from(place.0)) {
            boss.floor_ms = floor_ms.or(boss.floor_ms);
        }
        Ok(place)
    }

    /// The place of a drop with its published odds. `out_of_range` for odds outside 0..1, both excluded,
    /// `id_invalid` for a name that is no id, `invalid_argument` for one whose odds were given already and differ, `too_long` for the
    /// 256th drop.
    pub fn drop_odds(&mut self, name: &str, odds: f64) -> Result<DropIndex, Code> {
        if let Some(known) = self.drops.iter().position(|drop| drop.name.as_str() == name) {
            let same = self.drops.get(known).is_some_and(|drop| drop.odds.to_bits() == odds.to_bits());
            return if same { free_place(known).map(DropIndex) } else { Err(Code::InvalidArgument) };
        }
        if !(odds > 0.0 && odds < 1.0) {
            return Err(Code::OutOfRange);
        }
        let name = Id::new(name).map_err(|error| error.code())?;
        let place = free_place(self.drops.len())?;
        let hit = DROP_RATIOS.map(libm::log);
        let chance = DROP_RATIOS.map(|ratio| libm::log(1.0 - odds + odds * ratio));
        self.drops.push(Drop { name, odds, hit, chance });
        Ok(DropIndex(place))
    }

    /// What is to be said of an event, without learning it. `invalid_argument` for what an [`Observation`] may not hold.
    pub fn score(&self, profile: &PlayerProfile, observation: &Observation) -> Result<Vec<Finding>, Code> {
        let mut after = *profile;
        self.observe(&mut after, observation)
    }

    /// Scores an event, then learns it: the alerts that it causes, most often none. `invalid_argument`, and nothing
    /// learned, for what an [`Observation`] may not hold.
    pub fn observe(&self, profile: &mut PlayerProfile, observation: &Observation) -> Result<Vec<Finding>, Code> {
        let gain = observation.gain.map(|gain| Ok((gain, gain.logarithm()?))).transpose()?;
        if observation.kill.is_some_and(|kill| kill.duration_ms == 0) {
            return Err(Code::InvalidArgument);
        }
        let mut usual = None;
        self.rhythm(profile, observation);
        if let Some((gain, value)) = gain {
            profile.set_own(!self.knows_amounts);
            usual =
                if self.knows_amounts { Some(self.gain(profile, gain, value)) } else { self.own_gain(profile, gain) };
        }
        if let Some(kill) = observation.kill {
            self.kill(profile, kill.boss, kill.duration_ms);
        }
        if let Some(drops) = observation.drops {
            self.drop(profile, drops.drop, drops.chances, drops.hits);
        }
        Ok(self.alerts(profile, observation, usual))
    }

    fn rhythm(&self, profile: &mut PlayerProfile, observation: &Observation) {
        let mut rhythm = profile.rhythm();
        regularity::beat(&mut rhythm, &mut profile.regularity, &self.population.rhythm, observation.at);
        profile.set_rhythm(rhythm);
    }

    fn gain(&self, profile: &mut PlayerProfile, gain: Gain, value: f64) -> Baseline {
        let table = self.population.gain_table(gain.activity);
        let (Anchor { mean, weight }, spread) = (self.anchor(gain.activity.0), table.spread.get());
        let slot = profile.slot(gain.activity.0);
        let known = slot.map_or(0, |slot| profile.slot_n[slot]);
        // Shrunk towards what the player's other activities make expect (H. Robbins, 1956: empirical Bayes).
        let prior = mean + self.skill(profile, gain.activity.0);
        let own = f64::from(known);
        let uncertain = 1.0 / (weight + own);
        let own_mean = slot.map_or(prior, |slot| profile.slot_mean[slot].get());
        let expected = (weight * prior + own * own_mean) * uncertain;
        // Wider while the mean itself is uncertain.
        let wide = spread * (1.0 + uncertain).sqrt();
        let off = value - expected;
        Self::judge(profile, table, &Apart { off, wide, uncertain, known });
        if let Some(slot) = slot.or_else(|| profile.claim(gain.activity.0)) {
            let from = if known == 0 { prior } else { profile.slot_mean[slot].get() };
            let step = clamped(off, reach(wide));
            let moved = step + expected - from;
            profile.slot_mean[slot] = narrow(from + moved * rate(own));
            profile.slot_n[slot] = profile.slot_n[slot].saturating_add(1);
        }
        let source = if own < weight { Source::Population } else { Source::Player };
        Baseline::new(u64::from(known), expected, wide, source)
    }

    /// Without a population that knows amounts: their logarithms, so that the unit is none of the family's business, compared with
    /// the player's own. The first values of an activity say what is usual and are not judged; 0 says nothing.
    fn own_gain(&self, profile: &mut PlayerProfile, gain: Gain) -> Option<Baseline> {
        let value = Some(gain.own_logarithm()).filter(|value| value.is_finite())?;
        let slot = profile.slot(gain.activity.0).or_else(|| profile.claim(gain.activity.0))?;
        let (known, mean) = (profile.slot_n[slot], profile.slot_mean[slot].get());
        let own = f64::from(known);
        let learn = |profile: &mut PlayerProfile, off: f64| {
            profile.slot_mean[slot] = narrow(mean + off * rate(own));
            profile.slot_n[slot] = known.saturating_add(1);
        };
        if u64::from(known) < OWN_FROM {
            learn(profile, value - mean);
            return None;
        }
        let (table, uncertain) = (&self.population.other, 1.0 / own);
        let wide = table.spread.get() * (1.0 + uncertain).sqrt();
        let off = value - mean;
        Self::judge(profile, table, &Apart { off, wide, uncertain, known });
        learn(profile, clamped(off, reach(wide)));
        Some(Baseline::new(u64::from(known), anchored(mean), wide, Source::Player))
    }

    /// Moves the scores of amounts on by one that lies so far off.
    fn judge(profile: &mut PlayerProfile, table: &ActivityTable, apart: &Apart) {
        let Apart { off, wide, uncertain, known } = *apart;
        let (spread, drift) = (table.spread.get(), table.drift.get());
        // Where a player's level moves between activities and times, that is no surprise.
        let scale = (wide * wide + drift * drift).sqrt();
        let surprise = table.upper.at((off - profile.recent.get()) / scale).min(ROBUST_STEP_MAX);
        profile.robust = summed(profile.robust, surprise - ROBUST_ALLOWANCE);
        // Clamped from where it is by now: who has risen far is followed there, and only a burst is not.
        let followed = |level: Float, rate: f64| narrow(level.get() + clamped(off - level.get(), reach(wide)) * rate);
        profile.recent = followed(profile.recent, RECENT);
        profile.lately = followed(profile.lately, LATELY);
        let risen = |level: Float, rate: f64| {
            // A mean of the last values is off by chance, and so is the one it is compared with.
            let noise = spread * spread * (rate / (2.0 - rate) + uncertain);
            let level = level.get().max(0.0);
            level * level / (drift * drift + noise)
        };
        if known >= DRIFT_FROM {
            profile.drift = Score::new(risen(profile.recent, RECENT).max(risen(profile.lately, LATELY)));
        }
    }

    fn anchor(&self, activity: u8) -> Anchor {
        let last = self.anchors.len().saturating_sub(1);
        // There is always the one of all others.
        self.anchors.get(usize::from(activity).min(last)).copied().unwrap_or(Anchor { mean: 0.0, weight: 1.0 })
    }

    /// How far the player lies above the median of the population in other activities, as far as that is known.
    fn skill(&self, profile: &PlayerProfile, activity: u8) -> f64 {
        let (mut sum, mut weight) = (0.0, 4.0);
        for (other, n, mean) in profile.slots().filter(|(other, ..)| *other != activity) {
            let n = f64::from(n.min(16));
            sum += n * (mean - self.anchor(other).mean);
            weight += n;
        }
        sum / weight
    }

    fn kill(&self, profile: &mut PlayerProfile, boss: BossIndex, duration_ms: u32) {
        let Some(boss) = self.bosses.get(usize::from(boss.0)) else { return };
        let score = match boss.floor_ms {
            Some(floor_ms) if duration_ms < floor_ms => SCORE_MAX,
            Some(_) => 0.0,
            // Most kills are so far above the edge that no logarithm is needed to know it.
            None if duration_ms >= boss.slow_ms => 0.0,
            None => boss.table.map_or(0.0, |table| table.surprise(duration_ms)),
        };
        profile.floor = Score::new((profile.floor.get() * FLOOR_FADES).max(score));
    }

    fn drop(&self, profile: &mut PlayerProfile, drop: DropIndex, chances: u32, hits: u32) {
        let Some(drop) = self.drops.get(usize::from(drop.0)) else { return };
        let (chances, hits) = (f64::from(chances), f64::from(hits));
        for (score, (hit, chance)) in profile.drops.iter_mut().zip(drop.hit.iter().zip(&drop.chance)) {
            *score = narrow((score.get() + hits * hit - chances * chance).clamp(0.0, SCORE_MAX));
        }
    }

    /// Those that have risen above their thresholds; those below half may alert again.
    fn alerts(&self, profile: &mut PlayerProfile, observation: &Observation, usual: Option<Baseline>) -> Vec<Finding> {
        let mut findings = Vec::new();
        let scores = profile.scores();
        for detector in FamilyDetector::ALL {
            let (score, threshold) = (scores.of(detector), self.thresholds.of(detector));
            if score > threshold {
                if !profile.is_alerted(detector) {
                    findings.push(self.finding(detector, score, threshold, observation, usual));
                }
                profile.alerted |= detector.bit();
            } else if score < threshold / 2.0 {
                profile.alerted &= !detector.bit();
            }
        }
        findings
    }

    fn finding(
        &self,
        detector: FamilyDetector,
        score: f64,
        threshold: f64,
        observation: &Observation,
        usual: Option<Baseline>,
    ) -> Finding {
        let nothing = Baseline::new(0, 0.0, 0.0, Source::Population);
        let usual = usual.unwrap_or(nothing);
        let (direction, reason, baseline) = match detector {
            FamilyDetector::Robust => (Direction::High, Reason::FarAboveUsual, usual),
            FamilyDetector::Drift => (Direction::High, Reason::RisesSteadily, usual),
            FamilyDetector::DropRate => {
                let drop = observation.drops.and_then(|drops| self.drops.get(usize::from(drops.drop.0)));
                let odds = drop.map_or(0.0, |drop| drop.odds);
                (Direction::High, Reason::TooManyDrops, Baseline::new(0, odds, 0.0, Source::Rule))
            }
            FamilyDetector::TimeFloor => {
                let boss = observation.kill.and_then(|kill| self.bosses.get(usize::from(kill.boss.0)));
                let floor = boss.and_then(|boss| boss.floor_ms);
                let edge = boss.and_then(|boss| boss.table).map_or(0.0, |table| libm::exp(table.edge.get()));
                let (mean, source) = floor.map_or((edge, Source::Population), |ms| (f64::from(ms), Source::Rule));
                (Direction::Low, Reason::BelowFloor, Baseline::new(0, mean, 0.0, source))
            }
            FamilyDetector::Regularity => (Direction::Low, Reason::TooRegular, nothing),
        };
        let threshold = Finite::new(threshold).unwrap_or_default();
        Finding { detector, verdict: Verdict::new(score, threshold, direction, reason, baseline) }
    }
}

/// The part of the way that a value moves a mean of so many.
pub(super) fn rate(n: f64) -> f64 {
    if n < 16.0 { 1.0 / (n + 1.0) } else { 1.0 / (4.0 * n).min(MEMORY) }
}

/// How many values of the player's own weigh as much as the population.
fn shrinkage(table: &ActivityTable) -> f64 {
    let ratio = table.spread.get() / table.between.get();
    (ratio * ratio).clamp(0.25, 16.0)
}

/// How far off a value is learned at most.
fn reach(wide: f64) -> f64 {
    (LEARN_SPREADS * wide).max(LEARN_REACH)
}

fn clamped(off: f64, reach: f64) -> f64 {
    off.max(-reach).min(reach)
}

/// Where a name belongs among the places of a profile's slots.
fn activity_place(name: &str) -> u8 {
    u8::try_from(hash::short(name.as_bytes()) % u64::from(ACTIVITY_PLACES)).unwrap_or_default()
}

fn summed(score: Score, step: f64) -> Score {
    Score::new(score.get() + step)
}

fn free_place(len: usize) -> Result<u8, Code> {
    u8::try_from(len).ok().filter(|place| usize::from(*place) < Family::NAMES_MAX).ok_or(Code::TooLong)
}
