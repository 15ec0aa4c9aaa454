//! What a game is opened with, by one process and by another.

use std::time::Duration;

use liveops_core::Engine;
use liveops_core::error::StoreErrorKind;
use liveops_core::store::{Consumer, Feed as _, Happened};
use liveops_postgres::PostgresStore;

use crate::game::{Store, at, fresh, open, options, rules, server, xp};

fn submit(engine: &Engine<Store>, id: &str) -> String {
    let now = at("2026-11-06T12:00:00Z");
    engine.submit_ndjson(&xp(id, "ana", 1, now), now)[0].code().to_owned()
}

/// Whoever has the game open goes by what another process sets.
#[test]
fn a_feed_is_begun_and_ended_while_others_write() {
    let game = fresh("setting");
    let connect = |options| Engine::open(rules(&game), open(&server().url(), options)).unwrap();
    let first = connect(options(&game));
    let told = |engine: &Engine<Store>, after| engine.store().feed(0, after, 100).map_err(|error| error.kind);
    assert_eq!(submit(&first, "e1"), "applied");
    assert_eq!((told(&first, 0), first.store().last(0).unwrap()), (Ok(vec![]), 0), "no feed");

    let second = connect(options(&game).feed(3));
    let begun = second.store().last(0).unwrap();
    assert!(begun > 0, "a feed that begins later is none of what was before");
    assert_eq!(told(&second, 0).unwrap_err(), StoreErrorKind::FeedGap);
    assert_eq!((submit(&first, "e2"), submit(&second, "e3")), ("applied".to_owned(), "applied".to_owned()));
    let entries = told(&first, begun).unwrap();
    let sets: Vec<u64> = entries
        .iter()
        .map(|entry| if let Happened::Committed(set) = &entry.what { set.expected } else { panic!("{entry:?}") })
        .collect();
    assert_eq!(sets, [1, 2], "whole change sets of both, in order");

    let third = connect(options(&game));
    assert_eq!(submit(&third, "e4"), "applied");
    for engine in [&first, &second, &third] {
        assert_eq!(submit(engine, "e5"), "feed_full", "everybody meets the bound");
    }
    let audit = Consumer::new("audit").unwrap();
    second.store().ack(&audit, 0, second.store().last(0).unwrap()).unwrap();
    assert_eq!(submit(&first, "e5"), "applied");
    drop(third);

    let fourth = connect(options(&game).no_feed());
    for (engine, id) in [(&first, "e6"), (&second, "e7"), (&fourth, "e8")] {
        assert_eq!(submit(engine, id), "applied");
        assert_eq!(submit(engine, id), "replayed");
    }
    assert!(first.store().consumers().unwrap().is_empty(), "nor anybody who reads it");
    let last = first.store().last(0).unwrap();
    assert!(last > begun, "cursors never come again");
    assert_eq!(told(&first, last), Ok(vec![]));
    assert_eq!(told(&first, begun).unwrap_err(), StoreErrorKind::FeedGap);
}

/// No number that can be given breaks anything.
#[test]
fn settings_are_taken_to_what_works() {
    let game = fresh("edges");
    let edges = options(&game).connections(0).horizon_copies(0).outbox_entries(0).feed(u64::MAX);
    let engine = Engine::open(rules(&game), open(&server().url(), edges.clone())).unwrap();
    assert_eq!(submit(&engine, "e1"), "applied");
    drop(engine);
    let edges = edges.connections(usize::MAX).timeout(Duration::MAX).horizon_copies(u16::MAX).outbox_entries(u64::MAX);
    let engine = Engine::open(rules(&game), open(&server().url(), edges)).unwrap();
    assert_eq!(submit(&engine, "e1"), "replayed");
    engine.catch_up().unwrap();
    let many = fresh("copies");
    let engine = Engine::open(rules(&many), open(&server().url(), options(&many).horizon_copies(u16::MAX))).unwrap();
    assert_eq!(submit(&engine, "e1"), "applied");
    for game in ["", "two words", "zu\u{308}rich", &"x".repeat(65)] {
        let refused = PostgresStore::connect_blocking(&server().url(), options(game)).err().unwrap();
        assert_eq!(refused.kind, StoreErrorKind::Misconfigured);
    }
}
