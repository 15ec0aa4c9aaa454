//! Time: raised in every partition, then what is forgotten is removed, then the game's own mark is raised.

use std::time::Duration;

use liveops_core::error::{StoreError, StoreErrorKind};
use liveops_core::id::PlayerId;
use liveops_core::record::Horizon;
use redis::Value;

use crate::error::misconfigured;
use crate::inner::{Inner, horizon_of, marks, script_value};
use crate::keys::{self, DIGITS};
use crate::link::Ask;
use crate::reply;
use crate::script;

/// Marks of erasures looked at in one round, and outcomes removed in one, in each partition.
const MARKS_A_ROUND: usize = 100;
const OUTCOMES_A_ROUND: u64 = 500;
/// Rounds of one advance; what is left is hidden already, and goes with the next.
const ROUNDS_MAX: usize = 100;

impl Inner {
    pub(crate) async fn advance(&self, to: Horizon) -> Result<Horizon, StoreError> {
        self.check_clock(to).await?;
        let parts = self.layout.parts();
        let asks: Vec<Ask> = parts.iter().map(Self::ask_horizon).collect();
        let mut newest = to;
        for answer in self.link.all(&asks).await {
            newest = newest.max(self.horizon(answer)?);
        }
        let all: Vec<u16> = (0..self.layout.partitions()).collect();
        let mut raised = Vec::with_capacity(all.len());
        for (partition, horizon) in self.raise(&all, newest).await {
            raised.push((partition, Ok(horizon?)));
        }
        // Somebody may have raised some further meanwhile.
        let (newest, failed) = self.level(raised).await;
        if let Some(error) = failed.into_values().next() {
            return Err(error);
        }
        let newest = newest.ok_or(StoreErrorKind::Unavailable)?;
        self.settle_due(newest).await;
        self.sweep(newest).await;

        let mut call = self.global_call(&script::GLOBAL);
        call.arg(keys::time_text(newest.now)).arg(keys::time_text(newest.forgotten_before));
        let [now, forgotten] = marks(script::GLOBAL.run_one(&self.link, self.global_ask(call), self.replicas).await)?;
        horizon_of(now.as_deref(), forgotten.as_deref())
    }

    /// With many processes the fastest clock closes periods for all.
    async fn check_clock(&self, to: Horizon) -> Result<(), StoreError> {
        let Some(ahead_max) = self.clock_ahead_max else { return Ok(()) };
        let millis = i64::try_from(Duration::as_millis(&ahead_max)).unwrap_or(i64::MAX);
        if to.now > self.now().await?.plus_millis(millis) {
            return Err(misconfigured("the time to advance to is further ahead of the server's clock than is allowed"));
        }
        Ok(())
    }

    /// Makes nobody of those of whom only a mark is left. Whom it does not come to is found by whoever asks for the player.
    async fn settle_due(&self, horizon: Horizon) {
        let until = format!("({}", keys::time_text(horizon.forgotten_before));
        for _ in 0..ROUNDS_MAX {
            let due = self
                .read_everywhere(|part| {
                    let mut command = redis::cmd("ZRANGEBYLEX");
                    command.arg(&part.marks).arg("-").arg(&until).arg("LIMIT").arg(0).arg(MARKS_A_ROUND);
                    command
                })
                .await;
            let due =
                due.into_iter().flat_map(|answer| answer.and_then(reply::list_of_bytes).unwrap_or_default()).flatten();
            let due: Vec<(PlayerId, Vec<u8>)> = due.filter_map(|entry| Some((player_of(&entry)?, entry))).collect();
            let asked: Vec<(&PlayerId, &[u8])> = due.iter().map(|(player, entry)| (player, &entry[..])).collect();
            if asked.is_empty() || self.settle(&asked).await.iter().any(Result::is_err) {
                return;
            }
        }
    }

    /// Removes outcomes that are forgotten, whole quarters of an hour at a time.
    async fn sweep(&self, horizon: Horizon) {
        let until = keys::bucket_of(horizon.forgotten_before);
        for _ in 0..ROUNDS_MAX {
            let swept = self.everywhere(&script::SWEEP, |part| {
                let mut call = self.call(&script::SWEEP, &[&part.meta]);
                call.arg(&part.tag).arg(until).arg(OUTCOMES_A_ROUND);
                call
            });
            let more = |answer| script_value(answer).is_ok_and(|swept| swept != Value::Int(0));
            if !swept.await.into_iter().map(more).fold(false, |any, more| any | more) {
                return;
            }
        }
    }
}

/// Whose an entry of the marks is.
fn player_of(entry: &[u8]) -> Option<PlayerId> {
    let id = std::str::from_utf8(entry.get(DIGITS..)?).ok()?;
    PlayerId::new(id).ok()
}
