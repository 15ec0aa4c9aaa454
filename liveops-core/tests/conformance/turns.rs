//! Two handles of one store: what one remembers, the other may have changed.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, OnceLock};

use liveops_core::board::Row;
use liveops_core::conformance::{self, NamedCheck, Turns};
use liveops_core::error::StoreError;
use liveops_core::record::{BoardKey, ChangeSet, CommitOutcome, Header, Horizon, Kind};
use liveops_core::store::{BoardAnswer, BoardRead, Keeps, Lag, Loaded, Partitioned, by_load_and_commit};
use liveops_core::{Boards, Key, MemoryStore, Plan, PlayerId, Record, Replica, Scan, Store};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Mistake {
    Nothing,
    RemembersTheHeader,
    RemembersTheHorizon,
    FollowsItselfAlone,
}

use Mistake::*;

struct Handle {
    shared: Arc<MemoryStore>,
    boards: Replica,
    mistake: Mistake,
    header: OnceLock<Header>,
    horizon: OnceLock<Option<Record>>,
}

fn two(mistake: Mistake) -> Turns<Handle> {
    let shared = Arc::new(MemoryStore::with_feed(1_000_000));
    let [one, other] = [(); 2].map(|()| {
        let (shared, boards) = (Arc::clone(&shared), Replica::default());
        boards.join(&*shared, &|_| true).unwrap();
        Handle { shared, boards, mistake, header: OnceLock::new(), horizon: OnceLock::new() }
    });
    Turns::new(one, other)
}

impl Store for Handle {
    fn load(&self, keys: &[Key]) -> Vec<Loaded> {
        let mut answers = self.shared.load(keys);
        for (answer, key) in answers.iter_mut().zip(keys) {
            if self.mistake == RemembersTheHorizon && *key == Key::Horizon {
                let known = self.horizon.get_or_init(|| answer.as_ref().unwrap().clone());
                *answer = Ok(known.clone());
            }
        }
        answers
    }

    fn commit(&self, batch: Vec<ChangeSet>) -> Vec<CommitOutcome> {
        let outcomes = self.shared.commit(batch.clone());
        if self.mistake == FollowsItselfAlone {
            let applied = batch.iter().zip(&outcomes).filter(|(_, how)| matches!(how, CommitOutcome::Applied));
            self.boards.committed(&applied.map(|(set, _)| set).collect::<Vec<_>>());
        }
        outcomes
    }

    fn drive(&self, plan: &mut Plan<'_>) {
        by_load_and_commit(self, plan);
    }

    fn round_players(&self) -> usize {
        self.shared.round_players()
    }

    fn advance(&self, to: Horizon) -> Result<Horizon, StoreError> {
        self.shared.advance(to)
    }

    fn header(&self) -> Result<Header, StoreError> {
        let header = self.shared.header()?;
        Ok(if self.mistake == RemembersTheHeader { self.header.get_or_init(|| header).clone() } else { header })
    }

    fn replace_header(&self, expected: &Header, new: &Header) -> Result<bool, StoreError> {
        self.shared.replace_header(expected, new)
    }
}

impl Partitioned for Handle {
    fn partitions(&self) -> u16 {
        self.shared.partitions()
    }
}

type Page = Result<Vec<(Key, Record)>, StoreError>;

impl Scan for Handle {
    fn scan(&self, partition: u16, kind: Option<Kind>, after: Option<&Key>, limit: usize) -> Page {
        self.shared.scan(partition, kind, after, limit)
    }

    fn scan_player(&self, player: &PlayerId, kind: Option<Kind>, after: Option<&Key>, limit: usize) -> Page {
        self.shared.scan_player(player, kind, after, limit)
    }
}

impl Boards for Handle {
    fn read(&self, reads: &[BoardRead]) -> Vec<Result<BoardAnswer, StoreError>> {
        self.boards.read(reads)
    }

    fn retain(&self, keep: Keeps<'_>) -> Result<(), StoreError> {
        self.boards.retain(keep);
        Ok(())
    }

    fn rebuild(&self, keep: Keeps<'_>) -> Result<(), StoreError> {
        self.boards.rebuild(&*self.shared, keep)
    }

    fn catch_up(&self) -> Result<(), StoreError> {
        if self.mistake == FollowsItselfAlone { Ok(()) } else { self.boards.catch_up(&*self.shared) }
    }

    fn horizon(&self) -> Horizon {
        self.boards.horizon()
    }

    fn lag(&self) -> Result<Lag, StoreError> {
        self.boards.follow(&*self.shared, 0)
    }

    fn note_final(&self, key: &BoardKey, rows: &[Row]) -> Result<(), StoreError> {
        self.shared.note_final(key, rows)
    }
}

#[test]
fn two_handles_that_follow_keep_the_contract() {
    conformance::check(|| Box::new(two(Nothing)));
    conformance::check_scan(|| two(Nothing));
    conformance::check_boards(|| two(Nothing));
}

#[test]
fn what_only_one_handle_knows_is_noticed() {
    let fails = |check: &dyn Fn()| catch_unwind(AssertUnwindSafe(check)).is_err();
    let stores = |mistake| conformance::CHECKS.iter().filter(|(_, check)| fails(&|| check(&two(mistake)))).count();
    assert!(stores(RemembersTheHeader) > 1 && stores(RemembersTheHorizon) > 1);
    let boards: Vec<NamedCheck<Turns<Handle>>> = conformance::board_checks().into();
    let failed = boards.iter().filter(|(_, check)| fails(&|| check(&two(FollowsItselfAlone)))).count();
    assert!(failed > 6, "{failed}");
}
