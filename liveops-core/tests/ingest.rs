//! Many commands in one call, over any number of threads: the outcomes and the state are those of one command after the other.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::cast_possible_truncation,
    reason = "a test that fails names its seed"
)]

mod common;

use std::num::NonZeroUsize;
use std::panic;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use common::{DAY, Rng, START, as_inner, at, rules};
use liveops_core::limits::INGEST_THREADS_MAX;
use liveops_core::record::{ChangeSet, CommitOutcome, Horizon};
use liveops_core::store::{Loaded, Ready};
use liveops_core::{AsyncEngine, Batch, Command, Engine, FullStore, Key, MemoryStore, Outcome, Store};

const SEEDS: std::ops::Range<u64> = 1..3;

fn threads(count: usize) -> NonZeroUsize {
    NonZeroUsize::new(count).unwrap()
}

/// Lines of a few players: new events, retries, retries with other content, what is too old, and what is no event.
fn lines(seed: u64, count: u64) -> Vec<u8> {
    let mut rng = Rng(seed);
    let mut text = Vec::new();
    for _ in 0..count {
        let line = match rng.below(20) {
            0 => String::new(),
            1 => "no event".to_owned(),
            2 => r#"{"id":"x","type":"dance","playerId":"p1","ts":1794009600,"payload":{}}"#.to_owned(),
            3 => r#"{"type":"progression","playerId":"p1","ts":1794009600,"payload":{"deltaXp":1}}"#.to_owned(),
            4..7 => {
                let (id, player, took) = (rng.below(count), rng.below(50), rng.below(3_000));
                format!(
                    r#"{{"id":"k{id}","type":"boss_kill","playerId":"p{player}","ts":1794009600,"payload":{{"bossId":"hydra","durationMs":{took}}}}}"#
                )
            }
            _ => {
                let (id, player) = (rng.below(count), rng.below(50));
                let (ts, xp) = (1_794_009_600 - rng.below(180_000), rng.below(200));
                format!(
                    r#"{{"id":"e{id}","type":"progression","playerId":"p{player}","ts":{ts},"payload":{{"deltaXp":{xp}}}}}"#
                )
            }
        };
        text.extend_from_slice(line.as_bytes());
        text.extend_from_slice(if rng.below(10) == 0 { b"\r\n" } else { b"\n" });
    }
    text
}

/// What can be seen of outcomes.
fn seen(outcomes: impl IntoIterator<Item = Outcome>) -> Vec<String> {
    outcomes.into_iter().map(|outcome| format!("{outcome:?}")).collect()
}

fn engine() -> Engine<MemoryStore> {
    Engine::new(rules(), MemoryStore::new())
}

#[test]
fn lines_come_to_the_same_on_any_number_of_threads() {
    for seed in SEEDS {
        println!("seed {seed}");
        let text = lines(seed, 6_000);
        let (now, one) = (at(START), engine());
        one.advance(at(START - DAY)).unwrap();
        let expected = one.submit_ndjson(&text, now);
        let counts = expected.iter().fold(std::collections::BTreeMap::new(), |mut counts, outcome| {
            *counts.entry(outcome.code()).or_default() += 1;
            counts
        });
        assert!(counts.len() > 6, "{counts:?}");
        for count in [1, 2, 3, INGEST_THREADS_MAX + 1] {
            let engine = engine();
            engine.advance(at(START - DAY)).unwrap();
            let batch = engine.ingest_ndjson(&text, now, threads(count));
            assert_eq!((batch.len(), batch.counts()), (expected.len(), counts.clone()), "{count} threads");
            for (at, outcome) in expected.iter().enumerate() {
                assert_eq!(batch.code(at), Some(outcome.code()), "line {at}, {count} threads");
            }
            assert_eq!(seen(batch), seen(expected.clone()), "{count} threads");
            assert_eq!(engine.digest().unwrap(), one.digest().unwrap(), "{count} threads");
            assert_eq!(engine.stats(), one.stats(), "{count} threads");
        }
    }
}

#[test]
fn commands_come_to_the_same_on_any_number_of_threads() {
    for seed in SEEDS {
        println!("seed {seed}");
        let mut rng = Rng(seed);
        let command = |_| {
            let (id, player) = (rng.below(2_000), rng.below(50));
            common::progression(&format!("e{id}"), &format!("p{player}"), START, i64::try_from(player).unwrap())
        };
        let commands: Vec<Command> = (0..3_000).map(command).collect();
        let one = engine();
        let expected = seen(one.submit_batch(&commands));
        for count in [1, 2, 5] {
            let engine = engine();
            assert_eq!(seen(engine.ingest(&commands, threads(count))), expected, "{count} threads");
            assert_eq!(engine.digest().unwrap(), one.digest().unwrap());
        }
    }
}

#[test]
fn a_batch_has_the_rows_that_were_put_in_however_they_were() {
    for seed in SEEDS {
        println!("seed {seed}");
        let mut rng = Rng(seed);
        let few = engine().submit_ndjson(&lines(seed, 1_000), at(START));
        // So many that they are kept in several parts.
        let all: Vec<Outcome> = few.iter().cycle().take(70_000).cloned().collect();
        let whole = Batch::from(all.clone());
        let mut pieces = Batch::default();
        let mut rest = &all[..];
        while !rest.is_empty() {
            let (piece, behind) = rest.split_at((rng.below(20_000) as usize).min(rest.len()));
            pieces.append(piece.to_vec().into());
            rest = behind;
            pieces.append(Batch::default());
        }
        for batch in [&whole, &pieces, &whole.select(0..whole.len())] {
            assert_eq!((batch.len(), batch.is_empty(), batch.counts()), (all.len(), false, whole.counts()));
            assert!(batch.get(all.len()).is_none() && batch.code(all.len()).is_none());
            for (at, outcome) in all.iter().enumerate() {
                assert_eq!(batch.code(at), Some(outcome.code()), "row {at}");
            }
            assert_eq!(batch.iter().count(), all.len());
            for _ in 0..2_000 {
                let at = rng.below(70_000) as usize;
                assert_eq!(format!("{:?}", batch.get(at)), format!("{:?}", Some(&all[at])), "row {at}");
            }
        }
        let chosen: Vec<usize> = (0..500).map(|_| rng.below(80_000) as usize).collect();
        let selected = whole.select(chosen.iter().copied());
        assert_eq!(seen(selected), seen(chosen.iter().filter_map(|at| all.get(*at).cloned())));
    }
}

#[test]
fn nothing_is_no_line_and_one_player_may_be_all_there_is() {
    let engine = engine();
    for text in ["", "\n"] {
        assert!(engine.ingest_ndjson(text.as_bytes(), at(START), threads(2)).is_empty());
    }
    let none: [Command; 0] = [];
    assert!(engine.ingest(&none, threads(2)).is_empty());
    let line = |n: u32| {
        format!(
            r#"{{"id":"e{n}","type":"progression","playerId":"ana","ts":1794009600,"payload":{{"deltaXp":1}}}}{}"#,
            "\n"
        )
    };
    let text: String = (0..5_000).map(line).collect();
    let batch = engine.ingest_ndjson(text.as_bytes(), at(START), threads(3));
    assert_eq!((batch.len(), batch.counts()["applied"]), (5_000, 5_000));
    // In their order: each has one more than the line before.
    let levels: Vec<_> = batch.iter().map(|outcome| outcome.into_effect().unwrap().level).collect();
    assert!(levels.is_sorted() && levels[4_999] > levels[0]);
}

#[test]
fn a_store_behind_a_pointer_and_a_far_one_take_lines_too() {
    let text = lines(9, 1_000);
    let expected = seen(engine().submit_ndjson(&text, at(START)));
    let behind: Engine<Arc<dyn FullStore>> = Engine::new(rules(), Arc::new(MemoryStore::new()));
    assert_eq!(seen(behind.ingest_ndjson(&text, at(START), threads(2))), expected);
    let far = AsyncEngine::new(rules(), Ready(MemoryStore::new()));
    let Poll::Ready(batch) = pin!(far.ingest_ndjson(&text, at(START))).poll(&mut Context::from_waker(Waker::noop()))
    else {
        panic!("nothing is waited for")
    };
    assert_eq!(seen(batch), expected);
}

/// Panics when a record of one player is asked for.
#[derive(Debug)]
struct Panics(MemoryStore);

impl Store for Panics {
    as_inner!(0);

    fn load(&self, keys: &[Key]) -> Vec<Loaded> {
        let bad = |key: &Key| key.player().is_some_and(|player| player.as_str() == "bad");
        assert!(!keys.iter().any(bad), "asked for");
        self.0.load(keys)
    }
    fn commit(&self, batch: Vec<ChangeSet>) -> Vec<CommitOutcome> {
        self.0.commit(batch)
    }
    fn advance(&self, to: Horizon) -> Result<Horizon, liveops_core::error::StoreError> {
        self.0.advance(to)
    }
}

#[test]
fn a_panic_costs_nobody_else_the_outcome() {
    let line = |n: u32, player: &str| {
        format!(
            r#"{{"id":"e{n}","type":"progression","playerId":"{player}","ts":1794009600,"payload":{{"deltaXp":1}}}}{}"#,
            "\n"
        )
    };
    let text: String =
        (0..4_000).map(|n| line(n, &if n == 7 { "bad".to_owned() } else { format!("p{}", n % 40) })).collect();
    let hook = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    for count in [1, 2, 4] {
        let engine = Engine::new(rules(), Panics(MemoryStore::new()));
        let batch = engine.ingest_ndjson(text.as_bytes(), at(START), threads(count));
        assert_eq!((batch.len(), batch.code(7)), (4_000, Some("store_outcome_unknown")), "{count} threads");
        let unknown = batch.counts()["store_outcome_unknown"];
        assert!(unknown <= 256, "{unknown} were decided together");
        assert_eq!(batch.counts()["applied"] + unknown, 4_000);
        let stats = engine.stats();
        assert_eq!((stats.get("commands"), stats.get("unknown")), (4_000, unknown), "the engine counts them too");
        // Those that were applied are there, and the rest can be sent again.
        let rest: Vec<_> = text.lines().filter(|line| !line.contains("bad")).collect();
        let rest = rest.join("\n");
        let again = engine.ingest_ndjson(rest.as_bytes(), at(START), threads(count));
        assert_eq!(again.counts()["replayed"], 4_000 - unknown);
        assert_eq!(again.counts().values().sum::<u64>(), 3_999);
        assert!(again.counts().keys().all(|code| ["applied", "replayed"].contains(code)));
    }
    panic::set_hook(hook);
}
