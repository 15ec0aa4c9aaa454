//! From one level curve to another: told before it is done.

use liveops_core::progress::{self, Levels, PlayerXp};
use pyo3::exceptions::PyTypeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyMapping, PyTuple};

use crate::arguments::Int;
use crate::choices;
use crate::curve::LevelCurve;
use crate::results::{load, plain};

/// How many players are read before the interpreter is asked whether to stop.
const SIGNALS_EVERY: usize = 1 << 16;

/// What players keep when the level curve changes: `keepTotalXp`; `keepLevelAndFraction`, the level and the share of the way
/// to the next; or `keepEffort`, the share of the whole way to the highest. Shares are rounded down.
///
/// `never_lose_a_level` lifts whoever would fall to the start of their old level. With `skip_rewards` the levels that the change
/// itself brings count as rewarded: nothing is minted for them, now or later.
///
/// >>> old, new = LevelCurve.table([100, 100]), LevelCurve.table([100, 300, 500])
/// >>> MigrationPolicy("keepLevelAndFraction").apply(old, new, 150).xp
/// 250
/// >>> MigrationPolicy("keepEffort").apply(old, new, 150).xp
/// 675
#[pyclass(module = "liveops", frozen, eq, hash)]
#[derive(PartialEq, Hash)]
pub(crate) struct MigrationPolicy(progress::MigrationPolicy);

#[pymethods]
impl MigrationPolicy {
    #[new]
    #[pyo3(signature = (keep, *, never_lose_a_level=false, skip_rewards=false))]
    fn new(py: Python<'_>, keep: &str, never_lose_a_level: bool, skip_rewards: bool) -> PyResult<Self> {
        Ok(Self(progress::MigrationPolicy { keep: choices::to_keep(py, keep)?, never_lose_a_level, skip_rewards }))
    }

    /// What stays the same.
    #[getter]
    fn keep(&self) -> &'static str {
        choices::keep(self.0.keep)
    }

    /// Nobody has a lower level than before, as far as the new curve has it.
    #[getter]
    fn never_lose_a_level(&self) -> bool {
        self.0.never_lose_a_level
    }

    /// Nothing is minted for levels that the change brings.
    #[getter]
    fn skip_rewards(&self) -> bool {
        self.0.skip_rewards
    }

    /// A player after the change, as `PlayerXp`. Levels beyond its `granted_through` are yet to be rewarded; that never goes
    /// down. Without a `granted_through` all levels of before were rewarded.
    #[pyo3(signature = (old, new, xp, *, granted_through=None))]
    fn apply<'py>(
        &self,
        py: Python<'py>,
        old: &LevelCurve,
        new: &LevelCurve,
        xp: Int<u64>,
        granted_through: Option<Int<u32>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (old, new) = (old.levels(py)?, new.levels(py)?);
        let player = PlayerXp::at(xp.0, old);
        let player = granted_through.map_or(player, |Int(granted_through)| PlayerXp { granted_through, ..player });
        load(py, "PlayerXp", &self.0.apply(old, new, player))
    }

    /// As JSON writes it, with camelCase keys.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        plain(py, &self.0)
    }

    fn __repr__(&self) -> String {
        let [never, skip] =
            [self.0.never_lose_a_level, self.0.skip_rewards].map(|on| if on { "True" } else { "False" });
        format!("MigrationPolicy('{}', never_lose_a_level={never}, skip_rewards={skip})", self.keep())
    }

    /// For pickle.
    fn __getnewargs_ex__<'py>(&self, py: Python<'py>) -> PyResult<((&'static str,), Bound<'py, PyDict>)> {
        let keywords = PyDict::new(py);
        keywords.set_item("never_lose_a_level", self.0.never_lose_a_level)?;
        keywords.set_item("skip_rewards", self.0.skip_rewards)?;
        Ok(((self.keep(),), keywords))
    }
}

/// Says what a change of curves would do, before anybody is changed: how many players rise, fall and stay, and which levels
/// would be rewarded.
///
/// `players` are XP totals, one by one; or pairs of a total and how many players have it; or a mapping of the one to the other,
/// such as a `Counter`. In place of a total there may be a `PlayerXp`, for players whose levels were not all rewarded.
///
/// >>> old, cheaper = LevelCurve.table([100, 100]), LevelCurve.table([50, 50, 50])
/// >>> plan = plan_migration(old, cheaper, MigrationPolicy("keepTotalXp"), {0: 10, 120: 5, 200: 1})
/// >>> plan.rise, plan.fall, plan.stay, [(minted.level, minted.players) for minted in plan.minted]
/// (6, 0, 10, [(3, 5), (4, 1)])
#[pyfunction]
pub(crate) fn plan_migration<'py>(
    py: Python<'py>,
    old: &LevelCurve,
    new: &LevelCurve,
    policy: &MigrationPolicy,
    players: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    let (old, new) = (old.levels(py)?, new.levels(py)?);
    // A mapping only if it says so: the `items()` of a column of totals gives rows, not counts.
    let is_mapping = players.cast::<PyMapping>().is_ok();
    let players = if is_mapping { players.call_method0(intern!(py, "items"))? } else { players.clone() };
    // One by one: there may be more of them than anybody wants in memory twice.
    let mut failed = None;
    let read = players.try_iter()?.enumerate().map_while(|(nth, player)| {
        // A list of any length may be stopped with Ctrl-C.
        let stopped = if nth % SIGNALS_EVERY == 0 { py.check_signals() } else { Ok(()) };
        match stopped.and(player).and_then(|player| read_players(&player, old)) {
            Ok(read) => Some(read),
            Err(error) => {
                failed = Some(error);
                None
            }
        }
    });
    let plan = progress::plan_migration(old, new, policy.0, read);
    failed.map_or_else(|| load(py, "MigrationPlan", &plan), Err)
}

/// One player, or a pair of one and how many are alike.
fn read_players(player: &Bound<'_, PyAny>, old: &Levels) -> PyResult<(PlayerXp, u64)> {
    let Ok(pair) = player.cast::<PyTuple>() else { return Ok((read_player(player, old)?, 1)) };
    if pair.len() != 2 {
        return Err(PyTypeError::new_err("a pair is a total and how many players have it"));
    }
    let Int(count) = pair.get_item(1)?.extract::<Int<u64>>()?;
    Ok((read_player(&pair.get_item(0)?, old)?, count))
}

/// A total, or what has one and says through which level rewards were granted.
fn read_player(player: &Bound<'_, PyAny>, old: &Levels) -> PyResult<PlayerXp> {
    let py = player.py();
    let Ok(xp) = player.getattr(intern!(py, "xp")) else {
        return player.extract::<Int<u64>>().map(|Int(xp)| PlayerXp::at(xp, old));
    };
    let Int(xp) = xp.extract::<Int<u64>>()?;
    let Int(granted_through) = player.getattr(intern!(py, "granted_through"))?.extract::<Int<u32>>()?;
    Ok(PlayerXp { xp, granted_through })
}
