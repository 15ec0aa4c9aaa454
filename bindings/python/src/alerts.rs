//! From verdicts to alerts: one an excursion, and no more of a player than somebody can look at.

use liveops_core::anomaly;
use parking_lot::Mutex;
use pyo3::prelude::*;

use crate::anomaly::stored;
use crate::arguments::{Bytes, Int, instant};
use crate::errors::argument;
use crate::verdict::Told;

/// Turns the verdicts of one detector into alerts: the first of an excursion is one, and no other is until the score has
/// fallen to half the threshold (until the floor is kept again, for a floor).
///
/// >>> import liveops
/// >>> xp, alerts = liveops.Robust(6, (4.6, 1.5, 4.0)), liveops.Hysteresis()
/// >>> [alerts.is_first(xp.observe(value)) for value in (5_000_000, 9_000_000, 100, 5_000_000)]
/// [True, False, False, True]
#[pyclass(module = "liveops", frozen)]
#[derive(Default)]
pub(crate) struct Hysteresis(Mutex<anomaly::Hysteresis>);

#[pymethods]
impl Hysteresis {
    #[new]
    fn new() -> Self {
        Self::default()
    }

    /// Whether this verdict begins an excursion.
    fn is_first(&self, verdict: Told) -> bool {
        self.0.lock().is_first(&verdict.0)
    }

    /// Whether an excursion is going on.
    #[getter]
    fn is_raised(&self) -> bool {
        self.0.lock().is_raised()
    }
}

/// How many alerts of one player are raised within a day of 24 hours from the first, so that a storm of one player buries
/// nobody else's.
///
/// >>> import liveops
/// >>> budget, ana = liveops.AlertBudget(2), liveops.AlertTally()
/// >>> [budget.allows(ana, now_ms=0) for _ in range(4)], ana.suppressed
/// ([True, True, False, False], 2)
#[pyclass(module = "liveops", frozen)]
pub(crate) struct AlertBudget(anomaly::AlertBudget);

#[pymethods]
impl AlertBudget {
    #[new]
    fn new(py: Python<'_>, per_day: Int<u32>) -> PyResult<Self> {
        let budget = anomaly::AlertBudget::new(per_day.0);
        budget.map(Self).map_err(|code| argument(py, code, "a budget is at least one alert a day"))
    }

    /// Whether an alert is raised; the tally counts it either way. A time before the day that is going on counts towards it.
    #[pyo3(signature = (tally, *, now_ms=None, now=None))]
    fn allows(
        &self,
        py: Python<'_>,
        tally: &AlertTally,
        now_ms: Option<Int<i64>>,
        now: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<bool> {
        let at = instant(py, now_ms, now)?;
        Ok(self.0.allows(&mut tally.0.lock(), at))
    }
}

/// What one player has spent of an `AlertBudget`.
#[pyclass(module = "liveops", frozen, eq)]
#[derive(Default)]
pub(crate) struct AlertTally(Mutex<anomaly::AlertTally>);

impl PartialEq for AlertTally {
    fn eq(&self, other: &Self) -> bool {
        let own = *self.0.lock();
        own == *other.0.lock()
    }
}

#[pymethods]
impl AlertTally {
    #[new]
    fn new() -> Self {
        Self::default()
    }

    /// From `to_bytes`. `StoreError` for anything else.
    #[staticmethod]
    fn from_bytes(py: Python<'_>, data: Bytes<'_>) -> PyResult<Self> {
        stored(py, anomaly::AlertTally::from_bytes(data.as_slice())).map(|read| Self(Mutex::new(read)))
    }

    /// At most 25 bytes.
    fn to_bytes(&self) -> Vec<u8> {
        self.0.lock().to_bytes()
    }

    /// How many alerts were not raised, ever.
    #[getter]
    fn suppressed(&self) -> u64 {
        self.0.lock().suppressed()
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyAny>, (Vec<u8>,))> {
        Ok((py.get_type::<Self>().getattr("from_bytes")?, (self.to_bytes(),)))
    }
}
