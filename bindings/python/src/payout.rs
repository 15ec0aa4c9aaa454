//! Who of a finished board gets what.

use liveops_core::Id;
use liveops_core::board::{Cut, Percent, Tier, Tiers as Core};
use liveops_core::error::Code;
use liveops_core::limits::TIERS_MAX;
use liveops_core::rules::Payout as CorePayout;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString, PyTuple};

use crate::arguments::{Int, Listed};
use crate::command::Command;
use crate::errors::{Fallible as _, argument};
use crate::results::{awards, load_all, plain};

/// Parts of a board with names, in the order in which they are looked at: an owner gets the first one that fits, and no
/// other.
///
/// Each is a dict of `tier` and either `ranks`, the first and the last, or `percent`: a text such as "2.5", or an int.
/// Ranks are those of the board's ranking, and who shares a rank shares a tier. A percentage counts owners and rounds up.
///
/// >>> board = Leaderboard()
/// >>> board.submit_batch(("ana", "bo", "cy", "dee"), (40, 30, 20, 10))
/// >>> tiers = Tiers([{"tier": "gold", "ranks": [1, 1]}, {"tier": "top-half", "percent": "50"}])
/// >>> " ".join(f"{award.player_id}:{award.tier}" for award in board.awards(tiers))
/// 'ana:gold bo:top-half'
#[pyclass(module = "liveops", frozen, eq)]
#[derive(Clone, PartialEq)]
pub(crate) struct Tiers(pub(crate) Core);

#[pymethods]
impl Tiers {
    #[new]
    fn new(py: Python<'_>, tiers: &Bound<'_, PyAny>) -> PyResult<Self> {
        // One more than allowed, for the core to refuse.
        let tiers = tiers.try_iter()?.take(TIERS_MAX + 1).map(|tier| read(&tier?)).collect::<PyResult<Vec<_>>>()?;
        Core::new(tiers).or_raise(py).map(Self)
    }

    fn __len__(&self) -> usize {
        self.0.iter().count()
    }

    /// The dicts that it was made of.
    fn to_list<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        PyList::new(py, self.0.iter().map(|tier| write(py, tier)).collect::<PyResult<Vec<_>>>()?)
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!("Tiers({})", self.to_list(py)?.repr()?.to_str()?))
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyTuple>)> {
        Ok((py.get_type::<Self>().into_any(), (self.to_list(py)?,).into_pyobject(py)?))
    }
}

fn read(tier: &Bound<'_, PyAny>) -> PyResult<(Id, Cut)> {
    let py = tier.py();
    let wrong = || argument(py, Code::InvalidArgument, "a tier is {\"tier\", \"ranks\"} or {\"tier\", \"percent\"}");
    let members: Bound<'_, PyDict> = py.get_type::<PyDict>().call1((tier,))?.cast_into()?;
    let (name, ranks, percent) = (members.get_item("tier")?, members.get_item("ranks")?, members.get_item("percent")?);
    let name = name.filter(|_| members.len() == 2).ok_or_else(wrong)?;
    let cut = match (ranks, percent) {
        (Some(ranks), None) => {
            let (Int(from), Int(through)) = ranks.extract::<Listed<Int<u64>>>().and_then(|Listed(ends)| {
                let [from, through] = <[Int<u64>; 2]>::try_from(ends).map_err(|_| wrong())?;
                Ok((from, through))
            })?;
            Cut::Ranks { from, through }
        }
        (None, Some(percent)) => {
            let percent = if let Ok(text) = percent.cast::<PyString>() {
                Percent::parse(text.to_str()?)
            } else {
                Percent::from_hundredths(percent.extract::<Int<u32>>()?.0.saturating_mul(100))
            };
            Cut::Percent(percent.or_raise(py)?)
        }
        _ => return Err(wrong()),
    };
    Ok((Id::new(name.extract()?).or_raise(py)?, cut))
}

fn write<'py>(py: Python<'py>, tier: &Tier) -> PyResult<Bound<'py, PyDict>> {
    let members = PyDict::new(py);
    members.set_item("tier", tier.name.as_str())?;
    match tier.cut {
        Cut::Ranks { from, through } => members.set_item("ranks", PyList::new(py, [from, through])?)?,
        Cut::Percent(percent) => members.set_item("percent", percent.to_string())?,
        _ => {}
    }
    Ok(members)
}

/// Tiers, or the list of dicts that makes them.
pub(crate) struct TiersLike(pub(crate) Core);

impl<'py> FromPyObject<'_, 'py> for TiersLike {
    type Error = PyErr;

    fn extract(value: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        match value.cast::<Tiers>() {
            Ok(tiers) => Ok(Self(tiers.get().0.clone())),
            Err(_) => Tiers::new(value.py(), &value).map(|tiers| Self(tiers.0)),
        }
    }
}

/// A finished period of a board on its way to being paid: who gets what, and the commands that give it.
#[pyclass(module = "liveops", frozen, eq)]
#[derive(PartialEq)]
pub(crate) struct Payout(pub(crate) CorePayout);

#[pymethods]
impl Payout {
    /// The board's name.
    #[getter]
    fn board(&self) -> &str {
        self.0.board.board.as_str()
    }

    /// The period's window.
    #[getter]
    fn window(&self) -> &'static str {
        self.0.board.period.window.as_str()
    }

    /// The period's index.
    #[getter]
    fn index(&self) -> i64 {
        self.0.board.period.index
    }

    /// When the period closed, in Unix milliseconds.
    #[getter]
    fn closed_at(&self) -> i64 {
        self.0.closed_at.as_unix_millis()
    }

    /// Who gets what, best first.
    #[getter]
    fn awards<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        awards(py, &self.0.awards)
    }

    /// Events of the period that are still held: whoever holds them may want to review them, and hide who is found
    /// dishonest, before the board is paid.
    #[getter]
    fn holds<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        load_all(py, "OpenHold", &self.0.holds)
    }

    /// One command for each award, in the same order. Submit them, in batches of any size, until each is `applied` or
    /// `replayed`: each player is paid once, however often they are submitted.
    fn commands(&self) -> Vec<Command> {
        self.0.commands().iter().cloned().map(Command).collect()
    }

    /// As JSON writes it, with camelCase keys.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        plain(py, &self.0)
    }

    fn __repr__(&self) -> String {
        format!("Payout(board='{}', awards={})", self.board(), self.0.awards.len())
    }
}
