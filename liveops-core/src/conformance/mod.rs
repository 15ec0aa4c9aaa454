//! Tests for people who write stores. One call runs all that a [`Store`] promises, or a [`QuotaStore`]:
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
//! conformance::quota_store(|| RateLimiter::new(Quota::new(1, std::time::Duration::from_secs(1))));
//! ```
//!
//! Each promise has a name and is checked on a fresh, empty store; a broken one panics and says which. The lists are
//! public, so that a test runner can run and name them one by one.

mod boards;
mod contract;
mod feed;
mod quota;
mod rivals;
mod sample;
mod scan;

use crate::quota::QuotaStore;
use crate::store::{Boards, Feed, Scan, Store};

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
    ("the_horizon_only_rises", contract::the_horizon_only_rises),
    ("a_closed_period_is_not_written", contract::a_closed_period_is_not_written),
    ("forgotten_commands_are_not_written", contract::forgotten_commands_are_not_written),
    ("advance_drops_old_outcomes_alone", contract::advance_drops_old_outcomes_alone),
    ("advance_drops_idle_marks_alone", contract::advance_drops_idle_marks_alone),
    ("an_old_payment_is_written_and_remembered", contract::an_old_payment_is_written_and_remembered),
    ("one_writer_wins", rivals::one_writer_wins),
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

/// A promise of a store that is more than a [`Store`]: its name, and what panics when it is not kept.
pub type NamedCheck<S> = (&'static str, fn(&S));

/// Every promise of [`Scan`], by name.
pub fn scan_checks<S: Store + Scan>() -> [NamedCheck<S>; 3] {
    [
        ("records_come_in_key_order", scan::records_come_in_key_order),
        ("pages_add_up_to_the_whole", scan::pages_add_up_to_the_whole),
        ("one_player_is_scanned_alone", scan::one_player_is_scanned_alone),
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

/// Every promise of [`Boards`], by name. For a store whose boards lag: bring them up to date in each reading.
pub fn board_checks<S: Store + Scan + Boards>() -> [NamedCheck<S>; 5] {
    [
        ("boards_are_a_fold_over_records", boards::boards_are_a_fold_over_records),
        ("readings_agree_with_the_page", boards::readings_agree_with_the_page),
        ("hidden_players_count_nowhere", boards::hidden_players_count_nowhere),
        ("erased_players_leave_the_boards", boards::erased_players_leave_the_boards),
        ("retain_frees_what_is_not_kept", boards::retain_frees_what_is_not_kept),
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

/// How many entries the feed of a checked store takes before it is full.
pub const FEED_LEN: usize = 8;

/// Every promise of [`Feed`], by name. To be run on a store whose feed holds [`FEED_LEN`] entries.
pub fn feed_checks<S: Store + Feed>() -> [NamedCheck<S>; 4] {
    [
        ("the_feed_holds_what_was_committed", feed::the_feed_holds_what_was_committed),
        ("the_feed_is_read_from_a_cursor", feed::the_feed_is_read_from_a_cursor),
        ("acknowledged_entries_go", feed::acknowledged_entries_go),
        ("a_full_feed_refuses_commits", feed::a_full_feed_refuses_commits),
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
