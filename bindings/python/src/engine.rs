//! Rules and a store.

use std::num::NonZeroUsize;
use std::sync::Arc;

use liveops_bindings::{Collector, Core, FeedCursor, Opening, Shared, Start, Work, check_partition};
use liveops_core::engine::{ScanCursor, ScanPage};
use liveops_core::error::Code;
use liveops_core::limits::{INGEST_THREADS_MAX, LIST_LEN_MAX};
use liveops_core::record::Suspicion;
use liveops_core::{Command as CoreCommand, Error, Id, PlayerId};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyTuple};
use serde_json::json;

use crate::archive::{Archive, Names};
use crate::arguments::{Bytes, Int, One, When, clock, each, given, instant, player};
use crate::board::Board;
use crate::calendar::Closings;
use crate::command::Command;
use crate::errors::{Fallible as _, argument, raise_as};
use crate::feed;
use crate::outcome::{Outcome, Outcomes};
use crate::payout::Payout;
use crate::results::{class, load, load_all, plain};
use crate::rules::Rules;
use crate::store::{Begun, Given, MemoryStore};
use crate::waiting::{Waiter, deliver, settle};

/// What a constructor says of a store over a network.
const FAR: &str = "a store over a network is waited for: Engine.open(rules, store=...) does, and `await Engine.open_async(rules, store=...)`";

/// Rules and a store; see `liveops.Engine`, which adds what is asynchronous, and walks.
#[pyclass(module = "liveops._native", frozen, subclass)]
pub(crate) struct Engine {
    shared: Arc<Shared>,
    collector: Collector<Waiter>,
    store: Py<PyAny>,
    /// Whether calls may wait for a disk or a network.
    blocks: bool,
}

#[pymethods]
impl Engine {
    #[new]
    #[pyo3(
        signature = (rules, *, store=None, feed=Int(0), snapshot=None, at=None, recording=false, _waits=false),
        text_signature = "(rules, *, store=None, feed=0, snapshot=None, at=None, recording=False, _waits=False)"
    )]
    #[expect(
        clippy::too_many_arguments,
        clippy::used_underscore_binding,
        reason = "Python gives each by its name, and one is not for users"
    )]
    fn new(
        py: Python<'_>,
        rules: &Rules,
        store: Option<Given>,
        feed: Int<usize>,
        snapshot: Option<Bytes<'_>>,
        at: Option<When>,
        recording: bool,
        _waits: bool,
    ) -> PyResult<Self> {
        let begun = Begun::of(snapshot, at)?;
        if feed.0 > 0 && store.is_some() {
            return Err(PyTypeError::new_err("the store says how long its feed is"));
        }
        let given = match store {
            Some(given) => given,
            None => Given::Memory(Py::new(py, MemoryStore { feed: feed.0, begun: None })?),
        };
        let (choice, of_store) = given.choice();
        if choice.is_far() && !_waits {
            return Err(raise_as(py, Code::WouldBlock, FAR));
        }
        let start = match (&begun, of_store) {
            (Some(_), Some(_)) => return Err(PyTypeError::new_err("give one snapshot, not two")),
            (one, other) => one.as_ref().or(other),
        };
        let start = start.map(|begun| Start { snapshot: &begun.snapshot, at: begun.at });
        let blocks = choice.blocks();
        let (rules, clock) = (Arc::clone(&rules.0), clock(py)?);
        let opening = Opening { rules, store: choice, start, recording, clock };
        let shared = Arc::new(py.detach(|| opening.open()).or_raise(py)?);
        let store = given.opened_by(&shared);
        Ok(Self { collector: Collector::new(Arc::clone(&shared), deliver), shared, store, blocks })
    }

    /// The rules in force.
    #[getter]
    fn rules(&self, py: Python<'_>) -> PyResult<Rules> {
        self.shared.with(|core| Rules(core.rules())).or_raise(py)
    }

    /// What was given as `store`; a `MemoryStore` if nothing was.
    #[getter]
    fn store(&self, py: Python<'_>) -> Py<PyAny> {
        self.store.clone_ref(py)
    }

    /// In how many parts the store keeps its feed, each with cursors of its own: numbered from 0.
    #[getter]
    fn partitions(&self, py: Python<'_>) -> PyResult<u16> {
        self.shared.with(Core::partitions).or_raise(py)
    }

    /// Takes one command. Never raises for a refusal: `Outcome.unwrap` does.
    fn submit(&self, py: Python<'_>, command: &Command) -> PyResult<Outcome> {
        let command = &command.0;
        self.short(py, |core| Ok(core.submit(command).into()))
    }

    /// Takes a batch; one outcome per command, in order. Other threads of Python run meanwhile.
    fn submit_batch(&self, py: Python<'_>, commands: &Bound<'_, PyAny>) -> PyResult<Outcomes> {
        let held = each(commands, LIST_LEN_MAX, |command| Ok(command.cast_into::<Command>()?.unbind()))?;
        let commands: Vec<&CoreCommand> = held.iter().map(|command| &command.get().0).collect();
        self.long(py, |core| Ok(core.ingest(&commands, NonZeroUsize::MIN).into()))
    }

    /// Takes lines of JSON, one event each, from a source that the caller trusts: no signature is asked for. One
    /// outcome per line, in order. Other threads of Python run meanwhile.
    ///
    /// With `threads`, 1 to 64, so many decide them side by side, all lines of a player on one of them and in their order, and have
    /// ended when this returns: the outcomes and the state are the same.
    #[pyo3(
        signature = (trusted, *, now_ms=None, now=None, threads=Int(1)),
        text_signature = "($self, trusted, *, now_ms=None, now=None, threads=1)"
    )]
    fn submit_ndjson(
        &self,
        py: Python<'_>,
        trusted: Bytes<'_>,
        now_ms: Option<Int<i64>>,
        now: Option<&Bound<'_, PyAny>>,
        threads: Int<usize>,
    ) -> PyResult<Outcomes> {
        let (now, threads) = (instant(py, now_ms, now)?, of_threads(py, threads)?);
        let bytes = trusted.as_slice();
        self.long(py, |core| Ok(core.ingest_ndjson(bytes, now, threads).into()))
    }

    /// Whether a single command may be decided here and now: nothing is waited for, and nothing that was handed over is still under way.
    #[getter]
    fn _decides_now(&self) -> bool {
        !self.blocks && self.collector.is_idle()
    }

    /// Before the interpreter ends: the thread that tells event loops must not come to it then.
    fn _finish(&self, py: Python<'_>) {
        py.detach(|| self.collector.close());
    }

    /// Submits one command with whatever else waits, and sets the future's result then.
    fn _submit_soon(&self, py: Python<'_>, future: Py<PyAny>, command: &Command) -> PyResult<()> {
        self.soon(py, Waiter { future, one: true }, Work::Commands(vec![command.0.clone()]))
    }

    /// The same for a batch.
    fn _submit_batch_soon(&self, py: Python<'_>, future: Py<PyAny>, commands: &Bound<'_, PyAny>) -> PyResult<()> {
        let commands = each(commands, LIST_LEN_MAX, |command| Ok(command.cast_into::<Command>()?.get().0.clone()))?;
        self.soon(py, Waiter { future, one: false }, Work::Commands(commands))
    }

    /// The same for lines, a piece at a time.
    #[pyo3(
        signature = (future, trusted, *, now_ms=None, now=None, threads=Int(1)),
        text_signature = "($self, future, trusted, *, now_ms=None, now=None, threads=1)"
    )]
    fn _submit_ndjson_soon(
        &self,
        py: Python<'_>,
        future: Py<PyAny>,
        trusted: Bytes<'_>,
        now_ms: Option<Int<i64>>,
        now: Option<&Bound<'_, PyAny>>,
        threads: Int<usize>,
    ) -> PyResult<()> {
        let (now, threads) = (instant(py, now_ms, now)?, of_threads(py, threads)?);
        let work = Work::Lines { lines: trusted.as_slice().to_vec(), now, threads };
        self.soon(py, Waiter { future, one: false }, work)
    }

    /// One player; None for one who never did anything or was erased.
    fn player<'py>(&self, py: Python<'py>, player_id: &str) -> PyResult<Option<Bound<'py, PyAny>>> {
        let id = player(py, player_id)?;
        let view = self.short(py, |core| core.player(&id))?;
        view.map(|view| load(py, "Player", &view)).transpose()
    }

    /// The next players behind a page's end, in the store's order; the first ones without. A page looks at no more than `limit` records,
    /// 1 to 100,000, and may have fewer players; the last has no `next`.
    #[pyo3(signature = (cursor=None, limit=Int(1000)), text_signature = "($self, cursor=None, limit=1000)")]
    fn players_page<'py>(
        &self,
        py: Python<'py>,
        cursor: Option<&str>,
        limit: Int<usize>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let after = scan_cursor(py, cursor)?;
        let page = self.long(py, |core| core.players_page(after.as_ref(), limit.0))?;
        listing(py, load_all(py, "Player", &page.items)?, page.next)
    }

    /// A player's kept receipts, oldest first, all of them at once; see `receipts_page`.
    fn receipts<'py>(&self, py: Python<'py>, player_id: &str) -> PyResult<Bound<'py, PyAny>> {
        let id = player(py, player_id)?;
        load_all(py, "Receipt", &self.short(py, |core| core.receipts(&id))?)
    }

    /// The next of a player's kept receipts, oldest first; see `players_page`.
    #[pyo3(
        signature = (player_id, cursor=None, limit=Int(1000)),
        text_signature = "($self, player_id, cursor=None, limit=1000)"
    )]
    fn receipts_page<'py>(
        &self,
        py: Python<'py>,
        player_id: &str,
        cursor: Option<&str>,
        limit: Int<usize>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (id, after) = (player(py, player_id)?, scan_cursor(py, cursor)?);
        let page = self.short(py, |core| core.receipts_page(&id, after.as_ref(), limit.0))?;
        listing(py, load_all(py, "Receipt", &page.items)?, page.next)
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
        let (id, now) = (player(py, player_id)?, instant(py, now_ms, now)?);
        load_all(py, "Receipt", &self.short(py, |core| core.claimable(&id, now))?)
    }

    /// What waits to be settled, a line of JSON each, with each verdict in a sentence: to be written to a file. All of it at once; see
    /// `suspicions_ndjson_page`.
    fn suspicions_ndjson(&self, py: Python<'_>) -> PyResult<String> {
        self.long(py, Core::suspicions_ndjson)
    }

    /// The same a page at a time: lines that end in a line feed; see `players_page`.
    #[pyo3(signature = (cursor=None, limit=Int(1000)), text_signature = "($self, cursor=None, limit=1000)")]
    fn suspicions_ndjson_page<'py>(
        &self,
        py: Python<'py>,
        cursor: Option<&str>,
        limit: Int<usize>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let after = scan_cursor(py, cursor)?;
        let ScanPage { items, next } = self.long(py, |core| core.suspicions_ndjson_page(after.as_ref(), limit.0))?;
        listing(py, PyTuple::new(py, items)?.into_any(), next)
    }

    /// One player's suspicions.
    fn _suspicions_of<'py>(&self, py: Python<'py>, player_id: &str) -> PyResult<Bound<'py, PyAny>> {
        let id = player(py, player_id)?;
        let found = self.short(py, |core| core.suspicions_of(&id))?;
        let each = found.into_iter().map(|(number, suspicion)| suspicion_json(&(id.clone(), number, suspicion)));
        load_all(py, "Suspicion", &each.collect::<Vec<_>>())
    }

    /// The next kept suspicions of all players; see `players_page`.
    #[pyo3(signature = (cursor=None, limit=Int(1000)), text_signature = "($self, cursor=None, limit=1000)")]
    fn suspicions_page<'py>(
        &self,
        py: Python<'py>,
        cursor: Option<&str>,
        limit: Int<usize>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let after = scan_cursor(py, cursor)?;
        let page = self.long(py, |core| core.suspicions_page(after.as_ref(), limit.0))?;
        let each: Vec<_> = page.items.iter().map(suspicion_json).collect();
        listing(py, load_all(py, "Suspicion", &each)?, page.next)
    }

    /// The hash of the newest link of a player's receipt chain: what `verify_chain` compares with.
    fn chain_head(&self, py: Python<'_>, player_id: &str) -> PyResult<String> {
        let id = player(py, player_id)?;
        let record = self.short(py, |core| core.record(&id))?;
        Ok(record.map(|record| record.chain_head).unwrap_or_default().to_hex())
    }

    /// A board, for reading. `NotFoundError` if the rules know none of that name.
    fn board(&self, py: Python<'_>, name: &str) -> PyResult<Board> {
        let found = self.shared.with(|core| core.board(name).map(|_| ()));
        found.and_then(|found| found).or_raise(py)?;
        Ok(Board::new(Arc::clone(&self.shared), name))
    }

    /// Moves the horizon to now, never back: forgets outcomes that no acceptable command can ask for any more, and frees
    /// boards whose period is dropped. To be called now and then: every minute, say.
    ///
    /// A time far ahead cannot be taken back, so `ArgumentError` for one more than 31 days past what the clock says (`clock_jump`), and
    /// for one that by the clock looks like seconds, microseconds or nanoseconds (`clock_unit`): unless `far=True`
    /// says that it is meant. A game that slept for a month is no fault. `Engine.restore` with `at=` is the way back.
    #[pyo3(signature = (*, now_ms=None, now=None, far=false))]
    fn advance<'py>(
        &self,
        py: Python<'py>,
        now_ms: Option<Int<i64>>,
        now: Option<&Bound<'py, PyAny>>,
        far: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let clock = clock(py)?;
        let now = given(now_ms, now)?.unwrap_or(clock);
        let advance = |core: &Core| if far { core.advance_far(now) } else { core.advance_by_clock(now, clock) };
        load(py, "Horizon", &self.long(py, advance)?)
    }

    /// Periods that close in `after < t <= through`, once and in order, made as they are taken. Both are milliseconds or aware
    /// datetimes.
    fn closed_between(&self, py: Python<'_>, after: When, through: When) -> PyResult<Closings> {
        let rules = self.rules(py)?.0;
        Ok(Closings::new(rules.calendar(), rules.closed_between(after.0, through.0)))
    }

    /// How far the store was moved in time.
    fn horizon<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        load(py, "Horizon", &self.short(py, Core::horizon)?)
    }

    /// Names the whole state at one moment: `v1:` and 64 hex digits. Others may write meanwhile.
    fn digest(&self, py: Python<'_>) -> PyResult<String> {
        self.long(py, Core::digest)
    }

    /// The whole state at one moment as bytes, for `Engine.restore` into any store. Others may write meanwhile.
    fn snapshot<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let written = |core: &Core| {
            let mut bytes = Vec::new();
            core.snapshot(&mut bytes).map(|()| bytes)
        };
        Ok(PyBytes::new(py, &self.long(py, written)?))
    }

    /// What happened next behind a cursor, at most `limit` entries, and the cursor behind them; without a cursor from the start of a
    /// partition. Nothing unless the store keeps a feed. `StoreError` with `feed_gap` if what comes next is no longer kept: then begin
    /// anew from the records.
    #[pyo3(
        signature = (cursor=None, limit=Int(100), *, partition=Int(0)),
        text_signature = "($self, cursor=None, limit=100, *, partition=0)"
    )]
    fn feed_page<'py>(
        &self,
        py: Python<'py>,
        cursor: Option<&str>,
        limit: Int<usize>,
        partition: Int<u16>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let from = match cursor {
            Some(text) => feed::cursor(py, text)?,
            None => FeedCursor { partition: partition.0, place: 0 },
        };
        self.check_partition(py, from.partition)?;
        let entries = self.short(py, |core| core.feed(from.partition, from.place, limit.0))?;
        feed::page(py, from, &entries)
    }

    /// The cursor behind a partition's newest entry ever.
    #[pyo3(signature = (partition=Int(0)), text_signature = "($self, partition=0)")]
    fn last(&self, py: Python<'_>, partition: Int<u16>) -> PyResult<String> {
        self.check_partition(py, partition.0)?;
        let place = self.short(py, |core| core.last(partition.0))?;
        Ok(FeedCursor { partition: partition.0, place }.to_string())
    }

    /// A consumer has dealt with everything up to the cursor: what all known consumers have dealt with may go. The first
    /// acknowledgement makes a consumer known; one without a cursor does that alone.
    #[pyo3(signature = (consumer, cursor=None))]
    fn ack(&self, py: Python<'_>, consumer: &str, cursor: Option<&str>) -> PyResult<()> {
        let consumer = Id::new(consumer).or_raise(py)?;
        let Some(text) = cursor else {
            let each = |core: &Core| (0..core.partitions()).try_for_each(|partition| core.ack(&consumer, partition, 0));
            return self.short(py, each);
        };
        let FeedCursor { partition, place } = feed::cursor(py, text)?;
        self.check_partition(py, partition)?;
        self.short(py, |core| core.ack(&consumer, partition, place))
    }

    /// Forgets a consumer: nothing is kept for it any more. An unknown one is none.
    fn drop_consumer(&self, py: Python<'_>, consumer: &str) -> PyResult<()> {
        let consumer = Id::new(consumer).or_raise(py)?;
        self.short(py, |core| core.drop_consumer(&consumer))
    }

    /// Everybody known, by name, each with the cursor of every partition through which all was acknowledged.
    fn consumers<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let marks = self.short(py, Core::consumers)?;
        let each = marks.iter().map(|mark| {
            let cursors = mark.acked.iter().zip(0..);
            let cursors = cursors.map(|(&place, partition)| FeedCursor { partition, place }.to_string());
            json!({ "consumer": mark.consumer, "cursors": cursors.collect::<Vec<_>>() })
        });
        load_all(py, "ConsumerMark", &each.collect::<Vec<_>>())
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
        let (new, now) = ((*rules.0).clone(), given(now_ms, now)?);
        let replace = |core: &Core| match now {
            Some(now) => core.replace_rules_at(new, now),
            None => core.replace_rules(new),
        };
        plain(py, &self.long(py, replace)?)
    }

    /// What new rules would make of the players of now, before they are in force: how many levels rise, fall and stay, and
    /// which rewards would be minted. Players of `unknown` are those that the new rules would refuse. Walks the whole store.
    fn plan_migration<'py>(&self, py: Python<'py>, new_rules: &Rules) -> PyResult<Bound<'py, PyAny>> {
        let new = &new_rules.0;
        load(py, "MigrationForecast", &self.long(py, |core| core.plan_migration(new))?)
    }

    /// The next commands of `migrations`; see `players_page`. To be submitted before or after the next page is asked for: both will do.
    #[pyo3(
        signature = (cursor=None, limit=Int(1000), *, now_ms=None, now=None),
        text_signature = "($self, cursor=None, limit=1000, *, now_ms=None, now=None)"
    )]
    fn migrations_page<'py>(
        &self,
        py: Python<'py>,
        cursor: Option<&str>,
        limit: Int<usize>,
        now_ms: Option<Int<i64>>,
        now: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (after, now) = (scan_cursor(py, cursor)?, instant(py, now_ms, now)?);
        let page = self.long(py, |core| core.migrations_page(after.as_ref(), limit.0, now))?;
        let commands = page.items.into_iter().map(|command| Bound::new(py, Command(command)));
        let commands = commands.collect::<PyResult<Vec<_>>>()?;
        listing(py, PyTuple::new(py, commands)?.into_any(), page.next)
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
        let (id, now) = (player(py, player_id)?, instant(py, now_ms, now)?);
        let why = self.short(py, |core| core.explain(&id, now))?;
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
        let now = instant(py, now_ms, now)?;
        self.long(py, |core| core.payout(board, period.0, now)).map(Payout)
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
        let now = instant(py, now_ms, now)?;
        let names = names.0.lock().clone();
        self.long(py, |core| core.payout_archived(&archive.0, &names, now)).map(Payout)
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
        let now = instant(py, now_ms, now)?;
        let run = self.long(py, |core| core.pay_closed(mark.map(|mark| mark.0), now))?;
        load(py, "PayRun", &run)
    }

    /// Everything stored about one player: what a request for a copy of personal data asks for. Its receipts are also those that
    /// wait beyond the trimmed ones, see `claimable`: `verify_chain` is for `receipts`, which has no such gaps.
    fn export_player<'py>(&self, py: Python<'py>, player_id: &str) -> PyResult<Bound<'py, PyAny>> {
        let id = player(py, player_id)?;
        plain(py, &self.short(py, |core| core.export_player(&id))?)
    }

    /// The next part of it, of at most `limit` records; see `players_page`. For a player of whom much is kept: the parts together have
    /// what `export_player` has, and what is written between two pages may or may not be met. `next` in it is the cursor of the next, None at the end.
    #[pyo3(
        signature = (player_id, cursor=None, limit=Int(1000)),
        text_signature = "($self, player_id, cursor=None, limit=1000)"
    )]
    fn export_player_page<'py>(
        &self,
        py: Python<'py>,
        player_id: &str,
        cursor: Option<&str>,
        limit: Int<usize>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (id, after) = (player(py, player_id)?, scan_cursor(py, cursor)?);
        let page = self.long(py, |core| core.export_player_page(&id, after.as_ref(), limit.0))?;
        plain(py, &page)
    }

    /// Counts since the engine was made, by stable names: `commands`, `applied`, `held`, `replayed`, `unknown`,
    /// `refused`, `refused.<code>`, and `unnoted` with `unnoted.<code>` for closed periods whose rows could not be kept for people to
    /// read; what never came up is not there.
    fn stats<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        plain(py, &self.shared.with(Core::stats).or_raise(py)?)
    }

    /// How much the store holds: players, outcomes, receipts, suspicions, boards, feed.
    fn size<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        plain(py, &self.long(py, Core::size)?)
    }

    /// How far the boards here are behind the store: nothing at all, unless other processes write to it as well.
    fn lag<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        load(py, "Lag", &self.long(py, Core::lag)?)
    }

    /// When it returns, everything that anybody committed before the call is on the boards here.
    fn catch_up(&self, py: Python<'_>) -> PyResult<()> {
        self.long(py, Core::catch_up)
    }

    /// What names the rules in force here, and those that were put in force over the store by any process; the horizon; the lag.
    fn status<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        load(py, "EngineStatus", &self.long(py, Core::status)?)
    }

    /// Waits for what is under way and lets go of the state; a file is free for others then. Whatever is called later raises
    /// `ArgumentError` with `closed`. Once more is nothing. `with Engine(...) as engine:` does it at the end.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        let close = || {
            self.shared.check_process()?;
            self.collector.close();
            self.shared.close()
        };
        py.detach(close).or_raise(py)
    }
}

/// Without `close` it ends like with it, unless boards still read from it.
impl Drop for Engine {
    fn drop(&mut self) {
        Python::try_attach(|py| {
            py.detach(|| {
                self.collector.close();
                if Arc::strong_count(&self.shared) == 1 {
                    _ = self.shared.close();
                }
            });
        });
    }
}

impl Engine {
    /// Calls that take microseconds in memory: a file may take longer, so other threads of Python run meanwhile.
    fn short<T: Send>(&self, py: Python<'_>, call: impl FnOnce(&Core) -> Result<T, Error> + Send) -> PyResult<T> {
        if self.blocks {
            return self.long(py, call);
        }
        self.shared.with(call).and_then(|done| done).or_raise(py)
    }

    /// Calls that take long: other threads of Python run meanwhile.
    fn long<T: Send>(&self, py: Python<'_>, call: impl FnOnce(&Core) -> Result<T, Error> + Send) -> PyResult<T> {
        py.detach(|| self.shared.with(call).and_then(|done| done)).or_raise(py)
    }

    fn soon(&self, py: Python<'_>, waiter: Waiter, work: Work) -> PyResult<()> {
        // What was not taken is answered like the rest.
        match self.collector.send(work, waiter).or_raise(py)? {
            Some(answer) => settle(py, vec![answer]),
            None => Ok(()),
        }
    }

    fn check_partition(&self, py: Python<'_>, partition: u16) -> PyResult<()> {
        self.shared.with(|core| check_partition(core, partition)).and_then(|found| found).or_raise(py)
    }
}

fn of_threads(py: Python<'_>, Int(threads): Int<usize>) -> PyResult<NonZeroUsize> {
    let threads = NonZeroUsize::new(threads).filter(|threads| threads.get() <= INGEST_THREADS_MAX);
    threads.ok_or_else(|| argument(py, Code::OutOfRange, "threads is 1 to 64"))
}

fn scan_cursor(py: Python<'_>, text: Option<&str>) -> PyResult<Option<ScanCursor>> {
    text.map(|text| text.parse().or_raise(py)).transpose()
}

fn listing<'py>(py: Python<'py>, items: Bound<'py, PyAny>, next: Option<ScanCursor>) -> PyResult<Bound<'py, PyAny>> {
    let items = py.get_type::<PyTuple>().call1((items,))?;
    class(py, "Listing")?.call1((items, next.map(|next| next.to_string())))
}

fn suspicion_json((player, number, suspicion): &(PlayerId, u64, Suspicion)) -> serde_json::Value {
    let mut json = json!(suspicion);
    json["playerId"] = json!(player);
    json["number"] = json!(number);
    json
}
