//! Batches for boards: owners and scores side by side, from lists or, for very many, from plain memory.

use liveops_core::board::Score;
use liveops_core::error::Code;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedStr;
use pyo3::types::{PyBytes, PyString};

use crate::arguments::Listed;
use crate::columns::Integers;
use crate::errors::argument;

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
        let scores = scores.extract::<Integers>()?;
        let subscores = subscores.map(PyAnyMethods::extract::<Integers>).transpose()?;
        let (scores, subscores) = (scores.cells(), subscores.as_ref().map(Integers::cells));
        if scores.len() != owners.len() || subscores.as_ref().is_some_and(|all| all.len() != scores.len()) {
            return Err(argument(
                py,
                Code::InvalidArgument,
                "as many scores as owners are meant, and as many subscores",
            ));
        }
        let score = |index| {
            let subscore = subscores.as_ref().map_or(Some(0), |all| all.integer(index))?;
            Some(Score { score: scores.integer(index)?, subscore })
        };
        let scores = (0..scores.len()).filter_map(score).collect();
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
        owners.extract::<Listed<_>>().map(|Listed(texts)| Self::Texts(texts))
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
