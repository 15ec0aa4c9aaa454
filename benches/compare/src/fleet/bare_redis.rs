//! The bare script: what a program pays that keeps the same in a Redis by a script of its own, an event a call. It knows the version of each
//! player, so it need not load; its boards are sorted sets in the server.

use std::sync::Arc;

use futures_util::future::try_join_all;
use liveops_core::PlayerId;
use liveops_core::record::{ChangeSet, Notice, RecordRef};
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Cmd, Pipeline};

use super::decided::{Decided, by_lane, stored, text};

const SCRIPT: &str = include_str!("bare.lua");

pub(super) struct Bare {
    connection: MultiplexedConnection,
    script: String,
    decided: Decided,
}

/// One event.
pub(super) struct Call {
    player: PlayerId,
    command: Cmd,
}

impl Bare {
    /// All players have had an event each.
    pub(super) async fn new(url: &str, players: u64) -> Result<Self, String> {
        let client = redis::Client::open(url).map_err(text)?;
        // On a busy machine an answer may take its time.
        let patient = AsyncConnectionConfig::new().set_response_timeout(None);
        let mut connection = client.get_multiplexed_async_connection_with_config(&patient).await.map_err(text)?;
        let script = redis::cmd("SCRIPT").arg("LOAD").arg(SCRIPT).query_async(&mut connection).await.map_err(text)?;
        let mut bare = Self { connection, script, decided: Decided::new(players)? };
        for sets in bare.decided.warm_up()?.chunks(1_000) {
            bare.pipelined(&bare.calls(sets)).await?;
        }
        Ok(bare)
    }

    /// The calls of the next events, each decided alone.
    pub(super) fn next(&mut self, len: usize) -> Result<Vec<Call>, String> {
        let mut calls = Vec::with_capacity(len);
        for _ in 0..len {
            let sets = self.decided.next(1)?;
            calls.extend(self.calls(&sets));
        }
        Ok(calls)
    }

    /// So many callers at once, each with one call at a time.
    pub(super) async fn at_once(&self, calls: &[Call], callers: usize) -> Result<(), String> {
        let lanes = by_lane(calls, callers, |call| &call.player);
        try_join_all(lanes.into_iter().map(|calls| self.one_by_one(calls))).await.map(drop)
    }

    async fn one_by_one(&self, calls: Vec<&Call>) -> Result<(), String> {
        let mut connection = self.connection.clone();
        for call in calls {
            written(call.command.query_async(&mut connection).await)?;
        }
        Ok(())
    }

    /// All in one go.
    pub(super) async fn pipelined(&self, calls: &[Call]) -> Result<(), String> {
        let mut pipeline = Pipeline::with_capacity(calls.len());
        for call in calls {
            pipeline.add_command(call.command.clone());
        }
        let answers: Vec<String> = pipeline.query_async(&mut self.connection.clone()).await.map_err(text)?;
        answers.into_iter().try_for_each(|answer| written(Ok(answer)))
    }

    fn calls(&self, sets: &[Arc<ChangeSet>]) -> Vec<Call> {
        sets.iter().map(|set| self.call(set)).collect()
    }

    fn call(&self, set: &ChangeSet) -> Call {
        let (id, outcome) = &set.outcomes[0];
        let outcome = stored(RecordRef::Outcome(outcome));
        let mut call = redis::cmd("EVALSHA");
        call.arg(&self.script).arg(6).arg(format!("{{bare}}:e:{}", id.id)).arg(format!("{{bare}}:p:{}", set.player));
        for at in 0..BOARDS {
            // An event of the warm-up that brings nothing puts nobody on a board.
            let board = set.shown.get(at).map_or_else(String::new, |(key, _)| {
                format!("{}:{}:{}", key.board, key.period.window.as_str(), key.period.index)
            });
            call.arg(format!("{{bare}}:b:{board}"));
        }
        call.arg("{bare}:s").arg(set.expected).arg(outcome.as_slice());
        call.arg(set.record.version).arg(stored(RecordRef::Player(&set.record)).as_slice());
        call.arg(POINTS).arg(set.player.as_str()).arg(Notice::told_of(set));
        for receipt in &set.receipts {
            call.arg(format!("r{}", receipt.number)).arg(stored(RecordRef::Receipt(receipt)).as_slice());
        }
        Call { player: set.player.clone(), command: call }
    }
}

/// The windows of the traffic's one board.
const BOARDS: usize = 3;
/// What an event of the traffic brings.
const POINTS: i64 = 50;

fn written(answer: redis::RedisResult<String>) -> Result<(), String> {
    match answer.map_err(text)?.as_str() {
        "A" => Ok(()),
        _ => Err("the bare script did not write an event".to_owned()),
    }
}
