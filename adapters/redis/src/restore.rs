//! A snapshot's way into an empty store. What is read is believed only at its end: until then the partitions are shut, and after
//! an error everything is removed again.

use std::io::Read;

use liveops_core::error::{StoreError, StoreErrorKind};
use liveops_core::id::PlayerId;
use liveops_core::record::{Header, Horizon, Key, Notice, Record};
use liveops_core::store::{FeedMarks, SnapshotReader};
use liveops_core::time::Timestamp;
use redis::{Cmd, Value};

use crate::error::misconfigured;
use crate::inner::{Inner, script_value};
use crate::keys::{self, Part};
use crate::link::Ask;
use crate::open::entropy;
use crate::reply;
use crate::script;
use crate::whole::keys_of;

/// Bytes that are written in one round trip, more or less.
const BYTES_A_TRIP: usize = 1 << 20;
/// Players that are removed in one step.
const REMOVED_A_ROUND: usize = 500;

/// What is on its way.
#[derive(Default)]
struct Filling {
    asks: Vec<Ask>,
    bytes: usize,
}

impl Inner {
    pub(crate) async fn restore(&self, from: &mut (dyn Read + Send)) -> Result<(), StoreError> {
        let old = self.header().await?;
        let mut snapshot = SnapshotReader::open(from)?;
        let new = snapshot.header().cloned();
        let is_other = |new: &Header| old.game.is_some() && new.game.is_some() && old.game != new.game;
        if new.as_ref().is_some_and(is_other) {
            return Err(misconfigured("a snapshot of the same game"));
        }
        self.check_empty().await?;
        let shut = format!("restoring-{}", entropy());
        self.set_global("r", "2").await?;
        let restored = self.fill_and_open(&mut snapshot, &shut, old, new).await;
        if restored.is_err() && self.empty_again(&shut).await.is_err() {
            // It stays marked: nobody is to take a part for the whole.
            return restored;
        }
        self.set_global("r", "1").await?;
        restored
    }

    async fn fill_and_open<R: Read + Send>(
        &self,
        snapshot: &mut SnapshotReader<R>,
        shut: &str,
        old: Header,
        new: Option<Header>,
    ) -> Result<(), StoreError> {
        let first = keys::time_text(Timestamp::MIN);
        let answers = self.everywhere(&script::EMPTY, |part| {
            let mut call = self.call(&script::EMPTY, &[&part.meta, &part.index]);
            call.arg(shut).arg(&first);
            call
        });
        for answer in answers.await {
            if script_value(answer)? != Value::Int(1) {
                return Err(holds_something());
            }
        }
        let horizon = self.fill(snapshot).await?;
        let marks = snapshot.marks().in_new_epoch(self.layout.partitions());
        if let Some(new) = new
            && !self.replace_header(&old, &new).await?
        {
            return Err(StoreError::with_source(
                StoreErrorKind::Unavailable,
                "somebody else opened the game meanwhile",
            ));
        }
        self.open_filled(shut, horizon, &marks).await?;
        let mut call = self.global_call(&script::GLOBAL);
        call.arg(keys::time_text(horizon.now)).arg(keys::time_text(horizon.forgotten_before));
        script_value(script::GLOBAL.run_one(&self.link, self.global_ask(call), self.replicas).await)?;
        Ok(())
    }

    /// Writes what a snapshot holds, and gives its horizon once it was sound to its end.
    async fn fill<R: Read + Send>(&self, snapshot: &mut SnapshotReader<R>) -> Result<Horizon, StoreError> {
        let mut horizon = Horizon::default();
        let mut filling = Filling::default();
        for next in snapshot {
            let (key, record) = next?;
            match (key.player(), &record) {
                (None, Record::Horizon(found)) => horizon = *found,
                (Some(player), _) => {
                    let part = self.layout.part(self.layout.partition_of(player))?;
                    filling.add(part, player, &key, &record);
                }
                _ => return Err(StoreErrorKind::Corrupt.into()),
            }
            if filling.bytes > BYTES_A_TRIP {
                self.flush(&mut filling).await?;
            }
        }
        self.flush(&mut filling).await?;
        Ok(horizon)
    }

    async fn flush(&self, filling: &mut Filling) -> Result<(), StoreError> {
        let Filling { asks, .. } = std::mem::take(filling);
        for answer in self.link.all_replicated(&asks, self.replicas).await {
            answer.map_err(|fault| fault.of_writing())?;
        }
        Ok(())
    }

    async fn open_filled(&self, shut: &str, horizon: Horizon, marks: &FeedMarks) -> Result<(), StoreError> {
        let notice = Notice::Advanced(horizon).encode();
        let calls: Vec<Ask> = self
            .layout
            .parts()
            .iter()
            .enumerate()
            .map(|(at, part)| {
                let mut call = script::FILLED.call(&[&part.meta, &part.outbox, &part.consumers]);
                call.arg(shut).arg(&self.generation);
                call.arg(keys::time_text(horizon.now)).arg(keys::time_text(horizon.forgotten_before));
                call.arg(marks.last.get(at).copied().unwrap_or(0)).arg(&notice);
                for mark in marks.consumers.iter().filter(|_| self.feed_len.is_some()) {
                    call.arg(mark.consumer.as_bytes());
                    call.arg(keys::cursor_text(mark.acked.get(at).copied().unwrap_or(0)));
                }
                Self::ask(part, call)
            })
            .collect();
        for answer in script::FILLED.run(&self.link, &calls, self.replicas).await {
            script_value(answer)?;
        }
        Ok(())
    }

    /// Removes what was written. Partitions that were never shut are left alone.
    async fn empty_again(&self, shut: &str) -> Result<(), StoreError> {
        loop {
            let answers = self.everywhere(&script::EMPTIED, |part| {
                let mut call = script::EMPTIED.call(&keys_of(part));
                call.arg(shut).arg(&self.generation).arg(&part.tag).arg(REMOVED_A_ROUND);
                call
            });
            let mut more = false;
            for answer in answers.await {
                more |= script_value(answer)? == Value::Int(1);
            }
            if !more {
                return Ok(());
            }
        }
    }

    /// A first look, which disturbs nobody.
    async fn check_empty(&self) -> Result<(), StoreError> {
        let count = |part: &Part| {
            let mut command = redis::cmd("ZCARD");
            command.arg(&part.index);
            command
        };
        for answer in self.read_everywhere(count).await {
            if answer.and_then(reply::number).map_err(|fault| fault.of_reading())? > 0 {
                return Err(holds_something());
            }
        }
        Ok(())
    }
}

fn holds_something() -> StoreError {
    misconfigured("a store that holds nothing")
}

impl Filling {
    fn add(&mut self, part: &Part, player: &PlayerId, key: &Key, record: &Record) {
        let name = part.player(player);
        let mut hash = redis::cmd("HSET");
        hash.arg(&name);
        let mut bytes = Vec::new();
        if let Record::Outcome(outcome) = record {
            bytes.extend_from_slice(keys::time_text(outcome.ts).as_bytes());
            let bucket = keys::bucket_of(outcome.ts);
            let mut list = redis::cmd("RPUSH");
            let mut element = [player.as_bytes(), b"\0"].concat();
            element.extend(keys::field_of(key).unwrap_or_default());
            list.arg(part.bucket(bucket)).arg(element);
            self.push(part, list);
            let mut flag = redis::cmd("HSET");
            flag.arg(&part.meta).arg(format!("x{bucket}")).arg(1);
            self.push(part, flag);
        }
        record.borrowed().encode_into(&mut bytes);
        self.bytes += bytes.len();
        hash.arg(keys::field_of(key).unwrap_or_default()).arg(bytes);
        if let Record::Player(record) = record {
            hash.arg("v").arg(record.version());
            let mut index = redis::cmd("ZADD");
            index.arg(&part.index).arg(0).arg(player.as_bytes());
            self.push(part, index);
            if let Some(mark) = record.idle_mark().map(keys::time_text) {
                hash.arg("e").arg(&mark);
                let mut marks = redis::cmd("ZADD");
                marks.arg(&part.marks).arg(0).arg(format!("{mark}{player}"));
                self.push(part, marks);
            }
        }
        self.push(part, hash);
    }

    fn push(&mut self, part: &Part, command: Cmd) {
        self.bytes += 64;
        self.asks.push(Inner::ask(part, command));
    }
}
