//! What is known of all players, and the pass through history that finds it out.

use liveops_core::anomaly;
use liveops_core::error::{Code, Error, StoreError};
use liveops_core::rules::HistoryCount;
use parking_lot::Mutex;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::arguments::{Bytes, Int, Number, When};
use crate::errors::{Fallible as _, argument};
use crate::lock::{detached, with};
use crate::results::load;
use crate::rules::Rules;

/// Tables of what is usual in a game: of each activity, of each boss, and of intervals. Without history, wide guesses.
#[pyclass(module = "liveops", frozen, eq)]
#[derive(Default, PartialEq)]
pub(crate) struct Population(pub(crate) anomaly::Population);

#[pymethods]
impl Population {
    #[new]
    fn new() -> Self {
        Self::default()
    }

    /// From `to_bytes`. `StoreError` for anything else.
    #[staticmethod]
    fn from_bytes(py: Python<'_>, data: Bytes<'_>) -> PyResult<Self> {
        let read = anomaly::Population::from_bytes(data.as_slice());
        read.map(Self).map_err(|kind| Error::from(StoreError::new(kind))).or_raise(py)
    }

    /// To keep beside the rules; the same in every language.
    fn to_bytes(&self) -> Vec<u8> {
        self.0.to_bytes()
    }

    /// Names the tables by their content, 64 hex digits. Processes that are to judge alike have the same.
    #[getter]
    fn hash(&self) -> String {
        self.0.hash().to_hex()
    }

    /// Of which activities there are tables.
    #[getter]
    fn activities(&self) -> Vec<&str> {
        self.0.activities().collect()
    }

    /// Of which bosses there are.
    #[getter]
    fn bosses(&self) -> Vec<&str> {
        self.0.bosses().collect()
    }

    fn __hash__(&self) -> u64 {
        self.0.hash().0.iter().take(8).fold(0, |hash, byte| hash << 8 | u64::from(*byte))
    }

    fn __repr__(&self) -> String {
        format!("Population(hash='{}')", self.0.hash().to_hex())
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyAny>, (Vec<u8>,))> {
        Ok((py.get_type::<Self>().getattr("from_bytes")?, (self.0.to_bytes(),)))
    }
}

/// Builds a `Population` in one pass through history: players in any order, events of a player in theirs. Some cheaters in
/// it do no harm, as each player contributes little.
#[pyclass(module = "liveops", frozen)]
#[derive(Default)]
pub(crate) struct PopulationBuilder(Mutex<anomaly::PopulationBuilder>);

#[pymethods]
impl PopulationBuilder {
    #[new]
    fn new() -> Self {
        Self::default()
    }

    /// An amount that an activity brought, boosted so many times by rules.
    #[pyo3(
        signature = (player_id, at, activity, amount, boost=Number(1.0)),
        text_signature = "($self, player_id, at, activity, amount, boost=1.0)"
    )]
    fn gain(
        &self,
        py: Python<'_>,
        player_id: &str,
        at: When,
        activity: &str,
        amount: Number,
        boost: Number,
    ) -> PyResult<()> {
        let taught = with(py, &self.0, |builder| builder.gain(player_id, at.0, activity, amount.0, boost.0));
        let advice = "an activity is an id, an amount finite and not negative, a boost finite and above 0";
        taught.map_err(|_| argument(py, Code::InvalidArgument, advice))
    }

    /// A boss, and how long it took.
    fn kill(&self, py: Python<'_>, player_id: &str, at: When, boss: &str, duration_ms: Int<u32>) -> PyResult<()> {
        let taught = with(py, &self.0, |builder| builder.kill(player_id, at.0, boss, duration_ms.0));
        taught.map_err(|_| argument(py, Code::InvalidArgument, "a boss is an id, and a duration at least 1 ms"))
    }

    /// Lines of history, one event each, as the rules tell families of them: at once, or in pieces of whole lines, such as
    /// an open binary file gives. Other threads of Python run meanwhile.
    fn teach_ndjson<'py>(
        &self,
        py: Python<'py>,
        rules: &Rules,
        history: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let count = of_history(history, |lines| detached(py, &self.0, |builder| rules.0.teach_ndjson(builder, lines)))?;
        load(py, "HistoryCount", &count)
    }

    /// Events of players for whom there was no room: four million are kept apart.
    #[getter]
    fn left_out(&self, py: Python<'_>) -> u64 {
        with(py, &self.0, |builder| builder.left_out())
    }

    /// The tables.
    fn finish(&self, py: Python<'_>) -> Population {
        Population(detached(py, &self.0, |builder| builder.finish()))
    }
}

/// Bytes, or an iterable of them; what became of their lines.
pub(crate) fn of_history(
    history: &Bound<'_, PyAny>,
    mut take: impl FnMut(&[u8]) -> HistoryCount,
) -> PyResult<HistoryCount> {
    if history.is_instance_of::<PyString>() {
        return Err(PyTypeError::new_err("bytes are meant, as they were received: a str has lost its encoding"));
    }
    if let Ok(lines) = history.extract::<Bytes<'_>>() {
        return Ok(take(lines.as_slice()));
    }
    let mut count = HistoryCount::default();
    for lines in history.try_iter()? {
        let of_piece = take(lines?.extract::<Bytes<'_>>()?.as_slice());
        count.events += of_piece.events;
        count.refused += of_piece.refused;
    }
    Ok(count)
}
