//! The path of an event through the engine and nothing else, for profiles and for quick looks at one change:
//!
//! ```text
//! cargo build --release -p liveops-bench --bin hot
//! target/release/hot [players] [events a round] [batch] [threads] [--feed] [--single] [--ndjson] [--rounds=N]
//! ```
//!
//! prints what an event takes, and how long the main thread waited for a processor; by default of 10,000 players,
//! 50,000 events in batches of 1,000, one thread, 9 rounds. With several threads each has players of its own. `--feed` has the store record
//! each change set for a consumer; `--single` submits each event by itself. `--ndjson` takes lines of players in their turns into an engine that
//! is new in every round, in one call, as the rows of the bindings do; `--ndjson --parse` only parses, so it tells that share.
//!
//! How many instructions that is, of every function with those that it calls (events counted are rounds times events a round):
//!
//! ```text
//! valgrind --tool=callgrind --callgrind-out-file=hot.out --collect-atstart=no '--toggle-collect=hot::timed*' target/release/hot 10000 20000 1000 1 --rounds=1
//! callgrind_annotate --inclusive=yes hot.out | head -60
//! ```
//!
//! With `--cache-sim=yes --branch-sim=yes` it counts misses and mispredictions too. The first round is part of it: only making the players is not.
#![forbid(unsafe_code)]
// A program that prints and reads the clock, on purpose; nanoseconds of a bench are far below 2^52.
#![allow(clippy::print_stdout, clippy::cast_precision_loss, clippy::disallowed_methods)]

use std::hint::black_box;
use std::num::NonZeroUsize;
use std::sync::Barrier;
use std::time::Instant;

use liveops_bench::Traffic;
use liveops_bench::traffic::RULES;
use liveops_core::event::Parser;
use liveops_core::store::{Consumer, Feed as _};
use liveops_core::{Batch, Command, Engine, MemoryStore, Rules, Timestamp};

/// More than are ever waiting.
const FEED_LEN: usize = 100_000_000;

#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
struct Options {
    players: u64,
    events: usize,
    batch: usize,
    threads: usize,
    rounds: usize,
    feed: bool,
    single: bool,
    ndjson: bool,
    parse: bool,
}

impl Options {
    fn of_args() -> Self {
        let args: Vec<String> = std::env::args().skip(1).collect();
        let numbers: Vec<usize> = args.iter().filter_map(|arg| arg.parse().ok()).collect();
        let number = |at: usize, default| numbers.get(at).copied().unwrap_or(default);
        let has = |name: &str| args.iter().any(|arg| arg == name);
        let rounds = args.iter().find_map(|arg| arg.strip_prefix("--rounds=")?.parse().ok()).unwrap_or(9);
        Self {
            players: number(0, 10_000) as u64,
            events: number(1, 50_000),
            batch: number(2, 1_000).max(1),
            threads: number(3, 1).max(1),
            rounds,
            feed: has("--feed"),
            single: has("--single"),
            ndjson: has("--ndjson"),
            parse: has("--parse"),
        }
    }
}

/// The only part that counts. It has a name of its own so that a profiler can tell it from the rest.
#[inline(never)]
fn timed(engine: &Engine<MemoryStore>, commands: &[Command], single: bool) {
    if single {
        for command in commands {
            drop(black_box(engine.submit(command)));
        }
    } else {
        drop(black_box(engine.submit_batch(commands)));
    }
}

/// The same of lines.
#[inline(never)]
fn timed_lines(engine: &Engine<MemoryStore>, lines: &[u8], now: Timestamp, threads: NonZeroUsize) -> Batch {
    engine.ingest_ndjson(lines, now, threads)
}

/// The same of what is not decided.
#[inline(never)]
fn timed_parse(parser: &Parser, lines: &[u8], now: Timestamp) {
    for line in lines.split(|byte| *byte == b'\n') {
        drop(black_box(parser.parse(line, now)).expect("an event"));
    }
}

fn main() {
    let options = Options::of_args();
    let rules = Rules::from_json(RULES).expect("good rules");
    if options.ndjson {
        return lines(&rules, &options);
    }
    let parser = rules.door().parser();
    let store = if options.feed { MemoryStore::with_feed(FEED_LEN) } else { MemoryStore::new() };
    let engine = Engine::new(rules, store);
    let consumer = Consumer::new("hot").expect("a good name");
    let ack = || {
        if options.feed {
            let last = engine.store().last(0).expect("one partition");
            engine.store().ack(&consumer, 0, last).expect("one partition");
        }
    };
    ack();

    let each = options.players / options.threads as u64;
    let mut traffic: Vec<Traffic> =
        (0..options.threads as u64).map(|thread| Traffic::new(each, 7 + thread).from_player(thread * each)).collect();
    for traffic in &mut traffic {
        for batch in traffic.warm_up_commands(&parser).chunks(1_000) {
            engine.submit_batch(batch);
            ack();
        }
    }

    let waited_before = waited_ns();
    let mut wall = 0.0;
    let mut costs: Vec<f64> = Vec::new();
    for _ in 0..options.rounds {
        let nanos = match traffic.as_mut_slice() {
            [traffic] => alone(&engine, traffic, &parser, &options, &ack),
            several => together(&engine, several, &parser, &options, &ack),
        };
        wall += nanos;
        costs.push(nanos / (options.events * options.threads) as f64);
    }
    print(costs, waited_before, wall);
}

/// Lines in one call, into an engine that knows nobody yet.
fn lines(rules: &Rules, options: &Options) {
    let mut traffic = Traffic::new(options.players, 7);
    let bodies: Vec<String> = (0..options.events as u64).map(|n| traffic.body_of(n * 7919 % options.players)).collect();
    let bytes = bodies.join("\n");
    let (now, parser) = (traffic.now(), rules.door().parser());
    let threads = NonZeroUsize::new(options.threads).unwrap_or(NonZeroUsize::MIN);
    let waited_before = waited_ns();
    let mut wall = 0.0;
    let mut costs: Vec<f64> = Vec::new();
    for _ in 0..options.rounds {
        let engine = Engine::new(rules.clone(), MemoryStore::new());
        let begun = Instant::now();
        if options.parse {
            timed_parse(&parser, bytes.as_bytes(), now);
        } else {
            let batch = timed_lines(&engine, bytes.as_bytes(), now, threads);
            assert_eq!(batch.counts()["applied"], options.events as u64);
        }
        let nanos = begun.elapsed().as_nanos() as f64;
        wall += nanos;
        costs.push(nanos / options.events as f64);
    }
    print(costs, waited_before, wall);
}

fn print(mut costs: Vec<f64>, waited_before: Option<f64>, wall: f64) {
    costs.sort_by(f64::total_cmp);
    let waited = waited_ns().zip(waited_before).map_or(f64::NAN, |(after, before)| (after - before) * 100.0 / wall);
    println!(
        "{:.0} ns an event (best {:.0}, worst {:.0}); waited {waited:.1} %",
        costs[costs.len() / 2],
        costs[0],
        costs[costs.len() - 1]
    );
}

/// Each batch is made just before it is decided, as at a server: its commands are in the cache, not in memory.
fn alone(
    engine: &Engine<MemoryStore>,
    traffic: &mut Traffic,
    parser: &Parser,
    options: &Options,
    ack: &impl Fn(),
) -> f64 {
    let mut nanos = 0.0;
    for _ in 0..options.events / options.batch {
        let commands = traffic.commands(parser, options.batch);
        let begun = Instant::now();
        timed(engine, &commands, options.single);
        nanos += begun.elapsed().as_nanos() as f64;
        ack();
    }
    nanos
}

/// Commands are made before anybody begins: all threads decide all the time. How long it took the last of them.
fn together(
    engine: &Engine<MemoryStore>,
    traffic: &mut [Traffic],
    parser: &Parser,
    options: &Options,
    ack: &impl Fn(),
) -> f64 {
    let work: Vec<Vec<Command>> = traffic.iter_mut().map(|traffic| traffic.commands(parser, options.events)).collect();
    let start = Barrier::new(work.len());
    let nanos = std::thread::scope(|scope| {
        let threads: Vec<_> = work
            .iter()
            .map(|commands| {
                let start = &start;
                scope.spawn(move || {
                    start.wait();
                    let begun = Instant::now();
                    commands.chunks(options.batch).for_each(|batch| timed(engine, batch, options.single));
                    begun.elapsed().as_nanos() as f64
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).fold(0.0, f64::max)
    });
    ack();
    nanos
}

/// How long the main thread has waited on a run queue.
fn waited_ns() -> Option<f64> {
    std::fs::read_to_string("/proc/self/schedstat").ok()?.split_whitespace().nth(1)?.parse().ok()
}
