//! What whoever follows the feed may rely on. Order is promised within a partition, so for each player.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::FEED_LEN;
use super::boards::fold_of;
use super::sample::{
    NOW, advance, applied, commit, horizon, horizon_of, id, parts, player, present, recorded, rules, season, set,
    under, xp,
};
use crate::board::Standing;
use crate::engine::Engine;
use crate::error::StoreErrorKind;
use crate::id::PlayerId;
use crate::record::{BoardKey, ChangeSet, CommitOutcome, Horizon};
use crate::store::{Consumer, ConsumerMark, Feed, FeedEntry, Happened, Store};

fn feed<S: Feed>(store: &S, partition: u16, after: u64, limit: usize) -> Vec<FeedEntry> {
    let entries = store.feed(partition, after, limit).expect("feed");
    assert!(entries.len() <= limit, "no more than asked for");
    assert!(entries.iter().all(|entry| entry.cursor > after), "from behind the cursor");
    assert!(entries.is_sorted_by(|a, b| a.cursor < b.cursor), "cursors rise");
    entries
}

fn gap<S: Feed>(store: &S, partition: u16, after: u64, why: &str) {
    match store.feed(partition, after, 99) {
        Err(error) => assert_eq!(error.kind, StoreErrorKind::FeedGap, "{why}"),
        Ok(entries) => panic!("{why}, and the feed answers {entries:?}"),
    }
}

fn last<S: Feed>(store: &S, partition: u16) -> u64 {
    store.last(partition).expect("last")
}

fn ack<S: Feed>(store: &S, consumer: &Consumer, partition: u16, through: u64) {
    store.ack(consumer, partition, through).expect("ack");
}

/// Which partition tells of a player, of whom something was told.
fn partition_of<S: Feed>(store: &S, name: &str) -> u16 {
    let tells = |at: &u16| {
        feed(store, *at, 0, 99).iter().any(|entry| set_of(entry).is_some_and(|set| set.player == player(name)))
    };
    let found: Vec<u16> = (0..store.partitions()).filter(tells).collect();
    assert_eq!(found.len(), 1, "one partition tells of {name}");
    found[0]
}

fn set_of(entry: &FeedEntry) -> Option<&Arc<ChangeSet>> {
    match &entry.what {
        Happened::Committed(set) => Some(set),
        Happened::Advanced(_) => None,
    }
}

fn sets(entries: &[FeedEntry]) -> Vec<ChangeSet> {
    entries.iter().filter_map(set_of).map(|set| (**set).clone()).collect()
}

pub(super) fn the_feed_holds_what_was_committed<S: Store + Feed>(store: &S) {
    for at in 0..store.partitions() {
        assert_eq!((feed(store, at, 0, 99), last(store, at)), (Vec::new(), 0), "an empty store has nothing to tell");
    }
    commit(store, vec![recorded("a", 0), set("b", 9), set("c", 0)]);
    applied(store, set("a", 1));
    let all: Vec<_> = (0..store.partitions()).flat_map(|at| sets(&feed(store, at, 0, 99))).collect();
    assert_eq!(all.len(), 3, "what was committed, and nothing else: {all:?}");
    for (name, wanted) in [("a", vec![recorded("a", 0), set("a", 1)]), ("c", vec![set("c", 0)])] {
        let own = all.iter().filter(|set| set.player == player(name));
        assert!(own.eq(&wanted), "every set of {name} that was applied, whole and in order: {all:?}");
        partition_of(store, name);
    }
}

pub(super) fn the_feed_is_read_from_a_cursor<S: Store + Feed>(store: &S) {
    (0..6).for_each(|version| applied(store, set("a", version)));
    let at = partition_of(store, "a");
    let whole = feed(store, at, 0, 99);
    assert_eq!(whole.len(), 6);
    assert_eq!(feed(store, at, 0, 2), whole[..2], "no more than asked for");
    assert_eq!(feed(store, at, whole[1].cursor, 3), whole[2..5], "from behind the cursor");
    assert_eq!(feed(store, at, whole[5].cursor, 99), [], "nothing behind the last");
    assert_eq!(last(store, at), whole[5].cursor, "the last is the newest");
    assert_eq!(feed(store, at, 0, 99), whole, "reading takes nothing away");
}

pub(super) fn what_the_feed_lacks_is_a_gap<S: Store + Feed>(store: &S) {
    (0..4).for_each(|version| applied(store, set("a", version)));
    let (at, bus) = (partition_of(store, "a"), id("bus"));
    let whole = feed(store, at, 0, 99);
    let newest = last(store, at);
    gap(store, at, newest + 1, "a cursor beyond the last was never given");
    let error = store.ack(&bus, at, newest + 1).expect_err("nobody has dealt with what never was");
    assert_eq!(error.kind, StoreErrorKind::FeedGap);
    assert_eq!(store.consumers().expect("consumers"), [], "nor is anybody known by it");

    ack(store, &bus, at, newest);
    assert_eq!(feed(store, at, newest, 99), [], "nothing is behind the last");
    assert_eq!(last(store, at), newest, "the last is the last, kept or not");
    applied(store, set("a", 4));
    let next = feed(store, at, newest, 99);
    assert_eq!(sets(&next), [set("a", 4)]);
    assert!(next[0].cursor > newest, "cursors never come again");
    told_or_gap(store, at, 0, &[whole, next].concat());
}

/// Acknowledged entries may stay for a while. But whoever asks for them gets all that follow the cursor, or hears of a gap.
fn told_or_gap<S: Feed>(store: &S, partition: u16, after: u64, whole: &[FeedEntry]) {
    match store.feed(partition, after, 99) {
        Err(error) => assert_eq!(error.kind, StoreErrorKind::FeedGap, "entries that are gone are a gap"),
        Ok(entries) => {
            let wanted: Vec<_> = whole.iter().filter(|entry| entry.cursor > after).cloned().collect();
            assert_eq!(entries, wanted, "what follows a cursor is told whole, or is a gap");
        }
    }
}

pub(super) fn entries_wait_for_every_consumer<S: Store + Feed>(store: &S) {
    let (audit, bus) = (id("audit"), id("bus"));
    (0..4).for_each(|version| applied(store, set("a", version)));
    let at = partition_of(store, "a");
    let whole = feed(store, at, 0, 99);
    let mark = |consumer: &Consumer, through: u64| {
        let mut acked = vec![0; store.partitions().into()];
        acked[usize::from(at)] = through;
        ConsumerMark { consumer: consumer.clone(), acked }
    };
    let consumers = || store.consumers().expect("consumers");
    assert_eq!(consumers(), [], "nobody is known at first");

    ack(store, &bus, at, 0);
    assert_eq!(consumers(), [mark(&bus, 0)], "who acknowledges is known, if only the start");
    ack(store, &audit, at, whole[2].cursor);
    assert_eq!(consumers(), [mark(&audit, whole[2].cursor), mark(&bus, 0)], "by name, each where it is");
    assert_eq!(feed(store, at, 0, 99), whole, "entries wait for the slowest");
    ack(store, &bus, at, whole[1].cursor);
    assert_eq!(feed(store, at, whole[1].cursor, 99), whole[2..], "what one has not dealt with stays");
    told_or_gap(store, at, 0, &whole);
    ack(store, &bus, at, whole[0].cursor);
    assert_eq!(consumers()[1], mark(&bus, whole[1].cursor), "an acknowledgement of before changes nothing");

    store.drop_consumer(&bus).expect("drop_consumer");
    store.drop_consumer(&id("unknown")).expect("whom nobody knows, nobody needs to forget");
    assert_eq!(consumers(), [mark(&audit, whole[2].cursor)]);
    assert_eq!(feed(store, at, whole[2].cursor, 99), whole[3..], "who is left has the rest");
    store.drop_consumer(&audit).expect("drop_consumer");
    assert_eq!(feed(store, at, whole[2].cursor, 99), whole[3..], "with nobody known nothing goes");
}

/// The feed is as full as it may be without losing anything that somebody has yet to read.
pub(super) fn a_full_feed_refuses_commits<S: Store + Feed>(store: &S) {
    let full = FEED_LEN as u64;
    (0..full).for_each(|version| applied(store, set("a", version)));
    let (at, bus) = (partition_of(store, "a"), id("bus"));
    let refused = |set| match &store.commit(vec![set])[..] {
        [CommitOutcome::Failed(error)] => assert_eq!(error.kind, StoreErrorKind::FeedFull, "it says why"),
        other => panic!("a full feed refuses commits: {other:?}"),
    };
    refused(set("a", full));
    assert_eq!(xp(store, "a"), full, "nothing was written");
    assert_eq!(present(store, &parts("a", full + 1)), [false; 3], "nothing was written");
    assert_eq!(feed(store, at, 0, 99).len(), FEED_LEN, "nothing was told");

    let to = horizon(5, 0);
    assert_eq!(advance(store, to), to, "a full feed holds no time up");
    let whole = feed(store, at, 0, 99);
    assert_eq!(whole.last().map(|entry| &entry.what), Some(&Happened::Advanced(to)), "and tells of it");
    refused(under(NOW, set("a", full)));

    // All that one consumer has dealt with makes room, as soon as no other has yet to.
    ack(store, &id("slow"), at, 0);
    ack(store, &bus, at, last(store, at));
    refused(under(NOW, set("a", full)));
    store.drop_consumer(&id("slow")).expect("drop_consumer");
    applied(store, under(NOW, set("a", full)));
    for version in full + 1..3 * full {
        ack(store, &bus, at, last(store, at));
        applied(store, under(NOW, set("a", version)));
    }
}

pub(super) fn advances_stand_among_commits<S: Store + Feed>(store: &S) {
    applied(store, set("a", 0));
    let (first, second) = (horizon(10, -10), horizon(10, 0));
    advance(store, first);
    applied(store, under(first.forgotten_before, set("a", 1)));
    for to in [first, horizon(5, -20)] {
        assert_eq!(advance(store, to), first, "nothing moves");
    }
    advance(store, horizon(5, 0));
    applied(store, under(second.forgotten_before, set("a", 2)));
    let own = partition_of(store, "a");
    for at in 0..store.partitions() {
        let told: Vec<_> = feed(store, at, 0, 99).into_iter().map(|entry| entry.what).collect();
        let sets = [(0, Horizon::default()), (1, first), (2, second)];
        let [a, b, c] = sets
            .map(|(version, horizon)| Happened::Committed(under(horizon.forgotten_before, set("a", version)).into()));
        let wanted = if at == own {
            vec![a, Happened::Advanced(first), b, Happened::Advanced(second), c]
        } else {
            vec![Happened::Advanced(first), Happened::Advanced(second)]
        };
        assert_eq!(told, wanted, "an entry where the horizon rose, in its place, and none where nothing moved");
    }
}

/// Whoever applies the entries in order meets every commit under the horizon that it was committed under.
pub(super) fn no_commit_stands_behind_what_closes_it<S: Store + Feed>(store: &S) {
    const WRITERS: [&str; 3] = ["a", "b", "c"];
    let bus = id("bus");
    (0..store.partitions()).for_each(|at| ack(store, &bus, at, 0));
    let mut known = vec![(0, Horizon::default()); store.partitions().into()];
    for round in 1..=20 {
        let before = horizon_of(store);
        let to = horizon(round, round - 100);
        let closes_at = to.now;
        std::thread::scope(|scope| {
            for name in WRITERS {
                scope.spawn(move || {
                    let version = xp(store, name);
                    for version in [version, version + 1] {
                        let set = ChangeSet { closes_at, ..under(before.forgotten_before, set(name, version)) };
                        if !commit(store, vec![set])[0] {
                            return;
                        }
                    }
                });
            }
            scope.spawn(|| advance(store, to));
        });
        for (at, (cursor, horizon)) in (0..).zip(&mut known) {
            for entry in feed(store, at, *cursor, 99) {
                match &entry.what {
                    Happened::Advanced(to) => *horizon = *to,
                    Happened::Committed(set) => {
                        assert!(set.fits(set.expected, *horizon), "a commit stands behind the advance that closes it");
                    }
                }
                *cursor = entry.cursor;
            }
            assert_eq!(*horizon, to, "every partition tells of every advance");
            ack(store, &bus, at, *cursor);
        }
    }
}

/// The entries of boards that change sets tell of are those of the records.
pub(super) fn the_feed_shows_what_records_show<S: Store + Feed>(store: &S) {
    let (engine, bus) = (Engine::new(rules(), store), id("bus"));
    let mut known = vec![0; store.partitions().into()];
    let mut shown: BTreeMap<(BoardKey, PlayerId), Standing> = BTreeMap::new();
    let season = season();
    // Not more players at a time than the feed has entries.
    for commands in season.chunks(FEED_LEN) {
        assert!(engine.submit_batch(commands).iter().all(|outcome| outcome.status() == "applied"), "a plain season");
        for (at, cursor) in (0..).zip(&mut known) {
            let before = *cursor;
            for entry in feed(store, at, before, 99) {
                *cursor = entry.cursor;
                let Some(set) = set_of(&entry) else { continue };
                for (key, standing) in &set.shown {
                    let name = (key.clone(), set.player.clone());
                    match standing {
                        Some(standing) => drop(shown.insert(name, *standing)),
                        None => drop(shown.remove(&name)),
                    }
                }
            }
            if *cursor > before {
                ack(store, &bus, at, *cursor);
            }
        }
    }
    let players = (0..12).map(|n| player(&format!("p{n}")));
    assert_eq!(shown, fold_of(store, players), "what change sets tell of boards adds up to what records show");
}
