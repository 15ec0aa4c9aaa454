//! The state after a run, as files for other programs.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use liveops_core::record::{Kind, Record};
use liveops_core::store;
use liveops_core::{Boards, Engine, Error, FullStore, Key, Timestamp};
use serde_json::{Map, Value, json};

use crate::report::PAGE_RECORDS;

/// Rows of each board that are written.
const ROWS_MAX: usize = 100;

/// Why a file was not written.
#[derive(Debug)]
pub struct ExportError {
    /// Which.
    pub path: PathBuf,
    /// Why.
    pub cause: io::Error,
}

/// Writes `snapshot.bin`, `receipts.ndjson`, `suspicions.ndjson` and `boards.json` into a folder, which is made if it
/// is not there. Boards are those of the periods that run at `now`, the best hundred of each.
pub fn write<S: FullStore>(engine: &Engine<S>, now: Timestamp, folder: &Path) -> Result<(), ExportError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |cause| ExportError { path, cause }
    };
    fs::create_dir_all(folder).map_err(failed(folder))?;
    let write = |name: &str, content: &dyn Fn(&mut BufWriter<File>) -> io::Result<()>| {
        let path = folder.join(name);
        let file = File::create(&path).map(BufWriter::new);
        file.and_then(|mut file| content(&mut file).and_then(|()| file.flush())).map_err(failed(&path))
    };
    let lines = |kind, wanted: fn(&Key, &Record) -> Option<Value>, file: &mut BufWriter<File>| {
        store::records(engine.store(), Some(kind), PAGE_RECORDS).try_for_each(|read| {
            let (key, record) = read.map_err(io::Error::other)?;
            wanted(&key, &record).map_or(Ok(()), |line| writeln!(file, "{line}"))
        })
    };
    write("snapshot.bin", &|file| engine.snapshot(file).map_err(io::Error::other))?;
    write("receipts.ndjson", &|file| lines(Kind::Receipt, receipt, file))?;
    write("suspicions.ndjson", &|file| lines(Kind::Suspicion, suspicion, file))?;
    write("boards.json", &|file| {
        let boards = boards(engine, now).map_err(io::Error::other)?;
        writeln!(file, "{boards:#}")
    })
}

fn receipt(key: &Key, record: &Record) -> Option<Value> {
    match (key, record) {
        (Key::Receipt(player, _), Record::Receipt(receipt)) => Some(with_player(player.as_str(), json!(receipt))),
        _ => None,
    }
}

fn suspicion(key: &Key, record: &Record) -> Option<Value> {
    match (key, record) {
        (Key::Suspicion(player, number), Record::Suspicion(suspicion)) => {
            let mut suspicion = with_player(player.as_str(), json!(suspicion));
            suspicion["number"] = json!(number);
            Some(suspicion)
        }
        _ => None,
    }
}

fn with_player(player: &str, mut value: Value) -> Value {
    value["playerId"] = json!(player);
    value
}

/// `{board: {window: {period, entries}}}`.
fn boards<S: Boards>(engine: &Engine<S>, now: Timestamp) -> Result<Value, Error> {
    let rules = engine.rules();
    let mut all = Map::new();
    for rule in rules.boards() {
        let board = engine.board(rule.board.as_str())?;
        let mut windows = Map::new();
        for (window, _) in &rule.windows {
            // Between two seasons there is none.
            let Ok(period) = board.period(*window, now) else { continue };
            let entries = board.of(period).page(0, ROWS_MAX)?;
            windows.insert(
                window.to_string(),
                json!({ "period": rules.calendar().label(period), "index": period.index, "entries": entries }),
            );
        }
        all.insert(rule.board.to_string(), Value::Object(windows));
    }
    Ok(Value::Object(all))
}
