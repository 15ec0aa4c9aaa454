//! Answers to commands: kept as the core gave them, and made into Python objects when they are looked at.

use std::error::Error as _;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};

use liveops_core::error::{Code, Error};
use liveops_core::intake::Refusal;
use liveops_core::record::StoredOutcome;
use liveops_core::{Batch, Effect, Outcome as Core, Record, Timestamp};
use pyo3::IntoPyObjectExt as _;
use pyo3::exceptions::PyIndexError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PySlice, PyTuple};
use serde_json::json;

use crate::arguments::{Bytes, Int, Listed};
use crate::errors::{answered, argument};
use crate::results::{IssueParts, issue_parts, issues_of, load, plain};

/// The answer to one command.
#[pyclass(module = "liveops", frozen, eq)]
#[derive(Clone)]
pub(crate) struct Outcome(Core);

impl From<Core> for Outcome {
    fn from(outcome: Core) -> Self {
        Self(outcome)
    }
}

impl PartialEq for Outcome {
    fn eq(&self, other: &Self) -> bool {
        self.0.status() == other.0.status()
            && self.effect_ref() == other.effect_ref()
            && self.refusal() == other.refusal()
    }
}

#[pymethods]
impl Outcome {
    /// `applied`, `replayed`, `refused` or `unknown`.
    #[getter]
    fn status(&self) -> &'static str {
        self.0.status()
    }

    /// `applied`, `held`, `replayed`, or the code of the error.
    #[getter]
    fn code(&self) -> &'static str {
        self.0.code()
    }

    /// The HTTP status that a server in front should answer with.
    #[getter]
    fn http_status(&self) -> u16 {
        self.0.http_status()
    }

    /// Headers that belong to an HTTP answer: `Idempotent-Replayed` for a retry, those of its error for a refusal.
    fn headers<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let headers = PyDict::new(py);
        let of_refusal = self.refusal().map(|refusal| refusal.headers());
        for (name, value) in of_refusal.unwrap_or_else(|| self.0.headers()) {
            headers.set_item(name, value)?;
        }
        Ok(headers)
    }

    /// What the command did, now or earlier; None if it was refused or is not known.
    #[getter]
    fn effect<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.effect_ref().map(|effect| load(py, "Effect", effect)).transpose()
    }

    /// The `Refusal` or `UnknownOutcome` that `unwrap` would raise; None if there is none.
    #[getter]
    fn error<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        self.exception(py).map(|error| error.into_value(py).into_bound(py).into_any())
    }

    /// The effect. Raises `Refusal` if nothing took effect, `UnknownOutcome` if that is not known: then send the command
    /// again with the same id.
    fn unwrap<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        match self.effect_ref() {
            Some(effect) => load(py, "Effect", effect),
            None => Err(self.exception(py).unwrap_or_else(|| argument(py, Code::StoreOutcomeUnknown, "no effect"))),
        }
    }

    /// As JSON writes it, with camelCase keys: status, code, and either the effect or the problem.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let mut dict = json!({"status": self.0.status(), "code": self.0.code()});
        if let Some(effect) = self.effect_ref() {
            dict["effect"] = json!(effect);
        }
        if let Some(refusal) = self.refusal() {
            dict["problem"] = refusal.problem();
        }
        plain(py, &dict)
    }

    fn __repr__(&self) -> String {
        format!("Outcome(status='{}', code='{}')", self.0.status(), self.0.code())
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyTuple>)> {
        let rebuild = py.get_type::<Self>().getattr("_rebuild")?;
        // As a store keeps it: the bytes of an effect alone leave out what came with later versions.
        let stored = |effect: &Effect| {
            let effect = effect.clone();
            Record::Outcome(Box::new(StoredOutcome { fingerprint: 0, ts: Timestamp::MIN, effect })).encode()
        };
        let effect = self.effect_ref().map(|effect| PyBytes::new(py, &stored(effect)));
        let refusal = self.refusal();
        let message = refusal.as_ref().map(|refusal| refusal.message.as_str());
        let issues = refusal.as_ref().map(|refusal| issue_parts(&refusal.issues)).unwrap_or_default();
        Ok((rebuild, (self.0.status(), self.0.code(), effect, message, issues).into_pyobject(py)?))
    }

    /// For pickle.
    #[staticmethod]
    fn _rebuild(
        py: Python<'_>,
        status: &str,
        code: &str,
        effect: Option<Bytes<'_>>,
        message: Option<String>,
        issues: Listed<IssueParts>,
    ) -> PyResult<Self> {
        let broken = || argument(py, Code::InvalidArgument, "this is no pickled outcome");
        let stored = |bytes: Bytes<'_>| match Record::decode(bytes.as_slice()) {
            Ok(Record::Outcome(outcome)) => Ok(outcome.effect),
            _ => Err(broken()),
        };
        let effect = effect.map(stored).transpose()?;
        let error = || -> PyResult<Error> {
            let code = Code::from_text(code).ok_or_else(broken)?;
            let issues = issues_of(issues.0).ok_or_else(broken)?;
            let message = message.unwrap_or_default();
            Ok(Error::with_source(code, Unpickled(Refusal { message, issues, ..code.into() })))
        };
        Ok(Self(match (status, effect) {
            ("applied", Some(effect)) => Core::Applied(effect),
            ("replayed", Some(effect)) => Core::Replayed(effect),
            ("refused", None) => Core::Refused(error()?),
            ("unknown", None) => Core::Unknown(error()?),
            _ => return Err(broken()),
        }))
    }
}

impl Outcome {
    fn effect_ref(&self) -> Option<&Effect> {
        match &self.0 {
            Core::Applied(effect) | Core::Replayed(effect) => Some(effect),
            _ => None,
        }
    }

    fn refusal(&self) -> Option<Refusal> {
        match &self.0 {
            Core::Refused(error) | Core::Unknown(error) => {
                let unpickled = error.source().and_then(|source| source.downcast_ref::<Unpickled>());
                Some(unpickled.map_or_else(|| error.into(), |unpickled| unpickled.0.clone()))
            }
            _ => None,
        }
    }

    fn exception(&self, py: Python<'_>) -> Option<PyErr> {
        let class = if matches!(self.0, Core::Unknown(_)) { "UnknownOutcome" } else { "Refusal" };
        self.refusal().map(|refusal| answered(py, class, &refusal))
    }
}

/// A refusal that came out of a pickle: the issues that the core had kept in the error's source.
#[derive(Debug)]
struct Unpickled(Refusal);

impl fmt::Display for Unpickled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Unpickled {}

/// The answers to a batch, in order: counted already, and kept as bytes. No row is made until it is asked for.
#[pyclass(module = "liveops", frozen, sequence, eq)]
pub(crate) struct Outcomes(Batch);

impl From<Batch> for Outcomes {
    fn from(batch: Batch) -> Self {
        Self(batch)
    }
}

impl Outcomes {
    fn row(&self, at: usize) -> Option<Outcome> {
        self.0.get(at).map(Outcome)
    }

    fn rows(&self) -> impl Iterator<Item = Outcome> {
        self.0.iter().map(Outcome)
    }
}

impl PartialEq for Outcomes {
    fn eq(&self, other: &Self) -> bool {
        self.0.len() == other.0.len() && self.0.counts() == other.0.counts() && self.rows().eq(other.rows())
    }
}

#[pymethods]
impl Outcomes {
    /// From outcomes.
    #[new]
    fn from_outcomes(outcomes: Listed<Py<Outcome>>) -> Self {
        Self(outcomes.0.iter().map(|outcome| outcome.get().0.clone()).collect())
    }

    /// How many rows of each code: `applied`, `held`, `replayed`, or the code of an error.
    fn counts<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        for (code, count) in self.0.counts() {
            dict.set_item(code, count)?;
        }
        Ok(dict)
    }

    /// All rows as dicts.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        PyList::new(py, self.rows().map(|outcome| outcome.to_dict(py)).collect::<PyResult<Vec<_>>>()?)
    }

    fn __len__(&self) -> usize {
        self.0.len()
    }

    fn __getitem__<'py>(&self, py: Python<'py>, index: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        if let Ok(slice) = index.cast::<PySlice>() {
            let indices = slice.indices(isize::try_from(self.0.len())?)?;
            let mut next = indices.start;
            let rows = (0..indices.slicelength).filter_map(|_| {
                let at = usize::try_from(next).ok();
                next += indices.step;
                at
            });
            return Self(self.0.select(rows)).into_bound_py_any(py);
        }
        let Int(index) = index.extract::<Int<i64>>()?;
        let from_end = || i64::try_from(self.0.len()).ok().map(|len| len + index);
        let at = if index < 0 { from_end() } else { Some(index) };
        let row = at.and_then(|at| usize::try_from(at).ok()).and_then(|at| self.row(at));
        row.ok_or_else(|| PyIndexError::new_err("there is no such row"))?.into_bound_py_any(py)
    }

    fn __iter__(slf: Bound<'_, Self>) -> Rows {
        Rows { outcomes: slf.unbind(), next: AtomicUsize::new(0) }
    }

    fn __repr__(&self) -> String {
        format!("Outcomes(len={})", self.0.len())
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyTuple>)> {
        let rows = PyList::new(py, self.rows().collect::<Vec<_>>())?;
        Ok((py.get_type::<Self>().into_any(), (rows,).into_pyobject(py)?))
    }
}

/// Walks over the rows of a batch.
#[pyclass(module = "liveops._native", frozen)]
pub(crate) struct Rows {
    outcomes: Py<Outcomes>,
    next: AtomicUsize,
}

#[pymethods]
impl Rows {
    fn __iter__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    fn __next__(&self) -> Option<Outcome> {
        self.outcomes.get().row(self.next.fetch_add(1, Ordering::Relaxed))
    }
}
