//! The rules document.

use std::collections::BTreeMap;
use std::sync::Arc;

use liveops_core::error::Code;
use liveops_core::hash::{Digest, unhex};
use liveops_core::reward::{Loot as CoreLoot, Roll};
use liveops_core::rules::RulesError;
use liveops_core::{Id, Rules as Core};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedStr;
use pyo3::types::PyDict;

use crate::arguments::{Bytes, Int, Number, When, given, player};
use crate::calendar::Closings;
use crate::errors::{Fallible as _, argument};
use crate::loot::{Loot, Seed};
use crate::population::{Population, of_history};
use crate::progress::Progression;
use crate::results::{class, load_all, plain};
use crate::thresholds::{Thresholds, budget, refused, told};

/// The game's rules: read once from one JSON document, then shared freely.
#[pyclass(module = "liveops", frozen, eq)]
#[derive(Clone)]
pub(crate) struct Rules(pub(crate) Arc<Core>);

/// Rules are compared by their document without the door; nor is what was given beside it: seed, population, thresholds.
impl PartialEq for Rules {
    fn eq(&self, other: &Self) -> bool {
        self.0.hash() == other.0.hash()
    }
}

#[pymethods]
impl Rules {
    /// Reads a document from its text or UTF-8 bytes. `RulesError` names the path of what is wrong in it.
    #[staticmethod]
    fn from_json(py: Python<'_>, text: &Bound<'_, PyAny>) -> PyResult<Self> {
        let rules = match text.extract::<&str>() {
            Ok(text) => Core::from_json(text),
            Err(_) => Core::from_slice(text.extract::<Bytes<'_>>()?.as_slice()),
        };
        Ok(Self(Arc::new(rules.or_raise(py)?)))
    }

    /// Reads a document from a file. `OSError` if it cannot be read.
    #[staticmethod]
    fn from_file(py: Python<'_>, path: &Bound<'_, PyAny>) -> PyResult<Self> {
        // By Python itself: its OSError is of the right subclass and names the file.
        let text = py.import("pathlib")?.getattr("Path")?.call1((path,))?.call_method0("read_bytes")?;
        Self::from_json(py, &text)
    }

    /// The same rules with a secret seed for loot: 32 random bytes, kept by the game, and published when it wants its
    /// rolls verified. Without one, rolls follow from the game's name, and anyone can predict them.
    ///
    /// An engine keeps the seed when its rules are replaced by others without one. It is in no snapshot: whoever restores an
    /// engine gives rules that have it.
    fn with_loot_seed(&self, seed: Seed) -> Self {
        Self(Arc::new((*self.0).clone().with_loot_seed(seed.0)))
    }

    /// The same rules, their families of detectors anchored on what is usual in this game. No part of `hash`; an engine keeps
    /// it when its rules are replaced by others without.
    fn with_population(&self, py: Python<'_>, population: &Population) -> PyResult<Self> {
        let anchored = (*self.0).clone().with_population(population.0.clone());
        let advice = "the bosses of rules and population together are more than a family can keep apart";
        anchored.map(|rules| Self(Arc::new(rules))).map_err(|_| argument(py, Code::InvalidArgument, advice))
    }

    /// What names the population, 64 hex digits; None without one. Processes that are to judge alike have the same.
    #[getter]
    fn population_hash(&self) -> Option<String> {
        self.0.population_hash().map(Digest::to_hex)
    }

    /// Names all that decisions depend on: the document, what was set beside it, the population and the loot seed's commitment; 64 hex
    /// digits. Rules of one identity decide every command alike. It takes as long as hashing the document.
    #[getter]
    fn identity(&self) -> String {
        self.0.identity().to_hex()
    }

    /// The thresholds of a family of detectors, by the name of its rule.
    fn thresholds<'py>(&self, py: Python<'py>, family: &str) -> PyResult<Bound<'py, PyAny>> {
        let family = self.0.family(family).ok_or_else(|| no_family(py))?;
        told(py, family.thresholds())
    }

    /// The same rules but for the thresholds of a family.
    fn with_thresholds(&self, py: Python<'_>, family: &str, thresholds: Thresholds) -> PyResult<Self> {
        let changed = (*self.0).clone().with_thresholds(family, thresholds.0);
        changed.map(|rules| Self(Arc::new(rules))).map_err(|_| no_family(py))
    }

    /// Thresholds for as many false alerts of a family as somebody has time for, from lines of history: at once, or in
    /// pieces of whole lines, such as an open binary file gives. Events of a player come in their order, players in any.
    ///
    /// The budget is per player and day on which the player was there, per event, or the part of the players who are ever
    /// flagged within so many `events` of theirs, or as many as those of the history have. `ArgumentError` with fewer than 200 players. Other threads run meanwhile.
    #[pyo3(signature = (family, history, *, per_player_day=None, per_event=None, per_player=None, events=None))]
    #[expect(clippy::too_many_arguments, reason = "keywords, of which one is given")]
    fn calibrate<'py>(
        &self,
        py: Python<'py>,
        family: &str,
        history: &Bound<'py, PyAny>,
        per_player_day: Option<Number>,
        per_event: Option<Number>,
        per_player: Option<Number>,
        events: Option<Int<u32>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let budget = budget(per_player_day, per_event, per_player, events)?;
        let mut calibration = self.0.calibrate(family).ok_or_else(|| no_family(py))?;
        let count = of_history(history, |lines| py.detach(|| calibration.add_ndjson(lines)))?;
        let found = py.detach(|| calibration.thresholds(budget)).map_err(|_| refused(py))?;
        let parts = (told(py, &found)?, count.events, count.refused, calibration.left_out());
        class(py, "Calibration")?.call1(parts)
    }

    /// What in the document may be meant, or not, each with its path: what changes nothing, is never reached or fed, or can be
    /// foretold. The rules are in force all the same.
    fn warnings<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        load_all(py, "RulesWarning", &self.0.warnings())
    }

    /// What to publish before the first roll: the `loot_seed_commitment` of the seed, 64 hex digits. None without a seed: then
    /// anyone can foretell the rolls.
    #[getter]
    fn loot_commitment(&self) -> Option<String> {
        self.0.loot_commitment().map(Digest::to_hex)
    }

    /// The game's name.
    #[getter]
    fn game(&self) -> &str {
        self.0.game()
    }

    /// Hash over the document without the door, 64 hex digits: what a receipt says it was granted under.
    #[getter]
    fn hash(&self) -> String {
        self.0.hash().to_hex()
    }

    /// The boards' names, sorted.
    #[getter]
    fn boards(&self) -> Vec<&str> {
        self.0.boards().iter().map(|rule| rule.board.as_str()).collect()
    }

    /// The level curve.
    #[getter]
    fn levels(&self) -> crate::curve::LevelCurve {
        self.0.progression().levels.clone().into()
    }

    /// The level curve, what is done at its end, the cap for the day and the boosts.
    #[getter]
    fn progression(&self) -> Progression {
        Progression(self.0.progression().clone())
    }

    /// The loot tables, by name.
    #[getter]
    fn loot(&self) -> BTreeMap<&str, Loot> {
        self.0.loot().iter().map(|(name, table)| (name.as_str(), Loot(table.clone()))).collect()
    }

    /// When periods begin, close and are dropped.
    #[getter]
    fn calendar(&self) -> crate::calendar::Calendar {
        crate::calendar::Calendar(self.0.calendar().clone())
    }

    /// Periods that close in `after < t <= through`, once and in order, made as they are taken. Both are milliseconds or
    /// aware datetimes.
    fn closed_between(&self, after: When, through: When) -> Closings {
        Closings::new(self.0.calendar(), self.0.closed_between(after.0, through.0))
    }

    /// How these rules differ from `new`. `RulesError` with `board_incompatible` if a live board would lose its meaning.
    /// With a time whatever has not begun by then may change too.
    #[pyo3(signature = (new, *, now_ms=None, now=None))]
    fn diff<'py>(
        &self,
        py: Python<'py>,
        new: &Self,
        now_ms: Option<Int<i64>>,
        now: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let diff = match given(now_ms, now)? {
            Some(now) => self.0.diff_at(&new.0, now),
            None => self.0.diff(&new.0),
        };
        plain(py, &diff.or_raise(py)?)
    }

    /// The odds of every entry of a loot table: of one roll, and over many, pity taken into account.
    fn odds<'py>(&self, py: Python<'py>, table: &str) -> PyResult<Bound<'py, PyAny>> {
        load_all(py, "Odds", &self.table(py, table)?.1.odds())
    }

    /// Whether a revealed seed is the one committed to, and gives this very roll: `entry` for the `nonce`-th roll of a
    /// player after `misses` rolls in a row without the entry that pity is for.
    #[pyo3(signature = (table, *, seed, commitment, player_id, nonce, misses, entry))]
    #[expect(clippy::too_many_arguments, reason = "keywords, each a part of the proof")]
    fn verify_roll(
        &self,
        py: Python<'_>,
        table: &str,
        seed: Seed,
        commitment: &str,
        player_id: &str,
        nonce: Int<u64>,
        misses: Int<u32>,
        entry: &str,
    ) -> PyResult<bool> {
        let (table, loot) = self.table(py, table)?;
        let commitment = digest(py, commitment)?;
        let owner = player(py, player_id)?;
        let entry = Id::new(entry).or_raise(py)?;
        // What follows from the rest is not asked for.
        let misses_after = loot.roll(&seed.0, &table, &owner, nonce.0, misses.0).misses_after;
        let roll = Roll { entry, nonce: nonce.0, misses_after };
        Ok(loot.verify_roll(&seed.0, commitment, &table, &owner, misses.0, &roll))
    }

    fn __repr__(&self) -> String {
        format!("Rules(game='{}', hash='{}')", self.0.game(), self.0.hash())
    }

    fn __hash__(&self) -> u64 {
        self.0.hash().0.iter().take(8).fold(0, |hash, byte| hash << 8 | u64::from(*byte))
    }
}

impl Rules {
    fn table(&self, py: Python<'_>, name: &str) -> PyResult<(Id, &CoreLoot)> {
        let id = Id::new(name).or_raise(py)?;
        let loot = self.0.loot().get(&id);
        let loot = loot.ok_or_else(|| argument(py, Code::InvalidArgument, "the rules have no such loot table"))?;
        Ok((id, loot))
    }
}

fn no_family(py: Python<'_>) -> PyErr {
    argument(py, Code::InvalidArgument, "the rules have no family of this name")
}

/// The rules with nothing but a part, given as a dict, under its place. Errors have their path within the part.
pub(crate) fn part(part: &Bound<'_, PyDict>, place: &[&str]) -> PyResult<Core> {
    let py = part.py();
    let nested = place.iter().rev().try_fold(part.clone(), |inner, name| {
        let outer = PyDict::new(py);
        outer.set_item(name, inner).map(|()| outer)
    })?;
    nested.set_item("version", 1)?;
    nested.set_item("game", "part")?;
    let text = py.import("json")?.call_method1("dumps", (nested,))?.extract::<PyBackedStr>()?;
    let prefix: String = place.iter().flat_map(|name| ["/", name]).collect();
    let within = |error: RulesError| {
        let path = error.path.strip_prefix(&prefix).unwrap_or(&error.path).to_owned();
        RulesError { path, ..error }
    };
    Core::from_json(&text).map_err(within).or_raise(py)
}

pub(crate) fn digest(py: Python<'_>, hex: &str) -> PyResult<Digest> {
    let bytes = unhex(hex).and_then(|bytes| bytes.try_into().ok());
    bytes.map(Digest).ok_or_else(|| argument(py, Code::InvalidFormat, "a hash is 64 hex digits"))
}
