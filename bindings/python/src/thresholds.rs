//! Thresholds of a family: given, or found for a budget of false alerts.

use liveops_core::anomaly::{self, Budget, FamilyDetector};
use liveops_core::error::Code;
use parking_lot::Mutex;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::arguments::{Int, Number};
use crate::errors::argument;
use crate::lock::{detached, with};
use crate::profile::PlayerProfile;
use crate::results::class;

/// As attributes of Python's classes, in the order of `FamilyDetector::ALL`.
const ATTRIBUTES: [&str; 5] = ["robust", "drift", "drop_rate", "time_floor", "regularity"];

/// Thresholds as Python gives them.
pub(crate) struct Thresholds(pub(crate) anomaly::Thresholds);

impl<'py> FromPyObject<'_, 'py> for Thresholds {
    type Error = PyErr;

    fn extract(value: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let py = value.py();
        let mut thresholds = anomaly::Thresholds::DEFAULT;
        for (detector, attribute) in FamilyDetector::ALL.into_iter().zip(ATTRIBUTES) {
            let given = value.getattr(attribute).map_err(|_| PyTypeError::new_err("Thresholds are meant"))?;
            let Number(threshold) = given.extract::<Number>()?;
            let advice = "a threshold is finite and above 0";
            thresholds = thresholds.with(detector, threshold).map_err(|code| argument(py, code, advice))?;
        }
        Ok(Self(thresholds))
    }
}

/// Thresholds for Python.
pub(crate) fn told<'py>(py: Python<'py>, thresholds: &anomaly::Thresholds) -> PyResult<Bound<'py, PyAny>> {
    let each = PyTuple::new(py, FamilyDetector::ALL.map(|detector| thresholds.of(detector)))?;
    class(py, "Thresholds")?.call1(each)
}

/// Those without a calibration, for the class that holds them.
#[pyfunction]
pub(crate) fn default_thresholds() -> [f64; 5] {
    FamilyDetector::ALL.map(|detector| anomaly::Thresholds::DEFAULT.of(detector))
}

/// The names of a family's detectors, in the order of its scores.
#[pyfunction]
pub(crate) fn family_detectors() -> [&'static str; 5] {
    FamilyDetector::ALL.map(FamilyDetector::as_str)
}

/// One of the three.
pub(crate) fn budget(
    per_player_day: Option<Number>,
    per_event: Option<Number>,
    per_player: Option<Number>,
    events: Option<Int<u32>>,
) -> PyResult<Budget> {
    if events.is_some() && per_player.is_none() {
        return Err(PyTypeError::new_err("events belong to per_player"));
    }
    match (per_player_day, per_event, per_player) {
        (Some(rate), None, None) => Ok(Budget::PerPlayerDay(rate.0)),
        (None, Some(rate), None) => Ok(Budget::PerEvent(rate.0)),
        (None, None, Some(part)) => Ok(Budget::PerPlayer { part: part.0, events: events.map(|events| events.0) }),
        _ => Err(PyTypeError::new_err("give one of per_player_day, per_event and per_player")),
    }
}

pub(crate) fn refused(py: Python<'_>) -> PyErr {
    let advice = "a budget is finite and above 0, and takes the history of 200 players or more";
    argument(py, Code::InvalidArgument, advice)
}

/// Finds thresholds from the most that each player's scores have been. Some cheaters among them do little harm: the tail
/// is fitted below the extreme.
#[pyclass(module = "liveops", frozen)]
#[derive(Default)]
pub(crate) struct Calibrator(Mutex<anomaly::Calibrator>);

#[pymethods]
impl Calibrator {
    #[new]
    fn new() -> Self {
        Self::default()
    }

    /// A player with no events yet.
    fn player(&self, py: Python<'_>) -> PlayerMost {
        PlayerMost(Mutex::new(with(py, &self.0, |calibrator| calibrator.player())))
    }

    /// A player all of whose events were observed, and on how many days there were any.
    fn add(&self, py: Python<'_>, player: &PlayerMost, days: Int<u32>) {
        let most = *player.0.lock();
        with(py, &self.0, |calibrator| calibrator.add(most, days.0));
    }

    /// Thresholds that spend a budget of false alerts: per player and day on which the player was there, per event, or the
    /// part of the players who are ever flagged within so many `events` of theirs, or as many as those of the history have.
    #[pyo3(signature = (*, per_player_day=None, per_event=None, per_player=None, events=None))]
    fn thresholds<'py>(
        &self,
        py: Python<'py>,
        per_player_day: Option<Number>,
        per_event: Option<Number>,
        per_player: Option<Number>,
        events: Option<Int<u32>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let budget = budget(per_player_day, per_event, per_player, events)?;
        let found = detached(py, &self.0, |calibrator| calibrator.thresholds(budget));
        told(py, &found.map_err(|_| refused(py))?)
    }
}

/// One player on the way through a `Calibrator`.
#[pyclass(module = "liveops", frozen)]
pub(crate) struct PlayerMost(Mutex<anomaly::PlayerMost>);

#[pymethods]
impl PlayerMost {
    /// What the scores are after another event.
    fn observe(&self, py: Python<'_>, profile: &PlayerProfile) {
        let scores = profile.state(py).scores();
        self.0.lock().observe(&scores);
    }
}
