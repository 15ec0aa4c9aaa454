//! Tests for people who write stores. A call runs all that one trait promises: each promise has a name and is checked on a fresh,
//! empty store; a broken one panics and says which.
//!
//! ```
//! use liveops_core::quota::Quota;
//! use liveops_core::shared::RateLimiter;
//! use liveops_core::{MemoryStore, conformance};
//!
//! conformance::check(|| Box::new(MemoryStore::new()));
//! conformance::check_scan(MemoryStore::new);
//! conformance::check_boards(MemoryStore::new);
//! conformance::check_feed(MemoryStore::with_feed);
//! conformance::check_whole(MemoryStore::with_feed);
//! conformance::quota_store(|| RateLimiter::new(Quota::new(1, std::time::Duration::from_secs(1))));
//! ```
//!
//! | | for | also |
//! |---|---|---|
//! | [`check`] | [`Store`]: start here | |
//! | [`check_scan`] | [`Scan`] | |
//! | [`check_boards`] | [`Boards`] | |
//! | [`check_feed`] | [`Feed`] | |
//! | [`check_whole`] | [`Whole`](crate::Whole), beside [`crate::MemoryStore`] | |
//! | [`check_reopen`] | what outlives the process | how to open the same thing again |
//! | [`check_damage`], [`check_newer`] | one bad record, one of a later library | how to put one there |
//! | [`check_async`] | [`AsyncStore`] | a runtime; the others over [`Blocking`] |
//! | [`check_tail`] | [`AsyncTail`]: a store that many processes share | over [`Blocking`]; and all of the above over [`Turns`] |
//!
//! The lists are public, so that a test runner can run and name the promises one by one. `docs/stores.md` says in which order a
//! store is written.

mod boards;
mod contract;
mod dropped;
mod feed;
mod quota;
mod reopen;
mod rivals;
mod sample;
mod scan;
mod tail;
mod time;
mod turns;
mod whole;

pub use turns::Turns;

use crate::error::StoreErrorKind;
use crate::quota::QuotaStore;
use crate::record::Key;
use crate::store::{AsyncStore, AsyncTail, BlockOn, Blocking, Boards, Feed, FullStore, Scan, Store};

/// One promise of [`Store`]'s contract: panics on a fresh, empty store that does not keep it.
pub type Check = fn(&dyn Store);

/// Every promise of [`Store`], by name.
pub const CHECKS: &[(&str, Check)] = &[
    ("load_answers_every_key_in_order", contract::load_answers_every_key_in_order),
    ("all_parts_are_written", contract::all_parts_are_written),
    ("records_come_back_unchanged", contract::records_come_back_unchanged),
    ("no_id_reaches_another_s_records", contract::no_id_reaches_another_s_records),
    ("a_stale_set_writes_nothing", contract::a_stale_set_writes_nothing),
    ("a_conflict_does_not_stop_the_batch", contract::a_conflict_does_not_stop_the_batch),
    ("removed_records_are_gone", contract::removed_records_are_gone),
    ("one_player_is_forgotten", contract::one_player_is_forgotten),
    ("a_plan_is_taken_to_its_end", contract::a_plan_is_taken_to_its_end),
    ("the_header_is_compared_and_set", contract::the_header_is_compared_and_set),
    ("the_horizon_only_rises", time::the_horizon_only_rises),
    ("a_closed_period_is_not_written", time::a_closed_period_is_not_written),
    ("a_decision_of_before_is_not_written", time::a_decision_of_before_is_not_written),
    ("advance_drops_old_outcomes_alone", time::advance_drops_old_outcomes_alone),
    ("a_mark_that_nobody_needs_is_nobody", time::a_mark_that_nobody_needs_is_nobody),
    ("a_mark_stays_beside_newer_outcomes", time::a_mark_stays_beside_newer_outcomes),
    ("a_stalled_commit_brings_nothing_back", time::a_stalled_commit_brings_nothing_back),
    ("nothing_is_written_once_a_period_has_closed", time::nothing_is_written_once_a_period_has_closed),
    ("an_old_payment_is_written_and_remembered", time::an_old_payment_is_written_and_remembered),
    ("one_writer_wins", rivals::one_writer_wins),
    ("one_header_wins", rivals::one_header_wins),
    ("a_writer_in_between_is_noticed", rivals::a_writer_in_between_is_noticed),
    ("no_player_is_newer_than_their_records", rivals::no_player_is_newer_than_their_records),
    ("rivals_apply_a_command_once", rivals::rivals_apply_a_command_once),
];

/// Checks every promise of [`Store`], each on a fresh store.
///
/// # Panics
///
/// With the broken promise.
pub fn check(new_store: impl Fn() -> Box<dyn Store>) {
    for (_, check) in CHECKS {
        check(&*new_store());
    }
}

/// Checks every promise of [`AsyncStore`], each on a fresh store: those of [`Store`], by [`Blocking`], and what holds where a
/// caller stops waiting. The other checks run over `Blocking::new(store, runtime)`.
///
/// # Panics
///
/// With the broken promise.
pub fn check_async<S: AsyncStore, X: BlockOn>(new_store: impl Fn() -> S, runtime: impl Fn() -> X) {
    dropped::a_dropped_commit_is_whole_or_absent(&new_store, &runtime);
    for (_, check) in CHECKS {
        check(&Blocking::new(new_store(), runtime()));
    }
}

/// A promise of a store that is more than a [`Store`]: its name, and what panics when it is not kept.
pub type NamedCheck<S> = (&'static str, fn(&S));

/// Every promise of [`Scan`], by name.
pub fn scan_checks<S: Store + Scan>() -> [NamedCheck<S>; 6] {
    [
        ("records_come_in_key_order", scan::records_come_in_key_order),
        ("pages_add_up_to_the_whole", scan::pages_add_up_to_the_whole),
        ("one_kind_is_scanned_alone", scan::one_kind_is_scanned_alone),
        ("one_player_is_scanned_alone", scan::one_player_is_scanned_alone),
        ("nothing_forgotten_is_met", scan::nothing_forgotten_is_met),
        ("writers_between_pages_hide_nobody", scan::writers_between_pages_hide_nobody),
    ]
}

/// Checks every promise of [`Scan`], each on a fresh store.
///
/// # Panics
///
/// With the broken promise.
pub fn check_scan<S: Store + Scan>(new_store: impl Fn() -> S) {
    for (_, check) in scan_checks() {
        check(&new_store());
    }
}

/// Every promise of [`Boards`], by name. Boards may lag: before it reads, each check asks them to catch up.
pub fn board_checks<S: Store + Scan + Boards>() -> [NamedCheck<S>; 12] {
    [
        ("boards_are_a_fold_over_records", boards::boards_are_a_fold_over_records),
        ("readings_agree_with_the_page", boards::readings_agree_with_the_page),
        ("many_reads_are_answered_in_order", boards::many_reads_are_answered_in_order),
        ("hidden_players_count_nowhere", boards::hidden_players_count_nowhere),
        ("erased_players_leave_the_boards", boards::erased_players_leave_the_boards),
        ("who_begins_again_is_shown", boards::who_begins_again_is_shown),
        ("retain_frees_what_is_not_kept", boards::retain_frees_what_is_not_kept),
        ("what_was_freed_is_rebuilt", boards::what_was_freed_is_rebuilt),
        ("what_was_committed_is_caught_up", boards::what_was_committed_is_caught_up),
        ("boards_know_how_far_the_store_is", boards::boards_know_how_far_the_store_is),
        ("nothing_is_behind_once_caught_up", boards::nothing_is_behind_once_caught_up),
        ("final_rows_change_nothing", boards::final_rows_change_nothing),
    ]
}

/// Checks every promise of [`Boards`], each on a fresh store.
///
/// # Panics
///
/// With the broken promise.
pub fn check_boards<S: Store + Scan + Boards>(new_store: impl Fn() -> S) {
    for (_, check) in board_checks() {
        check(&new_store());
    }
}

/// Every promise of [`AsyncTail`], by name. To be run on a store whose outbox keeps at least 2,000 entries of each partition.
pub fn tail_checks<S: AsyncStore + AsyncTail, X: BlockOn>() -> [NamedCheck<Blocking<S, X>>; 8] {
    [
        ("a_tail_tells_what_was_committed", tail::a_tail_tells_what_was_committed),
        ("a_tail_goes_on_from_any_cursor", tail::a_tail_goes_on_from_any_cursor),
        ("what_a_tail_lacks_is_a_gap", tail::what_a_tail_lacks_is_a_gap),
        ("ends_are_behind_what_was_committed", tail::ends_are_behind_what_was_committed),
        ("no_slow_writer_is_passed_over", tail::no_slow_writer_is_passed_over),
        ("each_rise_of_the_horizon_is_told", tail::each_rise_of_the_horizon_is_told),
        ("who_begins_again_is_told_gone_before", tail::who_begins_again_is_told_gone_before),
        ("replicas_that_follow_show_what_records_show", tail::replicas_that_follow_show_what_records_show),
    ]
}

/// Checks every promise of [`AsyncTail`], each on a fresh store, over the runtime that it needs.
///
/// # Panics
///
/// With the broken promise.
pub fn check_tail<S: AsyncStore + AsyncTail, X: BlockOn>(new_store: impl Fn() -> Blocking<S, X>) {
    for (_, check) in tail_checks() {
        check(&new_store());
    }
}

/// How many entries the feed of a checked store takes before it is full, unless a check says another number.
pub const FEED_LEN: usize = 8;

/// Every promise of [`Feed`], by name. To be run on a store whose feed holds [`FEED_LEN`] entries.
pub fn feed_checks<S: Store + Feed>() -> [NamedCheck<S>; 8] {
    [
        ("the_feed_holds_what_was_committed", feed::the_feed_holds_what_was_committed),
        ("the_feed_is_read_from_a_cursor", feed::the_feed_is_read_from_a_cursor),
        ("what_the_feed_lacks_is_a_gap", feed::what_the_feed_lacks_is_a_gap),
        ("entries_wait_for_every_consumer", feed::entries_wait_for_every_consumer),
        ("a_full_feed_refuses_commits", feed::a_full_feed_refuses_commits),
        ("advances_stand_among_commits", feed::advances_stand_among_commits),
        ("no_commit_stands_behind_what_closes_it", feed::no_commit_stands_behind_what_closes_it),
        ("the_feed_shows_what_records_show", feed::the_feed_shows_what_records_show),
    ]
}

/// Checks every promise of [`Feed`], each on a fresh store; `new_store` is told how many entries its feed may hold.
///
/// # Panics
///
/// With the broken promise.
pub fn check_feed<S: Store + Feed>(new_store: impl Fn(usize) -> S) {
    for (_, check) in feed_checks() {
        check(&new_store(FEED_LEN));
    }
}

/// A promise that takes several stores: its name, and what panics when it is not kept. It is told how to make an empty one.
pub type WholeCheck<S> = (&'static str, fn(&dyn Fn() -> S));

/// How many entries the feed takes of a store that is checked as a whole.
pub const WHOLE_FEED_LEN: usize = 1_000;

/// Every promise of [`Whole`](crate::Whole), by name. To be run on stores whose feeds hold [`WHOLE_FEED_LEN`] entries.
pub fn whole_checks<S: FullStore>() -> [WholeCheck<S>; 6] {
    [
        ("a_digest_names_the_records", whole::a_digest_names_the_records),
        ("snapshots_go_from_store_to_store", whole::snapshots_go_from_store_to_store),
        ("old_snapshots_are_taken", whole::old_snapshots_are_taken),
        ("a_store_that_holds_something_takes_no_snapshot", whole::a_store_that_holds_something_takes_no_snapshot),
        ("a_damaged_snapshot_changes_nothing", whole::a_damaged_snapshot_changes_nothing),
        ("cursors_outlive_a_snapshot", whole::cursors_outlive_a_snapshot),
    ]
}

/// Checks every promise of [`Whole`](crate::Whole) beside [`crate::MemoryStore`]; `new_store` makes an empty store each time, and is
/// told how many entries its feed may hold.
///
/// # Panics
///
/// With the broken promise.
pub fn check_whole<S: FullStore>(new_store: impl Fn(usize) -> S) {
    for (_, check) in whole_checks() {
        check(&|| new_store(WHOLE_FEED_LEN));
    }
}

/// Checks that a store is the same when it is opened again: horizon, header, records, boards, and where the feed stood. `open` is
/// called several times and opens the same thing, which is empty at first and has a feed of [`WHOLE_FEED_LEN`] entries; each time
/// the store of before has been dropped. Boards may be built at once or by the first [`Boards::rebuild`].
///
/// # Panics
///
/// With the broken promise.
pub fn check_reopen<S: FullStore>(open: impl Fn() -> S) {
    reopen::everything_is_there_again(&open);
}

/// Checks that a record which cannot be read fails its own player alone, on an empty store; `damage` makes nonsense of the stored
/// bytes of a key, beneath the store.
///
/// # Panics
///
/// With the broken promise.
pub fn check_damage<S: Store + Scan>(store: &S, damage: impl Fn(&S, &Key)) {
    contract::one_bad_record_fails_its_own_player(store, &damage, StoreErrorKind::Corrupt);
}

/// The same of a record that a later version of the library wrote: `make_newer` puts bytes in the place of those of a key, beneath the
/// store, which begin as [`Record::encode`](crate::Record::encode) begins, with 255 for the version.
///
/// # Panics
///
/// With the broken promise.
pub fn check_newer<S: Store + Scan>(store: &S, make_newer: impl Fn(&S, &Key)) {
    contract::one_bad_record_fails_its_own_player(store, &make_newer, StoreErrorKind::TooNew);
}

/// One promise of [`QuotaStore`]: panics on a fresh store that does not keep it.
pub type QuotaCheck = fn(&dyn QuotaStore);

/// Every promise of [`QuotaStore`], by name.
pub const QUOTA_CHECKS: &[(&str, QuotaCheck)] = &[
    ("the_burst_passes_and_then_the_rate", quota::the_burst_passes_and_then_the_rate),
    ("every_decision_is_that_of_gcra", quota::every_decision_is_that_of_gcra),
    ("a_refused_call_costs_nothing", quota::a_refused_call_costs_nothing),
    ("a_call_that_one_quota_refuses_charges_none", quota::a_call_that_one_quota_refuses_charges_none),
    ("the_same_request_twice_pays_twice", quota::the_same_request_twice_pays_twice),
    ("keys_and_quotas_count_apart", quota::keys_and_quotas_count_apart),
    ("the_strictest_decides", quota::the_strictest_decides),
    ("what_was_used_outlives_its_numbers", quota::what_was_used_outlives_its_numbers),
    ("no_quota_is_no_limit", quota::no_quota_is_no_limit),
    ("a_small_step_back_keeps_debts", quota::a_small_step_back_keeps_debts),
    ("a_clock_set_back_is_put_right", quota::a_clock_set_back_is_put_right),
    ("no_time_is_too_far", quota::no_time_is_too_far),
    ("rivals_admit_exactly_the_burst", quota::rivals_admit_exactly_the_burst),
];

/// Checks every promise of [`QuotaStore`], each on a fresh store with room for a hundred keys. All in all a few thousand
/// calls; `vectors/quota.json` has more sequences, for stores in any language.
///
/// # Panics
///
/// With the broken promise.
pub fn quota_store<S: QuotaStore>(new_store: impl Fn() -> S) {
    for (_, check) in QUOTA_CHECKS {
        check(&new_store());
    }
}
