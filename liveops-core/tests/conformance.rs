//! The kit passes the reference store, and each of its checks catches a careless one.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use liveops_core::board::{Cursor, Order, Page, Ranking, Row, ScoreRange};
use liveops_core::conformance::{self, CHECKS, NamedCheck};
use liveops_core::error::StoreError;
use liveops_core::record::{BoardKey, ChangeSet, CommitOutcome, Horizon, Paid};
use liveops_core::store::FeedEntry;
use liveops_core::{Boards, Feed, Key, MemoryStore, Origin, PlayerId, Record, Scan, Store, Timestamp};

#[test]
fn the_reference_store_keeps_the_contract() {
    conformance::check(|| Box::new(MemoryStore::new()));
    conformance::check_scan(MemoryStore::new);
    conformance::check_boards(MemoryStore::new);
    conformance::check_feed(MemoryStore::with_feed);
}

/// What an adapter may get wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Mistake {
    AnswersEachKeyOnce,
    LosesSuspicions,
    LosesMarks,
    IgnoresCase,
    MixesOrigins,
    WritesPartsOfStaleSets,
    StopsAtConflict,
    KeepsRemoved,
    ForgetsNothing,
    HorizonFalls,
    IgnoresClosing,
    IgnoresForgotten,
    KeepsOldOutcomes,
    DropsAllOutcomes,
    KeepsIdleMarks,
    LosesPayments,
    RefusesOldReceipts,
    DatesOutcomesByReceipts,
    CallsConflictsApplied,
    LastWriterWins,
    ReadsPlayerLast,
    // Of those who scan.
    ScansInReverse,
    SkipsBehindTheCursor,
    ScansByPrefix,
    // Of those who read boards.
    LosesABoardsBest,
    CountsRanksFromZero,
    ShowsWhoIsHidden,
    RanksTheErased,
    RetainsEverything,
    // Of those who follow the feed.
    TellsConflicts,
    IgnoresTheCursor,
    IgnoresAck,
    DropsWhenFull,
}

use Mistake::*;

/// Each check, and mistakes that it must catch.
const MISTAKES: &[(&str, &[Mistake])] = &[
    ("load_answers_every_key_in_order", &[AnswersEachKeyOnce]),
    ("all_parts_are_written", &[LosesSuspicions]),
    ("records_come_back_unchanged", &[LosesMarks]),
    ("no_id_reaches_another_s_records", &[IgnoresCase, MixesOrigins]),
    ("a_stale_set_writes_nothing", &[WritesPartsOfStaleSets]),
    ("a_conflict_does_not_stop_the_batch", &[StopsAtConflict]),
    ("removed_records_are_gone", &[KeepsRemoved]),
    ("one_player_is_forgotten", &[ForgetsNothing]),
    ("the_horizon_only_rises", &[HorizonFalls]),
    ("a_closed_period_is_not_written", &[IgnoresClosing]),
    ("forgotten_commands_are_not_written", &[IgnoresForgotten]),
    ("advance_drops_old_outcomes_alone", &[KeepsOldOutcomes, DropsAllOutcomes]),
    ("advance_drops_idle_marks_alone", &[KeepsIdleMarks]),
    ("an_old_payment_is_written_and_remembered", &[LosesPayments, RefusesOldReceipts, DatesOutcomesByReceipts]),
    ("one_writer_wins", &[CallsConflictsApplied]),
    ("a_writer_in_between_is_noticed", &[LastWriterWins]),
    ("no_player_is_newer_than_their_records", &[ReadsPlayerLast]),
    ("rivals_apply_a_command_once", &[ReadsPlayerLast]),
];

const SCAN_MISTAKES: &[(&str, &[Mistake])] = &[
    ("records_come_in_key_order", &[ScansInReverse]),
    ("pages_add_up_to_the_whole", &[SkipsBehindTheCursor]),
    ("one_player_is_scanned_alone", &[ScansByPrefix]),
];

const BOARD_MISTAKES: &[(&str, &[Mistake])] = &[
    ("boards_are_a_fold_over_records", &[LosesABoardsBest]),
    ("readings_agree_with_the_page", &[CountsRanksFromZero]),
    ("hidden_players_count_nowhere", &[ShowsWhoIsHidden]),
    ("erased_players_leave_the_boards", &[RanksTheErased]),
    ("retain_frees_what_is_not_kept", &[RetainsEverything]),
];

const FEED_MISTAKES: &[(&str, &[Mistake])] = &[
    ("the_feed_holds_what_was_committed", &[TellsConflicts]),
    ("the_feed_is_read_from_a_cursor", &[IgnoresTheCursor]),
    ("acknowledged_entries_go", &[IgnoresAck]),
    ("a_full_feed_refuses_commits", &[DropsWhenFull]),
];

/// Runs each check over a store with each of its mistakes, and over one with none.
fn every_check_can_fail<S>(checks: &[NamedCheck<S>], mistakes: &[(&str, &[Mistake])], store: impl Fn(Mistake) -> S) {
    assert!(checks.iter().map(|check| check.0).eq(mistakes.iter().map(|m| m.0)), "each check has mistakes to catch");
    for ((name, check), (_, mistakes)) in checks.iter().zip(mistakes) {
        for mistake in *mistakes {
            let store = store(*mistake);
            let caught = catch_unwind(AssertUnwindSafe(|| check(&store)));
            assert!(caught.is_err(), "{name} does not notice {mistake:?}");
        }
    }
}

#[test]
fn every_check_of_the_contract_can_fail() {
    assert!(CHECKS.iter().map(|check| check.0).eq(MISTAKES.iter().map(|m| m.0)), "each check has mistakes to catch");
    for ((name, check), (_, mistakes)) in CHECKS.iter().zip(MISTAKES) {
        for mistake in *mistakes {
            // Some are races, which a busy machine may not show at the first try.
            let caught = (0..5).any(|_| {
                let store = Careless(MemoryStore::new(), *mistake);
                catch_unwind(AssertUnwindSafe(|| check(&store))).is_err()
            });
            assert!(caught, "{name} does not notice {mistake:?}");
        }
    }
}

#[test]
fn every_check_of_scans_boards_and_feeds_can_fail() {
    let store = |mistake| Careless(MemoryStore::new(), mistake);
    every_check_can_fail(&conformance::scan_checks(), SCAN_MISTAKES, store);
    every_check_can_fail(&conformance::board_checks(), BOARD_MISTAKES, store);
    every_check_can_fail(&conformance::feed_checks(), FEED_MISTAKES, |mistake| {
        let len = if mistake == DropsWhenFull { 999 } else { conformance::FEED_LEN };
        Careless(MemoryStore::with_feed(len), mistake)
    });
}

struct Careless(MemoryStore, Mistake);

impl Careless {
    /// Makes a set fit whatever is stored.
    fn force(&self, set: &mut ChangeSet, parts_only: bool) {
        let stored = self.0.load(&[Key::Player(set.player.clone())]).unwrap().remove(0);
        if let Some(Record::Player(player)) = stored {
            set.expected = player.version;
            if parts_only {
                set.record = player;
            } else {
                set.record.version = set.record.version.max(player.version + 1);
            }
        } else if parts_only {
            set.expected = 0;
        }
    }

    /// As an adapter names it that keeps less of the key than it should.
    fn rename(&self, key: &Key) -> Key {
        match (self.1, key) {
            (IgnoresCase, Key::Player(player)) => Key::Player(lower(player)),
            (IgnoresCase, Key::Outcome(player, id)) => Key::Outcome(lower(player), id.clone()),
            (MixesOrigins, Key::Outcome(player, id)) => {
                let mut id = id.clone();
                id.origin = Origin::Event;
                Key::Outcome(player.clone(), id)
            }
            _ => key.clone(),
        }
    }
}

fn lower(player: &PlayerId) -> PlayerId {
    PlayerId::new(&player.as_str().to_lowercase()).unwrap()
}

impl Store for Careless {
    fn load(&self, keys: &[Key]) -> Result<Vec<Option<Record>>, StoreError> {
        match self.1 {
            AnswersEachKeyOnce => {
                let mut once = keys.to_vec();
                once.sort();
                once.dedup();
                self.0.load(&once)
            }
            ReadsPlayerLast => {
                let mut answers = vec![None; keys.len()];
                for (key, answer) in keys.iter().zip(&mut answers).rev() {
                    if matches!(key, Key::Player(_)) {
                        std::thread::sleep(Duration::from_millis(2));
                    }
                    *answer = self.0.load(std::slice::from_ref(key))?.remove(0);
                }
                Ok(answers)
            }
            _ => self.0.load(&keys.iter().map(|key| self.rename(key)).collect::<Vec<_>>()),
        }
    }

    fn commit(&self, mut batch: Vec<ChangeSet>) -> Vec<CommitOutcome> {
        for set in &mut batch {
            match self.1 {
                LosesSuspicions => set.suspicions.clear(),
                LosesMarks => set.record.marks.clear(),
                LosesPayments => set.record.paid = Paid::default(),
                RefusesOldReceipts => {
                    set.oldest_ts = set.receipts.iter().fold(set.oldest_ts, |oldest, receipt| oldest.min(receipt.ts));
                }
                DatesOutcomesByReceipts => {
                    for (_, outcome) in &mut set.outcomes {
                        outcome.ts = outcome.effect.receipts.first().map_or(outcome.ts, |receipt| receipt.ts);
                    }
                }
                IgnoresCase => set.player = lower(&set.player),
                MixesOrigins => set.outcomes.iter_mut().for_each(|(id, _)| id.origin = Origin::Event),
                KeepsRemoved => set.removed.clear(),
                LastWriterWins => self.force(set, false),
                IgnoresClosing => set.closes_at = Timestamp::MAX,
                IgnoresForgotten => set.oldest_ts = Timestamp::MAX,
                ForgetsNothing => set.forget = false,
                ShowsWhoIsHidden => set.record.hidden = false,
                _ => {}
            }
        }
        let copy = batch.clone();
        let mut results = self.0.commit(batch);
        match self.1 {
            WritesPartsOfStaleSets => {
                for (mut set, _) in copy.into_iter().zip(&results).filter(|(_, result)| is_conflict(result)) {
                    self.force(&mut set, true);
                    self.0.commit(vec![set]);
                }
            }
            StopsAtConflict => {
                let stop = results.iter().position(is_conflict).map_or(results.len(), |at| at + 1);
                results.truncate(stop);
            }
            CallsConflictsApplied => results.fill_with(|| CommitOutcome::Applied),
            TellsConflicts => {
                for (mut set, _) in copy.into_iter().zip(&results).filter(|(_, result)| is_conflict(result)) {
                    set.expected = 0;
                    self.0.commit(vec![set]);
                }
            }
            _ => {}
        }
        results
    }

    fn advance(&self, to: Horizon) -> Result<Horizon, StoreError> {
        match self.1 {
            HorizonFalls => self.0.advance(to).map(|_| to),
            KeepsOldOutcomes | KeepsIdleMarks => {
                let forgotten_before = Timestamp::MIN;
                self.0.advance(Horizon { forgotten_before, ..to })?;
                Ok(to)
            }
            DropsAllOutcomes => self.0.advance(Horizon { forgotten_before: to.forgotten_before.plus_millis(9), ..to }),
            _ => self.0.advance(to),
        }
    }
}

fn is_conflict(outcome: &CommitOutcome) -> bool {
    matches!(outcome, CommitOutcome::Conflict)
}

impl Scan for Careless {
    fn scan(&self, after: Option<&Key>, limit: usize) -> Result<Vec<(Key, Record)>, StoreError> {
        match self.1 {
            ScansInReverse => {
                let mut page = self.0.scan(after, limit)?;
                page.reverse();
                Ok(page)
            }
            SkipsBehindTheCursor if after.is_some() => {
                let all = self.0.scan(after, usize::MAX)?;
                Ok(all.into_iter().skip(1).take(limit).collect())
            }
            _ => self.0.scan(after, limit),
        }
    }

    fn scan_player(&self, player: &PlayerId) -> Result<Vec<(Key, Record)>, StoreError> {
        if self.1 != ScansByPrefix {
            return self.0.scan_player(player);
        }
        let mut all = self.0.scan(None, usize::MAX)?;
        all.retain(|(key, _)| key.player().is_some_and(|known| known.as_str().starts_with(player.as_str())));
        Ok(all)
    }
}

impl Boards for Careless {
    fn page_after(
        &self,
        key: &BoardKey,
        cursor: Option<&Cursor>,
        limit: usize,
        how: Ranking,
    ) -> Result<Page, StoreError> {
        self.0.page_after(key, cursor, limit, how)
    }
    fn by_score_range(
        &self,
        key: &BoardKey,
        scores: ScoreRange,
        offset: usize,
        limit: usize,
        how: Ranking,
    ) -> Result<Vec<Row>, StoreError> {
        self.0.by_score_range(key, scores, offset, limit, how)
    }
    fn percentile(&self, key: &BoardKey, player: &PlayerId) -> Result<Option<u32>, StoreError> {
        self.0.percentile(key, player)
    }
    fn page(&self, key: &BoardKey, offset: usize, limit: usize, ranking: Ranking) -> Result<Vec<Row>, StoreError> {
        let skip = usize::from(self.1 == LosesABoardsBest);
        self.0.page(key, offset + skip, limit, ranking)
    }

    fn rank(&self, key: &BoardKey, player: &PlayerId, ranking: Ranking) -> Result<Option<u64>, StoreError> {
        let rank = self.0.rank(key, player, ranking)?;
        Ok(match self.1 {
            CountsRanksFromZero => rank.map(|rank| rank - 1),
            RanksTheErased => rank.or(Some(1)),
            _ => rank,
        })
    }

    fn around(&self, key: &BoardKey, player: &PlayerId, n: usize, ranking: Ranking) -> Result<Vec<Row>, StoreError> {
        self.0.around(key, player, n, ranking)
    }

    fn by_owners(&self, key: &BoardKey, players: &[PlayerId], ranking: Ranking) -> Result<Vec<Row>, StoreError> {
        self.0.by_owners(key, players, ranking)
    }

    fn count_above(&self, key: &BoardKey, score: i64, order: Order) -> Result<u64, StoreError> {
        self.0.count_above(key, score, order)
    }

    fn len(&self, key: &BoardKey) -> Result<u64, StoreError> {
        self.0.len(key)
    }

    fn retain(&self, keep: &dyn Fn(&BoardKey) -> bool) -> Result<(), StoreError> {
        if self.1 == RetainsEverything { Ok(()) } else { self.0.retain(keep) }
    }
}

impl Feed for Careless {
    fn feed(&self, after: u64, limit: usize) -> Result<Vec<FeedEntry>, StoreError> {
        self.0.feed(if self.1 == IgnoresTheCursor { 0 } else { after }, limit)
    }

    fn ack(&self, through: u64) -> Result<(), StoreError> {
        if self.1 == IgnoresAck { Ok(()) } else { self.0.ack(through) }
    }
}
