//! Verdicts on their way to Python, and back, to be put into words.

use liveops_core::anomaly::{Action, Baseline, Direction, Finding, Finite, Reason, Source, Verdict as Core};
use liveops_core::error::Code;
use pyo3::exceptions::PyTypeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedStr;
use pyo3::types::{PyDict, PyFloat, PyString, PyTuple};

use crate::arguments::{Int, Number};
use crate::columns::doubles;
use crate::errors::argument;
use crate::results::{class, plain};

/// What a detector says of one value, and why. `action` is `allow`, `flag` or `hold`; nobody is banned by it.
///
/// Not a dataclass, as other results are, but used like one: a detector makes one for every value.
#[pyclass(module = "liveops", frozen, eq, from_py_object)]
#[derive(Clone, PartialEq)]
pub(crate) struct Verdict(pub(crate) Core);

type Names = (&'static str, &'static str, &'static str, &'static str, &'static str, &'static str);

#[pymethods]
impl Verdict {
    #[classattr]
    #[pyo3(name = "__match_args__")]
    const MATCH_ARGS: Names = ("score", "threshold", "direction", "reason", "baseline", "action");

    #[new]
    fn new(
        score: Number,
        threshold: Number,
        direction: &str,
        reason: &str,
        baseline: &Bound<'_, PyAny>,
        action: &str,
    ) -> PyResult<Self> {
        let parts = (score, threshold, direction, reason, baseline, action);
        read(parts).map(Self)
    }

    /// The inverse of `to_dict()`.
    #[staticmethod]
    fn from_dict(wire: &Bound<'_, PyDict>) -> PyResult<Self> {
        let member = |name| wire.as_any().get_item(name);
        let baseline = class(wire.py(), "Baseline")?.call_method1("from_dict", (member("baseline")?,))?;
        let (direction, reason) = (member("direction")?, member("reason")?);
        let (score, threshold, action) = (member("score")?, member("threshold")?, member("action")?);
        let texts =
            (direction.extract::<PyBackedStr>()?, reason.extract::<PyBackedStr>()?, action.extract::<PyBackedStr>()?);
        read((score.extract()?, threshold.extract()?, &texts.0, &texts.1, &baseline, &texts.2)).map(Self)
    }

    /// As JSON writes it, with camelCase keys.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        plain(py, &self.0)
    }

    /// How far the value lies from the baseline, in the unit of the threshold. For a floor, the value itself.
    #[getter]
    fn score(&self) -> f64 {
        self.0.score.get()
    }

    /// The score above which a value is an anomaly. For a floor, the floor itself.
    #[getter]
    fn threshold(&self) -> f64 {
        self.0.threshold.get()
    }

    /// On which side of the baseline the value lies: `high` or `low`.
    #[getter]
    fn direction(&self) -> &'static str {
        self.0.direction.as_str()
    }

    /// Why.
    #[getter]
    fn reason(&self) -> &'static str {
        self.0.reason.as_str()
    }

    /// What the value was compared with.
    #[getter]
    fn baseline<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let Baseline { n, mean, sd, source } = self.0.baseline;
        class(py, "Baseline")?.call1((n, mean.get(), sd.get(), source.as_str()))
    }

    /// What is to be done about it.
    #[getter]
    fn action(&self) -> &'static str {
        self.0.action.as_str()
    }

    /// Whether the value is an anomaly, whatever is done about it.
    #[getter]
    fn is_anomaly(&self) -> bool {
        self.0.is_anomaly()
    }

    /// The reason as a sentence for people.
    fn describe(&self) -> &'static str {
        self.0.reason.describe()
    }

    /// The whole finding in one sentence: what is wrong, by how much, and compared with what.
    fn sentence(&self) -> String {
        self.0.sentence()
    }

    fn __hash__(&self) -> u64 {
        self.0.score.get().to_bits() ^ self.0.baseline.n
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let [score, threshold] = [self.score(), self.threshold()].map(|number| PyFloat::new(py, number).repr());
        let baseline = self.baseline(py)?.repr()?;
        let (direction, reason, action) = (self.direction(), self.reason(), self.action());
        Ok(format!(
            "Verdict(score={}, threshold={}, direction='{direction}', reason='{reason}', baseline={baseline}, \
             action='{action}')",
            score?, threshold?
        ))
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyAny>, (Bound<'py, PyAny>,))> {
        Ok((py.get_type::<Self>().getattr("from_dict")?, (self.to_dict(py)?,)))
    }
}

/// A `Verdict`, or a `Judgement`, which has the same.
pub(crate) struct Told(pub(crate) Core);

impl<'py> FromPyObject<'_, 'py> for Told {
    type Error = PyErr;

    fn extract(value: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let py = value.py();
        if let Ok(verdict) = value.cast::<Verdict>() {
            return Ok(Self(verdict.get().0));
        }
        let member = |name| value.getattr(name).map_err(|_| meant());
        let [direction, reason, action] = [intern!(py, "direction"), intern!(py, "reason"), intern!(py, "action")]
            .map(|name| member(name)?.extract::<PyBackedStr>());
        let (score, threshold) = (member(intern!(py, "score"))?, member(intern!(py, "threshold"))?);
        let baseline = member(intern!(py, "baseline"))?;
        read((score.extract()?, threshold.extract()?, &direction?, &reason?, &baseline, &action?)).map(Self)
    }
}

type Parts<'a, 'py> = (Number, Number, &'a str, &'a str, &'a Bound<'py, PyAny>, &'a str);

fn read((score, threshold, direction, reason, baseline, action): Parts<'_, '_>) -> PyResult<Core> {
    let py = baseline.py();
    let finite = |Number(number): Number| Finite::new(number).ok_or_else(|| wrong(py));
    let member = |name| baseline.getattr(name).map_err(|_| meant());
    let source = member(intern!(py, "source"))?.extract::<PyBackedStr>()?;
    Ok(Core {
        score: finite(score)?,
        threshold: finite(threshold)?,
        direction: Direction::from_text(direction).ok_or_else(|| wrong(py))?,
        reason: Reason::from_text(reason).ok_or_else(|| wrong(py))?,
        baseline: Baseline {
            n: member(intern!(py, "n"))?.extract::<Int<u64>>()?.0,
            mean: finite(member(intern!(py, "mean"))?.extract()?)?,
            sd: finite(member(intern!(py, "sd"))?.extract()?)?,
            source: Source::from_text(&source).ok_or_else(|| wrong(py))?,
        },
        action: Action::from_text(action).ok_or_else(|| wrong(py))?,
    })
}

fn meant() -> PyErr {
    PyTypeError::new_err("a Verdict or a Judgement is meant, and of its baseline a Baseline")
}

fn wrong(py: Python<'_>) -> PyErr {
    argument(py, Code::InvalidArgument, "no verdict has such a number or such a name")
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
pub(crate) fn batch<'py>(py: Python<'py>, scores: &[f64], found: &[(usize, Core)]) -> PyResult<Bound<'py, PyAny>> {
    let one = class(py, "IndexedVerdict")?;
    let found = found.iter().map(|(index, told)| one.call1((*index, Verdict(*told))));
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
        class.call1((detector, Verdict(finding.verdict), *index))
    };
    PyTuple::new(py, found.iter().map(one).collect::<PyResult<Vec<_>>>()?)
}
