//! A decision that panics in the middle of a batch loses nothing, of its player or of others.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};

use super::{MemoryStore, at, player};
use crate::Engine;
use crate::board::Row;
use crate::event::{Event, FieldValue, Payload};
use crate::id::{EventId, Id};
use crate::limits::RUN_LEN_MAX;
use crate::plan::Outcome;
use crate::record::{Command, Key, Record};
use crate::rules::Rules;
use crate::store::{Feed as _, Happened, Store as _};
use crate::window::Window;

/// A decision of an event of this name panics, in tests of this crate.
const PANICS: &str = "panics";
const NOW: i64 = 1_794_009_600_000;

fn rules() -> Rules {
    let text = r#"{ "version": 1, "game": "emberfall",
        "rewards": { "kill": { "on": { "event": "boss_kill" }, "grant": { "kind": "currency", "id": "gold", "amount": 1 } } },
        "boards": { "xp": { "value": "grantedXp", "keepPeriods": { "daily": 2, "allTime": 0 } } } }"#;
    Rules::from_json(text).unwrap()
}

fn event(id: &str, name: &str, kind: &str) -> Command {
    let fields: Vec<_> = match kind {
        "progression" => vec![(Id::new("deltaXp").unwrap(), FieldValue::Int(10))],
        _ => vec![(Id::new("bossId").unwrap(), FieldValue::Id(Id::new("hydra").unwrap()))],
    };
    let (id, kind) = (EventId::new(id).unwrap(), Id::new(kind).unwrap());
    let payload = Payload::new(fields).unwrap();
    Command::event(Event { id, player: player(name), ts: at(NOW), kind, payload }, at(NOW))
}

fn top(engine: &Engine<MemoryStore>) -> Vec<Row> {
    engine.catch_up().unwrap();
    engine.board("xp").unwrap().top(Window::AllTime, 1_000, at(NOW)).unwrap()
}

/// The boards as they are built from the records.
fn assert_told(engine: &Engine<MemoryStore>) {
    let copy = Engine::open(engine.rules(), MemoryStore::restore(&engine.store().snapshot()).unwrap()).unwrap();
    assert_eq!(top(engine), top(&copy));
}

/// Everybody's events in turn; the last but one of one of them is `id`.
fn batch(round: usize, players: usize, events: usize, of: usize, id: &str) -> Vec<Command> {
    let mut batch = Vec::new();
    for n in 0..events {
        for who in 0..players {
            let usual = format!("e{round}-{n}");
            let id = if (who, n + 2) == (of, events) { id } else { &usual };
            batch.push(event(id, &format!("p{who}"), if n % 5 == 0 { "boss_kill" } else { "progression" }));
        }
    }
    batch
}

fn panics(engine: &Engine<MemoryStore>, batch: &[Command]) {
    assert!(catch_unwind(AssertUnwindSafe(|| engine.submit_batch(batch))).is_err(), "it did panic");
}

#[test]
fn a_panic_in_a_decision_loses_nothing() {
    // In the first run, and in the second of a player whose first is written by then.
    for events in [6, RUN_LEN_MAX + 6] {
        for of in 0..12 {
            let engine = Engine::new(rules(), MemoryStore::with_feed(100_000));
            engine.submit_batch(&batch(0, 12, 3, 0, "first"));
            let before: Vec<_> =
                (0..12).map(|who| engine.record(&player(&format!("p{who}"))).unwrap().unwrap()).collect();
            panics(&engine, &batch(1, 12, events, of, PANICS));

            // Each has none or all of a run, and outcomes, receipts and feed as the record says.
            let mut versions: Vec<_> = before.iter().map(|record| record.version).collect();
            for entry in engine.store().feed(0, 0, usize::MAX).unwrap() {
                let Happened::Committed(changes) = entry.what else { panic!("{entry:?}") };
                let who: usize = changes.player.as_str()[1..].parse().unwrap();
                assert!(changes.expected == 0 || changes.expected == versions[who], "the feed has no gap");
                versions[who] = changes.record.version;
            }
            let (mut outcomes, mut written) = (0, 0);
            for who in 0..12 {
                let name = player(&format!("p{who}"));
                let record = engine.record(&name).unwrap().unwrap();
                assert_eq!(record.version, versions[who]);
                let more = usize::try_from(record.version - before[who].version).unwrap();
                assert!([0, RUN_LEN_MAX.min(events), events].contains(&more), "whole runs: {more}");
                assert!(who != of || more < events, "not the run that panicked");
                assert!(who != of || more > 0 || record == before[who]);
                outcomes += record.version;
                written += more;
                let keys: Vec<_> = (1..=record.receipts).map(|number| Key::Receipt(name.clone(), number)).collect();
                assert!(engine.store().load(&keys).iter().all(|answer| matches!(answer, Ok(Some(Record::Receipt(_))))));
            }
            assert_eq!(engine.store().size().outcomes, outcomes);
            assert_told(&engine);

            // Sent again without it, everything is applied once, and it ends as if nothing had been.
            let mut again = batch(1, 12, events, of, "instead");
            let results = engine.submit_batch(&again);
            let applied = results.iter().filter(|outcome| matches!(outcome, Outcome::Applied(_))).count();
            let replayed = results.iter().filter(|outcome| matches!(outcome, Outcome::Replayed(_))).count();
            assert_eq!((applied, replayed), (again.len() - written, written));
            let calm = Engine::new(rules(), MemoryStore::new());
            calm.submit_batch(&batch(0, 12, 3, 0, "first"));
            calm.submit_batch(&again);
            assert_eq!(engine.store().digest(), calm.store().digest(), "the player {of}, {events} events");
            assert_eq!(top(&engine), top(&calm));
            // A store that is whole takes the way out too.
            again.truncate(1);
            engine.advance(at(NOW)).unwrap();
            assert_eq!(engine.submit_batch(&again)[0].code(), "replayed");
        }
    }
}

/// A command alone is decided in memory that is held meanwhile.
#[test]
fn a_panic_of_a_command_alone_loses_nothing() {
    let engine = Engine::new(rules(), MemoryStore::with_feed(1_000));
    let calm = Engine::new(rules(), MemoryStore::new());
    for round in 0..4 {
        for (who, kind) in ["boss_kill", "progression", "boss_kill"].into_iter().enumerate() {
            let command = event(&format!("e{round}"), &format!("p{who}"), kind);
            assert_eq!(engine.submit(&command).code(), "applied");
            calm.submit_batch(&[command]);
        }
        for name in ["p0", "p1", "nobody"] {
            let command = event(PANICS, name, "boss_kill");
            assert!(catch_unwind(AssertUnwindSafe(|| engine.submit(&command))).is_err(), "it did panic");
            assert_eq!(engine.store().digest(), calm.store().digest(), "round {round}, {name}");
        }
        assert_eq!(engine.submit(&event(&format!("e{round}"), "p0", "boss_kill")).code(), "replayed");
    }
    assert_eq!((engine.store().size().players, engine.store().size().outcomes), (3, 12));
    assert_eq!((engine.stats().get("applied"), engine.stats().get("replayed")), (12, 4));
    assert_eq!(engine.store().feed(0, 0, usize::MAX).unwrap().len(), 12);
    assert_eq!(top(&engine), top(&calm));
    assert_told(&engine);
    assert_eq!(engine.submit_batch(&batch(9, 3, 2, 0, "more"))[0].code(), "applied");
}

/// Also of a player who was not there, while others play, read and take snapshots.
#[test]
fn threads_go_on_beside_one_that_panics() {
    let engine = Engine::new(rules(), MemoryStore::with_feed(1_000_000));
    let ended = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let (engine, ended) = (&engine, &ended);
        let panicking = scope.spawn(move || {
            for round in 0..60 {
                let batch = batch(round, 20, 3, round % 20, PANICS);
                panics(engine, &batch);
                panics(engine, &[event(PANICS, &format!("nobody{round}"), "progression")]);
            }
        });
        let playing = scope.spawn(move || {
            for round in 0..150 {
                for outcome in engine.submit_batch(&batch(1_000 + round, 20, 2, 0, &format!("c{round}"))) {
                    assert_eq!(outcome.code(), "applied");
                }
            }
        });
        scope.spawn(move || {
            while !ended.load(Ordering::SeqCst) {
                let copy = MemoryStore::restore(&engine.store().snapshot()).unwrap();
                assert!(copy.size().players <= 20);
                engine.catch_up().unwrap();
                engine.advance(at(NOW)).unwrap();
            }
        });
        let results = [panicking.join(), playing.join()];
        ended.store(true, Ordering::SeqCst);
        results.into_iter().for_each(Result::unwrap);
    });
    assert_told(&engine);
    assert_eq!(engine.store().size().players, 20, "nobody whose only run panicked is there");
    for round in 0..60 {
        let batch = batch(round, 20, 3, round % 20, &format!("instead{round}"));
        assert!(engine.submit_batch(&batch).iter().all(|o| matches!(o, Outcome::Applied(_) | Outcome::Replayed(_))));
    }
    let record = |who: usize| engine.record(&player(&format!("p{who}"))).unwrap().unwrap();
    assert!((0..20).all(|who| record(who).version == 150 * 2 + 60 * 3), "each once");
    assert_told(&engine);
}
