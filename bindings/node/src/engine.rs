//! The engine, whatever its store.
//!
//! A verb that may touch the store is written once, and told first whether it is to be done `later`: then it answers with a promise.
//! `index.d.ts` says what each does.

use std::cell::RefCell;
use std::sync::Arc;

use liveops_bindings::{Core, Shared};
use liveops_core::engine::{Numbered, ScanPage};
use liveops_core::record::Suspicion;
use liveops_core::{Code, Error, PlayerId, Timestamp};
use liveops_sqlite::SqliteStore;
use napi::Env;
use napi::bindgen_prelude::{AsyncTask, ClassInstance, Either, Function, ToNapiValue, TypeName, Uint8Array};
use napi_derive::napi;
use serde::Serialize;
use serde_json::{Value, json};

use crate::command::Command;
use crate::failure::{OrThrow as _, Result, text};
use crate::memory::tell;
use crate::outcome::{Outcomes, Told, no_command};
use crate::rules::Rules;
use crate::verb::{Answer, Verb, WouldBlock, with, with_file};
use crate::writer::{Settled, Writer};

/// Rules and a store.
#[napi]
#[expect(missing_debug_implementations, reason = "a thread that waits has none")]
pub struct Engine {
    pub(crate) shared: Arc<Shared>,
    /// None of an engine that was closed. A cell, because a promise of a verb counts as a borrow of the engine.
    pub(crate) writer: RefCell<Option<Writer>>,
    /// Whether the store waits for a disk.
    blocks: bool,
}

/// Some of what there is too much of for one answer.
#[napi(object, object_from_js = false)]
#[derive(Debug)]
pub struct Texts {
    /// As a JSON array.
    pub items: String,
    /// Where the next page begins; none at the end.
    pub next: Option<String>,
}

/// The same of commands.
#[napi(object, object_from_js = false)]
#[derive(Debug)]
pub struct Commands {
    /// As objects.
    pub items: Vec<Command>,
    /// Where the next page begins; none at the end.
    pub next: Option<String>,
}

fn at(millis: i64) -> Timestamp {
    Timestamp::from_unix_millis(millis)
}

/// A player's id from its text.
pub(crate) fn player_id(player: &str) -> Result<PlayerId> {
    PlayerId::new(player).or_throw()
}

impl Engine {
    pub(crate) fn new(shared: Shared, blocks: bool) -> Self {
        let shared = Arc::new(shared);
        Self { writer: RefCell::new(Some(Writer::new(&shared))), shared, blocks }
    }

    /// Puts something behind what waits.
    fn wait(&self, send: impl FnOnce(&mut Writer) -> Result<()>) -> Result<()> {
        match &mut *self.writer.borrow_mut() {
            Some(writer) => send(writer),
            None => Err(Code::Closed).or_throw(),
        }
    }

    /// Does a verb.
    pub(crate) fn verb<T: ToNapiValue + TypeName + Send + 'static>(
        &self,
        env: &Env,
        name: &'static str,
        later: bool,
        work: impl FnOnce(&Core) -> Result<T> + Send + 'static,
    ) -> Result<Answer<T>> {
        if later { self.later(|shared| with(shared, work)) } else { self.now(env, name, work).map(Either::A) }
    }

    /// Does it on a thread of the pool.
    fn later<T: ToNapiValue + TypeName + Send + 'static>(
        &self,
        work: impl FnOnce(&Shared) -> Result<T> + Send + 'static,
    ) -> Result<Answer<T>> {
        Ok(Either::B(AsyncTask::new(Verb::new(&self.shared, work))))
    }

    /// Does it here, unless the store waits for a disk.
    fn now<T>(&self, env: &Env, name: &'static str, work: impl FnOnce(&Core) -> Result<T>) -> Result<T> {
        if self.blocks {
            return Err(WouldBlock(name)).or_throw();
        }
        let answer = with(&self.shared, work);
        tell(env)?;
        answer
    }

    /// The same of a verb of the file: there, it always waits.
    fn file<T: ToNapiValue + TypeName + Send + 'static>(
        &self,
        name: &'static str,
        later: bool,
        work: impl FnOnce(&SqliteStore) -> Result<T> + Send + 'static,
    ) -> Result<Answer<T>> {
        if later { self.later(|shared| with_file(shared, work)) } else { Err(WouldBlock(name)).or_throw() }
    }

    /// The same of what no store is asked for.
    pub(crate) fn read<T>(&self, work: impl FnOnce(&Core) -> Result<T>) -> Result<T> {
        with(&self.shared, work)
    }
}

#[napi]
impl Engine {
    /// Whether the store waits for a disk.
    #[napi(getter)]
    pub fn blocks(&self) -> bool {
        self.blocks
    }

    /// One command; the outcome as JSON.
    #[napi]
    pub fn submit(&self, env: &Env, command: &Command) -> Result<String> {
        self.now(env, "submit", |core| text(&Told(&core.submit(&command.0))))
    }

    /// A batch; a row that is no command is refused by itself.
    #[napi]
    pub fn submit_batch(&self, env: &Env, rows: Vec<Option<ClassInstance<'_, Command>>>) -> Result<Outcomes> {
        self.now(env, "submitBatch", |core| {
            let commands: Vec<_> = rows.iter().flatten().map(|command| &command.0).collect();
            let mut decided = core.submit_batch(&commands).into_iter();
            let outcome = |row: &Option<_>| row.as_ref().and_then(|_| decided.next()).unwrap_or_else(no_command);
            Ok(Outcomes(rows.iter().map(outcome).collect()))
        })
    }

    /// Lines of JSON from a trusted source.
    #[napi]
    pub fn submit_ndjson(&self, env: &Env, lines: &[u8], now: i64) -> Result<Outcomes> {
        self.now(env, "submitNdjson", |core| Ok(Outcomes(core.submit_ndjson(lines, at(now)))))
    }

    /// A batch behind what waits; `settle` is called with the ticket and an outcome for each row.
    #[napi]
    pub fn submit_later(
        &self,
        rows: Vec<Option<ClassInstance<'_, Command>>>,
        ticket: u32,
        settle: Function<'_, Settled, ()>,
    ) -> Result<()> {
        let rows = rows.iter().map(|row| row.as_ref().map(|command| command.0.clone())).collect();
        self.wait(|writer| writer.commands(rows, ticket, &settle))
    }

    /// The same of lines.
    #[napi]
    pub fn submit_ndjson_later(
        &self,
        lines: &[u8],
        now: i64,
        ticket: u32,
        settle: Function<'_, Settled, ()>,
    ) -> Result<()> {
        self.wait(|writer| writer.lines(lines, at(now), ticket, &settle))
    }

    /// One player as JSON; none for a stranger.
    #[napi]
    pub fn player(&self, env: &Env, later: bool, player: String) -> Result<Answer<Option<String>>> {
        let player = player_id(&player)?;
        self.verb(env, "player", later, move |core| core.player(&player).or_throw()?.as_ref().map(text).transpose())
    }

    /// Some players.
    #[napi]
    pub fn players_page(
        &self,
        env: &Env,
        later: bool,
        cursor: Option<String>,
        limit: u32,
    ) -> Result<Answer<Texts>> {
        self.verb(env, "playersPage", later, move |core| {
            texts(cursor, |after| core.players_page(after, limit as usize))
        })
    }

    /// A player's kept receipts as JSON.
    #[napi]
    pub fn receipts(&self, env: &Env, later: bool, player: String) -> Result<Answer<String>> {
        let player = player_id(&player)?;
        self.verb(env, "receipts", later, move |core| text(&core.receipts(&player).or_throw()?))
    }

    /// Some of them.
    #[napi]
    pub fn receipts_page(
        &self,
        env: &Env,
        later: bool,
        player: String,
        cursor: Option<String>,
        limit: u32,
    ) -> Result<Answer<Texts>> {
        let player = player_id(&player)?;
        self.verb(env, "receiptsPage", later, move |core| {
            texts(cursor, |after| core.receipts_page(&player, after, limit as usize))
        })
    }

    /// A player's receipts that can be claimed at a time, oldest first, as JSON.
    #[napi]
    pub fn claimable(&self, env: &Env, later: bool, player: String, now: i64) -> Result<Answer<String>> {
        let player = player_id(&player)?;
        self.verb(env, "claimable", later, move |core| text(&core.claimable(&player, at(now)).or_throw()?))
    }

    /// Hash of a player's newest receipt, in hex.
    #[napi]
    pub fn chain_head(&self, env: &Env, later: bool, player: String) -> Result<Answer<String>> {
        let player = player_id(&player)?;
        self.verb(env, "chainHead", later, move |core| {
            let record = core.record(&player).or_throw()?;
            Ok(record.map(|record| record.chain_head).unwrap_or_default().to_hex())
        })
    }

    /// Why a player has what the player has, as JSON; none for a stranger.
    #[napi]
    pub fn explain(&self, env: &Env, later: bool, player: String, now: i64) -> Result<Answer<Option<String>>> {
        let player = player_id(&player)?;
        self.verb(env, "explain", later, move |core| {
            core.explain(&player, at(now)).or_throw()?.as_ref().map(text).transpose()
        })
    }

    /// Everything stored about a player, as JSON.
    #[napi]
    pub fn export_player(&self, env: &Env, later: bool, player: String) -> Result<Answer<String>> {
        let player = player_id(&player)?;
        self.verb(env, "exportPlayer", later, move |core| text(&core.export_player(&player).or_throw()?))
    }

    /// A player's kept suspicions as JSON.
    #[napi]
    pub fn suspicions_of(&self, env: &Env, later: bool, player: String) -> Result<Answer<String>> {
        let player = player_id(&player)?;
        self.verb(env, "suspicions", later, move |core| {
            let own = core.suspicions_of(&player).or_throw()?.into_iter();
            let own: Vec<_> = own.map(|(number, suspicion)| suspected(&player, number, &suspicion)).collect();
            text(&own)
        })
    }

    /// Some of everybody's.
    #[napi]
    pub fn suspicions_page(
        &self,
        env: &Env,
        later: bool,
        cursor: Option<String>,
        limit: u32,
    ) -> Result<Answer<Texts>> {
        self.verb(env, "suspicionsPage", later, move |core| {
            texts(cursor, |after| {
                let page = core.suspicions_page(after, limit as usize)?;
                let items = page.items.iter();
                let items = items.map(|(player, number, suspicion)| suspected(player, *number, suspicion)).collect();
                Ok::<_, Error>(ScanPage { items, next: page.next })
            })
        })
    }

    /// Some of them as lines of JSON, each verdict also in words.
    #[napi]
    pub fn suspicions_ndjson_page(
        &self,
        env: &Env,
        later: bool,
        cursor: Option<String>,
        limit: u32,
    ) -> Result<Answer<Texts>> {
        self.verb(env, "suspicionsNdjsonPage", later, move |core| {
            texts(cursor, |after| core.suspicions_ndjson_page(after, limit as usize))
        })
    }

    /// All of them.
    #[napi]
    pub fn suspicions_ndjson(&self, env: &Env, later: bool) -> Result<Answer<String>> {
        self.verb(env, "suspicionsNdjson", later, |core| core.suspicions_ndjson().or_throw())
    }

    /// Moves the horizon, measured by the clock, or also far if that is meant; it as JSON.
    #[napi]
    pub fn advance(&self, env: &Env, later: bool, now: i64, clock: i64, far: bool) -> Result<Answer<String>> {
        self.verb(env, "advance", later, move |core| {
            let horizon = if far { core.advance_far(at(now)) } else { core.advance_by_clock(at(now), at(clock)) };
            text(&horizon.or_throw()?)
        })
    }

    /// The horizon, as JSON.
    #[napi]
    pub fn horizon(&self, env: &Env, later: bool) -> Result<Answer<String>> {
        self.verb(env, "horizon", later, |core| text(&core.horizon().or_throw()?))
    }

    /// The rules in force.
    #[napi]
    pub fn rules(&self) -> Result<Rules> {
        self.read(|core| Ok(Rules(core.rules())))
    }

    /// Puts new rules in force, from a time on if one is given; how they differ, as JSON.
    #[napi]
    pub fn replace_rules(&self, env: &Env, later: bool, rules: &Rules, now: Option<i64>) -> Result<Answer<String>> {
        let rules = Arc::clone(&rules.0);
        self.verb(env, "replaceRules", later, move |core| {
            let diff = match now {
                Some(now) => core.replace_rules_at((*rules).clone(), at(now)),
                None => core.replace_rules((*rules).clone()),
            };
            text(&diff.or_throw()?)
        })
    }

    /// What new rules would make of the players of now, as JSON.
    #[napi]
    pub fn plan_migration(&self, env: &Env, later: bool, rules: &Rules) -> Result<Answer<String>> {
        let rules = Arc::clone(&rules.0);
        self.verb(env, "planMigration", later, move |core| text(&core.plan_migration(&rules).or_throw()?))
    }

    /// Commands for some of the players who are still on another curve.
    #[napi]
    pub fn migrations_page(
        &self,
        env: &Env,
        later: bool,
        cursor: Option<String>,
        limit: u32,
        now: i64,
    ) -> Result<Answer<Commands>> {
        self.verb(env, "migrationsPage", later, move |core| {
            let after = cursor.map(|text| text.parse()).transpose().or_throw()?;
            let page = core.migrations_page(after.as_ref(), limit as usize, at(now)).or_throw()?;
            let items = page.items.into_iter().map(Command).collect();
            Ok(Commands { items, next: page.next.map(|next| next.to_string()) })
        })
    }

    /// Names the whole state.
    #[napi]
    pub fn digest(&self, env: &Env, later: bool) -> Result<Answer<String>> {
        self.verb(env, "digest", later, |core| core.digest().or_throw())
    }

    /// The whole state as bytes.
    #[napi]
    pub fn snapshot(&self, env: &Env, later: bool) -> Result<Answer<Uint8Array>> {
        self.verb(env, "snapshot", later, |core| {
            let mut bytes = Vec::new();
            core.snapshot(&mut bytes).or_throw()?;
            Ok(bytes.into())
        })
    }

    /// How much is stored, as JSON.
    #[napi]
    pub fn size(&self, env: &Env, later: bool) -> Result<Answer<String>> {
        self.verb(env, "size", later, |core| text(&core.size().or_throw()?))
    }

    /// How the file is doing, as JSON.
    #[napi]
    pub fn status(&self, later: bool) -> Result<Answer<String>> {
        self.file("status", later, |file| text(&file.status().or_throw()?))
    }

    /// Reads all of the file.
    #[napi]
    pub fn verify(&self, later: bool) -> Result<Answer<()>> {
        self.file("verify", later, |file| file.verify().or_throw())
    }

    /// Writes a copy of the file.
    #[napi]
    pub fn backup(&self, later: bool, path: String) -> Result<Answer<()>> {
        self.file("backup", later, move |file| file.backup(path).or_throw())
    }

    /// Counts since the engine was made, as JSON.
    #[napi]
    pub fn stats(&self) -> Result<String> {
        self.read(|core| text(&core.stats()))
    }
}

/// Whoever waits is answered; then the file is closed.
impl Drop for Engine {
    fn drop(&mut self) {
        if let Some(writer) = self.writer.take() {
            writer.close();
        }
    }
}

/// A page of a walk, as JSON.
fn texts<T: Serialize>(
    cursor: Option<String>,
    page: impl FnOnce(Option<&liveops_core::engine::ScanCursor>) -> std::result::Result<ScanPage<T>, Error>,
) -> Result<Texts> {
    let after = cursor.map(|text| text.parse()).transpose().or_throw()?;
    let page = page(after.as_ref()).or_throw()?;
    Ok(Texts { items: text(&page.items)?, next: page.next.map(|next| next.to_string()) })
}

fn suspected(player: &PlayerId, number: u64, suspicion: &Suspicion) -> Value {
    let mut told = json!(Numbered { number, suspicion: suspicion.clone() });
    told["playerId"] = json!(player);
    told
}
