//! Looking at everything that is stored.

use liveops_core::error::StoreError;
use liveops_core::record::{Player, Record};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row};

use crate::SqliteStore;
use crate::columns::{is_idle, json, millis, number, put_standings, settled, state};
use crate::error::{Fault, corrupt};
use crate::feed::{Entries, each_entry, marks};
use crate::meta;
use crate::proof::Name;
use crate::read::player_id;

/// Faults that are told in full.
const FAULTS_TOLD: usize = 10;

impl SqliteStore {
    /// Checks the file as SQLite can, every record by its check bytes, and every column that people read by its record. Others read and
    /// write meanwhile; it reads the whole file.
    ///
    /// Errors: `store_corrupt`; its source names the first faults.
    pub fn verify(&self) -> Result<(), StoreError> {
        let mut faults = Faults::default();
        self.reading(|conn| {
            structure(conn, &mut faults)?;
            let feed = Entries::read(conn).and_then(|entries| marks(conn, entries));
            let marks = [
                ("the horizon", meta::horizon(conn).is_ok()),
                ("the header", meta::header(conn).is_ok()),
                ("the marks of the feed", feed.is_ok()),
            ];
            for (what, _) in marks.iter().filter(|(_, is_sound)| !is_sound) {
                faults.add((*what).to_owned());
            }
            players(conn, &mut faults)?;
            outcomes(conn, &mut faults)?;
            receipts(conn, &mut faults)?;
            suspicions(conn, &mut faults)?;
            each_entry(conn, |cursor, entry| {
                if entry.is_err() {
                    faults.add(format!("entry {cursor} of the feed"));
                }
            })
        })?;
        faults.end()
    }
}

#[derive(Default)]
struct Faults {
    count: u64,
    told: Vec<String>,
}

impl Faults {
    fn add(&mut self, what: String) {
        self.count += 1;
        if self.told.len() < FAULTS_TOLD {
            self.told.push(what);
        }
    }

    fn end(self) -> Result<(), StoreError> {
        match self.count {
            0 => Ok(()),
            count => Err(corrupt(format!("{count} faults, of which the first are: {}", self.told.join("; ")))),
        }
    }
}

/// What SQLite finds, and records whose player is not there.
fn structure(conn: &Connection, faults: &mut Faults) -> Result<(), Fault> {
    let mut check = conn.prepare("PRAGMA integrity_check(10)")?;
    let mut rows = check.query([])?;
    while let Some(row) = rows.next()? {
        let found: String = row.get(0)?;
        if found != "ok" {
            faults.add(found);
        }
    }
    for table in ["outcome", "receipt", "suspicion"] {
        let sql = format!("SELECT count(*) FROM {table} WHERE NOT EXISTS (SELECT 1 FROM player WHERE p={table}.p)");
        let orphans: u64 = conn.query_row(&sql, [], |row| row.get(0))?;
        if orphans > 0 {
            faults.add(format!("{orphans} rows of {table} without a player"));
        }
    }
    Ok(())
}

/// Each row whose `check` does not say yes.
fn each(
    conn: &Connection,
    sql: &str,
    faults: &mut Faults,
    what: &str,
    check: impl Fn(&Row<'_>) -> Result<bool, Fault>,
) -> Result<(), Fault> {
    let mut select = conn.prepare(sql)?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        if !check(row).unwrap_or(false) {
            let p = row.get::<_, i64>(0).unwrap_or(0);
            faults.add(format!("{what} of player number {p}"));
        }
    }
    Ok(())
}

fn text<'r>(row: &'r Row<'_>, at: usize) -> Result<&'r str, Fault> {
    match row.get_ref(at)? {
        ValueRef::Text(text) => Ok(std::str::from_utf8(text).unwrap_or_default()),
        _ => Ok(""),
    }
}

fn players(conn: &Connection, faults: &mut Faults) -> Result<(), Fault> {
    let sql = "SELECT p, id, version, erased_through, idle, body, xp, rewarded_level, receipts, newest_ts, hidden, standings \
               FROM player";
    each(conn, sql, faults, "the record", |row| {
        let (p, id) = (row.get(0)?, player_id(row.get_ref(1)?)?);
        let (version, erased_through, idle) = (row.get(2)?, row.get(3)?, row.get(4)?);
        let name = Name::player(p, id.as_str(), version, erased_through, idle);
        let Record::Player(player) = Record::decode(name.open(row.get_ref(5)?)?)? else { return Ok(false) };
        let Player { xp, granted_through, receipts, newest_ts, hidden, .. } = *player;
        let mut standings = String::new();
        put_standings(&player, &mut standings);
        Ok(player.version.cast_signed() == version
            && player.erased_through().map(millis) == erased_through
            && is_idle(&player) == idle
            && (number(xp), granted_through) == (row.get(6)?, row.get(7)?)
            && (number(receipts), millis(newest_ts), hidden) == (row.get(8)?, row.get(9)?, row.get(10)?)
            && standings == text(row, 11)?)
    })
}

fn outcomes(conn: &Connection, faults: &mut Faults) -> Result<(), Fault> {
    each(conn, "SELECT p, origin, id, ts, body FROM outcome", faults, "an outcome", |row| {
        let (p, origin, ts) = (row.get(0)?, row.get(1)?, row.get(3)?);
        let bytes = Name::outcome(p, origin, text(row, 2)?, ts).open(row.get_ref(4)?)?;
        Ok(matches!(Record::decode(bytes)?, Record::Outcome(outcome) if millis(outcome.ts) == ts))
    })
}

fn receipts(conn: &Connection, faults: &mut Faults) -> Result<(), Fault> {
    let sql = "SELECT p, number, reward, items, ts, state, body FROM receipt";
    each(conn, sql, faults, "a receipt", |row| {
        let (p, n) = (row.get(0)?, row.get(1)?);
        let bytes = Name::receipt(p, n).open(row.get_ref(6)?)?;
        let Record::Receipt(receipt) = Record::decode(bytes)? else { return Ok(false) };
        Ok(number(receipt.number) == n
            && receipt.reward.as_str() == text(row, 2)?
            && json(&receipt.items) == text(row, 3)?
            && millis(receipt.ts) == row.get::<_, i64>(4)?
            && state(receipt.state) == text(row, 5)?)
    })
}

fn suspicions(conn: &Connection, faults: &mut Faults) -> Result<(), Fault> {
    let sql = "SELECT p, number, type, ts, held, settled, verdicts, body FROM suspicion";
    each(conn, sql, faults, "a suspicion", |row| {
        let (p, n) = (row.get(0)?, row.get(1)?);
        let bytes = Name::suspicion(p, n).open(row.get_ref(7)?)?;
        let Record::Suspicion(suspicion) = Record::decode(bytes)? else { return Ok(false) };
        let is_listed = conn.prepare_cached("SELECT 1 FROM player WHERE p=?1 AND suspected=1")?.exists([p])?;
        Ok(is_listed
            && suspicion.event.kind.as_str() == text(row, 2)?
            && millis(suspicion.event.ts) == row.get::<_, i64>(3)?
            && suspicion.held == row.get::<_, bool>(4)?
            && settled(suspicion.settled) == text(row, 5)?
            && json(&suspicion.verdicts) == text(row, 6)?)
    })
}
