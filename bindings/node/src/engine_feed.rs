//! What an engine tells others, and the file in which it keeps its state.

use liveops_bindings::{Core, FeedCursor, check_partition, entry_json};
use liveops_core::record::Run;
use liveops_core::store::{Consumer, FeedEntry, Happened};
use napi::Env;
use napi_derive::napi;
use serde_json::json;

use crate::command::Command;
use crate::engine::Engine;
use crate::failure::{OrThrow as _, Result, text};
use crate::verb::Answer;

/// Entries of the feed.
#[napi(object, object_from_js = false)]
#[derive(Debug)]
pub struct Entries {
    /// As a JSON array.
    pub items: String,
    /// Of each the commands that led to it, if they are recorded.
    pub commands: Vec<Option<Vec<Command>>>,
    /// Where the next page begins, which is never the end.
    pub next: String,
}

#[napi]
impl Engine {
    /// How many partitions the feed has.
    #[napi]
    pub fn partitions(&self) -> Result<u16> {
        self.read(|core| Ok(core.partitions()))
    }

    /// Some entries behind a cursor, or of a partition from the start on.
    #[napi]
    pub fn feed_page(
        &self,
        env: Env,
        later: bool,
        cursor: Option<String>,
        limit: u32,
        partition: u16,
    ) -> Result<Answer<Entries>> {
        let after = match cursor {
            Some(text) => text.parse().or_throw()?,
            None => FeedCursor { partition, place: 0 },
        };
        self.verb(env, "feedPage", later, move |core| entries(core, after, limit as usize))
    }

    /// The cursor of a partition's newest entry.
    #[napi]
    pub fn last(&self, env: Env, later: bool, partition: u16) -> Result<Answer<String>> {
        self.verb(env, "last", later, move |core| {
            check_partition(core, partition).or_throw()?;
            let place = core.last(partition).or_throw()?;
            Ok(FeedCursor { partition, place }.to_string())
        })
    }

    /// A consumer has dealt with everything through a cursor, or begins with the start of every partition.
    #[napi]
    pub fn ack(&self, env: Env, later: bool, consumer: String, cursor: Option<String>) -> Result<Answer<()>> {
        let consumer = Consumer::new(&consumer).or_throw()?;
        let through: Option<FeedCursor> = cursor.map(|text| text.parse()).transpose().or_throw()?;
        self.verb(env, "ack", later, move |core| match through {
            Some(FeedCursor { partition, place }) => {
                check_partition(core, partition).or_throw()?;
                core.ack(&consumer, partition, place).or_throw()
            }
            None => (0..core.partitions()).try_for_each(|partition| core.ack(&consumer, partition, 0)).or_throw(),
        })
    }

    /// Nothing is kept for a consumer any more.
    #[napi]
    pub fn drop_consumer(&self, env: Env, later: bool, consumer: String) -> Result<Answer<()>> {
        let consumer = Consumer::new(&consumer).or_throw()?;
        self.verb(env, "dropConsumer", later, move |core| core.drop_consumer(&consumer).or_throw())
    }

    /// Everybody known, as JSON.
    #[napi]
    pub fn consumers(&self, env: Env, later: bool) -> Result<Answer<String>> {
        self.verb(env, "consumers", later, |core| {
            let known = core.consumers().or_throw()?;
            let mark = |(partition, place): (u16, &u64)| FeedCursor { partition, place: *place }.to_string();
            let known = known.iter().map(|known| {
                let cursors: Vec<_> = (0..).zip(&known.acked).map(mark).collect();
                json!({ "consumer": known.consumer, "cursors": cursors })
            });
            text(&known.collect::<Vec<_>>())
        })
    }
}

fn entries(core: &Core, after: FeedCursor, limit: usize) -> Result<Entries> {
    let FeedCursor { partition, place } = after;
    check_partition(core, partition).or_throw()?;
    let found = core.feed(partition, place, limit).or_throw()?;
    let next = FeedCursor { partition, place: found.last().map_or(place, |entry| entry.cursor) };
    let items = found.iter().map(|entry| {
        let mut told = entry_json(partition, entry);
        if let Some(run) = run(entry) {
            told["run"] = json!({ "rules": run.rules, "horizon": run.horizon });
        }
        told
    });
    let items = text(&items.collect::<Vec<_>>())?;
    let commands = |run: &Run| run.commands.iter().cloned().map(Command).collect();
    let commands = found.iter().map(|entry| run(entry).map(commands)).collect();
    Ok(Entries { items, commands, next: next.to_string() })
}

/// What led to an entry, if it is recorded.
fn run(entry: &FeedEntry) -> Option<&Run> {
    match &entry.what {
        Happened::Committed(changes) => changes.run.as_deref(),
        _ => None,
    }
}
