//! What the horizon has passed: absent at once, removed in time.
//!
//! An outcome of before `forgotten_before`, and a player of whom only the due mark of an erasure is left, count as absent wherever
//! records are read. So `advance` does not depend on how many there are. Rows are freed by a sweep that goes round the outcomes, a
//! few rows with each commit.

use liveops_core::PlayerId;
use liveops_core::error::StoreError;
use liveops_core::record::{Horizon, Record, Told};
use rusqlite::{Connection, Row, params};

use crate::SqliteStore;
use crate::columns::millis;
use crate::error::Fault;
use crate::meta;
use crate::proof::Name;
use crate::read::player_id;
use crate::rows::remove_player;

/// Due marks that one `advance` removes; the others are as absent, and go with the next.
const MARKS_REMOVED_MAX: usize = 1024;
/// Rows that the sweep looks at in one transaction of its own: a few milliseconds.
const SLICE_ROWS: usize = 1024;

/// What a sweep did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Swept {
    /// Rows it looked at.
    pub looked_at: u64,
    /// Rows it freed.
    pub freed: u64,
}

/// What a player's row says beside the record.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Columns {
    pub(crate) p: i64,
    pub(crate) version: i64,
    pub(crate) erased_through: Option<i64>,
    /// Whether there is nothing but the mark of an erasure.
    pub(crate) idle: bool,
}

impl Columns {
    /// Of a row that begins with them.
    pub(crate) fn of(row: &Row<'_>) -> Result<Self, rusqlite::Error> {
        Ok(Self { p: row.get(0)?, version: row.get(1)?, erased_through: row.get(2)?, idle: row.get(3)? })
    }

    /// What names the row.
    pub(crate) fn name(self, player: &str) -> Name {
        Name::player(self.p, player, self.version, self.erased_through, self.idle)
    }

    /// Whether the player counts as absent: the mark of an erasure that is due, and no outcome that is not. Columns that were damaged
    /// take nobody away: the record has to agree.
    pub(crate) fn is_due(self, conn: &Connection, horizon: Horizon, player: &str) -> Result<bool, Fault> {
        let before = millis(horizon.forgotten_before);
        if !self.idle || self.erased_through.is_none_or(|through| through >= before) {
            return Ok(false);
        }
        let mut live = conn.prepare_cached("SELECT 1 FROM outcome WHERE p=?1 AND ts>=?2 LIMIT 1")?;
        if live.exists(params![self.p, before])? {
            return Ok(false);
        }
        let mut body = conn.prepare_cached("SELECT body FROM player WHERE p=?1")?;
        Ok(body.query_row([self.p], |row| Ok(self.name(player).open(row.get_ref(0)?).map(|_| true)))??)
    }
}

impl SqliteStore {
    /// Raises the horizon. Costs the same however many outcomes expire by it.
    pub(crate) fn raise(&self, to: Horizon) -> Result<Horizon, Fault> {
        self.guard()?;
        let mut writer = self.inner.writer.lock();
        let known = *self.inner.horizon.read();
        let horizon = known.max(to);
        if horizon == known {
            return Ok(horizon);
        }
        let transaction = self.begin(&writer)?;
        let mut feed = writer.feed;
        meta::set_horizon(&writer.conn, horizon)?;
        feed.put_advance(&writer.conn, horizon)?;
        let gone = due_marks(&writer.conn, horizon)?;
        for (p, _) in &gone {
            remove_player(&writer.conn, *p)?;
        }
        transaction.commit(&self.inner.poison)?;
        writer.feed = feed;
        *self.inner.horizon.write() = horizon;
        self.inner.boards.tell(gone.into_iter().map(|(_, player)| Told::Gone { player }));
        self.write_log_back(&mut writer);
        Ok(horizon)
    }

    /// Frees rows of outcomes that have expired, looking at `max` rows at most; beside writers, who wait for a few
    /// milliseconds at a time. It is never needed for what the store answers, and goes along with every commit; call it where
    /// much was written once and little is now.
    ///
    /// Errors: those of a commit.
    pub fn sweep(&self, max: u64) -> Result<Swept, StoreError> {
        let mut swept = Swept::default();
        while swept.looked_at < max {
            self.guard()?;
            let rows = usize::try_from(max - swept.looked_at).unwrap_or(SLICE_ROWS).min(SLICE_ROWS);
            let mut writer = self.inner.writer.lock();
            let horizon = *self.inner.horizon.read();
            if !writer.sweep.is_pending(horizon) {
                break;
            }
            let transaction = self.begin(&writer)?;
            let mut sweep = writer.sweep.clone();
            let slice = sweep.look(&writer.conn, horizon, rows)?;
            transaction.commit(&self.inner.poison)?;
            writer.sweep = sweep;
            self.write_log_back(&mut writer);
            // A writer who waits goes first.
            parking_lot::MutexGuard::unlock_fair(writer);
            swept.looked_at += slice.looked_at;
            swept.freed += slice.freed;
        }
        Ok(swept)
    }
}

/// Players who count as absent, by the index of marks; what a row says is believed only where its record says it too.
fn due_marks(conn: &Connection, horizon: Horizon) -> Result<Vec<(i64, PlayerId)>, Fault> {
    let mut select = conn.prepare_cached(
        "SELECT p, version, erased_through, idle, id, body FROM player \
         WHERE idle=1 AND erased_through<?1 AND NOT EXISTS (SELECT 1 FROM outcome WHERE p=player.p AND ts>=?1)",
    )?;
    let mut rows = select.query([millis(horizon.forgotten_before)])?;
    let mut due = Vec::new();
    while let Some(row) = rows.next()? {
        // What was damaged is found by whoever reads it; it holds no time up.
        let (Ok(columns), Ok(id)) = (Columns::of(row), player_id(row.get_ref(4)?)) else { continue };
        let record = columns.name(id.as_str()).open(row.get_ref(5)?).and_then(Record::decode);
        if matches!(record, Ok(Record::Player(player)) if player.is_idle_mark(horizon)) {
            due.push((columns.p, id));
        }
        if due.len() == MARKS_REMOVED_MAX {
            break;
        }
    }
    Ok(due)
}

/// How far the sweep is on its way round the outcomes.
#[derive(Clone, Debug)]
pub(crate) struct Sweep {
    /// The last row looked at.
    after: (i64, i64, String),
    /// Since when, in the horizon's terms, a way round is going on that began at the beginning.
    began: Option<i64>,
    /// Everything of before this was freed.
    done: i64,
    /// Whether it met a page or a row that cannot be read, and goes no further until the file is opened anew.
    pub(crate) is_stopped: bool,
}

impl Sweep {
    /// Begins somewhere, so that a store that is opened often is swept everywhere.
    pub(crate) fn starting_at(p: i64) -> Self {
        Self { after: (p, 0, String::new()), began: None, done: i64::MIN, is_stopped: false }
    }

    /// Whether there may be something to free.
    pub(crate) fn is_pending(&self, horizon: Horizon) -> bool {
        !self.is_stopped && millis(horizon.forgotten_before) > self.done
    }

    /// Goes no further.
    pub(crate) const fn stop(&mut self) {
        self.is_stopped = true;
    }

    /// Looks at the next rows and frees those that have expired.
    pub(crate) fn look(&mut self, conn: &Connection, horizon: Horizon, rows: usize) -> Result<Swept, Fault> {
        if rows == 0 || !self.is_pending(horizon) {
            return Ok(Swept::default());
        }
        let before = millis(horizon.forgotten_before);
        let mut expired = Vec::new();
        let mut last = None;
        let mut looked_at = 0;
        {
            let mut select = conn.prepare_cached(
                "SELECT p, origin, id, ts, body FROM outcome WHERE (p, origin, id)>(?1, ?2, ?3) \
                 ORDER BY p, origin, id LIMIT ?4",
            )?;
            let limit = i64::try_from(rows).unwrap_or(i64::MAX);
            let mut found = select.query(params![self.after.0, self.after.1, self.after.2, limit])?;
            while let Some(row) = found.next()? {
                looked_at += 1;
                let (p, origin, ts): (i64, i64, i64) = (row.get(0)?, row.get(1)?, row.get(3)?);
                let id = row.get_ref(2)?.as_str().unwrap_or_default();
                // A time that was damaged frees nothing; `verify` finds it.
                if ts < before && Name::outcome(p, origin, id, ts).open(row.get_ref(4)?).is_ok() {
                    expired.push((p, origin, id.to_owned()));
                }
                if looked_at == rows {
                    last = Some((p, origin, id.to_owned()));
                }
            }
        }
        let mut free = conn.prepare_cached("DELETE FROM outcome WHERE p=?1 AND origin=?2 AND id=?3")?;
        for (p, origin, id) in &expired {
            free.execute(params![p, origin, id])?;
        }
        if self.began.is_none() && self.after == Self::beginning() {
            self.began = Some(before);
        }
        if last.is_none()
            && let Some(began) = self.began.take()
        {
            self.done = began;
        }
        self.after = last.unwrap_or_else(Self::beginning);
        Ok(Swept { looked_at: looked_at as u64, freed: expired.len() as u64 })
    }

    fn beginning() -> (i64, i64, String) {
        (0, 0, String::new())
    }
}
