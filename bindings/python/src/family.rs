//! The whole family of detectors on one player: an event at a time, or columns of many.

use std::collections::BTreeMap;

use liveops_core::Timestamp;
use liveops_core::anomaly::{
    self, ActivityIndex, BossIndex, DropIndex, FamilyDetector, Finding, Observation, Thresholds as CoreThresholds,
};
use liveops_core::error::Code;
use liveops_core::limits::LIST_LEN_MAX;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyString, PyTuple};

use crate::arguments::{Int, Listed, Number, When, each};
use crate::columns::{Cells, Floats, Integers};
use crate::errors::{argument, at_index};
use crate::lock::{detached, with};
use crate::population::Population;
use crate::profile::PlayerProfile;
use crate::thresholds::{Thresholds, told};
use crate::verdict::{family_batch, findings};

/// Five detectors, configured once for all players; what is learned of a player is in a `PlayerProfile`.
///
/// `floors` are bosses with the shortest possible duration in milliseconds, or None for one that has none; those of the
/// population are known without it. `drops` are the published odds. Without a population each player's first ten values of an
/// activity say what is usual; `activities` are surely kept apart then, others by a hash of their names. Times are milliseconds or aware datetimes.
///
/// >>> import liveops
/// >>> family = liveops.Family(floors={"hydra": 45_000}, drops={"crown": 0.05})
/// >>> ana = liveops.PlayerProfile()
/// >>> family.observe(ana, 1794052800000, activity="dungeon", amount=240)
/// ()
/// >>> [finding] = family.observe(ana, 1794052860000, boss="hydra", duration_ms=12_000)
/// >>> finding.detector, finding.verdict.sentence()
/// ('timeFloor', 'The duration is shorter than the rules hold possible, which is 45 s.')
/// >>> ana.alerted, len(ana.to_bytes())
/// (('timeFloor',), 63)
#[pyclass(module = "liveops", frozen)]
pub(crate) struct Family {
    detectors: anomaly::Family,
    bosses: BTreeMap<String, BossIndex>,
    drops: BTreeMap<String, DropIndex>,
}

#[pymethods]
impl Family {
    #[new]
    #[pyo3(signature = (population=None, *, thresholds=None, floors=None, drops=None, activities=None))]
    fn new(
        py: Python<'_>,
        population: Option<&Population>,
        thresholds: Option<Thresholds>,
        floors: Option<BTreeMap<String, Option<Int<u32>>>>,
        drops: Option<BTreeMap<String, Number>>,
        activities: Option<Listed<String>>,
    ) -> PyResult<Self> {
        let population = population.map_or_else(anomaly::Population::default, |population| population.0.clone());
        let thresholds = thresholds.map_or(CoreThresholds::DEFAULT, |thresholds| thresholds.0);
        let known: Vec<String> = population.bosses().map(ToOwned::to_owned).collect();
        let detectors = anomaly::Family::new(population).with_thresholds(thresholds);
        let mut family = Self { detectors, bosses: BTreeMap::new(), drops: BTreeMap::new() };
        for activity in activities.map_or_else(Vec::new, |activities| activities.0) {
            let advice = "an activity is an id, and there may be 254 of them";
            family.detectors.keep_apart(&activity).map_err(|code| argument(py, code, advice))?;
        }
        let floors = floors.unwrap_or_default().into_iter().map(|(boss, floor)| (boss, floor.map(|floor| floor.0)));
        for (boss, floor_ms) in known.into_iter().map(|boss| (boss, None)).chain(floors) {
            let place =
                if floor_ms == Some(0) { Err(Code::OutOfRange) } else { family.detectors.boss(&boss, floor_ms) };
            let advice = "a boss is an id, its floor at least 1 ms, and there may be 255 of them";
            family.bosses.insert(boss, place.map_err(|code| argument(py, code, advice))?);
        }
        for (drop, Number(odds)) in drops.unwrap_or_default() {
            let place = family.detectors.drop_odds(&drop, odds);
            let advice = "a drop is an id, its odds above 0 and below 1, and there may be 255 of them";
            family.drops.insert(drop, place.map_err(|code| argument(py, code, advice))?);
        }
        Ok(family)
    }

    /// The thresholds in force.
    #[getter]
    fn thresholds<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        told(py, self.detectors.thresholds())
    }

    /// Scores an event, then learns it: the alerts that it causes, most often none.
    ///
    /// What an event does not say is left out: an amount that an activity brought (`boost` is what rules multiplied it by), a
    /// boss and how long it took, chances for a drop and how many of them brought it. `ArgumentError`, and nothing learned,
    /// for what no event can be.
    #[pyo3(signature = (
        profile, at, *, activity=None, amount=None, boost=None, boss=None, duration_ms=None, drop=None, chances=None, hits=None
    ))]
    #[expect(clippy::too_many_arguments, reason = "keywords, each a part of the event")]
    fn observe<'py>(
        &self,
        py: Python<'py>,
        profile: &PlayerProfile,
        at: When,
        activity: Option<&str>,
        amount: Option<Number>,
        boost: Option<Number>,
        boss: Option<&str>,
        duration_ms: Option<Int<u32>>,
        drop: Option<&str>,
        chances: Option<Int<u32>>,
        hits: Option<Int<u32>>,
    ) -> PyResult<Bound<'py, PyTuple>> {
        let event = Event { activity, amount, boost, boss, duration_ms, drop, chances, hits };
        let seen = self.observation(py, at, event)?;
        let found = with(py, &profile.0, |profile| self.detectors.observe(profile, &seen));
        findings(py, &found.map_err(|_| argument(py, Code::InvalidArgument, ROW))?)
    }

    /// The same without learning.
    #[pyo3(signature = (
        profile, at, *, activity=None, amount=None, boost=None, boss=None, duration_ms=None, drop=None, chances=None, hits=None
    ))]
    #[expect(clippy::too_many_arguments, reason = "keywords, each a part of the event")]
    fn score<'py>(
        &self,
        py: Python<'py>,
        profile: &PlayerProfile,
        at: When,
        activity: Option<&str>,
        amount: Option<Number>,
        boost: Option<Number>,
        boss: Option<&str>,
        duration_ms: Option<Int<u32>>,
        drop: Option<&str>,
        chances: Option<Int<u32>>,
        hits: Option<Int<u32>>,
    ) -> PyResult<Bound<'py, PyTuple>> {
        let event = Event { activity, amount, boost, boss, duration_ms, drop, chances, hits };
        let seen = self.observation(py, at, event)?;
        let found = self.detectors.score(&profile.state(py), &seen);
        findings(py, &found.map_err(|_| argument(py, Code::InvalidArgument, ROW))?)
    }

    /// Many events of one player in columns, which are as long as that of the times. A name may be one for all, or a list.
    /// `BatchError` with the index of an event that cannot be, and nothing learned of any. Other threads of Python run
    /// meanwhile.
    #[pyo3(signature = (
        profile, at_ms, *, activity=None, amount=None, boost=None, boss=None, duration_ms=None, drop=None, chances=None, hits=None
    ))]
    #[expect(clippy::too_many_arguments, reason = "keywords, each a column")]
    fn observe_many<'py>(
        &self,
        py: Python<'py>,
        profile: &PlayerProfile,
        at_ms: Integers,
        activity: Option<&Bound<'py, PyAny>>,
        amount: Option<Floats>,
        boost: Option<Floats>,
        boss: Option<&Bound<'py, PyAny>>,
        duration_ms: Option<Integers>,
        drop: Option<&Bound<'py, PyAny>>,
        chances: Option<Integers>,
        hits: Option<Integers>,
    ) -> PyResult<Bound<'py, PyAny>> {
        if boost.is_some() && amount.is_none() {
            return Err(PyTypeError::new_err("boost goes with amount"));
        }
        let at = at_ms.cells();
        let len = at.len();
        let activities = activity.map(|names| Names::new(names, len, |name| Ok(self.activity(name)))).transpose()?;
        let bosses = boss.map(|names| Names::new(names, len, |name| self.boss(py, name))).transpose()?;
        let drops = drop.map(|names| Names::new(names, len, |name| self.drop(py, name))).transpose()?;
        let rows = Rows {
            at,
            gain: both("activity and amount", activities, floats(py, amount.as_ref(), len)?)?,
            boost: floats(py, boost.as_ref(), len)?,
            kill: both("boss and duration_ms", bosses, integers(py, duration_ms.as_ref(), len)?)?,
            drops: both(
                "drop, chances and hits",
                drops,
                both("chances and hits", integers(py, chances.as_ref(), len)?, integers(py, hits.as_ref(), len)?)?,
            )?,
        };
        let observed = detached(py, &profile.0, |profile| {
            let mut after = *profile;
            let observed = self.observe_rows(&mut after, &rows);
            if observed.is_ok() {
                *profile = after;
            }
            observed
        });
        let (scores, found) = observed.map_err(|index| at_index(py, index, Code::InvalidArgument, ROW))?;
        family_batch(py, &scores, &found)
    }
}

const ROW: &str =
    "an amount is finite and not negative, a boost finite and above 0, a duration at least 1 ms, counts below 2^32";

/// One event as Python's keywords.
struct Event<'a> {
    activity: Option<&'a str>,
    amount: Option<Number>,
    boost: Option<Number>,
    boss: Option<&'a str>,
    duration_ms: Option<Int<u32>>,
    drop: Option<&'a str>,
    chances: Option<Int<u32>>,
    hits: Option<Int<u32>>,
}

impl Family {
    fn observation(&self, py: Python<'_>, at: When, event: Event<'_>) -> PyResult<Observation> {
        let Event { activity, amount, boost, boss, duration_ms, drop, chances, hits } = event;
        let mut seen = Observation::at(at.0);
        if let Some((activity, Number(amount))) = both("activity and amount", activity, amount)? {
            seen = seen.gain(self.activity(activity), amount, boost.map_or(1.0, |Number(boost)| boost));
        } else if boost.is_some() {
            return Err(PyTypeError::new_err("boost goes with amount"));
        }
        if let Some((boss, Int(duration_ms))) = both("boss and duration_ms", boss, duration_ms)? {
            seen = seen.kill(self.boss(py, boss)?, duration_ms);
        }
        let counts = (chances.is_some() || hits.is_some()).then(|| [chances, hits].map(|n| n.map_or(0, |Int(n)| n)));
        if let Some((drop, [chances, hits])) = both("drop and its chances or hits", drop, counts)? {
            seen = seen.drops(self.drop(py, drop)?, chances, hits);
        }
        Ok(seen)
    }

    /// Five scores after each event, and what was found; or the index of the event that cannot be.
    fn observe_rows(&self, profile: &mut anomaly::PlayerProfile, rows: &Rows<'_>) -> Result<Observed, usize> {
        let len = rows.at.len();
        let (mut scores, mut found) = (Vec::with_capacity(FamilyDetector::ALL.len() * len), Vec::new());
        for index in 0..len {
            let seen = rows.row(index).ok_or(index)?;
            let findings = self.detectors.observe(profile, &seen).map_err(|_| index)?;
            found.extend(findings.into_iter().map(|finding| (index, finding)));
            let gathered = profile.scores();
            scores.extend(FamilyDetector::ALL.map(|detector| gathered.of(detector)));
        }
        Ok((scores, found))
    }

    fn activity(&self, name: &str) -> ActivityIndex {
        self.detectors.activity(name)
    }

    fn boss(&self, py: Python<'_>, name: &str) -> PyResult<BossIndex> {
        let advice = "the family does not know this boss: give it a floor, or None";
        self.bosses.get(name).copied().ok_or_else(|| argument(py, Code::InvalidArgument, advice))
    }

    fn drop(&self, py: Python<'_>, name: &str) -> PyResult<DropIndex> {
        let advice = "the family does not know this drop: give its odds";
        self.drops.get(name).copied().ok_or_else(|| argument(py, Code::InvalidArgument, advice))
    }
}

type Observed = (Vec<f64>, Vec<(usize, Finding)>);

/// What belongs together is given together.
fn both<A, B>(names: &str, one: Option<A>, other: Option<B>) -> PyResult<Option<(A, B)>> {
    match (one, other) {
        (Some(one), Some(other)) => Ok(Some((one, other))),
        (None, None) => Ok(None),
        _ => Err(PyTypeError::new_err(format!("{names} are given together"))),
    }
}

fn floats<'a>(py: Python<'_>, column: Option<&'a Floats>, len: usize) -> PyResult<Option<Cells<'a, f64>>> {
    as_long(py, column.map(Floats::cells), len)
}

fn integers<'a>(py: Python<'_>, column: Option<&'a Integers>, len: usize) -> PyResult<Option<Cells<'a, i64>>> {
    as_long(py, column.map(Integers::cells), len)
}

fn as_long<'a, T>(py: Python<'_>, cells: Option<Cells<'a, T>>, len: usize) -> PyResult<Option<Cells<'a, T>>> {
    if cells.as_ref().is_none_or(|cells| cells.len() == len) { Ok(cells) } else { Err(lengths(py)) }
}

fn lengths(py: Python<'_>) -> PyErr {
    argument(py, Code::InvalidArgument, "columns are as long as at_ms")
}

/// The places of names: one for all events, or one for each.
enum Names<T> {
    One(T),
    Each(Vec<T>),
}

impl<T: Copy> Names<T> {
    fn new(names: &Bound<'_, PyAny>, len: usize, find: impl Fn(&str) -> PyResult<T>) -> PyResult<Self> {
        let py = names.py();
        if let Ok(name) = names.cast::<PyString>() {
            return find(name.to_str()?).map(Self::One);
        }
        let each = each(names, LIST_LEN_MAX, |name| find(name.cast::<PyString>()?.to_str()?))?;
        if each.len() == len { Ok(Self::Each(each)) } else { Err(lengths(py)) }
    }

    fn get(&self, index: usize) -> Option<T> {
        match self {
            Self::One(place) => Some(*place),
            Self::Each(places) => places.get(index).copied(),
        }
    }
}

/// Chances and hits.
type Counts<'a> = (Cells<'a, i64>, Cells<'a, i64>);

/// Columns, all as long as that of the times.
struct Rows<'a> {
    at: Cells<'a, i64>,
    gain: Option<(Names<ActivityIndex>, Cells<'a, f64>)>,
    boost: Option<Cells<'a, f64>>,
    kill: Option<(Names<BossIndex>, Cells<'a, i64>)>,
    drops: Option<(Names<DropIndex>, Counts<'a>)>,
}

impl Rows<'_> {
    /// One event; `None` if a number of it is none of an event's.
    fn row(&self, index: usize) -> Option<Observation> {
        let count = |column: &Cells<'_, i64>| column.integer(index).and_then(|count| u32::try_from(count).ok());
        let mut seen = Observation::at(Timestamp::from_unix_millis(self.at.integer(index)?));
        if let Some((activities, amounts)) = &self.gain {
            let boost = self.boost.as_ref().map_or(Some(1.0), |boost| boost.float(index))?;
            seen = seen.gain(activities.get(index)?, amounts.float(index)?, boost);
        }
        if let Some((bosses, durations)) = &self.kill {
            seen = seen.kill(bosses.get(index)?, count(durations)?);
        }
        if let Some((drops, (chances, hits))) = &self.drops {
            seen = seen.drops(drops.get(index)?, count(chances)?, count(hits)?);
        }
        Some(seen)
    }
}
