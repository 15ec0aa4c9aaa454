//! What a family of detectors has learned of one player.

use liveops_core::anomaly::{self, FamilyDetector};
use parking_lot::Mutex;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::anomaly::{another, stored};
use crate::arguments::Bytes;
use crate::lock::with;
use crate::results::class;

/// What a `Family` has learned of one player: 63 bytes, whatever there was to learn.
#[pyclass(module = "liveops", frozen, eq)]
#[derive(Default)]
pub(crate) struct PlayerProfile(pub(crate) Mutex<anomaly::PlayerProfile>);

impl PartialEq for PlayerProfile {
    fn eq(&self, other: &Self) -> bool {
        Python::attach(|py| self.state(py) == other.state(py))
    }
}

impl PlayerProfile {
    pub(crate) fn state(&self, py: Python<'_>) -> anomaly::PlayerProfile {
        with(py, &self.0, |profile| *profile)
    }
}

#[pymethods]
impl PlayerProfile {
    #[new]
    fn new() -> Self {
        Self::default()
    }

    /// From `to_bytes`. `StoreError` for anything else.
    #[staticmethod]
    fn from_bytes(py: Python<'_>, data: Bytes<'_>) -> PyResult<Self> {
        stored(py, anomaly::PlayerProfile::from_bytes(data.as_slice())).map(|read| Self(Mutex::new(read)))
    }

    /// 63 bytes, the same in every language.
    fn to_bytes(&self, py: Python<'_>) -> Vec<u8> {
        self.state(py).to_bytes()
    }

    /// Two accounts that turn out to be one player: means are pooled, and of what was gathered against them the larger counts.
    fn merge(&self, py: Python<'_>, other: &Self) -> PyResult<()> {
        another(py, self, other)?;
        // One lock after the other, so that two that merge each other do not wait for ever.
        let other = other.state(py);
        with(py, &self.0, |profile| profile.merge(&other));
        Ok(())
    }

    /// What each detector has gathered against the player: natural logarithms of how improbable honest play is, 0 to 100.
    #[getter]
    fn scores<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let scores = self.state(py).scores();
        let scores = PyTuple::new(py, FamilyDetector::ALL.map(|detector| scores.of(detector)))?;
        class(py, "FamilyScores")?.call1(scores)
    }

    /// Names of the detectors that have alerted and not yet calmed down.
    #[getter]
    fn alerted<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let profile = self.state(py);
        let alerted = FamilyDetector::ALL.into_iter().filter(|detector| profile.is_alerted(*detector));
        PyTuple::new(py, alerted.map(FamilyDetector::as_str).collect::<Vec<_>>())
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyAny>, (Vec<u8>,))> {
        Ok((py.get_type::<Self>().getattr("from_bytes")?, (self.to_bytes(py),)))
    }
}
