//! A standby is promoted: what was answered is there if the server waited for it, and else it is gone as a whole; processes go on over the new
//! primary by themselves, and nobody follows numbers of the old one.

use std::time::Duration;

use liveops_core::error::StoreErrorKind;
use liveops_core::store::{Consumer, Feed as _};
use liveops_core::{Engine, Window};
use liveops_testbed::Postgres;

use crate::game::{Store, at, open, options, player, rules, xp};

const PLAYERS: u64 = 8;

/// Over both servers, whichever takes writes.
fn engine(primary: &Postgres, standby: &Postgres, game: &str) -> Engine<Store> {
    let folder = |server: &Postgres| {
        server.url().split_whitespace().find_map(|word| word.strip_prefix("host=").map(str::to_owned))
    };
    let hosts = format!("host={},{}", folder(primary).unwrap(), folder(standby).unwrap());
    let url = format!("{hosts} user=postgres dbname=postgres target_session_attrs=read-write");
    Engine::open(rules(game), open(&url, options(game).timeout(Duration::from_secs(1)).feed(10_000))).unwrap()
}

fn submit(engine: &Engine<Store>, n: u64) -> String {
    let now = at("2026-11-06T12:00:00Z");
    engine.submit_ndjson(&xp(&format!("e{n}"), &format!("p{}", n % PLAYERS), 1, now), now)[0].code().to_owned()
}

fn again(engine: &Engine<Store>, n: u64) -> String {
    for _ in 0..100 {
        let code = submit(engine, n);
        if code == "applied" || code == "replayed" {
            return code;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("event {n} is taken by nobody");
}

fn sums(engine: &Engine<Store>) -> (u64, i64) {
    let mut caught_up = engine.catch_up();
    for _ in 0..100 {
        if caught_up.is_ok() {
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
        caught_up = engine.catch_up();
    }
    caught_up.unwrap();
    let rows = engine.board("xp").unwrap().top(Window::Seasonal, 100, at("2026-11-06T12:00:00Z")).unwrap();
    let xp = (0..PLAYERS).map(|n| engine.record(&player(&format!("p{n}"))).unwrap().map_or(0, |record| record.xp()));
    (xp.sum(), rows.iter().map(|row| row.score).sum())
}

fn until(server: &Postgres, sql: &str) {
    for _ in 0..500 {
        if server.sql(sql).is_ok_and(|answer| answer == "t") {
            return;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("never: {sql}");
}

#[test]
fn with_a_synchronous_standby_nothing_that_was_answered_is_lost() {
    let mut primary = Postgres::start(&[]).unwrap();
    let standby = primary.standby().unwrap();
    until(&primary, "SELECT count(*) = 1 FROM pg_stat_replication WHERE state = 'streaming'");
    primary.sql("ALTER SYSTEM SET synchronous_standby_names = '*'").unwrap();
    primary.sql("SELECT pg_reload_conf()").unwrap();
    until(&primary, "SELECT count(*) = 1 FROM pg_stat_replication WHERE sync_state = 'sync'");
    let (one, other) = (engine(&primary, &standby, "sync"), engine(&primary, &standby, "sync"));
    let consumer = Consumer::new("audit").unwrap();
    one.store().ack(&consumer, 0, 0).unwrap();
    for n in 0..40 {
        assert_eq!(submit(&one, n), "applied");
    }
    assert_eq!(sums(&other), (40, 40));
    let read = one.store().last(0).unwrap();
    primary.kill9().unwrap();
    assert_eq!(submit(&one, 40), "store_unavailable", "a standby takes no writes");
    standby.sql("SELECT pg_promote()").unwrap();
    // Nobody is left to wait for.
    standby.sql("ALTER SYSTEM RESET synchronous_standby_names").unwrap();
    standby.sql("SELECT pg_reload_conf()").unwrap();
    for n in 0..40 {
        assert_eq!(again(&one, n), "replayed", "{n} was answered");
    }
    assert_eq!(again(&other, 40), "applied");
    for engine in [&one, &other] {
        assert_eq!(sums(engine), (41, 41));
    }
    let gap = one.store().feed(0, read, 10).map(|entries| entries.len()).map_err(|error| error.kind);
    assert_eq!(gap, Err(StoreErrorKind::FeedGap), "another life of the cluster numbers anew");
    assert!(one.store().last(0).unwrap() > read);
}

#[test]
fn without_one_what_had_not_arrived_is_lost_as_a_whole_and_can_be_sent_again() {
    let mut primary = Postgres::start(&[]).unwrap();
    let standby = primary.standby().unwrap();
    let (one, other) = (engine(&primary, &standby, "async"), engine(&primary, &standby, "async"));
    for n in 0..20 {
        assert_eq!(submit(&one, n), "applied");
    }
    until(&primary, "SELECT count(*) = 1 FROM pg_stat_replication WHERE replay_lsn = pg_current_wal_lsn()");
    // It hears nothing more.
    standby.sql("ALTER SYSTEM SET primary_conninfo = ''").unwrap();
    standby.sql("SELECT pg_reload_conf()").unwrap();
    until(&primary, "SELECT count(*) = 0 FROM pg_stat_replication");
    for n in 20..40 {
        assert_eq!(submit(&one, n), "applied");
    }
    assert_eq!(sums(&other), (40, 40));
    primary.kill9().unwrap();
    standby.sql("SELECT pg_promote()").unwrap();
    assert_eq!(again(&other, 0), "replayed");
    let left = sums(&other);
    assert_eq!(left.0.cast_signed(), left.1, "boards are those of the records");
    assert_eq!(left.0, 20, "what the standby had, and no more");
    let codes: Vec<String> = (0..40).map(|n| again(&one, n)).collect();
    let lost = codes.iter().filter(|code| *code == "applied").count() as u64;
    assert_eq!(lost, 40 - left.0, "what was lost is applied, once");
    for engine in [&one, &other] {
        assert_eq!(sums(engine), (40, 40));
    }
}
