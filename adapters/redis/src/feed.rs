//! The feed: the outbox itself, of whole change sets, read by consumers who are known by name.

use std::collections::BTreeMap;

use liveops_core::error::{StoreError, StoreErrorKind};
use liveops_core::id::Id;
use liveops_core::record::Notice;
use liveops_core::store::{Consumer, ConsumerMark, FeedEntry, Happened};
use redis::{Cmd, Value};

use crate::error::{Fault, lost_partition};
use crate::inner::{Inner, script_value};
use crate::keys::{self, Part};
use crate::reply::{self, Entry};
use crate::script;

/// Entries that are read at once, at most.
pub(crate) const ENTRIES_MAX: usize = 1_000;

/// What a consumer is told.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Doing {
    Ack,
    Know,
    Drop,
}

impl Inner {
    pub(crate) async fn feed(&self, partition: u16, after: u64, limit: usize) -> Result<Vec<FeedEntry>, StoreError> {
        let part = self.layout.part(partition)?;
        let mut all = Vec::new();
        if self.feed_len.is_none() {
            return Ok(all);
        }
        if after == u64::MAX {
            return Err(StoreErrorKind::FeedGap.into());
        }
        let mut from = after;
        loop {
            let count = ENTRIES_MAX.min(limit - all.len()).max(1);
            let mut meta = redis::cmd("HMGET");
            meta.arg(&part.meta).arg("g").arg("t");
            // In this order: what is trimmed after the entries were read is a gap that nobody fell into, and no more.
            let asks = [range(part, from, count), meta, newest(part)].map(|command| Self::ask(part, command));
            let answers: [_; 3] = self.link.all(&asks).await.try_into().map_err(|_| Fault::Strange.of_reading())?;
            let [entries, meta, last] = answers.map(|answer| answer.map_err(|fault| fault.of_reading()));
            let [generation, through] = reply::fields(meta?).map_err(|fault| fault.of_reading())?;
            if generation.as_deref() != Some(self.generation.as_bytes()) {
                return Err(lost_partition());
            }
            let through = through.map_or(Some(0), |digits| keys::cursor_of(&digits)).ok_or(StoreErrorKind::Corrupt)?;
            let last = cursor_of_newest(last?)?;
            if !(through..=last).contains(&after) {
                return Err(StoreErrorKind::FeedGap.into());
            }
            let entries = reply::entries(entries?).map_err(|fault| fault.of_reading())?;
            let is_end = entries.len() < count;
            for Entry { cursor, notice } in entries {
                from = cursor;
                let what = match Notice::decode(&notice)? {
                    Notice::Committed(set) => Happened::Committed(set),
                    Notice::Advanced(horizon) => Happened::Advanced(horizon),
                    Notice::Told(_) => continue,
                };
                all.push(FeedEntry { cursor, what });
            }
            if is_end || all.len() >= limit {
                all.truncate(limit);
                return Ok(all);
            }
        }
    }

    pub(crate) async fn last(&self, partition: u16) -> Result<u64, StoreError> {
        let part = self.layout.part(partition)?;
        if self.feed_len.is_none() {
            return Ok(0);
        }
        let answer = self.link.one(Self::ask(part, newest(part))).await;
        cursor_of_newest(answer.map_err(|fault| fault.of_reading())?)
    }

    pub(crate) async fn ack(&self, consumer: &Consumer, partition: u16, through: u64) -> Result<(), StoreError> {
        let part = self.layout.part(partition)?;
        if self.feed_len.is_none() {
            return if through == 0 { Ok(()) } else { Err(StoreErrorKind::FeedGap.into()) };
        }
        let mut answer = self.consumer(part, consumer, Doing::Ack, through).await?;
        if is(&answer, b"!N") {
            // Somebody new: known everywhere before anything is let go of anywhere.
            self.consumer_everywhere(consumer, Doing::Know).await?;
            answer = self.consumer(part, consumer, Doing::Ack, through).await?;
        }
        if is(&answer, b"!B") {
            return Err(StoreErrorKind::FeedGap.into());
        }
        self.trim(part, answer).await
    }

    pub(crate) async fn drop_consumer(&self, consumer: &Consumer) -> Result<(), StoreError> {
        if self.feed_len.is_none() {
            return Ok(());
        }
        let answers = self.consumer_everywhere(consumer, Doing::Drop).await?;
        for (part, answer) in self.layout.parts().iter().zip(answers) {
            self.trim(part, answer).await?;
        }
        Ok(())
    }

    pub(crate) async fn consumers(&self) -> Result<Vec<ConsumerMark>, StoreError> {
        if self.feed_len.is_none() {
            return Ok(Vec::new());
        }
        let command = |part: &Part| {
            let mut command = redis::cmd("HGETALL");
            command.arg(&part.consumers);
            command
        };
        let mut known: BTreeMap<Consumer, Vec<u64>> = BTreeMap::new();
        for (partition, answer) in self.read_everywhere(command).await.into_iter().enumerate() {
            let marks = answer.and_then(reply::pairs).map_err(|fault| fault.of_reading())?;
            for (name, acked) in marks {
                let name = std::str::from_utf8(&name).ok().and_then(|name| Id::new(name).ok());
                let (name, acked) = name.zip(keys::cursor_of(&acked)).ok_or(StoreErrorKind::Corrupt)?;
                known.entry(name).or_insert_with(|| vec![0; self.layout.parts().len()])[partition] = acked;
            }
        }
        Ok(known.into_iter().map(|(consumer, acked)| ConsumerMark { consumer, acked }).collect())
    }

    /// How many entries are kept.
    pub(crate) async fn feed_size(&self) -> Result<u64, StoreError> {
        if self.feed_len.is_none() {
            return Ok(0);
        }
        let mut all = 0;
        for answer in self.read_everywhere(|part| len(&part.outbox)).await {
            all += answer.and_then(reply::number).map_err(|fault| fault.of_reading())?;
        }
        Ok(all)
    }

    async fn consumer(
        &self,
        part: &Part,
        consumer: &Consumer,
        doing: Doing,
        through: u64,
    ) -> Result<Value, StoreError> {
        let call = self.consumer_call(part, consumer, doing, through);
        script_value(script::CONSUMER.run_one(&self.link, Self::ask(part, call), self.replicas).await)
    }

    async fn consumer_everywhere(&self, consumer: &Consumer, doing: Doing) -> Result<Vec<Value>, StoreError> {
        let answers = self.everywhere(&script::CONSUMER, |part| self.consumer_call(part, consumer, doing, 0)).await;
        answers.into_iter().map(script_value).collect()
    }

    fn consumer_call(&self, part: &Part, consumer: &Consumer, doing: Doing, through: u64) -> Cmd {
        let doing = match doing {
            Doing::Ack => "ack",
            Doing::Know => "know",
            Doing::Drop => "drop",
        };
        let mut call = self.call(&script::CONSUMER, &[&part.meta, &part.outbox, &part.consumers]);
        call.arg(doing).arg(consumer.as_bytes()).arg(keys::cursor_text(through));
        call
    }

    /// Lets go of what everybody has acknowledged, but for what the outbox keeps for replicas.
    async fn trim(&self, part: &Part, answer: Value) -> Result<(), StoreError> {
        let [last, through] = reply::fields(answer).map_err(|fault| fault.of_writing())?;
        let cursor =
            |digits: Option<Vec<u8>>| digits.and_then(|digits| keys::cursor_of(&digits)).ok_or(StoreErrorKind::Corrupt);
        let gone = cursor(through)?.min(cursor(last)?.saturating_sub(self.outbox_entries));
        if gone == 0 {
            return Ok(());
        }
        let mut call = self.call(&script::TRIM, &[&part.meta, &part.outbox]);
        call.arg(keys::cursor_text(gone)).arg(gone + 1);
        script_value(script::TRIM.run_one(&self.link, Self::ask(part, call), self.replicas).await)?;
        Ok(())
    }
}

fn is(answer: &Value, wanted: &[u8]) -> bool {
    matches!(answer, Value::BulkString(text) if text == wanted)
}

/// Entries after a cursor that is not the last there can be.
pub(crate) fn range(part: &Part, after: u64, count: usize) -> Cmd {
    let mut command = redis::cmd("XRANGE");
    command.arg(&part.outbox).arg(format!("0-{}", after.saturating_add(1))).arg("+").arg("COUNT").arg(count);
    command
}

/// The newest entry, which is never let go of.
pub(crate) fn newest(part: &Part) -> Cmd {
    let mut command = redis::cmd("XREVRANGE");
    command.arg(&part.outbox).arg("+").arg("-").arg("COUNT").arg(1);
    command
}

/// Its cursor; 0 before the first.
pub(crate) fn cursor_of_newest(value: Value) -> Result<u64, StoreError> {
    let entries = reply::entries(value).map_err(|fault| fault.of_reading())?;
    Ok(entries.last().map_or(0, |entry| entry.cursor))
}

fn len(stream: &str) -> Cmd {
    let mut command = redis::cmd("XLEN");
    command.arg(stream);
    command
}
