//! A detector of luck and one of rhythm: what is observed is no single value.

use liveops_core::anomaly;
use liveops_core::error::Code;
use parking_lot::Mutex;
use pyo3::IntoPyObjectExt as _;
use pyo3::prelude::*;

use crate::anomaly::{another, made_of, stored, valid};
use crate::arguments::{Bytes, Int, Number, When};
use crate::errors::argument;
use crate::population::Population;
use crate::verdict::Verdict;

/// Drops more often than published, after any number of them and however often one looks (H. Robbins, 1970). Bad luck
/// counts for nothing. `odds` lie between 0 and 1; the threshold is in natural logarithms, and 11.5 flags at most one
/// honest player in 100,000. Of a loot table with pity they are `float(odds.long_run)`, not the weight in the total.
///
/// >>> import liveops
/// >>> crown = liveops.DropRate(0.0473)
/// >>> crown.observe(262, 42).reason
/// 'tooManyDrops'
/// >>> f"{crown.tail:.3e}"
/// '5.653e-12'
#[pyclass(module = "liveops", frozen)]
pub(crate) struct DropRate {
    core: Mutex<anomaly::DropRate>,
    given: (Number, Number),
}

#[pymethods]
impl DropRate {
    #[new]
    #[pyo3(
        signature = (odds, threshold=Number(11.5)),
        text_signature = "(odds, threshold=11.5)"
    )]
    fn new(py: Python<'_>, odds: Number, threshold: Number) -> PyResult<Self> {
        let core = Mutex::new(published(py, odds, threshold)?);
        Ok(Self { core, given: (odds, threshold) })
    }

    /// One that goes on from `to_bytes`, configured as given. `StoreError` for bytes that are none of its own.
    #[staticmethod]
    #[pyo3(
        signature = (data, odds, threshold=Number(11.5)),
        text_signature = "(data, odds, threshold=11.5)"
    )]
    fn from_bytes(py: Python<'_>, data: Bytes<'_>, odds: Number, threshold: Number) -> PyResult<Self> {
        let core = Mutex::new(stored(py, published(py, odds, threshold)?.with_bytes(data.as_slice()))?);
        Ok(Self { core, given: (odds, threshold) })
    }

    /// Counts chances, and how many of them brought the drop; the verdict on all so far. `ArgumentError`, and nothing
    /// counted, for more hits than chances.
    fn observe(&self, py: Python<'_>, chances: Int<u32>, hits: Int<u32>) -> PyResult<Verdict> {
        let told = self.core.lock().observe(chances.0.into(), hits.0.into());
        told.map(Verdict).map_err(|_| counts(py))
    }

    /// The verdict, without counting.
    fn score(&self, py: Python<'_>, chances: Int<u32>, hits: Int<u32>) -> PyResult<Verdict> {
        let told = self.core.lock().score(chances.0.into(), hits.0.into());
        told.map(Verdict).map_err(|_| counts(py))
    }

    /// Counts, without a verdict.
    fn learn(&self, py: Python<'_>, chances: Int<u32>, hits: Int<u32>) -> PyResult<()> {
        let learned = self.core.lock().learn(chances.0.into(), hits.0.into());
        learned.map_err(|_| counts(py))
    }

    /// How many chances there were.
    #[getter]
    fn chances(&self) -> u64 {
        self.core.lock().chances()
    }

    /// How many of them brought the drop.
    #[getter]
    fn hits(&self) -> u64 {
        self.core.lock().hits()
    }

    /// The exact binomial probability of as many hits or more at the published odds.
    #[getter]
    fn tail(&self) -> f64 {
        let counted = *self.core.lock();
        counted.tail()
    }

    /// Takes in what another has counted, at the same odds.
    fn merge(&self, py: Python<'_>, other: &Self) -> PyResult<()> {
        another(py, self, other)?;
        let other = *other.core.lock();
        let merged = self.core.lock().merge(&other);
        let advice = "the other must be of the same odds, and not have too many chances";
        merged.map_err(|_| argument(py, Code::InvalidArgument, advice))
    }

    /// The counts: at most 11 bytes.
    fn to_bytes(&self) -> Vec<u8> {
        self.core.lock().to_bytes()
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let (odds, threshold) = self.given;
        made_of("DropRate", [("odds", odds.into_bound_py_any(py)?), ("threshold", threshold.into_bound_py_any(py)?)])
    }

    /// For pickle and copy.
    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyAny>, CountsAtOdds)> {
        let (odds, threshold) = self.given;
        Ok((py.get_type::<Self>().getattr("from_bytes")?, (self.to_bytes(), odds, threshold)))
    }
}

/// What `DropRate.from_bytes` takes.
type CountsAtOdds = (Vec<u8>, Number, Number);

fn published(py: Python<'_>, odds: Number, threshold: Number) -> PyResult<anomaly::DropRate> {
    let detector = anomaly::DropRate::new(odds.0, valid(py, threshold)?);
    detector.map_err(|code| argument(py, code, "odds lie above 0 and below 1"))
}

fn counts(py: Python<'_>) -> PyErr {
    let advice = "hits are no more than chances, and chances at most 4294967295 altogether";
    argument(py, Code::InvalidArgument, advice)
}

/// Intervals as regular as a program's: breaks of half an hour speak for a person, events within a second are one act.
/// The threshold is in natural logarithms, below 100. Without a population people's intervals are taken to be wide.
///
/// >>> import liveops
/// >>> clock = liveops.Regularity()
/// >>> next(n for n in range(100) if clock.observe(1794052800000 + n * 30_000).is_anomaly) < 25
/// True
#[pyclass(module = "liveops", frozen)]
pub(crate) struct Regularity {
    core: Mutex<anomaly::Regularity>,
    threshold: Number,
    population: Option<Py<Population>>,
}

#[pymethods]
impl Regularity {
    #[new]
    #[pyo3(
        signature = (threshold=Number(16.0), population=None),
        text_signature = "(threshold=16.0, population=None)"
    )]
    fn new(py: Python<'_>, threshold: Number, population: Option<Py<Population>>) -> PyResult<Self> {
        let core = Mutex::new(among(py, threshold, population.as_ref())?);
        Ok(Self { core, threshold, population })
    }

    /// One that goes on from `to_bytes`, configured as given. `StoreError` for bytes that are none of its own.
    #[staticmethod]
    #[pyo3(
        signature = (data, threshold=Number(16.0), population=None),
        text_signature = "(data, threshold=16.0, population=None)"
    )]
    fn from_bytes(
        py: Python<'_>,
        data: Bytes<'_>,
        threshold: Number,
        population: Option<Py<Population>>,
    ) -> PyResult<Self> {
        let fresh = among(py, threshold, population.as_ref())?;
        let core = Mutex::new(stored(py, fresh.with_bytes(data.as_slice()))?);
        Ok(Self { core, threshold, population })
    }

    /// Scores an event at this time, then learns it: milliseconds, or an aware datetime. One out of order tells nothing.
    fn observe(&self, at: When) -> Verdict {
        Verdict(self.core.lock().observe(at.0))
    }

    /// The verdict on an event at this time, without learning it.
    fn score(&self, at: When) -> Verdict {
        Verdict(self.core.lock().score(at.0))
    }

    /// Learns an event at this time, without a verdict.
    fn learn(&self, at: When) {
        self.core.lock().learn(at.0);
    }

    /// Takes in what another has gathered of the same player.
    fn merge(&self, py: Python<'_>, other: &Self) -> PyResult<()> {
        another(py, self, other)?;
        let other = other.core.lock().clone();
        self.core.lock().merge(&other);
        Ok(())
    }

    /// What it has learned: 16 bytes.
    fn to_bytes(&self) -> Vec<u8> {
        self.core.lock().to_bytes()
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let (threshold, population) =
            (self.threshold.into_bound_py_any(py)?, (&self.population).into_bound_py_any(py)?);
        made_of("Regularity", [("threshold", threshold), ("population", population)])
    }

    /// For pickle and copy.
    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyAny>, LearnedAmong<'_>)> {
        let learned = (self.to_bytes(), self.threshold, self.population.as_ref());
        Ok((py.get_type::<Self>().getattr("from_bytes")?, learned))
    }
}

/// What `Regularity.from_bytes` takes.
type LearnedAmong<'a> = (Vec<u8>, Number, Option<&'a Py<Population>>);

fn among(py: Python<'_>, threshold: Number, population: Option<&Py<Population>>) -> PyResult<anomaly::Regularity> {
    let threshold = valid(py, threshold)?;
    Ok(match population {
        Some(population) => anomaly::Regularity::new(threshold, &population.get().0),
        None => anomaly::Regularity::new(threshold, &anomaly::Population::default()),
    })
}
