//! The engine in memory.

use std::sync::Arc;

use liveops_core::engine::{NamedOutcome, Numbered};
use liveops_core::store::{Consumer, FeedEntry, Happened};
use liveops_core::{MemoryStore, PlayerId, Timestamp};
use napi::Env;
use napi::bindgen_prelude::{ClassInstance, Uint8Array};
use napi_derive::napi;
use serde_json::{Value, json};

use crate::command::Command;
use crate::failure::{OrThrow as _, Result, text};
use crate::memory::tell;
use crate::outcome::{Outcomes, Told, no_command};
use crate::rules::Rules;

/// Rules and a store in memory.
#[napi]
#[derive(Debug)]
pub struct Engine(pub(crate) liveops_core::Engine<MemoryStore>);

/// An empty store, with a feed of so many entries if one is asked for.
fn store(feed: Option<u32>) -> MemoryStore {
    feed.map_or_else(MemoryStore::new, |len| MemoryStore::with_feed(len as usize))
}

fn at(millis: i64) -> Timestamp {
    Timestamp::from_unix_millis(millis)
}

#[napi]
impl Engine {
    /// An empty engine.
    #[napi(constructor)]
    pub fn new(rules: &Rules, feed: Option<u32>) -> Self {
        Self(liveops_core::Engine::new(Arc::clone(&rules.0), store(feed)))
    }

    /// An engine in the state of a snapshot, brought back to a time if one is given.
    #[napi(factory)]
    pub fn restore(rules: &Rules, bytes: &[u8], feed: Option<u32>, now: Option<i64>) -> Result<Self> {
        let store = match now {
            Some(now) => store(feed).restored_at(bytes, &rules.0, at(now)),
            None => store(feed).restored(bytes),
        };
        let store = store.or_throw()?;
        liveops_core::Engine::open(Arc::clone(&rules.0), store).map(Self).or_throw()
    }

    /// Lets go of all that it holds.
    #[napi]
    pub fn close(&mut self) {
        self.0 = liveops_core::Engine::new(self.0.rules(), store(None));
    }

    /// One command; the outcome as JSON.
    #[napi]
    pub fn submit(&self, env: &Env, command: &Command) -> Result<String> {
        let outcome = self.0.submit(&command.0);
        tell(env)?;
        text(&Told(&outcome))
    }

    /// A batch; a row that is no command is refused by itself.
    #[napi]
    pub fn submit_batch(&self, env: &Env, rows: Vec<Option<ClassInstance<'_, Command>>>) -> Result<Outcomes> {
        let commands: Vec<_> = rows.iter().flatten().map(|command| &command.0).collect();
        let mut decided = self.0.submit_batch(&commands).into_iter();
        let outcome = |row: &Option<_>| row.as_ref().and_then(|_| decided.next()).unwrap_or_else(no_command);
        let outcomes = rows.iter().map(outcome).collect();
        tell(env)?;
        Ok(Outcomes(outcomes))
    }

    /// Lines of JSON from a trusted source.
    #[napi]
    pub fn submit_ndjson(&self, env: &Env, lines: &[u8], now: i64) -> Result<Outcomes> {
        let outcomes = self.0.submit_ndjson(lines, at(now));
        tell(env)?;
        Ok(Outcomes(outcomes))
    }

    /// One player as JSON; none for a stranger.
    #[napi]
    pub fn player(&self, player: String) -> Result<Option<String>> {
        self.0.player(&player_id(&player)?).or_throw()?.as_ref().map(text).transpose()
    }

    /// A player's kept receipts as JSON.
    #[napi]
    pub fn receipts(&self, player: String) -> Result<String> {
        text(&self.0.receipts(&player_id(&player)?).or_throw()?)
    }

    /// A player's receipts that can be claimed at a time, oldest first, as JSON.
    #[napi]
    pub fn claimable(&self, player: String, now: i64) -> Result<String> {
        text(&self.0.claimable(&player_id(&player)?, at(now)).or_throw()?)
    }

    /// Every kept suspicion as a line of JSON, each verdict also in words.
    #[napi]
    pub fn suspicions_ndjson(&self) -> Result<String> {
        self.0.suspicions_ndjson().or_throw()
    }

    /// Hash of a player's newest receipt, in hex.
    #[napi]
    pub fn chain_head(&self, player: String) -> Result<String> {
        let record = self.0.record(&player_id(&player)?).or_throw()?;
        Ok(record.map(|record| record.chain_head).unwrap_or_default().to_hex())
    }

    /// Why a player has what the player has, as JSON; none for a stranger.
    #[napi]
    pub fn explain(&self, player: String, now: i64) -> Result<Option<String>> {
        self.0.explain(&player_id(&player)?, at(now)).or_throw()?.as_ref().map(text).transpose()
    }

    /// A player's kept suspicions as JSON, or everybody's.
    #[napi]
    pub fn suspicions(&self, player: Option<String>) -> Result<String> {
        let told = |player: &PlayerId, number, suspicion| -> Value {
            let mut told = json!(Numbered { number, suspicion });
            told["playerId"] = json!(player);
            told
        };
        let all: Vec<_> = if let Some(player) = player {
            let player = player_id(&player)?;
            let own = self.0.suspicions_of(&player).or_throw()?.into_iter();
            own.map(|(number, suspicion)| told(&player, number, suspicion)).collect()
        } else {
            let all = self.0.suspicions().or_throw()?.into_iter();
            all.map(|(player, number, suspicion)| told(&player, number, suspicion)).collect()
        };
        text(&all)
    }

    /// Moves the horizon, also far if that is meant; it as JSON.
    #[napi]
    pub fn advance(&self, env: &Env, now: i64, far: bool) -> Result<String> {
        let horizon = if far { self.0.advance_far(at(now)) } else { self.0.advance(at(now)) };
        let horizon = horizon.or_throw()?;
        tell(env)?;
        text(&horizon)
    }

    /// The rules in force.
    #[napi]
    pub fn rules(&self) -> Rules {
        Rules(self.0.rules())
    }

    /// Puts new rules in force, from a time on if one is given; how they differ, as JSON.
    #[napi]
    pub fn replace_rules(&self, rules: &Rules, now: Option<i64>) -> Result<String> {
        let rules = (*rules.0).clone();
        let diff = match now {
            Some(now) => self.0.replace_rules_at(rules, at(now)),
            None => self.0.replace_rules(rules),
        };
        text(&diff.or_throw()?)
    }

    /// What new rules would make of the players of now, as JSON.
    #[napi]
    pub fn plan_migration(&self, rules: &Rules) -> Result<String> {
        text(&self.0.plan_migration(&rules.0).or_throw()?)
    }

    /// One command for each player who is still on another curve.
    #[napi]
    pub fn migrations(&self, now: i64) -> Result<Vec<Command>> {
        Ok(self.0.migrations(at(now)).or_throw()?.into_iter().map(Command).collect())
    }

    /// Names the whole state.
    #[napi]
    pub fn digest(&self) -> String {
        self.0.store().digest()
    }

    /// The whole state as bytes.
    #[napi]
    pub fn snapshot(&self) -> Uint8Array {
        Uint8Array::from(self.0.store().snapshot())
    }

    /// Committed change sets after a cursor, as JSON.
    #[napi]
    pub fn feed(&self, after: i64, limit: u32) -> Result<String> {
        let entries = self.0.feed(0, after.unsigned_abs(), limit as usize).or_throw()?;
        text(&entries.iter().filter_map(feed_entry).collect::<Vec<_>>())
    }

    /// Everything up to the cursor may go.
    #[napi]
    pub fn ack(&self, through: i64) -> Result<()> {
        let consumer = Consumer::new("default").or_throw()?;
        self.0.ack(&consumer, 0, through.unsigned_abs()).or_throw()
    }

    /// Everything stored about a player, as JSON.
    #[napi]
    pub fn export_player(&self, player: String) -> Result<String> {
        text(&self.0.export_player(&player_id(&player)?).or_throw()?)
    }

    /// Counts since the engine was made, as JSON.
    #[napi]
    pub fn stats(&self) -> Result<String> {
        text(&self.0.stats())
    }

    /// How much is stored, as JSON.
    #[napi]
    pub fn size(&self) -> Result<String> {
        text(&self.0.store().size())
    }
}

/// A player's id from its text.
pub(crate) fn player_id(player: &str) -> Result<PlayerId> {
    PlayerId::new(player).or_throw()
}

fn feed_entry(entry: &FeedEntry) -> Option<Value> {
    let Happened::Committed(changes) = &entry.what else { return None };
    let outcome = |(id, outcome): &(_, _)| NamedOutcome { id: Clone::clone(id), outcome: Clone::clone(outcome) };
    let suspicion = |(number, suspicion): &(u64, _)| Numbered { number: *number, suspicion: Clone::clone(suspicion) };
    Some(
        json!({ "cursor": entry.cursor, "playerId": changes.player, "erased": changes.forget, "record": changes.record,
        "outcomes": changes.outcomes.iter().map(outcome).collect::<Vec<_>>(), "receipts": changes.receipts,
        "suspicions": changes.suspicions.iter().map(suspicion).collect::<Vec<_>>() }),
    )
}
