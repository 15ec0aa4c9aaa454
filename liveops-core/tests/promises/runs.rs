//! A run is written whole or not at all: also where the feed is full, and where rivals write.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU64, Ordering};

use liveops_core::decorate::CountingStore;
use liveops_core::error::StoreError;
use liveops_core::limits::RUN_LEN_MAX;
use liveops_core::record::{ChangeSet, CommitOutcome, Horizon};
use liveops_core::store::{Consumer, Happened, Loaded};
use liveops_core::{Action, Command, Engine, Feed as _, Key, MemoryStore, Outcome, Store};

use crate::common::{Rng, START, as_inner, id, operator, player, progression, rules};
use crate::{assert_boards_fit, codes};

const BOARDS: [&str; 3] = ["fastest", "latest", "xp"];

/// Three players, one of whom has more than two runs.
fn batch() -> Vec<Command> {
    let of = |name: &str, count: usize| {
        let name = name.to_owned();
        (0..count).map(move |n| progression(&format!("e{n}"), &name, START, 3)).collect::<Vec<_>>()
    };
    [of("ana", 5), of("bo", 2 * RUN_LEN_MAX + 9), of("cy", 7)].concat()
}

#[test]
fn a_feed_that_is_full_in_the_middle_leaves_whole_runs() {
    let calm = Engine::new(rules(), MemoryStore::new());
    calm.submit_batch(&batch());
    // The batch makes five change sets.
    for room in 0..=5 {
        let engine = Engine::new(rules(), MemoryStore::with_feed(room));
        let outcomes = engine.submit_batch(&batch());
        let mut applied = BTreeMap::<_, (usize, bool)>::new();
        for (command, outcome) in batch().iter().zip(&outcomes) {
            let (count, failed) = applied.entry(command.player.clone()).or_default();
            if matches!(outcome, Outcome::Applied(_)) {
                assert!(!*failed, "nothing after what was refused");
                *count += 1;
            } else {
                assert!(["feed_full", "not_attempted"].contains(&outcome.code()), "{outcome:?}");
                assert!(count.is_multiple_of(RUN_LEN_MAX), "whole runs: {count}");
                *failed = true;
            }
        }
        for (name, (count, _)) in &applied {
            let version = engine.record(name).unwrap().map_or(0, |record| record.version);
            assert_eq!(version, *count as u64, "{name}");
        }
        let kept = engine.store().size();
        let all: usize = applied.values().map(|(count, _)| count).sum();
        assert_eq!((kept.outcomes, kept.feed), (all as u64, room as u64), "{:?}", codes(&outcomes));
        let present = applied.values().filter(|(count, _)| *count > 0).count();
        assert_eq!(kept.players, present as u64, "a player whose first run was refused is not there");
        assert_boards_fit(&engine, &BOARDS);

        // Somebody reads; the rest goes in, and it ends as if nothing had been.
        let bus: Consumer = id("bus");
        let mut turns = 0;
        while room > 0 && engine.store().digest() != calm.store().digest() {
            turns += 1;
            assert!(turns <= 5);
            engine.ack(&bus, 0, engine.last(0).unwrap()).unwrap();
            engine.submit_batch(&batch());
        }
        assert_boards_fit(&engine, &BOARDS);
    }
}

/// An erasure takes the outcomes of what came before it in its run out of the store, and not out of the answers.
#[test]
fn what_came_before_an_erasure_is_answered_like_the_rest() {
    let erase = || operator("x", "ana", START + 2, Action::Erase);
    let commands = [progression("e1", "ana", START, 3), progression("e2", "ana", START + 1, 3), erase(), erase()];
    let commands = [&commands[..], &[progression("e3", "ana", START + 3, 4)]].concat();
    let [one, other] = [(); 2].map(|()| Engine::new(rules(), MemoryStore::new()));
    let far = Engine::new(rules(), CountingStore::new(MemoryStore::new()));
    let expected = ["applied", "applied", "applied", "replayed", "applied"];
    assert_eq!(one.submit_batch(&commands).iter().map(Outcome::code).collect::<Vec<_>>(), expected);
    assert_eq!(far.submit_batch(&commands).iter().map(Outcome::code).collect::<Vec<_>>(), expected);
    let batch = other.ingest(&commands, NonZeroUsize::MIN);
    assert_eq!((0..batch.len()).filter_map(|row| batch.code(row)).collect::<Vec<_>>(), expected);
    let digest = one.store().digest();
    assert_eq!([other.store().digest(), far.store().inner().digest()], [digest.clone(), digest]);
    assert_eq!(one.store().size().outcomes, 2);
}

/// Between a load and its commit, and between two commits, somebody else writes.
struct Between<'s> {
    shared: &'s MemoryStore,
    rival: Engine<&'s MemoryStore>,
    turns: AtomicU64,
}

impl Store for Between<'_> {
    as_inner!(shared);

    fn load(&self, keys: &[Key]) -> Vec<Loaded> {
        self.shared.load(keys)
    }
    fn commit(&self, batch: Vec<ChangeSet>) -> Vec<CommitOutcome> {
        let turn = self.turns.fetch_add(1, Ordering::SeqCst);
        if turn % 3 != 2 {
            let names = ["ana", "bo", "dee"];
            let commands = names.map(|name| progression(&format!("rival-{turn}"), name, START, 100));
            for outcome in self.rival.submit_batch(&commands) {
                assert_eq!(outcome.code(), "applied");
            }
        }
        self.shared.commit(batch)
    }
    fn advance(&self, to: Horizon) -> Result<Horizon, StoreError> {
        self.shared.advance(to)
    }
}

#[test]
fn a_rival_between_load_and_commit_has_the_run_decided_again() {
    let store = MemoryStore::with_feed(1_000);
    let rival = Engine::new(rules(), &store);
    let engine = Engine::new(rules(), Between { shared: &store, rival, turns: AtomicU64::new(0) });
    for outcome in engine.submit_batch(&batch()) {
        assert_eq!(outcome.code(), "applied");
    }
    let turns = engine.store().turns.load(Ordering::SeqCst);
    let rivals = (0..turns).filter(|turn| turn % 3 != 2).count() as u64;
    assert!(turns > 3, "it conflicted: {turns}");
    let xp = |name: &str| engine.record(&player(name)).unwrap().unwrap().xp;
    let bo = (2 * RUN_LEN_MAX + 9) as u64;
    let expected = [15 + 100 * rivals, 3 * bo + 100 * rivals, 21, 100 * rivals];
    assert_eq!([xp("ana"), xp("bo"), xp("cy"), xp("dee")], expected);
    for outcome in engine.submit_batch(&batch()) {
        assert_eq!(outcome.code(), "replayed");
    }
}

/// Some drive, some load and commit, all want the same two players.
#[test]
fn rivals_by_both_drivers_lose_nothing() {
    const THREADS: u64 = 4;
    for seed in 1..=2 {
        println!("seed {seed}");
        let engine = Engine::new(rules(), MemoryStore::with_feed(1_000_000));
        let other = Engine::new(rules(), CountingStore::new(engine.store()));
        let sums: Vec<_> = std::thread::scope(|scope| {
            let threads = (0..THREADS).map(|thread| {
                let (engine, other) = (&engine, &other);
                scope.spawn(move || {
                    let (mut rng, mut sums) = (Rng(seed * 10 + thread), [0_u64; 2]);
                    for round in 0..60 {
                        let mut left: Vec<_> = (0..=rng.below(100))
                            .map(|n| {
                                let name = ["ana", "bo"][usize::try_from(rng.below(2)).unwrap()];
                                progression(&format!("e{thread}-{round}-{n}"), name, START, 1)
                            })
                            .collect();
                        while !left.is_empty() {
                            let drives = thread % 2 == 0;
                            let outcomes = if drives { engine.submit_batch(&left) } else { other.submit_batch(&left) };
                            let mut outcomes = outcomes.iter();
                            left.retain(|command| match outcomes.next().unwrap() {
                                Outcome::Applied(_) => {
                                    sums[usize::from(command.player.as_str() == "bo")] += 1;
                                    false
                                }
                                refused => {
                                    assert!(["contended", "not_attempted"].contains(&refused.code()), "{refused:?}");
                                    true
                                }
                            });
                        }
                    }
                    sums
                })
            });
            threads.collect::<Vec<_>>().into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        for (at, name) in ["ana", "bo"].into_iter().enumerate() {
            let sum: u64 = sums.iter().map(|sums| sums[at]).sum();
            let record = engine.record(&player(name)).unwrap().unwrap();
            assert_eq!((record.xp, record.version), (sum, sum), "{name}");
        }
        // The feed has each player's sets in the order of versions.
        let mut versions = BTreeMap::new();
        for entry in engine.store().feed(0, 0, usize::MAX).unwrap() {
            let Happened::Committed(changes) = entry.what else { continue };
            let known = versions.insert(changes.player.clone(), changes.record.version).unwrap_or(0);
            assert_eq!(known, changes.expected, "one follows another");
        }
        assert_boards_fit(&engine, &BOARDS);
    }
}
