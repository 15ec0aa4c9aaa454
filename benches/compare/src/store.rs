//! `store.dyn.concrete` and `scan.migration.linear`: what the boundary between engine and store costs in memory.

use std::sync::Arc;

use liveops_bench::Traffic;
use liveops_bench::traffic::RULES;
use liveops_compare::measure::{Row, Stopwatch, by_turns};
use liveops_core::event::Parser;
use liveops_core::store::{FullStore, Store};
use liveops_core::{Engine, MemoryStore, Outcome, Rules};

const PLAYERS: u64 = 10_000;
const BATCH: usize = 100;
const EVENTS_PER_ROUND: usize = 50_000;

/// The memory store behind a pointer, as the bindings have it, against the same store by its own type.
pub(crate) fn behind_a_pointer() -> Result<Row, String> {
    let behind: Arc<dyn FullStore> = Arc::new(MemoryStore::new());
    let (behind, concrete) = (Engine::new(rules(RULES)?, behind), Engine::new(rules(RULES)?, MemoryStore::new()));
    let parser = concrete.rules().door().parser();
    let mut traffic = [Traffic::new(PLAYERS, 7), Traffic::new(PLAYERS, 7)];
    warm_up(&behind, &mut traffic[0], &parser);
    warm_up(&concrete, &mut traffic[1], &parser);
    let [of_behind, of_concrete] = &mut traffic;
    let row = by_turns(
        |stopwatch| round(&behind, of_behind, &parser, stopwatch),
        |stopwatch| round(&concrete, of_concrete, &parser, stopwatch),
    )?;
    Ok(Row { name: "store.dyn.concrete", unit: "ns/event", ..row })
}

fn warm_up<S: Store>(engine: &Engine<S>, traffic: &mut Traffic, parser: &Parser) {
    for batch in traffic.warm_up_commands(parser).chunks(1_000) {
        engine.submit_batch(batch);
    }
}

fn round<S: Store>(
    engine: &Engine<S>,
    traffic: &mut Traffic,
    parser: &Parser,
    stopwatch: &mut Stopwatch,
) -> Result<f64, String> {
    let mut nanos = 0.0;
    for _ in 0..EVENTS_PER_ROUND / BATCH {
        let commands = traffic.commands(parser, BATCH);
        let mut outcomes = Vec::new();
        nanos += stopwatch.time(|| outcomes = engine.submit_batch(&commands));
        if let Some(other) = outcomes.iter().find(|outcome| !matches!(outcome, Outcome::Applied(_))) {
            return Err(format!("an event was not applied: {}", other.code()));
        }
    }
    Ok(nanos / EVENTS_PER_ROUND as f64)
}

/// `plan_migration`, a player of 100,000 against one of 10,000.
pub(crate) fn migration() -> Result<Row, String> {
    const MANY: u64 = 100_000;
    const FEW: u64 = 10_000;
    let cheaper = rules(&RULES.replace(r#""base": 1000"#, r#""base": 900"#))?;
    let engine = |players| -> Result<_, String> {
        let engine = Engine::new(rules(RULES)?, MemoryStore::new());
        warm_up(&engine, &mut Traffic::new(players, 7), &engine.rules().door().parser());
        Ok(engine)
    };
    let (many, few) = (engine(MANY)?, engine(FEW)?);
    let plan = |engine: &Engine<MemoryStore>, players: u64, stopwatch: &mut Stopwatch| -> Result<f64, String> {
        let mut plan = None;
        let nanos = stopwatch.time(|| plan = Some(engine.plan_migration(&cheaper)));
        let levels = plan.ok_or("no plan")?.map_err(|error| error.to_string())?.levels;
        let planned = levels.rise + levels.stay + levels.fall;
        if planned == players { Ok(nanos / players as f64) } else { Err(format!("{planned} players in the plan")) }
    };
    let row = by_turns(|stopwatch| plan(&many, MANY, stopwatch), |stopwatch| plan(&few, FEW, stopwatch))?;
    Ok(Row { name: "scan.migration.linear", unit: "ns/player", ..row })
}

fn rules(document: &str) -> Result<Rules, String> {
    Rules::from_json(document).map_err(|error| error.to_string())
}
