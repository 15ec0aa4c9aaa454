//! Reading records: by key, and in the order of keys.

use liveops_core::error::{StoreError, StoreErrorKind};
use liveops_core::record::{Horizon, Kind, Record};
use liveops_core::store::Loaded;
use liveops_core::{CommandId, EventId, Key, Origin, PlayerId};
use rusqlite::types::ValueRef;
use rusqlite::{CachedStatement, Connection, OptionalExtension as _, params};

use crate::columns::{millis, number, origin};
use crate::error::Fault;
use crate::expiry::Columns;
use crate::proof::Name;

/// The player that a row names.
pub(crate) fn player_id(value: ValueRef<'_>) -> Result<PlayerId, StoreErrorKind> {
    value.as_str().ok().and_then(|id| PlayerId::new(id).ok()).ok_or(StoreErrorKind::Corrupt)
}

/// Answers many keys at one moment: the connection is in a transaction. Notes whose rows it met, and their numbers.
pub(crate) fn load(conn: &Connection, keys: &[Key], horizon: Horizon, seen: &mut Vec<(PlayerId, i64)>) -> Vec<Loaded> {
    let mut reader = match Reader::new(conn, horizon) {
        Ok(reader) => reader,
        Err(error) => {
            let error = StoreError::from(Fault::from(error));
            return keys.iter().map(|_| Err(error.clone())).collect();
        }
    };
    let mut answers = Vec::with_capacity(keys.len());
    for keys in keys.chunk_by(|a, b| a.player() == b.player()) {
        match keys[0].player() {
            None => answers.extend(keys.iter().map(|_| Ok(Some(Record::Horizon(horizon))))),
            Some(player) => seen.extend(reader.answer(player, keys, &mut answers).map(|p| (player.clone(), p))),
        }
    }
    answers
}

/// A player's number, and the record if it can be read.
type Found = (i64, Result<Record, StoreErrorKind>);

/// What loads need, prepared.
struct Reader<'c> {
    conn: &'c Connection,
    horizon: Horizon,
    player: CachedStatement<'c>,
    outcome: CachedStatement<'c>,
}

impl<'c> Reader<'c> {
    fn new(conn: &'c Connection, horizon: Horizon) -> Result<Self, rusqlite::Error> {
        Ok(Self {
            conn,
            horizon,
            player: conn.prepare_cached("SELECT p, version, erased_through, idle, body FROM player WHERE id=?1")?,
            outcome: conn.prepare_cached("SELECT ts, body FROM outcome WHERE p=?1 AND origin=?2 AND id=?3")?,
        })
    }

    /// Keys of one player, whose row's number is returned.
    fn answer(&mut self, player: &PlayerId, keys: &[Key], answers: &mut Vec<Loaded>) -> Option<i64> {
        let (p, mut record) = match self.find(player) {
            Ok(Some(found)) => found,
            Ok(None) => {
                answers.extend(keys.iter().map(|_| Ok(None)));
                return None;
            }
            Err(fault) => {
                let error = StoreError::from(fault);
                answers.extend(keys.iter().map(|_| Err(error.clone())));
                return None;
            }
        };
        for key in keys {
            answers.push(match key {
                // Nobody asks for a record twice, but may.
                Key::Player(_) if keys.iter().filter(|other| *other == key).count() > 1 => {
                    record.clone().map(Some).map_err(StoreError::from)
                }
                Key::Player(_) => {
                    std::mem::replace(&mut record, Err(StoreErrorKind::Corrupt)).map(Some).map_err(StoreError::from)
                }
                _ => self.record(p, key).map_err(StoreError::from),
            });
        }
        Some(p)
    }

    /// The number and record of a player who counts as there.
    fn find(&mut self, player: &PlayerId) -> Result<Option<Found>, Fault> {
        let mut rows = self.player.query([player.as_str()])?;
        let Some(row) = rows.next()? else { return Ok(None) };
        let columns = Columns::of(row)?;
        if columns.is_due(self.conn, self.horizon, player.as_str())? {
            return Ok(None);
        }
        let record = columns.name(player.as_str()).open(row.get_ref(4)?).and_then(decode_player);
        Ok(Some((columns.p, record)))
    }

    /// Another record of the player.
    fn record(&mut self, p: i64, key: &Key) -> Result<Option<Record>, Fault> {
        match key {
            Key::Outcome(_, id) => {
                let (origin, id) = (origin(id), id.id.as_str());
                let mut rows = self.outcome.query(params![p, origin, id])?;
                let Some(row) = rows.next()? else { return Ok(None) };
                let ts = row.get(0)?;
                let bytes = Name::outcome(p, origin, id, ts).open(row.get_ref(1)?)?;
                Ok(if ts < millis(self.horizon.forgotten_before) { None } else { Some(Record::decode(bytes)?) })
            }
            Key::Receipt(_, n) => {
                self.numbered("SELECT body FROM receipt WHERE p=?1 AND number=?2", p, *n, Name::receipt)
            }
            Key::Suspicion(_, n) => {
                self.numbered("SELECT body FROM suspicion WHERE p=?1 AND number=?2", p, *n, Name::suspicion)
            }
            _ => Ok(None),
        }
    }

    fn numbered(&self, sql: &str, p: i64, n: u64, name: fn(i64, i64) -> Name) -> Result<Option<Record>, Fault> {
        // No row has a number that is too large for one.
        let Ok(n) = i64::try_from(n) else { return Ok(None) };
        let mut select = self.conn.prepare_cached(sql)?;
        let read = select.query_row([p, n], |row| Ok(name(p, n).open(row.get_ref(0)?).and_then(Record::decode)));
        Ok(read.optional()?.transpose()?)
    }
}

fn decode_player(bytes: &[u8]) -> Result<Record, StoreErrorKind> {
    match Record::decode(bytes)? {
        player @ Record::Player(_) => Ok(player),
        _ => Err(StoreErrorKind::Corrupt),
    }
}

/// Says whose record it was: by the number in the file, which is no secret.
fn of_player(fault: Fault, p: i64) -> Fault {
    let error = StoreError::from(fault);
    if error.source.is_some() || !matches!(error.kind, StoreErrorKind::Corrupt | StoreErrorKind::TooNew) {
        return error.into();
    }
    StoreError::with_source(error.kind, format!("the record of the player whose p is {p}")).into()
}

/// What is called with every record that is met: its key and its bytes. It says whether it wants more.
type Each<'e> = dyn FnMut(Key, &[u8]) -> Result<bool, Fault> + 'e;

/// Which records are met, in the order of keys.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Walk<'w> {
    /// Under which horizon.
    pub(crate) horizon: Horizon,
    /// Of one kind, or of all.
    pub(crate) kind: Option<Kind>,
    /// Those behind a key.
    pub(crate) after: Option<&'w Key>,
    /// Those of one player.
    pub(crate) only: Option<&'w PlayerId>,
}

impl Walk<'_> {
    /// Everything.
    pub(crate) const fn all(horizon: Horizon) -> Self {
        Self { horizon, kind: None, after: None, only: None }
    }

    /// Calls `each` with every key and its bytes, until it says that it has enough. At one moment: the connection is in a
    /// transaction.
    pub(crate) fn run(self, conn: &Connection, each: &mut Each<'_>) -> Result<(), Fault> {
        let start = self.after.and_then(Key::player);
        if self.only.is_some_and(|only| start > Some(only)) {
            return Ok(());
        }
        let (which, from) = match (self.only, self.kind) {
            (Some(only), _) => ("WHERE id=?1", only.as_str()),
            (None, Some(Kind::Suspicion)) => ("WHERE suspected=1 AND id>=?1", start.map_or("", PlayerId::as_str)),
            (None, _) => ("WHERE id>=?1", start.map_or("", PlayerId::as_str)),
        };
        let sql = format!("SELECT p, version, erased_through, idle, id, body FROM player {which} ORDER BY id");
        let mut players = conn.prepare_cached(&sql)?;
        let mut rows = players.query([from])?;
        while let Some(row) = rows.next()? {
            let (columns, player) = (Columns::of(row)?, player_id(row.get_ref(4)?)?);
            if columns.is_due(conn, self.horizon, player.as_str())? {
                continue;
            }
            let p = columns.p;
            // Where to go on, of a player some of whose records were met before.
            let after = self.after.filter(|after| after.player() == Some(&player));
            if after.is_none() && self.wants(Kind::Player) {
                let met = columns.name(player.as_str()).open(row.get_ref(5)?).map_err(Fault::from);
                let met = met.and_then(|bytes| each(Key::Player(player.clone()), bytes));
                if !met.map_err(|fault| of_player(fault, p))? {
                    return Ok(());
                }
            }
            let rank = after.and_then(Key::kind).unwrap_or(Kind::Player);
            let more = rank > Kind::Outcome || self.outcomes(conn, p, &player, after, each)?;
            let more = more && (rank > Kind::Receipt || self.numbered(conn, Kind::Receipt, p, &player, after, each)?);
            if !(more && self.numbered(conn, Kind::Suspicion, p, &player, after, each)?) {
                return Ok(());
            }
        }
        Ok(())
    }

    fn wants(&self, kind: Kind) -> bool {
        self.kind.is_none_or(|wanted| wanted == kind)
    }

    fn outcomes(
        &self,
        conn: &Connection,
        p: i64,
        player: &PlayerId,
        after: Option<&Key>,
        each: &mut Each<'_>,
    ) -> Result<bool, Fault> {
        if !self.wants(Kind::Outcome) {
            return Ok(true);
        }
        let (origin, id) = match after {
            Some(Key::Outcome(_, id)) => (origin(id), id.id.as_str()),
            _ => (0, ""),
        };
        let mut select = conn.prepare_cached(
            "SELECT origin, id, ts, body FROM outcome WHERE p=?1 AND (origin, id)>(?2, ?3) ORDER BY origin, id",
        )?;
        let mut rows = select.query(params![p, origin, id])?;
        while let Some(row) = rows.next()? {
            let (origin, ts) = (row.get(0)?, row.get(2)?);
            let id = row.get_ref(1)?.as_str().map_err(|_| StoreErrorKind::Corrupt)?;
            let bytes = Name::outcome(p, origin, id, ts).open(row.get_ref(3)?)?;
            if ts < millis(self.horizon.forgotten_before) {
                continue;
            }
            let origin = if origin == 0 { Origin::Event } else { Origin::Operator };
            let id = CommandId { origin, id: EventId::new(id).map_err(|_| StoreErrorKind::Corrupt)? };
            if !each(Key::Outcome(player.clone(), id), bytes)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn numbered(
        &self,
        conn: &Connection,
        kind: Kind,
        p: i64,
        player: &PlayerId,
        after: Option<&Key>,
        each: &mut Each<'_>,
    ) -> Result<bool, Fault> {
        if !self.wants(kind) {
            return Ok(true);
        }
        let is_receipt = kind == Kind::Receipt;
        let sql = if is_receipt {
            "SELECT number, body FROM receipt WHERE p=?1 AND number>?2 ORDER BY number"
        } else {
            "SELECT number, body FROM suspicion WHERE p=?1 AND number>?2 ORDER BY number"
        };
        let name = if is_receipt { Name::receipt } else { Name::suspicion };
        let key = if is_receipt { Key::Receipt } else { Key::Suspicion };
        let from = match after {
            Some(Key::Receipt(_, n) | Key::Suspicion(_, n)) if after.and_then(Key::kind) == Some(kind) => number(*n),
            _ => -1,
        };
        let mut select = conn.prepare_cached(sql)?;
        let mut rows = select.query([p, from])?;
        while let Some(row) = rows.next()? {
            let n: i64 = row.get(0)?;
            let bytes = name(p, n).open(row.get_ref(1)?)?;
            if !each(key(player.clone(), n.cast_unsigned()), bytes)? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
