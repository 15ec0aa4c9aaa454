//! Loot tables: exact odds, and rolls that anyone can repeat.

use liveops_core::Id;
use liveops_core::error::Code;
use liveops_core::limits::{ITEMS_MAX, LOOT_ENTRIES_MAX};
use liveops_core::reward::{Entry, Item, Loot as Core, Pity, Roll, seed_commitment};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyDict;

use crate::arguments::{Bytes, Int, player};
use crate::errors::{Fallible as _, argument};
use crate::results::{load, load_all};
use crate::reward::OneReceipt;
use crate::rules::{digest, part};

/// A weighted table, of `LootEntry` in whatever order. A roll gives one entry's items and all the `guaranteed` ones; with a
/// `Pity` its entry comes at the latest with so many rolls.
///
/// The seed, 32 random bytes, stays secret; its `loot_seed_commitment` is published before the first roll. Once the seed is
/// revealed, anyone can repeat every roll.
///
/// >>> chest = Loot([LootEntry("crown", 1), LootEntry("scale", 99)], pity=Pity("crown", 50))
/// >>> str(chest.expected_rolls("crown")), chest.odds()[0]
/// ('39.499393', Odds(entry='crown', weight=1, total=100, long_run=Decimal('0.0253168445589315')))
/// >>> seed = bytes(32)
/// >>> roll = chest.roll(seed=seed, table="chest", player_id="ana", nonce=12, misses=49)
/// >>> roll.entry, roll.misses_after
/// ('crown', 0)
/// >>> commitment = loot_seed_commitment(seed)
/// >>> chest.verify_roll(roll, seed=seed, commitment=commitment, table="chest", player_id="ana", misses=49)
/// True
#[pyclass(module = "liveops", frozen, eq)]
#[derive(Clone, PartialEq)]
pub(crate) struct Loot(pub(crate) Core);

#[pymethods]
impl Loot {
    #[new]
    #[pyo3(signature = (entries, *, guaranteed=None, pity=None))]
    fn new(
        py: Python<'_>,
        entries: &Bound<'_, PyAny>,
        guaranteed: Option<&Bound<'_, PyAny>>,
        pity: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        // One more than allowed, for the core to refuse.
        let entries = entries.try_iter()?.take(LOOT_ENTRIES_MAX + 1);
        let entries = entries.map(|entry| read_entry(&entry?)).collect::<PyResult<_>>()?;
        let guaranteed = guaranteed.map_or_else(|| Ok(Vec::new()), read_items)?;
        Core::new(entries, guaranteed, pity.map(read_pity).transpose()?).or_raise(py).map(Self)
    }

    /// From a dict in the grammar of one table under `loot` in a rules document. `RulesError` names the path of what is wrong
    /// in it.
    #[staticmethod]
    fn from_dict(py: Python<'_>, table: &Bound<'_, PyDict>) -> PyResult<Self> {
        let rules = part(table, &["loot", "table"])?;
        let missing = || argument(py, Code::Missing, "there is no table");
        rules.loot().values().next().cloned().map(Self).ok_or_else(missing)
    }

    /// The entries, in order of names.
    #[getter]
    fn entries<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        load_all(py, "LootEntry", self.0.entries())
    }

    /// What every roll gives.
    #[getter]
    fn guaranteed<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        load_all(py, "Item", self.0.guaranteed())
    }

    /// When luck is helped along; None if never.
    #[getter]
    fn pity<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.0.pity().map(|pity| load(py, "Pity", pity)).transpose()
    }

    /// The `nonce`-th roll of a player on the table of this name, after `misses` rolls in a row without the entry that pity is
    /// for. The same arguments give the same roll, for ever: never use a nonce of a player and table twice.
    #[pyo3(signature = (*, seed, table, player_id, nonce, misses))]
    fn roll<'py>(
        &self,
        py: Python<'py>,
        seed: Seed,
        table: &str,
        player_id: &str,
        nonce: Int<u64>,
        misses: Int<u32>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (table, owner) = (Id::new(table).or_raise(py)?, player(py, player_id)?);
        load(py, "Roll", &self.0.roll(&seed.0, &table, &owner, nonce.0, misses.0))
    }

    /// Whether a revealed seed is the one committed to, and gives this very `Roll` after so many misses.
    #[pyo3(signature = (roll, *, seed, commitment, table, player_id, misses))]
    #[expect(clippy::too_many_arguments, reason = "keywords, each a part of the proof")]
    fn verify_roll(
        &self,
        py: Python<'_>,
        roll: &Bound<'_, PyAny>,
        seed: Seed,
        commitment: &str,
        table: &str,
        player_id: &str,
        misses: Int<u32>,
    ) -> PyResult<bool> {
        let (commitment, roll) = (digest(py, commitment)?, read_roll(roll)?);
        let (table, owner) = (Id::new(table).or_raise(py)?, player(py, player_id)?);
        Ok(self.0.verify_roll(&seed.0, commitment, &table, &owner, misses.0, &roll))
    }

    /// The same of a roll that an engine made: whether the `roll` of a `Receipt`, or of its dict, is one of this table as it is
    /// now, and gives what the receipt gives. False for a receipt without one.
    #[pyo3(signature = (receipt, *, seed, commitment, player_id))]
    fn verify_receipt(
        &self,
        py: Python<'_>,
        receipt: OneReceipt,
        seed: Seed,
        commitment: &str,
        player_id: &str,
    ) -> PyResult<bool> {
        let (commitment, owner) = (digest(py, commitment)?, player(py, player_id)?);
        Ok(self.0.verify_receipt(&seed.0, commitment, &owner, &receipt.0))
    }

    /// The odds of every entry, in order of names: exactly those of a roll that pity does not decide, and `long_run`, the rate at
    /// which it comes over many rolls, pity taken into account.
    fn odds<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        load_all(py, "Odds", &self.0.odds())
    }

    /// How many rolls a player makes on average until an entry comes, beginning without misses, pity taken into account: a
    /// `Decimal`, exact but for its sixth digit behind the point. None if it can never come.
    fn expected_rolls<'py>(&self, py: Python<'py>, entry: &str) -> PyResult<Option<Bound<'py, PyAny>>> {
        static DECIMAL: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
        let entry = self.known(py, entry)?;
        let expected = py.detach(|| self.0.expected_rolls(&entry));
        let decimal = DECIMAL.import(py, "decimal", "Decimal")?;
        expected.map(|expected| decimal.call1((expected.to_string(),))).transpose()
    }

    /// What an entry gives, guaranteed items first.
    fn items<'py>(&self, py: Python<'py>, entry: &str) -> PyResult<Bound<'py, PyAny>> {
        let items = self.0.items(&self.known(py, entry)?).unwrap_or_default();
        load_all(py, "Item", &items)
    }

    fn __len__(&self) -> usize {
        self.0.entries().len()
    }

    fn __repr__(&self) -> String {
        let pity = self.0.pity().map(|pity| format!(", pity='{}' at {}", pity.entry, pity.guaranteed_at));
        format!("Loot(entries={}{})", self.0.entries().len(), pity.unwrap_or_default())
    }

    /// For pickle.
    fn __getnewargs_ex__<'py>(&self, py: Python<'py>) -> PyResult<((Bound<'py, PyAny>,), Bound<'py, PyDict>)> {
        let keywords = PyDict::new(py);
        keywords.set_item("guaranteed", self.guaranteed(py)?)?;
        keywords.set_item("pity", self.pity(py)?)?;
        Ok(((self.entries(py)?,), keywords))
    }
}

impl Loot {
    fn known(&self, py: Python<'_>, entry: &str) -> PyResult<Id> {
        let id = Id::new(entry).or_raise(py)?;
        let known = self.0.entries().iter().any(|entry| entry.name == id);
        if known { Ok(id) } else { Err(argument(py, Code::InvalidArgument, "the table has no such entry")) }
    }
}

/// What to publish before the first roll with a seed: 64 hex digits.
#[pyfunction]
pub(crate) fn loot_seed_commitment(seed: Seed) -> String {
    seed_commitment(&seed.0).to_hex()
}

/// 32 bytes.
pub(crate) struct Seed(pub(crate) [u8; 32]);

impl<'py> FromPyObject<'_, 'py> for Seed {
    type Error = PyErr;

    fn extract(value: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let bytes = value.extract::<Bytes<'_>>()?;
        let seed = bytes.as_slice().try_into().map(Self);
        seed.map_err(|_| argument(value.py(), Code::InvalidArgument, "a seed has 32 bytes"))
    }
}

fn read_entry(entry: &Bound<'_, PyAny>) -> PyResult<Entry> {
    let member = |name| member(entry, name, "a LootEntry is meant");
    let name = read_id(&member("name")?)?;
    let Int(weight) = member("weight")?.extract::<Int<u64>>()?;
    Ok(Entry { name, weight, items: read_items(&member("items")?)? })
}

fn read_items(items: &Bound<'_, PyAny>) -> PyResult<Vec<Item>> {
    let read = |item: PyResult<Bound<'_, PyAny>>| {
        let item = item?;
        let member = |name| member(&item, name, "an Item is meant");
        let (kind, id) = (read_id(&member("kind")?)?, read_id(&member("id")?)?);
        let Int(amount) = member("amount")?.extract::<Int<u64>>()?;
        Item::new(kind, id, amount).or_raise(item.py())
    };
    // One more than allowed, for the core to refuse.
    items.try_iter()?.take(ITEMS_MAX + 1).map(read).collect()
}

fn read_pity(pity: &Bound<'_, PyAny>) -> PyResult<Pity> {
    let member = |name| member(pity, name, "a Pity is meant");
    let Int(guaranteed_at) = member("guaranteed_at")?.extract::<Int<u32>>()?;
    Ok(Pity { entry: read_id(&member("entry")?)?, guaranteed_at })
}

fn read_roll(roll: &Bound<'_, PyAny>) -> PyResult<Roll> {
    let member = |name| member(roll, name, "a Roll is meant");
    let Int(nonce) = member("nonce")?.extract::<Int<u64>>()?;
    let Int(misses_after) = member("misses_after")?.extract::<Int<u32>>()?;
    Ok(Roll { entry: read_id(&member("entry")?)?, nonce, misses_after })
}

fn read_id(text: &Bound<'_, PyAny>) -> PyResult<Id> {
    Id::new(text.extract()?).or_raise(text.py())
}

fn member<'py>(of: &Bound<'py, PyAny>, name: &str, advice: &'static str) -> PyResult<Bound<'py, PyAny>> {
    of.getattr(name).map_err(|_| PyTypeError::new_err(advice))
}
