//! Errors of the core as the exceptions of `liveops/errors.py`.

use liveops_core::board::{BatchError, TiersError};
use liveops_core::error::{Code, Error, StoreError};
use liveops_core::event::{Issue, ValidationError};
use liveops_core::intake::Refusal;
use liveops_core::progress::CurveError;
use liveops_core::record::AdvanceError;
use liveops_core::reward::{LootError, ReceiptError};
use liveops_core::rules::RulesError;
use liveops_core::signing::SignatureError;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyTuple};

use crate::results::{issues, json};

/// An error that has an exception.
pub(crate) trait Raise {
    fn raise(self, py: Python<'_>) -> PyErr;
}

/// `result.or_raise(py)?`
pub(crate) trait Fallible<T> {
    fn or_raise(self, py: Python<'_>) -> PyResult<T>;
}

impl<T, E: Raise> Fallible<T> for Result<T, E> {
    fn or_raise(self, py: Python<'_>) -> PyResult<T> {
        self.map_err(|error| error.raise(py))
    }
}

impl Raise for Code {
    fn raise(self, py: Python<'_>) -> PyErr {
        fail(py, self)
    }
}

impl Raise for Error {
    fn raise(self, py: Python<'_>) -> PyErr {
        use std::error::Error as _;
        if let Some(wrong) = self.source().and_then(|source| source.downcast_ref::<AdvanceError>()) {
            return raise_as(py, self.code(), &wrong.to_string());
        }
        let error = fail(py, self.code());
        // The store's own words, for logs.
        let of_store = self.source().and_then(|source| source.downcast_ref::<StoreError>());
        if let Some(cause) = of_store.and_then(|error| error.source.as_ref()) {
            error.set_cause(py, Some(PyRuntimeError::new_err(cause.to_string())));
        }
        error
    }
}

impl Raise for RulesError {
    fn raise(self, py: Python<'_>) -> PyErr {
        exception(py, "RulesError", (self.code().as_str(), self.message, self.path, self.issue.as_str()))
    }
}

impl Raise for SignatureError {
    fn raise(self, py: Python<'_>) -> PyErr {
        exception(py, "SignatureError", (self.code().as_str(), self.message()))
    }
}

impl Raise for CurveError {
    fn raise(self, py: Python<'_>) -> PyErr {
        argument(py, self.code(), &self.to_string())
    }
}

impl Raise for LootError {
    fn raise(self, py: Python<'_>) -> PyErr {
        argument(py, self.code(), &self.to_string())
    }
}

impl Raise for ReceiptError {
    fn raise(self, py: Python<'_>) -> PyErr {
        let Self { code, path, message } = self;
        invalid(py, code, &[Issue { code, path, message, limit: None, offset: None }], "the document")
    }
}

impl Raise for ValidationError {
    fn raise(self, py: Python<'_>) -> PyErr {
        invalid(py, self.code(), self.issues(), "the body")
    }
}

fn invalid(py: Python<'_>, code: Code, found: &[Issue], whole: &str) -> PyErr {
    let raised = |issues| exception(py, "ValidationError", (code.as_str(), first(found, whole), issues));
    issues(py, found).map_or_else(|error| error, raised)
}

impl Raise for Refusal {
    fn raise(self, py: Python<'_>) -> PyErr {
        answered(py, "Refusal", &self)
    }
}

/// A refusal, or an outcome that is not known, with all that an HTTP answer needs.
pub(crate) fn answered(py: Python<'_>, class: &str, refusal: &Refusal) -> PyErr {
    let build = || {
        let issues = issues(py, &refusal.issues)?;
        let retry_after = refusal.retry_after_seconds();
        let problem = json(&refusal.problem())?;
        let code = refusal.code.as_str();
        Ok(exception(py, class, (code, message(refusal), issues, problem, refusal.headers(), retry_after)))
    };
    build().unwrap_or_else(|error: PyErr| error)
}

/// The exception that a code belongs to, with the code's own description.
pub(crate) fn fail(py: Python<'_>, code: Code) -> PyErr {
    raise_as(py, code, code.description())
}

impl Raise for BatchError {
    fn raise(self, py: Python<'_>) -> PyErr {
        in_batch(py, self.index, self.code())
    }
}

impl Raise for TiersError {
    fn raise(self, py: Python<'_>) -> PyErr {
        argument(py, self.code(), &self.to_string())
    }
}

/// One value of a batch is at fault.
pub(crate) fn in_batch(py: Python<'_>, index: usize, code: Code) -> PyErr {
    at_index(py, index, code, code.description())
}

/// The same with what would be right.
pub(crate) fn at_index(py: Python<'_>, index: usize, code: Code, message: &str) -> PyErr {
    exception(py, "BatchError", (code.as_str(), message, index))
}

/// An argument that the call does not allow, with what would be right.
pub(crate) fn argument(py: Python<'_>, code: Code, message: &str) -> PyErr {
    exception(py, "ArgumentError", (code.as_str(), message))
}

pub(crate) fn raise_as(py: Python<'_>, code: Code, message: &str) -> PyErr {
    let class = match code {
        Code::UnknownBoard
        | Code::UnknownWindow
        | Code::UnknownPeriod
        | Code::PeriodDropped
        | Code::UnknownPayout
        | Code::ReceiptUnknown => "NotFoundError",
        Code::Forked => "ForkedError",
        Code::RulesInvalid | Code::BoardIncompatible => "RulesError",
        Code::SecretInvalid => "SignatureError",
        Code::SnapshotCorrupt => "StoreError",
        code if is_store(code) => "StoreError",
        _ => "ArgumentError",
    };
    exception(py, class, (code.as_str(), message))
}

fn is_store(code: Code) -> bool {
    Code::GROUPS.iter().any(|(group, codes)| group.starts_with("Store") && codes.contains(&code))
}

/// The sentence without the code, which the exception shows in front of it.
fn message(refusal: &Refusal) -> &str {
    let code = refusal.code.as_str();
    refusal.message.strip_prefix(code).and_then(|rest| rest.strip_prefix(": ")).unwrap_or(&refusal.message)
}

fn first(issues: &[Issue], whole: &str) -> String {
    let Some(issue) = issues.first() else { return String::new() };
    let place = if issue.path.is_empty() { whole } else { &issue.path };
    match issues.len() - 1 {
        0 => format!("{place}: {}", issue.message),
        more => format!("{place}: {} (and {more} more)", issue.message),
    }
}

/// Whether it is one for an argument that the call does not allow, and none of Python's own.
pub(crate) fn is_argument_error(py: Python<'_>, error: &PyErr) -> bool {
    class(py, "ArgumentError").is_ok_and(|class| error.value(py).is_instance(&class).unwrap_or(false))
}

fn class<'py>(py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
    static MODULE: PyOnceLock<Py<PyModule>> = PyOnceLock::new();
    MODULE.get_or_try_init(py, || py.import("liveops.errors").map(Bound::unbind))?.bind(py).getattr(name)
}

fn exception<'py, A: IntoPyObject<'py, Target = PyTuple, Output = Bound<'py, PyTuple>>>(
    py: Python<'py>,
    name: &str,
    arguments: A,
) -> PyErr {
    let build = || {
        let arguments = arguments.into_pyobject(py).map_err(Into::into)?;
        Ok(PyErr::from_value(class(py, name)?.call1(arguments)?))
    };
    build().unwrap_or_else(|error: PyErr| error)
}

/// Every code with its HTTP status and description.
#[pyfunction]
pub(crate) fn error_codes(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
    let codes = PyDict::new(py);
    for code in Code::all() {
        codes.set_item(code.as_str(), (code.http_status(), code.description()))?;
    }
    Ok(codes)
}
