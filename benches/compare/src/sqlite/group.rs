//! `sqlite.group*.one`: many callers, each with one event at a time, against one caller, on a disk whose syncs take 2 ms longer.

use std::sync::atomic::{AtomicUsize, Ordering};

use liveops_compare::measure::{Row, Stopwatch, by_turns};
use liveops_sqlite::SqliteStore;

use super::disk::{Control, Dial};
use super::{GAME, Game, applied, engine, text, watched};

const PLAYERS: u64 = 10_000;
const SYNC_MICROS: i64 = 2_000;
/// Of each caller and round.
const EVENTS_EACH: usize = 100;

pub(crate) fn group8() -> Result<Row, String> {
    group("sqlite.group8.one", 8)
}

pub(crate) fn group64() -> Result<Row, String> {
    group("sqlite.group64.one", 64)
}

fn group(name: &'static str, callers: usize) -> Result<Row, String> {
    let Some(folder) = watched::folder() else { return watched::row(name) };
    let store = SqliteStore::open(folder.join("ours.db"), GAME).map_err(text)?;
    let game = std::cell::RefCell::new(Game::new(engine(store)?, PLAYERS)?);
    Control::of_this_process().set(Dial::SyncMicros, SYNC_MICROS);
    // The wait is that of one caller alone: many on few processors wait for each other, and that is part of what is measured.
    let together =
        |_: &mut Stopwatch| round(&mut game.borrow_mut(), callers, EVENTS_EACH * callers, &mut Stopwatch::default());
    let alone = |stopwatch: &mut Stopwatch| round(&mut game.borrow_mut(), 1, EVENTS_EACH, stopwatch);
    let row = by_turns(together, alone)?;
    Ok(Row { name, unit: "ns/event", ..row })
}

/// Nanoseconds an event by the clock on the wall.
fn round(
    game: &mut Game<SqliteStore>,
    callers: usize,
    events: usize,
    stopwatch: &mut Stopwatch,
) -> Result<f64, String> {
    let commands = game.commands(events);
    let next = AtomicUsize::new(0);
    let caller = || -> Result<(), String> {
        while let Some(command) = commands.get(next.fetch_add(1, Ordering::Relaxed)) {
            applied(&[game.engine.submit(command)])?;
        }
        Ok(())
    };
    let mut results = Vec::new();
    let nanos = stopwatch.time(|| {
        if callers == 1 {
            results.push(caller());
        } else {
            std::thread::scope(|scope| {
                let callers: Vec<_> = (0..callers).map(|_| scope.spawn(caller)).collect();
                results.extend(
                    callers
                        .into_iter()
                        .map(|caller| caller.join().unwrap_or_else(|_| Err("a caller panicked".to_owned()))),
                );
            });
        }
    });
    results.into_iter().collect::<Result<(), _>>()?;
    Ok(nanos / events as f64)
}
