//! `engine.stalls`: how long a writer waits at most while somebody takes the store as a whole: a million players.

use std::io::{Result as Written, Write};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use liveops_bench::traffic::NOW_MS;
use liveops_compare::measure::{Row, thread_waited_ns};
use liveops_core::{Engine, MemoryStore, Outcome, Timestamp};

use super::{Ours, text};

/// What was asked for.
const LIMIT_MS: f64 = 50.0;
const PLAYERS: u64 = 1_000_000;
const DAY_MS: i64 = 86_400_000;
/// How often each is done. An advance that frees nothing is over before the writer has looked up.
const REPEATS: [i64; DONE] = [1, 3, 3, 1_000, 3];
/// How often the writer looks what it waited for a processor: that is not the store's doing.
const LOOKED_AFTER: usize = 64;

/// What goes on beside the writer.
const WHAT: [&str; 5] = ["nothing", "digest", "snapshot", "advance, nothing expires", "advance, a million outcomes do"];
const DONE: usize = WHAT.len();

pub(crate) fn stalls() -> Result<Row, String> {
    let ours = Ours::new(PLAYERS)?;
    // Of the day after, so that outcomes of the first day can expire and the writer goes on.
    let mut traffic = ours.traffic.clone().on_day_of(NOW_MS + DAY_MS);
    let (phase, broken) = (&AtomicUsize::new(0), &AtomicBool::new(false));
    let (engine, parser) = (&ours.engine, &ours.parser);

    let mut longest = [0.0_f64; DONE];
    let mut waited_percent = f64::NAN;
    let mut took = [0.0_f64; DONE];
    std::thread::scope(|scope| {
        let writer = scope.spawn(move || {
            let (begun, waited) = (Instant::now(), thread_waited_ns());
            let mut longest = [0.0_f64; DONE];
            while phase.load(Ordering::Relaxed) < DONE {
                let commands = traffic.commands(parser, LOOKED_AFTER);
                let waited = thread_waited_ns();
                let (first, mut slowest) = (phase.load(Ordering::Relaxed), 0.0_f64);
                for command in &commands {
                    let begun = Instant::now();
                    let outcome = engine.submit(command);
                    slowest = slowest.max(begun.elapsed().as_nanos() as f64);
                    if !matches!(outcome, Outcome::Applied(_)) {
                        broken.store(true, Ordering::Relaxed);
                    }
                }
                let for_processor =
                    thread_waited_ns().zip(waited).map_or(0.0, |(after, before)| (after - before) as f64);
                let of_store = (slowest - for_processor).max(0.0) / 1e6;
                // One that began under one and ended under the next counts for both.
                for longest in longest.iter_mut().take(phase.load(Ordering::Relaxed) + 1).skip(first) {
                    *longest = longest.max(of_store);
                }
            }
            let waited = thread_waited_ns().zip(waited).map_or(f64::NAN, |(after, before)| (after - before) as f64);
            (longest, waited * 100.0 / begun.elapsed().as_nanos() as f64)
        });
        let phases = phases(engine, phase);
        phase.store(DONE, Ordering::Relaxed);
        took = phases?;
        (longest, waited_percent) = writer.join().map_err(|_| "the writer broke")?;
        Ok::<(), String>(())
    })?;
    if broken.load(Ordering::Relaxed) {
        return Err("an event was not applied".to_owned());
    }
    let beside = longest.iter().skip(1).copied().fold(0.0, f64::max);
    let names = [
        ["longest beside nothing", ""],
        ["longest beside a digest", "the digest took"],
        ["longest beside a snapshot", "the snapshot took"],
        ["longest beside advance", "advance took"],
        ["longest while all expire", "all expiring took"],
    ];
    let more = names.into_iter().zip(longest.into_iter().zip(took)).flat_map(|([waited, whole], (longest, took))| {
        [(waited, longest), (whole, took)].into_iter().filter(|(name, _)| !name.is_empty())
    });
    Ok(Row {
        name: "engine.stalls",
        ours: beside,
        peer: LIMIT_MS,
        unit: "ms",
        wait_percent: waited_percent,
        more: more.collect(),
        ..Row::default()
    })
}

/// Does one after the other; how long each took at most, in milliseconds.
fn phases(engine: &Engine<MemoryStore>, phase: &AtomicUsize) -> Result<[f64; DONE], String> {
    let mut took = [0.0_f64; DONE];
    let now = |millis: i64| Timestamp::from_unix_millis(NOW_MS + millis);
    for (at, took) in took.iter_mut().enumerate() {
        phase.store(at, Ordering::Relaxed);
        for repeat in 0..REPEATS[at] {
            let begun = Instant::now();
            match at {
                0 => std::thread::sleep(Duration::from_millis(300)),
                1 => drop(engine.digest().map_err(text)?),
                2 => engine.snapshot(&mut Nowhere).map_err(text)?,
                3 => drop(engine.advance_far(now(repeat)).map_err(text)?),
                // A minute past the day for which outcomes are kept.
                _ => drop(engine.advance_far(now(DAY_MS + 60_000 + repeat)).map_err(text)?),
            }
            *took = took.max(begun.elapsed().as_nanos() as f64 / 1e6);
        }
    }
    Ok(took)
}

/// Takes all bytes at once, as a disk that is never slow.
struct Nowhere;

impl Write for Nowhere {
    fn write(&mut self, bytes: &[u8]) -> Written<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Written<()> {
        Ok(())
    }
}
