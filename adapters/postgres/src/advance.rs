//! Moving the game in time, and sweeping what that makes due.

use liveops_core::PlayerId;
use liveops_core::error::StoreError;
use liveops_core::record::{Horizon, Notice};
use tokio::time::Instant;

use crate::Inner;
use crate::columns::millis;
use crate::error::{Fault, corrupt, misconfigured};
use crate::load::horizon_of;
use crate::session::Session;

const LOOK: &str = "
SELECT now, forgotten_before, (extract(epoch FROM clock_timestamp()) * 1000)::bigint FROM liveops.horizon WHERE game = $1 AND copy = 0";

/// Every copy, and a notice behind all that was committed under the horizon before: with its first row the transaction gets its number,
/// which is above those of all who committed, and whoever waits for the lock has none yet. While the horizon rises and nothing else happens,
/// rises of long ago are as good as one.
const RAISE: &str = "
WITH h AS (UPDATE liveops.horizon SET now = $2, forgotten_before = $3 WHERE game = $1 RETURNING copy, shift),
d AS (DELETE FROM liveops.outbox WHERE game = $1
  AND cursor = (SELECT cursor FROM liveops.outbox WHERE game = $1 ORDER BY cursor DESC LIMIT 1)
  AND 64 = (SELECT count(*) FILTER (WHERE kind = 2) FROM (
    SELECT kind FROM liveops.outbox WHERE game = $1 ORDER BY cursor DESC LIMIT 64) newest))
INSERT INTO liveops.outbox (game, cursor, kind, told)
SELECT $1, shift + 65536 * pg_current_xact_id()::text::bigint, 2, $4
FROM h WHERE copy = 0";

/// Marks of one transaction: as many as there are places behind a transaction's number, and not so many that others wait.
const MARKS_MAX: i64 = 10_000;
/// Outcomes of one transaction.
const OUTCOMES_MAX: i64 = 10_000;

impl Inner {
    /// Raises the horizon. What is due is absent from then on, swept or not.
    pub(crate) async fn raise(&self, to: Horizon) -> Result<Horizon, StoreError> {
        let mut session = self.session().await?;
        let row = session.query_one(LOOK, &[&self.game]).await.map_err(Fault::reading)?;
        let known = horizon_of(&row, 0);
        if known.max(to) == known {
            session.done();
            return Ok(known);
        }
        if let Some(most) = self.options.clock_ahead_max {
            let ahead = to.now.as_unix_millis().saturating_sub(row.get(2));
            if to.now > known.now && i128::from(ahead) > most.as_millis().cast_signed() {
                session.done();
                return Err(misconfigured(
                    "a time that the server's clock has nearly come to, or another clock_ahead_max",
                ));
            }
        }
        let mut attempts = 0;
        let horizon = loop {
            match self.raise_once(&mut session, to).await {
                Ok(horizon) => break horizon,
                // Rolled back, the session is sound.
                Err(fault) if fault.is_rolled_back() && attempts < 3 => {
                    session.run("ROLLBACK").await.map_err(Fault::reading)?;
                    attempts += 1;
                }
                Err(fault) => return Err(fault.writing()),
            }
        };
        // Whatever comes in between is left to the next time.
        if self.sweep(&mut session, horizon).await.is_ok() {
            session.done();
        }
        Ok(horizon)
    }

    /// A lock on the table, which those who commit share, is waited for in turn; one on rows that others share is not, and who waits may
    /// wait for ever.
    async fn raise_once(&self, session: &mut Session, to: Horizon) -> Result<Horizon, Fault> {
        // Those who commit queue behind it, and their time runs, too.
        let half = (self.options.timeout.as_millis() / 2).max(1);
        session
            .run(&format!("BEGIN; SET LOCAL lock_timeout = {half}; LOCK TABLE liveops.horizon IN EXCLUSIVE MODE"))
            .await?;
        let known = horizon_of(&session.query_one(LOOK, &[&self.game]).await?, 0);
        let horizon = known.max(to);
        if horizon != known {
            let (now, forgotten_before) = (millis(horizon.now), millis(horizon.forgotten_before));
            let told = Notice::Advanced(horizon).encode();
            session.query(RAISE, &[&self.game, &now, &forgotten_before, &told]).await?;
        }
        session.run("COMMIT").await?;
        Ok(horizon)
    }

    /// Removes what is due, for as long as a call may take.
    async fn sweep(&self, session: &mut Session, horizon: Horizon) -> Result<(), Fault> {
        let end = Instant::now() + self.options.timeout;
        while self.sweep_marks(session, horizon).await? && Instant::now() < end {}
        self.make_parts(session).await;
        let before = millis(horizon.forgotten_before);
        loop {
            let swept = session
                .query_one("SELECT liveops.sweep_outcomes($1, $2, $3)", &[&self.game, &before, &OUTCOMES_MAX])
                .await?
                .get::<_, i64>(0);
            if swept < OUTCOMES_MAX || Instant::now() >= end {
                return Ok(());
            }
        }
    }

    /// Players of whom nothing is left but a mark that is due: whoever is busy is left to the next time. Whether there may be more.
    async fn sweep_marks(&self, session: &mut Session, horizon: Horizon) -> Result<bool, Fault> {
        const DUE: &str = "
SELECT p.player FROM liveops.player p WHERE p.game = $1 AND p.mark < $2 AND p.remembered < $2
ORDER BY p.player LIMIT $3 FOR UPDATE SKIP LOCKED";
        const SWEEP: &str = "
WITH gone AS (DELETE FROM liveops.player p USING (
  SELECT old.at FROM unnest($2::text[]) k(player) CROSS JOIN LATERAL (
    SELECT ctid AS at FROM liveops.player p WHERE p.game = $1 AND p.player = k.player LIMIT 1) old) d WHERE p.ctid = d.at)
INSERT INTO liveops.outbox (game, cursor, kind, told)
SELECT $1, h.shift + 65536 * pg_current_xact_id()::text::bigint + t.n, 0, t.told
FROM liveops.horizon h CROSS JOIN unnest($3::bytea[]) WITH ORDINALITY t(told, n) WHERE h.game = $1 AND h.copy = 0";
        const ANY: &str =
            "SELECT FROM liveops.player p WHERE p.game = $1 AND p.mark < $2 AND p.remembered < $2 LIMIT 1";
        let before = millis(horizon.forgotten_before);
        if session.query(ANY, &[&self.game, &before]).await?.is_empty() {
            return Ok(false);
        }
        session.run("BEGIN").await?;
        session.query("SELECT FROM liveops.horizon WHERE game = $1 AND copy = 0 FOR SHARE", &[&self.game]).await?;
        let due = session.query(DUE, &[&self.game, &before, &MARKS_MAX]).await?;
        let players: Vec<&str> = due.iter().map(|row| row.get(0)).collect();
        let told: Result<Vec<_>, _> =
            players.iter().map(|player| PlayerId::new(player).map(|player| Notice::gone(&player))).collect();
        session.query(SWEEP, &[&self.game, &players, &told.map_err(|_| corrupt())?]).await?;
        session.run("COMMIT").await?;
        Ok(i64::try_from(players.len()).is_ok_and(|len| len == MARKS_MAX))
    }

    /// Makes the days, and the months of events, that come; drops the days that nobody remembers. Neither is waited for.
    pub(crate) async fn make_parts(&self, session: &mut Session) {
        if !self.parts.is_due() {
            return;
        }
        let months = if self.options.events { "SELECT liveops.make_months(now());" } else { "" };
        for work in ["SELECT liveops.make_days();", months, "SELECT liveops.drop_days();"] {
            let made = session.run(&format!("BEGIN; SET LOCAL lock_timeout = '200ms'; {work} COMMIT")).await;
            if made.is_err() && session.run("ROLLBACK").await.is_err() {
                return;
            }
        }
    }
}
