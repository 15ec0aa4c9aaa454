//! Many threads, one engine: every command once, sums exact, boards as the records, and no reader sees what never was.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::mpsc::sync_channel;
use std::thread::ScopedJoinHandle;

use liveops_core::decorate::CountingStore;
use liveops_core::event::FieldValue;
use liveops_core::record::{BoardKey, Reason};
use liveops_core::store::digest_of;
use liveops_core::{
    Action, Boards, Command, CommandId, Engine, Key, MemoryStore, Outcome, Record, Rules, Scan as _, Store, Window,
};

use crate::common::{DAY, Rng, START, at, kill, operator, player, progression, received};
use crate::{assert_boards_fit, ends, records};

const BOARDS: [&str; 2] = ["fastest", "xp"];

fn rules() -> Rules {
    let text = r#"{ "version": 1, "game": "emberfall", "limits": { "maxPastSeconds": 129600 },
        "calendar": { "graceSeconds": 3600 },
        "boards": { "xp": { "value": "grantedXp", "keepPeriods": { "daily": 2, "allTime": 0 } },
            "fastest": { "on": "boss_kill", "value": { "field": "durationMs" }, "operator": "best", "order": "asc",
                "keepPeriods": { "daily": 1 } } } }"#;
    Rules::from_json(text).unwrap()
}

fn shuffled(rng: &mut Rng, mut commands: Vec<Command>) -> Vec<Command> {
    for at in (1..commands.len()).rev() {
        commands.swap(at, usize::try_from(rng.below(at as u64 + 1)).unwrap());
    }
    commands
}

/// Sends all, in pieces of any length, until each is settled; returns what was applied.
fn send<S: Store>(engine: &Engine<S>, commands: &[Command], rng: &mut Rng) -> Vec<CommandId> {
    let (mut applied, mut open) = (Vec::new(), commands.to_vec());
    while !open.is_empty() {
        let len = usize::try_from(1 + rng.below(150)).unwrap().min(open.len());
        let batch: Vec<_> = open.drain(..len).collect();
        for (command, outcome) in batch.iter().zip(engine.submit_batch(&batch)) {
            match outcome {
                Outcome::Applied(_) => applied.push(command.id.clone()),
                Outcome::Replayed(_) => {}
                Outcome::Refused(error) if error.is_transient() => open.push(command.clone()),
                other => panic!("{other:?}"),
            }
        }
    }
    applied
}

/// Pages of a board, what is loaded and what is scanned, as long as others write.
fn read(engine: &Engine<MemoryStore>, sent: &BTreeMap<String, Vec<CommandId>>, ended: &AtomicBool, seed: u64) {
    let (mut rng, mut newest) = (Rng(seed), BTreeMap::<&str, (u64, u64)>::new());
    let names: Vec<_> = sent.keys().collect();
    while !ended.load(Ordering::SeqCst) {
        let rows = engine.board("xp").unwrap().top(Window::AllTime, 1_000, at(START)).unwrap();
        assert!(rows.is_sorted_by(|a, b| a.score >= b.score), "best first");
        let owners: BTreeSet<_> = rows.iter().map(|row| &row.owner).collect();
        assert_eq!(owners.len(), rows.len(), "nobody twice");
        assert!(rows.iter().zip(1..).all(|(row, rank)| row.rank == rank), "no rank is left out");

        // The player first: whatever that has taken in has its outcome.
        let name = *rng.of(&names);
        let mut keys = vec![Key::Horizon, Key::Player(player(name))];
        keys.extend(sent[name].iter().map(|id| Key::Outcome(player(name), id.clone())));
        let mut answers = engine.store().load(&keys).into_iter().map(Result::unwrap);
        assert!(matches!(answers.next(), Some(Some(Record::Horizon(_)))));
        let (version, xp) = match answers.next().unwrap() {
            Some(Record::Player(record)) => (record.version, record.xp),
            None => (0, 0),
            other => panic!("{other:?}"),
        };
        let outcomes = answers.flatten().count() as u64;
        assert!(outcomes >= version, "{name}: {outcomes} outcomes, version {version}");
        let known = newest.entry(name).or_default();
        assert!(*known <= (version, xp), "{name}: from {known:?} back to {version}, {xp}");
        *known = (version, xp);

        let page = engine.store().scan(0, None, Some(&Key::Player(player(name))), 40).unwrap();
        assert!(page.is_sorted_by(|a, b| a.0 < b.0), "in the order of keys");
        assert!(engine.size().unwrap().players <= names.len() as u64);
    }
}

#[test]
fn every_command_is_applied_once_by_whichever_thread() {
    ends(|| {
        for seed in 1..=3 {
            println!("seed {seed}");
            let mut rng = Rng(seed);
            let names: Vec<_> = (0..300).map(|n| format!("p{n}")).collect();
            let commands: Vec<_> = (0..2_500)
                .map(|n| {
                    // Some have many, most have a few.
                    let name = if rng.below(3) == 0 { rng.of(&names[..5]) } else { rng.of(&names) };
                    progression(&format!("c{n}"), name, START + rng.millis(1_000), 1 + rng.millis(50))
                })
                .collect();
            let (mut sent, mut sums) = (BTreeMap::<String, Vec<_>>::new(), BTreeMap::<String, u64>::new());
            for command in &commands {
                let name = command.player.as_str().to_owned();
                let Action::Event { payload, .. } = &command.action else { panic!("{command:?}") };
                let Some((_, FieldValue::Int(xp))) = payload.iter().next() else { panic!("{command:?}") };
                *sums.entry(name.clone()).or_default() += xp.unsigned_abs();
                sent.entry(name).or_default().push(command.id.clone());
            }
            let engine = Engine::new(rules(), MemoryStore::new());
            let rival = Engine::new(rules(), CountingStore::new(engine.store()));
            let (ended, applied) = (AtomicBool::new(false), Mutex::new(Vec::new()));
            std::thread::scope(|scope| {
                let writers: Vec<_> = (0..4)
                    .map(|thread| {
                        let (engine, rival, applied) = (&engine, &rival, &applied);
                        let mut rng = Rng(seed * 10 + thread);
                        let mine = shuffled(&mut rng, commands.clone());
                        scope.spawn(move || {
                            let done = match thread {
                                0 => send(rival, &mine, &mut rng),
                                _ => send(engine, &mine, &mut rng),
                            };
                            applied.lock().unwrap().extend(done);
                        })
                    })
                    .collect();
                for reader in 0..2 {
                    let (engine, sent, ended) = (&engine, &sent, &ended);
                    scope.spawn(move || read(engine, sent, ended, seed + reader));
                }
                let results: Vec<_> = writers.into_iter().map(ScopedJoinHandle::join).collect();
                ended.store(true, Ordering::SeqCst);
                results.into_iter().for_each(Result::unwrap);
            });
            let mut applied = applied.into_inner().unwrap();
            applied.sort();
            let mut all: Vec<_> = commands.iter().map(|command| command.id.clone()).collect();
            all.sort();
            assert_eq!(applied, all, "each once");
            for (name, xp) in &sums {
                let record = engine.record(&player(name)).unwrap().unwrap();
                assert_eq!((record.xp, record.version), (*xp, sent[name].len() as u64), "{name}");
            }
            let rows = engine.board("xp").unwrap().top(Window::AllTime, 1_000, at(START)).unwrap();
            let on_board: BTreeMap<_, _> =
                rows.iter().map(|row| (row.owner.to_string(), row.score.unsigned_abs())).collect();
            assert_eq!(on_board, sums);
            assert_boards_fit(&engine, &BOARDS);
            let size = engine.store().size();
            assert_eq!((size.players, size.outcomes), (sums.len() as u64, commands.len() as u64));
        }
    });
}

/// Threads play, hide, erase and begin again, new players come, days end, boards are freed and built, copies are made.
#[test]
fn boards_fit_the_records_after_anything() {
    ends(|| {
        for seed in 1..=3 {
            println!("seed {seed}");
            let engine = Engine::new(rules(), MemoryStore::with_feed(1_000_000));
            let (ended, clock) = (AtomicBool::new(false), AtomicI64::new(START));
            let play = |thread: u64| {
                let mut rng = Rng(seed * 100 + thread);
                for round in 0..120 {
                    let now = clock.load(Ordering::SeqCst);
                    let batch: Vec<_> = (0..=rng.below(60))
                        .map(|n| {
                            let id = format!("c{thread}-{round}-{n}");
                            let name = match rng.below(5) {
                                0 => format!("new{thread}-{round}-{}", n % 5),
                                1 => format!("p{}", rng.below(200)),
                                _ => format!("p{}", rng.below(8)),
                            };
                            let ts = now - rng.millis(60_000);
                            let order = |action| operator(&id, &name, ts, action);
                            let command = match rng.below(14) {
                                0 => order(Action::Erase),
                                1 => order(Action::SetVisibility { hidden: true }),
                                2 => order(Action::SetVisibility { hidden: false }),
                                3 => order(Action::Adjust { xp: 3, reason: Reason::new("a test").unwrap() }),
                                4..7 => kill(&id, &name, ts, "hydra", 1_000 + rng.millis(50)),
                                _ => progression(&id, &name, ts, rng.millis(9)),
                            };
                            received(command, now)
                        })
                        .collect();
                    for outcome in engine.submit_batch(&batch) {
                        assert!(!matches!(outcome, Outcome::Unknown(_)), "{outcome:?}");
                    }
                }
            };
            std::thread::scope(|scope| {
                let play = &play;
                let writers: Vec<_> = (0..3).map(|thread| scope.spawn(move || play(thread))).collect();
                let (engine, ended, clock) = (&engine, &ended, &clock);
                scope.spawn(move || {
                    for _ in 0..400 {
                        if ended.load(Ordering::SeqCst) {
                            break;
                        }
                        let now = clock.fetch_add(DAY / 60, Ordering::SeqCst) + DAY / 60;
                        engine.advance(at(now)).unwrap();
                        std::thread::yield_now();
                    }
                });
                scope.spawn(move || {
                    let mut round = 0_i64;
                    while !ended.load(Ordering::SeqCst) {
                        round += 1;
                        let keep = move |key: &BoardKey| key.period.index % 4 != round % 4;
                        engine.store().retain(&keep).unwrap();
                        engine.store().rebuild(&|_| true).unwrap();
                    }
                });
                scope.spawn(move || {
                    while !ended.load(Ordering::SeqCst) {
                        let bytes = engine.store().snapshot();
                        let copy = MemoryStore::restore(&bytes).unwrap();
                        assert!(records(&copy.snapshot()) == records(&bytes), "the same records");
                        engine.digest().unwrap();
                        engine.catch_up().unwrap();
                    }
                });
                let results: Vec<_> = writers.into_iter().map(ScopedJoinHandle::join).collect();
                ended.store(true, Ordering::SeqCst);
                results.into_iter().for_each(Result::unwrap);
            });
            engine.store().rebuild(&|_| true).unwrap();
            assert_boards_fit(&engine, &BOARDS);
            let copy = MemoryStore::restore(&engine.store().snapshot()).unwrap();
            let (one, other) = (engine.store().size(), copy.size());
            assert_eq!((one.players, one.outcomes), (other.players, other.outcomes));
            assert_eq!(copy.digest(), engine.store().digest());
            assert_eq!(copy.digest(), digest_of(engine.store()).unwrap());
        }
    });
}

/// What one thread committed, another that hears of it finds, wherever it looks.
#[test]
fn what_is_answered_is_there_for_everybody() {
    ends(|| {
        let engine = Engine::new(rules(), MemoryStore::new());
        let (tell, heard) = sync_channel::<(String, i64)>(4);
        std::thread::scope(|scope| {
            let engine = &engine;
            for thread in 0..2 {
                let tell = tell.clone();
                scope.spawn(move || {
                    for n in 0..400_i64 {
                        let name = format!("p{thread}-{}", n % 130);
                        let outcome = engine.submit(&progression(&format!("e{n}"), &name, START + n, 10));
                        assert_eq!(outcome.code(), "applied");
                        tell.send((name, n / 130 + 1)).unwrap();
                    }
                });
            }
            drop(tell);
            for (name, events) in heard {
                let name = player(&name);
                let rank = engine.board("xp").unwrap().at(Window::AllTime, at(START)).unwrap().rank(&name).unwrap();
                assert!(rank.is_some(), "{name} on the board");
                let record = engine.record(&name).unwrap().unwrap();
                assert!(record.xp.cast_signed() >= 10 * events);
                let found = engine.store().scan_player(&name, None, None, 100).unwrap();
                assert!(i64::try_from(found.len()).unwrap() > events, "its outcomes are scanned");
                let page = engine.store().scan(0, None, None, usize::MAX).unwrap();
                assert!(page.iter().any(|(key, _)| *key == Key::Player(name.clone())), "and it, among all");
            }
        });
        assert_eq!(engine.store().size().players, 260);
        assert_eq!(engine.store().digest(), engine.digest().unwrap());
    });
}

/// Several ingest the same lines, each over threads of its own, while others submit them one by one.
#[test]
fn lines_that_several_take_in_at_once_count_once() {
    ends(|| {
        let engine = Engine::new(rules(), MemoryStore::new());
        let mut text = String::new();
        for n in 0..3_000 {
            let (name, second) = (n % 37 * n % 90, START / 1_000);
            let payload = r#"{"deltaXp":3}"#;
            let line = format!(
                r#"{{"id":"e{n}","type":"progression","playerId":"p{name}","ts":{second},"payload":{payload}}}"#
            );
            text.push_str(if n % 100 == 7 { "no event" } else { &line });
            text.push('\n');
        }
        let lines: Vec<_> = text.lines().collect();
        let told: Vec<Vec<&'static str>> = std::thread::scope(|scope| {
            let (engine, text, lines) = (&engine, &text, &lines);
            let ingesting = (1..4).map(|threads| {
                scope.spawn(move || {
                    let threads = NonZeroUsize::new(threads).unwrap();
                    let batch = engine.ingest_ndjson(text.as_bytes(), at(START), threads);
                    let codes: Vec<_> = (0..batch.len()).map(|row| batch.code(row).unwrap()).collect();
                    for (code, count) in batch.counts() {
                        assert_eq!(codes.iter().filter(|known| **known == code).count() as u64, count);
                    }
                    codes
                })
            });
            let ingesting: Vec<_> = ingesting.collect();
            let single = scope.spawn(move || {
                let each = lines.iter().map(|line| engine.submit_ndjson(line.as_bytes(), at(START))[0].code());
                each.collect::<Vec<_>>()
            });
            ingesting.into_iter().chain([single]).map(|thread| thread.join().unwrap()).collect()
        });
        let mut xp = BTreeMap::<String, u64>::new();
        for (row, line) in lines.iter().enumerate() {
            let of: Vec<_> = told.iter().map(|codes| codes[row]).collect();
            let count = |code: &str| of.iter().filter(|known| **known == code).count();
            let expected = usize::from(*line != "no event");
            assert_eq!(count("applied"), expected, "row {row}: {of:?}");
            assert_eq!(count("replayed"), 3 * expected, "row {row}: {of:?}");
            if expected == 1 {
                let name = line.split(r#""playerId":""#).nth(1).unwrap().split('"').next().unwrap();
                *xp.entry(name.to_owned()).or_default() += 3;
            }
        }
        for (name, xp) in &xp {
            assert_eq!(engine.record(&player(name)).unwrap().unwrap().xp, *xp, "{name}");
        }
        assert_eq!(engine.stats().get("commands"), 4 * 3_000);
        assert_boards_fit(&engine, &BOARDS);
    });
}
