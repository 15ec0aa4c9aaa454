//! Single commands become batches, and nobody can tell from what comes of them.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test that fails names its seed")]

mod common;

use std::collections::{HashMap, HashSet};
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use common::trace::{Manners, Step, trace};
use common::{Rng, START, progression, rules, told};
use liveops_core::engine::Submitted;
use liveops_core::error::StoreError;
use liveops_core::limits::{BATCHER_BYTES_MAX, RUN_LEN_MAX};
use liveops_core::record::{ChangeSet, CommitOutcome, Header, Horizon};
use liveops_core::store::{AsyncBoards, BlockOn, BoardAnswer, BoardRead, Keeps, Lag, Loaded, Ready};
use liveops_core::testing::Parked;
use liveops_core::{AsyncEngine, AsyncStore, Batcher, Command, Engine, Key, MemoryStore, Outcome};

/// A store over a network that holds commits back until it is told to go on.
#[derive(Default)]
struct Held {
    inner: Ready<MemoryStore>,
    gate: Mutex<Gate>,
}

#[derive(Default)]
struct Gate {
    shut: bool,
    panics: bool,
    waiting: Vec<Waker>,
    /// How many players there were in each load that asked for any, and in each commit.
    loads: Vec<usize>,
    commits: Vec<usize>,
}

const ROUND_PLAYERS: usize = 20;

impl Held {
    fn shut(&self) {
        self.gate.lock().unwrap().shut = true;
    }
    fn open(&self) {
        let mut gate = self.gate.lock().unwrap();
        gate.shut = false;
        gate.waiting.drain(..).for_each(Waker::wake);
    }
    fn commits(&self) -> Vec<usize> {
        self.gate.lock().unwrap().commits.clone()
    }
}

impl AsyncStore for Held {
    async fn load(&self, keys: &[Key]) -> Vec<Loaded> {
        let players: HashSet<_> = keys.iter().filter_map(Key::player).collect();
        self.gate.lock().unwrap().loads.extend(Some(players.len()).filter(|players| *players > 0));
        self.inner.load(keys).await
    }
    async fn commit(&self, batch: Vec<ChangeSet>) -> Vec<CommitOutcome> {
        let panics = {
            let mut gate = self.gate.lock().unwrap();
            gate.commits.push(batch.len());
            std::mem::take(&mut gate.panics)
        };
        assert!(!panics, "meant: it is printed");
        poll_fn(|context| {
            let mut gate = self.gate.lock().unwrap();
            if !gate.shut {
                return Poll::Ready(());
            }
            gate.waiting.push(context.waker().clone());
            Poll::Pending
        })
        .await;
        self.inner.commit(batch).await
    }
    fn round_players(&self) -> usize {
        ROUND_PLAYERS
    }
    async fn advance(&self, to: Horizon) -> Result<Horizon, StoreError> {
        self.inner.advance(to).await
    }
    async fn header(&self) -> Result<Header, StoreError> {
        self.inner.header().await
    }
    async fn replace_header(&self, expected: &Header, new: &Header) -> Result<bool, StoreError> {
        self.inner.replace_header(expected, new).await
    }
}

impl AsyncBoards for Held {
    async fn read(&self, reads: &[BoardRead]) -> Vec<Result<BoardAnswer, StoreError>> {
        self.inner.read(reads).await
    }
    async fn retain(&self, keep: Keeps<'_>) -> Result<(), StoreError> {
        self.inner.retain(keep).await
    }
    async fn rebuild(&self, keep: Keeps<'_>) -> Result<(), StoreError> {
        self.inner.rebuild(keep).await
    }
    async fn catch_up(&self) -> Result<(), StoreError> {
        self.inner.catch_up().await
    }
    fn horizon(&self) -> Horizon {
        self.inner.horizon()
    }
    async fn lag(&self) -> Result<Lag, StoreError> {
        self.inner.lag().await
    }
    async fn note_final(
        &self,
        key: &liveops_core::record::BoardKey,
        rows: &[liveops_core::board::Row],
    ) -> Result<(), StoreError> {
        self.inner.note_final(key, rows).await
    }
}

type Workers = Vec<Pin<Box<dyn Future<Output = ()> + Send>>>;

/// A batcher whose workers go on when the test says so.
struct Bench {
    engine: Arc<AsyncEngine<Held>>,
    batcher: Batcher,
    workers: Workers,
}

impl Bench {
    fn new(lanes: usize) -> Self {
        let engine = Arc::new(AsyncEngine::new(rules(), Held::default()));
        let (batcher, workers) = Batcher::new(Arc::clone(&engine), lanes);
        let workers = workers.into_iter().map(|worker| Box::pin(worker) as Pin<Box<_>>).collect();
        Self { engine, batcher, workers }
    }

    fn store(&self) -> &Held {
        self.engine.store()
    }

    fn xp(&self, name: &str, event: usize) -> Submitted {
        self.batcher.submit(gives(name, event))
    }

    /// As far as the workers come without the store; how many have ended.
    fn work(&mut self) -> usize {
        let mut ended = 0;
        self.workers.retain_mut(|worker| {
            // A worker lets others have their turn between two batches.
            let ends = (0..20).any(|_| poll(worker.as_mut()).is_ready());
            ended += usize::from(ends);
            !ends
        });
        ended
    }
}

fn gives(name: &str, event: usize) -> Command {
    progression(&format!("e{event}"), name, START, 10)
}

fn poll<F: Future + ?Sized>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

fn code(submitted: Submitted) -> &'static str {
    match poll(Pin::new(&mut { submitted })) {
        Poll::Ready(outcome) => outcome.code(),
        Poll::Pending => "waits",
    }
}

fn codes(submitted: Vec<Submitted>) -> HashMap<&'static str, usize> {
    submitted.into_iter().map(code).fold(HashMap::new(), |mut counts, code| {
        *counts.entry(code).or_default() += 1;
        counts
    })
}

#[test]
fn what_comes_while_a_batch_is_at_the_store_is_the_next() {
    let mut bench = Bench::new(1);
    bench.store().shut();
    let first = bench.xp("p0", 0);
    bench.work();
    assert_eq!(bench.store().commits(), [1], "it waits for nobody");
    let others: Vec<_> = (1..=7).map(|n| bench.xp(&format!("p{n}"), 0)).collect();
    bench.work();
    assert_eq!(bench.store().commits(), [1], "one batch at a time");
    bench.store().open();
    bench.work();
    assert_eq!(bench.store().commits(), [1, 7]);
    assert_eq!((code(first), codes(others)), ("applied", [("applied", 7)].into()));
    let alone = bench.xp("p0", 1);
    bench.work();
    assert_eq!((code(alone), bench.store().commits().pop()), ("applied", Some(1)));
}

/// No caller waits for a second round of others.
#[test]
fn a_batch_is_no_more_than_a_round_of_the_store() {
    let mut bench = Bench::new(1);
    bench.store().shut();
    let mut all = vec![bench.xp("first", 0)];
    bench.work();
    all.extend((0..2 * ROUND_PLAYERS + 5).map(|n| bench.xp(&format!("p{n}"), 0)));
    all.extend((0..2 * RUN_LEN_MAX + 5).map(|n| bench.xp("first", 1 + n)));
    bench.store().open();
    bench.work();
    let gate = bench.store().gate.lock().unwrap();
    // The last round of others has room for the first commands of one more player.
    assert_eq!(gate.commits, [1, ROUND_PLAYERS, ROUND_PLAYERS, 6, 1, 1]);
    assert_eq!(gate.loads, gate.commits, "one load for each");
    drop(gate);
    let count = all.len();
    assert_eq!(codes(all), [("applied", count)].into());
}

#[test]
fn what_would_be_too_much_is_refused_at_once_and_alone() {
    let lanes = 512;
    let mut bench = Bench::new(lanes);
    bench.store().shut();
    let first = bench.xp("ana", 0);
    bench.work();
    let mut taken = vec![first];
    let mut next = || {
        let mut submitted = bench.xp("ana", taken.len());
        match poll(Pin::new(&mut submitted)) {
            Poll::Pending => taken.push(submitted),
            Poll::Ready(outcome) => return Some(outcome),
        }
        None
    };
    let refused = loop {
        if let Some(refused) = next() {
            break refused;
        }
    };
    assert!(matches!(refused, Outcome::Refused(_)) && refused.code() == "store_unavailable");
    let bytes: usize = (0..taken.len()).map(|n| gives("ana", n).memory_bytes()).sum();
    assert!(taken.len() > RUN_LEN_MAX && bytes <= BATCHER_BYTES_MAX / lanes, "{bytes}");
    let elsewhere = (0..20).map(|n| bench.xp(&format!("p{n}"), 0)).collect();
    assert_eq!(codes(elsewhere)["waits"], 20, "other lanes have room");

    // Whoever lets go makes room, without the store.
    let count = taken.len();
    drop(taken);
    let mut taken: Vec<_> = (0..count - 2).map(|n| bench.xp("ana", 1000 + n)).collect();
    taken.push(bench.xp("ana", 0));
    bench.store().open();
    bench.work();
    let codes = codes(taken);
    assert_eq!(
        (codes["applied"], codes["replayed"]),
        (count - 2, 1),
        "what was at the store was applied, and no other"
    );
}

/// However often callers come and go while the store takes its time.
#[test]
fn who_lets_go_leaves_nothing_behind() {
    let mut bench = Bench::new(1);
    bench.store().shut();
    let first = bench.xp("ana", 0);
    bench.work();
    let stays = bench.xp("bo", 0);
    let of_one = gives("bo", 0).memory_bytes();
    for n in 0..2 * BATCHER_BYTES_MAX / of_one {
        assert_eq!(code(bench.xp("ana", n)), "waits");
    }
    bench.store().open();
    bench.work();
    assert_eq!([code(first), code(stays)], ["applied"; 2]);
    assert_eq!(bench.engine.stats().get("commands"), 2);
}

#[test]
fn of_a_worker_that_is_dropped_what_is_true_is_said() {
    let mut bench = Bench::new(1);
    bench.store().shut();
    let at_the_store = bench.xp("ana", 0);
    bench.work();
    let waits = bench.xp("bo", 0);
    bench.workers.clear();
    let after = bench.xp("ana", 1);
    assert_eq!(
        [at_the_store, waits, after].map(code),
        ["store_outcome_unknown", "store_unavailable", "store_unavailable"]
    );

    let never_spawned = Bench::new(3);
    let all: Vec<_> = (0..9).map(|n| never_spawned.xp(&format!("p{n}"), 0)).collect();
    let Bench { batcher, workers, .. } = never_spawned;
    drop(workers);
    assert_eq!(codes(all), [("store_unavailable", 9)].into());
    assert_eq!(code(batcher.submit(gives("ana", 0))), "store_unavailable");
}

#[test]
fn a_store_that_panics_ends_no_lane() {
    let mut bench = Bench::new(1);
    bench.store().gate.lock().unwrap().panics = true;
    let submitted = bench.xp("ana", 0);
    bench.work();
    assert_eq!(code(submitted), "store_outcome_unknown");
    let again = bench.xp("ana", 0);
    bench.work();
    assert_eq!(code(again), "applied");
}

#[test]
fn workers_end_when_no_batcher_is_left_and_all_is_done() {
    let mut bench = Bench::new(4);
    bench.store().shut();
    let all: Vec<_> = (0..100).map(|n| bench.xp(&format!("p{n}"), 0)).collect();
    bench.work();
    let Bench { engine, batcher, workers } = bench;
    let another = batcher.clone();
    drop(batcher);
    let mut bench = Bench { engine, batcher: another, workers };
    assert_eq!(bench.work(), 0, "one is left");
    bench.batcher = Batcher::new(Arc::clone(&bench.engine), 1).0;
    assert_eq!(bench.work(), 0, "not all is done");
    bench.store().open();
    assert_eq!(bench.work(), 4);
    assert_eq!(codes(all), [("applied", 100)].into());
}

/// Whatever comes between, whoever lets go, however many lanes there are: the same outcomes and the same state as one by one.
#[test]
fn outcomes_are_those_of_direct_submission() {
    for seed in 1..9 {
        println!("seed {seed}");
        let mut rng = Rng(seed);
        let direct = Engine::new(rules(), MemoryStore::new());
        let mut bench = Bench::new(1 + usize::try_from(rng.below(5)).unwrap());
        let (mut batched, mut most) = (0, 0);
        for step in trace(seed, 40, Manners::Hostile).steps {
            let commands = match step {
                Step::Batch(commands) => commands,
                Step::Advance(to) => {
                    direct.advance(to).unwrap();
                    Parked.block_on(bench.engine.advance(to)).unwrap().unwrap();
                    continue;
                }
            };
            let mut submitted = Vec::new();
            for command in &commands {
                match rng.below(12) {
                    0 => bench.store().shut(),
                    1..3 => bench.store().open(),
                    3..6 => _ = bench.work(),
                    6 => drop(bench.batcher.submit(command.clone())),
                    _ => {}
                }
                submitted.push(bench.batcher.submit(command.clone()));
            }
            bench.store().open();
            bench.work();
            for (command, mut submitted) in commands.iter().zip(submitted) {
                let Poll::Ready(outcome) = poll(Pin::new(&mut submitted)) else { panic!("all is done") };
                assert_eq!(told(&outcome), told(&direct.submit(command)), "{command:?}");
            }
            let commits = std::mem::take(&mut bench.store().gate.lock().unwrap().commits);
            batched += commits.iter().filter(|players| **players > 1).count();
            most = most.max(commits.into_iter().max().unwrap_or(0));
        }
        assert!(batched > 30 && most > 3, "{batched} batches of up to {most} players");
        assert_eq!(bench.store().inner.0.digest(), direct.store().digest());
    }
}

/// On threads of their own: callers, workers, and a store that takes turns with them.
#[test]
fn many_callers_at_once() {
    let engine = Arc::new(AsyncEngine::new(rules(), Held::default()));
    let (batcher, workers) = Batcher::new(Arc::clone(&engine), 3);
    std::thread::scope(|scope| {
        for worker in workers {
            scope.spawn(move || Parked.block_on(worker));
        }
        scope.spawn(|| {
            for _ in 0..500 {
                engine.store().shut();
                std::thread::yield_now();
                engine.store().open();
            }
        });
        let callers: Vec<_> = (0..8)
            .map(|caller| {
                let batcher = batcher.clone();
                scope.spawn(move || {
                    let mut rng = Rng(caller);
                    for event in 0..300 {
                        let name = format!("p{}", rng.below(30));
                        let command = progression(&format!("c{caller}e{event}"), &name, START, 10);
                        let outcome = Parked.block_on(batcher.submit(command)).unwrap();
                        assert_eq!(outcome.code(), "applied");
                    }
                })
            })
            .collect();
        for caller in callers {
            caller.join().unwrap();
        }
        drop(batcher);
    });
    assert_eq!(engine.stats().get("applied"), 8 * 300);
}
