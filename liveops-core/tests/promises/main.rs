//! What holds of the store in memory whatever way a command takes, whatever goes on meanwhile, and whatever fails in the
//! middle. Random tests print their seed.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test that fails names its seed")]

#[path = "../common/mod.rs"]
mod common;

mod drivers;
mod expiry;
mod growth;
mod moment;
mod runs;
mod stream;
mod threads;

use std::collections::BTreeMap;
use std::process::abort;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use liveops_core::board::Row;
use liveops_core::record::{BoardKey, Horizon};
use liveops_core::store::SnapshotReader;
use liveops_core::{BoardId, Boards, Engine, Key, MemoryStore, Outcome, Period, Record, Store, Window};

use crate::common::{DAY, START};

/// How long a test may take that would wait for ever if it failed.
const STUCK_AFTER: Duration = Duration::from_secs(300);

/// Runs what must not wait for itself.
fn ends<T: Send>(what: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let (done, ended) = channel::<()>();
        let thread = scope.spawn(move || {
            let _done = done;
            what()
        });
        if ended.recv_timeout(STUCK_AFTER) == Err(RecvTimeoutError::Timeout) {
            println!("it waits for ever");
            abort();
        }
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// Rows or the code of the refusal, by board and period: every board of the rules of now in each period around the test's days.
type Shown = BTreeMap<BoardKey, Result<Vec<Row>, String>>;

fn shown<S: Store + Boards>(engine: &Engine<S>, boards: &[&str]) -> Shown {
    engine.catch_up().unwrap();
    let mut shown = Shown::new();
    for name in boards {
        let days = (-2..8).map(|day| (Window::Daily, START / DAY + day));
        for (window, index) in days.chain([(Window::AllTime, 0)]) {
            let period = Period { window, index };
            let rows = engine.board(name).unwrap().of(period).page(0, 100_000);
            let key = BoardKey { board: BoardId::new(name).unwrap(), period };
            shown.insert(key, rows.map_err(|error| error.code().as_str().to_owned()));
        }
    }
    shown
}

/// The boards are what the records say: as those of a copy whose boards were built from them.
fn assert_boards_fit(engine: &Engine<MemoryStore>, boards: &[&str]) {
    let copy = MemoryStore::restore(&engine.store().snapshot()).unwrap();
    let copy = Engine::open(engine.rules(), copy).unwrap();
    assert_eq!(shown(engine, boards), shown(&copy, boards), "boards and records");
}

fn records(snapshot: &[u8]) -> Vec<(Key, Record)> {
    SnapshotReader::open(snapshot).and_then(Iterator::collect).unwrap()
}

fn horizon(store: &MemoryStore) -> Horizon {
    common::horizon(store)
}

fn codes(outcomes: &[Outcome]) -> BTreeMap<&'static str, usize> {
    let mut codes = BTreeMap::new();
    for outcome in outcomes {
        *codes.entry(outcome.code()).or_default() += 1;
    }
    codes
}
