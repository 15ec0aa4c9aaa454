//! `engine.threads.two`: two threads with players of their own on one engine, against two threads on two engines. What the two engines take
//! more than one thread alone is the machine's: processors that share a core, or memory.

use std::hint::black_box;
use std::sync::Barrier;
use std::time::Instant;

use liveops_bench::Traffic;
use liveops_compare::measure::{Row, Stopwatch, by_turns, thread_waited_ns};
use liveops_core::{Command, Engine, MemoryStore};

use super::{BATCH, Ours, PLAYERS, warm_up};

/// Of each thread: so many that it does not matter when the system puts the second thread on a processor of its own.
const EVENTS_PER_ROUND: usize = 150_000;

pub(crate) fn two() -> Result<Row, String> {
    let (mut first, mut second, mut both) = (side(0)?, side(PLAYERS)?, side(0)?);
    // The one engine has the players of both others.
    let mut other = Traffic::new(PLAYERS, 7).from_player(PLAYERS);
    warm_up(&both.engine, &mut other, &both.parser);

    let row = by_turns(
        |stopwatch| {
            let work = [&mut both.traffic, &mut other].map(|traffic| traffic.commands(&both.parser, EVENTS_PER_ROUND));
            Ok(at_once(stopwatch, [&both.engine; 2], &work))
        },
        |stopwatch| {
            let work = [&mut first, &mut second].map(|side| side.traffic.commands(&side.parser, EVENTS_PER_ROUND));
            Ok(at_once(stopwatch, [&first.engine, &second.engine], &work))
        },
    )?;
    let mut alone = side(0)?;
    let one = by_turns(
        |stopwatch| {
            let work = [alone.traffic.commands(&alone.parser, EVENTS_PER_ROUND)];
            Ok(at_once(stopwatch, [&alone.engine], &work))
        },
        |_| Ok(0.0),
    )?;
    let more = vec![("one thread alone", one.ours), ("times as much by two", one.ours / row.ours)];
    Ok(Row { name: "engine.threads.two", unit: "ns/event", more, ..row })
}

fn side(first: u64) -> Result<Ours, String> {
    Ours::of(MemoryStore::new(), None, Traffic::new(PLAYERS, 7).from_player(first))
}

/// A thread for each engine. Nanoseconds by the clock for each event of all, until the last thread is through.
fn at_once<const N: usize>(
    stopwatch: &mut Stopwatch,
    engines: [&Engine<MemoryStore>; N],
    work: &[Vec<Command>; N],
) -> f64 {
    let start = &Barrier::new(N);
    let (nanos, waited) = std::thread::scope(|scope| {
        let threads = engines.into_iter().zip(work).map(|(engine, commands)| {
            scope.spawn(move || {
                start.wait();
                let (waited, begun) = (thread_waited_ns(), Instant::now());
                for batch in commands.chunks(BATCH) {
                    drop(black_box(engine.submit_batch(batch)));
                }
                let nanos = begun.elapsed().as_nanos();
                (nanos, thread_waited_ns().zip(waited).map(|(after, before)| after.saturating_sub(before)))
            })
        });
        // All are started before one is waited for.
        let threads: Vec<_> = threads.collect();
        let each = threads.into_iter().map(|thread| thread.join().unwrap_or_default());
        each.fold((0, Some(0)), |(nanos, waited), (more, also)| {
            (nanos.max(more), waited.zip(also).map(|(a, b)| a.max(b)))
        })
    });
    stopwatch.count(nanos, waited);
    nanos as f64 / (N * EVENTS_PER_ROUND) as f64
}
