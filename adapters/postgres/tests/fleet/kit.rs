//! What every store promises, with statistics of the tables and without: plans are not to depend on them.

use std::sync::OnceLock;

use liveops_adapters::Runtime;
use liveops_core::store::{BlockOn as _, FullStore};
use liveops_core::{Key, conformance};
use liveops_postgres::{Options, PostgresStore};
use liveops_testbed::Postgres;

use crate::game::{Store, fresh, open, options, server};

/// Empty stores: each a game of its own.
fn store() -> Store {
    open(&server().url(), options(&fresh("kit")))
}

fn with_feed(len_max: usize) -> Store {
    open(&server().url(), options(&fresh("kit")).feed(len_max as u64))
}

/// Where nobody ever counts what is in the tables.
fn bare() -> &'static Postgres {
    static SERVER: OnceLock<Postgres> = OnceLock::new();
    SERVER.get_or_init(|| Postgres::start(&["autovacuum=off"]).unwrap())
}

fn of_bare(options: Options) -> Store {
    open(&bare().url(), options)
}

#[test]
fn store_checks() {
    conformance::check(|| Box::new(store()));
}

#[test]
fn store_checks_with_a_feed() {
    conformance::check(|| Box::new(with_feed(100_000)));
}

#[test]
fn store_checks_without_statistics() {
    conformance::check(|| Box::new(of_bare(options(&fresh("bare")))));
    let server = bare();
    assert_eq!(server.sql("SELECT count(*) FROM pg_stats WHERE schemaname = 'liveops'").unwrap().trim(), "0");
}

#[test]
fn store_checks_with_statistics() {
    conformance::check(|| {
        server().sql("ANALYZE").unwrap();
        Box::new(store())
    });
}

#[test]
fn async_checks() {
    let runtime = Runtime::new(2).unwrap();
    let connect =
        || runtime.block_on(PostgresStore::connect(&server().url(), options(&fresh("async")))).unwrap().unwrap();
    conformance::check_async(connect, || Runtime::new(1).unwrap());
}

#[test]
fn scan() {
    conformance::check_scan(store);
}

#[test]
fn boards() {
    conformance::check_boards(store);
    conformance::check_boards(|| with_feed(100_000));
}

#[test]
fn tail() {
    conformance::check_tail(store);
    conformance::check_tail(|| with_feed(100_000));
}

#[test]
fn feed() {
    conformance::check_feed(with_feed);
}

#[test]
fn whole() {
    conformance::check_whole(with_feed);
    conformance::check_whole(|_| of_bare(options(&fresh("bare")).feed(conformance::WHOLE_FEED_LEN as u64)));
}

#[test]
fn reopen() {
    let game = fresh("reopen");
    conformance::check_reopen(|| open(&server().url(), options(&game).feed(conformance::WHOLE_FEED_LEN as u64)));
}

#[test]
fn damage() {
    let game = fresh("damage");
    conformance::check_damage(&open(&server().url(), options(&game)), |_, key| {
        let table = match key {
            Key::Player(_) => "player",
            Key::Outcome(..) => "outcome",
            _ => unreachable!(),
        };
        let player = key.player().unwrap();
        let of = format!("game = (SELECT id FROM liveops.game WHERE name = '{game}') AND player = '{player}'");
        server().sql(&format!("UPDATE liveops.{table} SET record = '\\x00' WHERE {of}")).unwrap();
    });
}

/// As bindings have it.
#[test]
fn it_is_one_of_any_kind() {
    let any: std::sync::Arc<dyn FullStore> = std::sync::Arc::new(store());
    assert_eq!(any.size().unwrap().players, 0);
}
