//! `sqlite.batch*.bare`: batches of events through the engine over a file that waits for the disk, against a bare program.

use liveops_compare::measure::{Row, Stopwatch, by_turns};
use liveops_sqlite::SqliteStore;

use super::bare::{Bare, contents};
use super::{GAME, Game, Home, applied, engine, text};

const PLAYERS: u64 = 10_000;

pub(crate) fn batch1() -> Result<Row, String> {
    batches("sqlite.batch1.bare", 1, 1_500, PLAYERS)
}

pub(crate) fn batch100() -> Result<Row, String> {
    batches("sqlite.batch100.bare", 100, 10_000, PLAYERS)
}

pub(crate) fn batch1000() -> Result<Row, String> {
    batches("sqlite.batch1000.bare", 1_000, 30_000, PLAYERS)
}

/// More players than the page cache holds.
pub(crate) fn batch100_200k() -> Result<Row, String> {
    Ok(Row { for_the_record: true, ..batches("sqlite.batch100.bare200k", 100, 10_000, 200_000)? })
}

pub(crate) fn batch1000_200k() -> Result<Row, String> {
    Ok(Row { for_the_record: true, ..batches("sqlite.batch1000.bare200k", 1_000, 30_000, 200_000)? })
}

fn batches(name: &'static str, batch: usize, events: usize, players: u64) -> Result<Row, String> {
    #[cfg(target_os = "linux")]
    if let Some(folder) = super::watched::folder() {
        return counts(Sides::new(Home::in_folder(folder), players)?, name, batch, 4 * events);
    }
    let mut sides = Sides::new(Home::new()?, players)?;
    let Sides { ours, bare, .. } = &mut sides;
    let row = by_turns(
        |stopwatch| our_round(ours, batch, events, stopwatch),
        |stopwatch| bare_round(bare, batch, events, stopwatch),
    )?;
    // Both have had the same events by now.
    sides.agree()?;
    drop(sides);
    let row = Row { name, unit: "ns/event", ..row };
    #[cfg(target_os = "linux")]
    let row = Row { more: super::watched::more(name, COUNTS)?, ..row };
    Ok(row)
}

/// Counted in a process of its own, because counting takes time.
#[cfg(target_os = "linux")]
const COUNTS: &[&str] = &["bytes an event", "peer, bytes an event", "syncs a batch", "peer, syncs a batch"];

/// What both sides write and sync.
#[cfg(target_os = "linux")]
fn counts(mut sides: Sides, name: &'static str, batch: usize, events: usize) -> Result<Row, String> {
    use super::disk::{Control, Dial};
    let disk = Control::of_this_process();
    let mut counts = Vec::new();
    for is_ours in [true, false] {
        let before = [Dial::Written, Dial::Syncs].map(|dial| disk.get(dial));
        if is_ours {
            our_round(&mut sides.ours, batch, events, &mut Stopwatch::default())?;
        } else {
            bare_round(&mut sides.bare, batch, events, &mut Stopwatch::default())?;
        }
        let after = [Dial::Written, Dial::Syncs].map(|dial| disk.get(dial));
        let [written, syncs] = [0, 1].map(|at| (after[at] - before[at]) as f64);
        counts.push([written / events as f64, syncs * batch as f64 / events as f64]);
    }
    let [ours, peer] = [&counts[0], &counts[1]];
    let more = COUNTS.iter().copied().zip([ours[0], peer[0], ours[1], peer[1]]).collect();
    Ok(Row { name, more, ..Row::default() })
}

/// Both sides, each with its file.
struct Sides {
    ours: Game<SqliteStore>,
    bare: Bare,
    home: Home,
}

impl Sides {
    fn new(home: Home, players: u64) -> Result<Self, String> {
        let store = SqliteStore::open(home.file("ours.db"), GAME).map_err(text)?;
        Ok(Self { ours: Game::new(engine(store)?, players)?, bare: Bare::new(&home.file("bare.db"), players)?, home })
    }

    fn agree(&self) -> Result<(), String> {
        let (ours, bare) = (contents(&self.home.file("ours.db"))?, contents(&self.home.file("bare.db"))?);
        if ours == bare { Ok(()) } else { Err(format!("the files do not hold the same: {ours:?} and {bare:?}")) }
    }
}

fn our_round(
    ours: &mut Game<SqliteStore>,
    batch: usize,
    events: usize,
    stopwatch: &mut Stopwatch,
) -> Result<f64, String> {
    let mut nanos = 0.0;
    for _ in 0..events / batch {
        let commands = ours.commands(batch);
        let mut outcomes = Vec::new();
        nanos += stopwatch.time(|| match commands.as_slice() {
            [command] => outcomes.push(ours.engine.submit(command)),
            commands => outcomes = ours.engine.submit_batch(commands),
        });
        applied(&outcomes)?;
    }
    Ok(nanos / events as f64)
}

fn bare_round(bare: &mut Bare, batch: usize, events: usize, stopwatch: &mut Stopwatch) -> Result<f64, String> {
    let mut nanos = 0.0;
    for _ in 0..events / batch {
        let rows = bare.next(batch)?;
        let mut written = Ok(());
        nanos += stopwatch.time(|| written = bare.write(&rows));
        written.map_err(text)?;
    }
    Ok(nanos / events as f64)
}
