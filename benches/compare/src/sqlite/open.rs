//! `sqlite.open.decode`: opening a file of a million players with three boards, against reading and decoding their records alone.

use liveops_compare::measure::{Row, Stopwatch, median};
use liveops_core::{PlayerId, Record};
use liveops_sqlite::SqliteStore;
use rusqlite::Connection;

use super::{GAME, Game, Home, closed, engine, text};

const PLAYERS: u64 = 1_000_000;
const ROUNDS: usize = 3;
/// Behind each record.
const PROOF_BYTES: usize = 8;

pub(crate) fn decode() -> Result<Row, String> {
    let home = Home::new()?;
    let path = home.file("million.db");
    drop(Game::new(engine(SqliteStore::options().normal().open(&path, GAME).map_err(text)?)?, PLAYERS)?);
    closed(&path)?;
    let mut stopwatch = Stopwatch::default();
    let (mut opened, mut decoded) = (Vec::new(), Vec::new());
    // The first round brings the file into the system's cache.
    for round in 0..=ROUNDS {
        let mut game = Err(String::new());
        let ours = stopwatch.time(|| game = SqliteStore::open(&path, GAME).map_err(text).and_then(engine));
        drop(game?);
        let mut result = Ok(0);
        let peer = stopwatch.time(|| result = decode_all(&path));
        let players = result?;
        if players != PLAYERS {
            return Err(format!("{players} players are there"));
        }
        if round > 0 {
            opened.push(ours / 1e6);
            decoded.push(peer / 1e6);
        }
    }
    let (ours, peer) = (median(opened), median(decoded));
    Ok(Row {
        name: "sqlite.open.decode",
        ours,
        peer,
        unit: "ms",
        wait_percent: stopwatch.wait_percent(),
        ..Row::default()
    })
}

fn decode_all(path: &std::path::Path) -> Result<u64, String> {
    let connection = Connection::open(path).map_err(text)?;
    let mut select = connection.prepare("SELECT id, body FROM player").map_err(text)?;
    let mut rows = select.query([]).map_err(text)?;
    let mut players = 0;
    while let Some(row) = rows.next().map_err(text)? {
        let id = row.get_ref(0).map_err(text)?.as_str().map_err(text)?;
        let body = row.get_ref(1).map_err(text)?.as_blob().map_err(text)?;
        let record = Record::decode(&body[..body.len() - PROOF_BYTES]).map_err(|_| "a record that is none")?;
        drop(std::hint::black_box((PlayerId::new(id).map_err(text)?, record)));
        players += 1;
    }
    Ok(players)
}
