//! Reading by key: one round trip, whatever is asked.

use std::collections::BTreeSet;

use liveops_core::error::{StoreError, StoreErrorKind};
use liveops_core::id::PlayerId;
use liveops_core::record::{Horizon, Key, Notice, Record};
use liveops_core::store::Loaded;
use redis::Value;

use crate::inner::{Inner, script_value};
use crate::keys::{self, DIGITS};
use crate::link::{Answer, Ask};
use crate::reply;
use crate::script;

/// Fields that are asked of one player at once.
pub(crate) const FIELDS_MAX: usize = 1_000;

impl Inner {
    /// A player's fields come at one moment, up to a thousand. The horizon that is answered is the newest of the partitions touched.
    pub(crate) async fn load(&self, keys: &[Key]) -> Vec<Loaded> {
        let of = |key: &Key| key.player().map(|player| self.layout.partition_of(player));
        let touched: Vec<u16> = keys.iter().filter_map(of).collect::<BTreeSet<_>>().into_iter().collect();
        if touched.is_empty() {
            let horizon = self.game_horizon().await;
            return keys.iter().map(|_| horizon.clone().map(|horizon| Some(Record::Horizon(horizon)))).collect();
        }
        let runs: Vec<&[Key]> = keys
            .chunk_by(|a, b| a.player() == b.player())
            .flat_map(|run| run.chunks(FIELDS_MAX))
            .filter(|run| run[0].player().is_some())
            .collect();
        let parts = self.layout.parts();
        let horizons = touched.iter().map(|partition| Self::ask_horizon(&parts[usize::from(*partition)]));
        let asks: Vec<Ask> = horizons.chain(runs.iter().filter_map(|run| self.ask_run(run))).collect();
        let mut answers = self.link.all(&asks).await.into_iter();
        let horizons =
            touched.iter().zip(answers.by_ref()).map(|(partition, answer)| (*partition, self.horizon(answer)));
        let (horizon, failed) = self.level(horizons.collect()).await;

        let mut found: Vec<Loaded> = Vec::with_capacity(keys.len());
        for run in &runs {
            let answer = answers.next();
            let lost = run[0].player().and_then(|player| failed.get(&self.layout.partition_of(player)));
            match (lost, horizon, answer) {
                (None, Some(horizon), Some(answer)) => found.extend(records(run, answer, horizon)),
                (lost, ..) => {
                    let error = lost.cloned().unwrap_or_else(|| StoreErrorKind::Unavailable.into());
                    found.extend(run.iter().map(|_| Err(error.clone())));
                }
            }
        }
        let horizon = horizon.ok_or_else(|| {
            let first = failed.into_values().next();
            first.unwrap_or_else(|| StoreErrorKind::Unavailable.into())
        });
        let mut found = found.into_iter();
        let mut all: Vec<Loaded> = keys
            .iter()
            .map(|key| match key.player() {
                Some(_) => found.next().unwrap_or_else(|| Err(StoreErrorKind::Unavailable.into())),
                None => horizon.clone().map(|horizon| Some(Record::Horizon(horizon))),
            })
            .collect();
        if let Ok(horizon) = horizon {
            self.settle_marks(keys, &mut all, horizon).await;
        }
        all
    }

    /// The horizon that every partition has.
    pub(crate) async fn game_horizon(&self) -> Result<Horizon, StoreError> {
        let mut command = redis::cmd("HMGET");
        command.arg(&self.layout.global).arg("g").arg("n").arg("f");
        let answer = self.link.one(self.global_ask(command)).await;
        self.horizon(answer)
    }

    fn ask_run(&self, run: &[Key]) -> Option<Ask> {
        let player = run.first()?.player()?;
        let part = self.layout.part(self.layout.partition_of(player)).ok()?;
        let mut command = redis::Cmd::with_capacity(2 + run.len(), 64 + 24 * run.len());
        command.arg("HMGET").arg(part.player(player));
        for field in run.iter().filter_map(keys::field_of) {
            command.arg(field);
        }
        Some(Self::ask(part, command))
    }

    /// Marks of erasures that nobody needs any more are met before an advance has come to them: then they are settled here.
    async fn settle_marks(&self, keys: &[Key], all: &mut [Loaded], horizon: Horizon) {
        let is_mark =
            |loaded: &Loaded| matches!(loaded, Ok(Some(Record::Player(player))) if player.is_idle_mark(horizon));
        let marked: Vec<usize> = (0..all.len()).filter(|at| is_mark(&all[*at])).collect();
        if marked.is_empty() {
            return;
        }
        let players: Vec<(&PlayerId, &[u8])> =
            marked.iter().filter_map(|at| Some((keys[*at].player()?, &[][..]))).collect();
        for (at, is_there) in marked.into_iter().zip(self.settle(&players).await) {
            match is_there {
                Ok(true) => {}
                Ok(false) => all[at] = Ok(None),
                Err(error) => all[at] = Err(error),
            }
        }
    }

    /// Makes nobody of those of whom only a mark is left that is due, each with the entry that says so. Whether they are there.
    pub(crate) async fn settle(&self, players: &[(&PlayerId, &[u8])]) -> Vec<Result<bool, StoreError>> {
        let calls: Vec<Ask> = players
            .iter()
            .filter_map(|(player, due)| {
                let part = self.layout.part(self.layout.partition_of(player)).ok()?;
                let keys = [&part.meta, &part.outbox, &part.index, &part.marks, &part.player(player)];
                let mut call = self.call(&script::GONE, &keys);
                call.arg(player.as_bytes()).arg(Notice::gone(player)).arg(*due);
                Some(Self::ask(part, call))
            })
            .collect();
        let answers = script::GONE.run(&self.link, &calls, self.replicas).await;
        answers.into_iter().map(|answer| Ok(script_value(answer)? == Value::Int(1))).collect()
    }
}

/// The records of one player's keys.
fn records(run: &[Key], answer: Answer, horizon: Horizon) -> Vec<Loaded> {
    let values = match answer.and_then(reply::list_of_bytes) {
        Ok(values) => values,
        Err(fault) => {
            let error = fault.of_reading();
            return run.iter().map(|_| Err(error.clone())).collect();
        }
    };
    let mut values = values.into_iter();
    let record = |key: &Key| match values.next() {
        Some(Some(value)) => record_of(key, &value, horizon).map_err(StoreError::from),
        Some(None) => Ok(None),
        None => Err(StoreErrorKind::Unavailable.into()),
    };
    run.iter().map(record).collect()
}

/// The record behind a field's value; none of an outcome that is forgotten, whether or not somebody has swept it up.
pub(crate) fn record_of(key: &Key, value: &[u8], horizon: Horizon) -> Result<Option<Record>, StoreErrorKind> {
    let Key::Outcome(..) = key else { return of_kind(key, Record::decode(value)?).map(Some) };
    let (ts, value) = value.split_at_checked(DIGITS).ok_or(StoreErrorKind::Corrupt)?;
    if keys::time_of(ts)? < horizon.forgotten_before {
        return Ok(None);
    }
    of_kind(key, Record::decode(value)?).map(Some)
}

fn of_kind(key: &Key, record: Record) -> Result<Record, StoreErrorKind> {
    match (key, &record) {
        (Key::Player(_), Record::Player(_))
        | (Key::Outcome(..), Record::Outcome(_))
        | (Key::Receipt(..), Record::Receipt(_))
        | (Key::Suspicion(..), Record::Suspicion(_)) => Ok(record),
        _ => Err(StoreErrorKind::Corrupt),
    }
}
