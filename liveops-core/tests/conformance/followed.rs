//! A store that many processes share: its boards are followed by the end of its outbox. And such stores with one mistake each.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;

use liveops_core::conformance;
use liveops_core::error::{StoreError, StoreErrorKind};
use liveops_core::record::{ChangeSet, CommitOutcome, Header, Horizon, Kind, Notice, Told};
use liveops_core::store::{AsyncScan, AsyncTail, Blocking, Loaded, Partitioned, TailPage, records};
use liveops_core::testing::Parked;
use liveops_core::{AsyncStore, Key, MemoryStore, PlayerId, Record, Store};

use crate::asynchronous::far;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Mistake {
    Nothing,
    TellsConflicts,
    TellsElsewhere,
    IgnoresTheCursor,
    ComesFurtherThanItGives,
    TrimsWithoutAWord,
    FailsAllForOneGap,
    EndsBeforeTheLast,
    ShowsSlowWritersLate,
    TellsNoAdvances,
    TellsAdvancesLate,
    TellsNobodyGone,
    TellsNothingShown,
    KnowsNoHorizon,
}

use Mistake::*;

const PARTITIONS: u16 = 3;

struct Followed {
    inner: MemoryStore,
    /// Whoever writes has it.
    outbox: Mutex<Outbox>,
    /// Whether it tells of whole change sets, as a store with a feed does.
    whole: bool,
    mistake: Mistake,
}

#[derive(Default)]
struct Outbox {
    /// By partition. A cursor is a place, from 1.
    told: [Vec<Notice>; PARTITIONS as usize],
    /// Who was told of, and has not been told gone.
    known: BTreeSet<PlayerId>,
    horizon: Horizon,
    /// What becomes visible later, if that is the mistake.
    slow: Vec<(usize, Notice)>,
    late: Option<Notice>,
}

impl Followed {
    fn new(whole: bool, mistake: Mistake) -> Self {
        Self { inner: MemoryStore::new(), outbox: Mutex::default(), whole, mistake }
    }
}

fn followed(whole: bool, mistake: Mistake) -> Blocking<Followed, Parked> {
    Blocking::new(Followed::new(whole, mistake), Parked)
}

impl Followed {
    fn notice(&self, set: &ChangeSet) -> Notice {
        if self.mistake == TellsNothingShown && set.record.version.is_multiple_of(2) {
            let (player, version) = (set.player.clone(), set.record.version);
            return Notice::Told(Told::Stands { player, version, shown: Vec::new() });
        }
        decoded(&if self.whole { Notice::committed(set) } else { Notice::told_of(set) })
    }

    fn commit_one(&self, outbox: &mut Outbox, set: &ChangeSet) -> CommitOutcome {
        let mut at = usize::from(place_of(&set.player));
        if self.mistake == TellsElsewhere {
            at = (at + 1) % usize::from(PARTITIONS);
        }
        let outcome = self.inner.commit(vec![set.clone()]).remove(0);
        let applied = matches!(outcome, CommitOutcome::Applied);
        if applied || self.mistake == TellsConflicts {
            if set.expected == 0 && !outbox.known.insert(set.player.clone()) && self.mistake != TellsNobodyGone {
                outbox.told[at].push(decoded(&Notice::gone(&set.player)));
            }
            let notice = self.notice(set);
            if self.mistake == ShowsSlowWritersLate && outbox.slow.len() < 3 && set.record.version % 7 == 3 {
                // It has its cursor already, and another has a later one.
                outbox.told[at].push(Notice::Advanced(outbox.horizon));
                outbox.slow.push((at, notice));
            } else {
                outbox.told[at].push(notice);
            }
            outbox.told[at].extend(outbox.late.take());
        }
        outcome
    }

    fn page(&self, outbox: &Outbox, partition: usize, after: u64, limit: usize) -> Result<TailPage, StoreError> {
        let told = &outbox.told[partition];
        let last = told.len() as u64;
        if after > last {
            return Err(StoreErrorKind::FeedGap.into());
        }
        let from = match self.mistake {
            IgnoresTheCursor => 0,
            TrimsWithoutAWord => after.max(2),
            _ => after,
        };
        let entries: Vec<_> =
            (1..).zip(told.iter().cloned()).filter(|(cursor, _)| *cursor > from).take(limit).collect();
        let through = entries.last().map_or(after, |(cursor, _)| *cursor);
        let through = if self.mistake == ComesFurtherThanItGives { last.max(after) } else { through };
        Ok(TailPage { entries, through })
    }
}

fn place_of(player: &PlayerId) -> u16 {
    player.as_bytes().iter().fold(0_u16, |sum, byte| sum.wrapping_add(u16::from(*byte))) % PARTITIONS
}

fn decoded(bytes: &[u8]) -> Notice {
    Notice::decode(bytes).unwrap()
}

impl AsyncStore for Followed {
    async fn load(&self, keys: &[Key]) -> Vec<Loaded> {
        far(|| self.inner.load(keys)).await
    }

    async fn commit(&self, batch: Vec<ChangeSet>) -> Vec<CommitOutcome> {
        far(|| {
            let outbox = &mut *self.outbox.lock().unwrap();
            batch.iter().map(|set| self.commit_one(outbox, set)).collect()
        })
        .await
    }

    fn round_players(&self) -> usize {
        self.inner.round_players()
    }

    async fn advance(&self, to: Horizon) -> Result<Horizon, StoreError> {
        far(|| {
            let outbox = &mut *self.outbox.lock().unwrap();
            let horizon = self.inner.advance(to)?;
            if horizon != outbox.horizon && self.mistake != TellsNoAdvances {
                outbox.horizon = horizon;
                let notice = Notice::Advanced(horizon);
                if self.mistake == TellsAdvancesLate {
                    outbox.late = Some(notice);
                } else {
                    outbox.told.iter_mut().for_each(|told| told.push(notice.clone()));
                }
            }
            Ok(horizon)
        })
        .await
    }

    async fn header(&self) -> Result<Header, StoreError> {
        far(|| self.inner.header()).await
    }

    async fn replace_header(&self, expected: &Header, new: &Header) -> Result<bool, StoreError> {
        far(|| self.inner.replace_header(expected, new)).await
    }
}

impl Partitioned for Followed {
    fn partitions(&self) -> u16 {
        PARTITIONS
    }
}

type Page = Result<Vec<(Key, Record)>, StoreError>;

impl AsyncScan for Followed {
    async fn scan(&self, partition: u16, kind: Option<Kind>, after: Option<&Key>, limit: usize) -> Page {
        far(|| {
            let all = records(&self.inner, kind, 1_000);
            let own = all.filter(|found| {
                found.as_ref().map_or(true, |(key, _)| {
                    key.player().is_some_and(|player| place_of(player) == partition)
                        && after.is_none_or(|after| key > after)
                })
            });
            own.take(limit).collect()
        })
        .await
    }

    async fn scan_player(&self, player: &PlayerId, kind: Option<Kind>, after: Option<&Key>, limit: usize) -> Page {
        far(|| liveops_core::Scan::scan_player(&self.inner, player, kind, after, limit)).await
    }
}

impl AsyncTail for Followed {
    fn partition_of(&self, player: &PlayerId) -> u16 {
        place_of(player)
    }

    async fn tail(&self, after: &[u64], limit: usize) -> Vec<Result<TailPage, StoreError>> {
        far(|| {
            let mut outbox = self.outbox.lock().unwrap();
            let pages: Vec<_> = (0..).zip(after).map(|(at, after)| self.page(&outbox, at, *after, limit)).collect();
            // Now it becomes visible, in the place that it had all the while.
            for (at, notice) in std::mem::take(&mut outbox.slow) {
                let waits = |told: &&mut Notice| matches!(told, Notice::Advanced(to) if *to == Horizon::default());
                if let Some(place) = outbox.told[at].iter_mut().find(waits) {
                    *place = notice;
                }
            }
            if self.mistake == FailsAllForOneGap && pages.iter().any(Result::is_err) {
                return pages.iter().map(|_| Err(StoreErrorKind::FeedGap.into())).collect();
            }
            pages
        })
        .await
    }

    async fn advanced_to(&self) -> Result<Horizon, StoreError> {
        far(|| {
            let known =
                if self.mistake == KnowsNoHorizon { Horizon::default() } else { self.outbox.lock().unwrap().horizon };
            Ok(known)
        })
        .await
    }

    async fn begins(&self) -> Result<Vec<u64>, StoreError> {
        self.ends().await
    }

    async fn ends(&self) -> Result<Vec<u64>, StoreError> {
        far(|| {
            let outbox = self.outbox.lock().unwrap();
            let too_early = usize::from(self.mistake == EndsBeforeTheLast);
            Ok(outbox.told.iter().map(|told| told.len().saturating_sub(too_early) as u64).collect())
        })
        .await
    }
}

#[test]
fn a_store_that_is_followed_keeps_the_contract() {
    conformance::check_async(|| Followed::new(false, Nothing), || Parked);
    conformance::check_scan(|| followed(true, Nothing));
    for whole in [false, true] {
        conformance::check_tail(|| followed(whole, Nothing));
    }
}

/// Each check, and mistakes that it must catch.
const MISTAKES: &[(&str, &[Mistake])] = &[
    ("a_tail_tells_what_was_committed", &[TellsConflicts, TellsElsewhere]),
    ("a_tail_goes_on_from_any_cursor", &[IgnoresTheCursor, ComesFurtherThanItGives]),
    ("what_a_tail_lacks_is_a_gap", &[TrimsWithoutAWord, FailsAllForOneGap]),
    ("ends_are_behind_what_was_committed", &[EndsBeforeTheLast]),
    ("no_slow_writer_is_passed_over", &[ShowsSlowWritersLate]),
    ("each_rise_of_the_horizon_is_told", &[TellsNoAdvances, TellsAdvancesLate, KnowsNoHorizon]),
    ("who_begins_again_is_told_gone_before", &[TellsNobodyGone]),
    ("replicas_that_follow_show_what_records_show", &[TellsNothingShown]),
];

#[test]
fn every_check_of_tails_can_fail() {
    let checks = conformance::tail_checks();
    assert!(checks.iter().map(|check| check.0).eq(MISTAKES.iter().map(|m| m.0)), "each check has mistakes to catch");
    for ((name, check), (_, mistakes)) in checks.iter().zip(MISTAKES) {
        for mistake in *mistakes {
            let run = || check(&followed(false, *mistake));
            let caught = (0..5).any(|_| catch_unwind(AssertUnwindSafe(run)).is_err());
            assert!(caught, "{name} does not notice {mistake:?}");
        }
    }
}
