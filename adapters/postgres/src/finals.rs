//! How closed periods ended, for people: the best of a board, written once.

use liveops_core::board::Row;
use liveops_core::error::StoreError;
use liveops_core::record::BoardKey;

use crate::columns::{millis, number};
use crate::error::Fault;

/// Rows of one period that are kept: whoever looks further asks the board, or keeps an archive.
const ROWS_MAX: usize = 10_000;

const KNOWN: &str = "SELECT FROM liveops.snapshot WHERE game = $1 AND board = $2 AND span = $3 AND period = $4 LIMIT 1";

/// An erasure holds it for sharing (`commit.rs`): it comes wholly before, and then its player is not written, or wholly after, and
/// then it finds the rows to delete. It also lets one of several processes write.
const LOCK: &str = "SELECT pg_advisory_xact_lock(7216404, $1)";

/// Nobody who was erased after reaching the place, though the board was read before.
const WRITE: &str = "
INSERT INTO liveops.snapshot (game, board, span, period, player, rank, score, subscore, reached, written)
SELECT $1, $2, $3, $4, x.player, x.rank, x.score, x.subscore, liveops.instant(x.reached), now()
FROM unnest($5::text[], $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[]) x(player, rank, score, subscore, reached)
CROSS JOIN LATERAL (
  SELECT FROM liveops.player p
  WHERE p.game = $1 AND p.player = x.player AND (p.erased IS NULL OR p.erased < x.reached) LIMIT 1) shown
WHERE NOT EXISTS (SELECT FROM liveops.snapshot WHERE game = $1 AND board = $2 AND span = $3 AND period = $4)";

impl crate::Inner {
    /// Writes the rows that a closed period ended in, unless some are written.
    pub(crate) async fn note_final_rows(&self, key: &BoardKey, rows: &[Row]) -> Result<(), StoreError> {
        if rows.is_empty() {
            return Ok(());
        }
        let (board, span, period) = (key.board.as_str(), key.period.window.as_str(), key.period.index);
        let mut session = self.session().await?;
        let known = session.query(KNOWN, &[&self.game, &board, &span, &period]).await.map_err(Fault::reading)?;
        if !known.is_empty() {
            session.done();
            return Ok(());
        }
        let rows = &rows[..rows.len().min(ROWS_MAX)];
        let player: Vec<&str> = rows.iter().map(|row| row.owner.as_str()).collect();
        let rank: Vec<i64> = rows.iter().map(|row| number(row.rank)).collect();
        let score: Vec<i64> = rows.iter().map(|row| row.score).collect();
        let subscore: Vec<i64> = rows.iter().map(|row| row.subscore).collect();
        let reached: Vec<i64> = rows.iter().map(|row| millis(row.reached_at)).collect();
        session.run("BEGIN").await.map_err(Fault::reading)?;
        session.query(LOCK, &[&self.game]).await.map_err(Fault::reading)?;
        let values: [&(dyn tokio_postgres::types::ToSql + Sync); 9] =
            [&self.game, &board, &span, &period, &player, &rank, &score, &subscore, &reached];
        session.query(WRITE, &values).await.map_err(Fault::reading)?;
        session.run("COMMIT").await.map_err(Fault::writing)?;
        session.done();
        Ok(())
    }
}
