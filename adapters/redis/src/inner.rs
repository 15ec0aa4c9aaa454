//! What everything else is about: a game in a Redis, and how to ask for it.

use std::collections::BTreeMap;
use std::time::Duration;

use liveops_core::error::{StoreError, StoreErrorKind};
use liveops_core::record::{Horizon, Notice};
use liveops_core::time::Timestamp;
use parking_lot::Mutex;
use redis::{Cmd, Value};

use crate::error::{Fault, lost_partition, misconfigured};
use crate::keys::{self, Layout, Part};
use crate::link::{Answer, Ask, Link};
use crate::reply;
use crate::scan::Giant;
use crate::script::{self, Script};
use crate::tail::FollowedSoFar;

/// How often a horizon is raised again that somebody else raised meanwhile in one mark alone.
const RAISES_MAX: usize = 8;
/// How long an entry of the outbox is kept for replicas that were held up, in seconds, unless newer ones push it out.
const KEPT_SECONDS: u64 = 3_600;

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) link: Link,
    pub(crate) layout: Layout,
    pub(crate) generation: String,
    /// Entries that the outbox of a partition keeps at least.
    pub(crate) outbox_entries: u64,
    /// Change sets that wait for consumers, at most, in a partition; without it there is no feed.
    pub(crate) feed_len: Option<u64>,
    pub(crate) replicas: u16,
    pub(crate) clock_ahead_max: Option<Duration>,
    /// The names of the fields of the last giant that was scanned.
    pub(crate) giant: Mutex<Option<Giant>>,
    /// What boards were told of the outbox.
    pub(crate) followed: FollowedSoFar,
}

impl Inner {
    pub(crate) const fn feed_flag(&self) -> &'static str {
        if self.feed_len.is_some() { "1" } else { "0" }
    }

    /// A command for a partition.
    pub(crate) fn ask(part: &Part, command: Cmd) -> Ask {
        Ask { slot: part.slot, command }
    }

    /// A call for a partition, its generation being the first argument.
    pub(crate) fn call<K: AsRef<[u8]>>(&self, script: &Script, keys: &[K]) -> Cmd {
        let mut call = script.call(keys);
        call.arg(&self.generation);
        call
    }

    /// A call of the game's own key.
    pub(crate) fn global_call(&self, script: &Script) -> Cmd {
        self.call(script, &[&self.layout.global])
    }

    pub(crate) fn global_ask(&self, command: Cmd) -> Ask {
        Ask { slot: self.layout.global_slot, command }
    }

    /// Calls of one script for all partitions at once, by partition.
    pub(crate) async fn everywhere(&self, script: &Script, call: impl Fn(&Part) -> Cmd) -> Vec<Answer> {
        let calls: Vec<Ask> = self.layout.parts().iter().map(|part| Self::ask(part, call(part))).collect();
        script.run(&self.link, &calls, self.replicas).await
    }

    /// A command that reads, for all partitions at once.
    pub(crate) async fn read_everywhere(&self, command: impl Fn(&Part) -> Cmd) -> Vec<Answer> {
        let asks: Vec<Ask> = self.layout.parts().iter().map(|part| Self::ask(part, command(part))).collect();
        self.link.all(&asks).await
    }

    /// Asks for the horizon of a partition.
    pub(crate) fn ask_horizon(part: &Part) -> Ask {
        let mut command = redis::cmd("HMGET");
        command.arg(&part.meta).arg("g").arg("n").arg("f");
        Self::ask(part, command)
    }

    /// The horizon of a partition, or of the game; an error if it is not this store's.
    pub(crate) fn horizon(&self, answer: Answer) -> Result<Horizon, StoreError> {
        let read = answer.and_then(reply::fields);
        let [generation, now, forgotten] = read.map_err(|fault| fault.of_reading())?;
        if generation.as_deref() != Some(self.generation.as_bytes()) {
            return Err(lost_partition());
        }
        horizon_of(now.as_deref(), forgotten.as_deref())
    }

    /// The newest of the horizons of some partitions, those behind it raised to it first. By partition, what went wrong with one.
    pub(crate) async fn level(
        &self,
        horizons: Vec<(u16, Result<Horizon, StoreError>)>,
    ) -> (Option<Horizon>, BTreeMap<u16, StoreError>) {
        let newest = horizons.iter().filter_map(|(_, horizon)| horizon.as_ref().ok()).copied().reduce(Horizon::max);
        let mut failed = BTreeMap::new();
        let mut behind = Vec::new();
        for (partition, horizon) in horizons {
            match horizon {
                Ok(horizon) if Some(horizon) != newest => behind.push(partition),
                Ok(_) => {}
                Err(error) => drop(failed.insert(partition, error)),
            }
        }
        let Some(newest) = newest.filter(|_| !behind.is_empty()) else { return (newest, failed) };
        let mut reached = newest;
        for (partition, raised) in self.raise(&behind, newest).await {
            match raised {
                Ok(horizon) => reached = reached.max(horizon),
                Err(error) => drop(failed.insert(partition, error)),
            }
        }
        (Some(reached), failed)
    }

    /// Raises some partitions, and says where each is after it.
    pub(crate) async fn raise(&self, partitions: &[u16], to: Horizon) -> Vec<(u16, Result<Horizon, StoreError>)> {
        let parts = self.layout.parts();
        let mut open: Vec<(u16, Horizon)> = partitions.iter().map(|partition| (*partition, to)).collect();
        let mut done = Vec::with_capacity(open.len());
        for _ in 0..RAISES_MAX {
            if open.is_empty() {
                return done;
            }
            let calls: Vec<Ask> = open
                .iter()
                .filter_map(|(partition, to)| {
                    let part = parts.get(usize::from(*partition))?;
                    let mut call = self.call(&script::RAISE, &[&part.meta, &part.outbox]);
                    call.arg(keys::time_text(to.now)).arg(keys::time_text(to.forgotten_before));
                    call.arg(Notice::Advanced(*to).encode()).arg(self.outbox_entries);
                    call.arg(self.outbox_entries.saturating_add(self.feed_len.unwrap_or(0).saturating_mul(2)))
                        .arg(KEPT_SECONDS);
                    Some(Self::ask(part, call))
                })
                .collect();
            let answers = script::RAISE.run(&self.link, &calls, self.replicas).await;
            for ((partition, to), answer) in std::mem::take(&mut open).into_iter().zip(answers) {
                match raised(answer) {
                    // Beyond in one mark, and behind in the other.
                    Ok(horizon) if horizon.max(to) != horizon => open.push((partition, horizon.max(to))),
                    raised => done.push((partition, raised)),
                }
            }
        }
        let contended = StoreError::with_source(StoreErrorKind::Unavailable, "the horizon is raised by many at once");
        done.extend(open.into_iter().map(|(partition, _)| (partition, Err(contended.clone()))));
        done
    }

    /// What the clock of the server says.
    pub(crate) async fn now(&self) -> Result<Timestamp, StoreError> {
        let answer = self.link.one(self.global_ask(redis::cmd("TIME"))).await;
        let read = answer.and_then(reply::fields::<2>).map_err(|fault| fault.of_reading())?;
        let [seconds, micros] = read.map(|digits| digits.and_then(|digits| keys::cursor_of(&digits)));
        let millis = seconds.zip(micros).and_then(|(seconds, micros)| {
            let millis = seconds.checked_mul(1_000)?.checked_add(micros / 1_000)?;
            i64::try_from(millis).ok()
        });
        Ok(Timestamp::from_unix_millis(millis.ok_or_else(|| Fault::Strange.of_reading())?))
    }
}

fn raised(answer: Answer) -> Result<Horizon, StoreError> {
    let [now, forgotten] = marks(answer)?;
    horizon_of(now.as_deref(), forgotten.as_deref())
}

/// Two values that a script answers.
pub(crate) fn marks(answer: Answer) -> Result<[Option<Vec<u8>>; 2], StoreError> {
    let value = script_value(answer)?;
    reply::fields(value).map_err(|fault| fault.of_writing())
}

/// The answer of a script that is asked again if its answer was lost: none of what it does is done twice.
pub(crate) fn script_value(answer: Answer) -> Result<Value, StoreError> {
    let value = answer.map_err(|fault| fault.of_writing())?;
    match refusal(&value) {
        Some(error) => Err(error),
        None => Ok(value),
    }
}

/// What a script says instead of an answer.
pub(crate) fn refusal(value: &Value) -> Option<StoreError> {
    match value {
        Value::BulkString(text) if text == b"!G" => Some(lost_partition()),
        Value::BulkString(text) if text == b"!S" => {
            Some(misconfigured("the feed was turned on or off since: open the store again"))
        }
        _ => None,
    }
}

pub(crate) fn horizon_of(now: Option<&[u8]>, forgotten: Option<&[u8]>) -> Result<Horizon, StoreError> {
    let mark = |text: Option<&[u8]>| text.map_or(Err(StoreErrorKind::Corrupt), keys::time_of);
    Ok(Horizon { now: mark(now)?, forgotten_before: mark(forgotten)? })
}
