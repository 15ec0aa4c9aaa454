//! Windows and periods.

use liveops_core::error::Code;
use liveops_core::window::{Calendar as Core, Closings as CoreClosings, OffsetChange, Season, Seasons, Weekday};
use liveops_core::{Id, Period, Timestamp};
use parking_lot::Mutex;
use pyo3::prelude::*;

use crate::arguments::{Int, Listed, One, When, window};
use crate::errors::{Fallible as _, argument};
use crate::results::period;

/// When periods begin and close: days from a reset minute of local time, with or without daylight saving.
///
/// >>> from datetime import datetime, timezone
/// >>> tokyo = Calendar(utc_offset_minutes=540, reset_minute=300)
/// >>> day = tokyo.period("daily", datetime(2026, 12, 31, 20, tzinfo=timezone.utc))
/// >>> day.label
/// '2027-01-01'
/// >>> tokyo.state(day, 2, day.end)
/// 'sealed'
/// >>> [closed.label for closed in tokyo.closed_between(["daily"], day.start, day.end)]
/// ['2027-01-01']
#[pyclass(module = "liveops", frozen, eq)]
#[derive(Clone, PartialEq)]
pub(crate) struct Calendar(pub(crate) Core);

#[pymethods]
impl Calendar {
    /// `utc_offset_changes`: for a named time zone, (from, minutes) in order, after the offset before the first of
    /// them; docs/calendars.md makes the table with zoneinfo. `seasons`: None for calendar months, or (label, from,
    /// until) in order. Times are milliseconds or aware datetimes.
    #[new]
    #[pyo3(
        signature = (*, utc_offset_minutes=None, utc_offset_changes=None, reset_minute=Int(0), week_start="monday",
                     grace_seconds=Int(0), seasons=None),
        text_signature = "(*, utc_offset_minutes=None, utc_offset_changes=None, reset_minute=0, week_start='monday', \
                          grace_seconds=0, seasons=None)"
    )]
    fn new(
        py: Python<'_>,
        utc_offset_minutes: Option<Int<i64>>,
        utc_offset_changes: Option<Listed<(When, Int<i64>)>>,
        reset_minute: Int<i64>,
        week_start: &str,
        grace_seconds: Int<i64>,
        seasons: Option<Listed<(String, When, When)>>,
    ) -> PyResult<Self> {
        if utc_offset_changes.is_some() && utc_offset_minutes.is_none() {
            let advice = "utc_offset_changes go with utc_offset_minutes, the offset before the first of them";
            return Err(argument(py, Code::Missing, advice));
        }
        let change = |(from, minutes): (When, Int<i64>)| OffsetChange { from: from.0, minutes: minutes.0 };
        let changes: Vec<_> =
            utc_offset_changes.map_or_else(Vec::new, |changes| changes.0).into_iter().map(change).collect();
        let week_start = Weekday::from_text(week_start);
        let week_start = week_start.ok_or_else(|| argument(py, Code::InvalidArgument, "a weekday is meant: monday"))?;
        let calendar = Core::utc().utc_offsets(utc_offset_minutes.map_or(0, |Int(minutes)| minutes), &changes);
        let calendar = calendar.or_raise(py)?.reset_minute(reset_minute.0).or_raise(py)?.week_start(week_start);
        let calendar = calendar.grace_seconds(grace_seconds.0).or_raise(py)?;
        let Some(Listed(seasons)) = seasons else { return Ok(Self(calendar)) };
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

    /// A period by its index: the one before has index - 1.
    fn describe<'py>(&self, py: Python<'py>, window: &str, index: Int<i64>) -> PyResult<Bound<'py, PyAny>> {
        period(py, &self.0, Period { window: self::window(py, window)?, index: index.0 })
    }

    /// Where a period is in its life, when `keep` closed ones stay readable: "future", "open", "grace", "sealed" or
    /// "dropped". Never "archived", which boards that keep archives know.
    fn state(&self, period: One, keep: Int<u32>, now: When) -> &'static str {
        self.0.state(period.0, keep.0, now.0).as_str()
    }

    /// When the current period changes next, in Unix milliseconds; None if never.
    fn next_reset(&self, py: Python<'_>, window: &str, now: When) -> PyResult<Option<i64>> {
        Ok(self.0.next_reset(self::window(py, window)?, now.0).map(Timestamp::as_unix_millis))
    }

    /// Periods of these windows that close in `after < t <= through`, once and in order, made as they are taken. Keep
    /// `through` and pass it as the next `after`.
    fn closed_between(
        &self,
        py: Python<'_>,
        windows: Listed<String>,
        after: When,
        through: When,
    ) -> PyResult<Closings> {
        let windows = windows.0.iter().map(|name| window(py, name)).collect::<PyResult<Vec<_>>>()?;
        Ok(Closings::new(&self.0, self.0.closed_between(&windows, after.0, through.0)))
    }
}

/// Periods that closed, one after the other.
#[pyclass(module = "liveops", frozen)]
pub(crate) struct Closings {
    calendar: Core,
    closings: Mutex<CoreClosings>,
}

impl Closings {
    pub(crate) fn new(calendar: &Core, closings: CoreClosings) -> Self {
        Self { calendar: calendar.clone(), closings: Mutex::new(closings) }
    }
}

#[pymethods]
impl Closings {
    fn __iter__(this: PyRef<'_, Self>) -> PyRef<'_, Self> {
        this
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        // Two threads that share one each get other periods; the lock is not held while Python runs.
        let next = self.closings.lock().next();
        next.map(|(_, closed)| period(py, &self.calendar, closed)).transpose()
    }
}
