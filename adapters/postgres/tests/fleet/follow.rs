//! Those who follow: a consumer of the feed, a process that was cut off, and boards while players are erased, forgotten and come back.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use liveops_core::record::Command;
use liveops_core::store::{Consumer, Feed as _, Happened};
use liveops_core::{Engine, EventId, Timestamp, Window};
use liveops_testbed::{Postgres, Proxy};

use crate::game::{Random, Session, Store, at, fresh, open, options, player, rules, server, xp};

fn now() -> Timestamp {
    at("2026-11-06T12:00:00Z")
}

/// However transactions overlap and whatever is trimmed behind it.
#[test]
fn a_consumer_is_given_everything_once_and_in_the_order_of_each_player() {
    const WRITERS: u64 = 4;
    const ROUNDS: u64 = 50;
    const BATCH: u64 = 6;
    let seed = u64::from(std::process::id());
    println!("seed {seed}");
    let server = Postgres::start(&[]).unwrap();
    let url = server.url();
    let open = || open(&url, options("feed").connections(4).outbox_entries(64).feed(1_000_000));
    let engines = [Engine::open(rules("feed"), open()).unwrap(), Engine::open(rules("feed"), open()).unwrap()];
    let consumer = Consumer::new("audit").unwrap();
    engines[0].store().ack(&consumer, 0, 0).unwrap();
    let done = AtomicBool::new(false);
    let (mut given, mut versions, mut cursor) = (BTreeSet::new(), BTreeMap::<String, u64>::new(), 0);
    std::thread::scope(|scope| {
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let engine = &engines[usize::from(writer % 2 == 1)];
                scope.spawn(move || {
                    let mut random = Random(seed ^ writer << 32);
                    for round in 0..ROUNDS {
                        let line =
                            |n| xp(&format!("w{writer}-{round}-{n}"), &format!("p{}", random.below(40)), 1, now());
                        let lines: Vec<u8> = (0..BATCH).flat_map(line).collect();
                        let taken = |code: &str| code == "applied" || code == "replayed";
                        while !engine.submit_ndjson(&lines, now()).iter().all(|outcome| taken(outcome.code())) {}
                    }
                })
            })
            .collect();
        // Transactions that take a number early and end late, so that those behind them end first.
        let slow = scope.spawn(|| {
            let session = Session::of(&url);
            while !done.load(Ordering::Relaxed) {
                session.run("BEGIN; SELECT pg_current_xact_id(), pg_sleep(0.03); COMMIT");
            }
        });
        let mut read = |is_last: bool| {
            loop {
                let page = engines[1].store().feed(0, cursor, 37).unwrap();
                for entry in &page {
                    assert!(entry.cursor > cursor, "seed {seed}: cursors rise");
                    cursor = entry.cursor;
                    let Happened::Committed(set) = &entry.what else { continue };
                    let known = versions.entry(set.player.as_str().to_owned()).or_default();
                    assert_eq!(set.expected, *known, "seed {seed}: {}", set.player);
                    *known = set.record.version();
                    for (id, _) in &set.outcomes {
                        assert!(given.insert(id.id.as_str().to_owned()), "seed {seed}: {} twice", id.id);
                    }
                }
                engines[1].store().ack(&consumer, 0, cursor).unwrap();
                if page.is_empty() || !is_last {
                    return;
                }
            }
        };
        while !writers.iter().all(std::thread::ScopedJoinHandle::is_finished) {
            read(false);
        }
        for writer in writers {
            writer.join().unwrap();
        }
        done.store(true, Ordering::Relaxed);
        slow.join().unwrap();
        read(true);
    });
    assert_eq!(given.len() as u64, WRITERS * ROUNDS * BATCH, "seed {seed}");
}

/// What it missed is gone from the outbox when it comes back: it reads the records anew.
#[test]
fn a_process_that_was_cut_off_for_long_shows_everything_once_it_is_back() {
    let server = Postgres::start(&[]).unwrap();
    let proxy = Proxy::start(&server).unwrap();
    let few = || options("cut").outbox_entries(8).timeout(Duration::from_secs(1));
    let writing = Engine::open(rules("cut"), open(&server.url(), few())).unwrap();
    let cut_off = Engine::open(rules("cut"), open(&proxy.url(), few())).unwrap();
    let submit = |ids: std::ops::Range<u64>| {
        for n in ids {
            assert_eq!(
                writing.submit_ndjson(&xp(&format!("e{n}"), &format!("p{}", n % 20), 1, now()), now())[0].code(),
                "applied"
            );
        }
    };
    submit(0..20);
    cut_off.catch_up().unwrap();
    proxy.refuse();
    proxy.cut();
    submit(20..80);
    assert_eq!(cut_off.catch_up().unwrap_err().code().as_str(), "store_unavailable");
    // Its process trims as it follows.
    for attempt in 0.. {
        let kept: u64 = server.sql("SELECT count(*) FROM liveops.outbox").unwrap().parse().unwrap();
        if kept < 60 {
            break;
        }
        assert!(attempt < 300, "{kept} entries are kept");
        std::thread::sleep(Duration::from_millis(20));
    }
    proxy.pass();
    let mut tries = 0;
    while let Err(error) = cut_off.catch_up() {
        tries += 1;
        assert!(tries < 300, "{error:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
    let rows = |engine: &Engine<Store>| {
        format!("{:?}", engine.board("xp").unwrap().top(Window::Seasonal, 100, now()).unwrap())
    };
    writing.catch_up().unwrap();
    assert_eq!(rows(&cut_off), rows(&writing));
    assert_eq!(cut_off.board("xp").unwrap().top(Window::Seasonal, 1, now()).unwrap()[0].score, 4);
    submit(80..81);
    cut_off.catch_up().unwrap();
    assert_eq!(rows(&cut_off), rows(&writing), "and follows again");
}

/// Players who are erased, forgotten and come back under their names, while the horizon rises, in three processes at once.
#[test]
fn boards_agree_after_players_were_erased_forgotten_and_came_back() {
    let seed = u64::from(std::process::id());
    println!("seed {seed}");
    let game = fresh("churn");
    let engines: Vec<_> =
        (0..3).map(|_| Engine::open(rules(&game), open(&server().url(), options(&game))).unwrap()).collect();
    let mut time = now();
    for round in 0..12_u64 {
        std::thread::scope(|scope| {
            for (number, engine) in engines.iter().enumerate() {
                scope.spawn(move || {
                    let mut random = Random(seed ^ round << 32 ^ (number as u64) << 16);
                    for n in 0..12 {
                        let who = format!("v{}", random.below(9));
                        let id = format!("{round}-{number}-{n}");
                        let code = if random.below(4) == 0 {
                            let erase = Command::erase(EventId::new(&id).unwrap(), player(&who), time);
                            engine.submit(&erase).code().to_owned()
                        } else {
                            let at = time.plus_millis(i64::try_from(random.below(60_000)).unwrap());
                            engine.submit_ndjson(&xp(&id, &who, 1, at), time)[0].code().to_owned()
                        };
                        let known = ["applied", "player_erased", "contended", "too_old"];
                        assert!(known.contains(&code.as_str()), "seed {seed}: {code}");
                        if number == 0 && n == 6 {
                            // Those of yesterday are forgotten while others write.
                            engine.advance_far(time.plus_millis(3_600_000)).unwrap();
                        }
                    }
                });
            }
        });
        time = time.plus_millis(if round % 3 == 2 { 30 } else { 7 } * 3_600_000);
        engines[0].advance_far(time).unwrap();
    }
    let fresh = Engine::open(rules(&game), open(&server().url(), options(&game))).unwrap();
    let rows = |engine: &Engine<Store>, window| {
        engine.catch_up().unwrap();
        format!("{:?}", engine.board("xp").unwrap().top(window, 100, time).unwrap())
    };
    for window in [Window::Daily, Window::Weekly, Window::Seasonal] {
        let wanted = rows(&fresh, window);
        for engine in &engines {
            assert_eq!(rows(engine, window), wanted, "seed {seed}, {window:?}");
        }
    }
    assert_eq!(engines[1].digest().unwrap(), fresh.digest().unwrap());
}
