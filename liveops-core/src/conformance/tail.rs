//! What whoever follows a store's outbox from afar may rely on. Order is promised within a partition, so for each player.

use std::sync::atomic::{AtomicBool, Ordering};

use super::boards::{fold, play};
use super::sample::{
    NOW, advance, applied, commit, erasure, horizon, operator, player, progression, rules, set, under,
};
use crate::engine::Engine;
use crate::error::{StoreError, StoreErrorKind};
use crate::record::{Action, ChangeSet, Horizon, Notice, Told};
use crate::replica::Replica;
use crate::store::{AsyncStore, AsyncTail, BlockOn, Blocking, Partitioned as _, TailPage};
use crate::time::DAY_MILLIS;

/// More than is told of anything here, but within what an outbox keeps.
const LIMIT: usize = 1_000;
/// A cursor that no store gave out.
const NOWHERE: u64 = 1 << 62;

type Far<S, X> = Blocking<S, X>;

fn wait<S, X: BlockOn, F: Future>(store: &Far<S, X>, future: F) -> F::Output {
    store.runtime().block_on(future).expect("the kit is run where one may wait")
}

fn partition_of<S: AsyncTail, X: BlockOn>(store: &Far<S, X>, name: &str) -> usize {
    let partition = store.inner().partition_of(&player(name));
    assert!(partition < store.partitions(), "a player is in one of the partitions that there are");
    partition.into()
}

fn ends<S: AsyncTail, X: BlockOn>(store: &Far<S, X>) -> Vec<u64> {
    let ends = wait(store, store.inner().ends()).expect("ends");
    assert_eq!(ends.len(), usize::from(store.partitions()), "every partition has its end");
    ends
}

fn pages<S: AsyncTail, X: BlockOn>(
    store: &Far<S, X>,
    after: &[u64],
    limit: usize,
) -> Vec<Result<TailPage, StoreError>> {
    let pages = wait(store, store.inner().tail(after, limit));
    assert_eq!(pages.len(), after.len(), "every cursor is answered");
    for (page, after) in pages.iter().zip(after) {
        let Ok(TailPage { entries, through }) = page else { continue };
        assert!(entries.len() <= limit, "no more than asked for");
        assert!(entries.iter().all(|(cursor, _)| cursor > after), "from behind the cursor");
        assert!(entries.is_sorted_by(|(a, _), (b, _)| a < b), "cursors rise");
        let last = entries.last().map_or(*after, |(cursor, _)| *cursor);
        assert!(*through >= last, "everything that is given is before where to go on");
    }
    pages
}

/// Where a follower is, by partition.
struct Follower(Vec<u64>);

impl Follower {
    fn of<S: AsyncTail, X: BlockOn>(store: &Far<S, X>) -> Self {
        Self(vec![0; store.partitions().into()])
    }

    /// The next of what is told, by partition.
    fn take<S: AsyncTail, X: BlockOn>(&mut self, store: &Far<S, X>, limit: usize) -> Vec<Vec<Notice>> {
        let each = pages(store, &self.0, limit).into_iter().zip(&mut self.0);
        let taken = each.map(|(page, cursor)| {
            let TailPage { entries, through } = page.expect("nothing of this was trimmed");
            *cursor = through;
            entries.into_iter().map(|(_, notice)| notice).collect()
        });
        taken.collect()
    }

    /// Everything that was committed before the call, by partition.
    fn reach_end<S: AsyncTail, X: BlockOn>(&mut self, store: &Far<S, X>, limit: usize) -> Vec<Vec<Notice>> {
        let ends = ends(store);
        let mut all = vec![Vec::new(); ends.len()];
        for _ in 0..LIMIT {
            if self.0.iter().zip(&ends).all(|(cursor, end)| cursor >= end) {
                return all;
            }
            all.iter_mut().zip(self.take(store, limit)).for_each(|(all, more)| all.extend(more));
        }
        panic!("whoever follows comes to the end that the store says: {ends:?}, and is at {:?}", self.0)
    }
}

/// What is told of a player whose sets are those of [`set`].
fn of<'n>(all: &'n [Vec<Notice>], name: &str) -> Vec<&'n Notice> {
    let told = |notice: &&Notice| match notice {
        Notice::Told(told) => *told.player() == player(name),
        Notice::Committed(set) => set.player == player(name),
        Notice::Advanced(_) => false,
    };
    all.iter().flatten().filter(told).collect()
}

fn tells(notice: &Notice, set: &ChangeSet) -> bool {
    match notice {
        Notice::Told(told) => *told == Told::of(&set.player, &set.record),
        Notice::Committed(told) => **told == *set,
        Notice::Advanced(_) => false,
    }
}

/// Each of these, in order, and nothing else.
fn assert_told(told: &[&Notice], sets: &[ChangeSet]) {
    let all = told.len() == sets.len() && told.iter().zip(sets).all(|(notice, set)| tells(notice, set));
    assert!(all, "what was committed of a player is told, in order, and nothing else: {told:?}");
}

fn versions(name: &str, versions: std::ops::Range<u64>) -> Vec<ChangeSet> {
    versions.map(|expected| set(name, expected)).collect()
}

pub(super) fn a_tail_tells_what_was_committed<S: AsyncStore + AsyncTail, X: BlockOn>(store: &Far<S, X>) {
    let mut follower = Follower::of(store);
    assert!(follower.reach_end(store, LIMIT).iter().all(Vec::is_empty), "an empty store has nothing to tell");
    assert_eq!(commit(store, vec![set("a", 0), set("b", 9), set("c", 0)]), [true, false, true]);
    applied(store, set("a", 1));
    let all = follower.reach_end(store, LIMIT);
    for (name, count) in [("a", 2), ("b", 0), ("c", 1)] {
        assert_told(&of(&all, name), &versions(name, 0..count));
        assert_eq!(of(&all[partition_of(store, name)..][..1], name).len() as u64, count, "in the player's partition");
    }
    assert_eq!(all.iter().map(Vec::len).sum::<usize>(), 3, "and nothing else: {all:?}");
}

pub(super) fn a_tail_goes_on_from_any_cursor<S: AsyncStore + AsyncTail, X: BlockOn>(store: &Far<S, X>) {
    let (mut by_two, mut later) = (Follower::of(store), Follower::of(store));
    for set in versions("a", 0..5) {
        applied(store, set);
    }
    let at = partition_of(store, "a");
    assert_told(&of(&by_two.take(store, 2), "a"), &versions("a", 0..2));
    let from = by_two.0.clone();
    assert_told(&of(&by_two.reach_end(store, 2), "a"), &versions("a", 2..5));
    assert!(by_two.reach_end(store, 2).iter().all(Vec::is_empty), "nothing is behind the end");
    later.0[at] = from[at];
    assert_told(&of(&later.take(store, LIMIT), "a"), &versions("a", 2..5));
    applied(store, set("a", 5));
    assert_told(&of(&by_two.reach_end(store, 2), "a"), &versions("a", 5..6));
}

/// Entries go after a while, and whoever asks for them hears of it. With a cursor that is none of this store, a store that was away
/// hears of it too; one that was there all the while may say that nothing follows. Either way it is a matter of that partition alone.
pub(super) fn what_a_tail_lacks_is_a_gap<S: AsyncStore + AsyncTail, X: BlockOn>(store: &Far<S, X>) {
    for set in versions("a", 0..4) {
        applied(store, set);
    }
    let at = partition_of(store, "a");
    let mut after = ends(store);
    after[at] = NOWHERE;
    for (partition, page) in pages(store, &after, LIMIT).into_iter().enumerate() {
        match page {
            Err(error) if partition == at => assert_eq!(error.kind, StoreErrorKind::FeedGap, "it says why"),
            Err(error) => panic!("a gap is one of its partition alone: {error}"),
            Ok(page) => assert_eq!(page.entries, [], "nothing is behind the end"),
        }
    }
    match pages(store, &vec![0; after.len()], LIMIT).swap_remove(at) {
        Err(error) => assert_eq!(error.kind, StoreErrorKind::FeedGap, "entries that are gone are a gap"),
        Ok(page) => {
            let told: Vec<_> = page.entries.iter().map(|(_, notice)| notice).collect();
            assert_told(&told, &versions("a", 0..4));
        }
    }
}

/// Whoever asks for the end after a commit has answered, and follows up to there, has met it.
pub(super) fn ends_are_behind_what_was_committed<S: AsyncStore + AsyncTail, X: BlockOn>(store: &Far<S, X>) {
    std::thread::scope(|scope| {
        for name in ["a", "b", "c", "d"] {
            scope.spawn(move || {
                let mut follower = Follower::of(store);
                for expected in 0..15 {
                    applied(store, set(name, expected));
                    let all = follower.reach_end(store, LIMIT);
                    assert_told(&of(&all, name), &versions(name, expected..expected + 1));
                }
            });
        }
    });
}

/// Whatever becomes visible late, whoever follows meanwhile meets it.
pub(super) fn no_slow_writer_is_passed_over<S: AsyncStore + AsyncTail, X: BlockOn>(store: &Far<S, X>) {
    const WRITERS: [&str; 4] = ["a", "b", "c", "d"];
    let (mut follower, done) = (Follower::of(store), AtomicBool::new(false));
    let mut all = vec![Vec::new(); store.partitions().into()];
    std::thread::scope(|scope| {
        let writers = WRITERS.map(|name| {
            // The odd ones write more at a time, and take longer.
            let beside = move |n| versions(&format!("{name}{n}"), 0..1);
            scope.spawn(move || {
                for expected in 0..30 {
                    let others =
                        if name < "c" { Vec::new() } else { (0..20).flat_map(|n| beside(expected * 20 + n)).collect() };
                    let sets = [vec![set(name, expected)], others].concat();
                    assert!(commit(store, sets).into_iter().all(|applied| applied), "nobody competes with them");
                }
            })
        });
        let (follower, all, ended) = (&mut follower, &mut all, &done);
        scope.spawn(move || {
            while !ended.load(Ordering::Relaxed) {
                all.iter_mut().zip(follower.take(store, 7)).for_each(|(all, more)| all.extend(more));
            }
        });
        for writer in writers {
            writer.join().expect("a writer");
        }
        done.store(true, Ordering::Relaxed);
    });
    all.iter_mut().zip(follower.reach_end(store, LIMIT)).for_each(|(all, more)| all.extend(more));
    for name in WRITERS {
        assert_told(&of(&all, name), &versions(name, 0..30));
    }
    let others = all.iter().flatten().count() - 4 * 30;
    assert_eq!(others, 2 * 30 * 20, "everybody is told of once");
}

pub(super) fn each_rise_of_the_horizon_is_told<S: AsyncStore + AsyncTail, X: BlockOn>(store: &Far<S, X>) {
    let (first, second) = (horizon(10, -10), horizon(10, 0));
    let advanced_to = || wait(store, store.inner().advanced_to()).expect("advanced_to");
    assert_eq!(advanced_to(), Horizon::default(), "nobody moved it");
    applied(store, set("a", 0));
    advance(store, first);
    applied(store, under(first.forgotten_before, set("a", 1)));
    assert_eq!(advanced_to(), first);
    for to in [first, horizon(5, -20), horizon(5, 0)] {
        advance(store, to);
    }
    applied(store, under(second.forgotten_before, set("a", 2)));
    assert_eq!(advanced_to(), second);
    let own = partition_of(store, "a");
    for (at, mut told) in Follower::of(store).reach_end(store, LIMIT).into_iter().enumerate() {
        // Who finished another's advance may say it once more.
        told.dedup();
        let rises: Vec<_> = told.iter().filter(|notice| matches!(notice, Notice::Advanced(_))).collect();
        assert_eq!(rises, [&Notice::Advanced(first), &Notice::Advanced(second)], "every partition tells of each rise");
        if at == own {
            let placed = [(0, Horizon::default()), (2, first), (4, second)];
            let is_placed = placed.into_iter().all(|(place, horizon)| {
                let expected = place as u64 / 2;
                told.get(place).is_some_and(|told| tells(told, &under(horizon.forgotten_before, set("a", expected))))
            });
            let is_between = matches!(told[1], Notice::Advanced(_)) && matches!(told[3], Notice::Advanced(_));
            assert!(is_placed && is_between, "behind what was committed before it: {told:?}");
        } else {
            assert_eq!(told.len(), 2, "and of nothing else");
        }
    }
}

/// Version 1 of the new life is no old one.
pub(super) fn who_begins_again_is_told_gone_before<S: AsyncStore + AsyncTail, X: BlockOn>(store: &Far<S, X>) {
    applied(store, set("a", 0));
    applied(store, erasure("a", 1));
    advance(store, horizon(99, 1));
    applied(store, under(NOW.plus_millis(1), set("a", 0)));
    let all = Follower::of(store).reach_end(store, LIMIT);
    let told = of(&all, "a");
    let gone = told.iter().position(|notice| matches!(notice, Notice::Told(Told::Gone { .. })));
    let gone = gone.expect("whoever follows hears that nobody is left");
    assert!(tells(told[gone - 1], &erasure("a", 1)), "after the erasure: {told:?}");
    let anew = &told[gone + 1..];
    assert!(
        anew.len() == 1 && tells(anew[0], &under(NOW.plus_millis(1), set("a", 0))),
        "before the new life: {told:?}"
    );
}

/// Two processes, one that was there from the start and one that comes while others write, show what the records show.
pub(super) fn replicas_that_follow_show_what_records_show<S: AsyncStore + AsyncTail, X: BlockOn>(store: &Far<S, X>) {
    let [early, late] = [(); 2].map(|()| Replica::unjoined([7; 16]));
    wait(store, early.join_tail(store.inner(), &|_| true)).expect("join_tail");
    std::thread::scope(|scope| {
        scope.spawn(|| play(store));
        scope.spawn(|| {
            for _ in 0..20 {
                wait(store, early.follow_tail(store.inner(), 3)).expect("follow_tail");
            }
        });
        wait(store, late.join_tail(store.inner(), &|_| true)).expect("join_tail");
    });
    let same = |when: &str| {
        let boards = fold(store);
        assert!(boards.len() >= 4, "the season fills several boards");
        for replica in [&early, &late] {
            wait(store, replica.catch_up_tail(store.inner())).expect("catch_up_tail");
            for board in &boards {
                board.assert_replica(replica, when);
            }
        }
    };
    same("after a season");
    let engine = Engine::new(rules(), store);
    assert_eq!(engine.submit(&operator("gone", "p0", 400, Action::Erase)).code(), "applied");
    same("after an erasure");
    let to = advance(store, horizon(2 * DAY_MILLIS, DAY_MILLIS));
    assert_eq!(engine.submit(&progression("again", "p0", 2 * DAY_MILLIS, 1_000)).code(), "applied", "a new life");
    same("after a new life");
    assert_eq!([early.horizon(), late.horizon()], [to; 2], "who follows knows how far the store is");
}
