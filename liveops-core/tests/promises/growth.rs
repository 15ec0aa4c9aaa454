//! Tables and logs that grow, shrink and are used again; memory that is given back.

// A counting allocator has no safe form.
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::io::{self, Write};

use liveops_core::store::digest_of;
use liveops_core::{Action, Command, Engine, Key, MemoryStore, Outcome, Record, Rules, Scan as _, Store as _, Window};

use crate::common::{DAY, PAST, Rng, START, at, operator, player, progression, received};
use crate::ends;

/// Counts what each thread has taken and not given back.
struct Counted;

thread_local! {
    static BYTES: Cell<isize> = const { Cell::new(0) };
}

fn count(bytes: isize) {
    // A thread that ends may free after its counter is gone.
    let _ = BYTES.try_with(|taken| taken.set(taken.get() + bytes));
}

#[global_allocator]
static ALLOCATOR: Counted = Counted;

// SAFETY: every call is the system's, with the arguments as they came.
unsafe impl GlobalAlloc for Counted {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size().cast_signed());
        // SAFETY: as above.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        count(-layout.size().cast_signed());
        // SAFETY: as above.
        unsafe { System.dealloc(at, layout) }
    }
    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size.cast_signed() - layout.size().cast_signed());
        // SAFETY: as above.
        unsafe { System.realloc(at, layout, size) }
    }
}

fn bytes() -> isize {
    BYTES.get()
}

fn rules() -> Rules {
    let text = r#"{ "version": 1, "game": "emberfall", "limits": { "maxPastSeconds": 129600 },
        "boards": { "xp": { "value": "grantedXp", "keepPeriods": { "daily": 1, "allTime": 0 } } } }"#;
    Rules::from_json(text).unwrap()
}

fn submit(engine: &Engine<MemoryStore>, commands: impl IntoIterator<Item = Command>) {
    let commands: Vec<_> = commands.into_iter().collect();
    for batch in commands.chunks(1_000) {
        for outcome in engine.submit_batch(batch) {
            assert!(matches!(outcome, Outcome::Applied(_)), "{outcome:?}");
        }
    }
}

fn play(players: u64, round: u64, now: i64) -> impl Iterator<Item = Command> {
    (0..players).map(move |n| {
        let id = format!("{round:08x}-0000-4000-8000-{n:012x}");
        progression(&id, &format!("player-{n}"), now, 5)
    })
}

/// Days of outcomes take what a day takes.
#[test]
fn outcomes_that_expired_give_their_memory_back() {
    const PLAYERS: u64 = 1_500;
    const EVENTS: u64 = 6;
    let engine = Engine::new(rules(), MemoryStore::new());
    let mut days = Vec::new();
    for day in 0..8 {
        let now = START + day * DAY;
        for event in 0..EVENTS {
            submit(&engine, play(PLAYERS, u64::try_from(day).unwrap() * EVENTS + event, now));
        }
        let full = bytes();
        engine.advance_far(at(now + PAST + 1)).unwrap();
        assert_eq!(engine.store().size().outcomes, 0);
        days.push((full, bytes()));
    }
    println!("full and left: {days:?}");
    let (first, last) = (days[3], days[7]);
    let taken = last.0 - last.1;
    let outcomes = isize::try_from(PLAYERS * EVENTS).unwrap();
    assert!(taken > 60 * outcomes, "there was something to give back: {taken}");
    assert!(last.1 - first.1 < taken / 20, "it adds up: {days:?}");
    // What stays is the players: twice as many outcomes leave hardly more.
    let now = START + 8 * DAY;
    (0..2 * EVENTS).for_each(|event| submit(&engine, play(PLAYERS, 1_000 + event, now)));
    engine.advance_far(at(now + PAST + 1)).unwrap();
    assert!(bytes() - last.1 < taken / 5, "{} of {taken} bytes more are left", bytes() - last.1);
}

#[test]
fn players_who_were_forgotten_give_their_memory_back() {
    const PLAYERS: u64 = 2_000;
    let empty = bytes();
    let engine = Engine::new(rules(), MemoryStore::new());
    let mut left = Vec::new();
    for round in 0..5 {
        let now = START + round * 10 * DAY;
        submit(&engine, play(PLAYERS, u64::try_from(round).unwrap(), now));
        let full = bytes() - empty;
        let erase = |n| operator(&format!("x{round}"), &format!("player-{n}"), now + 1, Action::Erase);
        submit(&engine, (0..PLAYERS).map(erase));
        engine.advance_far(at(now + 5 * DAY)).unwrap();
        assert_eq!((engine.store().size().players, engine.store().size().outcomes), (0, 0));
        assert!(engine.store().scan(0, None, None, 9).unwrap().is_empty());
        left.push((full, bytes() - empty));
    }
    println!("full and left: {left:?}");
    let (full, first) = left[0];
    // Boards keep the numbers of players, and room for as many, for those who come.
    assert!(first < full / 2, "{first} of {full} bytes are left");
    let last = left.last().unwrap().1;
    assert!(last < first + full / 10, "it adds up: {left:?}");
    drop(engine);
    assert!(bytes() - empty < 65_536, "{} bytes are left of a store that is gone", bytes() - empty);
}

/// Changes every player in the first writes of a snapshot, then goes on or fails.
struct Changing<'e> {
    engine: &'e Engine<MemoryStore>,
    writes: u64,
    fails: bool,
}

impl Write for Changing<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writes += 1;
        if self.writes <= 3 {
            submit(self.engine, play(1_500, self.writes, START));
        }
        if self.fails && self.writes == 3 { Err(io::Error::other("full")) } else { Ok(bytes.len()) }
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Nothing is held for a snapshot that has ended, well or not.
#[test]
fn snapshots_give_their_memory_back() {
    let taken = |snapshot: Option<bool>| {
        let before = bytes();
        let engine = Engine::new(rules(), MemoryStore::new());
        submit(&engine, play(1_500, 0, START));
        match snapshot {
            Some(fails) => {
                let mut to = Changing { engine: &engine, writes: 0, fails };
                assert_eq!(engine.snapshot(&mut to).is_err(), fails);
                assert!(to.writes >= 3);
                // A second that nobody disturbs.
                engine.snapshot(&mut io::sink()).unwrap();
            }
            None => (1..=3).for_each(|round| submit(&engine, play(1_500, round, START))),
        }
        engine.digest().unwrap();
        bytes() - before
    };
    ends(|| {
        let (calm, whole, failed) = (taken(None), taken(Some(false)), taken(Some(true)));
        println!("{calm} bytes, with a snapshot {whole}, with one that failed {failed}");
        assert!(whole.max(failed) - calm < calm / 20, "{calm}, {whole}, {failed}");
    });
}

/// Everything a store holds against a map of what was put in: thousands of players and outcomes come and go.
#[test]
fn thousands_come_and_go_and_all_are_found() {
    for seed in 1..=2 {
        println!("seed {seed}");
        let engine = Engine::new(rules(), MemoryStore::new());
        let mut rng = Rng(seed);
        let mut xp = BTreeMap::<String, u64>::new();
        let mut outcomes = BTreeMap::<Key, i64>::new();
        let mut erased = BTreeMap::<String, i64>::new();
        let mut now = START;
        for round in 0..8 {
            now += rng.millis(DAY);
            let mut names: Vec<_> = (0..1_200).map(|_| format!("n{}", rng.below(4_000))).collect();
            names.sort();
            names.dedup();
            let batch: Vec<_> = names
                .iter()
                .flat_map(|name| (0..=rng.millis(3)).map(|n| (name, n, rng.millis(9))).collect::<Vec<_>>())
                .map(|(name, n, what)| {
                    let (id, ts) = (format!("e{round}-{n}"), now + n - what * DAY / 10);
                    let is_erasure = what == 0;
                    let command =
                        if is_erasure { operator(&id, name, ts, Action::Erase) } else { progression(&id, name, ts, 7) };
                    received(command, now)
                })
                .collect();
            for chunk in batch.chunks(700) {
                for (command, outcome) in chunk.iter().zip(engine.submit_batch(chunk)) {
                    let name = command.player.as_str().to_owned();
                    if !matches!(outcome, Outcome::Applied(_)) {
                        assert_eq!(outcome.code(), "player_erased");
                        continue;
                    }
                    let ts = command.ts.as_unix_millis();
                    if command.action == Action::Erase {
                        outcomes.retain(|key, _| key.player() != Some(&command.player));
                        xp.remove(&name);
                        erased.insert(name, ts);
                    } else {
                        *xp.entry(name.clone()).or_default() += 7;
                        erased.remove(&name);
                    }
                    outcomes.insert(Key::Outcome(command.player.clone(), command.id.clone()), ts);
                }
            }
            if round % 2 == 1 {
                engine.advance(at(now)).unwrap();
                outcomes.retain(|_, ts| *ts >= now - PAST);
                erased.retain(|_, through| *through >= now - PAST);
            }
            let keys: Vec<_> = outcomes.keys().cloned().collect();
            let answers = engine.store().load(&keys);
            let found = keys.iter().zip(answers).all(|(key, answer)| match answer.unwrap() {
                Some(Record::Outcome(outcome)) => outcome.ts.as_unix_millis() == outcomes[key],
                _ => false,
            });
            assert!(found, "round {round}: all outcomes");
            for name in (0..4_000).map(|n| format!("n{n}")) {
                let record = engine.record(&player(&name)).unwrap();
                let expected = xp.get(&name).copied().or_else(|| erased.get(&name).map(|_| 0));
                assert_eq!(record.map(|record| record.xp), expected, "round {round}: {name}");
            }
            let size = engine.store().size();
            assert_eq!((size.players, size.outcomes), ((xp.len() + erased.len()) as u64, outcomes.len() as u64));
        }
        let rows = engine.board("xp").unwrap().top(Window::AllTime, 10_000, at(now)).unwrap();
        let on_board: BTreeMap<_, _> =
            rows.iter().map(|row| (row.owner.to_string(), row.score.unsigned_abs())).collect();
        assert_eq!(on_board, xp);
        assert_eq!(engine.store().digest(), digest_of(engine.store()).unwrap());
        assert_eq!(MemoryStore::restore(&engine.store().snapshot()).unwrap().digest(), engine.store().digest());
    }
}
