//! Rules over a store that holds something already, and rules put in force while it is in use.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicIsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use common::{DAY, START, at, player, progression};
use liveops_core::board::Row;
use liveops_core::error::{StoreError, StoreErrorKind};
use liveops_core::record::{BoardKey, ChangeSet, CommitOutcome, Header, Horizon, Kind};
use liveops_core::store::{BoardAnswer, BoardRead, Keeps, Lag, Loaded, Partitioned, Reading};
use liveops_core::{Boards, Code, Engine, Key, MemoryStore, Period, PlayerId, Record, Rules, Scan, Store, Window};

/// Monday to Sunday around [`START`], a Saturday.
const TODAY: i64 = START + DAY / 2;

fn board(name: &str, daily: u32) -> String {
    format!(r#""{name}": {{ "value": "grantedXp", "keepPeriods": {{ "daily": {daily} }} }}"#)
}

fn rules(boards: &[String]) -> Rules {
    rules_with(boards, "")
}

fn rules_with(boards: &[String], members: &str) -> Rules {
    let boards = boards.join(", ");
    Rules::from_json(&format!(r#"{{ "version": 1, "game": "emberfall", "boards": {{ {boards} }} {members} }}"#))
        .unwrap()
}

fn day(before: i64) -> Period {
    Period { window: Window::Daily, index: START / DAY - before }
}

fn rows<S: Store + Boards>(engine: &Engine<S>, board: &str, period: Period) -> Vec<Row> {
    engine.board(board).unwrap().of(period).page(0, 100).unwrap()
}

/// What a reading of a period that is no longer kept answers.
fn dropped<S: Store + Boards>(engine: &Engine<S>, board: &str, period: Period) -> bool {
    let read = engine.board(board).unwrap().of(period).top(1);
    read.is_err_and(|error| error.code() == Code::PeriodDropped)
}

fn names(rows: &[Row]) -> Vec<&str> {
    rows.iter().map(|row| row.owner.as_str()).collect()
}

/// What a snapshot of the engine shows.
fn restored(engine: &Engine<MemoryStore>) -> Engine<MemoryStore> {
    let copy = MemoryStore::restore(&engine.store().snapshot()).unwrap();
    assert_eq!(copy.digest(), engine.store().digest());
    Engine::open(engine.rules(), copy).unwrap()
}

#[test]
fn a_store_says_what_rules_it_fits() {
    let engine = Engine::new(rules(&[board("xp", 2)]), MemoryStore::new());
    assert_eq!(engine.store().header().unwrap(), engine.rules().header(), "written at once");
    engine.submit(&progression("e", "ana", TODAY, 5));
    let bytes = engine.store().snapshot();
    let open = |rules: Rules| Engine::open(rules, MemoryStore::restore(&bytes).unwrap());
    let code = |rules| open(rules).unwrap_err().code();

    assert_eq!(names(&rows(&open(rules(&[board("xp", 2)])).unwrap(), "xp", day(0))), ["ana"]);
    let other = r#"{ "version": 1, "game": "frostfall" }"#;
    assert_eq!(code(Rules::from_json(other).unwrap()), Code::StoreMisconfigured);
    let best = r#""xp": { "value": "grantedXp", "operator": "best", "keepPeriods": { "daily": 2 } }"#.to_owned();
    assert_eq!(code(rules(std::slice::from_ref(&best))), Code::BoardIncompatible);
    let shifted = r#", "calendar": { "resetMinute": 360 }"#;
    assert_eq!(code(rules_with(&[board("xp", 2)], shifted)), Code::BoardIncompatible);

    // Taken away, the board is remembered until it is retired; `replace_rules` too asks the store.
    let engine = open(rules(&[])).unwrap();
    assert_eq!(engine.replace_rules(rules(&[best])).unwrap_err().code(), Code::BoardIncompatible);
    assert_eq!(engine.replace_rules(Rules::from_json(other).unwrap()).unwrap_err().code(), Code::StoreMisconfigured);
    assert_eq!(engine.rules().boards().len(), 0, "nothing was put in force");
    engine.replace_rules(rules(&[board("xp", 2), board("new", 2)])).unwrap();
    assert_eq!(engine.store().header().unwrap().boards.len(), 2);
}

#[test]
fn a_store_names_the_rules_that_were_put_in_force_over_it() {
    let seeded = |rules: Rules| rules.with_loot_seed([7; 32]);
    let engine = Engine::open(seeded(rules(&[board("xp", 2)])), MemoryStore::new()).unwrap();
    let first = engine.rules().identity();
    engine.replace_rules(rules(&[board("xp", 2), board("new", 2)])).unwrap();
    let second = engine.rules().identity();
    let named = |engine: &Engine<MemoryStore>| engine.store().header().unwrap().rules;
    assert_eq!(named(&engine), [first, second], "as they decide, with the seed that stays");
    let copy = restored(&engine);
    assert_eq!(named(&copy), [first, second], "a snapshot says it as well");
    let old = Engine::open(seeded(rules(&[board("xp", 2)])), copy.store()).unwrap();
    assert_eq!(named(&copy), [second, first]);
    let status = old.status().unwrap();
    assert_eq!((status.rules, status.rules_seen), (first, vec![second, first]));
    assert_eq!((status.horizon, status.lag), (Horizon::default(), Lag::default()));
}

#[test]
fn a_lost_race_for_the_header_is_run_again() {
    /// Somebody else adds a board whenever this one was about to.
    #[derive(Debug)]
    struct Raced(MemoryStore, AtomicIsize);
    impl Store for Raced {
        fn load(&self, keys: &[Key]) -> Vec<Loaded> {
            self.0.load(keys)
        }
        fn commit(&self, batch: Vec<ChangeSet>) -> Vec<CommitOutcome> {
            self.0.commit(batch)
        }
        fn advance(&self, to: Horizon) -> Result<Horizon, StoreError> {
            self.0.advance(to)
        }
        fn drive(&self, plan: &mut liveops_core::Plan<'_>) {
            liveops_core::store::by_load_and_commit(self, plan);
        }
        fn round_players(&self) -> usize {
            self.0.round_players()
        }
        fn header(&self) -> Result<Header, StoreError> {
            self.0.header()
        }
        fn replace_header(&self, expected: &Header, new: &Header) -> Result<bool, StoreError> {
            let races = self.1.fetch_sub(1, Ordering::Relaxed);
            if races > 0 {
                let theirs = rules(&[board(&format!("theirs{races}"), 1)]).fit(&self.0.header()?, None);
                assert!(self.0.replace_header(&self.0.header()?, &theirs.unwrap())?);
            }
            self.0.replace_header(expected, new)
        }
    }
    impl Boards for Raced {
        fn read(&self, reads: &[BoardRead]) -> Vec<Result<BoardAnswer, StoreError>> {
            self.0.read(reads)
        }
        fn retain(&self, keep: Keeps<'_>) -> Result<(), StoreError> {
            self.0.retain(keep)
        }
        fn rebuild(&self, keep: Keeps<'_>) -> Result<(), StoreError> {
            self.0.rebuild(keep)
        }
        fn catch_up(&self) -> Result<(), StoreError> {
            self.0.catch_up()
        }
        fn horizon(&self) -> Horizon {
            self.0.horizon()
        }
        fn lag(&self) -> Result<Lag, StoreError> {
            self.0.lag()
        }
        fn note_final(&self, key: &BoardKey, rows: &[Row]) -> Result<(), StoreError> {
            self.0.note_final(key, rows)
        }
    }
    let open = |races| Engine::open(rules(&[board("ours", 1)]), Raced(MemoryStore::new(), AtomicIsize::new(races)));
    let engine = open(3).unwrap();
    let boards = engine.store().header().unwrap().boards;
    assert_eq!(
        boards.iter().map(|(board, _)| board.as_str()).collect::<Vec<_>>(),
        ["ours", "theirs1", "theirs2", "theirs3"]
    );
    assert_eq!(open(isize::MAX).unwrap_err().code(), Code::Contended, "but not for ever");
}

#[test]
fn a_board_that_was_taken_away_comes_back_with_everybody() {
    let engine = Engine::new(rules(&[board("xp", 3)]), MemoryStore::new());
    for (n, name) in ["ana", "bo", "cy"].iter().enumerate() {
        engine.submit(&progression("e", name, TODAY, 90 - 10 * i64::try_from(n).unwrap()));
    }
    engine.replace_rules(rules(&[])).unwrap();
    engine.advance(at(TODAY)).unwrap();
    engine.submit(&progression("e2", "bo", TODAY, 50));
    engine.replace_rules(rules(&[board("xp", 3)])).unwrap();
    let live = rows(&engine, "xp", day(0));
    assert_eq!(names(&live), ["ana", "bo", "cy"]);
    assert_eq!(live, rows(&restored(&engine), "xp", day(0)));
}

#[test]
fn a_window_and_longer_keeping_that_come_back_are_built_from_the_records() {
    let both = |daily: u32| {
        rules(&[format!(r#""xp": {{ "value": "grantedXp", "keepPeriods": {{ "daily": {daily}, "weekly": 2 }} }}"#)])
    };
    let engine = Engine::new(both(4), MemoryStore::new());
    for before in 0..4 {
        for name in ["ana", "bo"] {
            engine.submit(&progression(&format!("e{before}"), name, TODAY - before * DAY / 4 * 3, 10));
        }
    }
    engine.advance(at(TODAY)).unwrap();
    let kept = |engine: &Engine<MemoryStore>| (0..4).map(|before| rows(engine, "xp", day(before))).collect::<Vec<_>>();
    let before = kept(&engine);
    assert!(before[..3].iter().all(|rows| rows.len() == 2), "the days were played: {before:?}");

    // Shorter, and an advance: what the records still say is what comes back.
    engine.replace_rules(both(1)).unwrap();
    engine.advance(at(TODAY + 1)).unwrap();
    assert!(dropped(&engine, "xp", day(2)));
    engine.submit(&progression("late", "bo", TODAY, 5)); // whose record lets go of the dropped days
    engine.replace_rules(both(4)).unwrap();
    assert_eq!(names(&rows(&engine, "xp", day(2))), ["ana"]);
    assert_eq!(kept(&engine), kept(&restored(&engine)));

    // A window away and back: nothing of it is dropped.
    let weekly =
        Period { window: Window::Weekly, ..engine.board("xp").unwrap().period(Window::Weekly, at(TODAY)).unwrap() };
    let all = rows(&engine, "xp", weekly);
    engine.replace_rules(rules(&[board("xp", 4)])).unwrap();
    engine.advance(at(TODAY + 2)).unwrap();
    engine.replace_rules(both(4)).unwrap();
    assert_eq!(rows(&engine, "xp", weekly), all);
    assert_eq!(all, rows(&restored(&engine), "xp", weekly));
}

/// Whoever moved the store: an engine that reads frees what is over, once, and says the same as the one that moved it.
#[test]
fn a_period_is_dropped_in_every_process() {
    let store = Arc::new(Watched::default());
    let retains = Arc::new(AtomicIsize::new(0));
    let count = Arc::clone(&retains);
    assert!(store.before_retain.set(Box::new(move || _ = count.fetch_add(1, Ordering::Relaxed))).is_ok());
    let engine = Engine::open(rules(&[board("xp", 1)]), Arc::clone(&store)).unwrap();
    engine.submit(&progression("e", "ana", TODAY, 10));
    let standings = engine.board("xp").unwrap().of(day(0));
    assert_eq!(standings.len().unwrap(), 1);
    store.is_in.store(false, Ordering::Relaxed);
    retains.store(0, Ordering::Relaxed);

    // Another process did.
    let to = at(TODAY + 3 * DAY);
    Store::advance(&store, Horizon { now: to, forgotten_before: to }).unwrap();
    assert_eq!(store.inner.size().boards, 1);
    assert!(dropped(&engine, "xp", day(0)));
    assert_eq!(standings.len().unwrap_err().code(), Code::PeriodDropped, "also for who had chosen the period before");
    let many = engine.read_boards(&[
        standings.question(Reading::Len),
        engine.board("xp").unwrap().of(day(-3)).question(Reading::Len),
    ]);
    assert_eq!(many[0].as_ref().unwrap_err().code(), Code::PeriodDropped);
    assert!(matches!(many[1], Ok(BoardAnswer::Count(0))), "{many:?}");
    assert_eq!(store.inner.size().boards, 0, "freed");
    assert_eq!(retains.load(Ordering::Relaxed), 1);
}

/// A store that lets a test in where it frees boards, and fails to build them when told to.
#[derive(Default)]
struct Watched {
    inner: MemoryStore,
    before_retain: OnceLock<Box<dyn Fn() + Send + Sync>>,
    is_in: AtomicBool,
    builds_fail: AtomicBool,
    headers_fail: AtomicBool,
    loads_fail: AtomicBool,
    notes_fail: AtomicBool,
    noted: Mutex<BTreeMap<BoardKey, Vec<Row>>>,
    /// Once, before a board is read.
    before_read: OnceLock<Box<dyn Fn() + Send + Sync>>,
    was_read: AtomicBool,
}

fn fails(when: &AtomicBool) -> Result<(), StoreError> {
    if when.load(Ordering::Relaxed) { Err(StoreErrorKind::Unavailable.into()) } else { Ok(()) }
}

impl Store for Watched {
    fn load(&self, keys: &[Key]) -> Vec<Loaded> {
        match fails(&self.loads_fail) {
            Ok(()) => self.inner.load(keys),
            Err(error) => keys.iter().map(|_| Err(error.clone())).collect(),
        }
    }
    fn commit(&self, batch: Vec<ChangeSet>) -> Vec<CommitOutcome> {
        self.inner.commit(batch)
    }
    fn advance(&self, to: Horizon) -> Result<Horizon, StoreError> {
        self.inner.advance(to)
    }
    fn drive(&self, plan: &mut liveops_core::Plan<'_>) {
        liveops_core::store::by_load_and_commit(self, plan);
    }
    fn round_players(&self) -> usize {
        self.inner.round_players()
    }
    fn header(&self) -> Result<Header, StoreError> {
        fails(&self.headers_fail)?;
        self.inner.header()
    }
    fn replace_header(&self, expected: &Header, new: &Header) -> Result<bool, StoreError> {
        fails(&self.headers_fail)?;
        self.inner.replace_header(expected, new)
    }
}

impl Partitioned for Watched {
    fn partitions(&self) -> u16 {
        self.inner.partitions()
    }
}

impl Scan for Watched {
    fn scan(
        &self,
        partition: u16,
        kind: Option<Kind>,
        after: Option<&Key>,
        limit: usize,
    ) -> Result<Vec<(Key, Record)>, StoreError> {
        self.inner.scan(partition, kind, after, limit)
    }
    fn scan_player(
        &self,
        player: &PlayerId,
        kind: Option<Kind>,
        after: Option<&Key>,
        limit: usize,
    ) -> Result<Vec<(Key, Record)>, StoreError> {
        self.inner.scan_player(player, kind, after, limit)
    }
}

impl Boards for Watched {
    fn read(&self, reads: &[BoardRead]) -> Vec<Result<BoardAnswer, StoreError>> {
        if let Some(before) = self.before_read.get()
            && !self.was_read.swap(true, Ordering::Relaxed)
        {
            before();
        }
        self.inner.read(reads)
    }
    fn retain(&self, keep: Keeps<'_>) -> Result<(), StoreError> {
        if let Some(before) = self.before_retain.get()
            && !self.is_in.swap(true, Ordering::Relaxed)
        {
            before();
        }
        self.inner.retain(keep)
    }
    fn rebuild(&self, keep: Keeps<'_>) -> Result<(), StoreError> {
        fails(&self.builds_fail)?;
        self.inner.rebuild(keep)
    }
    fn catch_up(&self) -> Result<(), StoreError> {
        self.inner.catch_up()
    }
    fn horizon(&self) -> Horizon {
        self.inner.horizon()
    }
    fn lag(&self) -> Result<Lag, StoreError> {
        self.inner.lag()
    }
    fn note_final(&self, key: &BoardKey, rows: &[Row]) -> Result<(), StoreError> {
        fails(&self.notes_fail)?;
        self.noted.lock().unwrap().entry(key.clone()).or_insert_with(|| rows.to_vec());
        Ok(())
    }
}

/// The advance began under rules that keep no day but today, and has not freed anything yet when others are put in force.
#[test]
fn a_replacement_beside_an_advance_loses_nobody() {
    let engine = Arc::new(Engine::new(rules(&[board("xp", 0)]), Watched::default()));
    for before in [1, 0] {
        engine.submit(&progression(&format!("e{before}"), "ana", TODAY - before * DAY, 10));
    }
    let beside = Arc::clone(&engine);
    let replace = move || {
        beside.replace_rules(rules(&[board("xp", 3), board("new", 3)])).unwrap();
        assert_eq!(beside.submit(&progression("meanwhile", "bo", TODAY, 7)).code(), "applied");
    };
    assert!(engine.store().before_retain.set(Box::new(replace)).is_ok());
    engine.advance(at(TODAY)).unwrap();
    assert!(engine.store().is_in.load(Ordering::Relaxed), "it was replaced meanwhile");
    assert_eq!(names(&rows(&engine, "xp", day(1))), ["ana"], "kept by the rules in force");
    assert_eq!(names(&rows(&engine, "new", day(0))), ["bo"]);
}

#[test]
fn what_could_not_be_built_is_built_by_the_next_advance() {
    let engine = Engine::new(rules(&[board("xp", 3)]), Watched::default());
    engine.submit(&progression("e", "ana", TODAY - DAY, 10));
    engine.replace_rules(rules(&[board("xp", 0)])).unwrap();
    engine.advance(at(TODAY)).unwrap();
    assert!(dropped(&engine, "xp", day(1)));

    engine.store().builds_fail.store(true, Ordering::Relaxed);
    let failed = engine.replace_rules(rules(&[board("xp", 3)])).unwrap_err();
    assert_eq!(failed.code(), Code::StoreUnavailable);
    assert_eq!(engine.rules().boards()[0].keep(Window::Daily), Some(3), "in force");
    assert_eq!(engine.advance(at(TODAY + 1)).unwrap_err().code(), Code::StoreUnavailable);
    engine.store().builds_fail.store(false, Ordering::Relaxed);
    engine.advance(at(TODAY + 2)).unwrap();
    assert_eq!(names(&rows(&engine, "xp", day(1))), ["ana"]);
}

/// A daily board that pays, if it keeps any day but today.
fn paying(daily: u32) -> Rules {
    if daily == 0 {
        return rules(&[board("xp", 0)]);
    }
    let pays = r#"[{ "tier": "gold", "ranks": [1, 1], "grant": { "kind": "item", "id": "star", "amount": 1 } }]"#;
    rules(&[format!(
        r#""xp": {{ "value": "grantedXp", "keepPeriods": {{ "daily": {daily} }}, "payouts": {{ "daily": {pays} }} }}"#
    )])
}

#[test]
fn nobody_goes_unpaid_because_boards_could_not_be_built() {
    let engine = Engine::new(paying(3), Watched::default());
    engine.submit(&progression("e", "ana", TODAY - 2 * DAY, 10));
    engine.replace_rules(paying(0)).unwrap();
    engine.advance(at(TODAY)).unwrap();
    engine.store().builds_fail.store(true, Ordering::Relaxed);
    assert!(engine.replace_rules(paying(3)).is_err());

    let codes = || {
        let archive = engine.board("xp").unwrap().archive(day(2), at(TODAY)).map(drop);
        let payout = engine.payout("xp", day(2), at(TODAY)).map(drop);
        let closed = engine.pay_closed(None, at(TODAY)).map(drop);
        [archive, payout, closed].map(|result| result.map_err(|error| error.code()))
    };
    assert_eq!(codes(), [Err(Code::StoreUnavailable); 3]);
    engine.store().builds_fail.store(false, Ordering::Relaxed);
    let run = engine.pay_closed(None, at(TODAY)).unwrap();
    assert_eq!(run.periods.iter().map(|period| period.paid).collect::<Vec<_>>(), [1]);
    assert_eq!(codes(), [Ok(()); 3]);
}

/// It is for people to read: what cannot be noted is paid, and counted.
#[test]
fn the_rows_of_a_paid_period_are_noted_and_nobody_goes_unpaid_for_want_of_that() {
    let engine = Engine::new(paying(3), Watched::default());
    for (event, player, ts, xp) in
        [("e1", "ana", TODAY - 2 * DAY, 10), ("e2", "bo", TODAY - 2 * DAY, 7), ("e3", "bo", TODAY - DAY, 5)]
    {
        engine.submit(&progression(event, player, ts, xp));
    }
    engine.advance(at(TODAY)).unwrap();
    let noted = || {
        let noted = engine.store().noted.lock().unwrap();
        noted.values().map(|rows| names(rows).join(" ")).collect::<Vec<_>>()
    };
    engine.store().notes_fail.store(true, Ordering::Relaxed);
    let run = engine.pay_closed(None, at(TODAY)).unwrap();
    assert_eq!(run.periods.iter().map(|period| period.paid).collect::<Vec<_>>(), [1, 1]);
    assert_eq!(run.mark, Some(at(TODAY)), "it is not gone over again for that");
    assert!(noted().is_empty());
    assert_eq!(["unnoted", "unnoted.store_unavailable"].map(|name| engine.stats().get(name)), [2; 2]);

    engine.store().notes_fail.store(false, Ordering::Relaxed);
    engine.payout("xp", day(2), at(TODAY)).unwrap();
    assert_eq!(noted(), ["ana bo"], "made good, with those who get nothing");
    engine.pay_closed(None, at(TODAY)).unwrap();
    assert_eq!(noted().len(), 2);
    engine.replace_rules(rules(&[board("xp", 3), board("none", 3)])).unwrap();
    engine.advance(at(TODAY + DAY)).unwrap();
    engine.pay_closed(None, at(TODAY + DAY)).unwrap();
    assert_eq!(noted().len(), 2, "no board that pays nothing, and none where nobody stands");
}

/// Freed by another process or thread between the look at the horizon and the reading of the board.
#[test]
fn a_period_that_is_dropped_while_it_is_read_is_not_an_empty_one() {
    for again in [false, true] {
        let engine = Arc::new(Engine::new(paying(1), Watched::default()));
        engine.submit(&progression("e", "ana", TODAY - DAY, 10));
        engine.advance(at(TODAY)).unwrap();
        let beside = Arc::clone(&engine);
        let drop_it = move || {
            if again {
                // Not by time, but by rules that keep less for a moment; and what comes back is not built at once.
                beside.replace_rules(paying(0)).unwrap();
                beside.advance(at(TODAY)).unwrap();
                beside.store().builds_fail.store(true, Ordering::Relaxed);
                assert!(beside.replace_rules(paying(1)).is_err());
                beside.store().builds_fail.store(false, Ordering::Relaxed);
            } else {
                beside.advance(at(TODAY + 2 * DAY)).unwrap();
            }
        };
        assert!(engine.store().before_read.set(Box::new(drop_it)).is_ok());
        let payout = engine.payout("xp", day(1), at(TODAY)).map(|payout| payout.awards.len());
        let wanted = if again { Ok(1) } else { Err(Code::PeriodDropped) };
        assert_eq!(payout.map_err(|error| error.code()), wanted);
        assert!(engine.store().was_read.load(Ordering::Relaxed));
    }
}

#[test]
fn a_store_that_could_not_be_named_is_named_by_the_next_advance() {
    let store = Watched::default();
    store.headers_fail.store(true, Ordering::Relaxed);
    let engine = Engine::new(rules(&[board("xp", 1)]), store);
    assert_eq!(engine.advance(at(TODAY)).unwrap_err().code(), Code::StoreUnavailable);
    engine.store().headers_fail.store(false, Ordering::Relaxed);
    engine.advance(at(TODAY)).unwrap();
    assert_eq!(engine.store().header().unwrap(), engine.rules().header());
}

#[test]
fn a_store_whose_horizon_cannot_be_read_is_opened_by_nobody_and_stays_as_it_is() {
    let store = Arc::new(Watched::default());
    store.loads_fail.store(true, Ordering::Relaxed);
    let opened = Engine::open(rules(&[board("xp", 1)]), Arc::clone(&store));
    assert_eq!(opened.map(drop).unwrap_err().code(), Code::StoreUnavailable);
    assert_eq!(store.header().unwrap(), Header::default());
}

/// A deployment adds a season and a change of the clocks; the process of before begins again, and later the new one.
#[test]
fn a_process_of_before_a_deployment_opens_what_the_later_one_left() {
    let season = |label: &str, from: &str, until: &str| {
        format!(r#"{{ "label": "{label}", "from": "2026-{from}-01T00:00:00Z", "until": "2026-{until}-01T00:00:00Z" }}"#)
    };
    let with = |seasons: &[String]| {
        let table = seasons.join(", ");
        rules_with(&[board("xp", 1)], &format!(r#", "calendar": {{ "seasons": {{ "table": [ {table} ] }} }}"#))
    };
    let (one, two) = (season("one", "01", "04"), season("two", "04", "07"));
    let (before, after) = (with(std::slice::from_ref(&one)), with(&[one, two]));
    let engine = Engine::new(before.clone(), MemoryStore::new());
    engine.replace_rules(after.clone()).unwrap();
    let open = |rules: &Rules, bytes: &[u8]| Engine::open(rules.clone(), MemoryStore::restore(bytes).unwrap());
    let engine = open(&before, &engine.store().snapshot()).unwrap();
    let Header { calendar, rules, .. } = engine.store().header().unwrap();
    assert_eq!(calendar, after.header().calendar, "what is known stays known");
    assert_eq!(rules, [after.identity(), before.identity()]);
    let engine = open(&after, &engine.store().snapshot()).unwrap();
    // To take a season away from rules in force is no beginning anew.
    assert_eq!(engine.replace_rules(before).unwrap_err().code(), Code::BoardIncompatible);
    let other = with(&[season("other", "02", "03")]);
    assert_eq!(open(&other, &engine.store().snapshot()).unwrap_err().code(), Code::BoardIncompatible);
}

#[test]
fn opening_drops_what_is_past() {
    let engine = Engine::new(rules(&[board("xp", 1)]), MemoryStore::new());
    engine.submit(&progression("e", "ana", TODAY, 10));
    engine.advance(at(TODAY + 3 * DAY)).unwrap();
    assert!(dropped(&engine, "xp", day(0)));
    // The record has its entry until the player's next write; the boards of a copy are those of the original all the same.
    assert!(!engine.record(&player("ana")).unwrap().unwrap().standings.is_empty());
    assert!(dropped(&restored(&engine), "xp", day(0)));
    assert_eq!(engine.size().unwrap(), restored(&engine).size().unwrap());
}

/// The clock went on, the store did not.
#[test]
fn three_weeks_asleep_each_closing_is_paid_once_and_what_was_dropped_is_named() {
    const WEEK: i64 = 7 * DAY;
    let pays = r#""payouts": { "daily": [ { "tier": "best", "ranks": [1, 1], "grant": { "kind": "item", "id": "star", "amount": 1 } } ],
        "weekly": [ { "tier": "gold", "ranks": [1, 1], "grant": { "kind": "item", "id": "crown", "amount": 1 } } ] }"#;
    let xp = format!(r#""xp": {{ "value": "grantedXp", "keepPeriods": {{ "daily": 5, "weekly": 8 }}, {pays} }}"#);
    let rules = rules(&[xp]);
    let engine = Engine::new(rules.clone(), MemoryStore::new());
    for (event, name, ts) in [("e1", "ana", TODAY - WEEK), ("e2", "bo", TODAY)] {
        assert_eq!(engine.submit(&progression(event, name, ts, 10)).code(), "applied");
    }
    engine.advance(at(TODAY)).unwrap();
    let mark = engine.pay_closed(None, at(TODAY)).unwrap().mark;
    let bytes = engine.store().snapshot();

    let clock = at(TODAY + 3 * WEEK);
    let engine = Engine::open(rules, MemoryStore::restore(&bytes).unwrap()).unwrap();
    assert_eq!(names(&rows(&engine, "xp", day(0))), ["bo"], "as it fell asleep");
    engine.advance_by_clock(clock, clock).unwrap();
    let run = engine.pay_closed(mark, clock).unwrap();
    let paid: Vec<_> = run.periods.iter().map(|p| (p.board.period.window, p.paid, p.paid_before)).collect();
    assert_eq!(paid, [(Window::Weekly, 1, 0)], "the week of before, once");
    let dropped: Vec<_> = run.dropped.iter().map(|d| (d.window, d.first, d.last)).collect();
    let today = START / DAY;
    assert_eq!(dropped, [(Window::Daily, today, today + 15)], "of 21 closed days five are kept");
    let again = engine.pay_closed(mark, clock).unwrap();
    assert_eq!((again.periods[0].paid, again.periods[0].paid_before), (0, 1));
    assert!(engine.pay_closed(run.mark, clock).unwrap().periods.is_empty());
}
