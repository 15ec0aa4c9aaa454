//! Rows of records: their bytes with check bytes behind them, and the columns beside.

use liveops_core::error::StoreError;
use liveops_core::record::{Player, Receipt, RecordRef, StoredOutcome, Suspicion};
use liveops_core::{CommandId, Key, PlayerId};
use rusqlite::{CachedStatement, Connection, params};

use crate::columns::{is_idle, json, millis, number, origin, put_standings, settled, state};
use crate::error::{Fault, misconfigured};
use crate::proof::Name;

/// Writes rows, within a transaction. What nearly every change set needs is prepared once.
pub(crate) struct Rows<'c> {
    conn: &'c Connection,
    insert: CachedStatement<'c>,
    update: CachedStatement<'c>,
    update_seen: CachedStatement<'c>,
    outcome: CachedStatement<'c>,
    bytes: Vec<u8>,
    text: String,
}

impl<'c> Rows<'c> {
    pub(crate) fn new(conn: &'c Connection) -> Result<Self, rusqlite::Error> {
        Ok(Self {
            conn,
            insert: conn.prepare_cached(
                "INSERT INTO player(p, version, hidden, xp, rewarded_level, receipts, newest_ts, standings, body, \
                 erased_through, idle, id, suspected) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, 0)",
            )?,
            update: conn.prepare_cached(
                "UPDATE player SET version=?2, hidden=?3, xp=?4, rewarded_level=?5, receipts=?6, newest_ts=?7, standings=?8, \
                 body=?9, erased_through=?10, idle=?11 WHERE p=?1",
            )?,
            // It changes no column that is in an index; the plus keeps SQLite from looking the name up.
            update_seen: conn.prepare_cached(
                "UPDATE player SET version=?2, hidden=?3, xp=?4, rewarded_level=?5, receipts=?6, newest_ts=?7, standings=?8, \
                 body=?9 WHERE p=?1 AND version=?10 AND idle=0 AND erased_through IS NULL AND +id=?11",
            )?,
            outcome: conn
                .prepare_cached("INSERT OR REPLACE INTO outcome(p, origin, id, ts, body) VALUES (?1, ?2, ?3, ?4, ?5)")?,
            bytes: Vec::with_capacity(1024),
            text: String::with_capacity(256),
        })
    }

    /// A player, in place of the row of before or as a new one.
    pub(crate) fn put_player(&mut self, p: i64, id: &PlayerId, player: &Player, is_new: bool) -> Result<(), Fault> {
        let erased_through = player.erased_through().map(millis);
        let idle = is_idle(player);
        let version = player.version.cast_signed();
        self.encode(&Name::player(p, id.as_str(), version, erased_through, idle), player);
        let Self { bytes, text, .. } = self;
        let (xp, receipts, newest_ts) = (number(player.xp), number(player.receipts), millis(player.newest_ts));
        let (hidden, level) = (player.hidden, player.granted_through);
        let id = is_new.then_some(id.as_str());
        let columns =
            params![p, version, hidden, xp, level, receipts, newest_ts, *text, *bytes, erased_through, idle, id];
        if is_new {
            self.insert.execute(columns)?;
        } else {
            self.update.execute(&columns[..11])?;
        }
        Ok(())
    }

    /// A player whose row was seen a moment ago, and who was never erased: in one step with looking whether the row is still
    /// that of this player under this version. Says whether it was.
    pub(crate) fn update_seen(&mut self, p: i64, expected: u64, id: &PlayerId, player: &Player) -> Result<bool, Fault> {
        let version = player.version.cast_signed();
        self.encode(&Name::player(p, id.as_str(), version, None, false), player);
        let Self { bytes, text, .. } = self;
        let (xp, receipts, newest_ts) = (number(player.xp), number(player.receipts), millis(player.newest_ts));
        let (hidden, level, expected) = (player.hidden, player.granted_through, expected.cast_signed());
        let updated = self.update_seen.execute(params![
            p,
            version,
            hidden,
            xp,
            level,
            receipts,
            newest_ts,
            *text,
            *bytes,
            expected,
            id.as_str()
        ])?;
        Ok(updated == 1)
    }

    fn encode(&mut self, name: &Name, player: &Player) {
        self.text.clear();
        put_standings(player, &mut self.text);
        self.bytes.clear();
        RecordRef::Player(player).encode_into(&mut self.bytes);
        name.seal(&mut self.bytes);
    }

    pub(crate) fn put_outcome(&mut self, p: i64, id: &CommandId, outcome: &StoredOutcome) -> Result<(), Fault> {
        let (origin, name, ts) = (origin(id), id.id.as_str(), millis(outcome.ts));
        self.bytes.clear();
        RecordRef::Outcome(outcome).encode_into(&mut self.bytes);
        Name::outcome(p, origin, name, ts).seal(&mut self.bytes);
        self.outcome.execute(params![p, origin, name, ts, self.bytes])?;
        Ok(())
    }

    pub(crate) fn put_receipt(&mut self, p: i64, receipt: &Receipt) -> Result<(), Fault> {
        let number = row_number(receipt.number)?;
        self.bytes.clear();
        RecordRef::Receipt(receipt).encode_into(&mut self.bytes);
        Name::receipt(p, number).seal(&mut self.bytes);
        let (reward, items, ts) = (receipt.reward.as_str(), json(&receipt.items), millis(receipt.ts));
        self.conn
            .prepare_cached(
                "INSERT OR REPLACE INTO receipt(p, number, reward, items, ts, state, body) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?
            .execute(params![p, number, reward, items, ts, state(receipt.state), self.bytes])?;
        Ok(())
    }

    pub(crate) fn put_suspicion(&mut self, p: i64, number: u64, suspicion: &Suspicion) -> Result<(), Fault> {
        let number = row_number(number)?;
        self.bytes.clear();
        RecordRef::Suspicion(suspicion).encode_into(&mut self.bytes);
        Name::suspicion(p, number).seal(&mut self.bytes);
        let (kind, ts) = (suspicion.event.kind.as_str(), millis(suspicion.event.ts));
        let (settled, verdicts) = (settled(suspicion.settled), json(&suspicion.verdicts));
        self.conn
            .prepare_cached(
                "INSERT OR REPLACE INTO suspicion(p, number, type, ts, held, settled, verdicts, body) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            )?
            .execute(params![p, number, kind, ts, suspicion.held, settled, verdicts, self.bytes])?;
        self.conn.prepare_cached("UPDATE player SET suspected=1 WHERE p=?1 AND suspected=0")?.execute([p])?;
        Ok(())
    }

    /// Removes one record of a player.
    pub(crate) fn remove(&self, p: i64, key: &Key) -> Result<(), Fault> {
        match key {
            Key::Outcome(_, id) => self
                .conn
                .prepare_cached("DELETE FROM outcome WHERE p=?1 AND origin=?2 AND id=?3")?
                .execute(params![p, origin(id), id.id.as_str()])?,
            Key::Receipt(_, n) => {
                self.conn.prepare_cached("DELETE FROM receipt WHERE p=?1 AND number=?2")?.execute([p, number(*n)])?
            }
            Key::Suspicion(_, n) => {
                self.conn.prepare_cached("DELETE FROM suspicion WHERE p=?1 AND number=?2")?.execute([p, number(*n)])?
            }
            _ => 0,
        };
        Ok(())
    }

    /// Removes every record of a player but the player's own.
    pub(crate) fn remove_records(&self, p: i64) -> Result<(), Fault> {
        remove_records(self.conn, p)
    }
}

fn remove_records(conn: &Connection, p: i64) -> Result<(), Fault> {
    for sql in ["DELETE FROM outcome WHERE p=?1", "DELETE FROM receipt WHERE p=?1", "DELETE FROM suspicion WHERE p=?1"]
    {
        conn.prepare_cached(sql)?.execute([p])?;
    }
    Ok(())
}

/// Removes a player and every record of the player.
pub(crate) fn remove_player(conn: &Connection, p: i64) -> Result<(), Fault> {
    remove_records(conn, p)?;
    conn.prepare_cached("DELETE FROM player WHERE p=?1")?.execute([p])?;
    Ok(())
}

/// A number of a record as its row has it.
fn row_number(number: u64) -> Result<i64, StoreError> {
    i64::try_from(number).map_err(|_| misconfigured("numbers of records have to fit 63 bits"))
}
