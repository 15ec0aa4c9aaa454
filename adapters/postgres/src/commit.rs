//! Writing change sets: a round is one statement.

use std::collections::BTreeSet;
use std::sync::LazyLock;
use std::sync::atomic::Ordering;

use liveops_core::error::StoreErrorKind;
use liveops_core::limits::ROUND_PLAYERS_MAX;
use liveops_core::record::{ChangeSet, CommitOutcome};
use liveops_core::{Key, PlayerId};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use crate::Inner;
use crate::columns::origin;
use crate::error::{Fault, corrupt};
use crate::rows::{Rows, fits};
use crate::session::Session;

const COMMIT: &str = include_str!("sql/commit.sql");
/// Of players, outcomes and receipts, which is what most rounds write: a statement costs by its parts, also by those without a row.
static COMMIT_FEW: LazyLock<String> = LazyLock::new(|| {
    let few = COMMIT.split_once("-- More:").zip(COMMIT.split_once("-- Always:"));
    few.map_or(COMMIT.to_owned(), |((first, _), (_, last))| format!("{first}-- Always:{last}"))
});
/// How many values it is given.
const FEW: usize = 34;
/// How often a statement is sent again that was rolled back for another's sake, or met a feed that was set anew.
const ATTEMPTS_MAX: u32 = 4;
/// So many processes may each believe in as much room of the feed before one of them counts again.
const SHARES: i64 = 64;

/// What one statement did.
struct Answer {
    /// By set: 0 conflicts, 1 is written, 2 finds the feed full.
    states: Vec<i16>,
    feed_max: Option<i64>,
    /// How many more sets the feed took before, if they were counted.
    free: Option<i64>,
}

impl Answer {
    fn of(row: &Row) -> Self {
        Self { states: row.get(0), feed_max: row.get(1), free: row.get(2) }
    }
}

impl Inner {
    /// Answers every set.
    pub(crate) async fn commit_sets(&self, batch: &[ChangeSet]) -> Vec<CommitOutcome> {
        let mut outcomes: Vec<Option<CommitOutcome>> = batch.iter().map(|_| None).collect();
        let mut left: Vec<usize> = (0..batch.len()).collect();
        while !left.is_empty() {
            let (round, later) = next_round(batch, left);
            let sets: Vec<&ChangeSet> = round.iter().map(|at| &batch[*at]).collect();
            for (at, outcome) in round.iter().zip(self.commit_round(&sets).await) {
                outcomes[*at] = Some(outcome);
            }
            left = later;
        }
        let unanswered = || CommitOutcome::Failed(corrupt());
        outcomes.into_iter().map(|outcome| outcome.unwrap_or_else(unanswered)).collect()
    }

    /// Sets of different players, in their order.
    async fn commit_round(&self, sets: &[&ChangeSet]) -> Vec<CommitOutcome> {
        if let [set] = sets
            && let Err(error) = fits(set)
        {
            return vec![CommitOutcome::Failed(error)];
        }
        match self.commit_at_last(sets).await {
            Ok(answer) => answer.states.iter().map(|state| outcome(*state)).collect(),
            Err(fault) if fault.is_of_data() && sets.len() > 1 => {
                // Somebody's rows: each alone, so that nobody else fails.
                let mut outcomes = Vec::with_capacity(sets.len());
                for set in sets {
                    outcomes.push(match self.commit_at_last(&[*set]).await {
                        Ok(answer) => outcome(answer.states.first().copied().unwrap_or_default()),
                        Err(fault) => CommitOutcome::Failed(fault.writing()),
                    });
                }
                outcomes
            }
            Err(fault) => {
                let error = fault.writing();
                sets.iter().map(|_| CommitOutcome::Failed(error.clone())).collect()
            }
        }
    }

    async fn commit_at_last(&self, sets: &[&ChangeSet]) -> Result<Answer, Fault> {
        let mut attempts = 0;
        loop {
            attempts += 1;
            let feed_max = self.feed.len_max.load(Ordering::Relaxed);
            let feed_max = (feed_max >= 0).then_some(feed_max);
            match self.commit_once(sets, feed_max).await {
                Ok(answer) if answer.feed_max != feed_max => {
                    // Somebody set it anew: nothing was written.
                    self.know_feed(answer.feed_max);
                    if attempts == ATTEMPTS_MAX {
                        return Err(StoreErrorKind::Unavailable.into());
                    }
                }
                Ok(answer) => {
                    self.note_room(&answer);
                    let written = answer.states.iter().filter(|state| **state == 1).count();
                    self.trim.written(written);
                    return Ok(answer);
                }
                Err(fault) if fault.is_rolled_back() && attempts < ATTEMPTS_MAX => {}
                Err(fault) => return Err(fault),
            }
        }
    }

    async fn commit_once(&self, sets: &[&ChangeSet], feed_max: Option<i64>) -> Result<Answer, Fault> {
        let len = i64::try_from(sets.len()).unwrap_or(i64::MAX);
        let counts = feed_max.is_some() && self.feed.room.fetch_sub(len, Ordering::Relaxed) < len;
        let copy = self.copy_of(&sets[0].player);
        let rows = Rows::of(sets, feed_max.is_some(), self.options.events);
        let mut session = self.session().await?;
        let answer = match sets {
            [set] if is_rewritten(set) => self.rewrite(&mut session, set, copy, feed_max, counts, &rows).await?,
            _ => {
                let answer = commit(&mut session, self.game, copy, feed_max, counts, &rows).await;
                session.done();
                return answer;
            }
        };
        session.done();
        Ok(answer)
    }

    /// A set before which other records go: those in a statement of their own, under the player's lock. The session is in doubt after an error.
    async fn rewrite(
        &self,
        session: &mut Session,
        set: &ChangeSet,
        copy: i16,
        feed_max: Option<i64>,
        counts: bool,
        rows: &Rows<'_>,
    ) -> Result<Answer, Fault> {
        const FORGOTTEN: [&str; 6] = [
            "UPDATE liveops.player SET remembered = -9223372036854775808 WHERE game = $1 AND player = $2",
            "DELETE FROM liveops.outcome WHERE game = $1 AND player = $2",
            "DELETE FROM liveops.receipt WHERE game = $1 AND player = $2",
            "DELETE FROM liveops.suspicion WHERE game = $1 AND player = $2",
            "DELETE FROM liveops.event WHERE game = $1 AND player = $2",
            "DELETE FROM liveops.snapshot WHERE game = $1 AND player = $2",
        ];
        const OUTCOME: &str = "DELETE FROM liveops.outcome WHERE game = $1 AND player = $2 AND origin = $3 AND id = $4";
        let (game, player) = (self.game, set.player.as_str());
        // Before the first lock on a row, with which the transaction gets its number, the horizon: as in the statement.
        session.run("BEGIN").await.map_err(Fault::reading)?;
        session.query("SELECT pg_advisory_xact_lock_shared(7216404, $1)", &[&game]).await.map_err(Fault::reading)?;
        session
            .query("SELECT FROM liveops.horizon WHERE game = $1 AND copy = $2 FOR SHARE", &[&game, &copy])
            .await
            .map_err(before_commit)?;
        session
            .query("SELECT FROM liveops.player WHERE game = $1 AND player = $2 FOR UPDATE", &[&game, &player])
            .await
            .map_err(before_commit)?;
        if set.forget {
            for sql in FORGOTTEN {
                session.query(sql, &[&game, &player]).await.map_err(before_commit)?;
            }
        }
        for key in &set.removed {
            if let Key::Outcome(_, id) = key {
                let values: [&(dyn ToSql + Sync); 4] = [&game, &player, &origin(id.origin), &id.id.as_str()];
                session.query(OUTCOME, &values).await.map_err(before_commit)?;
            }
        }
        let answer = commit(session, game, copy, feed_max, counts, rows).await.map_err(before_commit)?;
        let is_written = answer.states.first() == Some(&1) && answer.feed_max == feed_max;
        session.run(if is_written { "COMMIT" } else { "ROLLBACK" }).await?;
        Ok(answer)
    }

    /// Which copy of the horizon a round goes by: any.
    fn copy_of(&self, player: &PlayerId) -> i16 {
        let spread =
            player.as_bytes().iter().fold(0_u32, |hash, byte| hash.wrapping_mul(31).wrapping_add((*byte).into()));
        let copies = u32::from(self.copies.unsigned_abs()).max(1);
        i16::try_from(spread % copies).unwrap_or_default()
    }

    /// How many sets may be committed before those that wait are counted again.
    fn note_room(&self, answer: &Answer) {
        if let Some(free) = answer.free {
            self.feed.room.store(free / SHARES, Ordering::Relaxed);
        }
    }
}

/// Nothing is written before the last word, unless the server says what it is about.
fn before_commit(fault: Fault) -> Fault {
    if fault.is_rolled_back() || fault.is_of_data() { fault } else { fault.reading().into() }
}

async fn commit(
    session: &mut Session,
    game: i32,
    copy: i16,
    feed_max: Option<i64>,
    counts: bool,
    rows: &Rows<'_>,
) -> Result<Answer, Fault> {
    let Rows { players: p, outcomes: o, receipts: r, suspicions: s, removed, events, event_set } = rows;
    let values: [&(dyn ToSql + Sync); 57] = [
        &game,
        &copy,
        &feed_max,
        &counts,
        &p.player,
        &p.expected,
        &p.forgotten_before,
        &p.closes,
        &p.version,
        &p.mark,
        &p.remembered,
        &p.xp,
        &p.level,
        &p.receipts,
        &p.newest_ts,
        &p.hidden,
        &p.erased,
        &p.record,
        &p.told,
        &p.gone,
        &o.set,
        &o.player,
        &o.origin,
        &o.id,
        &o.ts,
        &o.record,
        &r.set,
        &r.player,
        &r.number,
        &r.reward,
        &r.state,
        &r.ts,
        &r.doc,
        &r.record,
        &s.set,
        &s.player,
        &s.number,
        &s.kind,
        &s.ts,
        &s.received_at,
        &s.held,
        &s.settled,
        &s.doc,
        &s.record,
        &removed.set,
        &removed.player,
        &removed.kind,
        &removed.number,
        event_set,
        &events.player,
        &events.id,
        &events.ts,
        &events.kind,
        &events.received,
        &events.xp,
        &events.held,
        &events.payload,
    ];
    let is_few = s.set.is_empty() && removed.set.is_empty() && event_set.is_empty();
    let row = if is_few {
        session.query_one(&COMMIT_FEW, &values[..FEW]).await?
    } else {
        session.query_one(COMMIT, &values).await?
    };
    Ok(Answer::of(&row))
}

fn outcome(state: i16) -> CommitOutcome {
    match state {
        1 => CommitOutcome::Applied,
        2 => CommitOutcome::Failed(StoreErrorKind::FeedFull.into()),
        _ => CommitOutcome::Conflict,
    }
}

/// Whether stored records go that one statement cannot take away with the rest.
fn is_rewritten(set: &ChangeSet) -> bool {
    set.forget || set.removed.iter().any(|key| matches!(key, Key::Outcome(..)))
}

/// The sets that can be written next, in the order of their players, and those that come later: a player's sets in their order, and
/// alone what is rewritten, or cannot be stored.
fn next_round(batch: &[ChangeSet], left: Vec<usize>) -> (Vec<usize>, Vec<usize>) {
    let is_alone = |at: usize| is_rewritten(&batch[at]) || fits(&batch[at]).is_err();
    if let [first, later @ ..] = &left[..]
        && is_alone(*first)
    {
        return (vec![*first], later.to_vec());
    }
    let mut met = BTreeSet::new();
    let (mut round, later): (Vec<_>, Vec<_>) = left.into_iter().partition(|at| {
        let is_first = met.insert(&batch[*at].player);
        is_first && met.len() <= ROUND_PLAYERS_MAX && !is_alone(*at)
    });
    round.sort_by(|a, b| batch[*a].player.cmp(&batch[*b].player));
    (round, later)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_written_before_the_last_word() {
        let refused = |code: &str| Fault::Refused { code: code.to_owned(), is_fatal: false };
        assert_eq!(before_commit(Fault::Lost).writing().kind, StoreErrorKind::Unavailable);
        assert_eq!(before_commit(Fault::TimedOut).writing().kind, StoreErrorKind::Unavailable);
        assert!(before_commit(refused("40001")).is_rolled_back());
        assert_eq!(before_commit(refused("XX000")).writing().kind, StoreErrorKind::Unavailable);
    }
}
