//! Finished periods: bytes that never change and name nobody, and beside them the names, which can be forgotten.

use liveops_core::board::{Archive as Core, ArchiveView as View, Names as CoreNames};
use liveops_core::{Error, PlayerId};
use parking_lot::Mutex;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList, PyTuple};

use crate::arguments::{Bytes, Int, Listed, player};
use crate::errors::Fallible as _;
use crate::payout::TiersLike;
use crate::results::{archived_rows, awards, heading, rows};

/// A finished period of one board: who came where, without saying who. Its bytes never change; whose places are in it
/// stands in `Names`, which are kept apart and from which a player is removed when erased.
///
/// >>> board = WindowedLeaderboard({"daily": 7}, name="xp")
/// >>> today = board.period("daily", now_ms=0)
/// >>> late = board.submit_batch(("ana", "bo"), (120, 90), now_ms=0)
/// >>> archive, names = board.archive(today, now_ms=today.end)
/// >>> archive.heading.period.label, len(archive), archive.read(names).rank("bo")
/// ('1970-01-01', 2, 2)
/// >>> names.forget("ana")
/// True
/// >>> [row.rank for row in archive.read(names)]  # the rank stays
/// [2]
/// >>> Archive.from_bytes(archive.to_bytes()) == archive
/// True
#[pyclass(module = "liveops", frozen, eq)]
#[derive(Clone, PartialEq)]
pub(crate) struct Archive(pub(crate) Core);

#[pymethods]
impl Archive {
    /// The archive of these bytes. `StoreError` for bytes that `to_bytes` never makes.
    #[staticmethod]
    fn from_bytes(py: Python<'_>, bytes: Bytes<'_>) -> PyResult<Self> {
        let bytes = bytes.as_slice();
        py.detach(|| Core::from_bytes(bytes)).or_raise(py).map(Self)
    }

    /// Bytes that depend on nothing but the standings, with a checksum at the end.
    fn to_bytes<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &py.detach(|| self.0.to_bytes()))
    }

    /// What it is of.
    #[getter]
    fn heading<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        heading(py, self.0.heading())
    }

    /// Names this archive by its content: 64 hex digits.
    #[getter]
    fn checksum(&self) -> String {
        self.0.checksum().to_hex()
    }

    /// Every row, best first, without names: those of players who are forgotten or hidden too.
    fn rows<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        archived_rows(py, self.0.rows())
    }

    /// The archive with its names as they are now, less those of players `hidden`. `ArgumentError` for the names of another
    /// archive.
    #[pyo3(
        signature = (names, *, hidden=Listed(Vec::new())),
        text_signature = "($self, names, *, hidden=())"
    )]
    fn read(&self, py: Python<'_>, names: &Names, hidden: Listed<String>) -> PyResult<ArchiveView> {
        let hidden = hidden.0.iter().map(|id| player(py, id)).collect::<PyResult<Vec<_>>>()?;
        let mut names = names.0.lock().clone();
        self.0.read(&names).or_raise(py)?;
        for player in &hidden {
            names.forget(player);
        }
        Ok(ArchiveView { archive: self.0.clone(), names })
    }

    fn __len__(&self) -> usize {
        self.0.rows().len()
    }

    fn __repr__(&self) -> String {
        let heading = self.0.heading();
        format!("Archive(board='{}', period='{}', len={})", heading.board, heading.label, self.0.len())
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyTuple>)> {
        Ok((py.get_type::<Self>().getattr("from_bytes")?, (self.to_bytes(py),).into_pyobject(py)?))
    }
}

/// Whose the places of one `Archive` are. Personal data: keep them where `forget` can reach them, and nowhere else.
#[pyclass(module = "liveops", frozen)]
pub(crate) struct Names(pub(crate) Mutex<CoreNames>);

impl From<CoreNames> for Names {
    fn from(names: CoreNames) -> Self {
        Self(Mutex::new(names))
    }
}

#[pymethods]
impl Names {
    /// The names of these bytes. `StoreError` for bytes that `to_bytes` never makes.
    #[staticmethod]
    fn from_bytes(py: Python<'_>, bytes: Bytes<'_>) -> PyResult<Self> {
        let bytes = bytes.as_slice();
        py.detach(|| CoreNames::from_bytes(bytes)).or_raise(py).map(Self::from)
    }

    /// The bytes, to be stored in place of those of before whenever a player was forgotten.
    fn to_bytes<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &py.detach(|| self.0.lock().to_bytes()))
    }

    /// Forgets a player for good; whether the player was known. Part of erasing a player, for every archive that is kept.
    fn forget(&self, py: Python<'_>, player_id: &str) -> PyResult<bool> {
        Ok(self.0.lock().forget(&player(py, player_id)?))
    }

    /// The player's place, from 0; None for one who is not known.
    fn place_of(&self, py: Python<'_>, player_id: &str) -> PyResult<Option<u32>> {
        Ok(self.0.lock().place_of(&player(py, player_id)?))
    }

    /// The checksum of the archive that they belong to.
    #[getter]
    fn archive(&self) -> String {
        self.0.lock().archive().to_hex()
    }

    /// How many players are known.
    fn __len__(&self) -> usize {
        usize::try_from(self.0.lock().len()).unwrap_or(usize::MAX)
    }

    fn __eq__(&self, other: &Self) -> bool {
        let other = other.0.lock().clone();
        *self.0.lock() == other
    }

    fn __repr__(&self) -> String {
        format!("Names(len={})", self.0.lock().len())
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyTuple>)> {
        Ok((py.get_type::<Self>().getattr("from_bytes")?, (self.to_bytes(py),).into_pyobject(py)?))
    }
}

/// An archive as readers see it: without those who are forgotten or hidden, as it was when it was asked for. Offsets and
/// lengths count who is left; ranks are those of the archive.
#[pyclass(module = "liveops", frozen)]
pub(crate) struct ArchiveView {
    archive: Core,
    /// Without those who are hidden: both are left out alike.
    names: CoreNames,
}

impl ArchiveView {
    /// An archive with its names, less all who are not on a view of it.
    pub(crate) fn of(view: &View<'_>, archive: &Core, names: &CoreNames) -> Result<Self, Error> {
        let mut shown = view.iter().peekable();
        let mut names = names.clone();
        let hidden: Vec<PlayerId> = archive
            .read(&names)?
            .iter()
            .filter(|row| shown.next_if(|shown| shown.owner == row.owner).is_none())
            .map(|row| row.owner)
            .collect();
        for player in &hidden {
            names.forget(player);
        }
        Ok(Self { archive: archive.clone(), names })
    }

    fn read<T: Send>(&self, py: Python<'_>, read: impl FnOnce(&View<'_>) -> T + Send) -> PyResult<T> {
        py.detach(|| self.archive.read(&self.names).map(|view| read(&view))).or_raise(py)
    }
}

#[pymethods]
impl ArchiveView {
    /// `offset..offset + limit`, best first.
    fn page<'py>(&self, py: Python<'py>, offset: Int<usize>, limit: Int<usize>) -> PyResult<Bound<'py, PyList>> {
        rows(py, &self.read(py, |view| view.page(offset.0, limit.0))?)
    }

    /// The rank of a player, from 1, as archived; None for one who is not shown.
    fn rank(&self, py: Python<'_>, player_id: &str) -> PyResult<Option<u64>> {
        let id = player(py, player_id)?;
        self.read(py, |view| view.rank_of(&id))
    }

    /// The player's row with up to `each_side` rows above and below.
    #[pyo3(
        signature = (player_id, each_side=Int(5)),
        text_signature = "($self, player_id, each_side=5)"
    )]
    fn around<'py>(&self, py: Python<'py>, player_id: &str, each_side: Int<usize>) -> PyResult<Bound<'py, PyList>> {
        let id = player(py, player_id)?;
        rows(py, &self.read(py, |view| view.around(&id, each_side.0))?)
    }

    /// Who gets what, best first: as the board that was archived would pay, less those who are not shown. Nobody moves up
    /// into their ranks.
    fn awards<'py>(&self, py: Python<'py>, tiers: TiersLike) -> PyResult<Bound<'py, PyList>> {
        awards(py, &self.read(py, |view| view.awards(&tiers.0))?)
    }

    fn __len__(&self) -> usize {
        usize::try_from(self.names.len()).unwrap_or(usize::MAX)
    }

    /// Everyone who is shown, best first.
    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Ok(rows(py, &self.read(py, |view| view.page(0, usize::MAX))?)?.try_iter()?.into_any())
    }

    fn __repr__(&self) -> String {
        format!("ArchiveView(board='{}', len={})", self.archive.heading().board, self.names.len())
    }
}
