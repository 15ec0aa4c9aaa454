//! The blocking engine: rules and a store.

mod pay_closed;
mod payout;
mod progress;
mod suspicions;

pub use pay_closed::{PaidPeriod, PayRun, Unpaid};

use std::borrow::Borrow;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use parking_lot::{Mutex, RwLock};
use serde::Serialize;

use crate::board::{Cursor, Page, Ranking, Row, ScoreRange};
use crate::error::{Code, Error, StoreError, StoreErrorKind};
use crate::event::{self, Parser};
use crate::id::{BoardId, PlayerId};
use crate::limits::PAGE_LEN_MAX;
use crate::plan::{self, Outcome, Plan};
use crate::record::{BoardKey, Command, Horizon, Key, Player, Receipt, Record, Suspicion};
use crate::rules::{BoardRule, PlayerView, Rules, RulesDiff};
use crate::store::{Boards, Feed, FeedEntry, Scan, Store};
use crate::time::Timestamp;
use crate::window::{Closings, Period, PeriodState, Window};

/// Lines of [`Engine::submit_ndjson`] that are decided together.
const NDJSON_BATCH_LEN: usize = 256;

/// Rules and a store. `Send + Sync` with a `Send + Sync` store; share it behind a reference or an `Arc`.
///
/// ```
/// use liveops_core::{Engine, MemoryStore, Rules, Timestamp, Window};
///
/// let rules = Rules::from_json(r#"{ "version": 1, "game": "emberfall", "boards": {
///     "xp": { "value": "grantedXp", "keepPeriods": { "daily": 2 } } } }"#)?;
/// let engine = Engine::new(rules, MemoryStore::new());
/// let now = Timestamp::from_rfc3339("2026-11-07T12:00:00Z").unwrap();
/// let line = br#"{"id":"e1","type":"progression","playerId":"ana","ts":1794052800,"payload":{"deltaXp":120}}"#;
/// assert_eq!(engine.submit_ndjson(line, now)[0].code(), "applied");
/// assert_eq!(engine.submit_ndjson(line, now)[0].code(), "replayed");
/// assert_eq!(engine.board("xp")?.top(Window::Daily, 10, now)?[0].score, 120);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Engine<S> {
    rules: RwLock<Loaded>,
    store: S,
    counters: Counters,
    /// The time of the newest event that was applied: what the next [`Self::advance`] is measured by.
    newest_event: AtomicI64,
}

/// Rules and what is made from them once.
#[derive(Clone, Debug)]
struct Loaded {
    rules: Arc<Rules>,
    parser: Arc<Parser>,
}

impl Loaded {
    fn new(rules: Arc<Rules>) -> Self {
        let parser = Arc::new(rules.door().parser());
        Self { rules, parser }
    }
}

impl<S> Engine<S> {
    /// Joins the two; `S` may be `Box<dyn Store>` or `Arc<dyn Store>`, and rules in an `Arc` are shared by many engines.
    pub fn new(rules: impl Into<Arc<Rules>>, store: S) -> Self {
        let newest_event = AtomicI64::new(Timestamp::MIN.as_unix_millis());
        Self { rules: RwLock::new(Loaded::new(rules.into())), store, counters: Counters::default(), newest_event }
    }

    /// The rules of now.
    pub fn rules(&self) -> Arc<Rules> {
        Arc::clone(&self.rules.read().rules)
    }

    /// The store.
    pub const fn store(&self) -> &S {
        &self.store
    }

    /// Puts new rules in force and says how they differ. Batches in flight finish under the rules they began with; an
    /// [`crate::intake::Intake`] is told by its own `replace`.
    ///
    /// Errors: `board_incompatible`; see [`Rules::diff`].
    pub fn replace_rules(&self, new: Rules) -> Result<RulesDiff, Error> {
        self.replace_if(new, Rules::diff)
    }

    /// The same at a known time, so that whatever has not begun by then may change: a season to come, say; see
    /// [`Rules::diff_at`].
    pub fn replace_rules_at(&self, new: Rules, now: Timestamp) -> Result<RulesDiff, Error> {
        self.replace_if(new, |old, new| old.diff_at(new, now))
    }

    fn replace_if(
        &self,
        new: Rules,
        diff: impl FnOnce(&Rules, &Rules) -> Result<RulesDiff, Error>,
    ) -> Result<RulesDiff, Error> {
        let mut rules = self.rules.write();
        let diff = diff(&rules.rules, &new)?;
        *rules = Loaded::new(new.with_loot_seed_of(&rules.rules).with_population_of(&rules.rules).into());
        Ok(diff)
    }

    /// Periods that close in `after < t <= through`, once and in order: what a caller acts on after an advance, from
    /// the mark up to which it has acted. Lazy: the cost is that of the closings taken.
    pub fn closed_between(&self, after: Timestamp, through: Timestamp) -> Closings {
        self.rules().closed_between(after, through)
    }

    /// Counts since the engine was made, by stable names: `commands`, `applied`, `held`, `replayed`, `unknown`,
    /// `refused`, and `refused.<code>`.
    pub fn stats(&self) -> Stats {
        self.counters.read()
    }
}

impl<S: Store> Engine<S> {
    /// Takes one command, such as an event that [`crate::intake::Intake`] admitted.
    pub fn submit(&self, command: &Command) -> Outcome {
        let unknown = || Outcome::Unknown(Code::StoreOutcomeUnknown.into());
        self.submit_batch(std::slice::from_ref(command)).pop().unwrap_or_else(unknown)
    }

    /// Takes a batch; one outcome per command, in order. Commands of one player are decided in order, those of
    /// different players independently of each other.
    pub fn submit_batch<C: Borrow<Command>>(&self, commands: &[C]) -> Vec<Outcome> {
        let rules = self.rules();
        let mut plan = Plan::new(&rules, commands.iter().map(Borrow::borrow));
        loop {
            let keys = plan.keys();
            if keys.is_empty() {
                let outcomes = plan.finish();
                self.counters.count(&outcomes);
                if let Some(newest) = plan::newest_event(commands, &outcomes) {
                    self.newest_event.fetch_max(newest.as_unix_millis(), Ordering::Relaxed);
                }
                return outcomes;
            }
            let batch = plan.decide(self.store.load(&keys));
            if !batch.is_empty() {
                plan.resolve(self.store.commit(batch));
            }
        }
    }

    /// Takes lines of JSON, one event each, from a source that the caller trusts: no signature is asked for, and the
    /// body must name the event. One outcome per line, in order; an empty last line is no line. A line that is no event
    /// is refused with its first issue's code and the whole [`crate::event::ValidationError`] as the error's source.
    pub fn submit_ndjson(&self, trusted: &[u8], now: Timestamp) -> Vec<Outcome> {
        let parser = Arc::clone(&self.rules.read().parser);
        let mut lines = event::lines(trusted);
        let mut outcomes = Vec::new();
        loop {
            let mut commands = Vec::with_capacity(NDJSON_BATCH_LEN);
            let parsed: Vec<Option<Error>> = lines
                .by_ref()
                .take(NDJSON_BATCH_LEN)
                .map(|line| trusted_event(&parser, line, now).map(|command| commands.push(command)).err())
                .collect();
            if parsed.is_empty() {
                return outcomes;
            }
            let mut decided = self.submit_batch(&commands).into_iter();
            let unknown = || Outcome::Unknown(Code::StoreOutcomeUnknown.into());
            outcomes.extend(parsed.into_iter().map(|error| match error {
                Some(error) => {
                    self.counters.refused(error.code());
                    Outcome::Refused(error)
                }
                None => decided.next().unwrap_or_else(unknown),
            }));
        }
    }

    /// One player, as callers read it; `None` for one who never did anything or was erased.
    pub fn player(&self, player: &PlayerId) -> Result<Option<PlayerView>, Error> {
        let view = |record: Player| self.rules().view(player, &record);
        Ok(self.record(player)?.filter(|record| !record.is_gone()).map(view))
    }

    /// A player's kept receipts, oldest first.
    pub fn receipts(&self, player: &PlayerId) -> Result<Vec<Receipt>, Error> {
        let Some(record) = self.record(player)? else { return Ok(Vec::new()) };
        let numbers = record.receipts_from.max(1)..=record.receipts;
        let keys: Vec<_> = numbers.map(|n| Key::Receipt(player.clone(), n)).collect();
        let receipts = self.store.load(&keys)?.into_iter().filter_map(|answer| match answer {
            Some(Record::Receipt(receipt)) => Some(*receipt),
            _ => None,
        });
        Ok(receipts.collect())
    }

    /// A player's kept suspicions with their numbers, oldest first.
    pub fn suspicions_of(&self, player: &PlayerId) -> Result<Vec<(u64, Suspicion)>, Error> {
        let Some(record) = self.record(player)? else { return Ok(Vec::new()) };
        let keys: Vec<_> = record.suspicions.iter().map(|(n, _)| Key::Suspicion(player.clone(), *n)).collect();
        let suspicions = self.store.load(&keys)?.into_iter().zip(&record.suspicions);
        Ok(suspicions
            .filter_map(|(answer, (n, _))| match answer {
                Some(Record::Suspicion(suspicion)) => Some((*n, *suspicion)),
                _ => None,
            })
            .collect())
    }

    /// A player's record.
    pub fn record(&self, player: &PlayerId) -> Result<Option<Player>, Error> {
        match self.store.load(&[Key::Player(player.clone())])?.pop() {
            Some(Some(Record::Player(record))) => Ok(Some(*record)),
            Some(None) => Ok(None),
            _ => Err(StoreError::new(StoreErrorKind::Misconfigured).into()),
        }
    }
}

impl<S: Store + Boards> Engine<S> {
    /// Moves the horizon to `now`, never back; forgets the outcomes that no acceptable command can ask for any more,
    /// and frees boards whose period is dropped. To be called now and then: every minute, say.
    ///
    /// A time far ahead cannot be taken back: whatever comes after it is too old for good. So a jump of more than
    /// [31 days](crate::limits::ADVANCE_MILLIS_MAX) over the horizon is refused, and a time that looks like another unit by the
    /// horizon or by the newest event that this engine applied; [`Self::advance_far`] does not ask. The first advance of a store may be
    /// to anywhere. A time a little behind the horizon is no mistake, and moves nothing. Who advanced too far all the same:
    /// [`crate::MemoryStore::restore_at`].
    ///
    /// Errors: `clock_unit`, `clock_jump`, with [`AdvanceError`](crate::record::AdvanceError) as the source; those of the store.
    ///
    /// ```
    /// use liveops_core::{Code, Engine, MemoryStore, Rules, Timestamp};
    ///
    /// let engine = Engine::new(Rules::from_json(r#"{ "version": 1, "game": "emberfall" }"#)?, MemoryStore::new());
    /// let now = Timestamp::from_rfc3339("2026-11-30T12:00:00Z").unwrap();
    /// engine.advance(now)?;
    /// let nanoseconds = Timestamp::from_unix_millis(now.as_unix_millis() * 1_000_000);
    /// assert_eq!(engine.advance(nanoseconds).unwrap_err().code(), Code::ClockUnit);
    /// let new_year = Timestamp::from_rfc3339("2027-01-01T00:00:00Z").unwrap();
    /// assert_eq!(engine.advance(new_year).unwrap_err().code(), Code::ClockJump);
    /// assert_eq!(engine.advance_far(new_year)?.now, new_year);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn advance(&self, now: Timestamp) -> Result<Horizon, Error> {
        let newest = Timestamp::from_unix_millis(self.newest_event.load(Ordering::Relaxed));
        horizon(&self.store)?.check_advance(now, (newest != Timestamp::MIN).then_some(newest))?;
        self.advance_far(now)
    }

    /// The same to any time, because the caller means it: a replay, a simulation, a test, a game that slept for a quarter.
    pub fn advance_far(&self, now: Timestamp) -> Result<Horizon, Error> {
        let rules = self.rules();
        let forgotten_before = now.minus_millis(rules.door().limits().past_millis_max);
        let horizon = self.store.advance(Horizon { now, forgotten_before })?;
        self.store.retain(&|key| rules.keeps(key, horizon.now))?;
        Ok(horizon)
    }

    /// A board, for reading.
    ///
    /// Errors: `unknown_board`.
    pub fn board(&self, board: &str) -> Result<Board<'_, S>, Error> {
        let rules = self.rules();
        let id = BoardId::new(board).map_err(|_| Code::UnknownBoard)?;
        let rule = rules.board(&id).ok_or(Code::UnknownBoard)?.clone();
        Ok(Board { store: &self.store, rules, rule })
    }
}

impl<S: Store + Scan> Engine<S> {
    /// Everything stored about one player: what a request for a copy of personal data asks for.
    pub fn export_player(&self, player: &PlayerId) -> Result<PlayerExport, Error> {
        let mut export = PlayerExport {
            player_id: player.clone(),
            record: None,
            receipts: Vec::new(),
            suspicions: Vec::new(),
            outcomes: Vec::new(),
        };
        for (key, record) in self.store.scan_player(player)? {
            match (key, record) {
                (_, Record::Player(record)) => export.record = Some(*record),
                (_, Record::Receipt(receipt)) => export.receipts.push(*receipt),
                (Key::Suspicion(_, number), Record::Suspicion(suspicion)) => {
                    export.suspicions.push(Numbered { number, suspicion: *suspicion });
                }
                (Key::Outcome(_, id), Record::Outcome(outcome)) => {
                    export.outcomes.push(NamedOutcome { id, outcome: *outcome });
                }
                _ => {}
            }
        }
        Ok(export)
    }

    /// Every kept suspicion, by player and number. Walks the whole store.
    pub fn suspicions(&self) -> Result<Vec<(PlayerId, u64, Suspicion)>, Error> {
        let all = self.store.scan(None, usize::MAX)?.into_iter();
        Ok(all
            .filter_map(|(key, record)| match (key, record) {
                (Key::Suspicion(player, number), Record::Suspicion(suspicion)) => Some((player, number, *suspicion)),
                _ => None,
            })
            .collect())
    }
}

impl<S: Feed> Engine<S> {
    /// The next committed change sets after a cursor (0 is the start), at most `limit`.
    pub fn feed(&self, after: u64, limit: usize) -> Result<Vec<FeedEntry>, Error> {
        Ok(self.store.feed(after, limit)?)
    }

    /// Everything up to the cursor was dealt with and may go.
    pub fn ack(&self, through: u64) -> Result<(), Error> {
        Ok(self.store.ack(through)?)
    }
}

impl Engine<crate::memory::MemoryStore> {
    /// Names the whole state; see [`crate::MemoryStore::digest`].
    pub fn digest(&self) -> String {
        self.store.digest()
    }

    /// The whole state as bytes; see [`crate::MemoryStore::snapshot`].
    pub fn snapshot(&self) -> Vec<u8> {
        self.store.snapshot()
    }
}

fn horizon<S: Store>(store: &S) -> Result<Horizon, Error> {
    match store.load(&[Key::Horizon])?.pop() {
        Some(Some(Record::Horizon(horizon))) => Ok(horizon),
        Some(None) => Ok(Horizon::default()),
        _ => Err(StoreError::new(StoreErrorKind::Misconfigured).into()),
    }
}

fn trusted_event(parser: &Parser, line: &[u8], now: Timestamp) -> Result<Command, Error> {
    let mut parsed = parser.parse(line, now).map_err(|e| Error::with_source(e.code(), e))?;
    let id = parsed.id.take().ok_or(Code::MissingEventId)?;
    Ok(Command::event(parsed.into_event(id), now))
}

/// Everything stored about one player.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PlayerExport {
    /// Who.
    pub player_id: PlayerId,
    /// The player's state.
    pub record: Option<Player>,
    /// Kept receipts, oldest first.
    pub receipts: Vec<Receipt>,
    /// Kept suspicions, oldest first.
    pub suspicions: Vec<Numbered>,
    /// First outcomes kept for retries, by name.
    pub outcomes: Vec<NamedOutcome>,
}

/// A suspicion and its number.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Numbered {
    /// What a review names.
    pub number: u64,
    /// The suspicion.
    #[serde(flatten)]
    pub suspicion: Suspicion,
}

/// A first outcome and the command it is of.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NamedOutcome {
    /// The command.
    pub id: crate::id::CommandId,
    /// What it did.
    #[serde(flatten)]
    pub outcome: crate::record::StoredOutcome,
}

/// A board of the engine, for reading. Reads answer for the period that is current at the time given.
#[derive(Debug)]
pub struct Board<'e, S> {
    store: &'e S,
    rules: Arc<Rules>,
    rule: BoardRule,
}

impl<S: Boards> Board<'_, S> {
    /// How the board counts and sorts.
    pub const fn rule(&self) -> &BoardRule {
        &self.rule
    }

    /// The period that is current at a time.
    ///
    /// Errors: `unknown_window` if the board has no such window, `unknown_period` between two seasons.
    pub fn period(&self, window: Window, now: Timestamp) -> Result<Period, Error> {
        self.rule.keep(window).ok_or(Code::UnknownWindow)?;
        Ok(self.rules.calendar().current(window, now).ok_or(Code::UnknownPeriod)?)
    }

    /// The period so many before the current one: 1 is yesterday, last week, last season.
    ///
    /// Errors: those of [`Self::period`]; `period_dropped` for one that is no longer kept, `unknown_period` before the first season
    /// of a table.
    pub fn earlier(&self, window: Window, periods: u32, now: Timestamp) -> Result<Period, Error> {
        let current = self.period(window, now)?;
        let period = Period { index: current.index.saturating_sub(periods.into()), ..current };
        self.check_kept(period, now)?;
        Ok(period)
    }

    /// The best `limit` of the current period.
    pub fn top(&self, window: Window, limit: usize, now: Timestamp) -> Result<Vec<Row>, Error> {
        self.page(self.period(window, now)?, 0, limit)
    }

    /// `offset..offset + limit` of any kept period, best first; at most 100,000 rows.
    pub fn page(&self, period: Period, offset: usize, limit: usize) -> Result<Vec<Row>, Error> {
        Ok(self.store.page(&self.key(period), offset, limit.min(PAGE_LEN_MAX), self.ranking())?)
    }

    /// The player's rank in the current period, from 1.
    pub fn rank(&self, window: Window, player: &PlayerId, now: Timestamp) -> Result<Option<u64>, Error> {
        self.rank_in(self.period(window, now)?, player)
    }

    /// The player's row of the current period, with up to `each_side` rows above and below.
    pub fn around(
        &self,
        window: Window,
        player: &PlayerId,
        each_side: usize,
        now: Timestamp,
    ) -> Result<Vec<Row>, Error> {
        self.around_in(self.period(window, now)?, player, each_side)
    }

    /// Rows of some players in the current period, best first, with their ranks on the whole board.
    pub fn by_owners(&self, window: Window, players: &[PlayerId], now: Timestamp) -> Result<Vec<Row>, Error> {
        self.by_owners_in(self.period(window, now)?, players)
    }

    /// How many in the current period are strictly better than a score.
    pub fn count_above(&self, window: Window, score: i64, now: Timestamp) -> Result<u64, Error> {
        self.count_above_in(self.period(window, now)?, score)
    }

    /// How many stand on the board in the current period.
    pub fn len(&self, window: Window, now: Timestamp) -> Result<u64, Error> {
        self.len_in(self.period(window, now)?)
    }

    /// The first `limit` of any kept period, or those behind a page's end; at most 100,000 rows. Unlike an offset, a
    /// cursor neither repeats nor skips those who stay put while others move.
    ///
    /// Errors: `cursor_invalid` for a cursor of another board or period.
    pub fn page_after(&self, period: Period, cursor: Option<&Cursor>, limit: usize) -> Result<Page, Error> {
        let key = self.key(period);
        cursor.map_or(Ok(()), |cursor| cursor.check_board(&key.board, period, self.rule.sort))?;
        Ok(self.store.page_after(&key, cursor, limit.min(PAGE_LEN_MAX), self.ranking())?)
    }

    /// Those of any kept period with a score in the range, best first, without the first `offset` of them; at most
    /// 100,000 rows.
    pub fn by_score_range(
        &self,
        period: Period,
        scores: ScoreRange,
        offset: usize,
        limit: usize,
    ) -> Result<Vec<Row>, Error> {
        let limit = limit.min(PAGE_LEN_MAX);
        Ok(self.store.by_score_range(&self.key(period), scores, offset, limit, self.ranking())?)
    }

    /// How many of the others the player is ahead of in any kept period, in hundredths of a percent.
    pub fn percentile(&self, period: Period, player: &PlayerId) -> Result<Option<u32>, Error> {
        Ok(self.store.percentile(&self.key(period), player)?)
    }

    /// The player's rank in any kept period, from 1.
    pub fn rank_in(&self, period: Period, player: &PlayerId) -> Result<Option<u64>, Error> {
        Ok(self.store.rank(&self.key(period), player, self.ranking())?)
    }

    /// [`Self::around`] in any kept period.
    pub fn around_in(&self, period: Period, player: &PlayerId, each_side: usize) -> Result<Vec<Row>, Error> {
        Ok(self.store.around(&self.key(period), player, each_side.min(PAGE_LEN_MAX), self.ranking())?)
    }

    /// [`Self::by_owners`] in any kept period.
    pub fn by_owners_in(&self, period: Period, players: &[PlayerId]) -> Result<Vec<Row>, Error> {
        Ok(self.store.by_owners(&self.key(period), players, self.ranking())?)
    }

    /// [`Self::count_above`] in any kept period.
    pub fn count_above_in(&self, period: Period, score: i64) -> Result<u64, Error> {
        Ok(self.store.count_above(&self.key(period), score, self.rule.sort.order)?)
    }

    /// [`Self::len`] of any kept period.
    pub fn len_in(&self, period: Period) -> Result<u64, Error> {
        Ok(self.store.len(&self.key(period))?)
    }

    /// Where a period is in its life at a time.
    ///
    /// Errors: `unknown_window` for a window that the board does not have.
    pub fn state(&self, period: Period, now: Timestamp) -> Result<PeriodState, Error> {
        let keep = self.rule.keep(period.window).ok_or(Code::UnknownWindow)?;
        Ok(self.rules.calendar().state(period, keep, now))
    }

    fn check_kept(&self, period: Period, now: Timestamp) -> Result<(), Code> {
        let keep = self.rule.keep(period.window).ok_or(Code::UnknownWindow)?;
        self.rules.calendar().check_kept(period, keep, now)
    }

    const fn ranking(&self) -> Ranking {
        self.rule.ranking
    }

    fn key(&self, period: Period) -> BoardKey {
        BoardKey { board: self.rule.board.clone(), period }
    }
}

/// Counts by stable names, sorted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Stats(std::collections::BTreeMap<String, u64>);

impl Stats {
    /// One count; 0 for a name that never came up.
    pub fn get(&self, name: &str) -> u64 {
        self.0.get(name).copied().unwrap_or(0)
    }

    /// All counts above 0, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, u64)> {
        self.0.iter().map(|(name, count)| (name.as_str(), *count))
    }
}

#[derive(Debug, Default)]
struct Counters {
    applied: AtomicU64,
    held: AtomicU64,
    replayed: AtomicU64,
    unknown: AtomicU64,
    /// Refusals are the exception; they can afford a lock.
    refused: Mutex<std::collections::BTreeMap<Code, u64>>,
}

impl Counters {
    /// Counts a batch with one addition for each kind.
    fn count(&self, outcomes: &[Outcome]) {
        let (mut applied, mut held, mut replayed, mut unknown) = (0, 0, 0, 0);
        for outcome in outcomes {
            match outcome {
                Outcome::Applied(effect) if effect.held.is_some() => held += 1,
                Outcome::Applied(_) => applied += 1,
                Outcome::Replayed(_) => replayed += 1,
                Outcome::Unknown(_) => unknown += 1,
                Outcome::Refused(error) => self.refused(error.code()),
            }
        }
        let counts =
            [(&self.applied, applied), (&self.held, held), (&self.replayed, replayed), (&self.unknown, unknown)];
        for (counter, count) in counts.into_iter().filter(|(_, count)| *count > 0) {
            counter.fetch_add(count, Ordering::Relaxed);
        }
    }

    fn refused(&self, code: Code) {
        *self.refused.lock().entry(code).or_default() += 1;
    }

    fn read(&self) -> Stats {
        let refused = self.refused.lock();
        let mut stats = std::collections::BTreeMap::new();
        let named = [
            ("applied", self.applied.load(Ordering::Relaxed)),
            ("held", self.held.load(Ordering::Relaxed)),
            ("replayed", self.replayed.load(Ordering::Relaxed)),
            ("unknown", self.unknown.load(Ordering::Relaxed)),
            ("refused", refused.values().sum()),
        ];
        stats.insert("commands".to_owned(), named.iter().map(|(_, count)| count).sum());
        stats.extend(named.map(|(name, count)| (name.to_owned(), count)));
        stats.extend(refused.iter().map(|(code, count)| (format!("refused.{code}"), *count)));
        stats.retain(|_, count| *count > 0);
        Stats(stats)
    }
}
