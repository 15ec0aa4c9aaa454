//! Batches for boards: owners and scores side by side, from lists or, for very many, from plain memory.

use liveops_core::board::Score;
use liveops_core::error::Code;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedStr;
use pyo3::types::{PyBytes, PyList, PyString};

use crate::arguments::Int;
use crate::columns::memory;
use crate::errors::{argument, in_batch};

/// Owners and their scores, as many of the one as of the other.
pub(crate) struct Batch {
    owners: Owners,
    scores: Vec<Score>,
}

enum Owners {
    Texts(Vec<PyBackedStr>),
    /// Joined by newlines.
    Lines(String),
}

impl Batch {
    pub(crate) fn new(
        py: Python<'_>,
        owners: &Bound<'_, PyAny>,
        scores: &Bound<'_, PyAny>,
        subscores: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let owners = Owners::new(py, owners)?;
        let (scores, subscores) = (integers(py, scores)?, subscores.map(|all| integers(py, all)).transpose()?);
        if scores.len() != owners.len() || subscores.as_ref().is_some_and(|all| all.len() != scores.len()) {
            return Err(argument(
                py,
                Code::InvalidArgument,
                "as many scores as owners are meant, and as many subscores",
            ));
        }
        let mut subscores = subscores.unwrap_or_default().into_iter();
        let scores = scores.into_iter().map(|score| Score { score, subscore: subscores.next().unwrap_or(0) }).collect();
        Ok(Self { owners, scores })
    }

    pub(crate) fn pairs(&self) -> Vec<(&str, Score)> {
        match &self.owners {
            Owners::Texts(texts) => texts.iter().map(|text| &**text).zip(self.scores.iter().copied()).collect(),
            Owners::Lines(lines) => lines_of(lines).zip(self.scores.iter().copied()).collect(),
        }
    }
}

impl Owners {
    fn new(py: Python<'_>, owners: &Bound<'_, PyAny>) -> PyResult<Self> {
        if let Ok(bytes) = owners.cast::<PyBytes>() {
            let text = String::from_utf8(bytes.as_bytes().to_vec());
            let wrong = || argument(py, Code::InvalidArgument, "owners as bytes are UTF-8, with a newline between two");
            return text.map(Self::Lines).map_err(|_| wrong());
        }
        if owners.is_instance_of::<PyString>() {
            return Err(PyTypeError::new_err("a list of owners is meant, or bytes; not one str"));
        }
        Ok(Self::Texts(owners.try_iter()?.map(|owner| owner?.extract()).collect::<PyResult<_>>()?))
    }

    fn len(&self) -> usize {
        match self {
            Self::Texts(texts) => texts.len(),
            Self::Lines(lines) => lines_of(lines).count(),
        }
    }
}

/// The last line may end with a newline or not; nothing at all is no line.
fn lines_of(lines: &str) -> impl Iterator<Item = &str> {
    let body = lines.strip_suffix('\n').unwrap_or(lines);
    (!lines.is_empty()).then(|| body.split('\n')).into_iter().flatten()
}

/// Integers of 64 bits: a list, or plain memory such as `array('q')` and numpy's `int64`.
fn integers(py: Python<'_>, values: &Bound<'_, PyAny>) -> PyResult<Vec<i64>> {
    if !values.is_instance_of::<PyList>()
        && let Some(memory) = memory(values)?
    {
        let meant = |_| PyTypeError::new_err("memory of signed 64-bit integers is meant, such as array('q')");
        return memory.as_typed::<i64>().map_err(meant)?.to_vec(py);
    }
    let mut numbers = Vec::with_capacity(values.len().unwrap_or(0));
    for (index, value) in values.try_iter()?.enumerate() {
        // A number that is too large is a refused value; what is no integer is a mistake of the program.
        let number = value?.extract::<Int<i64>>().map_err(|error| {
            if error.is_instance_of::<PyTypeError>(py) { error } else { in_batch(py, index, Code::OutOfRange) }
        });
        numbers.push(number?.0);
    }
    Ok(numbers)
}
