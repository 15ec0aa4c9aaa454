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

/// How often a look begins again because the connection broke.
const COMPARED_MAX: usize = 3;
/// Runs of entries of this process's own that are remembered for each partition, at most: beyond that they are read like others'.
const OWN_MAX: usize = 256;

/// What boards were told of the outbox.
#[derive(Debug, Default)]
pub(crate) struct Followed {
    /// How many connections there had been when what was read was last compared.
    connections: u64,
    /// By partition.
    partitions: BTreeMap<u16, Partition>,
}

#[derive(Debug, Default)]
struct Partition {
    /// The entry where boards are, so that a server that came back without its last moments is noticed: it gives out the same cursors again.
    last: Option<(u64, Vec<u8>)>,
    /// The last that was read, where boards will be if they take it.
    read: Option<(u64, Vec<u8>)>,
    /// Entries that this process wrote and told its boards of by itself, by the first of each run: nobody has to read them.
    own: BTreeMap<u64, Run>,
    /// A cursor was given out that had been given out before.
    is_rewound: bool,
}

/// Entries that follow each other: through which, what that one says, and how many connections there had been when they were sent.
#[derive(Clone, Debug)]
struct Run {
    last: u64,
    notice: Vec<u8>,
    connections: u64,
}

/// A page, and the bytes of its last entry.
type Read = (TailPage, Option<Vec<u8>>);

/// What one script told: so many entries of a partition, through the newest.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) partition: u16,
    pub(crate) entries: u64,
    pub(crate) newest: u64,
    pub(crate) notice: Vec<u8>,
    /// How many connections there had been before it was sent.
    pub(crate) connections: u64,
}

impl Followed {
    /// Whether whoever answers was compared with what was read.
    fn is_known(&self, connections: u64) -> bool {
        self.connections == connections && !self.partitions.values().any(|partition| partition.is_rewound)
    }
}

impl Partition {
    /// Where boards are.
    fn settle(&mut self, after: u64) {
        if self.last.as_ref().is_none_or(|(cursor, _)| *cursor != after) {
            self.last = self.read.take().filter(|(cursor, _)| *cursor == after);
        }
        while let Some(first) = self.own.first_entry().filter(|first| first.get().last <= after) {
            let run = first.remove();
            if run.last == after {
                self.last = Some((after, run.notice));
            }
        }
    }

    /// Goes on from a cursor over what this process told by itself.
    fn skip(&self, after: u64) -> u64 {
        let mut through = after;
        for (first, run) in &self.own {
            if *first != through.saturating_add(1) {
                break;
            }
            through = run.last;
        }
        through
    }

    /// What has to be there: what was read last, and what was written since.
    fn known(&self, after: u64) -> Vec<(u64, Option<Vec<u8>>)> {
        let read = match &self.last {
            Some((cursor, notice)) if *cursor == after => Some(notice.clone()),
            _ => None,
        };
        let first = (after > 0).then_some((after, read));
        // Of one connection, the last vouches for those before it.
        let mut own: BTreeMap<u64, &Run> = BTreeMap::new();
        for run in self.own.values().filter(|run| run.last > after) {
            own.insert(run.connections, run);
        }
        first.into_iter().chain(own.into_values().map(|run| (run.last, Some(run.notice.clone())))).collect()
    }
}

pub(crate) type FollowedSoFar = Mutex<Followed>;

impl Inner {
    /// Boards were told of what this process wrote.
    pub(crate) fn note_own(&self, told: Vec<Told>) {
        let mut followed = self.followed.lock();
        for Told { partition, entries, newest, notice, connections } in told {
            let partition = followed.partitions.entry(partition).or_default();
            let first = newest.saturating_sub(entries).saturating_add(1);
            let before = partition.own.range(..=newest).next_back();
            partition.is_rewound |= before.is_some_and(|(_, run)| run.last >= first);
            if partition.own.len() < OWN_MAX {
                partition.own.insert(first, Run { last: newest, notice, connections });
            }
        }
    }

    /// In one round trip, but for the first after a connection was made.
    pub(crate) async fn tail(&self, after: &[u64], limit: usize) -> Vec<Result<TailPage, StoreError>> {
        for _ in 0..COMPARED_MAX {
            let connections = self.link.connections();
            let is_known = self.followed.lock().is_known(connections);
            // Another server, perhaps, or the same after a fall.
            if !is_known && let Err(error) = self.compare(after).await {
                return after.iter().map(|_| Err(error.clone())).collect();
            }
            let mut pages = self.tail_once(after, limit).await;
            // Whoever answered had been compared.
            if self.link.connections() == connections {
                let mut followed = self.followed.lock();
                for (page, partition) in pages.iter_mut().zip(followed.partitions.values_mut()) {
                    if std::mem::take(&mut partition.is_rewound) {
                        *page = Err(StoreErrorKind::FeedGap.into());
                    }
                }
                followed.connections = connections;
                return pages;
            }
        }
        let again = StoreError::with_source(StoreErrorKind::Unavailable, "the connection broke again and again");
        after.iter().map(|_| Err(again.clone())).collect()
    }

    /// For others than the boards of this process: all that follows.
    pub(crate) async fn tail_of_all(&self, after: &[u64], limit: usize) -> Vec<Result<TailPage, StoreError>> {
        let read = self.entries_after(after, limit).await;
        read.into_iter().map(|page| page.map(|(page, _)| page)).collect()
    }

    /// What follows, but for what this process told by itself.
    async fn tail_once(&self, after: &[u64], limit: usize) -> Vec<Result<TailPage, StoreError>> {
        let after: Vec<u64> = {
            let mut followed = self.followed.lock();
            let skip = |(partition, after)| {
                let partition = followed.partitions.entry(partition).or_default();
                partition.settle(after);
                partition.skip(after)
            };
            (0..).zip(after.iter().copied()).map(skip).collect()
        };
        let read = self.entries_after(&after, limit).await;
        let mut followed = self.followed.lock();
        let mut note = |(partition, page): (u16, Result<Read, StoreError>)| {
            let (page, last) = page?;
            if let Some(notice) = last {
                followed.partitions.entry(partition).or_default().read = Some((page.through, notice));
            }
            Ok(page)
        };
        (0..).zip(read).map(&mut note).collect()
    }

    async fn entries_after(&self, after: &[u64], limit: usize) -> Vec<Result<Read, StoreError>> {
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
        let none = |after: &u64| Ok((TailPage { entries: Vec::new(), through: *after }, None));
        let mut pages: Vec<Result<Read, StoreError>> = after.iter().map(none).collect();
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
            pages[usize::from(partition)] = page(after, entries, limit);
        }
        pages
    }

    /// Looks whether what was read last of each partition is still there, and the same, and what this process wrote since. What it wrote
    /// is read again.
    async fn compare(&self, after: &[u64]) -> Result<(), StoreError> {
        let known: Vec<Vec<(u64, Option<Vec<u8>>)>> = {
            let mut followed = self.followed.lock();
            let known = |(partition, after)| {
                let partition = followed.partitions.entry(partition).or_default();
                partition.settle(after);
                partition.known(after)
            };
            (0..).zip(after.iter().copied()).map(known).collect()
        };
        let ask = |part: &Part, cursor: &u64| {
            let mut command = redis::cmd("XRANGE");
            command.arg(&part.outbox).arg(format!("0-{cursor}")).arg(format!("0-{cursor}"));
            Self::ask(part, command)
        };
        let parts = self.layout.parts().iter().zip(&known);
        let asks: Vec<Ask> =
            parts.flat_map(|(part, known)| known.iter().map(move |(cursor, _)| ask(part, cursor))).collect();
        let mut answers = self.link.all(&asks).await.into_iter();
        let mut same = Vec::with_capacity(known.len());
        for known in &known {
            let mut all = true;
            for (_, notice) in known {
                let found = answers.next().unwrap_or(Err(Fault::Strange)).and_then(reply::entries);
                let found = found.map_err(|fault| fault.of_reading())?;
                all &= found.first().is_some_and(|entry| notice.as_ref().is_none_or(|notice| *notice == entry.notice));
            }
            same.push(all);
        }
        let mut followed = self.followed.lock();
        for (same, partition) in same.into_iter().zip(followed.partitions.values_mut()) {
            partition.own.clear();
            partition.is_rewound |= !same;
        }
        Ok(())
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

fn page(after: u64, entries: Value, limit: usize) -> Result<Read, StoreError> {
    let entries = reply::entries(entries).map_err(|fault| fault.of_reading())?;
    // Entries go from the front; only a rise that another rise took the place of is left out between two.
    if entries.first().is_some_and(|first| first.cursor != after.saturating_add(1)) {
        return Err(StoreErrorKind::FeedGap.into());
    }
    let (mut page, mut last) = (TailPage { entries: Vec::with_capacity(entries.len()), through: after }, None);
    for Entry { cursor, notice } in entries.into_iter().take(limit) {
        page.entries.push((cursor, Notice::decode(&notice)?));
        page.through = cursor;
        last = Some(notice);
    }
    Ok((page, last))
}
