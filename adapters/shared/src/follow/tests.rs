//! Against a store in memory, in a time that passes only while everybody waits.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeMap;

use liveops_core::board::{Ranking, Sort, Standing};
use liveops_core::error::StoreErrorKind;
use liveops_core::record::{BoardKey, Kind, Notice, Player, Told};
use liveops_core::store::{AsyncScan, Partitioned, Reading, TailPage};
use liveops_core::{BoardId, Key, Period, PlayerId, Record, Timestamp, Window};
use tokio::time::sleep;

use super::*;

#[derive(Debug, Default)]
struct Fake(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    players: BTreeMap<PlayerId, Player>,
    entries: Vec<Notice>,
    /// Entries of before are trimmed.
    kept_from: usize,
    horizon: Horizon,
    failure: Option<StoreErrorKind>,
    panics: bool,
    /// How often it was looked at.
    looks: usize,
    reads: usize,
}

impl State {
    fn check(&self) -> Result<(), StoreError> {
        assert!(!self.panics, "as told");
        self.failure.map_or(Ok(()), |kind| Err(kind.into()))
    }
}

fn key() -> BoardKey {
    BoardKey { board: BoardId::new("xp").unwrap(), period: Period { window: Window::AllTime, index: 0 } }
}

fn player(name: &str) -> PlayerId {
    PlayerId::new(name).unwrap()
}

fn record(version: u64, score: Option<i64>) -> Player {
    let standing = |score: i64| (key(), Standing { score: score.into(), ..Standing::default() });
    Player { version, standings: score.map(standing).into_iter().collect(), ..Player::default() }
}

impl Fake {
    /// Somebody commits.
    fn commit(&self, name: &str, version: u64, score: Option<i64>) -> ChangeSet {
        let (id, record) = (player(name), record(version, score));
        let mut state = self.0.lock();
        state.entries.push(Notice::Told(Told::of(&id, &record)));
        state.players.insert(id.clone(), record.clone());
        ChangeSet {
            player: id,
            expected: version - 1,
            forgotten_before: Timestamp::MIN,
            closes_at: Timestamp::MAX,
            forget: false,
            record: Box::new(record),
            outcomes: Vec::new(),
            receipts: Vec::new(),
            suspicions: Vec::new(),
            removed: Vec::new(),
            shown: Vec::new(),
            run: None,
        }
    }

    fn forget(&self, name: &str) {
        let mut state = self.0.lock();
        state.players.remove(&player(name));
        state.entries.push(Notice::Told(Told::Gone { player: player(name) }));
    }

    /// Looks since the last time it was asked.
    fn looks(&self) -> usize {
        std::mem::take(&mut self.0.lock().looks)
    }

    fn fail(&self, failure: Option<StoreErrorKind>) {
        self.0.lock().failure = failure;
    }
}

impl Partitioned for Fake {
    fn partitions(&self) -> u16 {
        1
    }
}

impl AsyncScan for Fake {
    async fn scan(
        &self,
        _: u16,
        _: Option<Kind>,
        after: Option<&Key>,
        limit: usize,
    ) -> Result<Vec<(Key, Record)>, StoreError> {
        sleep(Duration::from_millis(1)).await;
        let mut state = self.0.lock();
        state.check()?;
        state.reads += 1;
        let all = state.players.iter();
        let all = all.map(|(id, player)| (Key::Player(id.clone()), Record::Player(Box::new(player.clone()))));
        Ok(all.filter(|(key, _)| after.is_none_or(|after| key > after)).take(limit).collect())
    }

    async fn scan_player(
        &self,
        _: &PlayerId,
        _: Option<Kind>,
        _: Option<&Key>,
        _: usize,
    ) -> Result<Vec<(Key, Record)>, StoreError> {
        unreachable!("nobody asks")
    }
}

impl AsyncTail for Fake {
    fn partition_of(&self, _: &PlayerId) -> u16 {
        0
    }

    async fn tail(&self, after: &[u64], limit: usize) -> Vec<Result<TailPage, StoreError>> {
        sleep(Duration::from_millis(1)).await;
        let mut state = self.0.lock();
        state.looks += 1;
        let after = usize::try_from(after[0]).unwrap();
        let page = state.check().and_then(|()| {
            if after < state.kept_from {
                return Err(StoreErrorKind::FeedGap.into());
            }
            let entries = (after as u64 + 1..).zip(state.entries[after..].iter().take(limit).cloned());
            let entries: Vec<_> = entries.collect();
            let through = entries.last().map_or(after as u64, |(cursor, _)| *cursor);
            Ok(TailPage { entries, through })
        });
        vec![page]
    }

    async fn advanced_to(&self) -> Result<Horizon, StoreError> {
        let state = self.0.lock();
        state.check().map(|()| state.horizon)
    }

    async fn begins(&self) -> Result<Vec<u64>, StoreError> {
        self.ends().await
    }

    async fn ends(&self) -> Result<Vec<u64>, StoreError> {
        sleep(Duration::from_millis(1)).await;
        let state = self.0.lock();
        state.check().map(|()| vec![state.entries.len() as u64])
    }
}

/// The first row of the board, or why not.
fn top(follower: &Follower<Fake>) -> Result<Option<(String, i64)>, StoreErrorKind> {
    let what = Reading::Page { offset: 0, limit: 1 };
    let read = BoardRead { key: key(), sort: Sort::default(), ranking: Ranking::Ordinal, what };
    match follower.replica().read(&[read]).remove(0) {
        Ok(BoardAnswer::Rows(rows)) => Ok(rows.first().map(|row| (row.owner.to_string(), row.score))),
        Ok(other) => panic!("{other:?}"),
        Err(error) => Err(error.kind),
    }
}

#[expect(clippy::unnecessary_wraps, reason = "what it is compared with is a result")]
fn first(name: &str, score: i64) -> Result<Option<(String, i64)>, StoreErrorKind> {
    Ok(Some((name.to_owned(), score)))
}

/// Runs a test in a time of its own.
fn play<F: Future<Output = ()>>(test: impl FnOnce(Arc<Fake>) -> F) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(test(Arc::new(Fake::default())));
}

async fn millis(millis: u64) {
    sleep(Duration::from_millis(millis)).await;
}

#[test]
fn boards_follow_what_others_commit() {
    play(async |fake| {
        fake.commit("ana", 1, Some(10));
        let follower = Follower::new(Arc::clone(&fake));
        assert_eq!(top(&follower), Err(StoreErrorKind::Unavailable), "nothing was read yet");
        assert_eq!(follower.lag().age_millis, None);
        millis(50).await;
        assert_eq!(top(&follower), first("ana", 10));
        fake.commit("bo", 1, Some(20));
        millis(200).await;
        assert_eq!(top(&follower), first("bo", 20));
        fake.commit("bo", 2, Some(30));
        follower.catch_up().await.unwrap();
        assert_eq!(top(&follower), first("bo", 30), "at once");
        assert!(follower.lag().age_millis.unwrap() < 200);
    });
}

#[test]
fn idle_looks_become_rare_and_news_make_them_frequent() {
    play(async |fake| {
        let _follower = Follower::new(Arc::clone(&fake));
        millis(10_000).await;
        fake.looks();
        millis(20_000).await;
        let idle = fake.looks();
        assert!((15..=25).contains(&idle), "{idle} looks in 20 s");
        let mut version = 0;
        for _ in 0..100 {
            version += 1;
            fake.commit("ana", version, Some(1));
            millis(100).await;
        }
        let busy = fake.looks();
        assert!((70..=110).contains(&busy), "{busy} looks in 10 s");
    });
}

#[test]
fn who_is_far_behind_looks_again_at_once() {
    play(async |fake| {
        let follower = Follower::new(Arc::clone(&fake));
        millis(1_000).await;
        for version in 1..=5_000 {
            fake.commit("ana", version, Some(version.try_into().unwrap()));
        }
        millis(1_200).await;
        assert_eq!(top(&follower), first("ana", 5_000));
    });
}

#[test]
fn it_ends_when_it_is_dropped() {
    play(async |fake| {
        let follower = Follower::new(Arc::clone(&fake));
        millis(1_000).await;
        assert!(fake.looks() > 0);
        drop(follower);
        millis(60_000).await;
        assert_eq!((fake.looks(), Arc::strong_count(&fake)), (0, 1));
        // Also amid a look.
        let follower = Follower::new(Arc::clone(&fake));
        tokio::task::yield_now().await;
        drop(follower);
        millis(60_000).await;
        assert_eq!((fake.looks(), Arc::strong_count(&fake)), (0, 1));
    });
}

#[test]
fn a_store_that_fails_or_panics_is_asked_less_and_followed_again() {
    play(async |fake| {
        let follower = Follower::new(Arc::clone(&fake));
        fake.commit("ana", 1, Some(10));
        millis(2_000).await;
        for panics in [false, true] {
            fake.looks();
            fake.fail((!panics).then_some(StoreErrorKind::Unavailable));
            fake.0.lock().panics = panics;
            millis(60_000).await;
            let failing = fake.looks();
            assert!((10..=25).contains(&failing), "{failing} looks in a minute");
            assert_eq!(top(&follower), first("ana", 10), "as it was");
            let age = follower.lag().age_millis.unwrap();
            assert!((58_000..62_000).contains(&age), "{age} ms");
            fake.fail(None);
            fake.0.lock().panics = false;
            millis(7_000).await;
            assert!(follower.lag().age_millis.unwrap() < 2_000);
        }
    });
}

#[test]
fn a_store_that_is_away_at_first_is_joined_later() {
    play(async |fake| {
        fake.commit("ana", 1, Some(10));
        fake.fail(Some(StoreErrorKind::Unavailable));
        let follower = Follower::new(Arc::clone(&fake));
        millis(5_000).await;
        assert_eq!(follower.catch_up().await.unwrap_err().kind, StoreErrorKind::Unavailable);
        assert_eq!(top(&follower), Err(StoreErrorKind::Unavailable));
        fake.fail(None);
        millis(7_000).await;
        assert_eq!(top(&follower), first("ana", 10));
    });
}

/// What cannot be read is never left out.
#[test]
fn an_entry_of_a_later_version_makes_boards_unavailable_until_it_is_gone() {
    play(async |fake| {
        let follower = Follower::new(Arc::clone(&fake));
        fake.commit("ana", 1, Some(10));
        millis(2_000).await;
        fake.fail(Some(StoreErrorKind::TooNew));
        millis(2_000).await;
        assert_eq!(top(&follower), Err(StoreErrorKind::TooNew));
        fake.fail(None);
        fake.commit("ana", 2, Some(20));
        fake.0.lock().kept_from = 2;
        millis(7_000).await;
        assert_eq!(top(&follower), first("ana", 20));
    });
}

#[test]
fn after_a_gap_the_records_are_read_anew() {
    play(async |fake| {
        let follower = Follower::new(Arc::clone(&fake));
        fake.commit("ana", 1, Some(10));
        millis(2_000).await;
        let reads = fake.0.lock().reads;
        fake.forget("ana");
        fake.commit("bo", 1, Some(5));
        fake.0.lock().kept_from = 3;
        millis(2_000).await;
        assert_eq!(top(&follower), first("bo", 5));
        assert!(fake.0.lock().reads > reads);
    });
}

#[test]
fn what_this_process_commits_is_shown_before_it_is_answered() {
    play(async |fake| {
        let follower = Follower::new(Arc::clone(&fake));
        follower.catch_up().await.unwrap();
        let set = fake.commit("ana", 1, Some(10));
        fake.looks();
        follower.committed(&[&set]).await;
        assert_eq!((top(&follower), fake.looks()), (first("ana", 10), 0));
        // Erased, forgotten, and back with version 1, while the boards know version 3.
        for version in 2..=3 {
            let set = fake.commit("ana", version, None);
            follower.committed(&[&set]).await;
        }
        fake.forget("ana");
        let set = fake.commit("ana", 1, Some(7));
        follower.committed(&[&set]).await;
        assert_eq!(top(&follower), first("ana", 7));
        // Late news of a life that is over by the horizon.
        let late = ChangeSet { forgotten_before: Timestamp::MIN, ..set };
        let to = Timestamp::from_unix_millis(5);
        follower.advanced(Horizon { now: to, forgotten_before: to });
        fake.forget("ana");
        follower.committed(&[&late]).await;
        assert_eq!(top(&follower), Ok(None));
    });
}
