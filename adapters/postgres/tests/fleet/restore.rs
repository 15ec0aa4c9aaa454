//! Backups brought back: processes notice, boards are built anew, and nothing counts twice.

use liveops_core::error::StoreErrorKind;
use liveops_core::store::{Consumer, Feed as _};
use liveops_core::{Engine, Window};
use liveops_testbed::Postgres;

use crate::game::{Store, at, open, options, player, rules, xp};

const GAME: &str = "restored";
const PLAYERS: usize = 8;

fn engine(server: &Postgres) -> Engine<Store> {
    Engine::open(rules(GAME), open(&server.url(), options(GAME).feed(1_000))).unwrap()
}

fn submit(engine: &Engine<Store>, ids: std::ops::Range<usize>) -> Vec<String> {
    let now = at("2026-11-06T12:00:00Z");
    let lines: Vec<u8> = ids.flat_map(|n| xp(&format!("e{n}"), &format!("p{}", n % PLAYERS), 1, now)).collect();
    engine.submit_ndjson(&lines, now).iter().map(|outcome| outcome.code().to_owned()).collect()
}

fn xp_sum(engine: &Engine<Store>) -> u64 {
    (0..PLAYERS).map(|n| engine.record(&player(&format!("p{n}"))).unwrap().map_or(0, |record| record.xp())).sum()
}

fn board(engine: &Engine<Store>) -> i64 {
    engine.catch_up().unwrap();
    let rows = engine.board("xp").unwrap().top(Window::Weekly, 100, at("2026-11-06T12:00:00Z")).unwrap();
    rows.iter().map(|row| row.score).sum()
}

fn gap_at(engine: &Engine<Store>, cursor: u64) -> Option<StoreErrorKind> {
    engine.store().feed(0, cursor, 10).err().map(|error| error.kind)
}

/// What was committed after the backup is sent again by whoever was not sure, and what was in it is not taken twice.
fn check(restored: &Postgres, feed_ended: u64) {
    let engine = engine(restored);
    assert_eq!((xp_sum(&engine), board(&engine)), (40, 40), "as it was when the backup was made");
    assert_eq!(gap_at(&engine, feed_ended), Some(StoreErrorKind::FeedGap), "a consumer that was further is told");
    let codes = submit(&engine, 0..60);
    assert_eq!(codes.iter().filter(|code| *code == "replayed").count(), 40);
    assert_eq!(codes.iter().filter(|code| *code == "applied").count(), 20);
    assert_eq!((xp_sum(&engine), board(&engine)), (60, 60));
    let other = self::engine(restored);
    assert_eq!(board(&other), 60, "another process sees the same");
    // The feed goes on in numbers that were never used.
    let consumer = Consumer::new("audit").unwrap();
    assert!(engine.store().last(0).unwrap() > feed_ended, "cursors only rise");
    engine.store().ack(&consumer, 0, engine.store().last(0).unwrap()).unwrap();
    assert_eq!(gap_at(&engine, feed_ended), Some(StoreErrorKind::FeedGap), "for good");
}

#[test]
fn a_dump_brought_into_a_new_cluster_goes_on() {
    let (server, fresh) = (Postgres::start(&[]).unwrap(), Postgres::start(&[]).unwrap());
    let engine = engine(&server);
    submit(&engine, 0..40);
    server.dump_into(&fresh).unwrap();
    // Servers of tests are copies of one cluster, which they are not elsewhere.
    fresh.sql("UPDATE liveops.game SET cluster = '1' || cluster").unwrap();
    submit(&engine, 40..60);
    let ended = engine.store().last(0).unwrap();
    assert!(ended > 0);
    drop(engine);
    check(&fresh, ended);
}

#[test]
fn a_base_backup_goes_on() {
    let server = Postgres::start(&[]).unwrap();
    let engine = engine(&server);
    submit(&engine, 0..40);
    let restored = server.backup().unwrap();
    // What `docs/durability.md` tells operators to do: a copy that simply goes on cannot be told from its original.
    restored.sql("UPDATE liveops.game SET cluster = ''").unwrap();
    submit(&engine, 40..60);
    let ended = engine.store().last(0).unwrap();
    drop((engine, server));
    check(&restored, ended);
}
