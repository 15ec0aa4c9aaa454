//! `kill -9` of writing processes and of the server, at any moment: nothing that was acknowledged is lost, nothing counts twice.

use std::process::{Command, Stdio};

use liveops_core::{Engine, Outcome, Window};
use liveops_testbed::rivals::{self, Answer, Event, Rivals};
use liveops_testbed::{Postgres, Proxy};

use crate::game::{Session, Store, at, options, player, rules, xp};

/// What a test run has time for; `LIVEOPS_KILLS` asks for more.
const KILLS: u64 = 24;
const GAME: &str = "kills";
const URL: &str = "LIVEOPS_KILLS_URL";

/// As long as it takes: the server may be away.
fn open(url: &str) -> Engine<Store> {
    loop {
        if let Ok(store) = liveops_postgres::PostgresStore::connect_blocking(url, options(GAME))
            && let Ok(engine) = Engine::open(rules(GAME), store)
        {
            return engine;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}

fn send(engine: &Engine<Store>, events: &[Event]) -> Vec<Answer> {
    let now = at("2026-11-06T12:00:00Z");
    let line = |event: &Event| xp(&event.id, &event.player, event.xp.try_into().unwrap(), now);
    let lines: Vec<u8> = events.iter().flat_map(line).collect();
    let answer = |outcome: Outcome| match outcome {
        Outcome::Applied(_) => Answer::Applied,
        Outcome::Replayed(_) => Answer::Replayed,
        other => Answer::Other(other.code().to_owned()),
    };
    engine.submit_ndjson(&lines, now).into_iter().map(answer).collect()
}

#[test]
fn killed_writers_and_servers_lose_nothing_that_was_acknowledged() {
    let seed = rivals::seed();
    println!("LIVEOPS_SEED={seed}");
    let mut server = Postgres::start(&[]).unwrap();
    let url = server.url();
    let command = || {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "kills::a_writer_writes_until_it_is_killed", "--ignored", "--nocapture"]);
        command.env(URL, &url).stderr(Stdio::null());
        command
    };
    let mut rivals = Rivals::start(3, seed, &command).unwrap();
    rivals.kill(rivals::kills(KILLS), &command, || server.kill9().and_then(|()| server.restart())).unwrap();
    let engine = open(&url);
    let report = rivals.settle(|events| send(&engine, events)).unwrap();
    println!("{report:?}");
    assert_eq!(report.lost, 0, "{report:?}");
    assert!(report.hit_work(), "{report:?}");
    let told = ["store_unavailable", "store_outcome_unknown", "contended", "not_attempted"];
    assert!(report.others.keys().all(|code| told.contains(&code.as_str())), "{report:?}");
    let other = open(&url);
    for engine in [&engine, &other] {
        engine.catch_up().unwrap();
        let rows = engine.board("xp").unwrap().top(Window::Seasonal, 100, at("2026-11-06T12:00:00Z")).unwrap();
        assert_eq!(rows.len(), report.xp.len());
        for (name, wanted) in &report.xp {
            assert_eq!(engine.record(&player(name)).unwrap().unwrap().xp(), *wanted, "{name}, {report:?}");
            let row = rows.iter().find(|row| row.owner.as_str() == name).unwrap();
            assert_eq!(row.score.cast_unsigned(), *wanted, "{name} on the board");
        }
    }
}

#[test]
#[ignore = "the process that a test kills"]
fn a_writer_writes_until_it_is_killed() {
    if rivals::is_writer() {
        let engine = open(&std::env::var(URL).unwrap());
        rivals::write(|events| send(&engine, events)).unwrap();
    }
}

const NEXT: &str = "SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint";

fn caught_up(engine: &Engine<Store>) {
    for attempt in 0.. {
        let Err(error) = engine.catch_up() else { break };
        assert!(attempt < 200, "{error:?}");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}

/// A transaction that wrote nothing to the log leaves no trace of its number, and a server that crashed gives it out again: whoever had
/// read on beyond it would not see the commit that gets it.
#[test]
fn numbers_that_a_crash_gives_out_again_hide_nothing() {
    let mut server = Postgres::start(&["wal_writer_delay=10s", "wal_writer_flush_after=1GB"]).unwrap();
    let url = server.url();
    let proxy = Proxy::start(&server).unwrap();
    let (writer, reader) = (open(&url), open(&proxy.url()));
    let event = |n: u64| Event { id: format!("e{n}"), player: format!("p{n}"), xp: 1 };
    let settle = |n: u64| {
        for attempt in 0.. {
            let answers = send(&writer, &[event(n)]);
            if let [Answer::Applied | Answer::Replayed] = answers[..] {
                break;
            }
            assert!(attempt < 200, "{n}: {answers:?}");
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    };
    settle(0);
    let mut is_reused = false;
    // Whether the log was flushed in between is a matter of luck on a busy machine.
    for _ in 0..10 {
        let session = Session::of(&url);
        (0..50).for_each(|_| session.run("BEGIN; SELECT pg_current_xact_id(); ROLLBACK"));
        let before = session.number(NEXT);
        caught_up(&reader);
        // It hears nothing for a while, and finds numbers that are larger than those it knows.
        proxy.refuse();
        proxy.cut();
        server.kill9().unwrap();
        server.restart().unwrap();
        is_reused = Session::of(&url).number(NEXT) < before;
        if is_reused {
            break;
        }
        proxy.pass();
    }
    assert!(is_reused, "no number was given out again");
    for n in 1..=20 {
        settle(n);
    }
    (0..50).for_each(|_| Session::of(&url).run("SELECT pg_current_xact_id()"));
    proxy.pass();
    caught_up(&reader);
    let rows = reader.board("xp").unwrap().top(Window::Seasonal, 100, at("2026-11-06T12:00:00Z")).unwrap();
    assert_eq!(rows.len(), 21, "everybody is there");
}
