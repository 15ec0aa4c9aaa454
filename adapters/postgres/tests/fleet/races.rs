//! Many writers at once: sums stay exact, boards agree, closed periods stay closed, an advance gets its turn, and nothing deadlocks.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use liveops_core::record::Command;
use liveops_core::{Engine, EventId, Timestamp, Window};
use liveops_testbed::Postgres;

use crate::game::{Random, Store, at, fresh, open, options, player, rules, server, xp};

const PLAYERS: u64 = 17;
const ROUNDS: u64 = 40;
const BATCH: u64 = 24;

fn connect(url: &str, game: &str, connections: usize) -> Engine<Store> {
    Engine::open(rules(game), open(url, options(game).connections(connections))).unwrap()
}

/// What the server's log says of deadlocks: who waited where.
fn deadlocks(server: &Postgres) -> Vec<String> {
    let log = server.sql("SELECT pg_read_file(current_setting('data_directory') || '/../log')").unwrap();
    let is_told = |line: &&str| !line.starts_with('\t') && !line.contains("STATEMENT");
    let lines: Vec<&str> = log.lines().filter(is_told).collect();
    let met = lines.iter().enumerate().filter(|(_, line)| line.contains("deadlock detected"));
    met.map(|(at, _)| lines[at.saturating_sub(12)..].iter().take(18).copied().collect::<Vec<_>>().join("\n")).collect()
}

/// Everything that a process answers about a board.
fn rows(engine: &Engine<Store>, window: Window, now: Timestamp) -> String {
    engine.catch_up().unwrap();
    format!("{:?}", engine.board("xp").unwrap().top(window, 1_000, now).unwrap())
}

/// Two processes, three threads each, the same players in any order; beside them one who erases and one who advances.
#[test]
fn sums_are_exact_and_nothing_deadlocks() {
    let server = Postgres::start(&["deadlock_timeout=50ms", "log_lock_waits=on"]).unwrap();
    let seed = u64::from(std::process::id());
    println!("seed {seed}");
    let start = at("2026-11-06T12:00:00Z");
    let (taken, erased) = (AtomicU64::new(0), AtomicU64::new(0));
    let done = AtomicBool::new(false);
    let one = connect(&server.url(), "race", 4);
    let other = connect(&server.url(), "race", 4);
    std::thread::scope(|scope| {
        let writers: Vec<_> = (0..6_u64)
            .map(|writer| {
                let (engine, taken) = (if writer % 2 == 0 { &one } else { &other }, &taken);
                scope.spawn(move || {
                    let mut random = Random(seed ^ (writer + 1) << 32);
                    for round in 0..ROUNDS {
                        let mut lines = Vec::new();
                        for n in 0..BATCH {
                            // `v` are those who are erased on the way.
                            let kind = if n % 6 == 5 { 'v' } else { 'p' };
                            let who = format!("{kind}{}", random.below(PLAYERS));
                            lines.extend(xp(&format!("w{writer}-{round}-{n}"), &who, 1, start));
                        }
                        // Whoever lost against others eight times is told so, and sends it again.
                        for attempt in 0.. {
                            assert!(attempt < 100, "seed {seed}: nothing gets done");
                            let codes: Vec<_> =
                                engine.submit_ndjson(&lines, start).iter().map(|o| o.code().to_owned()).collect();
                            let unsettled =
                                |code: &&String| !["applied", "replayed", "player_erased"].contains(&code.as_str());
                            match codes.iter().find(unsettled).map(String::as_str) {
                                None => break,
                                Some("contended" | "not_attempted") => {}
                                Some(other) => panic!("seed {seed}: {other}"),
                            }
                        }
                        taken.fetch_add(BATCH, Ordering::Relaxed);
                    }
                })
            })
            .collect();
        scope.spawn(|| {
            let mut random = Random(seed ^ 7);
            for n in 0.. {
                if done.load(Ordering::Relaxed) {
                    break;
                }
                let id = EventId::new(&format!("erase-{n}")).unwrap();
                let command = Command::erase(id, player(&format!("v{}", random.below(PLAYERS))), start);
                let code = one.submit(&command).code().to_owned();
                assert!(["applied", "contended", "player_erased"].contains(&code.as_str()), "seed {seed}: {code}");
                erased.fetch_add(u64::from(code == "applied"), Ordering::Relaxed);
            }
        });
        scope.spawn(|| {
            for n in 1.. {
                if done.load(Ordering::Relaxed) {
                    break;
                }
                other.advance(start.plus_millis(n)).unwrap();
            }
        });
        for writer in writers {
            writer.join().unwrap();
        }
        done.store(true, Ordering::Relaxed);
    });
    let total: u64 = (0..PLAYERS).map(|n| one.record(&player(&format!("p{n}"))).unwrap().map_or(0, |r| r.xp())).sum();
    assert_eq!(total, 6 * ROUNDS * BATCH * 5 / 6, "seed {seed}: five of six went to players who stay");
    assert!(erased.load(Ordering::Relaxed) > 0, "somebody was erased meanwhile");
    let fresh = connect(&server.url(), "race", 1);
    for window in [Window::Daily, Window::Weekly, Window::Seasonal] {
        let wanted = rows(&fresh, window, start);
        assert_eq!(rows(&one, window, start), wanted, "seed {seed}");
        assert_eq!(rows(&other, window, start), wanted, "seed {seed}");
    }
    let met = deadlocks(&server);
    assert!(met.is_empty(), "seed {seed}: {}", met.join("\n\n"));
}

/// Players whom everybody writes for the first time at once, some of them known by then and some not.
#[test]
fn newcomers_that_several_processes_meet_at_once_deadlock_nobody() {
    let server = Postgres::start(&["deadlock_timeout=50ms", "log_lock_waits=on"]).unwrap();
    let seed = u64::from(std::process::id());
    println!("seed {seed}");
    let now = at("2026-11-06T12:00:00Z");
    let engines = [connect(&server.url(), "new", 4), connect(&server.url(), "new", 4)];
    for round in 0..60_u64 {
        std::thread::scope(|scope| {
            for writer in 0..8_u64 {
                let engine = &engines[(writer % 2) as usize];
                scope.spawn(move || {
                    let mut random = Random(seed ^ round << 32 ^ writer << 16);
                    let line = |n| xp(&format!("w{writer}-{n}"), &format!("r{round}-{}", random.below(24)), 1, now);
                    let lines: Vec<u8> = (0..16).flat_map(line).collect();
                    while engine.submit_ndjson(&lines, now).iter().any(|o| !["applied", "replayed"].contains(&o.code()))
                    {
                    }
                });
            }
        });
    }
    let met = deadlocks(&server);
    assert!(met.is_empty(), "seed {seed}: {} times: {}", met.len(), met.join("\n\n"));
    let total: u64 = server.sql("SELECT sum(xp) FROM liveops.player_progress").unwrap().parse().unwrap();
    assert_eq!(total, 60 * 8 * 16);
}

/// What was decided before a period closed and comes to the store later conflicts, however long it waited for the horizon.
#[test]
fn nobody_counts_in_a_period_once_an_advance_past_it_has_returned() {
    let game = fresh("closing");
    let writing = connect(&server().url(), &game, 6);
    let closing = connect(&server().url(), &game, 2);
    let first = at("2026-11-01T23:59:00Z");
    for day in 0..12 {
        let before = first.plus_millis(day * 86_400_000);
        let done = AtomicBool::new(false);
        let counted = std::thread::scope(|scope| {
            for writer in 0..4 {
                let (writing, done) = (&writing, &done);
                scope.spawn(move || {
                    for n in 0.. {
                        if done.load(Ordering::Relaxed) {
                            break;
                        }
                        let line = xp(&format!("d{day}-{writer}-{n}"), &format!("p{writer}"), 1, before);
                        let code = writing.submit_ndjson(&line, before)[0].code().to_owned();
                        assert!(["applied", "too_old"].contains(&code.as_str()), "{code}");
                    }
                });
            }
            while writing.record(&player("p0")).unwrap().is_none_or(|r| r.newest_ts() < before) {}
            closing.advance(before.plus_millis(120_000)).unwrap();
            let counted = rows(&closing, Window::Daily, before);
            // They go on for a while: what they write counts elsewhere.
            for _ in 0..10 {
                _ = closing.horizon().unwrap();
            }
            done.store(true, Ordering::Relaxed);
            counted
        });
        assert_eq!(rows(&closing, Window::Daily, before), counted, "day {day} was closed");
        assert_eq!(rows(&writing, Window::Daily, before), counted, "day {day}, seen by the other");
    }
}

/// Commits that take long, as with a synchronous standby far away, always overlap. An advance must not wait until none is there.
#[test]
fn an_advance_gets_its_turn_among_commits_that_never_pause() {
    let server = Postgres::start(&[]).unwrap();
    let now = at("2026-11-06T12:00:00Z");
    let engine =
        Engine::open(rules("busy"), open(&server.url(), options("busy").connections(24).horizon_copies(1))).unwrap();
    server
        .sql(
            "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(0.03); RETURN NULL; END';
             CREATE TRIGGER slow AFTER INSERT ON liveops.outbox FOR EACH STATEMENT EXECUTE FUNCTION slow()",
        )
        .unwrap();
    let done = AtomicBool::new(false);
    let committed = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for writer in 0..23 {
            let (engine, done, committed) = (&engine, &done, &committed);
            scope.spawn(move || {
                for n in 0.. {
                    if done.load(Ordering::Relaxed) {
                        break;
                    }
                    let line = xp(&format!("w{writer}-{n}"), &format!("p{writer}"), 1, now);
                    let code = engine.submit_ndjson(&line, now)[0].code().to_owned();
                    assert_eq!(code, "applied");
                    committed.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        for step in 1..=5 {
            let seen = committed.load(Ordering::Relaxed);
            while committed.load(Ordering::Relaxed) < seen + 46 {
                std::thread::yield_now();
            }
            let advanced = engine.advance(now.plus_millis(step));
            if advanced.is_err() {
                done.store(true, Ordering::Relaxed);
            }
            assert_eq!(advanced.unwrap().now, now.plus_millis(step));
        }
        done.store(true, Ordering::Relaxed);
    });
}
