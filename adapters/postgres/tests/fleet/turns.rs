//! Two processes' handles of one game that take turns: what one remembers and the other changed. And whose clock it is.

use liveops_core::conformance::{self, Turns};
use liveops_core::error::StoreErrorKind;
use liveops_core::record::Horizon;
use liveops_core::store::{BlockOn as _, Store as _};
use liveops_postgres::Options;

use crate::game::{Store, fresh, open, options, server};

fn both() -> Turns<Store> {
    let game = fresh("turns");
    Turns::new(open(&server().url(), options(&game)), open(&server().url(), options(&game)))
}

fn both_with_feed(len_max: usize) -> Turns<Store> {
    let options = options(&fresh("turns")).feed(len_max as u64);
    Turns::new(open(&server().url(), options.clone()), open(&server().url(), options))
}

#[test]
fn store_checks_in_turns() {
    conformance::check(|| Box::new(both()));
    conformance::check_scan(both);
}

#[test]
fn board_checks_in_turns() {
    conformance::check_boards(both);
}

#[test]
fn feed_checks_in_turns() {
    conformance::check_feed(both_with_feed);
}

#[test]
fn whole_checks_in_turns() {
    conformance::check_whole(both_with_feed);
}

/// The fastest clock of all would close everybody's periods.
#[test]
fn nobody_moves_the_store_far_ahead_of_the_servers_clock() {
    let store = open(&server().url(), Options::new(fresh("clock")).connections(1));
    let now = store.runtime().block_on(store.inner().now()).unwrap().unwrap();
    let to = |millis| Horizon { now: now.plus_millis(millis), ..Horizon::default() };
    assert_eq!(store.advance(to(30_000)).unwrap().now, now.plus_millis(30_000));
    assert_eq!(store.advance(to(3_600_000)).unwrap_err().kind, StoreErrorKind::Misconfigured);
    assert_eq!(store.advance(to(0)).unwrap().now, now.plus_millis(30_000), "nothing was moved");
}
