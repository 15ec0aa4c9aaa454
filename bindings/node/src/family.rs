//! The whole family of detectors on one player: an event at a time, or columns of many.

use std::collections::BTreeMap;

use liveops_core::anomaly::{
    self, ActivityIndex, BossIndex, DropIndex, FamilyDetector, Finding, Observation, Thresholds,
};
use liveops_core::limits::INTEGER_MAX;
use liveops_core::{Code, Timestamp};
use napi::bindgen_prelude::{BigInt64Array, Float64Array, Uint32Array};
use napi_derive::napi;
use serde_json::{Value, json};

use crate::failure::{Argument, At, OrThrow as _, Result, text};
use crate::population::Population;
use crate::profile::PlayerProfile;
use crate::rows::whole;
use crate::thresholds::{listed, thresholds};
use crate::verdict::{Batch, told};

/// The detectors, configured once for all players.
#[napi]
#[derive(Debug)]
pub struct Family {
    detectors: anomaly::Family,
    bosses: BTreeMap<String, BossIndex>,
    drops: BTreeMap<String, DropIndex>,
}

/// One event of a player.
#[napi(object)]
#[derive(Debug)]
pub struct Event {
    /// When.
    pub at: i64,
    /// An amount.
    pub gain: Option<GainOptions>,
    /// A kill.
    pub kill: Option<KillOptions>,
    /// Chances for a drop.
    pub drops: Option<DropsOptions>,
}

/// An amount of something.
#[napi(object)]
#[derive(Debug)]
pub struct GainOptions {
    /// Of what.
    pub activity: String,
    /// How much, boosts included.
    pub amount: f64,
    /// What rules multiplied it by.
    pub boost: f64,
}

/// A boss was killed.
#[napi(object)]
#[derive(Debug)]
pub struct KillOptions {
    /// Which.
    pub boss: String,
    /// In how many milliseconds.
    pub duration_ms: u32,
}

/// Chances for a drop.
#[napi(object)]
#[derive(Debug)]
pub struct DropsOptions {
    /// Which.
    pub drop: String,
    /// How many.
    pub chances: u32,
    /// And how many of them brought it.
    pub hits: u32,
}

/// A name for every event, or one for all.
#[napi(object, object_to_js = false)]
#[expect(missing_debug_implementations, reason = "a view into memory of the engine's has none")]
pub struct NameColumn {
    /// Each once.
    pub names: Vec<String>,
    /// Which of them each event has; without it they all have the first.
    pub places: Option<Uint32Array>,
}

/// Many events of a player in columns, all as long as that of the times.
#[napi(object, object_to_js = false)]
#[expect(missing_debug_implementations, reason = "a view into memory of the engine's has none")]
pub struct Columns {
    /// Times as numbers,
    pub at: Option<Float64Array>,
    /// or as integers of 64 bits.
    pub at_big: Option<BigInt64Array>,
    /// Amounts of what.
    pub activity: Option<NameColumn>,
    /// How much.
    pub amount: Option<Float64Array>,
    /// What rules multiplied it by; 1 without.
    pub boost: Option<Float64Array>,
    /// Which bosses were killed.
    pub boss: Option<NameColumn>,
    /// In how many milliseconds.
    pub duration_ms: Option<Uint32Array>,
    /// For which drops there were chances.
    pub drop: Option<NameColumn>,
    /// How many.
    pub chances: Option<Uint32Array>,
    /// And how many of them brought it.
    pub hits: Option<Uint32Array>,
}

#[napi]
impl Family {
    /// With the tables of a population, and thresholds in the order of the detectors.
    #[napi(constructor)]
    pub fn new(population: &Population, given: Vec<Option<f64>>) -> Result<Self> {
        let population = population.0.clone();
        let known: Vec<String> = population.bosses().map(ToOwned::to_owned).collect();
        let thresholds = thresholds(Thresholds::DEFAULT, &given)?;
        let detectors = anomaly::Family::new(population).with_thresholds(thresholds);
        let mut made = Self { detectors, bosses: BTreeMap::new(), drops: BTreeMap::new() };
        known.into_iter().try_for_each(|boss| made.boss(boss, None))?;
        Ok(made)
    }

    /// A boss, and the shortest possible duration.
    #[napi]
    pub fn boss(&mut self, name: String, floor_ms: Option<u32>) -> Result<()> {
        let place = self.detectors.boss(&name, floor_ms);
        let place =
            place.map_err(|code| Argument(code, "boss must be an id, and there may be 255 of them")).or_throw()?;
        self.bosses.insert(name, place);
        Ok(())
    }

    /// An activity that shares its place with no other.
    #[napi]
    pub fn keep_apart(&mut self, activity: String) -> Result<()> {
        let kept = self.detectors.keep_apart(&activity);
        kept.map_err(|code| Argument(code, "activity must be an id, and there may be 254 of them")).or_throw()
    }

    /// A drop with its published odds.
    #[napi]
    pub fn drop_odds(&mut self, name: String, odds: f64) -> Result<()> {
        let place = self.detectors.drop_odds(&name, odds).map_err(|code| {
            Argument(
                code,
                "drop must be an id, odds above 0, below 1 and not other than given before; there may be 255",
            )
        });
        self.drops.insert(name, place.or_throw()?);
        Ok(())
    }

    /// The thresholds in force, in the order of the detectors.
    #[napi]
    pub fn thresholds(&self) -> Vec<f64> {
        listed(|detector| self.detectors.thresholds().of(detector))
    }

    /// What is to be said of an event, without learning it; as JSON, none if that is nothing.
    #[napi]
    pub fn score(&self, profile: &PlayerProfile, event: Event) -> Result<Option<String>> {
        let mut after = profile.0;
        self.observed(&mut after, &event)
    }

    /// The same, and learns it.
    #[napi]
    pub fn observe(&self, profile: &mut PlayerProfile, event: Event) -> Result<Option<String>> {
        self.observed(&mut profile.0, &event)
    }

    /// Many events of one player, all of them or none: five scores after each, and what was found.
    #[napi]
    pub fn observe_many(&self, profile: &mut PlayerProfile, columns: Columns) -> Result<Batch> {
        let rows = Rows::new(self, &columns)?;
        let mut after = profile.0;
        let (mut scores, mut found) = (Vec::with_capacity(FamilyDetector::ALL.len() * rows.len()), Vec::new());
        for index in 0..rows.len() {
            let findings = rows.at(index).and_then(|seen| self.detectors.observe(&mut after, &seen).map_err(|_| ROW));
            for finding in findings.map_err(|error| At { index, error }).or_throw()? {
                let mut told = finding_told(&finding);
                told["index"] = index.into();
                found.push(told);
            }
            let gathered = after.scores();
            scores.extend(FamilyDetector::ALL.map(|detector| gathered.of(detector)));
        }
        let batch = Batch { scores: Float64Array::new(scores), findings: text(&found)? };
        profile.0 = after;
        Ok(batch)
    }
}

const ROW: Argument = Argument(
    Code::InvalidArgument,
    "amounts must be finite and not negative, boosts finite and above 0, durations at least 1 ms",
);

impl Family {
    fn observed(&self, profile: &mut anomaly::PlayerProfile, event: &Event) -> Result<Option<String>> {
        let mut seen = Observation::at(Timestamp::from_unix_millis(event.at));
        if let Some(GainOptions { activity, amount, boost }) = &event.gain {
            seen = seen.gain(self.activity_index(activity), *amount, *boost);
        }
        if let Some(KillOptions { boss, duration_ms }) = &event.kill {
            seen = seen.kill(self.boss_index(boss)?, *duration_ms);
        }
        if let Some(DropsOptions { drop, chances, hits }) = &event.drops {
            seen = seen.drops(self.drop_index(drop)?, *chances, *hits);
        }
        let findings = self.detectors.observe(profile, &seen).map_err(|_| ROW).or_throw()?;
        let told = || text(&findings.iter().map(finding_told).collect::<Vec<_>>());
        if findings.is_empty() { Ok(None) } else { told().map(Some) }
    }

    fn activity_index(&self, name: &str) -> ActivityIndex {
        self.detectors.activity(name)
    }

    fn boss_index(&self, name: &str) -> Result<BossIndex> {
        let known = self.bosses.get(name).copied();
        known
            .ok_or(Argument(Code::InvalidArgument, "the family does not know this boss: name it with boss() before"))
            .or_throw()
    }

    fn drop_index(&self, name: &str) -> Result<DropIndex> {
        let known = self.drops.get(name).copied();
        known
            .ok_or(Argument(
                Code::InvalidArgument,
                "the family does not know this drop: give its odds with dropOdds() before",
            ))
            .or_throw()
    }
}

fn finding_told(finding: &Finding) -> Value {
    json!({ "detector": finding.detector.as_str(), "verdict": told(&finding.verdict) })
}

/// Columns with their names looked up.
struct Rows<'c> {
    columns: &'c Columns,
    activities: Vec<ActivityIndex>,
    bosses: Vec<BossIndex>,
    drops: Vec<DropIndex>,
}

impl<'c> Rows<'c> {
    fn new(family: &Family, columns: &'c Columns) -> Result<Self> {
        let names = |column: &'c Option<NameColumn>| column.iter().flat_map(|column| &column.names);
        Ok(Self {
            columns,
            activities: names(&columns.activity).map(|name| family.activity_index(name)).collect(),
            bosses: names(&columns.boss).map(|name| family.boss_index(name)).collect::<Result<_>>()?,
            drops: names(&columns.drop).map(|name| family.drop_index(name)).collect::<Result<_>>()?,
        })
    }

    fn len(&self) -> usize {
        let big = self.columns.at_big.as_ref().map_or(0, |times| times.len());
        self.columns.at.as_ref().map_or(big, |times| times.len())
    }

    /// One event. `lib/family.js` has seen to it that columns which belong together are there, and as long as one another.
    fn at(&self, index: usize) -> std::result::Result<Observation, Argument> {
        let Columns { activity, amount, boost, boss, duration_ms, drop, chances, hits, .. } = self.columns;
        let mut seen = Observation::at(
            self.time(index).ok_or(Argument(Code::InvalidArgument, "a time must be whole milliseconds"))?,
        );
        if let (Some(activity), Some(amount)) =
            (named(activity.as_ref(), &self.activities, index), number(amount.as_ref(), index))
        {
            seen = seen.gain(activity, amount, number(boost.as_ref(), index).unwrap_or(1.0));
        }
        if let (Some(boss), Some(duration_ms)) =
            (named(boss.as_ref(), &self.bosses, index), count(duration_ms.as_ref(), index))
        {
            seen = seen.kill(boss, duration_ms);
        }
        let counts = count(chances.as_ref(), index).zip(count(hits.as_ref(), index));
        if let (Some(drop), Some((chances, hits))) = (named(drop.as_ref(), &self.drops, index), counts) {
            seen = seen.drops(drop, chances, hits);
        }
        Ok(seen)
    }

    #[expect(clippy::cast_precision_loss, reason = "compared with what a number holds exactly")]
    fn time(&self, index: usize) -> Option<Timestamp> {
        const MOST: f64 = INTEGER_MAX as f64;
        let big = || self.columns.at_big.as_ref()?.get(index).copied();
        let small =
            number(self.columns.at.as_ref(), index).filter(|at| at.fract() == 0.0 && (-MOST..=MOST).contains(at));
        let millis = if self.columns.at.is_some() { small.map(whole) } else { big() };
        millis.filter(|millis| millis.unsigned_abs() <= INTEGER_MAX.unsigned_abs()).map(Timestamp::from_unix_millis)
    }
}

fn named<T: Copy>(column: Option<&NameColumn>, known: &[T], index: usize) -> Option<T> {
    let place = match &column?.places {
        Some(places) => usize::try_from(*places.get(index)?).ok()?,
        None => 0,
    };
    known.get(place).copied()
}

fn number(column: Option<&Float64Array>, index: usize) -> Option<f64> {
    column?.get(index).copied()
}

fn count(column: Option<&Uint32Array>, index: usize) -> Option<u32> {
    column?.get(index).copied()
}
