//! What only this store can be asked: everything at once, feeds that are full, threads.

mod unwinding;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use super::moment::Moment;
use super::*;
use crate::board::{Ranking, Score, Sort, Standing};
use crate::codec::{Seal, Stable as _};
use crate::event::{Event, FieldValue, Payload};
use crate::hash::Digest;
use crate::id::{BoardId, CommandId, EventId, Id, Origin};
use crate::record::{BoardKey, Effect, Kind, Player, Receipt, Settled, StoredOutcome, Suspicion};
use crate::reward::{ReceiptState, Scope};
use crate::store::{FeedMarks, Happened, Partitioned as _, Reading, Scan, SnapshotWriter, Whole, digest_of, records};
use crate::time::Timestamp;
use crate::window::{Period, Window};

pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
}

pub(super) fn at(millis: i64) -> Timestamp {
    Timestamp::from_unix_millis(millis)
}

fn player(name: &str) -> PlayerId {
    PlayerId::new(name).unwrap()
}

fn command(n: u64) -> CommandId {
    CommandId { origin: Origin::Event, id: EventId::new(&format!("e{n}")).unwrap() }
}

fn day(index: i64) -> BoardKey {
    BoardKey { board: BoardId::new("xp").unwrap(), period: Period { window: Window::Daily, index } }
}

fn horizon(millis: i64) -> Horizon {
    Horizon { now: at(millis), forgotten_before: at(millis) }
}

/// A change set that turns one record of a player into another, with outcomes of those times.
fn set(name: &str, before: &Player, after: Player, outcomes: &[(u64, i64)]) -> ChangeSet {
    let mut keys: Vec<_> =
        [before, &after].into_iter().flat_map(|player| player.standings.to_vec()).map(|(key, _)| key).collect();
    keys.sort();
    keys.dedup();
    let shown = keys.into_iter().filter(|key| before.shown(key) != after.shown(key));
    let shown = shown.map(|key| (key.clone(), after.shown(&key))).collect();
    let outcome = |ts| StoredOutcome { fingerprint: 7, ts: at(ts), effect: Effect::default() };
    ChangeSet {
        player: player(name),
        expected: before.version,
        forgotten_before: Timestamp::MIN,
        closes_at: Timestamp::MAX,
        forget: after.erased_through().is_some(),
        record: after.into(),
        outcomes: outcomes.iter().map(|(n, ts)| (command(*n), outcome(*ts))).collect(),
        receipts: Vec::new(),
        suspicions: Vec::new(),
        removed: Vec::new(),
        shown,
        run: None,
    }
}

/// A set of somebody who has `xp` after as many versions, and an entry of as much on the day.
fn gain(name: &str, before: &Player, xp: u64) -> ChangeSet {
    let standing = Standing { score: Score::from(xp.cast_signed()), ..Standing::default() };
    let standings = [(day(1), standing)].into_iter().collect();
    let after = Player { version: before.version + 1, xp, standings, ..Player::default() };
    set(name, before, after, &[(before.version + 1, 1_000)])
}

fn suspicion(name: &str) -> Suspicion {
    let payload = Payload::new(vec![(Id::new("deltaXp").unwrap(), FieldValue::Int(1))]).unwrap();
    let (id, kind) = (EventId::new("e").unwrap(), Id::new("progression").unwrap());
    let event = Event { id, player: player(name), ts: at(5), kind, payload };
    Suspicion { event, received_at: at(5), held: true, verdicts: Vec::new(), settled: Settled::Open }
}

fn receipt(number: u64) -> Receipt {
    Receipt {
        number,
        id: Digest::default(),
        reward: Id::new("gold").unwrap(),
        scope: Scope::Level(2),
        items: Vec::new(),
        cause: command(number),
        ts: at(5),
        rules: Digest::default(),
        previous: Digest::default(),
        claim_until: None,
        roll: None,
        state: ReceiptState::Issued,
        settled_at: None,
    }
}

fn applied(store: &MemoryStore, set: ChangeSet) {
    let outcome = store.commit(vec![set]).pop().unwrap();
    assert!(matches!(outcome, CommitOutcome::Applied), "{outcome:?}");
}

fn rows(store: &MemoryStore, key: &BoardKey) -> Vec<(PlayerId, i64)> {
    let what = Reading::Page { offset: 0, limit: usize::MAX };
    let read = BoardRead { key: key.clone(), sort: Sort::default(), ranking: Ranking::Ordinal, what };
    match Boards::read(store, &[read]).pop().unwrap().unwrap() {
        BoardAnswer::Rows(rows) => rows.into_iter().map(|row| (row.owner, row.score)).collect(),
        other => panic!("{other:?}"),
    }
}

/// Players with some records of each kind; some have none of one kind, some are due marks.
fn sample(seed: u64) -> MemoryStore {
    println!("seed {seed}");
    let (store, mut random) = (MemoryStore::new(), Random(seed));
    for n in 0..60 {
        let name = format!("p{}", n * 7919 % 1_000);
        let mut first = gain(&name, &Player::default(), n);
        first.outcomes.clear();
        for n in 0..random.below(12) {
            let effect = Effect::default();
            first.outcomes.push((command(n * 37 % 100), StoredOutcome { fingerprint: 1, ts: at(1_000), effect }));
        }
        first.receipts = (0..random.below(3)).map(|n| receipt(n * 5)).collect();
        first.suspicions = (0..random.below(4)).map(|n| (n * 3 + 1, suspicion(&name))).collect();
        let record = (*first.record).clone();
        applied(&store, first);
        if random.below(6) == 0 {
            let mark = Player::erased(2, at(3), at(3));
            applied(&store, set(&name, &record, mark, &[]));
        }
    }
    store.advance(horizon(500)).unwrap();
    store
}

#[test]
fn pages_put_together_are_everything_in_order() {
    for seed in 1..=5 {
        let store = sample(seed);
        let mut all = Vec::new();
        Moment::new(&store)
            .each_record(|key, record| {
                all.push((key.clone(), Record::decode(record)?));
                Ok(())
            })
            .unwrap();
        assert!(all.len() > 100 && all.is_sorted_by(|a, b| a.0 < b.0));
        assert_eq!(digest_of(&store).unwrap(), store.digest());
        for kind in [None, Some(Kind::Player), Some(Kind::Outcome), Some(Kind::Receipt), Some(Kind::Suspicion)] {
            let of_kind: Vec<_> =
                all.iter().filter(|(key, _)| kind.is_none_or(|kind| key.kind() == Some(kind))).cloned().collect();
            for limit in [1, 2, 3, 10, 64, 1_000] {
                let pages: Result<Vec<_>, _> = records(&store, kind, limit).collect();
                assert_eq!(pages.unwrap(), of_kind, "{kind:?} by {limit}");
            }
            // Behind any key, be it of this kind or not, or of nobody.
            let nobody = Key::Player(player("p5555"));
            for after in all.iter().map(|(key, _)| key).step_by(7).chain([&nobody, &Key::Horizon]) {
                let behind = of_kind.iter().filter(|(key, _)| key > after);
                let page = store.scan(0, kind, Some(after), 5).unwrap();
                assert!(page.iter().eq(behind.take(5)), "{kind:?} after {after:?}");
                let somebody = player("p63");
                let mine = of_kind.iter().filter(|(key, _)| key > after && key.player() == Some(&somebody));
                let page = store.scan_player(&somebody, kind, Some(after), 3).unwrap();
                assert!(page.iter().eq(mine.take(3)), "{kind:?} of one after {after:?}");
            }
        }
        assert!(store.scan(0, None, None, 0).unwrap().is_empty());
        assert!(store.scan(1, None, None, 9).unwrap().is_empty());
    }
}

#[test]
fn a_snapshot_of_either_version_is_the_store_again() {
    let store = sample(9);
    let header = Header { game: Some("emberfall".to_owned()), ..Header::default() };
    assert!(store.replace_header(&Header::default(), &header).unwrap());
    assert!(!store.replace_header(&Header::default(), &Header::default()).unwrap(), "somebody came before");
    let bytes = store.snapshot();
    let copy = MemoryStore::restore(&bytes).unwrap();
    assert_eq!((copy.digest(), copy.size()), (store.digest(), store.size()));
    assert_eq!(copy.header().unwrap(), header);
    assert_eq!(rows(&copy, &day(1)), rows(&store, &day(1)));
    // Both go on alike.
    let p0 = store.load(&[Key::Player(player("p0"))]).pop().unwrap().unwrap();
    let Some(Record::Player(p0)) = p0 else { panic!("{p0:?}") };
    for store in [&store, &copy] {
        let next = ChangeSet { forgotten_before: at(500), ..gain("p0", &p0, 77) };
        applied(store, next);
    }
    assert_eq!(rows(&copy, &day(1)), rows(&store, &day(1)));

    let mut all = vec![(Key::Horizon, Record::Horizon(horizon(500)))];
    all.extend(records(&store, None, 100).map(Result::unwrap));
    let version_1 = Seal { head: b"liveops snapshot", version: 1 }.close(|out| all.put(out));
    let old = MemoryStore::with_feed(5).restored(&version_1).unwrap();
    assert_eq!((old.digest(), old.header().unwrap()), (store.digest(), Header::default()));
    assert_eq!(rows(&old, &day(1)), rows(&store, &day(1)));
    assert_eq!(cursors(&old, 0), Err(StoreErrorKind::FeedGap), "nobody knows where its feed stood");
}

#[test]
fn what_cannot_be_restored_leaves_nothing() {
    let bytes = sample(3).snapshot();
    let store = MemoryStore::new();
    for cut in (0..bytes.len()).step_by(97).chain([bytes.len() - 1]) {
        let error = Whole::restore(&store, &mut &bytes[..cut]).unwrap_err();
        assert_eq!(error.kind, StoreErrorKind::Corrupt);
        assert_eq!(
            (store.digest(), store.size()),
            (MemoryStore::new().digest(), MemoryStore::new().size()),
            "cut at {cut}"
        );
        assert!(store.scan(0, None, None, 9).unwrap().is_empty() && rows(&store, &day(1)).is_empty());
    }
    Whole::restore(&store, &mut &bytes[..]).unwrap();
    let digest = store.digest();
    let again = Whole::restore(&store, &mut &bytes[..]).unwrap_err();
    assert_eq!((again.kind, store.digest()), (StoreErrorKind::Misconfigured, digest), "it is not empty");
    let other = MemoryStore::new();
    let header = Header { game: Some("other".to_owned()), ..Header::default() };
    other.replace_header(&Header::default(), &header).unwrap();
    let of_a_game = MemoryStore::restore(&bytes).unwrap();
    of_a_game
        .replace_header(&Header::default(), &Header { game: Some("one".to_owned()), ..Header::default() })
        .unwrap();
    let error = Whole::restore(&other, &mut &of_a_game.snapshot()[..]).unwrap_err();
    assert_eq!((error.kind, other.size().players), (StoreErrorKind::Misconfigured, 0), "another game's");
}

fn cursors(store: &MemoryStore, after: u64) -> Result<Vec<u64>, StoreErrorKind> {
    let entries = store.feed(0, after, usize::MAX).map_err(|error| error.kind)?;
    Ok(entries.iter().map(|entry| entry.cursor).collect())
}

#[test]
fn entries_go_once_all_consumers_have_them() {
    let store = MemoryStore::with_feed(100);
    let (bus, audit) = (Id::new("bus").unwrap(), Id::new("audit").unwrap());
    let gap = Err(StoreErrorKind::FeedGap);
    assert_eq!((cursors(&store, 0), cursors(&store, 1)), (Ok(vec![]), gap.clone()));
    for n in 0..4 {
        applied(&store, gain(&format!("p{n}"), &Player::default(), n));
    }
    assert_eq!(cursors(&store, 0), Ok(vec![1, 2, 3, 4]), "with nobody known nothing goes");
    assert_eq!(cursors(&store, 5), gap.clone(), "beyond the last");
    store.ack(&audit, 0, 0).unwrap();
    store.ack(&bus, 0, 3).unwrap();
    assert_eq!(cursors(&store, 0), Ok(vec![1, 2, 3, 4]), "one has nothing yet");
    assert_eq!(store.ack(&bus, 0, 5).unwrap_err().kind, StoreErrorKind::FeedGap);
    store.ack(&bus, 0, 1).unwrap();
    store.ack(&audit, 0, 2).unwrap();
    assert_eq!((cursors(&store, 1), cursors(&store, 2)), (gap.clone(), Ok(vec![3, 4])));
    let acked: BTreeMap<_, _> =
        store.consumers().unwrap().into_iter().map(|mark| (mark.consumer, mark.acked[0])).collect();
    assert_eq!(acked, BTreeMap::from([(audit.clone(), 2), (bus.clone(), 3)]), "none goes back");
    store.drop_consumer(&audit).unwrap();
    store.drop_consumer(&audit).unwrap();
    assert_eq!((cursors(&store, 2), cursors(&store, 3)), (gap, Ok(vec![4])));
    store.drop_consumer(&bus).unwrap();
    assert_eq!((cursors(&store, 3), store.last(0).unwrap(), store.size().feed), (Ok(vec![4]), 4, 1));
    assert!(store.feed(1, 0, 1).is_err() && store.ack(&bus, 1, 0).is_err(), "there is one partition");
}

#[test]
fn a_full_feed_refuses_commits_and_never_an_advance() {
    let store = MemoryStore::with_feed(2);
    let commit = |n: u64, forgotten: i64| {
        let set = ChangeSet { forgotten_before: at(forgotten), ..gain(&format!("p{n}"), &Player::default(), n) };
        store.commit(vec![set]).pop().unwrap()
    };
    let is_full = |outcome| matches!(outcome, CommitOutcome::Failed(StoreError { kind: StoreErrorKind::FeedFull, .. }));
    store.advance(horizon(1)).unwrap();
    store.advance(horizon(1)).unwrap();
    assert_eq!(cursors(&store, 0), Ok(vec![1]), "nothing rose the second time");
    assert!(matches!(commit(1, 1), CommitOutcome::Applied), "what rose is not counted");
    assert!(matches!(commit(2, 1), CommitOutcome::Applied));
    let digest = store.digest();
    assert!(is_full(commit(3, 1)));
    assert_eq!(store.digest(), digest);
    for millis in 2..100 {
        assert_eq!(store.advance(horizon(millis)).unwrap(), horizon(millis));
    }
    let entries = store.feed(0, 0, usize::MAX).unwrap();
    assert_eq!(entries.last().unwrap().what, Happened::Advanced(horizon(99)));
    assert!(entries.len() < 8 && store.last(0).unwrap() == 101, "what rises for long takes no memory");
    assert!(is_full(commit(3, 99)));
    store.ack(&Id::new("bus").unwrap(), 0, 2).unwrap();
    assert!(matches!(commit(3, 99), CommitOutcome::Applied));
    assert!(is_full(commit(4, 99)));
}

#[test]
fn a_copy_goes_on_in_an_epoch_of_its_own() {
    let store = MemoryStore::with_feed(10);
    let bus = Id::new("bus").unwrap();
    store.ack(&bus, 0, 0).unwrap();
    for n in 0..3 {
        applied(&store, gain(&format!("p{n}"), &Player::default(), n));
    }
    store.ack(&bus, 0, 2).unwrap();
    let bytes = store.snapshot();
    applied(&store, gain("later", &Player::default(), 9));
    // The consumer is ahead of the copy, which catches up and would lead it past what it never saw.
    for copy in [MemoryStore::with_feed(10), MemoryStore::new()] {
        let copy = copy.restored(&bytes).unwrap();
        let base = copy.last(0).unwrap();
        assert!(base >= 1 << 32 && base.trailing_zeros() >= 32);
        let known: Vec<_> = copy.consumers().unwrap();
        assert_eq!(known, [ConsumerMark { consumer: bus.clone(), acked: vec![base] }]);
        for n in 0..4 {
            applied(&copy, gain(&format!("q{n}"), &Player::default(), n));
        }
        for old in 0..6 {
            assert_eq!(cursors(&copy, old), Err(StoreErrorKind::FeedGap));
        }
        let again = MemoryStore::with_feed(10).restored(&copy.snapshot()).unwrap();
        assert_eq!((again.digest(), cursors(&again, base)), (copy.digest(), Err(StoreErrorKind::FeedGap)));
    }
    let copy = MemoryStore::with_feed(10).restored(&bytes).unwrap();
    let base = copy.last(0).unwrap();
    applied(&copy, gain("p9", &Player::default(), 9));
    assert_eq!(cursors(&copy, base), Ok(vec![base + 1]));

    // From a store of two partitions.
    let marks = FeedMarks { last: vec![3, 9], consumers: Vec::new() };
    let bytes = SnapshotWriter::new(Vec::new(), &Header::default(), &marks, horizon(0)).unwrap().finish().unwrap();
    let moved = MemoryStore::with_feed(10).restored(&bytes).unwrap();
    assert!(moved.last(0).unwrap() >= 1 << 32 && cursors(&moved, 9) == Err(StoreErrorKind::FeedGap));
}

/// 5,000 XP of before an erasure are on their way while the player is erased, forgotten, and begins again.
#[test]
fn a_stalled_commit_does_not_bring_erased_experience_back() {
    let store = MemoryStore::with_feed(100);
    let key = Key::Player(player("ana"));
    let first = gain("ana", &Player::default(), 10);
    let before = (*first.record).clone();
    applied(&store, first);
    let stalled = [
        gain("ana", &Player::default(), 5_000),
        ChangeSet { closes_at: at(90), ..gain("ana", &Player::default(), 5_000) },
        gain("ana", &before, 5_000),
    ];
    let mark = Player::erased(2, at(50), at(50));
    applied(&store, set("ana", &before, mark.clone(), &[(9, 50)]));
    let refused = |when: &str| {
        for set in &stalled {
            let outcome = store.commit(vec![set.clone()]).pop().unwrap();
            assert!(matches!(outcome, CommitOutcome::Conflict), "{when}: {outcome:?}");
        }
    };
    refused("erased");
    store.advance(horizon(51)).unwrap();
    assert!(matches!(store.load(std::slice::from_ref(&key))[..], [Ok(None)]));
    assert_eq!((store.size().players, store.size().outcomes), (0, 0));
    refused("forgotten");
    let again = |xp| ChangeSet { forgotten_before: at(51), ..gain("ana", &Player::default(), xp) };
    applied(&store, again(7));
    assert_eq!(rows(&store, &day(1)), [(player("ana"), 7)], "the boards know that somebody begins again");
    refused("back");
    assert_eq!(rows(&store, &day(1)), [(player("ana"), 7)]);
}

/// A mark that is due when it is written counts as absent at once, and whoever begins again does so at version 1.
#[test]
fn a_due_mark_is_absent_before_it_is_removed() {
    let store = MemoryStore::new();
    store.advance(horizon(100)).unwrap();
    let under = |set| ChangeSet { forgotten_before: at(100), ..set };
    let first = gain("ana", &Player::default(), 10);
    let mut before = (*first.record).clone();
    applied(&store, under(first));
    for round in 0..3 {
        let mark = Player::erased(before.version + 1, at(50), at(50));
        applied(&store, under(set("ana", &before, mark, &[(9, 50)])));
        let absent = MemoryStore::new();
        absent.advance(horizon(100)).unwrap();
        assert_eq!(store.digest(), absent.digest(), "round {round}");
        assert_eq!(store.size(), absent.size());
        assert!(matches!(
            store.load(&[Key::Player(player("ana")), Key::Outcome(player("ana"), command(9))])[..],
            [Ok(None), Ok(None)]
        ));
        assert!(store.scan(0, None, None, 9).unwrap().is_empty());
        assert_eq!(MemoryStore::restore(&store.snapshot()).unwrap().digest(), absent.digest());
        let again = gain("ana", &Player::default(), 20 + round);
        before = (*again.record).clone();
        applied(&store, under(again));
        assert_eq!(rows(&store, &day(1)), [(player("ana"), 20 + round.cast_signed())]);
    }
}

/// Threads commit, hide, erase and begin again, while boards are freed and brought back, the store moves in time and is read.
#[test]
fn boards_are_what_the_records_say_whatever_threads_do() {
    for seed in 1..=4_u64 {
        println!("seed {seed}");
        let (store, ended) = (MemoryStore::new(), AtomicBool::new(false));
        let commit_one = |random: &mut Random| {
            let name = format!("p{}", random.below(12));
            let Ok([Ok(Some(Record::Horizon(horizon))), Ok(record)]) =
                <[Loaded; 2]>::try_from(store.load(&[Key::Horizon, Key::Player(player(&name))]))
            else {
                panic!("a store in memory answers")
            };
            let before = if let Some(Record::Player(player)) = record { *player } else { Player::default() };
            let mut after = Player { version: before.version + 1, rare: None, ..before.clone() };
            match random.below(12) {
                0 => {
                    let through = horizon.forgotten_before.plus_millis(random.below(3).cast_signed() - 1);
                    after = Player::erased(after.version, through, through);
                }
                1 => after.hidden = !after.hidden,
                _ => {
                    let key = day(random.below(3).cast_signed());
                    let standing =
                        Standing { score: Score::from(random.below(50).cast_signed()), ..Standing::default() };
                    if after.standing(&key).is_some() && random.below(4) == 0 {
                        after.standings.extract_if(|board, period, _| (board, period) == (&key.board, key.period));
                    } else {
                        after.standings.insert(&key.board, key.period, standing);
                    }
                }
            }
            let set = set(&name, &before, after, &[]);
            store.commit(vec![ChangeSet { forgotten_before: horizon.forgotten_before, ..set }]);
        };
        std::thread::scope(|scope| {
            let writers: Vec<_> = (0..3)
                .map(|thread| {
                    let commit_one = &commit_one;
                    scope.spawn(move || {
                        let mut random = Random(seed * 10 + thread);
                        (0..4_000).for_each(|_| commit_one(&mut random));
                    })
                })
                .collect();
            let (store, ended) = (&store, &ended);
            scope.spawn(move || {
                let mut millis = 0;
                while !ended.load(Ordering::SeqCst) {
                    millis += 1;
                    store.advance(horizon(millis)).unwrap();
                    std::thread::yield_now();
                }
            });
            scope.spawn(move || {
                let mut round = 0;
                while !ended.load(Ordering::SeqCst) {
                    round += 1;
                    let keep = move |key: &BoardKey| key.period.index != round % 4;
                    store.retain(&keep).unwrap();
                    store.rebuild(&keep).unwrap();
                    store.scan(0, None, None, 5).unwrap();
                }
            });
            for writer in writers {
                writer.join().unwrap();
            }
            ended.store(true, Ordering::SeqCst);
        });
        store.rebuild(&|_| true).unwrap();
        store.catch_up().unwrap();
        let copy = MemoryStore::restore(&store.snapshot()).unwrap();
        for index in 0..3 {
            assert_eq!(rows(&store, &day(index)), rows(&copy, &day(index)), "seed {seed}, day {index}");
        }
        assert_eq!((copy.digest(), copy.size()), (store.digest(), store.size()));
        assert_eq!(store.partitions(), 1);
    }
}

/// While a digest or a snapshot reads, others write, erase, come anew and move the store in time: what it reads is of the moment in
/// which it began, to the last byte.
#[test]
fn a_moment_stays_what_it_was() {
    for seed in 1..=6 {
        let store = sample(seed);
        let mut random = Random(seed + 100);
        let (digest, bytes) = (store.digest(), store.snapshot());
        let before: Vec<_> = records(&store, None, 50).map(Result::unwrap).collect();
        let outer = Moment::new(&store);
        let (mut read, mut inner) = (Vec::new(), None);
        let mut step = 0;
        outer
            .each_record(|key, record| {
                read.push((key.clone(), Record::decode(record)?));
                step += 1;
                // Some of those who are read already, some who are not, and somebody new.
                let name = format!("p{}", random.below(1_000));
                let known = store.load(&[Key::Player(player(&name))]).pop().unwrap()?;
                let known = if let Some(Record::Player(known)) = known { *known } else { Player::default() };
                let horizon = store.shards[0].0.read().horizon;
                let set = match random.below(3) {
                    0 if known.version > 0 => {
                        let through = horizon.forgotten_before.plus_millis(-1);
                        let mark = Player::erased(known.version + 1, through, through);
                        set(&name, &known, mark, &[])
                    }
                    _ => gain(&name, &known, 5_000 + random.below(100)),
                };
                applied(&store, ChangeSet { forgotten_before: horizon.forgotten_before, ..set });
                if step % 10 == 0 {
                    let now = horizon.forgotten_before.as_unix_millis() + 100;
                    store.advance(self::horizon(now)).unwrap();
                }
                if step == 40 {
                    // One within another.
                    let view = Moment::new(&store);
                    let mut all = Vec::new();
                    view.each_record(|key, record| {
                        all.push((key.clone(), record.to_vec()));
                        Ok(())
                    })?;
                    let same: Vec<_> = records(&store, None, 7).map(Result::unwrap).collect();
                    assert!(all.iter().map(|(key, bytes)| (key.clone(), Record::decode(bytes).unwrap())).eq(same));
                    inner = Some(view);
                }
                Ok(())
            })
            .unwrap();
        assert!(step > 100 && read == before, "seed {seed}");
        drop((outer, inner));
        assert!(store.shards.iter().all(|shard| shard.0.read().views.is_empty()), "nothing is kept");
        assert_ne!(store.digest(), digest);
        // Everything is given back that was held up meanwhile.
        let copy = MemoryStore::restore(&store.snapshot()).unwrap();
        assert_eq!((copy.digest(), copy.size()), (store.digest(), store.size()));
        let end = store.shards[0].0.read().horizon;
        assert!(store.shards.iter().all(|shard| !shard.0.read().is_untidy() && !shard.0.read().has_due_marks()));
        assert!(end.forgotten_before > at(1_300) && MemoryStore::restore(&bytes).unwrap().digest() == digest);
    }
}

/// Players are written over and over by threads while digests are taken: each of them is one that there was, since a writer changes two
/// players of two shards one after the other, and the second never is ahead.
#[test]
fn moments_are_of_one_moment_whatever_threads_do() {
    let (store, ended) = (MemoryStore::new(), AtomicBool::new(false));
    let names: Vec<_> = (0..40).map(|n| format!("p{n}")).collect();
    std::thread::scope(|scope| {
        for half in 0..2 {
            let (store, ended, names) = (&store, &ended, &names);
            scope.spawn(move || {
                let (mut xp, mut last) = (0, vec![Player::default(); names.len()]);
                while !ended.load(Ordering::SeqCst) {
                    xp += 1;
                    // In an order that differs from that of the names.
                    for n in (0..names.len()).filter(|n| n % 2 == half).map(|n| n * 7 % names.len()) {
                        if n % 2 == half {
                            let set = gain(&names[n], &last[n], xp);
                            last[n] = (*set.record).clone();
                            applied(store, ChangeSet { outcomes: Vec::new(), ..set });
                        }
                    }
                }
            });
        }
        for _ in 0..200 {
            let mut seen = std::collections::BTreeSet::new();
            let moment = Moment::new(&store);
            moment
                .each_record(|_, record| {
                    if let Record::Player(player) = Record::decode(record)? {
                        seen.insert(player.version);
                        assert_eq!(player.version, player.xp);
                    }
                    Ok(())
                })
                .unwrap();
            // Of each thread's players some have been written once more than the others, and none twice.
            assert!(seen.len() <= 4, "{seen:?}");
        }
        ended.store(true, Ordering::SeqCst);
    });
}
