//! `sqlite.advance.outcomes`: `advance` past a million outcomes, all of which expire, against the same file without one.

use std::path::Path;
use std::time::Duration;

use liveops_bench::traffic::NOW_MS;
use liveops_compare::measure::{Row, Stopwatch, by_turns};
use liveops_core::{Engine, Timestamp};
use liveops_sqlite::{SqliteStore, Swept};
use rusqlite::Connection;

use super::{GAME, Game, Home, applied, closed, engine, text};

const PLAYERS: u64 = 10_000;
const OUTCOMES: u64 = 1_000_000;
const BATCH: usize = 4_000;
/// As many as the sweep looks at while writers wait.
const SLICE_ROWS: u64 = 1_024;
/// Two days later nothing of the traffic can be asked for any more.
const LATER: Timestamp = Timestamp::from_unix_millis(NOW_MS + 2 * 86_400_000);

pub(crate) fn outcomes() -> Result<Row, String> {
    let home = Home::new()?;
    let (full, none) = (home.file("full.db"), home.file("none.db"));
    {
        let store = SqliteStore::options().normal().open(&full, GAME).map_err(text)?;
        let mut game = Game::new(engine(store)?, PLAYERS)?;
        for _ in 0..(OUTCOMES - PLAYERS) / BATCH as u64 {
            let commands = game.commands(BATCH);
            applied(&game.engine.submit_batch(&commands))?;
        }
    }
    closed(&full)?;
    std::fs::copy(&full, &none).map_err(text)?;
    {
        let connection = Connection::open(&none).map_err(text)?;
        let held: u64 = connection.query_row("SELECT count(*) FROM outcome", [], |row| row.get(0)).map_err(text)?;
        if held < OUTCOMES - BATCH as u64 {
            return Err(format!("only {held} outcomes are there"));
        }
        connection.execute_batch("DELETE FROM outcome; VACUUM; PRAGMA wal_checkpoint(TRUNCATE);").map_err(text)?;
    }
    let copy = home.file("copy.db");
    let row = by_turns(
        |stopwatch| advanced(&full, &copy, stopwatch).map(|(nanos, _)| nanos),
        |stopwatch| advanced(&none, &copy, stopwatch).map(|(nanos, _)| nanos),
    )?;
    let more = slices(&advanced(&full, &copy, &mut Stopwatch::default())?.1)?;
    Ok(Row { name: "sqlite.advance.outcomes", unit: "ns", more, ..row })
}

/// One advance of a fresh copy.
fn advanced(file: &Path, copy: &Path, stopwatch: &mut Stopwatch) -> Result<(f64, Engine<SqliteStore>), String> {
    for suffix in ["db", "db-wal", "db-shm"] {
        drop(std::fs::remove_file(copy.with_extension(suffix)));
    }
    std::fs::copy(file, copy).and_then(|_| std::fs::File::open(copy)?.sync_all()).map_err(text)?;
    let engine = engine(SqliteStore::open(copy, GAME).map_err(text)?)?;
    std::thread::sleep(Duration::from_millis(50));
    let mut horizon = Ok(());
    let nanos = stopwatch.time(|| horizon = engine.advance_far(LATER).map(drop));
    horizon.map_err(text)?;
    Ok((nanos, engine))
}

/// The sweep that frees all of it afterwards, a slice at a time: how long writers wait for one.
fn slices(engine: &Engine<SqliteStore>) -> Result<Vec<(&'static str, f64)>, String> {
    let (mut stopwatch, mut millis, mut freed) = (Stopwatch::default(), Vec::new(), 0);
    while engine.store().status().map_err(text)?.sweep_pending {
        let mut swept = Ok(Swept::default());
        let nanos = stopwatch.time(|| swept = engine.store().sweep(SLICE_ROWS));
        freed += swept.map_err(text)?.freed;
        millis.push(nanos / 1e6);
    }
    if freed < OUTCOMES - BATCH as u64 {
        return Err(format!("only {freed} outcomes were freed"));
    }
    millis.sort_by(f64::total_cmp);
    let at = |percent: usize| millis.get((millis.len() - 1) * percent / 100).copied().unwrap_or(f64::NAN);
    Ok(vec![
        ("slices", millis.len() as f64),
        ("ms a slice, median", at(50)),
        ("ms a slice, 99 %", at(99)),
        ("ms a slice, longest", at(100)),
    ])
}
