//! The kit passes the reference store, blocking and asynchronous, and each of its checks catches a careless one.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod asynchronous;
mod careless;
mod damaged;
mod followed;
mod reopened;
mod sharded;
mod turns;

use std::panic::{AssertUnwindSafe, catch_unwind};

use careless::Careless;
use careless::Mistake::{self, *};
use liveops_core::MemoryStore;
use liveops_core::conformance::{self, CHECKS};
use liveops_core::store::Blocking;
use liveops_core::testing::Parked;

use crate::asynchronous::Remote;

#[test]
fn the_reference_store_keeps_the_contract() {
    conformance::check(|| Box::new(MemoryStore::new()));
    conformance::check_scan(MemoryStore::new);
    conformance::check_boards(MemoryStore::new);
    conformance::check_feed(MemoryStore::with_feed);
    conformance::check_whole(MemoryStore::with_feed);
}

#[test]
fn so_it_does_behind_the_asynchronous_boundary() {
    let store = |len| Blocking::new(Remote(MemoryStore::with_feed(len)), Parked);
    conformance::check_async(|| Remote(MemoryStore::new()), || Parked);
    conformance::check_scan(|| store(1_000_000));
    conformance::check_boards(|| store(1_000_000));
    conformance::check_feed(store);
    conformance::check_whole(store);
}

/// Each check, and mistakes that it must catch.
type Mistakes = &'static [(&'static str, &'static [Mistake])];

const MISTAKES: Mistakes = &[
    ("load_answers_every_key_in_order", &[AnswersEachKeyOnce]),
    ("all_parts_are_written", &[LosesSuspicions]),
    ("records_come_back_unchanged", &[LosesMarks]),
    ("no_id_reaches_another_s_records", &[IgnoresCase, MixesOrigins]),
    ("a_stale_set_writes_nothing", &[WritesPartsOfStaleSets]),
    ("a_conflict_does_not_stop_the_batch", &[StopsAtConflict]),
    ("removed_records_are_gone", &[KeepsRemoved]),
    ("one_player_is_forgotten", &[ForgetsNothing]),
    ("a_plan_is_taken_to_its_end", &[LeavesPlansHalfWay, RoundsOfNobody]),
    ("the_header_is_compared_and_set", &[SetsHeadersUnasked, LosesBoardsOfHeaders]),
    ("the_horizon_only_rises", &[HorizonFalls]),
    ("a_closed_period_is_not_written", &[IgnoresClosing]),
    ("a_decision_of_before_is_not_written", &[IgnoresForgotten]),
    ("advance_drops_old_outcomes_alone", &[KeepsOldOutcomes, DropsAllOutcomes]),
    ("a_mark_that_nobody_needs_is_nobody", &[KeepsIdleMarks, DropsMarksBeforeOutcomes]),
    ("a_mark_stays_beside_newer_outcomes", &[KeepsIdleMarks, DropsMarksBeforeOutcomes]),
    ("a_stalled_commit_brings_nothing_back", &[IgnoresForgotten]),
    ("nothing_is_written_once_a_period_has_closed", &[LooksBeforeItWrites]),
    ("an_old_payment_is_written_and_remembered", &[LosesPayments, RefusesOldReceipts, DatesOutcomesByReceipts]),
    ("one_writer_wins", &[CallsConflictsApplied]),
    ("one_header_wins", &[SetsHeadersInTwoSteps]),
    ("a_writer_in_between_is_noticed", &[LastWriterWins]),
    ("no_player_is_newer_than_their_records", &[ReadsPlayerLast]),
    ("rivals_apply_a_command_once", &[ReadsPlayerLast]),
];

const SCAN_MISTAKES: Mistakes = &[
    ("records_come_in_key_order", &[ScansInReverse, ScansTheHorizon, SplitsPlayers]),
    ("pages_add_up_to_the_whole", &[SkipsBehindTheCursor, ReadsTooMuch]),
    ("one_kind_is_scanned_alone", &[IgnoresKinds, IgnoresCursorsOfOtherKinds]),
    ("one_player_is_scanned_alone", &[ScansByPrefix]),
    ("nothing_forgotten_is_met", &[KeepsOldOutcomes, KeepsIdleMarks]),
    ("writers_between_pages_hide_nobody", &[CountsInsteadOfCursors]),
];

const BOARD_MISTAKES: Mistakes = &[
    ("boards_are_a_fold_over_records", &[LosesABoardsBest]),
    ("readings_agree_with_the_page", &[CountsRanksFromZero]),
    ("many_reads_are_answered_in_order", &[AnswersInReverse, OneBadReadFailsAll]),
    ("hidden_players_count_nowhere", &[ShowsWhoIsHidden]),
    ("erased_players_leave_the_boards", &[RanksTheErased]),
    ("who_begins_again_is_shown", &[RemembersVersions]),
    ("retain_frees_what_is_not_kept", &[RetainsEverything]),
    ("what_was_freed_is_rebuilt", &[RebuildsNothing, RebuildsEverything, LosesWritersWhileItBuilds]),
    ("what_was_committed_is_caught_up", &[LagsBehind]),
    ("boards_know_how_far_the_store_is", &[TellsBoardsNoTime]),
    ("nothing_is_behind_once_caught_up", &[IsAlwaysBehind]),
    ("final_rows_change_nothing", &[NotesOnce]),
];

const FEED_MISTAKES: Mistakes = &[
    ("the_feed_holds_what_was_committed", &[TellsConflicts, TellsNoRuns]),
    ("the_feed_is_read_from_a_cursor", &[IgnoresTheCursor]),
    ("what_the_feed_lacks_is_a_gap", &[AnswersGaps, ForgetsTheLast, TakesAnyAck]),
    ("entries_wait_for_every_consumer", &[KnowsOneConsumer, KeepsConsumers]),
    ("a_full_feed_refuses_commits", &[DropsWhenFull, RefusesAdvancesWhenFull, IgnoresAck]),
    ("advances_stand_among_commits", &[TellsNoAdvances, TellsAdvancesFirst]),
    ("no_commit_stands_behind_what_closes_it", &[TellsAdvancesFirst]),
    ("the_feed_shows_what_records_show", &[TellsNothingShown]),
];

const WHOLE_MISTAKES: Mistakes = &[
    ("a_digest_names_the_records", &[DigestsTheHeader, Miscounts]),
    ("snapshots_go_from_store_to_store", &[LosesTheHeader]),
    ("old_snapshots_are_taken", &[RefusesOldSnapshots]),
    ("a_store_that_holds_something_takes_no_snapshot", &[TakesNothingForDone]),
    ("a_damaged_snapshot_changes_nothing", &[RestoresAsItReads]),
    ("cursors_outlive_a_snapshot", &[ForgetsTheLast, AnswersGaps]),
];

/// Runs each check over a store with each of its mistakes. Some mistakes are races, which a busy machine may not show at the
/// first try.
fn every_check_can_fail<C>(checks: &[(&str, C)], mistakes: Mistakes, run: impl Fn(&C, Mistake)) {
    assert!(checks.iter().map(|check| check.0).eq(mistakes.iter().map(|m| m.0)), "each check has mistakes to catch");
    for ((name, check), (_, mistakes)) in checks.iter().zip(mistakes) {
        for mistake in *mistakes {
            let caught = (0..5).any(|_| catch_unwind(AssertUnwindSafe(|| run(check, *mistake))).is_err());
            assert!(caught, "{name} does not notice {mistake:?}");
        }
    }
}

#[test]
fn every_check_of_stores_can_fail() {
    every_check_can_fail(CHECKS, MISTAKES, |check, mistake| check(&Careless::new(MemoryStore::new(), mistake)));
}

#[test]
fn every_check_of_scans_and_boards_can_fail() {
    let store = |mistake| Careless::new(MemoryStore::new(), mistake);
    every_check_can_fail(&conformance::scan_checks(), SCAN_MISTAKES, |check, mistake| check(&store(mistake)));
    every_check_can_fail(&conformance::board_checks(), BOARD_MISTAKES, |check, mistake| check(&store(mistake)));
}

#[test]
fn every_check_of_feeds_can_fail() {
    every_check_can_fail(&conformance::feed_checks(), FEED_MISTAKES, |check, mistake| {
        let len = if mistake == DropsWhenFull { 999 } else { conformance::FEED_LEN };
        check(&Careless::new(MemoryStore::with_feed(len), mistake));
    });
}

#[test]
fn every_check_of_whole_stores_can_fail() {
    every_check_can_fail(&conformance::whole_checks(), WHOLE_MISTAKES, |check, mistake| {
        check(&|| Careless::new(MemoryStore::with_feed(conformance::WHOLE_FEED_LEN), mistake));
    });
}

/// A careless store without a mistake keeps the contract: what the checks catch is the mistake.
#[test]
fn no_mistake_is_none() {
    conformance::check(|| Box::new(Careless::new(MemoryStore::new(), Nothing)));
    conformance::check_scan(|| Careless::new(MemoryStore::new(), Nothing));
    conformance::check_boards(|| Careless::new(MemoryStore::new(), Nothing));
    conformance::check_feed(|len| Careless::new(MemoryStore::with_feed(len), Nothing));
    conformance::check_whole(|len| Careless::new(MemoryStore::with_feed(len), Nothing));
}
