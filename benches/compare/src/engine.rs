//! `engine.event`: the whole engine, an event decided and committed in memory, against the floor of 2,000 ns.

use liveops_bench::Traffic;
use liveops_bench::traffic::RULES;
use liveops_core::{Engine, MemoryStore, Outcome, Rules};

use liveops_compare::measure::{Row, Stopwatch, median};

/// What was asked for when the engine was designed; not a rival.
const FLOOR_NS: f64 = 2_000.0;

const PLAYERS: u64 = 10_000;
const BATCH: usize = 1_000;
const EVENTS_PER_ROUND: usize = 50_000;
const ROUNDS: usize = 9;

/// Parsing and making commands is outside the timing, and so is checking what came of them: the row is about deciding and
/// committing. Dropping the outcomes is inside.
pub(crate) fn event() -> Result<Row, String> {
    let rules = Rules::from_json(RULES).map_err(|error| error.to_string())?;
    let parser = rules.door().parser();
    let engine = Engine::new(rules, MemoryStore::new());
    let mut traffic = Traffic::new(PLAYERS, 7);
    for batch in traffic.warm_up_commands(&parser).chunks(BATCH) {
        engine.submit_batch(batch);
    }

    // The first round settles caches and allocators, and is where the workload shows that it is what the row claims.
    let mut receipts = 0;
    for batch in traffic.commands(&parser, EVENTS_PER_ROUND).chunks(BATCH) {
        for outcome in engine.submit_batch(batch) {
            match outcome {
                Outcome::Applied(applied) => receipts += usize::from(!applied.receipts.is_empty()),
                other => return Err(format!("an event was not applied: {other:?}")),
            }
        }
    }
    let percent = receipts as f64 * 100.0 / EVENTS_PER_ROUND as f64;
    if !(4.0..=6.0).contains(&percent) {
        return Err(format!("receipts came with {percent:.2} % of events instead of 5 %"));
    }

    let mut stopwatch = Stopwatch::default();
    let mut costs = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        // Each batch is parsed just before it is decided, as at a server: its commands are in the cache, not in memory.
        let nanos: f64 = (0..EVENTS_PER_ROUND / BATCH)
            .map(|_| {
                let commands = traffic.commands(&parser, BATCH);
                stopwatch.time(|| drop(std::hint::black_box(engine.submit_batch(&commands))))
            })
            .sum();
        costs.push(nanos / EVENTS_PER_ROUND as f64);
    }
    Ok(Row {
        name: "engine.event",
        ours: median(costs),
        peer: FLOOR_NS,
        unit: "ns/event",
        wait_percent: stopwatch.wait_percent(),
        ..Row::default()
    })
}

/// Names the program of an earlier commit that measures `engine.event`; `cargo xtask compare` builds it.
const BEFORE: &str = "LIVEOPS_COMPARE_BEFORE";
const TURNS: usize = 5;

/// `engine.before`: the same row of an earlier commit, against that of this one. Two programs by turns, each with its own build.
pub(crate) fn before() -> Result<Row, String> {
    let earlier = std::env::var_os(BEFORE).ok_or(format!("{BEFORE} names no program"))?;
    let this = std::env::current_exe().map_err(|error| error.to_string())?;
    let (mut costs, mut waited) = ([Vec::new(), Vec::new()], 0.0_f64);
    for _ in 0..TURNS {
        for (costs, program) in costs.iter_mut().zip([this.as_os_str(), &earlier]) {
            let done =
                std::process::Command::new(program).arg("engine.event").output().map_err(|error| error.to_string())?;
            let output = String::from_utf8_lossy(&done.stdout);
            let line = output.lines().rev().find(|line| line.starts_with('{')).unwrap_or_default();
            let fields: serde_json::Value =
                serde_json::from_str(line).map_err(|_| "a program printed no row".to_owned())?;
            costs.push(fields["ours"].as_f64().ok_or("a row without a cost")?);
            waited = waited.max(fields["wait_percent"].as_f64().unwrap_or(f64::NAN));
        }
    }
    let [ours, peer] = costs;
    Ok(Row {
        name: "engine.before",
        ours: median(ours),
        peer: median(peer),
        unit: "ns/event",
        wait_percent: waited,
        ..Row::default()
    })
}
