//! Rules and a store in memory.

use std::sync::Arc;

use liveops_core::limits::LIST_LEN_MAX;
use liveops_core::record::ChangeSet;
use liveops_core::store::{Consumer, FeedEntry, Happened};
use liveops_core::{Command as CoreCommand, Engine as Core, Error, MemoryStore};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use serde_json::json;

use crate::archive::{Archive, Names};
use crate::arguments::{Bytes, Int, One, When, each, given, instant, player};
use crate::board::Board;
use crate::calendar::Closings;
use crate::command::Command;
use crate::errors::Fallible as _;
use crate::outcome::{Outcome, Outcomes};
use crate::payout::Payout;
use crate::process::Owned;
use crate::results::{load, load_all, plain};
use crate::rules::Rules;

/// What boards read of too.
pub(crate) type Shared = Owned<Core<MemoryStore>>;

/// Rules and a store in memory; see `liveops.Engine`, which adds what is asynchronous.
#[pyclass(module = "liveops._native", frozen, subclass)]
pub(crate) struct Engine(Arc<Shared>);

#[pymethods]
impl Engine {
    #[new]
    #[pyo3(signature = (rules, *, feed=Int(0), snapshot=None, at=None))]
    fn new(
        py: Python<'_>,
        rules: &Rules,
        feed: Int<usize>,
        snapshot: Option<Bytes<'_>>,
        at: Option<When>,
    ) -> PyResult<Self> {
        let store = if feed.0 == 0 { MemoryStore::new() } else { MemoryStore::with_feed(feed.0) };
        let store = match (&snapshot, at) {
            (Some(bytes), None) => store.restored(bytes.as_slice()),
            (Some(bytes), Some(When(now))) => store.restored_at(bytes.as_slice(), &rules.0, now),
            (None, None) => Ok(store),
            (None, Some(_)) => return Err(PyTypeError::new_err("at goes with a snapshot")),
        };
        let store = store.map_err(Error::from).or_raise(py)?;
        let core = Core::open(Arc::clone(&rules.0), store).or_raise(py)?;
        Ok(Self(Arc::new(Owned::new(core))))
    }

    /// The rules in force.
    #[getter]
    fn rules(&self, py: Python<'_>) -> PyResult<Rules> {
        Ok(Rules(self.get(py)?.rules()))
    }

    /// Takes one command. Never raises for a refusal: `Outcome.unwrap` does.
    fn submit(&self, py: Python<'_>, command: &Command) -> PyResult<Outcome> {
        Ok(self.get(py)?.submit(&command.0).into())
    }

    /// Takes a batch; one outcome per command, in order. Other threads of Python run meanwhile.
    fn submit_batch(&self, py: Python<'_>, commands: &Bound<'_, PyAny>) -> PyResult<Outcomes> {
        let engine = self.get(py)?;
        let held = each(commands, LIST_LEN_MAX, |command| Ok(command.cast_into::<Command>()?.unbind()))?;
        let commands: Vec<&CoreCommand> = held.iter().map(|command| &command.get().0).collect();
        Ok(py.detach(|| Outcomes::new(engine.submit_batch(&commands))))
    }

    /// Takes lines of JSON, one event each, from a source that the caller trusts: no signature is asked for. One
    /// outcome per line, in order. Other threads of Python run meanwhile.
    #[pyo3(signature = (trusted, *, now_ms=None, now=None))]
    fn submit_ndjson(
        &self,
        py: Python<'_>,
        trusted: Bytes<'_>,
        now_ms: Option<Int<i64>>,
        now: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Outcomes> {
        let (engine, now) = (self.get(py)?, instant(py, now_ms, now)?);
        let bytes = trusted.as_slice();
        Ok(py.detach(|| Outcomes::new(engine.submit_ndjson(bytes, now))))
    }

    /// One player; None for one who never did anything or was erased.
    fn player<'py>(&self, py: Python<'py>, player_id: &str) -> PyResult<Option<Bound<'py, PyAny>>> {
        let view = self.get(py)?.player(&player(py, player_id)?).or_raise(py)?;
        view.map(|view| load(py, "Player", &view)).transpose()
    }

    /// Every player, by id. Walks the whole store.
    fn players<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let engine = self.get(py)?;
        load_all(py, "Player", &py.detach(|| engine.players()).or_raise(py)?)
    }

    /// A player's kept receipts, oldest first.
    fn receipts<'py>(&self, py: Python<'py>, player_id: &str) -> PyResult<Bound<'py, PyAny>> {
        load_all(py, "Receipt", &self.get(py)?.receipts(&player(py, player_id)?).or_raise(py)?)
    }

    /// A player's receipts that can be claimed now, oldest first. Each is kept for its time, also when others of its age are
    /// trimmed and `receipts` no longer has it; of more than 256 that wait the oldest is
    /// given as if it were claimed.
    #[pyo3(signature = (player_id, *, now_ms=None, now=None))]
    fn claimable<'py>(
        &self,
        py: Python<'py>,
        player_id: &str,
        now_ms: Option<Int<i64>>,
        now: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (engine, now) = (self.get(py)?, instant(py, now_ms, now)?);
        load_all(py, "Receipt", &engine.claimable(&player(py, player_id)?, now).or_raise(py)?)
    }

    /// What waits to be settled, a line of JSON each, with each verdict in a sentence: to be written to a file. Walks the
    /// whole store.
    fn suspicions_ndjson(&self, py: Python<'_>) -> PyResult<String> {
        let engine = self.get(py)?;
        py.detach(|| engine.suspicions_ndjson()).or_raise(py)
    }

    /// A player's kept suspicions, oldest first; of all players, by player, if none is named: that walks the whole
    /// store. Up to 256 of a player are kept: settled ones make room first, then flags. Events that are held wait for their
    /// review however long it takes; with 256 of them a further one is refused as `holds_full`.
    #[pyo3(signature = (player_id=None))]
    fn suspicions<'py>(&self, py: Python<'py>, player_id: Option<&str>) -> PyResult<Bound<'py, PyAny>> {
        let engine = self.get(py)?;
        let found = match player_id {
            Some(id) => {
                let id = player(py, id)?;
                let of_one = engine.suspicions_of(&id).or_raise(py)?.into_iter();
                of_one.map(|(number, suspicion)| (id.clone(), number, suspicion)).collect()
            }
            None => py.detach(|| engine.suspicions()).or_raise(py)?,
        };
        let json = |(player, number, suspicion)| {
            let mut json = json!(suspicion);
            json["playerId"] = json!(player);
            json["number"] = json!(number);
            json
        };
        load_all(py, "Suspicion", &found.into_iter().map(json).collect::<Vec<_>>())
    }

    /// The hash of the newest link of a player's receipt chain: what `verify_chain` compares with.
    fn chain_head(&self, py: Python<'_>, player_id: &str) -> PyResult<String> {
        let record = self.get(py)?.record(&player(py, player_id)?).or_raise(py)?;
        Ok(record.map(|record| record.chain_head).unwrap_or_default().to_hex())
    }

    /// A board, for reading. `NotFoundError` if the rules know none of that name.
    fn board(&self, py: Python<'_>, name: &str) -> PyResult<Board> {
        self.get(py)?.board(name).or_raise(py)?;
        Ok(Board::new(Arc::clone(&self.0), name))
    }

    /// Moves the horizon to now, never back: forgets outcomes that no acceptable command can ask for any more, and frees
    /// boards whose period is dropped. To be called now and then: every minute, say.
    ///
    /// A time far ahead cannot be taken back, so `ArgumentError` for one more than 31 days past the horizon (`clock_jump`), and for one
    /// that looks like seconds, microseconds or nanoseconds by the horizon or the newest event (`clock_unit`): unless `far=True`
    /// says that it is meant. The first advance may be to anywhere. `Engine.restore` with `at=` is the way back.
    #[pyo3(signature = (*, now_ms=None, now=None, far=false))]
    fn advance<'py>(
        &self,
        py: Python<'py>,
        now_ms: Option<Int<i64>>,
        now: Option<&Bound<'py, PyAny>>,
        far: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (engine, now) = (self.get(py)?, instant(py, now_ms, now)?);
        let horizon = py.detach(|| if far { engine.advance_far(now) } else { engine.advance(now) });
        load(py, "Horizon", &horizon.or_raise(py)?)
    }

    /// Periods that close in `after < t <= through`, once and in order, made as they are taken. Both are milliseconds or aware
    /// datetimes.
    fn closed_between(&self, py: Python<'_>, after: When, through: When) -> PyResult<Closings> {
        let rules = self.get(py)?.rules();
        Ok(Closings::new(rules.calendar(), rules.closed_between(after.0, through.0)))
    }

    /// Names the whole state: `v1:` and 64 hex digits. Holds writers up.
    fn digest(&self, py: Python<'_>) -> PyResult<String> {
        let engine = self.get(py)?;
        Ok(py.detach(|| engine.store().digest()))
    }

    /// The whole state as bytes that depend on nothing else, for `Engine.restore`. Holds writers up.
    fn snapshot<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let engine = self.get(py)?;
        Ok(PyBytes::new(py, &py.detach(|| engine.store().snapshot())))
    }

    /// The next committed change sets after a cursor (0 is the start), at most `limit`. Nothing unless the engine was
    /// made with `feed=` and a number of entries.
    #[pyo3(signature = (after=Int(0), limit=Int(100)))]
    fn feed<'py>(&self, py: Python<'py>, after: Int<u64>, limit: Int<usize>) -> PyResult<Bound<'py, PyAny>> {
        let entries = self.get(py)?.feed(0, after.0, limit.0).or_raise(py)?;
        load_all(py, "FeedEntry", &entries.iter().filter_map(feed_entry).collect::<Vec<_>>())
    }

    /// Everything up to the cursor was dealt with and may go.
    fn ack(&self, py: Python<'_>, cursor: Int<u64>) -> PyResult<()> {
        let consumer = Consumer::new("default").or_raise(py)?;
        self.get(py)?.ack(&consumer, 0, cursor.0).or_raise(py)
    }

    /// Puts new rules in force and says how they differ: paths `added`, `removed` and `changed`, and `levelCurve` if that
    /// changes: `plan_migration` tells what it does before doing it. An Intake is told by its own `replace`. `RulesError`
    /// with `board_incompatible` if a live board would lose its meaning.
    ///
    /// The secret seed for loot stays, unless the new rules have one of their own.
    ///
    /// With a time whatever has not begun by then may change too: a season to come, say. Without one the clock is not read.
    #[pyo3(signature = (rules, *, now_ms=None, now=None))]
    fn replace_rules<'py>(
        &self,
        py: Python<'py>,
        rules: &Rules,
        now_ms: Option<Int<i64>>,
        now: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (engine, new) = (self.get(py)?, (*rules.0).clone());
        let diff = match given(now_ms, now)? {
            Some(now) => engine.replace_rules_at(new, now),
            None => engine.replace_rules(new),
        };
        plain(py, &diff.or_raise(py)?)
    }

    /// What new rules would make of the players of now, before they are in force: how many levels rise, fall and stay, and
    /// which rewards would be minted. Players of `unknown` are those that the new rules would refuse. Walks the whole store.
    fn plan_migration<'py>(&self, py: Python<'py>, new_rules: &Rules) -> PyResult<Bound<'py, PyAny>> {
        let engine = self.get(py)?;
        load(py, "MigrationForecast", &py.detach(|| engine.plan_migration(&new_rules.0)).or_raise(py)?)
    }

    /// One command for each player who is still on another level curve than the one in force. Submit them in batches of
    /// any size, and make them again after any trouble: each player is migrated once. Walks the whole store.
    #[pyo3(signature = (*, now_ms=None, now=None))]
    fn migrations(
        &self,
        py: Python<'_>,
        now_ms: Option<Int<i64>>,
        now: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Vec<Command>> {
        let (engine, now) = (self.get(py)?, instant(py, now_ms, now)?);
        let commands = py.detach(|| engine.migrations(now)).or_raise(py)?;
        Ok(commands.into_iter().map(Command).collect())
    }

    /// Why a player has this XP, this level and these rewards, line by line; None for one who never did anything or was
    /// erased. The time says what of caps, streaks and claims still holds.
    #[pyo3(signature = (player_id, *, now_ms=None, now=None))]
    fn explain<'py>(
        &self,
        py: Python<'py>,
        player_id: &str,
        now_ms: Option<Int<i64>>,
        now: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let (engine, now) = (self.get(py)?, instant(py, now_ms, now)?);
        let why = engine.explain(&player(py, player_id)?, now).or_raise(py)?;
        why.map(|why| load(py, "Explanation", &why)).transpose()
    }

    /// Who gets what for a finished period of a board, and the commands that give it. Submit `Payout.commands()`, and repeat
    /// both after any trouble: each player is paid once. Walks the whole store for `Payout.holds`.
    ///
    /// `NotFoundError`: `unknown_board`; `unknown_window` for a window that the board does not have; `period_dropped` for a period
    /// that is no longer kept (see `payout_archived`); `unknown_payout` where the rules pay nothing. `ArgumentError` with `period_open`
    /// until the engine was advanced past the period's closing.
    #[pyo3(signature = (board, period, *, now_ms=None, now=None))]
    fn payout(
        &self,
        py: Python<'_>,
        board: &str,
        period: One,
        now_ms: Option<Int<i64>>,
        now: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Payout> {
        let (engine, now) = (self.get(py)?, instant(py, now_ms, now)?);
        py.detach(|| engine.payout(board, period.0, now)).or_raise(py).map(Payout)
    }

    /// The same from an archive, under the tiers of now: for a period that the engine no longer keeps. Whoever is hidden,
    /// forgotten or erased gets nothing, and nobody moves up into their ranks.
    #[pyo3(signature = (archive, names, *, now_ms=None, now=None))]
    fn payout_archived(
        &self,
        py: Python<'_>,
        archive: &Archive,
        names: &Names,
        now_ms: Option<Int<i64>>,
        now: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Payout> {
        let (engine, now) = (self.get(py)?, instant(py, now_ms, now)?);
        let names = names.0.lock().clone();
        py.detach(|| engine.payout_archived(&archive.0, &names, now)).or_raise(py).map(Payout)
    }

    /// Pays every board that pays and closed since `mark`, and says the next mark; without one it begins with the oldest period that
    /// is kept. Each player is paid once, so run it again after any trouble. What could not be paid for now keeps the mark before it;
    /// what is no longer kept is in `PayRun.dropped`. A `now` of a day ago leaves a day for reviews. Walks the whole store once for
    /// the holds.
    #[pyo3(signature = (mark=None, *, now_ms=None, now=None))]
    fn pay_closed<'py>(
        &self,
        py: Python<'py>,
        mark: Option<When>,
        now_ms: Option<Int<i64>>,
        now: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (engine, now) = (self.get(py)?, instant(py, now_ms, now)?);
        load(py, "PayRun", &py.detach(|| engine.pay_closed(mark.map(|mark| mark.0), now)).or_raise(py)?)
    }

    /// Everything stored about one player: what a request for a copy of personal data asks for. Its receipts are also those that
    /// wait beyond the trimmed ones, see `claimable`: `verify_chain` is for `receipts`, which has no such gaps.
    fn export_player<'py>(&self, py: Python<'py>, player_id: &str) -> PyResult<Bound<'py, PyAny>> {
        plain(py, &self.get(py)?.export_player(&player(py, player_id)?).or_raise(py)?)
    }

    /// Counts since the engine was made, by stable names: `commands`, `applied`, `held`, `replayed`, `unknown`,
    /// `refused`, and `refused.<code>`; what never came up is not there.
    fn stats<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        plain(py, &self.get(py)?.stats())
    }

    /// How much the store holds: players, outcomes, receipts, suspicions, boards, feed.
    fn size<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let engine = self.get(py)?;
        plain(py, &py.detach(|| engine.store().size()))
    }
}

impl Engine {
    fn get(&self, py: Python<'_>) -> PyResult<&Core<MemoryStore>> {
        self.0.get(py)
    }
}

fn feed_entry(entry: &FeedEntry) -> Option<serde_json::Value> {
    let Happened::Committed(changes) = &entry.what else { return None };
    Some(committed(entry.cursor, changes))
}

fn committed(cursor: u64, changes: &ChangeSet) -> serde_json::Value {
    let outcomes = changes.outcomes.iter().map(|(id, outcome)| {
        let mut json = json!(outcome);
        json["id"] = json!(id);
        json
    });
    let suspicions = changes.suspicions.iter().map(|(number, suspicion)| {
        let mut json = json!(suspicion);
        json["playerId"] = json!(changes.player);
        json["number"] = json!(number);
        json
    });
    json!({
        "cursor": cursor,
        "playerId": changes.player,
        "version": changes.record.version,
        "forget": changes.forget,
        "xp": changes.record.xp,
        "outcomes": outcomes.collect::<Vec<_>>(),
        "receipts": changes.receipts,
        "suspicions": suspicions.collect::<Vec<_>>(),
    })
}
