//! Windows and periods.

use liveops_core::Id;
use liveops_core::error::Code;
use liveops_core::window::{Calendar as Core, Season, Seasons, Weekday};
use pyo3::prelude::*;

use crate::arguments::{Int, When, window};
use crate::errors::{Fallible as _, argument};
use crate::results::period;

/// When periods begin and close: days from a reset minute of local time, which is UTC and a fixed offset.
#[pyclass(module = "liveops", frozen, eq)]
#[derive(Clone, PartialEq)]
pub(crate) struct Calendar(pub(crate) Core);

#[pymethods]
impl Calendar {
    /// `seasons`: None for calendar months, or (label, from, until) in order; times are milliseconds or aware
    /// datetimes.
    #[new]
    #[pyo3(signature = (*, utc_offset_minutes=Int(0), reset_minute=Int(0), week_start="monday", grace_seconds=Int(0),
                        seasons=None))]
    fn new(
        py: Python<'_>,
        utc_offset_minutes: Int<i64>,
        reset_minute: Int<i64>,
        week_start: &str,
        grace_seconds: Int<i64>,
        seasons: Option<Vec<(String, When, When)>>,
    ) -> PyResult<Self> {
        let week_start = Weekday::from_text(week_start);
        let week_start = week_start.ok_or_else(|| argument(py, Code::InvalidArgument, "a weekday is meant: monday"))?;
        let calendar = Core::utc().utc_offset_minutes(utc_offset_minutes.0).or_raise(py)?;
        let calendar = calendar.reset_minute(reset_minute.0).or_raise(py)?.week_start(week_start);
        let calendar = calendar.grace_seconds(grace_seconds.0).or_raise(py)?;
        let Some(seasons) = seasons else { return Ok(Self(calendar)) };
        let season = |(label, from, until): (String, When, When)| {
            Ok(Season { label: Id::new(&label).or_raise(py)?, from: from.0, until: until.0 })
        };
        let table = seasons.into_iter().map(season).collect::<PyResult<_>>()?;
        calendar.seasons(Seasons::Table(table)).or_raise(py).map(Self)
    }

    /// The period that an event of that time counts in; None between seasons.
    fn period<'py>(&self, py: Python<'py>, window: &str, ts: When) -> PyResult<Option<Bound<'py, PyAny>>> {
        let found = self.0.period(self::window(py, window)?, ts.0);
        found.map(|found| period(py, &self.0, found)).transpose()
    }

    /// When the current period changes next, in Unix milliseconds; None if never.
    fn next_reset(&self, py: Python<'_>, window: &str, now: When) -> PyResult<Option<i64>> {
        Ok(self.0.next_reset(self::window(py, window)?, now.0).map(liveops_core::Timestamp::as_unix_millis))
    }

    /// Periods of these windows that close in `after < t <= through`, once and in order.
    fn closed_between<'py>(
        &self,
        py: Python<'py>,
        windows: Vec<String>,
        after: When,
        through: When,
    ) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let windows = windows.iter().map(|name| window(py, name)).collect::<PyResult<Vec<_>>>()?;
        self.0.closed_between(&windows, after.0, through.0).map(|(_, closed)| period(py, &self.0, closed)).collect()
    }
}
