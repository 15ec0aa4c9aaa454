//! Experience: what of it is granted, days in a row, and what becomes of it beyond the highest level.

use std::num::NonZeroU64;

use liveops_core::error::Code;
use liveops_core::limits::{BOOSTS_MAX, REMAINDERS_MAX};
use liveops_core::progress::{self, Asked, Overflow, Ratio, Remainder, Remainders, Streak, StreakStep};
use liveops_core::{Id, Timestamp};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use crate::arguments::{Exact, Int, When, each, instant};
use crate::choices;
use crate::curve::LevelCurve;
use crate::errors::{Fallible as _, argument};
use crate::results::{class, load};

/// A time in which experience is multiplied, from `start` until just before `end`, both in Unix milliseconds or as aware
/// datetimes. The factor is text, such as "1.5" or "4/3", an int, a `Fraction` or a `Decimal`; below 1 it is a brake.
///
/// >>> weekend = Boost("weekend", 1_794_009_600_000, 1_794_182_400_000, "1.50")
/// >>> weekend.factor, weekend.is_active(1_794_182_399_999), weekend.is_active(1_794_182_400_000)
/// ('1.5', True, False)
#[pyclass(module = "liveops", frozen, eq)]
#[derive(Clone, PartialEq)]
pub(crate) struct Boost(progress::Boost);

#[pymethods]
impl Boost {
    #[new]
    fn new(py: Python<'_>, id: &str, start: When, end: When, factor: Exact) -> PyResult<Self> {
        let (id, from, until) = (Id::new(id).or_raise(py)?, start.0, end.0);
        if until <= from {
            return Err(argument(py, Code::OutOfRange, "a boost ends after it begins"));
        }
        let wrong = "a factor is above 0: a decimal such as \"1.2\", or a fraction such as \"4/3\"";
        let factor = Ratio::parse(&factor.0).map_err(|error| argument(py, error.code(), wrong))?;
        Ok(Self(progress::Boost { id, from, until, factor }))
    }

    /// Its name.
    #[getter]
    fn id(&self) -> &str {
        self.0.id.as_str()
    }

    /// The first instant, in Unix milliseconds.
    #[getter]
    fn start(&self) -> i64 {
        self.0.from.as_unix_millis()
    }

    /// The first instant after it, in Unix milliseconds.
    #[getter]
    fn end(&self) -> i64 {
        self.0.until.as_unix_millis()
    }

    /// The shortest decimal that says it, or else the reduced fraction.
    #[getter]
    fn factor(&self) -> String {
        self.0.factor.to_string()
    }

    /// Whether it holds at a time: milliseconds or an aware datetime.
    fn is_active(&self, ts: When) -> bool {
        self.0.is_active(ts.0)
    }

    fn __repr__(&self) -> String {
        format!("Boost('{}', {}, {}, '{}')", self.0.id, self.start(), self.end(), self.0.factor)
    }

    /// For pickle.
    fn __getnewargs__(&self) -> (&str, i64, i64, String) {
        (self.id(), self.start(), self.end(), self.factor())
    }
}

/// The rules by which experience is granted: a curve, what happens at its end, a cap for the day and boosts.
///
/// `at_max_level`: `bank`, the total goes on growing; `discard`; or `convert`, gathered apart, see `Overflow`. `boost_stacking`,
/// for boosts that hold at the same time: `multiply`, `add` (2 and 1.5 make 2.5) or `highest`; the result is rounded down once.
/// Boosts that hold at the same time must have a common denominator below 2**53. `floor`, how far losses may take: to the start of the `level` that was reached, or to `zero`; without one there are none.
///
/// >>> curve = LevelCurve.exponential(250, "1.2", max_level=60)
/// >>> progression = Progression(curve, daily_xp_cap=500, boosts=[Boost("weekend", 0, 86_400_000, "1.5")])
/// >>> grant = progression.grant(1_000, 100, granted_today=400, now_ms=0)
/// >>> grant.requested, grant.boost, grant.over_daily_cap, grant.granted
/// (100, 50, 50, 100)
#[pyclass(module = "liveops", frozen, eq)]
#[derive(Clone, PartialEq)]
pub(crate) struct Progression(pub(crate) progress::Progression);

#[pymethods]
impl Progression {
    #[new]
    #[pyo3(signature = (curve, *, at_max_level="bank", daily_xp_cap=None, boosts=None, boost_stacking="multiply", floor=None))]
    fn new(
        py: Python<'_>,
        curve: &LevelCurve,
        at_max_level: &str,
        daily_xp_cap: Option<Int<u64>>,
        boosts: Option<&Bound<'_, PyAny>>,
        boost_stacking: &str,
        floor: Option<&str>,
    ) -> PyResult<Self> {
        let one = |boost: Bound<'_, PyAny>| Ok(boost.cast::<Boost>()?.get().0.clone());
        let boosts = boosts.map_or_else(|| Ok(Vec::new()), |boosts| each(boosts, BOOSTS_MAX, one))?;
        let stacking = choices::to_stacking(py, boost_stacking)?;
        if let Some(at) = stacking.too_fine(&boosts) {
            let wrong =
                format!("boosts[{at}] and others that hold when it begins have no common denominator below 2**53");
            return Err(argument(py, Code::OutOfRange, &wrong));
        }
        Ok(Self(progress::Progression {
            levels: curve.levels(py)?.clone(),
            at_max_level: choices::to_at_max_level(py, at_max_level)?,
            daily_xp_cap: daily_xp_cap.map(|cap| cap.0),
            boosts,
            stacking,
            floor: floor.map(|floor| choices::to_floor(py, floor)).transpose()?,
        }))
    }

    /// The level curve.
    #[getter]
    fn curve(&self) -> LevelCurve {
        self.0.levels.clone().into()
    }

    /// `bank`, `discard` or `convert`.
    #[getter]
    fn at_max_level(&self) -> &'static str {
        choices::at_max_level(self.0.at_max_level)
    }

    /// Most experience granted in one day; None without such a limit.
    #[getter]
    fn daily_xp_cap(&self) -> Option<u64> {
        self.0.daily_xp_cap
    }

    /// Every boost, past, present and future.
    #[getter]
    fn boosts(&self) -> Vec<Boost> {
        self.0.boosts.iter().cloned().map(Boost).collect()
    }

    /// `multiply`, `add` or `highest`.
    #[getter]
    fn boost_stacking(&self) -> &'static str {
        choices::stacking(self.0.stacking)
    }

    /// `level` or `zero`; None where nothing is ever taken.
    #[getter]
    fn floor(&self) -> Option<&'static str> {
        self.0.floor.map(choices::floor)
    }

    /// What becomes of experience asked for, by a player who has `total_xp` and was granted `granted_today` in the day of
    /// this time: boosts first, then the daily cap, then the highest level. After that `losses` are taken, as far as the
    /// floor lets them. Changes nothing itself. Fractions that boosts leave over are lost: `settle` carries them.
    ///
    /// `ArgumentError` with `score_overflow` when the boosted amount or the new total would pass 2**53 - 1, and with
    /// `invalid_argument` for losses without a floor.
    #[pyo3(
        signature = (total_xp, requested, *, losses=Int(0), granted_today=Int(0), now_ms=None, now=None),
        text_signature = "($self, total_xp, requested, *, losses=0, granted_today=0, now_ms=None, now=None)"
    )]
    #[expect(clippy::too_many_arguments, reason = "most are keywords")]
    fn grant<'py>(
        &self,
        py: Python<'py>,
        total_xp: Int<u64>,
        requested: Int<u64>,
        losses: Int<u64>,
        granted_today: Int<u64>,
        now_ms: Option<Int<i64>>,
        now: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let asked = Asked { gains: requested.0, losses: losses.0 };
        let (_, grant) =
            self.settled(py, total_xp, granted_today, asked, Remainders::default(), instant(py, now_ms, now)?)?;
        Ok(grant)
    }

    /// The same for one event after the other: what boosts have left over of earlier ones is added, and what they leave over
    /// now is the second of the answer, a tuple of at most four, for next time. The sum over all events is then exact but for
    /// less than 1.
    ///
    /// >>> weekend = Progression(LevelCurve.table([100]), boosts=[Boost("weekend", 0, 86_400_000, "1.25")])
    /// >>> granted, remainders = [], ()
    /// >>> for kill in range(4):
    /// ...     grant, remainders = weekend.settle(0, 3, remainders=remainders, now_ms=0)
    /// ...     granted.append(grant.granted)
    /// >>> granted, remainders
    /// ([3, 4, 4, 4], ())
    /// >>> weekend.settle(0, 3, now_ms=0)[1]
    /// (Remainder(factor='5/4', rest=3),)
    #[pyo3(
        signature = (total_xp, requested, *, losses=Int(0), granted_today=Int(0), remainders=None, now_ms=None,
                     now=None),
        text_signature = "($self, total_xp, requested, *, losses=0, granted_today=0, remainders=None, now_ms=None, \
                          now=None)"
    )]
    #[expect(clippy::too_many_arguments, reason = "most are keywords")]
    fn settle<'py>(
        &self,
        py: Python<'py>,
        total_xp: Int<u64>,
        requested: Int<u64>,
        losses: Int<u64>,
        granted_today: Int<u64>,
        remainders: Option<&Bound<'py, PyAny>>,
        now_ms: Option<Int<i64>>,
        now: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyTuple>)> {
        let asked = Asked { gains: requested.0, losses: losses.0 };
        let before = remainders.map_or_else(|| Ok(Remainders::default()), |all| read_remainders(py, all))?;
        let (after, grant) = self.settled(py, total_xp, granted_today, asked, before, instant(py, now_ms, now)?)?;
        let class = class(py, "Remainder")?;
        let after = after.iter().map(|one| class.call1((one.factor(), one.rest()))).collect::<PyResult<Vec<_>>>()?;
        Ok((grant, PyTuple::new(py, after)?))
    }

    fn __repr__(&self) -> String {
        let levels = self.0.levels.max_level();
        format!(
            "Progression(max_level={levels}, at_max_level='{}', boosts={})",
            self.at_max_level(),
            self.0.boosts.len()
        )
    }

    /// For pickle.
    fn __getnewargs_ex__<'py>(&self, py: Python<'py>) -> PyResult<((LevelCurve,), Bound<'py, PyDict>)> {
        let keywords = PyDict::new(py);
        keywords.set_item("at_max_level", self.at_max_level())?;
        keywords.set_item("daily_xp_cap", self.daily_xp_cap())?;
        keywords.set_item("boosts", self.boosts())?;
        keywords.set_item("boost_stacking", self.boost_stacking())?;
        keywords.set_item("floor", self.floor())?;
        Ok(((self.curve(),), keywords))
    }
}

impl Progression {
    fn settled<'py>(
        &self,
        py: Python<'py>,
        total_xp: Int<u64>,
        granted_today: Int<u64>,
        asked: Asked,
        mut remainders: Remainders,
        now: Timestamp,
    ) -> PyResult<(Remainders, Bound<'py, PyAny>)> {
        let grant = self.0.settle(total_xp.0, granted_today.0, asked, &mut remainders, now).or_raise(py)?;
        Ok((remainders, load(py, "Grant", &grant)?))
    }
}

/// What boosts have left over, from objects that have `factor` and `rest`.
fn read_remainders(py: Python<'_>, all: &Bound<'_, PyAny>) -> PyResult<Remainders> {
    let mut read = Vec::new();
    for one in all.try_iter()? {
        let one = one?;
        let (factor, rest): (String, Int<u64>) = (one.getattr("factor")?.extract()?, one.getattr("rest")?.extract()?);
        let wrong = "a remainder has a reduced fraction such as \"5/4\" and fewer parts than its denominator";
        read.push(Remainder::new(&factor, rest.0).map_err(|error| argument(py, error.code(), wrong))?);
        // The core says that it is too many.
        if read.len() > REMAINDERS_MAX {
            break;
        }
    }
    Remainders::new(read).or_raise(py)
}

/// Last day, length and longest of a streak after a day, and which day of it that is; for `Streak.step`.
#[pyfunction]
pub(crate) fn streak_step(
    streak: (Int<i64>, Int<u32>, Int<u32>),
    day: Int<i64>,
    missed_days_max: Int<u32>,
) -> (i64, u32, u32, Option<u32>) {
    let mut streak = read_streak(streak);
    let step = match streak.step(day.0, missed_days_max.0) {
        StreakStep::Same => None,
        StreakStep::Day(day) => Some(day),
    };
    (streak.last_day, streak.length, streak.longest, step)
}

/// Days in a row as they stand on a day; for `Streak.length_on`.
#[pyfunction]
pub(crate) fn streak_length_on(
    streak: (Int<i64>, Int<u32>, Int<u32>),
    day: Int<i64>,
    missed_days_max: Int<u32>,
) -> u32 {
    read_streak(streak).length_on(day.0, missed_days_max.0)
}

fn read_streak((last_day, length, longest): (Int<i64>, Int<u32>, Int<u32>)) -> Streak {
    Streak { last_day: last_day.0, length: length.0, longest: longest.0 }
}

/// Units and rest after more experience; for `Overflow.gather`.
#[pyfunction]
pub(crate) fn overflow_gather(
    py: Python<'_>,
    overflow: (Int<u64>, Int<u64>),
    surplus: Int<u64>,
    every: Int<u64>,
) -> PyResult<(u64, u64)> {
    let free = || argument(py, Code::OutOfRange, "a unit takes 1 or more");
    let every = NonZeroU64::new(every.0).ok_or_else(free)?;
    let overflow = Overflow { units: overflow.0.0, rest: overflow.1.0 };
    let Overflow { units, rest } = overflow.gather(surplus.0, every).ok_or(Code::ScoreOverflow).or_raise(py)?;
    Ok((units, rest))
}
