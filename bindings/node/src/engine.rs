//! The engine, whatever its store.
//!
//! A verb that may touch the store is written once, and told first whether it is to be done `later`: then it answers with a promise.
//! `index.d.ts` says what each does.

use std::cell::RefCell;
use std::num::NonZeroUsize;
use std::sync::Arc;

use liveops_bindings::{Core, FarStore, Shared};
use liveops_core::{Code, PlayerId, Timestamp};
use liveops_sqlite::SqliteStore;
use napi::Env;
use napi::bindgen_prelude::{AsyncTask, ClassInstance, Either, Function, ToNapiValue, TypeName, Uint8Array};
use napi_derive::napi;

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
    /// Whether the store waits for a disk or a network.
    blocks: bool,
}

/// A time.
pub(crate) fn at(millis: i64) -> Timestamp {
    Timestamp::from_unix_millis(millis)
}

/// A number of threads, which `lib/engine.js` found to be one.
fn of_threads(threads: u32) -> NonZeroUsize {
    NonZeroUsize::new(threads as usize).unwrap_or(NonZeroUsize::MIN)
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
        env: Env,
        name: &'static str,
        later: bool,
        work: impl FnOnce(&Core) -> Result<T> + Send + 'static,
    ) -> Result<Answer<T>> {
        if later {
            return Ok(self.later(|shared| with(shared, work)));
        }
        self.now(env, name, work).map(Either::A)
    }

    /// Does it on a thread of the pool.
    fn later<T: ToNapiValue + TypeName + Send + 'static>(
        &self,
        work: impl FnOnce(&Shared) -> Result<T> + Send + 'static,
    ) -> Answer<T> {
        Either::B(AsyncTask::new(Verb::new(&self.shared, work)))
    }

    /// Does it here, unless the store waits for a disk or a network.
    fn now<T>(&self, env: Env, name: &'static str, work: impl FnOnce(&Core) -> Result<T>) -> Result<T> {
        if self.blocks {
            return Err(WouldBlock(name)).or_throw();
        }
        let answer = with(&self.shared, work);
        tell(&env)?;
        answer
    }

    /// The same of a verb of the file: there, it always waits.
    fn file<T: ToNapiValue + TypeName + Send + 'static>(
        &self,
        name: &'static str,
        later: bool,
        work: impl FnOnce(&SqliteStore) -> Result<T> + Send + 'static,
    ) -> Result<Answer<T>> {
        if later {
            return Ok(self.later(|shared| with_file(shared, work)));
        }
        with_file(&self.shared, |_| Err(WouldBlock(name)).or_throw())
    }

    /// The same of what no store is asked for.
    pub(crate) fn read<T>(&self, work: impl FnOnce(&Core) -> Result<T>) -> Result<T> {
        with(&self.shared, work)
    }
}

#[napi]
impl Engine {
    /// Whether the store waits for a disk or a network.
    #[napi(getter)]
    pub fn blocks(&self) -> bool {
        self.blocks
    }

    /// One command; the outcome as JSON.
    #[napi]
    pub fn submit(&self, env: Env, command: &Command) -> Result<String> {
        self.now(env, "submit", |core| text(&Told(core.submit(&command.0))))
    }

    /// A batch; a row that is no command is refused by itself.
    #[napi]
    pub fn submit_batch(&self, env: Env, rows: Vec<Option<ClassInstance<'_, Command>>>) -> Result<Outcomes> {
        self.now(env, "submitBatch", |core| {
            let commands: Vec<_> = rows.iter().flatten().map(|command| &command.0).collect();
            let mut decided = core.submit_batch(&commands).into_iter();
            let outcome = |row: &Option<_>| row.as_ref().and_then(|_| decided.next()).unwrap_or_else(no_command);
            Ok(Outcomes(rows.iter().map(outcome).collect()))
        })
    }

    /// Lines of JSON from a trusted source.
    #[napi]
    pub fn submit_ndjson(&self, env: Env, lines: &[u8], now: i64, threads: u32) -> Result<Outcomes> {
        self.now(env, "submitNdjson", |core| Ok(Outcomes(core.ingest_ndjson(lines, at(now), of_threads(threads)))))
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
        threads: u32,
        ticket: u32,
        settle: Function<'_, Settled, ()>,
    ) -> Result<()> {
        self.wait(|writer| writer.lines(lines, at(now), of_threads(threads), ticket, &settle))
    }

    /// Moves the horizon, measured by the clock, or also far if that is meant; it as JSON.
    #[napi]
    pub fn advance(&self, env: Env, later: bool, now: i64, clock: i64, far: bool) -> Result<Answer<String>> {
        self.verb(env, "advance", later, move |core| {
            let horizon = if far { core.advance_far(at(now)) } else { core.advance_by_clock(at(now), at(clock)) };
            text(&horizon.or_throw()?)
        })
    }

    /// The horizon, as JSON.
    #[napi]
    pub fn horizon(&self, env: Env, later: bool) -> Result<Answer<String>> {
        self.verb(env, "horizon", later, |core| text(&core.horizon().or_throw()?))
    }

    /// The rules in force.
    #[napi]
    pub fn rules(&self) -> Result<Rules> {
        self.read(|core| Ok(Rules(core.rules())))
    }

    /// Puts new rules in force, from a time on if one is given; how they differ, as JSON.
    #[napi]
    pub fn replace_rules(&self, env: Env, later: bool, rules: &Rules, now: Option<i64>) -> Result<Answer<String>> {
        let rules = Arc::clone(&rules.0);
        self.verb(env, "replaceRules", later, move |core| {
            let diff = match now {
                Some(now) => core.replace_rules_at((*rules).clone(), at(now)),
                None => core.replace_rules((*rules).clone()),
            };
            text(&diff.or_throw()?)
        })
    }

    /// Names the whole state.
    #[napi]
    pub fn digest(&self, env: Env, later: bool) -> Result<Answer<String>> {
        self.verb(env, "digest", later, |core| core.digest().or_throw())
    }

    /// The whole state as bytes.
    #[napi]
    pub fn snapshot(&self, env: Env, later: bool) -> Result<Answer<Uint8Array>> {
        self.verb(env, "snapshot", later, |core| {
            let mut bytes = Vec::new();
            core.snapshot(&mut bytes).or_throw()?;
            Ok(bytes.into())
        })
    }

    /// How much is stored, as JSON.
    #[napi]
    pub fn size(&self, env: Env, later: bool) -> Result<Answer<String>> {
        self.verb(env, "size", later, |core| text(&core.size().or_throw()?))
    }

    /// How far the boards here are behind, as JSON.
    #[napi]
    pub fn lag(&self, env: Env, later: bool) -> Result<Answer<String>> {
        self.verb(env, "lag", later, |core| text(&core.lag().or_throw()?))
    }

    /// What was committed before is on the boards here.
    #[napi]
    pub fn catch_up(&self, env: Env, later: bool) -> Result<Answer<()>> {
        self.verb(env, "catchUp", later, |core| core.catch_up().or_throw())
    }

    /// Which rules are in force, the horizon and the lag, as JSON.
    #[napi]
    pub fn status(&self, env: Env, later: bool) -> Result<Answer<String>> {
        self.verb(env, "status", later, |core| text(&core.status().or_throw()?))
    }

    /// What the clock of the store's server says.
    #[napi]
    pub fn store_now(&self, later: bool) -> Result<Answer<i64>> {
        if later {
            let asked = |shared: &Shared| shared.with_far(FarStore::now).or_throw()?.or_throw();
            return Ok(self.later(move |shared| Ok(asked(shared)?.as_unix_millis())));
        }
        self.shared.with_far(|_| Err(WouldBlock("now")).or_throw()).or_throw()?
    }

    /// How the file is doing, as JSON.
    #[napi]
    pub fn file_status(&self, later: bool) -> Result<Answer<String>> {
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
