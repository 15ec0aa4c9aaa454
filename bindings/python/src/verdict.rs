//! Verdicts on their way to Python, and back, to be put into words.

use liveops_core::anomaly::{Action, Baseline, Direction, Finding, Finite, Reason, Source, Verdict};
use pyo3::exceptions::PyTypeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple};

use crate::arguments::{Int, Number};
use crate::columns::doubles;
use crate::results::class;

/// A verdict as Python has it. Made from its parts, since detectors make one for every value.
pub(crate) fn verdict<'py>(py: Python<'py>, verdict: &Verdict) -> PyResult<Bound<'py, PyAny>> {
    let name = |text: &str| PyString::intern(py, text);
    let Baseline { n, mean, sd, source } = verdict.baseline;
    let baseline = class(py, "Baseline")?.call1((n, mean.get(), sd.get(), name(source.as_str())))?;
    let (score, threshold) = (verdict.score.get(), verdict.threshold.get());
    let (direction, reason) = (name(verdict.direction.as_str()), name(verdict.reason.as_str()));
    class(py, "Verdict")?.call1((score, threshold, direction, reason, baseline, name(verdict.action.as_str())))
}

/// A `Verdict` or a `Judgement` of Python's.
pub(crate) struct Told(pub(crate) Verdict);

impl<'py> FromPyObject<'_, 'py> for Told {
    type Error = PyErr;

    fn extract(value: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        read(&value).map(Self).map_err(|_| PyTypeError::new_err("a Verdict or a Judgement is meant"))
    }
}

fn read(value: &Bound<'_, PyAny>) -> PyResult<Verdict> {
    let py = value.py();
    let meant = || PyTypeError::new_err("");
    let text = |of: &Bound<'_, PyAny>, name| of.getattr(name)?.extract::<String>();
    let number = |of: &Bound<'_, PyAny>, name| {
        let Number(number) = of.getattr(name)?.extract::<Number>()?;
        Finite::new(number).ok_or_else(meant)
    };
    let baseline = value.getattr(intern!(py, "baseline"))?;
    let Int(n) = baseline.getattr(intern!(py, "n"))?.extract::<Int<u64>>()?;
    Ok(Verdict {
        score: number(value, intern!(py, "score"))?,
        threshold: number(value, intern!(py, "threshold"))?,
        direction: Direction::from_text(&text(value, intern!(py, "direction"))?).ok_or_else(meant)?,
        reason: Reason::from_text(&text(value, intern!(py, "reason"))?).ok_or_else(meant)?,
        baseline: Baseline {
            n,
            mean: number(&baseline, intern!(py, "mean"))?,
            sd: number(&baseline, intern!(py, "sd"))?,
            source: Source::from_text(&text(&baseline, intern!(py, "source"))?).ok_or_else(meant)?,
        },
        action: Action::from_text(&text(value, intern!(py, "action"))?).ok_or_else(meant)?,
    })
}

/// A verdict in one sentence.
#[pyfunction]
pub(crate) fn sentence_of(verdict: Told) -> String {
    verdict.0.sentence()
}

/// Every reason of a verdict with one sentence for people.
#[pyfunction]
pub(crate) fn verdict_reasons(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
    let reasons = PyDict::new(py);
    for reason in Reason::ALL {
        reasons.set_item(reason.as_str(), reason.describe())?;
    }
    Ok(reasons)
}

/// What one detector said of many values: their scores, and those that stand out.
pub(crate) fn batch<'py>(py: Python<'py>, scores: &[f64], found: &[(usize, Verdict)]) -> PyResult<Bound<'py, PyAny>> {
    let one = class(py, "IndexedVerdict")?;
    let found = found.iter().map(|(index, told)| one.call1((*index, verdict(py, told)?)));
    let found = PyTuple::new(py, found.collect::<PyResult<Vec<_>>>()?)?;
    class(py, "DetectorBatch")?.call1((doubles(py, scores)?, found))
}

/// Alerts of a family, most often none.
pub(crate) fn findings<'py>(py: Python<'py>, found: &[Finding]) -> PyResult<Bound<'py, PyTuple>> {
    if found.is_empty() {
        return Ok(PyTuple::empty(py));
    }
    let found = found.iter().map(|finding| (0, *finding)).collect::<Vec<_>>();
    indexed(py, &found)
}

/// What a family said of many events.
pub(crate) fn family_batch<'py>(
    py: Python<'py>,
    scores: &[f64],
    found: &[(usize, Finding)],
) -> PyResult<Bound<'py, PyAny>> {
    class(py, "FamilyBatch")?.call1((doubles(py, scores)?, indexed(py, found)?))
}

fn indexed<'py>(py: Python<'py>, found: &[(usize, Finding)]) -> PyResult<Bound<'py, PyTuple>> {
    let class = class(py, "FamilyFinding")?;
    let one = |(index, finding): &(usize, Finding)| {
        let detector = PyString::intern(py, finding.detector.as_str());
        class.call1((detector, verdict(py, &finding.verdict)?, *index))
    };
    PyTuple::new(py, found.iter().map(one).collect::<PyResult<Vec<_>>>()?)
}
