//! The end of the outbox, for boards that follow.

use std::collections::BTreeMap;

use liveops_core::error::{StoreError, StoreErrorKind};
use liveops_core::record::Notice;
use liveops_core::store::TailPage;
use parking_lot::Mutex;
use redis::{Cmd, Value};

use crate::error::{Fault, lost_partition};
use crate::feed::{cursor_of_newest, newest};
use crate::inner::Inner;
use crate::keys::Part;
use crate::link::{Answer, Ask};
use crate::reply::{self, Entry};

/// What was read of the outbox, so that a server that came back without its last moments is noticed: it gives out their cursors again.
#[derive(Debug, Default)]
pub(crate) struct Read {
    /// How many connections there had been when what was read was last compared.
    connections: u64,
    /// By partition: the last entry.
    last: BTreeMap<u16, (u64, Vec<u8>)>,
}

pub(crate) type ReadSoFar = Mutex<Read>;

impl Inner {
    /// In one round trip, but for the first after a connection was made.
    pub(crate) async fn tail(&self, after: &[u64], limit: usize) -> Vec<Result<TailPage, StoreError>> {
        let mut pages = self.tail_once(after, limit).await;
        let connections = self.link.connections();
        if connections != self.read.lock().connections {
            // Another server, perhaps, or the same after a fall. What it was asked first it answers after what it is asked now.
            let broken = self.compare(after).await;
            pages = self.tail_once(after, limit).await;
            for (page, broken) in pages.iter_mut().zip(broken) {
                if let Err(error) = broken {
                    *page = Err(error);
                }
            }
            if self.link.connections() != connections {
                let again = StoreError::with_source(StoreErrorKind::Unavailable, "the connection broke again");
                return after.iter().map(|_| Err(again.clone())).collect();
            }
            self.read.lock().connections = connections;
        }
        pages
    }

    async fn tail_once(&self, after: &[u64], limit: usize) -> Vec<Result<TailPage, StoreError>> {
        let count = limit.max(1);
        let parts: Vec<(&Part, u64)> = self.layout.parts().iter().zip(after.iter().copied()).collect();
        let mut game = redis::cmd("HGET");
        game.arg(&self.layout.global).arg("g");
        let mut asks = vec![self.global_ask(game)];
        // In a cluster every stream is somewhere else; on one server all of them are asked for in one command.
        let at_once = !self.link.is_cluster();
        if at_once {
            asks.push(Ask { slot: self.layout.global_slot, command: read(&parts, count) });
        } else {
            asks.extend(parts.iter().map(|part| Self::ask(part.0, read(&[*part], count))));
        }
        let mut answers = self.link.all(&asks).await.into_iter();
        let all = |error: StoreError| after.iter().map(|_| Err(error.clone())).collect();
        let generation = answers.next().unwrap_or(Err(Fault::Strange)).and_then(reply::bytes);
        match generation {
            Ok(Some(generation)) if generation == self.generation.as_bytes() => {}
            Ok(_) => return all(lost_partition()),
            Err(fault) => return all(fault.of_reading()),
        }
        let found: Vec<Answer> = if at_once {
            match answers.next().unwrap_or(Err(Fault::Strange)) {
                Ok(value) => vec![Ok(value)],
                // One is of the wrong type: which, says each for itself.
                Err(Fault::Answer(_)) => {
                    let asks: Vec<Ask> = parts.iter().map(|part| Self::ask(part.0, read(&[*part], count))).collect();
                    self.link.all(&asks).await
                }
                Err(fault) => return all(fault.of_reading()),
            }
        } else {
            answers.collect()
        };
        let mut pages: Vec<Result<TailPage, StoreError>> =
            after.iter().map(|after| Ok(TailPage { entries: Vec::new(), through: *after })).collect();
        let mut streams: BTreeMap<Vec<u8>, Value> = BTreeMap::new();
        for (at, answer) in found.into_iter().enumerate() {
            match answer.and_then(by_stream) {
                Ok(found) => streams.extend(found),
                Err(fault) if pages.len() > at => pages[at] = Err(fault.of_reading()),
                Err(_) => {}
            }
        }
        for (partition, (part, after)) in (0_u16..).zip(parts) {
            let Some(entries) = streams.remove(part.outbox.as_bytes()) else { continue };
            pages[usize::from(partition)] = self.page(partition, after, entries, limit);
        }
        pages
    }

    fn page(&self, partition: u16, after: u64, entries: Value, limit: usize) -> Result<TailPage, StoreError> {
        let entries = reply::entries(entries).map_err(|fault| fault.of_reading())?;
        // Entries go from the front; only a rise that another rise took the place of is left out between two.
        if entries.first().is_some_and(|first| first.cursor != after.saturating_add(1)) {
            return Err(StoreErrorKind::FeedGap.into());
        }
        let mut page = TailPage { entries: Vec::with_capacity(entries.len()), through: after };
        for Entry { cursor, notice } in entries.into_iter().take(limit) {
            page.entries.push((cursor, Notice::decode(&notice)?));
            page.through = cursor;
            self.read.lock().last.insert(partition, (cursor, notice));
        }
        Ok(page)
    }

    /// Whether what was read last of each partition is still there, and the same.
    async fn compare(&self, after: &[u64]) -> Vec<Result<(), StoreError>> {
        let asks: Vec<Ask> = self
            .layout
            .parts()
            .iter()
            .zip(after)
            .map(|(part, after)| {
                let mut command = redis::cmd("XRANGE");
                command.arg(&part.outbox).arg(format!("0-{after}")).arg(format!("0-{after}"));
                Self::ask(part, command)
            })
            .collect();
        let answers = self.link.all(&asks).await;
        let read = self.read.lock();
        (0_u16..)
            .zip(after)
            .zip(answers)
            .map(|((partition, after), answer)| {
                let found = answer.and_then(reply::entries).map_err(|fault| fault.of_reading())?;
                match read.last.get(&partition) {
                    Some((cursor, notice)) if cursor == after => {
                        let is_there = found.first().is_some_and(|entry| entry.notice == *notice);
                        if is_there { Ok(()) } else { Err(StoreErrorKind::FeedGap.into()) }
                    }
                    // Where a replica began, nothing was read; but it was there.
                    _ if *after > 0 && found.is_empty() => Err(StoreErrorKind::FeedGap.into()),
                    _ => Ok(()),
                }
            })
            .collect()
    }

    pub(crate) async fn ends(&self) -> Result<Vec<u64>, StoreError> {
        let asks: Vec<Ask> = self
            .layout
            .parts()
            .iter()
            .flat_map(|part| [Self::ask_horizon(part), Self::ask(part, newest(part))])
            .collect();
        let mut answers = self.link.all(&asks).await.into_iter();
        let mut ends = Vec::with_capacity(self.layout.parts().len());
        while let (Some(meta), Some(newest)) = (answers.next(), answers.next()) {
            self.horizon(meta)?;
            ends.push(cursor_of_newest(newest.map_err(|fault| fault.of_reading())?)?);
        }
        Ok(ends)
    }
}

fn read(parts: &[(&Part, u64)], count: usize) -> Cmd {
    let mut command = Cmd::with_capacity(4 + 2 * parts.len(), 48 * parts.len());
    command.arg("XREAD").arg("COUNT").arg(count).arg("STREAMS");
    for (part, _) in parts {
        command.arg(&part.outbox);
    }
    for (_, after) in parts {
        command.arg(format!("0-{after}"));
    }
    command
}

/// Streams by name, each with its entries.
fn by_stream(value: Value) -> Result<Vec<(Vec<u8>, Value)>, Fault> {
    let named = |name: Value, entries: Value| Ok((reply::bytes(name)?.ok_or(Fault::Strange)?, entries));
    match value {
        Value::Nil => Ok(Vec::new()),
        Value::Map(streams) => streams.into_iter().map(|(name, entries)| named(name, entries)).collect(),
        _ => Err(Fault::Strange),
    }
}
